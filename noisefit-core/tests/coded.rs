//! A category by the codes of its levels against the same model with a column for every level.

#![allow(clippy::unwrap_used, clippy::cast_possible_truncation, clippy::cast_precision_loss)]

use noisefit_core::inference::hypothesis::of_term;
use noisefit_core::inference::predict::{IntervalKind, NewRows, Predictor};
use noisefit_core::inference::{Options, fit, fit_coded};
use noisefit_core::noise::{Noise, Noises};
use noisefit_core::record::{Fit, ShapeParameter, SmallSample, Warning};
use noisefit_core::rows::{CodedCategory, Matrix, MemoryRows};

/// Numbers between -0.5 and 0.5, the same in every run.
struct Random(u64);

impl Random {
    fn next(&mut self) -> f64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 11) as f64 / (1u64 << 53) as f64 - 0.5
    }

    fn below(&mut self, count: usize) -> u32 {
        (((self.next() + 0.5) * count as f64) as usize).min(count - 1) as u32
    }
}

struct Data {
    y: Vec<f64>,
    /// By columns.
    x: Vec<f64>,
    columns: usize,
    category: CodedCategory,
    of_rows: Vec<u32>,
    weights: Option<Vec<f64>>,
    frequencies: Option<Vec<f64>>,
    clusters: Vec<u64>,
}

impl Data {
    /// Columns that go with the levels, which have very different numbers of rows; all have two, but for those `without`.
    fn random(seed: u64, rows: usize, columns: usize, levels: usize, without: &[u32]) -> Self {
        let mut random = Random(seed);
        let first = random.below(columns + 1) as usize;
        let omitted = loop {
            let omitted = random.below(levels);
            if !without.contains(&omitted) {
                break omitted as usize;
            }
        };
        let of_rows: Vec<u32> = (0..rows)
            .map(|i| match i < 2 * levels {
                true => (i / 2) as u32,
                false => random.below(levels).min(random.below(levels)),
            })
            .map(|level| if without.contains(&level) { omitted as u32 } else { level })
            .collect();
        let constant = |i: usize| (f64::from(of_rows[i]) * 1.7).sin() * 3.0;
        let mut x = Vec::new();
        for j in 0..columns {
            x.extend((0..rows).map(|i| 100.0 + constant(i) * 0.4 * (j + 1) as f64 + random.next()));
        }
        let y = (0..rows)
            .map(|i| {
                let slopes: f64 = (0..columns).map(|j| x[j * rows + i] * (j as f64 + 0.5)).sum();
                slopes + constant(i) + random.next() * (1.0 + f64::from(of_rows[i] % 3))
            })
            .collect();
        let category = CodedCategory { first, levels, omitted: Some(omitted) };
        let clusters = (0..rows as u64).map(|i| i % 7).collect();
        Data { y, x, columns, category, of_rows, weights: None, frequencies: None, clusters }
    }

    fn weighted(mut self) -> Self {
        let mut random = Random(99);
        self.weights = Some(self.y.iter().map(|_| 1.0 + random.next()).collect());
        self.frequencies = Some(self.y.iter().map(|_| f64::from(1 + random.below(3))).collect());
        self
    }

    fn with<'a>(&'a self, mut rows: MemoryRows<'a>) -> MemoryRows<'a> {
        if let Some(weights) = &self.weights {
            rows = rows.with_weights(weights).unwrap();
        }
        if let Some(frequencies) = &self.frequencies {
            rows = rows.with_frequencies(frequencies).unwrap();
        }
        rows.with_clusters("c", &self.clusters).unwrap()
    }

    /// The whole design by columns, a column for every level but one among them, and their names.
    fn whole(&self) -> (Vec<f64>, Vec<String>) {
        let (rows, mut all, mut names) = (self.y.len(), Vec::new(), Vec::new());
        let count = self.columns + self.category.columns().len();
        for column in 0..count {
            match self.category.level(column) {
                Some(level) => {
                    all.extend(self.of_rows.iter().map(|of_row| f64::from(u8::from(*of_row as usize == level))));
                    names.push(format!("x{}", column + 1));
                }
                None => {
                    let j = (0..self.columns).find(|&j| self.category.beside(j) == column).unwrap();
                    all.extend(&self.x[j * rows..][..rows]);
                    names.push(format!("x{}", column + 1));
                }
            }
        }
        (all, names)
    }

    fn options(vcov: &str) -> Options {
        Options { vcov: vcov.parse().unwrap(), ..Options::default() }
    }

    fn coded(&self, options: &Options) -> Option<Fit> {
        self.coded_under(Noise::Gaussian, options)
    }

    fn dense(&self, options: &Options) -> Fit {
        self.dense_under(Noise::Gaussian, options)
    }

    fn coded_under(&self, noise: Noise, options: &Options) -> Option<Fit> {
        let design = Matrix::column_major(&self.x, self.y.len(), self.columns).unwrap();
        let rows = self.with(MemoryRows::new(&self.y, design).unwrap());
        let rows = rows.with_effect("g", self.category.levels, &self.of_rows).unwrap();
        let (fit, coded) = fit_coded(&rows, noise, self.category, options).unwrap()?;
        Some(coded.expand(fit, &self.whole().1))
    }

    fn dense_under(&self, noise: Noise, options: &Options) -> Fit {
        let (all, names) = self.whole();
        let design = Matrix::column_major(&all, self.y.len(), names.len()).unwrap();
        let rows = self.with(MemoryRows::new(&self.y, design).unwrap());
        fit(&rows, &[noise], options).unwrap().remove(0)
    }
}

fn near(found: f64, expected: f64, part: f64, what: &str) {
    assert!((found - expected).abs() <= part * expected.abs().max(1e-300), "{what}: {found} instead of {expected}");
}

const KNOWN: [&str; 7] = ["classical", "hc0", "hc1", "hc2", "hc3", "hc4", "sandwich"];

#[test]
fn codes_are_columns() {
    for (seed, columns, levels) in [(1, 2, 12), (2, 1, 30), (3, 3, 5), (4, 4, 2), (5, 1, 40)] {
        for weighted in [false, true] {
            let data = Data::random(seed, 300, columns, levels, &[]);
            let data = if weighted { data.weighted() } else { data };
            for vcov in KNOWN {
                let options = Data::options(vcov);
                let (found, dense) = (data.coded(&options).unwrap(), data.dense(&options));
                let what = format!("{seed} {weighted} {vcov}");
                assert_eq!(
                    (found.nobs, found.df_residual, found.df_model),
                    (dense.nobs, dense.df_residual, dense.df_model)
                );
                assert_eq!((found.rank(), found.dof()), (dense.rank(), dense.dof()));
                for (a, b) in found.location.rows.iter().zip(&dense.location.rows) {
                    let what = format!("{what} {}", b.term);
                    // Coefficients of levels may be differences that are small beside their errors.
                    let (estimate, error) = (b.estimate.unwrap(), b.std_error.unwrap());
                    assert!((a.estimate.unwrap() - estimate).abs() <= 1e-12 * estimate.abs().max(error), "{what}");
                    near(a.std_error.unwrap(), error, 1e-10, &what);
                    near(a.conf_low.unwrap(), b.conf_low.unwrap(), 1e-9, &what);
                    assert_eq!((&a.term, a.df), (&b.term, b.df), "{what}");
                }
                near(found.log_likelihood().unwrap(), dense.log_likelihood().unwrap(), 1e-11, &what);
                near(found.goodness.r_squared.unwrap(), dense.goodness.r_squared.unwrap(), 1e-12, &what);
                near(found.goodness.mae.unwrap(), dense.goodness.mae.unwrap(), 1e-8, &what);
                let (a, b) = (found.f_test.clone().unwrap(), dense.f_test.clone().unwrap());
                near(a.statistic, b.statistic, 1e-8, &format!("{what} F"));
                assert_eq!((a.df_model, a.df_residual), (b.df_model, b.df_residual), "{what}");
                let interval = |fit: &Fit| fit.scale_interval.unwrap();
                near(interval(&found).0, interval(&dense).0, 1e-11, &what);
                assert!(found.accuracy.digits > 11.0, "{what}: {}", found.accuracy.digits);
            }
        }
    }
}

/// Under noise whose step is a weighted least squares problem the maximum, its errors and its tests are those of columns, as near as both
/// searches end.
#[test]
fn codes_are_columns_under_other_noise() {
    for (seed, columns, levels) in [(1, 2, 12), (2, 1, 20), (3, 3, 5)] {
        for weighted in [false, true] {
            let data = Data::random(seed, 400, columns, levels, &[]);
            let data = if weighted { data.weighted() } else { data };
            let places: Vec<usize> = data.category.columns().map(|column| column + 1).collect();
            for name in ["logistic", "huber", "student-t:4", "student-t", "cauchy"] {
                for small_sample in [SmallSample::None, SmallSample::Corrected] {
                    // With few rows a level its likelihood has several maxima.
                    if name == "cauchy" && levels > 5 {
                        continue;
                    }
                    let noises: Noises = name.parse().unwrap();
                    let options = Options { small_sample, ..Options::default() };
                    let found = data.coded_under(noises[0], &options).unwrap();
                    let dense = data.dense_under(noises[0], &options);
                    let what = format!("{seed} {weighted} {name} {small_sample:?}");
                    assert!(found.termination.converged && dense.termination.converged, "{what}");
                    let counts = |fit: &Fit| (fit.nobs, fit.df_residual, fit.df_model, fit.rank(), fit.dof());
                    assert_eq!(counts(&found), counts(&dense), "{what}");
                    for (a, b) in found.location.rows.iter().zip(&dense.location.rows) {
                        let what = format!("{what} {}", b.term);
                        let (estimate, error) = (b.estimate.unwrap(), b.std_error.unwrap());
                        let distance = (a.estimate.unwrap() - estimate).abs();
                        assert!(distance <= 1e-9 * error + 1e-12 * estimate.abs(), "{what}: {distance:e} {error}");
                        near(a.std_error.unwrap(), error, 1e-9, &what);
                        near(a.conf_low.unwrap(), b.conf_low.unwrap(), 1e-8, &what);
                        assert_eq!((&a.term, a.df), (&b.term, b.df), "{what}");
                    }
                    near(found.log_likelihood().unwrap(), dense.log_likelihood().unwrap(), 1e-12, &what);
                    near(found.scale.common().unwrap(), dense.scale.common().unwrap(), 1e-10, &what);
                    let ends = |fit: &Fit| fit.scale_interval.unwrap();
                    near(ends(&found).0, ends(&dense).0, 1e-9, &what);
                    near(found.goodness.r_squared.unwrap(), dense.goodness.r_squared.unwrap(), 1e-9, &what);
                    let warned = |fit: &Fit| fit.warnings.iter().map(ToString::to_string).collect::<Vec<_>>();
                    assert_eq!(warned(&found), warned(&dense), "{what}");
                    assert_eq!(found.f_test.is_some(), dense.f_test.is_some(), "{what}");
                    let [a, b] = [&found, &dense].map(|fit| of_term(fit, "g", &places).unwrap());
                    near(a.statistic.unwrap(), b.statistic.unwrap(), 1e-7, &what);
                    assert_eq!((a.df, a.df_residual, a.test), (b.df, b.df_residual, b.test), "{what}");
                    match (&found.shape, &dense.shape) {
                        (Some(a), Some(b)) => {
                            let numbers =
                                |shape: &ShapeParameter| [shape.estimate, shape.conf_low, shape.conf_high, shape.bound];
                            for (k, (a, b)) in numbers(a).into_iter().zip(numbers(b)).enumerate() {
                                assert_eq!(a.is_some(), b.is_some(), "{what} {k}: {a:?} {b:?}");
                                a.zip(b).inspect(|(a, b)| near(*a, *b, [1e-8, 1e-4, 1e-4, 1e-12][k], &what));
                            }
                        }
                        (a, b) => assert!(a.is_none() && b.is_none(), "{what}"),
                    }
                    assert!(found.accuracy.digits > 7.0, "{what}: {}", found.accuracy.digits);
                }
            }
        }
    }
}

#[test]
fn all_covariances_of_coefficients_are_those_of_columns() {
    let data = Data::random(6, 200, 2, 9, &[]).weighted();
    for vcov in KNOWN {
        let options = Data::options(vcov);
        let (found, dense) = (data.coded(&options).unwrap(), data.dense(&options));
        let unit = |j: usize| dense.vcov()[j][j].sqrt();
        for i in 0..dense.location.rows.len() {
            for j in 0..=i {
                let (expected, size) = (dense.vcov()[i][j], unit(i) * unit(j));
                for value in [found.covariance_of(i, j).unwrap(), found.vcov()[i][j], found.vcov()[j][i]] {
                    assert!((value - expected).abs() <= 1e-9 * size, "{vcov} {i} {j}: {value} {expected}");
                }
            }
        }
    }
}

#[test]
fn tests_of_the_category_are_those_of_columns() {
    for seed in 1..6 {
        let data = Data::random(seed, 250, 2, 14, &[]);
        let places: Vec<usize> = data.category.columns().map(|column| column + 1).collect();
        for vcov in KNOWN {
            let options = Data::options(vcov);
            let (found, dense) = (data.coded(&options).unwrap(), data.dense(&options));
            let [a, b] = [&found, &dense].map(|fit| of_term(fit, "g", &places).unwrap());
            near(a.statistic.unwrap(), b.statistic.unwrap(), 1e-8, vcov);
            near(a.p_value.unwrap(), b.p_value.unwrap(), 1e-6, vcov);
            assert_eq!((a.df, a.df_residual, a.test), (b.df, b.df_residual, b.test));
        }
    }
}

#[test]
fn predictions_and_their_intervals_are_those_of_columns() {
    let data = Data::random(7, 220, 2, 10, &[]).weighted();
    let (all, names) = data.whole();
    let columns: Vec<&[f64]> = all.chunks_exact(220).collect();
    let design: Vec<_> = columns.iter().map(|column| (*column).into()).collect();
    assert_eq!(design.len(), names.len());
    for vcov in KNOWN {
        let options = Data::options(vcov);
        let fits = [data.coded(&options).unwrap(), data.dense(&options)];
        // Saved and loaded again.
        let loaded: Fit = serde_json::from_str(&serde_json::to_string(&fits[0]).unwrap()).unwrap();
        assert_eq!(loaded.covariance_of(2, 3), fits[0].covariance_of(2, 3));
        for found in [&fits[0], &loaded] {
            for kind in [IntervalKind::Confidence, IntervalKind::Prediction] {
                let rows = NewRows::new(&design, 220);
                let [a, b] =
                    [found, &fits[1]].map(|fit| Predictor::new(fit).unwrap().intervals(&rows, kind, 0.9).unwrap());
                for (a, b) in a.low.iter().zip(&b.low) {
                    near(*a, *b, 1e-11, vcov);
                }
            }
        }
    }
}

/// Clusters that cross the levels, fewer and more than coefficients.
#[test]
fn clusters_that_cross_the_levels_are_those_of_columns() {
    for (seed, levels, clusters) in [(3, 24, 7), (4, 9, 40), (5, 14, 60)] {
        for weighted in [false, true] {
            let mut data = Data::random(seed, 400, 2, levels, &[]);
            data.clusters = (0..400).map(|i| i * i % clusters).collect();
            let data = if weighted { data.weighted() } else { data };
            let options = Data::options("cluster:c");
            let (found, dense) = (data.coded(&options).unwrap(), data.dense(&options));
            let what = format!("{seed} {weighted}");
            for (a, b) in found.location.rows.iter().zip(&dense.location.rows) {
                near(a.std_error.unwrap(), b.std_error.unwrap(), 1e-8, &format!("{what} {}", b.term));
                assert_eq!(a.df, b.df, "{what}");
            }
            let unit = |j: usize| dense.vcov()[j][j].sqrt();
            for i in 0..dense.location.rows.len() {
                for j in 0..=i {
                    let (expected, size) = (dense.vcov()[i][j], unit(i) * unit(j));
                    for value in [found.covariance_of(i, j).unwrap(), found.vcov()[i][j]] {
                        assert!((value - expected).abs() <= 1e-8 * size, "{what} {i} {j}: {value} {expected}");
                    }
                }
            }
            let rank = |fit: &Fit| {
                let rank = fit.warnings.iter().find(|warning| matches!(warning, Warning::RankOfCovariance { .. }));
                rank.map(ToString::to_string)
            };
            assert_eq!(rank(&found), rank(&dense), "{what}");
            // Saved and loaded again, and for new rows.
            let loaded: Fit = serde_json::from_str(&serde_json::to_string(&found).unwrap()).unwrap();
            assert_eq!(loaded.covariance_of(2, 3), found.covariance_of(2, 3));
            let (all, _) = data.whole();
            let columns: Vec<&[f64]> = all.chunks_exact(400).collect();
            let design: Vec<_> = columns.iter().map(|column| (*column).into()).collect();
            let rows = NewRows::new(&design, 400);
            let low =
                |fit: &Fit| Predictor::new(fit).unwrap().intervals(&rows, IntervalKind::Confidence, 0.9).unwrap().low;
            for (a, b) in low(&loaded).iter().zip(&low(&dense)) {
                near(*a, *b, 1e-10, &what);
            }
        }
    }
}

/// Levels that lie within clusters, which is where a category is most often clustered by.
#[test]
fn levels_within_clusters_are_known_by_codes() {
    for (seed, per_cluster) in [(3, 1), (4, 3)] {
        let mut data = Data::random(seed, 300, 2, 24, &[]).weighted();
        data.clusters = data.of_rows.iter().map(|level| u64::from(level / per_cluster)).collect();
        let options = Data::options("cluster:c");
        let (found, dense) = (data.coded(&options).unwrap(), data.dense(&options));
        for (a, b) in found.location.rows.iter().zip(&dense.location.rows) {
            near(a.std_error.unwrap(), b.std_error.unwrap(), 1e-8, &b.term);
            assert_eq!(a.df, b.df);
        }
        let rank = |fit: &Fit| {
            let rank = fit.warnings.iter().find(|warning| matches!(warning, Warning::RankOfCovariance { .. }));
            rank.map(ToString::to_string)
        };
        assert_eq!(rank(&found), rank(&dense));
        assert!(found.f_test.is_none() && dense.f_test.is_none());
    }
}

#[test]
fn levels_without_rows_have_no_coefficient() {
    let data = Data::random(8, 150, 2, 9, &[2, 7]);
    for vcov in ["classical", "hc3"] {
        let options = Data::options(vcov);
        let (found, dense) = (data.coded(&options).unwrap(), data.dense(&options));
        let none = |fit: &Fit| {
            let rows = fit.location.rows.iter().filter(|row| row.estimate.is_none());
            rows.map(|row| row.term.clone()).collect::<Vec<_>>()
        };
        assert_eq!(none(&found), none(&dense));
        assert_eq!(none(&found).len(), 2);
        let aliased = |fit: &Fit| {
            fit.warnings.iter().find(|warning| matches!(warning, Warning::Aliased { .. })).unwrap().to_string()
        };
        assert_eq!(aliased(&found), aliased(&dense));
        assert_eq!((found.df_residual, found.df_model), (dense.df_residual, dense.df_model));
        let place = data.category.column(2).unwrap() + 1;
        assert!(found.vcov()[place].iter().all(|value| *value == 0.0));
        // Such a row counts as one of the reference.
        let count = data.columns + data.category.columns().len();
        let value = |column: usize| match data.category.level(column) {
            Some(level) => f64::from(u8::from(level == 2)),
            None => 99.5,
        };
        let columns: Vec<[f64; 1]> = (0..count).map(|column| [value(column)]).collect();
        let design: Vec<_> = columns.iter().map(|column| column[..].into()).collect();
        let rows = NewRows::new(&design, 1);
        let [a, b] = [&found, &dense]
            .map(|fit| Predictor::new(fit).unwrap().intervals(&rows, IntervalKind::Confidence, 0.95).unwrap().low[0]);
        near(a, b, 1e-11, vcov);
    }
}

#[test]
fn forms_that_do_not_go_with_their_fit_are_refused() {
    let data = Data::random(7, 220, 2, 10, &[]);
    let saved = serde_json::to_value(data.coded(&Data::options("hc1")).unwrap()).unwrap();
    let sound = |value: &serde_json::Value| {
        let fit: Result<Fit, _> = serde_json::from_value(value.clone());
        fit.is_ok_and(|fit| Predictor::new(&fit).is_ok())
    };
    assert!(sound(&saved));
    for (path, value) in [
        ("/leverage/category/levels", serde_json::json!(11)),
        ("/leverage/category/levels", serde_json::json!(0)),
        ("/leverage/category/first", serde_json::json!(u64::MAX)),
        ("/leverage/category/first", serde_json::json!(3)),
        ("/leverage/category/omitted", serde_json::json!(10)),
        ("/leverage/category/omitted", serde_json::json!(null)),
        ("/leverage/without_rows", serde_json::json!([12])),
        ("/leverage/without_rows", serde_json::json!([3, 1])),
        ("/leverage/variances", serde_json::json!([1.0])),
        ("/leverage/centres", serde_json::json!([])),
        ("/leverage/slopes/columns", serde_json::json!([0, 5])),
    ] {
        let mut damaged = saved.clone();
        *damaged.pointer_mut(path).unwrap() = value;
        assert!(!sound(&damaged), "{path}");
    }
}

#[test]
fn without_the_allowance_for_few_rows_errors_are_those_of_maximum_likelihood() {
    let data = Data::random(9, 120, 1, 8, &[]);
    let options = Options { small_sample: SmallSample::None, ..Options::default() };
    let (found, dense) = (data.coded(&options).unwrap(), data.dense(&options));
    for (a, b) in found.location.rows.iter().zip(&dense.location.rows) {
        near(a.std_error.unwrap(), b.std_error.unwrap(), 1e-11, &b.term);
        near(a.p_value.unwrap(), b.p_value.unwrap(), 1e-8, &b.term);
        assert_eq!(a.df, None);
    }
    assert!(found.f_test.is_none() && dense.f_test.is_none());
}

#[test]
fn what_is_not_known_by_levels_is_left_to_columns() {
    let data = Data::random(10, 100, 2, 6, &[]);
    for vcov in ["bootstrap:20", "hac:2"] {
        assert!(data.coded(&Data::options(vcov)).is_none(), "{vcov}");
    }
    for (noise, vcov) in [(Noise::Laplace, "classical"), (Noise::Logistic, "sandwich"), (Noise::Logistic, "observed")] {
        assert!(data.coded_under(noise, &Data::options(vcov)).is_none(), "{noise} {vcov}");
    }
    // With as many levels as that every level can be fitted exactly under heavy tails, of which columns tell.
    let mut few = Data::random(10, 120, 1, 60, &[]);
    few.of_rows = (0..120).map(|i| i % 60).collect();
    few.y = few.y.iter().enumerate().map(|(i, y)| y + ((i * i) as f64).sin()).collect();
    assert!(few.coded_under("cauchy".parse::<Noises>().unwrap()[0], &Options::default()).is_none());
    // A column that does not vary within the levels, and one that is another's double.
    for aliased in [0, 1] {
        let mut data = Data::random(10, 100, 2, 6, &[]);
        for i in 0..100 {
            data.x[100 + i] = if aliased == 0 { f64::from(data.of_rows[i]).exp() } else { 2.0 * data.x[i] };
        }
        assert!(data.coded(&Options::default()).is_none());
    }
    // Nothing is left of the noise.
    let mut data = Data::random(10, 100, 2, 6, &[]);
    data.y = (0..100).map(|i| 2.0 * data.x[i] + f64::from(data.of_rows[i])).collect();
    assert!(data.coded(&Options::default()).is_none());
}

#[test]
fn a_level_of_one_row_is_a_row_that_alone_determines_a_coefficient() {
    let mut data = Data::random(11, 100, 1, 6, &[]);
    let last = if data.category.omitted == Some(5) { 4 } else { 5 };
    let mut rows = (0..100).filter(|&i| data.of_rows[i] == last);
    rows.next();
    let others: Vec<usize> = rows.collect();
    let reference = data.category.omitted.unwrap() as u32;
    others.into_iter().for_each(|i| data.of_rows[i] = reference);
    for vcov in ["classical", "hc0", "hc1"] {
        let options = Data::options(vcov);
        let (found, dense) = (data.coded(&options).unwrap(), data.dense(&options));
        for (a, b) in found.location.rows.iter().zip(&dense.location.rows) {
            near(a.std_error.unwrap(), b.std_error.unwrap(), 1e-9, vcov);
        }
    }
    let options = Data::options("hc3");
    let design = Matrix::column_major(&data.x, 100, 1).unwrap();
    let rows = MemoryRows::new(&data.y, design).unwrap().with_effect("g", 6, &data.of_rows).unwrap();
    let error = fit_coded(&rows, Noise::Gaussian, data.category, &options).unwrap_err().to_string();
    let (all, names) = data.whole();
    let whole = MemoryRows::new(&data.y, Matrix::column_major(&all, 100, names.len()).unwrap()).unwrap();
    assert_eq!(error, fit(&whole, &[Noise::Gaussian], &options).unwrap_err().to_string());
}

/// Responses far from zero: coefficients of levels are differences of means that agree in their first digits.
#[test]
fn digits_are_told_where_means_are_far_from_zero() {
    let mut data = Data::random(12, 400, 1, 20, &[]);
    data.y.iter_mut().for_each(|y| *y += 1e9);
    let options = Options::default();
    let (found, dense) = (data.coded(&options).unwrap(), data.dense(&options));
    assert!(found.accuracy.digits > 6.0);
    for (a, b) in found.location.rows.iter().zip(&dense.location.rows) {
        let (estimate, error) = (b.estimate.unwrap(), b.std_error.unwrap());
        let digits = found.accuracy.digits.min(dense.accuracy.digits);
        let bound = 10.0 * 10f64.powf(-digits) * estimate.abs().max(error);
        assert!((a.estimate.unwrap() - estimate).abs() <= bound, "{}", b.term);
    }
}
