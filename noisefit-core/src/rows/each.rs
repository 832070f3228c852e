//! Passes of one kind over the same rows at once.

use crate::Error;
use crate::rows::{Accumulator, Block, Precision, RowBlock, StateReader, StateWriter, hash_parameters};

/// Accumulators of one kind that each see every row: one reading of the data for all. There must be one or more.
#[derive(Debug, Clone)]
pub struct Each<A>(pub Vec<A>);

impl<A: Accumulator> Accumulator for Each<A> {
    const KIND: &'static str = A::KIND;

    fn fold(&mut self, block: &Block<'_>) {
        self.0.iter_mut().for_each(|pass| pass.fold(block));
    }

    fn fold_rows(&mut self, rows: &RowBlock<'_>) -> bool {
        // Of one kind, all have a way for rows or none has.
        let taken = self.0.iter_mut().filter_map(|pass| pass.fold_rows(rows).then_some(())).count();
        taken > 0 && taken == self.0.len()
    }

    fn merge(&mut self, later: Self) {
        self.0.iter_mut().zip(later.0).for_each(|(pass, later)| pass.merge(later));
    }

    fn rows(&self) -> u64 {
        self.0.first().map_or(0, A::rows)
    }

    fn precision(&self) -> Precision {
        self.0.first().map_or(Precision::Double, A::precision)
    }

    fn parameters(&self) -> u64 {
        let halves = |hash: u64| [hash as u32, (hash >> 32) as u32].map(f64::from);
        hash_parameters(self.0.iter().flat_map(|pass| halves(pass.parameters())))
    }

    fn size_in_bytes(&self) -> usize {
        self.0.iter().map(A::size_in_bytes).sum()
    }

    fn write(&self, writer: &mut StateWriter) {
        self.0.iter().for_each(|pass| pass.write(writer));
    }

    fn read(&mut self, reader: &mut StateReader<'_>) -> Result<(), Error> {
        self.0.iter_mut().try_for_each(|pass| pass.read(reader))
    }
}
