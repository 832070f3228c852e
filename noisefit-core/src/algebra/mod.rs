//! Gram matrices, triangles, coordinates, leverages and linear predictors of designs: all that multiplies design columns, and
//! the precision ladder of least squares. Nothing here knows of noise or of fits.

pub(crate) mod absorb;
pub(crate) mod affine;
pub(crate) mod by_level;
pub(crate) mod cells;
pub(crate) mod cholesky;
pub(crate) mod coordinates;
pub(crate) mod elimination;
pub(crate) mod extended;
pub(crate) mod extended_lu;
pub(crate) mod gram;
pub(crate) mod ladder;
pub(crate) mod lanes;
pub(crate) mod least_squares;
pub(crate) mod leverage;
pub(crate) mod magnitudes;
pub(crate) mod moments;
pub(crate) mod products;
pub(crate) mod residuals;
pub(crate) mod row_kernels;
pub(crate) mod solution;
pub(crate) mod spread;
pub(crate) mod triangle;
pub(crate) mod triangular;
pub(crate) mod whitened;
pub(crate) mod wide;

pub use affine::Affine;
pub(crate) use cholesky::Cholesky;
pub use coordinates::Coordinates;
pub use extended::ExtendedMoments;
pub use leverage::Leverage;
pub use moments::{Moments, Totals};
pub use residuals::{Residuals, Sums};
pub use solution::{Accuracy, LeastSquares, Method, Settings};
pub use triangle::Triangle;

/// The passes of this module.
pub(crate) fn kinds() -> crate::rows::Kinds {
    let sums = crate::rows::Kinds::default().with::<Moments>().with::<magnitudes::Magnitudes>().with::<Residuals>();
    sums.and(absorb::kinds())
        .with::<Triangle>()
        .with::<ExtendedMoments>()
        .with::<spread::Spread>()
        .with_adaptor::<whitened::Whitened>()
}
