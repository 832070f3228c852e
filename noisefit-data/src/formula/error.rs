//! What is wrong with a formula, and where in it.

use noisefit_core::sentence;
use noisefit_core::suggestion::suggestion;
use noisefit_core::wording::{InRust, Sentence, Setting, Wording};

use crate::frame::Field;

/// How many names a message lists before it says how many more there are.
const NAMES_LISTED: usize = 30;

/// A part of a formula's text, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Span {
    pub start: usize,
    pub end: usize,
}

impl Span {
    pub fn to(self, other: Span) -> Span {
        Span { start: self.start, end: other.end }
    }
}

/// A formula that cannot be used: its text, the place, and what is wrong there.
///
/// ```
/// use noisefit_data::formula::Formula;
///
/// let error = Formula::parse("y ~ x1 + lgo(x2)").unwrap_err();
/// let lines: Vec<String> = error.to_string().lines().map(String::from).collect();
/// assert_eq!(lines[0], "y ~ x1 + lgo(x2)");
/// assert_eq!(lines[1], "         ^^^");
/// assert!(lines[2].starts_with("unknown function 'lgo'; did you mean 'log'?"));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FormulaError {
    text: String,
    span: Span,
    message: String,
    /// What else to set, said behind the message.
    advice: Option<Sentence>,
}

impl FormulaError {
    pub(super) fn new(text: &str, span: Span, message: impl Into<String>) -> Self {
        FormulaError { text: text.to_owned(), span, message: message.into(), advice: None }
    }

    /// Names a column that is not there, and those that are.
    pub(super) fn unknown_column(text: &str, span: Span, name: &str, fields: &[Field]) -> Self {
        let names = || fields.iter().map(|field| field.name.as_str());
        let numbers = names().filter(|name| name.parse::<f64>().is_ok()).count();
        // Names that are numbers are mostly the first of the rows.
        let header = sentence!["if the first line is data, not names, say ", Setting::NoHeader];
        let message = format!("no column '{name}'{}the columns are {}", suggestion(name, names()), list(names()));
        let advice = (2 * numbers > fields.len()).then_some(header);
        FormulaError { advice, ..FormulaError::new(text, span, message) }
    }

    /// The text of the formula or expression.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The bytes of [`FormulaError::text`] that are at fault.
    pub fn place(&self) -> std::ops::Range<usize> {
        self.span.start..self.span.end
    }

    /// What is wrong there, without the text and the caret line.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// The text, the place, and what is wrong there, with settings as a front end writes them.
    pub fn sentence(&self, wording: &dyn Wording) -> String {
        // Line breaks and tabs as spaces, so that the carets stand under the place.
        let line: String = self.text.chars().map(|c| if c.is_whitespace() { ' ' } else { c }).collect();
        let width = |bytes: &str| bytes.chars().count();
        let before = width(self.text.get(..self.span.start).unwrap_or(""));
        let carets = width(self.text.get(self.span.start..self.span.end).unwrap_or("")).max(1);
        let advice = self.advice.as_ref().map_or_else(String::new, |advice| format!("; {}", advice.worded(wording)));
        format!("{}\n{}{}\n{}{advice}", line.trim_end(), " ".repeat(before), "^".repeat(carets), self.message)
    }
}

impl std::fmt::Display for FormulaError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.sentence(&InRust))
    }
}

impl std::error::Error for FormulaError {}

/// `a, b, c and 7 more`.
pub(super) fn list<'a>(names: impl Iterator<Item = &'a str>) -> String {
    let names: Vec<&str> = names.collect();
    let shown = names.iter().take(NAMES_LISTED).copied().collect::<Vec<_>>().join(", ");
    match names.len().saturating_sub(NAMES_LISTED) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_lists_are_cut() {
        let names: Vec<String> = (0..33).map(|i| format!("x{i}")).collect();
        let shown = list(names.iter().map(String::as_str));
        assert!(shown.ends_with("x29 and 3 more"), "{shown}");
        assert_eq!(list(["a", "b"].into_iter()), "a, b");
    }
}
