//! `--vcov`: standard errors against their definitions in 60 digits, what is said of them, and what is refused.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking, also in its helpers")]

mod common;

use common::{Folder, assert_close, column, number, reference, testdata};
use serde_json::Value;

#[test]
fn standard_errors_and_tests_of_every_reference() {
    let (folder, mut compared) = (Folder::new(), 0);
    for case in reference("reference/covariance.json").as_array().unwrap() {
        let (name, data) = (case["name"].as_str().unwrap(), testdata(case["data"].as_str().unwrap()));
        let mut options = vec![&data[..], "-f", case["formula"].as_str().unwrap()];
        if let Some(weights) = case["weights"].as_str() {
            options.extend(["--weights", weights]);
        }
        for (vcov, expected) in case["vcov"].as_object().unwrap() {
            let fit = folder.fit(&[&options[..], &["--vcov", vcov]].concat());
            let rows = fit["coefficients"].as_array().unwrap();
            for (j, row) in rows.iter().enumerate() {
                let what = format!("{name}, {vcov}, {}", row["term"]);
                assert_close(number(&row["std_error"]), number(&expected["std_errors"][j]), 1e-11, &what);
                assert_close(number(&row["p_value"]), number(&expected["p_values"][j]), 1e-10, &what);
                assert_close(number(&row["df"]), number(&expected["df"]), 1e-15, &what);
                compared += 1;
            }
            if let Some(f) = expected.get("f") {
                assert_close(number(&fit["f_test"]["statistic"]), number(f), 1e-10, &format!("{name}, {vcov}, F"));
            }
            assert_eq!(fit["vcov_type"], vcov[..]);
            // These count the coefficients themselves, where they do.
            assert_eq!((&fit["small_sample"], &fit["small_sample_factor"]), (&"corrected".into(), &1.0.into()));
            // By the normal distribution the errors are the same.
            let normal = folder.fit(&[&options[..], &["--vcov", vcov, "--small-sample", "none"]].concat());
            assert_eq!(column(&normal, "std_error"), column(&fit, "std_error"), "{name}, {vcov}");
            said_as_normal(&normal, &format!("{name}, {vcov}"));
        }
    }
    assert!(compared > 350, "{compared}");
}

/// The half width of a 95% interval by the normal distribution.
const NORMAL: f64 = 1.959_963_984_540_054;

/// What `--small-sample none` says of a fit: no factor, and the normal distribution for every coefficient.
fn said_as_normal(fit: &Value, what: &str) {
    assert_eq!((&fit["small_sample"], &fit["small_sample_factor"]), (&"none".into(), &1.0.into()), "{what}");
    assert_eq!((&fit["reference"], &fit["reference_df"]), (&"normal".into(), &Value::Null), "{what}");
    assert!(fit["f_test"].is_null(), "{what}");
    for row in ["coefficients", "scale_coefficients"].iter().flat_map(|table| fit[*table].as_array().unwrap()) {
        assert!(row["df"].is_null(), "{what}, {row}");
        let half = 0.5 * (number(&row["conf_high"]) - number(&row["conf_low"]));
        assert_close(half, NORMAL * number(&row["std_error"]), 1e-11, what);
    }
}

#[test]
fn what_few_rows_add_to_errors_is_a_factor_that_is_stated() {
    let (folder, data) = (Folder::new(), testdata("stackloss.csv"));
    let degrees: f64 = 21.0 / 17.0;
    let (counted, uncounted) = (1.0, degrees);
    for (noise, vcov, factor, df) in [
        ("gaussian", "classical", uncounted, 17.0),
        ("gaussian", "sandwich", uncounted, 17.0),
        ("gaussian", "bootstrap:20", counted, 17.0),
        ("logistic", "classical", uncounted, 17.0),
        ("logistic", "observed", uncounted, 17.0),
        ("logistic", "expected", uncounted, 17.0),
        ("logistic", "hac:2", counted, 17.0),
        ("huber", "sandwich", uncounted, 17.0),
        ("huber", "cluster:water_temp", counted, 8.0),
        ("student-t:4", "classical", uncounted, 17.0),
        ("student-t", "sandwich", uncounted, 17.0),
        ("cauchy", "observed", uncounted, 17.0),
        ("laplace", "classical", uncounted, 17.0),
        ("laplace", "iid", uncounted, 17.0),
        ("quantile:0.4", "nid", uncounted, 17.0),
        ("quantile:0.4", "kernel", uncounted, 17.0),
        ("quantile:0.4", "cluster:water_temp", counted, 8.0),
    ] {
        let what = format!("{noise}, {vcov}");
        let options = [&data, "-f", "stack_loss ~ .", "--noise", noise, "--vcov", vcov];
        let corrected = folder.fit(&options);
        let none = folder.fit(&[&options[..], &["--small-sample", "none"]].concat());
        said_as_normal(&none, &what);
        for field in ["scale", "log_likelihood", "aic", "residual_std_error", "noise", "vcov_type"] {
            assert_eq!(corrected[field], none[field], "{what}, {field}");
        }
        assert_eq!(column(&corrected, "estimate"), column(&none, "estimate"), "{what}");
        assert_eq!((&corrected["small_sample"], &corrected["reference"]), (&"corrected".into(), &"student-t".into()));
        assert_close(number(&corrected["small_sample_factor"]), factor, 1e-15, &what);
        for (with, without) in corrected["coefficients"].as_array().unwrap().iter().zip(column(&none, "std_error")) {
            assert_close(number(&with["std_error"]), factor.sqrt() * without.unwrap(), 1e-13, &what);
            assert_close(number(&with["df"]), df, 1e-15, &what);
            // Student's t at 97.5% with so many degrees of freedom, by R's qt.
            let t = if df == 8.0 { 2.306_004_135_204_168 } else { 2.109_815_577_833_318 };
            let half = 0.5 * (number(&with["conf_high"]) - number(&with["conf_low"]));
            assert_close(half, t * number(&with["std_error"]), 1e-11, &what);
        }
    }
}

/// Rows in which neither noise nor its scale is simple, in more bytes than a small `--memory` holds.
fn panel(rows: usize) -> String {
    let mut state = 7u64;
    let mut uniform = move || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 40) as f64 / (1u64 << 24) as f64
    };
    let row = |i: usize| {
        let (x, e) = (uniform(), uniform() + uniform() - 1.0);
        format!("{},{x},firm{},{}\n", 1.0 + 2.0 * x + (0.5 + x) * e, i * 31 % 97, 2000 + i * 7 % 23)
    };
    format!("y,x,firm,year\n{}", (0..rows).map(row).collect::<String>())
}

#[test]
fn files_beyond_memory_and_threads_change_no_bit() {
    let folder = Folder::new();
    folder.write("panel.csv", panel(60_000));
    for (noise, vcov) in [
        ("gaussian", "hc3"),
        ("gaussian", "cluster:firm,year"),
        ("gaussian", "hac:30"),
        ("logistic", "cluster:firm"),
        ("student-t:5", "hac:30"),
        ("huber", "sandwich"),
    ] {
        let options = ["fit", "panel.csv", "-f", "y ~ x", "--noise", noise, "--vcov", vcov, "--format", "json"];
        let options = [&options[..], &["--vcov-matrix"]].concat();
        let whole = folder.done(&[&options[..], &["--threads", "1"]].concat());
        for more in [&["--threads", "3"][..], &["--memory", "1MB", "--threads", "2"]] {
            assert_eq!(folder.done(&[&options[..], more].concat()), whole, "{noise}, {vcov}, {more:?}");
        }
    }
}

#[test]
fn the_matrix_is_printed_where_it_is_asked_for() {
    let (folder, engel) = (Folder::new(), testdata("engel.csv"));
    let options = [&engel, "-f", "foodexp ~ income", "--scale", "~ income", "--vcov", "sandwich", "-o", "model.json"];
    let plain = folder.fit(&options);
    assert!(plain.get("vcov").is_none() && plain.get("scale_vcov").is_none());
    let saved = folder.read("model.json");
    let mut asked = folder.fit(&[&options[..], &["--vcov-matrix"]].concat());
    for (rows, matrix) in [("coefficients", "vcov"), ("scale_coefficients", "scale_vcov")] {
        for k in [0, 1] {
            let error = number(&asked[rows][k]["std_error"]);
            assert_close(number(&asked[matrix][k][k]), error * error, 1e-12, matrix);
            assert_eq!(asked[matrix][0][1], asked[matrix][1][0]);
        }
    }
    // Nothing else is different, and what is saved is the same.
    asked.as_object_mut().unwrap().retain(|name, _| name != "vcov" && name != "scale_vcov");
    assert_eq!(asked, plain);
    assert_eq!(folder.read("model.json"), saved);
    let message = folder.refusal(2, &["fit", &engel, "-f", "foodexp ~ income", "--vcov-matrix"]);
    assert_eq!(message, "--vcov-matrix prints what programs read; say --format json, too");
}

#[test]
fn the_summary_says_which_covariance_it_is() {
    let (folder, engel) = (Folder::new(), testdata("engel.csv"));
    let line = |options: &[&str]| {
        let printed = folder.done(&[&["fit", &engel, "-f", "foodexp ~ income"], options].concat());
        let mut lines = printed.lines().filter(|line| line.starts_with("standard errors"));
        lines.next().unwrap_or_else(|| panic!("{printed}")).trim_start_matches("standard errors").trim().to_owned()
    };
    for (options, expected) in [
        (&["--vcov", "classical"][..], "classical, Student's t with 233 df"),
        (&["--vcov", "hc3"], "hc3 (for a noise scale that varies), Student's t with 233 df"),
        (&["--vcov", "hac:1"], "hac:1 (for dependence over 1 row), Student's t with 233 df"),
        (&["--small-sample", "none"], "classical, normal"),
        (&["--vcov", "hc3", "--small-sample", "none"], "hc3 (for a noise scale that varies), normal"),
        // 235 / 233. Least squares has it in its residual standard error.
        (&["--noise", "logistic"], "classical times n / (n - p) = 1.009, Student's t with 233 df"),
        (&["--noise", "logistic", "--small-sample", "none"], "classical, normal"),
        (
            &["--noise", "logistic", "--vcov", "observed"],
            "observed information, inverted times n / (n - p) = 1.009, Student's t with 233 df",
        ),
        (
            &["--noise", "huber", "--vcov", "sandwich"],
            "sandwich (for independent rows of any noise) times n / (n - p) = 1.009, Student's t with 233 df",
        ),
        (
            &["--noise", "huber", "--vcov", "sandwich", "--small-sample", "none"],
            "sandwich (for independent rows of any noise), normal",
        ),
        (
            &["--vcov", "sandwich"],
            "sandwich (for independent rows of any noise) times n / (n - p) = 1.009, Student's t with 233 df",
        ),
        (&["--noise", "logistic", "--vcov", "hac:1"], "hac:1 (for dependence over 1 row), Student's t with 233 df"),
        (
            &["--noise", "student-t:4", "--scale", "~ income", "--vcov", "sandwich"],
            "sandwich (for independent rows of any noise) times n / (n - p) = 1.009, Student's t with 233 df",
        ),
        (
            &["--noise", "student-t", "--scale", "~ income", "--vcov", "expected"],
            "expected information, inverted, corrected for few rows (log scale times n / (n - p) = 1.009), Student's t with \
             the df of each coefficient",
        ),
        (
            &["--noise", "student-t", "--scale", "~ income", "--vcov", "expected", "--small-sample", "none"],
            "expected information, inverted, normal",
        ),
    ] {
        assert_eq!(line(options), expected, "{options:?}");
    }
    folder.write("panel.csv", panel(500));
    let printed = folder.done(&["fit", "panel.csv", "-f", "y ~ x", "--vcov", "cluster:firm,year"]);
    assert!(
        printed.contains("cluster:firm,year (for dependence within firm and year), Student's t with 22 df"),
        "{printed}"
    );
    assert!(printed.contains("\nWald F"), "{printed}");
}

#[test]
fn a_saved_model_predicts_with_its_covariance() {
    let (folder, engel) = (Folder::new(), testdata("engel.csv"));
    folder.write("new.csv", "income\n400\n4000\n");
    let mut ends = Vec::new();
    for vcov in ["classical", "hc3"] {
        folder.fit(&[&engel, "-f", "foodexp ~ income", "--vcov", vcov, "-o", "model.json"]);
        let printed = folder.done(&["predict", "model.json", "new.csv", "--interval", "0.95", "confidence"]);
        let (_, rows) = common::csv(&printed);
        ends.push(rows.iter().map(|row| row[2].parse().unwrap()).collect::<Vec<f64>>());
    }
    // The noise grows with income: far out the line is known much less well than the classical errors say.
    assert!(ends[1][1] - ends[0][1] > 100.0, "{ends:?}");
}

#[test]
fn combinations_without_meaning_name_others() {
    let (folder, engel) = (Folder::new(), testdata("engel.csv"));
    let refusal = |code: i32, options: &[&str]| {
        folder.refusal(code, &[&["fit", &engel, "-f", "foodexp ~ income", "--quiet"], options].concat())
    };
    for (options, expected) in [
        (&["--vcov", "hc2", "--noise", "logistic"][..], "use sandwich"),
        (&["--vcov", "kernel"], "use hc3"),
        (&["--vcov", "nid", "--noise", "huber"], "use sandwich"),
        (&["--vcov", "hac:235"], "hac:235 needs more than 235 rows, and there are 235; choose fewer lags"),
        (&["--vcov", "sandwich", "--noise", "laplace", "--scale", "~ income"], "use expected or bootstrap"),
    ] {
        let said = refusal(1, options);
        assert!(said.contains(expected), "{options:?}: {said}");
    }
    let said = folder.refusal(1, &["fit", &engel, "-f", "foodexp ~ income", "--vcov", "cluster:nosuchcolumn"]);
    assert!(said.contains("nosuchcolumn") && said.contains("income"), "{said}");
    let said = refusal(2, &["--vcov", "hc9"]);
    assert!(said.contains("no covariance 'hc9'"), "{said}");
}

#[test]
fn what_a_covariance_does_not_know_is_said() {
    let folder = Folder::new();
    let row = |i: u32| {
        let wave = (f64::from(i) * 1.7).sin();
        let x = if i % 9 == 4 { String::new() } else { format!("{}", f64::from(i) + wave) };
        format!("{},{x}\n", f64::from(i) + (f64::from(i) * 0.9).cos())
    };
    folder.write("gaps.csv", "y,x\n".to_owned() + &(0..45).map(row).collect::<String>());
    // Rows on both sides of a gap become neighbours.
    let warned = |arguments: &[&str]| folder.run(&[&["fit", "gaps.csv", "-f", "y ~ x"], arguments].concat()).stderr;
    for noise in ["gaussian", "student-t:4", "laplace"] {
        let said = warned(&["--noise", noise, "--vcov", "hac:2"]);
        assert!(said.contains("left out (5 rows) for neighbours"), "{noise}: {said}");
    }
    assert!(!warned(&["--vcov", "hc3"]).contains("neighbours"));
    // Of 5 draws a standard deviation is off by 1 / sqrt(2 (5 - 1)).
    assert!(warned(&["--vcov", "bootstrap:5"]).contains("of 5 bootstrap draws are themselves off by 35%"));
    assert!(!warned(&["--vcov", "bootstrap:200"]).contains("draws are themselves"));
    // In JSON, too.
    let json = folder.run(&["fit", "gaps.csv", "-f", "y ~ x", "--vcov", "hac:2", "--format", "json"]).stdout;
    let fit: Value = serde_json::from_str(&json).unwrap();
    assert!(fit["warnings"][0].as_str().unwrap().contains("for neighbours"), "{fit}");
}
