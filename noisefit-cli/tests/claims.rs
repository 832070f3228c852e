//! Sentences at the edges of what data can say: exactly fitted rows, leverages of one, few clusters, noise that is skewed.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by panicking, also in its helpers"
)]

mod common;

use common::{Folder, Run, assert_close, number};
use serde_json::Value;

fn folder_of(rows: impl Iterator<Item = (f64, f64)>) -> Folder {
    let folder = Folder::new();
    let rows: String = rows.map(|(x, y)| format!("{x},{y}\n")).collect();
    folder.write("d.csv", format!("x,y\n{rows}"));
    folder
}

fn json(run: &str) -> Value {
    serde_json::from_str(run).unwrap()
}

/// A line through fifteen rows, and a sixteenth far off: without its scale's bound the likelihood grows for ever as the fifteen
/// are fitted exactly, whatever the noise.
#[test]
fn exactly_fitted_rows_are_counted_as_they_are() {
    let folder = folder_of((1..=15).map(|i| (f64::from(i), f64::from(i))).chain([(16.0, 1000.0)]));
    for noise in ["gaussian", "laplace", "student-t"] {
        let Run { code, stderr, .. } = folder.run(&["fit", "d.csv", "-f", "y ~ x", "--scale", "~ x", "--noise", noise]);
        assert_eq!(code, 1, "{noise}: {stderr}");
        assert!(stderr.contains("15 of 16 observations are fitted exactly"), "{noise}: {stderr}");
    }
    // Without the sixteenth row nothing is left to measure its residual by.
    let found = json(&folder.done(&["diagnose", "d.csv", "-f", "y ~ x", "--format", "json"]));
    let rows = found["influence"]["largest_leverages"].as_array().unwrap();
    let far = rows.iter().find(|row| row["row"] == 16).expect("row 16 has the largest leverage");
    assert!(far["studentised"].is_null() && far["dffits"].is_null(), "{far}");
    assert!(number(&far["standardised"]) > 3.0, "{far}");
}

/// Of a line through all rows nothing is known but the design, whose condition is what its rows make it: the squares of the
/// singular values of a constant beside 1 to 5 are `30 +- sqrt(850)`, the eigenvalues of `[[5, 15], [15, 55]]`.
#[test]
fn an_exact_line_has_a_condition_and_no_tests() {
    let folder = folder_of((1..=5).map(|i| (f64::from(i), f64::from(i))));
    let found = json(&folder.done(&["diagnose", "d.csv", "-f", "y ~ x", "--format", "json"]));
    let root = 850.0_f64.sqrt();
    assert_close(number(&found["collinearity"]["condition_number"]), ((30.0 + root) / (30.0 - root)).sqrt(), 1e-12, "");
    let why = &found["heteroscedasticity"]["breusch_pagan"]["not_defined_because"];
    assert_eq!(why, "the residuals are all zero");
    let run =
        folder.run(&["fit", "d.csv", "-f", "y ~ x", "--noise", "huber", "--vcov", "sandwich", "--format", "json"]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    assert!(run.stdout.contains("\"sandwich\"") && !run.stdout.contains("\"classical\""), "{}", run.stdout);
}

/// `hc1` is defined where a row alone determines a coefficient, but counts its noise as none: the advice says so.
#[test]
fn a_covariance_that_is_advised_is_not_praised() {
    let folder = Folder::new();
    let rows: String = (0..12).map(|i| format!("{i},{},{}\n", u8::from(i == 3), (i * 7) % 5)).collect();
    folder.write("d.csv", format!("x,d,y\n{rows}"));
    let Run { code, stderr, .. } = folder.run(&["fit", "d.csv", "-f", "y ~ x + d", "--vcov", "hc3"]);
    assert_eq!(code, 1, "{stderr}");
    assert!(stderr.contains("hc1 is defined") && stderr.contains("too small for these terms"), "{stderr}");
}

/// Twelve clusters of which three are treated: 5.1 of them count, by Carter, Schnepel and Steigerwald's formula with
/// perfectly correlated noise: the shares of the variance of the slope are 1/9 for each treated, 1/81 for each other cluster.
#[test]
fn few_clusters_are_those_that_count() {
    let folder = Folder::new();
    let rows: String = (0..120)
        .map(|i: i32| {
            let g = i / 10;
            format!("{},c{g},{}\n", u8::from(g < 3), f64::from((i * 37) % 11) + f64::from(g % 3))
        })
        .collect();
    folder.write("d.csv", format!("x,g,y\n{rows}"));
    let shares = (0..12).map(|g| if g < 3 { 1.0 / 9.0 } else { 1.0 / 81.0 });
    let mean = shares.clone().sum::<f64>() / 12.0;
    let spread = shares.map(|share: f64| (share / mean - 1.0).powi(2)).sum::<f64>() / 12.0;
    let counted = format!("{:.1} for x", 12.0 / (1.0 + spread));
    let run = folder.run(&["fit", "d.csv", "-f", "y ~ x", "--vcov", "cluster:g"]);
    assert!(
        run.stderr.contains("of 12 clusters only so many count") && run.stderr.contains(&counted),
        "{}",
        run.stderr
    );
    // The jackknife over clusters is not too small with few of them, and is not said to be.
    let run = folder.run(&["fit", "d.csv", "-f", "y ~ x", "--vcov", "cr3:g"]);
    assert!(!run.stderr.contains("too small"), "{}", run.stderr);
}

/// Exponential noise that reaches below zero: skewed, which `diagnose` says with something to do; a logarithm cannot be.
#[test]
fn no_logarithm_is_advised_of_negative_responses() {
    // Quantiles of the exponential distribution in a scattered order.
    let exponential = |i: u32| -(1.0 - (f64::from((i * 157) % 400) + 0.5) / 400.0).ln();
    let rows = |least: f64| (0..400).map(move |i| (f64::from(i % 7), least + exponential(i)));
    let diagnosed = |folder: &Folder| folder.done(&["diagnose", "d.csv", "-f", "y ~ x"]).replace('\n', " ");
    let negative = diagnosed(&folder_of(rows(-0.5)));
    assert!(negative.contains("the noise is skewed, with a long tail above"), "{negative}");
    assert!(!negative.contains("log("), "{negative}");
    let positive = diagnosed(&folder_of(rows(0.5)));
    assert!(positive.contains("log(y)"), "{positive}");
}

/// Sixty symmetric rows and one far off are no skewness.
#[test]
fn one_row_is_not_skewness() {
    let rows = (0..60).map(|i| (f64::from(i % 6), f64::from((i * 17) % 60) - 29.5)).chain([(3.0, 1e4)]);
    let found = folder_of(rows).done(&["diagnose", "d.csv", "-f", "y ~ x"]);
    assert!(!found.contains("skewed"), "{found}");
}
