//! What can be set, by names that every front end turns into its own, and sentences that name settings.
//!
//! What is wrong is found far below the front end that is to say so, and each front end writes settings its own way: a sentence
//! keeps them as such until it is worded.

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
    Date,
    Decay,
    Decimal,
    Delimiter,
    Delta,
    Dropout,
    Embedding,
    Ensemble,
    Epochs,
    Folds,
    Hidden,
    HuberK,
    HuberScale,
    InputFormat,
    Interval,
    Keep,
    LearningRate,
    Missing,
    MissingText,
    Model,
    Momentum,
    Name,
    NoHeader,
    NoShuffle,
    Noise,
    Number,
    OnePass,
    Optimizer,
    Output,
    Patience,
    Prediction,
    Range,
    Report,
    Resume,
    Rows,
    Safetensors,
    Scale,
    Schedule,
    Shuffle,
    ShuffleBuffer,
    Solver,
    Text,
    Trace,
    Truth,
    Tune,
    Undefined,
    Unseen,
    Validation,
    Vcov,
    VcovMatrix,
    WarmUp,
    Weights,
}

impl Setting {
    /// The setting with a value, as a part of a [`Sentence`].
    pub fn with(self, value: impl Into<String>) -> Piece {
        Piece::With(self, value.into())
    }

    /// Its name in Rust, words joined by `_`.
    ///
    /// ```
    /// assert_eq!(noisefit_core::wording::Setting::HuberK.name(), "huber_k");
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
            Setting::Date => "date",
            Setting::Decay => "decay",
            Setting::Decimal => "decimal",
            Setting::Delimiter => "delimiter",
            Setting::Delta => "delta",
            Setting::Dropout => "dropout",
            Setting::Embedding => "embedding",
            Setting::Ensemble => "ensemble",
            Setting::Epochs => "epochs",
            Setting::Folds => "folds",
            Setting::Hidden => "hidden",
            Setting::HuberK => "huber_k",
            Setting::HuberScale => "huber_scale",
            Setting::InputFormat => "input_format",
            Setting::Interval => "interval",
            Setting::Keep => "keep",
            Setting::LearningRate => "lr",
            Setting::Missing => "missing",
            Setting::MissingText => "na",
            Setting::Model => "model",
            Setting::Momentum => "momentum",
            Setting::Name => "name",
            Setting::NoHeader => "no_header",
            Setting::NoShuffle => "no_shuffle",
            Setting::Noise => "noise",
            Setting::Number => "number",
            Setting::OnePass => "one_pass",
            Setting::Optimizer => "optimizer",
            Setting::Output => "output",
            Setting::Patience => "patience",
            Setting::Prediction => "prediction",
            Setting::Range => "range",
            Setting::Report => "report",
            Setting::Resume => "resume",
            Setting::Rows => "rows",
            Setting::Safetensors => "safetensors",
            Setting::Scale => "scale",
            Setting::Schedule => "schedule",
            Setting::Shuffle => "shuffle",
            Setting::ShuffleBuffer => "shuffle_buffer",
            Setting::Solver => "solver",
            Setting::Text => "text",
            Setting::Trace => "trace",
            Setting::Truth => "truth",
            Setting::Tune => "tune",
            Setting::Undefined => "undefined",
            Setting::Unseen => "unseen",
            Setting::Validation => "validation",
            Setting::Vcov => "vcov",
            Setting::VcovMatrix => "vcov_matrix",
            Setting::WarmUp => "warm_up",
            Setting::Weights => "weights",
        }
    }
}

/// How a front end writes settings and its own verbs in messages.
///
/// ```
/// use noisefit_core::sentence;
/// use noisefit_core::wording::{Setting, Wording};
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
/// let advice = sentence!["for a column of text, ", Setting::Text.with("city"), "; ", Setting::NoHeader, " where names are data"];
/// assert_eq!(advice.worded(&Options), "for a column of text, --text city; --no-header where names are data");
/// assert_eq!(advice.to_string(), "for a column of text, text \"city\"; no_header where names are data");
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

/// A part of a [`Sentence`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Piece {
    /// Words.
    Text(String),
    /// A setting.
    Setting(Setting),
    /// A setting with a value.
    With(Setting, String),
    /// What is called, such as `compare`.
    Verb(&'static str),
}

impl From<&str> for Piece {
    fn from(text: &str) -> Self {
        Piece::Text(text.to_owned())
    }
}

impl From<String> for Piece {
    fn from(text: String) -> Self {
        Piece::Text(text)
    }
}

impl From<Setting> for Piece {
    fn from(setting: Setting) -> Self {
        Piece::Setting(setting)
    }
}

/// What is to be said, with the settings that it names kept as such. Its `Display` is the wording of Rust; a macro,
/// [`sentence!`](crate::sentence), puts one together.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sentence(Vec<Piece>);

impl Sentence {
    /// The sentence of these parts.
    pub fn new(pieces: Vec<Piece>) -> Self {
        Sentence(pieces)
    }

    /// As a front end says it.
    pub fn worded(&self, wording: &dyn Wording) -> String {
        let piece = |piece: &Piece| match piece {
            Piece::Text(text) => text.clone(),
            Piece::Setting(setting) => wording.setting(*setting),
            Piece::With(setting, value) => wording.with(*setting, value),
            Piece::Verb(verb) => wording.verb(verb),
        };
        self.0.iter().map(piece).collect()
    }

    /// This sentence, and another right behind it.
    #[must_use]
    pub fn and(mut self, other: Sentence) -> Self {
        self.0.extend(other.0);
        self
    }
}

impl From<&str> for Sentence {
    fn from(text: &str) -> Self {
        Sentence(vec![text.into()])
    }
}

impl From<String> for Sentence {
    fn from(text: String) -> Self {
        Sentence(vec![text.into()])
    }
}

impl std::fmt::Display for Sentence {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.worded(&InRust))
    }
}

/// A [`Sentence`](crate::wording::Sentence) of texts, settings, and settings with values.
///
/// ```
/// use noisefit_core::sentence;
/// use noisefit_core::wording::Setting;
///
/// let column = "price";
/// let advice = sentence![format!("column `{column}` is text; say "), Setting::Number.with(column), " to read it as numbers"];
/// assert_eq!(advice.to_string(), "column `price` is text; say number \"price\" to read it as numbers");
/// ```
#[macro_export]
macro_rules! sentence {
    ($($piece:expr),+ $(,)?) => { $crate::wording::Sentence::new(vec![$($crate::wording::Piece::from($piece)),+]) };
}
