//! Rows that others hold: an engine with many workers folds them, and what they tell is merged here.
//!
//! An engine, such as a session of Spark or a client of Dask, holds a table in partitions. What a fit asks of the rows is a **task**:
//! bytes, in which a design and a pass travel. A worker folds the rows of a partition into an **answer**
//! ([`fold_partition`](crate::source::fold_partition)), answers are merged in the order of the partitions' numbers ([`merge`]), on workers
//! and at last here. Neither the schedule nor who did the work has a say in the result, bit for bit.
//!
//! ```text
//! driver                               workers
//! task: design, pass      ----------->  a partition's batches -> frames -> blocks -> state
//!                                       answer: state, the partition's number, its records and their checksum
//! answers, merged         <-----------  groups of consecutive partitions, merged
//! ```
//!
//! The number of a partition is that of the engine's, times 2^33, and the number of its first row there: where all rows of an
//! engine's partition are folded by one worker, a multiple of 2^33.
//!
//! Every answer says which partitions it is of, how many records these had and a checksum of their values: rows that change between two
//! passes and partitions that get lost are an error, a partition that was folded twice counts once.

/// The bits of a partition's number that say with which of the rows of the engine's partition it begins: engines that deal the rows of one
/// partition to several workers make several of it.
const ROW_BITS: u32 = 33;

/// What messages call a partition.
pub(crate) fn place_of(number: u64) -> String {
    match number & ((1 << ROW_BITS) - 1) {
        0 => format!("partition {}", number >> ROW_BITS),
        first => format!("partition {} from its row {}", number >> ROW_BITS, first + 1),
    }
}

mod answer;
mod checksum;
mod remote;
mod task;

pub(crate) use answer::{Answer, PartitionRead, Told};
pub use answer::{merge, refusal};
pub(crate) use checksum::Checksum;
pub(crate) use remote::Remote;
pub use remote::{Engine, Traffic};
pub(crate) use task::{Reading, Task, TravellingRows, Work};
