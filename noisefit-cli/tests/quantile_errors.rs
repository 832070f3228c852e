//! Standard errors of quantiles through the program against R's quantreg.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking, also in its helpers")]

mod common;

use std::fmt::Write;

use common::{Folder, assert_close, number, reference, testdata};
use serde_json::Value;

fn table(fit: &Value) -> &[Value] {
    fit["coefficients"].as_array().unwrap()
}

fn errors(fit: &Value) -> Vec<f64> {
    table(fit).iter().map(|row| number(&row["std_error"])).collect()
}

fn worst(found: &[f64], expected: &Value) -> f64 {
    let expected = expected.as_array().unwrap();
    assert_eq!(found.len(), expected.len());
    found.iter().zip(expected).map(|(a, b)| (a / number(b) - 1.0).abs()).fold(0.0, f64::max)
}

/// The file of a case, with its weights or frequencies as another column.
fn data(folder: &Folder, case: &Value) -> String {
    let path = testdata(&format!("{}.csv", case["data"].as_str().unwrap()));
    let Some(column) = ["weights", "frequencies"].iter().find_map(|name| case[*name].as_array()) else { return path };
    let text = std::fs::read_to_string(&path).unwrap();
    let mut lines = text.lines();
    let mut table = format!("{},more\n", lines.next().unwrap());
    lines.zip(column).for_each(|(line, value)| writeln!(table, "{line},{value}").unwrap());
    folder.write("more.csv", table);
    "more.csv".to_owned()
}

#[test]
fn every_standard_error() {
    let folder = Folder::new();
    let cases = reference("reference/quantile_errors.json");
    let mut compared = 0;
    for case in cases.as_array().unwrap() {
        let noise = format!("quantile:{}", case["tau"]);
        let data = data(&folder, case);
        let mut arguments = vec![data.as_str(), "-f", case["formula"].as_str().unwrap(), "--noise", &noise];
        for (name, option) in [("weights", "--weights"), ("frequencies", "--frequency-weights")] {
            if case[name].is_array() {
                arguments.extend([option, "more"]);
            }
        }
        // quantreg takes 1.5e-8 off the distance of the quantiles that nid rests on.
        for (how, name, tolerance) in
            [("iid", "iid", 1e-10), ("nid", "nid_defined", 1e-10), ("nid", "nid", 2e-7), ("kernel", "kernel", 1e-10)]
        {
            if case[name].is_null() {
                continue;
            }
            let options = [&arguments[..], &["--vcov", how]].concat();
            let fit = folder.fit(&[&options[..], &["--small-sample", "none"]].concat());
            let what = format!("{} {} at {} of {}", how, case["formula"], case["tau"], case["data"]);
            assert_eq!(fit["vcov_type"], how, "{what}");
            let off = worst(&errors(&fit), &case[name]);
            assert!(off < tolerance, "{what}: {:?} and not {}", errors(&fit), case[name]);
            let warned = fit["warnings"].to_string().contains("cross");
            assert_eq!(warned, how == "nid" && case["crossed"] != 0, "{what}: {}", fit["warnings"]);
            // For few rows they are larger by a factor that is stated, with the same estimates.
            let corrected = folder.fit(&options);
            assert_eq!(corrected["vcov_type"], how, "{what}");
            let [n, left] = ["nobs", "df_residual"].map(|field| number(&corrected[field]));
            assert_eq!(left, n - errors(&fit).len() as f64, "{what}");
            assert_eq!(fit["small_sample_factor"], 1.0, "{what}");
            assert_close(number(&corrected["small_sample_factor"]), n / left, 1e-15, &what);
            for (found, plain) in errors(&corrected).iter().zip(errors(&fit)) {
                assert_close(*found, (n / left).sqrt() * plain, 1e-13, &what);
            }
            for (row, plain) in table(&corrected).iter().zip(table(&fit)) {
                assert_eq!((&row["estimate"], &row["df"]), (&plain["estimate"], &left.into()), "{what}");
                assert!(plain["df"].is_null(), "{what}");
            }
            assert_eq!((&fit["reference"], &corrected["reference"]), (&"normal".into(), &"student-t".into()), "{what}");
            compared += 1;
        }
    }
    assert_eq!(compared, 76);
}
