//! Where a deviance reaches what a likelihood ratio test allows.

use crate::Error;

/// The ends of an interval; absent where it is open.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Ends {
    pub(crate) low: Option<f64>,
    pub(crate) high: Option<f64>,
    /// Whether the likelihood was higher on the way than at the estimate.
    pub(crate) exceeded: bool,
}

impl Ends {
    pub(super) fn about(centre: f64, margin: f64) -> Self {
        Ends { low: Some(centre - margin), high: Some(centre + margin), exceeded: false }
    }
}

/// Steps outwards after which the interval is open: by then it is `10^15` times wider than the standard error.
const WIDENINGS: usize = 60;

/// Steps after which a bracket is narrow enough whatever it holds.
const STEPS: usize = 100;

/// A deviance below that of the estimate by more than rounding.
const EXCEEDED: f64 = -1e-6;

/// The ends of the interval about `estimate` in which the root of the deviance is at most `critical`.
///
/// The root is nearly linear in the value on each side of the estimate: a secant reaches it in few steps, a bracket guards
/// it (the Illinois method).
pub(super) fn search(
    deviance: impl Fn(f64) -> Result<f64, Error>,
    estimate: f64,
    step: f64,
    critical: f64,
) -> Result<Ends, Error> {
    let mut exceeded = false;
    let mut excess = |value: f64| -> Result<f64, Error> {
        let deviance = deviance(value)?;
        exceeded |= deviance < EXCEEDED;
        Ok(deviance.max(0.0).sqrt() - critical)
    };
    let mut end = |direction: f64| -> Result<Option<f64>, Error> {
        let (mut inner, mut at_inner) = (estimate, -critical);
        let mut reach = critical * step;
        let (mut outer, mut at_outer) = (estimate, -critical);
        for _ in 0..WIDENINGS {
            outer = estimate + direction * reach;
            if !outer.is_finite() {
                return Ok(None);
            }
            at_outer = excess(outer)?;
            if at_outer >= 0.0 {
                break;
            }
            (inner, at_inner) = (outer, at_outer);
            // A little beyond where the line through the estimate and this point leads.
            reach *= (1.05 * critical / (at_outer + critical)).clamp(1.05, 4.0);
        }
        if at_outer < 0.0 {
            return Ok(None);
        }
        let mut last = 0.0;
        for _ in 0..STEPS {
            let width = outer - inner;
            if at_outer.abs() <= 1e-10 * critical || width.abs() <= 1e-10 * (outer - estimate).abs() {
                break;
            }
            let next = outer - at_outer * width / (at_outer - at_inner);
            // The secant may round onto an end.
            let next = if (next - inner) * (outer - next) > 0.0 { next } else { inner + 0.5 * width };
            let at_next = excess(next)?;
            if at_next >= 0.0 {
                (outer, at_outer) = (next, at_next);
                if last > 0.0 {
                    at_inner *= 0.5;
                }
                last = 1.0;
            } else {
                (inner, at_inner) = (next, at_next);
                if at_inner.abs() <= 1e-10 * critical {
                    outer = inner;
                    break;
                }
                if last < 0.0 {
                    at_outer *= 0.5;
                }
                last = -1.0;
            }
        }
        Ok(Some(outer))
    };
    let (low, high) = (end(-1.0)?, end(1.0)?);
    Ok(Ends { low, high, exceeded })
}

#[cfg(test)]
mod tests {
    use super::*;

    type Deviance = fn(f64) -> f64;

    #[test]
    fn ends_of_deviances_of_any_shape() {
        // Quadratic, kinked, asymmetric, bounded on one side.
        let cases: [(&str, Deviance, Option<f64>, Option<f64>); 4] = [
            ("quadratic", |d| d * d / 4.0, Some(-4.0), Some(4.0)),
            ("kinked", |d| d.abs() * 3.0, Some(-4.0 / 3.0), Some(4.0 / 3.0)),
            ("asymmetric", |d| if d < 0.0 { d.powi(4) } else { 1000.0 * d }, Some(-2f64.sqrt()), Some(0.004)),
            ("bounded", |d| if d < 0.0 { d * d } else { 3.0 * d / (1.0 + d) }, Some(-2.0), None),
        ];
        for (name, deviance, low, high) in cases {
            for step in [1e-3, 1.0, 50.0] {
                let found = search(|value| Ok(deviance(value - 7.0)), 7.0, step, 2.0).unwrap();
                for (found, expected) in [(found.low, low), (found.high, high)] {
                    let gap = found.zip(expected).map(|(found, expected)| (found - 7.0 - expected).abs());
                    assert!(gap.map_or(found == expected, |gap| gap < 1e-8), "{name} {step}: {found:?} {expected:?}");
                }
                assert!(!found.exceeded);
            }
        }
        assert!(search(|value| Ok(value * value - 9.0), 0.0, 1.0, 2.0).unwrap().exceeded);
    }
}
