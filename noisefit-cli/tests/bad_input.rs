//! What goes wrong, and what the user is told: the place, the value, what to do; never a panic.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking, also in its helpers")]

mod common;

use common::{Folder, finished, gzip, zstd};
use serde_json::Value;

const GOOD: &str = "y,x,g\n1,2,a\n2,3,b\n3.5,5,a\n4,7,b\n5,6,a\n";

/// A folder with `good.csv` and a model of it, `model.json`.
fn folder() -> Folder {
    let folder = Folder::new();
    folder.write("good.csv", GOOD);
    folder.done(&["fit", "good.csv", "-f", "y ~ g + x", "-o", "model.json"]);
    folder
}

/// What `fit -f 'y ~ x'` says of a file with this content.
fn of_csv(content: impl AsRef<[u8]>, options: &[&str]) -> String {
    let folder = Folder::new();
    folder.write("d.csv", content);
    folder.refusal(1, &[&["fit", "d.csv", "-f", "y ~ x"], options].concat())
}

#[test]
fn files_that_are_not_there_or_empty() {
    let folder = folder();
    assert_eq!(folder.refusal(1, &["fit", "god.csv", "-f", "y ~ x"]), "no such file: god.csv; did you mean good.csv?");
    assert_eq!(folder.refusal(1, &["fit", "no/*.csv", "-f", "y ~ x"]), "no file matches no/*.csv");
    assert_eq!(folder.refusal(1, &["predict", "weather.json", "good.csv"]), "no such file: weather.json");
    assert_eq!(of_csv("", &[]), "d.csv is empty: it has neither a header nor a record");
    assert_eq!(of_csv("y,x\n", &[]), "d.csv: there is a header but no row; a fit needs rows of data");
    assert_eq!(
        folder.refusal(1, &["fit", "-", "--input-format", "csv", "-f", "y ~ x"]),
        "standard input is empty: it has neither a header nor a record"
    );
    assert!(folder.refusal(1, &["fit", "-", "-f", "y ~ x"]).contains("standard input"));
}

#[test]
fn damaged_text() {
    assert_eq!(
        of_csv("y,x\n1,2\n2,3,4\n", &[]),
        "d.csv, line 3 (record 2): 3 fields where 2 were expected, with `,` between fields; a field that contains the \
         delimiter must be in double quotes"
    );
    assert_eq!(
        of_csv("y,x\n1,2\n2,abc\n3,1\n4,5\n5,5\n", &[]),
        "d.csv, line 3 (record 2), column `x`: `abc` is not a number; if it stands for a missing value, say --na 'abc'; if \
         the column is text, say --text 'x'"
    );
    assert_eq!(
        of_csv("y,x,x\n1,2,3\n", &[]),
        "d.csv: columns 2 and 3 are both named `x`; rename one of them (if the first line is data, not names, say \
         --no-header)"
    );
    assert_eq!(
        of_csv(b"y,x\n1,tea\n2,caf\xe9\n", &[]),
        "d.csv, line 3 (record 2), column `x`: not UTF-8; convert the file, for example with `iconv -f latin1 -t utf-8`"
    );
}

#[test]
fn values_that_cannot_be_fitted() {
    assert_eq!(
        of_csv("y,x\n1,2\ninf,3\n3,4\n", &[]),
        "d.csv, record 2: column y is inf; values must be finite; leave such records out or mark them as missing"
    );
    assert_eq!(
        of_csv("y,x\n1,2\n2,3\n3,-Infinity\n", &[]),
        "d.csv, record 3: column x is -inf; values must be finite; leave such records out or mark them as missing"
    );
    let folder = folder();
    folder.write("zero.csv", "y,x\n1,2\n2,0\n3,4\n");
    assert_eq!(
        folder.refusal(1, &["fit", "zero.csv", "-f", "y ~ log(x)"]),
        "zero.csv, record 2: log(x) is -inf where x = 0; every term must be finite; leave such records out or transform the \
         column differently"
    );
    assert_eq!(
        folder.refusal(1, &["fit", "good.csv", "-f", "g ~ x"]),
        "\ng ~ x\n^\nthe response must be numbers, and 'g' holds text; columns of numbers are y, x"
    );
}

#[test]
fn missing_values() {
    assert_eq!(
        of_csv("y,x\n1,NA\nNA,3\n,5\n", &[]),
        "d.csv: nothing to fit: each of 3 rows has a missing value; --missing fail names the first, --na a text that stands \
         for one"
    );
    assert_eq!(
        of_csv("y,x\n1,2\n2,\n3,5\n", &["--missing", "fail"]),
        "d.csv, record 2, column `x`: the value is missing; without --missing fail such records are left out and counted"
    );
}

#[test]
fn weights_that_are_none() {
    let data = "y,x,w\n1,2,1\n2,3,-1\n3,5,1.5\n";
    assert_eq!(
        of_csv(data, &["--weights", "w"]),
        "d.csv, record 2: the weight w is -1; it must be positive, or zero to leave the record out"
    );
    assert_eq!(
        of_csv(data, &["--weights", "1/(w - 1)"]),
        "d.csv, record 1: the weight 1/(w - 1) is inf where w = 1; it must be positive, or zero to leave the record out"
    );
    assert_eq!(
        of_csv("y,x,w\n1,2,1\n2,3,1\n3,5,1.5\n", &["--frequency-weights", "w"]),
        "d.csv, record 3: the frequency w is 1.5; it must be a whole number, zero to leave the record out; precisions are \
         --weights, and one over the probability of being drawn is --sampling-weights"
    );
    let zeros = "y,x,w\n1,2,0\n2,3,0\n";
    for option in ["--weights", "--frequency-weights"] {
        assert_eq!(of_csv(zeros, &[option, "w"]), "d.csv: nothing to fit: the weight of each of 2 rows is zero");
    }
    assert_eq!(
        of_csv("y,x,w\n1,2,0\nNA,3,1\n", &["--weights", "w"]),
        "d.csv: nothing to fit: of 2 rows, 1 with a missing value and 1 with a weight of zero are left out"
    );
}

#[test]
fn formulas_point_at_the_place() {
    let folder = folder();
    assert_eq!(
        folder.refusal(1, &["fit", "good.csv", "-f", "y ~ x + incom"]),
        "\ny ~ x + incom\n        ^^^^^\nno column 'incom'; the columns are y, x, g"
    );
    assert_eq!(
        folder.refusal(1, &["fit", "good.csv", "-f", "y ~ x", "--weights", "1/v"]),
        "\n1/v\n  ^\nno column 'v'; the columns are y, x, g"
    );
    // What is wrong whatever the data is wrong usage.
    assert_eq!(folder.refusal(2, &["fit", "good.csv", "-f", "y ~ (x"]), "\ny ~ (x\n    ^\nthis '(' is not closed");
    assert_eq!(
        folder.refusal(2, &["fit", "good.csv", "-f", "y ~ lgo(x)"]).lines().nth(3).unwrap().split(';').next(),
        Some("unknown function 'lgo'")
    );
    assert!(folder.refusal(2, &["fit", "good.csv", "-f", "~ x"]).contains("response"));
    assert!(folder.refusal(2, &["fit", "good.csv", "-f", "y ~ x", "--weights", "x +"]).contains("operand is missing"));
}

#[test]
fn damaged_files() {
    let folder = folder();
    folder.done(&["predict", "model.json", "good.csv", "--keep-all", "-o", "whole.parquet"]);
    let whole = std::fs::read(folder.path().join("whole.parquet")).unwrap();
    for length in [4, whole.len() / 2, whole.len() - 20, whole.len() - 1] {
        folder.write("cut.parquet", &whole[..length]);
        let message = folder.refusal(1, &["fit", "cut.parquet", "-f", "y ~ x"]);
        assert!(message.starts_with("cut.parquet cannot be read as Parquet: "), "{message}");
        assert!(message.ends_with("the file is truncated, damaged or of another format"), "{message}");
    }
    for (name, format, compressed) in [("cut.csv.gz", "gzip", gzip(GOOD)), ("cut.csv.zst", "zstd", zstd(GOOD))] {
        folder.write(name, &compressed[..compressed.len() - 12]);
        let message = folder.refusal(1, &["fit", name, "-f", "y ~ x"]);
        assert!(message.starts_with(&format!("{name} cannot be read as {format}: ")), "{message}");
        assert!(message.ends_with("the file is truncated"), "{message}");
    }
    folder.write("binary.csv", b"\0\x01\x02\x03");
    assert!(
        folder.refusal(1, &["fit", "binary.csv", "-f", "y ~ x"]).starts_with("binary.csv cannot be read as text: ")
    );
    folder.write("d.ndjson", "{\"y\": 1, \"x\": 2}\n{\"y\": 2, \"x\": }\n");
    let message = folder.refusal(1, &["fit", "d.ndjson", "-f", "y ~ x"]);
    assert!(message.starts_with("d.ndjson, line 2: not a JSON object"), "{message}");
}

#[test]
fn folders_of_files_that_differ() {
    let folder = folder();
    folder.write("mixed/a.csv", GOOD);
    folder.write("mixed/b.csv", "y,z,g\n1,2,a\n");
    assert_eq!(
        folder.refusal(1, &["fit", "mixed", "-f", "y ~ x"]),
        "mixed/b.csv does not go with mixed/a.csv: its column 2 is `z`, not `x`; read them apart, or make them alike"
    );
    folder.write("notes/readme.txt", "nothing");
    assert!(folder.refusal(1, &["fit", "notes", "-f", "y ~ x"]).starts_with("no data files in the folder notes:"));
}

#[test]
fn targets_that_cannot_be_written() {
    let folder = folder();
    let before = folder.names();
    for arguments in [
        &["fit", "good.csv", "-f", "y ~ x", "-o", "no/m.json"][..],
        &["predict", "model.json", "good.csv", "-o", "no/m.json"],
        &["predict", "model.json", "good.csv", "-o", "no/p.csv"],
        &["predict", "model.json", "good.csv", "-o", "no/p.parquet"],
    ] {
        let message = folder.refusal(1, arguments);
        let target = arguments[arguments.len() - 1];
        let why = if target.ends_with("json") && arguments[0] == "predict" {
            "name a file that ends in .csv, .tsv, .ndjson or .parquet"
        } else {
            "there is no folder no"
        };
        assert_eq!(message, format!("cannot write {target}: {why}"));
    }
    assert!(folder.refusal(1, &["fit", "good.csv", "-f", "y ~ x", "-o", "."]).starts_with("cannot write .: "));
    assert_eq!(folder.names(), before, "nothing is left behind");
}

#[cfg(target_os = "linux")]
#[test]
fn full_disks() {
    let folder = folder();
    let full = || std::fs::File::options().write(true).open("/dev/full").unwrap();
    for arguments in [
        &["fit", "good.csv", "-f", "y ~ x"][..],
        &["fit", "good.csv", "-f", "y ~ x", "--format", "json"],
        &["predict", "model.json", "good.csv"],
        &["evaluate", "model.json", "good.csv"],
        &["completions", "bash"],
        &["manual"],
        &["--help"],
        &["fit", "--help"],
        &["--version"],
    ] {
        let mut command = folder.command(arguments);
        command.stdout(full());
        let run = finished(command);
        assert_eq!(run.code, 1, "{arguments:?}");
        let expected = "noisefit: cannot write standard output: No space left on device (os error 28)\n";
        assert_eq!(run.stderr, expected, "{arguments:?}");
    }
    for name in ["full.json", "full.csv", "full.parquet"] {
        std::os::unix::fs::symlink("/dev/full", folder.path().join(name)).unwrap();
        let message = format!("noisefit: cannot write {name}: No space left on device (os error 28)\n");
        let run = match name {
            "full.json" => folder.run(&["fit", "good.csv", "-f", "y ~ x", "-o", name]),
            _ => folder.run(&["predict", "model.json", "good.csv", "-o", name]),
        };
        assert_eq!((run.code, &run.stderr), (1, &message));
        // What took work is not lost with the file.
        assert_eq!(run.stdout.contains("noise scale"), name == "full.json", "{}", run.stdout);
    }
}

#[cfg(unix)]
#[test]
fn closed_pipes_end_quietly() {
    let folder = folder();
    for arguments in [
        &["fit", "good.csv", "-f", "y ~ x"][..],
        &["predict", "model.json", "good.csv"],
        &["evaluate", "model.json", "good.csv"],
        &["completions", "zsh"],
        &["--help"],
    ] {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let mut command = folder.command(arguments);
        command.stdout(writer);
        let run = finished(command);
        assert_eq!((run.code, run.stderr.as_str()), (0, ""), "{arguments:?}");
        // With nobody to tell, a failure is still an exit code and no panic.
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let mut command = folder.command(&["fit", "nothing.csv", "-f", "y ~ x"]);
        command.stderr(writer);
        assert_eq!(finished(command).code, 1);
    }
}

#[test]
fn data_that_do_not_go_with_the_model() {
    let folder = folder();
    folder.write("new.csv", "y,x,g\n1,2,a\n2,3,c\n");
    let unseen = "new.csv, record 2: 'c' is a level of g that the model was not fitted to; it knows a, b; leave such \
                  records out, or ask for unseen levels as missing: --unseen missing";
    assert_eq!(folder.refusal(1, &["evaluate", "model.json", "new.csv"]), unseen);
    assert_eq!(folder.refusal(1, &["predict", "model.json", "new.csv", "-o", "p.csv"]), unseen);
    assert!(!folder.names().contains(&"p.csv".to_owned()));
    let run = folder.run(&["predict", "model.json", "new.csv", "--keep", "g", "--unseen", "missing"]);
    assert_eq!(run.stdout.lines().nth(2), Some("c,"));
    assert_eq!(
        (run.code, run.stderr.as_str()),
        (0, "warning: 1 row with a missing value: the prediction is missing, too\n")
    );

    folder.write("text.csv", "y,x,g\n1,p,a\n2,q,b\n");
    folder.write("numbers.csv", "y,x,g\n1,1,1\n2,1,2\n");
    folder.write("less.csv", "y,g\n1,a\n2,b\n");
    for (name, message) in [
        (
            "text.csv",
            "text.csv, line 2 (record 1), column `x`: `p` is not a number; if it stands for a missing value, say --na 'p'",
        ),
        (
            "numbers.csv",
            "numbers.csv, record 1: '1' is a level of g that the model was not fitted to; it knows a, b; leave such records \
             out, or ask for unseen levels as missing: --unseen missing",
        ),
        ("less.csv", "less.csv has no column `x`, which the model needs; its columns are y, g"),
    ] {
        assert_eq!(folder.refusal(1, &["predict", "model.json", name, "-o", "p.csv"]), message);
        assert_eq!(folder.refusal(1, &["evaluate", "model.json", name]), message);
    }
    assert_eq!(
        folder.refusal(1, &["predict", "model.json", "good.csv", "--keep", "z"]),
        "--keep z: no such column; the columns are y, x, g"
    );
    folder.done(&["fit", "less.csv", "-f", "y ~ g", "-o", "exact.json"]);
    assert_eq!(
        folder.refusal(1, &["predict", "exact.json", "less.csv", "--interval", "0.9"]),
        "exact.json: the model has as many coefficients as observations, so there are no intervals; leave out --interval"
    );
}

#[test]
fn damaged_models() {
    let folder = folder();
    let model = folder.read("model.json");
    let refusal = |content: &str| {
        folder.write("m.json", content);
        let message = folder.refusal(1, &["evaluate", "m.json", "good.csv"]);
        assert_eq!(folder.refusal(1, &["predict", "m.json", "good.csv", "--interval", "0.9"]), message);
        message.strip_prefix("m.json cannot be read as a model: ").unwrap_or(&message).to_owned()
    };
    for length in [0, 10, model.len() / 2, model.len() - 3] {
        let message = refusal(&model[..length]);
        assert!(message.contains(" at line "), "{message}");
        assert!(message.ends_with("; a model is what `noisefit fit ... -o model.json` writes"), "{message}");
    }
    assert!(refusal("[]").starts_with("it has no schema; a model is what"));
    assert!(
        refusal("{\"schema\": \"noisefit.fit/1\"}").starts_with("its schema is noisefit.fit/1, not noisefit.model/2;")
    );
    assert!(
        refusal(&model.replace("noisefit.model/2", "noisefit.model/3"))
            .contains("use a newer noisefit or fit it again")
    );
    assert_eq!(
        refusal(&model.replace("noisefit.model/2", "noisefit.model/1")),
        "it is of schema noisefit.model/1, which an older noisefit wrote for Gaussian noise alone; fit it again"
    );

    let edited = |edit: &dyn Fn(&mut Value)| {
        let mut value: Value = serde_json::from_str(&model).unwrap();
        edit(&mut value);
        refusal(&value.to_string())
    };
    assert_eq!(edited(&|m| m["fits"][0]["scale"] = (-2).into()), "its scale is -2, and none is negative; fit it again");
    assert_eq!(edited(&|m| m["fits"] = Vec::<Value>::new().into()), "it has no fit; fit it again");
    assert_eq!(
        edited(&|m| m["fits"] = vec![m["fits"][0].clone(), m["fits"][0].clone()].into()),
        "it has several fits that are not quantiles; fit it again"
    );
    for edit in [
        &(|m: &mut Value| m["fits"][0]["scale"] = Value::Null) as &dyn Fn(&mut Value),
        &|m| m["fits"][0]["scale_coefficients"] = m["fits"][0]["coefficients"].clone(),
        &|m| m["design"]["scale"] = "~ x".into(),
        &|m| m["fits"][0]["location_variance"] = Value::Null,
    ] {
        let message = edited(edit);
        assert!(message.starts_with("it has ") || message.starts_with("its scale_coefficients are not"), "{message}");
    }
    assert_eq!(
        edited(&|m| m["fits"][0]["coefficients"].as_array_mut().unwrap().truncate(2)),
        "its coefficients are not those of its formula, (Intercept), g[b], x; fit it again"
    );
    assert_eq!(
        edited(&|m| m["fits"][0]["df_residual"] = 0.into()),
        "its residual_std_error and leverage do not go with its df_residual 0; fit it again"
    );
    for edit in [
        &(|m: &mut Value| m["fits"][0]["leverage"]["factor"].as_array_mut().unwrap().truncate(3))
            as &dyn Fn(&mut Value),
        &|m| m["fits"][0]["leverage"]["columns"] = vec![0, 99].into(),
        &|m| m["fits"][0]["leverage"]["intercept"] = false.into(),
        &|m| m["fits"][0]["leverage"]["shifts"] = Vec::<f64>::new().into(),
    ] {
        assert_eq!(edited(edit), "its leverage does not go with its coefficients; fit it again");
    }
    assert!(edited(&|m| m["fits"][0]["coefficients"][0]["estimate"] = "1".into()).contains("expected f64"));
    assert!(edited(&|m| m["fits"][0]["noise"] = "cauchy".into()).ends_with("; fit it again"));
    assert!(
        edited(&|m| m["design"]["learned"]["g"]["levels"] = vec!["b", "a"].into()).contains("learned for g is damaged")
    );
    assert!(edited(&|m| m["design"]["formula"] = "y ~ g + ".into()).contains("operand is missing"));
    assert!(edited(&|m| m["design"]["formula"] = "y ~ g".into()).contains("its coefficients are not those"));
}

#[test]
fn wrong_usage() {
    let folder = folder();
    for (arguments, said) in [
        (&["fit", "good.csv", "-f", "y ~ x", "--bogus"][..], "unexpected argument '--bogus'"),
        (&["fit", "good.csv"], "--formula"),
        (&["fit", "good.csv", "-f", "y ~ x", "--level", "1.5"], "a level lies between 0 and 1"),
        (&["fit", "good.csv", "-f", "y ~ x", "--level", "NaN"], "a level lies between 0 and 1"),
        (&["fit", "good.csv", "-f", "y ~ x", "--noise", "weibull"], "no noise family 'weibull'; there are gaussian"),
        (&["fit", "good.csv", "-f", "y ~ x", "--memory", "9Q"], "such as 512MB"),
        (&["fit", "good.csv", "-f", "y ~ x", "--threads", "0"], "0 is not in 1..=65535"),
        (
            &["predict", "model.json", "good.csv", "--interval", "0.9", "both"],
            "followed by prediction, conformal or confidence",
        ),
        (&["predict", "model.json", "good.csv", "--interval", "2"], "a level lies between 0 and 1"),
        (&["predict", "model.json", "good.csv", "--keep", "x", "--keep-all"], "cannot be used with"),
        (&["frobnicate"], "unrecognized subcommand 'frobnicate'"),
    ] {
        let message = folder.refusal(2, arguments);
        assert!(message.contains(said), "{message}");
    }
}
