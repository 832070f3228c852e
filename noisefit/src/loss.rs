//! The losses of predictions that are given.

use noisefit_core::loss::report::{LossReport, ReportOptions, ReportPass};
use noisefit_core::record::Counts;
use noisefit_core::rows::{RowSource, RowSourceExt};
use noisefit_data::DataError;
use noisefit_data::formula::Formula;
use noisefit_data::records::Records;
use noisefit_data::source::{DesignRows, Missing, SourceOptions};
use noisefit_report::loss::summary;
use noisefit_report::tidy::Tidy;
use serde::Serialize;

use crate::error::Error;
use crate::refusal::Refusal;
use crate::table::Table;
use noisefit_core::wording::Setting;

/// Which columns are compared, and by what losses.
#[derive(Debug, Clone, PartialEq)]
pub struct LossOptions {
    /// The column with the true values.
    pub truth: String,
    /// The column with the predictions.
    pub prediction: String,
    /// Where the Huber and smooth L1 losses turn from squares to lines.
    pub delta: f64,
    /// The level of the pinball loss.
    pub tau: f64,
    /// How many of the largest errors are listed.
    pub largest: usize,
    /// Rows with a missing value.
    pub missing: Missing,
}

impl LossOptions {
    /// Two columns, with a delta of 1, a tau of a half and the five largest errors.
    pub fn of(truth: impl Into<String>, prediction: impl Into<String>) -> Self {
        let (truth, prediction, missing) = (truth.into(), prediction.into(), Missing::default());
        LossOptions { truth, prediction, delta: 1.0, tau: 0.5, largest: 5, missing }
    }

    /// Refuses a delta that is no threshold.
    ///
    /// # Errors
    /// [`Refusal::Delta`].
    pub fn check(&self) -> Result<(), Error> {
        match self.delta > 0.0 && self.delta.is_finite() {
            true => Ok(()),
            false => Err(Refusal::Delta { delta: self.delta }.into()),
        }
    }
}

/// Every loss, and the noise that they imply.
#[derive(Debug, Clone)]
pub struct Losses {
    /// What was found.
    pub report: LossReport,
    /// The rows that were met.
    pub counts: Counts,
}

impl Table {
    /// Every loss of predictions that stand beside the truth, what the largest errors carry of it, and the noise it implies.
    ///
    /// # Errors
    /// Columns that are not there; a delta that is not positive; no complete row; those of reading.
    pub fn losses(&self, options: &LossOptions) -> Result<Losses, Error> {
        options.check()?;
        self.reading(&[], |table| table.losses_once(options))
    }

    fn losses_once(&self, options: &LossOptions) -> Result<Losses, Error> {
        let dataset = self.dataset();
        for (setting, name) in [(Setting::Truth, &options.truth), (Setting::Prediction, &options.prediction)] {
            if !self.columns().iter().any(|field| field.name == *name) {
                let files = dataset.files().collect::<Vec<_>>().join(", ");
                return Err(Error::NoColumn { setting, name: name.clone(), files: Some(files), columns: self.names() });
            }
        }
        // Truth and prediction as the response and the one column of a design.
        let formula = Formula::parse(&format!("`{}` ~ 0 + `{}`", options.truth, options.prediction));
        let model = formula.and_then(|formula| formula.resolve(dataset.fields(), None, None));
        let model = model.map_err(DataError::from)?;
        let records = Records::new(dataset, &model.columns_needed(), self.threads(), 0, self.watch())?;
        let source = SourceOptions { missing: options.missing, ..SourceOptions::default() };
        let rows = DesignRows::learn(model, records, source)?;
        let (delta, tau, largest) = (options.delta, options.tau, options.largest.max(1));
        let pass = rows.pass(ReportPass::new(ReportOptions { delta, tau, largest }, rows.layout())?)?;
        let counts = rows.counts();
        if counts.records == counts.missing {
            return Err(Error::NothingToCompare { counts });
        }
        Ok(Losses { report: pass.report()?, counts })
    }
}

impl Losses {
    /// The losses, the noise they imply, and the largest errors.
    pub fn summary(&self) -> String {
        summary(&self.report, self.counts)
    }

    /// What a reader should know: losses whose sum is beyond the largest double.
    pub fn warnings(&self) -> Vec<String> {
        let beyond: Vec<&str> =
            self.report.losses.iter().filter(|loss| !loss.sum.is_finite()).map(|loss| loss.loss).collect();
        match beyond.is_empty() {
            true => Vec::new(),
            false => vec![format!(
                "the sum is beyond the largest double, 1.8e308, of {}: divide truth and prediction by a power of ten",
                beyond.join(", ")
            )],
        }
    }

    /// The losses as a table, a row for each.
    pub fn tidy(&self) -> Tidy {
        noisefit_report::tidied::losses(&self.report)
    }

    /// The JSON object.
    pub fn record<'a>(&'a self) -> impl Serialize + use<'a> {
        LossRecord { schema: "noisefit.loss/1", report: &self.report, dropped: self.counts.missing }
    }
}

#[derive(Serialize)]
struct LossRecord<'a> {
    schema: &'static str,
    #[serde(flatten)]
    report: &'a LossReport,
    dropped: u64,
}
