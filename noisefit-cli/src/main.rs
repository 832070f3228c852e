//! The `noisefit` command.

#![forbid(unsafe_code)]

use std::process::ExitCode;

fn main() -> ExitCode {
    noisefit_cli::run(std::env::args_os()).into()
}
