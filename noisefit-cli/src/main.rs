//! The `noisefit` command: parse, call, print.
//!
//! Results go to standard output; progress and warnings to standard error. Exit codes: 0 done, 1 could not do it (bad data,
//! file, model), 2 wrong usage, 3 done but not converged, 130 interrupted.

mod arguments;
mod command;
mod commands;
mod outcome;
mod output;
mod picture;
mod progress;

use std::process::ExitCode;

use clap::{CommandFactory, Parser};
use noisefit::Error;
use noisefit::data::DataError;

use command::{Cli, Command};
use outcome::{Failure, Options, Outcome};
use output::tell;

fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(help_or_error) => {
            let code = u8::try_from(help_or_error.exit_code()).unwrap_or(2);
            let printed =
                help_or_error.print().map_err(|source| DataError::Write { path: "standard output".into(), source });
            return printed.map_or_else(|error| fail(&error.into()), |()| ExitCode::from(code));
        }
    };
    let result = match cli.command {
        Command::Fit(arguments) => commands::fit::run(&arguments),
        Command::Predict(arguments) => commands::predict::run(&arguments),
        Command::Evaluate(arguments) => commands::evaluate::run(&arguments),
        Command::Diagnose(arguments) => commands::diagnose::run(&arguments),
        Command::Compare(arguments) => commands::compare::run(&arguments),
        Command::Loss(arguments) => commands::loss::run(&arguments),
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
    };
    match result {
        Ok(Outcome::Done) => ExitCode::SUCCESS,
        Ok(Outcome::NotConverged) => ExitCode::from(3),
        Err(error) => fail(&error),
    }
}

/// Says what went wrong.
fn fail(failure: &Failure) -> ExitCode {
    if is_closed_pipe(failure) {
        return ExitCode::SUCCESS;
    }
    let (message, code) = match failure {
        Failure::Error(error) if error.is_interruption() => {
            tell("noisefit: interrupted; nothing was written");
            return ExitCode::from(130);
        }
        Failure::Usage(message) => (message.clone(), ExitCode::from(2)),
        Failure::Error(error @ Error::Refused(_)) => (error.sentence(&Options), ExitCode::from(2)),
        Failure::Error(error) => (error.sentence(&Options), ExitCode::FAILURE),
        Failure::Io(error) => (error.to_string(), ExitCode::FAILURE),
    };
    // What stands in several lines, as a formula with a caret under the place, is not to be moved to the right.
    let gap = if message.contains('\n') { '\n' } else { ' ' };
    tell(&format!("noisefit:{gap}{message}"));
    code
}

/// Whether the reader of our output went away, as `head` does: not our failure.
fn is_closed_pipe(failure: &Failure) -> bool {
    let mut cause: Option<&(dyn std::error::Error + 'static)> = match failure {
        Failure::Usage(_) => None,
        Failure::Error(error) => Some(error),
        Failure::Io(error) => Some(error),
    };
    while let Some(error) = cause {
        let io = error.downcast_ref::<std::io::Error>();
        if io.is_some_and(|error| error.kind() == std::io::ErrorKind::BrokenPipe) {
            return true;
        }
        cause = error.source();
    }
    false
}
