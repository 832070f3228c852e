//! How a network is to be fitted, and who watches.

use std::ops::ControlFlow;
use std::sync::atomic::{AtomicBool, Ordering};

use serde::{Deserialize, Serialize};

use crate::Error;
use crate::network::{
    Activation, Embedding, Epoch, Learner, Objective, Schedule, Standardisation, Step, Training, UpdateRule,
};
use crate::rows::Part;

/// How a network is fitted.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Plan {
    /// The widths of the hidden layers; none for a linear model.
    pub hidden: Vec<usize>,
    /// The function after each.
    pub activation: Activation,
    /// Columns of the design that are embedded, in ascending order.
    pub embeddings: Vec<Embedding>,
    /// How many pieces the range of a number is cut into, of each of which the network reads how far the number is through it; 0 for
    /// the number alone. Of many numbers fewer.
    #[serde(default)]
    pub pieces: usize,
    /// Whether the logarithm of the scale is an output, too.
    pub models_scale: bool,
    /// How the loss is minimised.
    pub solver: Solver,
    /// Shrinks the parameters: with [`Solver::Steps`] by so much per unit of the learning rate, with [`Solver::Lbfgs`] by adding
    /// half of it times the sum of their squares to the mean loss.
    pub decay: f64,
    /// The share of hidden units that is left out of each step.
    pub dropout: f64,
    /// The length that gradients are cut to.
    pub clip: Option<f64>,
    /// Learning rates and epochs; of [`Solver::Lbfgs`] epochs are steps, and the rest does not apply.
    pub training: Training,
    /// The share of the rows, to a hundredth, that is not learned from: with it the best epoch is found, and the scale.
    pub validation: f64,
    /// Rows that some of the networks are not shown, on which all are calibrated.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub left_out: Option<LeftOut>,
    /// The number of networks.
    pub members: usize,
    /// What first parameters, orders of rows and shares of them are drawn from.
    pub seed: u64,
    /// Bytes of rows that may be kept in memory; more of them are read anew in every epoch.
    pub memory: u64,
    /// Rows that mix before they are shown, where they are read anew.
    pub buffer: usize,
}

/// Rows that some members of an ensemble are not shown: what these say of them together calibrates the ensemble.
///
/// The rows are in `parts` parts. Of the first of these, as many as there are members, each is unseen by `each` members, and each
/// member does not see `each` of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct LeftOut {
    /// The parts.
    pub parts: usize,
    /// By how many members one of the first is unseen.
    pub each: usize,
}

impl LeftOut {
    /// Of a number of networks, with at least so many parts: three of the networks do without a part; of a single one a tenth of the
    /// rows is left out.
    pub fn of_members(members: usize, parts: usize) -> Self {
        match members {
            0 | 1 => LeftOut { parts: 10, each: 1 },
            _ => LeftOut { parts: parts.max(2 * members), each: 3.min(members - 1) },
        }
    }

    /// The parts that a member is shown.
    pub(crate) fn shown(self, member: usize, members: usize) -> Part {
        Part::Besides { first: member, length: self.each.min(members), of: members }
    }

    /// The members that a part, one of the first, is unseen by.
    pub(crate) fn unseen_by(self, part: usize, members: usize) -> impl Iterator<Item = usize> {
        (0..members).filter(move |member| (part + members - member) % members < self.each)
    }
}

/// How a loss is minimised.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "solver", rename_all = "kebab-case")]
pub enum Solver {
    /// By a step for every batch.
    Steps {
        /// What a step does.
        method: UpdateRule,
        /// Rows of a batch; all where not given.
        batch: Option<usize>,
        /// Whether rows come in a new order in every epoch.
        shuffle: bool,
    },
    /// By the quasi-Newton method of limited memory, over all rows at once.
    Lbfgs,
}

impl Default for Plan {
    /// One network of 64 and 32 units, Adam at 0.001 with batches of 32 rows, at most 1000 epochs, stopped by a tenth of the
    /// rows.
    fn default() -> Self {
        Plan {
            hidden: vec![64, 32],
            activation: Activation::Relu,
            embeddings: Vec::new(),
            pieces: 0,
            models_scale: false,
            solver: Solver::Steps { method: UpdateRule::Adam, batch: Some(32), shuffle: true },
            decay: 0.0,
            dropout: 0.0,
            clip: None,
            training: Training {
                rate: 1e-3,
                schedule: Schedule::Constant,
                warm_up: 0,
                epochs: 1000,
                common_scale: 0,
                scale_rate: None,
                patience: Some(50),
            },
            validation: 0.1,
            left_out: None,
            members: 1,
            seed: 0,
            memory: 1 << 30,
            buffer: 1 << 17,
        }
    }
}

impl Plan {
    /// Refuses what no training can do.
    pub(crate) fn check(&self) -> Result<(), Error> {
        let refuse =
            |name: &'static str, value: f64, expected: &'static str| Err(Error::Argument { name, value, expected });
        if !(0.0..=0.9).contains(&self.validation) {
            return refuse("the share of validation rows", self.validation, "between 0 and 0.9");
        }
        if !(0.0..1.0).contains(&self.dropout) {
            return refuse("dropout", self.dropout, "0 or more, and less than 1");
        }
        if !(self.decay >= 0.0 && self.decay.is_finite()) {
            return refuse("weight decay", self.decay, "0 or more");
        }
        if let Some(clip) = self.clip.filter(|clip| !(*clip > 0.0)) {
            return refuse("the length that gradients are cut to", clip, "positive");
        }
        if let Solver::Steps { method: UpdateRule::Sgd { momentum, .. }, .. } = self.solver
            && !(0.0..1.0).contains(&momentum)
        {
            return refuse("momentum", f64::from(momentum), "0 or more, and less than 1");
        }
        if self.members == 0 {
            return refuse("the number of networks", 0.0, "1 or more");
        }
        if let Some(LeftOut { parts, each }) = self.left_out {
            if parts < self.members.max(2) || each == 0 {
                let expected = "as many as there are networks or more, of which one or more are not shown a part";
                return refuse("the number of parts that are left out in turn", parts as f64, expected);
            }
            if self.validation > 0.0 {
                return Err(Error::Unsupported(
                    "rows are left out of some networks in turn, or validate all of them, and not both".to_owned(),
                ));
            }
        }
        if self.training.epochs == 0 || self.training.epochs > 1 << 40 {
            return refuse("the number of epochs", self.training.epochs as f64, "between 1 and 2^40");
        }
        if matches!(self.solver, Solver::Lbfgs) && (self.dropout > 0.0 || self.clip.is_some()) {
            return Err(Error::Unsupported(
                "lbfgs minimises over all rows at once, without dropout and clipping; leave these out or use adam"
                    .to_owned(),
            ));
        }
        Ok(())
    }
}

/// What a training is about, told before its first step.
#[derive(Debug, Clone, Copy)]
pub struct About<'a> {
    /// Rows that are learned from.
    pub rows: u64,
    /// Rows that are not.
    pub validation_rows: u64,
    /// Steps of an epoch.
    pub steps: u64,
    /// What is minimised.
    pub objective: &'a Objective,
    /// The units of inputs and response.
    pub standardisation: &'a Standardisation,
    /// Whether rows are read anew in every epoch.
    pub streams: bool,
}

/// Who watches the trainings of an ensemble, several of them at once. Losses are in units of the response.
pub trait Watch: Sync {
    /// Before the first step.
    fn begins(&self, _about: &About<'_>) {}

    /// After every step of a member.
    fn step(&self, _member: usize, _step: &Step<'_>) {}

    /// After every epoch of a member, with the learner at its end.
    fn epoch(&self, _member: usize, _epoch: &Epoch, _learner: &Learner) {}

    /// Before a member goes on from a checkpoint: the epochs that were before.
    fn resumes(&self, _member: usize, _epochs: &[Epoch]) {}

    /// After the last step; some passes over the rows follow.
    fn ends(&self) {}

    /// Whether all are to stop; asked after every step.
    fn stops(&self) -> bool {
        false
    }

    /// Whether [`Watch::checkpoint`] is wanted at all: when a member ends, and when training stops.
    fn keeps_checkpoints(&self) -> bool {
        false
    }

    /// Whether it is wanted after so many steps of a member.
    fn wants_checkpoint(&self, _steps: u64) -> bool {
        false
    }

    /// Keeps all that it takes to go on from here, the bytes of a safetensors file.
    ///
    /// # Errors
    /// What keeping them reports.
    fn checkpoint(&self, _bytes: &[u8]) -> Result<(), Error> {
        Ok(())
    }
}

/// Nobody.
impl Watch for () {}

/// A member's observer of a watch.
pub(crate) struct Watched<'a, W, K> {
    pub(crate) watch: &'a W,
    pub(crate) member: usize,
    pub(crate) objective: &'a Objective,
    pub(crate) deviation: f64,
    /// Whether another member has failed, so that there is nothing to go on for.
    pub(crate) failed: &'a AtomicBool,
    /// Keeps a snapshot.
    pub(crate) keep: K,
}

impl<W: Watch, K> Watched<'_, W, K> {
    fn stops(&self) -> bool {
        self.watch.stops() || self.failed.load(Ordering::Relaxed)
    }
}

impl<W: Watch, K: FnMut(super::Snapshot) -> Result<(), Error> + Send> super::Observer for Watched<'_, W, K> {
    fn step(&mut self, step: &Step<'_>) -> ControlFlow<()> {
        let loss = self.objective.restored(step.loss, self.deviation);
        self.watch.step(self.member, &Step { loss, ..*step });
        if self.stops() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }

    fn epoch(&mut self, epoch: &Epoch, learner: &Learner) -> ControlFlow<()> {
        self.watch.epoch(self.member, &restored(epoch, self.objective, self.deviation), learner);
        if self.stops() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }

    fn is_interrupted(&self) -> bool {
        self.stops()
    }

    fn wants_snapshot(&self, steps: u64) -> bool {
        self.watch.wants_checkpoint(steps)
    }

    fn wants_last(&self) -> bool {
        self.watch.keeps_checkpoints()
    }

    fn snapshot(&mut self, snapshot: super::Snapshot) -> Result<(), Error> {
        (self.keep)(snapshot)
    }
}

/// An epoch whose losses are in units of the response.
pub(crate) fn restored(epoch: &Epoch, objective: &Objective, deviation: f64) -> Epoch {
    let restore = |loss: f64| objective.restored(loss, deviation);
    Epoch { loss: restore(epoch.loss), validation: epoch.validation.map(restore), ..*epoch }
}
