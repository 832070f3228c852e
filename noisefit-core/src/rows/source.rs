//! Where rows come from.

use std::ops::ControlFlow;

use crate::Error;
use crate::rows::layout::Layout;
use crate::rows::pass::Pass;
use crate::rows::request::Request;

/// Who is handed the states of work units, until it breaks.
pub type Next<'a> = dyn FnMut(Box<dyn Pass>) -> ControlFlow<()> + Send + 'a;

/// Rows that a pass can be run over, as often as an estimator asks.
///
/// A source divides its rows into work units, the same in every pass, whose states it merges in their order: a result does
/// not depend on who folded them, nor on how many did, bit for bit.
///
/// ```
/// use noisefit_core::algebra::Moments;
/// use noisefit_core::rows::{Accumulator, Matrix, MemoryRows, RowSourceExt, RowSource};
///
/// fn count(rows: &dyn RowSource) -> Result<u64, noisefit_core::Error> {
///     Ok(rows.pass(Moments::new(rows.layout().terms.len(), true))?.rows())
/// }
///
/// let x = [1.0, 2.0, 3.0];
/// assert_eq!(count(&MemoryRows::new(&[2.0, 4.1, 5.9], Matrix::row_major(&x, 3, 1)?)?)?, 3);
/// # Ok::<(), noisefit_core::Error>(())
/// ```
pub trait RowSource {
    /// What the columns are.
    fn layout(&self) -> &Layout;

    /// Folds the rows of every work unit into a clone of `empty`, and hands these states to `next` in the order of the
    /// units, one at a time, until it breaks; then no unit is begun any more.
    ///
    /// Units may be folded anywhere, on other threads or in other processes; `next` is called in this one, perhaps on
    /// another thread. Before its first block every clone is told how many rows stand before its unit ([`Pass::begin`]), at
    /// least where [it needs to know](Pass::needs_place).
    ///
    /// It is what cannot travel: training on rows that do not fit in memory takes them from here in their
    /// order, and stops when it has had enough. Whoever only wants all rows folded asks for [`RowSource::run`].
    ///
    /// # Errors
    /// What reading the rows reports.
    fn units(&self, empty: &dyn Pass, next: &mut Next<'_>) -> Result<(), Error>;

    /// Runs one pass: every row is folded once into a clone of `empty`, and all clones are merged in row order.
    ///
    /// # Errors
    /// What reading the rows reports.
    fn run(&self, empty: &dyn Pass) -> Result<Box<dyn Pass>, Error> {
        let (mut merged, mut wrong): (Option<Box<dyn Pass>>, _) = (None, Ok(()));
        self.units(empty, &mut |state| {
            match &mut merged {
                Some(merged) => wrong = merged.merge(state),
                None => merged = Some(state),
            }
            if wrong.is_ok() { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
        })?;
        wrong.map(|()| merged.unwrap_or_else(|| empty.clone_box()))
    }

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

/// Typed passes over any source.
pub trait RowSourceExt: RowSource {
    /// Runs a pass, a pair of passes or a list of them, in one reading of the rows.
    ///
    /// # Errors
    /// What reading the rows reports.
    fn pass<R: Request>(&self, empty: R) -> Result<R, Error> {
        R::from_pass(self.run(&*empty.into_pass())?)
    }
}

impl<S: RowSource + ?Sized> RowSourceExt for S {}
