//! What is asked of the distribution of a new observation: quantiles, its density at the response, probabilities, draws, and where its
//! spread comes from. All but the last is of the response itself, also where that is transformed.

use noisefit_core::inference::distribution::{Distributions, NewObservation};
use noisefit_core::inference::predict::Predictor;
use noisefit_core::network::Deviation;
use noisefit_core::noise::Noise;
use noisefit_core::record::LikelihoodOf;
use noisefit_core::wording::Setting;
use noisefit_data::formula::Design;
use noisefit_data::model::FittedModel;

use super::columns::{curves, has_deviations};
use super::options::{Columns, PredictOptions};
use crate::error::Error;
use crate::refusal::Refusal;

impl PredictOptions {
    /// The first setting that is asked of the distribution.
    pub(super) fn of_distribution(&self) -> Option<Setting> {
        let settings = [
            (Setting::Quantiles, !self.quantiles.is_empty()),
            (Setting::Density, self.density),
            (Setting::Above, !self.above.is_empty()),
            (Setting::Below, !self.below.is_empty()),
            (Setting::Spread, self.spread),
            (Setting::Samples, self.samples > 0),
        ];
        settings.into_iter().find(|(_, given)| *given).map(|(setting, _)| setting)
    }
}

/// What is asked of the distributions of rows, ready to be answered.
#[derive(Debug)]
pub(super) struct Wanted<'a> {
    options: &'a PredictOptions,
    /// Of an exact fit; a network's mixtures are there anyway.
    new: Option<NewObservation>,
    /// The quantiles that are not among the predictions already.
    quantiles: Vec<f64>,
    /// The bounds, as the model has them.
    above: Vec<f64>,
    below: Vec<f64>,
    spread: bool,
    back: Back<'a>,
}

/// The way from a response as it is modelled to the column itself.
#[derive(Debug, Clone, Copy)]
struct Back<'a> {
    /// None where the response is the column.
    design: Option<&'a Design>,
    falls: bool,
}

/// The distributions of a block of rows, from which draws are made once it is known which rows of the table they are.
#[derive(Debug)]
pub(super) struct Block {
    /// The places of its rows in their frame.
    pub(super) kept: Vec<usize>,
    found: Distributions,
    offset: Option<Vec<f64>>,
}

/// The distribution that a model without one is asked for, or what else of it that it does not have.
///
/// # Errors
/// [`Refusal::OfQuantiles`], [`Refusal::SpreadOfOne`], [`Refusal::NotUndone`] and [`Refusal::BoundOutside`].
pub(super) fn check(model: &FittedModel, options: &PredictOptions) -> Result<(), Error> {
    let Some(setting) = options.of_distribution() else { return Ok(()) };
    let levels: Vec<f64> = curves(model).into_iter().flatten().collect();
    if !levels.is_empty() {
        let others = [
            options.density,
            !options.above.is_empty(),
            !options.below.is_empty(),
            options.spread,
            options.samples > 0,
        ];
        let unknown = options.quantiles.iter().any(|level| !levels.contains(level));
        if setting != Setting::Quantiles || unknown {
            let asked = if setting == Setting::Quantiles { options.quantiles.clone() } else { Vec::new() };
            return Err(Refusal::OfQuantiles { setting, asked, levels }.into());
        }
        if others.contains(&true) {
            let rest = PredictOptions { quantiles: Vec::new(), ..options.clone() };
            let setting = rest.of_distribution().unwrap_or(setting);
            return Err(Refusal::OfQuantiles { setting, asked: Vec::new(), levels }.into());
        }
    }
    if let Some(network) = &model.network
        && options.spread
        && network.members.len() < 2
    {
        return Err(Refusal::SpreadOfOne.into());
    }
    Back::new(model, setting)?;
    for (setting, bounds) in [(Setting::Above, &options.above), (Setting::Below, &options.below)] {
        for &bound in bounds {
            modelled(&model.design, setting, bound)?;
        }
    }
    Ok(())
}

/// A bound as the model has it.
fn modelled(design: &Design, setting: Setting, bound: f64) -> Result<f64, Refusal> {
    match design.transformed(bound).filter(|value| !value.is_nan()) {
        Some(value) => Ok(value),
        None => Err(Refusal::BoundOutside { setting, bound, response: design.response() }),
    }
}

impl<'a> Back<'a> {
    fn new(model: &'a FittedModel, setting: Setting) -> Result<Self, Refusal> {
        let design = &model.design;
        if !design.transforms_response() || setting == Setting::Spread {
            return Ok(Back { design: None, falls: false });
        }
        let slope = |value: &f64| design.undone(*value).map(|[_, slope, _]| slope).filter(|slope| *slope != 0.0);
        match [0.5, 1.0, 2.0, 0.1, -0.5].iter().find_map(slope) {
            Some(slope) if design.likelihood_of() != LikelihoodOf::Folded => {
                Ok(Back { design: Some(design), falls: slope < 0.0 })
            }
            _ => Err(Refusal::NotUndone { setting, response: design.response() }),
        }
    }

    /// The column where the response is that.
    fn value(&self, response: f64) -> f64 {
        self.design.map_or(response, |design| design.untransformed(response).unwrap_or(f64::NAN))
    }

    /// `ln |g'(y)|` of the response `g` where that is the value.
    fn log_jacobian(&self, response: f64) -> f64 {
        self.design.map_or(0.0, |design| design.undone(response).map_or(f64::NAN, |[_, slope, _]| -slope.abs().ln()))
    }
}

impl<'a> Wanted<'a> {
    /// What is asked for, of a model that was [checked](check) for it and predicts by `predictor`; none where nothing is.
    ///
    /// # Errors
    /// A fit without a distribution.
    pub(super) fn new(
        model: &'a FittedModel,
        predictor: Option<&Predictor>,
        options: &'a PredictOptions,
    ) -> Result<Option<Self>, Error> {
        let Some(setting) = options.of_distribution() else { return Ok(None) };
        let own: Vec<f64> = curves(model).into_iter().flatten().collect();
        let quantiles: Vec<f64> = options.quantiles.iter().copied().filter(|level| !own.contains(level)).collect();
        if !own.is_empty() && quantiles.is_empty() {
            // They are the predictions themselves.
            return Ok(None);
        }
        let is_density = |predictor: &&Predictor| !matches!(predictor.noise(), Noise::Quantile(_));
        let new = predictor.filter(is_density).map(NewObservation::new).transpose()?;
        let bounds = |setting, bounds: &[f64]| {
            bounds.iter().map(|&bound| modelled(&model.design, setting, bound)).collect::<Result<Vec<_>, _>>()
        };
        Ok(Some(Wanted {
            options,
            new,
            quantiles,
            above: bounds(Setting::Above, &options.above)?,
            below: bounds(Setting::Below, &options.below)?,
            spread: options.spread && !model.network.as_ref().is_some_and(has_deviations),
            back: Back::new(model, setting)?,
        }))
    }

    /// The names of the columns, but for those of the draws.
    pub(super) fn names(&self) -> Vec<String> {
        let quantiles = self.quantiles.iter().map(|level| format!("q{level}"));
        let density = self.options.density.then(|| "log_density".to_owned());
        let above = self.options.above.iter().map(|bound| format!("above_{bound}"));
        let below = self.options.below.iter().map(|bound| format!("below_{bound}"));
        let spread = ["sd_total", "sd_aleatoric", "sd_epistemic"].into_iter().filter(|_| self.spread);
        quantiles.chain(density).chain(above).chain(below).chain(spread.map(str::to_owned)).collect()
    }

    /// Those of the draws.
    pub(super) fn draws(&self) -> Vec<String> {
        (1..=self.options.samples).map(|draw| format!("draw_{draw}")).collect()
    }

    /// How many draws there are of each row.
    pub(super) fn samples(&self) -> usize {
        self.options.samples
    }

    /// What makes the distributions of an exact fit.
    pub(super) fn new_observation(&self) -> Option<&NewObservation> {
        self.new.as_ref()
    }

    /// Whether the columns are of another thing than the predictions.
    pub(super) fn is_carried_back(&self) -> bool {
        self.back.design.is_some()
    }

    /// The columns of a block of rows; `responses` are those of the data, as the model has them.
    ///
    /// # Errors
    /// A level that is none.
    pub(super) fn columns(
        &self,
        found: &Distributions,
        offset: Option<&[f64]>,
        responses: Option<&[f64]>,
    ) -> Result<Columns, noisefit_core::Error> {
        let (rows, back) = (found.rows(), &self.back);
        let shift = |i: usize| offset.map_or(0.0, |offset| offset[i]);
        let mut columns = Vec::new();
        for &level in &self.quantiles {
            let quantiles = found.quantile(if back.falls { 1.0 - level } else { level })?;
            columns.push(quantiles.into_iter().enumerate().map(|(i, value)| back.value(value + shift(i))).collect());
        }
        if let Some(responses) = responses.filter(|_| self.options.density) {
            let density = |i: usize| found.log_density(i, responses[i] - shift(i)) + back.log_jacobian(responses[i]);
            columns.push((0..rows).map(density).collect());
        }
        let mut beyond = |bounds: &[f64], above: bool| {
            for bound in bounds {
                let one = |i: usize| match above != back.falls {
                    true => found.above(i, bound - shift(i)),
                    false => found.below(i, bound - shift(i)),
                };
                columns.push((0..rows).map(one).collect());
            }
        };
        beyond(&self.above, true);
        beyond(&self.below, false);
        if self.spread {
            let deviations = found.deviations();
            let column = |pick: fn(&Deviation) -> f64| deviations.iter().map(pick).collect::<Vec<f64>>();
            columns.extend([column(|d| d.total), column(|d| d.aleatoric), column(|d| d.epistemic)]);
        }
        Ok(columns)
    }

    /// A block that is kept for its draws.
    pub(super) fn block(&self, kept: &[usize], found: Distributions, offset: Option<&[f64]>) -> Block {
        Block { kept: kept.to_vec(), found, offset: offset.map(<[f64]>::to_vec) }
    }

    /// The draws of the rows `range` of a frame, column by column, where `before` rows of the table stand before the frame.
    pub(super) fn drawn(&self, block: &Block, range: &std::ops::Range<usize>, before: u64) -> Columns {
        let mut columns = vec![vec![f64::NAN; range.len()]; self.options.samples];
        for (i, &place) in block.kept.iter().enumerate() {
            let shift = block.offset.as_ref().map_or(0.0, |offset| offset[i]);
            for (draw, column) in columns.iter_mut().enumerate() {
                let drawn = block.found.draw(i, before + place as u64, draw as u64, self.options.seed);
                column[place - range.start] = self.back.value(drawn + shift);
            }
        }
        columns
    }
}
