//! Files to blocks of rows for noisefit: readers, formulas, categories, missing values.
//!
//! | module | what is there |
//! |---|---|
//! | [`read`] | CSV, JSON lines, Parquet and Arrow files as [`frame`]s |
//! | [`formula`] | formulas, and the designs that they become |
//! | [`describe`](mod@describe) | what is in the columns of a data set |
//! | [`records`], [`source`] | a design over a data set's records: the row source that estimators take |
//! | [`remarks`] | what the rows show that a reader should know |
//! | [`cluster`] | rows that an engine's workers hold and fold |
//! | [`worker`] | its work units, folded in another process |
//! | [`groups`] | groups of rows by the values of columns |
//! | [`model`] | model files |
//! | [`write`](mod@write) | tables and other files, written beside and renamed |

#![forbid(unsafe_code)]

pub mod cluster;
pub mod describe;
pub mod error;
pub mod formula;
pub mod frame;
pub mod groups;
pub mod model;
pub mod ranges;
#[cfg_attr(
    not(feature = "files"),
    allow(dead_code, reason = "what tells text from text stands beside what tables in memory need")
)]
pub mod read;
pub mod records;
pub mod remarks;
pub mod source;
mod texts;
pub mod worker;
pub mod write;

pub use error::{DataError, Location};
