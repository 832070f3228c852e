//! Laplace noise and quantiles: the exact minimum of absolute deviations, or of a check function, with its certificate.
//!
//! The minimum is a vertex: it passes through as many rows as there are coefficients, and only rows near it matter for
//! where it is. So the fit of a random sample says where to look, one pass over all rows keeps those near there and sums up
//! the others, and the small problem that is left is solved exactly: by the simplex method over many kinks at a time
//! (Barrodale and Roberts 1973), on ever smaller parts of it (the preprocessing of Portnoy and Koenker 1997, *Statistical
//! Science* 12, 279-300), and at the end in double-double. A last pass at the vertex shows that it is optimal for all rows.

mod bands;
mod collect;
mod exact;
mod interior;
mod records;
mod reduce;
mod refits;
mod rows;
mod search;
mod simplex;
mod solve;
#[cfg(test)]
mod tests;

use crate::Error;
use crate::algebra::{Accuracy, Coordinates, Method};
use crate::estimate::Options;
use crate::estimate::estimated::{Covariance, ErrorSums, Estimate, EstimatedScale};
use crate::estimate::start::Start;
use crate::noise::{AsymmetricLaplace, Kernel, Noise, levels};
use crate::numeric::Level;
use crate::numeric::double_double::DoubleDouble;
use crate::record::{Fit, Goodness, Reason, Reference, Shortfall, Termination, VcovKind, Vertex, Warning};
use crate::rows::{Kinds, Precision, RowSource, RowSourceExt, SampledRows, parallel_map};
use bands::{Band, Bands, Place};
use collect::Collect;
use exact::NoVertex;
pub(crate) use refits::Refits;
use rows::Rows;
use search::{Scale, Search};
use simplex::Problem;
use solve::{MemoryProblem, Solution};

/// Up to this many rows are taken into memory as they are, with all the digits of their decimals.
const FEW_ROWS: u64 = 20_000;

/// Numbers that the rows near the fits may occupy, whatever the number of quantiles, and for each of them: 26 MB for one.
const KEPT_NUMBERS: [usize; 2] = [2_500_000, 700_000];

/// Passes after which something is wrong.
const PASSES: usize = 40;

/// The fit under Laplace noise: least absolute deviations.
///
/// The scale `b` is the mean of `sqrt(w) |e|`, and the complete log-likelihood `-n (ln(2 b) + 1) + sum(ln w) / 2 +
/// sum(log Jacobian)`. The covariance of the coefficients is `b^2 (X'WX)^-1`, the inverse of the expected information.
/// Columns for `ln b` are not looked at.
///
/// ```
/// use noisefit_core::estimate::{Options, vertex};
/// use noisefit_core::rows::{Matrix, MemoryRows};
///
/// let x = [1.0, 2.0, 3.0, 4.0, 5.0];
/// let y = [1.0, 2.0, 3.0, 4.0, 100.0];
/// let rows = MemoryRows::new(&y, Matrix::row_major(&x, 5, 1)?)?;
/// let fit = vertex::fit_laplace(&rows, &Options::default())?;
/// assert_eq!(fit.location.rows[1].estimate, Some(1.0));
/// assert_eq!(fit.scale.common(), Some(19.0));
/// assert_eq!(fit.vertex.map(|vertex| vertex.zero_residuals), Some(4));
/// # Ok::<(), noisefit_core::Error>(())
/// ```
///
/// # Errors
/// Those of [`super::LeastSquares::solve`], [`Error::Argument`] for a level outside (0, 1) and [`Error::Collinear`] where
/// asked for.
pub fn fit_laplace(source: &dyn RowSource, options: &Options) -> Result<Fit, Error> {
    first(Quantiles::new(source, options, &[0.5], 1)?.fit(&|_| Noise::Laplace, &|_, _| None)?)
}

/// The fit of the noise whose location is the quantile of level `tau`, with one scale.
///
/// # Errors
/// As [`fit_laplace`].
pub(crate) fn fit(source: &dyn RowSource, noise: Noise, tau: f64, options: &Options) -> Result<Fit, Error> {
    first(Quantiles::new(source, options, &[tau], 1)?.fit(&|_| noise, &|_, _| None)?)
}

fn first(fits: Vec<(Fit, Option<Neighbours>)>) -> Result<Fit, Error> {
    fits.into_iter().next().map(|(fit, _)| fit).ok_or(Error::NoRows)
}

/// The fits of several quantiles, of ascending `levels`, each under its asymmetric Laplace noise.
///
/// They share their passes over the rows, and rows at which a quantile lies below that of a lower level are counted.
///
/// # Errors
/// As [`fit_laplace`]; [`Error::Argument`] for a quantile's level outside (0, 1).
pub fn fit_quantiles(source: &dyn RowSource, levels: &[f64], options: &Options) -> Result<Vec<Fit>, Error> {
    let fits = Quantiles::new(source, options, levels, levels.len())?.fit(&asymmetric_laplace, &|_, _| None)?;
    Ok(fits.into_iter().map(|(fit, _)| fit).collect())
}

fn asymmetric_laplace(tau: f64) -> Noise {
    Noise::Quantile(AsymmetricLaplace { tau })
}

/// The coefficients of the quantiles at levels `tau + h` and `tau - h`: how far apart they lie at a row says how dense its
/// noise is between them.
#[derive(Debug)]
pub(crate) struct Neighbours {
    /// `h`.
    pub(crate) bandwidth: f64,
    /// Those of the columns that are not aliased.
    pub(crate) coordinates: Coordinates,
    /// The coefficients at `tau + h` less those at `tau - h`, in the coordinates and the unit of the data's response.
    pub(crate) difference: Vec<f64>,
}

/// The fits of least absolute deviations or of several quantiles, each with its neighbours at the distance
/// `bandwidth(tau, observations)`, where that gives one. All share their passes over the rows.
///
/// # Errors
/// As [`fit_quantiles`].
pub(crate) fn fit_with_neighbours(
    source: &dyn RowSource,
    noise: &[Noise],
    options: &Options,
    bandwidth: &dyn Fn(f64, f64) -> Option<f64>,
) -> Result<Vec<(Fit, Option<Neighbours>)>, Error> {
    match levels(noise) {
        Some(levels) => Quantiles::new(source, options, &levels, 3 * levels.len())?.fit(&asymmetric_laplace, bandwidth),
        None => Quantiles::new(source, options, &[0.5], 3)?.fit(&|_| Noise::Laplace, bandwidth),
    }
}

/// What several quantiles share.
struct Quantiles<'a> {
    source: &'a dyn RowSource,
    options: &'a Options,
    start: Start,
    levels: Vec<f64>,
}

/// One quantile's solution, with the sums over all rows.
struct Found {
    tau: f64,
    coefficients: Vec<DoubleDouble>,
    /// `sum v rho(e)` in coordinates.
    objective: f64,
    gap: f64,
    zeros: usize,
    unique: bool,
    condition: f64,
    converged: bool,
    steps: u64,
    errors: ErrorSums,
    crossings: Option<u64>,
}

impl Quantiles<'_> {
    /// Of `levels`, with a sample large enough for `expected` of them.
    fn new<'a>(
        source: &'a dyn RowSource,
        options: &'a Options,
        levels: &[f64],
        expected: usize,
    ) -> Result<Quantiles<'a>, Error> {
        levels.iter().try_for_each(|&tau| Level::named("quantile", tau).map(drop))?;
        let start = Start::new(source, options, sample_rows(source, expected))?;
        Ok(Quantiles { source, options, start, levels: levels.to_vec() })
    }

    /// The fits, with their neighbours where `bandwidth` gives their distance.
    fn fit(
        mut self,
        noise: &dyn Fn(f64) -> Noise,
        bandwidth: &dyn Fn(f64, f64) -> Option<f64>,
    ) -> Result<Vec<(Fit, Option<Neighbours>)>, Error> {
        let totals = &self.start.least_squares.totals;
        let (few, observations, asked) = (totals.rows <= FEW_ROWS, totals.observations, self.levels.len());
        let bandwidths: Vec<_> = self.levels.iter().map(|&tau| bandwidth(tau, observations)).collect();
        // Behind the levels that were asked for, whose crossings are counted in their order.
        for place in 0..asked {
            let (tau, h) = (self.levels[place], bandwidths[place]);
            self.levels.extend(h.into_iter().flat_map(|h| [tau - h, tau + h]));
        }
        let (found, beside) = if few { self.in_memory(asked)? } else { self.by_passes(asked)? };
        let (mut beside, unit) = (beside.into_iter(), 1.0 / self.start.coordinates.response_scale());
        let mut neighbours = |bandwidth: f64| {
            let (below, above) = (beside.next()?, beside.next()?);
            let difference = above.iter().zip(&below).map(|(above, below)| (above - below) * unit).collect();
            Some(Neighbours { bandwidth, coordinates: self.start.coordinates.clone(), difference })
        };
        let neighbours: Vec<_> = bandwidths.into_iter().map(|h| h.and_then(&mut neighbours)).collect();
        let fits = found.into_iter().map(|found| self.record(found, noise));
        Ok(fits.zip(neighbours).collect())
    }

    /// All rows in memory, in double-double: the first `asked` levels, and the coefficients of the others.
    fn in_memory(&self, asked: usize) -> Result<(Vec<Found>, Vec<Vec<f64>>), Error> {
        let coordinates = &self.start.coordinates;
        let source = self.start.source(self.source);
        let rows = source.pass(Collect::new(coordinates.clone(), Precision::Extended))?.finish();
        let linear = vec![DoubleDouble::ZERO; rows.order];
        let mean = self.mean(&rows.combination(&rows.multipliers));
        let mut start = self.start.in_coordinates();
        let (mut solutions, mut others): (Vec<(f64, Solution)>, Vec<Vec<f64>>) = (Vec::new(), Vec::new());
        for &tau in &self.levels {
            let problem = MemoryProblem { rows: &rows, tau, linear: &linear, linear_error: 0.0, mean: &mean };
            let solution = problem.solve(&start).map_err(not_solved)?;
            start = solution.vertex.coefficients.iter().map(|b| b.to_f64()).collect();
            match solutions.len() < asked {
                true => solutions.push((tau, solution)),
                false => others.push(start.clone()),
            }
        }
        // The sums that the record wants, by the pass that larger data take.
        let place = |(tau, solution): &(f64, Solution)| Place {
            tau: *tau,
            coefficients: solution.vertex.coefficients.iter().map(|b| b.to_f64()).collect(),
            width: 0.0,
            share: 0.0,
            directions: Vec::new(),
        };
        let places = solutions.iter().map(place).collect();
        let (bands, _) = source.pass(Bands::new(coordinates.clone(), Precision::Double, places, 0))?.finish();
        let found = solutions.into_iter().zip(bands).enumerate().map(|(number, ((tau, solution), band))| {
            let (primal, dual) = (solution.vertex.primal, solution.vertex.dual);
            self.found(tau, &solution, (primal, dual), &band, number)
        });
        Ok((found.collect(), others))
    }

    fn found(
        &self,
        tau: f64,
        solution: &Solution,
        (primal, dual): (DoubleDouble, DoubleDouble),
        band: &Band,
        number: usize,
    ) -> Found {
        let vertex = &solution.vertex;
        let gap = ((primal - dual) / primal).to_f64();
        Found {
            tau,
            coefficients: vertex.coefficients.clone(),
            objective: primal.to_f64(),
            // Rounding may carry the dual objective a little beyond.
            gap: if primal.high > 0.0 { gap.abs() } else { 0.0 },
            zeros: vertex.zeros,
            unique: vertex.unique,
            condition: vertex.condition,
            converged: vertex.infeasibility < 1e-6,
            steps: solution.steps,
            errors: band.errors,
            crossings: (number > 0).then_some(band.crossings),
        }
    }

    /// The direction of the mean row, from the sum of the rows: about means, that of the intercept.
    fn mean(&self, sums: &[f64]) -> Vec<f64> {
        if self.start.coordinates.intercept() {
            return (0..sums.len()).map(|j| f64::from(u8::from(j == 0))).collect();
        }
        let size = sums.iter().fold(f64::MIN_POSITIVE, |size, sum| size.max(sum.abs()));
        sums.iter().map(|sum| sum / size).collect()
    }

    /// A sample first, then passes over all rows until the vertex of each of the first `asked` levels is shown to be optimal.
    /// Of the others the coefficients that all rows near the fit of the sample lead to are enough.
    fn by_passes(&self, asked: usize) -> Result<(Vec<Found>, Vec<Vec<f64>>), Error> {
        let coordinates = &self.start.coordinates;
        let (source, order) = (self.start.source(self.source), coordinates.coefficients());
        let [common, each] = KEPT_NUMBERS;
        let numbers = common + each * self.levels.len();
        let limit = (numbers / (order + 3) / self.levels.len()).max(5 * search::FINAL_ROWS);
        let sample = self.sample()?;
        let mut searches = self.searches(&sample, limit);
        for _ in 0..PASSES {
            let open: Vec<usize> = (0..searches.len()).filter(|&k| k < asked || !searches[k].is_near()).collect();
            let places = open.iter().map(|&k| searches[k].place().clone()).collect();
            let (bands, sums) =
                source.pass(Bands::new(coordinates.clone(), Precision::Double, places, limit))?.finish();
            let mean = self.mean(&sums);
            let pairs: Vec<(&Search, &Band)> = open.iter().map(|&k| &searches[k]).zip(&bands).collect();
            let advanced =
                parallel_map(&pairs, source.threads(), |(search, band)| search.advanced(band, coordinates, &mean));
            for (k, search) in open.into_iter().zip(advanced) {
                searches[k] = search.map_err(not_solved)?;
            }
            let (exact, others) = searches.split_at(asked);
            if exact.iter().all(|search| search.settled().is_some()) && others.iter().all(Search::is_near) {
                let found = exact.iter().zip(&bands).enumerate().filter_map(|(number, (search, band))| {
                    let solution = search.settled()?;
                    let vertex = &solution.vertex;
                    // What the rows outside lose: sum v psi (y - x'b).
                    let products = band.linear.iter().zip(&vertex.coefficients);
                    let outside = products.fold(band.dual, |sum, (&g, &b)| sum - g * b);
                    let objectives = (outside + vertex.primal, band.dual + vertex.dual);
                    Some(self.found(search.place().tau, solution, objectives, band, number))
                });
                let others = others.iter().map(|search| search.place().coefficients.clone());
                return Ok((found.collect(), others.collect()));
            }
        }
        Err(not_solved(NoVertex::NotConverged))
    }

    /// Where the sample says that the fits are.
    fn searches(&self, sample: &Rows, limit: usize) -> Vec<Search> {
        let linear = vec![0.0; sample.order];
        let scale = Scale { rows: self.start.least_squares.totals.rows as f64, limit };
        let start = self.start.in_coordinates();
        let search = |&tau: &f64| {
            let basis = reduce::solve(Problem { rows: sample, tau, linear: &linear }, &start);
            Search::from_sample(sample, tau, basis.coefficients, scale)
        };
        parallel_map(&self.levels, self.source.threads(), search)
    }

    fn sample(&self) -> Result<Rows, Error> {
        let sample: &SampledRows = &self.start.sample;
        let source = sample.source()?.with_threads(1);
        Ok(source.pass(Collect::new(self.start.coordinates.clone(), Precision::Double))?.finish())
    }

    fn record(&self, found: Found, noise: &dyn Fn(f64) -> Noise) -> Fit {
        let Found { tau, .. } = found;
        let coordinates = &self.start.coordinates;
        let unit = 1.0 / coordinates.response_scale();
        let solved = &self.start.least_squares;
        let totals = &solved.totals;
        let n = totals.observations;
        let noise = noise(tau);
        let family = noise.family();
        // Laplace's loss is twice the median's.
        let factor = family.evaluate(1.0).value / AsymmetricLaplace { tau }.at(1.0).value;
        let (normaliser, information) = (family.log_normaliser(), family.information().location);
        let objective = factor * found.objective * unit;
        let scale = objective / n;
        let coefficients = coordinates.carry_back_all(&found.coefficients, coordinates.response_shift());
        let log_likelihood = -n * (scale.ln() + 1.0 + normaliser) + 0.5 * totals.log_weight + totals.log_jacobian;
        let rank = coordinates.coefficients() as f64;
        let variance = (n > rank).then(|| scale * scale / information);
        let errors = ErrorSums {
            weighted_squares: found.errors.weighted_squares * unit * unit,
            squares: found.errors.squares * unit * unit,
            absolute: found.errors.absolute * unit,
        };
        let mut warnings = Vec::new();
        if n > rank && scale == 0.0 {
            warnings.push(Warning::NoDeviations);
        }
        if !found.converged {
            warnings.push(Warning::NotConverged(Shortfall::Duals));
        }
        if !found.unique {
            warnings.push(Warning::NotUnique);
        }
        let digits = (31.0 - found.condition.max(1.0).log10()).clamp(0.0, -(0.5 * f64::EPSILON).log10());
        let estimate = Estimate {
            noise,
            coefficients: self.start.widened(&coefficients),
            scale: EstimatedScale::Common(scale),
            shape: None,
            vertex: Some(Vertex {
                objective,
                zero_residuals: found.zeros as u64,
                unique: found.unique,
                crossings: found.crossings,
            }),
            log_likelihood,
            noise_parameters: 1,
            errors,
            explained: None,
            covariance: Covariance::Multiple(variance),
            kind: VcovKind::CLASSICAL,
            reference: Reference::Normal,
            accuracy: Accuracy { digits, method: Method::Vertex, condition: solved.accuracy.condition },
            termination: Termination {
                converged: found.converged,
                reason: if found.converged { Reason::VertexOptimal } else { Reason::StepLimit },
                iterations: found.steps,
                duality_gap: Some(found.gap),
            },
            warnings,
        };
        let mut fit = estimate.into_fit(self.source.layout(), solved, self.options.level);
        if let Noise::Quantile(_) = noise {
            // Squares about the mean say nothing of a quantile.
            fit.goodness = Goodness { r_squared: None, adj_r_squared: None, residual_std_error: None, ..fit.goodness };
        }
        fit
    }
}

/// How many rows to sample: the errors of the sample's fit and the rows within them cost about the same.
fn sample_rows(source: &dyn RowSource, levels: usize) -> usize {
    let order = source.layout().coefficients() as f64;
    let rows = source.rows_hint().map_or(1e6, |rows| rows as f64);
    // Several bands are wider together.
    let factor = if levels > 1 { 2.0 } else { 1.0 };
    (factor * rows.powf(2.0 / 3.0) * order.sqrt()).min(100_000.0).max(20.0 * order + 4000.0) as usize
}

fn not_solved(reason: NoVertex) -> Error {
    let (why, remedy) = match reason {
        NoVertex::MoreRows(_) => (
            "the rows do not bound it: the quantile's level is too near to 0 or 1 for their number, or a term hardly varies",
            None,
        ),
        NoVertex::NotConverged => (
            "a vertex could not be told from its neighbours: terms that say nearly the same, or numbers of very different sizes",
            Some("leave out such a term, or choose units in which the columns are of similar size"),
        ),
    };
    Error::Undetermined { why: format!("the exact minimum of absolute deviations was not found: {why}"), remedy }
}

/// The passes of this module.
pub(super) fn kinds() -> Kinds {
    Kinds::default().with::<Collect>().with::<Bands>()
}
