//! How training is asked for.

use clap::{Args, ValueEnum};
use noisefit::core::network::{Activation, Schedule};
use noisefit::{Batch, Fitting, Optimizer, Refusal, Training};

use crate::arguments::{named, parse_positive};
use crate::files::{Output, TableOutput};

/// What predicts the location.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ModelChoice {
    /// Linear in the terms of the formula
    Linear,
    /// A network of fully connected layers that reads them
    Network,
}

/// How a linear model is fitted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum SolverChoice {
    /// Exactly: in closed form, or by iterations that end at the maximum
    Exact,
    /// By gradient steps, as a network is
    Train,
}

/// Networks and training.
#[derive(Debug, Args)]
#[command(next_help_heading = "Training (--model network, or --solver train)")]
pub(crate) struct TrainArguments {
    /// What predicts the location: a linear model or a network
    #[arg(long, value_enum, default_value_t = ModelChoice::Linear)]
    pub(crate) model: ModelChoice,
    /// How a linear model is fitted [default: exact]
    #[arg(long, value_enum)]
    solver: Option<SolverChoice>,
    /// Units of the hidden layers [default: 64,32]
    #[arg(long, value_name = "UNITS", value_delimiter = ',', value_parser = clap::value_parser!(u32).range(1..))]
    hidden: Vec<u32>,
    /// The function after each hidden layer: relu, tanh, gelu or silu [default: relu]
    #[arg(long, value_name = "FUNCTION")]
    activation: Option<Activation>,
    /// Learn so many numbers for each level of a category instead of one column a level, such as city:4
    #[arg(long, value_name = "COLUMN:SIZE", value_delimiter = ',', value_parser = parse_embedding)]
    embedding: Vec<(String, usize)>,
    /// How steps are made [default: adam]
    #[arg(long, value_name = "NAME", value_parser = named::<Optimizer>())]
    optimizer: Option<Optimizer>,
    /// The learning rate [default: 0.001; without hidden layers 0.01]
    #[arg(long, value_name = "RATE", value_parser = parse_rate)]
    lr: Option<f64>,
    /// What sgd keeps of the last step, such as 0.9
    #[arg(long, value_name = "SHARE", value_parser = parse_share_below_one)]
    momentum: Option<f64>,
    /// Look ahead along the momentum
    #[arg(long, requires = "momentum")]
    nesterov: bool,
    /// How the learning rate changes: constant, cosine, step:EPOCHS[:FACTOR], plateau[:EPOCHS[:FACTOR]] [default: constant;
    /// without hidden layers cosine]
    #[arg(long, value_name = "HOW", value_parser = parse_schedule)]
    schedule: Option<Schedule>,
    /// Steps in which the learning rate grows to what it is
    #[arg(long, value_name = "STEPS")]
    warm_up: Option<u64>,
    /// Rows of a batch, or all [default: 32]
    #[arg(long, value_name = "ROWS", value_parser = parse_batch)]
    batch: Option<Batch>,
    /// Passes over the rows at most; steps of lbfgs [default: 1000]
    #[arg(long, value_name = "NUMBER", value_parser = clap::value_parser!(u64).range(1..))]
    epochs: Option<u64>,
    /// Epochs at most in which a modelled scale is the same for all rows, so that the location is learned first; fewer where
    /// --patience ends them [default: half of them; without hidden layers 0]
    #[arg(long, value_name = "EPOCHS")]
    common_scale: Option<u64>,
    /// Show rows in a new random order in every epoch, as is the default
    #[arg(long, overrides_with = "no_shuffle")]
    shuffle: bool,
    /// Show rows as they stand
    #[arg(long)]
    no_shuffle: bool,
    /// Weight decay
    #[arg(long, value_name = "RATE", value_parser = parse_not_negative)]
    decay: Option<f64>,
    /// The share of hidden units left out of each step
    #[arg(long, value_name = "SHARE", value_parser = parse_share_below_one)]
    dropout: Option<f64>,
    /// Cut gradients to this length
    #[arg(long, value_name = "LENGTH", value_parser = parse_positive)]
    clip: Option<f64>,
    /// The share of the rows that is not learned from and says which epoch is the best; 0 for none [default: 0.1; without
    /// hidden layers 0]
    #[arg(long, value_name = "SHARE", value_parser = parse_validation)]
    validation: Option<f64>,
    /// Stop after so many epochs without a better one [default: 50, where there are validation rows]
    #[arg(long, value_name = "EPOCHS", value_parser = clap::value_parser!(u64).range(1..))]
    patience: Option<u64>,
    /// Networks that are trained side by side; their mixture is the prediction [default: 1]
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
        let training = self.training();
        match (self.model, self.solver) {
            (ModelChoice::Network, Some(SolverChoice::Exact)) => Err(Refusal::ExactNetwork),
            (ModelChoice::Network, _) => Ok(Fitting::Network(training)),
            (ModelChoice::Linear, Some(SolverChoice::Train)) => Ok(Fitting::Train(training)),
            _ => match training.given() {
                Some(setting) => Err(Refusal::OnlyTraining { setting }),
                None => Ok(Fitting::Exact),
            },
        }
    }

    fn training(&self) -> Training {
        Training {
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

fn parse_embedding(text: &str) -> Result<(String, usize), String> {
    let parts = text.rsplit_once(':').and_then(|(name, size)| Some((name, size.parse::<usize>().ok()?)));
    match parts {
        Some((name, size @ 1..=1024)) if !name.is_empty() => Ok((name.to_owned(), size)),
        _ => Err("a column and how many numbers stand for each of its levels, such as city:4".to_owned()),
    }
}

fn parse_batch(text: &str) -> Result<Batch, String> {
    match (text, text.parse()) {
        ("all", _) => Ok(Batch::All),
        (_, Ok(rows @ 1..)) => Ok(Batch::Rows(rows)),
        _ => Err("a batch is a number of rows, such as 32, or all".to_owned()),
    }
}

fn parse_rate(text: &str) -> Result<f64, String> {
    parse_positive(text).map_err(|_| "a positive number is needed, such as 0.001".to_owned())
}

fn parse_not_negative(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(number) if number >= 0.0 && f64::is_finite(number) => Ok(number),
        _ => Err("a number of 0 or more is needed, such as 0.0001".to_owned()),
    }
}

fn parse_share_below_one(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(share) if (0.0..1.0).contains(&share) => Ok(share),
        _ => Err("a share is 0 or more and less than 1, such as 0.1".to_owned()),
    }
}

fn parse_validation(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(share) if (0.0..=0.9).contains(&share) => Ok(share),
        _ => Err("a share of the rows is between 0 and 0.9, such as 0.1".to_owned()),
    }
}

fn parse_schedule(text: &str) -> Result<Schedule, String> {
    let parts: Vec<&str> = text.split(':').collect();
    let epochs = |text: &str| text.parse().ok().filter(|epochs: &u64| *epochs > 0);
    let factor = |text: &str| text.parse().ok().filter(|factor: &f64| *factor > 0.0 && *factor < 1.0);
    let found = match parts[..] {
        ["constant"] => Some(Schedule::Constant),
        ["cosine"] => Some(Schedule::Cosine),
        ["step", after] => epochs(after).map(|epochs| Schedule::Step { epochs, factor: 0.1 }),
        ["step", after, by] => epochs(after).zip(factor(by)).map(|(epochs, factor)| Schedule::Step { epochs, factor }),
        ["plateau"] => Some(Schedule::Plateau { epochs: 10, factor: 0.1 }),
        ["plateau", after] => epochs(after).map(|epochs| Schedule::Plateau { epochs, factor: 0.1 }),
        ["plateau", after, by] => {
            epochs(after).zip(factor(by)).map(|(epochs, factor)| Schedule::Plateau { epochs, factor })
        }
        _ => None,
    };
    found.ok_or_else(|| {
        "constant, cosine, step:EPOCHS[:FACTOR] or plateau[:EPOCHS[:FACTOR]], such as step:100:0.5".to_owned()
    })
}
