//! `noisefit diagnose`: what it prints, where rows stand, the file of all rows.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use common::{Folder, assert_close, csv, number, reference, testdata};
use serde_json::Value;

fn diagnosed(folder: &Folder, arguments: &[&str]) -> Value {
    serde_json::from_str(&folder.done(&[&["diagnose", "--format", "json"], arguments].concat())).unwrap()
}

#[test]
fn numbers_and_places_as_json() {
    let folder = Folder::new();
    let engel = testdata("engel.csv");
    let found = diagnosed(&folder, &[&engel, "-f", "foodexp ~ income", "--worst", "3"]);
    assert_eq!(found["schema"], "noisefit.diagnose/1");
    assert_eq!((&found["nobs"], &found["tested_on"]), (&Value::from(235), &Value::from("fit")));
    let cases = reference("reference/diagnostics.json");
    let case = cases.as_array().unwrap().iter().find(|case| case["name"] == "engel").unwrap();
    let white = &found["heteroscedasticity"]["white"];
    assert_close(number(&white["statistic"]), number(&case["white"]["statistic"]), 1e-10, "White");
    let worst = found["influence"]["largest_cooks_distances"].as_array().unwrap();
    assert_eq!(worst.len(), 3);
    assert_eq!(worst[0]["row"], 138);
    assert_close(number(&worst[0]["cooks_distance"]), number(&case["rows"]["cooks_distance"][137]), 1e-10, "Cook");
    let place = found["places"].as_array().unwrap().iter().find(|place| place["row"] == 138).unwrap();
    assert_eq!(place["record"], 138);
    assert!(place["values"].to_string().contains("4957.81302447901"));
    assert!(found["advice"].to_string().contains("the variance grows with income"));
}

#[test]
fn the_table_says_what_is_wrong_and_what_to_do() {
    let folder = Folder::new();
    let text = folder.done(&["diagnose", &testdata("engel.csv"), "-f", "foodexp ~ income"]);
    for expected in
        ["Breusch-Pagan", "<1e-16  the variance grows with income", "`--scale '~ income'`", "row 138 carries"]
    {
        assert!(text.contains(expected), "{expected}\n{text}");
    }
    assert!(text.lines().all(|line| line.chars().count() < 120), "{text}");
    let scaled = folder.done(&[
        "diagnose",
        &testdata("engel.csv"),
        "-f",
        "foodexp ~ income",
        "--scale",
        "~ income",
        "--worst",
        "0",
    ]);
    assert!(scaled.contains("White *") && scaled.contains("with weights 1/s(x)^2"), "{scaled}");
    assert!(!scaled.contains("stand out"), "{scaled}");
    // Nothing is wrong with a line and small regular noise.
    let mut sound = "y,x\n".to_owned();
    for i in 0..60 {
        let (x, turn) = (f64::from(i), f64::from(i * 37 % 61) / 61.0);
        sound += &format!("{},{x}\n", 2.0 + x + (turn.max(0.01) / (1.01 - turn)).ln());
    }
    folder.write("sound.csv", sound);
    let text = folder.done(&["diagnose", "sound.csv", "-f", "y ~ x", "--noise", "logistic"]);
    assert!(text.contains("nothing that these tests can see"), "{text}");
}

#[test]
fn every_row_as_a_file_wherever_it_stands() {
    let folder = Folder::new();
    folder.write("a.csv", "y,x\n1,2\n3,\n2,3\n5,4\n");
    folder.write("b.csv", "y,x\n4,5\n8,6\n,1\n6,7\n7,9\n");
    let arguments = ["a.csv", "b.csv", "-f", "y ~ x", "--worst", "7"];
    let found = diagnosed(&folder, &[&arguments[..], &["--rows", "rows.csv"]].concat());
    let text = folder.read("rows.csv");
    let (header, rows) = csv(&text);
    assert_eq!(header[..4], ["file", "row", "fitted", "residual"]);
    assert_eq!(
        header[4..],
        ["scale", "leverage", "standardised", "studentised", "cooks_distance", "dffits", "covratio"]
    );
    assert_eq!(rows.len(), 9);
    let names: Vec<&str> = rows.iter().map(|row| row[1]).collect();
    assert_eq!(names, ["1", "2", "3", "4", "1", "2", "3", "4", "5"]);
    assert!(rows[1][2..].iter().all(|cell| cell.is_empty()) && rows[6][2..].iter().all(|cell| cell.is_empty()));
    let list = found["influence"]["largest_residuals"].as_array().unwrap();
    assert_eq!(list.len(), 7);
    for row in list {
        let place = found["places"].as_array().unwrap().iter().find(|place| place["row"] == row["row"]).unwrap();
        assert_eq!((&row["row"]["file"], &row["row"]["record"]), (&place["file"], &place["record"]));
        let (file, record) = (place["file"].as_str().unwrap(), place["record"].to_string());
        let line = rows.iter().find(|line| line[0] == file && line[1] == record).unwrap();
        for (name, cell) in header.iter().zip(line).skip(2) {
            assert_close(cell.parse().unwrap(), number(&row[*name]), 1e-14, name);
        }
    }
    // Of other noise the columns are others; and the same rows, as another kind of file.
    diagnosed(&folder, &[&arguments[..], &["--noise", "student-t:4", "--rows", "rows.tsv"]].concat());
    let header = folder.read("rows.tsv").lines().next().unwrap().to_owned();
    assert_eq!(header, "file\trow\tfitted\tresidual\tscale\tleverage\tstandardised\tweight");
    diagnosed(&folder, &[&arguments[..], &["--rows", "rows.parquet"]].concat());
    let fit = folder.fit(&["rows.parquet", "-f", "studentised ~ dffits"]);
    assert_eq!(fit["nobs"], 7);
}

#[test]
fn files_larger_than_memory_and_any_number_of_threads() {
    let folder = Folder::new();
    let mut text = "y,a,b\n".to_owned();
    for i in 0..4000u32 {
        let wave = |k: f64| (f64::from(i) * k).sin();
        text += &format!("{},{},{}\n", 1.0 + wave(1.3) + wave(0.7) * wave(2.1), wave(1.3), wave(0.31));
    }
    folder.write("d.csv", text);
    let run = |more: &[&str]| diagnosed(&folder, &[&["d.csv", "-f", "y ~ a + b"], more].concat());
    let one = run(&["--threads", "1"]);
    assert_eq!(one, run(&["--threads", "2"]));
    assert_eq!(one, run(&["--memory", "0"]));
}

#[test]
fn what_cannot_be_diagnosed_is_refused() {
    let folder = Folder::new();
    let phones = testdata("phones.csv");
    let message = folder.refusal(2, &["diagnose", &phones, "-f", "calls ~ year", "--noise", "quantile:0.5"]);
    assert!(message.contains("a quantile is no model of the noise"), "{message}");
    let message = folder.refusal(1, &["diagnose", &phones, "-f", "calls ~ year", "--rows", "rows.txt"]);
    assert!(message.contains("name a file that ends in .csv"), "{message}");
    let exact = folder.path().join("exact.csv");
    std::fs::write(&exact, "y,x\n1,1\n2,2\n3,3\n").unwrap();
    let run = folder.run(&["diagnose", "exact.csv", "-f", "y ~ x"]);
    assert!(
        run.code == 0 && run.stdout.contains("not defined: the residuals are all zero"),
        "{}{}",
        run.stdout,
        run.stderr
    );
}
