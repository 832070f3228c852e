//! What is printed, and where.

use std::fmt::Display;
use std::io::Write;

use noisefit::Error;
use noisefit::data::DataError;

/// Prints text to standard output; a closed pipe is an error that `main` forgives.
pub(crate) fn print(text: &str) -> Result<(), Error> {
    let mut out = std::io::stdout().lock();
    let written = out.write_all(text.as_bytes()).and_then(|()| out.flush());
    Ok(written.map_err(|source| DataError::Write { path: "standard output".into(), source })?)
}

/// Prints a value as one line of JSON whose numbers read back to the same doubles.
pub(crate) fn print_json(value: &impl serde::Serialize) -> Result<(), Error> {
    let mut text = serde_json::to_string_pretty(value)?;
    text.push('\n');
    print(&text)
}

/// A line to standard error; where that is closed there is nobody to tell.
pub(crate) fn tell(message: &str) {
    let _ = writeln!(std::io::stderr(), "{message}");
}

/// Warnings, to standard error.
pub(crate) fn warn(warnings: &[impl Display]) {
    warnings.iter().for_each(|warning| tell(&format!("warning: {warning}")));
}
