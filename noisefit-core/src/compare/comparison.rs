//! What a comparison found.

use serde::{Deserialize, Serialize};

use crate::compare::candidates::Candidate;
use crate::compare::entry::Entry;
use crate::compare::judgement::Judgement;
use crate::compare::scores::Difference;
use crate::inference::diagnostics::Asymmetry;
use crate::record::{Fit, ShapeParameter, Warning};

/// Models fitted to the same rows.
#[derive(Debug, Clone, Serialize)]
pub struct Comparison {
    /// Observations.
    pub nobs: u64,
    /// The parts of the cross-validation; 0 where there was none.
    pub folds: usize,
    /// What the parts were drawn from.
    pub seed: u64,
    /// The models, that of the least BIC first.
    pub models: Vec<Entry>,
    /// Which is preferred; absent where none may win.
    pub judgement: Option<Judgement>,
    /// What speaks against it in the data, whatever the others; absent without a judgement or where only that was asked for.
    pub scrutiny: Option<Scrutiny>,
    /// What speaks for it in the data; absent without a judgement or where only a judgement was asked for.
    pub advice: Option<Advice>,
    /// What a reader should know before using the numbers.
    pub warnings: Vec<Warning>,
    /// The differences of mean log scores, first less second.
    #[serde(skip)]
    pub(super) differences: Vec<Vec<Difference>>,
}

impl Comparison {
    /// The preferred model.
    pub fn preferred(&self) -> Option<&Entry> {
        let preferred = &self.judgement.as_ref()?.preferred;
        self.models.iter().find(|entry| entry.candidate == *preferred)
    }

    /// The fits to all rows, that of the least BIC first.
    pub fn fits(&self) -> impl Iterator<Item = &Fit> {
        self.models.iter().filter_map(|entry| entry.fit.as_ref())
    }

    /// Plain Gaussian noise.
    pub fn gaussian(&self) -> Option<&Entry> {
        self.models.iter().find(|entry| entry.candidate.is_plain_gaussian())
    }

    /// The difference of the mean log scores of two models, first less second, with the standard error of the difference,
    /// paired by row; none without cross-validation.
    pub fn difference(&self, first: &Candidate, second: &Candidate) -> Option<Difference> {
        let place = |candidate: &Candidate| self.models.iter().position(|entry| entry.candidate == *candidate);
        let (first, second) = (place(first)?, place(second)?);
        self.differences.get(first)?.get(second).copied().filter(|difference| difference.log_score.is_finite())
    }
}

/// What in the data speaks for the preferred model.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Advice {
    /// The kurtosis of the residuals of plain Gaussian noise, which is 3 if that is right.
    pub kurtosis: Option<f64>,
    /// The kurtosis of the preferred model's residuals over their scale, where that is modelled.
    pub kurtosis_over_scale: Option<f64>,
    /// The degrees of freedom of Student's t noise with the scale of the preferred model, where it is among the models.
    pub df: Option<ShapeParameter>,
    /// Rows that Gaussian noise does not explain; absent where the preferred model has no spread to judge them by.
    pub outliers: Option<Outliers>,
    /// How the noise's scale varies, where the preferred model has it modelled.
    pub variance: Option<VarianceAdvice>,
    /// The coefficients of plain Gaussian noise beside those of the preferred model, the one that is most off first; empty
    /// where plain Gaussian noise is preferred or has no fit.
    pub coefficients: Vec<Shift>,
}

/// What was looked at in the rows of the preferred model, beside where those left out fall
/// ([`pit_p_value`](crate::compare::OutOfSample::pit_p_value)).
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Scrutiny {
    /// Whether its residuals are skewed; absent where they are too few.
    pub asymmetry: Option<Asymmetry>,
    /// Whether they are like the ones before; absent with frequencies, whose rows have no order.
    pub dependence: Option<Dependence>,
    /// The number of values that the response takes, where it is 12 or less and each has five observations on average.
    pub distinct_values: Option<u64>,
    /// A value that a tenth of the responses or more have, if that is three times as many as any other has.
    pub spike: Option<Spike>,
    /// The least response.
    pub least_response: f64,
}

/// How like a row's residual is to that of the row before.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Dependence {
    /// The correlation of `2 F(r) - 1` of neighbouring rows, `F` the distribution of the noise: bounded, so that it holds
    /// whatever the tails.
    pub correlation: f64,
    /// The probability of a larger one if the noise is independent from row to row.
    pub p_value: f64,
}

/// A value that many responses have.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Spike {
    /// The value.
    pub value: f64,
    /// The share of the responses that have it.
    pub share: f64,
}

/// Rows far from the preferred fit.
///
/// A residual is divided by the model's own scale where that is modelled, and by the robust standard deviation of all such
/// residuals, their median size over 0.6745.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Outliers {
    /// The robust standard deviation: in units of the response, or of the modelled scale.
    pub deviation: f64,
    /// How many such deviations Gaussian noise exceeds anywhere in one sample of twenty of this size.
    pub limit: f64,
    /// Rows beyond the limit, each as often as its frequency.
    pub beyond: u64,
    /// How many of them stand apart: those above the widest gap between the limit and the largest of them, if that gap is
    /// wider than the limit itself. Known where no more than 64 rows are beyond.
    pub apart: Option<u64>,
    /// The farthest of them, farthest first.
    pub rows: Vec<Outlier>,
}

/// A row far from the preferred fit.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Outlier {
    /// Its number from 0 among the rows that were used.
    pub row: u64,
    /// Its residual in robust standard deviations.
    pub deviations: f64,
}

/// How a modelled scale varies.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct VarianceAdvice {
    /// The term of the scale whose coefficient is surest to be other than zero.
    pub term: String,
    /// Its coefficient over its standard error.
    pub statistic: f64,
    /// Its 10% and 90% quantiles; the smallest and the largest value where these are equal.
    pub from: f64,
    /// The upper one.
    pub to: f64,
    /// The factor of the standard deviation from the one to the other, all else equal.
    pub factor: f64,
    /// The factor between the 10% and 90% quantiles of the standard deviation over the rows.
    pub overall_factor: f64,
}

/// What a coefficient would be if plain Gaussian noise were assumed.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Shift {
    /// The term.
    pub term: String,
    /// Its estimate under plain Gaussian noise.
    pub gaussian: f64,
    /// Its standard error there.
    pub gaussian_std_error: Option<f64>,
    /// Its estimate under the preferred model.
    pub preferred: f64,
    /// Its standard error there.
    pub preferred_std_error: Option<f64>,
    /// The first estimate less the second, in standard errors of the preferred model.
    pub shift: Option<f64>,
}
