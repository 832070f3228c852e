//! Rows outside the data of a fit, by the ranges that columns of numbers had there.

use std::sync::atomic::{AtomicUsize, Ordering};

use noisefit_data::frame::{Column, Field, Frame};
use noisefit_data::model::FittedModel;
use noisefit_data::ranges::Range;
use noisefit_report::text::count_of;

/// The ranges, and how many rows lie outside each.
#[derive(Debug)]
pub(super) struct Outside<'a> {
    /// The place of a column in frames, its range and the rows outside.
    ranges: Vec<(usize, &'a Range, AtomicUsize)>,
}

impl<'a> Outside<'a> {
    /// Those of a model whose frames begin with these columns.
    pub(super) fn new(model: &'a FittedModel, fields: &[Field]) -> Self {
        let place = |range: &Range| fields.iter().position(|field| field.name == range.column);
        let known = model.ranges.iter().filter_map(|range| Some((place(range)?, range, AtomicUsize::new(0))));
        Outside { ranges: known.collect() }
    }

    /// How far rows of a frame lie outside, in widths of a range: of the column in which that is farthest.
    pub(super) fn of(&self, frame: &Frame, kept: &[usize]) -> Vec<f64> {
        let mut farthest = vec![0.0f64; kept.len()];
        for (place, range, outside) in &self.ranges {
            let Column::Number { high, .. } = &frame.columns[*place] else { continue };
            for (farthest, &row) in farthest.iter_mut().zip(kept) {
                let distance = range.outside(high[row]);
                if distance > 0.0 {
                    outside.fetch_add(1, Ordering::Relaxed);
                }
                *farthest = farthest.max(distance);
            }
        }
        farthest
    }

    /// How many rows lie outside, by columns; none where no row does.
    pub(super) fn sentence(&self) -> Option<String> {
        let found = self.ranges.iter().map(|(_, range, outside)| (range, outside.load(Ordering::Relaxed)));
        let mut found: Vec<(&&Range, usize)> = found.filter(|(_, outside)| *outside > 0).collect();
        found.sort_by_key(|(_, outside)| std::cmp::Reverse(*outside));
        let column = |(range, outside): &(&&Range, usize)| {
            let Range { column, low, high } = range;
            format!(
                "{} with {column} outside its range in the data of the fit, {low} to {high}",
                count_of(*outside as u64, "row")
            )
        };
        let shown: Vec<String> = found.iter().take(3).map(column).collect();
        let more = found.len().saturating_sub(3);
        let more = if more > 0 {
            format!(", and others outside those of {}", count_of(more as u64, "other column"))
        } else {
            String::new()
        };
        (!shown.is_empty())
            .then(|| format!("{}{more}: what is predicted there rests on the model alone", shown.join(", ")))
    }
}
