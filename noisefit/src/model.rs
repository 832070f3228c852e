//! A model as it is asked for, before any data are seen.

use noisefit_core::estimate::Collinear;
use noisefit_core::inference::conformal::Scheme;
use noisefit_core::inference::covariance::Vcov;
use noisefit_core::noise::{HuberScale, InvalidNoise, Noises};
use noisefit_core::record::{Confint, SmallSample};
use noisefit_data::source::Missing;

use crate::error::Error;
use crate::refusal::Refusal;
use crate::training::Training;

/// A noise that is named, or to be found out.
#[derive(Debug, Clone, PartialEq, Default)]
pub enum NoiseChoice {
    /// None is named: gaussian, of a network student-t, whose tails its calibration finds, as light as Gaussian ones where they are.
    #[default]
    Usual,
    /// `auto`: the one that a comparison of all families prefers.
    Auto,
    /// By its name.
    Named(Noises),
}

impl std::str::FromStr for NoiseChoice {
    type Err = InvalidNoise;

    fn from_str(text: &str) -> Result<Self, InvalidNoise> {
        if text == "auto" { Ok(NoiseChoice::Auto) } else { text.parse().map(NoiseChoice::Named) }
    }
}

impl std::fmt::Display for NoiseChoice {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            // What names it has no network.
            NoiseChoice::Usual => f.write_str("gaussian"),
            NoiseChoice::Auto => f.write_str("auto"),
            NoiseChoice::Named(noise) => noise.fmt(f),
        }
    }
}

/// How the scale of the noise is modelled.
#[derive(Debug, Clone, PartialEq)]
pub enum Scale {
    /// Its logarithm is linear in the terms of a formula such as `~ x`.
    Formula(String),
    /// Another output of what is trained.
    Network,
    /// One number for all rows.
    Constant,
}

impl std::str::FromStr for Scale {
    type Err = std::convert::Infallible;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(match text {
            "network" => Scale::Network,
            "constant" => Scale::Constant,
            formula => Scale::Formula(formula.to_owned()),
        })
    }
}

/// What predicts the location, and how it is fitted.
#[derive(Debug, Clone, PartialEq, Default)]
pub enum Fitting {
    /// A linear model, exactly: in closed form, or by iterations that end at the maximum.
    #[default]
    Exact,
    /// A linear model, by gradient steps.
    Train(Training),
    /// A network of fully connected layers, by gradient steps.
    Network(Training),
}

/// What predicts the location.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Location {
    /// `linear` in the terms of the formula.
    #[default]
    Linear,
    /// `network`: of fully connected layers.
    Network,
}

noisefit_core::named!(Location {
    Linear = "linear": "Linear in the terms of the formula",
    Network = "network": "A network of fully connected layers that reads them",
});

/// How a linear model is fitted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Solver {
    /// `exact`: in closed form, or by iterations that end at the maximum.
    #[default]
    Exact,
    /// `train`: by gradient steps.
    Train,
}

noisefit_core::named!(Solver {
    Exact = "exact": "Exactly: in closed form, or by iterations that end at the maximum",
    Train = "train": "By gradient steps, as a network is",
});

impl Fitting {
    /// How a model is fitted of which these are named, and training is asked for so.
    ///
    /// # Errors
    /// An exact solver of a network; settings of training where nothing is trained.
    pub fn of(location: Location, solver: Option<Solver>, training: Training) -> Result<Self, Refusal> {
        match (location, solver) {
            (Location::Network, Some(Solver::Exact)) => Err(Refusal::ExactNetwork),
            (Location::Network, _) => Ok(Fitting::Network(training)),
            (Location::Linear, Some(Solver::Train)) => Ok(Fitting::Train(training)),
            _ => match training.given() {
                Some(setting) => Err(Refusal::OnlyTraining { setting }),
                None => Ok(Fitting::Exact),
            },
        }
    }
}

/// A model as it is asked for: the formula, the noise, and how it is fitted. Every field has a default but the formula.
///
/// What goes with what is checked when the model is fitted, or by [`Model::check`].
///
/// ```
/// use noisefit::{Model, Table};
///
/// let table = Table::open("../testdata/engel.csv")?;
/// let fitted = Model::new("foodexp ~ income").noise("student-t")?.scale("~ income").fit(&table)?;
/// assert!(fitted.fit()?.scale.coefficients().iter().any(|row| row.term == "income"));
/// # Ok::<(), noisefit::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Model {
    /// As in R: `y ~ x1 + log(x2) + city*x3`; `.` stands for all other columns. Behind a bar stand categories whose levels are
    /// absorbed: `y ~ x1 | firm + year`.
    pub formula: String,
    /// The noise family.
    pub noise: NoiseChoice,
    /// Where the tails of huber noise begin, in scales; 1.345 unless given.
    pub huber_k: Option<f64>,
    /// How the scale of huber noise is estimated; by maximum likelihood unless given.
    pub huber_scale: Option<HuberScale>,
    /// How the scale is modelled; one number unless given, of a network another output of it where its plan is suited to the data.
    pub scale: Option<Scale>,
    /// Relative precisions of the rows (inverse variances), a column or arithmetic on columns.
    pub weights: Option<String>,
    /// A column with the number of identical rows that each row stands for.
    pub frequencies: Option<String>,
    /// One over the probability with which a row was drawn from a population, in any unit: a column or arithmetic on columns.
    pub sampling_weights: Option<String>,
    /// Rows with a missing value.
    pub missing: Missing,
    /// Terms that are linear combinations of earlier ones.
    pub collinear: Collinear,
    /// How the covariance of the coefficients is estimated.
    pub vcov: Vcov,
    /// What standard errors and intervals allow for where rows are few.
    pub small_sample: SmallSample,
    /// Where the confidence intervals of the coefficients come from.
    pub confint: Confint,
    /// The level of the confidence intervals.
    pub level: f64,
    /// How distribution-free intervals are calibrated; not at all unless given.
    pub conformal: Option<Scheme>,
    /// The share of the rows that calibrates with `split`; a quarter unless given.
    pub calibration: Option<f64>,
    /// The number of folds of `cv+`; ten unless given.
    pub folds: Option<usize>,
    /// What everything that is drawn at random is drawn from.
    pub seed: u64,
    /// Digits of the worst coefficient to work for under gaussian noise, where the data determine them.
    pub digits: f64,
    /// Whether data are read once where that gives these digits; the mean absolute error is then left out.
    pub one_pass: bool,
    /// Whether the constants of absorbed effects are left out of the model that is saved, which then predicts nothing.
    pub drop_effects: bool,
    /// What predicts the location, and how it is fitted.
    pub fitting: Fitting,
}

impl Model {
    /// A model of one formula: gaussian noise, exactly fitted, everything else by default; of a network student-t noise.
    pub fn new(formula: impl Into<String>) -> Self {
        Model {
            formula: formula.into(),
            noise: NoiseChoice::Usual,
            huber_k: None,
            huber_scale: None,
            scale: None,
            weights: None,
            frequencies: None,
            sampling_weights: None,
            missing: Missing::Drop,
            collinear: Collinear::Drop,
            vcov: Vcov::Default,
            small_sample: SmallSample::Corrected,
            confint: Confint::Wald,
            level: 0.95,
            conformal: None,
            calibration: None,
            folds: None,
            seed: 0,
            digits: 11.0,
            one_pass: false,
            drop_effects: false,
            fitting: Fitting::Exact,
        }
    }

    /// The same model under a noise that is named, such as `laplace`, `quantile:0.1,0.9`, `student-t:4`, or `auto`.
    ///
    /// # Errors
    /// A name that no family has; the message lists those there are.
    pub fn noise(mut self, noise: &str) -> Result<Self, Error> {
        self.noise = noise.parse().map_err(Refusal::Noise)?;
        Ok(self)
    }

    /// The same model whose scale is modelled, too: `~ x + city`, or `network` of what is trained; or is one number, `constant`.
    #[must_use]
    pub fn scale(mut self, scale: &str) -> Self {
        self.scale = scale.parse().ok();
        self
    }

    /// The same model of rows that have precisions: a column, or arithmetic on columns.
    #[must_use]
    pub fn weights(mut self, weights: impl Into<String>) -> Self {
        self.weights = Some(weights.into());
        self
    }

    /// The same model of rows that each stand for as many as a column says.
    #[must_use]
    pub fn frequencies(mut self, column: impl Into<String>) -> Self {
        self.frequencies = Some(column.into());
        self
    }

    /// The same model of rows that were drawn from a population, some more likely than others: a column with one over the probability
    /// of a row, in any unit, or arithmetic on columns. What is estimated is what the model would be of the whole population, and standard
    /// errors are those of the draw.
    ///
    /// ```
    /// use noisefit::{Model, Table};
    ///
    /// let table = Table::open("../testdata/engel.csv")?;
    /// let fitted = Model::new("foodexp ~ income").sampling_weights("1/income").fit(&table)?;
    /// assert_eq!((fitted.fit()?.nobs, fitted.fit()?.covariance.kind.as_str()), (235, "sampling"));
    /// # Ok::<(), noisefit::Error>(())
    /// ```
    #[must_use]
    pub fn sampling_weights(mut self, weights: impl Into<String>) -> Self {
        self.sampling_weights = Some(weights.into());
        self
    }

    /// The same model with another covariance, such as `hc3`, `cluster:firm` or `hac:4`.
    ///
    /// # Errors
    /// A name that no covariance has.
    pub fn vcov(mut self, vcov: &str) -> Result<Self, Error> {
        self.vcov = vcov.parse().map_err(Refusal::Vcov)?;
        Ok(self)
    }

    /// The same model with standard errors that do not, or do, allow for a small sample: `none` gives the scale of maximum
    /// likelihood and the normal distribution, as other software does.
    ///
    /// ```
    /// use noisefit::core::record::SmallSample;
    /// use noisefit::{Model, Table};
    ///
    /// let table = Table::open("../testdata/stackloss.csv")?;
    /// let model = Model::new("stack_loss ~ air_flow").noise("logistic")?;
    /// let (corrected, plain) = (model.fit(&table)?, model.clone().small_sample(SmallSample::None).fit(&table)?);
    /// let ratio = corrected.std_errors()?[1].unwrap() / plain.std_errors()?[1].unwrap();
    /// assert!((ratio * ratio - 21.0 / 19.0).abs() < 1e-12);
    /// # Ok::<(), noisefit::Error>(())
    /// ```
    #[must_use]
    pub fn small_sample(mut self, small_sample: SmallSample) -> Self {
        self.small_sample = small_sample;
        self
    }

    /// The same model with confidence intervals from elsewhere.
    #[must_use]
    pub fn confint(mut self, confint: Confint) -> Self {
        self.confint = confint;
        self
    }

    /// The same model with distribution-free intervals: `split`, `cv+` or `jackknife+`.
    ///
    /// # Errors
    /// A name that no method has.
    pub fn conformal(mut self, method: &str) -> Result<Self, Error> {
        self.conformal = Some(method.parse().map_err(Refusal::Conformal)?);
        Ok(self)
    }

    /// The same model with confidence intervals at another level.
    #[must_use]
    pub fn level(mut self, level: f64) -> Self {
        self.level = level;
        self
    }

    /// The same model with another seed of what is drawn at random.
    #[must_use]
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// The same linear model, fitted by gradient steps.
    #[must_use]
    pub fn train(mut self, training: Training) -> Self {
        self.fitting = Fitting::Train(training);
        self
    }

    /// A network in the place of the linear model, which reads the terms of the formula. What `training` does not say is as
    /// [`Plan::suited`](noisefit_core::network::Plan::suited) has it for so many rows.
    ///
    /// ```
    /// use noisefit::{Model, Table, Training};
    ///
    /// let table = Table::open("../testdata/engel.csv")?;
    /// let training = Training { hidden: vec![4], epochs: Some(20), ..Training::default() };
    /// let fitted = Model::new("foodexp ~ income").network(training).fit(&table)?;
    /// assert!(fitted.network().is_some());
    /// # Ok::<(), noisefit::Error>(())
    /// ```
    #[must_use]
    pub fn network(mut self, training: Training) -> Self {
        self.fitting = Fitting::Network(training);
        self
    }

    /// What is trained, and whether it is a network.
    pub(crate) fn training(&self) -> Option<(&Training, bool)> {
        match &self.fitting {
            Fitting::Exact => None,
            Fitting::Train(training) => Some((training, false)),
            Fitting::Network(training) => Some((training, true)),
        }
    }
}
