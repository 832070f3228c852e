//! The `noisefit` command: parse, call, print.
//!
//! Results go to standard output; progress and warnings to standard error. Exit codes: 0 done, 1 could not do it (bad data,
//! file, model), 2 wrong usage, 3 done but not converged, 130 interrupted.

mod arguments;
mod command;
mod commands;
mod outcome;
mod output;
mod progress;

use std::process::ExitCode;

use clap::{CommandFactory, Parser};
use noisefit_data::DataError;
use noisefit_data::frame::Field;

use command::{Cli, Command};
use outcome::{Outcome, Usage};
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
    let mut command = cli.command;
    let result = loop {
        let result = run(&command);
        // A column that is of another kind than the heads of its files said is read again so.
        let widened = result.as_ref().err().and_then(widened);
        if !widened.is_some_and(|field| command.data().is_some_and(|data| data.learn(field))) {
            break result;
        }
    };
    match result {
        Ok(Outcome::Done) => ExitCode::SUCCESS,
        Ok(Outcome::NotConverged) => ExitCode::from(3),
        Err(error) => fail(&error),
    }
}

fn run(command: &Command) -> anyhow::Result<Outcome> {
    match command {
        Command::Fit(arguments) => commands::fit::run(arguments),
        Command::Predict(arguments) => commands::predict::run(arguments),
        Command::Evaluate(arguments) => commands::evaluate::run(arguments),
        Command::Diagnose(arguments) => commands::diagnose::run(arguments),
        Command::Compare(arguments) => commands::compare::run(arguments),
        Command::Loss(arguments) => commands::loss::run(arguments),
        Command::Profile(arguments) => commands::profile::run(arguments),
        Command::Describe(arguments) => commands::describe::run(arguments),
        Command::Export(arguments) => commands::export::run(arguments),
        Command::Completions { shell } => commands::manual::completions(*shell, Cli::command()),
        Command::Manual { folder } => commands::manual::manual(folder.as_deref(), Cli::command()),
    }
}

/// What a column holds after all, where that is what an error says.
fn widened(error: &anyhow::Error) -> Option<Field> {
    error.chain().find_map(|cause| cause.downcast_ref::<DataError>()?.widened())
}

/// Says what went wrong. An error's own words name its causes, so that these are not told again.
fn fail(error: &anyhow::Error) -> ExitCode {
    if is_closed_pipe(error) {
        return ExitCode::SUCCESS;
    }
    if is_interrupted(error) {
        tell("noisefit: interrupted; nothing was written");
        return ExitCode::from(130);
    }
    let message = error.to_string();
    // What stands in several lines, as a formula with a caret under the place, is not to be moved to the right.
    let gap = if message.contains('\n') { '\n' } else { ' ' };
    tell(&format!("noisefit:{gap}{message}"));
    if error.is::<Usage>() { ExitCode::from(2) } else { ExitCode::FAILURE }
}

/// Whether the reader of our output went away, as `head` does: not our failure.
fn is_closed_pipe(error: &anyhow::Error) -> bool {
    let is_pipe = |error: &std::io::Error| error.kind() == std::io::ErrorKind::BrokenPipe;
    error.chain().any(|cause| cause.downcast_ref::<std::io::Error>().is_some_and(is_pipe))
}

fn is_interrupted(error: &anyhow::Error) -> bool {
    error.chain().any(|cause| matches!(cause.downcast_ref(), Some(DataError::Interrupted)))
}
