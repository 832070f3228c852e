//! Columns as files and models see them: a model's columns are read as it knows them, files agree on a kind, no name stands
//! twice, long integers keep their digits, and a file that changes is not read as one table.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking, also in its helpers")]

mod common;

use std::io::Write;
use std::process::Stdio;
use std::sync::Arc;

use arrow_array::{
    ArrayRef, BooleanArray, Float64Array, Int64Array, NullArray, RecordBatch, StringArray, TimestampMicrosecondArray,
};
use arrow_ipc::writer::FileWriter;
use common::{Folder, assert_close, column, number};

/// Two means, of F and of M: 25/6 and 10.
const SEX: &str = "y,sex\n3,F\n10,M\n5,F\n11,M\n4.5,F\n9,M\n";

fn arrow(folder: &Folder, name: &str, columns: Vec<(&str, ArrayRef)>) {
    let batch = RecordBatch::try_from_iter_with_nullable(columns.into_iter().map(|(name, array)| (name, array, true)));
    let batch = batch.unwrap();
    let mut file = FileWriter::try_new(Vec::new(), &batch.schema()).unwrap();
    file.write(&batch).unwrap();
    folder.write(name, file.into_inner().unwrap());
}

#[test]
fn new_data_are_read_by_the_models_columns() {
    let folder = Folder::new();
    folder.write("sex.csv", SEX);
    folder.done(&["fit", "sex.csv", "-f", "y ~ sex", "-o", "m.json"]);
    folder.write("f.csv", "sex\nF\nF\n");
    assert_eq!(folder.done(&["predict", "m.json", "f.csv"]), "prediction\n4.166666666666667\n4.166666666666667\n");
    folder.write("fe.csv", "y,sex\n4,F\n5,F\n");
    let scores = folder.done(&["evaluate", "m.json", "fe.csv", "--format", "json"]);
    let scores: serde_json::Value = serde_json::from_str(&scores).unwrap();
    // ((4 - 25/6)^2 + (5 - 25/6)^2) / 2 = 13/36.
    assert_close(number(&scores["mse"]), 13.0 / 36.0, 1e-14, "MSE");
    // A model of true and false reads T and F, and names another word as a level that it does not know.
    folder.write("b.csv", "y,b\n1,T\n2,F\n4,T\n6,F\n");
    folder.done(&["fit", "b.csv", "-f", "y ~ b", "-o", "b.json"]);
    folder.write("bm.csv", "b\nT\nM\n");
    let message = folder.run(&["predict", "b.json", "bm.csv"]).stderr;
    assert!(
        message.contains("'M' is a level of b that the model was not fitted to; it knows false, true"),
        "{message}"
    );
    assert_eq!(folder.done(&["predict", "b.json", "bm.csv", "--unseen", "missing"]), "prediction\n2.5\n\"\"\n");
}

#[test]
fn columns_without_a_value_give_missing_predictions() {
    let folder = Folder::new();
    folder.write("sex.csv", SEX);
    folder.done(&["fit", "sex.csv", "-f", "y ~ sex", "-o", "m.json"]);
    let missing = "prediction\n\"\"\n\"\"\n";
    folder.write("na.csv", "sex,k\nNA,1\n,2\n");
    folder.write("na.jsonl", "{\"sex\": null, \"k\": 1}\n{\"sex\": null, \"k\": 2}\n");
    arrow(&folder, "na.arrow", vec![("sex", Arc::new(NullArray::new(2)))]);
    for name in ["na.csv", "na.jsonl", "na.arrow"] {
        assert_eq!(folder.done(&["predict", "m.json", name]), missing, "{name}");
    }
    folder.write("header.csv", "sex\n");
    assert_eq!(folder.done(&["predict", "m.json", "header.csv"]), "prediction\n");
    folder.write("e.csv", "y,sex\n1,NA\n2,NA\n");
    let message = folder.refusal(1, &["evaluate", "m.json", "e.csv"]);
    assert_eq!(message, "e.csv: nothing to score: of 2 rows, 2 with a missing value are left out");
}

#[test]
fn days_and_times_stand_for_one_another() {
    let folder = Folder::new();
    folder.write("d.csv", "y,day\n1,2024-01-01\n3,2024-01-02\n5,2024-01-03\n7.5,2024-01-04\n");
    folder.done(&["fit", "d.csv", "-f", "y ~ day", "-o", "m.json"]);
    folder.write("t.csv", "day\n2024-01-01 00:00:00\n2024-01-04T00:00:00Z\n");
    folder.write("days.csv", "day\n2024-01-01\n2024-01-04\n");
    assert_eq!(folder.done(&["predict", "m.json", "t.csv"]), folder.done(&["predict", "m.json", "days.csv"]));
}

#[test]
fn files_of_one_data_set_agree_on_a_kind() {
    let folder = Folder::new();
    folder.write("1.csv", "y,sex\n3,F\n5,F\n4.5,F\n");
    folder.write("2.csv", "y,sex\n10,M\n11,M\n9,M\n");
    let fit = folder.fit(&["1.csv", "2.csv", "-f", "y ~ sex"]);
    assert_close(column(&fit, "estimate")[0].unwrap(), 25.0 / 6.0, 1e-14, "the mean of F");
    assert_close(column(&fit, "estimate")[1].unwrap(), 10.0 - 25.0 / 6.0, 1e-14, "M less F");
    // All missing in one, of one type in the other.
    arrow(
        &folder,
        "1.arrow",
        vec![("y", Arc::new(Float64Array::from(vec![1.0, 2.0]))), ("g", Arc::new(NullArray::new(2)))],
    );
    let g: ArrayRef = Arc::new(StringArray::from(vec!["a", "b", "a"]));
    arrow(&folder, "2.arrow", vec![("y", Arc::new(Float64Array::from(vec![1.0, 5.0, 2.0]))), ("g", g)]);
    for files in [["1.arrow", "2.arrow"], ["2.arrow", "1.arrow"]] {
        let fit = folder.fit(&[files[0], files[1], "-f", "y ~ g"]);
        assert_eq!((fit["nobs"].as_u64(), fit["dropped"].as_u64()), (Some(3), Some(2)));
        assert_eq!(column(&fit, "estimate"), [Some(1.5), Some(3.5)]);
    }
}

/// Far beyond the head of the file that kinds are told from.
#[test]
fn a_later_row_widens_a_kind() {
    let rows = 40_000;
    let text = |last: &str| {
        let mut text = "y,g\n".to_owned();
        for i in 0..rows {
            text += &format!("{},{}\n", i % 2, if i % 2 == 0 { "T" } else { "F" });
        }
        // Blanks make the file longer than its head, not the table.
        text += &"\n".repeat(3 << 20);
        text + &format!("7,{last}\n")
    };
    let folder = Folder::new();
    folder.write("d.csv", text("M"));
    let fit = folder.fit(&["d.csv", "-f", "y ~ g"]);
    let terms: Vec<&str> =
        fit["coefficients"].as_array().unwrap().iter().map(|row| row["term"].as_str().unwrap()).collect();
    assert_eq!(terms, ["(Intercept)", "g[M]", "g[T]"]);
    for (found, right) in column(&fit, "estimate").iter().zip([1.0, 6.0, -1.0]) {
        assert!((found.unwrap() - right).abs() < 1e-12);
    }
    // Standard input is read again from its copy.
    let mut command = folder.command(&["fit", "-", "--input-format", "csv", "-f", "y ~ g", "--format", "json"]);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(text("M").as_bytes()).unwrap();
    let piped = child.wait_with_output().unwrap();
    assert_eq!(
        serde_json::from_slice::<serde_json::Value>(&piped.stdout).unwrap()["coefficients"],
        fit["coefficients"]
    );
    // What is no other kind is a mistake, which is named.
    folder.write("d.csv", text("T").replace("\n7,T", "\nn/a,T"));
    let message = folder.refusal(1, &["fit", "d.csv", "-f", "y ~ g"]);
    assert!(message.contains("(record 40001), column `y`: `n/a` is not a number"), "{message}");
}

/// Whichever comes first, nobody is taken to mean categories; who does, says so.
#[test]
fn text_in_one_file_and_numbers_in_another() {
    let folder = Folder::new();
    folder.write("text.csv", "y,g\n1,north\n2,south\n4,north\n");
    folder.write("numbers.csv", "y,g\n1,1\n2,2\n4,1\n");
    for files in [["text.csv", "numbers.csv"], ["numbers.csv", "text.csv"]] {
        let message = folder.refusal(1, &["fit", files[0], files[1], "-f", "y ~ g"]);
        assert!(message.contains("text.csv, line 2 (record 1), column `g`: `north` is not a number"), "{message}");
        assert!(message.contains("--text 'g'"), "{message}");
        let fit = folder.fit(&[files[0], files[1], "-f", "y ~ g", "--text", "g"]);
        assert_eq!(fit["coefficients"].as_array().unwrap().len(), 4);
    }
}

#[test]
fn what_has_no_value_is_missing_in_a_prediction() {
    let folder = Folder::new();
    folder.write("d.csv", "k,y,x\n1,1,1\n2,2,3\n3,4,9\n4,3,5\n");
    folder.done(&["fit", "d.csv", "-f", "y ~ log(x)", "-o", "m.json"]);
    folder.write("new.csv", "k,x\n1,1\n2,0\n3,-1\n4,inf\n5,NA\n6,1\n");
    let run = folder.run(&["predict", "m.json", "new.csv", "--keep", "k"]);
    let lines: Vec<&str> = run.stdout.lines().collect();
    let at_one = folder.done(&["predict", "m.json", "d.csv"]).lines().nth(1).unwrap().to_owned();
    let expected =
        ["k,prediction", &format!("1,{at_one}"), "2,", "3,", "4,", "5,", &format!("6,{at_one}")].map(str::to_owned);
    assert_eq!((run.code, lines), (0, expected.iter().map(String::as_str).collect()));
    assert!(run.stderr.contains("1 row with a missing value"), "{}", run.stderr);
    assert!(run.stderr.contains("3 rows in which log(x) has no finite value"), "{}", run.stderr);
    let message = folder.run(&["predict", "m.json", "new.csv", "--undefined", "fail"]).stderr;
    assert!(message.contains("new.csv, record 4: column x is inf"), "{message}");
    folder.write("log.csv", "x\n1\n0\n");
    let message = folder.run(&["predict", "m.json", "log.csv", "--undefined", "fail"]).stderr;
    assert!(message.contains("log.csv, record 2: log(x) is -inf where x = 0"), "{message}");
}

#[test]
fn no_name_stands_twice() {
    let folder = Folder::new();
    let numbers = |values: [f64; 4]| -> ArrayRef { Arc::new(Float64Array::from(values.to_vec())) };
    let twice = vec![
        ("y", numbers([1.0, 2.0, 4.0, 3.0])),
        ("x", numbers([1.0, 2.0, 3.0, 4.0])),
        ("x", numbers([9.0, 1.0, 4.0, 1.0])),
    ];
    arrow(&folder, "twice.arrow", twice);
    assert_eq!(
        folder.refusal(1, &["fit", "twice.arrow", "-f", "y ~ ."]),
        "twice.arrow: columns 2 and 3 are both named `x`; rename one of them"
    );
    folder.write("twice.jsonl", "{\"y\": 1, \"x\": 2, \"x\": 3}\n");
    let message = folder.refusal(1, &["fit", "twice.jsonl", "-f", "y ~ x"]);
    assert!(message.starts_with("twice.jsonl, line 1: not a JSON object: a key occurs twice in it"), "{message}");

    folder.write("d.csv", "y,x\n1,1\n2,2\n4,3\n");
    folder.done(&["fit", "d.csv", "-f", "y ~ x", "-o", "m.json"]);
    folder.write("p.csv", "y,x,prediction\n1,1,9\n2,2,9\n");
    for output in [&["--keep-all"][..], &["--keep", "prediction"], &["--keep-all", "-o", "out.parquet"]] {
        let message = folder.refusal(2, &[&["predict", "m.json", "p.csv"], output].concat());
        assert_eq!(
            message,
            "the data have a column `prediction` already, which is to be carried along; say --name NAME for another name of what \
             is predicted, or leave the old one out with --keep"
        );
    }
    let message = folder.refusal(2, &["predict", "m.json", "p.csv", "--keep", "x,x"]);
    assert_eq!(message, "--keep: `x` is named twice, the second time as column 2");
    folder.done(&["predict", "m.json", "p.csv", "--keep-all", "--name", "new", "-o", "out.parquet"]);
    // Residuals 1/6 and -1/3.
    let loss = ["loss", "out.parquet", "--truth", "y", "--prediction", "new", "--format", "json"];
    let loss: serde_json::Value = serde_json::from_str(&folder.done(&loss)).unwrap();
    assert_close(number(&loss["rmse"]).powi(2), 5.0 / 72.0, 1e-13, "MSE of the new predictions");
    let header = folder.done(&["predict", "m.json", "p.csv", "--name", "new", "--interval", "0.9"]);
    assert!(header.starts_with("new,new_pred_low,new_pred_high\n"), "{header}");
}

#[test]
fn true_and_false_are_carried_along() {
    let folder = Folder::new();
    folder.write("d.csv", "y,x,b\n1,1,true\n2,2,false\n4,3,true\n");
    folder.done(&["fit", "d.csv", "-f", "y ~ x", "-o", "m.json"]);
    let text = folder.done(&["predict", "m.json", "d.csv", "--keep", "b"]);
    assert!(text.starts_with("b,prediction\ntrue,"), "{text}");
}

/// Ids `2^62 + 7c`: doubles tell two of a hundred apart. The right errors are those of the ids' names.
#[test]
fn long_integers_are_exact_as_categories_and_clusters() {
    let folder = Folder::new();
    let (mut y, mut x, mut id, mut name) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for i in 0..400i64 {
        let c = i / 4;
        y.push((i * 37 % 101) as f64 / 10.0 + (c * 13 % 17) as f64);
        x.push((i * 7 % 23) as f64);
        id.push((1i64 << 62) + 7 * c);
        name.push(format!("c{c}"));
    }
    let mut csv = "y,x,id\n".to_owned();
    (0..400).for_each(|i| csv += &format!("{},{},{}\n", y[i], x[i], id[i]));
    let json: String = (0..400).map(|i| format!("{{\"y\":{},\"x\":{},\"id\":{}}}\n", y[i], x[i], id[i])).collect();
    folder.write("d.csv", csv);
    folder.write("d.jsonl", json);
    let first: Vec<i64> = id.iter().map(|id| id % 35).collect();
    arrow(
        &folder,
        "d.arrow",
        vec![
            ("y", Arc::new(Float64Array::from(y))),
            ("x", Arc::new(Float64Array::from(x))),
            ("id", Arc::new(Int64Array::from(id))),
            ("name", Arc::new(StringArray::from(name))),
            ("five", Arc::new(Int64Array::from(first))),
            ("b", Arc::new(BooleanArray::from(vec![true; 400]))),
        ],
    );
    let right = folder.fit(&["d.arrow", "-f", "y ~ x", "--vcov", "cluster:name"]);
    for file in ["d.arrow", "d.csv", "d.jsonl"] {
        let fit = folder.fit(&[file, "-f", "y ~ x", "--vcov", "cluster:id"]);
        for (found, right) in column(&fit, "std_error").iter().zip(column(&right, "std_error")) {
            assert_close(found.unwrap(), right.unwrap(), 1e-12, file);
        }
        let fit = folder.fit(&[file, "-f", "y ~ C(id)", "-o", "m.json"]);
        let terms = fit["coefficients"].as_array().unwrap();
        assert_eq!((terms.len(), terms[1]["term"].as_str()), (100, Some("C(id)[4611686018427387911]")), "{file}");
        let means = folder.done(&["predict", "m.json", file]);
        let by_name = folder.fit(&["d.arrow", "-f", "y ~ name", "-o", "n.json"]);
        assert_close(number(&fit["rmse"]), number(&by_name["rmse"]), 1e-12, file);
        assert_eq!(means.lines().count(), 401);
    }
}

/// Exact rational arithmetic: slope 229/120 = 1.908333..., sum of squared residuals 0.835833..., whatever the first of eight
/// consecutive integers is; statsmodels issue 9258.
#[test]
fn long_integers_keep_their_digits_as_regressors() {
    let folder = Folder::new();
    let y = [3.1, 4.9, 7.2, 8.8, 11.3, 12.7, 15.1, 16.0];
    let check = |fit: &serde_json::Value, unit: f64, what: &str| {
        assert_close(column(fit, "estimate")[1].unwrap(), 229.0 / 120.0 * unit, 1e-11, what);
        assert_close(column(fit, "std_error")[1].unwrap(), 0.057_591_656_876_660_03 * unit, 1e-11, what);
        assert_close(number(&fit["log_likelihood"]), -2.316_437_907_661_413_7, 1e-11, what);
        assert!(fit["accuracy"]["digits"].as_f64().unwrap() > 10.0, "{what}: {}", fit["accuracy"]);
    };
    for first in [1_700_000_000_123_456i64, 4_000_000_000_000_001, (1 << 62) + 1] {
        let mut csv = "y,k\n".to_owned();
        let mut json = String::new();
        for (i, y) in y.iter().enumerate() {
            csv += &format!("{y},{}\n", first + i as i64);
            json += &format!("{{\"y\": {y}, \"k\": {}}}\n", first + i as i64);
        }
        folder.write("k.csv", csv);
        folder.write("k.jsonl", json);
        let k: Vec<i64> = (0..8).map(|i| first + i).collect();
        let times: ArrayRef = Arc::new(TimestampMicrosecondArray::from(k.clone()));
        let y: ArrayRef = Arc::new(Float64Array::from(y.to_vec()));
        arrow(&folder, "k.arrow", vec![("y", y), ("k", Arc::new(Int64Array::from(k))), ("time", times)]);
        for file in ["k.csv", "k.jsonl", "k.arrow"] {
            check(&folder.fit(&[file, "-f", "y ~ k"]), 1.0, &format!("{file} from {first}"));
        }
        // Seconds between microseconds.
        if first < 1 << 60 {
            check(&folder.fit(&["k.arrow", "-f", "y ~ time"]), 1e6, &format!("times from {first}"));
        }
    }
    let mut csv = "y,time\n".to_owned();
    y.iter().enumerate().for_each(|(i, y)| csv += &format!("{y},2024-03-01T12:34:56.12345{i}\n"));
    folder.write("t.csv", csv);
    check(&folder.fit(&["t.csv", "-f", "y ~ time"]), 1e6, "times in text");
}

#[test]
fn a_file_that_changes_is_not_read_as_one_table() {
    let folder = Folder::new();
    let rows = 60_000;
    let line = |i: u32| format!("{},{}\n", f64::from(i % 17) + f64::from(i * 7919 % 10_007) / 1e4, i % 17);
    folder.write("d.csv", "y,x\n".to_owned() + &(0..rows).map(line).collect::<String>());
    let mut command = folder.command(&["fit", "d.csv", "-f", "y ~ x", "--memory", "0", "--noise", "student-t"]);
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    // Rows are appended for as long as it reads.
    let path = folder.path().join("d.csv");
    let writer = std::thread::spawn(move || {
        let mut file = std::fs::File::options().append(true).open(path).unwrap();
        for _ in 0..40 {
            std::thread::sleep(std::time::Duration::from_millis(50));
            file.write_all(b"1000,1\n").unwrap();
        }
    });
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap();
    let message = String::from_utf8(output.stderr).unwrap();
    assert_eq!(message, "noisefit: d.csv changed while it was read; run again when nothing writes to it\n");
    assert_eq!(output.status.code(), Some(1));
}

/// 2^62 + 7 and its neighbours: the level that is named is the reference, and levels have names of their own.
#[test]
fn references_of_long_integers_are_those_that_are_named() {
    let folder = Folder::new();
    let row = |i: u64| format!("{},{}\n", i * i % 7, (1u64 << 62) + 7 * (i % 5) - 4 * u64::from(i % 5 == 4));
    folder.write("d.csv", format!("y,id\n{}", (0..40).map(row).collect::<String>()));
    let terms = |formula: &str| {
        let fit = folder.fit(&["d.csv", "-f", formula]);
        let terms = fit["coefficients"].as_array().unwrap().iter();
        (terms.map(|row| row["term"].as_str().unwrap().to_owned()).collect::<Vec<_>>(), number(&fit["rmse"]))
    };
    let (by_text, rmse) = terms("y ~ C(id, ref='4611686018427387911')");
    let (by_number, same) = terms("y ~ C(id, ref=4611686018427387911)");
    assert_eq!(rmse, same);
    for (text, number) in by_text.iter().zip(&by_number).skip(1) {
        assert_eq!(text.replace('\'', ""), *number);
        assert!(number.starts_with("C(id, ref=4611686018427387911)[") && !number.ends_with("[4611686018427387911]"));
    }
    assert_eq!(by_number[1], "C(id, ref=4611686018427387911)[4611686018427387904]");
    let message = folder.refusal(1, &["fit", "d.csv", "-f", "y ~ C(id, ref=4611686018427387912)"]);
    assert!(message.contains("'4611686018427387912' is no level of id"), "{message}");
    // 4611686018427388000 are the shortest digits of 2^62, too.
    folder.write("d.csv", "y,id\n1,4611686018427387904\n2,4611686018427388000\n3,5\n4,4611686018427387904\n5,5\n");
    let (terms, _) = terms("y ~ C(id)");
    assert_eq!(terms[1..], ["C(id)[4611686018427387904]", "C(id)[4611686018427388000]"]);
}

/// Sixty integers of 34 digits, of which two doubles hold 32.
#[test]
fn integers_of_more_digits_than_are_kept_are_names() {
    let folder = Folder::new();
    let row = |i: usize| format!("{},{},1234567890123456789012345678901{:03}\n", i * i % 7, i, i % 60);
    let rows: String = (0..120).map(row).collect();
    folder.write("d.csv", format!("y,x,id\n{rows}"));
    let fit = folder.fit(&["d.csv", "-f", "y ~ x", "--vcov", "cluster:id"]);
    let by_name = folder.fit(&["d.csv", "-f", "y ~ x", "--vcov", "cluster:id", "--text", "id"]);
    assert_eq!(column(&fit, "std_error"), column(&by_name, "std_error"));
    assert_eq!(fit["coefficients"][0]["df"].as_f64(), Some(59.0));
    // Among shorter ones they are refused, unless somebody says that they are numbers.
    folder.write("e.csv", format!("y,x,id\n{}{rows}", "1,2,3\n".repeat(130)));
    let arguments = ["fit", "e.csv", "-f", "y ~ x", "--vcov", "cluster:id"];
    let message = folder.refusal(1, &arguments);
    assert!(message.contains("of 31 or fewer") && message.contains("--text 'id'"), "{message}");
    folder.done(&[&arguments[..], &["--text", "id"]].concat());
    folder.done(&["fit", "e.csv", "-f", "y ~ id", "--number", "id"]);
}
