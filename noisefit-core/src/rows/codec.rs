//! Values as bytes: MessagePack, in which doubles are the same to the bit.

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::Error;

/// Appends a value to bytes.
///
/// # Errors
/// [`Error::State`] for what cannot be written.
pub fn put<T: Serialize + ?Sized>(value: &T, bytes: &mut Vec<u8>) -> Result<(), Error> {
    // With the names of fields, so that records which leave some out are read back.
    rmp_serde::encode::write_named(bytes, value).map_err(|error| Error::State(format!("it cannot be written: {error}")))
}

/// Takes a value from the beginning of bytes, as [`put`] wrote it.
///
/// ```
/// use noisefit_core::rows::{put, take};
///
/// let mut bytes = Vec::new();
/// put(&("x", f64::INFINITY), &mut bytes)?;
/// let (name, value): (String, f64) = take(&mut &bytes[..])?;
/// assert_eq!((name.as_str(), value), ("x", f64::INFINITY));
/// # Ok::<(), noisefit_core::Error>(())
/// ```
///
/// # Errors
/// [`Error::State`] for bytes that are not those of such a value.
pub fn take<T: DeserializeOwned>(bytes: &mut &[u8]) -> Result<T, Error> {
    rmp_serde::decode::from_read(bytes)
        .map_err(|error| Error::State(format!("its contents are not those of a pass: {error}")))
}
