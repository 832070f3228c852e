//! From rows to a fitted network: standardise, train every member, estimate the noise, score.

use std::sync::{Mutex, PoisonError};

use super::checkpoint::{Checkpoint, Progress};
use super::model::estimated;
use super::plan::{Watched, restored};
use super::stream::StreamFeed;
use super::{
    About, Architecture, Epoch, Feed, Learner, Member, MemoryFeed, Method, Network, Objective, Plan, Solver,
    Standardisation, Trained, TrainingRows, Watch, minimise,
};
use crate::Error;
use crate::evaluate::{Evaluation, Scores};
use crate::noise::{Choice, Huber, Noise, NoiseFamily};
use crate::predict::NewRows;
use crate::rows::{AnyRows, Each, Folds, Layout, Part, RowSource, Sample, SampledRows, parallel_map, scattered};

/// A network that was fitted, and how well.
#[derive(Debug, Clone, PartialEq)]
pub struct Fitted {
    /// What predicts.
    pub network: Network,
    /// The scores of the rows that were learned from, for each curve.
    pub training: Vec<Scores>,
    /// Those of the validation rows.
    pub validation: Option<Vec<Scores>>,
    /// The epochs of every member, with losses in units of the response.
    pub epochs: Vec<Vec<Epoch>>,
    /// What is to be said.
    pub warnings: Vec<String>,
}

/// Rows that estimate the noise at most; of more a random sample.
const NOISE_ROWS: usize = 200_000;

/// Validation rows with which they estimate the noise rather than those that were learned from.
const ENOUGH: u64 = 20;

/// The level of the intervals that are counted.
const LEVEL: f64 = 0.9;

/// Fits a network, an ensemble of such, or without hidden layers a linear model, by gradient steps under the noise that is
/// named.
///
/// Inputs and response are standardised by the rows that are learned from. The loss is that of the noise (see
/// [`Objective::of`]); the parameters are those of the epoch whose loss over the validation rows is the least, without such
/// rows those of the last. The scale of the noise is then estimated by maximum likelihood, from the validation rows where there
/// are twenty or more, for residuals of rows that were learned from are too small; a modelled scale is multiplied by what the
/// validation rows say.
///
/// Everything that is drawn at random is drawn from `plan.seed`, and the result does not depend on the number of threads.
///
/// ```
/// use noisefit::network::{self, Plan};
/// use noisefit::noise::Choice;
/// use noisefit::predict::NewRows;
/// use noisefit::rows::{Matrix, MemoryRows};
///
/// let x: Vec<f64> = (0..200).map(|i| f64::from(i) / 100.0 - 1.0).collect();
/// let y: Vec<f64> = x.iter().map(|x| (3.0 * x).sin()).collect();
/// let rows = MemoryRows::new(&y, Matrix::row_major(&x, 200, 1)?)?;
/// let mut plan = Plan { hidden: vec![16], ..Plan::default() };
/// plan.training.rate = 0.01;
/// plan.training.epochs = 200;
/// let fitted = network::fit(&rows, &Choice::Gaussian, &plan, None, &())?;
/// let design = [(&[0.5][..]).into()];
/// let predicted = fitted.network.predict(&NewRows::new(&design, 1)).location(0)[0];
/// assert!((predicted - 1.5f64.sin()).abs() < 0.1, "{predicted}");
/// # Ok::<(), noisefit::Error>(())
/// ```
///
/// # Errors
/// [`Error::Argument`] and [`Error::Unsupported`] for a plan that cannot be; [`Error::NoRows`]; [`Error::Diverged`];
/// [`Error::State`] for a checkpoint of another training; what the source and the watch report.
pub fn fit(
    source: &impl RowSource,
    noise: &Choice,
    plan: &Plan,
    resumed: Option<Checkpoint>,
    watch: &impl Watch,
) -> Result<Fitted, Error> {
    fit_any(&AnyRows::new(source), noise, plan, resumed, watch)
}

fn fit_any(
    source: &AnyRows<'_>,
    noise: &Choice,
    plan: &Plan,
    resumed: Option<Checkpoint>,
    watch: &impl Watch,
) -> Result<Fitted, Error> {
    plan.check()?;
    // Another partition than that of other users of the seed.
    let (parts, folds) = Folds::of_share(plan.validation, scattered(plan.seed, 1));
    let validates = plan.validation > 0.0;
    let (learning, held_out) = match validates {
        true => (folds.select(source, Part::From(parts)), Some(folds.select(source, Part::Before(parts)))),
        false => (Folds { count: 1, seed: 0 }.select(source, Part::From(0)), None),
    };
    let learning = &AnyRows::new(&learning);
    let held_out = held_out.as_ref().map(AnyRows::new);
    if source.layout().terms.is_empty() {
        return Err(Error::Unsupported("there is no term to learn from; a mean alone needs no training".to_owned()));
    }
    let (standardisation, rows, farthest) = Standardisation::of(learning, &plan.embeddings)?;
    let far = far_columns(source.layout(), &farthest);
    let deviation = standardisation.response.deviation;
    let objective = Objective::of(noise, plan.models_scale, deviation)?;
    let architecture = Architecture {
        inputs: standardisation.inputs.len(),
        embeddings: plan.embeddings.clone(),
        hidden: plan.hidden.clone(),
        activation: plan.activation,
        outputs: objective.outputs(),
    };
    let validation = held_out.as_ref().map(|rows| standardisation.gather(rows)).transpose()?;
    if validation.as_ref().is_some_and(TrainingRows::is_empty) {
        return Err(Error::Unsupported(format!(
            "of {rows} rows none is left for validation; give a larger share, or 0 and a number of epochs"
        )));
    }
    let size = rows * (4 * (architecture.inputs as u64 + 3));
    let streams = size > plan.memory;
    let data = if streams { None } else { Some(standardisation.gather(learning)?) };
    let batch = match plan.solver {
        Solver::Steps { batch: Some(batch), .. } => (batch as u64).clamp(1, rows),
        _ => rows,
    };
    if streams && batch == rows {
        return Err(Error::Unsupported(format!(
            "batches of all rows need them in memory, and {rows} of them take {:.1} GiB where {:.1} may be used; allow more, or \
             learn by batches",
            size as f64 / f64::from(1 << 30),
            plan.memory as f64 / f64::from(1 << 30)
        )));
    }
    watch.begins(&About {
        rows,
        validation_rows: validation.as_ref().map_or(0, |rows| rows.len() as u64),
        steps: rows.div_ceil(batch),
        objective: &objective,
        standardisation: &standardisation,
        streams,
    });
    let about = about(noise, plan, rows, &standardisation)?;
    if let Some(checkpoint) = &resumed {
        checkpoint.check(&about, plan.members)?;
    }
    let batch = batch as usize;
    let ensemble = Ensemble {
        architecture: &architecture,
        objective: &objective,
        plan,
        deviation,
        far: far.first().cloned(),
        validation: validation.as_ref(),
        batch,
        checkpoint: Mutex::new(resumed.unwrap_or_else(|| Checkpoint::new(about, plan.members))),
        watch,
    };
    let members: Vec<usize> = (0..plan.members).collect();
    let trained: Vec<_> = match &data {
        Some(data) => {
            let feed = |order| MemoryFeed::new(data, batch, order);
            parallel_map(&members, source.threads(), |&member| ensemble.train(member, Some(data), feed))
        }
        // Those that read a file take turns.
        None => {
            let feed = |order| StreamFeed::new(learning, &standardisation, rows, batch, order, plan.buffer);
            members.iter().map(|&member| ensemble.train(member, None, feed)).collect()
        }
    };
    watch.ends();
    let trained = trained.into_iter().collect::<Result<Vec<_>, _>>()?;
    let count = architecture.parameters();
    let members = trained.iter().map(|(trained, parameters)| member(&objective, deviation, trained, parameters, count));
    let mut network = Network { members: members.collect(), architecture, objective, standardisation };
    // Of few validation rows a scale would be a guess.
    let unseen = held_out.as_ref().filter(|_| validation.as_ref().is_some_and(|rows| rows.len() as u64 >= ENOUGH));
    if unseen.is_some() || !network.models_scale() {
        let calibrating = unseen.unwrap_or(learning);
        let sample = calibrating.pass(Sample::new(calibrating.layout(), NOISE_ROWS, calibrating.rows_hint()))?;
        let sample = sample.finish(calibrating.layout());
        estimate_scales(&mut network, &sample)?;
        if unseen.is_some() && network.members.len() > 1 && network.curves() == 1 {
            widen_together(&mut network, &sample);
        }
    }
    let score = |rows: &AnyRows<'_>| {
        let found = rows.pass(Each(Evaluation::of_network(&network, LEVEL)?))?;
        found.0.iter().map(Evaluation::finish).collect::<Result<Vec<_>, _>>()
    };
    let interrupted = network.members.iter().any(|member| member.termination.reason == "interrupted");
    let (training, validation) = (score(learning)?, held_out.as_ref().map(score).transpose()?);
    let epochs: Vec<Vec<Epoch>> = trained
        .iter()
        .map(|(trained, _)| trained.epochs.iter().map(|epoch| restored(epoch, &network.objective, deviation)).collect())
        .collect();
    let mut warnings = warnings(&network, interrupted);
    warnings.extend(far.iter().filter(|(name, _)| *name != source.layout().response).take(3).map(|(name, distance)| {
        format!(
            "{name} has a value {distance:.0} standard deviations from its mean, beside which the others are nearly the same; \
             transform it, such as by log(), or leave such rows out"
        )
    }));
    Ok(Fitted { network, training, validation, epochs, warnings })
}

/// What a checkpoint is of.
fn about(noise: &Choice, plan: &Plan, rows: u64, by: &Standardisation) -> Result<serde_json::Value, Error> {
    let text = |plan: &Plan| serde_json::to_value(plan).map_err(|error| Error::State(error.to_string()));
    Ok(serde_json::json!({
        "noise": noise.to_string(),
        "plan": text(plan)?,
        "rows": rows,
        "standardisation": serde_json::to_value(by).map_err(|error| Error::State(error.to_string()))?,
    }))
}

/// The trainings of all members.
struct Ensemble<'a, W> {
    architecture: &'a Architecture,
    objective: &'a Objective,
    plan: &'a Plan,
    deviation: f64,
    /// The column with the value that is the farthest from its mean, where that is far.
    far: Option<(String, f64)>,
    validation: Option<&'a TrainingRows>,
    batch: usize,
    checkpoint: Mutex<Checkpoint>,
    watch: &'a W,
}

impl<W: Watch> Ensemble<'_, W> {
    /// Trains a member by the batches of a feed, which is made from the seed of its order; gives its parameters.
    fn train<F: Feed>(
        &self,
        member: usize,
        data: Option<&TrainingRows>,
        feed: impl FnOnce(Option<u64>) -> F,
    ) -> Result<(Trained, Vec<f32>), Error> {
        let resumed = self.progress(|members| std::mem::take(&mut members[member]));
        let resumed = match resumed {
            Progress::Done(trained, parameters) => {
                self.progress(|members| members[member] = Progress::Done(trained.clone(), parameters.clone()));
                return Ok((trained, parameters));
            }
            Progress::Running(snapshot) => {
                self.progress(|members| members[member] = Progress::Running(snapshot.clone()));
                Some(snapshot)
            }
            Progress::Waiting => None,
        };
        let seed = scattered(self.plan.seed, 2 + member as u64);
        let mut learner = self.learner(seed)?;
        let mut observer = Watched {
            watch: self.watch,
            member,
            objective: self.objective,
            deviation: self.deviation,
            keep: |snapshot| self.keep(member, Progress::Running(snapshot)),
        };
        let training = &self.plan.training;
        let trained = match (&self.plan.solver, data) {
            (Solver::Lbfgs, Some(data)) => {
                minimise(&mut learner, data, self.plan.decay, training.epochs, self.validation, &mut observer)?
            }
            (Solver::Lbfgs, None) => {
                let what = "lbfgs goes over all rows for every step and needs them in memory; allow more, or use adam";
                return Err(Error::Unsupported(what.to_owned()));
            }
            (Solver::Steps { shuffle, .. }, _) => {
                let order = shuffle.then(|| scattered(seed, 1));
                training.run(&mut learner, &mut feed(order), self.validation, resumed, &mut observer)?
            }
        };
        if trained.termination.reason == "diverged" {
            return Err(Error::Diverged(self.why_diverged(&trained)));
        }
        let parameters = learner.parameters().to_vec();
        if trained.termination.reason != "interrupted" {
            self.keep(member, Progress::Done(trained.clone(), parameters.clone()))?;
        }
        Ok((trained, parameters))
    }

    fn learner(&self, seed: u64) -> Result<Learner, Error> {
        // All rows at once are gone through in pieces that stay in the cache.
        let (method, capacity) = match self.plan.solver {
            Solver::Steps { method, .. } => (method, self.batch),
            Solver::Lbfgs => (Method::Sgd { momentum: 0.0, nesterov: false }, PIECE),
        };
        let learner = Learner::new(self.architecture.clone(), self.objective.clone(), method, capacity, seed)?;
        let learner = learner.with_decay(self.plan.decay).with_dropout(self.plan.dropout);
        Ok(if let Some(clip) = self.plan.clip { learner.with_clip(clip) } else { learner })
    }

    fn progress<T>(&self, change: impl FnOnce(&mut [Progress]) -> T) -> T {
        change(&mut self.checkpoint.lock().unwrap_or_else(PoisonError::into_inner).members)
    }

    /// Keeps where a member stands, with where the others were last.
    fn keep(&self, member: usize, progress: Progress) -> Result<(), Error> {
        let mut checkpoint = self.checkpoint.lock().unwrap_or_else(PoisonError::into_inner);
        checkpoint.members[member] = progress;
        // The lock is held until it is written: what is written later is later.
        if self.watch.keeps_checkpoints() { self.watch.checkpoint(&checkpoint.to_bytes()?) } else { Ok(()) }
    }

    /// When the loss exploded, why probably, and what to change.
    fn why_diverged(&self, trained: &Trained) -> String {
        let Plan { training, clip, .. } = self.plan;
        let epoch = trained.epochs.len() + 1;
        let (cause, advice) = match &self.far {
            Some((name, distance)) => (
                format!("{name} has a value {distance:.0} standard deviations from its mean"),
                "transform it, such as by log(), or leave such rows out".to_owned(),
            ),
            None => {
                let smaller = format!("give a smaller one, such as {}", training.rate / 10.0);
                let clipping = if clip.is_none() { ", or cut long gradients, such as to 1" } else { "" };
                (format!("the learning rate {} is too large", training.rate), smaller + clipping)
            }
        };
        format!(
            "the loss grew without bound in epoch {epoch}, at step {}: probably {cause}; {advice}",
            trained.termination.iterations + 1
        )
    }
}

/// Rows that full batches are gone through by.
const PIECE: usize = 1024;

/// A value so many deviations from the mean squeezes the others together.
const FAR: f64 = 12.0;

/// The columns that have a value far from their mean, the farthest first.
fn far_columns(layout: &Layout, farthest: &[f64]) -> Vec<(String, f64)> {
    let names = layout.terms.iter().chain([&layout.response]);
    let mut far: Vec<(String, f64)> =
        names.zip(farthest).filter(|(_, far)| **far > FAR).map(|(name, far)| (name.clone(), *far)).collect();
    far.sort_by(|a, b| b.1.total_cmp(&a.1));
    far
}

/// A trained network, with its scale as it was trained; where that follows from the location, still 1.
fn member(objective: &Objective, deviation: f64, trained: &Trained, parameters: &[f32], network: usize) -> Member {
    let noise: Vec<Noise> =
        objective.noise(deviation).into_iter().map(|noise| estimated(noise, &parameters[network..])).collect();
    let best = trained.epochs.iter().find(|epoch| epoch.epoch == trained.best_epoch);
    let restore = |loss: f64| objective.restored(loss, deviation);
    Member {
        scale: vec![1.0; noise.len()],
        noise,
        epochs: trained.epochs.len() as u64,
        best_epoch: trained.best_epoch,
        loss: best.map(|epoch| restore(epoch.loss)),
        validation: best.and_then(|epoch| epoch.validation).map(restore),
        termination: trained.termination.clone(),
        parameters: parameters.to_vec(),
    }
}

/// Estimates every member's scales, or what its modelled scale is multiplied by, by maximum likelihood over some rows.
fn estimate_scales(network: &mut Network, rows: &SampledRows) -> Result<(), Error> {
    let scales = rows.show(|block| {
        let mut inputs = Vec::new();
        network.standardisation.extend_inputs(block.design, block.rows(), &mut inputs);
        let of_member = |member: &Member| {
            let said = network.said(member, &inputs, block.rows(), block.weights);
            let of_curve = |(curve, noise): (usize, &Noise)| {
                let residual = |i: usize| (block.response.high[i] - said.locations[curve][i]) / said.scales[curve][i];
                let residuals: Vec<f64> = (0..block.rows()).map(residual).collect();
                maximum_likelihood_scale(noise, &residuals, block.frequencies)
            };
            member.noise.iter().enumerate().map(of_curve).collect::<Result<Vec<_>, Error>>()
        };
        network.members.iter().map(of_member).collect::<Result<Vec<_>, Error>>()
    })?;
    for (member, scales) in network.members.iter_mut().zip(scales) {
        for (noise, (scale, mut found)) in member.noise.iter_mut().zip(member.scale.iter_mut().zip(scales)) {
            if let Noise::Huber(Huber { k, delta: Some(delta) }) = noise {
                // The knee stays where it is as the scale is found.
                found = found.max(f64::MIN_POSITIVE);
                *k = *delta / found;
            }
            *scale *= found;
        }
    }
    Ok(())
}

/// Multiplies all scales by what maximises the mixture's likelihood over some rows: each member's own is too wide for the
/// mixture, whose errors are smaller than theirs.
fn widen_together(network: &mut Network, rows: &SampledRows) {
    let rows = rows.at(|i| i < MIXTURE_ROWS);
    let factor = rows.show(|block| {
        let mixture = network.predict(&NewRows::from(block));
        minimum((-2.0, 1.0), |log_factor| {
            let mixture = mixture.widened(log_factor.exp());
            let row =
                |i: usize| block.frequencies.map_or(1.0, |f| f[i]) * mixture.log_density(0, i, block.response.high[i]);
            -(0..block.rows()).map(row).sum::<f64>()
        })
    });
    for member in &mut network.members {
        member.scale.iter_mut().for_each(|scale| *scale *= factor.exp());
    }
}

/// Rows that the scale of a mixture is estimated from at most.
const MIXTURE_ROWS: usize = 20_000;

/// Where a function with one minimum between two places has it, by golden sections.
fn minimum((mut low, mut high): (f64, f64), function: impl Fn(f64) -> f64) -> f64 {
    let golden = 0.5 * (5f64.sqrt() - 1.0);
    let (mut left, mut right) = (high - golden * (high - low), low + golden * (high - low));
    let (mut at_left, mut at_right) = (function(left), function(right));
    while high - low > 1e-8 {
        if at_left < at_right {
            (high, right, at_right) = (right, left, at_left);
            left = high - golden * (high - low);
            at_left = function(left);
        } else {
            (low, left, at_left) = (left, right, at_right);
            right = low + golden * (high - low);
            at_right = function(right);
        }
    }
    low.midpoint(high)
}

/// The scale of residuals; of Huber's noise with a knee in units of the response, which then is at another multiple of it, by
/// golden sections.
fn maximum_likelihood_scale(noise: &Noise, residuals: &[f64], frequencies: Option<&[f64]>) -> Result<f64, Error> {
    let Noise::Huber(Huber { delta: Some(delta), .. }) = noise else {
        return noise.family().maximum_likelihood_scale(residuals, frequencies);
    };
    let gaussian = Noise::Gaussian.family().maximum_likelihood_scale(residuals, frequencies)?;
    if gaussian == 0.0 {
        return Ok(0.0);
    }
    let loss = |log_scale: f64| {
        let scale = log_scale.exp();
        let family = Huber { k: delta / scale, delta: Some(*delta) };
        let row = |(i, e): (usize, &f64)| {
            frequencies.map_or(1.0, |f| f[i]) * (family.negative_log_density(e / scale) + log_scale)
        };
        residuals.iter().enumerate().map(row).sum::<f64>()
    };
    // The tails only shrink it.
    Ok(minimum((gaussian.ln() - 14.0, gaussian.ln() + 0.5), loss).exp())
}

fn warnings(network: &Network, interrupted: bool) -> Vec<String> {
    let mut warnings = Vec::new();
    if interrupted {
        let epochs: Vec<String> = network.members.iter().map(|member| member.epochs.to_string()).collect();
        warnings.push(format!(
            "training was interrupted after {} epochs; the best parameters so far were kept (without validation rows the last)",
            epochs.join(", ")
        ));
    } else if network.members.iter().any(|member| {
        member.best_epoch + 1 == member.epochs && member.validation.is_some() && member.termination.reason == "epochs"
    }) {
        warnings.push("the last epoch was the best: more of them would still gain".to_owned());
    }
    warnings
}
