//! How much of a model a scan reads.

/// How much of a model is read: each includes those before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
pub enum Scope {
    /// The design's columns and the scale's: what a prediction needs.
    Design,
    /// The response, too.
    Response,
    /// The weights and frequencies, too: what a fit needs.
    #[default]
    All,
}
