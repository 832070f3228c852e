//! A trained model as programs read it.

use noisefit_core::algebra::Affine;
use noisefit_core::inference::evaluate::Scores;
use noisefit_core::network::{Member, Plan};
use noisefit_core::record::{Coefficient, Counts};
use noisefit_core::training::{Fitted, Shrinkage, Trial};
use noisefit_data::model::FittedModel;
use serde::Serialize;

use crate::calibration::Calibration;

/// The JSON object of a trained model.
#[derive(Serialize)]
pub struct Trained<'a> {
    schema: &'static str,
    formula: &'a str,
    /// `network` or `linear`.
    model: &'static str,
    hidden: &'a [usize],
    /// What was minimised.
    loss: &'static str,
    scale_type: &'static str,
    plan: &'a Plan,
    /// The search that found the plan.
    #[serde(skip_serializing_if = "<[Trial]>::is_empty")]
    trials: &'a [Trial],
    nobs: u64,
    /// Rows left out because a value is missing.
    dropped: Option<u64>,
    /// Rows left out because their weight is zero.
    zero_weight: Option<u64>,
    /// Of one network, the scale among them.
    parameters: usize,
    /// The complete log-likelihood of the rows that were learned from.
    log_likelihood: Option<f64>,
    response_jacobian: bool,
    /// Of a linear model, in units of the data; of several the mean, which is the location's.
    #[serde(skip_serializing_if = "Option::is_none")]
    coefficients: Option<Vec<Coefficient>>,
    /// The same of a modelled scale's logarithm.
    #[serde(skip_serializing_if = "Option::is_none")]
    scale_coefficients: Option<Vec<Coefficient>>,
    /// Of several linear models the coefficients of each.
    #[serde(skip_serializing_if = "Option::is_none")]
    member_coefficients: Option<Vec<Vec<Coefficient>>>,
    /// For each quantile, or once.
    training: &'a [Scores],
    validation: Option<&'a [Scores]>,
    /// How much of what a network predicts is a line, and one scale, as rows that were left out in turn asked for.
    shrinkage: Shrinkage,
    members: &'a [Member],
    #[serde(skip_serializing_if = "Option::is_none")]
    conformal: Option<Calibration>,
    warnings: Vec<String>,
}

pub(crate) fn record<'a>(
    model: &'a FittedModel,
    fitted: &'a Fitted,
    (plan, trials): (&'a Plan, &'a [Trial]),
    counts: Option<Counts>,
    warnings: Vec<String>,
) -> Trained<'a> {
    let Fitted { network, training, validation, shrinkage, .. } = fitted;
    let names = model.design.layout().coefficient_names();
    let lines = network.coefficients();
    let first = training.first();
    Trained {
        schema: "noisefit.train/1",
        formula: model.design.formula().text(),
        model: if plan.hidden.is_empty() && plan.embeddings.is_empty() { "linear" } else { "network" },
        hidden: &plan.hidden,
        loss: network.objective.name(),
        scale_type: if network.models_scale() { "network" } else { "maximum-likelihood" },
        plan,
        trials,
        nobs: first.map_or(0, |scores| scores.nobs),
        dropped: counts.map(|counts| counts.missing),
        zero_weight: counts.map(|counts| counts.weightless),
        parameters: network.parameters(),
        log_likelihood: first.filter(|_| training.len() == 1).and_then(|s| Some(-s.mean_nll? * s.nobs as f64)),
        response_jacobian: model.design.has_jacobian(),
        coefficients: lines.as_deref().map(|lines| table(&names, mean(lines))),
        scale_coefficients: network.scale_coefficients().map(|lines| table(&names, mean(&lines))),
        member_coefficients: lines
            .filter(|lines| lines.len() > 1)
            .map(|lines| lines.iter().map(|line| table(&names, line.numbers())).collect()),
        training,
        validation: validation.as_deref(),
        shrinkage: *shrinkage,
        members: &network.members,
        conformal: model.conformal.as_ref().map(Calibration::from),
        warnings,
    }
}

/// The rows of a table without standard errors.
fn table(names: &[String], line: impl IntoIterator<Item = f64>) -> Vec<Coefficient> {
    names.iter().zip(line).map(|(term, estimate)| Coefficient::without_error(term.clone(), estimate)).collect()
}

/// The mean of lines, number by number, the intercept first.
fn mean(lines: &[Affine]) -> Vec<f64> {
    let mut sums = vec![0.0; lines.first().map_or(0, |line| 1 + line.slopes.len())];
    for line in lines {
        sums.iter_mut().zip(line.numbers()).for_each(|(sum, number)| *sum += number);
    }
    sums.into_iter().map(|sum| sum / lines.len() as f64).collect()
}
