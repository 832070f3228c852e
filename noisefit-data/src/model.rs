//! Model files: what a fit found and what its design learned, as versioned JSON without data.

use std::path::Path;

use noisefit::fit::Fit;
use serde::{Deserialize, Serialize};

use crate::error::DataError;
use crate::formula::Design;
use crate::write::write_atomically;

/// The schema that this program writes; the number grows when an older program could not read the file.
pub const SCHEMA: &str = "noisefit.model/1";

/// A fitted model, all that prediction needs.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct FittedModel {
    schema: String,
    /// The program that wrote it.
    written_by: String,
    /// The formula, its columns, and the levels, means and polynomials that it learned.
    pub design: Design,
    /// What the fit found.
    pub fit: Fit,
}

impl FittedModel {
    /// A model to be saved.
    pub fn new(design: Design, fit: Fit) -> Self {
        let written_by = concat!("noisefit ", env!("CARGO_PKG_VERSION")).to_owned();
        FittedModel { schema: SCHEMA.to_owned(), written_by, design, fit }
    }

    /// Writes the model beside `path` and renames it, so that no half-written file is ever there.
    ///
    /// # Errors
    /// [`DataError::Write`].
    pub fn save(&self, path: &Path) -> Result<(), DataError> {
        write_atomically(path, |file| {
            serde_json::to_writer_pretty(&mut *file, self)?;
            std::io::Write::write_all(file, b"\n")
        })
    }

    /// Reads a model.
    ///
    /// # Errors
    /// [`DataError`] for a file that cannot be read, is no model, is damaged, or was written by a newer program.
    pub fn load(path: &Path) -> Result<Self, DataError> {
        let text = std::fs::read_to_string(path).map_err(|source| DataError::reading(path, source))?;
        let damaged = |why: String| DataError::Damaged { path: path.display().to_string(), format: "a model", why };
        let value: serde_json::Value =
            serde_json::from_str(&text).map_err(|error| damaged(format!("{error}; fit the model again")))?;
        match value.get("schema").and_then(|schema| schema.as_str()) {
            Some(SCHEMA) => serde_json::from_value(value).map_err(|error| damaged(format!("{error}; fit it again"))),
            Some(other) if other.starts_with("noisefit.model/") => Err(damaged(format!(
                "it is of schema {other}, and this program ({}) reads {SCHEMA}; use a newer noisefit or fit it again",
                env!("CARGO_PKG_VERSION")
            ))),
            Some(other) => Err(damaged(format!(
                "its schema is {other}, not {SCHEMA}; a model is what `noisefit fit ... -o model.json` writes"
            ))),
            None => {
                Err(damaged("it has no schema; a model is what `noisefit fit ... -o model.json` writes".to_owned()))
            }
        }
    }
}
