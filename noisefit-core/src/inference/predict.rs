//! Predictions of new rows from a fit, with intervals.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::Error;
use crate::algebra::Affine;
use crate::algebra::products::quadratic_form;
use crate::noise::{Kernel, Noise, Shaped, Visitor};
use crate::numeric::Level;
use crate::numeric::distribution::{Distribution, Normal, StudentT, Symmetric};
pub use crate::record::Intervals;
use crate::record::{Coefficients, Fit, ScaleRule};
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
            && (!leverage.is_sound() || leverage.columns_needed() > columns || !leverage.is_of(fit.location.rows.len()))
        {
            return Err(Error::Shape { what: "leverage", expected: columns, found: leverage.columns_needed() });
        }
        if fit.absorbed.as_ref().is_some_and(|absorbed| !absorbed.is_of(columns)) {
            return Err(Error::Shape { what: "the form of the absorbed effect", expected: columns, found: 0 });
        }
        let log_scale = fit.scale.modelled().map(Coefficients::affine);
        Ok(Predictor { fit: Arc::new(fit.clone()), location, log_scale })
    }

    /// The location `b0 + x'b` of every row, summed in double-double, with the constants of its levels where effects were absorbed;
    /// NaN where these are not determined.
    pub fn location(&self, rows: &NewRows<'_>) -> Vec<f64> {
        let mut locations = self.location.values(rows.design, rows.count);
        if let Some(absorbed) = &self.fit.absorbed {
            let constants = absorbed.values(rows.effects, rows.count).unwrap_or_else(|| vec![f64::NAN; rows.count]);
            locations.iter_mut().zip(constants).for_each(|(location, constant)| *location += constant);
        }
        locations
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

    /// Whether it is known how sure locations are.
    pub(super) fn has_variances(&self) -> bool {
        match &self.fit.absorbed {
            Some(absorbed) => self.fit.leverage().is_some() && absorbed.has_variances(),
            None => self.fit.leverage().is_some(),
        }
    }

    /// The variance of the location of every row, as a multiple of the fit's.
    pub(super) fn leverages(&self, rows: &NewRows<'_>) -> Option<Vec<f64>> {
        match &self.fit.absorbed {
            Some(absorbed) => absorbed.variances(rows.effects, rows.design),
            None => Some(self.fit.leverage()?.evaluate(rows.design, rows.count)),
        }
    }

    /// Whether the scale is modelled.
    pub(super) fn models_scale(&self) -> bool {
        self.log_scale.is_some()
    }

    /// The noise of the fit that predicts.
    pub fn noise(&self) -> Noise {
        self.fit.noise
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
        let tail = tail_of(Level::new(level)?.value());
        let margins = self.margins(rows, self.known_reference()?.upper_quantile(tail))?;
        let own = match kind {
            IntervalKind::Confidence => vec![(0.0, 0.0); rows.count],
            IntervalKind::Prediction => self.noise_ends(rows, tail)?,
        };
        let ends =
            margins.into_iter().zip(own).map(|(margin, (low, high))| (-widened(-low, margin), widened(high, margin)));
        let locations = self.location(rows);
        let (low, high) = locations.iter().zip(ends).map(|(mu, (low, high))| (mu + low, mu + high)).unzip();
        Ok(Intervals { low, high })
    }

    /// What statistics of the fit are compared with.
    ///
    /// # Errors
    /// [`Error::Argument`] for a fit of as many coefficients as observations, which says nothing about its noise;
    /// [`Error::Unsupported`] where the constants of absorbed effects have no variances.
    pub(super) fn known_reference(&self) -> Result<Box<dyn Symmetric>, Error> {
        if !self.has_variances() && self.fit.absorbed.is_some() {
            let what = "how sure the constants of absorbed effects are is known of one effect alone, with classical errors or, under gaussian noise, with sandwich or hc errors, so that there are \
                        no intervals around predictions by these; put the category among the terms";
            return Err(Error::Unsupported(what.to_owned()));
        }
        let df = self.fit.df_residual as f64;
        self.fit.reference_distribution().ok_or(Error::Argument {
            name: "residual degrees of freedom",
            value: df,
            expected: "positive for an interval",
        })
    }

    /// The standard error of the location of every row, times a critical value.
    ///
    /// # Errors
    /// [`Error::Unsupported`] for a fit without standard errors.
    pub(super) fn margins(&self, rows: &NewRows<'_>, critical: f64) -> Result<Vec<f64>, Error> {
        let unit = critical * self.fit.location_variance().map_or(f64::NAN, f64::sqrt);
        Ok(self.location_roots(rows)?.into_iter().map(|root| unit * root).collect())
    }

    /// The roots of the leverages: standard errors of locations in units of the fit's.
    ///
    /// # Errors
    /// [`Error::Unsupported`] for a fit without standard errors.
    pub(super) fn location_roots(&self, rows: &NewRows<'_>) -> Result<Vec<f64>, Error> {
        match (self.leverages(rows), self.fit.location_variance()) {
            (Some(leverages), Some(_)) => Ok(leverages.into_iter().map(f64::sqrt).collect()),
            _ => Err(Error::Unsupported("the fit has no standard errors, on which intervals rest".to_owned())),
        }
    }

    /// The ends of the noise's own interval about the location of every row that leaves out so much on either side, with the
    /// uncertainty of its scale.
    pub(super) fn noise_ends(&self, rows: &NewRows<'_>, tail: f64) -> Result<Vec<(f64, f64)>, Error> {
        let own = self.own_beyond(tail)?;
        let ends = |(s, variance): (f64, f64)| {
            let factor = s * own.widening(variance);
            (factor * own.low, factor * own.high)
        };
        Ok(self.scale(rows).into_iter().zip(self.log_end_variances(rows, &own)).map(ends).collect())
    }

    /// The noise's own interval of a level, in scales of a row.
    pub(super) fn own_interval(&self, level: f64) -> Result<OwnInterval, Error> {
        self.own_beyond(tail_of(Level::new(level)?.value()))
    }

    /// The noise's own interval that leaves out so much on either side, in scales of a row.
    pub(super) fn own_beyond(&self, tail: f64) -> Result<OwnInterval, Error> {
        let (fit, df) = (self.fit(), self.fit.df_residual as f64);
        // Huber's second proposal counts degrees of freedom itself.
        let counted = fit.scale_rule() == ScaleRule::Proposal2 || df <= 0.0;
        let correction = if counted { 1.0 } else { (fit.nobs as f64 / df).sqrt() };
        if let (Noise::Gaussian, Some(deviation), Some(scale)) =
            (fit.noise, fit.goodness.residual_std_error, fit.scale.common())
        {
            // Of a scale of zero all ends are zero.
            let high = StudentT::new(df)?.upper_quantile(tail) * if scale > 0.0 { deviation / scale } else { 1.0 };
            return Ok(OwnInterval { low: -high, high, normal: 0.0, quantile: high });
        }
        let (low, high) = (fit.noise.family().quantile(tail), fit.noise.family().upper_quantile(tail));
        let normal = Normal.upper_quantile(tail);
        Ok(OwnInterval { low: correction * low, high: correction * high, normal, quantile: high })
    }

    /// The variance of the logarithm of every row's scale, times the end of an interval whose noise has an estimated shape.
    pub(super) fn log_end_variances(&self, rows: &NewRows<'_>, own: &OwnInterval) -> Vec<f64> {
        match self.log_scale {
            Some(_) => self.log_scale_variances(rows),
            None => vec![self.common_log_end_variance(own); rows.count],
        }
    }

    /// The variance of the logarithm of every row's modelled scale.
    pub(super) fn log_scale_variances(&self, rows: &NewRows<'_>) -> Vec<f64> {
        let form = quadratic_form(self.fit.scale.vcov(), rows.scale_design, rows.count);
        // Rounding may carry it below zero.
        form.into_iter().map(|value| value.max(0.0)).collect()
    }

    /// The variance of the logarithm of the common scale, times the end of an interval.
    pub(super) fn common_log_end_variance(&self, own: &OwnInterval) -> f64 {
        let (noise, n) = (self.fit.noise, self.fit.nobs as f64);
        if own.normal == 0.0 { 0.0 } else { noise.visit(LogEndVariance { noise, quantile: own.quantile, n }) }
    }
}

/// The noise's own interval of a level, in scales of a row: what a prediction interval is made of, beside how well the location
/// is known.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(super) struct OwnInterval {
    pub(super) low: f64,
    pub(super) high: f64,
    /// The normal quantile by which the uncertainty of the scale is multiplied; zero where the ends allow for it already.
    normal: f64,
    /// The noise's own upper quantile.
    quantile: f64,
}

impl OwnInterval {
    /// By how much the interval is wider where the logarithm of its end has this variance.
    pub(super) fn widening(&self, variance: f64) -> f64 {
        match self.normal {
            0.0 => 1.0,
            z => (1.0 + z * z * variance).sqrt(),
        }
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

/// What an interval of a level leaves out on either side.
pub(super) fn tail_of(level: f64) -> f64 {
    0.5 * (1.0 - level)
}

/// How far out an end of the noise's interval lies once `margin` is added in quadrature. An end on the other side of the
/// location, as an asymmetric noise may have it, moves outwards as much.
pub(super) fn widened(end: f64, margin: f64) -> f64 {
    end + (end.hypot(margin) - end.abs())
}
