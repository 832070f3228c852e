//! Columns as they grow, value by value.

use std::borrow::Cow;
use std::collections::HashMap;
use std::hash::BuildHasherDefault;
use std::sync::{Mutex, PoisonError};

use super::kinds::{self, Ground, MissingWords, Tally};
use super::notation::{self, DateFormat};
use super::options::Decimals;
use super::table::{Notation, Query, Wanted};
use super::{number, time};
use crate::frame::{Column, Kind, MISSING};
use crate::texts::TextHasher;

/// A column that is being read from text.
#[derive(Debug)]
pub(crate) enum Builder<'a> {
    Number(Numbers),
    Boolean(Booleans<'a>),
    Date(Times<'a>),
    Timestamp(Times<'a>),
    Text(Categories<'a>),
    /// No column: the values are counted by their kinds.
    Kinds(Counted<'a>),
}

/// The kinds of a unit's values, to be added to those of the others.
#[derive(Debug)]
pub(crate) struct Counted<'a> {
    own: Tally,
    total: &'a Mutex<Tally>,
    date: Option<&'a DateFormat>,
}

/// Numbers in one word or two.
#[derive(Debug)]
pub(crate) struct Numbers {
    high: Vec<f64>,
    /// What the doubles leave out: where it is asked for, and wherever it is no rounding of somebody's decimals but part of
    /// the value, as of long integers and of times.
    low: Option<Vec<f64>>,
    /// Whether that of short decimals is asked for.
    decimals: Decimals,
    notation: Notation,
    /// Whether they are written as computers write them.
    is_plain: bool,
    /// Whether integers are rounded that are too long: where somebody says that the column holds numbers.
    rounds: bool,
}

impl Numbers {
    fn new(decimals: Decimals, notation: Notation, rounds: bool, rows: usize) -> Self {
        let low = (decimals == Decimals::WithLow).then(|| Vec::with_capacity(rows));
        let is_plain = notation == Notation::default();
        Numbers { high: Vec::with_capacity(rows), low, decimals, notation, is_plain, rounds }
    }

    /// Adds the number that `text` is in the column's notation.
    fn push_written(&mut self, text: &[u8], missing: &MissingWords) -> Option<()> {
        let Notation { comma, decorated } = self.notation;
        let written = || std::str::from_utf8(text).ok();
        // A point is no mark of decimals where a comma is.
        let plain = number::parse(text).filter(|_| !(comma && text.contains(&b'.')));
        if let Some(value) = plain {
            if self.refuses(text) {
                return None;
            }
            self.push_plain(value, text, missing);
            return Some(());
        }
        let value = if comma { written().and_then(notation::comma_number) } else { None };
        let value = value
            .or_else(|| written().filter(|_| decorated).and_then(|text| notation::decorated_number(text, comma)))?;
        // In the notation of computers, so that its decimals are known, too.
        let digits: Vec<u8> = match comma && !decorated {
            true => {
                text.iter().filter(|&&byte| byte != b'.').map(|&byte| if byte == b',' { b'.' } else { byte }).collect()
            }
            false => Vec::new(),
        };
        self.push_plain(value, &digits, missing);
        Some(())
    }

    /// Whether `text` is a number of more digits than are kept, which would be merged with its neighbours.
    #[inline]
    pub fn refuses(&self, text: &[u8]) -> bool {
        number::is_too_long(text) && !self.rounds
    }

    /// Adds the number `value` that stands in the file as `text`.
    #[inline]
    pub fn push_plain(&mut self, value: f64, text: &[u8], missing: &MissingWords) {
        let short = text.len() <= number::TRUE_DIGITS as usize && self.decimals == Decimals::Double;
        let low = if short || !value.is_finite() { 0.0 } else { self.low_word(text) };
        match missing.without(value, low) {
            missing if missing.is_nan() => self.push(missing, 0.0),
            value => self.push(value, low),
        }
    }

    #[inline]
    fn push(&mut self, high: f64, low: f64) {
        self.high.push(high);
        match &mut self.low {
            None if low == 0.0 => {}
            Some(words) => words.push(low),
            None => self.begin_low(low),
        }
    }

    /// Begins the second words with that of the last number.
    #[cold]
    fn begin_low(&mut self, low: f64) {
        let mut words = vec![0.0; self.high.len()];
        if let Some(last) = words.last_mut() {
            *last = low;
        }
        self.low = Some(words);
    }

    fn low_word(&self, text: &[u8]) -> f64 {
        match self.decimals {
            Decimals::WithLow => number::low_word(text),
            Decimals::Double => number::low_word_of_integer(text),
        }
    }

    fn finish(self) -> Column {
        Column::Number { high: self.high, low: self.low }
    }
}

/// A column of true and false.
#[derive(Debug)]
pub(crate) struct Booleans<'a> {
    categories: Categories<'a>,
    /// Whether other words are taken as they are: a model that was fitted to true and false says what it makes of them.
    lenient: bool,
}

/// A column of dates or times.
#[derive(Debug)]
pub(crate) struct Times<'a> {
    values: Numbers,
    /// Whether among dates points in time are taken, too, as parts of days: a model that was fitted to dates counts in days.
    lenient: bool,
    /// How they are written, beside ISO 8601.
    format: Option<&'a DateFormat>,
}

impl Times<'_> {
    fn push(&mut self, text: &[u8], read: impl Fn(&[u8]) -> Option<(f64, f64)>) -> Result<(), Refusal> {
        let written = || self.format?.iso(std::str::from_utf8(text).ok()?);
        let (high, low) = read(text).or_else(|| read(written()?.as_bytes())).ok_or(Refusal::Kind)?;
        self.values.push(high, low);
        Ok(())
    }
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
    pub fn new(wanted: &Wanted<'a>, query: &Query<'a>, rows: usize) -> Self {
        if let Some(total) = wanted.count {
            return Builder::Kinds(Counted { own: Tally::default(), total, date: query.date });
        }
        let numbers = || Numbers::new(query.decimals, wanted.notation, wanted.ground == Ground::Word, rows);
        match wanted.kind {
            Kind::Number => Builder::Number(numbers()),
            Kind::Boolean => {
                Builder::Boolean(Booleans { categories: Categories::new(rows), lenient: wanted.ground == Ground::Word })
            }
            Kind::Date => {
                let lenient = wanted.ground == Ground::Word;
                Builder::Date(Times { values: numbers(), lenient, format: query.date })
            }
            Kind::Timestamp => Builder::Timestamp(Times { values: numbers(), lenient: true, format: query.date }),
            Kind::Text => Builder::Text(Categories::new(rows)),
        }
    }

    pub fn push_missing(&mut self) {
        match self {
            Builder::Number(values) => values.push(f64::NAN, 0.0),
            Builder::Date(times) | Builder::Timestamp(times) => times.values.push(f64::NAN, 0.0),
            Builder::Boolean(Booleans { categories, .. }) | Builder::Text(categories) => categories.push_missing(),
            Builder::Kinds(_) => {}
        }
    }

    /// Adds missing values until there are `rows` values.
    pub fn pad(&mut self, rows: usize) {
        let pad = |values: &mut Numbers| {
            values.high.resize(rows.max(values.high.len()), f64::NAN);
            if let Some(words) = &mut values.low {
                words.resize(values.high.len(), 0.0);
            }
        };
        match self {
            Builder::Number(values) => pad(values),
            Builder::Date(times) | Builder::Timestamp(times) => pad(&mut times.values),
            Builder::Boolean(Booleans { categories, .. }) | Builder::Text(categories) => {
                categories.codes.resize(rows.max(categories.codes.len()), MISSING);
            }
            Builder::Kinds(_) => {}
        }
    }

    pub fn push_boolean(&mut self, value: bool) {
        if let Builder::Boolean(Booleans { categories, .. }) | Builder::Text(categories) = self {
            categories.push(Cow::Borrowed(if value { "true" } else { "false" }));
        }
    }

    /// The numbers, where they are written as computers write them.
    #[inline]
    pub fn plain_numbers(&mut self) -> Option<&mut Numbers> {
        match self {
            Builder::Number(numbers) if numbers.is_plain => Some(numbers),
            _ => None,
        }
    }

    /// Adds what stands in quotes: among texts a word such as `NA` is a name there, unless the user says that it is missing.
    pub fn push_quoted(&mut self, text: Cow<'a, [u8]>, missing: &MissingWords) -> Result<(), Refusal> {
        match self {
            Builder::Text(categories) if !text.is_empty() && !missing.added_bytes(&text) => {
                categories.push(utf8(text)?);
                Ok(())
            }
            _ => self.push_text(text, missing),
        }
    }

    /// Adds the value that `text` is, a missing one if it is among the words for it.
    pub fn push_text(&mut self, text: Cow<'a, [u8]>, missing: &MissingWords) -> Result<(), Refusal> {
        if missing.contains(&text) {
            self.push_missing();
            return Ok(());
        }
        match self {
            Builder::Number(numbers) => {
                numbers.push_written(&text, missing).ok_or(Refusal::Kind)?;
            }
            Builder::Boolean(Booleans { categories, lenient }) => match (kinds::boolean(&text), *lenient) {
                (Some(value), _) => self.push_boolean(value),
                (None, true) => categories.push(utf8(text)?),
                (None, false) => return Err(Refusal::Kind),
            },
            Builder::Date(times) if times.lenient => times.push(&text, time::days)?,
            Builder::Date(times) => times.push(&text, |text| time::date(text).map(|days| (days, 0.0)))?,
            Builder::Timestamp(times) => times.push(&text, time::timestamp)?,
            Builder::Text(categories) => categories.push(utf8(text)?),
            Builder::Kinds(Counted { own, date, .. }) => own.add_dated(&text, *date),
        }
        Ok(())
    }

    pub fn finish(self) -> Column {
        match self {
            Builder::Number(values) => values.finish(),
            Builder::Date(times) | Builder::Timestamp(times) => times.values.finish(),
            Builder::Boolean(Booleans { categories, .. }) | Builder::Text(categories) => categories.finish(),
            Builder::Kinds(Counted { own, total, .. }) => {
                total.lock().unwrap_or_else(PoisonError::into_inner).merge(own);
                Categories::default().finish()
            }
        }
    }
}

fn utf8(text: Cow<'_, [u8]>) -> Result<Cow<'_, str>, Refusal> {
    Ok(match text {
        Cow::Borrowed(text) => Cow::Borrowed(std::str::from_utf8(text).map_err(|_| Refusal::NotUtf8)?),
        Cow::Owned(text) => Cow::Owned(String::from_utf8(text).map_err(|_| Refusal::NotUtf8)?),
    })
}

/// Texts as codes of the different ones among them.
#[derive(Debug, Default)]
pub(crate) struct Categories<'a> {
    codes: Vec<u32>,
    levels: Vec<String>,
    code_of: HashMap<Cow<'a, str>, u32, BuildHasherDefault<TextHasher>>,
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
