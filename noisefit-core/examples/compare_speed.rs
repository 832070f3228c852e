//! Seconds of a comparison of all families with five folds: `compare_speed [ROWS [COLUMNS [scale]]]`, where with `scale` the
//! variants whose scale is modelled by all columns are among them.

use std::time::Instant;

use noisefit_core::compare::{Candidate, Options, compare, judge};
use noisefit_core::rows::{Matrix, MemoryRows, RowSource};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let number = |k: usize, default: usize| arguments.get(k).map_or(Ok(default), |text| text.parse());
    let (count, columns) = (number(0, 1_000_000)?, number(1, 10)?);
    let scale = arguments.get(2).is_some_and(|word| word == "scale");
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
    let terms = rows.layout().terms.clone();
    let rows = if scale { rows.with_scale_design(design, &terms)? } else { rows };
    let candidates = Candidate::all(scale);
    let start = Instant::now();
    let judged = judge(&rows, &candidates, &Options::default().fit)?;
    println!("{:8.2} s  fits to all rows", start.elapsed().as_secs_f64());
    for entry in &judged.models {
        println!("{:8.2} s    {}", entry.seconds.unwrap_or(f64::NAN), entry.candidate);
    }
    let start = Instant::now();
    let comparison = compare(&rows, &candidates, &Options::default())?;
    println!("{:8.2} s  the comparison, five folds and advice", start.elapsed().as_secs_f64());
    println!("preferred: {:?}", comparison.judgement.map(|judgement| judgement.preferred.to_string()));
    Ok(())
}
