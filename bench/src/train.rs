//! Training by noisefit: steps on batches at hand, whole epochs, networks side by side.

use std::error::Error;

use noisefit::network::{Activation, Architecture, Learner, MemoryFeed, Method, Objective, Schedule, Targets};
use noisefit::network::{Training, TrainingRows};

use crate::protocol::repeat;
use crate::steps::{Steps, trace};
use crate::threads;

/// Members of an ensemble.
const MEMBERS: u16 = 4;

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
    let (hidden, activation) = (steps.hidden.clone(), Activation::Relu);
    let architecture = Architecture { inputs: steps.columns, hidden, activation, outputs: 1 };
    let method = match &*steps.method {
        "sgd" => Method::Sgd { momentum: 0.0, nesterov: false },
        "adam" => Method::Adam,
        other => return Err(format!("no method '{other}' here").into()),
    };
    let mut learner = Learner::new(architecture, Objective::SquaredError, method, steps.batch, 0)?;
    learner.set_parameters(&steps.start)?;
    Ok(learner)
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

/// Whole epochs, each in an order of its own: shuffled, gathered, trained, the best parameters kept.
fn epochs(steps: Steps) -> Result<(), Box<dyn Error>> {
    let start = learner(&steps)?;
    let Steps { columns: inputs, design, response, rate, batch, count, .. } = steps;
    let rows = TrainingRows { inputs, design, response, weights: None, frequencies: None };
    let epochs = count as u64;
    let training = Training { rate, schedule: Schedule::Constant, warm_up: 0, epochs, patience: None };
    repeat(|| {
        let mut learner = start.clone();
        training.run(&mut learner, &mut MemoryFeed::new(&rows, batch, Some(1)), None, &mut ())?;
        Ok(vec![("parameters", learner.parameters().iter().map(|&value| value.into()).collect())])
    })
}

/// Networks that know nothing of each other, dealt to the threads.
fn ensemble(steps: &Steps, threads: usize) -> Result<(), Box<dyn Error>> {
    let mut members = Vec::new();
    for member in 0..MEMBERS {
        let mut learner = learner(steps)?;
        let factor = 1.0 + 0.1 * f32::from(member);
        learner.set_parameters(&steps.start.iter().map(|value| factor * value).collect::<Vec<f32>>())?;
        members.push(learner);
    }
    let last_losses = |members: &mut [Learner]| -> Vec<f64> {
        members.iter_mut().filter_map(|member| losses(steps, member).pop()).collect()
    };
    repeat(|| {
        let mut members = members.clone();
        let each = members.len().div_ceil(threads.max(1));
        let losses = std::thread::scope(|scope| {
            let parts: Vec<_> = members.chunks_mut(each).map(|part| scope.spawn(move || last_losses(part))).collect();
            parts.into_iter().flat_map(|part| part.join().unwrap_or_default()).collect()
        });
        Ok(vec![("last losses", losses)])
    })
}
