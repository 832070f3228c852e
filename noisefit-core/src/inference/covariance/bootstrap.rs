//! The covariance of the estimates by refitting to data that are drawn at random.
//!
//! - pairs: observations are drawn with replacement, each with its regressors (Efron and Tibshirani 1993, *An Introduction to
//!   the Bootstrap*, section 9.5); nothing is assumed but that they are independent.
//! - clusters: groups of rows are drawn with replacement, each whole (Cameron, Gelbach and Miller 2008, *Review of Economics and
//!   Statistics* 90, 414-427): right for dependence within many groups.
//! - wild: the regressors stay, and the residuals change at random. For means `y* = x'b +- e / sqrt(1 - h)` with the leverage
//!   `h` of least squares and either sign as likely (Davidson and Flachaire 2008, *Journal of Econometrics* 146, 162-169).
//!   For quantiles `y* = x'b + a |e + h (tau - 1[e < 0]) / f|` with `a = 2 (1 - tau)` in a share `1 - tau` of the draws and
//!   `-2 tau` in the others, so that the quantile of `y*` is `x'b`; what is added to a residual is what its row's leverage `h` took
//!   from it, with the density `f` of the noise at the quantile (Feng, He and Hu 2011, *Biometrika* 98, 995-999).
//!
//! The rows are gathered into memory once; every draw counts them anew: wild draws count two versions of each row. A draw
//! depends on the seed and on its number alone, so that the result is the same for any number of threads, and is fitted by
//! one thread.

use std::collections::HashMap;

use crate::algebra::Leverage;
use crate::algebra::gram::packed_length;
use crate::estimate::Options;
use crate::estimate::vertex::Refits;
use crate::inference::covariance::contract::{Covariance, Request};
use crate::inference::covariance::density::density_at_zero;
use crate::inference::covariance::parts::Estimated;
use crate::inference::covariance::products::Clustered;
use crate::inference::covariance::quantile::{ON_THE_FIT, level_of};
use crate::inference::covariance::whitened::whitened;
use crate::noise::Noise;
use crate::record::{Coefficient, Fit, Reference, Warning};
use crate::rows::{Accumulator, RowSource, RowSourceExt, Sample, SampledRows, parallel_map, scattered};
use crate::{Error, estimate};

/// Bytes that the gathered rows may occupy.
const MOST_BYTES: usize = 1 << 30;

/// Of fewer draws a standard error is off by 7% or more as a rule.
const FEW_DRAWS: usize = 100;

/// A larger share of draws without a fit, and there is no covariance.
const MOST_FAILED: f64 = 0.2;

/// Draws of each thread between two reports of how far the work is.
const BATCH: usize = 4;

/// `bootstrap`, `bootstrap:DRAWS`, `bootstrap:wild`, `bootstrap:wild:DRAWS`, `bootstrap:cluster:COLUMN`,
/// `bootstrap:cluster:COLUMN:DRAWS`: by refitting; the reference is the normal distribution, with clusters Student's t with one
/// degree of freedom less than there are of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bootstrap {
    /// The number of refits.
    pub draws: usize,
    /// What is drawn.
    pub scheme: Resampling,
}

/// What a bootstrap draws.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Resampling {
    /// Rows, with their regressors.
    #[default]
    Pairs,
    /// Signs and sizes of the residuals, around the fit.
    Wild,
    /// Whole groups of rows, those with the same value of a column.
    Clusters(String),
}

impl Bootstrap {
    /// Refits where their number is not given.
    pub const DRAWS: usize = 200;

    /// Refits at most.
    pub const MOST_DRAWS: usize = 100_000;
}

impl Covariance for Bootstrap {
    const NAME: &'static str = "bootstrap";
    const USAGE: &'static str = "bootstrap[:wild|:cluster:COLUMN][:DRAWS]";
    const ABOUT: &'static str = "no formula is trusted: by refitting to data that are drawn at random";

    fn parse(parameter: Option<&str>) -> Result<Self, String> {
        let (scheme, draws) = match parameter {
            None => (Resampling::Pairs, None),
            Some("wild") => (Resampling::Wild, None),
            Some(text) => match (text.strip_prefix("wild:"), text.strip_prefix("cluster:")) {
                (Some(draws), _) => (Resampling::Wild, Some(draws)),
                (None, Some(column)) => {
                    let (column, draws) = match column.rsplit_once(':') {
                        Some((column, draws)) if draws.trim().parse::<u64>().is_ok() => (column, Some(draws)),
                        _ => (column, None),
                    };
                    if column.trim().is_empty() || column.contains(',') {
                        return Err("a bootstrap by clusters names one column, as bootstrap:cluster:firm".to_owned());
                    }
                    (Resampling::Clusters(column.trim().to_owned()), draws)
                }
                (None, None) => (Resampling::Pairs, Some(text)),
            },
        };
        let draws = draws.map_or(Some(Bootstrap::DRAWS), |draws| draws.trim().parse().ok());
        draws
            .filter(|draws| (2..=Bootstrap::MOST_DRAWS).contains(draws))
            .map(|draws| Bootstrap { draws, scheme })
            .ok_or_else(|| {
                "a bootstrap is bootstrap, bootstrap:DRAWS, bootstrap:wild, bootstrap:wild:DRAWS, bootstrap:cluster:COLUMN or \
                 bootstrap:cluster:COLUMN:DRAWS, with 2 to 100000 draws"
                    .to_owned()
            })
    }

    fn parameter(&self) -> Option<String> {
        Some(match &self.scheme {
            Resampling::Pairs => self.draws.to_string(),
            Resampling::Wild => format!("wild:{}", self.draws),
            Resampling::Clusters(column) => format!("cluster:{column}:{}", self.draws),
        })
    }

    fn remark(&self) -> String {
        match &self.scheme {
            Resampling::Clusters(column) => format!(" (for dependence within {column}, drawn whole)"),
            _ => String::new(),
        }
    }

    fn clusters(&self) -> &[String] {
        match &self.scheme {
            Resampling::Clusters(column) => std::slice::from_ref(column),
            _ => &[],
        }
    }

    /// # Errors
    /// [`Error::Unsupported`] for more rows than are gathered, for wild draws where the scale is modelled, and where too many
    /// draws have no fit; and what the source reports.
    fn estimate(&self, request: Request<'_>) -> Result<(), Error> {
        let noise = [request.named()];
        let Request { source, fit, options, written, .. } = request;
        estimate(source, &noise, fit, self, (options, &written))
    }
}

fn estimate(
    source: &dyn RowSource,
    noise: &[Noise],
    fit: &mut Fit,
    &Bootstrap { draws, ref scheme }: &Bootstrap,
    (options, written): (&Options, &str),
) -> Result<(), Error> {
    let refused = |why: String| Err(Error::Unsupported(format!("the covariance {written}: {why}")));
    let Some(leverage) = fit.leverage().cloned() else { return Ok(()) };
    if *scheme == Resampling::Wild && fit.scale.is_modelled() {
        return refused(format!(
            "wild draws keep the sizes of the residuals and so say nothing of a modelled scale; bootstrap:{draws} draws rows"
        ));
    }
    if fit.scale.common() == Some(0.0) {
        // What is drawn of residuals that are zero says nothing.
        return Ok(());
    }
    let rows = gathered(source)?;
    let clusters = match scheme {
        Resampling::Clusters(_) => Some(members(&rows)),
        _ => None,
    };
    if clusters.as_ref().is_some_and(|clusters| clusters.len() < 2) {
        return refused("all rows are of one cluster, so that nothing is seen of how clusters differ".to_owned());
    }
    let count = clusters.as_ref().map(|clusters| Clustered::Summed(clusters.len() as u64));
    let bootstrap = Draws::new(rows, noise, fit, &leverage, (scheme, clusters), options)?;
    let (threads, numbers) = (source.threads(), (0..draws as u64).collect::<Vec<_>>());
    let mut found = Vec::with_capacity(draws);
    for batch in numbers.chunks(threads * BATCH) {
        found.extend(parallel_map(batch, threads, |&number| bootstrap.draw(number)));
        source.report(found.len() as u64, draws as u64)?;
    }
    let refits: Vec<Refit> = found.into_iter().flatten().collect();
    let failed = draws - refits.len();
    if failed as f64 > MOST_FAILED * draws as f64 || refits.len() < 2 {
        return refused(format!(
            "{failed} of {draws} draws have no fit; a term that rests on a few rows is not in every draw: leave it out, or join \
             its levels"
        ));
    }
    // Coefficients of whitened rows, whose covariance is well conditioned.
    let whitened = whitened(source, fit, &leverage);
    let whitened = whitened.adaptor();
    let locations: Vec<Vec<f64>> = refits.iter().map(|refit| whitened.solve(&refit.location)).collect();
    let scales: Vec<&[f64]> = refits.iter().map(|refit| &refit.scale[..]).collect();
    let scale = (fit.scale.is_modelled()).then(|| square(&covariance(&scales)));
    if failed > 0 {
        fit.warnings.push(Warning::DrawsLeftOut { failed, draws });
    }
    if refits.len() < FEW_DRAWS {
        fit.warnings.push(Warning::FewDraws { draws: refits.len() });
    }
    let matrix = covariance(&locations.iter().map(|location| &location[..]).collect::<Vec<_>>());
    Estimated { leverage: &leverage, matrix, scale, clusters: count, reference: Reference::Normal }.store(fit, written);
    Ok(())
}

/// All rows of a source, in doubles: the digits that these leave out of decimals are nothing beside what is estimated here.
fn gathered(source: &dyn RowSource) -> Result<SampledRows, Error> {
    let layout = source.layout();
    let columns = layout.terms.len() + layout.scale.as_ref().map_or(0, |scale| scale.terms.len());
    // Twice: wild draws have two versions of each.
    let bytes = 2 * (columns + 4) * size_of::<f64>();
    let limit = MOST_BYTES / bytes;
    let sample = source.pass(Sample::new(layout, limit, None))?;
    if sample.rows() <= limit as u64 {
        return Ok(sample.finish(layout));
    }
    let unit = f64::from(1 << 30);
    let (found, most) = (sample.rows() as f64 * bytes as f64 / unit, MOST_BYTES as f64 / unit);
    Err(Error::Unsupported(format!(
        "a bootstrap keeps the rows in memory, and {} of them are {found:.1} GiB where {most} GiB is the most; with so many rows \
         sandwich, for quantiles nid, says the same",
        sample.rows()
    )))
}

/// The estimates of one draw.
struct Refit {
    /// The location's, less those of the fit, in the coordinates of its leverage.
    location: Vec<f64>,
    /// Those of a modelled scale; zero for aliased ones.
    scale: Vec<f64>,
}

/// What all draws have in common.
struct Draws<'a> {
    /// What is counted, without frequencies: the rows, or both versions of each after one another.
    rows: SampledRows,
    draw: Draw,
    seed: u64,
    noise: &'a [Noise],
    options: Options,
    fit: &'a Fit,
    leverage: &'a Leverage,
    /// For a quantile, fits that begin at that of the data.
    refits: Option<Refits>,
}

/// How a draw counts the rows.
enum Draw {
    /// So many observations with replacement; with frequencies their sums up to each row.
    Pairs(usize, Option<Vec<f64>>),
    /// As many clusters as there are with replacement, each with its rows; with frequencies each row's own.
    Clusters(Vec<Vec<usize>>, Option<Vec<f64>>),
    /// Every observation in its upper version with a probability, else in its lower one.
    Wild(f64, Option<Vec<f64>>),
}

impl<'a> Draws<'a> {
    fn new(
        rows: SampledRows,
        noise: &'a [Noise],
        fit: &'a Fit,
        leverage: &'a Leverage,
        (scheme, clusters): (&Resampling, Option<Vec<Vec<usize>>>),
        options: &Options,
    ) -> Result<Self, Error> {
        let tau = level_of(fit);
        let frequencies = rows.frequencies().map(<[f64]>::to_vec);
        let rows = rows.with_frequencies(None);
        let (rows, draw) = match scheme {
            Resampling::Pairs => {
                let sums = frequencies.map(|frequencies| running_sums(&frequencies));
                let count = sums.as_ref().and_then(|sums| sums.last()).map_or(rows.len(), |sum| sum.round() as usize);
                (rows, Draw::Pairs(count, sums))
            }
            Resampling::Clusters(_) => (rows, Draw::Clusters(clusters.unwrap_or_default(), frequencies)),
            Resampling::Wild => {
                let upper = tau.map_or(0.5, |tau| 1.0 - tau);
                (versions(&rows, frequencies.as_deref(), fit, leverage, tau), Draw::Wild(upper, frequencies))
            }
        };
        let estimated: Vec<f64> = fit.location.rows.iter().filter_map(|c| c.estimate).collect();
        let refits =
            tau.map(|tau| Refits::new(&rows.source()?.with_threads(1), leverage, &estimated, tau)).transpose()?;
        let options = options.clone();
        // A number of its own, so that what else is drawn from the seed is something else.
        let seed = scattered(options.seed, 0xb007);
        Ok(Draws { rows, draw, seed, noise, options, fit, leverage, refits })
    }

    /// The estimates of a draw; none where it has no fit.
    fn draw(&self, number: u64) -> Option<Refit> {
        let counts = self.draw.counts(self.rows.len(), scattered(self.seed, number));
        if let Some(refits) = &self.refits {
            return Some(Refit { location: refits.counted(&counts)?, scale: Vec::new() });
        }
        let places: Vec<usize> = (0..counts.len()).filter(|&i| counts[i] > 0.0).collect();
        let frequencies = places.iter().map(|&i| counts[i]).collect();
        let rows = self.rows.picked(&places).with_frequencies(Some(frequencies));
        let fits = estimate::fit(&rows.source().ok()?.with_threads(1), self.noise, &self.options);
        let fit = fits.ok()?.into_iter().next().filter(|fit| fit.termination.converged)?;
        let differences = estimates(&fit.location.rows, &self.fit.location.rows)?;
        let scale = estimates(fit.scale.coefficients(), self.fit.scale.coefficients())?;
        let estimated: Vec<f64> = differences
            .iter()
            .zip(&self.fit.location.rows)
            .filter(|(_, c)| c.estimate.is_some())
            .map(|(d, _)| *d)
            .collect();
        Some(Refit { location: self.leverage.coordinates().carry_in(&estimated), scale })
    }
}

/// The rows of each cluster, the clusters in the order of their first rows.
fn members(rows: &SampledRows) -> Vec<Vec<usize>> {
    let mut places: HashMap<u64, usize> = HashMap::new();
    let mut members: Vec<Vec<usize>> = Vec::new();
    for (row, id) in rows.clusters().unwrap_or_default().iter().enumerate() {
        let place = *places.entry(*id).or_insert(members.len());
        if place == members.len() {
            members.push(Vec::new());
        }
        members[place].push(row);
    }
    members
}

/// The estimates of a draw less those of the data, zero where these have none; none where the draw lacks one.
fn estimates(drawn: &[Coefficient], data: &[Coefficient]) -> Option<Vec<f64>> {
    let difference = |(drawn, data): (&Coefficient, &Coefficient)| match data.estimate {
        Some(estimate) => drawn.estimate.map(|drawn| drawn - estimate),
        None => Some(0.0),
    };
    drawn.iter().zip(data).map(difference).collect()
}

/// The upper versions of the rows, and the lower ones behind them; of a quantile by its level.
fn versions(
    rows: &SampledRows,
    frequencies: Option<&[f64]>,
    fit: &Fit,
    leverage: &Leverage,
    tau: Option<f64>,
) -> SampledRows {
    let location = fit.location.affine();
    let (residuals, leverages, weights, responses) = rows.show(|block| {
        let leverages = leverage.evaluate(block.design, block.rows());
        let weights = block.weights.map(<[f64]>::to_vec);
        (location.residuals(block), leverages, weights, block.response.high.to_vec())
    });
    let weight = |i: usize| weights.as_ref().map_or(1.0, |w| w[i]);
    let (upper, lower): (Vec<f64>, Vec<f64>) = match tau {
        Some(tau) => {
            let zero = ON_THE_FIT * fit.scale.common().unwrap_or(0.0);
            let standardised: Vec<f64> = residuals.iter().enumerate().map(|(i, e)| e * weight(i).sqrt()).collect();
            let sparsity = density_at_zero(&standardised, frequencies).map_or(0.0, |density| 1.0 / density);
            let size = |(i, e): (usize, &f64)| {
                // A row on the fit may be taken for one of either side.
                let side = if e.abs() <= zero {
                    tau.max(1.0 - tau)
                } else if *e < 0.0 {
                    1.0 - tau
                } else {
                    tau
                };
                e.abs() + leverages[i] * weight(i).sqrt() * side * sparsity
            };
            let sizes = residuals.iter().enumerate().map(size);
            sizes.map(|size| (2.0 * (1.0 - tau) * size, -2.0 * tau * size)).unzip()
        }
        None => {
            let stretched = |(i, e): (usize, &f64)| {
                let free = 1.0 - leverages[i] * weight(i);
                // A row that alone determines a coefficient has no residual.
                e / if free > 1e-10 { free.sqrt() } else { 1.0 }
            };
            residuals.iter().enumerate().map(stretched).map(|e| (e, -e)).unzip()
        }
    };
    let moved =
        |by: &[f64]| -> Vec<f64> { responses.iter().zip(&residuals).zip(by).map(|((y, e), by)| y - e + by).collect() };
    let twice: Vec<usize> = (0..rows.len()).chain(0..rows.len()).collect();
    rows.picked(&twice).with_response([moved(&upper), moved(&lower)].concat())
}

impl Draw {
    /// How often each row counts.
    fn counts(&self, rows: usize, seed: u64) -> Vec<f64> {
        let mut counts = vec![0.0; rows];
        match self {
            Draw::Pairs(draws, None) => {
                for k in 0..*draws {
                    counts[below(scattered(seed, k as u64), rows)] += 1.0;
                }
            }
            Draw::Pairs(draws, Some(sums)) => {
                let total = sums.last().copied().unwrap_or(0.0);
                for k in 0..*draws {
                    let place = share(scattered(seed, k as u64)) * total;
                    counts[sums.partition_point(|sum| *sum <= place).min(rows - 1)] += 1.0;
                }
            }
            Draw::Clusters(members, frequencies) => {
                for k in 0..members.len() {
                    for &row in &members[below(scattered(seed, k as u64), members.len())] {
                        counts[row] += frequencies.as_ref().map_or(1.0, |f| f[row]);
                    }
                }
            }
            Draw::Wild(upper, frequencies) => {
                let half = rows / 2;
                let mut number = 0;
                for i in 0..half {
                    let mut left = frequencies.as_ref().map_or(1.0, |f| f[i]);
                    while left > 0.0 {
                        let version = if share(scattered(seed, number)) < *upper { i } else { half + i };
                        counts[version] += left.min(1.0);
                        (left, number) = (left - 1.0, number + 1);
                    }
                }
            }
        }
        counts
    }
}

/// A number below `count`, from a random word.
fn below(word: u64, count: usize) -> usize {
    ((u128::from(word) * count as u128) >> 64) as usize
}

/// A number in 0..1, from a random word.
fn share(word: u64) -> f64 {
    (word >> 11) as f64 / (1u64 << 53) as f64
}

fn running_sums(values: &[f64]) -> Vec<f64> {
    let mut sum = 0.0;
    values
        .iter()
        .map(|value| {
            sum += value;
            sum
        })
        .collect()
}

/// The packed covariance of two draws or more, with divisor one less than there are of them.
fn covariance(draws: &[&[f64]]) -> Vec<f64> {
    let (count, order) = (draws.len() as f64, draws.first().map_or(0, |draw| draw.len()));
    let means: Vec<f64> = (0..order).map(|j| draws.iter().map(|draw| draw[j]).sum::<f64>() / count).collect();
    let mut matrix = Vec::with_capacity(packed_length(order));
    for i in 0..order {
        for j in 0..=i {
            let sum: f64 = draws.iter().map(|draw| (draw[i] - means[i]) * (draw[j] - means[j])).sum();
            matrix.push(sum / (count - 1.0));
        }
    }
    matrix
}

/// A packed symmetric matrix by rows.
fn square(packed: &[f64]) -> Vec<Vec<f64>> {
    let order = (0..).take_while(|&k| packed_length(k) < packed.len()).count();
    let entry = |i: usize, j: usize| packed[packed_length(i.max(j)) + i.min(j)];
    (0..order).map(|i| (0..order).map(|j| entry(i, j)).collect()).collect()
}
