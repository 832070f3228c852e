//! What can be said on the command line, with the help for it.

use std::path::{Path, PathBuf};

use clap::{Args, Parser, Subcommand, ValueEnum};
use noisefit_core::estimate::Collinear;
use noisefit_data::formula::Unseen;
use noisefit_data::read::{Dataset, Format, ReadOptions};
use noisefit_data::source::Missing;

use crate::Usage;
use crate::commands::compare::CompareArguments;
use crate::commands::describe::DescribeArguments;
use crate::commands::diagnose::DiagnoseArguments;
use crate::commands::evaluate::EvaluateArguments;
use crate::commands::export::ExportArguments;
use crate::commands::fit::FitArguments;
use crate::commands::loss::LossArguments;
use crate::commands::predict::PredictArguments;
use crate::commands::profile::ProfileArguments;

/// Name the noise, get the fit.
///
/// Regression by maximum likelihood under a noise model that you name: the loss, the estimator, the noise scale, standard
/// errors, intervals and the complete likelihood all follow from that one choice.
#[derive(Debug, Parser)]
#[command(name = "noisefit", version, max_term_width = 110)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Fit a model by maximum likelihood and print its table
    Fit(Box<FitArguments>),
    /// Predict rows with a fitted model, with intervals
    Predict(PredictArguments),
    /// Score a fitted model on data: errors, likelihood, coverage of its intervals
    Evaluate(EvaluateArguments),
    /// Fit a model and say what is wrong with it: variance, shape of the noise, form of the mean, rows that stand out
    Diagnose(DiagnoseArguments),
    /// The likelihood and the loss along one coefficient, and its profile-likelihood interval
    Profile(ProfileArguments),
    /// Set noise models side by side, say which the data prefer and what speaks for it
    Compare(CompareArguments),
    /// Describe the columns of data: types, missing values, means, quantiles, levels
    Describe(DescribeArguments),
    /// Every loss of given predictions, what the largest errors carry of it, and the noise it implies
    Loss(LossArguments),
    /// Write a fitted model in a form that other programs run: ONNX, safetensors
    Export(ExportArguments),
    /// Print a completion script for a shell
    #[command(
        after_help = "Example:\n  noisefit completions bash > ~/.local/share/bash-completion/completions/noisefit"
    )]
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
    /// Print the manual page, or write one page a command into a folder
    #[command(after_help = "Example:\n  noisefit manual --folder ~/.local/share/man/man1")]
    Manual {
        /// Write noisefit.1, noisefit-fit.1, ... here
        #[arg(long, value_name = "FOLDER")]
        folder: Option<PathBuf>,
    },
}

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
    /// Threads to use; results do not depend on it [default: all]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..), help_heading = "Resources")]
    pub(crate) threads: Option<u16>,
    /// Columns up to this size are kept in memory between passes
    #[arg(long, value_name = "SIZE", default_value = "192MB", value_parser = parse_size, help_heading = "Resources")]
    pub(crate) memory: u64,
    /// No progress bar
    #[arg(long, short, help_heading = "Resources")]
    pub(crate) quiet: bool,
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
        let options = ReadOptions {
            format: self.input_format.map(Format::from),
            delimiter: self.delimiter,
            header: !self.no_header,
            missing: self.na.clone(),
            text: self.text.clone(),
            threads: self.threads(),
        };
        Ok(Dataset::open(&self.data, &options)?)
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
