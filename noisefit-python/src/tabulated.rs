//! Models side by side, for papers.

use noisefit::report::tabulate::Options;
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::fitted::Fitted;
use crate::model::set;
use crate::settings::Settings;

/// Models side by side, each under its name.
#[pyfunction]
pub(crate) fn tabulate(models: Vec<(String, PyRef<'_, Fitted>)>, settings: &Bound<'_, PyDict>) -> PyResult<String> {
    let settings = Settings(settings);
    let mut options = Options::default();
    set(&mut options.format, settings.of("format")?);
    set(&mut options.stars, settings.flag("stars")?);
    let columns: Vec<(String, &noisefit::Fitted)> =
        models.iter().map(|(name, fitted)| (name.clone(), &fitted.inner)).collect();
    Ok(noisefit::tabulate(&columns, options))
}
