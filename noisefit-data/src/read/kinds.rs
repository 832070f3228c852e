//! What a column holds, told from a sample of its values.

use std::collections::HashMap;
use std::sync::Arc;

use super::notation::{DateFormat, Look};
use super::{number, time};
use crate::frame::Kind;

/// What the boolean words mean.
pub(crate) fn boolean(text: &[u8]) -> Option<bool> {
    match text {
        b"true" | b"TRUE" | b"True" | b"T" => Some(true),
        b"false" | b"FALSE" | b"False" | b"F" => Some(false),
        _ => None,
    }
}

/// What an error says that a value should have been; dates may also be written as in `format`.
pub(crate) fn expectation(kind: Kind, format: Option<&DateFormat>) -> String {
    match (kind, format) {
        (Kind::Number, _) => "a number".to_owned(),
        (Kind::Boolean, _) => "true or false".to_owned(),
        (Kind::Date, None) => "a date (yyyy-mm-dd)".to_owned(),
        (Kind::Date, Some(format)) => format!("a date ({format}, or yyyy-mm-dd)"),
        (Kind::Timestamp, None) => "a time (yyyy-mm-ddThh:mm:ss)".to_owned(),
        (Kind::Timestamp, Some(format)) => format!("a time ({format}, or yyyy-mm-ddThh:mm:ss)"),
        (Kind::Text, _) => "text".to_owned(),
    }
}

/// What an error says that a column holds.
pub(crate) fn holding(kind: Kind) -> &'static str {
    match kind {
        Kind::Number => "numbers",
        Kind::Boolean => "true and false",
        Kind::Date => "dates",
        Kind::Timestamp => "times",
        Kind::Text => "text",
    }
}

/// What a column's kind rests on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ground {
    /// Nothing: no value was met. It is read as numbers until one is.
    Nothing,
    /// The values at the heads of the files; a later one may say more.
    Values,
    /// The file's schema, the user or a model.
    Word,
}

/// Whether a value that was not met yet may show that a column is of another kind than was told.
pub(crate) fn may_widen(kind: Kind, ground: Ground) -> bool {
    match ground {
        Ground::Nothing => true,
        Ground::Values => matches!(kind, Kind::Boolean | Kind::Date),
        Ground::Word => false,
    }
}

/// Whether `text` shows that a column is of another kind than was told, rather than being a mistake.
pub(crate) fn widens(kind: Kind, ground: Ground, text: &[u8]) -> bool {
    // A word among true and false is a word, and so were those.
    may_widen(kind, ground) && (ground == Ground::Nothing || kind != Kind::Date || time::timestamp(text).is_some())
}

/// The kind of a column that is of one kind in one file and of another in the next, where there is such a kind.
pub(crate) fn common(kind: Kind, other: Kind) -> Option<Kind> {
    match (kind, other) {
        _ if kind == other => Some(kind),
        (Kind::Boolean, Kind::Text) | (Kind::Text, Kind::Boolean) => Some(Kind::Text),
        (Kind::Date, Kind::Timestamp) | (Kind::Timestamp, Kind::Date) => Some(Kind::Timestamp),
        _ => None,
    }
}

/// Whether a column is text in one file and numbers in another, which nobody means who does not say so.
pub(crate) fn are_text_and_numbers(kind: Kind, other: Kind) -> bool {
    matches!((kind, other), (Kind::Text, Kind::Number) | (Kind::Number, Kind::Text))
}

/// The texts that stand for a missing value.
#[derive(Debug, Clone)]
pub(crate) struct MissingWords {
    words: Vec<Vec<u8>>,
    /// Those words that the user added.
    added: Vec<String>,
    /// Those words that are numbers, such as -999: among numbers they are compared as numbers, so that -999.0 is missing
    /// too. Of integers beyond 2^53 both words.
    numbers: Vec<(f64, f64)>,
}

/// The words that always stand for a missing value, beside nothing at all.
pub(crate) const MISSING_WORDS: [&str; 6] = ["NA", "N/A", "NaN", "nan", "null", "NULL"];

impl MissingWords {
    pub fn new(more: &[String]) -> Self {
        let more = || more.iter().map(|word| word.trim());
        let words = MISSING_WORDS.into_iter().chain(more()).map(|word| word.as_bytes().to_vec()).collect();
        let number = |word: &[u8]| Some((number::parse(word)?, number::low_word_of_integer(word)));
        let numbers = more().filter_map(|word| number(word.as_bytes())).collect();
        MissingWords { words, added: more().map(str::to_owned).collect(), numbers }
    }

    /// Whether a field's text stands for a missing value.
    pub fn contains(&self, text: &[u8]) -> bool {
        text.is_empty() || self.words.iter().any(|word| word == text)
    }

    /// Whether the user said that a text stands for a missing value. In formats that have a missing value of their own only
    /// such texts do.
    pub fn added(&self, text: &str) -> bool {
        self.added.iter().any(|word| word == text)
    }

    /// Whether the user said that a text, given by its bytes, stands for a missing value.
    pub fn added_bytes(&self, text: &[u8]) -> bool {
        self.added.iter().any(|word| word.as_bytes() == text)
    }

    /// `high`, or NaN if `high + low` stands for a missing value.
    #[inline]
    pub fn without(&self, high: f64, low: f64) -> f64 {
        if self.numbers.is_empty() || !self.is_missing(high, low) { high } else { f64::NAN }
    }

    fn is_missing(&self, high: f64, low: f64) -> bool {
        // What a double leaves out of a shorter number tells nothing apart that is not written differently.
        let is_long = high.abs() >= number::LONGEST_EXACT && high.fract() == 0.0;
        self.numbers.iter().any(|word| word.0 == high && (word.1 == low || !is_long))
    }
}

/// How many values of a column are of which kind, missing ones left out.
#[derive(Debug, Clone, Default)]
pub(crate) struct Tally {
    pub numbers: usize,
    pub booleans: usize,
    pub dates: usize,
    pub timestamps: usize,
    pub others: usize,
    /// How many of the numbers have a point.
    points: usize,
    /// How many of the others look like numbers or dates, by [`Look`].
    looks: [usize; 5],
    /// The first of each look.
    examples: [Option<String>; 5],
    /// A number that begins with a zero before other digits.
    code: Option<String>,
}

/// How many values of which kinds an earlier reading met in some columns: [`Dataset::count_kinds`](super::Dataset::count_kinds).
#[derive(Debug, Clone)]
pub struct KindsMet(Arc<HashMap<String, Tally>>);

impl KindsMet {
    pub(crate) fn new(columns: impl Iterator<Item = (String, Tally)>) -> Self {
        KindsMet(Arc::new(columns.collect()))
    }

    pub(crate) fn of(&self, column: &str) -> Option<&Tally> {
        self.0.get(column)
    }
}

/// The looks, in the order of [`Tally`]'s counts.
const LOOKS: [Look; 5] = [Look::Comma, Look::CommaOrThousands, Look::Decorated, Look::Date, Look::Time];

impl Tally {
    /// Counts a value that is not missing; dates may also be written as in `format`.
    pub fn add_dated(&mut self, text: &[u8], format: Option<&DateFormat>) {
        match format.filter(|format| std::str::from_utf8(text).ok().and_then(|text| format.iso(text)).is_some()) {
            Some(format) if format.has_time() => self.timestamps += 1,
            Some(_) => self.dates += 1,
            None => self.add(text),
        }
    }

    /// Counts a value that is not missing.
    pub fn add(&mut self, text: &[u8]) {
        let count = match text {
            // Digits of which no number holds all are a name.
            _ if number::parse(text).is_some() && !number::is_too_long(text) => {
                self.points += usize::from(text.contains(&b'.'));
                self.add_code(text);
                &mut self.numbers
            }
            _ if boolean(text).is_some() => &mut self.booleans,
            // Also one that is on no calendar: reading it is an error that names it.
            _ if time::is_date_like(text) => &mut self.dates,
            _ if time::timestamp(text).is_some() => &mut self.timestamps,
            _ => {
                self.add_look(text);
                &mut self.others
            }
        };
        *count += 1;
    }

    fn add_code(&mut self, text: &[u8]) {
        let begins = text.len() > 1 && text[0] == b'0' && text.len() <= 40 && text.iter().all(u8::is_ascii_digit);
        if begins && self.code.is_none() {
            self.code = std::str::from_utf8(text).ok().map(str::to_owned);
        }
    }

    fn add_look(&mut self, text: &[u8]) {
        // Long texts are neither.
        let Some(text) = std::str::from_utf8(text).ok().filter(|text| text.len() <= 40) else { return };
        let Some(place) = Look::of(text).and_then(|look| LOOKS.iter().position(|known| *known == look)) else { return };
        self.looks[place] += 1;
        self.examples[place].get_or_insert_with(|| text.to_owned());
    }

    /// Adds the values of a later part of the column.
    pub fn merge(&mut self, later: Tally) {
        self.numbers += later.numbers;
        self.booleans += later.booleans;
        self.dates += later.dates;
        self.timestamps += later.timestamps;
        self.others += later.others;
        self.points += later.points;
        self.looks.iter_mut().zip(later.looks).for_each(|(look, later)| *look += later);
        let examples = self.examples.iter_mut().zip(later.examples).chain([(&mut self.code, later.code)]);
        for (example, later) in examples {
            // Of two the lesser, whichever part is merged first.
            *example = match (example.take(), later) {
                (Some(own), Some(later)) => Some(own.min(later)),
                (own, later) => own.or(later),
            };
        }
    }

    /// Whether it is a column of numbers if commas stand before decimals, which one of them must; where points do, too, either
    /// may be what stands between thousands.
    pub fn has_decimal_commas(&self) -> bool {
        self.looks[0] > 0 && self.points == 0 && self.kind_with_commas() == Some(Kind::Number)
    }

    /// The kind of the column if commas stand before decimals.
    pub fn kind_with_commas(&self) -> Option<Kind> {
        let commas = self.looks[0] + self.looks[1];
        Tally { numbers: self.numbers + commas, others: self.others - commas, ..self.clone() }.kind()
    }

    /// What nearly all values look like that are text as they stand, and one of them.
    pub fn look(&self) -> Option<(Look, String)> {
        // Dates as they should be written stand beside others.
        let dates = if self.looks[3] > 0 { self.dates + self.timestamps } else { 0 };
        let alike: usize = self.looks.iter().sum();
        let total = self.numbers + self.booleans + self.dates + self.timestamps + self.others;
        if 10 * (alike + self.numbers + dates) < 9 * total {
            return None;
        }
        // A single decimal comma tells what the commas of the others are.
        let place = if self.looks[0] > 0 { 0 } else { (1..LOOKS.len()).max_by_key(|&place| self.looks[place])? };
        Some((LOOKS[place], self.examples[place].clone()?))
    }

    /// A number among numbers without points that begins with a zero, as those of postal codes do.
    pub fn code(&self) -> Option<&str> {
        self.code.as_deref().filter(|_| self.points == 0)
    }

    /// The kind of the column: that of more than half of its values, else text; none of a column with nothing in it.
    ///
    /// If a few values of a column of numbers are not numbers, they are mistakes or stand for missing values far more
    /// often than the numbers are names; that the column is nevertheless a number makes reading it an error that names
    /// the first such value, where a category with a level for each number would be silently wrong. True and false are
    /// no such case: among other words they are words.
    pub fn kind(&self) -> Option<Kind> {
        let Tally { numbers, booleans, dates, timestamps, others, .. } = *self;
        let total = numbers + booleans + dates + timestamps + others;
        let most = |count: usize| 2 * count > total;
        Some(match () {
            () if total == 0 => return None,
            () if most(numbers) => Kind::Number,
            () if booleans == total => Kind::Boolean,
            () if most(dates + timestamps) && timestamps > 0 => Kind::Timestamp,
            () if most(dates) => Kind::Date,
            () => Kind::Text,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kind(values: &[&str]) -> Kind {
        let mut tally = Tally::default();
        values.iter().for_each(|value| tally.add(value.as_bytes()));
        tally.kind().unwrap()
    }

    #[test]
    fn a_later_value_may_widen_a_kind() {
        use Ground::{Nothing, Values, Word};
        assert_eq!(Tally::default().kind(), None);
        assert!(widens(Kind::Boolean, Values, b"M") && !widens(Kind::Boolean, Word, b"M"));
        assert!(widens(Kind::Date, Values, b"2024-01-01 08:00") && !widens(Kind::Date, Values, b"soon"));
        assert!(widens(Kind::Number, Nothing, b"n/a") && !widens(Kind::Number, Values, b"n/a"));
    }

    #[test]
    fn kinds_of_columns() {
        assert_eq!(kind(&["1", "-2e5", "inf"]), Kind::Number);
        assert_eq!(kind(&["12345678901234567890123456789012345", "12345678901234567890123456789012346"]), Kind::Text);
        assert_eq!(kind(&["1", "2", "n/a"]), Kind::Number);
        assert_eq!(kind(&["1", "a", "b"]), Kind::Text);
        assert_eq!(kind(&["1", "a"]), Kind::Text);
        assert_eq!(kind(&["T", "F", "true"]), Kind::Boolean);
        assert_eq!(kind(&["T", "F", "F", "M"]), Kind::Text);
        assert_eq!(kind(&["2024-01-01", "2024-12-31"]), Kind::Date);
        assert_eq!(kind(&["2024-01-01", "2024-12-31 08:00"]), Kind::Timestamp);
        assert_eq!(kind(&["2024-01-01", "2024-01-02", "soon"]), Kind::Date);
        assert_eq!(kind(&["Paris", "Rome"]), Kind::Text);
        assert_eq!(kind(&["2024-02-29", "2024-02-30"]), Kind::Date, "which is read as an error that names it");
    }

    #[test]
    fn columns_that_look_like_numbers() {
        let tally = |values: &[&str]| {
            let mut tally = Tally::default();
            values.iter().for_each(|value| tally.add(value.as_bytes()));
            tally
        };
        assert!(tally(&["37,5", "12", "1,250"]).has_decimal_commas());
        assert!(!tally(&["1,250", "2,375"]).has_decimal_commas(), "perhaps thousands");
        assert!(!tally(&["37,5", "1.234", "38,5"]).has_decimal_commas(), "perhaps decimals, perhaps thousands");
        assert_eq!(tally(&["37,5", "1.234", "38,5"]).look(), Some((Look::Comma, "37,5".to_owned())));
        assert_eq!(tally(&["1,250", "2,375"]).look(), Some((Look::CommaOrThousands, "1,250".to_owned())));
        assert_eq!(tally(&["$3", "$4", "5"]).look(), Some((Look::Decorated, "$3".to_owned())));
        assert_eq!(tally(&["a", "b", "$5"]).look(), None);
    }

    #[test]
    fn missing_numbers_are_compared_as_numbers() {
        let missing = MissingWords::new(&["-999".to_owned(), " ? ".to_owned()]);
        assert!(
            missing.contains(b"-999") && missing.contains(b"?") && missing.contains(b"") && missing.contains(b"NA")
        );
        assert!(!missing.contains(b"0"));
        assert!(missing.without(-999.0, 0.0).is_nan());
        assert_eq!(missing.without(999.0, 0.0), 999.0);
        // 2^53 + 1, and its neighbour.
        let missing = MissingWords::new(&["9007199254740993".to_owned()]);
        assert!(missing.without(9007199254740992.0, 1.0).is_nan());
        assert_eq!(missing.without(9007199254740992.0, 0.0), 9007199254740992.0);
        // What a double leaves out of 0.1 is not asked everywhere.
        let missing = MissingWords::new(&["0.1".to_owned()]);
        assert!(missing.without(0.1, -5.551115123125783e-18).is_nan() && missing.without(0.1, 0.0).is_nan());
    }
}
