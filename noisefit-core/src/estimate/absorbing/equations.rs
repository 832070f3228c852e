//! Newton's equations at a point, the constants of the levels eliminated.

use std::sync::Arc;

use crate::Error;
use crate::algebra::absorb::Absorbed;
use crate::algebra::gram::{packed, packed_length};
use crate::algebra::{Cholesky, Moments};
use crate::estimate::absorbing::pass::{Sums, Working};
use crate::estimate::absorbing::point::{Known, KnownShape, Point};
use crate::rows::{Adapted, RowSource, RowSourceExt};

/// The equations of the location's slopes, of `ln s` and, last, of a shape.
pub(super) struct Equations {
    /// The weighted least squares problem, whose effects are swept out.
    absorbed: Absorbed,
    gradient: Vec<f64>,
    /// Minus the second derivatives, packed, made positive definite.
    curved: Vec<f64>,
    factor: Cholesky,
    /// How many slopes there are.
    width: usize,
    shaped: bool,
}

/// A step of all parameters.
pub(super) struct Step {
    pub(super) slopes: Vec<f64>,
    pub(super) constants: Vec<Vec<f64>>,
    pub(super) log_scale: f64,
    pub(super) theta: f64,
    /// What the gradient promises of a whole step.
    pub(super) rise: f64,
}

impl Equations {
    /// Those at the point of some sums, by two passes.
    pub(super) fn at(source: &dyn RowSource, state: &Sums, known: &Known) -> Result<Self, Error> {
        let point = state.point();
        let (width, shaped) = (point.slopes.len(), known.shape.is_some());
        let working = Working(point.clone());
        let layout = working.layout(source.layout(), shaped);
        let order = layout.terms.len();
        let rows = Adapted::new(source, working, layout);
        let absorbed = Absorbed::new(&rows)?;
        let products = absorbed.rows(&rows).pass(Moments::new(order, false))?;
        let (slopes, beside) = state.beside_products(known.constant);
        let mut gradient: Vec<f64> = (0..order).map(|j| products.product(j, order)).collect();
        gradient[width..].iter_mut().zip(slopes).for_each(|(gradient, slope)| *gradient += slope);
        let mut matrix = vec![0.0; packed_length(order)];
        for i in 0..order {
            (0..=i).for_each(|j| matrix[packed(i, j)] = products.product(i, j));
        }
        let [scale, cross, shape] = beside;
        let mut curved = matrix.clone();
        curved[packed(width, width)] += scale;
        if shaped {
            curved[packed(width + 1, width)] += cross;
            curved[packed(width + 1, width + 1)] += shape;
        }
        let factor = match Cholesky::new(&curved, order) {
            Some(factor) => factor,
            None => {
                // What is expected of scale and shape leads up from anywhere.
                let n = state.observations();
                for i in width..order {
                    (0..i).for_each(|j| matrix[packed(i, j)] = 0.0);
                }
                matrix[packed(width, width)] = n * known.information.log_scale;
                if shaped {
                    let [own, cross] = known.of_shape;
                    matrix[packed(width + 1, width)] = n * cross;
                    matrix[packed(width + 1, width + 1)] = n * own;
                }
                curved.copy_from_slice(&matrix);
                Cholesky::new(&matrix, order).ok_or_else(undetermined)?
            }
        };
        Ok(Equations { absorbed, gradient, curved, factor, width, shaped })
    }

    /// The step to the maximum, a shape that is now `theta` changing within its range.
    pub(super) fn step(&self, theta: f64, shape: Option<&KnownShape>) -> Result<Step, Error> {
        let change = self.factor.solve(&self.gradient);
        if let Some(shape) = shape {
            let whole = change[self.width + 1];
            let within = (theta + whole).clamp(shape.lightest, shape.heaviest) - theta;
            if within != whole {
                // The others as it is where the shape stops.
                return Ok(self.of(self.beside(within)?));
            }
        }
        Ok(self.of(change))
    }

    /// The step to the maximum of all parameters but the shape, which moves by so much.
    pub(super) fn step_by(&self, shape: f64) -> Result<Step, Error> {
        Ok(self.of(self.beside(shape)?))
    }

    /// The slope of the profile of the log-likelihood by the shape, and minus its second derivative.
    pub(super) fn profile(&self) -> Result<(f64, f64), Error> {
        let last = self.width + 1;
        let unit: Vec<f64> = (0..=last).map(|j| f64::from(u8::from(j == last))).collect();
        let held = self.beside(0.0)?;
        let crossed: f64 = (0..last).map(|j| self.curved[packed(last, j)] * held[j]).sum();
        Ok((self.gradient[last] - crossed, 1.0 / self.factor.solve(&unit)[last]))
    }

    /// The change of all parameters where that of the shape is given.
    fn beside(&self, shape: f64) -> Result<Vec<f64>, Error> {
        let last = self.width + 1;
        let right: Vec<f64> = (0..last).map(|j| self.gradient[j] - self.curved[packed(last, j)] * shape).collect();
        let mut change = Cholesky::new(&self.curved, last).ok_or_else(undetermined)?.solve(&right);
        change.push(shape);
        Ok(change)
    }

    /// The step of a change, with that of the constants.
    fn of(&self, change: Vec<f64>) -> Step {
        let own: f64 = self.gradient.iter().zip(&change).map(|(g, d)| g * d).sum();
        let coefficients: Vec<Option<f64>> = change.iter().copied().map(Some).collect();
        let constants = self.absorbed.constants(&coefficients).into_iter();
        let constants =
            constants.map(|of_effect| of_effect.into_iter().map(|value| value.unwrap_or(0.0)).collect()).collect();
        Step {
            constants,
            rise: own + self.absorbed.explained_response,
            log_scale: change[self.width],
            theta: if self.shaped { change[self.width + 1] } else { 0.0 },
            slopes: change[..self.width].to_vec(),
        }
    }
}

fn undetermined() -> Error {
    Error::Undetermined {
        why: "too few rows are near enough to their fitted values to determine every coefficient".to_owned(),
        remedy: Some("leave out terms"),
    }
}

impl Point {
    /// The point a part of a step away.
    pub(super) fn moved(&self, step: &Step, part: f64) -> Self {
        let add = |values: &[f64], by: &[f64]| values.iter().zip(by).map(|(value, by)| value + part * by).collect();
        let constants = self.constants.iter().zip(&step.constants);
        Point {
            noise: self.noise,
            theta: self.theta + part * step.theta,
            slopes: add(&self.slopes, &step.slopes),
            constants: constants.map(|(values, by)| Arc::new(add(values, by))).collect(),
            log_scale: self.log_scale + part * step.log_scale,
        }
    }
}
