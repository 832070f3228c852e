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

/// The files into which a result goes beside what is printed of it: where one cannot be written after all, as on a disk that has
/// become full, the result is printed all the same, for it may have taken hours, and the command fails then.
#[derive(Debug, Default)]
pub(crate) struct Files(Option<Failure>);

impl Files {
    /// Keeps the first failure for the end; a wish to stop is granted at once.
    pub(crate) fn keep(&mut self, written: Result<(), impl Into<Failure>>) -> Result<(), Failure> {
        match written.map_err(Into::into) {
            Err(failure) if failure.is_interruption() => return Err(failure),
            Err(failure) => drop(self.0.get_or_insert(failure)),
            Ok(()) => {}
        }
        Ok(())
    }

    /// How the command ends once all is printed.
    pub(crate) fn ended(self, outcome: Outcome) -> Result<Outcome, Failure> {
        self.0.map_or(Ok(outcome), Err)
    }
}

impl Failure {
    fn is_interruption(&self) -> bool {
        matches!(self, Failure::Error(error) if error.is_interruption())
    }
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
