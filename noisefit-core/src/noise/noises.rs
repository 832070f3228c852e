//! What a user names: one noise, or several quantiles.

use crate::noise::{AsymmetricLaplace, FAMILIES, Listed, ModelledScale, Noise};
use crate::suggestion::suggestion;

/// The noise of a model as it is asked for: one family, or several quantiles in ascending order, each of which is fitted.
///
/// Wherever a list of noises is asked for, this is one.
///
/// ```
/// use noisefit_core::noise::{Noise, Noises, StudentT};
///
/// assert_eq!("quantile:0.1,0.5,0.9".parse(), Ok(Noises::quantiles(&[0.1, 0.5, 0.9])));
/// assert_eq!("student-t:4".parse(), Ok(Noises::from(Noise::StudentT(StudentT::new(4.0)))));
/// let error = "gausian".parse::<Noises>().unwrap_err();
/// assert!(error.to_string().starts_with("no noise family 'gausian'; did you mean 'gaussian'? there are gaussian, laplace"));
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Noises(Vec<Noise>);

impl Noises {
    /// The asymmetric Laplace noise of each level.
    pub fn quantiles(levels: &[f64]) -> Self {
        Noises(levels.iter().map(|&tau| Noise::Quantile(AsymmetricLaplace { tau })).collect())
    }
}

impl From<Noise> for Noises {
    fn from(noise: Noise) -> Self {
        Noises(vec![noise])
    }
}

impl std::ops::Deref for Noises {
    type Target = [Noise];

    fn deref(&self) -> &[Noise] {
        &self.0
    }
}

/// As it is written on the command line: `gaussian`, `student-t:4`, `quantile:0.1,0.9`. What was estimated is left out, as it
/// was when that was named.
impl std::fmt::Display for Noises {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(&written(self))
    }
}

/// As noise is written on the command line, several quantiles together.
pub fn written(noises: &[Noise]) -> String {
    let names = noises.iter().map(|noise| noise.family().name()).collect::<Vec<_>>();
    let parameters: Vec<String> = noises.iter().filter_map(|noise| noise.parameter()).collect();
    let mut text = names.first().copied().unwrap_or_default().to_owned();
    if !parameters.is_empty() {
        text += &format!(":{}", parameters.join(","));
    }
    text
}

/// The levels of several quantiles, or of one; none of other noise.
pub(crate) fn levels(noises: &[Noise]) -> Option<Vec<f64>> {
    let level = |noise: &Noise| match noise {
        Noise::Quantile(family) => Some(family.tau),
        _ => None,
    };
    noises.iter().map(level).collect()
}

impl std::str::FromStr for Noises {
    type Err = InvalidNoise;

    fn from_str(text: &str) -> Result<Self, InvalidNoise> {
        let (name, parameter) = match text.split_once(':') {
            Some((name, parameter)) => (name, Some(parameter)),
            None => (text, None),
        };
        match FAMILIES.iter().find(|family| family.name == name) {
            Some(family) => (family.parse)(parameter).map(Noises).map_err(|why| InvalidNoise::new(text, why)),
            None => Err(unknown(text, name)),
        }
    }
}

/// How noise can be written, in the order of the list: `gaussian, laplace, quantile:TAU[,TAU...], ...`.
pub fn usage() -> String {
    let usage = FAMILIES.iter().flat_map(|family| family.description.usage);
    usage.copied().collect::<Vec<_>>().join(", ")
}

/// The names of the families whose scale can be modelled by such fits, as a sentence lists them: `gaussian, laplace and
/// logistic`.
pub fn scalable(least: ModelledScale) -> String {
    let can = |family: &&Listed| match (family.description.scale, least) {
        (ModelledScale::Never, _) | (_, ModelledScale::Never) => false,
        (ModelledScale::Trained, least) => least == ModelledScale::Trained,
        (ModelledScale::Always, _) => true,
    };
    let names: Vec<&str> = FAMILIES.iter().filter(can).map(|family| family.name).collect();
    match names.split_last() {
        Some((last, [])) => (*last).to_owned(),
        Some((last, rest)) => format!("{} and {last}", rest.join(", ")),
        None => String::new(),
    }
}

/// What some call a family elsewhere.
const OTHER_NAMES: [(&str, &str); 9] = [
    ("normal", "gaussian"),
    ("gauss", "gaussian"),
    ("ols", "gaussian"),
    ("t", "student-t"),
    ("studentt", "student-t"),
    ("lad", "laplace"),
    ("double-exponential", "laplace"),
    ("median", "quantile:0.5"),
    ("lorentzian", "cauchy"),
];

fn unknown(text: &str, name: &str) -> InvalidNoise {
    let lower = name.to_lowercase();
    let other = OTHER_NAMES.iter().find(|(other, _)| *other == lower).map(|(_, own)| *own);
    let suggestion = match other {
        Some(own) => format!("; did you mean '{own}'? "),
        None => suggestion(name, FAMILIES.iter().map(|family| family.name)),
    };
    InvalidNoise { message: format!("no noise family '{text}'{suggestion}there are {}", usage()) }
}

/// No noise has this name or this parameter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InvalidNoise {
    message: String,
}

impl InvalidNoise {
    pub(super) fn new(text: &str, why: &str) -> Self {
        InvalidNoise { message: format!("'{text}': {why}") }
    }
}

impl std::fmt::Display for InvalidNoise {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for InvalidNoise {}

/// A finite number.
pub(super) fn number(text: &str) -> Option<f64> {
    text.trim().parse().ok().filter(|value: &f64| value.is_finite())
}
