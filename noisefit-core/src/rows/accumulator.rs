//! What whoever writes an estimator writes: the state of one pass over rows.

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::Error;
use crate::rows::block::{Block, RowBlock};
use crate::rows::codec::{put, take};
use crate::rows::pass::{Pass, downcast, expect};
use crate::rows::precision::Precision;
use crate::rows::request::Request;

/// The state of one pass over rows: an associative fold, which is a value that travels.
///
/// A value with no rows folded is the pass's starting point and carries its parameters (a beta, say); a source clones it
/// for every work unit, folds the unit's blocks in order and merges the units in order. So
/// `merge(fold(empty, a), fold(empty, b))` equals `fold(fold(empty, a), b)` up to rounding.
///
/// Parameters and state are what serde writes of it: a unit may be folded in another process, which rebuilds the pass from
/// its bytes by its kind ([`Kinds`](super::Kinds)). So a pass owns its parameters (large ones in an
/// [`Arc`](std::sync::Arc)), and buffers that are kept from block to block are `#[serde(skip)]`.
///
/// ```
/// use noisefit_core::rows::{Accumulator, Block, Matrix, MemoryRows, RowSourceExt};
/// use serde::{Deserialize, Serialize};
///
/// /// Counts the rows whose response lies above a bar.
/// #[derive(Clone, Serialize, Deserialize)]
/// struct Above {
///     bar: f64,
///     rows: u64,
///     above: u64,
/// }
///
/// impl Accumulator for Above {
///     const KIND: &'static str = "rows above a bar";
///
///     fn fold(&mut self, block: &Block<'_>) {
///         self.rows += block.rows() as u64;
///         self.above += block.response.high.iter().filter(|y| **y > self.bar).count() as u64;
///     }
///
///     fn merge(&mut self, later: Self) {
///         self.rows += later.rows;
///         self.above += later.above;
///     }
///
///     fn rows(&self) -> u64 {
///         self.rows
///     }
/// }
///
/// let y = [1.0, 4.0, 2.0, 8.0];
/// let rows = MemoryRows::new(&y, Matrix::row_major(&[], 4, 0)?)?;
/// assert_eq!(rows.pass(Above { bar: 1.5, rows: 0, above: 0 })?.above, 3);
/// # Ok::<(), noisefit_core::Error>(())
/// ```
pub trait Accumulator: Clone + Send + Sync + Serialize + DeserializeOwned + 'static {
    /// The name by which bytes say which pass they are of: no two types share one, and it never changes its meaning.
    const KIND: &'static str;

    /// The whole name, of a generic type with that of its parameter.
    fn kind() -> String {
        Self::KIND.to_owned()
    }

    /// Tells it, before its first block, how many rows of the source stand before those of its work unit.
    fn begin(&mut self, _rows_before: u64) {}

    /// Whether it makes a difference to it how many rows stand before: then the source has to know, which may take it a pass of its
    /// own.
    fn needs_place(&self) -> bool {
        false
    }

    /// Adds the rows of a block.
    fn fold(&mut self, block: &Block<'_>);

    /// Adds rows stored one after the other, each counting once, where the pass has a way for them that is faster than by
    /// columns; false where it has none, and the source calls [`Accumulator::fold`].
    fn fold_rows(&mut self, _rows: &RowBlock<'_>) -> bool {
        false
    }

    /// Adds the rows of `later`, which follow those of `self`.
    fn merge(&mut self, later: Self);

    /// Rows folded so far.
    fn rows(&self) -> u64;

    /// Which words of the values the pass needs.
    fn precision(&self) -> Precision {
        Precision::Double
    }

    /// A state that this pass, which has seen no rows itself, came to, as bytes.
    ///
    /// # Errors
    /// [`Error::State`] for what cannot be written.
    fn save(&self, state: &Self) -> Result<Vec<u8>, Error> {
        let empty: &dyn Pass = self;
        empty.state_to_bytes(state)
    }

    /// The state of this pass, which has seen no rows itself, whose bytes these are.
    ///
    /// # Errors
    /// [`Error::State`] for bytes that are damaged, cut off or of another version; for those of a pass of another kind or
    /// with other parameters; and where the rows do not add up.
    fn load(&self, bytes: &[u8]) -> Result<Self, Error> {
        let empty: &dyn Pass = self;
        Self::from_pass(empty.state_from_bytes(bytes)?)
    }
}

impl<A: Accumulator> Pass for A {
    fn kind(&self) -> String {
        A::kind()
    }

    fn begin(&mut self, rows_before: u64) {
        Accumulator::begin(self, rows_before);
    }

    fn needs_place(&self) -> bool {
        Accumulator::needs_place(self)
    }

    fn fold(&mut self, block: &Block<'_>) {
        Accumulator::fold(self, block);
    }

    fn fold_rows(&mut self, rows: &RowBlock<'_>) -> bool {
        Accumulator::fold_rows(self, rows)
    }

    fn merge(&mut self, later: Box<dyn Pass>) -> Result<(), Error> {
        Accumulator::merge(self, downcast(later)?);
        Ok(())
    }

    fn rows(&self) -> u64 {
        Accumulator::rows(self)
    }

    fn precision(&self) -> Precision {
        Accumulator::precision(self)
    }

    fn clone_box(&self) -> Box<dyn Pass> {
        Box::new(self.clone())
    }

    fn write(&self, bytes: &mut Vec<u8>) -> Result<(), Error> {
        put(&A::kind(), bytes)?;
        put(self, bytes)
    }

    fn read(&self, bytes: &mut &[u8]) -> Result<Box<dyn Pass>, Error> {
        expect(&A::kind(), bytes)?;
        Ok(Box::new(take::<A>(bytes)?))
    }
}

impl<A: Accumulator> Request for A {
    fn into_pass(self) -> Box<dyn Pass> {
        Box::new(self)
    }

    fn from_pass(pass: Box<dyn Pass>) -> Result<Self, Error> {
        downcast(pass)
    }
}
