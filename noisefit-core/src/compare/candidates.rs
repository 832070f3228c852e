//! The models that are set side by side.

use serde::{Deserialize, Serialize, Serializer};

use crate::noise::{Compared, FAMILIES, Huber, HuberScale, Listed, ModelledScale, Noise, Noises, scalable, written};
use crate::rows::{Adapted, Adaptor, Block, Design, Layout, RowSource};

/// A model to be compared with others on the same rows: a noise family of one scale, or with a modelled one.
///
/// ```
/// use noisefit_core::compare::Candidate;
///
/// let candidate: Candidate = "student-t+scale".parse()?;
/// assert!(candidate.models_scale);
/// let error = "quantile:0.5".parse::<Candidate>().unwrap_err();
/// assert!(error.to_string().contains("not comparable"));
/// # Ok::<(), noisefit_core::compare::InvalidCandidate>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Candidate {
    /// The noise.
    pub noise: Noise,
    /// Whether its scale's logarithm is linear in the rows' columns of the scale.
    pub models_scale: bool,
}

impl Candidate {
    /// Noise of one scale.
    ///
    /// # Errors
    /// [`InvalidCandidate`] for noise whose likelihood does not compare with others'.
    pub fn new(noise: Noise) -> Result<Self, InvalidCandidate> {
        let why = match (noise.description().compared, noise) {
            (Compared::Never(why), _) => why,
            (_, Noise::Huber(Huber { scale: HuberScale::Mad { .. } | HuberScale::Proposal2, .. })) => {
                "with a scale that does not maximise the likelihood is not comparable with other noise; its scale must be mle"
            }
            _ => return Ok(Candidate { noise, models_scale: false }),
        };
        Err(InvalidCandidate(format!("{} {why}", written(&[noise]))))
    }

    /// The candidate of this noise with a modelled scale.
    ///
    /// # Errors
    /// [`InvalidCandidate`] for noise whose scale cannot be modelled.
    pub fn with_scale(self) -> Result<Self, InvalidCandidate> {
        match self.noise.description().scale {
            ModelledScale::Always => Ok(Candidate { models_scale: true, ..self }),
            ModelledScale::Never | ModelledScale::Trained => Err(InvalidCandidate(format!(
                "{self}+scale: the scale of this noise cannot be modelled; that of {} can",
                scalable(ModelledScale::Always)
            ))),
        }
    }

    /// What is compared where nothing is named: the families that stand for all others, of one scale and, if `scale` is
    /// modelled, some of them with a modelled one.
    pub fn all(scale: bool) -> Vec<Self> {
        let by_default = |family: &&Listed| {
            matches!(family.description.compared, Compared::ByDefault | Compared::ByDefaultWithScale)
        };
        let with_scale = |family: &&Listed| scale && family.description.compared == Compared::ByDefaultWithScale;
        let candidate = |models_scale| move |noise| Candidate { noise, models_scale };
        let one = FAMILIES.iter().filter(by_default).filter_map(Listed::unparametrised).map(candidate(false));
        let modelled = FAMILIES.iter().filter(with_scale).filter_map(Listed::unparametrised).map(candidate(true));
        one.chain(modelled).collect()
    }

    /// Whether it is what everybody assumes who says nothing: Gaussian noise of one scale.
    pub fn is_plain_gaussian(&self) -> bool {
        self.noise == Noise::Gaussian && !self.models_scale
    }
}

impl std::fmt::Display for Candidate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}{}", written(&[self.noise]), if self.models_scale { "+scale" } else { "" })
    }
}

impl std::str::FromStr for Candidate {
    type Err = InvalidCandidate;

    fn from_str(text: &str) -> Result<Self, InvalidCandidate> {
        let (noise, models_scale) = match text.strip_suffix("+scale") {
            Some(noise) => (noise, true),
            None => (text, false),
        };
        let noises: Noises = noise.trim().parse().map_err(|error| InvalidCandidate(format!("{error}")))?;
        // Of several quantiles the first says why none is one.
        let first = noises.first().ok_or_else(|| InvalidCandidate("no noise is named".to_owned()))?;
        let candidate = Candidate::new(*first)?;
        if models_scale { candidate.with_scale() } else { Ok(candidate) }
    }
}

/// By its name.
impl Serialize for Candidate {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// Several candidates, as `gaussian,laplace,student-t+scale`; each once.
#[derive(Debug, Clone, PartialEq)]
pub struct Candidates(pub Vec<Candidate>);

impl std::str::FromStr for Candidates {
    type Err = InvalidCandidate;

    fn from_str(text: &str) -> Result<Self, InvalidCandidate> {
        let mut candidates: Vec<Candidate> = Vec::new();
        for name in text.split(',') {
            let candidate = name.trim().parse()?;
            if !candidates.contains(&candidate) {
                candidates.push(candidate);
            }
        }
        Ok(Candidates(candidates))
    }
}

/// What cannot be compared, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InvalidCandidate(String);

impl std::fmt::Display for InvalidCandidate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for InvalidCandidate {}

/// The rows as a candidate sees them: with the columns of the scale or without.
pub(super) fn seen_by<'a>(candidate: &Candidate, source: &'a dyn RowSource) -> Adapted<'a, ScaleColumns> {
    with_scale(candidate.models_scale, source)
}

/// The rows with the columns of the scale, or without.
pub(super) fn with_scale(shown: bool, source: &dyn RowSource) -> Adapted<'_, ScaleColumns> {
    let full = source.layout();
    let layout = Layout { scale: full.scale.clone().filter(|_| shown), ..full.clone() };
    Adapted::new(source, ScaleColumns { shown }, layout)
}

/// Whether the columns of the scale are shown.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(super) struct ScaleColumns {
    shown: bool,
}

impl Adaptor for ScaleColumns {
    const KIND: &'static str = "scale columns";

    fn adapt(&mut self, block: &Block<'_>, next: &mut dyn FnMut(&Block<'_>)) {
        let scale_design = if self.shown { block.scale_design } else { Design::default() };
        next(&Block { scale_design, ..*block });
    }
}
