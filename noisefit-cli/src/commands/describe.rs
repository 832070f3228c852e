//! `noisefit describe`.

use clap::Args;

use crate::arguments::DataArguments;
use crate::outcome::{Failure, Outcome};
use crate::output::{TableFormat, print_table, warn};

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
    #[arg(long, value_enum, default_value_t = TableFormat::Table)]
    pub(crate) format: TableFormat,
}

/// Describes and prints.
pub(crate) fn run(arguments: &DescribeArguments) -> Result<Outcome, Failure> {
    let (table, passes) = arguments.data.open()?;
    let described = table.describe(&arguments.columns)?;
    passes.finish();
    print_table(arguments.format, || described.summary(), || described.record(), || Ok(described.tidy()))?;
    warn(described.warnings());
    Ok(Outcome::Done)
}
