//! Huber regression against exact solutions, R, and what must hold of any data.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by panicking, also in its helpers"
)]

use noisefit::fit::Fit;
use noisefit::linear::{Options, huber};
use noisefit::noise::{Choice, Huber, HuberScale};
use noisefit::rows::{Matrix, MemoryRows};
use serde_json::Value;

const MAD: HuberScale = HuberScale::Mad { constant: Huber::NORMAL_QUARTILE };
const MASS: HuberScale = HuberScale::Mad { constant: 0.6745 };
const SCALES: [HuberScale; 3] = [MAD, HuberScale::Proposal2, HuberScale::MaximumLikelihood];

#[track_caller]
fn close(value: f64, reference: f64, tolerance: f64, what: &str) {
    let error = (value - reference).abs();
    assert!(error <= tolerance * reference.abs(), "{what}: {value:e} where {reference:e} was expected");
}

/// A response and a design of columns, row by row.
struct Data {
    y: Vec<f64>,
    x: Vec<f64>,
    columns: usize,
}

impl Data {
    fn rows(&self) -> MemoryRows<'_> {
        MemoryRows::new(&self.y, Matrix::row_major(&self.x, self.y.len(), self.columns).unwrap()).unwrap()
    }

    fn row(&self, i: usize) -> &[f64] {
        &self.x[i * self.columns..(i + 1) * self.columns]
    }
}

fn testdata(name: &str) -> String {
    std::fs::read_to_string(format!("{}/../testdata/{name}", env!("CARGO_MANIFEST_DIR"))).unwrap()
}

fn csv(name: &str, response: &str, terms: &[&str]) -> Data {
    let text = testdata(name);
    let mut lines = text.lines().map(|line| line.split(',').collect::<Vec<_>>());
    let header = lines.next().unwrap();
    let place = |name: &str| header.iter().position(|column| *column == name).unwrap();
    let (mut y, mut x) = (Vec::new(), Vec::new());
    for line in lines {
        let value = |name: &str| line[place(name)].parse::<f64>().unwrap();
        y.push(value(response));
        x.extend(terms.iter().map(|term| value(term)));
    }
    Data { y, x, columns: terms.len() }
}

fn references() -> Vec<(Value, Data)> {
    let cases: Vec<Value> = serde_json::from_str(&testdata("reference/huber.json")).unwrap();
    let data = |case: &Value| {
        let terms: Vec<&str> = case["terms"].as_array().unwrap().iter().map(|term| term.as_str().unwrap()).collect();
        csv(case["data"].as_str().unwrap(), case["response"].as_str().unwrap(), &terms)
    };
    cases.into_iter().map(|case| (case.clone(), data(&case))).collect()
}

fn number(value: &Value) -> f64 {
    value.as_f64().or_else(|| value.as_str()?.parse().ok()).unwrap()
}

fn estimates(fit: &Fit) -> Vec<f64> {
    fit.coefficients.iter().map(|c| c.estimate.unwrap()).collect()
}

fn compare(fit: &Fit, expected: &Value, tolerance: f64, what: &str) {
    assert!(fit.termination.converged, "{what}: {:?}", fit.termination);
    for (b, exact) in estimates(fit).into_iter().zip(expected["coefficients"].as_array().unwrap()) {
        close(b, number(exact), tolerance, what);
    }
    close(fit.scale.unwrap(), number(&expected["scale"]), tolerance, what);
    if let Some(exact) = expected.get("log_likelihood") {
        close(fit.log_likelihood.unwrap(), number(exact), tolerance, what);
    }
}

#[test]
fn exact_solutions_to_twelve_digits() {
    for (case, data) in references() {
        for name in ["mad", "mad:0.6745", "proposal2", "mle"] {
            let fit = huber::fit(&data.rows(), 1.345, name.parse().unwrap(), &Options::default()).unwrap();
            compare(&fit, &case[name], 1e-12, &format!("{}, {name}, {:?}", case["data"], fit.accuracy));
        }
        let (expected, delta) = (&case["fixed"], number(&case["fixed"]["delta"]));
        let fit = huber::fit_fixed(&data.rows(), delta, &Options::default()).unwrap();
        compare(&fit, expected, 1e-12, &format!("{}, delta", case["data"]));
        close(fit.mean_loss.unwrap(), number(&expected["mean_loss"]), 1e-12, "mean loss");
    }
}

#[test]
fn estimates_and_standard_errors_of_mass() {
    for (case, data) in references() {
        for (name, scale) in [("mad:0.6745", MASS), ("proposal2", HuberScale::Proposal2)] {
            let (fit, expected) =
                (huber::fit(&data.rows(), 1.345, scale, &Options::default()).unwrap(), &case["rlm"][name]);
            // What R's own iterations leave.
            let what = format!("{}, {name}", case["data"]);
            compare(&fit, expected, 1e-11, &what);
            for (c, error) in fit.coefficients.iter().zip(expected["std_errors"].as_array().unwrap()) {
                close(c.std_error.unwrap(), number(error), 1e-11, &what);
            }
        }
    }
}
