//! What is to be said beside a result.

use noisefit_core::record::{Topic, Warning};
use noisefit_core::wording::{Sentence, Wording};

/// A sentence that a reader should know before using a result, and what it is about; its Display is the sentence in Rust's words.
///
/// ```
/// use noisefit::core::record::{Topic, Warning};
/// use noisefit::Remark;
///
/// let remark = Remark::from(&Warning::NotUnique);
/// assert_eq!(remark.topic, Topic::Likelihood);
/// assert!(remark.to_string().starts_with("the optimum is not unique"));
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Remark {
    /// What it is about.
    pub topic: Topic,
    /// The sentence.
    pub sentence: Sentence,
}

impl Remark {
    /// The sentence, with settings as a front end writes them.
    pub fn worded(&self, wording: &dyn Wording) -> String {
        self.sentence.worded(wording)
    }

    /// Sentences about one topic.
    pub(crate) fn all<S: Into<Sentence>>(topic: Topic, sentences: impl IntoIterator<Item = S>) -> Vec<Remark> {
        sentences.into_iter().map(|sentence| Remark { topic, sentence: sentence.into() }).collect()
    }
}

impl From<&Warning> for Remark {
    fn from(warning: &Warning) -> Self {
        Remark { topic: warning.topic(), sentence: warning.to_string().into() }
    }
}

impl From<Remark> for Sentence {
    fn from(remark: Remark) -> Self {
        remark.sentence
    }
}

impl std::fmt::Display for Remark {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        std::fmt::Display::fmt(&self.sentence, f)
    }
}
