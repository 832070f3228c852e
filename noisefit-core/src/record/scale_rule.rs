//! How the scale of a fit came about.

use serde::{Deserialize, Serialize};

use crate::noise::HuberScale;

/// How the scale of a fit was estimated. Its name is the same in JSON and in sentences: that of the variant in kebab-case.
///
/// ```
/// use noisefit_core::record::ScaleRule;
///
/// assert_eq!(ScaleRule::MaximumLikelihood.to_string(), "maximum-likelihood");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ScaleRule {
    /// With the coefficients, or given them.
    MaximumLikelihood,
    /// The median absolute residual, over a constant that stands in the noise.
    Mad,
    /// Huber's proposal 2, by the mean of the squared clipped residuals.
    Proposal2,
    /// Its logarithm is a linear predictor with coefficients of its own, by maximum likelihood.
    Modelled,
}

impl From<HuberScale> for ScaleRule {
    fn from(scale: HuberScale) -> Self {
        match scale {
            HuberScale::MaximumLikelihood => ScaleRule::MaximumLikelihood,
            HuberScale::Mad { .. } => ScaleRule::Mad,
            HuberScale::Proposal2 => ScaleRule::Proposal2,
        }
    }
}

impl std::fmt::Display for ScaleRule {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // The name of a unit variant, as serde has it.
        self.serialize(f)
    }
}
