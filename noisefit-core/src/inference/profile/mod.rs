//! The likelihood along one coefficient: its curve, and the interval of values that a likelihood ratio test does not reject.
//!
//! The profile of the log-likelihood at a value of a coefficient is its maximum over all other parameters. It is found by
//! fitting the rest to the response less the value times the term, under the same noise: nothing needs to be known of a
//! family but how it is fitted.

mod along;
mod interval;
mod moved;
mod rest;

pub use along::{Curve, CurvePoint, curve, term_interval};

use crate::Error;
use crate::estimate::{Options, closed_form};
use crate::inference::covariance::Vcov;
use crate::inference::small_sample;
use crate::noise::{Huber, HuberScale, Noise};
use crate::numeric::Level;
use crate::record::{Confint, Fit, VcovKind, Warning};
use crate::rows::{Kinds, RowSource};
use interval::Ends;
use rest::refit;

/// Replaces the confidence intervals of a fit's coefficients by those of the profile likelihood, at the fit's own level.
///
/// A value `b` is inside where `2 (log L - log L_p(b)) <= c^2`, with `L_p` the likelihood at its maximum over everything else
/// and `c` the normal quantile of the level (Venzon and Moolgavkar 1988, *Applied Statistics* 37, 87-94), or, where the fit's
/// small sample is allowed for, `c^2 = n ln(1 + t^2 / (n - p))` with Student's quantile `t`. The interval need not be symmetric, is
/// the same in any parametrisation, and does not rest on the curvature at the maximum. Under Gaussian noise of one scale it is
/// `b -+ se sqrt((n - p) (exp(c^2 / n) - 1))`, with Student's `t` its own `b -+ t se`; elsewhere each end takes about ten fits of
/// the rest.
/// An end is absent where the likelihood falls no lower however far one goes.
///
/// ```
/// use noisefit_core::inference::profile;
/// use noisefit_core::estimate::{Options, vertex};
/// use noisefit_core::rows::{Matrix, MemoryRows};
///
/// // The absolute deviations from the median, 2, sum to 10.5; those from an m below 1 to 17.5 - 5 m.
/// let y = [1.0, 1.5, 2.0, 4.0, 9.0];
/// let rows = MemoryRows::new(&y, Matrix::row_major(&[], 5, 0)?)?;
/// let mut fit = vertex::fit_laplace(&rows, &Options::default())?;
/// profile::intervals(&rows, &mut fit, &Options::default())?;
/// // The log-likelihood is -5 ln of the sum: it falls by c^2 / 2 where the sum grows by exp(c^2 / 10).
/// let c: f64 = 1.959963984540054;
/// let low = (17.5 - 10.5 * (c * c / 10.0).exp()) / 5.0;
/// assert!((fit.location.rows[0].conf_low.unwrap_or(0.0) - low).abs() < 1e-8);
/// # Ok::<(), noisefit_core::Error>(())
/// ```
///
/// # Errors
/// [`Error::Unsupported`] for estimates that do not maximise the likelihood, and those of [`estimate::fit`].
pub fn intervals(source: &dyn RowSource, fit: &mut Fit, options: &Options) -> Result<(), Error> {
    let ends: Vec<Option<Ends>> = (0..fit.location.rows.len())
        .map(|term| interval(source, fit, term, fit.level, options))
        .collect::<Result<_, _>>()?;
    for (row, ends) in fit.location.rows.iter_mut().zip(&ends) {
        (row.conf_low, row.conf_high) = ends.as_ref().map_or((None, None), |ends| (ends.low, ends.high));
    }
    if ends.iter().flatten().any(|ends| ends.exceeded) {
        fit.warnings.push(Warning::HigherMaximum);
    }
    if !Vcov::of(&fit.covariance.kind).is_some_and(|vcov| vcov.is_of_likelihood()) {
        fit.warnings.push(Warning::ProfileBeside { noise: fit.noise, vcov: fit.covariance.kind.clone() });
    }
    fit.confint = Confint::Profile;
    Ok(())
}

/// The profile-likelihood interval of the coefficient in a place of the table; none where it is not estimated, or without
/// noise.
///
/// # Errors
/// Those of [`intervals`].
pub(crate) fn interval(
    source: &dyn RowSource,
    fit: &Fit,
    term: usize,
    level: f64,
    options: &Options,
) -> Result<Option<Ends>, Error> {
    if let Noise::Huber(Huber { scale: scale @ (HuberScale::Mad { .. } | HuberScale::Proposal2), .. }) = fit.noise {
        return Err(Error::Unsupported(format!(
            "a profile-likelihood interval needs estimates that maximise the likelihood, and a scale by {scale} does not; \
             estimate it by maximum likelihood (mle)"
        )));
    }
    let (Some(estimate), Some(top)) = (fit.location.rows[term].estimate, fit.log_likelihood()) else { return Ok(None) };
    if fit.df_residual == 0 {
        return Ok(None);
    }
    let level = Level::new(level)?.value();
    let Some(critical) = small_sample::critical(fit, term, level) else { return Ok(None) };
    if fit.noise == Noise::Gaussian && !fit.scale.is_modelled() {
        let classical =
            |fit: &Fit| Some(fit.location.rows[term].std_error? / fit.covariance.small_sample_factor.sqrt());
        let classical = match fit.covariance.kind == VcovKind::CLASSICAL {
            true => classical(fit),
            false => classical(&closed_form::fit(source, options)?),
        };
        let n = fit.nobs as f64;
        let margin = (n * (critical * critical / n).exp_m1()).sqrt();
        return Ok(classical.map(|se| Ends::about(estimate, margin * se)));
    }
    let step = fit.location.rows[term].std_error.filter(|se| *se > 0.0);
    let step = step.unwrap_or(if estimate == 0.0 { 1.0 } else { 0.1 * estimate.abs() });
    let deviance = |value: f64| -> Result<f64, Error> {
        let rest = refit(source, fit, term, value, options)?;
        // Without noise the likelihood has no bound.
        Ok(2.0 * (top - rest.log_likelihood().unwrap_or(f64::INFINITY)))
    };
    interval::search(deviance, estimate, step, critical).map(Some)
}

/// The passes of this module.
pub(super) fn kinds() -> Kinds {
    along::kinds().with_adaptor::<moved::Moved>()
}
