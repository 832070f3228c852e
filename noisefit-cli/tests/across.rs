//! `noisefit test --across`: whether coefficients are the same at several quantiles. The reference is quantreg's `anova`.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use common::{Folder, number, reference, testdata};
use serde_json::Value;

fn tests(folder: &Folder, more: &[&str]) -> Vec<Value> {
    let data = testdata("engel.csv");
    let words = ["test", "m.json", "--across", "--data", &data, "--format", "json"];
    let found: Value = serde_json::from_str(&folder.done(&[&words[..], more].concat())).unwrap();
    assert_eq!(found["method"], "across-quantiles");
    found["tests"].as_array().unwrap().clone()
}

#[test]
fn changes_between_quantiles_are_those_of_quantreg() {
    let (folder, data) = (Folder::new(), testdata("engel.csv"));
    let cases = reference("reference/across.json");
    let cases = cases["cases"].as_array().unwrap();
    assert_eq!(cases.len(), 5);
    for case in cases {
        let taus: Vec<String> = case["taus"].as_array().unwrap().iter().map(Value::to_string).collect();
        let noise = format!("quantile:{}", taus.join(","));
        let vcov = if case["vcov"] == "ker" { "kernel" } else { "nid" };
        let formula = case["formula"].as_str().unwrap();
        // quantreg has n where the convention for small samples has n - p.
        let words =
            ["fit", &data, "-f", formula, "--noise", &noise, "--vcov", vcov, "--small-sample", "none", "-o", "m.json"];
        folder.done(&words);
        let wanted: Vec<f64> = case["f"].as_array().unwrap().iter().map(number).collect();
        let df = number(&case["df"]);
        let found = match case["joint"].as_bool().unwrap() {
            true => tests(&folder, &["."]),
            false => tests(&folder, &["income", "I(income^2)"]),
        };
        assert_eq!(found.len(), wanted.len());
        for (test, wanted) in found.iter().zip(&wanted) {
            assert_eq!(number(&test["df"]), df);
            let statistic = number(&test["statistic"]);
            let f = if df == 1.0 { statistic * statistic } else { statistic / df };
            assert!((f - wanted).abs() <= 1e-6 * wanted.abs(), "{formula} {noise}: {f} for {wanted}");
        }
    }
}

#[test]
fn what_is_not_known_of_two_quantiles_is_refused() {
    let (folder, data) = (Folder::new(), testdata("engel.csv"));
    let fit = |noise: &str, vcov: &str| {
        folder.done(&["fit", &data, "-f", "foodexp ~ income", "--noise", noise, "--vcov", vcov, "-o", "m.json"]);
    };
    let refused = |code: i32, more: &[&str], what: &str| {
        let words = ["test", "m.json", "--across"];
        let said = folder.refusal(code, &[&words[..], more].concat());
        assert!(said.contains(what), "{said}");
    };
    fit("quantile:0.25,0.75", "nid");
    let text = folder.done(&["test", "m.json", "income", "--across", "--data", &data]);
    assert!(text.contains("quantiles 0.25, 0.75: Wald tests that coefficients are the same at all of them"), "{text}");
    refused(2, &[], "--data");
    refused(1, &["income = 0.5", "--data", &data], "they are set beside one another");
    fit("quantile:0.25,0.75", "bootstrap:50");
    refused(1, &["income", "--data", &data], "fit with nid, iid or kernel");
    fit("quantile:0.25", "nid");
    refused(1, &["income", "--data", &data], "the model has one fit alone");
}
