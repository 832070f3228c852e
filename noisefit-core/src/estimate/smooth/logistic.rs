//! Logistic noise: maximum likelihood by Newton's method.

use crate::Error;
use crate::estimate::{Options, smooth};
use crate::noise::{Logistic, Noise};
use crate::record::Fit;
use crate::rows::RowSource;

/// The maximum likelihood fit of `y = b0 + x'b + s R`, `R` standard logistic, over the rows of `source`; `ln s` is modelled
/// where the rows have columns for it.
///
/// The problem is convex in `b / s` and `1 / s` (Burridge 1981, *Journal of the Royal Statistical Society B* 43, 41-45), so
/// that there is one maximum and Newton's method finds it. Standard errors come from the expected information: the
/// covariance of `b` is `3 s^2 (X' V X)^-1`, tests and intervals refer to the normal distribution.
///
/// ```
/// use noisefit_core::estimate::Options;
/// use noisefit_core::estimate::smooth::logistic;
/// use noisefit_core::rows::{Matrix, MemoryRows};
///
/// // Symmetric about 2: so is the estimate.
/// let y = [1.0, 1.8, 2.0, 2.2, 3.0];
/// let rows = MemoryRows::new(&y, Matrix::row_major(&[], 5, 0)?)?;
/// let fit = logistic::fit(&rows, &Options::default())?;
/// assert!((fit.coefficients[0].estimate.unwrap_or(0.0) - 2.0).abs() < 1e-12);
/// assert!(fit.termination.converged);
/// # Ok::<(), noisefit_core::Error>(())
/// ```
///
/// # Errors
/// Those of [`super::fit`].
pub fn fit(source: &dyn RowSource, options: &Options) -> Result<Fit, Error> {
    smooth::fit(source, Logistic, Noise::Logistic, options)
}
