//! Keywords with their values, each of which is read as the command reads its option.

use std::fmt::Display;
use std::path::PathBuf;
use std::str::FromStr;

use pyo3::prelude::*;
use pyo3::types::{PyBool, PyDict, PyString};

use crate::errors::usage;

/// The keywords of a call; `None` is as if a keyword were not there.
pub(crate) struct Settings<'a, 'py>(pub(crate) &'a Bound<'py, PyDict>);

impl<'py> Settings<'_, 'py> {
    fn py(&self) -> Python<'py> {
        self.0.py()
    }

    /// What is wrong with keywords together.
    pub(crate) fn usage(&self, message: &str) -> PyErr {
        usage(self.py(), message)
    }

    /// The value of a keyword.
    pub(crate) fn value(&self, name: &str) -> PyResult<Option<Bound<'py, PyAny>>> {
        Ok(self.0.get_item(name)?.filter(|value| !value.is_none()))
    }

    fn refused(&self, name: &str, written: &str, why: &str) -> PyErr {
        let quote = if written.parse::<f64>().is_ok() { "" } else { "\"" };
        usage(self.py(), &format!("{name}={quote}{written}{quote}: {why}"))
    }

    /// A value by a parser that the command has, too.
    pub(crate) fn by<T>(&self, name: &str, parse: impl Fn(&str) -> Result<T, String>) -> PyResult<Option<T>> {
        let Some(value) = self.value(name)? else { return Ok(None) };
        let written = self.written(name, &value)?;
        parse(&written).map(Some).map_err(|why| self.refused(name, &written, &why))
    }

    /// A value that is written by its name or in the notation of its type.
    pub(crate) fn of<T: FromStr<Err: Display>>(&self, name: &str) -> PyResult<Option<T>> {
        self.by(name, |text| text.parse().map_err(|why: T::Err| why.to_string()))
    }

    /// A whole number from `least` on.
    pub(crate) fn count(&self, name: &str, least: u64) -> PyResult<Option<u64>> {
        self.by(name, |text| match text.parse() {
            Ok(number) if number >= least => Ok(number),
            _ => Err(format!("a whole number of {least} or more is needed")),
        })
    }

    /// The same for what is counted in memory.
    pub(crate) fn size(&self, name: &str, least: u64) -> PyResult<Option<usize>> {
        Ok(self.count(name, least)?.map(|count| usize::try_from(count).unwrap_or(usize::MAX)))
    }

    /// Yes or no.
    pub(crate) fn flag(&self, name: &str) -> PyResult<Option<bool>> {
        let Some(value) = self.value(name)? else { return Ok(None) };
        let needed = |_| usage(self.py(), &format!("{name}={}: True or False is needed", shown(&value)));
        value.extract::<bool>().map(Some).map_err(needed)
    }

    /// Text.
    pub(crate) fn text(&self, name: &str) -> PyResult<Option<String>> {
        self.by(name, |text| Ok(text.to_owned()))
    }

    /// A path.
    pub(crate) fn path(&self, name: &str) -> PyResult<Option<PathBuf>> {
        let Some(value) = self.value(name)? else { return Ok(None) };
        value.extract().map(Some).map_err(|_| usage(self.py(), &format!("{name}={}: a path is needed", shown(&value))))
    }

    /// One text or several.
    pub(crate) fn texts(&self, name: &str) -> PyResult<Vec<String>> {
        let Some(value) = self.value(name)? else { return Ok(Vec::new()) };
        match one(&value) {
            true => Ok(vec![self.written(name, &value)?]),
            false => value.try_iter()?.map(|text| self.written(name, &text?)).collect(),
        }
    }

    /// Names: a list, or a text with commas between.
    pub(crate) fn names(&self, name: &str) -> PyResult<Vec<String>> {
        let texts = self.texts(name)?;
        Ok(texts.iter().flat_map(|text| text.split(',')).map(|part| part.trim().to_owned()).collect())
    }

    /// A value as the command would be given it: parts of a list with commas between.
    fn written(&self, name: &str, value: &Bound<'py, PyAny>) -> PyResult<String> {
        if one(value) {
            return Ok(value.str()?.to_string_lossy().into_owned());
        }
        let refused = |_| usage(self.py(), &format!("{name}={}: text or a number is needed", shown(value)));
        let parts = value.try_iter().map_err(refused)?;
        let parts: Vec<String> =
            parts.map(|part| Ok(part?.str()?.to_string_lossy().into_owned())).collect::<PyResult<_>>()?;
        Ok(parts.join(","))
    }
}

/// Whether a value is no list of several.
fn one(value: &Bound<'_, PyAny>) -> bool {
    let is_list = value.hasattr("__len__").unwrap_or(false) && !value.hasattr("__fspath__").unwrap_or(false);
    value.is_instance_of::<PyString>() || value.is_instance_of::<PyBool>() || !is_list || value.len().is_err()
}

/// A value as an error shows it.
fn shown(value: &Bound<'_, PyAny>) -> String {
    let text = value.repr().map_or_else(|_| "?".to_owned(), |text| text.to_string_lossy().into_owned());
    match text.char_indices().nth(60) {
        Some((end, _)) => format!("{}...", &text[..end]),
        None => text,
    }
}
