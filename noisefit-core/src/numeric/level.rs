//! Probabilities that are neither 0 nor 1.

use crate::Error;

/// A level strictly between 0 and 1: that of an interval, or of a quantile.
///
/// ```
/// use noisefit_core::numeric::Level;
///
/// assert_eq!("0.95".parse::<Level>().unwrap().value(), 0.95);
/// assert_eq!("95".parse::<Level>().unwrap_err().to_string(), "a level lies between 0 and 1, such as 0.95");
/// assert_eq!(Level::new(1.0).unwrap_err().to_string(), "level is 1 and must be between 0 and 1");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd)]
pub struct Level(f64);

impl Level {
    /// The level of an interval.
    ///
    /// # Errors
    /// [`Error::Argument`] for a number outside (0, 1).
    pub fn new(level: f64) -> Result<Self, Error> {
        Self::named("level", level)
    }

    /// A level that an error calls by another name.
    ///
    /// # Errors
    /// [`Error::Argument`] for a number outside (0, 1).
    pub fn named(name: &'static str, level: f64) -> Result<Self, Error> {
        Self::within(level).ok_or(Error::Argument { name, value: level, expected: "between 0 and 1" })
    }

    fn within(level: f64) -> Option<Self> {
        (level > 0.0 && level < 1.0).then_some(Level(level))
    }

    /// The number.
    pub fn value(self) -> f64 {
        self.0
    }
}

/// What is written is no level.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InvalidLevel;

impl std::fmt::Display for InvalidLevel {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a level lies between 0 and 1, such as 0.95")
    }
}

impl std::error::Error for InvalidLevel {}

impl std::str::FromStr for Level {
    type Err = InvalidLevel;

    fn from_str(text: &str) -> Result<Self, InvalidLevel> {
        text.parse().ok().and_then(Level::within).ok_or(InvalidLevel)
    }
}
