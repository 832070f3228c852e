//! What was found, as text, JSON and sentences.

use std::path::PathBuf;

use noisefit::core::named::Named;
use noisefit::core::record::Topic;
use noisefit::{Error, Remark};
use pyo3::prelude::*;
use pyo3::types::PyDict;
use serde::Serialize;

use crate::errors::Keywords;
use crate::numbers::{Numbers, array};
use crate::record::json;
use crate::shown::{Chart, Place, Source, chart_options, shown};
use crate::work::apart;

/// Named columns of numbers.
pub(crate) type Columns<'py> = (Vec<String>, Vec<Numbers<'py>>);

/// A result: its summary, its record as JSON, and what is to be said of it.
#[pyclass(frozen, module = "noisefit._noisefit")]
pub(crate) struct Found {
    #[pyo3(get)]
    summary: String,
    #[pyo3(get)]
    record: String,
    #[pyo3(get)]
    warnings: Vec<(String, String)>,
    /// Sentences of advice, and the preferred model, where there are such.
    #[pyo3(get)]
    advice: Vec<String>,
    /// What it is shown by.
    pub(crate) source: Source,
}

impl Found {
    pub(crate) fn new(py: Python<'_>, summary: String, record: &impl Serialize, warnings: &[Remark]) -> PyResult<Self> {
        let record = json(py, record)?;
        Ok(Found { summary, record, warnings: said(warnings), advice: Vec::new(), source: Source::None })
    }

    pub(crate) fn with_advice(self, advice: Vec<String>) -> Self {
        Found { advice, ..self }
    }

    pub(crate) fn shown_by(self, source: Source) -> Self {
        Found { source, ..self }
    }
}

#[pymethods]
impl Found {
    /// Its charts.
    fn charts(
        &self,
        py: Python<'_>,
        settings: &Bound<'_, PyDict>,
        progress: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Vec<Chart>> {
        let options = chart_options(settings)?;
        let charts = apart(py, progress, |watch| match &self.source {
            Source::None => Ok(Vec::new()),
            Source::Compared(compared, _) => compared.watched_by(watch).charts(&options),
            Source::Diagnosed(diagnosed) => diagnosed.watched_by(watch).fitted().charts(None, &options),
            Source::Profiled(profiled, _) => Ok(profiled.charts()),
        })?;
        Ok(shown(charts, &self.source.read()))
    }

    /// Its report as an HTML page, which goes into a file where there is a path.
    fn report(
        &self,
        py: Python<'_>,
        settings: &Bound<'_, PyDict>,
        path: Option<PathBuf>,
        progress: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Option<String>> {
        let options = chart_options(settings)?;
        let place = Place::of(py, path, &self.source.read())?;
        let page = apart(py, progress, |watch| match &self.source {
            Source::None => Ok(String::new()),
            Source::Compared(compared, next) => compared.watched_by(watch).report(next.as_deref(), &options, &Keywords),
            Source::Diagnosed(diagnosed) => diagnosed.watched_by(watch).report(&options, &Keywords),
            Source::Profiled(profiled, _) => profiled.report(&Keywords),
        })?;
        place.put(py, page)
    }
}

/// Beside what else is said, that a file which goes with a result could not be written: the result is not lost with it.
pub(crate) fn with_unwritten(mut warnings: Vec<Remark>, written: Result<(), Error>) -> Vec<Remark> {
    let remark = |error: Error| Remark { topic: Topic::Data, sentence: error.sentence(&Keywords).into() };
    warnings.extend(written.err().map(remark));
    warnings
}

/// Warnings as pairs of what they are about and the sentence.
pub(crate) fn said(warnings: &[Remark]) -> Vec<(String, String)> {
    warnings.iter().map(|remark| (remark.topic.name().to_owned(), remark.sentence.worded(&Keywords))).collect()
}

/// Columns as arrays.
pub(crate) fn columns(py: Python<'_>, names: Vec<String>, columns: Vec<Vec<f64>>) -> Columns<'_> {
    (names, columns.into_iter().map(|column| array(py, column)).collect())
}
