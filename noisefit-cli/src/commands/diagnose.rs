//! `noisefit diagnose`.

use clap::Args;
use noisefit::{DiagnoseOptions, Model};

use super::model::{ModelArguments, NoiseArguments};
use crate::arguments::{DataArguments, OutputFormat};
use crate::files::TableOutput;
use crate::outcome::{Failure, Options, Outcome};
use crate::output::{print, print_json, warn};

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  noisefit diagnose engel.csv -f 'foodexp ~ income'
  noisefit diagnose engel.csv -f 'foodexp ~ income' --scale '~ income' --worst 5
  noisefit diagnose phones.csv -f 'calls ~ year' --noise student-t --rows rows.csv")]
pub(crate) struct DiagnoseArguments {
    #[command(flatten)]
    pub(crate) data: DataArguments,
    #[command(flatten)]
    pub(crate) model: ModelArguments,
    #[command(flatten)]
    pub(crate) noise: NoiseArguments,
    /// How many of the rows that stand out are listed
    #[arg(long, value_name = "ROWS", default_value_t = 10, value_parser = clap::value_parser!(u32).range(0..=1000))]
    pub(crate) worst: u32,
    /// Write what was measured of every row to a .csv, .tsv or .parquet file
    #[arg(long, value_name = "FILE")]
    pub(crate) rows: Option<TableOutput>,
    /// Simulated p-values are drawn from this number
    #[arg(long, value_name = "NUMBER", default_value_t = 0)]
    pub(crate) seed: u64,
    /// How to print the result
    #[arg(long, value_enum, default_value_t = OutputFormat::Table)]
    pub(crate) format: OutputFormat,
}

/// Fits, looks at the fit, and prints.
pub(crate) fn run(arguments: &DiagnoseArguments) -> Result<Outcome, Failure> {
    let model = Model { seed: arguments.seed, ..arguments.model.with_noise(&arguments.noise) };
    let options = DiagnoseOptions {
        worst: arguments.worst as usize,
        rows: arguments.rows.as_ref().map(|TableOutput(path)| path.clone()),
    };
    model.check()?;
    let (table, passes) = arguments.data.open()?;
    let diagnosed = model.diagnose(&table, &options)?;
    passes.finish();
    match arguments.format {
        OutputFormat::Json => print_json(&diagnosed.record(&Options))?,
        OutputFormat::Table => print(&diagnosed.summary_in(&Options))?,
    }
    warn(&diagnosed.warnings());
    Ok(Outcome::of(diagnosed.fit().termination.converged))
}
