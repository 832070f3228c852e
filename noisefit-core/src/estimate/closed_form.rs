//! Gaussian noise: maximum likelihood is weighted least squares, in closed form.

use crate::Error;
use crate::algebra::LeastSquares;
use crate::algebra::absorb::Absorbed;
use crate::algebra::gram::packed;
use crate::estimate::estimated::{Covariance, ErrorSums, Estimate, EstimatedScale};
use crate::estimate::{Options, smooth};
use crate::noise::{Gaussian, Noise};
use crate::record::{ClosedForm, FTest, Fit, Reason, Reference, SmallSample, Termination, VcovKind, Warning};
use crate::rows::{Layout, RowSource};

/// The maximum likelihood fit of `y = b0 + x'b + s e`, `e` standard normal, over the rows of `source`.
///
/// With known relative precisions `w` the noise of row `i` is `s / sqrt(w[i])`, and
///
/// ```text
/// log L = -n/2 (log(2 pi s^2) + 1) + 1/2 sum(log w) + sum(log Jacobian),   s^2 = sum(w e^2) / n
/// ```
///
/// Where the rows have columns for `ln s`, mean and scale are fitted together, by Newton's method instead.
///
/// Standard errors use `sum(w e^2) / (n - rank)`, tests and intervals Student's t (Seber and Lee 2003, *Linear Regression
/// Analysis*, chapters 3 and 4).
///
/// ```
/// use noisefit_core::estimate::{Options, closed_form};
/// use noisefit_core::rows::{Matrix, MemoryRows};
///
/// let x = [1.0, 2.0, 3.0, 4.0];
/// let y = [1.0, 3.0, 2.0, 4.0];
/// let rows = MemoryRows::new(&y, Matrix::row_major(&x, 4, 1)?)?;
/// let fit = closed_form::fit(&rows, &Options::default())?;
/// assert_eq!(fit.location.rows[1].estimate, Some(0.8));
/// assert_eq!(fit.closed_form.map(|line| line.correlation), Some(0.8));
/// # Ok::<(), noisefit_core::Error>(())
/// ```
///
/// # Errors
/// [`Error::Argument`] for a level outside (0, 1), [`Error::Collinear`] where asked for, and those of
/// [`LeastSquares::solve`].
pub fn fit(source: &dyn RowSource, options: &Options) -> Result<Fit, Error> {
    options.check()?;
    let layout = source.layout();
    if layout.scale.is_some() {
        return smooth::fit(source, Gaussian, Noise::Gaussian, options);
    }
    if !layout.effects.is_empty() {
        return Ok(fit_absorbing(source, options)?.0);
    }
    of_solution(layout, LeastSquares::solve(source, options.settings)?, None, options)
}

/// The fit of rows that have effects, and what was absorbed.
///
/// # Errors
/// Those of [`fit`] and of [`Absorbed::new`].
pub(crate) fn fit_absorbing(source: &dyn RowSource, options: &Options) -> Result<(Fit, Absorbed), Error> {
    options.check()?;
    let absorbed = Absorbed::new(source)?;
    let rows = absorbed.rows(source);
    let solved = LeastSquares::solve_rounded(&rows, options.settings, absorbed.rounding())?;
    let fit = of_solution(rows.layout(), solved, Some(&absorbed), options)?;
    Ok((fit, absorbed))
}

/// What follows from the solution of least squares.
fn of_solution(
    layout: &Layout,
    solved: LeastSquares,
    absorbed: Option<&Absorbed>,
    options: &Options,
) -> Result<Fit, Error> {
    let names = layout.coefficient_names();
    options.check_collinear(&solved, &names)?;

    let n = solved.totals.observations;
    let slopes = names.len() - solved.aliased.len();
    let rank = slopes + absorbed.map_or(0, |absorbed| absorbed.rank);
    let df_residual = (n - rank as f64).max(0.0);
    let df_model = (slopes - usize::from(layout.intercept && slopes > 0)) as f64;
    let residual = solved.residual_sum_of_squares;
    let variance = (df_residual > 0.0).then(|| residual / df_residual);
    let covariance = |i: usize, j: usize| variance.map(|v| v * solved.unscaled_covariance[packed(i.max(j), i.min(j))]);
    if let Some(variance) = variance.filter(|_| residual > 0.0) {
        let determined = |j: &usize| !solved.aliased.contains(j);
        let squares = (0..names.len())
            .filter(determined)
            .map(|j| (format!("the standard error of {}", names[j]), covariance(j, j)));
        let squares = squares.chain([(format!("the residual standard error of {}", layout.response), Some(variance))]);
        // Numbers below the normal ones have few digits.
        let normal = |square: f64| (f64::MIN_POSITIVE..f64::INFINITY).contains(&square);
        for (what, square) in squares {
            if let Some(square) = square.filter(|&square| !normal(square)) {
                return Err(Error::Range { what, size: square.sqrt() });
            }
        }
    }
    let scale = (residual / n).sqrt();
    let log_likelihood = -0.5 * n * ((std::f64::consts::TAU * scale * scale).ln() + 1.0)
        + 0.5 * solved.totals.log_weight
        + solved.totals.log_jacobian;
    let estimate = Estimate {
        noise: Noise::Gaussian,
        coefficients: solved.coefficients.clone(),
        scale: EstimatedScale::Common(scale),
        shape: None,
        vertex: None,
        log_likelihood,
        noise_parameters: 1,
        errors: ErrorSums {
            weighted_squares: residual,
            squares: solved.squared_errors,
            absolute: solved.absolute_errors.unwrap_or(f64::NAN),
        },
        explained: absorbed.is_none().then(|| solved.explained_sum_of_squares / solved.total_sum_of_squares),
        covariance: Covariance::Multiple(variance),
        kind: VcovKind::CLASSICAL,
        reference: Reference::StudentT,
        accuracy: solved.accuracy.clone(),
        termination: Termination { converged: true, reason: Reason::ClosedForm, iterations: 0, duality_gap: None },
        warnings: warnings(&solved, df_residual),
    };
    let mut fit = estimate.beside(absorbed, layout, &solved, options.level);
    if let Some(absorbed) = &mut fit.absorbed {
        let (explained, total) = (solved.explained_sum_of_squares, solved.total_sum_of_squares);
        absorbed.within_r_squared = (total > 0.0).then(|| explained / total);
    }
    // They are not known where the rows were read only once.
    fit.goodness.mae = solved.absolute_errors.map(|sum| sum / n);
    if df_model > 0.0 && df_residual > 0.0 {
        fit.f_test = FTest::new(solved.explained_sum_of_squares, df_model, residual, df_residual);
    }
    fit.closed_form = closed_form(&solved, layout.intercept);
    if df_residual > 0.0 {
        // The variance counts the degrees of freedom.
        (fit.covariance.small_sample, fit.covariance.small_sample_factor) = (SmallSample::Corrected, n / df_residual);
    }
    Ok(fit)
}

fn warnings(solved: &LeastSquares, df_residual: f64) -> Vec<Warning> {
    let exact = df_residual > 0.0 && solved.residual_sum_of_squares == 0.0;
    exact.then_some(Warning::NoResiduals).into_iter().collect()
}

fn closed_form(solved: &LeastSquares, intercept: bool) -> Option<ClosedForm> {
    let &[x_mean, y_mean] = &solved.means[..] else { return None };
    let (&[Some(a), Some(slope)], true) = (&solved.coefficients[..], intercept) else { return None };
    // As far as the rung of the ladder knows them: sums of doubles alone lose them among integers beyond 2^53.
    let (x_squares, y_squares) = (1.0 / solved.unscaled_covariance[packed(1, 1)], solved.total_sum_of_squares);
    // Weighted sums of squares are brought to the scale of the observations, as sd of a weighted sample.
    let observations = solved.totals.observations;
    let sd = |squares: f64| (squares / solved.totals.weight * observations / (observations - 1.0)).sqrt();
    let (sd_x, sd_y) = (sd(x_squares), sd(y_squares));
    (observations > 1.0 && y_squares > 0.0).then(|| ClosedForm {
        mean_x: x_mean,
        mean_y: y_mean,
        sd_x,
        sd_y,
        // Rounding may carry it beyond one.
        correlation: (slope * (x_squares / y_squares).sqrt()).clamp(-1.0, 1.0),
        slope,
        intercept: a,
    })
}
