//! Asymmetric Laplace noise: the pinball loss, whose location is a quantile.

use serde::{Deserialize, Serialize};

use super::NoiseFamily;
use super::shape::{Check, Shape};

/// The density `tau (1 - tau) exp(-rho(r))`, where `rho` is the check function of level `tau`: the location is the
/// `tau`-quantile (Koenker and Machado 1999, *JASA* 94, 1296-1310). The scale is the mean of `rho(y - mu)`; at
/// `tau = 1/2` it is half of the [`Laplace`](super::Laplace) scale.
///
/// ```
/// use noisefit::noise::{AsymmetricLaplace, NoiseFamily};
///
/// let family = AsymmetricLaplace { tau: 0.9 };
/// assert!((family.cdf(0.0) - 0.9).abs() < 1e-15);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct AsymmetricLaplace {
    /// The level of the quantile that the location is, between 0 and 1.
    pub tau: f64,
}

impl AsymmetricLaplace {
    fn shape(&self) -> Check {
        Check { tau: self.tau }
    }
}

impl NoiseFamily for AsymmetricLaplace {
    fn name(&self) -> &'static str {
        "quantile"
    }

    fn negative_log_density(&self, r: f64) -> f64 {
        self.shape().value(r) - (self.tau * (1.0 - self.tau)).ln()
    }

    fn score(&self, r: f64) -> f64 {
        self.shape().slope(r)
    }

    fn curvature(&self, _r: f64) -> f64 {
        0.0
    }

    fn weight(&self, r: f64) -> f64 {
        if r == 0.0 { f64::INFINITY } else { self.score(r) / r }
    }

    fn cdf(&self, r: f64) -> f64 {
        let tau = self.tau;
        if r < 0.0 { tau * ((1.0 - tau) * r).exp() } else { 1.0 - (1.0 - tau) * (-tau * r).exp() }
    }

    fn survival(&self, r: f64) -> f64 {
        let tau = self.tau;
        if r > 0.0 { (1.0 - tau) * (-tau * r).exp() } else { 1.0 - tau * ((1.0 - tau) * r).exp() }
    }

    fn quantile(&self, p: f64) -> f64 {
        let tau = self.tau;
        if p < tau { (p / tau).ln() / (1.0 - tau) } else { -((1.0 - p) / (1.0 - tau)).ln() / tau }
    }

    fn upper_quantile(&self, p: f64) -> f64 {
        let tau = self.tau;
        if p < 1.0 - tau { -(p / (1.0 - tau)).ln() / tau } else { ((1.0 - p) / tau).ln() / (1.0 - tau) }
    }

    fn mean(&self) -> f64 {
        (1.0 - 2.0 * self.tau) / (self.tau * (1.0 - self.tau))
    }

    fn variance(&self) -> f64 {
        let both = self.tau * (1.0 - self.tau);
        (1.0 - 2.0 * both) / (both * both)
    }
}
