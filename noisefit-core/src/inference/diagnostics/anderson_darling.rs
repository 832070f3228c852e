//! Anderson and Darling's test that the noise is of the fitted family.

use serde::{Deserialize, Serialize};

use crate::inference::diagnostics::contract::Diagnostic;
use crate::inference::diagnostics::diagnosis::Diagnosis;
use crate::inference::diagnostics::found::Found;
use crate::inference::diagnostics::order::Ordered;
use crate::inference::diagnostics::summary::Summary;
use crate::noise::{Noise, NoiseFamily};
use crate::rows::scattered;

/// Samples that are drawn where the distribution of the statistic is not in tables.
const DRAWS: u64 = 999;

/// Observations of each at most: the distribution hardly depends on their number.
const DRAWN_OBSERVATIONS: usize = 200;

/// The distance of the residuals' distribution from the family's, most heedful of the tails.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct AndersonDarling {
    /// `A^2 = -n - sum((2 i - 1)(ln F(r[i]) + ln(1 - F(r[n + 1 - i])))) / n` of the residuals in ascending order (Anderson and
    /// Darling 1954, *Journal of the American Statistical Association* 49, 765-769).
    pub statistic: f64,
    /// The probability of a larger one if the noise is of the family.
    pub p_value: f64,
    /// Where that is from.
    pub p_value_type: PValueType,
}

/// Where a p-value is from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum PValueType {
    /// Of a Gaussian sample with estimated mean and variance: the residuals are taken about their mean, over their standard
    /// deviation, and `A^2 (1 + 0.75 / n + 2.25 / n^2)` compared with tables (Stephens 1986 in D'Agostino and Stephens,
    /// *Goodness-of-Fit Techniques*, table 4.9).
    Stephens,
    /// The share of 999 seeded samples of the family, location and scale estimated anew from each (a shape parameter not),
    /// whose statistic is larger.
    Simulated,
}

/// Looks at the residuals in their order.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct OfFamily;

impl Diagnostic for OfFamily {
    type Finding = Found<AndersonDarling>;

    fn new(_: &Diagnosis, _: usize) -> Self {
        OfFamily
    }

    fn finish(&self, diagnosis: &Diagnosis, summary: &Summary) -> Found<AndersonDarling> {
        summary.shape().and_then(|()| anderson_darling(&summary.residuals, &diagnosis.fit.noise, diagnosis.seed))
    }
}

/// `residuals` are standardised by the fit.
fn anderson_darling(residuals: &Ordered, noise: &Noise, seed: u64) -> Found<AndersonDarling> {
    if residuals.observations() < 8.0 {
        return Found::no("there are fewer than eight observations");
    }
    if matches!(noise, Noise::Gaussian) { stephens(residuals) } else { simulated(residuals, noise.family(), seed) }
}

/// `A^2`, given `ln F` and `ln(1 - F)` of a value.
fn statistic(sorted: &Ordered, logarithms: impl Fn(f64) -> (f64, f64)) -> f64 {
    let n = sorted.observations();
    // An observation with i - 1 before it and n - i behind has 2 i - 1 times ln F and 2 (n - i) + 1 times ln(1 - F); equal ones
    // share theirs.
    let (mut before, mut sum) = (0.0, 0.0);
    for (i, &value) in sorted.values.iter().enumerate() {
        let f = sorted.frequency(i);
        let (below, above) = logarithms(value);
        sum += f * ((2.0 * before + f) * below + (2.0 * (n - before) - f) * above);
        before += f;
    }
    -n - sum / n
}

fn stephens(residuals: &Ordered) -> Found<AndersonDarling> {
    let n = residuals.observations();
    let total = |term: &dyn Fn(f64) -> f64| -> f64 {
        residuals.values.iter().enumerate().map(|(i, &value)| residuals.frequency(i) * term(value)).sum()
    };
    let mean = total(&|value| value) / n;
    let deviation = (total(&|value| (value - mean).powi(2)) / (n - 1.0)).sqrt();
    if !(deviation > 0.0) {
        return Found::no("the residuals are all the same");
    }
    let family = Noise::Gaussian;
    let family = family.family();
    let statistic = statistic(residuals, |value| {
        let z = (value - mean) / deviation;
        (family.cdf(z).ln(), family.survival(z).ln())
    });
    let a = statistic * (1.0 + 0.75 / n + 2.25 / (n * n));
    let p_value = match a {
        _ if a < 0.2 => 1.0 - (-13.436 + 101.14 * a - 223.73 * a * a).exp(),
        _ if a < 0.34 => 1.0 - (-8.318 + 42.796 * a - 59.938 * a * a).exp(),
        _ if a < 0.6 => (0.9177 - 4.279 * a - 1.38 * a * a).exp(),
        // Beyond 10 the parabola rises again; there its value at 10.
        _ => (1.2937 - 5.709 * a.min(10.0) + 0.0186 * a.min(10.0).powi(2)).exp(),
    };
    Found::Yes(AndersonDarling { statistic, p_value, p_value_type: PValueType::Stephens })
}

fn simulated(residuals: &Ordered, family: &dyn NoiseFamily, seed: u64) -> Found<AndersonDarling> {
    let statistic_of_fit = statistic(residuals, |r| (family.cdf(r).ln(), family.survival(r).ln()));
    if !statistic_of_fit.is_finite() {
        return Found::no("a residual is beyond all that the family can yield");
    }
    let count = (residuals.observations() as usize).min(DRAWN_OBSERVATIONS);
    let p_value = simulated_p_value(statistic_of_fit, family, count, seed);
    Found::Yes(AndersonDarling { statistic: statistic_of_fit, p_value, p_value_type: PValueType::Simulated })
}

/// The share of samples of `count` observations with a statistic above the one that was found, itself counted as one.
fn simulated_p_value(found: f64, family: &dyn NoiseFamily, count: usize, seed: u64) -> f64 {
    let (curve, quartiles) = (Curve::new(family), family.quantile(0.75) - family.quantile(0.25));
    let mut larger = 0u64;
    for draw in 0..DRAWS {
        let stream = scattered(seed, draw);
        let uniform = |i: usize| ((scattered(stream, i as u64) >> 11) as f64 + 0.5) / (1u64 << 53) as f64;
        let values: Vec<f64> = (0..count).map(|i| curve.value((uniform(i) / (1.0 - uniform(i))).ln())).collect();
        let sample = Ordered::new(&values, None);
        let (location, scale) = location_and_scale(&sample, family, quartiles);
        let drawn = statistic(&sample, |value| {
            let log_odds = curve.log_odds((value - location) / scale);
            (-(-log_odds).exp().ln_1p(), -log_odds.exp().ln_1p())
        });
        // Written so that a draw that could not be estimated counts as larger.
        larger += u64::from(!(drawn < found));
    }
    (larger + 1) as f64 / (DRAWS + 1) as f64
}

/// The maximum likelihood location and scale of a sample: by reweighting, but for Laplace noise, whose estimates are the
/// median and the mean deviation from it. `quartiles` is how far those of the family are apart.
fn location_and_scale(sample: &Ordered, family: &dyn NoiseFamily, quartiles: f64) -> (f64, f64) {
    let n = sample.values.len() as f64;
    let median = sample.quantile(0.5);
    let deviation = sample.values.iter().map(|value| (value - median).abs()).sum::<f64>() / n;
    if family.weight(0.0).is_infinite() || !(family.weight(0.0) > 0.0) {
        return (median, deviation);
    }
    let spread = (sample.quantile(0.75) - sample.quantile(0.25)) / quartiles;
    let (mut location, mut scale) = (median, spread);
    for _ in 0..50 {
        let (mut weights, mut values, mut squares) = (0.0, 0.0, 0.0);
        for &value in &sample.values {
            let e = value - location;
            let weight = family.weight(e / scale);
            weights += weight;
            values += weight * e;
            squares += weight * e * e;
        }
        let (step, next) = (values / weights, (squares / n).sqrt());
        let settled = step.abs() < 1e-6 * scale && (next / scale - 1.0).abs() < 1e-6;
        (location, scale) = (location + step, next);
        if settled {
            break;
        }
    }
    (location, scale)
}

/// The family's distribution by interpolation of the logarithm of the odds between values that are equally far apart in
/// `asinh`, which is a logarithm far out: there the curve of a heavy tail is a line. Beyond the last value on the line through it.
struct Curve {
    /// The `asinh` of the last value; minus that is the first's.
    reach: f64,
    log_odds: Vec<f64>,
}

/// Pieces of the curve.
const PIECES: usize = 512;

/// It reaches so far on both sides.
const LOG_ODDS: f64 = 20.0;

impl Curve {
    fn new(family: &dyn NoiseFamily) -> Self {
        let log_odds = |t: f64| {
            let value = t.sinh();
            let (sign, p) = if t < 0.0 { (1.0, family.cdf(value)) } else { (-1.0, family.survival(value)) };
            sign * (p / (1.0 - p)).ln()
        };
        let mut reach = 1.0;
        while reach < 300.0 && (log_odds(reach) < LOG_ODDS || log_odds(-reach) > -LOG_ODDS) {
            reach *= 1.2;
        }
        let place = |i: usize| (2.0 * i as f64 / PIECES as f64 - 1.0) * reach;
        Curve { reach, log_odds: (0..=PIECES).map(|i| log_odds(place(i))).collect() }
    }

    /// The length of a piece.
    fn step(&self) -> f64 {
        2.0 * self.reach / PIECES as f64
    }

    /// The value with these odds of a smaller one.
    fn value(&self, log_odds: f64) -> f64 {
        let after = self.log_odds.partition_point(|odds| *odds < log_odds).clamp(1, PIECES);
        let (low, high) = (self.log_odds[after - 1], self.log_odds[after]);
        let pieces = (after - 1) as f64 + (log_odds - low) / (high - low);
        (pieces * self.step() - self.reach).sinh()
    }

    fn log_odds(&self, value: f64) -> f64 {
        let pieces = (value.asinh() + self.reach) / self.step();
        let first = (pieces.max(0.0) as usize).min(PIECES - 1);
        let (low, high) = (self.log_odds[first], self.log_odds[first + 1]);
        low + (pieces - first as f64) * (high - low)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn simulated_p_values_are_those_of_published_tables() {
        // Both parameters estimated: for logistic noise Stephens 1979, *Biometrika* 66, 591-595, of A^2 (1 + 0.25 / n); for
        // Gaussian noise Stephens 1986, table 4.7, of A^2 (1 + 0.75 / n + 2.25 / n^2). Four standard errors of 999 draws.
        let n = 100.0;
        let logistic: &[(f64, f64)] = &[(0.426, 0.25), (0.563, 0.1), (0.660, 0.05), (0.906, 0.01)];
        let gaussian: &[(f64, f64)] = &[(0.470, 0.25), (0.631, 0.1), (0.752, 0.05), (1.035, 0.01)];
        let factors = [1.0 + 0.25 / n, 1.0 + 0.75 / n + 2.25 / (n * n)];
        for ((noise, table), factor) in [(Noise::Logistic, logistic), (Noise::Gaussian, gaussian)].iter().zip(factors) {
            for (critical, p) in table.iter() {
                let found = simulated_p_value(critical / factor, noise.family(), n as usize, 7);
                let error = (p * (1.0 - p) / DRAWS as f64).sqrt();
                assert!((found - p).abs() < 4.0 * error, "{noise} at {critical}: {found}, not {p}");
            }
        }
    }

    #[test]
    fn the_curve_is_the_distribution() {
        for noise in [Noise::Laplace, Noise::Logistic, Noise::StudentT(crate::noise::StudentT::new(1.5))] {
            let (family, curve) = (noise.family(), Curve::new(noise.family()));
            for r in [-1e4, -30.0, -2.0, -0.1, 0.0, 0.7, 5.0] {
                let odds = (family.cdf(r) / family.survival(r)).ln();
                if odds.abs() > LOG_ODDS {
                    continue;
                }
                assert!((curve.log_odds(r) - odds).abs() < 2e-3 * (1.0 + odds.abs()), "{noise} at {r}");
                assert!((curve.value(curve.log_odds(r)) - r).abs() < 1e-9 * (1.0 + r.abs()));
            }
        }
    }
}
