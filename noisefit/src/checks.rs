//! What goes with what, and what a model's settings come to.

use noisefit_core::algebra::Settings;
use noisefit_core::estimate;
use noisefit_core::inference::Options;
use noisefit_core::inference::conformal::{Plan, Scheme};
use noisefit_core::inference::covariance::Vcov;
use noisefit_core::network::{self, Schedule};
use noisefit_core::noise::{Huber, ModelledScale, Noise, Noises, Parameter};
use noisefit_core::record::{Confint, SmallSample};
use noisefit_data::formula::Formula;

use crate::error::Error;
use crate::model::{Model, NoiseChoice, Scale};
use crate::refusal::{Refusal, WithEffects};
use crate::with_sampling::WithSampling;
use noisefit_core::wording::Setting;

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
                self.plan()?;
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
            (self.scale.is_some(), WithEffects::Scale),
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
            None => Ok(formula),
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
        match self.scale.is_some() && !can {
            true => Err(Refusal::ScaleOfNoise { noise: noise.to_string() }),
            false => Ok(noise),
        }
    }

    /// The noise, with Huber's own settings, whatever the scale.
    pub(crate) fn named_noise(&self) -> Result<Noises, Refusal> {
        let NoiseChoice::Named(noise) = &self.noise else { return Err(Refusal::AutoNoise) };
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
            None | Some(Scale::Network) => Ok(()),
            Some(Scale::Formula(formula)) => Err(Refusal::ScaleByFormula { formula: formula.clone() }),
        }
    }

    /// The plan of what is trained, but for its embeddings and the memory it may use.
    pub(crate) fn plan(&self) -> Result<network::Plan, Refusal> {
        let defaults = network::Plan::default();
        let Some((training, is_network)) = self.training() else { return Ok(defaults) };
        let models_scale = self.scale == Some(Scale::Network);
        let layers = !training.hidden.is_empty() || training.activation.is_some() || !training.embeddings.is_empty();
        if !is_network && layers {
            return Err(Refusal::OnlyNetworks);
        }
        if !is_network && training.dropout.is_some() {
            return Err(Refusal::DropoutOfLinear);
        }
        let solver = training.solver()?;
        if training.common_scale.is_some() && !models_scale {
            return Err(Refusal::CommonScale);
        }
        let validation = training.validation.unwrap_or(if is_network { defaults.validation } else { 0.0 });
        let epochs = training.epochs.unwrap_or(defaults.training.epochs);
        Ok(network::Plan {
            hidden: match (is_network, training.hidden.is_empty()) {
                (false, _) => Vec::new(),
                (true, true) => defaults.hidden,
                (true, false) => training.hidden.clone(),
            },
            activation: training.activation.unwrap_or(defaults.activation),
            embeddings: Vec::new(),
            models_scale,
            solver,
            decay: training.decay.unwrap_or(0.0),
            dropout: training.dropout.unwrap_or(0.0),
            clip: training.clip,
            training: network::Training {
                rate: training.lr.unwrap_or(if is_network { defaults.training.rate } else { 0.01 }),
                schedule: training.schedule.unwrap_or(if is_network { Schedule::Constant } else { Schedule::Cosine }),
                warm_up: training.warm_up.unwrap_or(0),
                epochs,
                common_scale: match (training.common_scale, models_scale && is_network) {
                    (Some(epochs), _) => epochs,
                    (None, true) => epochs / 2,
                    (None, false) => 0,
                },
                patience: match validation > 0.0 {
                    true => training.patience.or(defaults.training.patience),
                    false => training.patience,
                },
            },
            validation,
            members: training.ensemble.unwrap_or(1),
            seed: self.seed,
            memory: defaults.memory,
            buffer: training.shuffle_buffer.unwrap_or(defaults.buffer),
        })
    }
}
