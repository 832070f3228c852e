//! Files that are read and written: none that is read is written over, whatever it is called; what cannot be written is said
//! first; what a terminal would obey is not printed.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use std::collections::BTreeMap;

use common::{Folder, finished};

const DATA: &str = "y,x,g\n1,1,a\n2,2,b\n2.5,3,a\n4.5,4,b\n5,5,a\n6.5,6,b\n7,7,a\n8.5,8,b\n";

/// A folder with data `d.csv`, a linear model `m.json` and a network `n.json`.
fn folder() -> Folder {
    let folder = Folder::new();
    folder.write("d.csv", DATA);
    folder.done(&["fit", "d.csv", "-f", "y ~ x", "-o", "m.json"]);
    folder.done(&["fit", "d.csv", "-f", "y ~ x", "--model", "network", "--epochs", "2", "-o", "n.json"]);
    folder
}

/// How each command is called that can write a file, with the files that it reads.
fn calls() -> BTreeMap<&'static str, (Vec<&'static str>, Vec<&'static str>)> {
    BTreeMap::from([
        ("fit", (vec!["d.csv", "-f", "y ~ x", "--solver", "train", "--epochs", "2"], vec!["d.csv"])),
        ("predict", (vec!["m.json", "d.csv"], vec!["m.json", "d.csv"])),
        ("diagnose", (vec!["d.csv", "-f", "y ~ x"], vec!["d.csv"])),
        ("profile", (vec!["d.csv", "-f", "y ~ x", "--term", "x"], vec!["d.csv"])),
        ("compare", (vec!["d.csv", "-f", "y ~ x"], vec!["d.csv"])),
        ("plot", (vec!["residuals", "m.json", "d.csv"], vec!["m.json", "d.csv"])),
        ("report", (vec!["m.json", "d.csv"], vec!["m.json", "d.csv"])),
        ("table", (vec!["m.json", "n.json"], vec!["m.json", "n.json"])),
        ("export", (vec!["n.json"], vec!["n.json"])),
        ("effects", (vec!["m.json", "d.csv"], vec!["m.json", "d.csv"])),
    ])
}

fn called<'a>(command: &'a str, call: &[&'a str], more: &[&'a str]) -> Vec<&'a str> {
    std::iter::once(command).chain(call.iter().copied()).chain(more.iter().copied()).collect()
}

/// The options of every command whose value is a file, as its help lists them.
fn options(folder: &Folder) -> Vec<(String, String)> {
    let help = folder.done(&["--help"]);
    let commands =
        help.lines().skip_while(|line| !line.starts_with("Commands:")).skip(1).take_while(|line| !line.is_empty());
    let names: Vec<String> = commands
        .filter(|line| line.starts_with("  ") && !line.starts_with("   "))
        .filter_map(|line| line.split_whitespace().next().map(str::to_owned))
        .filter(|name| name != "help")
        .collect();
    assert!(names.len() >= 10, "{names:?}");
    let mut found = Vec::new();
    for command in names {
        let help = folder.done(&[&command, "--help"]);
        for line in help.lines().filter(|line| line.contains("<FILE") || line.contains(".json>")) {
            if let Some(option) = line.split_whitespace().find(|word| word.starts_with("--")) {
                found.push((command.clone(), option.to_owned()));
            }
        }
    }
    assert!(found.len() >= 15, "{found:?}");
    found
}

#[test]
fn no_output_is_an_input_whatever_it_is_called() {
    let folder = folder();
    let at = |name: &str| folder.path().join(name);
    let before = ["d.csv", "m.json", "n.json"].map(|name| folder.read(name));
    let mut tried = 0;
    for (command, option) in options(&folder) {
        let calls = calls();
        let (call, inputs) = calls.get(command.as_str()).unwrap_or_else(|| panic!("say how {command} is called"));
        for input in inputs {
            std::os::unix::fs::symlink(at(input), at("link.csv")).unwrap();
            std::fs::hard_link(at(input), at("hard.csv")).unwrap();
            let absolute = at(input).display().to_string();
            for name in [*input, &format!("./{input}"), &absolute, "link.csv", "hard.csv"] {
                let message = folder.refusal(2, &called(&command, call, &[&option, name]));
                let said = if *input == "d.csv" { "that is a file of the data" } else { "that is the model itself" };
                assert!(message.contains(said) && message.contains(&option), "{command} {option} {name}: {message}");
                tried += 1;
            }
            ["link.csv", "hard.csv"].iter().for_each(|name| std::fs::remove_file(at(name)).unwrap());
        }
    }
    assert!(tried >= 95, "{tried}");
    assert_eq!(before, ["d.csv", "m.json", "n.json"].map(|name| folder.read(name)));
    assert_eq!(folder.names(), ["d.csv", "m.json", "n.json"]);
}

#[test]
fn two_outputs_are_not_one_file() {
    let folder = folder();
    let all = options(&folder);
    for (place, (command, one)) in all.iter().enumerate() {
        for (_, other) in all[..place].iter().filter(|(other, _)| other == command) {
            let (call, _) = &calls()[command.as_str()];
            let message = folder.refusal(2, &called(command, call, &[one, "new.csv", other, "./new.csv"]));
            assert!(message.contains("names the same file"), "{message}");
        }
    }
    // The trials of a search stand beside its checkpoint.
    let search =
        ["fit", "d.csv", "-f", "y ~ x", "--model", "network", "--epochs", "2", "--tune", "2", "--checkpoint", "c"];
    for option in ["-o", "--report"] {
        let message = folder.refusal(2, &[&search[..], &[option, "./c.trials.json"]].concat());
        assert!(message.contains("names the same file"), "{option}: {message}");
    }
    // What is no file is written to by as many as like.
    folder.done(&["export", "n.json", "--onnx", "/dev/null", "--safetensors", "/dev/null"]);
    assert_eq!(folder.names(), ["d.csv", "m.json", "n.json"]);
}

#[test]
fn files_of_folders_patterns_and_standard_input_are_inputs_too() {
    let folder = folder();
    folder.write("many/a.csv", DATA);
    folder.write("many/b.csv", DATA);
    for data in ["many", "many/*.csv", "man?/b.csv"] {
        let message = folder.refusal(2, &["predict", "m.json", data, "-o", "many/b.csv"]);
        assert!(message.contains("that is a file of the data"), "{message}");
    }
    folder.done(&["predict", "m.json", "many", "-o", "many/c.csv"]);
    let mut command = folder.command(&["predict", "m.json", "-", "--input-format", "csv", "-o", "d.csv"]);
    command.stdin(std::fs::File::open(folder.path().join("d.csv")).unwrap());
    let run = finished(command);
    assert!(run.code == 2 && run.stderr.contains("that is a file of the data"), "{}", run.stderr);
    // The trials of a search stand beside its checkpoint.
    folder.write("c.trials.json", DATA);
    let arguments =
        ["fit", "c.trials.json", "--input-format", "csv", "-f", "y ~ x", "--model", "network", "--tune", "2"];
    let message = folder.refusal(2, &[&arguments[..], &["--checkpoint", "c"]].concat());
    assert!(message.contains("that is a file of the data"), "{message}");
    assert_eq!(folder.read("c.trials.json"), DATA);
}

#[cfg(target_os = "linux")]
#[test]
fn names_need_not_be_unicode() {
    use std::os::unix::ffi::OsStrExt;
    let folder = folder();
    let name = std::ffi::OsStr::from_bytes(b"caf\xe9.csv");
    std::fs::create_dir(folder.path().join("odd")).unwrap();
    std::fs::write(folder.path().join("odd").join(name), DATA).unwrap();
    let mut command = folder.command(&["fit", "-f", "y ~ x"]);
    command.arg(std::path::Path::new("odd").join(name));
    assert_eq!(finished(command).code, 0);
    for data in ["odd", "odd/*.csv", "o*/caf?.csv"] {
        folder.done(&["fit", data, "-f", "y ~ x"]);
        let mut command = folder.command(&["predict", "m.json", data, "-o"]);
        command.arg(std::path::Path::new("odd").join(name));
        let run = finished(command);
        assert!(run.code == 2 && run.stderr.contains("that is a file of the data"), "{}", run.stderr);
    }
}

#[test]
fn what_cannot_be_written_is_said_before_anything_is_read() {
    let folder = folder();
    for (command, option) in options(&folder) {
        let calls = calls();
        let (call, _) = &calls[command.as_str()];
        // Data that are not there would be complained about later.
        let call: Vec<&str> = call.iter().map(|word| if *word == "d.csv" { "absent.csv" } else { word }).collect();
        let message = folder.refusal(1, &called(&command, &call, &[&option, "none/out.csv"]));
        assert!(message.contains("there is no folder none"), "{command} {option}: {message}");
    }
    let path = folder.path().join("kept.csv");
    std::fs::write(&path, "old").unwrap();
    let mut permissions = std::fs::metadata(&path).unwrap().permissions();
    permissions.set_readonly(true);
    std::fs::set_permissions(&path, permissions).unwrap();
    let message = folder.refusal(1, &["predict", "m.json", "absent.csv", "-o", "kept.csv"]);
    assert!(message.contains("the file is read-only"), "{message}");
}

#[cfg(unix)]
#[test]
fn a_reader_who_goes_away_is_forgiven_on_standard_output_alone() {
    use std::process::{Command, Stdio};
    let folder = folder();
    folder.write("long.csv", format!("y,x\n{}", "1.5,2.25\n".repeat(40_000)));
    let pipe = folder.path().join("pipe.csv");
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let mut reader = Command::new("head").args(["-c", "10"]).arg(&pipe).stdout(Stdio::null()).spawn().unwrap();
    let run = folder.run(&["predict", "m.json", "long.csv", "-o", "pipe.csv"]);
    assert!(run.code == 1 && run.stderr.contains("cannot write pipe.csv: Broken pipe"), "{} {}", run.code, run.stderr);
    reader.wait().unwrap();
    let mut command = folder.command(&["predict", "m.json", "long.csv"]);
    let mut running = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    drop(running.stdout.take());
    assert!(running.wait().unwrap().success());
}

#[test]
fn names_and_levels_of_strangers_are_shown_and_not_obeyed() {
    let folder = Folder::new();
    let escape = "\u{1b}]0;owned\u{7}\u{9b}2J";
    folder.write("d.csv", DATA.replace('g', &format!("g{escape}")).replace(",a\n", &format!(",a{escape}\n")));
    let formula = format!("y ~ x + `g{escape}`");
    let runs = [
        folder.run(&["describe", "d.csv"]),
        folder.run(&["describe", "d.csv", "--format", "json"]),
        folder.run(&["fit", "d.csv", "-f", &formula, "-o", "m.json"]),
        folder.run(&["fit", "d.csv", "-f", &formula, "--format", "json"]),
        folder.run(&["fit", "d.csv", "-f", "y ~ z"]),
        folder.run(&["compare", "d.csv", "-f", &formula]),
        folder.run(&["diagnose", "d.csv", "-f", &formula]),
        folder.run(&["evaluate", "m.json", "d.csv"]),
        folder.run(&["export", "m.json", "--onnx", "m.onnx"]),
    ];
    for run in runs {
        let obeyed = |c: char| c.is_control() && c != '\n';
        assert!(!run.stdout.contains(obeyed) && !run.stderr.contains(obeyed), "{:?} {:?}", run.stdout, run.stderr);
    }
    let json: serde_json::Value =
        serde_json::from_str(&folder.done(&["describe", "d.csv", "--format", "json"])).unwrap();
    assert_eq!(json["columns"][2]["name"], format!("g{escape}"));
    // What a program reads is as it is.
    assert!(folder.done(&["predict", "m.json", "d.csv", "--keep-all"]).contains(escape));
}

#[test]
fn a_sum_beyond_the_largest_double_is_said() {
    let folder = Folder::new();
    folder.write("d.csv", "y,p\n1e300,-1e300\n1,2\n");
    let run = folder.run(&["loss", "d.csv", "--truth", "y", "--prediction", "p"]);
    assert!(run.code == 0 && run.stderr.contains("the sum is beyond the largest double"), "{}", run.stderr);
    folder.write("d.csv", "y,p\n1,2\n2,2\n");
    let run = folder.run(&["loss", "d.csv", "--truth", "y", "--prediction", "p"]);
    assert_eq!((run.code, run.stderr.as_str()), (0, ""));
}

/// A shell sent standard output to a file: what is written to `/dev/stdout` stands there, before what else is said.
#[test]
#[cfg(unix)]
fn standard_output_by_its_path_is_the_file_of_the_shell() {
    let folder = folder();
    let out = folder.path().join("out");
    let mut command = folder.command(&["fit", "d.csv", "-f", "y ~ x", "-o", "/dev/stdout"]);
    command.stdout(std::fs::File::create(&out).unwrap());
    assert!(command.status().unwrap().success());
    let text = folder.read("out");
    assert!(text.starts_with('{') && text.contains("observations"), "{text}");
    let whole: usize = text.matches("\"schema\"").count();
    assert_eq!(whole, 1, "{text}");
}

/// Of a file that grows beyond what may be written: an error, the result all the same, and nothing left behind.
#[cfg(unix)]
#[test]
fn what_cannot_be_written_after_all_is_printed() {
    let folder = folder();
    let rows: String = (0..3000).map(|i| format!("{},{}\n", i % 7, i)).collect();
    folder.write("long.csv", format!("y,x\n{rows}"));
    let names = folder.names();
    let limited = |arguments: &[&str]| {
        let mut command = std::process::Command::new("sh");
        command.args(["-c", "ulimit -f 1; exec \"$0\" \"$@\"", env!("CARGO_BIN_EXE_noisefit")]);
        command.args(arguments).current_dir(folder.path()).stdin(std::process::Stdio::null());
        let run = finished(command);
        assert!(run.code == 1 && run.stderr.contains("File too large"), "{arguments:?}: {} {}", run.code, run.stderr);
        assert_eq!(folder.names(), names, "{arguments:?}");
        run.stdout
    };
    for (arguments, said) in [
        (vec!["fit", "d.csv", "-f", "y ~ x", "-o", "out.json"], "std_error"),
        (vec!["fit", "d.csv", "-f", "y ~ x", "--report", "out.html", "--format", "json"], "\"coefficients\""),
        (vec!["diagnose", "d.csv", "-f", "y ~ x", "--report", "out.html"], "Breusch-Pagan"),
        (vec!["diagnose", "long.csv", "-f", "y ~ x", "--rows", "out.csv"], "Breusch-Pagan"),
        (vec!["diagnose", "long.csv", "-f", "y ~ x", "--rows", "out.parquet", "--dfbetas"], "Breusch-Pagan"),
        (
            vec!["fit", "long.csv", "-f", "y ~ x", "--solver", "train", "--epochs", "40", "--trace", "out.csv"],
            "(Intercept)",
        ),
        (vec!["compare", "d.csv", "-f", "y ~ x", "--folds", "0", "--report", "out.html"], "laplace"),
        (vec!["profile", "d.csv", "-f", "y ~ x", "--term", "x", "--points", "200", "-o", "out.csv"], "x"),
    ] {
        let printed = limited(&arguments);
        assert!(printed.contains(said), "{arguments:?}: {printed}");
    }
    assert_eq!(limited(&["predict", "m.json", "long.csv", "-o", "out.csv"]), "");
}

/// In a folder that all may write to stands a file that its owner alone may.
#[cfg(target_os = "linux")]
#[test]
fn a_file_that_this_user_may_not_write_to_is_not_replaced() {
    use std::os::unix::fs::PermissionsExt;
    let folder = folder();
    let set = |name: &str, mode| {
        std::fs::set_permissions(folder.path().join(name), std::fs::Permissions::from_mode(mode)).unwrap();
    };
    folder.write("kept.json", "{}");
    for (name, mode) in [("kept.json", 0o644), ("d.csv", 0o644), (".", 0o777)] {
        set(name, mode);
    }
    let stranger = |arguments: &[&str]| {
        let mut command = std::process::Command::new("setpriv");
        command.args(["--reuid", "65534", "--regid", "65534", "--clear-groups", env!("CARGO_BIN_EXE_noisefit")]);
        command.args(arguments).current_dir(folder.path()).output()
    };
    match stranger(&["fit", "d.csv", "-f", "y ~ x"]) {
        Ok(output) if output.status.success() => {}
        _ => return eprintln!("skipped: only the superuser can be somebody else"),
    }
    let output = stranger(&["fit", "d.csv", "-f", "y ~ x", "-o", "kept.json"]).unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.code() == Some(1) && said.contains("no permission to write to the file"), "{said}");
    assert_eq!(folder.read("kept.json"), "{}");
    assert!(stranger(&["fit", "d.csv", "-f", "y ~ x", "-o", "new.json"]).unwrap().status.success());
}
