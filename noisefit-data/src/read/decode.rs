//! Other people's decoders, held to errors.

use std::cell::Cell;
use std::fmt::Display;
use std::panic::{self, AssertUnwindSafe, catch_unwind};
use std::sync::Once;

use arrow_array::RecordBatch;

use super::file::{Compression, InputFile};
use crate::error::DataError;

/// Runs a decoder on a file in `format`. What it refuses, and what it panics on, is damage of the file: Arrow's readers
/// answer some damage with a panic, and a fit must not die of a file.
pub(crate) fn decode<T, E: Display>(
    file: &InputFile,
    format: &'static str,
    decoder: impl FnOnce() -> Result<T, E>,
) -> Result<T, DataError> {
    // Whatever the decoder holds is dropped with it, so that nobody sees it half changed.
    match quietly(|| catch_unwind(AssertUnwindSafe(decoder))) {
        Ok(decoded) => decoded.map_err(|error| damaged(file, format, error)),
        Err(cause) => Err(match (cause.downcast_ref::<String>(), cause.downcast_ref::<&str>()) {
            (Some(message), _) => damaged(file, format, message),
            (None, Some(message)) => damaged(file, format, message),
            (None, None) => damaged(file, format, "its decoder failed"),
        }),
    }
}

thread_local! {
    /// Whether a panic of this thread is to be an error of a file, which has its own sentence.
    static QUIET: Cell<bool> = const { Cell::new(false) };
}

/// Runs `work`, whose panics are caught within, without their being printed.
fn quietly<T>(work: impl FnOnce() -> T) -> T {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let before = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            if !QUIET.get() {
                before(info);
            }
        }));
    });
    let before = QUIET.replace(true);
    let result = work();
    QUIET.set(before);
    result
}

/// The batches of a reader until the first that cannot be decoded.
pub(crate) fn batches<'a, E: Display>(
    file: &'a InputFile,
    format: &'static str,
    reader: impl Iterator<Item = Result<RecordBatch, E>> + 'a,
) -> impl Iterator<Item = Result<RecordBatch, DataError>> + 'a {
    let mut reader = Some(reader);
    std::iter::from_fn(move || {
        let mut open = reader.take()?;
        let batch = decode(file, format, || open.next().transpose()).transpose()?;
        if batch.is_ok() {
            reader = Some(open);
        }
        Some(batch)
    })
}

/// The error for a file that is not, or not all of it, in `format`.
pub(crate) fn damaged(file: &InputFile, format: &'static str, why: impl Display) -> DataError {
    let why = format!("{why}; the file is truncated, damaged or of another format");
    DataError::Damaged { path: file.name.clone(), format, why }
}

/// Refuses a compressed file of a format that is read from any position.
pub(crate) fn not_compressed(file: &InputFile, format: &'static str) -> Result<(), DataError> {
    match Compression::of(&file.first_bytes(4)?) {
        None => Ok(()),
        Some(_) => {
            let why = "the whole file is compressed; decompress it first (the format compresses by itself)".to_owned();
            Err(DataError::Damaged { path: file.name.clone(), format, why })
        }
    }
}
