//! What calibrates conformal intervals, as programs read it.

use noisefit_core::inference::conformal::{Conformal, Scheme};
use serde::Serialize;

/// Conformal intervals, in short.
#[derive(Serialize)]
pub(crate) struct Calibration {
    method: Scheme,
    /// Observations with a score.
    observations: f64,
    /// Fits without some of the rows.
    fits: usize,
    seed: u64,
}

impl From<&Conformal> for Calibration {
    fn from(conformal: &Conformal) -> Self {
        let &Conformal { method, observations, seed, .. } = conformal;
        Calibration { method, observations, fits: conformal.folds(), seed }
    }
}
