//! Rows in memory and rows in passes lead to the same vertex, whatever the data are like.

#![allow(clippy::unwrap_used)]

use crate::estimate::Options;
use crate::estimate::vertex::collect::Collect;
use crate::estimate::vertex::refits::Refits;
use crate::estimate::vertex::simplex::{Problem, Unbounded, minimise};
use crate::estimate::vertex::{Quantiles, fit_quantiles, interior, reduce};
use crate::record::Fit;
use crate::rows::{Matrix, MemoryRows, Precision, RowSourceExt};

struct Random(u64);

impl Random {
    fn uniform(&mut self) -> f64 {
        self.0 = self.0.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        ((self.0 >> 33) as f64 + 0.5) / (1u64 << 31) as f64
    }

    fn normal(&mut self) -> f64 {
        (-2.0 * self.uniform().ln()).sqrt() * (std::f64::consts::TAU * self.uniform()).cos()
    }

    fn choice(&mut self, count: u64) -> u64 {
        (self.uniform() * count as f64) as u64
    }
}

/// A column, and noise, of one of several characters.
fn value(random: &mut Random, character: u64, row: usize) -> f64 {
    match character {
        0 => random.normal(),
        1 => random.normal() / random.normal(),
        2 => (3.0 * random.normal()).round(),
        3 => f64::from(u8::from(random.uniform() < 0.001)),
        4 => (row / 500) as f64,
        5 => 1e6 + random.uniform(),
        _ => random.uniform().powi(-2).min(1e12) * if random.uniform() < 0.5 { -1.0 } else { 1.0 },
    }
}

#[test]
fn passes_and_memory_agree_on_data_of_every_character() {
    for seed in 0..80 {
        let mut random = Random(seed);
        let (count, columns) = (6_000 + random.choice(3_000) as usize, random.choice(5) as usize);
        let characters: Vec<u64> = (0..columns).map(|_| random.choice(7)).collect();
        let noise = random.choice(7);
        let (mut x, mut y) = (Vec::new(), Vec::new());
        for row in 0..count {
            let values: Vec<f64> = characters.iter().map(|&character| value(&mut random, character, row)).collect();
            let mut response = values.iter().sum::<f64>() + value(&mut random, noise, row);
            if seed % 5 == 0 {
                // Most responses are the same number.
                response = if random.uniform() < 0.7 { 0.0 } else { response.round() };
            }
            y.push(response);
            x.extend(values);
        }
        let weights: Vec<f64> = (0..count).map(|_| 0.1 + random.uniform()).collect();
        let rows = MemoryRows::new(&y, Matrix::row_major(&x, count, columns).unwrap()).unwrap();
        let rows = if seed % 3 == 0 { rows.with_weights(&weights).unwrap() } else { rows };
        let rows = if seed % 7 == 6 && columns > 0 { rows.without_intercept() } else { rows };
        let tau = [0.5, 0.02, 0.75][random.choice(3) as usize];
        let options = Options::default();
        let quantiles = Quantiles::new(&rows, &options, &[tau], 1).unwrap();
        let memory = quantiles.in_memory(1).unwrap().0.pop().unwrap();
        let passes = quantiles.by_passes(1).unwrap().0.pop().unwrap();
        let what = format!("seed {seed}: {characters:?}, noise {noise}, tau {tau}");
        assert!(memory.converged && passes.converged, "{what}");
        for found in [&memory, &passes] {
            assert!(found.gap * found.objective < 1e-14 * found.objective + 1e-28 * count as f64, "{what}");
        }
        assert_eq!((memory.unique, memory.zeros), (passes.unique, passes.zeros), "{what}");
        // Sums over the rows outside a band are good to rounding relative to the responses, not to residuals that may be tiny.
        let rounding = 1e-13 * memory.objective + 1e-15 * count as f64;
        assert!((memory.objective - passes.objective).abs() < rounding, "{what}");
        for (a, b) in memory.coefficients.iter().zip(&passes.coefficients) {
            assert!((*a - *b).to_f64().abs() <= 1e-14 * (1.0 + a.to_f64().abs()), "{what}");
        }
        let squares = [memory.errors.squares, passes.errors.squares];
        let rounding = 1e-15 * (count as f64 * squares[0]).sqrt() + 1e-28 * count as f64;
        assert!((squares[0] - squares[1]).abs() <= 1e-12 * squares[0] + rounding, "{what}");
    }
}

#[test]
fn refits_are_the_fits_of_the_counted_rows() {
    let mut random = Random(5);
    for (count, tau) in [(300, 0.5), (9_000, 0.5), (9_000, 0.1)] {
        let x: Vec<f64> = (0..2 * count).map(|_| random.uniform()).collect();
        let y: Vec<f64> = (0..count).map(|i| x[2 * i] + (random.uniform() - 0.3) * (1.0 + x[2 * i + 1])).collect();
        let rows = MemoryRows::new(&y, Matrix::row_major(&x, count, 2).unwrap()).unwrap();
        let fitted = |rows: &MemoryRows<'_>| fit_quantiles(rows, &[tau], &Options::default()).unwrap().pop().unwrap();
        let fit = fitted(&rows);
        let estimates = |fit: &Fit| fit.location.rows.iter().filter_map(|c| c.estimate).collect::<Vec<f64>>();
        let (leverage, start) = (fit.leverage().cloned().unwrap(), estimates(&fit));
        let refits = Refits::new(&rows, &leverage, &start, tau).unwrap();
        for draw in 0..4 {
            // The last ones count a part of the rows so much more often that the fit leaves the band.
            let often = |i: usize| if draw > 1 && y[i] > 1.0 { 9.0 } else { 1.0 };
            let counts: Vec<f64> = (0..count).map(|i| often(i) * random.choice(3) as f64).collect();
            let kept: Vec<usize> = (0..count).filter(|&i| counts[i] > 0.0).collect();
            let pick = |values: &[f64]| kept.iter().map(|&i| values[i]).collect::<Vec<f64>>();
            let (y, frequencies) = (pick(&y), pick(&counts));
            let x: Vec<f64> = kept.iter().flat_map(|&i| [x[2 * i], x[2 * i + 1]]).collect();
            let rows = MemoryRows::new(&y, Matrix::row_major(&x, kept.len(), 2).unwrap()).unwrap();
            let expected = estimates(&fitted(&rows.with_frequencies(&frequencies).unwrap()));
            let differences: Vec<f64> = expected.iter().zip(&start).map(|(a, b)| a - b).collect();
            let expected = leverage.coordinates().carry_in(&differences);
            for (a, b) in refits.counted(&counts).unwrap().iter().zip(&expected) {
                // Responses are moved by 1e-10 of the residuals to tell ties apart.
                assert!((a - b).abs() < 1e-8, "{count} {tau} {draw}: {a} and not {b}");
            }
        }
    }
}

/// Over an interior point and by walking alone, with other rows in the linear term and without.
#[test]
fn wide_problems_have_the_minimum_of_the_simplex_method() {
    let (mut approached, mut tried) = (0, 0);
    for seed in 0..24 {
        let mut random = Random(seed);
        let (count, columns) = (700 + random.choice(600) as usize, 40 + random.choice(20) as usize);
        let characters: Vec<u64> = (0..columns).map(|_| [0, 0, 1, 2, 5][random.choice(5) as usize]).collect();
        let noise = [0, 1, 2][random.choice(3) as usize];
        let (mut x, mut y) = (Vec::new(), Vec::new());
        for row in 0..count {
            let values: Vec<f64> = characters.iter().map(|&character| value(&mut random, character, row)).collect();
            let response = values.iter().sum::<f64>() + value(&mut random, noise, row);
            // Of every fourth many residuals are the same, or none.
            y.push(if seed % 4 == 0 { (response / 3.0).round() } else { response });
            x.extend(values);
        }
        let weights: Vec<f64> = (0..count).map(|_| 0.1 + random.uniform()).collect();
        let rows = MemoryRows::new(&y, Matrix::row_major(&x, count, columns).unwrap()).unwrap();
        let rows = if seed % 3 == 0 { rows.with_weights(&weights).unwrap() } else { rows };
        let tau = [0.5, 0.05, 0.75][random.choice(3) as usize];
        let options = Options::default();
        let quantiles = Quantiles::new(&rows, &options, &[tau], 1).unwrap();
        let coordinates = quantiles.start.coordinates.clone();
        let all = rows.pass(Collect::new(coordinates, Precision::Double)).unwrap().finish();
        let start = quantiles.start.in_coordinates();
        // The last rows keep the signs that they have at the start.
        let own: Vec<usize> = (0..if seed % 2 == 0 { count } else { count - 300 }).collect();
        let mut residuals = Vec::new();
        all.residuals(&start, &mut residuals);
        let linear = reduce::with_far_rows(&all, tau, &vec![0.0; all.order], &own, &residuals);
        let subset = all.subset(&own);
        let problem = Problem { rows: &subset, tau, linear: &linear };
        let objective = |coefficients: &[f64]| {
            let mut residuals = Vec::new();
            subset.residuals(coefficients, &mut residuals);
            let loss = |(r, v): (&f64, &f64)| v * if *r > 0.0 { tau * r } else { (tau - 1.0) * r };
            let rest: f64 = coefficients.iter().zip(&linear).map(|(b, g)| b * g).sum();
            residuals.iter().zip(&subset.multipliers).map(loss).sum::<f64>() - rest
        };
        let walked = minimise(problem, &start, Unbounded::PassOver, 1_000_000);
        let solved = reduce::solve(problem, &start);
        let (least, found) = (objective(&walked.coefficients), objective(&solved.coefficients));
        let size = 1e-9 * (1.0 + residuals.iter().map(|r| r.abs()).sum::<f64>());
        if walked.ray.is_none() {
            tried += 1;
            approached += u32::from(interior::approach(problem, &start).is_some());
            assert!((least - found).abs() < size, "seed {seed}, tau {tau}: {found} for {least}");
            assert_eq!(solved.rows.iter().flatten().count(), all.order, "seed {seed}");
        }
    }
    assert!(tried > 12 && approached > 3 * tried / 4, "{approached} of {tried}");
}
