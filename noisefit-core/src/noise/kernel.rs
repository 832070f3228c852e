//! The scalar kernel of a family: the negative log density of a standardised residual less its constant, with all of its
//! derivatives at once, in arithmetic that vectorises.
//!
//! Densities, solvers, covariances and networks all ask the kernel; nothing of a family's loss or score is written elsewhere.

use std::ops::RangeInclusive;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::noise::{Information, Noise};

/// The negative log density of a standardised residual less its constant, and its derivatives.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Evaluated {
    /// `rho(r)`.
    pub value: f64,
    /// `psi = d rho / dr`; at a kink the subgradient that the family documents.
    pub score: f64,
    /// `d psi / dr`, kinks left out.
    pub curvature: f64,
    /// `d rho / d theta` by the shape.
    pub by_shape: f64,
    /// `d psi / d theta`.
    pub score_by_shape: f64,
    /// `d^2 rho / d theta^2`.
    pub curvature_by_shape: f64,
}

impl Evaluated {
    /// `psi(r) / r` at the residual `r` that this was evaluated at: the weight of a square that has the slope of `rho`
    /// there; its limit at 0.
    #[inline(always)]
    pub fn weight(&self, r: f64) -> f64 {
        if r == 0.0 { self.curvature } else { self.score / r }
    }
}

/// The negative log density `rho(r; theta) + c(theta)` of a family whose shape `theta` may be estimated.
///
/// A kernel is a value: its parameters can be written down and sent to where the rows are, and its name tells its passes
/// from those of other families.
pub trait Kernel: Copy + std::fmt::Debug + Send + Sync + Serialize + DeserializeOwned + 'static {
    /// The family and, where it matters, whether its shape is a parameter.
    const NAME: &'static str;

    /// Whether `theta` is a parameter, and its derivatives are wanted.
    const SHAPED: bool = false;

    /// Where `theta` lies, where it is a parameter: from Gaussian tails to the heaviest that are fitted.
    const SHAPES: RangeInclusive<f64> = 0.0..=0.0;

    /// Whether `rho` is convex for every `theta`: then the likelihood has one maximum, which a search finds from anywhere.
    /// Elsewhere searches begin at several points.
    const LOG_CONCAVE: bool = true;

    /// The functions of one residual; marked `#[inline(always)]`, and without branches or calls.
    fn at(self, r: f64) -> Evaluated;

    /// `c`: what is added to `rho` so that the density integrates to 1.
    fn constant(self) -> f64;

    /// What one observation is expected to tell about location and `ln s`.
    fn expected(self) -> Information;

    /// The `nu` with which the density falls as `|r|^-(1 + nu)` far out; infinite where it falls faster than any power.
    fn tail_index(self) -> f64 {
        f64::INFINITY
    }

    /// The first two derivatives of `c` by `theta`.
    fn constant_by_shape(self) -> [f64; 2] {
        [0.0; 2]
    }

    /// The expected information of an observation on `theta`, and between `theta` and `ln s`.
    fn expected_by_shape(self) -> [f64; 2] {
        [0.0; 2]
    }

    /// `theta`, or whatever tells this kernel from others of its kind.
    fn parameter(self) -> f64 {
        0.0
    }

    /// The kernel of another `theta`, where that is a parameter.
    fn with_parameter(self, _theta: f64) -> Self {
        self
    }
}

/// A kernel whose shape `theta` is estimated.
pub trait Shaped: Kernel {
    /// The kernel whose shape is given.
    type Held: Kernel;

    /// What the parameter is called that people know the shape by.
    const PARAMETER: &'static str;

    /// Shapes through which starts are led, from light tails to heavy ones.
    const LADDER: [f64; 3];

    /// The same with the shape where it is.
    fn held(self) -> Self::Held;

    /// The shape of the heaviest tails that so many observations say anything of beside so many coefficients.
    fn heaviest(_observations: f64, _coefficients: f64) -> f64 {
        *Self::SHAPES.end()
    }

    /// The parameter that people know a shape by.
    fn reported(theta: f64) -> f64;

    /// The noise with this shape, estimated.
    fn estimated(self) -> Noise;
}

/// A kernel behind a reference: what a density needs of it. Every [`Kernel`] is one.
pub trait Evaluate {
    /// `rho(r)` and its derivatives.
    fn evaluate(&self, r: f64) -> Evaluated;

    /// What is added to `rho` so that the density integrates to 1.
    fn log_normaliser(&self) -> f64;
}

impl<K: Kernel> Evaluate for K {
    #[inline(always)]
    fn evaluate(&self, r: f64) -> Evaluated {
        self.at(r)
    }

    fn log_normaliser(&self) -> f64 {
        self.constant()
    }
}
