//! The record that every estimator returns.

mod absorbed;
mod coefficients;
mod confint;
mod counts;
mod covariance;
mod facts;
mod fit;
mod flat;
mod intervals;
mod likelihood_of;
mod scale_rule;
mod small_sample;
mod termination;
mod text;
mod topic;
mod vcov;
mod warning;

pub use absorbed::{Absorbed, AbsorbedEffect};
pub use coefficients::{Coefficient, Coefficients};
pub use confint::Confint;
pub use counts::Counts;
pub use covariance::{Covariance, LocationCovariance, Reference};
pub(crate) use covariance::{CovarianceEstimate, Refined, SmallSampled, reference};
pub use facts::{ClosedForm, FTest, ShapeParameter, Vertex};
pub use fit::{CoefficientTest, Fit, FittedScale, Goodness, Likelihood};
pub use intervals::Intervals;
pub use likelihood_of::LikelihoodOf;
pub use scale_rule::ScaleRule;
pub use small_sample::SmallSample;
pub use termination::{Reason, Termination};
pub use topic::Topic;
pub use vcov::VcovKind;
pub use warning::{NoNid, Shortfall, Warning};
