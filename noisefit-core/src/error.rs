//! What can go wrong in the mathematics, each with its payload.

/// An estimator could not do what was asked.
#[derive(Debug)]
#[non_exhaustive]
pub enum Error {
    /// Two inputs that describe the same rows or columns differ in size.
    Shape {
        /// What was being sized, such as `weights`.
        what: &'static str,
        /// The size that the other inputs imply.
        expected: usize,
        /// The size that was given.
        found: usize,
    },
    /// A value that no estimator can use: NaN, infinite, or outside its domain.
    Value {
        /// Which input, such as `weights` or a term's name.
        what: String,
        /// 0-based row.
        row: u64,
        /// The value.
        value: f64,
        /// What was expected of it.
        expected: &'static str,
    },
    /// An argument outside its domain.
    Argument {
        /// Its name.
        name: &'static str,
        /// The value given.
        value: f64,
        /// What it must be.
        expected: &'static str,
    },
    /// Numbers whose squares, or those of what is computed from them, leave the range of a double.
    Range {
        /// The column, or what was computed.
        what: String,
        /// The size of its largest number.
        size: f64,
    },
    /// No row is left to fit.
    NoRows,
    /// The design is rank deficient and the caller asked for a refusal.
    Collinear {
        /// The terms that are linear combinations of earlier ones.
        terms: Vec<String>,
    },
    /// A likelihood that grows without bound towards a scale of zero.
    Unbounded(Unbounded),
    /// Rows that do not determine a model which has an estimator.
    Undetermined {
        /// What is not determined, and why.
        why: String,
        /// What to do about it, where there is something.
        remedy: Option<&'static str>,
    },
    /// Training whose loss exploded: in which epoch, why probably, and what to change.
    Diverged(String),
    /// A combination of choices that has no estimator: what it is and what to do instead.
    Unsupported(String),
    /// A saved state that cannot be loaded: damaged, or of another kind, version or parameter.
    State(String),
    /// The row source failed: an unreadable file, a bad value in it, an interruption.
    Source(Box<dyn std::error::Error + Send + Sync>),
}

impl std::fmt::Display for Error {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Error::Shape { what, expected, found } => {
                write!(f, "{what} has {found} values where {expected} were expected")
            }
            Error::Value { what, row, value, expected } => {
                write!(f, "{what}, row {}: {value} where {expected} was expected", row + 1)
            }
            Error::Argument { name, value, expected } => {
                write!(f, "{name} is {value} and must be {expected}")
            }
            Error::Range { .. } => write!(f, "{}; choose other units, a power of ten away", self.cause()),
            Error::NoRows => write!(f, "no rows to fit"),
            Error::Collinear { .. } => write!(f, "{}; leave them out of the formula", self.cause()),
            Error::Unbounded(unbounded) => unbounded.fmt(f),
            Error::Undetermined { why, remedy: Some(remedy) } => write!(f, "{why}; {remedy}"),
            Error::Undetermined { why, remedy: None } => f.write_str(why),
            Error::Unsupported(what) | Error::Diverged(what) => f.write_str(what),
            Error::State(why) => write!(f, "saved state refused: {why}"),
            Error::Source(source) => write!(f, "{source}"),
        }
    }
}

impl Error {
    /// What is wrong, without what to do about it.
    pub fn cause(&self) -> String {
        match self {
            Error::Unbounded(unbounded) => unbounded.cause(),
            Error::Undetermined { why, .. } => why.clone(),
            Error::Range { what, size } => {
                format!("{what} is of size {size:.0e}, whose square leaves the range of a double")
            }
            Error::Collinear { terms } => format!("linear combinations of earlier terms: {}", listed(terms)),
            _ => self.to_string(),
        }
    }
}

/// Where a likelihood has no bound: around observations that are fitted exactly it grows without end as the scale shrinks to
/// zero.
#[derive(Debug, Clone, PartialEq)]
pub enum Unbounded {
    /// One scale shrinks under noise of the degrees of freedom that were named.
    Here {
        /// Observations that are fitted exactly.
        exact: f64,
        /// All.
        observations: f64,
    },
    /// One scale would shrink under noise of fewer degrees of freedom than these leave.
    BelowDegrees {
        /// Observations that can be fitted exactly.
        exact: f64,
        /// All.
        observations: f64,
    },
    /// A modelled scale shrinks in a part of its design.
    Where {
        /// The part: `where group[b] is 1`, `towards one end of x`.
        place: String,
        /// Observations that are fitted exactly.
        exact: f64,
        /// All.
        observations: f64,
    },
}

impl Unbounded {
    /// What is wrong, without what to do about it.
    pub fn cause(&self) -> String {
        let no_bound = "the likelihood has no bound:";
        match self {
            Unbounded::Here { exact, observations } => format!(
                "{no_bound} {exact} of {observations} observations are fitted exactly, and with tails this heavy the scale \
                 shrinks to zero around them"
            ),
            Unbounded::BelowDegrees { exact, observations } => format!(
                "{no_bound} {exact} of {observations} observations can be fitted exactly, and for fewer than {:.2} degrees of \
                 freedom it grows without end as the scale shrinks to zero around them",
                least_degrees(*exact, *observations)
            ),
            Unbounded::Where { place, exact, observations } => format!(
                "{no_bound} the scale shrinks to zero {place}, where {exact} of {observations} observations are fitted exactly"
            ),
        }
    }

    /// What to do about it.
    pub fn remedy(&self) -> String {
        match self {
            Unbounded::Here { exact, observations } => format!(
                "give more degrees of freedom than {:.2} (student-t:DF), or leave out terms",
                least_degrees(*exact, *observations)
            ),
            Unbounded::BelowDegrees { .. } => "give more degrees of freedom than that (student-t:DF)".to_owned(),
            Unbounded::Where { .. } => {
                "leave that term out of the scale's formula, or terms of the mean that fit these rows by themselves"
                    .to_owned()
            }
        }
    }
}

/// The degrees of freedom up to which Student's likelihood has no bound where `exact` of the observations can be fitted
/// exactly (Fernandez and Steel 1999, *Biometrika* 86, 153-167).
pub(crate) fn least_degrees(exact: f64, observations: f64) -> f64 {
    exact / (observations - exact)
}

impl std::fmt::Display for Unbounded {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}; {}", self.cause(), self.remedy())
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Error::Source(source) => Some(source.as_ref()),
            _ => None,
        }
    }
}

/// Names in a sentence: the first ones, and how many more there are.
pub(crate) fn listed(names: &[String]) -> String {
    const SHOWN: usize = 12;
    match names.len().checked_sub(SHOWN + 2) {
        None => names.join(", "),
        Some(_) => format!("{} and {} more", names[..SHOWN].join(", "), names.len() - SHOWN),
    }
}
