//! What the survey of the rows tells every diagnostic.

use serde::Serialize;

use crate::inference::diagnostics::found::Found;
use crate::inference::diagnostics::order::Ordered;

/// What the survey of the rows tells every diagnostic: what decides which tests are defined, and the residuals in order.
#[derive(Debug)]
pub(super) struct Summary {
    pub(super) observations: f64,
    pub(super) has_frequencies: bool,
    pub(super) least_response: f64,
    /// Rows whose residuals were put in order: all, or a random sample.
    pub(super) ordered_rows: u64,
    /// Why least squares has no errors to test.
    pub(super) no_errors: Option<&'static str>,
    /// Why the fit has no shape to test.
    pub(super) no_shape: Option<&'static str>,
    /// The standardised residuals of the fit.
    pub(super) residuals: Ordered,
    /// The errors of least squares of all observations, sorted, unless they are only a sample.
    pub(super) errors: Found<Vec<f64>>,
}

impl Summary {
    /// Whether the errors of least squares can be tested.
    pub(super) fn test(&self) -> Found<()> {
        self.no_errors.map_or(Found::Yes(()), Found::no)
    }

    /// Whether the standardised residuals of the fit can be.
    pub(super) fn shape(&self) -> Found<()> {
        self.no_shape.map_or(Found::Yes(()), Found::no)
    }
}

/// Whose residuals are tested.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum TestedOn {
    /// The fit is least squares.
    Fit,
    /// Least squares of the same formula beside the fit.
    LeastSquares,
    /// Least squares of the same formula beside the fit, weighted by one over the square of its scale.
    ScaledLeastSquares,
}
