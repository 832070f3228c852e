//! Fits by sampling weights against their definition, computed naively.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use common::{close, close_all, estimates, std_errors};
use noisefit_core::inference::{self, Options};
use noisefit_core::noise::Noises;
use noisefit_core::record::{Fit, Reference};
use noisefit_core::rows::{Matrix, MemoryRows};
use noisefit_core::{Error, inference::covariance::Vcov};

/// Rows of a line in two columns, with weights and groups.
struct Data {
    y: Vec<f64>,
    x: Vec<f64>,
    weights: Vec<f64>,
    groups: Vec<u64>,
}

impl Data {
    fn new(n: u32) -> Self {
        let wave = |i: u32, k: f64| (f64::from(i) * k).sin().mul_add(43_758.547, 0.5).rem_euclid(1.0);
        let rows = || 0..n;
        let x = rows().map(|i| 10.0 * wave(i, 12.9898)).chain(rows().map(|i| wave(i, 3.77))).collect::<Vec<_>>();
        let noise = |i: u32| (wave(i, 78.233) / (1.0 - wave(i, 78.233))).ln() + f64::from(i % 12) / 9.0;
        Data {
            y: rows().map(|i| 1.0 + 2.0 * x[i as usize] - x[(n + i) as usize] + noise(i)).collect(),
            weights: rows().map(|i| 100.0 * (0.2 + wave(i, 5.1))).collect(),
            groups: rows().map(|i| u64::from(i % 12)).collect(),
            x,
        }
    }

    fn n(&self) -> usize {
        self.y.len()
    }

    /// The row of the design, the intercept first.
    fn row(&self, i: usize) -> [f64; 3] {
        [1.0, self.x[i], self.x[self.n() + i]]
    }

    fn rows(&self) -> MemoryRows<'_> {
        let design = Matrix::column_major(&self.x, self.n(), 2).unwrap();
        MemoryRows::new(&self.y, design).unwrap().with_clusters("g", &self.groups).unwrap()
    }
}

fn fit(rows: &MemoryRows<'_>, noise: &str, vcov: &str) -> Result<Fit, Error> {
    let options = Options { vcov: vcov.parse::<Vcov>().unwrap(), ..Options::default() };
    Ok(inference::fit(rows, &noise.parse::<Noises>().unwrap(), &options)?.remove(0))
}

/// The inverse of a matrix by Gauss's elimination with pivots.
fn inverse(matrix: &[Vec<f64>]) -> Vec<Vec<f64>> {
    let n = matrix.len();
    let unit = |i: usize| (0..n).map(move |j| f64::from(u8::from(i == j)));
    let mut rows: Vec<Vec<f64>> =
        matrix.iter().enumerate().map(|(i, row)| row.iter().copied().chain(unit(i)).collect()).collect();
    for k in 0..n {
        let pivot = (k..n).max_by(|&a, &b| rows[a][k].abs().total_cmp(&rows[b][k].abs())).unwrap();
        rows.swap(k, pivot);
        let top: Vec<f64> = rows[k].iter().map(|value| value / rows[k][k]).collect();
        for (_, row) in rows.iter_mut().enumerate().filter(|(i, _)| *i != k) {
            let factor = row[k];
            row.iter_mut().zip(&top).for_each(|(value, top)| *value -= factor * top);
        }
        rows[k] = top;
    }
    rows.into_iter().map(|row| row[n..].to_vec()).collect()
}

/// `A^-1 [c sum over groups of S S'] A^-1` with `S` the sums of `w s`.
fn sandwich(information: &[Vec<f64>], scores: &[Vec<f64>], weights: &[f64], groups: &[u64]) -> Vec<Vec<f64>> {
    let p = information.len();
    let mut sums = std::collections::BTreeMap::<u64, Vec<f64>>::new();
    for ((s, w), g) in scores.iter().zip(weights).zip(groups) {
        let sum = sums.entry(*g).or_insert_with(|| vec![0.0; p]);
        sum.iter_mut().zip(s).for_each(|(sum, s)| *sum += w * s);
    }
    let count = sums.len() as f64;
    let bread = inverse(information);
    let mut found = vec![vec![0.0; p]; p];
    for sum in sums.values() {
        let moved: Vec<f64> = bread.iter().map(|row| row.iter().zip(sum).map(|(a, b)| a * b).sum()).collect();
        for (row, a) in found.iter_mut().zip(&moved) {
            row.iter_mut().zip(&moved).for_each(|(entry, b)| *entry += count / (count - 1.0) * a * b);
        }
    }
    found
}

/// `psi` and its derivative.
type Score = fn(f64) -> (f64, f64);

fn gaussian(r: f64) -> (f64, f64) {
    (r, 1.0)
}

fn logistic(r: f64) -> (f64, f64) {
    let psi = (0.5 * r).tanh();
    (psi, 0.5 * (1.0 - psi * psi))
}

fn student(r: f64) -> (f64, f64) {
    let s = 4.0 + r * r;
    (5.0 * r / s, 5.0 * (4.0 - r * r) / (s * s))
}

#[test]
fn by_the_definition() {
    let data = Data::new(300);
    let alone: Vec<u64> = (0..300).collect();
    for (noise, score) in [("gaussian", gaussian as Score), ("logistic", logistic), ("student-t:4", student)] {
        for (vcov, groups) in [("default", &alone), ("cluster:g", &data.groups)] {
            let rows = data.rows().with_sampling_weights(&data.weights).unwrap();
            let fit = fit(&rows, noise, vcov).unwrap();
            let (b, s) = (estimates(&fit), fit.scale.common().unwrap());
            let mean = data.weights.iter().sum::<f64>() / 300.0;
            let weights: Vec<f64> = data.weights.iter().map(|w| w / mean).collect();
            // Of location and the logarithm of the scale together; under Gaussian noise of the location alone.
            let p = if noise == "gaussian" { 3 } else { 4 };
            let (mut scores, mut information, mut gradient) = (Vec::new(), vec![vec![0.0; p]; p], [0.0; 4]);
            for (i, w) in weights.iter().enumerate() {
                let row = data.row(i);
                let r = (data.y[i] - row.iter().zip(&b).map(|(x, b)| x * b).sum::<f64>()) / s;
                let (psi, slope) = score(r);
                let direction: Vec<f64> = row.iter().map(|x| x / s).chain([r]).collect();
                let of_row: Vec<f64> =
                    direction.iter().enumerate().map(|(j, d)| psi * d - f64::from(u8::from(j == 3))).collect();
                gradient.iter_mut().zip(&of_row).for_each(|(sum, s)| *sum += w * s);
                for (j, entries) in information.iter_mut().enumerate() {
                    for (k, entry) in entries.iter_mut().enumerate() {
                        // The second derivatives that hold a direction are those of r alone.
                        let bend = if j == 3 || k == 3 { psi * direction[j.min(k)] } else { 0.0 };
                        *entry += w * (slope * direction[j] * direction[k] + bend);
                    }
                }
                scores.push(of_row[..p].to_vec());
            }
            let what = format!("{noise} {vcov}");
            // In standard errors.
            let lengths: Vec<f64> = (0..p).map(|j| information[j][j].sqrt()).collect();
            gradient
                .iter()
                .zip(&lengths)
                .for_each(|(g, length)| assert!(g.abs() < 1e-8 * length, "{what}: {gradient:?}"));
            let expected = sandwich(&information, &scores, &weights, groups);
            for (i, row) in fit.vcov().iter().enumerate() {
                close_all(row, &expected[i][..3], 1e-8, &what);
            }
            assert_eq!((fit.nobs, fit.df_residual), (300, 297));
            assert_eq!(fit.covariance.reference, Reference::StudentT);
            assert_eq!(fit.scale_interval, None);
        }
    }
}

#[test]
fn weights_of_one_are_none_but_for_the_factor() {
    let data = Data::new(200);
    let ones = vec![1.0; 200];
    for noise in ["gaussian", "huber", "student-t", "logistic", "cauchy"] {
        let drawn = fit(&data.rows().with_sampling_weights(&ones).unwrap(), noise, "default").unwrap();
        let counted = fit(&data.rows().with_frequencies(&ones).unwrap(), noise, "sandwich").unwrap();
        close_all(&estimates(&drawn), &estimates(&counted), 1e-13, noise);
        // The factor n / (n - p) of few rows, which sandwich has and survey estimators have not.
        let factor = (200.0f64 / 199.0).sqrt() * counted.covariance.small_sample_factor.sqrt().recip();
        let errors: Vec<f64> = std_errors(&counted).iter().map(|error| factor * error).collect();
        close_all(&std_errors(&drawn), &errors, 1e-11, noise);
        close(drawn.log_likelihood().unwrap(), counted.log_likelihood().unwrap(), 1e-13, noise);
    }
}

#[test]
fn neither_their_unit_nor_the_threads_matter() {
    let data = Data::new(2500);
    let sevenfold: Vec<f64> = data.weights.iter().map(|w| 7.0 * w).collect();
    for noise in ["gaussian", "laplace", "quantile:0.9", "huber", "student-t", "logistic"] {
        let one = fit(&data.rows().with_sampling_weights(&data.weights).unwrap(), noise, "sampling").unwrap();
        let other = fit(&data.rows().with_sampling_weights(&sevenfold).unwrap(), noise, "sampling").unwrap();
        close_all(&estimates(&other), &estimates(&one), 1e-9, noise);
        close_all(&std_errors(&other), &std_errors(&one), 1e-8, noise);
        let rows = data.rows().with_sampling_weights(&data.weights).unwrap().with_threads(1);
        assert_eq!(fit(&rows, noise, "sampling").unwrap(), one, "{noise}");
    }
}

#[test]
fn other_covariances_are_refused() {
    let data = Data::new(60);
    let rows = data.rows().with_sampling_weights(&data.weights).unwrap();
    for vcov in ["classical", "hc1", "hc3", "cr2:g", "hac:2", "sandwich", "observed", "expected", "bootstrap:200"] {
        let message = fit(&rows, "gaussian", vcov).unwrap_err().to_string();
        assert!(
            message.contains(&format!("the covariance {vcov} is none for rows with sampling weights")),
            "{message}"
        );
    }
    let message = fit(&rows, "quantile:0.3", "nid").unwrap_err().to_string();
    assert!(message.contains("the covariance nid is none for rows with sampling weights"), "{message}");
    let message = fit(&data.rows(), "gaussian", "sampling").unwrap_err().to_string();
    assert!(message.contains("it is one of rows that have sampling weights, and these have none"), "{message}");
    for wrong in [[-1.0; 60], [0.0; 60], [f64::INFINITY; 60]] {
        assert!(data.rows().with_sampling_weights(&wrong).is_err());
    }
}
