//! The covariances that the derivatives of a likelihood give.

use crate::inference::covariance::meat::Dependence;

/// What is made of information and scores.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// The inverse of the expected information.
    Expected,
    /// The inverse of the observed information.
    Observed,
    /// With the observed information as bread the sandwich.
    Sandwich(Dependence),
}
