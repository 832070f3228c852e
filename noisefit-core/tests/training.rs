//! Training beside PyTorch's: the same network, first parameters, rows and optimiser give the same losses.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use noisefit_core::network::{Activation, Architecture, Learner, Objective, Targets, UpdateRule};
use noisefit_core::noise::{Noise, StudentT};
use serde_json::Value;

const ROWS: usize = 48;
const INPUTS: usize = 3;
const BATCH: usize = 16;

/// The data of the reference: formulas, rounded to singles.
fn data() -> (Vec<f32>, Vec<f32>) {
    let x = |i: usize, j: usize| ((i * 7919 + j * 104_729) % 1000) as f64 / 500.0 - 1.0;
    let design = (0..ROWS).flat_map(|i| (0..INPUTS).map(move |j| x(i, j) as f32)).collect();
    let y = |i: usize| x(i, 0) - 0.5 * x(i, 1) * x(i, 2) + ((i * 31) % 17) as f64 / 17.0 - 0.5;
    (design, (0..ROWS).map(|i| y(i) as f32).collect())
}

fn objective(name: &str) -> Objective {
    let likelihood = |noise| Objective::Likelihood { noise, modelled: true };
    match name {
        "mse" => Objective::SquaredError,
        "mae" => Objective::AbsoluteError,
        "huber" => Objective::Huber { delta: 0.5 },
        "pinball" => Objective::Quantiles(vec![0.9]),
        "gaussian_nll" => likelihood(Noise::Gaussian),
        "laplace_nll" => likelihood(Noise::Laplace),
        "student_t_nll" => likelihood(Noise::StudentT(StudentT::new(4.0))),
        other => panic!("no objective {other}"),
    }
}

/// UpdateRule, learning rate, weight decay.
fn optimizer(name: &str) -> (UpdateRule, f64, f64) {
    let sgd = |momentum, nesterov| UpdateRule::Sgd { momentum, nesterov };
    match name {
        "sgd" => (sgd(0.0, false), 0.05, 0.01),
        "momentum" => (sgd(0.9, false), 0.02, 0.0),
        "nesterov" => (sgd(0.9, true), 0.02, 0.0),
        "adam" => (UpdateRule::Adam, 0.01, 0.01),
        "adamw" => (UpdateRule::AdamW, 0.01, 0.05),
        other => panic!("no optimizer {other}"),
    }
}

#[test]
fn losses_are_those_of_pytorch() {
    let text = include_str!("../../testdata/reference/training.json");
    let reference: Value = serde_json::from_str(text).unwrap();
    let numbers = |value: &Value| value.as_array().unwrap().iter().map(|v| v.as_f64().unwrap()).collect::<Vec<f64>>();
    let kept = numbers(&reference["steps"]);
    let (x, y) = data();
    let cases = reference["cases"].as_array().unwrap();
    assert_eq!(cases.len(), 60);
    let mut worst = 0.0f64;
    for case in cases {
        let name = |field: &str| case[field].as_str().unwrap();
        let objective = objective(name("loss"));
        let (method, rate, decay) = optimizer(name("optimizer"));
        let activation: Activation = name("activation").parse().unwrap();
        let architecture = Architecture {
            inputs: INPUTS,
            embeddings: vec![],
            pieces: Vec::new(),
            hidden: vec![8, 5],
            activation,
            outputs: objective.outputs(),
        };
        let start: Vec<f32> = (0..architecture.parameters())
            .map(|k| (((12_345 * k + 6789) % 2000) as f64 / 1000.0 - 1.0) / 2.0)
            .map(|value| value as f32)
            .collect();
        let mut learner = Learner::new(architecture, objective, method, BATCH, 0).unwrap().with_decay(decay);
        learner.set_parameters(&start).unwrap();
        let losses: Vec<f64> = (0..200)
            .map(|step| {
                let first = step * BATCH % ROWS;
                let rows = first..first + BATCH;
                let targets = Targets { response: &y[rows.clone()], weights: None, frequencies: None };
                learner.step(&x[rows.start * INPUTS..rows.end * INPUTS], &targets, rate)
            })
            .collect();
        for (step, expected) in kept.iter().zip(numbers(&case["losses"])) {
            let found = losses[*step as usize];
            let error = (found - expected).abs() / (1.0 + expected.abs());
            worst = worst.max(error);
            let what = format!("{} {} {}", name("optimizer"), name("loss"), name("activation"));
            // Rounding of singles, carried through so many steps.
            assert!(error < 2e-5, "{what}, step {step}: {found} {expected}");
        }
    }
    println!("worst {worst:e}");
}
