//! One pass: every row, taken into memory.

use serde::{Deserialize, Serialize};

use crate::algebra::Coordinates;
use crate::estimate::vertex::rows::Rows;
use crate::rows::{Accumulator, Block, Precision};

/// All rows, in shifted and scaled columns of two words.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Collect {
    coordinates: Coordinates,
    precision: Precision,
    rows: Rows,
}

impl Collect {
    pub(super) fn new(coordinates: Coordinates, precision: Precision) -> Self {
        let rows = Rows::new(coordinates.coefficients());
        Collect { coordinates, precision, rows }
    }

    pub(super) fn finish(self) -> Rows {
        self.rows
    }
}

/// What the loss of row `i` counts: `f sqrt(w)`.
pub(super) fn multiplier(block: &Block<'_>, i: usize) -> f64 {
    block.frequency(i) * block.root_weight(i)
}

impl Accumulator for Collect {
    const KIND: &'static str = "collect";

    fn fold(&mut self, block: &Block<'_>) {
        let multipliers: Vec<f64> = (0..block.rows()).map(|i| multiplier(block, i)).collect();
        let Collect { coordinates, rows, .. } = self;
        rows.extend(coordinates, |j, words| coordinates.extend(block, j, words), &multipliers);
    }

    fn merge(&mut self, later: Self) {
        self.rows.append(later.rows);
    }

    fn rows(&self) -> u64 {
        self.rows.len() as u64
    }

    fn precision(&self) -> Precision {
        self.precision
    }
}
