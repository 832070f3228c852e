//! The trainings of an ensemble's members, each by itself, and where they stand.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use crate::Error;
use crate::network::checkpoint::Checkpoint;
use crate::network::plan::{Watched, restored};
use crate::network::{
    Epoch, Feed, Learner, Plan, Snapshot, Solver, Trained, TrainingRows, UpdateRule, Watch, minimise,
};
use crate::record::Reason;
use crate::rows::scattered;
use crate::training::prepare::Prepared;

/// Rows that large batches are gone through by.
const PIECE: usize = 4096;

/// What the order of rows is drawn from, among other uses of a seed.
const ORDER: u64 = u64::MAX - 1;

/// The trainings of all members.
pub(super) struct Ensemble<'a, W> {
    pub(super) prepared: &'a Prepared,
    pub(super) plan: &'a Plan,
    pub(super) checkpoint: Mutex<Checkpoint>,
    /// Whether a member has failed.
    pub(super) failed: AtomicBool,
    pub(super) watch: &'a W,
}

impl<W: Watch> Ensemble<'_, W> {
    /// Trains a member by the batches of a feed, which is made from the seed of its order; gives its parameters.
    pub(super) fn train<F: Feed>(
        &self,
        member: usize,
        data: Option<&TrainingRows>,
        feed: impl FnOnce(Option<u64>) -> F,
    ) -> Result<(Trained, Vec<f32>), Error> {
        let resumed = self.checkpoint.lock().unwrap_or_else(PoisonError::into_inner).members[member].clone();
        if let Some(snapshot) = &resumed {
            let epochs = snapshot.state.epochs().iter();
            let epochs: Vec<Epoch> =
                epochs.map(|epoch| restored(epoch, &self.prepared.objective, self.prepared.deviation())).collect();
            self.watch.resumes(member, &epochs);
        }
        let found = self.train_from(member, resumed, data, feed);
        if found.is_err() {
            self.failed.store(true, Ordering::Relaxed);
        }
        found
    }

    fn train_from<F: Feed>(
        &self,
        member: usize,
        resumed: Option<Snapshot>,
        data: Option<&TrainingRows>,
        feed: impl FnOnce(Option<u64>) -> F,
    ) -> Result<(Trained, Vec<f32>), Error> {
        let seed = scattered(self.plan.seed, 2 + member as u64);
        let mut learner = self.learner(seed)?;
        let mut observer = Watched {
            watch: self.watch,
            member,
            objective: &self.prepared.objective,
            deviation: self.prepared.deviation(),
            failed: &self.failed,
            keep: |snapshot| self.keep(member, snapshot),
        };
        let training = &self.plan.training;
        let trained = match (&self.plan.solver, data) {
            (Solver::Lbfgs, Some(data)) => minimise(
                &mut learner,
                data,
                self.plan.decay,
                (training.epochs, training.patience),
                self.prepared.validation.as_ref(),
                &mut observer,
            )?,
            (Solver::Lbfgs, None) => {
                let what = "lbfgs goes over all rows for every step and needs them in memory; allow more, or use adam";
                return Err(Error::Unsupported(what.to_owned()));
            }
            (Solver::Steps { shuffle, .. }, _) => {
                let order = shuffle.then(|| scattered(seed, ORDER));
                training.run(
                    &mut learner,
                    &mut feed(order),
                    self.prepared.validation.as_ref(),
                    resumed,
                    &mut observer,
                )?
            }
        };
        if trained.termination.reason == Reason::Diverged {
            return Err(Error::Diverged(self.why_diverged(&trained)));
        }
        let parameters = learner.parameters().to_vec();
        Ok((trained, parameters))
    }

    fn learner(&self, seed: u64) -> Result<Learner, Error> {
        let method = match self.plan.solver {
            Solver::Steps { method, .. } => method,
            Solver::Lbfgs => UpdateRule::Sgd { momentum: 0.0, nesterov: false },
        };
        // Many rows at once are gone through in pieces that stay in the cache; validation rows by no fewer than these.
        let capacity = self.prepared.batch.clamp(256, PIECE);
        let learner =
            Learner::new(self.prepared.architecture.clone(), self.prepared.objective.clone(), method, capacity, seed)?;
        let learner = learner.with_decay(self.plan.decay).with_dropout(self.plan.dropout);
        Ok(if let Some(clip) = self.plan.clip { learner.with_clip(clip) } else { learner })
    }

    /// Keeps where a member stands, with where the others were last.
    fn keep(&self, member: usize, snapshot: Snapshot) -> Result<(), Error> {
        let mut checkpoint = self.checkpoint.lock().unwrap_or_else(PoisonError::into_inner);
        checkpoint.members[member] = Some(snapshot);
        // The lock is held until it is written: what is written later is later.
        if self.watch.keeps_checkpoints() { self.watch.checkpoint(&checkpoint.to_bytes()?) } else { Ok(()) }
    }

    /// When the loss exploded, why probably, and what to change.
    fn why_diverged(&self, trained: &Trained) -> String {
        let (rate, epoch) = (self.plan.training.rate, trained.epochs.len() + 1);
        let (cause, advice) = match self.prepared.far.first() {
            Some((name, distance)) => (
                format!("{name} has a value {distance:.0} standard deviations from its mean"),
                format!(
                    "transform it, such as by log(), or leave such rows out, or give a smaller learning rate than {rate}"
                ),
            ),
            None => (
                format!("the learning rate {rate} is too large"),
                format!("give a smaller one, such as {}", rate / 10.0),
            ),
        };
        let clipping = if self.plan.clip.is_none() { ", or cut long gradients, such as to 1" } else { "" };
        format!(
            "the loss grew without bound in epoch {epoch}, at step {}: probably {cause}; {advice}{clipping}",
            trained.termination.iterations + 1
        )
    }
}
