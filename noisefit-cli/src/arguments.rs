//! What several commands take: which data, how to read them, and how values are written.

use std::ffi::OsStr;
use std::marker::PhantomData;
use std::str::FromStr;
use std::sync::Arc;

use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use clap::{Arg, Args, ValueEnum};
use noisefit::core::named::{Name, Named};
use noisefit::data::frame::Field;
use noisefit::data::read::{DateFormat, Format, ReadOptions};
use noisefit::{Error, Table, parse};

use crate::files::Data;
use crate::progress::Passes;
use crate::shell::quoted;

/// Which data, and how to read them.
#[derive(Debug, Args)]
pub(crate) struct DataArguments {
    /// Files, folders, patterns such as 'data/*.parquet', or - for standard input
    #[arg(value_name = "DATA", required = true)]
    pub(crate) data: Vec<Data>,
    #[command(flatten)]
    pub(crate) reading: ReadingArguments,
}

/// How data are read.
#[derive(Debug, Args)]
pub(crate) struct ReadingArguments {
    /// The format, where neither name nor contents tell it
    #[arg(long, value_name = "FORMAT", value_parser = named::<Format>(), help_heading = "Reading data")]
    pub(crate) input_format: Option<Format>,
    /// What separates the fields of a CSV file [default: found out]
    #[arg(long, value_name = "CHARACTER", value_parser = parse::delimiter, help_heading = "Reading data")]
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
    #[arg(long, value_name = "MARK", value_parser = parse::decimal, help_heading = "Reading data")]
    pub(crate) decimal: Option<u8>,
    /// How dates are written, beside 2024-12-24: %d/%m/%Y, %d-%b-%Y, ...
    #[arg(long, value_name = "FORMAT", help_heading = "Reading data")]
    pub(crate) date: Option<DateFormat>,
    /// Threads to use; results do not depend on it [default: all]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..), help_heading = "Resources")]
    pub(crate) threads: Option<u16>,
    /// Columns up to this size are kept in memory between passes
    #[arg(long, value_name = "SIZE", default_value = "192MB", value_parser = parse::size, help_heading = "Resources")]
    pub(crate) memory: u64,
    /// No progress bar
    #[arg(long, short, help_heading = "Resources")]
    pub(crate) quiet: bool,
}

impl DataArguments {
    /// The table, which whoever looks at the screen watches over.
    pub(crate) fn open(&self) -> Result<(Table, Arc<Passes>), Error> {
        self.open_for(&[])
    }

    /// The table as a model reads it that was fitted to columns such as `known`.
    pub(crate) fn open_for(&self, known: &[Field]) -> Result<(Table, Arc<Passes>), Error> {
        self.reading.open(&self.data, known)
    }
}

impl ReadingArguments {
    /// The table of some data as a model reads it that was fitted to columns such as `known`.
    pub(crate) fn open(&self, data: &[Data], known: &[Field]) -> Result<(Table, Arc<Passes>), Error> {
        let defaults = ReadOptions::default();
        let options = ReadOptions {
            format: self.input_format,
            delimiter: self.delimiter,
            header: !self.no_header,
            missing: self.na.clone(),
            text: self.text.clone(),
            decimal: self.decimal,
            number: self.number.clone(),
            date: self.date.clone(),
            known: known.to_vec(),
            threads: self.threads.map_or(defaults.threads, usize::from),
            ..defaults
        };
        let table = Table::files(data, &options)?.memory(self.memory);
        let passes = Arc::new(Passes::new(table.dataset().size_in_bytes(), self.quiet));
        Ok((table.watched_by(passes.clone()), passes))
    }
}

impl DataArguments {
    /// The words, as a shell reads them, by which another command reads the same data in the same way.
    pub(crate) fn words(&self) -> Vec<String> {
        let DataArguments { data, reading } = self;
        let ReadingArguments { input_format, delimiter, no_header, na, text, number, decimal, date, .. } = reading;
        let character = |byte: &u8| char::from(*byte).to_string().replace('\t', "tab");
        let given = [
            ("--input-format", input_format.iter().map(ToString::to_string).collect()),
            ("--delimiter", delimiter.iter().map(character).collect()),
            ("--na", na.clone()),
            ("--text", text.clone()),
            ("--number", number.clone()),
            ("--decimal", decimal.iter().map(character).collect()),
            ("--date", date.iter().map(ToString::to_string).collect::<Vec<_>>()),
        ];
        let mut words: Vec<String> = data.iter().map(|data| quoted(&data.0.to_string_lossy())).collect();
        for (option, values) in given {
            words.extend(values.iter().flat_map(|value| [option.to_owned(), quoted(value)]));
        }
        words.extend(no_header.then(|| "--no-header".to_owned()));
        words
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

/// A parser of values that have names in the library, with these in the help.
pub(crate) fn named<T: Named>() -> impl TypedValueParser<Value = T> {
    let values = T::NAMES.iter().map(|Name { name, about, .. }| {
        let value = PossibleValue::new(*name);
        if about.is_empty() { value } else { value.help(*about) }
    });
    PossibleValuesParser::new(values).try_map(|name| T::of_name(&name))
}

/// A parser of values of which these are some: shells offer them, and others are taken, such as `quantile:0.9`.
pub(crate) fn suggested<T>(names: impl Iterator<Item = &'static str>) -> impl TypedValueParser<Value = T>
where
    T: FromStr<Err: Into<Box<dyn std::error::Error + Send + Sync>>> + Clone + Send + Sync + 'static,
{
    Suggested { names: names.collect(), of: PhantomData }
}

#[derive(Clone)]
struct Suggested<T> {
    names: Vec<&'static str>,
    of: PhantomData<T>,
}

impl<T> TypedValueParser for Suggested<T>
where
    T: FromStr<Err: Into<Box<dyn std::error::Error + Send + Sync>>> + Clone + Send + Sync + 'static,
{
    type Value = T;

    fn parse_ref(&self, command: &clap::Command, arg: Option<&Arg>, value: &OsStr) -> Result<T, clap::Error> {
        T::from_str.parse_ref(command, arg, value)
    }

    fn possible_values(&self) -> Option<Box<dyn Iterator<Item = PossibleValue> + '_>> {
        Some(Box::new(self.names.iter().copied().map(PossibleValue::new)))
    }
}
