//! What is printed, and where.

use std::borrow::Cow;
use std::fmt::Write as _;
use std::io::Write;

use noisefit::data::DataError;
use noisefit::{Error, Sentence};

use crate::outcome::Options;

/// Text without what commands a terminal: names of columns and levels come from files of strangers.
fn plain(text: &str) -> Cow<'_, str> {
    let commands = |c: char| c.is_control() && !matches!(c, '\n' | '\t');
    if !text.contains(commands) {
        return Cow::Borrowed(text);
    }
    let mut plain = String::with_capacity(text.len());
    for c in text.chars() {
        match commands(c) {
            true => drop(write!(plain, "{}", c.escape_default())),
            false => plain.push(c),
        }
    }
    Cow::Owned(plain)
}

/// Prints text to standard output; a closed pipe is an error that `main` forgives.
pub(crate) fn print(text: &str) -> Result<(), Error> {
    let mut out = std::io::stdout().lock();
    let written = out.write_all(plain(text).as_bytes()).and_then(|()| out.flush());
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
    let _ = writeln!(std::io::stderr(), "{}", plain(message));
}

/// Warnings, to standard error.
pub(crate) fn warn(warnings: &[impl Clone + Into<Sentence>]) {
    let worded = warnings.iter().map(|warning| warning.clone().into().worded(&Options));
    worded.for_each(|warning| tell(&format!("warning: {warning}")));
}
