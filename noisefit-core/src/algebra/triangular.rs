//! A quadratic form of rows by a triangle over all columns of their design.

use std::ops::Range;

use serde::{Deserialize, Serialize};

use crate::algebra::coordinates::Coordinates;
use crate::algebra::gram::{packed, symmetric};
use crate::numeric::dispatch::vectorised;
use crate::numeric::double_double::DoubleDouble;
use crate::rows::Design;

/// Rows whose coordinates stay in the cache while every column of the factor is gone through.
const TOGETHER: usize = 256;

/// What rounding may leave wrong of a form that is computed in doubles, as a part of it.
const DIGITS: f64 = 1e-13;

/// The form as a triangular factor of its matrix in shifted and scaled columns, so that it is as accurate for new rows as a QR of the
/// design would be.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Triangular {
    /// The design columns it refers to, those of aliased terms left out.
    columns: Vec<usize>,
    intercept: bool,
    shifts: Vec<f64>,
    scales: Vec<f64>,
    /// Packed lower triangle of `L`, where `L L' = (Z' V Z)^-1`; the intercept first.
    factor: Vec<f64>,
}

impl Triangular {
    pub(crate) fn new(coordinates: &Coordinates, factor: Vec<f64>) -> Self {
        let columns = coordinates.columns() - 1;
        Triangular {
            columns: (0..columns).collect(),
            intercept: coordinates.intercept(),
            shifts: (0..columns).map(|j| coordinates.shift(j)).collect(),
            scales: (0..columns).map(|j| coordinates.scale(j)).collect(),
            factor,
        }
    }

    /// By the numbers themselves.
    pub(super) fn of_parts(
        columns: Vec<usize>,
        intercept: bool,
        shifts: Vec<f64>,
        scales: Vec<f64>,
        factor: Vec<f64>,
    ) -> Self {
        Triangular { columns, intercept, shifts, scales, factor }
    }

    /// The same form where its columns are those with the indices `columns` of a wider design.
    pub(crate) fn widened(mut self, columns: &[usize]) -> Self {
        for column in &mut self.columns {
            *column = columns[*column];
        }
        self
    }

    /// The same form times a positive number.
    pub(crate) fn times(mut self, factor: f64) -> Self {
        let root = factor.sqrt();
        self.factor.iter_mut().for_each(|value| *value *= root);
        self
    }

    /// The design columns it refers to.
    pub(crate) fn columns(&self) -> &[usize] {
        &self.columns
    }

    /// The coordinates of its columns; the response of these is that of the data.
    pub(crate) fn coordinates(&self) -> Coordinates {
        Coordinates::of_design(&self.shifts, &self.scales, self.intercept)
    }

    /// The packed lower triangle of `L`, where `L L'` is the form's matrix in [`Triangular::coordinates`].
    pub(crate) fn factor(&self) -> &[f64] {
        &self.factor
    }

    /// The form `x' L C L' x`, and its matrix for all of `coefficients` coefficients of the data (zero for aliased ones), of
    /// a positive semidefinite `C` for whitened rows `L'z`: the packed lower triangle of a covariance of their coefficients.
    ///
    /// Nothing is lost to nearly collinear columns, whose large entries are all in `L`.
    pub(crate) fn of_whitened(&self, covariance: &[f64], coefficients: usize) -> (Self, Vec<Vec<f64>>) {
        let order = self.coordinates().coefficients();
        let root = semidefinite_factor(covariance);
        let entry = |(i, j): (usize, usize)| (j..=i).map(|k| self.factor[packed(i, k)] * root[packed(k, j)]).sum();
        let factor = (0..order).flat_map(|i| (0..=i).map(move |j| (i, j))).map(entry).collect();
        let (carried, places) = (self.directions(), self.places());
        let mut matrix = vec![vec![0.0; coefficients]; coefficients];
        for i in 0..order {
            let half: Vec<f64> =
                (0..order).map(|l| (0..order).map(|k| carried[i][k] * covariance[symmetric(k, l)]).sum()).collect();
            for j in 0..=i {
                let value = half.iter().zip(&carried[j]).map(|(a, b)| a * b).sum();
                (matrix[places[i]][places[j]], matrix[places[j]][places[i]]) = (value, value);
            }
        }
        (Triangular { factor, ..self.clone() }, matrix)
    }

    /// The coefficients of the data that are determined as combinations of those of whitened rows `L'z`: the rows of `L`, carried back to
    /// the columns themselves.
    pub(crate) fn directions(&self) -> Vec<Vec<f64>> {
        let coordinates = self.coordinates();
        let order = coordinates.coefficients();
        let lower = |i: usize, j: usize| if j <= i { self.factor[packed(i, j)] } else { 0.0 };
        let row = |i: usize| (0..order).map(|j| coordinates.carry_back(i, |k| lower(k, j).into()).to_f64()).collect();
        (0..order).map(row).collect()
    }

    /// Their places among all coefficients.
    pub(crate) fn places(&self) -> Vec<usize> {
        let offset = usize::from(self.intercept);
        (0..offset).chain(self.columns.iter().map(|j| j + offset)).collect()
    }

    /// The number of design columns that rows must have, at least.
    pub(crate) fn columns_needed(&self) -> usize {
        self.columns.iter().max().map_or(0, |last| last.saturating_add(1))
    }

    /// Whether the parts go together, as they do unless a file was damaged.
    pub(crate) fn is_sound(&self) -> bool {
        let order = self.columns.len() + usize::from(self.intercept);
        self.shifts.len() == self.columns.len()
            && self.scales.len() == self.columns.len()
            && self.factor.len() == order * (order + 1) / 2
    }

    /// `h` of every row of a design: `rows` values from columns that are each `rows` long; in doubles, and of rows where these would
    /// leave fewer than thirteen digits in double-double.
    pub(crate) fn evaluate(&self, design: Design<'_>, rows: usize) -> Vec<f64> {
        let mut leverages = vec![0.0; rows];
        let mut rough = Vec::new();
        for start in (0..rows).step_by(TOGETHER) {
            let range = start..(start + TOGETHER).min(rows);
            let doubtful = self.in_doubles(design, range.clone(), &mut leverages[range]);
            rough.extend(doubtful.into_iter().map(|i| start + i));
        }
        for (i, exact) in rough.iter().zip(self.in_double_double(design, &rough)) {
            leverages[*i] = exact;
        }
        leverages
    }

    /// The forms of the rows in a range, and which of them rounding leaves too few digits.
    fn in_doubles(&self, design: Design<'_>, range: Range<usize>, leverages: &mut [f64]) -> Vec<usize> {
        let (columns, offset, rows) = (design.dense_columns(), usize::from(self.intercept), leverages.len());
        let order = self.columns.len() + offset;
        let mut z = vec![1.0; order * rows];
        for (j, column) in z.chunks_exact_mut(rows.max(1)).skip(offset).enumerate() {
            let (values, shift, scale) = (columns[self.columns[j]], self.shifts[j], self.scales[j]);
            for (i, z) in range.clone().zip(column) {
                *z = ((values.high[i] - shift) + values.low(i)) * scale;
            }
        }
        let (mut sum, mut size, mut lost) = (vec![0.0; rows], vec![0.0; rows], vec![0.0; rows]);
        vectorised(
            #[inline(always)]
            || {
                for k in 0..order {
                    sum.fill(0.0);
                    size.fill(0.0);
                    for j in k..order {
                        let (entry, column) = (self.factor[packed(j, k)], &z[j * rows..(j + 1) * rows]);
                        for i in 0..rows {
                            let term = column[i] * entry;
                            sum[i] += term;
                            size[i] += term.abs();
                        }
                    }
                    for i in 0..rows {
                        leverages[i] += sum[i] * sum[i];
                        lost[i] += sum[i].abs() * size[i];
                    }
                }
            },
        );
        // Each sum is off by some roundings of its largest terms, as a random walk of so many steps is.
        let part = 4.0 * f64::EPSILON * (order as f64).sqrt();
        (0..rows).filter(|&i| part * lost[i] > DIGITS * leverages[i]).collect()
    }

    /// The forms of the rows at `places`.
    fn in_double_double(&self, design: Design<'_>, places: &[usize]) -> Vec<f64> {
        let columns = design.dense_columns();
        let offset = usize::from(self.intercept);
        let order = self.columns.len() + offset;
        let coordinate = |j: usize, i: usize| match j.checked_sub(offset) {
            None => DoubleDouble::ONE,
            Some(j) => {
                let values = columns[self.columns[j]];
                (DoubleDouble::from_sum(values.high[i], -self.shifts[j]) + values.low(i)) * self.scales[j]
            }
        };
        let mut z = vec![DoubleDouble::ZERO; order];
        let mut row = |i: usize| {
            z.iter_mut().enumerate().for_each(|(j, z)| *z = coordinate(j, i));
            // The squared length of L'z.
            (0..order)
                .map(|k| {
                    let sum = (k..order).fold(DoubleDouble::ZERO, |sum, j| sum + z[j] * self.factor[packed(j, k)]);
                    sum.to_f64().powi(2)
                })
                .sum()
        };
        places.iter().map(|&i| row(i)).collect()
    }

    /// [`Triangular::evaluate`] in doubles, for what needs some digits of many rows.
    pub(crate) fn approximate(&self, design: Design<'_>, rows: usize) -> Vec<f64> {
        let mut leverages = vec![0.0; rows];
        for column in self.whitened(design, rows).chunks_exact(rows.max(1)) {
            leverages.iter_mut().zip(column).for_each(|(h, u)| *h += u * u);
        }
        leverages
    }

    /// `L'z` of every row in doubles, `rows` values of each of its columns one after the other.
    pub(crate) fn whitened(&self, design: Design<'_>, rows: usize) -> Vec<f64> {
        let offset = usize::from(self.intercept);
        let order = self.columns.len() + offset;
        let mut whitened = vec![0.0; order * rows];
        let mut z = vec![1.0; rows];
        for j in 0..order {
            if let Some(j) = j.checked_sub(offset) {
                let values = design.dense_columns()[self.columns[j]];
                let (shift, scale) = (self.shifts[j], self.scales[j]);
                for (i, z) in z.iter_mut().enumerate() {
                    *z = ((values.high[i] - shift) + values.low(i)) * scale;
                }
            }
            vectorised(|| {
                for (k, target) in whitened.chunks_exact_mut(rows.max(1)).take(j + 1).enumerate() {
                    let entry = self.factor[packed(j, k)];
                    for (u, z) in target.iter_mut().zip(&z) {
                        *u += entry * z;
                    }
                }
            });
        }
        whitened
    }
}

/// The packed lower triangle of `L` with `L L' = matrix`, a positive semidefinite one: columns whose pivot is no more than
/// rounding are zero.
pub(super) fn semidefinite_factor(matrix: &[f64]) -> Vec<f64> {
    let mut factor = matrix.to_vec();
    let order = (0..).take_while(|&k| packed(k, k) < matrix.len()).count();
    for j in 0..order {
        let own: f64 = (0..j).map(|k| factor[packed(j, k)].powi(2)).sum();
        let pivot = matrix[packed(j, j)] - own;
        let root = if pivot > 4.0 * f64::EPSILON * matrix[packed(j, j)] { pivot.sqrt() } else { 0.0 };
        factor[packed(j, j)] = root;
        for i in j + 1..order {
            let shared: f64 = (0..j).map(|k| factor[packed(i, k)] * factor[packed(j, k)]).sum();
            factor[packed(i, j)] = if root > 0.0 { (matrix[packed(i, j)] - shared) / root } else { 0.0 };
        }
    }
    factor
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_factor_of_a_singular_matrix() {
        // (1, 2, 3)(1, 2, 3)' and a third row of its own.
        let matrix = [1.0, 2.0, 4.0, 3.0, 6.0, 10.0];
        assert_eq!(semidefinite_factor(&matrix), [1.0, 2.0, 0.0, 3.0, 0.0, 1.0]);
    }

    /// Three columns of which the last is nearly the sum of the others: doubles do for some rows, and not for all.
    #[test]
    fn rows_that_doubles_would_not_do_for_are_found() {
        let coordinates = Coordinates::new(vec![1.0, 2.0, 3.0, 0.0], vec![1.0; 4], true);
        let far = 3e5;
        let factor = vec![0.1, 0.0, far, 0.0, far, 1.2, 0.0, -far, 0.3, 1.0];
        let leverage = Triangular::new(&coordinates, factor);
        let first: Vec<f64> = (0..600).map(|i| (f64::from(i) * 0.37).sin()).collect();
        let second: Vec<f64> = (0..600).map(|i| (f64::from(i) * 1.71).cos()).collect();
        let third: Vec<f64> =
            (0..600).map(|i| first[i] + second[i] + if i % 2 == 0 { 1e-6 * (i as f64).sin() } else { 1.0 }).collect();
        let design = [first[..].into(), second[..].into(), third[..].into()];
        let design = Design::from(&design);
        let all: Vec<usize> = (0..600).collect();
        let exact = leverage.in_double_double(design, &all);
        let mut rounded = vec![0.0; 256];
        let rough = leverage.in_doubles(design, 0..256, &mut rounded);
        assert!(rough.len() > 60 && rough.len() < 250, "{}", rough.len());
        for (found, right) in leverage.evaluate(design, 600).iter().zip(&exact) {
            assert!((found - right).abs() <= 1e-13 * right, "{found} {right}");
        }
    }
}
