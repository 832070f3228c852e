//! One fit of those that a conformal interval is made of, with the scores of the rows that it has not seen.

use serde::{Deserialize, Serialize};

use crate::algebra::Affine;
use crate::inference::conformal::scores::Scores;
use crate::inference::predict::NewRows;
use crate::network::Network;
use crate::numeric::double_double::DoubleDouble;
use crate::record::{Coefficients, Fit};
use crate::rows::{Block, Layout};

/// A fit and how far rows that it has not seen lie from it.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Member {
    /// The location; of several quantiles the lowest and the highest.
    location: Vec<Affine>,
    /// The logarithm of a modelled scale.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    log_scale: Option<Affine>,
    /// In the place of both.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    network: Option<Network>,
    /// The scores of other rows.
    pub(crate) scores: Scores,
}

/// What a member says of rows: an interval of width zero, or that between two quantiles, and the unit of scores.
pub(crate) struct Said {
    pub(crate) low: Vec<f64>,
    pub(crate) high: Vec<f64>,
    pub(crate) unit: Vec<f64>,
}

impl Member {
    pub(crate) fn new(fits: &[Fit]) -> Self {
        let outermost = match fits {
            [first, .., last] => vec![first, last],
            few => few.iter().collect(),
        };
        Member {
            location: outermost.iter().map(|fit| fit.location.affine()).collect(),
            log_scale: fits.first().and_then(|fit| fit.scale.modelled()).map(Coefficients::affine),
            network: None,
            scores: Scores::default(),
        }
    }

    pub(crate) fn of_line(location: Affine) -> Self {
        Member { location: vec![location], ..Member::default() }
    }

    pub(crate) fn of_network(network: Network) -> Self {
        Member { network: Some(network), ..Member::default() }
    }

    /// What it says of rows. The unit is 1 where noise has one scale: that says nothing of where noise is larger.
    pub(crate) fn say(&self, rows: &NewRows<'_>) -> Said {
        if let Some(network) = &self.network {
            let mixture = network.predict(rows);
            let unit = |i: usize| rows.weights.map_or(1.0, |w| 1.0 / w[i].sqrt());
            return Said {
                low: mixture.location(0),
                high: mixture.location(network.curves().saturating_sub(1)),
                unit: match network.models_scale() {
                    true => mixture.spread(),
                    false => (0..rows.count).map(unit).collect(),
                },
            };
        }
        let evaluate = |linear: Option<&Affine>| {
            linear.map_or_else(|| vec![f64::NAN; rows.count], |linear| linear.values(rows.design, rows.count))
        };
        let (low, high) = match &self.location[..] {
            [low, .., high] => (evaluate(Some(low)), evaluate(Some(high))),
            one => {
                let location = evaluate(one.first());
                (location.clone(), location)
            }
        };
        let mut unit = match &self.log_scale {
            None => vec![1.0; rows.count],
            Some(log_scale) => log_scale.values(rows.scale_design, rows.count).into_iter().map(f64::exp).collect(),
        };
        if let Some(weights) = rows.weights {
            unit.iter_mut().zip(weights).for_each(|(unit, w)| *unit /= w.sqrt());
        }
        Said { low, high, unit }
    }

    /// How far, in units, the responses lie outside: `max(low - y, y - high) / unit`.
    pub(crate) fn scores_of(&self, block: &Block<'_>, rows: &NewRows<'_>) -> Vec<f64> {
        let Said { low, high, unit } = self.say(rows);
        let above = |i: usize, end: f64| {
            (DoubleDouble::from_sum(block.response.high[i], -end) + block.response.low(i)).to_f64()
        };
        (0..rows.count).map(|i| above(i, high[i]).max(-above(i, low[i])) / unit[i]).collect()
    }

    /// Whether it goes with a design.
    pub(crate) fn is_sound(&self, layout: &Layout, ends: usize) -> bool {
        if let Some(network) = &self.network {
            return network.is_sound(layout) && network.curves().min(2) == ends && self.scores.is_sound();
        }
        let scale = layout.scale.as_ref().map(|scale| scale.terms.len());
        self.location.len() == ends
            && self.location.iter().all(|linear| linear.is_sound(layout.terms.len()))
            && self.log_scale.is_some() == scale.is_some()
            && self.log_scale.iter().zip(scale).all(|(linear, columns)| linear.is_sound(columns))
            && self.scores.is_sound()
    }
}
