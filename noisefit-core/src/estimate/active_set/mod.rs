//! Huber's noise: least squares in the middle, least absolute deviations beyond the knee.
//!
//! With the rows inside and outside the knee known, the estimating equations are linear in the coefficients and at most
//! quadratic in the scale, so that one pass over the rows gives their solution; see [`step`]. The search steps from solution
//! to solution until no row changes sides, which is the exact estimate and not only near it. With many rows it begins on a
//! sample of them.

mod scale;
mod search;
mod sets;
mod solver;
mod step;
mod window;

use crate::Error;
use crate::algebra::gram::packed;
use crate::algebra::{Accuracy, Method};
use crate::estimate::Options;
use crate::estimate::estimated::{Covariance, ErrorSums, Estimate, EstimatedScale};
use crate::estimate::start::Start;
use crate::noise::{Huber, HuberScale, Noise, NoiseFamily, Parameters};
use crate::record::{Fit, Reason, Reference, Shortfall, Termination, VcovKind, Warning};
use crate::rows::{Kinds, Layout, RowSource};
use scale::{FARTHEST_KNEE, MostLikely, expected_clipped_square};
use sets::Sets;
use solver::{Solution, Solver, power_of_two_near};
use step::{Point, Problem, Rule};
use window::WINDOW_ROWS;

/// In coordinates, where the response is of size one, no residual is larger whose square is a number.
const FARTHEST_DELTA: f64 = 1e150;

/// In coordinates, too: with a smaller knee, its square is lost.
const LEAST_DELTA: f64 = 1e-150;

/// The fit of `y = b0 + x'b + s R`, with Huber's least favourable noise `R` of knee `k`, and its scale estimated as
/// `scale` says.
///
/// The coefficients solve `sum(f sqrt(w) psi(r) x) = 0` with `r = sqrt(w) (y - b0 - x'b) / s` and `psi` the residual
/// clipped at `k` (Huber 1964, *Annals of Mathematical Statistics* 35, 73-101; 1981, *Robust Statistics*, chapter 7);
/// together with the scale's equation
///
/// - maximum likelihood: `sum(f r psi(r)) = n`;
/// - median: `median |s r| = constant s`, with rows counted by their frequencies: the converged fit of `MASS::rlm`, whose
///   constant is 0.6745, and of statsmodels' `RLM`;
/// - proposal 2: `sum(f min(r^2, k^2)) = (n - rank) E[min(Z^2, k^2)]`, `Z` standard normal: `scale.est = "proposal 2"` in
///   `MASS::rlm`.
///
/// The log-likelihood is the complete one of the least favourable density at the estimates. Standard errors after maximum
/// likelihood are those of its expected information, the others Huber's (1981, (6.5) with the factor K of (6.8)), as
/// `summary.rlm` gives them.
///
/// ```
/// use noisefit_core::estimate::{Options, active_set};
/// use noisefit_core::noise::HuberScale;
/// use noisefit_core::rows::{Matrix, MemoryRows};
///
/// // On the line 1 + 2 x but for small errors, and one large one.
/// let x = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0];
/// let y = [3.1, 4.9, 7.1, 8.9, 11.1, 12.9, 15.1, 60.0];
/// let rows = MemoryRows::new(&y, Matrix::row_major(&x, 8, 1)?)?;
/// let fit = active_set::fit(&rows, 1.345, HuberScale::Proposal2, &Options::default())?;
/// assert!((fit.location.rows[1].estimate.unwrap_or(0.0) - 2.0).abs() < 0.3);
/// # Ok::<(), noisefit_core::Error>(())
/// ```
///
/// # Errors
/// [`Error::Argument`] for a `k` or a constant that is not positive, [`Error::Unsupported`] where the scale is zero because
/// too many residuals are, and those of [`LeastSquares::solve`](super::LeastSquares::solve).
pub fn fit(source: &dyn RowSource, k: f64, scale: HuberScale, options: &Options) -> Result<Fit, Error> {
    let noise = Huber { scale, ..Huber::new(k) };
    noise.check()?;
    let start = Start::new(source, options, WINDOW_ROWS)?;
    let rank = start.coordinates.coefficients() as f64;
    let problem = |observations: f64, _: f64| Problem {
        k,
        rule: match scale {
            HuberScale::MaximumLikelihood => Rule::MaximumLikelihood,
            HuberScale::Mad { constant } => Rule::Median { constant },
            HuberScale::Proposal2 => Rule::Proposal2 { expected: (observations - rank) * expected_clipped_square(k) },
        },
    };
    if start.least_squares.residual_sum_of_squares == 0.0 {
        return Ok(exact_fit(source, &start, noise, options));
    }
    let solution = solve(source, &start, problem)?;
    let found = Found { start: &start, solution: &solution, noise, scale: solution.point.scale };
    let (covariance, kind) = match scale {
        HuberScale::MaximumLikelihood => (found.information_variance(), VcovKind::CLASSICAL),
        _ => (found.robust_variance(), VcovKind::HUBER),
    };
    let estimate = found.estimate(source.layout(), covariance, kind)?;
    Ok(estimate.into_fit(source.layout(), &start.least_squares, options.level))
}

/// The fit under Huber's noise whose tails begin at `delta`, in units of the response: the coefficients minimise the mean of
/// the loss
///
/// ```text
/// e^2 / 2                     where |e| <= delta
/// delta (|e| - delta / 2)     elsewhere
/// ```
///
/// which is PyTorch's `HuberLoss(delta)`, and stands in [`Goodness::mean_loss`](crate::record::Goodness::mean_loss); weights and frequencies count as they do
/// otherwise. The scale then follows from maximum likelihood, and is not free of `delta`: the noise is Huber's with
/// `k = delta / s`. Standard errors are those of its expected information.
///
/// # Errors
/// [`Error::Argument`] for a `delta` that is not positive, and those of [`fit`].
pub fn fit_fixed(source: &dyn RowSource, delta: f64, options: &Options) -> Result<Fit, Error> {
    Huber::fixed(delta).check()?;
    let start = Start::new(source, options, WINDOW_ROWS)?;
    let (layout, solved) = (source.layout(), &start.least_squares);
    let scaled_delta = delta * start.coordinates.response_scale();
    if scaled_delta < LEAST_DELTA {
        return Err(Error::Argument {
            name: "delta",
            value: delta,
            expected: "at least 1e-150 deviations of the response",
        });
    }
    if solved.residual_sum_of_squares == 0.0 {
        let noise = Huber::fixed(delta).at(FARTHEST_KNEE);
        let mut fit = exact_fit(source, &start, noise, options);
        fit.goodness.mean_loss = Some(0.0);
        return Ok(fit);
    }
    // The scale that is given to the search is no more than the unit of its steps.
    let knee = scaled_delta.min(FARTHEST_DELTA);
    let solution = solve(source, &start, |_, unit| Problem { k: knee / unit, rule: Rule::Fixed })?;
    let sets = &solution.sets;
    let mean_loss = sets.loss() / sets.totals().observations;
    let MostLikely { k, scale } = MostLikely::new(mean_loss, scaled_delta);
    let found = Found { start: &start, solution: &solution, noise: Huber::fixed(delta).at(k), scale };
    let estimate = found.estimate(layout, found.information_variance(), VcovKind::CLASSICAL)?;
    let mut fit = estimate.into_fit(layout, solved, options.level);
    let unit = start.coordinates.response_scale();
    fit.goodness.mean_loss = Some(mean_loss / unit / unit);
    Ok(fit)
}

/// Solves the problem on the sample and then, from there, on all rows. `problem` is told the number of observations, and
/// a unit near the scale of the residuals.
fn solve(source: &dyn RowSource, start: &Start, problem: impl Fn(f64, f64) -> Problem) -> Result<Solution, Error> {
    let (coordinates, totals) = (&start.coordinates, &start.least_squares.totals);
    let sample = start.sample.source()?;
    // At least squares, with everything inside.
    let least_squares = Point { coefficients: start.in_coordinates(), scale: 1.0 };
    let everything = Problem { k: f64::INFINITY, rule: Rule::Fixed };
    let solver = Solver { source: &sample, coordinates, problem: everything, metric: Vec::new() };
    let all = solver.pass(&least_squares, Some((0.0, f64::INFINITY)))?;
    if !all.determine_coefficients()
        && let Some(error) = start.nearly_collinear()
    {
        return Err(error);
    }
    let metric = metric(&all);
    let deviation = (start.least_squares.residual_sum_of_squares / totals.weight).sqrt() * coordinates.response_scale();
    let typical = Some(all.median_size() / Huber::NORMAL_QUARTILE).filter(|size| *size > 0.0);
    let unit = power_of_two_near(typical.unwrap_or(deviation));

    let observations = all.totals().observations;
    let (mut point, mut density, mut passes) = (Point { scale: unit, ..least_squares }, None, 0);
    let whole = start.sample.len() as u64 == totals.rows;
    let share = totals.observations / observations;
    let solver = Solver { source: &sample, coordinates, problem: problem(observations, unit), metric };
    match solver.descend(point.clone()) {
        Ok(solution) => {
            passes = solution.passes;
            if !whole {
                let found = solution.sets.density_at_median();
                density = Some(found.unwrap_or(observations / solution.point.scale) * share);
            }
            point = solution.point;
        }
        // A sample may be fitted exactly where the data are not.
        Err(_) if !whole => density = Some(totals.observations / unit),
        Err(error) => return Err(error),
    }
    let metric = solver.metric.into_iter().map(|product| product * share).collect();
    let problem = problem(totals.observations, unit);
    let mut solution = Solver { source: &start.source(source), coordinates, problem, metric }.solve(point, density)?;
    solution.passes += passes;
    Ok(solution)
}

/// The products of all columns, made positive definite.
fn metric(all: &Sets) -> Vec<f64> {
    let mut metric: Vec<f64> = all.gram().iter().map(|product| product.to_f64()).collect();
    (0..all.outer().len()).for_each(|j| metric[packed(j, j)] += 1e-8 * all.totals().weight);
    metric
}

/// What a solution says about the noise and the coefficients.
struct Found<'a> {
    start: &'a Start,
    solution: &'a Solution,
    noise: Huber,
    /// In the response's unit of the coordinates.
    scale: f64,
}

impl Found<'_> {
    fn estimate(&self, layout: &Layout, variance: Option<f64>, kind: VcovKind) -> Result<Estimate, Error> {
        let Found { start, solution, noise, scale } = *self;
        let (coordinates, sets) = (&start.coordinates, &solution.sets);
        let unit = coordinates.response_scale();
        let in_range = |square: f64| (f64::MIN_POSITIVE..f64::INFINITY).contains(&square);
        if !in_range((scale / unit).powi(2)) || variance.is_some_and(|variance| !in_range(variance)) {
            return Err(Error::Range { what: format!("the noise scale of {}", layout.response), size: scale / unit });
        }
        let coefficients =
            start.coordinates.carry_back_all(&solution.point.coefficients, start.coordinates.response_shift());
        let (totals, sums) = (sets.totals(), sets.sums());
        let constant = noise.negative_log_density(0.0) + scale.ln() - unit.ln();
        let log_likelihood =
            0.5 * totals.log_weight + totals.log_jacobian - self.loss_at_scale() - totals.observations * constant;
        let mut warnings = Vec::new();
        if !solution.converged {
            let (passes, step) = (solution.passes, solution.step.change() / solution.point.scale);
            warnings.push(Warning::NotConverged(Shortfall::Passes { passes, step }));
        }
        if !solution.step.determined {
            warnings.push(Warning::FewWithinKnee);
        }
        Ok(Estimate {
            noise: Noise::Huber(noise),
            accuracy: self.accuracy(&coefficients),
            coefficients: start.widened(&coefficients),
            scale: EstimatedScale::Common(scale / unit),
            shape: None,
            vertex: None,
            log_likelihood,
            noise_parameters: 1,
            errors: ErrorSums {
                weighted_squares: sums.weighted_squares.to_f64() / unit / unit,
                squares: sums.squares.to_f64() / unit / unit,
                absolute: sums.absolute.to_f64() / unit,
            },
            explained: None,
            covariance: Covariance::Multiple(variance),
            kind,
            reference: Reference::Normal,
            termination: Termination {
                converged: solution.converged,
                reason: if solution.converged { Reason::ActiveSet } else { Reason::IterationLimit },
                iterations: solution.passes,
                duality_gap: None,
            },
            warnings,
        })
    }

    /// `sum f rho(r)`.
    fn loss_at_scale(&self) -> f64 {
        self.solution.sets.loss() / (self.scale * self.scale)
    }

    /// The variance of the response's noise that the expected information amounts to.
    fn information_variance(&self) -> Option<f64> {
        let scale = self.scale / self.start.coordinates.response_scale();
        Some(scale * scale / self.noise.information().location)
    }

    /// The same for Huber's estimate of the covariance, `K^2 [sum psi^2 / (n - p)] / [mean psi']^2 (X' V X)^-1`.
    fn robust_variance(&self) -> Option<f64> {
        let (sets, knee) = (&self.solution.sets, self.noise.k() * self.scale);
        let (n, p) = (sets.totals().observations, self.start.coordinates.coefficients() as f64);
        let squares = sets.sums().squares_inside.to_f64() + knee * knee * sets.count_outside();
        let mean = sets.sums().count_inside.to_f64() / n;
        let variance = mean * (1.0 - mean) * n / (n - 1.0);
        let correction = (1.0 + p * variance / (n * mean * mean)) / mean;
        let unit = self.start.coordinates.response_scale();
        Some(squares / (n - p) * correction * correction / unit / unit).filter(|variance| variance.is_finite())
    }

    /// The digits that rounding and the last step leave of the worst coefficient. The rounding of residuals reaches the
    /// coefficients as noise does; rows with the same numbers round alike, so that no more than a thousand count.
    fn accuracy(&self, coefficients: &[f64]) -> Accuracy {
        let Found { start, solution, scale, .. } = self;
        let (solved, coordinates) = (&start.least_squares, &start.coordinates);
        let unit = coordinates.response_scale();
        let observations = solved.totals.observations;
        let rounding = solution.rounding * (observations / 1000.0).max(1.0).sqrt() / unit;
        let variances = (0..solved.coefficients.len()).filter(|j| !solved.aliased.contains(j));
        let variances = variances.map(|j| solved.unscaled_covariance[packed(j, j)]);
        let digits = variances.zip(coefficients).enumerate().map(|(j, (variance, value))| {
            let last = coordinates.carry_back_bound(j, |k| solution.step.coefficients[k].abs());
            let error = variance.sqrt() * rounding + last + 0.5 * f64::EPSILON * value.abs();
            let size = if value.abs() > 10.0 * error { value.abs() } else { variance.sqrt() * scale / unit };
            -(error / size).log10()
        });
        let most = -(0.5 * f64::EPSILON).log10();
        let digits = digits.fold(most, f64::min).max(0.0);
        Accuracy { digits, method: Method::Newton, condition: solved.accuracy.condition }
    }
}

/// The record where least squares leaves no residuals, and so would any other loss.
fn exact_fit(source: &dyn RowSource, start: &Start, noise: Huber, options: &Options) -> Fit {
    let solved = &start.least_squares;
    let estimate = Estimate::without_residuals(Noise::Huber(noise), solved);
    estimate.into_fit(source.layout(), solved, options.level)
}

/// The passes of this module.
pub(super) fn kinds() -> Kinds {
    Kinds::default().with::<Sets>()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rows::{Matrix, MemoryRows};

    #[test]
    fn a_search_that_was_given_up_says_so() {
        let (x, y) = ([1.0, 2.0, 3.0, 4.0, 5.0], [1.0, 2.5, 2.0, 4.5, 4.0]);
        let rows = MemoryRows::new(&y, Matrix::row_major(&x, 5, 1).unwrap()).unwrap();
        let start = Start::new(&rows, &Options::default(), WINDOW_ROWS).unwrap();
        let problem = Problem { k: 1.345, rule: Rule::MaximumLikelihood };
        let mut solution = solve(&rows, &start, |_, _| problem).unwrap();
        let estimate = |solution: &Solution| {
            let noise = Huber::new(1.345);
            let found = Found { start: &start, solution, noise, scale: solution.point.scale };
            found.estimate(rows.layout(), None, VcovKind::CLASSICAL).unwrap()
        };
        assert_eq!(estimate(&solution).termination.reason, Reason::ActiveSet);
        assert!(estimate(&solution).warnings.is_empty());
        solution.converged = false;
        let stopped = estimate(&solution);
        assert_eq!((stopped.termination.converged, stopped.termination.reason), (false, Reason::IterationLimit));
        assert!(
            matches!(stopped.warnings[..], [Warning::NotConverged(Shortfall::Passes { .. })]),
            "{:?}",
            stopped.warnings
        );
    }
}
