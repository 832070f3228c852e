//! Maximum likelihood of smooth families: against maxima found elsewhere, and against what a maximum must satisfy.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use common::{close, close_all, estimates};
use noisefit_core::estimate::{Options, closed_form};
use noisefit_core::noise::{Huber, Noise, Noises, Observations, Parameter, Scale, StudentT};
use noisefit_core::numeric::double_double::DoubleDouble;
use noisefit_core::record::{Coefficients, Fit, FittedScale, Likelihood, Reason, ScaleRule, Warning};
use noisefit_core::rows::{Block, Layout, Matrix, MemoryRows, Next, Pass, RowSource, ScaleLayout, Values};
use noisefit_core::{Error, inference};
use proptest::prelude::*;
use serde_json::Value;

/// Columns by name, of a file of `testdata`.
fn columns(file: &str) -> Vec<(String, Vec<f64>)> {
    let path = format!("{}/../testdata/{file}.csv", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(path).unwrap();
    let mut lines = text.lines();
    let names = lines.next().unwrap().split(',').map(|name| (name.to_owned(), Vec::new()));
    let mut columns: Vec<(String, Vec<f64>)> = names.collect();
    for line in lines {
        for ((_, column), field) in columns.iter_mut().zip(line.split(',')) {
            column.push(field.parse().unwrap_or(f64::NAN));
        }
    }
    columns
}

/// A response on columns, perhaps with columns of the scale and weights.
#[derive(Clone, Default)]
struct Data {
    y: Vec<f64>,
    x: Vec<f64>,
    z: Option<Vec<f64>>,
    weights: Option<Vec<f64>>,
    frequencies: Option<Vec<f64>>,
}

impl Data {
    fn rows(&self) -> MemoryRows<'_> {
        let n = self.y.len();
        let design = |values| Matrix::column_major(values, n, values.len() / n).unwrap();
        let mut rows = MemoryRows::new(&self.y, design(&self.x)).unwrap();
        if let Some(z) = &self.z {
            let names: Vec<String> = (1..=z.len() / n).map(|j| format!("z{j}")).collect();
            rows = rows.with_scale_design(design(z), &names).unwrap();
        }
        if let Some(weights) = &self.weights {
            rows = rows.with_weights(weights).unwrap();
        }
        if let Some(frequencies) = &self.frequencies {
            rows = rows.with_frequencies(frequencies).unwrap();
        }
        rows
    }

    fn fit(&self, noise: &str) -> Fit {
        inference::fit(&self.rows(), &noise.parse::<Noises>().unwrap(), &common::plain()).unwrap().remove(0)
    }
}

/// The coefficients of `ln s`, or `ln s` alone.
fn log_scale(fit: &Fit) -> Vec<f64> {
    match fit.scale.common() {
        Some(scale) => vec![scale.ln()],
        None => fit.scale.coefficients().iter().map(|coefficient| coefficient.estimate.unwrap()).collect(),
    }
}

/// The fit with given degrees of freedom.
fn student_t(rows: &MemoryRows<'_>, df: f64) -> Result<Fit, Error> {
    inference::fit(rows, &[Noise::StudentT(StudentT::new(df))], &common::plain()).map(|mut fits| fits.remove(0))
}

#[test]
fn maxima_found_elsewhere_with_fifty_digits() {
    let path = format!("{}/../testdata/reference/likelihood.json", env!("CARGO_MANIFEST_DIR"));
    let reference: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    for (name, entry) in reference.as_object().unwrap() {
        let file = columns(entry["file"].as_str().unwrap());
        let column = |name: &str| file.iter().find(|(column, _)| column == name).unwrap().1.clone();
        let several =
            |key: &str| -> Vec<f64> { entry[key].as_str().unwrap().split_whitespace().flat_map(column).collect() };
        let scale_terms = several("scale_terms");
        let data = Data {
            y: column(entry["response"].as_str().unwrap()),
            x: several("terms"),
            z: (!scale_terms.is_empty()).then_some(scale_terms),
            weights: entry["weights"].as_str().map(column),
            frequencies: None,
        };
        let fit = data.fit(entry["noise"].as_str().unwrap());
        let numbers = |key: &str| -> Vec<f64> {
            let values = entry[key].as_array().unwrap().iter();
            values.map(|value| value.as_str().unwrap().parse().unwrap()).collect()
        };
        assert!(fit.termination.converged, "{name}: {:?}", fit.termination);
        // Beyond the least degrees of freedom that are estimated from so few rows the reference is a maximum still.
        let parameters = estimates(&fit).len() + log_scale(&fit).len() - 1;
        let least = StudentT::least_estimated(data.y.len() as f64, parameters as f64);
        if entry["df"].as_str().is_some_and(|df| df.parse::<f64>().unwrap() < least) {
            close(fit.shape.as_ref().unwrap().estimate.unwrap(), least, 1e-9, name);
            continue;
        }
        for (key, found) in [("coefficients", estimates(&fit)), ("log_scale", log_scale(&fit))] {
            close_all(&found, &numbers(key), 1e-10, &format!("{name} {key}"));
        }
        let number = |key: &str| entry[key].as_str().map(|text| text.parse::<f64>().unwrap());
        close(fit.log_likelihood().unwrap(), number("log_likelihood").unwrap(), 1e-12, name);
        if let Some(df) = number("df") {
            close(fit.shape.as_ref().unwrap().estimate.unwrap(), df, 1e-9, name);
        }
    }
}

/// `exp` in double-double: the argument halved ten times, a Taylor series, squared ten times.
fn exp(x: DoubleDouble) -> DoubleDouble {
    let small = x * 2f64.powi(-10);
    let mut sum = DoubleDouble::ONE;
    for k in (1..20).rev() {
        sum = sum * small / f64::from(k) + 1.0;
    }
    (0..10).fold(sum, |power, _| power * power)
}

/// `d/d df` of minus the constant of Student's t: `(digamma((df + 1) / 2) - digamma(df / 2) - 1 / df) / 2`, the difference
/// being `2 sum (-1)^k / (df + k)`, ended by Boole's rule.
fn constant_by_df(df: f64) -> f64 {
    const TERMS: i32 = 400;
    let sum: f64 = (0..TERMS).rev().map(|k| if k % 2 == 0 { 1.0 } else { -1.0 } / (df + f64::from(k))).sum();
    let end = df + f64::from(TERMS);
    sum + 0.5 / end + 0.25 / (end * end) - 0.125 / end.powi(4) - 0.5 / df
}

impl Data {
    /// The gradient of the complete log-likelihood at a fit, in double-double from its definition, each component relative
    /// to the sum of the sizes of its terms: by the location's coefficients, those of `ln s`, and df where estimated.
    fn relative_gradient(&self, fit: &Fit) -> Vec<f64> {
        let n = self.y.len();
        let dd = DoubleDouble::from;
        let column = |values: &Vec<f64>, j: usize, i: usize| if j == 0 { 1.0 } else { values[(j - 1) * n + i] };
        let (b, g) = (estimates(fit), log_scale(fit));
        let mut sums = vec![(DoubleDouble::ZERO, 0.0); b.len() + g.len() + 1];
        for i in 0..n {
            let f = self.frequencies.as_ref().map_or(1.0, |f| f[i]);
            let mu = (0..b.len()).fold(DoubleDouble::ZERO, |sum, j| sum + dd(b[j]) * column(&self.x, j, i));
            let s = match (&self.z, fit.scale.common()) {
                (_, Some(s)) => dd(s),
                (Some(z), _) => exp((0..g.len()).fold(DoubleDouble::ZERO, |sum, k| sum + dd(g[k]) * column(z, k, i))),
                _ => panic!("no scale"),
            };
            let a = dd(self.weights.as_ref().map_or(1.0, |w| w[i])).sqrt() / s;
            let r = (dd(self.y[i]) - mu) * a;
            let psi = match &fit.noise {
                Noise::Gaussian => r,
                Noise::Logistic => (DoubleDouble::ONE - exp(-r)) / (exp(-r) + 1.0),
                Noise::Huber(family) => {
                    if r.high.abs() <= family.k() {
                        r
                    } else {
                        dd(family.k().copysign(r.high))
                    }
                }
                Noise::StudentT(family) if family.df().is_infinite() => r,
                Noise::StudentT(family) => r * (family.df() + 1.0) / (r * r + family.df()),
                other => panic!("{other:?}"),
            };
            let mut add = |place: usize, term: DoubleDouble| {
                sums[place].0 += term * f;
                sums[place].1 += (term * f).to_f64().abs();
            };
            for j in 0..b.len() {
                add(j, psi * a * column(&self.x, j, i));
            }
            for k in 0..g.len() {
                let z = self.z.as_ref().map_or(1.0, |z| column(z, k, i));
                add(b.len() + k, (r * psi - 1.0) * z);
            }
            if let Noise::StudentT(StudentT { df: Parameter::Estimated(df) }) = fit.noise
                && df.is_finite()
            {
                let q = (r * r / df).to_f64();
                let by_df = constant_by_df(df) - 0.5 * q.ln_1p() + 0.5 * (df + 1.0) / df * q / (1.0 + q);
                add(b.len() + g.len(), dd(by_df));
            }
        }
        sums.into_iter().map(|(sum, size)| if size > 0.0 { (sum.to_f64() / size).abs() } else { 0.0 }).collect()
    }

    /// The complete log-likelihood of the family at other parameters.
    fn log_likelihood(&self, noise: &Noise, b: &[f64], g: &[f64]) -> f64 {
        let n = self.y.len();
        let predictor = |values: &[f64], c: &[f64], i: usize| -> f64 {
            c[0] + c[1..].iter().enumerate().map(|(j, c)| c * values[j * n + i]).sum::<f64>()
        };
        let location: Vec<f64> = (0..n).map(|i| predictor(&self.x, b, i)).collect();
        let none = Vec::new();
        let z = self.z.as_ref().unwrap_or(&none);
        let scale: Vec<f64> = (0..n).map(|i| predictor(z, g, i).exp()).collect();
        let mut rows = Observations::new(&self.y, &location, Scale::PerRow(&scale)).unwrap();
        if let Some(weights) = &self.weights {
            rows = rows.with_weights(weights).unwrap();
        }
        if let Some(frequencies) = &self.frequencies {
            rows = rows.with_frequencies(frequencies).unwrap();
        }
        noise.family().log_likelihood(&rows)
    }
}

/// A generator of uniform numbers (Knuth's MMIX linear congruence), so that every run sees the same data.
struct Random(u64);

impl Random {
    fn uniform(&mut self) -> f64 {
        self.0 = self.0.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        ((self.0 >> 12) as f64 + 0.5) * 2f64.powi(-52)
    }

    fn draw(&mut self, noise: &Noise) -> f64 {
        noise.family().sample(self.uniform())
    }
}

/// `n` rows of `noise` with three regressors, one far from zero; with `modelled`, of a scale that depends on two columns.
fn simulated(noise: &Noise, n: usize, modelled: bool, seed: u64) -> Data {
    let mut random = Random(seed);
    let mut draw = |middle: f64, size: f64| -> Vec<f64> {
        (0..n).map(|_| middle + size * (2.0 * random.uniform() - 1.0)).collect()
    };
    let columns = [draw(0.0, 1.0), draw(1000.0, 3.0), draw(-2.0, 0.01)];
    let z = [draw(1.0, 1.0), draw(-50.0, 20.0)];
    let y = (0..n).map(|i| {
        let mu = 3.0 + 2.0 * columns[0][i] - 0.5 * columns[1][i] + 40.0 * columns[2][i];
        let s = if modelled { (0.3 + 0.8 * z[0][i] + 0.02 * z[1][i]).exp() } else { 1.7 };
        mu + s * random.draw(noise)
    });
    Data { y: y.collect(), x: columns.concat(), z: modelled.then(|| z.concat()), ..Data::default() }
}

/// Noises, and the names under which they are fitted.
fn families() -> Vec<(&'static str, Noise, bool)> {
    let t = |df| Noise::StudentT(StudentT::new(df));
    vec![
        ("gaussian", Noise::Gaussian, true),
        ("logistic", Noise::Logistic, true),
        ("student-t:3", t(3.0), true),
        ("student-t", t(3.0), true),
        ("student-t:0.7", t(0.7), false),
        ("huber", Noise::Logistic, false),
    ]
}

#[test]
fn the_gradient_vanishes_and_every_other_point_is_lower() {
    for (name, noise, models_scale) in families() {
        for modelled in [false, true] {
            if modelled && !models_scale || name == "gaussian" && !modelled {
                continue;
            }
            for n in [60, 1000] {
                let mut data = simulated(&noise, n, modelled, 11 + n as u64);
                let mut random = Random(5);
                data.weights = Some((0..n).map(|_| 0.5 + random.uniform()).collect());
                data.frequencies = Some((0..n).map(|i| (1 + i % 3) as f64).collect());
                let fit = data.fit(name);
                let what = format!("{name}, modelled {modelled}, {n} rows");
                assert!(fit.termination.converged, "{what}: {:?} {:?}", fit.termination, fit.warnings);
                assert_eq!(fit.termination.reason, if name == "huber" { Reason::ActiveSet } else { Reason::Gradient });
                let gradient = data.relative_gradient(&fit);
                assert!(gradient.iter().all(|g| *g < 1e-9), "{what}: {gradient:?}");
                // The likelihood as it is defined, and lower a thousandth of a standard error away, and one away.
                let (b, g) = (estimates(&fit), log_scale(&fit));
                let top = data.log_likelihood(&fit.noise, &b, &g);
                close(fit.log_likelihood().unwrap(), top, 1e-13, &what);
                for size in [1e-3, 1.0] {
                    for sign in [-size, size] {
                        for j in 0..b.len() {
                            let mut moved = b.clone();
                            moved[j] += sign * fit.location.rows[j].std_error.unwrap();
                            assert!(data.log_likelihood(&fit.noise, &moved, &g) < top, "{what}: {j}");
                        }
                        for k in 0..g.len() {
                            let mut moved = g.clone();
                            let error = fit.scale.coefficients().get(k).map_or(0.05, |c| c.std_error.unwrap());
                            moved[k] += sign * error;
                            assert!(data.log_likelihood(&fit.noise, &b, &moved) < top, "{what}: scale {k}");
                        }
                        if let Noise::StudentT(StudentT { df: Parameter::Estimated(df) }) = fit.noise {
                            // Where they are infinite, any others.
                            let df = if df.is_finite() { df * (1.0 + 0.1 * sign) } else { 300.0 + sign };
                            let moved = StudentT::estimated(df);
                            assert!(data.log_likelihood(&Noise::StudentT(moved), &b, &g) < top, "{what}: df {df}");
                        }
                    }
                }
            }
        }
    }
}

#[test]
fn the_optimum_of_residuals_of_one_size_is_known() {
    // Every regressor value twice, with residuals c and -c: the location is exact by symmetry, and the scale the root of
    // mean(r psi(r)) = 1 at r = c / s. With c of two sizes in two groups each group has a scale of its own.
    let (b, sizes) = ([3.0, 0.5], [2.0, 6.0]);
    let (mut y, mut x, mut z) = (Vec::new(), Vec::new(), Vec::new());
    for i in 0..40 {
        for sign in [-1.0, 1.0] {
            x.push(f64::from(i));
            z.push(f64::from(i % 2));
            y.push(b[0] + b[1] * f64::from(i) + sign * sizes[i as usize % 2]);
        }
    }
    let modelled = Data { y, x, z: Some(z), ..Data::default() };
    // r tanh(r / 2) = 1: mpmath. For Student's t and the Gaussian r is 1.
    for (noise, root) in [("gaussian", 1.0), ("logistic", 1.5434046384182084), ("student-t:3", 1.0)] {
        let fit = modelled.fit(noise);
        for (found, expected) in estimates(&fit).into_iter().zip(b) {
            close(found, expected, 1e-13, noise);
        }
        let g = log_scale(&fit);
        close(g[0].exp(), sizes[0] / root, 1e-13, noise);
        close((g[0] + g[1]).exp(), sizes[1] / root, 1e-13, noise);
        // Two groups of 40: the variance of ln s is that of each group's own.
        let information = fit.noise.family().information();
        close(fit.scale.coefficients()[0].std_error.unwrap(), (40.0 * information.log_scale).powf(-0.5), 1e-12, noise);
        close(fit.scale.coefficients()[1].std_error.unwrap(), (20.0 * information.log_scale).powf(-0.5), 1e-12, noise);
        // sum over rows of x x' / s^2, inverted.
        let mut matrix = [0.0; 3];
        for i in 0..80 {
            let (x, a) = (modelled.x[i], (root / sizes[i / 2 % 2]).powi(2) * information.location);
            (matrix[0], matrix[1], matrix[2]) = (matrix[0] + a, matrix[1] + a * x, matrix[2] + a * x * x);
        }
        let determinant = matrix[0] * matrix[2] - matrix[1] * matrix[1];
        for (i, j, expected) in [(0, 0, matrix[2]), (0, 1, -matrix[1]), (1, 1, matrix[0])] {
            close(fit.vcov()[i][j], expected / determinant, 1e-11, noise);
        }
        let leverage = fit.leverage().unwrap().evaluate(&[(&[7.0][..]).into()], 1)[0];
        let expected = (matrix[2] - 14.0 * matrix[1] + 49.0 * matrix[0]) / determinant;
        close(leverage * fit.location_variance().unwrap(), expected, 1e-11, noise);
        assert_eq!((fit.scale.common(), fit.scale_rule()), (None, ScaleRule::Modelled));
    }
    let mut common = Data { z: None, ..modelled };
    common.y = (0..80).map(|i| b[0] + b[1] * common.x[i] + if i % 2 == 0 { 2.0 } else { -2.0 }).collect();
    for (noise, root) in [("logistic", 1.5434046384182084), ("student-t:3", 1.0), ("huber", 1.0), ("student-t", 1.0)] {
        let fit = common.fit(noise);
        close(fit.scale.common().unwrap(), 2.0 / root, 1e-13, noise);
        close(estimates(&fit)[1], 0.5, 1e-13, noise);
        let variance = fit.scale.common().unwrap().powi(2) / fit.noise.family().information().location;
        let deviations: f64 = common.x.iter().map(|x| (x - 19.5).powi(2)).sum();
        close(fit.location.rows[1].std_error.unwrap(), (variance / deviations).sqrt(), 1e-12, noise);
    }
}

#[test]
fn without_heavy_tails_student_t_and_huber_are_gaussian() {
    let data = simulated(&Noise::Gaussian, 500, false, 3);
    let least_squares = closed_form::fit(&data.rows(), &Options::default()).unwrap();
    let huber = Noises::from(Noise::Huber(Huber::new(50.0)));
    let huber = inference::fit(&data.rows(), &huber, &common::plain()).unwrap().remove(0);
    let infinite = student_t(&data.rows(), f64::INFINITY).unwrap();
    // Uniform noise has lighter tails than any Student's t.
    let uniform = Data { y: (0..500).map(|i| data.x[i] + Random(i as u64 * 977).uniform()).collect(), ..data.clone() };
    let estimated = uniform.fit("student-t");
    let warning = estimated.warnings[0].to_string();
    for part in ["infinite degrees of freedom", "standard errors are those of the Gaussian fit", "AIC"] {
        assert!(warning.contains(part), "{warning}");
    }
    let shape = estimated.shape.as_ref().unwrap();
    assert!(shape.estimate.is_none() && shape.conf_high.is_none() && shape.conf_low.unwrap() > 5.0, "{shape:?}");
    let uniform = closed_form::fit(&uniform.rows(), &Options::default()).unwrap();
    for (fit, expected) in [(&huber, &least_squares), (&infinite, &least_squares), (&estimated, &uniform)] {
        for (found, expected) in fit.location.rows.iter().zip(&expected.location.rows) {
            let error = (found.estimate.unwrap() - expected.estimate.unwrap()).abs();
            assert!(error < 1e-11 * expected.std_error.unwrap(), "{found:?} {expected:?}");
        }
        close(fit.scale.common().unwrap(), expected.scale.common().unwrap(), 1e-12, "scale");
        close(fit.log_likelihood().unwrap(), expected.log_likelihood().unwrap(), 1e-13, "log-likelihood");
        close(fit.goodness.rmse, expected.goodness.rmse, 1e-12, "rmse");
    }
}

#[test]
fn the_interval_of_df_is_where_the_profile_likelihood_says() {
    let noise = Noise::StudentT(StudentT::new(5.0));
    // Few rows, whose profile is searched, and many, whose profile is read off along its tangent.
    for (n, modelled, tolerance) in [(200, false, 1e-5), (400, true, 1e-5), (30_000, false, 1e-4)] {
        let data = simulated(&noise, n, modelled, 7);
        let fit = data.fit("student-t");
        let shape = fit.shape.clone().unwrap();
        let (low, high) = (shape.conf_low.unwrap(), shape.conf_high.unwrap());
        assert!(low < shape.estimate.unwrap() && shape.estimate.unwrap() < high);
        for end in [low, high] {
            let there = student_t(&data.rows(), end).unwrap();
            let statistic = 2.0 * (fit.log_likelihood().unwrap() - there.log_likelihood().unwrap());
            // The 0.95 quantile of chi-squared with one degree of freedom.
            close(statistic, 3.841458820694124, tolerance, &format!("{n} rows, {end}"));
        }
    }
}

#[test]
fn an_end_of_the_interval_of_df_that_is_not_searched_is_absent() {
    // Tails heavier than the heaviest that are searched.
    let mut random = Random(17);
    let y = (0..60).map(|_| (random.uniform() - 0.5).signum() * (1.0 / random.uniform()).powi(4)).collect();
    let shape = Data { y, ..Data::default() }.fit("student-t").shape.unwrap();
    assert!(shape.estimate.unwrap() < 0.6 && shape.conf_low.is_none() && shape.conf_high.unwrap() < 1.0, "{shape:?}");
}

#[test]
fn many_rows_reached_by_way_of_a_sample_have_the_same_optimum() {
    let t = Noise::StudentT(StudentT::new(3.0));
    for (name, noise, modelled, rare) in [
        ("logistic", Noise::Logistic, true, false),
        ("huber", Noise::Logistic, false, true),
        ("student-t", t, false, true),
    ] {
        let mut data = simulated(&noise, 25_000, modelled, 23);
        if rare {
            // A level of a category that the sample is likely to miss.
            data.x.extend((0..25_000).map(|i| f64::from(u8::from(i == 777 || i == 20_777))));
        }
        let fit = data.fit(name);
        assert!(fit.termination.converged, "{name}: {:?}", fit.termination);
        let gradient = data.relative_gradient(&fit);
        assert!(gradient.iter().all(|g| *g < 1e-9), "{name}: {gradient:?}");
    }
}

#[test]
fn any_number_of_threads_gives_the_same_bits() {
    let data = simulated(&Noise::StudentT(StudentT::new(4.0)), 20_000, true, 31);
    for noise in ["student-t", "gaussian"] {
        let fit = |threads| {
            let rows = data.rows().with_threads(threads);
            inference::fit(&rows, &noise.parse::<Noises>().unwrap(), &common::plain()).unwrap()
        };
        assert_eq!(fit(1), fit(3), "{noise}");
    }
}

#[test]
fn frequencies_are_repeated_rows() {
    for (name, noise, models_scale) in families() {
        let data = simulated(&noise, 90, models_scale, 41);
        let mut repeated = Data { z: models_scale.then(Vec::new), ..Data::default() };
        let times = |i: usize| 1 + i % 3;
        let repeat = |values: &[f64]| -> Vec<f64> {
            values.chunks(90).flat_map(|c| (0..90).flat_map(move |i| std::iter::repeat_n(c[i], times(i)))).collect()
        };
        (repeated.y, repeated.x) = (repeat(&data.y), repeat(&data.x));
        repeated.z = data.z.as_ref().map(|z| repeat(z));
        let counted = Data { frequencies: Some((0..90).map(|i| times(i) as f64).collect()), ..data };
        let (counted, repeated) = (counted.fit(name), repeated.fit(name));
        assert_eq!((counted.nobs, counted.df_residual), (180, repeated.df_residual));
        close(counted.log_likelihood().unwrap(), repeated.log_likelihood().unwrap(), 1e-12, name);
        let all = |fit: &Fit| -> Vec<f64> {
            let rows = fit.location.rows.iter().chain(fit.scale.coefficients());
            rows.flat_map(|c| [c.estimate.unwrap(), c.std_error.unwrap()]).collect()
        };
        for (a, b) in all(&counted).into_iter().zip(all(&repeated)) {
            assert!((a - b).abs() < 1e-10 * (1.0 + a.abs()), "{name}: {a} {b}");
        }
    }
}

/// Rows cut into blocks, each block a unit of its own.
struct Cut<'a> {
    data: &'a Data,
    cuts: Vec<usize>,
    layout: Layout,
}

impl RowSource for Cut<'_> {
    fn layout(&self) -> &Layout {
        &self.layout
    }

    fn units(&self, empty: &dyn Pass, next: &mut Next<'_>) -> Result<(), Error> {
        let n = self.data.y.len();
        let mut start = 0;
        for &end in self.cuts.iter().chain([&n]) {
            let part = |values: &'_ Vec<f64>| -> Vec<Vec<f64>> {
                values.chunks(n).map(|column| column[start..end].to_vec()).collect()
            };
            let (x, z) = (part(&self.data.x), self.data.z.as_ref().map(part).unwrap_or_default());
            let mut state = empty.clone_box();
            if end > start {
                state.fold(&Block {
                    response: self.data.y[start..end].into(),
                    design: (&x.iter().map(|c| c[..].into()).collect::<Vec<Values<'_>>>()).into(),
                    scale_design: (&z.iter().map(|c| c[..].into()).collect::<Vec<Values<'_>>>()).into(),
                    weights: self.data.weights.as_ref().map(|w| &w[start..end]),
                    frequencies: self.data.frequencies.as_ref().map(|f| &f[start..end]),
                    log_jacobian: None,
                    clusters: &[],
                    effects: &[],
                    level_leverage: None,
                });
            }
            // Through bytes, as between machines.
            if next(empty.state_from_bytes(&empty.state_to_bytes(&*state)?)?).is_break() {
                break;
            }
            start = end.max(start);
        }
        Ok(())
    }
}

/// Coefficients within a part of their standard errors, those of the scale too, and everything that has no unit.
fn assert_alike(a: &Fit, b: &Fit, what: &str) {
    let rows = |fit: &Fit| [fit.location.rows.clone(), fit.scale.coefficients().to_vec()].concat();
    for (a, b) in rows(a).into_iter().zip(rows(b)) {
        let (error, size) = ((a.estimate.unwrap() - b.estimate.unwrap()).abs(), a.std_error.unwrap());
        assert!(error < 1e-9 * size, "{what}: {a:?} {b:?}");
        close(a.std_error.unwrap(), b.std_error.unwrap(), 1e-8, what);
    }
    let numbers = |fit: &Fit| {
        [
            fit.scale.common(),
            fit.log_likelihood(),
            fit.likelihood.map(|found| found.aic),
            fit.goodness.r_squared,
            Some(fit.goodness.rmse),
            fit.goodness.mae,
        ]
    };
    for (a, b) in numbers(a).into_iter().zip(numbers(b)) {
        assert!(
            (a.unwrap_or(0.0) - b.unwrap_or(0.0)).abs() < 1e-9 * (1.0 + a.unwrap_or(0.0).abs()),
            "{what}: {a:?} {b:?}"
        );
    }
    let df = |fit: &Fit| fit.shape.as_ref().and_then(|shape| shape.estimate).unwrap_or(0.0);
    assert!((df(a) - df(b)).abs() < 1e-7 * df(a).max(1e-3), "{what}: {} {}", df(a), df(b));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    #[test]
    fn the_fit_moves_with_the_data(
        seed in 0u64..1000,
        family in 0usize..6,
        modelled in any::<bool>(),
        factor in -3.0..3.0f64,
        added in prop::array::uniform4(-5.0..5.0f64),
        columns in prop::array::uniform3(0.01..100.0f64),
        cuts in prop::collection::vec(0usize..240, 0..5),
    ) {
        let (name, noise, models_scale) = families()[family];
        let n = 240;
        let data = simulated(&noise, n, modelled && models_scale, seed);
        let fit = data.fit(name);

        // y times a number plus a combination of the columns.
        let factor = factor.exp2() * if seed % 2 == 0 { 1.0 } else { -1.0 };
        let plane = |i: usize| added[0] + (0..3).map(|j| added[j + 1] * data.x[j * n + i]).sum::<f64>();
        let moved = Data { y: (0..n).map(|i| factor * data.y[i] + plane(i)).collect(), ..data.clone() };
        let mut expected = fit.clone();
        for (row, added) in expected.location.rows.iter_mut().zip(added) {
            row.estimate = row.estimate.map(|b| factor * b + added);
            row.std_error = row.std_error.map(|e| factor.abs() * e);
        }
        match &mut expected.scale {
            FittedScale::Common(scale) => *scale *= factor.abs(),
            FittedScale::Modelled { coefficients: Coefficients { rows, .. }, .. } => {
                rows[0].estimate = rows[0].estimate.map(|g| g + factor.abs().ln());
            }
        }
        let found = moved.fit(name);
        let by = n as f64 * factor.abs().ln();
        expected.likelihood = expected.likelihood.map(|found| Likelihood {
            log_likelihood: found.log_likelihood - by,
            aic: found.aic + 2.0 * by,
            ..found
        });
        expected.goodness.rmse *= factor.abs();
        expected.goodness.mae = expected.goodness.mae.map(|e| e * factor.abs());
        expected.goodness.r_squared = found.goodness.r_squared;
        assert_alike(&expected, &found, name);

        // The columns in other units, and the first added to the second.
        let mut other = data.clone();
        for (column, unit) in other.x.chunks_mut(n).zip(columns) {
            column.iter_mut().for_each(|x| *x *= unit);
        }
        for i in 0..n {
            other.x[n + i] += other.x[i];
        }
        let found = other.fit(name);
        let mut expected = estimates(&fit);
        (0..3).for_each(|j| expected[j + 1] /= columns[j]);
        expected[1] -= expected[2];
        for (row, expected) in found.location.rows.iter().zip(expected) {
            let error = (row.estimate.unwrap() - expected).abs();
            prop_assert!(error < 1e-9 * row.std_error.unwrap(), "{name}: {row:?} {expected}");
        }

        // The rows in another order, and in other blocks.
        let order: Vec<usize> = (0..n).map(|i| (i * 7 + 3) % n).collect();
        let permute = |values: &[f64]| -> Vec<f64> {
            values.chunks(n).flat_map(|column| order.iter().map(move |&i| column[i])).collect()
        };
        let mixed = Data { y: permute(&data.y), x: permute(&data.x), z: data.z.as_ref().map(|z| permute(z)), ..Data::default() };
        assert_alike(&fit, &mixed.fit(name), name);
        let mut cuts = cuts;
        cuts.sort_unstable();
        let cut = Cut { data: &data, cuts, layout: data.rows().layout().clone() };
        let parts = inference::fit(&cut, &name.parse::<Noises>().unwrap(), &common::plain()).unwrap().remove(0);
        assert_alike(&fit, &parts, name);
    }
}

#[test]
fn degenerate_rows_have_a_right_answer_or_say_why_not() {
    let fit = |y: &[f64], x: &[f64], noise: &str| -> Result<Fit, Error> {
        let design = Matrix::column_major(x, y.len(), x.len() / y.len()).unwrap();
        let rows = MemoryRows::new(y, design).unwrap();
        inference::fit(&rows, &noise.parse::<Noises>().unwrap(), &common::plain()).map(|mut fits| fits.remove(0))
    };
    for noise in ["logistic", "student-t", "student-t:3", "huber"] {
        // One row, as many rows as coefficients, a constant response, a response on the line.
        for (y, x, estimate) in [
            (&[5.0][..], &[][..], 5.0),
            (&[1.0, 3.0], &[0.0, 1.0], 1.0),
            (&[4.0; 6], &[], 4.0),
            (&[1.0, 2.0, 3.0, 4.0], &[0.0, 1.0, 2.0, 3.0], 1.0),
        ] {
            let fit = fit(y, x, noise).unwrap();
            assert!((fit.location.rows[0].estimate.unwrap() - estimate).abs() < 1e-14, "{noise}: {fit:?}");
            assert_eq!(
                (fit.scale.common(), fit.log_likelihood(), fit.goodness.rmse),
                (Some(0.0), None, 0.0),
                "{noise}"
            );
            assert_eq!(fit.warnings.len(), 1, "{noise}: {:?}", fit.warnings);
        }
        // Numbers of any size: the same fit in other units.
        let y = [1.0, 2.5, 2.0, 4.5, 3.5, 6.5, 7.0, 6.0, 9.5, 8.0, 12.0, 10.5];
        let x: Vec<f64> = (0..12).map(f64::from).collect();
        let expected = fit(&y, &x, noise).unwrap();
        for unit in [1e-150, 1e-30, 1e30, 1e145] {
            let found = fit(&y.map(|y| y * unit), &x.iter().map(|x| x / unit).collect::<Vec<_>>(), noise).unwrap();
            close(found.scale.common().unwrap() / unit, expected.scale.common().unwrap(), 1e-12, noise);
            let slope = found.location.rows[1].estimate.unwrap();
            close(slope / unit / unit, expected.location.rows[1].estimate.unwrap(), 1e-11, noise);
        }
        let y = y.map(|y| y * 1e-170);
        assert!(matches!(fit(&y, &x, noise), Err(Error::Range { .. })), "{noise}");
    }
    // A collinear column is left out of the mean, and of the scale.
    let mut data = simulated(&Noise::Logistic, 100, true, 3);
    let last: Vec<f64> = (0..100).map(|i| data.x[i] + data.x[100 + i]).collect();
    data.x.extend(last);
    let z = data.z.as_mut().unwrap();
    let last: Vec<f64> = (0..100).map(|i| 2.0 * z[i]).collect();
    z.extend(last);
    let fit = data.fit("logistic");
    assert_eq!(fit.location.rows[4].estimate, None);
    assert_eq!(fit.scale.coefficients()[3].estimate, None);
    assert!(fit.scale.coefficients()[2].std_error.unwrap() > 0.0);
    assert!(fit.warnings.contains(&Warning::AliasedInScale { terms: vec!["z3".to_owned()] }), "{:?}", fit.warnings);
}

#[test]
fn likelihoods_without_bound_are_refused_and_their_rows_named() {
    // Group b is on a line of its own, fitted exactly, and has a scale of its own.
    let (mut y, mut x, mut z) = (Vec::new(), Vec::new(), Vec::new());
    for i in 0..30 {
        let b = f64::from(u8::from(i >= 24));
        y.push(if i >= 24 { 10.0 } else { f64::from(i % 7) });
        x.push(b);
        z.push(b);
    }
    let data = Data { y, x, z: Some(z), ..Data::default() };
    let rows = |names: &[&str]| {
        let z = Matrix::column_major(data.z.as_ref().unwrap(), 30, 1).unwrap();
        MemoryRows::new(&data.y, Matrix::column_major(&data.x, 30, 1).unwrap())
            .unwrap()
            .with_scale_design(z, names)
            .unwrap()
    };
    for noise in ["gaussian", "logistic", "student-t:4", "student-t"] {
        let error =
            inference::fit(&rows(&["group[b]"]), &noise.parse::<Noises>().unwrap(), &common::plain()).unwrap_err();
        let text = error.to_string();
        assert!(matches!(error, Error::Unbounded(_)), "{noise}: {text}");
        assert!(text.contains("where group[b] is 1, where 6 of 30 observations are fitted exactly"), "{noise}: {text}");
    }
    // The same where the scale falls by a little in each of two searches.
    let y = vec![0.0, 0.0, 0.0, 0.0, 0.0, 1.0, 1.0, 0.0];
    let x = vec![0.0, 1.0, 1.0, 0.0, 0.0, 1.0, 2.0, 2.0];
    let z = vec![0.5, 0.2, 0.2, 0.2, 0.2, 0.3, 0.3, 0.3];
    let twice = Data { y, x, z: Some(z), ..Data::default() };
    let error = inference::fit(&twice.rows().without_intercept(), &[Noise::Gaussian], &common::plain()).unwrap_err();
    assert!(error.to_string().starts_with("the likelihood has no bound"), "{error}");
    // Half of the rows are the same number: with tails this heavy they are all that counts.
    let y: Vec<f64> = (0..40).map(|i| if i % 2 == 0 { 3.5 } else { f64::from(i) }).collect();
    let rows = MemoryRows::new(&y, Matrix::column_major(&[], 40, 0).unwrap()).unwrap();
    let error = student_t(&rows, 0.6).unwrap_err();
    assert!(error.to_string().contains("20 of 40 observations are fitted exactly"), "{error}");
    assert!(inference::fit(&rows, &[Noise::Logistic], &common::plain()).unwrap()[0].termination.converged);
    // Families without a modelled scale say so.
    let scale = ScaleLayout::default();
    assert!(!scale.intercept);
    let error = inference::fit(
        &simulated(&Noise::Logistic, 20, true, 1).rows(),
        &"huber".parse::<Noises>().unwrap(),
        &common::plain(),
    );
    assert!(error.unwrap_err().to_string().starts_with("the scale of huber noise cannot be modelled"));
}

#[test]
fn a_maximum_beside_a_likelihood_without_bound_is_told_as_such() {
    let alone = |y: Vec<f64>, noise: &str| {
        let rows = MemoryRows::new(&y, Matrix::column_major(&[], y.len(), 0).unwrap()).unwrap();
        inference::fit(&rows, &noise.parse::<Noises>().unwrap(), &common::plain()).map(|mut fits| fits.remove(0))
    };
    let told = |found: Result<Fit, Error>| match found {
        Ok(fit) => fit.warnings.iter().map(Warning::to_string).collect::<Vec<_>>().join("\n"),
        Err(error) => error.to_string(),
    };
    // No bound for df < m / (n - m): 15 rows of 20, 3 degrees of freedom.
    let threes = |n: usize| (0..n).map(|i| if i < 15 { 3.0 } else { i as f64 }).collect::<Vec<_>>();
    for noise in ["student-t", "student-t:0.5", "student-t:1", "student-t:2", "student-t:2.9"] {
        let text = told(alone(threes(20), noise));
        assert!(text.contains("no bound") && text.contains("15 of 20 observations"), "{noise}: {text}");
        assert!(!text.contains("largest at infinite"), "{noise}: {text}");
    }
    assert_eq!(told(alone(threes(20), "student-t:3.1")), "");
    assert_eq!(told(alone(threes(100), "student-t:1")), "");
    // Less than half of the rows, all on one side of the others: 99 / 101.
    let zeros: Vec<f64> = (0..200).map(|i| if i < 99 { 0.0 } else { (i - 90) as f64 }).collect();
    let text = told(alone(zeros.clone(), "student-t:0.5"));
    assert!(text.contains("99 of 200 observations"), "{text}");
    assert_eq!(told(alone(zeros.clone(), "student-t:1")), "");
    // Many rows, of which a sample says where to look.
    let many: Vec<f64> = (0..40_000).map(|i| if i % 2 == 0 { 0.0 } else { ((i * 7919) % 40_009) as f64 }).collect();
    let text = told(alone(many, "student-t:0.8"));
    assert!(text.contains("20000 of 40000 observations"), "{text}");
    // Observations, not rows.
    let y: Vec<f64> = (0..11).map(f64::from).collect();
    let frequencies: Vec<f64> = (0..11).map(|i| if i == 4 { 10.0 } else { 1.0 }).collect();
    let rows = MemoryRows::new(&y, Matrix::column_major(&[], 11, 0).unwrap()).unwrap();
    let rows = rows.with_frequencies(&frequencies).unwrap();
    let text = told(student_t(&rows, 0.9));
    assert!(text.contains("10 of 20 observations"), "{text}");
}

#[test]
fn laplace_noise_of_a_modelled_scale_is_at_a_vertex_and_a_maximum() {
    // Two groups with columns of their own in both formulas: each is the median and the mean deviation of its own.
    let groups = [[1.0, 2.0, 4.0, 9.0, 30.0], [10.0, 11.0, 15.0, 16.0, -3.0]];
    let y = groups.concat();
    let x: Vec<f64> = (0..10).map(|i| f64::from(u8::from(i >= 5))).collect();
    let fit = Data { y, x: x.clone(), z: Some(x), ..Data::default() }.fit("laplace");
    let g = log_scale(&fit);
    for (found, expected) in estimates(&fit).into_iter().zip([4.0, 7.0]) {
        close(found, expected, 1e-14, "median");
    }
    close(g[0].exp(), (3.0 + 2.0 + 0.0 + 5.0 + 26.0) / 5.0, 1e-13, "first group");
    close((g[0] + g[1]).exp(), (1.0 + 0.0 + 4.0 + 5.0 + 14.0) / 5.0, 1e-13, "second group");
    let vertex = fit.vertex.clone().unwrap();
    assert_eq!((vertex.zero_residuals, vertex.unique), (2, true));
    // With an intercept the mean of |r| is one.
    close(vertex.objective, 10.0, 1e-13, "objective");
    for (row, expected) in fit.scale.coefficients().iter().zip([0.2, 0.4]) {
        close(row.std_error.unwrap(), f64::sqrt(expected), 1e-12, "scale");
    }

    for n in [80, 25_000] {
        let mut data = simulated(&Noise::Laplace, n, true, 13);
        data.frequencies = Some((0..n).map(|i| (1 + i % 2) as f64).collect());
        let mut random = Random(5);
        data.weights = Some((0..n).map(|_| 0.5 + random.uniform()).collect());
        let fit = data.fit("laplace");
        assert!(fit.termination.converged, "{n}: {:?}", fit.termination);
        assert_eq!(fit.termination.reason, Reason::VertexOptimalGivenScale);
        assert_eq!(fit.vertex.as_ref().unwrap().zero_residuals, 4);
        let (b, g) = (estimates(&fit), log_scale(&fit));
        let top = data.log_likelihood(&fit.noise, &b, &g);
        close(fit.log_likelihood().unwrap(), top, 1e-13, "log-likelihood");
        for size in [1e-5, 1e-2, 1.0] {
            // In the direction of every coefficient, and of many combinations.
            for trial in 0..60 {
                let mut moved = (b.clone(), g.clone());
                for (j, b) in moved.0.iter_mut().enumerate() {
                    let part = if trial / 2 == j {
                        1.0
                    } else if trial < 14 {
                        0.0
                    } else {
                        random.uniform() - 0.5
                    };
                    let sign = if trial % 2 == 0 { 1.0 } else { -1.0 };
                    *b += sign * size * part * fit.location.rows[j].std_error.unwrap();
                }
                for (k, g) in moved.1.iter_mut().enumerate() {
                    let part = if trial / 2 == k + 4 {
                        1.0
                    } else if trial < 14 {
                        0.0
                    } else {
                        random.uniform() - 0.5
                    };
                    let sign = if trial % 2 == 0 { 1.0 } else { -1.0 };
                    *g += sign * size * part * fit.scale.coefficients()[k].std_error.unwrap();
                }
                let there = data.log_likelihood(&fit.noise, &moved.0, &moved.1);
                assert!(there < top + 1e-13 * top.abs(), "{n} rows, {size}, {trial}: {there} {top}");
            }
        }
    }
    // A group on a line of its own.
    let mut data = simulated(&Noise::Laplace, 60, false, 3);
    let group: Vec<f64> = (0..60).map(|i| f64::from(u8::from(i >= 50))).collect();
    data.y[50..].fill(7.0);
    data.x = group.clone();
    data.z = Some(group);
    let error = inference::fit(&data.rows(), &[Noise::Laplace], &common::plain()).unwrap_err();
    assert!(error.to_string().contains("where z1 is 1, where 11 of 60 observations"), "{error}");
}

/// The greatest log-likelihood of Laplace noise over the lines through two rows each, one of which the maximum is on; on each,
/// that of the scale `exp(g0 + g1 z)` by Newton's method, in which it is concave.
fn highest_of_all_lines(data: &Data) -> f64 {
    let (n, z) = (data.y.len(), data.z.as_ref().unwrap());
    let mut highest = f64::NEG_INFINITY;
    for (i, j) in (0..n).flat_map(|i| (0..i).map(move |j| (i, j))) {
        let slope = (data.y[i] - data.y[j]) / (data.x[i] - data.x[j]);
        let e: Vec<f64> = (0..n).map(|k| (data.y[k] - data.y[i] - slope * (data.x[k] - data.x[i])).abs()).collect();
        let value = |g: [f64; 2]| -> f64 {
            (0..n).map(|k| -e[k] * (-g[0] - g[1] * z[k]).exp() - g[0] - g[1] * z[k] - 2f64.ln()).sum()
        };
        let (mut g, mut top) = ([0.0; 2], value([0.0; 2]));
        for _ in 0..100 {
            let (mut d, mut h) = ([0.0; 2], [0.0; 3]);
            for k in 0..n {
                let r = e[k] * (-g[0] - g[1] * z[k]).exp();
                d = [d[0] + r - 1.0, d[1] + (r - 1.0) * z[k]];
                h = [h[0] + r, h[1] + r * z[k], h[2] + r * z[k] * z[k]];
            }
            let determinant = h[0] * h[2] - h[1] * h[1];
            let step = [(h[2] * d[0] - h[1] * d[1]) / determinant, (h[0] * d[1] - h[1] * d[0]) / determinant];
            let parts = (0..60).map(|halvings| 0.5f64.powi(halvings));
            let moved = |part: f64| [g[0] + part * step[0], g[1] + part * step[1]];
            let Some(next) = parts.map(moved).find(|&next| value(next) > top) else { break };
            (g, top) = (next, value(next));
        }
        highest = highest.max(top);
    }
    highest
}

#[test]
fn laplace_noise_of_a_modelled_scale_has_the_highest_of_several_maxima() {
    for seed in 0..40 {
        let mut random = Random(1000 + seed);
        let mut column = |size: f64| -> Vec<f64> { (0..10).map(|_| size * (random.uniform() - 0.5)).collect() };
        let (x, z, u) = (column(2.0), column(4.0), column(2.0));
        let y = (0..10).map(|i| x[i] - u[i].signum() * (1.0 - u[i].abs()).ln() * (0.5 * z[i]).exp()).collect();
        let data = Data { y, x, z: Some(z), ..Data::default() };
        let short = highest_of_all_lines(&data) - data.fit("laplace").log_likelihood().unwrap();
        // A scale of 1e-8 where a line passes makes the rounding of its residuals count.
        assert!(short.abs() < 1e-6, "{seed}: {short}");
    }
}

#[test]
fn a_scale_without_an_intercept_is_the_same_model_of_groups() {
    // Two groups by an indicator and an intercept, and by two indicators.
    let noise = Noise::StudentT(StudentT::new(3.0));
    let mut data = simulated(&noise, 300, false, 19);
    let group: Vec<f64> = (0..300).map(|i| f64::from(u8::from(i % 3 == 0))).collect();
    data.z = Some(group.clone());
    let with = data.fit("student-t");
    let layout = Layout {
        response: "y".into(),
        terms: vec!["x1".into(), "x2".into(), "x3".into()],
        intercept: true,
        scale: Some(ScaleLayout { terms: vec!["a".into(), "b".into()], intercept: false }),
        ..Layout::default()
    };
    data.z = Some([group.iter().map(|b| 1.0 - b).collect(), group].concat());
    let rows = Cut { data: &data, cuts: vec![100], layout };
    let without = inference::fit(&rows, &[Noise::StudentT(StudentT::FREE)], &common::plain()).unwrap().remove(0);
    close(without.log_likelihood().unwrap(), with.log_likelihood().unwrap(), 1e-13, "log-likelihood");
    let (a, b) = (log_scale(&with), log_scale(&without));
    assert!((a[0] - b[0]).abs() < 1e-10 && (a[0] + a[1] - b[1]).abs() < 1e-10, "{a:?} {b:?}");
    // The variance of the intercept and that of the first group, and of the sum and the second.
    let v = &with.scale.vcov();
    close(without.scale.vcov()[0][0], v[0][0], 1e-9, "first group");
    close(without.scale.vcov()[1][1], v[0][0] + 2.0 * v[0][1] + v[1][1], 1e-9, "second group");
    close(without.scale.vcov()[0][1], v[0][0] + v[0][1], 1e-9, "both");
}

#[test]
fn a_scale_that_has_to_grow_ten_thousandfold_gets_there() {
    // No intercept of the scale, and responses in a small unit: the start has residuals of thousands of scales.
    let noise = Noise::StudentT(StudentT::new(30.0));
    let mut data = simulated(&noise, 300, false, 29);
    data.y.iter_mut().for_each(|y| *y *= 1e4);
    data.z = Some((0..300).map(|i| 0.5 + f64::from(i % 7)).collect());
    let layout = Layout {
        response: "y".into(),
        terms: vec!["x1".into(), "x2".into(), "x3".into()],
        intercept: true,
        scale: Some(ScaleLayout { terms: vec!["z".into()], intercept: false }),
        ..Layout::default()
    };
    let rows = Cut { data: &data, cuts: vec![150], layout };
    for noise in ["gaussian", "logistic"] {
        let fit = inference::fit(&rows, &noise.parse::<Noises>().unwrap(), &common::plain()).unwrap().remove(0);
        assert!(fit.termination.converged && fit.termination.iterations < 60, "{noise}: {:?}", fit.termination);
        // The derivative by the slope of ln s: the sum of z (r psi(r) - 1).
        let (b, g) = (estimates(&fit), log_scale(&fit)[0]);
        let (mut score, mut size) = (0.0, 0.0);
        for i in 0..300 {
            let z = data.z.as_ref().unwrap()[i];
            let mu = b[0] + (0..3).map(|j| b[j + 1] * data.x[j * 300 + i]).sum::<f64>();
            let r = (data.y[i] - mu) * (-g * z).exp();
            let term = z * (r * fit.noise.family().score(r) - 1.0);
            (score, size) = (score + term, size + term.abs());
        }
        assert!(score.abs() < 1e-9 * size, "{noise}: {score:e} of {size:e}");
    }
}
