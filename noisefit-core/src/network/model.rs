//! A network that was fitted, or an ensemble of such, and what it predicts.

use serde::{Deserialize, Serialize};

use crate::Error;
use crate::algebra::Affine;
use crate::network::mixture::{Mixture, Said};
use crate::network::tensors::Tensors;
use crate::network::{Architecture, Objective, Standardisation, Workspace};
use crate::noise::Noise;
use crate::record::Termination;
use crate::rows::Layout;
use crate::rows::NewRows;

/// Rows that are predicted at once.
const BATCH: usize = 256;

/// A network, or several whose mixture is the prediction.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(into = "StoredNetwork", try_from = "StoredNetwork")]
pub struct Network {
    /// The shape of every member.
    pub architecture: Architecture,
    /// What was minimised, in units of the standardised response.
    pub objective: Objective,
    /// What makes inputs of a design, and what the outputs are multiplied by and added to.
    pub standardisation: Standardisation,
    /// What is added to each curve, in units of the response: what calibration has found that quantiles miss. Empty for nothing.
    pub shifts: Vec<f64>,
    /// One network or several.
    pub members: Vec<Member>,
}

/// One network of an ensemble.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Member {
    /// The noise; of several quantiles that of each.
    pub noise: Vec<Noise>,
    /// The scale of each in units of the response; where the scale is an output what that is multiplied by.
    pub scale: Vec<f64>,
    /// Epochs of training.
    pub epochs: u64,
    /// The epoch whose parameters these are, from 0.
    pub best_epoch: u64,
    /// The mean loss of the training rows in that epoch: a negative log-likelihood, or a loss, in units of the response.
    pub loss: Option<f64>,
    /// The mean loss of the validation rows after that epoch.
    pub validation: Option<f64>,
    /// Why training stopped.
    pub termination: Termination,
    /// The parameters of the network, then those of the noise.
    #[serde(skip)]
    pub parameters: Vec<f32>,
    /// The slopes of a line that is added to the location, in units of the standardised inputs and response; empty for none.
    #[serde(skip)]
    pub line: Vec<f32>,
}

impl Network {
    /// The number of curves that are predicted: quantiles, or 1.
    pub fn curves(&self) -> usize {
        match &self.objective {
            Objective::Quantiles(levels) => levels.len(),
            _ => 1,
        }
    }

    /// The levels of quantiles.
    pub(crate) fn levels(&self) -> Option<Vec<f64>> {
        match &self.objective {
            Objective::Quantiles(levels) => Some(levels.clone()),
            _ => None,
        }
    }

    /// Whether the scale is an output.
    pub fn models_scale(&self) -> bool {
        matches!(self.objective, Objective::Likelihood { modelled: true, .. })
    }

    /// The number of a member's parameters that were learned, the scale among them.
    pub fn parameters(&self) -> usize {
        let noise = self.objective.initial().len();
        let scales = match self.objective {
            Objective::Likelihood { .. } => 0,
            _ => self.curves(),
        };
        self.architecture.parameters() + noise + scales
    }

    /// What the members say of some rows.
    pub fn predict(&self, rows: &NewRows<'_>) -> Mixture {
        let mut inputs = Vec::with_capacity(rows.count * self.architecture.inputs);
        self.standardisation.extend_inputs(rows.design, rows.count, &mut inputs);
        let members = self.members.iter().map(|member| self.said(member, &inputs, rows.count, rows.weights));
        Mixture::new(members.collect(), rows.count)
    }

    /// Some of the members, by their places.
    pub(crate) fn of_members(&self, places: impl Iterator<Item = usize>) -> Network {
        let members = places.filter_map(|place| self.members.get(place).cloned()).collect();
        Network { members, ..self.clone() }
    }

    /// What one member says of rows of inputs.
    pub(crate) fn said(&self, member: &Member, inputs: &[f32], rows: usize, weights: Option<&[f64]>) -> Said {
        let (width, outputs) = (self.architecture.inputs, self.architecture.outputs);
        let mut found: Vec<f32> = Vec::with_capacity(rows * outputs);
        let mut workspace = Workspace::new(&self.architecture, BATCH.min(rows.max(1)));
        for start in (0..rows).step_by(BATCH) {
            let end = (start + BATCH).min(rows);
            workspace.forward(&member.parameters, &inputs[start * width..end * width]);
            // Without inputs there is one row of outputs for all.
            let copies = if width == 0 { end - start } else { 1 };
            (0..copies).for_each(|_| found.extend(workspace.outputs()));
        }
        let response = &self.standardisation.response;
        let root = |i: usize| weights.map_or(1.0, |w| w[i].sqrt());
        let curves = self.curves();
        let mut locations = vec![Vec::with_capacity(rows); curves];
        let mut scales = vec![Vec::with_capacity(rows); curves];
        for (i, own) in found.chunks_exact(outputs).enumerate() {
            let row = member.line.iter().zip(inputs.iter().skip(i * width));
            let mut output = row.map(|(slope, x)| f64::from(*slope) * f64::from(*x)).sum::<f64>();
            for curve in 0..curves {
                let z = f64::from(own[curve]);
                output += if curve == 0 { z } else { z.max(0.0) + (-z.abs()).exp().ln_1p() };
                let shift = self.shifts.get(curve).copied().unwrap_or(0.0);
                locations[curve].push(response.mean + response.deviation * output + shift);
                let unit = if self.models_scale() { response.deviation * f64::from(own[1]).exp() } else { 1.0 };
                scales[curve].push(member.scale[curve] * unit / root(i));
            }
        }
        Said { noise: member.noise.clone(), locations, scales }
    }

    /// The linear predictor of the location that every member of a network without hidden layers is, in units of the response
    /// and the design. None of several quantiles, of which the lowest alone is a line.
    pub fn coefficients(&self) -> Option<Vec<Affine>> {
        let line = |member: &Member| line(&self.architecture, &self.standardisation, &member.parameters);
        (self.is_linear() && self.curves() == 1).then(|| self.members.iter().map(line).collect())
    }

    /// The linear predictor of the logarithm of a modelled scale that every member of a network without hidden layers has, in
    /// units of the response and the design.
    pub fn scale_coefficients(&self) -> Option<Vec<Affine>> {
        let line = |member: &Member| {
            let (width, outputs) = (self.architecture.inputs, self.architecture.outputs);
            let bias = f64::from(member.parameters[width * outputs + 1]);
            let unit = (self.standardisation.response.deviation * member.scale[0]).ln();
            let slope = |j: usize| f64::from(member.parameters[j * outputs + 1]);
            destandardised(bias + unit, slope, &self.standardisation)
        };
        (self.is_linear() && self.models_scale()).then(|| self.members.iter().map(line).collect())
    }

    /// Whether its outputs are linear in the design.
    pub fn is_linear(&self) -> bool {
        self.architecture.hidden.is_empty() && !self.architecture.reads_more()
    }

    /// The parameters of every member by name, `members.0.layers.0.weight` and so on.
    pub fn tensors(&self) -> Tensors {
        let mut tensors = Tensors::default();
        for (k, member) in self.members.iter().enumerate() {
            tensors.push_network(&format!("members.{k}."), &self.architecture, &member.parameters);
            if !member.line.is_empty() {
                tensors.push(format!("members.{k}.line"), vec![member.line.len()], member.line.clone());
            }
        }
        tensors
    }

    /// Whether the parts go together and with a design.
    pub fn is_sound(&self, layout: &Layout) -> bool {
        let response = self.standardisation.response;
        self.architecture.inputs == layout.terms.len()
            && self.standardisation.inputs.len() == layout.terms.len()
            && self.standardisation.inputs.iter().all(|centre| centre.mean.is_finite() && centre.deviation >= 0.0)
            && response.mean.is_finite()
            && response.deviation > 0.0
            && (self.shifts.is_empty() || self.shifts.len() == self.curves())
            && self.shifts.iter().all(|shift| shift.is_finite())
            && !self.members.is_empty()
            && self.members.iter().all(|member| {
                let families = |noise: &[Noise]| noise.iter().map(|noise| noise.family().name()).collect::<Vec<_>>();
                families(&member.noise) == families(&self.objective.noise(1.0))
                    && member.noise.iter().all(Noise::is_density)
                    && (member.line.is_empty() || member.line.len() == self.architecture.inputs)
                    && member.line.iter().all(|slope| slope.is_finite())
                    && member.scale.len() == self.curves()
                    && member.scale.iter().all(|scale| *scale >= 0.0)
            })
    }
}

/// The linear predictor that a network without hidden layers is, in units of the response and the design.
pub fn line(architecture: &Architecture, by: &Standardisation, parameters: &[f32]) -> Affine {
    let (inputs, outputs) = (architecture.inputs, architecture.outputs);
    let bias = parameters.get(inputs * outputs).copied().unwrap_or_default();
    let deviation = by.response.deviation;
    let slope = |j: usize| deviation * f64::from(parameters[j * outputs]);
    destandardised(by.response.mean + deviation * f64::from(bias), slope, by)
}

/// A linear predictor of standardised inputs as one of the inputs themselves.
fn destandardised(intercept: f64, slope: impl Fn(usize) -> f64, by: &Standardisation) -> Affine {
    let slopes: Vec<f64> = by.inputs.iter().enumerate().map(|(j, centre)| slope(j) * centre.per_deviation()).collect();
    let moved = slopes.iter().zip(&by.inputs).fold(intercept, |sum, (slope, centre)| sum - slope * centre.mean);
    Affine { intercept: moved, slopes }
}

/// What is stored of a network: the weights as letters of a safetensors file.
#[derive(Serialize, Deserialize)]
struct StoredNetwork {
    architecture: Architecture,
    objective: Objective,
    standardisation: Standardisation,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    shifts: Vec<f64>,
    members: Vec<Member>,
    safetensors: String,
}

impl From<Network> for StoredNetwork {
    fn from(network: Network) -> Self {
        // Shapes that come from the architecture go with their numbers.
        let safetensors = network.tensors().to_base64().unwrap_or_default();
        let Network { architecture, objective, standardisation, shifts, members } = network;
        StoredNetwork { architecture, objective, standardisation, shifts, members, safetensors }
    }
}

impl TryFrom<StoredNetwork> for Network {
    type Error = Error;

    fn try_from(record: StoredNetwork) -> Result<Self, Error> {
        let StoredNetwork { architecture, objective, standardisation, shifts, mut members, safetensors } = record;
        architecture.check()?;
        if architecture.outputs != objective.outputs() {
            let (expected, found) = (objective.outputs(), architecture.outputs);
            return Err(Error::Shape { what: "the output layer", expected, found });
        }
        let tensors = Tensors::from_base64(&safetensors)?;
        for (k, member) in members.iter_mut().enumerate() {
            member.parameters = tensors.network(&format!("members.{k}."), &architecture)?;
            member.line = tensors.row(&format!("members.{k}.line")).map(<[f32]>::to_vec).unwrap_or_default();
        }
        Ok(Network { architecture, objective, standardisation, shifts, members })
    }
}
