//! Linear predictors, and the residuals that they leave.

use serde::{Deserialize, Serialize};

use crate::numeric::dispatch::vectorised;
use crate::numeric::double_double::DoubleDouble;
use crate::rows::{Block, Design};

/// A linear predictor `intercept + x'slopes`.
///
/// ```
/// use noisefit_core::algebra::Affine;
///
/// let line = Affine::new(&[Some(1.0), None, Some(-2.0)], true);
/// assert_eq!((line.intercept, &line.slopes[..]), (1.0, &[0.0, -2.0][..]));
/// let columns = [(&[5.0, 6.0][..]).into(), (&[0.5, 1.0][..]).into()];
/// assert_eq!(line.values(&columns, 2), [0.0, -1.0]);
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Affine {
    /// Its value where all columns are zero.
    pub intercept: f64,
    /// What it rises by with each column.
    pub slopes: Vec<f64>,
}

impl Affine {
    /// From coefficients, the intercept first where there is one; aliased terms have none and count as zero.
    pub fn new(coefficients: &[Option<f64>], intercept: bool) -> Self {
        let mut values = coefficients.iter().map(|value| value.unwrap_or(0.0));
        let intercept = if intercept { values.next().unwrap_or(0.0) } else { 0.0 };
        Affine { intercept, slopes: values.collect() }
    }

    /// Its value in every row, each summed in double-double.
    pub fn values<'a>(&self, design: impl Into<Design<'a>>, rows: usize) -> Vec<f64> {
        let columns = design.into().dense_columns();
        let terms = || self.slopes.iter().zip(columns).filter(|(slope, _)| **slope != 0.0);
        let (mut sums, mut sums_low) = (vec![self.intercept; rows], vec![0.0; rows]);
        // As many rows at a time as stay in the cache while every column is added.
        let parts = sums.chunks_mut(TOGETHER).zip(sums_low.chunks_mut(TOGETHER));
        for (start, (high, low)) in (0..rows).step_by(TOGETHER).zip(parts) {
            for (&slope, values) in terms() {
                let range = start..start + high.len();
                let (x, x_low) = (&values.high[range.clone()], values.low.map(|low| &low[range]));
                vectorised(|| add_term(high, low, slope, x, x_low));
            }
            high.iter_mut().zip(&*low).for_each(|(high, low)| *high += low);
        }
        sums
    }

    /// Whether it is of so many columns, and all its numbers are finite.
    pub(crate) fn is_sound(&self, columns: usize) -> bool {
        self.slopes.len() == columns && self.slopes.iter().chain([&self.intercept]).all(|value| value.is_finite())
    }

    /// The intercept, then the slopes.
    pub fn numbers(&self) -> impl Iterator<Item = f64> {
        std::iter::once(self.intercept).chain(self.slopes.iter().copied())
    }

    /// Its value in the first row, and what that of every row is more: columns far from zero cost no digits.
    pub(crate) fn evaluate(&self, design: Design<'_>, rows: usize) -> (DoubleDouble, Vec<f64>) {
        let (mut first, mut differences) = (DoubleDouble::from(self.intercept), vec![0.0; rows]);
        for (&slope, values) in self.slopes.iter().zip(design.dense_columns()).filter(|(slope, _)| **slope != 0.0) {
            let Some(&origin) = values.high.first() else { continue };
            first += DoubleDouble::from_sum(origin, values.low(0)) * slope;
            let origin_low = values.low(0);
            for (i, difference) in differences.iter_mut().enumerate() {
                *difference += slope * ((values.high[i] - origin) + (values.low(i) - origin_low));
            }
        }
        (first, differences)
    }

    /// `y` less its value, in every row.
    pub(crate) fn residuals(&self, block: &Block<'_>) -> Vec<f64> {
        let (first, mut values) = self.evaluate(block.design, block.rows());
        for (i, value) in values.iter_mut().enumerate() {
            *value = (block.response.high[i] - first.high) + (block.response.low(i) - first.low) - *value;
        }
        values
    }
}

/// Rows that [`Affine::values`] sums at a time.
const TOGETHER: usize = 1024;

/// `sum += slope x` in double-double.
#[inline(always)]
fn add_term(sum: &mut [f64], sum_low: &mut [f64], slope: f64, x: &[f64], x_low: Option<&[f64]>) {
    let count = sum.len();
    let (sum_low, x) = (&mut sum_low[..count], &x[..count]);
    let mut add = |i: usize, x: DoubleDouble| {
        let total = DoubleDouble { high: sum[i], low: sum_low[i] } + x * slope;
        (sum[i], sum_low[i]) = (total.high, total.low);
    };
    match x_low {
        None => (0..count).for_each(|i| add(i, DoubleDouble::from(x[i]))),
        Some(low) => {
            let low = &low[..count];
            (0..count).for_each(|i| add(i, DoubleDouble::from_sum(x[i], low[i])));
        }
    }
}

/// `y - value x` in every row, of design column `column`, or of ones where there is none.
pub(crate) fn without_term(block: &Block<'_>, column: Option<usize>, value: f64) -> Vec<DoubleDouble> {
    let column = column.map(|j| block.design.dense_columns()[j]);
    let part = |i: usize| match column {
        None => DoubleDouble::from(value),
        Some(x) => DoubleDouble::from_sum(x.high[i], x.low(i)) * value,
    };
    let moved = |i: usize| DoubleDouble::from_sum(block.response.high[i], block.response.low(i)) - part(i);
    (0..block.rows()).map(moved).collect()
}

/// A sum of columns in every row: places, none for a column of ones, and what each is multiplied by.
pub(crate) fn combined(design: Design<'_>, rows: usize, sum: &[(Option<usize>, f64)]) -> Vec<DoubleDouble> {
    let mut values = vec![DoubleDouble::ZERO; rows];
    for &(column, factor) in sum {
        match column.map(|j| design.dense_columns()[j]) {
            None => values.iter_mut().for_each(|value| *value += factor),
            Some(x) => values.iter_mut().enumerate().for_each(|(i, value)| {
                *value += DoubleDouble::from_sum(x.high[i], x.low(i)) * factor;
            }),
        }
    }
    values
}
