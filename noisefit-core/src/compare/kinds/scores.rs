//! How well models predict rows that they were not fitted to: one pass for all of them.

use std::sync::{Arc, OnceLock};

use serde::{Deserialize, Serialize};

use crate::Error;
use crate::compare::kinds::contestant::LEVELS;
use crate::inference::distribution::{Distributions, NewObservation};
use crate::inference::predict::{NewRows, Predictor};
use crate::network::Network;
use crate::noise::Noise;
use crate::noise::shape::{Check, Shape};
use crate::rows::{Accumulator, Block, Precision};

/// The level of the prediction intervals that are counted: between the outer two of [`LEVELS`].
pub const LEVEL: f64 = 0.9;

/// The place of the median among [`LEVELS`].
const MEDIAN: usize = 2;

/// How a model predicts the rows of a fold, or of all.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct FoldScores {
    /// Observations.
    pub nobs: f64,
    /// The mean logarithm of the predicted density at an observation, of the response as it stands in the data; absent of quantiles.
    pub log_score: Option<f64>,
    /// The mean pinball loss of the quantiles at [`LEVELS`], in units of the response as it is modelled: twice that is about the continuous
    /// ranked probability score.
    pub pinball: f64,
    /// The root of the mean squared error of the prediction, of quantiles that of the median.
    pub rmse: f64,
    /// Its mean absolute error.
    pub mae: f64,
    /// The share of observations within their 90% prediction interval.
    pub coverage: f64,
}

impl FoldScores {
    /// The scores of all folds together.
    pub(super) fn together(folds: &[FoldScores]) -> Option<Self> {
        let nobs: f64 = folds.iter().map(|fold| fold.nobs).sum();
        let mean = |of: fn(&FoldScores) -> f64| folds.iter().map(|fold| fold.nobs * of(fold)).sum::<f64>() / nobs;
        let has_density = folds.iter().all(|fold| fold.log_score.is_some());
        (nobs > 0.0).then(|| FoldScores {
            nobs,
            log_score: has_density.then(|| mean(|fold| fold.log_score.unwrap_or(f64::NAN))),
            pinball: mean(|fold| fold.pinball),
            rmse: mean(|fold| fold.rmse * fold.rmse).sqrt(),
            mae: mean(|fold| fold.mae),
            coverage: mean(|fold| fold.coverage),
        })
    }
}

/// A model that predicts.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) enum Model {
    Fit {
        predictor: Predictor,
        /// Made where it is first asked for, wherever that is.
        #[serde(skip)]
        new: OnceLock<Option<NewObservation>>,
    },
    /// One for each of [`LEVELS`].
    Quantiles(Vec<Predictor>),
    Network(Arc<Network>),
}

impl Model {
    pub(super) fn of_fits(mut predictors: Vec<Predictor>) -> Result<Self, Error> {
        let is_quantile = |predictor: &Predictor| matches!(predictor.noise(), Noise::Quantile(_));
        match predictors.len() {
            0 => Err(Error::NoRows),
            _ if predictors.iter().all(is_quantile) => Ok(Model::Quantiles(predictors)),
            _ => {
                let predictor = predictors.swap_remove(0);
                let new = OnceLock::from(Some(NewObservation::new(&predictor)?));
                Ok(Model::Fit { predictor, new })
            }
        }
    }

    /// Predictions, quantiles, and the distributions where there are such.
    fn said(&self, rows: &NewRows<'_>) -> Option<Said> {
        let of = |found: Distributions, location: Vec<f64>| {
            let quantiles = LEVELS.iter().map(|&level| found.quantile(level).ok()).collect::<Option<Vec<_>>>()?;
            Some(Said { location, quantiles, found: Some(found) })
        };
        match self {
            Model::Fit { predictor, new } => {
                let new = new.get_or_init(|| NewObservation::new(predictor).ok()).as_ref()?;
                of(new.of(rows).ok()?, predictor.location(rows))
            }
            Model::Quantiles(predictors) => {
                let mut quantiles: Vec<Vec<f64>> = predictors.iter().map(|of| of.location(rows)).collect();
                let location = quantiles.get(MEDIAN)?.clone();
                ascend(&mut quantiles);
                Some(Said { location, quantiles, found: None })
            }
            Model::Network(network) => {
                let mixture = network.predict(rows);
                if network.curves() > 1 {
                    let quantiles: Vec<Vec<f64>> = (0..network.curves()).map(|curve| mixture.location(curve)).collect();
                    return Some(Said { location: quantiles.get(MEDIAN)?.clone(), quantiles, found: None });
                }
                let location = mixture.location(0);
                of(mixture.into(), location)
            }
        }
    }
}

/// Puts the quantiles of each row in order, where lines have crossed.
fn ascend(quantiles: &mut [Vec<f64>]) {
    for i in 0..quantiles.first().map_or(0, Vec::len) {
        let mut row: Vec<f64> = quantiles.iter().map(|level| level[i]).collect();
        row.sort_by(f64::total_cmp);
        quantiles.iter_mut().zip(row).for_each(|(level, value)| level[i] = value);
    }
}

/// What a model says of a block of rows.
struct Said {
    location: Vec<f64>,
    quantiles: Vec<Vec<f64>>,
    found: Option<Distributions>,
}

/// Sums over rows of the scores of one model.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
struct Tally {
    nobs: f64,
    log_score: f64,
    pinball: f64,
    squares: f64,
    absolute: f64,
    covered: f64,
    /// Whether there is a density.
    has_density: bool,
}

/// One pass: the scores of rows under models that were fitted to others.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Scoring {
    /// None for a model without a fit.
    models: Arc<Vec<Option<Model>>>,
    tallies: Vec<Tally>,
    rows: u64,
}

impl Scoring {
    pub(super) fn new(models: Vec<Option<Model>>) -> Self {
        Scoring { tallies: vec![Tally::default(); models.len()], models: Arc::new(models), rows: 0 }
    }

    /// The scores of every model that has some.
    pub(super) fn finish(self) -> Vec<Option<FoldScores>> {
        let scores = |(model, tally): (&Option<Model>, &Tally)| {
            model.as_ref().filter(|_| tally.nobs > 0.0)?;
            let mean = |sum: f64| sum / tally.nobs;
            Some(FoldScores {
                nobs: tally.nobs,
                log_score: tally.has_density.then(|| mean(tally.log_score)),
                pinball: mean(tally.pinball),
                rmse: mean(tally.squares).sqrt(),
                mae: mean(tally.absolute),
                coverage: mean(tally.covered),
            })
        };
        self.models.iter().zip(&self.tallies).map(scores).collect()
    }
}

impl Accumulator for Scoring {
    const KIND: &'static str = "compare-kinds";

    fn fold(&mut self, block: &Block<'_>) {
        self.rows += block.rows() as u64;
        let rows = NewRows::from(block);
        for (model, tally) in self.models.iter().zip(&mut self.tallies) {
            let Some(Said { location, quantiles, found }) = model.as_ref().and_then(|model| model.said(&rows)) else {
                continue;
            };
            tally.has_density |= found.is_some();
            for i in 0..rows.count {
                let (f, y) = (block.frequency(i), block.response.high[i]);
                let pinball = LEVELS.iter().zip(&quantiles).map(|(&tau, level)| Check { tau }.value(y - level[i]));
                let error = y - location[i];
                let inside = quantiles.first().is_some_and(|low| low[i] <= y)
                    && quantiles.last().is_some_and(|high| y <= high[i]);
                let jacobian = block.log_jacobian.map_or(0.0, |l| l[i]);
                tally.nobs += f;
                tally.log_score += f * found.as_ref().map_or(0.0, |found| found.log_density(i, y) + jacobian);
                tally.pinball += f * pinball.sum::<f64>() / LEVELS.len() as f64;
                tally.squares += f * error * error;
                tally.absolute += f * error.abs();
                tally.covered += if inside { f } else { 0.0 };
            }
        }
    }

    fn merge(&mut self, later: Self) {
        self.rows += later.rows;
        for (mine, theirs) in self.tallies.iter_mut().zip(later.tallies) {
            mine.nobs += theirs.nobs;
            mine.log_score += theirs.log_score;
            mine.pinball += theirs.pinball;
            mine.squares += theirs.squares;
            mine.absolute += theirs.absolute;
            mine.covered += theirs.covered;
            mine.has_density |= theirs.has_density;
        }
    }

    fn rows(&self) -> u64 {
        self.rows
    }

    fn precision(&self) -> Precision {
        Precision::Double
    }
}
