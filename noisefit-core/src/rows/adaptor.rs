//! Sources that show something else of another's rows.

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::Error;
use crate::rows::block::{Block, RowBlock};
use crate::rows::codec::{put, take};
use crate::rows::kinds::{Kinds, Reader};
use crate::rows::layout::Layout;
use crate::rows::pass::{Pass, downcast, expect};
use crate::rows::precision::Precision;
use crate::rows::source::{Next, RowSource};

/// What is done to every block before a pass sees it: columns are left out, rows are picked, a response is made.
///
/// It is part of the pass that is run, and travels with it: adaptors nest in any order, and whoever folds the rows need not
/// know of them.
pub trait Adaptor: Clone + Send + Sync + Serialize + DeserializeOwned + 'static {
    /// The name by which bytes say which adaptor they are of, as [`Accumulator::KIND`](super::Accumulator::KIND).
    const KIND: &'static str;

    /// Whether what it shows depends on how many rows stand before, which [`Adaptor::begin`] tells.
    const NEEDS_PLACE: bool = false;

    /// Is told how many rows stand before those of its work unit; how many of these it shows.
    fn begin(&mut self, rows_before: u64) -> u64 {
        rows_before
    }

    /// Shows `next` the block that is made of another, or none.
    fn adapt(&mut self, block: &Block<'_>, next: &mut dyn FnMut(&Block<'_>));

    /// Whether rows stored one after the other are shown as they are.
    fn keeps_rows(&self, _rows: &RowBlock<'_>) -> bool {
        false
    }

    /// Which words of the values are needed where the pass asks for `asked`.
    fn precision(&self, asked: Precision) -> Precision {
        asked
    }

    /// About how many of `rows` rows are shown.
    fn rows_hint(&self, rows: u64) -> u64 {
        rows
    }
}

/// The rows of another source as an adaptor shows them.
pub struct Adapted<'a, D> {
    source: &'a dyn RowSource,
    adaptor: D,
    layout: Layout,
}

impl<'a, D: Adaptor> Adapted<'a, D> {
    /// The rows of `source` through `adaptor`, which makes columns of `layout` of them.
    pub fn new(source: &'a dyn RowSource, adaptor: D, layout: Layout) -> Self {
        Adapted { source, adaptor, layout }
    }

    /// What is shown.
    pub fn adaptor(&self) -> &D {
        &self.adaptor
    }

    /// The other source.
    pub fn source(&self) -> &'a dyn RowSource {
        self.source
    }
}

impl<D: Adaptor> std::fmt::Debug for Adapted<'_, D> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Adapted").field("adaptor", &D::KIND).field("layout", &self.layout).finish_non_exhaustive()
    }
}

impl<D: Adaptor> RowSource for Adapted<'_, D> {
    fn layout(&self) -> &Layout {
        &self.layout
    }

    fn units(&self, empty: &dyn Pass, next: &mut Next<'_>) -> Result<(), Error> {
        let (empty, mut wrong) = (Adapting { adaptor: self.adaptor.clone(), inner: empty.clone_box() }, Ok(()));
        self.source.units(&empty, &mut |state| match downcast::<Adapting<D>>(state) {
            Ok(state) => next(state.inner),
            Err(error) => {
                wrong = Err(error);
                std::ops::ControlFlow::Break(())
            }
        })?;
        wrong
    }

    fn run(&self, empty: &dyn Pass) -> Result<Box<dyn Pass>, Error> {
        let empty = Adapting { adaptor: self.adaptor.clone(), inner: empty.clone_box() };
        Ok(downcast::<Adapting<D>>(self.source.run(&empty)?)?.inner)
    }

    fn threads(&self) -> usize {
        self.source.threads()
    }

    fn rows_hint(&self) -> Option<u64> {
        self.source.rows_hint().map(|rows| self.adaptor.rows_hint(rows))
    }

    fn report(&self, done: u64, of: u64) -> Result<(), Error> {
        self.source.report(done, of)
    }
}

/// A pass that sees what an adaptor shows.
struct Adapting<D> {
    adaptor: D,
    inner: Box<dyn Pass>,
}

/// From bytes, its name being read.
pub(super) fn decode<D: Adaptor>(reader: &mut Reader<'_, '_>) -> Result<Box<dyn Pass>, Error> {
    Ok(Box::new(Adapting { adaptor: take::<D>(reader.bytes)?, inner: reader.pass()? }))
}

impl<D: Adaptor> Pass for Adapting<D> {
    fn kind(&self) -> String {
        format!("{}({})", D::KIND, self.inner.kind())
    }

    fn begin(&mut self, rows_before: u64) {
        self.inner.begin(self.adaptor.begin(rows_before));
    }

    fn needs_place(&self) -> bool {
        D::NEEDS_PLACE || self.inner.needs_place()
    }

    fn fold(&mut self, block: &Block<'_>) {
        let Adapting { adaptor, inner } = self;
        adaptor.adapt(block, &mut |block| inner.fold(block));
    }

    fn fold_rows(&mut self, rows: &RowBlock<'_>) -> bool {
        self.adaptor.keeps_rows(rows) && self.inner.fold_rows(rows)
    }

    fn merge(&mut self, later: Box<dyn Pass>) -> Result<(), Error> {
        self.inner.merge(downcast::<Self>(later)?.inner)
    }

    fn rows(&self) -> u64 {
        self.inner.rows()
    }

    fn precision(&self) -> Precision {
        self.adaptor.precision(self.inner.precision())
    }

    fn clone_box(&self) -> Box<dyn Pass> {
        Box::new(Adapting { adaptor: self.adaptor.clone(), inner: self.inner.clone_box() })
    }

    fn write(&self, bytes: &mut Vec<u8>) -> Result<(), Error> {
        put(&D::KIND, bytes)?;
        put(&self.adaptor, bytes)?;
        self.inner.write(bytes)
    }

    fn read(&self, bytes: &mut &[u8]) -> Result<Box<dyn Pass>, Error> {
        expect(D::KIND, bytes)?;
        Ok(Box::new(Adapting { adaptor: take::<D>(bytes)?, inner: self.inner.read(bytes)? }))
    }
}

impl Kinds {
    /// These and an adaptor.
    #[must_use]
    pub fn with_adaptor<D: Adaptor>(self) -> Self {
        self.listed(D::KIND.to_owned(), std::any::TypeId::of::<D>(), Some(decode::<D>))
    }
}
