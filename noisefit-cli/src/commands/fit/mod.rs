//! `noisefit fit`.

mod auto;
mod summary;
mod train;

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use noisefit_core::compare::{Comparison, Entry, Judgement};
use noisefit_core::estimate::Options;
use noisefit_core::inference;
use noisefit_core::inference::conformal::{Conformal, Method, Plan};
use noisefit_core::inference::{conformal, profile};
use noisefit_core::noise::Choice;
use noisefit_core::record::{Fit, Vcov};
use noisefit_data::formula::ScaleFormula;
use noisefit_data::model::FittedModel;
use noisefit_data::source::Counts;
use serde::Serialize;

use auto::Chosen;
use train::TrainArguments;

use super::compare::{likelihoods, verdict};
use super::model::{ModelArguments, NoiseArguments, explain};
use crate::arguments::{DataArguments, OutputFormat, parse_level};
use crate::output::{print, print_json, tell, warn};
use crate::progress::Passes;
use crate::{Outcome, Usage};

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  noisefit fit engel.csv -f 'foodexp ~ income'
  noisefit fit wages.parquet -f 'log(wage) ~ poly(age, 2) + C(city, ref=\"Paris\") * female' -o model.json
  noisefit fit engel.csv -f 'foodexp ~ income' --noise quantile:0.1,0.5,0.9
  noisefit fit 'logs/*.csv.gz' -f 'latency ~ size + region' --noise student-t --scale '~ size'
  noisefit fit diabetes.csv -f 'y ~ .' --model network --noise student-t --ensemble 5 -o model.json
  noisefit fit lab.csv -f 'y ~ x' --weights '1/(0.1 + 0.3*x)^2'
  psql -c 'copy t to stdout csv header' | noisefit fit - --input-format csv -f 'y ~ .' --format json")]
pub(crate) struct FitArguments {
    #[command(flatten)]
    pub(crate) data: DataArguments,
    #[command(flatten)]
    pub(crate) model: ModelArguments,
    #[command(flatten)]
    pub(crate) noise: NoiseArguments,
    /// The level of the confidence intervals
    #[arg(long, value_name = "LEVEL", default_value_t = 0.95, value_parser = parse_level)]
    pub(crate) level: f64,
    /// How the covariance of the coefficients is estimated: classical, hc0, hc1, hc2, hc3, cluster:COLUMN[,COLUMN], hac:LAGS,
    /// sandwich, iid, nid, kernel, bootstrap[:wild][:DRAWS], expected, observed [default: nid for laplace and quantiles, else
    /// classical]
    #[arg(long, value_name = "HOW", default_value = "default", hide_default_value = true)]
    pub(crate) vcov: Vcov,
    /// Where the confidence intervals of the coefficients come from: wald (their standard errors) or profile (the values that
    /// a likelihood ratio test does not reject; fits the model again some twenty times for each coefficient)
    #[arg(long, value_name = "HOW", default_value = "wald")]
    pub(crate) confint: ConfintChoice,
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
    /// How to print the result
    #[arg(long, value_enum, default_value_t = OutputFormat::Table)]
    pub(crate) format: OutputFormat,
    /// Save the model for `predict` and `evaluate`
    #[arg(long, short, value_name = "MODEL.json")]
    pub(crate) output: Option<PathBuf>,
}

/// Where confidence intervals come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ConfintChoice {
    Wald,
    Profile,
}

/// Distribution-free intervals.
#[derive(Debug, Args)]
#[command(next_help_heading = "Conformal intervals")]
pub(crate) struct ConformalArguments {
    /// Calibrate intervals that hold whatever the noise, for `predict` and `evaluate` of the saved model: split (some rows
    /// calibrate, the others are fitted), cv+ (fits without each of several folds) or jackknife+ (without each row)
    #[arg(long, value_name = "METHOD")]
    conformal: Option<Method>,
    /// The share of the rows that calibrates with split [default: 0.25]
    #[arg(long, value_name = "SHARE", value_parser = parse_share, requires = "conformal")]
    calibration: Option<f64>,
    /// The number of folds of cv+ [default: 10]
    #[arg(long, value_name = "NUMBER", value_parser = clap::value_parser!(u16).range(2..), requires = "conformal")]
    folds: Option<u16>,
}

impl ConformalArguments {
    /// How intervals are calibrated, checked against the noise; none where they are not asked for.
    fn plan(&self, noise: &Choice) -> Result<Option<Plan>, Usage> {
        let Some(method) = self.conformal else { return Ok(None) };
        if self.calibration.is_some() && method != Method::Split {
            return Err(Usage(format!(
                "--calibration is the share of the rows that is not fitted, and goes with --conformal split; {method} fits \
                 all rows"
            )));
        }
        if self.folds.is_some() && method != Method::CvPlus {
            return Err(Usage(format!("--folds goes with --conformal cv+, not with {method}")));
        }
        if let Choice::Quantiles(levels) = noise
            && let [level] = levels[..]
        {
            return Err(Usage(format!(
                "--conformal: an interval of quantiles lies between two of them, and {level} is one; say --noise \
                 quantile:0.05,0.95"
            )));
        }
        let Plan { calibration, folds, .. } = Plan::default();
        Ok(Some(Plan {
            method,
            calibration: self.calibration.unwrap_or(calibration),
            folds: self.folds.map_or(folds, usize::from),
        }))
    }
}

fn parse_share(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(share) if (0.01..=0.99).contains(&share) => Ok(share),
        _ => Err("a share lies between 0.01 and 0.99, such as 0.25".to_owned()),
    }
}

/// Fits and prints.
pub(crate) fn run(arguments: &FitArguments) -> anyhow::Result<Outcome> {
    if arguments.train.trains()? {
        return train::run(arguments);
    }
    let FitArguments { data, model, .. } = arguments;
    let named = match arguments.noise.is_auto()? {
        true => None,
        false => Some((arguments.noise.choice(model)?, model.formula()?)),
    };
    let dataset = data.open()?;
    DataArguments::refuse_overwriting(&dataset, &[("--output", arguments.output.as_ref())])?;
    let passes = Passes::new(dataset.size_in_bytes(), data.quiet);
    let (noise, formula, comparison) = match named {
        Some((noise, formula)) => (noise, formula, None),
        None => {
            let Chosen { noise, formula, comparison } = auto::choose(arguments, &dataset, &passes)?;
            (noise, formula, Some(comparison))
        }
    };
    let formula = formula.with_clusters(arguments.vcov.clusters());
    let rows = model.rows(&formula, data, &dataset, &passes)?;
    let mut options =
        Options { level: arguments.level, vcov: arguments.vcov.clone(), seed: arguments.seed, ..model.options() };
    options.settings.one_pass = arguments.one_pass;
    let plan = arguments.conformal.plan(&noise)?;
    if let (ConfintChoice::Profile, Some(Method::Split)) = (arguments.confint, plan.map(|plan| plan.method)) {
        return Err(Usage(
            "--confint profile is of all rows, and --conformal split fits some of them; say --conformal cv+".to_owned(),
        )
        .into());
    }
    let (mut fits, conformal) = match plan {
        None => inference::fit(&rows, &noise, &options).map(|fits| (fits, None)),
        Some(plan) => conformal::fit(&rows, &noise, &options, &plan).map(|(fits, conformal)| (fits, Some(conformal))),
    }
    .map_err(|error| explain(error, rows.counts(), &dataset))?;
    if arguments.confint == ConfintChoice::Profile {
        fits.iter_mut().try_for_each(|fit| profile::intervals(&rows, fit, &options))?;
    }
    let model = FittedModel::new(rows.design().clone(), fits).with_conformal(conformal);
    let counts = rows.counts();
    drop(rows);
    drop(passes);

    if let Some(path) = &arguments.output {
        model.save(path)?;
    }
    let chosen_by = comparison.as_ref().map(ChosenBy::new);
    match arguments.format {
        OutputFormat::Json => print_json(&Record { chosen_by, ..Record::new(&model, counts) })?,
        OutputFormat::Table => {
            let evidence = comparison.as_ref().map(|comparison| format!("\n{}", likelihoods(comparison, false)));
            print(&(summary::summary(&model, counts) + &evidence.unwrap_or_default()))?;
        }
    }
    if let Some(comparison) = &comparison {
        tell(&verdict(comparison));
    }
    warn(&warnings(&model.fits));
    if comparison.is_some() && model.conformal.is_some() {
        warn(&["the noise was chosen on all rows, those that calibrate among them; the promise of conformal intervals is for a noise \
               that is named beforehand"
            .to_owned()]);
    }
    Ok(outcome(&model.fits))
}

fn outcome(fits: &[Fit]) -> Outcome {
    match fits.iter().all(|fit| fit.termination.converged) {
        true => Outcome::Done,
        false => Outcome::NotConverged,
    }
}

/// What the fits warn of, each once; of several quantiles with the level.
fn warnings(fits: &[Fit]) -> Vec<String> {
    let mut all: Vec<String> = Vec::new();
    for fit in fits {
        for warning in &fit.warnings {
            let shared = fits.iter().all(|other| other.warnings.contains(warning));
            let warning = if shared { warning.clone() } else { format!("{}: {warning}", fit.noise) };
            if !all.contains(&warning) {
                all.push(warning);
            }
        }
    }
    all
}

/// The JSON object of a fit.
#[derive(Serialize)]
struct Record<'a> {
    schema: &'static str,
    formula: &'a str,
    /// The formula of a modelled scale.
    scale_formula: Option<&'a str>,
    /// Rows left out because a value is missing.
    dropped: u64,
    /// Rows left out because their weight is zero.
    zero_weight: u64,
    /// Whether the log-likelihood, AIC and BIC contain the Jacobian of a transformed response.
    response_jacobian: bool,
    /// What calibrates conformal intervals.
    #[serde(skip_serializing_if = "Option::is_none")]
    conformal: Option<Calibration>,
    /// Why this noise, where it was found out.
    #[serde(skip_serializing_if = "Option::is_none")]
    chosen_by: Option<ChosenBy<'a>>,
    /// The fit's own fields; of several quantiles `fits`, a list of them.
    #[serde(flatten)]
    found: serde_json::Map<String, serde_json::Value>,
}

impl<'a> Record<'a> {
    fn new(model: &'a FittedModel, counts: Counts) -> Self {
        let mut fits: Vec<_> = model.fits.iter().map(fields).collect();
        let found = match fits.len() {
            1 => fits.remove(0),
            _ => [("fits".to_owned(), fits.into())].into_iter().collect(),
        };
        Record {
            schema: "noisefit.fit/1",
            formula: model.design.formula().text(),
            scale_formula: model.design.formula().scale().map(ScaleFormula::text),
            dropped: counts.missing,
            zero_weight: counts.weightless,
            response_jacobian: model.design.transforms_response(),
            conformal: model.conformal.as_ref().map(Calibration::from),
            chosen_by: None,
            found,
        }
    }
}

/// Conformal intervals, in short.
#[derive(Serialize)]
struct Calibration {
    method: Method,
    /// Observations with a score.
    observations: f64,
    /// Fits without some of the rows.
    fits: usize,
    seed: u64,
}

impl From<&Conformal> for Calibration {
    fn from(conformal: &Conformal) -> Self {
        let &Conformal { method, observations, seed, .. } = conformal;
        Calibration { method, observations, fits: conformal.folds(), seed }
    }
}

/// The evidence for a noise that was found out.
#[derive(Serialize)]
struct ChosenBy<'a> {
    /// In a sentence.
    verdict: String,
    judgement: Option<&'a Judgement>,
    /// The models, that of the least BIC first.
    models: &'a [Entry],
}

impl<'a> ChosenBy<'a> {
    fn new(comparison: &'a Comparison) -> Self {
        let Comparison { judgement, models, .. } = comparison;
        ChosenBy { verdict: verdict(comparison), judgement: judgement.as_ref(), models }
    }
}

/// What a reader wants to know of a fit; what is only needed to predict is left out.
fn fields(fit: &Fit) -> serde_json::Map<String, serde_json::Value> {
    let mut fields = match serde_json::to_value(fit) {
        Ok(serde_json::Value::Object(fields)) => fields,
        _ => serde_json::Map::new(),
    };
    for name in ["leverage", "location_variance"] {
        fields.shift_remove(name);
    }
    fields
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use noisefit_core::estimate::closed_form;
    use noisefit_core::rows::{Matrix, MemoryRows};

    #[test]
    fn what_did_not_converge_is_said_and_is_no_success() {
        let rows = MemoryRows::new(&[1.0, 3.0, 2.0], Matrix::row_major(&[1.0, 2.0, 3.0], 3, 1).unwrap()).unwrap();
        let fit = closed_form::fit(&rows, &Options::default()).unwrap();
        assert_eq!((outcome(std::slice::from_ref(&fit)), fit.warnings.len()), (Outcome::Done, 0));
        let mut stopped = fit.clone();
        stopped.termination.converged = false;
        let said = "not converged after 50 steps";
        stopped.warnings.push(said.to_owned());
        let fits = [fit, stopped];
        assert_eq!(outcome(&fits), Outcome::NotConverged);
        // Of several fits, which.
        assert_eq!(warnings(&fits), [format!("gaussian: {said}")]);
        assert_eq!(warnings(&fits[1..]), [said]);
    }
}
