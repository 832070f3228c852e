//! How a model stands beside the others.

use serde::Serialize;

use crate::compare::kinds::contestant::Contestant;
use crate::compare::kinds::scores::FoldScores;

/// How one of the models predicts rows that it was not fitted to.
#[derive(Debug, Clone, Serialize)]
pub struct Standing {
    /// The model.
    #[serde(rename = "model")]
    pub contestant: Contestant,
    /// Over all folds; absent where it has no fit in one.
    #[serde(flatten)]
    pub scores: Option<FoldScores>,
    /// Fold by fold.
    pub by_fold: Vec<FoldScores>,
    /// How long all its fits took; differs from run to run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seconds: Option<f64>,
    /// Why it has no scores.
    pub note: Option<String>,
}
