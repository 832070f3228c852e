//! The models that are set side by side, and how they are written.

use serde::{Serialize, Serializer};

use crate::noise::{ModelledScale, Noise, Noises, written};

/// The levels of quantiles that are modelled.
pub const LEVELS: [f64; 5] = [0.05, 0.25, 0.5, 0.75, 0.95];

/// What predicts the location.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Linear in the terms of the formula.
    Linear,
    /// A network that reads them.
    Network,
}

/// A kind of model under a noise, or of quantiles.
///
/// ```
/// use noisefit_core::compare::kinds::{Contestant, Kind};
///
/// let network: Contestant = "network:laplace+scale".parse()?;
/// assert_eq!((network.kind, network.models_scale), (Kind::Network, true));
/// assert_eq!("linear".parse::<Contestant>()?.to_string(), "linear:gaussian");
/// assert_eq!("network".parse::<Contestant>()?.to_string(), "network:student-t+scale");
/// assert!("linear:quantiles".parse::<Contestant>()?.noise.is_none());
/// let error = "forest".parse::<Contestant>().unwrap_err();
/// assert!(error.to_string().starts_with("'forest': a model is linear or network"));
/// # Ok::<(), noisefit_core::compare::kinds::InvalidContestant>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Contestant {
    /// What predicts the location.
    pub kind: Kind,
    /// The noise; none of the quantiles at [`LEVELS`].
    pub noise: Option<Noise>,
    /// Whether the scale is modelled.
    pub models_scale: bool,
}

impl std::fmt::Display for Contestant {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let kind = match self.kind {
            Kind::Linear => "linear",
            Kind::Network => "network",
        };
        let noise = self.noise.map_or_else(|| "quantiles".to_owned(), |noise| written(&[noise]));
        write!(f, "{kind}:{noise}{}", if self.models_scale { "+scale" } else { "" })
    }
}

/// By its name.
impl Serialize for Contestant {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// What cannot be set side by side, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InvalidContestant(String);

impl std::fmt::Display for InvalidContestant {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for InvalidContestant {}

impl std::str::FromStr for Contestant {
    type Err = InvalidContestant;

    fn from_str(text: &str) -> Result<Self, InvalidContestant> {
        let wrong = |why: String| InvalidContestant(format!("'{text}': {why}"));
        // What a network is where nothing is said of its noise.
        let text = if text == "network" { "network:student-t+scale" } else { text };
        let (model, models_scale) = match text.strip_suffix("+scale") {
            Some(model) => (model, true),
            None => (text, false),
        };
        let (kind, noise) = model.split_once(':').unwrap_or((model, "gaussian"));
        let kind = match kind {
            "linear" => Kind::Linear,
            "network" => Kind::Network,
            _ => {
                let what = "a model is linear or network, perhaps with its noise behind a colon, such as network:student-t, \
                            linear:gaussian+scale or linear:quantiles";
                return Err(wrong(what.to_owned()));
            }
        };
        if noise == "quantiles" {
            return match models_scale {
                true => Err(wrong("quantiles have no scale that could be modelled".to_owned())),
                false => Ok(Contestant { kind, noise: None, models_scale }),
            };
        }
        let noises: Noises = noise.parse().map_err(|why| InvalidContestant(format!("{why}")))?;
        let noise = match noises[..] {
            [Noise::Quantile(_)] | [] | [_, _, ..] => {
                return Err(wrong(format!(
                    "quantiles are set side by side at the levels {} alone; write {}:quantiles",
                    LEVELS.map(|level| level.to_string()).join(", "),
                    if kind == Kind::Linear { "linear" } else { "network" }
                )));
            }
            [noise] => noise,
        };
        let can = match (kind, noise.description().scale) {
            (Kind::Linear, scale) => scale == ModelledScale::Always,
            (Kind::Network, scale) => scale != ModelledScale::Never,
        };
        match models_scale && !can {
            true => Err(wrong("the scale of this noise cannot be modelled".to_owned())),
            false => Ok(Contestant { kind, noise: Some(noise), models_scale }),
        }
    }
}

/// Several, as `linear,network:student-t`; each once.
#[derive(Debug, Clone, PartialEq)]
pub struct Contestants(pub Vec<Contestant>);

impl std::str::FromStr for Contestants {
    type Err = InvalidContestant;

    fn from_str(text: &str) -> Result<Self, InvalidContestant> {
        let mut all: Vec<Contestant> = Vec::new();
        for name in text.split(',') {
            let contestant = name.trim().parse()?;
            if !all.contains(&contestant) {
                all.push(contestant);
            }
        }
        Ok(Contestants(all))
    }
}
