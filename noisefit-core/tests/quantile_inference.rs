//! Covariances of quantiles and of the bootstrap against their definitions, computed naively here, and closed forms.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use common::{close_all, estimates, std_errors};
use noisefit_core::inference;
use noisefit_core::inference::Options;
use noisefit_core::inference::covariance::{self, Resampling, Vcov};
use noisefit_core::noise::{Huber, Noise, Noises};
use noisefit_core::numeric::distribution::{Distribution, Normal};
use noisefit_core::record::{Fit, NoNid, Reference, SmallSample, VcovKind, Warning};
use noisefit_core::rows::{Matrix, MemoryRows};

/// Numbers in 0..1 that look random (Knuth's linear congruential generator).
struct Random(u64);

impl Random {
    fn uniform(&mut self) -> f64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((self.0 >> 11) as f64 + 0.5) / (1u64 << 53) as f64
    }

    fn normal(&mut self) -> f64 {
        Normal.quantile(self.uniform())
    }
}

#[derive(Clone)]
struct Data {
    /// Rows of two columns.
    x: Vec<[f64; 2]>,
    y: Vec<f64>,
}

impl Data {
    /// Noise whose scale grows with the first column, about a plane.
    fn new(seed: u64, count: usize) -> Self {
        let mut random = Random(seed);
        let (mut x, mut y) = (Vec::new(), Vec::new());
        for _ in 0..count {
            let row = [10.0 + 3.0 * random.uniform(), random.normal()];
            y.push(1.0 + 2.0 * row[0] - row[1] + (row[0] - 9.0) * random.normal());
            x.push(row);
        }
        Data { x, y }
    }

    fn design(&self) -> Vec<f64> {
        self.x.iter().flatten().copied().collect()
    }
}

fn rows<'a>(design: &'a [f64], y: &'a [f64]) -> MemoryRows<'a> {
    MemoryRows::new(y, Matrix::row_major(design, y.len(), design.len() / y.len()).unwrap()).unwrap()
}

fn options(vcov: Vcov) -> Options {
    // With clusters Student's t is part of the covariance.
    let small_sample = if vcov.clusters().is_empty() { SmallSample::None } else { SmallSample::Corrected };
    Options { vcov, small_sample, ..Options::default() }
}

fn fit(rows: &MemoryRows<'_>, noise: &[Noise], vcov: Vcov) -> Fit {
    inference::fit(rows, noise, &options(vcov)).unwrap().pop().unwrap()
}

type Square = [[f64; 3]; 3];

fn product(a: &Square, b: &Square) -> Square {
    std::array::from_fn(|i| std::array::from_fn(|j| (0..3).map(|k| a[i][k] * b[k][j]).sum()))
}

/// By cofactors.
fn inverse(a: &Square) -> Square {
    let minor = |i: usize, j: usize| {
        let (r, c) = ([(i + 1) % 3, (i + 2) % 3], [(j + 1) % 3, (j + 2) % 3]);
        a[r[0]][c[0]] * a[r[1]][c[1]] - a[r[0]][c[1]] * a[r[1]][c[0]]
    };
    let determinant: f64 = (0..3).map(|j| a[0][j] * minor(0, j)).sum();
    std::array::from_fn(|i| std::array::from_fn(|j| minor(j, i) / determinant))
}

/// A row of the design about the columns' centres, in which products are well conditioned: slopes are those of the data.
fn row(x: &[f64; 2]) -> [f64; 3] {
    [1.0, x[0] - 11.5, x[1]]
}

/// The sum of `factor x x'`.
fn gram(data: &Data, factor: impl Fn(usize) -> f64) -> Square {
    let mut sum = [[0.0; 3]; 3];
    for (n, x) in data.x.iter().enumerate() {
        let (z, factor) = (row(x), factor(n));
        for i in 0..3 {
            for j in 0..3 {
                sum[i][j] += factor * z[i] * z[j];
            }
        }
    }
    sum
}

/// The standard errors of the slopes by `H^-1 B H^-1`.
fn slopes(bread: &Square, meat: &Square) -> Vec<f64> {
    let h = inverse(bread);
    let matrix = product(&product(&h, meat), &h);
    vec![matrix[1][1].sqrt(), matrix[2][2].sqrt()]
}

fn bandwidth(tau: f64, n: f64) -> f64 {
    let x = Normal.quantile(tau);
    let density = (-0.5 * x * x).exp() / (2.0 * std::f64::consts::PI).sqrt();
    n.powf(-1.0 / 3.0)
        * 1.959_963_984_540_054_f64.powf(2.0 / 3.0)
        * (1.5 * density * density / (2.0 * x * x + 1.0)).cbrt()
}

#[test]
fn nid_of_many_rows_is_its_definition() {
    // More rows than are solved in memory.
    let data = Data::new(1, 30_000);
    let design = data.design();
    let source = rows(&design, &data.y);
    for tau in [0.5, 0.8] {
        let h = bandwidth(tau, 30_000.0);
        let beside =
            inference::fit(&source, &Noises::quantiles(&[tau - h, tau + h]), &options(Vcov::CLASSICAL)).unwrap();
        let (low, high) = (estimates(&beside[0]), estimates(&beside[1]));
        let density = |n: usize| {
            let x = &data.x[n];
            2.0 * h / ((high[0] - low[0]) + (high[1] - low[1]) * x[0] + (high[2] - low[2]) * x[1])
        };
        let meat = gram(&data, |_| tau * (1.0 - tau));
        let expected = slopes(&gram(&data, density), &meat);
        for vcov in [Vcov::Nid(covariance::Nid), Vcov::Default] {
            let found = fit(&source, &Noises::quantiles(&[tau]), vcov);
            close_all(&std_errors(&found)[1..], &expected, 1e-9, "nid");
            assert_eq!((&found.covariance.kind, found.covariance.reference), (&VcovKind::of("nid"), Reference::Normal));
        }
    }
    // Several at once, in any number of threads.
    let levels = Noises::quantiles(&[0.2, 0.5, 0.8]);
    let all = |threads| inference::fit(&source.clone().with_threads(threads), &levels, &common::plain()).unwrap();
    let together = all(3);
    assert_eq!(together, all(1));
    for (tau, fitted) in [0.2, 0.5, 0.8].into_iter().zip(&together) {
        close_all(
            &std_errors(fitted),
            &std_errors(&fit(&source, &Noises::quantiles(&[tau]), Vcov::Nid(covariance::Nid))),
            1e-9,
            "together",
        );
        assert_eq!(fitted.vertex.as_ref().unwrap().crossings.unwrap_or(0), 0);
    }
    // Absolute deviations are the median.
    let median = fit(&source, &[Noise::Laplace], Vcov::Default);
    close_all(&std_errors(&median), &std_errors(&together[1]), 1e-12, "laplace");
}

/// Residuals, the kernel's width and the density by it.
fn kernel(data: &Data, coefficients: &[f64], tau: f64) -> (Vec<f64>, Square) {
    let n = data.y.len() as f64;
    let residual = |(x, y): (&[f64; 2], &f64)| y - coefficients[0] - coefficients[1] * x[0] - coefficients[2] * x[1];
    let residuals: Vec<f64> = data.x.iter().zip(&data.y).map(residual).collect();
    let mut sorted = residuals.clone();
    sorted.sort_by(f64::total_cmp);
    let quartile = |share: f64| {
        let place = (n - 1.0) * share;
        let below = sorted[place as usize];
        below + place.fract() * (sorted[place as usize + 1] - below)
    };
    let mean = residuals.iter().sum::<f64>() / n;
    let deviation = (residuals.iter().map(|e| (e - mean).powi(2)).sum::<f64>() / (n - 1.0)).sqrt();
    let spread = deviation.min((quartile(0.75) - quartile(0.25)) / 1.34);
    let h = bandwidth(tau, n);
    let width = (Normal.quantile(tau + h) - Normal.quantile(tau - h)) * spread;
    let density = |i: usize| {
        let r: f64 = residuals[i] / width;
        (-0.5 * r * r).exp() / (2.0 * std::f64::consts::PI).sqrt() / width
    };
    let bread = gram(data, density);
    (residuals, bread)
}

#[test]
fn kernel_clusters_and_lags_are_their_definitions() {
    for (seed, count, tau) in [(2, 301, 0.5), (3, 25_000, 0.3)] {
        let data = Data::new(seed, count);
        let design = data.design();
        let clusters: Vec<u64> = (0..count as u64).map(|i| i * i % 37).collect();
        let source = rows(&design, &data.y).with_clusters("g", &clusters).unwrap();
        let noise = Noises::quantiles(&[tau]);
        let found = fit(&source, &noise, Vcov::Kernel(covariance::Kernel));
        let (residuals, bread) = kernel(&data, &estimates(&found), tau);
        let meat = gram(&data, |_| tau * (1.0 - tau));
        close_all(&std_errors(&found)[1..], &slopes(&bread, &meat), 1e-9, "kernel");
        assert_eq!(std_errors(&found), std_errors(&fit(&source, &noise, Vcov::Sandwich(covariance::Sandwich))));

        let score = |i: usize| {
            let e: f64 = residuals[i];
            let side = if e.abs() < 1e-8 {
                0.0
            } else if e > 0.0 {
                tau
            } else {
                tau - 1.0
            };
            row(&data.x[i]).map(|z| side * z)
        };
        let outer = |a: &[f64; 3], b: &[f64; 3], factor: f64, sum: &mut Square| {
            for i in 0..3 {
                for j in 0..3 {
                    sum[i][j] += factor * a[i] * b[j];
                }
            }
        };
        let mut sums = vec![[0.0; 3]; 37];
        for (i, &cluster) in clusters.iter().enumerate() {
            sums[cluster as usize].iter_mut().zip(score(i)).for_each(|(sum, s)| *sum += s);
        }
        let used = clusters.iter().collect::<std::collections::HashSet<_>>().len() as f64;
        let mut meat = [[0.0; 3]; 3];
        sums.iter().for_each(|sum| outer(sum, sum, used / (used - 1.0), &mut meat));
        let found = fit(&source, &noise, "cluster:g".parse().unwrap());
        close_all(&std_errors(&found)[1..], &slopes(&bread, &meat), 1e-9, "clusters");
        assert_eq!(
            (found.covariance.reference, found.covariance.reference_df),
            (Reference::StudentT, Some(used - 1.0))
        );

        let mut meat = [[0.0; 3]; 3];
        for i in 0..count {
            outer(&score(i), &score(i), 1.0, &mut meat);
            for lag in 1..=2.min(i) {
                let factor = 1.0 - lag as f64 / 3.0;
                outer(&score(i), &score(i - lag), factor, &mut meat);
                outer(&score(i - lag), &score(i), factor, &mut meat);
            }
        }
        let found = fit(&source, &noise, "hac:2".parse().unwrap());
        close_all(&std_errors(&found)[1..], &slopes(&bread, &meat), 1e-9, "lags");
    }
}

#[test]
fn frequencies_are_repeated_rows() {
    let data = Data::new(4, 90);
    let frequencies: Vec<f64> = (0..90).map(|i| f64::from(i % 3 + 1)).collect();
    let repeated: Vec<usize> = (0..90).flat_map(|i| vec![i; i % 3 + 1]).collect();
    let all =
        Data { x: repeated.iter().map(|&i| data.x[i]).collect(), y: repeated.iter().map(|&i| data.y[i]).collect() };
    let (design, all_design) = (data.design(), all.design());
    let counted = rows(&design, &data.y).with_frequencies(&frequencies).unwrap();
    for vcov in [Vcov::Iid(covariance::Iid), Vcov::Nid(covariance::Nid), Vcov::Kernel(covariance::Kernel)] {
        let noise = Noises::quantiles(&[0.4]);
        let expected = std_errors(&fit(&rows(&all_design, &all.y), &noise, vcov.clone()));
        close_all(&std_errors(&fit(&counted, &noise, vcov)), &expected, 1e-11, "frequencies");
    }
}

#[test]
fn the_default_gives_way_where_there_are_too_few_rows() {
    let data = Data::new(5, 12);
    let design = data.design();
    let source = rows(&design, &data.y);
    let extreme = fit(&source, &Noises::quantiles(&[0.1]), Vcov::Default);
    assert_eq!(extreme.covariance.kind, VcovKind::of("iid"));
    assert!(extreme.warnings.contains(&Warning::IidInstead(NoNid::NoNeighbours)));
    // Asked for by name, the bandwidth is halved until it fits.
    let some = Data::new(5, 60);
    assert_eq!(
        fit(&rows(&some.design(), &some.y), &Noises::quantiles(&[0.05]), Vcov::Nid(covariance::Nid)).covariance.kind,
        VcovKind::of("nid")
    );
    // As many coefficients as rows: no noise is left.
    let three = rows(&design[..6], &data.y[..3]);
    assert!(fit(&three, &[Noise::Laplace], Vcov::Default).location.rows.iter().all(|c| c.std_error.is_none()));
    // Rows that lie on a plane.
    let exact: Vec<f64> = data.x.iter().map(|x| 1.0 + x[0] + x[1]).collect();
    let plane = fit(&rows(&design, &exact), &[Noise::Laplace], Vcov::Default);
    assert!(std_errors(&plane).iter().all(|error| *error < 1e-12));
    // Half of the responses are one number.
    let ties: Vec<f64> = (0..12).map(|i| if i < 10 { 1.0 } else { f64::from(i) }).collect();
    let source = MemoryRows::new(&ties, Matrix::row_major(&[], 12, 0).unwrap()).unwrap();
    let error =
        inference::fit(&source, &[Noise::Laplace], &options(Vcov::Kernel(covariance::Kernel))).unwrap_err().to_string();
    assert!(error.contains("same number") && error.contains("bootstrap"), "{error}");
    let error =
        inference::fit(&source, &[Noise::Gaussian], &options(Vcov::Nid(covariance::Nid))).unwrap_err().to_string();
    assert!(error.contains("hc3"), "{error}");
}

#[test]
fn quantiles_that_coincide_are_no_density() {
    // Most responses are one number, and so are the quantiles about the median, but for rounding.
    let mut data = Data::new(11, 200);
    data.y.iter_mut().enumerate().for_each(|(i, y)| *y = if i % 5 == 0 { *y } else { 0.1 });
    let design = data.design();
    let source = rows(&design, &data.y);
    let found = fit(&source, &[Noise::Laplace], Vcov::Default);
    assert_eq!(found.covariance.kind, VcovKind::of("iid"));
    assert!(matches!(found.warnings[..], [.., Warning::IidInstead(NoNid::Crossed { .. } | NoNid::Singular)]));
    assert!(inference::fit(&source, &[Noise::Laplace], &options(Vcov::Nid(covariance::Nid))).is_err());
}

fn bootstrap(draws: usize, scheme: Resampling) -> Vcov {
    Vcov::Bootstrap(covariance::Bootstrap { draws, scheme })
}

/// How far a standard error from so many draws may be off: four of its own standard errors.
fn monte_carlo(draws: usize) -> f64 {
    4.0 / (2.0 * draws as f64).sqrt()
}

#[test]
fn the_bootstrap_of_means_is_its_closed_form() {
    let mut random = Random(6);
    let y: Vec<f64> = (0..60).map(|_| random.normal().exp()).collect();
    let frequencies: Vec<f64> = (0..60).map(|i| f64::from(i % 4 + 1)).collect();
    let source = MemoryRows::new(&y, Matrix::row_major(&[], 60, 0).unwrap()).unwrap();
    for counted in [false, true] {
        let source = if counted { source.clone().with_frequencies(&frequencies).unwrap() } else { source.clone() };
        let f = |i: usize| if counted { frequencies[i] } else { 1.0 };
        let n: f64 = (0..60).map(f).sum();
        let mean = (0..60).map(|i| f(i) * y[i]).sum::<f64>() / n;
        let squares: f64 = (0..60).map(|i| f(i) * (y[i] - mean).powi(2)).sum();
        let draws = 2000;
        let pairs = fit(&source, &[Noise::Gaussian], bootstrap(draws, Resampling::Pairs));
        // A sum of n draws, each with the variance of the data.
        close_all(&std_errors(&pairs), &[squares.sqrt() / n], monte_carlo(draws), "pairs");
        let wild = fit(&source, &[Noise::Gaussian], bootstrap(draws, Resampling::Wild));
        // Every residual over the root of 1 - 1/n, with a sign of its own.
        close_all(&std_errors(&wild), &[(squares / (1.0 - 1.0 / n)).sqrt() / n], monte_carlo(draws), "wild");
        assert_eq!(
            (wild.covariance.kind.to_string(), wild.covariance.reference),
            ("bootstrap:wild:2000".to_owned(), Reference::Normal)
        );
    }
}

#[test]
fn the_bootstrap_of_the_median_is_efrons() {
    let mut random = Random(7);
    let mut y: Vec<f64> = (0..41).map(|_| random.normal()).collect();
    let source = MemoryRows::new(&y, Matrix::row_major(&[], 41, 0).unwrap()).unwrap();
    let draws = 4000;
    let found = fit(&source, &[Noise::Laplace], bootstrap(draws, Resampling::Pairs));
    // The median of 41 draws is above the k-th smallest where fewer than 21 of them are among the k smallest.
    y.sort_by(f64::total_cmp);
    let at_least = |k: usize| {
        let p = k as f64 / 41.0;
        let mut term = (1.0 - p).powi(41);
        let mut sum = 0.0;
        for j in 0..=40 {
            sum += term;
            if j == 20 {
                break;
            }
            term *= f64::from(41 - j) / f64::from(j + 1) * p / (1.0 - p);
        }
        if k == 41 { 1.0 } else { 1.0 - sum }
    };
    let shares: Vec<f64> = (1..=41).map(|k| at_least(k) - if k == 1 { 0.0 } else { at_least(k - 1) }).collect();
    let mean: f64 = shares.iter().zip(&y).map(|(p, y)| p * y).sum();
    let variance: f64 = shares.iter().zip(&y).map(|(p, y)| p * (y - mean).powi(2)).sum();
    close_all(&std_errors(&found), &[variance.sqrt()], monte_carlo(draws), "median");
}

#[test]
fn a_bootstrap_depends_on_its_seed_alone() {
    let data = Data::new(8, 400);
    let design = data.design();
    let source = rows(&design, &data.y);
    let huber = Noises::from(Noise::Huber(Huber::new(1.345)));
    for noise in [Noises::from(Noise::Laplace), Noises::from(Noise::Gaussian), huber, Noises::quantiles(&[0.2, 0.7])] {
        for scheme in [Resampling::Pairs, Resampling::Wild] {
            let run = |threads, seed| {
                let options = Options { seed, ..options(bootstrap(20, scheme.clone())) };
                inference::fit(&source.clone().with_threads(threads), &noise, &options).unwrap()
            };
            assert_eq!(run(1, 3), run(3, 3), "{noise}");
            assert_ne!(run(1, 3)[0].vcov(), run(1, 4)[0].vcov(), "{noise}");
        }
    }
}

#[test]
fn bootstraps_of_large_data_agree_with_what_theory_says() {
    let data = Data::new(9, 6000);
    let design = data.design();
    let source = rows(&design, &data.y);
    for (noise, robust) in [
        (Noises::from(Noise::Laplace), Vcov::Nid(covariance::Nid)),
        (Noises::quantiles(&[0.8]), Vcov::Nid(covariance::Nid)),
        (Noises::from(Noise::Gaussian), Vcov::Hc3(covariance::Hc3)),
    ] {
        let expected = std_errors(&fit(&source, &noise, robust));
        for scheme in [Resampling::Pairs, Resampling::Wild] {
            let found = std_errors(&fit(&source, &noise, bootstrap(300, scheme.clone())));
            // The densities of nid have errors of their own.
            close_all(&found, &expected, monte_carlo(300) + 0.08, &format!("{noise} {scheme:?}"));
        }
    }
}

#[test]
fn a_modelled_scale_is_drawn_too_and_terms_of_one_row_are_refused() {
    let data = Data::new(10, 500);
    let design = data.design();
    let first: Vec<f64> = data.x.iter().map(|x| x[0]).collect();
    let source =
        rows(&design, &data.y).with_scale_design(Matrix::column_major(&first, 500, 1).unwrap(), &["x1"]).unwrap();
    let classical = fit(&source, &[Noise::Gaussian], Vcov::CLASSICAL);
    let drawn = fit(&source, &[Noise::Gaussian], bootstrap(300, Resampling::Pairs));
    let scale_errors = |fit: &Fit| fit.scale.coefficients().iter().map(|c| c.std_error.unwrap()).collect::<Vec<f64>>();
    // The noise is as the model says.
    close_all(&std_errors(&drawn), &std_errors(&classical), monte_carlo(300) + 0.05, "location");
    close_all(&scale_errors(&drawn), &scale_errors(&classical), monte_carlo(300) + 0.05, "scale");
    let wild = inference::fit(&source, &[Noise::Gaussian], &options(bootstrap(9, Resampling::Wild))).unwrap_err();
    assert!(wild.to_string().contains("modelled scale"), "{wild}");

    let only: Vec<f64> = data.x.iter().enumerate().flat_map(|(i, x)| [x[0], f64::from(u8::from(i == 7))]).collect();
    for noise in [Noises::from(Noise::Gaussian), Noises::from(Noise::Laplace)] {
        let error =
            inference::fit(&rows(&only, &data.y), &noise, &options(bootstrap(60, Resampling::Pairs))).unwrap_err();
        assert!(error.to_string().contains("of 60 draws have no fit"), "{error}");
    }
}
