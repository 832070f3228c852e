//! Laplace noise of a modelled scale: an exact vertex for the location and a maximum for the scale, in turn.

use super::derived::{Derived, Predictor, Residual};
use super::newton::{Outcome, Search, maximise};
use super::pass::{Likelihood, Point};
use super::problem::{Location, Problem, reweighted};
use crate::Error;
use crate::fit::{Fit, Vertex};
use crate::linear::{Coordinates, Options, quantile};
use crate::noise::{Laplace, Noise};
use crate::rows::RowSource;

/// Turns after which something is wrong.
const TURNS: u64 = 200;

/// What a turn has to add to the log-likelihood, by observation.
const LEAST_GAIN: f64 = 1e-14;

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
/// after which the vertex is the same is the last.
///
/// # Errors
/// Those of [`crate::linear::fit`].
pub(crate) fn fit_laplace<S: RowSource>(source: &S, options: &Options) -> Result<Fit, Error> {
    let problem = Problem::new(source, options)?;
    let mut start = problem.first(Laplace, &Laplace);
    let unit = start.coordinates.response_scale();
    (start.coordinates, start.location) = (Coordinates::of_response(unit), Vec::new());
    let mut turns = 0;
    if !problem.sample_is_all()
        && let Ok(found) = turn(&problem, &problem.sample()?, start.clone())
    {
        (start, turns) = (found.state.point().clone(), found.turns);
    }
    let Turned { location, state, turns: more, converged } = turn(&problem, source, start)?;
    let mut warnings: Vec<String> =
        location.warnings.into_iter().filter(|warning| warning.contains("not unique")).collect();
    if !converged {
        warnings.push(format!("not converged after {TURNS} turns between location and scale"));
    }
    let mut termination = location.termination;
    termination.converged &= converged;
    termination.iterations = turns + more;
    // The loss of the standardised residuals, which is what their scale leaves of it.
    let objective = -state.log_likelihood() - state.observations() * 2f64.ln() - state.log_scales();
    let coefficients = location.coefficients.iter().map(|coefficient| coefficient.estimate).collect();
    let vertex = location.vertex.map(|vertex| Vertex { objective, ..vertex });
    let location = Location { coefficients, vertex, accuracy: location.accuracy, termination };
    problem.record(&state, location, Noise::Laplace, None, warnings)
}

/// Turns from a scale until the location stays where it is.
fn turn<S: RowSource, T: RowSource>(
    problem: &Problem<'_, S>,
    rows: &T,
    mut point: Point<Laplace>,
) -> Result<Turned, Error> {
    let (layout, reference) = (rows.layout(), problem.gaussian_scale().ln());
    let mut last: Option<Turned> = None;
    for turns in 1..=TURNS {
        let weighted = reweighted(rows, &problem.log_scale(&point), reference);
        let location = quantile::least_absolute_deviations(&weighted, problem.options)?;
        let coefficients: Vec<Option<f64>> = location.coefficients.iter().map(|row| row.estimate).collect();
        if let Some(last) = &mut last
            && last.location.coefficients.iter().map(|row| row.estimate).eq(coefficients.iter().copied())
        {
            (last.location, last.turns, last.converged) = (location, turns, true);
            break;
        }
        let derive = Residual { location: Predictor::new(&coefficients, layout.intercept) };
        let residuals = Derived { source: rows, derive, layout: Residual::layout(layout) };
        let state = match maximise(&residuals, point, Search::FINEST)? {
            Outcome::Maximum(maximum) => maximum.state,
            Outcome::Collapsed(point) => return Err(problem.unbounded(&coefficients, &point)?),
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
