//! Newton's method with active sets: step, see which rows changed sides, step again, until none does.

use super::sets::Sets;
use super::step::{Point, Problem, Rule, Step};
use super::window::{WINDOW_ROWS, Window};
use crate::Error;
use crate::linear::Coordinates;
use crate::rows::RowSource;

/// Passes over the rows after which the search is given up.
const MOST_PASSES: u64 = 200;

/// Passes after which steps that nothing else holds back (those for the median) are halved now and then: they may run in
/// circles.
const FREE_PASSES: u64 = 20;

/// A step of this part of the scale, once no row changes sides, is rounding.
const SETTLED: f64 = 1e-8;

/// A step of this part of the scale is rounding whatever the rows do.
const NEGLIGIBLE: f64 = 1e-13;

/// A knee in scales from which the way to smaller ones goes by steps of [`KNEE_STEP`].
const EASY_KNEE: f64 = 1.345;
const KNEE_STEP: f64 = 0.25;

/// Of a step that rises, at least this part is tried.
const LEAST_PART: f64 = 1e-6;

/// The rows, and what does not change from pass to pass.
pub(super) struct Solver<'a, S> {
    pub(super) source: &'a S,
    pub(super) coordinates: &'a Coordinates,
    pub(super) problem: Problem,
    /// The products of all columns, whatever their factor.
    pub(super) metric: Vec<f64>,
}

/// Where the search ended.
#[derive(Debug)]
pub(super) struct Solution {
    pub(super) point: Point,
    /// The last pass, a negligible step away.
    pub(super) sets: Sets,
    /// The last step.
    pub(super) step: Step,
    pub(super) passes: u64,
    pub(super) converged: bool,
    /// What rounding may leave of a residual of zero.
    pub(super) rounding: f64,
}

/// A point with its sums.
struct Visited {
    point: Point,
    sets: Sets,
    objective: Option<f64>,
}

impl<S: RowSource> Solver<'_, S> {
    /// The sums at a point.
    pub(super) fn pass(&self, point: &Point, window: Option<(f64, f64)>) -> Result<Sets, Error> {
        let knee = self.problem.knee(point.scale);
        self.source.pass(Sets::new(self.coordinates.clone(), point.coefficients.clone(), knee, window))
    }

    /// Solves the problem on rows that can all be kept, from a knee that holds most of them down to its own, each solution
    /// the start of the next: a small knee alone would hold too few rows to find the way.
    pub(super) fn descend(&self, from: Point) -> Result<Solution, Error> {
        let (mut point, mut passes, mut k) = (from, 0, self.problem.k.max(EASY_KNEE));
        loop {
            let problem = Problem { k, ..self.problem };
            let easier = Solver { problem, metric: self.metric.clone(), ..*self };
            let mut solution = easier.solve(point, 0.0)?;
            passes += solution.passes;
            if k <= self.problem.k {
                solution.passes = passes;
                return Ok(solution);
            }
            let smaller = (k * KNEE_STEP).max(self.problem.k);
            point = solution.point;
            if self.problem.rule == Rule::MaximumLikelihood {
                point.scale *= smaller / k;
            }
            k = smaller;
        }
    }

    /// Solves the problem from a point. For a median, `density` is about how many observations have residuals in a unit of
    /// size about it; zero where all rows are few enough to be kept.
    pub(super) fn solve(&self, from: Point, mut density: f64) -> Result<Solution, Error> {
        let (mut candidate, mut part, mut passes) = (from, 1.0, 0);
        let mut last: Option<Visited> = None;
        loop {
            passes += 1;
            let window = match self.problem.rule {
                Rule::Median { constant } => Some((constant * candidate.scale, 0.5 * WINDOW_ROWS as f64 / density)),
                _ => None,
            };
            let sets = self.pass(&candidate, window)?;
            let objective = self.problem.objective(&sets, candidate.scale);
            if let Some(last) = &last
                && self.problem.rises(last.objective, objective, sets.totals().observations)
                && part > LEAST_PART
            {
                part *= 0.5;
                candidate = self.problem.between(&last.point, &candidate, 0.5);
                continue;
            }
            if let Some(found) = sets.window.as_ref().and_then(Window::density).filter(|_| density > 0.0) {
                density = found;
            }
            let step = self.problem.step(&sets, candidate.scale, &self.metric);
            let target = candidate.stepped(&step);
            let rounding = self.rounding(&target);
            if self.problem.rule != Rule::Fixed && target.scale <= rounding {
                return Err(no_scale());
            }
            let change = step.coefficients.iter().fold(step.scale.abs(), |most, d| d.abs().max(most)) / target.scale;
            let same = last.as_ref().is_some_and(|last| last.sets.same_as(&sets));
            let converged = step.exact && (change <= NEGLIGIBLE || same && change <= SETTLED);
            if converged || passes >= MOST_PASSES {
                return Ok(Solution { point: target, sets, step, passes, converged, rounding });
            }
            let free = objective.is_some() || passes < FREE_PASSES || passes % 2 == 0;
            let next = if free { target } else { self.problem.between(&candidate, &target, 0.5) };
            last = Some(Visited { point: candidate, sets, objective });
            (candidate, part) = (next, 1.0);
        }
    }

    /// What rounding may leave of a residual of zero.
    fn rounding(&self, point: &Point) -> f64 {
        let coordinates = self.coordinates;
        let reach = |j: usize| 1.0 + (coordinates.shift(j) * coordinates.scale(j)).abs();
        let slopes = &point.coefficients[coordinates.offset()..];
        let terms = slopes.iter().enumerate().map(|(j, b)| b.abs() * reach(j));
        4.0 * f64::EPSILON * terms.sum::<f64>().max(reach(slopes.len()))
    }
}

impl Point {
    fn stepped(&self, step: &Step) -> Point {
        Point {
            coefficients: self.coefficients.iter().zip(&step.coefficients).map(|(b, d)| b + d).collect(),
            scale: self.scale + step.scale,
        }
    }
}

/// The scale went to zero.
fn no_scale() -> Error {
    Error::Unsupported(
        "so many residuals are zero that the scale of huber noise is zero, too; estimate it by maximum likelihood (mle), \
         or take laplace noise, for which rows that are fitted exactly are nothing unusual"
            .to_owned(),
    )
}
