//! How the harness and its programs speak, and how programs read their data.

use std::error::Error;
use std::fmt::Display;
use std::io::{BufRead, Write};
use std::path::Path;
use std::time::Instant;

/// What a repetition computed, by name: `coefficients`, `std_errors`, `loss`, ...
pub type Numbers<Name = &'static str> = Vec<(Name, Vec<f64>)>;

/// Does `once` for every line of standard input.
pub fn repeat<Name: Display>(
    mut once: impl FnMut() -> Result<Numbers<Name>, Box<dyn Error>>,
) -> Result<(), Box<dyn Error>> {
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
pub fn numbers<T, const BYTES: usize>(
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
