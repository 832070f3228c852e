//! Linear models: the mean is a linear combination of design columns.

mod coordinates;
mod elimination;
mod extended;
pub mod gaussian;
mod gram;
mod ladder;
mod lanes;
mod least_squares;
mod leverage;
mod magnitudes;
mod moments;
mod residuals;
mod row_kernels;
mod triangle;

pub use coordinates::Coordinates;
pub use extended::ExtendedMoments;
pub use least_squares::{Accuracy, LeastSquares, Method, Settings};
pub use leverage::Leverage;
pub use moments::{Moments, Totals};
pub use residuals::{Residuals, Sums};
pub use triangle::Triangle;
