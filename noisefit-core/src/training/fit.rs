//! From rows to a fitted network: standardise, train every member, estimate the noise, score.

use std::sync::Mutex;
use std::sync::atomic::AtomicBool;

use crate::Error;
use crate::inference::evaluate::{Evaluation, Scores};
use crate::network::checkpoint::Checkpoint;
use crate::network::objective::WithShape;
use crate::network::plan::restored;
use crate::network::{About, Epoch, Member, MemoryFeed, Network, Objective, Plan, Solver, Trained, Watch};
use crate::noise::Noise;
use crate::record::{Reason, Warning};
use crate::rows::{Accumulator, Layout, RowSource, RowSourceExt, Sample, parallel_map};
use crate::training::calibrate::{self, Unseen};
use crate::training::ensemble::Ensemble;
use crate::training::prepare::{Divided, Prepared};
use crate::training::scale::{estimate_scales, widen};
use crate::training::shrink::{Shrinkage, shrink};
use crate::training::stream::StreamFeed;

/// A network that was fitted, and how well.
#[derive(Debug, Clone, PartialEq)]
pub struct Fitted {
    /// What predicts.
    pub network: Network,
    /// The scores of the rows that were learned from, for each curve.
    pub training: Vec<Scores>,
    /// The scores of the validation rows, where there are such.
    pub validation: Option<Vec<Scores>>,
    /// How much of what is predicted is a line, and one scale, as rows that members did without ask for.
    pub shrinkage: Shrinkage,
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
/// rows those of the last. The scale of the noise, or what a modelled one is multiplied by, and degrees of freedom that are to be
/// estimated, are then found by maximum likelihood from rows that were not learned from, for residuals of those that were are too
/// small: the validation rows, or those that each member was not shown ([`Plan::left_out`](crate::network::Plan::left_out)). Several
/// quantiles are moved to where as many of these rows lie below them as should.
///
/// Everything that is drawn at random is drawn from `plan.seed`, and the result does not depend on the number of threads.
///
/// ```
/// use noisefit_core::network::Plan;
/// use noisefit_core::noise::Noise;
/// use noisefit_core::inference::predict::NewRows;
/// use noisefit_core::rows::{Matrix, MemoryRows};
/// use noisefit_core::training;
///
/// let x: Vec<f64> = (0..200).map(|i| f64::from(i) / 100.0 - 1.0).collect();
/// let y: Vec<f64> = x.iter().map(|x| (3.0 * x).sin()).collect();
/// let rows = MemoryRows::new(&y, Matrix::row_major(&x, 200, 1)?)?;
/// let mut plan = Plan { hidden: vec![16], ..Plan::default() };
/// plan.training.rate = 0.01;
/// plan.training.epochs = 200;
/// let fitted = training::fit(&rows, &[Noise::Gaussian], &plan, None, &())?;
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
    noise: &[Noise],
    plan: &Plan,
    resumed: Option<Checkpoint>,
    watch: &impl Watch,
) -> Result<Fitted, Error> {
    plan.check()?;
    let rows = Divided::new(source, plan);
    let prepared = Prepared::new(&rows, noise, plan)?;
    let about = prepared.about(noise, plan)?;
    let (trained, numbers) = begun(train(&rows.learning, &prepared, about, plan, resumed, watch)?);
    let left_out = plan.members - numbers.len();
    let unseen = Unseen::of(&rows, &prepared, &numbers)?;
    let (network, shrinkage) =
        calibrated(network(&prepared, &trained), noise, &rows, &unseen, (plan, &prepared, &numbers))?;
    let training = score(&network, &rows.learning)?;
    let validation = if unseen.is_empty() { None } else { Some(calibrate::scores(&network, &unseen, LEVEL)?) };
    let restore = |epoch: &Epoch| restored(epoch, &network.objective, prepared.deviation());
    let epochs = trained.iter().map(|(trained, _)| trained.epochs.iter().map(restore).collect()).collect();
    let mut warnings = of_training(&network);
    let validated = validation.as_ref().and_then(|scores: &Vec<Scores>| scores.first()).map_or(0, |scores| scores.nobs);
    warnings.extend(of_rows(&network, validated, source.layout()));
    if left_out > 0 {
        warnings.push(Warning::MembersLeftOut { left_out, members: plan.members });
    }
    let far = prepared.far.into_iter().filter(|(name, _)| *name != source.layout().response).take(3);
    warnings.extend(far.map(|(column, distance)| Warning::FarValue { column, distance }));
    Ok(Fitted { network, training, validation, shrinkage, epochs, warnings })
}

/// The number of rows of a source; one pass.
///
/// # Errors
/// What the source reports.
pub fn count(source: &dyn RowSource) -> Result<u64, Error> {
    Ok(source.pass(Sample::none())?.rows())
}

/// Trains every member; those that learn from memory side by side.
///
/// # Errors
/// [`Error::State`] for a checkpoint of another training; [`Error::Diverged`]; what the source and the watch report.
fn train(
    learning: &dyn RowSource,
    prepared: &Prepared,
    about: serde_json::Value,
    plan: &Plan,
    resumed: Option<Checkpoint>,
    watch: &impl Watch,
) -> Result<Vec<(Trained, Vec<f32>)>, Error> {
    let &Prepared { rows, batch, .. } = prepared;
    let Prepared { standardisation, validation, .. } = prepared;
    watch.begins(&About {
        rows,
        validation_rows: validation.as_ref().map_or(0, |rows| rows.len() as u64),
        steps: prepared.rows_of(0).div_ceil(batch as u64),
        objective: &prepared.objective,
        standardisation,
        streams: prepared.streams(),
    });
    if let Some(checkpoint) = &resumed {
        checkpoint.check(&about, plan.members)?;
    }
    let ensemble = Ensemble {
        prepared,
        plan,
        failed: AtomicBool::new(false),
        checkpoint: Mutex::new(resumed.unwrap_or_else(|| Checkpoint::new(about, plan.members))),
        watch,
    };
    let members: Vec<usize> = (0..plan.members).collect();
    let trained: Vec<_> = match &prepared.data {
        Some(data) => {
            let shown =
                |member: usize| prepared.in_turn.map(|in_turn| in_turn.folds.rows_of(rows, in_turn.shown(member)));
            let train = |&member: &usize| {
                let feed = |order| {
                    let feed = MemoryFeed::new(data, batch, order);
                    match shown(member) {
                        Some(shown) => feed.of(shown),
                        None => feed,
                    }
                };
                match (prepared.in_turn, &plan.solver) {
                    // What goes over all rows is given those that it is shown.
                    (Some(_), Solver::Lbfgs) => {
                        let mut own = data.empty(data.len());
                        shown(member).into_iter().flatten().for_each(|i| own.take(data, i as usize));
                        ensemble.train(member, Some(&own), feed)
                    }
                    _ => ensemble.train(member, Some(data), feed),
                }
            };
            parallel_map(&members, learning.threads(), train)
        }
        // Those that read a file take turns.
        None => {
            let buffer = plan.buffer;
            let mut trained = Vec::new();
            for &member in &members {
                let part = prepared.in_turn.map(|in_turn| in_turn.folds.select(learning, in_turn.shown(member)));
                let source = part.as_ref().map_or(learning, |part| part as &dyn RowSource);
                let rows = prepared.rows_of(member);
                let feed = |seed| StreamFeed { source, standardisation, rows, batch, seed, buffer };
                trained.push(ensemble.train(member, None, feed)?);
            }
            trained.into_iter().map(Ok).collect()
        }
    };
    watch.ends();
    // What failed first is told rather than that the others were stopped.
    trained.into_iter().collect()
}

/// The members that have learned something, where training was interrupted, and their numbers.
fn begun(trained: Vec<(Trained, Vec<f32>)>) -> (Vec<(Trained, Vec<f32>)>, Vec<usize>) {
    let most = trained.iter().map(|(trained, _)| trained.epochs.len()).max().unwrap_or(0);
    let has_begun = |(trained, _): &(Trained, Vec<f32>)| {
        trained.termination.reason != Reason::Interrupted || !trained.epochs.is_empty() || most == 0
    };
    trained.into_iter().enumerate().filter(|(_, member)| has_begun(member)).map(|(k, member)| (member, k)).unzip()
}

/// The network of what was trained, whose scales are still those of training.
fn network(prepared: &Prepared, trained: &[(Trained, Vec<f32>)]) -> Network {
    let Prepared { standardisation, objective, architecture, .. } = prepared;
    let (deviation, count) = (prepared.deviation(), architecture.parameters());
    let members = trained.iter().map(|(trained, parameters)| member(objective, deviation, trained, parameters, count));
    Network {
        members: members.collect(),
        architecture: architecture.clone(),
        objective: objective.clone(),
        standardisation: standardisation.clone(),
        shifts: Vec::new(),
    }
}

/// The network with the scales of its noise, its tails and its quantiles as rows ask for that were not learned from: those that members
/// were not shown; or those that validate, from which scales of the others are made larger.
///
/// # Errors
/// What the source reports.
fn calibrated(
    mut network: Network,
    noise: &[Noise],
    rows: &Divided<'_>,
    unseen: &[Unseen],
    (plan, prepared, numbers): (&Plan, &Prepared, &[usize]),
) -> Result<(Network, Shrinkage), Error> {
    let mut shrinkage = Shrinkage::default();
    let learning = || {
        let sample = rows.learning.pass(Sample::new(rows.learning.layout(), NOISE_ROWS, rows.learning.rows_hint()))?;
        Ok::<_, Error>(sample.finish(rows.learning.layout()))
    };
    match (plan.left_out, unseen) {
        (Some(_), _) if !unseen.is_empty() => calibrate::scales(&mut network, unseen)?,
        (_, [held_out]) => {
            estimate_scales(&mut network, &learning()?)?;
            let least: Vec<Vec<f64>> = network.members.iter().map(|member| member.scale.clone()).collect();
            widen(&mut network, &held_out.rows, &least)?;
        }
        _ => estimate_scales(&mut network, &learning()?)?,
    }
    match unseen {
        // Of all rows at once training itself ends at the maximum.
        [] if plan.solver != Solver::Lbfgs => {
            let all = Unseen::all(learning()?, &network);
            calibrate::tails(&mut network, noise, &[all])?;
        }
        [] => {}
        _ => {
            calibrate::tails(&mut network, noise, unseen)?;
            if plan.left_out.is_some() {
                shrinkage = shrink(&mut network, rows, prepared, numbers, unseen)?;
                if shrinkage != Shrinkage::default() {
                    calibrate::tails(&mut network, noise, unseen)?;
                }
                calibrate::allow(&mut network, unseen);
            }
            calibrate::quantiles(&mut network, unseen)?;
        }
    }
    Ok((network, shrinkage))
}

/// How well each curve predicts rows.
fn score(network: &Network, rows: &dyn RowSource) -> Result<Vec<Scores>, Error> {
    let found = rows.pass(Evaluation::of_network(network, LEVEL)?)?;
    found.iter().map(Evaluation::finish).collect()
}

/// A trained network, with its scale as it was trained; where that follows from the location, still 1.
fn member(objective: &Objective, deviation: f64, trained: &Trained, parameters: &[f32], network: usize) -> Member {
    let noise: Vec<Noise> = objective
        .noise(deviation)
        .into_iter()
        .map(|noise| noise.visit(WithShape(noise, &parameters[network..])))
        .collect();
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
        line: Vec::new(),
    }
}

/// What is to be said of how training ended.
fn of_training(network: &Network) -> Vec<Warning> {
    let any = |is: fn(&Member) -> bool| network.members.iter().any(is);
    if any(|member| member.termination.reason == Reason::Interrupted) {
        return vec![Warning::Interrupted { epochs: network.members.iter().map(|member| member.epochs).collect() }];
    }
    let last_was_best = |member: &Member| {
        member.best_epoch + 1 == member.epochs
            && member.validation.is_some()
            && member.termination.reason == Reason::Epochs
    };
    let ended_early = any(|member| !member.termination.converged).then_some(Warning::EndedEarly);
    ended_early.into_iter().chain(any(last_was_best).then_some(Warning::StillGaining)).collect()
}

/// What is to be said of rows of which so many validated.
fn of_rows(network: &Network, validated: u64, layout: &Layout) -> Vec<Warning> {
    let few = (!network.is_linear() && validated < 20).then_some(match validated {
        0 => Warning::NoValidation,
        rows => Warning::FewValidationRows { rows },
    });
    let inputs = network.standardisation.inputs.iter().zip(&layout.terms);
    let constant = inputs.filter(|(centre, _)| centre.deviation == 0.0).take(3);
    few.into_iter().chain(constant.map(|(_, name)| Warning::Constant { column: name.clone() })).collect()
}
