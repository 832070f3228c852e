//! `noisefit profile`.

use clap::Args;
use noisefit::core::inference::profile::{Curve, CurvePoint};
use noisefit::core::record::SmallSample;
use noisefit::data::DataError;
use noisefit::data::frame::Kind;
use noisefit::data::write::{TableColumn, TableWriter};
use noisefit::{Model, ProfileOptions, parse};

use super::model::{FitAlone, ModelArguments, NoiseArguments};
use crate::arguments::{DataArguments, OutputFormat, named};
use crate::files::{Output, TableOutput};
use crate::outcome::{Failure, Files, Options, Outcome};
use crate::output::{Screen, print, print_json, tell, warn};
use crate::picture::write as write_page;

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  noisefit profile engel.csv -f 'foodexp ~ income' --term income
  noisefit profile stackloss.csv -f 'stack_loss ~ .' --noise student-t --term air_flow --profile -o curve.csv")]
pub(crate) struct ProfileArguments {
    #[command(flatten)]
    pub(crate) data: DataArguments,
    #[command(flatten)]
    pub(crate) model: ModelArguments,
    #[command(flatten)]
    pub(crate) noise: NoiseArguments,
    #[command(flatten)]
    pub(crate) of_fits: FitAlone,
    /// The term whose coefficient is varied, named as the table of `fit` has it
    #[arg(long, value_name = "TERM")]
    pub(crate) term: String,
    /// The number of values
    #[arg(long, value_name = "NUMBER", default_value_t = 101, value_parser = clap::value_parser!(u32).range(2..=1_000_000))]
    pub(crate) points: u32,
    /// The least and the largest value [default: four standard errors about the estimate]
    #[arg(long, value_name = "LOW,HIGH", allow_hyphen_values = true, value_parser = parse_range)]
    pub(crate) range: Option<Range>,
    /// Fit the other parameters again at every value, instead of leaving them where they are
    #[arg(long)]
    pub(crate) profile: bool,
    /// The level of the profile-likelihood interval
    #[arg(long, value_name = "LEVEL", default_value_t = 0.95, value_parser = parse::level)]
    pub(crate) level: f64,
    /// What the interval allows for where rows are few: corrected (Student's t) or none (the normal distribution)
    #[arg(long, value_name = "HOW", value_parser = named::<SmallSample>(), default_value_t = SmallSample::Corrected)]
    pub(crate) small_sample: SmallSample,
    /// Write the report of it, one HTML page with tables and charts, to this file
    #[arg(long, value_name = "FILE.html")]
    pub(crate) report: Option<Output>,
    /// How to print the result: the curve as CSV and what is to be seen on it on standard error, or one JSON object
    #[arg(long, value_enum, default_value_t = OutputFormat::Table)]
    pub(crate) format: OutputFormat,
    /// Write the curve as a .csv, .tsv or .parquet file
    #[arg(long, short, value_name = "FILE")]
    pub(crate) output: Option<TableOutput>,
}

/// The least and the largest value of a grid.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Range {
    low: f64,
    high: f64,
}

fn parse_range(text: &str) -> Result<Range, String> {
    let ends: Option<Vec<f64>> = text.split(',').map(|end| end.trim().parse().ok()).collect();
    match ends.as_deref() {
        Some(&[low, high]) if low < high && (high - low).is_finite() => Ok(Range { low, high }),
        _ => Err("a range is two numbers in ascending order, such as -1,2.5".to_owned()),
    }
}

/// Fits, follows the likelihood along a coefficient, and prints.
pub(crate) fn run(arguments: &ProfileArguments) -> Result<Outcome, Failure> {
    let &ProfileArguments { level, small_sample, .. } = arguments;
    let sampling_weights = arguments.of_fits.sampling_weights.clone();
    let model = Model { level, small_sample, sampling_weights, ..arguments.model.with_noise(&arguments.noise) };
    model.check()?;
    let options = ProfileOptions {
        points: arguments.points,
        range: arguments.range.map(|Range { low, high }| (low, high)),
        reoptimised: arguments.profile,
        ..ProfileOptions::of(&arguments.term)
    };
    let (table, passes) = arguments.data.open()?;
    let profiled = model.profile(&table, &options)?;
    passes.finish();
    let mut files = Files::default();
    if let Some(Output(path)) = &arguments.report {
        let page = profiled.report(&Options).map_err(Failure::from);
        files.keep(page.and_then(|page| write_page(path, &page)))?;
    }
    if let Some(TableOutput(path)) = &arguments.output {
        files.keep(TableWriter::create(path, &COLUMNS).and_then(|table| write(profiled.curve(), table)))?;
    }
    match (arguments.format, &arguments.output) {
        (OutputFormat::Json, _) => print_json(&profiled.record(&Options))?,
        (OutputFormat::Table, Some(_)) => print(&profiled.summary())?,
        (OutputFormat::Table, None) => {
            write(profiled.curve(), TableWriter::to_stream(Screen::stdout(), &COLUMNS)?)?;
            tell(profiled.summary().trim_end_matches('\n'));
        }
    }
    warn(&profiled.warnings());
    files.ended(Outcome::of(profiled.fit().termination.converged))
}

const COLUMNS: [(&str, Kind); 3] = [("value", Kind::Number), ("nll", Kind::Number), ("loss", Kind::Number)];

fn write(curve: &Curve, mut writer: TableWriter) -> Result<(), DataError> {
    let column = |of: fn(&CurvePoint) -> f64| curve.points.iter().map(of).collect::<Vec<f64>>();
    let columns = [column(|point| point.value), column(|point| point.nll), column(|point| point.loss)];
    writer.write(&columns.each_ref().map(|values| TableColumn::Number(values)))?;
    writer.finish()
}
