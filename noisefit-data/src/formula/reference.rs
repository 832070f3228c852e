//! The level of a category that others are compared with.

use super::error::Span;
use super::learned::Levels;
use super::syntax::{Node, Syntax};
use crate::read::number::shown;
use noisefit_core::numeric::double_double::DoubleDouble;

/// The level that others are compared with, as a formula names it.
pub(super) struct Reference {
    pub text: String,
    /// Where it is written as a number.
    pub number: Option<DoubleDouble>,
    pub span: Span,
}

impl Reference {
    /// What `ref=` says in a formula's text.
    pub fn new(value: &Node, text: &str) -> Self {
        let number = match &value.syntax {
            Syntax::Negate(inner) => inner.number().map(|number| -number),
            _ => value.number(),
        };
        let text = match &value.syntax {
            Syntax::Text(level) | Syntax::Name(level) => level.as_str(),
            // As it is written, for the names of levels may be digits of which no number holds all.
            _ => text.get(value.span.start..value.span.end).unwrap_or_default(),
        };
        Reference { text: text.to_owned(), number, span: value.span }
    }

    /// Where it stands among levels of these names: a number by what it is, whatever its form, among texts by its name.
    pub fn place(&self, levels: &Levels, names: &[String]) -> Option<usize> {
        let named = |text: &str| names.iter().position(|name| name == text);
        match (self.number, levels) {
            (Some(number), Levels::Numbers(_) | Levels::Integers(_)) => levels.place_of(number),
            (Some(number), Levels::Texts(_)) => named(&self.text).or_else(|| named(&shown(number.high, number.low))),
            (None, _) => named(&self.text),
        }
    }
}
