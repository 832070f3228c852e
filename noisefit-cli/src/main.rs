//! The `noisefit` command: parse, call, print.
//!
//! Results go to standard output; progress and warnings to standard error. Exit codes: 0 done, 1 could not do it (bad data,
//! file, model), 2 wrong usage, 3 done but not converged, 130 interrupted.

mod arguments;
mod commands;
mod output;
mod progress;

use std::process::ExitCode;

use clap::Parser;
use noisefit_data::DataError;

use arguments::{Cli, Command};

/// How a command ended that did not fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    Done,
    NotConverged,
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    let result = match cli.command {
        Command::Fit(arguments) => commands::fit::run(&arguments),
        Command::Predict(arguments) => commands::predict::run(&arguments),
        Command::Evaluate(arguments) => commands::evaluate::run(&arguments),
        Command::Describe(arguments) => commands::describe::run(&arguments),
        Command::Completions { shell } => commands::manual::completions(shell),
        Command::Manual { folder } => commands::manual::manual(folder.as_deref()),
    };
    match result {
        Ok(Outcome::Done) => ExitCode::SUCCESS,
        Ok(Outcome::NotConverged) => ExitCode::from(3),
        Err(error) if is_closed_pipe(&error) => ExitCode::SUCCESS,
        Err(error) if is_interrupted(&error) => {
            eprintln!("noisefit: interrupted; nothing was written");
            ExitCode::from(130)
        }
        Err(error) => {
            eprintln!("noisefit: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Whether the reader of our output went away, as `head` does: not our failure.
fn is_closed_pipe(error: &anyhow::Error) -> bool {
    let is_pipe = |error: &std::io::Error| error.kind() == std::io::ErrorKind::BrokenPipe;
    error.chain().any(|cause| cause.downcast_ref::<std::io::Error>().is_some_and(is_pipe))
}

fn is_interrupted(error: &anyhow::Error) -> bool {
    error.chain().any(|cause| matches!(cause.downcast_ref(), Some(DataError::Interrupted)))
}
