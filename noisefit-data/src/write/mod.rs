//! Results as files: written beside their name and moved there when complete.

mod atomic;
pub mod onnx;
mod table;

pub use self::atomic::{check_writable, write_atomically};
pub use self::table::{TableColumn, TableWriter};
