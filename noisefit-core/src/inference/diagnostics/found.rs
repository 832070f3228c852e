//! A number that a diagnosis found, or why there is none.

use serde::Serialize;

use crate::numeric::distribution::{ChiSquared, Distribution, FisherF};

/// What was found; where there is nothing to find, why.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Found<T> {
    /// The finding.
    Yes(T),
    /// There is none.
    No {
        /// Why, to follow "because".
        not_defined_because: String,
    },
}

impl<T> Found<T> {
    pub(super) fn no(why: impl Into<String>) -> Self {
        Found::No { not_defined_because: why.into() }
    }

    /// The finding, where there is one.
    pub fn as_ref(&self) -> Option<&T> {
        match self {
            Found::Yes(found) => Some(found),
            Found::No { .. } => None,
        }
    }

    /// Why there is none.
    pub fn why_not(&self) -> Option<&str> {
        match self {
            Found::Yes(_) => None,
            Found::No { not_defined_because } => Some(not_defined_because),
        }
    }

    pub(super) fn and_then<U>(self, next: impl FnOnce(T) -> Found<U>) -> Found<U> {
        match self {
            Found::Yes(found) => next(found),
            Found::No { not_defined_because } => Found::No { not_defined_because },
        }
    }
}

/// A statistic that has a chi-squared distribution under the hypothesis.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ChiSquaredTest {
    /// The statistic.
    pub statistic: f64,
    /// Its degrees of freedom.
    pub df: f64,
    /// The probability of a larger one under the hypothesis.
    pub p_value: f64,
}

impl ChiSquaredTest {
    pub(super) fn new(statistic: f64, df: f64) -> Found<Self> {
        match ChiSquared::new(df) {
            Ok(distribution) if !statistic.is_nan() => {
                Found::Yes(ChiSquaredTest { statistic, df, p_value: distribution.survival(statistic) })
            }
            Ok(_) => Found::no("its statistic leaves the range of a double"),
            Err(_) => Found::no("it has no degrees of freedom"),
        }
    }
}

/// A statistic that has Fisher's F distribution under the hypothesis.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct FisherTest {
    /// The statistic.
    pub statistic: f64,
    /// Degrees of freedom of the numerator.
    pub df: f64,
    /// Degrees of freedom of the denominator.
    pub df_residual: f64,
    /// The probability of a larger one under the hypothesis.
    pub p_value: f64,
}

impl FisherTest {
    /// Of `explained` on `df` degrees of freedom against `residual` on `df_residual`.
    pub(super) fn new(explained: f64, df: f64, residual: f64, df_residual: f64) -> Found<Self> {
        let statistic = (explained / df) / (residual / df_residual);
        match FisherF::new(df, df_residual) {
            Ok(distribution) if !statistic.is_nan() => {
                Found::Yes(FisherTest { statistic, df, df_residual, p_value: distribution.survival(statistic) })
            }
            Ok(_) => Found::no("the residuals are all zero"),
            Err(_) => Found::no("there are too few observations for it"),
        }
    }
}
