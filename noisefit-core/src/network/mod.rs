//! Networks, and linear models trained by gradient steps, with a noise family at the output.
//!
//! A step is fused: the forward pass, the family's score at the output, the backward pass and the update work in buffers
//! that were made before the first step. Parameters and activations are `f32`, the family's functions and all sums of
//! losses are computed in `f64`.

mod activation;
mod architecture;
pub(crate) mod checkpoint;
mod course;
pub(crate) mod feed;
mod lbfgs;
mod learner;
mod mixture;
pub(crate) mod model;
pub(crate) mod objective;
mod optimizer;
mod pass;
mod pieces;
pub(crate) mod plan;
mod recipe;
pub(crate) mod standardise;
mod state;
mod tangent;
mod tensors;
#[cfg(test)]
mod tests;
mod trainer;

pub use activation::Activation;
pub use architecture::{Architecture, Embedding, Layer};
pub use checkpoint::Checkpoint;
pub use course::{Epoch, Schedule, Trained, Training};
pub use feed::{Batch, Feed, MemoryFeed, Show, TrainingRows};
pub use lbfgs::minimise;
pub use learner::Learner;
pub use mixture::{Deviation, Mixture, Said};
pub use model::{Member, Network, line};
pub use objective::{Objective, Targets};
pub use optimizer::{Optimizer, UpdateRule};
pub use pass::Workspace;
pub use pieces::Pieces;
pub use plan::{About, LeftOut, Plan, Solver, Watch};
pub use standardise::{Centre, Standardisation};
pub use state::{Snapshot, State};
pub use tangent::Directional;
pub use tensors::Tensors;
pub use trainer::{Observer, Step};

/// The passes of this module.
pub(crate) fn kinds() -> crate::rows::Kinds {
    standardise::kinds()
}
