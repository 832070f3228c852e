//! Cauchy noise is Student's t with one degree of freedom, in all that can be asked of it; and its maxima are those known from
//! elsewhere.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use common::{close, close_all, estimates, testdata};
use noisefit_core::compare::Candidate;
use noisefit_core::inference::Options;
use noisefit_core::inference::covariance::Vcov;
use noisefit_core::inference::evaluate::Evaluation;
use noisefit_core::inference::predict::{IntervalKind, NewRows, Predictor};
use noisefit_core::inference::{self, conformal, profile};
use noisefit_core::network::{Objective, Targets};
use noisefit_core::noise::{Cauchy, Evaluate, Kernel, Noise, NoiseFamily, StudentT};
use noisefit_core::record::Fit;
use noisefit_core::rows::{Design, Matrix, MemoryRows, RowSourceExt, Values};
use serde_json::Value;

const STUDENT_T: Noise = Noise::StudentT(StudentT::new(1.0));

/// Rows with Cauchy noise whose scale grows with the second column.
struct Data {
    y: Vec<f64>,
    x: [Vec<f64>; 2],
    weights: Vec<f64>,
    groups: Vec<u64>,
}

const ROWS: usize = 240;

impl Data {
    fn new() -> Self {
        let mut state = 7u64;
        let mut uniform = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            ((state >> 33) as f64 + 0.5) / (1u64 << 31) as f64
        };
        let mut data = Data { y: Vec::new(), x: [Vec::new(), Vec::new()], weights: Vec::new(), groups: Vec::new() };
        for i in 0..ROWS {
            let x = [10.0 + 3.0 * uniform(), uniform() - 0.5];
            data.y.push(1.0 + 0.5 * x[0] - 2.0 * x[1] + x[1].exp() * Cauchy.sample(uniform()));
            data.x.iter_mut().zip(x).for_each(|(column, value)| column.push(value));
            data.weights.push(0.5 + uniform());
            data.groups.push(i as u64 % 20);
        }
        data
    }

    fn design(&self) -> Vec<f64> {
        self.x.concat()
    }

    fn rows<'a>(&'a self, design: &'a [f64], modelled: bool) -> MemoryRows<'a> {
        let rows = MemoryRows::new(&self.y, Matrix::column_major(design, ROWS, 2).unwrap()).unwrap();
        let rows = rows.with_weights(&self.weights).unwrap().with_clusters("group", &self.groups).unwrap();
        match modelled {
            true => {
                rows.with_scale_design(Matrix::column_major(&self.x[1], ROWS, 1).unwrap(), &["x2".to_owned()]).unwrap()
            }
            false => rows,
        }
    }
}

fn fit(rows: &MemoryRows<'_>, noise: Noise, vcov: &str) -> Fit {
    let options = Options { vcov: vcov.parse::<Vcov>().unwrap(), ..common::plain() };
    inference::fit(rows, &[noise], &options).unwrap().remove(0)
}

/// Asserts that two records agree, number by number, but for how they were reached.
#[track_caller]
fn alike(one: &Value, other: &Value, what: &str) {
    match (one, other) {
        (Value::Object(one), Value::Object(other)) => {
            assert_eq!(one.keys().collect::<Vec<_>>(), other.keys().collect::<Vec<_>>(), "{what}");
            let reached = ["noise", "termination", "accuracy", "loss"];
            for (key, value) in one.iter().filter(|(key, value)| !reached.contains(&key.as_str()) || value.is_number())
            {
                alike(value, &other[key], &format!("{what}, {key}"));
            }
        }
        (Value::Array(one), Value::Array(other)) => {
            assert_eq!(one.len(), other.len(), "{what}");
            one.iter().zip(other).for_each(|(one, other)| alike(one, other, what));
        }
        (Value::Number(one), Value::Number(other)) => {
            let (one, other) = (one.as_f64().unwrap(), other.as_f64().unwrap());
            assert!((one - other).abs() <= 1e-10 * other.abs().max(1e-5), "{what}: {one} where {other} was expected");
        }
        _ => assert_eq!(one, other, "{what}"),
    }
}

fn json(value: &impl serde::Serialize) -> Value {
    serde_json::to_value(value).unwrap()
}

#[test]
fn fits_and_what_follows_from_them_are_those_of_one_degree_of_freedom() {
    let data = Data::new();
    let design = data.design();
    for modelled in [false, true] {
        let rows = data.rows(&design, modelled);
        for vcov in ["classical", "observed", "expected", "sandwich", "cluster:group", "hac:3", "bootstrap:20"] {
            let what = format!("modelled {modelled}, {vcov}");
            let [cauchy, student_t] = [Noise::Cauchy, STUDENT_T].map(|noise| fit(&rows, noise, vcov));
            assert!(cauchy.termination.converged, "{what}: {:?}", cauchy.termination);
            alike(&json(&cauchy), &json(&student_t), &what);

            let columns: Vec<Values<'_>> = data.x.iter().map(|column| Values::from(&column[..])).collect();
            let scale: Vec<Values<'_>> = vec![Values::from(&data.x[1][..])];
            let mut new = NewRows::new(&columns, ROWS);
            new.weights = Some(&data.weights);
            new.scale_design = if modelled { (&scale).into() } else { Design::default() };
            for kind in [IntervalKind::Confidence, IntervalKind::Prediction] {
                let [one, other] =
                    [&cauchy, &student_t].map(|fit| Predictor::new(fit).unwrap().intervals(&new, kind, 0.9).unwrap());
                close_all(&one.low, &other.low, 1e-10, &what);
                close_all(&one.high, &other.high, 1e-10, &what);
            }
            let [one, other] = [&cauchy, &student_t]
                .map(|fit| rows.pass(Evaluation::new(fit, 0.9).unwrap()).unwrap().finish().unwrap());
            alike(&json(&one), &json(&other), &what);
        }
    }
    for vcov in ["hc3", "nid", "kernel"] {
        let options = Options { vcov: vcov.parse().unwrap(), ..Options::default() };
        let [one, other] = [Noise::Cauchy, STUDENT_T].map(|noise| {
            let error = inference::fit(&data.rows(&design, false), &[noise], &options).unwrap_err().to_string();
            error.split_once(": ").unwrap().1.to_owned()
        });
        assert_eq!(one, other);
    }
}

#[test]
fn profiles_are_those_of_one_degree_of_freedom() {
    let data = Data::new();
    let design = data.design();
    let rows = data.rows(&design, false);
    let options = noisefit_core::estimate::Options::default();
    let [(cauchy, curve), (student_t, other)] = [Noise::Cauchy, STUDENT_T].map(|noise| {
        let mut fit = fit(&rows, noise, "classical");
        profile::intervals(&rows, &mut fit, &options).unwrap();
        let curve = profile::curve(&rows, &fit, "x1", &[0.3, 0.5, 0.7], true, &options).unwrap();
        (fit, curve)
    });
    for (one, other) in cauchy.location.rows.iter().zip(&student_t.location.rows) {
        close(one.conf_low.unwrap(), other.conf_low.unwrap(), 1e-8, "the lower end");
        close(one.conf_high.unwrap(), other.conf_high.unwrap(), 1e-8, "the upper end");
    }
    assert_eq!(curve.loss, "mean cauchy loss");
    alike(&json(&curve), &json(&other), "the curve");
}

#[test]
fn conformal_intervals_are_those_of_one_degree_of_freedom() {
    let data = Data::new();
    let design = data.design();
    let rows = data.rows(&design, false);
    let [one, other] = [Noise::Cauchy, STUDENT_T]
        .map(|noise| conformal::fit(&rows, &[noise], &Options::default(), &conformal::Plan::default()).unwrap().1);
    alike(&json(&one), &json(&other), "conformal");
}

#[test]
fn the_likelihood_that_is_trained_is_that_of_one_degree_of_freedom() {
    let response: Vec<f32> = (0..100).map(|i| (i as f32 * 0.37).sin() * 4.0).collect();
    let targets = Targets { response: &response, weights: None, frequencies: None };
    for modelled in [false, true] {
        let width = if modelled { 2 } else { 1 };
        let outputs: Vec<f32> = (0..100 * width).map(|i| (i as f32 * 0.11).cos()).collect();
        let common = vec![0.3f32; 2 - width];
        let found = [Noise::Cauchy, STUDENT_T].map(|noise| {
            let objective = Objective::of(&[noise], modelled, 1.0).unwrap();
            let (mut by_output, mut by_noise) = (vec![0.0; outputs.len()], vec![0.0; common.len()]);
            let loss = objective.evaluate(&outputs, &targets, &common, &mut by_output, &mut by_noise);
            (loss, by_output, by_noise)
        });
        close(found[0].0, found[1].0, 1e-14, "the loss");
        // In single precision a unit apart where double precision rounds otherwise.
        let gradients = |k: usize| found[k].1.iter().chain(&found[k].2).map(|g| f64::from(*g)).collect::<Vec<_>>();
        close_all(&gradients(0), &gradients(1), 1e-6, "the gradient");
    }
}

#[test]
fn it_is_compared_where_it_is_named() {
    assert!(Candidate::all(true).iter().all(|candidate| candidate.noise != Noise::Cauchy));
    let candidate: Candidate = "cauchy+scale".parse().unwrap();
    assert_eq!(candidate.to_string(), "cauchy+scale");
}

#[test]
fn four_observations_have_their_maximum_where_ferguson_found_it() {
    // Ferguson 1978, JASA 73, 211-213: rational functions of the ordered sample.
    for [a, b, c, d] in [[-3.0, -1.0, 2.0, 11.0], [0.0, 1.0, 2.0, 100.0], [-7.5, 0.25, 0.5, 3.0f64]] {
        let y = [c, a, d, b];
        let rows = MemoryRows::new(&y, Matrix::column_major(&[], 4, 0).unwrap()).unwrap();
        let found = fit(&rows, Noise::Cauchy, "classical");
        let sum = d - c + b - a;
        let (location, square) = ((b * d - a * c) / sum, (d - c) * (c - b) * (b - a) * (d - a) / (sum * sum));
        close(estimates(&found)[0], location, 1e-10, "the location");
        close(found.scale.common().unwrap(), square.sqrt(), 1e-10, "the scale");
        // s sqrt(2 / n): one half of the information is about the location.
        close(found.location.rows[0].std_error.unwrap(), (2.0 * square / 4.0).sqrt(), 1e-10, "the standard error");
    }
}

#[test]
fn the_maximum_of_fifty_digits() {
    let reference: Value = serde_json::from_str(&testdata("reference/likelihood.json")).unwrap();
    let entry = &reference["phones, student-t 1"];
    let file = testdata("phones.csv");
    let mut lines = file.lines();
    let header: Vec<&str> = lines.next().unwrap().split(',').map(|name| name.trim_matches('"')).collect();
    let rows: Vec<Vec<f64>> = lines.map(|line| line.split(',').map(|cell| cell.parse().unwrap()).collect()).collect();
    let column = |name: &str| -> Vec<f64> {
        let j = header.iter().position(|other| *other == name).unwrap();
        rows.iter().map(|row| row[j]).collect()
    };
    let (y, x) = (column("calls"), column("year"));
    let rows = MemoryRows::new(&y, Matrix::column_major(&x, y.len(), 1).unwrap()).unwrap();
    let found = fit(&rows, Noise::Cauchy, "classical");
    let numbers = |key: &str| -> Vec<f64> {
        entry[key].as_array().unwrap().iter().map(|value| value.as_str().unwrap().parse().unwrap()).collect()
    };
    close_all(&estimates(&found), &numbers("coefficients"), 1e-10, "coefficients");
    close_all(&[found.scale.common().unwrap().ln()], &numbers("log_scale"), 1e-10, "log scale");
    let log_likelihood: f64 = entry["log_likelihood"].as_str().unwrap().parse().unwrap();
    close(found.log_likelihood().unwrap(), log_likelihood, 1e-12, "log-likelihood");
}

#[test]
fn its_functions_to_sixty_digits() {
    // r, -ln f(r), P(R <= r), P(R > r): mpmath.
    for [r, negative_log_density, below, above] in [
        [-1e300, 1382.695785682277, 3.1830988618379065e-301, 1.0],
        [-1e20, 93.24813360561123, 3.1830988618379067e-21, 1.0],
        [-700.25, 14.247606753487137, 0.00045456575480371956, 0.9995454342451963],
        [-4.2, 4.070039695106845, 0.07440276529861721, 0.9255972347013828],
        [-0.3, 1.2309075820904525, 0.40722642092225764, 0.5927735790777423],
        [-1e-9, 1.1447298858494002, 0.4999999996816901, 0.5000000003183099],
        [0.02, 1.145129805870727, 0.5063653491009728, 0.4936346508990272],
        [1.3, 2.134271079463148, 0.7912855998398473, 0.20871440016015272],
        [45.0, 8.758548570658029, 0.992927610999685, 0.0070723890003150615],
        [1e160, 737.971959643944, 1.0, 3.1830988618379067e-161],
    ] {
        close(Cauchy.negative_log_density(r), negative_log_density, 1e-15, "-ln f");
        close(Cauchy.cdf(r), below, 1e-15, "cdf");
        close(Cauchy.survival(r), above, 1e-15, "survival");
    }
    for [p, lower] in [
        [1e-9, -318309886.1837906],
        [0.1, -3.077683537175253],
        [0.25, -1.0],
        [0.3, -0.7265425280053609],
        [0.4999, -0.0003141592756943707],
        [0.6, 0.32491969623290623],
        [0.9, 3.077683537175254],
    ] {
        close(Cauchy.quantile(p), lower, 1e-15, "quantile");
        close(Cauchy.upper_quantile(p), -lower, 1e-15, "upper quantile");
    }
    // The kernel of one degree of freedom is another formula for the same functions.
    for r in [-1e90, -31.0, -1.0, -0.3, -1e-12, 0.0, 1e-200, 0.7, 1.0, 20.0, 1e12] {
        let (own, other) = (Cauchy.at(r), StudentT::new(1.0).evaluate(r));
        close(own.value, other.value, 1e-14, "rho");
        close(own.score, other.score, 1e-15, "psi");
        assert!((own.curvature - other.curvature).abs() <= 1e-15 * other.curvature.abs().max(1e-30), "psi' at {r}");
    }
}
