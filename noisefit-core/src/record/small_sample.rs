//! How a user asks for what is made of few rows.

use serde::{Deserialize, Serialize};

/// What standard errors and intervals allow for beside what the covariance says: that scale and coefficients come from the same
/// few rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SmallSample {
    /// `corrected`: the covariance of maximum likelihood times `n / (n - p)`, Student's t with `n - p` degrees of freedom, and
    /// what a modelled scale asks for beyond that.
    #[default]
    Corrected,
    /// `none`: the covariance as maximum likelihood has it, and the normal distribution.
    None,
}

crate::named!(SmallSample {
    Corrected = "corrected": "The factor n / (n - p) and Student's t",
    None = "none": "Maximum likelihood as it stands, and the normal distribution",
});
