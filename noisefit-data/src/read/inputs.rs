//! From what the user named (files, folders, patterns, `-`) to the list of files.

use std::path::{Path, PathBuf};

use super::file::InputFile;
use crate::error::DataError;

/// The files that a user's words stand for, found once: what can be read only once (standard input, a pipe) is copied here.
#[derive(Debug, Clone)]
pub struct Inputs {
    pub(super) files: Vec<InputFile>,
}

impl Inputs {
    /// Files, folders (all data files directly in them, in the order of their names), patterns such as `data/*.csv`, or `-`
    /// for standard input.
    ///
    /// # Errors
    /// No such file, a folder or pattern without files, what cannot be read.
    pub fn find(inputs: &[String]) -> Result<Inputs, DataError> {
        Ok(Inputs { files: find(inputs)? })
    }
}

/// The files that `inputs` stand for, in that order; those of a folder or a pattern in the order of their names.
fn find(inputs: &[String]) -> Result<Vec<InputFile>, DataError> {
    let mut files = Vec::new();
    for input in inputs {
        match input.as_str() {
            "-" => files.push(InputFile::spooled("standard input".to_owned(), std::io::stdin().lock())?),
            _ => {
                for path in paths(input)? {
                    files.push(InputFile::at_path(&path)?);
                }
            }
        }
    }
    match files.is_empty() {
        true => {
            Err(DataError::Option("no data: name a file, a folder or a pattern, or `-` for standard input".to_owned()))
        }
        false => Ok(files),
    }
}

fn paths(input: &str) -> Result<Vec<PathBuf>, DataError> {
    let path = Path::new(input);
    if path.is_dir() {
        return folder(path);
    }
    if path.exists() || !input.contains(['*', '?', '[']) {
        return Ok(vec![path.to_owned()]);
    }
    // As in a shell, a star does not stand for the dot that hides a file.
    let options = glob::MatchOptions { require_literal_leading_dot: true, ..glob::MatchOptions::new() };
    let matches =
        glob::glob_with(input, options).map_err(|error| DataError::Option(format!("the pattern {input}: {error}")))?;
    let paths: Result<Vec<PathBuf>, _> =
        matches.filter(|path| !path.as_ref().is_ok_and(|path| path.is_dir())).collect();
    match paths {
        Ok(paths) if paths.is_empty() => Err(DataError::NoMatch { pattern: input.to_owned() }),
        Ok(paths) => Ok(paths),
        Err(error) => {
            let path = error.path().to_owned();
            Err(DataError::reading(&path, error.into()))
        }
    }
}

fn folder(folder: &Path) -> Result<Vec<PathBuf>, DataError> {
    let failed = |source| DataError::reading(folder, source);
    let mut paths = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        if path.is_file() && super::Format::is_data_file(&path) {
            paths.push(path);
        }
    }
    paths.sort();
    match paths.is_empty() {
        true => Err(DataError::NoDataFiles { folder: folder.display().to_string() }),
        false => Ok(paths),
    }
}
