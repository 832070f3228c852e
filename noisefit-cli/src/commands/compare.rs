//! `noisefit compare`.

use std::path::PathBuf;

use clap::Args;
use noisefit::core::compare::Candidates;
use noisefit::core::estimate::Collinear;
use noisefit::data::source::Missing;
use noisefit::{ChartOptions, CompareOptions, Compared, Model, Setting};

use super::model::ModelArguments;
use crate::arguments::{DataArguments, OutputFormat};
use crate::outcome::{Failure, Options, Outcome};
use crate::output::{print, print_json, warn};
use crate::picture::write;

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  noisefit compare engel.csv -f 'foodexp ~ income'
  noisefit compare 'logs/*.csv.gz' -f 'latency ~ size + region' --scale '~ size'
  noisefit compare lab.csv -f 'y ~ x' --noise gaussian,laplace,student-t+scale --folds 10")]
pub(crate) struct CompareArguments {
    #[command(flatten)]
    pub(crate) data: DataArguments,
    #[command(flatten)]
    pub(crate) model: ModelArguments,
    /// The models: noise families with commas between, +scale behind those whose scale is modelled, such as
    /// gaussian,laplace,student-t+scale [default: all, and gaussian+scale,student-t+scale]
    #[arg(long, value_name = "FAMILIES")]
    pub(crate) noise: Option<Candidates>,
    /// Parts of the cross-validation: each is predicted from the others; 0 for none
    #[arg(long, value_name = "NUMBER", default_value_t = 5, value_parser = parse_folds)]
    pub(crate) folds: usize,
    /// The parts are drawn from this number
    #[arg(long, value_name = "NUMBER", default_value_t = 0)]
    pub(crate) seed: u64,
    /// Tell how long each fit took; JSON always does
    #[arg(long)]
    pub(crate) times: bool,
    /// Write the report of it, one HTML page with tables and charts, to this file
    #[arg(long, value_name = "FILE.html")]
    pub(crate) report: Option<PathBuf>,
    /// How to print the result
    #[arg(long, value_enum, default_value_t = OutputFormat::Table)]
    pub(crate) format: OutputFormat,
}

fn parse_folds(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(1) | Err(_) => Err("folds are 2 or more, or 0 for no cross-validation".to_owned()),
        Ok(folds) => Ok(folds),
    }
}

/// Compares and prints.
pub(crate) fn run(arguments: &CompareArguments) -> Result<Outcome, Failure> {
    let model = Model { seed: arguments.seed, ..arguments.model.model() };
    let options = CompareOptions { noise: arguments.noise.clone(), folds: arguments.folds };
    model.check()?;
    let (table, passes) = arguments.data.open()?;
    table.refuse_overwriting(&[(Setting::Report, arguments.report.as_ref())])?;
    let compared = model.compare(&table, &options)?;
    passes.finish();
    let next = next(arguments, &compared);
    if let Some(path) = &arguments.report {
        let charts = ChartOptions { seed: arguments.seed, ..ChartOptions::default() };
        write(path, &compared.report(next.as_deref(), &charts, &Options)?)?;
    }
    match arguments.format {
        OutputFormat::Json => print_json(&compared.record(next.as_deref()))?,
        OutputFormat::Table => print(&compared.summary(next.as_deref(), arguments.times, &Options))?,
    }
    warn(&compared.warnings());
    Ok(Outcome::Done)
}

/// What to type to fit the preferred model.
fn next(arguments: &CompareArguments, compared: &Compared) -> Option<String> {
    let preferred = compared.preferred()?;
    let CompareArguments { data, model, .. } = arguments;
    let mut words: Vec<String> = ["noisefit", "fit"].map(str::to_owned).into();
    words.extend(data.data.iter().map(|data| quoted(data)));
    let mut option = |name: &str, value: &str| words.extend([name.to_owned(), quoted(value)]);
    if let Some(delimiter) = data.delimiter {
        option("--delimiter", &char::from(delimiter).to_string().replace('\t', "tab"));
    }
    data.na.iter().for_each(|text| option("--na", text));
    data.text.iter().for_each(|column| option("--text", column));
    option("-f", &model.formula);
    option("--noise", &preferred.noise.to_string());
    if let Some(scale) = compared.scale_formula().filter(|_| preferred.models_scale) {
        option("--scale", &format!("~ {scale}"));
    }
    model.weights.iter().for_each(|weights| option("--weights", weights));
    model.frequency_weights.iter().for_each(|column| option("--frequency-weights", column));
    if model.missing == Missing::Fail {
        option("--missing", "fail");
    }
    if model.collinear == Collinear::Fail {
        option("--collinear", "fail");
    }
    if data.no_header {
        words.push("--no-header".to_owned());
    }
    if let Some(format) = data.input_format {
        words.extend(["--input-format".to_owned(), format.to_string()]);
    }
    Some(words.join(" "))
}

/// A word as a shell reads it back.
fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:,=+@%".contains(c);
    match !word.is_empty() && word.chars().all(plain) {
        true => word.to_owned(),
        false => format!("'{}'", word.replace('\'', "'\\''")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_that_a_shell_reads_back() {
        assert_eq!(quoted("data/x.csv"), "data/x.csv");
        assert_eq!(quoted("y ~ x"), "'y ~ x'");
        assert_eq!(quoted("it's"), "'it'\\''s'");
        assert_eq!(quoted(""), "''");
    }
}
