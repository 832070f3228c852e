//! Two passes over the same rows at once.

use crate::Error;
use crate::rows::{Accumulator, Block, Precision, RowBlock, StateReader, StateWriter, hash_parameters};

/// Two accumulators that see every row: one reading of the data instead of two.
///
/// The second must take rows stored one after the other ([`Accumulator::fold_rows`]) wherever the first does.
#[derive(Debug, Clone)]
pub(crate) struct Both<A, B>(pub A, pub B);

impl<A: Accumulator, B: Accumulator> Accumulator for Both<A, B> {
    const KIND: &'static str = "both";

    fn fold(&mut self, block: &Block<'_>) {
        self.0.fold(block);
        self.1.fold(block);
    }

    fn fold_rows(&mut self, rows: &RowBlock<'_>) -> bool {
        self.0.fold_rows(rows) && self.1.fold_rows(rows)
    }

    fn merge(&mut self, later: Self) {
        self.0.merge(later.0);
        self.1.merge(later.1);
    }

    fn rows(&self) -> u64 {
        self.0.rows()
    }

    fn precision(&self) -> Precision {
        match self.0.precision() {
            Precision::Double => self.1.precision(),
            precision => precision,
        }
    }

    fn parameters(&self) -> u64 {
        let words = [self.0.parameters(), self.1.parameters()].map(|hash| [hash as u32, (hash >> 32) as u32]);
        hash_parameters(words.into_iter().flatten().map(f64::from))
    }

    fn size_in_bytes(&self) -> usize {
        self.0.size_in_bytes() + self.1.size_in_bytes()
    }

    fn write(&self, writer: &mut StateWriter) {
        self.0.write(writer);
        self.1.write(writer);
    }

    fn read(&mut self, reader: &mut StateReader<'_>) -> Result<(), Error> {
        self.0.read(reader)?;
        self.1.read(reader)
    }
}
