//! A quantile problem in memory brought down to a few rows: a random sample says where the fit will pass, rows far from
//! there keep their sign and become a linear term (Portnoy and Koenker 1997, *Statistical Science* 12, 279-300), and what
//! is left is small. Of many columns an interior point leads near the fit instead.

use crate::estimate::vertex::interior;
use crate::estimate::vertex::rows::Rows;
use crate::estimate::vertex::simplex::{Basis, Problem, Unbounded, minimise};
use crate::rows::scattered_share;

/// How many standard errors of a sample's fit from it a row may lie and still be taken to be able to change its sign.
pub(super) const BAND: f64 = 4.5;

/// Rows for each coefficient, of those nearest to what an interior point leads to, among which the vertex is looked for.
const ROWS_BESIDE: usize = 4;

/// Problems of at most this many rows are solved as they are.
pub(super) fn direct_rows(order: usize) -> usize {
    (50 * order).max(600)
}

/// The share of rows within [`BAND`] standard errors of the fit of a sample of `sample` rows, whatever the noise: the
/// errors of a sample quantile are in proportion to the inverse of the density there.
pub(super) fn band_share(tau: f64, order: usize, sample: usize) -> f64 {
    2.0 * BAND * (tau * (1.0 - tau) * order as f64 / sample.max(1) as f64).sqrt()
}

/// The minimum over `problem`'s rows, to the digits of doubles, from a `start` that need not be near it.
pub(super) fn solve(problem: Problem<'_>, start: &[f64]) -> Basis {
    let Problem { rows, tau, linear } = problem;
    let (count, direct) = (rows.len(), direct_rows(rows.order));
    let beside = ROWS_BESIDE * rows.order;
    if rows.order >= interior::WIDE
        && count > beside
        && let Some(coefficients) = interior::approach(problem, start)
    {
        return close_in(problem, coefficients, beside as f64 / count as f64, beside);
    }
    let limit = edges(rows.order);
    if count <= 2 * direct {
        return minimise(problem, start, Unbounded::PassOver, limit);
    }
    let size = ((count as f64).powf(2.0 / 3.0) * (rows.order as f64).sqrt()) as usize;
    let size = size.clamp(direct, count / 2);
    let step = count as f64 / size as f64;
    let places: Vec<usize> = (0..size).map(|k| ((k as f64 + scattered_share(0, k as u64)) * step) as usize).collect();
    let sample = rows.subset_in_doubles(&places);
    let share = size as f64 / count as f64;
    let linear_share: Vec<f64> = linear.iter().map(|g| g * share).collect();
    let coefficients = solve(Problem { rows: &sample, tau, linear: &linear_share }, start).coefficients;
    close_in(problem, coefficients, band_share(tau, rows.order, size), direct)
}

/// The most edges that are walked.
fn edges(order: usize) -> u64 {
    1000 + 100 * order as u64
}

/// The minimum from `coefficients` near it, on the share of the rows that lie nearest to them, but at least so many, and ever more until
/// none of the others changes its sign.
fn close_in(problem: Problem<'_>, mut coefficients: Vec<f64>, mut inside_share: f64, least: usize) -> Basis {
    let rows = problem.rows;
    let count = rows.len();
    let mut residuals = Vec::new();
    let mut steps = 0;
    loop {
        rows.residuals(&coefficients, &mut residuals);
        let most = ((inside_share * count as f64) as usize).max(least).min(count);
        let bound = quantile_of_sizes(&residuals, most);
        let near: Vec<usize> = (0..count).filter(|&i| residuals[i].abs() <= bound).collect();
        if near.len() * 10 > count * 9 {
            return minimise(problem, &coefficients, Unbounded::PassOver, edges(rows.order));
        }
        let basis = on_subset(problem, &near, &residuals, &coefficients);
        steps += basis.steps;
        // Rows that were taken to keep their sign and did not.
        let above: Vec<bool> = residuals.iter().map(|&r| r > 0.0).collect();
        rows.residuals(&basis.coefficients, &mut residuals);
        let mut next = near.iter().copied().peekable();
        let wrong = (0..count).any(|i| {
            if next.peek() == Some(&i) {
                next.next();
                return false;
            }
            (residuals[i] > 0.0) != above[i]
        });
        if !wrong {
            return Basis { steps, ..basis };
        }
        coefficients = basis.coefficients;
        inside_share *= 1.5;
    }
}

/// The problem's minimum with only the rows at `near` able to change their sign; others keep that of `residuals`.
pub(super) fn on_subset(problem: Problem<'_>, near: &[usize], residuals: &[f64], start: &[f64]) -> Basis {
    let Problem { rows, tau, linear } = problem;
    let linear = with_far_rows(rows, tau, linear, near, residuals);
    let subset = rows.subset_in_doubles(near);
    let basis = solve(Problem { rows: &subset, tau, linear: &linear }, start);
    let mut above: Vec<bool> = residuals.iter().map(|&r| r > 0.0).collect();
    near.iter().zip(&basis.above).for_each(|(&i, &side)| above[i] = side);
    Basis { rows: basis.rows.iter().map(|row| row.map(|i| near[i])).collect(), above, ..basis }
}

/// The linear term with all rows but those at `near` in it.
pub(super) fn with_far_rows(rows: &Rows, tau: f64, linear: &[f64], near: &[usize], residuals: &[f64]) -> Vec<f64> {
    let mut factors: Vec<f64> =
        residuals.iter().zip(&rows.multipliers).map(|(&r, v)| v * if r > 0.0 { tau } else { tau - 1.0 }).collect();
    near.iter().for_each(|&i| factors[i] = 0.0);
    rows.combination(&factors).iter().zip(linear).map(|(sum, g)| sum + g).collect()
}

/// The `count`-th smallest size.
pub(super) fn quantile_of_sizes(residuals: &[f64], count: usize) -> f64 {
    let mut sizes: Vec<f64> = residuals.iter().map(|r| r.abs()).collect();
    if sizes.is_empty() {
        return 0.0;
    }
    let place = count.clamp(1, sizes.len()) - 1;
    *sizes.select_nth_unstable_by(place, f64::total_cmp).1
}
