//! What can go wrong between a file and a frame, each with the place and what to do about it.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use noisefit_core::sentence;
use noisefit_core::wording::{InRust, Sentence, Setting, Wording};

use crate::formula::FormulaError;
use crate::read::{Look, LookAlike};

/// A place in a data set. What is not known is left out.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Location {
    /// The file, as the user named it.
    pub file: String,
    /// The line, counted from 1, header and blank lines included.
    pub line: Option<u64>,
    /// The record, counted from 1, header not included.
    pub record: Option<u64>,
    /// The column's name.
    pub column: Option<String>,
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.file)?;
        match (self.line, self.record) {
            (Some(line), Some(record)) => write!(f, ", line {line} (record {record})")?,
            (Some(line), None) => write!(f, ", line {line}")?,
            (None, Some(record)) => write!(f, ", record {record}")?,
            (None, None) => {}
        }
        match &self.column {
            Some(column) => write!(f, ", column `{column}`"),
            None => Ok(()),
        }
    }
}

/// Data could not be read or written.
#[derive(Debug)]
#[non_exhaustive]
pub enum DataError {
    /// The system refused to read a file.
    Read {
        /// The file.
        path: String,
        /// Why.
        source: io::Error,
    },
    /// The system refused to write a file.
    Write {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// There is no such file.
    NoSuchFile {
        /// What was asked for.
        path: String,
        /// A file in the same folder with nearly that name.
        similar: Option<String>,
    },
    /// A folder without a data file.
    NoDataFiles {
        /// The folder.
        folder: String,
    },
    /// A pattern that no file matches.
    NoMatch {
        /// The pattern.
        pattern: String,
    },
    /// A file without a byte in it, or with nothing but blank lines.
    Empty {
        /// The file.
        path: String,
    },
    /// The format follows neither from the file's name nor from its first bytes.
    UnknownFormat {
        /// The file.
        path: String,
    },
    /// The file is not what its name, its first bytes or the user said.
    Damaged {
        /// The file.
        path: String,
        /// What it should be, such as `Parquet`.
        format: &'static str,
        /// What is wrong with it, and what to do.
        why: String,
    },
    /// A text with zero bytes in it.
    NotText {
        /// The file.
        path: String,
    },
    /// A column that looks like numbers or dates, where it is to be asked rather than guessed what it holds.
    LooksLike {
        /// The file.
        path: String,
        /// The column.
        look_alike: LookAlike,
    },
    /// Two files of one data set that do not go together.
    Mismatch {
        /// The first file.
        first: String,
        /// The file that differs from it.
        other: String,
        /// The first difference.
        difference: String,
    },
    /// Two columns of the same name.
    DuplicateColumn {
        /// The file.
        path: String,
        /// The name.
        name: String,
        /// The positions of the two columns, from 1.
        positions: (usize, usize),
        /// Whether the names are the first line of a text, which may be none.
        first_line: bool,
    },
    /// A record with more or fewer fields than the header.
    Ragged {
        /// Where.
        at: Location,
        /// The number of columns.
        expected: usize,
        /// The number of fields found.
        found: usize,
        /// What separates the fields.
        delimiter: u8,
    },
    /// A value that is not of its column's kind.
    Value {
        /// Where.
        at: Location,
        /// The value, as it stands in the file.
        value: String,
        /// What was expected, such as `a number`.
        expected: String,
        /// Whether that is a guess from other values, rather than what the file, the user or a model says.
        guessed: bool,
        /// Whether the value shows that the column is of another kind after all, rather than being wrong.
        widens: bool,
        /// What it looks like in a notation that is not read unless it is asked for.
        look: Option<Look>,
    },
    /// Bytes that are not UTF-8.
    NotUtf8 {
        /// Where.
        at: Location,
    },
    /// Anything else that is wrong at one place of the data.
    Invalid {
        /// Where.
        at: Location,
        /// What is wrong, and what to do.
        what: Sentence,
    },
    /// A file that is not what it was when it was opened.
    Changed {
        /// The file.
        path: String,
    },
    /// A formula that cannot be used with these data.
    Formula(FormulaError),
    /// An option that cannot be, or does not go with these files.
    Option(String),
    /// The user asked to stop.
    Interrupted,
}

impl DataError {
    /// The place the error is about, if it is about one.
    pub fn location(&self) -> Option<&Location> {
        match self {
            DataError::Ragged { at, .. }
            | DataError::Value { at, .. }
            | DataError::NotUtf8 { at }
            | DataError::Invalid { at, .. } => Some(at),
            _ => None,
        }
    }

    /// Whether a column is of another kind than the heads of its files say, rather than a value wrong: read again with what
    /// [`Dataset::count_kinds`](crate::read::Dataset::count_kinds) met, the data are sound.
    pub fn widens(&self) -> bool {
        matches!(self, DataError::Value { widens: true, .. })
    }

    /// The same error with its record counted from `before` records earlier.
    pub(crate) fn after_records(mut self, before: u64) -> DataError {
        if let DataError::Ragged { at, .. }
        | DataError::Value { at, .. }
        | DataError::NotUtf8 { at }
        | DataError::Invalid { at, .. } = &mut self
            && let Some(record) = &mut at.record
        {
            *record += before;
        }
        self
    }

    /// The same error, whose record was counted among rows that were gathered: the file and the record, from 1, where it stands.
    #[must_use]
    pub fn standing_at(mut self, place: impl FnOnce(u64) -> Option<(String, u64)>) -> Self {
        if let DataError::Ragged { at, .. }
        | DataError::Value { at, .. }
        | DataError::NotUtf8 { at }
        | DataError::Invalid { at, .. } = &mut self
            && let Some((file, record)) = at.record.and_then(place)
        {
            (at.file, at.record) = (file, Some(record));
        }
        self
    }

    /// Why `path` could not be read; a missing file is given the name that was perhaps meant.
    pub fn reading(path: &Path, source: io::Error) -> DataError {
        match source.kind() {
            io::ErrorKind::NotFound => {
                DataError::NoSuchFile { path: path.display().to_string(), similar: similar_name(path) }
            }
            _ => DataError::Read { path: path.display().to_string(), source },
        }
    }
}

impl DataError {
    /// What is wrong, where, and what to do, with settings as a front end writes them.
    pub fn sentence(&self, wording: &dyn Wording) -> String {
        match self {
            DataError::Read { path, source } => format!("cannot read {path}: {source}"),
            DataError::Write { path, source } => format!("cannot write {}: {source}", path.display()),
            DataError::NoSuchFile { path, similar: None } => format!("no such file: {path}"),
            DataError::NoSuchFile { path, similar: Some(name) } => {
                format!("no such file: {path}; did you mean {name}?")
            }
            DataError::NoDataFiles { folder } => format!(
                "no data files in the folder {folder}: none of its files ends in .csv, .tsv, .ndjson or .jsonl (with or without .gz or \
                 .zst), .parquet, .arrow, .feather or .arrows; of the folders within it those of partitions alone, such as year=2024, are looked into"
            ),
            DataError::NoMatch { pattern } => format!("no file matches {pattern}"),
            DataError::Empty { path } => format!("{path} is empty: it has neither a header nor a record"),
            DataError::UnknownFormat { path } => format!(
                "cannot tell the format of {path}; name it with {} csv, tsv, parquet, arrow, arrow-stream or ndjson",
                wording.setting(Setting::InputFormat)
            ),
            DataError::Damaged { path, format, why } => format!("{path} cannot be read as {format}: {why}"),
            DataError::NotText { path } => format!(
                "{path} cannot be read as text: it has zero bytes, so it is no text; name what it is with {}, or a file that is \
                 text",
                wording.setting(Setting::InputFormat)
            ),
            DataError::LooksLike { path, look_alike } => format!("{path}: {}", look_alike.sentence().worded(wording)),
            DataError::Mismatch { first, other, difference } => {
                format!("{other} does not go with {first}: {difference}; read them apart, or make them alike")
            }
            DataError::DuplicateColumn { path, name, positions: (first, second), first_line } => {
                let both = format!("{path}: columns {first} and {second} are both named `{name}`; rename one of them");
                let header = wording.setting(Setting::NoHeader);
                if *first_line { format!("{both} (if the first line is data, not names, say {header})") } else { both }
            }
            DataError::Ragged { at, expected, found, delimiter } => {
                let (fields, delimiter) = (if *found == 1 { "field" } else { "fields" }, delimiter_name(*delimiter));
                let advice = match found > expected {
                    true => "a field that contains the delimiter must be in double quotes".to_owned(),
                    false => {
                        format!(
                            "complete the line, or name another delimiter with {}",
                            wording.setting(Setting::Delimiter)
                        )
                    }
                };
                format!(
                    "{at}: {found} {fields} where {expected} were expected, with {delimiter} between fields; {advice}"
                )
            }
            DataError::Value { at, value, expected, guessed, look, .. } => {
                let mut said = sentence![format!("{at}: `{value}` is not {expected}")];
                let column = at.column.as_deref().unwrap_or_default();
                match look {
                    Some(look) => said = said.and(look.advice(column)),
                    // A long value is none that stands for a missing one.
                    None if at.column.is_some() && value.len() <= 40 => {
                        let named = Setting::MissingText.with(value);
                        said = said.and(sentence!["; if it stands for a missing value, say ", named]);
                    }
                    None => {}
                }
                if let Some(column) = at.column.as_ref().filter(|_| *guessed) {
                    said = said.and(sentence!["; if the column is text, say ", Setting::Text.with(column)]);
                }
                said.worded(wording)
            }
            DataError::NotUtf8 { at } => {
                format!("{at}: not UTF-8; convert the file, for example with `iconv -f latin1 -t utf-8`")
            }
            DataError::Invalid { at, what } => format!("{at}: {}", what.worded(wording)),
            DataError::Changed { path } => {
                format!("{path} changed while it was read; run again when nothing writes to it")
            }
            DataError::Formula(error) => error.sentence(wording),
            DataError::Option(what) => what.clone(),
            DataError::Interrupted => "interrupted".to_owned(),
        }
    }
}

impl fmt::Display for DataError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.sentence(&InRust))
    }
}

impl std::error::Error for DataError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            DataError::Read { source, .. } | DataError::Write { source, .. } => Some(source),
            _ => None,
        }
    }
}

impl From<FormulaError> for DataError {
    fn from(error: FormulaError) -> Self {
        DataError::Formula(error)
    }
}

impl From<DataError> for noisefit_core::Error {
    fn from(error: DataError) -> Self {
        noisefit_core::Error::Source(Box::new(error))
    }
}

fn delimiter_name(delimiter: u8) -> String {
    match delimiter {
        b'\t' => "a tab".to_owned(),
        b' ' => "a space".to_owned(),
        other => format!("`{}`", char::from(other)),
    }
}

/// The file beside `path` whose name differs least from it, if it differs by no more than a third of the letters.
fn similar_name(path: &Path) -> Option<String> {
    let wanted = path.file_name()?.to_str()?.to_lowercase();
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let names = std::fs::read_dir(folder).ok()?.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    let (distance, name) = names.map(|name| (edit_distance(&wanted, &name.to_lowercase()), name)).min()?;
    (distance <= wanted.chars().count() / 3).then_some(name)
}

/// The number of letters to insert, remove or replace to get from one word to the other (Levenshtein).
pub(crate) fn edit_distance(from: &str, to: &str) -> usize {
    let to: Vec<char> = to.chars().collect();
    let mut row: Vec<usize> = (0..=to.len()).collect();
    for (i, letter) in from.chars().enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], i + 1);
        for (j, other) in to.iter().enumerate() {
            let replaced = diagonal + usize::from(letter != *other);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row[to.len()]
}

#[cfg(test)]
mod tests {
    use super::edit_distance;

    #[test]
    fn distances_of_words() {
        assert_eq!(edit_distance("kitten", "sitting"), 3);
        assert_eq!(edit_distance("", "abc"), 3);
        assert_eq!(edit_distance("engel.csv", "engle.csv"), 2);
        assert_eq!(edit_distance("same", "same"), 0);
    }
}
