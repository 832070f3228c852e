//! What goes with what, and what a model's settings come to.

use noisefit_core::algebra::Settings;
use noisefit_core::estimate;
use noisefit_core::inference::Options;
use noisefit_core::inference::conformal::{Plan, Scheme};
use noisefit_core::inference::covariance::Vcov;
use noisefit_core::named::Named;
use noisefit_core::network::{self, Schedule};
use noisefit_core::noise::{Huber, ModelledScale, Noise, Noises, Parameter, StudentT};
use noisefit_core::record::{Confint, SmallSample};
use noisefit_data::formula::Formula;

use crate::error::Error;
use crate::model::{Model, NoiseChoice, Scale};
use crate::refusal::{Refusal, WithEffects};
use crate::training::{Calibrate, Encoding, Optimizer, Preset, Training};
use crate::with_sampling::WithSampling;
use noisefit_core::wording::Setting;

/// Rows that settings are checked for before any are read.
const USUAL_ROWS: u64 = 1000;

impl Model {
    /// Checks that the settings go together, without data. [`Model::fit`] checks the same before it reads any.
    ///
    /// # Errors
    /// [`Error::Refused`] with the first setting that does not.
    pub fn check(&self) -> Result<(), Error> {
        self.check_sampling()?;
        match self.training() {
            Some(_) => {
                self.only_exact()?;
                let noise = self.named_noise()?;
                self.without_effects(WithEffects::Training)?;
                self.plan(USUAL_ROWS)?;
                self.conformal_plan(&noise)?;
            }
            None if self.is_auto()? => {
                self.without_effects(WithEffects::Auto)?;
            }
            None => {
                let noise = self.choice()?;
                let formula = self.full_formula()?;
                self.check_effects(&formula, &noise)?;
                self.conformal_plan(&noise)?;
            }
        }
        Ok(())
    }

    /// Refuses what does not go with sampling weights, and what goes with these alone.
    fn check_sampling(&self) -> Result<(), Refusal> {
        if self.sampling_weights.is_none() {
            return match self.vcov {
                Vcov::Sampling(_) => Err(Refusal::OnlySampling),
                _ => Ok(()),
            };
        }
        let effect = self.location()?.effects().first().map(ToString::to_string);
        let others = [
            self.weights.as_ref().map(|_| WithSampling::Weights),
            self.frequencies.as_ref().map(|_| WithSampling::Frequencies),
            effect.map(WithSampling::Effects),
            self.training().map(|_| WithSampling::Training),
            (self.noise == NoiseChoice::Auto).then_some(WithSampling::Auto),
            (!self.vcov.is_of_samples()).then(|| WithSampling::Vcov(self.vcov.to_string())),
            self.conformal.map(|_| WithSampling::Conformal),
            (self.confint == Confint::Profile).then_some(WithSampling::Profile),
        ];
        match others.into_iter().flatten().next() {
            Some(what) => Err(Refusal::WithSampling { what }),
            None => Ok(()),
        }
    }

    /// Refuses what does not go with sampling weights where the model has such.
    pub(crate) fn without_sampling(&self, what: WithSampling) -> Result<(), Refusal> {
        match self.sampling_weights.is_some() {
            true => Err(Refusal::WithSampling { what }),
            false => Ok(()),
        }
    }

    /// Refuses what does not go with absorbed effects, and what goes with these alone.
    fn check_effects(&self, formula: &Formula, noise: &Noises) -> Result<(), Refusal> {
        let Some(effect) = formula.effects().first().map(ToString::to_string) else {
            return match self.drop_effects {
                true => Err(Refusal::OnlyEffects { setting: Setting::DropEffects }),
                false => Ok(()),
            };
        };
        let others = [
            (matches!(self.scale, Some(Scale::Formula(_))), WithEffects::Scale),
            (!matches!(&noise[..], [noise] if estimate::absorbs_effects(noise)), WithEffects::Noise(noise.to_string())),
            (self.conformal.is_some(), WithEffects::Conformal),
            (self.confint == Confint::Profile, WithEffects::Profile),
        ];
        let given = others.into_iter().find(|(given, _)| *given);
        given.map_or(Ok(()), |(_, what)| what.refused(Some(&effect)))
    }

    /// The formula without that of the scale, which must not have effects that are absorbed: something does not go with them.
    pub(crate) fn without_effects(&self, what: impl Into<WithEffects>) -> Result<Formula, Refusal> {
        let formula = self.location()?;
        what.into().refused(formula.effects().first().map(ToString::to_string).as_deref())?;
        Ok(formula)
    }

    /// The formula without that of the scale.
    pub(crate) fn location(&self) -> Result<Formula, Refusal> {
        let formula = Formula::parse(&self.formula).map_err(Refusal::Formula)?;
        match formula.has_response() {
            true => Ok(formula),
            false => Err(Refusal::NoResponse { formula: self.formula.clone() }),
        }
    }

    /// The formula and that of the scale, of an exact fit.
    pub(crate) fn full_formula(&self) -> Result<Formula, Refusal> {
        let formula = self.location()?;
        match &self.scale {
            Some(Scale::Network) => Err(Refusal::ScaleByNetwork),
            Some(Scale::Formula(scale)) => formula.with_scale(scale).map_err(Refusal::Formula),
            None | Some(Scale::Constant) => Ok(formula),
        }
    }

    /// Whether the noise is to be found out.
    pub(crate) fn is_auto(&self) -> Result<bool, Refusal> {
        match (&self.noise, self.huber_setting()) {
            (NoiseChoice::Auto, Some(setting)) => Err(Refusal::HuberWithAuto { setting }),
            (NoiseChoice::Auto, None) => Ok(true),
            _ => Ok(false),
        }
    }

    /// A setting of Huber's noise that is given.
    fn huber_setting(&self) -> Option<Setting> {
        let k = self.huber_k.map(|_| Setting::HuberK);
        k.or(self.huber_scale.map(|_| Setting::HuberScale))
    }

    /// The noise of an exact fit, with Huber's own settings; checked against the scale.
    pub(crate) fn choice(&self) -> Result<Noises, Refusal> {
        let noise = self.named_noise()?;
        let can = noise.iter().all(|noise| noise.description().scale == ModelledScale::Always);
        match matches!(self.scale, Some(Scale::Formula(_))) && !can {
            true => Err(Refusal::ScaleOfNoise { noise: noise.to_string() }),
            false => Ok(noise),
        }
    }

    /// The noise, with Huber's own settings, whatever the scale.
    pub(crate) fn named_noise(&self) -> Result<Noises, Refusal> {
        let noise = &match &self.noise {
            NoiseChoice::Named(noise) => noise.clone(),
            NoiseChoice::Usual if self.suits() => Noise::StudentT(StudentT::FREE).into(),
            NoiseChoice::Usual => Noise::Gaussian.into(),
            NoiseChoice::Auto => return Err(Refusal::AutoNoise),
        };
        match (&noise[..], self.huber_setting()) {
            (&[Noise::Huber(huber @ Huber { delta: None, .. })], _) => {
                let k = self.huber_k.map_or(huber.k, Parameter::Given);
                Ok(Noise::Huber(Huber { k, scale: self.huber_scale.unwrap_or(huber.scale), ..huber }).into())
            }
            (_, None) => Ok(noise.clone()),
            (_, Some(setting)) => Err(Refusal::OnlyHuber { setting, noise: noise.to_string() }),
        }
    }

    /// How intervals are calibrated, checked against the noise; none where they are not asked for.
    pub(crate) fn conformal_plan(&self, noise: &[Noise]) -> Result<Option<Plan>, Refusal> {
        let Some(method) = self.conformal else {
            let idle = self.calibration.map(|_| Setting::Calibration).or(self.folds.map(|_| Setting::Folds));
            return idle.map_or(Ok(None), |setting| Err(Refusal::OnlyConformal { setting }));
        };
        if self.calibration.is_some() && method != Scheme::Split {
            return Err(Refusal::OnlySplit { method });
        }
        if self.folds.is_some() && method != Scheme::CvPlus {
            return Err(Refusal::OnlyCvPlus { method });
        }
        if let [Noise::Quantile(quantile)] = noise {
            return Err(Refusal::ConformalOfQuantile { level: quantile.tau });
        }
        if (self.confint, method) == (Confint::Profile, Scheme::Split) {
            return Err(Refusal::ProfileWithSplit);
        }
        let Plan { calibration, folds, .. } = Plan::default();
        let (calibration, folds) = (self.calibration.unwrap_or(calibration), self.folds.unwrap_or(folds));
        Ok(Some(Plan { method, calibration, folds }))
    }

    /// How the coefficients and their uncertainty are estimated.
    pub(crate) fn options(&self) -> Options {
        let settings = Settings { digits: self.digits, one_pass: self.one_pass, ..Settings::default() };
        let &Model { level, collinear, small_sample, seed, .. } = self;
        Options { level, settings, collinear, vcov: self.vcov.clone(), small_sample, seed }
    }

    /// How the coefficients are estimated, whatever is asked of their uncertainty.
    pub(crate) fn estimation(&self) -> estimate::Options {
        let settings = Settings { digits: self.digits, one_pass: false, ..Settings::default() };
        estimate::Options { settings, collinear: self.collinear, ..estimate::Options::default() }
    }

    /// Refuses settings that are of exact fits.
    pub(crate) fn only_exact(&self) -> Result<(), Refusal> {
        let exact = [
            (Setting::Vcov, self.vcov != Vcov::Default),
            (Setting::SmallSample, self.small_sample != SmallSample::Corrected),
            (Setting::Confint, self.confint == Confint::Profile),
            (Setting::OnePass, self.one_pass),
        ];
        if let Some((setting, _)) = exact.into_iter().find(|(_, given)| *given) {
            return Err(Refusal::OnlyExact { setting });
        }
        match &self.scale {
            None | Some(Scale::Network | Scale::Constant) => Ok(()),
            Some(Scale::Formula(formula)) => Err(Refusal::ScaleByFormula { formula: formula.clone() }),
        }
    }

    /// The plan of what is trained on so many rows, but for its embeddings and the memory it may use.
    pub(crate) fn plan(&self, rows: u64) -> Result<network::Plan, Refusal> {
        let plain = network::Plan::default();
        let Some((training, is_network)) = self.training() else { return Ok(plain) };
        let suits = self.suits();
        let layers = !training.hidden.is_empty() || training.activation.is_some() || !training.embeddings.is_empty();
        if !is_network && (layers || training.encoding.is_some()) {
            return Err(Refusal::OnlyNetworks);
        }
        if !is_network && training.dropout.is_some() {
            return Err(Refusal::DropoutOfLinear);
        }
        let models_scale = match self.scale {
            Some(Scale::Network) => true,
            Some(_) => false,
            None => suits && self.scale_can_be_modelled()?,
        };
        let usual = if suits { network::Plan::suited(rows, models_scale) } else { plain.clone() };
        let solver = training.solver(&usual.solver)?;
        let stages = [
            (Setting::CommonScale, training.common_scale.is_some()),
            (Setting::ScaleRate, training.scale_lr.is_some()),
        ];
        if let Some((setting, _)) = stages.into_iter().find(|(_, given)| *given && !models_scale) {
            return Err(Refusal::CommonScale { setting });
        }
        // Another optimizer has other rates and no decay that was chosen for it.
        let own_optimizer = suits && training.optimizer.is_none_or(|optimizer| optimizer == Optimizer::AdamW);
        let rate = training.lr.unwrap_or(match (is_network, own_optimizer) {
            (false, _) => 0.01,
            (true, true) => usual.training.rate,
            (true, false) => plain.training.rate,
        });
        let ways = self.calibration_rows(training, is_network, suits)?;
        let validation = match ways {
            Calibrate::Validation => training.validation.unwrap_or(if is_network { plain.validation } else { 0.0 }),
            _ => 0.0,
        };
        let epochs = training.epochs.unwrap_or(usual.training.epochs);
        let members = training.ensemble.unwrap_or(usual.members);
        let schedule = if is_network { usual.training.schedule } else { Schedule::Cosine };
        Ok(network::Plan {
            hidden: match (is_network, training.hidden.is_empty()) {
                (false, _) => Vec::new(),
                (true, true) => usual.hidden,
                (true, false) => training.hidden.clone(),
            },
            activation: training.activation.unwrap_or(usual.activation),
            embeddings: Vec::new(),
            pieces: match training.encoding {
                Some(Encoding::Piecewise) => PIECES,
                Some(Encoding::None) => 0,
                None => usual.pieces,
            },
            models_scale,
            solver,
            decay: training.decay.unwrap_or(if own_optimizer { usual.decay } else { 0.0 }),
            dropout: training.dropout.unwrap_or(0.0),
            clip: training.clip.or(usual.clip),
            training: network::Training {
                rate,
                schedule: training.schedule.unwrap_or(schedule),
                // No more than a tenth of the steps that few epochs come to.
                warm_up: training.warm_up.unwrap_or(match training.epochs {
                    Some(epochs) if suits => usual.training.warm_up.min(epochs * rows.div_ceil(WARMED_BATCH) / 10),
                    _ => usual.training.warm_up,
                }),
                epochs,
                common_scale: match (training.common_scale, models_scale && is_network) {
                    (Some(epochs), _) => epochs,
                    // As much shorter as both stages are.
                    (None, true) if suits => {
                        let [all, first] = [usual.training.epochs.max(1), usual.training.common_scale].map(u128::from);
                        ((2 * u128::from(epochs) * first + all) / (2 * all)) as u64
                    }
                    (None, true) => epochs / 2,
                    (None, false) => 0,
                },
                scale_rate: match training.scale_lr {
                    None if suits && models_scale => Some(rate * SCALE_SHARE),
                    given => given,
                },
                patience: match validation > 0.0 {
                    true => training.patience.or(plain.training.patience),
                    false => training.patience,
                },
            },
            validation,
            left_out: match (ways, usual.left_out) {
                (Calibrate::LeftOut, Some(usual_parts)) if members == usual.members => Some(usual_parts),
                (Calibrate::LeftOut, usual_parts) => {
                    Some(network::LeftOut::of_members(members, usual_parts.map_or(PARTS, |left_out| left_out.parts)))
                }
                _ => None,
            },
            members,
            seed: self.seed,
            memory: plain.memory,
            buffer: training.shuffle_buffer.unwrap_or(plain.buffer),
        })
    }

    /// The plans of a network among which cross-validation chooses, the usual one first: with and without pieces, in all epochs and in a
    /// tenth of them, unless one of these is given; of many rows, which no network learns by heart, the usual one alone.
    pub(crate) fn plans(&self, rows: u64) -> Result<Vec<network::Plan>, Refusal> {
        let mut plans = vec![self.plan(rows)?];
        let chooses = self.suits() && plans[0].left_out.is_some() && (FEWEST_ROWS..=MOST_ROWS).contains(&rows);
        let Some((training, _)) = self.training().filter(|(training, _)| chooses && training.tune.is_none()) else {
            return Ok(plans);
        };
        if training.encoding.is_none() {
            plans.push(network::Plan { pieces: 0, ..plans[0].clone() });
        }
        if training.epochs.is_none() && training.common_scale.is_none() {
            plans.extend(plans.iter().filter_map(network::Plan::shortened).collect::<Vec<_>>());
        }
        Ok(plans)
    }

    /// Whether a network's plan is suited to the number of rows.
    fn suits(&self) -> bool {
        let suited =
            |training: &Training| training.plan == Preset::Suited && training.optimizer != Some(Optimizer::Lbfgs);
        self.training().is_some_and(|(training, is_network)| is_network && suited(training))
    }

    /// Whether the noise of a network goes with a scale that is another output.
    fn scale_can_be_modelled(&self) -> Result<bool, Refusal> {
        Ok(match &self.named_noise()?[..] {
            [Noise::Huber(huber)] => huber.delta.is_none(),
            [noise] => noise.description().scale != ModelledScale::Never,
            _ => false,
        })
    }

    /// On which rows a network is calibrated, checked against the others that are asked for.
    fn calibration_rows(&self, training: &Training, is_network: bool, suits: bool) -> Result<Calibrate, Refusal> {
        let validates = training.validation.is_some_and(|share| share > 0.0);
        match training.calibrate {
            Some(Calibrate::LeftOut | Calibrate::None) if validates => {
                Err(Refusal::CalibratedTwice { how: training.calibrate.map_or("", Named::name) })
            }
            Some(ways) => Ok(ways),
            // A patience is one with validation rows.
            None if suits && is_network && !validates && training.patience.is_none() => Ok(Calibrate::LeftOut),
            None => Ok(Calibrate::Validation),
        }
    }
}

/// Rows that say which of a few plans is the best, and rows of which none learns by heart.
const FEWEST_ROWS: u64 = 50;
const MOST_ROWS: u64 = 50_000;

/// The pieces that the range of a number is cut into.
const PIECES: usize = 8;

/// Parts of the rows that are left out in turn.
const PARTS: usize = 20;

/// Rows of a step by which a warm-up is counted where the epochs are given.
const WARMED_BATCH: u64 = 32;

/// The learning rate of the second stage, as a share of that of the first.
const SCALE_SHARE: f64 = 1.0 / 3.0;
