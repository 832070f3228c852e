//! Signals: a wish to stop, granted when nothing is half done.
#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use std::io::Read;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use common::{Folder, testdata};

/// A training that does not end by itself.
const ENDLESS: [&str; 10] =
    ["-f", "y ~ .", "--model", "network", "--epochs", "1000000", "--patience", "1000000", "--checkpoint", "c"];

fn started(folder: &Folder, arguments: &[&str]) -> Child {
    folder.heeding_signals(arguments).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap()
}

fn send(child: &Child, signal: &str) {
    let pid = child.id().to_string();
    assert!(Command::new("kill").args([signal, &pid]).status().unwrap().success());
}

/// Whether this process was started so that it and what it starts ignore the signal of this number, as what a script puts into the
/// background ignores INT and what `nohup` starts ignores HUP. That stays so (see `what_is_ignored_stays_ignored`).
fn is_ignored(number: u32) -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let ignored = ignored.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or(0);
    (ignored >> (number - 1)) & 1 == 1
}

/// Until a file is there.
fn wait_for(folder: &Folder, name: &str, child: &mut Child) {
    let begun = Instant::now();
    while !folder.path().join(name).exists() {
        assert!(child.try_wait().unwrap().is_none(), "it ended");
        assert!(begun.elapsed() < Duration::from_secs(120));
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn ended(mut child: Child) -> (Option<i32>, String) {
    let mut said = String::new();
    child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
    (child.wait().unwrap().code(), said)
}

#[test]
fn a_program_that_is_asked_to_end_keeps_what_it_has_and_leaves_nothing_else() {
    let data = testdata("diabetes.csv");
    for (signal, number) in [("-TERM", 15), ("-HUP", 1), ("-INT", 2)] {
        if is_ignored(number) {
            eprintln!("skipped: {signal}, which is ignored where these tests run");
            continue;
        }
        let folder = Folder::new();
        let mut running = started(&folder, &[&["fit", &data], &ENDLESS[..], &["-o", "m.json"]].concat());
        wait_for(&folder, "c", &mut running);
        send(&running, signal);
        let (code, said) = ended(running);
        assert_eq!(code, Some(3), "{signal}: {said}");
        assert!(said.contains("training was interrupted after"), "{said}");
        assert_eq!(folder.names(), ["c", "m.json"], "{signal}");
    }
}

#[cfg(target_os = "linux")]
#[test]
fn what_is_ignored_stays_ignored() {
    let (folder, data) = (Folder::new(), testdata("diabetes.csv"));
    let mut command = Command::new("sh");
    command.args(["-c", "trap '' HUP; exec \"$0\" \"$@\"", env!("CARGO_BIN_EXE_noisefit"), "fit", &data]).args(ENDLESS);
    command.current_dir(folder.path()).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
    let mut running = command.spawn().unwrap();
    wait_for(&folder, "c", &mut running);
    send(&running, "-HUP");
    std::thread::sleep(Duration::from_millis(700));
    assert!(running.try_wait().unwrap().is_none(), "a hang-up that was ignored ended it");
    send(&running, "-TERM");
    assert_eq!(ended(running).0, Some(3));
}

#[test]
fn a_training_without_the_intervals_that_were_asked_for_is_not_done() {
    let (folder, data) = (Folder::new(), testdata("diabetes.csv"));
    // One short training, then hundreds of them.
    let arguments = ["-f", "y ~ .", "--model", "network", "--epochs", "60", "--validation", "0", "--conformal", "cv+"];
    let checkpoint = ["--folds", "400", "--checkpoint", "c", "--every", "1", "-o", "m.json"];
    let mut running = started(&folder, &[&["fit", &data], &arguments[..], &checkpoint].concat());
    wait_for(&folder, "c", &mut running);
    // The last checkpoint is of the end.
    let mut last = std::fs::metadata(folder.path().join("c")).unwrap().modified().unwrap();
    loop {
        std::thread::sleep(Duration::from_millis(500));
        assert!(running.try_wait().unwrap().is_none(), "it ended");
        let now = std::fs::metadata(folder.path().join("c")).unwrap().modified().unwrap();
        if now == last {
            break;
        }
        last = now;
    }
    send(&running, "-TERM");
    let (code, said) = ended(running);
    assert_eq!(code, Some(3), "{said}");
    assert!(said.contains("there are no conformal intervals"), "{said}");
    assert_eq!(folder.names(), ["c", "m.json"]);
    let message = folder.refusal(2, &["predict", "m.json", &data, "--interval", "0.9", "conformal"]);
    assert!(message.contains("no conformal intervals"), "{message}");
}

/// Killed again and again and resumed, a training ends where it ends without.
#[test]
fn what_is_killed_goes_on_to_the_same_bits() {
    let data = testdata("diabetes.csv");
    let mut kills = 0;
    for plan in [
        &["--optimizer", "adam"][..],
        &["--optimizer", "adamw", "--decay", "0.01", "--schedule", "cosine", "--dropout", "0.1"],
        &["--optimizer", "sgd", "--momentum", "0.9", "--nesterov", "--lr", "0.001"],
        &["--noise", "student-t", "--warm-up", "20", "--batch", "100", "--clip", "1"],
        &["--ensemble", "2", "--scale", "network", "--common-scale", "5", "--schedule", "plateau:3"],
    ] {
        let folder = Folder::new();
        let fit = ["fit", &data, "-f", "y ~ .", "--model", "network", "--hidden", "8", "--epochs", "40"];
        let whole = [&fit[..], plan, &["-o", "whole.json"]].concat();
        assert!([0, 3].contains(&folder.run(&whole).code));
        let parts = [&fit[..], plan, &["--checkpoint", "c", "--every", "3", "--resume", "-o", "parts.json"]].concat();
        for pause in [40, 90, 150, 60, 200] {
            let mut running = started(&folder, &parts);
            std::thread::sleep(Duration::from_millis(pause));
            if running.try_wait().unwrap().is_none() {
                send(&running, "-KILL");
                kills += 1;
            }
            ended(running);
        }
        assert!([0, 3].contains(&folder.run(&parts).code));
        assert_eq!(folder.read("whole.json"), folder.read("parts.json"), "{plan:?}");
    }
    assert!(kills > 0);
}

/// Hundreds of fits without a row each, of rows that are in memory.
#[test]
fn the_fits_of_the_jackknife_hear_that_they_are_to_end() {
    if is_ignored(15) {
        return eprintln!("skipped: TERM, which is ignored where these tests run");
    }
    let folder = Folder::new();
    let text = std::fs::read_to_string(testdata("diabetes.csv")).unwrap();
    let (header, rows) = text.split_once('\n').unwrap();
    // As many fits take far longer than what follows.
    folder.write("long.csv", format!("{header}\n{}", rows.repeat(5)));
    let arguments = ["-f", "y ~ .", "--noise", "student-t", "--conformal", "jackknife+", "-o", "m.json"];
    // The wish is heard from when the data are opened; long before the last fit.
    let mut running = started(&folder, &[&["fit", "long.csv"], &arguments[..]].concat());
    std::thread::sleep(Duration::from_millis(2000));
    assert!(running.try_wait().unwrap().is_none(), "it ended");
    send(&running, "-TERM");
    let begun = Instant::now();
    let (code, said) = ended(running);
    assert_eq!(code, Some(130), "{said}");
    assert!(begun.elapsed() < Duration::from_secs(10), "{:?}", begun.elapsed());
    assert_eq!(folder.names(), ["long.csv"]);
}
