//! Calendar dates and points in time as ISO 8601 writes them.

use noisefit_core::numeric::double_double::DoubleDouble;

use crate::frame::Kind;

pub(crate) const SECONDS_A_DAY: f64 = 86_400.0;

/// A count of the `per_second`th part of a second in seconds, in two words: a double alone loses microseconds.
pub(crate) fn seconds(count: i64, per_second: i64) -> (f64, f64) {
    let (whole, rest) = (count.div_euclid(per_second), count.rem_euclid(per_second));
    let (high, low) = super::number::from_integer(whole.into());
    let value = DoubleDouble::from_sum(high, low) + DoubleDouble::from(rest as f64) / per_second as f64;
    (value.high, value.low)
}

/// Days from 1970-01-01 to the date `yyyy-mm-dd`, or to a point in time as [`timestamp`] takes them.
pub(crate) fn days(text: &[u8]) -> Option<(f64, f64)> {
    match date(text) {
        Some(days) => Some((days, 0.0)),
        None => timestamp(text).map(|(high, low)| {
            let days = DoubleDouble::from_sum(high, low) / SECONDS_A_DAY;
            (days.high, days.low)
        }),
    }
}

/// Whether a text has the form of a date `yyyy-mm-dd`, on a calendar or not.
pub(crate) fn is_date_like(text: &[u8]) -> bool {
    matches!(text, [y @ .., b'-', m0, m1, b'-', d0, d1]
        if y.len() == 4 && y.iter().chain([m0, m1, d0, d1]).all(u8::is_ascii_digit))
}

/// Days from 1970-01-01 to the date `yyyy-mm-dd`.
pub(crate) fn date(text: &[u8]) -> Option<f64> {
    let &[y0, y1, y2, y3, b'-', m0, m1, b'-', d0, d1] = text else { return None };
    let (year, month, day) = (number(&[y0, y1, y2, y3])?, number(&[m0, m1])?, number(&[d0, d1])?);
    let valid = (1..=12).contains(&month) && (1..=days_in(year, month)).contains(&day);
    valid.then(|| days_from_civil(year, month, day) as f64)
}

/// Seconds from 1970-01-01T00:00:00Z to `yyyy-mm-dd`, `yyyy-mm-ddThh:mm`, `yyyy-mm-ddThh:mm:ss` or
/// `yyyy-mm-ddThh:mm:ss.fraction`, with `T` or a space between, then nothing or `Z` (universal time) or an offset `+hh:mm`,
/// `+hhmm` or `+hh`; in two words.
pub(crate) fn timestamp(text: &[u8]) -> Option<(f64, f64)> {
    let days = date(text.get(..10)?)?;
    let (separator, clock) = match text.get(10..)? {
        [] => return Some((days * SECONDS_A_DAY, 0.0)),
        [separator, clock @ ..] => (separator, clock),
    };
    if !matches!(separator, b'T' | b't' | b' ') {
        return None;
    }
    let zone = clock.iter().position(|byte| matches!(byte, b'Z' | b'z' | b'+' | b'-')).unwrap_or(clock.len());
    let (clock, zone) = clock.split_at(zone);
    let (seconds, fraction) = seconds_of_day(clock)?;
    // Whole seconds of four-digit years are far within 2^53.
    let value = DoubleDouble::from(days * SECONDS_A_DAY + (seconds - offset(zone)?)) + fraction;
    Some((value.high, value.low))
}

/// The whole seconds of `hh:mm`, `hh:mm:ss` or `hh:mm:ss.fraction`, and the fraction; a leap second (`:60`) is the first
/// second of the next minute.
fn seconds_of_day(clock: &[u8]) -> Option<(f64, DoubleDouble)> {
    let &[h0, h1, b':', m0, m1, ref rest @ ..] = clock else { return None };
    let (hours, minutes) = (number(&[h0, h1])?, number(&[m0, m1])?);
    let (seconds, fraction) = match rest {
        [] => (0, DoubleDouble::ZERO),
        &[b':', s0, s1] => (number(&[s0, s1])?, DoubleDouble::ZERO),
        &[b':', s0, s1, b'.', ref digits @ ..] if !digits.is_empty() => {
            // Beyond attoseconds there is nothing.
            let digits = &digits[..digits.len().min(18)];
            let fraction = DoubleDouble::from(number(digits)? as f64) / 10f64.powi(digits.len() as i32);
            (number(&[s0, s1])?, fraction)
        }
        _ => return None,
    };
    (hours <= 23 && minutes <= 59 && seconds <= 60).then(|| ((hours * 3600 + minutes * 60 + seconds) as f64, fraction))
}

/// Seconds that the clocks of a zone are ahead of universal time.
fn offset(zone: &[u8]) -> Option<f64> {
    let (sign, hours, minutes) = match *zone {
        [] | [b'Z' | b'z'] => return Some(0.0),
        [sign, h0, h1] => (sign, number(&[h0, h1])?, 0),
        [sign, h0, h1, b':', m0, m1] | [sign, h0, h1, m0, m1] => (sign, number(&[h0, h1])?, number(&[m0, m1])?),
        _ => return None,
    };
    let seconds = (hours * 3600 + minutes * 60) as f64;
    match sign {
        _ if hours > 23 || minutes > 59 => None,
        b'+' => Some(seconds),
        b'-' => Some(-seconds),
        _ => None,
    }
}

/// A value of a column of dates or times as ISO 8601 writes it: `yyyy-mm-dd` for days, with the time of day for parts of
/// them, and `yyyy-mm-ddThh:mm:ssZ` with up to six decimals for seconds. None for other kinds of columns.
pub(crate) fn iso(kind: Kind, value: f64) -> Option<String> {
    // A double tells times of our century to the microsecond; dates have no need of that.
    let (microseconds, zone) = match kind {
        Kind::Date => ((value * SECONDS_A_DAY).round() * 1e6, ""),
        Kind::Timestamp => ((value * 1e6).round(), "Z"),
        Kind::Number | Kind::Boolean | Kind::Text => return None,
    };
    let microseconds = microseconds as i128;
    let (seconds, fraction) = (microseconds.div_euclid(1_000_000), microseconds.rem_euclid(1_000_000));
    let (days, second) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
    let (year, month, day) = civil_from_days(days);
    let date = format!("{year:04}-{month:02}-{day:02}");
    if kind == Kind::Date && second == 0 {
        return Some(date);
    }
    let (hours, minutes, seconds) = (second / 3600, second / 60 % 60, second % 60);
    let fraction = if fraction == 0 { String::new() } else { format!(".{fraction:06}") };
    Some(format!("{date}T{hours:02}:{minutes:02}:{seconds:02}{}{zone}", fraction.trim_end_matches('0')))
}

fn number(digits: &[u8]) -> Option<i64> {
    digits.iter().try_fold(0, |value, digit| digit.is_ascii_digit().then(|| value * 10 + i64::from(digit - b'0')))
}

fn days_in(year: i64, month: i64) -> i64 {
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    match month {
        2 => 28 + i64::from(leap),
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Days from 1970-01-01 in the proleptic Gregorian calendar, for years from 0 on (Hinnant, *chrono-compatible low-level
/// date algorithms*, 2013: a year that begins in March has its leap day last).
fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * 146_097 + day_of_era - 719_468
}

/// Year, month and day of a day counted from 1970-01-01, the inverse of [`days_from_civil`].
fn civil_from_days(days: i128) -> (i128, i128, i128) {
    let days = days + 719_468;
    let (era, day_of_era) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    let year = year_of_era + era * 400 + i128::from(month <= 2);
    (year, month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Reference values from Python's `datetime`.
    #[test]
    fn dates_are_days_since_1970() {
        let cases = [("1970-01-01", 0.0), ("1969-12-31", -1.0), ("2000-02-29", 11016.0), ("2024-12-31", 20088.0)];
        for (text, days) in cases {
            assert_eq!(date(text.as_bytes()), Some(days), "{text}");
        }
        assert_eq!(date(b"0001-01-01"), Some(-719162.0));
        for text in ["2023-02-29", "1900-02-29", "2024-13-01", "2024-00-01", "2024-01-32", "2024-1-1", "24-01-01", ""] {
            assert_eq!(date(text.as_bytes()), None, "{text}");
        }
    }

    /// Reference values from Python's `datetime`.
    #[test]
    fn timestamps_are_seconds_since_1970() {
        let cases = [
            ("2024-03-01", 1709251200.0),
            ("2024-03-01T12:34", 1709296440.0),
            ("2024-03-01 12:34:56", 1709296496.0),
            ("2024-03-01T12:34:56Z", 1709296496.0),
            ("2024-03-01T12:34:56.25Z", 1709296496.25),
            ("2024-03-01T12:34:56+01:00", 1709292896.0),
            ("2024-03-01T12:34:56-0530", 1709316296.0),
            ("2024-03-01T12:34:56+02", 1709289296.0),
            ("1969-12-31T23:59:59.5", -0.5),
        ];
        for (text, seconds) in cases {
            assert_eq!(timestamp(text.as_bytes()), Some((seconds, 0.0)), "{text}");
        }
        let wrong = ["2024-03-01T", "2024-03-01T24:00", "2024-03-01T12:60", "2024-03-01T12:34:56.", "2024-03-01X12:34"];
        for text in
            wrong.into_iter().chain(["2024-03-01T12:34:56+1", "2024-03-01T12:34:5", "12:34:56", "2024-03-01T12:34é"])
        {
            assert_eq!(timestamp(text.as_bytes()), None, "{text}");
        }
    }

    /// Microseconds since 1970: `1709296496123457`, from Python's `datetime`.
    #[test]
    fn microseconds_are_kept() {
        let (high, low) = timestamp(b"2024-03-01T12:34:56.123457Z").unwrap();
        assert_eq!((high, low), seconds(1_709_296_496_123_457, 1_000_000));
        let next = seconds(1_709_296_496_123_458, 1_000_000);
        let step = (next.0 - high) + (next.1 - low);
        assert!((step - 1e-6).abs() < 1e-20, "{step}");
        assert_eq!(days(b"2024-03-01 12:00"), Some((19783.5, 0.0)));
        assert_eq!(timestamp(b"2024-03-01T12:34:56.12x"), None);
    }

    /// Reference values from Python's `datetime`.
    #[test]
    fn values_are_written_as_iso_8601() {
        let cases = [
            (Kind::Date, 0.0, "1970-01-01"),
            (Kind::Date, 11016.0, "2000-02-29"),
            (Kind::Date, -719162.0, "0001-01-01"),
            (Kind::Date, 20088.5, "2024-12-31T12:00:00"),
            (Kind::Timestamp, 1709296496.0, "2024-03-01T12:34:56Z"),
            (Kind::Timestamp, 1709296496.25, "2024-03-01T12:34:56.25Z"),
            (Kind::Timestamp, -0.5, "1969-12-31T23:59:59.5Z"),
        ];
        for (kind, value, text) in cases {
            assert_eq!(iso(kind, value).as_deref(), Some(text));
        }
        assert_eq!(iso(Kind::Number, 0.0), None);
    }

    #[test]
    fn every_day_of_eight_centuries_reads_back() {
        for day in -146_097..146_097 {
            let text = iso(Kind::Date, f64::from(day)).unwrap_or_default();
            assert_eq!(date(text.as_bytes()), Some(f64::from(day)), "{text}");
        }
    }
}
