//! How the scale of a fit came about.

use crate::noise::{HuberScale, InvalidNoise};

/// How the scale of a fit was estimated.
///
/// ```
/// use noisefit_core::record::ScaleRule;
///
/// assert_eq!("mad:0.5".parse(), Ok(ScaleRule::Mad { constant: 0.5 }));
/// assert_eq!(ScaleRule::MaximumLikelihood.to_string(), "maximum-likelihood");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub enum ScaleRule {
    /// `maximum-likelihood`: with the coefficients, or given them.
    #[default]
    MaximumLikelihood,
    /// `mad` or `mad:CONSTANT`: the median absolute residual over the constant.
    Mad {
        /// What the median is divided by; where it is the third quartile of the standard normal, it is not written.
        constant: f64,
    },
    /// `proposal2`: Huber's proposal 2, by the mean of the squared clipped residuals.
    Proposal2,
    /// `modelled`: its logarithm is a linear predictor with coefficients of its own, by maximum likelihood.
    Modelled,
}

impl ScaleRule {
    /// What Huber's estimator is asked for to have a scale by this rule.
    pub(crate) fn of_huber(self) -> HuberScale {
        match self {
            ScaleRule::Mad { constant } => HuberScale::Mad { constant },
            ScaleRule::Proposal2 => HuberScale::Proposal2,
            ScaleRule::MaximumLikelihood | ScaleRule::Modelled => HuberScale::MaximumLikelihood,
        }
    }
}

impl From<HuberScale> for ScaleRule {
    fn from(scale: HuberScale) -> Self {
        match scale {
            HuberScale::MaximumLikelihood => ScaleRule::MaximumLikelihood,
            HuberScale::Mad { constant } => ScaleRule::Mad { constant },
            HuberScale::Proposal2 => ScaleRule::Proposal2,
        }
    }
}

impl std::fmt::Display for ScaleRule {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            ScaleRule::MaximumLikelihood => f.write_str("maximum-likelihood"),
            ScaleRule::Mad { .. } | ScaleRule::Proposal2 => self.of_huber().fmt(f),
            ScaleRule::Modelled => f.write_str("modelled"),
        }
    }
}

impl std::str::FromStr for ScaleRule {
    type Err = InvalidNoise;

    fn from_str(text: &str) -> Result<Self, InvalidNoise> {
        match text {
            "maximum-likelihood" => Ok(ScaleRule::MaximumLikelihood),
            "modelled" => Ok(ScaleRule::Modelled),
            other => other.parse::<HuberScale>().map(ScaleRule::from),
        }
    }
}
