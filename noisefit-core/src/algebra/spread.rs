//! How far the values of each column lie from one of them.

use serde::{Deserialize, Serialize};

use crate::rows::{Accumulator, Block};

/// Sums of every column, the response last.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Spread {
    pub(crate) rows: u64,
    /// The sum of the frequencies.
    pub(crate) weight: f64,
    pub(crate) columns: Vec<ColumnSpread>,
}

/// Sums of the distances from a value among them, and of their squares.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
pub(crate) struct ColumnSpread {
    pub(crate) origin: f64,
    pub(crate) sum: f64,
    pub(crate) squares: f64,
    /// The least and the largest value.
    pub(crate) ends: [f64; 2],
    /// Whether there are others.
    pub(crate) has_others: bool,
}

impl Spread {
    /// Of so many columns, the response among them, and no rows.
    pub(crate) fn new(columns: usize) -> Self {
        Spread { rows: 0, weight: 0.0, columns: vec![ColumnSpread::default(); columns] }
    }
}

impl ColumnSpread {
    /// Moves the ends out to a value.
    #[inline]
    fn see(&mut self, value: f64) {
        let [low, high] = self.ends;
        if value < low || value > high {
            // What was an end lies between now, unless both were one.
            self.has_others |= low < high;
            self.ends = [low.min(value), high.max(value)];
        } else {
            self.has_others |= low < value && value < high;
        }
    }
}

impl Accumulator for Spread {
    const KIND: &'static str = "column-spread";

    fn fold(&mut self, block: &Block<'_>) {
        let count = block.rows();
        let frequency = |i: usize| block.frequency(i);
        for (column, values) in
            self.columns.iter_mut().zip(block.design.dense_columns().iter().chain([&block.response]))
        {
            if let (0, Some(first)) = (self.rows, values.high.first()) {
                (column.origin, column.ends) = (*first, [*first; 2]);
            }
            for &value in values.high {
                column.see(value);
            }
            let (mut sum, mut squares) = (0.0, 0.0);
            for (i, value) in values.high.iter().enumerate() {
                let distance = value - column.origin;
                sum += frequency(i) * distance;
                squares += frequency(i) * distance * distance;
            }
            (column.sum, column.squares) = (column.sum + sum, column.squares + squares);
        }
        self.rows += count as u64;
        self.weight += (0..count).map(frequency).sum::<f64>();
    }

    fn merge(&mut self, later: Self) {
        if self.rows == 0 {
            *self = later;
            return;
        }
        for (mine, theirs) in self.columns.iter_mut().zip(&later.columns).filter(|_| later.rows > 0) {
            let shift = theirs.origin - mine.origin;
            mine.sum += theirs.sum + shift * later.weight;
            mine.squares += theirs.squares + shift * (2.0 * theirs.sum + shift * later.weight);
            theirs.ends.into_iter().for_each(|end| mine.see(end));
            mine.has_others |= theirs.has_others;
        }
        self.rows += later.rows;
        self.weight += later.weight;
    }

    fn rows(&self) -> u64 {
        self.rows
    }
}
