//! A quantile problem in memory, from any start to the exact vertex.

use crate::algebra::extended_lu::ExtendedLu;
use crate::estimate::vertex::exact::{ExactProblem, NoVertex, Vertex, tilted};
use crate::estimate::vertex::reduce;
use crate::estimate::vertex::reduce::{direct_rows, quantile_of_sizes};
use crate::estimate::vertex::rows::Rows;
use crate::estimate::vertex::simplex::{Problem, Unbounded, minimise};
use crate::numeric::double_double::DoubleDouble;

/// A quantile problem over rows in memory, and others in a linear term.
#[derive(Debug, Clone, Copy)]
pub(super) struct MemoryProblem<'a> {
    pub(super) rows: &'a Rows,
    pub(super) tau: f64,
    /// What rows that are not in memory add to the objective is `-linear'b`.
    pub(super) linear: &'a [DoubleDouble],
    /// A bound on the errors of `linear`.
    pub(super) linear_error: f64,
    /// The mean row of all.
    pub(super) mean: &'a [f64],
}

/// The exact optimum of a [`MemoryProblem`].
#[derive(Debug, Clone)]
pub(super) struct Solution {
    /// The vertex, with the sums over all rows in memory; its basis are rows of these.
    pub(super) vertex: Vertex,
    /// Edges walked.
    pub(super) steps: u64,
}

impl MemoryProblem<'_> {
    /// The optimum in doubles, from a start that need not be near it.
    pub(super) fn approximate(&self, start: &[f64]) -> Vec<f64> {
        let linear: Vec<f64> = self.linear.iter().map(|g| g.to_f64()).collect();
        let problem = Problem { rows: self.rows, tau: self.tau, linear: &linear };
        let found = reduce::solve(problem, start);
        let basis: Vec<usize> = found.rows.iter().flatten().copied().collect();
        // Without the small shifts that the simplex method makes in the responses.
        let through = || {
            let lu = ExtendedLu::new(basis.len(), |k, j| self.rows.at(basis[k], j))?;
            Some(lu.solve(&basis.iter().map(|&i| self.rows.response_at(i)).collect::<Vec<_>>()))
        };
        match (basis.len() == self.rows.order).then(through).flatten() {
            Some(exact) => exact.iter().map(|b| b.to_f64()).collect(),
            None => found.coefficients,
        }
    }

    /// The optimum, from a start that need not be near it.
    pub(super) fn solve(&self, start: &[f64]) -> Result<Solution, NoVertex> {
        let linear = tilted(self.rows, self.linear, self.mean);
        let problem = Problem { rows: self.rows, tau: self.tau, linear: &linear };
        let mut found = reduce::solve(problem, start);
        if found.rows.iter().any(Option::is_none) {
            let limit = 10_000 + 1000 * self.rows.order as u64;
            let steps = found.steps;
            found = minimise(problem, &found.coefficients, Unbounded::PassOver, limit);
            found.steps += steps;
        }
        let basis: Vec<usize> = found.rows.iter().flatten().copied().collect();
        if basis.len() < self.rows.order {
            return Err(NoVertex::MoreRows(found.open));
        }
        let vertex = self.exact(&found.coefficients, basis)?;
        Ok(Solution { vertex, steps: found.steps })
    }

    /// The exact optimum near `coefficients`, which pass through the rows of `basis`.
    fn exact(&self, coefficients: &[f64], mut basis: Vec<usize>) -> Result<Vertex, NoVertex> {
        let (rows, count) = (self.rows, self.rows.len());
        let mut residuals = Vec::new();
        rows.residuals(coefficients, &mut residuals);
        let mut most = direct_rows(rows.order);
        let bound = quantile_of_sizes(&residuals, most.min(count));
        let mut is_near: Vec<bool> = residuals.iter().map(|r| r.abs() <= bound).collect();
        loop {
            basis.iter().for_each(|&i| is_near[i] = true);
            let near: Vec<usize> = (0..count).filter(|&i| is_near[i]).collect();
            let far = || (0..count).filter(|&i| !is_near[i]);
            let dual = |i: usize| {
                let slope = if residuals[i] > 0.0 { self.tau.into() } else { DoubleDouble::from_sum(self.tau, -1.0) };
                slope * rows.multipliers[i]
            };
            let mut linear = self.linear.to_vec();
            for i in far() {
                let a = dual(i);
                linear.iter_mut().enumerate().for_each(|(j, g)| *g += rows.at(i, j) * a);
            }
            let subset = rows.subset(&near);
            let place = |row: &usize| near.binary_search(row).unwrap_or(0);
            let exact = ExactProblem {
                rows: &subset,
                tau: self.tau,
                linear: &linear,
                linear_error: self.linear_error,
                mean: self.mean,
            };
            match exact.solve(&basis.iter().map(place).collect::<Vec<_>>()) {
                Err(NoVertex::MoreRows(_)) if near.len() < count => {
                    most = (4 * most).min(count);
                    let bound = quantile_of_sizes(&residuals, most);
                    (0..count).for_each(|i| is_near[i] |= residuals[i].abs() <= bound);
                }
                Err(reason) => return Err(reason),
                Ok(mut vertex) => {
                    vertex.basis.iter_mut().for_each(|row| *row = near[*row]);
                    let rounded: Vec<f64> = vertex.coefficients.iter().map(|b| b.to_f64()).collect();
                    let mut now = Vec::new();
                    rows.residuals(&rounded, &mut now);
                    // Rows too near to zero for doubles to tell their sign count as wrong.
                    let clear = 1e-11 * (1.0 + rounded.iter().map(|b| b.abs()).sum::<f64>());
                    let wrong: Vec<usize> =
                        far().filter(|&i| now[i].abs() < clear || (now[i] > 0.0) != (residuals[i] > 0.0)).collect();
                    if wrong.is_empty() {
                        for i in far() {
                            let a = dual(i);
                            vertex.primal += rows.exact_residual(i, &vertex.coefficients).0 * a;
                            vertex.dual += rows.response_at(i) * a;
                        }
                        return Ok(vertex);
                    }
                    wrong.into_iter().for_each(|i| is_near[i] = true);
                    basis = vertex.basis;
                }
            }
        }
    }
}
