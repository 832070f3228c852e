//! How far to go along a step: to the minimum of the objective there, found on rows that are all kept.

use crate::estimate::active_set::step::{Point, Problem, Rule, Step};
use crate::estimate::active_set::window::{Line, Window};

/// No step is taken longer than this many times, where its length means nothing.
const LONGEST: f64 = 1e12;

/// Nor longer where it then changes the scale by more than this part of it.
const MOST_OF_SCALE: f64 = 0.9;

/// A step may end on a slope of this part of that it began with.
const STEEP: f64 = 0.5;

/// Halvings of the interval in which the minimum is.
const HALVINGS: usize = 60;

/// The objective of a problem along a step from a scale.
struct Along<'a> {
    problem: Problem,
    scale: f64,
    change: f64,
    observations: f64,
    lines: &'a [Line],
}

impl Problem {
    /// The part of `step` from `point` after which the objective is least. Beyond the whole of it only steps go that are
    /// not exact. Of the median, which has no objective, a step of the coefficients alone has that of its scale.
    pub(super) fn best_part(&self, point: &Point, step: &Step, window: &Window, observations: f64) -> f64 {
        if matches!(self.rule, Rule::Median { .. }) && step.exact {
            return 1.0;
        }
        let nowhere = vec![0.0; step.coefficients.len()];
        let lines = window.lines(&nowhere, &step.coefficients);
        let along =
            Along { problem: *self, scale: point.scale, change: step.scale, observations, lines: lines.lines() };
        let descent = -along.derivative(0.0);
        // A step that is the solution for its sets is only cut where it climbs again, and rather steeply: whole steps end.
        if descent <= 0.0 || (step.exact && along.derivative(1.0) <= STEEP * descent) {
            return 1.0;
        }
        let (mut low, mut high) = (0.0, 1.0);
        while along.derivative(high) <= 0.0 {
            if high > LONGEST || 4.0 * high * step.scale.abs() > MOST_OF_SCALE * point.scale {
                return high;
            }
            (low, high) = (high, 4.0 * high);
        }
        for _ in 0..HALVINGS {
            let middle = 0.5 * (low + high);
            if along.derivative(middle) < 0.0 {
                low = middle;
            } else {
                high = middle;
            }
        }
        high
    }
}

impl Along<'_> {
    /// With `part` of the step taken: the derivative has the sign of that of the objective.
    fn derivative(&self, part: f64) -> f64 {
        let (scale, k) = (self.scale + part * self.change, self.problem.k);
        let of_scale = match self.problem.rule {
            Rule::MaximumLikelihood => self.observations * self.change,
            Rule::Proposal2 { expected } => 0.5 * expected * self.change,
            Rule::Fixed | Rule::Median { .. } => 0.0,
        };
        let term = |line: &Line| {
            let r = (line.at_zero - part * line.slope) / scale;
            let psi = r.clamp(-k, k);
            let by_scale = match self.problem.rule {
                Rule::MaximumLikelihood => r * psi,
                Rule::Proposal2 { .. } => 0.5 * psi * psi,
                Rule::Fixed | Rule::Median { .. } => 0.0,
            };
            line.count * (psi * line.slope + by_scale * self.change)
        };
        of_scale - self.lines.iter().map(term).sum::<f64>()
    }
}
