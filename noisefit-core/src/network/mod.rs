//! Networks, and linear models trained by gradient steps, with a noise family at the output.
//!
//! A step is fused: the forward pass, the family's score at the output, the backward pass and the update work in buffers
//! that were made before the first step. Parameters and activations are `f32`, the family's functions and all sums of
//! losses are computed in `f64`.

mod activation;
mod architecture;
mod checkpoint;
mod ensemble;
mod feed;
mod fit;
mod lbfgs;
mod learner;
mod mixture;
mod model;
mod objective;
mod optimizer;
mod pass;
mod plan;
mod prepare;
mod scale;
mod standardise;
mod state;
mod stream;
mod tensors;
#[cfg(test)]
mod tests;
mod trainer;
mod tune;

pub use activation::Activation;
pub use architecture::{Architecture, Embedding, Layer};
pub use checkpoint::Checkpoint;
pub use feed::{Batch, Feed, MemoryFeed, Show, TrainingRows};
pub use fit::{Fitted, fit};
pub use lbfgs::minimise;
pub use learner::Learner;
pub use mixture::{Deviation, Mixture};
pub use model::{Member, Network, line};
pub use objective::{Objective, Targets};
pub use optimizer::{Method, Optimizer};
pub use pass::Workspace;
pub use plan::{About, Plan, Solver, Watch};
pub use standardise::{Centre, Standardisation};
pub use state::{Snapshot, State};
pub use tensors::Tensors;
pub use trainer::{Epoch, Observer, Schedule, Step, Trained, Training};
pub use tune::{Space, Trial, tune};

/// The passes of this module.
pub(crate) fn kinds() -> crate::rows::Kinds {
    standardise::kinds()
}
