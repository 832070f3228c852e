//! The same rows in every format and however they are brought: the same fit, to the last bit.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking, also in its helpers")]

mod common;

use std::io::Write;
use std::process::Stdio;
use std::sync::Arc;

use arrow_array::{ArrayRef, Float64Array, RecordBatch};
use arrow_ipc::writer::{FileWriter, StreamWriter};
use arrow_schema::{DataType, Field, Schema};
use common::{Folder, assert_close, column, csv, finished, gzip, number, testdata, zstd};

const FORMULA: &str = "stack_loss ~ air_flow + water_temp + acid_conc";

/// Whole numbers, so that no format rounds them.
fn stackloss() -> String {
    std::fs::read_to_string(testdata("stackloss.csv")).unwrap()
}

fn folder() -> Folder {
    let folder = Folder::new();
    folder.write("d.csv", stackloss());
    folder
}

fn arrow(content: &str) -> RecordBatch {
    let (header, rows) = csv(content);
    let fields: Vec<Field> = header.iter().map(|name| Field::new(*name, DataType::Float64, true)).collect();
    let column = |j: usize| -> ArrayRef {
        Arc::new(rows.iter().map(|row| row[j].parse::<f64>().ok()).collect::<Float64Array>())
    };
    RecordBatch::try_new(Arc::new(Schema::new(fields)), (0..header.len()).map(column).collect()).unwrap()
}

#[test]
fn formats() {
    let folder = folder();
    let content = stackloss();
    let (header, rows) = csv(&content);
    let lines = |separator: &str| rows.iter().map(|row| row.join(separator) + "\n").collect::<String>();
    folder.write("d.tsv", header.join("\t") + "\n" + &lines("\t"));
    folder.write("d.txt", header.join(";") + "\r\n" + &lines(";").replace('\n', "\r\n"));
    folder.write("d.csv.gz", gzip(&content));
    folder.write("d.csv.zst", zstd(&content));
    let object = |row: &Vec<&str>| {
        let fields: Vec<String> = header.iter().zip(row).map(|(name, value)| format!("\"{name}\": {value}")).collect();
        format!("{{{}}}\n", fields.join(", "))
    };
    folder.write("d.ndjson", rows.iter().map(object).collect::<String>());
    let batch = arrow(&content);
    let mut file = FileWriter::try_new(Vec::new(), &batch.schema()).unwrap();
    file.write(&batch).unwrap();
    folder.write("d.arrow", file.into_inner().unwrap());
    let mut stream = StreamWriter::try_new(Vec::new(), &batch.schema()).unwrap();
    stream.write(&batch).unwrap();
    folder.write("d.arrows", stream.into_inner().unwrap());

    let expected = folder.done(&["fit", "d.csv", "-f", FORMULA, "--format", "json", "-o", "m.json"]);
    folder.done(&["predict", "m.json", "d.csv", "--keep-all", "-o", "d.parquet"]);
    for name in [
        "d.tsv",
        "d.txt",
        "d.csv.gz",
        "d.csv.zst",
        "d.ndjson",
        "d.arrow",
        "d.arrows",
        "d.parquet",
        "d.*.zst",
        "./d.csv",
    ] {
        assert_eq!(folder.done(&["fit", name, "-f", FORMULA, "--format", "json"]), expected, "{name}");
    }
    // Through standard input, named and not.
    for (name, format) in
        [("d.csv", "csv"), ("d.csv.gz", "csv"), ("d.parquet", "parquet"), ("d.arrows", "arrow-stream")]
    {
        let mut command = folder.command(&["fit", "-", "--input-format", format, "-f", FORMULA, "--format", "json"]);
        command.stdin(std::fs::File::open(folder.path().join(name)).unwrap());
        let run = finished(command);
        assert_eq!((run.code, run.stdout.as_str()), (0, expected.as_str()), "{name}: {}", run.stderr);
    }
    let mut command = folder.command(&["fit", "-", "--input-format", "csv", "-f", FORMULA, "--format", "json"]);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(content.as_bytes()).unwrap();
    assert_eq!(String::from_utf8(child.wait_with_output().unwrap().stdout).unwrap(), expected);
}

#[test]
fn no_header_and_missing_values() {
    let folder = Folder::new();
    folder.write("d.csv", "1,1\n2,3\n3,2\n4,4\n");
    let fit = folder.fit(&["d.csv", "--no-header", "-f", "V2 ~ V1"]);
    assert_eq!(column(&fit, "estimate"), [Some(0.5), Some(0.8)]);
    folder.write("na.csv", "x,y,z\n1,1,0\n,7,0\n2,3,\n3,-999,1\n3,2,1\nNaN,5,1\n4,4,NA\nnull,1,1\n5,N/A,0\n");
    let fit = folder.fit(&["na.csv", "--na", "-999", "-f", "y ~ x"]);
    // What is missing in a column that the formula does not name matters to nobody.
    assert_eq!(column(&fit, "estimate"), [Some(0.5), Some(0.8)]);
    assert_eq!((fit["nobs"].as_u64(), fit["dropped"].as_u64()), (Some(4), Some(5)));
    assert!(
        folder.done(&["fit", "na.csv", "--na", "-999", "-f", "y ~ x"]).contains("5 rows with missing values left out")
    );
}

#[test]
fn several_files_are_one_table() {
    let folder = folder();
    let content = stackloss();
    let lines: Vec<&str> = content.lines().collect();
    for (name, part) in [("a.csv", &lines[1..6]), ("b.csv", &lines[6..7]), ("c.csv", &lines[7..])] {
        folder.write(&format!("parts/{name}"), [&lines[..1], part].concat().join("\n") + "\n");
    }
    let whole = folder.fit(&["d.csv", "-f", FORMULA]);
    let names = ["parts/a.csv", "parts/b.csv", "parts/c.csv"];
    let json = ["-f", FORMULA, "--format", "json"];
    let parts = folder.done(&[&["fit"], &names[..], &json].concat());
    for (name, threads) in [("parts", "1"), ("parts", "4"), ("parts/*.csv", "2"), ("parts/[abc].csv", "3")] {
        assert_eq!(folder.done(&[&["fit", name, "--threads", threads], &json[..]].concat()), parts, "{name}");
    }
    // The files read again for every pass.
    assert_eq!(folder.done(&[&["fit", "parts", "--memory", "0"], &json[..]].concat()), parts);
    let parts: serde_json::Value = serde_json::from_str(&parts).unwrap();
    for name in ["estimate", "std_error", "p_value"] {
        for (part, whole) in column(&parts, name).iter().zip(column(&whole, name)) {
            assert_close(part.unwrap(), whole.unwrap(), 1e-13, name);
        }
    }
    for name in ["nobs", "log_likelihood", "r_squared", "mae"] {
        assert_close(number(&parts[name]), number(&whole[name]), 1e-13, name);
    }
}

#[test]
fn threads_change_no_bit() {
    // Ten megabytes, which are several units of work.
    let (mut content, idle) = ("y,x,g,idle\n".to_owned(), "-".repeat(140));
    for i in 0..64_000u64 {
        let noise = (i * 7919 % 10_007) as f64 / 10_007.0;
        content +=
            &format!("{},{},{},{idle}\n", 0.25 * (i % 101) as f64 + noise, i % 101, ["a", "b", "c"][i as usize % 3]);
    }
    let folder = Folder::new();
    folder.write("d.csv", content);
    for noise in ["gaussian", "quantile:0.2,0.5", "huber", "student-t:4", "logistic"] {
        let arguments = ["fit", "d.csv", "-f", "y ~ x * g", "--format", "json", "--noise", noise, "--threads"];
        let fit = |threads| folder.done(&[&arguments[..], &[threads]].concat());
        assert_eq!(fit("1"), fit("4"), "{noise}");
    }
    let arguments = ["fit", "d.csv", "-f", "y ~ x", "--format", "json", "--scale", "~ x + g", "--threads"];
    let fit = |threads| folder.done(&[&arguments[..], &[threads]].concat());
    assert_eq!(fit("1"), fit("4"));
}
