//! What several commands take: which data, how to read them, and how values are written.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use clap::{Args, ValueEnum};
use noisefit_core::estimate::Collinear;
use noisefit_data::formula::{Undefined, Unseen};
use noisefit_data::frame::Field;
use noisefit_data::read::{Dataset, DateFormat, Format, Inputs, ReadOptions};
use noisefit_data::source::Missing;

use crate::outcome::Usage;

/// Which data, and how to read them.
#[derive(Debug, Args)]
pub(crate) struct DataArguments {
    /// Files, folders, patterns such as 'data/*.parquet', or - for standard input
    #[arg(value_name = "DATA", required = true)]
    pub(crate) data: Vec<String>,
    /// The format, where neither name nor contents tell it
    #[arg(long, value_name = "FORMAT", help_heading = "Reading data")]
    pub(crate) input_format: Option<InputFormat>,
    /// What separates the fields of a CSV file [default: found out]
    #[arg(long, value_name = "CHARACTER", value_parser = parse_delimiter, help_heading = "Reading data")]
    pub(crate) delimiter: Option<u8>,
    /// The file has no header; columns are V1, V2, ...
    #[arg(long, help_heading = "Reading data")]
    pub(crate) no_header: bool,
    /// A text that stands for a missing value, beside nothing, NA, N/A, NaN and null
    #[arg(long, value_name = "TEXT", allow_hyphen_values = true, help_heading = "Reading data")]
    pub(crate) na: Vec<String>,
    /// A column that is text even if it looks like numbers
    #[arg(long, value_name = "COLUMN", help_heading = "Reading data")]
    pub(crate) text: Vec<String>,
    /// A column that is numbers whatever stands between its digits: 1'000, $3.50, 3.5%
    #[arg(long, value_name = "COLUMN", help_heading = "Reading data")]
    pub(crate) number: Vec<String>,
    /// What stands before decimals in text, . or , [default: found out]
    #[arg(long, value_name = "MARK", value_parser = parse_decimal, help_heading = "Reading data")]
    pub(crate) decimal: Option<u8>,
    /// How dates are written, beside 2024-12-24: %d/%m/%Y, %d-%b-%Y, ...
    #[arg(long, value_name = "FORMAT", help_heading = "Reading data")]
    pub(crate) date: Option<DateFormat>,
    /// Threads to use; results do not depend on it [default: all]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..), help_heading = "Resources")]
    pub(crate) threads: Option<u16>,
    /// Columns up to this size are kept in memory between passes
    #[arg(long, value_name = "SIZE", default_value = "192MB", value_parser = parse_size, help_heading = "Resources")]
    pub(crate) memory: u64,
    /// No progress bar
    #[arg(long, short, help_heading = "Resources")]
    pub(crate) quiet: bool,
    /// The files, once they are found: standard input can be read only once.
    #[arg(skip)]
    inputs: OnceLock<Inputs>,
    /// What columns have turned out to hold.
    #[arg(skip)]
    widened: Vec<Field>,
}

impl DataArguments {
    /// Refuses to write over what is read, and two results into one file.
    pub(crate) fn refuse_overwriting(dataset: &Dataset, outputs: &[(&str, Option<&PathBuf>)]) -> Result<(), Usage> {
        let place = |path: &Path| path.canonicalize().ok();
        let outputs: Vec<(&str, &PathBuf)> =
            outputs.iter().filter_map(|(option, path)| Some((*option, (*path)?))).collect();
        for (k, (option, path)) in outputs.iter().enumerate() {
            let same = |other: &Path| other == *path || place(path).is_some_and(|own| Some(own) == place(other));
            if dataset.files().any(|file| same(Path::new(file))) {
                return Err(Usage(format!("{option} {}: that is a file of the data; name another", path.display())));
            }
            if let Some((other, _)) = outputs[..k].iter().find(|(_, other)| same(other)) {
                return Err(Usage(format!("{option} {}: {other} names the same file; name another", path.display())));
            }
        }
        Ok(())
    }

    pub(crate) fn threads(&self) -> usize {
        self.threads.map_or_else(|| ReadOptions::default().threads, usize::from)
    }

    pub(crate) fn open(&self) -> anyhow::Result<Dataset> {
        self.open_for(&[])
    }

    /// Remembers what a reading has shown a column to hold; false where that was known.
    pub(crate) fn learn(&mut self, field: Field) -> bool {
        if self.widened.contains(&field) {
            return false;
        }
        self.widened.retain(|known| known.name != field.name);
        self.widened.push(field);
        true
    }

    /// Opens the data as a model reads them that was fitted to columns such as `known`.
    pub(crate) fn open_for(&self, known: &[Field]) -> anyhow::Result<Dataset> {
        let options = ReadOptions {
            format: self.input_format.map(Format::from),
            delimiter: self.delimiter,
            header: !self.no_header,
            missing: self.na.clone(),
            text: self.text.clone(),
            decimal: self.decimal,
            number: self.number.clone(),
            date: self.date.clone(),
            known: known.to_vec(),
            widened: self.widened.clone(),
            threads: self.threads(),
        };
        let inputs = match self.inputs.get() {
            Some(inputs) => inputs,
            None => {
                let found = Inputs::find(&self.data)?;
                self.inputs.get_or_init(|| found)
            }
        };
        Ok(Dataset::of(inputs, &options)?)
    }
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum InputFormat {
    Csv,
    Tsv,
    Parquet,
    /// An Arrow IPC file
    Arrow,
    /// An Arrow IPC stream
    ArrowStream,
    /// One JSON object a line
    Ndjson,
}

impl From<InputFormat> for Format {
    fn from(format: InputFormat) -> Self {
        match format {
            InputFormat::Csv => Format::Csv,
            InputFormat::Tsv => Format::Tsv,
            InputFormat::Parquet => Format::Parquet,
            InputFormat::Arrow => Format::ArrowFile,
            InputFormat::ArrowStream => Format::ArrowStream,
            InputFormat::Ndjson => Format::NdJson,
        }
    }
}

/// How a result is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum OutputFormat {
    /// For people
    Table,
    /// One JSON object
    Json,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum MissingChoice {
    /// Leave such rows out and count them
    Drop,
    /// Refuse, naming the first
    Fail,
}

impl From<MissingChoice> for Missing {
    fn from(choice: MissingChoice) -> Self {
        match choice {
            MissingChoice::Drop => Missing::Drop,
            MissingChoice::Fail => Missing::Fail,
        }
    }
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum CollinearChoice {
    /// Leave such terms out and name them
    Drop,
    /// Refuse, naming them
    Fail,
}

impl From<CollinearChoice> for Collinear {
    fn from(choice: CollinearChoice) -> Self {
        match choice {
            CollinearChoice::Drop => Collinear::Drop,
            CollinearChoice::Fail => Collinear::Fail,
        }
    }
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum UnseenChoice {
    /// Refuse, naming the level
    Fail,
    /// Treat the row as incomplete
    Missing,
}

impl From<UnseenChoice> for Unseen {
    fn from(choice: UnseenChoice) -> Self {
        match choice {
            UnseenChoice::Fail => Unseen::Refuse,
            UnseenChoice::Missing => Unseen::Missing,
        }
    }
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum UndefinedChoice {
    /// Refuse, naming the first
    Fail,
    /// Treat the row as incomplete, and count it
    Missing,
}

impl From<UndefinedChoice> for Undefined {
    fn from(choice: UndefinedChoice) -> Self {
        match choice {
            UndefinedChoice::Fail => Undefined::Refuse,
            UndefinedChoice::Missing => Undefined::Missing,
        }
    }
}

/// A probability strictly between 0 and 1.
pub(crate) fn parse_level(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(level) if level > 0.0 && level < 1.0 => Ok(level),
        _ => Err("a level lies between 0 and 1, such as 0.95".to_owned()),
    }
}

pub(crate) fn parse_positive(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(number) if number > 0.0 && f64::is_finite(number) => Ok(number),
        _ => Err("a positive number is needed, such as 1.345".to_owned()),
    }
}

pub(crate) fn parse_digits(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(digits) if (0.0..=15.0).contains(&digits) => Ok(digits),
        _ => Err("digits lie between 0 and 15".to_owned()),
    }
}

fn parse_delimiter(text: &str) -> Result<u8, String> {
    match text.as_bytes() {
        b"\\t" | b"tab" => Ok(b'\t'),
        &[byte] => Ok(byte),
        _ => Err("a delimiter is one ASCII character, or \\t".to_owned()),
    }
}

fn parse_decimal(text: &str) -> Result<u8, String> {
    match text {
        "." => Ok(b'.'),
        "," => Ok(b','),
        _ => Err("decimals stand behind a point or a comma".to_owned()),
    }
}

/// Bytes, as `512MB`, `2GiB` or a plain number.
fn parse_size(text: &str) -> Result<u64, String> {
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let unit = match text[digits.len()..].to_ascii_lowercase().as_str() {
        "" | "b" => 1.0,
        "k" | "kb" => 1e3,
        "m" | "mb" => 1e6,
        "g" | "gb" => 1e9,
        "kib" => 1024.0,
        "mib" => f64::from(1 << 20),
        "gib" => f64::from(1 << 30),
        _ => return Err("a size is a number and a unit, such as 512MB or 2GiB".to_owned()),
    };
    match digits.trim().parse::<f64>() {
        Ok(number) if number >= 0.0 && number.is_finite() => Ok((number * unit) as u64),
        _ => Err("a size is a number and a unit, such as 512MB or 2GiB".to_owned()),
    }
}
