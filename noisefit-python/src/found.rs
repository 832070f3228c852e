//! What was found, as text, JSON and sentences.

use noisefit::Remark;
use noisefit::core::named::Named;
use pyo3::prelude::*;
use serde::Serialize;

use crate::errors::{Keywords, raised};
use crate::numbers::{Numbers, array};

/// Named columns of numbers.
pub(crate) type Columns<'py> = (Vec<String>, Vec<Numbers<'py>>);

/// A result: its summary, its record as JSON, and what is to be said of it.
#[pyclass(frozen, get_all, module = "noisefit._noisefit")]
pub(crate) struct Found {
    summary: String,
    record: String,
    warnings: Vec<(String, String)>,
    /// Sentences of advice, and the preferred model, where there are such.
    advice: Vec<String>,
}

impl Found {
    pub(crate) fn new(py: Python<'_>, summary: String, record: &impl Serialize, warnings: &[Remark]) -> PyResult<Self> {
        let record = json(py, record)?;
        Ok(Found { summary, record, warnings: said(warnings), advice: Vec::new() })
    }

    pub(crate) fn with_advice(self, advice: Vec<String>) -> Self {
        Found { advice, ..self }
    }
}

/// A record as JSON, in which numbers read back to the same doubles.
pub(crate) fn json(py: Python<'_>, record: &impl Serialize) -> PyResult<String> {
    serde_json::to_string(record).map_err(|error| raised(py, &error.into()))
}

/// Warnings as pairs of what they are about and the sentence.
pub(crate) fn said(warnings: &[Remark]) -> Vec<(String, String)> {
    warnings.iter().map(|remark| (remark.topic.name().to_owned(), remark.sentence.worded(&Keywords))).collect()
}

/// Columns as arrays.
pub(crate) fn columns(py: Python<'_>, names: Vec<String>, columns: Vec<Vec<f64>>) -> Columns<'_> {
    (names, columns.into_iter().map(|column| array(py, column)).collect())
}
