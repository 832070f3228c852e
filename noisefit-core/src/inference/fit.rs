//! A fit with the standard errors that are asked for.

use crate::Error;
use crate::estimate::absorbing::{self, Curved};
use crate::estimate::{self, closed_form};
use crate::inference::Options;
use crate::inference::coded;
use crate::inference::covariance::{self, OfLevels, Vcov};
use crate::inference::{scale_interval, small_sample};
use crate::noise::{ModelledScale, Noise, Route, scalable, written};
use crate::record::{Fit, SmallSample};
use crate::rows::RowSource;

/// The maximum likelihood fit of a linear model under the noise that is named: one fit, or one for each quantile. Where the
/// rows have columns for the scale, its logarithm is modelled, too. Standard errors are those of `options.vcov`, with what
/// `options.small_sample` makes of them; the fits of the families' own modules have the classical ones as they stand.
///
/// # Errors
/// Those of [`LeastSquares::solve`]; [`Error::Argument`] for a level outside (0, 1); [`Error::Collinear`] where asked for;
/// [`Error::Range`] for a noise scale whose square is no double; [`Error::Unbounded`] where rows that are fitted exactly let
/// the likelihood grow without bound; [`Error::Unsupported`] for a modelled scale with a family that has none.
pub fn fit(source: &dyn RowSource, noise: &[Noise], options: &Options) -> Result<Vec<Fit>, Error> {
    let sampled = source.layout().sampling;
    covariance::check_sampling(&options.vcov, source.layout())?;
    if !source.layout().effects.is_empty() {
        return fit_absorbing(source, noise, options);
    }
    let modelled = source.layout().scale.is_some();
    if modelled && noise.iter().any(|noise| noise.description().scale != ModelledScale::Always) {
        let (noise, can) = (written(noise), scalable(ModelledScale::Always));
        return Err(Error::Unsupported(format!("the scale of {noise} noise cannot be modelled; that of {can} can")));
    }
    let of_quantiles = noise.iter().all(|noise| matches!(noise.route(), Route::Vertex { .. }));
    let (estimation, by_default) = (options.estimation(), options.vcov == Vcov::Default && !sampled);
    if of_quantiles && (by_default || matches!(options.vcov, Vcov::Nid(_))) && !modelled {
        // The quantiles that this covariance needs are found in the passes of the fit itself.
        let mut fits = covariance::quantile::fit_nid(source, noise, &estimation, by_default)?;
        for fit in &mut fits {
            if by_default && options.small_sample == SmallSample::Corrected {
                small_sample::redraw_thin_tail(source, fit, &estimation)?;
            }
            small_sample::apply(source, fit, options.small_sample)?;
            scale_interval::set(fit);
        }
        return Ok(fits);
    }
    let mut fits = estimate::fit(source, noise, &estimation)?;
    for fit in &mut fits {
        covariance::estimate(source, fit, &options.vcov, &estimation)?;
        small_sample::apply(source, fit, options.small_sample)?;
        // It is one of as many rows as the weights say.
        if !sampled {
            scale_interval::set(fit);
        }
    }
    Ok(fits)
}

/// The same of rows that have effects: these are absorbed, and every covariance is one of the rows that they leave.
fn fit_absorbing(source: &dyn RowSource, noise: &[Noise], options: &Options) -> Result<Vec<Fit>, Error> {
    estimate::check_effects(source, noise)?;
    let estimation = options.estimation();
    let &[noise] = noise else {
        let (value, expected) = (noise.len() as f64, "1 beside absorbed effects");
        return Err(Error::Argument { name: "the number of noise families", value, expected });
    };
    noise.check()?;
    let (mut of_curvature, least_squares) = (false, noise.route() == Route::ClosedForm);
    let (mut fit, absorbed) = match least_squares {
        true => closed_form::fit_absorbing(source, &estimation)?,
        false => {
            of_curvature = covariance::is_of_curvature(&options.vcov, noise, source.layout().effects.len())?;
            absorbing::fit(source, noise, &estimation)?
        }
    };
    covariance::check_absorbed(&options.vcov, &fit)?;
    let rows = absorbed.rows(source);
    let mut levels = OfLevels::of(&absorbed);
    let curved = if of_curvature { Curved::at(source, &fit)? } else { None };
    match curved {
        Some(curved) => {
            levels = levels.map(|levels| levels.with_moves(curved.moves()));
            let rows = curved.rows(source);
            covariance::estimate_with(&rows, &mut fit, &options.vcov, &estimation, levels.as_mut())?;
        }
        None => covariance::estimate_with(&rows, &mut fit, &options.vcov, &estimation, levels.as_mut())?,
    }
    small_sample::apply(&rows, &mut fit, options.small_sample)?;
    let form = levels.and_then(|levels| coded::form(levels, &fit, &absorbed));
    if let Some(absorbed) = &mut fit.absorbed {
        absorbed.form = form.map(Box::new);
    }
    Ok(vec![fit])
}
