//! `noisefit describe` as a user runs it.
#![allow(clippy::unwrap_used, clippy::panic, reason = "the helpers of tests may fail them")]

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;

fn noisefit(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_noisefit")).arg("describe").args(arguments).output().unwrap()
}

/// What it prints where all is well.
fn printed(arguments: &[&str]) -> String {
    let output = noisefit(arguments);
    let errors = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{errors}");
    String::from_utf8(output.stdout).unwrap()
}

fn json(arguments: &[&str]) -> Value {
    serde_json::from_str(&printed(&[arguments, &["--format", "json"]].concat())).unwrap()
}

/// The message and exit code where it is not.
fn refused(arguments: &[&str]) -> (String, Option<i32>) {
    let output = noisefit(arguments);
    assert!(output.stdout.is_empty());
    (String::from_utf8(output.stderr).unwrap(), output.status.code())
}

fn testdata(name: &str) -> String {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../testdata").join(name).display().to_string()
}

/// A folder of files that goes when the test ends.
struct Files(tempfile::TempDir);

impl Files {
    fn new() -> Files {
        Files(tempfile::tempdir().unwrap())
    }

    fn write(&self, name: &str, text: &str) -> String {
        let path: PathBuf = self.0.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.display().to_string()
    }
}

/// -log10 of the relative error; all 17 digits of a double where there is none.
fn digits(found: &Value, reference: &str) -> f64 {
    let (found, reference) = (found.as_f64().unwrap(), reference.parse::<f64>().unwrap());
    if found == reference { 17.0 } else { -((found - reference) / reference).abs().log10() }
}

#[test]
fn nist_univariate_sets_have_fourteen_digits() {
    let reference = std::fs::read_to_string(testdata("nist/univariate_certified.json")).unwrap();
    let reference: Value = serde_json::from_str(&reference).unwrap();
    let sets = reference["datasets"].as_object().unwrap();
    assert_eq!(sets.len(), 9);
    println!("{:<10} {:>6} {:>6}  correct digits", "set", "mean", "sd");
    for (name, set) in sets {
        let described = json(&[&testdata(&format!("nist/univariate/{name}.csv"))]);
        let column = &described["columns"][0];
        assert_eq!((&described["rows"], &column["count"]), (&set["n"], &set["n"]));
        for source in ["certified", "exact"] {
            let correct = ["mean", "sd"].map(|name| digits(&column[name], set[source][name].as_str().unwrap()));
            println!("{name:<10} {:>6.1} {:>6.1}  {source}", correct[0], correct[1]);
            assert!(correct.iter().all(|&digits| digits >= 14.0), "{name}: {correct:?} against {source}");
        }
    }
}

/// Quartiles by R 4: `quantile(c(2, 4, 4, 5, 10))`; moments by hand.
#[test]
fn a_small_table() {
    let files = Files::new();
    let rows = "x,city,smoker,day\n4,Paris,true,2024-03-01\n10,Rome,T,2024-02-28\n2,,false,\nNA,Paris,,2024-02-29\n5,Oslo,F,NA\n4,Rome,true,\ninf,Paris,true,2024-03-02\n";
    let file = files.write("small.csv", rows);
    let described = json(&[&file]);
    assert_eq!((&described["schema"], &described["rows"]), (&"noisefit.describe/1".into(), &7.into()));
    let [x, city, smoker, day] = described["columns"].as_array().unwrap().as_slice() else { panic!("four columns") };
    let expected = [("count", 6.0), ("missing", 1.0), ("infinite", 1.0), ("mean", 5.0), ("sd", 3.0), ("min", 2.0)];
    for (name, value) in expected.into_iter().chain([("q25", 4.0), ("median", 4.0), ("q75", 5.0), ("max", 10.0)]) {
        assert_eq!(x[name].as_f64(), Some(value), "{name}");
    }
    assert_eq!((&x["type"], &x["rank_error"]), (&"number".into(), &0.0.into()));

    assert_eq!((&city["type"], &city["count"], &city["missing"]), (&"text".into(), &6.into(), &1.into()));
    assert_eq!((&city["distinct"], &city["distinct_more_than"]), (&3.into(), &Value::Null));
    assert_eq!((&city["most_frequent"]["level"], &city["most_frequent"]["count"]), (&"Paris".into(), &3.into()));

    assert_eq!((&smoker["type"], &smoker["missing"], &smoker["distinct"]), (&"boolean".into(), &1.into(), &2.into()));
    assert_eq!((&smoker["most_frequent"]["level"], &smoker["most_frequent"]["count"]), (&"true".into(), &4.into()));

    // Four days in a row: mean and median lie between the second and the third.
    assert_eq!((&day["type"], &day["missing"]), (&"date".into(), &3.into()));
    assert_eq!((&day["min"], &day["max"]), (&"2024-02-28".into(), &"2024-03-02".into()));
    assert_eq!((&day["mean"], &day["median"]), (&"2024-02-29T12:00:00".into(), &"2024-02-29T12:00:00".into()));
    assert_eq!((&day["q25"], &day["sd"]), (&"2024-02-28T18:00:00".into(), &(5.0f64 / 3.0).sqrt().into()));

    let table = printed(&[&file]);
    assert!(table.starts_with(&format!("{file}: 7 rows, 4 columns\n")), "{table}");
    for line in [
        "number  count  missing      mean        sd  min  25%  median  75%  max",
        "x           6        1  5.000000  3.000000    2    4       4    5   10",
        "city         text      6        1       3          Paris      3",
        "smoker    boolean      6        1       2           true      4",
        "x: 1 infinite value is left out of all but the count",
    ] {
        assert!(table.lines().any(|found| found == line), "no line '{line}' in\n{table}");
    }
    assert!(table.contains("2024-02-28  2024-02-28T18:00:00"), "{table}");
}

#[test]
fn columns_are_chosen_by_name_and_order() {
    let names = |described: Value| -> Vec<String> {
        let columns = described["columns"].as_array().unwrap();
        columns.iter().map(|column| column["name"].as_str().unwrap().to_owned()).collect()
    };
    let file = testdata("mtcars.csv");
    assert_eq!(names(json(&[&file, "--columns", "wt,mpg"])), ["wt", "mpg"]);
    let (message, code) = refused(&[&file, "--columns", "mpg,weight"]);
    assert!(message.contains("--columns weight: no such column") && message.contains("wt"), "{message}");
    assert_eq!(code, Some(1));
}

#[test]
fn a_column_of_nothing_but_missing_values() {
    let files = Files::new();
    let file = files.write("missing.csv", "x,y\nNA,1\n,1\n");
    let described = json(&[&file]);
    let [x, y] = described["columns"].as_array().unwrap().as_slice() else { panic!("two columns") };
    assert_eq!((&x["count"], &x["missing"], &x["infinite"]), (&0.into(), &2.into(), &0.into()));
    for quantity in ["mean", "sd", "min", "q25", "median", "q75", "max"] {
        assert_eq!(x[quantity], Value::Null, "{quantity}");
    }
    assert_eq!((&y["sd"], &y["rank_error"]), (&0.0.into(), &0.0.into()));
    let table = printed(&[&file]);
    assert!(table.contains("x           0        2        NA"), "{table}");
}

#[test]
fn nothing_to_describe() {
    let files = Files::new();
    let (message, code) = refused(&[&files.write("empty.csv", "")]);
    assert!(message.contains("empty.csv is empty") && code == Some(1), "{message}");
    let (message, code) = refused(&[&files.write("header.csv", "x,y\n")]);
    assert!(message.contains("header.csv: a header but no rows; the columns are x, y"), "{message}");
    assert_eq!(code, Some(1));
    let (message, code) = refused(&[&files.write("wrong.csv", "x\n1\n2\nthree\n")]);
    assert!(message.contains("wrong.csv, line 4") && message.contains("`three` is not a number"), "{message}");
    assert_eq!(code, Some(1));
}

#[test]
fn numbers_read_back_to_the_same_doubles() {
    let values = [0.1 + 0.2, 1.0 / 3.0, 1e-300 / 7.0, 2f64.powi(70) / 3.0, 5e-324];
    let files = Files::new();
    for value in values {
        let file = files.write("one.csv", &format!("x\n{value:e}\n"));
        let x = &json(&[&file])["columns"][0];
        for quantity in ["mean", "min", "q25", "median", "q75", "max"] {
            assert_eq!(x[quantity].as_f64(), Some(value), "{quantity}");
        }
    }
}

/// 90,000 rows of about 100 bytes: three units of work. The columns have closed forms: 0 to 89,999 in an order that jumps
/// about, its remainder by 7, and a text that differs in each row.
#[test]
fn results_depend_neither_on_threads_nor_on_files() {
    const ROWS: u64 = 90_000;
    let row = |i: u64| {
        let number = i * 7919 % ROWS;
        format!(
            "{number},{},row number {i} of some text that is there to make a file of a few megabytes,{}\n",
            i % 7,
            number % 3
        )
    };
    let header = "x,remainder,name,third\n";
    let files = Files::new();
    let all = files.write("all.csv", &(header.to_owned() + &(0..ROWS).map(row).collect::<String>()));
    let whole = printed(&[&all, "--threads", "1", "--format", "json"]);
    for threads in ["2", "5"] {
        assert_eq!(printed(&[&all, "--threads", threads, "--format", "json"]), whole);
    }
    let whole: Value = serde_json::from_str(&whole).unwrap();
    let x = &whole["columns"][0];
    let n = ROWS as f64;
    let exact = [("mean", (n - 1.0) / 2.0), ("sd", (n * (n + 1.0) / 12.0).sqrt()), ("min", 0.0), ("max", n - 1.0)];
    for (quantity, exact) in exact {
        assert_eq!(x[quantity].as_f64(), Some(exact), "{quantity}");
    }
    let error = x["rank_error"].as_f64().unwrap();
    assert!(error > 0.0 && error < 0.002, "{error}");
    for (quantity, probability) in [("q25", 0.25), ("median", 0.5), ("q75", 0.75)] {
        let rank = x[quantity].as_f64().unwrap() / (n - 1.0);
        assert!((rank - probability).abs() <= error + 1.0 / n, "{quantity}: {rank}");
    }
    let name = &whole["columns"][2];
    assert_eq!((&name["distinct"], &name["distinct_more_than"]), (&Value::Null, &10_000.into()));
    assert_eq!(name["most_frequent"], Value::Null);
    assert!(printed(&[&all]).contains("25%, median and 75% are within 0.0"));

    let parts: Vec<String> = (0..3)
        .map(|part| {
            let rows: String = (part * ROWS / 3..(part + 1) * ROWS / 3).map(row).collect();
            files.write(&format!("part{part}.csv"), &(header.to_owned() + &rows))
        })
        .collect();
    let split = json(&parts.iter().map(String::as_str).collect::<Vec<_>>());
    assert_eq!((&split["rows"], split["files"].as_array().unwrap().len()), (&ROWS.into(), 3));
    for column in [0, 1, 3] {
        let (one, other) = (&whole["columns"][column], &split["columns"][column]);
        for quantity in ["mean", "sd"] {
            let (one, other) = (one[quantity].as_f64().unwrap(), other[quantity].as_f64().unwrap());
            assert!((one - other).abs() <= 1e-15 * one, "{quantity}: {one} and {other}");
        }
        for quantity in ["count", "missing", "min", "max"] {
            assert_eq!(one[quantity], other[quantity]);
        }
    }
}
