//! What the first pass over a design's rows sees that a reader should know: a response of another kind than the noise is of, and
//! columns that doubles do not hold.

use std::fmt;

use crate::frame::{Column, Frame};
use crate::read::number;

/// A response of more different values than this is one of measurements.
const FEW: usize = 5;

/// Of whole numbers from zero on this many different ones may be counts.
const MOST_COUNTS: usize = 20;

/// Of fewer rows few different values say nothing.
const LEAST_ROWS: u64 = 30;

/// Something to know of the data of a fit.
#[derive(Debug, Clone, PartialEq)]
pub enum Remark {
    /// The response has two values.
    TwoValues {
        /// Its name.
        response: String,
        /// The values, the smaller first.
        values: [f64; 2],
    },
    /// The response has few values, all of them whole.
    FewValues {
        /// Its name.
        response: String,
        /// How many.
        count: usize,
    },
    /// The response has whole numbers from zero on, more than a few and not many.
    Counts {
        /// Its name.
        response: String,
        /// The largest.
        largest: f64,
    },
    /// All values of the response lie from 0 to 1, and not all of them are whole.
    Shares {
        /// Its name.
        response: String,
    },
    /// A column of integers of which a double is not all stands in the formula as it is.
    LongIntegers {
        /// Its name.
        column: String,
    },
}

impl fmt::Display for Remark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Remark::TwoValues { response, values: [low, high] } => write!(
                f,
                "{response} has two values, {low} and {high}: a model of how probable they are (logistic regression, which is not \
                 logistic noise) is of another kind, and not here; this one is of their mean"
            ),
            Remark::FewValues { response, count } => write!(
                f,
                "{response} has {count} values, all of them whole: models of counts (Poisson regression) and of grades (ordinal \
                 regression) are of another kind, and not here; this one takes them for measurements"
            ),
            Remark::Counts { response, largest } => write!(
                f,
                "{response} has whole numbers from 0 to {largest}: if they count something, models of counts (Poisson regression) are of \
                 another kind, and not here; this one takes them for measurements"
            ),
            Remark::Shares { response } => write!(
                f,
                "{response} lies from 0 to 1: if it is a share of something, models of shares (beta regression) are of another kind, \
                 and not here; this one may predict beyond 0 and 1"
            ),
            Remark::LongIntegers { column } => write!(
                f,
                "column {column} has integers beyond 2^53, and what is not classical least squares or a quantile sees only their \
                 doubles: write center({column}), which keeps all digits"
            ),
        }
    }
}

/// What is seen of the rows.
#[derive(Debug, Clone, serde::Serialize, serde::Deserialize)]
pub(crate) struct Seen {
    rows: u64,
    /// The different values of the response, no more of them than one above those that may be counts.
    values: Vec<f64>,
    /// Whether all are whole, and whether all lie from 0 to 1.
    whole: bool,
    shares: bool,
    /// Places of columns that have long integers.
    long: Vec<usize>,
}

impl Default for Seen {
    fn default() -> Self {
        Seen { rows: 0, values: Vec::new(), whole: true, shares: true, long: Vec::new() }
    }
}

impl Seen {
    /// Adds values of the response.
    pub fn add_response(&mut self, values: &[f64]) {
        self.rows += values.len() as u64;
        for &value in values {
            self.whole &= value.fract() == 0.0;
            self.shares &= (0.0..=1.0).contains(&value);
            if self.values.len() <= MOST_COUNTS && !self.values.contains(&value) {
                self.values.push(value);
            }
            if self.values.len() > MOST_COUNTS && !self.shares {
                return;
            }
        }
    }

    /// Looks at columns that stand in the formula as they are.
    pub fn add_columns(&mut self, frame: &Frame, columns: &[usize]) {
        for &place in columns {
            if let Some(Column::Number { high, low: Some(low) }) = frame.columns.get(place)
                && !self.long.contains(&place)
                && high.iter().zip(low).any(|(&high, &low)| number::is_long_integer(high, low))
            {
                self.long.push(place);
            }
        }
    }

    pub fn merge(&mut self, later: Seen) {
        self.rows += later.rows;
        self.whole &= later.whole;
        self.shares &= later.shares;
        for value in later.values {
            if self.values.len() <= MOST_COUNTS && !self.values.contains(&value) {
                self.values.push(value);
            }
        }
        self.long.extend(later.long);
    }

    /// What is to be said; the response's name where it is a column as it stands, and those of the columns that are read.
    pub fn finish(mut self, response: Option<&str>, name: impl Fn(usize) -> String) -> Vec<Remark> {
        let mut remarks = Vec::new();
        self.values.sort_by(f64::total_cmp);
        if let Some(response) = response.map(str::to_owned).filter(|_| self.rows >= LEAST_ROWS) {
            match self.values[..] {
                [low, high] => remarks.push(Remark::TwoValues { response, values: [low, high] }),
                [_, _, .., _] if self.values.len() <= FEW && self.whole => {
                    remarks.push(Remark::FewValues { response, count: self.values.len() });
                }
                [least, .., largest] if least == 0.0 && self.whole && self.values.len() <= MOST_COUNTS => {
                    remarks.push(Remark::Counts { response, largest });
                }
                [_, .., _] if self.shares && !self.whole => remarks.push(Remark::Shares { response }),
                _ => {}
            }
        }
        self.long.sort_unstable();
        self.long.dedup();
        remarks.extend(self.long.into_iter().map(|place| Remark::LongIntegers { column: name(place) }));
        remarks
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn remarks(values: impl Iterator<Item = f64>) -> Vec<Remark> {
        let values: Vec<f64> = values.collect();
        let mut all = Seen::default();
        for part in values.chunks(7) {
            let mut seen = Seen::default();
            seen.add_response(part);
            all.merge(seen);
        }
        all.finish(Some("y"), |_| String::new())
    }

    #[test]
    fn responses_of_another_kind() {
        let response = || "y".to_owned();
        let two = Remark::TwoValues { response: response(), values: [0.0, 1.0] };
        assert_eq!(remarks((0..30).map(|i| f64::from(i % 2))), [two]);
        assert_eq!(remarks((0..29).map(|i| f64::from(i % 2))), []);
        assert_eq!(remarks((0..40).map(|i| f64::from(i % 5))), [Remark::FewValues { response: response(), count: 5 }]);
        assert_eq!(remarks((0..40).map(|i| f64::from(i % 6))), [Remark::Counts { response: response(), largest: 5.0 }]);
        assert_eq!(remarks((0..40).map(|i| f64::from(i % 6 + 1))), []);
        assert_eq!(remarks((0..40).map(|i| f64::from(i % 21))), []);
        assert_eq!(remarks((0..40).map(|i| f64::from(i % 5) + 0.5)), []);
        assert_eq!(remarks((0..40).map(|i| f64::from(i) / 40.0)), [Remark::Shares { response: response() }]);
        assert_eq!(remarks((0..40).map(|i| f64::from(i) / 38.0)), []);
        assert_eq!(remarks((0..40).map(|_| 0.5)), [], "a constant");
    }
}
