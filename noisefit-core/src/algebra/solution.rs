//! What is asked of least squares, and what is found.

use crate::algebra::coordinates::{Coordinates, power_of_two_near};
use crate::algebra::leverage::Leverage;
use crate::algebra::moments::Totals;

/// How the coefficients were computed: for least squares, the rung of the precision ladder that the fit stands on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Method {
    /// Centred and scaled moments, Cholesky, one refinement in doubles.
    Moments,
    /// Newton steps to a zero gradient.
    Newton,
    /// The vertex of an exact fit of absolute deviations, solved in double-double.
    Vertex,
    /// Householder QR of blocks, one refinement in double-double.
    Qr,
    /// Sums of products of orthonormalised columns in double-double.
    DoubleDouble,
}

/// How far the coefficients can be trusted as numbers.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Accuracy {
    /// Estimated correct decimal digits of the worst coefficient: what the arithmetic and the rounding of the data leave.
    pub digits: f64,
    /// The rung of the ladder.
    pub method: Method,
    /// The condition number of the design (Frobenius norm; columns centred where there is an intercept, and scaled to
    /// length one).
    pub condition: f64,
}

/// A least squares solution with all that inference needs.
#[derive(Debug, Clone)]
pub struct LeastSquares {
    /// One coefficient for each name of [`crate::rows::Layout::coefficient_names`]; none for aliased terms.
    pub coefficients: Vec<Option<f64>>,
    /// `(X' V X)^-1` over the coefficients, packed lower triangle; zero rows for aliased terms.
    pub unscaled_covariance: Vec<f64>,
    /// Indices of the coefficients whose columns are linear combinations of earlier ones.
    pub aliased: Vec<usize>,
    /// Sums that need no design.
    pub totals: Totals,
    /// `sum(v e^2)`; exactly zero where the residuals are no larger than the rounding of the data.
    pub residual_sum_of_squares: f64,
    /// `sum(v (y - mean)^2)`, or `sum(v y^2)` without an intercept.
    pub total_sum_of_squares: f64,
    /// The total less the residual sum of squares, before either was rounded.
    pub explained_sum_of_squares: f64,
    /// `sum(f e^2)`, without the weights.
    pub squared_errors: f64,
    /// `sum(f |e|)`, where the residuals were passed over.
    pub absolute_errors: Option<f64>,
    /// Weighted means of the design columns and, last, of the response (zero without an intercept).
    pub means: Vec<f64>,
    /// Weighted sums of squared deviations of the same columns.
    pub deviations: Vec<f64>,
    /// The variance of a row's location in units of the noise variance.
    pub leverage: Leverage,
    /// How far to trust the digits.
    pub accuracy: Accuracy,
}

/// How least squares is to be computed.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Settings {
    /// Climb the ladder until about this many decimal digits of every coefficient are right, or the last rung is reached.
    pub digits: f64,
    /// Be content with the moments where they give so many digits, and read the rows only once: absolute errors are then
    /// unknown. Rows with weights are always read again.
    pub one_pass: bool,
    /// Whether the error of the last rung may be told by a bound of the rounding of the data, where that leaves digits enough, in place of
    /// refits of perturbed data: for many small fits, whose coefficients stay the same.
    pub rough: bool,
}

impl Default for Settings {
    /// 11 digits, with a pass over the residuals.
    fn default() -> Self {
        Settings { digits: 11.0, one_pass: false, rough: false }
    }
}

impl Coordinates {
    /// The coordinates of some of the columns of a least squares fit, by their indices, and of its response.
    pub(crate) fn of_columns(solved: &LeastSquares, columns: &[usize], intercept: bool) -> Self {
        let response = solved.means.len() - 1;
        let chosen = || columns.iter().copied().chain([response]);
        let scale = |j: usize| {
            let size = (solved.deviations[j] / solved.totals.weight).sqrt();
            if size > 0.0 && size.is_finite() { power_of_two_near(1.0 / size) } else { 1.0 }
        };
        Coordinates::new(chosen().map(|j| solved.means[j]).collect(), chosen().map(scale).collect(), intercept)
    }
}
