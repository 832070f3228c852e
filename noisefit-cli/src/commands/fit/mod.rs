//! `noisefit fit`.

mod summary;

use noisefit::fit::Fit;
use noisefit::linear::{self, Options, Settings};
use noisefit::noise::Choice;
use noisefit_data::formula::{Expression, Formula, FormulaError, ScaleFormula};
use noisefit_data::model::FittedModel;
use noisefit_data::read::Dataset;
use noisefit_data::records::Records;
use noisefit_data::source::{Counts, DesignRows, SourceOptions};
use serde::Serialize;

use crate::arguments::{FitArguments, OutputFormat};
use crate::output::{count_of, print, print_json, warn};
use crate::progress::Passes;
use crate::{Outcome, Usage};

/// Fits and prints.
pub(crate) fn run(arguments: &FitArguments) -> anyhow::Result<Outcome> {
    let wrong = |error: FormulaError| Usage(error.to_string());
    let formula = Formula::parse(&arguments.formula).map_err(wrong)?;
    if !formula.has_response() {
        return Err(Usage(format!("the formula '{}' has no response; write 'y ~ ...'", arguments.formula)).into());
    }
    let noise = noise(arguments)?;
    let formula = match &arguments.scale {
        Some(scale) => formula.with_scale(scale).map_err(wrong)?,
        None => formula,
    };
    let weights = arguments.weights.as_deref().map(Expression::parse).transpose().map_err(wrong)?;
    let frequencies = arguments.frequency_weights.as_deref().map(Expression::column);
    let data = &arguments.data;
    let dataset = data.open()?;
    let model = formula.resolve(dataset.fields(), weights.as_ref(), frequencies.as_ref())?;
    let passes = Passes::new(dataset.size_in_bytes(), data.quiet);
    let records = Records::new(&dataset, &model.columns_needed(), data.threads(), data.memory, &passes)?;
    let options = SourceOptions { missing: arguments.missing.into(), ..SourceOptions::default() };
    let rows = DesignRows::learn(model, records, options)?;
    let options = Options {
        level: arguments.level,
        settings: Settings { digits: arguments.digits, one_pass: arguments.one_pass },
        collinear: arguments.collinear.into(),
    };
    let fits = linear::fit(&rows, &noise, &options);
    let fits = fits.map_err(|error| explain(error, rows.counts(), &dataset))?;
    let (model, counts) = (FittedModel::new(rows.design().clone(), fits), rows.counts());
    drop(rows);
    drop(passes);

    if let Some(path) = &arguments.output {
        model.save(path)?;
    }
    let record = Record::new(&model, counts);
    match arguments.format {
        OutputFormat::Json => print_json(&record)?,
        OutputFormat::Table => print(&summary::summary(&model, counts))?,
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

/// The noise, with Huber's own options.
fn noise(arguments: &FitArguments) -> Result<Choice, Usage> {
    let noise = match (&arguments.noise, arguments.huber_k, arguments.huber_scale) {
        (&Choice::Huber { k, scale }, own_k, own_scale) => {
            Choice::Huber { k: own_k.unwrap_or(k), scale: own_scale.unwrap_or(scale) }
        }
        (noise, None, None) => noise.clone(),
        (noise, k, _) => {
            let (option, what) = match k {
                Some(_) => ("--huber-k", "says where the tails begin in units of the estimated scale"),
                None => ("--huber-scale", "says how the scale is estimated"),
            };
            return Err(Usage(format!("{option} {what}, and goes with --noise huber alone, not with --noise {noise}")));
        }
    };
    if arguments.scale.is_some() && !noise.models_scale() {
        return Err(Usage(format!(
            "--scale: the scale of {noise} noise cannot be modelled; it can for --noise gaussian, laplace, student-t, \
             student-t:DF and logistic"
        )));
    }
    Ok(noise)
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

/// Says why there is nothing to fit.
fn explain(error: noisefit::Error, counts: Counts, dataset: &Dataset) -> anyhow::Error {
    let Counts { records, missing, weightless } = counts;
    let files = match dataset.files().len() {
        1 => dataset.file_name(0).to_owned(),
        more => format!("{} and {}", dataset.file_name(0), count_of(more as u64 - 1, "other file")),
    };
    match error {
        noisefit::Error::NoRows if records == 0 => {
            anyhow::anyhow!("{files}: there is a header but no row; a fit needs rows of data")
        }
        noisefit::Error::NoRows => {
            let rows = count_of(records, "row");
            let why = match (missing, weightless) {
                (_, 0) => format!(
                    "each of {rows} has a missing value; --missing fail names the first, --na a text that stands for one"
                ),
                (0, _) => format!("the weight of each of {rows} is zero"),
                _ => format!(
                    "of {rows}, {missing} with a missing value and {weightless} with a weight of zero are left out"
                ),
            };
            anyhow::anyhow!("{files}: nothing to fit: {why}")
        }
        error => error.into(),
    }
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
            found,
        }
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
