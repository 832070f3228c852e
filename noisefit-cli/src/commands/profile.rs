//! `noisefit profile`.

use std::path::PathBuf;

use clap::Args;
use noisefit_core::inference;
use noisefit_core::inference::Options;
use noisefit_core::inference::covariance::Vcov;
use noisefit_core::inference::profile;
use noisefit_core::inference::profile::Curve;
use noisefit_core::record::Fit;
use noisefit_data::frame::Kind;
use noisefit_data::write::{TableColumn, TableWriter};
use noisefit_report::profile::{Profile, summary};
use serde::Serialize;

use super::model::{ModelArguments, NoiseArguments, explain};
use crate::arguments::{DataArguments, OutputFormat, parse_level};
use crate::outcome::{Outcome, Usage};
use crate::output::{print, print_json, warn};
use crate::progress::Passes;

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
    #[arg(long, value_name = "LEVEL", default_value_t = 0.95, value_parser = parse_level)]
    pub(crate) level: f64,
    /// How to print the result: the curve as CSV and what is to be seen on it on standard error, or one JSON object
    #[arg(long, value_enum, default_value_t = OutputFormat::Table)]
    pub(crate) format: OutputFormat,
    /// Write the curve as a .csv, .tsv or .parquet file
    #[arg(long, short, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
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

/// What the curve shows.
#[derive(Serialize)]
struct Record<'a> {
    schema: &'static str,
    formula: &'a str,
    noise: noisefit_core::noise::Noise,
    level: f64,
    /// The ends of the profile-likelihood interval; absent where it is open.
    conf_low: Option<f64>,
    conf_high: Option<f64>,
    /// The negative log-likelihood of the fit.
    nll: Option<f64>,
    #[serde(flatten)]
    curve: &'a Curve,
    warnings: &'a [String],
}

/// Fits, follows the likelihood along a coefficient, and prints.
pub(crate) fn run(arguments: &ProfileArguments) -> anyhow::Result<Outcome> {
    let ProfileArguments { data, model, term, level, .. } = arguments;
    let noise = arguments.noise.choice(model)?;
    let formula = model.formula()?;
    let dataset = data.open()?;
    let passes = Passes::new(dataset.size_in_bytes(), data.quiet);
    let rows = model.rows(&formula, data, &dataset, &passes)?;
    let options = Options { level: *level, vcov: Vcov::CLASSICAL, ..model.options() };
    let fits = inference::fit(&rows, &noise, &options).map_err(|error| explain(error, rows.counts(), &dataset))?;
    let [fit] = &fits[..] else {
        return Err(Usage(format!("--noise {noise}: a curve is that of one quantile; name one")).into());
    };
    let grid = grid(fit, arguments)?;
    let curve = profile::curve(&rows, fit, term, &grid, arguments.profile, &options.estimation())?;
    let mut warnings: Vec<String> = fit.warnings.iter().map(ToString::to_string).collect();
    let (conf_low, conf_high) = match profile::term_interval(&rows, fit, term, *level, &options.estimation()) {
        Ok(ends) => ends,
        Err(error @ noisefit_core::Error::Unsupported(_)) => {
            warnings.push(error.to_string());
            (None, None)
        }
        Err(error) => return Err(error.into()),
    };
    let formula = rows.design().formula().text().to_owned();
    drop(rows);
    drop(passes);

    let record = Record {
        schema: "noisefit.profile/1",
        formula: &formula,
        noise: fit.noise,
        level: *level,
        conf_low,
        conf_high,
        nll: fit.log_likelihood.map(|value| -value),
        curve: &curve,
        warnings: &warnings,
    };
    let summary =
        summary(&Profile { noise: fit.noise, level: *level, conf_low, conf_high, nll: record.nll, curve: &curve });
    match (arguments.format, &arguments.output) {
        (OutputFormat::Json, path) => {
            if let Some(path) = path {
                write(&curve, TableWriter::create(path, &COLUMNS)?)?;
            }
            print_json(&record)?;
        }
        (OutputFormat::Table, Some(path)) => {
            write(&curve, TableWriter::create(path, &COLUMNS)?)?;
            print(&summary)?;
        }
        (OutputFormat::Table, None) => {
            write(&curve, TableWriter::to_stream(std::io::stdout(), &COLUMNS)?)?;
            eprint(&summary);
        }
    }
    warn(&warnings);
    Ok(if fit.termination.converged { Outcome::Done } else { Outcome::NotConverged })
}

const COLUMNS: [(&str, Kind); 3] = [("value", Kind::Number), ("nll", Kind::Number), ("loss", Kind::Number)];

fn write(curve: &Curve, mut writer: TableWriter) -> anyhow::Result<()> {
    let column = |of: fn(&profile::CurvePoint) -> f64| curve.points.iter().map(of).collect::<Vec<f64>>();
    let columns = [column(|point| point.value), column(|point| point.nll), column(|point| point.loss)];
    writer.write(&columns.each_ref().map(|values| TableColumn::Number(values)))?;
    Ok(writer.finish()?)
}

/// To standard error; where that is closed there is nobody to tell.
fn eprint(text: &str) {
    let _ = std::io::Write::write_all(&mut std::io::stderr(), text.as_bytes());
}

/// The values of the coefficient: those of the range, or such as reach four standard errors to both sides of the estimate,
/// which is then one of them where their number is odd.
fn grid(fit: &Fit, arguments: &ProfileArguments) -> Result<Vec<f64>, Usage> {
    let count = arguments.points;
    let spread = |low: f64, high: f64, i: u32| {
        let share = f64::from(i) / f64::from(count - 1);
        low * (1.0 - share) + high * share
    };
    if let Some(Range { low, high }) = arguments.range {
        return Ok((0..count).map(|i| spread(low, high, i)).collect());
    }
    let row = fit.coefficients.iter().find(|row| row.term == arguments.term);
    // A term that is not there, or not determined, is what the curve itself refuses.
    let Some((estimate, row)) = row.and_then(|row| Some((row.estimate?, row))) else { return Ok(vec![0.0]) };
    let Some(error) = row.std_error.filter(|error| *error > 0.0) else {
        return Err(Usage(format!(
            "the coefficient of {} has no standard error to say how far to go; give --range LOW,HIGH",
            row.term
        )));
    };
    Ok((0..count).map(|i| estimate + spread(-4.0 * error, 4.0 * error, i)).collect())
}
