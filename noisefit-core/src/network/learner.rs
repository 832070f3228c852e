//! One network in training: its parameters, its optimiser, and the buffers of a step.

use crate::Error;
use crate::network::{
    Architecture, Objective, Optimizer, Snapshot, State, Targets, TrainingRows, UpdateRule, Workspace,
};
use crate::numeric::dispatch::vectorised;
use crate::rows::{scattered, scattered_share};

/// A network that learns from one batch after another.
///
/// ```
/// use noisefit_core::network::{Activation, Architecture, Learner, UpdateRule, Objective, Targets};
///
/// let architecture = Architecture { inputs: 1, embeddings: vec![], pieces: Vec::new(), hidden: vec![], activation: Activation::Relu, outputs: 1 };
/// let sgd = UpdateRule::Sgd { momentum: 0.0, nesterov: false };
/// let mut learner = Learner::new(architecture, Objective::SquaredError, sgd, 4, 0)?;
/// let (x, y) = ([0.0, 1.0, 2.0, 3.0], [1.0, 3.0, 5.0, 7.0]);
/// let rows = Targets { response: &y, weights: None, frequencies: None };
/// for _ in 0..1000 {
///     learner.step(&x, &rows, 0.1);
/// }
/// // The slope and the intercept of y = 1 + 2 x.
/// assert!((learner.parameters()[0] - 2.0).abs() < 1e-4 && (learner.parameters()[1] - 1.0).abs() < 1e-4);
/// # Ok::<(), noisefit_core::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct Learner {
    architecture: Architecture,
    objective: Objective,
    optimizer: Optimizer,
    workspace: Workspace,
    /// Those of the network, then those of the noise.
    parameters: Vec<f32>,
    gradient: Vec<f32>,
    /// What the gradient's length is cut to.
    clip: Option<f64>,
    /// The share of hidden units left out of each step.
    dropout: f64,
    /// Whether the weights of a modelled scale stay as they are.
    holds_scale: bool,
    /// The length of the last gradient before it was cut.
    norm: Option<f64>,
    /// Where the gradient of several pieces is summed.
    sums: Vec<f32>,
    dropout_seed: u64,
}

impl Learner {
    /// A network with its first parameters, with room for `capacity` rows at a time.
    ///
    /// # Errors
    /// [`Error::Argument`] for a layer without units; [`Error::Shape`] for another number of outputs than the objective has.
    pub fn new(
        architecture: Architecture,
        objective: Objective,
        method: UpdateRule,
        capacity: usize,
        seed: u64,
    ) -> Result<Self, Error> {
        architecture.check()?;
        if architecture.outputs != objective.outputs() {
            let (expected, found) = (objective.outputs(), architecture.outputs);
            return Err(Error::Shape { what: "the output layer", expected, found });
        }
        let mut parameters = architecture.initial(seed);
        parameters.extend(objective.initial());
        Ok(Learner {
            workspace: Workspace::new(&architecture, capacity.max(1)),
            optimizer: Optimizer::new(method, 0.0, parameters.len()),
            gradient: vec![0.0; parameters.len()],
            parameters,
            architecture,
            objective,
            clip: None,
            dropout: 0.0,
            holds_scale: false,
            norm: None,
            sums: Vec::new(),
            dropout_seed: scattered(seed, DROPOUT),
        })
    }

    /// Shrinks the parameters by `decay` per unit of the learning rate; before the first step.
    #[must_use]
    pub fn with_decay(mut self, decay: f64) -> Self {
        self.optimizer = self.optimizer.with_decay(decay as f32);
        self
    }

    /// Cuts gradients that are longer than `length` to it.
    #[must_use]
    pub fn with_clip(mut self, length: f64) -> Self {
        self.clip = Some(length);
        self
    }

    /// Leaves this share of the hidden units out of every step, at random, and scales the others up.
    #[must_use]
    pub fn with_dropout(mut self, share: f64) -> Self {
        self.dropout = share;
        self
    }

    /// Lets a modelled scale be the same for all rows, its weights zero and only its bias learned; or differ again. What there
    /// is of it is forgotten.
    pub(crate) fn hold_scale(&mut self, holds: bool) {
        self.holds_scale = holds && matches!(self.objective, Objective::Likelihood { modelled: true, .. });
        if self.holds_scale {
            clear_scale(&self.architecture, &mut self.parameters);
        }
    }

    /// Goes on from here as if no step had been made.
    pub(crate) fn begin_anew(&mut self) {
        self.optimizer.begin_anew();
    }

    /// The parameters: those of the network as [`Architecture::layers`] says, then those of the noise.
    pub fn parameters(&self) -> &[f32] {
        &self.parameters
    }

    /// Starts from other parameters.
    ///
    /// # Errors
    /// [`Error::Shape`].
    pub fn set_parameters(&mut self, parameters: &[f32]) -> Result<(), Error> {
        if parameters.len() != self.parameters.len() {
            let (expected, found) = (self.parameters.len(), parameters.len());
            return Err(Error::Shape { what: "the parameters", expected, found });
        }
        self.parameters.copy_from_slice(parameters);
        Ok(())
    }

    /// All that it takes to go on from here, with the best parameters so far.
    pub(crate) fn snapshot(&self, state: &State, best: &[f32]) -> Snapshot {
        let [first, second] = self.optimizer.memory();
        Snapshot {
            state: state.clone(),
            optimizer_steps: self.optimizer.steps(),
            vectors: [self.parameters.clone(), best.to_vec(), first.to_vec(), second.to_vec()],
        }
    }

    /// Goes back to a snapshot; gives the best parameters.
    pub(crate) fn restore(&mut self, snapshot: Snapshot) -> Result<Vec<f32>, Error> {
        let [parameters, best, first, second] = snapshot.vectors;
        self.set_parameters(&parameters)?;
        if best.len() != parameters.len() {
            return Err(Error::Shape { what: "the best parameters", expected: parameters.len(), found: best.len() });
        }
        self.optimizer.restore(snapshot.optimizer_steps, [first, second])?;
        Ok(best)
    }

    /// The network's shape.
    pub fn architecture(&self) -> &Architecture {
        &self.architecture
    }

    /// Learns from the rows of a batch, stored one after the other; gives their mean loss before the step. More rows than the
    /// capacity are gone through in pieces.
    pub fn step(&mut self, inputs: &[f32], targets: &Targets<'_>, rate: f64) -> f64 {
        let rows = targets.response.len();
        let capacity = self.workspace.capacity();
        let loss =
            if rows <= capacity { self.piece(inputs, targets, 0) } else { self.pieces(inputs, targets, capacity) };
        let Learner { parameters, gradient, optimizer, architecture, holds_scale, .. } = self;
        self.norm = None;
        if let Some(longest) = self.clip {
            let length = length(gradient);
            self.norm = Some(length);
            if length > longest {
                let factor = (longest / length) as f32;
                vectorised(|| gradient.iter_mut().for_each(|g| *g *= factor));
            }
        }
        // One scale for all rows is no weight of the network, though its bias stands for it: the last.
        let decayed = architecture.parameters() - usize::from(*holds_scale);
        optimizer.step(parameters, gradient, rate, decayed);
        loss
    }

    /// The mean loss of rows of which the first has this number in the batch, and its gradient.
    fn piece(&mut self, inputs: &[f32], targets: &Targets<'_>, first: usize) -> f64 {
        let Learner { objective, workspace, parameters, gradient, optimizer, architecture, .. } = self;
        let (dropout, draw) = (self.dropout, scattered(self.dropout_seed, optimizer.steps()));
        let count = architecture.parameters();
        let (network, noise) = parameters.split_at(count);
        let (by_network, by_noise) = gradient.split_at_mut(count);
        workspace.forward_with(network, inputs, |layer, width, rows, factors| {
            if dropout == 0.0 {
                return false;
            }
            let draw = scattered(draw, layer as u64);
            let kept = (1.0 / (1.0 - dropout)) as f32;
            for (k, factor) in factors[..width * rows].iter_mut().enumerate() {
                let dropped = scattered_share(draw, (first * width + k) as u64) < dropout;
                *factor = if dropped { 0.0 } else { kept };
            }
            true
        });
        let (outputs, by_output) = workspace.output_gradient();
        let loss = objective.evaluate(outputs, targets, noise, by_output, by_noise);
        workspace.backward(network, inputs, by_network);
        if self.holds_scale {
            clear_scale(architecture, by_network);
        }
        loss
    }

    /// The same of more rows than the capacity.
    fn pieces(&mut self, inputs: &[f32], targets: &Targets<'_>, capacity: usize) -> f64 {
        let (rows, total) = (targets.response.len(), targets.observations());
        let width = self.architecture.inputs;
        let mut sums = std::mem::take(&mut self.sums);
        sums.clear();
        sums.resize(self.gradient.len(), 0.0);
        let mut loss = 0.0;
        for start in (0..rows).step_by(capacity) {
            let range = start..(start + capacity).min(rows);
            let part = targets.part(range.clone());
            let share = part.observations() / total;
            loss += share * self.piece(&inputs[range.start * width..range.end * width], &part, start);
            let share = share as f32;
            let gradient = &self.gradient;
            vectorised(|| sums.iter_mut().zip(gradient).for_each(|(sum, g)| *sum += share * g));
        }
        std::mem::swap(&mut self.gradient, &mut sums);
        self.sums = sums;
        loss
    }

    /// The mean loss of rows at other parameters, and its gradient in doubles; the learner's own stay.
    pub(crate) fn loss_and_gradient(&mut self, at: &[f32], rows: &TrainingRows, gradient: &mut [f64]) -> f64 {
        let Learner { objective, workspace, gradient: part, architecture, .. } = self;
        let count = architecture.parameters();
        let (network, noise) = at.split_at(count);
        let (mut sum, mut total) = (0.0, 0.0);
        gradient.fill(0.0);
        let capacity = workspace.capacity();
        for start in (0..rows.len()).step_by(capacity) {
            let batch = rows.batch(start..(start + capacity).min(rows.len()));
            let observations = batch.targets.observations();
            let (by_network, by_noise) = part.split_at_mut(count);
            workspace.forward(network, batch.inputs);
            let (outputs, by_output) = workspace.output_gradient();
            sum += observations * objective.evaluate(outputs, &batch.targets, noise, by_output, by_noise);
            workspace.backward(network, batch.inputs, by_network);
            gradient.iter_mut().zip(part.iter()).for_each(|(sum, g)| *sum += observations * f64::from(*g));
            total += observations;
        }
        gradient.iter_mut().for_each(|g| *g /= total);
        sum / total
    }

    /// The mean loss of rows, from which nothing is learned.
    pub fn mean_loss(&mut self, rows: &TrainingRows) -> f64 {
        let Learner { objective, workspace, parameters, architecture, .. } = self;
        let (network, noise) = parameters.split_at(architecture.parameters());
        let (mut sum, mut count) = (0.0, 0.0);
        let mut by_noise = vec![0.0; noise.len()];
        let batch = workspace.capacity();
        for start in (0..rows.len()).step_by(batch) {
            let batch = rows.batch(start..(start + batch).min(rows.len()));
            workspace.forward(network, batch.inputs);
            let observations = batch.targets.observations();
            let (outputs, by_output) = workspace.output_gradient();
            let loss = objective.evaluate(outputs, &batch.targets, noise, by_output, &mut by_noise);
            (sum, count) = (sum + loss * observations, count + observations);
        }
        sum / count
    }

    /// The outputs for rows stored one after the other: as many numbers a row as the objective has outputs.
    pub fn outputs(&mut self, inputs: &[f32]) -> Vec<f32> {
        let Learner { workspace, parameters, architecture, .. } = self;
        let (width, batch) = (architecture.inputs.max(1), workspace.capacity());
        let mut outputs = Vec::with_capacity(inputs.len() / width * architecture.outputs);
        for inputs in inputs.chunks(width * batch) {
            workspace.forward(&parameters[..architecture.parameters()], inputs);
            outputs.extend_from_slice(workspace.outputs());
        }
        outputs
    }

    /// Takes a gradient that was found elsewhere for that of the last step.
    pub(crate) fn set_gradient(&mut self, gradient: &[f64]) {
        self.gradient.iter_mut().zip(gradient).for_each(|(own, g)| *own = *g as f32);
    }

    /// The length of the last step's gradient, before it was cut.
    pub fn gradient_norm(&self) -> f64 {
        self.norm.unwrap_or_else(|| length(&self.gradient))
    }
}

/// What dropout is drawn from, among other uses of a seed.
const DROPOUT: u64 = u64::MAX;

/// Sets the weights of the second output to zero.
fn clear_scale(architecture: &Architecture, parameters: &mut [f32]) {
    let weights = architecture.output_weights();
    parameters[weights].iter_mut().skip(1).step_by(architecture.outputs.max(1)).for_each(|weight| *weight = 0.0);
}

/// The root of the sum of squares.
fn length(values: &[f32]) -> f64 {
    const LANES: usize = 16;
    let mut lanes = [0.0f64; LANES];
    let (chunks, rest) = values.as_chunks::<LANES>();
    vectorised(|| {
        for chunk in chunks {
            for k in 0..LANES {
                lanes[k] += f64::from(chunk[k]) * f64::from(chunk[k]);
            }
        }
    });
    let rest: f64 = rest.iter().map(|value| f64::from(*value).powi(2)).sum();
    (lanes.iter().sum::<f64>() + rest).sqrt()
}
