//! `noisefit diagnose`.

mod rows;

use std::collections::BTreeMap;
use std::path::PathBuf;

use clap::Args;
use noisefit_core::inference;
use noisefit_core::inference::Options;
use noisefit_core::inference::covariance::Vcov;
use noisefit_core::inference::diagnostics::{Diagnosis, Diagnostics, Influence};
use noisefit_core::noise::Noise;
use noisefit_core::record::Warning;
use noisefit_data::formula::{Formula, ScaleFormula};
use noisefit_data::source::{DesignRows, RowPlace};
use noisefit_report::diagnose::{Findings, advice, summary};
use serde::Serialize;

use super::model::{ModelArguments, NoiseArguments, explain, place, specification};
use crate::arguments::{DataArguments, OutputFormat};
use crate::outcome::{Outcome, Usage};
use crate::output::{print, print_json, warn};
use crate::progress::Passes;

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
    pub(crate) rows: Option<PathBuf>,
    /// Simulated p-values are drawn from this number
    #[arg(long, value_name = "NUMBER", default_value_t = 0)]
    pub(crate) seed: u64,
    /// How to print the result
    #[arg(long, value_enum, default_value_t = OutputFormat::Table)]
    pub(crate) format: OutputFormat,
}

/// Fits, looks at the fit, and prints.
pub(crate) fn run(arguments: &DiagnoseArguments) -> anyhow::Result<Outcome> {
    let DiagnoseArguments { data, model, .. } = arguments;
    let noise = arguments.noise.choice(model)?;
    if let [Noise::Quantile(_), ..] = noise[..] {
        return Err(Usage(format!(
            "--noise {noise}: a quantile is no model of the noise, which is what is diagnosed; diagnose the formula with another \
             noise, and see by `noisefit evaluate` whether the right share of rows lies below the quantile"
        ))
        .into());
    }
    let formula = model.formula()?;
    let dataset = data.open()?;
    let passes = Passes::new(dataset.size_in_bytes(), data.quiet);
    let rows = model.rows(&formula, data, &dataset, &passes)?;
    let options = Options { vcov: Vcov::CLASSICAL, seed: arguments.seed, ..model.options() };
    let fits = inference::fit(&rows, &noise, &options).map_err(|error| explain(error, rows.counts(), &dataset))?;
    let [fit] = &fits[..] else { anyhow::bail!("one fit is diagnosed at a time") };
    let diagnosis = Diagnosis::new(&rows, fit, &options.estimation())?;
    let diagnostics = diagnosis.run(&rows, arguments.worst as usize)?;
    let places = places(&rows, &diagnostics.influence)?;
    if let Some(path) = &arguments.rows {
        rows::write(path, &diagnosis, rows.design(), &dataset, &passes)?;
    }
    let model = specification(rows.design(), rows.counts());
    drop(passes);
    let findings = Findings {
        model,
        fit,
        diagnostics: &diagnostics,
        places: places.iter().map(|(row, stands)| (*row, place(stands))).collect(),
        several_files: dataset.files().len() > 1,
    };
    match arguments.format {
        OutputFormat::Json => print_json(&Record::new(&formula, &findings, &places))?,
        OutputFormat::Table => print(&summary(&findings))?,
    }
    warn(&fit.warnings);
    Ok(if fit.termination.converged { Outcome::Done } else { Outcome::NotConverged })
}

/// Where the rows of the lists stand in the files.
fn places(rows: &DesignRows<'_>, influence: &Influence) -> anyhow::Result<BTreeMap<u64, RowPlace>> {
    let lists = [&influence.largest_residuals, &influence.largest_cooks_distances, &influence.largest_leverages];
    let mut numbers: Vec<u64> = lists.into_iter().flatten().map(|row| row.row).collect();
    numbers.sort_unstable();
    numbers.dedup();
    if numbers.is_empty() {
        return Ok(BTreeMap::new());
    }
    Ok(rows.places(&numbers)?.into_iter().map(|place| (place.row, place)).collect())
}

/// The JSON object.
#[derive(Serialize)]
struct Record<'a> {
    schema: &'static str,
    formula: &'a str,
    scale_formula: Option<&'a str>,
    noise: &'a Noise,
    dropped: u64,
    zero_weight: u64,
    #[serde(flatten)]
    diagnostics: &'a Diagnostics,
    /// Where the rows of the lists stand, with their values.
    places: Vec<&'a RowPlace>,
    /// What to do about it, in sentences.
    advice: Vec<String>,
    warnings: &'a [Warning],
}

impl<'a> Record<'a> {
    fn new(formula: &'a Formula, findings: &Findings<'a>, places: &'a BTreeMap<u64, RowPlace>) -> Self {
        Record {
            schema: "noisefit.diagnose/1",
            formula: formula.text(),
            scale_formula: formula.scale().map(ScaleFormula::text),
            noise: &findings.fit.noise,
            dropped: findings.model.counts.missing,
            zero_weight: findings.model.counts.weightless,
            diagnostics: findings.diagnostics,
            places: places.values().collect(),
            advice: advice(findings),
            warnings: &findings.fit.warnings,
        }
    }
}
