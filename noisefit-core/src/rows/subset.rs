//! Some of the design columns of another source.

use crate::Error;
use crate::rows::{
    Accumulator, Block, Layout, Precision, RowBlock, RowSource, StateReader, StateWriter, hash_parameters,
};

/// A row source that shows only some design columns of another one.
#[derive(Debug)]
pub struct Subset<'a, S> {
    source: &'a S,
    columns: Vec<usize>,
    layout: Layout,
}

impl<'a, S: RowSource> Subset<'a, S> {
    /// The design columns of `source` with these indices, in this order.
    pub fn new(source: &'a S, columns: Vec<usize>) -> Self {
        let full = source.layout();
        let terms = columns.iter().filter_map(|&j| full.terms.get(j).cloned()).collect();
        let layout = Layout { terms, ..full.clone() };
        Subset { source, columns, layout }
    }

    /// Some of these columns, by their indices among them.
    pub fn narrowed(&self, columns: &[usize]) -> Self {
        Subset::new(self.source, columns.iter().map(|&j| self.columns[j]).collect())
    }
}

impl<S: RowSource> RowSource for Subset<'_, S> {
    fn layout(&self) -> &Layout {
        &self.layout
    }

    fn pass<A: Accumulator>(&self, empty: A) -> Result<A, Error> {
        let selected = Selected { inner: empty, columns: self.columns.clone() };
        Ok(self.source.pass(selected)?.inner)
    }

    fn threads(&self) -> usize {
        self.source.threads()
    }

    fn rows_hint(&self) -> Option<u64> {
        self.source.rows_hint()
    }

    fn report(&self, done: u64, of: u64) -> Result<(), Error> {
        self.source.report(done, of)
    }
}

/// Another pass that sees only some columns.
#[derive(Debug, Clone)]
struct Selected<A> {
    inner: A,
    columns: Vec<usize>,
}

impl<A: Accumulator> Accumulator for Selected<A> {
    const KIND: &'static str = A::KIND;

    fn fold(&mut self, block: &Block<'_>) {
        let design: Vec<_> = self.columns.iter().map(|&j| block.design[j]).collect();
        self.inner.fold(&Block { design: &design, ..*block });
    }

    fn fold_rows(&mut self, rows: &RowBlock<'_>) -> bool {
        let all = self.columns.len() == rows.columns && self.columns.iter().enumerate().all(|(i, &j)| i == j);
        all && self.inner.fold_rows(rows)
    }

    fn merge(&mut self, later: Self) {
        self.inner.merge(later.inner);
    }

    fn rows(&self) -> u64 {
        self.inner.rows()
    }

    fn precision(&self) -> Precision {
        self.inner.precision()
    }

    fn parameters(&self) -> u64 {
        let [low, high] = [self.inner.parameters() as u32, (self.inner.parameters() >> 32) as u32].map(f64::from);
        hash_parameters([low, high].into_iter().chain(self.columns.iter().map(|&j| j as f64)))
    }

    fn size_in_bytes(&self) -> usize {
        self.inner.size_in_bytes()
    }

    fn write(&self, writer: &mut StateWriter) {
        self.inner.write(writer);
    }

    fn read(&mut self, reader: &mut StateReader<'_>) -> Result<(), Error> {
        self.inner.read(reader)
    }
}
