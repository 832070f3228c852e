//! Laplace noise of a modelled scale: an exact vertex for the location and a maximum for the scale, in turn.

use crate::Error;
use crate::algebra::Affine;
use crate::algebra::Coordinates;
use crate::estimate::smooth::derived::Residual;
use crate::estimate::smooth::newton::{Outcome, Search, maximise};
use crate::estimate::smooth::pass::Likelihood;
use crate::estimate::smooth::point::Point;
use crate::estimate::smooth::problem::{Location, Problem, reweighted};
use crate::estimate::{Options, vertex};
use crate::noise::{Gaussian, Laplace, Noise};
use crate::record::{Fit, Reason, Shortfall, Vertex, Warning};
use crate::rows::{Adapted, RowSource};

/// Turns after which something is wrong.
const TURNS: u64 = 200;

/// What a turn has to add to the log-likelihood, by observation.
const LEAST_GAIN: f64 = 1e-14;

/// Up to this many rows several starts are worth their time.
const FEW_ROWS: u64 = 500;

/// Slopes of `ln s` on a column of size one from which turns begin, and how many such starts there are at most.
const SLOPES: [f64; 8] = [1.0, -1.0, 2.0, -2.0, 4.0, -4.0, 8.0, -8.0];
const MOST_SLOPES: usize = 32;

/// A location, the scale that is best for it, and the turns they took.
struct Turned {
    /// The fit of the location given the scale before.
    location: Fit,
    /// The pass at the scale.
    state: Likelihood<Laplace>,
    turns: u64,
    converged: bool,
}

/// The maximum likelihood fit where the rows have columns for `ln s`.
///
/// Given the scale, the location is a weighted least absolute deviations problem, whose vertex does not move with small
/// changes of the scale; given the location, the log-likelihood is smooth and concave in the scale's coefficients. So a turn
/// after which the vertex is the same is the last. That is a maximum, but others may be higher: with few rows turns begin at
/// several scales.
///
/// # Errors
/// Those of [`crate::inference::fit`].
pub(crate) fn fit_laplace(source: &dyn RowSource, options: &Options) -> Result<Fit, Error> {
    let problem = Problem::new(source, options)?;
    let found = match problem.sample_is_all() {
        true => highest(&problem, source)?,
        false => {
            let best = highest(&problem, &problem.sample()?).ok();
            let (start, turns) = match best {
                Some(found) => (found.state.point().clone(), found.turns),
                None => (scale_alone(problem.first(Laplace, &Laplace)), 0),
            };
            let found = turn(&problem, source, start)?;
            Turned { turns: turns + found.turns, ..found }
        }
    };
    let Turned { location, state, turns, converged } = found;
    let mut warnings = Vec::new();
    if location.vertex.as_ref().is_some_and(|vertex| !vertex.unique) {
        warnings.push(Warning::NotUnique);
    }
    if !converged {
        warnings.push(Warning::NotConverged(Shortfall::Turns { turns: TURNS }));
    }
    let coefficients = location.coef();
    let mut termination = location.termination;
    // The certificate says nothing of other scales.
    termination.reason = if converged { Reason::VertexOptimalGivenScale } else { Reason::IterationLimit };
    termination.converged &= converged;
    termination.iterations = turns;
    // The loss of the standardised residuals, which is what their scale leaves of it.
    let objective = -state.log_likelihood() - state.observations() * 2f64.ln() - state.log_scales();
    let vertex = location.vertex.map(|vertex| Vertex { objective, ..vertex });
    let location = Location { coefficients, vertex, accuracy: location.accuracy, termination };
    problem.record(&state, location, Noise::Laplace, None, warnings)
}

/// The highest end of turns from several scales. Of few rows the likelihood often has several maxima: each vertex may have a
/// scale for which it is the best one.
///
/// # Errors
/// [`Error::Unbounded`] where that is what any start leads to, and those of all where none leads anywhere.
fn highest(problem: &Problem<'_>, rows: &dyn RowSource) -> Result<Turned, Error> {
    let mut highest: Option<Turned> = None;
    let mut failed = Error::NoRows;
    for start in starts(problem)? {
        match turn(problem, rows, start) {
            Ok(found) => {
                let higher = |best: &Turned| found.state.log_likelihood() > best.state.log_likelihood();
                if highest.as_ref().is_none_or(higher) {
                    highest = Some(found);
                }
            }
            Err(error @ Error::Unbounded(_)) => return Err(error),
            Err(error) => failed = error,
        }
    }
    highest.ok_or(failed)
}

/// Scales to start from: that of least squares' residuals, the Gaussian fit's, and of few rows also a common one (least
/// absolute deviations), one that changes the other way, and such as change with one column alone.
fn starts(problem: &Problem<'_>) -> Result<Vec<Point<Laplace>>, Error> {
    let first = scale_alone(problem.first(Laplace, &Laplace));
    let sample = problem.sample()?;
    if sample.rows_hint().is_none_or(|rows| rows > FEW_ROWS) {
        return Ok(vec![first]);
    }
    let gaussian = maximise(&sample, problem.first(Gaussian, &Gaussian), Search::FULL)?.maximum();
    let gaussian = gaussian.map(|found| Point { scale: found.state.point().scale.clone(), ..first.clone() });
    let mut starts: Vec<Point<Laplace>> = std::iter::once(first).chain(gaussian).collect();
    let intercept = starts[0].scale_columns.as_ref().is_some_and(|columns| columns.coordinates.intercept());
    // Without an intercept there is no common level to change about.
    if intercept {
        let common = Point { scale: vec![0.0; starts[0].scale.len()], ..starts[0].clone() };
        let common = Point { scale: [&starts[0].scale[..1], &common.scale[1..]].concat(), ..common };
        let reversed: Vec<f64> = starts[0].scale.iter().enumerate().map(|(k, g)| if k > 0 { -g } else { *g }).collect();
        starts.extend([Point { scale: reversed, ..common.clone() }, common.clone()]);
        for (k, slope) in (1..common.scale.len()).flat_map(|k| SLOPES.map(|slope| (k, slope))).take(MOST_SLOPES) {
            let mut start = common.clone();
            start.scale[k] = slope;
            starts.push(start);
        }
    }
    Ok(starts)
}

/// A point for rows of residuals, which have a scale and nothing else.
fn scale_alone(mut point: Point<Laplace>) -> Point<Laplace> {
    let unit = point.coordinates.response_scale();
    (point.coordinates, point.location) = (Coordinates::of_response(unit), Vec::new());
    point
}

/// Turns from a scale until the location stays where it is.
fn turn(problem: &Problem<'_>, rows: &dyn RowSource, mut point: Point<Laplace>) -> Result<Turned, Error> {
    let (layout, reference) = (rows.layout(), problem.gaussian_scale().ln());
    let (mut last, mut fallen) = (None::<Turned>, 0.0);
    for turns in 1..=TURNS {
        let weighted = reweighted(rows, &problem.log_scale(&point), reference);
        let location = vertex::fit_laplace(&weighted, problem.options)?;
        let coefficients = location.coef();
        if let Some(last) = &mut last
            && last.location.coef() == coefficients
        {
            (last.location, last.turns, last.converged) = (location, turns, true);
            break;
        }
        let derive = Residual { location: Affine::new(&coefficients, layout.intercept) };
        let residuals = Adapted::new(rows, derive, Residual::layout(layout));
        let state = match maximise(&residuals, point, Search { fallen, ..Search::FINEST })? {
            Outcome::Maximum(maximum) => {
                fallen = maximum.fallen;
                maximum.state
            }
            Outcome::Collapsed(point) => return Err(Error::Unbounded(problem.unbounded(&coefficients, &point)?)),
            Outcome::Flat => return Err(problem.undetermined()),
        };
        point = state.point().clone();
        let least = LEAST_GAIN * state.observations();
        let gained = last.as_ref().is_none_or(|last| state.log_likelihood() > last.state.log_likelihood() + least);
        // A tie between vertices moves the location and adds nothing.
        last = Some(Turned { location, state, turns, converged: !gained });
        if !gained {
            break;
        }
    }
    last.ok_or(Error::NoRows)
}
