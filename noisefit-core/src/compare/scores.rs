//! How well distributions that were fitted to other rows predict rows: one pass for all models.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::Error;
use crate::compare::crps::Scores;
use crate::inference::predict::{NewRows, Predictor};
use crate::inference::predictive::Predictive;
use crate::noise::{Noise, Route};
use crate::numeric::distribution::{ChiSquared, Distribution};
use crate::record::Fit;
use crate::rows::{Accumulator, Block, Precision};

/// The level of the prediction intervals that are counted.
pub(super) const LEVEL: f64 = 0.9;

/// The parts of equal probability that so many observations fall into: `2 n^(2/5)`, which keeps what each is expected to hold
/// small beside what a chi-squared test needs and large beside what it could miss (Mann and Wald 1942, *Annals of Mathematical
/// Statistics* 13, 306-317), of 20 at most.
fn parts(observations: u64) -> usize {
    ((2.0 * (observations as f64).powf(0.4)) as usize).clamp(4, 20)
}

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
    /// The shares of observations in parts that each hold as much of the probability that was predicted for them, from below:
    /// 20, or fewer of less than 320 observations.
    pub pit: Vec<f64>,
    /// The p-value of the hypothesis that these are equal: Pearson's chi-squared test, with a degree of freedom less for the
    /// location, the scale and the shape each, where they are estimated. Where others' rows tell where a row's noise is centred
    /// and how wide it is, the shares move less than those of noise that is known (Chernoff and Lehmann 1954, *Annals of
    /// Mathematical Statistics* 25, 579-586). Absent where there are too few parts for it, or,
    /// of Laplace noise and an estimated shape, fewer than ten observations for each parameter.
    pub pit_p_value: Option<f64>,
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
    predictive: Predictive,
}

impl Predicting {
    fn new(fit: &Fit, parts: usize, rows: Option<u64>) -> Result<Self, Error> {
        let predictor = Predictor::new(fit)?;
        Ok(Predicting {
            noise: fit.noise,
            crps: Scores::new(fit.noise, rows),
            predictive: Predictive::new(&predictor, parts, LEVEL)?,
            predictor,
        })
    }
}

/// With fewer observations for each parameter, absolute deviations and an estimated shape predict more surely than they know: with
/// five for each coefficient the error of the location by absolute deviations has twice the variance that its information
/// promises, and p is below 5% in 16 to 38% of samples of Laplace noise (docs/simulation.md).
const STEADY: u64 = 10;

/// How many numbers a fit estimates that move or change the distribution of all residuals alike; none where its predictions
/// are not what they are tested for.
pub(super) fn estimated(fit: &Fit) -> Option<usize> {
    let steady = !matches!(fit.noise.route(), Route::Vertex { .. }) && fit.shape.is_none();
    if !steady && fit.nobs < STEADY * fit.dof() as u64 {
        return None;
    }
    // An infinite one is at the end of its range, where it moves no longer.
    let shape = fit.shape.as_ref().is_some_and(|shape| shape.estimate.is_some());
    Some(usize::from(fit.location.intercept) + 1 + usize::from(shape))
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
    bins: Vec<f64>,
}

fn pair(i: usize, j: usize) -> usize {
    i * (i - 1) / 2 + j
}

impl Sums {
    /// Of so many models, for a total of so many observations.
    pub(super) fn new(models: usize, observations: u64) -> Self {
        let pairs = models * models.saturating_sub(1) / 2;
        let tally = Tally { bins: vec![0.0; parts(observations)], ..Tally::default() };
        Sums { rows: 0, observations: 0.0, models: vec![tally; models], pairs: vec![[0.0; 2]; pairs] }
    }

    fn parts(&self) -> usize {
        self.models.first().map_or(0, |tally| tally.bins.len())
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

    /// The scores of every model that was scored, and estimates as many numbers that all residuals depend on; the best is
    /// sought among those that are `eligible`.
    pub(super) fn finish(
        &self,
        scored: &[bool],
        eligible: &[bool],
        estimated: &[Option<usize>],
    ) -> Vec<Option<OutOfSample>> {
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
                pit_p_value: estimated[i].and_then(|estimated| uniformity(&tally.bins, n, estimated)),
            })
        };
        (0..scored.len()).map(finish).collect()
    }
}

/// The p-value of Pearson's test that counts of a total of `n` are equal, where so many numbers were estimated.
fn uniformity(counts: &[f64], n: f64, estimated: usize) -> Option<f64> {
    let expected = n / counts.len() as f64;
    let statistic: f64 = counts.iter().map(|count| (count - expected).powi(2) / expected).sum();
    let df = counts.len().checked_sub(1 + estimated)?;
    Some(ChiSquared::new(df as f64).ok()?.survival(statistic))
}

/// One pass: the scores of rows under models that were fitted to others.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Scoring {
    /// None for a model without a fit.
    models: Arc<Vec<Option<Predicting>>>,
    sums: Sums,
}

impl Scoring {
    /// That adds to `sums`, of about as many `rows`, where that is known.
    pub(super) fn new(fits: &[Option<&Fit>], sums: Sums, rows: Option<u64>) -> Result<Self, Error> {
        let predicting = |fit: &Fit| Predicting::new(fit, sums.parts(), rows);
        let models = fits.iter().map(|fit| fit.map(predicting).transpose()).collect::<Result<_, _>>()?;
        Ok(Scoring { models: Arc::new(models), sums })
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
    let residual = |i: usize| ((block.response.high[i] - locations[i]) + block.response.low(i)) / scales[i];
    let residuals: Vec<f64> = (0..rows.count).map(residual).collect();
    let places = model.predictive.places(&rows, &residuals, &scales);
    let mut log_scores = Vec::with_capacity(rows.count);
    for (i, (&r, place)) in residuals.iter().zip(places).enumerate() {
        let f = frequency(i);
        let log_score = block.log_jacobian.map_or(0.0, |l| l[i]) - family.negative_log_density(r) - scales[i].ln();
        log_scores.push(log_score);
        tally.log_scores[0] += f * log_score;
        tally.log_scores[1] += f * log_score * log_score;
        tally.crps += f * scales[i] * model.crps.at(r);
        tally.bins[place.part] += f;
        tally.covered += if place.covered { f } else { 0.0 };
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
