//! What a likelihood needs of a family, a row at a time, in arithmetic that vectorises.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::noise::shape::{Absolute, LogCosh, Shape, Square};
use crate::noise::{Gaussian, Huber, Information, Laplace, Logistic, NoiseFamily, shape};
use crate::numeric::special::elementary::{ln_1p, polynomial};
use crate::numeric::special::gamma_ratio::log_gamma_ratio;

/// The negative log density of a standardised residual less its constant, and its derivatives.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Evaluated {
    /// `rho(r)`.
    pub(crate) value: f64,
    /// `psi = d rho / dr`.
    pub(crate) score: f64,
    /// `d psi / dr`.
    pub(crate) curvature: f64,
    /// `d rho / d theta` by the shape.
    pub(crate) by_shape: f64,
    /// `d psi / d theta`.
    pub(crate) score_by_shape: f64,
    /// `d^2 rho / d theta^2`.
    pub(crate) curvature_by_shape: f64,
}

/// The negative log density `rho(r; theta) + c(theta)` of a family whose shape `theta` may be estimated.
///
/// Its parameters travel as a value, and its name tells its passes from those of other families.
pub(crate) trait Functions:
    Copy + std::fmt::Debug + Send + Sync + Serialize + DeserializeOwned + 'static
{
    /// The family and, where it matters, whether its shape is a parameter.
    const NAME: &'static str;

    /// Whether `theta` is a parameter, and its derivatives are wanted.
    const SHAPED: bool = false;

    /// The functions of one residual; marked `#[inline(always)]`, and without branches or calls.
    fn at(self, r: f64) -> Evaluated;

    /// `c` and its first two derivatives by `theta`.
    fn constant(self) -> [f64; 3];

    /// `theta`, or whatever tells these functions from others of their kind.
    fn parameter(self) -> f64 {
        0.0
    }

    /// The functions of another `theta`, where that is a parameter.
    fn with_parameter(self, _theta: f64) -> Self {
        self
    }

    /// What one observation is expected to tell about location and `ln s`.
    fn information(self) -> Information;

    /// The expected information of an observation on `theta` and between `theta` and `ln s`.
    fn shape_information(self) -> [f64; 2] {
        [0.0; 2]
    }
}

impl Functions for Gaussian {
    const NAME: &'static str = "gaussian";

    #[inline(always)]
    fn at(self, r: f64) -> Evaluated {
        Evaluated { value: Square.value(r), score: r, curvature: 1.0, ..Evaluated::default() }
    }

    fn constant(self) -> [f64; 3] {
        [self.negative_log_density(0.0), 0.0, 0.0]
    }

    fn information(self) -> Information {
        NoiseFamily::information(&self)
    }
}

impl Functions for Logistic {
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

    fn constant(self) -> [f64; 3] {
        [self.negative_log_density(0.0), 0.0, 0.0]
    }

    fn information(self) -> Information {
        NoiseFamily::information(&self)
    }
}

/// For a scale given the location, whose curvature is all in the kink.
impl Functions for Laplace {
    const NAME: &'static str = "laplace";

    #[inline(always)]
    fn at(self, r: f64) -> Evaluated {
        Evaluated { value: Absolute.value(r), score: Absolute.slope(r), ..Evaluated::default() }
    }

    fn constant(self) -> [f64; 3] {
        [self.negative_log_density(0.0), 0.0, 0.0]
    }

    fn information(self) -> Information {
        NoiseFamily::information(&self)
    }
}

impl Functions for Huber {
    const NAME: &'static str = "huber";

    #[inline(always)]
    fn at(self, r: f64) -> Evaluated {
        let loss = shape::Huber { knee: self.k, steepness: 1.0 };
        let curvature = if r.abs() > self.k { 0.0 } else { 1.0 };
        Evaluated { value: loss.value(r), score: loss.slope(r), curvature, ..Evaluated::default() }
    }

    fn constant(self) -> [f64; 3] {
        [self.negative_log_density(0.0), 0.0, 0.0]
    }

    fn parameter(self) -> f64 {
        self.k
    }

    fn information(self) -> Information {
        NoiseFamily::information(&self)
    }
}

/// Student's t with `theta` the inverse of the degrees of freedom, so that Gaussian noise is an ordinary point, 0:
/// `rho = (1 + theta) r^2 L(q) / 2` with `q = theta r^2` and `L(q) = ln(1 + q) / q`.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(crate) struct StudentT<const SHAPED: bool> {
    theta: f64,
    inverse: f64,
}

impl<const SHAPED: bool> StudentT<SHAPED> {
    pub(crate) fn new(theta: f64) -> Self {
        // Where theta is zero, so is q, and the inverse is not used.
        StudentT { theta, inverse: if theta > 0.0 { 1.0 / theta } else { 0.0 } }
    }

    /// The inverse of the degrees of freedom.
    pub(crate) fn theta(self) -> f64 {
        self.theta
    }
}

impl<const SHAPED: bool> Functions for StudentT<SHAPED> {
    const NAME: &'static str = if SHAPED { "student-t of any df" } else { "student-t" };
    const SHAPED: bool = SHAPED;

    #[inline(always)]
    fn at(self, r: f64) -> Evaluated {
        let StudentT { theta, inverse } = self;
        // So far out nothing depends on how far, and squares overflow.
        let r = if r.abs() > FAR { FAR.copysign(r) } else { r };
        let square = r * r;
        let q = theta * square;
        let (ln, rest) = ln_1p(q);
        let part = 1.0 / (1.0 + q);
        // Near zero L and its derivatives are written with (q - ln(1 + q)) / q^2, and nothing cancels.
        let near = q < 0.414;
        let half = 0.5 * (1.0 + theta);
        let l = if near { square * (1.0 - q * rest) } else { ln * inverse };
        let mut found = Evaluated {
            value: half * l,
            score: 2.0 * half * r * part,
            curvature: 2.0 * half * (1.0 - q) * (part * part),
            ..Evaluated::default()
        };
        if SHAPED {
            // r^4 L'(q) and r^6 L''(q).
            let first = if near { square * square * (rest - part) } else { (q * part - ln) * (inverse * inverse) };
            let tail = if q < 0.05 { polynomial(&SECOND, q) } else { -(part * part + 2.0 * (rest - part)) / q };
            let ratio = q * part;
            let second = if near {
                square * square * square * tail
            } else {
                -(ratio * ratio + 2.0 * (ratio - ln)) * (inverse * inverse * inverse)
            };
            found.by_shape = 0.5 * l + half * first;
            found.score_by_shape = r * (1.0 - square) * (part * part);
            found.curvature_by_shape = first + half * second;
        }
        found
    }

    fn constant(self) -> [f64; 3] {
        let [value, slope, curvature] = log_gamma_ratio(self.theta);
        [Gaussian.negative_log_density(0.0) - value, -slope, -curvature]
    }

    fn parameter(self) -> f64 {
        self.theta
    }

    fn with_parameter(self, theta: f64) -> Self {
        Self::new(theta)
    }

    fn information(self) -> Information {
        let theta = self.theta;
        Information { location: (1.0 + theta) / (1.0 + 3.0 * theta), log_scale: 2.0 / (1.0 + 3.0 * theta), cross: 0.0 }
    }

    /// Lange, Little and Taylor 1989, appendix B, by `theta` instead of its inverse.
    fn shape_information(self) -> [f64; 2] {
        let theta = self.theta;
        let both = (1.0 + theta) * (1.0 + 3.0 * theta);
        // The part of the constant beyond theta / 4, whose first derivative is of the order of theta squared.
        let point = theta.max(1e-8);
        let [_, slope, curvature] = log_gamma_ratio(point);
        let beyond = curvature + 2.0 * (slope + 0.25) / point;
        [(7.0 + 3.0 * theta) / (2.0 * both) - beyond, 2.0 / both]
    }
}

/// Where a residual of Student's t counts no longer.
const FAR: f64 = 1e100;

/// `L''(q)` near zero: `sum over k >= 2 of (-1)^k k (k - 1) q^(k - 2) / (k + 1)`.
const SECOND: [f64; 12] = [
    2.0 / 3.0,
    -6.0 / 4.0,
    12.0 / 5.0,
    -20.0 / 6.0,
    30.0 / 7.0,
    -42.0 / 8.0,
    56.0 / 9.0,
    -72.0 / 10.0,
    90.0 / 11.0,
    -110.0 / 12.0,
    132.0 / 13.0,
    -156.0 / 14.0,
];
