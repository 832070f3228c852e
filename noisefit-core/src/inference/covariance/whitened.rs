//! The whitened rows of a fit.

use crate::algebra::Leverage;
use crate::algebra::whitened::Whitened;
use crate::record::Fit;
use crate::rows::{Adapted, RowSource};

/// The rows of `source` at `fit`, whose `leverage` has no aliased terms.
pub(in crate::inference) fn whitened<'a>(
    source: &'a dyn RowSource,
    fit: &Fit,
    leverage: &Leverage,
) -> Adapted<'a, Whitened> {
    let coefficients: Vec<Option<f64>> = fit.location.rows.iter().map(|row| row.estimate).collect();
    Whitened::rows(source, &coefficients, leverage, fit.nobs as f64, fit.accuracy.condition)
}
