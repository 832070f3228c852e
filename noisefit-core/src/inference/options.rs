//! How a linear model is fitted, and what its standard errors rest on.

use crate::algebra::Settings;
use crate::estimate::{self, Collinear};
use crate::inference::covariance::Vcov;
use crate::record::SmallSample;

/// How a linear model is fitted, with the covariance of its coefficients.
#[derive(Debug, Clone, PartialEq)]
pub struct Options {
    /// The level of the confidence intervals, in (0, 1).
    pub level: f64,
    /// How least squares is to be computed.
    pub settings: Settings,
    /// What to do with collinear terms.
    pub collinear: Collinear,
    /// How the covariance of the coefficients is estimated.
    pub vcov: Vcov,
    /// What is made of it for a small sample.
    pub small_sample: SmallSample,
    /// What everything that is drawn at random is drawn from.
    pub seed: u64,
}

impl Options {
    /// What of it the estimators know.
    pub fn estimation(&self) -> estimate::Options {
        let &Options { level, settings, collinear, seed, .. } = self;
        estimate::Options { level, settings, collinear, seed, held: 0 }
    }
}

impl Default for Options {
    fn default() -> Self {
        let estimate::Options { level, settings, collinear, seed, .. } = estimate::Options::default();
        Options { level, settings, collinear, vcov: Vcov::Default, small_sample: SmallSample::default(), seed }
    }
}
