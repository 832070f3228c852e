//! Rows whose response has lost one term's part.

use crate::numeric::double_double::DoubleDouble;
use crate::record::Fit;
use crate::rows::{Block, Derive, Derived, Layout, RowSource, Values};

/// `y - value x` on the other columns.
#[derive(Debug, Clone)]
pub(super) struct Moved {
    /// The column of the term; the intercept has none.
    column: Option<usize>,
    value: f64,
    /// The columns that are left.
    kept: Vec<usize>,
}

/// The rows of a fit where the coefficient in a place of its table has a value: without that term, and without aliased ones,
/// which might take its place.
pub(super) fn without<'a, S: RowSource>(source: &'a S, fit: &Fit, place: usize, value: f64) -> Derived<'a, S, Moved> {
    let layout = source.layout();
    let offset = usize::from(layout.intercept);
    let determined = |j: &usize| j + offset != place && fit.coefficients[j + offset].estimate.is_some();
    let kept: Vec<usize> = (0..layout.terms.len()).filter(determined).collect();
    let column = place.checked_sub(offset);
    let layout = Layout {
        terms: kept.iter().map(|&j| layout.terms[j].clone()).collect(),
        intercept: layout.intercept && column.is_some(),
        ..layout.clone()
    };
    Derived { source, derive: Moved { column, value, kept }, layout }
}

impl Derive for Moved {
    fn derive(&self, block: &Block<'_>, next: impl FnOnce(&Block<'_>)) {
        let Moved { column, value, kept } = self;
        let part = |i: usize| match column.map(|j| block.design[j]) {
            None => DoubleDouble::from(*value),
            Some(x) => DoubleDouble::from_sum(x.high[i], x.low(i)) * *value,
        };
        let moved = |i: usize| DoubleDouble::from_sum(block.response.high[i], block.response.low(i)) - part(i);
        let (high, low): (Vec<f64>, Vec<f64>) = (0..block.rows()).map(moved).map(|y| (y.high, y.low)).unzip();
        let design: Vec<Values<'_>> = kept.iter().map(|&j| block.design[j]).collect();
        next(&Block { response: Values { high: &high, low: Some(&low) }, design: &design, ..*block });
    }

    fn parameters(&self) -> Vec<f64> {
        let columns = self.column.iter().chain(&self.kept).map(|&j| j as f64);
        columns.chain([self.value, if self.column.is_some() { 1.0 } else { 0.0 }]).collect()
    }
}
