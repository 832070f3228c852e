//! How files are to be read.

use super::format::Format;
use super::kinds::KindsMet;
use super::notation::DateFormat;
use crate::error::DataError;
use crate::frame::{Field, Written};

/// How files are to be read.
#[derive(Debug, Clone)]
pub struct ReadOptions {
    /// The format of all files; `None` to tell it from their first bytes and names.
    pub format: Option<Format>,
    /// What separates the fields of a CSV file; `None` to find out. A tab for TSV if it is not given.
    pub delimiter: Option<u8>,
    /// Whether the first record of a CSV or TSV file holds the names of the columns. They are `V1`, `V2`, ... otherwise.
    pub header: bool,
    /// Texts that stand for a missing value, beside nothing at all, `NA`, `N/A`, `NaN`, `nan`, `null` and `NULL`. One that
    /// is a number, such as `-999`, makes equal numbers missing in files of every format.
    pub missing: Vec<String>,
    /// Columns that are to be read as text whatever they look like.
    pub text: Vec<String>,
    /// What stands before the decimals in text files: a point or a comma. `None` for a comma in columns that cannot be read
    /// otherwise, where it does not separate the fields.
    pub decimal: Option<u8>,
    /// Columns that are to be read as numbers whatever stands between their digits: marks between thousands, currencies,
    /// percent signs.
    pub number: Vec<String>,
    /// How dates are written, beside ISO 8601.
    pub date: Option<DateFormat>,
    /// What columns hold, where a model was fitted to them: they are read so, whatever they look like. Those that are not in
    /// the files are no error here.
    pub known: Vec<Field>,
    /// What an earlier reading has met in columns whose kind the heads of the files do not settle; none before one.
    pub met: Option<KindsMet>,
    /// The number of threads, at least 1.
    pub threads: usize,
}

impl Default for ReadOptions {
    /// Everything found out, a header, and as many threads as there are processors.
    fn default() -> Self {
        let threads = std::thread::available_parallelism().map_or(1, |count| count.get());
        ReadOptions {
            format: None,
            delimiter: None,
            header: true,
            missing: Vec::new(),
            text: Vec::new(),
            decimal: None,
            number: Vec::new(),
            date: None,
            known: Vec::new(),
            met: None,
            threads,
        }
    }
}

/// How much of a decimal in a text file is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Decimals {
    /// The nearest double.
    Double,
    /// Also what the double leaves out, [`Column::Number`](crate::frame::Column::Number)'s `low`. It is 0 for decimals of
    /// more than 15 significant digits, which are presumably printed doubles, and for those below 10^-22 or so.
    WithLow,
}

impl ReadOptions {
    /// How dates are written, beside ISO 8601: as was said, or as in the files that a model was fitted to.
    pub(super) fn dates(&self) -> Option<DateFormat> {
        let known = |field: &Field| match &field.written {
            Written::Dates(format) => format.parse().ok(),
            Written::Plain | Written::Marked => None,
        };
        self.date.clone().or_else(|| self.known.iter().find_map(known))
    }

    /// Refuses delimiters that are part of numbers, quotes or line ends.
    pub(super) fn check(&self) -> Result<(), DataError> {
        match self.delimiter {
            Some(delimiter)
                if delimiter.is_ascii_alphanumeric() || b"\"\r\n.+-".contains(&delimiter) || !delimiter.is_ascii() =>
            {
                let shown = delimiter.escape_ascii();
                Err(DataError::Option(format!(
                    "`{shown}` cannot be a delimiter; take a tab, a comma, a semicolon, a space, `|`, ..."
                )))
            }
            _ => Ok(()),
        }
    }
}
