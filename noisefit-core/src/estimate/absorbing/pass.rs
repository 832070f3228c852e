//! What a step of the search needs of the rows: sums, and a weighted least squares problem.

use serde::{Deserialize, Serialize};

use crate::estimate::absorbing::point::{Point, Rows};
use crate::estimate::estimated::ErrorSums;
use crate::numeric::sum::Sum;
use crate::rows::{Accumulator, Adaptor, Block, Layout};

/// A row counts in the curvature of the location for this part of `psi(r) / r` at least: beyond the knee, and where the density is not
/// log-concave, the second derivative is zero or less, and a level of such rows alone would have none.
const LEAST_PART: f64 = 0.02;

/// And for this part of the square of its scale, which is next to nothing.
const LEAST: f64 = 1e-12;

/// Minus the second derivative of a row's log-likelihood by its location, made positive.
fn curvature(rows: &Rows, i: usize) -> f64 {
    rows.curvature[i].max(LEAST_PART * rows.weight[i]).max(LEAST) * rows.inverse[i] * rows.inverse[i]
}

/// The rows as a weighted least squares problem, whose solution is Newton's step of the location given those of `ln s` and of the shape:
/// with `v` the curvature and `a = sqrt(w) / s`, the response `psi a / v`, the columns, and behind them what the location moves by as `ln s`
/// and the shape change, `(r psi' + psi) a / v` and `-psi_theta a / v`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Working(pub(super) Point);

impl Working {
    pub(super) fn layout(&self, of: &Layout, shaped: bool) -> Layout {
        let shape = shaped.then(|| "the shape".to_owned());
        let more = std::iter::once("the scale".to_owned()).chain(shape);
        Layout { terms: of.terms.iter().cloned().chain(more).collect(), intercept: false, ..of.clone() }
    }
}

/// `(r psi' + psi) a / v`.
fn by_scale(rows: &Rows, i: usize, v: f64) -> f64 {
    (rows.standardised[i] * rows.curvature[i] + rows.score[i]) * rows.inverse[i] / v
}

/// `-psi_theta a / v`.
fn by_shape(rows: &Rows, i: usize, v: f64) -> f64 {
    -rows.by_shape[1][i] * rows.inverse[i] / v
}

impl Adaptor for Working {
    const KIND: &'static str = "step beside effects";

    fn adapt(&mut self, block: &Block<'_>, next: &mut dyn FnMut(&Block<'_>)) {
        let rows = self.0.rows(block);
        let count = block.rows();
        let v: Vec<f64> = (0..count).map(|i| curvature(&rows, i)).collect();
        let response: Vec<f64> = (0..count).map(|i| rows.score[i] * rows.inverse[i] / v[i]).collect();
        let scale: Vec<f64> = (0..count).map(|i| by_scale(&rows, i, v[i])).collect();
        let shape: Option<Vec<f64>> =
            (!rows.by_shape[1].is_empty()).then(|| (0..count).map(|i| by_shape(&rows, i, v[i])).collect());
        let more = std::iter::once(&scale).chain(&shape).map(|column| &column[..]);
        let columns = block.design.followed_by(more);
        next(&Block {
            response: response[..].into(),
            design: columns.design(),
            weights: Some(&v),
            log_jacobian: None,
            ..*block
        });
    }
}

/// Sums over the rows at a point.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Sums {
    point: Point,
    rows: u64,
    sums: [Sum; COUNT],
}

const COUNT: usize = 10;

/// `sum(f)`.
const OBSERVATIONS: usize = 0;
/// `sum(f (rho + ln s))`.
const LOSS: usize = 1;
/// `sum(f w e^2)`.
const WEIGHTED_SQUARES: usize = 2;
/// `sum(f e^2)`.
const SQUARES: usize = 3;
/// `sum(f |e|)`.
const ABSOLUTE: usize = 4;
/// The slope by `ln s`, less `sum(f v c u)`: `u` is the working response, `c` the working column of `ln s`.
const SCALE: usize = 5;
/// Minus the second derivative by it, less `sum(f v c^2)`.
const SCALE_SCALE: usize = 6;
/// As the two of `ln s`, by the shape, whose working column is `t`; but for what is of the constant.
const SHAPE: usize = 7;
const SHAPE_SHAPE: usize = 8;
/// Minus the second derivative by both, less `sum(f v c t)`.
const SCALE_SHAPE: usize = 9;

impl Sums {
    pub(super) fn new(point: Point) -> Self {
        Sums { point, rows: 0, sums: Default::default() }
    }

    pub(super) fn point(&self) -> &Point {
        &self.point
    }

    fn sum(&self, which: usize) -> f64 {
        self.sums[which].value()
    }

    pub(super) fn observations(&self) -> f64 {
        self.sum(OBSERVATIONS)
    }

    /// The log-likelihood, but for half the sum of the logarithms of the weights and the response's log Jacobian; `constant` is what is added
    /// to `rho`.
    pub(super) fn log_likelihood(&self, constant: f64) -> f64 {
        let mut sum = self.sums[LOSS];
        sum.add(self.observations() * constant);
        -sum.value()
    }

    pub(super) fn errors(&self) -> ErrorSums {
        ErrorSums {
            weighted_squares: self.sum(WEIGHTED_SQUARES),
            squares: self.sum(SQUARES),
            absolute: self.sum(ABSOLUTE),
        }
    }

    /// What the slopes by `ln s` and the shape have that is not in products of the working columns; and minus the second derivatives by `ln s`,
    /// by both and by the shape, likewise. `constant` are the derivatives of what is added to `rho`.
    pub(super) fn beside_products(&self, constant: [f64; 3]) -> ([f64; 2], [f64; 3]) {
        let n = self.observations();
        let slopes = [self.sum(SCALE), self.sum(SHAPE) - n * constant[1]];
        (slopes, [self.sum(SCALE_SCALE), self.sum(SCALE_SHAPE), self.sum(SHAPE_SHAPE) + n * constant[2]])
    }
}

impl Accumulator for Sums {
    const KIND: &'static str = "sums beside effects";

    fn fold(&mut self, block: &Block<'_>) {
        let rows = self.point.rows(block);
        let shaped = !rows.by_shape[1].is_empty();
        self.rows += block.rows() as u64;
        let mut of_block = [0.0; COUNT];
        for i in 0..block.rows() {
            let (f, w, e, r) = (block.frequency(i), block.weight(i), rows.residuals[i], rows.standardised[i]);
            let (psi, a) = (rows.score[i], rows.inverse[i]);
            let v = curvature(&rows, i);
            let (u, c) = (psi * a / v, by_scale(&rows, i, v));
            let bent = r * rows.curvature[i] + psi;
            of_block[OBSERVATIONS] += f;
            of_block[LOSS] += f * (rows.value[i] + self.point.log_scale);
            of_block[WEIGHTED_SQUARES] += f * w * e * e;
            of_block[SQUARES] += f * e * e;
            of_block[ABSOLUTE] += f * e.abs();
            of_block[SCALE] += f * (r * psi - 1.0 - v * c * u);
            of_block[SCALE_SCALE] += f * (r * bent - v * c * c);
            if shaped {
                let t = by_shape(&rows, i, v);
                of_block[SHAPE] += f * (-rows.by_shape[0][i] - v * t * u);
                of_block[SHAPE_SHAPE] += f * (rows.by_shape[2][i] - v * t * t);
                of_block[SCALE_SHAPE] += f * (-r * rows.by_shape[1][i] - v * c * t);
            }
        }
        self.sums.iter_mut().zip(of_block).for_each(|(sum, value)| sum.add(value));
    }

    fn merge(&mut self, later: Self) {
        self.rows += later.rows;
        self.sums.iter_mut().zip(later.sums).for_each(|(mine, theirs)| mine.merge(theirs));
    }

    fn rows(&self) -> u64 {
        self.rows
    }
}
