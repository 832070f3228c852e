//! The wild cluster bootstrap of least squares: the distribution of a t statistic where there are few clusters.

use serde::{Deserialize, Serialize};

use crate::Error;
use crate::algebra::gram::symmetric;
use crate::estimate::{Options, closed_form};
use crate::inference::covariance::by_cluster::{ByCluster, OfCluster};
use crate::inference::covariance::whitened;
use crate::inference::hypothesis::estimates::Estimates;
use crate::inference::hypothesis::restrictions::Restrictions;
use crate::inference::hypothesis::test::{Statistic, Test};
use crate::noise::Route;
use crate::rows::{RowSource, RowSourceExt, parallel_map, scattered, scattered_share};

/// What the residuals of a cluster are multiplied by in a draw: numbers of mean zero and variance one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DrawWeights {
    /// `rademacher`: either sign. With so few clusters that there are no more combinations of signs than draws, each of them is taken
    /// once.
    #[default]
    Rademacher,
    /// `webb`: six values, for few clusters (Webb 2023, *Canadian Journal of Economics* 56, 839-858).
    Webb,
    /// `mammen`: two values of skewness one (Mammen 1993, *Annals of Statistics* 21, 255-285).
    Mammen,
}

crate::named!(DrawWeights {
    Rademacher = "rademacher": "Either sign; every combination once where there are no more than draws",
    Webb = "webb": "Six values, for few clusters",
    Mammen = "mammen": "Two values of skewness one",
});

impl DrawWeights {
    /// The value for a number in 0..1.
    fn value(self, share: f64) -> f64 {
        match self {
            DrawWeights::Rademacher if share < 0.5 => -1.0,
            DrawWeights::Rademacher => 1.0,
            DrawWeights::Webb => {
                let six = [-1.5, -1.0, -0.5, 0.5, 1.0, 1.5f64];
                let square = six[((share * 6.0) as usize).min(5)];
                square.signum() * square.abs().sqrt()
            }
            DrawWeights::Mammen => {
                let root = 5f64.sqrt();
                if share < (root + 1.0) / (2.0 * root) { (1.0 - root) / 2.0 } else { (1.0 + root) / 2.0 }
            }
        }
    }
}

/// How a wild cluster bootstrap draws.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Wild {
    /// The number of draws, 99 or more.
    pub draws: usize,
    /// What residuals are multiplied by.
    pub weights: DrawWeights,
    /// The level of the intervals.
    pub level: f64,
    /// What is drawn is drawn from this number.
    pub seed: u64,
}

impl Wild {
    /// Draws where their number is not given.
    pub const DRAWS: usize = 9999;
}

/// What a wild cluster bootstrap rests on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Drawn {
    /// The number of clusters.
    pub clusters: usize,
    /// The number of draws.
    pub draws: usize,
    /// Whether these are all that there are.
    pub enumerated: bool,
    /// What residuals were multiplied by.
    pub weights: DrawWeights,
}

/// Statistics as large as another but for rounding.
const TIE: f64 = 1e-9;

/// Widenings after which an interval is open: by then it is `10^9` standard errors wide.
const WIDENINGS: usize = 30;

/// Halvings of the bracket about the end of an interval.
const HALVINGS: usize = 60;

/// Draws of each thread between two reports of how far the work is.
const BATCH: usize = 512;

/// The clusters of the rows of a fit of least squares, in coordinates of its whitened rows.
pub(super) struct Clusters {
    clusters: Vec<OfCluster>,
    /// The coefficients of the data as combinations of those of the whitened rows, by their places.
    directions: Vec<Option<Vec<f64>>>,
    /// What residuals are counted in.
    unit: f64,
    /// What the variance is multiplied by: `G / (G - 1) (n - 1) / (n - p)`.
    factor: f64,
    threads: usize,
}

impl Clusters {
    /// Of the rows that the fit was made of.
    ///
    /// # Errors
    /// [`Error::Unsupported`] for another fit than one of least squares, and for rows that are not those of the fit.
    pub(super) fn new(source: &dyn RowSource, estimates: &Estimates<'_>, options: &Options) -> Result<Self, Error> {
        let fit = estimates.fit();
        if fit.noise.route() != Route::ClosedForm || fit.scale.is_modelled() {
            let (noise, scale) = (fit.noise, if fit.scale.is_modelled() { " with a modelled scale" } else { "" });
            return Err(Error::Unsupported(format!(
                "the wild cluster bootstrap is one of least squares, and not of {noise} noise{scale}; use the covariance cluster, which \
                 is right for many clusters, or a likelihood ratio test, which takes rows as independent"
            )));
        }
        let again = closed_form::fit(source, options)?;
        let same = |(one, other): (&Option<f64>, &Option<f64>)| match (one, other) {
            (Some(one), Some(other)) => (one - other).abs() <= 1e-6 * (one.abs() + other.abs()) + f64::MIN_POSITIVE,
            (one, other) => one.is_some() == other.is_some(),
        };
        if again.nobs != fit.nobs || !again.coef().iter().zip(&fit.coef()).all(same) {
            return Err(Error::Unsupported(format!(
                "fitted to these {} observations the coefficients are others than those of the model, which was fitted to {}; a \
                 bootstrap needs the data of the fit, without rows whose cluster is missing",
                again.nobs, fit.nobs
            )));
        }
        let (Some(leverage), Some(scale)) = (again.leverage().cloned(), again.scale.common().filter(|s| *s > 0.0))
        else {
            let what = "every row is fitted exactly: there are no residuals to draw from";
            return Err(Error::Unsupported(what.to_owned()));
        };
        let rows = whitened(source, &again, &leverage);
        let clusters =
            rows.pass(ByCluster::new(scale, rows.adaptor().count()))?.finish("the wild cluster bootstrap")?;
        let mut directions = vec![None; estimates.count()];
        for (place, direction) in leverage.places().into_iter().zip(leverage.directions()) {
            directions[place] = Some(direction);
        }
        let (g, n, p) = (clusters.len() as f64, again.nobs as f64, again.rank() as f64);
        let factor = g / (g - 1.0) * (n - 1.0) / (n - p);
        Ok(Clusters { clusters, directions, unit: scale, factor, threads: source.threads() })
    }

    /// How the draws are made.
    pub(super) fn drawn(&self, wild: Wild) -> Drawn {
        let clusters = self.clusters.len();
        let all = if clusters < usize::BITS as usize - 1 { 1usize << clusters } else { usize::MAX };
        let enumerated = wild.weights == DrawWeights::Rademacher && all <= wild.draws;
        Drawn { clusters, draws: if enumerated { all } else { wild.draws }, enumerated, weights: wild.weights }
    }

    /// The test of a single restriction, and the interval of the values that it does not reject, by the same draws.
    ///
    /// The residuals of the fit under the hypothesis are multiplied, cluster by cluster, by what is drawn; the statistic is Student's,
    /// with the covariance `cluster`, and its p-value the share of draws in which it is as large (Cameron, Gelbach and Miller 2008,
    /// *Review of Economics and Statistics* 90, 414-427). In coordinates of whitened rows each draw is some products of sums over
    /// clusters (Roodman, Nielsen, MacKinnon and Webb 2019, *Stata Journal* 19, 4-60), and a function of the value of the hypothesis
    /// that is known from five numbers.
    ///
    /// # Errors
    /// [`Error::Unsupported`] for several restrictions at once; what the source reports.
    pub(super) fn test(
        &self,
        source: &dyn RowSource,
        restrictions: &Restrictions,
        estimates: &Estimates<'_>,
        wild: Wild,
    ) -> Result<Test, Error> {
        let [restriction] = &restrictions.rows[..] else {
            return Err(Error::Unsupported(format!(
                "hypothesis '{}': the wild cluster bootstrap is of one restriction at a time; test each alone",
                restrictions.text
            )));
        };
        let weights = &restriction.weights;
        let count = self.clusters.first().map_or(0, |cluster| cluster.score.len());
        let mut direction = vec![0.0; count];
        for (weight, of) in weights.iter().zip(&self.directions).filter(|(weight, _)| **weight != 0.0) {
            let of = of.as_deref().unwrap_or(&[]);
            direction.iter_mut().zip(of).for_each(|(sum, x)| *sum += weight * x);
        }
        let estimate: f64 = weights.iter().zip(estimates.values()).map(|(weight, b)| weight * b).sum();
        let parts: Vec<Part> = self.clusters.iter().map(|cluster| Part::new(cluster, &direction)).collect();
        let variance: f64 = parts.iter().map(|part| part.score * part.score).sum();
        let drawn = self.drawn(wild);
        let numbers: Vec<u64> = (0..drawn.draws as u64).collect();
        let seed = scattered(wild.seed, 0x411d);
        let mut draws = Vec::with_capacity(numbers.len());
        for batch in numbers.chunks(BATCH * self.threads.max(1)) {
            draws.extend(parallel_map(batch, self.threads, |&number| {
                let value = |g: usize| match drawn.enumerated {
                    true => {
                        if number >> g & 1 == 1 {
                            -1.0
                        } else {
                            1.0
                        }
                    }
                    false => wild.weights.value(scattered_share(seed, number * parts.len() as u64 + g as u64)),
                };
                Draw::new(&parts, &self.clusters, &direction, value)
            }));
            source.report(draws.len() as u64, numbers.len() as u64)?;
        }
        let observed = Observed { estimate, variance, unit: self.unit, length: product(&direction, &direction) };
        let p_of = |value: f64| observed.p_value(value, &draws, drawn.enumerated);
        let std_error = (self.factor * variance).sqrt() * self.unit;
        let statistic = Some((estimate - restriction.value) / std_error).filter(|t| t.is_finite());
        let alpha = 1.0 - wild.level;
        let end = |side: f64| end(estimate, side * std_error, |value| p_of(value) > alpha);
        let known = statistic.is_some();
        Ok(Test {
            hypothesis: restrictions.text.clone(),
            estimate: Some(estimate),
            value: Some(restriction.value),
            std_error: Some(std_error),
            test: Statistic::T,
            statistic,
            df: 1.0,
            df_residual: Some(parts.len() as f64 - 1.0),
            p_value: known.then(|| p_of(restriction.value)),
            p_adjusted: None,
            conf_low: known.then(|| end(-1.0)).flatten(),
            conf_high: known.then(|| end(1.0)).flatten(),
            log_likelihood: None,
            likelihood_ratio: None,
            left_out: restrictions.left_out.clone(),
        })
    }
}

fn product(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

/// What a cluster has of a direction `l`.
struct Part {
    /// `l'U'e`, of the residuals of the fit.
    score: f64,
    /// `A l`.
    shadow: Vec<f64>,
    /// `l'A l`.
    share: f64,
}

impl Part {
    fn new(cluster: &OfCluster, direction: &[f64]) -> Self {
        let count = direction.len();
        let row = |j: usize| (0..count).map(|k| cluster.gram[symmetric(j, k)] * direction[k]).sum();
        let shadow: Vec<f64> = (0..count).map(row).collect();
        let share = product(&shadow, direction);
        Part { score: product(&cluster.score, direction), shadow, share }
    }
}

/// A draw: its estimate less the hypothesis is `low + d high`, and its variance `squares[0] + 2 d squares[1] + d^2 squares[2]`, where
/// the fit under the hypothesis differs by `d l` from that without it.
struct Draw {
    low: f64,
    high: f64,
    squares: [f64; 3],
}

impl Draw {
    fn new(parts: &[Part], clusters: &[OfCluster], direction: &[f64], value: impl Fn(usize) -> f64) -> Self {
        let count = direction.len();
        let values: Vec<f64> = (0..parts.len()).map(value).collect();
        // Sums over clusters of v U'e and v A l.
        let (mut scores, mut shadows) = (vec![0.0; count], vec![0.0; count]);
        for ((v, part), cluster) in values.iter().zip(parts).zip(clusters) {
            scores.iter_mut().zip(&cluster.score).for_each(|(sum, x)| *sum += v * x);
            shadows.iter_mut().zip(&part.shadow).for_each(|(sum, x)| *sum += v * x);
        }
        let mut squares = [0.0; 3];
        for (v, part) in values.iter().zip(parts) {
            let low = v * part.score - product(&part.shadow, &scores);
            let high = v * part.share - product(&part.shadow, &shadows);
            squares[0] += low * low;
            squares[1] += low * high;
            squares[2] += high * high;
        }
        Draw { low: product(direction, &scores), high: product(direction, &shadows), squares }
    }

    /// The square of its statistic, without the factor that all have.
    fn square(&self, distance: f64) -> f64 {
        let [low, both, high] = self.squares;
        let variance = low + 2.0 * distance * both + distance * distance * high;
        (self.low + distance * self.high).powi(2) / variance.max(0.0)
    }
}

/// The estimate of the data.
struct Observed {
    estimate: f64,
    /// Without the factor that all have, in units.
    variance: f64,
    unit: f64,
    /// `l'l`.
    length: f64,
}

impl Observed {
    /// The share of draws whose statistic is as large as that of the data where the hypothesis is this value; of draws at random the data
    /// themselves are one more.
    fn p_value(&self, value: f64, draws: &[Draw], enumerated: bool) -> f64 {
        let difference = (self.estimate - value) / self.unit;
        let own = difference * difference / self.variance * (1.0 - TIE);
        let distance = difference / self.length;
        let (mut as_large, mut all) = (0u64, 0u64);
        for draw in draws {
            let square = draw.square(distance);
            as_large += u64::from(square >= own);
            all += u64::from(!square.is_nan());
        }
        let more = u64::from(!enumerated);
        (as_large + more) as f64 / (all + more) as f64
    }
}

/// Where a value is no longer inside, on the side that `step` says; none where it is inside however far one goes.
fn end(centre: f64, step: f64, is_inside: impl Fn(f64) -> bool) -> Option<f64> {
    let (mut inner, mut reach) = (centre, step);
    let mut outer = None;
    for _ in 0..WIDENINGS {
        let value = centre + reach;
        if !is_inside(value) {
            outer = Some(value);
            break;
        }
        inner = value;
        reach *= 2.0;
    }
    let mut outer = outer?;
    for _ in 0..HALVINGS {
        let middle = inner + 0.5 * (outer - inner);
        if is_inside(middle) { inner = middle } else { outer = middle }
    }
    Some(inner)
}
