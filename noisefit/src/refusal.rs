//! Settings that do not go together, and the sentences that say so.

use std::path::PathBuf;

use noisefit_core::estimate::ABSORBING;
use noisefit_core::inference::conformal::{InvalidScheme, Scheme};
use noisefit_core::inference::covariance::InvalidVcov;
use noisefit_core::noise::{InvalidNoise, ModelledScale, scalable};
use noisefit_data::formula::FormulaError;

use noisefit_core::wording::{InRust, Setting, Wording};

use crate::with_sampling::WithSampling;

/// What does not go with absorbed effects.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum WithEffects {
    /// A noise other than the Gaussian.
    Noise(String),
    /// A noise that is to be found out.
    Auto,
    /// A modelled scale.
    Scale,
    /// Training.
    Training,
    /// Calibrated intervals.
    Conformal,
    /// Intervals of the profile likelihood.
    Profile,
    /// Tests that fit the rows again.
    Refits,
    /// What is called.
    Verb(&'static str),
}

impl From<&'static str> for WithEffects {
    fn from(verb: &'static str) -> Self {
        WithEffects::Verb(verb)
    }
}

impl WithEffects {
    /// Refuses it where there is an effect.
    pub(crate) fn refused(self, effect: Option<&str>) -> Result<(), Refusal> {
        match effect {
            Some(effect) => Err(Refusal::WithEffects { what: self, effect: effect.to_owned() }),
            None => Ok(()),
        }
    }
}

/// A combination of settings that cannot be.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Refusal {
    /// A setting of one fit where each group has its own.
    WithBy {
        /// The setting.
        setting: Setting,
    },
    /// A column that makes groups twice.
    ByTwice {
        /// Its name.
        name: String,
    },
    /// No noise family has this name.
    Noise(InvalidNoise),
    /// No covariance has this name.
    Vcov(InvalidVcov),
    /// No conformal method has this name.
    Conformal(InvalidScheme),
    /// The formula, that of the scale, or the weights cannot be read.
    Formula(FormulaError),
    /// A formula without a response.
    NoResponse {
        /// As it was written.
        formula: String,
    },
    /// A setting of Huber's noise with another.
    OnlyHuber {
        /// The setting.
        setting: Setting,
        /// The noise.
        noise: String,
    },
    /// A setting of Huber's noise where the noise is to be found out.
    HuberWithAuto {
        /// The setting.
        setting: Setting,
    },
    /// A noise that is to be found out where it must be named.
    AutoNoise,
    /// A noise whose scale cannot be modelled.
    ScaleOfNoise {
        /// The noise.
        noise: String,
    },
    /// None of several models has a scale that can be modelled.
    ScaleOfNone,
    /// A scale by network of what is not trained.
    ScaleByNetwork,
    /// A formula of the scale of what is trained.
    ScaleByFormula {
        /// The formula.
        formula: String,
    },
    /// An exact solver of a network.
    ExactNetwork,
    /// A setting of training where nothing is trained.
    OnlyTraining {
        /// The setting.
        setting: Setting,
    },
    /// A setting of exact fits where something is trained.
    OnlyExact {
        /// The setting.
        setting: Setting,
    },
    /// A column of text whose parts are to be blocks of time.
    NotATime {
        /// The column.
        column: String,
    },
    /// Kinds of models side by side without parts to predict.
    KindsWithoutFolds,
    /// Formulas of several responses side by side.
    SeveralResponses {
        /// One.
        one: String,
        /// Another.
        other: String,
    },
    /// A bootstrap of clusters without the column that says which rows belong together.
    NoClusters,
    /// Layers of a linear model.
    OnlyNetworks,
    /// Hidden units to be left out of a linear model.
    DropoutOfLinear,
    /// Momentum of another optimizer than sgd.
    OnlySgd,
    /// A setting of steps with lbfgs.
    NotWithLbfgs {
        /// The setting.
        setting: Setting,
    },
    /// A setting of the stages of a modelled scale without one.
    CommonScale {
        /// The setting.
        setting: Setting,
    },
    /// Calibration on other rows than those that validate, of which there are such.
    CalibratedTwice {
        /// On which.
        how: &'static str,
    },
    /// Training without an intercept.
    NoIntercept,
    /// A column to be embedded that is no category of the design.
    NoCategory {
        /// The column.
        name: String,
        /// The categories that there are.
        categories: Vec<String>,
    },
    /// A column that is embedded twice.
    EmbeddedTwice,
    /// A checkpoint that would be overwritten.
    CheckpointExists {
        /// The file.
        path: PathBuf,
        /// The steps of the training in it; none where it is no checkpoint.
        steps: Option<u64>,
    },
    /// Training on rows that an engine's workers hold.
    TrainingElsewhere,
    /// A search whose plan all rows would have a say in, those that calibrate among them.
    TuneWithConformal {
        /// How intervals are calibrated.
        method: Scheme,
    },
    /// A share that calibrates, with a method that fits all rows.
    OnlySplit {
        /// How intervals are calibrated.
        method: Scheme,
    },
    /// Folds of a method that has none.
    OnlyCvPlus {
        /// How intervals are calibrated.
        method: Scheme,
    },
    /// What says how conformal intervals are calibrated, without them.
    OnlyConformal {
        /// What is set.
        setting: Setting,
    },
    /// A conformal interval of one quantile.
    ConformalOfQuantile {
        /// Its level.
        level: f64,
    },
    /// Profile intervals of some of the rows.
    ProfileWithSplit,
    /// What does not go with absorbed effects.
    WithEffects {
        /// What it is.
        what: WithEffects,
        /// The first of the effects.
        effect: String,
    },
    /// A setting of absorbed effects without any.
    OnlyEffects {
        /// The setting.
        setting: Setting,
    },
    /// What does not go with sampling weights.
    WithSampling {
        /// What it is.
        what: WithSampling,
    },
    /// The covariance of rows with sampling weights, without these.
    OnlySampling,
    /// Intervals around predictions by absorbed effects.
    IntervalWithEffects {
        /// What was asked for.
        setting: Setting,
        /// The first of the effects.
        effect: String,
    },
    /// Predictions of a model without the constants of its effects.
    EffectsDropped {
        /// The model.
        model: String,
        /// The first of the effects.
        effect: String,
    },
    /// What there is no memory for.
    Memory {
        /// The setting.
        setting: Setting,
        /// How many it says, or makes.
        number: f64,
        /// The bytes that it would take.
        bytes: f64,
        /// The bytes that are free.
        free: u64,
    },
    /// A file of the data that would be overwritten.
    OverwritesData {
        /// The setting.
        setting: Setting,
        /// The file.
        path: PathBuf,
    },
    /// The model that is read, which would be overwritten.
    OverwritesModel {
        /// The setting.
        setting: Setting,
        /// The file.
        path: PathBuf,
    },
    /// A file that is named twice.
    SameFile {
        /// The setting.
        setting: Setting,
        /// The file.
        path: PathBuf,
        /// What names it, too.
        other: Setting,
    },
    /// A diagnosis of quantiles.
    DiagnosisOfQuantiles {
        /// The noise.
        noise: String,
    },
    /// A profile of several quantiles.
    ProfileOfQuantiles {
        /// The noise.
        noise: String,
    },
    /// A grid about an estimate without a standard error.
    NoRange {
        /// The term.
        term: String,
    },
    /// A conformal interval of a model without one.
    NotConformal {
        /// The level.
        level: f64,
        /// The model.
        model: String,
    },
    /// A prediction interval of quantiles, which are its ends themselves.
    IntervalOfQuantiles {
        /// The level.
        level: f64,
        /// The levels of its ends.
        ends: [f64; 2],
        /// The levels that the model has.
        levels: Vec<f64>,
    },
    /// Something of the distribution of a new observation where there are quantiles alone.
    OfQuantiles {
        /// What was asked for.
        setting: Setting,
        /// The quantiles that were asked for; none of other things.
        asked: Vec<f64>,
        /// The levels that the model has.
        levels: Vec<f64>,
    },
    /// Where the spread comes from of one network.
    SpreadOfOne,
    /// The distribution of a response that is not undone.
    NotUndone {
        /// What was asked for.
        setting: Setting,
        /// The response.
        response: String,
    },
    /// A bound that a transformed response cannot have.
    BoundOutside {
        /// What was asked for.
        setting: Setting,
        /// The bound.
        bound: f64,
        /// The response.
        response: String,
    },
    /// Rows outside the data of a fit whose ranges the model does not have.
    NoRanges {
        /// The model.
        model: String,
    },
    /// A confidence interval of what was trained.
    ConfidenceOfTrained {
        /// The level.
        level: f64,
        /// The number of networks.
        members: usize,
    },
    /// A column that is carried along twice.
    KeptTwice {
        /// Its name.
        name: String,
        /// Where it stands the second time, from 1.
        place: usize,
    },
    /// A file of charts whose ending says no form of them.
    ChartFile {
        /// The file.
        path: PathBuf,
    },
    /// A name of what is predicted that a column has that is carried along.
    NameTaken {
        /// The name.
        name: String,
    },
    /// A threshold of a loss that is not positive.
    Delta {
        /// The value.
        delta: f64,
    },
}

/// The levels of quantiles, with commas between.
fn list(levels: &[f64]) -> String {
    levels.iter().map(f64::to_string).collect::<Vec<_>>().join(", ")
}

/// Bytes in the largest unit of which there is one.
fn size(bytes: f64) -> String {
    let units = [("TB", 1e12), ("GB", 1e9), ("MB", 1e6)];
    let (unit, of) = units.into_iter().find(|(_, of)| bytes >= *of).unwrap_or(("kB", 1e3));
    format!("{:.1} {unit}", bytes / of)
}

impl Refusal {
    /// What cannot be and what to say instead, with settings as a front end writes them.
    pub fn sentence(&self, wording: &dyn Wording) -> String {
        let name = |setting: Setting| wording.setting(setting);
        let with = |setting: Setting, value: &str| wording.with(setting, value);
        let network = with(Setting::Model, "network");
        match self {
            Refusal::Noise(error) => error.to_string(),
            Refusal::Vcov(error) => error.to_string(),
            Refusal::Conformal(error) => error.to_string(),
            Refusal::Formula(error) => error.sentence(wording),
            Refusal::NoResponse { formula } => format!("the formula '{formula}' has no response; write 'y ~ ...'"),
            Refusal::OnlyHuber { setting, noise } => {
                let what = match setting {
                    Setting::HuberK => "says where the tails begin in units of the estimated scale",
                    _ => "says how the scale is estimated",
                };
                format!(
                    "{} {what}, and goes with {} alone, not with {}",
                    name(*setting),
                    with(Setting::Noise, "huber"),
                    with(Setting::Noise, noise)
                )
            }
            Refusal::HuberWithAuto { setting } => format!(
                "{} goes with {} alone, not with {}",
                name(*setting),
                with(Setting::Noise, "huber"),
                with(Setting::Noise, "auto")
            ),
            Refusal::WithBy { setting } => format!(
                "{} is of one fit, and {} makes one of each group; leave one of them out",
                name(*setting),
                name(Setting::By)
            ),
            Refusal::ByTwice { name: column } => format!("{}: `{column}` is named twice", name(Setting::By)),
            Refusal::AutoNoise => format!(
                "{} goes with {} and its exact fits; {} says which noise it is, to be named here",
                with(Setting::Noise, "auto"),
                wording.verb("fit"),
                wording.verb("compare")
            ),
            Refusal::ScaleOfNoise { noise } => format!(
                "{}: the scale of {noise} noise cannot be modelled; it can for {} {}",
                name(Setting::Scale),
                name(Setting::Noise),
                scalable(ModelledScale::Always)
            ),
            Refusal::ScaleOfNone => format!(
                "{}: none of these models has a scale that can be modelled; {} do",
                name(Setting::Scale),
                scalable(ModelledScale::Always)
            ),
            Refusal::ScaleByNetwork => format!(
                "{} is another output of what is trained: say {network} or {}, or give a formula such as {}",
                with(Setting::Scale, "network"),
                with(Setting::Solver, "train"),
                with(Setting::Scale, "~ x")
            ),
            Refusal::ScaleByFormula { formula } => format!(
                "{}: what is trained models its scale from the same inputs as its location: say {}",
                with(Setting::Scale, formula),
                with(Setting::Scale, "network")
            ),
            Refusal::ExactNetwork => {
                format!("{}: a network has no exact fit; leave it out", with(Setting::Solver, "exact"))
            }
            Refusal::OnlyTraining { setting } => format!(
                "{} is about training: say {network}, or {} for a linear model by gradient steps",
                name(*setting),
                with(Setting::Solver, "train")
            ),
            Refusal::SeveralResponses { one, other } => format!(
                "the formulas have the responses {one} and {other}, and are set side by side for one response: compare each by itself, and \
                 the AIC of both, which is of the response as it stands in the data"
            ),
            Refusal::NoClusters => format!(
                "the covariance of the model has no clusters: name the column that says which rows belong together by {}",
                wording.setting(Setting::Cluster)
            ),
            Refusal::OnlyExact { setting } => {
                let (what, why) = match setting {
                    Setting::Confint => (with(*setting, "profile"), "profile-likelihood intervals are of exact fits"),
                    Setting::OnePass => (name(*setting), "training reads the rows once in every epoch"),
                    _ => (name(*setting), "standard errors are of exact fits, and training has none"),
                };
                format!("{what}: {why}; leave it out, or {network} and {}", with(Setting::Solver, "train"))
            }
            Refusal::OnlyNetworks => format!(
                "{}, {} and {} are of networks: say {network}",
                name(Setting::Hidden),
                name(Setting::Activation),
                name(Setting::Embedding)
            ),
            Refusal::DropoutOfLinear => format!(
                "{} leaves out hidden units, and a linear model has none: say {network}",
                name(Setting::Dropout)
            ),
            Refusal::OnlySgd => format!(
                "{} goes with {}; adam and adamw have their own, lbfgs has none",
                name(Setting::Momentum),
                with(Setting::Optimizer, "sgd")
            ),
            Refusal::NotWithLbfgs { setting } => format!(
                "{} does not go with {}, which finds its own steps over all rows at once",
                name(*setting),
                with(Setting::Optimizer, "lbfgs")
            ),
            Refusal::CommonScale { setting } => {
                format!("{} is about a modelled scale: say {}", name(*setting), with(Setting::Scale, "network"))
            }
            Refusal::CalibratedTwice { how } => format!(
                "{} leaves no rows for {}: leave it out, or say {}",
                with(Setting::Calibrate, how),
                name(Setting::Validation),
                with(Setting::Calibrate, "validation")
            ),
            Refusal::NoIntercept => format!(
                "a trained model has an intercept, for its inputs are standardised; without one say {}",
                with(Setting::Solver, "exact")
            ),
            Refusal::NoCategory { name: column, categories } if categories.is_empty() => {
                format!("{} {column}: the formula has no category", name(Setting::Embedding))
            }
            Refusal::NoCategory { name: column, categories } => format!(
                "{} {column}: no such category; the formula has {}",
                name(Setting::Embedding),
                categories.join(", ")
            ),
            Refusal::EmbeddedTwice => format!("{}: a column is named twice", name(Setting::Embedding)),
            Refusal::CheckpointExists { path, steps: Some(steps) } => format!(
                "{} {}: there is a training of {steps} steps; say {} to go on, or name another file",
                name(Setting::Checkpoint),
                path.display(),
                name(Setting::Resume)
            ),
            Refusal::CheckpointExists { path, steps: None } => format!(
                "{} {}: there is a file that is no checkpoint; name another",
                name(Setting::Checkpoint),
                path.display()
            ),
            Refusal::TrainingElsewhere => {
                "training takes the rows in their order, one batch after another, and the workers of an engine \
                                           hold them: write the table to Parquet files and train on these"
                    .to_owned()
            }
            Refusal::TuneWithConformal { method } => format!(
                "{} with {}: every row would have a say in the plan, and calibrate; say {}",
                name(Setting::Tune),
                with(Setting::Conformal, &method.to_string()),
                with(Setting::Conformal, "split")
            ),
            Refusal::OnlySplit { method } => format!(
                "{} is the share of the rows that is not fitted, and goes with {}; {method} fits all rows",
                name(Setting::Calibration),
                with(Setting::Conformal, "split")
            ),
            Refusal::OnlyCvPlus { method } => {
                format!("{} goes with {}, not with {method}", name(Setting::Folds), with(Setting::Conformal, "cv+"))
            }
            Refusal::OnlyConformal { setting } => {
                format!(
                    "{} says how intervals are calibrated, and goes with {}",
                    name(*setting),
                    name(Setting::Conformal)
                )
            }
            Refusal::ConformalOfQuantile { level } => format!(
                "{}: an interval of quantiles lies between two of them, and {level} is one; say {}",
                name(Setting::Conformal),
                with(Setting::Noise, "quantile:0.05,0.95")
            ),
            Refusal::ProfileWithSplit => format!(
                "{} is of all rows, and {} fits some of them; say {}",
                with(Setting::Confint, "profile"),
                with(Setting::Conformal, "split"),
                with(Setting::Conformal, "cv+")
            ),
            Refusal::WithEffects { what, effect } => {
                let effects = format!("absorbed effects (| {effect})");
                let what = match what {
                    WithEffects::Noise(noise) => {
                        format!("{}: {effects} go with {ABSORBING}", with(Setting::Noise, noise))
                    }
                    WithEffects::Auto => {
                        format!("{}: families are compared without {effects}", with(Setting::Noise, "auto"))
                    }
                    WithEffects::Scale => format!("{}: no scale is modelled beside {effects}", name(Setting::Scale)),
                    WithEffects::Training => format!("what is trained by gradient steps has no {effects}"),
                    WithEffects::Conformal => {
                        format!("{}: intervals are not calibrated beside {effects}", name(Setting::Conformal))
                    }
                    WithEffects::Profile => {
                        format!("{}: no profile is followed beside {effects}", with(Setting::Confint, "profile"))
                    }
                    WithEffects::Refits => {
                        format!(
                            "tests by likelihood ratio or bootstrap fit again, and are not defined beside {effects} as Wald's is"
                        )
                    }
                    WithEffects::Verb(verb) => format!("{} is not defined beside {effects}", wording.verb(verb)),
                };
                format!("{what}; put {effect} among the terms, where each of up to 10,000 levels has a coefficient")
            }
            Refusal::OnlyEffects { setting } => {
                format!("{} is about absorbed effects, and the formula has none: y ~ x | firm", name(*setting))
            }
            Refusal::WithSampling { what } => what.sentence(wording),
            Refusal::OnlySampling => format!(
                "{} is of rows with sampling weights: say {} COLUMN, or {} where there are none",
                with(Setting::Vcov, "sampling"),
                name(Setting::SamplingWeights),
                with(Setting::Vcov, "sandwich")
            ),
            Refusal::IntervalWithEffects { setting, effect } => format!(
                "{}: how sure the constants of absorbed effects (| {effect}) are is known of one effect, with classical errors or, under gaussian noise, with \
                 sandwich or hc errors, and this model has other ones; leave it out, or put {effect} among the terms",
                name(*setting)
            ),
            Refusal::EffectsDropped { model, effect } => format!(
                "{model} was saved without the constants of its effects (| {effect}), and predictions need them; fit it again without {}",
                name(Setting::DropEffects)
            ),
            Refusal::Memory { setting, number, bytes, free } => {
                let what = match setting {
                    Setting::Hidden => "parameters",
                    Setting::Ensemble => "networks",
                    Setting::Tune => "plans",
                    _ => "rows",
                };
                format!(
                    "{}: {} {what} take about {} of memory, and {} are free; say fewer",
                    name(*setting),
                    number,
                    size(*bytes),
                    size(*free as f64)
                )
            }
            Refusal::OverwritesData { setting, path } => {
                format!("{} {}: that is a file of the data; name another", name(*setting), path.display())
            }
            Refusal::OverwritesModel { setting, path } => {
                format!("{} {}: that is the model itself; name another", name(*setting), path.display())
            }
            Refusal::SameFile { setting, path, other } => {
                format!("{} {}: {} names the same file; name another", name(*setting), path.display(), name(*other))
            }
            Refusal::DiagnosisOfQuantiles { noise } => format!(
                "{}: a quantile is no model of the noise, which is what is diagnosed; diagnose the formula with another \
                 noise, and see by {} whether the right share of rows lies below the quantile",
                with(Setting::Noise, noise),
                wording.verb("evaluate")
            ),
            Refusal::ProfileOfQuantiles { noise } => {
                format!("{}: a curve is that of one quantile; name one", with(Setting::Noise, noise))
            }
            Refusal::NoRange { term } => format!(
                "the coefficient of {term} has no standard error to say how far to go; give {} LOW,HIGH",
                name(Setting::Range)
            ),
            Refusal::NotConformal { level, model } => format!(
                "{} {level} conformal: {model} has no conformal intervals; fit it with {}, cv+ or jackknife+",
                name(Setting::Interval),
                with(Setting::Conformal, "split")
            ),
            Refusal::IntervalOfQuantiles { level, ends: [low, high], levels } => {
                let interval = name(Setting::Interval);
                let themselves = format!(
                    "{interval} {level} prediction: quantiles are themselves the ends of intervals for a new observation, and"
                );
                match levels.contains(low) && levels.contains(high) {
                    true => format!(
                        "{themselves} those of this one are the columns q{low} and q{high}; leave out {interval}"
                    ),
                    false => format!(
                        "{themselves} the model has {}; for this one fit {}, or ask for {interval} {level} confidence of each \
                         quantile",
                        list(levels),
                        with(Setting::Noise, &format!("quantile:{low},{high}"))
                    ),
                }
            }
            Refusal::NotATime { column } => format!(
                "{}: {column} is text, which has no order in time; name a column of numbers, dates or times, say how its dates are written with {}, \
                 or keep its rows together in any order with {}",
                with(Setting::FoldsTime, column),
                name(Setting::Date),
                with(Setting::FoldsBy, column)
            ),
            Refusal::KindsWithoutFolds => format!(
                "{}: kinds of models are compared by how they predict rows that they were not fitted to; {} is 2 or more",
                name(Setting::Models),
                name(Setting::Folds)
            ),
            Refusal::OfQuantiles { setting, asked, levels } => {
                let (setting, have) = (name(*setting), list(levels));
                let noise = name(Setting::Noise);
                match asked.is_empty() {
                    true => format!(
                        "{setting}: the model is of quantiles ({have}), which are no distribution; fit a noise that has a density, such as {}, or \
                         several quantiles in its place",
                        with(Setting::Noise, "student-t")
                    ),
                    false => {
                        let mut all = [&asked[..], levels].concat();
                        all.sort_by(f64::total_cmp);
                        all.dedup();
                        format!(
                            "{setting} {}: the model is of the quantiles {have} alone, and says nothing of others; fit {}, or a {noise} that has a \
                             density",
                            list(asked),
                            with(Setting::Noise, &format!("quantile:{}", list(&all).replace(' ', "")))
                        )
                    }
                }
            }
            Refusal::SpreadOfOne => format!(
                "{}: one network does not say how far its location may be off; train several with {}, whose differences do",
                name(Setting::Spread),
                with(Setting::Ensemble, "5")
            ),
            Refusal::NotUndone { setting, response } => format!(
                "{}: it is of the column itself, and {response} is not undone: it is not one to one, or not by a formula that is known here; \
                 model the column, or a transformation such as log",
                name(*setting)
            ),
            Refusal::BoundOutside { setting, bound, response } => format!(
                "{}: {response} has no value at {bound}; give a bound at which it has one",
                with(*setting, &bound.to_string())
            ),
            Refusal::NoRanges { model } => format!(
                "{}: {model} does not say which values its data had, as models of an older noisefit do not; fit it again",
                name(Setting::Outside)
            ),
            Refusal::ConfidenceOfTrained { level, members } => {
                let instead = match members {
                    1 => format!(
                        "train several with {}: how far these differ is another column",
                        with(Setting::Ensemble, "5")
                    ),
                    _ => "how far its members differ is the column sd_epistemic".to_owned(),
                };
                format!(
                    "{} {level} confidence: what is trained by gradient steps has no standard errors; {instead}",
                    name(Setting::Interval)
                )
            }
            Refusal::KeptTwice { name: column, place } => {
                format!("{}: `{column}` is named twice, the second time as column {place}", name(Setting::Keep))
            }
            Refusal::ChartFile { path } => {
                format!("{}: a picture ends in .svg, .png or .pdf, its data in .csv or .json", path.display())
            }
            Refusal::NameTaken { name: column } => format!(
                "the data have a column `{column}` already, which is to be carried along; say {} NAME for another name of what is \
                 predicted, or leave the old one out with {}",
                name(Setting::Name),
                name(Setting::Keep)
            ),
            Refusal::Delta { delta } => {
                format!("{} {delta}: a threshold is a positive number", name(Setting::Delta))
            }
        }
    }
}

impl std::fmt::Display for Refusal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.sentence(&InRust))
    }
}

impl std::error::Error for Refusal {}
