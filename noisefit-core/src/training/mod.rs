//! The fit of a network, or of a linear model by gradient steps: rows are divided and made ready, members trained, the scale
//! estimated, the fit scored; plans tried on folds, intervals calibrated.

mod calibrate;
mod conformal;
mod ensemble;
mod fit;
mod prepare;
mod scale;
mod shrink;
mod stream;
mod tune;

pub use conformal::fit_conformal;
pub use fit::{Fitted, count, fit};
pub use shrink::Shrinkage;
pub use tune::{Space, Trial, choose, tune};
