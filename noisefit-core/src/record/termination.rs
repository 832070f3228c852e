//! Why an estimator stopped.

use serde::{Deserialize, Serialize};

/// Why an estimator stopped, and where.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Termination {
    /// Whether the estimate is the optimum, to the accuracy stated.
    pub converged: bool,
    /// What was reached, or what it stopped at.
    pub reason: Reason,
    /// Iterations taken; zero for a closed form.
    pub iterations: u64,
    /// The relative gap to the dual objective, for estimators that have one.
    pub duality_gap: Option<f64>,
}

/// What made an estimator stop. Its name is the same in JSON and in sentences: that of the variant in kebab-case.
///
/// ```
/// use noisefit_core::record::Reason;
///
/// assert_eq!(Reason::VertexOptimalGivenScale.to_string(), "vertex-optimal-given-scale");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Reason {
    /// There was nothing to iterate.
    ClosedForm,
    /// A vertex whose duals are within their bounds, and so the minimum.
    VertexOptimal,
    /// Such a vertex given the modelled scale, which is the best one given the vertex.
    VertexOptimalGivenScale,
    /// The rows on either side of the knees, and on them, no longer change.
    ActiveSet,
    /// The gradient is zero to the accuracy stated.
    Gradient,
    /// Without convergence: so many steps from vertex to vertex that something is wrong.
    StepLimit,
    /// Without convergence: all iterations that are allowed.
    IterationLimit,
    /// Without convergence: no step, however short, leads to a better value.
    NoIncrease,
    /// Training: all epochs that were asked for.
    Epochs,
    /// Training: so many epochs without a new best loss as were to be waited for.
    Patience,
    /// Training: someone asked it to stop.
    Interrupted,
    /// Training: the loss exploded.
    Diverged,
}

impl std::fmt::Display for Reason {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // The name of a unit variant, as serde has it.
        self.serialize(f)
    }
}
