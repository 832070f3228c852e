//! Numbers and tables as people read them.

/// `1 row`, `2 rows`.
pub fn count_of(count: u64, noun: &str) -> String {
    format!("{count} {noun}{}", if count == 1 { "" } else { "s" })
}

/// `x` to `digits` significant digits: plain where that is readable, with an exponent where it is not.
pub fn significant(x: f64, digits: usize) -> String {
    if x == 0.0 || !x.is_finite() {
        return if x.is_nan() { "NA".to_owned() } else { format!("{x}") };
    }
    // Rounding first, so that 9.9999 to three digits is 10.0 and not 9.99 or 10.00.
    let rounded = format!("{x:.*e}", digits - 1);
    let (mantissa, exponent) = rounded.split_once('e').unwrap_or((&rounded, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    if (-5..digits.max(7) as i32).contains(&exponent) {
        format!("{x:.*}", (digits as i32 - 1 - exponent).max(0) as usize)
    } else {
        format!("{mantissa}e{exponent}")
    }
}

/// A number to so many significant digits, `NA` where there is none.
pub fn optional(x: Option<f64>, digits: usize) -> String {
    x.map_or_else(|| "NA".to_owned(), |x| significant(x, digits))
}

/// A text of unknown origin in one line: without control characters and marks that turn the direction of what follows, and no longer
/// than `most` characters, the last of which is then an ellipsis.
pub fn clean(text: &str, most: usize) -> String {
    let turns =
        |c: char| matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}');
    let unfit = |c: char| matches!(c, '\u{fffe}' | '\u{ffff}');
    let shown = |c: char| if c.is_control() || c == '\u{2028}' || c == '\u{2029}' { ' ' } else { c };
    let mut kept = text.chars().filter(|&c| !turns(c) && !unfit(c)).map(shown);
    let mut short: String = kept.by_ref().take(most).collect();
    if kept.next().is_some() {
        short.pop();
        short.push('…');
    }
    short
}

/// A level between 0 and 1 as `95%`.
pub fn percent(level: f64) -> String {
    let text = significant(level * 100.0, 4);
    let short = if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.') } else { &text };
    format!("{short}%")
}

/// A p-value below this is no more than that: what would have to be true for its digits to matter never is.
const LEAST_P_VALUE: f64 = 1e-16;

/// A p-value to three significant digits.
pub fn p_value(p: Option<f64>) -> String {
    match p {
        Some(p) if p < LEAST_P_VALUE => format!("<{LEAST_P_VALUE:e}"),
        p => optional(p, 3),
    }
}

/// Text in lines of no more than 110 characters.
pub fn wrapped(text: &str) -> String {
    let (mut lines, mut width) = (String::new(), 0);
    for word in text.split_whitespace() {
        let length = word.chars().count();
        if width > 0 && width + 1 + length > 110 {
            lines.push('\n');
            width = 0;
        } else if width > 0 {
            lines.push(' ');
            width += 1;
        }
        lines.push_str(word);
        width += length;
    }
    lines + "\n"
}

/// Rows under a heading, columns as wide as they need to be; the first column to the left, the others to the right.
pub fn table(heading: &[&str], rows: &[Vec<String>]) -> String {
    let width = |column: usize| {
        let cells = rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count());
        cells.chain(heading.get(column).map(|cell| cell.chars().count())).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..heading.len()).map(width).collect();
    let line = |cells: &mut dyn Iterator<Item = &str>| {
        let mut line = String::new();
        for (column, cell) in cells.enumerate() {
            let width = widths.get(column).copied().unwrap_or(0);
            if column == 0 {
                line.push_str(&format!("{cell:<width$}"));
            } else {
                line.push_str(&format!("  {cell:>width$}"));
            }
        }
        format!("{}\n", line.trim_end())
    };
    let mut text = line(&mut heading.iter().copied());
    for row in rows {
        text.push_str(&line(&mut row.iter().map(String::as_str)));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_of_unknown_origin() {
        assert_eq!(clean("a\nb\u{0}c\u{202e}d", 100), "a b cd");
        assert_eq!(clean("טמפרטורה", 100), "טמפרטורה");
        assert_eq!(clean(&"é".repeat(10_000), 5), "éééé…");
        assert_eq!(clean("12345", 5), "12345");
    }

    #[test]
    fn significant_digits() {
        for (x, digits, text) in [
            (147.4753885, 7, "147.4754"),
            (9.9999, 3, "10.0"),
            (0.000012345, 3, "0.0000123"),
            (1.2345e-6, 3, "1.23e-6"),
            (123456.7, 4, "123457"),
            (12345678.9, 4, "1.235e7"),
            (0.0, 5, "0"),
            (-0.5, 2, "-0.50"),
        ] {
            assert_eq!(significant(x, digits), text);
        }
        let words = ["word"; 40].join(" ");
        assert_eq!(wrapped(&words).lines().map(str::len).collect::<Vec<_>>(), [109, 89]);
        for (p, text) in [
            (2.5e-120, "<1e-16"),
            (0.0, "<1e-16"),
            (2.5e-16, "2.50e-16"),
            (0.03214, "0.0321"),
            (0.60141, "0.601"),
            (1.0, "1.00"),
        ] {
            assert_eq!(p_value(Some(p)), text);
        }
        assert_eq!(p_value(None), "NA");
    }
}
