//! How far the regressors can be told apart.

use faer::{Mat, Side};
use serde::{Deserialize, Serialize};

use crate::algebra::gram::{packed, packed_length, symmetric};
use crate::inference::diagnostics::contract::Diagnostic;
use crate::inference::diagnostics::diagnosis::Diagnosis;
use crate::inference::diagnostics::found::Found;
use crate::inference::diagnostics::summary::Summary;

/// Collinearity of the regressors, those of aliased terms left out.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Collinearity {
    /// The largest over the smallest singular value of the design as it is, intercept and units included (of its rows times
    /// root weights, where there are weights).
    pub condition_number: Found<f64>,
    /// The condition number of the columns centred (with an intercept) and scaled to length one: no choice of units changes it (Belsley,
    /// Kuh and Welsch 1980, *Regression Diagnostics*, chapter 3).
    pub scaled_condition_number: Found<f64>,
    /// How much larger the variance of each coefficient is than if its column were orthogonal to the others.
    pub variance_inflation: Vec<VarianceInflation>,
}

/// `1 / (1 - R^2)` of the regression of a column on the others, about the mean where there is an intercept.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct VarianceInflation {
    /// The term.
    pub term: String,
    /// The factor, 1 or more.
    pub factor: f64,
}

/// Follows from the factor of the fit, whatever the rows.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Columns;

impl Diagnostic for Columns {
    type Finding = Collinearity;

    fn new(_: &Diagnosis, _: usize) -> Self {
        Columns
    }

    fn finish(&self, diagnosis: &Diagnosis, _: &Summary) -> Collinearity {
        diagnosis.collinearity()
    }
}

impl Diagnosis {
    /// Follows from the factor of the fit alone.
    fn collinearity(&self) -> Collinearity {
        let Some(leverage) = self.squares.leverage().filter(|_| self.order() > 0) else {
            let no = || Found::no(self.no_errors());
            return Collinearity {
                condition_number: no(),
                scaled_condition_number: no(),
                variance_inflation: Vec::new(),
            };
        };
        let (order, offset) = (self.order(), self.coordinates.offset());
        let factor = leverage.factor();
        let root = inverse(factor, order);
        // C = L L' = (Z'VZ)^-1 and G = Z'VZ.
        let sum = |terms: &dyn Fn(usize) -> f64, range: std::ops::Range<usize>| range.map(terms).sum::<f64>();
        let c = |i: usize, j: usize| sum(&|k| factor[symmetric(i, k)] * factor[symmetric(j, k)], 0..i.min(j) + 1);
        let g = |i: usize, j: usize| sum(&|k| root[symmetric(k, i)] * root[symmetric(k, j)], i.max(j)..order);
        // Sums of products about the means, where there is an intercept.
        let centred = |i: usize, j: usize| if offset == 1 { g(i, j) - g(i, 0) * g(j, 0) / g(0, 0) } else { g(i, j) };
        let lengths: Vec<f64> = (offset..order).map(|j| centred(j, j).sqrt()).collect();
        let correlation = |i: usize, j: usize| centred(i + offset, j + offset) / (lengths[i] * lengths[j]);
        let inflation = |i: usize, j: usize| c(i + offset, j + offset) * lengths[i] * lengths[j];
        let slopes = order - offset;
        let scaled = largest_eigenvalue(slopes, correlation).zip(largest_eigenvalue(slopes, inflation));
        Collinearity {
            condition_number: condition(self.largest_of_design(&g).zip(self.largest_of_covariance())),
            scaled_condition_number: match slopes {
                0 => Found::no("there is no regressor"),
                _ => condition(scaled),
            },
            variance_inflation: (0..slopes)
                .map(|j| VarianceInflation { term: self.terms[j].clone(), factor: inflation(j, j).max(1.0) })
                .collect(),
        }
    }

    /// The largest eigenvalue of `X'VX`, given `Z'VZ`.
    fn largest_of_design(&self, g: &dyn Fn(usize, usize) -> f64) -> Option<f64> {
        let (order, offset, coordinates) = (self.order(), self.coordinates.offset(), &self.coordinates);
        // x = z / scale + shift.
        let unit = |i: usize| i.checked_sub(offset).map_or(1.0, |j| 1.0 / coordinates.scale(j));
        let shift = |i: usize| i.checked_sub(offset).map_or(0.0, |j| coordinates.shift(j));
        largest_eigenvalue(order, |i, j| {
            let own = g(i, j) * unit(i) * unit(j);
            if offset == 0 {
                return own;
            }
            own + shift(i) * g(0, j) * unit(j) + shift(j) * g(i, 0) * unit(i) + shift(i) * shift(j) * g(0, 0)
        })
    }

    /// The largest eigenvalue of `(X'VX)^-1`.
    fn largest_of_covariance(&self) -> Option<f64> {
        let leverage = self.squares.leverage()?;
        let mut identity = vec![0.0; packed_length(self.order())];
        (0..self.order()).for_each(|k| identity[packed(k, k)] = 1.0);
        // Where every row is fitted exactly the covariance itself is zero.
        let (_, matrix) = leverage.of_whitened(&identity, self.squares.location.rows.len());
        largest_eigenvalue(matrix.len(), |i, j| matrix[i][j])
    }
}

fn condition(squares: Option<(f64, f64)>) -> Found<f64> {
    match squares.map(|(largest, inverse)| (largest * inverse).sqrt()).filter(|value| value.is_finite()) {
        // Rounding may carry it below one.
        Some(value) => Found::Yes(value.max(1.0)),
        None => Found::no("it leaves the range of a double"),
    }
}

fn largest_eigenvalue(order: usize, element: impl Fn(usize, usize) -> f64) -> Option<f64> {
    let matrix = Mat::from_fn(order, order, element);
    matrix.self_adjoint_eigenvalues(Side::Lower).ok()?.last().copied()
}

/// The inverse of a packed lower triangle.
fn inverse(factor: &[f64], order: usize) -> Vec<f64> {
    let mut inverse = vec![0.0; factor.len()];
    for j in 0..order {
        inverse[symmetric(j, j)] = 1.0 / factor[symmetric(j, j)];
        for i in j + 1..order {
            let done: f64 = (j..i).map(|k| factor[symmetric(i, k)] * inverse[symmetric(k, j)]).sum();
            inverse[symmetric(i, j)] = -done / factor[symmetric(i, i)];
        }
    }
    inverse
}
