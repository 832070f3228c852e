//! A pass of any kind: what sources run.

use std::any::Any;

use crate::Error;
use crate::rows::block::{Block, RowBlock};
use crate::rows::codec::take;
use crate::rows::precision::Precision;

/// A pass as sources see it: an [`Accumulator`] of whatever type, alone, behind adaptors or beside others.
///
/// It is dynamic at the grain of a block: an estimator's own loops are compiled once, and so is a source.
/// [`Pass::to_bytes`](trait.Pass.html#impl-dyn+Pass) and what stands beside it carry passes to other processes and their
/// states back.
pub trait Pass: Any + Send + Sync {
    /// What tells the pass from others: [`Accumulator::kind`], within the adaptors and beside the passes it is run with.
    fn kind(&self) -> String;

    /// Tells it, before its first block, how many rows of the source stand before those of its work unit.
    fn begin(&mut self, _rows_before: u64) {}

    /// Whether it makes a difference to it how many rows stand before: then the source has to know.
    fn needs_place(&self) -> bool {
        false
    }

    /// [`Accumulator::fold`].
    fn fold(&mut self, block: &Block<'_>);

    /// [`Accumulator::fold_rows`].
    fn fold_rows(&mut self, rows: &RowBlock<'_>) -> bool;

    /// [`Accumulator::merge`].
    ///
    /// # Errors
    /// [`Error::State`] for a state of another type of pass.
    fn merge(&mut self, later: Box<dyn Pass>) -> Result<(), Error>;

    /// [`Accumulator::rows`].
    fn rows(&self) -> u64;

    /// [`Accumulator::precision`].
    fn precision(&self) -> Precision;

    /// A copy of it.
    fn clone_box(&self) -> Box<dyn Pass>;

    /// Appends its name, parameters and state to bytes, from which [`Pass::read`] or [`Kinds`](super::Kinds) rebuild it.
    ///
    /// # Errors
    /// [`Error::State`] for what cannot be written.
    fn write(&self, bytes: &mut Vec<u8>) -> Result<(), Error>;

    /// The pass of this one's type at the beginning of `bytes`, which it is taken from.
    ///
    /// # Errors
    /// [`Error::State`] where they begin otherwise.
    fn read(&self, bytes: &mut &[u8]) -> Result<Box<dyn Pass>, Error>;
}

/// A pass of a type.
///
/// # Errors
/// [`Error::State`] where it is of another.
pub(super) fn downcast<P: Pass>(pass: Box<dyn Pass>) -> Result<P, Error> {
    let kind = pass.kind();
    let any: Box<dyn Any> = pass;
    any.downcast().map(|pass| *pass).map_err(|_| Error::State(format!("a pass '{kind}' where another was run")))
}

/// Takes the name of a pass from bytes, which must be this.
pub(super) fn expect(name: &str, bytes: &mut &[u8]) -> Result<(), Error> {
    let found: String = take(bytes)?;
    match found == name {
        true => Ok(()),
        false => Err(Error::State(format!("it is of the pass '{found}', not '{name}'"))),
    }
}
