//! A row with a frequency is so many rows: every command says the same of both.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use common::Folder;
use serde_json::Value;

/// What is of rows and not of observations: which they are, their order, how an iteration went.
const OF_ROWS: [&str; 13] = [
    "rows",
    "outlying_rows",
    "places",
    "largest_residuals",
    "largest_cooks_distances",
    "largest_leverages",
    "autocorrelation",
    "dependence",
    "ordered_rows",
    "termination",
    "accuracy",
    "next",
    "vertex",
];

/// What is advised, without the numbers of rows that it names and without what follows from the order of rows: of rows that stand
/// for several observations that order is not known, and those that are repeated stand beside each other.
fn advised(advice: &Value) -> Value {
    let texts = advice.as_array().into_iter().flatten().filter_map(Value::as_str);
    let texts = texts.filter(|text| !text.starts_with("each residual is like its neighbours"));
    let unnumbered = |text: &str| match text.split_once(": ") {
        Some((rows, rest)) if rows.starts_with("row") => rest.to_owned(),
        _ => text.to_owned(),
    };
    texts.map(unnumbered).collect()
}

/// The same but for rounding, and for what is of rows.
#[track_caller]
fn assert_same(counted: &Value, repeated: &Value, place: &str) {
    match (counted, repeated) {
        (Value::Object(one), Value::Object(other)) => {
            assert_eq!(one.keys().collect::<Vec<_>>(), other.keys().collect::<Vec<_>>(), "{place}");
            let compared = one.iter().filter(|(key, _)| !OF_ROWS.contains(&key.as_str()));
            for (key, value) in compared {
                match (key.as_str(), value) {
                    ("advice", Value::Array(_)) => assert_eq!(advised(value), advised(&other[key]), "{place}.{key}"),
                    _ => assert_same(value, &other[key], &format!("{place}.{key}")),
                }
            }
        }
        (Value::Array(one), Value::Array(other)) => {
            assert_eq!(one.len(), other.len(), "{place}");
            let pairs = one.iter().zip(other).enumerate();
            pairs.for_each(|(i, (one, other))| assert_same(one, other, &format!("{place}[{i}]")));
        }
        (Value::Number(one), Value::Number(other)) => {
            let (one, other) = (one.as_f64().unwrap(), other.as_f64().unwrap());
            assert!((one - other).abs() <= 1e-7 * (1.0 + other.abs()), "{place}: {one} {other}");
        }
        _ => assert_eq!(counted, repeated, "{place}"),
    }
}

#[test]
fn every_command_equals_itself_on_the_expanded_rows() {
    let folder = Folder::new();
    let (mut counted, mut repeated) = ("x,y,f\n".to_owned(), "x,y\n".to_owned());
    for i in 0..90u32 {
        let uniform = |k: f64| (f64::from(i) * k).sin().mul_add(43_758.547, 0.5).rem_euclid(1.0);
        let (x, noise) = (uniform(12.9898), (uniform(78.233) / (1.0 - uniform(78.233))).ln());
        // Two rows far out, of which one stands for three.
        let y = 1.0 + 2.0 * x + noise + if [31, 64].contains(&i) { 40.0 } else { 0.0 };
        let f = i % 4 + 1;
        counted += &format!("{x},{y},{f}\n");
        (0..f).for_each(|_| repeated += &format!("{x},{y}\n"));
    }
    folder.write("counted.csv", counted);
    folder.write("repeated.csv", repeated);
    let formula = ["-f", "y ~ x", "--format", "json"];
    let compared = |command: &str, more: &[&str]| {
        let run = |data: &[&str]| -> Value {
            serde_json::from_str(&folder.done(&[&[command], data, &formula[..], more].concat())).unwrap()
        };
        let counted = run(&["counted.csv", "--frequency-weights", "f"]);
        assert_same(&counted, &run(&["repeated.csv"]), &format!("{command} {more:?}"));
    };
    for noise in ["gaussian", "laplace", "huber", "student-t", "logistic", "cauchy", "quantile:0.2,0.7"] {
        compared("fit", &["--noise", noise]);
    }
    compared("fit", &["--scale", "~ x"]);
    compared("fit", &["--vcov", "hc3"]);
    compared("fit", &["--noise", "student-t", "--confint", "profile"]);
    for noise in ["gaussian", "student-t:4", "laplace"] {
        compared("diagnose", &["--noise", noise]);
    }
    // The parts of a cross-validation are of rows.
    compared("compare", &["--folds", "0"]);
    compared("profile", &["--term", "x", "--noise", "logistic", "--points", "5"]);
    folder.done(&[
        "fit",
        "counted.csv",
        "-f",
        "y ~ x",
        "--noise",
        "laplace",
        "--frequency-weights",
        "f",
        "-o",
        "counted.json",
    ]);
    folder.done(&["fit", "repeated.csv", "-f", "y ~ x", "--noise", "laplace", "-o", "repeated.json"]);
    let scores = |name: &str| -> Value {
        let (model, data) = (format!("{name}.json"), format!("{name}.csv"));
        serde_json::from_str(&folder.done(&["evaluate", &model, &data, "--format", "json"])).unwrap()
    };
    assert_same(&scores("counted"), &scores("repeated"), "evaluate");
}
