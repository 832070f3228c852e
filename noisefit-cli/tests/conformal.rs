//! Conformal intervals and intervals of several levels, from the fit to the evaluation.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use common::{Folder, assert_close, csv, number, testdata};
use serde_json::Value;

fn table(text: &str) -> (Vec<String>, Vec<Vec<f64>>) {
    let (header, rows) = csv(text);
    let number = |cell: &&str| cell.parse().unwrap();
    (
        header.iter().map(|name| (*name).to_owned()).collect(),
        rows.iter().map(|row| row.iter().map(number).collect()).collect(),
    )
}

#[test]
fn several_levels_are_columns_of_their_own() {
    let (folder, data) = (Folder::new(), testdata("engel.csv"));
    folder.done(&["fit", &data, "-f", "foodexp ~ income", "-o", "m.json"]);
    let predict = |words: &[&str]| folder.done(&[&["predict", "m.json", &data, "--interval"], words].concat());
    let (header, rows) = table(&predict(&["0.5,0.9", "prediction"]));
    let names = ["prediction", "pred_low_0.5", "pred_high_0.5", "pred_low_0.9", "pred_high_0.9"];
    assert_eq!(header, names);
    assert_eq!(predict(&["0.5", "0.9"]), predict(&["0.5,0.9"]));
    assert_eq!(predict(&["0.5,0.9", "--interval", "prediction"]), predict(&["0.5,0.9"]));
    // Each is what it is alone.
    for (place, level) in [(1, "0.5"), (3, "0.9")] {
        let (header, alone) = table(&predict(&[level]));
        assert_eq!(header, ["prediction", "pred_low", "pred_high"]);
        for (row, alone) in rows.iter().zip(&alone) {
            assert_eq!((row[place], row[place + 1]), (alone[1], alone[2]));
        }
    }
    let (header, _) = table(&predict(&["0.5,0.9", "confidence"]));
    assert_eq!(header[1..3], ["conf_low_0.5", "conf_high_0.5"]);
    for (words, said) in [
        (&["1.5"][..], "--interval 1.5: a level lies between 0 and 1"),
        (&["prediction"], "--interval prediction: a level comes first, such as 0.9 prediction"),
        (
            &["0.9", "wide"],
            "--interval wide: levels such as 0.5,0.9 are followed by prediction, conformal or confidence",
        ),
        (&["0.9", "prediction", "--interval", "confidence"], "intervals of one kind"),
        (&["0.9", "conformal"], "m.json has no conformal intervals; fit it with --conformal split, cv+ or jackknife+"),
    ] {
        let message = folder.refusal(2, &[&["predict", "m.json", &data, "--interval"], words].concat());
        assert!(message.contains(said), "{message}");
    }
}

#[test]
fn conformal_intervals_are_stored_predicted_and_evaluated() {
    let (folder, data) = (Folder::new(), testdata("engel.csv"));
    let models: [(&[&str], f64, usize); 6] = [
        (&["--conformal", "split", "--seed", "4"], 59.0, 1),
        (&["--conformal", "split", "--calibration", "0.5", "--noise", "laplace"], 117.5, 1),
        (&["--conformal", "cv+", "--folds", "5", "--scale", "income"], 235.0, 5),
        (&["--conformal", "cv+", "--weights", "1/income^2"], 235.0, 10),
        (&["--conformal", "jackknife+"], 235.0, 235),
        (&["--conformal", "cv+", "--noise", "quantile:0.05,0.5,0.95"], 235.0, 10),
    ];
    for (options, observations, fits) in models {
        let record = folder.fit(&[&[&data, "-f", "foodexp ~ income", "-o", "m.json"], options].concat());
        let calibration = &record["conformal"];
        assert_eq!(calibration["method"], options[1], "{options:?}");
        assert!((number(&calibration["observations"]) - observations).abs() <= 1.0, "{options:?} {calibration}");
        assert_eq!(calibration["fits"], fits, "{options:?}");

        // They are the default, and hold as many rows as the evaluation says.
        let default = folder.done(&["predict", "m.json", &data, "--interval", "0.9", "--keep", "foodexp"]);
        let words = ["predict", "m.json", &data, "--interval", "0.9", "conformal", "--keep", "foodexp"];
        assert_eq!(default, folder.done(&words));
        let (header, rows) = table(&default);
        let place = |name: &str| header.iter().position(|column| column == name).unwrap();
        let (low, high) = (place("pred_low"), place("pred_high"));
        let inside = rows.iter().filter(|row| (row[low]..=row[high]).contains(&row[0])).count() as f64;
        let scores = folder.done(&["evaluate", "m.json", &data, "--level", "0.9", "--format", "json"]);
        let scores: Value = serde_json::from_str(&scores).unwrap();
        let several = options.last() == Some(&"quantile:0.05,0.5,0.95");
        let coverage = number(&scores[if several { "conformal_coverage" } else { "coverage" }]);
        assert!((0.8..1.0).contains(&coverage), "{options:?} {coverage}");
        if options[2..].first() != Some(&"--weights") {
            assert_close(coverage, inside / 235.0, 1e-12, &format!("{options:?}"));
        }
        assert!(several || scores["interval"] == "conformal", "{options:?}");
        // The fit's own are still there.
        if !several {
            let own =
                folder.done(&["predict", "m.json", &data, "--interval", "0.9", "prediction", "--keep", "foodexp"]);
            assert_ne!(own, default, "{options:?}");
        }
    }
    // Where the scale is modelled the width is in its units.
    folder.fit(&[&data, "-f", "foodexp ~ income", "-o", "m.json", "--conformal", "split", "--scale", "income"]);
    let (header, rows) = table(&folder.done(&["predict", "m.json", &data, "--interval", "0.8"]));
    assert_eq!(header, ["prediction", "scale", "pred_low", "pred_high"]);
    let ratio = |row: &Vec<f64>| (row[3] - row[2]) / row[1];
    rows.iter().for_each(|row| assert_close(ratio(row), ratio(&rows[0]), 1e-10, "width in scales"));
}

#[test]
fn too_few_calibration_rows_are_told_of() {
    let (folder, data) = (Folder::new(), testdata("stackloss.csv"));
    let fit = ["fit", &data, "-f", "stack_loss ~ .", "--conformal", "jackknife+", "-o", "m.json"];
    assert_eq!(folder.run(&fit).stderr, "");
    let run = folder.run(&["predict", "m.json", &data, "--interval", "0.9,0.99"]);
    let said = "conformal intervals at level 0.99 need 99 rows or more, and there are 21: they are infinite";
    assert_eq!(run.stderr, format!("warning: {said}\n"));
    let (_, rows) = table(&run.stdout);
    for row in rows {
        assert!(row[1].is_finite() && row[2].is_finite());
        assert_eq!((row[3], row[4]), (f64::NEG_INFINITY, f64::INFINITY));
    }
    let run = folder.run(&["evaluate", "m.json", &data, "--level", "0.99"]);
    assert_eq!((run.code, run.stderr), (0, format!("warning: {said}\n")));
    assert!(run.stdout.contains("coverage of 99% conformal intervals  1.000\n"), "{}", run.stdout);
    let fit = ["fit", &data, "-f", "stack_loss ~ .", "--conformal", "split"];
    assert!(folder.run(&fit).stderr.contains("at level 0.95 need 19 calibration rows or more, and there are "));
}

#[test]
fn options_that_do_not_go_together() {
    let (folder, data) = (Folder::new(), testdata("engel.csv"));
    for (options, said) in [
        (&["--conformal", "cv+", "--calibration", "0.2"][..], "goes with --conformal split; cv+ fits all rows"),
        (&["--conformal", "split", "--folds", "5"], "--folds goes with --conformal cv+, not with split"),
        (&["--conformal", "split", "--noise", "quantile:0.9"], "say --noise quantile:0.05,0.95"),
        (&["--conformal", "split", "--confint", "profile"], "say --conformal cv+"),
        (&["--conformal", "cv"], "no conformal method 'cv'; there are split, cv+, jackknife+"),
        (&["--folds", "5"], "--conformal"),
    ] {
        let message = folder.refusal(2, &[&["fit", &data, "-f", "foodexp ~ income"], options].concat());
        assert!(message.contains(said), "{message}");
    }
}

#[test]
fn a_damaged_calibration_is_refused() {
    let (folder, data) = (Folder::new(), testdata("engel.csv"));
    folder.fit(&[&data, "-f", "foodexp ~ income", "-o", "m.json", "--conformal", "split"]);
    let model: Value = serde_json::from_str(&folder.read("m.json")).unwrap();
    // A model without them still loads.
    let mut without = model.clone();
    without.as_object_mut().unwrap().remove("conformal");
    folder.write("m.json", without.to_string());
    assert!(
        folder.done(&["predict", "m.json", &data, "--interval", "0.9"]).starts_with("prediction,pred_low,pred_high\n")
    );
    let mut damaged = model;
    damaged["conformal"]["members"][0]["scores"]["values"][0] = 1e9.into();
    folder.write("m.json", damaged.to_string());
    let message = folder.refusal(1, &["predict", "m.json", &data]);
    assert!(message.contains("its conformal intervals do not go with its fits; fit it again"), "{message}");
}
