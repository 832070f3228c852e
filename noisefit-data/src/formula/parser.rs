//! Tokens to a syntax tree: precedence climbing (Pratt 1973), with R's precedences.
//!
//! From loose to tight: `~`, the comparisons (within parentheses), `+ -`, `* /`, `%in%`, `:`, unary minus as in `x^-1`, `^` (which associates to the right).

use noisefit_core::suggestion::suggestion;

use super::error::{FormulaError, Span};
use super::function;
use super::lexer::{Token, tokens};
use super::syntax::{Argument, Call, Comparison, Node, Operator, Syntax};

/// Deeper formulas are refused, so that recursion over the tree is safe on any thread's stack.
const DEEPEST: usize = 100;

const COMPARISON: u8 = 5;
const SUM: u8 = 10;
const NEGATION: u8 = 15;
const PRODUCT: u8 = 20;
const POWER: u8 = 50;

pub(super) struct Parser<'a> {
    text: &'a str,
    tokens: Vec<(Token, Span)>,
    at: usize,
    depth: usize,
}

/// `response ~ terms | effects`, or without a response or without effects.
pub(super) fn formula(text: &str) -> Result<(Option<Node>, Node, Vec<Node>), FormulaError> {
    let mut parser = Parser::new(text)?;
    if parser.peek() == &Token::End {
        return Err(parser.error("the formula is empty; write for example y ~ x1 + x2"));
    }
    let response = if parser.take("~") { None } else { Some(parser.sum(SUM)?) };
    if response.is_some() && !parser.take("~") {
        let message = match parser.peek() {
            Token::End => "'~' is missing: write response ~ terms, for example y ~ x1 + x2",
            _ => return Err(parser.unexpected()),
        };
        return Err(parser.error(message));
    }
    if parser.peek() == &Token::End {
        return Err(parser.error("nothing follows '~'; write the terms there, or 1 for an intercept alone"));
    }
    if parser.peek() == &Token::Symbol("|") {
        return Err(parser.error(
            "no term stands before the '|'; effects alone leave no coefficient, so name a term, as in y ~ x | firm",
        ));
    }
    let terms = parser.sum(SUM)?;
    let effects = if parser.take("|") { parser.effects()? } else { Vec::new() };
    parser.end()?;
    Ok((response, terms, effects))
}

/// `~ terms`, or the terms alone.
pub(super) fn one_sided(text: &str) -> Result<Node, FormulaError> {
    let mut parser = Parser::new(text)?;
    if parser.peek() == &Token::End {
        return Err(parser.error("the formula of the scale is empty; write for example ~ x"));
    }
    let tilde = parser.take("~");
    if parser.peek() == &Token::End {
        return Err(parser.error("nothing follows '~'; write the terms there, or 1 for an intercept alone"));
    }
    let terms = parser.sum(SUM)?;
    if !tilde && parser.take("~") {
        let right = text.get(parser.span().start..).unwrap_or_default().trim();
        let message = format!("a formula of the scale has no response; write ~ {right}");
        return Err(FormulaError::new(text, terms.span, message));
    }
    parser.end()?;
    Ok(terms)
}

/// Arithmetic alone.
pub(super) fn expression(text: &str) -> Result<Node, FormulaError> {
    let mut parser = Parser::new(text)?;
    if parser.peek() == &Token::End {
        return Err(parser.error("the expression is empty; write a column's name or arithmetic on columns"));
    }
    let node = parser.sum(SUM)?;
    parser.end()?;
    Ok(node)
}

impl<'a> Parser<'a> {
    fn new(text: &'a str) -> Result<Self, FormulaError> {
        Ok(Parser { text, tokens: tokens(text)?, at: 0, depth: 0 })
    }

    fn peek(&self) -> &Token {
        self.tokens.get(self.at).map_or(&Token::End, |(token, _)| token)
    }

    fn span(&self) -> Span {
        let end = self.text.len();
        self.tokens.get(self.at).or(self.tokens.last()).map_or(Span { start: end, end }, |&(_, span)| span)
    }

    fn error(&self, message: impl Into<String>) -> FormulaError {
        FormulaError::new(self.text, self.span(), message)
    }

    fn unexpected(&self) -> FormulaError {
        self.error(match self.peek() {
            Token::End => "the formula breaks off here".to_owned(),
            Token::Symbol(")") => "this ')' closes nothing".to_owned(),
            Token::Symbol("~") => "a second '~'; a formula has one".to_owned(),
            Token::Symbol(symbol @ ("[" | "]")) => {
                format!("'{symbol}' has no meaning here; a name with unusual characters goes in backquotes")
            }
            Token::Symbol("|") => {
                "'|' stands before absorbed effects, behind the terms of a whole formula: y ~ x | firm".to_owned()
            }
            Token::Symbol(symbol) if Comparison::of(symbol).is_some() => {
                "a comparison goes inside I(), as in I(x > 3)".to_owned()
            }
            Token::Symbol(symbol) => format!("'{symbol}' cannot stand here"),
            Token::Number(_) | Token::Name { .. } | Token::Text(_) => {
                "an operator is missing before this; terms are joined by +, : or *, and a name with blanks goes in \
                 backquotes"
                    .to_owned()
            }
        })
    }

    /// Whether the next token is this symbol; takes it if so.
    fn take(&mut self, symbol: &str) -> bool {
        let found = matches!(self.peek(), Token::Symbol(next) if *next == symbol);
        self.at += usize::from(found);
        found
    }

    fn end(&self) -> Result<(), FormulaError> {
        if self.peek() == &Token::End { Ok(()) } else { Err(self.unexpected()) }
    }

    /// Columns whose levels are absorbed, joined by `+`, behind the `|`.
    fn effects(&mut self) -> Result<Vec<Node>, FormulaError> {
        let mut effects: Vec<Node> = Vec::new();
        loop {
            let (span, token) = (self.span(), self.peek().clone());
            let Token::Name { name, quoted } = token else {
                let found = if token == Token::End { "the formula breaks off here: " } else { "" };
                let message = format!(
                    "{found}behind '|' stand columns, joined by +, whose levels are absorbed: y ~ x | firm + year"
                );
                return Err(self.error(message));
            };
            if name == "." && !quoted {
                return Err(self.error("'.' cannot be absorbed; name the columns, as in y ~ x | firm + year"));
            }
            if effects.iter().any(|known| matches!(&known.syntax, Syntax::Name(known) if *known == name)) {
                return Err(self.error(format!("{name} is absorbed already; name it once")));
            }
            self.at += 1;
            let message = match self.peek() {
                Token::Symbol("^") => {
                    "an effect of combinations (a^b) is not absorbed; make a column that joins the two and name that"
                }
                Token::Symbol("[") => {
                    "slopes that differ by level (firm[x]) are not absorbed; with few levels write firm:x among the terms"
                }
                Token::Symbol("(") => {
                    "an absorbed effect is a column's name; its numbers are taken for levels as they are, without C()"
                }
                Token::Symbol("|" | "~") => {
                    "a third part, of instruments, is not known here; noisefit fits no instrumental variables"
                }
                Token::Symbol(symbol) if *symbol != "+" => {
                    "absorbed effects are columns joined by +: y ~ x | firm + year"
                }
                _ => "",
            };
            if !message.is_empty() {
                return Err(self.error(message));
            }
            effects.push(Node::new(span, Syntax::Name(name)));
            if !self.take("+") {
                return Ok(effects);
            }
        }
    }

    fn bounded(&self, node: Node) -> Result<Node, FormulaError> {
        if node.depth.max(self.depth) > DEEPEST {
            let message = format!("nested more than {DEEPEST} deep");
            return Err(FormulaError::new(self.text, node.span, message));
        }
        Ok(node)
    }

    /// Operators that bind at least as tightly as `weakest`, and their operands.
    fn sum(&mut self, weakest: u8) -> Result<Node, FormulaError> {
        self.depth += 1;
        if self.depth > DEEPEST {
            return Err(self.error(format!("nested more than {DEEPEST} deep")));
        }
        let mut left = self.operand(weakest)?;
        loop {
            let comparison = match self.peek() {
                Token::Symbol(symbol) if weakest <= COMPARISON => Comparison::of(symbol),
                _ => None,
            };
            if let Some(comparison) = comparison {
                self.at += 1;
                let right = self.sum(COMPARISON + 1)?;
                let span = left.span.to(right.span);
                left = self.bounded(Node::new(span, Syntax::Compare(comparison, Box::new(left), Box::new(right))))?;
                continue;
            }
            let (strength, operator) = match self.peek() {
                Token::Symbol("+" | "-") => (SUM, None),
                Token::Symbol("*") => (PRODUCT, Some(Operator::Times)),
                Token::Symbol("/") => (PRODUCT, Some(Operator::Over)),
                Token::Symbol("%in%") => (30, Some(Operator::In)),
                Token::Symbol(":") => (40, Some(Operator::Colon)),
                Token::Symbol("^") => (POWER, Some(Operator::Power)),
                _ => break,
            };
            if strength < weakest {
                break;
            }
            let minus = matches!(self.peek(), Token::Symbol("-"));
            self.at += 1;
            let right = self.sum(if strength == POWER { POWER } else { strength + 1 })?;
            let span = left.span.to(right.span);
            let joined = match (operator, left) {
                (Some(operator), left) => Node::new(span, Syntax::Binary(operator, Box::new(left), Box::new(right))),
                (None, Node { syntax: Syntax::Sum(mut terms), depth, .. }) => {
                    let depth = depth.max(right.depth + 1);
                    terms.push((minus, right));
                    Node { span, syntax: Syntax::Sum(terms), depth }
                }
                (None, left) => Node::new(span, Syntax::Sum(vec![(false, left), (minus, right)])),
            };
            left = self.bounded(joined)?;
        }
        self.depth -= 1;
        Ok(left)
    }

    fn operand(&mut self, weakest: u8) -> Result<Node, FormulaError> {
        let span = self.span();
        let token = self.peek().clone();
        let leaf = match token {
            Token::Number(number) => Syntax::Number(number),
            Token::Text(text) => Syntax::Text(text),
            Token::Name { name, quoted: false } if name == "." => Syntax::Dot,
            Token::Name { name, quoted } => {
                self.at += 1;
                let open = self.span();
                return match !quoted && self.take("(") {
                    true => self.call(name, span, open),
                    false => Ok(Node::new(span, Syntax::Name(name))),
                };
            }
            Token::Symbol("+") => {
                self.at += 1;
                return self.sum(weakest.max(NEGATION));
            }
            Token::Symbol("-") => {
                self.at += 1;
                let inner = self.sum(weakest.max(NEGATION))?;
                return self.bounded(Node::new(span.to(inner.span), Syntax::Negate(Box::new(inner))));
            }
            Token::Symbol("(") => {
                self.at += 1;
                let inner = self.sum(COMPARISON)?;
                let close = self.close(span)?;
                return self.bounded(Node::new(span.to(close), Syntax::Parentheses(Box::new(inner))));
            }
            Token::End => return Err(self.error("the formula breaks off here: an operand is missing")),
            Token::Symbol("[" | "]") => return Err(self.unexpected()),
            Token::Symbol(symbol) => return Err(self.error(format!("'{symbol}' where an operand was expected"))),
        };
        self.at += 1;
        Ok(Node::new(span, leaf))
    }

    /// The arguments of a function, after its opening parenthesis.
    fn call(&mut self, name: String, name_span: Span, open: Span) -> Result<Node, FormulaError> {
        if !function::is_known(&name) {
            let known = function::names();
            let suggestion = match name.as_str() {
                // R's names for it.
                "factor" | "as.factor" | "ordered" => "; did you mean 'C'? ".to_owned(),
                _ => suggestion(&name, known.iter().copied()),
            };
            let message = format!("unknown function '{name}'{suggestion}the functions are {}", known.join(", "));
            return Err(FormulaError::new(self.text, name_span, message));
        }
        let mut arguments = Vec::new();
        if !matches!(self.peek(), Token::Symbol(")")) {
            loop {
                arguments.push(self.argument()?);
                if !self.take(",") {
                    break;
                }
            }
        }
        let close = self.close(open)?;
        let span = name_span.to(close);
        let call = Call { function: name, arguments };
        function::check_arguments(&call).map_err(|message| FormulaError::new(self.text, span, message))?;
        self.bounded(Node::new(span, Syntax::Call(call)))
    }

    fn argument(&mut self) -> Result<Argument, FormulaError> {
        let named = match (self.peek(), self.tokens.get(self.at + 1)) {
            (Token::Name { name, .. }, Some((Token::Symbol("="), _))) => Some(name.clone()),
            _ => None,
        };
        self.at += if named.is_some() { 2 } else { 0 };
        Ok(Argument { name: named, value: self.sum(COMPARISON)? })
    }

    /// Takes the parenthesis that closes the one at `open`.
    fn close(&mut self, open: Span) -> Result<Span, FormulaError> {
        let span = self.span();
        if self.take(")") {
            return Ok(span);
        }
        match self.peek() {
            Token::End => Err(FormulaError::new(self.text, open, "this '(' is not closed")),
            _ => Err(self.unexpected()),
        }
    }
}
