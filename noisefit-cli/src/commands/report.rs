//! `noisefit report`.

use clap::Args;
use noisefit::data::formula::Scope;
use noisefit::{ChartOptions, Fitted};

use crate::arguments::DataArguments;
use crate::files::{ModelFile, Output};
use crate::outcome::{Failure, Options, Outcome};
use crate::output::{print, warn};
use crate::picture::write;

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  noisefit report model.json engel.csv -o engel.html
  noisefit report network.json test.csv > report.html")]
pub(crate) struct ReportArguments {
    /// A model that `noisefit fit -o` saved
    #[arg(value_name = "MODEL")]
    pub(crate) model: ModelFile,
    #[command(flatten)]
    pub(crate) data: DataArguments,
    /// Rows that are drawn, at most: of more a random sample
    #[arg(long, value_name = "ROWS", default_value_t = 500, value_parser = clap::value_parser!(u32).range(1..=5000))]
    pub(crate) points: u32,
    /// They are drawn from this number
    #[arg(long, value_name = "NUMBER", default_value_t = 0)]
    pub(crate) seed: u64,
    /// Write the page to a file instead of standard output
    #[arg(long, short, value_name = "FILE.html")]
    pub(crate) output: Option<Output>,
}

/// Reads the data again and writes the page.
pub(crate) fn run(arguments: &ReportArguments) -> Result<Outcome, Failure> {
    let fitted = Fitted::load(&arguments.model.0)?;
    let (table, passes) = arguments.data.open_for(fitted.model().design.columns_needed(Scope::All))?;
    let options = ChartOptions { rows: arguments.points as usize, seed: arguments.seed, ..ChartOptions::default() };
    let page = fitted.report(Some(&table), &options, &Options)?;
    passes.finish();
    match &arguments.output {
        Some(Output(path)) => write(path, &page)?,
        None => print(&page)?,
    }
    warn(&fitted.warnings());
    Ok(Outcome::Done)
}
