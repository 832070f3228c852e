//! What every command has in common that fits a model: the formula, the noise, and how the rows are treated.

use clap::Args;
use noisefit::core::estimate::Collinear;
use noisefit::core::noise::{FAMILIES, HuberScale, Listed, usage};
use noisefit::data::source::Missing;
use noisefit::{Model, NoiseChoice, Scale, parse};

use crate::arguments::{named, suggested};

/// The model, without its noise.
#[derive(Debug, Args)]
pub(crate) struct ModelArguments {
    /// The model, as in R: 'y ~ x1 + log(x2) + city*x3'; `.` stands for all other columns
    #[arg(long, short, value_name = "FORMULA")]
    pub(crate) formula: String,
    #[command(flatten)]
    pub(crate) settings: SettingArguments,
}

/// What a model has beside its formula and its noise.
#[derive(Debug, Args)]
pub(crate) struct SettingArguments {
    /// Model the noise scale, too: its logarithm is linear in the terms of '~ x + city'; or network, another output of what is
    /// trained, as is the default of a network; or constant
    #[arg(long, value_name = "FORMULA")]
    pub(crate) scale: Option<Scale>,
    /// Relative precisions of the rows (inverse variances), a column or arithmetic on columns
    #[arg(long, value_name = "EXPRESSION")]
    pub(crate) weights: Option<String>,
    /// A column with the number of identical rows that each row stands for
    #[arg(long, value_name = "COLUMN")]
    pub(crate) frequency_weights: Option<String>,
    /// Rows with a missing value
    #[arg(long, value_parser = named::<Missing>(), default_value_t = Missing::Drop)]
    pub(crate) missing: Missing,
    /// Terms that are linear combinations of earlier ones
    #[arg(long, value_parser = named::<Collinear>(), default_value_t = Collinear::Drop)]
    pub(crate) collinear: Collinear,
    /// Digits of the worst coefficient to work for, where the data determine them (Gaussian noise; the others give all they can)
    #[arg(long, value_name = "DIGITS", default_value_t = 11.0, value_parser = parse::digits)]
    pub(crate) digits: f64,
}

impl ModelArguments {
    /// The model, under gaussian noise unless more is said.
    pub(crate) fn model(&self) -> Model {
        self.settings.model(&self.formula)
    }

    /// The model under the noise that is named.
    pub(crate) fn with_noise(&self, noise: &NoiseArguments) -> Model {
        let NoiseArguments { noise, huber_k, huber_scale } = noise;
        Model { noise: noise.clone().unwrap_or_default(), huber_k: *huber_k, huber_scale: *huber_scale, ..self.model() }
    }
}

impl SettingArguments {
    /// The model of a formula, under gaussian noise unless more is said.
    pub(crate) fn model(&self, formula: &str) -> Model {
        Model {
            scale: self.scale.clone(),
            weights: self.weights.clone(),
            frequencies: self.frequency_weights.clone(),
            missing: self.missing,
            collinear: self.collinear,
            digits: self.digits,
            ..Model::new(formula)
        }
    }
}

/// What a fit has that the other commands refuse, and say why.
#[derive(Debug, Args)]
pub(crate) struct FitAlone {
    #[arg(long, value_name = "EXPRESSION", hide = true)]
    pub(crate) sampling_weights: Option<String>,
}

/// How noise can be named.
fn help() -> String {
    format!(
        "The noise family: {}; or auto, which fits the one that `compare` prefers [default: gaussian; of a \
             network student-t]",
        usage()
    )
}

/// The same with what each family is.
fn long_help() -> String {
    let line = |family: &Listed| format!("- {}: {}\n", family.description.usage.join(", "), family.description.about);
    let families: String = FAMILIES.iter().map(line).collect();
    format!(
        "The noise family:\n{families}- auto: the one that `compare` prefers\n\n[default: gaussian; of a network student-t, whose tails its \
         calibration finds]"
    )
}

/// The noise of one model.
#[derive(Debug, Args)]
pub(crate) struct NoiseArguments {
    #[arg(long, value_name = "FAMILY", help = help(), long_help = long_help())]
    #[arg(value_parser = suggested::<NoiseChoice>(FAMILIES.iter().map(|family| family.name).chain(["auto"])))]
    #[arg(hide_possible_values = true)]
    pub(crate) noise: Option<NoiseChoice>,
    /// Where the tails of huber noise begin, in scales [default: 1.345]
    #[arg(long, value_name = "K", value_parser = parse::positive)]
    pub(crate) huber_k: Option<f64>,
    /// How the scale of huber noise is estimated: mle, mad, mad:CONSTANT or proposal2 [default: mle]
    #[arg(long, value_name = "HOW")]
    pub(crate) huber_scale: Option<HuberScale>,
}
