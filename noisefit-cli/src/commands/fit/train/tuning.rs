//! `--tune`: the plan that predicts best, and a file of trials by which a search goes on.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use noisefit_core::network::{Plan, Space, Trial, Watch, tune};
use noisefit_core::noise::{Noise, written};
use noisefit_core::rows::RowSource;
use noisefit_data::DataError;
use noisefit_data::write::write_atomically;
use noisefit_report::text::{optional, significant};
use serde::{Deserialize, Serialize};

use super::arguments::TrainArguments;
use crate::output::tell;
use crate::progress::Passes;

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
    arguments: &TrainArguments,
    passes: &Passes,
    bytes: u64,
) -> anyhow::Result<(Plan, Vec<Trial>)> {
    let path = arguments.checkpoint.as_ref().map(|path| {
        let mut name = path.clone().into_os_string();
        name.push(".trials.json");
        PathBuf::from(name)
    });
    let begun = Search {
        schema: SCHEMA.to_owned(),
        plan: plan.clone(),
        noise: written(noise),
        rows: rows.rows_hint(),
        bytes,
        trials: Vec::new(),
    };
    let known = match &path {
        Some(path) if arguments.resume => read(path, &begun)?,
        _ => Vec::new(),
    };
    let kept = Mutex::new(Search { trials: known.clone(), ..begun });
    let made = |trial: &Trial| {
        let mut kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.trials.push(trial.clone());
        passes.aside(|| tell(&told(trial)));
        match &path {
            Some(path) => write_atomically(path, |file| Ok(serde_json::to_writer_pretty(file, &*kept)?))
                .map_err(noisefit_core::Error::from),
            None => Ok(()),
        }
    };
    tune(rows, noise, plan, space, &known, &Stop, &made).map_err(|error| match (Passes::is_interrupted(), &path) {
        (true, Some(path)) => {
            anyhow::anyhow!("the search was interrupted; --resume goes on with the trials in {}", path.display())
        }
        (true, None) => DataError::Interrupted.into(),
        (false, _) => error.into(),
    })
}

/// The trials of a search that was stopped; none where it was not begun.
fn read(path: &Path, begun: &Search) -> Result<Vec<Trial>, DataError> {
    let damaged =
        |why: String| DataError::Damaged { path: path.display().to_string(), format: "a search to go on with", why };
    let bytes = match std::fs::read(path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        read => read.map_err(|source| DataError::reading(path, source))?,
    };
    let search: Search =
        serde_json::from_slice(&bytes).map_err(|error| damaged(format!("{error}; begin anew without --resume")))?;
    match search.plan == begun.plan
        && search.noise == begun.noise
        && search.rows == begun.rows
        && search.bytes == begun.bytes
    {
        true => Ok(search.trials),
        false => Err(damaged("it is of other options or data; begin anew without --resume".to_owned())),
    }
}

/// A trial in a line.
fn told(trial: &Trial) -> String {
    let hidden: Vec<String> = trial.hidden.iter().map(usize::to_string).collect();
    let layers = if hidden.is_empty() { String::new() } else { format!("hidden {}, ", hidden.join(",")) };
    format!(
        "trial {:>3}: {layers}rate {}, decay {}, {} epochs: log score {}",
        trial.number,
        significant(trial.rate, 3),
        significant(trial.decay, 3),
        trial.epochs,
        optional(trial.log_score, 5),
    )
}

/// Ctrl-C.
struct Stop;

impl Watch for Stop {
    fn stops(&self) -> bool {
        Passes::is_interrupted()
    }
}
