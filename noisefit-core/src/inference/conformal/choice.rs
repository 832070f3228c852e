//! How a user asks for conformal intervals.

use serde::{Deserialize, Serialize};

use crate::Error;

/// How rows that a fit has not seen are come by.
///
/// ```
/// use noisefit_core::inference::conformal::Scheme;
///
/// assert_eq!("cv+".parse(), Ok(Scheme::CvPlus));
/// assert_eq!(Scheme::JackknifePlus.to_string(), "jackknife+");
/// let error = "cv".parse::<Scheme>().unwrap_err();
/// assert_eq!(error.to_string(), "no conformal method 'cv'; there are split, cv+, jackknife+");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum Scheme {
    /// `split`: some rows calibrate, the others are fitted.
    #[default]
    #[serde(rename = "split")]
    Split,
    /// `cv+`: each row is in one of several folds, and the model is fitted without each of these.
    #[serde(rename = "cv+")]
    CvPlus,
    /// `jackknife+`: the same where each row is a fold of its own.
    #[serde(rename = "jackknife+")]
    JackknifePlus,
}

impl std::fmt::Display for Scheme {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Scheme::Split => "split",
            Scheme::CvPlus => "cv+",
            Scheme::JackknifePlus => "jackknife+",
        })
    }
}

impl std::str::FromStr for Scheme {
    type Err = InvalidScheme;

    fn from_str(text: &str) -> Result<Self, InvalidScheme> {
        match text {
            "split" => Ok(Scheme::Split),
            "cv+" => Ok(Scheme::CvPlus),
            "jackknife+" => Ok(Scheme::JackknifePlus),
            other => Err(InvalidScheme { text: other.to_owned() }),
        }
    }
}

/// No method has this name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InvalidScheme {
    text: String,
}

impl std::fmt::Display for InvalidScheme {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "no conformal method '{}'; there are split, cv+, jackknife+", self.text)
    }
}

impl std::error::Error for InvalidScheme {}

/// How conformal intervals are to be calibrated.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Plan {
    /// How rows that a fit has not seen are come by.
    pub method: Scheme,
    /// The share of the rows that is kept from the fit, to a hundredth, with [`Scheme::Split`].
    pub calibration: f64,
    /// The number of folds with [`Scheme::CvPlus`].
    pub folds: usize,
}

impl Default for Plan {
    fn default() -> Self {
        Plan { method: Scheme::Split, calibration: 0.25, folds: 10 }
    }
}

impl Plan {
    pub(crate) fn check(&self) -> Result<(), Error> {
        if !(0.01..=0.99).contains(&self.calibration) {
            let (name, value) = ("the share that calibrates", self.calibration);
            return Err(Error::Argument { name, value, expected: "between 0.01 and 0.99" });
        }
        if self.folds < 2 {
            let (name, value) = ("the number of folds", self.folds as f64);
            return Err(Error::Argument { name, value, expected: "2 or more" });
        }
        Ok(())
    }
}
