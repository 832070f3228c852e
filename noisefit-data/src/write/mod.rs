//! Results as files: written beside their name and moved there when complete.

#[cfg(feature = "files")]
mod atomic;
pub mod onnx;
#[cfg(feature = "files")]
mod table;

#[cfg(feature = "files")]
pub use self::atomic::{check_writable, write_atomically};
#[cfg(feature = "files")]
pub use self::table::{TableColumn, TableWriter};
