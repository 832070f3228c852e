//! How training is asked for.

use clap::Args;
use noisefit::core::network::{Activation, Schedule};
use noisefit::{Batch, Calibrate, Encoding, Fitting, Location, Optimizer, Preset, Refusal, Solver, Training, parse};

use crate::arguments::named;
use crate::files::{Output, TableOutput};

/// Networks and training.
#[derive(Debug, Args)]
#[command(next_help_heading = "Training (--model network, or --solver train)")]
pub(crate) struct TrainArguments {
    /// What predicts the location: a linear model or a network
    #[arg(long, value_parser = named::<Location>(), default_value_t = Location::Linear)]
    pub(crate) model: Location,
    /// How a linear model is fitted [default: exact]
    #[arg(long, value_parser = named::<Solver>())]
    solver: Option<Solver>,
    /// Where what is not said of a network comes from: suited (to the number of rows) or plain (64-32 units, Adam, one network, stopped
    /// by a tenth of the rows)
    #[arg(long, value_parser = named::<Preset>(), default_value_t = Preset::Suited)]
    plan: Preset,
    /// Units of the hidden layers [default: 64,64; plain 64,32]
    #[arg(long, value_name = "UNITS", value_delimiter = ',', value_parser = clap::value_parser!(u32).range(1..))]
    hidden: Vec<u32>,
    /// The function after each hidden layer: relu, tanh, gelu or silu [default: silu; plain relu]
    #[arg(long, value_name = "FUNCTION")]
    activation: Option<Activation>,
    /// Learn so many numbers for each level of a category instead of one column a level, such as city:4
    #[arg(long, value_name = "COLUMN:SIZE", value_delimiter = ',', value_parser = parse::embedding)]
    embedding: Vec<(String, usize)>,
    /// What a network reads of numbers: piecewise (how far each is through eight pieces of its range, too) or none [default:
    /// piecewise; plain none]
    #[arg(long, value_name = "HOW", value_parser = named::<Encoding>())]
    encoding: Option<Encoding>,
    /// How steps are made [default: adamw; plain, and without hidden layers, adam]
    #[arg(long, value_name = "NAME", value_parser = named::<Optimizer>())]
    optimizer: Option<Optimizer>,
    /// The learning rate [default: 0.003 with adamw, else 0.001; without hidden layers 0.01]
    #[arg(long, value_name = "RATE", value_parser = parse::rate)]
    lr: Option<f64>,
    /// What sgd keeps of the last step, such as 0.9
    #[arg(long, value_name = "SHARE", value_parser = parse::share_below_one)]
    momentum: Option<f64>,
    /// Look ahead along the momentum
    #[arg(long, requires = "momentum")]
    nesterov: bool,
    /// How the learning rate changes: constant, cosine, step:EPOCHS[:FACTOR], plateau[:EPOCHS[:FACTOR]] [default: cosine;
    /// plain constant]
    #[arg(long, value_name = "HOW", value_parser = parse::schedule)]
    schedule: Option<Schedule>,
    /// Steps in which the learning rate grows to what it is [default: 200; plain, and without hidden layers, 0]
    #[arg(long, value_name = "STEPS")]
    warm_up: Option<u64>,
    /// Rows of a batch, or all [default: 32, of many rows more]
    #[arg(long, value_name = "ROWS", value_parser = parse::batch)]
    batch: Option<Batch>,
    /// Passes over the rows at most; steps of lbfgs [default: as many as 7000 steps take, of a constant scale 5000, and 6 at least; plain, and
    /// without hidden layers, 1000]
    #[arg(long, value_name = "NUMBER", value_parser = clap::value_parser!(u64).range(1..))]
    epochs: Option<u64>,
    /// Epochs at most in which a modelled scale is the same for all rows, so that the location is learned first; fewer where
    /// --patience ends them [default: 5 of 7; plain half of them; without hidden layers 0]
    #[arg(long, value_name = "EPOCHS")]
    common_scale: Option<u64>,
    /// The learning rate to begin with once a modelled scale differs from row to row [default: a third of --lr; plain, and without hidden
    /// layers, the one schedule goes on]
    #[arg(long, value_name = "RATE", value_parser = parse::rate)]
    scale_lr: Option<f64>,
    /// Show rows in a new random order in every epoch, as is the default
    #[arg(long, overrides_with = "no_shuffle")]
    shuffle: bool,
    /// Show rows as they stand
    #[arg(long)]
    no_shuffle: bool,
    /// Weight decay [default: 0.1 with adamw; plain, and without hidden layers, 0]
    #[arg(long, value_name = "RATE", value_parser = parse::not_negative)]
    decay: Option<f64>,
    /// The share of hidden units left out of each step
    #[arg(long, value_name = "SHARE", value_parser = parse::share_below_one)]
    dropout: Option<f64>,
    /// Cut gradients to this length [default: 10; plain, and without hidden layers, not]
    #[arg(long, value_name = "LENGTH", value_parser = parse::positive)]
    clip: Option<f64>,
    /// The share of the rows that is not learned from and says which epoch is the best; 0 for none [default: 0.1 where --calibrate is
    /// validation; without hidden layers 0]
    #[arg(long, value_name = "SHARE", value_parser = parse::validation)]
    validation: Option<f64>,
    /// On which rows the scale, the tails and the quantiles of a network are calibrated: left-out (those that each network, in turn, does
    /// without), validation (those that say which epoch is the best) or none (those learned from) [default: left-out; plain, or with
    /// --validation or --patience, validation]
    #[arg(long, value_name = "HOW", value_parser = named::<Calibrate>())]
    calibrate: Option<Calibrate>,
    /// Stop after so many epochs without a better one [default: 50, where there are validation rows]
    #[arg(long, value_name = "EPOCHS", value_parser = clap::value_parser!(u64).range(1..))]
    patience: Option<u64>,
    /// Networks that are trained side by side; their mixture is the prediction [default: 5, of fewer than 200 rows 10; plain, and
    /// without hidden layers, 1]
    #[arg(long, value_name = "NUMBER", value_parser = clap::value_parser!(u32).range(1..))]
    ensemble: Option<u32>,
    /// Rows that mix before they are shown, where they do not fit in --memory and are read anew in every epoch [default: 131072]
    #[arg(long, value_name = "ROWS", value_parser = clap::value_parser!(u32).range(1..))]
    shuffle_buffer: Option<u32>,
    /// Write a .csv, .tsv or .parquet file of losses, learning rates and gradients by epoch, without hidden layers with every
    /// coefficient
    #[arg(long, value_name = "FILE")]
    pub(crate) trace: Option<TableOutput>,
    /// A row of the trace for every step instead of every epoch
    #[arg(long, requires = "trace")]
    pub(crate) trace_steps: bool,
    /// Keep in this file all that it takes to go on with --resume
    #[arg(long, value_name = "FILE")]
    pub(crate) checkpoint: Option<Output>,
    /// Steps of a network between checkpoints [default: so many that writing them takes no time to speak of, a second or more]
    #[arg(long, value_name = "STEPS", requires = "checkpoint", value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) every: Option<u64>,
    /// Go on where the checkpoint stands; from the beginning where there is none
    #[arg(long, requires = "checkpoint")]
    pub(crate) resume: bool,
    /// Try so many plans, with other layers, learning rates and weight decays where these are not given, and train by the one
    /// whose cross-validated log score is the best
    #[arg(long, value_name = "NUMBER", value_parser = clap::value_parser!(u32).range(2..))]
    pub(crate) tune: Option<u32>,
}

impl TrainArguments {
    /// What predicts the location, and how it is fitted.
    ///
    /// # Errors
    /// Where nothing is trained and there are options for it.
    pub(crate) fn fitting(&self) -> Result<Fitting, Refusal> {
        Fitting::of(self.model, self.solver, self.training())
    }

    fn training(&self) -> Training {
        Training {
            plan: self.plan,
            encoding: self.encoding,
            scale_lr: self.scale_lr,
            calibrate: self.calibrate,
            hidden: self.hidden.iter().map(|&units| units as usize).collect(),
            activation: self.activation,
            embeddings: self.embedding.clone(),
            optimizer: self.optimizer,
            lr: self.lr,
            momentum: self.momentum,
            nesterov: self.nesterov,
            schedule: self.schedule,
            warm_up: self.warm_up,
            batch: self.batch,
            epochs: self.epochs,
            common_scale: self.common_scale,
            shuffle: match (self.shuffle, self.no_shuffle) {
                (_, true) => Some(false),
                (true, false) => Some(true),
                (false, false) => None,
            },
            decay: self.decay,
            dropout: self.dropout,
            clip: self.clip,
            validation: self.validation,
            patience: self.patience,
            ensemble: self.ensemble.map(|members| members as usize),
            shuffle_buffer: self.shuffle_buffer.map(|rows| rows as usize),
            trace: self.trace.as_ref().map(|TableOutput(path)| path.clone()),
            trace_steps: self.trace_steps,
            checkpoint: self.checkpoint.as_ref().map(|Output(path)| path.clone()),
            every: self.every,
            resume: self.resume,
            tune: self.tune.map(|plans| plans as usize),
        }
    }
}
