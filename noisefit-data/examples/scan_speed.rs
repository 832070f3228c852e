//! Times scans of a data set: `cargo run --release -p noisefit-data --example scan_speed -- FILE [THREADS [COLUMNS]]`.
//!
//! `COLUMNS` is how many of the columns are asked for, all by default. Each of three scans prints its seconds, MB of the
//! file per second and million records per second.

use std::time::Instant;

use noisefit_data::DataError;
use noisefit_data::frame::Column;
use noisefit_data::read::{Dataset, Decimals, Frames, ReadOptions};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let path = arguments.next().ok_or("name a file")?;
    let threads = arguments.next().map_or(Ok(1), |threads| threads.parse())?;
    let columns: Option<usize> = arguments.next().map(|columns| columns.parse()).transpose()?;
    let data = Dataset::open(&[path], &ReadOptions { threads, ..ReadOptions::default() })?;
    let columns: Vec<usize> = (0..columns.unwrap_or(usize::MAX).min(data.fields().len())).collect();
    for decimals in [Decimals::Double, Decimals::Double, Decimals::WithLow] {
        let (begin, mut records, mut sum) = (Instant::now(), 0, 0.0);
        data.scan(&columns, decimals, &(), first_column, |origin, value| {
            records += origin.rows;
            sum += value;
            Ok(())
        })?;
        let (seconds, bytes) = (begin.elapsed().as_secs_f64(), data.size_in_bytes() as f64);
        let (bytes_rate, rate) = (bytes / 1e6 / seconds, records as f64 / 1e6 / seconds);
        println!("{decimals:?}: {seconds:.3} s, {bytes_rate:.0} MB/s, {rate:.2} million records/s, sum {sum}");
    }
    Ok(())
}

/// The sum of the first column, so that the work cannot be left out.
fn first_column(frames: &mut Frames<'_>) -> Result<f64, DataError> {
    let mut sum = 0.0;
    for frame in frames {
        if let Some(Column::Number { high, .. }) = frame?.columns.first() {
            sum += high.iter().filter(|value| !value.is_nan()).sum::<f64>();
        }
    }
    Ok(sum)
}
