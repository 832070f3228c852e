//! Columns moved and scaled to size one, in which every later pass works.

use serde::{Deserialize, Serialize};

use crate::algebra::gram::symmetric;
use crate::numeric::double_double::DoubleDouble;
use crate::rows::{Block, Values};

/// `z = (x - shift) * scale` for every design column and, last, the response.
///
/// The shifts are means (zero without an intercept), so that the columns are nearly orthogonal to the intercept; the
/// scales are powers of two, so that scaling rounds nothing. Neither need be exact: coefficients are carried back with
/// the very numbers that stand here.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Coordinates {
    shifts: Vec<f64>,
    scales: Vec<f64>,
    intercept: bool,
}

impl Coordinates {
    /// By their shifts and scales, the response's last.
    pub(crate) fn new(shifts: Vec<f64>, scales: Vec<f64>, intercept: bool) -> Self {
        Coordinates { shifts, scales, intercept }
    }

    /// Those of a design, with a response as it stands in the data.
    pub(crate) fn of_design(shifts: &[f64], scales: &[f64], intercept: bool) -> Self {
        Coordinates { shifts: [shifts, &[0.0]].concat(), scales: [scales, &[1.0]].concat(), intercept }
    }

    /// Those of a response alone, without a design.
    pub(crate) fn of_response(scale: f64) -> Self {
        Coordinates { shifts: vec![0.0], scales: vec![scale], intercept: false }
    }

    /// The same where what is predicted has no unit and no mean of its own.
    #[must_use]
    pub(crate) fn without_response(mut self) -> Self {
        let response = self.shifts.len() - 1;
        (self.shifts[response], self.scales[response]) = (0.0, 1.0);
        self
    }

    /// The number of columns, the response included, the intercept not.
    pub fn columns(&self) -> usize {
        self.shifts.len()
    }

    /// The number of coefficients, the intercept included where there is one.
    pub fn coefficients(&self) -> usize {
        self.columns() - 1 + self.offset()
    }

    /// The index of the first design column among the coefficients.
    pub fn offset(&self) -> usize {
        usize::from(self.intercept)
    }

    /// Whether the model has an intercept.
    pub fn intercept(&self) -> bool {
        self.intercept
    }

    /// What is subtracted from column `j`.
    pub fn shift(&self, j: usize) -> f64 {
        self.shifts[j]
    }

    /// What column `j` is multiplied by.
    pub fn scale(&self, j: usize) -> f64 {
        self.scales[j]
    }

    /// What the response is multiplied by.
    pub fn response_scale(&self) -> f64 {
        self.scales[self.columns() - 1]
    }

    /// Column `j` of a block; the response is the last.
    pub(crate) fn column<'a>(&self, block: &Block<'a>, j: usize) -> Values<'a> {
        block.design.get(j).copied().unwrap_or(block.response)
    }

    /// The coefficients of `z` from those of the columns themselves.
    pub(crate) fn carry_in(&self, coefficients: &[f64]) -> Vec<f64> {
        let (intercept, slopes) = coefficients.split_at(self.offset());
        let (response, unit) = (self.columns() - 1, self.response_scale());
        let shifted: f64 = slopes.iter().zip(&self.shifts).map(|(slope, shift)| slope * shift).sum();
        let intercept = intercept.iter().map(|intercept| (intercept + shifted - self.shifts[response]) * unit);
        intercept.chain(slopes.iter().zip(&self.scales).map(|(slope, scale)| slope * (unit / scale))).collect()
    }

    /// The coefficient `term` of the columns themselves, from those of `z`: a slope is scaled, the intercept also takes
    /// back all shifts (but for the response's own). Linear in the values.
    pub(crate) fn carry_back(&self, term: usize, value: impl Fn(usize) -> DoubleDouble) -> DoubleDouble {
        let unscale = 1.0 / self.response_scale();
        match term.checked_sub(self.offset()) {
            Some(j) => value(term) * (self.scales[j] * unscale),
            None => {
                let shifted = (0..self.columns() - 1).fold(value(0), |sum, j| {
                    sum - value(j + 1) * DoubleDouble::from_product(self.scales[j], self.shifts[j])
                });
                shifted * unscale
            }
        }
    }

    /// All coefficients of the columns themselves, from those of `z`, of a response that was shifted by `response_shift`.
    pub(crate) fn carry_back_all<V: Copy + Into<DoubleDouble>>(&self, values: &[V], response_shift: f64) -> Vec<f64> {
        let shift = |term: usize| if term < self.offset() { response_shift } else { 0.0 };
        (0..values.len()).map(|term| (self.carry_back(term, |k| values[k].into()) + shift(term)).to_f64()).collect()
    }

    /// Coefficients of the same columns in other coordinates, where the response is in its own unit and unmoved in both.
    pub(crate) fn moved(&self, to: &Coordinates, coefficients: &[f64]) -> Vec<f64> {
        let (offset, mut moved) = (self.offset(), coefficients.to_vec());
        let mut intercept = DoubleDouble::from(coefficients.first().copied().unwrap_or(0.0));
        for j in 0..self.columns() - 1 {
            let slope = coefficients[j + offset] * self.scales[j];
            moved[j + offset] = slope / to.scales[j];
            intercept += DoubleDouble::from_sum(to.shifts[j], -self.shifts[j]) * slope;
        }
        if self.intercept {
            moved[0] = intercept.to_f64();
        }
        moved
    }

    /// What is subtracted from the response.
    pub(crate) fn response_shift(&self) -> f64 {
        self.shifts[self.columns() - 1]
    }

    /// The largest effect on coefficient `term` of errors of at most `size(k)` in those of `z`.
    pub(crate) fn carry_back_bound(&self, term: usize, size: impl Fn(usize) -> f64) -> f64 {
        let sign = |j: usize| if self.shifts[j] > 0.0 { -1.0 } else { 1.0 };
        let worst = |k: usize| if self.intercept && k > 0 { sign(k - 1) * size(k) } else { size(k) };
        self.carry_back(term, |k| worst(k).into()).to_f64().abs()
    }

    /// The covariance of coefficients `i` and `j` of the columns themselves, from the packed one of `z`. It has no unit of
    /// the response.
    pub(crate) fn carry_back_covariance(&self, covariance: &[DoubleDouble], i: usize, j: usize) -> f64 {
        let sum = self.carry_back(i, |k| self.carry_back(j, |l| covariance[symmetric(k, l)]));
        (sum * self.response_scale() * self.response_scale()).to_f64()
    }
}

/// The power of two nearest to a positive `x` on the logarithmic scale, within the range in which its square is normal.
pub(crate) fn power_of_two_near(x: f64) -> f64 {
    x.log2().round().clamp(-500.0, 500.0).exp2()
}
