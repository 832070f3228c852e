//! Maximum likelihood of linear models by passes that give the log-likelihood, its gradient and its curvature at once.
//!
//! ```text
//! y = mu + s R / sqrt(w),   mu = b0 + x'b,   ln s = g0 + z'g,   -ln density of R = rho(r; theta) + c(theta)
//! log L = sum f (-rho(r) - c - ln s + ln(w) / 2 + log Jacobian),   r = sqrt(w) (y - mu) / s
//! ```

mod cholesky;
mod functions;
mod newton;
mod pass;
#[cfg(test)]
mod tests;
mod tile;

pub(crate) use functions::{Evaluated, Functions, StudentT};
pub(crate) use newton::{Maximum, Search, maximise};
pub(crate) use pass::{Curvature, Likelihood, Point, ScaleColumns};
