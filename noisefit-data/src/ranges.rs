//! The values that columns of numbers have in the data of a fit, by which rows outside are known.

use serde::{Deserialize, Serialize};

use crate::frame::{Column, Frame};

/// The least and the largest value of a column of numbers, dates or times in the data of a fit.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Range {
    /// Its name.
    pub column: String,
    /// The least value.
    pub low: f64,
    /// The largest value.
    pub high: f64,
}

impl Range {
    /// How far a value lies outside, in widths of the range: zero within it, and infinite beyond a range of one value.
    pub fn outside(&self, value: f64) -> f64 {
        let beyond = (self.low - value).max(value - self.high);
        if beyond > 0.0 { beyond / (self.high - self.low) } else { 0.0 * value }
    }
}

/// The ranges of the first columns of some frames, as they are met.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Ranges(Vec<[f64; 2]>);

impl Ranges {
    /// Adds the values of the first `count` columns of a frame; of those of text there is no range.
    pub(crate) fn add(&mut self, frame: &Frame, count: usize) {
        self.0.resize(count, [f64::INFINITY, f64::NEG_INFINITY]);
        for (range, column) in self.0.iter_mut().zip(&frame.columns) {
            let Column::Number { high, .. } = column else { continue };
            // Comparisons that a missing value fails.
            let [low, large] = high
                .iter()
                .fold(*range, |[low, large], &x| [if x < low { x } else { low }, if x > large { x } else { large }]);
            *range = [low, large];
        }
    }

    pub(crate) fn merge(&mut self, later: &Ranges) {
        if self.0.len() < later.0.len() {
            self.0.resize(later.0.len(), [f64::INFINITY, f64::NEG_INFINITY]);
        }
        for (mine, theirs) in self.0.iter_mut().zip(&later.0) {
            *mine = [mine[0].min(theirs[0]), mine[1].max(theirs[1])];
        }
    }

    /// Those of columns with names.
    pub(crate) fn named<'n>(&self, names: impl Iterator<Item = &'n str>) -> Vec<Range> {
        let known = names.zip(&self.0).filter(|(_, [low, high])| low <= high && low.is_finite() && high.is_finite());
        known.map(|(column, &[low, high])| Range { column: column.to_owned(), low, high }).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(values: &[f64]) -> Frame {
        let codes = Column::Category { codes: vec![0; values.len()], levels: vec!["a".to_owned()].into() };
        let columns = vec![Column::Number { high: values.to_vec(), low: None }, codes];
        Frame { file: 0, first_record: 0, rows: values.len(), columns }
    }

    #[test]
    fn the_range_is_that_of_all_frames() {
        let (mut one, mut other) = (Ranges::default(), Ranges::default());
        one.add(&frame(&[3.0, f64::NAN, 1.0]), 2);
        other.add(&frame(&[2.0, 5.0]), 2);
        one.merge(&other);
        assert_eq!(one.named(["x", "g"].into_iter()), [Range { column: "x".to_owned(), low: 1.0, high: 5.0 }]);
        let range = &one.named(["x", "g"].into_iter())[0];
        assert_eq!([0.0, 1.0, 5.0, 7.0, -3.0].map(|x| range.outside(x)), [0.25, 0.0, 0.0, 0.5, 1.0]);
        assert!(range.outside(f64::NAN).is_nan());
    }
}
