//! Noise models side by side.

use std::collections::BTreeMap;
use std::sync::Arc;

use noisefit_core::compare::{self, Candidate, Candidates, Comparison};
use noisefit_core::estimate;
use noisefit_core::record::{Counts, Fit, LikelihoodOf};
use noisefit_core::rows::Order;
use noisefit_core::wording::{Setting, Wording};
use noisefit_data::formula::{Design, Formula, ScaleFormula};
use noisefit_data::source::{DesignRows, RowPlace};
use noisefit_report::compare::Found;
use noisefit_report::tidy::Tidy;
use serde::Serialize;
use serde_json::Value;

use crate::candidates;
use crate::error::Error;
use crate::fit::{Source, beyond_the_response};
use crate::fitted::Fitted;
use crate::model::{Model, NoiseChoice, Scale};
use crate::refusal::Refusal;
use crate::remark::Remark;
use crate::rows::{explain, name_rows, notes, place, specification};
use crate::table::Table;
use crate::watch::Watch;
use crate::with_sampling::WithSampling;

/// What a comparison sets side by side, and how it scores.
#[derive(Debug, Clone, PartialEq)]
pub struct CompareOptions {
    /// The models; all families unless given, and two of them with a modelled scale.
    pub noise: Option<Candidates>,
    /// Parts of the cross-validation, each predicted from the others; 0 for none.
    pub folds: usize,
    /// Which rows stay together in a part; each by itself unless given.
    pub together: Option<Together>,
}

/// Rows that stay together in a part of a cross-validation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Together {
    /// Those of a group, by the values of this column: firms, patients.
    By(String),
    /// Those of a block of time, by this column of numbers, dates or times: each part is a block.
    Time(String),
}

impl Together {
    /// The column, and the setting that names it.
    fn column(&self) -> (Setting, &String) {
        match self {
            Together::By(column) => (Setting::FoldsBy, column),
            Together::Time(column) => (Setting::FoldsTime, column),
        }
    }

    /// Refuses a column that the table does not have, or a time that is none.
    pub(crate) fn check(&self, table: &Table) -> Result<(), Error> {
        let (setting, name) = self.column();
        let Some(field) = table.columns().iter().find(|field| field.name == *name) else {
            return Err(Error::NoColumn { setting, name: name.clone(), files: None, columns: table.names() });
        };
        match setting == Setting::FoldsTime && field.kind.is_category() {
            true => Err(Refusal::NotATime { column: name.clone() }.into()),
            false => Ok(()),
        }
    }

    /// The formula of rows that read the column, too.
    pub(crate) fn read_by(&self, formula: Formula) -> Formula {
        formula.with_clusters(std::slice::from_ref(self.column().1))
    }

    /// How groups come to their parts.
    pub(crate) fn order(&self, seed: u64) -> Order {
        match self {
            Together::By(_) => Order::Random { seed },
            Together::Time(_) => Order::Ascending,
        }
    }
}

impl Default for CompareOptions {
    fn default() -> Self {
        CompareOptions { noise: None, folds: 5, together: None }
    }
}

/// Noise models side by side on one table.
#[derive(Debug, Clone)]
pub struct Compared {
    comparison: Comparison,
    design: Design,
    counts: Counts,
    places: BTreeMap<u64, RowPlace>,
    /// Whether rows are of several files.
    several_files: bool,
    /// What is to be said of the table's columns.
    notes: Vec<Remark>,
    /// What was compared on which table, for whoever goes on from it.
    model: Model,
    table: Table,
}

impl Model {
    /// Fits the formula under several noise models, scores them out of sample and says which the data prefer. The model's own
    /// noise is of no matter.
    ///
    /// ```
    /// use noisefit::{CompareOptions, Model, Table};
    ///
    /// let table = Table::open("../testdata/phones.csv")?;
    /// let compared = Model::new("calls ~ year").compare(&table, &CompareOptions::default())?;
    /// assert_eq!(compared.preferred().map(|model| model.to_string()).as_deref(), Some("student-t"));
    /// # Ok::<(), noisefit::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`Model::fit`]'s.
    pub fn compare(&self, table: &Table, options: &CompareOptions) -> Result<Compared, Error> {
        table.reading(&[], |table| self.compare_once(table, options))
    }

    fn compare_once(&self, table: &Table, options: &CompareOptions) -> Result<Compared, Error> {
        let (rows, comparison) = self.compare_rows(table, options, &|formula| self.rows(formula, table))?;
        let places = places(&rows, &comparison)?;
        let (design, counts, notes) = (rows.design().clone(), rows.counts(), notes(&rows, table));
        let several_files = table.dataset().is_in_parts();
        let (model, table) = (self.clone(), table.clone());
        Ok(Compared { comparison, design, counts, places, several_files, notes, model, table })
    }

    /// Compares on rows of a table, as `source` gives them for a formula.
    pub(crate) fn compare_rows<'a>(
        &self,
        table: &Table,
        options: &CompareOptions,
        source: &Source<'_, 'a>,
    ) -> Result<(DesignRows<'a>, Comparison), Error> {
        let (candidates, formula) = candidates::of(self, options.noise.as_ref())?;
        let rows = source(&options.formula(formula, table)?)?;
        let candidates = candidates::fitting(candidates, self, &rows);
        let options = options.of_core(self);
        claimed(rows, &candidates, &options, table)
    }
}

impl CompareOptions {
    /// The formula with the column that parts are made by.
    pub(crate) fn formula(&self, formula: Formula, table: &Table) -> Result<Formula, Error> {
        match &self.together {
            None => Ok(formula),
            Some(together) => {
                together.check(table)?;
                Ok(together.read_by(formula))
            }
        }
    }

    /// How models of a formula are compared.
    pub(crate) fn of_core(&self, model: &Model) -> compare::Options {
        let fit = estimate::Options { seed: model.seed, ..model.estimation() };
        let groups = self.together.as_ref().map(|together| (0, together.order(model.seed)));
        compare::Options { folds: self.folds, groups, fit }
    }
}

impl Fitted {
    /// Sets several noise models of the fit's formula side by side, with its weights and frequencies, over the table that it was
    /// fitted to or one that is given.
    ///
    /// ```
    /// use noisefit::{CompareOptions, Model, Table};
    ///
    /// let fitted = Model::new("calls ~ year").fit(&Table::open("../testdata/phones.csv")?)?;
    /// let compared = fitted.compare(None, &CompareOptions::default())?;
    /// assert_eq!(compared.preferred().map(|model| model.to_string()).as_deref(), Some("student-t"));
    /// # Ok::<(), noisefit::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::NoTable`] after loading without a table; as [`Model::compare`].
    pub fn compare(&self, table: Option<&Table>, options: &CompareOptions) -> Result<Compared, Error> {
        self.without_sampling(WithSampling::Verb("compare"))?;
        let design = &self.model.design;
        let formula = design.formula();
        let estimate::Options { settings, collinear, seed, .. } = self.estimation.clone();
        let model = Model {
            scale: formula.scale().map(|scale| Scale::Formula(scale.text().to_owned())),
            weights: design.weights().map(|weights| weights.text().to_owned()),
            frequencies: design.frequencies().map(|frequencies| frequencies.text().to_owned()),
            collinear,
            digits: settings.digits,
            seed,
            ..Model::new(formula.text())
        };
        model.compare(self.table_or(table)?, options)
    }
}

/// The comparison, whose likelihoods are those of a transformed response where the noise of one of the models reaches beyond the values
/// that it can have.
pub(crate) fn claimed<'a>(
    rows: DesignRows<'a>,
    candidates: &[Candidate],
    options: &compare::Options,
    table: &Table,
) -> Result<(DesignRows<'a>, Comparison), Error> {
    let compared = |rows: &DesignRows<'_>| {
        let comparison = compare::compare(rows, candidates, options);
        comparison.map_err(|error| explain(error, rows.counts(), table))
    };
    let comparison = compared(&rows)?;
    let fits: Vec<&Fit> = comparison.models.iter().filter_map(|entry| entry.fit.as_ref()).collect();
    match beyond_the_response(&rows, &fits)? {
        None => Ok((rows, comparison)),
        Some((most, _)) => {
            let rows = rows.with_likelihood_of(LikelihoodOf::Beyond(most));
            let comparison = compared(&rows)?;
            Ok((rows, comparison))
        }
    }
}

/// Where the outlying rows stand.
fn places(rows: &DesignRows<'_>, comparison: &Comparison) -> Result<BTreeMap<u64, RowPlace>, Error> {
    let outliers = comparison.advice.as_ref().and_then(|advice| advice.outliers.as_ref());
    let mut numbers: Vec<u64> = outliers.iter().flat_map(|outliers| &outliers.rows).map(|row| row.row).collect();
    numbers.sort_unstable();
    let places = if numbers.is_empty() { Vec::new() } else { rows.places(&numbers)? };
    Ok(places.into_iter().map(|place| (place.row, place)).collect())
}

impl Compared {
    /// What was found.
    pub fn comparison(&self) -> &Comparison {
        &self.comparison
    }

    pub(crate) fn design(&self) -> &Design {
        &self.design
    }

    pub(crate) fn counts(&self) -> Counts {
        self.counts
    }

    /// The table whose rows were compared.
    pub fn table(&self) -> &Table {
        &self.table
    }

    /// The same, with someone who watches over the passes that charts and reports make, and may stop them.
    #[must_use]
    pub fn watched_by(&self, watch: Arc<dyn Watch>) -> Self {
        Compared { table: self.table.clone().watched_by(watch), ..self.clone() }
    }

    /// Fits the model that the data prefer, where one can be.
    ///
    /// # Errors
    /// As [`Model::fit`]'s.
    pub fn fit(&self) -> Result<Option<Fitted>, Error> {
        let Some(preferred) = self.preferred() else { return Ok(None) };
        let scale = self.scale_formula().filter(|_| preferred.models_scale);
        let model = Model {
            noise: NoiseChoice::Named(preferred.noise.into()),
            scale: scale.map(|scale| Scale::Formula(format!("~ {scale}"))),
            ..self.model.clone()
        };
        model.fit(&self.table).map(Some)
    }

    /// The model that the data prefer, where one can be.
    pub fn preferred(&self) -> Option<&Candidate> {
        self.comparison.preferred().map(|entry| &entry.candidate)
    }

    /// The formula of the scale that models with `+scale` have.
    pub fn scale_formula(&self) -> Option<&ScaleFormula> {
        self.design.formula().scale()
    }

    /// What is to be said of the table's columns and of the comparison.
    pub fn warnings(&self) -> Vec<Remark> {
        let warnings = self.comparison.warnings.iter().map(Remark::from);
        self.notes.iter().cloned().chain(warnings).collect()
    }

    /// The tables and the advice, with settings as `wording` writes them; `next` is what whoever reads this does to fit the
    /// preferred model, `times` adds how long each fit took.
    pub fn summary(&self, next: Option<&str>, times: bool, wording: &dyn Wording) -> String {
        let rows: Vec<_> = self.places.values().map(place).collect();
        let found = Found { comparison: &self.comparison, outlying_rows: &rows, next };
        noisefit_report::compare::summary(&specification(&self.design, Some(self.counts)), &found, times, wording)
    }

    /// The models as a table, a row for each.
    pub fn tidy(&self) -> Tidy {
        noisefit_report::tidied::comparison(&self.comparison)
    }

    /// The JSON object, with settings as `wording` writes them; rows have the numbers of their records, from 1, and of several
    /// files `{"file", "record"}`. With `times` it has how long each fit took, and differs from run to run.
    pub fn record<'a>(&'a self, next: Option<&'a str>, times: bool, wording: &dyn Wording) -> impl Serialize + use<'a> {
        let mut comparison = serde_json::to_value(&self.comparison).unwrap_or_default();
        if let (false, Some(models)) = (times, comparison["models"].as_array_mut()) {
            models.iter_mut().filter_map(Value::as_object_mut).for_each(|model| drop(model.shift_remove("seconds")));
        }
        comparison["warnings"] = self.warnings().iter().map(|warning| warning.worded(wording)).collect();
        let mut outlying_rows = serde_json::to_value(self.places.values().collect::<Vec<_>>()).unwrap_or_default();
        for value in [&mut comparison, &mut outlying_rows] {
            name_rows(value, &self.places, self.several_files);
        }
        ComparisonRecord {
            schema: "noisefit.compare/1",
            formula: self.design.formula().text(),
            scale_formula: self.design.formula().scale().map(ScaleFormula::text),
            dropped: self.counts.missing,
            zero_weight: self.counts.weightless,
            response_jacobian: self.design.has_jacobian(),
            comparison,
            outlying_rows,
            next,
        }
    }
}

/// The JSON object of a comparison.
#[derive(Serialize)]
struct ComparisonRecord<'a> {
    schema: &'static str,
    formula: &'a str,
    /// The formula of a modelled scale, where a model has one.
    scale_formula: Option<&'a str>,
    /// Rows left out because a value is missing.
    dropped: u64,
    /// Rows left out because their weight is zero.
    zero_weight: u64,
    /// Whether the log-likelihoods contain the Jacobian of a transformed response.
    response_jacobian: bool,
    #[serde(flatten)]
    comparison: Value,
    /// Where the outlying rows of the advice stand.
    outlying_rows: Value,
    /// What to do to fit the preferred model.
    next: Option<&'a str>,
}
