//! The shape of a network, and where each layer's numbers stand among its parameters.

use std::ops::Range;

use serde::{Deserialize, Serialize};

use crate::Error;
use crate::network::{Activation, Pieces};
use crate::rows::scattered_share;

/// A network of fully connected layers; without hidden layers a linear model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Architecture {
    /// The number of inputs.
    pub inputs: usize,
    /// Inputs that are embedded before the first layer.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub embeddings: Vec<Embedding>,
    /// Inputs of which the first layer reads, too, how far they are through the pieces of their range.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub pieces: Vec<Pieces>,
    /// The widths of the hidden layers.
    pub hidden: Vec<usize>,
    /// The function after each hidden layer.
    pub activation: Activation,
    /// The number of outputs.
    pub outputs: usize,
}

/// Inputs that stand for a category, most of them zero in every row: what the first layer reads in their place are `width`
/// sums of them, with weights that are learned.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Embedding {
    /// Which inputs.
    pub inputs: Range<usize>,
    /// How many numbers stand for them.
    pub width: usize,
}

/// Parameters that a network may have.
const MOST_PARAMETERS: f64 = (1u64 << 28) as f64;

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
    /// The layers, first to last. The first reads the inputs that are not embedded, then the embeddings, then the pieces.
    pub fn layers(&self) -> Vec<Layer> {
        let widths: Vec<usize> =
            [self.read()].into_iter().chain(self.hidden.iter().copied()).chain([self.outputs]).collect();
        let mut start = self.embedding_weights().last().map_or(0, |weights| weights.end);
        let layer = |pair: &[usize]| {
            let (inputs, outputs) = (pair[0], pair[1]);
            let weights = start..start + inputs * outputs;
            let bias = weights.end..weights.end + outputs;
            start = bias.end;
            Layer { inputs, outputs, weights, bias }
        };
        widths.windows(2).map(layer).collect()
    }

    /// The weights of each embedding, which come before those of the layers: that of its input `i` for its number `j` is
    /// number `i * width + j` of them.
    pub fn embedding_weights(&self) -> Vec<Range<usize>> {
        let mut start = 0;
        let weights = |embedding: &Embedding| {
            let weights = start..start + embedding.inputs.len() * embedding.width;
            start = weights.end;
            weights
        };
        self.embeddings.iter().map(weights).collect()
    }

    /// The width of what the first layer reads.
    fn read(&self) -> usize {
        let embedded: usize = self.embeddings.iter().map(|embedding| embedding.inputs.len()).sum();
        let pieces: usize = self.pieces.iter().map(Pieces::count).sum();
        let widths: usize = self.embeddings.iter().map(|embedding| embedding.width).sum();
        self.inputs.saturating_sub(embedded) + widths + pieces
    }

    /// Whether the first layer reads anything but the inputs as they are.
    pub(crate) fn reads_more(&self) -> bool {
        !self.embeddings.is_empty() || !self.pieces.is_empty()
    }

    /// The inputs that are not embedded.
    pub fn plain(&self) -> Vec<usize> {
        let is_plain = |i: &usize| !self.embeddings.iter().any(|embedding| embedding.inputs.contains(i));
        (0..self.inputs).filter(is_plain).collect()
    }

    /// The weights of the last layer.
    pub(crate) fn output_weights(&self) -> Range<usize> {
        let end = self.parameters().saturating_sub(self.outputs);
        let inputs = self.hidden.last().copied().unwrap_or_else(|| self.read());
        end - inputs * self.outputs..end
    }

    /// The number of parameters.
    pub fn parameters(&self) -> usize {
        // Asked in every step, where nothing is allocated.
        let embedded: usize = self.embeddings.iter().map(|embedding| embedding.inputs.len() * embedding.width).sum();
        let mut inputs = self.read();
        let widths = self.hidden.iter().chain([&self.outputs]);
        let layer = |width: &usize| (std::mem::replace(&mut inputs, *width) + 1) * width;
        embedded + widths.map(layer).sum::<usize>()
    }

    /// Refuses layers without units, embeddings and pieces of inputs that there are not, and pieces that are none.
    pub(crate) fn check(&self) -> Result<(), Error> {
        let mut end = 0;
        for Embedding { inputs, .. } in &self.embeddings {
            if inputs.start < end || inputs.end > self.inputs || inputs.is_empty() {
                let (expected, found) = (self.inputs, inputs.end);
                return Err(Error::Shape { what: "the inputs of an embedding", expected, found });
            }
            end = inputs.end;
        }
        for pieces in &self.pieces {
            let embedded = self.embeddings.iter().any(|embedding| embedding.inputs.contains(&pieces.input));
            if pieces.input >= self.inputs || embedded {
                let (expected, found) = (self.inputs, pieces.input);
                return Err(Error::Shape { what: "the inputs that are cut into pieces", expected, found });
            }
            if !pieces.is_sound() {
                let what = "the ends of the pieces of an input do not ascend";
                return Err(Error::State(what.to_owned()));
            }
        }
        let widths = self.embeddings.iter().map(|embedding| &embedding.width);
        if self.hidden.iter().chain([&self.outputs]).chain(widths).any(|width| *width == 0) {
            return Err(Error::Argument { name: "width of a layer", value: 0.0, expected: "1 or more" });
        }
        // So that no size overflows, and no damaged file asks for all of the memory.
        let mut embedded = 0.0;
        let mut inputs = self.inputs as f64 + self.pieces.iter().map(|pieces| pieces.count() as f64).sum::<f64>();
        for embedding in &self.embeddings {
            let (replaced, width) = (embedding.inputs.len() as f64, embedding.width as f64);
            embedded += replaced * width;
            inputs += width - replaced;
        }
        let layer = |width: &usize| (std::mem::replace(&mut inputs, *width as f64) + 1.0) * *width as f64;
        let count = embedded + self.hidden.iter().chain([&self.outputs]).map(layer).sum::<f64>();
        match count <= MOST_PARAMETERS {
            true => Ok(()),
            false => {
                Err(Error::Argument { name: "the number of parameters", value: count, expected: "no more than 2^28" })
            }
        }
    }

    /// Parameters to start from: uniform between `-1/sqrt(k)` and `1/sqrt(k)` for a layer of `k` inputs, which is what
    /// PyTorch draws for its linear layers; of a linear model, whose start does not matter, zeros.
    pub fn initial(&self, seed: u64) -> Vec<f32> {
        let mut parameters = vec![0.0; self.parameters()];
        if self.hidden.is_empty() && self.embeddings.is_empty() {
            // That of pieces, too, is linear in its parameters.
            return parameters;
        }
        let layers = self.layers().into_iter().map(|layer| (layer.inputs.max(1), layer.weights.start..layer.bias.end));
        // One input of an embedding is not zero.
        for (inputs, places) in self.embedding_weights().into_iter().map(|weights| (1, weights)).chain(layers) {
            let bound = 1.0 / (inputs as f64).sqrt();
            for place in places {
                parameters[place] = (bound * (2.0 * scattered_share(seed, place as u64) - 1.0)) as f32;
            }
        }
        parameters
    }
}
