//! What can be set, by names that every front end turns into its own.

/// Something that a user sets. An error names it, and each front end says how it is written there: [`Setting::HuberK`] is
/// `--huber-k` on the command line and `huber_k` in Rust.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
#[allow(missing_docs, reason = "each is what its name says; the fields of Model and Training describe them")]
pub enum Setting {
    Activation,
    Batch,
    Calibration,
    Checkpoint,
    Clip,
    Columns,
    CommonScale,
    Confint,
    Conformal,
    Decay,
    Delta,
    Dropout,
    Embedding,
    Ensemble,
    Epochs,
    Folds,
    Hidden,
    HuberK,
    HuberScale,
    Interval,
    Keep,
    LearningRate,
    Missing,
    MissingText,
    Model,
    Momentum,
    Name,
    Noise,
    NoShuffle,
    OnePass,
    Optimizer,
    Output,
    Patience,
    Prediction,
    Range,
    Resume,
    Rows,
    Safetensors,
    Scale,
    Schedule,
    Shuffle,
    ShuffleBuffer,
    Solver,
    Trace,
    Truth,
    Tune,
    Undefined,
    Validation,
    Vcov,
    VcovMatrix,
    WarmUp,
}

impl Setting {
    /// Its name in Rust, words joined by `_`.
    ///
    /// ```
    /// assert_eq!(noisefit::Setting::HuberK.name(), "huber_k");
    /// ```
    pub fn name(self) -> &'static str {
        match self {
            Setting::Activation => "activation",
            Setting::Batch => "batch",
            Setting::Calibration => "calibration",
            Setting::Checkpoint => "checkpoint",
            Setting::Clip => "clip",
            Setting::Columns => "columns",
            Setting::CommonScale => "common_scale",
            Setting::Confint => "confint",
            Setting::Conformal => "conformal",
            Setting::Decay => "decay",
            Setting::Delta => "delta",
            Setting::Dropout => "dropout",
            Setting::Embedding => "embedding",
            Setting::Ensemble => "ensemble",
            Setting::Epochs => "epochs",
            Setting::Folds => "folds",
            Setting::Hidden => "hidden",
            Setting::HuberK => "huber_k",
            Setting::HuberScale => "huber_scale",
            Setting::Interval => "interval",
            Setting::Keep => "keep",
            Setting::LearningRate => "lr",
            Setting::Missing => "missing",
            Setting::MissingText => "na",
            Setting::Model => "model",
            Setting::Momentum => "momentum",
            Setting::Name => "name",
            Setting::Noise => "noise",
            Setting::NoShuffle => "no_shuffle",
            Setting::OnePass => "one_pass",
            Setting::Optimizer => "optimizer",
            Setting::Output => "output",
            Setting::Patience => "patience",
            Setting::Prediction => "prediction",
            Setting::Range => "range",
            Setting::Resume => "resume",
            Setting::Rows => "rows",
            Setting::Safetensors => "safetensors",
            Setting::Scale => "scale",
            Setting::Schedule => "schedule",
            Setting::Shuffle => "shuffle",
            Setting::ShuffleBuffer => "shuffle_buffer",
            Setting::Solver => "solver",
            Setting::Trace => "trace",
            Setting::Truth => "truth",
            Setting::Tune => "tune",
            Setting::Undefined => "undefined",
            Setting::Validation => "validation",
            Setting::Vcov => "vcov",
            Setting::VcovMatrix => "vcov_matrix",
            Setting::WarmUp => "warm_up",
        }
    }
}

/// How a front end writes settings and its own verbs in messages.
///
/// ```
/// use noisefit::{Model, Setting, Wording};
///
/// struct Options;
/// impl Wording for Options {
///     fn setting(&self, setting: Setting) -> String {
///         format!("--{}", setting.name().replace('_', "-"))
///     }
///     fn with(&self, setting: Setting, value: &str) -> String {
///         format!("{} {value}", self.setting(setting))
///     }
///     fn verb(&self, verb: &str) -> String {
///         format!("`noisefit {verb}`")
///     }
/// }
/// let error = Model { huber_k: Some(2.0), ..Model::new("y ~ x") }.check().unwrap_err();
/// assert!(error.sentence(&Options).contains("goes with --noise huber alone, not with --noise gaussian"));
/// assert!(error.to_string().contains("goes with noise \"huber\" alone, not with noise \"gaussian\""));
/// ```
pub trait Wording {
    /// A setting: `--huber-k`.
    fn setting(&self, setting: Setting) -> String;

    /// A setting with a value: `--noise huber`.
    fn with(&self, setting: Setting, value: &str) -> String;

    /// What is called, such as `fit` or `compare`.
    fn verb(&self, verb: &str) -> String;
}

/// As it is written in Rust.
#[derive(Debug, Clone, Copy)]
pub struct InRust;

impl Wording for InRust {
    fn setting(&self, setting: Setting) -> String {
        setting.name().to_owned()
    }

    fn with(&self, setting: Setting, value: &str) -> String {
        format!("{} \"{value}\"", setting.name())
    }

    fn verb(&self, verb: &str) -> String {
        format!("`{verb}`")
    }
}
