//! Model files: what a fit found and what its design learned, as versioned JSON without data.

use std::path::Path;

use noisefit_core::inference::conformal::Conformal;
use noisefit_core::inference::covariance::Vcov;
use noisefit_core::inference::predict::Predictor;
use noisefit_core::network::Network;
use noisefit_core::noise::Noise;
use noisefit_core::record::{Absorbed, AbsorbedEffect, Fit, FittedScale, VcovKind};
use noisefit_core::rows::{EffectLayout, Layout, ScaleLayout};
use serde::{Deserialize, Serialize};

use crate::error::DataError;
use crate::formula::Design;
use crate::ranges::Range;
#[cfg(feature = "files")]
use crate::write::write_atomically;

/// The schema that this program writes; the number grows when an older program could not read the file.
pub const SCHEMA: &str = "noisefit.model/2";

const WHAT_A_MODEL_IS: &str = "a model is what `noisefit fit ... -o model.json` writes";

/// The schema of the models of one fit alone.
const FIRST_SCHEMA: &str = "noisefit.model/1";

/// A fitted model, all that prediction needs.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct FittedModel {
    schema: String,
    /// The program that wrote it.
    written_by: String,
    /// The formulas, their columns, and the levels, means and polynomials that they learned.
    pub design: Design,
    /// What was found: one fit, or one for each quantile, of ascending levels.
    pub fits: Vec<Fit>,
    /// What was trained by gradient steps, in the place of fits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub network: Option<Network>,
    /// Conformal intervals, where the fit calibrated such.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub conformal: Option<Conformal>,
    /// The ranges of the columns of numbers in the data of the fit; none of an older file.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ranges: Vec<Range>,
}

impl FittedModel {
    /// A model to be saved.
    pub fn new(design: Design, fits: Vec<Fit>) -> Self {
        let written_by = concat!("noisefit ", env!("CARGO_PKG_VERSION")).to_owned();
        FittedModel {
            schema: SCHEMA.to_owned(),
            written_by,
            design,
            fits,
            network: None,
            conformal: None,
            ranges: Vec::new(),
        }
    }

    /// A trained model to be saved.
    pub fn trained(design: Design, network: Network) -> Self {
        FittedModel { network: Some(network), ..FittedModel::new(design, Vec::new()) }
    }

    /// The number of curves that are predicted: quantiles, or 1.
    pub fn curves(&self) -> usize {
        self.network.as_ref().map_or(self.fits.len(), Network::curves)
    }

    /// The model of data whose columns had these ranges.
    #[must_use]
    pub fn with_ranges(mut self, ranges: &[Range]) -> Self {
        self.ranges = ranges.to_vec();
        self
    }

    /// The model with conformal intervals.
    #[must_use]
    pub fn with_conformal(mut self, conformal: Option<Conformal>) -> Self {
        self.conformal = conformal;
        self
    }

    /// Writes the model beside `path` and renames it, so that no half-written file is ever there.
    ///
    /// # Errors
    /// [`DataError::Write`].
    #[cfg(feature = "files")]
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
        Self::from_json(&bytes, &path.display().to_string())
    }

    /// The model that a file's bytes are; `name` is what messages call them.
    ///
    /// # Errors
    /// [`DataError::Damaged`] for bytes that are no model, are damaged, or were written by a newer program.
    pub fn from_json(bytes: &[u8], name: &str) -> Result<Self, DataError> {
        let damaged = |why: String| DataError::Damaged { path: name.to_owned(), format: "a model", why };
        let value: serde_json::Value =
            serde_json::from_slice(bytes).map_err(|error| damaged(format!("{error}; {WHAT_A_MODEL_IS}")))?;
        match value.get("schema").and_then(|schema| schema.as_str()) {
            Some(SCHEMA) => {
                let mut model: Self =
                    serde_json::from_value(value).map_err(|error| damaged(format!("{error}; fit it again")))?;
                model.settle_intercepts();
                match model.discrepancy() {
                    None => Ok(model),
                    Some(what) => Err(damaged(format!("{what}; fit it again"))),
                }
            }
            Some(FIRST_SCHEMA) => Err(damaged(format!(
                "it is of schema {FIRST_SCHEMA}, which an older noisefit wrote for Gaussian noise alone; fit it again"
            ))),
            Some(other) if other.starts_with("noisefit.model/") => Err(damaged(format!(
                "it is of schema {other}, and this program ({}) reads {SCHEMA}; use a newer noisefit or fit it again",
                env!("CARGO_PKG_VERSION")
            ))),
            Some(other) => Err(damaged(format!("its schema is {other}, not {SCHEMA}; {WHAT_A_MODEL_IS}"))),
            None => Err(damaged(format!("it has no schema; {WHAT_A_MODEL_IS}"))),
        }
    }

    /// A column may have the intercept's name: which it is says the design.
    fn settle_intercepts(&mut self) {
        let layout = self.design.layout();
        for fit in &mut self.fits {
            fit.location.intercept = layout.intercept;
            if let (FittedScale::Modelled { coefficients, .. }, Some(scale)) = (&mut fit.scale, &layout.scale) {
                coefficients.intercept = scale.intercept;
            }
        }
    }

    /// What does not go together in a file that was edited or damaged.
    fn discrepancy(&self) -> Option<String> {
        match (self.fits.is_empty(), &self.network) {
            (true, None) => return Some("it has no fit".to_owned()),
            (false, Some(_)) => return Some("it has both fits and a network".to_owned()),
            _ => {}
        }
        if self.fits.len() > 1 && !self.fits.iter().all(|fit| matches!(fit.noise, Noise::Quantile(_))) {
            return Some("it has several fits that are not quantiles".to_owned());
        }
        let layout = self.design.layout();
        if self.conformal.as_ref().is_some_and(|conformal| !conformal.is_sound(layout, self.curves())) {
            return Some("its conformal intervals do not go with its fits".to_owned());
        }
        if self.network.as_ref().is_some_and(|network| !network.is_sound(layout)) {
            return Some("its network is damaged, or does not go with its formula".to_owned());
        }
        self.fits.iter().find_map(|fit| discrepancy(fit, layout))
    }
}

/// What does not go together in a fit, or with its design.
fn discrepancy(fit: &Fit, layout: &Layout) -> Option<String> {
    let terms = layout.coefficient_names();
    if !fit.location.rows.iter().map(|coefficient| &coefficient.term).eq(&terms) {
        return Some(format!("its coefficients are not those of its formula, {}", terms.join(", ")));
    }
    let terms = layout.scale.as_ref().map(ScaleLayout::coefficient_names).unwrap_or_default();
    if !fit.scale.coefficients().iter().map(|coefficient| &coefficient.term).eq(&terms) {
        return Some(match terms.is_empty() {
            true => "it has coefficients of the scale and no formula of the scale".to_owned(),
            false => format!("its scale_coefficients are not those of its scale formula, {}", terms.join(", ")),
        });
    }
    let absorbed = fit.absorbed.iter().flat_map(|absorbed| &absorbed.effects);
    let goes = |(effect, known): (&AbsorbedEffect, &EffectLayout)| {
        effect.name == known.name && effect.constants.as_ref().is_none_or(|all| all.len() == known.levels)
    };
    let sound = fit.absorbed.as_ref().is_none_or(Absorbed::is_sound);
    if !sound || absorbed.clone().count() != layout.effects.len() || !absorbed.zip(&layout.effects).all(goes) {
        return Some("its absorbed effects are not those of its formula".to_owned());
    }
    if !fit.noise.is_density() {
        return Some(format!("its noise, {}, has parameters that no noise has", fit.noise));
    }
    if !(0.0 < fit.level && fit.level < 1.0) {
        return Some(format!("its level is {}, and a level lies between 0 and 1", fit.level));
    }
    if fit.covariance.reference_df.is_some_and(|df| !(df > 0.0)) {
        return Some("its reference_df are not positive".to_owned());
    }
    let square = |matrix: &[Vec<f64>], order: usize| {
        matrix.is_empty() || (matrix.len() == order && matrix.iter().all(|row| row.len() == order))
    };
    for (name, matrix, order) in [
        ("vcov", stored_vcov(fit), layout.coefficients()),
        ("scale_vcov", fit.scale.vcov(), fit.scale.coefficients().len()),
    ] {
        if !square(matrix, order) {
            return Some(format!("its {name} is not a matrix of {order} by {order}, as its coefficients are"));
        }
    }
    let kind = &fit.covariance.kind;
    if *kind != VcovKind::HUBER && Vcov::of(kind).is_none() {
        return Some("its vcov_type is none of the covariances there are".to_owned());
    }
    if fit.scale.common().is_some() == layout.scale.is_some() {
        return Some("it has not one of a scale and a formula of the scale".to_owned());
    }
    for (name, value) in [
        ("scale", fit.scale.common()),
        ("residual_std_error", fit.goodness.residual_std_error),
        ("location_variance", fit.location_variance()),
    ] {
        if let Some(value) = value.filter(|value| *value < 0.0) {
            return Some(format!("its {name} is {value}, and none is negative"));
        }
    }
    // Gaussian noise of one scale has both wherever there are degrees of freedom; other noise may lack either.
    let df_residual = fit.df_residual;
    let estimated = [fit.goodness.residual_std_error.is_some(), fit.leverage().is_some()];
    let exact = fit.noise == Noise::Gaussian && !fit.scale.is_modelled();
    if (df_residual == 0 && estimated.contains(&true)) || (df_residual > 0 && exact && estimated.contains(&false)) {
        return Some(format!("its residual_std_error and leverage do not go with its df_residual {df_residual}"));
    }
    Predictor::new(fit).err().map(|_| "its leverage does not go with its coefficients".to_owned())
}

/// The covariance matrix of the coefficients as it was stored; none where it follows from the leverage.
fn stored_vcov(fit: &Fit) -> &[Vec<f64>] {
    fit.covariance.location.as_ref().map_or(&[], |location| &location.matrix)
}
