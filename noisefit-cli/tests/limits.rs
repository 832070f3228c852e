//! Hostile and damaged inputs under a limit of memory and time: an error with a sentence, never an abort, a panic or an hour.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use std::process::Stdio;
use std::time::Instant;

use common::{Folder, Run, finished, testdata};
use serde_json::{Value, json};

/// Runs the program in about 1 GB of address space, for ten seconds of the processor at most.
fn limited(folder: &Folder, arguments: &[&str]) -> Run {
    let mut command = std::process::Command::new("sh");
    command.args(["-c", "ulimit -v 1200000; ulimit -t 20; exec \"$0\" \"$@\"", env!("CARGO_BIN_EXE_noisefit")]);
    command.args(arguments).current_dir(folder.path()).stdin(Stdio::null());
    let begun = Instant::now();
    let run = finished(command);
    assert!([0, 1, 2, 3].contains(&run.code), "{arguments:?} ended with {}: {}", run.code, run.stderr);
    assert!(!run.stderr.contains("panicked") && !run.stderr.contains("overflow"), "{arguments:?}: {}", run.stderr);
    assert!(begun.elapsed().as_secs() < 120, "{arguments:?} took {:?}", begun.elapsed());
    if arguments.contains(&"json") && [0, 3].contains(&run.code) {
        serde_json::from_str::<Value>(&run.stdout).unwrap_or_else(|error| panic!("{arguments:?}: {error}"));
    }
    run
}

fn refused(folder: &Folder, arguments: &[&str], code: i32, said: &str) {
    let run = limited(folder, arguments);
    assert!(run.code == code && run.stderr.contains(said), "{arguments:?}: {} {}", run.code, run.stderr);
}

#[test]
fn designs_without_bound_are_refused_with_their_number_of_columns() {
    let folder = Folder::new();
    let rows: String = (0..3000).map(|i| format!("{},a{},b{},{}\n", i % 7, i % 1000, (i * 7) % 999, i % 5)).collect();
    folder.write("d.csv", format!("y,a,b,x\n{rows}"));
    let too_many = |formula: &str, count: &str| {
        for command in ["fit", "diagnose"] {
            refused(&folder, &[command, "d.csv", "-f", formula], 1, &format!("the terms make {count} columns"));
        }
        // With the scale's.
        refused(&folder, &["compare", "d.csv", "-f", formula], 1, "the terms make");
    };
    too_many("y ~ a:b", "999000");
    too_many("y ~ a*b", "998999");
    too_many("y ~ 0 + a:b:C(x)", "4995000");
    let network = ["fit", "d.csv", "-f", "y ~ a:b", "--model", "network"];
    refused(&folder, &network, 1, "the terms make 999000 columns");
    // What the machine has room for is fitted.
    let run = limited(&folder, &["fit", "d.csv", "-f", "y ~ x + C(x)"]);
    assert_eq!(run.code, 0, "{}", run.stderr);
}

#[test]
fn formulas_of_many_terms_take_no_longer_than_their_length() {
    let folder = Folder::new();
    let names: Vec<String> = (0..20_000).map(|i| format!("x{i}")).collect();
    folder.write("d.csv", "y,x\n1,2\n2,3\n3,5\n4,4\n");
    let fit = |formula: &str| {
        folder.write("f", formula);
        let begun = Instant::now();
        let run = limited(&folder, &["fit", "d.csv", "-f", formula]);
        assert!(begun.elapsed().as_secs() < 60, "{:?}", begun.elapsed());
        run
    };
    // A name that is there, many times; names that are not; terms that are taken away again.
    let many = |parts: &[String], by: &str| parts.join(by);
    assert_eq!(fit(&format!("y ~ {}", vec!["x"; 20_000].join(" + "))).code, 0);
    assert_eq!(fit(&format!("y ~ {}", many(&names[..10_000], " + "))).code, 1);
    assert_eq!(fit(&format!("y ~ x{}", " - x + x".repeat(8_000))).code, 0);
    let powers: Vec<String> = (0..5_000).map(|i| format!("I(x^{i})")).collect();
    assert!([0, 1, 3].contains(&fit(&format!("y ~ {}", many(&powers[..400], " + "))).code));
    refused(&folder, &["fit", "d.csv", "-f", &format!("y ~ ({})^64", names[..300].join(" + "))], 1, "");
}

/// What is asked for without a bound.
#[test]
fn numbers_without_bound_are_refused() {
    let folder = Folder::new();
    folder.write("d.csv", "y,x\n1,2\n2,3\n3,5\n4,4\n5,7\n6,6\n7,8\n8,9\n");
    let network = ["fit", "d.csv", "-f", "y ~ x", "--model", "network", "--epochs", "1"];
    for (option, value, said) in [
        ("--ensemble", "4294967295", "4294967295 networks take about"),
        ("--tune", "4294967295", "4294967295 plans take about"),
        ("--hidden", "60000,60000", "parameters"),
        ("--hidden", "4294967295,4294967295", "parameters"),
        ("--shuffle-buffer", "4294967295", "rows take about"),
    ] {
        let run = limited(&folder, &[&network[..], &[option, value]].concat());
        assert!([1, 2].contains(&run.code) && run.stderr.contains(said), "{option}: {} {}", run.code, run.stderr);
    }
    let most = u64::MAX.to_string();
    for arguments in [
        vec!["loss", "d.csv", "--truth", "y", "--prediction", "x", "--largest", &most],
        vec!["compare", "d.csv", "-f", "y ~ x", "--folds", &most],
        vec!["fit", "d.csv", "-f", "y ~ x", "--threads", "65535"],
        vec!["fit", "d.csv", "-f", "y ~ x", "--memory", "1e300GB"],
        vec!["fit", "d.csv", "-f", "y ~ x", "--vcov", "hac:18446744073709551615"],
        vec!["fit", "d.csv", "-f", "y ~ x", "--conformal", "cv+", "--folds", "65535"],
        vec!["fit", "d.csv", "-f", "y ~ x", "--vcov", "bootstrap:100001"],
        vec!["profile", "d.csv", "-f", "y ~ x", "--term", "x", "--points", "1000000", "-o", "p.csv"],
    ] {
        limited(&folder, &arguments);
    }
}

/// Model files that are not what a fit wrote.
#[test]
fn models_are_held_against_their_designs() {
    let folder = Folder::new();
    let row =
        |i: u32| format!("{},{i},{}\n", f64::from(i) + f64::from(i * 7919 % 31) / 4.0, ["a", "b"][i as usize % 2]);
    folder.write("d.csv", format!("y,x,g\n{}", (1..80).map(row).collect::<String>()));
    folder.done(&["fit", "d.csv", "-f", "y ~ x + g", "--noise", "student-t:4", "--scale", "~ x", "-o", "m.json"]);
    folder.done(&["fit", "d.csv", "-f", "y ~ x + g", "-o", "g.json"]);
    let network = ["fit", "d.csv", "-f", "y ~ x + g", "--model", "network", "--epochs", "2", "--hidden", "3"];
    folder.done(&[&network[..], &["-o", "n.json"]].concat());
    let read = |name: &str| serde_json::from_str::<Value>(&folder.read(name)).unwrap();
    let tried = |model: &Value, said: &str| {
        folder.write("bad.json", model.to_string());
        for arguments in [
            vec!["predict", "bad.json", "d.csv"],
            vec!["predict", "bad.json", "d.csv", "--interval", "0.9"],
            vec!["evaluate", "bad.json", "d.csv", "--format", "json"],
            vec!["export", "bad.json", "--onnx", "bad.onnx"],
        ] {
            let run = limited(&folder, &arguments);
            assert!(run.code == 1 && run.stderr.contains(said), "{said}: {arguments:?}: {} {}", run.code, run.stderr);
        }
    };
    let with = |name: &str, path: &str, value: Value| {
        let mut model = read(name);
        *model.pointer_mut(path).unwrap_or_else(|| panic!("{name} has no {path}")) = value;
        model
    };
    let fit = "/fits/0";
    for (df, said) in [(json!(0), "parameters that no noise has"), (json!(-1), "parameters that no noise has")] {
        tried(&with("m.json", &format!("{fit}/noise/df"), df), said);
    }
    tried(&with("m.json", &format!("{fit}/noise"), json!({"family": "student-t"})), "");
    tried(&with("m.json", &format!("{fit}/noise"), json!({"family": "huber"})), "");
    let mut longer = read("m.json");
    let matrix = longer.pointer_mut("/fits/0/scale_vcov").unwrap().as_array_mut().unwrap();
    matrix.push(json!([1.0, 2.0]));
    tried(&longer, "its scale_vcov is not a matrix of 2 by 2");
    tried(&with("m.json", "/fits/0/scale_vcov/0", json!([1.0])), "its scale_vcov is not a matrix of 2 by 2");
    tried(&with("g.json", "/fits/0/vcov", json!([[1.0]])), "its vcov is not a matrix of 3 by 3");
    tried(&with("g.json", "/fits/0/level", json!(1.0)), "a level lies between 0 and 1");
    tried(&with("g.json", "/fits/0/leverage/columns/0", json!(u64::MAX)), "leverage");
    tried(&with("g.json", "/fits/0/leverage/columns/0", json!(1u64 << 40)), "leverage");
    tried(&with("g.json", "/fits/0/leverage/factor", json!([1.0])), "leverage");
    tried(&with("g.json", "/fits/0/coefficients", json!([])), "its coefficients are not those of its formula");
    // Three categories of 300 levels each: 27 million columns.
    let levels: Vec<String> = (0..300).map(|level| format!("l{level:03}")).collect();
    let mut bomb = read("g.json");
    bomb["design"]["formula"] = json!("y ~ g:h:k");
    bomb["design"]["fields"] = json!([["y", "number"], ["g", "text"], ["h", "text"], ["k", "text"]]);
    let learned = json!({"levels": levels});
    bomb["design"]["learned"] = json!({"g": learned, "h": learned, "k": learned});
    tried(&bomb, "the terms make 27000000 columns");
    bomb["design"]["formula"] = json!(format!("y ~ {}", vec!["g"; 20_000].join(" + ")));
    tried(&bomb, "its coefficients are not those of its formula");
    let powers: Vec<String> = (0..3_000).map(|k| format!("poly(g{k}, 100, raw)")).collect();
    bomb["design"]["formula"] = json!(format!("y ~ {}", powers.join(" + ")));
    tried(&bomb, "");
    // Networks that are larger than their files.
    let embedded = json!([{"inputs": {"start": 1, "end": 2}, "width": 67_108_864}]);
    let mut vast = read("n.json");
    vast["network"]["architecture"]["embeddings"] = embedded;
    tried(&vast, "");
    tried(&with("n.json", "/network/architecture/hidden", json!([16_000, 16_000])), "the parameters of a network");
    tried(&with("n.json", "/network/architecture/hidden", json!([u64::MAX, 2])), "");
    tried(&with("n.json", "/network/architecture/inputs", json!(u64::MAX)), "");
    tried(&with("n.json", "/network/members/0/scale", json!([])), "");
    tried(&with("n.json", "/network/members/0/noise", json!([{"family": "student-t", "df": 0}])), "");
    // JSON that is deeper than any model.
    folder.write("deep.json", format!("{}1{}", "[".repeat(100_000), "]".repeat(100_000)));
    refused(&folder, &["predict", "deep.json", "d.csv"], 1, "cannot be read as a model");
}

/// A dictionary of one text of 200 kB that 5000 rows have, a group whose rows are nowhere, and three groups that are one.
#[test]
fn parquet_files_that_are_more_or_less_than_they_say() {
    let folder = Folder::new();
    let hostile = |name: &str| testdata(&format!("cases/hostile/{name}.parquet"));
    let run = limited(&folder, &["describe", &testdata("cases/long-text-of-many-rows.parquet"), "--format", "json"]);
    let json: Value = serde_json::from_str(&run.stdout).unwrap();
    assert_eq!((json["columns"][0]["distinct"].as_u64(), json["rows"].as_u64()), (Some(1), Some(5000)));
    refused(&folder, &["describe", &hostile("pq-rows-that-are-nowhere")], 1, "has 0 rows, and one of its columns 20");
    refused(&folder, &["describe", &hostile("pq-groups-that-are-one")], 1, "stands where another does");
}

/// Every file of testdata/, hostile ones among them, by every command that reads data.
#[test]
fn every_fixture_is_read_or_refused() {
    let folder = Folder::new();
    folder.write("d.csv", "y,x\n1,2\n2,3\n3,5\n4,4\n");
    folder.done(&["fit", "d.csv", "-f", "y ~ x", "-o", "m.json"]);
    let mut tried = 0;
    for name in ["", "cases", "cases/hostile", "nist"] {
        for entry in std::fs::read_dir(testdata(name)).unwrap() {
            let path = entry.unwrap().path();
            let file = path.display().to_string();
            if !path.is_file() || std::fs::metadata(&path).unwrap().len() > 60_000 {
                continue;
            }
            limited(&folder, &["describe", &file, "--format", "json"]);
            limited(&folder, &["predict", &file, "d.csv"]);
            limited(&folder, &["predict", "m.json", &file]);
            limited(&folder, &["worker", &file, "d.csv"]);
            let network = ["fit", "d.csv", "-f", "y ~ x", "--model", "network", "--epochs", "1", "--resume"];
            let copy = folder.path().join("c");
            std::fs::copy(&path, &copy).unwrap();
            std::fs::set_permissions(&copy, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
            limited(&folder, &[&network[..], &["--checkpoint", "c"]].concat());
            tried += 1;
        }
    }
    assert!(tried > 40, "{tried}");
    assert_eq!(folder.names(), ["c", "d.csv", "m.json"]);
}

/// Whatever asks for the memory that is not there: at limits from where the program can hardly be started on, so that each of the larger
/// requests is the one that fails.
#[test]
fn memory_that_ends_anywhere_is_a_failure_with_a_sentence() {
    let folder = Folder::new();
    let columns = 120;
    let cell = |i: usize, j: usize| ((i * 31 + j * 17) % 101) as f64 / 7.0 + ((i * j) % 13) as f64;
    let names: Vec<String> = (0..columns).map(|j| format!("x{j}")).collect();
    let row = |i: usize| (0..columns).map(|j| format!(",{}", cell(i, j + 1))).collect::<String>();
    let rows: String = (0..500).map(|i| format!("{}{},{}\n", i % 17, row(i), i % 23)).collect();
    folder.write("wide.csv", format!("y,{},g\n{rows}", names.join(",")));
    let within = |kilobytes: usize, arguments: &[&str]| {
        let mut command = std::process::Command::new("sh");
        let limit = format!("ulimit -v {kilobytes}; exec \"$0\" \"$@\"");
        command.args(["-c", &limit, env!("CARGO_BIN_EXE_noisefit")]).args(arguments);
        command.current_dir(folder.path()).stdin(Stdio::null());
        finished(command)
    };
    let least = (1..200).map(|k| k * 10_000).find(|limit| within(*limit, &["--version"]).code == 0).unwrap();
    let formula = "y ~ . - g";
    let commands: [&[&str]; 5] = [
        &["fit", "wide.csv", "-f", formula, "--vcov", "hc3", "-o", "m.json"],
        &["fit", "wide.csv", "-f", formula, "--noise", "student-t", "--vcov", "cluster:g"],
        &["diagnose", "wide.csv", "-f", formula, "--rows", "rows.parquet"],
        &["fit", "wide.csv", "-f", formula, "--model", "network", "--epochs", "2", "--hidden", "64"],
        &["describe", "wide.csv"],
    ];
    for arguments in commands {
        let mut ended = 0;
        for step in (0..16).map(|k| k * 4_000) {
            let run = within(least + step, arguments);
            assert!([0, 1, 3].contains(&run.code), "{arguments:?}: {} {}", run.code, run.stderr);
            assert!(
                !run.stderr.contains("panicked") && !run.stderr.contains("overflow"),
                "{arguments:?}: {}",
                run.stderr
            );
            assert!(run.code != 1 || run.stderr.contains("memory"), "{arguments:?}: {}", run.stderr);
            ended += usize::from(run.code == 1);
        }
        assert!(ended > 0, "{arguments:?}");
    }
}
