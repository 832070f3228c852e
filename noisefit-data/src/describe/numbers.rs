//! What is kept of a column of numbers, dates or times.

use super::moments::Moments;
use super::quantiles::Sample;

/// Infinite values are counted and otherwise left out.
#[derive(Debug, Clone)]
pub(crate) struct Numbers {
    pub missing: u64,
    pub infinite: u64,
    pub minimum: f64,
    pub maximum: f64,
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
            minimum: f64::INFINITY,
            maximum: f64::NEG_INFINITY,
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
        // A negative zero is not worth showing.
        self.minimum = high.iter().fold(self.minimum, least) + 0.0;
        self.maximum = high.iter().fold(self.maximum, largest) + 0.0;
        self.moments.merge(Moments::of(high, low));
        self.sample.extend(high);
    }

    /// Adds another state's values.
    pub fn merge(&mut self, other: Numbers) {
        self.missing += other.missing;
        self.infinite += other.infinite;
        self.minimum = self.minimum.min(other.minimum);
        self.maximum = self.maximum.max(other.maximum);
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
