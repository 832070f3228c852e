//! Milliseconds of a fit under each noise family beside one Gaussian fit: `family_speed [ROWS [COLUMNS [NOISE...]]]`, where a
//! noise that ends in `+scale` has its scale modelled by all columns, and `@hc3` or another covariance is what its standard
//! errors are from.

use std::time::Instant;

use noisefit_core::inference;
use noisefit_core::inference::Options;
use noisefit_core::inference::covariance::Vcov;
use noisefit_core::noise::Noises;
use noisefit_core::rows::{Matrix, MemoryRows, RowSource};

const NOISES: [&str; 8] = [
    "gaussian",
    "laplace",
    "quantile:0.1,0.2,0.3,0.4,0.5,0.6,0.7,0.8,0.9",
    "huber",
    "huber:1",
    "student-t",
    "logistic",
    "gaussian+scale",
];

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let number = |k: usize, default: usize| arguments.get(k).map_or(Ok(default), |text| text.parse());
    let (count, columns) = (number(0, 1_000_000)?, number(1, 10)?);
    let named = arguments.iter().skip(2).map(String::as_str).collect::<Vec<_>>();
    let mut state = 1u64;
    let mut uniform = move || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((state >> 33) as f64 + 0.5) / (1u64 << 31) as f64
    };
    let mut normal = move || (-2.0 * uniform().ln()).sqrt() * (std::f64::consts::TAU * uniform()).cos();
    let x: Vec<f64> = (0..count * columns).map(|_| normal()).collect();
    // Heavy tails: Student's t with 4 degrees of freedom.
    let mut noise = || normal() / ((0..4).map(|_| normal().powi(2)).sum::<f64>() / 4.0).sqrt();
    let y: Vec<f64> = x.chunks(columns).map(|row| row.iter().sum::<f64>() + noise()).collect();
    let design = Matrix::row_major(&x, count, columns)?;
    let rows = MemoryRows::new(&y, design)?;
    let (mut gaussian, repetitions) = (0.0, 3);
    for name in if named.is_empty() { &NOISES[..] } else { &named } {
        let (noise, vcov) = name.split_once('@').unwrap_or((name, "default"));
        let (choice, vcov): (Noises, Vcov) = (noise.trim_end_matches("+scale").parse()?, vcov.parse()?);
        let options = Options { vcov, ..Options::default() };
        let rows = match noise.ends_with("+scale") {
            true => rows.clone().with_scale_design(design, &rows.layout().terms)?,
            false => rows.clone(),
        };
        let mut times: Vec<f64> = Vec::new();
        let mut steps = 0;
        for _ in 0..repetitions {
            let start = Instant::now();
            let fits = inference::fit(&rows, &choice, &options)?;
            times.push(start.elapsed().as_secs_f64() * 1e3);
            steps = fits.iter().map(|fit| fit.termination.iterations).sum();
        }
        times.sort_by(f64::total_cmp);
        if *name == "gaussian" {
            gaussian = times[0];
        }
        println!("{name:>46} {:8.1} ms, {:5.1} Gaussian fits, {steps} steps", times[0], times[0] / gaussian);
    }
    Ok(())
}
