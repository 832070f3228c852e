//! A model that was fitted.

use std::path::PathBuf;

use noisefit::data::formula::{Undefined, Unseen};
use noisefit::data::source::Missing;
use noisefit::{Back, Error, EvaluateOptions, ExportOptions, Interval, Keep, PredictOptions, Read, TestMethod, parse};
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::errors::{Keywords, raised, usage};
use crate::found::{Columns, Found, columns, said, with_unwritten};
use crate::model::set;
use crate::options::{
    compare_options, diagnose_options, effects_options, of_comparison, of_diagnosis, of_profile, profile_options,
    test_options,
};
use crate::record::json;
use crate::settings::Settings;
use crate::shown::{Chart, Place, chart_options, form, shown};
use crate::table::{Table, watched};
use crate::work::apart;

/// A fitted model; the class that users see holds it.
#[pyclass(frozen, module = "noisefit._noisefit")]
pub(crate) struct Fitted {
    pub(crate) inner: noisefit::Fitted,
}

#[pymethods]
impl Fitted {
    /// Reads a model file.
    #[staticmethod]
    fn load(py: Python<'_>, path: PathBuf) -> PyResult<Self> {
        Ok(Fitted { inner: apart(py, None, |_| noisefit::Fitted::load(&path))? })
    }

    /// The model that is some JSON.
    #[staticmethod]
    fn from_json(py: Python<'_>, text: &str) -> PyResult<Self> {
        Ok(Fitted { inner: apart(py, None, |_| noisefit::Fitted::from_json(text))? })
    }

    /// The model as JSON, without data.
    fn to_json(&self, py: Python<'_>) -> PyResult<String> {
        self.inner.to_json().map_err(|error| raised(py, &error))
    }

    /// Writes a model file.
    fn save(&self, py: Python<'_>, path: PathBuf) -> PyResult<()> {
        if let Some(table) = self.inner.table() {
            let outputs = [(noisefit::Setting::Output, Some(path.as_path()))];
            table.refuse_overwriting(&outputs).map_err(|error| raised(py, &error))?;
        }
        self.inner.save(path).map_err(|error| raised(py, &error))
    }

    /// The record as JSON, with the covariance matrices.
    fn record(&self, py: Python<'_>) -> PyResult<String> {
        json(py, &self.inner.record(true, &Keywords))
    }

    /// The summary for people, with a line for every coefficient or those of many levels in one.
    fn summary(&self, all_terms: bool) -> String {
        if all_terms { self.inner.full_summary() } else { self.inner.summary() }
    }

    /// What a reader should know, as pairs of what it is about and the sentence.
    fn warnings(&self) -> Vec<(String, String)> {
        said(&with_unwritten(self.inner.warnings(), self.inner.written()))
    }

    /// Why this noise, where it was found out.
    fn verdict(&self) -> Option<String> {
        self.inner.verdict()
    }

    /// Whether the estimates are what was looked for.
    fn converged(&self) -> bool {
        self.inner.converged()
    }

    /// Whether something was trained.
    fn is_trained(&self) -> bool {
        self.inner.network().is_some()
    }

    /// Each of several quantiles as a model of its own.
    fn apart(&self) -> Vec<Fitted> {
        self.inner.apart().into_iter().map(|inner| Fitted { inner }).collect()
    }

    /// The ends of the confidence intervals, by the standard errors.
    fn conf_int(&self, py: Python<'_>, level: f64) -> PyResult<Vec<Option<(f64, f64)>>> {
        self.inner.confint(level).map_err(|error| raised(py, &error))
    }

    /// Predicts rows.
    fn predict<'py>(
        &self,
        py: Python<'py>,
        table: &Table,
        settings: &Bound<'py, PyDict>,
        progress: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<(Columns<'py>, Vec<(String, String)>)> {
        let options = self.predict_options(py, settings)?;
        let predicted = self.worked(py, Some(table), progress, |fitted, table| fitted.predict(table, &options))?;
        Ok((columns(py, predicted.names, predicted.columns), said(&predicted.warnings)))
    }

    /// Predicts rows into a file, with columns that are carried along.
    fn predict_to(
        &self,
        py: Python<'_>,
        table: &Table,
        settings: &Bound<'_, PyDict>,
        path: PathBuf,
        progress: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Vec<(String, String)>> {
        let options = self.predict_options(py, settings)?;
        let predicted =
            self.worked(py, Some(table), progress, |fitted, table| fitted.predict_to(table, &options, &path))?;
        Ok(said(&predicted))
    }

    /// What is measured of every row.
    fn augment<'py>(
        &self,
        py: Python<'py>,
        table: Option<&Table>,
        progress: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Columns<'py>> {
        let measured = self.worked(py, table, progress, |fitted, table| fitted.augment(Some(table)))?;
        Ok(columns(py, measured.names, measured.columns))
    }

    /// Scores the model.
    fn evaluate(
        &self,
        py: Python<'_>,
        table: Option<&Table>,
        settings: &Bound<'_, PyDict>,
        progress: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Found> {
        let settings = &Settings(settings);
        let mut options = EvaluateOptions::default();
        set(&mut options.level, settings.by("level", parse::level)?);
        set(&mut options.missing, settings.of::<Missing>("missing")?);
        set(&mut options.unseen, settings.of::<Unseen>("unseen")?);
        let evaluated = self.worked(py, table, progress, |fitted, table| fitted.evaluate(table, &options))?;
        Found::new(py, evaluated.summary(), &evaluated.record(), &evaluated.warnings())
    }

    /// The variance inflation factors of the terms, as JSON.
    fn inflations(&self, py: Python<'_>, table: Option<&Table>) -> PyResult<String> {
        let found = self.worked(py, table, None, |fitted, table| fitted.inflations(Some(table)))?;
        json(py, &found)
    }

    /// Tests hypotheses about the coefficients; Wald tests need no table.
    fn test(
        &self,
        py: Python<'_>,
        hypotheses: Vec<String>,
        table: Option<&Table>,
        settings: &Bound<'_, PyDict>,
        progress: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Found> {
        let options = test_options(&Settings(settings))?;
        let tested = match options.method {
            TestMethod::Wald => apart(py, progress, |_| self.inner.test(&hypotheses, None, &options))?,
            _ => self.worked(py, table, progress, |fitted, table| fitted.test(&hypotheses, Some(table), &options))?,
        };
        Found::new(py, tested.summary(), &tested.record(), &[])
    }

    /// Averages of predictions, slopes and comparisons; and the record's table as columns.
    fn effects(
        &self,
        py: Python<'_>,
        table: Option<&Table>,
        settings: &Bound<'_, PyDict>,
        progress: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Found> {
        let options = effects_options(&Settings(settings))?;
        let effects = self.worked(py, table, progress, |fitted, table| fitted.effects(Some(table), &options))?;
        Found::new(py, effects.summary(), &effects.record(), effects.warnings())
    }

    /// Says what is wrong with the model.
    fn diagnose(
        &self,
        py: Python<'_>,
        table: Option<&Table>,
        settings: &Bound<'_, PyDict>,
        progress: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Found> {
        let options = diagnose_options(&Settings(settings))?;
        of_diagnosis(py, self.worked(py, table, progress, |fitted, table| fitted.diagnose(Some(table), &options))?)
    }

    /// Sets noise models side by side for the same formula.
    fn compare(
        &self,
        py: Python<'_>,
        table: Option<&Table>,
        settings: &Bound<'_, PyDict>,
        progress: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Found> {
        let settings = &Settings(settings);
        let options = compare_options(settings)?;
        let compared = self.worked(py, table, progress, |fitted, table| fitted.compare(Some(table), &options))?;
        of_comparison(py, compared, settings)
    }

    /// Follows the likelihood along one coefficient.
    fn profile(
        &self,
        py: Python<'_>,
        table: Option<&Table>,
        settings: &Bound<'_, PyDict>,
        progress: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Found> {
        let options = profile_options(&Settings(settings))?;
        let profiled = self.worked(py, table, progress, |fitted, table| fitted.profile(Some(table), &options))?;
        of_profile(py, profiled, self.read(table))
    }

    /// All charts of the model over a table.
    fn charts(
        &self,
        py: Python<'_>,
        table: Option<&Table>,
        settings: &Bound<'_, PyDict>,
        progress: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Vec<Chart>> {
        let options = chart_options(settings)?;
        let charts = self.worked(py, table, progress, |fitted, table| fitted.charts(Some(table), &options))?;
        Ok(shown(charts, &self.read(table)))
    }

    /// The report as an HTML page, which goes into a file where there is a path.
    fn report(
        &self,
        py: Python<'_>,
        table: Option<&Table>,
        settings: &Bound<'_, PyDict>,
        path: Option<PathBuf>,
        progress: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Option<String>> {
        let options = chart_options(settings)?;
        let place = Place::of(py, path, &self.read(table))?;
        let page = self.worked(py, table, progress, |fitted, table| fitted.report(Some(table), &options, &Keywords))?;
        place.put(py, page)
    }

    /// The derivation of its noise with its own numbers.
    fn explain(&self, py: Python<'_>, settings: &Bound<'_, PyDict>) -> PyResult<String> {
        self.inner.explain(form(settings)?).map_err(|error| raised(py, &error))
    }

    /// Writes the model in forms that other programs run.
    fn export(&self, py: Python<'_>, onnx: Option<PathBuf>, safetensors: Option<PathBuf>) -> PyResult<Found> {
        let options = ExportOptions { onnx, safetensors };
        let exported = apart(py, None, |_| self.inner.export(&options))?;
        Found::new(py, exported.to_string(), &exported, exported.warnings())
    }
}

impl Fitted {
    /// Does something with the model and a table that is given, or its own.
    fn worked<T: Send>(
        &self,
        py: Python<'_>,
        table: Option<&Table>,
        progress: Option<&Bound<'_, PyAny>>,
        work: impl FnOnce(&noisefit::Fitted, &noisefit::Table) -> Result<T, Error> + Send,
    ) -> PyResult<T> {
        let table = table.map(|table| &table.inner).or(self.inner.table());
        let table = table.ok_or_else(|| raised(py, &Error::NoTable))?;
        apart(py, progress, |watch| work(&self.inner, &watched(table, watch)))
    }

    /// The files that the model and its table, or one that is given, are read from.
    fn read(&self, table: Option<&Table>) -> Vec<Read> {
        self.inner.read(table.map(|table| &table.inner))
    }

    /// What is predicted beside the location.
    fn predict_options(&self, py: Python<'_>, settings: &Bound<'_, PyDict>) -> PyResult<PredictOptions> {
        let settings = &Settings(settings);
        let levels =
            |text: &str| text.split(',').map(|level| parse::level(level.trim())).collect::<Result<Vec<_>, _>>();
        let numbers = |text: &str| text.split(',').map(parse::number).collect::<Result<Vec<_>, _>>();
        let mut options = PredictOptions {
            levels: settings.by("interval", levels)?.unwrap_or_default(),
            interval: settings.of::<Interval>("kind")?,
            name: settings.text("name")?,
            back: settings.of::<Back>("back")?,
            quantiles: settings.by("quantiles", levels)?.unwrap_or_default(),
            density: settings.flag("density")?.unwrap_or(false),
            above: settings.by("above", numbers)?.unwrap_or_default(),
            below: settings.by("below", numbers)?.unwrap_or_default(),
            spread: settings.flag("spread")?.unwrap_or(false),
            outside: settings.flag("outside")?.unwrap_or(false),
            samples: settings.by("samples", parse::samples)?.unwrap_or(0),
            ..PredictOptions::default()
        };
        if let Some(seed) = settings.count("seed", 0)? {
            if options.samples == 0 {
                return Err(usage(py, "seed goes with samples alone, which is not given"));
            }
            options.seed = seed;
        }
        set(&mut options.unseen, settings.of::<Unseen>("unseen")?);
        set(&mut options.undefined, settings.of::<Undefined>("undefined")?);
        options.keep = match settings.flag("keep_all")? {
            Some(true) => Keep::All,
            _ => Keep::Named(settings.texts("keep")?),
        };
        self.inner.check_prediction(&options).map_err(|error| raised(py, &error))?;
        Ok(options)
    }
}
