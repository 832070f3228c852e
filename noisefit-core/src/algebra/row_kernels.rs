//! Kernels for rows that are stored one after the other, so that memory is read straight through and nothing transposed.

use pulp::{Simd, WithSimd};

use crate::algebra::gram::packed;
use crate::algebra::lanes::lanes_sum;
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
        let (stride, mut last) = (scratch.stride, Vec::new());
        // Padded with zeros, so that what is beyond the columns becomes zero.
        let (scales_padded, means_padded) = (padded(&scales[..columns], stride), padded(&means[..columns], stride));
        let (scales_padded, means_padded) = (S::as_simd_f64s(&scales_padded).0, S::as_simd_f64s(&means_padded).0);
        for start in (0..rows.rows()).step_by(TILE_ROWS) {
            let count = TILE_ROWS.min(rows.rows() - start);
            let tile = &mut scratch.tile[..count * stride];
            let sums = S::as_mut_simd_f64s(&mut scratch.sums).0;
            for (i, y) in rows.response[start..start + count].iter().enumerate() {
                let target = &mut tile[i * stride..(i + 1) * stride];
                let row = long_row(rows, start + i, stride, &mut last);
                let (row, deviations) = (S::as_simd_f64s(row).0, S::as_mut_simd_f64s(target).0);
                for (((&x, deviation), &scale), &mean) in
                    row.iter().zip(deviations).zip(scales_padded).zip(means_padded)
                {
                    *deviation = simd.sub_f64s(simd.mul_f64s(x, scale), mean);
                }
                target[columns] = y * scales[columns] - means[columns];
            }
            // Apart from the loop above, whose single stores a vector could not be loaded over at once.
            add_columns(simd, tile, stride, &ONES[..count], sums);
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

/// Row `i` and what follows it, `stride` values in all; `last` is where the end of the rows is padded.
#[inline(always)]
fn long_row<'a>(rows: &'a RowBlock<'_>, i: usize, stride: usize, last: &'a mut Vec<f64>) -> &'a [f64] {
    let start = i * rows.columns;
    match rows.values.get(start..start + stride) {
        Some(row) => row,
        None => {
            last.clear();
            last.extend_from_slice(&rows.values[start..start + rows.columns]);
            last.resize(stride, 0.0);
            last
        }
    }
}

const ONES: [f64; TILE_ROWS] = [1.0; TILE_ROWS];

/// Adds `sum(factor row)` over the rows of a tile to `totals`. Four sums run side by side, for an addition takes as long as
/// four of them can be begun in; and a tile is summed by itself before it is added.
#[inline(always)]
fn add_columns<S: Simd>(simd: S, tile: &[f64], stride: usize, factors: &[f64], totals: &mut [S::f64s]) {
    const SUMS: usize = 4;
    for (v, total) in totals.iter_mut().enumerate() {
        let mut sums = [simd.splat_f64s(0.0); SUMS];
        let (rows, factors) = (tile.chunks_exact(SUMS * stride), factors.chunks(SUMS));
        let rest = rows.remainder();
        for (rows, factors) in rows.zip(factors.clone()) {
            for r in 0..SUMS {
                let row = S::as_simd_f64s(&rows[r * stride..(r + 1) * stride]).0;
                sums[r] = simd.mul_add_e_f64s(simd.splat_f64s(factors[r]), row[v], sums[r]);
            }
        }
        let last = factors.last().unwrap_or_default();
        for (r, row) in rest.chunks_exact(stride).enumerate() {
            sums[r] = simd.mul_add_e_f64s(simd.splat_f64s(last[r]), S::as_simd_f64s(row).0[v], sums[r]);
        }
        let [a, b, c, d] = sums;
        *total = simd.add_f64s(*total, simd.add_f64s(simd.add_f64s(a, b), simd.add_f64s(c, d)));
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
        let shifts = padded(shifts, stride);
        let shifts = S::as_simd_f64s(&shifts).0;
        let (mut sums, mut last) = (RowSums::default(), Vec::new());
        for start in (0..rows.rows()).step_by(TILE_ROWS) {
            let count = TILE_ROWS.min(rows.rows() - start);
            let tile = &mut tile[..count * stride];
            residuals.resize(count, 0.0);
            let mut responses = [0.0; 2];
            let in_tile = &rows.response[start..start + count];
            for (i, (y, residual)) in in_tile.iter().zip(residuals.iter_mut()).enumerate() {
                let target = &mut tile[i * stride..(i + 1) * stride];
                let row = long_row(rows, start + i, stride, &mut last);
                let (row, target) = (S::as_simd_f64s(row).0, S::as_mut_simd_f64s(target).0);
                let mut fitted = simd.splat_f64s(0.0);
                for (((&x, target), &shift), &slope) in row.iter().zip(target).zip(shifts).zip(slopes) {
                    // Beyond the columns stand numbers of the next row, with slopes of zero.
                    let deviation = simd.sub_f64s(x, shift);
                    *target = deviation;
                    fitted = simd.mul_add_e_f64s(deviation, slope, fitted);
                }
                let y = (y - response.0) * response.1;
                responses[0] += y;
                responses[1] += y * y;
                *residual = y - intercept - simd.reduce_sum_f64s(fitted);
            }
            sums.residuals += lanes_sum(count, |i| residuals[i]);
            sums.squares += lanes_sum(count, |i| residuals[i] * residuals[i]);
            sums.absolute += lanes_sum(count, |i| residuals[i].abs());
            sums.response += responses[0];
            sums.response_squares += responses[1];
            let gradients = S::as_mut_simd_f64s(gradients).0;
            add_columns(simd, tile, stride, residuals, gradients);
        }
        for (total, sum) in gradient.iter_mut().zip(gradients.iter()) {
            *total += sum;
        }
        sums
    }
}
