//! The plan that predicts best, and a file of trials by which a search goes on.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use noisefit_core::network::{Plan, Watch};
use noisefit_core::noise::{Noise, written};
use noisefit_core::rows::RowSource;
use noisefit_core::training::{Space, Trial, choose, tune};
use noisefit_data::DataError;
use noisefit_data::write::write_atomically;
use noisefit_report::train::trial_line;
use serde::{Deserialize, Serialize};

use crate::error::Error;
use crate::table::Table;
use crate::training::Training;

/// The file of a search.
#[derive(Serialize, Deserialize)]
struct Search {
    schema: String,
    /// What the search began with, and on what data.
    plan: Plan,
    noise: String,
    rows: Option<u64>,
    bytes: u64,
    trials: Vec<Trial>,
}

const SCHEMA: &str = "noisefit.search/1";

/// Searches, telling each trial; with a checkpoint trials are kept beside it, from where `--resume` goes on.
pub(super) fn search(
    rows: &dyn RowSource,
    noise: &[Noise],
    plan: &Plan,
    space: Space,
    training: &Training,
    table: &Table,
) -> Result<(Plan, Vec<Trial>), Error> {
    let path = training.trials();
    let begun = Search {
        schema: SCHEMA.to_owned(),
        plan: plan.clone(),
        noise: written(noise),
        rows: rows.rows_hint(),
        bytes: table.dataset().size_in_bytes(),
        trials: Vec::new(),
    };
    let known = match &path {
        Some(path) if training.resume => read(path, &begun)?,
        _ => Vec::new(),
    };
    let kept = Mutex::new(Search { trials: known.clone(), ..begun });
    let made = |trial: &Trial| {
        let mut kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.trials.push(trial.clone());
        table.watch().trial(&trial_line(trial));
        keep(path.as_deref(), &kept)
    };
    tune(rows, noise, plan, space, &known, &Stop(table), &made)
        .map_err(|error| if table.watch().cancelled() { interrupted(path) } else { error.into() })
}

/// Some plans of which one is to be chosen.
pub(super) struct Among<'a> {
    pub(super) plans: &'a [Plan],
    pub(super) training: &'a Training,
    pub(super) table: &'a Table,
}

impl Among<'_> {
    /// The best of them; with a checkpoint the trials are kept beside it.
    pub(super) fn choose(&self, rows: &dyn RowSource, noise: &[Noise]) -> Result<(Plan, Vec<Trial>), Error> {
        let Among { plans, training, table } = *self;
        let path = training.trials();
        let begun = Search {
            schema: SCHEMA.to_owned(),
            plan: plans.first().cloned().unwrap_or_default(),
            noise: written(noise),
            rows: rows.rows_hint(),
            bytes: table.dataset().size_in_bytes(),
            trials: Vec::new(),
        };
        let known = match &path {
            Some(path) if training.resume => read(path, &begun)?,
            _ => Vec::new(),
        };
        let kept = Mutex::new(Search { trials: known.clone(), ..begun });
        let made = |trial: &Trial| {
            let mut kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
            kept.trials.push(trial.clone());
            keep(path.as_deref(), &kept)
        };
        choose(rows, noise, plans, &known, &Stop(table), &made)
            .map_err(|error| if table.watch().cancelled() { interrupted(path) } else { error.into() })
    }
}

/// Keeps the trials so far, where there is a place for them.
fn keep(path: Option<&Path>, search: &Search) -> Result<(), noisefit_core::Error> {
    match path {
        Some(path) => write_atomically(path, |file| Ok(serde_json::to_writer_pretty(file, search)?))
            .map_err(noisefit_core::Error::from),
        None => Ok(()),
    }
}

fn interrupted(trials: Option<PathBuf>) -> Error {
    match trials {
        Some(trials) => Error::SearchInterrupted { trials },
        None => DataError::Interrupted.into(),
    }
}

/// The trials of a search that was stopped; none where it was not begun.
fn read(path: &Path, begun: &Search) -> Result<Vec<Trial>, Error> {
    let damaged = |why: String| Error::NotResumed { path: path.to_owned(), what: "a search", why };
    let bytes = match std::fs::read(path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        read => read.map_err(|source| DataError::reading(path, source))?,
    };
    let search: Search = serde_json::from_slice(&bytes).map_err(|error| damaged(error.to_string()))?;
    match search.plan == begun.plan
        && search.noise == begun.noise
        && search.rows == begun.rows
        && search.bytes == begun.bytes
    {
        true => Ok(search.trials),
        false => Err(damaged("it is of other options or data".to_owned())),
    }
}

/// Whoever watches may stop the search.
struct Stop<'a>(&'a Table);

impl Watch for Stop<'_> {
    fn stops(&self) -> bool {
        self.0.watch().cancelled()
    }
}
