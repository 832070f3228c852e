//! The models that a comparison sets side by side.

use noisefit_core::compare::{Candidate, Candidates};
use noisefit_core::rows::RowSource;
use noisefit_data::formula::Formula;
use noisefit_data::source::DesignRows;

use crate::model::Model;
use crate::refusal::Refusal;
use crate::with_sampling::WithSampling;

/// The models, and the formula that has the terms of the scale where one of them needs it: those of the location where none
/// are given.
pub(crate) fn of(model: &Model, named: Option<&Candidates>) -> Result<(Vec<Candidate>, Formula), Refusal> {
    model.without_effects("compare")?;
    model.without_sampling(WithSampling::Verb("compare"))?;
    let mut candidates = named.map_or_else(|| Candidate::all(true), |named| named.0.clone());
    let modelled = |candidates: &[Candidate]| candidates.iter().any(|candidate| candidate.models_scale);
    if model.scale.is_some() && !modelled(&candidates) {
        let variants: Vec<_> = candidates.iter().filter_map(|candidate| candidate.clone().with_scale().ok()).collect();
        if variants.is_empty() {
            return Err(Refusal::ScaleOfNone);
        }
        candidates.extend(variants);
    }
    let formula = match (modelled(&candidates), &model.scale) {
        (true, None) => model.location()?.with_scale_of_location(),
        (true, Some(_)) => model.full_formula()?,
        (false, _) => model.location()?,
    };
    Ok((candidates, formula))
}

/// The models that differ from one another: without terms there is nothing to model the scale by.
pub(crate) fn fitting(candidates: Vec<Candidate>, model: &Model, rows: &DesignRows<'_>) -> Vec<Candidate> {
    let scale = rows.layout().scale.as_ref();
    let idle = model.scale.is_none() && scale.is_some_and(|scale| scale.terms.is_empty());
    candidates.into_iter().filter(|candidate| !(idle && candidate.models_scale)).collect()
}
