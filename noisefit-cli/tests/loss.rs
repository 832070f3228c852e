//! `noisefit loss` against losses worked out by hand.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::process::Command;

/// Runs the command on a table of truth and prediction.
fn loss(truth: &[f64], prediction: &[f64], more: &[&str]) -> serde_json::Value {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("pairs.csv");
    let rows = truth.iter().zip(prediction).map(|(t, p)| format!("{t},{p}\n"));
    std::fs::write(&path, format!("y,fitted\n{}", rows.collect::<String>())).unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_noisefit"))
        .args(["loss", path.to_str().unwrap(), "--truth", "y", "--prediction", "fitted", "--format", "json"])
        .args(more)
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

fn summary<'a>(report: &'a serde_json::Value, name: &str) -> &'a serde_json::Value {
    report["losses"].as_array().unwrap().iter().find(|loss| loss["loss"] == name).unwrap()
}

fn near(value: &serde_json::Value, expected: f64, tolerance: f64) {
    let value = value.as_f64().unwrap();
    assert!((value - expected).abs() <= tolerance, "{value} is not {expected}");
}

/// Sums of a few decimals: rounding in the 16th digit.
const ROUNDING: f64 = 1e-12;

#[test]
fn small_errors() {
    let report = loss(&[1.0, 2.0, 3.0, 4.0, 5.0], &[1.1, 2.2, 2.8, 4.1, 4.9], &[]);
    near(&summary(&report, "mse")["mean"], 0.022, ROUNDING);
    near(&summary(&report, "half_squared_error")["sum"], 0.055, ROUNDING);
    near(&report["rmse"], 0.022f64.sqrt(), ROUNDING);
    near(&report["r_squared"], 1.0 - 0.11 / 10.0, ROUNDING);
}

#[test]
fn one_wild_truth() {
    let report = loss(&[1.0, 2.0, 3.0, 100.0], &[1.1, 2.2, 2.8, 3.0], &[]);
    near(&summary(&report, "mae")["mean"], 24.375, ROUNDING);
    near(&summary(&report, "mae")["sum"], 97.5, ROUNDING);
    assert_eq!(report["largest"][0]["row"], 4);
    near(&report["largest"][0]["error"], 97.0, ROUNDING);
    // Laplace: b = MAE, NLL = n (ln(2 b) + 1).
    let laplace = &report["noise"][1];
    near(&laplace["scale"], 24.375, ROUNDING);
    near(&laplace["negative_log_likelihood"], 4.0 * (48.75f64.ln() + 1.0), ROUNDING);
}

#[test]
fn an_outlier_carries_most_of_the_loss() {
    let report = loss(&[85.0, 90.0, 88.0, 92.0, 15.0], &[84.0, 89.0, 87.0, 91.0, 87.0], &[]);
    let (mse, mae) = (summary(&report, "mse"), summary(&report, "mae"));
    near(&mse["mean"], 1037.6, ROUNDING);
    near(&mae["mean"], 15.2, ROUNDING);
    near(&mae["share_of_largest"], 72.0 / 76.0, ROUNDING);
    near(&mse["share_of_largest"], 5184.0 / 5188.0, ROUNDING);
    // The slopes of e^2 and |e| at e = -72.
    near(&mse["gradient_at_largest"], 144.0, ROUNDING);
    near(&mae["gradient_at_largest"], 1.0, ROUNDING);
    // Gaussian: sigma^2 = MSE, NLL = n/2 (ln(2 pi sigma^2) + 1).
    let gaussian = &report["noise"][0];
    near(&gaussian["scale"], 1037.6f64.sqrt(), ROUNDING);
    let nll = 2.5 * ((std::f64::consts::TAU * 1037.6).ln() + 1.0);
    near(&gaussian["negative_log_likelihood"], nll, ROUNDING);
}

#[test]
fn huber_between_squares_and_lines() {
    let (truth, prediction) = ([1.0, 2.0, 3.0, 4.0, 20.0], [1.1, 2.1, 3.1, 4.1, 5.0]);
    let report = loss(&truth, &prediction, &[]);
    near(&summary(&report, "mse")["mean"], 45.008, ROUNDING);
    near(&summary(&report, "mae")["mean"], 3.08, ROUNDING);
    // 4 * 0.1^2 / 2 + (15 - 1/2), over 5.
    near(&summary(&report, "huber")["mean"], 2.904, ROUNDING);
    let report = loss(&truth, &prediction, &["--delta", "2", "--tau", "0.9"]);
    // 4 * 0.1^2 / 2 + 2 (15 - 1), over 5; smooth L1 is Huber over delta.
    near(&summary(&report, "huber")["mean"], 28.02 / 5.0, ROUNDING);
    near(&summary(&report, "smooth_l1")["mean"], 14.01 / 5.0, ROUNDING);
    // Four overestimates of 0.1 at 0.1 each, one underestimate of 15 at 0.9.
    near(&summary(&report, "pinball")["sum"], 0.04 + 13.5, ROUNDING);
}

#[test]
fn wrong_columns_and_thresholds_are_named() {
    let run = |arguments: &[&str]| {
        let data = concat!(env!("CARGO_MANIFEST_DIR"), "/../testdata/engel.csv");
        let output =
            Command::new(env!("CARGO_BIN_EXE_noisefit")).args(["loss", data]).args(arguments).output().unwrap();
        (output.status.code(), String::from_utf8(output.stderr).unwrap())
    };
    let (code, message) = run(&["--truth", "foodexp", "--prediction", "fit"]);
    assert_eq!(code, Some(1));
    assert!(message.contains("--prediction fit: no such column"), "{message}");
    assert!(message.contains("income, foodexp"), "{message}");
    let (code, message) = run(&["--truth", "foodexp", "--prediction", "income", "--delta", "-1"]);
    assert_eq!(code, Some(2), "{message}");
    let (code, message) = run(&["--truth", "foodexp", "--prediction", "income", "--tau", "1"]);
    assert_eq!(code, Some(2), "{message}");
}
