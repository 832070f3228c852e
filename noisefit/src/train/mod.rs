//! Fitting by gradient steps: networks, and linear models where asked for.

pub(crate) mod record;
mod search;
mod watcher;

use std::path::{Path, PathBuf};

use noisefit_core::inference::conformal::{self, Conformal, Scheme};
use noisefit_core::network::{Checkpoint, Plan};
use noisefit_core::noise::Noise;
use noisefit_core::rows::{Folds, Layout, Part, RowSource};
use noisefit_core::training::{self, Trial};
use noisefit_core::wording::Setting;
use noisefit_data::DataError;
use noisefit_data::model::FittedModel;

use watcher::Watcher;

use crate::error::{Error, unwritten};
use crate::fitted::{Fitted, Origin};
use crate::machine;
use crate::model::Model;
use crate::overwriting::trials_beside;
use crate::refusal::{Refusal, WithEffects};
use crate::rows::{explain, notes};
use crate::table::Table;
use crate::training::Training;

/// Trains a model.
pub(crate) fn fit(model: &Model, training: &Training, is_network: bool, table: &Table) -> Result<Fitted, Error> {
    if table.traffic().is_some() {
        return Err(Refusal::TrainingElsewhere.into());
    }
    let noise = model.named_noise()?;
    let trials = training.trials();
    table.refuse_overwriting(&[
        (Setting::Trace, training.trace.as_deref()),
        (Setting::Checkpoint, training.checkpoint.as_deref()),
        (Setting::Checkpoint, trials.as_deref().filter(|_| training.tune.is_some())),
    ])?;
    let calibration = model.conformal_plan(&noise)?;
    let rows = model.rows(&model.without_effects(WithEffects::Training)?, table)?;
    let count = training::count(&rows).map_err(|error| explain(error, rows.counts(), table))?;
    let mut plans = model.plans(count)?;
    let layout = rows.layout();
    if !layout.intercept && !is_network {
        return Err(Refusal::NoIntercept.into());
    }
    let embeddings = training.embedded(layout)?;
    for plan in &mut plans {
        (plan.memory, plan.embeddings) = (table.budget(), embeddings.clone());
        refuse_beyond_memory(plan, layout, training)?;
    }
    let mut plan = plans[0].clone();
    // Of several quantiles the lowest alone is a line.
    let linear = plan.hidden.is_empty() && plan.embeddings.is_empty() && noise.len() == 1;
    let terms = linear.then(|| {
        let names = layout.terms.iter().cloned();
        std::iter::once("(Intercept)".to_owned()).chain(names).collect::<Vec<_>>()
    });
    let resumed = training.resumed()?;
    let mut trials = Vec::new();
    if plans.len() > 1 {
        let among = search::Among { plans: &plans, training, table };
        (plan, trials) = match calibration.map(|how| (how.method, how.calibration)) {
            None => among.choose(&rows, &noise)?,
            // Rows that calibrate are not to have a say in the plan.
            Some((Scheme::Split, share)) => {
                let (parts, folds) = Folds::of_share(share, plan.seed);
                among.choose(&folds.select(&rows, Part::From(parts)), &noise)?
            }
            Some(_) => (plan, trials),
        };
    }
    let watcher = Watcher::new(training, table.watch(), (plan.training.epochs, plan.members), terms)?;
    if let Some(count) = training.tune {
        let space = training.space(count);
        (plan, trials) = match calibration.map(|how| (how.method, how.calibration)) {
            // Rows that calibrate are not to have a say in the plan.
            Some((Scheme::Split, share)) => {
                let (parts, folds) = Folds::of_share(share, plan.seed);
                search::search(&folds.select(&rows, Part::From(parts)), &noise, &plan, space, training, table)?
            }
            Some((method, _)) => return Err(Refusal::TuneWithConformal { method }.into()),
            None => search::search(&rows, &noise, &plan, space, training, table)?,
        };
    }
    let found = run(&rows, &noise, &plan, calibration.as_ref(), resumed, &watcher);
    // Of a training that has failed the trace says how.
    let unwritten = unwritten(watcher.write_trace())?;
    let (fitted, conformal) = found.map_err(|error| match (&training.checkpoint, error) {
        (Some(path), noisefit_core::Error::State(why)) => {
            Error::NotResumed { path: path.clone(), what: "a checkpoint", why }
        }
        (_, error) => explain(error, rows.counts(), table),
    })?;
    let saved = FittedModel::trained(rows.design().clone(), fitted.network.clone())
        .with_conformal(conformal)
        .with_ranges(rows.ranges());
    let notes = notes(&rows, table);
    Ok(Fitted::new(saved, table, rows.counts(), Origin::Trained { fitted, plan, trials, lines: watcher.lines() })
        .with_notes(notes)
        .with_unwritten(unwritten))
}

/// Refuses networks, or so many of them, as there is no memory for.
fn refuse_beyond_memory(plan: &Plan, layout: &Layout, training: &Training) -> Result<(), Refusal> {
    let free = machine::memory();
    let embedded = plan.embeddings.iter().map(|embedding| (embedding.inputs.len() as f64, embedding.width as f64));
    let (mut parameters, mut inputs) = (0.0, layout.terms.len() as f64);
    for (replaced, width) in embedded {
        parameters += replaced * width;
        inputs += width - replaced;
    }
    for width in plan.hidden.iter().map(|width| *width as f64).chain([2.0]) {
        parameters += (std::mem::replace(&mut inputs, width) + 1.0) * width;
    }
    // The parameters, the best of them, the gradient, two moments of it, and what is saved.
    let network = 6.0 * 4.0 * parameters;
    let refuse = |setting, number: f64, bytes: f64| match bytes <= free as f64 {
        true => Ok(()),
        false => Err(Refusal::Memory { setting, number, bytes, free }),
    };
    refuse(Setting::Hidden, parameters, network)?;
    refuse(Setting::Ensemble, plan.members as f64, network * plan.members as f64)?;
    let trials = training.tune.unwrap_or(0) as f64;
    refuse(Setting::Tune, trials, size_of::<Trial>() as f64 * 2.0 * trials)?;
    // Rows that are shuffled: inputs, response and weights.
    let buffered = training.shuffle_buffer.unwrap_or(0) as f64;
    refuse(Setting::ShuffleBuffer, buffered, buffered * 4.0 * (layout.terms.len() + 4) as f64)
}

fn run(
    rows: &dyn RowSource,
    noise: &[Noise],
    plan: &Plan,
    how: Option<&conformal::Plan>,
    resumed: Option<Checkpoint>,
    watcher: &Watcher<'_>,
) -> Result<(training::Fitted, Option<Conformal>), noisefit_core::Error> {
    match how {
        None => Ok((training::fit(rows, noise, plan, resumed, watcher)?, None)),
        Some(how) => training::fit_conformal(rows, noise, plan, how, resumed, watcher),
    }
}

impl Training {
    /// The file beside the checkpoint that keeps the trials of a search.
    fn trials(&self) -> Option<PathBuf> {
        self.checkpoint.as_deref().map(trials_beside)
    }

    /// Where a training goes on; a checkpoint that is there is not written over, for it may have taken days.
    fn resumed(&self) -> Result<Option<Checkpoint>, Error> {
        let Some(path) = &self.checkpoint else { return Ok(None) };
        if self.resume {
            return checkpoint(path);
        }
        if !path.exists() {
            return Ok(None);
        }
        let steps = checkpoint(path).ok().map(|found| found.map_or(0, |found| found.steps()));
        Err(Refusal::CheckpointExists { path: path.clone(), steps }.into())
    }
}

/// Where a training stood; none where it was not begun.
fn checkpoint(path: &Path) -> Result<Option<Checkpoint>, Error> {
    match std::fs::read(path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(source) => Err(DataError::reading(path, source).into()),
        Ok(bytes) => Checkpoint::from_bytes(&bytes).map(Some).map_err(|error| Error::NotResumed {
            path: path.to_owned(),
            what: "a checkpoint",
            why: error.to_string(),
        }),
    }
}
