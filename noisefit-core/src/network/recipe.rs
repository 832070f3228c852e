//! The plan that does best on tables of many sizes.

use crate::network::{Activation, LeftOut, Plan, Schedule, Solver, Training, UpdateRule};

/// Rows of a step where there are few.
const LEAST_BATCH: u64 = 32;

/// Rows of a step at most.
const MOST_BATCH: u64 = 4096;

/// Steps of the first stage, in which one scale holds for all rows, and of the second, in which each row has its own.
const STAGES: [u64; 2] = [5000, 2000];

/// Epochs of each that are made however many rows there are.
const LEAST_EPOCHS: [u64; 2] = [4, 2];

impl Plan {
    /// What is done where nothing is said, for so many rows: numbers are read by pieces of their range, the location is learned before
    /// the scale, by AdamW with weight decay, in an ensemble each of whose members does without some rows, on which all are calibrated.
    ///
    /// What is fixed was chosen on parts of the training rows of small tables (docs/uci.md). Few rows have more members with more rows
    /// left out, and are gone through thousands of times; of many a step takes more, and some epochs do.
    ///
    /// ```
    /// use noisefit_core::network::Plan;
    ///
    /// let (few, many) = (Plan::suited(100, true), Plan::suited(1_000_000, true));
    /// assert!(few.members > many.members && few.training.epochs > 100 * many.training.epochs);
    /// ```
    pub fn suited(rows: u64, models_scale: bool) -> Plan {
        let batch = (rows as f64).sqrt().log2().floor().exp2() as u64;
        let batch = batch.clamp(LEAST_BATCH, MOST_BATCH);
        let (members, left_out) = match rows {
            // All rows calibrate where there are so few.
            ..200 => (10, LeftOut { parts: 10, each: 2 }),
            200..5_000 => (5, LeftOut::of_members(5, 20)),
            5_000..100_000 => (5, LeftOut::of_members(5, 50)),
            _ => (5, LeftOut::of_members(5, 100)),
        };
        let shown = rows - rows * left_out.each as u64 / left_out.parts as u64;
        let steps = shown.div_ceil(batch).max(1);
        let [first, second] = [0, 1].map(|stage| STAGES[stage].div_ceil(steps).max(LEAST_EPOCHS[stage]));
        let common_scale = if models_scale { first } else { 0 };
        let plain = Plan::default();
        Plan {
            hidden: vec![64, 64],
            activation: Activation::Silu,
            pieces: 8,
            models_scale,
            solver: Solver::Steps { method: UpdateRule::AdamW, batch: Some(batch as usize), shuffle: true },
            decay: 0.1,
            clip: Some(10.0),
            training: Training {
                rate: 3e-3,
                schedule: Schedule::Cosine,
                warm_up: 200,
                epochs: if models_scale { first + second } else { first },
                common_scale,
                scale_rate: models_scale.then_some(1e-3),
                patience: None,
            },
            validation: 0.0,
            left_out: Some(left_out),
            members,
            ..plain
        }
    }

    /// The same in a tenth of the epochs, for rows whose noise a long training learns by heart; none where there are so many rows, and so
    /// few epochs, that none does.
    pub fn shortened(&self) -> Option<Plan> {
        let training = &self.training;
        let (first, second) = match training.common_scale {
            0 => (training.epochs, 0),
            common => (common, training.epochs.saturating_sub(common)),
        };
        let short = |epochs: u64| if epochs == 0 { 0 } else { (epochs / SHORTER).max(1) };
        if first < LEAST_EPOCHS[0] * SHORTER {
            return None;
        }
        let common_scale = if training.common_scale == 0 { 0 } else { short(first) };
        let training = Training {
            warm_up: training.warm_up / SHORTER,
            epochs: short(first) + short(second),
            common_scale,
            ..training.clone()
        };
        Some(Plan { training, ..self.clone() })
    }
}

/// By how much a short training is shorter.
const SHORTER: u64 = 10;
