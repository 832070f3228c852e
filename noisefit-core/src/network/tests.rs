//! The gradient of every objective through every activation, against differences of a network in doubles.

use super::*;
use crate::noise::{Huber, Noise, NoiseFamily, Parameter, StudentT};
use crate::record::Reason;
use crate::rows::scattered;

/// A number between -1 and 1.
fn number(place: usize) -> f64 {
    2.0 * (scattered(11, place as u64) >> 11) as f64 / (1u64 << 53) as f64 - 1.0
}

/// The outputs of a network in doubles, as its definition says.
fn outputs(architecture: &Architecture, parameters: &[f64], input: &[f64]) -> Vec<f64> {
    let layers = architecture.layers();
    let is_embedded = |i: &usize| architecture.embeddings.iter().any(|embedding| embedding.inputs.contains(i));
    let mut values: Vec<f64> = (0..input.len()).filter(|i| !is_embedded(i)).map(|i| input[i]).collect();
    for (embedding, weights) in architecture.embeddings.iter().zip(architecture.embedding_weights()) {
        let weight = |i: usize, j: usize| parameters[weights.start + i * embedding.width + j];
        let sum = |j| embedding.inputs.clone().enumerate().map(|(i, place)| weight(i, j) * input[place]).sum::<f64>();
        values.extend((0..embedding.width).map(sum));
    }
    for pieces in &architecture.pieces {
        // Twice the part of the piece that lies below the input over its length, less one.
        let part = |ends: &[f32]| {
            let [low, high, x] = [f64::from(ends[0]), f64::from(ends[1]), input[pieces.input]];
            2.0 * (x.max(low).min(high) - low) / (high - low) - 1.0
        };
        values.extend(pieces.knots.windows(2).map(part));
    }
    for (place, layer) in layers.iter().enumerate() {
        let linear = |j: usize| {
            let weight = |i: usize| parameters[layer.weights.start + i * layer.outputs + j];
            parameters[layer.bias.start + j] + values.iter().enumerate().map(|(i, x)| x * weight(i)).sum::<f64>()
        };
        let linear: Vec<f64> = (0..layer.outputs).map(linear).collect();
        values = match place + 1 == layers.len() {
            true => linear,
            false => linear.iter().map(|&z| activation(architecture.activation, z)).collect(),
        };
    }
    values
}

fn activation(activation: Activation, z: f64) -> f64 {
    match activation {
        Activation::Relu => z.max(0.0),
        Activation::Tanh => z.tanh(),
        Activation::Gelu => 0.5 * z * libm::erfc(-z / 2f64.sqrt()),
        Activation::Silu => z / (1.0 + (-z).exp()),
    }
}

/// The mean loss in doubles.
fn loss(objective: &Objective, outputs: &[Vec<f64>], y: &[f64], w: &[f64], f: &[f64], noise: &[f64]) -> f64 {
    let check = |e: f64, tau: f64| e * if e < 0.0 { tau - 1.0 } else { tau };
    let row = |i: usize| {
        let (out, root) = (&outputs[i], w[i].sqrt());
        let e = root * (y[i] - out[0]);
        match objective {
            Objective::SquaredError => e * e,
            Objective::AbsoluteError => e.abs(),
            Objective::Huber { delta } if e.abs() < *delta => 0.5 * e * e,
            Objective::Huber { delta } => delta * (e.abs() - 0.5 * delta),
            Objective::Quantiles(levels) => {
                let mut quantile = 0.0;
                let part = |(k, tau): (usize, &f64)| {
                    quantile += if k == 0 { out[0] } else { out[k].exp().ln_1p() };
                    check(root * (y[i] - quantile), *tau)
                };
                levels.iter().enumerate().map(part).sum::<f64>() / levels.len() as f64
            }
            Objective::Likelihood { noise: family, modelled } => {
                let log_scale = if *modelled { out[1] } else { noise[0] };
                let family = match family {
                    Noise::StudentT(StudentT { df: Parameter::Estimated(_) }) => {
                        let df = 0.5 * (1.0 + (-noise[noise.len() - 1]).exp());
                        Noise::StudentT(StudentT::estimated(df))
                    }
                    other => *other,
                };
                family.family().negative_log_density(e / log_scale.exp()) + log_scale - root.ln()
            }
        }
    };
    (0..y.len()).map(|i| f[i] * row(i)).sum::<f64>() / f.iter().sum::<f64>()
}

#[test]
fn gradients_are_those_of_differences() {
    let likelihood = |noise: Noise, modelled: bool| Objective::Likelihood { noise, modelled };
    let student_t = [StudentT::new(4.0), StudentT::estimated(4.0)].map(Noise::StudentT);
    let huber = Noise::Huber(Huber::new(1.2));
    let mut objectives = vec![
        Objective::SquaredError,
        Objective::AbsoluteError,
        Objective::Huber { delta: 0.7 },
        Objective::Quantiles(vec![0.5]),
        Objective::Quantiles(vec![0.1, 0.5, 0.9]),
    ];
    for noise in [Noise::Gaussian, Noise::Laplace, Noise::Logistic, huber, student_t[0], student_t[1]] {
        objectives.extend([likelihood(noise, false), likelihood(noise, true)]);
    }
    let (rows, inputs) = (70, 3);
    let x: Vec<f64> = (0..rows * inputs).map(|i| f64::from(number(i) as f32)).collect();
    let y: Vec<f64> = (0..rows).map(|i| f64::from(2.0 * number(1000 + i) as f32)).collect();
    let w: Vec<f64> = (0..rows).map(|i| f64::from((1.5 + number(2000 + i)) as f32)).collect();
    let f: Vec<f64> = (0..rows).map(|i| (1 + i % 3) as f64).collect();
    let single = |values: &[f64]| values.iter().map(|&value| value as f32).collect::<Vec<f32>>();
    let (x32, y32, w32, f32s) = (single(&x), single(&y), single(&w), single(&f));
    for objective in &objectives {
        let cut = |input: usize, knots: &[f32]| Pieces { input, knots: knots.to_vec() };
        for (hidden, embeddings, pieces) in [
            (vec![], vec![], vec![]),
            (vec![5], vec![], vec![]),
            (vec![6, 4], vec![], vec![]),
            (vec![5], vec![Embedding { inputs: 1..3, width: 4 }], vec![]),
            (vec![5], vec![], vec![cut(0, &[-0.6, 0.1, 0.4]), cut(2, &[-0.5, 0.5])]),
            (vec![5], vec![Embedding { inputs: 1..3, width: 4 }], vec![cut(0, &[-0.3, 0.0, 0.7, 2.0])]),
        ] {
            for activation in if hidden.is_empty() { &Activation::ALL[..1] } else { &Activation::ALL[..] } {
                let architecture = Architecture {
                    inputs,
                    embeddings: embeddings.clone(),
                    pieces: pieces.clone(),
                    hidden: hidden.clone(),
                    activation: *activation,
                    outputs: objective.outputs(),
                };
                let count = architecture.parameters();
                let noise = objective.initial();
                let all: Vec<f64> = (0..count)
                    .map(|k| f64::from((0.8 * number(5000 + k)) as f32))
                    .chain(noise.iter().enumerate().map(|(k, v)| f64::from(v + 0.1 * (k as f32 + 1.0))))
                    .collect();
                let at = |all: &[f64]| {
                    let outputs: Vec<Vec<f64>> =
                        x.chunks(inputs).map(|row| outputs(&architecture, &all[..count], row)).collect();
                    loss(objective, &outputs, &y, &w, &f, &all[count..])
                };
                let parameters = single(&all);
                let mut workspace = Workspace::new(&architecture, rows);
                workspace.forward(&parameters[..count], &x32);
                let targets = Targets { response: &y32, weights: Some(&w32), frequencies: Some(&f32s) };
                let mut gradient = vec![0.0; all.len()];
                let (weights, by_noise) = gradient.split_at_mut(count);
                let (outputs, by_output) = workspace.output_gradient();
                let value = objective.evaluate(outputs, &targets, &parameters[count..], by_output, by_noise);
                workspace.backward(&parameters[..count], &x32, weights);
                let what = format!("{objective:?} {architecture:?}");
                assert!((value - at(&all)).abs() < 1e-5 * (1.0 + value.abs()), "{what}: {value} {}", at(&all));
                for k in 0..all.len() {
                    let moved = |by: f64| {
                        let mut all = all.clone();
                        all[k] += by;
                        at(&all)
                    };
                    let step = 1e-6;
                    let expected = (moved(step) - moved(-step)) / (2.0 * step);
                    let found = f64::from(gradient[k]);
                    assert!(
                        (found - expected).abs() < 2e-5 * (1.0 + expected.abs()),
                        "{what}, {k}: {found} {expected}"
                    );
                }
            }
        }
    }
}

/// y = 1 + 2x + noise of standard deviation 0.1, x between -1 and 1.
fn line(rows: usize) -> TrainingRows {
    let x: Vec<f64> = (0..rows).map(number).collect();
    let noise = |i: usize| 0.1 * crate::noise::Gaussian.sample(0.5 * (1.0 + number(70_000 + i)));
    let y = x.iter().enumerate().map(|(i, x)| (1.0 + 2.0 * x + noise(i)) as f32).collect();
    TrainingRows { inputs: 1, design: x.iter().map(|&x| x as f32).collect(), response: y, ..TrainingRows::default() }
}

/// Least squares in doubles: slope, intercept, mean squared error.
fn least_squares(rows: &TrainingRows) -> [f64; 3] {
    let n = rows.len() as f64;
    let pairs = || rows.design.iter().zip(&rows.response).map(|(x, y)| (f64::from(*x), f64::from(*y)));
    let (mx, my) = (pairs().map(|(x, _)| x).sum::<f64>() / n, pairs().map(|(_, y)| y).sum::<f64>() / n);
    let slope =
        pairs().map(|(x, y)| (x - mx) * (y - my)).sum::<f64>() / pairs().map(|(x, _)| (x - mx).powi(2)).sum::<f64>();
    let intercept = my - slope * mx;
    [slope, intercept, pairs().map(|(x, y)| (y - intercept - slope * x).powi(2)).sum::<f64>() / n]
}

#[test]
fn a_line_is_learned_to_its_closed_form() {
    let rows = line(100);
    let [slope, intercept, floor] = least_squares(&rows);
    let architecture = Architecture {
        inputs: 1,
        embeddings: vec![],
        pieces: Vec::new(),
        hidden: vec![],
        activation: Activation::Relu,
        outputs: 1,
    };
    let sgd = UpdateRule::Sgd { momentum: 0.0, nesterov: false };
    let training = Training {
        rate: 0.1,
        schedule: Schedule::Constant,
        warm_up: 0,
        epochs: 1000,
        common_scale: 0,
        scale_rate: None,
        patience: None,
    };
    // All rows a step.
    let mut learner = Learner::new(architecture.clone(), Objective::SquaredError, sgd, 100, 0).unwrap();
    let trained = training.run(&mut learner, &mut MemoryFeed::new(&rows, 100, None), None, None, &mut ()).unwrap();
    assert_eq!((trained.epochs.len(), trained.termination.iterations), (1000, 1000));
    assert!((f64::from(learner.parameters()[0]) - slope).abs() < 1e-4, "{slope} {:?}", learner.parameters());
    assert!((f64::from(learner.parameters()[1]) - intercept).abs() < 1e-4, "{intercept}");
    assert!(
        (learner.mean_loss(&rows) / floor - 1.0).abs() < 1e-5
            && (trained.best_loss.unwrap() / floor - 1.0).abs() < 1e-5
    );
    // Small batches in random orders, with a rate that falls.
    let training = Training { schedule: Schedule::Cosine, ..training };
    let mut learner = Learner::new(architecture, Objective::SquaredError, sgd, 10, 0).unwrap();
    training.run(&mut learner, &mut MemoryFeed::new(&rows, 10, Some(3)), None, None, &mut ()).unwrap();
    assert!((f64::from(learner.parameters()[0]) - slope).abs() < 1e-3, "{slope} {:?}", learner.parameters());
}

#[test]
fn what_diverges_stops_and_keeps_the_best() {
    let rows = line(50);
    let architecture = Architecture {
        inputs: 1,
        embeddings: vec![],
        pieces: Vec::new(),
        hidden: vec![],
        activation: Activation::Relu,
        outputs: 1,
    };
    let sgd = UpdateRule::Sgd { momentum: 0.0, nesterov: false };
    let training = Training {
        rate: 30.0,
        schedule: Schedule::Constant,
        warm_up: 0,
        epochs: 100,
        common_scale: 0,
        scale_rate: None,
        patience: None,
    };
    let mut learner = Learner::new(architecture, Objective::SquaredError, sgd, 50, 0).unwrap();
    let trained = training.run(&mut learner, &mut MemoryFeed::new(&rows, 50, None), None, None, &mut ()).unwrap();
    assert_eq!(trained.termination.reason, Reason::Diverged);
    assert!(!trained.termination.converged && learner.parameters().iter().all(|p| p.is_finite()));
}

#[test]
fn training_stops_when_validation_no_longer_gains() {
    let (rows, held_out) = (line(60), line(100));
    let architecture = Architecture {
        inputs: 1,
        embeddings: vec![],
        pieces: Vec::new(),
        hidden: vec![32],
        activation: Activation::Tanh,
        outputs: 2,
    };
    let objective = Objective::Likelihood { noise: Noise::Gaussian, modelled: true };
    let mut learner = Learner::new(architecture, objective, UpdateRule::Adam, 20, 5).unwrap();
    let training = Training {
        rate: 0.01,
        schedule: Schedule::Constant,
        warm_up: 10,
        epochs: 3000,
        common_scale: 0,
        scale_rate: None,
        patience: Some(40),
    };
    let mut feed = MemoryFeed::new(&rows, 20, Some(1));
    let trained = training.run(&mut learner, &mut feed, Some(&held_out), None, &mut ()).unwrap();
    assert_eq!(trained.termination.reason, Reason::Patience);
    assert_eq!(trained.epochs.len() as u64, trained.best_epoch + 41);
    assert_eq!(Some(learner.mean_loss(&held_out)), trained.best_loss);
    // The negative log-likelihood of noise of standard deviation 0.1 is ln(0.1 sqrt(2 pi e)) = -0.884.
    assert!((-0.95..-0.7).contains(&trained.best_loss.unwrap()), "{:?}", trained.best_loss);
}

#[test]
fn full_batches_reach_the_closed_form_and_a_network_its_minimum() {
    let rows = line(300);
    let [slope, intercept, floor] = least_squares(&rows);
    let architecture = Architecture {
        inputs: 1,
        embeddings: vec![],
        pieces: Vec::new(),
        hidden: vec![],
        activation: Activation::Relu,
        outputs: 1,
    };
    let mut learner = Learner::new(architecture, Objective::SquaredError, UpdateRule::Adam, 128, 0).unwrap();
    let trained = minimise(&mut learner, &rows, 0.0, (200, None), None, &mut ()).unwrap();
    assert!(trained.termination.converged && trained.epochs.len() < 30, "{trained:?}");
    let found = learner.parameters();
    assert!((f64::from(found[0]) / slope - 1.0).abs() < 1e-5 && (f64::from(found[1]) / intercept - 1.0).abs() < 1e-5);
    // The likelihood's own scale is the root of the mean squared error.
    let architecture = Architecture {
        inputs: 1,
        embeddings: vec![],
        pieces: Vec::new(),
        hidden: vec![],
        activation: Activation::Relu,
        outputs: 1,
    };
    let objective = Objective::Likelihood { noise: Noise::Gaussian, modelled: false };
    let mut learner = Learner::new(architecture, objective, UpdateRule::Adam, 128, 0).unwrap();
    minimise(&mut learner, &rows, 0.0, (200, None), None, &mut ()).unwrap();
    let found = learner.parameters();
    assert!((f64::from(found[2]).exp() / floor.sqrt() - 1.0).abs() < 1e-4, "{found:?} {}", floor.sqrt());
    // With a penalty the slope of least squares shrinks as ridge regression's does: both coefficients are penalised.
    let architecture = Architecture {
        inputs: 1,
        embeddings: vec![],
        pieces: Vec::new(),
        hidden: vec![],
        activation: Activation::Relu,
        outputs: 1,
    };
    let mut learner = Learner::new(architecture, Objective::SquaredError, UpdateRule::Adam, 128, 0).unwrap();
    minimise(&mut learner, &rows, 0.5, (200, None), None, &mut ()).unwrap();
    let n = rows.len() as f64;
    let mean = |f: &dyn Fn(f64, f64) -> f64| {
        rows.design.iter().zip(&rows.response).map(|(x, y)| f(f64::from(*x), f64::from(*y))).sum::<f64>() / n
    };
    let (xx, x, xy, y) = (mean(&|x, _| x * x), mean(&|x, _| x), mean(&|x, y| x * y), mean(&|_, y| y));
    // (2 X'X / n + decay) b = 2 X'y / n.
    let (a, b, c) = (2.0 * xx + 0.5, 2.0 * x, 2.0 + 0.5);
    let determinant = a * c - b * b;
    let ridge = [(2.0 * xy * c - b * 2.0 * y) / determinant, (a * 2.0 * y - b * 2.0 * xy) / determinant];
    for (found, expected) in learner.parameters().iter().zip(ridge) {
        assert!((f64::from(*found) / expected - 1.0).abs() < 1e-4, "{found} {expected}");
    }
}
