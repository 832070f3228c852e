//! What a training is told to do, and what it came to: learning rates, epochs, patience.

use serde::{Deserialize, Serialize};

use crate::record::Termination;

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
    /// The learning rate to begin with once a modelled scale differs from row to row, with a schedule and a warm-up of its own over the
    /// epochs that are left; where not given the one course goes on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scale_rate: Option<f64>,
    /// Stops after so many epochs without a new best of the loss that is watched: that of the validation rows, or without
    /// such that of the training rows.
    pub patience: Option<u64>,
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
    /// Why training stopped.
    pub termination: Termination,
}
