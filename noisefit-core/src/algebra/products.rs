//! What columns of a design are multiplied with as they stand: row by row, and a tile of rows at a time.

use std::ops::Range;

use crate::algebra::gram::{Columns, packed};
use crate::rows::Design;

impl Columns {
    /// Fills a tile with the columns of a design, each times the factors of the tile's rows.
    #[inline(always)]
    pub(crate) fn fill_products(&mut self, tile: usize, design: Design<'_>, rows: &Range<usize>, factors: &[f64]) {
        for (j, values) in design.dense_columns().iter().enumerate() {
            let column = self.tile_mut(tile, j);
            for ((product, x), factor) in column.iter_mut().zip(&values.high[rows.clone()]).zip(factors) {
                *product = x * factor;
            }
        }
    }
}

/// Copies a row.
#[inline]
pub(crate) fn copy_row(design: Design<'_>, row: usize, target: &mut [f64]) {
    target.iter_mut().zip(design.dense_columns()).for_each(|(value, values)| *value = values.high[row]);
}

/// Adds `x'x` of every row `x`.
#[inline(always)]
pub(crate) fn add_squared_lengths(design: Design<'_>, rows: &Range<usize>, sums: &mut [f64]) {
    for values in design.dense_columns() {
        for (sum, x) in sums.iter_mut().zip(&values.high[rows.clone()]) {
            *sum += x * x;
        }
    }
}

/// Adds `x'b` of every row `x`.
#[inline(always)]
pub(crate) fn add_combination(design: Design<'_>, coefficients: &[f64], rows: &Range<usize>, sums: &mut [f64]) {
    for (b, values) in coefficients.iter().zip(design.dense_columns()) {
        sums.iter_mut().zip(&values.high[rows.clone()]).for_each(|(sum, x)| *sum += b * x);
    }
}

/// Adds `w x x'` to a packed Gram matrix and `e x` to sums, of one row.
#[inline]
pub(crate) fn add_row(design: Design<'_>, row: usize, (w, e): (f64, f64), gram: &mut [f64], sums: &mut [f64]) {
    let columns = design.dense_columns();
    for (j, values) in columns.iter().enumerate() {
        let x = values.high[row];
        sums[j] += e * x;
        let products = gram[packed(j, 0)..packed(j, j) + 1].iter_mut();
        products.zip(columns).for_each(|(sum, other)| *sum += w * x * other.high[row]);
    }
}

/// `z' C z` of every row `z`, a one before the design's columns where `C` has a row more.
pub(crate) fn quadratic_form(matrix: &[Vec<f64>], design: Design<'_>, rows: usize) -> Vec<f64> {
    let columns = design.dense_columns();
    let offset = matrix.len() - columns.len().min(matrix.len());
    let entry = |k: usize, i: usize| k.checked_sub(offset).map_or(1.0, |j| columns[j].high[i]);
    let row = |i: usize| {
        let product = |(k, row): (usize, &Vec<f64>)| {
            entry(k, i) * row.iter().enumerate().map(|(l, value)| value * entry(l, i)).sum::<f64>()
        };
        matrix.iter().enumerate().map(product).sum::<f64>()
    };
    (0..rows).map(row).collect()
}

/// Appends rows one after the other in single precision, of each column `(x - shift) scale` by its own `[shift, scale]`.
pub(crate) fn extend_single(design: Design<'_>, moves: &[[f64; 2]], rows: usize, target: &mut Vec<f32>) {
    let (width, start) = (moves.len(), target.len());
    target.resize(start + rows * width, 0.0);
    let new = &mut target[start..];
    for (j, (values, [shift, scale])) in design.dense_columns().iter().zip(moves).enumerate() {
        for (row, value) in new.chunks_exact_mut(width).zip(values.high) {
            row[j] = ((value - shift) * scale) as f32;
        }
    }
}

/// Moves the ends `[low, high]` of every column out to the values of a row.
pub(crate) fn widen_ranges(design: Design<'_>, row: usize, ranges: &mut [[f64; 2]]) {
    for ([low, high], values) in ranges.iter_mut().zip(design.dense_columns()) {
        (*low, *high) = (low.min(values.high[row]), high.max(values.high[row]));
    }
}
