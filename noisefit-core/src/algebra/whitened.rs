//! Rows of a fit as columns that are orthonormal in its metric, with its residuals as their response.

use serde::{Deserialize, Serialize};

use pulp::{Arch, Simd, WithSimd};

use crate::algebra::coordinates::Coordinates;
use crate::algebra::gram::{TILE_ROWS, packed};
use crate::algebra::leverage::Leverage;
use crate::numeric::double_double::DoubleDouble;
use crate::rows::{Adapted, Adaptor, Block, Layout, Precision, RowSource};

/// Up to this many rows times squared columns double-double costs nothing.
const SMALL_WORK: f64 = 1e6;

/// Beyond this condition number doubles would leave fewer than ten digits of a leverage.
const WORST_CONDITION: f64 = 1e5;

/// `u = L'z`, where `L L'` is the quadratic form of the fit's leverages in its [`Coordinates`] `z`, and `e = y - x'b`.
///
/// Of least squares `sum(v u u') = I` and `|u|^2` is a row's leverage: products of these columns are perfectly conditioned,
/// whatever those of the data are.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Whitened {
    coordinates: Coordinates,
    /// The design columns that are not aliased.
    columns: Vec<usize>,
    /// The fit's coefficients in `coordinates`.
    coefficients: Vec<DoubleDouble>,
    /// Rows of `L`, each padded with zeros to `stride`.
    factor: Vec<f64>,
    stride: usize,
    precision: Precision,
}

/// Columns of `u` that a kernel forms at a time.
const GROUP: usize = 4;

impl Whitened {
    /// The rows of `source`, `observations` of them, at `coefficients` (the intercept's first, none of aliased terms), whose
    /// `leverage` has no aliased terms and came of a design with a condition number.
    pub(crate) fn rows<'a>(
        source: &'a dyn RowSource,
        coefficients: &[Option<f64>],
        leverage: &Leverage,
        observations: f64,
        condition: f64,
    ) -> Adapted<'a, Whitened> {
        let layout = source.layout();
        let (coordinates, columns) = (leverage.coordinates(), leverage.columns().to_vec());
        let (order, offset) = (coordinates.coefficients(), coordinates.offset());
        let estimate = |k: usize| coefficients.get(k).copied().flatten().unwrap_or(0.0);
        let slopes: Vec<f64> = columns.iter().map(|j| estimate(j + offset)).collect();
        let shifted = slopes.iter().enumerate().fold(DoubleDouble::from(estimate(0)), |sum, (j, &slope)| {
            sum + DoubleDouble::from_product(slope, coordinates.shift(j))
        });
        // Scales are powers of two.
        let slopes = slopes.iter().enumerate().map(|(j, slope)| DoubleDouble::from(slope / coordinates.scale(j)));
        let coefficients = (offset == 1).then_some(shifted).into_iter().chain(slopes).collect();
        let stride = order.next_multiple_of(GROUP);
        let mut factor = vec![0.0; order * stride];
        for j in 0..order {
            factor[j * stride..][..j + 1].copy_from_slice(&leverage.factor()[packed(j, 0)..packed(j, j) + 1]);
        }
        let small = observations * (order as f64).powi(2) <= SMALL_WORK;
        let precision = match small || condition > WORST_CONDITION {
            true => Precision::Extended,
            false => Precision::Double,
        };
        let derive = Whitened { coordinates, columns, coefficients, factor, stride, precision };
        let terms = (1..=order).map(|k| format!("u{k}")).collect();
        Adapted::new(source, derive, Layout { terms, intercept: false, ..layout.clone() })
    }

    /// The number of columns `u`.
    pub(crate) fn count(&self) -> usize {
        self.coefficients.len()
    }

    /// Whether `z` begins with an intercept: one, else zero.
    pub(crate) fn offset(&self) -> usize {
        self.coordinates.offset()
    }

    /// The fit's coefficient of column `k` of `z`.
    pub(crate) fn coefficient(&self, k: usize) -> f64 {
        self.coefficients[k].to_f64()
    }

    /// `L[j][k]`.
    pub(crate) fn factor(&self, j: usize, k: usize) -> f64 {
        self.factor[j * self.stride + k]
    }

    /// The coefficients of `u` that give what `coefficients` give of `z`: `L^-1 d`.
    pub(crate) fn solve(&self, coefficients: &[f64]) -> Vec<f64> {
        let mut solution: Vec<f64> = Vec::with_capacity(self.count());
        for (j, d) in coefficients.iter().enumerate() {
            let done: f64 = solution.iter().enumerate().map(|(k, value)| self.factor(j, k) * value).sum();
            solution.push((d - done) / self.factor(j, j));
        }
        solution
    }

    /// The solution for the triangle of `L` that belongs to the slopes.
    pub(crate) fn solve_slopes(&self, right: impl Fn(usize) -> f64) -> Vec<f64> {
        let offset = self.offset();
        let mut solution: Vec<f64> = Vec::with_capacity(self.count());
        for j in 0..self.count() - offset {
            let row = |k: usize| self.factor(j + offset, k + offset);
            let done: f64 = solution.iter().enumerate().map(|(k, value)| row(k) * value).sum();
            solution.push((right(j) - done) / row(j));
        }
        solution
    }

    /// Both words of column `k` of `z` in a row.
    fn coordinate(&self, block: &Block<'_>, k: usize, i: usize) -> DoubleDouble {
        match k.checked_sub(self.coordinates.offset()) {
            None => DoubleDouble::ONE,
            Some(j) => self.coordinates.both_words(block.design.dense_columns()[self.columns[j]], j, i),
        }
    }

    fn extended(&self, block: &Block<'_>, residuals: &mut [f64], whitened: &mut [f64], length: usize) {
        let order = self.count();
        let mut z = vec![DoubleDouble::ZERO; order];
        for i in 0..block.rows() {
            let mut residual = DoubleDouble::from_sum(block.response.high[i], block.response.low(i));
            for (k, z) in z.iter_mut().enumerate() {
                *z = self.coordinate(block, k, i);
                residual -= *z * self.coefficients[k];
            }
            residuals[i] = residual.to_f64();
            for k in 0..order {
                let sum = (k..order).fold(DoubleDouble::ZERO, |sum, j| sum + z[j] * self.factor[j * self.stride + k]);
                whitened[k * length + i] = sum.to_f64();
            }
        }
    }
}

impl Adaptor for Whitened {
    const KIND: &'static str = "whitened";

    fn adapt(&mut self, block: &Block<'_>, next: &mut dyn FnMut(&Block<'_>)) {
        let rows = block.rows();
        let length = rows.next_multiple_of(TILE_ROWS);
        let (mut residuals, mut whitened) = (vec![0.0; length], vec![0.0; self.stride * length]);
        match self.precision {
            Precision::Double => {
                Arch::new().dispatch(Whiten { pass: self, block, residuals: &mut residuals, whitened: &mut whitened });
            }
            _ => self.extended(block, &mut residuals, &mut whitened, length),
        }
        let design: Vec<_> = (0..self.count()).map(|k| (&whitened[k * length..][..rows]).into()).collect();
        let response = (&residuals[..rows]).into();
        next(&Block { response, design: (&design).into(), log_jacobian: None, ..*block });
    }

    fn precision(&self, _asked: Precision) -> Precision {
        self.precision
    }
}

/// The same in doubles, a tile of rows at a time, so that its columns `z` stay in the nearest cache.
struct Whiten<'a, 'b> {
    pass: &'a Whitened,
    block: &'a Block<'b>,
    /// As long as whole tiles, like each column of `whitened`.
    residuals: &'a mut [f64],
    whitened: &'a mut [f64],
}

impl WithSimd for Whiten<'_, '_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Whiten { pass, block, residuals, whitened } = self;
        let Whitened { coordinates, columns, coefficients, factor, stride, .. } = pass;
        let (order, offset, length) = (coefficients.len(), coordinates.offset(), residuals.len());
        let (design, mut z) = (block.design.dense_columns(), vec![0.0; order * TILE_ROWS]);
        for start in (0..length).step_by(TILE_ROWS) {
            let rows = start..(start + TILE_ROWS).min(block.rows());
            let count = rows.len();
            let e = &mut residuals[start..start + TILE_ROWS];
            let level = if offset == 1 { coefficients[0].to_f64() } else { 0.0 };
            for (e, y) in e.iter_mut().zip(&block.response.high[rows.clone()]) {
                *e = y - level;
            }
            if offset == 1 {
                z[..count].fill(1.0);
            }
            for (j, &column) in columns.iter().enumerate() {
                let (shift, scale) = (coordinates.shift(j), coordinates.scale(j));
                let slope = coefficients[j + offset].to_f64();
                let z = &mut z[(j + offset) * TILE_ROWS..][..TILE_ROWS];
                for ((z, e), x) in z.iter_mut().zip(e.iter_mut()).zip(&design[column].high[rows.clone()]) {
                    *z = (x - shift) * scale;
                    *e -= slope * *z;
                }
            }
            // Two vectors of rows by four columns of u: their sums stay in registers.
            let lanes = S::F64_LANES;
            for first in (0..order).step_by(GROUP) {
                for at in (0..TILE_ROWS).step_by(2 * lanes) {
                    let mut sums = [[simd.splat_f64s(0.0); 2]; GROUP];
                    for j in first..order {
                        let z = S::as_simd_f64s(&z[j * TILE_ROWS + at..][..2 * lanes]).0;
                        let factors = &factor[j * stride + first..][..GROUP];
                        for c in 0..GROUP {
                            let factor = simd.splat_f64s(factors[c]);
                            sums[c][0] = simd.mul_add_e_f64s(factor, z[0], sums[c][0]);
                            sums[c][1] = simd.mul_add_e_f64s(factor, z[1], sums[c][1]);
                        }
                    }
                    for c in 0..GROUP {
                        let target = &mut whitened[(first + c) * length + start + at..][..2 * lanes];
                        let target = S::as_mut_simd_f64s(target).0;
                        (target[0], target[1]) = (sums[c][0], sums[c][1]);
                    }
                }
            }
        }
    }
}
