//! How a user asks for confidence intervals.

use serde::{Deserialize, Serialize};

/// Where the confidence intervals of the coefficients come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Confint {
    /// `wald`: the estimate and a multiple of its standard error on both sides.
    #[default]
    Wald,
    /// `profile`: the values that a likelihood ratio test does not reject.
    Profile,
}

crate::named!(Confint {
    Wald = "wald": "",
    Profile = "profile": "",
});
