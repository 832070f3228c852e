//! How often conformal intervals hold a new observation.

use noisefit_core::Error;
use noisefit_core::inference::Options;
use noisefit_core::inference::conformal;
use noisefit_core::inference::conformal::{Plan, Scheme};
use noisefit_core::inference::covariance::Vcov;
use noisefit_core::inference::predict::NewRows;
use noisefit_core::noise::{Noise, Noises};
use noisefit_core::rows::{Design, Values};

use crate::data::{Sample, Truth, replicate};
use crate::random::Random;

/// The numbers of rows.
const SIZES: [usize; 3] = [50, 200, 2000];

/// New observations a replication.
const NEW: usize = 20;

/// A model, and how its intervals are calibrated.
struct Way {
    name: &'static str,
    choice: Noises,
    modelled: bool,
    method: Scheme,
    /// The most rows it is tried with.
    most: usize,
}

fn ways() -> Vec<Way> {
    let way = |name, choice, method| Way { name, choice, modelled: false, method, most: usize::MAX };
    vec![
        way("gaussian, split", Noises::from(Noise::Gaussian), Scheme::Split),
        way("gaussian, cv+", Noises::from(Noise::Gaussian), Scheme::CvPlus),
        Way { most: 200, ..way("gaussian, jackknife+", Noises::from(Noise::Gaussian), Scheme::JackknifePlus) },
        Way { modelled: true, ..way("gaussian, scale ~ x1 + x2, split", Noises::from(Noise::Gaussian), Scheme::Split) },
        way("quantiles 0.05 and 0.95, split", Noises::quantiles(&[0.05, 0.95]), Scheme::Split),
    ]
}

/// The share of new observations in their 90% intervals.
fn covered(way: &Way, sample: &Sample, new: &Sample, seed: u64) -> Result<f64, Error> {
    let options = Options { vcov: Vcov::CLASSICAL, seed, ..Options::default() };
    let plan = Plan { method: way.method, ..Plan::default() };
    let (_, conformal) = conformal::fit(&sample.rows(way.modelled)?, &way.choice, &options, &plan)?;
    let columns: Vec<Vec<f64>> = (0..2).map(|j| new.x.iter().skip(j).step_by(2).copied().collect()).collect();
    let design: Vec<Values<'_>> = columns.iter().map(|column| column.as_slice().into()).collect();
    let rows = NewRows {
        scale_design: if way.modelled { (&design).into() } else { Design::default() },
        ..NewRows::new(&design, new.y.len())
    };
    let ends = conformal.intervals(&rows, 0.9)?;
    let inside = new.y.iter().zip(ends.low.iter().zip(&ends.high)).filter(|(y, (low, high))| *low <= *y && *y <= *high);
    Ok(inside.count() as f64 / new.y.len() as f64)
}

/// Prints the table.
pub fn print(replications: u64) -> Result<(), Error> {
    let ways = ways();
    let names: Vec<&str> = ways.iter().map(|way| way.name).collect();
    println!("## 90% conformal intervals: percent of new observations in them\n");
    println!("| noise | n | {} |\n|---|---|{}", names.join(" | "), "---|".repeat(names.len()));
    for (place, (name, truth)) in Truth::all().into_iter().enumerate() {
        for n in SIZES {
            let results: Vec<Vec<Option<f64>>> = replicate(replications, |i| {
                let mut random = Random::new((2_000_000 + place * 10_000 + n) as u64, i);
                let (sample, new) = (Sample::draw(truth, n, &mut random), Sample::draw(truth, NEW, &mut random));
                let tried = |way: &Way| (n <= way.most).then(|| covered(way, &sample, &new, i).ok()).flatten();
                ways.iter().map(tried).collect()
            });
            let cell = |way: usize| {
                let shares: Vec<f64> = results.iter().filter_map(|row| row[way]).collect();
                match shares.len() {
                    0 => "–".to_owned(),
                    count => format!("{:.1}", 100.0 * shares.iter().sum::<f64>() / count as f64),
                }
            };
            println!("| {name} | {n} | {} |", (0..ways.len()).map(cell).collect::<Vec<_>>().join(" | "));
        }
    }
    println!();
    Ok(())
}
