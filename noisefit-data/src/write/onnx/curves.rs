//! The curves of a model in its graph.

/// What a model says of the rows of its design: the names of values `[rows, curves]`.
pub(super) struct Curves {
    pub(super) locations: String,
    pub(super) scales: String,
    pub(super) epistemic: Option<String>,
}
