//! Full batches: the limited-memory quasi-Newton method of Broyden, Fletcher, Goldfarb and Shanno (Nocedal and Wright 2006,
//! *Numerical Optimization*, chapter 7).

use std::collections::VecDeque;
use std::ops::ControlFlow;

use crate::Error;
use crate::network::{Epoch, Learner, Observer, Step, Trained, TrainingRows};
use crate::record::{Reason, Termination};

/// Steps that are remembered.
const MEMORY: usize = 20;

/// What part of what its slope promises a step must gain.
const SUFFICIENT: f64 = 1e-4;

/// What part of it the slope must shrink to.
const FLAT: f64 = 0.9;

/// A relative fall of the loss that singles cannot tell from none.
const LEAST_GAIN: f64 = 1e-9;

/// Trials of a step's length at most.
const TRIALS: usize = 30;

/// Minimises a learner's mean loss over all rows, plus `decay |w|^2 / 2` over the parameters of the network; every step is told as an epoch. With
/// validation rows the parameters are those with which their mean loss is the least, and `patience` steps without a better one are the last.
///
/// # Errors
/// [`Error::NoRows`].
pub fn minimise(
    learner: &mut Learner,
    rows: &TrainingRows,
    decay: f64,
    (steps, patience): (u64, Option<u64>),
    validation: Option<&TrainingRows>,
    observer: &mut impl Observer,
) -> Result<Trained, Error> {
    if rows.is_empty() {
        return Err(Error::NoRows);
    }
    let mut at = Point::new(learner, rows, decay, learner.parameters().iter().map(|&p| f64::from(p)).collect());
    let mut memory: VecDeque<Pair> = VecDeque::new();
    if !at.objective().is_finite() {
        return Err(Error::Diverged(
            "the loss is not finite at the first parameters; choose other units or leave rows out".to_owned(),
        ));
    }
    let (mut epochs, mut reason, mut best) = (Vec::new(), Reason::Epochs, None::<Best>);
    for _ in 0..steps {
        // A search that led nowhere is no step.
        let epoch = epochs.len() as u64;
        let direction = direction(&at.gradient, &memory);
        let first = if memory.is_empty() { 1.0 / length(&at.gradient).max(1.0) } else { 1.0 };
        let Some((next, rate)) = search(learner, rows, decay, &at, &direction, first) else {
            // What a steepest descent would still gain is below the rounding of singles.
            if memory.is_empty() {
                reason = Reason::Gradient;
                break;
            }
            memory.clear();
            continue;
        };
        let pair = Pair::new(&at, &next);
        if pair.curvature > 0.0 {
            memory.push_back(pair);
            if memory.len() > MEMORY {
                memory.pop_front();
            }
        }
        let gained = at.objective() - next.objective();
        at = next;
        learner.set_parameters(&at.single())?;
        learner.set_gradient(&at.gradient);
        let held_out = validation.map(|rows| learner.mean_loss(rows));
        let watched = held_out.unwrap_or(at.loss);
        // Without validation rows every step is better than the last, the penalty counted.
        let is_best = validation.is_none() || best.as_ref().is_none_or(|best| watched < best.loss);
        if is_best {
            best = Some(Best { loss: watched, epoch, parameters: at.single() });
        }
        let gradient_norm = length(&at.gradient);
        let seen =
            Epoch { epoch, loss: at.loss, validation: held_out, rate, best: is_best, steps: epoch + 1, gradient_norm };
        let stepped = observer.step(&Step { epoch, step: epoch, loss: at.loss, rate, learner });
        let flow = observer.epoch(&seen, learner);
        epochs.push(seen);
        if ControlFlow::Break(()) == stepped || flow.is_break() {
            reason = Reason::Interrupted;
            break;
        }
        let since = best.as_ref().map_or(0, |best| best.epoch);
        if validation.is_some() && patience.is_some_and(|patience| epoch >= since.saturating_add(patience)) {
            reason = Reason::Patience;
            break;
        }
        if gained <= LEAST_GAIN * at.objective().abs().max(1e-12) {
            if memory.len() <= 1 {
                reason = Reason::Gradient;
                break;
            }
            memory.clear();
        }
    }
    let best = best.unwrap_or_else(|| Best { loss: at.loss, epoch: 0, parameters: at.single() });
    learner.set_parameters(&best.parameters)?;
    Ok(Trained {
        best_loss: Some(best.loss),
        best_epoch: best.epoch,
        termination: Termination {
            converged: reason == Reason::Gradient
                || validation.is_some() && matches!(reason, Reason::Epochs | Reason::Patience),
            reason,
            iterations: epochs.len() as u64,
            duality_gap: None,
        },
        epochs,
    })
}

/// The parameters of the step whose loss was the least.
struct Best {
    loss: f64,
    epoch: u64,
    parameters: Vec<f32>,
}

/// Parameters with the loss and its gradient there.
struct Point {
    parameters: Vec<f64>,
    loss: f64,
    /// What weight decay adds to it.
    penalty: f64,
    gradient: Vec<f64>,
}

impl Point {
    fn new(learner: &mut Learner, rows: &TrainingRows, decay: f64, parameters: Vec<f64>) -> Self {
        let mut gradient = vec![0.0; parameters.len()];
        let single: Vec<f32> = parameters.iter().map(|&p| p as f32).collect();
        let loss = learner.loss_and_gradient(&single, rows, &mut gradient);
        let mut penalty = 0.0;
        // The noise is not shrunk.
        for (g, p) in gradient.iter_mut().zip(&parameters).take(learner.architecture().parameters()) {
            penalty += 0.5 * decay * p * p;
            *g += decay * p;
        }
        Point { parameters, loss, penalty, gradient }
    }

    /// What is minimised.
    fn objective(&self) -> f64 {
        self.loss + self.penalty
    }

    fn single(&self) -> Vec<f32> {
        self.parameters.iter().map(|&p| p as f32).collect()
    }
}

/// A step and what it did to the gradient.
struct Pair {
    step: Vec<f64>,
    change: Vec<f64>,
    /// Their product.
    curvature: f64,
}

impl Pair {
    fn new(from: &Point, to: &Point) -> Self {
        let difference = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a - b).collect::<Vec<f64>>();
        let step = difference(&to.parameters, &from.parameters);
        let change = difference(&to.gradient, &from.gradient);
        let curvature = dot(&step, &change);
        Pair { step, change, curvature }
    }
}

/// Minus the approximate inverse of the second derivatives times the gradient.
fn direction(gradient: &[f64], memory: &VecDeque<Pair>) -> Vec<f64> {
    let mut q: Vec<f64> = gradient.iter().map(|g| -g).collect();
    let mut shares = Vec::with_capacity(memory.len());
    for pair in memory.iter().rev() {
        let share = dot(&pair.step, &q) / pair.curvature;
        add(&mut q, -share, &pair.change);
        shares.push(share);
    }
    if let Some(last) = memory.back() {
        let scale = last.curvature / dot(&last.change, &last.change);
        q.iter_mut().for_each(|q| *q *= scale);
    }
    for (pair, share) in memory.iter().zip(shares.iter().rev()) {
        let other = dot(&pair.change, &q) / pair.curvature;
        add(&mut q, share - other, &pair.step);
    }
    q
}

/// A step along the direction that meets Wolfe's conditions, by halving and doubling; none where no step gains.
fn search(
    learner: &mut Learner,
    rows: &TrainingRows,
    decay: f64,
    from: &Point,
    direction: &[f64],
    first: f64,
) -> Option<(Point, f64)> {
    let slope = dot(&from.gradient, direction);
    if !(slope < 0.0) {
        return None;
    }
    let (mut low, mut high, mut rate, mut best) = (0.0, f64::INFINITY, first, None::<(Point, f64)>);
    for _ in 0..TRIALS {
        let mut parameters = from.parameters.clone();
        add(&mut parameters, rate, direction);
        let point = Point::new(learner, rows, decay, parameters);
        let slope_there = dot(&point.gradient, direction);
        if !(point.objective() <= from.objective() + SUFFICIENT * rate * slope) {
            high = rate;
        } else {
            let steep = slope_there < FLAT * slope;
            if best.as_ref().is_none_or(|(best, _)| point.objective() < best.objective()) {
                best = Some((point, rate));
            }
            if !steep {
                return best;
            }
            low = rate;
        }
        rate = if high.is_finite() { 0.5 * (low + high) } else { 2.0 * rate };
    }
    best
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

fn add(to: &mut [f64], factor: f64, values: &[f64]) {
    to.iter_mut().zip(values).for_each(|(to, value)| *to += factor * value);
}

fn length(values: &[f64]) -> f64 {
    dot(values, values).sqrt()
}
