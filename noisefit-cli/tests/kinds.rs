//! Kinds of models side by side on the same folds, and folds by groups and in blocks of time.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking, also in its helpers")]

mod common;

use common::{Folder, assert_close, testdata};
use noisefit_core::numeric::distribution::{Distribution, Normal};
use serde_json::Value;

/// Numbers that look random.
struct Random(u64);

impl Random {
    fn uniform(&mut self) -> f64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((self.0 >> 11) as f64 + 0.5) / (1u64 << 53) as f64
    }

    fn normal(&mut self) -> f64 {
        Normal.quantile(self.uniform())
    }
}

/// Rows of a curve in `x`, with noise of scale 0.3.
fn rows(random: &mut Random, count: usize, curve: fn(f64) -> f64) -> String {
    let row = |random: &mut Random| {
        let x = 6.0 * random.uniform();
        format!("{},{x}\n", curve(x) + 0.3 * random.normal())
    };
    (0..count).fold("y,x\n".to_owned(), |text, _| text + &row(random))
}

fn compared(folder: &Folder, arguments: &[&str]) -> Value {
    let all = [&["compare", "d.csv", "-f", "y ~ x", "--format", "json", "-q"], arguments].concat();
    serde_json::from_str(&folder.done(&all)).unwrap()
}

#[test]
fn a_curve_takes_a_network_and_a_line_does_not() {
    let (folder, mut random) = (Folder::new(), Random(3));
    folder.write("d.csv", rows(&mut random, 400, |x| (2.0 * x).sin()));
    let found = compared(&folder, &["--models", "linear,network,linear:quantiles"]);
    assert_eq!(found["verdict"]["verdict"], "network_is_better", "{found}");
    let text = folder.done(&["compare", "d.csv", "-f", "y ~ x", "--models", "linear,network", "-q", "--times"]);
    assert!(
        text.contains("\nnetwork:student-t+scale predicts better: log score") && text.contains("seconds"),
        "{text}"
    );
    let models = found["models"].as_array().unwrap();
    let names: Vec<&str> = models.iter().map(|model| model["model"].as_str().unwrap()).collect();
    assert_eq!(names, ["linear:gaussian", "network:student-t+scale", "linear:quantiles"]);
    assert!(models[2]["log_score"].is_null() && models[2]["pinball"].as_f64().unwrap() > 0.0);
    // The network finds the noise: its log score is about that of noise 0.3, -ln 0.3 - ln sqrt(2 pi e) = -0.215, and RMSE 0.3.
    assert!((models[1]["rmse"].as_f64().unwrap() - 0.3).abs() < 0.06, "{found}");
}

/// Six data sets that are a line: at most once is a network found better, and four times or more a line is enough. (Each verdict may be wrong
/// once in twenty times: that two of six are has a probability of less than 0.04.)
#[test]
fn a_line_is_enough_for_lines() {
    let (folder, mut random) = (Folder::new(), Random(5));
    let (mut enough, mut better) = (0, 0);
    for _ in 0..6 {
        folder.write("d.csv", rows(&mut random, 300, |x| 1.0 + 0.5 * x));
        let found = compared(&folder, &["--models", "linear,network:gaussian"]);
        match found["verdict"]["verdict"].as_str().unwrap() {
            "line_is_enough" => enough += 1,
            "network_is_better" => better += 1,
            _ => {}
        }
    }
    assert!(better <= 1 && enough >= 4, "{enough} {better}");
}

/// The log score of a line by its predictive distribution, fold by fold, from predictions of a model of the other folds.
#[test]
fn scores_are_those_of_models_of_the_other_parts() {
    let (folder, mut random) = (Folder::new(), Random(7));
    let mut text = "y,x,g\n".to_owned();
    for i in 0..60 {
        let x = random.normal();
        text += &format!("{},{x},{}\n", 2.0 * x + random.normal(), ["a", "b", "c"][i % 3]);
    }
    folder.write("d.csv", &text);
    let found = compared(&folder, &["--models", "linear", "--folds", "3", "--folds-by", "g"]);
    let lines: Vec<&str> = text.lines().collect();
    let (mut log_score, mut squares, mut inside) = (0.0, 0.0, 0.0);
    for group in ["a", "b", "c"] {
        let ends = format!(",{group}");
        let part = |own: bool| {
            let rows: Vec<&str> = lines[1..].iter().copied().filter(|line| line.ends_with(&ends) == own).collect();
            format!("{}\n{}\n", lines[0], rows.join("\n"))
        };
        folder.write("rest.csv", part(false));
        folder.write("own.csv", part(true));
        folder.done(&["fit", "rest.csv", "-f", "y ~ x", "-o", "m.json", "-q"]);
        let text = folder.done(&["predict", "m.json", "own.csv", "--density", "--interval", "0.9", "--keep", "y"]);
        for line in text.lines().skip(1) {
            let numbers: Vec<f64> = line.split(',').map(|cell| cell.parse().unwrap()).collect();
            let [y, mu, low, high, density] = numbers[..] else { panic!("{line}") };
            log_score += density / 60.0;
            squares += (y - mu).powi(2) / 60.0;
            inside += if low <= y && y <= high { 1.0 / 60.0 } else { 0.0 };
        }
    }
    let model = &found["models"][0];
    assert_close(model["log_score"].as_f64().unwrap(), log_score, 1e-10, "log score");
    assert_close(model["rmse"].as_f64().unwrap(), squares.sqrt(), 1e-10, "RMSE");
    assert_close(model["coverage"].as_f64().unwrap(), inside, 1e-10, "coverage");
    assert_eq!(found["folds"], 3);
}

/// Firms with an effect of their own: rows of a firm that the fit knows are predicted the better.
#[test]
fn groups_and_blocks_of_time_are_parts() {
    let (folder, mut random) = (Folder::new(), Random(9));
    let mut text = "y,x,firm,day\n".to_owned();
    for firm in 0..12 {
        let effect = 2.0 * random.normal();
        for day in 0..10 {
            let y = effect + 0.1 * random.normal();
            text += &format!("{y},{},f{firm},2024-01-{:02}\n", random.normal(), day + 1);
        }
    }
    folder.write("d.csv", &text);
    let all = |more: &[&str]| {
        let words =
            [&["compare", "d.csv", "-f", "y ~ x + firm", "--format", "json", "-q", "--noise", "gaussian"], more];
        serde_json::from_str::<Value>(&folder.done(&words.concat())).unwrap()
    };
    let score = |found: &Value| found["models"][0]["out_of_sample"]["log_score"].as_f64().unwrap();
    let (random_parts, by_time) = (score(&all(&[])), score(&all(&["--folds-time", "day"])));
    // Every firm has a day in each part.
    assert!((random_parts - by_time).abs() < 0.3 && by_time > 0.5, "{random_parts} {by_time}");
    let by_firm = compared(&folder, &["--noise", "gaussian", "--folds-by", "firm", "--folds", "4"]);
    assert_eq!(by_firm["folds"], 4);
    let error = folder.refusal(2, &["compare", "d.csv", "-f", "y ~ x", "--folds-time", "firm"]);
    assert!(error.starts_with("--folds-time firm: firm is text, which has no order in time"), "{error}");
    let error = folder.refusal(1, &["compare", "d.csv", "-f", "y ~ x", "--folds-by", "company"]);
    assert!(error.contains("company") && error.contains("firm"), "{error}");
    let error = folder.refusal(2, &["compare", "d.csv", "-f", "y ~ x", "--folds-by", "firm", "--folds-time", "day"]);
    assert!(error.contains("cannot be used with"), "{error}");
}

#[test]
fn what_is_no_kind_of_model_is_refused() {
    let (folder, data) = (Folder::new(), testdata("engel.csv"));
    let refused = |models: &str| folder.refusal(2, &["compare", &data, "-f", "foodexp ~ income", "--models", models]);
    assert!(refused("forest").contains("a model is linear or network"));
    assert!(refused("linear:quantile:0.1").contains("write linear:quantiles"));
    assert!(
        refused("linear:huber+scale").contains("the scale of this noise cannot be modelled"),
        "{}",
        refused("linear:huber+scale")
    );
    let error = folder.refusal(2, &["compare", &data, "-f", "foodexp ~ income", "--models", "linear", "--folds", "0"]);
    assert!(error.starts_with("--models: kinds of models are compared by how they predict rows"), "{error}");
    let table = folder.done(&[
        "compare",
        &data,
        "-f",
        "foodexp ~ income",
        "--models",
        "linear,linear:student-t+scale",
        "-o",
        "m.csv",
        "-q",
    ]);
    assert!(table.contains("linear:student-t+scale"), "{table}");
    let written = folder.read("m.csv");
    assert!(
        written.starts_with("model,nobs,log_score,pinball,rmse,mae,coverage,note\nlinear:gaussian,235,"),
        "{written}"
    );
}
