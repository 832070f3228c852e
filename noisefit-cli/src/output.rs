//! What is printed, and where. Names and levels come from files of strangers: of what they hold nothing that a terminal would
//! obey is printed.

use std::borrow::Cow;
use std::io::{self, IsTerminal, Write};

use clap::ValueEnum;
use noisefit::data::DataError;
use noisefit::report::tidy::Tidy;
use noisefit::{Error, Sentence};

use crate::outcome::Options;

/// How a result that is a table is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum TableFormat {
    /// For people
    Table,
    /// One JSON object
    Json,
    /// Tidy: a line for each row, a column for each number
    Csv,
    /// A table of Markdown
    Markdown,
}

/// Prints text to standard output; a closed pipe is an error that `main` forgives.
pub(crate) fn print(text: &str) -> Result<(), Error> {
    let mut out = io::stdout().lock();
    let written = out.write_all(printable(text).as_bytes()).and_then(|()| out.flush());
    Ok(written.map_err(|source| DataError::Write { path: "standard output".into(), source })?)
}

/// Prints a value as one object of JSON whose numbers read back to the same doubles.
pub(crate) fn print_json(value: &impl serde::Serialize) -> Result<(), Error> {
    let mut text = serde_json::to_string_pretty(value)?;
    text.push('\n');
    print(&text)
}

/// Prints a result that is a table: for people, as JSON, or what is tidy of it.
pub(crate) fn print_table<R: serde::Serialize>(
    format: TableFormat,
    summary: impl FnOnce() -> String,
    record: impl FnOnce() -> R,
    tidy: impl FnOnce() -> Result<Tidy, Error>,
) -> Result<(), Error> {
    match format {
        TableFormat::Table => print(&summary()),
        TableFormat::Json => print_json(&record()),
        TableFormat::Csv => print(&tidy()?.csv()),
        TableFormat::Markdown => print(&tidy()?.markdown()),
    }
}

/// A line to standard error; where that is closed there is nobody to tell.
pub(crate) fn tell(message: &str) {
    let _ = writeln!(io::stderr(), "{}", printable(message));
}

/// Warnings, to standard error.
pub(crate) fn warn(warnings: &[impl Clone + Into<Sentence>]) {
    let worded = warnings.iter().map(|warning| warning.clone().into().worded(&Options));
    worded.for_each(|warning| tell(&format!("warning: {warning}")));
}

/// Text without what a terminal obeys instead of showing: control characters but for the ends of lines and tabs, and those that
/// turn the direction of writing, which could make a text look like another. They are shown as JSON writes them, so that JSON
/// stays what it is.
fn printable(text: &str) -> Cow<'_, str> {
    match text.contains(is_obeyed) {
        false => Cow::Borrowed(text),
        true => {
            let mut shown = String::with_capacity(text.len() + 16);
            for letter in text.chars() {
                match is_obeyed(letter) {
                    true => shown.push_str(&format!("\\u{:04x}", u32::from(letter))),
                    false => shown.push(letter),
                }
            }
            Cow::Owned(shown)
        }
    }
}

fn is_obeyed(letter: char) -> bool {
    let turns = matches!(letter, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    turns || (letter.is_control() && letter != '\n' && letter != '\t')
}

/// Standard output for tables: as they are where a program reads them, printable where a terminal does.
#[derive(Debug)]
pub(crate) struct Screen {
    /// What is left of a character that was cut in two; none where nobody looks.
    cut: Option<Vec<u8>>,
}

impl Screen {
    pub(crate) fn stdout() -> Self {
        Screen { cut: io::stdout().is_terminal().then(Vec::new) }
    }

    /// What is to be shown of some bytes, and of those before that were no whole character.
    fn shown(cut: &mut Vec<u8>, bytes: &[u8]) -> String {
        cut.extend_from_slice(bytes);
        let whole = match std::str::from_utf8(cut) {
            Err(error) if error.error_len().is_none() => error.valid_up_to(),
            _ => cut.len(),
        };
        let rest = cut.split_off(whole);
        let text = String::from_utf8_lossy(&std::mem::replace(cut, rest)).into_owned();
        printable(&text).into_owned()
    }
}

impl Write for Screen {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match &mut self.cut {
            None => io::stdout().write(bytes),
            Some(cut) => io::stdout().write_all(Screen::shown(cut, bytes).as_bytes()).map(|()| bytes.len()),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        io::stdout().flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_terminal_would_obey_is_shown() {
        assert_eq!(printable("a\tb\nc \u{e9}"), "a\tb\nc \u{e9}");
        assert_eq!(printable("\u{1b}[2Jx\r\u{7f}\u{9b}\u{202e}"), "\\u001b[2Jx\\u000d\\u007f\\u009b\\u202e");
        let json = serde_json::to_string(&["\u{1b}\u{9b}"]).unwrap_or_default();
        assert_eq!(serde_json::from_str::<Vec<String>>(&printable(&json)).ok(), Some(vec!["\u{1b}\u{9b}".to_owned()]));
    }

    #[test]
    fn a_character_that_is_cut_in_two_is_shown_whole() {
        let mut cut = Vec::new();
        let bytes = "x\u{9b}\u{e9}".as_bytes();
        let shown: String = bytes.chunks(1).map(|byte| Screen::shown(&mut cut, byte)).collect();
        assert_eq!(shown, "x\\u009b\u{e9}");
        assert_eq!(Screen::shown(&mut cut, &[0xff, b'a']), "\u{fffd}a");
    }
}
