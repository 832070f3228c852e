//! The covariance of coefficients among which are those of a category with many levels.
//!
//! With a constant for each of `L` levels beside `p` other columns, the location of a row of level `g` is
//! `m_g + (x - c_g)'b`: `m_g` is the location at the level's own centre `c_g`, the mean of its rows' columns. The `m_g` of different
//! levels have no covariance where rows are independent, so that the variances of all locations, and the covariances of all
//! coefficients, follow from `L` variances, `L p` covariances with `b` and the covariance of `b` alone: nothing is of the size of
//! levels times levels. Where rows depend on one another within clusters that cross the levels, the `m_g` of two levels have the covariance
//! of the clusters that both have rows in ([`Cells`]).

use std::sync::OnceLock;

use serde::{Deserialize, Serialize};

use crate::algebra::Cholesky;
use crate::algebra::cells::Cells;
use crate::algebra::gram::{packed, packed_length, symmetric};
use crate::algebra::triangular::{Triangular, semidefinite_factor};
use crate::numeric::double_double::DoubleDouble;
use crate::rows::{CodedCategory, Design, Values};

/// The quadratic form of a row's location where a category stands among the columns.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct ByLevel {
    category: CodedCategory,
    /// That of the other columns, which are not shifted and have no intercept.
    slopes: Triangular,
    /// `c_g`, the columns of a level one after the other.
    centres: Vec<f64>,
    /// The variance of `m_g`.
    variances: Vec<f64>,
    /// The covariances of `m_g` with the coefficients of the other columns; empty where they are zero.
    covariances: Vec<f64>,
    /// How the `m_g` of different levels vary together, where they do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    cells: Option<Cells>,
    /// Levels that no row of the fit has: they have no coefficient, and count as the reference, or as zero where there is none.
    without_rows: Vec<usize>,
    #[serde(skip)]
    dense: Kept<Box<Triangular>>,
    #[serde(skip)]
    matrix: Kept<Vec<Vec<f64>>>,
}

/// What is made of the form once it is asked for.
#[derive(Debug)]
struct Kept<T>(OnceLock<T>);

impl<T> Default for Kept<T> {
    fn default() -> Self {
        Kept(OnceLock::new())
    }
}

impl<T> Clone for Kept<T> {
    /// Another one makes its own.
    fn clone(&self) -> Self {
        Kept::default()
    }
}

impl<T> PartialEq for Kept<T> {
    /// It follows from the rest.
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

/// What a coefficient is of the `m_g` and of the coefficients `b`.
struct Sum {
    /// Levels, and how often the `m` of each counts; two at most.
    levels: Vec<(usize, f64)>,
    slopes: Vec<f64>,
}

impl ByLevel {
    /// The form of the `slopes` beside a category, with the centres, variances and covariances of its levels.
    pub(crate) fn new(
        category: CodedCategory,
        slopes: Triangular,
        centres: Vec<f64>,
        variances: Vec<f64>,
        covariances: Vec<f64>,
        without_rows: Vec<usize>,
    ) -> Self {
        let (dense, matrix) = Default::default();
        let cells = None;
        let mut form =
            ByLevel { category, slopes, centres, variances, covariances, cells, without_rows, dense, matrix };
        let width = form.width();
        for level in form.without_rows.clone() {
            let from = category.omitted.map(|omitted| omitted * width);
            match from {
                Some(from) => form.centres.copy_within(from..from + width, level * width),
                None => form.centres[level * width..][..width].fill(0.0),
            }
            form.variances[level] = category.omitted.map_or(0.0, |omitted| form.variances[omitted]);
            if !form.covariances.is_empty() {
                match from {
                    Some(from) => form.covariances.copy_within(from..from + width, level * width),
                    None => form.covariances[level * width..][..width].fill(0.0),
                }
            }
        }
        form
    }

    /// The same where the `m_g` of different levels vary together.
    pub(crate) fn with_cells(self, cells: Option<Cells>) -> Self {
        ByLevel { cells, ..self }
    }

    /// The category.
    pub(crate) fn category(&self) -> &CodedCategory {
        &self.category
    }

    /// The form of the other columns.
    pub(crate) fn slopes(&self) -> &Triangular {
        &self.slopes
    }

    /// How many other columns there are.
    fn width(&self) -> usize {
        self.slopes.columns().len()
    }

    /// What the other columns are multiplied by.
    fn scales(&self) -> Vec<f64> {
        let coordinates = self.slopes.coordinates();
        (0..self.width()).map(|j| coordinates.scale(j)).collect()
    }

    /// How many coefficients there are, the intercept included.
    pub(super) fn coefficients(&self) -> usize {
        self.category.levels + self.width()
    }

    fn has_rows(&self, level: usize) -> bool {
        self.without_rows.binary_search(&level).is_err()
    }

    /// Whether the parts go together.
    pub(super) fn is_sound(&self) -> bool {
        let CodedCategory { first, levels, omitted } = self.category;
        // Beside a reference the other columns are all there; where the category is no term, they stand before it.
        let others = if omitted.is_some() { self.width() } else { first };
        self.slopes.is_sound()
            && self.slopes.columns_needed() <= others
            && first.checked_add(levels).and_then(|end| end.checked_add(others)).is_some()
            && (omitted.is_none() || first <= others)
            && self.variances.len() == levels
            && self.centres.len() == levels.saturating_mul(self.width())
            && self.cells.as_ref().is_none_or(|cells| cells.is_sound(levels))
            && (self.covariances.is_empty() || self.covariances.len() == self.centres.len())
            && omitted.is_none_or(|omitted| omitted < levels && self.has_rows(omitted))
            && self.without_rows.is_sorted()
            && self.without_rows.iter().all(|level| *level < levels)
    }

    /// The number of design columns that rows must have.
    pub(super) fn columns_needed(&self) -> usize {
        self.category.columns().end.max(self.coefficients().saturating_sub(1))
    }

    /// The form times a positive number.
    pub(super) fn times(mut self, factor: f64) -> Self {
        self.slopes = self.slopes.times(factor);
        self.variances.iter_mut().chain(&mut self.covariances).for_each(|value| *value *= factor);
        self.cells = self.cells.map(|cells| cells.times(factor));
        self.matrix = Kept::default();
        self.dense = Kept::default();
        self
    }

    /// The variance of the location of every row, whose columns are those of the whole design.
    pub(super) fn evaluate(&self, design: Design<'_>, rows: usize) -> Vec<f64> {
        let columns = design.dense_columns();
        let mut levels = vec![self.category.omitted.unwrap_or(0); rows];
        for (place, column) in self.category.columns().enumerate() {
            let level = self.category.level(self.category.first + place).unwrap_or(0);
            for (i, _) in columns[column].high.iter().enumerate().filter(|(_, value)| **value != 0.0) {
                levels[i] = level;
            }
        }
        let others: Vec<Values<'_>> = self.slopes.columns().iter().map(|&j| columns[self.category.beside(j)]).collect();
        let scales = self.scales();
        let row =
            |i: usize| self.value(levels[i], &scales, |j| DoubleDouble::from_sum(others[j].high[i], others[j].low(i)));
        (0..rows).map(row).collect()
    }

    /// The same of rows that have levels and the other columns alone.
    pub(crate) fn beside_levels(&self, levels: &[u32], design: Design<'_>) -> Vec<f64> {
        let columns = design.dense_columns();
        let others: Vec<Values<'_>> = self.slopes.columns().iter().map(|&j| columns[j]).collect();
        let scales = self.scales();
        let row = |(i, level): (usize, &u32)| match (*level as usize) < self.category.levels {
            true => {
                self.value(*level as usize, &scales, |j| DoubleDouble::from_sum(others[j].high[i], others[j].low(i)))
            }
            false => f64::NAN,
        };
        levels.iter().enumerate().map(row).collect()
    }

    /// Whether it goes with so many levels and other columns.
    pub(crate) fn is_of(&self, levels: usize, columns: usize) -> bool {
        self.is_sound() && self.category.levels == levels && self.slopes.columns_needed() <= columns
    }

    /// The variance of the location of a row of a level, by its other columns.
    fn value(&self, level: usize, scales: &[f64], x: impl Fn(usize) -> DoubleDouble) -> f64 {
        let width = self.width();
        let centre = &self.centres[level * width..][..width];
        let z: Vec<f64> = (0..width).map(|j| (x(j) - centre[j]).to_f64()).collect();
        let mut sum = self.variances[level];
        for k in 0..width {
            let u: f64 = (k..width).map(|j| z[j] * scales[j] * self.slopes.factor()[packed(j, k)]).sum();
            sum += u * u;
        }
        if !self.covariances.is_empty() {
            let with = &self.covariances[level * width..][..width];
            sum += 2.0 * z.iter().zip(with).map(|(z, c)| z * c).sum::<f64>();
        }
        // Rounding may carry it below zero.
        sum.max(0.0)
    }

    /// The covariance of the other coefficients, packed.
    fn of_slopes(&self) -> Vec<f64> {
        let (width, coordinates, factor) = (self.width(), self.slopes.coordinates(), self.slopes.factor());
        let mut matrix = vec![0.0; packed_length(width)];
        for i in 0..width {
            for j in 0..=i {
                let product: f64 = (0..=j).map(|k| factor[packed(i, k)] * factor[packed(j, k)]).sum();
                matrix[packed(i, j)] = product * coordinates.scale(i) * coordinates.scale(j);
            }
        }
        matrix
    }

    /// What a coefficient of the whole design is, the intercept at `shifts` of the other columns; none for a level without rows.
    fn sum(&self, coefficient: usize, shifts: &[f64]) -> Option<Sum> {
        let width = self.width();
        let of_level = |level: usize, sign: f64, slopes: &mut [f64]| {
            for (slope, centre) in slopes.iter_mut().zip(&self.centres[level * width..]) {
                *slope -= sign * centre;
            }
            (level, sign)
        };
        let mut slopes = vec![0.0; width];
        let offset = usize::from(self.category.omitted.is_some());
        let Some(column) = coefficient.checked_sub(offset) else {
            let levels = self.category.omitted.map(|omitted| of_level(omitted, 1.0, &mut slopes));
            slopes.iter_mut().zip(shifts).for_each(|(slope, shift)| *slope += shift);
            return Some(Sum { levels: levels.into_iter().collect(), slopes });
        };
        match self.category.level(column) {
            Some(level) if !self.has_rows(level) => None,
            Some(level) => {
                let mut levels = vec![of_level(level, 1.0, &mut slopes)];
                levels.extend(self.category.omitted.map(|omitted| of_level(omitted, -1.0, &mut slopes)));
                Some(Sum { levels, slopes })
            }
            None => {
                let place = if column < self.category.first { column } else { column - self.category.columns().len() };
                slopes[place] = 1.0;
                Some(Sum { levels: Vec::new(), slopes })
            }
        }
    }

    /// The covariance of two sums.
    fn product(&self, one: &Sum, other: &Sum, of_slopes: &[f64]) -> f64 {
        let width = self.width();
        let mut sum = 0.0;
        for (i, a) in one.slopes.iter().enumerate().filter(|(_, a)| **a != 0.0) {
            let row: f64 = other.slopes.iter().enumerate().map(|(j, b)| of_slopes[symmetric(i, j)] * b).sum();
            sum += a * row;
        }
        for (level, sign) in &one.levels {
            for (known, other) in &other.levels {
                let covariance = match &self.cells {
                    _ if known == level => self.variances[*level],
                    Some(cells) => cells.covariance(*level, *known),
                    None => 0.0,
                };
                sum += covariance * sign * other;
            }
        }
        if !self.covariances.is_empty() {
            for (levels, slopes) in [(&one.levels, &other.slopes), (&other.levels, &one.slopes)] {
                for &(level, sign) in levels {
                    let with = &self.covariances[level * width..][..width];
                    sum += sign * with.iter().zip(slopes).map(|(c, slope)| c * slope).sum::<f64>();
                }
            }
        }
        sum
    }

    /// The covariance of two coefficients of the whole design, zero where one has none.
    pub(super) fn covariance(&self, one: usize, other: usize) -> f64 {
        let sums = [one, other].map(|coefficient| self.sum(coefficient, &[]));
        match &sums {
            [Some(one), Some(other)] => self.product(one, other, &self.of_slopes()),
            _ => 0.0,
        }
    }

    /// The variances of all coefficients of the whole design.
    pub(crate) fn diagonal(&self) -> Vec<f64> {
        let of_slopes = self.of_slopes();
        let variance = |j: usize| self.sum(j, &[]).map_or(0.0, |sum| self.product(&sum, &sum, &of_slopes).max(0.0));
        (0..self.coefficients()).map(variance).collect()
    }

    /// The covariance matrix of all coefficients times a number, which is made once.
    pub(super) fn matrix(&self, unit: f64) -> &[Vec<f64>] {
        self.matrix.0.get_or_init(|| {
            let (count, of_slopes) = (self.coefficients(), self.of_slopes());
            let sums: Vec<Option<Sum>> = (0..count).map(|j| self.sum(j, &[])).collect();
            let mut matrix = vec![vec![0.0; count]; count];
            for i in 0..count {
                for j in 0..=i {
                    if let (Some(one), Some(other)) = (&sums[i], &sums[j]) {
                        let value = unit * self.product(one, other, &of_slopes);
                        (matrix[i][j], matrix[j][i]) = (value, value);
                    }
                }
            }
            matrix
        })
    }

    /// The same form by a triangle over all columns, for what goes by that; made once.
    pub(super) fn triangular(&self) -> &Triangular {
        self.dense.0.get_or_init(|| {
            let (width, levels) = (self.width(), self.category.levels);
            let offset = usize::from(self.category.omitted.is_some());
            let mean = |j: usize| self.centres.iter().skip(j).step_by(width).sum::<f64>() / levels as f64;
            let centre: Vec<f64> = (0..width).map(mean).collect();
            let (mut columns, mut shifts, mut scales) = (Vec::new(), Vec::new(), Vec::new());
            let mut sums: Vec<Sum> = (0..offset).filter_map(|j| self.sum(j, &centre)).collect();
            for column in 0..self.coefficients() - offset {
                let Some(mut sum) = self.sum(column + offset, &[]) else { continue };
                let (mut shift, mut scale) = (0.0, 1.0);
                if self.category.level(column).is_none() {
                    let place = sum.slopes.iter().position(|slope| *slope != 0.0).unwrap_or(0);
                    (shift, scale) =
                        (if offset == 1 { centre[place] } else { 0.0 }, self.slopes.coordinates().scale(place));
                    sum.slopes[place] = 1.0 / scale;
                }
                columns.push(column);
                shifts.push(shift);
                scales.push(scale);
                sums.push(sum);
            }
            let of_slopes = self.of_slopes();
            let mut matrix = vec![0.0; packed_length(sums.len())];
            for i in 0..sums.len() {
                for j in 0..=i {
                    matrix[packed(i, j)] = self.product(&sums[i], &sums[j], &of_slopes);
                }
            }
            let factor = semidefinite_factor(&matrix);
            Box::new(Triangular::of_parts(columns, offset == 1, shifts, scales, factor))
        })
    }

    /// Wald's statistic of the hypothesis that all coefficients of the category are zero, or with `whole` all but the intercept, and how many
    /// these are; the form times `unit` is the covariance.
    ///
    /// It is the least `(r, d)' C^-1 (r, d)`, over the values that the hypothesis leaves open, of the distances `r` of the `m_g` and `d` of
    /// the other coefficients from them, with their joint covariance `C`: the dual of `(R b)' (R V R')^-1 (R b)`. None where a level's
    /// own variance is zero, as that of one row without a residual, and where levels vary together.
    pub(crate) fn distance(&self, coefficients: &[Option<f64>], unit: f64, whole: bool) -> Option<(f64, usize)> {
        if self.cells.is_some() {
            return None;
        }
        let width = self.width();
        let offset = usize::from(self.category.omitted.is_some());
        let first = coefficients.first().copied().flatten().filter(|_| offset == 1).unwrap_or(0.0);
        let levels: Vec<usize> = (0..self.category.levels).filter(|&level| self.has_rows(level)).collect();
        let other = |j: usize| coefficients.get(self.category.beside(j) + offset).copied().flatten();
        let slopes: Vec<f64> = (0..width).map(other).collect::<Option<_>>()?;
        let constant = |level: usize| match self.category.column(level) {
            Some(column) => coefficients.get(column + offset).copied().flatten().map(|b| b + first),
            None => Some(first),
        };
        let mut constants: Vec<f64> = levels.iter().map(|&level| constant(level)).collect::<Option<_>>()?;
        let precision = |&level: &usize| Some(1.0 / self.variances[level]).filter(|p| *p > 0.0 && p.is_finite());
        let precisions: Vec<f64> = levels.iter().map(precision).collect::<Option<_>>()?;
        let total: f64 = precisions.iter().sum();
        let mean =
            |of: &dyn Fn(usize) -> f64| precisions.iter().enumerate().map(|(g, p)| p * of(g)).sum::<f64>() / total;
        let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
        let centre_of = |g: usize, j: usize| self.centres[levels[g] * width + j];
        let centre: Vec<f64> = (0..width).map(|j| mean(&|g| centre_of(g, j))).collect();
        if whole {
            // Without the other coefficients what they explain is of the levels, too.
            for (g, constant) in constants.iter_mut().enumerate() {
                *constant += (0..width).map(|j| (centre_of(g, j) - centre[j]) * slopes[j]).sum::<f64>();
            }
        }
        let middle = mean(&|g| constants[g]);
        // Open are the common constant (less `middle`) and, but for `whole`, how far the other coefficients move.
        let order = if whole { 1 } else { 1 + width };
        let row = |g: usize| -> Vec<f64> {
            std::iter::once(1.0).chain((0..order - 1).map(|j| centre_of(g, j) - centre[j])).collect()
        };
        let with = |g: usize, j: usize| self.covariances.get(levels[g] * width + j).copied().unwrap_or(0.0);
        // The other coefficients less what follows of them from the constants have no covariance with these.
        let mut own = self.of_slopes();
        let mut at_zero = if whole { slopes } else { vec![0.0; width] };
        let mut follows = vec![vec![0.0; order]; width];
        if !self.covariances.is_empty() {
            for (g, precision) in precisions.iter().enumerate() {
                let row = row(g);
                for i in 0..width {
                    let k = with(g, i) * precision;
                    (0..=i).for_each(|j| own[packed(i, j)] -= k * with(g, j));
                    follows[i].iter_mut().zip(&row).for_each(|(sum, x)| *sum += k * x);
                    at_zero[i] -= k * (constants[g] - middle);
                }
            }
        }
        if !whole {
            (0..width).for_each(|i| follows[i][i + 1] -= 1.0);
        }
        let own = Cholesky::new(&own, width)?;
        // Their distances are `at_zero + follows theta`, those of the constants `c - middle - row theta`.
        let by_open: Vec<Vec<f64>> = (0..order).map(|k| follows.iter().map(|row| row[k]).collect()).collect();
        let solved: Vec<Vec<f64>> = by_open.iter().map(|column| own.solve(column)).collect();
        let (mut normal, mut right) = (vec![0.0; packed_length(order)], vec![0.0; order]);
        for k in 0..order {
            right[k] -= dot(&solved[k], &at_zero);
            (0..=k).for_each(|l| normal[packed(k, l)] += dot(&by_open[k], &solved[l]));
        }
        for (g, precision) in precisions.iter().enumerate() {
            let row = row(g);
            for k in 0..order {
                right[k] += precision * row[k] * (constants[g] - middle);
                (0..=k).for_each(|l| normal[packed(k, l)] += precision * row[k] * row[l]);
            }
        }
        let theta = Cholesky::new(&normal, order)?.solve(&right);
        let others: Vec<f64> = (0..width).map(|i| at_zero[i] + dot(&follows[i], &theta)).collect();
        let mut sum = dot(&others, &own.solve(&others));
        for (g, precision) in precisions.iter().enumerate() {
            sum += precision * (constants[g] - middle - dot(&row(g), &theta)).powi(2);
        }
        Some((sum / unit, levels.len() - 1 + if whole { width } else { 0 }))
    }
}
