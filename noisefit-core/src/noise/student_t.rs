//! Student's t noise: heavy tails, as heavy as the degrees of freedom say.

use std::f64::consts::PI;

use serde::{Deserialize, Serialize};

use crate::noise::gaussian::LN_SQRT_2_PI;
use crate::noise::{Evaluate, Evaluated, Gaussian, Information, Kernel, NoiseFamily};
use crate::numeric::distribution;
use crate::numeric::distribution::Distribution;
use crate::numeric::special::elementary::{ln_1p, polynomial};
use crate::numeric::special::gamma_ratio::log_gamma_ratio;

/// The density of Student's t distribution with `df` degrees of freedom, Gaussian where they are infinite (Lange, Little
/// and Taylor 1989, *JASA* 84, 881-896).
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct StudentT {
    /// The degrees of freedom, positive; null in JSON where infinite.
    #[serde(with = "infinite_as_null")]
    pub df: f64,
    /// Whether they were estimated with the rest.
    pub df_estimated: bool,
}

impl StudentT {
    /// The kernel at these degrees of freedom.
    fn kernel(&self) -> StudentTKernel<false> {
        StudentTKernel::new(1.0 / self.df)
    }
}

impl Evaluate for StudentT {
    fn evaluate(&self, r: f64) -> Evaluated {
        self.kernel().at(r)
    }

    fn log_normaliser(&self) -> f64 {
        self.kernel().constant()
    }
}

impl NoiseFamily for StudentT {
    fn name(&self) -> &'static str {
        StudentTKernel::<false>::NAME
    }

    /// To the last digits, and beyond the residuals that the kernel tells apart.
    fn negative_log_density(&self, r: f64) -> f64 {
        if self.df.is_infinite() {
            return Gaussian.negative_log_density(r);
        }
        0.5 * (self.df + 1.0) * ln_1p_square(r / self.df.sqrt()) + self.log_normaliser()
    }

    fn weight(&self, r: f64) -> f64 {
        if self.df.is_infinite() { 1.0 } else { (1.0 + 1.0 / self.df) / (1.0 + r * (r / self.df)) }
    }

    fn cdf(&self, r: f64) -> f64 {
        match distribution::StudentT::new(self.df) {
            Ok(t) => t.cdf(r),
            Err(_) => Gaussian.cdf(r),
        }
    }

    fn quantile(&self, p: f64) -> f64 {
        match distribution::StudentT::new(self.df) {
            Ok(t) => t.quantile(p),
            Err(_) => Gaussian.quantile(p),
        }
    }

    fn variance(&self) -> f64 {
        match self.df {
            df if df.is_infinite() => 1.0,
            df if df > 2.0 => df / (df - 2.0),
            _ => f64::INFINITY,
        }
    }

    /// `r (2 F(r) - 1) + (2 f(r) (df + r^2) - sqrt(df) c) / (df - 1)` with `c = 2 B(1/2, df - 1/2) / B(1/2, df/2)^2`, for
    /// `df > 1` (Jordan, Krueger and Lerch 2019, *Journal of Statistical Software* 90, 12).
    fn crps(&self, r: f64) -> f64 {
        let df = self.df;
        if df.is_infinite() {
            return Gaussian.crps(r);
        }
        if df <= 1.0 {
            return f64::INFINITY;
        }
        let size = r.abs();
        let density = (-self.negative_log_density(r)).exp();
        // The beta functions by ratios of gamma functions half a step apart, which overflow nowhere.
        let exponent = 2.0 * log_gamma_ratio(1.0 / df)[0] - log_gamma_ratio(1.0 / (2.0 * df - 1.0))[0];
        let spread = df * (df / (PI * (df - 0.5))).sqrt() * exponent.exp();
        size * (1.0 - 2.0 * self.cdf(-size)) + (2.0 * density * (df + r * r) - spread) / (df - 1.0)
    }

    fn information(&self) -> Information {
        if self.df.is_infinite() {
            return Gaussian.information();
        }
        let location = (self.df + 1.0) / (self.df + 3.0);
        Information { location, log_scale: 2.0 * self.df / (self.df + 3.0), cross: 0.0 }
    }
}

/// Student's t with `theta` the inverse of the degrees of freedom, so that Gaussian noise is an ordinary point, 0:
/// `rho = (1 + theta) r^2 L(q) / 2` with `q = theta r^2` and `L(q) = ln(1 + q) / q`.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub struct StudentTKernel<const SHAPED: bool> {
    theta: f64,
    inverse: f64,
}

impl<const SHAPED: bool> StudentTKernel<SHAPED> {
    /// That of an inverse of the degrees of freedom, 0 for Gaussian noise.
    pub fn new(theta: f64) -> Self {
        // Where theta is zero, so is q, and the inverse is not used.
        StudentTKernel { theta, inverse: if theta > 0.0 { 1.0 / theta } else { 0.0 } }
    }

    /// The inverse of the degrees of freedom.
    pub fn theta(self) -> f64 {
        self.theta
    }
}

impl<const SHAPED: bool> Kernel for StudentTKernel<SHAPED> {
    const NAME: &'static str = if SHAPED { "student-t of any df" } else { "student-t" };
    const SHAPED: bool = SHAPED;

    #[inline(always)]
    fn at(self, r: f64) -> Evaluated {
        let StudentTKernel { theta, inverse } = self;
        // So far out nothing depends on how far, and squares overflow.
        let r = if r.abs() > FAR { FAR.copysign(r) } else { r };
        let square = r * r;
        let q = theta * square;
        let (ln, rest) = ln_1p(q);
        let part = 1.0 / (1.0 + q);
        // Near zero L and its derivatives are written with (q - ln(1 + q)) / q^2, and nothing cancels.
        let near = q < 0.414;
        let half = 0.5 * (1.0 + theta);
        let l = if near { square * (1.0 - q * rest) } else { ln * inverse };
        let mut found = Evaluated {
            value: half * l,
            score: 2.0 * half * r * part,
            curvature: 2.0 * half * (1.0 - q) * (part * part),
            ..Evaluated::default()
        };
        if SHAPED {
            // r^4 L'(q) and r^6 L''(q).
            let first = if near { square * square * (rest - part) } else { (q * part - ln) * (inverse * inverse) };
            let tail = if q < 0.05 { polynomial(&SECOND, q) } else { -(part * part + 2.0 * (rest - part)) / q };
            let ratio = q * part;
            let second = if near {
                square * square * square * tail
            } else {
                -(ratio * ratio + 2.0 * (ratio - ln)) * (inverse * inverse * inverse)
            };
            found.by_shape = 0.5 * l + half * first;
            found.score_by_shape = r * (1.0 - square) * (part * part);
            found.curvature_by_shape = first + half * second;
        }
        found
    }

    fn constant(self) -> f64 {
        LN_SQRT_2_PI - log_gamma_ratio(self.theta)[0]
    }

    fn constant_by_shape(self) -> [f64; 2] {
        let [_, slope, curvature] = log_gamma_ratio(self.theta);
        [-slope, -curvature]
    }

    fn parameter(self) -> f64 {
        self.theta
    }

    fn with_parameter(self, theta: f64) -> Self {
        Self::new(theta)
    }

    fn expected(self) -> Information {
        let theta = self.theta;
        Information { location: (1.0 + theta) / (1.0 + 3.0 * theta), log_scale: 2.0 / (1.0 + 3.0 * theta), cross: 0.0 }
    }

    /// Lange, Little and Taylor 1989, appendix B, by `theta` instead of its inverse.
    fn expected_by_shape(self) -> [f64; 2] {
        let theta = self.theta;
        let both = (1.0 + theta) * (1.0 + 3.0 * theta);
        // The part of the constant beyond theta / 4, whose first derivative is of the order of theta squared.
        let point = theta.max(1e-8);
        let [_, slope, curvature] = log_gamma_ratio(point);
        let beyond = curvature + 2.0 * (slope + 0.25) / point;
        [(7.0 + 3.0 * theta) / (2.0 * both) - beyond, 2.0 / both]
    }
}

/// Where a residual of Student's t counts no longer.
const FAR: f64 = 1e100;

/// `L''(q)` near zero: `sum over k >= 2 of (-1)^k k (k - 1) q^(k - 2) / (k + 1)`.
const SECOND: [f64; 12] = [
    2.0 / 3.0,
    -6.0 / 4.0,
    12.0 / 5.0,
    -20.0 / 6.0,
    30.0 / 7.0,
    -42.0 / 8.0,
    56.0 / 9.0,
    -72.0 / 10.0,
    90.0 / 11.0,
    -110.0 / 12.0,
    132.0 / 13.0,
    -156.0 / 14.0,
];

/// `ln(1 + q^2)`, also where the square overflows.
fn ln_1p_square(q: f64) -> f64 {
    if q.abs() < 1e100 { (q * q).ln_1p() } else { 2.0 * q.abs().ln() }
}

/// Infinity has no number in JSON.
mod infinite_as_null {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    pub fn serialize<S: Serializer>(value: &f64, serializer: S) -> Result<S::Ok, S::Error> {
        Some(*value).filter(|value| value.is_finite()).serialize(serializer)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
        Ok(Option::deserialize(deserializer)?.unwrap_or(f64::INFINITY))
    }
}
