//! What can be set, by names that every front end turns into its own, and sentences that name settings.
//!
//! What is wrong is found far below the front end that is to say so, and each front end writes settings its own way: a sentence
//! keeps them as such until it is worded.

/// Makes of the settings the enum, their names, and the way back from a name.
macro_rules! settings {
    ($($setting:ident = $name:literal,)+) => {
        /// Something that a user sets. An error names it, and each front end says how it is written there: [`Setting::HuberK`] is
        /// `--huber-k` on the command line and `huber_k` in Rust.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        #[allow(missing_docs, reason = "each is what its name says; the fields of Model and Training describe them")]
        pub enum Setting {
            $($setting,)+
        }

        impl Setting {
            /// Its name in Rust, words joined by `_`.
            ///
            /// ```
            /// use noisefit_core::wording::Setting;
             ///
             /// assert_eq!(Setting::HuberK.name(), "huber_k");
            /// assert_eq!(Setting::of_name("huber_k"), Some(Setting::HuberK));
            /// ```
            pub fn name(self) -> &'static str {
                match self {
                    $(Setting::$setting => $name,)+
                }
            }

            /// The one of this name.
            pub fn of_name(name: &str) -> Option<Self> {
                match name {
                    $($name => Some(Setting::$setting),)+
                    _ => None,
                }
            }
        }
    };
}

settings! {
    Above = "above",
    Activation = "activation",
    At = "at",
    Batch = "batch",
    Below = "below",
    By = "by",
    Calibrate = "calibrate",
    Calibration = "calibration",
    Checkpoint = "checkpoint",
    Clip = "clip",
    Cluster = "cluster",
    Columns = "columns",
    CommonScale = "common_scale",
    Confint = "confint",
    Conformal = "conformal",
    Date = "date",
    Decay = "decay",
    Decimal = "decimal",
    Delimiter = "delimiter",
    Delta = "delta",
    Density = "density",
    DropEffects = "drop_effects",
    Dropout = "dropout",
    Embedding = "embedding",
    Encoding = "encoding",
    Ensemble = "ensemble",
    Epochs = "epochs",
    Folds = "folds",
    FoldsBy = "folds_by",
    FoldsTime = "folds_time",
    FrequencyWeights = "frequency_weights",
    Hidden = "hidden",
    HuberK = "huber_k",
    HuberScale = "huber_scale",
    InputFormat = "input_format",
    Interval = "interval",
    Keep = "keep",
    LearningRate = "lr",
    Memory = "memory",
    Missing = "missing",
    MissingText = "na",
    Model = "model",
    Models = "models",
    Momentum = "momentum",
    Name = "name",
    NoHeader = "no_header",
    NoShuffle = "no_shuffle",
    Noise = "noise",
    Number = "number",
    OnePass = "one_pass",
    Onnx = "onnx",
    Optimizer = "optimizer",
    Output = "output",
    Outside = "outside",
    Path = "path",
    Patience = "patience",
    Plan = "plan",
    Plot = "plot",
    Prediction = "prediction",
    Quantiles = "quantiles",
    Range = "range",
    Report = "report",
    Resume = "resume",
    Rows = "rows",
    Safetensors = "safetensors",
    Samples = "samples",
    SamplingWeights = "sampling_weights",
    Scale = "scale",
    ScaleRate = "scale_lr",
    Schedule = "schedule",
    Shuffle = "shuffle",
    ShuffleBuffer = "shuffle_buffer",
    SmallSample = "small_sample",
    Solver = "solver",
    Spread = "spread",
    Text = "text",
    Trace = "trace",
    Truth = "truth",
    Tune = "tune",
    Undefined = "undefined",
    Units = "units",
    Unseen = "unseen",
    Validation = "validation",
    Variables = "variables",
    Vcov = "vcov",
    VcovMatrix = "vcov_matrix",
    Vif = "vif",
    WarmUp = "warm_up",
    Weights = "weights",
}

impl Setting {
    /// The setting with a value, as a part of a [`Sentence`].
    pub fn with(self, value: impl Into<String>) -> Piece {
        Piece::With(self, value.into())
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
