//! Huber's least favourable noise: Gaussian in the middle, exponential tails.

use serde::{Deserialize, Serialize};

use crate::noise::shape::Shape;
use crate::noise::{Evaluated, Information, Kernel, NoiseFamily, shape};
use crate::numeric::double_double::DoubleDouble;
use crate::numeric::special::exponential::exp_product;
use crate::numeric::special::normal;
use crate::numeric::special::quadrature::tanh_sinh;

/// `sqrt(2 pi)`.
const SQRT_2_PI: f64 = 2.506_628_274_631_000_2;

/// `sqrt(pi) / 2`.
const HALF_SQRT_PI: f64 = 0.886_226_925_452_758;

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

    #[inline(always)]
    fn shape(&self) -> shape::Huber {
        shape::Huber { knee: self.k, steepness: 1.0 }
    }

    /// What `exp(-rho)` holds between 0 and `r`, for `|r| <= k`.
    fn middle(r: f64) -> f64 {
        SQRT_2_PI * normal::central(r)
    }

    /// `k` times what `exp(-rho)` holds in one tail.
    fn tail(&self) -> f64 {
        normal::bell(self.k)
    }

    /// `k` times what it holds in all, which has no difference and stays finite as `k` goes to 0.
    fn total(&self) -> f64 {
        2.0 * (self.k * Self::middle(self.k) + self.tail())
    }
}

impl Kernel for Huber {
    const NAME: &'static str = "huber";

    #[inline(always)]
    fn at(self, r: f64) -> Evaluated {
        let curvature = if r.abs() > self.k { 0.0 } else { 1.0 };
        Evaluated { value: self.shape().value(r), score: self.shape().slope(r), curvature, ..Evaluated::default() }
    }

    fn constant(self) -> f64 {
        (self.total() / self.k).ln()
    }

    fn expected(self) -> Information {
        self.information()
    }

    fn parameter(self) -> f64 {
        self.k
    }
}

impl NoiseFamily for Huber {
    fn name(&self) -> &'static str {
        Self::NAME
    }

    fn cdf(&self, r: f64) -> f64 {
        let k = self.k;
        if r > 0.0 {
            return 1.0 - self.cdf(-r);
        }
        if r <= -k {
            return exp_product(DoubleDouble::from_sum(r, 0.5 * k), k) / self.total();
        }
        // Above one half of the tail the distance from the centre has the digits, below it that from the knee.
        if k < 1.0 {
            return 0.5 + k * Self::middle(r) / self.total();
        }
        let beyond_knee = SQRT_2_PI * (normal::survival(-r) - normal::survival(k));
        (self.tail() + k * beyond_knee) / self.total()
    }

    fn quantile(&self, p: f64) -> f64 {
        if p > 0.5 {
            return -self.quantile(1.0 - p);
        }
        let (k, tail, total) = (self.k, self.tail(), self.total());
        let beyond_knee = p * total - tail;
        let from_centre = (p - 0.5) * total;
        match (p < 0.25, beyond_knee <= 0.0) {
            (true, true) => (p * (total / tail)).ln() / k - k,
            (true, false) => normal::quantile(beyond_knee / (SQRT_2_PI * k) + normal::survival(k)),
            // Next to the centre what is left of one half has the digits.
            (false, true) => ((k * Self::middle(k) + from_centre) / tail).ln_1p() / k - k,
            (false, false) => normal::central_quantile(from_centre / (SQRT_2_PI * k)),
        }
    }

    /// In pieces that end at the knees.
    fn expectation(&self, g: &dyn Fn(f64) -> f64) -> f64 {
        let (tail, middle) = (self.tail() / self.total(), self.k * Self::middle(self.k) / self.total());
        let lower = tanh_sinh(tail, |p| g(self.quantile(p))) + tanh_sinh(middle, |p| g(self.quantile(tail + p)));
        let upper =
            tanh_sinh(tail, |p| g(self.upper_quantile(p))) + tanh_sinh(middle, |p| g(self.upper_quantile(tail + p)));
        lower + upper
    }

    fn variance(&self) -> f64 {
        let (middle, tail) = (2.0 * self.k * Self::middle(self.k), self.tail());
        (middle + 4.0 * tail * (1.0 + 1.0 / (self.k * self.k))) / self.total()
    }

    /// `r (2 F(r) - 1) + 2 E[R; R > |r|] - E|R - R'| / 2`, by pieces.
    fn crps(&self, r: f64) -> f64 {
        let (k, size) = (self.k, r.abs());
        // The integral of exp(-rho), and what it holds in one tail; k is kept out of denominators.
        let total = self.total();
        let bell = normal::bell(k);
        // k^2 Z times the mean beyond the knee.
        let beyond_knee = bell * (k * k + 1.0);
        let beyond = match size < k {
            true => k * k * (normal::bell(size) - bell) + beyond_knee,
            false => exp_product(DoubleDouble::from_sum(-size, 0.5 * k), k) * (k * size + 1.0),
        };
        // Half of E|R - R'| = 4 E[R (F(R) - 1/2)], over the middle and the tails of both sides.
        let central = Self::middle(k);
        let middle = 4.0 * k * k * (HALF_SQRT_PI * libm::erf(k) - bell * central) / (total * total);
        let tails = bell * (2.0 * (k * k + 1.0) - bell * (2.0 * k * k + 1.0) / total) / (k * total);
        size * (1.0 - 2.0 * self.cdf(-size)) + 2.0 * beyond / (k * total) - middle - tails
    }

    fn information(&self) -> Information {
        let (middle, tail) = (2.0 * self.k * Self::middle(self.k), self.tail());
        Information {
            // The probability of the middle.
            location: middle / self.total(),
            // In this order k^2 may leave the range of a double: the tail is zero long before.
            log_scale: 1.0 + (middle - 2.0 * self.k * (self.k * tail)) / self.total(),
            cross: 0.0,
        }
    }
}
