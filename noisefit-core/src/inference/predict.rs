//! Predictions of new rows from a fit, with intervals.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::Error;
use crate::algebra::Affine;
use crate::noise::{Kernel, Noise, Shaped, Visitor};
use crate::numeric::Level;
use crate::numeric::distribution::{Normal, StudentT, Symmetric};
pub use crate::record::Intervals;
use crate::record::{Coefficients, Fit, ScaleRule, reference};
pub use crate::rows::NewRows;

/// What an interval is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IntervalKind {
    /// The location of the rows' distribution: how well the mean, median or quantile is known.
    Confidence,
    /// A new observation: the same and its noise.
    Prediction,
}

/// Predicts rows of a linear model's design.
///
/// ```
/// use noisefit_core::estimate::{Options, closed_form};
/// use noisefit_core::inference::predict::{IntervalKind, NewRows, Predictor};
/// use noisefit_core::rows::{Matrix, MemoryRows};
///
/// let x = [1.0, 2.0, 3.0, 4.0];
/// let rows = MemoryRows::new(&[1.0, 3.0, 2.0, 4.0], Matrix::row_major(&x, 4, 1)?)?;
/// let fit = closed_form::fit(&rows, &Options::default())?;
/// let predictor = Predictor::new(&fit)?;
/// let design = [(&[2.5][..]).into()];
/// let new = NewRows::new(&design, 1);
/// assert_eq!(predictor.location(&new), [2.5]);
/// let interval = predictor.intervals(&new, IntervalKind::Confidence, 0.95)?;
/// // At the mean of x the standard error is s / sqrt(n) = sqrt(0.9 / 4).
/// assert!((interval.high[0] - 2.5 - 4.302652729749464 * 0.225f64.sqrt()).abs() < 1e-12);
/// # Ok::<(), noisefit_core::Error>(())
/// ```
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Predictor {
    fit: Arc<Fit>,
    location: Affine,
    /// Of the scale's logarithm, where it is modelled.
    log_scale: Option<Affine>,
}

impl Predictor {
    /// Prepares predictions; aliased terms count as zero.
    ///
    /// # Errors
    /// [`Error::Shape`] for a fit whose parts do not go together.
    pub fn new(fit: &Fit) -> Result<Self, Error> {
        let location = fit.location.affine();
        let columns = location.slopes.len();
        if let Some(leverage) = fit.leverage()
            && (!leverage.is_sound() || leverage.columns_needed() > columns)
        {
            return Err(Error::Shape { what: "leverage", expected: columns, found: leverage.columns_needed() });
        }
        let log_scale = fit.scale.modelled().map(Coefficients::affine);
        Ok(Predictor { fit: Arc::new(fit.clone()), location, log_scale })
    }

    /// The location `b0 + x'b` of every row, summed in double-double.
    pub fn location(&self, rows: &NewRows<'_>) -> Vec<f64> {
        self.location.values(rows.design, rows.count)
    }

    /// The noise scale of every row: the common one, or `exp(g0 + z'g)` where it is modelled, over the root of the row's
    /// weight. NaN for a fit without a scale.
    pub fn scale(&self, rows: &NewRows<'_>) -> Vec<f64> {
        let mut scales = match &self.log_scale {
            Some(log_scale) => log_scale.values(rows.scale_design, rows.count),
            None => vec![self.fit.scale.common().unwrap_or(f64::NAN); rows.count],
        };
        if self.log_scale.is_some() {
            scales.iter_mut().for_each(|scale| *scale = scale.exp());
        }
        if let Some(weights) = rows.weights {
            scales.iter_mut().zip(weights).for_each(|(scale, w)| *scale /= w.sqrt());
        }
        scales
    }

    /// The fit that predicts.
    pub(crate) fn fit(&self) -> &Fit {
        &self.fit
    }

    /// Intervals around [`Predictor::location`] `mu` at `level`.
    ///
    /// For the location, `mu -+ c se`, where `se` is its standard error, the root of
    /// [`location_variance`](Fit::location_variance) times the row's leverage, and `c` the quantile of the distribution
    /// that the fit's statistics are compared with.
    ///
    /// For a new observation the ends of the noise's own interval are moved outwards by what adding `c se` in quadrature
    /// makes of them: to `mu - sqrt(own^2 + (c se)^2)` below where `own` lies below, and alike above. What is their own:
    ///
    /// - under Gaussian noise of one scale `t sigma / sqrt(w)`, with the residual standard error `sigma` and Student's
    ///   quantile `t` of its degrees of freedom: with the classical covariance that is the exact interval
    ///   `mu -+ t sqrt(sigma^2 / w + se^2)`;
    /// - under any other, or of a modelled scale, `s q sqrt(1 + z^2 v)`: the scale `s` of the row, times `sqrt(n / (n - p))`
    ///   for the degrees of freedom that maximum likelihood does not count, the noise's quantile `q`, the normal quantile `z`
    ///   of the level, and the variance `v` of `ln(s q)` from the expected information (of scale and shape where both are
    ///   estimated; of the row's own log scale where that is modelled). To first order in `1 / n` that is what the
    ///   uncertainty of the scale asks for.
    ///
    /// # Errors
    /// [`Error::Argument`] for a level outside (0, 1), or a fit of as many coefficients as observations, which says nothing
    /// about its noise; [`Error::Unsupported`] for a fit without standard errors.
    pub fn intervals(&self, rows: &NewRows<'_>, kind: IntervalKind, level: f64) -> Result<Intervals, Error> {
        let level = Level::new(level)?.value();
        let df = self.fit.df_residual as f64;
        let Some(reference) = self.fit.reference_degrees().and_then(reference) else {
            let name = "residual degrees of freedom";
            return Err(Error::Argument { name, value: df, expected: "positive for an interval" });
        };
        let (Some(leverage), Some(variance)) = (self.fit.leverage(), self.fit.location_variance()) else {
            let what = "the fit has no standard errors, on which intervals rest";
            return Err(Error::Unsupported(what.to_owned()));
        };
        let (critical, deviation) = (reference.critical(level), variance.sqrt());
        let own = match kind {
            IntervalKind::Confidence => vec![(0.0, 0.0); rows.count],
            IntervalKind::Prediction => self.noise_ends(rows, level)?,
        };
        let margins = leverage.evaluate(rows.design, rows.count).into_iter().map(|h| critical * deviation * h.sqrt());
        let ends = margins.zip(own).map(|(margin, (low, high))| (-widened(-low, margin), widened(high, margin)));
        let locations = self.location(rows);
        let (low, high) = locations.iter().zip(ends).map(|(mu, (low, high))| (mu + low, mu + high)).unzip();
        Ok(Intervals { low, high })
    }

    /// The ends of the noise's own interval about the location of every row, with the uncertainty of its scale.
    fn noise_ends(&self, rows: &NewRows<'_>, level: f64) -> Result<Vec<(f64, f64)>, Error> {
        let (fit, df) = (self.fit(), self.fit.df_residual as f64);
        if let (Noise::Gaussian, Some(deviation)) = (fit.noise, fit.goodness.residual_std_error) {
            let margin = StudentT::new(df)?.critical(level) * deviation;
            let own = |i: usize| rows.weights.map_or(margin, |w| margin / w[i].sqrt());
            return Ok((0..rows.count).map(own).map(|margin| (-margin, margin)).collect());
        }
        let (low, high) = fit.noise.family().interval(level)?;
        // Huber's second proposal counts degrees of freedom itself.
        let counted = fit.scale_rule() == ScaleRule::Proposal2 || df <= 0.0;
        let correction = if counted { 1.0 } else { (fit.nobs as f64 / df).sqrt() };
        let critical = Normal.critical(level);
        let widened = |variance: f64| (1.0 + critical * critical * variance).sqrt();
        let ends = |(s, variance): (f64, f64)| {
            let factor = s * correction * widened(variance);
            (factor * low, factor * high)
        };
        Ok(self.scale(rows).into_iter().zip(self.log_end_variances(rows, high)).map(ends).collect())
    }

    /// The variance of the logarithm of every row's scale, times a quantile of the noise whose shape was estimated.
    fn log_end_variances(&self, rows: &NewRows<'_>, quantile: f64) -> Vec<f64> {
        let (fit, n) = (self.fit(), self.fit.nobs as f64);
        if self.log_scale.is_some() {
            return quadratic_form(fit.scale.vcov(), rows);
        }
        vec![fit.noise.visit(LogEndVariance { noise: fit.noise, quantile, n }); rows.count]
    }
}

/// The variance of `ln(s q)` by `n` observations, where `q` is the quantile of the noise of the probability that `quantile` has, and the
/// scale is estimated together with the shape, where that is.
struct LogEndVariance {
    noise: Noise,
    quantile: f64,
    n: f64,
}

impl Visitor for LogEndVariance {
    type Output = f64;

    fn visit<K: Kernel>(self, _: K) -> f64 {
        1.0 / (self.n * self.noise.family().information().log_scale)
    }

    fn visit_shaped<K: Shaped>(self, kernel: K) -> f64 {
        let family = self.noise.family();
        let (theta, probability) = (kernel.parameter(), family.survival(self.quantile));
        let [shape, cross] = kernel.expected_by_shape();
        let scale = family.information().log_scale;
        // How the quantile changes with the shape.
        let step = 1e-4 * theta.max(0.01);
        let at = |theta: f64| kernel.with_parameter(theta).estimated().family().upper_quantile(probability).ln();
        let below = (theta - step).max(0.0);
        let slope = (at(theta + step) - at(below)) / (theta + step - below);
        (shape - 2.0 * slope * cross + slope * slope * scale) / (scale * shape - cross * cross) / self.n
    }
}

/// `z' C z` of every row `z` of the scale's design, the intercept first where there is one.
fn quadratic_form(covariance: &[Vec<f64>], rows: &NewRows<'_>) -> Vec<f64> {
    let offset = covariance.len() - rows.scale_design.len().min(covariance.len());
    let entry = |k: usize, i: usize| k.checked_sub(offset).map_or(1.0, |j| rows.scale_design[j].high[i]);
    let row = |i: usize| {
        let product = |(k, row): (usize, &Vec<f64>)| {
            entry(k, i) * row.iter().enumerate().map(|(l, value)| value * entry(l, i)).sum::<f64>()
        };
        // Rounding may carry it below zero.
        covariance.iter().enumerate().map(product).sum::<f64>().max(0.0)
    };
    (0..rows.count).map(row).collect()
}

/// How far out an end of the noise's interval lies once `margin` is added in quadrature. An end on the other side of the
/// location, as an asymmetric noise may have it, moves outwards as much.
fn widened(end: f64, margin: f64) -> f64 {
    end + (end.hypot(margin) - end.abs())
}
