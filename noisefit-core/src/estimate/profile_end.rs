//! Where the profile of a log-likelihood falls short of its maximum by what a likelihood ratio test allows.

use crate::Error;

/// A step to a bound may miss it by this part.
const ROUNDING: f64 = 1e-12;

/// The parameter at the end of a range, where rounding may have left one that is on it.
pub(crate) fn within(end: f64) -> f64 {
    end * (1.0 - ROUNDING)
}

/// The maximum of a profile: its slope there, which is none but at a bound, and minus its second derivative.
pub(crate) struct Top {
    pub(crate) theta: f64,
    pub(crate) log_likelihood: f64,
    pub(crate) slope: f64,
    pub(crate) bend: f64,
}

/// One end of the interval: Newton's method for the signed root of the likelihood ratio, which is nearly linear. `profile` gives the
/// log-likelihood and its slope; the end is at most the bound of its direction.
///
/// # Errors
/// Those of `profile`.
pub(crate) fn profile_end(
    top: &Top,
    critical: f64,
    (direction, bound): (f64, f64),
    mut profile: impl FnMut(f64) -> Result<(f64, f64), Error>,
) -> Result<f64, Error> {
    // A step to the bound may round.
    if direction * (bound - top.theta) <= ROUNDING * bound {
        return Ok(bound);
    }
    // From slope d - bend d^2 / 2 = -critical^2 / 2.
    let against = (-direction * top.slope).max(0.0);
    let bend = top.bend.max(0.0);
    let reach = critical * critical / (against + (against * against + bend * critical * critical).sqrt());
    let (mut inner, mut outer) = (top.theta, None);
    let nearer = |theta: f64| if direction * (bound - theta) > 0.0 { theta } else { bound };
    let mut theta = nearer(top.theta + direction * reach);
    for _ in 0..40 {
        let (log_likelihood, slope) = profile(theta)?;
        let root = (2.0 * (top.log_likelihood - log_likelihood)).max(0.0).sqrt();
        if root <= critical {
            if theta == bound {
                return Ok(bound);
            }
            inner = theta;
        } else {
            outer = Some(theta);
        }
        let newton = theta - (critical - root) * root / slope;
        let far = outer.unwrap_or(bound);
        let between = (newton - inner) * (far - newton) > 0.0;
        let next = match () {
            () if between => newton,
            // Beyond the bound, or no better than halving.
            () if outer.is_none() && direction * (newton - bound) >= 0.0 => bound,
            () => 0.5 * (inner + far),
        };
        // Newton's error is of the order of the square of its last step's.
        if (root - critical).abs() < 1e-3 * critical && between || (next - theta).abs() <= 1e-9 * theta {
            return Ok(next);
        }
        theta = next;
    }
    Ok(theta)
}
