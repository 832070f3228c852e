//! One pass at given coefficients: residuals, their sums, and the gradient of the sum of squares.

use serde::{Deserialize, Serialize};

use pulp::{Arch, Simd, WithSimd};

use crate::algebra::coordinates::Coordinates;
use crate::algebra::lanes::{add_product, dot, lanes_sum};
use crate::algebra::moments::Totals;
use crate::algebra::row_kernels::{RowResiduals, RowScratch};
use crate::numeric::double_double::DoubleDouble;
use crate::rows::{Accumulator, Block, Precision, RowBlock};

/// Rows whose residuals are held at a time.
const TILE_ROWS: usize = 256;

/// Sums of the residuals `e = y - b0 - z'b` in [`Coordinates`], and the gradient `sum(v e z)`, which is zero at the
/// least squares solution: what is left of it refines the solution.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Residuals {
    coordinates: Coordinates,
    coefficients: Vec<DoubleDouble>,
    precision: Precision,
    totals: Totals,
    sums: Sums,
    gradient: Vec<DoubleDouble>,
    #[serde(skip)]
    scratch: Scratch,
}

/// Sums over rows, in the response's scaled unit; `v` is weight times frequency `f`.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
pub struct Sums {
    /// `sum(v e^2)`.
    pub weighted_squares: DoubleDouble,
    /// `sum(f e^2)`.
    pub squares: DoubleDouble,
    /// `sum(f |e|)`.
    pub absolute: DoubleDouble,
    /// `sum(v y)`, `y` in its coordinate.
    pub response: DoubleDouble,
    /// `sum(v y^2)`.
    pub response_squares: DoubleDouble,
}

impl Sums {
    const COUNT: usize = 5;

    fn fields(&self) -> [DoubleDouble; Self::COUNT] {
        [self.weighted_squares, self.squares, self.absolute, self.response, self.response_squares]
    }

    fn fields_mut(&mut self) -> [&mut DoubleDouble; Self::COUNT] {
        [
            &mut self.weighted_squares,
            &mut self.squares,
            &mut self.absolute,
            &mut self.response,
            &mut self.response_squares,
        ]
    }
}

#[derive(Debug, Clone, Default)]
struct Scratch {
    residuals: Vec<f64>,
    weighted: Vec<f64>,
    low: Vec<f64>,
    weighted_low: Vec<f64>,
    responses: Vec<f64>,
    responses_low: Vec<f64>,
    rows: RowScratch,
}

impl Residuals {
    /// The empty state at coefficients in `coordinates` (the intercept first where there is one).
    pub fn new(coordinates: Coordinates, coefficients: Vec<DoubleDouble>, precision: Precision) -> Self {
        debug_assert_eq!(coefficients.len(), coordinates.coefficients());
        let gradient = vec![DoubleDouble::ZERO; coefficients.len()];
        Residuals {
            coordinates,
            coefficients,
            precision,
            totals: Totals::default(),
            sums: Sums::default(),
            gradient,
            scratch: Scratch::default(),
        }
    }

    /// The sums that need no design.
    pub fn totals(&self) -> &Totals {
        &self.totals
    }

    /// The sums over residuals.
    pub fn sums(&self) -> &Sums {
        &self.sums
    }

    /// `sum(v e z)`, in the order of the coefficients.
    pub fn gradient(&self) -> &[DoubleDouble] {
        &self.gradient
    }

    fn intercept(&self) -> DoubleDouble {
        if self.coordinates.intercept() { self.coefficients[0] } else { DoubleDouble::ZERO }
    }

    /// Residuals in doubles: good to rounding relative to the largest product in the row.
    #[inline(always)]
    fn fold_tile<S: Simd>(&mut self, simd: S, block: &Block<'_>, rows: std::ops::Range<usize>) {
        let Residuals { coordinates, coefficients, sums, gradient, scratch, .. } = self;
        let Scratch { residuals, weighted, responses, .. } = scratch;
        let (design, offset) = (coordinates.columns() - 1, coordinates.offset());
        let (shift, scale) = (coordinates.shift(design), coordinates.scale(design));
        let y = &block.response.high[rows.clone()];
        responses.clear();
        responses.extend(y.iter().map(|y| (y - shift) * scale));
        let intercept = if offset == 1 { coefficients[0].to_f64() } else { 0.0 };
        residuals.clear();
        residuals.extend(responses.iter().map(|y| y - intercept));
        let columns = &block.design.dense_columns()[..design];
        for j in 0..design {
            let slope = coefficients[j + offset].to_f64() * coordinates.scale(j);
            subtract(simd, residuals, &columns[j].high[rows.clone()], coordinates.shift(j), slope);
        }
        let v = row_weights(block, rows.clone(), weighted);
        let frequencies = block.frequencies.map(|f| &f[rows.clone()]);
        sums.squares += sum_of_squares(simd, residuals, frequencies);
        sums.absolute += absolute_sum(residuals, frequencies);
        sums.response += weighted_sum(responses, v);
        sums.response_squares += sum_of_squares(simd, responses, v);
        sums.weighted_squares += sum_of_squares(simd, residuals, v);
        let weighted_residuals: &[f64] = if v.is_none() {
            residuals
        } else {
            weighted.iter_mut().zip(residuals.iter()).for_each(|(v, e)| *v *= e);
            weighted
        };
        if offset == 1 {
            gradient[0] += weighted_sum(weighted_residuals, None);
        }
        for j in 0..design {
            let x = &columns[j].high[rows.clone()];
            gradient[j + offset] +=
                deviation_dot(simd, weighted_residuals, x, coordinates.shift(j)) * coordinates.scale(j);
        }
    }

    /// The same in double-double from both words of the data.
    #[inline(always)]
    fn fold_tile_extended(&mut self, block: &Block<'_>, rows: std::ops::Range<usize>) {
        let intercept = self.intercept();
        let Residuals { coordinates, coefficients, sums, gradient, scratch, .. } = self;
        let Scratch { residuals, weighted, low, weighted_low, responses, responses_low, .. } = scratch;
        let (design, offset) = (coordinates.columns() - 1, coordinates.offset());
        coordinate_words(coordinates, block, design, rows.clone(), responses, responses_low);
        residuals.clear();
        low.clear();
        for (&high, &low_word) in responses.iter().zip(responses_low.iter()) {
            let residual = DoubleDouble { high, low: low_word } - intercept;
            residuals.push(residual.high);
            low.push(residual.low);
        }
        // `weighted` holds the words of z while they are subtracted, then v e.
        for j in 0..design {
            coordinate_words(coordinates, block, j, rows.clone(), weighted, weighted_low);
            add_product(residuals, low, weighted, weighted_low, -coefficients[j + offset]);
        }
        let at = |high: &[f64], low: &[f64], i: usize| DoubleDouble { high: high[i], low: low[i] };
        weighted.clear();
        weighted_low.clear();
        for (i, row) in rows.clone().enumerate() {
            let f = block.frequency(row);
            let v = DoubleDouble::from_product(f, block.weight(row));
            let (e, y) = (at(residuals, low, i), at(responses, responses_low, i));
            let ve = e * v;
            sums.weighted_squares += ve * e;
            sums.squares += e * e * f;
            sums.absolute += e.abs() * f;
            sums.response += y * v;
            sums.response_squares += y * y * v;
            weighted.push(ve.high);
            weighted_low.push(ve.low);
        }
        if offset == 1 {
            for i in 0..weighted.len() {
                gradient[0] += at(weighted, weighted_low, i);
            }
        }
        for j in 0..design {
            coordinate_words(coordinates, block, j, rows.clone(), residuals, low);
            gradient[j + offset] += dot(weighted, weighted_low, residuals, low);
        }
    }
}

impl Accumulator for Residuals {
    const KIND: &'static str = "residuals";

    fn fold(&mut self, block: &Block<'_>) {
        self.totals.fold(block);
        Arch::new().dispatch(FoldResiduals { state: self, block });
    }

    fn fold_rows(&mut self, rows: &RowBlock<'_>) -> bool {
        if self.precision != Precision::Double {
            return false;
        }
        let intercept = self.intercept().to_f64();
        let Residuals { coordinates, coefficients, sums, gradient, scratch, totals, .. } = self;
        let (design, offset) = (coordinates.columns() - 1, coordinates.offset());
        let shifts: Vec<f64> = (0..design).map(|j| coordinates.shift(j)).collect();
        let slope = |j: usize| coefficients[j + offset].to_f64() * coordinates.scale(j);
        let slopes: Vec<f64> = (0..design).map(slope).collect();
        let mut products = vec![0.0; design];
        let found = Arch::new().dispatch(RowResiduals {
            rows,
            shifts: &shifts,
            slopes: &slopes,
            intercept,
            response: (coordinates.shift(design), coordinates.scale(design)),
            scratch: &mut scratch.rows,
            gradient: &mut products,
        });
        sums.weighted_squares += found.squares;
        sums.squares += found.squares;
        sums.absolute += found.absolute;
        sums.response += found.response;
        sums.response_squares += found.response_squares;
        if offset == 1 {
            gradient[0] += found.residuals;
        }
        for (j, product) in products.into_iter().enumerate() {
            gradient[j + offset] += product * coordinates.scale(j);
        }
        let n = rows.rows() as f64;
        totals.merge(Totals { rows: rows.rows() as u64, observations: n, weight: n, ..Totals::default() });
        true
    }

    fn merge(&mut self, later: Self) {
        self.totals.merge(later.totals);
        for (mine, theirs) in self.sums.fields_mut().into_iter().zip(later.sums.fields()) {
            *mine += theirs;
        }
        for (mine, theirs) in self.gradient.iter_mut().zip(later.gradient) {
            *mine += theirs;
        }
    }

    fn rows(&self) -> u64 {
        self.totals.rows
    }

    fn precision(&self) -> Precision {
        self.precision
    }
}

struct FoldResiduals<'a, 'b> {
    state: &'a mut Residuals,
    block: &'a Block<'b>,
}

impl WithSimd for FoldResiduals<'_, '_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        for start in (0..self.block.rows()).step_by(TILE_ROWS) {
            let rows = start..(start + TILE_ROWS).min(self.block.rows());
            match self.state.precision {
                Precision::Double => self.state.fold_tile(simd, self.block, rows),
                Precision::Extended | Precision::Perturbed(_) => self.state.fold_tile_extended(self.block, rows),
            }
        }
    }
}

/// Both words of column `j` in its coordinate.
#[inline(always)]
pub(crate) fn coordinate_words(
    coordinates: &Coordinates,
    block: &Block<'_>,
    j: usize,
    rows: std::ops::Range<usize>,
    high: &mut Vec<f64>,
    low: &mut Vec<f64>,
) {
    let values = coordinates.column(block, j);
    let (shift, scale) = (coordinates.shift(j), coordinates.scale(j));
    high.clear();
    low.clear();
    match values.low {
        None => {
            for &x in &values.high[rows] {
                let z = DoubleDouble::from_sum(x, -shift);
                high.push(z.high * scale);
                low.push(z.low * scale);
            }
        }
        Some(low_words) => {
            for (&x, &x_low) in values.high[rows.clone()].iter().zip(&low_words[rows]) {
                let z = DoubleDouble::from_sum(x, -shift) + x_low;
                high.push(z.high * scale);
                low.push(z.low * scale);
            }
        }
    }
}

/// Weight times frequency of the rows, written to `scratch`; none where every row counts one.
#[inline(always)]
fn row_weights<'a>(block: &Block<'_>, rows: std::ops::Range<usize>, scratch: &'a mut Vec<f64>) -> Option<&'a [f64]> {
    scratch.clear();
    match (block.weights, block.frequencies) {
        (None, None) => return None,
        (Some(only), None) | (None, Some(only)) => scratch.extend_from_slice(&only[rows]),
        (Some(w), Some(f)) => scratch.extend(w[rows.clone()].iter().zip(&f[rows]).map(|(w, f)| w * f)),
    }
    Some(scratch)
}

/// `residuals -= slope (x - shift)`.
#[inline(always)]
fn subtract<S: Simd>(simd: S, residuals: &mut [f64], x: &[f64], shift: f64, slope: f64) {
    let (head, tail) = S::as_simd_f64s(x);
    let (residuals_head, residuals_tail) = S::as_mut_simd_f64s(residuals);
    let (shifts, slopes) = (simd.splat_f64s(shift), simd.splat_f64s(-slope));
    for (e, &x) in residuals_head.iter_mut().zip(head) {
        *e = simd.mul_add_e_f64s(slopes, simd.sub_f64s(x, shifts), *e);
    }
    for (e, &x) in residuals_tail.iter_mut().zip(tail) {
        *e -= slope * (x - shift);
    }
}

/// `sum(a (x - shift))`.
#[inline(always)]
fn deviation_dot<S: Simd>(simd: S, a: &[f64], x: &[f64], shift: f64) -> f64 {
    let ((head, tail), (a_head, a_tail)) = (S::as_simd_f64s(x), S::as_simd_f64s(a));
    let shifts = simd.splat_f64s(shift);
    let mut sums = simd.splat_f64s(0.0);
    for (&x, &a) in head.iter().zip(a_head) {
        sums = simd.mul_add_e_f64s(a, simd.sub_f64s(x, shifts), sums);
    }
    let tail: f64 = tail.iter().zip(a_tail).map(|(x, a)| a * (x - shift)).sum();
    simd.reduce_sum_f64s(sums) + tail
}

/// `sum(v a^2)`, `v` being one where there is none.
#[inline(always)]
fn sum_of_squares<S: Simd>(simd: S, a: &[f64], v: Option<&[f64]>) -> f64 {
    let (head, tail) = S::as_simd_f64s(a);
    let mut sums = simd.splat_f64s(0.0);
    let rest: f64 = match v {
        None => {
            for &a in head {
                sums = simd.mul_add_e_f64s(a, a, sums);
            }
            tail.iter().map(|a| a * a).sum()
        }
        Some(v) => {
            let (v_head, v_tail) = S::as_simd_f64s(v);
            for (&a, &v) in head.iter().zip(v_head) {
                sums = simd.mul_add_e_f64s(simd.mul_f64s(a, a), v, sums);
            }
            tail.iter().zip(v_tail).map(|(a, v)| a * a * v).sum()
        }
    };
    simd.reduce_sum_f64s(sums) + rest
}

#[inline(always)]
fn absolute_sum(a: &[f64], v: Option<&[f64]>) -> f64 {
    match v {
        None => lanes_sum(a.len(), |i| a[i].abs()),
        Some(v) => lanes_sum(a.len(), |i| a[i].abs() * v[i]),
    }
}

#[inline(always)]
fn weighted_sum(a: &[f64], v: Option<&[f64]>) -> f64 {
    match v {
        None => lanes_sum(a.len(), |i| a[i]),
        Some(v) => lanes_sum(a.len(), |i| a[i] * v[i]),
    }
}
