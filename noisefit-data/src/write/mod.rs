//! Results as files: written beside their name and moved there when complete.

#[cfg(feature = "files")]
mod atomic;
#[cfg(feature = "files")]
mod identity;
pub mod onnx;
#[cfg(feature = "files")]
mod table;

#[cfg(feature = "files")]
pub use self::atomic::{check_writable, remove_unfinished, write_atomically};
#[cfg(feature = "files")]
pub use self::identity::FileIdentity;
#[cfg(feature = "files")]
pub use self::table::{TableColumn, TableWriter};
