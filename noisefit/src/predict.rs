//! Predictions of new rows from a fit, with intervals.

use serde::{Deserialize, Serialize};

use crate::Error;
use crate::double_double::DoubleDouble;
use crate::fit::{Coefficient, Fit, Reference};
use crate::rows::{Block, Values};

/// What an interval is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IntervalKind {
    /// The location of the rows' distribution: how well the mean, median or quantile is known.
    Confidence,
    /// A new observation: the same and its noise.
    Prediction,
}

/// Lower and upper ends, one for each row.
#[derive(Debug, Clone, PartialEq)]
pub struct Intervals {
    /// The lower ends.
    pub low: Vec<f64>,
    /// The upper ends.
    pub high: Vec<f64>,
}

/// Rows to be predicted, column by column.
#[derive(Debug, Clone, Copy)]
pub struct NewRows<'a> {
    /// The columns of the design, in the order of [`crate::rows::Layout::terms`].
    pub design: &'a [Values<'a>],
    /// The columns of a modelled scale, in the order of [`crate::rows::ScaleLayout::terms`]; else none.
    pub scale_design: &'a [Values<'a>],
    /// Known relative precisions, one each, which divide the squared scale; 1 where absent.
    pub weights: Option<&'a [f64]>,
    /// The number of rows.
    pub count: usize,
}

impl<'a> NewRows<'a> {
    /// `count` rows of a design.
    pub fn new(design: &'a [Values<'a>], count: usize) -> Self {
        NewRows { design, scale_design: &[], weights: None, count }
    }
}

impl<'a> From<&Block<'a>> for NewRows<'a> {
    fn from(block: &Block<'a>) -> Self {
        let &Block { design, scale_design, weights, .. } = block;
        NewRows { design, scale_design, weights, count: block.rows() }
    }
}

/// Predicts rows of a linear model's design.
///
/// ```
/// use noisefit::linear::{Options, gaussian};
/// use noisefit::predict::{IntervalKind, NewRows, Predictor};
/// use noisefit::rows::{Matrix, MemoryRows};
///
/// let x = [1.0, 2.0, 3.0, 4.0];
/// let rows = MemoryRows::new(&[1.0, 3.0, 2.0, 4.0], Matrix::row_major(&x, 4, 1)?)?;
/// let fit = gaussian::fit(&rows, &Options::default())?;
/// let predictor = Predictor::new(&fit)?;
/// let design = [(&[2.5][..]).into()];
/// let new = NewRows::new(&design, 1);
/// assert_eq!(predictor.location(&new), [2.5]);
/// let interval = predictor.intervals(&new, IntervalKind::Confidence, 0.95)?;
/// // At the mean of x the standard error is s / sqrt(n) = sqrt(0.9 / 4).
/// assert!((interval.high[0] - 2.5 - 4.302652729749464 * 0.225f64.sqrt()).abs() < 1e-12);
/// # Ok::<(), noisefit::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct Predictor<'a> {
    fit: &'a Fit,
    location: Linear,
    /// Of the scale's logarithm, where it is modelled.
    log_scale: Option<Linear>,
}

impl<'a> Predictor<'a> {
    /// Prepares predictions; aliased terms count as zero.
    ///
    /// # Errors
    /// [`Error::Shape`] for a fit whose parts do not go together.
    pub fn new(fit: &'a Fit) -> Result<Self, Error> {
        let location = Linear::new(&fit.coefficients);
        let columns = location.slopes.len();
        if let Some(leverage) = &fit.leverage
            && (!leverage.is_sound() || leverage.columns_needed() > columns)
        {
            return Err(Error::Shape { what: "leverage", expected: columns, found: leverage.columns_needed() });
        }
        let modelled = !fit.scale_coefficients.is_empty();
        Ok(Predictor { fit, location, log_scale: modelled.then(|| Linear::new(&fit.scale_coefficients)) })
    }

    /// The location `b0 + x'b` of every row, summed in double-double.
    pub fn location(&self, rows: &NewRows<'_>) -> Vec<f64> {
        self.location.evaluate(rows.design, rows.count)
    }

    /// The noise scale of every row: the common one, or `exp(g0 + z'g)` where it is modelled, over the root of the row's
    /// weight. NaN for a fit without a scale.
    pub fn scale(&self, rows: &NewRows<'_>) -> Vec<f64> {
        let mut scales = match &self.log_scale {
            Some(log_scale) => log_scale.evaluate(rows.scale_design, rows.count),
            None => vec![self.fit.scale.unwrap_or(f64::NAN); rows.count],
        };
        if self.log_scale.is_some() {
            scales.iter_mut().for_each(|scale| *scale = scale.exp());
        }
        if let Some(weights) = rows.weights {
            scales.iter_mut().zip(weights).for_each(|(scale, w)| *scale /= w.sqrt());
        }
        scales
    }

    /// Intervals around [`Predictor::location`] `mu` at `level`.
    ///
    /// For the location, `mu -+ c se`, where `se` is its standard error, the root of
    /// [`location_variance`](Fit::location_variance) times the row's leverage, and `c` the quantile of the distribution
    /// that the fit's statistics are compared with.
    ///
    /// For a new observation under Gaussian noise of one scale, `mu -+ c sqrt(sigma^2 / w + se^2)`, which is exact. Under
    /// any other noise the ends of the noise's own central interval, `s q_low` and `s q_high` at the row's scale `s`, are
    /// moved outwards by what adding `c se` in quadrature makes of them: `mu - sqrt((s q_low)^2 + (c se)^2)` below for
    /// `q_low < 0`, and alike above. That is exact for Gaussian noise of known variance and an approximation otherwise,
    /// good where the location is known much better than an observation.
    ///
    /// # Errors
    /// [`Error::Argument`] for a level outside (0, 1), or a fit of as many coefficients as observations, which says nothing
    /// about its noise; [`Error::Unsupported`] for a fit without standard errors.
    pub fn intervals(&self, rows: &NewRows<'_>, kind: IntervalKind, level: f64) -> Result<Intervals, Error> {
        if !(level > 0.0 && level < 1.0) {
            return Err(Error::Argument { name: "level", value: level, expected: "between 0 and 1" });
        }
        let df = self.fit.df_residual as f64;
        let Some(reference) = self.fit.reference_distribution() else {
            let name = "residual degrees of freedom";
            return Err(Error::Argument { name, value: df, expected: "positive for an interval" });
        };
        let (Some(leverage), Some(variance)) = (&self.fit.leverage, self.fit.location_variance) else {
            let what = "the fit has no standard errors, on which intervals rest";
            return Err(Error::Unsupported(what.to_owned()));
        };
        let (critical, deviation) = (reference.critical(level), variance.sqrt());
        let margins = leverage.evaluate(rows.design, rows.count).into_iter();
        let margins: Vec<(f64, f64)> = match (kind, self.fit.reference) {
            (IntervalKind::Confidence, _) => {
                margins.map(|h| critical * deviation * h.sqrt()).map(|m| (-m, m)).collect()
            }
            (IntervalKind::Prediction, Reference::StudentT) => {
                let noise = self.fit.residual_std_error.unwrap_or(f64::NAN).powi(2);
                let own = |i: usize| rows.weights.map_or(noise, |w| noise / w[i]);
                let margin = |(i, h): (usize, f64)| critical * (own(i) + variance * h).sqrt();
                margins.enumerate().map(margin).map(|m| (-m, m)).collect()
            }
            (IntervalKind::Prediction, Reference::Normal) => {
                let (low, high) = self.fit.noise.family().interval(level)?;
                let ends = |(h, s): (f64, f64)| {
                    let own = critical * deviation * h.sqrt();
                    (-widened(-s * low, own), widened(s * high, own))
                };
                margins.zip(self.scale(rows)).map(ends).collect()
            }
        };
        let locations = self.location(rows);
        let (low, high) = locations.iter().zip(margins).map(|(mu, (low, high))| (mu + low, mu + high)).unzip();
        Ok(Intervals { low, high })
    }
}

/// How far out an end of the noise's interval lies once `margin` is added in quadrature. An end on the other side of the
/// location, as an asymmetric noise may have it, moves outwards as much.
fn widened(end: f64, margin: f64) -> f64 {
    end + (end.hypot(margin) - end.abs())
}

/// An intercept and slopes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Linear {
    intercept: f64,
    slopes: Vec<f64>,
}

impl Linear {
    /// From a table; aliased terms count as zero.
    pub(crate) fn new(coefficients: &[Coefficient]) -> Self {
        let value = |coefficient: &Coefficient| coefficient.estimate.unwrap_or(0.0);
        let (intercept, rest) = match coefficients.split_first() {
            Some((first, rest)) if first.term == "(Intercept)" => (value(first), rest),
            _ => (0.0, coefficients),
        };
        Linear { intercept, slopes: rest.iter().map(value).collect() }
    }

    /// Whether it is of so many columns, all with finite slopes.
    pub(crate) fn is_sound(&self, columns: usize) -> bool {
        self.slopes.len() == columns && self.slopes.iter().chain([&self.intercept]).all(|value| value.is_finite())
    }

    pub(crate) fn numbers(&self) -> impl Iterator<Item = f64> {
        std::iter::once(self.intercept).chain(self.slopes.iter().copied())
    }

    pub(crate) fn evaluate(&self, design: &[Values<'_>], rows: usize) -> Vec<f64> {
        let row = |i: usize| {
            let terms = self.slopes.iter().zip(design).filter(|(slope, _)| **slope != 0.0);
            let sum = terms.fold(DoubleDouble::from(self.intercept), |sum, (&slope, values)| {
                sum + DoubleDouble::from_sum(values.high[i], values.low(i)) * slope
            });
            sum.to_f64()
        };
        (0..rows).map(row).collect()
    }
}
