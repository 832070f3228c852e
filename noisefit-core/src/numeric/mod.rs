//! Numbers: arithmetic with twice the digits, sums, special functions, distributions, and the dispatch to the machine's
//! vector instructions. Nothing here knows of rows or models.

pub mod dispatch;
pub mod distribution;
pub mod double_double;
mod level;
pub(crate) mod pieces;
pub(crate) mod special;
pub(crate) mod sum;

pub use level::{InvalidLevel, Level};
