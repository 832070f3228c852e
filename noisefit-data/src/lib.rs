//! Files to blocks of rows for noisefit: readers, formulas, categories, missing values.

pub mod error;
pub mod formula;
pub mod frame;
pub mod read;
pub mod write;

pub use error::{DataError, Location};
