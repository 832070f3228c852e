//! A fitted model scored on a table.

use std::borrow::Cow;

use noisefit_core::inference::evaluate::{Evaluation, Scores};
use noisefit_core::record::{Counts, Fit, LikelihoodOf, Warning};
use noisefit_core::rows::RowSourceExt;
use noisefit_data::formula::{Scope, Unseen};
use noisefit_data::source::{Missing, SourceOptions};
use noisefit_report::Specification;
use noisefit_report::evaluate::{outermost_coverage, summary};
use noisefit_report::tidy::Tidy;
use serde::Serialize;

use crate::error::Error;
use crate::fitted::Fitted;
use crate::remark::Remark;
use crate::rows::specification;
use crate::table::Table;

/// How a model is scored.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct EvaluateOptions {
    /// The level of the prediction intervals whose coverage is counted: conformal ones where the model has them.
    pub level: f64,
    /// Rows with a missing value.
    pub missing: Missing,
    /// Levels of a category that the model was not fitted to.
    pub unseen: Unseen,
}

impl Default for EvaluateOptions {
    fn default() -> Self {
        EvaluateOptions { level: 0.95, missing: Missing::default(), unseen: Unseen::default() }
    }
}

/// Scores: one, or one for each of several quantiles.
#[derive(Debug, Clone)]
pub struct Evaluated {
    /// The scores of each curve.
    pub scores: Vec<Scores>,
    /// The rows that were met.
    pub counts: Counts,
    too_few: Option<Warning>,
    /// What was fitted.
    model: Specification,
    /// What the model itself makes of predictions.
    far: Option<Warning>,
}

impl Fitted {
    /// Scores the model on a table: errors, likelihood, coverage of its intervals.
    ///
    /// ```
    /// use noisefit::{EvaluateOptions, Model, Table};
    ///
    /// let table = Table::open("../testdata/engel.csv")?;
    /// let fitted = Model::new("foodexp ~ income").fit(&table)?;
    /// let evaluated = fitted.evaluate(&table, &EvaluateOptions::default())?;
    /// assert!((evaluated.scores[0].rmse - 113.6213).abs() < 1e-4);
    /// # Ok::<(), noisefit::Error>(())
    /// ```
    ///
    /// # Errors
    /// Columns that are not there; [`Error::NothingToScore`]; those of reading.
    pub fn evaluate(&self, table: &Table, options: &EvaluateOptions) -> Result<Evaluated, Error> {
        let known = self.model.design.columns_needed(Scope::All);
        table.reading(known, |table| self.evaluate_once(table, options))
    }

    fn evaluate_once(&self, table: &Table, options: &EvaluateOptions) -> Result<Evaluated, Error> {
        self.check_effects()?;
        let &EvaluateOptions { level, missing, unseen } = options;
        let model = &self.model;
        // A weighted model says how noisy a row is by its weight, so the weights are read, too.
        let options = SourceOptions { missing, unseen, scope: Scope::All };
        let (rows, fits) = match self.by_codes() {
            Some((design, fits)) => (table.rows(&design, options)?, Cow::Owned(fits)),
            None => (self.rows(table, options)?, Cow::Borrowed(&model.fits)),
        };
        let mut empty: Vec<_> = match &model.network {
            Some(network) => Evaluation::of_network(network, level)?,
            None => fits.iter().map(|fit| Evaluation::new(fit, level)).collect::<Result<_, _>>()?,
        };
        // Of several quantiles there is one interval, which is counted with the first.
        if let (Some(conformal), Some(first)) = (&model.conformal, empty.first_mut()) {
            *first = first.clone().with_conformal(conformal);
        }
        let evaluations = rows.pass(empty)?;
        let counts = rows.counts();
        if counts.records == counts.missing + counts.weightless {
            return Err(Error::NothingToScore { file: table.dataset().file_name(0).to_owned(), counts });
        }
        let scores = evaluations.iter().map(Evaluation::finish).collect::<Result<Vec<_>, _>>()?;
        let too_few = model.conformal.as_ref().and_then(|conformal| conformal.too_few(level));
        let (specification, far) = (specification(&model.design, None), model.fits.iter().find_map(Fit::far_from_zero));
        Ok(Evaluated { scores, counts, too_few, model: specification, far })
    }
}

impl Evaluated {
    /// What is to be said.
    pub fn warnings(&self) -> Vec<Remark> {
        self.too_few.iter().chain(&self.far).map(Remark::from).collect()
    }

    /// The scores as lines, of several quantiles as a table.
    pub fn summary(&self) -> String {
        summary(&self.scores, &self.model, self.counts)
    }

    /// The scores as a table, a row for each curve.
    pub fn tidy(&self) -> Tidy {
        noisefit_report::tidied::scores(&self.scores)
    }

    /// The JSON object.
    pub fn record<'a>(&'a self) -> impl Serialize + use<'a> {
        let (one, several) = match &self.scores[..] {
            [one] => (Some(one), None),
            several => (None, Some(several)),
        };
        let coverage = several.and_then(outermost_coverage);
        EvaluationRecord {
            schema: "noisefit.evaluate/1",
            one,
            several,
            level: coverage.map(|(level, _)| level),
            conformal_coverage: coverage.map(|(_, coverage)| coverage),
            dropped: self.counts.missing,
            likelihood_of: self.model.transformed.map(|of| match of {
                LikelihoodOf::Response => "response",
                _ => "transformed response",
            }),
            weighted: self.model.sampling_weights.is_some(),
        }
    }
}

/// The JSON object: the fields of the scores, or of several quantiles `fits`, a list of them.
#[derive(Serialize)]
struct EvaluationRecord<'a> {
    schema: &'static str,
    #[serde(flatten)]
    one: Option<&'a Scores>,
    #[serde(rename = "fits", skip_serializing_if = "Option::is_none")]
    several: Option<&'a [Scores]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    level: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    conformal_coverage: Option<f64>,
    dropped: u64,
    /// Of a transformed response whether the likelihood is of the response itself or of what it is transformed to.
    #[serde(skip_serializing_if = "Option::is_none")]
    likelihood_of: Option<&'static str>,
    /// Whether means are weighted, as they are by sampling weights and by no precisions.
    weighted: bool,
}
