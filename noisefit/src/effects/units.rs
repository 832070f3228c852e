//! Of what of the response effects are: of what the formula has, or of the mean or median of the column that it transforms.

use noisefit_core::inference::effects::{Mean, log_moment};
use noisefit_core::inference::predict::{NewRows, Predictor};
use noisefit_core::noise::Noise;
use noisefit_core::record::{Fit, LikelihoodOf};
use noisefit_data::formula::{EvaluateOptions, Scope, Undefined, Unseen, Workspace};
use noisefit_data::model::FittedModel;
use noisefit_data::read::Decimals;
use noisefit_data::source::{columns_of, locate};

use super::options::{EffectsOptions, Units};
use crate::error::Error;
use crate::table::Table;

/// Rows that are looked at together.
const BLOCK_ROWS: usize = 1024;

/// Residuals that a response is smeared over, at most.
const MOST_RESIDUALS: usize = 1000;

/// How means follow from location and scale, and what is to be said of it.
#[derive(Debug, Clone)]
pub(super) struct Rule {
    pub(super) mean: Mean,
    /// What effects are of: `mpg`, `means of y`.
    pub(super) of: String,
    /// Why, where it is not what one might expect.
    pub(super) said: Option<String>,
}

/// What a fit's mean is before residuals are looked at.
enum Known {
    Rule(Mean),
    Smeared,
    /// Not at all, and why.
    None(String),
}

fn known(model: &FittedModel, fit: &Fit) -> Known {
    let (design, noise) = (&model.design, fit.noise);
    let response = design.response();
    let variance = noise.family().variance();
    if design.is_linear() {
        return Known::Rule(Mean::Undone);
    }
    if design.is_square_root() {
        return match (design.untransformed(0.0), design.untransformed(1.0)) {
            (Some(constant), Some(one)) if variance.is_finite() => {
                Known::Rule(Mean::Square { factor: one - constant, constant, variance })
            }
            _ => Known::None(format!("under {noise} noise of {response} the mean is infinite")),
        };
    }
    let Some(per) = design.logarithm() else { return Known::Smeared };
    let largest = fit.scale.common().unwrap_or(0.0);
    match noise {
        _ if log_moment(&noise, per * largest).is_some() => Known::Rule(Mean::Exponential { per, noise }),
        // Tails that fall like exp(-k |r|): the mean is finite, and no formula of it stands here.
        Noise::Huber(huber) if per * largest < huber.k() => Known::Smeared,
        _ => Known::None(format!("under {noise} noise of this scale the mean of exp({response}) is infinite")),
    }
}

/// The rule of a fit.
///
/// # Errors
/// Units that the model does not have; those of reading, where residuals are needed.
pub(super) fn rule(model: &FittedModel, fit: &Fit, table: &Table, options: &EffectsOptions) -> Result<Rule, Error> {
    let design = &model.design;
    let (response, column) = (design.response(), design.response_column().unwrap_or_default().to_owned());
    let wrong = |why: String| Err(noisefit_core::Error::Unsupported(why).into());
    let as_it_stands = |said| Rule { mean: Mean::Location, of: response.clone(), said };
    if !design.transforms_response() {
        return match options.units {
            None => Ok(as_it_stands(None)),
            Some(units) => wrong(format!(
                "units {units}: effects are of {response} itself, and there is no transformation to be undone; leave it out"
            )),
        };
    }
    if options.units == Some(Units::Transformed) {
        return Ok(as_it_stands(None));
    }
    if design.likelihood_of() == LikelihoodOf::Folded || design.untransformed(0.5).is_none() {
        let why = format!("{response} is not undone: it is not one to one, or not by a formula that is known here");
        return match options.units {
            None => Ok(as_it_stands(Some(format!("effects are of {response}, which is not one to one")))),
            Some(_) => wrong(why),
        };
    }
    let median = |said| Rule { mean: Mean::Undone, of: format!("medians of {column}"), said };
    if matches!(fit.noise, Noise::Quantile(_)) {
        return match options.units {
            Some(Units::Mean) => wrong("a quantile is no mean: leave units out".to_owned()),
            _ => Ok(Rule { of: format!("quantiles of {column}"), ..median(None) }),
        };
    }
    if options.units == Some(Units::Median) {
        return Ok(median(None));
    }
    let means = format!("means of {column}");
    match known(model, fit) {
        Known::Rule(mean) => {
            let said = match &mean {
                Mean::Undone => None,
                _ => Some(format!(
                    "effects are of the mean of {column} that the fitted {} noise of {response} has",
                    fit.noise
                )),
            };
            Ok(Rule { mean, of: means, said })
        }
        Known::Smeared => {
            let (residuals, all) = residuals(model, fit, table)?;
            let of = if residuals.len() < all {
                format!("{} quantiles of the {all} residuals", residuals.len())
            } else {
                format!("the {all} residuals")
            };
            let said = format!(
                "effects are of the mean of {column} by Duan's smearing of {response} over {of} of these rows, which standard errors take as known"
            );
            Ok(Rule { mean: Mean::Smeared { residuals, scales: fit.scale.is_modelled() }, of: means, said: Some(said) })
        }
        Known::None(why) if options.units.is_some() => wrong(format!("{why}; ask for the median")),
        Known::None(why) => Ok(median(Some(format!("{why}: effects are of medians of {column}")))),
    }
}

/// How many of a table's rows have a mean that is infinite, because their modelled scale is too large, and how many rows there are.
///
/// # Errors
/// Those of reading.
pub(super) fn infinite_means(
    model: &FittedModel,
    fit: &Fit,
    per: f64,
    table: &Table,
    unseen: Unseen,
) -> Result<[u64; 2], Error> {
    let (design, dataset, predictor) = (&model.design, table.dataset(), Predictor::new(fit)?);
    let columns = columns_of(design, dataset, Scope::Design)?;
    let mut counts = [0, 0];
    dataset.scan(
        &columns,
        Decimals::WithLow,
        table.watch(),
        |frames| {
            let (mut found, mut workspace) = ([0, 0], Workspace::default());
            for frame in frames {
                let frame = frame?;
                let options = EvaluateOptions {
                    scope: Scope::Design,
                    undefined: Undefined::Missing,
                    unseen,
                    ..EvaluateOptions::default()
                };
                let bound = design.bind(&frame, options).map_err(|error| locate(dataset, error))?;
                for start in (0..frame.rows).step_by(BLOCK_ROWS) {
                    let range = start..(start + BLOCK_ROWS).min(frame.rows);
                    let rows = bound.evaluate(range, &mut workspace).map_err(|error| locate(dataset, error))?;
                    let new = NewRows {
                        scale_design: rows.scale_design().into(),
                        effects: rows.effects(),
                        weights: rows.scaled(),
                        ..NewRows::new(rows.design(), rows.rows())
                    };
                    let scales = predictor.scale(&new);
                    found[0] +=
                        scales.iter().filter(|scale| log_moment(&fit.noise, per * *scale).is_none()).count() as u64;
                    found[1] += scales.len() as u64;
                }
            }
            Ok(found)
        },
        |_, found| {
            counts.iter_mut().zip(found).for_each(|(count, more)| *count += more);
            Ok(())
        },
    )?;
    Ok(counts)
}

/// The rule of what was trained: its medians, or the response as it stands.
///
/// # Errors
/// Means of a transformed response.
pub(super) fn rule_of_trained(model: &FittedModel, options: &EffectsOptions) -> Result<Rule, Error> {
    let design = &model.design;
    let (response, column) = (design.response(), design.response_column().unwrap_or_default());
    let undone = design.transforms_response()
        && design.likelihood_of() != LikelihoodOf::Folded
        && design.untransformed(0.5).is_some();
    let wrong = |why: String| Err(noisefit_core::Error::Unsupported(why).into());
    let quantiles = model.network.as_ref().is_some_and(|network| network.curves() > 1);
    match options.units {
        Some(Units::Mean) if undone => {
            wrong("means of a transformed response are of exact fits; ask for the median".to_owned())
        }
        None | Some(Units::Median) if undone => {
            let of = if quantiles { "quantiles" } else { "medians" };
            Ok(Rule { mean: Mean::Undone, of: format!("{of} of {column}"), said: None })
        }
        Some(units) if !design.transforms_response() => {
            wrong(format!("units {units}: effects are of {response} itself; leave it out"))
        }
        _ => Ok(Rule { mean: Mean::Location, of: response, said: None }),
    }
}

/// Residuals in scales of a table's rows, of many the middles of so many parts of equal size; and how many there were.
fn residuals(model: &FittedModel, fit: &Fit, table: &Table) -> Result<(Vec<f64>, usize), Error> {
    let design = &model.design;
    let (dataset, predictor) = (table.dataset(), Predictor::new(fit)?);
    // Rows that stand for several have as many residuals.
    let counted = design.frequencies().is_some() || design.sampling_weights().is_some();
    let scope = if counted { Scope::All } else { Scope::Response };
    let columns = columns_of(design, dataset, scope)?;
    let mut all: Vec<(f64, f64)> = Vec::new();
    dataset.scan(
        &columns,
        Decimals::WithLow,
        table.watch(),
        |frames| {
            let (mut found, mut workspace) = (Vec::new(), Workspace::default());
            for frame in frames {
                let frame = frame?;
                let options = EvaluateOptions { scope, undefined: Undefined::Missing, ..EvaluateOptions::default() };
                let bound = design.bind(&frame, options).map_err(|error| locate(dataset, error))?;
                for start in (0..frame.rows).step_by(BLOCK_ROWS) {
                    let range = start..(start + BLOCK_ROWS).min(frame.rows);
                    let rows = bound.evaluate(range, &mut workspace).map_err(|error| locate(dataset, error))?;
                    let Some(response) = rows.response() else { continue };
                    let new = NewRows {
                        scale_design: rows.scale_design().into(),
                        effects: rows.effects(),
                        weights: rows.scaled(),
                        ..NewRows::new(rows.design(), rows.rows())
                    };
                    // The response is without its offset, as the location is.
                    let (mu, scale) = (predictor.location(&new), predictor.scale(&new));
                    let counts = |i: usize| rows.frequencies().map_or(1.0, |f| f[i]);
                    found.extend((0..rows.rows()).map(|i| ((response.high[i] - mu[i]) / scale[i], counts(i))));
                }
            }
            Ok(found)
        },
        |_, found| {
            all.extend(found);
            Ok(())
        },
    )?;
    all.retain(|(r, _)| r.is_finite());
    if all.is_empty() {
        let what = "a mean by smearing takes residuals, and no row of the data has the response; ask for the median";
        return Err(noisefit_core::Error::Unsupported(what.to_owned()).into());
    }
    all.sort_by(|a, b| a.0.total_cmp(&b.0));
    Ok(middles(&all))
}

/// The middles of parts of equal size of values that are in order, each with how often it counts; and how many there are.
fn middles(values: &[(f64, f64)]) -> (Vec<f64>, usize) {
    let count: f64 = values.iter().map(|(_, counts)| counts).sum();
    let parts = (count.round() as usize).clamp(1, MOST_RESIDUALS);
    let (mut chosen, mut up_to) = (Vec::with_capacity(parts), 0.0);
    for (value, counts) in values {
        up_to += counts;
        while chosen.len() < parts && (chosen.len() as f64 + 0.5) / parts as f64 * count < up_to {
            chosen.push(*value);
        }
    }
    (chosen, count.round() as usize)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counted_values_are_those_of_repeated_ones() {
        let once = |values: &[f64]| values.iter().map(|value| (*value, 1.0)).collect::<Vec<_>>();
        assert_eq!(middles(&[(-1.0, 2.0), (3.0, 1.0)]), middles(&once(&[-1.0, -1.0, 3.0])));
        assert_eq!(middles(&once(&[1.0, 2.0])), (vec![1.0, 2.0], 2));
        // Of 3000 the middles of parts of three.
        let many: Vec<f64> = (0..3000).map(f64::from).collect();
        let (chosen, count) = middles(&once(&many));
        assert_eq!((count, chosen.len(), chosen[0], chosen[999]), (3000, MOST_RESIDUALS, 1.0, 2998.0));
    }
}
