//! What it costs the coefficients of the location that the precisions of the rows are estimated.
//!
//! With `ln s = z'g` estimated, the location's coefficients are weighted least squares with weights that chance has a part in.
//! Their covariance `C = (sum of d x x')^-1`, `d = i w / s^2`, is too small by that, in two ways (Kenward and Roger 1997,
//! *Biometrics* 53, 983-997; here without second derivatives of the variances, which a scale in logarithms makes vanish for a
//! common one):
//!
//! 1. The scale is that of residuals, which lack what the coefficients took. A row of leverage `h` has a share `1 - h` of its
//!    variance left, so `g` gives way to `g + q` with `sum (exp(-2 z'q) - (1 - h)) z = 0`, for a common scale `q = ln(n / (n - p)) /
//!    2` and for groups of rows the same in each.
//! 2. The covariance of `g` of restricted likelihood, `W = (k [sum z z' (1 - 2 h) + (tr C M_a C M_b)])^-1` with `M_a = sum of d z_a
//!    x x'` and the information `k` of a log scale, makes it `C + 2 C (Q - sum W_ab P_a C P_b) C` with `P = 2 M` and `Q = sum of 4 d
//!    (z'Wz) x x'`.
//!
//! A coefficient's variance `v` has then as many degrees of freedom as a chi-square that is as uncertain: `2 v^2 / (g'Wg)` with
//! `g_a = 2 (C M_a C)`, `k = 2` (Satterthwaite 1946; Giesbrecht and Burns 1985, *Biometrics* 41, 477-486). For two groups each with a
//! mean and a scale of its own that is Welch's test; for a common scale it is `n - p`, and nothing is added.

use serde::{Deserialize, Serialize};

use crate::Error;
use crate::algebra::Cholesky;
use crate::algebra::gram::{packed, packed_length, symmetric};
use crate::algebra::products::{add_squared_lengths, copy_row};
use crate::estimate::smooth::{ScaleColumns, scale_columns};
use crate::inference::covariance::{inverse, whitened};
use crate::record::{Coefficients, Fit, Refined};
use crate::rows::{Accumulator, Block, Kinds, RowSource, RowSourceExt};

/// More products than this of rows and numbers in `M`, and the factor for degrees of freedom has to do.
const MOST_WORK: f64 = 2e10;

/// Where no row has a larger leverage, in location and scale, nothing here reaches a part in a thousand.
const NEGLIGIBLE: f64 = 2.5e-4;

/// Steps to the scale's correction, and the last one's length.
const STEPS: usize = 50;
const TOLERANCE: f64 = 1e-10;

/// The location's covariance where the scale is modelled; none where the factor `n / (n - p)` does as well.
pub(super) fn refined(source: &dyn RowSource, fit: &Fit) -> Result<Option<Refined>, Error> {
    let (Some(leverage), Some(table)) = (fit.leverage().cloned(), fit.scale.modelled()) else { return Ok(None) };
    let estimates = table.estimates();
    let columns = scale_columns(source, &estimates)?;
    let rows = whitened(source, fit, &leverage);
    let (p, q) = (rows.adaptor().count(), columns.coordinates.coefficients());
    if fit.nobs as f64 * (q * p * p) as f64 > MOST_WORK {
        return Ok(None);
    }
    let information = fit.noise.family().information();
    let scale = Scale {
        predictor: columns.coordinates.carry_in(&estimates.iter().copied().flatten().collect::<Vec<_>>()),
        correction: common(fit, table, q),
        columns,
        information: information.location,
    };

    // g + q, by Newton's method for a convex function.
    let mut scale = scale;
    for _ in 0..STEPS {
        let sums = rows.pass(Shares::new(&scale))?;
        let Some(hessian) = Cholesky::new(&sums.hessian, q) else { return Ok(None) };
        if sums.leverage.max(sums.greatest(&hessian)) <= NEGLIGIBLE {
            return Ok(None);
        }
        let gap: Vec<f64> = sums.fitted.iter().zip(&sums.left).map(|(fitted, left)| 0.5 * (fitted - left)).collect();
        let step = hessian.solve(&gap);
        let longest = step.iter().fold(0.0, |most: f64, step| most.max(step.abs()));
        let shortened = 1.0 / longest.max(1.0);
        scale.correction.iter_mut().zip(&step).for_each(|(q, step)| *q += shortened * step);
        if longest <= TOLERANCE {
            break;
        }
    }

    let sums = rows.pass(Products::new(&scale, p, Of::Moments))?;
    let Some(factor) = Cholesky::new(&sums.by_location[0], p) else { return Ok(None) };
    let covariance = inverse(&factor, p);
    let moments: Vec<Square> = sums.by_location[1..].iter().map(|packed| Square::unpacked(packed, p)).collect();
    let c = Square::unpacked(&covariance, p);
    let by_moments: Vec<Square> = moments.iter().map(|m| c.times(m)).collect();
    let leverages = rows.pass(Products::new(&scale, p, Of::Leverages(covariance.clone())))?;
    let mut restricted = vec![0.0; packed_length(q)];
    for a in 0..q {
        for b in 0..=a {
            let at = packed(a, b);
            restricted[at] =
                sums.by_scale[at] - 2.0 * leverages.by_scale[at] + by_moments[a].trace_with(&by_moments[b]);
        }
    }
    // Where rows of the largest leverages leave nothing of it.
    let ordinary = || {
        let share = fit.df_residual as f64 / fit.nobs as f64;
        Cholesky::new(&sums.by_scale.iter().map(|value| value * share).collect::<Vec<_>>(), q)
    };
    let Some(bread) = Cholesky::new(&restricted, q).or_else(ordinary) else { return Ok(None) };
    let spread = inverse(&bread, q);

    // What chance in the weights adds.
    let by_information: Vec<f64> = spread.iter().map(|value| value / information.log_scale).collect();
    let squares = rows.pass(Products::new(&scale, p, Of::Spread(by_information.clone())))?;
    let mut inner = Square::unpacked(&squares.by_location[0], p);
    for a in 0..q {
        let mut joined = Square::zero(p);
        (0..q).for_each(|b| joined.add(&moments[b], by_information[symmetric(a, b)]));
        inner.add(&moments[a].times(&c.times(&joined)), -1.0);
    }
    let mut whole = c.times(&inner.times(&c));
    whole.values.iter_mut().for_each(|value| *value *= 8.0);
    whole.add(&c, 1.0);

    let order = fit.location.rows.len();
    let (first, second) = (leverage.of_whitened(&covariance, order).1, leverage.of_whitened(&whole.packed(), order));
    let slopes: Vec<Vec<f64>> = by_moments
        .iter()
        .map(|m| {
            let matrix = leverage.of_whitened(&m.times(&c).packed(), order).1;
            (0..order).map(|j| 2.0 * matrix[j][j]).collect()
        })
        .collect();
    let degrees = |j: usize| {
        let uncertain: f64 = (0..q)
            .flat_map(|a| (0..q).map(move |b| (a, b)))
            .map(|(a, b)| slopes[a][j] * slopes[b][j] * 0.5 * spread[symmetric(a, b)])
            .sum();
        let v = first[j][j];
        if uncertain > 0.0 { (2.0 * v * v / uncertain).max(1.0) } else { f64::INFINITY }
    };
    let df = (0..order).map(degrees).collect();
    Ok(Some(Refined { matrix: second.1, leverage: second.0, df }))
}

/// The correction that a common scale has, where the first column is an intercept.
fn common(fit: &Fit, table: &Coefficients, count: usize) -> Vec<f64> {
    let mut correction = vec![0.0; count];
    if table.intercept && table.rows[0].estimate.is_some() {
        correction[0] = 0.5 * (fit.nobs as f64 / fit.df_residual as f64).ln();
    }
    correction
}

/// A modelled scale with what the degrees of freedom make of it.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Scale {
    columns: ScaleColumns,
    /// `g`, in the coordinates of its columns.
    predictor: Vec<f64>,
    /// `q`.
    correction: Vec<f64>,
    /// That on a location of scale one.
    information: f64,
}

impl Scale {
    /// The scale's columns in a row of a block.
    fn fill(&self, block: &Block<'_>, i: usize, z: &mut [f64]) {
        let ScaleColumns { coordinates, columns } = &self.columns;
        coordinates.fill_row(block.scale_design, columns, i, z);
    }

    /// The precision `i w / s^2` of a row, and what the correction divides it by.
    fn precision(&self, block: &Block<'_>, i: usize, z: &[f64]) -> (f64, f64) {
        let dot = |g: &[f64]| g.iter().zip(z).map(|(g, z)| g * z).sum::<f64>();
        let precision = self.information * block.weight(i) * (-2.0 * dot(&self.predictor)).exp();
        (precision, (2.0 * dot(&self.correction)).exp())
    }
}

/// One pass: what the residuals' shares of the variance are, beside those that the correction gives.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Shares {
    scale: Scale,
    rows: u64,
    /// `sum f (1 - h) z`.
    left: Vec<f64>,
    /// `sum f exp(-2 z'q) z`, and with `z z'`.
    fitted: Vec<f64>,
    hessian: Vec<f64>,
    /// The largest `h`.
    leverage: f64,
    /// The ranges of the columns.
    ranges: Vec<[f64; 2]>,
    /// The largest `z'z`.
    longest: f64,
}

impl Shares {
    fn new(scale: &Scale) -> Self {
        let q = scale.predictor.len();
        Shares {
            scale: scale.clone(),
            rows: 0,
            left: vec![0.0; q],
            fitted: vec![0.0; q],
            hessian: vec![0.0; packed_length(q)],
            leverage: 0.0,
            ranges: vec![[f64::INFINITY, f64::NEG_INFINITY]; q],
            longest: 0.0,
        }
    }

    /// No row's `z' (sum f z z')^-1 z` is larger: by the ranges of the columns, and by `z'z` times a bound of the largest eigenvalue.
    fn greatest(&self, hessian: &Cholesky) -> f64 {
        let q = self.left.len();
        let inverse = inverse(hessian, q);
        let largest = |a: usize| self.ranges[a][0].abs().max(self.ranges[a][1].abs());
        let by_ranges: f64 = (0..q)
            .flat_map(|a| (0..q).map(move |b| (a, b)))
            .map(|(a, b)| inverse[symmetric(a, b)].abs() * largest(a) * largest(b))
            .sum();
        let row = |a: usize| (0..q).map(|b| inverse[symmetric(a, b)].abs()).sum::<f64>();
        by_ranges.min(self.longest * (0..q).map(row).fold(0.0, f64::max))
    }
}

impl Accumulator for Shares {
    const KIND: &'static str = "shares of the variance";

    fn fold(&mut self, block: &Block<'_>) {
        let mut z = vec![0.0; self.left.len()];
        let mut lengths = vec![0.0; block.rows()];
        add_squared_lengths(block.design, &(0..block.rows()), &mut lengths);
        for i in 0..block.rows() {
            self.scale.fill(block, i, &mut z);
            let (precision, factor) = self.scale.precision(block, i, &z);
            let h = precision * lengths[i];
            let f = block.frequency(i);
            self.leverage = self.leverage.max(h);
            self.longest = self.longest.max(z.iter().map(|z| z * z).sum());
            for (a, &value) in z.iter().enumerate() {
                self.left[a] += f * (1.0 - h) * value;
                self.fitted[a] += f / factor * value;
                let row = &mut self.hessian[packed(a, 0)..packed(a, a) + 1];
                row.iter_mut().zip(&z).for_each(|(sum, other)| *sum += f / factor * value * other);
                let [low, high] = &mut self.ranges[a];
                (*low, *high) = (low.min(value), high.max(value));
            }
        }
        self.rows += block.rows() as u64;
    }

    fn merge(&mut self, later: Self) {
        let sums = |mine: &mut Vec<f64>, theirs: Vec<f64>| mine.iter_mut().zip(theirs).for_each(|(m, t)| *m += t);
        sums(&mut self.left, later.left);
        sums(&mut self.fitted, later.fitted);
        sums(&mut self.hessian, later.hessian);
        self.leverage = self.leverage.max(later.leverage);
        self.longest = self.longest.max(later.longest);
        for (mine, theirs) in self.ranges.iter_mut().zip(later.ranges) {
            *mine = [mine[0].min(theirs[0]), mine[1].max(theirs[1])];
        }
        self.rows += later.rows;
    }

    fn rows(&self) -> u64 {
        self.rows
    }
}

/// What is summed over whitened rows `u`, with the precisions `d` of the corrected scale.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
enum Of {
    /// `d u u'`, `d z_a u u'` for every `a`, and `z z'`.
    Moments,
    /// `d (u'Cu) z z'`, the leverages, for a packed `C`.
    Leverages(Vec<f64>),
    /// `d (z'Wz) u u'` for a packed `W`.
    Spread(Vec<f64>),
}

/// One pass: products of the columns of location and scale.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Products {
    scale: Scale,
    of: Of,
    rows: u64,
    /// Packed, of the location's columns.
    by_location: Vec<Vec<f64>>,
    /// Of the scale's.
    by_scale: Vec<f64>,
}

impl Products {
    fn new(scale: &Scale, p: usize, of: Of) -> Self {
        let q = scale.predictor.len();
        let count = match of {
            Of::Moments => q + 1,
            Of::Leverages(_) => 0,
            Of::Spread(_) => 1,
        };
        let by_location = vec![vec![0.0; packed_length(p)]; count];
        Products { scale: scale.clone(), of, rows: 0, by_location, by_scale: vec![0.0; packed_length(q)] }
    }
}

/// `v'Av` for a packed `A`.
fn form(matrix: &[f64], v: &[f64]) -> f64 {
    let row = |(i, value): (usize, &f64)| {
        let off: f64 = matrix[packed(i, 0)..packed(i, i)].iter().zip(v).map(|(m, other)| m * other).sum();
        value * (2.0 * off + matrix[packed(i, i)] * value)
    };
    v.iter().enumerate().map(row).sum()
}

/// Adds a multiple of `v v'` to a packed matrix.
fn add_square(matrix: &mut [f64], v: &[f64], factor: f64) {
    for (i, value) in v.iter().enumerate() {
        let row = &mut matrix[packed(i, 0)..packed(i, i) + 1];
        row.iter_mut().zip(v).for_each(|(sum, other)| *sum += factor * value * other);
    }
}

impl Accumulator for Products {
    const KIND: &'static str = "products with precisions";

    fn fold(&mut self, block: &Block<'_>) {
        let mut z = vec![0.0; self.scale.predictor.len()];
        let mut u = vec![0.0; block.design.count()];
        for i in 0..block.rows() {
            self.scale.fill(block, i, &mut z);
            copy_row(block.design, i, &mut u);
            let (precision, factor) = self.scale.precision(block, i, &z);
            let (f, d) = (block.frequency(i), precision / factor);
            match &self.of {
                Of::Moments => {
                    add_square(&mut self.by_scale, &z, f);
                    add_square(&mut self.by_location[0], &u, f * d);
                    for (matrix, z) in self.by_location[1..].iter_mut().zip(&z) {
                        add_square(matrix, &u, f * d * z);
                    }
                }
                Of::Leverages(covariance) => {
                    let h = d * form(covariance, &u);
                    add_square(&mut self.by_scale, &z, f * h);
                }
                Of::Spread(covariance) => {
                    let spread = form(covariance, &z);
                    add_square(&mut self.by_location[0], &u, f * d * spread);
                }
            }
        }
        self.rows += block.rows() as u64;
    }

    fn merge(&mut self, later: Self) {
        let mine = self.by_location.iter_mut().flatten().chain(&mut self.by_scale);
        let theirs = later.by_location.iter().flatten().chain(&later.by_scale);
        mine.zip(theirs).for_each(|(mine, theirs)| *mine += theirs);
        self.rows += later.rows;
    }

    fn rows(&self) -> u64 {
        self.rows
    }
}

/// A square matrix by rows.
#[derive(Debug, Clone)]
struct Square {
    order: usize,
    values: Vec<f64>,
}

impl Square {
    fn zero(order: usize) -> Self {
        Square { order, values: vec![0.0; order * order] }
    }

    fn unpacked(matrix: &[f64], order: usize) -> Self {
        let values = (0..order).flat_map(|i| (0..order).map(move |j| matrix[symmetric(i, j)])).collect();
        Square { order, values }
    }

    /// The lower triangle of its symmetric part.
    fn packed(&self) -> Vec<f64> {
        let n = self.order;
        let entry = |(i, j): (usize, usize)| 0.5 * (self.values[i * n + j] + self.values[j * n + i]);
        (0..n).flat_map(|i| (0..=i).map(move |j| (i, j))).map(entry).collect()
    }

    fn times(&self, other: &Self) -> Self {
        let n = self.order;
        let mut product = Self::zero(n);
        for i in 0..n {
            for k in 0..n {
                let factor = self.values[i * n + k];
                let (row, right) = (&mut product.values[i * n..][..n], &other.values[k * n..][..n]);
                row.iter_mut().zip(right).for_each(|(sum, value)| *sum += factor * value);
            }
        }
        product
    }

    fn add(&mut self, other: &Self, factor: f64) {
        self.values.iter_mut().zip(&other.values).for_each(|(sum, value)| *sum += factor * value);
    }

    /// `tr(A B)`.
    fn trace_with(&self, other: &Self) -> f64 {
        let n = self.order;
        let row = |i: usize| (0..n).map(|j| self.values[i * n + j] * other.values[j * n + i]).sum::<f64>();
        (0..n).map(row).sum()
    }
}

/// The passes of this module.
pub(super) fn kinds() -> Kinds {
    Kinds::default().with::<Shares>().with::<Products>()
}
