//! What an estimate is worth: standard errors, intervals, predictions, and what speaks against the model.

pub mod conformal;
pub mod covariance;
pub mod diagnostics;
pub mod evaluate;
mod fit;
pub mod predict;
pub mod profile;

pub use fit::fit;
