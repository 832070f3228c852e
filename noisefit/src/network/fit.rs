//! From rows to a fitted network: standardise, train every member, estimate the noise, score.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use super::checkpoint::Checkpoint;
use super::model::estimated;
use super::plan::{Watched, restored};
use super::stream::StreamFeed;
use super::{
    About, Architecture, Epoch, Feed, Learner, Member, MemoryFeed, Method, Network, Objective, Plan, Snapshot, Solver,
    Standardisation, Trained, TrainingRows, Watch, minimise,
};
use crate::Error;
use crate::evaluate::{Evaluation, Scores};
use crate::noise::{Choice, Huber, Noise, NoiseFamily};
use crate::predict::NewRows;
use crate::rows::{
    AnyRows, Each, Folds, Layout, Part, RowSource, Sample, SampledRows, hash_parameters, parallel_map, scattered,
};

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

/// Validation rows that say something of a mixture.
const ENOUGH: f64 = 20.0;

/// The level of the intervals that are counted.
const LEVEL: f64 = 0.95;

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
    // More rows than an order has numbers for are read anew, too.
    let row = 4 * (architecture.inputs as u64 + 3);
    let size = (rows as f64 / (1.0 - plan.validation)) as u64 * row;
    let streams = size > plan.memory || rows > u64::from(u32::MAX);
    let validation = match &held_out {
        None => None,
        Some(rows) if !streams => Some(standardisation.gather(rows)?),
        // Of more validation rows than fit, a random sample.
        Some(rows) => {
            let limit = (plan.memory / (4 * row)).max(LEAST_VALIDATION) as usize;
            let sample = rows.pass(Sample::new(rows.layout(), limit, rows.rows_hint()))?.finish(rows.layout());
            Some(standardisation.gather(&sample.source()?)?)
        }
    };
    if validation.as_ref().is_some_and(TrainingRows::is_empty) {
        return Err(Error::Unsupported(format!(
            "of {rows} rows none is left for validation; give a larger share, or 0 and a number of epochs"
        )));
    }
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
    let about = about(noise, plan, rows, &standardisation, streams)?;
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
        failed: AtomicBool::new(false),
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
            let mut trained = Vec::new();
            for &member in &members {
                trained.push(ensemble.train(member, None, feed)?);
            }
            trained.into_iter().map(Ok).collect()
        }
    };
    watch.ends();
    // What failed first is told rather than that the others were stopped.
    let trained = trained.into_iter().collect::<Result<Vec<_>, _>>()?;
    let (trained, left_out) = begun(trained);
    let count = architecture.parameters();
    let members = trained.iter().map(|(trained, parameters)| member(&objective, deviation, trained, parameters, count));
    let mut network = Network { members: members.collect(), architecture, objective, standardisation };
    let sample = |rows: &AnyRows<'_>| {
        let sample = rows.pass(Sample::new(rows.layout(), NOISE_ROWS, rows.rows_hint()))?;
        Ok::<_, Error>(sample.finish(rows.layout()))
    };
    let seen = sample(learning)?;
    estimate_scales(&mut network, &seen)?;
    if let Some(held_out) = &held_out {
        let least: Vec<Vec<f64>> = network.members.iter().map(|member| member.scale.clone()).collect();
        widen(&mut network, &sample(held_out)?, &least)?;
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
    let validated = validation.as_ref().and_then(|scores: &Vec<Scores>| scores.first()).map_or(0, |scores| scores.nobs);
    if !network.is_linear() && validated < 20 {
        warnings.push(match validated {
            0 => "without validation rows the scale is that of residuals of rows that were learned from, and intervals are too \
                  narrow: keep some from learning, or calibrate conformal intervals"
                .to_owned(),
            few => format!(
                "{few} validation rows say little of which epoch is the best and how large the noise is; a larger share of them \
                 would say more"
            ),
        });
    }
    let constant = network.standardisation.inputs.iter().zip(&source.layout().terms);
    warnings.extend(
        constant
            .filter(|(centre, _)| centre.deviation == 0.0)
            .take(3)
            .map(|(_, name)| format!("{name} does not vary in the rows that are learned from, and is left out")),
    );
    if left_out > 0 {
        warnings.push(format!("{left_out} of {} members had not ended an epoch and were left out", plan.members));
    }
    warnings.extend(far.iter().filter(|(name, _)| *name != source.layout().response).take(3).map(|(name, distance)| {
        format!(
            "{name} has a value {distance:.0} standard deviations from its mean, beside which the others are nearly the same; \
             transform it, such as by log(), or leave such rows out"
        )
    }));
    Ok(Fitted { network, training, validation, epochs, warnings })
}

/// The members that have learned something, where training was interrupted, and how many have not.
fn begun(trained: Vec<(Trained, Vec<f32>)>) -> (Vec<(Trained, Vec<f32>)>, usize) {
    let count = trained.len();
    let most = trained.iter().map(|(trained, _)| trained.epochs.len()).max().unwrap_or(0);
    let has_begun = |(trained, _): &(Trained, Vec<f32>)| {
        trained.termination.reason != "interrupted" || !trained.epochs.is_empty() || most == 0
    };
    let kept: Vec<_> = trained.into_iter().filter(has_begun).collect();
    let left_out = count - kept.len();
    (kept, left_out)
}

/// What a checkpoint is of.
fn about(
    noise: &Choice,
    plan: &Plan,
    rows: u64,
    by: &Standardisation,
    streams: bool,
) -> Result<serde_json::Value, Error> {
    // How much memory there is makes no difference but for whether rows are read anew.
    let mut plan = Plan { memory: 0, buffer: if streams { plan.buffer } else { 0 }, ..plan.clone() };
    // What was trained may be trained for longer.
    (plan.training.epochs, plan.training.patience) = (0, None);
    Ok(serde_json::json!({
        "noise": noise.to_string(),
        "plan": serde_json::to_value(&plan).map_err(|error| Error::State(error.to_string()))?,
        "rows": rows,
        "data": format!("{:016x}", hash_parameters(by.numbers())),
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
    /// Whether a member has failed.
    failed: AtomicBool,
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
        let before = |epochs: &[Epoch]| {
            let epochs: Vec<Epoch> =
                epochs.iter().map(|epoch| restored(epoch, self.objective, self.deviation)).collect();
            self.watch.resumes(member, &epochs);
        };
        let resumed = self.progress(|members| members[member].clone());
        if let Some(snapshot) = &resumed {
            before(snapshot.state.epochs());
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
            objective: self.objective,
            deviation: self.deviation,
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
                self.validation,
                &mut observer,
            )?,
            (Solver::Lbfgs, None) => {
                let what = "lbfgs goes over all rows for every step and needs them in memory; allow more, or use adam";
                return Err(Error::Unsupported(what.to_owned()));
            }
            (Solver::Steps { shuffle, .. }, _) => {
                let order = shuffle.then(|| scattered(seed, ORDER));
                training.run(&mut learner, &mut feed(order), self.validation, resumed, &mut observer)?
            }
        };
        if trained.termination.reason == "diverged" {
            return Err(Error::Diverged(self.why_diverged(&trained)));
        }
        let parameters = learner.parameters().to_vec();
        Ok((trained, parameters))
    }

    fn learner(&self, seed: u64) -> Result<Learner, Error> {
        let method = match self.plan.solver {
            Solver::Steps { method, .. } => method,
            Solver::Lbfgs => Method::Sgd { momentum: 0.0, nesterov: false },
        };
        // Many rows at once are gone through in pieces that stay in the cache; validation rows by no fewer than these.
        let capacity = self.batch.clamp(256, PIECE);
        let learner = Learner::new(self.architecture.clone(), self.objective.clone(), method, capacity, seed)?;
        let learner = learner.with_decay(self.plan.decay).with_dropout(self.plan.dropout);
        Ok(if let Some(clip) = self.plan.clip { learner.with_clip(clip) } else { learner })
    }

    fn progress<T>(&self, change: impl FnOnce(&mut [Option<Snapshot>]) -> T) -> T {
        change(&mut self.checkpoint.lock().unwrap_or_else(PoisonError::into_inner).members)
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
        let Plan { training, clip, .. } = self.plan;
        let epoch = trained.epochs.len() + 1;
        let (cause, advice) = match &self.far {
            Some((name, distance)) => (
                format!("{name} has a value {distance:.0} standard deviations from its mean"),
                "transform it, such as by log(), or leave such rows out".to_owned(),
            ),
            None => (
                format!("the learning rate {} is too large", training.rate),
                format!("give a smaller one, such as {}", training.rate / 10.0),
            ),
        };
        let other = if self.far.is_some() {
            format!(", or give a smaller learning rate than {}", training.rate)
        } else {
            String::new()
        };
        let clipping = if clip.is_none() { ", or cut long gradients, such as to 1" } else { "" };
        let advice = advice + &other + clipping;
        format!(
            "the loss grew without bound in epoch {epoch}, at step {}: probably {cause}; {advice}",
            trained.termination.iterations + 1
        )
    }
}

/// Rows that large batches are gone through by.
const PIECE: usize = 4096;

/// Validation rows that are kept however little memory there is.
const LEAST_VALIDATION: u64 = 1000;

/// What the order of rows is drawn from, among other uses of a seed.
const ORDER: u64 = u64::MAX - 1;

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
                // A scale of zero has no residuals in its units.
                let unit = if member.scale[curve] > 0.0 { 1.0 } else { f64::NAN };
                let residual =
                    |i: usize| unit * (block.response.high[i] - said.locations[curve][i]) / said.scales[curve][i];
                let residuals: Vec<f64> = (0..block.rows()).map(residual).collect();
                match unit.is_nan() {
                    true => Ok(1.0),
                    false => maximum_likelihood_scale(noise, member.scale[curve], &residuals, block.frequencies),
                }
            };
            member.noise.iter().enumerate().map(of_curve).collect::<Result<Vec<_>, Error>>()
        };
        network.members.iter().map(of_member).collect::<Result<Vec<_>, Error>>()
    })?;
    for (member, factors) in network.members.iter_mut().zip(scales) {
        member.scale.iter_mut().zip(factors).for_each(|(scale, factor)| *scale *= factor);
        sharpen(&mut member.noise, &member.scale);
    }
    Ok(())
}

/// Makes scales that were estimated from rows that were learned from those of rows that were not, which are larger.
///
/// Of `v` rows that is known to a standard error of about `1 / sqrt(2 v)`, which the factor `sqrt(v / (v - 2))` allows for as the
/// variance of Student's t with `v` degrees of freedom does; and it is never less than that of the others.
fn widen(network: &mut Network, rows: &SampledRows, least: &[Vec<f64>]) -> Result<(), Error> {
    let v = rows.frequencies().map_or(rows.len() as f64, |frequencies| frequencies.iter().sum());
    // Factors on the scales as they are now.
    estimate_scales(network, rows)?;
    let mixes = network.members.len() > 1 && network.curves() == 1;
    if mixes && v >= ENOUGH {
        widen_together(network, rows);
    }
    for (member, least) in network.members.iter_mut().zip(least) {
        for (scale, least) in member.scale.iter_mut().zip(least) {
            let wide = *scale * (v / (v - 2.0).max(0.5)).sqrt();
            // Of many rows it is what it is.
            *scale = if v >= MANY { wide } else { wide.max(*least) };
        }
        sharpen(&mut member.noise, &member.scale);
    }
    Ok(())
}

/// Validation rows that say more of the scale than all that were learned from.
const MANY: f64 = 200.0;

/// Keeps the knee of Huber's noise where it is, in units of the response, whatever the scale.
fn sharpen(noise: &mut [Noise], scales: &[f64]) {
    for (noise, scale) in noise.iter_mut().zip(scales) {
        if let Noise::Huber(Huber { k, delta: Some(delta) }) = noise
            && *scale > 0.0
        {
            *k = *delta / scale;
        }
    }
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

/// The scale of residuals in a unit; of Huber's noise with a knee in units of the response, which then is at another multiple of it, by
/// golden sections.
fn maximum_likelihood_scale(
    noise: &Noise,
    unit: f64,
    residuals: &[f64],
    frequencies: Option<&[f64]>,
) -> Result<f64, Error> {
    let Noise::Huber(Huber { delta: Some(delta), .. }) = noise else {
        return noise.family().maximum_likelihood_scale(residuals, frequencies);
    };
    let delta = &(delta / unit);
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
    if !interrupted && network.members.iter().any(|member| !member.termination.converged) {
        warnings.push("training has ended before the minimum was reached; allow more epochs".to_owned());
    }
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
