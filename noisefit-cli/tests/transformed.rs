//! Of what the likelihood of a transformed response is: the response itself only where its density is one.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking, also in its helpers")]

mod common;

use common::{Folder, assert_close, column, number};
use noisefit_core::numeric::distribution::{Distribution, Normal};
use serde_json::{Value, json};

const X: [f64; 8] = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0];

fn folder_of(y: &[f64]) -> Folder {
    let folder = Folder::new();
    let rows: String = y.iter().zip(X).map(|(y, x)| format!("{y},{x}\n")).collect();
    folder.write("d.csv", format!("y,x\n{rows}"));
    folder
}

/// The line through transformed responses, its scale by maximum likelihood, and the log-likelihood of these responses.
fn least_squares(g: &[f64]) -> ([f64; 2], f64, f64) {
    let (n, x) = (g.len() as f64, &X[..g.len()]);
    let mean = |values: &[f64]| values.iter().sum::<f64>() / n;
    let (mean_x, mean_g) = (mean(x), mean(g));
    let sum = |of: &dyn Fn(usize) -> f64| (0..g.len()).map(of).sum::<f64>();
    let slope = sum(&|i| (x[i] - mean_x) * (g[i] - mean_g)) / sum(&|i| (x[i] - mean_x).powi(2));
    let intercept = mean_g - slope * mean_x;
    let scale = (sum(&|i| (g[i] - intercept - slope * x[i]).powi(2)) / n).sqrt();
    let log_likelihood = -0.5 * n * ((2.0 * std::f64::consts::PI).ln() + 2.0 * scale.ln() + 1.0);
    ([intercept, slope], scale, log_likelihood)
}

/// Fits by the command, and holds it against the line and a log-likelihood.
fn holds(folder: &Folder, formula: &str, g: &[f64], log_jacobian: f64) -> Value {
    let fit = folder.fit(&["d.csv", "-f", formula]);
    let (line, _, log_likelihood) = least_squares(g);
    for (found, right) in column(&fit, "estimate").iter().zip(line) {
        assert_close(found.unwrap(), right, 1e-10, formula);
    }
    assert_close(number(&fit["log_likelihood"]), log_likelihood + log_jacobian, 1e-10, formula);
    fit["likelihood_of"].clone()
}

/// `abs(y)` is the same at y and -y: a density of it, moved to y, would integrate to two.
#[test]
fn responses_that_fold_make_no_claim_of_the_response_itself() {
    let y = [-2.0, 1.5, -3.0, 2.2, -1.0, 0.5, 2.8, -2.6];
    let folder = folder_of(&y);
    let folds = [
        ("abs(y)", y.map(f64::abs)),
        ("I(y^2)", y.map(|y| y * y)),
        ("sin(y)", y.map(f64::sin)),
        ("cos(y)", y.map(f64::cos)),
    ];
    for (response, g) in folds {
        assert_eq!(holds(&folder, &format!("{response} ~ x"), &g, 0.0), json!("folded"), "{response}");
        let text = folder.done(&["fit", "d.csv", "-f", &format!("{response} ~ x")]).replace('\n', " ");
        assert!(
            text.contains("not of the response itself, for it takes the same value at several responses"),
            "{text}"
        );
    }
    // One to one over all of them.
    let g: Vec<f64> = y.iter().map(|y| y.exp()).collect();
    let log_jacobian: f64 = y.iter().sum();
    // The fitted noise of exp(y) reaches below zero, where exp(y) cannot lie.
    assert!(holds(&folder, "exp(y) ~ x", &g, 0.0)["beyond"].is_f64(), "{log_jacobian}");
}

#[test]
fn of_the_response_itself_where_the_noise_stays_where_the_response_can_lie() {
    let y: Vec<f64> = X.iter().map(|x| (3.0 + 0.1 * x + 0.02 * (5.0 * x).sin()).exp()).collect();
    let folder = folder_of(&y);
    let logs: Vec<f64> = y.iter().map(|y| y.ln()).collect();
    assert_eq!(holds(&folder, "log(y) ~ x", &logs, -logs.iter().sum::<f64>()), json!("response"));
    let roots: Vec<f64> = y.iter().map(|y| y.sqrt()).collect();
    let jacobian: f64 = roots.iter().map(|root| (0.5 / root).ln()).sum();
    assert_eq!(holds(&folder, "sqrt(y) ~ x", &roots, jacobian), json!("response"));
}

/// The mass where `sqrt(y)` cannot lie is that of the fitted noise below zero; with a response of 0 there is no Jacobian at all.
#[test]
fn roots_near_zero() {
    let y = [0.02, 0.5, 0.1, 2.0, 0.7, 3.0, 1.0, 5.0];
    let roots: Vec<f64> = y.iter().map(|y: &f64| y.sqrt()).collect();
    let ([intercept, slope], scale, _) = least_squares(&roots);
    let mass = X.iter().map(|x| Normal.cdf(-(intercept + slope * x) / scale)).sum::<f64>() / 8.0;
    let found = holds(&folder_of(&y), "sqrt(y) ~ x", &roots, 0.0);
    assert_close(number(&found["beyond"]), mass, 1e-8, "mass below zero");
    let y = [0.0, 2.0, 3.0, 8.0];
    let roots: Vec<f64> = y.iter().map(|y: &f64| y.sqrt()).collect();
    assert_eq!(holds(&folder_of(&y), "sqrt(y) ~ x", &roots, 0.0), json!("no-derivative"));
}
