//! The shape of a network, and where each layer's numbers stand among its parameters.

use std::ops::Range;

use serde::{Deserialize, Serialize};

use super::Activation;
use crate::Error;
use crate::rows::scattered;

/// A network of fully connected layers; without hidden layers a linear model.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Architecture {
    /// The number of inputs.
    pub inputs: usize,
    /// The widths of the hidden layers.
    pub hidden: Vec<usize>,
    /// The function after each hidden layer.
    pub activation: Activation,
    /// The number of outputs.
    pub outputs: usize,
}

/// A layer's place among the parameters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layer {
    /// The width of what it reads.
    pub inputs: usize,
    /// The width of what it writes.
    pub outputs: usize,
    /// Its weights: that of input `i` for output `j` is number `i * outputs + j` of them.
    pub weights: Range<usize>,
    /// One for each output.
    pub bias: Range<usize>,
}

impl Architecture {
    /// The layers, first to last.
    pub fn layers(&self) -> Vec<Layer> {
        let widths: Vec<usize> =
            [self.inputs].into_iter().chain(self.hidden.iter().copied()).chain([self.outputs]).collect();
        let mut start = 0;
        let layer = |pair: &[usize]| {
            let (inputs, outputs) = (pair[0], pair[1]);
            let weights = start..start + inputs * outputs;
            let bias = weights.end..weights.end + outputs;
            start = bias.end;
            Layer { inputs, outputs, weights, bias }
        };
        widths.windows(2).map(layer).collect()
    }

    /// The number of parameters.
    pub fn parameters(&self) -> usize {
        self.layers().last().map_or(0, |layer| layer.bias.end)
    }

    /// Refuses layers without units.
    pub(super) fn check(&self) -> Result<(), Error> {
        match self.hidden.iter().chain([&self.outputs]).position(|width| *width == 0) {
            Some(_) => Err(Error::Argument { name: "width of a layer", value: 0.0, expected: "1 or more" }),
            None => Ok(()),
        }
    }

    /// Parameters to start from: uniform between `-1/sqrt(k)` and `1/sqrt(k)` for a layer of `k` inputs, which is what
    /// PyTorch draws for its linear layers; of a linear model, whose start does not matter, zeros.
    pub fn initial(&self, seed: u64) -> Vec<f32> {
        let mut parameters = vec![0.0; self.parameters()];
        if self.hidden.is_empty() {
            return parameters;
        }
        for layer in self.layers() {
            let bound = 1.0 / (layer.inputs.max(1) as f64).sqrt();
            for place in layer.weights.start..layer.bias.end {
                let share = (scattered(seed, place as u64) >> 11) as f64 / (1u64 << 53) as f64;
                parameters[place] = (bound * (2.0 * share - 1.0)) as f32;
            }
        }
        parameters
    }
}
