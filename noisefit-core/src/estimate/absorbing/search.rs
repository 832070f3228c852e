//! The search for the maximum: Newton's steps, halved where they do not lead up.

use std::sync::Arc;

use crate::Error;
use crate::algebra::LeastSquares;
use crate::error::least_degrees;
use crate::estimate::absorbing::equations::Equations;
use crate::estimate::absorbing::pass::Sums;
use crate::estimate::absorbing::point::{Known, Point};
use crate::noise::{Huber, Noise};
use crate::record::Reason;
use crate::rows::{RowSource, RowSourceExt};

/// A step shorter than this, in standard errors by the root of the number of observations, is none.
pub(super) const TOLERANCE: f64 = 1e-12;

/// One that need not end exactly.
const ROUGH: f64 = 1e-2;

/// A step this short is at the level of rounding where the next one is not shorter.
const ATTAINABLE: f64 = 1e-8;

/// A step that is shorter than the last by less than this part is one of rounding: where many rows have a score that falls, steps of the
/// curvature that is made positive shorten slowly.
const STEADY: f64 = 0.9;

/// Steps at most.
const MOST_STEPS: u64 = 200;

/// The part of the promised increase that a step has to bring.
const SUFFICIENT: f64 = 1e-4;

/// What is lost in summing a log-likelihood, by observation.
const NOISE: f64 = 1e-12;

/// The logarithm of the scale changes by no more in one step;
const LONGEST: f64 = 1.0;

/// and a scale that fell so far below that of the start falls without end.
const COLLAPSE: f64 = 28.0;

/// The rows of a search, whose columns are free of the effects by their least squares, and their coefficients in all.
pub(super) struct Search<'a> {
    pub(super) source: &'a dyn RowSource,
    pub(super) coefficients: f64,
}

/// Where a search ended.
pub(super) struct Maximum {
    pub(super) state: Sums,
    pub(super) known: Known,
    /// Those of the next step, which was not taken.
    pub(super) equations: Equations,
    pub(super) distance: f64,
    pub(super) iterations: u64,
    pub(super) converged: bool,
    pub(super) reason: Reason,
}

impl Search<'_> {
    /// Least squares, and a scale that fits its residuals.
    pub(super) fn start(&self, solved: &LeastSquares, noise: Noise) -> Point {
        let constants = self.source.layout().effects.iter().map(|effect| Arc::new(vec![0.0; effect.levels]));
        let n = solved.totals.observations;
        let mut point = Point {
            noise,
            theta: 0.0,
            slopes: solved.coefficients.iter().flatten().copied().collect(),
            constants: constants.collect(),
            log_scale: 0.5 * (solved.residual_sum_of_squares / n).ln(),
        };
        if let Some(shape) = point.known(n, self.coefficients).shape {
            point.theta = shape.middling.min(shape.heaviest);
        }
        point.log_scale -= 0.5 * point.found().family().variance().min(3.0).ln();
        point
    }

    /// The start, led through Huber's noise where the tails are so heavy that the likelihood is not log-concave: his has one maximum, which
    /// outlying rows do not move far; and the steps that took.
    pub(super) fn led(&self, start: Point, n: f64) -> (Point, u64) {
        if !start.known(n, self.coefficients).tail_index.is_finite() {
            return (start, 0);
        }
        let huber = Point { noise: Noise::Huber(Huber::new(Huber::K)), ..start.clone() };
        match self.maximum(huber, ROUGH) {
            Ok(found) => (Point { noise: start.noise, ..found.state.point().clone() }, found.iterations),
            // Its own search tells what is wrong.
            Err(_) => (start, 0),
        }
    }

    /// Climbs to where steps are as short as `tolerance`.
    pub(super) fn maximum(&self, start: Point, tolerance: f64) -> Result<Maximum, Error> {
        let known = |point: &Point, n: f64| point.known(n, self.coefficients);
        let first_scale = start.log_scale;
        let mut state = self.source.pass(Sums::new(start))?;
        let (n, mut iterations, mut last_distance) = (state.observations(), 0, f64::INFINITY);
        loop {
            let now = known(state.point(), n);
            let exact = least_degrees(self.coefficients, n) >= now.tail_index;
            if exact || first_scale - state.point().log_scale > COLLAPSE {
                return Err(self.unbounded(n));
            }
            let equations = Equations::at(self.source, &state, &now)?;
            let step = equations.step(state.point().theta, now.shape.as_ref())?;
            let distance = (step.rise.max(0.0) / n).sqrt();
            let ended = |(state, known, equations), converged, reason| {
                Ok(Maximum { state, known, equations, distance, iterations, converged, reason })
            };
            // Log-likelihoods tell no such steps apart: they go on as long as they shorten.
            let rounded = distance < ATTAINABLE && distance > STEADY * last_distance;
            if distance <= tolerance || rounded || distance.is_nan() {
                return ended((state, now, equations), !distance.is_nan(), Reason::Gradient);
            }
            last_distance = distance;
            if iterations == MOST_STEPS {
                return ended((state, now, equations), distance <= ATTAINABLE, Reason::IterationLimit);
            }
            let before = state.log_likelihood(now.constant[0]);
            let slack = NOISE * (n + before.abs());
            let mut part = (LONGEST / step.log_scale.abs()).min(1.0);
            let next = loop {
                let next = self.source.pass(Sums::new(state.point().moved(&step, part)))?;
                let after = next.log_likelihood(known(next.point(), n).constant[0]);
                // A comparison that NaN fails.
                if after >= before + SUFFICIENT * part * step.rise - slack {
                    break Some(next);
                }
                part *= 0.25;
                if part < 1e-8 {
                    break None;
                }
            };
            match next {
                Some(next) => state = next,
                None => return ended((state, now, equations), distance <= ATTAINABLE, Reason::NoIncrease),
            }
            iterations += 1;
        }
    }

    /// The error for levels that can be fitted exactly under such tails.
    fn unbounded(&self, n: f64) -> Error {
        let names: Vec<&str> = self.source.layout().effects.iter().map(|effect| effect.name.as_str()).collect();
        Error::Undetermined {
            why: format!(
                "{} coefficients, with the constants of {}, fit as many of the {n} observations exactly, and under noise with tails so \
                 heavy the likelihood then grows without bound",
                self.coefficients,
                names.join(" and ")
            ),
            remedy: Some(
                "name noise with lighter tails, such as huber or student-t with more df, or leave an effect out",
            ),
        }
    }
}
