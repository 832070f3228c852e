//! `noisefit compare`.

use clap::Args;
use noisefit_core::compare;
use noisefit_core::compare::{Candidate, Candidates, Comparison};
use noisefit_core::rows::RowSource;
use noisefit_data::formula::{Formula, ScaleFormula};
use noisefit_data::source::{DesignRows, RowPlace};
use noisefit_report::compare::{Found, summary};
use serde::Serialize;

use super::model::{ModelArguments, explain, place, specification};
use crate::arguments::{CollinearChoice, DataArguments, MissingChoice, OutputFormat};
use crate::outcome::{Outcome, Usage};
use crate::output::{print, print_json, warn};
use crate::progress::Passes;

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
pub(crate) fn run(arguments: &CompareArguments) -> anyhow::Result<Outcome> {
    let CompareArguments { data, model, .. } = arguments;
    let (candidates, formula) = models(model, arguments.noise.as_ref())?;
    let dataset = data.open()?;
    let passes = Passes::new(dataset.size_in_bytes(), data.quiet);
    let rows = model.rows(&formula, data, &dataset, &passes)?;
    let candidates = fitting(candidates, model, &rows);
    let mut options = compare::Options { folds: arguments.folds, fit: model.options().estimation() };
    options.fit.seed = arguments.seed;
    let comparison = compare::compare(&rows, &candidates, &options);
    let comparison = comparison.map_err(|error| explain(error, rows.counts(), &dataset))?;
    let places = places(&rows, &comparison)?;
    let (counts, design) = (rows.counts(), rows.design().clone());
    drop(rows);
    drop(passes);

    let record = Record {
        schema: "noisefit.compare/1",
        formula: design.formula().text(),
        scale_formula: design.formula().scale().map(ScaleFormula::text),
        dropped: counts.missing,
        zero_weight: counts.weightless,
        response_jacobian: design.transforms_response(),
        comparison: &comparison,
        outlying_rows: &places,
        next: next(arguments, &comparison, &formula),
    };
    match arguments.format {
        OutputFormat::Json => print_json(&record)?,
        OutputFormat::Table => {
            let rows: Vec<_> = places.iter().map(place).collect();
            let found = Found { comparison: &comparison, outlying_rows: &rows, next: record.next.as_deref() };
            print(&summary(&specification(&design, counts), &found, arguments.times))?;
        }
    }
    warn(&comparison.warnings);
    Ok(Outcome::Done)
}

/// The models and the formula that has the terms of the scale, where one of them needs it: those of the location where none
/// are given.
pub(crate) fn models(model: &ModelArguments, named: Option<&Candidates>) -> Result<(Vec<Candidate>, Formula), Usage> {
    let mut candidates = named.map_or_else(|| Candidate::all(true), |named| named.0.clone());
    let modelled = |candidates: &[Candidate]| candidates.iter().any(|candidate| candidate.models_scale);
    if model.scale.is_some() && !modelled(&candidates) {
        let variants: Vec<_> = candidates.iter().filter_map(|candidate| candidate.clone().with_scale().ok()).collect();
        if variants.is_empty() {
            return Err(Usage(
                "--scale: none of these models has a scale that can be modelled; gaussian, laplace, student-t and logistic do".to_owned(),
            ));
        }
        candidates.extend(variants);
    }
    let formula = match (modelled(&candidates), &model.scale) {
        (true, None) => model.location()?.with_scale_of_location(),
        (true, Some(_)) => model.formula()?,
        (false, _) => model.location()?,
    };
    Ok((candidates, formula))
}

/// The models that differ from one another: without terms there is nothing to model the scale by.
pub(crate) fn fitting(candidates: Vec<Candidate>, model: &ModelArguments, rows: &DesignRows<'_>) -> Vec<Candidate> {
    let scale = rows.layout().scale.as_ref();
    let idle = model.scale.is_none() && scale.is_some_and(|scale| scale.terms.is_empty());
    candidates.into_iter().filter(|candidate| !(idle && candidate.models_scale)).collect()
}

/// Where the outlying rows stand in the files.
fn places(rows: &DesignRows<'_>, comparison: &Comparison) -> anyhow::Result<Vec<RowPlace>> {
    let outliers = comparison.advice.as_ref().and_then(|advice| advice.outliers.as_ref());
    let mut numbers: Vec<u64> = outliers.iter().flat_map(|outliers| &outliers.rows).map(|row| row.row).collect();
    numbers.sort_unstable();
    Ok(if numbers.is_empty() { Vec::new() } else { rows.places(&numbers)? })
}

/// What to type to fit the preferred model.
fn next(arguments: &CompareArguments, comparison: &Comparison, formula: &Formula) -> Option<String> {
    let preferred = &comparison.preferred()?.candidate;
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
    if let Some(scale) = formula.scale().filter(|_| preferred.models_scale) {
        option("--scale", &format!("~ {scale}"));
    }
    model.weights.iter().for_each(|weights| option("--weights", weights));
    model.frequency_weights.iter().for_each(|column| option("--frequency-weights", column));
    if matches!(model.missing, MissingChoice::Fail) {
        option("--missing", "fail");
    }
    if matches!(model.collinear, CollinearChoice::Fail) {
        option("--collinear", "fail");
    }
    if data.no_header {
        words.push("--no-header".to_owned());
    }
    if let Some(format) = data.input_format.and_then(|format| clap::ValueEnum::to_possible_value(&format)) {
        words.extend(["--input-format".to_owned(), format.get_name().to_owned()]);
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

/// The JSON object of a comparison.
#[derive(Serialize)]
struct Record<'a> {
    schema: &'static str,
    formula: &'a str,
    /// The formula of a modelled scale, where a model has one.
    scale_formula: Option<&'a str>,
    /// Rows left out because a value is missing.
    dropped: u64,
    /// Rows left out because their weight is zero.
    zero_weight: u64,
    /// Whether the log-likelihoods contain the Jacobian of a transformed response.
    response_jacobian: bool,
    #[serde(flatten)]
    comparison: &'a Comparison,
    /// Where the outlying rows of the advice stand.
    outlying_rows: &'a [RowPlace],
    /// What to type to fit the preferred model.
    next: Option<String>,
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
