//! What a diagnostic is: sums over the rows of a fit, and what is found in them.

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::inference::diagnostics::diagnosis::Diagnosis;
use crate::inference::diagnostics::measures::Measured;
use crate::inference::diagnostics::summary::Summary;

/// A diagnostic: a file of its own and a line in the list of `list.rs`.
///
/// The value is what it sums over the rows, a part of the one pass that all diagnostics share; one that needs nothing but what
/// a [`Summary`] holds sums nothing.
pub(super) trait Diagnostic: Clone + Serialize + DeserializeOwned {
    /// What is found.
    type Finding: Serialize;

    /// No row yet, for lists of at most `keep` rows.
    fn new(diagnosis: &Diagnosis, keep: usize) -> Self;

    /// Takes a block's rows, which follow `before` others.
    fn fold(&mut self, _diagnosis: &Diagnosis, _rows: &Measured<'_>, _before: u64) {}

    /// Takes the sums of later rows, which follow `before` of its own.
    fn merge(&mut self, _later: Self, _before: u64) {}

    /// What the rows say.
    fn finish(&self, diagnosis: &Diagnosis, summary: &Summary) -> Self::Finding;
}
