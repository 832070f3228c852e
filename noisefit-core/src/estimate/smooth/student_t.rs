//! Student's t noise: location, scale and degrees of freedom together.

use crate::error::{Unbounded, least_degrees};
use crate::estimate::smooth::{Likelihood, Maximum, Outcome, Point, Problem, SHAPES, Search};
use crate::estimate::{Options, smooth};
use crate::noise::{Kernel, Noise, StudentTKernel};
use crate::numeric::distribution::{Normal, Symmetric};
use crate::record::{Fit, ShapeParameter, Warning};
use crate::rows::{RowSource, RowSourceExt};
use crate::{Error, noise};

/// Inverse degrees of freedom through which starts are led from nearly Gaussian noise to Cauchy's.
const LADDER: [f64; 3] = [1.0 / 30.0, 1.0 / 4.0, 1.0];

/// A search that need not end exactly.
const ROUGH: Search = Search { hold_shape: false, tolerance: 1e-3, iterations: 60, fallen: 0.0 };

/// The maximum likelihood fit of `y = b0 + x'b + s R`, `R` of Student's t distribution with `df` degrees of freedom, which
/// are estimated with the rest, between one half and infinity, where they are not given (Lange, Little and Taylor 1989,
/// *JASA* 84, 881-896). `ln s` is modelled where the rows have columns for it.
///
/// The likelihood may have several maxima, and no bound where many rows can be fitted exactly, of which a warning tells.
/// Searches start from least squares on all rows and on the half of the rows whose
/// regressors are most central, and climb through ever heavier tails; the best end is kept. The degrees of freedom have an
/// interval by profile likelihood, the coefficients standard errors from the expected information:
/// `s^2 (df + 3) / (df + 1) (X' V X)^-1`.
///
/// ```
/// use noisefit_core::estimate::Options;
/// use noisefit_core::estimate::smooth::student_t;
/// use noisefit_core::rows::{Matrix, MemoryRows};
///
/// let y = [1.0, 1.8, 2.0, 2.2, 3.0];
/// let rows = MemoryRows::new(&y, Matrix::row_major(&[], 5, 0)?)?;
/// let fit = student_t::fit(&rows, Some(4.0), &Options::default())?;
/// assert!((fit.coefficients[0].estimate.unwrap_or(0.0) - 2.0).abs() < 1e-12);
/// # Ok::<(), noisefit_core::Error>(())
/// ```
///
/// # Errors
/// Those of [`super::fit`], and [`Error::Argument`] for degrees of freedom below one half.
pub fn fit(source: &dyn RowSource, df: Option<f64>, options: &Options) -> Result<Fit, Error> {
    if let Some(df) = df.filter(|df| !(*df >= 0.5)) {
        return Err(Error::Argument { name: "df", value: df, expected: "0.5 or more" });
    }
    let problem = Problem::new(source, options)?;
    if problem.is_exact() {
        let family = noise::StudentT { df: df.unwrap_or(f64::INFINITY), df_estimated: df.is_none() };
        return Ok(problem.exact_fit(Noise::StudentT(family)));
    }
    match df {
        Some(df) => {
            let family = noise::StudentT { df, df_estimated: false };
            let starts = starts(&problem)?;
            let functions = StudentTKernel::<false>::new(1.0 / df);
            let starts = starts.into_iter().map(|start| start.with_functions(functions));
            let (maximum, collapsed) = best(&problem, starts.collect())?;
            let warning = unbounded(&problem, &collapsed, df)?;
            problem.fit(&maximum, Noise::StudentT(family), None, warning.into_iter().collect())
        }
        None => estimated(&problem, options),
    }
}

fn estimated(problem: &Problem<'_>, options: &Options) -> Result<Fit, Error> {
    let (maximum, collapsed) = best(problem, starts(problem)?)?;
    let unbounded = unbounded(problem, &collapsed, 1.0 / SHAPES.end())?;
    let theta = maximum.state.point().functions.theta();
    let family = noise::StudentT { df: 1.0 / theta, df_estimated: true };
    let [low, high] = interval(problem, &maximum, options.level)?;
    let shape = ShapeParameter {
        name: "df".to_owned(),
        estimate: Some(family.df).filter(|df| df.is_finite()),
        conf_low: Some(high).filter(|theta| theta < SHAPES.end()).map(f64::recip),
        conf_high: Some(1.0 / low).filter(|df| df.is_finite()),
    };
    let warning = match theta {
        // Of a likelihood without bound this is not the largest.
        _ if unbounded.is_some() => None,
        0.0 => Some(Warning::GaussianTails),
        theta if theta == *SHAPES.end() => Some(Warning::HeaviestTails),
        _ => None,
    };
    let warnings = unbounded.into_iter().chain(warning);
    problem.fit(&maximum, Noise::StudentT(family), Some(shape), warnings.collect())
}

/// Points on the sample from which searches begin: least squares, of all rows and of the central half, led through heavier
/// and heavier tails.
fn starts(problem: &Problem<'_>) -> Result<Vec<Point<StudentTKernel<true>>>, Error> {
    let family = noise::StudentT { df: 4.0, df_estimated: true };
    let first = problem.first(StudentTKernel::new(LADDER[0]), &family);
    let central = problem.central(&first)?;
    let (sample, mut starts) = (problem.sample()?, Vec::new());
    for first in [Some(first), central].into_iter().flatten() {
        let mut point = first;
        for theta in LADDER {
            point = point.with_functions(StudentTKernel::new(theta));
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
/// `m` is counted where searches collapsed and at quartiles; as many observations as there are coefficients are always
/// fitted exactly somewhere, and are told of only where a search went there.
fn unbounded<F: Kernel>(problem: &Problem<'_>, collapsed: &[Point<F>], df: f64) -> Result<Option<Warning>, Error> {
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
fn best<const SHAPED: bool>(
    problem: &Problem<'_>,
    starts: Vec<Point<StudentTKernel<SHAPED>>>,
) -> Result<(Maximum<StudentTKernel<SHAPED>>, Vec<Point<StudentTKernel<SHAPED>>>), Error> {
    let (sample, mut best, mut last) = (problem.sample()?, None::<Maximum<_>>, None);
    let mut collapsed = Vec::new();
    for start in starts {
        last = Some(start.clone());
        let found = match smooth::maximise(&sample, start, ROUGH)? {
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
    let mut maximum = problem.maximise(start, fallen)?;
    maximum.iterations += iterations;
    Ok((maximum, collapsed))
}

/// Where the profile likelihood of the inverse degrees of freedom falls short of its maximum by what the likelihood ratio
/// test at `level` allows.
fn interval(problem: &Problem<'_>, maximum: &Maximum<StudentTKernel<true>>, level: f64) -> Result<[f64; 2], Error> {
    let critical = Normal.critical(level);
    let mut ends = [0.0; 2];
    for (end, direction) in ends.iter_mut().zip([-1.0, 1.0]) {
        *end = profile_end(problem, maximum, critical, direction)?;
    }
    Ok(ends)
}

/// Newton's method for the signed root of the likelihood ratio, which is nearly linear.
fn profile_end(
    problem: &Problem<'_>,
    maximum: &Maximum<StudentTKernel<true>>,
    critical: f64,
    direction: f64,
) -> Result<f64, Error> {
    let top = maximum.state.point().functions.theta();
    let bound = if direction < 0.0 { *SHAPES.start() } else { *SHAPES.end() };
    if top == bound {
        return Ok(bound);
    }
    let (slope, bend) = maximum.curve.profile(&maximum.state.gradient()).unwrap_or((0.0, 0.0));
    // From slope d - bend d^2 / 2 = -critical^2 / 2.
    let against = (-direction * slope).max(0.0);
    let reach = critical * critical / (against + (against * against + bend.max(0.0) * critical * critical).sqrt());
    let (mut inner, mut outer) = (top, None);
    let mut theta = (top + direction * reach).clamp(*SHAPES.start(), *SHAPES.end());
    let mut near = maximum.clone();
    for _ in 0..40 {
        let (log_likelihood, slope) = profile(problem, maximum, &mut near, theta)?;
        let root = (2.0 * (maximum.state.log_likelihood() - log_likelihood)).max(0.0).sqrt();
        if root <= critical {
            if theta == bound {
                return Ok(bound);
            }
            inner = theta;
        } else {
            outer = Some(theta);
        }
        let newton = theta - (critical - root) * root / slope;
        let far = outer.unwrap_or(bound);
        let between = (newton - inner) * (far - newton) > 0.0;
        let next = match () {
            () if between => newton,
            // Beyond the bound, or no better than halving.
            () if outer.is_none() && direction * (newton - bound) >= 0.0 => bound,
            () => 0.5 * (inner + far),
        };
        // Newton's error is of the order of the square of its last step's.
        if (root - critical).abs() < 1e-3 * critical && between || (next - theta).abs() <= 1e-9 * theta {
            return Ok(next);
        }
        theta = next;
    }
    Ok(theta)
}

/// The profile of the log-likelihood at `theta`, and its slope.
///
/// Of few rows by a search from the last point. Of many, whose likelihood is all but quadratic between here and its
/// maximum, by one pass where the other parameters move along the tangent, and what a Newton step from there would gain.
fn profile(
    problem: &Problem<'_>,
    maximum: &Maximum<StudentTKernel<true>>,
    near: &mut Maximum<StudentTKernel<true>>,
    theta: f64,
) -> Result<(f64, f64), Error> {
    let from = if problem.sample_is_all() { &*near } else { maximum };
    let by = theta - from.state.point().functions.theta();
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
