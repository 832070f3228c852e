//! The linear model that the networks are to beat.

use noisefit_core::Error;
use noisefit_core::estimate::{Options, closed_form};
use noisefit_core::noise::Noise;
use noisefit_core::rows::{Matrix, MemoryRows};

use crate::data::Set;
use crate::mixture::{Calibration, Mixture};

/// Normal distributions around the least squares fit to the training rows, with the maximum likelihood estimate of the
/// scale.
pub fn predict(set: &Set, training: &[usize], rows: &[usize]) -> Result<(Vec<Mixture>, Calibration), Error> {
    let design: Vec<f64> = training.iter().flat_map(|&row| &set.inputs[row]).copied().collect();
    let response: Vec<f64> = training.iter().map(|&row| set.response[row]).collect();
    let columns = design.len() / training.len().max(1);
    let source = MemoryRows::new(&response, Matrix::row_major(&design, training.len(), columns)?)?.with_threads(1);
    let fit = closed_form::fit(&source, &Options::default())?;
    // A collinear term has no coefficient.
    let coefficients: Vec<f64> = fit.location.rows.iter().map(|term| term.estimate.unwrap_or(0.0)).collect();
    let log_scale = fit.scale.common().unwrap_or(f64::NAN).ln();
    let mixture = |row: &usize| {
        let inputs = std::iter::once(&1.0).chain(&set.inputs[*row]);
        let location = inputs.zip(&coefficients).map(|(value, coefficient)| value * coefficient).sum();
        Mixture { components: vec![(location, log_scale)] }
    };
    Ok((rows.iter().map(mixture).collect(), Calibration { noise: Noise::Gaussian, log_factor: 0.0 }))
}
