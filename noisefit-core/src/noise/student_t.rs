//! Student's t noise: heavy tails, as heavy as the degrees of freedom say.

use std::f64::consts::PI;

use serde::{Deserialize, Serialize};

use crate::noise::gaussian::LN_SQRT_2_PI;
use crate::noise::{Gaussian, Information, NoiseFamily};
use crate::numeric::distribution;
use crate::numeric::distribution::Distribution;
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

impl NoiseFamily for StudentT {
    fn name(&self) -> &'static str {
        "student-t"
    }

    fn negative_log_density(&self, r: f64) -> f64 {
        if self.df.is_infinite() {
            return Gaussian.negative_log_density(r);
        }
        0.5 * (self.df + 1.0) * ln_1p_square(r / self.df.sqrt()) + log_normaliser(self.df)
    }

    fn score(&self, r: f64) -> f64 {
        // One of the two quotients overflows where it is to.
        if self.df.is_infinite() { r } else { (self.df + 1.0) / (self.df / r + r) }
    }

    fn curvature(&self, r: f64) -> f64 {
        if self.df.is_infinite() {
            return 1.0;
        }
        let weight = self.weight(r);
        weight * (2.0 * weight / (1.0 + 1.0 / self.df) - 1.0)
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

/// `ln(1 + q^2)`, also where the square overflows.
fn ln_1p_square(q: f64) -> f64 {
    if q.abs() < 1e100 { (q * q).ln_1p() } else { 2.0 * q.abs().ln() }
}

/// `-ln` of the density at 0, `ln sqrt(pi df) + ln Gamma(df / 2) - ln Gamma((df + 1) / 2)`, without the cancellation.
fn log_normaliser(df: f64) -> f64 {
    LN_SQRT_2_PI - log_gamma_ratio(1.0 / df)[0]
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
