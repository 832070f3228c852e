//! The noise that a user names, before anything is estimated.

use crate::noise::Huber;

/// A noise family as it is asked for: by name, with parameters given or left to be estimated.
///
/// ```
/// use noisefit_core::noise::Choice;
///
/// assert_eq!("quantile:0.1,0.5,0.9".parse(), Ok(Choice::Quantiles(vec![0.1, 0.5, 0.9])));
/// assert_eq!("student-t:4".parse(), Ok(Choice::StudentT { df: Some(4.0) }));
/// let error = "cauchy".parse::<Choice>().unwrap_err();
/// assert!(error.to_string().starts_with("no noise family 'cauchy'; there are gaussian, laplace, quantile:TAU"));
/// ```
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Choice {
    /// `gaussian`: least squares.
    Gaussian,
    /// `laplace`: least absolute deviations.
    Laplace,
    /// `quantile:TAU` or `quantile:TAU,TAU,...`: each quantile's asymmetric Laplace noise; ascending, each between 0 and 1.
    Quantiles(Vec<f64>),
    /// `huber`: Gaussian in the middle, exponential tails beyond `k` scales; the scale is estimated.
    Huber {
        /// Where the tails begin, in scales.
        k: f64,
        /// How the scale is estimated.
        scale: HuberScale,
    },
    /// `huber:DELTA`: the tails begin at `delta`, in units of the response.
    HuberFixed {
        /// Where the tails begin.
        delta: f64,
    },
    /// `student-t` or `student-t:DF`.
    StudentT {
        /// The degrees of freedom; estimated where not given.
        df: Option<f64>,
    },
    /// `logistic`.
    Logistic,
}

/// How the scale of Huber's noise is estimated.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub enum HuberScale {
    /// `mle`: by maximum likelihood, with the coefficients.
    #[default]
    MaximumLikelihood,
    /// `mad` or `mad:CONSTANT`: the median absolute residual over the constant.
    Mad {
        /// What the median is divided by: 0.6744897501960817, the third quartile of the standard normal, unless given.
        constant: f64,
    },
    /// `proposal2`: Huber's proposal 2, by the mean of the squared clipped residuals.
    Proposal2,
}

impl Choice {
    /// Huber's `k` where none is given: 95% efficient under Gaussian noise (Huber 1964, *Annals of Mathematical Statistics*
    /// 35, 73-101).
    pub const HUBER_K: f64 = 1.345;

    /// What can be named, in the order that messages list it.
    pub const NAMES: &[&str] = &[
        "gaussian",
        "laplace",
        "quantile:TAU[,TAU...]",
        "huber",
        "huber:DELTA",
        "student-t",
        "student-t:DF",
        "logistic",
    ];

    /// Whether the scale can be modelled: whether a family of location and scale is fitted by its likelihood.
    pub fn models_scale(&self) -> bool {
        matches!(self, Choice::Gaussian | Choice::Laplace | Choice::StudentT { .. } | Choice::Logistic)
    }
}

impl std::fmt::Display for Choice {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Choice::Gaussian => f.write_str("gaussian"),
            Choice::Laplace => f.write_str("laplace"),
            Choice::Quantiles(levels) => {
                let levels: Vec<_> = levels.iter().map(f64::to_string).collect();
                write!(f, "quantile:{}", levels.join(","))
            }
            Choice::Huber { .. } => f.write_str("huber"),
            Choice::HuberFixed { delta } => write!(f, "huber:{delta}"),
            Choice::StudentT { df: None } => f.write_str("student-t"),
            Choice::StudentT { df: Some(df) } => write!(f, "student-t:{df}"),
            Choice::Logistic => f.write_str("logistic"),
        }
    }
}

impl std::str::FromStr for Choice {
    type Err = InvalidChoice;

    fn from_str(text: &str) -> Result<Self, InvalidChoice> {
        let (name, parameter) = match text.split_once(':') {
            Some((name, parameter)) => (name, Some(parameter)),
            None => (text, None),
        };
        match (name, parameter) {
            ("gaussian", None) => Ok(Choice::Gaussian),
            ("laplace", None) => Ok(Choice::Laplace),
            ("logistic", None) => Ok(Choice::Logistic),
            ("quantile", Some(levels)) => quantiles(text, levels),
            ("quantile", None) => Err(invalid(text, "a quantile needs its level, such as quantile:0.9")),
            ("huber", None) => Ok(Choice::Huber { k: Choice::HUBER_K, scale: HuberScale::default() }),
            ("huber", Some(delta)) => {
                let delta = number(delta).filter(|delta| *delta > 0.0);
                delta.map(|delta| Choice::HuberFixed { delta }).ok_or_else(|| {
                    invalid(text, "delta, where squares turn into lines, is a positive number in units of the response")
                })
            }
            ("student-t", None) => Ok(Choice::StudentT { df: None }),
            ("student-t", Some(df)) => {
                let df = number(df).filter(|df| *df >= 0.5);
                df.map(|df| Choice::StudentT { df: Some(df) })
                    .ok_or_else(|| invalid(text, "the degrees of freedom are a number of 0.5 or more"))
            }
            ("gaussian" | "laplace" | "logistic", Some(_)) => {
                Err(invalid(text, "this family has no parameter; write its name alone"))
            }
            _ => Err(InvalidChoice {
                message: format!("no noise family '{text}'; there are {}", Choice::NAMES.join(", ")),
            }),
        }
    }
}

fn number(text: &str) -> Option<f64> {
    text.trim().parse().ok().filter(|value: &f64| value.is_finite())
}

fn quantiles(text: &str, levels: &str) -> Result<Choice, InvalidChoice> {
    let level = |level: &str| number(level).filter(|tau| *tau > 0.0 && *tau < 1.0);
    let levels: Option<Vec<f64>> = levels.split(',').map(level).collect();
    let mut levels = levels.ok_or_else(|| invalid(text, "levels lie between 0 and 1, such as quantile:0.1,0.5,0.9"))?;
    levels.sort_by(f64::total_cmp);
    levels.dedup();
    Ok(Choice::Quantiles(levels))
}

fn invalid(text: &str, why: &str) -> InvalidChoice {
    InvalidChoice { message: format!("'{text}': {why}") }
}

impl std::str::FromStr for HuberScale {
    type Err = InvalidChoice;

    fn from_str(text: &str) -> Result<Self, InvalidChoice> {
        match (text, text.strip_prefix("mad:")) {
            ("mle", _) => Ok(HuberScale::MaximumLikelihood),
            ("mad", _) => Ok(HuberScale::Mad { constant: Huber::NORMAL_QUARTILE }),
            ("proposal2", _) => Ok(HuberScale::Proposal2),
            (_, Some(constant)) => {
                let constant = number(constant).filter(|constant| *constant > 0.0);
                constant.map(|constant| HuberScale::Mad { constant }).ok_or_else(|| {
                    invalid(text, "the constant is a positive number, such as mad:0.6745 for that of MASS")
                })
            }
            _ => Err(invalid(text, "the scale of Huber's noise is mle, mad, mad:CONSTANT or proposal2")),
        }
    }
}

impl std::fmt::Display for HuberScale {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            HuberScale::MaximumLikelihood => f.write_str("mle"),
            HuberScale::Mad { constant } if *constant == Huber::NORMAL_QUARTILE => f.write_str("mad"),
            HuberScale::Mad { constant } => write!(f, "mad:{constant}"),
            HuberScale::Proposal2 => f.write_str("proposal2"),
        }
    }
}

/// No noise has this name or this parameter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InvalidChoice {
    message: String,
}

impl std::fmt::Display for InvalidChoice {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for InvalidChoice {}
