//! How many rows a fit met.

/// How many records a pass met.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
pub struct Counts {
    /// Records of the data.
    pub records: u64,
    /// Left out because a variable of the model is missing.
    pub missing: u64,
    /// Left out because their weight or frequency is zero.
    pub weightless: u64,
}
