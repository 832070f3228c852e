//! What decides which tests are defined.

use crate::inference::diagnostics::found::Found;

/// What decides which tests are defined.
#[derive(Debug)]
pub(super) struct Summary {
    pub(super) observations: f64,
    pub(super) has_frequencies: bool,
    /// Why least squares has no errors to test.
    pub(super) no_errors: Option<&'static str>,
    /// Why the fit has no shape to test.
    pub(super) no_shape: Option<&'static str>,
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
