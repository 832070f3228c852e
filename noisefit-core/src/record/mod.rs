//! The record that every estimator returns.

mod coefficients;
mod confint;
mod counts;
mod covariance;
mod facts;
mod fit;
mod flat;
mod intervals;
mod scale_rule;
mod termination;
mod text;
mod topic;
mod vcov;
mod warning;

pub use coefficients::{Coefficient, Coefficients};
pub use confint::Confint;
pub use counts::Counts;
pub(crate) use covariance::CovarianceEstimate;
pub use covariance::{Covariance, LocationCovariance, Reference};
pub use facts::{ClosedForm, FTest, ShapeParameter, Vertex};
pub use fit::{CoefficientTest, Fit, FittedScale, Goodness, Likelihood};
pub use intervals::Intervals;
pub use scale_rule::ScaleRule;
pub use termination::{Reason, Termination};
pub use topic::Topic;
pub use vcov::VcovKind;
pub use warning::{NoNid, Shortfall, Warning};
