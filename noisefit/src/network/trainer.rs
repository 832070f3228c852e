//! Epoch after epoch: learning rates, validation, the best parameters, and when to stop.

use std::ops::ControlFlow;

use serde::{Deserialize, Serialize};

use super::{Feed, Learner, TrainingRows};
use crate::Error;
use crate::fit::Termination;

/// How the learning rate changes from epoch to epoch.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(tag = "schedule", rename_all = "kebab-case")]
pub enum Schedule {
    /// It does not.
    #[default]
    Constant,
    /// Times `factor` every `epochs` epochs.
    Step {
        /// After so many epochs.
        epochs: u64,
        /// What it is multiplied by.
        factor: f64,
    },
    /// From the rate down to zero along half a cosine (Loshchilov and Hutter 2017).
    Cosine,
    /// Times `factor` whenever the loss that is watched has not fallen for `epochs` epochs.
    Plateau {
        /// Without a new best for so many.
        epochs: u64,
        /// What it is multiplied by.
        factor: f64,
    },
}

/// How a learner is trained.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Training {
    /// The learning rate to begin with.
    pub rate: f64,
    /// How it changes.
    pub schedule: Schedule,
    /// Steps in which it grows to what it is, from nothing.
    pub warm_up: u64,
    /// Epochs at most.
    pub epochs: u64,
    /// Stops after so many epochs without a new best of the loss that is watched: that of the validation rows, or without
    /// such that of the training rows.
    pub patience: Option<u64>,
}

/// What an observer is told of every step.
#[derive(Debug)]
pub struct Step<'a> {
    /// The epoch, from 0.
    pub epoch: u64,
    /// The step, from 0, counted over all epochs.
    pub step: u64,
    /// The mean loss of its batch, before it.
    pub loss: f64,
    /// Its learning rate.
    pub rate: f64,
    /// The learner after it.
    pub learner: &'a Learner,
}

/// What an observer is told of every epoch.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Epoch {
    /// Its number, from 0.
    pub epoch: u64,
    /// The mean loss of its batches, each before its step.
    pub loss: f64,
    /// The mean loss of the validation rows after it.
    pub validation: Option<f64>,
    /// The learning rate of its last step.
    pub rate: f64,
    /// Whether the loss that is watched is the least so far.
    pub best: bool,
}

/// Who watches a training, and may stop it.
pub trait Observer {
    /// After every step.
    fn step(&mut self, _step: &Step<'_>) -> ControlFlow<()> {
        ControlFlow::Continue(())
    }

    /// After every epoch.
    fn epoch(&mut self, _epoch: &Epoch) -> ControlFlow<()> {
        ControlFlow::Continue(())
    }
}

/// Nobody.
impl Observer for () {}

/// What a training came to; the learner has the best parameters.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Trained {
    /// Every epoch.
    pub epochs: Vec<Epoch>,
    /// The least of the losses that were watched.
    pub best_loss: f64,
    /// Its epoch.
    pub best_epoch: u64,
    /// Why training stopped: `epochs`, `patience`, `interrupted`, `diverged`.
    pub termination: Termination,
}

/// A loss so many times the first one is no way back down.
const EXPLODED: f64 = 1e6;

impl Training {
    /// Trains a learner; afterwards it has the parameters of the best epoch.
    ///
    /// # Errors
    /// [`Error::Argument`] for a rate that is not positive, and what the feed reports.
    pub fn run(
        &self,
        learner: &mut Learner,
        feed: &mut impl Feed,
        validation: Option<&TrainingRows>,
        observer: &mut impl Observer,
    ) -> Result<Trained, Error> {
        if !(self.rate > 0.0 && self.rate.is_finite()) {
            return Err(Error::Argument { name: "the learning rate", value: self.rate, expected: "positive" });
        }
        let mut state = State { factor: 1.0, best: f64::INFINITY, best_epoch: 0, step: 0, first: None };
        let mut best = learner.parameters().to_vec();
        let (mut epochs, mut reason) = (Vec::new(), "epochs");
        for epoch in 0..self.epochs {
            let (mut sum, mut count, mut rate, mut stopped) = (0.0, 0.0, 0.0, None);
            let batches = feed.batches();
            feed.epoch(epoch, 0, &mut |batch| {
                rate = self.rate_at(&state, epoch, batches);
                let loss = learner.step(batch.inputs, &batch.targets, rate);
                let first = *state.first.get_or_insert(loss.abs().max(1.0));
                if !(loss.abs() < EXPLODED * first) {
                    stopped = Some("diverged");
                    return ControlFlow::Break(());
                }
                let rows = batch.targets.response.len() as f64;
                (sum, count) = (sum + loss * rows, count + rows);
                let seen = Step { epoch, step: state.step, loss, rate, learner };
                state.step += 1;
                let flow = observer.step(&seen);
                if flow.is_break() {
                    stopped = Some("interrupted");
                }
                flow
            })?;
            if stopped == Some("diverged") {
                reason = "diverged";
                break;
            }
            let loss = sum / count;
            let held_out = validation.map(|rows| learner.mean_loss(rows));
            let watched = held_out.unwrap_or(loss);
            let is_best = watched < state.best;
            if is_best {
                (state.best, state.best_epoch) = (watched, epoch);
                best.copy_from_slice(learner.parameters());
            } else if let Schedule::Plateau { epochs, factor } = self.schedule
                && (epoch - state.best_epoch).is_multiple_of(epochs.max(1))
            {
                state.factor *= factor;
            }
            let seen = Epoch { epoch, loss, validation: held_out, rate, best: is_best };
            let flow = observer.epoch(&seen);
            epochs.push(seen);
            if flow.is_break() || stopped.is_some() {
                reason = "interrupted";
                break;
            }
            if self.patience.is_some_and(|patience| epoch - state.best_epoch >= patience) {
                reason = "patience";
                break;
            }
        }
        learner.set_parameters(&best)?;
        let converged = matches!(reason, "epochs" | "patience");
        let termination =
            Termination { converged, reason: reason.to_owned(), iterations: state.step, duality_gap: None };
        Ok(Trained { epochs, best_loss: state.best, best_epoch: state.best_epoch, termination })
    }

    /// The learning rate of a step.
    fn rate_at(&self, state: &State, epoch: u64, batches: Option<u64>) -> f64 {
        let warm = match self.warm_up {
            0 => 1.0,
            steps => ((state.step + 1) as f64 / steps as f64).min(1.0),
        };
        let factor = match self.schedule {
            Schedule::Constant => 1.0,
            Schedule::Step { epochs, factor } => factor.powf((epoch / epochs.max(1)) as f64),
            Schedule::Plateau { .. } => state.factor,
            Schedule::Cosine => {
                let done = match batches {
                    Some(batches) => state.step as f64 / (batches * self.epochs).max(1) as f64,
                    None => epoch as f64 / self.epochs.max(1) as f64,
                };
                0.5 * (1.0 + (std::f64::consts::PI * done).cos())
            }
        };
        self.rate * warm * factor
    }
}

/// Where a training stands.
#[derive(Debug, Clone, Copy)]
struct State {
    /// What plateaus have made of the learning rate.
    factor: f64,
    best: f64,
    best_epoch: u64,
    step: u64,
    /// The size of the first loss.
    first: Option<f64>,
}
