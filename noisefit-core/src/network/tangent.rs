//! What a network's members predict, and how that changes along a direction of the design: exact derivatives, forward through the layers
//! in doubles.

use crate::network::{Activation, Member, Network};
use crate::numeric::special::normal;
use crate::rows::NewRows;

/// Of every member and curve the derivative in every row.
pub type Directional = Vec<Vec<Vec<f64>>>;

impl Network {
    /// The locations that each member predicts: of every member and curve those of all rows.
    pub fn locations(&self, rows: &NewRows<'_>) -> Directional {
        let mut inputs = Vec::with_capacity(rows.count * self.architecture.inputs);
        self.standardisation.extend_inputs(rows.design, rows.count, &mut inputs);
        let said = |member: &Member| self.said(member, &inputs, rows.count, rows.weights).locations;
        self.members.iter().map(said).collect()
    }

    /// The derivatives of these locations where design column `j` changes by `directions[j]`, in every row, with nothing for columns that do
    /// not change.
    pub fn derivatives(&self, rows: &NewRows<'_>, directions: &[Option<Vec<f64>>]) -> Directional {
        let width = self.architecture.inputs;
        let mut inputs = Vec::with_capacity(rows.count * width);
        self.standardisation.extend_inputs(rows.design, rows.count, &mut inputs);
        let per: Vec<f64> = self.standardisation.inputs.iter().map(|centre| centre.per_deviation()).collect();
        let direction = |i: usize| -> Vec<f64> {
            let of = |(j, per): (usize, &f64)| directions.get(j).and_then(Option::as_ref).map_or(0.0, |d| d[i] * per);
            per.iter().enumerate().map(of).collect()
        };
        let member = |member: &Member| {
            let mut curves = vec![Vec::with_capacity(rows.count); self.curves()];
            for i in 0..rows.count {
                let own: Vec<f64> = inputs[i * width..(i + 1) * width].iter().map(|x| f64::from(*x)).collect();
                let (z, dz) = self.forward(member, &own, &direction(i));
                // Of quantiles each lies above the last by a positive number.
                let mut sum = 0.0;
                for (curve, found) in curves.iter_mut().enumerate() {
                    let slope = if curve == 0 { 1.0 } else { logistic(z[curve]) };
                    sum += slope * dz[curve];
                    found.push(self.standardisation.response.deviation * sum);
                }
            }
            curves
        };
        self.members.iter().map(member).collect()
    }

    /// The outputs at a row of inputs, and their derivatives along a direction.
    fn forward(&self, member: &Member, inputs: &[f64], direction: &[f64]) -> (Vec<f64>, Vec<f64>) {
        let shape = &self.architecture;
        let weight = |place: usize| f64::from(member.parameters[place]);
        let plain = shape.plain();
        let mut at: Vec<f64> = plain.iter().map(|&i| inputs[i]).collect();
        let mut along: Vec<f64> = plain.iter().map(|&i| direction[i]).collect();
        for (embedding, weights) in shape.embeddings.iter().zip(shape.embedding_weights()) {
            for j in 0..embedding.width {
                let sum = |values: &[f64]| -> f64 {
                    let places = embedding.inputs.clone().enumerate();
                    places.map(|(k, i)| values[i] * weight(weights.start + k * embedding.width + j)).sum()
                };
                at.push(sum(inputs));
                along.push(sum(direction));
            }
        }
        for pieces in &shape.pieces {
            for (value, slope) in pieces.with_slope(inputs[pieces.input]) {
                at.push(value);
                along.push(slope * direction[pieces.input]);
            }
        }
        let layers = shape.layers();
        for (number, layer) in layers.iter().enumerate() {
            let sum = |values: &[f64], j: usize| -> f64 {
                let weights = values.iter().enumerate();
                weights.map(|(i, value)| value * weight(layer.weights.start + i * layer.outputs + j)).sum()
            };
            let linear: Vec<f64> = (0..layer.outputs).map(|j| sum(&at, j) + weight(layer.bias.start + j)).collect();
            let moved: Vec<f64> = (0..layer.outputs).map(|j| sum(&along, j)).collect();
            if number + 1 == layers.len() {
                let line = |values: &[f64]| -> f64 {
                    member.line.iter().zip(values).map(|(slope, value)| f64::from(*slope) * value).sum()
                };
                let add = |mut found: Vec<f64>, more: f64| {
                    found.iter_mut().take(1).for_each(|location| *location += more);
                    found
                };
                return (add(linear, line(inputs)), add(moved, line(direction)));
            }
            let active: Vec<(f64, f64)> = linear.iter().map(|&z| shape.activation.with_slope(z)).collect();
            along = moved.iter().zip(&active).map(|(moved, (_, slope))| moved * slope).collect();
            at = active.into_iter().map(|(value, _)| value).collect();
        }
        (at, along)
    }
}

impl Activation {
    /// The function and its derivative in doubles; that of `relu` at zero is taken as zero.
    fn with_slope(self, z: f64) -> (f64, f64) {
        match self {
            Activation::Relu => (z.max(0.0), if z > 0.0 { 1.0 } else { 0.0 }),
            Activation::Tanh => (z.tanh(), z.cosh().powi(-2)),
            Activation::Silu => {
                let share = logistic(z);
                (z * share, share * (1.0 + z * (1.0 - share)))
            }
            Activation::Gelu => {
                let phi = normal::cumulative(z);
                let density = (-0.5 * z * z).exp() / std::f64::consts::TAU.sqrt();
                (z * phi, phi + z * density)
            }
        }
    }
}

/// `1 / (1 + exp(-z))`.
fn logistic(z: f64) -> f64 {
    1.0 / (1.0 + (-z).exp())
}
