//! From what the user named (files, folders, patterns, `-`) to the list of files.

use std::ffi::OsStr;
use std::path::{Component, Path, PathBuf};

use super::file::InputFile;
use super::folders::{folders, is_folder};
use crate::error::DataError;
use crate::write::FileIdentity;

/// The files that a user's words stand for, found once: what can be read only once (standard input, a pipe) is copied here.
#[derive(Debug, Clone)]
pub struct Inputs {
    pub(super) files: Vec<InputFile>,
}

impl Inputs {
    /// Files, folders (all data files directly in them or in partitions such as `year=2024`, in the order of their names), patterns
    /// such as `data/*.csv`, or `-`
    /// for standard input.
    ///
    /// # Errors
    /// No such file, a folder or pattern without files, what cannot be read.
    pub fn find<P: AsRef<OsStr>>(inputs: &[P]) -> Result<Inputs, DataError> {
        Ok(Inputs { files: find(inputs)? })
    }

    /// Which files a user's words stand for, without reading any: what is not there is left out.
    pub fn identities_of<P: AsRef<OsStr>>(inputs: &[P]) -> Vec<FileIdentity> {
        let of = |input: &OsStr| match input == "-" {
            true => FileIdentity::of_standard_input().into_iter().collect::<Vec<_>>(),
            false => paths(input).unwrap_or_default().0.iter().filter_map(|path| FileIdentity::of(path)).collect(),
        };
        inputs.iter().flat_map(|input| of(input.as_ref())).collect()
    }

    /// Which files they are: those that nothing is to be written over.
    pub fn identities(&self) -> impl Iterator<Item = &FileIdentity> {
        self.files.iter().filter_map(|file| file.identity.as_ref())
    }
}

/// The files that `inputs` stand for, in that order; those of a folder or a pattern in the order of their names.
fn find<P: AsRef<OsStr>>(inputs: &[P]) -> Result<Vec<InputFile>, DataError> {
    let mut files = Vec::new();
    for input in inputs.iter().map(P::as_ref) {
        if input == "-" {
            let mut spooled = InputFile::spooled("standard input".to_owned(), std::io::stdin().lock())?;
            spooled.identity = FileIdentity::of_standard_input();
            files.push(spooled);
            continue;
        }
        let (paths, named) = paths(input)?;
        for path in paths {
            files.push(InputFile::at_path(&path)?.within(folders(&path, named)));
        }
    }
    match files.is_empty() {
        true => {
            Err(DataError::Option("no data: name a file, a folder or a pattern, or `-` for standard input".to_owned()))
        }
        false => Ok(files),
    }
}

/// The files that an input stands for, and how many components of their paths it names.
fn paths(input: &OsStr) -> Result<(Vec<PathBuf>, usize), DataError> {
    let path = Path::new(input);
    let pattern = input.to_string_lossy();
    if path.is_dir() {
        return Ok((folder(path)?, path.components().count()));
    }
    if path.exists() || !pattern.contains(['*', '?', '[']) {
        return Ok((vec![path.to_owned()], usize::MAX));
    }
    let mut found = Vec::new();
    let components: Vec<Component<'_>> = path.components().collect();
    expand(PathBuf::new(), &components, &mut found)?;
    found.retain(|path| !path.is_dir());
    found.sort();
    match found.is_empty() {
        true => Err(DataError::NoMatch { pattern: pattern.into_owned() }),
        false => Ok((found, components.iter().take_while(|component| !is_pattern(component)).count())),
    }
}

fn is_pattern(component: &Component<'_>) -> bool {
    matches!(component, Component::Normal(name) if name.to_string_lossy().contains(['*', '?', '[']))
}

/// The paths under `base` that the components of a pattern match. Names need not be Unicode.
fn expand(base: PathBuf, components: &[Component<'_>], found: &mut Vec<PathBuf>) -> Result<(), DataError> {
    let Some((first, rest)) = components.split_first() else {
        if base.exists() {
            found.push(base);
        }
        return Ok(());
    };
    let text = first.as_os_str().to_string_lossy();
    if !is_pattern(first) {
        return expand(base.join(first), rest, found);
    }
    let wrong = |error: glob::PatternError| DataError::Option(format!("the pattern {text}: {error}"));
    let pattern = glob::Pattern::new(&text).map_err(wrong)?;
    // As in a shell, a star does not stand for the dot that hides a file.
    let options = glob::MatchOptions { require_literal_leading_dot: true, ..glob::MatchOptions::new() };
    let folder = if base.as_os_str().is_empty() { Path::new(".") } else { base.as_path() };
    if text == "**" {
        expand(base.clone(), rest, found)?;
    }
    // What is no folder, or may not be looked into, matches nothing.
    let Ok(entries) = std::fs::read_dir(folder) else { return Ok(()) };
    for entry in entries {
        let entry = entry.map_err(|source| DataError::reading(folder, source))?;
        let name = entry.file_name();
        let path = base.join(&name);
        match text == "**" {
            true if path.is_dir() && !name.as_encoded_bytes().starts_with(b".") => expand(path, components, found)?,
            false if pattern.matches_with(&name.to_string_lossy(), options) => expand(path, rest, found)?,
            _ => {}
        }
    }
    Ok(())
}

fn folder(folder: &Path) -> Result<Vec<PathBuf>, DataError> {
    let mut paths = Vec::new();
    look_into(folder, &mut paths)?;
    paths.sort();
    match paths.is_empty() {
        true => Err(DataError::NoDataFiles { folder: folder.display().to_string() }),
        false => Ok(paths),
    }
}

/// The data files of a folder, and of those folders in it whose names say a column.
fn look_into(folder: &Path, paths: &mut Vec<PathBuf>) -> Result<(), DataError> {
    let failed = |source| DataError::reading(folder, source);
    for entry in std::fs::read_dir(folder).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        if path.is_file() && super::Format::is_data_file(&path) {
            paths.push(path);
        } else if is_folder(&path) && path.is_dir() {
            look_into(&path, paths)?;
        }
    }
    Ok(())
}
