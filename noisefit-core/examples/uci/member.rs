//! The recipe of one network. What is fixed here was chosen on parts of the training rows, and is the same for all sets.

use noisefit_core::Error;
use noisefit_core::network::{
    Activation, Architecture, Learner, MemoryFeed, Objective, Schedule, Training, TrainingRows, UpdateRule,
};
use noisefit_core::noise::{Noise, StudentT};

use crate::data::scattered;

const HIDDEN: [usize; 2] = [64, 64];
const ACTIVATION: Activation = Activation::Silu;
/// Rows that are learned from in a step.
const BATCH: usize = 32;
/// Tails that forgive the few rows that are far off; calibration chooses others.
const NOISE: Noise = Noise::StudentT(StudentT::new(3.0));
const DECAY: f64 = 0.1;
const LONGEST_GRADIENT: f64 = 10.0;
/// Steps, and the learning rate to begin with, while one scale holds for all rows, and then with a scale for each.
const STAGES: [(usize, f64); 2] = [(5000, 3e-3), (2000, 1e-3)];
const WARM_UP: u64 = 200;

/// A trained network, with the location and the logarithm of the scale as its outputs.
///
/// The location is learned first: a network that learns a scale along with it takes what it has not learned yet for noise,
/// and then has little reason to learn it (Seitzer, Tavakoli, Antic and Martius 2022, *ICLR*).
pub fn train(rows: &TrainingRows, seed: u64) -> Result<Learner, Error> {
    let [first, second] = STAGES;
    let located = stage(rows, first, scattered(seed, 0), None)?;
    stage(rows, second, scattered(seed, 1), Some(&located))
}

/// Trains a network from the start, with one scale, or from another such network, with a scale for each row.
fn stage(rows: &TrainingRows, steps: (usize, f64), seed: u64, before: Option<&Learner>) -> Result<Learner, Error> {
    let objective = Objective::Likelihood { noise: NOISE, modelled: before.is_some() };
    let architecture = Architecture {
        inputs: rows.inputs,
        embeddings: Vec::new(),
        hidden: HIDDEN.to_vec(),
        activation: ACTIVATION,
        outputs: objective.outputs(),
    };
    let start = before.map(|located| with_scale_output(&architecture, located.parameters()));
    let mut learner = Learner::new(architecture, objective, UpdateRule::AdamW, BATCH, seed)?
        .with_decay(DECAY)
        .with_clip(LONGEST_GRADIENT);
    if let Some(start) = start {
        learner.set_parameters(&start)?;
    }
    let (steps, rate) = steps;
    let epochs = steps.div_ceil(rows.len().div_ceil(BATCH)) as u64;
    let training =
        Training { rate, schedule: Schedule::Cosine, warm_up: WARM_UP, epochs, common_scale: 0, patience: None };
    training.run(&mut learner, &mut MemoryFeed::new(rows, BATCH, Some(seed)), None, None, &mut ())?;
    Ok(learner)
}

/// The parameters of a network with a location and one scale, as those of `architecture`, whose second output begins as that
/// scale for every row.
fn with_scale_output(architecture: &Architecture, located: &[f32]) -> Vec<f32> {
    let layers = architecture.layers();
    let Some(last) = layers.last() else { return Vec::new() };
    let (hidden, last_layer) = located.split_at(last.weights.start);
    let (weights, bias_and_scale) = last_layer.split_at(last.inputs);
    let mut parameters = hidden.to_vec();
    parameters.extend(weights.iter().flat_map(|weight| [*weight, 0.0]));
    parameters.extend(bias_and_scale);
    parameters
}
