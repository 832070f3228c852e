//! The complete likelihood of arrays of predictions under a named noise, with the derivatives that training needs.

use crate::Error;
use crate::loss::{Pairs, Real};
use crate::noise::{Kernel, Noise, Shaped, Visitor};
use crate::numeric::dispatch::vectorised;

/// Where the likelihood of every row goes, and its derivatives.
#[derive(Debug)]
pub struct Slopes<'a, T> {
    /// `-ln f` of every row, with every constant: `rho((y - mu) / s) + c + ln s`.
    pub values: &'a mut [T],
    /// Its derivative by the prediction, `-psi(r) / s`.
    pub by_prediction: &'a mut [T],
    /// Its derivative by the logarithm of the scale, `1 - r psi(r)`.
    pub by_log_scale: &'a mut [T],
}

/// The negative log-likelihood of every row under `noise` whose scale is `exp(log_scales)`, and its derivatives; weights of the
/// rows are of no matter.
///
/// ```
/// use noisefit_core::loss::{Pairs, Slopes, likelihood};
/// use noisefit_core::noise::Noise;
///
/// let rows = Pairs::new(&[1.0, 2.0], &[0.0, 2.0])?;
/// let (mut values, mut by_prediction, mut by_log_scale) = ([0.0_f64; 2], [0.0; 2], [0.0; 2]);
/// let slopes =
///     Slopes { values: &mut values, by_prediction: &mut by_prediction, by_log_scale: &mut by_log_scale };
/// likelihood(&Noise::Laplace, &rows, &[0.0, 0.0], slopes)?;
/// assert_eq!((by_prediction, by_log_scale), ([-1.0, 0.0], [0.0, 1.0]));
/// assert!((values[0] - values[1] - 1.0).abs() < 1e-15 && (values[1] - 2.0f64.ln()).abs() < 1e-15);
/// # Ok::<(), noisefit_core::Error>(())
/// ```
///
/// # Errors
/// [`Error::Shape`] for arrays of different lengths; [`Error::Unsupported`] for noise whose shape depends on the scale or is to be
/// estimated.
pub fn likelihood<T: Real>(
    noise: &Noise,
    rows: &Pairs<'_, T>,
    log_scales: &[T],
    slopes: Slopes<'_, T>,
) -> Result<(), Error> {
    let n = rows.len();
    let lengths = [
        ("log_scales", log_scales.len()),
        ("values", slopes.values.len()),
        ("by_prediction", slopes.by_prediction.len()),
        ("by_log_scale", slopes.by_log_scale.len()),
    ];
    if let Some(&(what, found)) = lengths.iter().find(|(_, length)| *length != n) {
        return Err(Error::Shape { what, expected: n, found });
    }
    if matches!(noise, Noise::Huber(huber) if huber.delta.is_some()) {
        let what =
            "tails that begin at a distance in units of the response have another shape at every scale".to_owned();
        return Err(Error::Unsupported(what));
    }
    noise.visit(Rows { rows, log_scales, slopes })
}

struct Rows<'a, 'b, T> {
    rows: &'a Pairs<'b, T>,
    log_scales: &'a [T],
    slopes: Slopes<'a, T>,
}

impl<T: Real> Visitor for Rows<'_, '_, T> {
    type Output = Result<(), Error>;

    fn visit<K: Kernel>(self, kernel: K) -> Result<(), Error> {
        let Rows { rows, log_scales, slopes: Slopes { values, by_prediction, by_log_scale } } = self;
        let constant = kernel.constant();
        vectorised(|| {
            for i in 0..rows.len() {
                let log_scale = log_scales[i].widen();
                let inverse = (-log_scale).exp();
                let r = (rows.truth[i].widen() - rows.prediction[i].widen()) * inverse;
                let at = kernel.at(r);
                values[i] = T::narrow(at.value + constant + log_scale);
                by_prediction[i] = T::narrow(-at.score * inverse);
                by_log_scale[i] = T::narrow(1.0 - r * at.score);
            }
        });
        Ok(())
    }

    fn visit_shaped<K: Shaped>(self, kernel: K) -> Result<(), Error> {
        Err(Error::Unsupported(format!(
            "{} noise whose shape is to be estimated has no likelihood yet",
            kernel.estimated()
        )))
    }
}
