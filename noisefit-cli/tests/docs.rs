//! The examples in the documentation, run: each `console` block's commands must print what stands below them.
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

/// The page with the output of every command as it is now.
fn rerun(page: &str, folder: &Path) -> String {
    let mut fresh = String::new();
    let mut in_block = false;
    for line in page.lines() {
        if line.starts_with("```") {
            in_block = line == "```console";
        }
        if !in_block || line.starts_with("```") {
            fresh += &format!("{line}\n");
        } else if let Some(command) = line.strip_prefix("$ ") {
            fresh += &format!("{line}\n{}", run(command, folder));
        }
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
