//! Rows of another source with a response, columns or weights made from its own.

use crate::Error;
use crate::rows::{Accumulator, Block, Layout, Precision, RowSource, StateReader, StateWriter, hash_parameters};

/// What is made of every block.
pub(crate) trait Derive: Clone + Send + Sync {
    /// Shows `next` the block that is made of another.
    fn derive(&self, block: &Block<'_>, next: impl FnOnce(&Block<'_>));

    /// Which words of the values it needs to make them; none where it leaves that to the pass.
    fn precision(&self) -> Option<Precision> {
        None
    }

    /// What a state must have been made with to be this one's.
    fn parameters(&self) -> Vec<f64>;
}

/// A source of derived rows.
#[derive(Debug)]
pub(crate) struct Derived<'a, S, D> {
    pub(crate) source: &'a S,
    pub(crate) derive: D,
    pub(crate) layout: Layout,
}

impl<S: RowSource, D: Derive> RowSource for Derived<'_, S, D> {
    fn layout(&self) -> &Layout {
        &self.layout
    }

    fn pass<A: Accumulator>(&self, empty: A) -> Result<A, Error> {
        Ok(self.source.pass(Deriving { inner: empty, derive: self.derive.clone() })?.inner)
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

/// A pass that sees derived rows.
#[derive(Debug, Clone)]
struct Deriving<A, D> {
    inner: A,
    derive: D,
}

impl<A: Accumulator, D: Derive> Accumulator for Deriving<A, D> {
    const KIND: &'static str = A::KIND;

    fn fold(&mut self, block: &Block<'_>) {
        let Deriving { inner, derive } = self;
        derive.derive(block, |block| inner.fold(block));
    }

    fn merge(&mut self, later: Self) {
        self.inner.merge(later.inner);
    }

    fn rows(&self) -> u64 {
        self.inner.rows()
    }

    fn precision(&self) -> Precision {
        self.derive.precision().unwrap_or_else(|| self.inner.precision())
    }

    fn parameters(&self) -> u64 {
        let [low, high] = [self.inner.parameters() as u32, (self.inner.parameters() >> 32) as u32].map(f64::from);
        hash_parameters([low, high].into_iter().chain(self.derive.parameters()))
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
