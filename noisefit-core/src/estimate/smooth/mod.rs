//! Maximum likelihood of linear models by passes that give the log-likelihood, its gradient and its curvature at once.
//!
//! ```text
//! y = mu + s R / sqrt(w),   mu = b0 + x'b,   ln s = g0 + z'g,   -ln density of R = rho(r; theta) + c(theta)
//! log L = sum f (-rho(r) - c - ln s + ln(w) / 2 + log Jacobian),   r = sqrt(w) (y - mu) / s
//! ```

mod collapse;
mod derived;
mod laplace;
pub mod logistic;
mod newton;
mod pass;
mod point;
mod problem;
pub mod student_t;
#[cfg(test)]
mod tests;
pub(crate) mod tile;

pub(crate) use laplace::fit_laplace;
pub(crate) use newton::{Maximum, Outcome, SHAPES, Search, maximise};
pub(crate) use pass::Likelihood;
pub(crate) use point::{Curvature, Point, ScaleColumns};
pub(crate) use problem::Problem;

use crate::Error;
use crate::algebra::{Coordinates, Moments};
use crate::estimate::Options;
use crate::noise::{Gaussian, Huber, Kernel, Laplace, Logistic, Noise, NoiseFamily, StudentTKernel};
use crate::record::Fit;
use crate::rows::{Adapted, Kinds, RowSource, RowSourceExt, ScaleLayout, Subset};
use collapse::Collapse;
use derived::{Constant, LogResiduals, Residual, Reweighted};

/// The maximum likelihood fit under a family without a shape to estimate, whose likelihood has one maximum.
///
/// # Errors
/// Those of [`super::fit`].
pub(crate) fn fit<F: Kernel + NoiseFamily>(
    source: &dyn RowSource,
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

/// The columns of a modelled scale whose coefficients were estimated, in coordinates of their own.
///
/// # Errors
/// What the source reports.
pub(crate) fn scale_columns(source: &dyn RowSource, coefficients: &[Option<f64>]) -> Result<ScaleColumns, Error> {
    let layout = LogResiduals::layout(source.layout().scale.as_ref().unwrap_or(&ScaleLayout::default()));
    let (intercept, offset) = (layout.intercept, usize::from(layout.intercept));
    let columns: Vec<usize> = (0..layout.terms.len()).filter(|j| coefficients[j + offset].is_some()).collect();
    let derived = Adapted::new(source, Constant, layout);
    let moments = Subset::of(&derived, columns.clone()).pass(Moments::new(columns.len(), intercept))?;
    Ok(ScaleColumns { coordinates: Coordinates::from_moments(&moments, intercept).without_response(), columns })
}

/// The passes of this module.
pub(super) fn kinds() -> Kinds {
    let likelihoods = Kinds::default()
        .with::<Likelihood<Gaussian>>()
        .with::<Likelihood<Laplace>>()
        .with::<Likelihood<Logistic>>()
        .with::<Likelihood<Huber>>()
        .with::<Likelihood<StudentTKernel<false>>>()
        .with::<Likelihood<StudentTKernel<true>>>();
    let made = likelihoods.with_adaptor::<LogResiduals>().with_adaptor::<Constant>().with_adaptor::<Residual>();
    made.with_adaptor::<Reweighted>().with::<Collapse>()
}
