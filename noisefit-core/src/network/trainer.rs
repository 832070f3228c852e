//! Epoch after epoch: learning rates, validation, the best parameters, and when to stop.

use std::ops::ControlFlow;

use crate::Error;
use crate::network::course::{Epoch, Trained, Training};
use crate::network::feed::Batch;
use crate::network::state::{Action, Snapshot, State};
use crate::network::{Feed, Learner, TrainingRows};
use crate::record::Reason;

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
        let (state, best) = match resumed {
            None => (State::start(), learner.parameters().to_vec()),
            Some(snapshot) if snapshot.is_sound() => (snapshot.state.clone(), learner.restore(snapshot)?),
            Some(_) => return Err(Error::State("it stands where no training can stand".to_owned())),
        };
        learner.hold_scale(self.common_scale > 0 && !state.scale_varies());
        let mut run = Run { training: self, learner, validation, observer, state, best };
        let reason = loop {
            match run.state.next(self) {
                Action::Stop(reason) => break reason,
                Action::LetScaleVary => run.let_scale_vary()?,
                Action::Epoch => {
                    if let Some(reason) = run.epoch(feed)? {
                        break reason;
                    }
                }
            }
        };
        run.finish(reason)
    }
}

/// A training at work.
struct Run<'a, O> {
    training: &'a Training,
    learner: &'a mut Learner,
    validation: Option<&'a TrainingRows>,
    observer: &'a mut O,
    state: State,
    /// The parameters that are kept so far.
    best: Vec<f32>,
}

impl<O: Observer> Run<'_, O> {
    /// Goes on with a scale that differs from row to row, from the best location.
    fn let_scale_vary(&mut self) -> Result<(), Error> {
        if self.validation.is_some() && self.state.has_best() {
            self.learner.set_parameters(&self.best)?;
        }
        self.learner.hold_scale(false);
        // A course of its own begins with a memory of its own.
        if self.training.scale_rate.is_some() && self.training.common_scale > 0 {
            self.learner.begin_anew();
        }
        self.state.let_scale_vary();
        Ok(())
    }

    /// An epoch, or what is left of it; why training is to stop, where it is.
    fn epoch(&mut self, feed: &mut impl Feed) -> Result<Option<Reason>, Error> {
        let (batches, epoch, first) = (feed.batches(), self.state.epoch(), self.state.batch());
        let mut stepped = Ok(None);
        let fed = feed.epoch(epoch, first, &mut |batch| {
            stepped = self.step(batch, batches);
            if matches!(stepped, Ok(None)) { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
        });
        match stepped? {
            // What the rows' source says of a stop that was asked for is no news.
            None if fed.is_err() && self.observer.is_interrupted() => {
                self.snapshot()?;
                Ok(Some(Reason::Interrupted))
            }
            None => {
                fed?;
                self.end_epoch()
            }
            stopped => Ok(stopped),
        }
    }

    fn step(&mut self, batch: &Batch<'_>, batches: Option<u64>) -> Result<Option<Reason>, Error> {
        let rate = self.state.rate(self.training, batches);
        let loss = self.learner.step(batch.inputs, &batch.targets, rate);
        let (epoch, step) = (self.state.epoch(), self.state.steps());
        if !self.state.count_step(loss, batch.targets.observations(), rate) {
            return Ok(Some(Reason::Diverged));
        }
        let stops = self.observer.step(&Step { epoch, step, loss, rate, learner: self.learner }).is_break();
        if stops || self.observer.wants_snapshot(self.state.steps()) {
            self.snapshot()?;
        }
        Ok(stops.then_some(Reason::Interrupted))
    }

    fn end_epoch(&mut self) -> Result<Option<Reason>, Error> {
        if self.state.is_empty() {
            return Err(Error::NoRows);
        }
        let held_out = self.validation.map(|rows| self.learner.mean_loss(rows));
        self.state.measure(|| self.learner.gradient_norm());
        let Some(epoch) = self.state.end_epoch(self.training.schedule, held_out) else {
            return Ok(Some(Reason::Diverged));
        };
        // The mean of what batches lost while the parameters moved does not say which were the best: without validation rows
        // it is the last that are kept.
        if epoch.best || self.validation.is_none() {
            self.best.copy_from_slice(self.learner.parameters());
        }
        if self.observer.epoch(epoch, self.learner).is_continue() {
            return Ok(None);
        }
        self.snapshot()?;
        Ok(Some(Reason::Interrupted))
    }

    fn snapshot(&mut self) -> Result<(), Error> {
        self.state.measure(|| self.learner.gradient_norm());
        self.observer.snapshot(self.learner.snapshot(&self.state, &self.best))
    }

    fn finish(mut self, reason: Reason) -> Result<Trained, Error> {
        if self.observer.wants_last() && !matches!(reason, Reason::Diverged | Reason::Interrupted) {
            self.snapshot()?;
        }
        // What was learned within the first epoch is kept where that is all there is.
        if self.validation.is_some() && self.state.has_best() || reason != Reason::Interrupted {
            self.learner.set_parameters(&self.best)?;
        }
        Ok(self.state.trained(reason, self.validation.is_some()))
    }
}
