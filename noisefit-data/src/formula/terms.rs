//! The algebra of terms: from the right side of a formula to a list of sets of variables, as R's `terms` makes it
//! (Wilkinson and Rogers 1973, *Symbolic description of factorial models for analysis of variance*).

use super::error::{FormulaError, Span};
use super::syntax::{Node, Operator, Syntax};
use std::collections::{BTreeMap, HashMap};

/// More are refused: they would not fit into memory as a model either.
const MOST_TERMS: usize = 50_000;

/// A set of variables, as sorted places in [`Terms::variables`].
pub(super) type Term = Vec<usize>;

#[derive(Debug)]
pub(super) struct Terms {
    /// The distinct variables, in order of appearance: `x`, `log(z)`, `I(x^2)`, `C(city)`.
    pub variables: Vec<Node>,
    /// The terms, without the intercept, those of fewer variables first.
    pub terms: Vec<Term>,
    pub intercept: bool,
    /// What is added with a coefficient of one: the arguments of `offset`.
    pub offsets: Vec<Node>,
}

/// Expands the right side of a formula; `dot` names the columns that `.` stands for.
pub(super) fn expand(text: &str, right: &Node, dot: &[&str]) -> Result<Terms, FormulaError> {
    let (variables, places, offsets) = (Vec::new(), BTreeMap::new(), Vec::new());
    let mut expansion = Expansion { text, dot, variables, places, intercept: true, adding: true, offsets };
    let mut terms = expansion.expand(right)?;
    terms.sort_by_key(Vec::len);
    Ok(Terms { variables: expansion.variables, terms, intercept: expansion.intercept, offsets: expansion.offsets })
}

/// Terms, each once, where it stood first.
#[derive(Default)]
struct Distinct {
    /// None where one was taken away again.
    terms: Vec<Option<Term>>,
    places: HashMap<Term, usize>,
}

impl Distinct {
    fn add(&mut self, term: Term) {
        if !self.places.contains_key(&term) {
            self.places.insert(term.clone(), self.terms.len());
            self.terms.push(Some(term));
        }
    }

    fn remove(&mut self, term: &Term) {
        if let Some(place) = self.places.remove(term) {
            self.terms[place] = None;
        }
    }

    fn finish(self) -> Vec<Term> {
        self.terms.into_iter().flatten().collect()
    }
}

struct Expansion<'a> {
    text: &'a str,
    dot: &'a [&'a str],
    variables: Vec<Node>,
    places: BTreeMap<String, usize>,
    intercept: bool,
    /// False within what is subtracted, where 1 takes the intercept away and 0 brings it back.
    adding: bool,
    offsets: Vec<Node>,
}

impl Expansion<'_> {
    fn expand(&mut self, node: &Node) -> Result<Vec<Term>, FormulaError> {
        match &node.syntax {
            Syntax::Parentheses(inner) => self.expand(inner),
            Syntax::Name(_) => Ok(vec![self.variable(node)]),
            Syntax::Call(call) if call.function == "offset" => {
                let Some(offset) = call.operand() else { return Ok(Vec::new()) };
                if !self.adding {
                    let message =
                        format!("an offset is not taken away again; leave it out, or write offset(-({offset}))");
                    return Err(self.error(node.span, message));
                }
                self.offsets.push(offset.clone());
                Ok(Vec::new())
            }
            Syntax::Call(_) => Ok(vec![self.variable(node)]),
            Syntax::Dot if self.dot.is_empty() => {
                Err(self.error(node.span, "'.' stands for all other columns, and there are none"))
            }
            Syntax::Dot => {
                let dot = self.dot.iter().map(|&name| Node::new(node.span, Syntax::Name(name.to_owned())));
                Ok(dot.map(|name| self.variable(&name)).collect())
            }
            Syntax::Number(number) if number.high == 0.0 || number.high == 1.0 => {
                self.intercept = self.adding == (number.high == 1.0);
                Ok(Vec::new())
            }
            Syntax::Number(_) => {
                let message = "a number other than 0 and 1 is no term; arithmetic goes inside I(), as in I(2 * x)";
                Err(self.error(node.span, message))
            }
            Syntax::Compare(..) => Err(self.error(node.span, format!("a comparison goes inside I(), as in I({node})"))),
            Syntax::Text(_) => Err(self.error(node.span, "a text is no term; a name with blanks goes in backquotes")),
            Syntax::Negate(inner) => self.subtracted(inner).map(|_| Vec::new()),
            Syntax::Sum(parts) => {
                let mut terms = Distinct::default();
                for (minus, part) in parts {
                    let removed = if *minus { self.subtracted(part)? } else { Vec::new() };
                    let added = if *minus { Vec::new() } else { self.expand(part)? };
                    removed.iter().for_each(|term| terms.remove(term));
                    added.into_iter().for_each(|term| terms.add(term));
                    if terms.places.len() > MOST_TERMS {
                        return Err(self.too_many(part.span));
                    }
                }
                Ok(terms.finish())
            }
            Syntax::Binary(operator, left, right) => {
                let terms = self.binary(*operator, left, right)?;
                self.distinct(terms, node.span)
            }
        }
    }

    fn binary(&mut self, operator: Operator, left: &Node, right: &Node) -> Result<Vec<Term>, FormulaError> {
        let offsets = self.offsets.len();
        let terms = self.joined(operator, left, right)?;
        match self.offsets.len() == offsets {
            true => Ok(terms),
            false => {
                let message = "an offset is a term of its own, which is added with +";
                Err(self.error(left.span.to(right.span), message))
            }
        }
    }

    fn joined(&mut self, operator: Operator, left: &Node, right: &Node) -> Result<Vec<Term>, FormulaError> {
        let a = self.expand(left)?;
        if operator == Operator::Power {
            return self.power(a, left, right);
        }
        let b = self.expand(right)?;
        let span = left.span.to(right.span);
        Ok(match operator {
            Operator::Colon | Operator::In => self.interactions(&a, &b, span)?,
            Operator::Times => {
                let both = self.interactions(&a, &b, span)?;
                a.into_iter().chain(b).chain(both).collect()
            }
            // `a / b` is b within every combination of a's variables.
            Operator::Over | Operator::Power => {
                let mut all: Term = a.iter().flatten().copied().collect();
                all.sort_unstable();
                all.dedup();
                let within = self.interactions(&[all], &b, span)?;
                a.into_iter().chain(within).collect()
            }
        })
    }

    /// `(a + b)^2`: all interactions of up to so many of the terms.
    fn power(&mut self, base: Vec<Term>, left: &Node, right: &Node) -> Result<Vec<Term>, FormulaError> {
        let exponent = match right.bare().syntax {
            Syntax::Number(number) if number.high >= 1.0 && number.high <= 64.0 && number.high.fract() == 0.0 => {
                number.high as usize
            }
            _ => {
                let message = format!(
                    "the power of a term is a whole number from 1 to 64; arithmetic goes inside I(), as in I({left}^{right})"
                );
                return Err(self.error(right.span, message));
            }
        };
        if base.len() == 1 && exponent > 1 {
            let message = format!(
                "in a formula {left}^{right} is {left} again; for the power of a number write I({left}^{right})"
            );
            return Err(self.error(left.span.to(right.span), message));
        }
        let mut terms = base.clone();
        for _ in 1..exponent {
            let before = terms.len();
            let higher = self.interactions(&terms, &base, left.span.to(right.span))?;
            terms = self.distinct(terms.into_iter().chain(higher).collect(), left.span)?;
            if terms.len() == before {
                break;
            }
        }
        Ok(terms)
    }

    /// The terms that are taken away.
    fn subtracted(&mut self, node: &Node) -> Result<Vec<Term>, FormulaError> {
        self.adding = !self.adding;
        let removed = self.expand(node);
        self.adding = !self.adding;
        removed
    }

    fn interactions(&self, a: &[Term], b: &[Term], span: Span) -> Result<Vec<Term>, FormulaError> {
        if a.len().saturating_mul(b.len()) > MOST_TERMS {
            return Err(self.too_many(span));
        }
        let union = |a: &Term, b: &Term| {
            let mut union = [a.as_slice(), b.as_slice()].concat();
            union.sort_unstable();
            union.dedup();
            union
        };
        Ok(a.iter().flat_map(|a| b.iter().map(move |b| union(a, b))).collect())
    }

    /// Each term once, where it stood first.
    fn distinct(&self, terms: Vec<Term>, span: Span) -> Result<Vec<Term>, FormulaError> {
        let mut distinct = Distinct::default();
        terms.into_iter().for_each(|term| distinct.add(term));
        if distinct.places.len() > MOST_TERMS { Err(self.too_many(span)) } else { Ok(distinct.finish()) }
    }

    fn variable(&mut self, node: &Node) -> Term {
        let next = self.variables.len();
        let place = *self.places.entry(node.to_string()).or_insert(next);
        if place == next {
            self.variables.push(node.clone());
        }
        vec![place]
    }

    fn too_many(&self, span: Span) -> FormulaError {
        self.error(span, format!("this makes more than {MOST_TERMS} terms"))
    }

    fn error(&self, span: Span, message: impl Into<String>) -> FormulaError {
        FormulaError::new(self.text, span, message)
    }
}
