//! A fit as programs read it.

use noisefit_core::compare::{Comparison, Entry, Judgement};
use noisefit_core::inference::conformal::{Conformal, Method};
use noisefit_core::record::Fit;
use noisefit_data::formula::ScaleFormula;
use noisefit_data::model::FittedModel;
use noisefit_data::source::Counts;
use noisefit_report::compare::verdict;
use serde::Serialize;

/// The JSON object of a fit.
#[derive(Serialize)]
pub(super) struct Record<'a> {
    schema: &'static str,
    formula: &'a str,
    /// The formula of a modelled scale.
    scale_formula: Option<&'a str>,
    /// Rows left out because a value is missing.
    dropped: u64,
    /// Rows left out because their weight is zero.
    zero_weight: u64,
    /// Whether the log-likelihood, AIC and BIC contain the Jacobian of a transformed response.
    response_jacobian: bool,
    /// What calibrates conformal intervals.
    #[serde(skip_serializing_if = "Option::is_none")]
    conformal: Option<Calibration>,
    /// Why this noise, where it was found out.
    #[serde(skip_serializing_if = "Option::is_none")]
    chosen_by: Option<ChosenBy<'a>>,
    /// The fit's own fields; of several quantiles `fits`, a list of them.
    #[serde(flatten)]
    found: serde_json::Map<String, serde_json::Value>,
}

impl<'a> Record<'a> {
    /// The fits of a model; with the covariance matrices of their coefficients where asked for.
    pub(super) fn new(
        model: &'a FittedModel,
        counts: Counts,
        chosen_by: Option<ChosenBy<'a>>,
        vcov_matrix: bool,
    ) -> Self {
        let mut fits: Vec<_> = model.fits.iter().map(|fit| fields(fit, vcov_matrix)).collect();
        let found = match fits.len() {
            1 => fits.remove(0),
            _ => [("fits".to_owned(), fits.into())].into_iter().collect(),
        };
        Record {
            schema: "noisefit.fit/1",
            formula: model.design.formula().text(),
            scale_formula: model.design.formula().scale().map(ScaleFormula::text),
            dropped: counts.missing,
            zero_weight: counts.weightless,
            response_jacobian: model.design.transforms_response(),
            conformal: model.conformal.as_ref().map(Calibration::from),
            chosen_by,
            found,
        }
    }
}

/// Conformal intervals, in short.
#[derive(Serialize)]
pub(super) struct Calibration {
    method: Method,
    /// Observations with a score.
    observations: f64,
    /// Fits without some of the rows.
    fits: usize,
    seed: u64,
}

impl From<&Conformal> for Calibration {
    fn from(conformal: &Conformal) -> Self {
        let &Conformal { method, observations, seed, .. } = conformal;
        Calibration { method, observations, fits: conformal.folds(), seed }
    }
}

/// The evidence for a noise that was found out.
#[derive(Serialize)]
pub(super) struct ChosenBy<'a> {
    /// In a sentence.
    verdict: String,
    judgement: Option<&'a Judgement>,
    /// The models, that of the least BIC first.
    models: &'a [Entry],
}

impl<'a> ChosenBy<'a> {
    pub(super) fn new(comparison: &'a Comparison) -> Self {
        let Comparison { judgement, models, .. } = comparison;
        ChosenBy { verdict: verdict(comparison), judgement: judgement.as_ref(), models }
    }
}

/// What a reader wants to know of a fit. What is only needed to predict is left out, and the covariance matrices, which grow as
/// the square of the number of coefficients, are there where they were asked for.
fn fields(fit: &Fit, vcov_matrix: bool) -> serde_json::Map<String, serde_json::Value> {
    let mut fields = match serde_json::to_value(fit) {
        Ok(serde_json::Value::Object(fields)) => fields,
        _ => serde_json::Map::new(),
    };
    let matrices = ["vcov", "scale_vcov"].into_iter().filter(|_| !vcov_matrix);
    for name in ["leverage", "location_variance"].into_iter().chain(matrices) {
        fields.shift_remove(name);
    }
    fields
}
