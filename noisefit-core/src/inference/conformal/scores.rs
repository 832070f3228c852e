//! Conformity scores in ascending order, no more of them than are worth keeping.

use serde::{Deserialize, Serialize};

/// How many observations have which score.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Scores {
    /// The scores, ascending. Where there were too many, neighbours share the largest of them, so that an order statistic is
    /// never below the true one.
    pub(crate) values: Vec<f64>,
    /// How many observations have at most the score beside it; empty where each score is that of one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) up_to: Vec<f64>,
    /// Observations in all, those of infinite scores included.
    pub(crate) count: f64,
}

impl Scores {
    /// Observations in all.
    pub(crate) fn count(&self) -> f64 {
        self.count
    }

    /// The number of different scores that are finite.
    pub(crate) fn len(&self) -> usize {
        self.values.len()
    }

    /// The score in a place from 0.
    pub(crate) fn value(&self, place: usize) -> f64 {
        self.values.get(place).copied().unwrap_or(f64::INFINITY)
    }

    /// How many observations have one of the first `places` scores.
    pub(crate) fn before(&self, places: usize) -> f64 {
        match places.checked_sub(1) {
            None => 0.0,
            Some(last) => self.up_to.get(last).copied().unwrap_or(places as f64),
        }
    }

    /// The first place at which `rank` observations or more have at most its score; that after the last where there is none.
    pub(crate) fn place(&self, rank: f64) -> usize {
        let (mut low, mut high) = (0, self.len());
        while low < high {
            let middle = low.midpoint(high);
            if self.before(middle + 1) < rank { low = middle + 1 } else { high = middle }
        }
        low
    }

    /// Whether the parts go together, as they do unless a file was damaged.
    pub(crate) fn is_sound(&self) -> bool {
        let ascending = |values: &[f64]| values.windows(2).all(|pair| pair[0] <= pair[1]);
        ascending(&self.values)
            && ascending(&self.up_to)
            && self.values.iter().chain(&self.up_to).all(|value| value.is_finite())
            && (self.up_to.is_empty() || self.up_to.len() == self.len())
            && self.before(self.len()) <= self.count
    }
}
