//! How heavy the tails are, and where the residuals leave the fitted family.

use serde::Serialize;

use crate::inference::diagnostics::found::Found;
use crate::inference::diagnostics::order::Ordered;
use crate::noise::NoiseFamily;

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
/// kurtosis more than 4; Gaussian noise shows 6 or more.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TailIndex {
    /// `alpha`.
    pub index: f64,
    /// `alpha / sqrt(k)`.
    pub std_error: f64,
    /// `k`.
    pub extremes: f64,
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

pub(super) fn tails(residuals: &Ordered, family: &dyn NoiseFamily) -> Tails {
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
    // From the largest down; the bar is the largest that is not among the extremes.
    let (mut extremes, mut sum, mut bar) = (0.0, 0.0, 0.0);
    for (size, f) in sizes.descending() {
        if extremes >= wanted {
            bar = size;
            break;
        }
        extremes += f;
        sum += f * size.ln();
    }
    let mean = sum / extremes - bar.ln();
    if !(bar > 0.0 && mean > 0.0) {
        return Found::no("the extremes are all of the same size");
    }
    Found::Yes(TailIndex { index: 1.0 / mean, std_error: 1.0 / mean / extremes.sqrt(), extremes })
}
