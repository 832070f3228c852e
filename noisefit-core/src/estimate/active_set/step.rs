//! Where the sums of one pass lead: the coefficients and the scale that solve their equations if no row changes sides.

use faer::linalg::solvers::{Llt, Solve};
use faer::{Mat, Side};

use crate::algebra::gram::symmetric;
use crate::estimate::active_set::sets::Sets;
use crate::estimate::active_set::window::Median;

/// A pivot that lost all but this part of its column to the columns before it says that the rows inside do not determine
/// the coefficients.
const LEAST_PIVOT: f64 = 1e-13;

/// A step makes the scale smaller by no more than this factor, and one that minimises nothing not larger either.
const FARTHEST: f64 = 10.0;

/// What determines the scale.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Rule {
    /// Nothing: it is given, and with it the knee.
    Fixed,
    /// `sum f (1 - r psi(r)) = 0`: the likelihood of the least favourable density.
    MaximumLikelihood,
    /// `sum f min(u^2, (k s)^2) = expected s^2`.
    Proposal2 { expected: f64 },
    /// `median |u| = constant s`.
    Median { constant: f64 },
}

/// The noise: where the knee is, in scales, and what determines the scale.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Problem {
    pub(super) k: f64,
    pub(super) rule: Rule,
}

/// Coefficients in coordinates, and the scale in the response's unit there.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Point {
    pub(super) coefficients: Vec<f64>,
    pub(super) scale: f64,
}

/// A way from the point at which the sums were taken.
#[derive(Debug, Clone)]
pub(super) struct Step {
    pub(super) coefficients: Vec<f64>,
    pub(super) scale: f64,
    /// Whether it leads to the solution for these sets, and not only towards it.
    pub(super) exact: bool,
    /// Whether the rows inside determine the coefficients.
    pub(super) determined: bool,
    /// The largest estimating equation of the coefficients, in units of what all rows outside could make of it.
    pub(super) gradient: f64,
    /// The root mean square over the rows inside of the change of their fitted values.
    pub(super) fitted: f64,
}

impl Problem {
    pub(super) fn knee(&self, scale: f64) -> f64 {
        self.k * scale
    }

    /// The convex function whose minimum is sought, up to a constant; none for the median, which minimises nothing.
    ///
    /// That of proposal 2 is Huber's own (1981, *Robust Statistics*, section 7.7); that of the likelihood is convex in
    /// `b / s` and `1 / s`.
    pub(super) fn objective(&self, sets: &Sets, scale: f64) -> Option<f64> {
        let loss = sets.loss();
        match self.rule {
            Rule::Fixed => Some(loss),
            Rule::MaximumLikelihood => Some(loss / (scale * scale) + sets.totals().observations * scale.ln()),
            Rule::Proposal2 { expected } => Some(loss / scale + 0.5 * expected * scale),
            Rule::Median { .. } => None,
        }
    }

    /// Whether an objective is larger than before by more than rounding.
    pub(super) fn rises(&self, before: Option<f64>, after: Option<f64>, observations: f64) -> bool {
        let size = if self.rule == Rule::MaximumLikelihood { observations } else { 0.0 };
        before.zip(after).is_some_and(|(before, after)| !(after <= before + 1e-13 * (before.abs() + size)))
    }

    /// The point a share `part` of the way from one to another, on a line along which the objective is convex.
    pub(super) fn between(&self, from: &Point, to: &Point, part: f64) -> Point {
        let (a, b) = match self.rule {
            Rule::MaximumLikelihood => ((1.0 - part) / from.scale, part / to.scale),
            _ => (1.0 - part, part),
        };
        let mean = |from: f64, to: f64| (a * from + b * to) / (a + b);
        Point {
            coefficients: from.coefficients.iter().zip(&to.coefficients).map(|(&from, &to)| mean(from, to)).collect(),
            scale: mean(from.scale, to.scale),
        }
    }

    /// The step from `scale` and the coefficients at which `sets` was taken. Where the rows inside do not determine the
    /// coefficients, those outside lend them what curvature their loss has from here to zero, in the shape of `metric`, the
    /// products of all columns.
    pub(super) fn step(&self, sets: &Sets, scale: f64, metric: &[f64]) -> Step {
        let (inner, outer) = (doubles(sets.inner()), doubles(sets.outer()));
        let (gram, knee) = (doubles(sets.gram()), self.knee(scale));
        let gradient: Vec<f64> =
            sets.inner().iter().zip(sets.outer()).map(|(&a, &h)| (a + h * knee).to_f64()).collect();
        let (factor, damped) = match factorise(&gram, inner.len()) {
            Some(factor) => (Some(factor), false),
            None => (factorise(&self.lent(sets, knee, &gram, metric), inner.len()), true),
        };
        let Some(factor) = factor else {
            let coefficients = vec![0.0; inner.len()];
            return Step {
                coefficients,
                scale: 0.0,
                exact: false,
                determined: false,
                gradient: f64::INFINITY,
                fitted: f64::INFINITY,
            };
        };
        // To the scale s + t the coefficients move by `first + t slope`.
        let first = solve(&factor, &gradient);
        let slope = match self.rule {
            Rule::Fixed => vec![0.0; inner.len()],
            _ => solve(&factor, &outer).into_iter().map(|b| self.k * b).collect(),
        };
        let moved = Moved { gram: &gram, inner: &inner, outer: &outer, first: &first, slope: &slope };
        let (t, found) = match self.rule {
            Rule::Fixed => (0.0, true),
            Rule::MaximumLikelihood => self.likelihood_step(sets, scale, &moved),
            Rule::Proposal2 { expected } => self.proposal2_step(sets, scale, expected, &moved),
            // Without coefficients that are determined, those of this scale come first.
            Rule::Median { .. } if damped => (0.0, false),
            Rule::Median { constant } => median_step(sets, scale, constant, &first, &slope),
        };
        let t = t.max(scale / FARTHEST - scale);
        let coefficients: Vec<f64> = first.iter().zip(&slope).map(|(a, b)| a + t * b).collect();
        let fitted = (form(&gram, &coefficients, &coefficients) / sets.sums().count_inside.to_f64()).max(0.0).sqrt();
        let largest = gradient.iter().fold(0.0, |most: f64, g| g.abs().max(most));
        let gradient = largest / (knee * sets.totals().observations);
        Step { coefficients, scale: t, exact: found && !damped, determined: !damped, gradient, fitted }
    }

    /// The products of the columns over the rows inside, and a share of `metric`: a row outside has the curvature
    /// `knee / |u|` on the parabola that touches its loss.
    fn lent(&self, sets: &Sets, knee: f64, gram: &[f64], metric: &[f64]) -> Vec<f64> {
        let outside = sets.count_outside();
        let curvature = knee * outside / sets.sums().sizes_outside.to_f64();
        let share = (curvature * outside / sets.totals().observations).max(1e-10);
        gram.iter().zip(metric).map(|(g, m)| g + share * m).collect()
    }

    /// `n (s + t)^2 = sum over inside of f u^2 + k (s + t) sum over outside of f |u|`, both moved.
    fn likelihood_step(&self, sets: &Sets, scale: f64, moved: &Moved<'_>) -> (f64, bool) {
        let (n, sums) = (sets.totals().observations, sets.sums());
        let at_scale = sums.squares_inside + sums.sizes_outside * (self.k * scale) - n * scale * scale;
        let squares = moved.squares_inside();
        let sizes = moved.sizes_outside();
        let constant = at_scale.to_f64() + squares[0] + self.k * scale * sizes[0];
        let linear =
            squares[1] + self.k * (sums.sizes_outside.to_f64() + sizes[0] + scale * sizes[1]) - 2.0 * n * scale;
        let quadratic = squares[2] + self.k * sizes[1] - n;
        (upper_root(-quadratic, -linear, -constant).unwrap_or(scale), true)
    }

    /// `expected (s + t)^2 = sum over inside of f u^2 + k^2 (s + t)^2 n`, with the number `n` outside.
    fn proposal2_step(&self, sets: &Sets, scale: f64, expected: f64, moved: &Moved<'_>) -> (f64, bool) {
        let squares = moved.squares_inside();
        let per_square = expected - self.k * self.k * sets.count_outside();
        let constant = (sets.sums().squares_inside - per_square * scale * scale).to_f64() + squares[0];
        let linear = squares[1] - 2.0 * per_square * scale;
        match upper_root(per_square - squares[2], -linear, -constant) {
            Some(t) => (t, true),
            // With so many rows outside no scale is large enough: fewer will be.
            None => (scale, false),
        }
    }
}

impl Sets {
    /// Whether the rows inside do.
    pub(super) fn determine_coefficients(&self) -> bool {
        factorise(&doubles(self.gram()), self.inner().len()).is_some()
    }
}

/// How sums change from where they were taken when the coefficients move by `first + t slope`: polynomials in `t`, the
/// constant first.
struct Moved<'a> {
    gram: &'a [f64],
    inner: &'a [f64],
    outer: &'a [f64],
    first: &'a [f64],
    slope: &'a [f64],
}

impl Moved<'_> {
    fn squares_inside(&self) -> [f64; 3] {
        let form = |x: &[f64], y: &[f64]| form(self.gram, x, y);
        let (a, b) = (self.first, self.slope);
        [form(a, a) - 2.0 * dot(a, self.inner), 2.0 * (form(a, b) - dot(b, self.inner)), form(b, b)]
    }

    fn sizes_outside(&self) -> [f64; 2] {
        [-dot(self.first, self.outer), -dot(self.slope, self.outer)]
    }
}

/// Newton's method, in a bracket, for the change `t` of the scale after which the median of the window's residuals is
/// `constant (scale + t)`: exact once it is on the line of the median row.
///
/// Far from the solution that may lead anywhere, as the median minimises nothing: a step ends at a factor of [`FARTHEST`].
fn median_step(sets: &Sets, scale: f64, constant: f64, first: &[f64], slope: &[f64]) -> (f64, bool) {
    let Some(window) = &sets.window else { return (0.0, false) };
    let observations = sets.totals().observations;
    let lines = window.lines(first, slope);
    let (least, most) = (scale / FARTHEST - scale, scale * FARTHEST - scale);
    let (mut t, mut low, mut high) = (0.0, least, most);
    for _ in 0..100 {
        let (size, slope) = match lines.median(t, observations) {
            Median::Found { size, slope } => (size, slope),
            miss => return ((window.estimate(miss) / constant - scale).clamp(least, most), false),
        };
        let gap = size - constant * (scale + t);
        if gap > 0.0 {
            low = t;
        } else {
            high = t;
        }
        let newton = t - gap / (slope - constant);
        let next = if newton >= low && newton <= high { newton } else { 0.5 * (low + high) };
        if (next - t).abs() <= f64::EPSILON * scale {
            let inner = next > least * (1.0 - 1e-9) && next < most * (1.0 - 1e-9);
            return (next, inner);
        }
        t = next;
    }
    (t, true)
}

/// The larger root of `a t^2 + b t + c`, for `a > 0` and a polynomial that is not positive somewhere; none otherwise.
fn upper_root(a: f64, b: f64, c: f64) -> Option<f64> {
    let root = (b * b - 4.0 * a * c).max(0.0).sqrt();
    let upper = if b > 0.0 { -2.0 * c / (b + root) } else { (root - b) / (2.0 * a) };
    (a > 0.0 && upper.is_finite()).then_some(upper)
}

fn factorise(matrix: &[f64], order: usize) -> Option<Llt<f64>> {
    let full = Mat::from_fn(order, order, |i, j| matrix[symmetric(i, j)]);
    let factor = full.llt(Side::Lower).ok()?;
    let determined = |j: usize| factor.L()[(j, j)].powi(2) > LEAST_PIVOT * full[(j, j)];
    (0..order).all(determined).then_some(factor)
}

fn solve(factor: &Llt<f64>, right: &[f64]) -> Vec<f64> {
    let solution = factor.solve(Mat::from_fn(right.len(), 1, |i, _| right[i]));
    (0..right.len()).map(|i| solution[(i, 0)]).collect()
}

/// `x' A y` of a packed symmetric matrix.
fn form(matrix: &[f64], x: &[f64], y: &[f64]) -> f64 {
    let row = |i: usize| (0..y.len()).map(|j| matrix[symmetric(i, j)] * y[j]).sum::<f64>();
    (0..x.len()).map(|i| x[i] * row(i)).sum()
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

fn doubles(values: &[crate::numeric::double_double::DoubleDouble]) -> Vec<f64> {
    values.iter().map(|value| value.to_f64()).collect()
}
