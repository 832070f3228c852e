//! `noisefit fit`.

use clap::{Args, ValueEnum};
use noisefit::core::inference::conformal::Scheme;
use noisefit::core::inference::covariance::{COVARIANCES, Vcov};
use noisefit::core::record::{Confint, SmallSample};
use noisefit::report::chart::Kind;
use noisefit::report::tidied::inflations;
use noisefit::{ChartOptions, Fitting, Model, Refusal, Setting, WithSampling, parse};

use super::model::{ModelArguments, NoiseArguments};
use super::training::TrainArguments;
use crate::arguments::{DataArguments, named, suggested};
use crate::files::Output;
use crate::outcome::{Failure, Files, Options, Outcome};
use crate::output::{TableFormat, print, print_table, tell, warn};
use crate::picture::{show, write};

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  noisefit fit engel.csv -f 'foodexp ~ income'
  noisefit fit wages.parquet -f 'log(wage) ~ poly(age, 2) + C(city, ref=\"Paris\") * female' -o model.json
  noisefit fit engel.csv -f 'foodexp ~ income' --noise quantile:0.1,0.5,0.9
  noisefit fit 'logs/*.csv.gz' -f 'latency ~ size + region' --noise student-t --scale '~ size'
  noisefit fit diabetes.csv -f 'y ~ .' --model network -o model.json
  noisefit fit lab.csv -f 'y ~ x' --weights '1/(0.1 + 0.3*x)^2'
  noisefit fit survey.csv -f 'y ~ x' --sampling-weights w --vcov cluster:village
  noisefit fit sales.parquet -f 'log(sold) ~ log(price)' --by shop,product -o elasticities.parquet
  psql -c 'copy t to stdout csv header' | noisefit fit - --input-format csv -f 'y ~ .' --format json")]
pub(crate) struct FitArguments {
    #[command(flatten)]
    pub(crate) data: DataArguments,
    #[command(flatten)]
    pub(crate) model: ModelArguments,
    #[command(flatten)]
    pub(crate) noise: NoiseArguments,
    /// One over the probability with which a row was drawn from a population, in any unit, a column or arithmetic on columns: the
    /// estimates are those of the population, and standard errors those of the draw
    #[arg(long, value_name = "EXPRESSION")]
    pub(crate) sampling_weights: Option<String>,
    /// The level of the confidence intervals
    #[arg(long, value_name = "LEVEL", default_value_t = 0.95, value_parser = parse::level)]
    pub(crate) level: f64,
    #[arg(long, value_name = "HOW", default_value = "default", hide_default_value = true, help = vcov_help())]
    #[arg(value_parser = suggested::<Vcov>(COVARIANCES.iter().map(|known| known.name)), hide_possible_values = true)]
    pub(crate) vcov: Vcov,
    /// Print the covariance matrices of the coefficients, too (with --format json)
    #[arg(long)]
    pub(crate) vcov_matrix: bool,
    /// What standard errors and intervals allow for where rows are few: corrected (the factor n / (n - p) and Student's t, and what a
    /// modelled scale asks for) or none (maximum likelihood and the normal distribution, as survreg and statsmodels have it)
    #[arg(long, value_name = "HOW", value_parser = named::<SmallSample>(), default_value_t = SmallSample::Corrected)]
    pub(crate) small_sample: SmallSample,
    /// Where the confidence intervals of the coefficients come from: wald (their standard errors) or profile (the values that
    /// a likelihood ratio test does not reject; fits the model again some twenty times for each coefficient)
    #[arg(long, value_name = "HOW", value_parser = named::<Confint>(), default_value_t = Confint::Wald)]
    pub(crate) confint: Confint,
    /// What is drawn at random, such as bootstrap samples, is drawn from this number
    #[arg(long, value_name = "NUMBER", default_value_t = 0)]
    pub(crate) seed: u64,
    #[command(flatten)]
    pub(crate) conformal: ConformalArguments,
    #[command(flatten)]
    pub(crate) train: TrainArguments,
    /// Read the data once where that gives the digits asked for under gaussian noise: MAE is left out
    #[arg(long, help_heading = "Resources")]
    pub(crate) one_pass: bool,
    /// Write the report of it, one HTML page with tables and charts, to this file
    #[arg(long, value_name = "FILE.html")]
    pub(crate) report: Option<Output>,
    /// Leave the constants of absorbed effects out of the saved model, which then predicts nothing
    #[arg(long)]
    pub(crate) drop_effects: bool,
    /// Print every coefficient, also those of a category with more than 20, which are otherwise one line with their joint test (with
    /// --format table)
    #[arg(long)]
    pub(crate) all_terms: bool,
    /// Show residuals below the result, of what is trained the loss, where the terminal can
    #[arg(long)]
    pub(crate) plot: bool,
    /// Print the variance inflation factors of the terms, too (with --format table), or alone (csv, markdown)
    #[arg(long)]
    pub(crate) vif: bool,
    /// Print the facts of the fit in one row in place of its coefficients
    #[arg(long)]
    pub(crate) glance: bool,
    /// Fit each group of rows that have the same values in these columns; what is printed, or written by -o, is one long table with a
    /// row for each coefficient of each group
    #[arg(long, value_name = "COLUMNS", value_delimiter = ',')]
    pub(crate) by: Vec<String>,
    /// How to print the result: for people, as one JSON object, or the coefficients as CSV, Markdown or, with --by, lines of JSON
    #[arg(long, value_enum, default_value_t = FitFormat::Table)]
    pub(crate) format: FitFormat,
    /// Save the model for `predict` and `evaluate`; with --by write the table as a .csv, .tsv, .ndjson or .parquet file
    #[arg(long, short, value_name = "MODEL.json")]
    pub(crate) output: Option<Output>,
}

/// How a fit is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum FitFormat {
    /// For people
    Table,
    /// One JSON object
    Json,
    /// Tidy: a line for each row, a column for each number
    Csv,
    /// A table of Markdown
    Markdown,
    /// With --by: an object of JSON on each line
    Ndjson,
}

impl FitFormat {
    /// The format of one fit.
    pub(super) fn of_one(self) -> Result<TableFormat, Failure> {
        match self {
            FitFormat::Table => Ok(TableFormat::Table),
            FitFormat::Json => Ok(TableFormat::Json),
            FitFormat::Csv => Ok(TableFormat::Csv),
            FitFormat::Markdown => Ok(TableFormat::Markdown),
            FitFormat::Ndjson => {
                Err(Failure::Usage("--format ndjson goes with --by; of one fit say --format json".to_owned()))
            }
        }
    }
}

/// The covariances that there are.
fn vcov_help() -> String {
    let usages: Vec<&str> = COVARIANCES.iter().map(|covariance| covariance.usage).collect();
    format!(
        "How the covariance of the coefficients is estimated: {} [default: nid for laplace and quantiles, else classical; sampling \
         with sampling weights]",
        usages.join(", ")
    )
}

/// Distribution-free intervals.
#[derive(Debug, Args)]
#[command(next_help_heading = "Conformal intervals")]
pub(crate) struct ConformalArguments {
    /// Calibrate intervals that hold whatever the noise, for `predict` and `evaluate` of the saved model: split (some rows
    /// calibrate, the others are fitted), cv+ (fits without each of several folds) or jackknife+ (without each row)
    #[arg(long, value_name = "METHOD")]
    pub(crate) conformal: Option<Scheme>,
    /// The share of the rows that calibrates with split [default: 0.25]
    #[arg(long, value_name = "SHARE", value_parser = parse::calibration, requires = "conformal")]
    calibration: Option<f64>,
    /// The number of folds of cv+ [default: 10]
    #[arg(long, value_name = "NUMBER", value_parser = clap::value_parser!(u16).range(2..), requires = "conformal")]
    folds: Option<u16>,
}

impl FitArguments {
    pub(crate) fn model(&self) -> Result<Model, Refusal> {
        let ConformalArguments { conformal, calibration, folds } = self.conformal;
        Ok(Model {
            sampling_weights: self.sampling_weights.clone(),
            vcov: self.vcov.clone(),
            small_sample: self.small_sample,
            confint: self.confint,
            level: self.level,
            conformal,
            calibration,
            folds: folds.map(usize::from),
            seed: self.seed,
            one_pass: self.one_pass,
            drop_effects: self.drop_effects,
            fitting: self.train.fitting()?,
            ..self.model.with_noise(&self.noise)
        })
    }
}

/// Fits and prints.
pub(crate) fn run(arguments: &FitArguments) -> Result<Outcome, Failure> {
    let model = arguments.model()?;
    let format = arguments.format.of_one()?;
    if arguments.vif && format == TableFormat::Json {
        return Err(Failure::Usage("--vif is for --format table, csv and markdown".to_owned()));
    }
    if arguments.glance && format == TableFormat::Json {
        return Err(Failure::Usage(
            "--glance is for --format table, csv and markdown; JSON has the same facts".to_owned(),
        ));
    }
    match (arguments.vcov_matrix, &model.fitting, format) {
        (false, ..) | (true, Fitting::Exact, TableFormat::Json) => {}
        (true, Fitting::Exact, _) => {
            let what = "--vcov-matrix prints what programs read; say --format json, too";
            return Err(Failure::Usage(what.to_owned()));
        }
        _ => return Err(Refusal::OnlyExact { setting: Setting::VcovMatrix }.into()),
    }
    model.check()?;
    if model.sampling_weights.is_some() {
        // Before anything is read.
        let verbs = [(arguments.report.is_some(), "report"), (arguments.plot, "plot")];
        if let Some((_, verb)) = verbs.into_iter().find(|(asked, _)| *asked) {
            return Err(Refusal::WithSampling { what: WithSampling::Verb(verb) }.into());
        }
    }
    let (table, passes) = arguments.data.open()?;
    let fitted = model.fit(&table)?;
    passes.finish();
    let mut files = Files::default();
    files.keep(fitted.written())?;
    if let Some(Output(path)) = &arguments.output {
        files.keep(fitted.save(path))?;
    }
    if let Some(Output(path)) = &arguments.report {
        let charts = ChartOptions { seed: arguments.seed, ..ChartOptions::default() };
        let page = fitted.report(None, &charts, &Options).map_err(Failure::from);
        files.keep(page.and_then(|page| write(path, &page)))?;
    }
    if arguments.glance && format == TableFormat::Table {
        print(&fitted.glance()?.text())?;
    } else {
        print_table(
            format,
            || if arguments.all_terms { fitted.full_summary() } else { fitted.summary() },
            || fitted.record(arguments.vcov_matrix, &Options),
            || match (arguments.vif, arguments.glance) {
                (true, _) => Ok(inflations(&fitted.inflations(None)?)),
                (_, true) => fitted.glance(),
                _ => fitted.tidy(),
            },
        )?;
    }
    let folded = if arguments.all_terms || arguments.glance { Vec::new() } else { fitted.folded() };
    if format == TableFormat::Table && !folded.is_empty() {
        let terms: Vec<&str> = folded.iter().map(|folded| folded.term.as_str()).collect();
        tell(&format!("the coefficients of {} are one line: --all-terms prints each", terms.join(", ")));
    }
    if arguments.vif && format == TableFormat::Table {
        print(&format!("\n{}", inflations(&fitted.inflations(None)?).text()))?;
    }
    if arguments.plot {
        let charts = fitted.charts(None, &ChartOptions { seed: arguments.seed, ..ChartOptions::default() })?;
        let kinds = [Kind::Loss, Kind::Residuals];
        show(&charts.into_iter().filter(|chart| kinds.contains(&chart.kind)).collect::<Vec<_>>())?;
    }
    fitted.verdict().iter().for_each(|verdict| tell(verdict));
    warn(&fitted.warnings());
    if let (Some(method), None) = (&arguments.conformal.conformal, &arguments.output) {
        warn(&[format!(
            "the {method} intervals that were calibrated are lost: save the model with -o for predict and evaluate"
        )]);
    }
    files.ended(Outcome::of(fitted.converged()))
}
