//! Maximum likelihood under noise with a smooth loss beside absorbed effects.
//!
//! ```text
//! y = x'b + sum of the constants of the row's levels + s R / sqrt(w)
//! ```
//!
//! A Newton step is a weighted least squares problem whose effects are swept out as those of the response itself are under Gaussian noise
//! ([`equations`]): the constants of the levels are eliminated from the equations of `b`, `ln s` and a shape, and follow from these. The
//! search begins at least squares, and leads through Huber's noise to tails that are not log-concave. Maximum likelihood counts no constant in the scale (Neyman and Scott 1948, *Econometrica* 16, 1-32), which a
//! warning tells.

mod curved;
mod equations;
mod pass;
mod point;
mod search;
mod shape;

use crate::Error;
use crate::algebra::absorb::Absorbed;
use crate::algebra::gram::packed;
use crate::algebra::{Accuracy, LeastSquares, Method};
use crate::estimate::Options;
use crate::estimate::estimated::{Covariance, Estimate, EstimatedScale};
use crate::noise::{Huber, HuberScale, Noise, Route, StudentT};
use crate::record::{Fit, Reference, ShapeParameter, Shortfall, Termination, VcovKind, Warning};
use crate::rows::{Kinds, Layout, RowSource, Subset};
pub(crate) use curved::Curved;
use pass::{Sums, Working};
use search::{Maximum, Search, TOLERANCE};

/// Whether a noise is fitted beside absorbed effects.
pub(crate) fn is_absorbing(noise: &Noise) -> bool {
    match noise {
        Noise::Huber(Huber { delta, scale, .. }) => delta.is_none() && *scale == HuberScale::MaximumLikelihood,
        noise => matches!(noise.route(), Route::ClosedForm | Route::Smooth),
    }
}

/// The maximum likelihood fit of rows that have effects, and what was absorbed.
///
/// # Errors
/// Those of least squares beside effects; [`Error::Undetermined`] where levels of few rows let the likelihood grow without bound.
pub(crate) fn fit(source: &dyn RowSource, noise: Noise, options: &Options) -> Result<(Fit, Absorbed), Error> {
    options.check()?;
    let absorbed = Absorbed::new(source)?;
    let rows = absorbed.rows(source);
    let solved = LeastSquares::solve_rounded(&rows, options.settings, absorbed.rounding())?;
    options.check_collinear(&solved, &rows.layout().coefficient_names())?;
    if !(solved.residual_sum_of_squares > 0.0) {
        let estimate = Estimate::without_residuals(noise, &solved);
        return Ok((estimate.beside(Some(&absorbed), rows.layout(), &solved, options.level), absorbed));
    }
    let kept: Vec<usize> = (0..solved.coefficients.len()).filter(|j| !solved.aliased.contains(j)).collect();
    let with_levels = absorbed.rows_with_effects(source);
    let narrow = Subset::of(&with_levels, kept);
    let coefficients = solved.coefficients.iter().flatten().count() + absorbed.rank + options.held;
    let search = Search { source: &narrow, coefficients: coefficients as f64 };
    let (start, led) = search.led(search.start(&solved, noise), solved.totals.observations);
    let mut found = search.maximum(start, TOLERANCE)?;
    found.iterations += led;
    let shape = search.shape(&found, options.level)?;
    let fit = record(&found, shape, rows.layout(), &absorbed, &solved, options)?;
    Ok((fit, absorbed))
}

/// The record of a maximum.
fn record(
    found: &Maximum,
    shape: Option<ShapeParameter>,
    layout: &Layout,
    absorbed: &Absorbed,
    solved: &LeastSquares,
    options: &Options,
) -> Result<Fit, Error> {
    let Maximum { state, known, distance, iterations, converged, reason, .. } = found;
    let (point, n) = (state.point(), state.observations());
    let scale = point.log_scale.exp();
    let variance = scale * scale / known.information.location;
    if !(f64::MIN_POSITIVE..f64::INFINITY).contains(&variance) {
        return Err(Error::Range { what: format!("the noise scale of {}", layout.response), size: scale });
    }
    let mut slopes = point.slopes.iter();
    let coefficients: Vec<Option<f64>> =
        solved.coefficients.iter().map(|known| known.and_then(|_| slopes.next().copied())).collect();
    let rank = coefficients.iter().flatten().count() + absorbed.rank;
    let degrees = n - rank as f64;
    let mut warnings = Vec::new();
    if !converged {
        let shortfall = Shortfall::Iterations { iterations: *iterations, step: *distance };
        warnings.push(Warning::NotConverged(shortfall));
    }
    let parameters = (rank + options.held) as f64;
    let (df, per_coefficient) = (known.tail_index, n / parameters);
    if let Some(bounds) = &known.shape {
        if point.theta <= bounds.lightest {
            warnings.push(Warning::GaussianTails);
        } else if !bounds.is_inside(point.theta) {
            warnings.push(Warning::HeaviestTails { least: point.reported(bounds.heaviest), per_coefficient });
        }
    }
    if df < StudentT::least_steady(n, parameters) {
        warnings.push(Warning::FewForTails { df, per_coefficient });
    }
    let effects = absorbed.effects.iter().map(|effect| effect.name.clone()).collect();
    warnings.push(Warning::IncidentalParameters { effects, constants: absorbed.rank as u64, observations: n as u64 });
    let estimate = Estimate {
        noise: point.found(),
        accuracy: accuracy(found, absorbed, solved),
        coefficients: coefficients.clone(),
        scale: EstimatedScale::Common(scale),
        noise_parameters: 1 + usize::from(shape.is_some()),
        shape,
        vertex: None,
        log_likelihood: state.log_likelihood(known.constant[0])
            + 0.5 * solved.totals.log_weight
            + solved.totals.log_jacobian,
        errors: state.errors(),
        explained: None,
        covariance: Covariance::Multiple((degrees > 0.0).then_some(variance)),
        kind: VcovKind::CLASSICAL,
        reference: Reference::Normal,
        termination: Termination { converged: *converged, reason: *reason, iterations: *iterations, duality_gap: None },
        warnings,
    };
    let mut fit = estimate.beside(Some(absorbed), layout, solved, options.level);
    let effects = fit.absorbed.iter_mut().flat_map(|absorbed| &mut absorbed.effects);
    for (effect, moved) in effects.zip(&point.constants) {
        for (constant, moved) in effect.constants.iter_mut().flatten().zip(moved.iter()) {
            *constant = constant.map(|constant| constant + moved);
        }
    }
    Ok(fit)
}

/// How many digits of the worst coefficient are right: what the search left, and what the rounding of every row did to the gradient.
fn accuracy(found: &Maximum, absorbed: &Absorbed, solved: &LeastSquares) -> Accuracy {
    let (state, n) = (&found.state, found.state.observations());
    let errors = state.errors();
    let typical = (errors.absolute / n).max(f64::MIN_POSITIVE);
    let norms = absorbed.rounding().norms;
    let raw = |j: usize| norms.get(j).map_or(0.0, |norm| norm / solved.totals.weight.sqrt());
    let slopes = solved.coefficients.iter().enumerate().map(|(j, b)| b.unwrap_or(0.0).abs() * raw(j));
    let magnitude = raw(norms.len().saturating_sub(1)) + slopes.sum::<f64>();
    // Rows that are alike have the same errors.
    let rounding = 4.0 * f64::EPSILON * (1.0 + magnitude / typical) / n.min(1000.0).sqrt();
    let lost = (found.distance + rounding) * n.sqrt();
    let variance = errors.weighted_squares / n;
    let worst = (0..solved.coefficients.len()).filter_map(|j| {
        let standard_error = (variance * solved.unscaled_covariance[packed(j, j)]).sqrt();
        let size = solved.coefficients[j]?.abs().max(standard_error);
        (size > 0.0).then(|| lost * standard_error / size)
    });
    let worst = worst.fold(f64::EPSILON, f64::max);
    Accuracy { digits: -worst.log10(), method: Method::Newton, condition: solved.accuracy.condition }
}

/// The passes of this module.
pub(super) fn kinds() -> Kinds {
    let made = Kinds::default().with::<Sums>().with_adaptor::<Working>();
    made.with_adaptor::<curved::Curvature>().with_adaptor::<curved::Moves>()
}
