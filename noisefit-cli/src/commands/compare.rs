//! `noisefit compare`.

use clap::Args;
use noisefit::core::compare::Candidates;
use noisefit::core::compare::kinds::Contestants;
use noisefit::core::estimate::Collinear;
use noisefit::data::source::Missing;
use noisefit::data::write::TableWriter;
use noisefit::{ChartOptions, CompareOptions, Compared, Model, Together, parse};

use super::fit::FitFormat;
use super::model::{FitAlone, SettingArguments};
use crate::arguments::DataArguments;
use crate::files::Output;
use crate::outcome::{Failure, Files, Options, Outcome};
use crate::output::{print_table, warn};
use crate::picture::write;
use crate::shell::quoted;

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  noisefit compare engel.csv -f 'foodexp ~ income'
  noisefit compare engel.csv -f 'foodexp ~ income' -f 'foodexp ~ ns(income, df=4)' --noise gaussian,student-t
  noisefit compare 'logs/*.csv.gz' -f 'latency ~ size + region' --scale '~ size'
  noisefit compare lab.csv -f 'y ~ x' --noise gaussian,laplace,student-t+scale --folds 10
  noisefit compare firms.csv -f 'y ~ .' --models linear,network,linear:quantiles --folds-by firm")]
pub(crate) struct CompareArguments {
    #[command(flatten)]
    pub(crate) data: DataArguments,
    /// The model, as in R: 'y ~ x1 + log(x2) + city*x3'; several are set side by side, nested ones by likelihood ratio tests
    #[arg(long, short, value_name = "FORMULA", required = true)]
    pub(crate) formula: Vec<String>,
    #[command(flatten)]
    pub(crate) settings: SettingArguments,
    #[command(flatten)]
    pub(crate) of_fits: FitAlone,
    /// The models: noise families with commas between, +scale behind those whose scale is modelled, such as
    /// gaussian,laplace,student-t+scale [default: all, and gaussian+scale,student-t+scale; of several formulas gaussian]
    #[arg(long, value_name = "FAMILIES")]
    pub(crate) noise: Option<Candidates>,
    /// Parts of the cross-validation: each is predicted from the others; 0 for none
    #[arg(long, value_name = "NUMBER", default_value_t = 5, value_parser = parse::folds)]
    pub(crate) folds: usize,
    /// Kinds of models side by side, in the place of noise: linear or network, each perhaps with its noise behind a colon (gaussian unless
    /// given) and +scale where that is modelled, or quantiles: linear,network,network:student-t+scale,linear:quantiles
    #[arg(long, value_name = "MODELS", conflicts_with_all = ["noise", "by", "report"])]
    pub(crate) models: Option<Contestants>,
    /// Keep rows with the same value in this column in one part, such as those of a firm
    #[arg(long, value_name = "COLUMN", conflicts_with = "folds_time")]
    pub(crate) folds_by: Option<String>,
    /// Make each part a block of time, by this column of numbers, dates or times
    #[arg(long, value_name = "COLUMN")]
    pub(crate) folds_time: Option<String>,
    /// The parts are drawn from this number
    #[arg(long, value_name = "NUMBER", default_value_t = 0)]
    pub(crate) seed: u64,
    /// Tell how long each fit took
    #[arg(long)]
    pub(crate) times: bool,
    /// Write the report of it, one HTML page with tables and charts, to this file
    #[arg(long, value_name = "FILE.html")]
    pub(crate) report: Option<Output>,
    /// Compare in each group of rows that have the same values in these columns; what is printed, or written by -o, is one long table with
    /// a row for each model of each group
    #[arg(long, value_name = "COLUMNS", value_delimiter = ',')]
    pub(crate) by: Vec<String>,
    /// How to print the result: for people, as one JSON object, or the models as CSV, Markdown or, with --by, lines of JSON
    #[arg(long, value_enum, default_value_t = FitFormat::Table)]
    pub(crate) format: FitFormat,
    /// Write the models as a table, a .csv, .tsv, .ndjson or .parquet file
    #[arg(long, short, value_name = "FILE")]
    pub(crate) output: Option<Output>,
}

impl CompareArguments {
    /// What is set side by side, and how it is scored.
    pub(super) fn options(&self) -> CompareOptions {
        let by = self.folds_by.clone().map(Together::By);
        let together = by.or(self.folds_time.clone().map(Together::Time));
        CompareOptions { noise: self.noise.clone(), folds: self.folds, together }
    }

    /// The model of a formula.
    pub(super) fn model(&self, formula: &str) -> Model {
        let sampling_weights = self.of_fits.sampling_weights.clone();
        Model { seed: self.seed, sampling_weights, ..self.settings.model(formula) }
    }
}

/// Compares and prints.
pub(crate) fn run(arguments: &CompareArguments) -> Result<Outcome, Failure> {
    let options = arguments.options();
    if let Some(models) = &arguments.models {
        return run_models(arguments, models, &options);
    }
    let [formula] = &arguments.formula[..] else { return run_formulas(arguments, &options) };
    let model = arguments.model(formula);
    model.check()?;
    let format = arguments.format.of_one()?;
    if let Some(Output(path)) = &arguments.output {
        TableWriter::check_name(path)?;
    }
    let (table, passes) = arguments.data.open()?;
    let compared = model.compare(&table, &options)?;
    passes.finish();
    let next = next(arguments, &compared);
    let mut files = Files::default();
    if let Some(Output(path)) = &arguments.output {
        files.keep(compared.models().save(path))?;
    }
    if let Some(Output(path)) = &arguments.report {
        let charts = ChartOptions { seed: arguments.seed, ..ChartOptions::default() };
        let page = compared.report(next.as_deref(), &charts, &Options).map_err(Failure::from);
        files.keep(page.and_then(|page| write(path, &page)))?;
    }
    print_table(
        format,
        || compared.summary(next.as_deref(), arguments.times, &Options),
        || compared.record(next.as_deref(), arguments.times, &Options),
        || Ok(compared.tidy()),
    )?;
    warn(&compared.warnings());
    files.ended(Outcome::Done)
}

/// Sets kinds of models side by side and prints.
fn run_models(
    arguments: &CompareArguments,
    Contestants(models): &Contestants,
    options: &CompareOptions,
) -> Result<Outcome, Failure> {
    let [formula] = &arguments.formula[..] else {
        return Err(Failure::Usage(
            "--models are of one formula: several are set side by side under a noise".to_owned(),
        ));
    };
    let format = arguments.format.of_one()?;
    if let Some(Output(path)) = &arguments.output {
        TableWriter::check_name(path)?;
    }
    let (table, passes) = arguments.data.open()?;
    let compared = arguments.model(formula).compare_kinds(models, &table, options)?;
    passes.finish();
    let mut files = Files::default();
    if let Some(Output(path)) = &arguments.output {
        files.keep(compared.save(path))?;
    }
    print_table(
        format,
        || compared.summary(arguments.times),
        || compared.record(arguments.times),
        || Ok(compared.tidy()),
    )?;
    warn(compared.warnings());
    files.ended(Outcome::Done)
}

/// Sets several formulas side by side and prints.
fn run_formulas(arguments: &CompareArguments, options: &CompareOptions) -> Result<Outcome, Failure> {
    if arguments.report.is_some() || arguments.times || arguments.output.is_some() {
        let what = "--report, --times and --output are for one formula: several have no report, no times and no table of models";
        return Err(Failure::Usage(what.to_owned()));
    }
    let format = arguments.format.of_one()?;
    for formula in &arguments.formula {
        arguments.model(formula).check()?;
    }
    let model = arguments.model("");
    let (table, passes) = arguments.data.open()?;
    let compared = model.compare_formulas(&arguments.formula, &table, options)?;
    passes.finish();
    print_table(format, || compared.summary(), || compared.record(), || Ok(compared.tidy()))?;
    warn(&compared.warnings());
    Ok(Outcome::Done)
}

/// What to type to fit the preferred model.
fn next(arguments: &CompareArguments, compared: &Compared) -> Option<String> {
    let preferred = compared.preferred()?;
    let CompareArguments { data, settings: model, formula, .. } = arguments;
    let mut words: Vec<String> = ["noisefit", "fit"].map(str::to_owned).into();
    words.extend(data.words());
    let mut option = |name: &str, value: &str| words.extend([name.to_owned(), quoted(value)]);
    formula.iter().for_each(|formula| option("-f", formula));
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
    if model.digits != Model::new("").digits {
        option("--digits", &model.digits.to_string());
    }
    Some(words.join(" "))
}
