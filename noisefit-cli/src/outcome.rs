//! How a command ends, and how it words what it refuses.

use noisefit::{Setting, Wording};

use crate::shell::{in_quotes, quoted};

/// How a command ended that did not fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    Done,
    NotConverged,
}

impl Outcome {
    /// Done, unless estimates are not what was looked for.
    pub(crate) fn of(converged: bool) -> Self {
        if converged { Outcome::Done } else { Outcome::NotConverged }
    }
}

/// Why a command failed.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The command line asks for what cannot be, whatever the data.
    Usage(String),
    /// The front door's.
    Error(noisefit::Error),
    /// The manual could not be written.
    Io(std::io::Error),
}

impl<E: Into<noisefit::Error>> From<E> for Failure {
    fn from(error: E) -> Self {
        Failure::Error(error.into())
    }
}

/// Settings as options.
#[derive(Debug)]
pub(crate) struct Options;

impl Wording for Options {
    fn setting(&self, setting: Setting) -> String {
        format!("--{}", setting.name().replace('_', "-"))
    }

    fn with(&self, setting: Setting, value: &str) -> String {
        // What comes from the data stands in quotes, so that it is seen where it ends.
        let of_data = matches!(setting, Setting::MissingText | Setting::Number | Setting::Text);
        format!("{} {}", self.setting(setting), if of_data { in_quotes(value) } else { quoted(value) })
    }

    fn verb(&self, verb: &str) -> String {
        format!("`noisefit {verb}`")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_named_can_be_pasted_into_a_shell() {
        assert_eq!(Options.with(Setting::HuberK, "1.345"), "--huber-k 1.345");
        assert_eq!(Options.with(Setting::Scale, "~ x"), "--scale '~ x'");
        assert_eq!(Options.with(Setting::Text, "city"), "--text 'city'");
        assert_eq!(Options.with(Setting::MissingText, "it's $5"), r"--na 'it'\''s $5'");
        assert_eq!(Options.with(Setting::MissingText, ""), "--na ''");
    }
}
