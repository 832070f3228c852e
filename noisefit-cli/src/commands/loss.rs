//! `noisefit loss`.

use anyhow::Context;
use clap::Args;
use noisefit_core::loss::report::{ReportOptions, ReportPass};
use noisefit_core::rows::{RowSource, RowSourceExt};
use noisefit_data::formula::Formula;
use noisefit_data::records::Records;
use noisefit_data::source::{DesignRows, SourceOptions};

use crate::arguments::{DataArguments, MissingChoice, OutputFormat, parse_level};
use crate::outcome::{Outcome, Usage};
use crate::output::{print, print_json};
use crate::progress::Passes;
use noisefit_report::loss::summary;

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

/// Reports and prints.
pub(crate) fn run(arguments: &LossArguments) -> anyhow::Result<Outcome> {
    if !(arguments.delta > 0.0 && arguments.delta.is_finite()) {
        return Err(Usage(format!("--delta {}: a threshold is a positive number", arguments.delta)).into());
    }
    let data = &arguments.data;
    let dataset = data.open()?;
    for (flag, name) in [("--truth", &arguments.truth), ("--prediction", &arguments.prediction)] {
        let names: Vec<&str> = dataset.fields().iter().map(|field| field.name.as_str()).collect();
        let message =
            || format!("{flag} {name}: no such column in {}; there are {}", data.data.join(", "), names.join(", "));
        names.iter().find(|column| *column == name).with_context(message)?;
    }
    // Truth and prediction as the response and the one column of a design.
    let formula = Formula::parse(&format!("`{}` ~ 0 + `{}`", arguments.truth, arguments.prediction))?;
    let model = formula.resolve(dataset.fields(), None, None)?;
    let passes = Passes::new(dataset.size_in_bytes(), data.quiet);
    let records = Records::new(&dataset, &model.columns_needed(), data.threads(), 0, &passes)?;
    let options = SourceOptions { missing: arguments.missing.into(), ..SourceOptions::default() };
    let rows = DesignRows::learn(model, records, options)?;
    let options = ReportOptions { delta: arguments.delta, tau: arguments.tau, largest: arguments.largest.max(1) };
    let pass = rows.pass(ReportPass::new(options, rows.layout())?)?;
    let counts = rows.counts();
    drop(rows);
    drop(passes);
    if counts.records == counts.missing {
        anyhow::bail!("no rows to compare: {} rows, {} of them with a missing value", counts.records, counts.missing);
    }
    let report = pass.report()?;
    match arguments.format {
        OutputFormat::Json => {
            let mut value = serde_json::to_value(&report)?;
            if let Some(fields) = value.as_object_mut() {
                fields.shift_insert(0, "schema".to_owned(), "noisefit.loss/1".into());
                fields.insert("dropped".to_owned(), counts.missing.into());
            }
            print_json(&value)?;
        }
        OutputFormat::Table => print(&summary(&report, counts))?,
    }
    Ok(Outcome::Done)
}
