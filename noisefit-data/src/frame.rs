//! A piece of a table in memory: a few columns of consecutive records.

use serde::{Deserialize, Serialize};

pub use crate::texts::Texts;

/// What a column of a data set holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Integers and floating-point numbers.
    Number,
    /// True and false: a category with the levels `false` and `true`.
    Boolean,
    /// Calendar dates: a number, in days since 1970-01-01.
    Date,
    /// Points in time: a number, in seconds since 1970-01-01T00:00:00Z.
    Timestamp,
    /// Text: a category.
    Text,
}

impl Kind {
    /// Whether its columns are read as [`Column::Category`].
    pub fn is_category(self) -> bool {
        matches!(self, Kind::Boolean | Kind::Text)
    }

    /// Its values in messages, such as `numbers`.
    pub fn plural(self) -> &'static str {
        match self {
            Kind::Number => "numbers",
            Kind::Boolean => "true and false",
            Kind::Date => "dates",
            Kind::Timestamp => "points in time",
            Kind::Text => "text",
        }
    }
}

/// A column of a data set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Field {
    /// Its name, as in the header.
    pub name: String,
    /// What it holds.
    pub kind: Kind,
    /// How its values are written in a text file, where that was said.
    pub written: Written,
}

impl Field {
    /// A column whose values are written as computers write them.
    pub fn new(name: impl Into<String>, kind: Kind) -> Self {
        Field { name: name.into(), kind, written: Written::Plain }
    }
}

/// How the values of a column are written in a text file, where a reader was told: a model remembers it, and reads new data so, too.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Written {
    /// As computers write them.
    #[default]
    Plain,
    /// Numbers with marks between thousands, a currency, a percent sign: `$1,234.50`.
    Marked,
    /// Dates in a format, such as `%d/%m/%Y`.
    Dates(String),
}

/// The integers of 64 bits beyond 2^53, by their size.
const LONG: std::ops::Range<f64> = 9_007_199_254_740_992.0..18_446_744_073_709_551_616.0;

/// The code of a missing value in [`Column::Category`].
pub const MISSING: u32 = u32::MAX;

/// The values of one column.
#[derive(Debug, Clone)]
pub enum Column {
    /// Numbers, dates and times. Missing values are NaN; infinite ones are kept.
    Number {
        /// The doubles.
        high: Vec<f64>,
        /// What the doubles leave out of the decimals in the file, where it was asked for and is known.
        low: Option<Vec<f64>>,
    },
    /// Text and booleans: `levels[codes[i]]`, or [`MISSING`]. The levels are different texts, among them those that occur in this frame;
    /// another frame may code the same text differently.
    Category {
        /// One code a row.
        codes: Vec<u32>,
        /// The texts.
        levels: Texts,
    },
}

impl Column {
    /// The number of rows.
    pub fn len(&self) -> usize {
        match self {
            Column::Number { high, .. } => high.len(),
            Column::Category { codes, .. } => codes.len(),
        }
    }

    /// Whether there is no row.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether it has values, given what it holds, whose low words are part of them rather than the rounding of a decimal: integers
    /// of such a size that not all are doubles, and parts of seconds.
    pub(crate) fn is_beyond_doubles(&self, kind: Kind) -> bool {
        let Column::Number { high, low } = self else { return false };
        match kind {
            // An integer of 64 bits beyond 2^53 may be one that happens to be a double, among others that are not.
            Kind::Number => high.iter().any(|value| LONG.contains(&value.abs())),
            _ => low.iter().flatten().any(|&low| low != 0.0),
        }
    }
}

/// Consecutive records of one file, with the columns that were asked for, in the order they were asked for.
#[derive(Debug, Clone)]
pub struct Frame {
    /// Which of the data set's files the records are from.
    pub file: usize,
    /// The number of records before these in the same unit of work. Where the unit stands in its file is known only when
    /// results are put in order, and told with them ([`Origin`](crate::read::Origin)).
    pub first_record: u64,
    /// The number of records.
    pub rows: usize,
    /// The columns.
    pub columns: Vec<Column>,
}

impl Frame {
    /// The same frame with another column at a place.
    #[must_use]
    pub fn with_column(&self, place: usize, column: Column) -> Frame {
        let columns = self.columns.iter().enumerate();
        let columns = columns.map(|(at, own)| if at == place { column.clone() } else { own.clone() }).collect();
        Frame { columns, ..*self }
    }
}
