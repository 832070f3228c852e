//! How good the predictions for a split's test rows are.

use std::collections::HashSet;

use crate::data::Set;
use crate::mixture::{Calibration, Mixture};

/// Means over the test rows of a split.
pub struct Score {
    /// The negative log-likelihood of the mixtures, complete, in units of the response.
    pub nll: f64,
    /// The root of the mean squared distance from the mixtures' mean locations.
    pub rmse: f64,
    /// The share between the mixtures' quantiles 0.05 and 0.95.
    pub coverage: f64,
    /// The negative log-likelihood of the rows whose inputs no training row has.
    pub nll_new: f64,
    /// The share of the others.
    pub known: f64,
}

impl Score {
    /// Of the predictions for a split's test rows.
    pub fn of(set: &Set, split: usize, (mixtures, calibration): &(Vec<Mixture>, Calibration)) -> Score {
        let (training, test) = (set.training(split), &set.tests[split]);
        let bits = |row: usize| -> Vec<u64> { set.inputs[row].iter().map(|value| value.to_bits()).collect() };
        let known: HashSet<Vec<u64>> = training.iter().map(|&row| bits(row)).collect();
        let (mut losses, mut new_losses, mut squares, mut covered) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        for (mixture, &row) in mixtures.iter().zip(test) {
            let y = set.response[row];
            let loss = mixture.negative_log_density(y, calibration);
            losses.push(loss);
            if !known.contains(&bits(row)) {
                new_losses.push(loss);
            }
            squares.push((y - mixture.location()).powi(2));
            let below = mixture.cdf(y, calibration);
            covered.push(if below > 0.05 && below < 0.95 { 1.0 } else { 0.0 });
        }
        Score {
            nll: mean(&losses),
            rmse: mean(&squares).sqrt(),
            coverage: mean(&covered),
            nll_new: mean(&new_losses),
            known: 1.0 - new_losses.len() as f64 / losses.len() as f64,
        }
    }
}

/// The mean.
pub fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

/// The mean, and its standard error.
pub fn mean_and_error(values: &[f64]) -> (f64, f64) {
    let (mean, count) = (mean(values), values.len() as f64);
    let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
    (mean, (squares / (count - 1.0) / count).sqrt())
}
