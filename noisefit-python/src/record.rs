//! What was found as programs read it.

use pyo3::prelude::*;
use serde::Serialize;

use crate::errors::raised;

/// A record as JSON, in which numbers read back to the same doubles.
pub(crate) fn json(py: Python<'_>, record: &impl Serialize) -> PyResult<String> {
    serde_json::to_string(record).map_err(|error| raised(py, &error.into()))
}
