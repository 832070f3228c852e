//! Sampling weights through the program: against R's survey package, and what does not go with them.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking, also in its helpers")]

mod common;

use common::{Folder, assert_close, column, number, reference, testdata};
use serde_json::Value;

/// The numbers of a list.
fn numbers(list: &Value) -> Vec<f64> {
    list.as_array().unwrap().iter().map(number).collect()
}

/// A column of a table of coefficients.
fn of(table: &Value, name: &str) -> Vec<f64> {
    table.as_array().unwrap().iter().map(|row| number(&row[name])).collect()
}

#[track_caller]
fn assert_all_close(found: &[f64], expected: &[f64], tolerance: f64, what: &str) {
    assert_eq!(found.len(), expected.len(), "{what}");
    found.iter().zip(expected).for_each(|(&found, &expected)| assert_close(found, expected, tolerance, what));
}

#[test]
fn as_r_s_survey_has_it() {
    let (folder, found) = (Folder::new(), reference("reference/sampling.json"));
    let mut kinds = std::collections::BTreeSet::new();
    for case in found["cases"].as_array().unwrap() {
        let text = |name: &str| case[name].as_str().unwrap();
        let data = testdata(&format!("{}.csv", text("data")));
        let mut arguments = vec![data.as_str(), "-f", text("formula"), "--noise", text("noise")];
        arguments.extend(["--sampling-weights", text("weights"), "--vcov-matrix"]);
        let cluster = case["cluster"].as_str().map(|column| format!("cluster:{column}"));
        cluster.iter().for_each(|vcov| arguments.extend(["--vcov", vcov]));
        case["scale"].as_str().iter().for_each(|scale| arguments.extend(["--scale", scale]));
        let fit = folder.fit(&arguments);
        let what = format!("{arguments:?}");
        assert_eq!(fit["vcov_type"], cluster.as_deref().unwrap_or("sampling"), "{what}");
        assert_eq!(fit["sampling_weights"], case["weights"], "{what}");
        assert!(fit["scale_conf_low"].is_null() && fit["scale_conf_high"].is_null(), "{what}");
        let tolerance = 1e-8;
        assert_all_close(&of(&fit["coefficients"], "estimate"), &numbers(&case["estimates"]), tolerance, &what);
        assert_all_close(&of(&fit["coefficients"], "std_error"), &numbers(&case["std_errors"]), tolerance, &what);
        let matrix: Vec<f64> = fit["vcov"].as_array().unwrap().iter().flat_map(numbers).collect();
        assert_all_close(&matrix, &numbers(&case["vcov"]), tolerance, &what);
        if case["scale"].is_string() {
            let table = &fit["scale_coefficients"];
            assert_all_close(&of(table, "estimate"), &numbers(&case["scale_estimates"]), tolerance, &what);
            assert_all_close(&of(table, "std_error"), &numbers(&case["scale_std_errors"]), tolerance, &what);
        }
        // The t distribution of rows drawn by themselves has survey's degrees of freedom; of clusters it has one less than there are.
        if !case["df"].is_null() && cluster.is_none() {
            assert_eq!(fit["df_residual"], numbers(&case["df"])[0], "{what}");
            assert_all_close(&of(&fit["coefficients"], "p_value"), &numbers(&case["p_values"]), 1e-7, &what);
        }
        // Wald's interval of 1 / df.
        if let Some([theta]) = case["inverse_df"].as_array().map(|_| numbers(&case["inverse_df"])).as_deref() {
            let margin = 1.959_963_984_540_054 * numbers(&case["inverse_df_std_error"])[0];
            assert_close(number(&fit["shape"]["estimate"]), 1.0 / theta, tolerance, &what);
            assert_close(number(&fit["shape"]["conf_low"]), 1.0 / (theta + margin), tolerance, &what);
            assert_close(number(&fit["shape"]["conf_high"]), 1.0 / (theta - margin), tolerance, &what);
        }
        kinds.insert((text("noise").to_owned(), cluster.is_some(), case["scale"].is_string()));
    }
    assert!(kinds.len() >= 11, "{kinds:?}");
}

/// Rows of which one lacks a value and one has a weight of zero, with `y` a line and noise.
fn table(unit: f64) -> String {
    let mut text = "x,y,w,g\n".to_owned();
    for i in 0..40u32 {
        let wave = |k: f64| (f64::from(i) * k).sin();
        let (x, w) = (f64::from(i) / 4.0, unit * (1.5 + wave(2.3)));
        text += &format!("{x},{},{w},{}\n", 1.0 + 2.0 * x + wave(12.9898), i / 5);
    }
    text + &format!("3.1,NA,{unit},9\n4.1,100,0,9\n")
}

/// Everything but the weights' own text and how the iteration went is the same but for rounding.
#[track_caller]
fn assert_same(one: &Value, other: &Value, place: &str) {
    match (one, other) {
        (Value::Object(one), Value::Object(other)) => {
            for (key, value) in one {
                if !["accuracy", "termination", "sampling_weights", "dropped", "zero_weight"].contains(&key.as_str()) {
                    assert_same(value, &other[key], &format!("{place}.{key}"));
                }
            }
        }
        (Value::Array(one), Value::Array(other)) => {
            assert_eq!(one.len(), other.len(), "{place}");
            one.iter().zip(other).for_each(|(one, other)| assert_same(one, other, place));
        }
        (Value::Number(one), Value::Number(other)) => {
            let (one, other) = (one.as_f64().unwrap(), other.as_f64().unwrap());
            assert!((one - other).abs() <= 1e-8 * (1e-4 + other.abs()), "{place}: {one} {other}");
        }
        _ => assert_eq!(one, other, "{place}"),
    }
}

#[test]
fn their_unit_is_of_no_matter() {
    let folder = Folder::new();
    for (name, unit) in [("one.csv", 1.0), ("seven.csv", 7.0), ("tiny.csv", 1e-9)] {
        folder.write(name, table(unit));
    }
    let noises = ["gaussian", "laplace", "quantile:0.3", "huber", "student-t", "student-t:4", "logistic", "cauchy"];
    for noise in noises {
        for vcov in ["default", "cluster:g"] {
            let fit = |name: &str| {
                folder.fit(&[name, "-f", "y ~ x", "--noise", noise, "--sampling-weights", "w", "--vcov", vcov])
            };
            let one = fit("one.csv");
            assert_eq!(
                (&one["nobs"], &one["dropped"], &one["zero_weight"]),
                (&40.into(), &1.into(), &1.into()),
                "{noise}"
            );
            for name in ["seven.csv", "tiny.csv"] {
                assert_same(&one, &fit(name), &format!("{noise} {vcov} {name}"));
            }
        }
    }
}

/// Rows that all count the same are rows without weights, but for the errors: the sandwich times `n / (n - 1)`, which is that of clusters
/// of one row each.
#[test]
fn equal_weights_are_none() {
    let folder = Folder::new();
    folder.write("d.csv", table(3.0));
    let common = ["d.csv", "-f", "y ~ x", "--small-sample", "none"];
    for noise in ["gaussian", "quantile:0.3", "huber", "student-t:4", "logistic"] {
        let fit = |more: &[&str]| folder.fit(&[&common[..], &["--noise", noise], more].concat());
        let drawn = fit(&["--sampling-weights", "7 + 0*w"]);
        let plain = fit(&["--vcov", if noise.starts_with("quantile") { "cluster:x" } else { "sandwich" }]);
        let n = number(&plain["nobs"]);
        assert_eq!(drawn["nobs"], plain["nobs"], "{noise}");
        let factor = if noise.starts_with("quantile") { 1.0 } else { (n / (n - 1.0)).sqrt() };
        // The row of weight zero above is one more here.
        assert_eq!(n, 41.0);
        for (a, b) in column(&drawn, "estimate").iter().zip(column(&plain, "estimate")) {
            assert_close(a.unwrap(), b.unwrap(), 1e-9, noise);
        }
        for (a, b) in column(&drawn, "std_error").iter().zip(column(&plain, "std_error")) {
            assert_close(a.unwrap(), factor * b.unwrap(), 1e-8, noise);
        }
        for name in ["log_likelihood", "aic", "df_residual"] {
            assert_close(number(&drawn[name]), number(&plain[name]), 1e-10, name);
        }
    }
}

#[test]
fn what_is_said_and_kept() {
    let folder = Folder::new();
    folder.write("d.csv", table(2.0));
    let fit = ["fit", "d.csv", "-f", "y ~ .", "--noise", "student-t:4", "--sampling-weights", "w"];
    let text = folder.done(&[&fit[..], &["-o", "m.json"]].concat());
    for said in [
        "student-t noise with 4 df, maximum likelihood, 40 observations, 1 row with missing values left out, 1 row of weight zero \
         left out\n",
        "\nsampling weights w\n",
        "standard errors  sampling (for rows that were drawn by their weights), Student's t with 37 df\n",
        "are those of a pseudo-likelihood",
    ] {
        assert!(text.contains(said), "{said}{text}");
    }
    // `.` does not take the weights for a regressor.
    assert!(text.contains("\nx ") && text.contains("\ng ") && !text.contains("\nw "), "{text}");
    let model: Value = serde_json::from_str(&folder.read("m.json")).unwrap();
    assert_eq!(model["design"]["sampling_weights"], "w");

    // Tests need the model alone, and predictions no weights.
    let tested: Value =
        serde_json::from_str(&folder.done(&["test", "m.json", "x = 2", "x", "--format", "json"])).unwrap();
    assert_eq!(tested["vcov_type"], "sampling");
    folder.write("new.csv", "x,g\n1,2\n");
    let predicted = folder.done(&["predict", "m.json", "new.csv", "--interval", "0.9", "confidence"]);
    assert_eq!(predicted.lines().count(), 2, "{predicted}");

    // Scores are means by the weights, whatever their unit.
    folder.write("scaled.csv", table(5.0));
    let scores = |data: &str| -> Value {
        serde_json::from_str(&folder.done(&["evaluate", "m.json", data, "--format", "json"])).unwrap()
    };
    let (one, other) = (scores("d.csv"), scores("scaled.csv"));
    assert_eq!((&one["nobs"], &one["weighted"]), (&40.into(), &true.into()));
    assert_same(&one, &other, "evaluate");
    let said = folder.done(&["evaluate", "m.json", "d.csv"]);
    assert!(said.contains("Each row counts by its sampling weight"), "{said}");
    let fitted = folder.fit(&fit[1..]);
    assert_close(number(&one["rmse"]), number(&fitted["rmse"]), 1e-12, "rmse");
}

#[test]
fn weights_that_are_none() {
    let folder = Folder::new();
    let refused = |data: &str| {
        folder.write("d.csv", data);
        folder.refusal(1, &["fit", "d.csv", "-f", "y ~ x", "--sampling-weights", "w"])
    };
    let advice = "it must be positive, or zero to leave the record out";
    assert_eq!(
        refused("y,x,w\n1,2,1\n2,3,-1\n3,5,1.5\n"),
        format!("d.csv, record 2: the sampling weight w is -1; {advice}")
    );
    assert_eq!(
        refused("y,x,w\n1,2,1\n2,3,1\n3,5,inf\n"),
        format!("d.csv, record 3: the sampling weight w is inf; {advice}")
    );
    assert_eq!(refused("y,x,w\n1,2,0\n2,3,0\n"), "d.csv: nothing to fit: the weight of each of 2 rows is zero");
    assert_eq!(
        refused("y,x,w\n1,2,1e308\n2,3,1e308\n3,5,1e308\n"),
        "d.csv: the sum of the sampling weights is larger than any double; give them in another unit"
    );
}

#[test]
fn what_does_not_go_with_them() {
    let folder = Folder::new();
    folder.write("d.csv", table(1.0));
    let fit = ["fit", "d.csv", "-f", "y ~ x", "--sampling-weights", "w"];
    for (more, said) in [
        (
            &["--weights", "x"][..],
            "--weights and --sampling-weights do not go together: precisions say how noisy a row is",
        ),
        (
            &["--frequency-weights", "g"],
            "--frequency-weights and --sampling-weights do not go together: a row that stands",
        ),
        (
            &["--noise", "auto"],
            "--noise auto: families are compared by their likelihoods, and with --sampling-weights there",
        ),
        (&["--model", "network"], "--sampling-weights: what is trained by gradient steps has no standard errors"),
        (&["--solver", "train"], "--sampling-weights: what is trained by gradient steps has no standard errors"),
        (&["--conformal", "split"], "--conformal: intervals are calibrated on rows that are as likely as new ones"),
        (&["--confint", "profile"], "--confint profile: a ratio of pseudo-likelihoods, which --sampling-weights make"),
        (&["--report", "r.html"], "`noisefit report` looks at rows as draws from the noise that count the same"),
        (&["--plot"], "`noisefit plot` looks at rows as draws from the noise that count the same"),
    ] {
        let message = folder.refusal(2, &[&fit[..], more].concat());
        assert!(message.starts_with(said), "{more:?}: {message}");
    }
    for vcov in [
        "classical",
        "hc0",
        "hc3",
        "hc4",
        "cr2:g",
        "cr3:g",
        "hac:2",
        "sandwich",
        "observed",
        "expected",
        "bootstrap:200",
        "nid",
    ] {
        let message = folder.refusal(2, &[&fit[..], &["--vcov", vcov]].concat());
        assert_eq!(
            message,
            format!(
                "--vcov {vcov}: this covariance takes a row for as many as its weight says, and is too sure by --sampling-weights; say \
                 --vcov sampling, or --vcov cluster:COLUMN for rows that were drawn in groups"
            )
        );
    }
    assert_eq!(
        folder.refusal(2, &["fit", "d.csv", "-f", "y ~ x", "--vcov", "sampling"]),
        "--vcov sampling is of rows with sampling weights: say --sampling-weights COLUMN, or --vcov sandwich where there are none"
    );
    let message = folder.refusal(2, &["fit", "d.csv", "-f", "y ~ x | g", "--sampling-weights", "w"]);
    assert!(
        message.starts_with("--sampling-weights: absorbed effects (| g) have no standard errors of rows"),
        "{message}"
    );
    let message = folder.refusal(1, &[&fit[..], &["--noise", "laplace", "--scale", "~ x"]].concat());
    assert!(message.contains("the covariance sampling is none for laplace noise with a modelled scale"), "{message}");

    // Other commands, with the data and with the model.
    folder.done(&[&fit[..], &["-o", "m.json"]].concat());
    folder.done(&[&fit[..], &["--noise", "quantile:0.2,0.8", "-o", "q.json"]].concat());
    let data = ["d.csv", "-f", "y ~ x", "--sampling-weights", "w"];
    let looks = "looks at rows as draws from the noise that count the same";
    let refits = "tests that fit the rows again are none of a model with --sampling-weights";
    for (arguments, said) in [
        (
            [&["compare"][..], &data].concat(),
            "`noisefit compare` sets likelihoods side by side, and with --sampling-weights",
        ),
        ([&["compare"][..], &data, &["-f", "y ~ x + g"]].concat(), "`noisefit compare` sets likelihoods side by side"),
        ([&["diagnose"][..], &data].concat(), looks),
        ([&["profile"][..], &data, &["--term", "x"]].concat(), "`noisefit profile` follows a likelihood, and with"),
        (vec!["report", "m.json", "d.csv"], looks),
        (vec!["plot", "residuals", "m.json", "d.csv"], looks),
        (vec!["plot", "aic", "m.json", "d.csv"], "`noisefit compare` sets likelihoods side by side"),
        (vec!["test", "m.json", "x", "--lr", "--data", "d.csv"], refits),
        (vec!["test", "m.json", "x", "--wild", "--cluster", "g", "--data", "d.csv"], refits),
        (vec!["test", "q.json", "x", "--across", "--data", "d.csv"], refits),
    ] {
        let message = folder.refusal(2, &arguments);
        assert!(message.contains(said), "{arguments:?}: {message}");
    }
}
