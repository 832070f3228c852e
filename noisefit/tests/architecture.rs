//! The house as ARCHITECTURE.md draws it: arrows between files run one way, and no folder of the core uses one above it.
//!
//! `cargo test -p noisefit --test architecture -- --nocapture` prints the files and arrows of every crate.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// The folders and files of the core, from the ground up: each uses only itself and those before it.
const FLOORS: &[&str] = &[
    "error",
    "suggestion",
    "wording",
    "numeric",
    "rows",
    "algebra",
    "noise",
    "loss",
    "record",
    "estimate",
    "network",
    "inference",
    "training",
    "compare",
];

/// The one folder whose files name one another: the enum of the noise families knows each of them, and each says what becomes of it
/// in the enum, as a closed sum of types must.
const CLOSED: &str = "noise";

/// The crates, from the ground up.
const CRATES: &[&str] = &["noisefit-core", "noisefit-data", "noisefit-report", "noisefit", "noisefit-cli"];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// A file of a crate as far as names go.
#[derive(Debug, Default)]
struct Source {
    /// Its modules' names from the crate's root.
    module: Vec<String>,
    /// The text without comments and tests.
    text: String,
    /// What it defines at its top level.
    defines: BTreeSet<String>,
    /// What its `use` lines bring in: the name here, the path, and whether it is passed on (`pub use`).
    imports: Vec<(String, Vec<String>, bool)>,
}

fn rust_files(folder: &Path, found: &mut Vec<PathBuf>) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    for entry in entries.map(|entry| entry.unwrap().path()) {
        if entry.is_dir() {
            rust_files(&entry, found);
        } else if entry.extension().is_some_and(|ending| ending == "rs") {
            found.push(entry);
        }
    }
}

/// Leaves out comments, and the items that are tests.
fn code_of(text: &str) -> String {
    let mut code = Vec::new();
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        if line != "#[cfg(test)]" {
            code.push(line.split("//").next().unwrap_or(""));
            continue;
        }
        // Formatted code closes an item of a file's top level in the first column, or ends it in the line it begins in.
        for line in lines.by_ref().skip_while(|line| line.starts_with('#')) {
            if line == "}" || line.ends_with(';') && !line.starts_with(' ') {
                break;
            }
        }
    }
    code.join("\n")
}

#[test]
fn tests_alone_are_left_out() {
    let text = "use a;\n#[cfg(test)]\nuse b;\nfn c() {} // d\n#[cfg(test)]\n#[allow(x)]\nmod e {\n    f;\n}\nfn g() {}";
    assert_eq!(code_of(text), "use a;\nfn c() {} \nfn g() {}");
}

/// `a::{b, c::d as e}` as its leaves.
fn leaves(tree: &str, before: &[String], found: &mut Vec<(String, Vec<String>)>) {
    let tree = tree.trim();
    let (head, group) = match tree.find('{') {
        Some(open) => (tree[..open].trim_end_matches(':'), Some(&tree[open + 1..tree.rfind('}').unwrap()])),
        None => (tree, None),
    };
    let (head, alias) = head.split_once(" as ").map_or((head, None), |(head, alias)| (head, Some(alias.trim())));
    let mut path = before.to_vec();
    path.extend(head.split("::").map(str::trim).filter(|part| !part.is_empty()).map(str::to_owned));
    let Some(group) = group else {
        if path.last().is_some_and(|last| last == "self") {
            path.pop();
        }
        let name = alias.map_or_else(|| path.last().cloned().unwrap_or_default(), str::to_owned);
        found.push((name, path));
        return;
    };
    let (mut depth, mut start) = (0, 0);
    for (i, c) in group.char_indices() {
        match c {
            '{' => depth += 1,
            '}' => depth -= 1,
            ',' if depth == 0 => {
                leaves(&group[start..i], &path, found);
                start = i + 1;
            }
            _ => {}
        }
    }
    if !group[start..].trim().is_empty() {
        leaves(&group[start..], &path, found);
    }
}

fn word(text: &str) -> &str {
    let end = text.find(|c: char| !(c.is_alphanumeric() || c == '_')).unwrap_or(text.len());
    &text[..end]
}

fn read(source_folder: &Path, file: &Path) -> Source {
    let relative = file.strip_prefix(source_folder).unwrap().with_extension("");
    let mut module: Vec<String> = relative.iter().map(|part| part.to_str().unwrap().to_owned()).collect();
    if module.last().is_some_and(|last| ["mod", "lib", "main"].contains(&last.as_str())) {
        module.pop();
    }
    let text = code_of(&fs::read_to_string(file).unwrap());
    let mut source = Source { module, ..Source::default() };
    let mut rest = String::new();
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        let mut item = line;
        let mut passed_on = false;
        if let Some(public) = item.strip_prefix("pub") {
            passed_on = true;
            item = match public.strip_prefix('(') {
                Some(limited) => limited.split_once(") ").map_or("", |(_, item)| item),
                None => public.trim_start(),
            };
        }
        if let Some(tree) = item.strip_prefix("use ") {
            let mut tree = tree.to_owned();
            while !tree.contains(';') {
                tree.push_str(lines.next().unwrap_or(";"));
            }
            let mut found = Vec::new();
            leaves(tree.trim_end().trim_end_matches(';'), &[], &mut found);
            source.imports.extend(found.into_iter().map(|(name, path)| (name, path, passed_on)));
            continue;
        }
        for qualifier in ["unsafe ", "async ", "const fn ", "extern \"C\" "] {
            item =
                item.strip_prefix(qualifier).map_or(item, |after| if qualifier == "const fn " { "fn " } else { after });
        }
        for kind in ["struct ", "enum ", "trait ", "fn ", "const ", "static ", "type ", "macro_rules! "] {
            if let Some(name) = item.strip_prefix(kind) {
                source.defines.insert(word(name).to_owned());
            }
        }
        rest.push_str(line);
        rest.push('\n');
    }
    source.text = rest;
    source
}

/// From each file to those it uses, with the names that it takes from them.
type Arrows = BTreeMap<Vec<String>, BTreeMap<Vec<String>, BTreeSet<String>>>;

/// All files of a crate, by their modules.
struct House {
    files: BTreeMap<Vec<String>, Source>,
}

impl House {
    fn of(name: &str) -> Self {
        let folder = root().join(name).join("src");
        let mut paths = Vec::new();
        rust_files(&folder, &mut paths);
        let files = paths.iter().map(|path| read(&folder, path));
        // Files of tests alone are no part of the house.
        let files = files.filter(|source| source.module.last().is_none_or(|last| last != "tests"));
        let files = files.filter(|source| !source.module.contains(&"tests".to_owned()));
        House { files: files.map(|source| (source.module.clone(), source)).collect() }
    }

    /// The file that defines what a path in `from` names; none for what is of another crate.
    fn defining(&self, from: &[String], path: &[String], depth: usize) -> Option<Vec<String>> {
        if depth > 12 || path.is_empty() {
            return None;
        }
        let mut module = match path[0].as_str() {
            "crate" => Vec::new(),
            "self" => from.to_vec(),
            "super" => from[..from.len().checked_sub(1)?].to_vec(),
            first => {
                let mut child = from.to_vec();
                child.push(first.to_owned());
                if self.files.contains_key(&child) {
                    child
                } else {
                    let source = self.files.get(from)?;
                    let (_, target, _) = source.imports.iter().find(|(name, _, _)| name == first)?;
                    let whole: Vec<String> = target.iter().chain(&path[1..]).cloned().collect();
                    return self.defining(from, &whole, depth + 1);
                }
            }
        };
        for (place, part) in path.iter().enumerate().skip(1) {
            if part == "super" {
                module.pop();
                continue;
            }
            let mut child = module.clone();
            child.push(part.clone());
            if self.files.contains_key(&child) {
                module = child;
                continue;
            }
            let source = self.files.get(&module)?;
            if source.defines.contains(part) || part == "*" {
                return Some(module);
            }
            let (_, target, _) = source.imports.iter().find(|(name, _, _)| name == part)?;
            let whole: Vec<String> = target.iter().chain(&path[place + 1..]).cloned().collect();
            return self.defining(&module, &whole, depth + 1);
        }
        // A module as such; what is taken from it is looked for where it is used.
        None
    }

    /// From each file to those whose names it uses, with the names. Passing a name on is no use of it.
    fn arrows(&self) -> Arrows {
        let mut arrows = BTreeMap::new();
        for (module, source) in &self.files {
            let mut to: BTreeMap<Vec<String>, BTreeSet<String>> = BTreeMap::new();
            let mut draw = |path: &[String]| {
                if let Some(file) = self.defining(module, path, 0).filter(|file| file != module) {
                    to.entry(file).or_default().insert(path[path.len().saturating_sub(2)..].join("::"));
                }
            };
            for (_, path, _) in source.imports.iter().filter(|(_, _, passed_on)| !passed_on) {
                draw(path);
            }
            // Paths that are written out: the longest run of `word::word`.
            let mut text = source.text.as_str();
            while let Some(colons) = text.find("::") {
                let begin = text[..colons].rfind(|c: char| !(c.is_alphanumeric() || c == '_')).map_or(0, |i| i + 1);
                let mut path = vec![text[begin..colons].to_owned()];
                text = &text[colons..];
                while let Some(after) = text.strip_prefix("::") {
                    let name = word(after);
                    path.push(name.to_owned());
                    text = &after[name.len()..];
                }
                path.retain(|part| !part.is_empty());
                draw(&path);
            }
            arrows.insert(module.clone(), to);
        }
        arrows
    }
}

/// Groups of files that reach each other, with the arrows between them.
fn circles(arrows: &Arrows) -> Vec<String> {
    let reach = |from: &Vec<String>| {
        let (mut seen, mut open) = (BTreeSet::new(), vec![from]);
        while let Some(file) = open.pop() {
            for next in arrows.get(file).into_iter().flat_map(BTreeMap::keys) {
                if seen.insert(next) {
                    open.push(next);
                }
            }
        }
        seen
    };
    let reached: BTreeMap<_, _> = arrows.keys().map(|file| (file, reach(file))).collect();
    let mut found: BTreeSet<Vec<&Vec<String>>> = BTreeSet::new();
    for file in arrows.keys() {
        if file.first().is_some_and(|folder| folder == CLOSED) {
            continue;
        }
        let other = |other: &&Vec<String>| reached[file].contains(other) && reached[other].contains(file);
        let circle: Vec<_> = arrows.keys().filter(other).collect();
        if circle.len() > 1 {
            found.insert(circle);
        }
    }
    let told = |circle: &Vec<&Vec<String>>| {
        let inside = circle.iter().flat_map(|file| arrows[*file].iter().map(move |(to, names)| (file, to, names)));
        let inside = inside.filter(|(_, to, _)| circle.contains(to));
        let line = |(file, to, names): (&&Vec<String>, &Vec<String>, &BTreeSet<String>)| {
            let names = names.iter().cloned().collect::<Vec<_>>().join(", ");
            format!("    {} -> {}: {names}", file.join("/"), to.join("/"))
        };
        format!("{} files\n{}", circle.len(), inside.map(line).collect::<Vec<_>>().join("\n"))
    };
    found.iter().map(told).collect()
}

#[test]
fn no_files_form_a_circle() {
    let mut found = Vec::new();
    for name in CRATES {
        let house = House::of(name);
        let arrows = house.arrows();
        let count: usize = arrows.values().map(BTreeMap::len).sum();
        println!("{name}: {} files, {count} arrows", arrows.len());
        // A reader that sees no arrows would find no circles.
        assert!(arrows.len() > 4 && count > arrows.len(), "{name}: {count} arrows of {} files", arrows.len());
        found.extend(circles(&arrows).into_iter().map(|circle| format!("{name}: {circle}")));
    }
    assert!(found.is_empty(), "{} circles of files:\n{}", found.len(), found.join("\n"));
}

#[test]
fn the_folders_of_the_core_use_only_those_below_them() {
    let arrows = House::of("noisefit-core").arrows();
    let floor = |file: &[String]| {
        let folder = file.first()?;
        Some(FLOORS.iter().position(|floor| floor == folder).unwrap_or_else(|| panic!("{folder} has no floor")))
    };
    let mut upward = Vec::new();
    for (file, to) in &arrows {
        for other in to.keys() {
            if floor(other) > floor(file) && floor(file).is_some() {
                upward.push(format!("{} uses {}", file.join("/"), other.join("/")));
            }
        }
    }
    assert!(upward.is_empty(), "{} arrows run up:\n{}", upward.len(), upward.join("\n"));
}

/// What hands out the columns of a design, and the folders that may ask for them: one keeps blocks, the other multiplies them.
const COLUMNS_OF_A_DESIGN: &str = "dense_columns";
const SEE_COLUMNS: [&str; 2] = ["rows", "algebra"];

#[test]
fn only_rows_and_algebra_see_the_columns_of_a_design() {
    // Whoever cannot name them cannot index them: a design has no other way in.
    let design = fs::read_to_string(root().join("noisefit-core/src/rows/design.rs")).unwrap();
    assert!(design.contains("pub struct Design<'a>(&'a [Values<'a>]);"), "the columns of a design are its own");
    assert!(design.contains(&format!("pub(crate) fn {COLUMNS_OF_A_DESIGN}(")), "and the core's");
    let house = House::of("noisefit-core");
    let looks = house.files.values().filter(|source| source.text.contains(COLUMNS_OF_A_DESIGN));
    let (inside, outside): (Vec<_>, Vec<_>) =
        looks.partition(|source| source.module.first().is_some_and(|folder| SEE_COLUMNS.contains(&folder.as_str())));
    assert!(inside.len() > 5, "only {} files see columns: was the word changed?", inside.len());
    let outside: Vec<String> = outside.iter().map(|source| source.module.join("/")).collect();
    assert!(outside.is_empty(), "these ask algebra for products instead: {}", outside.join(", "));
}

#[test]
fn crates_depend_only_on_those_below_them() {
    for (place, name) in CRATES.iter().enumerate() {
        let manifest = fs::read_to_string(root().join(name).join("Cargo.toml")).unwrap();
        let dependencies = manifest.split("[dependencies]").nth(1).unwrap_or_default();
        let dependencies = dependencies.split("\n[").next().unwrap_or_default();
        for (other_place, other) in CRATES.iter().enumerate() {
            let named = dependencies.lines().any(|line| line.split([' ', '.', '=']).next() == Some(*other));
            assert!(!named || other_place < place, "{name} depends on {other}");
        }
    }
}
