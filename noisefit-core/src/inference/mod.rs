//! What an estimate is worth: standard errors, intervals, predictions, and what speaks against the model.

mod coded;
pub mod conformal;
pub mod covariance;
pub mod diagnostics;
pub mod distribution;
pub mod effects;
pub mod evaluate;
mod fit;
mod goodness;
pub mod hypothesis;
mod new_observation;
mod options;
pub mod outside;
pub mod predict;
pub(crate) mod predictive;
pub mod profile;
mod scale_interval;
pub mod sketch;
pub(crate) mod small_sample;
pub mod vif;

pub use coded::{Coded, by_codes, fit_coded};
pub use fit::fit;
pub use goodness::{MOST_OBSERVATIONS, goodness};
pub use options::Options;

/// The passes of this module.
pub(crate) fn kinds() -> crate::rows::Kinds {
    let passes = crate::rows::Kinds::default().with::<evaluate::Evaluation>().and(sketch::kinds());
    passes
        .and(covariance::kinds())
        .and(profile::kinds())
        .and(hypothesis::kinds())
        .and(goodness::kinds())
        .and(diagnostics::kinds())
        .and(conformal::kinds())
        .and(small_sample::kinds())
        .and(outside::kinds())
}
