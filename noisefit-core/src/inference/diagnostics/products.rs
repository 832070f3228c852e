//! Regressions on the side: sums of products of a few columns, and what follows from them.

use std::ops::Range;

use serde::{Deserialize, Serialize};

use pulp::Arch;

use crate::algebra::gram::{Columns, TILE_ROWS, add_gram, packed, packed_length, symmetric};

/// The share of its square that a column must keep beside those before it to count as another one. The columns here are
/// nearly orthonormal, or powers and products of such, so that rounding leaves far less.
const INDEPENDENT_SHARE: f64 = 1e-11;

/// The packed lower triangle of the sums of products of some columns.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Products {
    order: usize,
    pub(super) sums: Vec<f64>,
    #[serde(skip)]
    columns: Columns,
    #[serde(skip)]
    lanes: Vec<f64>,
}

impl Products {
    /// Of `order` columns and no rows.
    pub(super) fn new(order: usize) -> Self {
        Products { order, sums: vec![0.0; packed_length(order)], columns: Columns::default(), lanes: Vec::new() }
    }

    /// Adds `rows` rows; `fill(j, range, values)` writes a range of column `j`.
    pub(super) fn add(&mut self, rows: usize, fill: impl Fn(usize, Range<usize>, &mut [f64])) {
        self.columns.resize(self.order, rows);
        for (tile, start) in (0..rows).step_by(TILE_ROWS).enumerate() {
            let range = start..(start + TILE_ROWS).min(rows);
            for j in 0..self.order {
                fill(j, range.clone(), &mut self.columns.tile_mut(tile, j)[..range.len()]);
            }
        }
        add_gram(Arch::new(), &self.columns, &mut self.lanes, &mut self.sums);
    }

    pub(super) fn merge(&mut self, later: &Products) {
        self.sums.iter_mut().zip(&later.sums).for_each(|(mine, theirs)| *mine += theirs);
    }

    pub(super) fn get(&self, i: usize, j: usize) -> f64 {
        self.sums[symmetric(i, j)]
    }

    /// Eliminates the first `regressors` columns, in their order.
    pub(super) fn factor(&self, regressors: usize) -> Factor<'_> {
        let mut factor = Factor { products: self, kept: Vec::new(), rows: Vec::new() };
        for j in 0..regressors {
            let mut row = factor.row(j);
            let square = self.get(j, j);
            let left = square - row.iter().map(|value| value * value).sum::<f64>();
            if left > INDEPENDENT_SHARE * square {
                row.push(left.sqrt());
                factor.rows.extend(row);
                factor.kept.push(j);
            }
        }
        factor
    }
}

/// The triangular factor `L` of the columns that are no linear combinations of those before them.
#[derive(Debug)]
pub(super) struct Factor<'a> {
    products: &'a Products,
    /// Which columns were kept.
    pub(super) kept: Vec<usize>,
    /// `L`, packed by rows.
    rows: Vec<f64>,
}

impl Factor<'_> {
    /// `L^-1 b`, forwards, of a right side with one element for each column.
    fn forwards(&self, right: impl Fn(usize) -> f64) -> Vec<f64> {
        let mut solution: Vec<f64> = Vec::with_capacity(self.kept.len() + 1);
        for (k, &column) in self.kept.iter().enumerate() {
            let row = &self.rows[packed(k, 0)..packed(k, k)];
            let done: f64 = row.iter().zip(&solution).map(|(a, b)| a * b).sum();
            solution.push((right(column) - done) / self.rows[packed(k, k)]);
        }
        solution
    }

    /// A column in the orthonormal basis that the kept columns span: the squares sum to what they explain of its square.
    pub(super) fn row(&self, column: usize) -> Vec<f64> {
        self.forwards(|kept| self.products.get(column, kept))
    }

    /// What is left of a column's square beside the kept ones.
    pub(super) fn residual(&self, column: usize) -> f64 {
        let explained: f64 = self.row(column).iter().map(|value| value * value).sum();
        (self.products.get(column, column) - explained).max(0.0)
    }

    /// The coefficients of a column's regression on the kept ones, zero for the others.
    pub(super) fn coefficients(&self, column: usize) -> Vec<f64> {
        let mut solution = self.row(column);
        for k in (0..solution.len()).rev() {
            let done: f64 = (k + 1..solution.len()).map(|i| self.rows[packed(i, k)] * solution[i]).sum();
            solution[k] = (solution[k] - done) / self.rows[packed(k, k)];
        }
        let mut coefficients = vec![0.0; self.kept.last().map_or(0, |last| last + 1)];
        self.kept.iter().zip(solution).for_each(|(&j, value)| coefficients[j] = value);
        coefficients
    }

    /// `a' G^-1 a`: the variance of the combination `a` of the coefficients, in units of the residuals'.
    pub(super) fn variance(&self, combination: impl Fn(usize) -> f64) -> f64 {
        self.forwards(combination).iter().map(|value| value * value).sum()
    }
}
