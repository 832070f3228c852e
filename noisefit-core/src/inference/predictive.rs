//! Where responses lie in the distributions that a fit predicts for them.

use serde::{Deserialize, Serialize};

use crate::Error;
use crate::inference::predict::{NewRows, OwnInterval, Predictor};

/// The distribution that a fit predicts for a new observation, in parts of equal probability.
///
/// Its quantiles are the ends of the [prediction intervals](Predictor::intervals), so that it allows for what is not known of
/// location and scale. Under Gaussian noise of one scale that is Student's t of the residual degrees of freedom, and where a
/// new response lies in it is exactly uniform (the probability integral transform; Dawid 1984, *Journal of the Royal
/// Statistical Society A* 147, 278-292).
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Predictive {
    predictor: Predictor,
    /// The central intervals between whose ends the parts lie, the widest first.
    intervals: Vec<Prepared>,
    /// The noise's median in scales, where that is an end.
    median: Option<f64>,
    /// The interval whose coverage is counted.
    counted: Prepared,
}

/// A prediction interval but for what differs from row to row.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
struct Prepared {
    own: OwnInterval,
    /// How much wider it is for the uncertainty of the scale; absent where the row says.
    widening: Option<f64>,
    /// The standard error of a location of leverage 1, times the critical value.
    margin: f64,
}

/// Where a response lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Place {
    /// The part, from 0.
    pub(crate) part: usize,
    /// Whether it is within the interval whose coverage is counted.
    pub(crate) covered: bool,
}

impl Predictive {
    /// In so many parts, with the interval of `level` besides.
    pub(crate) fn new(predictor: &Predictor, parts: usize, level: f64) -> Result<Self, Error> {
        let fit = predictor.fit();
        let reference = fit.reference_distribution();
        let deviation = fit.location_variance().map_or(0.0, f64::sqrt);
        let prepared = |level: f64| {
            let own = predictor.own_interval(level)?;
            let known = (!predictor.models_scale()).then(|| own.widening(predictor.common_log_end_variance(&own)));
            let margin = reference.as_ref().map_or(0.0, |reference| reference.critical(level)) * deviation;
            Ok::<_, Error>(Prepared { own, widening: known, margin })
        };
        let levels =
            (1..).map(|part| (parts as f64 - 2.0 * f64::from(part)) / parts as f64).take_while(|level| *level > 0.0);
        Ok(Predictive {
            intervals: levels.map(prepared).collect::<Result<_, _>>()?,
            median: parts.is_multiple_of(2).then(|| fit.noise.family().quantile(0.5)),
            counted: prepared(level)?,
            predictor: predictor.clone(),
        })
    }

    /// The places of rows whose responses lie `residuals` scales from their locations.
    pub(crate) fn places(&self, rows: &NewRows<'_>, residuals: &[f64], scales: &[f64]) -> Vec<Place> {
        let leverages = match self.predictor.fit().leverage() {
            Some(leverage) => leverage.approximate(rows.design, rows.count),
            None => vec![0.0; rows.count],
        };
        let variances = self.predictor.models_scale().then(|| self.predictor.log_scale_variances(rows));
        let place = |(i, &r): (usize, &f64)| {
            // What is not known of the location, in scales, but for the critical value.
            let unknown = leverages[i].sqrt() / scales[i];
            let variance = variances.as_ref().map_or(0.0, |variances| variances[i]);
            let above = |interval: &Prepared| interval.high(unknown, variance) < r;
            let reached = |interval: &Prepared| interval.low(unknown, variance) < r;
            // Each interval has the next one within it.
            let below = self.intervals.partition_point(|interval| reached(interval));
            let part = match below == self.intervals.len() {
                false => below,
                true => {
                    let after = self.intervals.iter().rev().take_while(|interval| above(interval)).count();
                    below + after + usize::from(self.median.is_some_and(|median| median < r))
                }
            };
            Place { part, covered: reached(&self.counted) && !above(&self.counted) }
        };
        residuals.iter().enumerate().map(place).collect()
    }
}

impl Prepared {
    fn low(&self, unknown: f64, variance: f64) -> f64 {
        -self.outwards(-self.own.low, unknown, variance)
    }

    fn high(&self, unknown: f64, variance: f64) -> f64 {
        self.outwards(self.own.high, unknown, variance)
    }

    /// As [`Predictor::intervals`] widens an end; in scales nothing can leave the range of a double.
    fn outwards(&self, end: f64, unknown: f64, variance: f64) -> f64 {
        let (end, margin) = (end * self.widening.unwrap_or_else(|| self.own.widening(variance)), self.margin * unknown);
        end + ((end * end + margin * margin).sqrt() - end.abs())
    }
}
