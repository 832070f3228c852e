//! How often what is looked at speaks against noise that is what it is taken for, and against noise that is not.

use noisefit_core::Error;
use noisefit_core::compare::{Candidate, Comparison, Options, choose, compare};
use noisefit_core::estimate::{self, closed_form};
use noisefit_core::inference::diagnostics::Diagnosis;
use noisefit_core::noise::{Gaussian, Noise, StudentT};
use noisefit_core::numeric::distribution::{Distribution, Normal};
use noisefit_core::rows::{Matrix, MemoryRows};

use crate::data::replicate;
use crate::random::Random;

/// Below this what is looked at is taken to speak against the noise.
const CLEAR: f64 = 0.01;

/// Rows of standard normal regressors, the constant among the `p` coefficients, all of them zero.
fn regressors(n: usize, p: usize, random: &mut Random) -> Vec<f64> {
    (0..n * (p - 1)).map(|_| random.draw(&Gaussian)).collect()
}

/// The p-value of the PIT of a family's own noise.
fn pit(noise: Noise, drawn: Noise, (n, p): (usize, usize), random: &mut Random) -> Result<Option<f64>, Error> {
    let (x, y) = (regressors(n, p, random), (0..n).map(|_| random.draw(drawn.family())).collect::<Vec<f64>>());
    let rows = MemoryRows::new(&y, Matrix::row_major(&x, n, p - 1)?)?.with_threads(1);
    let comparison = compare(&rows, &[Candidate { noise, models_scale: false }], &Options::default())?;
    Ok(comparison.models[0].out_of_sample.as_ref().and_then(|scores| scores.pit_p_value))
}

/// How often the test of the PIT says that noise is not of the family that it is of.
pub fn sizes(replications: u64) -> Result<(), Error> {
    println!(
        "## The size of the PIT's test: percent of {replications} samples of a family's own noise with p below 5% (below 1%)\n"
    );
    println!(
        "Standard normal regressors and a constant, p coefficients in all, five folds; of student-t with estimated degrees of freedom\nnoise with 5.\n"
    );
    let shapes = [(30, 1), (30, 6), (60, 2), (60, 12), (120, 24), (500, 5)];
    let names = shapes.map(|(n, p)| format!("n {n}, p {p}"));
    println!("| noise | {} |\n|---|{}", names.join(" | "), "---|".repeat(names.len()));
    let five = Noise::StudentT(StudentT::new(5.0));
    let huber = Candidate::all(false)
        .into_iter()
        .map(|candidate| candidate.noise)
        .find(|noise| matches!(noise, Noise::Huber(_)));
    let families = [
        ("gaussian", Some(Noise::Gaussian), Some(Noise::Gaussian)),
        ("laplace", Some(Noise::Laplace), Some(Noise::Laplace)),
        ("logistic", Some(Noise::Logistic), Some(Noise::Logistic)),
        ("huber", huber, huber),
        ("student-t:5", Some(five), Some(five)),
        ("student-t", Some(Noise::StudentT(StudentT::FREE)), Some(five)),
    ];
    for (place, (name, noise, drawn)) in families.into_iter().enumerate() {
        let (Some(noise), Some(drawn)) = (noise, drawn) else { continue };
        let mut cells = Vec::new();
        for (n, p) in shapes {
            let values: Vec<Option<f64>> = replicate(replications, |i| {
                pit(noise, drawn, (n, p), &mut Random::new((4_000_000 + place * 100_000 + 10 * n + p) as u64, i))
            })
            .into_iter()
            .collect::<Result<_, _>>()?;
            let values: Vec<f64> = values.into_iter().flatten().collect();
            let below = |level: f64| 100.0 * values.iter().filter(|p| **p < level).count() as f64 / values.len() as f64;
            cells.push(match values.is_empty() {
                true => "–".to_owned(),
                false => format!("{:.1} ({:.1})", below(0.05), below(CLEAR)),
            });
        }
        println!("| {name} | {} |", cells.join(" | "));
    }
    println!();
    Ok(())
}

/// Noise of standard deviation about one, row after row.
type Draw = fn(usize, &mut Random) -> Vec<f64>;

fn independent(n: usize, random: &mut Random, draw: impl Fn(&mut Random) -> f64) -> Vec<f64> {
    (0..n).map(|_| draw(random)).collect()
}

fn exponential(random: &mut Random) -> f64 {
    -random.uniform().ln()
}

/// What noise is taken from.
fn kinds() -> Vec<(&'static str, Draw)> {
    vec![
        ("gaussian", |n, r| independent(n, r, |r| r.draw(&Gaussian))),
        ("laplace", |n, r| independent(n, r, |r| r.draw(Noise::Laplace.family()))),
        ("student-t 3", |n, r| independent(n, r, |r| r.draw(&StudentT::new(3.0)))),
        ("one in ten of ten times the scale", |n, r| {
            independent(n, r, |r| r.draw(&Gaussian) * if r.uniform() < 0.1 { 10.0 } else { 1.0 })
        }),
        ("uniform", |n, r| independent(n, r, Random::uniform)),
        ("two modes, 3 of their deviations from the middle", |n, r| {
            independent(n, r, |r| r.draw(&Gaussian) + if r.uniform() < 0.5 { 3.0 } else { -3.0 })
        }),
        ("exponential", |n, r| independent(n, r, exponential)),
        ("log-normal, 0.5", |n, r| independent(n, r, |r| (0.5 * r.draw(&Gaussian)).exp())),
        ("each 0.5 times the one before and gaussian", |n, r| {
            let mut last = r.draw(&Gaussian) / 0.75f64.sqrt();
            independent(n, r, |_| 0.0)
                .iter()
                .map(|_| {
                    last = 0.5 * last + r.draw(&Gaussian);
                    last
                })
                .collect()
        }),
        ("groups of ten that share a third of the variance", |n, r| {
            let mut shared = 0.0;
            (0..n)
                .map(|i| {
                    shared = if i % 10 == 0 { r.draw(&Gaussian) } else { shared };
                    shared + 2f64.sqrt() * r.draw(&Gaussian)
                })
                .collect()
        }),
        ("five steps", |n, r| independent(n, r, |r| (5.0 * Normal.cdf(r.draw(&Gaussian))).floor())),
        ("a fifth of zeros", |n, r| {
            independent(n, r, |r| if r.uniform() < 0.2 { 0.0 } else { r.draw(&Gaussian) + 1.0 })
        }),
    ]
}

/// Which looks object, and whether Gaussian noise is preferred.
type Looked = ([bool; 4], bool);

/// What speaks against the preferred model: shares, symmetry, neighbours, values.
fn objections(comparison: &Comparison) -> [bool; 4] {
    let pit = comparison.preferred().and_then(|entry| entry.out_of_sample.as_ref()?.pit_p_value);
    let Some(found) = &comparison.scrutiny else { return [false; 4] };
    [
        pit.is_some_and(|p| p < CLEAR),
        found.asymmetry.as_ref().is_some_and(|asymmetry| asymmetry.p_value < CLEAR),
        found.dependence.is_some_and(|dependence| dependence.p_value < CLEAR),
        found.distinct_values.is_some() || found.spike.is_some(),
    ]
}

/// How often each look speaks against the preferred model, of several kinds of noise.
pub fn detection(replications: u64) -> Result<(), Error> {
    println!("## What `compare` and `--noise auto` object to: percent of {replications} samples\n");
    println!(
        "A weak regressor and a constant; five folds. The preferred model is objected to for its shares (PIT), for skewness,"
    );
    println!(
        "because rows are like those before, or because the response has few values; each below a p-value of 1%.\n"
    );
    println!("| noise | n | any | shares | skewness | neighbours | values | gaussian preferred without objection |");
    println!("|---|---|---|---|---|---|---|---|");
    for (place, (name, draw)) in kinds().into_iter().enumerate() {
        for n in [50, 200, 1000] {
            let all: Vec<Looked> = replicate(replications, |i| {
                let mut random = Random::new((5_000_000 + place * 10_000 + n) as u64, i);
                let (x, y) = (regressors(n, 2, &mut random), draw(n, &mut random));
                let rows = MemoryRows::new(&y, Matrix::row_major(&x, n, 1)?)?.with_threads(1);
                let comparison = choose(&rows, &Candidate::all(false), &Options::default())?;
                let gaussian = comparison.preferred().is_some_and(|entry| entry.candidate.is_plain_gaussian());
                Ok((objections(&comparison), gaussian))
            })
            .into_iter()
            .collect::<Result<_, Error>>()?;
            let share = |holds: &dyn Fn(&Looked) -> bool| {
                format!("{:.1}", 100.0 * all.iter().filter(|found| holds(found)).count() as f64 / all.len() as f64)
            };
            let any = |found: &Looked| found.0.contains(&true);
            let cells: Vec<String> = (0..4).map(|k| share(&move |found| found.0[k])).collect();
            let silent = share(&|found| found.1 && !any(found));
            println!("| {name} | {n} | {} | {} | {silent} |", share(&any), cells.join(" | "));
        }
    }
    println!();
    Ok(())
}

/// How often the interval of the extreme value index lies beyond that of a tail without kurtosis, and without variance.
pub fn tails(replications: u64) -> Result<(), Error> {
    println!(
        "## What `diagnose` takes tails for: percent of {replications} samples whose tail is said to have no kurtosis (no variance)\n"
    );
    println!("| noise | n 200 | n 1000 |\n|---|---|---|");
    let cauchy: Draw = |n, r| independent(n, r, |r| r.draw(&StudentT::new(1.0)));
    let first = kinds().into_iter().take(4).chain([("cauchy", cauchy)]);
    for (place, (name, draw)) in first.enumerate() {
        let mut cells = Vec::new();
        for n in [200, 1000] {
            let lows: Vec<Option<f64>> = replicate(replications, |i| {
                let y = draw(n, &mut Random::new((6_000_000 + place * 10_000 + n) as u64, i));
                let rows = MemoryRows::new(&y, Matrix::row_major(&[], n, 0)?)?.with_threads(1);
                let options = estimate::Options::default();
                let fit = closed_form::fit(&rows, &options)?;
                let found = Diagnosis::new(&rows, &fit, &options)?.run(&rows, 0)?;
                let index = found.tails.as_ref().and_then(|tails| tails.tail_index.as_ref().cloned());
                Ok(index.map(|index| index.conf_low))
            })
            .into_iter()
            .collect::<Result<_, Error>>()?;
            let beyond = |end: f64| {
                let count = lows.iter().flatten().filter(|low| **low > end).count();
                format!("{:.1}", 100.0 * count as f64 / lows.len() as f64)
            };
            cells.push(format!("{} ({})", beyond(0.25), beyond(0.5)));
        }
        println!("| {name} | {} |", cells.join(" | "));
    }
    println!();
    Ok(())
}
