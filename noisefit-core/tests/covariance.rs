//! Covariances against their definitions, computed naively, and against what must leave them as they are.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::collections::BTreeMap;

use noisefit_core::inference::Options;
use noisefit_core::inference::covariance::Vcov;
use noisefit_core::inference::predict::{IntervalKind, NewRows, Predictor};
use noisefit_core::noise::{Noise, Noises, StudentT};
use noisefit_core::record::{Fit, Reference, SmallSample, VcovKind, Warning};
use noisefit_core::rows::{Matrix, MemoryRows};
use noisefit_core::{Error, inference};
use serde_json::Value;

/// Rows in memory, and by what they hang together.
#[derive(Clone, Default)]
struct Data {
    y: Vec<f64>,
    x: Vec<Vec<f64>>,
    z: Vec<Vec<f64>>,
    weights: Option<Vec<f64>>,
    frequencies: Option<Vec<f64>>,
    clusters: Vec<Vec<u64>>,
}

impl Data {
    fn try_fit(&self, noise: &str, vcov: &str, threads: usize) -> Result<Fit, Error> {
        let (n, x, z) = (self.y.len(), self.x.concat(), self.z.concat());
        let mut rows = MemoryRows::new(&self.y, Matrix::column_major(&x, n, self.x.len())?)?.with_threads(threads);
        if !self.z.is_empty() {
            let names: Vec<String> = (1..=self.z.len()).map(|j| format!("z{j}")).collect();
            rows = rows.with_scale_design(Matrix::column_major(&z, n, self.z.len())?, &names)?;
        }
        if let Some(weights) = &self.weights {
            rows = rows.with_weights(weights)?;
        }
        if let Some(frequencies) = &self.frequencies {
            rows = rows.with_frequencies(frequencies)?;
        }
        for (k, ids) in self.clusters.iter().enumerate() {
            rows = rows.with_clusters(&format!("g{k}"), ids)?;
        }
        let vcov: Vcov = vcov.parse().unwrap();
        // Least squares' own covariances, and those of clusters, have Student's t by definition.
        let of_likelihood = ["sandwich", "observed", "expected"].contains(&vcov.to_string().as_str());
        let least_squares = noise == "gaussian" && self.z.is_empty() && !of_likelihood;
        let small_sample = match least_squares || !vcov.clusters().is_empty() {
            true => SmallSample::Corrected,
            false => SmallSample::None,
        };
        let options = Options { vcov, small_sample, ..Options::default() };
        Ok(inference::fit(&rows, &noise.parse::<Noises>().unwrap(), &options)?.remove(0))
    }

    fn fit(&self, noise: &str, vcov: &str) -> Fit {
        self.try_fit(noise, vcov, 2).unwrap()
    }

    /// Why there is no such covariance.
    fn refused(&self, noise: &str, vcov: &str) -> String {
        self.try_fit(noise, vcov, 1).unwrap_err().to_string()
    }

    fn len(&self) -> usize {
        self.y.len()
    }

    /// `n` rows on two columns, with noise whose scale depends on the first and with levels of their own for two groupings.
    fn random(n: usize, groups: u64) -> Self {
        let mut random = Random(n as u64 + 17 * groups);
        let mut data = Data { x: vec![Vec::new(); 2], z: Vec::new(), clusters: vec![Vec::new(); 2], ..Data::default() };
        for i in 0..n {
            let (x, v) = (3.0 * random.normal() + 50.0, random.uniform());
            let (one, other) = ((random.uniform() * groups as f64) as u64, i as u64 % (groups / 2 + 1));
            let level = ((one * 7 % 5) as f64 - 2.0) * 0.3 + ((other * 3 % 4) as f64) * 0.2;
            data.y.push(2.0 + 0.5 * x - v + level + (0.4 + v) * random.normal());
            data.x[0].push(x);
            data.x[1].push(v);
            // Numbers that have nothing to do with their order.
            data.clusters[0].push(one.wrapping_mul(0x9e37_79b9_7f4a_7c15));
            data.clusters[1].push(u64::MAX - other);
        }
        data
    }

    /// Rows as often as their frequencies say.
    fn repeated(&self) -> Self {
        let frequencies = self.frequencies.clone().unwrap();
        let repeat = |column: &[f64]| -> Vec<f64> {
            column.iter().zip(&frequencies).flat_map(|(&value, &f)| vec![value; f as usize]).collect()
        };
        let ids =
            |column: &Vec<u64>| column.iter().zip(&frequencies).flat_map(|(&id, &f)| vec![id; f as usize]).collect();
        Data {
            y: repeat(&self.y),
            x: self.x.iter().map(|column| repeat(column)).collect(),
            z: self.z.iter().map(|column| repeat(column)).collect(),
            weights: self.weights.as_ref().map(|column| repeat(column)),
            frequencies: None,
            clusters: self.clusters.iter().map(ids).collect(),
        }
    }
}

struct Random(u64);

impl Random {
    fn uniform(&mut self) -> f64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((self.0 >> 33) as f64 + 0.5) / (1u64 << 31) as f64
    }

    fn normal(&mut self) -> f64 {
        (-2.0 * self.uniform().ln()).sqrt() * (std::f64::consts::TAU * self.uniform()).cos()
    }
}

/// `(X'VX)^-1 meat (X'VX)^-1` from the definition, the bread taken from the classical covariance.
fn naive(data: &Data, meat: impl Fn(&[Vec<f64>]) -> Vec<Vec<f64>>) -> Vec<Vec<f64>> {
    let fit = data.fit("gaussian", "classical");
    let variance = fit.location_variance().unwrap();
    let b: Vec<f64> = fit.location.rows.iter().map(|row| row.estimate.unwrap()).collect();
    let scores: Vec<Vec<f64>> = (0..data.len())
        .map(|i| {
            let row: Vec<f64> = std::iter::once(1.0).chain(data.x.iter().map(|column| column[i])).collect();
            let e = data.y[i] - row.iter().zip(&b).map(|(x, b)| x * b).sum::<f64>();
            let w = data.weights.as_ref().map_or(1.0, |w| w[i]);
            row.iter().map(|x| w * e * x).collect()
        })
        .collect();
    let bread: Vec<Vec<f64>> =
        fit.vcov().iter().map(|row| row.iter().map(|value| value / variance).collect()).collect();
    times(&times(&bread, &meat(&scores)), &bread)
}

fn times(a: &[Vec<f64>], b: &[Vec<f64>]) -> Vec<Vec<f64>> {
    let entry = |row: &Vec<f64>, j: usize| row.iter().zip(b).map(|(value, other)| value * other[j]).sum();
    a.iter().map(|row| (0..b[0].len()).map(|j| entry(row, j)).collect()).collect()
}

fn add_outer(sum: &mut [Vec<f64>], a: &[f64], b: &[f64], factor: f64) {
    for (row, a) in sum.iter_mut().zip(a) {
        row.iter_mut().zip(b).for_each(|(value, b)| *value += factor * a * b);
    }
}

/// `G / (G - 1) sum S S'` over sums of scores with the same key.
fn clustered<K: Ord>(scores: &[Vec<f64>], key: impl Fn(usize) -> K) -> Vec<Vec<f64>> {
    let p = scores[0].len();
    let mut sums: BTreeMap<K, Vec<f64>> = BTreeMap::new();
    for (i, score) in scores.iter().enumerate() {
        let sum = sums.entry(key(i)).or_insert_with(|| vec![0.0; p]);
        sum.iter_mut().zip(score).for_each(|(sum, s)| *sum += s);
    }
    let count = sums.len() as f64;
    let mut meat = vec![vec![0.0; p]; p];
    sums.values().for_each(|sum| add_outer(&mut meat, sum, sum, count / (count - 1.0)));
    meat
}

/// Within `tolerance` of the products of the standard errors.
fn assert_matrix(found: &[Vec<f64>], expected: &[Vec<f64>], tolerance: f64, what: &str) {
    for (i, (row, other)) in found.iter().zip(expected).enumerate() {
        for (j, (a, b)) in row.iter().zip(other).enumerate() {
            let size = (expected[i][i] * expected[j][j]).sqrt();
            assert!((a - b).abs() <= tolerance * size, "{what}, {i} {j}: {a:e}, expected {b:e}");
        }
    }
}

#[test]
fn clusters_by_their_definition() {
    // In one unit of work, with groups the same all along; in three, with groups that begin late.
    for (n, groups) in [(500, 20), (40_000, 300)] {
        let mut data = Data::random(n, groups);
        data.weights = Some(data.x[1].iter().map(|v| 0.5 + v).collect());
        let (n, p) = (n as f64, 3.0);
        let small = |mut matrix: Vec<Vec<f64>>| {
            matrix.iter_mut().flatten().for_each(|value| *value *= (n - 1.0) / (n - p));
            matrix
        };
        let [one, other] = [0, 1].map(|k| small(naive(&data, |scores| clustered(scores, |i| data.clusters[k][i]))));
        let both = small(naive(&data, |scores| clustered(scores, |i| (data.clusters[0][i], data.clusters[1][i]))));
        let fit = data.fit("gaussian", "cluster:g0");
        assert_matrix(fit.vcov(), &one, 1e-9, "one way");
        let count = data.clusters[0].iter().collect::<std::collections::BTreeSet<_>>().len();
        assert_eq!(
            (fit.covariance.reference, fit.covariance.reference_df),
            (Reference::StudentT, Some(count as f64 - 1.0))
        );
        assert_eq!(fit.covariance.kind.to_string(), "cluster:g0");
        let mut joint = one.clone();
        for ((joint, other), both) in joint.iter_mut().flatten().zip(other.iter().flatten()).zip(both.iter().flatten())
        {
            *joint += other - both;
        }
        let fit = data.fit("gaussian", "cluster:g0,g1");
        assert_matrix(fit.vcov(), &joint, 1e-9, "two ways");
        assert_eq!(fit.covariance.reference_df, Some((groups / 2) as f64));
        assert!(fit.warnings.is_empty(), "{:?}", fit.warnings);
        // A location's variance is that of its row.
        let row = [60.0, 0.25];
        let design = [(&row[..1]).into(), (&row[1..]).into()];
        let row = [1.0, row[0], row[1]];
        let expected: f64 = (0..3).map(|i| (0..3).map(|j| row[i] * row[j] * fit.vcov()[i][j]).sum::<f64>()).sum();
        let new = NewRows::new(&design, 1);
        let predictor = Predictor::new(&fit).unwrap();
        let ends = predictor.intervals(&new, IntervalKind::Confidence, 0.95).unwrap();
        let slope = &fit.location.rows[1];
        let critical = (slope.conf_high.unwrap() - slope.estimate.unwrap()) / slope.std_error.unwrap();
        let margin = ends.high[0] - predictor.location(&new)[0];
        assert!((margin / (critical * expected.sqrt()) - 1.0).abs() < 1e-9, "{margin} {expected}");
    }
}

#[test]
fn lags_by_their_definition() {
    // Over the ends of blocks and of units of work, and as many lags as rows allow.
    for (n, lags) in [(5, 4), (9, 3), (300, 299), (20_000, 7), (40_000, 0), (33_000, 1500)] {
        let data = Data::random(n, 20);
        let expected = naive(&data, |scores| {
            let mut meat = vec![vec![0.0; 3]; 3];
            scores.iter().for_each(|s| add_outer(&mut meat, s, s, 1.0));
            for lag in 1..=lags {
                let weight = 1.0 - lag as f64 / (lags + 1) as f64;
                let mut product = vec![vec![0.0; 3]; 3];
                scores.iter().zip(&scores[lag..]).for_each(|(early, late)| add_outer(&mut product, late, early, 1.0));
                for i in 0..3 {
                    for j in 0..3 {
                        meat[i][j] += weight * (product[i][j] + product[j][i]);
                    }
                }
            }
            meat
        });
        let fit = data.fit("gaussian", &format!("hac:{lags}"));
        assert_matrix(fit.vcov(), &expected, 1e-8, &format!("{lags} lags of {n} rows"));
        assert_eq!((fit.covariance.reference, fit.covariance.reference_df), (Reference::StudentT, None));
    }
}

#[test]
fn no_lag_is_the_sandwich_and_clusters_of_one_row_nearly() {
    let mut data = Data::random(400, 10);
    data.clusters = vec![(0..400).collect()];
    for noise in ["gaussian", "student-t", "logistic", "huber"] {
        let sandwich = data.fit(noise, "sandwich");
        assert_matrix(data.fit(noise, "hac:0").vcov(), sandwich.vcov(), 1e-12, noise);
        let mut singles = data.fit(noise, "cluster:row").vcov().to_vec();
        let small = if noise == "gaussian" { 399.0 / 397.0 } else { 1.0 };
        singles.iter_mut().flatten().for_each(|value| *value /= 400.0 / 399.0 * small);
        assert_matrix(&singles, sandwich.vcov(), 1e-12, noise);
    }
    // Least squares' sandwich is White's.
    let white = data.fit("gaussian", "hc0");
    assert_eq!(white.vcov(), data.fit("gaussian", "sandwich").vcov());
}

/// Standard errors of location and scale at maxima of testdata/reference/likelihood.json, with finite differences of 50
/// digits of the log-likelihood.
#[test]
fn information_and_sandwiches_of_likelihoods() {
    let read = |name: &str| {
        let path = format!("{}/../testdata/{name}", env!("CARGO_MANIFEST_DIR"));
        std::fs::read_to_string(path).unwrap()
    };
    let models: Value = serde_json::from_str(&read("reference/likelihood.json")).unwrap();
    let found: Value = serde_json::from_str(&read("reference/likelihood_covariance.json")).unwrap();
    let mut compared = 0;
    for (name, model) in models.as_object().unwrap() {
        let text = |key: &str| model[key].as_str().unwrap_or("");
        let table = read(&format!("{}.csv", text("file")));
        let mut lines = table.lines().map(|line| line.split(',').collect::<Vec<_>>());
        let names = lines.next().unwrap();
        let fields: Vec<Vec<&str>> = lines.collect();
        let place = |name: &str| names.iter().position(|other| *other == name).unwrap();
        let column = |name: &str| fields.iter().map(|row| row[place(name)].parse().unwrap()).collect::<Vec<f64>>();
        let mut data = Data {
            y: column(text("response")),
            x: text("terms").split_whitespace().map(column).collect(),
            z: text("scale_terms").split_whitespace().map(column).collect(),
            weights: model["weights"].as_str().map(column),
            ..Data::default()
        };
        let parameters = data.x.len() + data.z.len() + 1;
        let least = StudentT::least_estimated(data.y.len() as f64, parameters as f64);
        if model["df"].as_str().is_some_and(|df| df.parse::<f64>().unwrap() < least) {
            // Fewer degrees of freedom than are estimated from so few rows.
            continue;
        }
        for (vcov, expected) in found[name].as_object().unwrap() {
            let groupings = vcov.parse::<Vcov>().unwrap();
            let bits = |name: &String| column(name).into_iter().map(f64::to_bits).collect();
            data.clusters = groupings.clusters().iter().map(bits).collect();
            let fit = data.fit(text("noise"), vcov);
            for (part, rows) in [("location", &fit.location.rows[..]), ("scale", fit.scale.coefficients())] {
                for (row, expected) in rows.iter().zip(expected[part].as_array().unwrap()) {
                    let expected: f64 = expected.as_str().unwrap().parse().unwrap();
                    let error = row.std_error.unwrap() / expected - 1.0;
                    assert!(error.abs() < 1e-11, "{name}, {vcov}, {part} {}: off by {error:e}", row.term);
                    compared += 1;
                }
            }
            assert_eq!(fit.covariance.kind.to_string(), *vcov);
        }
    }
    assert!(compared > 120, "{compared}");
}

#[test]
fn the_expected_information_is_the_classical_covariance() {
    let mut data = Data::random(300, 10);
    let both = |data: &Data, noise: &str, factor: f64| {
        let (classical, expected) = (data.fit(noise, "classical"), data.fit(noise, "expected"));
        let scaled: Vec<Vec<f64>> =
            classical.vcov().iter().map(|row| row.iter().map(|value| value * factor).collect()).collect();
        assert_matrix(expected.vcov(), &scaled, 1e-9, noise);
        assert_matrix(expected.scale.vcov(), classical.scale.vcov(), 1e-6, noise);
        assert_eq!(
            (expected.covariance.reference, &expected.covariance.kind),
            (Reference::Normal, &VcovKind::of("expected"))
        );
        expected
    };
    // Least squares' own counts degrees of freedom.
    both(&data, "gaussian", 297.0 / 300.0);
    for noise in ["logistic", "student-t", "student-t:3", "huber", "huber:0.7"] {
        both(&data, noise, 1.0);
    }
    data.z = vec![data.x[1].clone()];
    for noise in ["gaussian", "laplace", "logistic", "student-t", "student-t:3"] {
        assert_eq!(both(&data, noise, 1.0).scale.vcov().len(), 2);
    }
    // Degrees of freedom were infinite; with tails they are not.
    let mut random = Random(8);
    data.y.iter_mut().for_each(|y| *y += random.normal().powi(3));
    for z in [Vec::new(), data.z.clone()] {
        data.z = z;
        let fit = both(&data, "student-t", 1.0);
        assert!(matches!(fit.noise, Noise::StudentT(family) if family.df() < 10.0), "{}", fit.noise);
    }
}

#[test]
fn frequencies_are_repeated_rows() {
    let mut data = Data::random(60, 12);
    data.frequencies = Some((0..60).map(|i| f64::from(i % 3 + 1)).collect());
    data.weights = Some(data.x[1].iter().map(|v| 1.0 + v).collect());
    let repeated = data.repeated();
    let agree = |data: &Data, repeated: &Data, noise: &str, vcov: &str| {
        let (found, expected) = (data.fit(noise, vcov), repeated.fit(noise, vcov));
        assert_matrix(found.vcov(), expected.vcov(), 1e-8, &format!("{noise}, {vcov}"));
        assert_matrix(found.scale.vcov(), expected.scale.vcov(), 1e-8, &format!("{noise}, {vcov}"));
    };
    for vcov in ["hc0", "hc1", "hc2", "hc3", "hc4", "cluster:g0", "cr3:g0", "cluster:g0,g1"] {
        agree(&data, &repeated, "gaussian", vcov);
    }
    for noise in ["student-t", "logistic", "huber"] {
        for vcov in ["sandwich", "observed", "cluster:g0"] {
            agree(&data, &repeated, noise, vcov);
        }
    }
    let (mut data, mut repeated) = (data, repeated);
    (data.z, repeated.z) = (vec![data.x[1].clone()], vec![repeated.x[1].clone()]);
    agree(&data, &repeated, "gaussian", "sandwich");
    assert!(data.refused("gaussian", "hac:2").contains("a row with a frequency"));
}

#[test]
fn units_and_threads_change_nothing_else() {
    let data = Data::random(40_000, 30);
    let mut moved = data.clone();
    // Powers of two, so that nothing is rounded; the covariance of slopes does not know the shift.
    moved.y.iter_mut().for_each(|y| *y *= 1024.0);
    moved.x[0].iter_mut().for_each(|x| *x = (*x + 64.0) * 0.25);
    moved.weights = Some(vec![16.0; data.len()]);
    for (noise, vcov) in [
        ("gaussian", "hc3"),
        ("gaussian", "cluster:g0,g1"),
        ("gaussian", "hac:5"),
        ("student-t:4", "sandwich"),
        ("logistic", "cluster:g0"),
        ("huber", "hac:3"),
    ] {
        let fit = data.try_fit(noise, vcov, 1).unwrap();
        let other = moved.fit(noise, vcov);
        let factor = [1024.0 * 4.0, 1024.0];
        for k in 0..2 {
            let ratio = other.location.rows[k + 1].std_error.unwrap() / fit.location.rows[k + 1].std_error.unwrap();
            assert!((ratio / factor[k] - 1.0).abs() < 1e-7, "{noise}, {vcov}, {k}: {ratio}");
        }
        assert_eq!(data.try_fit(noise, vcov, 3).unwrap(), fit, "{noise}, {vcov}");
    }
}

#[test]
fn a_two_way_covariance_that_is_none_is_mended_and_said_to_be() {
    // Every cell of a square holds one row: what two groupings share is more than the sums of either.
    let side = 12usize;
    let mut random = Random(4);
    let mut data = Data { x: vec![Vec::new()], clusters: vec![Vec::new(); 2], ..Data::default() };
    for i in 0..side {
        for j in 0..side {
            // A chessboard cancels along every line.
            let sign = if (i + j) % 2 == 0 { 1.0 } else { -1.0 };
            data.x[0].push(random.normal());
            data.y.push(sign * (1.0 + 0.01 * random.uniform()));
            data.clusters[0].push(i as u64);
            data.clusters[1].push(j as u64);
        }
    }
    let fit = data.fit("gaussian", "cluster:g0,g1");
    assert!(fit.warnings.contains(&Warning::NotPositiveSemidefinite), "{:?}", fit.warnings);
    assert!(fit.vcov().iter().enumerate().all(|(j, row)| row[j] >= 0.0));
    let determinant = fit.vcov()[0][0] * fit.vcov()[1][1] - fit.vcov()[0][1].powi(2);
    assert!(determinant >= -1e-12 * fit.vcov()[0][0] * fit.vcov()[1][1]);
}

#[test]
fn what_cannot_be_estimated_is_refused_or_warned_of() {
    let mut data = Data::random(50, 8);
    assert!(data.refused("gaussian", "hac:50").contains("hac:50 needs more than 50 rows, and there are 50"));
    assert!(
        data.refused("student-t", "hc3").ends_with("use sandwich, which is right for independent rows of any noise")
    );
    assert!(data.refused("gaussian", "nid").ends_with("use hc3"));
    let few = data.fit("gaussian", "cluster:g0");
    let named = |warning: &Warning| matches!(warning, Warning::FewClusters { clusters: 8, effective, .. } if !effective.is_empty());
    assert!(few.warnings.iter().any(named), "{:?}", few.warnings);
    assert_eq!(data.fit("gaussian", "cr3:g0").warnings[0], Warning::FewClustersLeftOut { clusters: 8 });
    data.clusters[0] = vec![9; 50];
    assert!(
        data.refused("gaussian", "cluster:g0").contains("the first cluster column has the same value in every row")
    );
    // A column that is about one row alone gives it leverage one.
    data.x[1] = (0..50).map(|i| f64::from(u8::from(i == 7))).collect();
    for vcov in ["hc2", "hc3"] {
        assert!(data.refused("gaussian", vcov).contains("as 1 of the rows do (leverage 1)"));
    }
    assert!(data.fit("gaussian", "hc1").location.rows[2].std_error.unwrap() > 0.0);
    data.z = vec![data.x[0].clone()];
    assert!(data.refused("laplace", "sandwich").contains("use expected or bootstrap"));
}

#[test]
fn fits_without_residuals_or_degrees_of_freedom() {
    let line = Data { y: vec![1.0, 3.0, 5.0, 7.0], x: vec![vec![0.0, 1.0, 2.0, 3.0]], ..Data::default() };
    let fit = line.fit("gaussian", "hc3");
    assert!(fit.location.rows.iter().all(|row| row.std_error == Some(0.0)));
    let saturated = Data { y: vec![1.0, 3.0], x: vec![vec![0.0, 1.0]], ..Data::default() };
    for vcov in ["hc0", "hc3", "sandwich", "expected"] {
        assert!(saturated.fit("gaussian", vcov).location.rows.iter().all(|row| row.std_error.is_none()));
    }
    for noise in ["student-t:4", "logistic", "huber"] {
        assert!(line.fit(noise, "sandwich").location.rows.iter().all(|row| row.std_error == Some(0.0)));
    }
}

/// Ten rows of which one has more leverage than all others together; `c = (1 - h)^-min(4, n h / p)` (Cribari-Neto 2004).
#[test]
fn hc4_by_its_definition() {
    let mut data = Data::random(40, 6);
    data.x[0][7] += 60.0;
    let n = data.len();
    let rows: Vec<Vec<f64>> = (0..n).map(|i| vec![1.0, data.x[0][i], data.x[1][i]]).collect();
    let classical = data.fit("gaussian", "classical");
    let bread: Vec<Vec<f64>> = classical
        .vcov()
        .iter()
        .map(|row| row.iter().map(|value| value / classical.location_variance().unwrap()).collect())
        .collect();
    let leverage = |i: usize| -> f64 {
        (0..3).flat_map(|j| (0..3).map(move |k| (j, k))).map(|(j, k)| rows[i][j] * bread[j][k] * rows[i][k]).sum()
    };
    assert!(leverage(7) > 0.8, "{}", leverage(7));
    let expected = naive(&data, |scores| {
        let mut sum = vec![vec![0.0; 3]; 3];
        for (i, score) in scores.iter().enumerate() {
            let h = leverage(i);
            add_outer(&mut sum, score, score, (1.0 - h).powf(-(n as f64 * h / 3.0).min(4.0)));
        }
        sum
    });
    assert_matrix(data.fit("gaussian", "hc4").vcov(), &expected, 1e-9, "hc4");
}

/// The jackknife over clusters, which CR3 is for least squares (Bell and McCaffrey 2002): refits without each.
#[test]
fn cr3_is_what_leaving_each_cluster_out_does() {
    for weighted in [false, true] {
        let mut data = Data::random(90, 8);
        data.weights = weighted.then(|| (0..90).map(|i| 0.5 + f64::from(i % 4)).collect());
        let whole = data.fit("gaussian", "cr3:g0");
        let mut expected = vec![vec![0.0; 3]; 3];
        let mut clusters = data.clusters[0].clone();
        clusters.sort_unstable();
        clusters.dedup();
        assert_eq!(clusters.len(), 8);
        for cluster in &clusters {
            let kept: Vec<usize> = (0..data.len()).filter(|&i| data.clusters[0][i] != *cluster).collect();
            let pick = |column: &[f64]| kept.iter().map(|&i| column[i]).collect::<Vec<f64>>();
            let rest = Data {
                y: pick(&data.y),
                x: data.x.iter().map(|column| pick(column)).collect(),
                weights: data.weights.as_ref().map(|weights| pick(weights)),
                ..Data::default()
            };
            let rest = rest.fit("gaussian", "classical");
            let moved: Vec<f64> = (0..3)
                .map(|j| whole.location.rows[j].estimate.unwrap() - rest.location.rows[j].estimate.unwrap())
                .collect();
            add_outer(&mut expected, &moved, &moved, 1.0);
        }
        assert_matrix(whole.vcov(), &expected, 1e-9, "cr3");
        assert_eq!((whole.covariance.reference, whole.covariance.reference_df), (Reference::StudentT, Some(7.0)));
    }
    let data = Data::random(90, 8);
    assert!(data.refused("student-t", "cr3:g0").contains("use cluster"));
    // A cluster of its own column alone determines its coefficient.
    let mut alone = data.clone();
    let first = alone.clusters[0][0];
    alone.x[1] = alone.clusters[0].iter().map(|id| f64::from(u8::from(*id == first))).collect();
    assert!(alone.refused("gaussian", "cr3:g0").contains("a cluster alone determines"));
}

/// Eight clusters of three rows with a level each, a regressor that varies between clusters: 95% intervals of `cr3` hold about what
/// they say, those of `cluster` far less. 600 samples from a seed; one standard error of the shares is under one and a half points.
#[test]
fn few_clusters_by_simulation() {
    let mut random = Random(2026);
    let (mut held, samples) = ([0.0; 2], 600);
    for _ in 0..samples {
        let mut data = Data { x: vec![Vec::new()], clusters: vec![Vec::new()], ..Data::default() };
        for cluster in 0..8 {
            let (level, x) = (random.normal(), random.normal());
            for _ in 0..3 {
                data.x[0].push(x);
                data.y.push(level + random.normal());
                data.clusters[0].push(cluster);
            }
        }
        for (held, vcov) in held.iter_mut().zip(["cr3:g0", "cluster:g0"]) {
            let slope = data.fit("gaussian", vcov).location.rows[1].clone();
            *held += f64::from(u8::from(slope.conf_low.unwrap() <= 0.0 && slope.conf_high.unwrap() >= 0.0));
        }
    }
    let [cr3, cluster] = held.map(|held| held / f64::from(samples));
    assert!((0.92..=0.98).contains(&cr3), "{cr3}");
    assert!(cluster < 0.90, "{cluster}");
}
