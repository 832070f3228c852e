//! A fitted model as programs read it.

use noisefit_core::compare::{Comparison, Entry, Judgement, Scrutiny};
use noisefit_core::record::{Counts, Fit, LikelihoodOf};
use noisefit_data::formula::{Expression, ScaleFormula};
use noisefit_data::model::FittedModel;
use noisefit_report::compare::verdict;
use noisefit_report::fit::Folded;
use serde::Serialize;
use serde_json::Value;

use crate::calibration::Calibration;
use crate::train::record::Trained;

/// The JSON object of a fitted model.
#[derive(Serialize)]
#[serde(untagged)]
#[non_exhaustive]
pub enum Record<'a> {
    /// Of exact fits.
    Exact(Box<Exact<'a>>),
    /// Of what was trained.
    Trained(Box<Trained<'a>>),
}

impl std::fmt::Debug for Record<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Record").finish_non_exhaustive()
    }
}

/// The JSON object of exact fits.
#[derive(Serialize)]
pub struct Exact<'a> {
    schema: &'static str,
    formula: &'a str,
    /// The formula of a modelled scale.
    scale_formula: Option<&'a str>,
    /// The sampling weights, where there are such: the likelihood is then a pseudo-likelihood.
    #[serde(skip_serializing_if = "Option::is_none")]
    sampling_weights: Option<&'a str>,
    /// Rows left out because a value is missing.
    dropped: Option<u64>,
    /// Rows left out because their weight is zero.
    zero_weight: Option<u64>,
    /// Whether the log-likelihood, AIC and BIC contain the Jacobian of a transformed response.
    response_jacobian: bool,
    /// Of what they are, where the response is transformed.
    #[serde(skip_serializing_if = "Option::is_none")]
    likelihood_of: Option<LikelihoodOf>,
    /// What calibrates conformal intervals.
    #[serde(skip_serializing_if = "Option::is_none")]
    conformal: Option<Calibration>,
    /// Why this noise, where it was found out.
    #[serde(skip_serializing_if = "Option::is_none")]
    chosen_by: Option<ChosenBy<'a>>,
    /// The fit's own fields; of several quantiles `fits`, a list of them.
    #[serde(flatten)]
    found: serde_json::Map<String, Value>,
}

impl<'a> Exact<'a> {
    /// The fits of a model; with the covariance matrices of their coefficients where asked for.
    pub(crate) fn new(
        model: &'a FittedModel,
        counts: Option<Counts>,
        chosen_by: Option<&'a Comparison>,
        notes: Vec<String>,
        vcov_matrix: bool,
        folded: &[Folded],
    ) -> Self {
        let with_tests = |(k, fit): (usize, &Fit)| {
            let mut fields = fields(fit, vcov_matrix);
            let tests = folded.iter().filter_map(|term| term.tests.get(k)?.as_ref());
            let tests: Vec<Value> = tests.filter_map(|test| serde_json::to_value(test).ok()).collect();
            if !tests.is_empty() {
                fields.insert("term_tests".to_owned(), tests.into());
            }
            fields
        };
        let mut fits: Vec<_> = model.fits.iter().enumerate().map(with_tests).collect();
        let mut found = match fits.len() {
            1 => fits.remove(0),
            _ => [("fits".to_owned(), fits.into())].into_iter().collect(),
        };
        // What is said of the table's columns is of no fit, and stands before what is said of the one that there is.
        let own = found.get("warnings").and_then(Value::as_array).cloned().unwrap_or_default();
        let warnings: Vec<Value> = notes.into_iter().map(Value::from).chain(own).collect();
        if !warnings.is_empty() {
            found.insert("warnings".to_owned(), warnings.into());
        }
        Exact {
            schema: "noisefit.fit/1",
            formula: model.design.formula().text(),
            scale_formula: model.design.formula().scale().map(ScaleFormula::text),
            sampling_weights: model.design.sampling_weights().map(Expression::text),
            dropped: counts.map(|counts| counts.missing),
            zero_weight: counts.map(|counts| counts.weightless),
            response_jacobian: model.design.has_jacobian(),
            likelihood_of: model.design.transforms_response().then(|| model.design.likelihood_of()),
            conformal: model.conformal.as_ref().map(Calibration::from),
            chosen_by: chosen_by.map(ChosenBy::new),
            found,
        }
    }
}

/// The evidence for a noise that was found out.
#[derive(Serialize)]
struct ChosenBy<'a> {
    /// In a sentence.
    verdict: String,
    judgement: Option<&'a Judgement>,
    /// What was looked at in the rows.
    scrutiny: Option<&'a Scrutiny>,
    /// The models, that of the least BIC first.
    models: Vec<Entry>,
}

impl<'a> ChosenBy<'a> {
    fn new(comparison: &'a Comparison) -> Self {
        let Comparison { judgement, models, scrutiny, .. } = comparison;
        let models = models.iter().cloned().map(Entry::without_time).collect();
        ChosenBy { verdict: verdict(comparison), judgement: judgement.as_ref(), scrutiny: scrutiny.as_ref(), models }
    }
}

/// A covariance matrix that is not stored is made of no more coefficients.
const MOST_IN_MATRIX: usize = 2000;

/// What a reader wants to know of a fit. What is only needed to predict is left out, and the covariance matrices, which grow as
/// the square of the number of coefficients, are there where they were asked for.
fn fields(fit: &Fit, vcov_matrix: bool) -> serde_json::Map<String, Value> {
    let mut fields = match serde_json::to_value(fit) {
        Ok(Value::Object(fields)) => fields,
        _ => serde_json::Map::new(),
    };
    let matrices = ["vcov", "scale_vcov"].into_iter().filter(|_| !vcov_matrix);
    // Levels may be many, and are never shown.
    if let Some(Value::Object(absorbed)) = fields.get_mut("absorbed") {
        absorbed.shift_remove("parts");
        absorbed.shift_remove("form");
        let effects = absorbed.get_mut("effects").and_then(Value::as_array_mut);
        effects.into_iter().flatten().filter_map(Value::as_object_mut).for_each(|effect| {
            effect.shift_remove("constants");
        });
    }
    for name in ["leverage", "location_variance"].into_iter().chain(matrices) {
        fields.shift_remove(name);
    }
    let count = fit.location.rows.len();
    let made = fit.leverage().is_some() && fields.get("vcov").and_then(Value::as_array).is_some_and(Vec::is_empty);
    if made && count <= MOST_IN_MATRIX {
        // That of a category of many levels is not stored.
        fields.insert("vcov".to_owned(), serde_json::to_value(fit.vcov()).unwrap_or_default());
    } else if made && let Some(warnings) = fields.get_mut("warnings").and_then(Value::as_array_mut) {
        let what = format!(
            "the covariance matrix of {count} coefficients is left out, for it has {} numbers; it is written of up to {MOST_IN_MATRIX}",
            count * count
        );
        warnings.push(what.into());
    }
    fields
}
