//! Columns moved and scaled to size one, in which every later pass works.

use serde::{Deserialize, Serialize};

use std::ops::Range;

use crate::algebra::gram::{Columns, symmetric};
use crate::numeric::dispatch::vectorised;
use crate::numeric::double_double::{DoubleDouble, quick_two_sum, two_sum};
use crate::rows::{Block, Design, Values};

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
    pub(super) fn column<'a>(&self, block: &Block<'a>, j: usize) -> Values<'a> {
        block.design.dense_columns().get(j).copied().unwrap_or(block.response)
    }

    /// Writes `z` of design column `j`.
    #[inline(always)]
    pub(crate) fn fill(&self, design: Design<'_>, j: usize, rows: Range<usize>, target: &mut [f64]) {
        let (shift, scale) = (self.shifts[j], self.scales[j]);
        let x = &design.dense_columns()[j].high[rows];
        let target = &mut target[..x.len()];
        for i in 0..x.len() {
            target[i] = (x[i] - shift) * scale;
        }
    }

    /// Writes `z` of the response.
    #[inline(always)]
    pub(crate) fn fill_response(&self, block: &Block<'_>, rows: Range<usize>, target: &mut [f64]) {
        let (shift, scale) = (self.response_shift(), self.response_scale());
        let y = &block.response.high[rows];
        let target = &mut target[..y.len()];
        for i in 0..y.len() {
            target[i] = (y[i] - shift) * scale;
        }
    }

    /// Writes `z` of a design's columns (ones for an intercept first) to a tile, from a column of the target on, and shows
    /// each to `next`.
    #[inline(always)]
    pub(crate) fn fill_tile(
        &self,
        design: Design<'_>,
        rows: &Range<usize>,
        target: &mut Columns,
        (tile, first): (usize, usize),
        mut next: impl FnMut(usize, &[f64]),
    ) {
        let offset = self.offset();
        if offset == 1 {
            let ones = target.tile_mut(tile, first);
            ones[..rows.len()].fill(1.0);
            next(0, ones);
        }
        for (j, values) in design.dense_columns().iter().enumerate() {
            let (shift, scale) = (self.shifts[j], self.scales[j]);
            let z = target.tile_mut(tile, first + j + offset);
            for (z, x) in z.iter_mut().zip(&values.high[rows.clone()]) {
                *z = (x - shift) * scale;
            }
            next(j + offset, z);
        }
    }

    /// Row `i` of a design, one for an intercept first.
    pub(crate) fn row(&self, design: Design<'_>, i: usize) -> impl Iterator<Item = f64> {
        let columns = design.dense_columns().iter().zip(self.shifts.iter().zip(&self.scales));
        let z = columns.map(move |(values, (shift, scale))| (values.high[i] - shift) * scale);
        self.intercept.then_some(1.0).into_iter().chain(z)
    }

    /// Writes row `i` of some columns of a design, one for an intercept first.
    pub(crate) fn fill_row(&self, design: Design<'_>, columns: &[usize], i: usize, target: &mut [f64]) {
        let offset = self.offset();
        target[..offset].fill(1.0);
        for (j, &column) in columns.iter().enumerate() {
            target[j + offset] = (design.dense_columns()[column].high[i] - self.shifts[j]) * self.scales[j];
        }
    }

    /// Both words of `z` in row `i` of design column `j`.
    #[inline]
    pub(crate) fn both_words(&self, values: Values<'_>, j: usize, i: usize) -> DoubleDouble {
        (DoubleDouble::from_sum(values.high[i], -self.shifts[j]) + values.low(i)) * self.scales[j]
    }

    /// Writes `e = z_y - z'b` of every row.
    #[inline(always)]
    pub(crate) fn residuals(&self, block: &Block<'_>, coefficients: &[f64], residuals: &mut Vec<f64>) {
        let offset = self.offset();
        let (shift, scale) = (self.response_shift(), self.response_scale());
        let intercept = if offset == 1 { coefficients[0] } else { 0.0 };
        let y = block.response.high;
        residuals.clear();
        residuals.resize(y.len(), 0.0);
        for i in 0..y.len() {
            residuals[i] = (y[i] - shift) * scale - intercept;
        }
        let columns = &block.design.dense_columns()[..self.columns() - 1];
        for (j, values) in columns.iter().enumerate() {
            let (shift, slope) = (self.shifts[j], coefficients[j + offset] * self.scales[j]);
            let x = &values.high[..residuals.len()];
            for i in 0..x.len() {
                residuals[i] -= slope * (x[i] - shift);
            }
        }
    }

    /// Appends both words of `z` of column `j` of a block; the response is the last.
    pub(crate) fn extend(&self, block: &Block<'_>, j: usize, words: [&mut Vec<f64>; 2]) {
        self.extend_with(self.column(block, j), j, words);
    }

    /// Appends both words of `z` of a column that is the `j`th of these.
    pub(crate) fn extend_with(&self, values: Values<'_>, j: usize, [high, low]: [&mut Vec<f64>; 2]) {
        let (shift, scale, start) = (self.shifts[j], self.scales[j], high.len());
        high.extend_from_slice(values.high);
        low.resize(high.len(), 0.0);
        if let Some(words) = values.low {
            low[start..].copy_from_slice(words);
        }
        let (high, low) = (&mut high[start..], &mut low[start..]);
        vectorised(
            #[inline(always)]
            || {
                for i in 0..high.len() {
                    let (sum, error) = two_sum(high[i], -shift);
                    let (sum, error) = quick_two_sum(sum, error + low[i]);
                    high[i] = sum * scale;
                    low[i] = error * scale;
                }
            },
        );
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
