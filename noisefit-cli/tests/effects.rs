//! `noisefit effects`: averages against marginaleffects and closed forms, and against differences of `noisefit predict`.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use common::{Folder, assert_close, csv, number, reference, testdata};
use serde_json::Value;

/// The averages of `noisefit effects MODEL DATA ... --format json`.
fn effects(folder: &Folder, data: &str, options: &[&str]) -> Vec<Value> {
    let words = [&["effects", "model.json", data, "--format", "json"], options].concat();
    let record: Value = serde_json::from_str(&folder.done(&words)).unwrap();
    assert_eq!(record["schema"], "noisefit.effects/1");
    record["effects"].as_array().unwrap().clone()
}

fn fitted(folder: &Folder, data: &str, formula: &str, options: &[&str]) {
    folder.done(&[&["fit", data, "-f", formula, "-o", "model.json"], options].concat());
}

/// A column of a table that `noisefit predict` prints.
fn predictions(folder: &Folder, data: &str, options: &[&str]) -> Vec<f64> {
    let text = folder.done(&[&["predict", "model.json", data], options].concat());
    csv(&text).1.iter().map(|row| row[0].parse().unwrap()).collect()
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

#[test]
fn averages_are_those_of_marginaleffects_and_closed_forms() {
    let folder = Folder::new();
    let reference = reference("reference/effects.json");
    let cases = reference["cases"].as_array().unwrap();
    assert_eq!(cases.len(), 16);
    for case in cases {
        let (name, data) = (case["name"].as_str().unwrap(), testdata(case["data"].as_str().unwrap()));
        let options: Vec<&str> =
            case["options"].as_array().unwrap().iter().map(|word| word.as_str().unwrap()).collect();
        let (of_fit, own): (Vec<&str>, Vec<&str>) = match options.first() {
            Some(&"--vcov") => (options.clone(), Vec::new()),
            _ => (Vec::new(), options.clone()),
        };
        fitted(&folder, &data, case["formula"].as_str().unwrap(), &of_fit);
        let found = effects(&folder, &data, &own);
        let expected = case["effects"].as_array().unwrap();
        assert_eq!(found.len(), expected.len(), "{name}");
        for (row, expected) in expected.iter().enumerate() {
            let is = |found: &&Value| {
                // What theirs calls (x+sd/2) - (x-sd/2) has blanks here.
                let same = |ours: &Value, theirs: &Value| {
                    let bare = |value: &Value| value.as_str().map(|text| text.replace(' ', ""));
                    theirs.is_null() || bare(ours) == bare(theirs)
                };
                same(&found["term"], &expected["term"])
                    && same(&found["contrast"], &expected["contrast"])
                    && same(&found["by"]["cyl"], &expected["cyl"])
            };
            let found = found.iter().find(is).unwrap_or_else(|| panic!("{name}, {row}: {expected} is not there"));
            let what = format!("{name}, {row}");
            assert_close(number(&found["estimate"]), number(&expected["estimate"]), 1e-8, &what);
            // Their gradients are by differences.
            assert_close(number(&found["std_error"]), number(&expected["std_error"]), 2e-6, &what);
        }
    }
}

/// Rows with splines, polynomials, interactions and an offset, whose numbers are formulas.
fn curved(folder: &Folder, name: &str, shift: f64) -> String {
    let mut text = "x,z,g,y\n".to_owned();
    for i in 0..60 {
        let i = f64::from(i);
        let (x, z) = (0.7 + 0.05 * i + 0.03 * (7.0 * i).sin(), (0.37 * i).cos());
        let y = 6.0 + (1.3 * x).sin() + 0.5 * z * x + 0.2 * (11.0 * i).sin();
        text += &format!("{},{z},{},{y}\n", x + shift, ["a", "b", "c"][i as usize % 3]);
    }
    folder.write(name, text);
    name.to_owned()
}

#[test]
fn slopes_are_what_differences_of_predictions_tend_to() {
    let folder = Folder::new();
    let data = curved(&folder, "d.csv", 0.0);
    let shifted: Vec<(f64, String)> = [-2e-3, -1e-3, 1e-3, 2e-3]
        .into_iter()
        .enumerate()
        .map(|(k, shift)| (shift, curved(&folder, &format!("s{k}.csv"), shift)))
        .collect();
    for formula in [
        "y ~ bs(x, df=6) + z",
        "y ~ ns(x, df=4)*z + g",
        "y ~ cc(x, df=5) + g:z",
        "y ~ poly(x, 4)*g",
        "y ~ log(x):g + I(x^2) + sqrt(x)",
        "y ~ z + offset(0.3*x^2) + g*scale(x)",
        "log(y) ~ ns(x, df=3) + g",
        "sqrt(y) ~ poly(x, 2) + z",
    ] {
        fitted(&folder, &data, formula, &[]);
        let (units, back): (&[&str], &[&str]) = match formula.split_once("(y)") {
            Some(("log" | "sqrt", _)) => (&["--units", "median"], &["--back", "median"]),
            _ => (&[], &[]),
        };
        let found = effects(&folder, &data, &[&["--variables", "x"], units].concat());
        let at: Vec<f64> = shifted.iter().map(|(_, data)| mean(&predictions(&folder, data, back))).collect();
        let (wide, narrow) = ((at[3] - at[0]) / 4e-3, (at[2] - at[1]) / 2e-3);
        // Richardson's extrapolation; where splines have knots the third derivative jumps within the step.
        assert_close(number(&found[0]["estimate"]), (4.0 * narrow - wide) / 3.0, 2e-7, formula);
    }
}

#[test]
fn a_slope_s_error_is_that_of_the_combination_of_coefficients_that_it_is() {
    let folder = Folder::new();
    let data = testdata("mtcars.csv");
    fitted(&folder, &data, "mpg ~ wt + I(wt^2)", &["--vcov", "hc3"]);
    let slope = &effects(&folder, &data, &[])[0];
    // The mean of wt is 3.21725.
    let test: Value =
        serde_json::from_str(&folder.done(&["test", "model.json", "wt + 6.4345*I(wt^2)", "--format", "json"])).unwrap();
    let test = &test["tests"][0];
    for name in ["estimate", "std_error", "statistic", "p_value", "conf_low", "conf_high"] {
        assert_close(number(&slope[name]), number(&test[name]), 1e-10, name);
    }
    assert_eq!(slope["df"], test["df_residual"]);
}

#[test]
fn every_noise_has_effects_in_its_own_reference() {
    let folder = Folder::new();
    let data = testdata("engel.csv");
    for noise in ["gaussian", "laplace", "huber", "student-t", "student-t:4", "logistic", "cauchy", "quantile:0.3"] {
        fitted(&folder, &data, "foodexp ~ income", &["--noise", noise]);
        let fit = folder.fit(&[&data, "-f", "foodexp ~ income", "--noise", noise]);
        let (slope, row) = (&effects(&folder, &data, &[])[0], &fit["coefficients"][1]);
        // A line's slope is its coefficient, with the same error, statistic and interval.
        for name in ["estimate", "std_error", "statistic", "conf_low", "conf_high"] {
            assert_close(number(&slope[name]), number(&row[name]), 1e-12, &format!("{noise} {name}"));
        }
    }
    // At the mean of income a prediction is the average one; its error is that of the location there.
    fitted(&folder, &data, "foodexp ~ income", &[]);
    let average = &effects(&folder, &data, &["--of", "predictions"])[0];
    let at = &effects(&folder, &data, &["--of", "predictions", "--at", "income=mean"])[0];
    assert_close(number(&at["std_error"]), number(&average["std_error"]), 1e-10, "at the mean");
}

#[test]
fn quantiles_have_their_own_effects() {
    let folder = Folder::new();
    let data = testdata("engel.csv");
    let formula = "log(foodexp) ~ log(income)";
    fitted(&folder, &data, formula, &["--noise", "quantile:0.25,0.75"]);
    let found = effects(&folder, &data, &["--of", "predictions"]);
    let quantiles: Vec<&str> = found.iter().map(|row| row["quantile"].as_str().unwrap()).collect();
    assert_eq!(quantiles, ["0.25", "0.75"]);
    let text = folder.done(&["predict", "model.json", &data, "--back", "median"]);
    let rows = csv(&text).1;
    for (k, row) in found.iter().enumerate() {
        let column: Vec<f64> = rows.iter().map(|cells| cells[k].parse().unwrap()).collect();
        assert_close(number(&row["estimate"]), mean(&column), 1e-12, "quantile");
        assert!(number(&row["std_error"]) > 0.0);
    }
    let said = folder.refusal(1, &["effects", "model.json", &data, "--units", "mean"]);
    assert!(said.contains("a quantile is no mean"), "{said}");
}

#[test]
fn transformed_responses_have_means_by_the_noise_or_by_smearing() {
    let folder = Folder::new();
    let data = testdata("engel.csv");
    // sqrt(y) = mu + s e: the mean of y is mu^2 + s^2.
    fitted(&folder, &data, "sqrt(foodexp) ~ income", &[]);
    let fit = folder.fit(&[&data, "-f", "sqrt(foodexp) ~ income"]);
    let squares: Vec<f64> = predictions(&folder, &data, &[]).iter().map(|mu| mu * mu).collect();
    let exact = mean(&squares) + number(&fit["scale"]).powi(2);
    let found = effects(&folder, &data, &["--of", "predictions"]);
    assert_close(number(&found[0]["estimate"]), exact, 1e-12, "squares");
    // Of a line the mean is the line's.
    fitted(&folder, &data, "I(foodexp/100 - 3) ~ income", &[]);
    let found = effects(&folder, &data, &[]);
    fitted(&folder, &data, "foodexp ~ income", &[]);
    let plain = effects(&folder, &data, &[]);
    for name in ["estimate", "std_error", "p_value"] {
        assert_close(number(&found[0][name]), number(&plain[0][name]), 1e-9, name);
    }
    // Huber's noise has no such formula: exp(mu) times the mean of exp(residual) (Duan 1983).
    fitted(&folder, &data, "log(foodexp) ~ log(income)", &["--noise", "huber"]);
    let mu = predictions(&folder, &data, &[]);
    let y: Vec<f64> = std::fs::read_to_string(&data)
        .unwrap()
        .lines()
        .skip(1)
        .map(|line| line.split(',').nth(1).unwrap().parse().unwrap())
        .collect();
    let smear = mean(&y.iter().zip(&mu).map(|(y, mu): (&f64, &f64)| y / mu.exp()).collect::<Vec<f64>>());
    let exact = smear * mean(&mu.iter().map(|mu| mu.exp()).collect::<Vec<f64>>());
    let run = folder.run(&["effects", "model.json", &data, "--of", "predictions", "--format", "json"]);
    let record: Value = serde_json::from_str(&run.stdout).unwrap();
    assert_close(number(&record["effects"][0]["estimate"]), exact, 1e-11, "smearing");
    assert!(run.stderr.contains("Duan's smearing of log(foodexp) over the 235 residuals"), "{}", run.stderr);
    // Student's t has no mean of exp(t).
    fitted(&folder, &data, "log(foodexp) ~ log(income)", &["--noise", "student-t:4"]);
    let run = folder.run(&["effects", "model.json", &data]);
    assert!(run.stderr.contains("infinite: effects are of medians of foodexp"), "{}", run.stderr);
    let said = folder.refusal(1, &["effects", "model.json", &data, "--units", "mean"]);
    assert!(said.contains("infinite; ask for the median"), "{said}");
    // As the formula has it the slope is the coefficient over income.
    let found = effects(&folder, &data, &["--units", "transformed"]);
    let income: Vec<f64> = std::fs::read_to_string(&data)
        .unwrap()
        .lines()
        .skip(1)
        .map(|line| line.split(',').next().unwrap().parse().unwrap())
        .collect();
    let fit = folder.fit(&[&data, "-f", "log(foodexp) ~ log(income)", "--noise", "student-t:4"]);
    let exact =
        number(&fit["coefficients"][1]["estimate"]) * mean(&income.iter().map(|x| 1.0 / x).collect::<Vec<f64>>());
    assert_close(number(&found[0]["estimate"]), exact, 1e-12, "transformed");
}

#[test]
fn a_modelled_scale_moves_the_mean_of_a_lognormal() {
    let folder = Folder::new();
    let data = testdata("engel.csv");
    fitted(&folder, &data, "log(foodexp) ~ 1", &["--scale", "~ income"]);
    // The location does not change, and the mean exp(mu + s^2/2) does.
    let found = effects(&folder, &data, &["--variables", "income"]);
    let text = folder.done(&["predict", "model.json", &data]);
    let (_, rows) = csv(&text);
    let fit = folder.fit(&[&data, "-f", "log(foodexp) ~ 1", "--scale", "~ income"]);
    let gamma = number(&fit["scale_coefficients"][1]["estimate"]);
    let slopes: Vec<f64> = rows
        .iter()
        .map(|row| {
            let (mu, s): (f64, f64) = (row[0].parse().unwrap(), row[1].parse().unwrap());
            (mu + 0.5 * s * s).exp() * s * s * gamma
        })
        .collect();
    assert_close(number(&found[0]["estimate"]), mean(&slopes), 1e-10, "slope of the scale");
    assert!(number(&found[0]["std_error"]) > 0.0);
}

#[test]
fn groups_and_settings_average_the_rows_that_they_say() {
    let folder = Folder::new();
    let data = testdata("mtcars.csv");
    fitted(&folder, &data, "mpg ~ wt*C(cyl) + hp", &[]);
    let all = number(&effects(&folder, &data, &["--variables", "wt"])[0]["estimate"]);
    let groups = effects(&folder, &data, &["--variables", "wt", "--by", "cyl"]);
    let (mut sum, mut count) = (0.0, 0.0);
    for (group, cyl) in groups.iter().zip(["4", "6", "8"]) {
        assert_eq!(group["by"]["cyl"], cyl);
        sum += number(&group["estimate"]) * number(&group["nobs"]);
        count += number(&group["nobs"]);
    }
    assert_eq!(count, 32.0);
    assert_close(sum / count, all, 1e-13, "groups");
    // Every combination, the last column fastest.
    let found = effects(&folder, &data, &["--of", "predictions", "--at", "wt=2,3", "cyl=4,8"]);
    let at: Vec<(&str, &str)> =
        found.iter().map(|row| (row["at"]["wt"].as_str().unwrap(), row["at"]["cyl"].as_str().unwrap())).collect();
    assert_eq!(at, [("2", "4"), ("2", "8"), ("3", "4"), ("3", "8")]);
    let mut text = std::fs::read_to_string(&data).unwrap().lines().next().unwrap().to_owned() + "\n";
    let head: Vec<String> = text.trim().split(',').map(str::to_owned).collect();
    for line in std::fs::read_to_string(&data).unwrap().lines().skip(1) {
        let cells = line.split(',').zip(&head).map(|(cell, name)| match name.trim_matches('"') {
            "wt" => "3",
            "cyl" => "8",
            _ => cell,
        });
        text += &(cells.collect::<Vec<_>>().join(",") + "\n");
    }
    folder.write("set.csv", text);
    assert_close(number(&found[3]["estimate"]), mean(&predictions(&folder, "set.csv", &[])), 1e-13, "set");
}

#[test]
fn rows_that_stand_for_several_count_as_often() {
    let folder = Folder::new();
    folder.write("f.csv", "x,n,y\n1,2,1.5\n2,1,2.2\n4,3,5.1\n7,1,6.4\n");
    folder.write("r.csv", "x,y\n1,1.5\n1,1.5\n2,2.2\n4,5.1\n4,5.1\n4,5.1\n7,6.4\n");
    fitted(&folder, "r.csv", "y ~ x + I(x^2)", &[]);
    let repeated = [effects(&folder, "r.csv", &[]), effects(&folder, "r.csv", &["--at", "mean"])].concat();
    let iqr = &effects(&folder, "r.csv", &["--of", "comparisons", "--change", "iqr"])[0].clone();
    fitted(&folder, "f.csv", "y ~ x + I(x^2)", &["--frequency-weights", "n"]);
    let counted = [effects(&folder, "f.csv", &[]), effects(&folder, "f.csv", &["--at", "mean"])].concat();
    for (one, other) in repeated.iter().zip(&counted) {
        assert_close(number(&one["estimate"]), number(&other["estimate"]), 1e-12, "estimate");
        assert_close(number(&one["std_error"]), number(&other["std_error"]), 1e-10, "std_error");
        assert_eq!(one["nobs"], other["nobs"]);
    }
    let other = &effects(&folder, "f.csv", &["--of", "comparisons", "--change", "iqr"])[0];
    assert_close(number(&iqr["estimate"]), number(&other["estimate"]), 1e-12, "quartiles");
    // Smeared over as many residuals.
    let smeared = ["f.csv", "r.csv"].map(|data| {
        let counted: &[&str] = if data == "f.csv" { &["--frequency-weights", "n"] } else { &[] };
        fitted(&folder, data, "1/y ~ x", counted);
        assert!(folder.run(&["effects", "model.json", data]).stderr.contains("over the 7 residuals"));
        number(&effects(&folder, data, &["--of", "predictions"])[0]["estimate"])
    });
    assert_close(smeared[0], smeared[1], 1e-12, "smeared");
}

/// What emmeans and effects for R say of the same models (testdata/reference/emmeans.R).
#[test]
fn averages_at_means_are_those_of_emmeans_and_effects() {
    let folder = Folder::new();
    let reference = reference("reference/emmeans.json");
    let cases = reference["cases"].as_array().unwrap();
    assert_eq!(cases.len(), 5);
    for case in cases {
        let words =
            |key: &str| case[key].as_array().unwrap().iter().map(|word| word.as_str().unwrap()).collect::<Vec<_>>();
        let (name, data) = (case["name"].as_str().unwrap(), testdata("mtcars.csv"));
        fitted(&folder, &data, case["formula"].as_str().unwrap(), &[]);
        let found = effects(&folder, &data, &words("options"));
        let expected = case["effects"].as_array().unwrap();
        assert_eq!(found.len(), expected.len(), "{name}");
        for (row, expected) in found.iter().zip(expected) {
            for key in ["estimate", "std_error"] {
                assert_close(number(&row[key]), number(&expected[key]), 1e-9, &format!("{name}, {key}"));
            }
        }
    }
}

#[test]
fn absorbed_effects_leave_slopes_and_take_the_errors_of_predictions() {
    let folder = Folder::new();
    let mut text = "firm,x,z,y\n".to_owned();
    for i in 0..60 {
        let (x, z) = ((0.7 * f64::from(i)).sin(), f64::from(i % 4));
        text += &format!(
            "f{},{x},{z},{}\n",
            i % 7,
            1.0 + 2.0 * x - 0.5 * z + f64::from(i % 7) + 0.1 * (3.3 * f64::from(i)).cos()
        );
    }
    folder.write("d.csv", text);
    fitted(&folder, "d.csv", "y ~ x + I(x^2) + z | firm", &[]);
    let absorbed = effects(&folder, "d.csv", &[]);
    let run = folder.run(&["effects", "model.json", "d.csv", "--of", "predictions", "--format", "csv"]);
    assert!(run.stderr.contains("constants of absorbed effects (firm)"), "{}", run.stderr);
    let absorbed_mean: f64 = csv(&run.stdout).1[0][0].parse().unwrap();
    assert_eq!(csv(&run.stdout).1[0][1], "");
    fitted(&folder, "d.csv", "y ~ x + I(x^2) + z + firm", &[]);
    let dummies = effects(&folder, "d.csv", &["--variables", "x,z"]);
    for (one, other) in absorbed.iter().zip(&dummies) {
        assert_close(number(&one["estimate"]), number(&other["estimate"]), 1e-9, "estimate");
        assert_close(number(&one["std_error"]), number(&other["std_error"]), 1e-8, "std_error");
    }
    let mean = number(&effects(&folder, "d.csv", &["--of", "predictions"])[0]["estimate"]);
    assert_close(absorbed_mean, mean, 1e-10, "prediction");
}

#[test]
fn networks_have_slopes_and_the_spread_of_their_members() {
    let folder = Folder::new();
    let data = curved(&folder, "d.csv", 0.0);
    let (up, down) = (curved(&folder, "u.csv", 0.02), curved(&folder, "l.csv", -0.02));
    // Pieces have kinks as relu has.
    let cases = [("tanh", "none"), ("gelu", "none"), ("silu", "none"), ("relu", "none"), ("silu", "piecewise")];
    for (activation, encoding) in cases {
        let options =
            ["--model", "network", "--hidden", "6,4", "--activation", activation, "--epochs", "60", "--ensemble", "3"];
        fitted(&folder, &data, "y ~ x + z + g", &[&options[..], &["--encoding", encoding]].concat());
        let run = folder.run(&["effects", "model.json", &data, "--variables", "x,g", "--format", "json"]);
        assert!(run.stderr.contains("spread is the standard deviation"), "{}", run.stderr);
        let record: Value = serde_json::from_str(&run.stdout).unwrap();
        let found = record["effects"].as_array().unwrap();
        let difference = (mean(&predictions(&folder, &up, &[])) - mean(&predictions(&folder, &down, &[]))) / 0.04;
        // Predictions are of singles, relu has kinks within the step, and the third derivative is left out.
        let tolerance = if activation == "relu" || encoding == "piecewise" { 0.05 } else { 3e-3 };
        assert!(
            (number(&found[0]["estimate"]) - difference).abs() < tolerance * difference.abs().max(0.1),
            "{activation}: {} and {difference}",
            found[0]["estimate"]
        );
        assert!(found.iter().all(|row| row["std_error"].is_null() && number(&row["spread"]) > 0.0));
        assert_eq!(found[2]["contrast"], "c - a");
    }
}

#[test]
fn categories_numbers_of_levels_and_comparisons_in_formulas() {
    let folder = Folder::new();
    let mut text = "k,t,g,x,y\n".to_owned();
    for i in 0..48 {
        let (k, t) = ([3, 5, 9][i % 3], i % 2 == 0);
        let y = k as f64 + f64::from(u8::from(t)) + 0.3 * (i as f64).sin() + if i % 4 == 1 { 2.0 } else { 0.0 };
        text += &format!("{k},{t},{},{},{y}\n", ["u", "v", "w", "q"][i % 4], i);
    }
    folder.write("d.csv", text);
    fitted(&folder, "d.csv", "y ~ C(k, ref=5) + t + I(g == 'v') + I(x > 20)", &[]);
    let fit = folder.fit(&["d.csv", "-f", "y ~ C(k, ref=5) + t + I(g == 'v') + I(x > 20)"]);
    let run = folder.run(&["effects", "model.json", "d.csv", "--format", "json"]);
    assert!(run.stderr.contains("x stands in a comparison"), "{}", run.stderr);
    let record: Value = serde_json::from_str(&run.stdout).unwrap();
    let found = record["effects"].as_array().unwrap();
    let names: Vec<String> = found
        .iter()
        .map(|row| format!("{} {}", row["term"].as_str().unwrap(), row["contrast"].as_str().unwrap()))
        .collect();
    assert_eq!(names, ["k 3 - 5", "k 9 - 5", "t true - false", "g v - (other)", "x dY/dX"]);
    for (row, coefficient) in found.iter().zip(fit["coefficients"].as_array().unwrap().iter().skip(1)).take(4) {
        assert_close(number(&row["estimate"]), number(&coefficient["estimate"]), 1e-12, "difference");
        assert_close(number(&row["std_error"]), number(&coefficient["std_error"]), 1e-10, "difference");
    }
    assert_eq!(number(&found[4]["estimate"]), 0.0);
    let pairs = effects(&folder, "d.csv", &["--variables", "k", "--pairwise"]);
    assert_eq!(
        pairs.iter().map(|row| row["contrast"].as_str().unwrap()).collect::<Vec<_>>(),
        ["5 - 3", "9 - 3", "9 - 5"]
    );
}

#[test]
fn what_cannot_be_is_refused_with_what_can() {
    let folder = Folder::new();
    let data = testdata("mtcars.csv");
    fitted(&folder, &data, "mpg ~ wt + C(cyl)", &[]);
    for (options, said) in [
        (&["--variables", "hp"][..], "--variables hp: no such column in the terms of the model; there are wt, cyl"),
        (&["--by", "colour"], "--by colour: no such column; the columns are "),
        (&["--at", "cyl=5"], "at cyl=5: the model was not fitted to that level of cyl; it knows 4, 6, 8"),
        (&["--at", "wt=heavy"], "at wt=heavy: wt is calculated with, and takes a number, mean or median"),
        (&["--at", "hp=100"], "--at hp: no such column in the terms of the model; there are wt, cyl"),
        (&["--units", "mean"], "units mean: effects are of mpg itself"),
        (
            &["--of", "comparisons", "--variables", "cyl=sd"],
            "variables cyl: it is a category, and changes by reference or pairwise",
        ),
        (&["--of", "predictions", "--variables", "wt"], "predictions have no variables (wt): say at wt=VALUES"),
    ] {
        let found = folder.refusal(1, &[&["effects", "model.json", &data], options].concat());
        assert!(found.starts_with(said), "{options:?}: {found}");
    }
    for options in [&["--change", "sd"][..], &["--of", "predictions", "--slope", "eyex"]] {
        folder.refusal(2, &[&["effects", "model.json", &data], options].concat());
    }
    folder.write("empty.csv", "mpg,wt,cyl\n1,NA,4\n");
    let found = folder.refusal(1, &["effects", "model.json", "empty.csv"]);
    assert!(found.contains("nothing to average over"), "{found}");
}

/// A scale of a logarithm that reaches 1 somewhere has no mean there under Laplace or logistic noise, whose tails fall no faster.
#[test]
fn infinite_means_of_modelled_scales_are_told() {
    let folder = Folder::new();
    let mut text = "y,x\n".to_owned();
    // The scale grows from exp(-2) to exp(0.6).
    for i in 0..400 {
        let x = f64::from(i % 100) / 100.0;
        let u = (f64::from(i) * 0.618_033_988_75 + 0.137).fract();
        let r = if u < 0.5 { (2.0 * u).ln() } else { -(2.0 - 2.0 * u).ln() };
        text += &format!("{},{x}\n", (0.3 * x + r * (2.6 * x - 2.0).exp()).exp());
    }
    folder.write("d.csv", text);
    for noise in ["laplace", "logistic"] {
        folder.done(&["fit", "d.csv", "-f", "log(y) ~ x", "--noise", noise, "--scale", "~ x", "-o", "m.json", "-q"]);
        let run = folder.run(&["effects", "m.json", "d.csv", "--format", "json"]);
        assert_eq!(run.code, 0, "{}", run.stderr);
        let said = format!("under {noise} noise the mean of exp(log(y)) is infinite in ");
        assert!(
            run.stderr.contains(&said)
                && run.stderr.contains("of 400 rows, where the scale is 1 or more: effects are of medians of y"),
            "{}",
            run.stderr
        );
        let found: Value = serde_json::from_str(&run.stdout).unwrap();
        assert_eq!(found["of"], "medians of y");
        let medians = folder.done(&["effects", "m.json", "d.csv", "--units", "median", "--format", "json"]);
        let medians: Value = serde_json::from_str(&medians).unwrap();
        assert_eq!(found["effects"], medians["effects"]);
        assert!(found["effects"][0]["std_error"].as_f64().unwrap() > 0.0);
        let refusal = folder.refusal(1, &["effects", "m.json", "d.csv", "--units", "mean"]);
        assert!(refusal.contains(&said) && refusal.contains("ask for the median"), "{refusal}");
        // Where the scale is small the mean is there.
        let run = folder.run(&["effects", "m.json", "d.csv", "--at", "x=0.1", "--of", "predictions"]);
        assert!(run.stdout.contains("means of y") && !run.stderr.contains("infinite"), "{}{}", run.stdout, run.stderr);
    }
}

#[test]
fn averages_are_written_to_files_and_dates_are_set_as_text() {
    let folder = Folder::new();
    let mut text = "y,day\n".to_owned();
    for i in 0..28 {
        text += &format!("{},2024-02-{:02}\n", f64::from(i * i % 17), i + 1);
    }
    folder.write("d.csv", text);
    folder.done(&["fit", "d.csv", "-f", "y ~ day", "-o", "m.json", "-q"]);
    let by_date = folder.done(&[
        "effects",
        "m.json",
        "d.csv",
        "--of",
        "predictions",
        "--at",
        "day=2024-03-01,2024-03-02",
        "-o",
        "e.csv",
    ]);
    assert!(by_date.contains("2024-03-01"), "{by_date}");
    // 19783 days from 1970-01-01 to 2024-03-01.
    let by_days = folder.done(&["effects", "m.json", "d.csv", "--of", "predictions", "--at", "day=19783,19784"]);
    assert_eq!(by_date, by_days);
    let written = folder.read("e.csv");
    let (header, rows) = csv(&written);
    assert!(header.contains(&"day") && header.contains(&"estimate") && rows.len() == 2, "{written}");
    assert_eq!(rows[0][header.iter().position(|name| *name == "day").unwrap()], "2024-03-01");
    assert_eq!(
        written,
        folder.done(&[
            "effects",
            "m.json",
            "d.csv",
            "--of",
            "predictions",
            "--at",
            "day=19783,19784",
            "--format",
            "csv"
        ])
    );
    let refusal = folder.refusal(1, &["effects", "m.json", "d.csv", "--at", "day=March"]);
    assert!(
        refusal.contains("takes a date such as 2024-03-01, or a count of days since 1970, mean or median"),
        "{refusal}"
    );
}
