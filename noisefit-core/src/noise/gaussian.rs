//! Gaussian noise: squared error.

use serde::{Deserialize, Serialize};

use crate::Error;
use crate::noise::shape::{Shape, Square};
use crate::noise::{
    Compared, Description, Evaluated, Family, Information, Kernel, Loss, ModelledScale, NoiseFamily, Parameterless,
    RouteVisitor, finite_residuals, multiplicity,
};
use crate::numeric::special::normal;
use crate::numeric::sum::Sum;

/// `ln sqrt(2 pi)`.
pub(super) const LN_SQRT_2_PI: f64 = 0.918_938_533_204_672_7;

/// The density `exp(-r^2 / 2) / sqrt(2 pi)`; the scale is the standard deviation sigma.
///
/// ```
/// use noisefit_core::noise::{Gaussian, NoiseFamily};
///
/// assert!((Gaussian.upper_quantile(0.025) - 1.959963984540054).abs() < 1e-15);
/// assert_eq!(Gaussian.maximum_likelihood_scale(&[3.0, -1.0, 1.0, -3.0], None)?, 5f64.sqrt());
/// # Ok::<(), noisefit_core::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Gaussian;

impl Kernel for Gaussian {
    const NAME: &'static str = "gaussian";

    #[inline(always)]
    fn at(self, r: f64) -> Evaluated {
        Evaluated { value: Square.value(r), score: Square.slope(r), curvature: 1.0, ..Evaluated::default() }
    }

    fn constant(self) -> f64 {
        LN_SQRT_2_PI
    }

    fn expected(self) -> Information {
        self.information()
    }
}

impl NoiseFamily for Gaussian {
    fn name(&self) -> &'static str {
        Self::NAME
    }

    fn weight(&self, _r: f64) -> f64 {
        1.0
    }

    fn cdf(&self, r: f64) -> f64 {
        normal::cumulative(r)
    }

    fn quantile(&self, p: f64) -> f64 {
        normal::quantile(p)
    }

    fn variance(&self) -> f64 {
        1.0
    }

    /// `r (2 F(r) - 1) + 2 f(r) - 1 / sqrt(pi)`.
    fn crps(&self, r: f64) -> f64 {
        const FRAC_1_SQRT_PI: f64 = 0.564_189_583_547_756_3;
        const TWICE_FRAC_1_SQRT_2_PI: f64 = 0.797_884_560_802_865_4;
        r.abs() * (1.0 - 2.0 * normal::survival(r.abs())) + TWICE_FRAC_1_SQRT_2_PI * normal::bell(r) - FRAC_1_SQRT_PI
    }

    fn information(&self) -> Information {
        Information { location: 1.0, log_scale: 2.0, cross: 0.0 }
    }

    /// `sqrt(sum f e^2 / sum f)`.
    fn maximum_likelihood_scale(&self, residuals: &[f64], frequencies: Option<&[f64]>) -> Result<f64, Error> {
        let largest = finite_residuals(residuals, frequencies)?;
        if largest == 0.0 {
            return Ok(0.0);
        }
        let (mut squares, mut rows) = (Sum::default(), Sum::default());
        for (i, &e) in residuals.iter().enumerate() {
            let f = multiplicity(frequencies, i);
            squares.add(f * (e / largest) * (e / largest));
            rows.add(f);
        }
        Ok(largest * (squares.value() / rows.value()).sqrt())
    }
}

impl Parameterless for Gaussian {}

impl Family for Gaussian {
    const DESCRIPTION: Description = Description {
        usage: &["gaussian"],
        about: "squared error: the mean; Gaussian tails",
        scale: ModelledScale::Always,
        compared: Compared::ByDefaultWithScale,
        loss: Loss {
            name: "mean squared error",
            standardised: "mean squared standardised error",
            factor: 2.0,
            power: 2,
        },
    };

    fn accept<V: RouteVisitor>(self, visitor: V) -> V::Output {
        visitor.closed_form(self)
    }
}
