//! One pass: the largest number of each column, and the first that is not finite.

use serde::{Deserialize, Serialize};

use crate::Error;
use crate::algebra::moments::Moments;
use crate::rows::{Accumulator, Block};

/// Run when moments over- or underflowed, to scale the columns or to name the value that cannot be used.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Magnitudes {
    rows: u64,
    /// The largest finite absolute values, the response last.
    largest: Vec<f64>,
    /// Row, column and value of the first number that is not finite.
    bad: Option<(u64, usize, f64)>,
}

impl Magnitudes {
    pub(crate) fn new(columns: usize) -> Self {
        Magnitudes { rows: 0, largest: vec![0.0; columns + 1], bad: None }
    }

    /// The first number that is not finite, as an error naming its column.
    pub(crate) fn bad_value(&self, names: &[String], response: &str) -> Option<Error> {
        let (row, column, value) = self.bad?;
        let what = names.get(column).map_or(response, String::as_str).to_owned();
        Some(Error::Value { what, row, value, expected: "a finite number" })
    }

    /// The first column of numbers so large or small that a covariance in their unit would over- or underflow.
    pub(crate) fn out_of_range(&self, names: &[String], response: &str) -> Option<Error> {
        let fits = |size: f64| size == 0.0 || (1e-152..1e152).contains(&size);
        let column = self.largest.iter().position(|&size| !fits(size))?;
        let what = names.get(column).map_or(response, String::as_str).to_owned();
        Some(Error::Range { what, size: self.largest[column] })
    }

    /// Empty moments whose columns are scaled so that the largest value of each is near one.
    pub(crate) fn scaled_moments(&self, centred: bool) -> Moments {
        let scale = |&largest: &f64| match largest {
            0.0 => 1.0,
            // Two steps keep the power itself within range for subnormal numbers.
            _ => (-largest.log2().floor()).clamp(-1022.0, 1022.0).exp2(),
        };
        Moments::scaled(self.largest.iter().map(scale).collect(), centred)
    }
}

impl Accumulator for Magnitudes {
    const KIND: &'static str = "magnitudes";

    fn fold(&mut self, block: &Block<'_>) {
        for j in 0..self.largest.len() {
            let values = block.design.dense_columns().get(j).map_or(block.response.high, |values| values.high);
            for (i, &value) in values.iter().enumerate() {
                let row = self.rows + i as u64;
                if !value.is_finite() {
                    if self.bad.is_none_or(|(first, ..)| row < first) {
                        self.bad = Some((row, j, value));
                    }
                } else if value.abs() > self.largest[j] {
                    self.largest[j] = value.abs();
                }
            }
        }
        self.rows += block.rows() as u64;
    }

    fn merge(&mut self, later: Self) {
        for (mine, theirs) in self.largest.iter_mut().zip(later.largest) {
            *mine = mine.max(theirs);
        }
        let later_bad = later.bad.map(|(row, column, value)| (self.rows + row, column, value));
        self.bad = self.bad.or(later_bad);
        self.rows += later.rows;
    }

    fn rows(&self) -> u64 {
        self.rows
    }
}
