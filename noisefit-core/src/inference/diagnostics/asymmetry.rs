//! Whether the noise is skewed.

use serde::{Deserialize, Serialize};

use crate::inference::diagnostics::contract::Diagnostic;
use crate::inference::diagnostics::diagnosis::Diagnosis;
use crate::inference::diagnostics::found::Found;
use crate::inference::diagnostics::order::Ordered;
use crate::inference::diagnostics::summary::Summary;
use crate::numeric::distribution::{Normal, Symmetric};

/// The share of the residuals beyond each outer quantile.
const TAIL: f64 = 0.05;

/// The share beyond each inner one.
const QUARTER: f64 = 0.25;

/// With fewer observations the outer quantiles are not known.
const FEWEST: f64 = 40.0;

/// How far the middle between the outer quantiles of the residuals is off that between their quartiles.
///
/// With the quantiles `Q` of the residuals, it is `((Q(0.95) + Q(0.05)) - (Q(0.75) + Q(0.25))) / (Q(0.95) - Q(0.05))`: between -1
/// and 1, zero for symmetric noise, 0.47 for exponential, 0.33 where `log y` is Gaussian with standard deviation 1/2 (Tukey's
/// mid-summaries; Tukey 1977, *Exploratory Data Analysis*, 81). Quantiles heed no single row, and their errors are finite
/// whatever the tails: of `n` residuals with density `f` the standard error of the numerator is the root of `(0.1 / f(0.05)^2 -
/// 0.2 / (f(0.05) f(0.25)) + 0.5 / f(0.25)^2) / n`, where `f(p)` is the density at the quantiles of `p` and `1 - p`, estimated by
/// how far apart the quantiles about these are.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Asymmetry {
    /// The measure: positive with a long tail above.
    pub quantile_skewness: f64,
    /// Its standard error if the noise is symmetric.
    pub std_error: f64,
    /// The p-value of the hypothesis that it is.
    pub p_value: f64,
}

/// Looks at the residuals in their order.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Skewed;

impl Diagnostic for Skewed {
    type Finding = Found<Asymmetry>;

    fn new(_: &Diagnosis, _: usize) -> Self {
        Skewed
    }

    fn finish(&self, _: &Diagnosis, summary: &Summary) -> Found<Asymmetry> {
        summary.shape().and_then(|()| Asymmetry::of(&summary.residuals))
    }
}

impl Asymmetry {
    /// Of residuals that are standardised by a fit.
    pub(crate) fn of(residuals: &Ordered) -> Found<Self> {
        let n = residuals.observations();
        if n < FEWEST {
            return Found::no(format!("it takes {FEWEST} observations or more"));
        }
        let ends = |share: f64| (residuals.quantile(share), residuals.quantile(1.0 - share));
        let ((low, high), (lower, upper)) = (ends(TAIL), ends(QUARTER));
        let numerator = (high + low) - (upper + lower);
        let (outer, inner) = (sparsity(residuals, TAIL, 0.5 * TAIL), sparsity(residuals, QUARTER, 0.1));
        let variance = 2.0 * TAIL * outer * outer - 4.0 * TAIL * outer * inner + 0.5 * inner * inner;
        let error = (variance / n).sqrt();
        if !(high > low && error > 0.0) {
            return Found::no("the residuals are nearly all the same");
        }
        Found::Yes(Asymmetry {
            quantile_skewness: numerator / (high - low),
            std_error: error / (high - low),
            p_value: Normal.two_sided(numerator / error),
        })
    }
}

/// One over the mean density about the quantiles of `share` and `1 - share`, of what lies within `reach` of them.
fn sparsity(residuals: &Ordered, share: f64, reach: f64) -> f64 {
    let width = |at: f64| residuals.quantile(at + reach) - residuals.quantile(at - reach);
    (width(share) + width(1.0 - share)) / (4.0 * reach)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::noise::{Laplace, NoiseFamily};

    /// The quantiles of a distribution in place of a sample.
    fn sample(count: usize, quantile: impl Fn(f64) -> f64) -> Ordered {
        let values: Vec<f64> = (0..count).map(|i| quantile((i as f64 + 0.5) / count as f64)).collect();
        Ordered::new(&values, None)
    }

    #[test]
    fn known_distributions() {
        // Exponential: quantiles -ln(1 - p).
        let found = Asymmetry::of(&sample(100_000, |p| -(-p).ln_1p()));
        let measure = ((1.0f64 / 0.05 / 0.95).ln() - (1.0f64 / 0.25 / 0.75).ln()) / 19f64.ln();
        assert!((found.as_ref().unwrap().quantile_skewness - measure).abs() < 1e-3, "{found:?} {measure}");
        assert!(found.as_ref().unwrap().p_value < 1e-16);
        // Laplace: the density at its quantile of p is p / b.
        let found = Asymmetry::of(&sample(100_000, |p| Laplace.sample(p)));
        let found = found.as_ref().unwrap();
        assert!(found.quantile_skewness.abs() < 1e-9 && found.p_value > 0.999);
        let (outer, inner) = (1.0f64 / 0.05, 1.0f64 / 0.25);
        let error = (0.1 * outer * outer - 0.2 * outer * inner + 0.5 * inner * inner).sqrt() / 100_000f64.sqrt();
        // The mean density over a stretch is not that at its middle.
        assert!((found.std_error * 2.0 * 10f64.ln() / error - 1.0).abs() < 0.12, "{found:?} {error}");
    }

    #[test]
    fn without_spread_there_is_none() {
        assert!(Asymmetry::of(&sample(100, |_| 1.0)).as_ref().is_none());
        assert!(Asymmetry::of(&sample(39, |p| p)).as_ref().is_none());
    }
}
