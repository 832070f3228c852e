//! Training by noisefit: steps on batches at hand, whole epochs, networks side by side.

use std::error::Error;

use noisefit_core::network::{
    Activation, Architecture, Learner, MemoryFeed, Objective, Plan, Schedule, Solver, Targets, Training, TrainingRows,
    UpdateRule,
};
use noisefit_core::noise::Noise;
use noisefit_core::rows::{Matrix, MemoryRows};
use noisefit_core::training;

use crate::protocol::repeat;
use crate::steps::{Steps, trace};
use crate::threads;

/// Members of an ensemble.
const MEMBERS: usize = 4;

/// Serves one way of training.
pub fn run(way: &str, steps: Steps) -> Result<(), Box<dyn Error>> {
    match way {
        "steps" => {
            let start = learner(&steps)?;
            repeat(|| Ok(trace(losses(&steps, &mut start.clone()))))
        }
        "epochs" => epochs(steps),
        "ensemble" => ensemble(&steps, threads()),
        "ensemble, one thread" => ensemble(&steps, 1),
        other => Err(format!("no way '{other}' here").into()),
    }
}

fn learner(steps: &Steps) -> Result<Learner, Box<dyn Error>> {
    let architecture = Architecture {
        inputs: steps.columns,
        embeddings: Vec::new(), pieces: Vec::new(),
        hidden: steps.hidden.clone(),
        activation: Activation::Relu,
        outputs: 1,
    };
    let mut learner = Learner::new(architecture, Objective::SquaredError, method(steps)?, steps.batch, 0)?;
    learner.set_parameters(&steps.start)?;
    Ok(learner)
}

fn method(steps: &Steps) -> Result<UpdateRule, Box<dyn Error>> {
    match &*steps.method {
        "sgd" => Ok(UpdateRule::Sgd { momentum: 0.0, nesterov: false }),
        "adam" => Ok(UpdateRule::Adam),
        other => Err(format!("no method '{other}' here").into()),
    }
}

/// Makes the steps; the losses before each.
fn losses(steps: &Steps, learner: &mut Learner) -> Vec<f64> {
    let mut losses = Vec::with_capacity(steps.count);
    let batches: Vec<_> = steps.batches().collect();
    for &(x, y) in batches.iter().cycle().take(steps.count) {
        losses.push(learner.step(x, &Targets { response: y, weights: None, frequencies: None }, steps.rate));
    }
    losses
}

/// Whole epochs, each in an order of its own: shuffled, gathered, trained.
fn epochs(steps: Steps) -> Result<(), Box<dyn Error>> {
    let start = learner(&steps)?;
    let Steps { columns: inputs, design, response, rate, batch, count, .. } = steps;
    let rows = TrainingRows { inputs, design, response, weights: None, frequencies: None };
    let training = training(rate, count);
    repeat(|| {
        let mut learner = start.clone();
        training.run(&mut learner, &mut MemoryFeed::new(&rows, batch, Some(1)), None, None, &mut ())?;
        Ok(vec![("parameters", learner.parameters().iter().map(|&value| value.into()).collect())])
    })
}

fn training(rate: f64, epochs: usize) -> Training {
    Training { rate, schedule: Schedule::Constant, warm_up: 0, epochs: epochs as u64, common_scale: 0, scale_rate: None, patience: None }
}

/// Whole fits of an ensemble, from rows in memory to the scores.
fn ensemble(steps: &Steps, threads: usize) -> Result<(), Box<dyn Error>> {
    let doubles = |values: &[f32]| values.iter().map(|&value| value.into()).collect::<Vec<f64>>();
    let (design, response) = (doubles(&steps.design), doubles(&steps.response));
    let design = Matrix::row_major(&design, response.len(), steps.columns)?;
    let rows = MemoryRows::new(&response, design)?.with_threads(threads);
    let plan = Plan {
        hidden: steps.hidden.clone(),
        solver: Solver::Steps { method: method(steps)?, batch: Some(steps.batch), shuffle: true },
        training: training(steps.rate, steps.count),
        validation: 0.0,
        members: MEMBERS,
        ..Plan::default()
    };
    repeat(|| {
        let fitted = training::fit(&rows, &[Noise::Gaussian], &plan, None, &())?;
        let parameters = fitted.network.members.iter().flat_map(|member| member.parameters.iter());
        Ok(vec![("parameters", parameters.map(|&value| value.into()).collect())])
    })
}
