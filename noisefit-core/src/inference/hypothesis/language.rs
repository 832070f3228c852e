//! Hypotheses as people write them: `x1 = x2`, `income = 0.5`, `city`, `a = 0, b = 0`.
//!
//! Coefficients are named as the table of a fit has them, `poly(x, 2)[1]` and `city[Paris]` among them. At every place the longest
//! name that fits is meant; blanks do not count, but for those between words.

use crate::Error;
use crate::inference::hypothesis::estimates::OF_SCALE;
use crate::inference::hypothesis::expression::{Expression, Function};
use crate::suggestion::suggestion;

/// What may be named: coefficients, and whole terms of the formula, which are some of them.
#[derive(Debug, Clone, Default)]
pub struct Names {
    /// The coefficients in their order.
    pub coefficients: Vec<String>,
    /// Terms with the places of their coefficients.
    pub terms: Vec<(String, Vec<usize>)>,
}

/// A part of a hypothesis.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Clause {
    /// All coefficients of a term have a value.
    Term { coefficients: Vec<usize>, value: f64 },
    /// Two expressions have the same value.
    Equation { left: Expression, right: Expression },
}

/// Deeper expressions are refused, so that recursion over them is safe.
const DEEPEST: usize = 100;

/// As those of more operators.
const MOST_PARTS: usize = 1000;

/// The clauses of a hypothesis, all of which it claims.
///
/// # Errors
/// [`Error::Unsupported`] that says what cannot be read, and which names there are.
pub(super) fn hypothesis(text: &str, names: &Names) -> Result<Vec<Clause>, Error> {
    let mut parser = Parser { text, rest: text, names, depth: 0, parts: 0 };
    let mut clauses = Vec::new();
    loop {
        parser.clause(&mut clauses)?;
        if !parser.take(',') {
            break;
        }
    }
    parser.end()?;
    Ok(clauses)
}

/// A function of coefficients, and the number that it is compared with where `= number` follows.
///
/// # Errors
/// As [`hypothesis`].
pub(super) fn function(text: &str, names: &Names) -> Result<(Expression, f64), Error> {
    let mut parser = Parser { text, rest: text, names, depth: 0, parts: 0 };
    let left = parser.sum()?;
    let value = match parser.take('=') {
        false => 0.0,
        true => {
            let right = parser.sum()?;
            match right.constant() {
                Some(value) => value,
                None => return Err(parser.wrong("a number stands to the right of '=' here")),
            }
        }
    };
    parser.end()?;
    Ok((left, value))
}

struct Parser<'a> {
    text: &'a str,
    rest: &'a str,
    names: &'a Names,
    depth: usize,
    /// Operators so far.
    parts: usize,
}

/// What a name at some place means.
enum Meant<'a> {
    Coefficient(usize),
    Term(&'a str, &'a [usize]),
}

impl<'a> Parser<'a> {
    fn wrong(&self, why: &str) -> Error {
        Error::Unsupported(format!("hypothesis '{}': {why}", self.text))
    }

    fn peek(&mut self) -> Option<char> {
        self.rest = self.rest.trim_start();
        self.rest.chars().next()
    }

    fn take(&mut self, symbol: char) -> bool {
        let found = self.peek() == Some(symbol);
        if found {
            self.rest = &self.rest[symbol.len_utf8()..];
            // `==` is `=` as well.
            if symbol == '=' {
                self.rest = self.rest.strip_prefix('=').unwrap_or(self.rest);
            }
        }
        found
    }

    fn end(&mut self) -> Result<(), Error> {
        match self.peek() {
            None => Ok(()),
            Some(_) => {
                Err(self.wrong(&format!("'{}' cannot be read; write for example 'x1 = x2'", self.rest.trim_end())))
            }
        }
    }

    fn clause(&mut self, clauses: &mut Vec<Clause>) -> Result<(), Error> {
        if self.peek().is_none() {
            return Err(self.wrong("it breaks off; write for example 'x1 = x2', 'income = 0.5' or the name of a term"));
        }
        if let Some((coefficients, rest)) = self.whole_term() {
            self.rest = rest;
            let value = match self.take('=') {
                false => 0.0,
                true => {
                    let right = self.sum()?;
                    let why =
                        "a whole term is compared with a number; name its coefficients to compare them with others";
                    right.constant().ok_or_else(|| self.wrong(why))?
                }
            };
            clauses.push(Clause::Term { coefficients, value });
            return Ok(());
        }
        let mut left = self.sum()?;
        let mut equations = 0;
        while self.take('=') {
            let right = self.sum()?;
            clauses.push(Clause::Equation { left, right: right.clone() });
            (left, equations) = (right, equations + 1);
        }
        if equations == 0 {
            clauses.push(Clause::Equation { left, right: Expression::Number(0.0) });
        }
        Ok(())
    }

    /// A term that stands alone, or before `=`, and what follows it; `.` for all coefficients of the location but the intercept.
    fn whole_term(&mut self) -> Option<(Vec<usize>, &'a str)> {
        let ends = |rest: &str| matches!(rest.trim_start().chars().next(), None | Some(',' | '='));
        self.peek()?;
        if let Some(rest) = self.rest.strip_prefix('.').filter(|rest| ends(rest)) {
            let of_location = self.names.terms.iter().filter(|(name, _)| !name.starts_with(OF_SCALE));
            let mut all: Vec<usize> = of_location.flat_map(|(_, places)| places.iter().copied()).collect();
            all.sort_unstable();
            all.dedup();
            return (!all.is_empty()).then_some((all, rest));
        }
        match self.name() {
            Some((Meant::Term(_, places), rest)) if ends(rest) => Some((places.to_vec(), rest)),
            _ => None,
        }
    }

    /// The longest name that stands here, and what follows it; of a coefficient and a term of one name the coefficient.
    fn name(&self) -> Option<(Meant<'a>, &'a str)> {
        let names = self.names;
        let coefficients = names.coefficients.iter().enumerate().map(|(place, name)| (name, Meant::Coefficient(place)));
        let terms = names.terms.iter().map(|(name, places)| (name, Meant::Term(name, places)));
        let found = coefficients.chain(terms).filter_map(|(name, meant)| Some((meant, after(self.rest, name)?)));
        // The first of the shortest rests.
        found.min_by_key(|(_, rest)| rest.len())
    }

    fn deeper<T>(&mut self, inner: impl FnOnce(&mut Self) -> Result<T, Error>) -> Result<T, Error> {
        self.depth += 1;
        if self.depth > DEEPEST {
            return Err(self.wrong(&format!("nested more than {DEEPEST} deep")));
        }
        let found = inner(self);
        self.depth -= 1;
        found
    }

    /// Takes an operator of one letter.
    fn operator(&mut self) -> Result<(), Error> {
        self.rest = &self.rest[1..];
        self.parts += 1;
        if self.parts > MOST_PARTS { Err(self.wrong(&format!("it has more than {MOST_PARTS} parts"))) } else { Ok(()) }
    }

    fn sum(&mut self) -> Result<Expression, Error> {
        self.deeper(|parser| {
            let mut left = parser.product()?;
            loop {
                let make = match parser.peek() {
                    Some('+') => Expression::Sum,
                    Some('-') => Expression::Difference,
                    _ => return Ok(left),
                };
                parser.operator()?;
                left = make(Box::new(left), Box::new(parser.product()?));
            }
        })
    }

    fn product(&mut self) -> Result<Expression, Error> {
        let mut left = self.power()?;
        loop {
            let make = match self.peek() {
                Some('*') => Expression::Product,
                Some('/') => Expression::Quotient,
                _ => return Ok(left),
            };
            self.operator()?;
            left = make(Box::new(left), Box::new(self.power()?));
        }
    }

    fn power(&mut self) -> Result<Expression, Error> {
        if self.take('-') {
            return self.deeper(|parser| Ok(Expression::Negate(Box::new(parser.power()?))));
        }
        let base = self.operand()?;
        match self.take('^') {
            true => self.deeper(|parser| Ok(Expression::Power(Box::new(base), Box::new(parser.power()?)))),
            false => Ok(base),
        }
    }

    fn operand(&mut self) -> Result<Expression, Error> {
        let Some(first) = self.peek() else { return Err(self.wrong("it breaks off: something is missing at its end")) };
        match self.name() {
            Some((Meant::Coefficient(place), rest)) => {
                self.rest = rest;
                return Ok(Expression::Coefficient(place));
            }
            Some((Meant::Term(name, places), _)) => {
                let members: Vec<&str> = places.iter().map(|&place| self.names.coefficients[place].as_str()).collect();
                return Err(self.wrong(&format!(
                    "{name} is a whole term, whose coefficients are {}: name one of them, or the term alone",
                    members.join(", ")
                )));
            }
            None => {}
        }
        if first.is_ascii_digit() || first == '.' {
            return self.number();
        }
        if first == '(' {
            self.rest = &self.rest[1..];
            let inner = self.sum()?;
            return match self.take(')') {
                true => Ok(inner),
                false => Err(self.wrong("a ')' is missing")),
            };
        }
        let function = Function::ALL.into_iter().find_map(|(name, function)| {
            let rest = self.rest.strip_prefix(name)?.trim_start();
            Some((function, rest.strip_prefix('(')?))
        });
        match function {
            Some((function, rest)) => {
                self.rest = rest;
                let inner = self.sum()?;
                match self.take(')') {
                    true => Ok(Expression::Apply(function, Box::new(inner))),
                    false => Err(self.wrong("a ')' is missing")),
                }
            }
            None => Err(self.unknown()),
        }
    }

    fn number(&mut self) -> Result<Expression, Error> {
        let bytes = self.rest.as_bytes();
        let belongs = |(i, c): (usize, char)| {
            let signed = matches!(c, '+' | '-') && i > 0 && matches!(bytes[i - 1], b'e' | b'E');
            c.is_ascii_alphanumeric() || c == '.' || c == '_' || signed
        };
        let length = self.rest.char_indices().find(|&at| !belongs(at)).map_or(self.rest.len(), |(i, _)| i);
        let (digits, rest) = self.rest.split_at(length);
        match digits.parse::<f64>().ok().filter(|value| value.is_finite()) {
            Some(value) => {
                self.rest = rest;
                Ok(Expression::Number(value))
            }
            None => Err(self.wrong(&format!("'{digits}' is no number; a product is written with *, as in 2*x"))),
        }
    }

    /// Nothing that is known begins here.
    fn unknown(&self) -> Error {
        let end = self.rest.find(['=', ',', '+', '*', ' ']).filter(|end| *end > 0).unwrap_or(self.rest.len());
        let name = self.rest[..end].trim_end();
        let known = self.names.coefficients.iter().map(String::as_str);
        let near = suggestion(name, known.clone().chain(self.names.terms.iter().map(|(name, _)| name.as_str())));
        let known: Vec<&str> = known.collect();
        self.wrong(&format!("the model has no coefficient '{name}'{near}there are {}", known.join(", ")))
    }
}

fn is_of_word(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '_' | '.')
}

/// What follows a name at the beginning of a text, blanks apart but for those between words; none where another name begins so.
fn after<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    let same = |a: char, b: char| a == b || matches!((a, b), ('"' | '\'', '"' | '\''));
    let (mut rest, mut before, mut blank) = (text, None, false);
    for expected in name.chars() {
        if expected.is_whitespace() {
            blank = true;
            continue;
        }
        let there = rest.trim_start();
        let found = there.chars().next()?;
        let between_words = before.is_some_and(is_of_word) && is_of_word(expected);
        if !same(found, expected) || (between_words && blank != (there.len() < rest.len())) {
            return None;
        }
        (rest, before, blank) = (&there[found.len_utf8()..], Some(expected), false);
    }
    // `x` is not meant by `x1`, nor `city` by `city[Paris]`, `log` by `log(x)`, `a` by `a:b`.
    let next = rest.chars().next();
    let goes_on = |c: char| is_of_word(c) || matches!(c, '[' | '(');
    let ends_a_word = name.chars().next_back().is_some_and(is_of_word);
    match next {
        Some(':') => None,
        Some('[') => None,
        Some(c) if ends_a_word && goes_on(c) => None,
        _ => Some(rest),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn names() -> Names {
        let coefficients = [
            "(Intercept)",
            "x",
            "x1",
            "log(x)",
            "poly(x, 2)[1]",
            "poly(x, 2)[2]",
            "city[New York]",
            "city[b]",
            "x:x1",
            "`a b`",
        ];
        let terms =
            vec![("x".to_owned(), vec![1]), ("poly(x, 2)".to_owned(), vec![4, 5]), ("city".to_owned(), vec![6, 7])];
        Names { coefficients: coefficients.map(str::to_owned).to_vec(), terms }
    }

    /// The weights of the coefficients and the constant of left less right.
    fn weights(text: &str) -> (Vec<(usize, f64)>, f64) {
        let clauses = hypothesis(text, &names()).unwrap();
        let [Clause::Equation { left, right }] = &clauses[..] else { panic!("{clauses:?}") };
        let difference = Expression::Difference(Box::new(left.clone()), Box::new(right.clone())).linear(10).unwrap();
        let weights = difference.gradient.iter().copied().enumerate().filter(|(_, weight)| *weight != 0.0);
        (weights.collect(), difference.value)
    }

    #[test]
    fn the_longest_name_is_meant() {
        assert_eq!(weights("x1 = x"), (vec![(1, -1.0), (2, 1.0)], 0.0));
        assert_eq!(weights("x = 0.5"), (vec![(1, 1.0)], -0.5));
        assert_eq!(weights("log( x )"), (vec![(3, 1.0)], 0.0));
        assert_eq!(weights("poly(x,2)[1] == 2 * (x1 + 1)"), (vec![(2, -2.0), (4, 1.0)], -2.0));
        assert_eq!(weights("city[ New  York ] - city[b]"), (vec![(6, 1.0), (7, -1.0)], 0.0));
        assert_eq!(weights("x:x1 = -x/4"), (vec![(1, 0.25), (8, 1.0)], 0.0));
        assert_eq!(weights("`a b` = 1e-3"), (vec![(9, 1.0)], -1e-3));
        assert_eq!(weights("(Intercept) = (x)"), (vec![(0, 1.0), (1, -1.0)], 0.0));
        assert_eq!(weights("x - x1 - 2^3/exp(0)"), (vec![(1, 1.0), (2, -1.0)], -8.0));
    }

    #[test]
    fn terms_and_several_clauses() {
        let of = |text: &str| hypothesis(text, &names()).unwrap();
        assert_eq!(of("city"), [Clause::Term { coefficients: vec![6, 7], value: 0.0 }]);
        assert_eq!(of("poly(x, 2) = 1"), [Clause::Term { coefficients: vec![4, 5], value: 1.0 }]);
        assert_eq!(of("."), [Clause::Term { coefficients: vec![1, 4, 5, 6, 7], value: 0.0 }]);
        assert_eq!(of("city, x = 1").len(), 2);
        assert_eq!(of("x = x1 = 0").len(), 2);
    }

    #[test]
    fn what_cannot_be_read_is_said() {
        for (text, why) in [
            ("", "it breaks off"),
            ("x =", "something is missing"),
            ("x 1", "'1' cannot be read"),
            ("incme = 0", "no coefficient 'incme'; there are (Intercept), x, "),
            ("city[Paris] = 0", "no coefficient 'city[Paris]'; there are (Intercept), x, "),
            ("city + x", "city is a whole term, whose coefficients are city[New York], city[b]"),
            ("city = x", "a whole term is compared with a number"),
            ("2x = 1", "'2x' is no number; a product is written with *"),
            ("(x = 1", "a ')' is missing"),
            ("x:z", "no coefficient 'x:z'"),
        ] {
            let said = hypothesis(text, &names()).unwrap_err().to_string();
            assert!(said.contains(why), "{text}: {said}");
        }
        let deep = "(".repeat(5000);
        assert!(hypothesis(&deep, &names()).unwrap_err().to_string().contains("nested"));
        assert!(hypothesis(&"-".repeat(5000), &names()).unwrap_err().to_string().contains("nested"));
    }

    #[test]
    fn functions_have_their_derivatives() {
        let (ratio, value) = function("x / x1 + exp(2*x) - x1^2 * sqrt(log(x)) = 3", &names()).unwrap();
        let at = |x: f64, x1: f64, log: f64| {
            let mut b = [0.0; 10];
            (b[1], b[2], b[3]) = (x, x1, log);
            ratio.at(&b)
        };
        let (x, x1, log) = (0.3, -1.7, 2.5);
        let found = at(x, x1, log);
        assert!((found.value - (x / x1 + (2.0 * x).exp() - x1 * x1 * log.sqrt())).abs() < 1e-14);
        assert_eq!(value, 3.0);
        let h = 1e-6;
        for (place, difference) in [
            (1, at(x + h, x1, log).value - at(x - h, x1, log).value),
            (2, at(x, x1 + h, log).value - at(x, x1 - h, log).value),
            (3, at(x, x1, log + h).value - at(x, x1, log - h).value),
        ] {
            assert!((found.gradient[place] - difference / (2.0 * h)).abs() < 1e-8, "{place}");
        }
        assert!(ratio.linear(10).is_none());
        assert!(function("x = x1", &names()).is_err());
    }
}
