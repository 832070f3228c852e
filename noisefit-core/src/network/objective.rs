//! What training minimises: a loss of the location, or a family's complete negative log-likelihood, with its derivatives by
//! the outputs.

use std::ops::Range;

use serde::{Deserialize, Serialize};

use crate::Error;
use crate::noise::shape;
use crate::noise::shape::{Absolute, Check, Shape, Square};
use crate::noise::{
    AsymmetricLaplace, Huber, HuberScale, Kernel, ModelledScale, Noise, Shaped, Visitor, levels, scalable, written,
};
use crate::numeric::dispatch::vectorised;
use crate::numeric::special::elementary::exp;

/// Rows whose numbers stay in the nearest cache between the sweeps over them.
const TILE: usize = 64;

/// What is minimised, per row on average.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Objective {
    /// `e^2`, one output: what Gaussian noise of one scale leaves of its likelihood.
    SquaredError,
    /// `|e|`, one output: the same of Laplace noise.
    AbsoluteError,
    /// Huber's loss, one output: squares up to `delta`, then lines.
    Huber {
        /// Where the lines begin, in units of the response.
        delta: f64,
    },
    /// The mean of the check losses of several quantiles, one output each. The first output is the lowest quantile, the
    /// others are steps to the next, `ln(1 + exp(output))`, so that quantiles do not cross.
    Quantiles(Vec<f64>),
    /// The complete negative log-likelihood of a family.
    Likelihood {
        /// The family; degrees of freedom that are to be estimated start from those that are given.
        noise: Noise,
        /// Whether a second output is the logarithm of the row's scale; without, one number for all rows is estimated.
        modelled: bool,
    },
}

/// The rows of a batch, beside their inputs.
#[derive(Debug, Clone, Copy)]
pub struct Targets<'a> {
    /// The responses.
    pub response: &'a [f32],
    /// Known relative precisions.
    pub weights: Option<&'a [f32]>,
    /// How often rows count.
    pub frequencies: Option<&'a [f32]>,
}

impl<'a> Targets<'a> {
    /// Those of some of the rows.
    pub(crate) fn part(&self, rows: Range<usize>) -> Targets<'a> {
        Targets {
            response: &self.response[rows.clone()],
            weights: self.weights.map(|w| &w[rows.clone()]),
            frequencies: self.frequencies.map(|f| &f[rows]),
        }
    }

    fn root_weight(&self, i: usize) -> f64 {
        self.weights.map_or(1.0, |w| f64::from(w[i]).sqrt())
    }

    fn frequency(&self, i: usize) -> f64 {
        self.frequencies.map_or(1.0, |f| f64::from(f[i]))
    }

    /// How many they are.
    pub(crate) fn observations(&self) -> f64 {
        match self.frequencies {
            Some(frequencies) => frequencies.iter().map(|f| f64::from(*f)).sum(),
            None => self.response.len() as f64,
        }
    }
}

impl Objective {
    /// What maximises the likelihood under the noise that is named, for a response that was divided by `deviation`: of the
    /// family's complete negative log-likelihood what depends on the location, where one scale for all rows follows from it.
    ///
    /// # Errors
    /// [`Error::Unsupported`] for a modelled scale that goes with no likelihood, and a scale of Huber's that is not that of
    /// maximum likelihood.
    pub fn of(noise: &[Noise], modelled: bool, deviation: f64) -> Result<Self, Error> {
        noise.iter().try_for_each(Noise::check)?;
        let one_scale = |can: bool| match can {
            true => Ok(()),
            false => {
                let (noise, can) = (written(noise), scalable(ModelledScale::Trained));
                Err(Error::Unsupported(format!("the scale of {noise} noise cannot be modelled; that of {can} can")))
            }
        };
        let refuse =
            |name: &'static str, value: f64, expected: &'static str| Err(Error::Argument { name, value, expected });
        match noise {
            [] => refuse("the number of noise families", 0.0, "1, or that of several quantiles"),
            [Noise::Gaussian] if !modelled => Ok(Objective::SquaredError),
            [Noise::Laplace] if !modelled => Ok(Objective::AbsoluteError),
            &[Noise::Huber(Huber { delta: Some(delta), .. })] => {
                one_scale(!modelled)?;
                Ok(Objective::Huber { delta: delta / deviation })
            }
            [Noise::Huber(Huber { scale, .. })] if *scale != HuberScale::MaximumLikelihood => Err(Error::Unsupported(
                format!("the scale of huber noise is trained by maximum likelihood, and not by {scale}"),
            )),
            &[noise] if noise.description().scale != ModelledScale::Never => {
                Ok(Objective::Likelihood { noise: noise.visit(Begun(noise)), modelled })
            }
            quantiles => {
                one_scale(!modelled)?;
                let levels = levels(quantiles).unwrap_or_default();
                if levels.is_empty() {
                    return refuse(
                        "the number of noise families",
                        noise.len() as f64,
                        "1, or that of several quantiles",
                    );
                }
                match levels.windows(2).find(|pair| pair[0] >= pair[1]) {
                    Some(pair) => refuse("the level of a quantile", pair[1], "larger than the one before"),
                    None => Ok(Objective::Quantiles(levels)),
                }
            }
        }
    }

    /// The noise of each curve whose location is trained, before its shape is estimated.
    pub fn noise(&self, deviation: f64) -> Vec<Noise> {
        match self {
            Objective::SquaredError => vec![Noise::Gaussian],
            Objective::AbsoluteError => vec![Noise::Laplace],
            Objective::Huber { delta } => {
                vec![Noise::Huber(Huber::fixed(delta * deviation).at(*delta))]
            }
            Objective::Quantiles(levels) => {
                levels.iter().map(|&tau| Noise::Quantile(AsymmetricLaplace { tau })).collect()
            }
            Objective::Likelihood { noise, .. } => vec![*noise],
        }
    }

    /// A mean loss in units of a response whose standardised form was divided by `deviation`.
    pub fn restored(&self, loss: f64, deviation: f64) -> f64 {
        match self {
            Objective::SquaredError | Objective::Huber { .. } => loss * deviation * deviation,
            Objective::AbsoluteError | Objective::Quantiles(_) => loss * deviation,
            Objective::Likelihood { .. } => loss + deviation.ln(),
        }
    }

    /// The negative log-likelihood of a row where the mean loss, in units of the response, is this one, and the scale is what then
    /// maximises the likelihood; none for Huber's loss and for several quantiles, which do not say.
    pub fn negative_log_likelihood(&self, loss: f64) -> Option<f64> {
        match self {
            Objective::SquaredError => Some(0.5 * (1.0 + (std::f64::consts::TAU * loss).ln())),
            Objective::AbsoluteError => Some(1.0 + (2.0 * loss).ln()),
            Objective::Likelihood { .. } => Some(loss),
            Objective::Huber { .. } | Objective::Quantiles(_) => None,
        }
    }

    /// The name of that loss.
    pub fn name(&self) -> &'static str {
        match self {
            Objective::SquaredError => "MSE",
            Objective::AbsoluteError => "MAE",
            Objective::Huber { .. } => "Huber loss",
            Objective::Quantiles(_) => "pinball loss",
            Objective::Likelihood { .. } => "NLL",
        }
    }

    /// The number of outputs that a network must have for it.
    pub fn outputs(&self) -> usize {
        match self {
            Objective::Quantiles(levels) => levels.len(),
            Objective::Likelihood { modelled: true, .. } => 2,
            _ => 1,
        }
    }

    /// Parameters of the noise to start from, which are trained with those of the network: the logarithm of the scale where
    /// that is one number; what [`trained_shape`] makes the shape of, where that is estimated.
    pub fn initial(&self) -> Vec<f32> {
        let Objective::Likelihood { noise, modelled } = self else { return Vec::new() };
        let mut parameters = if *modelled { Vec::new() } else { vec![0.0] };
        parameters.extend(noise.visit(InitialShape));
        parameters
    }

    /// The mean loss of a batch; writes its derivatives by the outputs and by the parameters of the noise.
    pub fn evaluate(
        &self,
        outputs: &[f32],
        targets: &Targets<'_>,
        noise: &[f32],
        by_output: &mut [f32],
        by_noise: &mut [f32],
    ) -> f64 {
        let mut batch = Batch { outputs, targets, share: 1.0 / targets.observations(), by_output };
        match self {
            Objective::SquaredError => batch.location(Twice(Square)),
            Objective::AbsoluteError => batch.location(Absolute),
            &Objective::Huber { delta } => batch.location(shape::Huber { knee: delta, steepness: 1.0 }),
            Objective::Quantiles(levels) => batch.quantiles(levels),
            Objective::Likelihood { noise: family, .. } => family.visit(Likelihood { batch, noise, by_noise }),
        }
    }
}

/// The shape of the parameter that is trained, within its range.
fn trained_shape<K: Shaped>(parameter: f32) -> f64 {
    K::SHAPES.end() / (1.0 + (-f64::from(parameter)).exp())
}

/// What trains noise whose shape is to be estimated begins with a shape.
struct Begun(Noise);

impl Visitor for Begun {
    type Output = Noise;

    fn visit<K: Kernel>(self, _: K) -> Noise {
        self.0
    }

    fn visit_shaped<K: Shaped>(self, kernel: K) -> Noise {
        kernel.estimated()
    }
}

/// The parameter that the training of a shape starts from.
struct InitialShape;

impl Visitor for InitialShape {
    type Output = Option<f32>;

    fn visit<K: Kernel>(self, _: K) -> Option<f32> {
        None
    }

    fn visit_shaped<K: Shaped>(self, kernel: K) -> Option<f32> {
        let share = (kernel.parameter() / K::SHAPES.end()).clamp(0.5 / 1e3, 0.5 / 0.6) as f32;
        Some((share / (1.0 - share)).ln())
    }
}

/// The noise once its shape is trained, from the parameters of the noise, of which the shape is the last.
pub(crate) struct WithShape<'a>(pub(crate) Noise, pub(crate) &'a [f32]);

impl Visitor for WithShape<'_> {
    type Output = Noise;

    fn visit<K: Kernel>(self, _: K) -> Noise {
        self.0
    }

    fn visit_shaped<K: Shaped>(self, kernel: K) -> Noise {
        self.1.last().map_or(self.0, |last| kernel.with_parameter(trained_shape::<K>(*last)).estimated())
    }
}

/// A family's negative log-likelihood on a batch, with its derivatives.
struct Likelihood<'a, 'b, 'c> {
    batch: Batch<'a, 'b>,
    noise: &'c [f32],
    by_noise: &'c mut [f32],
}

impl Visitor for Likelihood<'_, '_, '_> {
    type Output = f64;

    fn visit<K: Kernel>(mut self, kernel: K) -> f64 {
        self.batch.likelihood(kernel, self.noise, self.by_noise)
    }

    fn visit_shaped<K: Shaped>(mut self, kernel: K) -> f64 {
        let last = self.noise.len() - 1;
        let theta = trained_shape::<K>(self.noise[last]);
        let loss = self.batch.likelihood(kernel.with_parameter(theta), self.noise, self.by_noise);
        // From the shape to the parameter.
        self.by_noise[last] *= (theta * (1.0 - theta / K::SHAPES.end())) as f32;
        loss
    }
}

/// Twice a shape: `e^2` of `e^2 / 2`.
#[derive(Debug, Clone, Copy)]
struct Twice<S>(S);

impl<S: Shape> Shape for Twice<S> {
    #[inline(always)]
    fn value(self, r: f64) -> f64 {
        2.0 * self.0.value(r)
    }

    #[inline(always)]
    fn slope(self, r: f64) -> f64 {
        2.0 * self.0.slope(r)
    }
}

/// A batch, and one over the number of its observations.
struct Batch<'a, 'b> {
    outputs: &'a [f32],
    targets: &'a Targets<'b>,
    share: f64,
    by_output: &'a mut [f32],
}

impl Batch<'_, '_> {
    /// A loss of the residual alone.
    fn location<S: Shape>(&mut self, shape: S) -> f64 {
        let Batch { outputs, targets, share, by_output } = self;
        let (rows, mut sum) = (targets.response.len(), 0.0);
        for start in (0..rows).step_by(TILE) {
            let count = TILE.min(rows - start);
            let (mut residuals, mut roots, mut frequencies) = ([0.0; TILE], [1.0; TILE], [0.0; TILE]);
            for k in 0..count {
                let i = start + k;
                roots[k] = targets.root_weight(i);
                frequencies[k] = targets.frequency(i);
                residuals[k] = roots[k] * (f64::from(targets.response[i]) - f64::from(outputs[i]));
            }
            let (mut values, mut slopes) = ([0.0; TILE], [0.0; TILE]);
            vectorised(
                #[inline(always)]
                || {
                    for k in 0..TILE {
                        values[k] = frequencies[k] * shape.value(residuals[k]);
                        slopes[k] = -*share * frequencies[k] * roots[k] * shape.slope(residuals[k]);
                    }
                },
            );
            sum += values.iter().sum::<f64>();
            by_output[start..start + count].iter_mut().zip(slopes).for_each(|(out, slope)| *out = slope as f32);
        }
        sum * *share
    }

    /// Check losses of quantiles that are a first one and steps.
    fn quantiles(&mut self, levels: &[f64]) -> f64 {
        let Batch { outputs, targets, share, by_output } = self;
        let (width, mut sum) = (levels.len(), 0.0);
        let per_level = *share / width as f64;
        for (i, &y) in targets.response.iter().enumerate() {
            let own = &outputs[i * width..][..width];
            let gradient = &mut by_output[i * width..][..width];
            let (root, frequency) = (targets.root_weight(i), targets.frequency(i));
            let mut quantile = 0.0;
            for (k, (&output, &tau)) in own.iter().zip(levels).enumerate() {
                let z = f64::from(output);
                quantile += if k == 0 { z } else { z.max(0.0) + (-z.abs()).exp().ln_1p() };
                let check = Check { tau };
                let residual = root * (f64::from(y) - quantile);
                sum += frequency * check.value(residual);
                gradient[k] = (-per_level * frequency * root * check.slope(residual)) as f32;
            }
            // A step moves its own quantile and all above.
            let mut above = 0.0;
            for k in (0..width).rev() {
                above += gradient[k];
                let slope = if k == 0 { 1.0 } else { 1.0 / (1.0 + (-f64::from(own[k])).exp()) };
                gradient[k] = (f64::from(above) * slope) as f32;
            }
        }
        sum * per_level
    }

    /// A family's negative log-likelihood, with the scale from a second output or as the first parameter of the noise.
    fn likelihood<F: Kernel>(&mut self, functions: F, noise: &[f32], by_noise: &mut [f32]) -> f64 {
        let Batch { outputs, targets, share, by_output } = self;
        let rows = targets.response.len();
        let width = outputs.len() / rows.max(1);
        let modelled = width == 2;
        let common = if modelled { 0.0 } else { f64::from(noise[0]) };
        let (constant, [by_theta, _]) = (functions.constant(), functions.constant_by_shape());
        let (mut sum, mut by_common, mut by_shape) = (0.0, 0.0, 0.0);
        for start in (0..rows).step_by(TILE) {
            let count = TILE.min(rows - start);
            let (mut errors, mut log_scales) = ([0.0; TILE], [0.0; TILE]);
            let (mut roots, mut frequencies) = ([1.0f64; TILE], [0.0; TILE]);
            for k in 0..count {
                let i = start + k;
                roots[k] = targets.root_weight(i);
                frequencies[k] = targets.frequency(i);
                errors[k] = f64::from(targets.response[i]) - f64::from(outputs[width * i]);
                let log_scale = if modelled { f64::from(outputs[2 * i + 1]) } else { common };
                log_scales[k] = log_scale - roots[k].ln();
            }
            let (mut values, mut scores) = ([0.0; TILE], [0.0; TILE]);
            let (mut by_scale, mut by_theta) = ([0.0; TILE], [by_theta; TILE]);
            vectorised(
                #[inline(always)]
                || {
                    for k in 0..TILE {
                        let inverse = exp(-log_scales[k]);
                        let r = errors[k] * inverse;
                        let found = functions.at(r);
                        values[k] = frequencies[k] * (found.value + constant + log_scales[k]);
                        scores[k] = -frequencies[k] * found.score * inverse;
                        by_scale[k] = frequencies[k] * (1.0 - r * found.score);
                        by_theta[k] = frequencies[k] * (by_theta[k] + found.by_shape);
                    }
                },
            );
            sum += values.iter().sum::<f64>();
            by_common += by_scale.iter().sum::<f64>();
            by_shape += by_theta.iter().sum::<f64>();
            for k in 0..count {
                let i = start + k;
                by_output[width * i] = (*share * scores[k]) as f32;
                if modelled {
                    by_output[2 * i + 1] = (*share * by_scale[k]) as f32;
                }
            }
        }
        if !modelled {
            by_noise[0] = (*share * by_common) as f32;
        }
        if F::SHAPED
            && let Some(last) = by_noise.last_mut()
        {
            *last = (*share * by_shape) as f32;
        }
        sum * *share
    }
}
