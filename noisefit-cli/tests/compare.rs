//! `noisefit compare` and `--noise auto`, from data to advice.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use common::{Folder, assert_close, column, number, testdata};
use serde_json::Value;

fn compare(folder: &Folder, arguments: &[&str]) -> Value {
    serde_json::from_str(&folder.done(&[&["compare", "--format", "json"], arguments].concat())).unwrap()
}

fn model<'a>(comparison: &'a Value, name: &str) -> &'a Value {
    comparison["models"].as_array().unwrap().iter().find(|model| model["model"] == name).unwrap()
}

/// A number that looks random, in 0..1.
fn uniform(i: u32) -> f64 {
    (f64::from(i) * 12.9898).sin().mul_add(43_758.547, 0.5).rem_euclid(1.0)
}

#[test]
fn engel_food_spending_varies_with_income() {
    let (folder, engel) = (Folder::new(), testdata("engel.csv"));
    let found = compare(&folder, &[&engel, "-f", "foodexp ~ income"]);
    assert_eq!(found["schema"], "noisefit.compare/1");
    assert_eq!(found["judgement"]["preferred"], "gaussian+scale");
    // Every likelihood is that of the fit alone.
    for (name, noise, scale) in [
        ("gaussian", "gaussian", None),
        ("laplace", "laplace", None),
        ("student-t", "student-t", None),
        ("logistic", "logistic", None),
        ("huber", "huber", None),
        ("gaussian+scale", "gaussian", Some("~ income")),
    ] {
        let scale: Vec<&str> = scale.iter().flat_map(|scale| ["--scale", scale]).collect();
        let alone = folder.fit(&[&[&engel[..], "-f", "foodexp ~ income", "--noise", noise], &scale[..]].concat());
        for field in ["log_likelihood", "aic", "aicc", "bic"] {
            assert_close(number(&model(&found, name)[field]), number(&alone[field]), 1e-13, field);
        }
    }
    let advice = &found["advice"];
    assert_eq!(advice["variance"]["term"], "income");
    let factor = number(&advice["variance"]["factor"]);
    assert!((2.5..3.2).contains(&factor), "{factor}");
    // The log scale moves by its coefficient times the distance of the quantiles.
    let distance = number(&advice["variance"]["to"]) - number(&advice["variance"]["from"]);
    let alone = folder.fit(&[&engel, "-f", "foodexp ~ income", "--scale", "~ income"]);
    let slope = number(&alone["scale_coefficients"][1]["estimate"]);
    assert_close(factor, (slope * distance).exp(), 1e-12, "factor");

    // One line holds the path of the data, which may be of any length.
    let text = folder.done(&["compare", &engel, "-f", "foodexp ~ income"]).replace(&engel, "engel.csv");
    for said in [
        "the data prefer gaussian+scale",
        "The noise grows with income",
        "standard deviation is 2.83",
        "Cross-validation agrees",
    ] {
        let flowing = text.replace('\n', " ");
        assert!(flowing.contains(said), "{said}: {text}");
    }
    assert!(text.lines().all(|line| line.chars().count() <= 130), "{text}");
}

#[test]
fn the_six_odd_years_of_the_phone_calls() {
    let (folder, phones) = (Folder::new(), testdata("phones.csv"));
    let found = compare(&folder, &[&phones, "-f", "calls ~ year"]);
    assert_eq!(found["judgement"]["preferred"], "student-t");
    let outliers = &found["advice"]["outliers"];
    assert_eq!(outliers["apart"], 6);
    let rows = outliers["rows"].as_array().unwrap();
    let mut years: Vec<&str> = rows[..6]
        .iter()
        .map(|row| {
            let places = found["outlying_rows"].as_array().unwrap();
            let place = places.iter().find(|place| place["row"] == row["row"]).unwrap();
            // The number of the record, from 1, in both.
            assert_eq!(place["record"], row["row"]);
            place["values"].as_array().unwrap().iter().find(|value| value[0] == "year").unwrap()[1].as_str().unwrap()
        })
        .collect();
    years.sort_unstable();
    assert_eq!(years, ["64", "65", "66", "67", "68", "69"]);

    let text = folder.done(&["compare", &phones, "-f", "calls ~ year"]);
    assert!(
        text.contains("6 of them stand apart")
            && text.replace('\n', " ").contains("With 24 observations the evidence is limited")
    );
    let table = text.split("apart from all others:").nth(1).unwrap().split("\n\n").next().unwrap();
    assert_eq!(table.trim().lines().count(), 7, "{table}");
}

#[test]
fn the_command_that_is_advised_fits_what_was_preferred() {
    let folder = Folder::new();
    let row = |i: u32| {
        let x = uniform(i);
        let noise = (-2.0 * uniform(i + 1000).ln()).sqrt() * (std::f64::consts::TAU * uniform(i + 2000)).cos();
        format!("{x};{};{}\n", 1.0 + 2.0 * x + (1.5 * x).exp() * noise, if i % 50 == 7 { "?" } else { "1" })
    };
    folder.write("my data.csv", "x 1;y;w\n".to_owned() + &(0..400).map(row).collect::<String>());
    let arguments = ["my data.csv", "--na", "?", "--delimiter", ";", "-f", "y ~ `x 1`", "--weights", "w"];
    let found = compare(&folder, &arguments);
    assert_eq!((&found["judgement"]["preferred"], &found["dropped"]), (&"gaussian+scale".into(), &8.into()));
    let next = found["next"].as_str().unwrap().strip_prefix("noisefit ").unwrap();
    let program = env!("CARGO_BIN_EXE_noisefit");
    let mut shell = std::process::Command::new("sh");
    shell.args(["-c", &format!("'{program}' {next} --format json")]).current_dir(folder.path());
    let run = common::finished(shell);
    assert_eq!(run.code, 0, "{next}: {}", run.stderr);
    let fit: Value = serde_json::from_str(&run.stdout).unwrap();
    assert_close(
        number(&fit["log_likelihood"]),
        number(&model(&found, "gaussian+scale")["log_likelihood"]),
        1e-12,
        "log-likelihood",
    );
}

#[test]
fn gaussian_noise_is_kept() {
    let folder = Folder::new();
    let normal = |i: u32| (-2.0 * uniform(3 * i + 1).ln()).sqrt() * (std::f64::consts::TAU * uniform(3 * i + 2)).cos();
    let rows: String = (0..500).map(|i| format!("{},{}\n", uniform(3 * i), uniform(3 * i) + normal(i))).collect();
    folder.write("d.csv", "x,y\n".to_owned() + &rows);
    let text = folder.done(&["compare", "d.csv", "-f", "y ~ x"]);
    let flowing = text.replace('\n', " ");
    assert!(
        flowing.contains("gaussian is preferred: ") && flowing.contains("Nothing that was looked at speaks"),
        "{text}"
    );
    assert!(text.contains("Next: noisefit fit d.csv -f 'y ~ x' --noise gaussian\n"), "{text}");
    let run = folder.run(&["fit", "d.csv", "-f", "y ~ x", "--noise", "auto", "--format", "json"]);
    let auto: Value = serde_json::from_str(&run.stdout).unwrap();
    assert!(run.stderr.contains("Nothing that was looked at speaks against it: shares (PIT p"), "{}", run.stderr);
    // From run to run the same; how long fits took differs.
    assert_eq!(run.stdout, folder.run(&["fit", "d.csv", "-f", "y ~ x", "--noise", "auto", "--format", "json"]).stdout);
    let compared = || folder.done(&["compare", "d.csv", "-f", "y ~ x", "--format", "json"]);
    assert_eq!(compared(), compared());
    assert_eq!(auto["noise"]["family"], "gaussian");
    assert_eq!(column(&auto, "std_error"), column(&folder.fit(&["d.csv", "-f", "y ~ x"]), "std_error"));
}

#[test]
fn auto_fits_prints_and_saves_what_it_names() {
    let (folder, engel, phones) = (Folder::new(), testdata("engel.csv"), testdata("phones.csv"));
    let auto = folder.fit(&[&engel, "-f", "foodexp ~ income", "--noise", "auto", "-o", "model.json"]);
    let named = folder.fit(&[&engel, "-f", "foodexp ~ income", "--scale", "~ income", "-o", "named.json"]);
    for field in ["coefficients", "scale_coefficients", "log_likelihood", "noise"] {
        assert_eq!(auto[field], named[field], "{field}");
    }
    assert_eq!(auto["chosen_by"]["judgement"]["preferred"], "gaussian+scale");
    assert_eq!(auto["chosen_by"]["models"].as_array().unwrap().len(), 7);
    assert!(named.get("chosen_by").is_none());
    assert_eq!(folder.read("model.json"), folder.read("named.json"));
    // Of one scale, though scales were tried.
    let auto = folder.fit(&[&phones, "-f", "calls ~ year", "--noise", "auto"]);
    let named = folder.fit(&[&phones, "-f", "calls ~ year", "--noise", "student-t"]);
    assert_eq!((&auto["coefficients"], &auto["scale_formula"]), (&named["coefficients"], &Value::Null));
    let text = folder.done(&["fit", &phones, "-f", "calls ~ year", "--noise", "auto"]);
    assert!(text.contains("student-t *"), "{text}");
}

#[test]
fn models_can_be_named() {
    let (folder, engel) = (Folder::new(), testdata("engel.csv"));
    let names = |arguments: &[&str]| -> Vec<String> {
        let found = compare(&folder, &[&[&engel[..], "-f", "foodexp ~ income", "--folds", "0"], arguments].concat());
        assert!(found["models"].as_array().unwrap().iter().all(|model| model["out_of_sample"].is_null()));
        let mut names: Vec<String> = found["models"]
            .as_array()
            .unwrap()
            .iter()
            .map(|model| model["model"].as_str().unwrap().to_owned())
            .collect();
        names.sort();
        names
    };
    assert_eq!(names(&["--noise", "gaussian,huber:60"]), ["gaussian", "huber:60"]);
    assert_eq!(names(&["--noise", "student-t:4+scale"]), ["student-t:4+scale"]);
    // A formula of the scale is for those that have one.
    let both = ["gaussian", "gaussian+scale", "huber"];
    assert_eq!(names(&["--noise", "gaussian,huber", "--scale", "~ log(income)"]), both);
    // Without a term there is nothing to model the scale by.
    let found = compare(&folder, &[&engel, "-f", "foodexp ~ 1", "--folds", "0"]);
    assert_eq!(found["models"].as_array().unwrap().len(), 5);
}

#[test]
fn a_transformed_response_compares_by_its_jacobian() {
    let (folder, engel) = (Folder::new(), testdata("engel.csv"));
    let found = compare(&folder, &[&engel, "-f", "log(foodexp) ~ log(income)", "--noise", "gaussian"]);
    let alone = folder.fit(&[&engel, "-f", "log(foodexp) ~ log(income)"]);
    let log_likelihood = number(&found["models"][0]["log_likelihood"]);
    assert_close(log_likelihood, number(&alone["log_likelihood"]), 1e-13, "log-likelihood");
    assert_eq!(found["response_jacobian"], true);
    // Out of sample a row is predicted about as well as in it: the scores are of foodexp, too.
    let score = number(&found["models"][0]["out_of_sample"]["log_score"]);
    assert!((score - log_likelihood / 235.0).abs() < 0.05, "{score}");
    let text = folder.done(&["compare", &engel, "-f", "log(foodexp) ~ log(income)"]);
    assert!(text.contains("the Jacobian of log(foodexp) is in them"));
}

#[test]
fn what_cannot_be_compared_is_refused() {
    let (folder, engel) = (Folder::new(), testdata("engel.csv"));
    let with = |arguments: &[&str]| {
        folder.refusal(2, &[&["compare", &engel[..], "-f", "foodexp ~ income"], arguments].concat())
    };
    assert!(with(&["--noise", "gaussian,quantile:0.1,0.5"]).contains("not comparable"));
    assert!(with(&["--noise", "huber", "--scale", "~ income"]).contains("can be modelled"));
    assert!(with(&["--folds", "1"]).contains("2 or more"));
    let auto = |arguments: &[&str]| {
        folder.refusal(2, &[&["fit", &engel[..], "-f", "foodexp ~ income", "--noise", "auto"], arguments].concat())
    };
    assert!(auto(&["--huber-k", "2"]).contains("not with --noise auto"));
    folder.write("empty.csv", "x,y\n");
    assert!(folder.refusal(1, &["compare", "empty.csv", "-f", "y ~ x"]).contains("empty.csv"));
}

#[test]
fn few_rows_are_warned_of_and_a_bad_candidate_is_told() {
    let folder = Folder::new();
    folder.write("few.csv", "x,y\n1,1\n2,3\n3,2\n4,5\n");
    let run = folder.run(&["compare", "few.csv", "-f", "y ~ x"]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    assert!(run.stderr.contains("no cross-validation: 4 rows are too few"), "{}", run.stderr);
    let stackloss =
        compare(&folder, &[&testdata("stackloss.csv"), "-f", "stack_loss ~ .", "--noise", "gaussian,student-t"]);
    // With so few rows the likelihood has no bound at half a degree of freedom: the search keeps clear of that, and of what is near.
    let df = &stackloss["advice"]["df"];
    assert_close(number(&df["estimate"]), (6.0_f64 * 4.0 / 17.0).powi(2), 1e-9, "the least degrees of freedom");
    assert_eq!((&df["conf_low"], number(&df["bound"])), (&Value::Null, number(&df["estimate"])));
    assert!(model(&stackloss, "student-t")["note"].is_null());
    assert_eq!(stackloss["judgement"]["preferred"], "gaussian");
}

/// What a comparison prints of a model's errors is what its fit prints.
#[test]
fn errors_beside_each_other_are_those_of_the_fits() {
    let folder = Folder::new();
    folder.write("d.csv", "x,y\n1,1.1\n2,2.3\n3,2.7\n4,4.4\n5,4.6\n6,6.3\n7,7.1\n8,7.4\n9,30\n10,10.2\n11,10.7\n12,12.4\n13,12.9\n14,14\n15,-9\n16,16.1\n");
    let text = folder.done(&["compare", "d.csv", "-f", "y ~ x", "--folds", "0", "--format", "json"]);
    let compared: Value = serde_json::from_str(&text).unwrap();
    let preferred = compared["judgement"]["preferred"].as_str().unwrap();
    assert_ne!(preferred, "gaussian");
    let errors = |noise: &str| column(&folder.fit(&["d.csv", "-f", "y ~ x", "--noise", noise]), "std_error");
    let (gaussian, other) = (errors("gaussian"), errors(preferred));
    let shifts = compared["advice"]["coefficients"].as_array().unwrap();
    assert_eq!(shifts.len(), 2);
    for shift in shifts {
        let place = usize::from(shift["term"] == "x");
        assert_close(number(&shift["gaussian_std_error"]), gaussian[place].unwrap(), 1e-12, "gaussian");
        assert_close(number(&shift["preferred_std_error"]), other[place].unwrap(), 1e-12, preferred);
    }
}
