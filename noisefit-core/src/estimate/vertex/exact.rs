//! The last steps of a quantile fit, in double-double: the vertex, its dual certificate, whether it is the only optimum.
//!
//! Coefficients `b` are optimal if every row has a dual `a` with `a = v tau` above the fit, `a = v (tau - 1)` below,
//! anything between for rows with residual zero, and `sum a x + g = 0` (Koenker 2005, *Quantile Regression*, theorem 2.1).
//! Where more rows are zero than there are coefficients, which of them carry duals between the bounds is a small linear
//! programme of its own: the directional derivative at the vertex has to be positive in every direction.

use crate::algebra::extended_lu::ExtendedLu;
use crate::estimate::vertex::rows::Rows;
use crate::estimate::vertex::simplex::{Basis, Problem, Unbounded, minimise};
use crate::numeric::double_double::DoubleDouble;

/// Residuals of this size, relative to the largest part of their sum, are zero: data in doubles do not make smaller ones,
/// and double-double leaves less.
const ZERO: f64 = 1e-23;

/// Residuals in doubles beyond this size are told from zero by their sign.
const CLEAR: f64 = 1e-10;

/// Duals as near as this to a bound, relative to the row's multiplier, are at it.
const AT_BOUND: f64 = 1e-10;

/// How strongly the mean fitted value is preferred to be small where that costs nothing.
const TILT: f64 = 1e-5;

/// Steps after which something is wrong.
const LIMIT: usize = 1000;

fn mean_multiplier(rows: &Rows) -> f64 {
    rows.multipliers.iter().sum::<f64>() / rows.len().max(1) as f64
}

/// A linear term in doubles that prefers the least mean fitted value, as [`ExactProblem::solve`] does.
pub(super) fn tilted(rows: &Rows, linear: &[DoubleDouble], mean: &[f64]) -> Vec<f64> {
    let tilt = TILT * mean_multiplier(rows);
    linear.iter().zip(mean).map(|(g, m)| g.to_f64() - tilt * m).collect()
}

/// A quantile problem over the rows near the fit, the others in a linear term of known accuracy.
#[derive(Debug)]
pub(super) struct ExactProblem<'a> {
    pub(super) rows: &'a Rows,
    pub(super) tau: f64,
    pub(super) linear: &'a [DoubleDouble],
    /// A bound on the errors of `linear`.
    pub(super) linear_error: f64,
    /// The mean row: among several optima the one with the least fitted value there is taken.
    pub(super) mean: &'a [f64],
}

/// An optimal vertex.
#[derive(Debug, Clone)]
pub(super) struct Vertex {
    pub(super) coefficients: Vec<DoubleDouble>,
    /// The rows that it was solved from.
    pub(super) basis: Vec<usize>,
    /// Rows with residual zero.
    pub(super) zeros: usize,
    pub(super) unique: bool,
    /// `sum v rho(r)` over the rows.
    pub(super) primal: DoubleDouble,
    /// `sum a y` over the rows.
    pub(super) dual: DoubleDouble,
    /// By how much the worst dual leaves its bounds, relative to the row's multiplier; zero but for rounding.
    pub(super) infeasibility: f64,
    /// A rough condition number of the basis.
    pub(super) condition: f64,
}

/// Why there is no vertex.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum NoVertex {
    /// The rows near the fit do not bound the optimum in these directions: more are needed.
    MoreRows(Vec<Vec<f64>>),
    /// The steps did not end.
    NotConverged,
}

/// The state at one vertex.
struct Corner {
    coefficients: Vec<DoubleDouble>,
    residuals: Vec<DoubleDouble>,
    zeros: Vec<usize>,
    condition: f64,
}

impl ExactProblem<'_> {
    /// Walks from the vertex through the rows of `basis` to an optimal one.
    pub(super) fn solve(&self, basis: &[usize]) -> Result<Vertex, NoVertex> {
        let tilted = self.walk(basis, TILT)?;
        if tilted.infeasibility <= self.tolerance() {
            return Ok(tilted);
        }
        // The preference was stronger than what tells two vertices apart.
        let basis = tilted.basis;
        self.walk(&basis, 0.0)
    }

    fn tolerance(&self) -> f64 {
        AT_BOUND + self.linear_error
    }

    fn walk(&self, basis: &[usize], tilt: f64) -> Result<Vertex, NoVertex> {
        let mut basis = basis.to_vec();
        let tilt = tilt * mean_multiplier(self.rows);
        for _ in 0..LIMIT {
            let corner = self.corner(&basis).ok_or(NoVertex::NotConverged)?;
            let gradient = self.gradient(&corner);
            let local = self.local(&corner, &gradient, &|j| tilt * self.mean[j]);
            match local.ray {
                None => {
                    let basis = local.rows.iter().flatten().map(|&k| corner.zeros[k]).collect();
                    return self.certify(corner, basis, &local, gradient).ok_or(NoVertex::NotConverged);
                }
                Some((place, ref direction)) => {
                    let entering = self.next_kink(&corner, &gradient, direction, tilt);
                    let entering = entering.ok_or_else(|| NoVertex::MoreRows(vec![direction.clone()]))?;
                    let kept = local.rows.iter().enumerate().filter(|(k, _)| *k != place);
                    basis = kept.filter_map(|(_, row)| row.map(|k| corner.zeros[k])).collect();
                    basis.push(entering);
                    if basis.len() < self.rows.order {
                        return Err(NoVertex::MoreRows(local.open));
                    }
                }
            }
        }
        Err(NoVertex::NotConverged)
    }

    /// The vertex through the rows of a basis; none where they do not determine it.
    fn corner(&self, basis: &[usize]) -> Option<Corner> {
        let (rows, order) = (self.rows, self.rows.order);
        let lu = ExtendedLu::new(order, |k, j| rows.at(basis[k], j))?;
        let right: Vec<DoubleDouble> = basis.iter().map(|&i| rows.response_at(i)).collect();
        let mut coefficients = lu.solve(&right);
        let largest = coefficients.iter().fold(0.0, |largest: f64, b| largest.max(b.high.abs()));
        // What the elimination leaves of a zero.
        coefficients.iter_mut().filter(|b| b.high.abs() <= ZERO * largest).for_each(|b| *b = DoubleDouble::ZERO);
        let rounded: Vec<f64> = coefficients.iter().map(|b| b.to_f64()).collect();
        let size = rounded.iter().map(|b| b.abs()).sum::<f64>() + 1.0;
        let mut doubles = Vec::new();
        rows.residuals(&rounded, &mut doubles);
        let mut zeros = Vec::new();
        let residual = |i: usize| {
            let largest = (0..order).fold(size, |largest, j| largest.max((rows.columns[j][i] * rounded[j]).abs()));
            if doubles[i].abs() > CLEAR * largest {
                return DoubleDouble::from(doubles[i]);
            }
            let (residual, size) = rows.exact_residual(i, &coefficients);
            if residual.high.abs() <= ZERO * size { DoubleDouble::ZERO } else { residual }
        };
        let mut residuals: Vec<DoubleDouble> = (0..rows.len()).map(residual).collect();
        basis.iter().for_each(|&i| residuals[i] = DoubleDouble::ZERO);
        zeros.extend((0..rows.len()).filter(|&i| residuals[i].high == 0.0));
        Some(Corner { coefficients, residuals, zeros, condition: lu.condition() })
    }

    /// `v tau` above, `v (tau - 1)` below.
    fn dual(&self, i: usize, above: bool) -> DoubleDouble {
        let slope = if above { DoubleDouble::from(self.tau) } else { DoubleDouble::from_sum(self.tau, -1.0) };
        slope * self.rows.multipliers[i]
    }

    /// The objective's gradient at a vertex but for the rows with residual zero.
    fn gradient(&self, corner: &Corner) -> Vec<DoubleDouble> {
        let mut gradient: Vec<DoubleDouble> = self.linear.iter().map(|&g| -g).collect();
        for (i, residual) in corner.residuals.iter().enumerate().filter(|(_, residual)| residual.high != 0.0) {
            self.add(&mut gradient, i, -self.dual(i, residual.high > 0.0));
        }
        gradient
    }

    fn add(&self, gradient: &mut [DoubleDouble], i: usize, factor: DoubleDouble) {
        gradient.iter_mut().enumerate().for_each(|(j, sum)| *sum += self.rows.at(i, j) * factor);
    }

    /// The linear programme of the directional derivative: its basis holds places among the corner's zeros.
    fn local(&self, corner: &Corner, gradient: &[DoubleDouble], tilt: &dyn Fn(usize) -> f64) -> Basis {
        let mut rows = self.rows.subset(&corner.zeros);
        rows.response.fill(0.0);
        let linear: Vec<f64> = gradient.iter().enumerate().map(|(j, h)| -h.to_f64() - tilt(j)).collect();
        let problem = Problem { rows: &rows, tau: self.tau, linear: &linear };
        minimise(problem, &vec![0.0; rows.order], Unbounded::Stop, LIMIT as u64 + 20 * corner.zeros.len() as u64)
    }

    /// The row at which the objective stops falling along a direction.
    fn next_kink(&self, corner: &Corner, gradient: &[DoubleDouble], direction: &[f64], tilt: f64) -> Option<usize> {
        let rows = self.rows;
        let mut products = Vec::new();
        rows.products(direction, &mut products);
        let mut slope: f64 = direction.iter().zip(gradient).map(|(d, h)| d * h.to_f64()).sum();
        slope += tilt * direction.iter().zip(self.mean).map(|(d, m)| d * m).sum::<f64>();
        for &i in &corner.zeros {
            let s = products[i];
            slope += rows.multipliers[i] * s * if s > 0.0 { 1.0 - self.tau } else { -self.tau };
        }
        let length = direction.iter().map(|d| d * d).sum::<f64>().sqrt();
        let mut kinks: Vec<(f64, usize)> = Vec::new();
        for (i, residual) in corner.residuals.iter().enumerate() {
            let (s, r) = (products[i], residual.high);
            if r != 0.0 && s.abs() > 1e-11 * length && (s > 0.0) == (r > 0.0) {
                kinks.push((r / s, i));
            }
        }
        kinks.sort_by(|a, b| a.0.total_cmp(&b.0));
        for &(_, i) in &kinks {
            slope += rows.multipliers[i] * products[i].abs();
            if slope >= 0.0 {
                return Some(i);
            }
        }
        None
    }

    /// The certificate of a corner whose local programme ended at `basis`; none where its rows are dependent.
    fn certify(&self, corner: Corner, basis: Vec<usize>, local: &Basis, gradient: Vec<DoubleDouble>) -> Option<Vertex> {
        let rows = self.rows;
        if basis.len() < rows.order {
            return None;
        }
        let lu = ExtendedLu::new(rows.order, |k, j| rows.at(basis[k], j))?;
        let (mut balance, mut dual, mut primal) = (gradient.clone(), DoubleDouble::ZERO, DoubleDouble::ZERO);
        for (k, &i) in corner.zeros.iter().enumerate().filter(|(_, i)| !basis.contains(i)) {
            let a = self.dual(i, local.above[k]);
            self.add(&mut balance, i, -a);
            dual += rows.response_at(i) * a;
        }
        for (i, &residual) in corner.residuals.iter().enumerate().filter(|(_, residual)| residual.high != 0.0) {
            let a = self.dual(i, residual.high > 0.0);
            let exact = if residual.low == 0.0 { rows.exact_residual(i, &corner.coefficients).0 } else { residual };
            dual += rows.response_at(i) * a;
            primal += exact * a;
        }
        let (mut infeasibility, mut inside) = (0.0, f64::INFINITY);
        for (&i, a) in basis.iter().zip(lu.solve_transposed(&balance)) {
            let v = rows.multipliers[i];
            let room = (a - self.dual(i, false)).to_f64().min((self.dual(i, true) - a).to_f64()) / v;
            infeasibility = f64::max(infeasibility, -room);
            inside = inside.min(room);
            dual += rows.response_at(i) * a;
        }
        let unique = inside > self.tolerance() || (corner.zeros.len() > rows.order && self.is_only(&corner, &gradient));
        Some(Vertex {
            coefficients: corner.coefficients,
            zeros: corner.zeros.len(),
            basis,
            unique,
            primal,
            dual,
            infeasibility: infeasibility.max(0.0),
            condition: corner.condition,
        })
    }

    /// Whether the directional derivative at a corner with many zeros stays positive when tilted either way.
    fn is_only(&self, corner: &Corner, gradient: &[DoubleDouble]) -> bool {
        let mean = mean_multiplier(self.rows);
        // Numbers in no simple relation to one another.
        let direction = |j: usize| TILT * mean * (1.0 + 0.618_033_988_75 * (j as f64 + 0.5)).fract().mul_add(2.0, 0.5);
        [1.0, -1.0].iter().all(|sign| self.local(corner, gradient, &|j| sign * direction(j)).ray.is_none())
    }
}
