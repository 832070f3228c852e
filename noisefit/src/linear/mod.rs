//! Linear models: the mean is a linear combination of design columns.

mod coordinates;
mod elimination;
mod estimate;
mod extended;
pub mod gaussian;
mod gram;
mod ladder;
mod lanes;
mod least_squares;
mod leverage;
pub(crate) mod likelihood;
mod magnitudes;
mod moments;
mod options;
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
        other => Err(Error::Unsupported(format!("{other} noise cannot be fitted yet"))),
    }
}
