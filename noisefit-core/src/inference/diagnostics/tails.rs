//! How heavy the tails are, and where the residuals leave the fitted family.

use serde::{Deserialize, Serialize};

use crate::inference::diagnostics::contract::Diagnostic;
use crate::inference::diagnostics::diagnosis::Diagnosis;
use crate::inference::diagnostics::found::Found;
use crate::inference::diagnostics::order::Ordered;
use crate::inference::diagnostics::summary::Summary;
use crate::noise::NoiseFamily;
use crate::numeric::distribution::{Normal, Symmetric};

/// Levels of the table of quantiles.
const LEVELS: [f64; 9] = [0.001, 0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99, 0.999];

/// The share of the residuals, by size, that the tail index is taken from.
const EXTREMES: f64 = 0.05;

/// With fewer extremes there is no index.
const FEWEST_EXTREMES: usize = 10;

/// The order statistics of the standardised residuals `(y - mu) / s`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Tails {
    /// Hill's index of the sizes.
    pub tail_index: Found<TailIndex>,
    /// Quantiles of the residuals and of the family; levels that the number of residuals does not reach are left out.
    pub quantiles: Vec<QuantilePair>,
}

/// The power `alpha` with which the probability of a larger residual falls, `P(|R| > x) ~ x^-alpha`, from the `k` largest:
/// one over the mean of `ln(|r| / r[k+1])` (Hill 1975, *Annals of Statistics* 3, 1163-1174). A variance needs more than 2, a
/// kurtosis more than 4.
///
/// Hill's index is of tails that do fall like a power. Of those that do not it says 4 to 6 (Laplace to Gaussian noise, 5% of the
/// rows), however many rows there are; so what a tail is taken for rests on the `extreme_value_index`, which is `1 / alpha` of a
/// power and zero or less of lighter tails, and on its interval.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TailIndex {
    /// `alpha`.
    pub index: f64,
    /// `alpha / sqrt(k)`.
    pub std_error: f64,
    /// `k`.
    pub extremes: f64,
    /// The moment estimator `m + 1 - 1 / (2 (1 - m^2 / q))`, with the means `m` and `q` of `ln(|r| / r[k+1])` and of its square
    /// (Dekkers, Einmahl and de Haan 1989, *Annals of Statistics* 17, 1833-1855).
    pub extreme_value_index: f64,
    /// The lower end of its 95% interval.
    pub conf_low: f64,
    /// The upper end.
    pub conf_high: f64,
}

/// A quantile of the standardised residuals beside that of the family.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct QuantilePair {
    /// The level.
    pub level: f64,
    /// Of the residuals, interpolated between neighbours (R's type 7).
    pub residual: f64,
    /// Of the fitted family.
    pub family: f64,
}

/// Looks at the residuals in their order.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Extremes;

impl Diagnostic for Extremes {
    type Finding = Found<Tails>;

    fn new(_: &Diagnosis, _: usize) -> Self {
        Extremes
    }

    fn finish(&self, diagnosis: &Diagnosis, summary: &Summary) -> Found<Tails> {
        summary.shape().and_then(|()| Found::Yes(tails(&summary.residuals, diagnosis.fit.noise.family())))
    }
}

fn tails(residuals: &Ordered, family: &dyn NoiseFamily) -> Tails {
    let n = residuals.observations();
    let reached = |level: &f64| level.min(1.0 - level) * n >= 0.5;
    // A quantile of minus zero is shown as zero.
    let pair = |level: f64| QuantilePair {
        level,
        residual: residuals.quantile(level) + 0.0,
        family: family.quantile(level) + 0.0,
    };
    Tails { tail_index: hill(residuals), quantiles: LEVELS.into_iter().filter(reached).map(pair).collect() }
}

fn hill(residuals: &Ordered) -> Found<TailIndex> {
    let sizes = residuals.sizes();
    let wanted = (EXTREMES * sizes.observations()).floor();
    if wanted < FEWEST_EXTREMES as f64 {
        let needed = FEWEST_EXTREMES as f64 / EXTREMES;
        return Found::no(format!("it takes {needed} observations or more"));
    }
    // From the largest down; the bar is the largest that is not among the extremes. Of equal rows that count for many, as many as
    // are wanted are among them.
    let (mut extremes, mut sums, mut bar) = (0.0, [0.0; 2], 0.0);
    for (size, f) in sizes.descending() {
        let taken = f.min(wanted - extremes);
        extremes += taken;
        sums[0] += taken * size.ln();
        sums[1] += taken * size.ln().powi(2);
        if taken < f {
            bar = size;
            break;
        }
    }
    let log_bar = bar.ln();
    let mean = sums[0] / extremes - log_bar;
    let square = sums[1] / extremes - 2.0 * log_bar * sums[0] / extremes + log_bar * log_bar;
    if !(bar > 0.0 && mean > 0.0) {
        return Found::no("the extremes are all of the same size");
    }
    let extreme_value_index = mean + 1.0 - 0.5 / (1.0 - mean * mean / square);
    let margin = Normal.critical(0.95) * (moment_variance(extreme_value_index) / extremes).sqrt();
    Found::Yes(TailIndex {
        index: 1.0 / mean,
        std_error: 1.0 / mean / extremes.sqrt(),
        extremes,
        extreme_value_index,
        conf_low: extreme_value_index - margin,
        conf_high: extreme_value_index + margin,
    })
}

/// `k` times the variance of the moment estimator of an extreme value index (Dekkers, Einmahl and de Haan 1989, corollary 3.2).
fn moment_variance(index: f64) -> f64 {
    if index >= 0.0 {
        return 1.0 + index * index;
    }
    let [one, two, three, four] = [1.0, 2.0, 3.0, 4.0].map(|times| 1.0 - times * index);
    let last = (5.0 - 11.0 * index) * two / (three * four);
    one * one * two * (4.0 - 8.0 * two / three + last)
}
