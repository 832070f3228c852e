//! Splines, offsets and comparisons in formulas, from the command line: patsy's and R's numbers, and models that must be the same.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use common::{Folder, assert_close, column, csv, estimates, number, reference, testdata};
use serde_json::Value;

fn numbers(value: &Value) -> Vec<f64> {
    value.as_array().unwrap().iter().map(number).collect()
}

/// Coefficients are of the columns themselves, so that they tell these apart; predictions are of the stored knots.
#[test]
fn splines_are_patsys_and_rs() {
    let known = reference("reference/splines.json");
    let (folder, data) = (Folder::new(), testdata("mtcars.csv"));
    let mut checked = 0;
    for fit in known["fits"].as_array().unwrap() {
        let formula = fit["formula"].as_str().unwrap();
        let words = ["fit", &data, "-f", formula, "-o", "m.json", "--format", "json"];
        let found: Value = serde_json::from_str(&folder.done(&words)).unwrap();
        let expected = numbers(&fit["coefficients"]);
        let estimates = estimates(&found);
        assert_eq!(estimates.len(), expected.len(), "{formula}");
        let size = expected.iter().fold(0.0, |size: f64, b| size.max(b.abs()));
        for (found, expected) in estimates.iter().zip(&expected) {
            assert!((found.unwrap() - expected).abs() < 1e-9 * size, "{formula}: {estimates:?} {expected:?}");
        }
        let new = numbers(fit.get("new").unwrap_or(&known["new"]));
        folder.write("new.csv", format!("hp\n{}\n", new.iter().map(f64::to_string).collect::<Vec<_>>().join("\n")));
        let run = folder.run(&["predict", "m.json", "new.csv"]);
        let (_, rows) = csv(&run.stdout);
        for (row, expected) in rows.iter().zip(numbers(&fit["predictions"])) {
            assert_close(row[0].parse().unwrap(), expected, 1e-9, formula);
        }
        let beyond = new.iter().filter(|x| **x < 52.0 || **x > 335.0).count();
        assert_eq!(
            run.stderr.contains(&format!("{beyond} rows with a value beyond the boundary of a spline")),
            beyond > 1,
            "{formula}: {}",
            run.stderr
        );
        checked += rows.len();
    }
    assert!(checked >= 40, "{checked}");
    // The example of R's help page, as R prints it.
    let height = (58..73).map(|x| x.to_string());
    let weight = [115, 117, 120, 123, 126, 129, 132, 135, 139, 142, 146, 150, 154, 159, 164];
    let women: String = height.zip(weight).map(|(height, weight)| format!("{height},{weight}\n")).collect();
    folder.write("women.csv", format!("height,weight\n{women}"));
    let found = folder.fit(&["women.csv", "-f", "weight ~ ns(height, df=5)"]);
    for (found, r) in estimates(&found).into_iter().zip([114.7447, 15.9474, 25.1695, 33.2582, 50.7894, 45.0363]) {
        assert!((found.unwrap() - r).abs() < 5.1e-5, "{found:?} {r}");
    }
}

/// A cyclic spline has the same values a period on, and a row stands for as many as its frequency says.
#[test]
fn splines_begin_anew_and_count_rows() {
    let (folder, data) = (Folder::new(), testdata("mtcars.csv"));
    folder.done(&["fit", &data, "-f", "mpg ~ cc(hp, df=5, Boundary.knots=c(50, 350))", "-o", "m.json"]);
    folder.write("new.csv", "hp\n60\n360\n660\n-240\n50\n350\n");
    let text = folder.done(&["predict", "m.json", "new.csv"]);
    let values: Vec<f64> = csv(&text).1.iter().map(|row| row[0].parse().unwrap()).collect();
    for k in 1..4 {
        assert_close(values[k], values[0], 1e-9, "a period on");
    }
    assert_close(values[5], values[4], 1e-9, "both boundaries");
    let table = std::fs::read_to_string(&data).unwrap();
    let twice = |i: usize| i % 3 == 1;
    let repeated =
        table.lines().enumerate().flat_map(|(i, line)| vec![format!("{line}\n"); if twice(i) { 2 } else { 1 }]);
    folder.write("twice.csv", repeated.collect::<String>());
    let counted = table.lines().enumerate().map(|(i, line)| match i {
        0 => format!("{line},f\n"),
        i => format!("{line},{}\n", if twice(i) { 2 } else { 1 }),
    });
    folder.write("counted.csv", counted.collect::<String>());
    for term in ["bs(hp, df=5)", "ns(hp, df=3)"] {
        let formula = format!("mpg ~ {term}");
        let repeated = folder.fit(&["twice.csv", "-f", &formula]);
        let counted = folder.fit(&["counted.csv", "-f", &formula, "--frequency-weights", "f"]);
        for (one, other) in estimates(&repeated).into_iter().zip(estimates(&counted)) {
            assert_close(one.unwrap(), other.unwrap(), 1e-9, term);
        }
    }
}

#[test]
fn what_a_spline_cannot_be_is_said() {
    let (folder, data) = (Folder::new(), testdata("mtcars.csv"));
    for (term, why) in [
        ("bs(hp, df=2)", "such a spline has 3 columns or more"),
        ("bs(hp, df=5, knots=c(100))", "these knots make 4 columns, not 5"),
        ("ns(hp, degree=2)", "ns takes df, knots and Boundary.knots"),
        ("bs(hp, knots=c(100, 1000))", "its knot 1000 is not between the boundary's, 52 and 335"),
        ("bs(hp, knots=c(100, 100))", "two knots are the same"),
        ("ns(cyl, df=9)", "the quantiles that its knots stand at are not distinct"),
        ("cc(hp)", "cc needs a number of columns"),
        ("cc(hp, df=3, Boundary.knots=c(9, 1))", "two numbers in ascending order"),
        ("bs(hp, df='a')", "a whole number"),
        ("I(c(1, 2) * hp)", "c() lists numbers"),
        ("c(hp)", "c() lists numbers"),
        ("bs(model, df=4)", "'model' holds text"),
    ] {
        let run = folder.run(&["fit", &data, "-f", &format!("mpg ~ {term}")]);
        assert!(run.code != 0 && run.stderr.contains(why), "{term}: {}", run.stderr);
    }
}

#[test]
fn an_offset_is_a_response_that_is_moved() {
    let (folder, data) = (Folder::new(), testdata("mtcars.csv"));
    let table = std::fs::read_to_string(&data).unwrap();
    let moved = table.lines().enumerate().map(|(i, line)| {
        let cells: Vec<&str> = line.split(',').collect();
        let value = |j: usize| cells[j].parse::<f64>().unwrap();
        if i == 0 { format!("{line},moved\n") } else { format!("{line},{}\n", value(1) - (0.5 * value(7) + value(6))) }
    });
    folder.write("moved.csv", moved.collect::<String>());
    for noise in ["gaussian", "laplace", "student-t:5", "logistic", "huber", "quantile:0.3"] {
        let formula = "mpg ~ hp + offset(0.5*qsec) + offset(wt)";
        let words = ["fit", &data, "-f", formula, "--noise", noise, "-o", "offset.json", "--format", "json"];
        let found: Value = serde_json::from_str(&folder.done(&words)).unwrap();
        let words = ["fit", "moved.csv", "-f", "moved ~ hp", "--noise", noise, "-o", "moved.json", "--format", "json"];
        let plain: Value = serde_json::from_str(&folder.done(&words)).unwrap();
        for name in ["estimate", "std_error"] {
            for (one, other) in column(&found, name).into_iter().zip(column(&plain, name)) {
                assert_close(one.unwrap(), other.unwrap(), 1e-7, noise);
            }
        }
        for name in ["log_likelihood", "rmse", "mae"] {
            assert_close(number(&found[name]), number(&plain[name]), 1e-9, noise);
        }
        // Predictions have it again, and so have their intervals.
        let interval = if noise.starts_with("quantile") { "confidence" } else { "prediction" };
        let predict = |model: &str| -> Vec<Vec<f64>> {
            let text = folder.done(&["predict", model, "moved.csv", "--interval", "0.9", interval]);
            csv(&text).1.iter().map(|row| row.iter().map(|x| x.parse().unwrap()).collect()).collect()
        };
        let (with, without) = (predict("offset.json"), predict("moved.json"));
        for ((with, without), line) in with.iter().zip(&without).zip(table.lines().skip(1)) {
            let cells: Vec<&str> = line.split(',').collect();
            let offset = 0.5 * cells[7].parse::<f64>().unwrap() + cells[6].parse::<f64>().unwrap();
            for (with, without) in with.iter().zip(without) {
                assert_close(*with, without + offset, 1e-8, noise);
            }
        }
        let scores = |model: &str| folder.done(&["evaluate", model, "moved.csv", "--format", "json"]);
        let (one, other): (Value, Value) = (
            serde_json::from_str(&scores("offset.json")).unwrap(),
            serde_json::from_str(&scores("moved.json")).unwrap(),
        );
        if let (Some(one), Some(other)) = (one["rmse"].as_f64(), other["rmse"].as_f64()) {
            assert_close(one, other, 1e-8, noise);
        }
    }
    // Through a logarithm, as rates have it.
    let log = folder.fit(&[&data, "-f", "log(mpg) ~ wt + offset(log(hp))"]);
    let ratio = folder.fit(&[&data, "-f", "log(mpg) ~ wt + log(hp)"]);
    assert_eq!(estimates(&log).len() + 1, estimates(&ratio).len());
    let refused = folder.refusal(1, &["fit", &data, "-f", "sqrt(mpg) ~ wt + offset(hp)"]);
    assert!(refused.contains("sqrt(mpg) cannot have all values"), "{refused}");
    for (formula, why) in [
        ("mpg ~ wt - offset(hp)", "an offset is not taken away"),
        ("mpg ~ wt:offset(hp)", "an offset is a term of its own"),
        ("mpg ~ wt*offset(hp)", "an offset is a term of its own"),
    ] {
        assert!(folder.refusal(1, &["fit", &data, "-f", formula]).contains(why), "{formula}");
    }
}

#[test]
fn an_offset_of_the_scale_is_a_weight() {
    let (folder, data) = (Folder::new(), testdata("engel.csv"));
    let words = ["-f", "foodexp ~ income", "--scale"];
    let fit = |name: &str, more: &[&str]| -> Value {
        let all = [&["fit", &data], &words[..], more, &["-o", name, "--format", "json"]].concat();
        serde_json::from_str(&folder.done(&all)).unwrap()
    };
    let offset = fit("offset.json", &["~ income + offset(-0.001*income)"]);
    let weighted = fit("weighted.json", &["~ income", "--weights", "exp(2*0.001*income)"]);
    let free = fit("free.json", &["~ income"]);
    assert_close(number(&offset["log_likelihood"]), number(&weighted["log_likelihood"]), 1e-10, "likelihood");
    // With its own column in the model the offset only moves the coefficient.
    assert_close(number(&offset["log_likelihood"]), number(&free["log_likelihood"]), 1e-9, "likelihood");
    let slope = |fit: &Value| number(&fit["scale_coefficients"][1]["estimate"]);
    assert_close(slope(&offset), slope(&free) + 0.001, 1e-7, "slope of the scale");
    let scales = |model: &str| -> Vec<f64> {
        let text = folder.done(&["predict", model, &data, "--interval", "0.9"]);
        let (header, rows) = csv(&text);
        let place = header.iter().position(|name| *name == "scale").unwrap();
        rows.iter().map(|row| row[place].parse().unwrap()).collect()
    };
    for (one, other) in scales("offset.json").into_iter().zip(scales("free.json")) {
        assert_close(one, other, 1e-7, "scale");
    }
}

#[test]
fn comparisons_are_ones_and_zeros() {
    let (folder, data) = (Folder::new(), testdata("mtcars.csv"));
    let found = folder.fit(&[&data, "-f", "mpg ~ I(hp > 120) + wt:I(cyl == 8) + I((hp >= 100) * wt)"]);
    let table = std::fs::read_to_string(&data).unwrap();
    let own = table.lines().enumerate().map(|(i, line)| {
        let cells: Vec<&str> = line.split(',').collect();
        let value = |j: usize| cells[j].parse::<f64>().unwrap();
        let is = |truth: bool| u8::from(truth);
        match i {
            0 => format!("{line},a,b,c,brand\n"),
            _ => {
                let brand = cells[0].split(' ').next().unwrap();
                let (b, c) = (value(6) * f64::from(is(value(2) == 8.0)), value(6) * f64::from(is(value(4) >= 100.0)));
                format!("{line},{},{b},{c},{brand}\n", is(value(4) > 120.0))
            }
        }
    });
    folder.write("own.csv", own.collect::<String>());
    let plain = folder.fit(&["own.csv", "-f", "mpg ~ a + c + b"]);
    let terms: Vec<&str> =
        found["coefficients"].as_array().unwrap().iter().map(|row| row["term"].as_str().unwrap()).collect();
    assert_eq!(terms, ["(Intercept)", "I(hp > 120)", "I((hp >= 100) * wt)", "wt:I(cyl == 8)"]);
    for (one, other) in estimates(&found).into_iter().zip(estimates(&plain)) {
        assert_close(one.unwrap(), other.unwrap(), 1e-10, "own columns");
    }
    // Of texts one against all others, whichever the data have.
    let words = [
        "fit",
        "own.csv",
        "-f",
        "mpg ~ wt + I(brand == 'Merc') + I(brand != \"Fiat\")",
        "-o",
        "m.json",
        "--format",
        "json",
    ];
    let found: Value = serde_json::from_str(&folder.done(&words)).unwrap();
    assert_eq!(found["coefficients"][2]["term"], "I(brand == 'Merc')");
    folder.write("new.csv", "wt,brand\n3,Merc\n3,Tesla\n3,Fiat\n");
    let text = folder.done(&["predict", "m.json", "new.csv"]);
    let values: Vec<f64> = csv(&text).1.iter().map(|row| row[0].parse().unwrap()).collect();
    let b: Vec<f64> = estimates(&found).into_iter().flatten().collect();
    let base = b[0] + 3.0 * b[1];
    for (found, expected) in values.iter().zip([base + b[2] + b[3], base + b[3], base]) {
        assert_close(*found, expected, 1e-12, "brands");
    }
    for (formula, why) in [
        ("mpg ~ wt > 3", "a comparison goes inside I(), as in I(x > 3)"),
        ("mpg ~ (wt > 3)", "a comparison goes inside I(), as in I(wt > 3)"),
        ("mpg ~ I(model > 'a')", "texts are compared by == and != alone"),
        ("mpg ~ I(cyl == '8')", "'cyl' holds numbers, and is compared with a number"),
        ("mpg ~ I(1 * (model == 'a'))", "in an I() of its own"),
        ("I(mpg > 20) ~ wt", "a comparison has the values 0 and 1 alone"),
    ] {
        let run = folder.run(&["fit", &data, "-f", formula]);
        assert!(run.code != 0 && run.stderr.contains(why), "{formula}: {}", run.stderr);
    }
}
