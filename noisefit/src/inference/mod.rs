//! What an estimate is worth: the distributions that tests and intervals refer to.

pub mod conformal;
pub mod covariance;
pub mod distribution;
