//! Predictions of a transformed response, carried back to the response itself.

use noisefit_core::inference::effects::log_moment;
use noisefit_core::noise::Noise;
use noisefit_core::record::LikelihoodOf;
use noisefit_data::model::FittedModel;

use crate::error::Error;
use crate::predict::options::{Asked, Back, Columns, Interval};

/// Carries locations and ends of intervals of these names back to the response itself; the first is its median, or its mean where the
/// scales of the rows are given.
pub(super) fn carry_back(model: &FittedModel, scales: Option<Vec<f64>>, names: &[(&str, bool)], results: &mut Columns) {
    let design = &model.design;
    if let (Some(scales), Some(log)) = (scales, design.logarithm()) {
        let noise = model.fits.first().map(|fit| fit.noise);
        // The logarithm of the mean of exp(scale noise) is added to a logarithm.
        for (value, scale) in results[0].iter_mut().zip(scales) {
            *value +=
                noise.and_then(|noise| log_moment(&noise, log * scale)).map_or(f64::NAN, |[moment, ..]| moment) / log;
        }
    }
    let located = results.iter_mut().zip(names).filter(|(_, (_, located))| *located);
    for (column, _) in located {
        column.iter_mut().for_each(|value| *value = design.untransformed(*value).unwrap_or(f64::NAN));
    }
    // Of a response that falls the ends have changed sides.
    for place in 0..results.len().saturating_sub(1) {
        if names.get(place).is_some_and(|(name, _)| name.contains("_low")) {
            let (low, high) = results.split_at_mut(place + 1);
            for (low, high) in low[place].iter_mut().zip(&mut high[0]) {
                if *low > *high {
                    std::mem::swap(low, high);
                }
            }
        }
    }
}

/// Refuses to carry back what is not one to one, and means that there are not.
pub(super) fn check_back(model: &FittedModel, back: Back, asked: Option<&Asked>) -> Result<(), Error> {
    let (design, response) = (&model.design, model.design.response());
    let wrong = |why: String| Err(noisefit_core::Error::Unsupported(why).into());
    if !design.transforms_response() {
        return wrong(format!("predictions are of {response} itself: there is nothing to carry back"));
    }
    if design.likelihood_of() == LikelihoodOf::Folded || design.untransformed(0.5).is_none() {
        return wrong(format!(
            "{response} is not undone: it is not one to one, or not by a formula that is known here"
        ));
    }
    if back == Back::Median {
        return Ok(());
    }
    let Some(noise) = model.fits.first().map(|fit| fit.noise).filter(|_| model.fits.len() == 1) else {
        return wrong(
            "a mean of the response itself is one of an exact fit under one noise; ask for median".to_owned(),
        );
    };
    if asked.is_some_and(|asked| asked.kind == Interval::Confidence) {
        let what = "confidence intervals are of the median of the response itself; ask for median, or for prediction intervals";
        return wrong(what.to_owned());
    }
    let largest = model.fits.first().and_then(|fit| fit.scale.common()).unwrap_or(0.0);
    match design.logarithm() {
        None if design.is_linear() && !matches!(noise, Noise::Quantile(_)) => Ok(()),
        None => wrong(format!("the mean is known back from logarithms and lines, not from {response}; ask for median")),
        Some(log) if log_moment(&noise, log * largest).is_some() => Ok(()),
        Some(_) => wrong(format!(
            "under {noise} noise of this scale the mean of exp({response}) is infinite, or not known here; ask for median"
        )),
    }
}
