//! Microseconds of a training step: `step_speed`.

use std::time::Instant;

use noisefit_core::network::{Activation, Architecture, Learner, Objective, Targets, UpdateRule};

fn main() -> Result<(), noisefit_core::Error> {
    let sgd = UpdateRule::Sgd { momentum: 0.0, nesterov: false };
    for (inputs, hidden, method, batch) in [
        (10, vec![], sgd, 32),
        (10, vec![64, 32], UpdateRule::Adam, 32),
        (10, vec![64, 32], UpdateRule::Adam, 1024),
        (10, vec![256, 256], UpdateRule::Adam, 256),
    ] {
        for activation in if hidden.is_empty() { &Activation::ALL[..1] } else { &Activation::ALL[..] } {
            let architecture = Architecture {
                inputs,
                embeddings: vec![],
                pieces: Vec::new(),
                hidden: hidden.clone(),
                activation: *activation,
                outputs: 1,
            };
            let mut learner = Learner::new(architecture, Objective::SquaredError, method, batch, 1)?;
            let x: Vec<f32> = (0..batch * inputs).map(|i| ((i * 7919) % 1000) as f32 / 500.0 - 1.0).collect();
            let y: Vec<f32> = (0..batch).map(|i| x[i * inputs] + 0.5 * x[i * inputs + 1]).collect();
            let targets = Targets { response: &y, weights: None, frequencies: None };
            let mut best = f64::INFINITY;
            for _ in 0..5 {
                let (start, steps) = (Instant::now(), 200);
                for _ in 0..steps {
                    learner.step(&x, &targets, 1e-3);
                }
                best = best.min(start.elapsed().as_secs_f64() / f64::from(steps));
            }
            println!("{hidden:?} {activation} batch {batch}: {:.2} us", best * 1e6);
        }
    }
    Ok(())
}
