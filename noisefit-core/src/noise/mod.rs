//! Noise families: a handful of scalar functions of the standardised residual, and all that follows from them.
//!
//! The model is `y = mu + s R` with a location `mu`, a scale `s > 0` and a standardised residual `R = (y - mu) / s`
//! whose density `f` the family names. A family states `-ln f` with its constant and its derivatives, as a [`Kernel`], the
//! distribution function and its inverse; [`NoiseFamily`] derives the rest.
//!
//! ```
//! use noisefit_core::noise::{Noise, NoiseFamily, Observations, Scale};
//!
//! let noise = Noise::Laplace;
//! let rows = Observations::new(&[1.0, 2.0, 4.0], &[1.0, 2.5, 3.0], Scale::Common(0.5))?;
//! // Three times ln(2 s), which is 0 here, and (0 + 0.5 + 1) / s.
//! assert_eq!(noise.family().log_likelihood(&rows), -3.0);
//! # Ok::<(), noisefit_core::Error>(())
//! ```

mod asymmetric_laplace;
mod cauchy;
mod family;
mod gaussian;
mod huber;
mod huber_scale;
mod kernel;
mod laplace;
mod logistic;
mod noises;
mod observations;
mod parameter;
mod scale;
pub mod shape;
mod student_t;

pub use asymmetric_laplace::AsymmetricLaplace;
pub use cauchy::Cauchy;
pub use family::{
    Compared, Description, Family, Listed, Loss, ModelledScale, Parameterless, Parameters, Route, RouteVisitor, Visitor,
};
pub use gaussian::Gaussian;
pub use huber::{Huber, HuberKernel};
pub use huber_scale::HuberScale;
pub use kernel::{Evaluate, Evaluated, Kernel, Shaped};
pub use laplace::Laplace;
pub use logistic::Logistic;
pub(crate) use noises::levels;
pub use noises::{InvalidNoise, Noises, scalable, usage, written};
pub use observations::{Observations, Scale};
pub use parameter::Parameter;
pub use student_t::{StudentT, StudentTKernel};

use serde::{Deserialize, Serialize};

use crate::Error;
use crate::numeric::Level;
use crate::numeric::special::quadrature::tanh_sinh;
use crate::numeric::sum::Sum;

/// The expected information that one observation at scale 1 carries about its location and the logarithm of its scale.
///
/// At scale `s` the matrix for `(mu, ln s)` is `[location / s^2, cross / s; cross / s, log_scale]`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Information {
    /// `E[psi(R)^2]`.
    pub location: f64,
    /// `E[(R psi(R) - 1)^2]`.
    pub log_scale: f64,
    /// `E[psi(R) (R psi(R) - 1)]`, zero for a symmetric density.
    pub cross: f64,
}

/// The density of standardised residuals, by its scalar functions.
///
/// A new family writes its [`Kernel`] and the required methods, and [`survival`](Self::survival),
/// [`upper_quantile`](Self::upper_quantile) and [`mean`](Self::mean) if it is not symmetric, and
/// [`expectation`](Self::expectation) if it has kinks elsewhere than at 0; it overrides the others only for speed or for
/// digits.
pub trait NoiseFamily: Evaluate + std::fmt::Debug + Send + Sync {
    /// The family's name on the command line and in JSON.
    fn name(&self) -> &'static str;

    /// `-ln f(r)` with every constant, so that `exp` of its negative integrates to 1.
    fn negative_log_density(&self, r: f64) -> f64 {
        self.evaluate(r).value + self.log_normaliser()
    }

    /// `psi(r) = d/dr -ln f(r)`, which is the derivative of the log-likelihood with respect to the location, at scale
    /// 1. At a kink the subgradient that the family documents.
    fn score(&self, r: f64) -> f64 {
        self.evaluate(r).score
    }

    /// `psi'(r)`, the second derivative of `-ln f`, kinks left out.
    fn curvature(&self, r: f64) -> f64 {
        self.evaluate(r).curvature
    }

    /// `P(R <= r)`, accurate in relative terms in the lower tail.
    fn cdf(&self, r: f64) -> f64;

    /// The `r` with `P(R <= r) = p`, accurate for `p` down to the least double.
    fn quantile(&self, p: f64) -> f64;

    /// `psi(r) / r`, the weight of the square that touches `-ln f` at `r`, and lies above it if the density is symmetric;
    /// its limit at 0.
    fn weight(&self, r: f64) -> f64 {
        self.evaluate(r).weight(r)
    }

    /// `P(R > r)`, accurate in relative terms in the upper tail. The default is that of a symmetric density.
    fn survival(&self, r: f64) -> f64 {
        self.cdf(-r)
    }

    /// The `r` with `P(R > r) = p`. The default is that of a symmetric density.
    fn upper_quantile(&self, p: f64) -> f64 {
        -self.quantile(p)
    }

    /// `E[g(R)]`, by quadrature over the probabilities of the two sides of 0.
    fn expectation(&self, g: &dyn Fn(f64) -> f64) -> f64 {
        tanh_sinh(self.cdf(0.0), |p| g(self.quantile(p))) + tanh_sinh(self.survival(0.0), |p| g(self.upper_quantile(p)))
    }

    /// `E[R]`. The default is that of a symmetric density.
    fn mean(&self) -> f64 {
        0.0
    }

    /// The variance of `R`; infinite where there is none.
    fn variance(&self) -> f64 {
        let mean = self.mean();
        self.expectation(&|r| (r - mean) * (r - mean))
    }

    /// The continuous ranked probability score of an observation at `r`, the integral of `(P(R <= x) - [x >= r])^2` over
    /// all `x` (Gneiting and Raftery 2007, *JASA* 102, 359-378): `E|R - r| - E|R - R'| / 2`, the absolute error of a
    /// forecast that is a distribution. Infinite where the mean is. At scale `s` it is `s` times as large.
    ///
    /// By quadrature of `2 |[r <= q(p)] - p| |r - q(p)|` over the probabilities `p`, in pieces that end at `r` and at 0.
    fn crps(&self, r: f64) -> f64 {
        let (quantile, upper_quantile) = (|p: f64| self.quantile(p), |p: f64| self.upper_quantile(p));
        let (lower, upper) = (self.cdf(0.0), self.survival(0.0));
        // One side of 0 that `r` is not on, and the two parts of the other.
        let score = |near: &dyn Fn(f64) -> f64, far: &dyn Fn(f64) -> f64, tail: f64, own: f64, other: f64| {
            let inner = |p: f64| 2.0 * (1.0 - p) * (near(p) - r).abs();
            tanh_sinh(tail, |p| 2.0 * p * (r - near(p)).abs())
                + tanh_sinh(own - tail, |p| inner(tail + p))
                + tanh_sinh(other, |p| 2.0 * p * (far(p) - r).abs())
        };
        match r < 0.0 {
            true => score(&quantile, &upper_quantile, self.cdf(r), lower, upper),
            false => score(&upper_quantile, &quantile, self.survival(r), upper, lower),
        }
    }

    /// Whether a score takes so long that a table is worth making where there are many.
    fn crps_is_costly(&self) -> bool {
        false
    }

    /// What one observation tells about location and scale.
    fn information(&self) -> Information {
        Information {
            location: self.expectation(&|r| self.score(r).powi(2)),
            log_scale: self.expectation(&|r| (r * self.score(r) - 1.0).powi(2)),
            cross: self.expectation(&|r| self.score(r) * (r * self.score(r) - 1.0)),
        }
    }

    /// The scale that maximises the likelihood of `residuals` `e = y - mu`, each counted `frequencies` times (once
    /// without): the root of `sum f (1 - r psi(r))` at `r = e / s`. Zero where the likelihood grows without bound
    /// towards it, as it does for residuals that are all zero.
    ///
    /// # Errors
    /// [`Error::NoRows`]; [`Error::Shape`]; [`Error::Value`] for a residual that is not finite.
    fn maximum_likelihood_scale(&self, residuals: &[f64], frequencies: Option<&[f64]>) -> Result<f64, Error> {
        scale::maximum_likelihood(self, residuals, frequencies)
    }

    /// `sum f (ln f(r) - ln s)`, complete.
    fn log_likelihood(&self, rows: &Observations<'_>) -> f64 {
        let terms =
            rows.iter().map(|row| -row.frequency * (self.negative_log_density(row.residual()) + row.log_scale()));
        terms.collect::<Sum>().value()
    }

    /// The log-likelihood, and its derivative with respect to every row's location, `f psi(r) / s`, and, where asked
    /// for, the logarithm of every row's scale, `f (r psi(r) - 1)`.
    ///
    /// # Errors
    /// [`Error::Shape`] if an output is not as long as the rows.
    fn gradient(
        &self,
        rows: &Observations<'_>,
        location: &mut [f64],
        mut log_scale: Option<&mut [f64]>,
    ) -> Result<f64, Error> {
        same_length("the gradient by location", rows.len(), location.len())?;
        if let Some(log_scale) = &log_scale {
            same_length("the gradient by log scale", rows.len(), log_scale.len())?;
        }
        let mut log_likelihood = Sum::default();
        for (i, row) in rows.iter().enumerate() {
            let r = row.residual();
            let psi = self.score(r);
            log_likelihood.add(-row.frequency * (self.negative_log_density(r) + row.log_scale()));
            location[i] = row.frequency * psi / row.scale;
            if let Some(log_scale) = &mut log_scale {
                log_scale[i] = row.frequency * (r * psi - 1.0);
            }
        }
        Ok(log_likelihood.value())
    }

    /// The bounds of the central interval that holds `R` with probability `level`: a new observation lies between
    /// `mu + s low` and `mu + s high`.
    ///
    /// # Errors
    /// [`Error::Argument`] unless `0 < level < 1`.
    fn interval(&self, level: f64) -> Result<(f64, f64), Error> {
        let level = Level::new(level)?.value();
        let tail = 0.5 * (1.0 - level);
        Ok((self.quantile(tail), self.upper_quantile(tail)))
    }

    /// A draw of `R` from a number that is uniform on (0, 1).
    fn sample(&self, uniform: f64) -> f64 {
        if uniform <= 0.5 { self.quantile(uniform) } else { self.upper_quantile(1.0 - uniform) }
    }
}

/// Makes of the families, a line each, the enum of them all, the list of what each says of itself, and the one dispatch
/// over them. A family with parameters names its type in parentheses.
macro_rules! families {
    ($($variant:ident $(($family:ident))? = $name:literal,)+) => {
        /// A noise family with its parameters, in JSON `{"family": "gaussian"}`, `{"family": "quantile", "tau": 0.9}`: what
        /// is asked for, and, once its parameters are estimated, what was found.
        ///
        /// What a user names is one of these or several quantiles: [`Noises`].
        #[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
        #[serde(tag = "family")]
        pub enum Noise {
            $(
                #[doc = concat!("`", $name, "`.")]
                #[serde(rename = $name)]
                $variant $(($family))?,
            )+
        }

        /// Every noise family, in the order that help and messages list them.
        pub const FAMILIES: &[Listed] = &[$(Listed::of::<families!(@type $variant $($family)?)>($name)),+];

        impl Noise {
            /// The family's functions.
            pub fn family(&self) -> &dyn NoiseFamily {
                match self {
                    $(families!(@pattern family $variant $($family)?) => families!(@reference family $variant $($family)?),)+
                }
            }

            /// Shows the family's kernel to a visitor by way of its route to a fit.
            pub fn visit_route<V: RouteVisitor>(self, visitor: V) -> V::Output {
                match self {
                    $(families!(@pattern family $variant $($family)?) => {
                        families!(@value family $variant $($family)?).accept(visitor)
                    })+
                }
            }

            /// What the family says of itself.
            pub fn description(&self) -> &'static Description {
                match self {
                    $(families!(@pattern _ $variant $($family)?) => {
                        &<families!(@type $variant $($family)?) as Family>::DESCRIPTION
                    })+
                }
            }

            /// What was named: parameters that were estimated are free again.
            #[must_use]
            pub fn named(self) -> Self {
                match self {
                    $(families!(@pattern family $variant $($family)?) => {
                        Parameters::named(families!(@value family $variant $($family)?)).into()
                    })+
                }
            }

            /// Whether a fit can be asked for: what was given is within its range.
            ///
            /// # Errors
            /// [`Error::Argument`].
            pub fn check(&self) -> Result<(), Error> {
                match *self {
                    $(families!(@pattern family $variant $($family)?) => {
                        Parameters::check(&families!(@value family $variant $($family)?))
                    })+
                }
            }

            /// Whether its parameters are those of a density.
            pub fn is_density(&self) -> bool {
                match *self {
                    $(families!(@pattern family $variant $($family)?) => {
                        Parameters::is_density(&families!(@value family $variant $($family)?))
                    })+
                }
            }

            /// What follows the colon where it is named on the command line: `4` of `student-t:4`.
            pub fn parameter(&self) -> Option<String> {
                match *self {
                    $(families!(@pattern family $variant $($family)?) => {
                        Parameters::written(&families!(@value family $variant $($family)?))
                    })+
                }
            }

            /// What a sentence adds to the name.
            fn words(&self) -> String {
                match *self {
                    $(families!(@pattern family $variant $($family)?) => {
                        Parameters::words(&families!(@value family $variant $($family)?))
                    })+
                }
            }
        }

        $(
            impl From<families!(@type $variant $($family)?)> for Noise {
                fn from(_family: families!(@type $variant $($family)?)) -> Self {
                    families!(@noise _family $variant $($family)?)
                }
            }
        )+
    };
    (@type $variant:ident) => { $variant };
    (@type $variant:ident $family:ident) => { $family };
    (@pattern $bound:tt $variant:ident) => { Noise::$variant };
    (@pattern $bound:tt $variant:ident $family:ident) => { Noise::$variant($bound) };
    (@reference $bound:ident $variant:ident) => { &$variant };
    (@reference $bound:ident $variant:ident $family:ident) => { $bound };
    (@value $bound:ident $variant:ident) => { $variant };
    (@value $bound:ident $variant:ident $family:ident) => { $bound };
    (@noise $bound:ident $variant:ident) => { Noise::$variant };
    (@noise $bound:ident $variant:ident $family:ident) => { Noise::$variant($bound) };
}

families! {
    Gaussian = "gaussian",
    Laplace = "laplace",
    Quantile(AsymmetricLaplace) = "quantile",
    StudentT(StudentT) = "student-t",
    Logistic = "logistic",
    Huber(Huber) = "huber",
    Cauchy = "cauchy",
}

impl Noise {
    /// The route to its fit.
    pub fn route(self) -> Route {
        self.visit_route(family::RouteOf)
    }

    /// Shows the family's kernel to a visitor.
    pub fn visit<V: Visitor>(self, visitor: V) -> V::Output {
        self.visit_route(family::AnyRoute(visitor))
    }
}

impl Noise {
    /// As a noun: `gaussian noise`, `quantile 0.9 noise`, `student-t noise with 4.2 df`.
    pub fn noun(&self) -> String {
        match self {
            Noise::Quantile(_) => format!("{self} noise"),
            _ => format!("{} noise{}", self.family().name(), self.words()),
        }
    }
}

/// As a sentence names it: `gaussian`, `quantile 0.9`, `student-t with 4.2 df`. [`written`] is how it is named on the command
/// line.
impl std::fmt::Display for Noise {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(&format!("{}{}", self.family().name(), self.words()))
    }
}

/// The largest size of a residual, once all are known to be finite.
fn finite_residuals(residuals: &[f64], frequencies: Option<&[f64]>) -> Result<f64, Error> {
    if residuals.is_empty() {
        return Err(Error::NoRows);
    }
    if let Some(frequencies) = frequencies {
        same_length("frequencies", residuals.len(), frequencies.len())?;
        observations::positive("frequencies", frequencies)?;
    }
    match residuals.iter().position(|e| !e.is_finite()) {
        Some(row) => {
            let (what, value) = ("residuals".to_owned(), residuals[row]);
            Err(Error::Value { what, row: row as u64, value, expected: "a finite number" })
        }
        None => Ok(residuals.iter().fold(0.0, |largest, e| e.abs().max(largest))),
    }
}

/// How often row `i` counts.
fn multiplicity(frequencies: Option<&[f64]>, i: usize) -> f64 {
    frequencies.map_or(1.0, |f| f[i])
}

fn same_length(what: &'static str, expected: usize, found: usize) -> Result<(), Error> {
    if expected == found { Ok(()) } else { Err(Error::Shape { what, expected, found }) }
}
