//! A linear predictor, and the residuals that it leaves.

use serde::{Deserialize, Serialize};

use crate::numeric::double_double::DoubleDouble;
use crate::rows::{Block, Values};

/// `intercept + x'slopes`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct LinearPredictor {
    pub(crate) intercept: f64,
    pub(crate) slopes: Vec<f64>,
}

impl LinearPredictor {
    /// From coefficients, the intercept first where there is one; those of aliased terms are none.
    pub(crate) fn new(coefficients: &[Option<f64>], intercept: bool) -> Self {
        let mut values = coefficients.iter().map(|value| value.unwrap_or(0.0));
        let intercept = if intercept { values.next().unwrap_or(0.0) } else { 0.0 };
        LinearPredictor { intercept, slopes: values.collect() }
    }

    /// Its value in the first row, and what that of every row is more: columns far from zero cost no digits.
    pub(crate) fn evaluate(&self, design: &[Values<'_>], rows: usize) -> (DoubleDouble, Vec<f64>) {
        let (mut first, mut differences) = (DoubleDouble::from(self.intercept), vec![0.0; rows]);
        for (&slope, values) in self.slopes.iter().zip(design).filter(|(slope, _)| **slope != 0.0) {
            let Some(&origin) = values.high.first() else { continue };
            first += DoubleDouble::from_sum(origin, values.low(0)) * slope;
            let origin_low = values.low(0);
            for (i, difference) in differences.iter_mut().enumerate() {
                *difference += slope * ((values.high[i] - origin) + (values.low(i) - origin_low));
            }
        }
        (first, differences)
    }

    /// `y` less its value, in every row.
    pub(crate) fn residuals(&self, block: &Block<'_>) -> Vec<f64> {
        let (first, mut values) = self.evaluate(block.design, block.rows());
        for (i, value) in values.iter_mut().enumerate() {
            *value = (block.response.high[i] - first.high) + (block.response.low(i) - first.low) - *value;
        }
        values
    }
}
