//! Newton's method with active sets: step, see which rows changed sides, step again, until none does.

use crate::Error;
use crate::algebra::Coordinates;
use crate::estimate::active_set::sets::Sets;
use crate::estimate::active_set::step::{Point, Problem, Rule, Step};
use crate::estimate::active_set::window::WINDOW_ROWS;
use crate::rows::{RowSource, RowSourceExt};

/// Passes over the rows after which the search is given up.
const MOST_PASSES: u64 = 200;

/// The same for coefficients and the scale by the median together, and for one after the other.
const PASSES_OF_MEDIAN: u64 = 25;
const MOST_PASSES_IN_TURN: u64 = 1000;

/// A step of this part of the scale, once no row changes sides, is rounding.
const SETTLED: f64 = 1e-8;

/// A step of this part of the scale is rounding whatever the rows do.
const NEGLIGIBLE: f64 = 1e-13;

/// A gradient of this size is rounding.
const LEVEL: f64 = 1e-14;

/// However large rounding is next to the knee, a gradient larger than this by it is none.
const MOST_LEVEL: f64 = 1e-7;

/// A median of so few roundings at which the search does not end is zero.
const UNRESOLVED: f64 = 100.0;

/// A knee in scales from which the way to smaller ones goes by steps of [`KNEE_STEP`].
const EASY_KNEE: f64 = 1.345;
const KNEE_STEP: f64 = 0.25;

/// Of a step that rises, at least this part is tried.
const LEAST_PART: f64 = 1e-6;

/// The rows, and what does not change from pass to pass.
pub(super) struct Solver<'a> {
    pub(super) source: &'a dyn RowSource,
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

impl Solver<'_> {
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
            let mut solution = self.with(Problem { k, ..self.problem }).solve(point, None)?;
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

    /// The same rows with another problem.
    fn with(&self, problem: Problem) -> Self {
        Solver { problem, metric: self.metric.clone(), ..*self }
    }

    /// Solves the problem from a point. All rows are kept where they are few; where they are not, `density` is about how
    /// many observations have residuals in a unit of size about the median one.
    pub(super) fn solve(&self, from: Point, density: Option<f64>) -> Result<Solution, Error> {
        match self.problem.rule {
            Rule::Median { constant } => {
                let together = self.step_on(from, density, PASSES_OF_MEDIAN)?;
                if together.converged {
                    return Ok(together);
                }
                let found = self.in_turn(together, constant, density)?;
                match found.converged || constant * found.point.scale > UNRESOLVED * found.rounding {
                    true => Ok(found),
                    false => Err(no_scale()),
                }
            }
            _ => self.step_on(from, density, MOST_PASSES),
        }
    }

    /// Steps until the solution is reached, or so many passes were made.
    fn step_on(&self, from: Point, mut density: Option<f64>, most_passes: u64) -> Result<Solution, Error> {
        let (mut candidate, mut part, mut passes) = (from, 1.0, 0);
        let mut last: Option<Visited> = None;
        loop {
            passes += 1;
            let sets = self.pass(&candidate, self.window(&candidate, density))?;
            let observations = sets.totals().observations;
            let objective = self.problem.objective(&sets, candidate.scale);
            if let Some(last) = &last
                && density.is_some()
                && self.problem.rises(last.objective, objective, observations)
                && part > LEAST_PART
            {
                part *= 0.5;
                candidate = self.problem.between(&last.point, &candidate, 0.5);
                continue;
            }
            let mut step = self.problem.step(&sets, candidate.scale, &self.metric);
            match (&sets.window, &mut density) {
                (Some(window), None) if step.change() > SETTLED * candidate.scale => {
                    let part = self.problem.best_part(&candidate, &step, window, observations);
                    step.lengthen(part);
                }
                (_, Some(density)) => *density = sets.density_at_median().unwrap_or(*density),
                _ => (),
            }
            let target = candidate.stepped(&step);
            let rounding = self.rounding(&target);
            if self.problem.rule != Rule::Fixed && target.scale <= rounding {
                return Err(no_scale());
            }
            let change = step.change() / target.scale;
            let same = last.as_ref().is_some_and(|last| last.sets.same_as(&sets));
            let settled = step.exact && (change <= NEGLIGIBLE || same && change <= SETTLED || step.is_within(rounding));
            let converged = settled || objective.is_some() && step.is_level(target.scale, self.level(&sets, rounding));
            if converged || passes >= most_passes {
                return Ok(Solution { point: target, sets, step, passes, converged, rounding });
            }
            last = Some(Visited { point: candidate, sets, objective });
            (candidate, part) = (target, 1.0);
        }
    }

    /// The median's scale where steps of all at once run in circles: the coefficients of one scale after another, between
    /// scales that are too small and too large for their residuals.
    fn in_turn(&self, together: Solution, constant: f64, density: Option<f64>) -> Result<Solution, Error> {
        let (mut point, mut passes) = (together.point, together.passes);
        let (mut low, mut high) = (0.0, f64::INFINITY);
        let (mut at_low, mut at_high) = (None, None);
        let mut last: Option<Sets> = None;
        loop {
            let unit = power_of_two_near(point.scale);
            let fixed = self.with(Problem { k: self.problem.knee(point.scale) / unit, rule: Rule::Fixed });
            let inner = fixed.step_on(Point { scale: unit, ..point.clone() }, density, MOST_PASSES)?;
            point.coefficients = inner.point.coefficients;
            let sets = self.pass(&point, self.window(&point, density))?;
            passes += inner.passes + 1;
            let step = self.problem.step(&sets, point.scale, &self.metric);
            let target = point.stepped(&step);
            let (change, rounding) = (step.change() / point.scale, self.rounding(&point));
            let same = last.as_ref().is_some_and(|last| last.same_as(&sets));
            let scale = sets.median_size() / constant;
            let settled = step.exact && (change <= NEGLIGIBLE || same && change <= SETTLED || step.is_within(rounding));
            let level =
                step.is_level(scale, self.level(&sets, rounding)) && (scale - point.scale).abs() <= NEGLIGIBLE * scale;
            let converged = inner.converged && (settled || level);
            if scale > point.scale {
                (low, at_low) = (point.scale, Some(point.clone()));
            } else {
                (high, at_high) = (point.scale, Some(point.clone()));
            }
            if let (false, Some(at_low), Some(at_high)) = (converged, &at_low, &at_high)
                && high - low <= 2.0 * f64::EPSILON * high
            {
                return self.amid(at_low, at_high, constant, density, passes);
            }
            if converged || passes >= MOST_PASSES_IN_TURN {
                return Ok(Solution { point: target, sets, step, passes, converged, rounding });
            }
            let next = [target.scale, scale, 0.5 * (low + high)].into_iter().find(|&next| next > low && next < high);
            point.scale = next.unwrap_or(scale);
            if point.scale <= rounding {
                return Err(no_scale());
            }
            last = Some(sets);
        }
    }

    /// The solution between two of one scale, of which one has a median that calls for a larger scale, and the other for a
    /// smaller one: all coefficients on the way from one to the other solve the equations of this scale.
    fn amid(
        &self,
        too_small: &Point,
        too_large: &Point,
        constant: f64,
        density: Option<f64>,
        passes: u64,
    ) -> Result<Solution, Error> {
        let scale = too_large.scale;
        let fixed = self.with(Problem { k: self.problem.k, rule: Rule::Fixed });
        let (mut low, mut high, mut passes) = (0.0, 1.0, passes);
        loop {
            let part = 0.5 * (low + high);
            let point = Point { scale, ..fixed.problem.between(too_small, too_large, part) };
            let sets = self.pass(&point, self.window(&point, density))?;
            passes += 1;
            let excess = sets.median_size() / constant - scale;
            if excess > 0.0 {
                low = part;
            } else {
                high = part;
            }
            let met = excess.abs() <= NEGLIGIBLE * scale;
            if met || high - low <= f64::EPSILON {
                let (step, rounding) = (fixed.problem.step(&sets, scale, &self.metric), self.rounding(&point));
                let converged = met && (step.gradient <= self.level(&sets, rounding) || step.is_within(rounding));
                return Ok(Solution { point, sets, step, passes, converged, rounding });
            }
        }
    }

    /// Where the rows to be kept have their residuals; none where none are.
    fn window(&self, point: &Point, density: Option<f64>) -> Option<(f64, f64)> {
        match (self.problem.rule, density) {
            (_, None) => Some((0.0, f64::INFINITY)),
            (Rule::Median { constant }, Some(density)) => {
                Some((constant * point.scale, 0.5 * WINDOW_ROWS as f64 / density))
            }
            _ => None,
        }
    }

    /// A gradient that rounding may leave of zero, by itself and through the residuals inside.
    fn level(&self, sets: &Sets, rounding: f64) -> f64 {
        let inside = sets.sums().count_inside.to_f64() / sets.totals().observations;
        LEVEL + (rounding / sets.knee() * inside).min(MOST_LEVEL)
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

impl Step {
    /// Its largest component: columns are of size one, so that this is about the change of residuals.
    pub(super) fn change(&self) -> f64 {
        self.coefficients.iter().fold(self.scale.abs(), |most, d| d.abs().max(most))
    }

    /// Whether the step changes nothing beyond rounding: what residuals are rounded by moves the fitted values of least
    /// squares by no more, however the columns lie.
    fn is_within(&self, rounding: f64) -> bool {
        self.fitted <= rounding && self.scale.abs() <= rounding
    }

    /// Whether the objective is level although the rows inside do not determine the coefficients: it has other minima.
    fn is_level(&self, scale: f64, level: f64) -> bool {
        !self.determined && self.gradient <= level && self.scale.abs() <= SETTLED * scale
    }

    /// Goes only, or as far as, `part` of the way.
    fn lengthen(&mut self, part: f64) {
        self.coefficients.iter_mut().for_each(|d| *d *= part);
        self.scale *= part;
        self.exact &= part == 1.0;
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

/// The power of two nearest to a positive `x` on the logarithmic scale: in such a unit numbers keep their digits.
pub(super) fn power_of_two_near(x: f64) -> f64 {
    x.log2().round().exp2()
}

/// The scale went to zero.
fn no_scale() -> Error {
    Error::Undetermined {
        why: "so many residuals are zero that the scale of huber noise is zero, too".to_owned(),
        remedy: Some(
            "estimate it by maximum likelihood (mle), or take laplace noise, for which rows that are fitted exactly are nothing \
             unusual",
        ),
    }
}
