//! `--vcov`: standard errors against their definitions in 60 digits, what is said of them, and what is refused.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking, also in its helpers")]

mod common;

use common::{Folder, assert_close, number, reference, testdata};

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
                compared += 1;
            }
            if let Some(f) = expected.get("f") {
                assert_close(number(&fit["f_test"]["statistic"]), number(f), 1e-10, &format!("{name}, {vcov}, F"));
            }
            assert_eq!(fit["vcov_type"], vcov[..]);
        }
    }
    assert!(compared > 350, "{compared}");
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
        (&["--noise", "logistic"], "classical, normal"),
        (&["--noise", "logistic", "--vcov", "observed"], "observed information, inverted, normal"),
        (&["--noise", "huber", "--vcov", "sandwich"], "sandwich (for independent rows of any noise), normal"),
        (
            &["--noise", "student-t", "--scale", "~ income", "--vcov", "expected"],
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
    let fit: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert!(fit["warnings"][0].as_str().unwrap().contains("for neighbours"), "{fit}");
}
