//! Blocks of rows, the accumulator that a pass folds them into, and the sources that run a pass.
//!
//! An estimator is a short sequence of passes. A pass is an associative [`Accumulator`]; a [`RowSource`] runs it over
//! rows in memory, in files or on a cluster. Work units are merged in unit order, so that a result does not depend on
//! the number of threads, bit for bit.

mod any;
mod block;
mod both;
mod derived;
mod each;
mod folds;
mod memory;
mod ordered;
mod perturb;
mod sample;
mod scatter;
mod state;
mod subset;

pub(crate) use any::AnyRows;
pub use block::{Block, RowBlock, Values};
pub(crate) use both::Both;
pub(crate) use derived::{Derive, Derived};
pub use each::Each;
pub use folds::{Folds, Part, Selected};
pub use memory::{Matrix, MemoryRows};
pub use perturb::perturbation;
pub(crate) use sample::{Sample, SampledRows};
pub(crate) use scatter::{scattered, scattered_below, scattered_share};
pub use state::{StateReader, StateWriter, hash_parameters};
pub use subset::Subset;

use crate::Error;
pub(crate) use ordered::parallel_map;
use ordered::parallel_units;

/// The number of rows of the blocks that sources hand to [`Accumulator::fold`], at most.
///
/// Chosen so that a block of a few dozen columns stays in the second-level cache between the sweeps over it.
pub const BLOCK_ROWS: usize = 1024;

/// How many words of a value a pass asks the source for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Precision {
    /// Doubles; [`Values::low`] is `None`.
    Double,
    /// Double-double: what a double cannot hold of a product, a power or a decimal stands in [`Values::low`].
    Extended,
    /// Double-double, with every stored number moved at random within its own rounding error (half a unit in its last
    /// place; numbers that are evidently exact stay). The draw's number makes it repeatable. Refitting on such data shows
    /// how many digits the data themselves determine.
    Perturbed(u32),
}

/// What the columns of the blocks are.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Layout {
    /// The response's name, such as `y` or `log(y)`.
    pub response: String,
    /// One name for each design column, in order, without the intercept.
    pub terms: Vec<String>,
    /// Whether the model has an intercept. It has no column: estimators add it themselves.
    pub intercept: bool,
    /// The terms of the noise scale's logarithm, where that is modelled.
    pub scale: Option<ScaleLayout>,
    /// The names of the columns that say which rows belong together, for standard errors that allow for it.
    pub clusters: Vec<String>,
}

/// What the columns of a modelled scale are: `ln s = g0 + z'g`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ScaleLayout {
    /// One name for each column of [`Block::scale_design`].
    pub terms: Vec<String>,
    /// Whether `ln s` has an intercept, which has no column.
    pub intercept: bool,
}

impl ScaleLayout {
    /// All coefficient names, `(Intercept)` first where there is one.
    pub fn coefficient_names(&self) -> Vec<String> {
        coefficient_names(self.intercept, &self.terms)
    }
}

fn coefficient_names(intercept: bool, terms: &[String]) -> Vec<String> {
    let intercept = intercept.then(|| "(Intercept)".to_owned());
    intercept.into_iter().chain(terms.iter().cloned()).collect()
}

impl Layout {
    /// All coefficient names, `(Intercept)` first where there is one.
    pub fn coefficient_names(&self) -> Vec<String> {
        coefficient_names(self.intercept, &self.terms)
    }

    /// The number of coefficients, aliased ones included.
    pub fn coefficients(&self) -> usize {
        self.terms.len() + usize::from(self.intercept)
    }
}

/// The state of one pass over rows: an associative fold.
///
/// A value with no rows folded is the pass's starting point and carries its parameters (a beta, say); a source clones it
/// for every work unit, folds the unit's blocks in order and merges the units in order.
///
/// `merge(fold(empty, a), fold(empty, b))` equals `fold(fold(empty, a), b)` up to rounding.
pub trait Accumulator: Clone + Send + Sync {
    /// A short name of the kind of pass, written into saved states.
    const KIND: &'static str;

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

    /// A hash of the pass's own parameters, such as the beta its residuals are taken at, so that a state of another
    /// pass of the same kind is refused.
    fn parameters(&self) -> u64;

    /// Bytes that the state occupies, scratch space excluded.
    fn size_in_bytes(&self) -> usize;

    /// Writes the numbers of the state, in the order that [`Accumulator::read`] takes them back.
    fn write(&self, writer: &mut StateWriter);

    /// Replaces the numbers of this (empty) state by saved ones.
    fn read(&mut self, reader: &mut StateReader<'_>) -> Result<(), Error>;

    /// The state as bytes, behind a header with kind, version, rows seen and the hash of the parameters.
    fn save(&self) -> Vec<u8> {
        let mut writer = StateWriter::new(Self::KIND, self.rows(), self.parameters());
        self.write(&mut writer);
        writer.into_bytes()
    }

    /// A saved state of this very pass; `self` is the pass's empty starting point.
    fn load(&self, bytes: &[u8]) -> Result<Self, Error> {
        let mut reader = StateReader::new(bytes, Self::KIND, self.parameters())?;
        let mut state = self.clone();
        state.read(&mut reader)?;
        reader.finish(state.rows())?;
        Ok(state)
    }
}

/// Rows that a pass can be run over, as often as an estimator asks.
pub trait RowSource {
    /// What the columns are.
    fn layout(&self) -> &Layout;

    /// Runs one pass: every row is folded once into a clone of `empty`, and all clones are merged in row order.
    fn pass<A: Accumulator>(&self, empty: A) -> Result<A, Error>;

    /// How many threads work on these rows may use; a result does not depend on it.
    fn threads(&self) -> usize {
        1
    }

    /// About how many rows there are, where that is known before they are read.
    fn rows_hint(&self) -> Option<u64> {
        None
    }

    /// Tells whoever watches the source's passes that so many of `of` steps of work beside them, such as the refits of a
    /// bootstrap, are done.
    ///
    /// # Errors
    /// [`Error::Source`] where they want the work to stop.
    fn report(&self, done: u64, of: u64) -> Result<(), Error> {
        let _ = (done, of);
        Ok(())
    }
}
