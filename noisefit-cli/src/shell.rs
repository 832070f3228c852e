//! Words that can be pasted into a shell.

/// A word as a shell reads it back, in quotes where it must be.
pub(crate) fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:,=+@%".contains(c);
    if !word.is_empty() && word.chars().all(plain) { word.to_owned() } else { in_quotes(word) }
}

/// A word in quotes.
pub(crate) fn in_quotes(word: &str) -> String {
    format!("'{}'", word.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_that_a_shell_reads_back() {
        assert_eq!(quoted("data/x.csv"), "data/x.csv");
        assert_eq!(quoted("y ~ x"), "'y ~ x'");
        assert_eq!(quoted("it's"), r"'it'\''s'");
        assert_eq!(quoted(""), "''");
        assert_eq!(in_quotes("city"), "'city'");
    }
}
