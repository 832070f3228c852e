//! Maximum likelihood of linear models by passes that give the log-likelihood, its gradient and its curvature at once.
//!
//! ```text
//! y = mu + s R / sqrt(w),   mu = b0 + x'b,   ln s = g0 + z'g,   -ln density of R = rho(r; theta) + c(theta)
//! log L = sum f (-rho(r) - c - ln s + ln(w) / 2 + log Jacobian),   r = sqrt(w) (y - mu) / s
//! ```

mod cholesky;
mod collapse;
mod derived;
mod functions;
mod laplace;
mod newton;
mod pass;
mod problem;
#[cfg(test)]
mod tests;
mod tile;

pub(crate) use cholesky::Cholesky;
pub(crate) use functions::{Functions, StudentT};
pub(crate) use laplace::fit_laplace;
pub(crate) use newton::{Maximum, Outcome, SHAPES, Search, maximise};
pub(crate) use pass::{Likelihood, Point};
pub(crate) use problem::Problem;

use crate::Error;
use crate::fit::Fit;
use crate::linear::Options;
use crate::noise::{Noise, NoiseFamily};
use crate::rows::RowSource;

/// The maximum likelihood fit under a family without a shape to estimate, whose likelihood has one maximum.
///
/// # Errors
/// Those of [`super::fit`].
pub(crate) fn fit<F: Functions + NoiseFamily>(
    source: &impl RowSource,
    family: F,
    noise: Noise,
    options: &Options,
) -> Result<Fit, Error> {
    let problem = Problem::new(source, options)?;
    if problem.is_exact() {
        return Ok(problem.exact_fit(noise));
    }
    let maximum = problem.maximise(problem.first(family, &family), 0.0)?;
    problem.fit(&maximum, noise, None, Vec::new())
}
