//! Rows as records of numbers, gathered by many threads and joined without moving them.

use serde::{Deserialize, Serialize};

/// Records, each of as many numbers.
///
/// They stand in pieces, one of each unit of work: to join later ones hands their memory over, where one array would be copied
/// again and again as units are merged.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(super) struct Records {
    /// Numbers of a record; zero before there is one.
    width: usize,
    pieces: Vec<Vec<f64>>,
}

impl Records {
    /// Appends a record, which `write` appends to the numbers that are there.
    pub(super) fn push(&mut self, write: impl FnOnce(&mut Vec<f64>)) {
        if self.pieces.is_empty() {
            self.pieces.push(Vec::new());
        }
        if let Some(piece) = self.pieces.last_mut() {
            let before = piece.len();
            write(piece);
            self.width = piece.len() - before;
        }
    }

    /// Takes the last record back.
    pub(super) fn pop(&mut self) -> Vec<f64> {
        let Some(piece) = self.pieces.last_mut() else { return Vec::new() };
        piece.split_off(piece.len().saturating_sub(self.width))
    }

    /// Appends records that follow these.
    pub(super) fn append(&mut self, later: Records) {
        self.width = self.width.max(later.width);
        self.pieces.extend(later.pieces.into_iter().filter(|piece| !piece.is_empty()));
    }

    /// The records in their order.
    pub(super) fn iter(&self) -> impl Iterator<Item = &[f64]> {
        self.pieces.iter().flat_map(|piece| piece.chunks_exact(self.width.max(1)))
    }

    /// Column after column without the last `others`, of records that are `count` in all: a few at a time, which stay in the
    /// cache while their columns are taken out of them.
    pub(super) fn columns(&self, others: usize, count: usize) -> Vec<Vec<f64>> {
        const TOGETHER: usize = 256;
        let mut columns: Vec<Vec<f64>> = (others..self.width).map(|_| Vec::with_capacity(count)).collect();
        for records in self.pieces.iter().flat_map(|piece| piece.chunks(TOGETHER * self.width.max(1))) {
            for (place, column) in columns.iter_mut().enumerate() {
                column.extend(records.chunks_exact(self.width).map(|record| record[place]));
            }
        }
        columns
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_are_one_sequence_of_records() {
        let of = |numbers: &[f64]| {
            let mut records = Records::default();
            numbers.iter().for_each(|&x| records.push(|into| into.extend([x, 2.0 * x, 0.5])));
            records
        };
        let mut joined = Records::default();
        for part in [&[][..], &[1.0, 2.0], &[], &[3.0], &[4.0, 5.0, 6.0]] {
            joined.append(of(part));
        }
        let whole = of(&[1.0, 2.0, 3.0, 4.0, 5.0, 6.0]);
        assert!(joined.iter().eq(whole.iter()));
        assert_eq!(joined.columns(1, 6), [[1.0, 2.0, 3.0, 4.0, 5.0, 6.0], [2.0, 4.0, 6.0, 8.0, 10.0, 12.0]]);
        assert_eq!(joined.pop(), [6.0, 12.0, 0.5]);
        assert_eq!(joined.iter().count(), 5);
        assert_eq!(of(&[]).iter().count(), 0);
    }
}
