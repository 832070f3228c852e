//! The likelihood and the loss along one coefficient.

use noisefit_core::estimate;
use noisefit_core::inference::covariance::Vcov;
use noisefit_core::inference::profile::{self, Curve};
use noisefit_core::inference::{self, Options};
use noisefit_core::record::{Fit, Topic};
use noisefit_core::wording::Wording;
use noisefit_data::formula::Scope;
use noisefit_data::source::{DesignRows, SourceOptions};
use serde::Serialize;

use crate::error::Error;
use crate::fitted::Fitted;
use crate::model::Model;
use crate::refusal::Refusal;
use crate::remark::Remark;
use crate::rows::{explain, notes};
use crate::table::Table;
use crate::with_sampling::WithSampling;

/// Which coefficient is varied, and how.
#[derive(Debug, Clone, PartialEq)]
pub struct ProfileOptions {
    /// The term, named as the table of a fit has it.
    pub term: String,
    /// The number of values, 2 or more.
    pub points: u32,
    /// The least and the largest value; four standard errors about the estimate unless given.
    pub range: Option<(f64, f64)>,
    /// Whether the other parameters are fitted again at every value, instead of staying where they are.
    pub reoptimised: bool,
}

impl ProfileOptions {
    /// 101 values about the estimate of a term, the other parameters as they are.
    pub fn of(term: impl Into<String>) -> Self {
        ProfileOptions { term: term.into(), points: 101, range: None, reoptimised: false }
    }
}

/// A curve, and what is to be seen on it.
#[derive(Debug)]
pub struct Profiled {
    /// The formula.
    formula: String,
    fit: Fit,
    curve: Curve,
    level: f64,
    ends: (Option<f64>, Option<f64>),
    /// What is to be said of the table's columns.
    notes: Vec<Remark>,
    warnings: Vec<Remark>,
}

impl Model {
    /// Fits the model and follows its likelihood along one coefficient.
    ///
    /// ```
    /// use noisefit::{Model, ProfileOptions, Table};
    ///
    /// let table = Table::open("../testdata/engel.csv")?;
    /// let profiled = Model::new("foodexp ~ income").profile(&table, &ProfileOptions::of("income"))?;
    /// let (low, high) = profiled.interval();
    /// assert!(low.unwrap() < 0.485 && 0.486 < high.unwrap());
    /// # Ok::<(), noisefit::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`Model::fit`]'s; [`Refusal::ProfileOfQuantiles`]; [`Refusal::NoRange`]; a term that the fit does not have.
    pub fn profile(&self, table: &Table, options: &ProfileOptions) -> Result<Profiled, Error> {
        table.reading(&[], |table| self.profile_once(table, options))
    }

    fn profile_once(&self, table: &Table, options: &ProfileOptions) -> Result<Profiled, Error> {
        let noise = self.choice()?;
        self.without_effects("profile")?;
        self.without_sampling(WithSampling::Verb("profile"))?;
        let formula = self.full_formula()?;
        let rows = self.rows(&formula, table)?;
        let estimate::Options { settings, collinear, seed, .. } = self.estimation();
        let small_sample = self.small_sample;
        let settings = Options { level: self.level, settings, collinear, vcov: Vcov::CLASSICAL, small_sample, seed };
        let mut fits =
            inference::fit(&rows, &noise, &settings).map_err(|error| explain(error, rows.counts(), table))?;
        let (Some(fit), true) = (fits.pop(), fits.is_empty()) else {
            return Err(Refusal::ProfileOfQuantiles { noise: noise.to_string() }.into());
        };
        follow(&rows, fit, &settings.estimation(), options, table)
    }
}

impl Fitted {
    /// Follows the likelihood of the exact fit along one coefficient, over the table that it was fitted to or one that is given; at
    /// the fit's own level.
    ///
    /// ```
    /// use noisefit::{Model, ProfileOptions, Table};
    ///
    /// let table = Table::open("../testdata/engel.csv")?;
    /// let (model, options) = (Model::new("foodexp ~ income"), ProfileOptions::of("income"));
    /// let profiled = model.fit(&table)?.profile(None, &options)?;
    /// assert_eq!(profiled.interval(), model.profile(&table, &options)?.interval());
    /// # Ok::<(), noisefit::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::NoSingleFit`]; [`Error::NoTable`] after loading; [`Refusal::ProfileOfQuantiles`]; [`Refusal::NoRange`]; a term that the
    /// fit does not have; those of reading.
    pub fn profile(&self, table: Option<&Table>, options: &ProfileOptions) -> Result<Profiled, Error> {
        self.without_effects("profile")?;
        self.without_sampling(WithSampling::Verb("profile"))?;
        let (fit, table) = (self.fit()?, self.table_or(table)?);
        let settings = self.estimation_of(fit);
        table.reading(self.model.design.columns_needed(Scope::All), |table| {
            let rows = self.rows(table, SourceOptions::default())?;
            follow(&rows, fit.clone(), &settings, options, table)
        })
    }
}

/// The curve of a fit to rows, and the ends of the interval at its level.
fn follow(
    rows: &DesignRows<'_>,
    fit: Fit,
    settings: &estimate::Options,
    options: &ProfileOptions,
    table: &Table,
) -> Result<Profiled, Error> {
    let grid = options.grid(&fit)?;
    let curve = profile::curve(rows, &fit, &options.term, &grid, options.reoptimised, settings)?;
    let mut warnings: Vec<Remark> = fit.warnings.iter().map(Remark::from).collect();
    let level = settings.level;
    let ends = match profile::term_interval(rows, &fit, &options.term, level, settings) {
        Ok(ends) => ends,
        Err(error @ noisefit_core::Error::Unsupported(_)) => {
            warnings.push(Remark { topic: Topic::Likelihood, sentence: error.to_string().into() });
            (None, None)
        }
        Err(error) => return Err(error.into()),
    };
    let formula = rows.design().formula().text().to_owned();
    let notes = notes(rows, table);
    Ok(Profiled { formula, fit, curve, level, ends, notes, warnings })
}

impl ProfileOptions {
    /// The values of the coefficient: those of the range, or such as reach four standard errors to both sides of the estimate,
    /// which is then one of them where their number is odd.
    fn grid(&self, fit: &Fit) -> Result<Vec<f64>, Refusal> {
        let count = self.points.max(2);
        let spread = |low: f64, high: f64, i: u32| {
            let share = f64::from(i) / f64::from(count - 1);
            low * (1.0 - share) + high * share
        };
        if let Some((low, high)) = self.range {
            return Ok((0..count).map(|i| spread(low, high, i)).collect());
        }
        let row = fit.location.rows.iter().find(|row| row.term == self.term);
        // A term that is not there, or not determined, is what the curve itself refuses.
        let Some((estimate, row)) = row.and_then(|row| Some((row.estimate?, row))) else { return Ok(vec![0.0]) };
        let Some(error) = row.std_error.filter(|error| *error > 0.0) else {
            return Err(Refusal::NoRange { term: row.term.clone() });
        };
        Ok((0..count).map(|i| estimate + spread(-4.0 * error, 4.0 * error, i)).collect())
    }
}

impl Profiled {
    pub(crate) fn formula(&self) -> &str {
        &self.formula
    }

    /// The curve.
    pub fn curve(&self) -> &Curve {
        &self.curve
    }

    /// The fit whose likelihood is followed.
    pub fn fit(&self) -> &Fit {
        &self.fit
    }

    /// The ends of the profile-likelihood interval; none where it is open.
    pub fn interval(&self) -> (Option<f64>, Option<f64>) {
        self.ends
    }

    /// What is to be said of the table's columns and of the curve.
    pub fn warnings(&self) -> Vec<Remark> {
        [self.notes.clone(), self.warnings.clone()].concat()
    }

    /// What is to be seen on the curve.
    pub fn summary(&self) -> String {
        noisefit_report::profile::summary(&noisefit_report::profile::Profile {
            noise: self.fit.noise,
            level: self.level,
            conf_low: self.ends.0,
            conf_high: self.ends.1,
            nll: self.fit.log_likelihood().map(|value| -value),
            curve: &self.curve,
        })
    }

    /// The JSON object, with settings as `wording` writes them.
    pub fn record<'a>(&'a self, wording: &dyn Wording) -> impl Serialize + use<'a> {
        ProfileRecord {
            schema: "noisefit.profile/1",
            formula: &self.formula,
            noise: self.fit.noise,
            level: self.level,
            conf_low: self.ends.0,
            conf_high: self.ends.1,
            nll: self.fit.log_likelihood().map(|value| -value),
            curve: &self.curve,
            warnings: self.warnings().iter().map(|warning| warning.worded(wording)).collect(),
        }
    }
}

/// The JSON object of a curve.
#[derive(Serialize)]
struct ProfileRecord<'a> {
    schema: &'static str,
    formula: &'a str,
    noise: noisefit_core::noise::Noise,
    level: f64,
    /// The ends of the profile-likelihood interval; absent where it is open.
    conf_low: Option<f64>,
    conf_high: Option<f64>,
    /// The negative log-likelihood of the fit.
    nll: Option<f64>,
    #[serde(flatten)]
    curve: &'a Curve,
    warnings: Vec<String>,
}
