//! Logistic noise: tails a little heavier than Gaussian ones, and a smooth convex loss.

use std::f64::consts::{LN_2, PI};

use serde::{Deserialize, Serialize};

use crate::noise::shape::{LogCosh, Shape};
use crate::noise::{
    Compared, Description, Evaluated, Family, Information, Kernel, Loss, ModelledScale, NoiseFamily, Parameterless,
    RouteVisitor,
};

/// The density `exp(-r) / (1 + exp(-r))^2 = 1 / (4 cosh^2(r / 2))`; its standard deviation is `pi / sqrt(3)` scales.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Logistic;

impl Kernel for Logistic {
    const NAME: &'static str = "logistic";

    #[inline(always)]
    fn at(self, r: f64) -> Evaluated {
        let score = LogCosh.slope(0.5 * r);
        Evaluated {
            value: 2.0 * LogCosh.value(0.5 * r),
            score,
            curvature: 0.5 * (1.0 - score * score),
            ..Evaluated::default()
        }
    }

    fn constant(self) -> f64 {
        2.0 * LN_2
    }

    fn expected(self) -> Information {
        self.information()
    }
}

impl NoiseFamily for Logistic {
    fn name(&self) -> &'static str {
        Self::NAME
    }

    fn cdf(&self, r: f64) -> f64 {
        if r < 0.0 { r.exp() / (1.0 + r.exp()) } else { 1.0 / (1.0 + (-r).exp()) }
    }

    fn quantile(&self, p: f64) -> f64 {
        // Next to one half the odds are near one, where only their distance from it has all digits.
        let beyond = p - 0.5;
        if beyond.abs() <= 0.25 {
            let beyond_even = 4.0 * beyond.abs() / (1.0 - 2.0 * beyond.abs());
            beyond_even.ln_1p().copysign(beyond)
        } else {
            (p / (1.0 - p)).ln()
        }
    }

    fn variance(&self) -> f64 {
        PI * PI / 3.0
    }

    /// `|r| + 2 ln(1 + exp(-|r|)) - 1`.
    fn crps(&self, r: f64) -> f64 {
        r.abs() + 2.0 * (-r.abs()).exp().ln_1p() - 1.0
    }

    fn information(&self) -> Information {
        Information { location: 1.0 / 3.0, log_scale: (3.0 + PI * PI) / 9.0, cross: 0.0 }
    }
}

impl Parameterless for Logistic {}

impl Family for Logistic {
    const DESCRIPTION: Description = Description {
        usage: &["logistic"],
        about: "a smooth convex loss; tails a little heavier than Gaussian ones",
        scale: ModelledScale::Always,
        compared: Compared::ByDefault,
        loss: Loss { name: "mean logistic loss", standardised: "mean logistic loss", factor: 1.0, power: 0 },
    };

    fn accept<V: RouteVisitor>(self, visitor: V) -> V::Output {
        visitor.smooth(self)
    }
}
