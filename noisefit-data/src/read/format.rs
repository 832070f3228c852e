//! The formats there are, and how a file's format is told.

use std::path::Path;
use std::str::FromStr;

#[cfg(feature = "files")]
use super::file::InputFile;
use noisefit_core::named::{Name, Named};

use crate::error::DataError;

/// What the bytes of a file mean. Text formats and Arrow streams may also be compressed as a whole, with gzip or
/// Zstandard, which the first bytes of the file tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Format {
    /// Text with a delimiter between fields, one record a line.
    Csv,
    /// Text with fields between tabs.
    Tsv,
    /// Apache Parquet.
    Parquet,
    /// Apache Arrow's file format, also known as Feather version 2.
    ArrowFile,
    /// Apache Arrow's streaming format.
    ArrowStream,
    /// One JSON object a line.
    NdJson,
}

impl Format {
    /// Its name in messages.
    pub fn name(self) -> &'static str {
        match self {
            Format::Csv => "CSV",
            Format::Tsv => "TSV",
            Format::Parquet => "Parquet",
            Format::ArrowFile => "an Arrow file",
            Format::ArrowStream => "an Arrow stream",
            Format::NdJson => "newline-delimited JSON",
        }
    }

    /// Whether values have types in the file, rather than being text that is read as values.
    pub(crate) fn is_typed(self) -> bool {
        matches!(self, Format::Parquet | Format::ArrowFile | Format::ArrowStream)
    }

    /// The format of a file, from its first bytes where these are characteristic, from its name otherwise.
    #[cfg(feature = "files")]
    pub(crate) fn of(file: &InputFile) -> Result<Format, DataError> {
        let content = file.first_content(64)?;
        if content.is_empty() {
            return Err(DataError::Empty { path: file.name.clone() });
        }
        Format::of_magic(&content)
            .or_else(|| Format::of_name(Path::new(&file.name)))
            .or_else(|| content.trim_ascii_start().starts_with(b"{").then_some(Format::NdJson))
            .or_else(|| is_delimited(&content).then_some(Format::Csv))
            .ok_or_else(|| DataError::UnknownFormat { path: file.name.clone() })
    }

    fn of_magic(content: &[u8]) -> Option<Format> {
        match content {
            // A column may be called PAR1: what follows the mark of a Parquet or an Arrow file is never text.
            [b'P', b'A', b'R', b'1', rest @ ..] | [b'A', b'R', b'R', b'O', b'W', b'1', rest @ ..]
                if !rest.is_empty() && is_text(rest) =>
            {
                None
            }
            [b'P', b'A', b'R', b'1', ..] => Some(Format::Parquet),
            [b'A', b'R', b'R', b'O', b'W', b'1', ..] => Some(Format::ArrowFile),
            // The mark before the first message; no UTF-8 text begins so.
            [0xff, 0xff, 0xff, 0xff, ..] => Some(Format::ArrowStream),
            _ => None,
        }
    }

    /// The format that a file's name says.
    fn of_name(path: &Path) -> Option<Format> {
        match extension(path)?.as_str() {
            "csv" | "txt" | "dat" => Some(Format::Csv),
            "tsv" | "tab" => Some(Format::Tsv),
            "parquet" | "pq" => Some(Format::Parquet),
            "arrow" | "feather" | "ipc" => Some(Format::ArrowFile),
            "arrows" => Some(Format::ArrowStream),
            "ndjson" | "jsonl" | "json" => Some(Format::NdJson),
            _ => None,
        }
    }

    /// Whether a file found in a folder is part of a data set. Notes and settings beside the data (`README.txt`,
    /// `package.json`) and hidden files are not, so these endings must be asked for by name or pattern.
    pub(crate) fn is_data_file(path: &Path) -> bool {
        let hidden = path.file_name().is_none_or(|name| matches!(name.as_encoded_bytes(), [b'.' | b'_', ..]));
        !hidden
            && Format::of_name(path).is_some()
            && !matches!(extension(path).as_deref(), Some("txt" | "dat" | "json"))
    }
}

/// Whether a beginning is text with something that separates fields in its first line.
fn is_delimited(content: &[u8]) -> bool {
    let line = content.split(|&byte| byte == b'\n').next().unwrap_or_default();
    is_text(content) && line.iter().any(|byte| b",;\t|".contains(byte))
}

/// Whether a beginning is text.
fn is_text(content: &[u8]) -> bool {
    // A character may be cut in two at the end.
    let is_utf8 = match std::str::from_utf8(content) {
        Ok(_) => true,
        Err(error) => error.error_len().is_none(),
    };
    let control = |byte: &u8| byte.is_ascii_control() && !byte.is_ascii_whitespace();
    is_utf8 && !content.iter().any(control)
}

impl Named for Format {
    const NAMES: &'static [Name<Format>] = &[
        Name { value: Format::Csv, name: "csv", about: "" },
        Name { value: Format::Tsv, name: "tsv", about: "" },
        Name { value: Format::Parquet, name: "parquet", about: "" },
        Name { value: Format::ArrowFile, name: "arrow", about: "An Arrow IPC file" },
        Name { value: Format::ArrowStream, name: "arrow-stream", about: "An Arrow IPC stream" },
        Name { value: Format::NdJson, name: "ndjson", about: "One JSON object a line" },
    ];
}

impl std::fmt::Display for Format {
    /// As it is named by a user, such as `csv`.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(Named::name(*self))
    }
}

impl FromStr for Format {
    type Err = DataError;

    /// The format that a name such as `csv` stands for on the command line.
    fn from_str(name: &str) -> Result<Format, DataError> {
        match name {
            "arrow-stream" => Ok(Format::ArrowStream),
            _ => Format::of_name(Path::new(&format!("x.{name}"))).ok_or_else(|| {
                DataError::Option(format!(
                    "`{name}` is not a format; the formats are csv, tsv, parquet, arrow, arrow-stream and ndjson"
                ))
            }),
        }
    }
}

/// The ending of a file's name without that of a compression, in lower case.
fn extension(path: &Path) -> Option<String> {
    let ending = path.extension()?.to_str()?.to_lowercase();
    match ending.as_str() {
        "gz" | "gzip" | "zst" | "zstd" => extension(Path::new(path.file_stem()?)),
        _ => Some(ending),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_tell_formats() {
        let of = |name: &str| Format::of_name(Path::new(name));
        assert_eq!(of("a/b.CSV"), Some(Format::Csv));
        assert_eq!(of("b.tsv.gz"), Some(Format::Tsv));
        assert_eq!(of("b.jsonl.zst"), Some(Format::NdJson));
        assert_eq!(of("b.pq"), Some(Format::Parquet));
        assert_eq!(of("b.gz"), None);
        assert_eq!(of("csv"), None);
        assert!(Format::is_data_file(Path::new("d/part-0.parquet")));
        assert!(!Format::is_data_file(Path::new("d/README.txt")));
        assert!(!Format::is_data_file(Path::new("d/_metadata.parquet")));
    }

    #[test]
    fn marks_tell_formats_unless_text_follows_them() {
        assert_eq!(Format::of_magic(b"PAR1"), Some(Format::Parquet));
        assert_eq!(Format::of_magic(b"PAR1\x15\x04"), Some(Format::Parquet));
        assert_eq!(Format::of_magic(b"ARROW1\0\0"), Some(Format::ArrowFile));
        assert_eq!(Format::of_magic(b"PAR1,x\n1,2\n"), None);
        assert_eq!(Format::of_magic(b"PAR1\n1\n"), None);
        assert_eq!(Format::of_magic(b"ARROW1;x\n1;2\n"), None);
    }

    #[test]
    fn formats_have_names_on_the_command_line() {
        assert_eq!("arrow-stream".parse::<Format>().unwrap(), Format::ArrowStream);
        assert_eq!("ndjson".parse::<Format>().unwrap(), Format::NdJson);
        let message = "xlsx".parse::<Format>().unwrap_err().to_string();
        assert!(message.starts_with("`xlsx` is not a format; the formats are csv,"), "{message}");
    }
}
