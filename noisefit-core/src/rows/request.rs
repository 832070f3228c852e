//! What a source is asked to run, typed.

use crate::Error;
use crate::rows::pass::Pass;

/// What a source can be asked for in one reading of the rows, and gives back in the same form: an [`Accumulator`], a pair
/// of requests, or a list of one or more.
///
/// ```
/// use noisefit_core::algebra::Moments;
/// use noisefit_core::rows::{Matrix, MemoryRows, RowSourceExt};
///
/// let rows = MemoryRows::new(&[2.0, 4.1], Matrix::row_major(&[1.0, 2.0], 2, 1)?)?;
/// let (moments, lists) = rows.pass((Moments::new(1, true), vec![Moments::new(1, false)]))?;
/// assert_eq!((moments.mean(0), lists[0].mean(0)), (1.5, 0.0));
/// # Ok::<(), noisefit_core::Error>(())
/// ```
pub trait Request: Sized {
    /// As a pass.
    fn into_pass(self) -> Box<dyn Pass>;

    /// From what was made of [`Request::into_pass`].
    ///
    /// # Errors
    /// [`Error::State`] for another pass.
    fn from_pass(pass: Box<dyn Pass>) -> Result<Self, Error>;
}
