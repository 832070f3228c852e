//! The losses of 200 steps for every objective and optimiser: what `testdata/reference/training.py` computes by PyTorch.

use std::error::Error;

use noisefit_core::network::{Architecture, Learner, Objective, Targets, UpdateRule};
use noisefit_core::noise::{Huber, Noise, StudentT};

use crate::protocol::{Numbers, repeat};

const ROWS: usize = 48;
const INPUTS: usize = 3;
const BATCH: usize = 16;
const STEPS: usize = 200;

/// Serves the traces of the cases, each an optimiser, a loss and an activation.
pub fn run(cases: &[&str]) -> Result<(), Box<dyn Error>> {
    repeat(|| cases.iter().map(|case| Ok(((*case).to_owned(), losses(case)?))).collect::<Result<Numbers<String>, _>>())
}

fn losses(case: &str) -> Result<Vec<f64>, Box<dyn Error>> {
    let [optimizer, loss, activation] = case.split(' ').collect::<Vec<_>>()[..] else {
        return Err(format!("'{case}': OPTIMIZER LOSS ACTIVATION").into());
    };
    let objective = objective(loss)?;
    let (method, rate, decay) = method(optimizer)?;
    let outputs = objective.outputs();
    let (hidden, activation) = (vec![8, 5], activation.parse()?);
    let architecture = Architecture { inputs: INPUTS, embeddings: Vec::new(), pieces: Vec::new(), hidden, activation, outputs };
    let mut learner = start(architecture, objective, method)?.with_decay(decay);
    let (x, y) = data();
    let step = |step: usize| {
        let first = step * BATCH % ROWS;
        let targets = Targets { response: &y[first..first + BATCH], weights: None, frequencies: None };
        learner.step(&x[first * INPUTS..(first + BATCH) * INPUTS], &targets, rate)
    };
    Ok((0..STEPS).map(step).collect())
}

/// The data, formulas rounded to singles.
fn data() -> (Vec<f32>, Vec<f32>) {
    let x = |i: usize, j: usize| ((i * 7919 + j * 104_729) % 1000) as f64 / 500.0 - 1.0;
    let y = |i: usize| x(i, 0) - 0.5 * x(i, 1) * x(i, 2) + ((i * 31) % 17) as f64 / 17.0 - 0.5;
    let design = (0..ROWS).flat_map(|i| (0..INPUTS).map(move |j| x(i, j) as f32)).collect();
    (design, (0..ROWS).map(|i| y(i) as f32).collect())
}

/// A learner with the first parameters.
fn start(architecture: Architecture, objective: Objective, method: UpdateRule) -> Result<Learner, Box<dyn Error>> {
    let value = |k: usize| ((((12_345 * k + 6789) % 2000) as f64 / 1000.0 - 1.0) / 2.0) as f32;
    let parameters: Vec<f32> = (0..architecture.parameters()).map(value).chain(objective.initial()).collect();
    let mut learner = Learner::new(architecture, objective, method, BATCH, 0)?;
    learner.set_parameters(&parameters)?;
    Ok(learner)
}

fn objective(name: &str) -> Result<Objective, Box<dyn Error>> {
    let modelled = |noise| Objective::Likelihood { noise, modelled: true };
    let common = |noise| Objective::Likelihood { noise, modelled: false };
    Ok(match name {
        "mse" => Objective::SquaredError,
        "mae" => Objective::AbsoluteError,
        "huber" => Objective::Huber { delta: 0.5 },
        "pinball" => Objective::Quantiles(vec![0.9]),
        "gaussian_nll" => modelled(Noise::Gaussian),
        "laplace_nll" => modelled(Noise::Laplace),
        "student_t_nll" => modelled(Noise::StudentT(StudentT::new(4.0))),
        "logistic_nll" => modelled(Noise::Logistic),
        "huber_nll" => modelled(Noise::Huber(Huber::new(1.345))),
        "quantiles" => Objective::Quantiles(vec![0.1, 0.5, 0.9]),
        "gaussian_nll_common" => common(Noise::Gaussian),
        "student_t_nll_df" => common(Noise::StudentT(StudentT::estimated(4.0))),
        other => return Err(format!("no loss '{other}' here").into()),
    })
}

/// Update rule, learning rate, weight decay.
fn method(name: &str) -> Result<(UpdateRule, f64, f64), Box<dyn Error>> {
    let sgd = |momentum, nesterov| UpdateRule::Sgd { momentum, nesterov };
    Ok(match name {
        "sgd" => (sgd(0.0, false), 0.05, 0.01),
        "momentum" => (sgd(0.9, false), 0.02, 0.0),
        "nesterov" => (sgd(0.9, true), 0.02, 0.0),
        "adam" => (UpdateRule::Adam, 0.01, 0.01),
        "adamw" => (UpdateRule::AdamW, 0.01, 0.05),
        other => return Err(format!("no optimiser '{other}' here").into()),
    })
}
