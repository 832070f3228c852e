//! The distribution of a new observation: its quantiles and its standard deviation.

use crate::Error;
use crate::inference::predict::{IntervalKind, NewRows, Predictor};
use crate::noise::Noise;
use crate::numeric::Level;
use crate::record::ScaleRule;

impl Predictor {
    /// The quantile of a new observation at a probability `p`, with the uncertainty of the fit: the lower end of the prediction
    /// interval at level `1 - 2 p` for `p` below a half, the upper one of `2 p - 1` above.
    ///
    /// ```
    /// use noisefit_core::estimate::{Options, closed_form};
    /// use noisefit_core::inference::predict::{IntervalKind, NewRows, Predictor};
    /// use noisefit_core::rows::{Matrix, MemoryRows};
    ///
    /// let x = [1.0, 2.0, 3.0, 4.0];
    /// let rows = MemoryRows::new(&[1.0, 3.0, 2.0, 4.0], Matrix::row_major(&x, 4, 1)?)?;
    /// let predictor = Predictor::new(&closed_form::fit(&rows, &Options::default())?)?;
    /// let design = [(&[2.5][..]).into()];
    /// let new = NewRows::new(&design, 1);
    /// let interval = predictor.intervals(&new, IntervalKind::Prediction, 0.9)?;
    /// assert!((predictor.quantile(&new, 0.05)?[0] - interval.low[0]).abs() < 1e-12);
    /// assert_eq!(predictor.quantile(&new, 0.5)?, [2.5]);
    /// # Ok::<(), noisefit_core::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`Predictor::intervals`].
    pub fn quantile(&self, rows: &NewRows<'_>, probability: f64) -> Result<Vec<f64>, Error> {
        let p = Level::named("quantile", probability)?.value();
        let level = (2.0 * p - 1.0).abs();
        if level < 1e-12 {
            // No interval is that narrow: the middle of the noise itself.
            let middle = self.fit().noise.family().quantile(0.5);
            let locations = self.location(rows).into_iter().zip(self.scale(rows));
            return Ok(locations.map(|(mu, s)| if middle == 0.0 { mu } else { mu + s * middle }).collect());
        }
        let ends = self.intervals(rows, IntervalKind::Prediction, level)?;
        Ok(if p < 0.5 { ends.low } else { ends.high })
    }

    /// The standard deviation of a new observation about its location: of the noise, and in quadrature the standard error of the
    /// location. The noise's own is the scale of the row times the root of the family's variance, times `sqrt(n / (n - p))` for the
    /// degrees of freedom that maximum likelihood does not count; under Gaussian noise of one scale that is the residual standard
    /// error. Infinite under noise without a variance.
    ///
    /// # Errors
    /// [`Error::Argument`] for a fit of as many coefficients as observations; [`Error::Unsupported`] for one without standard errors.
    pub fn standard_deviation(&self, rows: &NewRows<'_>) -> Result<Vec<f64>, Error> {
        let (fit, df) = (self.fit(), self.fit().df_residual as f64);
        if fit.reference_distribution().is_none() {
            let name = "residual degrees of freedom";
            return Err(Error::Argument { name, value: df, expected: "positive for a standard deviation" });
        }
        let (Some(leverages), Some(variance)) = (self.leverages(rows), fit.location_variance()) else {
            return Err(Error::Unsupported(
                "the fit has no standard errors, which a prediction's deviation has in it".to_owned(),
            ));
        };
        let counted = fit.scale_rule() == ScaleRule::Proposal2 || df <= 0.0;
        let correction = if counted { 1.0 } else { fit.nobs as f64 / df };
        let own = |(i, s): (usize, f64)| match (fit.noise, fit.goodness.residual_std_error) {
            (Noise::Gaussian, Some(deviation)) => deviation * deviation / rows.weights.map_or(1.0, |w| w[i]),
            _ => s * s * correction * fit.noise.family().variance(),
        };
        let noises = self.scale(rows).into_iter().enumerate().map(own);
        Ok(noises.zip(leverages).map(|(noise, h)| (noise + variance * h).sqrt()).collect())
    }
}
