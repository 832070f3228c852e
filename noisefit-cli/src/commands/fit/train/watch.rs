//! Who watches a training: the progress bar, the trace, checkpoints, Ctrl-C.

use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Instant;

use noisefit::network::{About, Epoch, Objective, Standardisation, Step, Watch, line};
use noisefit_data::DataError;
use noisefit_data::frame::Kind;
use noisefit_data::write::{TableColumn, TableWriter, check_writable, write_atomically};

use super::arguments::TrainArguments;
use crate::output::significant;
use crate::progress::Passes;

/// The watch of one command.
pub(super) struct Watcher<'a> {
    passes: &'a Passes,
    epochs: u64,
    members: u64,
    trace: Option<Trace>,
    checkpoint: Option<PathBuf>,
    every: Option<u64>,
    begun: OnceLock<Begun>,
    started: Instant,
    steps: AtomicU64,
    epochs_done: AtomicU64,
    best: Mutex<Option<(f64, u64)>>,
}

/// What is known before the first step.
struct Begun {
    objective: Objective,
    standardisation: Standardisation,
    /// Steps of an epoch.
    steps: u64,
}

/// The rows of a trace, those of a member together.
struct Trace {
    by_step: bool,
    /// The names of a linear model's coefficients.
    terms: Option<Vec<String>>,
    members: Mutex<Vec<Member>>,
    /// Where they go in the end: opened before the first step.
    writer: Mutex<Option<TableWriter>>,
}

/// A member's part of a trace.
#[derive(Default)]
struct Member {
    /// Row after row.
    values: Vec<f64>,
    /// The numbers of the last step that stand in the row of its epoch.
    last: Vec<f64>,
}

/// The first columns of a trace.
const COLUMNS: [&str; 8] =
    ["member", "epoch", "step", "loss", "validation_loss", "learning_rate", "gradient_norm", "seconds"];

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl<'a> Watcher<'a> {
    /// `terms` are the coefficients of a linear model, whose values a trace has, too.
    pub(super) fn new(
        arguments: &TrainArguments,
        passes: &'a Passes,
        (epochs, members): (u64, usize),
        terms: Option<Vec<String>>,
    ) -> Result<Self, DataError> {
        let trace = |path: &PathBuf| {
            let names = COLUMNS.into_iter().chain(terms.iter().flatten().map(String::as_str));
            let columns: Vec<(&str, Kind)> = names.map(|name| (name, Kind::Number)).collect();
            let writer = TableWriter::create(path, &columns)?;
            Ok::<Trace, DataError>(Trace {
                by_step: arguments.trace_steps,
                members: Mutex::new((0..members).map(|_| Member::default()).collect()),
                writer: Mutex::new(Some(writer)),
                terms: terms.clone(),
            })
        };
        let trace = arguments.trace.as_ref().map(trace).transpose()?;
        if let Some(path) = &arguments.checkpoint {
            check_writable(path)?;
        }
        Ok(Watcher {
            passes,
            epochs,
            members: members as u64,
            trace,
            checkpoint: arguments.checkpoint.clone(),
            every: arguments.every,
            begun: OnceLock::new(),
            started: Instant::now(),
            steps: AtomicU64::new(0),
            epochs_done: AtomicU64::new(0),
            best: Mutex::new(None),
        })
    }

    /// Writes the trace, member after member.
    pub(super) fn write_trace(&self) -> Result<(), DataError> {
        let Some(trace) = &self.trace else { return Ok(()) };
        let Some(mut writer) = lock(&trace.writer).take() else { return Ok(()) };
        let width = COLUMNS.len() + trace.terms.as_ref().map_or(0, Vec::len);
        for member in lock(&trace.members).iter() {
            let column = |j: usize| member.values.chunks_exact(width).map(move |row| row[j]).collect::<Vec<f64>>();
            let columns: Vec<Vec<f64>> = (0..width).map(column).collect();
            writer.write(&columns.iter().map(|values| TableColumn::Number(values)).collect::<Vec<_>>())?;
        }
        writer.finish()
    }

    fn seconds(&self) -> f64 {
        self.started.elapsed().as_secs_f64()
    }
}

impl Watch for Watcher<'_> {
    fn begins(&self, about: &About<'_>) {
        self.begun.get_or_init(|| Begun {
            objective: about.objective.clone(),
            standardisation: about.standardisation.clone(),
            steps: about.steps,
        });
        self.passes.begin_training(self.epochs * self.members);
    }

    fn step(&self, member: usize, step: &Step<'_>) {
        self.steps.fetch_add(1, Ordering::Relaxed);
        let Some(trace) = &self.trace else { return };
        let begun = self.begun.get();
        let is_last = begun.is_some_and(|begun| (step.step + 1).is_multiple_of(begun.steps));
        // Coefficients are wanted for a row of the trace alone.
        if !trace.by_step && !is_last {
            return;
        }
        let mut row = vec![
            (member + 1) as f64,
            (step.epoch + 1) as f64,
            (step.step + 1) as f64,
            step.loss,
            f64::NAN,
            step.rate,
            step.learner.gradient_norm(),
            self.seconds(),
        ];
        if let (Some(begun), Some(_)) = (begun, &trace.terms) {
            row.extend(line(step.learner.architecture(), &begun.standardisation, step.learner.parameters()));
        }
        let mut members = lock(&trace.members);
        match trace.by_step {
            true => members[member].values.extend(row),
            false => members[member].last = row,
        }
    }

    fn epoch(&self, member: usize, epoch: &Epoch) {
        let done = self.epochs_done.fetch_add(1, Ordering::Relaxed) + 1;
        if let Some(trace) = self.trace.as_ref().filter(|trace| !trace.by_step) {
            let mut members = lock(&trace.members);
            let mut row = std::mem::take(&mut members[member].last);
            if row.is_empty() {
                // Steps that nobody tells of, such as those of lbfgs.
                let number = (epoch.epoch + 1) as f64;
                row = vec![(member + 1) as f64, number, number, 0.0, 0.0, epoch.rate, f64::NAN, self.seconds()];
                row.extend(trace.terms.iter().flatten().map(|_| f64::NAN));
            }
            (row[3], row[4]) = (epoch.loss, epoch.validation.unwrap_or(f64::NAN));
            members[member].values.extend(row);
        }
        let watched = epoch.validation.unwrap_or(epoch.loss);
        let mut best = lock(&self.best);
        if best.is_none_or(|(best, _)| watched < best) {
            *best = Some((watched, epoch.epoch + 1));
        }
        let name = self.begun.get().map_or("loss", |begun| begun.objective.name());
        let best =
            best.map_or_else(String::new, |(best, epoch)| format!("best {} (epoch {epoch})", significant(best, 5)));
        let validation =
            epoch.validation.map_or_else(String::new, |loss| format!("validation {}  ", significant(loss, 5)));
        let rate = self.steps.load(Ordering::Relaxed) as f64 / self.seconds().max(1e-3);
        self.passes.trained(
            done,
            &format!("{name} {}  {validation}{best}  {} steps/s", significant(epoch.loss, 5), significant(rate, 2)),
        );
    }

    fn stops(&self) -> bool {
        Passes::is_interrupted()
    }

    fn ends(&self) {
        Passes::forgive();
        self.passes.end_training();
    }

    fn keeps_checkpoints(&self) -> bool {
        self.checkpoint.is_some()
    }

    fn wants_checkpoint(&self, steps: u64) -> bool {
        let every = self.every.or_else(|| self.begun.get().map(|begun| begun.steps)).unwrap_or(1);
        self.checkpoint.is_some() && steps.is_multiple_of(every.max(1))
    }

    fn checkpoint(&self, bytes: &[u8]) -> Result<(), noisefit::Error> {
        let Some(path) = &self.checkpoint else { return Ok(()) };
        write_atomically(path, |file| file.write_all(bytes)).map_err(noisefit::Error::from)
    }
}
