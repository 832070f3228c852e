//! What is wrong with a model.

mod rows;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use noisefit_core::estimate;
use noisefit_core::inference::covariance::Vcov;
use noisefit_core::inference::diagnostics::{Diagnosis, Diagnostics, Grouping, Influence, Serial};
use noisefit_core::inference::{self, Options};
use noisefit_core::noise::Noise;
use noisefit_core::record::{Counts, Fit};
use noisefit_core::wording::Setting;
use noisefit_core::wording::{InRust, Sentence, Wording};
use noisefit_data::DataError;
use noisefit_data::formula::{Design, ScaleFormula, Scope};
use noisefit_data::frame::Field;
use noisefit_data::source::{DesignRows, RowPlace, SourceOptions};
use noisefit_report::diagnose::{Findings, advice, summary};
use noisefit_report::tidy::Tidy;
use serde::Serialize;
use serde_json::Value;

use crate::error::{Error, unwritten};
use crate::model::Model;
use crate::refusal::Refusal;
use crate::remark::Remark;
use crate::rows::{explain, name_rows, notes, place, specification};
use crate::table::Table;
use crate::watch::Watch;
use crate::with_sampling::WithSampling;

/// How much of a diagnosis is kept.
#[derive(Debug, Clone, PartialEq)]
pub struct DiagnoseOptions {
    /// How many of the rows that stand out are listed.
    pub worst: usize,
    /// A .csv, .tsv or .parquet file for what was measured of every row.
    pub rows: Option<PathBuf>,
    /// Whether that file has how far each row moves each coefficient, too.
    pub dfbetas: bool,
    /// Over how many rows dependence in their order is tested, beside that on the row before; not unless given.
    pub lags: Option<usize>,
}

impl Default for DiagnoseOptions {
    fn default() -> Self {
        DiagnoseOptions { worst: 10, rows: None, dfbetas: false, lags: None }
    }
}

/// A fit that was looked at.
#[derive(Debug, Clone)]
pub struct Diagnosed {
    design: Design,
    fit: Fit,
    counts: Counts,
    diagnostics: Diagnostics,
    /// Dependence over several rows, where it was asked for.
    serial: Option<Serial>,
    /// What rows with a value of another column in common have.
    groupings: Vec<Grouping>,
    places: BTreeMap<u64, RowPlace>,
    /// Whether rows are of several files.
    several_files: bool,
    /// What is to be said of the table's columns.
    notes: Vec<Remark>,
    table: Table,
    /// Why the file of the rows could not be written.
    unwritten: Option<Arc<DataError>>,
}

impl Model {
    /// Fits the model and looks at the fit: variance, shape of the noise, form of the mean, order, collinearity, calibration,
    /// rows that stand out. The covariance is the classical one, and intervals are not calibrated.
    ///
    /// ```
    /// use noisefit::{DiagnoseOptions, Model, Table};
    ///
    /// let table = Table::open("../testdata/engel.csv")?;
    /// let diagnosed = Model::new("foodexp ~ income").diagnose(&table, &DiagnoseOptions::default())?;
    /// assert!(diagnosed.advice().iter().any(|sentence| sentence.to_string().starts_with("the variance grows with income")));
    /// # Ok::<(), noisefit::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`Model::fit`]'s, and [`Refusal::DiagnosisOfQuantiles`].
    pub fn diagnose(&self, table: &Table, options: &DiagnoseOptions) -> Result<Diagnosed, Error> {
        table.refuse_overwriting(&[(Setting::Rows, options.rows.as_deref())])?;
        table.reading(&[], |table| self.diagnose_once(table, options))
    }

    fn diagnose_once(&self, table: &Table, options: &DiagnoseOptions) -> Result<Diagnosed, Error> {
        let noise = self.choice()?;
        if let [Noise::Quantile(_), ..] = noise[..] {
            return Err(Refusal::DiagnosisOfQuantiles { noise: noise.to_string() }.into());
        }
        self.without_effects("diagnose")?;
        self.without_sampling(WithSampling::Verb("diagnose"))?;
        let formula = self.full_formula()?;
        let rows = self.rows(&formula, table)?;
        let estimate::Options { level, settings, collinear, .. } = self.estimation();
        let settings = Options {
            level,
            settings,
            collinear,
            vcov: Vcov::CLASSICAL,
            small_sample: self.small_sample,
            seed: self.seed,
        };
        let fits = inference::fit(&rows, &noise, &settings).map_err(|error| explain(error, rows.counts(), table))?;
        let fit = fits.first().ok_or(Error::NoSingleFit)?;
        look(&Diagnosis::new(&rows, fit, &settings.estimation())?, &rows, table, options)
    }
}

/// Looks at the rows by a diagnosis that was made of them.
pub(crate) fn look(
    diagnosis: &Diagnosis,
    rows: &DesignRows<'_>,
    table: &Table,
    options: &DiagnoseOptions,
) -> Result<Diagnosed, Error> {
    let diagnostics = diagnosis.run(rows, options.worst)?;
    let places = places(rows, &diagnostics.influence)?;
    let written = options
        .rows
        .as_ref()
        .map_or(Ok(()), |path| rows::write(path, diagnosis, rows.design(), table, options.dfbetas));
    let unwritten = unwritten(written)?;
    let serial = options.lags.map(|lags| Serial::of(rows, diagnosis, lags)).transpose()?;
    let groupings = groupings(diagnosis, rows, table)?;
    let several_files = table.dataset().is_in_parts();
    let (design, fit, table) = (rows.design().clone(), diagnosis.fit().clone(), table.clone());
    Ok(Diagnosed {
        design,
        fit,
        counts: rows.counts(),
        diagnostics,
        serial,
        groupings,
        places,
        several_files,
        notes: notes(rows, &table),
        table,
        unwritten,
    })
}

/// Columns by which rows are looked at in groups, at most.
const MOST_GROUPINGS: usize = 8;

/// A larger share of rows that miss one of the columns, and each column is looked at alone.
const MOST_MISSING: f64 = 0.05;

/// What rows with a value of a column in common have: of the table's columns that the formula does not name, texts before numbers.
fn groupings(diagnosis: &Diagnosis, rows: &DesignRows<'_>, table: &Table) -> Result<Vec<Grouping>, Error> {
    let (design, fields) = (rows.design(), table.dataset().fields());
    let known = design.columns_needed(Scope::All);
    let others = fields.iter().filter(|field| !known.iter().any(|known| known.name == field.name));
    let (texts, numbers): (Vec<&Field>, Vec<&Field>) = others.partition(|field| field.kind.is_category());
    let names: Vec<String> = texts.into_iter().chain(numbers).take(MOST_GROUPINGS).map(|f| f.name.clone()).collect();
    let by = |names: &[String]| -> Result<(Vec<Grouping>, u64), Error> {
        let design = design.clone().with_clusters_of(names, fields).map_err(DataError::from)?;
        let rows = table.rows(&design, SourceOptions::default())?;
        let found = diagnosis.groupings(&rows)?;
        Ok((found, rows.counts().missing))
    };
    if names.is_empty() {
        return Ok(Vec::new());
    }
    let (found, missing) = by(&names)?;
    let lost = missing.saturating_sub(rows.counts().missing) as f64;
    if lost <= MOST_MISSING * diagnosis.fit().nobs as f64 || names.len() == 1 {
        return Ok(found);
    }
    let mut found = Vec::new();
    for name in &names {
        found.extend(by(std::slice::from_ref(name))?.0);
    }
    let looked = names.len() as f64;
    found.iter_mut().for_each(|of| of.p_value = (looked * of.p_value).min(1.0));
    Ok(found)
}

/// What is measured of every row of a table: the names, and the columns.
pub(crate) fn measure(
    rows: &DesignRows<'_>,
    fit: &Fit,
    settings: &estimate::Options,
    table: &Table,
) -> Result<(Vec<String>, Vec<Vec<f64>>), Error> {
    let diagnosis = Diagnosis::new(rows, fit, settings)?;
    let columns = rows::collect(&diagnosis, rows.design(), table)?;
    Ok((diagnosis.row_columns().iter().map(|name| (*name).to_owned()).collect(), columns))
}

/// Where the rows of the lists stand.
fn places(rows: &DesignRows<'_>, influence: &Influence) -> Result<BTreeMap<u64, RowPlace>, Error> {
    let lists = [&influence.largest_residuals, &influence.largest_cooks_distances, &influence.largest_leverages];
    let mut numbers: Vec<u64> = lists.into_iter().flatten().map(|row| row.row).collect();
    numbers.sort_unstable();
    numbers.dedup();
    if numbers.is_empty() {
        return Ok(BTreeMap::new());
    }
    Ok(rows.places(&numbers)?.into_iter().map(|place| (place.row, place)).collect())
}

impl Diagnosed {
    /// The tests and measures.
    pub fn diagnostics(&self) -> &Diagnostics {
        &self.diagnostics
    }

    /// The fit that was looked at.
    pub fn fit(&self) -> &Fit {
        &self.fit
    }

    /// The parts of which the fit can be used in other ways: its design, its rows and their table, what is to be said of these.
    pub(crate) fn parts(&self) -> (&Design, Counts, &Table, &[Remark]) {
        (&self.design, self.counts, &self.table, &self.notes)
    }

    /// The table whose rows were looked at.
    pub fn table(&self) -> &Table {
        &self.table
    }

    /// The same, with someone who watches over the passes that charts and reports make, and may stop them.
    #[must_use]
    pub fn watched_by(&self, watch: Arc<dyn Watch>) -> Self {
        Diagnosed { table: self.table.clone().watched_by(watch), ..self.clone() }
    }

    /// Dependence over several rows, where it was asked for.
    pub fn serial(&self) -> Option<&Serial> {
        self.serial.as_ref()
    }

    /// What rows with a value of another column in common have.
    pub fn groupings(&self) -> &[Grouping] {
        &self.groupings
    }

    /// Whether the file of the rows that was asked for is there; where it could not be written, the diagnosis is whole all the same.
    ///
    /// # Errors
    /// Why it could not be written.
    pub fn written(&self) -> Result<(), Error> {
        self.unwritten.clone().map_or(Ok(()), |error| Err(Error::NotWritten(error)))
    }

    /// What to do about it, in sentences, the gravest first.
    pub fn advice(&self) -> Vec<Sentence> {
        advice(&self.findings())
    }

    /// What is to be said of the table's columns and of the fit.
    pub fn warnings(&self) -> Vec<Remark> {
        let warnings = self.fit.warnings.iter().map(Remark::from);
        self.notes.iter().cloned().chain(warnings).collect()
    }

    /// The findings with their numbers and what they mean.
    pub fn summary(&self) -> String {
        self.summary_in(&InRust)
    }

    /// The same, with settings as a front end writes them.
    pub fn summary_in(&self, wording: &dyn Wording) -> String {
        let serial = self.serial.as_ref().map(noisefit_report::diagnose::serial).unwrap_or_default();
        summary(&self.findings(), wording) + &serial
    }

    /// The findings as a table, a row for each.
    pub fn tidy(&self) -> Tidy {
        noisefit_report::diagnose::tidy(&self.findings())
    }

    fn findings(&self) -> Findings<'_> {
        Findings {
            model: specification(&self.design, Some(self.counts)),
            fit: &self.fit,
            diagnostics: &self.diagnostics,
            groupings: &self.groupings,
            places: self.places.iter().map(|(row, stands)| (*row, place(stands))).collect(),
            several_files: self.several_files,
        }
    }

    /// The JSON object, with settings as `wording` writes them; rows have the numbers of their records, from 1, and of several
    /// files `{"file", "record"}`.
    pub fn record<'a>(&'a self, wording: &dyn Wording) -> impl Serialize + use<'a> {
        let named = |value: Result<Value, serde_json::Error>| {
            let mut value = value.unwrap_or_default();
            name_rows(&mut value, &self.places, self.several_files);
            value
        };
        DiagnosisRecord {
            schema: "noisefit.diagnose/1",
            formula: self.design.formula().text(),
            scale_formula: self.design.formula().scale().map(ScaleFormula::text),
            noise: &self.fit.noise,
            dropped: self.counts.missing,
            zero_weight: self.counts.weightless,
            diagnostics: named(serde_json::to_value(&self.diagnostics)),
            serial: self.serial.as_ref(),
            groupings: &self.groupings,
            places: named(serde_json::to_value(self.places.values().collect::<Vec<_>>())),
            advice: self.advice().iter().map(|sentence| sentence.worded(wording)).collect(),
            warnings: self.warnings().iter().map(|warning| warning.worded(wording)).collect(),
        }
    }
}

/// The JSON object of a diagnosis.
#[derive(Serialize)]
struct DiagnosisRecord<'a> {
    schema: &'static str,
    formula: &'a str,
    scale_formula: Option<&'a str>,
    noise: &'a Noise,
    dropped: u64,
    zero_weight: u64,
    #[serde(flatten)]
    diagnostics: Value,
    /// Dependence over several rows, where it was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    serial: Option<&'a Serial>,
    /// What rows with a value of another column in common have.
    #[serde(skip_serializing_if = "<[Grouping]>::is_empty")]
    groupings: &'a [Grouping],
    /// Where the rows of the lists stand, with their values.
    places: Value,
    /// What to do about it, in sentences.
    advice: Vec<String>,
    warnings: Vec<String>,
}
