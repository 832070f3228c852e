//! Kernels for rows that are stored one after the other, so that memory is read straight through and nothing transposed.

use pulp::{Simd, WithSimd};

use super::gram::packed;
use crate::rows::RowBlock;

/// Rows of a tile: of a few dozen columns it fits the first-level cache.
const TILE_ROWS: usize = 64;

/// Columns are padded with zeros to a multiple of this: the widest vector of doubles there is.
const COLUMN_MULTIPLE: usize = 8;

/// Deviations of a tile of rows, and what is summed over them. Kept from block to block for its memory.
#[derive(Debug, Clone, Default)]
pub(crate) struct RowScratch {
    /// `TILE_ROWS` rows of `stride` values.
    tile: Vec<f64>,
    stride: usize,
    /// Full rows of the products, lower triangle and a little more.
    products: Vec<f64>,
    sums: Vec<f64>,
    residuals: Vec<f64>,
}

impl RowScratch {
    fn reset(&mut self, columns: usize) {
        self.stride = columns.next_multiple_of(COLUMN_MULTIPLE);
        self.tile.clear();
        self.tile.resize(TILE_ROWS * self.stride, 0.0);
        self.sums.clear();
        self.sums.resize(self.stride, 0.0);
    }
}

/// Adds `sum(d d')` to the packed triangle `products` and `sum(d)` to `sums`, where `d = scale x - mean` for the columns of
/// the rows and, last, their response.
pub(crate) struct AddRowProducts<'a> {
    pub(crate) rows: &'a RowBlock<'a>,
    pub(crate) scales: &'a [f64],
    pub(crate) means: &'a [f64],
    pub(crate) scratch: &'a mut RowScratch,
    pub(crate) sums: &'a mut [f64],
    pub(crate) products: &'a mut [f64],
}

impl WithSimd for AddRowProducts<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let AddRowProducts { rows, scales, means, scratch, sums, products } = self;
        let (columns, order) = (rows.columns, means.len());
        scratch.reset(order);
        scratch.products.clear();
        scratch.products.resize(order * scratch.stride, 0.0);
        let stride = scratch.stride;
        // Padded with zeros, so that what is beyond the columns becomes zero.
        let (scales_padded, means_padded) = (padded(&scales[..columns], stride), padded(&means[..columns], stride));
        let (scales_padded, means_padded) = (S::as_simd_f64s(&scales_padded).0, S::as_simd_f64s(&means_padded).0);
        for start in (0..rows.rows()).step_by(TILE_ROWS) {
            let count = TILE_ROWS.min(rows.rows() - start);
            let values = &rows.values[start * columns..(start + count) * columns];
            let tile = &mut scratch.tile[..count * stride];
            let sums = S::as_mut_simd_f64s(&mut scratch.sums).0;
            for (i, y) in rows.response[start..start + count].iter().enumerate() {
                let target = &mut tile[i * stride..(i + 1) * stride];
                let row = &values[i * columns..(i + 1) * columns];
                deviations(simd, row, scales_padded, means_padded, S::as_mut_simd_f64s(target).0);
                target[columns] = y * scales[columns] - means[columns];
            }
            // Apart from the loop above, whose single stores a vector could not be loaded over at once.
            for (v, total) in sums.iter_mut().enumerate() {
                let mut sum = simd.splat_f64s(0.0);
                for row in tile.chunks_exact(stride) {
                    sum = simd.add_f64s(sum, S::as_simd_f64s(row).0[v]);
                }
                *total = simd.add_f64s(*total, sum);
            }
            add_tile(simd, tile, stride, order, &mut scratch.products);
        }
        for (sum, more) in sums.iter_mut().zip(&scratch.sums) {
            *sum += more;
        }
        for i in 0..order {
            for j in 0..=i {
                products[packed(i, j)] += scratch.products[i * stride + j];
            }
        }
    }
}

/// The values and zeros up to `length`.
fn padded(values: &[f64], length: usize) -> Vec<f64> {
    let mut padded = vec![0.0; length];
    padded[..values.len()].copy_from_slice(values);
    padded
}

/// `target = row * scales - means`, all but the row padded with zeros.
#[inline(always)]
fn deviations<S: Simd>(simd: S, row: &[f64], scales: &[S::f64s], means: &[S::f64s], target: &mut [S::f64s]) {
    let (head, tail) = S::as_simd_f64s(row);
    for (v, &x) in head.iter().enumerate() {
        target[v] = simd.sub_f64s(simd.mul_f64s(x, scales[v]), means[v]);
    }
    if head.len() < target.len() {
        let x = simd.partial_load_f64s(tail);
        target[head.len()] = simd.sub_f64s(simd.mul_f64s(x, scales[head.len()]), means[head.len()]);
    }
}

/// Adds the products of a tile: four rows of the triangle by up to three vectors of its columns at a time, whose sums stay
/// in registers (12 of the 16 of AVX2).
#[inline(always)]
fn add_tile<S: Simd>(simd: S, tile: &[f64], stride: usize, order: usize, products: &mut [f64]) {
    for first in (0..order).step_by(4) {
        let rows = 4.min(order - first);
        // Vectors that hold the columns up to the last of these rows.
        let vectors = (first + rows).div_ceil(S::F64_LANES);
        for vector in (0..vectors).step_by(3) {
            let width = 3.min(vectors - vector);
            match (rows, width) {
                (4, 3) => kernel::<S, 4, 3>(simd, tile, stride, first, vector, products),
                (4, 2) => kernel::<S, 4, 2>(simd, tile, stride, first, vector, products),
                (4, _) => kernel::<S, 4, 1>(simd, tile, stride, first, vector, products),
                (3, 3) => kernel::<S, 3, 3>(simd, tile, stride, first, vector, products),
                (3, 2) => kernel::<S, 3, 2>(simd, tile, stride, first, vector, products),
                (3, _) => kernel::<S, 3, 1>(simd, tile, stride, first, vector, products),
                (2, 3) => kernel::<S, 2, 3>(simd, tile, stride, first, vector, products),
                (2, 2) => kernel::<S, 2, 2>(simd, tile, stride, first, vector, products),
                (2, _) => kernel::<S, 2, 1>(simd, tile, stride, first, vector, products),
                (_, 3) => kernel::<S, 1, 3>(simd, tile, stride, first, vector, products),
                (_, 2) => kernel::<S, 1, 2>(simd, tile, stride, first, vector, products),
                (_, _) => kernel::<S, 1, 1>(simd, tile, stride, first, vector, products),
            }
        }
    }
}

#[inline(always)]
fn kernel<S: Simd, const R: usize, const V: usize>(
    simd: S,
    tile: &[f64],
    stride: usize,
    first: usize,
    vector: usize,
    products: &mut [f64],
) {
    let lanes = S::F64_LANES;
    // A tile is summed by itself before it is added: sums of sums lose less than one long sum.
    let mut sums = [[simd.splat_f64s(0.0); V]; R];
    for row in tile.chunks_exact(stride) {
        let columns = S::as_simd_f64s(&row[vector * lanes..vector * lanes + V * lanes]).0;
        let factors = &row[first..first + R];
        for r in 0..R {
            let factor = simd.splat_f64s(factors[r]);
            for v in 0..V {
                sums[r][v] = simd.mul_add_e_f64s(factor, columns[v], sums[r][v]);
            }
        }
    }
    for r in 0..R {
        let row = S::as_mut_simd_f64s(&mut products[(first + r) * stride + vector * lanes..][..V * lanes]).0;
        for v in 0..V {
            row[v] = simd.add_f64s(row[v], sums[r][v]);
        }
    }
}

/// What [`RowResiduals`] sums.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct RowSums {
    /// `sum(e)`.
    pub(crate) residuals: f64,
    /// `sum(e^2)`.
    pub(crate) squares: f64,
    /// `sum(|e|)`.
    pub(crate) absolute: f64,
    /// `sum(y)`.
    pub(crate) response: f64,
    /// `sum(y^2)`.
    pub(crate) response_squares: f64,
}

/// The residuals `e = y - intercept - (x - shift)'slopes` of rows, `y` shifted and scaled first: their sums, and
/// `sum(e (x - shift))` added to `gradient`.
pub(crate) struct RowResiduals<'a> {
    pub(crate) rows: &'a RowBlock<'a>,
    pub(crate) shifts: &'a [f64],
    pub(crate) slopes: &'a [f64],
    pub(crate) intercept: f64,
    /// Shift and scale of the response.
    pub(crate) response: (f64, f64),
    pub(crate) scratch: &'a mut RowScratch,
    pub(crate) gradient: &'a mut [f64],
}

impl WithSimd for RowResiduals<'_> {
    type Output = RowSums;

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> RowSums {
        let RowResiduals { rows, shifts, slopes, intercept, response, scratch, gradient } = self;
        let columns = rows.columns;
        scratch.reset(columns);
        let RowScratch { tile, stride, sums: gradients, residuals, .. } = scratch;
        let stride = *stride;
        let slopes = padded(slopes, stride);
        let slopes = S::as_simd_f64s(&slopes).0;
        let (ones, shifts) = (padded(&vec![1.0; columns], stride), padded(shifts, stride));
        let (ones, shifts) = (S::as_simd_f64s(&ones).0, S::as_simd_f64s(&shifts).0);
        let mut sums = RowSums::default();
        for start in (0..rows.rows()).step_by(TILE_ROWS) {
            let count = TILE_ROWS.min(rows.rows() - start);
            let values = &rows.values[start * columns..(start + count) * columns];
            let tile = &mut tile[..count * stride];
            residuals.clear();
            let mut responses = [0.0; 2];
            for (i, y) in rows.response[start..start + count].iter().enumerate() {
                let target = &mut tile[i * stride..(i + 1) * stride];
                let row = &values[i * columns..(i + 1) * columns];
                deviations(simd, row, ones, shifts, S::as_mut_simd_f64s(target).0);
                let mut fitted = simd.splat_f64s(0.0);
                for (&deviation, &slope) in S::as_simd_f64s(target).0.iter().zip(slopes) {
                    fitted = simd.mul_add_e_f64s(deviation, slope, fitted);
                }
                let y = (y - response.0) * response.1;
                responses[0] += y;
                responses[1] += y * y;
                residuals.push(y - intercept - simd.reduce_sum_f64s(fitted));
            }
            let mut errors = [0.0; 3];
            for e in residuals.iter() {
                errors[0] += e;
                errors[1] += e * e;
                errors[2] += e.abs();
            }
            sums.residuals += errors[0];
            sums.squares += errors[1];
            sums.absolute += errors[2];
            sums.response += responses[0];
            sums.response_squares += responses[1];
            let gradients = S::as_mut_simd_f64s(gradients).0;
            for (v, total) in gradients.iter_mut().enumerate() {
                let mut sum = simd.splat_f64s(0.0);
                for (row, &e) in tile.chunks_exact(stride).zip(residuals.iter()) {
                    sum = simd.mul_add_e_f64s(simd.splat_f64s(e), S::as_simd_f64s(row).0[v], sum);
                }
                *total = simd.add_f64s(*total, sum);
            }
        }
        for (total, sum) in gradient.iter_mut().zip(gradients.iter()) {
            *total += sum;
        }
        sums
    }
}
