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
    /// A likelihood that grows without bound towards a scale of zero: which rows are fitted exactly, and what to do.
    Unbounded(String),
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
            Error::Range { what, size } => write!(
                f,
                "{what} is of size {size:.0e}, whose square leaves the range of a double; choose other units, a power of ten away"
            ),
            Error::NoRows => write!(f, "no rows to fit"),
            Error::Collinear { terms } => {
                write!(f, "linear combinations of earlier terms: {}; leave them out of the formula", terms.join(", "))
            }
            Error::Unbounded(what) | Error::Unsupported(what) | Error::Diverged(what) => f.write_str(what),
            Error::State(why) => write!(f, "saved state refused: {why}"),
            Error::Source(source) => write!(f, "{source}"),
        }
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
