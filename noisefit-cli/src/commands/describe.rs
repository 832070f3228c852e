//! `noisefit describe`.

use clap::Args;

use crate::arguments::{DataArguments, OutputFormat};
use crate::outcome::{Failure, Outcome};
use crate::output::{print, print_json, warn};

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

/// Describes and prints.
pub(crate) fn run(arguments: &DescribeArguments) -> Result<Outcome, Failure> {
    let (table, passes) = arguments.data.open()?;
    let described = table.describe(&arguments.columns)?;
    passes.finish();
    match arguments.format {
        OutputFormat::Json => print_json(&described.record())?,
        OutputFormat::Table => print(&described.summary())?,
    }
    warn(described.warnings());
    Ok(Outcome::Done)
}
