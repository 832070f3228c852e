//! Likelihood ratio tests: what the likelihood falls by where the model is fitted again under the hypothesis.

use crate::Error;
use crate::estimate::{self, Options};
use crate::inference::hypothesis::estimates::Estimates;
use crate::inference::hypothesis::restricted::restricted;
use crate::inference::hypothesis::restrictions::Restrictions;
use crate::inference::hypothesis::test::{Statistic, Test};
use crate::noise::{Huber, HuberScale, Noise};
use crate::numeric::distribution::{ChiSquared, Distribution, FisherF};
use crate::record::{Fit, SmallSample};
use crate::rows::RowSource;

/// Log-likelihoods of one model on the same rows differ by less than this part, and a hypothesis raises none by more.
const SAME: f64 = 1e-6;

/// The log-likelihood of the fit, whose rows these are.
///
/// # Errors
/// [`Error::Unsupported`] for a fit without a likelihood at its maximum, and for rows that are not those of the fit.
pub(super) fn log_likelihood(source: &dyn RowSource, fit: &Fit, options: &Options) -> Result<f64, Error> {
    if let Noise::Huber(Huber { scale: scale @ (HuberScale::Mad { .. } | HuberScale::Proposal2), .. }) = fit.noise {
        return Err(Error::Unsupported(format!(
            "a likelihood ratio test needs estimates that maximise the likelihood, and a scale by {scale} does not; estimate it by \
             maximum likelihood (mle), or use the Wald test"
        )));
    }
    let Some(known) = fit.log_likelihood() else {
        let what = "every row is fitted exactly: the noise scale is 0, and the likelihood has no bound";
        return Err(Error::Unsupported(what.to_owned()));
    };
    let again = estimate::fit(source, &[fit.noise.named()], options)?.pop().ok_or(Error::NoRows)?;
    if again.nobs != fit.nobs {
        return Err(Error::Unsupported(format!(
            "the data have {} observations and the model was fitted to {}; a likelihood ratio test needs the data of the fit",
            again.nobs, fit.nobs
        )));
    }
    let found = again.log_likelihood().unwrap_or(f64::INFINITY);
    if (found - known).abs() > SAME * (known.abs() + fit.nobs as f64) {
        return Err(Error::Unsupported(format!(
            "the model has the log-likelihood {known}, and fitted to these data {found}; a likelihood ratio test needs the data of \
             the fit"
        )));
    }
    Ok(found)
}

/// The test of a hypothesis by fitting the model again under it: `2 (l - l0)` is compared with chi-squared; where the small sample
/// is allowed for, `(exp(2 (l - l0) / n) - 1) (n - p) / q` with F on `q` and `n - p` degrees of freedom, which under Gaussian noise of
/// one scale is the F test of the sums of squares, and for one coefficient rejects what its profile-likelihood interval leaves out.
///
/// # Errors
/// [`Error::Unsupported`] for what the refit cannot do, and what the source reports.
pub(super) fn likelihood_ratio(
    source: &dyn RowSource,
    estimates: &Estimates<'_>,
    restrictions: &Restrictions,
    log_likelihood: f64,
    options: &Options,
) -> Result<Test, Error> {
    let (fit, text, count) = (estimates.fit(), &restrictions.text, restrictions.rows.len());
    let wrong = |why: String| Error::Unsupported(format!("hypothesis '{text}': {why}"));
    let location = estimates.of_location();
    let of_scale = restrictions.weights().any(|weights| weights[location..].iter().any(|weight| *weight != 0.0));
    let first = match of_scale {
        false => fit.location.intercept.then_some(0),
        true => fit.scale.modelled().filter(|table| table.intercept).map(|_| location),
    };
    let twice = || wrong("one of its parts follows from the others, or contradicts them; leave it out".to_owned());
    let solved = restrictions.solved(first).ok_or_else(twice)?;
    let rows = restricted(source, estimates, &solved).ok_or_else(|| {
        wrong(
            "a coefficient of the scale is tested by likelihood ratio against zero alone, or against another one"
                .to_owned(),
        )
    })?;
    let held = if of_scale { 0 } else { count };
    let fits = estimate::fit(&rows, &[fit.noise.named()], &Options { held, ..options.clone() });
    let refitted = fits.map_err(|error| match error {
        Error::Source(source) => Error::Source(source),
        error => wrong(format!("the model under it has no fit: {error}")),
    })?;
    let refitted = refitted.into_iter().next().ok_or(Error::NoRows)?;
    // Without noise the likelihood has no bound.
    let restricted = refitted.log_likelihood().unwrap_or(f64::INFINITY);
    let ratio = 2.0 * (log_likelihood - restricted);
    if ratio < -SAME * (log_likelihood.abs() + fit.nobs as f64) {
        return Err(wrong(
            "the likelihood under it is higher than that of the fit, which is therefore not at its maximum".to_owned(),
        ));
    }
    let (ratio, q, n) = (ratio.max(0.0), count as f64, fit.nobs as f64);
    let (test, statistic, df_residual) = match fit.covariance.small_sample {
        SmallSample::None => (Statistic::ChiSquared, ratio, None),
        SmallSample::Corrected => {
            let residual = fit.df_residual as f64;
            // With clusters the degrees of freedom are of their number, which says nothing of the likelihood.
            let own = fit.scale.is_modelled().then(|| estimates.df(restrictions.weights())).flatten();
            let df = own.filter(|df| df.is_finite()).unwrap_or(residual);
            (Statistic::F, (ratio / n).exp_m1() * residual / q, Some(df))
        }
    };
    let p_value = match df_residual {
        None => ChiSquared::new(q).ok().map(|chi| chi.survival(statistic)),
        Some(df) => FisherF::new(q, df).ok().map(|f| f.survival(statistic)),
    };
    Ok(Test {
        hypothesis: text.clone(),
        estimate: None,
        value: None,
        std_error: None,
        test,
        statistic: Some(statistic),
        df: q,
        df_residual,
        p_value,
        p_adjusted: None,
        conf_low: None,
        conf_high: None,
        log_likelihood: Some(restricted),
        likelihood_ratio: Some(ratio),
        left_out: restrictions.left_out.clone(),
    })
}
