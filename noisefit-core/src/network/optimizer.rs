//! What a gradient does to the parameters.

use std::ops::Range;

use serde::{Deserialize, Serialize};

use crate::Error;
use crate::numeric::dispatch::vectorised;

/// How parameters follow their gradient. The formulas, and so the numbers, are those of PyTorch's optimisers.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(tag = "optimizer", rename_all = "kebab-case")]
pub enum UpdateRule {
    /// Gradient descent, perhaps with momentum: `v <- m v + g`, and a step along `v`, or with Nesterov's look ahead along
    /// `g + m v` (Sutskever et al. 2013).
    Sgd {
        /// How much of the last step is kept.
        momentum: f32,
        /// Whether it looks ahead.
        nesterov: bool,
    },
    /// Steps along the mean gradient over the root of the mean square (Kingma and Ba 2015), with the usual constants 0.9,
    /// 0.999 and 1e-8; weight decay is part of the gradient.
    Adam,
    /// Adam with weight decay apart from the gradient (Loshchilov and Hutter 2019).
    AdamW,
}

/// An optimiser and its memory.
#[derive(Debug, Clone)]
pub struct Optimizer {
    method: UpdateRule,
    /// What a step shrinks the parameters by, per unit of the learning rate.
    decay: f32,
    steps: u64,
    /// The mean gradient, or the velocity.
    first: Vec<f32>,
    /// The mean square.
    second: Vec<f32>,
}

/// Adam's memory of the gradient, of its square, and what the root is never less than.
const BETA: [f64; 2] = [0.9, 0.999];
const EPSILON: f32 = 1e-8;

impl Optimizer {
    /// An optimiser of so many parameters that has made no step.
    pub fn new(method: UpdateRule, decay: f32, parameters: usize) -> Self {
        let (first, second) = match method {
            UpdateRule::Sgd { momentum: 0.0, .. } => (0, 0),
            UpdateRule::Sgd { .. } => (parameters, 0),
            UpdateRule::Adam | UpdateRule::AdamW => (parameters, parameters),
        };
        Optimizer { method, decay, steps: 0, first: vec![0.0; first], second: vec![0.0; second] }
    }

    /// The optimiser with this weight decay.
    #[must_use]
    pub fn with_decay(self, decay: f32) -> Self {
        Optimizer { decay, ..self }
    }

    /// The number of steps made.
    pub fn steps(&self) -> u64 {
        self.steps
    }

    /// Forgets what it remembers, its steps among it.
    pub(crate) fn begin_anew(&mut self) {
        self.steps = 0;
        self.first.fill(0.0);
        self.second.fill(0.0);
    }

    /// What it remembers beside its steps.
    pub(crate) fn memory(&self) -> [&[f32]; 2] {
        [&self.first, &self.second]
    }

    /// Goes back to a memory.
    pub(crate) fn restore(&mut self, steps: u64, memory: [Vec<f32>; 2]) -> Result<(), Error> {
        for (own, other) in [&self.first, &self.second].into_iter().zip(&memory) {
            if own.len() != other.len() {
                let (expected, found) = (own.len(), other.len());
                return Err(Error::Shape { what: "the optimiser's memory", expected, found });
            }
        }
        self.steps = steps;
        [self.first, self.second] = memory;
        Ok(())
    }

    /// Moves the parameters against the gradient by a step of learning rate `rate`; weight decay is of the first `decayed` alone.
    pub fn step(&mut self, parameters: &mut [f32], gradient: &[f32], rate: f64, decayed: usize) {
        self.steps += 1;
        let decay = self.decay;
        self.update(0..decayed, parameters, gradient, rate, decay);
        self.update(decayed..gradient.len(), parameters, gradient, rate, 0.0);
    }

    fn update(&mut self, range: Range<usize>, parameters: &mut [f32], gradient: &[f32], rate: f64, decay: f32) {
        let steps = self.steps;
        let (parameters, gradient) = (&mut parameters[range.clone()], &gradient[range.clone()]);
        let Optimizer { first, second, .. } = self;
        let plain = rate as f32;
        match self.method {
            UpdateRule::Sgd { momentum: 0.0, .. } => vectorised(|| {
                for (p, g) in parameters.iter_mut().zip(gradient) {
                    *p -= plain * (g + decay * *p);
                }
            }),
            UpdateRule::Sgd { momentum, nesterov } => {
                // The first velocity is the first gradient.
                let kept = if steps == 1 { 0.0 } else { momentum };
                let first = &mut first[range];
                vectorised(|| {
                    for ((p, g), v) in parameters.iter_mut().zip(gradient).zip(first) {
                        let g = g + decay * *p;
                        *v = kept * *v + g;
                        *p -= plain * if nesterov { g + momentum * *v } else { *v };
                    }
                });
            }
            UpdateRule::Adam | UpdateRule::AdamW => {
                let shrink =
                    if self.method == UpdateRule::AdamW { (1.0 - rate * f64::from(decay)) as f32 } else { 1.0 };
                let added = if self.method == UpdateRule::AdamW { 0.0 } else { decay };
                let corrections = BETA.map(|beta| 1.0 - beta.powf(steps as f64));
                let size = (rate / corrections[0]) as f32;
                let root = corrections[1].sqrt() as f32;
                let [keep, keep_square] = BETA.map(|beta| beta as f32);
                let [take, take_square] = BETA.map(|beta| (1.0 - beta) as f32);
                let (first, second) = (&mut first[range.clone()], &mut second[range]);
                vectorised(|| {
                    for (((p, g), m), v) in parameters.iter_mut().zip(gradient).zip(first).zip(second) {
                        let own = *p * shrink;
                        let g = g + added * *p;
                        *m = keep * *m + take * g;
                        *v = keep_square * *v + take_square * (g * g);
                        *p = own - size * (*m / (v.sqrt() / root + EPSILON));
                    }
                });
            }
        }
    }
}
