//! The charts of what was found.
//!
//! Each function takes records and gives a [`Chart`]: its data are the records' numbers, or arithmetic on them that its caption
//! tells.

mod coefficients;
mod common;
mod comparison;
mod families;
mod line;
mod profile;
mod rows;
mod shape;
mod training;

pub use coefficients::{coefficients, quantile_coefficients};
pub use comparison::{aic, log_score};
pub use families::{densities, gradients, losses};
pub use line::{Curve, data, lines, partial};
pub use profile::{likelihood, normalised};
pub use rows::{leverage, observed, residuals, scale_location};
pub use shape::{Rival, Rivals, calibration, histogram, pit, quantiles};
pub use training::{losses_by_epoch, traces};
