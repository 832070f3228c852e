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

use serde::{Deserialize, Serialize};

use crate::Error;
use crate::algebra::Cholesky;
use crate::algebra::gram::{Columns, TILE_ROWS, packed, packed_length};
use crate::algebra::products::add_combination;
use crate::estimate::vertex::{Neighbours, fit_laplace, fit_with_neighbours};
use crate::estimate::{Options, closed_form};
use crate::inference::covariance::contract::Request;
use crate::inference::covariance::meat::{Dependence, Meat, Scores};
use crate::inference::covariance::order::{Standardised, nearest, quartiles};
use crate::inference::covariance::parts::{Estimated, sandwich};
use crate::inference::covariance::products::{Clustered, Found};
use crate::inference::covariance::whitened::whitened;
use crate::noise::{Noise, Route};
use crate::numeric::distribution::{Distribution, Normal};
use crate::numeric::special::elementary::exp;
use crate::record::{Fit, NoNid, Reference, Warning};
use crate::rows::{Accumulator, Block, Kinds, Matrix, MemoryRows, RowSource, RowSourceExt};

/// How the two that take one another's place are written.
const IID: &str = "iid";
const NID: &str = "nid";

/// More rows than this share at which the upper quantile does not lie above the lower, and the default is another.
const MOST_CROSSED: f64 = 0.1;

/// Residuals, and distances of quantiles, below this, in units of the mean loss, are zeros that were rounded.
pub(super) const ON_THE_FIT: f64 = 1e-9;

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
pub(super) fn level_of(fit: &Fit) -> Option<f64> {
    match fit.noise.route() {
        Route::Vertex { tau } if !fit.scale.is_modelled() => Some(tau),
        _ => None,
    }
}

/// The fits of least absolute deviations or of several quantiles, with the covariance `nid`: the quantiles beside each are
/// fitted together with it.
///
/// # Errors
/// Those of the fits; where `nid` was asked for, also where there is none. As the default it gives way to `iid`, and says so.
pub(crate) fn fit_nid(
    source: &dyn RowSource,
    noise: &[Noise],
    options: &Options,
    by_default: bool,
) -> Result<Vec<Fit>, Error> {
    let bandwidth = |tau: f64, observations: f64| match by_default {
        true => Some(hall_sheather(tau, observations)).filter(|h| tau - h > 0.0 && tau + h < 1.0),
        false => Some(inner_bandwidth(tau, observations)),
    };
    let fits = match fit_with_neighbours(source, noise, options, &bandwidth) {
        // Perhaps only the quantiles beside it are not determined.
        Err(Error::Undetermined { .. }) if by_default => fit_with_neighbours(source, noise, options, &|_, _| None)?,
        fits => fits?,
    };
    let (mut fits, neighbours): (Vec<Fit>, Vec<_>) = fits.into_iter().unzip();
    let found = with_neighbours(source, &fits, &neighbours)?;
    for (fit, found) in fits.iter_mut().zip(found) {
        if !has_noise(fit) {
            continue;
        }
        match found {
            Ok(Nid { matrix, crossed, rows }) => {
                let share = crossed as f64 / rows as f64;
                if !(by_default && share > MOST_CROSSED) {
                    store(fit, matrix, None, NID);
                    fit.warnings.extend(warning(crossed));
                    continue;
                }
                default_is_iid(source, fit, options, NoNid::Crossed { share })?;
            }
            Err(why) if by_default => default_is_iid(source, fit, options, why)?,
            Err(why) => return Err(Error::Unsupported(format!("the covariance nid: {why}"))),
        }
    }
    Ok(fits)
}

/// `iid` of a fit that has the classical covariance.
pub(super) fn iid(request: Request<'_>) -> Result<(), Error> {
    let Request { source, fit, options, .. } = request;
    match level_of(fit).filter(|_| has_noise(fit)) {
        Some(tau) => with_one_density(source, fit, tau, options),
        None => Ok(()),
    }
}

/// `nid` of a fit that has the classical covariance: the quantiles beside it are found anew.
pub(super) fn nid(request: Request<'_>) -> Result<(), Error> {
    let Request { source, fit, options, .. } = request;
    if !has_noise(fit) {
        return Ok(());
    }
    let bandwidth = |tau: f64, observations: f64| Some(inner_bandwidth(tau, observations));
    let fits = fit_with_neighbours(source, &[fit.noise], options, &bandwidth)?;
    let neighbours: Vec<_> = fits.into_iter().map(|(_, neighbours)| neighbours).collect();
    for found in with_neighbours(source, std::slice::from_ref(fit), &neighbours)? {
        let found = found.map_err(|why| Error::Unsupported(format!("the covariance nid: {why}")))?;
        store(fit, found.matrix, None, NID);
        fit.warnings.extend(warning(found.crossed));
    }
    Ok(())
}

/// Powell's sandwich of a fit that has the classical covariance: `H` with a normal kernel at the residuals, and between its
/// inverses the covariance of the scores of rows that depend on one another.
pub(super) fn by_kernel(request: Request<'_>, dependence: Dependence) -> Result<(), Error> {
    let Request { source, fit, options, written, .. } = request;
    match level_of(fit).filter(|_| has_noise(fit)) {
        Some(tau) => kernel(source, fit, tau, (dependence, &written), options),
        None => Ok(()),
    }
}

/// Whether there are residuals that say something of the noise.
fn has_noise(fit: &Fit) -> bool {
    fit.leverage().is_some() && fit.scale.common().is_some_and(|scale| scale > 0.0)
}

fn default_is_iid(source: &dyn RowSource, fit: &mut Fit, options: &Options, why: NoNid) -> Result<(), Error> {
    let tau = level_of(fit).unwrap_or(0.5);
    match with_one_density(source, fit, tau, options) {
        Ok(()) => {
            fit.warnings.push(Warning::IidInstead(why));
            Ok(())
        }
        Err(few @ (Error::Unsupported(_) | Error::Undetermined { .. })) => {
            fit.warnings.push(Warning::ClassicalInstead { nid: why, iid: few.to_string() });
            Ok(())
        }
        Err(error) => Err(error),
    }
}

fn warning(crossed: u64) -> Option<Warning> {
    (crossed > 0).then_some(Warning::Crossed { rows: crossed })
}

/// A covariance of whitened rows, with how many of them had no positive density.
struct Nid {
    matrix: Vec<f64>,
    crossed: u64,
    rows: u64,
}

/// `nid` for several fits of the same rows in one pass.
fn with_neighbours(
    source: &dyn RowSource,
    fits: &[Fit],
    neighbours: &[Option<Neighbours>],
) -> Result<Vec<Result<Nid, NoNid>>, Error> {
    let none = || fits.iter().map(|_| Err(NoNid::NoNeighbours)).collect();
    // All have the same rows, and so the same leverages.
    let Some((first, leverage)) = fits.iter().find_map(|fit| Some((fit, fit.leverage()?))) else {
        return Ok(none());
    };
    let rows = whitened(source, first, leverage);
    let order = rows.adaptor().count();
    let density = |(fit, neighbours): (&Fit, &Option<Neighbours>)| {
        let Neighbours { bandwidth, coordinates, difference } = neighbours.as_ref()?;
        let difference = rows.adaptor().solve(&coordinates.moved(&leverage.coordinates(), difference));
        let zero = ON_THE_FIT * fit.scale.common().unwrap_or(0.0);
        Some(Meat::new(Density::Apart { bandwidth: *bandwidth, difference, zero }, Dependence::Independent))
    };
    let densities: Vec<_> = fits.iter().zip(neighbours).filter_map(density).collect();
    if densities.is_empty() {
        return Ok(none());
    }
    let mut sums = rows.pass(densities)?.into_iter();
    let of = |(fit, neighbours): (&Fit, &Option<Neighbours>)| {
        let sums = neighbours.as_ref().and_then(|_| sums.next());
        let Some((sums, tau)) = sums.zip(level_of(fit)) else { return Ok(Err(NoNid::NoNeighbours)) };
        let (crossed, rows) = (sums.without_score(), sums.rows());
        let bread = Cholesky::new(&sums.finish()?.matrix, order);
        Ok(bread.map(|bread| Nid { matrix: independent(&bread, tau, order), crossed, rows }).ok_or(NoNid::Singular))
    };
    fits.iter().zip(neighbours).map(of).collect()
}

/// `tau (1 - tau) H^-1 H^-1` of whitened rows, whose Gram matrix is the identity.
fn independent(bread: &Cholesky, tau: f64, order: usize) -> Vec<f64> {
    let mut matrix = vec![0.0; packed_length(order)];
    (0..order).for_each(|k| matrix[packed(k, k)] = tau * (1.0 - tau));
    sandwich(bread, &Found { matrix, clusters: None, difference: false }, order).0
}

/// Makes a covariance of whitened rows the fit's.
fn store(fit: &mut Fit, matrix: Vec<f64>, clusters: Option<Clustered>, written: &str) {
    if let Some(leverage) = fit.leverage().cloned() {
        Estimated { leverage: &leverage, matrix, scale: None, clusters, reference: Reference::Normal }
            .store(fit, written);
    }
}

/// What multiplies a whitened row of weight `w` and residual `e`.
#[derive(Debug, Clone, Serialize, Deserialize)]
enum Density {
    /// The root of `w g` with `g = 2 h / (sqrt(w) u'd)`, where `d` are the coefficients of whitened rows at `tau + h` less
    /// those at `tau - h`; no score where that is at most `zero`.
    Apart { bandwidth: f64, difference: Vec<f64>, zero: f64 },
    /// The root of `w g` with `g = phi(sqrt(w) e / h) / h`.
    Kernel { bandwidth: f64, count: usize },
    /// `sqrt(w) (tau - 1)` below the fit, `sqrt(w) tau` above it; nothing where `|e|` is at most `zero`: the duals of those few
    /// rows are what is left over of the others.
    Side { tau: f64, zero: f64, count: usize },
}

impl Density {
    /// The factors of the rows of a tile; negative where there is none.
    fn factors(&self, block: &Block<'_>, rows: std::ops::Range<usize>) -> [f64; TILE_ROWS] {
        let (start, count) = (rows.start, rows.len());
        let mut factors = [0.0; TILE_ROWS];
        let root = |i: usize| block.root_weight(start + i);
        let residuals = &block.response.high[rows.clone()];
        match self {
            Density::Apart { bandwidth, difference, zero } => {
                let mut apart = [0.0; TILE_ROWS];
                add_combination(block.design, difference, &rows, &mut apart);
                for i in 0..count {
                    let apart = root(i) * apart[i];
                    factors[i] = if apart > *zero { root(i) * (2.0 * bandwidth / apart).sqrt() } else { NO_DENSITY };
                }
            }
            Density::Kernel { bandwidth, .. } => {
                let height = (2.0 * std::f64::consts::PI).sqrt() * bandwidth;
                for i in 0..count {
                    let r = root(i) * residuals[i] / bandwidth;
                    factors[i] = root(i) * (exp(-0.5 * r * r) / height).sqrt();
                }
            }
            Density::Side { tau, zero, .. } => {
                for i in 0..count {
                    let e = root(i) * residuals[i];
                    let side = if e > 0.0 { *tau } else { tau - 1.0 };
                    factors[i] = if e.abs() <= *zero { 0.0 } else { root(i) * side };
                }
            }
        }
        factors
    }
}

/// In place of the factor of a row whose density is not positive.
const NO_DENSITY: f64 = f64::INFINITY;

impl Scores for Density {
    fn kind() -> String {
        "density".to_owned()
    }

    fn count(&self) -> usize {
        match self {
            Density::Apart { difference, .. } => difference.len(),
            Density::Kernel { count, .. } | Density::Side { count, .. } => *count,
        }
    }

    fn fill(&self, block: &Block<'_>, scores: &mut Columns) -> u64 {
        let mut without = 0;
        for (tile, start) in (0..block.rows()).step_by(TILE_ROWS).enumerate() {
            let rows = start..(start + TILE_ROWS).min(block.rows());
            let mut factors = self.factors(block, rows.clone());
            for factor in &mut factors[..rows.len()] {
                if *factor == NO_DENSITY {
                    (*factor, without) = (0.0, without + 1);
                }
            }
            scores.fill_products(tile, block.design, &rows, &factors);
        }
        without
    }
}

/// The residuals times the roots of their weights.
fn standardised<'a>(source: &'a dyn RowSource, fit: &Fit) -> Standardised<'a> {
    Standardised::new(source, fit.location.affine())
}

/// The covariance `tau (1 - tau) s^2 (X'WX)^-1`, where the sparsity `s` is the inverse of the density at the quantile: the
/// slope of the order statistics of the residuals nearest to zero over their ranks, by median regression.
fn with_one_density(source: &dyn RowSource, fit: &mut Fit, tau: f64, options: &Options) -> Result<(), Error> {
    let sparsity = one_sparsity(source, fit, tau, options)?;
    let mut matrix = vec![0.0; packed_length(fit.rank())];
    (0..fit.rank()).for_each(|k| matrix[packed(k, k)] = tau * (1.0 - tau) * sparsity * sparsity);
    store(fit, matrix, None, IID);
    Ok(())
}

/// The inverse of the density of all rows at the quantile.
///
/// # Errors
/// [`Error::Unsupported`] where too few residuals are not zero.
fn one_sparsity(source: &dyn RowSource, fit: &Fit, tau: f64, options: &Options) -> Result<f64, Error> {
    let (n, p) = (fit.nobs as f64, fit.rank() as f64);
    let zeros = fit.vertex.as_ref().map_or(0, |vertex| vertex.zero_residuals) as usize;
    let count = (p + 1.0).max((n * hall_sheather(tau, n)).ceil()) as usize + 1;
    sparsity(&nearest(&standardised(source, fit).source(), zeros, count)?, n - p, options)
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
    let line = fit_laplace(&rows, options)?;
    let slope = line.location.rows.get(1).and_then(|slope| slope.estimate);
    slope.filter(|slope| *slope > 0.0).ok_or_else(few)
}

fn kernel(
    source: &dyn RowSource,
    fit: &mut Fit,
    tau: f64,
    (dependence, written): (Dependence, &str),
    options: &Options,
) -> Result<(), Error> {
    let (Some(leverage), Some(scale)) = (fit.leverage().cloned(), fit.scale.common()) else { return Ok(()) };
    // There is no bootstrap of rows with sampling weights.
    let instead = if source.layout().sampling { "name another noise" } else { "use bootstrap" };
    let bandwidth = kernel_bandwidth(source, fit, tau, options)?;
    if !(bandwidth > 0.0) {
        let what = "half of the residuals are the same number, and the width of a kernel does not follow from them";
        return Err(Error::Unsupported(format!("the covariance {written}: {what}; {instead}")));
    }
    let rows = whitened(source, fit, &leverage);
    let count = rows.adaptor().count();
    let density = Meat::new(Density::Kernel { bandwidth, count }, Dependence::Independent);
    let factored = |sums: Meat<Density>| {
        let what = "the rows near the fit leave a coefficient undetermined";
        let bread = Cholesky::new(&sums.finish()?.matrix, count);
        bread.ok_or_else(|| Error::Unsupported(format!("the covariance {written}: {what}; {instead}")))
    };
    if dependence == Dependence::Independent {
        let matrix = independent(&factored(rows.pass(density)?)?, tau, count);
        store(fit, matrix, None, written);
        return Ok(());
    }
    let side = Density::Side { tau, zero: ON_THE_FIT * scale, count };
    let (density, meat) = rows.pass((density, Meat::new(side, dependence)))?;
    let (bread, meat) = (factored(density)?, meat.finish()?);
    let (matrix, warning) = sandwich(&bread, &meat, count);
    fit.warnings.extend(warning);
    store(fit, matrix, meat.clusters, written);
    Ok(())
}

/// The width of the kernel, from that of the quantiles and the spread of the residuals, as in `quantreg`.
fn kernel_bandwidth(source: &dyn RowSource, fit: &Fit, tau: f64, options: &Options) -> Result<f64, Error> {
    let residuals = standardised(source, fit);
    let [lower, upper] = quartiles(&residuals.source(), options)?;
    let deviation = closed_form::fit(&residuals.source(), options)?.goodness.residual_std_error;
    let spread = deviation.unwrap_or(0.0).min((upper - lower) / 1.34);
    let h = inner_bandwidth(tau, fit.nobs as f64);
    Ok((Normal.quantile(tau + h) - Normal.quantile(tau - h)) * spread)
}

/// The passes of this module.
pub(super) fn kinds() -> Kinds {
    Kinds::default().with::<Meat<Density>>()
}
