//! Fits under every noise family, on a matrix in memory stored by rows.

use std::error::Error;
use std::path::Path;

use noisefit_core::compare::{self, Candidate, compare};
use noisefit_core::inference::covariance::{Bootstrap, Hc3, Resampling, Vcov};
use noisefit_core::inference::{self, Options};
use noisefit_core::noise::{Huber, Noise, Noises, Parameter};
use noisefit_core::record::Fit;
use noisefit_core::rows::{Matrix, MemoryRows};

use crate::protocol::{Numbers, numbers, repeat};
use crate::threads;

/// Serves the fit under one noise, on `x.f64` (row-major doubles) and `y.f64`.
///
/// `noise` is a name of the command line's, or `huber k=K`; `scale` says how Huber's scale is estimated, or that the scale
/// is `modelled` by the design's columns, or that standard errors are those of a `bootstrap` or `hc3`; `constant` otherwise.
pub fn run(noise: &str, scale: &str, rows: usize, columns: usize, folder: &Path) -> Result<(), Box<dyn Error>> {
    let (noise, k_given) = noise.split_once(" k=").map_or((noise, None), |(noise, k)| (noise, Some(k.parse())));
    let noise: Noises = noise.parse()?;
    let noise = match &noise[..] {
        &[Noise::Huber(huber @ Huber { delta: None, .. })] => {
            let k = k_given.transpose()?.map_or(huber.k, Parameter::Given);
            Noise::Huber(Huber { k, scale: scale.parse()?, ..huber }).into()
        }
        _ => noise,
    };
    let design = numbers(&folder.join("x.f64"), rows * columns, f64::from_le_bytes)?;
    let response = numbers(&folder.join("y.f64"), rows, f64::from_le_bytes)?;
    let design = Matrix::row_major(&design, rows, columns)?;
    let mut source = MemoryRows::new(&response, design)?.with_threads(threads());
    if scale == "modelled" {
        let terms: Vec<_> = (1..=columns).map(|j| format!("x{j}")).collect();
        source = source.with_scale_design(design, &terms)?;
    }
    // The other libraries' fits come without standard errors, too.
    let vcov = match scale {
        "bootstrap" => Vcov::Bootstrap(Bootstrap { draws: 200, scheme: Resampling::Pairs }),
        "hc3" => Vcov::Hc3(Hc3),
        _ => Vcov::CLASSICAL,
    };
    let options = Options { vcov, ..Options::default() };
    repeat(|| {
        let fits = inference::fit(&source, &noise, &options)?;
        match fits.iter().find(|fit| !fit.termination.converged) {
            Some(fit) => Err(format!("not converged: {}", fit.termination.reason).into()),
            None if matches!(scale, "bootstrap" | "hc3") => Ok(vec![("std_errors", std_errors(&fits))]),
            None => Ok(estimates(&fits)),
        }
    })
}

/// Serves the comparison of all families by five folds, on the same files.
pub fn run_comparison(rows: usize, columns: usize, folder: &Path) -> Result<(), Box<dyn Error>> {
    let design = numbers(&folder.join("x.f64"), rows * columns, f64::from_le_bytes)?;
    let response = numbers(&folder.join("y.f64"), rows, f64::from_le_bytes)?;
    let source = MemoryRows::new(&response, Matrix::row_major(&design, rows, columns)?)?.with_threads(threads());
    let candidates = Candidate::all(false);
    repeat(|| {
        let comparison = compare(&source, &candidates, &compare::Options::default())?;
        Ok(vec![("log_likelihoods", comparison.models.iter().filter_map(|entry| entry.log_likelihood).collect())])
    })
}

fn std_errors(fits: &[Fit]) -> Vec<f64> {
    fits.iter().flat_map(Fit::std_errors).flatten().collect()
}

/// Coefficients, and what else was estimated of the noise.
fn estimates(fits: &[Fit]) -> Numbers {
    let mut coefficients = Vec::new();
    for fit in fits {
        coefficients.extend(fit.coef().into_iter().flatten());
    }
    let mut estimates = vec![("coefficients", coefficients)];
    if let [fit] = fits {
        estimates.push(("scale", fit.scale.common().into_iter().collect()));
        estimates.push(("scale_coefficients", fit.scale.coefficients().iter().filter_map(|c| c.estimate).collect()));
        estimates.push(("shape", fit.shape.iter().filter_map(|shape| shape.estimate).collect()));
        estimates.push(("log_likelihood", fit.log_likelihood().into_iter().collect()));
    }
    estimates.retain(|(_, values)| !values.is_empty());
    estimates
}
