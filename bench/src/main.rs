//! The Rust libraries of the benchmarks, each run as a process of its own that works when it is told to.
//!
//! `noisefit-bench PROBLEM ARGUMENTS` (see `USAGE`) loads its data, prints `{"ready": true}`, and then, for each line
//! on standard input, does its work once and prints the seconds that took and the numbers that came out, as one line of
//! JSON.

mod loss;
mod noise;
mod ols;
mod protocol;
mod steps;
mod traces;
mod train;

use std::error::Error;
use std::path::Path;

use steps::Steps;

/// The threads that every library may use.
fn threads() -> usize {
    std::env::var("BENCH_THREADS").ok().and_then(|text| text.parse().ok()).unwrap_or(1)
}

const USAGE: &str = "usage: noisefit-bench ols LIBRARY LAYOUT ROWS COLUMNS FOLDER
       noisefit-bench noise NOISE SCALE ROWS COLUMNS FOLDER
       noisefit-bench compare ROWS COLUMNS FOLDER
       noisefit-bench loss LIBRARY LOSS ROWS FOLDER
       noisefit-bench train WAY HIDDEN METHOD RATE BATCH STEPS ROWS COLUMNS FOLDER
       noisefit-bench traces CASE...";

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments[..] {
        ["ols", library, layout, rows, columns, folder] => {
            let problem = ols::Problem::load(Path::new(folder), layout, rows.parse()?, columns.parse()?)?;
            problem.run(library)
        }
        ["loss", library, loss, rows, folder] => loss::run(library, loss, rows.parse()?, Path::new(folder)),
        ["noise", noise, scale, rows, columns, folder] => {
            noise::run(noise, scale, rows.parse()?, columns.parse()?, Path::new(folder))
        }
        ["compare", rows, columns, folder] => noise::run_comparison(rows.parse()?, columns.parse()?, Path::new(folder)),
        ["train", way, ref steps @ .., folder] => {
            let steps = steps.try_into().map_err(|_| USAGE)?;
            train::run(way, Steps::load(steps, Path::new(folder))?)
        }
        ["traces", ref cases @ ..] => traces::run(cases),
        _ => Err(USAGE.into()),
    }
}
