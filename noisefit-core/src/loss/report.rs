//! Every loss of the same predictions side by side, and how much of each the largest errors carry.

use serde::{Deserialize, Serialize};

use crate::Error;
use crate::loss::{Loss, Pairs, Reduction};
use crate::noise::Noise;
use crate::numeric::sum::Sum;
use crate::rows::{Accumulator, Block, Layout, Matrix, MemoryRows, RowSource, RowSourceExt};

/// The thresholds of a report.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct ReportOptions {
    /// Threshold of the Huber and smooth L1 losses.
    pub delta: f64,
    /// Level of the pinball loss.
    pub tau: f64,
    /// How many of the largest errors are kept.
    pub largest: usize,
}

impl Default for ReportOptions {
    fn default() -> Self {
        ReportOptions { delta: 1.0, tau: 0.5, largest: 5 }
    }
}

/// Every loss of a set of predictions.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct LossReport {
    /// The rows, each counted as often as its weight says.
    pub nobs: f64,
    /// Every loss.
    pub losses: Vec<LossSummary>,
    /// The root of the mean squared error.
    pub rmse: f64,
    /// `1 - SSE / SST`, where SST is about the mean of the truth; `None` for a constant truth.
    pub r_squared: Option<f64>,
    /// The errors as noise of each family, at the scale that makes them most likely.
    pub noise: Vec<NoiseSummary>,
    /// The largest errors, largest first; of equal ones the earlier first.
    pub largest: Vec<LargeError>,
}

/// One loss of a set of predictions.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct LossSummary {
    /// The loss's name: `mse`, `half_squared_error`, `mae`, `huber`, `smooth_l1`, `pinball` or `log_cosh`.
    pub loss: &'static str,
    /// Its threshold or level.
    pub parameter: Option<f64>,
    /// The mean over the rows.
    pub mean: f64,
    /// The sum over the rows.
    pub sum: f64,
    /// The part of the sum that the row of the largest error carries; `None` where the sum is zero or overflows.
    pub share_of_largest: Option<f64>,
    /// The part that all of [`LossReport::largest`] carry.
    pub share_of_all_largest: Option<f64>,
    /// The size of the derivative of the row's loss with respect to its prediction, at the largest error.
    pub gradient_at_largest: f64,
}

/// The errors as draws from a noise family.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct NoiseSummary {
    /// The family.
    #[serde(flatten)]
    pub noise: Noise,
    /// The maximum likelihood scale: sigma, `sqrt(SSE / n)`, of Gaussian noise; b, the mean absolute error, of Laplace
    /// noise.
    pub scale: f64,
    /// The complete negative log-likelihood at that scale; minus infinity if every error is zero.
    pub negative_log_likelihood: f64,
    /// The negative log-likelihood of a row, in the mean.
    pub mean_negative_log_likelihood: f64,
}

/// A row with a large error.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct LargeError {
    /// The row's number among the rows folded, from 1.
    pub row: u64,
    /// The truth.
    pub truth: f64,
    /// The prediction.
    pub prediction: f64,
    /// Truth minus prediction.
    pub error: f64,
    /// How often the row counts.
    pub weight: f64,
}

/// Every loss of `prediction` against `truth`, both of length n.
///
/// ```
/// use noisefit_core::loss::report;
/// use noisefit_core::loss::report::ReportOptions;
///
/// let report = report(&[85.0, 90.0, 88.0, 92.0, 15.0], &[84.0, 89.0, 87.0, 91.0, 87.0], ReportOptions::default())?;
/// let mse = &report.losses[0];
/// assert_eq!((mse.loss, mse.mean), ("mse", 1037.6));
/// assert_eq!(report.largest[0].row, 5);
/// assert_eq!(mse.share_of_largest, Some(5184.0 / 5188.0));
/// # Ok::<(), noisefit_core::Error>(())
/// ```
///
/// # Errors
/// [`Error::NoRows`]; [`Error::Shape`]; [`Error::Value`] for a number that is not finite; [`Error::Argument`] for a
/// threshold outside its domain.
pub fn report(truth: &[f64], prediction: &[f64], options: ReportOptions) -> Result<LossReport, Error> {
    if truth.len() != prediction.len() {
        return Err(Error::Shape { what: "prediction", expected: truth.len(), found: prediction.len() });
    }
    for (what, values) in [("truth", truth), ("prediction", prediction)] {
        if let Some(row) = values.iter().position(|v| !v.is_finite()) {
            let (what, value) = (what.to_owned(), values[row]);
            return Err(Error::Value { what, row: row as u64, value, expected: "a finite number" });
        }
    }
    let rows = MemoryRows::new(truth, Matrix::column_major(prediction, prediction.len(), 1)?)?;
    rows.pass(ReportPass::new(options, rows.layout())?)?.report()
}

/// The pass behind [`report`]: the truth is the response, the prediction the one design column. Weights and frequencies
/// of a block both say how often a row counts.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ReportPass {
    options: ReportOptions,
    rows: u64,
    sums: [Sum; KINDS],
    weight: Sum,
    truth_mean: f64,
    truth_squares: f64,
    largest: Vec<LargeError>,
}

/// The losses that a pass sums.
const KINDS: usize = 6;

impl ReportPass {
    /// The empty pass.
    ///
    /// # Errors
    /// [`Error::Argument`] for a threshold outside its domain; [`Error::Shape`] unless there is one design column.
    pub fn new(options: ReportOptions, layout: &Layout) -> Result<Self, Error> {
        if layout.terms.len() != 1 {
            return Err(Error::Shape { what: "the design of a loss", expected: 1, found: layout.terms.len() });
        }
        // Summing nothing checks the thresholds.
        for loss in losses(&options) {
            loss.value(&Pairs::new(&[], &[])?, Reduction::Sum)?;
        }
        Ok(ReportPass {
            options,
            rows: 0,
            sums: [Sum::default(); KINDS],
            weight: Sum::default(),
            truth_mean: 0.0,
            truth_squares: 0.0,
            largest: Vec::new(),
        })
    }

    /// The report on the rows folded.
    ///
    /// # Errors
    /// [`Error::NoRows`].
    pub fn report(&self) -> Result<LossReport, Error> {
        let nobs = self.weight.value();
        let Some(&worst) = self.largest.first() else { return Err(Error::NoRows) };
        let ReportOptions { delta, tau, .. } = self.options;
        let [squares, sizes, ..] = self.sums.map(|sum| sum.value());
        let all = losses(&self.options);
        let summary = |name, parameter, kind: usize, factor: f64| {
            let (loss, sum) = (all[kind], self.sums[kind].value());
            let share = |part: f64| Some(part / sum).filter(|share| share.is_finite() && sum.is_finite());
            let of = |row: &LargeError| row.weight * of_row(loss, row).0;
            LossSummary {
                loss: name,
                parameter,
                mean: factor * sum / nobs,
                sum: factor * sum,
                share_of_largest: share(of(&worst)),
                share_of_all_largest: share(self.largest.iter().map(of).collect::<Sum>().value()),
                gradient_at_largest: factor * of_row(loss, &worst).1,
            }
        };
        let likelihood = |noise: Noise, scale: f64| {
            // At the maximum likelihood scale the mean of -ln f is -ln f(1), where f falls as the power 1 or 2 of r.
            let mean = scale.ln() + noise.family().negative_log_density(1.0);
            NoiseSummary { noise, scale, negative_log_likelihood: nobs * mean, mean_negative_log_likelihood: mean }
        };
        let rmse = (squares / nobs).sqrt();
        Ok(LossReport {
            nobs,
            losses: vec![
                summary("mse", None, 0, 1.0),
                summary("half_squared_error", None, 0, 0.5),
                summary("mae", None, 1, 1.0),
                summary("huber", Some(delta), 2, 1.0),
                summary("smooth_l1", Some(delta), 3, 1.0),
                summary("pinball", Some(tau), 4, 1.0),
                summary("log_cosh", None, 5, 1.0),
            ],
            rmse,
            r_squared: (self.truth_squares > 0.0).then(|| 1.0 - squares / self.truth_squares),
            noise: vec![likelihood(Noise::Gaussian, rmse), likelihood(Noise::Laplace, sizes / nobs)],
            largest: self.largest.clone(),
        })
    }

    /// Keeps `row` if it is among the largest.
    fn keep(&mut self, row: LargeError) {
        let size = row.error.abs();
        // At least one, for the shares.
        let room = self.options.largest.max(1);
        let place = self.largest.partition_point(|kept| kept.error.abs() >= size);
        if place < room {
            self.largest.truncate(room - 1);
            self.largest.insert(place, row);
        }
    }

    /// Merges the mean and the squares about it of further truths (Chan, Golub and LeVeque 1983, *The American
    /// Statistician* 37, 242-247); `self.weight` is still that of the rows before.
    fn merge_truth(&mut self, weight: f64, mean: f64, squares: f64) {
        let before = self.weight.value();
        let total = before + weight;
        if total > 0.0 {
            let difference = mean - self.truth_mean;
            self.truth_mean += difference * (weight / total);
            self.truth_squares += squares + difference * difference * (before * weight / total);
        }
    }
}

impl Accumulator for ReportPass {
    const KIND: &'static str = "loss report";

    fn fold(&mut self, block: &Block<'_>) {
        let truth = block.response.high;
        let (Some(&first), Some(prediction)) = (truth.first(), block.design.first()) else { return };
        let weights: Option<Vec<f64>> = match (block.weights, block.frequencies) {
            (None, None) => None,
            (Some(one), None) | (None, Some(one)) => Some(one.to_vec()),
            (Some(w), Some(f)) => Some(w.iter().zip(f).map(|(w, f)| w * f).collect()),
        };
        let weight = |i: usize| weights.as_ref().map_or(1.0, |w| w[i]);
        let pairs = Pairs::new(truth, prediction).and_then(|pairs| match &weights {
            Some(weights) => pairs.with_weights(weights),
            None => Ok(pairs),
        });
        // The contract of blocks: equal lengths, positive weights.
        let Ok(pairs) = pairs.map(|pairs| pairs.with_threads(1)) else { return };
        for (sum, loss) in self.sums.iter_mut().zip(losses(&self.options)) {
            if let Ok(value) = loss.value(&pairs, Reduction::Sum) {
                sum.add(value);
            }
        }
        let n = truth.len();
        // About the first truth, so that equal truths have exactly that mean.
        let beyond_first = (0..n).map(|i| weight(i) * (truth[i] - first)).collect::<Sum>().value() / pairs.total_weight;
        let mean = first + beyond_first;
        let squares = (0..n).map(|i| weight(i) * (truth[i] - mean).powi(2)).collect::<Sum>().value();
        self.merge_truth(pairs.total_weight, mean, squares);
        self.weight.add(pairs.total_weight);
        for i in 0..n {
            let (truth, prediction) = (truth[i], prediction[i]);
            let row = self.rows + i as u64 + 1;
            self.keep(LargeError { row, truth, prediction, error: truth - prediction, weight: weight(i) });
        }
        self.rows += n as u64;
    }

    fn merge(&mut self, later: Self) {
        self.merge_truth(later.weight.value(), later.truth_mean, later.truth_squares);
        self.weight.merge(later.weight);
        for (sum, later) in self.sums.iter_mut().zip(later.sums) {
            sum.merge(later);
        }
        for row in later.largest {
            self.keep(LargeError { row: self.rows + row.row, ..row });
        }
        self.rows += later.rows;
    }

    fn rows(&self) -> u64 {
        self.rows
    }
}

/// The losses that are summed.
fn losses(options: &ReportOptions) -> [Loss<'static>; KINDS] {
    let ReportOptions { delta, tau, .. } = *options;
    [
        Loss::SquaredError,
        Loss::AbsoluteError,
        Loss::Huber { delta },
        Loss::SmoothL1 { beta: delta },
        Loss::Pinball { tau },
        Loss::LogCosh,
    ]
}

/// The loss of one row, and the size of its derivative.
fn of_row(loss: Loss<'_>, row: &LargeError) -> (f64, f64) {
    let mut gradient = [0.0];
    let pair = Pairs::new(std::slice::from_ref(&row.truth), std::slice::from_ref(&row.prediction));
    let value = pair.and_then(|pair| loss.value_and_gradient(&pair, Reduction::Sum, &mut gradient));
    (value.unwrap_or(f64::NAN), gradient[0].abs())
}

/// The passes of this module.
pub(crate) fn kinds() -> crate::rows::Kinds {
    crate::rows::Kinds::default().with::<ReportPass>()
}
