//! Predictions of new rows from a fit, with intervals.

use crate::Error;
use crate::double_double::DoubleDouble;
use crate::fit::Fit;
use crate::inference::distribution::{StudentT, Symmetric};
use crate::rows::Values;

/// What an interval is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IntervalKind {
    /// The location of the rows' distribution: how well the mean is known.
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

/// Predicts rows of a linear model's design.
///
/// ```
/// use noisefit::linear::{Options, gaussian};
/// use noisefit::predict::{IntervalKind, Predictor};
/// use noisefit::rows::{Matrix, MemoryRows};
///
/// let x = [1.0, 2.0, 3.0, 4.0];
/// let rows = MemoryRows::new(&[1.0, 3.0, 2.0, 4.0], Matrix::row_major(&x, 4, 1)?)?;
/// let fit = gaussian::fit(&rows, &Options::default())?;
/// let predictor = Predictor::new(&fit)?;
/// assert_eq!(predictor.location(&[(&[2.5][..]).into()], 1), [2.5]);
/// let interval = predictor.intervals(&[(&[2.5][..]).into()], 1, None, IntervalKind::Confidence, 0.95)?;
/// // At the mean of x the standard error is s / sqrt(n) = sqrt(0.9 / 4).
/// assert!((interval.high[0] - 2.5 - 4.302652729749464 * 0.225f64.sqrt()).abs() < 1e-12);
/// # Ok::<(), noisefit::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct Predictor<'a> {
    fit: &'a Fit,
    intercept: f64,
    slopes: Vec<f64>,
}

impl<'a> Predictor<'a> {
    /// Prepares predictions; aliased terms count as zero.
    ///
    /// # Errors
    /// [`Error::Shape`] for a fit whose parts do not go together.
    pub fn new(fit: &'a Fit) -> Result<Self, Error> {
        let value = |estimate: Option<f64>| estimate.unwrap_or(0.0);
        let (first, rest) = match fit.coefficients.split_first() {
            Some((first, rest)) if first.term == "(Intercept)" => (value(first.estimate), rest),
            _ => (0.0, &fit.coefficients[..]),
        };
        let slopes: Vec<f64> = rest.iter().map(|coefficient| value(coefficient.estimate)).collect();
        if let Some(leverage) = &fit.leverage
            && (!leverage.is_sound() || leverage.columns_needed() > slopes.len())
        {
            return Err(Error::Shape { what: "leverage", expected: slopes.len(), found: leverage.columns_needed() });
        }
        Ok(Predictor { fit, intercept: first, slopes })
    }

    /// The location `b0 + x'b` of `rows` rows whose columns are `design`, summed in double-double.
    pub fn location(&self, design: &[Values<'_>], rows: usize) -> Vec<f64> {
        let row = |i: usize| {
            let terms = self.slopes.iter().zip(design).filter(|(slope, _)| **slope != 0.0);
            let sum = terms.fold(DoubleDouble::from(self.intercept), |sum, (&slope, values)| {
                sum + DoubleDouble::from_sum(values.high[i], values.low(i)) * slope
            });
            sum.to_f64()
        };
        (0..rows).map(row).collect()
    }

    /// Intervals around [`Predictor::location`] at `level`: `location -+ t sqrt(s^2 h)` for the location, with
    /// `s^2 (1 + h)` for a new observation, where `h` is the row's leverage and `t` Student's quantile on the residual
    /// degrees of freedom. `weights` are the rows' known relative precisions, one each; they divide the noise's `1`.
    ///
    /// # Errors
    /// [`Error::Argument`] for a level outside (0, 1), or a fit that says nothing about its noise.
    pub fn intervals(
        &self,
        design: &[Values<'_>],
        rows: usize,
        weights: Option<&[f64]>,
        kind: IntervalKind,
        level: f64,
    ) -> Result<Intervals, Error> {
        if !(level > 0.0 && level < 1.0) {
            return Err(Error::Argument { name: "level", value: level, expected: "between 0 and 1" });
        }
        let (Some(leverage), Some(variance)) = (&self.fit.leverage, self.fit.location_variance) else {
            let (name, value) = ("residual degrees of freedom", self.fit.df_residual as f64);
            return Err(Error::Argument { name, value, expected: "positive for an interval" });
        };
        let critical = StudentT::new(self.fit.df_residual as f64)?.critical(level);
        let own = |i: usize| match kind {
            IntervalKind::Confidence => 0.0,
            IntervalKind::Prediction => weights.map_or(1.0, |w| 1.0 / w[i]),
        };
        let leverages = leverage.evaluate(design, rows);
        let margin = |(i, h): (usize, f64)| critical * variance.sqrt() * (own(i) + h).sqrt();
        let margins = leverages.into_iter().enumerate().map(margin);
        let locations = self.location(design, rows);
        let (low, high) = locations.iter().zip(margins).map(|(mu, margin)| (mu - margin, mu + margin)).unzip();
        Ok(Intervals { low, high })
    }
}
