//! Losses of arrays of predictions: values, gradients, and both in one sweep.
//!
//! Every loss is a shape that a noise family uses too (see [`crate::noise::shape`]), of the residual
//! `r = truth - prediction`:
//!
//! | loss of one row | formula | gradient with respect to the prediction | at a kink |
//! |---|---|---|---|
//! | [`Loss::SquaredError`] | `r^2` | `-2 r` | |
//! | [`Loss::HalfSquaredError`] | `r^2 / 2` | `-r` | |
//! | [`Loss::AbsoluteError`] | `abs(r)` | `-sign(r)` | 0 at `r = 0` |
//! | [`Loss::Huber`] | `r^2 / 2` up to `abs(r) = delta`, then `delta (abs(r) - delta / 2)` | `-r` up to `delta`, then `-delta sign(r)` | |
//! | [`Loss::SmoothL1`] | Huber's loss divided by its threshold `beta` | `-r / beta` up to `beta`, then `-sign(r)` | |
//! | [`Loss::Pinball`] | `tau r` for `r > 0`, `(tau - 1) r` for `r < 0` | `-tau`, `1 - tau` | 0 at `r = 0` |
//! | [`Loss::LogCosh`] | `ln cosh r` | `-tanh r` | |
//! | [`Loss::GaussianNll`] | `(r^2 / v + ln v) / 2`, and `ln(2 pi) / 2` if `full` | `-r / v` | |
//! | [`Loss::LaplaceNll`] | `abs(r) / b + ln(2 b)` | `-sign(r) / b` | 0 at `r = 0` |
//!
//! How other libraries differ stands in `docs/losses.md`. Weights `w` make the sum `sum w l` and the mean
//! `sum w l / sum w`, so that a weight of 2 is the same as two rows.
//!
//! ```
//! use noisefit_core::loss::{Loss, Pairs, Reduction};
//!
//! let rows = Pairs::new(&[1.0, 2.0, 3.0, 100.0], &[1.1, 2.2, 2.8, 3.0])?;
//! let mut gradient = [0.0; 4];
//! let mean = Loss::Huber { delta: 1.0 }.value_and_gradient(&rows, Reduction::Mean, &mut gradient)?;
//! assert!((mean - (0.005 + 0.02 + 0.02 + 96.5) / 4.0).abs() < 1e-13);
//! assert_eq!(gradient[3], -0.25);
//! # Ok::<(), noisefit_core::Error>(())
//! ```
//!
//! Losses and sums are computed in `f64` for `f32` arrays too. NaN in a row makes the sum NaN; squares overflow to
//! infinity, the other losses only where the loss itself does.

mod likelihood;
mod pairs;
mod real;
pub mod report;
mod sweep;

pub use likelihood::{Slopes, likelihood};
pub use pairs::Pairs;
pub use real::Real;
pub use report::{LossReport, report};

use crate::Error;
use crate::noise::shape::{Absolute, Check, Huber, LogCosh, Shape, Square};
use crate::noise::{Gaussian, Laplace, NoiseFamily};
use crate::numeric::Level;
use sweep::{Common, PerRow, Spread, Sweep};

/// What becomes of the losses of the rows. Unreduced losses are [`Loss::values`]; their derivatives are the gradient of
/// the sum.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reduction {
    /// `sum w l`.
    Sum,
    /// `sum w l / sum w`.
    Mean,
}

/// A positive parameter of the noise: one for all rows, or one for each.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Parameter<'a, T> {
    /// One for all rows.
    Common(f64),
    /// One for each row.
    PerRow(&'a [T]),
}

/// A loss of a row, as a function of its residual `truth - prediction`. The formulas are in the module's table.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub enum Loss<'a, T = f64> {
    /// `r^2`; its mean is the MSE.
    SquaredError,
    /// `r^2 / 2`; its sum is the square cost `SSE / 2`.
    HalfSquaredError,
    /// `|r|`; its mean is the MAE.
    AbsoluteError,
    /// Quadratic to `delta`, linear beyond (Huber 1964).
    Huber {
        /// The threshold, positive.
        delta: f64,
    },
    /// Huber's loss divided by its threshold, so that the linear part has slope 1.
    SmoothL1 {
        /// The threshold, positive.
        beta: f64,
    },
    /// The quantile loss: the expected loss is least at the quantile of level `tau`.
    Pinball {
        /// The level, between 0 and 1.
        tau: f64,
    },
    /// `ln cosh r`.
    LogCosh,
    /// The negative log density of Gaussian noise.
    GaussianNll {
        /// The variance, positive.
        variance: Parameter<'a, T>,
        /// Whether `ln(2 pi) / 2` is included, as a likelihood needs.
        full: bool,
    },
    /// The negative log density of Laplace noise, complete.
    LaplaceNll {
        /// The mean absolute deviation b, positive.
        scale: Parameter<'a, T>,
    },
}

impl<T: Real> Loss<'_, T> {
    /// The reduced loss.
    ///
    /// # Errors
    /// [`Error::NoRows`] for a mean of no rows or of no weight; [`Error::Argument`], [`Error::Value`] or
    /// [`Error::Shape`] for a parameter outside its domain.
    pub fn value(&self, rows: &Pairs<'_, T>, reduction: Reduction) -> Result<f64, Error> {
        let divisor = divisor(rows, reduction)?;
        self.visit(rows, Sum { threads: rows.threads() }).map(|sum| sum / divisor)
    }

    /// The loss of every row, times its weight, into `values`.
    ///
    /// # Errors
    /// [`Error::Shape`] if `values` is not as long as the rows; as [`Loss::value`] for the parameters.
    pub fn values(&self, rows: &Pairs<'_, T>, values: &mut [T]) -> Result<(), Error> {
        same_length("values", rows.len(), values.len())?;
        self.visit(rows, Values { values })
    }

    /// The derivative of the reduced loss with respect to every prediction, into `gradient`. That of the sum is also
    /// the derivative of every row's own loss.
    ///
    /// # Errors
    /// As [`Loss::value_and_gradient`].
    pub fn gradient(&self, rows: &Pairs<'_, T>, reduction: Reduction, gradient: &mut [T]) -> Result<(), Error> {
        self.value_and_gradient(rows, reduction, gradient).map(|_| ())
    }

    /// The reduced loss, and its gradient, in one sweep over the rows.
    ///
    /// # Errors
    /// [`Error::Shape`] if `gradient` is not as long as the rows; else as [`Loss::value`].
    pub fn value_and_gradient(
        &self,
        rows: &Pairs<'_, T>,
        reduction: Reduction,
        gradient: &mut [T],
    ) -> Result<f64, Error> {
        same_length("gradient", rows.len(), gradient.len())?;
        let divisor = divisor(rows, reduction)?;
        let action = SumAndGradient { gain: 1.0 / divisor, gradient, threads: rows.threads() };
        self.visit(rows, action).map(|sum| sum / divisor)
    }

    /// Checks the parameters and does `action` on the sweep that this loss is.
    fn visit<A: Action<T>>(&self, rows: &Pairs<'_, T>, action: A) -> Result<A::Output, Error> {
        match *self {
            Loss::SquaredError => Ok(action.run(sweep(rows, Square, 2.0, UNIT))),
            Loss::HalfSquaredError => Ok(action.run(sweep(rows, Square, 1.0, UNIT))),
            Loss::AbsoluteError => Ok(action.run(sweep(rows, Absolute, 1.0, UNIT))),
            Loss::Huber { delta } => {
                let knee = positive("delta", delta)?;
                Ok(action.run(sweep(rows, Huber { knee, steepness: 1.0 }, 1.0, UNIT)))
            }
            Loss::SmoothL1 { beta } => {
                let knee = positive("beta", beta)?;
                Ok(action.run(sweep(rows, Huber { knee, steepness: 1.0 / knee }, 1.0, UNIT)))
            }
            Loss::Pinball { tau } => {
                Level::named("tau", tau)?;
                Ok(action.run(sweep(rows, Check { tau }, 1.0, UNIT)))
            }
            Loss::LogCosh => Ok(action.run(sweep(rows, LogCosh, 1.0, UNIT))),
            Loss::GaussianNll { variance, full } => {
                let constant = if full { Gaussian.negative_log_density(0.0) } else { 0.0 };
                match variance {
                    Parameter::Common(v) => {
                        let v = positive("variance", v)?;
                        let spread = Common { inverse: 1.0 / v.sqrt(), offset: 0.5 * v.ln() + constant };
                        Ok(action.run(sweep(rows, Square, 1.0, spread)))
                    }
                    Parameter::PerRow(values) => {
                        all_positive("variance", values, rows.len())?;
                        Ok(action.run(sweep(rows, Square, 1.0, PerRow { values, squared: true, constant })))
                    }
                }
            }
            Loss::LaplaceNll { scale } => {
                let constant = Laplace.negative_log_density(0.0);
                match scale {
                    Parameter::Common(b) => {
                        let b = positive("scale", b)?;
                        let spread = Common { inverse: 1.0 / b, offset: b.ln() + constant };
                        Ok(action.run(sweep(rows, Absolute, 1.0, spread)))
                    }
                    Parameter::PerRow(values) => {
                        all_positive("scale", values, rows.len())?;
                        Ok(action.run(sweep(rows, Absolute, 1.0, PerRow { values, squared: false, constant })))
                    }
                }
            }
        }
    }
}

/// The spread of the losses that have no scale.
const UNIT: Common = Common { inverse: 1.0, offset: 0.0 };

fn sweep<'a, T, S, P>(rows: &Pairs<'a, T>, shape: S, factor: f64, spread: P) -> Sweep<'a, T, S, P> {
    Sweep { truth: rows.truth, prediction: rows.prediction, weights: rows.weights, shape, factor, spread }
}

/// Something done with the sweep of any loss.
trait Action<T> {
    type Output;
    fn run<S: Shape, P: Spread>(self, sweep: Sweep<'_, T, S, P>) -> Self::Output;
}

struct Sum {
    threads: usize,
}

impl<T: Real> Action<T> for Sum {
    type Output = f64;

    fn run<S: Shape, P: Spread>(self, sweep: Sweep<'_, T, S, P>) -> f64 {
        sweep.sum(self.threads)
    }
}

struct Values<'a, T> {
    values: &'a mut [T],
}

impl<T: Real> Action<T> for Values<'_, T> {
    type Output = ();

    fn run<S: Shape, P: Spread>(self, sweep: Sweep<'_, T, S, P>) {
        sweep.values(self.values);
    }
}

struct SumAndGradient<'a, T> {
    gain: f64,
    gradient: &'a mut [T],
    threads: usize,
}

impl<T: Real> Action<T> for SumAndGradient<'_, T> {
    type Output = f64;

    fn run<S: Shape, P: Spread>(self, sweep: Sweep<'_, T, S, P>) -> f64 {
        sweep.sum_and_gradient(self.gain, self.gradient, self.threads)
    }
}

/// What a sum is divided by to give the reduced loss.
fn divisor<T>(rows: &Pairs<'_, T>, reduction: Reduction) -> Result<f64, Error> {
    match reduction {
        Reduction::Sum => Ok(1.0),
        Reduction::Mean if rows.total_weight > 0.0 => Ok(rows.total_weight),
        Reduction::Mean => Err(Error::NoRows),
    }
}

fn positive(name: &'static str, value: f64) -> Result<f64, Error> {
    if value > 0.0 && value.is_finite() {
        return Ok(value);
    }
    Err(Error::Argument { name, value, expected: "positive and finite" })
}

fn all_positive<T: Real>(what: &'static str, values: &[T], rows: usize) -> Result<(), Error> {
    same_length(what, rows, values.len())?;
    match values.iter().position(|v| !(v.widen() > 0.0 && v.widen().is_finite())) {
        Some(row) => {
            let (what, value) = (what.to_owned(), values[row].widen());
            Err(Error::Value { what, row: row as u64, value, expected: "a positive finite number" })
        }
        None => Ok(()),
    }
}

fn same_length(what: &'static str, expected: usize, found: usize) -> Result<(), Error> {
    if expected == found { Ok(()) } else { Err(Error::Shape { what, expected, found }) }
}
