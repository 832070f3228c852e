//! Newton's method, one pass a step.

use crate::Error;
use crate::algebra::cholesky::Cholesky;
use crate::algebra::gram::packed;
use crate::estimate::smooth::pass::Likelihood;
use crate::estimate::smooth::point::{Curvature, Point};
use crate::noise::Kernel;
use crate::record::Reason;
use crate::rows::{RowSource, RowSourceExt};

/// A gradient this small, in standard errors by the root of the number of observations, is one at the level of rounding.
const ATTAINABLE: f64 = 1e-8;

/// Closer than this the curvature of the last point serves for another.
const NEAR: f64 = 1e-3;

/// Steps longer than this lead out of where the curvature tells anything.
const LONGEST: f64 = 1.0;

/// The logarithm of no scale changes by more in one step.
const LONGEST_LOG_SCALE: f64 = 3.0;

/// The part of the increase that a step's gradient promises which it has to bring.
const SUFFICIENT: f64 = 1e-4;

/// What is lost in summing a log-likelihood, by observation.
const NOISE: f64 = 1e-12;

/// A scale that fell so far below that of the start, as a logarithm, falls without end;
const COLLAPSE: f64 = 28.0;

/// or so far where the rows that have it are by then all that counts.
const SINGULAR_COLLAPSE: f64 = 3.0;

/// How a likelihood is maximised.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Search {
    /// Whether the shape stays as it is.
    pub(crate) hold_shape: bool,
    /// The length of a step, in standard errors by the root of the number of observations, that is none.
    pub(crate) tolerance: f64,
    /// Steps taken at most.
    pub(crate) iterations: u64,
    /// How far the least scale fell, as a logarithm, in the searches that led to this one's start.
    pub(crate) fallen: f64,
    /// The largest parameter of the shape, where its range is to end before its end.
    pub(crate) heaviest: f64,
}

impl Search {
    /// As near as anyone will ask.
    pub(crate) const FULL: Search =
        Search { hold_shape: false, tolerance: 1e-12, iterations: 200, fallen: 0.0, heaviest: f64::INFINITY };
    /// As near as doubles come, for rows so few that it costs nothing.
    pub(crate) const FINEST: Search = Search { tolerance: 1e-15, ..Search::FULL };
}

/// How a search ended.
#[derive(Debug, Clone)]
pub(crate) enum Outcome<F> {
    /// Where the log-likelihood no longer increases, or the steps were used up.
    Maximum(Box<Maximum<F>>),
    /// Where a scale falls without end.
    Collapsed(Point<F>),
    /// Where some parameter does not matter.
    Flat,
}

impl<F> Outcome<F> {
    /// The maximum, if that is what was found.
    pub(crate) fn maximum(self) -> Option<Maximum<F>> {
        match self {
            Outcome::Maximum(maximum) => Some(*maximum),
            _ => None,
        }
    }
}

/// Where a search ended.
#[derive(Debug, Clone)]
pub(crate) struct Maximum<F> {
    /// The pass there.
    pub(crate) state: Likelihood<F>,
    /// The curvature there, or very near.
    pub(crate) curve: Curve,
    /// How far it is from the maximum, in standard errors by the root of the number of observations.
    pub(crate) distance: f64,
    pub(crate) iterations: u64,
    /// How far the least scale fell, in this search and in those before.
    pub(crate) fallen: f64,
    pub(crate) converged: bool,
    pub(crate) reason: Reason,
}

/// The curvature of a log-likelihood: the parameters of location and scale first, then perhaps a shape.
#[derive(Debug, Clone)]
pub(crate) struct Curve {
    factor: Cholesky,
    shape: Option<ShapeCurve>,
}

/// How the log-likelihood bends with the shape.
#[derive(Debug, Clone)]
struct ShapeCurve {
    /// Minus how the other parameters' maximum moves with the shape.
    tangent: Vec<f64>,
    /// Minus the second derivative of the profile; not positive where that is not concave.
    bend: f64,
    /// What is expected of it.
    expected: f64,
}

/// A step, and the increase that its gradient promises for a whole one.
pub(crate) struct Step {
    pub(crate) change: Vec<f64>,
    pub(crate) rise: f64,
}

impl Curve {
    /// None where the curvature of location and scale is not clearly that of a maximum.
    pub(crate) fn new<F: Kernel>(state: &Likelihood<F>) -> Option<Self> {
        let information = state.information();
        let last = state.point().parameters() - usize::from(F::SHAPED);
        let factor = Cholesky::new(&information, last)?;
        let shape = F::SHAPED.then(|| {
            let border = &information[packed(last, 0)..][..last];
            let tangent = factor.solve(border);
            let bend = information[packed(last, last)] - dot(border, &tangent);
            let functions = state.point().functions;
            let ([own, cross], scale) = (functions.expected_by_shape(), functions.expected().log_scale);
            ShapeCurve { tangent, bend, expected: state.observations() * (own - cross * cross / scale) }
        });
        Some(Curve { factor, shape })
    }

    /// The step to the maximum over all parameters, the shape changing within `shape`, or not at all.
    pub(crate) fn step(&self, gradient: &[f64], shape: Option<std::ops::RangeInclusive<f64>>) -> Step {
        let Some(ShapeCurve { tangent, bend, expected }) = &self.shape else {
            let change = self.factor.solve(gradient);
            return Step { rise: dot(&change, gradient), change };
        };
        let (&slope, others) = gradient.split_last().unwrap_or((&0.0, &[]));
        let mut change = self.factor.solve(others);
        let slope = slope - dot(tangent, others);
        let bend = if *bend > 1e-3 * expected { *bend } else { bend.abs().max(0.1 * expected) };
        let by = shape.map_or(0.0, |range| (slope / bend).clamp(*range.start(), *range.end()));
        let rise = dot(&change, others) + slope * by;
        for (change, tangent) in change.iter_mut().zip(tangent) {
            *change -= tangent * by;
        }
        change.push(by);
        Step { change, rise }
    }

    /// The change of all parameters along the profile for one of the shape.
    pub(crate) fn along(&self, shape: f64) -> Vec<f64> {
        let tangent = self.shape.iter().flat_map(|curve| &curve.tangent);
        tangent.map(|value| -shape * value).chain([shape]).collect()
    }

    /// The slope of the profile of the shape, and minus its second derivative.
    pub(crate) fn profile(&self, gradient: &[f64]) -> Option<(f64, f64)> {
        let ShapeCurve { tangent, bend, .. } = self.shape.as_ref()?;
        let (&slope, others) = gradient.split_last()?;
        Some((slope - dot(tangent, others), *bend))
    }
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

impl<F: Kernel> Point<F> {
    /// The point a part of a step away.
    pub(crate) fn moved(&self, change: &[f64], part: f64) -> Self {
        let mut moved = self.clone();
        let parameters = moved.location.iter_mut().chain(&mut moved.scale);
        parameters.zip(change).for_each(|(value, change)| *value += part * change);
        if F::SHAPED {
            let theta = self.functions.parameter() + part * change.last().copied().unwrap_or_default();
            moved.functions = self.functions.with_parameter(theta.clamp(*F::SHAPES.start(), *F::SHAPES.end()));
        }
        moved
    }

    fn with_curvature(mut self, curvature: Curvature) -> Self {
        self.curvature = curvature;
        self
    }

    /// The same point for a pass that sums the gradient alone.
    pub(crate) fn without_curvature(self) -> Self {
        self.with_curvature(Curvature::None)
    }

    /// The same parameters of location and scale for another family.
    pub(crate) fn with_functions<G: Kernel>(self, functions: G) -> Point<G> {
        let Point { coordinates, scale_columns, location, scale, curvature, .. } = self;
        Point { coordinates, scale_columns, location, scale, functions, curvature }
    }
}

/// Climbs from `start` to where the gradient vanishes.
///
/// Steps are Newton's by the observed curvature where that is the curvature of a maximum, else by one that leads uphill
/// anyway; they are shortened until the log-likelihood increases. Close to the end, where the curvature hardly changes, the
/// last one serves for passes that only sum the gradient.
///
/// # Errors
/// What the source reports.
pub(crate) fn maximise<F: Kernel>(
    source: &dyn RowSource,
    start: Point<F>,
    search: Search,
) -> Result<Outcome<F>, Error> {
    let pass = |point: Point<F>, curvature: Curvature| source.pass(Likelihood::new(point.with_curvature(curvature)));
    let mut state = pass(start, Curvature::Observed)?;
    let first_scale = state.least_log_scale();
    let (mut iterations, mut last_distance) = (0, f64::INFINITY);
    let mut curve: Option<Curve> = None;
    loop {
        // Whether the curvature is this point's own.
        let fresh = state.point().curvature != Curvature::None;
        if fresh {
            curve = Curve::new(&state);
            if curve.is_none() {
                curve = Curve::new(&pass(state.point().clone(), Curvature::Majorising)?);
            }
        }
        let fallen = search.fallen + first_scale - state.least_log_scale();
        let Some(current) = curve.as_ref().filter(|_| fallen < COLLAPSE) else {
            let collapsed = fallen > SINGULAR_COLLAPSE;
            return Ok(if collapsed { Outcome::Collapsed(state.point().clone()) } else { Outcome::Flat });
        };
        let n = state.observations();
        let theta = state.point().functions.parameter();
        let heaviest = F::SHAPES.end().min(search.heaviest);
        let room = (!search.hold_shape).then(|| F::SHAPES.start() - theta..=heaviest - theta);
        let gradient = state.gradient();
        let Step { change, rise } = current.step(&gradient, room);
        let distance = (rise.max(0.0) / n).sqrt();
        let within_noise = distance * distance < NOISE;
        let stalled = fresh && within_noise && distance > 0.5 * last_distance;
        if distance <= search.tolerance || stalled || iterations == search.iterations || distance.is_nan() {
            let converged = distance <= search.tolerance.max(ATTAINABLE);
            let reason = match converged {
                true => Reason::Gradient,
                false if iterations == search.iterations => Reason::IterationLimit,
                false => Reason::NoIncrease,
            };
            let curve = current.clone();
            let maximum = Maximum { state, curve, distance, iterations, fallen, converged, reason };
            return Ok(Outcome::Maximum(Box::new(maximum)));
        }
        let wanted = match distance < NEAR && (fresh || distance < 0.1 * last_distance) {
            true => Curvature::None,
            false => Curvature::Observed,
        };
        last_distance = distance;
        // The columns of the scale are of size one.
        let (first, last) = (state.point().location.len(), state.point().scale.len());
        let log_scale: f64 = change[first..first + last].iter().map(|change| change.abs()).sum();
        // A log-concave density is curved the right way everywhere: only the scale's exponential can be led astray.
        let longest = if F::SHAPED { LONGEST / distance } else { 1.0 };
        let mut part = longest.min(LONGEST_LOG_SCALE / log_scale).min(1.0);
        let slack = NOISE * (n + state.log_likelihood().abs());
        loop {
            let next = pass(state.point().moved(&change, part), wanted)?;
            // A comparison that NaN fails.
            if next.log_likelihood() >= state.log_likelihood() + SUFFICIENT * part * rise - slack {
                state = next;
                break;
            }
            part *= 0.25;
            if part < 1e-12 {
                let curve = current.clone();
                return Ok(Outcome::Maximum(Box::new(Maximum {
                    state,
                    curve,
                    distance,
                    iterations,
                    fallen,
                    converged: false,
                    reason: Reason::NoIncrease,
                })));
            }
        }
        iterations += 1;
    }
}
