//! Tests of hypotheses and errors for few clusters from the command line, against statsmodels, dense definitions and every draw.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use common::{Folder, assert_close, column, csv, number, reference, testdata};
use serde_json::Value;

/// A folder with a model of mtcars.
fn fitted(formula: &str, more: &[&str]) -> (Folder, String) {
    let (folder, data) = (Folder::new(), testdata("mtcars.csv"));
    folder.done(&[&["fit", &data, "-f", formula, "-o", "m.json"], more].concat());
    (folder, data)
}

fn tested(folder: &Folder, words: &[&str]) -> Vec<Value> {
    let text = folder.done(&[&["test", "m.json", "--format", "json"], words].concat());
    let record: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(record["schema"], "noisefit.test/1");
    record["tests"].as_array().unwrap().clone()
}

#[test]
fn wald_tests_are_statsmodels() {
    let known = reference("reference/hypotheses.json");
    let mut checked = 0;
    for vcov in ["classical", "hc3", "cluster:carb"] {
        let (folder, _) = fitted("mpg ~ wt + hp + C(cyl)", &["--vcov", vcov]);
        for row in known["wald"].as_array().unwrap().iter().filter(|row| row["vcov"] == vcov) {
            let hypothesis = row["hypothesis"].as_str().unwrap();
            let found = tested(&folder, &[hypothesis]).remove(0);
            let what = format!("{vcov} {hypothesis}");
            let (statistic, p_value) = match row.get("t") {
                Some(t) => {
                    assert_close(number(&found["std_error"]), number(&row["std_error"]), 1e-9, &what);
                    for (name, k) in [("conf_low", 0), ("conf_high", 1)] {
                        // Theirs is of left less right, ours of the coefficients' part.
                        let moved = if hypothesis == "wt = -3" { 0.0 } else { number(&row["conf"][k]) };
                        if moved != 0.0 {
                            let found = number(&found[name]);
                            assert!((found - moved).abs() < 1e-8 * moved.abs().max(1.0), "{what}: {found} {moved}");
                        }
                    }
                    (number(t), number(&row["p_value"]))
                }
                None => (number(&row["F"]), number(&row["p_value"])),
            };
            assert_close(number(&found["statistic"]), statistic, 1e-8, &what);
            assert_close(number(&found["df"]), number(&row["df"]), 0.0, &what);
            assert_close(number(&found["df_residual"]), number(&row["df_residual"]), 0.0, &what);
            assert_close(number(&found["p_value"]), p_value, 1e-7, &what);
            checked += 1;
        }
    }
    assert_eq!(checked, 14);
}

#[test]
fn terms_are_tested_without_any_hypothesis_and_single_ones_as_the_table_has_them() {
    let (folder, data) = fitted("mpg ~ wt + C(cyl) + poly(hp, 2)", &[]);
    let fit = folder.fit(&[&data, "-f", "mpg ~ wt + C(cyl) + poly(hp, 2)"]);
    let found = tested(&folder, &[]);
    let names: Vec<&str> = found.iter().map(|test| test["hypothesis"].as_str().unwrap()).collect();
    assert_eq!(names, ["wt", "C(cyl)", "poly(hp, 2)"]);
    let row = &fit["coefficients"][1];
    for name in ["estimate", "std_error", "statistic", "p_value", "conf_low", "conf_high"] {
        assert_close(number(&found[0][name]), number(&row[name]), 1e-12, name);
    }
    // All slopes at once are the F test of the fit.
    let all = tested(&folder, &["."]).remove(0);
    assert_close(number(&all["statistic"]), number(&fit["f_test"]["statistic"]), 1e-9, "F");
    assert_close(number(&all["p_value"]), number(&fit["f_test"]["p_value"]), 1e-7, "p");
    // Without the allowance for few rows chi-squared, which is F times its degrees of freedom but for n / (n - p).
    folder.done(&["fit", &data, "-f", "mpg ~ wt + C(cyl) + poly(hp, 2)", "--small-sample", "none", "-o", "m.json"]);
    let chi = tested(&folder, &["."]).remove(0);
    assert_eq!((chi["test"].as_str(), chi["df_residual"].is_null()), (Some("chi2"), true));
    assert_close(number(&chi["statistic"]), 5.0 * number(&all["statistic"]) * 32.0 / 26.0, 1e-9, "chi2");
}

#[test]
fn functions_by_the_delta_method() {
    let (folder, data) = fitted("mpg ~ wt + hp", &["--vcov", "hc3"]);
    let text =
        folder.done(&["fit", &data, "-f", "mpg ~ wt + hp", "--vcov", "hc3", "--vcov-matrix", "--format", "json"]);
    let fit: Value = serde_json::from_str(&text).unwrap();
    let b: Vec<f64> = column(&fit, "estimate").into_iter().flatten().collect();
    let v = |i: usize, j: usize| number(&fit["vcov"][i][j]);
    let found = tested(&folder, &["--eval", "wt/hp", "--eval", "exp(wt) = 0.02"]);
    let ratio = b[1] / b[2];
    let (g1, g2) = (1.0 / b[2], -ratio / b[2]);
    let error = (g1 * g1 * v(1, 1) + 2.0 * g1 * g2 * v(1, 2) + g2 * g2 * v(2, 2)).sqrt();
    assert_close(number(&found[0]["estimate"]), ratio, 1e-12, "ratio");
    assert_close(number(&found[0]["std_error"]), error, 1e-10, "its error");
    assert_close(number(&found[0]["statistic"]), ratio / error, 1e-10, "its statistic");
    let error = b[1].exp() * v(1, 1).sqrt();
    assert_close(number(&found[1]["std_error"]), error, 1e-10, "error of exp");
    assert_close(number(&found[1]["statistic"]), (b[1].exp() - 0.02) / error, 1e-10, "statistic of exp");
    // A linear function has the error of the linear hypothesis.
    let linear = tested(&folder, &["2*wt - hp = 1", "--eval", "2*wt - hp = 1"]);
    for name in ["estimate", "std_error", "statistic", "p_value"] {
        assert_close(number(&linear[1][name]), number(&linear[0][name]), 1e-12, name);
    }
}

/// By likelihood ratio: Gaussian noise has the F test of the sums of squares, and every noise what two fits of nested formulas say.
#[test]
fn likelihood_ratios_are_those_of_two_fits() {
    let data = testdata("mtcars.csv");
    for (noise, tolerance) in
        [("gaussian", 1e-9), ("logistic", 1e-7), ("student-t:5", 1e-7), ("laplace", 1e-9), ("huber", 1e-7)]
    {
        let (folder, _) = fitted("mpg ~ wt + hp + qsec", &["--noise", noise, "--small-sample", "none"]);
        let whole = folder.fit(&[&data, "-f", "mpg ~ wt + hp + qsec", "--noise", noise]);
        let part = folder.fit(&[&data, "-f", "mpg ~ wt", "--noise", noise]);
        let found = tested(&folder, &["hp = 0, qsec = 0", "hp = qsec", "wt = -3", "--lr", "--data", &data]);
        let ratio = 2.0 * (number(&whole["log_likelihood"]) - number(&part["log_likelihood"]));
        assert_close(number(&found[0]["likelihood_ratio"]), ratio, tolerance, noise);
        assert_eq!(found[0]["test"], "chi2");
        // A sum of columns is what they have the same coefficient of, and a shift what a coefficient is held at.
        let equal = folder.fit(&[&data, "-f", "mpg ~ wt + I(hp + qsec)", "--noise", noise]);
        assert_close(number(&found[1]["log_likelihood"]), number(&equal["log_likelihood"]), tolerance, noise);
        let shifted: String = std::fs::read_to_string(&data)
            .unwrap()
            .lines()
            .enumerate()
            .map(|(i, line)| {
                let cells: Vec<&str> = line.split(',').collect();
                let moved = |i: usize| cells[1].parse::<f64>().unwrap() + 3.0 * cells[i].parse::<f64>().unwrap();
                if i == 0 { format!("{line},moved\n") } else { format!("{line},{}\n", moved(6)) }
            })
            .collect();
        folder.write("shifted.csv", shifted);
        let held = folder.fit(&["shifted.csv", "-f", "moved ~ hp + qsec", "--noise", noise]);
        assert_close(number(&found[2]["log_likelihood"]), number(&held["log_likelihood"]), tolerance, noise);
    }
    // Under Gaussian noise F, of the sums of squares.
    let (folder, _) = fitted("mpg ~ wt + hp + qsec", &[]);
    let wald = tested(&folder, &["hp, qsec", "hp = qsec, wt = -3"]);
    let ratio = tested(&folder, &["hp, qsec", "hp = qsec, wt = -3", "--lr", "--data", &data]);
    for (wald, ratio) in wald.iter().zip(&ratio) {
        assert_close(number(&ratio["statistic"]), number(&wald["statistic"]), 1e-9, "F");
        assert_close(number(&ratio["p_value"]), number(&wald["p_value"]), 1e-8, "p");
    }
}

/// What a profile-likelihood interval ends at is rejected at just its level.
#[test]
fn a_likelihood_ratio_test_is_the_profile_interval_turned_round() {
    let data = testdata("mtcars.csv");
    let (folder, _) = fitted("mpg ~ wt + hp", &["--noise", "student-t:4"]);
    let fit = folder.fit(&[&data, "-f", "mpg ~ wt + hp", "--noise", "student-t:4", "--confint", "profile"]);
    let end = number(&fit["coefficients"][1]["conf_high"]);
    let found = tested(&folder, &[&format!("wt = {end}"), "--lr", "--data", &data]);
    assert_close(number(&found[0]["p_value"]), 0.05, 1e-6, "p");
}

#[test]
fn coefficients_of_the_scale() {
    let data = testdata("engel.csv");
    let folder = Folder::new();
    let words = ["fit", &data, "-f", "foodexp ~ income", "--scale", "~ income", "-o", "m.json", "--format", "json"];
    let fit: Value = serde_json::from_str(&folder.done(&words)).unwrap();
    let found = tested(&folder, &["log scale: income", "log scale: income = 0.001"]);
    let row = &fit["scale_coefficients"][1];
    assert_close(number(&found[0]["statistic"]), number(&row["statistic"]), 1e-12, "t");
    assert_close(number(&found[1]["estimate"]), number(&row["estimate"]), 1e-12, "estimate");
    let plain = folder.fit(&[&data, "-f", "foodexp ~ income"]);
    let ratio = tested(&folder, &["log scale: income", "--lr", "--data", &data]).remove(0);
    let expected = 2.0 * (number(&fit["log_likelihood"]) - number(&plain["log_likelihood"]));
    assert_close(number(&ratio["likelihood_ratio"]), expected, 1e-8, "one scale");
    let mixed = folder.refusal(1, &["test", "m.json", "income = log scale: income"]);
    assert!(mixed.contains("location and of the scale at once"), "{mixed}");
}

#[test]
fn several_at_once() {
    let (folder, _) = fitted("mpg ~ wt + C(cyl)", &[]);
    let pairs = ["C(cyl)[6]", "C(cyl)[8]", "C(cyl)[6] = C(cyl)[8]"];
    let alone = tested(&folder, &pairs);
    let p: Vec<f64> = alone.iter().map(|test| number(&test["p_value"])).collect();
    let adjusted = |how: &str| tested(&folder, &[&pairs[..], &["--adjust", how]].concat());
    for (test, p) in adjusted("bonferroni").iter().zip(&p) {
        assert_close(number(&test["p_adjusted"]), (3.0 * p).min(1.0), 1e-12, "bonferroni");
    }
    let holm: Vec<f64> = adjusted("holm").iter().map(|test| number(&test["p_adjusted"])).collect();
    let mut sorted = p.clone();
    sorted.sort_by(f64::total_cmp);
    let least = p.iter().position(|p| *p == sorted[0]).unwrap();
    assert_close(holm[least], (3.0 * sorted[0]).min(1.0), 1e-12, "holm");
    for ((largest, alone), holm) in adjusted("max-t").iter().zip(&alone).zip(&holm) {
        let (p, alone_p) = (number(&largest["p_adjusted"]), number(&alone["p_value"]));
        assert!(alone_p <= p && p <= 3.0 * alone_p, "{p} {alone_p} {holm}");
        let width = |test: &Value| number(&test["conf_high"]) - number(&test["conf_low"]);
        assert!(width(largest) > width(alone));
    }
}

#[test]
fn forms_of_output() {
    let (folder, _) = fitted("mpg ~ wt + C(cyl)", &[]);
    let text = folder.done(&["test", "m.json", "wt = -3", "C(cyl)", "--format", "csv"]);
    let (header, rows) = csv(&text);
    assert_eq!((header[1], rows.len(), rows[0][1], rows[1][1]), ("hypothesis", 2, "wt = -3", "C(cyl)"));
    assert_eq!((rows[1][2], rows[1][5]), ("", "F"));
    let markdown = folder.done(&["test", "m.json", "wt = -3", "C(cyl)", "--format", "markdown"]);
    assert!(markdown.starts_with("| noise | hypothesis | estimate |"), "{markdown}");
    let table = folder.done(&["test", "m.json", "wt = -3", "C(cyl)"]);
    assert!(table.contains("Wald tests; standard errors classical, Student's t with 28 df"), "{table}");
    // Of several quantiles each.
    let data = testdata("engel.csv");
    folder.done(&["fit", &data, "-f", "foodexp ~ income", "--noise", "quantile:0.25,0.75", "-o", "q.json"]);
    let text = folder.done(&["test", "q.json", "income = 0.5"]);
    assert!(text.contains("quantile 0.25\n") && text.contains("quantile 0.75\n"), "{text}");
}

#[test]
fn what_cannot_be_tested_is_said() {
    let (folder, data) = fitted("mpg ~ wt + hp + I(2*wt)", &[]);
    let said = |words: &[&str]| folder.refusal(1, &[&["test", "m.json"], words].concat());
    assert!(said(&["wd = 0"]).contains("no coefficient 'wd'; did you mean 'wt'? there are"));
    assert!(said(&["I(2 * wt) = 0"]).contains("I(2 * wt) has no estimate"));
    assert!(said(&["wt = 0, wt = 1"]).contains("follows from the others, or contradicts them"));
    assert!(said(&["wt*hp = 1"]).contains("it is not linear in the coefficients"));
    assert!(said(&["wt = wt"]).contains("it says nothing of any coefficient"));
    assert!(said(&["wt", "--lr", "--data", &testdata("engel.csv")]).contains("no column `wt`"));
    folder.write(
        "short.csv",
        std::fs::read_to_string(&data).unwrap().lines().take(30).map(|l| format!("{l}\n")).collect::<String>(),
    );
    assert!(said(&["wt", "--lr", "--data", "short.csv"]).contains("29 observations and the model was fitted to 32"));
    assert!(said(&["wt, hp", "--adjust", "max-t"]).contains("max-t is for single restrictions"));
    let usage = folder.refusal(2, &["test", "m.json", "wt", "--data", &data]);
    assert!(usage.contains("--data is for --lr, --wild and --across"), "{usage}");
    let usage = folder.refusal(2, &["test", "m.json", "wt", "--wild", "--data", &data]);
    assert!(usage.contains("by --cluster"), "{usage}");
}

#[test]
fn cr2_is_its_definition() {
    let known = reference("reference/hypotheses.json");
    let (folder, data) = (Folder::new(), testdata("mtcars.csv"));
    let mut checked = 0;
    for row in known["cr2"].as_array().unwrap() {
        let (formula, cluster) = (row["formula"].as_str().unwrap(), row["cluster"].as_str().unwrap());
        let vcov = format!("cr2:{cluster}");
        let weights = row.get("weights").and_then(Value::as_str).map(|w| vec!["--weights", w]).unwrap_or_default();
        let words = [&[&data[..], "-f", formula, "--vcov", &vcov][..], &weights].concat();
        let found = folder.fit(&words);
        let alone = formula.contains("cyl");
        for (j, coefficient) in found["coefficients"].as_array().unwrap().iter().enumerate() {
            let what = format!("{formula} {vcov} {}", coefficient["term"]);
            if alone && j != 1 {
                // Each level is a cluster of its own.
                assert!(coefficient["std_error"].is_null() && coefficient["p_value"].is_null(), "{what}");
                continue;
            }
            assert_close(number(&coefficient["std_error"]), number(&row["std_error"][j]), 1e-8, &what);
            assert_close(number(&coefficient["df"]), number(&row["df"][j]), 1e-7, &what);
            checked += 1;
        }
        if let Some(test) = row.get("f_test").filter(|test| test["df"] == 2) {
            for (name, theirs) in [("statistic", "statistic"), ("df_residual", "df_residual"), ("p_value", "p_value")] {
                assert_close(number(&found["f_test"][name]), number(&test[theirs]), 1e-7, name);
            }
        }
    }
    assert_eq!(checked, 10);
    // A frequency is rows of the same cluster.
    let table = std::fs::read_to_string(&data).unwrap();
    let twice: String = table
        .lines()
        .enumerate()
        .flat_map(|(i, line)| std::iter::repeat_n(format!("{line}\n"), if i % 3 == 1 { 2 } else { 1 }))
        .collect();
    let counted: String = table
        .lines()
        .enumerate()
        .map(|(i, line)| {
            format!(
                "{line},{}\n",
                if i == 0 {
                    "f"
                } else if i % 3 == 1 {
                    "2"
                } else {
                    "1"
                }
            )
        })
        .collect();
    folder.write("twice.csv", twice);
    folder.write("counted.csv", counted);
    let words = ["-f", "mpg ~ wt + hp", "--vcov", "cr2:carb"];
    let twice = folder.fit(&[&["twice.csv"], &words[..]].concat());
    let counted = folder.fit(&[&["counted.csv", "--frequency-weights", "f"], &words[..]].concat());
    for name in ["std_error", "df"] {
        for (one, other) in column(&twice, name).into_iter().zip(column(&counted, name)) {
            assert_close(one.unwrap(), other.unwrap(), 1e-9, name);
        }
    }
    let text = folder.run(&["fit", &data, "-f", "mpg ~ wt + hp", "--vcov", "cr2:carb"]);
    assert!(text.stdout.contains("Student's t with the df of each coefficient"), "{}", text.stdout);
    assert!(text.stderr.contains("with fewer than 4 tests and intervals are a rough guide"), "{}", text.stderr);
    let few = folder.run(&["fit", &data, "-f", "mpg ~ wt + hp", "--vcov", "cluster:carb"]).stderr;
    assert!(few.contains("use the covariance cr2, or a wild cluster bootstrap of the test"), "{few}");
    assert!(
        folder
            .refusal(1, &["fit", &data, "-f", "mpg ~ wt", "--noise", "laplace", "--vcov", "cr2:carb"])
            .contains("use cluster")
    );
}

#[test]
fn a_wild_cluster_bootstrap_is_every_draw() {
    let known = reference("reference/hypotheses.json");
    for row in known["wild"].as_array().unwrap() {
        let cluster = row["cluster"].as_str().unwrap();
        let (folder, data) = fitted("mpg ~ wt + hp", &["--vcov", &format!("cluster:{cluster}")]);
        let hypothesis = format!("{} = {}", row["term"].as_str().unwrap(), number(&row["value"]));
        // By the clusters of the model's own covariance.
        let found = tested(&folder, &[&hypothesis, "--wild", "--data", &data]).remove(0);
        let what = format!("{cluster} {hypothesis}");
        assert_close(number(&found["p_value"]), number(&row["p_value"]), 1e-12, &what);
        if let Some(theirs) = row.get("wildboottest") {
            assert_close(number(&found["p_value"]), number(theirs), 1e-12, &what);
        }
        // Its statistic is that of the model.
        let wald = tested(&folder, &[&hypothesis]).remove(0);
        assert_close(number(&found["statistic"]), number(&wald["statistic"]), 1e-9, &what);
        // Within the interval values are not rejected, beyond its ends they are.
        for (name, beyond) in [("conf_low", -1.0), ("conf_high", 1.0)] {
            let Some(end) = found[name].as_f64() else { continue };
            let p = |value: f64| {
                let hypothesis = format!("{} = {value:?}", row["term"].as_str().unwrap());
                number(&tested(&folder, &[&hypothesis, "--wild", "--data", &data])[0]["p_value"])
            };
            let step = 1e-6 * end.abs();
            assert!(p(end - beyond * step) > 0.05 && p(end + beyond * step) <= 0.05, "{what} {name}");
        }
    }
    // Draws at random are those of their seed, near all of them, and say how many there were.
    let (folder, data) = fitted("mpg ~ wt + hp", &[]);
    for weights in ["webb", "mammen", "rademacher"] {
        let words = ["hp", "--wild", "--data", &data, "--cluster", "carb", "--draw-weights", weights, "--draws", "63"];
        assert!(folder.refusal(2, &[&["test", "m.json"], &words[..]].concat()).contains("from 99"));
        let words = [&words[..8], &["--draws", "1999"]].concat();
        let once = tested(&folder, &words);
        assert_eq!(once, tested(&folder, &words));
        let p = number(&once[0]["p_value"]);
        assert!((0.005..0.25).contains(&p), "{weights}: {p}");
    }
    let text = folder.done(&["test", "m.json", "hp", "--wild", "--data", &data, "--cluster", "carb"]);
    assert!(text.contains("all 64 draws (rademacher) for 6 clusters by carb"), "{text}");
    let joint = folder.refusal(1, &["test", "m.json", "hp, wt", "--wild", "--data", &data, "--cluster", "carb"]);
    assert!(joint.contains("one restriction at a time"), "{joint}");
}
