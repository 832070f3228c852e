//! An interior point on the way to a quantile's vertex, for problems of many columns, where walking from edge to edge takes
//! too long: Mehrotra's predictor and corrector for the dual with bounds (Portnoy and Koenker 1997, *Statistical Science* 12,
//! 279-300; Mehrotra 1992, *SIAM Journal on Optimization* 2, 575-601).
//!
//! With `u_i` in `[0, v_i]` what row `i` has of its loss's slope, from `v (tau - 1)` up, the dual is: maximise `y'u` over
//! `X'u = (1 - tau) X'v - g`. A step solves weighted least squares, whose cost does not depend on how many rows change sides;
//! some twenty steps lead within rounding of the vertex at any size.

use faer::linalg::matmul::triangular::{BlockStructure, matmul};
use faer::linalg::solvers::{Llt, Solve};
use faer::{Accum, Mat, MatRef, Par, Side};

use crate::estimate::vertex::simplex::Problem;

/// Problems of fewer coefficients are solved sooner by the simplex method.
pub(super) const WIDE: usize = 40;

/// Steps after which the problem has no bound, or rounding leaves nothing to gain.
const STEPS: usize = 60;

/// How far towards a bound a step may go.
const SHORT_OF_BOUND: f64 = 0.9995;

/// The gap between the objectives of primal and dual, relative to these, that is small enough for the rows of the vertex to stand out.
const GAP: f64 = 1e-10;

/// Rows whose part of the Gram matrix is summed at a time.
const STRIP: usize = 256;

/// A place between the bounds, and its prices.
struct Interior<'a> {
    problem: Problem<'a>,
    coefficients: Vec<f64>,
    /// `u`, and `v - u`.
    below: Vec<f64>,
    above: Vec<f64>,
    /// The prices of the bounds: `x'b - y` and `y - x'b` where these are positive, and a little more.
    price_below: Vec<f64>,
    price_above: Vec<f64>,
    /// What is missing from `X'u`.
    missing: Vec<f64>,
    residuals: Vec<f64>,
}

/// A step of all of it.
struct Step {
    coefficients: Vec<f64>,
    below: Vec<f64>,
    price_below: Vec<f64>,
    price_above: Vec<f64>,
}

/// Coefficients near the minimum from a `start` that need not be; none where the problem has no bound, or the rows do not determine
/// them.
pub(super) fn approach(problem: Problem<'_>, start: &[f64]) -> Option<Vec<f64>> {
    let mut interior = Interior::new(problem, start);
    let mut least = f64::INFINITY;
    for _ in 0..STEPS {
        let gap = interior.gap();
        if gap <= GAP && interior.infeasibility() <= GAP {
            return Some(interior.coefficients);
        }
        // Where rounding takes over, what was reached is as near as it gets.
        if gap > 1e3 * least || !gap.is_finite() {
            return None;
        }
        least = least.min(gap);
        interior.step()?;
    }
    (interior.gap() <= GAP.sqrt() && interior.infeasibility() <= GAP.sqrt()).then_some(interior.coefficients)
}

impl<'a> Interior<'a> {
    fn new(problem: Problem<'a>, start: &[f64]) -> Self {
        let rows = problem.rows;
        let mut residuals = Vec::new();
        rows.residuals(start, &mut residuals);
        let size = residuals.iter().map(|r| r.abs()).sum::<f64>() / residuals.len().max(1) as f64;
        let least = if size > 0.0 { 0.1 * size } else { 1.0 };
        let tau = problem.tau;
        let mut interior = Interior {
            problem,
            coefficients: start.to_vec(),
            below: rows.multipliers.iter().map(|v| v * (1.0 - tau)).collect(),
            above: rows.multipliers.iter().map(|v| v * tau).collect(),
            price_below: residuals.iter().map(|r| (-r).max(0.0) + least).collect(),
            price_above: residuals.iter().map(|r| r.max(0.0) + least).collect(),
            missing: Vec::new(),
            residuals,
        };
        interior.find_missing();
        interior
    }

    /// `(1 - tau) X'v - g - X'u`.
    fn find_missing(&mut self) {
        let Problem { rows, tau, linear } = self.problem;
        let rest: Vec<f64> = rows.multipliers.iter().zip(&self.below).map(|(v, u)| (1.0 - tau) * v - u).collect();
        self.missing = rows.combination(&rest).iter().zip(linear).map(|(sum, g)| sum - g).collect();
    }

    fn complementarity(&self) -> f64 {
        let below = self.below.iter().zip(&self.price_below);
        below.chain(self.above.iter().zip(&self.price_above)).map(|(u, z)| u * z).sum()
    }

    /// The complementarity relative to the objective.
    fn gap(&self) -> f64 {
        let Problem { rows, tau, .. } = self.problem;
        let loss = |(r, v): (&f64, &f64)| v * if *r > 0.0 { tau * r } else { (tau - 1.0) * r };
        let objective: f64 = self.residuals.iter().zip(&rows.multipliers).map(loss).sum();
        self.complementarity() / (objective + f64::MIN_POSITIVE)
    }

    /// What is missing relative to what there is.
    fn infeasibility(&self) -> f64 {
        let total: f64 = self.problem.rows.multipliers.iter().sum();
        self.missing.iter().fold(0.0, |most: f64, m| most.max(m.abs())) / (total + f64::MIN_POSITIVE)
    }

    /// One step of predictor and corrector; none where the weighted rows do not determine it.
    fn step(&mut self) -> Option<()> {
        let count = self.below.len();
        let weights: Vec<f64> = (0..count)
            .map(|i| 1.0 / (self.price_below[i] / self.below[i] + self.price_above[i] / self.above[i]))
            .collect();
        let factor = self.gram(&weights).llt(Side::Lower).ok()?;
        let towards_bounds = self.towards(&factor, &weights, |_| (0.0, 0.0));
        let (primal, dual) = self.lengths(&towards_bounds);
        let after: f64 = (0..count)
            .map(|i| {
                let du = primal * towards_bounds.below[i];
                (self.below[i] + du) * (self.price_below[i] + dual * towards_bounds.price_below[i])
                    + (self.above[i] - du) * (self.price_above[i] + dual * towards_bounds.price_above[i])
            })
            .sum();
        let before = self.complementarity();
        let centring = (after / before).powi(3) * before / (2 * count) as f64;
        let Step { below: du, price_below: dz, price_above: dw, .. } = &towards_bounds;
        let step = self.towards(&factor, &weights, |i| (centring - du[i] * dz[i], centring + du[i] * dw[i]));
        let (primal, dual) = self.lengths(&step);
        for i in 0..count {
            let du = primal * step.below[i];
            self.below[i] += du;
            self.above[i] -= du;
            self.price_below[i] += dual * step.price_below[i];
            self.price_above[i] += dual * step.price_above[i];
        }
        self.coefficients.iter_mut().zip(&step.coefficients).for_each(|(b, d)| *b += dual * d);
        let mut residuals = std::mem::take(&mut self.residuals);
        self.problem.rows.residuals(&self.coefficients, &mut residuals);
        self.residuals = residuals;
        self.find_missing();
        self.coefficients.iter().all(|b| b.is_finite()).then_some(())
    }

    /// The step to where the products of distances and prices are `targets(i)`, below and above.
    fn towards(&self, factor: &Llt<f64>, weights: &[f64], targets: impl Fn(usize) -> (f64, f64)) -> Step {
        let rows = self.problem.rows;
        let right: Vec<f64> = (0..weights.len())
            .map(|i| {
                let (below, above) = targets(i);
                // The prices' difference is the residual, but for rounding.
                self.residuals[i] + below / self.below[i] - above / self.above[i]
            })
            .collect();
        let weighted: Vec<f64> = right.iter().zip(weights).map(|(r, w)| r * w).collect();
        let gradient = rows.combination(&weighted);
        let side = Mat::from_fn(rows.order, 1, |j, _| gradient[j] - self.missing[j]);
        let solved = factor.solve(&side);
        let coefficients: Vec<f64> = (0..rows.order).map(|j| solved[(j, 0)]).collect();
        let mut fitted = Vec::new();
        rows.products(&coefficients, &mut fitted);
        let below: Vec<f64> = (0..weights.len()).map(|i| weights[i] * (right[i] - fitted[i])).collect();
        let price = |target: f64, distance: f64, price: f64, moved: f64| (target - price * moved) / distance - price;
        let price_below =
            (0..weights.len()).map(|i| price(targets(i).0, self.below[i], self.price_below[i], below[i])).collect();
        let price_above =
            (0..weights.len()).map(|i| price(targets(i).1, self.above[i], self.price_above[i], -below[i])).collect();
        Step { coefficients, below, price_below, price_above }
    }

    /// How far the step may go before a distance, and before a price, is none.
    fn lengths(&self, step: &Step) -> (f64, f64) {
        let until = |values: &[f64], moves: &[f64], sign: f64| {
            let ratio = |(value, moved): (&f64, &f64)| {
                let moved = sign * moved;
                if moved < 0.0 { -value / moved } else { f64::INFINITY }
            };
            values.iter().zip(moves).map(ratio).fold(f64::INFINITY, f64::min)
        };
        let primal = until(&self.below, &step.below, 1.0).min(until(&self.above, &step.below, -1.0));
        let dual =
            until(&self.price_below, &step.price_below, 1.0).min(until(&self.price_above, &step.price_above, 1.0));
        let short = |length: f64| (SHORT_OF_BOUND * length).min(1.0);
        (short(primal), short(dual))
    }

    /// The lower triangle of `X'WX`.
    fn gram(&self, weights: &[f64]) -> Mat<f64> {
        let rows = self.problem.rows;
        let (count, order) = (rows.len(), rows.order);
        let roots: Vec<f64> = weights.iter().map(|w| w.sqrt()).collect();
        let mut gram = Mat::zeros(order, order);
        let mut strip = vec![0.0; STRIP * order];
        for start in (0..count).step_by(STRIP) {
            let length = STRIP.min(count - start);
            for (column, into) in rows.columns.iter().zip(strip.chunks_exact_mut(length)) {
                let (column, roots) = (&column[start..start + length], &roots[start..start + length]);
                for ((to, x), root) in into.iter_mut().zip(column).zip(roots) {
                    *to = x * root;
                }
            }
            let scaled = MatRef::from_column_major_slice(&strip[..length * order], length, order);
            let (lower, full) = (BlockStructure::TriangularLower, BlockStructure::Rectangular);
            matmul(gram.as_mut(), lower, Accum::Add, scaled.transpose(), full, scaled, full, 1.0, Par::Seq);
        }
        gram
    }
}
