//! How training is asked for.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use noisefit_core::network::{Activation, Embedding, Method, Plan, Schedule, Solver, Space, Training};
use noisefit_core::rows::Layout;

use crate::arguments::parse_positive;
use crate::outcome::Usage;

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

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum OptimizerChoice {
    /// Stochastic gradient descent; --momentum and --nesterov go with it
    Sgd,
    Adam,
    /// Adam whose weight decay stands apart from the gradient
    Adamw,
    /// A quasi-Newton method over all rows at once
    Lbfgs,
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
    #[arg(long, value_enum, value_name = "NAME")]
    optimizer: Option<OptimizerChoice>,
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
    pub(crate) trace: Option<PathBuf>,
    /// A row of the trace for every step instead of every epoch
    #[arg(long, requires = "trace")]
    pub(crate) trace_steps: bool,
    /// Keep in this file all that it takes to go on with --resume
    #[arg(long, value_name = "FILE")]
    pub(crate) checkpoint: Option<PathBuf>,
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

/// Rows of a batch.
#[derive(Debug, Clone, Copy)]
enum Batch {
    All,
    Rows(usize),
}

impl TrainArguments {
    /// Whether anything is to be trained.
    ///
    /// # Errors
    /// Where it is not and there are options for it.
    pub(crate) fn trains(&self) -> Result<bool, Usage> {
        match (self.model, self.solver) {
            (ModelChoice::Network, Some(SolverChoice::Exact)) => {
                return Err(Usage("--solver exact: a network has no exact fit; leave it out".to_owned()));
            }
            (ModelChoice::Network, _) | (_, Some(SolverChoice::Train)) => return Ok(true),
            _ => {}
        }
        match self.given() {
            Some(option) => Err(Usage(format!(
                "{option} is about training: say --model network, or --solver train for a linear model by gradient steps"
            ))),
            None => Ok(false),
        }
    }

    /// An option that was given and goes with training alone.
    fn given(&self) -> Option<&'static str> {
        let options = [
            ("--hidden", !self.hidden.is_empty()),
            ("--activation", self.activation.is_some()),
            ("--embedding", !self.embedding.is_empty()),
            ("--optimizer", self.optimizer.is_some()),
            ("--lr", self.lr.is_some()),
            ("--momentum", self.momentum.is_some()),
            ("--schedule", self.schedule.is_some()),
            ("--warm-up", self.warm_up.is_some()),
            ("--batch", self.batch.is_some()),
            ("--epochs", self.epochs.is_some()),
            ("--common-scale", self.common_scale.is_some()),
            ("--shuffle", self.shuffle),
            ("--no-shuffle", self.no_shuffle),
            ("--decay", self.decay.is_some()),
            ("--dropout", self.dropout.is_some()),
            ("--clip", self.clip.is_some()),
            ("--validation", self.validation.is_some()),
            ("--patience", self.patience.is_some()),
            ("--ensemble", self.ensemble.is_some()),
            ("--shuffle-buffer", self.shuffle_buffer.is_some()),
            ("--trace", self.trace.is_some()),
            ("--checkpoint", self.checkpoint.is_some()),
            ("--tune", self.tune.is_some()),
        ];
        options.into_iter().find(|(_, given)| *given).map(|(option, _)| option)
    }

    /// The plan, but for its embeddings.
    pub(crate) fn plan(&self, models_scale: bool, seed: u64, memory: u64) -> Result<Plan, Usage> {
        let refuse = |what: &str| Err(Usage(what.to_owned()));
        let is_network = self.model == ModelChoice::Network;
        if !is_network && (!self.hidden.is_empty() || self.activation.is_some() || !self.embedding.is_empty()) {
            return refuse("--hidden, --activation and --embedding are of networks: say --model network");
        }
        if !is_network && self.dropout.is_some() {
            return refuse("--dropout leaves out hidden units, and a linear model has none: say --model network");
        }
        let optimizer = self.optimizer.unwrap_or(OptimizerChoice::Adam);
        if self.momentum.is_some() && optimizer != OptimizerChoice::Sgd {
            return refuse("--momentum goes with --optimizer sgd; adam and adamw have their own, lbfgs has none");
        }
        let momentum = self.momentum.unwrap_or(0.0) as f32;
        let method = match optimizer {
            OptimizerChoice::Sgd => Some(Method::Sgd { momentum, nesterov: self.nesterov }),
            OptimizerChoice::Adam => Some(Method::Adam),
            OptimizerChoice::Adamw => Some(Method::AdamW),
            OptimizerChoice::Lbfgs => None,
        };
        let solver = match method {
            Some(method) => Solver::Steps {
                method,
                batch: match self.batch.unwrap_or(Batch::Rows(32)) {
                    Batch::All => None,
                    Batch::Rows(rows) => Some(rows),
                },
                shuffle: !self.no_shuffle,
            },
            None => {
                let steps = [
                    ("--lr", self.lr.is_some()),
                    ("--schedule", self.schedule.is_some()),
                    ("--warm-up", self.warm_up.is_some()),
                    ("--batch", self.batch.is_some()),
                    ("--dropout", self.dropout.is_some()),
                    ("--clip", self.clip.is_some()),
                    ("--common-scale", self.common_scale.is_some()),
                    ("--checkpoint", self.checkpoint.is_some()),
                ];
                if let Some((option, _)) = steps.iter().find(|(_, given)| *given) {
                    return Err(Usage(format!(
                        "{option} does not go with --optimizer lbfgs, which finds its own steps over all rows at once"
                    )));
                }
                Solver::Lbfgs
            }
        };
        let defaults = Plan::default();
        if self.common_scale.is_some() && !models_scale {
            return refuse("--common-scale is about a modelled scale: say --scale network");
        }
        let validation = self.validation.unwrap_or(if is_network { defaults.validation } else { 0.0 });
        Ok(Plan {
            hidden: match (is_network, self.hidden.is_empty()) {
                (false, _) => Vec::new(),
                (true, true) => defaults.hidden,
                (true, false) => self.hidden.iter().map(|&units| units as usize).collect(),
            },
            activation: self.activation.unwrap_or(defaults.activation),
            embeddings: Vec::new(),
            models_scale,
            solver,
            decay: self.decay.unwrap_or(0.0),
            dropout: self.dropout.unwrap_or(0.0),
            clip: self.clip,
            training: Training {
                rate: self.lr.unwrap_or(if is_network { defaults.training.rate } else { 0.01 }),
                schedule: self.schedule.unwrap_or(if is_network { Schedule::Constant } else { Schedule::Cosine }),
                warm_up: self.warm_up.unwrap_or(0),
                epochs: self.epochs.unwrap_or(defaults.training.epochs),
                common_scale: match (self.common_scale, models_scale && is_network) {
                    (Some(epochs), _) => epochs,
                    (None, true) => self.epochs.unwrap_or(defaults.training.epochs) / 2,
                    (None, false) => 0,
                },
                patience: match validation > 0.0 {
                    true => self.patience.or(defaults.training.patience),
                    false => self.patience,
                },
            },
            validation,
            members: self.ensemble.unwrap_or(1) as usize,
            seed,
            memory,
            buffer: self.shuffle_buffer.map_or(defaults.buffer, |rows| rows as usize),
        })
    }

    /// What a search of so many plans tries: what was not given.
    pub(crate) fn space(&self, trials: u32) -> Space {
        Space {
            trials: trials as usize,
            hidden: self.hidden.is_empty(),
            rate: self.lr.is_none(),
            decay: self.decay.is_none(),
        }
    }

    /// The columns of a design that are embedded.
    ///
    /// # Errors
    /// Where a name is none of a category of the design.
    pub(crate) fn embeddings(&self, layout: &Layout) -> Result<Vec<Embedding>, Usage> {
        let mut embeddings = Vec::new();
        for (name, width) in &self.embedding {
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
                Usage(match categories.is_empty() {
                    true => format!("--embedding {name}: the formula has no category"),
                    false => {
                        format!("--embedding {name}: no such category; the formula has {}", categories.join(", "))
                    }
                })
            })?;
            let levels = layout.terms[start..].iter().take_while(|term| is_level(term)).count();
            embeddings.push(Embedding { inputs: start..start + levels, width: *width });
        }
        embeddings.sort_by_key(|embedding| embedding.inputs.start);
        if embeddings.windows(2).any(|pair| pair[1].inputs.start < pair[0].inputs.end) {
            return Err(Usage("--embedding: a column is named twice".to_owned()));
        }
        Ok(embeddings)
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
