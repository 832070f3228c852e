//! The text of a formula as tokens, each with its place.

use super::error::{FormulaError, Span};
use noisefit_core::numeric::double_double::DoubleDouble;

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Token {
    Number(DoubleDouble),
    /// A column or function; `quoted` in backquotes.
    Name {
        name: String,
        quoted: bool,
    },
    Text(String),
    /// One of `~ + - * / ^ : ( ) , = | [ ]`, of the comparisons `== != < <= > >=`, and `%in%`.
    Symbol(&'static str),
    End,
}

/// Longer ones first.
const SYMBOLS: [&str; 22] = [
    "%in%", "**", "==", "!=", "<=", ">=", "~", "+", "-", "*", "/", "^", ":", "(", ")", ",", "=", "<", ">", "|", "[",
    "]",
];

/// All tokens, with [`Token::End`] last.
pub(super) fn tokens(text: &str) -> Result<Vec<(Token, Span)>, FormulaError> {
    let mut tokens = Vec::new();
    let mut at = 0;
    loop {
        let rest = &text[at..];
        let blank = rest.len() - rest.trim_start().len();
        at += blank;
        let rest = &rest[blank..];
        let Some(first) = rest.chars().next() else {
            // The end is the place just behind the last token.
            let end = text.trim_end().len();
            tokens.push((Token::End, Span { start: end, end }));
            return Ok(tokens);
        };
        let (token, length) = if let Some(symbol) = SYMBOLS.into_iter().find(|symbol| rest.starts_with(symbol)) {
            (Token::Symbol(if symbol == "**" { "^" } else { symbol }), symbol.len())
        } else if starts_number(rest) {
            let length = number_length(rest);
            let number = decimal(&rest[..length]).filter(|number| number.high.is_finite());
            let span = Span { start: at, end: at + length };
            (Token::Number(number.ok_or_else(|| FormulaError::new(text, span, no_number(&rest[..length])))?), length)
        } else if first == '_' || first == '.' || first.is_alphabetic() {
            let length = rest.find(|c: char| !is_name_character(c)).unwrap_or(rest.len());
            (Token::Name { name: rest[..length].to_owned(), quoted: false }, length)
        } else if matches!(first, '`' | '"' | '\'') {
            let span = Span { start: at, end: at + 1 };
            let unclosed = || FormulaError::new(text, span, format!("this {first} is not closed"));
            let inner = &rest[1..];
            let inner = &inner[..closing(inner, first).ok_or_else(unclosed)?];
            let token = match first {
                '`' => Token::Name { name: inner.replace("``", "`"), quoted: true },
                _ => Token::Text(inner.to_owned()),
            };
            (token, inner.len() + 2)
        } else {
            let span = Span { start: at, end: at + first.len_utf8() };
            let message = format!("'{first}' has no meaning here; a name with unusual characters goes in backquotes");
            return Err(FormulaError::new(text, span, message));
        };
        tokens.push((token, Span { start: at, end: at + length }));
        at += length;
    }
}

/// Where a quoted text ends; two backquotes within backquotes are one of the name.
fn closing(inner: &str, quote: char) -> Option<usize> {
    let mut from = 0;
    loop {
        let at = from + inner.get(from..)?.find(quote)?;
        if quote != '`' || !inner[at + 1..].starts_with('`') {
            return Some(at);
        }
        from = at + 2;
    }
}

/// Why what begins with a digit is refused, and how a name is written that does.
fn no_number(text: &str) -> String {
    let name = text.chars().any(char::is_alphabetic);
    let hint = if name {
        format!("; a column's name that begins with a digit goes in backquotes: `{text}`")
    } else {
        String::new()
    };
    format!("not a number{hint}")
}

fn is_name_character(c: char) -> bool {
    c == '_' || c == '.' || c.is_alphanumeric()
}

/// Whether a name needs no backquotes.
pub(super) fn is_plain_name(name: &str) -> bool {
    let first = name.chars().next();
    name != "."
        && first.is_some_and(|c| c == '_' || c == '.' || c.is_alphabetic())
        && !starts_number(name)
        && name.chars().all(is_name_character)
}

fn starts_number(rest: &str) -> bool {
    let mut characters = rest.chars();
    match characters.next() {
        Some('.') => characters.next().is_some_and(|c| c.is_ascii_digit()),
        Some(c) => c.is_ascii_digit(),
        None => false,
    }
}

/// Digits, a point, an exponent, and whatever name characters follow (`2x` is no number followed by a name).
fn number_length(rest: &str) -> usize {
    let bytes = rest.as_bytes();
    let signed_exponent = |i: usize| {
        i > 0
            && matches!(bytes[i], b'+' | b'-')
            && matches!(bytes[i - 1], b'e' | b'E')
            && bytes[..i - 1].iter().all(|b| b.is_ascii_digit() || *b == b'.')
            && bytes.get(i + 1).is_some_and(u8::is_ascii_digit)
    };
    rest.char_indices().find(|&(i, c)| !is_name_character(c) && !signed_exponent(i)).map_or(rest.len(), |(i, _)| i)
}

/// A decimal with about 31 of its digits: the double nearest to it and what that leaves out.
fn decimal(text: &str) -> Option<DoubleDouble> {
    let high: f64 = text.parse().ok()?;
    let (digits, exponent) = match text.find(['e', 'E']) {
        Some(e) => (&text[..e], text[e + 1..].parse::<i32>().ok()?),
        None => (text, 0),
    };
    let point = digits.find('.').map_or(0, |point| digits.len() - point - 1);
    let exponent = exponent - i32::try_from(point).ok()?;
    let mut whole = DoubleDouble::ZERO;
    for digit in digits.chars().filter_map(|c| c.to_digit(10)) {
        whole = whole * 10.0 + f64::from(digit);
    }
    let ten = DoubleDouble::from(10.0);
    let value = if exponent < 0 { whole / ten.powi(-exponent) } else { whole * ten.powi(exponent) };
    let low = (value - high).to_f64();
    // Outside the range of the powers of ten the double alone has to do.
    Some(DoubleDouble { high, low: if low.is_finite() { low } else { 0.0 } })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimals_keep_what_a_double_leaves_out() {
        // The low words are from 60-digit arithmetic.
        for (text, high, low) in [
            ("0.1", 0.1, -5.551115123125783e-18),
            ("8.781464495", 8.781464495, 1.8530499801272526e-16),
            ("1e-3", 1e-3, -2.0816681711721686e-20),
            (".5", 0.5, 0.0),
            ("12", 12.0, 0.0),
            ("1e300", 1e300, -5.250476025520442e283),
        ] {
            let value = decimal(text).unwrap();
            assert_eq!(value.high, high);
            assert!((value.low - low).abs() <= 1e-13 * low.abs(), "{text}: {value:?}");
        }
        assert_eq!(decimal("2x"), None);
        assert_eq!(decimal("1.2.3"), None);
    }

    #[test]
    fn numbers_end_where_an_operator_begins() {
        for (text, length) in [("1e-3+x", 4), ("1-3", 1), ("2.5*x", 3), ("1e5-2", 3), ("2x+1", 2), ("1E+2", 4)] {
            assert_eq!(number_length(text), length, "{text}");
        }
    }
}
