//! Model files: what a fit found and what its design learned, as versioned JSON without data.

use std::path::Path;

use noisefit::fit::Fit;
use noisefit::predict::Predictor;
use serde::{Deserialize, Serialize};

use crate::error::DataError;
use crate::formula::Design;
use crate::write::write_atomically;

/// The schema that this program writes; the number grows when an older program could not read the file.
pub const SCHEMA: &str = "noisefit.model/1";

const WHAT_A_MODEL_IS: &str = "a model is what `noisefit fit ... -o model.json` writes";

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
        let bytes = std::fs::read(path).map_err(|source| DataError::reading(path, source))?;
        let damaged = |why: String| DataError::Damaged { path: path.display().to_string(), format: "a model", why };
        let value: serde_json::Value =
            serde_json::from_slice(&bytes).map_err(|error| damaged(format!("{error}; {WHAT_A_MODEL_IS}")))?;
        match value.get("schema").and_then(|schema| schema.as_str()) {
            Some(SCHEMA) => {
                let model: Self =
                    serde_json::from_value(value).map_err(|error| damaged(format!("{error}; fit it again")))?;
                match model.discrepancy() {
                    None => Ok(model),
                    Some(what) => Err(damaged(format!("{what}; fit it again"))),
                }
            }
            Some(other) if other.starts_with("noisefit.model/") => Err(damaged(format!(
                "it is of schema {other}, and this program ({}) reads {SCHEMA}; use a newer noisefit or fit it again",
                env!("CARGO_PKG_VERSION")
            ))),
            Some(other) => Err(damaged(format!("its schema is {other}, not {SCHEMA}; {WHAT_A_MODEL_IS}"))),
            None => Err(damaged(format!("it has no schema; {WHAT_A_MODEL_IS}"))),
        }
    }

    /// What does not go together in a file that was edited or damaged.
    fn discrepancy(&self) -> Option<String> {
        let Fit { coefficients, scale, residual_std_error, leverage, df_residual, .. } = &self.fit;
        let terms = self.design.layout().coefficient_names();
        if !coefficients.iter().map(|coefficient| &coefficient.term).eq(&terms) {
            return Some(format!("its coefficients are not those of its formula, {}", terms.join(", ")));
        }
        for (name, value) in [("scale", scale), ("residual_std_error", residual_std_error)] {
            if let Some(value) = value.filter(|value| *value < 0.0) {
                return Some(format!("its {name} is {value}, and no scale is negative"));
            }
        }
        let has_noise = *df_residual > 0;
        if residual_std_error.is_some() != has_noise || leverage.is_some() != has_noise {
            return Some(format!("its residual_std_error and leverage do not go with its df_residual {df_residual}"));
        }
        Predictor::new(&self.fit).err().map(|_| "its leverage does not go with its coefficients".to_owned())
    }
}
