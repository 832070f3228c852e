//! Numbers, dates, missing values and files as people and other programs write them: read, or named with what to say.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking, also in its helpers")]

mod common;

use std::io::Write;
use std::process::Stdio;

use common::{Folder, assert_close, column, testdata};

/// R 4.x, `lm(rent ~ size, read.csv2("rent.csv"))`: 205.5653, 8.897738.
#[test]
fn a_decimal_comma_is_recognised() {
    let folder = Folder::new();
    let fit = folder.fit(&[&testdata("cases/rent.csv"), "-f", "rent ~ size"]);
    for (found, right) in column(&fit, "estimate").iter().zip([205.5653, 8.897738]) {
        assert_close(found.unwrap(), right, 1e-6, "rent");
    }
    // The same with points.
    let points = std::fs::read_to_string(testdata("cases/rent.csv")).unwrap().replace(',', ".").replace(';', ",");
    folder.write("points.csv", points);
    assert_eq!(folder.fit(&["points.csv", "-f", "rent ~ size"])["coefficients"], fit["coefficients"]);
    folder.done(&["fit", "points.csv", "-f", "rent ~ size", "-o", "m.json"]);
    folder.write("new.csv", "size;k\n37,5;1\n1.000,25;2\n");
    folder.write("new_points.csv", "size,k\n37.5,1\n1000.25,2\n");
    assert_eq!(folder.done(&["predict", "m.json", "new.csv"]), folder.done(&["predict", "m.json", "new_points.csv"]));
}

#[test]
fn a_comma_that_may_mean_thousands_is_asked_for() {
    let folder = Folder::new();
    folder.write("d.csv", "y;x\n1;1,000\n2;1,500\n4;2,000\n");
    let message = folder.refusal(1, &["fit", "d.csv", "-f", "y ~ x"]);
    assert_eq!(
        message,
        "d.csv: column `x` has values such as `1,000`: say --decimal , if the comma stands before decimals, --number 'x' if it \
         stands between thousands, or --text 'x' if they are names"
    );
    let slope =
        |options: &[&str]| column(&folder.fit(&[&["d.csv", "-f", "y ~ x"], options].concat()), "estimate")[1].unwrap();
    assert_close(slope(&["--decimal", ","]), 3.0, 1e-12, "decimals");
    assert_close(slope(&["--number", "x"]), 0.003, 1e-12, "thousands");
    assert_eq!(folder.fit(&["d.csv", "-f", "y ~ x", "--text", "x"])["coefficients"].as_array().unwrap().len(), 3);
    // Within a comma-delimited file, too.
    folder.write("q.csv", "y,x\n1,\"37,5\"\n2,\"38,5\"\n4,\"39,5\"\n");
    assert!(folder.refusal(1, &["fit", "q.csv", "-f", "y ~ x"]).contains("say --decimal , if that is a decimal comma"));
    assert_close(
        column(&folder.fit(&["q.csv", "-f", "y ~ x", "--decimal", ","]), "estimate")[1].unwrap(),
        1.5,
        1e-12,
        "",
    );
}

#[test]
fn numbers_in_dress_are_named() {
    for values in [
        ["1'000", "2'000", "3'500"],
        ["1 000", "2 000", "3 500"],
        ["$1000", "$2000", "$3500"],
        ["1000%", "2000%", "3500%"],
    ] {
        let folder = Folder::new();
        let rows: String = values.iter().zip([1.0, 2.0, 5.0]).map(|(x, y)| format!("{y};{x}\n")).collect();
        folder.write("d.csv", format!("y;x\n{rows}"));
        let run = folder.run(&["fit", "d.csv", "-f", "y ~ x"]);
        let warning = format!(
            "column `x` is text, and its values look like numbers (`{}`): say --number 'x' to read them as such, or --text 'x'",
            values[0]
        );
        assert!(run.stderr.contains(&warning), "{}", run.stderr);
        let fit = folder.fit(&["d.csv", "-f", "y ~ x", "--number", "x"]);
        // x in thousands 1, 2, 3.5 has mean 13/6, y mean 8/3.
        assert_close(
            column(&fit, "estimate")[1].unwrap(),
            5.166666666666667 / 3.1666666666666665 / 1000.0,
            1e-12,
            values[0],
        );
        let message = folder.refusal(1, &["fit", "d.csv", "-f", "x ~ y"]);
        assert!(message.contains("--number 'x'"), "{message}");
    }
}

/// The slope of the same rows with ISO dates, 0.467811 a day.
#[test]
fn dates_in_other_notations() {
    let folder = Folder::new();
    let slope =
        |arguments: &[&str]| column(&folder.fit(&[arguments, &["-f", "y ~ day"]].concat()), "estimate")[1].unwrap();
    let iso = slope(&[&testdata("cases/days_iso.csv")]);
    assert_close(iso, 0.467811, 1e-6, "ISO");
    let (slash, dmy) = (testdata("cases/days_slash.csv"), testdata("cases/days_dmy.csv"));
    assert_eq!(slope(&[&slash, "--date", "%Y/%m/%d"]), iso);
    assert_eq!(slope(&[&dmy, "--date", "%d/%m/%Y"]), iso);
    for file in [&slash, &dmy] {
        let run = folder.run(&["fit", file, "-f", "y ~ day"]);
        assert!(run.stderr.contains("column `day` is text, and its values look like dates"), "{}", run.stderr);
    }
    // A date that is on no calendar is named.
    folder.write("d.csv", "y,day\n1,2024-02-29\n2,2024-02-30\n");
    let message = folder.refusal(1, &["fit", "d.csv", "-f", "y ~ day"]);
    assert!(message.contains("line 3 (record 2), column `day`: `2024-02-30` is not a date"), "{message}");
}

/// New data are read as those that the model was fitted to, without a word.
#[test]
fn a_model_remembers_how_its_columns_were_written() {
    let folder = Folder::new();
    let iso =
        "y,day,price\n1,2024-03-01,1000\n2,2024-03-05,2000\n5,2024-03-20,3500\n4,2024-04-02,2500\n7,2024-04-09,4100\n";
    folder.write("iso.csv", iso);
    let rows =
        "1;01/03/2024;$1'000\n2;05/03/2024;$2'000\n5;20/03/2024;$3'500\n4;02/04/2024;$2'500\n7;09/04/2024;$4'100\n";
    folder.write("own.csv", format!("y;day;price\n{rows}"));
    let notation = ["--date", "%d/%m/%Y", "--number", "price"];
    let formula = "y ~ day + price";
    folder.done(&[&["fit", "own.csv", "-f", formula, "-o", "m.json"][..], &notation].concat());
    folder.done(&["fit", "iso.csv", "-f", formula, "-o", "iso.json"]);
    folder.write("new.csv", "day;price\n11/03/2024;$1'700\n12/03/2024;$2'900\n");
    folder.write("new_iso.csv", "day,price\n2024-03-11,1700\n2024-03-12,2900\n");
    let right = folder.done(&["predict", "iso.json", "new_iso.csv"]);
    assert_eq!(folder.done(&["predict", "m.json", "new.csv"]), right);
    assert_eq!(folder.done(&["predict", "m.json", "new_iso.csv"]), right);
    assert_eq!(folder.done(&["evaluate", "m.json", "own.csv"]), folder.done(&["evaluate", "iso.json", "iso.csv"]));
    // What is said now goes before what was said then.
    folder.write("other.csv", "day;price\n03/11/2024;$1'700\n03/12/2024;$2'900\n");
    assert_eq!(folder.done(&["predict", "m.json", "other.csv", "--date", "%m/%d/%Y"]), right);
}

#[test]
fn na_in_quotes_is_a_name() {
    let folder = Folder::new();
    folder.write("d.csv", "gdp,country\n1,\"NA\"\n2,\"NA\"\n3,DE\n4,DE\n5,ZW\n7,NA\n");
    let fit = folder.fit(&["d.csv", "-f", "gdp ~ country", "-o", "m.json"]);
    assert_eq!((fit["nobs"].as_u64(), fit["dropped"].as_u64()), (Some(5), Some(1)));
    // Our own output reads back.
    folder.done(&["predict", "m.json", "d.csv", "--keep", "country", "-o", "p.csv"]);
    assert!(folder.read("p.csv").starts_with("country,prediction\n\"NA\",1.5\n"), "{}", folder.read("p.csv"));
    assert_eq!(folder.fit(&["d.csv", "-f", "gdp ~ country", "--na", "NA"])["dropped"].as_u64(), Some(3));
}

/// R 4.x, `read.csv`: slope 0.763359.
#[test]
fn carriage_returns_alone_end_lines() {
    let fit = Folder::new().fit(&[&testdata("cases/carriage_returns.csv"), "-f", "y ~ x"]);
    assert_close(column(&fit, "estimate")[1].unwrap(), 0.763359, 1e-6, "slope");
    assert_eq!(fit["nobs"].as_u64(), Some(4));
}

#[test]
fn csv_on_standard_input_is_recognised() {
    let folder = Folder::new();
    let mut command = folder.command(&["fit", "-", "-f", "y ~ x", "--format", "json"]);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(b"y,x\n1,1\n2,3\n4,4\n").unwrap();
    assert!(child.wait_with_output().unwrap().status.success());
}

#[test]
fn what_cannot_be_read_is_named() {
    let folder = Folder::new();
    let refusal = |arguments: &[&str]| folder.refusal(1, arguments);
    assert!(
        refusal(&["fit", &testdata("cases/brotli.parquet"), "-f", "y ~ x"])
            .ends_with("it is compressed with Brotli, which is not read; write it with zstd, snappy, gzip or lz4")
    );
    let types = testdata("cases/types.arrow");
    for (column, of_type) in [("dec256", "Decimal256"), ("dur", "Duration"), ("list", "List"), ("struct", "Struct")] {
        let message = refusal(&["fit", &types, "-f", &format!("y ~ {column}")]);
        let remark = format!("column `{column}` is there, and its type {of_type}");
        assert!(message.contains(&remark), "{message}");
    }
}

#[test]
fn formulas_are_hinted_at() {
    let folder = Folder::new();
    folder.write("d.csv", "y,1B,a`b\n1,1,2\n2,3,1\n4,2,5\n");
    let message = |formula: &str| folder.run(&["fit", "d.csv", "-f", formula]).stderr;
    assert!(message("y ~ 1B").contains("a column's name that begins with a digit goes in backquotes: `1B`"));
    assert!(message("y ~ factor(y)").contains("unknown function 'factor'; did you mean 'C'?"));
    let fit = folder.fit(&["d.csv", "-f", "y ~ `a``b`", "-o", "m.json"]);
    assert_eq!(fit["coefficients"][1]["term"].as_str(), Some("`a``b`"));
    folder.done(&["predict", "m.json", "d.csv"]);
    folder.write("none.csv", "1,2\n2,3\n3,5\n");
    let message = folder.run(&["fit", "none.csv", "-f", "y ~ x"]).stderr;
    assert!(message.contains("if the first line is data, not names, say --no-header"), "{message}");
}

/// Damaged files on which decoders panic, or ask for memory that there is not: one sentence, and nothing of theirs.
#[cfg(unix)]
#[test]
fn damaged_files_end_in_one_sentence() {
    let folder = Folder::new();
    let mut files = 0;
    for entry in std::fs::read_dir(testdata("cases/hostile")).unwrap() {
        let path = entry.unwrap().path().display().to_string();
        let mut command = std::process::Command::new("sh");
        let line = "ulimit -v 2000000; exec \"$0\" describe --threads 1 \"$1\"";
        command.args(["-c", line, env!("CARGO_BIN_EXE_noisefit"), &path]).current_dir(folder.path());
        let run = common::finished(command);
        assert_eq!(run.code, 1, "{path}: {}{}", run.stdout, run.stderr);
        assert_eq!(run.stderr.trim_end().lines().count(), 1, "{path}: {}", run.stderr);
        assert!(run.stderr.contains("cannot be read as"), "{path}: {}", run.stderr);
        files += 1;
    }
    assert!(files >= 20, "{files}");
}

#[cfg(unix)]
#[test]
fn patterns_pass_names_that_are_not_unicode() {
    use std::os::unix::ffi::OsStrExt;
    let folder = Folder::new();
    folder.write("a.csv", "y,x\n1,1\n2,3\n");
    folder.write("b.csv", "y,x\n4,4\n3,2\n");
    folder.write(".hidden.csv", "no table");
    std::fs::write(folder.path().join(std::ffi::OsStr::from_bytes(b"c\xff.csv")), "y,x\n5,6\n").unwrap();
    assert_eq!(folder.fit(&["*.csv", "-f", "y ~ x"])["nobs"].as_u64(), Some(5));
    assert_eq!(folder.fit(&["[ab].csv", "-f", "y ~ x"])["nobs"].as_u64(), Some(4));
}
