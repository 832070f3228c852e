//! Absorbed effects against the same model with a column for every level.

#![allow(clippy::unwrap_used, clippy::cast_possible_truncation)]

use noisefit_core::Error;
use noisefit_core::inference::predict::{IntervalKind, NewRows, Predictor};
use noisefit_core::inference::{Options, fit};
use noisefit_core::noise::{Noise, Noises};
use noisefit_core::record::{Fit, ShapeParameter, Warning};
use noisefit_core::rows::{Matrix, MemoryRows};

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

/// Rows of a few columns, with the levels of some effects.
struct Data {
    y: Vec<f64>,
    /// By columns.
    x: Vec<f64>,
    columns: usize,
    effects: Vec<(usize, Vec<u32>)>,
    weights: Option<Vec<f64>>,
    frequencies: Option<Vec<f64>>,
    clusters: Vec<u64>,
}

impl Data {
    /// `rows` rows, columns that go with the levels, and levels of very different numbers of rows.
    fn random(seed: u64, rows: usize, columns: usize, levels: &[usize]) -> Self {
        let mut random = Random(seed);
        let effects: Vec<(usize, Vec<u32>)> = levels
            .iter()
            .map(|&count| {
                // The product leans towards the first levels; the last may be without a row.
                let level = |random: &mut Random| random.below(count).min(random.below(count));
                (count, (0..rows).map(|_| level(&mut random)).collect())
            })
            .collect();
        let constant = |k: usize, i: usize| (f64::from(effects[k].1[i]) * 1.7 + k as f64).sin() * 3.0;
        let mut x = Vec::new();
        for j in 0..columns {
            for i in 0..rows {
                let of_levels: f64 = (0..levels.len()).map(|k| constant(k, i) * 0.4 * (j + 1) as f64).sum();
                x.push(100.0 + of_levels + random.next());
            }
        }
        let y = (0..rows)
            .map(|i| {
                let slopes: f64 = (0..columns).map(|j| x[j * rows + i] * (j as f64 + 0.5)).sum();
                slopes + (0..levels.len()).map(|k| constant(k, i)).sum::<f64>() + random.next()
            })
            .collect();
        let clusters = (0..rows).map(|i| u64::from(effects[0].1[i] / 3)).collect();
        Data { y, x, columns, effects, weights: None, frequencies: None, clusters }
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
        rows.with_clusters("g", &self.clusters).unwrap()
    }

    fn absorbing(&self) -> MemoryRows<'_> {
        let design = Matrix::column_major(&self.x, self.y.len(), self.columns).unwrap();
        let mut rows = self.with(MemoryRows::new(&self.y, design).unwrap());
        for (k, (levels, of_rows)) in self.effects.iter().enumerate() {
            rows = rows.with_effect(&format!("e{k}"), *levels, of_rows).unwrap();
        }
        rows
    }

    /// The columns, and an indicator of every level behind them.
    fn indicators(&self) -> (Vec<f64>, usize) {
        let (mut all, mut count) = (self.x.clone(), self.columns);
        for (levels, of_rows) in &self.effects {
            for level in 0..*levels as u32 {
                all.extend(of_rows.iter().map(|of_row| f64::from(u8::from(*of_row == level))));
                count += 1;
            }
        }
        (all, count)
    }

    fn absorbed(&self, vcov: &str) -> Result<Fit, Error> {
        one(&self.absorbing(), vcov)
    }

    fn dense(&self, vcov: &str) -> Fit {
        let (all, count) = self.indicators();
        let design = Matrix::column_major(&all, self.y.len(), count).unwrap();
        one(&self.with(MemoryRows::new(&self.y, design).unwrap()).without_intercept(), vcov).unwrap()
    }
}

fn one(rows: &MemoryRows<'_>, vcov: &str) -> Result<Fit, Error> {
    let options = Options { vcov: vcov.parse().unwrap(), ..Options::default() };
    Ok(fit(rows, &[Noise::Gaussian], &options)?.remove(0))
}

fn near(found: f64, expected: f64, part: f64, what: &str) {
    assert!((found - expected).abs() <= part * expected.abs().max(1e-300), "{what}: {found} instead of {expected}");
}

#[test]
fn absorbed_effects_are_indicators_of_all_levels() {
    for (seed, levels) in [(1, &[12][..]), (2, &[12, 5]), (3, &[20, 9, 4]), (4, &[40, 40])] {
        for weighted in [false, true] {
            let data = Data::random(seed, 300, 2, levels);
            let data = if weighted { data.weighted() } else { data };
            for vcov in ["classical", "hc0", "hc1", "hc2", "hc3", "hc4", "sandwich", "hac:3"] {
                if (vcov.starts_with("hac") && weighted) || (vcov.starts_with("hc2") && levels.len() > 1) {
                    continue;
                }
                if levels.len() > 1 && matches!(vcov, "hc3" | "hc4") {
                    continue;
                }
                let (found, dense) = (data.absorbed(vcov).unwrap(), data.dense(vcov));
                let what = format!("{levels:?} {weighted} {vcov}");
                for j in 0..2 {
                    let (a, b) = (&found.location.rows[j], &dense.location.rows[j]);
                    near(a.estimate.unwrap(), b.estimate.unwrap(), 1e-10, &what);
                    near(a.std_error.unwrap(), b.std_error.unwrap(), 1e-10, &what);
                    near(a.p_value.unwrap(), b.p_value.unwrap(), 1e-8, &what);
                }
                assert_eq!(
                    (found.nobs, found.df_residual, found.rank()),
                    (dense.nobs, dense.df_residual, dense.rank()),
                    "{what}"
                );
                near(found.log_likelihood().unwrap(), dense.log_likelihood().unwrap(), 1e-10, &what);
                near(
                    found.goodness.residual_std_error.unwrap(),
                    dense.goodness.residual_std_error.unwrap(),
                    1e-10,
                    &what,
                );
                // Of many columns it is taken before the last refinement.
                near(found.goodness.mae.unwrap(), dense.goodness.mae.unwrap(), 1e-8, &what);
                assert_eq!(found.df_model, 2);
            }
        }
    }
}

#[test]
fn r2_is_that_of_all_and_that_within_levels() {
    let data = Data::random(5, 200, 2, &[10]);
    let found = data.absorbed("classical").unwrap();
    let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
    let all = mean(&data.y);
    let total: f64 = data.y.iter().map(|y| (y - all).powi(2)).sum();
    let residual = found.goodness.residual_std_error.unwrap().powi(2) * found.df_residual as f64;
    near(found.goodness.r_squared.unwrap(), 1.0 - residual / total, 1e-12, "R2");
    near(
        found.goodness.adj_r_squared.unwrap(),
        1.0 - residual / total * 199.0 / found.df_residual as f64,
        1e-12,
        "adjusted",
    );
    let mut within = 0.0;
    for level in 0..10 {
        let of_level: Vec<f64> =
            data.y.iter().zip(&data.effects[0].1).filter(|(_, l)| **l == level).map(|(y, _)| *y).collect();
        within += of_level.iter().map(|y| (y - mean(&of_level)).powi(2)).sum::<f64>();
    }
    near(found.absorbed.unwrap().within_r_squared.unwrap(), 1.0 - residual / within, 1e-12, "within");
}

/// What fixest counts by default: levels that lie within clusters are not, but for one.
#[test]
fn nested_effects_are_not_counted_between_clusters() {
    let data = Data::random(6, 400, 2, &[18, 7]);
    let (found, dense) = (data.absorbed("cluster:g").unwrap(), data.dense("cluster:g"));
    let (n, levels) = (400.0, found.absorbed.as_ref().unwrap().effects[0].levels as f64);
    assert_eq!(
        found.absorbed.as_ref().unwrap().effects.iter().map(|effect| effect.nested).collect::<Vec<_>>(),
        [true, false]
    );
    let all = found.rank() as f64;
    let factor = ((n - all) / (n - (all - levels + 1.0))).sqrt();
    for j in 0..2 {
        let (a, b) = (found.location.rows[j].std_error.unwrap(), dense.location.rows[j].std_error.unwrap());
        near(a, b * factor, 1e-10, "cluster");
        assert_eq!(found.location.rows[j].df, dense.location.rows[j].df);
    }
    // Without an effect that lies within the clusters, all are counted.
    let mut other = data;
    other.clusters = (0..400).map(|i| i % 13).collect();
    let (found, dense) = (other.absorbed("cluster:g").unwrap(), other.dense("cluster:g"));
    near(found.location.rows[1].std_error.unwrap(), dense.location.rows[1].std_error.unwrap(), 1e-10, "crossed");
}

#[test]
fn leaving_clusters_out_is_right_beside_effects_within_them_and_refused_beside_others() {
    let data = Data::random(7, 300, 2, &[15]);
    let (found, mut without) = (data.absorbed("cr3:g").unwrap(), vec![0.0; 2]);
    let whole = data.absorbed("classical").unwrap().coef();
    for cluster in 0..5 {
        // The fit without a cluster, by hand.
        let kept: Vec<usize> = (0..300).filter(|&i| data.clusters[i] != cluster).collect();
        let pick = |values: &[f64]| kept.iter().map(|&i| values[i]).collect::<Vec<f64>>();
        let x = [pick(&data.x[..300]), pick(&data.x[300..])].concat();
        let (y, levels) = (pick(&data.y), kept.iter().map(|&i| data.effects[0].1[i]).collect::<Vec<_>>());
        let rows = MemoryRows::new(&y, Matrix::column_major(&x, kept.len(), 2).unwrap()).unwrap();
        let fit = one(&rows.with_effect("e0", 15, &levels).unwrap(), "classical").unwrap();
        for (j, sum) in without.iter_mut().enumerate() {
            *sum += (fit.coef()[j].unwrap() - whole[j].unwrap()).powi(2);
        }
    }
    for (j, sum) in without.iter().enumerate() {
        near(found.location.rows[j].std_error.unwrap(), sum.sqrt(), 1e-8, "cr3");
    }
    let crossed = Data::random(7, 300, 2, &[15, 4]).absorbed("cr3:g").unwrap_err().to_string();
    assert!(crossed.contains("cr3:g is none for this fit") && crossed.contains("levels of e1"), "{crossed}");
}

#[test]
fn what_is_not_defined_beside_effects_is_refused() {
    let data = Data::random(8, 100, 1, &[5, 4]);
    for (vcov, why) in
        [("hc3", "leverage of every row"), ("bootstrap:20", "use classical"), ("observed", "use classical")]
    {
        let error = data.absorbed(vcov).unwrap_err().to_string();
        assert!(error.contains(why) && error.contains("e0 and e1"), "{error}");
    }
    let error = fit(&data.absorbing(), &[Noise::Laplace], &Options::default()).unwrap_err().to_string();
    assert!(error.contains("gaussian, logistic") && error.contains("put e0 among the terms"), "{error}");
    let error = under(&data.absorbing(), "logistic", "hc1").unwrap_err().to_string();
    assert!(error.contains("hc1 is none beside 2 absorbed effects under logistic noise"), "{error}");
    let one = Data::random(8, 100, 1, &[5]);
    for vcov in ["hc1", "observed", "bootstrap:20", "cr3:g"] {
        let error = under(&one.absorbing(), "logistic", vcov).unwrap_err().to_string();
        assert!(error.contains("use classical, sandwich, cluster or hac"), "{error}");
    }
}

#[test]
fn terms_that_the_effects_explain_have_no_coefficient() {
    for levels in [&[9][..], &[9, 6]] {
        let mut data = Data::random(9, 250, 3, levels);
        // The second column does not vary within the levels; the third is the first and such a one.
        for i in 0..250 {
            let of_levels: f64 =
                data.effects.iter().map(|(_, of_rows)| (f64::from(of_rows[i]) * 0.37).exp() + 1000.1).sum();
            data.x[250 + i] = of_levels;
            data.x[500 + i] = 2.0 * data.x[i] + of_levels;
        }
        let found = data.absorbed("classical").unwrap();
        let estimates = found.coef();
        assert_eq!(estimates.iter().map(Option::is_some).collect::<Vec<_>>(), [true, false, false], "{levels:?}");
        assert!(
            found
                .warnings
                .iter()
                .any(|warning| matches!(warning, Warning::WithinEffects { terms, .. } if terms == &["x2"]))
        );
        assert!(found.warnings.iter().any(|warning| matches!(warning, Warning::Aliased { terms } if terms == &["x3"])));
        let alone = Data { x: data.x[..250].to_vec(), columns: 1, ..data };
        near(estimates[0].unwrap(), alone.dense("classical").coef()[0].unwrap(), 1e-9, "the one that is left");
        assert_eq!(found.rank(), alone.absorbed("classical").unwrap().rank());
    }
}

#[test]
fn predictions_add_the_constants() {
    for levels in [&[8][..], &[8, 5], &[6, 5, 3]] {
        let data = Data::random(10, 200, 2, levels).weighted();
        let (found, dense) = (data.absorbed("classical").unwrap(), data.dense("classical"));
        let of = |values: &[f64], j: usize| values[j * 200..(j + 1) * 200].to_vec();
        let columns: Vec<Vec<f64>> = (0..2).map(|j| of(&data.x, j)).collect();
        let design: Vec<_> = columns.iter().map(|column| column[..].into()).collect();
        let effects: Vec<&[u32]> = data.effects.iter().map(|(_, of_rows)| &of_rows[..]).collect();
        let predictor = Predictor::new(&found).unwrap();
        let rows = NewRows { effects: &effects, ..NewRows::new(&design, 200) };
        let (all, count) = data.indicators();
        let columns: Vec<Vec<f64>> = (0..count).map(|j| of(&all, j)).collect();
        let design: Vec<_> = columns.iter().map(|column| column[..].into()).collect();
        let expected = Predictor::new(&dense).unwrap().location(&NewRows::new(&design, 200));
        for (found, expected) in predictor.location(&rows).iter().zip(&expected) {
            near(*found, *expected, 1e-9, "location");
        }
        if levels.len() > 1 {
            let error = predictor.intervals(&rows, IntervalKind::Confidence, 0.9).unwrap_err().to_string();
            assert!(error.contains("absorbed"), "{error}");
        }
    }
}

/// Around predictions by one effect they are those of columns for all levels, by every covariance that knows them; also of a fit that was saved.
#[test]
fn intervals_beside_one_effect_are_those_of_indicators() {
    let data = Data::random(10, 200, 2, &[9]).weighted();
    let of = |values: &[f64], j: usize| values[j * 200..(j + 1) * 200].to_vec();
    let (all, count) = data.indicators();
    let columns: Vec<Vec<f64>> = (0..count).map(|j| of(&all, j)).collect();
    let whole: Vec<_> = columns.iter().map(|column| column[..].into()).collect();
    for vcov in ["classical", "hc0", "hc1", "hc3", "sandwich"] {
        let (found, dense) = (data.absorbed(vcov).unwrap(), data.dense(vcov));
        let loaded: Fit = serde_json::from_str(&serde_json::to_string(&found).unwrap()).unwrap();
        for found in [found, loaded] {
            let rows = NewRows { effects: &[&data.effects[0].1], ..NewRows::new(&whole[..2], 200) };
            for kind in [IntervalKind::Confidence, IntervalKind::Prediction] {
                let intervals = Predictor::new(&found).unwrap().intervals(&rows, kind, 0.9).unwrap();
                let rows = NewRows::new(&whole, 200);
                let expected = Predictor::new(&dense).unwrap().intervals(&rows, kind, 0.9).unwrap();
                for (found, expected) in intervals.low.iter().zip(&expected.low) {
                    near(*found, *expected, 1e-9, vcov);
                }
            }
        }
    }
    let design = Matrix::column_major(&all, 200, count).unwrap();
    let indicators = data.with(MemoryRows::new(&data.y, design).unwrap()).without_intercept();
    for noise in ["huber", "student-t:5"] {
        let found = under(&data.absorbing(), noise, "classical").unwrap();
        let dense = under(&indicators, noise, "classical").unwrap();
        let rows = NewRows { effects: &[&data.effects[0].1], ..NewRows::new(&whole[..2], 200) };
        let (own, columns) = (Predictor::new(&found).unwrap(), Predictor::new(&dense).unwrap());
        let intervals = own.intervals(&rows, IntervalKind::Prediction, 0.9).unwrap();
        let expected = columns.intervals(&NewRows::new(&whole, 200), IntervalKind::Prediction, 0.9).unwrap();
        for (found, expected) in intervals.low.iter().zip(&expected.low) {
            near(*found, *expected, 1e-8, noise);
        }
    }
    let clustered = data.absorbed("cluster:g").unwrap();
    let rows = NewRows { effects: &[&data.effects[0].1], ..NewRows::new(&whole[..2], 200) };
    let error = Predictor::new(&clustered).unwrap().intervals(&rows, IntervalKind::Confidence, 0.9).unwrap_err();
    assert!(error.to_string().contains("absorbed"), "{error}");
}

fn under(rows: &MemoryRows<'_>, noise: &str, vcov: &str) -> Result<Fit, Error> {
    let options = Options { vcov: vcov.parse().unwrap(), ..Options::default() };
    let noise: Noises = noise.parse().unwrap();
    Ok(fit(rows, &noise, &options)?.remove(0))
}

/// Under other noise the maximum is that of columns for all levels, too.
#[test]
fn effects_are_absorbed_under_noise_with_smooth_losses() {
    for (seed, levels) in [(1, &[12][..]), (2, &[12, 5]), (3, &[9, 6, 4])] {
        for weighted in [false, true] {
            let data = Data::random(seed, 400, 2, levels);
            let data = if weighted { data.weighted() } else { data };
            let (all, count) = data.indicators();
            let design = Matrix::column_major(&all, data.y.len(), count).unwrap();
            let columns = data.with(MemoryRows::new(&data.y, design).unwrap()).without_intercept();
            for noise in ["logistic", "huber", "student-t:4", "student-t"] {
                let found = under(&data.absorbing(), noise, "classical").unwrap();
                let dense = under(&columns, noise, "classical").unwrap();
                let what = format!("{levels:?} {weighted} {noise}");
                assert!(found.termination.converged, "{what}: {:?}", found.termination);
                for j in 0..2 {
                    let (a, b) = (&found.location.rows[j], &dense.location.rows[j]);
                    let error = b.std_error.unwrap();
                    near(a.estimate.unwrap(), b.estimate.unwrap(), 1e-6 * error / b.estimate.unwrap().abs(), &what);
                    near(a.std_error.unwrap(), error, 1e-6, &what);
                    near(a.p_value.unwrap(), b.p_value.unwrap(), 1e-4, &what);
                }
                near(found.log_likelihood().unwrap(), dense.log_likelihood().unwrap(), 1e-11, &what);
                near(found.scale.common().unwrap(), dense.scale.common().unwrap(), 1e-6, &what);
                assert_eq!((found.df_residual, found.dof()), (dense.df_residual, dense.dof()), "{what}");
                near(found.goodness.rmse, dense.goodness.rmse, 1e-6, &what);
                assert!(
                    found.warnings.iter().any(|warning| matches!(warning, Warning::IncidentalParameters { .. })),
                    "{what}"
                );
                if let (Some(a), Some(b)) = (&found.shape, &dense.shape) {
                    let numbers = |shape: &ShapeParameter| [shape.estimate, shape.conf_low, shape.conf_high];
                    for (a, b) in numbers(a).into_iter().zip(numbers(b)) {
                        assert_eq!(a.is_some(), b.is_some(), "{what}: {a:?} {b:?}");
                        a.zip(b).inspect(|(a, b)| near(*a, *b, 1e-4, &what));
                    }
                }
                let of = |values: &[f64], j: usize| values[j * 400..(j + 1) * 400].to_vec();
                let own: Vec<Vec<f64>> = (0..count).map(|j| of(&all, j)).collect();
                let whole: Vec<_> = own.iter().map(|column| column[..].into()).collect();
                let effects: Vec<&[u32]> = data.effects.iter().map(|(_, of_rows)| &of_rows[..]).collect();
                let rows = NewRows { effects: &effects, ..NewRows::new(&whole[..2], 400) };
                let predicted = Predictor::new(&found).unwrap().location(&rows);
                let expected = Predictor::new(&dense).unwrap().location(&NewRows::new(&whole, 400));
                for (found, expected) in predicted.iter().zip(&expected) {
                    near(*found, *expected, 1e-6, &what);
                }
            }
        }
    }
}

/// Errors that rest on the curvature of the likelihood are those of columns for all levels, scale and shape among the parameters.
#[test]
fn sandwiches_beside_one_effect_are_those_of_indicators_under_other_noise() {
    for (seed, levels) in [(1, 12), (2, 25)] {
        for weighted in [false, true] {
            let data = Data::random(seed, 400, 2, &[levels]);
            let data = if weighted { data.weighted() } else { data };
            let (all, count) = data.indicators();
            let design = Matrix::column_major(&all, data.y.len(), count).unwrap();
            let columns = data.with(MemoryRows::new(&data.y, design).unwrap()).without_intercept();
            for noise in ["logistic", "huber", "student-t:4", "student-t"] {
                for vcov in ["sandwich", "cluster:g", "hac:3"] {
                    if vcov == "hac:3" && weighted {
                        continue;
                    }
                    let what = format!("{levels} {weighted} {noise} {vcov}");
                    let found = under(&data.absorbing(), noise, vcov).unwrap();
                    let dense = under(&columns, noise, vcov).unwrap();
                    for j in 0..2 {
                        let (a, b) = (&found.location.rows[j], &dense.location.rows[j]);
                        near(a.std_error.unwrap(), b.std_error.unwrap(), 1e-7, &what);
                        assert_eq!(a.df, b.df, "{what}");
                    }
                    let covariance = |fit: &Fit| fit.covariance_of(0, 1).unwrap();
                    let size = dense.location.rows[0].std_error.unwrap() * dense.location.rows[1].std_error.unwrap();
                    assert!((covariance(&found) - covariance(&dense)).abs() < 1e-7 * size, "{what}");
                }
            }
        }
    }
}

/// With as many constants as this, every row's own likelihood can be let grow under heavy tails.
#[test]
fn tails_too_heavy_for_so_few_rows_a_level_are_refused() {
    let mut data = Data::random(5, 60, 1, &[40]);
    data.effects[0].1 = (0..60).map(|i| i % 40).collect();
    let error = under(&data.absorbing(), "cauchy", "classical").unwrap_err().to_string();
    assert!(error.contains("fit as many of the 60 observations exactly"), "{error}");
    assert!(under(&data.absorbing(), "huber", "classical").is_ok());
}

/// Two effects that fall into two parts: the rank is less by one more, and constants of different parts are not added up.
#[test]
fn parts_that_no_row_connects_are_counted() {
    let mut data = Data::random(11, 200, 1, &[6, 6]);
    for i in 0..200 {
        let part = data.effects[0].1[i] % 2;
        data.effects[1].1[i] = data.effects[1].1[i] / 2 * 2 + part;
    }
    let (found, dense) = (data.absorbed("classical").unwrap(), data.dense("classical"));
    assert_eq!((found.rank(), found.df_residual), (dense.rank(), dense.df_residual));
    near(found.coef()[0].unwrap(), dense.coef()[0].unwrap(), 1e-11, "slope");
    let predictor = Predictor::new(&found).unwrap();
    let design = [(&[100.0, 100.0][..]).into()];
    let rows = NewRows { effects: &[&[0, 0], &[0, 1]], ..NewRows::new(&design, 2) };
    let predicted = predictor.location(&rows);
    assert!(predicted[0].is_finite() && predicted[1].is_nan(), "{predicted:?}");
}

/// A chain of levels, each connected with the next by a row: the steps of several effects are hardest there.
#[test]
fn a_chain_of_levels_comes_apart() {
    let links = 150u32;
    let rows = (2 * links) as usize;
    let mut random = Random(12);
    let first: Vec<u32> = (0..2 * links).map(|i| i / 2).collect();
    let second: Vec<u32> = (0..2 * links).map(|i| i.div_ceil(2)).collect();
    let x: Vec<f64> = (0..rows).map(|i| i as f64 * 0.1 + random.next()).collect();
    let y: Vec<f64> = x.iter().map(|x| 2.0 * x + random.next()).collect();
    let effects = vec![(links as usize, first.clone()), (links as usize + 1, second)];
    // Rows enough to leave degrees of freedom: every link twice.
    let twice = |values: &[u32]| [values, values].concat();
    let effects = effects.into_iter().map(|(levels, of_rows)| (levels, twice(&of_rows))).collect();
    let other: Vec<f64> = x.iter().map(|x| x + random.next()).collect();
    let (x, y) = ([x, other].concat(), [y.clone(), y.iter().map(|y| y + random.next()).collect()].concat());
    let clusters = vec![0; y.len()];
    let data = Data { y, x, columns: 1, effects, weights: None, frequencies: None, clusters };
    let (found, dense) = (data.absorbed("classical").unwrap(), data.dense("classical"));
    near(found.coef()[0].unwrap(), dense.coef()[0].unwrap(), 1e-9, "slope");
    near(found.std_errors()[0].unwrap(), dense.std_errors()[0].unwrap(), 1e-9, "error");
    assert_eq!(found.df_residual, dense.df_residual);
}

#[test]
fn the_threads_make_no_difference() {
    let data = Data::random(13, 70_000, 2, &[3000, 40]);
    let fits: Vec<Fit> = [1, 4].map(|threads| one(&data.absorbing().with_threads(threads), "hc1").unwrap()).into();
    assert_eq!(fits[0], fits[1]);
    assert!(fits[0].absorbed.as_ref().unwrap().steps > 0);
}

#[test]
fn rows_on_the_fit_and_single_levels_are_told() {
    // Every level has one row but the last two: x tells nothing of the others.
    let levels: Vec<u32> = (0..40).map(|i: u32| i.min(30)).collect();
    let mut random = Random(14);
    let x: Vec<f64> = (0..40).map(|_| random.next()).collect();
    let y: Vec<f64> = x.iter().zip(&levels).map(|(x, level)| 3.0 * x + f64::from(*level) + random.next()).collect();
    let rows = |y| MemoryRows::new(y, Matrix::column_major(&x, 40, 1).unwrap()).unwrap();
    let found = one(&rows(&y).with_effect("e", 31, &levels).unwrap(), "hc3").unwrap();
    assert_eq!(found.absorbed.as_ref().unwrap().effects[0].singletons, 30);
    // What is left are the ten rows of the last level.
    let alone = MemoryRows::new(&y[30..], Matrix::column_major(&x[30..], 10, 1).unwrap()).unwrap();
    let alone = one(&alone, "hc3").unwrap();
    near(found.coef()[0].unwrap(), alone.coef()[1].unwrap(), 1e-12, "slope");
    near(found.std_errors()[0].unwrap(), alone.std_errors()[1].unwrap(), 1e-12, "hc3");
    assert_eq!(found.df_residual, alone.df_residual);

    let exact: Vec<f64> = x.iter().zip(&levels).map(|(x, level)| 3.0 * x + f64::from(*level)).collect();
    let found = one(&rows(&exact).with_effect("e", 31, &levels).unwrap(), "classical").unwrap();
    assert!(found.warnings.contains(&Warning::NoResiduals), "{:?}", found.warnings);
    near(found.coef()[0].unwrap(), 3.0, 1e-13, "slope");
}

#[test]
fn numbers_that_cannot_be_used_are_named() {
    let levels = [0, 0, 1, 1];
    let rows = |y, x| MemoryRows::new(y, Matrix::column_major(x, 4, 1).unwrap()).unwrap();
    let error = one(
        &rows(&[1.0, 2.0, 3.0, 5.0], &[1.0, f64::NAN, 2.0, 4.0]).with_effect("e", 2, &levels).unwrap(),
        "classical",
    );
    assert!(matches!(error, Err(Error::Value { row: 1, ref what, .. }) if what == "x1"), "{error:?}");
    let error = rows(&[1.0, 2.0, 3.0, 5.0], &[1.0, 3.0, 2.0, 4.0]).with_effect("e", 1, &levels).unwrap_err();
    assert!(matches!(error, Error::Value { row: 2, .. }), "{error}");
    let nothing = MemoryRows::new(&[], Matrix::column_major(&[], 0, 1).unwrap()).unwrap();
    assert!(matches!(one(&nothing.with_effect("e", 2, &[]).unwrap(), "classical"), Err(Error::NoRows)));
}
