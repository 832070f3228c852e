//! Huber's least favourable noise: Gaussian in the middle, exponential tails.

use serde::{Deserialize, Serialize};

use super::NoiseFamily;
use super::shape::{self, Shape};
use crate::special::normal;

/// The density proportional to `exp(-rho(r))`, where `rho` is Huber's parabola with tangents beyond `k` (Huber 1964,
/// *Annals of Mathematical Statistics* 35, 73-101): the noise that is hardest to estimate a location from among all that
/// are Gaussian but for a share of anything.
///
/// It becomes Gaussian as `k` grows, and Laplace of scale `s / k` as `k` goes to 0.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Huber {
    /// Where the tails begin, in scales.
    pub k: f64,
    /// Where they begin in units of the response, where that was fixed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delta: Option<f64>,
}

impl Huber {
    /// The third quartile of the standard normal distribution: by it, the median absolute residual of Gaussian noise
    /// estimates its scale.
    pub const NORMAL_QUARTILE: f64 = 0.674_489_750_196_081_7;

    fn shape(&self) -> shape::Huber {
        shape::Huber { knee: self.k, steepness: 1.0 }
    }

    /// `exp(-k^2 / 2) / k`, what `exp(-rho)` holds in one tail.
    fn tail(&self) -> f64 {
        (-0.5 * self.k * self.k).exp() / self.k
    }

    /// What `exp(-rho)` holds in all.
    fn total(&self) -> f64 {
        std::f64::consts::TAU.sqrt() * (1.0 - 2.0 * normal::survival(self.k)) + 2.0 * self.tail()
    }
}

impl NoiseFamily for Huber {
    fn name(&self) -> &'static str {
        "huber"
    }

    fn negative_log_density(&self, r: f64) -> f64 {
        self.shape().value(r) + self.total().ln()
    }

    fn score(&self, r: f64) -> f64 {
        self.shape().slope(r)
    }

    fn curvature(&self, r: f64) -> f64 {
        f64::from(u8::from(r.abs() <= self.k))
    }

    fn cdf(&self, r: f64) -> f64 {
        if r > 0.0 {
            return 1.0 - self.cdf(-r);
        }
        if r <= -self.k {
            return self.tail() * (self.k * (r + self.k)).exp() / self.total();
        }
        let middle = std::f64::consts::TAU.sqrt() * (normal::survival(-r) - normal::survival(self.k));
        (self.tail() + middle) / self.total()
    }

    fn quantile(&self, p: f64) -> f64 {
        if p > 0.5 {
            return -self.quantile(1.0 - p);
        }
        let (tail, total) = (self.tail(), self.total());
        if p * total <= tail {
            return (p * total / tail).ln() / self.k - self.k;
        }
        normal::quantile((p * total - tail) / std::f64::consts::TAU.sqrt() + normal::survival(self.k))
    }
}
