//! What can be said on the command line, with the help for it.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use noisefit::linear::Collinear;
use noisefit::noise::{Choice, HuberScale};
use noisefit_data::formula::Unseen;
use noisefit_data::read::{Dataset, Format, ReadOptions};
use noisefit_data::source::Missing;

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
    Fit(FitArguments),
    /// Predict rows with a fitted model, with intervals
    Predict(PredictArguments),
    /// Score a fitted model on data: errors, likelihood, coverage of its intervals
    Evaluate(EvaluateArguments),
    /// Describe the columns of data: types, missing values, means, quantiles, levels
    Describe(DescribeArguments),
    /// Every loss of given predictions, what the largest errors carry of it, and the noise it implies
    Loss(LossArguments),
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

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  noisefit fit engel.csv -f 'foodexp ~ income'
  noisefit fit wages.parquet -f 'log(wage) ~ poly(age, 2) + C(city, ref=\"Paris\") * female' -o model.json
  noisefit fit engel.csv -f 'foodexp ~ income' --noise quantile:0.1,0.5,0.9
  noisefit fit 'logs/*.csv.gz' -f 'latency ~ size + region' --noise student-t --scale '~ size'
  noisefit fit lab.csv -f 'y ~ x' --weights '1/(0.1 + 0.3*x)^2'
  psql -c 'copy t to stdout csv header' | noisefit fit - --input-format csv -f 'y ~ .' --format json")]
pub(crate) struct FitArguments {
    #[command(flatten)]
    pub(crate) data: DataArguments,
    /// The model, as in R: 'y ~ x1 + log(x2) + city*x3'; `.` stands for all other columns
    #[arg(long, short, value_name = "FORMULA")]
    pub(crate) formula: String,
    /// The noise family: gaussian, laplace, quantile:TAU[,TAU...], huber, huber:DELTA, student-t, student-t:DF, logistic
    #[arg(long, value_name = "FAMILY", default_value = "gaussian")]
    pub(crate) noise: Choice,
    /// Model the noise scale, too: its logarithm is linear in the terms of '~ x + city'
    #[arg(long, value_name = "FORMULA")]
    pub(crate) scale: Option<String>,
    /// Where the tails of huber noise begin, in scales [default: 1.345]
    #[arg(long, value_name = "K", value_parser = parse_positive)]
    pub(crate) huber_k: Option<f64>,
    /// How the scale of huber noise is estimated: mle, mad, mad:CONSTANT or proposal2 [default: mle]
    #[arg(long, value_name = "HOW")]
    pub(crate) huber_scale: Option<HuberScale>,
    /// Relative precisions of the rows (inverse variances), a column or arithmetic on columns
    #[arg(long, value_name = "EXPRESSION")]
    pub(crate) weights: Option<String>,
    /// A column with the number of identical rows that each row stands for
    #[arg(long, value_name = "COLUMN")]
    pub(crate) frequency_weights: Option<String>,
    /// The level of the confidence intervals
    #[arg(long, value_name = "LEVEL", default_value_t = 0.95, value_parser = parse_level)]
    pub(crate) level: f64,
    /// Rows with a missing value
    #[arg(long, value_enum, default_value_t = MissingChoice::Drop)]
    pub(crate) missing: MissingChoice,
    /// Terms that are linear combinations of earlier ones
    #[arg(long, value_enum, default_value_t = CollinearChoice::Drop)]
    pub(crate) collinear: CollinearChoice,
    /// Digits of the worst coefficient to work for, where the data determine them (Gaussian noise; the others give all they can)
    #[arg(long, value_name = "DIGITS", default_value_t = 11.0, value_parser = parse_digits)]
    pub(crate) digits: f64,
    /// Read the data once where that gives the digits asked for under gaussian noise: MAE is left out
    #[arg(long, help_heading = "Resources")]
    pub(crate) one_pass: bool,
    /// How to print the result
    #[arg(long, value_enum, default_value_t = OutputFormat::Table)]
    pub(crate) format: OutputFormat,
    /// Save the model for `predict` and `evaluate`
    #[arg(long, short, value_name = "MODEL.json")]
    pub(crate) output: Option<PathBuf>,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  noisefit predict model.json new.csv
  noisefit predict model.json new.csv --interval 0.95 prediction --keep id,date -o predictions.parquet")]
pub(crate) struct PredictArguments {
    /// A model that `noisefit fit -o` saved
    #[arg(value_name = "MODEL")]
    pub(crate) model: PathBuf,
    #[command(flatten)]
    pub(crate) data: DataArguments,
    /// Add an interval at this level: of a new observation (prediction, the default) or of the location (confidence)
    #[arg(long, value_names = ["LEVEL", "prediction|confidence"], num_args = 1..=2)]
    pub(crate) interval: Vec<String>,
    /// Columns of the data to carry along
    #[arg(long, value_name = "COLUMNS", value_delimiter = ',')]
    pub(crate) keep: Vec<String>,
    /// Carry all columns of the data along
    #[arg(long, conflicts_with = "keep")]
    pub(crate) keep_all: bool,
    /// Levels of a category that the model was not fitted to
    #[arg(long, value_enum, default_value_t = UnseenChoice::Fail)]
    pub(crate) unseen: UnseenChoice,
    /// Write a .csv, .tsv or .parquet file instead of CSV to standard output
    #[arg(long, short, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  noisefit evaluate model.json test.csv --level 0.9")]
pub(crate) struct EvaluateArguments {
    /// A model that `noisefit fit -o` saved
    #[arg(value_name = "MODEL")]
    pub(crate) model: PathBuf,
    #[command(flatten)]
    pub(crate) data: DataArguments,
    /// The level of the prediction intervals whose coverage is counted
    #[arg(long, value_name = "LEVEL", default_value_t = 0.95, value_parser = parse_level)]
    pub(crate) level: f64,
    /// Rows with a missing value
    #[arg(long, value_enum, default_value_t = MissingChoice::Drop)]
    pub(crate) missing: MissingChoice,
    /// Levels of a category that the model was not fitted to
    #[arg(long, value_enum, default_value_t = UnseenChoice::Fail)]
    pub(crate) unseen: UnseenChoice,
    /// How to print the result
    #[arg(long, value_enum, default_value_t = OutputFormat::Table)]
    pub(crate) format: OutputFormat,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  noisefit describe engel.csv
  noisefit describe 'logs/*.csv.gz' --columns latency,region
  noisefit describe wages.parquet --format json | jq '.columns[] | select(.missing > 0) | .name'")]
pub(crate) struct DescribeArguments {
    #[command(flatten)]
    pub(crate) data: DataArguments,
    /// Only these columns, in this order [default: all]
    #[arg(long, value_name = "COLUMNS", value_delimiter = ',')]
    pub(crate) columns: Vec<String>,
    /// How to print the result
    #[arg(long, value_enum, default_value_t = OutputFormat::Table)]
    pub(crate) format: OutputFormat,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  noisefit loss predictions.csv --truth y --prediction prediction
  noisefit loss predictions.parquet --truth sales --prediction forecast --delta 10 --tau 0.9 --format json")]
pub(crate) struct LossArguments {
    #[command(flatten)]
    pub(crate) data: DataArguments,
    /// The column with the true values
    #[arg(long, value_name = "COLUMN")]
    pub(crate) truth: String,
    /// The column with the predictions
    #[arg(long, value_name = "COLUMN")]
    pub(crate) prediction: String,
    /// Where the Huber and smooth L1 losses turn from squares to lines
    #[arg(long, value_name = "DELTA", default_value_t = 1.0)]
    pub(crate) delta: f64,
    /// The level of the pinball loss
    #[arg(long, value_name = "TAU", default_value_t = 0.5, value_parser = parse_level)]
    pub(crate) tau: f64,
    /// How many of the largest errors to list
    #[arg(long, value_name = "N", default_value_t = 5)]
    pub(crate) largest: usize,
    /// Rows with a missing value
    #[arg(long, value_enum, default_value_t = MissingChoice::Drop)]
    pub(crate) missing: MissingChoice,
    /// How to print the result
    #[arg(long, value_enum, default_value_t = OutputFormat::Table)]
    pub(crate) format: OutputFormat,
}

/// A probability strictly between 0 and 1.
pub(crate) fn parse_level(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(level) if level > 0.0 && level < 1.0 => Ok(level),
        _ => Err("a level lies between 0 and 1, such as 0.95".to_owned()),
    }
}

fn parse_positive(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(number) if number > 0.0 && f64::is_finite(number) => Ok(number),
        _ => Err("a positive number is needed, such as 1.345".to_owned()),
    }
}

fn parse_digits(text: &str) -> Result<f64, String> {
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
