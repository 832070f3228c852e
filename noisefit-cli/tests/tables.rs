//! Tables as they come: folders that say columns, kinds that a late row widens, long integers, one file or several.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking, also in its helpers")]

mod common;

use std::fmt::Write as _;
use std::io::Write as _;
use std::process::Stdio;

use common::{Folder, assert_close, column, finished, gzip, number};
use serde_json::Value;

/// Rows of three years in a folder each, and the same rows in one file with the year as a column.
fn years(folder: &Folder) {
    let mut whole = "y,x,year\n".to_owned();
    for year in 2020..2023 {
        let mut part = "y,x\n".to_owned();
        for i in 0..5 {
            let (x, y) = (i * i % 7, 3 * i + (year * 13 + i * 5) % 11);
            writeln!(part, "{y},{x}").unwrap();
            writeln!(whole, "{y},{x},{year}").unwrap();
        }
        folder.write(&format!("data/year={year}/part-0.csv"), part);
    }
    folder.write("whole.csv", whole);
}

#[test]
fn the_names_of_folders_are_columns() {
    let folder = Folder::new();
    years(&folder);
    for formula in ["y ~ x + year", "y ~ x + C(year)", "y ~ ."] {
        let whole = folder.fit(&["whole.csv", "-f", formula]);
        for input in ["data", "data/*/*.csv", "data/**/*.csv"] {
            let fit = folder.fit(&[input, "-f", formula]);
            for (found, right) in column(&fit, "estimate").iter().zip(column(&whole, "estimate")) {
                assert_close(found.unwrap(), right.unwrap(), 1e-9, formula);
            }
        }
    }
    assert_eq!(folder.fit(&["data", "-f", "y ~ year", "--text", "year"])["coefficients"].as_array().unwrap().len(), 3);
    // A model finds its column in the name of the one folder; a formula does not, where the folder is the way to the data.
    folder.done(&["fit", "data", "-f", "y ~ x + year", "-o", "m.json"]);
    folder.write("at.csv", "x,year\n0,2021\n1,2021\n4,2021\n2,2021\n2,2021\n");
    let one = folder.done(&["predict", "m.json", "data/year=2021/part-0.csv", "--keep", "year"]);
    assert!(one.starts_with("year,prediction\n2021,"), "{one}");
    let message = folder.refusal(1, &["fit", "data/year=2021/part-0.csv", "-f", "y ~ x + year"]);
    assert!(message.contains("no column 'year'"), "{message}");
    folder.done(&["fit", "data/year=2021/part-0.csv", "-f", "y ~ ."]);
    // Nothing is known of a row of the folder without a value; a column of the file itself comes first.
    folder.write("data/year=__HIVE_DEFAULT_PARTITION__/part-0.csv", "y,x\n1,2\n");
    assert_eq!(folder.fit(&["data", "-f", "y ~ x + year"])["dropped"].as_u64(), Some(1));
    folder.write("own/x=9/d.csv", "y,x\n1,1\n2,3\n4,4\n");
    assert_close(
        column(&folder.fit(&["own", "-f", "y ~ x"]), "estimate")[1].unwrap(),
        13.0 / 14.0,
        1e-12,
        "x of the file",
    );
}

/// The same numbers as of a column of ones and zeros: R's `lm(I(1*b) ~ y)`.
#[test]
fn true_and_false_are_calculated_with() {
    let folder = Folder::new();
    folder.write("d.csv", "y,b,k\n1,false,0\n2,true,1\n3,false,0\n4,true,1\n6,true,1\n,true,1\n5,NA,NA\n");
    let numbers = |formula: &str| {
        let fit = folder.fit(&["d.csv", "-f", formula]);
        (column(&fit, "estimate"), column(&fit, "std_error"), fit["log_likelihood"].clone(), fit["nobs"].clone())
    };
    for (truth, counted) in [
        ("I(1*b) ~ y", "k ~ y"),
        ("I(b) ~ y", "k ~ y"),
        ("y ~ I(2*b + 1)", "y ~ I(2*k + 1)"),
        ("y ~ I(b)", "y ~ k"),
        ("y ~ center(b)", "y ~ center(k)"),
    ] {
        assert_eq!(numbers(truth), numbers(counted), "{truth}");
    }
    let weighted = |weights: &str| {
        let fit = folder.fit(&["d.csv", "-f", "y ~ 1", "--weights", weights]);
        (column(&fit, "estimate"), fit["nobs"].clone())
    };
    assert_eq!(weighted("b + 1"), weighted("k + 1"));
    let message = folder.refusal(1, &["fit", "d.csv", "-f", "b ~ y"]);
    assert!(message.contains("I(b) is 1 where it is true, 0 where it is false"), "{message}");
    folder.done(&["fit", "d.csv", "-f", "y ~ I(b)", "-o", "m.json"]);
    folder.write("new.csv", "b\nT\nM\n");
    assert_eq!(folder.done(&["predict", "m.json", "new.csv"]), "prediction\n4\n\"\"\n");
}

/// A column of true and false, of which the last of 120,000 rows says that it is text.
#[test]
fn a_stream_of_predictions_begins_once() {
    let folder = Folder::new();
    let (rows, idle) = (120_000, "-".repeat(30));
    let mut text = "y,x,g,empty,day,idle\n".to_owned();
    for i in 0..rows {
        writeln!(text, "{},{},{},,2024-01-0{},{idle}", i % 5, i % 3, if i % 2 == 0 { "T" } else { "F" }, 1 + i % 9)
            .unwrap();
    }
    text += "1,1,M,later,2024-01-01 08:30,-\n";
    folder.write("d.csv", text);
    folder.done(&["fit", "d.csv", "-f", "y ~ x", "-o", "m.json"]);
    let out = folder.done(&["predict", "m.json", "d.csv", "--keep-all"]);
    let lines: Vec<&str> = out.lines().collect();
    assert_eq!(lines.len(), rows + 2);
    assert_eq!(lines.iter().filter(|line| line.starts_with("y,x,g")).count(), 1);
    assert!(lines[1].starts_with("0,0,T,,2024-01-01T00:00:00Z,"), "{}", lines[1]);
    assert!(lines[rows + 1].starts_with("1,1,M,later,2024-01-01T08:30:00Z,-,"), "{}", lines[rows + 1]);
}

/// All columns turn out to be text at once: one pass more, not one for each.
#[test]
fn many_columns_widen_at_once() {
    let folder = Folder::new();
    let names: Vec<String> = (0..300).map(|j| format!("g{j}")).collect();
    let mut text = format!("y,{}\n", names.join(","));
    for i in 0..3000 {
        writeln!(text, "{}{}", i % 7, ",T".repeat(300)).unwrap();
    }
    text += &"\n".repeat(3 << 20);
    writeln!(text, "3{}", ",M".repeat(300)).unwrap();
    folder.write("d.csv", text);
    let described: Value = serde_json::from_str(&folder.done(&["describe", "d.csv", "--format", "json"])).unwrap();
    let columns = described["columns"].as_array().unwrap();
    assert!(columns[1..].iter().all(|column| column["type"] == "text" && column["distinct"] == 2));
}

/// `y` against `k` less its first value, which every double holds.
fn long_integers(folder: &Folder, first: i128, step: i128) {
    let (mut long, mut short) = ("y,k,w\n".to_owned(), "y,k,w\n".to_owned());
    for i in 0..40i128 {
        let y = 0.5 * (i * 7 % 40) as f64 + [0.3, -1.2, 0.8, 2.1, -0.4, 0.05][(i % 6) as usize];
        let k = step * (i * 7 % 40);
        writeln!(long, "{y},{},{}", first + k, 1 + i % 3).unwrap();
        writeln!(short, "{y},{k},{}", 1 + i % 3).unwrap();
    }
    folder.write("long.csv", long);
    folder.write("short.csv", short);
}

#[test]
fn differences_of_long_integers_keep_their_digits_under_every_noise() {
    let folder = Folder::new();
    for (first, step) in [(1_700_000_000_123_456, 1), ((1 << 62) + 1, 3), ((1 << 53) + 1, 1)] {
        long_integers(&folder, first, step);
        for options in [
            &["--noise", "gaussian"][..],
            &["--noise", "gaussian", "--vcov", "hc3"],
            &["--noise", "laplace"],
            &["--noise", "student-t"],
            &["--noise", "huber"],
            &["--noise", "logistic", "--weights", "w"],
            &["--noise", "quantile:0.3"],
            &["--noise", "gaussian", "--scale", "~ center(k)"],
        ] {
            let fit = |file: &str, formula: &str| folder.fit(&[&[file, "-f", formula], options].concat());
            let right = fit("short.csv", "y ~ center(k)");
            let of_first = format!("y ~ I(k - {first})");
            for (formula, right) in [("y ~ center(k)", &right), (&of_first, &fit("short.csv", "y ~ I(k - 0)"))] {
                let found = fit("long.csv", formula);
                for name in ["estimate", "std_error"] {
                    for (found, right) in column(&found, name).iter().zip(column(right, name)) {
                        assert_close(found.unwrap(), right.unwrap(), 1e-9, &format!("{formula} {options:?} {name}"));
                    }
                }
                let [found, right] = [&found, right].map(|fit| number(&fit["log_likelihood"]));
                assert_close(found, right, 1e-9, formula);
            }
        }
        // What is said of the line, too.
        let line = |file: &str| folder.fit(&[file, "-f", "y ~ k"])["closed_form"].clone();
        for name in ["sd_x", "sd_y", "correlation", "slope"] {
            assert_close(number(&line("long.csv")[name]), number(&line("short.csv")[name]), 1e-9, name);
        }
    }
    // Frames of which all values happen to be doubles.
    long_integers(&folder, 1 << 60, 1 << 20);
    let odd = |formula: &str, file: &str| column(&folder.fit(&[file, "-f", formula]), "estimate")[0].unwrap();
    assert_close(
        odd("y ~ I(k - 1152921504606846977)", "long.csv"),
        odd("y ~ I(k - 1)", "short.csv"),
        1e-9,
        "a constant that is no double",
    );
}

#[test]
fn long_keys_are_carried_along() {
    let folder = Folder::new();
    folder.write(
        "d.csv",
        "y,x,id,day\n1,1,9223372036854775807,2024-02-29\n2,2,-4611686018427387911,2024-03-01\n4,3,5,\n",
    );
    folder.done(&["fit", "d.csv", "-f", "y ~ x", "-o", "m.json"]);
    let out = folder.done(&["predict", "m.json", "d.csv", "--keep", "id,day"]);
    let kept: Vec<&str> = out.lines().map(|line| line.rsplit_once(',').unwrap().0).collect();
    assert_eq!(kept, ["id,day", "9223372036854775807,2024-02-29", "-4611686018427387911,2024-03-01", "5,"]);
    let message = folder.refusal(1, &["predict", "m.json", "d.csv", "--keep-all", "-o", "p.parquet"]);
    assert!(message.contains("column `id` holds 9223372036854775807, an integer that no double is"), "{message}");
    // An integer that a double is has all its digits, too.
    folder.write("k.csv", "x,id\n1,4611686018427387904\n2,1e30\n3,-9007199254740992\n");
    let out = folder.done(&["predict", "m.json", "k.csv", "--keep", "id"]);
    let kept: Vec<&str> = out.lines().skip(1).map(|line| line.split_once(',').unwrap().0).collect();
    assert_eq!(kept, ["4611686018427387904", "1e+30", "-9007199254740992"]);
    // Dates read back as such.
    folder.done(&["fit", "d.csv", "-f", "y ~ day", "-o", "n.json"]);
    for file in ["p.csv", "p.parquet"] {
        folder.done(&["predict", "m.json", "d.csv", "--keep", "y,day", "-o", file]);
        assert_eq!(folder.done(&["predict", "n.json", file]), folder.done(&["predict", "n.json", "d.csv"]), "{file}");
    }
}

#[test]
fn json_keeps_every_digit() {
    let folder = Folder::new();
    let (mut json, mut csv) = (String::new(), "y,id,x\n".to_owned());
    // Beyond 2^64, where doubles lie 4096 apart.
    for i in 0..12u128 {
        let id = (1u128 << 65) + 7 * (i % 4);
        writeln!(json, "{{\"y\": {}, \"id\": {id}, \"x\": {}.1}}", i * i % 7, 10_000_000 + i).unwrap();
        writeln!(csv, "{},{id},{}.1", i * i % 7, 10_000_000 + i).unwrap();
    }
    folder.write("d.jsonl", json);
    folder.write("d.csv", csv);
    let fit = folder.fit(&["d.jsonl", "-f", "y ~ C(id)"]);
    assert_eq!(fit["coefficients"][1]["term"], "C(id)[36893488147419103239]");
    for formula in ["y ~ C(id)", "y ~ x"] {
        assert_eq!(folder.fit(&["d.jsonl", "-f", formula]), folder.fit(&["d.csv", "-f", formula]), "{formula}");
    }
    // Of a missing long integer both words count.
    folder.write("k.csv", "y,k\n1,9007199254740992\n2,9007199254740993\n3,9007199254740994\n4,9007199254740996\n");
    let fit = folder.fit(&["k.csv", "-f", "y ~ center(k)", "--na", "9007199254740993"]);
    assert_eq!(fit["dropped"].as_u64(), Some(1));
}

/// A new key in every line: a table of a value a row would be 3 GB of nothing.
#[cfg(unix)]
#[test]
fn sparse_records_take_little_memory() {
    let folder = Folder::new();
    let text: String = (0..4000).map(|i| format!("{{\"k{i}\": {i}}}\n")).collect();
    folder.write("d.jsonl", text);
    let mut command = std::process::Command::new("sh");
    let line = "ulimit -v 1000000; exec \"$0\" describe --threads 2 d.jsonl --format json";
    command.args(["-c", line, env!("CARGO_BIN_EXE_noisefit")]).current_dir(folder.path());
    let run = finished(command);
    assert_eq!(run.code, 0, "{}", run.stderr);
    let described: Value = serde_json::from_str(&run.stdout).unwrap();
    let last = &described["columns"][3999];
    assert_eq!(
        (last["count"].as_u64(), last["missing"].as_u64(), last["min"].as_f64()),
        (Some(1), Some(3999), Some(3999.0))
    );
}

#[test]
fn files_that_look_like_others_are_told() {
    let folder = Folder::new();
    folder.write("d.csv", "PAR1SAN,y\n1,1\n2,3\n4,4\n");
    folder.fit(&["d.csv", "-f", "y ~ PAR1SAN"]);
    let long = "a".repeat(100);
    for header in [format!("{long},y"), "ARROW1,y".to_owned()] {
        let name = header.split_once(',').unwrap().0;
        let mut command = folder.command(&["fit", "-", "-f", &format!("y ~ {name}"), "--format", "json"]);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        child.stdin.take().unwrap().write_all(format!("{header}\n1,1\n2,3\n4,4\n").as_bytes()).unwrap();
        assert!(child.wait_with_output().unwrap().status.success(), "{name}");
    }
    folder.write("short.arrow", b"ARROW1\0\0");
    let message = folder.refusal(1, &["describe", "short.arrow"]);
    assert!(message.contains("it has 8 bytes and no footer"), "{message}");
    let padded = [gzip("y,x\n1,1\n2,3\n4,4\n"), vec![0; 512]].concat();
    folder.write("d.csv.gz", padded);
    assert_eq!(folder.fit(&["d.csv.gz", "-f", "y ~ x"])["nobs"].as_u64(), Some(3));
    let damaged = [gzip("y,x\n1,1\n2,3\n4,4\n"), vec![0, 0, 7, 0]].concat();
    folder.write("e.csv.gz", damaged);
    assert!(folder.refusal(1, &["fit", "e.csv.gz", "-f", "y ~ x"]).contains("gzip"));
}

#[test]
fn what_does_not_read_says_how_it_would() {
    let folder = Folder::new();
    folder.write("d.csv", "y,x\n1,1.5\n2,2.5\n4,3\n");
    folder.done(&["fit", "d.csv", "-f", "y ~ x", "-o", "m.json"]);
    for (value, option) in
        [("$3.50", "--number"), ("\"1,234\"", "--decimal"), ("\"1,234\"", "--number"), ("1'000", "--number")]
    {
        folder.write("new.csv", format!("x\n1\n{value}\n"));
        let message = folder.refusal(1, &["predict", "m.json", "new.csv", "-o", "p.csv"]);
        assert!(message.contains("line 3 (record 2), column `x`") && message.contains(option), "{message}");
    }
    // A point beside decimal commas: thousands, or a decimal point after all.
    folder.write("c.csv", "y;x\n1;37,5\n2;38,5\n4;39,5\n5;1.234\n");
    let message = folder.refusal(1, &["fit", "c.csv", "-f", "y ~ x"]);
    assert!(message.contains("--decimal"), "{message}");
    let message = folder.refusal(1, &["fit", "c.csv", "-f", "y ~ x", "--decimal", ","]);
    assert!(message.contains("`1.234` is not a number") && message.contains("--number"), "{message}");
    assert_eq!(folder.fit(&["c.csv", "-f", "y ~ x", "--decimal", ",", "--number", "x"])["nobs"].as_u64(), Some(4));
    folder.write("t.csv", "y,day\n1,24/12/2024\n2,25/12/2024\n4,26/12/24\n");
    let message = folder.refusal(1, &["fit", "t.csv", "-f", "y ~ day", "--date", "%d/%m/%Y"]);
    assert!(message.contains("`26/12/24` is not a date (%d/%m/%Y, or yyyy-mm-dd)"), "{message}");
}

/// One file, its two halves, and three parts of other sizes: the same rows are drawn under one seed.
#[test]
fn what_is_drawn_does_not_depend_on_files() {
    let folder = Folder::new();
    let mut rows: Vec<String> = Vec::new();
    for i in 0..240u64 {
        let share = |step: f64| (((i as f64) + 0.5) * step).fract();
        let noise = (share(0.618_033_988_749_895) / (1.0 - share(0.618_033_988_749_895))).ln();
        let missing = i % 50 == 7;
        let x = share(0.414_213_562_373_095);
        rows.push(format!("{},{}\n", 1.0 + 2.0 * x + noise, if missing { "NA".to_owned() } else { x.to_string() }));
    }
    let write = |name: &str, part: &[String]| folder.write(name, "y,x\n".to_owned() + &part.concat());
    write("whole.csv", &rows);
    write("a.csv", &rows[..120]);
    write("b.csv", &rows[120..]);
    write("1.csv", &rows[..1]);
    write("2.csv", &rows[1..100]);
    write("3.csv", &rows[100..]);
    let layouts = [&["whole.csv"][..], &["a.csv", "b.csv"], &["1.csv", "2.csv", "3.csv"]];
    let numbers = |value: &Value| -> Vec<f64> {
        fn collect(value: &Value, found: &mut Vec<f64>) {
            match value {
                Value::Number(number) => found.extend(number.as_f64()),
                Value::Array(values) => values.iter().for_each(|value| collect(value, found)),
                // Records are counted in their files.
                Value::Object(values) => values
                    .iter()
                    .filter(|(key, _)| !["record", "row", "seconds", "accuracy"].contains(&key.as_str()))
                    .for_each(|(_, value)| collect(value, found)),
                _ => {}
            }
        }
        let mut found = Vec::new();
        collect(value, &mut found);
        found
    };
    let same = |command: &[&str], after: &dyn Fn() -> String, tolerance: f64| {
        let mut first: Option<Vec<f64>> = None;
        for files in layouts {
            let printed = folder.done(&[&command[..1], files, &command[1..]].concat());
            let found = [printed, after()]
                .map(|text| serde_json::from_str::<Value>(&text).map_or(Vec::new(), |json| numbers(&json)));
            let found = found.concat();
            let right = first.get_or_insert_with(|| found.clone());
            assert!(found.len() > 5 && found.len() == right.len(), "{command:?}");
            for (found, right) in found.iter().zip(right.iter()) {
                assert!(
                    (found - right).abs() <= tolerance * right.abs().max(1.0),
                    "{command:?} {files:?}: {found} for {right}"
                );
            }
        }
    };
    let nothing = || String::new();
    let fit = ["fit", "-f", "y ~ x", "--format", "json", "--seed", "3", "-o", "m.json"];
    let model = || {
        let model: Value = serde_json::from_str(&folder.read("m.json")).unwrap();
        model["conformal"].to_string()
    };
    same(&[&fit[..], &["--conformal", "split"]].concat(), &model, 1e-9);
    same(&[&fit[..], &["--conformal", "cv+"]].concat(), &model, 1e-9);
    same(&["compare", "-f", "y ~ x", "--format", "json", "--folds", "5", "--seed", "3"], &nothing, 1e-7);
    let train = ["--solver", "train", "--epochs", "5", "--quiet"];
    same(&[&fit[..], &train].concat(), &nothing, 1e-4);
}

#[test]
fn two_runs_print_the_same() {
    let folder = Folder::new();
    let rows: String = (0..40).map(|i| format!("{},{}\n", i * 7 % 40 + i % 5, i)).collect();
    folder.write("d.csv", "y,x\n".to_owned() + &rows);
    for command in [
        &["compare", "d.csv", "-f", "y ~ x", "--format", "json"][..],
        &["fit", "d.csv", "-f", "y ~ x", "--noise", "auto", "--format", "json"],
        &["fit", "d.csv", "-f", "y ~ x", "--solver", "train", "--epochs", "3", "--format", "json"],
        &["diagnose", "d.csv", "-f", "y ~ x", "--format", "json"],
    ] {
        let text = folder.done(command);
        assert_eq!(text, folder.done(command), "{command:?}");
        assert!(!text.contains("\"seconds\""), "{command:?}");
    }
    let timed = folder.done(&["compare", "d.csv", "-f", "y ~ x", "--format", "json", "--times"]);
    assert!(timed.contains("\"seconds\""));
}

#[test]
fn descriptions_are_exact() {
    let folder = Folder::new();
    folder.write("d.csv", "c,k\n".to_owned() + &"0.1,4611686018427387911\n".repeat(7) + "0.1,-9007199254740993\n");
    let described: Value = serde_json::from_str(&folder.done(&["describe", "d.csv", "--format", "json"])).unwrap();
    let [c, k] = [0, 1].map(|place| &described["columns"][place]);
    assert_eq!((c["sd"].as_f64(), c["mean"].as_f64()), (Some(0.0), Some(0.1)));
    assert_eq!(
        (k["min"].to_string(), k["max"].to_string()),
        ("-9007199254740993".into(), "4611686018427387911".into())
    );
    assert_eq!((k["rounded"].as_bool(), c.get("rounded")), (Some(true), None));
    let text = folder.done(&["describe", "d.csv"]);
    assert!(
        text.contains("k: integers beyond 2^53; mean and quartiles are rounded to doubles, min and max are exact"),
        "{text}"
    );
}

#[test]
fn names_do_not_command_a_terminal() {
    let folder = Folder::new();
    let name = "x\u{1b}[31m\u{9b}2J";
    folder.write("d.csv", format!("y,{name}\n1,1\n2,3\n4,4\n3,q\u{7}\n"));
    for arguments in [&["describe", "d.csv"][..], &["fit", "d.csv", "-f", "y ~ ."], &["fit", "d.csv", "-f", "z ~ ."]] {
        let run = folder.run(arguments);
        let all = run.stdout + &run.stderr;
        assert!(all.contains("\\u001b[31m") && !all.contains(['\u{1b}', '\u{9b}', '\u{7}']), "{all:?}");
    }
}

#[test]
fn responses_of_another_kind_are_named() {
    let folder = Folder::new();
    let rows = |y: &dyn Fn(u32) -> String| (0..60).map(|i| format!("{},{}\n", y(i), i * 37 % 101)).collect::<String>();
    for (y, kind) in [
        (&(|i: u32| (i * 7 % 11 / 6).to_string()) as &dyn Fn(u32) -> String, "logistic regression"),
        (&|i| (i * 7 % 11 / 3).to_string(), "Poisson regression"),
        (&|i| (f64::from(i * 7 % 61) / 61.0).to_string(), "beta regression"),
        (&|i| (i * 7 % 61).to_string(), ""),
    ] {
        folder.write("d.csv", "y,x\n".to_owned() + &rows(y));
        let run = folder.run(&["fit", "d.csv", "-f", "y ~ x"]);
        assert_eq!(run.code, 0);
        match kind {
            "" => assert_eq!(run.stderr, ""),
            kind => assert!(run.stderr.contains(kind) && run.stderr.lines().count() == 1, "{}", run.stderr),
        }
    }
}

/// What is known of a column is said where there is no fit, too: beyond 2^62 the doubles of these keys are 512 apart.
#[test]
fn long_keys_that_keep_a_fit_from_being_are_named() {
    let folder = Folder::new();
    let rows: String = (0..50u64).map(|i| format!("{},{}\n", i * i % 13, i64::MAX as u64 - 7 * i)).collect();
    folder.write("d.csv", format!("y,k\n{rows}"));
    let error = folder.refusal(1, &["fit", "d.csv", "-f", "y ~ k", "--noise", "student-t"]);
    assert!(error.contains("column k has integers beyond 2^53") && error.contains("center(k)"), "{error}");
    assert!(number(&folder.fit(&["d.csv", "-f", "y ~ center(k)", "--noise", "student-t"])["scale"]) > 0.0);
}
