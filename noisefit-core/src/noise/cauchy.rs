//! Cauchy noise: tails so heavy that it has no mean.

use std::f64::consts::PI;

use serde::{Deserialize, Serialize};

use crate::noise::{
    Compared, Description, Evaluated, Family, Information, Kernel, Loss, ModelledScale, NoiseFamily, Parameterless,
    RouteVisitor,
};
use crate::numeric::special::elementary::ln_1p;

/// `ln pi`.
const LN_PI: f64 = 1.144_729_885_849_400_2;

/// Where a square leaves the range of a double.
const FAR: f64 = 1e150;

/// The density `1 / (pi (1 + r^2))`, Student's t with one degree of freedom; the scale is half of the interquartile range.
///
/// The likelihood may have several maxima: a far row adds one of its own rather than to move the one that is there. A search
/// begins at several points, and the highest end is kept (Barnett 1966, *Biometrika* 53, 151-165). Where half of the rows or
/// more can be fitted exactly the likelihood has no bound.
///
/// ```
/// use noisefit_core::noise::{Cauchy, NoiseFamily};
///
/// assert!((Cauchy.upper_quantile(0.25) - 1.0).abs() < 1e-15);
/// assert_eq!(Cauchy.crps(0.0), f64::INFINITY);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Cauchy;

impl Kernel for Cauchy {
    const NAME: &'static str = "cauchy";
    const LOG_CONCAVE: bool = false;

    #[inline(always)]
    fn at(self, r: f64) -> Evaluated {
        let within = if r.abs() < FAR { r } else { FAR };
        let square = within * within;
        let part = 1.0 / (1.0 + square);
        Evaluated {
            value: ln_1p(square).0,
            // At zero the inner quotient overflows, and the outer one is zero.
            score: 2.0 / (r + 1.0 / r),
            curvature: 2.0 * (1.0 - square) * (part * part),
            ..Evaluated::default()
        }
    }

    fn constant(self) -> f64 {
        LN_PI
    }

    fn expected(self) -> Information {
        self.information()
    }

    fn tail_index(self) -> f64 {
        1.0
    }
}

impl NoiseFamily for Cauchy {
    fn name(&self) -> &'static str {
        Self::NAME
    }

    /// Also where the square overflows.
    fn negative_log_density(&self, r: f64) -> f64 {
        LN_PI + if r.abs() < FAR { (r * r).ln_1p() } else { 2.0 * r.abs().ln() }
    }

    fn cdf(&self, r: f64) -> f64 {
        1f64.atan2(-r) / PI
    }

    fn quantile(&self, p: f64) -> f64 {
        match p {
            p if p <= 0.25 => -(PI * p).tan().recip(),
            p if p < 0.75 => (PI * (p - 0.5)).tan(),
            p => (PI * (1.0 - p)).tan().recip(),
        }
    }

    fn weight(&self, r: f64) -> f64 {
        2.0 / (1.0 + r * r)
    }

    fn variance(&self) -> f64 {
        f64::INFINITY
    }

    fn crps(&self, _r: f64) -> f64 {
        f64::INFINITY
    }

    fn information(&self) -> Information {
        Information { location: 0.5, log_scale: 0.5, cross: 0.0 }
    }
}

impl Parameterless for Cauchy {}

impl Family for Cauchy {
    const DESCRIPTION: Description = Description {
        usage: &["cauchy"],
        about: "tails so heavy that there is no mean: student-t with one degree of freedom",
        scale: ModelledScale::Always,
        compared: Compared::Named,
        loss: Loss { name: "mean cauchy loss", standardised: "mean cauchy loss", factor: 1.0, power: 0 },
    };

    fn accept<V: RouteVisitor>(self, visitor: V) -> V::Output {
        visitor.smooth(self)
    }
}
