//! The recipes of CONTRIBUTING.md, kept true: what a list names has its file, its page and its place in help.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::fs;
use std::path::{Path, PathBuf};

use noisefit::core::inference::covariance::COVARIANCES;
use noisefit::core::named::Named;
use noisefit::core::noise::FAMILIES;
use noisefit::data::read::Format;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// All pages of the documentation in one text.
fn pages() -> String {
    let mut text = read("README.md");
    for entry in fs::read_dir(root().join("docs")).unwrap() {
        text += &fs::read_to_string(entry.unwrap().path()).unwrap_or_default();
    }
    text
}

/// Paths and files that a document names in backquotes, `NAME` for something new left out.
#[test]
fn what_the_documents_name_is_there() {
    for document in ["ARCHITECTURE.md", "CONTRIBUTING.md"] {
        let text = read(document);
        let named = text.split('`').skip(1).step_by(2);
        let paths =
            named.filter(|word| word.contains('/') && !word.contains([' ', '<', '(']) && !word.contains("NAME"));
        let mut checked = 0;
        for path in paths {
            let path = path.split_whitespace().next().unwrap().trim_end_matches('/');
            let is_there = ["", "noisefit-core/src", "noisefit-data/src", "noisefit-report/src"]
                .iter()
                .any(|folder| root().join(folder).join(path).exists());
            assert!(is_there, "{document} names {path}");
            checked += 1;
        }
        assert!(checked >= 2, "{document}: {checked}");
    }
}

#[test]
fn a_family_has_its_file_and_is_documented() {
    let pages = pages();
    for family in FAMILIES {
        let names = format!("\"{}\"", family.name);
        let folder = root().join("noisefit-core/src/noise");
        let files = fs::read_dir(folder).unwrap().map(|entry| fs::read_to_string(entry.unwrap().path()).unwrap());
        assert_eq!(
            files.filter(|text| text.contains(&names) && text.contains("impl Family for")).count(),
            1,
            "{names}"
        );
        assert!(pages.contains(family.name), "no page tells of {}", family.name);
    }
}

#[test]
fn a_covariance_has_its_file_and_is_documented() {
    let page = read("docs/standard-errors.md") + &read("docs/quantile.md") + &read("docs/bootstrap.md");
    for covariance in COVARIANCES {
        assert!(
            page.contains(&format!("`{}", covariance.name)),
            "docs/standard-errors.md does not tell of {}",
            covariance.name
        );
        assert!(!covariance.about.is_empty());
    }
}

/// Every diagnostic of the list has a file of its own and is told by the report.
#[test]
fn a_diagnostic_has_its_file_and_is_told() {
    let list = read("noisefit-core/src/inference/diagnostics/list.rs");
    let list = &list[list.find("\ndiagnostics! {").unwrap()..];
    let lines = list.lines().map(str::trim).filter(|line| line.contains(" => "));
    let told: String =
        ["mod", "advice", "findings"].map(|file| read(&format!("noisefit-report/src/diagnose/{file}.rs"))).concat();
    let mut parts = 0;
    for field in lines.filter_map(|line| line.split_once(':')).map(|(name, _)| name) {
        let file = root().join(format!("noisefit-core/src/inference/diagnostics/{field}.rs"));
        assert!(file.exists(), "{field} has no file");
        assert!(told.contains(field), "the report does not tell of {field}");
        parts += 1;
    }
    assert!(parts >= 8, "{parts}");
}

#[test]
fn a_format_is_documented() {
    let page = read("docs/data.md").to_lowercase();
    for format in Format::NAMES {
        assert!(page.contains(format.name), "docs/data.md does not tell of {}", format.name);
    }
}

/// Every long flag of the command is in its help, which is made of the same list, and on a page or in the changes.
#[test]
fn a_flag_is_documented() {
    let pages = pages() + &read("CHANGELOG.md");
    let folder = root().join("noisefit-cli/src");
    let commands = fs::read_dir(folder.join("commands")).unwrap().map(|entry| entry.unwrap().path());
    let mut flags = 0;
    let mut missing = Vec::new();
    // What processes say to each other is for no reader.
    let commands = commands.filter(|file| file.file_stem().unwrap() != "worker");
    for file in commands.chain([folder.join("arguments.rs")]) {
        let text = fs::read_to_string(&file).unwrap();
        let mut long = false;
        for line in text.lines().map(str::trim) {
            if line.starts_with("#[arg(") && line.contains("long") && !line.contains("long = ") {
                long = !line.contains("hide = true");
            } else if let (true, Some((name, _))) = (long, line.trim_start_matches("pub(crate) ").split_once(": ")) {
                let flag = format!("--{}", name.replace('_', "-"));
                flags += 1;
                // What all pages write as `-o` and `-f`, and what silences progress.
                if !["--output", "--formula", "--quiet"].contains(&flag.as_str()) && !pages.contains(&flag) {
                    missing.push(flag);
                }
                long = false;
            }
        }
    }
    assert!(missing.is_empty(), "no page tells of {}", missing.join(", "));
    assert!(flags > 60, "{flags}");
}
