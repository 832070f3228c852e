//! Epoch after epoch: learning rates, validation, the best parameters, and when to stop.

use std::ops::ControlFlow;

use serde::{Deserialize, Serialize};

use crate::Error;
use crate::network::{Feed, Learner, TrainingRows};
use crate::record::{Reason, Termination};

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
    /// Epochs at most in which a modelled scale is the same for all rows, so that the location is learned first: where both
    /// are learned at once, rows that are not fitted well yet are taken for noisy ones, and are no longer learned from
    /// (Seitzer, Tavakoli, Antic and Martius 2022, *ICLR*). They end sooner where patience does.
    #[serde(default)]
    pub common_scale: u64,
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
    /// Steps at its end, counted over all epochs.
    pub steps: u64,
    /// The length of the last step's gradient.
    pub gradient_norm: f64,
}

/// Who watches a training, and may stop it.
pub trait Observer: Send {
    /// After every step.
    fn step(&mut self, _step: &Step<'_>) -> ControlFlow<()> {
        ControlFlow::Continue(())
    }

    /// After every epoch, with the learner at its end.
    fn epoch(&mut self, _epoch: &Epoch, _learner: &Learner) -> ControlFlow<()> {
        ControlFlow::Continue(())
    }

    /// Whether training was asked to stop: what the rows' source then reports is no error.
    fn is_interrupted(&self) -> bool {
        false
    }

    /// Whether [`Observer::snapshot`] is wanted after so many steps.
    fn wants_snapshot(&self, _steps: u64) -> bool {
        false
    }

    /// Whether it is wanted at the end.
    fn wants_last(&self) -> bool {
        false
    }

    /// After a step for which it was wanted, and when training is interrupted: all that it takes to go on from there.
    ///
    /// # Errors
    /// What keeping it reports; training ends with it.
    fn snapshot(&mut self, _snapshot: Snapshot) -> Result<(), Error> {
        Ok(())
    }
}

/// Nobody.
impl Observer for () {}

/// What a training came to; the learner has the best parameters by the validation rows, without such the last.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Trained {
    /// Every epoch.
    pub epochs: Vec<Epoch>,
    /// The validation loss of these parameters, without validation rows the last training loss; absent where no epoch has
    /// ended.
    pub best_loss: Option<f64>,
    /// Their epoch.
    pub best_epoch: u64,
    /// Why training stopped: `epochs`, `patience`, `interrupted`, `diverged`.
    pub termination: Termination,
}

/// Training at the end of a step: going on from here gives the bits that going on without a stop would have given.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Snapshot {
    /// Where it stands.
    pub state: State,
    /// The optimiser's steps.
    pub optimizer_steps: u64,
    /// The parameters, those to be kept so far, and the optimiser's memory.
    #[serde(skip)]
    pub vectors: [Vec<f32>; 4],
}

/// Where a training stands.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct State {
    /// The epoch at work, from 0.
    epoch: u64,
    /// Its batches so far.
    batch: u64,
    /// The sum of their observations' losses, and how many these are.
    sums: [f64; 2],
    /// The length of the last step's gradient.
    norm: f64,
    /// The learning rate of the last step.
    rate: f64,
    /// What plateaus have made of the learning rate.
    factor: f64,
    /// The least loss that was watched, once an epoch has ended.
    best: Option<f64>,
    best_epoch: u64,
    /// Whether a modelled scale differs from row to row, and since which epoch.
    scale_varies: Option<u64>,
    /// Steps so far.
    step: u64,
    /// The size of the first loss.
    first: Option<f64>,
    /// The epochs that have ended.
    epochs: Vec<Epoch>,
}

impl State {
    fn start() -> Self {
        State {
            epoch: 0,
            batch: 0,
            sums: [0.0; 2],
            norm: 0.0,
            rate: 0.0,
            factor: 1.0,
            best: None,
            best_epoch: 0,
            scale_varies: None,
            step: 0,
            first: None,
            epochs: Vec::new(),
        }
    }

    /// The number of steps made.
    pub fn steps(&self) -> u64 {
        self.step
    }

    /// The epochs that have ended.
    pub fn epochs(&self) -> &[Epoch] {
        &self.epochs
    }
}

/// A number that JSON can hold.
fn finite(norm: f64) -> f64 {
    norm.min(f64::MAX)
}

/// A loss so many times the first one is no way back down.
const EXPLODED: f64 = 1e6;

impl Training {
    /// Trains a learner, from where `resumed` stands or from the beginning; afterwards it has the parameters
    /// of the epoch that was the best by the validation rows, without such those of the last.
    ///
    /// # Errors
    /// [`Error::Argument`] for a rate that is not positive, [`Error::Shape`] for a snapshot of another network, and what the
    /// feed and the observer report.
    pub fn run(
        &self,
        learner: &mut Learner,
        feed: &mut impl Feed,
        validation: Option<&TrainingRows>,
        resumed: Option<Snapshot>,
        observer: &mut impl Observer,
    ) -> Result<Trained, Error> {
        if !(self.rate > 0.0 && self.rate.is_finite()) {
            return Err(Error::Argument { name: "the learning rate", value: self.rate, expected: "positive" });
        }
        let (mut state, mut best) = match resumed {
            None => (State::start(), learner.parameters().to_vec()),
            Some(snapshot) => {
                let state = snapshot.state.clone();
                (state, learner.restore(snapshot)?)
            }
        };
        let mut reason = Reason::Epochs;
        learner.hold_scale(state.scale_varies.is_none() && self.common_scale > 0);
        while state.epoch < self.epochs {
            let since = state.best_epoch.max(state.scale_varies.unwrap_or(0));
            let impatient = self.patience.is_some_and(|patience| state.epoch > since.saturating_add(patience));
            match state.scale_varies {
                None if impatient && self.common_scale > 0 || state.epoch >= self.common_scale => {
                    if validation.is_some() && state.best.is_some() {
                        learner.set_parameters(&best)?;
                    }
                    learner.hold_scale(false);
                    state.scale_varies = Some(state.epoch);
                }
                Some(_) if impatient => {
                    reason = Reason::Patience;
                    break;
                }
                _ => {}
            }
            let (mut stopped, mut failed) = (None, None);
            let (batches, first) = (feed.batches(), state.batch);
            let fed = feed.epoch(state.epoch, first, &mut |batch| {
                let rate = self.rate_at(&state, batches);
                let loss = learner.step(batch.inputs, &batch.targets, rate);
                let first = *state.first.get_or_insert(loss.abs().max(1.0));
                if !(loss.abs() < EXPLODED * first) {
                    stopped = Some(Reason::Diverged);
                    return ControlFlow::Break(());
                }
                let observations = batch.targets.observations();
                state.sums = [state.sums[0] + loss * observations, state.sums[1] + observations];
                (state.rate, state.norm) = (rate, f64::NAN);
                let flow = observer.step(&Step { epoch: state.epoch, step: state.step, loss, rate, learner });
                state.step += 1;
                state.batch += 1;
                if flow.is_break() {
                    stopped = Some(Reason::Interrupted);
                }
                if flow.is_break() || observer.wants_snapshot(state.step) {
                    state.norm = finite(learner.gradient_norm());
                    failed = observer.snapshot(learner.snapshot(&state, &best)).err();
                    if failed.is_some() {
                        return ControlFlow::Break(());
                    }
                }
                flow
            });
            if let Some(error) = failed {
                return Err(error);
            }
            match stopped {
                // What the rows' source says of a stop that was asked for is no news.
                Some(why) => {
                    reason = why;
                    break;
                }
                None if fed.is_err() && observer.is_interrupted() => {
                    state.norm = finite(learner.gradient_norm());
                    observer.snapshot(learner.snapshot(&state, &best))?;
                    reason = Reason::Interrupted;
                    break;
                }
                None => fed?,
            }
            let [sum, count] = state.sums;
            if count == 0.0 && state.batch == 0 {
                return Err(Error::NoRows);
            }
            let loss = sum / count;
            let held_out = validation.map(|rows| learner.mean_loss(rows));
            let watched = held_out.unwrap_or(loss);
            if !watched.is_finite() {
                reason = Reason::Diverged;
                break;
            }
            let is_best = state.best.is_none_or(|best| watched < best);
            if is_best {
                (state.best, state.best_epoch) = (Some(watched), state.epoch);
            }
            // The mean of what batches lost while the parameters moved does not say which were the best: without validation rows
            // it is the last that are kept.
            if is_best || validation.is_none() {
                best.copy_from_slice(learner.parameters());
            }
            if let Schedule::Plateau { epochs, factor } = self.schedule
                && !is_best
                && (state.epoch - state.best_epoch).is_multiple_of(epochs.max(1))
            {
                state.factor *= factor;
            }
            let seen = Epoch {
                epoch: state.epoch,
                loss,
                validation: held_out,
                rate: state.rate,
                best: is_best,
                steps: state.step,
                gradient_norm: finite(if state.norm.is_nan() { learner.gradient_norm() } else { state.norm }),
            };
            (state.epoch, state.batch, state.sums) = (state.epoch + 1, 0, [0.0; 2]);
            state.norm = seen.gradient_norm;
            let flow = observer.epoch(&seen, learner);
            state.epochs.push(seen);
            if flow.is_break() {
                observer.snapshot(learner.snapshot(&state, &best))?;
                reason = Reason::Interrupted;
                break;
            }
        }
        if observer.wants_last() && !matches!(reason, Reason::Diverged | Reason::Interrupted) {
            state.norm = finite(learner.gradient_norm());
            observer.snapshot(learner.snapshot(&state, &best))?;
        }
        // What was learned within the first epoch is kept where that is all there is.
        if validation.is_some() && state.best.is_some() || reason != Reason::Interrupted {
            learner.set_parameters(&best)?;
        }
        let converged = matches!(reason, Reason::Epochs | Reason::Patience);
        let termination = Termination { converged, reason, iterations: state.step, duality_gap: None };
        let State { best, best_epoch, epochs, .. } = state;
        let (best_loss, best_epoch) = match (validation, epochs.last()) {
            (None, Some(last)) => (Some(last.loss), last.epoch),
            _ => (best, best_epoch),
        };
        Ok(Trained { epochs, best_loss, best_epoch, termination })
    }

    /// The learning rate of a step.
    fn rate_at(&self, state: &State, batches: Option<u64>) -> f64 {
        let warm = match self.warm_up {
            0 => 1.0,
            steps => ((state.step + 1) as f64 / steps as f64).min(1.0),
        };
        let factor = match self.schedule {
            Schedule::Constant => 1.0,
            Schedule::Step { epochs, factor } => factor.powf((state.epoch / epochs.max(1)) as f64),
            Schedule::Plateau { .. } => state.factor,
            Schedule::Cosine => {
                let done = match batches {
                    Some(batches) => state.step as f64 / (batches as f64 * self.epochs as f64).max(1.0),
                    None => state.epoch as f64 / self.epochs.max(1) as f64,
                };
                0.5 * (1.0 + (std::f64::consts::PI * done).cos())
            }
        };
        self.rate * warm * factor
    }
}
