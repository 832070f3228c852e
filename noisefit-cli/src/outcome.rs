//! How a command ends, and how it words what it refuses.

use noisefit::{Setting, Wording};

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
        let option = self.setting(setting);
        if value.contains(' ') { format!("{option} '{value}'") } else { format!("{option} {value}") }
    }

    fn verb(&self, verb: &str) -> String {
        format!("`noisefit {verb}`")
    }
}
