//! Blocks of rows, the accumulator that a pass folds them into, and the sources that run a pass.
//!
//! An estimator is a short sequence of passes. A pass is an associative [`Accumulator`], which sources see as a [`Pass`]: a
//! value that travels, for its parameters and state are bytes from which the list of [`Kinds`] rebuilds it anywhere. A
//! [`RowSource`] runs it over rows in memory, in files or on a cluster. Work units are merged in unit order, so that a result
//! does not depend on the number of threads, nor on who did the work, bit for bit.

mod accumulator;
mod adaptor;
mod block;
mod codec;
mod design;
mod division;
mod envelope;
mod folds;
mod groups;
mod kinds;
mod known;
mod layout;
mod memory;
mod new_rows;
mod ordered;
mod pass;
mod perturb;
#[cfg(feature = "parallel")]
mod pool;
mod precision;
mod request;
mod sample;
mod scatter;
mod source;
mod subset;
mod together;
mod values;

pub use accumulator::Accumulator;
pub use adaptor::{Adapted, Adaptor};
pub use block::{Block, RowBlock};
pub use codec::{put, take};
pub use design::Design;
pub use division::{Division, Order};
pub use envelope::hash_parameters;
pub use folds::{Folds, Part, Selected, Selection};
pub use groups::Groups;
pub use kinds::Kinds;
pub use layout::{CodedCategory, EffectLayout, INTERCEPT, Layout, ScaleLayout};
pub use memory::{Matrix, MemoryRows};
pub use new_rows::NewRows;
pub use ordered::in_order;
pub(crate) use ordered::parallel_map;
pub use pass::Pass;
pub use perturb::{perturbation, split_mix};
pub use precision::Precision;
pub use request::Request;
pub(crate) use sample::{Sample, SampledRows};
pub(crate) use scatter::{scattered, scattered_below, scattered_share};
pub use source::{Next, RowSource, RowSourceExt};
pub use subset::{Columns, Subset};
pub use values::Values;

/// The number of rows of the blocks that sources hand to [`Accumulator::fold`], at most.
///
/// Chosen so that a block of a few dozen columns stays in the second-level cache between the sweeps over it.
pub const BLOCK_ROWS: usize = 1024;

/// The rows of a block of so many columns, of which about so many `numbers` leave room in the cache for what is made of them. Of many
/// columns there are 512 rows all the same: products of all columns are added once a block, which costs as much as some hundred rows.
///
/// ```
/// use noisefit_core::rows::rows_of_block;
///
/// assert_eq!([10, 100, 1000].map(|columns| rows_of_block(columns, 1 << 16)), [1024, 640, 512]);
/// ```
pub fn rows_of_block(columns: usize, numbers: usize) -> usize {
    const TILE: usize = 128;
    const MOST_NUMBERS: usize = 1 << 22;
    let (columns, least) = (columns.max(1), 512);
    (numbers / columns / TILE * TILE).clamp(least, BLOCK_ROWS).min(MOST_NUMBERS / columns).max(64)
}
