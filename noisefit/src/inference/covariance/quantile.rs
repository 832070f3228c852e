//! The covariance of quantiles and least absolute deviations.
//!
//! All estimates are of the one form `tau (1 - tau) H^-1 (X'WX) H^-1` with `H = sum f w g x x'`, where `g` is the density of
//! the row's noise, times the root of its weight, at the quantile (Koenker 2005, *Quantile Regression*, section 3.4). They
//! differ in how they estimate `g`, which the classical covariance takes from the noise model:
//!
//! - `iid`: one density for all rows, the inverse of the slope of the order statistics about zero (Siddiqui 1960; Koenker
//!   and Bassett 1978, *Econometrica* 46, 33-50);
//! - `nid`: at each row from the distance of the quantiles at `tau + h` and `tau - h` (Hendricks and Koenker 1991, *JASA* 87,
//!   58-68);
//! - `kernel`: a normal kernel at the residuals (Powell 1991).
//!
//! The bandwidth is that of Hall and Sheather (1988, *JRSS B* 50, 381-391) for intervals of 95%, as in R's `quantreg`.

use super::Vcov;
use super::density::{Density, DensityProducts, Weighted};
use super::order::{Standardised, nearest, quartiles};
use crate::Error;
use crate::fit::{CovarianceEstimate, Fit, Reference};
use crate::inference::distribution::{Distribution, Normal};
use crate::linear::gram::{packed, packed_length};
use crate::linear::likelihood::Cholesky;
use crate::linear::predictor::LinearPredictor;
use crate::linear::quantile::{Neighbours, fit_with_neighbours, least_absolute_deviations};
use crate::linear::{Leverage, Options, gaussian};
use crate::noise::{Choice, Noise};
use crate::rows::{Matrix, MemoryRows, RowSource};

/// More observations than this share at which the upper quantile does not lie above the lower, and the default is another.
const MOST_CROSSED: f64 = 0.1;

/// The bandwidth of Hall and Sheather, which makes the error of the coverage of a 95% interval smallest.
fn hall_sheather(tau: f64, observations: f64) -> f64 {
    let x = Normal.quantile(tau);
    let density = (-0.5 * x * x).exp() / (2.0 * std::f64::consts::PI).sqrt();
    let critical = Normal.upper_quantile(0.025);
    let shape = 1.5 * density * density / (2.0 * x * x + 1.0);
    observations.powf(-1.0 / 3.0) * critical.powf(2.0 / 3.0) * shape.cbrt()
}

/// The same, halved until both levels at this distance are levels.
fn inner_bandwidth(tau: f64, observations: f64) -> f64 {
    let mut h = hall_sheather(tau, observations);
    while tau - h <= 0.0 || tau + h >= 1.0 {
        h *= 0.5;
    }
    h
}

/// The level of a quantile; none for another noise, or where the scale is modelled.
fn level_of(fit: &Fit) -> Option<f64> {
    match fit.noise {
        _ if !fit.scale_coefficients.is_empty() => None,
        Noise::Laplace => Some(0.5),
        Noise::Quantile(family) => Some(family.tau),
        _ => None,
    }
}

/// The fits of least absolute deviations or of several quantiles, with the covariance `nid`: the quantiles beside each are
/// fitted together with it.
///
/// # Errors
/// Those of the fits; where `nid` was asked for, also where there is none. As the default it gives way to `iid`, and says so.
pub(crate) fn fit_nid(source: &impl RowSource, noise: &Choice, options: &Options) -> Result<Vec<Fit>, Error> {
    let by_default = options.vcov == Vcov::Default;
    let bandwidth = |tau: f64, observations: f64| match by_default {
        true => Some(hall_sheather(tau, observations)).filter(|h| tau - h > 0.0 && tau + h < 1.0),
        false => Some(inner_bandwidth(tau, observations)),
    };
    let fits = match fit_with_neighbours(source, noise, options, &bandwidth) {
        // Perhaps only the quantiles beside it are not determined.
        Err(Error::Unsupported(_)) if by_default => fit_with_neighbours(source, noise, options, &|_, _| None)?,
        fits => fits?,
    };
    let (mut fits, neighbours): (Vec<Fit>, Vec<_>) = fits.into_iter().unzip();
    let found = nid(source, &fits, &neighbours)?;
    for (fit, found) in fits.iter_mut().zip(found) {
        if !has_noise(fit) {
            continue;
        }
        match found {
            Ok(Found { estimate, crossed }) => {
                let share = crossed / fit.nobs as f64;
                if !(by_default && share > MOST_CROSSED) {
                    fit.set_covariance(estimate);
                    fit.warnings.extend(warning(crossed));
                    continue;
                }
                default_is_iid(source, fit, options, &NoNid::Crossed(share))?;
            }
            Err(why) if by_default => default_is_iid(source, fit, options, &why)?,
            Err(why) => return Err(Error::Unsupported(format!("the covariance nid: {why}"))),
        }
    }
    Ok(fits)
}

/// Estimates the covariance of a fit that has the classical one.
pub(super) fn estimate(source: &impl RowSource, fit: &mut Fit, vcov: &Vcov, options: &Options) -> Result<(), Error> {
    let Some(tau) = level_of(fit) else {
        let what = "is for laplace and quantile noise of one scale: the location there is a quantile";
        return Err(Error::Unsupported(format!("the covariance {vcov} {what}")));
    };
    if !has_noise(fit) {
        return Ok(());
    }
    match vcov {
        Vcov::Iid => iid(source, fit, tau, options),
        Vcov::Nid => {
            let noise = match fit.noise {
                Noise::Laplace => Choice::Laplace,
                _ => Choice::Quantiles(vec![tau]),
            };
            let bandwidth = |tau: f64, observations: f64| Some(inner_bandwidth(tau, observations));
            let fits = fit_with_neighbours(source, &noise, options, &bandwidth)?;
            let neighbours: Vec<_> = fits.into_iter().map(|(_, neighbours)| neighbours).collect();
            for found in nid(source, std::slice::from_ref(fit), &neighbours)? {
                let found = found.map_err(|why| Error::Unsupported(format!("the covariance nid: {why}")))?;
                fit.set_covariance(found.estimate);
                fit.warnings.extend(warning(found.crossed));
            }
            Ok(())
        }
        _ => kernel(source, fit, tau, vcov, options),
    }
}

/// Whether there are residuals that say something of the noise.
fn has_noise(fit: &Fit) -> bool {
    fit.leverage.is_some() && fit.scale.is_some_and(|scale| scale > 0.0)
}

/// Why there is no covariance by the quantiles beside a fit.
#[derive(Debug)]
enum NoNid {
    /// They are no levels, or were not found.
    NoNeighbours,
    /// So large a share of the observations lies where they cross.
    Crossed(f64),
    /// The products are not positive definite.
    Singular,
}

impl std::fmt::Display for NoNid {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            NoNid::NoNeighbours => f.write_str("there are too few rows for quantiles beside this one"),
            NoNid::Crossed(share) => {
                write!(f, "the quantiles beside this one cross at {:.0}% of the observations", 100.0 * share)
            }
            NoNid::Singular => f.write_str("the quantiles beside this one leave a coefficient undetermined"),
        }
    }
}

fn default_is_iid(source: &impl RowSource, fit: &mut Fit, options: &Options, why: &NoNid) -> Result<(), Error> {
    let tau = level_of(fit).unwrap_or(0.5);
    match iid(source, fit, tau, options) {
        Ok(()) => {
            let what = "standard errors are those of noise of one density (iid), not of one that varies (nid)";
            fit.warnings.push(format!("{what}: {why}"));
            Ok(())
        }
        Err(Error::Unsupported(few)) => {
            fit.warnings.push(format!("standard errors are those of the noise model (classical): {why}, and {few}"));
            Ok(())
        }
        Err(error) => Err(error),
    }
}

fn warning(crossed: f64) -> Option<String> {
    let what = "the quantiles beside this one cross; their density is taken to be zero there, which makes standard errors larger";
    (crossed > 0.0).then(|| format!("at {crossed} of the observations {what}"))
}

/// A covariance with the observations that had no positive density.
struct Found {
    estimate: CovarianceEstimate,
    crossed: f64,
}

/// `nid` for several fits of the same rows in one pass.
fn nid(
    source: &impl RowSource,
    fits: &[Fit],
    neighbours: &[Option<Neighbours>],
) -> Result<Vec<Result<Found, NoNid>>, Error> {
    let density = |neighbours: &Neighbours, leverage: &Leverage| Density::Difference {
        bandwidth: neighbours.bandwidth,
        coefficients: neighbours.coordinates.moved(&leverage.coordinates(), &neighbours.difference),
    };
    // The rows' own leverage is the same for all.
    let leverage = fits.iter().find_map(|fit| fit.leverage.as_ref());
    let of = |neighbours: &Option<Neighbours>| Some(density(neighbours.as_ref()?, leverage?));
    let densities: Vec<Option<Density>> = neighbours.iter().map(of).collect();
    let mut sums = match (leverage, densities.iter().any(Option::is_some)) {
        (Some(leverage), true) => {
            let given = densities.iter().flatten().cloned().collect();
            source.pass(DensityProducts::new(leverage, given))?.finish().into_iter()
        }
        _ => Vec::new().into_iter(),
    };
    let of = |(fit, density): (&Fit, &Option<Density>)| {
        let weighted = density.as_ref().and_then(|_| sums.next()).ok_or(NoNid::NoNeighbours)?;
        let estimate = sandwich(fit, &weighted, "nid").ok_or(NoNid::Singular)?;
        Ok(Found { estimate, crossed: weighted.not_positive })
    };
    Ok(fits.iter().zip(&densities).map(of).collect())
}

/// `tau (1 - tau) H^-1 H^-1` of whitened rows, carried back.
fn sandwich(fit: &Fit, weighted: &Weighted, vcov_type: &str) -> Option<CovarianceEstimate> {
    let (tau, leverage) = (level_of(fit)?, fit.leverage.as_ref()?);
    let order = leverage.coordinates().coefficients();
    let bread = Cholesky::new(&weighted.products, order)?;
    let factor = leverage.factor();
    // The columns of H^-1 L', so that L H^-1 H^-1 L' is the matrix of their inner products.
    let row = |i: usize| {
        let row: Vec<f64> = (0..order).map(|k| if k <= i { factor[packed(i, k)] } else { 0.0 }).collect();
        bread.solve(&row)
    };
    let rows: Vec<Vec<f64>> = (0..order).map(row).collect();
    let mut covariance = Vec::with_capacity(packed_length(order));
    for i in 0..order {
        for j in 0..=i {
            let product: f64 = rows[i].iter().zip(&rows[j]).map(|(a, b)| a * b).sum();
            covariance.push(tau * (1.0 - tau) * product);
        }
    }
    Some(from_coordinates(fit, leverage, &covariance, vcov_type))
}

/// What a fit says of its uncertainty, from the covariance in the coordinates of its leverage.
fn from_coordinates(fit: &Fit, leverage: &Leverage, covariance: &[f64], vcov_type: &str) -> CovarianceEstimate {
    CovarianceEstimate {
        location: leverage.carry_back(covariance, fit.coefficients.len()),
        leverage: leverage.with_matrix(covariance),
        scale: None,
        vcov_type: vcov_type.to_owned(),
        reference: Reference::Normal,
        reference_df: None,
    }
}

/// The residuals times the roots of their weights.
fn standardised<'a, S: RowSource>(source: &'a S, fit: &Fit) -> Standardised<'a, S> {
    Standardised::new(source, predictor(source, fit))
}

fn predictor(source: &impl RowSource, fit: &Fit) -> LinearPredictor {
    let estimates: Vec<Option<f64>> = fit.coefficients.iter().map(|c| c.estimate).collect();
    LinearPredictor::new(&estimates, source.layout().intercept)
}

/// The covariance `tau (1 - tau) s^2 (X'WX)^-1`, where the sparsity `s` is the inverse of the density at the quantile: the
/// slope of the order statistics of the residuals nearest to zero over their ranks, by median regression.
fn iid(source: &impl RowSource, fit: &mut Fit, tau: f64, options: &Options) -> Result<(), Error> {
    let Some(leverage) = fit.leverage.clone() else { return Ok(()) };
    let (n, p) = (fit.nobs as f64, fit.rank() as f64);
    let zeros = fit.vertex.as_ref().map_or(0, |vertex| vertex.zero_residuals) as usize;
    let count = (p + 1.0).max((n * hall_sheather(tau, n)).ceil()) as usize + 1;
    let sparsity = sparsity(&nearest(&standardised(source, fit).source(), zeros, count)?, n - p, options)?;
    let multiple = tau * (1.0 - tau) * sparsity * sparsity;
    let (factor, order) = (leverage.factor(), leverage.coordinates().coefficients());
    let entry =
        |i: usize, j: usize| (0..=j).map(|k| factor[packed(i, k)] * factor[packed(j, k)]).sum::<f64>() * multiple;
    let covariance: Vec<f64> =
        (0..order).flat_map(|i| (0..=i).map(move |j| (i, j))).map(|(i, j)| entry(i, j)).collect();
    fit.set_covariance(from_coordinates(fit, &leverage, &covariance, "iid"));
    Ok(())
}

/// The slope of the residuals over their ranks, of which there are `degrees`.
fn sparsity(nearest: &[(f64, f64)], degrees: f64, options: &Options) -> Result<f64, Error> {
    let few =
        || Error::Unsupported("too few residuals are not zero for the density of the noise at the quantile".to_owned());
    let (ranks, mut residuals): (Vec<f64>, Vec<f64>) =
        nearest.iter().map(|(rank, residual)| (rank / degrees, residual)).unzip();
    residuals.sort_by(f64::total_cmp);
    if residuals.len() < 2 {
        return Err(few());
    }
    let rows = MemoryRows::new(&residuals, Matrix::column_major(&ranks, ranks.len(), 1)?)?.with_threads(1);
    let line = least_absolute_deviations(&rows, options)?;
    let slope = line.coefficients.get(1).and_then(|slope| slope.estimate);
    slope.filter(|slope| *slope > 0.0).ok_or_else(few)
}

/// Powell's sandwich: `H` with a normal kernel at the residuals.
fn kernel(source: &impl RowSource, fit: &mut Fit, tau: f64, vcov: &Vcov, options: &Options) -> Result<(), Error> {
    let Some(leverage) = fit.leverage.clone() else { return Ok(()) };
    let residuals = standardised(source, fit);
    let [lower, upper] = quartiles(&residuals.source(), options)?;
    let deviation = gaussian::fit(&residuals.source(), options)?.residual_std_error;
    let spread = deviation.unwrap_or(0.0).min((upper - lower) / 1.34);
    let h = inner_bandwidth(tau, fit.nobs as f64);
    let bandwidth = (Normal.quantile(tau + h) - Normal.quantile(tau - h)) * spread;
    if !(bandwidth > 0.0) {
        let what = "half of the residuals are the same number, and the width of a kernel does not follow from them";
        return Err(Error::Unsupported(format!("the covariance {vcov}: {what}; --vcov bootstrap has no such need")));
    }
    let density = Density::Kernel { bandwidth, location: predictor(source, fit) };
    let weighted = source.pass(DensityProducts::new(&leverage, vec![density]))?.finish();
    let estimate = weighted.first().and_then(|weighted| sandwich(fit, weighted, &vcov.to_string()));
    let singular =
        || Error::Unsupported(format!("the covariance {vcov}: the rows near the fit leave a coefficient undetermined"));
    fit.set_covariance(estimate.ok_or_else(singular)?);
    Ok(())
}
