//! How training is asked for.

use std::path::PathBuf;

use noisefit_core::network::{Activation, Embedding, Schedule, Solver, UpdateRule};
use noisefit_core::rows::Layout;
use noisefit_core::training::Space;

use crate::refusal::Refusal;
use noisefit_core::wording::Setting;

/// How a network, or a linear model by gradient steps, is trained. What is not given is, of a network, as
/// [`Plan::suited`](noisefit_core::network::Plan::suited) has it for the rows at hand, unless the plan is to be plain or lbfgs is the
/// optimizer; then it is as the field names.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Training {
    /// Where what is not given comes from: it is suited to the data.
    pub plan: Preset,
    /// Units of the hidden layers of a network: 64 and 32.
    pub hidden: Vec<usize>,
    /// The function after each hidden layer: relu.
    pub activation: Option<Activation>,
    /// Columns of which so many numbers are learned for each level, instead of one column a level.
    pub embeddings: Vec<(String, usize)>,
    /// What a network reads of numbers: none but themselves.
    pub encoding: Option<Encoding>,
    /// How steps are made: adam.
    pub optimizer: Option<Optimizer>,
    /// The learning rate: 0.001, of a linear model 0.01.
    pub lr: Option<f64>,
    /// What sgd keeps of the last step: nothing.
    pub momentum: Option<f64>,
    /// Whether sgd looks ahead along the momentum.
    pub nesterov: bool,
    /// How the learning rate changes: not at all, of a linear model as a cosine.
    pub schedule: Option<Schedule>,
    /// Steps in which the learning rate grows to what it is: none.
    pub warm_up: Option<u64>,
    /// Rows of a batch: 32.
    pub batch: Option<Batch>,
    /// Passes over the rows at most, steps of lbfgs: 1000.
    pub epochs: Option<u64>,
    /// Epochs at most in which a modelled scale is the same for all rows: half of them, of a linear model none.
    pub common_scale: Option<u64>,
    /// The learning rate to begin with once the scale differs from row to row: that of the one course.
    pub scale_lr: Option<f64>,
    /// Whether rows are shown in a new random order in every epoch: they are.
    pub shuffle: Option<bool>,
    /// Weight decay: none.
    pub decay: Option<f64>,
    /// The share of hidden units left out of each step: none.
    pub dropout: Option<f64>,
    /// The length that gradients are cut to: none.
    pub clip: Option<f64>,
    /// The share of the rows that is not learned from and says which epoch is the best: 0.1, of a linear model none.
    pub validation: Option<f64>,
    /// From which rows the scale and the tails of the noise are found: the validation rows.
    pub calibrate: Option<Calibrate>,
    /// How many epochs without a better one end the training: 50, where there are validation rows.
    pub patience: Option<u64>,
    /// The number of networks whose mixture is the prediction: 1.
    pub ensemble: Option<usize>,
    /// Rows that mix before they are shown, where they are read anew in every epoch: 131072.
    pub shuffle_buffer: Option<usize>,
    /// A .csv, .tsv or .parquet file to write losses, rates and gradients to.
    pub trace: Option<PathBuf>,
    /// Whether the trace has a row for every step instead of every epoch.
    pub trace_steps: bool,
    /// A file that keeps all that it takes to go on.
    pub checkpoint: Option<PathBuf>,
    /// Steps between checkpoints: so many that writing them takes no time to speak of.
    pub every: Option<u64>,
    /// Whether to go on where the checkpoint stands.
    pub resume: bool,
    /// How many plans are tried, of which the best is taken: the one that is given.
    pub tune: Option<usize>,
}

/// Where the settings of a network come from that are not given.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Preset {
    /// `suited`: from the number of rows.
    #[default]
    Suited,
    /// `plain`: 64 and 32 units, Adam, one network, stopped by a tenth of the rows.
    Plain,
}

noisefit_core::named!(Preset {
    Suited = "suited": "Pieces, stages, an ensemble and its calibration, by the number of rows",
    Plain = "plain": "64 and 32 units, relu, Adam at 0.001, one network, stopped by a tenth of the rows",
});

/// What a network reads of a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    /// `piecewise`: beside the number itself how far it is through each of eight pieces of its range.
    Piecewise,
    /// `none`: the number itself.
    None,
}

noisefit_core::named!(Encoding {
    Piecewise = "piecewise": "How far each number is through the pieces of its range, too",
    None = "none": "The numbers themselves",
});

/// From which rows the scale, the tails and the quantiles of a network are found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Calibrate {
    /// `left-out`: those that each network of an ensemble, in turn, is not shown.
    LeftOut,
    /// `validation`: those that say which epoch is the best.
    Validation,
    /// `none`: those that were learned from.
    None,
}

noisefit_core::named!(Calibrate {
    LeftOut = "left-out": "On rows that each network, in turn, does without",
    Validation = "validation": "On the rows that say which epoch is the best",
    None = "none": "Not: scale and tails are those of the rows learned from",
});

/// How steps are made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Optimizer {
    /// `sgd`: stochastic gradient descent, with momentum where given.
    Sgd,
    /// `adam`.
    #[default]
    Adam,
    /// `adamw`: Adam whose weight decay stands apart from the gradient.
    AdamW,
    /// `lbfgs`: a quasi-Newton method over all rows at once.
    Lbfgs,
}

noisefit_core::named!(Optimizer {
    Sgd = "sgd": "Stochastic gradient descent, with momentum where asked for",
    Adam = "adam": "",
    AdamW = "adamw": "Adam whose weight decay stands apart from the gradient",
    Lbfgs = "lbfgs": "A quasi-Newton method over all rows at once",
});

/// Rows of a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Batch {
    /// All of them.
    All,
    /// So many.
    Rows(usize),
}

impl Training {
    /// The first setting that is given, in the order that messages name them.
    pub fn given(&self) -> Option<Setting> {
        let settings = [
            (Setting::Hidden, !self.hidden.is_empty()),
            (Setting::Activation, self.activation.is_some()),
            (Setting::Embedding, !self.embeddings.is_empty()),
            (Setting::Plan, self.plan != Preset::Suited),
            (Setting::Encoding, self.encoding.is_some()),
            (Setting::Optimizer, self.optimizer.is_some()),
            (Setting::LearningRate, self.lr.is_some()),
            (Setting::Momentum, self.momentum.is_some()),
            (Setting::Schedule, self.schedule.is_some()),
            (Setting::WarmUp, self.warm_up.is_some()),
            (Setting::Batch, self.batch.is_some()),
            (Setting::Epochs, self.epochs.is_some()),
            (Setting::CommonScale, self.common_scale.is_some()),
            (Setting::ScaleRate, self.scale_lr.is_some()),
            (Setting::Shuffle, self.shuffle == Some(true)),
            (Setting::NoShuffle, self.shuffle == Some(false)),
            (Setting::Decay, self.decay.is_some()),
            (Setting::Dropout, self.dropout.is_some()),
            (Setting::Clip, self.clip.is_some()),
            (Setting::Validation, self.validation.is_some()),
            (Setting::Calibrate, self.calibrate.is_some()),
            (Setting::Patience, self.patience.is_some()),
            (Setting::Ensemble, self.ensemble.is_some()),
            (Setting::ShuffleBuffer, self.shuffle_buffer.is_some()),
            (Setting::Trace, self.trace.is_some()),
            (Setting::Checkpoint, self.checkpoint.is_some()),
            (Setting::Tune, self.tune.is_some()),
        ];
        settings.into_iter().find(|(_, given)| *given).map(|(setting, _)| setting)
    }

    /// A setting that is given and does not go with lbfgs.
    fn of_steps(&self) -> Option<Setting> {
        let settings = [
            (Setting::LearningRate, self.lr.is_some()),
            (Setting::Schedule, self.schedule.is_some()),
            (Setting::WarmUp, self.warm_up.is_some()),
            (Setting::Batch, self.batch.is_some()),
            (Setting::Dropout, self.dropout.is_some()),
            (Setting::Clip, self.clip.is_some()),
            (Setting::CommonScale, self.common_scale.is_some()),
            (Setting::ScaleRate, self.scale_lr.is_some()),
            (Setting::Checkpoint, self.checkpoint.is_some()),
        ];
        settings.into_iter().find(|(_, given)| *given).map(|(setting, _)| setting)
    }

    /// How steps are made, as a plan has it where nothing is said; checked against what goes with that.
    pub(crate) fn solver(&self, usual: &Solver) -> Result<Solver, Refusal> {
        if self.momentum.is_some() && self.optimizer != Some(Optimizer::Sgd) {
            return Err(Refusal::OnlySgd);
        }
        let (usual_method, usual_batch) = match usual {
            Solver::Steps { method, batch, .. } => (*method, *batch),
            Solver::Lbfgs => (UpdateRule::Adam, None),
        };
        let method = match self.optimizer.unwrap_or_default() {
            _ if self.optimizer.is_none() => usual_method,
            Optimizer::Sgd => {
                UpdateRule::Sgd { momentum: self.momentum.unwrap_or(0.0) as f32, nesterov: self.nesterov }
            }
            Optimizer::Adam => UpdateRule::Adam,
            Optimizer::AdamW => UpdateRule::AdamW,
            Optimizer::Lbfgs => {
                return match self.of_steps() {
                    Some(setting) => Err(Refusal::NotWithLbfgs { setting }),
                    None => Ok(Solver::Lbfgs),
                };
            }
        };
        let batch = match self.batch {
            None => usual_batch,
            Some(Batch::All) => None,
            Some(Batch::Rows(rows)) => Some(rows),
        };
        Ok(Solver::Steps { method, batch, shuffle: self.shuffle != Some(false) })
    }

    /// What a search of so many plans tries: what was not given.
    pub(crate) fn space(&self, trials: usize) -> Space {
        Space { trials, hidden: self.hidden.is_empty(), rate: self.lr.is_none(), decay: self.decay.is_none() }
    }

    /// The columns of a design that are embedded.
    ///
    /// # Errors
    /// Where a name is none of a category of the design.
    pub(crate) fn embedded(&self, layout: &Layout) -> Result<Vec<Embedding>, Refusal> {
        let mut embeddings = Vec::new();
        for (name, width) in &self.embeddings {
            let is_level = |term: &String| {
                let rest = term.strip_prefix(name.as_str()).and_then(|rest| rest.strip_prefix('['));
                // Not the terms of poly(x, 2), which is no category.
                let is_category = !name.contains('(') || name.starts_with("C(");
                is_category && rest.is_some_and(|rest| rest.ends_with(']') && !rest.contains("]:"))
            };
            let start = layout.terms.iter().position(is_level).ok_or_else(|| {
                let mut categories: Vec<&str> =
                    layout.terms.iter().filter_map(|term| term.split_once('[')).map(|(name, _)| name).collect();
                categories.retain(|name| !name.contains(['(', ':']) || name.starts_with("C("));
                categories.dedup();
                let categories = categories.into_iter().map(str::to_owned).collect();
                Refusal::NoCategory { name: name.clone(), categories }
            })?;
            let levels = layout.terms[start..].iter().take_while(|term| is_level(term)).count();
            embeddings.push(Embedding { inputs: start..start + levels, width: *width });
        }
        embeddings.sort_by_key(|embedding| embedding.inputs.start);
        match embeddings.windows(2).any(|pair| pair[1].inputs.start < pair[0].inputs.end) {
            true => Err(Refusal::EmbeddedTwice),
            false => Ok(embeddings),
        }
    }
}
