//! Every number that `fit` and `predict` print against exact results, to 1e-12 of their value.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking, also in its helpers")]

mod common;

use common::{Folder, assert_close, csv, number, reference, testdata};
use serde_json::Value;

const TOLERANCE: f64 = 1e-12;

/// What a fit prints that is not a number to check here.
const WORDS: [&str; 22] = [
    "reference_df",
    "schema",
    "formula",
    "scale_formula",
    "dropped",
    "zero_weight",
    "response_jacobian",
    "noise",
    "coefficients",
    "scale_type",
    "level",
    "vcov_type",
    "reference",
    "small_sample",
    "small_sample_factor",
    "confint",
    "accuracy",
    "termination",
    "warnings",
    // Against numbers of their own in after_fit.rs.
    "residual_quantiles",
    "scale_conf_low",
    "scale_conf_high",
];

/// The options that fit a reference's model.
fn options<'a>(case: &'a Value, data: &'a str) -> Vec<&'a str> {
    let mut options = vec![data, "-f", case["formula"].as_str().unwrap()];
    if let Some(weights) = case["weights"].as_str() {
        options.extend(["--weights", weights]);
    }
    options
}

/// Numbers, and lists and objects of them.
fn compare(found: &Value, expected: &Value, what: &str) {
    match expected {
        Value::Object(fields) => {
            assert_eq!(found.as_object().unwrap().len(), fields.len(), "{what}");
            fields.iter().for_each(|(name, value)| compare(&found[name], value, &format!("{what}, {name}")));
        }
        Value::Array(values) => {
            assert_eq!(found.as_array().unwrap().len(), values.len(), "{what}");
            (0..values.len()).for_each(|i| compare(&found[i], &values[i], &format!("{what}, {i}")));
        }
        Value::Null => assert!(found.is_null() || found.as_array().is_some_and(Vec::is_empty), "{what}"),
        value => assert_close(number(found), number(value), TOLERANCE, what),
    }
}

#[test]
fn every_number_of_a_fit() {
    let folder = Folder::new();
    for case in reference("reference/lm.json").as_array().unwrap() {
        let (name, data) = (case["name"].as_str().unwrap(), testdata(case["data"].as_str().unwrap()));
        for level in ["0.9", "0.95", "0.99"] {
            let fit = folder.fit(&[&options(case, &data)[..], &["--level", level]].concat());
            for (key, value) in fit.as_object().unwrap().iter().filter(|(key, _)| !WORDS.contains(&key.as_str())) {
                compare(value, &case[key], &format!("{name}, {key}"));
            }
            let [n, left] = ["nobs", "df_residual"].map(|field| number(&case[field]));
            assert_eq!((&fit["small_sample"], &fit["reference"]), (&"corrected".into(), &"student-t".into()));
            assert_close(number(&fit["small_sample_factor"]), n / left, 1e-15, name);
            assert_eq!(number(&fit["reference_df"]), left);
            let rows = fit["coefficients"].as_array().unwrap();
            assert_eq!(rows.len(), case["coefficients"].as_array().unwrap().len());
            for (row, expected) in rows.iter().zip(case["coefficients"].as_array().unwrap()) {
                let term = row["term"].as_str().unwrap();
                assert_eq!(term, expected["term"]);
                for key in ["estimate", "std_error", "statistic", "p_value"] {
                    compare(&row[key], &expected[key], &format!("{name}, {term}, {key}"));
                }
                let interval = &expected["intervals"][level];
                compare(&row["conf_low"], &interval[0], &format!("{name}, {term}, low end at {level}"));
                compare(&row["conf_high"], &interval[1], &format!("{name}, {term}, high end at {level}"));
                assert_eq!(number(&row["df"]), left, "{name}, {term}");
            }
        }
    }
}

#[test]
fn without_what_few_rows_ask_for_errors_are_those_of_maximum_likelihood() {
    let folder = Folder::new();
    for case in reference("reference/lm.json").as_array().unwrap() {
        let (name, data) = (case["name"].as_str().unwrap(), testdata(case["data"].as_str().unwrap()));
        let fit = folder.fit(&[&options(case, &data)[..], &["--small-sample", "none"]].concat());
        assert_eq!((&fit["small_sample"], &fit["reference"]), (&"none".into(), &"normal".into()), "{name}");
        assert_eq!((&fit["small_sample_factor"], &fit["f_test"]), (&1.0.into(), &Value::Null), "{name}");
        for key in ["scale", "residual_std_error", "log_likelihood", "aic", "aicc", "bic", "adj_r_squared"] {
            compare(&fit[key], &case[key], &format!("{name}, {key}"));
        }
        // The scale of maximum likelihood in place of the residual standard error.
        let ratio = number(&case["scale"]) / number(&case["residual_std_error"]);
        for (row, expected) in
            fit["coefficients"].as_array().unwrap().iter().zip(case["coefficients"].as_array().unwrap())
        {
            let what = format!("{name}, {}", row["term"]);
            let error = ratio * number(&expected["std_error"]);
            assert_close(number(&row["estimate"]), number(&expected["estimate"]), TOLERANCE, &what);
            assert_close(number(&row["std_error"]), error, TOLERANCE, &what);
            assert_close(number(&row["statistic"]), number(&expected["statistic"]) / ratio, TOLERANCE, &what);
            assert!(row["df"].is_null(), "{what}");
            // The normal quantile of 97.5%.
            let half = 0.5 * (number(&row["conf_high"]) - number(&row["conf_low"]));
            assert_close(half, 1.959_963_984_540_054 * error, 1e-10, &what);
        }
    }
}

#[test]
fn predictions_and_their_intervals() {
    let folder = Folder::new();
    for case in reference("reference/lm.json").as_array().unwrap() {
        let (name, data) = (case["name"].as_str().unwrap(), testdata(case["data"].as_str().unwrap()));
        folder.fit(&[&options(case, &data)[..], &["-o", "model.json"]].concat());
        let points = case["predictions"].as_array().unwrap();
        let columns: Vec<&String> = points[0]["at"].as_object().unwrap().keys().collect();
        let mut new = columns.iter().map(|column| column.as_str()).collect::<Vec<_>>().join(",") + "\n";
        for point in points {
            let values: Vec<&str> = columns.iter().map(|column| point["at"][*column].as_str().unwrap()).collect();
            new += &(values.join(",") + "\n");
        }
        folder.write("new.csv", new);
        for (kind, ends) in [("confidence", ["conf_low", "conf_high"]), ("prediction", ["pred_low", "pred_high"])] {
            for level in ["0.9", "0.95", "0.99"] {
                let printed = folder.done(&["predict", "model.json", "new.csv", "--interval", level, kind]);
                let (header, rows) = csv(&printed);
                assert_eq!(header, [&["prediction"], &ends[..]].concat());
                assert_eq!(rows.len(), points.len());
                for (row, point) in rows.iter().zip(points) {
                    let what = format!("{name}, {kind} interval at {level} of {}", point["at"]);
                    let expected = &point[if kind == "confidence" { kind } else { "new_observation" }][level];
                    let row: Vec<f64> = row.iter().map(|value| value.parse().unwrap()).collect();
                    assert_close(row[0], number(&point["prediction"]), TOLERANCE, &what);
                    assert_close(row[1], number(&expected[0]), TOLERANCE, &what);
                    assert_close(row[2], number(&expected[1]), TOLERANCE, &what);
                }
            }
        }
    }
}
