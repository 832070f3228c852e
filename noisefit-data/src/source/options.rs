//! How a design meets its records, and where a row stands.

use crate::formula::{Scope, Unseen};

/// What to do with records in which a variable of the model is missing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
pub enum Missing {
    /// Leave them out and count them.
    #[default]
    Drop,
    /// Refuse, naming the first.
    Fail,
}

noisefit_core::named!(Missing {
    Drop = "drop": "Leave such rows out and count them",
    Fail = "fail": "Refuse, naming the first",
});

/// How a design meets its records.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
pub struct SourceOptions {
    /// What to do with incomplete records.
    pub missing: Missing,
    /// What to do with levels that the model was not fitted to.
    pub unseen: Unseen,
    /// What is read: all for a fit, without the weights for an evaluation.
    pub scope: Scope,
}

/// Where a row stands that a fit used.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct RowPlace {
    /// Its number from 0 among the rows used.
    pub row: u64,
    /// Its file.
    pub file: String,
    /// Its number from 1 among the records of the file, the header not counted.
    pub record: u64,
    /// The columns that the model reads, with their values as text.
    pub values: Vec<(String, String)>,
}
