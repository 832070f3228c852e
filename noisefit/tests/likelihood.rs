//! Maximum likelihood of smooth families: against maxima found elsewhere, and against what a maximum must satisfy.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use noisefit::fit::Fit;
use noisefit::linear::{self, Options};
use noisefit::noise::Choice;
use noisefit::rows::{Matrix, MemoryRows};
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
        linear::fit(&self.rows(), &noise.parse::<Choice>().unwrap(), &Options::default()).unwrap().remove(0)
    }
}

fn estimates(fit: &Fit) -> Vec<f64> {
    fit.coefficients.iter().map(|coefficient| coefficient.estimate.unwrap()).collect()
}

/// The coefficients of `ln s`, or `ln s` alone.
fn log_scale(fit: &Fit) -> Vec<f64> {
    match fit.scale {
        Some(scale) => vec![scale.ln()],
        None => fit.scale_coefficients.iter().map(|coefficient| coefficient.estimate.unwrap()).collect(),
    }
}

#[track_caller]
fn close(found: f64, expected: f64, tolerance: f64, what: &str) {
    let error = (found - expected).abs();
    assert!(error <= tolerance * expected.abs().max(1e-300), "{what}: {found:e} where {expected:e} was expected");
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
        for (key, found) in [("coefficients", estimates(&fit)), ("log_scale", log_scale(&fit))] {
            for (found, expected) in found.into_iter().zip(numbers(key)) {
                close(found, expected, 1e-10, &format!("{name} {key}"));
            }
        }
        let number = |key: &str| entry[key].as_str().map(|text| text.parse::<f64>().unwrap());
        close(fit.log_likelihood.unwrap(), number("log_likelihood").unwrap(), 1e-12, name);
        if let Some(df) = number("df") {
            close(fit.shape.as_ref().unwrap().estimate.unwrap(), df, 1e-9, name);
        }
    }
}
