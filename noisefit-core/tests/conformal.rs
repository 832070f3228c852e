//! Conformal intervals against their definitions, computed naively from fits of the very parts, and against their promise.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use noisefit_core::inference::Options;
use noisefit_core::inference::conformal;
use noisefit_core::inference::conformal::{Conformal, Plan, Scheme};
use noisefit_core::inference::covariance::Vcov;
use noisefit_core::inference::predict::{NewRows, Predictor};
use noisefit_core::noise;
use noisefit_core::noise::{Logistic, Noise, NoiseFamily, Noises, StudentT};
use noisefit_core::record::Fit;
use noisefit_core::rows::{
    Accumulator, Block, Design, Folds, Matrix, MemoryRows, Part, RowSource, RowSourceExt, Values,
};
use noisefit_core::{Error, inference};
use serde::{Deserialize, Serialize};

/// Uniform numbers on (0, 1).
struct Draws(u64);

impl Draws {
    fn uniform(&mut self) -> f64 {
        // Knuth's MMIX generator, of whose state the upper half is used.
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((self.0 >> 32) as f64 + 0.5) / 2f64.powi(32)
    }
}

/// Rows with everything that a row may have.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
struct Data {
    x: Vec<f64>,
    y: Vec<f64>,
    weights: Vec<f64>,
    frequencies: Vec<f64>,
    models_scale: bool,
}

impl Data {
    /// Logistic noise about a line, of a scale that grows with x.
    fn draw(seed: u64, n: usize) -> Self {
        let mut draws = Draws(seed);
        let x: Vec<f64> = (0..n).map(|_| 4.0 * draws.uniform()).collect();
        let y = x.iter().map(|x| 1.0 + 2.0 * x + (0.3 * x).exp() * Logistic.quantile(draws.uniform())).collect();
        Data { x, y, weights: vec![1.0; n], frequencies: vec![1.0; n], models_scale: false }
    }

    fn source(&self) -> MemoryRows<'_> {
        let n = self.y.len();
        let rows = MemoryRows::new(&self.y, Matrix::row_major(&self.x, n, 1).unwrap()).unwrap();
        let rows = rows.with_weights(&self.weights).unwrap().with_frequencies(&self.frequencies).unwrap();
        match self.models_scale {
            true => rows.with_scale_design(Matrix::row_major(&self.x, n, 1).unwrap(), &["x"]).unwrap(),
            false => rows,
        }
    }

    /// The rows that a source shows.
    fn of(source: &dyn RowSource) -> Self {
        let models_scale = source.layout().scale.is_some();
        source.pass(Collect(Data { models_scale, ..Data::default() })).unwrap().0
    }

    fn at(&self, wanted: impl Fn(usize) -> bool) -> Self {
        let chosen = |values: &[f64]| (0..values.len()).filter(|i| wanted(*i)).map(|i| values[i]).collect();
        Data {
            x: chosen(&self.x),
            y: chosen(&self.y),
            weights: chosen(&self.weights),
            frequencies: chosen(&self.frequencies),
            models_scale: self.models_scale,
        }
    }
}

#[derive(Clone, Serialize, Deserialize)]
struct Collect(Data);

impl Accumulator for Collect {
    const KIND: &'static str = "collect";
    fn fold(&mut self, block: &Block<'_>) {
        self.0.x.extend(block.design.first().unwrap());
        self.0.y.extend(block.response.high);
        self.0.weights.extend(block.weights.unwrap());
        self.0.frequencies.extend(block.frequencies.unwrap());
    }
    fn merge(&mut self, later: Self) {
        self.0.x.extend(later.0.x);
        self.0.y.extend(later.0.y);
        self.0.weights.extend(later.0.weights);
        self.0.frequencies.extend(later.0.frequencies);
    }
    fn rows(&self) -> u64 {
        self.0.y.len() as u64
    }
}

/// Of one row the lower and the upper guess, and the unit.
fn guess(fits: &[Fit], x: f64, weight: f64) -> [f64; 3] {
    let column = [x];
    let design = [Values::from(&column[..])];
    let modelled = !fits[0].scale.coefficients().is_empty();
    let new = NewRows {
        scale_design: if modelled { (&design).into() } else { Design::default() },
        ..NewRows::new(&design, 1)
    };
    let location = |fit: &Fit| Predictor::new(fit).unwrap().location(&new)[0];
    let scale = if modelled { Predictor::new(&fits[0]).unwrap().scale(&new)[0] } else { 1.0 };
    [location(&fits[0]), location(fits.last().unwrap()), scale / weight.sqrt()]
}

/// The scores of rows, each as often as its frequency says.
fn scores(fits: &[Fit], rows: &Data) -> Vec<f64> {
    let score = |i: usize| {
        let [low, high, unit] = guess(fits, rows.x[i], rows.weights[i]);
        let score = (low - rows.y[i]).max(rows.y[i] - high) / unit;
        vec![score; rows.frequencies[i] as usize]
    };
    (0..rows.y.len()).flat_map(score).collect()
}

/// The k-th smallest, with `k = ceil((m + 1) level)`.
fn ranked(mut values: Vec<f64>, level: f64) -> f64 {
    values.sort_by(f64::total_cmp);
    let rank = ((values.len() + 1) as f64 * level - 1e-9).ceil() as usize;
    values.get(rank - 1).copied().unwrap_or(f64::INFINITY)
}

fn noises() -> Vec<(Noises, bool)> {
    let named = ["gaussian", "laplace", "logistic", "huber", "quantile:0.1,0.9", "quantile:0.2,0.5,0.7"];
    let modelled = [("gaussian", true), ("logistic", true)];
    let named = named.map(|name| (name, false));
    named.into_iter().chain(modelled).map(|(name, modelled)| (name.parse().unwrap(), modelled)).collect()
}

fn options(seed: u64) -> Options {
    Options { seed, vcov: Vcov::CLASSICAL, ..Options::default() }
}

/// Rows with weights and frequencies.
fn uneven(models_scale: bool) -> Data {
    let data = Data::draw(5, 61);
    let weights = (0..61).map(|i| [1.0, 0.25, 4.0][i % 3]).collect();
    let frequencies = (0..61).map(|i| [1.0, 3.0, 1.0, 2.0][i % 4]).collect();
    Data { weights, frequencies, models_scale, ..data }
}

#[track_caller]
fn same(conformal: &Conformal, x: f64, weight: f64, level: f64, [low, high]: [f64; 2], what: &str) {
    let (column, weights) = ([x], [weight]);
    let design = [Values::from(&column[..])];
    let new = NewRows { scale_design: (&design).into(), weights: Some(&weights), ..NewRows::new(&design, 1) };
    let found = conformal.intervals(&new, level).unwrap();
    let middle = 0.5 * (low + high);
    for (found, end) in [(found.low[0], low.min(middle)), (found.high[0], high.max(middle))] {
        // An interval turned inside out is its middle.
        let expected = if low > high { middle } else { end };
        let close = found == expected || (found - expected).abs() < 1e-9 * expected.abs().max(1.0);
        assert!(close, "{what}, x {x}, level {level}: {found} {expected}");
    }
}

#[test]
fn split_is_its_definition() {
    for (noise, models_scale) in noises() {
        let data = uneven(models_scale);
        let rows = data.source();
        for (share, parts, count) in [(0.25, 1, 4), (0.4, 2, 5)] {
            let plan = Plan { calibration: share, ..Plan::default() };
            let (fits, conformal) = conformal::fit(&rows, &noise, &options(3), &plan).unwrap();
            let folds = Folds { count, seed: 3 };
            let calibrating = Data::of(&folds.select(&rows, Part::Before(parts)));
            let fitted = Data::of(&folds.select(&rows, Part::From(parts)));
            assert_eq!(calibrating.y.len() + fitted.y.len(), 61);
            let own = inference::fit(&fitted.source(), &noise, &options(3)).unwrap();
            let scores = scores(&own, &calibrating);
            assert_eq!((fits.len(), conformal.observations), (own.len(), scores.len() as f64));
            for level in [0.1, 0.5, 0.8, 0.95] {
                let q = ranked(scores.clone(), level);
                for (x, weight) in [(0.3, 1.0), (3.5, 4.0)] {
                    let [low, high, unit] = guess(&own, x, weight);
                    same(&conformal, x, weight, level, [low - q * unit, high + q * unit], &format!("{noise}"));
                }
            }
        }
    }
}

/// What cross-conformal intervals are from fits, each with the rows that it has not seen.
fn crossed(parts: &[(Vec<Fit>, Data)], x: f64, weight: f64, level: f64) -> [f64; 2] {
    let (mut lows, mut highs) = (Vec::new(), Vec::new());
    for (fits, left_out) in parts {
        let [low, high, unit] = guess(fits, x, weight);
        for score in scores(fits, left_out) {
            lows.push(-(low - score * unit));
            highs.push(high + score * unit);
        }
    }
    [-ranked(lows, level), ranked(highs, level)]
}

#[test]
fn cv_plus_is_its_definition() {
    for (noise, models_scale) in noises() {
        let data = uneven(models_scale);
        let rows = data.source();
        let plan = Plan { method: Scheme::CvPlus, folds: 4, ..Plan::default() };
        let (fits, conformal) = conformal::fit(&rows, &noise, &options(8), &plan).unwrap();
        // The fit itself is that of all rows.
        assert_eq!(fits, inference::fit(&rows, &noise, &options(8)).unwrap());
        let part = |number: usize| {
            let folds = Folds { count: 4, seed: 8 };
            let kept = Data::of(&folds.select(&rows, Part::Without(number)));
            let fits = inference::fit(&kept.source(), &noise, &options(8)).unwrap();
            (fits, Data::of(&folds.select(&rows, Part::Only(number))))
        };
        let parts: Vec<_> = (0..4).map(part).collect();
        for level in [0.05, 0.5, 0.9, 0.98, 0.999] {
            for (x, weight) in [(0.1, 1.0), (3.9, 0.25)] {
                same(&conformal, x, weight, level, crossed(&parts, x, weight, level), &format!("{noise}"));
            }
        }
    }
}

#[test]
fn jackknife_plus_is_its_definition() {
    for (noise, models_scale) in noises() {
        let data = Data { models_scale, ..Data::draw(9, 25) };
        let plan = Plan { method: Scheme::JackknifePlus, ..Plan::default() };
        let (_, conformal) = conformal::fit(&data.source(), &noise, &options(0), &plan).unwrap();
        assert_eq!((conformal.folds(), conformal.observations), (25, 25.0));
        let part = |number: usize| {
            let kept = data.at(|i| i != number);
            (inference::fit(&kept.source(), &noise, &options(0)).unwrap(), data.at(|i| i == number))
        };
        let parts: Vec<_> = (0..25).map(part).collect();
        for level in [0.5, 0.9, 0.97] {
            same(&conformal, 2.2, 1.0, level, crossed(&parts, 2.2, 1.0, level), &format!("{noise}"));
        }
    }
}

#[test]
fn too_few_rows_say_so_and_promise_nothing() {
    // Nine calibration rows: the largest score is that of level 0.9, and of no higher one.
    let data = Data::draw(2, 36);
    let (fits, conformal) = conformal::fit(&data.source(), &[Noise::Gaussian], &options(0), &Plan::default()).unwrap();
    assert_eq!(conformal.observations, 9.0);
    let design = [Values::from(&[1.0][..])];
    let at = |level: f64| conformal.intervals(&NewRows::new(&design, 1), level).unwrap();
    assert!(at(0.9).low[0].is_finite() && at(0.9).high[0].is_finite());
    assert_eq!((at(0.91).low[0], at(0.91).high[0]), (f64::NEG_INFINITY, f64::INFINITY));
    assert_eq!(conformal.too_few(0.9), None);
    let said = "conformal intervals at level 0.95 need 19 calibration rows or more, and there are 9: they are infinite";
    let warning = conformal.too_few(0.95).unwrap();
    assert_eq!(warning.to_string(), said);
    // The fit's own level is one that its reader will ask for.
    assert!(fits[0].warnings.contains(&warning));
    assert!(matches!(conformal.intervals(&NewRows::new(&design, 1), 1.0), Err(Error::Argument { .. })));
}

#[test]
fn what_cannot_be_is_refused() {
    let data = Data::draw(2, 36);
    let rows = data.source();
    let refused = |noise: &str, plan: Plan| {
        conformal::fit(&rows, &noise.parse::<Noises>().unwrap(), &options(0), &plan).unwrap_err().to_string()
    };
    assert!(refused("quantile:0.9", Plan::default()).contains("name both, such as quantile:0.05,0.95"));
    assert!(refused("gaussian", Plan { calibration: 1.5, ..Plan::default() }).contains("between 0.01 and 0.99"));
    let one = Plan { method: Scheme::CvPlus, folds: 1, ..Plan::default() };
    assert!(refused("gaussian", one).contains("2 or more"));
    let many = Data::draw(1, 3001);
    let jackknife = Plan { method: Scheme::JackknifePlus, ..Plan::default() };
    let error = conformal::fit(&many.source(), &[Noise::Gaussian], &options(0), &jackknife).unwrap_err();
    assert!(error.to_string().contains("cv+ needs no more fits than folds"), "{error}");
}

#[test]
fn it_is_written_and_read_back_and_the_same_for_any_threads() {
    let data = Data { models_scale: true, ..Data::draw(4, 40_000) };
    for method in [Scheme::Split, Scheme::CvPlus] {
        let plan = Plan { method, folds: 3, ..Plan::default() };
        let fit = |threads| {
            conformal::fit(&data.source().with_threads(threads), &[Noise::Gaussian], &options(6), &plan).unwrap().1
        };
        let conformal = fit(1);
        assert_eq!(conformal, fit(3));
        let text = serde_json::to_string(&conformal).unwrap();
        assert_eq!(serde_json::from_str::<Conformal>(&text).unwrap(), conformal);
        // No more is kept than is worth it.
        assert!(text.len() < 1_200_000, "{}", text.len());
        assert!(conformal.is_sound(data.source().layout(), 1));
        assert!(!conformal.is_sound(MemoryRows::new(&[], Matrix::row_major(&[], 0, 3).unwrap()).unwrap().layout(), 1));
    }
}

/// The share of new observations within intervals of a level, and what it should be at least and at most: the means over
/// many data sets.
fn coverage(
    noise: &[Noise],
    plan: &Plan,
    [sets, n]: [usize; 2],
    level: f64,
    error: impl Fn(f64, f64) -> f64,
) -> [f64; 3] {
    let new = 25;
    let mut sums = [0.0; 3];
    let mut draws = Draws(7 + n as u64);
    for seed in 0..sets as u64 {
        let mut draw = |n: usize| -> (Vec<f64>, Vec<f64>) {
            let x: Vec<f64> = (0..n).map(|_| 4.0 * draws.uniform()).collect();
            let y = x.iter().map(|x| 1.0 - x + error(*x, draws.uniform())).collect();
            (x, y)
        };
        let ((x, y), (new_x, new_y)) = (draw(n), draw(new));
        let rows = MemoryRows::new(&y, Matrix::row_major(&x, n, 1).unwrap()).unwrap().with_threads(1);
        let (_, conformal) = conformal::fit(&rows, noise, &options(seed), plan).unwrap();
        let design = [Values::from(&new_x[..])];
        let ends = conformal.intervals(&NewRows::new(&design, new), level).unwrap();
        let inside = (0..new).filter(|&i| (ends.low[i]..=ends.high[i]).contains(&new_y[i])).count();
        let m = conformal.observations;
        let expected = ((m + 1.0) * level - 1e-9).ceil() / (m + 1.0);
        for (sum, value) in sums.iter_mut().zip([inside as f64 / new as f64, expected.min(1.0), level]) {
            *sum += value / sets as f64;
        }
    }
    sums
}

#[test]
fn intervals_hold_what_they_promise_whatever_the_noise() {
    let gaussian = |_: f64, u: f64| noise::Gaussian.quantile(u);
    let cauchy = |_: f64, u: f64| StudentT::new(1.0).quantile(u);
    let growing = |x: f64, u: f64| (0.1 + x) * noise::Gaussian.quantile(u);
    type Noise<'a> = &'a dyn Fn(f64, f64) -> f64;
    let errors: [(&str, Noise<'_>); 3] = [("gaussian", &gaussian), ("cauchy", &cauchy), ("growing", &growing)];
    for (name, error) in errors {
        for n in [50, 200] {
            // Exactly, for scores without ties. The standard error is below 0.006: four of them.
            let [found, expected, _] = coverage(&[noise::Noise::Gaussian], &Plan::default(), [400, n], 0.9, error);
            assert!((found - expected).abs() < 0.022, "split, {name}, {n}: {found} {expected}");
        }
        let levels = Noises::quantiles(&[0.1, 0.9]);
        let [found, expected, _] = coverage(&levels, &Plan::default(), [120, 50], 0.8, error);
        assert!((found - expected).abs() < 0.05, "quantiles, {name}: {found} {expected}");
        // Not below its level but for the noise of the simulation.
        let plan = Plan { method: Scheme::CvPlus, folds: 5, ..Plan::default() };
        let [found, _, level] = coverage(&[noise::Noise::Gaussian], &plan, [200, 50], 0.9, error);
        assert!(found > level - 0.025, "cv+, {name}: {found}");
    }
}
