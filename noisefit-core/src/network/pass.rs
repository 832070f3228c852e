//! Forward and backward through the layers, for a batch of rows at a time.

use faer::linalg::matmul::matmul;
use faer::{Accum, MatMut, MatRef, Par};

use crate::network::{Architecture, Embedding, Layer, Pieces};
use crate::numeric::dispatch::vectorised;

/// Buffers for batches of up to a number of rows; nothing is allocated in a step.
#[derive(Debug, Clone)]
pub struct Workspace {
    architecture: Architecture,
    layers: Vec<Layer>,
    rows: usize,
    capacity: usize,
    /// The inputs that are not embedded, and what the first layer reads where that is not the inputs as they are.
    plain: Vec<usize>,
    read: Vec<f32>,
    hidden: Vec<Hidden>,
    /// Linear combinations of the layer at work.
    linear: Vec<f32>,
    outputs: Vec<f32>,
    /// Derivatives of the loss by the outputs of the layer at work, and by its inputs.
    above: Vec<f32>,
    below: Vec<f32>,
}

/// What a hidden layer keeps for the way back.
#[derive(Debug, Clone)]
struct Hidden {
    active: Vec<f32>,
    slope: Vec<f32>,
}

impl Workspace {
    /// Buffers for batches of at most `capacity` rows.
    pub fn new(architecture: &Architecture, capacity: usize) -> Self {
        let layers = architecture.layers();
        let widest = layers.iter().map(|layer| layer.inputs.max(layer.outputs)).max().unwrap_or(0);
        let hidden = architecture
            .hidden
            .iter()
            .map(|width| Hidden { active: vec![0.0; width * capacity], slope: vec![0.0; width * capacity] });
        let read = layers.first().map_or(0, |layer| layer.inputs * capacity);
        Workspace {
            plain: architecture.plain(),
            read: vec![0.0; if architecture.reads_more() { read } else { 0 }],
            hidden: hidden.collect(),
            linear: vec![0.0; widest * capacity],
            outputs: vec![0.0; architecture.outputs * capacity],
            above: vec![0.0; widest * capacity],
            below: vec![0.0; widest * capacity],
            rows: 0,
            capacity,
            layers,
            architecture: architecture.clone(),
        }
    }

    /// Rows at most.
    pub(crate) fn capacity(&self) -> usize {
        self.capacity
    }

    /// The outputs of the last [`Workspace::forward`], row after row.
    pub fn outputs(&self) -> &[f32] {
        &self.outputs[..self.rows * self.architecture.outputs]
    }

    /// Where the derivatives of the loss by the outputs go before [`Workspace::backward`], with the outputs.
    pub(crate) fn output_gradient(&mut self) -> (&[f32], &mut [f32]) {
        let count = self.rows * self.architecture.outputs;
        (&self.outputs[..count], &mut self.above[..count])
    }

    /// Computes the outputs of rows of `inputs` stored one after the other, at most as many as the capacity.
    pub fn forward(&mut self, parameters: &[f32], inputs: &[f32]) {
        self.forward_with(parameters, inputs, |_, _, _, _| false);
    }

    /// The same with units left out: where `drop_out(layer, width, rows, factors)` says so, what the units of a hidden layer
    /// give is multiplied by the `width * rows` factors that it wrote.
    pub(crate) fn forward_with(
        &mut self,
        parameters: &[f32],
        inputs: &[f32],
        mut drop_out: impl FnMut(usize, usize, usize, &mut [f32]) -> bool,
    ) {
        let Workspace { architecture, layers, plain, read, hidden, linear, outputs, rows, capacity, .. } = self;
        let width = architecture.inputs;
        // A model without inputs is its bias; one row of it is asked for.
        *rows = inputs.len().checked_div(width).unwrap_or(1).min(*capacity);
        let rows = *rows;
        let inputs = match architecture.reads_more() {
            false => inputs,
            true => {
                let width_read = layers.first().map_or(0, |layer| layer.inputs);
                embed(architecture, plain, parameters, &inputs[..rows * width], read, width_read);
                encode(architecture, &inputs[..rows * width], read, width_read);
                read
            }
        };
        for (place, layer) in layers.iter().enumerate() {
            let (before, after) = hidden.split_at_mut(place);
            let source = before.last().map_or(inputs, |hidden| &hidden.active);
            let weights = MatRef::from_row_major_slice(&parameters[layer.weights.clone()], layer.inputs, layer.outputs);
            let source = MatRef::from_row_major_slice(&source[..rows * layer.inputs], rows, layer.inputs);
            let bias = &parameters[layer.bias.clone()];
            match after.first_mut() {
                Some(Hidden { active, slope }) => {
                    let count = rows * layer.outputs;
                    let target = MatMut::from_row_major_slice_mut(&mut linear[..count], rows, layer.outputs);
                    matmul(target, Accum::Replace, source, weights, 1.0, Par::Seq);
                    let (active, slope) = (&mut active[..count], &mut slope[..count]);
                    architecture.activation.apply(bias, &linear[..count], active, slope);
                    if drop_out(place, layer.outputs, rows, linear) {
                        vectorised(|| {
                            for ((active, slope), factor) in active.iter_mut().zip(slope).zip(linear.iter()) {
                                *active *= factor;
                                *slope *= factor;
                            }
                        });
                    }
                }
                None => {
                    let outputs = &mut outputs[..rows * layer.outputs];
                    outputs.chunks_exact_mut(layer.outputs).for_each(|row| row.copy_from_slice(bias));
                    let target = MatMut::from_row_major_slice_mut(outputs, rows, layer.outputs);
                    matmul(target, Accum::Add, source, weights, 1.0, Par::Seq);
                }
            }
        }
    }

    /// Writes the derivatives of the loss by the parameters, from those by the outputs; `inputs` as in the forward pass.
    pub fn backward(&mut self, parameters: &[f32], inputs: &[f32], gradient: &mut [f32]) {
        let Workspace { architecture, layers, plain, read, hidden, above, below, rows, .. } = self;
        let rows = *rows;
        let embeds = !architecture.embeddings.is_empty();
        let first = if architecture.reads_more() { &read[..] } else { inputs };
        for (place, layer) in layers.iter().enumerate().rev() {
            let below_layer = place.checked_sub(1).map(|place| &hidden[place]);
            let source = below_layer.map_or(first, |hidden| &hidden.active);
            let source = MatRef::from_row_major_slice(&source[..rows * layer.inputs], rows, layer.inputs);
            let errors = &above[..rows * layer.outputs];
            let (head, tail) = gradient.split_at_mut(layer.bias.start);
            sum_rows(errors, &mut tail[..layer.outputs]);
            let errors = MatRef::from_row_major_slice(errors, rows, layer.outputs);
            let weights = &mut head[layer.weights.clone()];
            let target = MatMut::from_row_major_slice_mut(weights, layer.inputs, layer.outputs);
            matmul(target, Accum::Replace, source.transpose(), errors, 1.0, Par::Seq);
            if below_layer.is_none() && !embeds {
                break;
            }
            let weights = MatRef::from_row_major_slice(&parameters[layer.weights.clone()], layer.inputs, layer.outputs);
            let passed = &mut below[..rows * layer.inputs];
            let target = MatMut::from_row_major_slice_mut(passed, rows, layer.inputs);
            matmul(target, Accum::Replace, errors, weights.transpose(), 1.0, Par::Seq);
            if let Some(Hidden { slope, .. }) = below_layer {
                vectorised(|| passed.iter_mut().zip(slope.iter()).for_each(|(passed, slope)| *passed *= slope));
            }
            std::mem::swap(above, below);
        }
        if embeds {
            let width_read = layers.first().map_or(0, |layer| layer.inputs);
            embedding_gradient(architecture, plain.len(), inputs, above, gradient, width_read);
        }
    }
}

/// Writes what the first layer reads: the plain inputs, then the sums that stand for the others.
fn embed(
    architecture: &Architecture,
    plain: &[usize],
    parameters: &[f32],
    inputs: &[f32],
    read: &mut [f32],
    read_width: usize,
) {
    let (mut offset, width) = (plain.len(), architecture.inputs);
    for (row, read) in inputs.chunks_exact(width).zip(read.chunks_exact_mut(read_width)) {
        read.iter_mut().zip(plain).for_each(|(read, &i)| *read = row[i]);
    }
    let mut start = 0;
    for Embedding { inputs: range, width: own } in &architecture.embeddings {
        let weights = &parameters[start..start + range.len() * own];
        start += weights.len();
        for (row, read) in inputs.chunks_exact(width).zip(read.chunks_exact_mut(read_width)) {
            let sums = &mut read[offset..offset + own];
            sums.fill(0.0);
            // All but one or so are zero.
            for (&x, weights) in row[range.clone()].iter().zip(weights.chunks_exact(*own)).filter(|(x, _)| **x != 0.0) {
                sums.iter_mut().zip(weights).for_each(|(sum, weight)| *sum += x * weight);
            }
        }
        offset += own;
    }
}

/// Writes what the first layer reads last: how far inputs are through their pieces.
fn encode(architecture: &Architecture, inputs: &[f32], read: &mut [f32], read_width: usize) {
    let count: usize = architecture.pieces.iter().map(Pieces::count).sum();
    for (row, read) in inputs.chunks_exact(architecture.inputs).zip(read.chunks_exact_mut(read_width)) {
        let mut place = read_width - count;
        for pieces in &architecture.pieces {
            let end = place + pieces.count();
            pieces.encode(row[pieces.input], &mut read[place..end]);
            place = end;
        }
    }
}

/// Writes the derivatives by the embeddings' weights, from those by what the first layer reads.
fn embedding_gradient(
    architecture: &Architecture,
    plain: usize,
    inputs: &[f32],
    by_read: &[f32],
    gradient: &mut [f32],
    read_width: usize,
) {
    let (mut offset, width) = (plain, architecture.inputs);
    let mut start = 0;
    for Embedding { inputs: range, width: own } in &architecture.embeddings {
        let gradient = &mut gradient[start..start + range.len() * own];
        start += gradient.len();
        gradient.fill(0.0);
        for (row, by_read) in inputs.chunks_exact(width).zip(by_read.chunks_exact(read_width)) {
            let errors = &by_read[offset..offset + own];
            let nonzero = row[range.clone()].iter().zip(gradient.chunks_exact_mut(*own)).filter(|(x, _)| **x != 0.0);
            nonzero.for_each(|(x, gradient)| gradient.iter_mut().zip(errors).for_each(|(g, error)| *g += x * error));
        }
        offset += own;
    }
}

/// Column sums of rows stored one after the other.
fn sum_rows(values: &[f32], sums: &mut [f32]) {
    sums.fill(0.0);
    let width = sums.len().max(1);
    vectorised(|| {
        for row in values.chunks_exact(width) {
            for j in 0..width {
                sums[j] += row[j];
            }
        }
    });
}
