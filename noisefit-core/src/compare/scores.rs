//! How well distributions that were fitted to other rows predict rows: one pass for all models.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::Error;
use crate::compare::crps::Scores;
use crate::inference::predict::{IntervalKind, NewRows, Predictor};
use crate::noise::Noise;
use crate::numeric::distribution::{ChiSquared, Distribution};
use crate::record::Fit;
use crate::rows::{Accumulator, Block, Precision};

/// The level of the prediction intervals that are counted.
pub(super) const LEVEL: f64 = 0.9;

/// Parts of equal probability that observations fall into.
pub(super) const BINS: usize = 20;

/// How well a model predicts rows that it was not fitted to.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct OutOfSample {
    /// The mean logarithm of the predicted density at an observation, complete, at the estimates.
    pub log_score: f64,
    /// Its standard error, over rows.
    pub log_score_std_error: f64,
    /// How much it is less than that of the model whose log score is best: never positive.
    pub log_score_difference: f64,
    /// The standard error of that difference, paired by row.
    pub log_score_difference_std_error: f64,
    /// The mean continuous ranked probability score, in units of the response as it is modelled; less is better. Absent where
    /// it is infinite.
    pub crps: Option<f64>,
    /// The share of observations within their 90% prediction interval.
    pub coverage: f64,
    /// The shares of observations in twenty parts that each hold one twentieth of the predicted probability.
    pub pit: Vec<f64>,
    /// The p-value of the hypothesis that these are equal (Pearson's chi-squared test).
    pub pit_p_value: f64,
}

/// A difference of mean log scores.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Difference {
    /// The mean over observations.
    pub log_score: f64,
    /// Its standard error.
    pub std_error: f64,
}

/// A model that predicts.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Predicting {
    predictor: Predictor,
    noise: Noise,
    crps: Scores,
    /// The ends of the parts.
    edges: [f64; BINS - 1],
}

impl Predicting {
    fn new(fit: &Fit, rows: Option<u64>) -> Result<Self, Error> {
        let family = fit.noise.family();
        let edge = |k: usize| match 2 * (k + 1) <= BINS {
            true => family.quantile((k + 1) as f64 / BINS as f64),
            false => family.upper_quantile((BINS - 1 - k) as f64 / BINS as f64),
        };
        Ok(Predicting {
            predictor: Predictor::new(fit)?,
            noise: fit.noise,
            crps: Scores::new(fit.noise, rows),
            edges: std::array::from_fn(edge),
        })
    }

    /// Which of the rows at `places`, which lie outside the noise's own interval, their prediction intervals cover: those are
    /// wider by what is not known of the location.
    fn covers(&self, block: &Block<'_>, places: &[usize]) -> Vec<bool> {
        let intervals = |rows: &NewRows<'_>| self.predictor.intervals(rows, IntervalKind::Prediction, LEVEL);
        match NewRows::at(block, places, intervals) {
            Ok(intervals) => {
                let ends = intervals.low.iter().zip(&intervals.high);
                ends.zip(places).map(|((low, high), &i)| (*low..=*high).contains(&block.response.high[i])).collect()
            }
            // Without standard errors there is only the noise's own interval.
            Err(_) => vec![false; places.len()],
        }
    }
}

/// Sums over scored rows, for every model and for every pair of models.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Sums {
    rows: u64,
    observations: f64,
    models: Vec<Tally>,
    /// Sum and sum of squares of the log score of `i` less that of `j < i`, at `i (i - 1) / 2 + j`.
    pairs: Vec<[f64; 2]>,
}

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
struct Tally {
    log_scores: [f64; 2],
    crps: f64,
    covered: f64,
    bins: [f64; BINS],
}

fn pair(i: usize, j: usize) -> usize {
    i * (i - 1) / 2 + j
}

impl Sums {
    pub(super) fn new(models: usize) -> Self {
        let pairs = models * models.saturating_sub(1) / 2;
        Sums { rows: 0, observations: 0.0, models: vec![Tally::default(); models], pairs: vec![[0.0; 2]; pairs] }
    }

    pub(super) fn add(&mut self, other: &Sums) {
        self.rows += other.rows;
        self.numbers_mut().zip(other.numbers()).for_each(|(mine, theirs)| *mine += theirs);
    }

    fn numbers(&self) -> impl Iterator<Item = f64> {
        let models = self
            .models
            .iter()
            .flat_map(|tally| tally.log_scores.iter().chain([&tally.crps, &tally.covered]).chain(&tally.bins).copied());
        std::iter::once(self.observations).chain(models).chain(self.pairs.iter().flatten().copied())
    }

    fn numbers_mut(&mut self) -> impl Iterator<Item = &mut f64> {
        let models = self.models.iter_mut().flat_map(|tally| {
            let Tally { log_scores, crps, covered, bins } = tally;
            log_scores.iter_mut().chain([crps, covered]).chain(bins)
        });
        std::iter::once(&mut self.observations).chain(models).chain(self.pairs.iter_mut().flatten())
    }

    /// A mean with its standard error, from a sum and a sum of squares.
    fn mean(&self, [sum, squares]: [f64; 2]) -> Difference {
        let n = self.observations;
        let mean = sum / n;
        let variance = ((squares - mean * sum) / (n - 1.0)).max(0.0);
        Difference { log_score: mean, std_error: (variance / n).sqrt() }
    }

    /// The differences of all pairs, first less second; not a number where one was not scored.
    pub(super) fn differences(&self, scored: &[bool]) -> Vec<Vec<Difference>> {
        let difference = |i: usize, j: usize| {
            if !(scored[i] && scored[j]) {
                return Difference { log_score: f64::NAN, std_error: f64::NAN };
            }
            match i.cmp(&j) {
                std::cmp::Ordering::Equal => Difference { log_score: 0.0, std_error: 0.0 },
                std::cmp::Ordering::Greater => self.mean(self.pairs[pair(i, j)]),
                std::cmp::Ordering::Less => {
                    let other = self.mean(self.pairs[pair(j, i)]);
                    Difference { log_score: -other.log_score, ..other }
                }
            }
        };
        (0..scored.len()).map(|i| (0..scored.len()).map(|j| difference(i, j)).collect()).collect()
    }

    /// The scores of every model that was scored; the best is sought among those that are `eligible`.
    pub(super) fn finish(&self, scored: &[bool], eligible: &[bool]) -> Vec<Option<OutOfSample>> {
        let differences = self.differences(scored);
        let score = |i: &usize| self.models[*i].log_scores[0];
        let candidates = (0..scored.len()).filter(|&i| scored[i]);
        let best = candidates.clone().filter(|&i| eligible[i]).max_by(|a, b| score(a).total_cmp(&score(b)));
        let best = best.or(candidates.max_by(|a, b| score(a).total_cmp(&score(b))));
        let finish = |i: usize| {
            let (tally, n) = (&self.models[i], self.observations);
            let (own, difference) = (self.mean(tally.log_scores), differences[i][best?]);
            scored[i].then(|| OutOfSample {
                log_score: own.log_score,
                log_score_std_error: own.std_error,
                log_score_difference: difference.log_score,
                log_score_difference_std_error: difference.std_error,
                crps: Some(tally.crps / n).filter(|crps| crps.is_finite()),
                coverage: tally.covered / n,
                pit: tally.bins.iter().map(|bin| bin / n).collect(),
                pit_p_value: uniformity(&tally.bins, n),
            })
        };
        (0..scored.len()).map(finish).collect()
    }
}

/// The p-value of Pearson's test that counts of a total of `n` are equal.
fn uniformity(bins: &[f64; BINS], n: f64) -> f64 {
    let expected = n / BINS as f64;
    let statistic: f64 = bins.iter().map(|count| (count - expected).powi(2) / expected).sum();
    ChiSquared::new((BINS - 1) as f64).map_or(f64::NAN, |distribution| distribution.survival(statistic))
}

/// One pass: the scores of rows under models that were fitted to others.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Scoring {
    /// None for a model without a fit.
    models: Arc<Vec<Option<Predicting>>>,
    sums: Sums,
}

impl Scoring {
    /// For about as many `rows`, where that is known.
    pub(super) fn new(fits: &[Option<&Fit>], rows: Option<u64>) -> Result<Self, Error> {
        let models =
            fits.iter().map(|fit| fit.map(|fit| Predicting::new(fit, rows)).transpose()).collect::<Result<_, _>>()?;
        Ok(Scoring { models: Arc::new(models), sums: Sums::new(fits.len()) })
    }

    pub(super) fn into_sums(self) -> Sums {
        self.sums
    }
}

/// Adds the scores of a block under one model, and gives the log score of each row.
fn score(model: &Predicting, block: &Block<'_>, frequency: impl Fn(usize) -> f64, tally: &mut Tally) -> Vec<f64> {
    let family = model.noise.family();
    let rows = NewRows::from(block);
    let (locations, scales) = (model.predictor.location(&rows), model.predictor.scale(&rows));
    let (mut log_scores, mut outside) = (Vec::with_capacity(rows.count), Vec::new());
    for i in 0..rows.count {
        let f = frequency(i);
        let r = ((block.response.high[i] - locations[i]) + block.response.low(i)) / scales[i];
        let log_score = block.log_jacobian.map_or(0.0, |l| l[i]) - family.negative_log_density(r) - scales[i].ln();
        log_scores.push(log_score);
        tally.log_scores[0] += f * log_score;
        tally.log_scores[1] += f * log_score * log_score;
        tally.crps += f * scales[i] * model.crps.at(r);
        let bin = model.edges.partition_point(|edge| *edge < r);
        tally.bins[bin] += f;
        // The bins between the first and the last are the noise's own interval.
        match bin {
            0 => outside.push(i),
            _ if bin + 1 == BINS => outside.push(i),
            _ => tally.covered += f,
        }
    }
    if !outside.is_empty() {
        let covers = model.covers(block, &outside).into_iter().zip(&outside).filter(|(covered, _)| *covered);
        tally.covered += covers.map(|(_, &i)| frequency(i)).sum::<f64>();
    }
    log_scores
}

impl Accumulator for Scoring {
    const KIND: &'static str = "compare-scores";

    fn fold(&mut self, block: &Block<'_>) {
        let rows = block.rows();
        let frequency = |i: usize| block.frequency(i);
        self.sums.rows += rows as u64;
        self.sums.observations += (0..rows).map(frequency).sum::<f64>();
        let mut log_scores: Vec<Option<Vec<f64>>> = Vec::with_capacity(self.models.len());
        for (i, model) in self.models.iter().enumerate() {
            let own = model.as_ref().map(|model| score(model, block, frequency, &mut self.sums.models[i]));
            for (j, other) in log_scores.iter().enumerate() {
                let (Some(own), Some(other)) = (&own, other) else { continue };
                let [sum, squares] = &mut self.sums.pairs[pair(i, j)];
                for k in 0..rows {
                    let difference = own[k] - other[k];
                    *sum += frequency(k) * difference;
                    *squares += frequency(k) * difference * difference;
                }
            }
            log_scores.push(own);
        }
    }

    fn merge(&mut self, later: Self) {
        self.sums.add(&later.sums);
    }

    fn rows(&self) -> u64 {
        self.sums.rows
    }

    fn precision(&self) -> Precision {
        Precision::Extended
    }
}
