//! What a prediction is worth: quantiles, densities, probabilities, draws and spread, from the command line.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking, also in its helpers")]

mod common;

use common::{Folder, assert_close, csv, testdata};
use noisefit_core::numeric::distribution::{Distribution, Normal, StudentT};

/// Columns of what is printed as CSV, by name.
struct Table {
    names: Vec<String>,
    rows: Vec<Vec<f64>>,
}

impl Table {
    fn of(text: &str) -> Self {
        let (names, rows) = csv(text);
        let number = |cell: &&str| if cell.is_empty() { f64::NAN } else { cell.parse().unwrap() };
        Table {
            names: names.into_iter().map(str::to_owned).collect(),
            rows: rows.iter().map(|row| row.iter().map(number).collect()).collect(),
        }
    }

    fn column(&self, name: &str) -> Vec<f64> {
        let place = self.names.iter().position(|known| known == name);
        let place = place.unwrap_or_else(|| panic!("no {name} among {:?}", self.names));
        self.rows.iter().map(|row| row[place]).collect()
    }
}

fn engel(arguments: &[&str]) -> (Folder, String) {
    let (folder, data) = (Folder::new(), testdata("engel.csv"));
    folder.done(&[&["fit", &data, "-o", "m.json", "-q"], arguments].concat());
    (folder, data)
}

#[test]
fn quantiles_are_the_ends_of_intervals_and_the_rest_agrees_with_them() {
    for noise in ["gaussian", "student-t", "laplace", "logistic", "huber"] {
        for scale in [&[][..], &["--scale", "~ income"]] {
            // Of huber noise the scale is one number.
            if ["laplace", "huber"].contains(&noise) && !scale.is_empty() {
                continue;
            }
            let (folder, data) = engel(&[&["-f", "foodexp ~ income", "--noise", noise][..], scale].concat());
            let asked = [
                "predict",
                "m.json",
                &data,
                "--interval",
                "0.9",
                "--quantiles",
                "0.05,0.5,0.95,0.3",
                "--density",
                "--above",
                "500",
                "--below",
                "500,-10",
                "--spread",
                "--keep",
                "foodexp",
            ];
            let found = Table::of(&folder.done(&asked));
            assert_eq!(found.column("q0.05"), found.column("pred_low"), "{noise}");
            assert_eq!(found.column("q0.95"), found.column("pred_high"), "{noise}");
            assert_eq!(found.column("q0.5"), found.column("prediction"), "{noise}");
            let (above, below) = (found.column("above_500"), found.column("below_500"));
            let q30 = found.column("q0.3");
            for i in 0..above.len() {
                assert_close(above[i] + below[i], 1.0, 1e-12, noise);
                assert_eq!(below[i] < 0.3, q30[i] > 500.0, "{noise} {i}");
            }
            // A modelled scale is so large at the largest incomes that their noise reaches below zero.
            assert!(!scale.is_empty() || found.column("below_-10").iter().all(|p| *p < 0.1));
            let (total, own, line) =
                (found.column("sd_total"), found.column("sd_aleatoric"), found.column("sd_epistemic"));
            for i in 0..total.len() {
                assert_close(total[i].powi(2), own[i].powi(2) + line[i].powi(2), 1e-12, noise);
            }
            assert!(found.column("log_density").iter().all(|density| density.is_finite() && *density < 0.0));
        }
    }
}

/// Student's t with 233 degrees of freedom about the line, by the interval's own ends.
#[test]
fn least_squares_give_student_s_t_and_logarithms_are_undone() {
    let (folder, data) = engel(&["-f", "log(foodexp) ~ log(income)"]);
    let run = folder.run(&[
        "predict",
        "m.json",
        &data,
        "--interval",
        "0.9",
        "--quantiles",
        "0.05,0.95",
        "--density",
        "--above",
        "700",
        "--keep",
        "foodexp",
        "--samples",
        "2",
    ]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    assert!(run.stderr.contains("predictions are of log(foodexp)"), "{}", run.stderr);
    assert!(run.stderr.contains("q0.05, q0.95, log_density, above_700, draws are of foodexp itself"), "{}", run.stderr);
    let found = Table::of(&run.stdout);
    let [mu, low, high, q05, q95, density, above, y, draw] =
        ["prediction", "pred_low", "pred_high", "q0.05", "q0.95", "log_density", "above_700", "foodexp", "draw_1"]
            .map(|name| found.column(name));
    let t = StudentT::new(233.0).unwrap();
    let critical = t.upper_quantile(0.05);
    for i in 0..mu.len() {
        assert_close(q05[i], low[i].exp(), 1e-12, "q0.05");
        assert_close(q95[i], high[i].exp(), 1e-12, "q0.95");
        let scale = (high[i] - mu[i]) / critical;
        assert_close(above[i], t.survival((700f64.ln() - mu[i]) / scale), 1e-9, "above");
        // The density of t at r is Gamma(117) / (Gamma(116.5) sqrt(233 pi)) (1 + r^2 / 233)^-117, and of y that over y.
        let r = (y[i].ln() - mu[i]) / scale;
        let normaliser = (1.0f64 / (2.0 * std::f64::consts::PI)).ln() * 0.5 - 0.001_072_958_079_547_881;
        let expected = normaliser - 117.0 * (r * r / 233.0).ln_1p() - scale.ln() - y[i].ln();
        assert!((density[i] - expected).abs() < 1e-7, "{i}: {} and {expected}", density[i]);
        assert!(draw[i] > 0.0);
    }
}

/// A response that falls: what is below of it is above of its column.
#[test]
fn falling_responses_change_sides() {
    let (folder, data) = engel(&["-f", "I(-foodexp) ~ income"]);
    let asked = ["m.json", &data, "--quantiles", "0.1,0.9", "--above", "600", "--below", "600", "--density"];
    let turned = Table::of(&folder.done(&[&["predict"][..], &asked].concat()));
    let (folder, _) = engel(&["-f", "foodexp ~ income"]);
    let plain = Table::of(&folder.done(&[&["predict"][..], &asked].concat()));
    for name in ["q0.1", "q0.9", "above_600", "below_600", "log_density"] {
        for (one, other) in turned.column(name).iter().zip(plain.column(name)) {
            assert_close(*one, other, 1e-10, name);
        }
    }
}

#[test]
fn draws_follow_from_the_seed_and_the_row_alone() {
    let (folder, data) = engel(&["-f", "foodexp ~ income", "--noise", "student-t"]);
    let drawn = |more: &[&str]| folder.done(&[&["predict", "m.json", &data, "--samples", "40"], more].concat());
    let first = drawn(&["--seed", "1"]);
    assert_eq!(first, drawn(&["--seed", "1", "--threads", "1"]));
    assert_ne!(first, drawn(&["--seed", "2"]));
    let found = Table::of(&first);
    assert_eq!((found.names.len(), found.names[40].as_str()), (41, "draw_40"));
    // The same rows in two files, and in a file of another format.
    let text = std::fs::read_to_string(&data).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    let half = |rows: &[&str]| format!("{}\n{}\n", lines[0], rows.join("\n"));
    folder.write("a.csv", half(&lines[1..100]));
    folder.write("b.csv", half(&lines[100..]));
    let two = folder.done(&["predict", "m.json", "a.csv", "b.csv", "--samples", "40", "--seed", "1"]);
    assert_eq!(first, two);
    // As many below each row's upper quartile as there should be: of 9,400 the share is off by 0.0045 once in three times.
    let quartiles = Table::of(&folder.done(&["predict", "m.json", &data, "--quantiles", "0.75"])).column("q0.75");
    let mut below = 0;
    for draw in 1..=40 {
        let column = found.column(&format!("draw_{draw}"));
        below += column.iter().zip(&quartiles).filter(|(y, q)| y < q).count();
    }
    let share = f64::from(u32::try_from(below).unwrap()) / (40.0 * 235.0);
    assert!((share - 0.75).abs() < 0.015, "{share}");
}

#[test]
fn rows_without_a_response_or_a_value_are_missing_where_they_must_be() {
    let (folder, _) = engel(&["-f", "foodexp ~ income"]);
    folder.write("new.csv", "income,foodexp\n500,300\n,300\n700,NA\n");
    let found = Table::of(&folder.done(&[
        "predict",
        "m.json",
        "new.csv",
        "--density",
        "--above",
        "400",
        "--samples",
        "1",
        "--quantiles",
        "0.5",
        "-q",
    ]));
    let missing = |name: &str| found.column(name).iter().map(|value| value.is_nan()).collect::<Vec<_>>();
    assert_eq!(missing("prediction"), [false, true, false]);
    assert_eq!(missing("log_density"), [false, true, true]);
    for name in ["above_400", "draw_1", "q0.5"] {
        assert_eq!(missing(name), [false, true, false], "{name}");
    }
}

#[test]
fn rows_outside_the_data_of_the_fit_are_told() {
    let (folder, data) = engel(&["-f", "foodexp ~ income"]);
    let inside = folder.run(&["predict", "m.json", &data, "--outside"]);
    assert!(Table::of(&inside.stdout).column("outside").iter().all(|distance| *distance == 0.0));
    assert!(!inside.stderr.contains("outside"), "{}", inside.stderr);
    folder.write("new.csv", "income\n377\n5000\n1000\n");
    let run = folder.run(&["predict", "m.json", "new.csv", "--outside"]);
    let distance = Table::of(&run.stdout).column("outside");
    let (low, high) = (377.058_368_850_099, 4_957.813_024_479_01);
    assert_close(distance[0], (low - 377.0) / (high - low), 1e-6, "below");
    assert_close(distance[1], (5000.0 - high) / (high - low), 1e-6, "above");
    assert_eq!(distance[2], 0.0);
    assert!(
        run.stderr.contains("2 rows with income outside its range in the data of the fit, 377.05"),
        "{}",
        run.stderr
    );
    // A model that does not say.
    let mut model: serde_json::Value = serde_json::from_str(&folder.read("m.json")).unwrap();
    model.as_object_mut().unwrap().remove("ranges");
    folder.write("old.json", model.to_string());
    let refusal = folder.refusal(2, &["predict", "old.json", "new.csv", "--outside"]);
    assert!(refusal.starts_with("--outside: old.json does not say which values its data had"), "{refusal}");
}

/// Of a network the distribution is its noise, of an ensemble the mixture: against sums over what each member says alone.
#[test]
fn networks_have_a_distribution_too() {
    let (folder, data) = (Folder::new(), testdata("engel.csv"));
    let train =
        ["--model", "network", "--plan", "plain", "--hidden", "4", "--epochs", "30", "--noise", "gaussian", "-q"];
    folder.run(&[&["fit", &data, "-f", "foodexp ~ income", "-o", "one.json"], &train[..]].concat());
    let asked = ["--quantiles", "0.1,0.5", "--density", "--above", "600", "--interval", "0.8", "--keep", "foodexp"];
    let found = Table::of(&folder.done(&[&["predict", "one.json", &data], &asked[..]].concat()));
    let model: serde_json::Value = serde_json::from_str(&folder.read("one.json")).unwrap();
    let scale = model["network"]["members"][0]["scale"][0].as_f64().unwrap();
    let [mu, low, q10, density, above, y] =
        ["prediction", "pred_low", "q0.1", "log_density", "above_600", "foodexp"].map(|name| found.column(name));
    assert_eq!((q10, found.column("q0.5")), (low, mu.clone()));
    for i in 0..mu.len() {
        let r = (y[i] - mu[i]) / scale;
        let expected = -0.5 * r * r - (scale * (2.0 * std::f64::consts::PI).sqrt()).ln();
        assert!((density[i] - expected).abs() < 1e-9);
        assert!((above[i] - Normal.survival((600.0 - mu[i]) / scale)).abs() < 1e-12);
    }
    let refusal = folder.refusal(2, &["predict", "one.json", &data, "--spread"]);
    assert!(refusal.starts_with("--spread: one network does not say how far its location may be off"), "{refusal}");
    folder.run(&[&["fit", &data, "-f", "foodexp ~ income", "-o", "five.json", "--ensemble", "3"], &train[..]].concat());
    let found = Table::of(&folder.done(&[&["predict", "five.json", &data, "--spread"], &asked[..]].concat()));
    assert_eq!(found.names.iter().filter(|name| name.starts_with("sd_")).count(), 3);
    assert_eq!(found.column("q0.1"), found.column("pred_low"));
}

#[test]
fn what_a_model_does_not_have_is_refused_with_what_to_do() {
    let (folder, data) = engel(&["-f", "foodexp ~ income", "--noise", "quantile:0.1,0.9"]);
    let asked = |more: &[&str]| folder.refusal(2, &[&["predict", "m.json", &data], more].concat());
    assert!(
        asked(&["--quantiles", "0.1,0.5"]).contains("says nothing of others; fit --noise quantile:0.1,0.5,0.9"),
        "{}",
        asked(&["--quantiles", "0.1,0.5"])
    );
    assert!(
        asked(&["--density"])
            .contains("which are no distribution; fit a noise that has a density, such as --noise student-t")
    );
    assert!(asked(&["--samples", "3", "--quantiles", "0.1"]).starts_with("--samples:"));
    // Those that it has are there anyway.
    let found = folder.done(&["predict", "m.json", &data, "--quantiles", "0.1"]);
    assert!(found.starts_with("q0.1,q0.9\n"), "{}", &found[..20]);
    let (folder, data) = engel(&["-f", "abs(foodexp) ~ income"]);
    let refusal = folder.refusal(2, &["predict", "m.json", &data, "--above", "3"]);
    assert!(refusal.starts_with("--above: it is of the column itself, and abs(foodexp) is not undone"), "{refusal}");
    let (folder, data) = engel(&["-f", "log(foodexp) ~ income"]);
    let refusal = folder.refusal(2, &["predict", "m.json", &data, "--above", "-3"]);
    assert!(refusal.starts_with("--above -3: log(foodexp) has no value at -3"), "{refusal}");
    for (option, value, why) in [
        ("--quantiles", "1.5", "a level lies between 0 and 1"),
        ("--above", "much", "a number is needed"),
        ("--samples", "0", "draws are from 1 to 10000 of each row"),
    ] {
        let refusal = folder.refusal(2, &["predict", "m.json", &data, option, value]);
        assert!(refusal.contains(why), "{refusal}");
    }
    folder.write("few.csv", "y,x\n1,2\n3,4\n");
    folder.run(&["fit", "few.csv", "-f", "y ~ x", "-o", "few.json"]);
    let refusal = folder.refusal(1, &["predict", "few.json", "few.csv", "--quantiles", "0.5"]);
    assert!(refusal.contains("as many coefficients as observations, so there is no distribution"), "{refusal}");
    assert!(refusal.contains("leave out --quantiles"), "{refusal}");
}
