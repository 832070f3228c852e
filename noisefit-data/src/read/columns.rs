//! Columns as they grow, value by value.

use std::borrow::Cow;
use std::collections::HashMap;

use super::kinds::{self, MissingWords};
use super::options::Decimals;
use super::{number, time};
use crate::frame::{Column, Kind, MISSING};

/// A column that is being read from text.
#[derive(Debug)]
pub(crate) enum Builder<'a> {
    Number { high: Vec<f64>, low: Option<Vec<f64>> },
    Boolean(Categories<'a>),
    Date(Vec<f64>),
    Timestamp(Vec<f64>),
    Text(Categories<'a>),
}

/// Why a text could not be taken into a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// It is not of the column's kind.
    Kind,
    /// It is not UTF-8.
    NotUtf8,
}

impl<'a> Builder<'a> {
    /// An empty column with room for `rows` values.
    pub fn new(kind: Kind, decimals: Decimals, rows: usize) -> Self {
        let numbers = || Vec::with_capacity(rows);
        match kind {
            Kind::Number => Builder::Number { high: numbers(), low: (decimals == Decimals::WithLow).then(numbers) },
            Kind::Boolean => Builder::Boolean(Categories::new(rows)),
            Kind::Date => Builder::Date(numbers()),
            Kind::Timestamp => Builder::Timestamp(numbers()),
            Kind::Text => Builder::Text(Categories::new(rows)),
        }
    }

    pub fn push_missing(&mut self) {
        match self {
            Builder::Number { high, low } => {
                high.push(f64::NAN);
                low.iter_mut().for_each(|low| low.push(0.0));
            }
            Builder::Date(values) | Builder::Timestamp(values) => values.push(f64::NAN),
            Builder::Boolean(categories) | Builder::Text(categories) => categories.codes.push(MISSING),
        }
    }

    /// Adds a number that stands in the file as `text`.
    #[inline]
    pub fn push_number(&mut self, value: f64, text: &[u8]) {
        if let Builder::Number { high, low } = self {
            high.push(value);
            if let Some(low) = low {
                low.push(if value.is_finite() { number::low_word(text) } else { 0.0 });
            }
        }
    }

    pub fn push_boolean(&mut self, value: bool) {
        if let Builder::Boolean(categories) | Builder::Text(categories) = self {
            categories.push(Cow::Borrowed(if value { "true" } else { "false" }));
        }
    }

    /// Adds the value that `text` is, a missing one if it is among the words for it.
    pub fn push_text(&mut self, text: Cow<'a, [u8]>, missing: &MissingWords) -> Result<(), Refusal> {
        if missing.contains(&text) {
            self.push_missing();
            return Ok(());
        }
        match self {
            Builder::Number { .. } => {
                let value = missing.without(number::parse(&text).ok_or(Refusal::Kind)?);
                self.push_number(value, &text);
            }
            Builder::Boolean(_) => self.push_boolean(kinds::boolean(&text).ok_or(Refusal::Kind)?),
            Builder::Date(values) => values.push(time::date(&text).ok_or(Refusal::Kind)?),
            Builder::Timestamp(values) => values.push(time::timestamp(&text).ok_or(Refusal::Kind)?),
            Builder::Text(categories) => categories.push(match text {
                Cow::Borrowed(text) => Cow::Borrowed(std::str::from_utf8(text).map_err(|_| Refusal::NotUtf8)?),
                Cow::Owned(text) => Cow::Owned(String::from_utf8(text).map_err(|_| Refusal::NotUtf8)?),
            }),
        }
        Ok(())
    }

    pub fn finish(self) -> Column {
        match self {
            Builder::Number { high, low } => Column::Number { high, low },
            Builder::Date(high) | Builder::Timestamp(high) => Column::Number { high, low: None },
            Builder::Boolean(categories) | Builder::Text(categories) => categories.finish(),
        }
    }
}

/// Texts as codes of the different ones among them.
#[derive(Debug, Default)]
pub(crate) struct Categories<'a> {
    codes: Vec<u32>,
    levels: Vec<String>,
    code_of: HashMap<Cow<'a, str>, u32>,
}

impl<'a> Categories<'a> {
    pub fn new(rows: usize) -> Self {
        Categories { codes: Vec::with_capacity(rows), ..Default::default() }
    }

    pub fn push(&mut self, text: Cow<'a, str>) {
        // Runs of one value are common in sorted files, and comparing is cheaper than hashing.
        if let Some(&last) = self.codes.last()
            && self.levels.get(last as usize).is_some_and(|level| *level == text)
        {
            self.codes.push(last);
            return;
        }
        let code = match self.code_of.get(&text) {
            Some(&code) => code,
            None => {
                let code = self.levels.len() as u32;
                self.levels.push(text.clone().into_owned());
                self.code_of.insert(text, code);
                code
            }
        };
        self.codes.push(code);
    }

    pub fn push_missing(&mut self) {
        self.codes.push(MISSING);
    }

    pub fn finish(self) -> Column {
        Column::Category { codes: self.codes, levels: self.levels.into() }
    }
}
