//! Rows whose response has lost one term's part.

use serde::{Deserialize, Serialize};

use crate::algebra::affine::without_term;
use crate::record::Fit;
use crate::rows::{Adapted, Adaptor, Block, Layout, RowSource, Values};

/// `y - value x` on the other columns.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Moved {
    /// The column of the term; the intercept has none.
    column: Option<usize>,
    value: f64,
    /// The columns that are left.
    kept: Vec<usize>,
}

/// The rows of a fit where the coefficient in a place of its table has a value: without that term, and without aliased ones,
/// which might take its place.
pub(super) fn without<'a>(source: &'a dyn RowSource, fit: &Fit, place: usize, value: f64) -> Adapted<'a, Moved> {
    let layout = source.layout();
    let offset = usize::from(layout.intercept);
    let determined = |j: &usize| j + offset != place && fit.location.rows[j + offset].estimate.is_some();
    let kept: Vec<usize> = (0..layout.terms.len()).filter(determined).collect();
    let column = place.checked_sub(offset);
    let layout = Layout {
        terms: kept.iter().map(|&j| layout.terms[j].clone()).collect(),
        intercept: layout.intercept && column.is_some(),
        ..layout.clone()
    };
    Adapted::new(source, Moved { column, value, kept }, layout)
}

impl Adaptor for Moved {
    const KIND: &'static str = "moved";

    fn adapt(&mut self, block: &Block<'_>, next: &mut dyn FnMut(&Block<'_>)) {
        let Moved { column, value, kept } = self;
        let moved = without_term(block, *column, *value);
        let (high, low): (Vec<f64>, Vec<f64>) = moved.into_iter().map(|y| (y.high, y.low)).unzip();
        let design = block.design.chosen(kept);
        next(&Block { response: Values { high: &high, low: Some(&low) }, design: design.design(), ..*block });
    }
}
