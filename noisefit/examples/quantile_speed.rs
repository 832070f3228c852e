//! Milliseconds of exact quantile fits beside one Gaussian fit: `quantile_speed ROWS COLUMNS [LEVELS]`.

use std::time::Instant;

use noisefit::linear::{Options, Settings, gaussian, quantile};
use noisefit::rows::{Matrix, MemoryRows};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let number = |k: usize, default: usize| std::env::args().nth(k).map_or(Ok(default), |text| text.parse());
    let (count, columns, levels) = (number(1, 1_000_000)?, number(2, 10)?, number(3, 1)?);
    let mut state = 1u64;
    let mut uniform = move || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((state >> 33) as f64 + 0.5) / (1u64 << 31) as f64
    };
    let mut normal = move || (-2.0 * uniform().ln()).sqrt() * (std::f64::consts::TAU * uniform()).cos();
    let x: Vec<f64> = (0..count * columns).map(|_| normal()).collect();
    let y: Vec<f64> = x.chunks(columns).map(|row| row.iter().sum::<f64>() + normal()).collect();
    let rows = MemoryRows::new(&y, Matrix::row_major(&x, count, columns)?)?;
    let levels: Vec<f64> = (1..=levels).map(|k| k as f64 / (levels + 1) as f64).collect();
    let options = Options { settings: Settings { one_pass: true, ..Settings::default() }, ..Options::default() };
    for _ in 0..9 {
        let start = Instant::now();
        gaussian::fit(&rows, &options)?;
        let squares = start.elapsed();
        let start = Instant::now();
        let fits = quantile::fit_quantiles(&rows, &levels, &options)?;
        let absolute = start.elapsed();
        let gap = fits.iter().filter_map(|fit| fit.termination.duality_gap).fold(0.0, f64::max);
        let steps: u64 = fits.iter().map(|fit| fit.termination.iterations).sum();
        println!("gaussian {squares:.1?}, quantiles {absolute:.1?}, largest gap {gap:.1e}, {steps} edges");
    }
    Ok(())
}
