//! Decimal numbers as doubles, and what a double leaves out of them.

/// The number that `text` is, all of it: decimal or scientific form, `inf`, `infinity` or `nan` in any case.
pub(crate) fn parse(text: &[u8]) -> Option<f64> {
    fast_float2::parse(text).ok()
}

/// The number that `text` begins with and the length of it.
#[inline]
pub(crate) fn parse_prefix(text: &[u8]) -> Option<(f64, usize)> {
    fast_float2::parse_partial(text).ok()
}

/// A decimal of more significant digits than this is presumably a double that was printed, so that the double is the
/// truth; one of fewer digits is presumably the truth itself.
pub(crate) const TRUE_DIGITS: u32 = 15;

/// Integers up to this, 2^53, are doubles.
pub(crate) const LONGEST_EXACT: f64 = 9_007_199_254_740_992.0;

/// The nearest double of an integer, and what that leaves out: together the integer itself, up to 106 bits of it.
pub(crate) fn from_integer(value: i128) -> (f64, f64) {
    let high = value as f64;
    // Within the range of i128: no double beyond 2^64 comes of 64 bits, and longer ones are cut to 38 digits.
    (high, (value - high as i128) as f64)
}

/// The integer that two words are, where they are one.
pub(crate) fn to_integer(high: f64, low: f64) -> Option<i128> {
    let whole = high.fract() == 0.0 && low.fract() == 0.0 && high.abs() < 1e38;
    whole.then(|| high as i128 + low as i128)
}

/// What the nearest double of the integer `text` leaves out of it; 0 where it is no integer, or one of more than 38 digits.
pub(crate) fn low_word_of_integer(text: &[u8]) -> f64 {
    let (negative, digits) = match text {
        [b'-', digits @ ..] => (true, digits),
        [b'+', digits @ ..] => (false, digits),
        digits => (false, digits),
    };
    if digits.len() > 38 || !digits.iter().all(u8::is_ascii_digit) {
        return 0.0;
    }
    let digit = |&byte: &u8| byte - b'0';
    let low = match digits.len() > WRITTEN_DIGITS as usize {
        true => from_integer(digits.iter().fold(0, |value, byte| 10 * value + i128::from(digit(byte)))).1,
        false => {
            let value = digits.iter().fold(0u64, |value, byte| 10 * value + u64::from(digit(byte)));
            // The double is below 2^64, and differs from the integer by less than 2^10.
            value.wrapping_sub(value as f64 as u64) as i64 as f64
        }
    };
    if negative { -low } else { low }
}

/// Whether two words are an integer that no double is.
pub(crate) fn is_long_integer(high: f64, low: f64) -> bool {
    low != 0.0 && high.abs() >= LONGEST_EXACT && to_integer(high, low).is_some()
}

/// Whether the digits of two words are to be written out: of an integer that no double is, and of one of 64 bits that may be a
/// key, though a double happens to be it.
pub(crate) fn may_be_key(high: f64, low: f64) -> bool {
    const BEYOND_64_BITS: f64 = 18_446_744_073_709_551_616.0;
    let is_double = low == 0.0 && high.fract() == 0.0 && (LONGEST_EXACT..=BEYOND_64_BITS).contains(&high.abs());
    is_double || is_long_integer(high, low)
}

/// An integer in full, another number as the shortest decimal that reads back: different numbers are shown differently.
pub(crate) fn shown(high: f64, low: f64) -> String {
    match to_integer(high, low).filter(|_| high.abs() >= LONGEST_EXACT) {
        Some(integer) => integer.to_string(),
        None => high.to_string(),
    }
}

/// Digits that tell any double from all others.
const DIGITS_OF_A_DOUBLE: usize = 17;

/// Digits of an integer that two words always have room for.
const DIGITS_OF_TWO_WORDS: usize = 31;

/// Whether `text` is an integer of more digits than two words hold, so that it would be merged with its neighbours.
#[inline]
pub(crate) fn is_too_long(text: &[u8]) -> bool {
    text.len() > DIGITS_OF_TWO_WORDS && is_too_long_integer(text)
}

#[cold]
fn is_too_long_integer(text: &[u8]) -> bool {
    let digits = text.strip_prefix(b"-").or_else(|| text.strip_prefix(b"+")).unwrap_or(text);
    if !digits.iter().all(u8::is_ascii_digit) {
        return false;
    }
    let zeros = digits.iter().take_while(|digit| **digit == b'0').count();
    let Ok(digits) = std::str::from_utf8(&digits[zeros..]) else { return false };
    // So doubles are printed that are told by their first digits.
    if digits.trim_end_matches('0').len() <= DIGITS_OF_A_DOUBLE {
        return false;
    }
    match digits.parse::<i128>() {
        Ok(value) if digits.len() <= 38 => {
            let (high, low) = from_integer(value);
            to_integer(high, low) != Some(value)
        }
        // The double alone is kept of these, all digits of which this writes.
        _ => {
            digits.len() > DIGITS_OF_TWO_WORDS
                && parse(digits.as_bytes()).is_none_or(|high| format!("{high:.0}") != digits)
        }
    }
}

/// The powers of ten that are doubles.
const POWERS: [f64; 23] = [
    1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20,
    1e21, 1e22,
];

/// What the nearest double of the decimal `text` leaves out of it: decimal - double, rounded once.
///
/// Of an integer written as such all digits count. Else 0 where the decimal has more than 15 significant digits, or, reduced
/// to an integer times a power of ten, a power outside -22..=22 (10^22 is the last power of ten that is a double). `text`
/// is a number that [`parse`] takes.
pub(crate) fn low_word(text: &[u8]) -> f64 {
    if text.len() > TRUE_DIGITS as usize && text.iter().all(|byte| byte.is_ascii_digit() || matches!(byte, b'-' | b'+'))
    {
        return low_word_of_integer(text);
    }
    let Some((negative, mantissa, exponent)) = decompose(text) else { return 0.0 };
    let low = low_of(mantissa, exponent);
    if negative { -low } else { low }
}

/// What the nearest double leaves out of `mantissa * 10^exponent`, for `mantissa < 10^15`.
fn low_of(mantissa: u64, exponent: i32) -> f64 {
    // Below 10^15 < 2^53, and so a double.
    let mantissa = mantissa as f64;
    let Some(power) = POWERS.get(exponent.unsigned_abs() as usize) else { return 0.0 };
    if exponent >= 0 {
        let product = mantissa * power;
        mantissa.mul_add(*power, -product)
    } else {
        // The remainder of a division is a double, and fma finds it without error.
        let quotient = mantissa / power;
        (-quotient).mul_add(*power, mantissa) / power
    }
}

/// Digits that any 64-bit integer has room for.
const WRITTEN_DIGITS: u32 = 19;

/// Sign, integer and power of ten of a decimal of at most 15 significant digits, and not more than 19 with the zeros
/// after them.
fn decompose(text: &[u8]) -> Option<(bool, u64, i32)> {
    let (negative, text) = match text {
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] => (false, rest),
        _ => (false, text),
    };
    let (mut mantissa, mut exponent, mut digits, mut fraction) = (0u64, 0i32, 0u32, 0i32);
    for (position, &byte) in text.iter().enumerate() {
        match byte {
            b'0'..=b'9' => {
                mantissa = mantissa.wrapping_mul(10).wrapping_add(u64::from(byte - b'0'));
                digits += u32::from(mantissa > 0);
                exponent -= fraction;
            }
            b'.' => fraction = 1,
            b'e' | b'E' => {
                let power: i32 = std::str::from_utf8(text.get(position + 1..)?).ok()?.parse().ok()?;
                exponent = exponent.checked_add(power)?;
                break;
            }
            _ => return None,
        }
    }
    if digits > WRITTEN_DIGITS {
        return None;
    }
    while digits > TRUE_DIGITS && mantissa % 10 == 0 {
        (mantissa, exponent, digits) = (mantissa / 10, exponent + 1, digits - 1);
    }
    (digits <= TRUE_DIGITS).then_some((negative, mantissa, exponent))
}

/// `mantissa * 10^-scale` as a double, correctly rounded, and what the double leaves out of it.
pub(crate) fn from_decimal(mantissa: i128, scale: i8) -> (f64, f64) {
    // Through the text: no faster way is right for every mantissa and scale.
    if scale == 0 {
        return from_integer(mantissa);
    }
    let text = format!("{mantissa}e{}", -i32::from(scale));
    (parse(text.as_bytes()).unwrap_or(f64::NAN), low_word(text.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parses_the_usual_forms_and_nothing_else() {
        let cases = [("1", 1.0), ("-1.5", -1.5), ("+2", 2.0), (".5", 0.5), ("5.", 5.0), ("1e3", 1e3), ("1E-3", 1e-3)];
        for (text, value) in cases {
            assert_eq!(parse(text.as_bytes()), Some(value), "{text}");
        }
        assert_eq!(parse(b"Infinity"), Some(f64::INFINITY));
        assert_eq!(parse(b"-inf"), Some(f64::NEG_INFINITY));
        for text in ["", "1,5", "1 2", "0x10", "1_000", "abc", "1e", "--1", "1.2.3"] {
            assert_eq!(parse(text.as_bytes()), None, "{text}");
        }
    }

    /// The low words of decimals, from mpmath at 60 digits: float(mpf(text) - mpf(float(text))).
    #[test]
    fn low_words_are_those_of_sixty_digits() {
        for (text, low) in LOW_WORDS {
            assert_eq!(low_word(text.as_bytes()), low, "{text}");
            assert_eq!(low_word(format!("-{text}").as_bytes()), -low, "-{text}");
        }
    }

    #[test]
    fn decimals_with_the_digits_of_a_printed_double_have_no_low_word() {
        assert_eq!(low_word(b"0.1234567890123456"), 0.0);
        assert_eq!(low_word(b"0.10000000000000001"), 0.0);
        assert_eq!(low_word(b"1e-40"), 0.0);
        assert_eq!(low_word(b"inf"), 0.0);
        assert_ne!(low_word(b"0000.1000000000000000000"), 0.0, "zeros before and after are not significant");
    }

    #[test]
    fn integers_keep_all_digits() {
        assert_eq!(low_word(b"9007199254740993"), 1.0);
        assert_eq!(low_word(b"-9007199254740993"), -1.0);
        assert_eq!(low_word(b"4611686018427387911"), 7.0);
        assert_eq!(low_word(b"1700000000123456"), 0.0);
        assert_eq!(low_word(b"9007199254740993.0"), 0.0, "presumably a printed double");
        // The largest of 19 digits, 2^64 - 1, and one of 30: Python's int(x) - int(float(x)).
        assert_eq!(low_word(b"9999999999999999999"), -1.0);
        assert_eq!(low_word(b"18446744073709551615"), -1.0);
        assert_eq!(low_word(b"-123456789012345678901234567891"), -1_023_514_970_835.0);
        for value in [i64::MAX, i64::MIN, (1 << 53) + 1, -7, 0] {
            let (high, low) = from_integer(value.into());
            assert_eq!(to_integer(high, low), Some(value.into()));
        }
        assert_eq!(to_integer(0.5, 0.0), None);
    }

    /// 2^107 + 2^53 is the sum of two doubles, and its neighbour is not; a double is 2^150, and its neighbour is not.
    #[test]
    fn integers_that_two_words_do_not_hold() {
        for (text, too_long) in [
            ("9999999999999999999999999999999", false),
            ("162259276829213372398777265029120", false),
            ("162259276829213372398777265029121", true),
            ("-12345678901234567890123456789012345", true),
            ("00000000000000000000000000000000000000001", false),
            ("1234567890123456789012345678901234567890", true),
            ("1427247692705959881058285969449495136382746624", false),
            ("1427247692705959881058285969449495136382746625", true),
            ("1.2345678901234567890123456789012345", false),
            ("2155430858419633000000000000000000000000000000000000000000000000000000000000", false),
        ] {
            assert_eq!(is_too_long(text.as_bytes()), too_long, "{text}");
        }
        assert!(is_too_long("9".repeat(400).as_bytes()));
    }

    #[test]
    fn different_integers_are_shown_differently() {
        assert_eq!(shown(4_611_686_018_427_387_904.0, 0.0), "4611686018427387904");
        assert_eq!(shown(4_611_686_018_427_387_904.0, 96.0), "4611686018427388000");
        assert_eq!((shown(0.1, -5.5e-18), shown(-17.0, 0.0)), ("0.1".to_owned(), "-17".to_owned()));
        assert!(may_be_key(4_611_686_018_427_387_904.0, 0.0) && may_be_key(1e25, 7.0));
        assert!(!may_be_key(1e25, 0.0) && !may_be_key(0.5, 0.0) && !may_be_key(17.0, 0.0));
    }

    #[test]
    fn decimals_of_databases_are_rounded_once() {
        assert_eq!(from_decimal(100_000_001, 1), (10000000.1, low_word(b"10000000.1")));
        assert_eq!(from_decimal(-5, 2).0, -0.05);
        assert_eq!(from_decimal(7, -3), (7000.0, 0.0));
        assert_eq!(from_decimal(123456789012345678901234567890, 10).0, 12345678901234567890.123456789);
    }
    #[rustfmt::skip]
    const LOW_WORDS: [(&str, f64); 18] = [
        ("10000000.1", 3.7252902984619143e-10),
        ("0.1", -5.551115123125783e-18),
        ("0.3", 1.1102230246251566e-17),
        ("1e-22", -4.859677432657087e-39),
        ("3e22", 0.0),
        ("123456789012345e10", -113589248.0),
        ("0.000123456789012345", 6.32800373725928e-21),
        ("999999999999999e-7", 4.308128356933594e-09),
        ("1.1", -8.881784197001253e-17),
        ("100", 0.0),
        ("2.5", 0.0),
        ("12345.6789e-5", 2.663945508629695e-18),
        ("1e22", 0.0),
        ("7e-1", 4.4408920985006264e-17),
        ("00012.30", -7.105427357601002e-16),
        ("6.02214076e23", 12976128.0),
        ("0.1000", -5.551115123125783e-18),
        ("999999999999999e22", -9.402969246283071e+19),
    ];
}
