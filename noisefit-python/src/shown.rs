//! What was found, to be looked at: charts, report pages, derivations, tables for papers.

use std::path::PathBuf;

use noisefit::core::noise::Noises;
use noisefit::data::write::{check_writable, write_atomically};
use noisefit::report::chart::Figure;
use noisefit::report::charts;
use noisefit::{
    ChartFile, ChartOptions, Compared, Diagnosed, Error, Explained, Profiled, Read, Setting, parse, refuse_overwriting,
    write_charts,
};
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::errors::{raised, usage};
use crate::model::set;
use crate::record::json;
use crate::settings::Settings;

/// A chart: its data, and how it is drawn.
#[pyclass(frozen, module = "noisefit._noisefit")]
pub(crate) struct Chart {
    inner: noisefit::report::chart::Chart,
    /// The files that it was drawn of.
    read: Vec<Read>,
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

    /// Writes it into a file: the picture, or its data.
    fn save(&self, py: Python<'_>, path: PathBuf, width: f64, height: f64, dpi: f64, dark: bool) -> PyResult<()> {
        ChartFile::of(&path).map_err(|refusal| raised(py, &refusal.into()))?;
        let figure = Figure { width, height, dark, ..Figure::default() };
        let chart = std::slice::from_ref(&self.inner);
        Place::of(py, Some(path.clone()), &self.read)?;
        write_charts(&path, chart, &figure, dpi).map_err(|error| raised(py, &error))
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

/// Charts for Python, which were drawn of some files.
pub(crate) fn shown(charts: Vec<noisefit::report::chart::Chart>, read: &[Read]) -> Vec<Chart> {
    charts.into_iter().map(|inner| Chart { inner, read: read.to_vec() }).collect()
}

/// Where a result goes: a file, or to whoever asks for it.
pub(crate) struct Place(Option<PathBuf>);

impl Place {
    /// Refuses a file that was read, and one that cannot be written, before there is work to lose.
    pub(crate) fn of(py: Python<'_>, path: Option<PathBuf>, read: &[Read]) -> PyResult<Self> {
        let may_be_written = |path: &PathBuf| -> Result<(), Error> {
            refuse_overwriting(&[(Setting::Path, path)], read)?;
            Ok(check_writable(path)?)
        };
        path.iter().try_for_each(may_be_written).map_err(|error| raised(py, &error))?;
        Ok(Place(path))
    }

    /// Puts a page there; what is asked for comes back.
    pub(crate) fn put(self, py: Python<'_>, page: String) -> PyResult<Option<String>> {
        let Place(Some(path)) = self else { return Ok(Some(page)) };
        let written = write_atomically(&path, |file| file.write_all(page.as_bytes()));
        written.map(|()| None).map_err(|error| raised(py, &error.into()))
    }
}

/// The losses, gradients and densities of the families.
#[pyfunction]
pub(crate) fn family_charts() -> Vec<Chart> {
    shown(vec![charts::losses(), charts::gradients(), charts::densities()], &[])
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
    /// A curve, and the files that its fit was read from.
    Profiled(Box<Profiled>, Vec<Read>),
}

impl Source {
    /// The files that it was made of.
    pub(crate) fn read(&self) -> Vec<Read> {
        match self {
            Source::None => Vec::new(),
            Source::Compared(compared, _) => compared.table().read(),
            Source::Diagnosed(diagnosed) => diagnosed.table().read(),
            Source::Profiled(_, read) => read.clone(),
        }
    }
}
