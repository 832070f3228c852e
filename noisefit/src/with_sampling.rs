//! What does not go with sampling weights, and why.

use noisefit_core::wording::{Setting, Wording};

/// What does not go with sampling weights.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum WithSampling {
    /// Precisions of the rows.
    Weights,
    /// Numbers of identical rows.
    Frequencies,
    /// Absorbed effects, of which this is the first.
    Effects(String),
    /// Training.
    Training,
    /// A noise that is to be found out.
    Auto,
    /// Another covariance, as it is written.
    Vcov(String),
    /// Calibrated intervals.
    Conformal,
    /// Intervals of the profile likelihood.
    Profile,
    /// Tests that fit the rows again.
    Refits,
    /// What is called.
    Verb(&'static str),
}

impl WithSampling {
    /// What cannot be and what to do instead.
    pub(crate) fn sentence(&self, wording: &dyn Wording) -> String {
        let (name, with) = (|setting| wording.setting(setting), |setting, value: &str| wording.with(setting, value));
        let sampling = name(Setting::SamplingWeights);
        let without = format!("do so without {sampling}");
        match self {
            WithSampling::Weights => format!(
                "{} and {sampling} do not go together: precisions say how noisy a row is, sampling weights how likely it was to be drawn; \
                 leave one out, or model the noise with {}",
                name(Setting::Weights),
                name(Setting::Scale)
            ),
            WithSampling::Frequencies => format!(
                "{} and {sampling} do not go together: a row that stands for several which were drawn has no score of each; repeat such \
                 rows in the data",
                name(Setting::FrequencyWeights)
            ),
            WithSampling::Effects(effect) => format!(
                "{sampling}: absorbed effects (| {effect}) have no standard errors of rows that were drawn; put {effect} among the terms, \
                 where each of its levels has a coefficient"
            ),
            WithSampling::Training => format!(
                "{sampling}: what is trained by gradient steps has no standard errors, which are what sampling weights are about; say {}",
                with(Setting::Solver, "exact")
            ),
            WithSampling::Auto => format!(
                "{}: families are compared by their likelihoods, and with {sampling} there are none; name the noise",
                with(Setting::Noise, "auto")
            ),
            WithSampling::Vcov(vcov) => format!(
                "{}: this covariance takes a row for as many as its weight says, and is too sure by {sampling}; say {}, or {} for rows that \
                 were drawn in groups",
                with(Setting::Vcov, vcov),
                with(Setting::Vcov, "sampling"),
                with(Setting::Vcov, "cluster:COLUMN")
            ),
            WithSampling::Conformal => format!(
                "{}: intervals are calibrated on rows that are as likely as new ones, and with {sampling} they are not; leave it out",
                name(Setting::Conformal)
            ),
            WithSampling::Profile => format!(
                "{}: a ratio of pseudo-likelihoods, which {sampling} make, is not distributed as one of likelihoods; say {}",
                with(Setting::Confint, "profile"),
                with(Setting::Confint, "wald")
            ),
            WithSampling::Refits => format!(
                "tests that fit the rows again are none of a model with {sampling}: neither likelihood ratios nor bootstraps are distributed \
                 as those of rows that count the same; test by Wald's statistic, which has the covariance of the fit"
            ),
            WithSampling::Verb(verb) => {
                let called = wording.verb(verb);
                match *verb {
                    "compare" => format!(
                        "{called} sets likelihoods side by side, and with {sampling} there are none; fit the larger model and see by {} \
                         whether its terms are zero",
                        wording.verb("test")
                    ),
                    "profile" => format!(
                        "{called} follows a likelihood, and with {sampling} there is none; the intervals of {} are by standard errors that \
                         allow for them",
                        wording.verb("fit")
                    ),
                    _ => format!(
                        "{called} looks at rows as draws from the noise that count the same, and with {sampling} they are not; {without}"
                    ),
                }
            }
        }
    }
}
