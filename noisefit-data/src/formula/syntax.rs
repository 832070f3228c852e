//! The syntax tree, and how it is written back: with the spacing of R's `deparse`, which names the terms.

use super::error::Span;
use super::lexer::is_plain_name;
use crate::read::number::shown;
use noisefit_core::numeric::double_double::DoubleDouble;
use std::cmp::Ordering;
use std::fmt;

#[derive(Debug, Clone)]
pub(super) struct Node {
    pub span: Span,
    pub syntax: Syntax,
    /// The longest way down to a leaf; the parser bounds it, so that recursion over a tree is safe.
    pub depth: usize,
}

#[derive(Debug, Clone)]
pub(super) enum Syntax {
    Number(DoubleDouble),
    Text(String),
    Name(String),
    /// All other columns.
    Dot,
    Parentheses(Box<Node>),
    Negate(Box<Node>),
    /// Terms that are added, or subtracted where the flag is set. Flat, since a formula may have thousands.
    Sum(Vec<(bool, Node)>),
    Binary(Operator, Box<Node>, Box<Node>),
    Compare(Comparison, Box<Node>, Box<Node>),
    Call(Call),
}

/// Whether two values are in an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Comparison {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

impl Comparison {
    const SYMBOLS: [(&'static str, Comparison); 6] = [
        ("==", Comparison::Equal),
        ("!=", Comparison::NotEqual),
        ("<", Comparison::Less),
        ("<=", Comparison::LessOrEqual),
        (">", Comparison::Greater),
        (">=", Comparison::GreaterOrEqual),
    ];

    pub fn of(symbol: &str) -> Option<Self> {
        Self::SYMBOLS.iter().find(|(known, _)| *known == symbol).map(|&(_, comparison)| comparison)
    }

    fn symbol(self) -> &'static str {
        Self::SYMBOLS.iter().find(|(_, known)| *known == self).map_or("", |&(symbol, _)| symbol)
    }

    /// Whether it holds for values in this order.
    pub fn holds(self, order: Ordering) -> bool {
        match self {
            Comparison::Equal => order.is_eq(),
            Comparison::NotEqual => order.is_ne(),
            Comparison::Less => order.is_lt(),
            Comparison::LessOrEqual => order.is_le(),
            Comparison::Greater => order.is_gt(),
            Comparison::GreaterOrEqual => order.is_ge(),
        }
    }
}

#[derive(Debug, Clone)]
pub(super) struct Call {
    pub function: String,
    pub arguments: Vec<Argument>,
}

#[derive(Debug, Clone)]
pub(super) struct Argument {
    pub name: Option<String>,
    pub value: Node,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Operator {
    Times,
    Over,
    In,
    Colon,
    Power,
}

impl Node {
    pub fn new(span: Span, syntax: Syntax) -> Self {
        let below = match &syntax {
            Syntax::Number(_) | Syntax::Text(_) | Syntax::Name(_) | Syntax::Dot => 0,
            Syntax::Parentheses(inner) | Syntax::Negate(inner) => inner.depth,
            Syntax::Sum(terms) => terms.iter().map(|(_, term)| term.depth).max().unwrap_or(0),
            Syntax::Binary(_, left, right) | Syntax::Compare(_, left, right) => left.depth.max(right.depth),
            Syntax::Call(call) => call.arguments.iter().map(|argument| argument.value.depth).max().unwrap_or(0),
        };
        Node { span, syntax, depth: below + 1 }
    }

    /// The node inside any parentheses.
    pub fn bare(&self) -> &Node {
        match &self.syntax {
            Syntax::Parentheses(inner) => inner.bare(),
            _ => self,
        }
    }

    /// The number that it is.
    pub fn number(&self) -> Option<DoubleDouble> {
        match self.syntax {
            Syntax::Number(number) => Some(number),
            _ => None,
        }
    }

    /// Visits this node and all below, in the order of the text.
    pub fn visit<'a>(&'a self, visitor: &mut impl FnMut(&'a Node)) {
        visitor(self);
        match &self.syntax {
            Syntax::Number(_) | Syntax::Text(_) | Syntax::Name(_) | Syntax::Dot => {}
            Syntax::Parentheses(inner) | Syntax::Negate(inner) => inner.visit(visitor),
            Syntax::Sum(terms) => terms.iter().for_each(|(_, term)| term.visit(visitor)),
            Syntax::Binary(_, left, right) | Syntax::Compare(_, left, right) => {
                left.visit(visitor);
                right.visit(visitor);
            }
            // What follows the first argument are options: `raw`, `ref=Paris`, `sum`.
            Syntax::Call(call) => call.arguments.iter().take(1).for_each(|argument| argument.value.visit(visitor)),
        }
    }
}

/// A column's name as a formula writes it.
pub(super) fn quoted(name: &str) -> String {
    if is_plain_name(name) { name.to_owned() } else { format!("`{}`", name.replace('`', "``")) }
}

impl fmt::Display for Node {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.syntax {
            Syntax::Number(number) => f.write_str(&shown(number.high, number.low)),
            Syntax::Text(text) if text.contains('\'') => write!(f, "\"{text}\""),
            Syntax::Text(text) => write!(f, "'{text}'"),
            Syntax::Name(name) => write!(f, "{}", quoted(name)),
            Syntax::Dot => write!(f, "."),
            Syntax::Parentheses(inner) => write!(f, "({inner})"),
            Syntax::Negate(inner) => write!(f, "-{inner}"),
            Syntax::Sum(terms) => terms.iter().enumerate().try_for_each(|(i, (minus, term))| match (i, minus) {
                (0, _) => write!(f, "{term}"),
                (_, false) => write!(f, " + {term}"),
                (_, true) => write!(f, " - {term}"),
            }),
            Syntax::Binary(operator, left, right) => {
                let symbol = match operator {
                    Operator::Times => " * ",
                    Operator::Over => "/",
                    Operator::In => " %in% ",
                    Operator::Colon => ":",
                    Operator::Power => "^",
                };
                write!(f, "{left}{symbol}{right}")
            }
            Syntax::Compare(comparison, left, right) => write!(f, "{left} {} {right}", comparison.symbol()),
            Syntax::Call(call) => write!(f, "{call}"),
        }
    }
}

impl fmt::Display for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}(", self.function)?;
        for (i, argument) in self.arguments.iter().enumerate() {
            write!(f, "{}", if i > 0 { ", " } else { "" })?;
            match (&argument.name, &argument.value.syntax) {
                // Two ways to write the same thing have one name.
                (Some(name), Syntax::Name(value)) if name == "raw" && is_true(value) => write!(f, "raw")?,
                (Some(name), _) => write!(f, "{name}={}", argument.value)?,
                (None, _) => write!(f, "{}", argument.value)?,
            }
        }
        write!(f, ")")
    }
}

pub(super) fn is_true(word: &str) -> bool {
    matches!(word, "TRUE" | "true" | "True" | "T")
}
