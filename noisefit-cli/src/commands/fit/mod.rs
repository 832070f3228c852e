//! `noisefit fit`.

mod auto;
mod summary;

use std::path::PathBuf;

use clap::Args;
use noisefit::compare::{Comparison, Entry, Judgement};
use noisefit::fit::Fit;
use noisefit::inference::covariance::Vcov;
use noisefit::linear::{self, Options};
use noisefit_data::formula::ScaleFormula;
use noisefit_data::model::FittedModel;
use noisefit_data::source::Counts;
use serde::Serialize;

use super::compare::{likelihoods, verdict};
use super::model::{ModelArguments, NoiseArguments, explain};
use auto::Chosen;

use crate::Outcome;
use crate::arguments::{DataArguments, OutputFormat, parse_level};
use crate::output::{print, print_json, tell, warn};
use crate::progress::Passes;

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  noisefit fit engel.csv -f 'foodexp ~ income'
  noisefit fit wages.parquet -f 'log(wage) ~ poly(age, 2) + C(city, ref=\"Paris\") * female' -o model.json
  noisefit fit engel.csv -f 'foodexp ~ income' --noise quantile:0.1,0.5,0.9
  noisefit fit 'logs/*.csv.gz' -f 'latency ~ size + region' --noise student-t --scale '~ size'
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
    /// What is drawn at random, such as bootstrap samples, is drawn from this number
    #[arg(long, value_name = "NUMBER", default_value_t = 0)]
    pub(crate) seed: u64,
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

/// Fits and prints.
pub(crate) fn run(arguments: &FitArguments) -> anyhow::Result<Outcome> {
    let FitArguments { data, model, .. } = arguments;
    let named = match arguments.noise.is_auto()? {
        true => None,
        false => Some((arguments.noise.choice(model)?, model.formula()?)),
    };
    let dataset = data.open()?;
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
    let fits = linear::fit(&rows, &noise, &options);
    let fits = fits.map_err(|error| explain(error, rows.counts(), &dataset))?;
    let (model, counts) = (FittedModel::new(rows.design().clone(), fits), rows.counts());
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
            chosen_by: None,
            found,
        }
    }
}

/// The evidence for a noise that was found out.
#[derive(Serialize)]
struct ChosenBy<'a> {
    /// What the models were weighed by.
    criterion: &'static str,
    /// In a sentence.
    verdict: String,
    judgement: Option<&'a Judgement>,
    /// The models, that of the least BIC first.
    models: &'a [Entry],
}

impl<'a> ChosenBy<'a> {
    fn new(comparison: &'a Comparison) -> Self {
        let Comparison { judgement, models, .. } = comparison;
        ChosenBy { criterion: "bic", verdict: verdict(comparison), judgement: judgement.as_ref(), models }
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
    use noisefit::linear::gaussian;
    use noisefit::rows::{Matrix, MemoryRows};

    #[test]
    fn what_did_not_converge_is_said_and_is_no_success() {
        let rows = MemoryRows::new(&[1.0, 3.0, 2.0], Matrix::row_major(&[1.0, 2.0, 3.0], 3, 1).unwrap()).unwrap();
        let fit = gaussian::fit(&rows, &Options::default()).unwrap();
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
