//! Noise models side by side.

use noisefit_core::compare::{self, Candidate, Candidates, Comparison};
use noisefit_core::record::Counts;
use noisefit_core::wording::{Sentence, Wording};
use noisefit_data::formula::{Design, ScaleFormula};
use noisefit_data::source::{DesignRows, RowPlace};
use noisefit_report::compare::Found;
use serde::Serialize;

use crate::candidates;
use crate::error::Error;
use crate::fitted::Fitted;
use crate::model::{Model, NoiseChoice, Scale};
use crate::rows::{explain, look_alikes, place, specification};
use crate::table::Table;

/// What a comparison sets side by side, and how it scores.
#[derive(Debug, Clone, PartialEq)]
pub struct CompareOptions {
    /// The models; all families unless given, and two of them with a modelled scale.
    pub noise: Option<Candidates>,
    /// Parts of the cross-validation, each predicted from the others; 0 for none.
    pub folds: usize,
}

impl Default for CompareOptions {
    fn default() -> Self {
        CompareOptions { noise: None, folds: 5 }
    }
}

/// Noise models side by side on one table.
#[derive(Debug)]
pub struct Compared {
    comparison: Comparison,
    design: Design,
    counts: Counts,
    places: Vec<RowPlace>,
    /// What is to be said of the table's columns.
    notes: Vec<Sentence>,
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
        let (candidates, formula) = candidates::of(self, options.noise.as_ref())?;
        let rows = self.rows(&formula, table)?;
        let candidates = candidates::fitting(candidates, self, &rows);
        let mut options = compare::Options { folds: options.folds, fit: self.estimation() };
        options.fit.seed = self.seed;
        let comparison = compare::compare(&rows, &candidates, &options);
        let comparison = comparison.map_err(|error| explain(error, rows.counts(), table))?;
        let places = places(&rows, &comparison)?;
        let (design, counts, notes) = (rows.design().clone(), rows.counts(), look_alikes(rows.design(), table));
        let (model, table) = (self.clone(), table.clone());
        Ok(Compared { comparison, design, counts, places, notes, model, table })
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
        let design = &self.model.design;
        let formula = design.formula();
        let model = Model {
            scale: formula.scale().map(|scale| Scale::Formula(scale.text().to_owned())),
            weights: design.weights().map(|weights| weights.text().to_owned()),
            frequencies: design.frequencies().map(|frequencies| frequencies.text().to_owned()),
            ..Model::new(formula.text())
        };
        model.compare(self.table_or(table)?, options)
    }
}

/// Where the outlying rows stand.
fn places(rows: &DesignRows<'_>, comparison: &Comparison) -> Result<Vec<RowPlace>, Error> {
    let outliers = comparison.advice.as_ref().and_then(|advice| advice.outliers.as_ref());
    let mut numbers: Vec<u64> = outliers.iter().flat_map(|outliers| &outliers.rows).map(|row| row.row).collect();
    numbers.sort_unstable();
    Ok(if numbers.is_empty() { Vec::new() } else { rows.places(&numbers)? })
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

    pub(crate) fn table(&self) -> &Table {
        &self.table
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
    pub fn warnings(&self) -> Vec<Sentence> {
        let warnings = self.comparison.warnings.iter().map(|warning| warning.to_string().into());
        self.notes.iter().cloned().chain(warnings).collect()
    }

    /// The tables and the advice, with settings as `wording` writes them; `next` is what whoever reads this does to fit the
    /// preferred model, `times` adds how long each fit took.
    pub fn summary(&self, next: Option<&str>, times: bool, wording: &dyn Wording) -> String {
        let rows: Vec<_> = self.places.iter().map(place).collect();
        let found = Found { comparison: &self.comparison, outlying_rows: &rows, next };
        noisefit_report::compare::summary(&specification(&self.design, Some(self.counts)), &found, times, wording)
    }

    /// The JSON object.
    pub fn record<'a>(&'a self, next: Option<&'a str>) -> impl Serialize + use<'a> {
        ComparisonRecord {
            schema: "noisefit.compare/1",
            formula: self.design.formula().text(),
            scale_formula: self.design.formula().scale().map(ScaleFormula::text),
            dropped: self.counts.missing,
            zero_weight: self.counts.weightless,
            response_jacobian: self.design.transforms_response(),
            comparison: &self.comparison,
            outlying_rows: &self.places,
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
    comparison: &'a Comparison,
    /// Where the outlying rows of the advice stand.
    outlying_rows: &'a [RowPlace],
    /// What to do to fit the preferred model.
    next: Option<&'a str>,
}
