//! The files that a command line names: which are read, and which are written. The rule for all commands stands here: what is
//! read is not written over, and what cannot be written is said before the work whose result it is to hold.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use clap::ArgMatches;
use noisefit::data::read::Inputs;
use noisefit::data::write::{FileIdentity, TableWriter, check_writable};
use noisefit::{Read, Setting, refuse_overwriting, trials_beside};

use crate::outcome::Failure;

/// A file, folder or pattern of data, or `-`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Data(pub(crate) OsString);

/// A model that is read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ModelFile(pub(crate) PathBuf);

/// A file that is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Output(pub(crate) PathBuf);

/// A table that is written, whose format its name says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TableOutput(pub(crate) PathBuf);

impl From<OsString> for Data {
    fn from(name: OsString) -> Self {
        Data(name)
    }
}

impl From<OsString> for ModelFile {
    fn from(name: OsString) -> Self {
        ModelFile(name.into())
    }
}

impl From<OsString> for Output {
    fn from(name: OsString) -> Self {
        Output(name.into())
    }
}

impl From<OsString> for TableOutput {
    fn from(name: OsString) -> Self {
        TableOutput(name.into())
    }
}

impl AsRef<std::ffi::OsStr> for Data {
    fn as_ref(&self) -> &std::ffi::OsStr {
        &self.0
    }
}

/// Checks all that a command is to write against all that it is to read: whatever options it has, their types say which is
/// which.
///
/// # Errors
/// A file that is read, one that is named twice, one that cannot be written.
pub(crate) fn check(matches: &ArgMatches) -> Result<(), Failure> {
    let (mut outputs, mut tables, mut read) = (Vec::new(), Vec::new(), Vec::new());
    for id in matches.ids() {
        let (id, setting) = (id.as_str(), Setting::of_name(id.as_str()).unwrap_or(Setting::Output));
        outputs.extend(values::<Output>(matches, id).map(|Output(path)| (setting, path.as_path())));
        tables.extend(values::<TableOutput>(matches, id).map(|TableOutput(path)| (setting, path.as_path())));
        read.extend(
            values::<ModelFile>(matches, id).filter_map(|ModelFile(path)| FileIdentity::of(path)).map(Read::Model),
        );
        let data: Vec<&Data> = values::<Data>(matches, id).collect();
        // What is not there is refused when it is opened.
        read.extend(Inputs::identities_of(&data).into_iter().map(Read::Data));
    }
    let trials = trials(matches);
    let trials = trials.as_deref().map(|path| (Setting::Checkpoint, path));
    let all: Vec<(Setting, &Path)> = outputs.iter().chain(&tables).copied().chain(trials).collect();
    refuse_overwriting(&all, &read)?;
    tables.iter().try_for_each(|(_, path)| TableWriter::check_name(path))?;
    Ok(all.iter().try_for_each(|(_, path)| check_writable(path))?)
}

/// The file that a search brings with its checkpoint.
fn trials(matches: &ArgMatches) -> Option<PathBuf> {
    let searches = matches.try_contains_id("tune").is_ok_and(|searches| searches);
    let checkpoint = values::<Output>(matches, "checkpoint").next().filter(|_| searches);
    checkpoint.map(|Output(path)| trials_beside(path))
}

/// The values of an argument, if it is of this type.
fn values<'a, T: Clone + Send + Sync + 'static>(matches: &'a ArgMatches, id: &str) -> impl Iterator<Item = &'a T> {
    matches.try_get_many::<T>(id).ok().flatten().into_iter().flatten()
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::builder::ValueParser;
    use clap::{CommandFactory, value_parser};

    /// What is called a file in help is a file that is checked, under a name that messages have.
    #[test]
    fn every_option_that_names_a_file_is_of_a_type_that_is_checked() {
        let checked: [ValueParser; 2] = [value_parser!(Output).into(), value_parser!(TableOutput).into()];
        let command = crate::command::Cli::command();
        let mut found = 0;
        for command in command.get_subcommands() {
            for argument in command.get_arguments().filter(|argument| !argument.is_positional()) {
                // A flag has no value, whatever it is called.
                if !argument.get_action().takes_values() {
                    continue;
                }
                let names = argument.get_value_names().unwrap_or_default();
                if names.iter().any(|name| name.contains("FILE") || name.contains(".json")) {
                    let of_type = argument.get_value_parser().type_id();
                    let is_checked = checked.iter().any(|parser| parser.type_id() == of_type);
                    assert!(is_checked, "{} {} is {of_type:?}", command.get_name(), argument.get_id());
                    assert!(Setting::of_name(argument.get_id().as_str()).is_some(), "{}", argument.get_id());
                    found += 1;
                }
            }
        }
        assert!(found >= 15, "{found}");
    }
}
