//! Asymmetric Laplace noise: the pinball loss, whose location is a quantile.

use serde::{Deserialize, Serialize};

use crate::Error;
use crate::noise::shape::{Check, Shape};
use crate::noise::{
    Compared, Description, Evaluated, Family, Information, Kernel, Loss, ModelledScale, NoiseFamily, Parameters,
    RouteVisitor, finite_residuals, multiplicity,
};
use crate::numeric::Level;
use crate::numeric::double_double::DoubleDouble;
use crate::numeric::special::exponential::exp_product;
use crate::numeric::sum::Sum;

/// The density `tau (1 - tau) exp(-rho(r))`, where `rho` is the check function of level `tau`: the location is the
/// `tau`-quantile (Koenker and Machado 1999, *JASA* 94, 1296-1310). The scale is the mean of `rho(y - mu)`; at
/// `tau = 1/2` it is half of the [`Laplace`](super::Laplace) scale.
///
/// The kink at 0 has score 0 and an infinite weight, and carries all of the curvature. As the density is not symmetric,
/// the squares of [`weight`](NoiseFamily::weight) touch `-ln f` at a residual without majorising it.
///
/// ```
/// use noisefit_core::noise::{AsymmetricLaplace, NoiseFamily};
///
/// let family = AsymmetricLaplace { tau: 0.9 };
/// assert!((family.cdf(0.0) - 0.9).abs() < 1e-15);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct AsymmetricLaplace {
    /// The level of the quantile that the location is, between 0 and 1.
    pub tau: f64,
}

impl AsymmetricLaplace {
    #[inline(always)]
    fn shape(&self) -> Check {
        Check { tau: self.tau }
    }

    /// `1 - tau`, of which a double alone would lose up to half a unit.
    fn rest(&self) -> DoubleDouble {
        DoubleDouble::from_sum(1.0, -self.tau)
    }
}

/// `P(R <= r)` where `below` is `P(R <= 0)` and `above` the rest.
fn lower(r: f64, below: DoubleDouble, above: DoubleDouble) -> f64 {
    if r < 0.0 {
        below.high * exp_product(above, r)
    } else {
        // 1 - above exp(-below r), without a difference.
        below.high - above.high * (-below.high * r).exp_m1()
    }
}

/// Its inverse.
fn lower_quantile(p: f64, below: DoubleDouble, above: DoubleDouble) -> f64 {
    // Towards 0 the ratios are near one, where only their distances from it have all digits.
    let (ratio, beyond) = (p / below.high, (p - below.high) - below.low);
    if ratio < 0.5 {
        ratio.ln() / above.high
    } else if beyond < 0.0 {
        (beyond / below.high).ln_1p() / above.high
    } else if beyond < 0.5 * above.high {
        -(-beyond / above.high).ln_1p() / below.high
    } else {
        -((1.0 - p) / above.high).ln() / below.high
    }
}

impl Kernel for AsymmetricLaplace {
    const NAME: &'static str = "quantile";

    #[inline(always)]
    fn at(self, r: f64) -> Evaluated {
        Evaluated { value: self.shape().value(r), score: self.shape().slope(r), ..Evaluated::default() }
    }

    fn constant(self) -> f64 {
        -(self.tau * (1.0 - self.tau)).ln()
    }

    fn expected(self) -> Information {
        self.information()
    }

    fn parameter(self) -> f64 {
        self.tau
    }
}

impl NoiseFamily for AsymmetricLaplace {
    fn name(&self) -> &'static str {
        Self::NAME
    }

    fn weight(&self, r: f64) -> f64 {
        if r == 0.0 { f64::INFINITY } else { self.score(r) / r }
    }

    fn cdf(&self, r: f64) -> f64 {
        lower(r, self.tau.into(), self.rest())
    }

    fn survival(&self, r: f64) -> f64 {
        lower(-r, self.rest(), self.tau.into())
    }

    fn quantile(&self, p: f64) -> f64 {
        lower_quantile(p, self.tau.into(), self.rest())
    }

    fn upper_quantile(&self, p: f64) -> f64 {
        -lower_quantile(p, self.rest(), self.tau.into())
    }

    fn mean(&self) -> f64 {
        (1.0 - 2.0 * self.tau) / (self.tau * (1.0 - self.tau))
    }

    fn variance(&self) -> f64 {
        let both = self.tau * (1.0 - self.tau);
        (1.0 - 2.0 * both) / (both * both)
    }

    /// Whatever its side, `rho(R)` has the standard exponential distribution.
    fn information(&self) -> Information {
        Information { location: self.tau * (1.0 - self.tau), log_scale: 1.0, cross: 0.0 }
    }

    /// `sum f rho(e) / sum f`.
    fn maximum_likelihood_scale(&self, residuals: &[f64], frequencies: Option<&[f64]>) -> Result<f64, Error> {
        let largest = finite_residuals(residuals, frequencies)?;
        if largest == 0.0 {
            return Ok(0.0);
        }
        let (mut losses, mut rows) = (Sum::default(), Sum::default());
        for (i, &e) in residuals.iter().enumerate() {
            let f = multiplicity(frequencies, i);
            losses.add(f * self.shape().value(e / largest));
            rows.add(f);
        }
        Ok(largest * (losses.value() / rows.value()))
    }
}

impl Parameters for AsymmetricLaplace {
    fn parse(parameter: Option<&str>) -> Result<Vec<Self>, &'static str> {
        let levels = parameter.ok_or("a quantile needs its level, such as quantile:0.9")?;
        let level = |level: &str| level.trim().parse().ok().map(Level::value);
        let levels: Option<Vec<f64>> = levels.split(',').map(level).collect();
        let mut levels = levels.ok_or("levels lie between 0 and 1, such as quantile:0.1,0.5,0.9")?;
        levels.sort_by(f64::total_cmp);
        levels.dedup();
        Ok(levels.into_iter().map(|tau| AsymmetricLaplace { tau }).collect())
    }

    fn written(&self) -> Option<String> {
        Some(self.tau.to_string())
    }

    fn words(&self) -> String {
        format!(" {}", self.tau)
    }

    fn named(self) -> Self {
        self
    }

    fn check(&self) -> Result<(), Error> {
        Level::named("the level of a quantile", self.tau).map(drop)
    }

    fn is_density(&self) -> bool {
        Level::new(self.tau).is_ok()
    }

    fn samples() -> Vec<Self> {
        [0.3, 0.96].map(|tau| AsymmetricLaplace { tau }).to_vec()
    }
}

impl Family for AsymmetricLaplace {
    const DESCRIPTION: Description = Description {
        usage: &["quantile:TAU[,TAU...]"],
        about: "the pinball loss: the quantile of each level between 0 and 1",
        scale: ModelledScale::Never,
        compared: Compared::Never(
            "is not comparable with other noise: its asymmetric laplace likelihood is a device to find a quantile and says \
             nothing of the noise; fit it with `noisefit fit`, or name laplace, which is the median's",
        ),
        loss: Loss { name: "mean pinball loss", standardised: "mean pinball loss", factor: 1.0, power: 1 },
    };

    fn accept<V: RouteVisitor>(self, visitor: V) -> V::Output {
        visitor.vertex(self, self.tau)
    }
}
