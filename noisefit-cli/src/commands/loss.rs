//! `noisefit loss`.

use clap::Args;
use noisefit::data::source::Missing;
use noisefit::{LossOptions, parse};

use crate::arguments::{DataArguments, named};
use crate::outcome::{Failure, Outcome};
use crate::output::{TableFormat, print_table, warn};

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
    #[arg(long, value_name = "TAU", default_value_t = 0.5, value_parser = parse::level)]
    pub(crate) tau: f64,
    /// How many of the largest errors to list
    #[arg(long, value_name = "N", default_value_t = 5)]
    pub(crate) largest: usize,
    /// Rows with a missing value
    #[arg(long, value_parser = named::<Missing>(), default_value_t = Missing::Drop)]
    pub(crate) missing: Missing,
    /// How to print the result
    #[arg(long, value_enum, default_value_t = TableFormat::Table)]
    pub(crate) format: TableFormat,
}

/// Reports and prints.
pub(crate) fn run(arguments: &LossArguments) -> Result<Outcome, Failure> {
    let &LossArguments { delta, tau, largest, missing, .. } = arguments;
    let options = LossOptions::of(&arguments.truth, &arguments.prediction);
    let options = LossOptions { delta, tau, largest, missing, ..options };
    options.check()?;
    let (table, passes) = arguments.data.open()?;
    let losses = table.losses(&options)?;
    passes.finish();
    print_table(arguments.format, || losses.summary(), || losses.record(), || Ok(losses.tidy()))?;
    warn(&losses.warnings());
    Ok(Outcome::Done)
}
