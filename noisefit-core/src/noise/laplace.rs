//! Laplace noise: absolute error.

use std::f64::consts::LN_2;

use serde::{Deserialize, Serialize};

use crate::Error;
use crate::noise::shape::{Absolute, Shape};
use crate::noise::{
    Compared, Description, Evaluated, Family, Information, Kernel, Loss, ModelledScale, NoiseFamily, Parameterless,
    RouteVisitor, finite_residuals, multiplicity,
};
use crate::numeric::sum::Sum;

/// The density `exp(-|r|) / 2`; the scale is the mean absolute deviation b.
///
/// The kink at 0 has score 0, an infinite weight, and carries all of the curvature, which is 0 elsewhere: the expected
/// information does not come from it. Solvers by curvature or by weights need another way near a perfect prediction.
///
/// ```
/// use noisefit_core::noise::{Laplace, NoiseFamily};
///
/// assert_eq!(Laplace.negative_log_density(-3.0), 3.0 + 2f64.ln());
/// assert_eq!(Laplace.maximum_likelihood_scale(&[3.0, -1.0, 1.0, -3.0], None)?, 2.0);
/// # Ok::<(), noisefit_core::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Laplace;

impl Kernel for Laplace {
    const NAME: &'static str = "laplace";

    #[inline(always)]
    fn at(self, r: f64) -> Evaluated {
        Evaluated { value: Absolute.value(r), score: Absolute.slope(r), ..Evaluated::default() }
    }

    fn constant(self) -> f64 {
        LN_2
    }

    fn expected(self) -> Information {
        self.information()
    }
}

impl NoiseFamily for Laplace {
    fn name(&self) -> &'static str {
        Self::NAME
    }

    fn weight(&self, r: f64) -> f64 {
        1.0 / r.abs()
    }

    fn cdf(&self, r: f64) -> f64 {
        if r < 0.0 { 0.5 * r.exp() } else { 1.0 - 0.5 * (-r).exp() }
    }

    fn quantile(&self, p: f64) -> f64 {
        if p < 0.5 { (2.0 * p).ln() } else { -(2.0 * (1.0 - p)).ln() }
    }

    fn variance(&self) -> f64 {
        2.0
    }

    /// `|r| + exp(-|r|) - 3 / 4`.
    fn crps(&self, r: f64) -> f64 {
        r.abs() + (-r.abs()).exp() - 0.75
    }

    fn information(&self) -> Information {
        Information { location: 1.0, log_scale: 1.0, cross: 0.0 }
    }

    /// `sum f |e| / sum f`.
    fn maximum_likelihood_scale(&self, residuals: &[f64], frequencies: Option<&[f64]>) -> Result<f64, Error> {
        let largest = finite_residuals(residuals, frequencies)?;
        if largest == 0.0 {
            return Ok(0.0);
        }
        let (mut sizes, mut rows) = (Sum::default(), Sum::default());
        for (i, &e) in residuals.iter().enumerate() {
            let f = multiplicity(frequencies, i);
            sizes.add(f * (e.abs() / largest));
            rows.add(f);
        }
        Ok(largest * (sizes.value() / rows.value()))
    }
}

impl Parameterless for Laplace {}

impl Family for Laplace {
    const DESCRIPTION: Description = Description {
        usage: &["laplace"],
        about: "absolute error: the median; exponential tails",
        scale: ModelledScale::Always,
        compared: Compared::ByDefault,
        loss: Loss {
            name: "mean absolute error",
            standardised: "mean absolute standardised error",
            factor: 1.0,
            power: 1,
        },
    };

    fn accept<V: RouteVisitor>(self, visitor: V) -> V::Output {
        visitor.vertex(self, 0.5)
    }
}
