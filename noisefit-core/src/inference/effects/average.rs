//! An average over rows of a function of the coefficients, with its gradient: sums that are made in one pass.

use crate::Error;
use crate::inference::hypothesis::{self, Test};
use crate::numeric::double_double::DoubleDouble;
use crate::record::Fit;

/// The sums over rows of a smooth function of the coefficients, and of its gradient.
///
/// The gradient of an average is the average of the rows' gradients, so that the standard error by the delta method, `sqrt(g' V g)`,
/// takes no more than one pass.
///
/// ```
/// use noisefit_core::estimate::{Options, closed_form};
/// use noisefit_core::inference::effects::Average;
/// use noisefit_core::rows::{Matrix, MemoryRows};
///
/// let x = [1.0, 2.0, 3.0, 4.0];
/// let rows = MemoryRows::new(&[1.0, 3.0, 2.0, 4.0], Matrix::row_major(&x, 4, 1)?)?;
/// let fit = closed_form::fit(&rows, &Options::default())?;
/// // The average prediction: its gradient is the mean of (1, x).
/// let mut average = Average::new(2, 0);
/// for x in x {
///     average.add(1.0, 0.5 + 0.8 * x);
///     average.location[0] += 1.0;
///     average.location[1] += x;
/// }
/// let test = average.test(&fit, "", 0.95)?;
/// assert!((test.estimate.unwrap() - 2.5).abs() < 1e-15);
/// assert!((test.std_error.unwrap() - (0.9f64 / 4.0).sqrt()).abs() < 1e-14);
/// # Ok::<(), noisefit_core::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Average {
    /// How many observations there are.
    weight: f64,
    value: DoubleDouble,
    /// The sum of the gradients by the coefficients of the location, the intercept first where there is one.
    pub location: Vec<f64>,
    /// The same by the coefficients of a modelled scale; of a common one by its logarithm, one number.
    pub scale: Vec<f64>,
}

impl Average {
    /// No rows yet, of so many coefficients of the location and numbers of the scale.
    pub fn new(location: usize, scale: usize) -> Self {
        let (location, scale) = (vec![0.0; location], vec![0.0; scale]);
        Average { weight: 0.0, value: DoubleDouble::ZERO, location, scale }
    }

    /// Adds so many observations, and the sum of their values.
    pub fn add(&mut self, weight: f64, value: f64) {
        self.weight += weight;
        self.value += value;
    }

    /// Adds what later rows summed.
    pub fn merge(&mut self, later: &Average) {
        self.weight += later.weight;
        self.value += later.value;
        self.location.iter_mut().zip(&later.location).for_each(|(sum, part)| *sum += part);
        self.scale.iter_mut().zip(&later.scale).for_each(|(sum, part)| *sum += part);
    }

    /// The number of observations.
    pub fn weight(&self) -> f64 {
        self.weight
    }

    /// The average; NaN of no rows.
    pub fn mean(&self) -> f64 {
        self.value.to_f64() / self.weight
    }

    /// The test that the average is zero, and its interval at a level, by the covariance of a fit and what its own statistics are compared
    /// with. The logarithm of a common scale has the variance that the expected information gives it.
    ///
    /// # Errors
    /// [`Error::Argument`] for a level outside (0, 1).
    pub fn test(&self, fit: &Fit, name: &str, level: f64) -> Result<Test, Error> {
        let scaled = |sums: &[f64]| sums.iter().map(|sum| sum / self.weight).collect::<Vec<f64>>();
        let (mut gradient, scale) = (scaled(&self.location), scaled(&self.scale));
        let mut beside = 0.0;
        match (fit.scale.is_modelled(), &scale[..]) {
            (false, [log_scale]) => beside = log_scale * log_scale * log_scale_variance(fit),
            _ => gradient.extend(scale),
        }
        hypothesis::delta(fit, name, self.mean(), &gradient, beside, level)
    }
}

/// The variance of the logarithm of a common scale by the expected information of `n` observations, `1 / (n I)`.
fn log_scale_variance(fit: &Fit) -> f64 {
    1.0 / (fit.nobs as f64 * fit.noise.family().information().log_scale)
}

/// The sum of a column's values in some rows, or in all, each times a factor where there are such.
///
/// ```
/// use noisefit_core::inference::effects::sum;
///
/// assert_eq!(sum(&[1.0, 2.0, 4.0], None, None), 7.0);
/// assert_eq!(sum(&[1.0, 2.0, 4.0], Some(&[0, 2]), Some(&[3.0, 1.0, 0.5])), 5.0);
/// ```
pub fn sum(column: &[f64], rows: Option<&[usize]>, factors: Option<&[f64]>) -> f64 {
    match (rows, factors) {
        (None, None) => lanes(column.len(), |i| column[i]),
        (None, Some(factors)) => lanes(column.len().min(factors.len()), |i| column[i] * factors[i]),
        (Some(rows), None) => lanes(rows.len(), |k| column[rows[k]]),
        (Some(rows), Some(factors)) => lanes(rows.len(), |k| column[rows[k]] * factors[rows[k]]),
    }
}

/// A sum in eight lanes, which is vector code and rounds less than one after the other.
#[inline(always)]
fn lanes(count: usize, value: impl Fn(usize) -> f64) -> f64 {
    let mut lanes = [0.0; 8];
    let whole = count - count % 8;
    for start in (0..whole).step_by(8) {
        lanes.iter_mut().enumerate().for_each(|(k, lane)| *lane += value(start + k));
    }
    let rest: f64 = (whole..count).map(value).sum();
    lanes.iter().sum::<f64>() + rest
}
