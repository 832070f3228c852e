//! Five networks, and the mixture of what they predict.

use noisefit_core::Error;
use noisefit_core::network::{Learner, TrainingRows};
use noisefit_core::noise::{Noise, StudentT};

use crate::data::{Set, scattered};
use crate::encoding::Encoding;
use crate::member;
use crate::mixture::{Calibration, Mixture};

/// The networks.
pub const MEMBERS: usize = 5;
/// The parts of the training rows.
const PARTS: usize = 20;
/// How many of the first `MEMBERS` parts each network is not shown; each of these rows is unseen by as many networks.
const UNSEEN: usize = 3;
/// The tails that calibration chooses from.
const DF: [f64; 13] = [0.7, 0.85, 1.0, 1.25, 1.5, 2.0, 2.5, 3.0, 4.0, 6.0, 10.0, 20.0, f64::INFINITY];

/// The mixtures of rows, of networks that were trained and calibrated on other rows.
pub fn predict(set: &Set, training: &[usize], rows: &[usize], seed: u64) -> Result<(Vec<Mixture>, Calibration), Error> {
    let encoding = Encoding::new(&set.inputs, &set.response, training);
    let mut order: Vec<(u64, usize)> = training.iter().map(|&row| (scattered(seed, row as u64), row)).collect();
    order.sort_unstable();
    let parts: Vec<(usize, usize)> = order.iter().enumerate().map(|(place, &(_, row))| (place % PARTS, row)).collect();
    let encoded = |rows: &[usize]| encoding.rows(&set.inputs, &set.response, rows);

    let shown = encoded(rows);
    let mut mixtures = vec![Mixture::default(); rows.len()];
    let mut unseen = vec![Mixture::default(); set.response.len()];
    for k in 0..MEMBERS {
        let is_unseen = |part: usize| part < MEMBERS && (part + MEMBERS - k) % MEMBERS < UNSEEN;
        let of = |wanted: bool| -> Vec<usize> {
            parts.iter().filter(|(part, _)| is_unseen(*part) == wanted).map(|(_, row)| *row).collect()
        };
        let (seen, held_out) = (of(false), of(true));
        let mut learner = member::train(&encoded(&seen), scattered(seed, u64::MAX - k as u64))?;
        for (mixture, component) in mixtures.iter_mut().zip(components(&mut learner, &shown, &encoding)) {
            mixture.components.push(component);
        }
        for (row, component) in held_out.iter().zip(components(&mut learner, &encoded(&held_out), &encoding)) {
            unseen[*row].components.push(component);
        }
    }
    let held_out = parts.iter().filter(|(part, _)| *part < MEMBERS);
    let held_out: Vec<(&Mixture, f64)> = held_out.map(|&(_, row)| (&unseen[row], set.response[row])).collect();
    Ok((mixtures, calibrate(&held_out)))
}

/// A network's location and log scale of every row, in units of the response.
fn components(learner: &mut Learner, rows: &TrainingRows, encoding: &Encoding) -> Vec<(f64, f64)> {
    let (mean, deviation) = encoding.response;
    let component = |pair: &[f32; 2]| (mean + deviation * f64::from(pair[0]), deviation.ln() + f64::from(pair[1]));
    learner.outputs(&rows.design).as_chunks().0.iter().map(component).collect()
}

/// The tails and the factor of the scales that are most likely in view of rows that the mixtures' networks were not shown.
fn calibrate(rows: &[(&Mixture, f64)]) -> Calibration {
    let loss = |calibration: &Calibration| {
        rows.iter().map(|(mixture, y)| mixture.negative_log_density(*y, calibration)).sum::<f64>()
    };
    let candidates = DF.map(|df| {
        let noise = match df.is_finite() {
            true => Noise::StudentT(StudentT::estimated(df)),
            false => Noise::Gaussian,
        };
        let of = |log_factor| Calibration { noise, log_factor };
        of(minimum(|log_factor| loss(&of(log_factor)), -3.0, 6.0))
    });
    candidates.into_iter().min_by(|a, b| loss(a).total_cmp(&loss(b))).unwrap_or(candidates[0])
}

/// Where a function with one valley between `low` and `high` is least, by golden sections.
fn minimum(function: impl Fn(f64) -> f64, mut low: f64, mut high: f64) -> f64 {
    const GOLDEN: f64 = 0.618_033_988_749_894_9;
    while high - low > 1e-3 {
        let (left, right) = (high - GOLDEN * (high - low), low + GOLDEN * (high - low));
        match function(left) < function(right) {
            true => high = right,
            false => low = left,
        }
    }
    0.5 * (low + high)
}
