//! What few rows do to standard errors and intervals: one convention for every noise.
//!
//! Maximum likelihood makes the scale from residuals that the `p` coefficients have made small, and knows it as if it were
//! given. So, beside estimates that stay as they are:
//!
//! - a covariance in which nothing counts the coefficients is multiplied by `n / (n - p)`: under Gaussian noise of one scale that
//!   makes the unbiased variance out of that of maximum likelihood, exactly;
//! - statistics refer to Student's t with the `n - p` residual degrees of freedom, with clusters to one less than there are of
//!   them: under Gaussian noise of one scale exactly;
//! - where the scale is modelled, estimated precisions cost more than that, and every coefficient has degrees of freedom of its
//!   own ([`precisions`]);
//! - a quantile with few rows beyond it has the covariance of a bootstrap in place of one by a density that these rows do not tell
//!   ([`redraw_thin_tail`]);
//! - a likelihood ratio is compared with `n ln(1 + t^2 / (n - p))` in place of the square of a normal quantile ([`critical`]):
//!   under Gaussian noise of one scale the interval is then Student's own.
//!
//! Without it all is as other software has it: the scale of maximum likelihood and the normal distribution.

mod precisions;

use crate::Error;
use crate::estimate::Options;
use crate::inference::covariance::{self, Bootstrap, Resampling, Vcov};
use crate::noise::Route;
use crate::record::{Coefficients, Fit, Reference, SmallSample, SmallSampled, Warning, reference};
use crate::rows::{Kinds, RowSource};

/// Makes of a fit's standard errors what the convention says; does nothing where there are none.
///
/// # Errors
/// What the source reports.
pub(crate) fn apply(source: &dyn RowSource, fit: &mut Fit, small_sample: SmallSample) -> Result<(), Error> {
    let (n, df) = (fit.nobs as f64, fit.df_residual as f64);
    if df <= 0.0 || fit.leverage().is_none() {
        return Ok(());
    }
    let vcov = Vcov::of(&fit.covariance.kind);
    let (degrees, uncounted) = (n / df, vcov.as_ref().is_some_and(Vcov::leaves_degrees_uncounted));
    // The classical covariance of least squares counts them as it stands.
    let counted = fit.covariance.small_sample == SmallSample::Corrected;
    fit.set_small_sample(match small_sample {
        SmallSample::None => SmallSampled {
            small_sample,
            factor: if counted { 1.0 / degrees } else { 1.0 },
            stated: 1.0,
            reference: Reference::Normal,
            reference_df: None,
            refined: None,
        },
        SmallSample::Corrected => SmallSampled {
            small_sample,
            factor: if uncounted && !counted { degrees } else { 1.0 },
            stated: if uncounted { degrees } else { 1.0 },
            reference: Reference::StudentT,
            reference_df: fit.covariance.reference_df,
            refined: match vcov.is_some_and(|vcov| vcov.is_of_expected_information()) && fit.scale.is_modelled() {
                true => precisions::refined(source, fit)?,
                false => None,
            },
        },
    });
    let scale = fit.scale.modelled().map_or(0, Coefficients::rank);
    let per_coefficient = n / (fit.rank() + scale) as f64;
    let (enough, held) = ENOUGH_FOR_SCALE[usize::from(matches!(fit.noise.route(), Route::Vertex { .. }))];
    if small_sample == SmallSample::Corrected && scale > 1 && per_coefficient < enough {
        fit.warnings.push(Warning::FewForScale { per_coefficient, held });
    }
    Ok(())
}

/// With fewer observations for each coefficient of location and scale, intervals of the location's may hold less than 92% for 95%, and
/// what they held (docs/simulation.md): of smooth densities, and of Laplace's.
const ENOUGH_FOR_SCALE: [(f64, [u8; 2]); 2] = [(4.0, [86, 93]), (8.0, [74, 89])];

/// Fewer observations beyond a quantile, for each coefficient, do not tell how dense the noise is there.
const BEYOND: f64 = 10.0;

/// Levels as near to the median as that have as much to tell on both sides.
const CENTRAL: f64 = 0.15;

/// Gives a quantile far from the median with few observations beyond it the covariance of a bootstrap, where it has one, in place
/// of `nid` or `iid`: by simulation (docs/quantile.md) these hold 55 to 90% of what they say there.
///
/// # Errors
/// What the source reports.
pub(crate) fn redraw_thin_tail(source: &dyn RowSource, fit: &mut Fit, options: &Options) -> Result<(), Error> {
    let Route::Vertex { tau } = fit.noise.route() else { return Ok(()) };
    let (beyond, coefficients) = (fit.nobs as f64 * tau.min(1.0 - tau), fit.rank());
    let thin = (tau - 0.5).abs() > CENTRAL && beyond < BEYOND * coefficients as f64;
    if !thin || fit.scale.common() == Some(0.0) || fit.df_residual == 0 {
        return Ok(());
    }
    let mut redrawn = fit.clone();
    let of_density = |warning: &Warning| {
        matches!(warning, Warning::Crossed { .. } | Warning::IidInstead(_) | Warning::ClassicalInstead { .. })
    };
    redrawn.warnings.retain(|warning| !of_density(warning));
    let draws = Bootstrap { draws: Bootstrap::DRAWS, scheme: Resampling::Pairs };
    match covariance::estimate(source, &mut redrawn, &Vcov::Bootstrap(draws), options) {
        Ok(()) => {
            redrawn.warnings.push(Warning::BootstrapInstead { beyond, coefficients });
            *fit = redrawn;
            Ok(())
        }
        // Draws that lack a term, such as a level of few rows.
        Err(Error::Unsupported(_)) => Ok(()),
        Err(error) => Err(error),
    }
}

/// What the root of a likelihood ratio is compared with for an interval of a level: the normal quantile, or what Student's
/// `t` makes of it for a fit whose small sample is allowed for.
///
/// ```text
/// c^2 = n ln(1 + t^2 / (n - p))
/// ```
///
/// With the scale at its maximum the log-likelihood of Gaussian noise is `-n / 2 ln(SSE)`, and `SSE` grows by the factor
/// `1 + t^2 / (n - p)` where a coefficient is `t` standard errors from its estimate.
pub(crate) fn critical(fit: &Fit, row: usize, level: f64) -> Option<f64> {
    let quantile = |df: f64| Some(reference(df)?.critical(level));
    if fit.covariance.small_sample == SmallSample::None {
        return quantile(f64::INFINITY);
    }
    let (n, residual) = (fit.nobs as f64, fit.df_residual as f64);
    // With clusters it is of their number, which says nothing of the likelihood.
    let df = fit.location.rows[row].df.filter(|_| fit.scale.is_modelled()).unwrap_or(residual);
    let t = quantile(df)?;
    Some((n * (t * t / residual).ln_1p()).sqrt())
}

/// The passes of this module.
pub(super) fn kinds() -> Kinds {
    precisions::kinds()
}
