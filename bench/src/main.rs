//! The Rust libraries of the benchmarks, each run as a process of its own that works when it is told to.
//!
//! `noisefit-bench ols LIBRARY LAYOUT ROWS COLUMNS FOLDER`, `noisefit-bench noise NOISE SCALE ROWS COLUMNS FOLDER` or
//! `noisefit-bench loss LIBRARY LOSS ROWS FOLDER` loads its data, prints `{"ready": true}`, and then, for each line on standard input, does its work once and prints the seconds
//! that took and the numbers that came out, as one line of JSON.

mod loss;
mod noise;
mod ols;

use std::error::Error;
use std::io::{BufRead, Write};
use std::path::Path;
use std::time::Instant;

/// The threads that every library may use.
fn threads() -> usize {
    std::env::var("BENCH_THREADS").ok().and_then(|text| text.parse().ok()).unwrap_or(1)
}

/// What a repetition computed, by name: `coefficients`, `std_errors`, `loss`, ...
type Numbers = Vec<(&'static str, Vec<f64>)>;

const USAGE: &str = "usage: noisefit-bench ols LIBRARY LAYOUT ROWS COLUMNS FOLDER
       noisefit-bench noise NOISE SCALE ROWS COLUMNS FOLDER
       noisefit-bench loss LIBRARY LOSS ROWS FOLDER";

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
        _ => Err(USAGE.into()),
    }
}

/// Does `once` for every line of standard input.
fn repeat(mut once: impl FnMut() -> Result<Numbers, Box<dyn Error>>) -> Result<(), Box<dyn Error>> {
    answer(r#"{"ready": true}"#)?;
    for line in std::io::stdin().lock().lines() {
        line?;
        let start = Instant::now();
        let numbers = std::hint::black_box(once()?);
        let seconds = start.elapsed().as_secs_f64();
        let numbers: Vec<_> = numbers.iter().map(|(name, values)| format!("\"{name}\": {values:?}")).collect();
        answer(&format!("{{\"seconds\": {seconds}, \"numbers\": {{{}}}}}", numbers.join(", ")))?;
    }
    Ok(())
}

fn answer(line: &str) -> std::io::Result<()> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{line}")?;
    out.flush()
}

/// Reads a file that holds `count` little-endian numbers and nothing else.
fn numbers<T, const BYTES: usize>(
    path: &Path,
    count: usize,
    number: fn([u8; BYTES]) -> T,
) -> Result<Vec<T>, Box<dyn Error>> {
    let bytes = std::fs::read(path).map_err(|error| format!("{}: {error}", path.display()))?;
    let (words, rest) = bytes.as_chunks::<BYTES>();
    if words.len() != count || !rest.is_empty() {
        return Err(format!("{} has {} bytes, not {count} numbers of {BYTES}", path.display(), bytes.len()).into());
    }
    Ok(words.iter().map(|&word| number(word)).collect())
}
