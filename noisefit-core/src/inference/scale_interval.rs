//! How sure a fit is of its common scale.

use crate::noise::{Huber, HuberScale, Kernel, Noise, Shaped, Visitor};
use crate::numeric::distribution::{ChiSquared, Distribution};
use crate::record::{Fit, SmallSample, reference};

/// Gives a fit the confidence interval of its common scale at its own level.
///
/// Under Gaussian noise it is `sqrt(SSE / q)` with the quantiles `q` of chi-squared with the residual degrees of freedom, exact for
/// independent rows. Under other noise, and where the small sample is not allowed for, it is Wald's of the logarithm of the scale: `s` times
/// `exp(-+ c sqrt(v))`, with `v` its variance by the expected information, of scale and shape together where both are estimated. For few
/// rows `s` is multiplied by `sqrt(n / (n - p))` and `c` is Student's quantile. Huber's scale has one where it is of maximum likelihood.
pub(super) fn set(fit: &mut Fit) {
    fit.scale_interval = interval(fit);
}

fn interval(fit: &Fit) -> Option<(f64, f64)> {
    let scale = fit.scale.common().filter(|scale| *scale > 0.0)?;
    let (n, df) = (fit.nobs as f64, fit.df_residual as f64);
    if let Noise::Huber(Huber { scale: HuberScale::Mad { .. } | HuberScale::Proposal2, .. }) = fit.noise {
        return None;
    }
    if !(df > 0.0) {
        return None;
    }
    let corrected = fit.covariance.small_sample == SmallSample::Corrected;
    if fit.noise == Noise::Gaussian && corrected {
        let (squares, tail) = (scale * scale * n, 0.5 * (1.0 - fit.level));
        let chi = ChiSquared::new(df).ok()?;
        return Some(((squares / chi.upper_quantile(tail)).sqrt(), (squares / chi.quantile(tail)).sqrt()));
    }
    let noise = fit.noise;
    let variance = noise.visit(LogScaleVariance { noise, n });
    let (centre, degrees) = if corrected { (scale * (n / df).sqrt(), df) } else { (scale, f64::INFINITY) };
    let factor = (reference(degrees)?.critical(fit.level) * variance.sqrt()).exp();
    (factor.is_finite() && factor > 0.0).then_some((centre / factor, centre * factor))
}

/// The variance of the logarithm of a scale by `n` observations.
struct LogScaleVariance {
    noise: Noise,
    n: f64,
}

impl Visitor for LogScaleVariance {
    type Output = f64;

    fn visit<K: Kernel>(self, _: K) -> f64 {
        1.0 / (self.n * self.noise.family().information().log_scale)
    }

    fn visit_shaped<K: Shaped>(self, kernel: K) -> f64 {
        let [shape, cross] = kernel.expected_by_shape();
        let scale = self.noise.family().information().log_scale;
        shape / (scale * shape - cross * cross) / self.n
    }
}
