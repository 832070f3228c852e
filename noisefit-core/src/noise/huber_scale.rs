//! How the scale of Huber's noise is estimated.

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::noise::noises::number;
use crate::noise::{Huber, InvalidNoise};

/// How the scale of Huber's noise is estimated.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub enum HuberScale {
    /// `mle`: by maximum likelihood, with the coefficients.
    #[default]
    MaximumLikelihood,
    /// `mad` or `mad:CONSTANT`: the median absolute residual over the constant.
    Mad {
        /// What the median is divided by: 0.6744897501960817, the third quartile of the standard normal, unless given.
        constant: f64,
    },
    /// `proposal2`: Huber's proposal 2, by the mean of the squared clipped residuals.
    Proposal2,
}

impl std::str::FromStr for HuberScale {
    type Err = InvalidNoise;

    fn from_str(text: &str) -> Result<Self, InvalidNoise> {
        match (text, text.strip_prefix("mad:")) {
            ("mle", _) => Ok(HuberScale::MaximumLikelihood),
            ("mad", _) => Ok(HuberScale::Mad { constant: Huber::NORMAL_QUARTILE }),
            ("proposal2", _) => Ok(HuberScale::Proposal2),
            (_, Some(constant)) => {
                let constant = number(constant).filter(|constant| *constant > 0.0);
                constant.map(|constant| HuberScale::Mad { constant }).ok_or_else(|| {
                    InvalidNoise::new(text, "the constant is a positive number, such as mad:0.6745 for that of MASS")
                })
            }
            _ => Err(InvalidNoise::new(text, "the scale of Huber's noise is mle, mad, mad:CONSTANT or proposal2")),
        }
    }
}

impl std::fmt::Display for HuberScale {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            HuberScale::MaximumLikelihood => f.write_str("mle"),
            HuberScale::Mad { constant } if *constant == Huber::NORMAL_QUARTILE => f.write_str("mad"),
            HuberScale::Mad { constant } => write!(f, "mad:{constant}"),
            HuberScale::Proposal2 => f.write_str("proposal2"),
        }
    }
}

/// As it is written.
impl Serialize for HuberScale {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for HuberScale {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}
