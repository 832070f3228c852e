//! Whether the fitted noise has the shape that the residuals have: shares of them where it promises them.

use serde::{Deserialize, Serialize};

use crate::inference::diagnostics::contract::Diagnostic;
use crate::inference::diagnostics::diagnosis::Diagnosis;
use crate::inference::diagnostics::found::{ChiSquaredTest, Found};
use crate::inference::diagnostics::measures::Measured;
use crate::inference::diagnostics::summary::Summary;

/// Bins of equal probability.
const BINS: usize = 10;

/// The levels of the intervals that are counted.
const LEVELS: [f64; 4] = [0.5, 0.8, 0.9, 0.95];

/// Where the responses lie in their fitted distributions: `F((y - mu) / s)` is uniform if the fit is right (the probability
/// integral transform; Dawid 1984, *Journal of the Royal Statistical Society A* 147, 278-292).
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Calibration {
    /// Observations in ten intervals that the fitted noise gives a tenth of the probability each, from below.
    pub pit_counts: Vec<f64>,
    /// The chi-squared test that they are equal, on nine degrees of freedom. Parameters were estimated from the same rows,
    /// which makes the counts a little too even and the p-value a little too large.
    pub uniformity: Found<ChiSquaredTest>,
    /// The shares within the fitted noise's central intervals.
    pub intervals: Vec<Coverage>,
}

/// The share of observations within `mu + s q` for the central quantiles `q` of the noise.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Coverage {
    /// The promised share.
    pub level: f64,
    /// The share that was found.
    pub share: f64,
}

/// Counts of standardised residuals.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Counts {
    bounds: Vec<f64>,
    intervals: Vec<(f64, f64)>,
    counts: Vec<f64>,
}

impl Diagnostic for Counts {
    type Finding = Found<Calibration>;

    fn new(diagnosis: &Diagnosis, _: usize) -> Self {
        let family = diagnosis.fit.noise.family();
        let bounds = (1..BINS).map(|k| family.quantile(k as f64 / BINS as f64)).collect();
        let interval = |level| family.interval(level).unwrap_or((f64::NAN, f64::NAN));
        Counts { bounds, intervals: LEVELS.map(interval).to_vec(), counts: vec![0.0; BINS + LEVELS.len()] }
    }

    fn fold(&mut self, _: &Diagnosis, rows: &Measured<'_>, _: u64) {
        for i in 0..rows.rows {
            let (r, f) = (rows.standardised(i), rows.frequency(i));
            // NaN at a scale of zero, of which nothing is said in the end.
            self.counts[self.bounds.iter().filter(|&&bound| bound <= r).count()] += f;
            for (count, (low, high)) in self.counts[BINS..].iter_mut().zip(&self.intervals) {
                *count += if (*low..=*high).contains(&r) { f } else { 0.0 };
            }
        }
    }

    fn merge(&mut self, later: Self, _: u64) {
        self.counts.iter_mut().zip(later.counts).for_each(|(mine, theirs)| *mine += theirs);
    }

    fn finish(&self, _: &Diagnosis, summary: &Summary) -> Found<Calibration> {
        let n = summary.observations;
        summary.shape().and_then(|()| {
            let (counts, covered) = self.counts.split_at(BINS);
            let expected = n / BINS as f64;
            let uniformity = match expected >= 5.0 {
                true => {
                    let statistic = counts.iter().map(|count| (count - expected).powi(2) / expected).sum();
                    ChiSquaredTest::new(statistic, (BINS - 1) as f64)
                }
                false => Found::no(format!("{n} observations are too few for ten bins of five or more")),
            };
            let share = |(&level, count): (&f64, &f64)| Coverage { level, share: count / n };
            let intervals = LEVELS.iter().zip(covered).map(share).collect();
            Found::Yes(Calibration { pit_counts: counts.to_vec(), uniformity, intervals })
        })
    }
}
