//! The `noisefit` command: parse, call, print.
//!
//! Results go to standard output; progress and warnings to standard error. Exit codes: 0 done, 1 could not do it (bad data,
//! file, model), 2 wrong usage, 3 done but not converged, 130 interrupted.

#![forbid(unsafe_code)]

mod arguments;
mod command;
mod commands;
mod ending;
mod files;
mod outcome;
mod output;
mod picture;
mod progress;
mod shell;
mod signals;

use std::ffi::OsString;

use clap::{CommandFactory, FromArgMatches};
use noisefit::Error;
use noisefit::data::DataError;

use command::{Cli, Command};
use outcome::{Failure, Options, Outcome};
use output::tell;

/// Runs a command line, the program's name first, and says with which code its process is to exit.
///
/// The binary of this crate and the console script of the Python package are nothing but a call of it.
pub fn run(words: impl IntoIterator<Item = OsString>) -> u8 {
    signals::outlive_full_files();
    signals::fail_where_memory_ends();
    let parsed = Cli::command().try_get_matches_from(words);
    let parsed = parsed.and_then(|matches| Ok((Cli::from_arg_matches(&matches)?, matches)));
    let (cli, matches) = match parsed {
        Ok(parsed) => parsed,
        Err(help_or_error) => {
            let code = u8::try_from(help_or_error.exit_code()).unwrap_or(2);
            let printed =
                help_or_error.print().map_err(|source| DataError::Write { path: "standard output".into(), source });
            return printed.map_or_else(|error| fail(&error.into()), |()| code);
        }
    };
    if let Some(Err(failure)) = matches.subcommand().map(|(_, matches)| files::check(matches)) {
        return fail(&failure);
    }
    let Some(result) = ending::unless_memory_ends(|| done(cli.command)) else {
        tell("noisefit: there is not enough memory for this: fewer columns or threads (--threads) take less");
        return 1;
    };
    match result {
        Ok(Outcome::Done) => 0,
        Ok(Outcome::NotConverged) => 3,
        Err(error) => fail(&error),
    }
}

/// Runs a command.
fn done(command: Command) -> Result<Outcome, Failure> {
    match command {
        Command::Fit(arguments) if !arguments.by.is_empty() => commands::by::run(&arguments),
        Command::Fit(arguments) => commands::fit::run(&arguments),
        Command::Predict(arguments) => commands::predict::run(&arguments),
        Command::Evaluate(arguments) => commands::evaluate::run(&arguments),
        Command::Diagnose(arguments) => commands::diagnose::run(&arguments),
        Command::Compare(arguments) if !arguments.by.is_empty() => commands::by::compare(&arguments),
        Command::Compare(arguments) => commands::compare::run(&arguments),
        Command::Loss(arguments) => commands::loss::run(&arguments),
        Command::Test(arguments) => commands::test::run(&arguments),
        Command::Effects(arguments) => commands::effects::run(&arguments),
        Command::Profile(arguments) => commands::profile::run(&arguments),
        Command::Describe(arguments) => commands::describe::run(&arguments),
        Command::Plot(arguments) => commands::plot::run(&arguments),
        Command::Report(arguments) => commands::report::run(&arguments),
        Command::Explain(arguments) => commands::explain::run(&arguments),
        Command::Table(arguments) => commands::table::run(&arguments),
        Command::Export(arguments) => commands::export::run(&arguments),
        Command::Worker(arguments) => commands::worker::run(&arguments),
        Command::Completions { shell } => commands::manual::completions(shell, Cli::command()),
        Command::Manual { folder } => commands::manual::manual(folder.as_deref(), Cli::command()),
    }
}

/// Says what went wrong.
fn fail(failure: &Failure) -> u8 {
    if is_closed_pipe(failure) {
        return 0;
    }
    let (message, code) = match failure {
        Failure::Error(error) if error.is_interruption() => {
            tell("noisefit: interrupted; nothing was written");
            return 130;
        }
        Failure::Usage(message) => (message.clone(), 2),
        Failure::Error(error @ Error::Refused(_)) => (error.sentence(&Options), 2),
        Failure::Error(error) => (error.sentence(&Options), 1),
        Failure::Io(error) => (error.to_string(), 1),
    };
    // What stands in several lines, as a formula with a caret under the place, is not to be moved to the right.
    let gap = if message.contains('\n') { '\n' } else { ' ' };
    tell(&format!("noisefit:{gap}{message}"));
    code
}

/// Whether the reader of standard output went away, as `head` does: not our failure. That of a pipe which is named is one.
fn is_closed_pipe(failure: &Failure) -> bool {
    let mut cause: Option<&(dyn std::error::Error + 'static)> = match failure {
        Failure::Usage(_) => None,
        Failure::Error(error) => Some(error),
        Failure::Io(error) => return error.kind() == std::io::ErrorKind::BrokenPipe,
    };
    while let Some(error) = cause {
        if let Some(DataError::Write { path, source }) = error.downcast_ref::<DataError>() {
            return path.as_os_str() == "standard output" && source.kind() == std::io::ErrorKind::BrokenPipe;
        }
        cause = error.source();
    }
    false
}

/// The long options of every command that is shown, as pairs of its name and `--option`.
pub fn flags() -> Vec<(String, String)> {
    let command = Cli::command();
    let shown = command.get_subcommands().filter(|command| !command.is_hide_set());
    let options = shown.flat_map(|command| {
        let told = command.get_arguments().filter(|argument| !argument.is_hide_set());
        let long = told.filter_map(clap::Arg::get_long);
        long.map(|long| (command.get_name().to_owned(), format!("--{long}"))).collect::<Vec<_>>()
    });
    options.collect()
}
