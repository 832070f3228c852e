//! Where a training stands, and what it does next: all that is decided between steps, without a network.

use serde::{Deserialize, Serialize};

use crate::network::course::{Epoch, Schedule, Trained, Training};
use crate::record::{Reason, Termination};

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

impl Snapshot {
    /// Whether a training can stand there.
    pub(crate) fn is_sound(&self) -> bool {
        self.state.is_sound() && self.optimizer_steps <= MOST_STEPS
    }
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
    /// The length of the last step's gradient; NaN where it was not measured yet.
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
    /// The steps before that.
    #[serde(default)]
    common_steps: u64,
    /// Steps so far.
    step: u64,
    /// The size of the first loss.
    first: Option<f64>,
    /// The epochs that have ended.
    epochs: Vec<Epoch>,
}

/// What a training does next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Action {
    /// Another epoch, or what is left of one.
    Epoch,
    /// From here on a modelled scale differs from row to row.
    LetScaleVary,
    /// Nothing more.
    Stop(Reason),
}

/// Steps that no training reaches: as many as doubles count.
pub(crate) const MOST_STEPS: u64 = 1 << 53;

/// A loss so many times the first one is no way back down.
const EXPLODED: f64 = 1e6;

impl State {
    pub(crate) fn start() -> Self {
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
            common_steps: 0,
            step: 0,
            first: None,
            epochs: Vec::new(),
        }
    }

    /// Whether it is one that a training can have, as it is unless a file was damaged.
    pub(crate) fn is_sound(&self) -> bool {
        let counts = [Some(self.step), Some(self.best_epoch), self.scale_varies];
        let numbers = [self.sums[0], self.sums[1], self.norm, self.rate, self.factor];
        self.epochs.len() as u64 == self.epoch
            && self.best_epoch <= self.epoch
            && self.scale_varies.is_none_or(|since| since <= self.epoch)
            && self.batch <= self.step
            && self.common_steps <= self.step
            && counts.into_iter().flatten().all(|count| count <= MOST_STEPS)
            && numbers.iter().all(|number| !number.is_infinite())
            && self.sums[1] >= 0.0
    }

    /// The number of steps made.
    pub fn steps(&self) -> u64 {
        self.step
    }

    /// The epochs that have ended.
    pub fn epochs(&self) -> &[Epoch] {
        &self.epochs
    }

    /// The epoch at work, from 0.
    pub(crate) fn epoch(&self) -> u64 {
        self.epoch
    }

    /// Its batches so far.
    pub(crate) fn batch(&self) -> u64 {
        self.batch
    }

    /// Whether the epoch at work has no observation.
    pub(crate) fn is_empty(&self) -> bool {
        self.batch == 0 && self.sums[1] == 0.0
    }

    /// Whether an epoch has ended, so that there are best parameters.
    pub(crate) fn has_best(&self) -> bool {
        self.best.is_some()
    }

    /// Whether a modelled scale differs from row to row.
    pub(crate) fn scale_varies(&self) -> bool {
        self.scale_varies.is_some()
    }

    /// What comes next.
    pub(crate) fn next(&self, training: &Training) -> Action {
        if self.epoch >= training.epochs {
            return Action::Stop(Reason::Epochs);
        }
        let since = self.best_epoch.max(self.scale_varies.unwrap_or(0));
        let impatient = training.patience.is_some_and(|patience| self.epoch > since.saturating_add(patience));
        match self.scale_varies {
            None if self.epoch >= training.common_scale || impatient => Action::LetScaleVary,
            Some(_) if impatient => Action::Stop(Reason::Patience),
            _ => Action::Epoch,
        }
    }

    /// From the epoch at work on.
    pub(crate) fn let_scale_vary(&mut self) {
        (self.scale_varies, self.common_steps) = (Some(self.epoch), self.step);
    }

    /// The rate, and how many steps, epochs and epochs in all belong to the stage at work.
    fn stage(&self, training: &Training) -> (f64, u64, u64, u64) {
        let (first, all) = (training.common_scale.min(training.epochs), training.epochs);
        match (training.scale_rate, self.scale_varies) {
            (Some(_), None) if first > 0 => (training.rate, self.step, self.epoch, first),
            (Some(rate), Some(since)) if first > 0 => {
                (rate, self.step - self.common_steps, self.epoch - since, all.saturating_sub(since))
            }
            _ => (training.rate, self.step, self.epoch, all),
        }
    }

    /// The learning rate of the next step, of an epoch of so many batches where that is known.
    pub(crate) fn rate(&self, training: &Training, batches: Option<u64>) -> f64 {
        let (rate, step, epoch, epochs) = self.stage(training);
        let warm = match training.warm_up {
            0 => 1.0,
            steps => ((step + 1) as f64 / steps as f64).min(1.0),
        };
        let factor = match training.schedule {
            Schedule::Constant => 1.0,
            Schedule::Step { epochs, factor } => factor.powf((epoch / epochs.max(1)) as f64),
            Schedule::Plateau { .. } => self.factor,
            Schedule::Cosine => {
                let done = match batches {
                    Some(batches) => step as f64 / (batches as f64 * epochs as f64).max(1.0),
                    None => epoch as f64 / epochs.max(1) as f64,
                };
                0.5 * (1.0 + (std::f64::consts::PI * done).cos())
            }
        };
        rate * warm * factor
    }

    /// Counts a step with the mean loss of its observations; whether that is one to go on from.
    pub(crate) fn count_step(&mut self, loss: f64, observations: f64, rate: f64) -> bool {
        let first = *self.first.get_or_insert(loss.abs().max(1.0));
        // A comparison that NaN fails.
        if !(loss.abs() < EXPLODED * first) {
            return false;
        }
        self.sums = [self.sums[0] + loss * observations, self.sums[1] + observations];
        (self.rate, self.norm) = (rate, f64::NAN);
        (self.step, self.batch) = (self.step + 1, self.batch + 1);
        true
    }

    /// Notes the length of the last step's gradient.
    pub(crate) fn measure(&mut self, norm: impl FnOnce() -> f64) {
        if self.norm.is_nan() {
            // A number that JSON can hold.
            self.norm = norm().min(f64::MAX);
        }
    }

    /// Ends the epoch at work, with the mean loss of the validation rows where there are such; none where the loss that is
    /// watched is no number.
    pub(crate) fn end_epoch(&mut self, schedule: Schedule, validation: Option<f64>) -> Option<&Epoch> {
        let loss = self.sums[0] / self.sums[1];
        let watched = validation.unwrap_or(loss);
        if !watched.is_finite() {
            return None;
        }
        let best = self.best.is_none_or(|best| watched < best);
        if best {
            (self.best, self.best_epoch) = (Some(watched), self.epoch);
        } else if let Schedule::Plateau { epochs, factor } = schedule
            && (self.epoch - self.best_epoch).is_multiple_of(epochs.max(1))
        {
            self.factor *= factor;
        }
        self.epochs.push(Epoch {
            epoch: self.epoch,
            loss,
            validation,
            rate: self.rate,
            best,
            steps: self.step,
            gradient_norm: self.norm,
        });
        (self.epoch, self.batch, self.sums) = (self.epoch + 1, 0, [0.0; 2]);
        self.epochs.last()
    }

    /// What training came to, where it stopped for a reason.
    pub(crate) fn trained(self, reason: Reason, validates: bool) -> Trained {
        let converged = matches!(reason, Reason::Epochs | Reason::Patience);
        let termination = Termination { converged, reason, iterations: self.step, duality_gap: None };
        let (best_loss, best_epoch) = match self.epochs.last() {
            Some(last) if !validates => (Some(last.loss), last.epoch),
            _ => (self.best, self.best_epoch),
        };
        Trained { epochs: self.epochs, best_loss, best_epoch, termination }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn training() -> Training {
        Training {
            rate: 0.1,
            schedule: Schedule::Constant,
            warm_up: 0,
            epochs: 10,
            common_scale: 0,
            scale_rate: None,
            patience: None,
        }
    }

    /// What is done, epoch by epoch, where the epochs have these validation losses.
    fn actions(training: &Training, losses: &[f64]) -> Vec<Action> {
        let (mut state, mut done) = (State::start(), Vec::new());
        let mut losses = losses.iter();
        loop {
            let action = state.next(training);
            done.push(action);
            match action {
                Action::Stop(_) => return done,
                Action::LetScaleVary => state.let_scale_vary(),
                Action::Epoch => {
                    assert!(state.count_step(1.0, 1.0, 0.1));
                    state.end_epoch(training.schedule, Some(*losses.next().unwrap())).unwrap();
                }
            }
        }
    }

    #[test]
    fn a_training_runs_through_its_epochs() {
        let two = Training { epochs: 2, ..training() };
        let expected = [Action::LetScaleVary, Action::Epoch, Action::Epoch, Action::Stop(Reason::Epochs)];
        assert_eq!(actions(&two, &[1.0, 2.0]), expected);
        assert_eq!(actions(&Training { epochs: 0, ..two }, &[]), [Action::Stop(Reason::Epochs)]);
    }

    #[test]
    fn patience_waits_from_the_best_epoch() {
        let patient = Training { patience: Some(2), ..training() };
        let epochs = |losses: &[f64]| actions(&patient, losses).iter().filter(|a| **a == Action::Epoch).count();
        // The best is the first, and two more are waited for before a third would begin.
        assert_eq!(epochs(&[1.0, 2.0, 2.0]), 3);
        // An equal loss is no new best.
        assert_eq!(epochs(&[1.0, 1.0, 1.0]), 3);
        assert_eq!(epochs(&[3.0, 2.0, 1.0, 2.0, 2.0]), 5);
        assert_eq!(*actions(&patient, &[1.0, 2.0, 2.0]).last().unwrap(), Action::Stop(Reason::Patience));
    }

    #[test]
    fn a_common_scale_ends_by_its_epochs_or_by_patience() {
        let common = Training { common_scale: 4, patience: Some(1), ..training() };
        let place = |losses: &[f64]| actions(&common, losses).iter().position(|a| *a == Action::LetScaleVary).unwrap();
        assert_eq!(place(&[5.0, 4.0, 3.0, 2.0, 3.0, 3.0]), 4);
        // Patience ends it after two epochs, and then waits anew.
        let impatient = actions(&common, &[1.0, 2.0, 2.0, 2.0]);
        let expected = [Action::Epoch, Action::Epoch, Action::LetScaleVary, Action::Epoch, Action::Epoch];
        assert_eq!(impatient[..5], expected);
        assert_eq!(impatient[5..], [Action::Stop(Reason::Patience)]);
    }

    #[test]
    fn the_scale_has_a_course_of_its_own() {
        let cosine = Schedule::Cosine;
        let staged = Training { schedule: cosine, common_scale: 4, scale_rate: Some(0.02), warm_up: 2, ..training() };
        let mut state = State::start();
        let half = |rate: f64, done: f64| 0.5 * rate * (1.0 + (std::f64::consts::PI * done).cos());
        for epoch in 0..10u32 {
            if state.next(&staged) == Action::LetScaleVary {
                state.let_scale_vary();
            }
            let expected = match epoch {
                0..4 => half(0.1, f64::from(epoch) / 4.0),
                _ => half(0.02, f64::from(epoch - 4) / 6.0),
            };
            let warm = if matches!(epoch, 0 | 4) { 0.5 } else { 1.0 };
            assert!((state.rate(&staged, Some(1)) - warm * expected).abs() < 1e-15, "{epoch}");
            assert!(state.count_step(1.0, 1.0, 0.1));
            state.end_epoch(cosine, Some(1.0)).unwrap();
        }
        assert_eq!(state.next(&staged), Action::Stop(Reason::Epochs));
    }

    #[test]
    fn rates_warm_up_and_fall() {
        let mut state = State::start();
        let warm = Training { warm_up: 4, ..training() };
        assert_eq!(state.rate(&warm, None), 0.1 * 0.25);
        let halved = Training { schedule: Schedule::Step { epochs: 2, factor: 0.5 }, ..training() };
        let cosine = Training { schedule: Schedule::Cosine, ..training() };
        for epoch in 0..10 {
            assert_eq!(state.rate(&halved, None), 0.1 * 0.5f64.powi(epoch / 2));
            let expected = 0.05 * (1.0 + (std::f64::consts::PI * f64::from(epoch) / 10.0).cos());
            assert!((state.rate(&cosine, Some(1)) - expected).abs() < 1e-15);
            assert!(state.count_step(1.0, 1.0, 0.1));
            state.end_epoch(Schedule::Constant, None).unwrap();
        }
    }

    #[test]
    fn a_plateau_lowers_the_rate() {
        let training = Training { schedule: Schedule::Plateau { epochs: 2, factor: 0.1 }, ..training() };
        let mut state = State::start();
        let rates = [1.0, 2.0, 2.0, 2.0, 2.0, 0.5].map(|loss| {
            assert!(state.count_step(1.0, 1.0, 0.1));
            state.end_epoch(training.schedule, Some(loss)).unwrap();
            (state.rate(&training, None) / 0.1 * 1e6).round() / 1e6
        });
        assert_eq!(rates, [1.0, 1.0, 0.1, 0.1, 0.01, 0.01]);
    }

    #[test]
    fn a_loss_that_explodes_is_not_gone_on_from() {
        let mut state = State::start();
        assert!(state.count_step(2.0, 1.0, 0.1));
        assert!(state.count_step(1.9e6, 1.0, 0.1));
        assert!(!state.clone().count_step(2.1e6, 1.0, 0.1) && !state.clone().count_step(f64::NAN, 1.0, 0.1));
        assert_eq!(state.clone().end_epoch(Schedule::Constant, Some(f64::NAN)), None);
        assert_eq!(state.end_epoch(Schedule::Constant, None).unwrap().loss, 0.5 * (2.0 + 1.9e6));
    }
}
