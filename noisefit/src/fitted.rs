//! A model that was fitted.

use std::path::Path;
use std::sync::Arc;

use noisefit_core::compare::Comparison;
use noisefit_core::estimate::Options;
use noisefit_core::inference::by_codes;
use noisefit_core::inference::diagnostics::Diagnosis;
use noisefit_core::inference::hypothesis::of_term;
use noisefit_core::inference::profile;
use noisefit_core::network::{Network, Plan};
use noisefit_core::record::{Coefficient, Confint, Counts, Fit, Topic, Warning};
use noisefit_core::training;
use noisefit_core::training::Trial;
use noisefit_core::wording::{Setting, Wording};
use noisefit_data::DataError;
use noisefit_data::formula::{Design, Scope};
use noisefit_data::model::FittedModel;
use noisefit_data::source::{DesignRows, SourceOptions};
use noisefit_data::write::FileIdentity;
use noisefit_report::compare::{likelihoods, verdict};
use noisefit_report::fit::Folded;
use noisefit_report::tidied;
use noisefit_report::tidy::Tidy;

use crate::diagnose::{DiagnoseOptions, Diagnosed, look};
use crate::error::Error;
use crate::overwriting::Read;
use crate::record::{self, Record};
use crate::refusal::{Refusal, WithEffects};
use crate::remark::Remark;
use crate::rows::specification;
use crate::table::Table;
use crate::train::record::record as record_of_trained;
use crate::with_sampling::WithSampling;

/// A summary shows the coefficients of so many levels of a category, and folds those of more.
pub const MOST_LEVELS_SHOWN: usize = 20;

/// A model that was fitted, or loaded.
///
/// It keeps a handle of the table it was fitted to, never its rows; what needs rows reads them again, and after loading is
/// given a table.
#[derive(Debug, Clone)]
pub struct Fitted {
    pub(crate) model: FittedModel,
    /// What messages call it.
    pub(crate) name: String,
    /// The file that it was loaded from.
    file: Option<FileIdentity>,
    table: Option<Table>,
    counts: Option<Counts>,
    origin: Origin,
    /// What is to be said of the table's columns.
    notes: Vec<Remark>,
    /// Why a file that goes with it could not be written.
    unwritten: Option<Arc<DataError>>,
    /// How it was estimated, for what estimates again; by default after loading.
    pub(crate) estimation: Options,
}

/// How a model came about.
#[derive(Debug, Clone)]
#[allow(clippy::large_enum_variant, reason = "there is one of them a fit")]
pub(crate) enum Origin {
    /// By an exact fit, of a noise that was perhaps found out.
    Exact { chosen_by: Option<Comparison> },
    /// By gradient steps.
    Trained {
        fitted: training::Fitted,
        plan: Plan,
        trials: Vec<Trial>,
        /// Of a linear model the coefficients of every member after every epoch, the intercept first.
        lines: Vec<Vec<Vec<f64>>>,
    },
    /// From a file.
    Loaded,
}

impl Fitted {
    pub(crate) fn new(model: FittedModel, table: &Table, counts: Counts, origin: Origin) -> Self {
        let (name, table, counts) = ("the model".to_owned(), Some(table.clone()), Some(counts));
        let (notes, estimation) = (Vec::new(), Options::default());
        Fitted { model, name, file: None, table, counts, origin, notes, unwritten: None, estimation }
    }

    pub(crate) fn with_notes(self, notes: Vec<Remark>) -> Self {
        Fitted { notes, ..self }
    }

    pub(crate) fn with_unwritten(self, unwritten: Option<Arc<DataError>>) -> Self {
        Fitted { unwritten, ..self }
    }

    pub(crate) fn estimated_by(self, estimation: Options) -> Self {
        Fitted { estimation, ..self }
    }

    /// Reads a model that [`Fitted::save`] wrote.
    ///
    /// # Errors
    /// A file that cannot be read, is no model, is damaged, or was written by a newer program.
    pub fn load(path: impl AsRef<Path>) -> Result<Self, Error> {
        let path = path.as_ref();
        let (model, name) = (FittedModel::load(path)?, path.display().to_string());
        let (file, notes, estimation) = (FileIdentity::of(path), Vec::new(), Options::default());
        let (table, counts, unwritten) = (None, None, None);
        Ok(Fitted { model, name, file, table, counts, origin: Origin::Loaded, notes, unwritten, estimation })
    }

    /// Whether the trace of a training that was asked for is there; where it could not be written, the model is whole all the same.
    ///
    /// # Errors
    /// Why it could not be written.
    pub fn written(&self) -> Result<(), Error> {
        self.unwritten.clone().map_or(Ok(()), |error| Err(Error::NotWritten(error)))
    }

    /// Writes the model as JSON, without data, beside `path`, and renames it, so that no half-written file is ever there.
    ///
    /// # Errors
    /// [`Refusal::OverwritesData`](crate::Refusal::OverwritesData); what the system reports.
    pub fn save(&self, path: impl AsRef<Path>) -> Result<(), Error> {
        let path = path.as_ref();
        if let Some(table) = &self.table {
            table.refuse_overwriting(&[(Setting::Output, Some(path))])?;
        }
        Ok(self.model.save(path)?)
    }

    /// The files that nothing is to be written over: that which it was loaded from, and those of the table that it was fitted to, or
    /// of one that is given.
    pub fn read(&self, table: Option<&Table>) -> Vec<Read> {
        let table = table.or(self.table.as_ref()).into_iter().flat_map(Table::read);
        self.file.iter().cloned().map(Read::Model).chain(table).collect()
    }

    /// The text that [`Fitted::save`] writes, on one line.
    ///
    /// # Errors
    /// A model that is no JSON.
    pub fn to_json(&self) -> Result<String, Error> {
        Ok(serde_json::to_string(&self.model)?)
    }

    /// The model that is a text of [`Fitted::to_json`].
    ///
    /// # Errors
    /// As [`Fitted::load`].
    pub fn from_json(text: &str) -> Result<Self, Error> {
        let name = "the model".to_owned();
        let model = FittedModel::from_json(text.as_bytes(), &name)?;
        let (notes, estimation) = (Vec::new(), Options::default());
        let (file, table, counts, unwritten) = (None, None, None, None);
        Ok(Fitted { model, name, file, table, counts, origin: Origin::Loaded, notes, unwritten, estimation })
    }

    /// Each of the exact fits as a model of its own: one, or one for each of several quantiles.
    ///
    /// ```
    /// use noisefit::{Model, Table};
    ///
    /// let table = Table::open("../testdata/engel.csv")?;
    /// let fitted = Model::new("foodexp ~ income").noise("quantile:0.1,0.9")?.fit(&table)?;
    /// let [low, high] = &fitted.apart()[..] else { panic!() };
    /// assert!(low.coef()?[1].estimate < high.coef()?[1].estimate);
    /// # Ok::<(), noisefit::Error>(())
    /// ```
    pub fn apart(&self) -> Vec<Fitted> {
        let alone = |fit: &Fit| {
            let mut alone = self.clone();
            alone.model.fits = vec![fit.clone()];
            alone.model.conformal = None;
            alone
        };
        match self.fits() {
            [_] => vec![self.clone()],
            fits => fits.iter().map(alone).collect(),
        }
    }

    pub(crate) fn origin(&self) -> &Origin {
        &self.origin
    }

    /// The table that it was fitted to; none after loading.
    pub fn table(&self) -> Option<&Table> {
        self.table.as_ref()
    }

    /// The rows that were met; none after loading.
    pub fn counts(&self) -> Option<Counts> {
        self.counts
    }

    /// The exact fits: one, or one for each of several quantiles; none of what was trained.
    pub fn fits(&self) -> &[Fit] {
        &self.model.fits
    }

    /// The one exact fit.
    ///
    /// # Errors
    /// [`Error::NoSingleFit`] where there are several, or where the model was trained.
    pub fn fit(&self) -> Result<&Fit, Error> {
        match self.fits() {
            [fit] => Ok(fit),
            _ => Err(Error::NoSingleFit),
        }
    }

    /// What was trained.
    pub fn network(&self) -> Option<&Network> {
        self.model.network.as_ref()
    }

    /// The model file's content: design, fits, network, conformal intervals.
    pub fn model(&self) -> &FittedModel {
        &self.model
    }

    /// The comparison by which the noise was chosen, with noise `auto`.
    pub fn chosen_by(&self) -> Option<&Comparison> {
        match &self.origin {
            Origin::Exact { chosen_by } => chosen_by.as_ref(),
            _ => None,
        }
    }

    /// The coefficients of the one exact fit, a row for each term: estimate, standard error, statistic, p-value, confidence
    /// interval.
    ///
    /// ```
    /// use noisefit::{Model, Table};
    ///
    /// let fitted = Model::new("foodexp ~ income").fit(&Table::open("../testdata/engel.csv")?)?;
    /// let slope = &fitted.coef()?[1];
    /// assert_eq!(slope.term, "income");
    /// assert!((slope.estimate.unwrap() - 0.48517842).abs() < 1e-8);
    /// # Ok::<(), noisefit::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::NoSingleFit`].
    pub fn coef(&self) -> Result<&[Coefficient], Error> {
        Ok(&self.fit()?.location.rows)
    }

    /// The standard errors of the coefficients; none of an aliased term.
    ///
    /// # Errors
    /// [`Error::NoSingleFit`].
    pub fn std_errors(&self) -> Result<Vec<Option<f64>>, Error> {
        Ok(self.coef()?.iter().map(|row| row.std_error).collect())
    }

    /// The covariance matrix of the coefficients, by rows; empty where there is no estimate of it.
    ///
    /// # Errors
    /// [`Error::NoSingleFit`].
    pub fn vcov(&self) -> Result<&[Vec<f64>], Error> {
        Ok(self.fit()?.vcov())
    }

    /// The ends of the confidence intervals of the coefficients at a level, by their standard errors.
    ///
    /// ```
    /// use noisefit::{Model, Table};
    ///
    /// let fitted = Model::new("foodexp ~ income").fit(&Table::open("../testdata/engel.csv")?)?;
    /// let (row, (low, high)) = (&fitted.coef()?[1], fitted.confint(0.95)?[1].unwrap());
    /// assert!((low - row.conf_low.unwrap()).abs() < 1e-12 && (high - row.conf_high.unwrap()).abs() < 1e-12);
    /// assert!(fitted.confint(0.5)?[1].unwrap().0 > low);
    /// # Ok::<(), noisefit::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::NoSingleFit`]; a level that is none.
    pub fn confint(&self, level: f64) -> Result<Vec<Option<(f64, f64)>>, Error> {
        Ok(self.fit()?.confint(level)?)
    }

    /// The complete log-likelihood of the one exact fit; none where it has no bound.
    ///
    /// # Errors
    /// [`Error::NoSingleFit`].
    pub fn log_likelihood(&self) -> Result<Option<f64>, Error> {
        Ok(self.fit()?.log_likelihood())
    }

    /// Whether the estimates, and the intervals that were asked for, are what was looked for, and not where something else stopped.
    pub fn converged(&self) -> bool {
        let members = self.network().map_or(&[][..], |network| &network.members);
        let calibrated = match &self.origin {
            Origin::Trained { fitted, .. } => !fitted.warnings.contains(&Warning::NotCalibrated),
            _ => true,
        };
        calibrated
            && self.fits().iter().all(|fit| fit.termination.converged)
            && members.iter().all(|member| member.termination.converged)
    }

    /// What a reader should know, each once; of several quantiles with the level.
    pub fn warnings(&self) -> Vec<Remark> {
        let mut all = self.notes.clone();
        match &self.origin {
            Origin::Trained { fitted, .. } => all.extend(fitted.warnings.iter().map(Remark::from)),
            _ => all.extend(warnings(self.fits())),
        }
        if self.chosen_by().is_some() && self.model.conformal.is_some() {
            let sentence =
                "the noise was chosen on all rows, those that calibrate among them; the promise of conformal \
                            intervals is for a noise that is named beforehand"
                    .into();
            all.push(Remark { topic: Topic::Calibration, sentence });
        }
        all
    }

    /// Why this noise, where it was found out.
    pub fn verdict(&self) -> Option<String> {
        self.chosen_by().map(verdict)
    }

    /// The summary for people. The levels of a category with more than [`MOST_LEVELS_SHOWN`] coefficients are one line of it, with the test
    /// that all of them are zero; [`Fitted::full_summary`] has a line for each.
    pub fn summary(&self) -> String {
        self.summary_with(&self.folded())
    }

    /// The summary for people, with a line for every coefficient.
    pub fn full_summary(&self) -> String {
        self.summary_with(&[])
    }

    /// The terms of so many levels that a summary has them on one line, with their tests.
    pub fn folded(&self) -> Vec<Folded> {
        let offset = usize::from(self.model.design.layout().intercept);
        let terms = self.model.design.terms_of_levels().into_iter();
        let many = terms.filter(|(_, columns)| columns.len() > MOST_LEVELS_SHOWN && !self.fits().is_empty());
        let folded = |(term, columns): (&str, std::ops::Range<usize>)| {
            let places = columns.start + offset..columns.end + offset;
            let all: Vec<usize> = places.clone().collect();
            let tests = self.fits().iter().map(|fit| of_term(fit, term, &all)).collect();
            Folded { term: term.to_owned(), places, tests }
        };
        many.map(folded).collect()
    }

    fn summary_with(&self, folded: &[Folded]) -> String {
        let FittedModel { design, fits, conformal, network, .. } = &self.model;
        let specification = specification(design, self.counts);
        match (&self.origin, network) {
            (Origin::Trained { fitted, plan, trials, .. }, _) => {
                noisefit_report::train::summary(&specification, fitted, (plan, trials), conformal.as_ref())
            }
            (_, Some(network)) => noisefit_report::train::loaded(&specification, network, conformal.as_ref()),
            (_, None) => {
                let evidence = self.chosen_by().map(|comparison| format!("\n{}", likelihoods(comparison, false)));
                let summary = noisefit_report::fit::summary(&specification, fits, conformal.as_ref(), folded);
                summary + &evidence.unwrap_or_default()
            }
        }
    }

    /// The coefficients as a table: a row for each term of the location, then of a modelled scale; of a line that was trained
    /// without errors.
    ///
    /// ```
    /// use noisefit::{Model, Table};
    ///
    /// let fitted = Model::new("foodexp ~ income").fit(&Table::open("../testdata/engel.csv")?)?;
    /// assert!(fitted.tidy()?.csv().starts_with("noise,part,term,estimate,std_error,"));
    /// # Ok::<(), noisefit::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::NoSingleFit`] for a network.
    pub fn tidy(&self) -> Result<Tidy, Error> {
        if !self.fits().is_empty() {
            return Ok(tidied::coefficients(self.fits()));
        }
        let names = self.model.design.layout().coefficient_names();
        let lines = self.network().and_then(Network::coefficients).ok_or(Error::NoSingleFit)?;
        let row = |(name, value): (&String, f64)| vec![name.as_str().into(), value.into()];
        let rows =
            lines.iter().flat_map(|line| names.iter().zip(line.numbers()).map(row).collect::<Vec<_>>()).collect();
        Ok(Tidy::new(vec!["term", "estimate"], rows))
    }

    /// The facts of the fit in one row, of several quantiles one for each.
    ///
    /// # Errors
    /// [`Error::NoSingleFit`] for what was trained.
    pub fn glance(&self) -> Result<Tidy, Error> {
        match self.fits() {
            [] => Err(Error::NoSingleFit),
            fits => Ok(tidied::glance(fits)),
        }
    }

    /// The JSON object, for serde to write, with settings as `wording` writes them; of exact fits with the covariance matrices of the coefficients where asked for, which
    /// grow as the square of their number.
    pub fn record(&self, vcov_matrix: bool, wording: &dyn Wording) -> Record<'_> {
        let worded =
            |sentences: &[Remark]| sentences.iter().map(|sentence| sentence.worded(wording)).collect::<Vec<_>>();
        let (model, counts) = (&self.model, self.counts);
        match &self.origin {
            Origin::Trained { fitted, plan, trials, .. } => Record::Trained(Box::new(record_of_trained(
                model,
                fitted,
                (plan, trials),
                counts,
                worded(&self.warnings()),
            ))),
            _ => Record::Exact(Box::new(record::Exact::new(
                model,
                counts,
                self.chosen_by(),
                worded(&self.notes),
                vcov_matrix,
                &self.folded(),
            ))),
        }
    }

    /// Looks at the exact fit on a table that it is to be of: the one that it was fitted to, or one that is given.
    ///
    /// # Errors
    /// [`Error::NoSingleFit`]; those of reading and of the tests.
    pub fn diagnose(&self, table: Option<&Table>, options: &DiagnoseOptions) -> Result<Diagnosed, Error> {
        self.without_effects("diagnose")?;
        self.without_sampling(WithSampling::Verb("diagnose"))?;
        let (fit, table) = (self.fit()?, self.table_or(table)?);
        table.refuse_overwriting(&[(Setting::Rows, options.rows.as_deref())])?;
        let settings = self.estimation_of(fit);
        table.reading(self.model.design.columns_needed(Scope::All), |table| {
            let rows = self.rows(table, SourceOptions::default())?;
            look(&Diagnosis::new(&rows, fit, &settings)?, &rows, table, options)
        })
    }

    /// Replaces the confidence intervals of the exact fits by those that a likelihood ratio test does not reject.
    ///
    /// # Errors
    /// A noise without a likelihood, and those of reading.
    pub fn profile_intervals(&mut self, table: Option<&Table>) -> Result<(), Error> {
        self.without_effects("profile")?;
        self.without_sampling(WithSampling::Profile)?;
        let known = self.model.design.columns_needed(Scope::All);
        self.model.fits = self.table_or(table)?.reading(known, |table| {
            let (mut fits, rows) = (self.model.fits.clone(), self.rows(table, SourceOptions::default())?);
            for fit in &mut fits {
                let settings = self.estimation_of(fit);
                profile::intervals(&rows, fit, &settings)?;
                fit.confint = Confint::Profile;
            }
            Ok(fits)
        })?;
        Ok(())
    }

    /// The design with its largest category as codes, and the fits that go with it, where these are known by the levels of that category: rows
    /// are predicted the sooner by them.
    pub(crate) fn by_codes(&self) -> Option<(Design, Vec<Fit>)> {
        let (design, category) = self.model.design.by_codes().filter(|_| self.model.conformal.is_none())?;
        let fits = self.fits().iter().map(|fit| by_codes(fit, category)).collect::<Option<Vec<_>>>()?;
        (!fits.is_empty()).then_some((design, fits))
    }

    /// Refuses what is not known beside absorbed effects.
    pub(crate) fn without_effects(&self, what: impl Into<WithEffects>) -> Result<(), Refusal> {
        what.into().refused(self.model.design.layout().effects.first().map(|effect| effect.name.as_str()))
    }

    /// Refuses what does not go with sampling weights.
    pub(crate) fn without_sampling(&self, what: WithSampling) -> Result<(), Refusal> {
        match self.model.design.sampling_weights() {
            Some(_) => Err(Refusal::WithSampling { what }),
            None => Ok(()),
        }
    }

    /// How one of the fits was estimated.
    pub(crate) fn estimation_of(&self, fit: &Fit) -> Options {
        Options { level: fit.level, ..self.estimation.clone() }
    }

    /// A table that is given, or that of the fit.
    pub(crate) fn table_or<'a>(&'a self, table: Option<&'a Table>) -> Result<&'a Table, Error> {
        table.or(self.table.as_ref()).ok_or(Error::NoTable)
    }

    /// The rows of a table as the design of the model sees them.
    pub(crate) fn rows<'a>(&self, table: &'a Table, options: SourceOptions) -> Result<DesignRows<'a>, Error> {
        table.rows(&self.model.design, options)
    }
}

/// What the fits warn of, each once; of several quantiles with the level.
pub(crate) fn warnings(fits: &[Fit]) -> Vec<Remark> {
    let mut all: Vec<Remark> = Vec::new();
    for fit in fits {
        for warning in &fit.warnings {
            let shared = fits.iter().all(|other| other.warnings.contains(warning));
            let sentence = if shared { warning.to_string() } else { format!("{}: {warning}", fit.noise) };
            let remark = Remark { topic: warning.topic(), sentence: sentence.into() };
            if !all.contains(&remark) {
                all.push(remark);
            }
        }
    }
    all
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use noisefit_core::estimate::closed_form;
    use noisefit_core::record::{Shortfall, Warning};
    use noisefit_core::rows::{Matrix, MemoryRows};

    #[test]
    fn what_the_fits_warn_of_is_said_once() {
        let rows = MemoryRows::new(&[1.0, 3.0, 2.0], Matrix::row_major(&[1.0, 2.0, 3.0], 3, 1).unwrap()).unwrap();
        let fit = closed_form::fit(&rows, &Options::default()).unwrap();
        let mut stopped = fit.clone();
        let said = "not converged after 50 turns between location and scale";
        stopped.warnings.push(Warning::NotConverged(Shortfall::Turns { turns: 50 }));
        assert!(warnings(std::slice::from_ref(&fit)).is_empty());
        let fits = [fit, stopped];
        // Of several fits, which.
        let sentences = |fits: &[Fit]| warnings(fits).into_iter().map(|remark| remark.to_string()).collect::<Vec<_>>();
        assert_eq!(sentences(&fits), [format!("gaussian: {said}")]);
        assert_eq!(sentences(&fits[1..]), [said]);
    }
}
