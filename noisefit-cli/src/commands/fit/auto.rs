//! `--noise auto`: the judgement of `compare`, before the fit.

use noisefit_core::compare;
use noisefit_core::compare::Comparison;
use noisefit_core::noise::{Noise, Noises};
use noisefit_data::formula::Formula;
use noisefit_data::read::Dataset;

use super::arguments::FitArguments;
use crate::commands::compare::{fitting, models};
use crate::commands::model::explain;
use crate::progress::Passes;

/// What was found out.
pub(super) struct Chosen {
    /// The noise to be fitted.
    pub(super) noise: Noises,
    /// The formula, with that of the scale where it is modelled.
    pub(super) formula: Formula,
    /// The evidence.
    pub(super) comparison: Comparison,
}

/// Judges all families on the rows. Where none can be preferred, as for rows without residuals, Gaussian noise is fitted.
pub(super) fn choose(arguments: &FitArguments, dataset: &Dataset, passes: &Passes) -> anyhow::Result<Chosen> {
    let FitArguments { data, model, .. } = arguments;
    let (candidates, formula) = models(model, None)?;
    let rows = model.rows(&formula, data, dataset, passes)?;
    let candidates = fitting(candidates, model, &rows);
    let comparison = compare::judge(&rows, &candidates, &model.options().estimation());
    let comparison = comparison.map_err(|error| explain(error, rows.counts(), dataset))?;
    let (noise, models_scale) = comparison.preferred().map_or((Noises::from(Noise::Gaussian), false), |entry| {
        (entry.candidate.noise.into(), entry.candidate.models_scale)
    });
    let formula = if models_scale { formula } else { model.location()? };
    Ok(Chosen { noise, formula, comparison })
}
