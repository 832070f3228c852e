//! From rows to a fitted network: standardise, train every member, estimate the noise, score.

use std::sync::Mutex;
use std::sync::atomic::AtomicBool;

use crate::Error;
use crate::inference::evaluate::{Evaluation, Scores};
use crate::network::checkpoint::Checkpoint;
use crate::network::ensemble::Ensemble;
use crate::network::model::estimated;
use crate::network::plan::restored;
use crate::network::scale::{estimate_scales, widen};
use crate::network::stream::StreamFeed;
use crate::network::{
    About, Architecture, Epoch, Member, MemoryFeed, Network, Objective, Plan, Solver, Standardisation, Trained,
    TrainingRows, Watch,
};
use crate::noise::{Choice, Noise};
use crate::record::{Reason, Warning};
use crate::rows::{Folds, Layout, Part, RowSource, RowSourceExt, Sample, hash_parameters, parallel_map, scattered};

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
    pub warnings: Vec<Warning>,
}

/// Rows that estimate the noise at most; of more a random sample.
const NOISE_ROWS: usize = 200_000;

/// The level of the intervals that are counted.
const LEVEL: f64 = 0.95;

/// Fits a network, an ensemble of such, or without hidden layers a linear model, by gradient steps under the noise that is
/// named.
///
/// Inputs and response are standardised by the rows that are learned from. The loss is that of the noise (see
/// [`Objective::of`]); the parameters are those of the epoch whose loss over the validation rows is the least, without such
/// rows those of the last. The scale of the noise, or what a modelled one is multiplied by, is then estimated by maximum
/// likelihood from the validation rows, for residuals of rows that were learned from are too small.
///
/// Everything that is drawn at random is drawn from `plan.seed`, and the result does not depend on the number of threads.
///
/// ```
/// use noisefit_core::network;
/// use noisefit_core::network::Plan;
/// use noisefit_core::noise::Choice;
/// use noisefit_core::inference::predict::NewRows;
/// use noisefit_core::rows::{Matrix, MemoryRows};
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
/// # Ok::<(), noisefit_core::Error>(())
/// ```
///
/// # Errors
/// [`Error::Argument`] and [`Error::Unsupported`] for a plan that cannot be; [`Error::NoRows`]; [`Error::Diverged`];
/// [`Error::State`] for a checkpoint of another training; what the source and the watch report.
pub fn fit(
    source: &dyn RowSource,
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
    let learning: &dyn RowSource = &learning;
    let held_out = held_out.as_ref().map(|rows| rows as &dyn RowSource);
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
        Some(rows) if !streams => Some(standardisation.gather(*rows)?),
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
            let (standardisation, buffer) = (&standardisation, plan.buffer);
            let feed = |seed| StreamFeed { source: learning, standardisation, rows, batch, seed, buffer };
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
    let sample = |rows: &dyn RowSource| {
        let sample = rows.pass(Sample::new(rows.layout(), NOISE_ROWS, rows.rows_hint()))?;
        Ok::<_, Error>(sample.finish(rows.layout()))
    };
    let seen = sample(learning)?;
    estimate_scales(&mut network, &seen)?;
    if let Some(held_out) = held_out {
        let least: Vec<Vec<f64>> = network.members.iter().map(|member| member.scale.clone()).collect();
        widen(&mut network, &sample(held_out)?, &least)?;
    }
    let score = |rows: &dyn RowSource| {
        let found = rows.pass(Evaluation::of_network(&network, LEVEL)?)?;
        found.iter().map(Evaluation::finish).collect::<Result<Vec<_>, _>>()
    };
    let interrupted = network.members.iter().any(|member| member.termination.reason == Reason::Interrupted);
    let (training, validation) = (score(learning)?, held_out.map(score).transpose()?);
    let epochs: Vec<Vec<Epoch>> = trained
        .iter()
        .map(|(trained, _)| trained.epochs.iter().map(|epoch| restored(epoch, &network.objective, deviation)).collect())
        .collect();
    let mut warnings = warnings(&network, interrupted);
    let validated = validation.as_ref().and_then(|scores: &Vec<Scores>| scores.first()).map_or(0, |scores| scores.nobs);
    if !network.is_linear() && validated < 20 {
        warnings.push(match validated {
            0 => Warning::NoValidation,
            rows => Warning::FewValidationRows { rows },
        });
    }
    let constant = network.standardisation.inputs.iter().zip(&source.layout().terms);
    warnings.extend(
        constant
            .filter(|(centre, _)| centre.deviation == 0.0)
            .take(3)
            .map(|(_, name)| Warning::Constant { column: name.clone() }),
    );
    if left_out > 0 {
        warnings.push(Warning::MembersLeftOut { left_out, members: plan.members });
    }
    let far = far.into_iter().filter(|(name, _)| *name != source.layout().response).take(3);
    warnings.extend(far.map(|(column, distance)| Warning::FarValue { column, distance }));
    Ok(Fitted { network, training, validation, epochs, warnings })
}

/// The members that have learned something, where training was interrupted, and how many have not.
fn begun(trained: Vec<(Trained, Vec<f32>)>) -> (Vec<(Trained, Vec<f32>)>, usize) {
    let count = trained.len();
    let most = trained.iter().map(|(trained, _)| trained.epochs.len()).max().unwrap_or(0);
    let has_begun = |(trained, _): &(Trained, Vec<f32>)| {
        trained.termination.reason != Reason::Interrupted || !trained.epochs.is_empty() || most == 0
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
    // What was trained may be trained for longer; whether the scale is common still is part of the state.
    (plan.training.epochs, plan.training.patience, plan.training.common_scale) = (0, None, 0);
    Ok(serde_json::json!({
        "noise": noise.to_string(),
        "plan": serde_json::to_value(&plan).map_err(|error| Error::State(error.to_string()))?,
        "rows": rows,
        "data": format!("{:016x}", hash_parameters(by.numbers())),
    }))
}

/// Validation rows that are kept however little memory there is.
const LEAST_VALIDATION: u64 = 1000;

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

fn warnings(network: &Network, interrupted: bool) -> Vec<Warning> {
    let mut warnings = Vec::new();
    if !interrupted && network.members.iter().any(|member| !member.termination.converged) {
        warnings.push(Warning::EndedEarly);
    }
    if interrupted {
        warnings.push(Warning::Interrupted { epochs: network.members.iter().map(|member| member.epochs).collect() });
    } else if network.members.iter().any(|member| {
        member.best_epoch + 1 == member.epochs
            && member.validation.is_some()
            && member.termination.reason == Reason::Epochs
    }) {
        warnings.push(Warning::StillGaining);
    }
    warnings
}
