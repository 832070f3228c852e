//! One model of a comparison.

use serde::Serialize;

use crate::Error;
use crate::compare::candidates::Candidate;
use crate::compare::scores::OutOfSample;
use crate::record::{Fit, Warning};

/// One of the models.
#[derive(Debug, Clone, Serialize)]
pub struct Entry {
    /// The model.
    #[serde(rename = "model")]
    pub candidate: Candidate,
    /// Estimated numbers: coefficients, those of the scale, the shape.
    pub parameters: usize,
    /// The complete log-likelihood of the response as it stands in the data.
    pub log_likelihood: Option<f64>,
    /// `-2 log_likelihood + 2 k` for `k` parameters.
    pub aic: Option<f64>,
    /// AIC with the small-sample correction.
    pub aicc: Option<f64>,
    /// `-2 log_likelihood + k ln n`.
    pub bic: Option<f64>,
    /// `exp(-AIC / 2)` over the sum of all.
    pub akaike_weight: Option<f64>,
    /// How well it predicts rows that it was not fitted to.
    pub out_of_sample: Option<OutOfSample>,
    /// How long its fit to all rows took; differs from run to run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seconds: Option<f64>,
    /// Why it cannot win, or has no scores.
    pub note: Option<String>,
    /// The fit; absent where there is none.
    #[serde(skip)]
    pub fit: Option<Fit>,
    #[serde(skip)]
    eligible: bool,
}

impl Entry {
    /// The same without how long its fit took, which differs from run to run.
    #[must_use]
    pub fn without_time(self) -> Self {
        Entry { seconds: None, ..self }
    }

    /// Whether its fit is a proper maximum of the likelihood on enough rows.
    pub fn may_win(&self) -> bool {
        self.eligible
    }

    /// What came of a fit.
    pub(super) fn new(candidate: Candidate, found: Result<Fit, Error>, seconds: Option<f64>) -> Result<Self, Error> {
        let (fit, note) = match found {
            Ok(fit) => {
                let note = ineligible(&candidate, &fit);
                (Some(fit), note)
            }
            // What is wrong with this model and these rows; all else is wrong with the rows or the request.
            Err(
                error
                @ (Error::Unbounded(_) | Error::Undetermined { .. } | Error::Unsupported(_) | Error::Range { .. }),
            ) => (None, Some(error.cause())),
            Err(error) => return Err(error),
        };
        let likelihood = fit.as_ref().and_then(|fit| fit.likelihood);
        Ok(Entry {
            candidate,
            parameters: fit.as_ref().map_or(0, Fit::dof),
            log_likelihood: likelihood.map(|found| found.log_likelihood),
            aic: likelihood.map(|found| found.aic),
            aicc: likelihood.and_then(|found| found.aicc),
            bic: likelihood.map(|found| found.bic),
            akaike_weight: None,
            out_of_sample: None,
            seconds,
            eligible: note.is_none(),
            note,
            fit,
        })
    }
}

/// Observations for each parameter that a model must have to be preferred to plain Gaussian noise: with fewer BIC is no guide.
const OBSERVATIONS_PER_PARAMETER: u64 = 3;

/// Why a fit cannot win.
fn ineligible(candidate: &Candidate, fit: &Fit) -> Option<String> {
    if fit.log_likelihood().is_none() {
        return Some("no residuals: the likelihood has no bound".to_owned());
    }
    if fit.df_residual == 0 {
        return Some("as many coefficients as observations".to_owned());
    }
    if !fit.termination.converged {
        return Some(format!("not converged: {}", fit.termination.reason));
    }
    // Other parameters are likelier without end.
    let unbounded = fit.warnings.iter().find_map(|warning| match warning {
        Warning::Unbounded(unbounded) => Some(unbounded.cause()),
        _ => None,
    });
    if unbounded.is_some() {
        return unbounded;
    }
    let few = fit.nobs < OBSERVATIONS_PER_PARAMETER * fit.dof() as u64;
    (few && !candidate.is_plain_gaussian())
        .then(|| format!("fewer than {OBSERVATIONS_PER_PARAMETER} observations for each parameter: it cannot win"))
}
