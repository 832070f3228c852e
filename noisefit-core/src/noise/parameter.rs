//! The parameter of a family, such as the degrees of freedom of Student's t.

/// A parameter of a noise family: given with its name, left to be estimated, or estimated.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Parameter {
    /// A value that was given, and stays.
    Given(f64),
    /// To be estimated with the rest: there is no value yet, and no density.
    Free,
    /// The value that an estimate has found.
    Estimated(f64),
}

impl Parameter {
    /// The value; NaN while it is free, which every function of the family then is, too.
    #[inline]
    pub fn value(self) -> f64 {
        match self {
            Parameter::Given(value) | Parameter::Estimated(value) => value,
            Parameter::Free => f64::NAN,
        }
    }

    /// What was named: free again where it was estimated.
    #[must_use]
    pub fn named(self) -> Self {
        match self {
            Parameter::Estimated(_) => Parameter::Free,
            named => named,
        }
    }

    /// Whether it was given.
    pub fn is_given(self) -> bool {
        matches!(self, Parameter::Given(_))
    }
}
