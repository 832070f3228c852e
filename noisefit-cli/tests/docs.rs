//! The examples in the documentation, run: each `console` block's commands must print what stands below them. In a block of
//! `console approximate`, for what is trained in single precision, whose last bits depend on the processor and grow from step to
//! step, numbers need only be near.
//!
//! `UPDATE_DOCS=1 cargo test -p noisefit-cli --test docs` writes what they print now into the pages, to be read before it is
//! committed.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::path::{Path, PathBuf};
use std::process::Command;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// Runs a command line in a copy of the test data, standard error after standard output.
fn run(line: &str, folder: &Path) -> String {
    let program = Path::new(env!("CARGO_BIN_EXE_noisefit"));
    let path = format!("{}:{}", program.parent().unwrap().display(), std::env::var("PATH").unwrap_or_default());
    let output = Command::new("sh").arg("-c").arg(line).current_dir(folder).env("PATH", path).output().unwrap();
    String::from_utf8(output.stdout).unwrap() + &String::from_utf8(output.stderr).unwrap()
}

/// Whether two texts have the same words, whole numbers (epochs, mostly) within a half and others within a third of one
/// another: by so much the spread of an ensemble's members differs from processor to processor.
fn is_near(one: &str, other: &str) -> bool {
    let words = |text: &str| {
        text.split([' ', '\n', ',']).filter(|word| !word.is_empty()).map(str::to_owned).collect::<Vec<_>>()
    };
    let near = |(one, other): (&String, &String)| match (one.parse::<f64>(), other.parse::<f64>()) {
        (Ok(a), Ok(b)) => {
            let whole = one.parse::<i64>().is_ok() && other.parse::<i64>().is_ok();
            (a - b).abs() <= if whole { 0.5 } else { 0.34 } * a.abs().max(b.abs()).max(0.02)
        }
        _ => one == other,
    };
    let (one, other) = (words(one), words(other));
    one.len() == other.len() && one.iter().zip(&other).all(near)
}

#[test]
fn what_is_near_and_what_is_not() {
    assert!(is_near("NLL 5.30, epochs 75", "NLL 5.36, epochs 60"));
    for (one, other) in
        [("RMSE 1", "RMSE 0.21"), ("0.95", "0.60"), ("epochs 75", "epochs 30"), ("a 1", "b 1"), ("1", "1 2")]
    {
        assert!(!is_near(one, other), "{one} and {other}");
    }
}

/// The page with the output of every command as it is now.
fn rerun(page: &str, folder: &Path) -> String {
    let mut fresh = String::new();
    let (mut in_block, mut approximate) = (false, false);
    // The output that stands there, and what it is now.
    let (mut shown, mut now) = (String::new(), String::new());
    for line in page.lines() {
        let command = line.strip_prefix("$ ").filter(|_| in_block);
        if in_block && command.is_none() && !line.starts_with("```") {
            shown += &format!("{line}\n");
            continue;
        }
        fresh += if approximate && is_near(&shown, &now) { &shown } else { &now };
        (shown, now) = (String::new(), command.map_or_else(String::new, |command| run(command, folder)));
        if line.starts_with("```") {
            (in_block, approximate) = (line.starts_with("```console"), line == "```console approximate");
        }
        fresh += &format!("{line}\n");
    }
    fresh
}

#[test]
fn documentation_shows_what_the_commands_print() {
    let mut pages = vec![root().join("README.md")];
    let docs = std::fs::read_dir(root().join("docs")).unwrap().map(|entry| entry.unwrap().path());
    pages.extend(docs.filter(|path| path.extension().is_some_and(|extension| extension == "md")));
    pages.sort();
    let mut commands = 0;
    for path in pages {
        let folder = tempfile::tempdir().unwrap();
        std::os::unix::fs::symlink(root().join("testdata").canonicalize().unwrap(), folder.path().join("testdata"))
            .unwrap();
        let page = std::fs::read_to_string(&path).unwrap();
        let fresh = rerun(&page, folder.path());
        commands += page.lines().filter(|line| line.starts_with("$ ")).count();
        if std::env::var_os("UPDATE_DOCS").is_some() {
            std::fs::write(&path, &fresh).unwrap();
        } else {
            assert_eq!(page, fresh, "{} is out of date; see the head of this test", path.display());
        }
    }
    assert!(commands > 5);
}
