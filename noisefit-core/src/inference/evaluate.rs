//! One pass: how well a fit predicts rows, perhaps others than it was fitted to.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::Error;
use crate::inference::conformal::Conformal;
use crate::inference::predict::{IntervalKind, Intervals, NewRows, Predictor};
use crate::network::{Mixture, Network};
use crate::noise::shape::{Check, Shape};
use crate::noise::{AsymmetricLaplace, Noise};
use crate::numeric::Level;
use crate::numeric::double_double::DoubleDouble;
use crate::record::Fit;
use crate::rows::{Accumulator, Block, Precision};

/// Sums over rows of what a fit gets wrong.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Evaluation {
    model: Model,
    /// Intervals that take the place of the fit's own.
    conformal: Option<Arc<Conformal>>,
    level: f64,
    rows: u64,
    /// A value near the responses, from which their moments are taken.
    origin: Option<f64>,
    sums: [DoubleDouble; SUMS],
}

/// What predicts.
#[derive(Debug, Clone, Serialize, Deserialize)]
enum Model {
    Fit(Predictor),
    /// One of its curves.
    Network(Arc<Network>, usize),
}

impl Model {
    /// The noise, of an ensemble that of its first member.
    fn noise(&self) -> Option<Noise> {
        match self {
            Model::Fit(predictor) => Some(predictor.fit().noise),
            Model::Network(network, curve) => network.members.first()?.noise.get(*curve).copied(),
        }
    }
}

/// What a model says of a block of rows.
enum Predicted {
    /// Locations, and scales where there is a likelihood.
    Fit(Vec<f64>, Option<Vec<f64>>),
    Network(Vec<f64>, Mixture),
}

const SUMS: usize = 9;
const OBSERVATIONS: usize = 0;
const SQUARES: usize = 1;
const ABSOLUTE: usize = 2;
const RESPONSE: usize = 3;
const RESPONSE_SQUARES: usize = 4;
const NEGATIVE_LOG_LIKELIHOOD: usize = 5;
const COVERED: usize = 6;
const PINBALL: usize = 7;
const BELOW: usize = 8;

/// How well a fit predicts some rows.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Scores {
    /// Observations scored.
    pub nobs: u64,
    /// The mean squared error.
    pub mse: f64,
    /// Its root.
    pub rmse: f64,
    /// The mean absolute error.
    pub mae: f64,
    /// `1 - sum(e^2) / sum((y - mean)^2)` with the mean of these rows; negative where their mean predicts better.
    pub r_squared: Option<f64>,
    /// The mean negative log-likelihood of an observation under the fitted noise at the row's own scale, complete; absent
    /// for a scale of zero.
    pub mean_nll: Option<f64>,
    /// The level of the prediction intervals.
    pub level: f64,
    /// What the intervals are: `prediction` or `conformal`.
    pub interval: &'static str,
    /// The share of observations within their prediction interval; absent where there is none, and for a quantile without a
    /// conformal one.
    pub coverage: Option<f64>,
    /// What a quantile is scored by; absent for other noise.
    pub quantile: Option<QuantileScores>,
}

/// How well a quantile fits some rows.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct QuantileScores {
    /// Its level.
    pub tau: f64,
    /// The mean pinball loss, `e tau` above the quantile and `e (tau - 1)` below, which the true quantile minimises.
    pub mean_pinball: f64,
    /// The share of observations below the quantile or, to rounding, on it: `tau`, if the fit is right.
    pub share_below: f64,
}

impl Evaluation {
    /// The empty state, for prediction intervals at `level`.
    ///
    /// # Errors
    /// Those of [`Predictor::new`], and [`Error::Argument`] for a level outside (0, 1).
    pub fn new(fit: &Fit, level: f64) -> Result<Self, Error> {
        let level = Level::new(level)?.value();
        let model = Model::Fit(Predictor::new(fit)?);
        Ok(Evaluation { model, conformal: None, level, rows: 0, origin: None, sums: Default::default() })
    }

    /// The empty states of a trained network, one for each of its curves, for prediction intervals at `level`.
    ///
    /// # Errors
    /// [`Error::Argument`] for a level outside (0, 1).
    pub fn of_network(network: &Network, level: f64) -> Result<Vec<Self>, Error> {
        let level = Level::new(level)?.value();
        let shared = Arc::new(network.clone());
        let state = |curve: usize| {
            let model = Model::Network(shared.clone(), curve);
            Evaluation { model, conformal: None, level, rows: 0, origin: None, sums: Default::default() }
        };
        Ok((0..network.curves()).map(state).collect())
    }

    /// With conformal intervals in the place of the fit's own.
    #[must_use]
    pub fn with_conformal(mut self, conformal: &Conformal) -> Self {
        self.conformal = Some(Arc::new(conformal.clone()));
        self
    }

    /// The scores of the rows folded.
    ///
    /// # Errors
    /// [`Error::NoRows`].
    pub fn finish(&self) -> Result<Scores, Error> {
        if self.rows == 0 {
            return Err(Error::NoRows);
        }
        let sum = |which: usize| self.sums[which];
        if sum(SQUARES).to_f64().is_nan() {
            let why = "the rows have levels of absorbed effects that no row of the fit connects, and their sum is not determined";
            return Err(Error::Undetermined { why: why.to_owned(), remedy: Some("leave such rows out") });
        }
        let n = sum(OBSERVATIONS).to_f64();
        let total = (sum(RESPONSE_SQUARES) - sum(RESPONSE).square() / n).to_f64();
        let mse = sum(SQUARES).to_f64() / n;
        Ok(Scores {
            // Sampling weights sum to the number of rows but for rounding.
            nobs: n.round() as u64,
            mse,
            rmse: mse.sqrt(),
            mae: sum(ABSOLUTE).to_f64() / n,
            r_squared: (total > 0.0).then(|| 1.0 - sum(SQUARES).to_f64() / total),
            mean_nll: self.has_likelihood().then(|| sum(NEGATIVE_LOG_LIKELIHOOD).to_f64() / n),
            level: self.level,
            interval: if self.conformal.is_some() { "conformal" } else { "prediction" },
            coverage: self.has_intervals().then(|| sum(COVERED).to_f64() / n),
            quantile: self.tau().map(|tau| QuantileScores {
                tau,
                mean_pinball: sum(PINBALL).to_f64() / n,
                share_below: sum(BELOW).to_f64() / n,
            }),
        })
    }

    /// Whether no scale is zero; a modelled one is not.
    fn has_likelihood(&self) -> bool {
        match &self.model {
            Model::Fit(predictor) => predictor.fit().scale.common().is_none_or(|scale| scale > 0.0),
            Model::Network(network, curve) => network.members.iter().all(|member| member.scale[*curve] > 0.0),
        }
    }

    fn has_intervals(&self) -> bool {
        let own = match &self.model {
            Model::Fit(predictor) => predictor.has_variances(),
            Model::Network(..) => self.has_likelihood(),
        };
        self.conformal.is_some() || (self.tau().is_none() && own)
    }

    /// Whether each row lies in its interval, for `0..rows.count`.
    fn covered(&self, block: &Block<'_>, rows: &NewRows<'_>, predicted: &Predicted) -> Option<Vec<bool>> {
        let y = block.response.high;
        let intervals = match (&self.conformal, &self.model, predicted) {
            (Some(conformal), _, _) => conformal.intervals(rows, self.level),
            _ if !self.has_intervals() => return None,
            (None, Model::Fit(predictor), _) => predictor.intervals(rows, IntervalKind::Prediction, self.level),
            (None, Model::Network(..), Predicted::Network(_, mixture)) => {
                // Between the quantiles, without a search for them.
                let tail = 0.5 * (1.0 - self.level);
                let within = |i: usize| mixture.cdf(i, y[i]) >= tail && mixture.survival(i, y[i]) >= tail;
                return Some((0..rows.count).map(within).collect());
            }
            _ => return None,
        };
        let Intervals { low, high } = intervals.ok()?;
        Some((0..rows.count).map(|i| (low[i]..=high[i]).contains(&y[i])).collect())
    }

    fn predict(&self, rows: &NewRows<'_>) -> Predicted {
        match &self.model {
            Model::Fit(predictor) => {
                Predicted::Fit(predictor.location(rows), self.has_likelihood().then(|| predictor.scale(rows)))
            }
            Model::Network(network, curve) => {
                let mixture = network.predict(rows);
                Predicted::Network(mixture.location(*curve), mixture)
            }
        }
    }

    /// The negative log density of a row at `y`, which lies `error` above the location.
    fn negative_log_density(&self, predicted: &Predicted, i: usize, y: f64, error: f64) -> Option<f64> {
        match (&self.model, predicted) {
            (Model::Fit(predictor), Predicted::Fit(_, Some(scales))) => {
                Some(predictor.fit().noise.family().negative_log_density(error / scales[i]) + scales[i].ln())
            }
            (Model::Network(_, curve), Predicted::Network(_, mixture)) if self.has_likelihood() => {
                Some(-mixture.log_density(*curve, i, y))
            }
            _ => None,
        }
    }

    fn tau(&self) -> Option<f64> {
        match self.model.noise() {
            Some(Noise::Quantile(AsymmetricLaplace { tau })) => Some(tau),
            _ => None,
        }
    }
}

impl Accumulator for Evaluation {
    const KIND: &'static str = "evaluation";

    fn fold(&mut self, block: &Block<'_>) {
        let rows = block.rows();
        let Some(&first) = block.response.high.first() else { return };
        let origin = *self.origin.get_or_insert(first);
        self.rows += rows as u64;
        let new = NewRows::from(block);
        let predicted = self.predict(&new);
        let covered = self.covered(block, &new, &predicted);
        let (Predicted::Fit(locations, _) | Predicted::Network(locations, _)) = &predicted;
        let tau = self.tau();
        for i in 0..rows {
            let f = block.frequency(i);
            let y = block.response.high[i];
            let error = (DoubleDouble::from_sum(y, -locations[i]) + block.response.low(i)).to_f64();
            let shifted = DoubleDouble::from_sum(y, -origin);
            let nll = self.negative_log_density(&predicted, i, y, error);
            let mut add = |which: usize, value: DoubleDouble| self.sums[which] += value * f;
            if let Some(nll) = nll {
                add(NEGATIVE_LOG_LIKELIHOOD, (nll - block.log_jacobian.map_or(0.0, |l| l[i])).into());
            }
            add(OBSERVATIONS, DoubleDouble::ONE);
            add(SQUARES, DoubleDouble::from_product(error, error));
            add(ABSOLUTE, error.abs().into());
            add(RESPONSE, shifted);
            add(RESPONSE_SQUARES, shifted.square());
            if covered.as_ref().is_some_and(|covered| covered[i]) {
                add(COVERED, DoubleDouble::ONE);
            }
            if let Some(tau) = tau {
                add(PINBALL, Check { tau }.value(error).into());
                // A row on the quantile lies a rounding error off it.
                let rounding = 4.0 * f64::EPSILON * y.abs().max(locations[i].abs());
                add(BELOW, f64::from(u8::from(error <= rounding)).into());
            }
        }
    }

    fn merge(&mut self, later: Self) {
        let (Some(origin), Some(other)) = (self.origin, later.origin) else {
            if later.origin.is_some() {
                *self = later;
            }
            return;
        };
        // The later rows' moments, taken from this origin.
        let shift = DoubleDouble::from_sum(other, -origin);
        let (count, sum) = (later.sums[OBSERVATIONS], later.sums[RESPONSE]);
        self.rows += later.rows;
        for (mine, theirs) in self.sums.iter_mut().zip(later.sums) {
            *mine += theirs;
        }
        self.sums[RESPONSE] += shift * count;
        self.sums[RESPONSE_SQUARES] += shift * sum * 2.0 + shift.square() * count;
    }

    fn rows(&self) -> u64 {
        self.rows
    }

    fn precision(&self) -> Precision {
        Precision::Extended
    }
}
