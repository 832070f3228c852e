//! Values of settings as users write them, the same on every front end: in range, or a sentence that says what is needed.
//!
//! ```
//! assert_eq!(noisefit::parse::level("0.9"), Ok(0.9));
//! assert_eq!(noisefit::parse::size("2kB"), Ok(2000));
//! assert!(noisefit::parse::rate("-1").is_err());
//! ```

use noisefit_core::network::Schedule;
use noisefit_core::numeric::{InvalidLevel, Level};

use crate::training::Batch;

/// A probability strictly between 0 and 1.
///
/// # Errors
/// A sentence that says what is needed.
pub fn level(text: &str) -> Result<f64, String> {
    text.parse().map(Level::value).map_err(|why: InvalidLevel| why.to_string())
}

/// A positive number.
///
/// # Errors
/// A sentence that says what is needed.
pub fn positive(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(number) if number > 0.0 && f64::is_finite(number) => Ok(number),
        _ => Err("a positive number is needed, such as 1.345".to_owned()),
    }
}

/// A finite number.
///
/// # Errors
/// A sentence that says what is needed.
pub fn number(text: &str) -> Result<f64, String> {
    match text.trim().parse() {
        Ok(number) if f64::is_finite(number) => Ok(number),
        _ => Err("a number is needed, such as 50".to_owned()),
    }
}

/// The most draws of a row.
const MOST_SAMPLES: usize = 10_000;

/// How many draws of each row, from 1 to 10,000.
///
/// # Errors
/// A sentence that says what is needed.
pub fn samples(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(samples) if (1..=MOST_SAMPLES).contains(&samples) => Ok(samples),
        _ => Err(format!("draws are from 1 to {MOST_SAMPLES} of each row, such as 100")),
    }
}

/// Significant digits, 0 to 15.
///
/// # Errors
/// A sentence that says what is needed.
pub fn digits(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(digits) if (0.0..=15.0).contains(&digits) => Ok(digits),
        _ => Err("digits lie between 0 and 15".to_owned()),
    }
}

/// What separates fields: one ASCII character, `\t` or `tab`.
///
/// # Errors
/// A sentence that says what is needed.
pub fn delimiter(text: &str) -> Result<u8, String> {
    match text.as_bytes() {
        b"\\t" | b"tab" => Ok(b'\t'),
        &[byte] => Ok(byte),
        _ => Err("a delimiter is one ASCII character, or \\t".to_owned()),
    }
}

/// What stands before decimals: a point or a comma.
///
/// # Errors
/// A sentence that says what is needed.
pub fn decimal(text: &str) -> Result<u8, String> {
    match text {
        "." => Ok(b'.'),
        "," => Ok(b','),
        _ => Err("decimals stand behind a point or a comma".to_owned()),
    }
}

/// Bytes, as `512MB`, `2GiB` or a plain number.
///
/// # Errors
/// A sentence that says what is needed.
pub fn size(text: &str) -> Result<u64, String> {
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let unit = match text[digits.len()..].to_ascii_lowercase().as_str() {
        "" | "b" => 1.0,
        "k" | "kb" => 1e3,
        "m" | "mb" => 1e6,
        "g" | "gb" => 1e9,
        "kib" => 1024.0,
        "mib" => f64::from(1 << 20),
        "gib" => f64::from(1 << 30),
        _ => return Err("a size is a number and a unit, such as 512MB or 2GiB".to_owned()),
    };
    match digits.trim().parse::<f64>() {
        Ok(number) if number >= 0.0 && number.is_finite() => Ok((number * unit) as u64),
        _ => Err("a size is a number and a unit, such as 512MB or 2GiB".to_owned()),
    }
}

/// The share of the rows that calibrates.
///
/// # Errors
/// A sentence that says what is needed.
pub fn calibration(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(share) if (0.01..=0.99).contains(&share) => Ok(share),
        _ => Err("a share lies between 0.01 and 0.99, such as 0.25".to_owned()),
    }
}

/// Parts of a cross-validation: 2 or more, or 0 for none.
///
/// # Errors
/// A sentence that says what is needed.
pub fn folds(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(1) | Err(_) => Err("folds are 2 or more, or 0 for no cross-validation".to_owned()),
        Ok(folds) => Ok(folds),
    }
}

/// A column and how many numbers stand for each of its levels: `city:4`.
///
/// # Errors
/// A sentence that says what is needed.
pub fn embedding(text: &str) -> Result<(String, usize), String> {
    let parts = text.rsplit_once(':').and_then(|(name, size)| Some((name, size.parse::<usize>().ok()?)));
    match parts {
        Some((name, size @ 1..=1024)) if !name.is_empty() => Ok((name.to_owned(), size)),
        _ => Err("a column and how many numbers stand for each of its levels, such as city:4".to_owned()),
    }
}

/// Rows of a batch, or `all`.
///
/// # Errors
/// A sentence that says what is needed.
pub fn batch(text: &str) -> Result<Batch, String> {
    match (text, text.parse()) {
        ("all", _) => Ok(Batch::All),
        (_, Ok(rows @ 1..)) => Ok(Batch::Rows(rows)),
        _ => Err("a batch is a number of rows, such as 32, or all".to_owned()),
    }
}

/// A learning rate.
///
/// # Errors
/// A sentence that says what is needed.
pub fn rate(text: &str) -> Result<f64, String> {
    positive(text).map_err(|_| "a positive number is needed, such as 0.001".to_owned())
}

/// A number that is 0 or more.
///
/// # Errors
/// A sentence that says what is needed.
pub fn not_negative(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(number) if number >= 0.0 && f64::is_finite(number) => Ok(number),
        _ => Err("a number of 0 or more is needed, such as 0.0001".to_owned()),
    }
}

/// A share that is 0 or more and less than 1.
///
/// # Errors
/// A sentence that says what is needed.
pub fn share_below_one(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(share) if (0.0..1.0).contains(&share) => Ok(share),
        _ => Err("a share is 0 or more and less than 1, such as 0.1".to_owned()),
    }
}

/// The share of the rows that is not learned from: 0 to 0.9.
///
/// # Errors
/// A sentence that says what is needed.
pub fn validation(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(share) if (0.0..=0.9).contains(&share) => Ok(share),
        _ => Err("a share of the rows is between 0 and 0.9, such as 0.1".to_owned()),
    }
}

/// How a learning rate changes: `constant`, `cosine`, `step:EPOCHS[:FACTOR]` or `plateau[:EPOCHS[:FACTOR]]`.
///
/// # Errors
/// A sentence that says what is needed.
pub fn schedule(text: &str) -> Result<Schedule, String> {
    let parts: Vec<&str> = text.split(':').collect();
    let epochs = |text: &str| text.parse().ok().filter(|epochs: &u64| *epochs > 0);
    let factor = |text: &str| text.parse().ok().filter(|factor: &f64| *factor > 0.0 && *factor < 1.0);
    let found = match parts[..] {
        ["constant"] => Some(Schedule::Constant),
        ["cosine"] => Some(Schedule::Cosine),
        ["step", after] => epochs(after).map(|epochs| Schedule::Step { epochs, factor: 0.1 }),
        ["step", after, by] => epochs(after).zip(factor(by)).map(|(epochs, factor)| Schedule::Step { epochs, factor }),
        ["plateau"] => Some(Schedule::Plateau { epochs: 10, factor: 0.1 }),
        ["plateau", after] => epochs(after).map(|epochs| Schedule::Plateau { epochs, factor: 0.1 }),
        ["plateau", after, by] => {
            epochs(after).zip(factor(by)).map(|(epochs, factor)| Schedule::Plateau { epochs, factor })
        }
        _ => None,
    };
    found.ok_or_else(|| {
        "constant, cosine, step:EPOCHS[:FACTOR] or plateau[:EPOCHS[:FACTOR]], such as step:100:0.5".to_owned()
    })
}
