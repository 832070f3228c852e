//! A quantile of a new observation, and where its spread comes from.

use crate::Error;
use crate::inference::predict::{NewRows, Predictor, tail_of, widened};
use crate::network::Deviation;
use crate::noise::Noise;
use crate::numeric::Level;
use crate::record::ScaleRule;

/// Levels are decimals of no more places: so that quantiles of 0.05 and 0.95 are the very ends of the interval of 0.9.
const PLACES: f64 = 1e15;

/// Of no larger tails is there an interval: between them is the middle.
pub(crate) const MIDDLE: f64 = 0.5 - 1e-12;

/// The probability on the outer side of a quantile, and whether that is the upper one.
///
/// # Errors
/// [`Error::Argument`] for a number outside (0, 1).
pub(crate) fn side(probability: f64) -> Result<(f64, bool), Error> {
    let p = Level::named("quantile", probability)?.value();
    let upper = p > 0.5;
    let tail = if upper { 1.0 - p } else { p };
    let level = ((1.0 - 2.0 * tail) * PLACES).round() / PLACES;
    // Of a level next to 1 a double keeps little of the tail.
    Ok((if tail > 1e-6 { tail_of(level) } else { tail }, upper))
}

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
    /// assert_eq!(predictor.quantile(&new, 0.05)?, interval.low);
    /// assert_eq!(predictor.quantile(&new, 0.95)?, interval.high);
    /// assert_eq!(predictor.quantile(&new, 0.5)?, [2.5]);
    /// # Ok::<(), noisefit_core::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`Predictor::intervals`].
    pub fn quantile(&self, rows: &NewRows<'_>, probability: f64) -> Result<Vec<f64>, Error> {
        let (tail, upper) = side(probability)?;
        if tail > MIDDLE {
            // No interval is that narrow: the middle of the noise itself.
            let middle = self.fit().noise.family().quantile(0.5);
            let locations = self.location(rows).into_iter().zip(self.scale(rows));
            return Ok(locations.map(|(mu, s)| if middle == 0.0 { mu } else { mu + s * middle }).collect());
        }
        let margins = self.margins(rows, self.known_reference()?.upper_quantile(tail))?;
        let own = self.noise_ends(rows, tail)?;
        let ends = margins.into_iter().zip(own).map(|(margin, (low, high))| match upper {
            true => widened(high, margin),
            false => -widened(-low, margin),
        });
        Ok(self.location(rows).into_iter().zip(ends).map(|(mu, end)| mu + end).collect())
    }

    /// Where the spread of a new observation about its location comes from: of the noise, and of what is not known of the location, whose
    /// standard error that is. The noise's own is the scale of the row times the root of the family's variance, times `sqrt(n / (n - p))`
    /// for the degrees of freedom that maximum likelihood does not count; under Gaussian noise of one scale that is the residual standard
    /// error. Infinite under noise without a variance.
    ///
    /// ```
    /// use noisefit_core::estimate::{Options, closed_form};
    /// use noisefit_core::inference::predict::{NewRows, Predictor};
    /// use noisefit_core::rows::{Matrix, MemoryRows};
    ///
    /// let x = [1.0, 2.0, 3.0, 4.0];
    /// let rows = MemoryRows::new(&[1.0, 3.0, 2.0, 4.0], Matrix::row_major(&x, 4, 1)?)?;
    /// let predictor = Predictor::new(&closed_form::fit(&rows, &Options::default())?)?;
    /// let deviation = predictor.deviations(&NewRows::new(&[(&[2.5][..]).into()], 1))?[0];
    /// // s^2 = 0.9, and at the mean of x the leverage is 1/4.
    /// assert!((deviation.aleatoric.powi(2) - 0.9).abs() < 1e-14);
    /// assert!((deviation.epistemic.powi(2) - 0.225).abs() < 1e-14);
    /// assert!((deviation.total.powi(2) - 1.125).abs() < 1e-14);
    /// # Ok::<(), noisefit_core::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::Argument`] for a fit of as many coefficients as observations; [`Error::Unsupported`] for one without standard errors.
    pub fn deviations(&self, rows: &NewRows<'_>) -> Result<Vec<Deviation>, Error> {
        let (fit, df) = (self.fit(), self.fit().df_residual as f64);
        self.known_reference()?;
        let counted = fit.scale_rule() == ScaleRule::Proposal2 || df <= 0.0;
        let correction = if counted { 1.0 } else { fit.nobs as f64 / df };
        let own = |(i, s): (usize, f64)| match (fit.noise, fit.goodness.residual_std_error) {
            (Noise::Gaussian, Some(deviation)) => deviation * deviation / rows.weights.map_or(1.0, |w| w[i]),
            _ if s == 0.0 => 0.0,
            _ => s * s * correction * fit.noise.family().variance(),
        };
        let noises = self.scale(rows).into_iter().enumerate().map(own);
        let errors = self.margins(rows, 1.0)?;
        let one = |(noise, epistemic): (f64, f64)| {
            let aleatoric = noise.sqrt();
            Deviation { total: aleatoric.hypot(epistemic), aleatoric, epistemic }
        };
        Ok(noises.zip(errors).map(one).collect())
    }
}
