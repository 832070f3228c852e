//! How often the judgement names the true noise, and how often it prefers another to Gaussian noise that is true.

use noisefit_core::Error;
use noisefit_core::compare::{Candidate, judge};
use noisefit_core::estimate::Options;

use crate::data::{Sample, Truth, replicate};
use crate::random::Random;

/// The numbers of rows.
const SIZES: [usize; 4] = [50, 200, 500, 2000];

/// What is preferred on one sample.
fn preferred(sample: &Sample) -> Result<String, Error> {
    let comparison = judge(&sample.rows(true)?, &Candidate::all(true), &Options::default())?;
    Ok(comparison.judgement.map_or_else(|| "none".to_owned(), |judgement| judgement.preferred.to_string()))
}

/// Prints the table.
pub fn print(replications: u64) -> Result<(), Error> {
    let names: Vec<String> = Candidate::all(true).iter().map(ToString::to_string).collect();
    println!("## The judgement of `compare` and `--noise auto`: percent of samples in which a model is preferred\n");
    println!("| noise | n | {} |\n|---|---|{}", names.join(" | "), "---|".repeat(names.len()));
    for (place, (truth_name, truth)) in Truth::all().into_iter().enumerate() {
        for n in SIZES {
            let chosen: Vec<String> = replicate(replications, |i| {
                let mut random = Random::new((1_000_000 + place * 10_000 + n) as u64, i);
                preferred(&Sample::draw(truth, n, &mut random))
            })
            .into_iter()
            .collect::<Result<_, _>>()?;
            let share = |name: &String| {
                let count = chosen.iter().filter(|chosen| *chosen == name).count();
                format!("{:.1}", 100.0 * count as f64 / chosen.len() as f64)
            };
            println!("| {truth_name} | {n} | {} |", names.iter().map(share).collect::<Vec<_>>().join(" | "));
        }
    }
    Ok(())
}
