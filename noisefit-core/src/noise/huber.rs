//! Huber's least favourable noise: Gaussian in the middle, exponential tails.

use serde::{Deserialize, Serialize};

use crate::Error;
use crate::noise::noises::number;
use crate::noise::shape::Shape;
use crate::noise::{
    Compared, Description, Evaluate, Evaluated, Family, HuberScale, Information, Kernel, Loss, ModelledScale,
    NoiseFamily, Parameter, Parameters, RouteVisitor, shape,
};
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
#[serde(into = "Written", from = "Written")]
pub struct Huber {
    /// Where the tails begin, in scales; found by the fit where `delta` is given.
    pub k: Parameter,
    /// Where they begin in units of the response, where that was given.
    pub delta: Option<f64>,
    /// How the scale is estimated.
    pub scale: HuberScale,
}

impl Huber {
    /// The `k` where none is given: 95% efficient under Gaussian noise (Huber 1964, *Annals of Mathematical Statistics* 35,
    /// 73-101).
    pub const K: f64 = 1.345;

    /// Huber's noise whose tails begin at `k` scales, with the scale of maximum likelihood.
    pub const fn new(k: f64) -> Self {
        Huber { k: Parameter::Given(k), delta: None, scale: HuberScale::MaximumLikelihood }
    }

    /// That whose tails begin at `delta`, in units of the response.
    pub const fn fixed(delta: f64) -> Self {
        Huber { k: Parameter::Free, delta: Some(delta), scale: HuberScale::MaximumLikelihood }
    }

    /// This noise whose tails are found to begin at `k` scales.
    #[must_use]
    pub fn at(self, k: f64) -> Self {
        Huber { k: if self.delta.is_some() { Parameter::Estimated(k) } else { Parameter::Given(k) }, ..self }
    }

    /// Where the tails begin, in scales.
    pub fn k(&self) -> f64 {
        self.k.value()
    }

    /// The third quartile of the standard normal distribution: by it, the median absolute residual of Gaussian noise
    /// estimates its scale.
    pub const NORMAL_QUARTILE: f64 = 0.674_489_750_196_081_7;

    /// The kernel at this knee.
    pub fn kernel(&self) -> HuberKernel {
        HuberKernel { k: self.k() }
    }

    /// What `exp(-rho)` holds between 0 and `r`, for `|r| <= k`.
    fn middle(r: f64) -> f64 {
        SQRT_2_PI * normal::central(r)
    }

    /// `k` times what `exp(-rho)` holds in one tail.
    fn tail(&self) -> f64 {
        normal::bell(self.k())
    }

    /// `k` times what it holds in all, which has no difference and stays finite as `k` goes to 0.
    fn total(&self) -> f64 {
        2.0 * (self.k() * Self::middle(self.k()) + self.tail())
    }
}

/// Huber's parabola with tangents beyond `k`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct HuberKernel {
    k: f64,
}

impl Kernel for HuberKernel {
    const NAME: &'static str = "huber";

    #[inline(always)]
    fn at(self, r: f64) -> Evaluated {
        let shape = shape::Huber { knee: self.k, steepness: 1.0 };
        let curvature = if r.abs() > self.k { 0.0 } else { 1.0 };
        Evaluated { value: shape.value(r), score: shape.slope(r), curvature, ..Evaluated::default() }
    }

    fn constant(self) -> f64 {
        (Huber::new(self.k).total() / self.k).ln()
    }

    fn expected(self) -> Information {
        Huber::new(self.k).information()
    }

    fn parameter(self) -> f64 {
        self.k
    }
}

impl Evaluate for Huber {
    fn evaluate(&self, r: f64) -> Evaluated {
        self.kernel().at(r)
    }

    fn log_normaliser(&self) -> f64 {
        self.kernel().constant()
    }
}

impl NoiseFamily for Huber {
    fn name(&self) -> &'static str {
        HuberKernel::NAME
    }

    fn cdf(&self, r: f64) -> f64 {
        let k = self.k();
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
        let (k, tail, total) = (self.k(), self.tail(), self.total());
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
        let (tail, middle) = (self.tail() / self.total(), self.k() * Self::middle(self.k()) / self.total());
        let lower = tanh_sinh(tail, |p| g(self.quantile(p))) + tanh_sinh(middle, |p| g(self.quantile(tail + p)));
        let upper =
            tanh_sinh(tail, |p| g(self.upper_quantile(p))) + tanh_sinh(middle, |p| g(self.upper_quantile(tail + p)));
        lower + upper
    }

    fn variance(&self) -> f64 {
        let (middle, tail) = (2.0 * self.k() * Self::middle(self.k()), self.tail());
        (middle + 4.0 * tail * (1.0 + 1.0 / (self.k() * self.k()))) / self.total()
    }

    /// `r (2 F(r) - 1) + 2 E[R; R > |r|] - E|R - R'| / 2`, by pieces.
    fn crps(&self, r: f64) -> f64 {
        let (k, size) = (self.k(), r.abs());
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
        let (middle, tail) = (2.0 * self.k() * Self::middle(self.k()), self.tail());
        Information {
            // The probability of the middle.
            location: middle / self.total(),
            // In this order k^2 may leave the range of a double: the tail is zero long before.
            log_scale: 1.0 + (middle - 2.0 * self.k() * (self.k() * tail)) / self.total(),
            cross: 0.0,
        }
    }
}

/// How a record holds it.
#[derive(Serialize, Deserialize)]
struct Written {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    k: Option<f64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    delta: Option<f64>,
    /// Left out where it is that of maximum likelihood.
    #[serde(default, skip_serializing_if = "is_default")]
    scale_rule: HuberScale,
}

fn is_default(scale: &HuberScale) -> bool {
    *scale == HuberScale::default()
}

impl From<Huber> for Written {
    fn from(Huber { k, delta, scale }: Huber) -> Self {
        Written { k: Some(k.value()).filter(|k| !k.is_nan()), delta, scale_rule: scale }
    }
}

impl From<Written> for Huber {
    fn from(Written { k, delta, scale_rule }: Written) -> Self {
        let k = match (k, delta) {
            (Some(k), None) => Parameter::Given(k),
            (Some(k), Some(_)) => Parameter::Estimated(k),
            (None, _) => Parameter::Free,
        };
        Huber { k, delta, scale: scale_rule }
    }
}

impl Parameters for Huber {
    fn parse(parameter: Option<&str>) -> Result<Vec<Self>, &'static str> {
        let Some(delta) = parameter else { return Ok(vec![Huber::new(Huber::K)]) };
        let delta = number(delta).filter(|delta| *delta > 0.0);
        let delta =
            delta.ok_or("delta, where squares turn into lines, is a positive number in units of the response")?;
        Ok(vec![Huber::fixed(delta)])
    }

    fn written(&self) -> Option<String> {
        self.delta.map(|delta| delta.to_string())
    }

    fn words(&self) -> String {
        match self.delta {
            Some(delta) => format!(" with delta {delta}"),
            None => format!(" with k {}", self.k()),
        }
    }

    fn named(self) -> Self {
        Huber { k: self.k.named(), ..self }
    }

    fn check(&self) -> Result<(), Error> {
        let positive = |name: &'static str, value: f64| match value > 0.0 && value.is_finite() {
            true => Ok(()),
            false => Err(Error::Argument { name, value, expected: "positive and finite" }),
        };
        if let HuberScale::Mad { constant } = self.scale {
            positive("the constant of the median", constant)?;
        }
        self.delta.map_or_else(|| positive("k", self.k()), |delta| positive("delta", delta))
    }

    fn is_density(&self) -> bool {
        self.k() > 0.0
    }

    fn samples() -> Vec<Self> {
        [0.35, Huber::K, 4.5].map(Huber::new).into_iter().chain([Huber::fixed(2.5).at(1.2)]).collect()
    }
}

impl Family for Huber {
    const DESCRIPTION: Description = Description {
        usage: &["huber", "huber:DELTA"],
        about: "squared error in the middle and absolute error beyond k scales, or beyond DELTA units of the response",
        scale: ModelledScale::Trained,
        compared: Compared::ByDefault,
        loss: Loss { name: "mean huber loss", standardised: "mean huber loss", factor: 1.0, power: 2 },
    };

    fn accept<V: RouteVisitor>(self, visitor: V) -> V::Output {
        visitor.active_set(self.kernel(), self)
    }
}
