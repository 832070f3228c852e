//! Of what a log-likelihood is.

use serde::{Deserialize, Serialize};

/// Of what the log-likelihood of a model is, where its response is a function `g(y)` of a column.
///
/// With the Jacobian `log |g'(y)|` it is that of `y` itself, and compares with models of `y`, if `g` is one to one and the noise
/// stays where `g` has its values. Where that is not so, it is that of `g(y)`, without the Jacobian.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LikelihoodOf {
    /// Of the response as it stands in the data.
    #[default]
    Response,
    /// Of `g(y)`, for `g` rises at some responses and falls at others, as `abs(y)` does.
    Folded,
    /// Of `g(y)`, for its derivative is zero or has no value at some responses, as that of `sqrt(y)` at 0.
    NoDerivative,
    /// Of `g(y)`, for the fitted noise has so much of its mass, as a mean over the rows, where `g` has no value.
    Beyond(f64),
}

impl LikelihoodOf {
    /// The share of the noise outside the values of a transformed response that is next to nothing.
    pub const NEXT_TO_NOTHING: f64 = 1e-6;
}
