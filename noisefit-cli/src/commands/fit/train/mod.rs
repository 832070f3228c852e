//! `noisefit fit` by gradient steps: networks, and linear models with `--solver train`.

pub(super) mod arguments;
mod record;
mod tuning;
mod watch;

use std::path::Path;

use noisefit_core::inference::conformal;
use noisefit_core::inference::conformal::{Conformal, Method};
use noisefit_core::inference::covariance::Vcov;
use noisefit_core::network;
use noisefit_core::network::{Checkpoint, Fitted, Plan};
use noisefit_core::noise::Noise;
use noisefit_core::rows::{Folds, Part, RowSource};
use noisefit_data::DataError;
use noisefit_data::model::FittedModel;
use noisefit_data::write::check_writable;

use arguments::ModelChoice;
use watch::Watcher;

use super::arguments::{ConfintChoice, FitArguments};
use crate::arguments::{DataArguments, OutputFormat};
use crate::commands::model::{explain, specification};
use crate::outcome::{Outcome, Usage};
use crate::output::{print, print_json, warn};
use crate::progress::Passes;

/// Trains and prints.
pub(super) fn run(arguments: &FitArguments) -> anyhow::Result<Outcome> {
    let FitArguments { data, model, train, .. } = arguments;
    refuse(arguments)?;
    // The scale of a network is another of its outputs, which reads what the location reads.
    let models_scale = model.scale.is_some();
    let noise = arguments.noise.named()?;
    let formula = model.location()?;
    let mut plan = train.plan(models_scale, arguments.seed, data.memory)?;
    let conformal = arguments.conformal.plan(&noise)?;

    let dataset = data.open()?;
    let outputs = [("--output", &arguments.output), ("--trace", &train.trace), ("--checkpoint", &train.checkpoint)];
    DataArguments::refuse_overwriting(&dataset, &outputs.map(|(option, path)| (option, path.as_ref())))?;
    let passes = Passes::new(dataset.size_in_bytes(), data.quiet);
    let rows = model.rows(&formula, data, &dataset, &passes)?;
    let layout = rows.layout();
    if !layout.intercept && train.model == ModelChoice::Linear {
        return Err(Usage(
            "a trained model has an intercept, for its inputs are standardised; without one say --solver exact"
                .to_owned(),
        )
        .into());
    }
    plan.embeddings = train.embeddings(layout)?;
    // Of several quantiles the lowest alone is a line.
    let linear = plan.hidden.is_empty() && plan.embeddings.is_empty() && noise.len() == 1;
    let terms = linear.then(|| {
        let names = layout.terms.iter().cloned();
        std::iter::once("(Intercept)".to_owned()).chain(names).collect::<Vec<_>>()
    });
    let resumed = match &train.checkpoint {
        Some(path) if train.resume => checkpoint(path)?,
        // What is there may have taken days.
        Some(path) if path.exists() => {
            return Err(Usage(match checkpoint(path) {
                Ok(found) => format!(
                    "--checkpoint {}: there is a training of {} steps; say --resume to go on, or name another file",
                    path.display(),
                    found.map_or(0, |found| found.steps())
                ),
                Err(_) => {
                    format!("--checkpoint {}: there is a file that is no checkpoint; name another", path.display())
                }
            })
            .into());
        }
        _ => None,
    };
    // What cannot be written is better known before.
    if let Some(path) = &arguments.output {
        check_writable(path)?;
    }
    let watcher = Watcher::new(train, &passes, (plan.training.epochs, plan.members), terms)?;
    let trials = match train.tune {
        None => Vec::new(),
        Some(count) => {
            // Rows that calibrate are not to have a say in the plan.
            let size = dataset.size_in_bytes();
            let (found, trials) = match conformal.as_ref().map(|how| (how.method, how.calibration)) {
                Some((Method::Split, share)) => {
                    let (parts, folds) = Folds::of_share(share, plan.seed);
                    let others = folds.select(&rows, Part::From(parts));
                    tuning::search(&others, &noise, &plan, train.space(count), train, &passes, size)?
                }
                Some((method, _)) => {
                    return Err(Usage(format!(
                        "--tune with --conformal {method}: every row would have a say in the plan, and calibrate; say \
                         --conformal split"
                    ))
                    .into());
                }
                None => tuning::search(&rows, &noise, &plan, train.space(count), train, &passes, size)?,
            };
            plan = found;
            trials
        }
    };
    let found = fit(&rows, &noise, &plan, conformal.as_ref(), resumed, &watcher);
    // Of a training that has failed the trace says how.
    watcher.write_trace()?;
    let (fitted, conformal) = found.map_err(|error| match (&train.checkpoint, error) {
        (Some(path), noisefit_core::Error::State(why)) => {
            let path = path.display().to_string();
            DataError::Damaged { path, format: "a checkpoint to go on from", why }.into()
        }
        (_, error) => explain(error, rows.counts(), &dataset),
    })?;
    let counts = rows.counts();
    let saved = FittedModel::trained(rows.design().clone(), fitted.network.clone()).with_conformal(conformal);
    drop(rows);
    drop(passes);
    if let Some(path) = &arguments.output {
        saved.save(path)?;
    }
    match arguments.format {
        OutputFormat::Json => print_json(&record::record(&saved, &fitted, (&plan, &trials), counts)?)?,
        OutputFormat::Table => {
            let specification = specification(&saved.design, counts);
            let summary =
                noisefit_report::train::summary(&specification, &fitted, (&plan, &trials), saved.conformal.as_ref());
            print(&summary)?;
        }
    }
    warn(&fitted.warnings);
    let converged = fitted.network.members.iter().all(|member| member.termination.converged);
    Ok(if converged { Outcome::Done } else { Outcome::NotConverged })
}

fn fit(
    rows: &dyn RowSource,
    noise: &[Noise],
    plan: &Plan,
    how: Option<&conformal::Plan>,
    resumed: Option<Checkpoint>,
    watcher: &Watcher<'_>,
) -> Result<(Fitted, Option<Conformal>), noisefit_core::Error> {
    match how {
        None => Ok((network::fit(rows, noise, plan, resumed, watcher)?, None)),
        Some(how) => conformal::fit_network(rows, noise, plan, how, resumed, watcher),
    }
}

/// Where a training stood; none where it was not begun.
fn checkpoint(path: &Path) -> Result<Option<Checkpoint>, DataError> {
    match std::fs::read(path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(source) => Err(DataError::reading(path, source)),
        Ok(bytes) => Checkpoint::from_bytes(&bytes).map(Some).map_err(|error| DataError::Damaged {
            path: path.display().to_string(),
            format: "a checkpoint",
            why: format!("{error}; begin anew without --resume"),
        }),
    }
}

/// Refuses options that are of exact fits.
fn refuse(arguments: &FitArguments) -> Result<(), Usage> {
    let exact = [
        ("--vcov", arguments.vcov != Vcov::Default, "standard errors are of exact fits, and training has none"),
        (
            "--confint profile",
            arguments.confint == ConfintChoice::Profile,
            "profile-likelihood intervals are of exact fits",
        ),
        ("--vcov-matrix", arguments.vcov_matrix, "standard errors are of exact fits, and training has none"),
        ("--one-pass", arguments.one_pass, "training reads the rows once in every epoch"),
    ];
    if let Some((option, _, why)) = exact.iter().find(|(_, given, _)| *given) {
        return Err(Usage(format!("{option}: {why}; leave it out, or --model network and --solver train")));
    }
    match arguments.model.scale.as_deref() {
        None | Some("network") => Ok(()),
        Some(other) => Err(Usage(format!(
            "--scale '{other}': what is trained models its scale from the same inputs as its location: say --scale network"
        ))),
    }
}
