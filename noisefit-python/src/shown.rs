//! What was found, to be looked at: charts, report pages, derivations, tables for papers.

use noisefit::core::noise::Noises;
use noisefit::report::chart::Figure;
use noisefit::report::charts;
use noisefit::{ChartOptions, Compared, Diagnosed, Explained, Profiled, parse};
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::errors::usage;
use crate::model::set;
use crate::record::json;
use crate::settings::Settings;

/// A chart: its data, and how it is drawn.
#[pyclass(frozen, module = "noisefit._noisefit")]
pub(crate) struct Chart {
    inner: noisefit::report::chart::Chart,
}

#[pymethods]
impl Chart {
    /// What it is.
    #[getter]
    fn kind(&self) -> String {
        self.inner.kind.to_string()
    }

    /// Its title and what is to be seen on it.
    fn words(&self) -> String {
        self.inner.words()
    }

    /// The picture.
    fn svg(&self, width: f64, height: f64, dark: bool) -> String {
        self.inner.svg(&Figure { width, height, dark, ..Figure::default() }, &self.kind())
    }

    /// The data, a row for each point.
    fn csv(&self) -> String {
        self.inner.csv()
    }

    /// The data with axes and marks as JSON.
    fn record(&self, py: Python<'_>) -> PyResult<String> {
        json(py, &self.inner)
    }
}

/// Charts for Python.
pub(crate) fn shown(charts: Vec<noisefit::report::chart::Chart>) -> Vec<Chart> {
    charts.into_iter().map(|inner| Chart { inner }).collect()
}

/// The losses, gradients and densities of the families.
#[pyfunction]
pub(crate) fn family_charts() -> Vec<Chart> {
    shown(vec![charts::losses(), charts::gradients(), charts::densities()])
}

/// From the density of a noise to the loss, the estimator and the scale.
#[pyfunction]
pub(crate) fn explain(py: Python<'_>, noise: &str, settings: &Bound<'_, PyDict>) -> PyResult<String> {
    let noises: Noises = noise.parse().map_err(|why| usage(py, &format!("noise=\"{noise}\": {why}")))?;
    let form = form(settings)?;
    let all: Vec<String> = noises.iter().map(|noise| noisefit::explain(noise, form)).collect();
    Ok(all.join("\n"))
}

/// How a derivation is written.
pub(crate) fn form(settings: &Bound<'_, PyDict>) -> PyResult<Explained> {
    Ok(Settings(settings).of("format")?.unwrap_or_default())
}

/// How much of the rows is drawn.
pub(crate) fn chart_options(settings: &Bound<'_, PyDict>) -> PyResult<ChartOptions> {
    let settings = Settings(settings);
    let mut options = ChartOptions::default();
    set(&mut options.rows, settings.size("points", 1)?);
    set(&mut options.seed, settings.count("seed", 0)?);
    set(&mut options.level, settings.by("level", parse::level)?);
    Ok(options)
}

/// What a result can be shown by.
pub(crate) enum Source {
    None,
    /// A comparison, and what its reader does next.
    Compared(Box<Compared>, Option<String>),
    Diagnosed(Box<Diagnosed>),
    Profiled(Box<Profiled>),
}
