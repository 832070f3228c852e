//! Maximum likelihood of linear models by passes that give the log-likelihood, its gradient and its curvature at once.
//!
//! ```text
//! y = mu + s R / sqrt(w),   mu = b0 + x'b,   ln s = g0 + z'g,   -ln density of R = rho(r; theta) + c(theta)
//! log L = sum f (-rho(r) - c - ln s + ln(w) / 2 + log Jacobian),   r = sqrt(w) (y - mu) / s
//! ```

mod collapse;
mod derived;
mod heavy_tails;
mod laplace;
mod newton;
mod pass;
mod point;
mod problem;
#[cfg(test)]
mod tests;
pub(crate) mod tile;

pub(crate) use heavy_tails::fit_shaped;
pub(crate) use laplace::fit_laplace;
pub(crate) use newton::{Maximum, Outcome, Search, maximise};
pub(crate) use pass::Likelihood;
pub(crate) use point::{Curvature, Point, ScaleColumns};
pub(crate) use problem::Problem;

use crate::Error;
use crate::algebra::{Coordinates, Moments};
use crate::estimate::Options;
use crate::noise::{FAMILIES, Kernel, Listed, Noise, Shaped, Visitor};
use crate::record::Fit;
use crate::rows::{Adapted, Kinds, RowSource, RowSourceExt, ScaleLayout, Subset};
use collapse::Collapse;
use derived::{Constant, LogResiduals, Residual, Reweighted};

/// The maximum likelihood fit of `y = b0 + x'b + s R` under noise without a shape to estimate; `ln s` is modelled where the
/// rows have columns for it.
///
/// A log-concave density leaves the likelihood one maximum, which Newton's method finds from least squares: that of logistic
/// noise, for one, is convex in `b / s` and `1 / s` (Burridge 1981, *Journal of the Royal Statistical Society B* 43, 41-45).
/// Elsewhere searches start at several points, [`heavy_tails`]. Standard errors come from the expected information, so that
/// the covariance of `b` is `s^2 (X' V X)^-1` over the information on a location at scale 1; tests and intervals refer to the
/// normal distribution.
///
/// # Errors
/// Those of [`crate::inference::fit`].
pub(crate) fn fit<K: Kernel>(source: &dyn RowSource, kernel: K, noise: Noise, options: &Options) -> Result<Fit, Error> {
    let problem = Problem::new(source, options)?;
    if problem.is_exact() {
        return Ok(problem.exact_fit(noise));
    }
    if !K::LOG_CONCAVE {
        return heavy_tails::fit(&problem, kernel, noise);
    }
    let maximum = problem.maximise(problem.first(kernel, noise.family()), 0.0, f64::INFINITY)?;
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
    let families = FAMILIES.iter().flat_map(Listed::samples);
    let likelihoods = families.fold(Kinds::default(), |kinds, noise| noise.visit(WithLikelihood(kinds)));
    let made = likelihoods.with_adaptor::<LogResiduals>().with_adaptor::<Constant>().with_adaptor::<Residual>();
    made.with_adaptor::<Reweighted>().with::<Collapse>()
}

/// The list with the pass of a family's likelihood.
struct WithLikelihood(Kinds);

impl Visitor for WithLikelihood {
    type Output = Kinds;

    fn visit<K: Kernel>(self, _: K) -> Kinds {
        self.0.with::<Likelihood<K>>()
    }

    fn visit_shaped<K: Shaped>(self, _: K) -> Kinds {
        self.0.with::<Likelihood<K>>().with::<Likelihood<K::Held>>()
    }
}
