//! `noisefit fit --by`: every group's fit is that of a file of its rows alone, bit for bit, and groups without a fit are rows.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use std::collections::BTreeMap;

use common::{Folder, csv, testdata};

/// Rows of groups of different sizes, in the order of the groups or mixed, whose numbers are formulas. Group `few` has two rows, `flat` a
/// column that does not vary, `one` a category of one level.
fn write(folder: &Folder, mixed: bool) -> Vec<String> {
    let groups = ["north", "south", "east", "few", "flat", "one"];
    let mut rows: Vec<(usize, String, String)> = Vec::new();
    for (g, name) in groups.iter().enumerate() {
        let count = if *name == "few" { 2 } else { 30 + 5 * g };
        for i in 0..count {
            let t = (i * 7 + g * 3) as f64;
            let x = if *name == "flat" { 2.5 } else { 1.0 + (0.9 * t).sin() + 0.01 * t };
            let kind = if *name == "one" { "u" } else { ["u", "v", "w"][i % 3] };
            let noise = 0.4 * (1.7 * t).cos() + 0.2 * (0.31 * t * t).sin();
            let y = 3.0 + (1.0 + g as f64) * x + if kind == "v" { 1.0 } else { 0.0 } + noise;
            let place = if mixed { (i * 13) % 31 * 10 + g } else { g * 1000 + i };
            rows.push((place, (*name).to_owned(), format!("{x},{kind},{},{y}", i % 5 + 1)));
        }
    }
    rows.sort_by_key(|(place, ..)| *place);
    let mut files: BTreeMap<String, String> = BTreeMap::new();
    let (mut all, mut order) = ("g,x,k,n,y\n".to_owned(), Vec::new());
    for (_, name, row) in rows {
        all += &format!("{name},{row}\n");
        *files.entry(name.clone()).or_insert_with(|| "x,k,n,y\n".to_owned()) += &format!("{row}\n");
        if !order.contains(&name) {
            order.push(name);
        }
    }
    folder.write("all.csv", all);
    files.iter().for_each(|(name, text)| folder.write(&format!("{name}.csv"), text));
    order
}

/// The rows of a CSV text whose texts may be in quotes, the header apart.
fn quoted(text: &str) -> (Vec<String>, Vec<Vec<String>>) {
    let line = |line: &str| {
        let (mut cells, mut cell, mut inside) = (Vec::new(), String::new(), false);
        for letter in line.chars() {
            match letter {
                '"' => inside = !inside,
                ',' if !inside => cells.push(std::mem::take(&mut cell)),
                letter => cell.push(letter),
            }
        }
        cells.push(cell);
        cells
    };
    let mut lines = text.lines().map(line);
    (lines.next().unwrap(), lines.collect())
}

/// The rows of the long table without the columns that it has more, by group.
fn long(text: &str) -> Vec<(String, Vec<String>, String)> {
    let (head, rows) = quoted(text);
    assert_eq!(head[0], "g");
    let error = head.iter().position(|name| name == "error").unwrap();
    rows.iter()
        .map(|row| {
            let own = row[1..11].to_vec();
            (row[0].clone(), own, row[error].clone())
        })
        .collect()
}

/// Sets the long table beside the fits of the groups' own files.
fn compare(folder: &Folder, order: &[String], options: &[&str], reading: &[&str]) {
    let text = folder.run(&[&["fit", "all.csv", "--by", "g", "--format", "csv"], options, reading].concat());
    assert!(text.code == 0 || text.code == 3, "{options:?}: {}", text.stderr);
    let found = long(&text.stdout);
    let mut met: Vec<&String> = found.iter().map(|(group, ..)| group).collect();
    met.dedup();
    assert_eq!(met, order.iter().collect::<Vec<_>>(), "{options:?}");
    let mut failed = 0;
    for name in order {
        let own: Vec<_> = found.iter().filter(|(group, ..)| group == name).collect();
        let file = format!("{name}.csv");
        let alone = folder.run(&[&["fit", &file, "--format", "csv"], options].concat());
        if alone.code == 1 {
            let [(_, cells, error)] = &own[..] else { panic!("{options:?} {name}: {own:?}") };
            assert!(cells.iter().all(String::is_empty) && !error.is_empty(), "{options:?} {name}: {own:?}");
            failed += 1;
            continue;
        }
        let (_, expected) = quoted(&alone.stdout);
        assert_eq!(own.len(), expected.len(), "{options:?} {name}");
        for ((_, cells, error), expected) in own.iter().zip(expected) {
            // The same doubles, one written with an exponent perhaps.
            let bits = |cell: &str| cell.parse::<f64>().map_or_else(|_| cell.to_owned(), |x| x.to_bits().to_string());
            let ours: Vec<String> = cells.iter().map(|cell| bits(cell)).collect();
            let theirs: Vec<String> = expected.iter().map(|cell| bits(cell)).collect();
            assert_eq!((ours, error.as_str()), (theirs, ""), "{options:?} {name}: {cells:?} {expected:?}");
        }
    }
    if failed > 0 {
        assert!(text.stderr.contains(&format!("of 6 groups by g {failed} ha")), "{options:?}: {}", text.stderr);
    }
}

#[test]
fn every_family_and_covariance_fits_each_group_as_its_own_file() {
    let folder = Folder::new();
    for mixed in [false, true] {
        let order = write(&folder, mixed);
        for noise in
            ["gaussian", "laplace", "quantile:0.25,0.75", "huber", "student-t", "student-t:4", "logistic", "cauchy"]
        {
            compare(&folder, &order, &["-f", "y ~ x", "--noise", noise], &[]);
        }
        for vcov in ["hc0", "hc3", "hac:2", "cluster:n", "sandwich", "bootstrap:19"] {
            compare(&folder, &order, &["-f", "y ~ x", "--vcov", vcov], &[]);
        }
        for options in [
            &["-f", "y ~ x + k"][..],
            &["-f", "y ~ poly(x, 2) + C(n)"],
            &["-f", "log(y) ~ ns(x, df=3)"],
            &["-f", "y ~ ."],
            &["-f", "y ~ x", "--scale", "~ x"],
            &["-f", "y ~ x | k"],
            &["-f", "y ~ x", "--weights", "1/n"],
            &["-f", "y ~ x", "--frequency-weights", "n"],
            &["-f", "y ~ x", "--sampling-weights", "n"],
            &["-f", "y ~ x + I(2*x)"],
            &["-f", "y ~ x", "--small-sample", "none", "--level", "0.9"],
            &["-f", "y ~ x", "--noise", "logistic", "--confint", "profile"],
        ] {
            compare(&folder, &order, options, &[]);
        }
    }
}

#[test]
fn a_table_that_is_not_kept_in_memory_is_fitted_in_its_order() {
    let folder = Folder::new();
    let order = write(&folder, false);
    for threads in ["1", "2"] {
        compare(&folder, &order, &["-f", "y ~ x + k"], &["--memory", "0", "--threads", threads]);
    }
    write(&folder, true);
    let run = folder
        .run(&["fit", "all.csv", "-f", "y ~ x", "--by", "g", "--format", "csv", "--memory", "0", "-o", "out.csv"]);
    assert_eq!(run.code, 1);
    assert!(
        run.stderr.contains("stand apart") && run.stderr.contains("sort it by the columns of --by"),
        "{}",
        run.stderr
    );
    // Nothing half written is left.
    assert!(!folder.names().contains(&"out.csv".to_owned()));
}

#[test]
fn rows_that_are_wrong_are_named_where_they_stand() {
    let folder = Folder::new();
    folder.write("d.csv", "g,x,y\na,1,1\nb,1,2\na,2,3\nb,0,1\na,3,4\nb,4,4\na,5,7\nb,3,3\n");
    for memory in ["1MB", "0"] {
        if memory == "0" {
            folder
                .write("d.csv", "g,x,y\na,1,1\na,2,3\na,3,4\na,5,7\nb,1,2\nb,0,1\nb,4,4\nb,3,3\nc,1,1\nc,2,2\nc,4,3\n");
        }
        let run = folder.run(&["fit", "d.csv", "-f", "y ~ log(x)", "--by", "g", "--format", "csv", "--memory", memory]);
        assert_eq!(run.code, 0, "{}", run.stderr);
        let record = if memory == "0" { "record 6" } else { "record 4" };
        let rows: Vec<&str> = run.stdout.lines().filter(|line| line.starts_with("b,")).collect();
        assert_eq!(rows.len(), 1, "{}", run.stdout);
        assert!(rows[0].contains("log(x) is -inf where x = 0") && rows[0].contains(record), "{}", rows[0]);
    }
}

#[test]
fn the_table_is_written_in_every_form() {
    let folder = Folder::new();
    let data = testdata("mtcars.csv");
    let words = ["fit", &data, "-f", "mpg ~ wt", "--by", "cyl,am"];
    let text = folder.done(&[&words[..], &["--format", "csv"]].concat());
    let (head, rows) = csv(&text);
    assert_eq!(&head[..3], ["cyl", "am", "noise"]);
    // Two coefficients of six groups.
    assert_eq!(rows.len(), 12);
    let lines = folder.done(&[&words[..], &["--format", "ndjson"]].concat());
    for (line, row) in lines.lines().zip(&rows) {
        let object: serde_json::Value = serde_json::from_str(line).unwrap();
        assert_eq!(object["cyl"].to_string(), row[0]);
        assert_eq!(object["term"], row[4]);
        assert_eq!(object["estimate"].as_f64().unwrap(), row[5].parse::<f64>().unwrap());
        assert!(object["error"].is_null());
    }
    for name in ["out.csv", "out.tsv", "out.ndjson", "out.parquet"] {
        assert_eq!(folder.done(&[&words[..], &["-o", name]].concat()), "", "{name}");
    }
    assert_eq!(folder.read("out.csv"), text);
    assert_eq!(folder.read("out.ndjson"), lines);
    let described: serde_json::Value =
        serde_json::from_str(&folder.done(&["describe", "out.parquet", "--format", "json"])).unwrap();
    assert_eq!(described["rows"], 12);
    let shown = folder.done(&words);
    assert!(
        shown.starts_with("mpg ~ wt\ngaussian noise, 6 groups by cyl, am; standard errors classical\n\ncyl  am"),
        "{shown}"
    );
    let glance = folder.done(&[&words[..], &["--glance", "--format", "csv"]].concat());
    assert_eq!(glance.lines().count(), 7);
    let alone = folder.done(&["fit", &data, "-f", "mpg ~ wt", "--glance", "--format", "csv"]);
    assert_eq!(csv(&glance).0[2..].len() - 2, csv(&alone).0.len());
}

#[test]
fn what_is_of_one_fit_is_refused() {
    let folder = Folder::new();
    let data = testdata("mtcars.csv");
    let words = ["fit", &data, "-f", "mpg ~ wt", "--by", "cyl"];
    for (options, said) in [
        (&["--report", "r.html"][..], "--report is of one fit"),
        (&["--conformal", "split"], "--conformal is of one fit"),
        (&["--model", "network"], "--model is of one fit"),
        (&["--solver", "train"], "--solver is of one fit"),
        (&["--vif"], "--vif is of one fit"),
        (&["--format", "json"], "--format json is of one fit"),
        (&["--by", "cyl"], "--by: `cyl` is named twice"),
    ] {
        let found = folder.refusal(2, &[&words[..], options].concat());
        assert!(found.starts_with(said), "{options:?}: {found}");
    }
    let found = folder.refusal(1, &["fit", &data, "-f", "mpg ~ wt", "--by", "colour"]);
    assert!(found.starts_with("--by colour: no such column"), "{found}");
    let found = folder.refusal(1, &[&words[..], &["-o", "model.json"]].concat());
    assert!(found.contains("ends in .csv, .tsv, .ndjson or .parquet"), "{found}");
    let found = folder.refusal(2, &["fit", &data, "-f", "mpg ~ wt", "--format", "ndjson"]);
    assert!(found.contains("--format ndjson goes with --by"), "{found}");
}

/// The noise models of each group are those of a file with its rows alone; a group of which nothing can be said is a row.
#[test]
fn noise_models_of_each_group_side_by_side() {
    let folder = Folder::new();
    let mut all = "g,y,x\n".to_owned();
    for (name, count) in [("a", 40), ("b", 25), ("c", 1)] {
        let row = |i: usize| {
            let noise = ((i * 7919 + 13 * count) % 101) as f64 / 20.0;
            // Of the last group nothing is known.
            let y = if name == "c" { String::new() } else { (i as f64 / 3.0 + noise * noise).to_string() };
            format!("{y},{}\n", i % 11)
        };
        let rows: String = (0..count).map(row).collect();
        all.extend(rows.lines().map(|line| format!("{name},{line}\n")));
        folder.write(&format!("{name}.csv"), format!("y,x\n{rows}"));
    }
    folder.write("all.csv", all);
    let compare = |file: &str, options: &[&str]| {
        folder.run(&[&["compare", file, "-f", "y ~ x", "--format", "csv"], options].concat())
    };
    let found = quoted(&compare("all.csv", &["--by", "g"]).stdout);
    let (head, rows) = found;
    let error = head.iter().position(|name| name == "error").unwrap();
    for name in ["a", "b"] {
        let alone = quoted(&compare(&format!("{name}.csv"), &[]).stdout);
        let own: Vec<Vec<String>> =
            rows.iter().filter(|row| row[0] == name).map(|row| row[1..=alone.0.len()].to_vec()).collect();
        assert_eq!(head[1..=alone.0.len()], alone.0);
        assert!(own.len() > 5);
        assert_eq!(own, alone.1, "{name}");
    }
    let none: Vec<_> = rows.iter().filter(|row| row[0] == "c").collect();
    let alone = compare("c.csv", &[]);
    assert_eq!(
        (alone.code == 1, none.len() == 1 && !none[0][error].is_empty()),
        (true, true),
        "{none:?} {}",
        alone.stdout
    );
    folder.done(&["compare", "all.csv", "-f", "y ~ x", "--by", "g", "-o", "m.parquet", "--folds", "0"]);
    for (options, said) in [
        (vec!["-f", "y ~ x", "-f", "y ~ 1"], "one formula"),
        (vec!["-f", "y ~ x", "--times"], "--times"),
        (vec!["-f", "y ~ x", "--format", "json"], "ndjson"),
    ] {
        let message = folder.refusal(2, &[&["compare", "all.csv", "--by", "g"], &options[..]].concat());
        assert!(message.contains(said), "{message}");
    }
}
