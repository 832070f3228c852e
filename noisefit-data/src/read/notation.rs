//! Numbers and dates as people write them: with a decimal comma, marks between thousands, a currency or a percent sign, the day
//! before the month.

use std::fmt;

use noisefit_core::sentence;
use noisefit_core::wording::{Sentence, Setting};

use super::number;
use crate::frame::Kind;

/// How a text that is no number as computers write them looks like one all the same, or like a date.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Look {
    /// `37,5`, which is no number of thousands.
    Comma,
    /// `1,234`: one and a bit, or a thousand and more.
    CommaOrThousands,
    /// `1'000`, `1 000`, `$3.50`, `3.5%`.
    Decorated,
    /// `24/12/2024`, `02-Jan-2024`.
    Date,
    /// `18:26`.
    Time,
    /// `01234`: digits that a number would not begin with.
    Code,
}

impl Look {
    /// What `text` looks like; none for a number as computers write them, and for what looks like neither.
    pub(crate) fn of(text: &str) -> Option<Look> {
        match () {
            () if comma_number(text).is_some() => {
                let (head, tail) = text.split_once(',')?;
                let whole = head.trim_start_matches(['-', '+']);
                let thousands = tail.len() == 3 && (1..=3).contains(&whole.len()) && !whole.starts_with('0');
                Some(if thousands { Look::CommaOrThousands } else { Look::Comma })
            }
            () if is_date(text) => Some(Look::Date),
            () if is_time(text) => Some(Look::Time),
            // With points between thousands, too: `1.036.000`.
            () if decorated_number(text, false).or_else(|| decorated_number(text, true)).is_some() => {
                Some(Look::Decorated)
            }
            () => None,
        }
    }

    /// What a text looks like that is not of its column's kind: a number for numbers, a date for dates. In a column with decimal
    /// commas a point may stand between thousands.
    pub(crate) fn of_refused(text: &str, kind: Kind, comma: bool) -> Option<Look> {
        let is_number = || comma && decorated_number(text, true).is_some();
        match (Look::of(text), kind) {
            // A day that there is not, 2024-02-30, is written as it should be.
            (Some(Look::Date), Kind::Date | Kind::Timestamp) if !has_year_first(text) => Some(Look::Date),
            (Some(Look::Comma | Look::CommaOrThousands), Kind::Number) if comma => Some(Look::Decorated),
            (look @ Some(Look::Comma | Look::CommaOrThousands | Look::Decorated), Kind::Number) => look,
            (_, Kind::Number) if is_number() => Some(Look::Decorated),
            _ => None,
        }
    }
}

impl Look {
    /// What to set, behind the message of a value that looks so in a column of numbers or dates.
    pub(crate) fn advice(self, column: &str) -> Sentence {
        match self {
            Look::Comma => sentence!["; say ", Setting::Decimal.with(","), " if that is a decimal comma"],
            Look::CommaOrThousands => sentence![
                "; say ",
                Setting::Decimal.with(","),
                " if the comma stands before decimals, ",
                Setting::Number.with(column),
                " if it stands between thousands"
            ],
            Look::Decorated => sentence!["; say ", Setting::Number.with(column), " to read it as one"],
            Look::Date => {
                sentence!["; say ", Setting::Date, " and how it is written, as in ", Setting::Date.with("%d/%m/%Y")]
            }
            Look::Time => sentence!["; a time of day is no number: write it in hours or minutes"],
            Look::Code => sentence![""],
        }
    }
}

/// The number with a decimal comma that `text` is, with points between its thousands or without.
pub(crate) fn comma_number(text: &str) -> Option<f64> {
    let (head, tail) = text.split_once(',')?;
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let whole = head.trim_start_matches(['-', '+']);
    let tail_digits = tail.split(['e', 'E']).next()?;
    let plain = head.len() - whole.len() <= 1 && (digits(whole) || grouped(whole, &['.'])) && digits(tail_digits);
    plain.then(|| number::parse(format!("{}.{tail}", head.replace('.', "")).as_bytes()))?
}

/// Currencies by their letters.
const CURRENCIES: [&str; 8] = ["USD", "EUR", "GBP", "CHF", "JPY", "CNY", "INR", "AUD"];

/// The number in a text with marks between thousands, a currency or a percent sign; what stands before a percent sign is taken
/// as it is.
pub(crate) fn decorated_number(text: &str, comma: bool) -> Option<f64> {
    const SIGNS: [char; 4] = ['$', '\u{20ac}', '\u{a3}', '\u{a5}'];
    let bare = text.strip_suffix('%').unwrap_or(text).trim();
    // Accountants put what is owed in brackets; typesetters have a minus sign of their own.
    let owed = bare.strip_prefix('(').and_then(|bare| bare.strip_suffix(')'));
    let bare = owed.unwrap_or(bare);
    let negative = owed.is_some() || bare.starts_with(['-', '\u{2212}']);
    let bare = bare.trim_start_matches(['-', '+', '\u{2212}']).trim_start_matches(SIGNS).trim_end_matches(SIGNS).trim();
    let bare = CURRENCIES.iter().fold(bare, |bare, name| bare.trim_start_matches(name).trim_end_matches(name)).trim();
    let (head, tail) = match bare.split_once(if comma { ',' } else { '.' }) {
        Some((head, tail)) => (head, tail),
        None => (bare, ""),
    };
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let marks: &[char] =
        if comma { &['\'', ' ', '\u{a0}', '\u{202f}', '.'] } else { &['\'', ' ', '\u{a0}', '\u{202f}', ','] };
    let whole = (digits(head) && !head.is_empty()) || grouped(head, marks);
    if !whole || !digits(tail) {
        return None;
    }
    let value = number::parse(format!("{}.{tail}", head.replace(marks, "")).as_bytes())?;
    Some(if negative { -value } else { value })
}

/// Whether digits stand in groups of three behind the first, with the same mark between all.
fn grouped(text: &str, marks: &[char]) -> bool {
    let Some(mark) = text.chars().find(|c| marks.contains(c)) else { return false };
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    text.split(mark).enumerate().all(|(place, group)| match place {
        0 => (1..=3).contains(&group.len()) && digits(group),
        _ => group.len() == 3 && digits(group),
    })
}

/// Whether a text begins as dates of ISO 8601 do.
fn has_year_first(text: &str) -> bool {
    text.split_once('-').is_some_and(|(year, _)| year.len() == 4 && year.bytes().all(|byte| byte.is_ascii_digit()))
}

/// Whether a text is a time of day.
fn is_time(text: &str) -> bool {
    let parts: Vec<&str> = text.split(':').collect();
    let below = |text: &str, end: u32| {
        (1..=2).contains(&text.len())
            && text.bytes().all(|byte| byte.is_ascii_digit())
            && text.parse().is_ok_and(|number: u32| number < end)
    };
    match parts[..] {
        [hour, minute] => below(hour, 24) && minute.len() == 2 && below(minute, 60),
        [hour, minute, second] => below(hour, 24) && below(minute, 60) && below(second, 60),
        _ => false,
    }
}

/// Whether a text names a month between a day and a year: `January 18, 2024`, `6 Jan 2024`.
fn names_month(text: &str) -> bool {
    let words: Vec<&str> = text.split([' ', ',']).filter(|word| !word.is_empty()).collect();
    let number =
        |text: &str, most: usize| (1..=most).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    let month =
        |text: &str| MONTHS.iter().any(|name| text.eq_ignore_ascii_case(name) || text.eq_ignore_ascii_case(&name[..3]));
    match words[..] {
        [day, name, year] if number(day, 2) => month(name) && number(year, 4),
        [name, day, year] => month(name) && number(day, 2) && number(year, 4),
        _ => false,
    }
}

/// Whether a text is a date in numbers with the year first or last, or with the name of the month.
fn is_date(text: &str) -> bool {
    if names_month(text) {
        return true;
    }
    let day = text.split([' ', 'T']).next().unwrap_or(text);
    let parts: Vec<&str> = day.split(['/', '.', '-']).collect();
    let [first, second, third] = parts[..] else { return false };
    let number =
        |text: &str, most: usize| (1..=most).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    let year = |text: &str| number(text, 4) && (text.len() == 4 || text.len() == 2);
    let month = |text: &str| number(text, 2) || MONTHS.iter().any(|name| text.eq_ignore_ascii_case(&name[..3]));
    (number(first, 2) && month(second) && year(third))
        || (first.len() == 4 && number(first, 4) && month(second) && number(third, 2))
}

const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

/// A column of text that looks like one of numbers or dates.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LookAlike {
    /// Its name.
    pub column: String,
    /// What its values look like.
    pub look: Look,
    /// One of them.
    pub example: String,
}

impl LookAlike {
    /// What it looks like, and what to set.
    pub fn sentence(&self) -> Sentence {
        let LookAlike { column, look, example } = self;
        let names = Setting::Text.with(column);
        match look {
            Look::Comma => sentence![
                format!("column `{column}` has values such as `{example}`: say "),
                Setting::Decimal.with(","),
                " if that is a decimal comma, or ",
                names,
                " if they are names"
            ],
            Look::CommaOrThousands => sentence![
                format!("column `{column}` has values such as `{example}`: say "),
                Setting::Decimal.with(","),
                " if the comma stands before decimals, ",
                Setting::Number.with(column),
                " if it stands between thousands, or ",
                names,
                " if they are names"
            ],
            Look::Decorated => sentence![
                format!("column `{column}` is text, and its values look like numbers (`{example}`): say "),
                Setting::Number.with(column),
                " to read them as such, or ",
                names,
                " if they are names"
            ],
            Look::Date => sentence![
                format!("column `{column}` is text, and its values look like dates (`{example}`): say "),
                Setting::Date,
                " and how they are written, as in ",
                Setting::Date.with("%d/%m/%Y"),
                " or ",
                Setting::Date.with("%d-%b-%Y"),
                ", or ",
                names,
                " if they are names"
            ],
            Look::Time => sentence![
                format!(
                    "column `{column}` is text, and its values look like times of day (`{example}`), each of which is a level: \
                     write them as numbers, such as hours, or say "
                ),
                names,
                " if they are names"
            ],
            Look::Code => sentence![
                format!(
                    "column `{column}` is read as numbers, and some begin with a zero (`{example}`), which numbers do not keep: say "
                ),
                names,
                " if they are names"
            ],
        }
    }
}

/// How dates and times are written, beside ISO 8601: `%d/%m/%Y`, in the language of `strftime`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DateFormat {
    /// As the user wrote it.
    text: String,
    parts: Vec<Part>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    Year,
    ShortYear,
    Month,
    MonthName,
    Day,
    Hour,
    Minute,
    Second,
    Letter(char),
}

impl std::str::FromStr for DateFormat {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let mut parts = Vec::new();
        let mut letters = text.chars();
        while let Some(letter) = letters.next() {
            parts.push(match (letter, if letter == '%' { letters.next() } else { None }) {
                ('%', Some('Y')) => Part::Year,
                ('%', Some('y')) => Part::ShortYear,
                ('%', Some('m')) => Part::Month,
                ('%', Some('b' | 'B')) => Part::MonthName,
                ('%', Some('d')) => Part::Day,
                ('%', Some('H')) => Part::Hour,
                ('%', Some('M')) => Part::Minute,
                ('%', Some('S')) => Part::Second,
                ('%', _) => {
                    return Err("a date is written with %d, %m, %b, %Y, %y, %H, %M and %S, as in %d/%m/%Y".to_owned());
                }
                (letter, _) => Part::Letter(letter),
            });
        }
        let has = |wanted: &[Part]| parts.iter().filter(|part| wanted.contains(part)).count() == 1;
        match has(&[Part::Year, Part::ShortYear]) && has(&[Part::Month, Part::MonthName]) && has(&[Part::Day]) {
            true => Ok(DateFormat { text: text.to_owned(), parts }),
            false => Err("a date has a day, a month and a year, each once, as in %d/%m/%Y".to_owned()),
        }
    }
}

impl fmt::Display for DateFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl DateFormat {
    /// Whether it tells the time of day, too.
    pub(crate) fn has_time(&self) -> bool {
        self.parts.contains(&Part::Hour)
    }

    /// The date or time that `text` is as ISO 8601 writes it.
    pub(crate) fn iso(&self, text: &str) -> Option<String> {
        let (mut year, mut month, mut day, mut time) = (0, 0, 0, [0u32; 3]);
        let mut rest = text;
        for &part in &self.parts {
            let mut number = |least: usize, most: usize| -> Option<u32> {
                let length = rest.bytes().take(most).take_while(u8::is_ascii_digit).count();
                if length < least {
                    return None;
                }
                let value = rest[..length].parse().ok()?;
                rest = &rest[length..];
                Some(value)
            };
            match part {
                // Two digits would be a year of the first century: `%y` has those.
                Part::Year => year = number(4, 4)?,
                // As POSIX has it: 69 to 99 are of the last century.
                Part::ShortYear => year = number(1, 2).map(|year| if year < 69 { 2000 + year } else { 1900 + year })?,
                Part::Month => month = number(1, 2)?,
                Part::Day => day = number(1, 2)?,
                Part::Hour => time[0] = number(1, 2)?,
                Part::Minute => time[1] = number(1, 2)?,
                Part::Second => time[2] = number(1, 2)?,
                Part::Letter(letter) => rest = rest.strip_prefix(letter)?,
                Part::MonthName => {
                    let length = rest.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(rest.len());
                    let word = &rest[..length];
                    let is = |name: &&str| word.eq_ignore_ascii_case(name) || word.eq_ignore_ascii_case(&name[..3]);
                    month = MONTHS.iter().position(is)? as u32 + 1;
                    rest = &rest[length..];
                }
            }
        }
        let [hour, minute, second] = time;
        let date = format!("{year:04}-{month:02}-{day:02}");
        rest.is_empty().then(|| match self.has_time() {
            true => format!("{date}T{hour:02}:{minute:02}:{second:02}"),
            false => date,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn looks_of_numbers_and_dates() {
        for (text, look) in [
            ("37,5", Some(Look::Comma)),
            ("-0,125", Some(Look::Comma)),
            ("1.234,5", Some(Look::Comma)),
            ("1,234", Some(Look::CommaOrThousands)),
            ("1'000", Some(Look::Decorated)),
            ("1 000", Some(Look::Decorated)),
            ("1,234,567", Some(Look::Decorated)),
            ("$3.50", Some(Look::Decorated)),
            ("3.5%", Some(Look::Decorated)),
            ("24/12/2024", Some(Look::Date)),
            ("02-Jan-2024", Some(Look::Date)),
            ("1.2.2024", Some(Look::Date)),
            ("\u{20ac}17,50", Some(Look::Decorated)),
            ("1 016,5", Some(Look::Decorated)),
            ("1.036.000", Some(Look::Decorated)),
            ("\u{2212}12", Some(Look::Decorated)),
            ("(35.5)", Some(Look::Decorated)),
            ("26.5 EUR", Some(Look::Decorated)),
            ("Jan 18, 2024", Some(Look::Date)),
            ("6 January 2024", Some(Look::Date)),
            ("2024-11-9", Some(Look::Date)),
            ("18:26", Some(Look::Time)),
            ("7:05:09", Some(Look::Time)),
            ("2:1", None),
            ("25:00", None),
            ("May 2024", None),
            ("12,34,5", None),
            ("a,5", None),
            ("10-20", None),
            ("192.168.0.1", None),
            ("Paris", None),
        ] {
            assert_eq!(Look::of(text), look, "{text}");
        }
    }

    #[test]
    fn numbers_as_people_write_them() {
        assert_eq!(comma_number("37,5"), Some(37.5));
        assert_eq!(comma_number("-1.234,5"), Some(-1234.5));
        assert_eq!(comma_number("1,5e3"), Some(1500.0));
        assert_eq!(comma_number("1.23,5"), None);
        assert_eq!(decorated_number("1'000.5", false), Some(1000.5));
        assert_eq!(decorated_number("-$1,234", false), Some(-1234.0));
        assert_eq!(decorated_number("3,5 %", true), Some(3.5));
        assert_eq!(decorated_number("1.000,25 \u{20ac}", true), Some(1000.25));
        assert_eq!(decorated_number("12 34", false), None);
    }

    #[test]
    fn dates_as_people_write_them() {
        let format = |text: &str| text.parse::<DateFormat>();
        assert_eq!(format("%d/%m/%Y").unwrap().iso("24/12/2024").as_deref(), Some("2024-12-24"));
        assert_eq!(format("%d-%b-%Y").unwrap().iso("02-Jan-2024").as_deref(), Some("2024-01-02"));
        assert_eq!(format("%m/%d/%y %H:%M").unwrap().iso("1/2/70 08:30").as_deref(), Some("1970-01-02T08:30:00"));
        assert_eq!(format("%d/%m/%Y").unwrap().iso("24/12/2024 8:00"), None);
        assert!(format("%d/%m").is_err() && format("%q").is_err());
        for text in ["24/12/24", "24/12/124", "24/12/20245"] {
            assert_eq!(format("%d/%m/%Y").unwrap().iso(text), None, "{text}");
        }
        assert_eq!(format("%Y%m%d").unwrap().iso("20241224").as_deref(), Some("2024-12-24"));
    }
}
