//! The command, in this process: one package for both doors.

use std::ffi::OsString;

use pyo3::prelude::*;

/// Runs the command `noisefit` with some words, its own name first; the code to exit with.
#[pyfunction]
pub(crate) fn main(py: Python<'_>, words: Vec<OsString>) -> u8 {
    py.detach(|| noisefit_cli::run(words))
}

/// The long options of every command, as pairs of the command and `--option`.
#[pyfunction]
pub(crate) fn flags() -> Vec<(String, String)> {
    noisefit_cli::flags()
}
