//! The likelihood along a coefficient from the command line.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use common::{Folder, assert_close, csv, number, testdata};
use serde_json::Value;

fn points(text: &str) -> Vec<[f64; 3]> {
    let (header, rows) = csv(text);
    assert_eq!(header, ["value", "nll", "loss"]);
    rows.iter().map(|row| [0, 1, 2].map(|j| row[j].parse().unwrap())).collect()
}

#[test]
fn a_curve_its_minima_and_its_interval_agree_with_the_fit() {
    let (folder, data) = (Folder::new(), testdata("stackloss.csv"));
    for noise in ["gaussian", "laplace", "huber", "student-t:4", "logistic", "quantile:0.4"] {
        let model = [data.as_str(), "-f", "stack_loss ~ .", "--noise", noise];
        let fit = folder.fit(&[&model[..], &["--confint", "profile"]].concat());
        assert_eq!(fit["confint"], "profile");
        let row = &fit["coefficients"][1];
        let estimate = number(&row["estimate"]);
        for more in [&[][..], &["--profile"]] {
            let what = format!("{noise} {more:?}");
            let words = [&["profile"], &model[..], &["--term", "air_flow", "--points", "41"], more].concat();
            let curve = points(&folder.done(&words));
            assert_eq!(curve.len(), 41);
            let least = |j: usize| curve.iter().min_by(|a, b| a[j].total_cmp(&b[j])).unwrap();
            assert_close(least(1)[0], estimate, 1e-12, &what);
            assert_close(least(2)[0], estimate, 1e-12, &what);
            assert_close(least(1)[1], -number(&fit["log_likelihood"]), 1e-9, &what);
            let record: Value =
                serde_json::from_str(&folder.done(&[&words[..], &["--format", "json"]].concat())).unwrap();
            assert_eq!(record["schema"], "noisefit.profile/1");
            assert_eq!(record["points"].as_array().unwrap().len(), 41);
            for name in ["estimate", "conf_low", "conf_high"] {
                assert_close(number(&record[name]), number(&row[name]), 1e-7, &what);
            }
            assert_close(number(&record["nll_minimiser"]), estimate, 1e-12, &what);
        }
    }
}

#[test]
fn a_range_and_a_file() {
    let (folder, data) = (Folder::new(), testdata("engel.csv"));
    let words = ["profile", &data, "-f", "foodexp ~ income", "--term", "income"];
    let more = ["--range", "-0.5,1.5", "--points", "5", "-o", "curve.csv"];
    let text = folder.done(&[&words[..], &more].concat());
    let values: Vec<f64> = points(&folder.read("curve.csv")).iter().map(|point| point[0]).collect();
    assert_eq!(values, [-0.5, 0.0, 0.5, 1.0, 1.5]);
    // Both at the value nearest to the estimate, 0.485.
    for said in [" at 0.5000000\n", "least mean squared error  ", "95% profile interval      0.4568738 to 0.5134830\n"]
    {
        assert!(text.contains(said), "{said}: {text}");
    }
    // Student's own; without allowing for few rows it is as likelihood ratio and normal distribution have it.
    let fit = folder.fit(&words[1..4]);
    let record = |more: &[&str]| -> Value {
        serde_json::from_str(&folder.done(&[&words[..], &["--points", "3", "--format", "json"], more].concat()))
            .unwrap()
    };
    let (corrected, none) = (record(&[]), record(&["--small-sample", "none"]));
    for end in ["conf_low", "conf_high"] {
        assert_close(number(&corrected[end]), number(&fit["coefficients"][1][end]), 1e-9, end);
    }
    // With the scale at its maximum n ln(1 + t^2 / (n - p)) = z^2.
    let z = 1.959_963_984_540_054_f64;
    let t = (233.0 * (z * z / 235.0).exp_m1()).sqrt();
    let [estimate, error] = ["estimate", "std_error"].map(|name| number(&fit["coefficients"][1][name]));
    assert_close(number(&none["conf_low"]), estimate - t * error, 1e-9, "low end");
    assert_close(number(&none["conf_high"]), estimate + t * error, 1e-9, "high end");
    let run = folder.run(&[&words[..], &["--points", "3"]].concat());
    assert_eq!(points(&run.stdout).len(), 3);
    assert!(
        run.stderr.starts_with("income under gaussian noise, the other parameters as they were fitted\n"),
        "{}",
        run.stderr
    );
}

#[test]
fn what_has_no_curve_is_refused() {
    let (folder, data) = (Folder::new(), testdata("engel.csv"));
    let words = |more: &[&str]| -> Vec<String> {
        ["profile", &data, "-f", "foodexp ~ income"].iter().chain(more).map(|word| (*word).to_owned()).collect()
    };
    for (code, more, said) in [
        (1, &["--term", "age"][..], "the model has no term 'age'; its terms are (Intercept), income"),
        (2, &["--term", "income", "--noise", "quantile:0.1,0.9"], "a curve is that of one quantile; name one"),
        (2, &["--term", "income", "--range", "2,1"], "two numbers in ascending order"),
        (2, &["--term", "income", "--points", "1"], "1 is not in 2..=1000000"),
    ] {
        let words = words(more);
        let message = folder.refusal(code, &words.iter().map(String::as_str).collect::<Vec<_>>());
        assert!(message.contains(said), "{message}");
    }
    let aliased = ["profile", &data, "-f", "foodexp ~ income + I(2*income)", "--term", "I(2 * income)"];
    let run = folder.run(&aliased);
    assert!(run.code == 1 && run.stderr.contains("I(2"), "{}", run.stderr);
    // Not a maximum of the likelihood: a curve, and no interval.
    let proposal2 = words(&["--term", "income", "--noise", "huber", "--huber-scale", "proposal2", "--points", "3"]);
    let run = folder.run(&proposal2.iter().map(String::as_str).collect::<Vec<_>>());
    assert_eq!((run.code, points(&run.stdout).len()), (0, 3));
    assert!(
        run.stderr.contains("profile interval") && run.stderr.contains("a scale by proposal2 does not"),
        "{}",
        run.stderr
    );
    let fit =
        ["fit", &data, "-f", "foodexp ~ income", "--noise", "huber", "--huber-scale", "mad", "--confint", "profile"];
    assert!(folder.refusal(1, &fit).contains("a scale by mad does not"));
}
