//! Weighted least squares: what is asked, and what is found.

use crate::Error;
use crate::algebra::coordinates::Coordinates;
use crate::algebra::ladder::Ladder;
use crate::algebra::leverage::Leverage;
use crate::algebra::magnitudes::Magnitudes;
use crate::algebra::{Moments, Totals};
use crate::rows::{Accumulator, Layout, RowSource, RowSourceExt, Sample, Subset};

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
}

impl Default for Settings {
    /// 11 digits, with a pass over the residuals.
    fn default() -> Self {
        Settings { digits: 11.0, one_pass: false }
    }
}

impl LeastSquares {
    /// Solves `min sum(v (y - b0 - x'b)^2)` over the rows of `source`.
    ///
    /// Climbs from moments to QR to double-double as far as `settings` ask. Small problems start on the last rung, because
    /// there it costs nothing.
    ///
    /// # Errors
    /// [`Error::NoRows`]; [`Error::Value`] for a number that is not finite, [`Error::Range`] for one whose square is not; or
    /// what the source reports.
    pub fn solve(source: &dyn RowSource, settings: Settings) -> Result<Self, Error> {
        Ok(Self::solve_sampled(source, settings, Sample::none())?.0)
    }

    /// The same, with a sample of the rows gathered on the way.
    pub(crate) fn solve_sampled(
        source: &dyn RowSource,
        settings: Settings,
        sample: Sample,
    ) -> Result<(Self, Sample), Error> {
        let all = (0..source.layout().terms.len()).collect();
        Self::solve_subset(Subset::of(source, all), settings, sample)
    }

    /// The names of the terms that were left out, where there are such.
    pub(crate) fn aliased_terms(&self, layout: &Layout) -> Option<Vec<String>> {
        let names = layout.coefficient_names();
        (!self.aliased.is_empty()).then(|| self.aliased.iter().map(|&j| names[j].clone()).collect())
    }

    pub(crate) fn solve_subset(
        source: Subset<'_>,
        settings: Settings,
        sample: Sample,
    ) -> Result<(Self, Sample), Error> {
        let layout = source.layout();
        let (columns, intercept) = (layout.terms.len(), layout.intercept);
        let (mut moments, sample) = source.pass((Moments::new(columns, intercept), sample))?;
        if moments.rows() == 0 {
            return Err(Error::NoRows);
        }
        let weight = moments.totals().weight;
        if !(1e-100..1e100).contains(&weight) {
            return Err(Error::Range { what: "the sum of the weights".to_owned(), size: weight });
        }
        if !within_range(&moments) {
            let magnitudes = source.pass(Magnitudes::new(columns))?;
            if let Some(error) = magnitudes.bad_value(&layout.terms, &layout.response) {
                return Err(error);
            }
            if let Some(error) = magnitudes.out_of_range(&layout.terms, &layout.response) {
                return Err(error);
            }
            moments = source.pass(magnitudes.scaled_moments(intercept))?;
        }
        let coordinates = Coordinates::from_moments(&moments, intercept);
        Ok((Ladder { source, moments, coordinates, settings }.climb()?, sample))
    }
}

/// Whether no sum of squares is so large or small that precision was lost in forming it.
fn within_range(moments: &Moments) -> bool {
    moments.is_finite() && (0..moments.order()).all(|j| (1e-200..1e200).contains(&moments.product(j, j)))
}
