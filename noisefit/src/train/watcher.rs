//! Who watches a training: the table's watch, the trace, checkpoints.

use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use noisefit_core::network::{About, Epoch, Learner, Objective, Standardisation, Step, Watch, line};
use noisefit_data::DataError;
use noisefit_data::frame::Kind;
use noisefit_data::write::{TableColumn, TableWriter, check_writable, write_atomically};
use noisefit_report::text::significant;

use crate::training::Training;

/// The watch of one training.
pub(super) struct Watcher<'a> {
    table: &'a dyn crate::watch::Watch,
    epochs: u64,
    members: u64,
    trace: Option<Trace>,
    /// Of a linear model its coefficients after every epoch of every member.
    lines: Option<Mutex<Vec<Vec<Vec<f64>>>>>,
    checkpoint: Option<PathBuf>,
    every: Option<u64>,
    /// When a checkpoint was last written, and how long that took.
    written: Mutex<(Instant, Duration)>,
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
}

/// The rows of a trace, those of a member together.
struct Trace {
    by_step: bool,
    /// The names of a linear model's coefficients.
    terms: Option<Vec<String>>,
    members: Mutex<Vec<Vec<f64>>>,
    /// Where they go in the end: opened before the first step.
    writer: Mutex<Option<TableWriter>>,
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
        training: &Training,
        table: &'a dyn crate::watch::Watch,
        (epochs, members): (u64, usize),
        terms: Option<Vec<String>>,
    ) -> Result<Self, DataError> {
        let trace = |path: &PathBuf| {
            let names = COLUMNS.into_iter().chain(terms.iter().flatten().map(String::as_str));
            let columns: Vec<(&str, Kind)> = names.map(|name| (name, Kind::Number)).collect();
            let writer = TableWriter::create(path, &columns)?;
            Ok::<Trace, DataError>(Trace {
                by_step: training.trace_steps,
                members: Mutex::new(vec![Vec::new(); members]),
                writer: Mutex::new(Some(writer)),
                terms: terms.clone(),
            })
        };
        let trace = training.trace.as_ref().map(trace).transpose()?;
        if let Some(path) = &training.checkpoint {
            check_writable(path)?;
        }
        Ok(Watcher {
            table,
            epochs,
            members: members as u64,
            trace,
            lines: terms.is_some().then(|| Mutex::new(vec![Vec::new(); members])),
            checkpoint: training.checkpoint.clone(),
            every: training.every,
            written: Mutex::new((Instant::now(), Duration::ZERO)),
            begun: OnceLock::new(),
            started: Instant::now(),
            steps: AtomicU64::new(0),
            epochs_done: AtomicU64::new(0),
            best: Mutex::new(None),
        })
    }

    /// The coefficients after every epoch of every member; none of what is no line.
    pub(super) fn lines(&self) -> Vec<Vec<Vec<f64>>> {
        self.lines.as_ref().map_or_else(Vec::new, |lines| lock(lines).clone())
    }

    /// Writes the trace, member after member.
    pub(super) fn write_trace(&self) -> Result<(), DataError> {
        let Some(trace) = &self.trace else { return Ok(()) };
        let Some(mut writer) = lock(&trace.writer).take() else { return Ok(()) };
        let width = COLUMNS.len() + trace.terms.as_ref().map_or(0, Vec::len);
        for member in lock(&trace.members).iter() {
            let column = |j: usize| member.chunks_exact(width).map(move |row| row[j]).collect::<Vec<f64>>();
            let columns: Vec<Vec<f64>> = (0..width).map(column).collect();
            writer.write(&columns.iter().map(|values| TableColumn::Number(values)).collect::<Vec<_>>())?;
        }
        writer.finish()
    }

    fn trace_row(&self, trace: &Trace, member: usize, (place, found): ([f64; 3], [f64; 5]), learner: Option<&Learner>) {
        let mut row: Vec<f64> = place.into_iter().chain(found).collect();
        if let (Some(begun), Some(terms)) = (self.begun.get(), &trace.terms) {
            match learner {
                Some(learner) => {
                    let line = line(learner.architecture(), &begun.standardisation, learner.parameters());
                    row.extend(line.numbers());
                }
                None => row.extend(std::iter::repeat_n(f64::NAN, terms.len())),
            }
        }
        lock(&trace.members)[member].extend(row);
    }

    /// Remembers the best epoch.
    fn see(&self, epoch: &Epoch) {
        let watched = epoch.validation.unwrap_or(epoch.loss);
        let mut best = lock(&self.best);
        if best.is_none_or(|(best, _)| watched < best) {
            *best = Some((watched, epoch.epoch + 1));
        }
    }

    fn seconds(&self) -> f64 {
        self.started.elapsed().as_secs_f64()
    }
}

/// What a trace says of an epoch.
fn epoch_row(member: usize, epoch: &Epoch, seconds: f64) -> ([f64; 3], [f64; 5]) {
    let place = [member as f64 + 1.0, epoch.epoch as f64 + 1.0, epoch.steps as f64];
    let validation = epoch.validation.unwrap_or(f64::NAN);
    (place, [epoch.loss, validation, epoch.rate, epoch.gradient_norm, seconds])
}

impl Watch for Watcher<'_> {
    fn begins(&self, about: &About<'_>) {
        self.begun.get_or_init(|| Begun {
            objective: about.objective.clone(),
            standardisation: about.standardisation.clone(),
        });
        self.table.begin_training(self.epochs.saturating_mul(self.members));
    }

    fn step(&self, member: usize, step: &Step<'_>) {
        self.steps.fetch_add(1, Ordering::Relaxed);
        let Some(trace) = self.trace.as_ref().filter(|trace| trace.by_step) else { return };
        let place = [member as f64 + 1.0, step.epoch as f64 + 1.0, step.step as f64 + 1.0];
        let found = [step.loss, f64::NAN, step.rate, step.learner.gradient_norm(), self.seconds()];
        self.trace_row(trace, member, (place, found), Some(step.learner));
    }

    fn resumes(&self, member: usize, epochs: &[Epoch]) {
        self.epochs_done.fetch_add(epochs.len() as u64, Ordering::Relaxed);
        for epoch in epochs {
            self.see(epoch);
            if let Some(trace) = self.trace.as_ref().filter(|trace| !trace.by_step) {
                // Seconds and coefficients are those of another run.
                self.trace_row(trace, member, epoch_row(member, epoch, f64::NAN), None);
            }
        }
    }

    fn epoch(&self, member: usize, epoch: &Epoch, learner: &Learner) {
        let done = self.epochs_done.fetch_add(1, Ordering::Relaxed) + 1;
        if let Some(trace) = self.trace.as_ref().filter(|trace| !trace.by_step) {
            self.trace_row(trace, member, epoch_row(member, epoch, self.seconds()), Some(learner));
        }
        if let (Some(lines), Some(begun)) = (&self.lines, self.begun.get()) {
            let line = line(learner.architecture(), &begun.standardisation, learner.parameters());
            lock(lines)[member].push(line.numbers().collect());
        }
        self.see(epoch);
        let best = *lock(&self.best);
        let watched = epoch.validation.unwrap_or(epoch.loss);
        // In likelihoods, where the loss says one.
        let objective = self.begun.get().map(|begun| &begun.objective);
        let likelihood = |loss: f64| objective.and_then(|objective| objective.negative_log_likelihood(loss));
        let name = match (likelihood(watched), objective) {
            (Some(_), _) => "NLL",
            (None, objective) => objective.map_or("loss", Objective::name),
        };
        let shown = |loss: f64| significant(likelihood(loss).unwrap_or(loss), 5);
        let best = best.map_or_else(String::new, |(best, epoch)| format!("best {} (epoch {epoch})", shown(best)));
        let validation = epoch.validation.map_or_else(String::new, |loss| format!("validation {}  ", shown(loss)));
        let rate = self.steps.load(Ordering::Relaxed) as f64 / self.seconds().max(1e-3);
        self.table.trained(
            done,
            &format!("{name} {}  {validation}{best}  {} steps/s", shown(epoch.loss), significant(rate, 2)),
        );
    }

    fn stops(&self) -> bool {
        self.table.cancelled()
    }

    fn ends(&self) {
        self.table.end_training();
    }

    fn keeps_checkpoints(&self) -> bool {
        self.checkpoint.is_some()
    }

    fn wants_checkpoint(&self, steps: u64) -> bool {
        match (&self.checkpoint, self.every) {
            (None, _) => false,
            (_, Some(every)) => steps.is_multiple_of(every),
            // Writing is to take no more than a twentieth of the time.
            (_, None) => {
                let (written, took) = *lock(&self.written);
                written.elapsed() >= PAUSE.max(20 * took)
            }
        }
    }

    fn checkpoint(&self, bytes: &[u8]) -> Result<(), noisefit_core::Error> {
        let Some(path) = &self.checkpoint else { return Ok(()) };
        let begun = Instant::now();
        write_atomically(path, |file| file.write_all(bytes))?;
        *lock(&self.written) = (Instant::now(), begun.elapsed());
        Ok(())
    }
}

/// The least time between checkpoints, unless it is given in steps.
const PAUSE: Duration = Duration::from_secs(1);
