//! Networks, and linear models trained by gradient steps, with a noise family at the output.
//!
//! A step is fused: the forward pass, the family's score at the output, the backward pass and the update work in buffers
//! that were made before the first step. Parameters and activations are `f32`, the family's functions and all sums of
//! losses are computed in `f64`.

mod activation;
mod architecture;
mod feed;
mod lbfgs;
mod learner;
mod objective;
mod optimizer;
mod pass;
#[cfg(test)]
mod tests;
mod trainer;

pub use activation::Activation;
pub use architecture::{Architecture, Layer};
pub use feed::{Batch, Feed, MemoryFeed, TrainingRows};
pub use lbfgs::minimise;
pub use learner::Learner;
pub use objective::{Objective, Targets};
pub use optimizer::{Method, Optimizer};
pub use pass::Workspace;
pub use trainer::{Epoch, Observer, Schedule, Step, Trained, Training};
