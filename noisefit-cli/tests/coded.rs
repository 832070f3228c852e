//! Categories of many levels, which are fitted by their codes: the same numbers as by a column for every level, which `--one-pass` still
//! makes; and summaries that fold them.

#![allow(clippy::unwrap_used, clippy::cast_possible_truncation)]

mod common;

use common::{Folder, assert_close, column, csv, estimates};
use serde_json::Value;

const LEVELS: u32 = 90;

/// Rows of a few columns with a category of texts, some of them without `x`.
fn table(rows: u32) -> String {
    let mut text = String::from("y,x,z,g,h\n");
    let mut state = 1u64;
    let mut random = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 11) as f64 / (1u64 << 53) as f64
    };
    for i in 0..rows {
        let g = (i * 7919 + i / 97) % LEVELS;
        let (x, z) = (random() + 0.02 * f64::from(g), random());
        let y = 10.0 + 2.0 * x - z + f64::from(g * g % 13) * 0.3 + (random() - 0.5) * (1.0 + x);
        let x = if i % 41 == 17 { String::new() } else { format!("{x:.6}") };
        text += &format!("{y:.6},{x},{z:.6},g{g:02},{}\n", ["a", "b", "c"][(i % 3) as usize]);
    }
    text
}

fn both(folder: &Folder, options: &[&str]) -> [Value; 2] {
    let whole = [&["d.csv"], options].concat();
    [folder.fit(&whole), folder.fit(&[&whole[..], &["--one-pass"]].concat())]
}

#[test]
fn codes_and_columns_have_the_same_numbers() {
    let folder = Folder::new();
    folder.write("d.csv", table(1500));
    for formula in ["y ~ x + z + g", "y ~ g", "log(y) ~ C(g, ref='g40') + x*h", "y ~ poly(x, 2) + g + bs(z, df=5)"] {
        for vcov in ["classical", "hc1", "hc3"] {
            let [coded, columns] = both(&folder, &["-f", formula, "--vcov", vcov]);
            let (a, b) = (estimates(&coded), estimates(&columns));
            assert!(coded["mae"].is_number(), "{formula}");
            for ((a, b), error) in a.iter().zip(&b).zip(column(&columns, "std_error")) {
                assert_eq!(a.is_some(), b.is_some(), "{formula}");
                if let (Some(a), Some(b)) = (a, b) {
                    assert!((a - b).abs() < 1e-10 * b.abs().max(error.unwrap()), "{formula} {vcov}: {a} {b}");
                }
            }
            for (a, b) in column(&coded, "std_error").iter().zip(column(&columns, "std_error")) {
                a.zip(b).inspect(|(a, b)| assert_close(*a, *b, 1e-9, formula));
            }
            for name in [
                "log_likelihood",
                "r_squared",
                "adj_r_squared",
                "aic",
                "bic",
                "residual_std_error",
                "rmse",
                "scale_conf_low",
            ] {
                assert_close(coded[name].as_f64().unwrap(), columns[name].as_f64().unwrap(), 1e-9, name);
            }
            for name in ["statistic", "df_model", "df_residual"] {
                let [a, b] = [&coded, &columns].map(|fit| fit["f_test"][name].as_f64().unwrap());
                assert_close(a, b, 1e-7, name);
            }
            for name in ["nobs", "dropped", "df_residual", "df_model", "vcov_type", "reference"] {
                assert_eq!(coded[name], columns[name], "{formula} {name}");
            }
            let names = |fit: &Value| {
                let rows = fit["coefficients"].as_array().unwrap();
                rows.iter().map(|row| row["term"].clone()).collect::<Vec<_>>()
            };
            assert_eq!(names(&coded), names(&columns));
            let [a, b] = [&coded, &columns].map(|fit| fit["term_tests"][0].clone());
            assert_close(a["statistic"].as_f64().unwrap(), b["statistic"].as_f64().unwrap(), 1e-7, "test");
            assert_eq!((&a["df"], &a["hypothesis"]), (&b["df"], &b["hypothesis"]));
            let residuals = coded["residual_quantiles"].as_array().unwrap();
            assert!(residuals[0].as_f64().unwrap() < 0.0 && residuals[4].as_f64().unwrap() > 0.0);
        }
    }
}

/// Without an intercept every level has a column: the same model in other coefficients.
#[test]
fn other_noise_goes_by_codes() {
    let folder = Folder::new();
    folder.write("d.csv", table(1500));
    for noise in ["huber", "logistic", "student-t:5", "student-t"] {
        let fit = |formula: &str| folder.fit(&["d.csv", "-f", formula, "--noise", noise]);
        let (coded, columns) = (fit("y ~ x + z + g"), fit("y ~ 0 + x + z + g"));
        let row = |fit: &Value, term: &str| {
            let rows = fit["coefficients"].as_array().unwrap();
            let row = rows.iter().find(|row| row["term"] == term).unwrap();
            ["estimate", "std_error"].map(|name| row[name].as_f64().unwrap())
        };
        for term in ["x", "z"] {
            let ([a, error], [b, expected]) = (row(&coded, term), row(&columns, term));
            assert!((a - b).abs() < 1e-8 * expected, "{noise} {term}: {a} {b}");
            assert_close(error, expected, 1e-9, noise);
        }
        for name in ["log_likelihood", "aic", "scale", "scale_conf_low", "rmse", "mae"] {
            assert_close(coded[name].as_f64().unwrap(), columns[name].as_f64().unwrap(), 1e-9, name);
        }
        assert_eq!(coded["warnings"], columns["warnings"], "{noise}");
        for name in ["df", "df_conf_low", "df_conf_high"] {
            if let (Some(a), Some(b)) = (coded["noise"][name].as_f64(), columns["noise"][name].as_f64()) {
                assert_close(a, b, 1e-4, name);
            }
        }
        assert_eq!(coded["term_tests"][0]["df"], f64::from(LEVELS - 1), "{noise}");
    }
    // Clusters that cross the levels.
    let [coded, columns] = both(&folder, &["-f", "y ~ x + z + g", "--vcov", "cluster:h"]);
    for (a, b) in column(&coded, "std_error").iter().zip(column(&columns, "std_error")) {
        a.zip(b).inspect(|(a, b)| assert_close(*a, *b, 1e-7, "cluster"));
    }
    let has_rank = |warning: &Value| warning.as_str().unwrap().contains("has rank 2 for 92 coefficients");
    for fit in [&coded, &columns] {
        assert!(fit["warnings"].as_array().unwrap().iter().any(has_rank), "{}", fit["warnings"]);
    }
}

#[test]
fn what_is_done_with_a_model_is_the_same() {
    let folder = Folder::new();
    folder.write("d.csv", table(900));
    for (name, more) in [("coded.json", &[][..]), ("columns.json", &["--one-pass"])] {
        folder.done(&[&["fit", "d.csv", "-f", "y ~ x + g + z", "-o", name][..], more].concat());
    }
    let sizes = ["coded.json", "columns.json"].map(|name| folder.read(name).len());
    assert!(sizes[0] * 2 < sizes[1], "{sizes:?}");
    folder.write("new.csv", "x,z,g\n0.5,0.5,g03\n9,-3,g89\n0.1,0.2,g00\n");
    for options in [
        &["predict", "MODEL", "new.csv", "--interval", "0.9"][..],
        &["predict", "MODEL", "d.csv", "--interval", "0.8", "confidence"],
    ] {
        let [a, b] = ["coded.json", "columns.json"].map(|name| {
            let arguments: Vec<&str> =
                options.iter().map(|option| if *option == "MODEL" { name } else { option }).collect();
            folder.run(&arguments)
        });
        assert_eq!((a.code, b.code), (0, 0), "{}{}", a.stderr, b.stderr);
        let ((head, a), (other, b)) = (csv(&a.stdout), csv(&b.stdout));
        assert_eq!(head, other);
        for (a, b) in a.iter().flatten().zip(b.iter().flatten()) {
            match (a.parse::<f64>(), b.parse::<f64>()) {
                (Ok(a), Ok(b)) => assert_close(a, b, 1e-9, "prediction"),
                _ => assert_eq!(a, b),
            }
        }
    }
    let unseen = ["coded.json", "columns.json"].map(|name| {
        folder.write("other.csv", "x,z,g\n0.5,0.5,elsewhere\n");
        folder.run(&["predict", name, "other.csv"]).stderr
    });
    assert!(unseen[0].contains("elsewhere"));
    assert_eq!(unseen[0], unseen[1]);
    for verb in [
        &["test", "MODEL", "g", "g[g03] = g[g04]", "x = 2", "g[g05] + x = 1, z = 0", "--format", "json"][..],
        &["evaluate", "MODEL", "d.csv", "--format", "json"],
    ] {
        let found = ["coded.json", "columns.json"].map(|name| {
            let arguments: Vec<&str> =
                verb.iter().map(|option| if *option == "MODEL" { name } else { option }).collect();
            serde_json::from_str::<Value>(&folder.done(&arguments)).unwrap()
        });
        same(&found[0], &found[1], verb[0]);
    }
}

/// Asserts that numbers are near one another, and all else the same.
fn same(a: &Value, b: &Value, what: &str) {
    match (a, b) {
        (Value::Array(a), Value::Array(b)) => {
            assert_eq!(a.len(), b.len(), "{what}");
            a.iter().zip(b).for_each(|(a, b)| same(a, b, what));
        }
        (Value::Object(a), Value::Object(b)) => {
            for (name, a) in a.iter().filter(|(name, _)| !matches!(name.as_str(), "model" | "accuracy" | "p_value")) {
                same(a, &b[name], &format!("{what} {name}"));
            }
        }
        (Value::Number(a), Value::Number(b)) => {
            let (a, b) = (a.as_f64().unwrap(), b.as_f64().unwrap());
            assert!((a - b).abs() <= 1e-7 * b.abs().max(1e-3), "{what}: {a} {b}");
        }
        _ => assert_eq!(a, b, "{what}"),
    }
}

#[test]
fn verbs_that_go_by_columns_go_on() {
    let folder = Folder::new();
    folder.write("d.csv", table(700));
    folder.done(&["fit", "d.csv", "-f", "y ~ x + g", "-o", "m.json"]);
    for arguments in [
        &["diagnose", "d.csv", "-f", "y ~ x + g", "--format", "json"][..],
        &["fit", "d.csv", "-f", "y ~ x + g", "--vif"],
        &["fit", "d.csv", "-f", "y ~ x + g", "--confint", "wald", "--vcov", "cluster:h"],
        &["fit", "d.csv", "-f", "y ~ x + g", "--vcov", "hac:2"],
        &["fit", "d.csv", "-f", "y ~ x + g", "--conformal", "split", "-o", "c.json"],
        &["fit", "d.csv", "-f", "y ~ x + g", "--noise", "logistic"],
        &["profile", "d.csv", "-f", "y ~ x + g", "--term", "x"],
        &["plot", "residuals", "m.json", "d.csv", "-o", "chart.svg"],
        &["plot", "leverage", "m.json", "d.csv", "-o", "leverage.svg"],
        &["report", "m.json", "d.csv", "-o", "report.html"],
        &["export", "m.json", "--onnx", "model.onnx"],
    ] {
        folder.done(arguments);
    }
}

#[test]
fn a_summary_folds_the_levels_of_a_large_category() {
    let folder = Folder::new();
    folder.write("d.csv", table(600));
    let run = folder.run(&["fit", "d.csv", "-f", "y ~ x + g + h"]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    assert!(run.stdout.lines().count() < 30, "{}", run.stdout);
    let line = run.stdout.lines().find(|line| line.starts_with("g: 89 coefficients from ")).unwrap();
    assert!(line.contains("; that all are zero: F ") && line.contains(" on 89 and "), "{line}");
    assert!(run.stdout.contains("h[b]") && !run.stdout.contains("\ng[g03]"), "{}", run.stdout);
    assert!(run.stderr.contains("the coefficients of g are one line: --all-terms prints each"), "{}", run.stderr);
    let all = folder.run(&["fit", "d.csv", "-f", "y ~ x + g + h", "--all-terms"]);
    assert!(all.stdout.contains("\ng[g03]") && !all.stdout.contains("g: 89") && !all.stderr.contains("--all-terms"));
    assert!(folder.done(&["fit", "d.csv", "-f", "y ~ x + g", "--format", "csv"]).lines().count() > 88);
    // Under other noise, too, by their covariance matrix.
    let other = folder.done(&["fit", "d.csv", "-f", "y ~ x + g", "--noise", "logistic"]);
    assert!(other.contains("g: 89 coefficients") && other.contains("that all are zero: F"), "{other}");
}

#[test]
fn the_covariance_matrix_is_made_where_it_is_asked_for() {
    let folder = Folder::new();
    folder.write("d.csv", table(700));
    let [coded, columns] = both(&folder, &["-f", "y ~ x + g", "--vcov-matrix"]);
    let matrix = |fit: &Value| {
        let rows = fit["vcov"].as_array().unwrap();
        rows.iter()
            .map(|row| row.as_array().unwrap().iter().map(|x| x.as_f64().unwrap()).collect())
            .collect::<Vec<Vec<f64>>>()
    };
    let (a, b) = (matrix(&coded), matrix(&columns));
    assert_eq!(a.len(), 91);
    for i in 0..91 {
        for j in 0..91 {
            assert!((a[i][j] - b[i][j]).abs() <= 1e-9 * (b[i][i] * b[j][j]).sqrt(), "{i} {j}");
        }
    }
    assert!(folder.fit(&["d.csv", "-f", "y ~ x + g"]).get("vcov").is_none());
}
