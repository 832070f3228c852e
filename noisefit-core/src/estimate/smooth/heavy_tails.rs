//! Noise with heavy tails, whose likelihood may have several maxima: searches that begin at several points, and an estimate of
//! how heavy the tails are.
//!
//! The likelihood has no bound where many rows can be fitted exactly, of which a warning tells. Searches start from least
//! squares on all rows and on the half of the rows whose regressors are most central, and climb through ever heavier tails of
//! Student's t distribution; the best end is kept (Lange, Little and Taylor 1989, *JASA* 84, 881-896).
//!
//! With few rows a coefficient the likelihood also has maxima that are none of the noise: a fit that passes next to some rows and
//! takes all others for outliers, beside where it has no bound. How heavy tails may be is then bounded, [`Shaped::heaviest`].

use crate::Error;
use crate::error::{Unbounded, least_degrees};
use crate::estimate::profile_end::{Top, profile_end, within};
use crate::estimate::smooth::{Likelihood, Maximum, Outcome, Point, Problem, Search};
use crate::estimate::{Options, smooth};
use crate::noise::{Kernel, Noise, Shaped, StudentT, StudentTKernel};
use crate::numeric::distribution::{Normal, Symmetric};
use crate::record::{Fit, ShapeParameter, Warning};
use crate::rows::{RowSource, RowSourceExt};

/// A search that need not end exactly.
const ROUGH: Search = Search { tolerance: 1e-3, iterations: 60, ..Search::FULL };

/// The fit under noise of a given shape.
///
/// # Errors
/// Those of [`smooth::fit`].
pub(super) fn fit<K: Kernel>(problem: &Problem<'_>, kernel: K, noise: Noise) -> Result<Fit, Error> {
    let [lightest, ..] = StudentTKernel::LADDER;
    let starts = starts(problem, StudentTKernel::<true>::new(lightest), f64::INFINITY)?;
    let starts = starts.into_iter().map(|start| start.with_functions(kernel));
    let (maximum, collapsed) = best(problem, starts.collect(), f64::INFINITY)?;
    let [observations, parameters] = problem.size();
    let (df, per_coefficient) = (kernel.tail_index(), observations / parameters);
    let few = df < StudentT::least_steady(observations, parameters);
    let warning = match unbounded(problem, &collapsed, df)? {
        None => few.then_some(Warning::FewForTails { df, per_coefficient }),
        unbounded => unbounded,
    };
    problem.fit(&maximum, noise, None, warning.into_iter().collect())
}

/// The fit with the shape estimated with the rest, and an interval for it by profile likelihood.
///
/// # Errors
/// Those of [`smooth::fit`].
pub(crate) fn fit_shaped<K: Shaped>(source: &dyn RowSource, kernel: K, options: &Options) -> Result<Fit, Error> {
    let problem = Problem::new(source, options)?;
    if problem.is_exact() {
        // Nothing is heavier than nothing.
        return Ok(problem.exact_fit(kernel.with_parameter(*K::SHAPES.start()).estimated()));
    }
    let [observations, parameters] = problem.size();
    let (lightest, heaviest) = (K::LADDER[0], K::heaviest(observations, parameters));
    let starts = starts(&problem, kernel.with_parameter(lightest), heaviest)?;
    let (maximum, collapsed) = best(&problem, starts, heaviest)?;
    let unbounded = unbounded(&problem, &collapsed, kernel.with_parameter(heaviest).tail_index())?;
    let found = maximum.state.point().functions;
    let [low, high] = interval(&problem, &maximum, options.level, heaviest)?;
    let inside = |theta: f64| *K::SHAPES.start() < theta && theta < within(heaviest);
    let mut ends = [low, high].map(|theta| Some(K::reported(theta)).filter(|_| inside(theta)));
    if K::reported(*K::SHAPES.start()) > K::reported(*K::SHAPES.end()) {
        ends.reverse();
    }
    let [conf_low, conf_high] = ends;
    let shape = ShapeParameter {
        name: K::PARAMETER.to_owned(),
        estimate: Some(K::reported(found.parameter())).filter(|value| value.is_finite()),
        conf_low,
        conf_high,
        bound: Some(K::reported(heaviest)).filter(|bound| bound.is_finite()),
    };
    let (theta, per_coefficient) = (found.parameter(), observations / parameters);
    let df = found.tail_index();
    let few = df < StudentT::least_steady(observations, parameters);
    let warning = match theta {
        // Of a likelihood without bound this is not the largest.
        _ if unbounded.is_some() => None,
        theta if theta == *K::SHAPES.start() => Some(Warning::GaussianTails),
        theta if theta >= within(heaviest) => {
            Some(Warning::HeaviestTails { least: K::reported(heaviest), per_coefficient })
        }
        _ => None,
    };
    let few = (few && unbounded.is_none()).then_some(Warning::FewForTails { df, per_coefficient });
    let warnings = unbounded.into_iter().chain(warning).chain(few);
    problem.fit(&maximum, found.estimated(), Some(shape), warnings.collect())
}

/// Points on the sample from which searches begin: least squares, of all rows and of the central half, led through heavier
/// and heavier tails.
fn starts<K: Shaped>(problem: &Problem<'_>, kernel: K, heaviest: f64) -> Result<Vec<Point<K>>, Error> {
    let [_, middling, _] = K::LADDER;
    let first = problem.first(kernel, kernel.with_parameter(middling).estimated().family());
    let central = problem.central(&first)?;
    let (sample, mut starts) = (problem.sample()?, Vec::new());
    for first in [Some(first), central].into_iter().flatten() {
        let mut point = first;
        for theta in K::LADDER {
            point = point.with_functions(kernel.with_parameter(theta.min(heaviest)));
            let found = smooth::maximise(&sample, point.clone(), Search { hold_shape: true, ..ROUGH })?;
            if let Some(found) = found.maximum() {
                point = found.state.point().clone();
            }
            starts.push(point.clone());
        }
    }
    Ok(starts)
}

/// The warning that the likelihood has no bound at `df` or more degrees of freedom, and the fit is but a maximum beside that:
/// where `m` of `n` observations can be fitted exactly, it has none for `df < m / (n - m)` (Fernandez and Steel 1999).
///
/// `m` is counted where searches collapsed and at the response that most observations share; as many observations as there are coefficients are always
/// fitted exactly somewhere, and are told of only where a search went there.
fn unbounded<K: Kernel>(problem: &Problem<'_>, collapsed: &[Point<K>], df: f64) -> Result<Option<Warning>, Error> {
    let found = if problem.models_scale() {
        collapsed.first().map(|point| problem.collapsed(point)).transpose()?
    } else {
        let [exact, observations] = problem.most_exact(collapsed)?;
        let beyond_any = exact > problem.coefficient_count() as f64 || !collapsed.is_empty();
        (least_degrees(exact, observations) > df && beyond_any)
            .then_some(Unbounded::BelowDegrees { exact, observations })
    };
    Ok(found.map(Warning::Unbounded))
}

/// The maximum over all rows from where the sample's is largest, and where searches of the sample collapsed.
fn best<K: Kernel>(
    problem: &Problem<'_>,
    starts: Vec<Point<K>>,
    heaviest: f64,
) -> Result<(Maximum<K>, Vec<Point<K>>), Error> {
    let (sample, mut best, mut last) = (problem.sample()?, None::<Maximum<_>>, None);
    let mut collapsed = Vec::new();
    for start in starts {
        last = Some(start.clone());
        let found = match smooth::maximise(&sample, start, Search { heaviest, ..ROUGH })? {
            Outcome::Maximum(found) => *found,
            Outcome::Collapsed(point) => {
                collapsed.push(point);
                continue;
            }
            Outcome::Flat => continue,
        };
        let higher = |best: &Maximum<_>| found.state.log_likelihood() > best.state.log_likelihood();
        if best.as_ref().is_none_or(higher) {
            best = Some(found);
        }
    }
    let (iterations, fallen) = best.as_ref().map_or((0, 0.0), |best| (best.iterations, best.fallen));
    let start = best.map(|best| best.state.point().clone()).or(last).ok_or(Error::NoRows)?;
    let mut maximum = problem.maximise(start, fallen, heaviest)?;
    maximum.iterations += iterations;
    Ok((maximum, collapsed))
}

/// Where the profile likelihood of the shape falls short of its maximum by what the likelihood ratio
/// test at `level` allows.
fn interval<K: Shaped>(
    problem: &Problem<'_>,
    maximum: &Maximum<K>,
    level: f64,
    heaviest: f64,
) -> Result<[f64; 2], Error> {
    let (slope, bend) = maximum.curve.profile(&maximum.state.gradient()).unwrap_or((0.0, 0.0));
    let (theta, log_likelihood) = (maximum.state.point().functions.parameter(), maximum.state.log_likelihood());
    let top = Top { theta, log_likelihood, slope, bend };
    let mut ends = [0.0; 2];
    for (end, (direction, bound)) in ends.iter_mut().zip([(-1.0, *K::SHAPES.start()), (1.0, heaviest)]) {
        let mut near = maximum.clone();
        let at = |theta: f64| profile(problem, maximum, &mut near, theta);
        *end = profile_end(&top, Normal.critical(level), (direction, bound), at)?;
    }
    Ok(ends)
}

/// The profile of the log-likelihood at `theta`, and its slope.
///
/// Of few rows by a search from the last point. Of many, whose likelihood is all but quadratic between here and its
/// maximum, by one pass where the other parameters move along the tangent, and what a Newton step from there would gain.
fn profile<K: Shaped>(
    problem: &Problem<'_>,
    maximum: &Maximum<K>,
    near: &mut Maximum<K>,
    theta: f64,
) -> Result<(f64, f64), Error> {
    let from = if problem.sample_is_all() { &*near } else { maximum };
    let by = theta - from.state.point().functions.parameter();
    let start = from.state.point().moved(&from.curve.along(by), 1.0);
    if problem.sample_is_all() {
        let search = Search { hold_shape: true, tolerance: 1e-7, ..Search::FULL };
        if let Some(found) = smooth::maximise(&problem.rows(), start, search)?.maximum() {
            *near = found;
        }
        let slope = near.curve.profile(&near.state.gradient()).map_or(0.0, |(slope, _)| slope);
        return Ok((near.state.log_likelihood(), slope));
    }
    let state = problem.rows().pass(Likelihood::new(start.without_curvature()))?;
    let gradient = state.gradient();
    let slope = maximum.curve.profile(&gradient).map_or(0.0, |(slope, _)| slope);
    Ok((state.log_likelihood() + 0.5 * maximum.curve.step(&gradient, None).rise, slope))
}
