//! Linear models: the mean is a linear combination of design columns.

mod coordinates;
mod elimination;
mod estimate;
mod extended;
pub mod gaussian;
mod gram;
pub mod huber;
mod ladder;
mod lanes;
mod least_squares;
mod leverage;
mod magnitudes;
mod moments;
mod options;
pub mod quantile;
mod residuals;
mod row_kernels;
mod start;
mod triangle;

use crate::Error;
use crate::fit::Fit;
use crate::noise::Choice;
use crate::rows::RowSource;

pub use coordinates::Coordinates;
pub use extended::ExtendedMoments;
pub use least_squares::{Accuracy, LeastSquares, Method, Settings};
pub use leverage::Leverage;
pub use moments::{Moments, Totals};
pub use options::{Collinear, Options};
pub use residuals::{Residuals, Sums};
pub use triangle::Triangle;

/// The maximum likelihood fit of a linear model under the noise that is named: one fit, or one for each quantile.
///
/// # Errors
/// Those of the family's estimator.
pub fn fit(source: &impl RowSource, noise: &Choice, options: &Options) -> Result<Vec<Fit>, Error> {
    match noise {
        Choice::Gaussian => Ok(vec![gaussian::fit(source, options)?]),
        Choice::Laplace => Ok(vec![quantile::fit_laplace(source, options)?]),
        Choice::Quantiles(levels) => quantile::fit_quantiles(source, levels, options),
        &Choice::Huber { k, scale } => Ok(vec![huber::fit(source, k, scale, options)?]),
        &Choice::HuberFixed { delta } => Ok(vec![huber::fit_fixed(source, delta, options)?]),
        other => Err(Error::Unsupported(format!("{other} noise cannot be fitted yet"))),
    }
}
