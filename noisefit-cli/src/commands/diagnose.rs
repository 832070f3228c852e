//! `noisefit diagnose`.

use clap::Args;
use noisefit::report::chart::Kind;
use noisefit::{ChartOptions, DiagnoseOptions, Model};

use super::model::{FitAlone, ModelArguments, NoiseArguments};
use crate::arguments::DataArguments;
use crate::files::{Output, TableOutput};
use crate::outcome::{Failure, Files, Options, Outcome};
use crate::output::{TableFormat, print_table, warn};
use crate::picture::{show, write};

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
    #[command(flatten)]
    pub(crate) of_fits: FitAlone,
    /// How many of the rows that stand out are listed
    #[arg(long, value_name = "ROWS", default_value_t = 10, value_parser = clap::value_parser!(u32).range(0..=1000))]
    pub(crate) worst: u32,
    /// Write what was measured of every row to a .csv, .tsv or .parquet file
    #[arg(long, value_name = "FILE")]
    pub(crate) rows: Option<TableOutput>,
    /// How far each row moves each coefficient when it is left out, in standard errors, in that file, too (least squares)
    #[arg(long, requires = "rows")]
    pub(crate) dfbetas: bool,
    /// Test dependence over up to so many rows in their order, too: Breusch and Godfrey's and Ljung and Box's tests
    #[arg(long, value_name = "ROWS", value_parser = clap::value_parser!(u32).range(1..=200))]
    pub(crate) lags: Option<u32>,
    /// Simulated p-values are drawn from this number
    #[arg(long, value_name = "NUMBER", default_value_t = 0)]
    pub(crate) seed: u64,
    /// Write the report of it, one HTML page with tables and charts, to this file
    #[arg(long, value_name = "FILE.html")]
    pub(crate) report: Option<Output>,
    /// Show residuals below the result, where the terminal can
    #[arg(long)]
    pub(crate) plot: bool,
    /// How to print the result
    #[arg(long, value_enum, default_value_t = TableFormat::Table)]
    pub(crate) format: TableFormat,
}

/// Fits, looks at the fit, and prints.
pub(crate) fn run(arguments: &DiagnoseArguments) -> Result<Outcome, Failure> {
    let sampling_weights = arguments.of_fits.sampling_weights.clone();
    let model = Model { seed: arguments.seed, sampling_weights, ..arguments.model.with_noise(&arguments.noise) };
    let options = DiagnoseOptions {
        worst: arguments.worst as usize,
        rows: arguments.rows.as_ref().map(|TableOutput(path)| path.clone()),
        dfbetas: arguments.dfbetas,
        lags: arguments.lags.map(|lags| lags as usize),
    };
    model.check()?;
    let (table, passes) = arguments.data.open()?;
    let diagnosed = model.diagnose(&table, &options)?;
    passes.finish();
    let charts = ChartOptions { seed: arguments.seed, ..ChartOptions::default() };
    let mut files = Files::default();
    files.keep(diagnosed.written())?;
    if let Some(Output(path)) = &arguments.report {
        let page = diagnosed.report(&charts, &Options).map_err(Failure::from);
        files.keep(page.and_then(|page| write(path, &page)))?;
    }
    let (summary, record) = (|| diagnosed.summary_in(&Options), || diagnosed.record(&Options));
    print_table(arguments.format, summary, record, || Ok(diagnosed.tidy()))?;
    if arguments.plot {
        show(&diagnosed.fitted().chart(Kind::Residuals, None, &charts)?)?;
    }
    warn(&diagnosed.warnings());
    files.ended(Outcome::of(diagnosed.fit().termination.converged))
}
