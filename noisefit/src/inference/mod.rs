//! What an estimate is worth: the distributions that tests and intervals refer to, and what speaks against the model.

pub mod conformal;
pub mod covariance;
pub mod diagnostics;
pub mod distribution;
pub mod profile;
