//! Student's t noise: heavy tails, as heavy as the degrees of freedom say.

use std::f64::consts::PI;
use std::ops::RangeInclusive;

use serde::{Deserialize, Serialize};

use crate::Error;
use crate::noise::gaussian::LN_SQRT_2_PI;
use crate::noise::noises::number;
use crate::noise::{
    Compared, Description, Evaluate, Evaluated, Family, Gaussian, Information, Kernel, Loss, ModelledScale, Noise,
    NoiseFamily, Parameter, Parameters, RouteVisitor, Shaped,
};
use crate::numeric::distribution;
use crate::numeric::distribution::Distribution;
use crate::numeric::special::elementary::{ln_1p, polynomial};
use crate::numeric::special::gamma_ratio::log_gamma_ratio;

/// The density of Student's t distribution with `df` degrees of freedom, Gaussian where they are infinite (Lange, Little
/// and Taylor 1989, *JASA* 84, 881-896).
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(into = "Written", from = "Written")]
pub struct StudentT {
    /// The degrees of freedom, positive.
    pub df: Parameter,
}

impl StudentT {
    /// Degrees of freedom that are to be estimated.
    pub const FREE: Self = StudentT { df: Parameter::Free };

    /// Degrees of freedom that an estimate of them starts from where nothing else is known.
    const START: f64 = 5.0;

    /// The least that are fitted.
    const LEAST: f64 = 0.5;

    /// The least degrees of freedom that are estimated from so many observations by so many coefficients: 0.5, and with few
    /// observations more. At a fit through as many rows as there are coefficients the likelihood has no bound below `p / (n - p)`
    /// degrees (Fernandez and Steel 1999, *Biometrika* 86, 153-167).
    ///
    /// ```text
    /// max(1/2, (6 p / (n - p))^2)
    /// ```
    ///
    /// Near that region the likelihood has maxima, too, which are none of the noise: twelve times as many degrees are asked for at
    /// four observations a coefficient, and from ten on no more than 0.5, so that noise with very heavy tails is found where rows
    /// tell of it. docs/student-t.md has how often intervals hold.
    pub fn least_estimated(observations: f64, coefficients: f64) -> f64 {
        let room = observations - coefficients;
        if room > 0.0 { (6.0 * coefficients / room).powi(2).max(Self::LEAST) } else { f64::INFINITY }
    }

    /// The least degrees of freedom, `12 p / (n - p)` and not less than 0.5, of which standard errors from so many observations are
    /// steady: with fewer, given or estimated, 95% intervals hold 65 to 90% in simulations (docs/student-t.md), and a warning
    /// says so.
    pub fn least_steady(observations: f64, coefficients: f64) -> f64 {
        let room = observations - coefficients;
        if room > 0.0 { (12.0 * coefficients / room).max(Self::LEAST) } else { f64::INFINITY }
    }

    /// With given degrees of freedom.
    pub const fn new(df: f64) -> Self {
        StudentT { df: Parameter::Given(df) }
    }

    /// With estimated degrees of freedom.
    pub const fn estimated(df: f64) -> Self {
        StudentT { df: Parameter::Estimated(df) }
    }

    /// The degrees of freedom.
    pub fn df(&self) -> f64 {
        self.df.value()
    }

    /// The kernel at these degrees of freedom.
    pub fn kernel(&self) -> StudentTKernel<false> {
        StudentTKernel::new(1.0 / self.df())
    }
}

impl Evaluate for StudentT {
    /// Also beyond the residuals that the kernel tells apart, where the score falls as `1 / r`.
    fn evaluate(&self, r: f64) -> Evaluated {
        let found = self.kernel().at(r);
        if r.abs() <= FAR {
            return found;
        }
        if self.df().is_infinite() {
            return Gaussian.evaluate(r);
        }
        let closer = FAR / r.abs();
        Evaluated { score: found.score * closer, curvature: found.curvature * closer * closer, ..found }
    }

    fn log_normaliser(&self) -> f64 {
        self.kernel().constant()
    }
}

impl NoiseFamily for StudentT {
    fn name(&self) -> &'static str {
        StudentTKernel::<false>::NAME
    }

    /// To the last digits, and beyond the residuals that the kernel tells apart.
    fn negative_log_density(&self, r: f64) -> f64 {
        if self.df().is_infinite() {
            return Gaussian.negative_log_density(r);
        }
        0.5 * (self.df() + 1.0) * ln_1p_square(r / self.df().sqrt()) + self.log_normaliser()
    }

    fn weight(&self, r: f64) -> f64 {
        if self.df().is_infinite() { 1.0 } else { (1.0 + 1.0 / self.df()) / (1.0 + r * (r / self.df())) }
    }

    fn cdf(&self, r: f64) -> f64 {
        match distribution::StudentT::new(self.df()) {
            Ok(t) => t.cdf(r),
            Err(_) => Gaussian.cdf(r),
        }
    }

    fn quantile(&self, p: f64) -> f64 {
        match distribution::StudentT::new(self.df()) {
            Ok(t) => t.quantile(p),
            Err(_) => Gaussian.quantile(p),
        }
    }

    fn variance(&self) -> f64 {
        match self.df() {
            df if df.is_infinite() => 1.0,
            df if df > 2.0 => df / (df - 2.0),
            _ => f64::INFINITY,
        }
    }

    /// `r (2 F(r) - 1) + (2 f(r) (df + r^2) - sqrt(df) c) / (df - 1)` with `c = 2 B(1/2, df - 1/2) / B(1/2, df/2)^2`, for
    /// `df > 1` (Jordan, Krueger and Lerch 2019, *Journal of Statistical Software* 90, 12).
    fn crps(&self, r: f64) -> f64 {
        let df = self.df();
        if df.is_infinite() {
            return Gaussian.crps(r);
        }
        if df <= 1.0 {
            return f64::INFINITY;
        }
        let size = r.abs();
        let density = (-self.negative_log_density(r)).exp();
        // The beta functions by ratios of gamma functions half a step apart, which overflow nowhere.
        let exponent = 2.0 * log_gamma_ratio(1.0 / df)[0] - log_gamma_ratio(1.0 / (2.0 * df - 1.0))[0];
        let spread = df * (df / (PI * (df - 0.5))).sqrt() * exponent.exp();
        size * (1.0 - 2.0 * self.cdf(-size)) + (2.0 * density * (df + r * r) - spread) / (df - 1.0)
    }

    /// Each score takes an incomplete beta function.
    fn crps_is_costly(&self) -> bool {
        true
    }

    fn information(&self) -> Information {
        if self.df().is_infinite() {
            return Gaussian.information();
        }
        let location = (self.df() + 1.0) / (self.df() + 3.0);
        Information { location, log_scale: 2.0 * self.df() / (self.df() + 3.0), cross: 0.0 }
    }
}

/// Student's t with `theta` the inverse of the degrees of freedom, so that Gaussian noise is an ordinary point, 0:
/// `rho = (1 + theta) r^2 L(q) / 2` with `q = theta r^2` and `L(q) = ln(1 + q) / q`.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub struct StudentTKernel<const SHAPED: bool> {
    theta: f64,
    inverse: f64,
}

impl<const SHAPED: bool> StudentTKernel<SHAPED> {
    /// The kernel of Student's t by the inverse of its degrees of freedom, 0 for Gaussian noise.
    pub fn new(theta: f64) -> Self {
        // Where theta is zero, so is q, and the inverse is not used.
        StudentTKernel { theta, inverse: if theta > 0.0 { 1.0 / theta } else { 0.0 } }
    }
}

impl<const SHAPED: bool> Kernel for StudentTKernel<SHAPED> {
    const NAME: &'static str = if SHAPED { "student-t of any df" } else { "student-t" };
    const SHAPED: bool = SHAPED;
    /// From infinitely many degrees of freedom to one half.
    const SHAPES: RangeInclusive<f64> = 0.0..=1.0 / StudentT::LEAST;
    const LOG_CONCAVE: bool = false;

    #[inline(always)]
    fn at(self, r: f64) -> Evaluated {
        let StudentTKernel { theta, inverse } = self;
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

    fn tail_index(self) -> f64 {
        1.0 / self.theta
    }

    fn constant(self) -> f64 {
        LN_SQRT_2_PI - log_gamma_ratio(self.theta)[0]
    }

    fn constant_by_shape(self) -> [f64; 2] {
        let [_, slope, curvature] = log_gamma_ratio(self.theta);
        [-slope, -curvature]
    }

    fn parameter(self) -> f64 {
        self.theta
    }

    fn with_parameter(self, theta: f64) -> Self {
        Self::new(theta)
    }

    fn expected(self) -> Information {
        let theta = self.theta;
        Information { location: (1.0 + theta) / (1.0 + 3.0 * theta), log_scale: 2.0 / (1.0 + 3.0 * theta), cross: 0.0 }
    }

    /// Lange, Little and Taylor 1989, appendix B, by `theta` instead of its inverse.
    fn expected_by_shape(self) -> [f64; 2] {
        let theta = self.theta;
        let both = (1.0 + theta) * (1.0 + 3.0 * theta);
        // The part of the constant beyond theta / 4, whose first derivative is of the order of theta squared.
        let point = theta.max(1e-8);
        let [_, slope, curvature] = log_gamma_ratio(point);
        let beyond = curvature + 2.0 * (slope + 0.25) / point;
        [(7.0 + 3.0 * theta) / (2.0 * both) - beyond, 2.0 / both]
    }
}

impl Shaped for StudentTKernel<true> {
    type Held = StudentTKernel<false>;

    const PARAMETER: &'static str = "df";

    /// From nearly Gaussian noise to Cauchy's.
    const LADDER: [f64; 3] = [1.0 / 30.0, 1.0 / 4.0, 1.0];

    fn held(self) -> StudentTKernel<false> {
        StudentTKernel::new(self.theta)
    }

    fn heaviest(observations: f64, coefficients: f64) -> f64 {
        1.0 / StudentT::least_estimated(observations, coefficients)
    }

    fn reported(theta: f64) -> f64 {
        1.0 / theta
    }

    fn estimated(self) -> Noise {
        Noise::StudentT(StudentT::estimated(1.0 / self.theta))
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

/// `ln(1 + q^2)`, also where the square overflows.
fn ln_1p_square(q: f64) -> f64 {
    if q.abs() < 1e100 { (q * q).ln_1p() } else { 2.0 * q.abs().ln() }
}

/// How a record holds it.
#[derive(Serialize, Deserialize)]
struct Written {
    /// Left out while they are free.
    #[serde(default, with = "infinite_as_null", skip_serializing_if = "Option::is_none")]
    df: Option<f64>,
    df_estimated: bool,
}

impl From<StudentT> for Written {
    fn from(StudentT { df }: StudentT) -> Self {
        Written { df: Some(df.value()).filter(|df| !df.is_nan()), df_estimated: !df.is_given() }
    }
}

impl From<Written> for StudentT {
    fn from(record: Written) -> Self {
        match record {
            Written { df: Some(df), df_estimated: false } => StudentT::new(df),
            Written { df: Some(df), df_estimated: true } => StudentT::estimated(df),
            Written { df: None, .. } => StudentT::FREE,
        }
    }
}

/// Infinity has no number in JSON: there it is null.
mod infinite_as_null {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    pub fn serialize<S: Serializer>(value: &Option<f64>, serializer: S) -> Result<S::Ok, S::Error> {
        value.filter(|value| value.is_finite()).serialize(serializer)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<f64>, D::Error> {
        Ok(Some(Option::deserialize(deserializer)?.unwrap_or(f64::INFINITY)))
    }
}

impl Parameters for StudentT {
    fn parse(parameter: Option<&str>) -> Result<Vec<Self>, &'static str> {
        let Some(df) = parameter else { return Ok(vec![StudentT::FREE]) };
        let df = number(df).filter(|df| *df >= StudentT::LEAST);
        Ok(vec![StudentT::new(df.ok_or("the degrees of freedom are a number of 0.5 or more")?)])
    }

    fn written(&self) -> Option<String> {
        self.df.is_given().then(|| self.df().to_string())
    }

    fn words(&self) -> String {
        match self.df() {
            df if df.is_nan() => String::new(),
            df if df.is_infinite() => " with infinite df".to_owned(),
            df => format!(" with {} df", three_decimals(df)),
        }
    }

    fn named(self) -> Self {
        StudentT { df: self.df.named() }
    }

    fn check(&self) -> Result<(), Error> {
        match self.df {
            Parameter::Given(df) if !(df >= StudentT::LEAST) => {
                Err(Error::Argument { name: "df", value: df, expected: "0.5 or more" })
            }
            _ => Ok(()),
        }
    }

    fn is_density(&self) -> bool {
        self.df() > 0.0
    }

    fn samples() -> Vec<Self> {
        let given = [1.0, 2.5, 4.5, 1e4].map(StudentT::new);
        given.into_iter().chain([f64::INFINITY, 3.0].map(StudentT::estimated)).collect()
    }
}

impl Family for StudentT {
    const DESCRIPTION: Description = Description {
        usage: &["student-t", "student-t:DF"],
        about: "heavy tails, as heavy as the degrees of freedom say, which are estimated unless they are given",
        scale: ModelledScale::Always,
        compared: Compared::ByDefaultWithScale,
        loss: Loss { name: "mean student-t loss", standardised: "mean student-t loss", factor: 1.0, power: 0 },
    };

    fn accept<V: RouteVisitor>(self, visitor: V) -> V::Output {
        match self.df {
            Parameter::Given(df) => visitor.smooth(StudentTKernel::<false>::new(1.0 / df)),
            Parameter::Estimated(df) => visitor.shaped(StudentTKernel::<true>::new(1.0 / df)),
            Parameter::Free => visitor.shaped(StudentTKernel::<true>::new(1.0 / StudentT::START)),
        }
    }
}

/// A number for a sentence: at most three decimals.
fn three_decimals(value: f64) -> String {
    let text = format!("{value:.3}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}
