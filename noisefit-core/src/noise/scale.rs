//! The maximum likelihood scale of any family.

use crate::Error;
use crate::noise::{NoiseFamily, finite_residuals, multiplicity};
use crate::numeric::sum::Sum;

/// Scales this many times smaller than the largest residual (on the natural logarithmic scale) count as zero.
const LEAST_LOG_SCALE: f64 = -650.0;

/// Newton's method, kept in a bracket, for the root of `sum f (1 - r psi(r))` in `u = ln s`. The function rises with
/// `u` wherever `r psi(r)` rises with `|r|`, as it does in every family here.
pub(super) fn maximum_likelihood<F: NoiseFamily + ?Sized>(
    family: &F,
    residuals: &[f64],
    frequencies: Option<&[f64]>,
) -> Result<f64, Error> {
    // Residuals are taken in units of the largest, so that nothing overflows and the answer scales with them exactly.
    let largest = finite_residuals(residuals, frequencies)?;
    if largest == 0.0 {
        return Ok(0.0);
    }
    let equation = |u: f64| {
        let (mut value, mut derivative) = (Sum::default(), Sum::default());
        for (i, &e) in residuals.iter().enumerate() {
            let (f, r) = (multiplicity(frequencies, i), e / largest * (-u).exp());
            value.add(f * (1.0 - r * family.score(r)));
            derivative.add(f * r * (family.score(r) + r * family.curvature(r)));
        }
        (value.value(), derivative.value())
    };
    // The root is not far above ln 1: there no residual exceeds 1. It may be far below.
    let (mut low, mut high) = (0.0, 0.0);
    while equation(high).0 < 0.0 {
        high += 1.0;
    }
    let mut step = 1.0;
    while equation(low).0 > 0.0 {
        low -= step;
        step *= 2.0;
        if low < LEAST_LOG_SCALE {
            return Ok(0.0);
        }
    }
    let mut u = 0.5 * (low + high);
    for _ in 0..200 {
        let (value, derivative) = equation(u);
        if value < 0.0 {
            low = u;
        } else {
            high = u;
        }
        let newton = u - value / derivative;
        let next = if newton > low && newton < high { newton } else { 0.5 * (low + high) };
        let settled = (next - u).abs() <= 2.0 * f64::EPSILON * u.abs().max(1.0);
        u = next;
        if settled {
            break;
        }
    }
    Ok(largest * u.exp())
}
