//! What is kept of a column of numbers, dates or times.

use super::moments::Moments;
use super::quantiles::Sample;
use crate::read::number;

/// Infinite values are counted and otherwise left out.
#[derive(Debug, Clone)]
pub(crate) struct Numbers {
    pub missing: u64,
    pub infinite: u64,
    /// The least and the largest in two words.
    pub minimum: (f64, f64),
    pub maximum: (f64, f64),
    /// Whether there are integers that no double is.
    pub long: bool,
    pub moments: Moments,
    pub sample: Sample,
}

/// Room for the finite values of a frame.
#[derive(Debug, Default)]
pub(crate) struct Scratch {
    high: Vec<f64>,
    low: Vec<f64>,
}

impl Default for Numbers {
    fn default() -> Self {
        Numbers {
            missing: 0,
            infinite: 0,
            minimum: (f64::INFINITY, 0.0),
            maximum: (f64::NEG_INFINITY, 0.0),
            long: false,
            moments: Moments::default(),
            sample: Sample::default(),
        }
    }
}

impl Numbers {
    /// Adds the values of a [`Column::Number`](crate::frame::Column::Number).
    pub fn add(&mut self, high: &[f64], low: Option<&[f64]>, scratch: &mut Scratch) {
        let finite = high.iter().filter(|value| value.is_finite()).count();
        let (high, low) = if finite == high.len() {
            (high, low.unwrap_or(&[]))
        } else {
            let missing = high.iter().filter(|value| value.is_nan()).count();
            self.missing += missing as u64;
            self.infinite += (high.len() - finite - missing) as u64;
            scratch.keep_finite(high, low)
        };
        let least = |least: f64, &value: &f64| if value < least { value } else { least };
        let largest = |largest: f64, &value: &f64| if value > largest { value } else { largest };
        let (minimum, maximum) = (high.iter().fold(f64::INFINITY, least), high.iter().fold(f64::NEG_INFINITY, largest));
        let lows = |of: f64| high.iter().zip(low).filter(move |(high, _)| **high == of).map(|(_, &low)| low);
        // A negative zero is not worth showing.
        self.add_least((minimum + 0.0, lows(minimum).reduce(f64::min).unwrap_or(0.0)));
        self.add_largest((maximum + 0.0, lows(maximum).reduce(f64::max).unwrap_or(0.0)));
        self.long |= high.iter().zip(low).any(|(&high, &low)| number::is_long_integer(high, low));
        self.moments.merge(Moments::of(high, low));
        self.sample.extend(high);
    }

    fn add_least(&mut self, value: (f64, f64)) {
        if value < self.minimum {
            self.minimum = value;
        }
    }

    fn add_largest(&mut self, value: (f64, f64)) {
        if value > self.maximum {
            self.maximum = value;
        }
    }

    /// Adds another state's values.
    pub fn merge(&mut self, other: Numbers) {
        self.missing += other.missing;
        self.infinite += other.infinite;
        self.add_least(other.minimum);
        self.add_largest(other.maximum);
        self.long |= other.long;
        self.moments.merge(other.moments);
        self.sample.merge(other.sample);
    }
}

impl Scratch {
    fn keep_finite(&mut self, high: &[f64], low: Option<&[f64]>) -> (&[f64], &[f64]) {
        self.low.clear();
        if let Some(low) = low {
            let kept = high.iter().zip(low).filter(|(high, _)| high.is_finite());
            self.low.extend(kept.map(|(_, &low)| low));
        }
        self.high.clear();
        self.high.extend(high.iter().copied().filter(|value| value.is_finite()));
        (&self.high, &self.low)
    }
}
