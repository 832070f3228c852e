//! From terms to columns: categories as contrasts or indicators, interactions as products, and their names.

use super::expression::Expr;
use super::learned::{Polynomial, Words};
use super::plan::{Recurrence, Step};
use super::spline::Pieces;
use super::terms::Term;
use noisefit_core::numeric::double_double::DoubleDouble;
use std::collections::HashMap;
use std::sync::Arc;

/// A variable of the right side, before its terms are coded.
pub(super) enum Variable {
    Number(Expr),
    Powers {
        x: Expr,
        degree: usize,
    },
    Orthogonal {
        x: Expr,
        degree: usize,
        basis: Polynomial,
    },
    Category {
        place: usize,
        names: Vec<String>,
        omitted: usize,
        sum: bool,
    },
    /// Whether a category has the one level that is known of it.
    Level {
        place: usize,
        equal: bool,
    },
    Splines {
        x: Expr,
        pieces: Arc<Pieces>,
    },
    Pending,
}

/// The right side of a formula, its variables found.
pub(super) struct Side {
    /// The variables with their names.
    pub variables: Vec<(String, Variable)>,
    pub terms: Vec<Term>,
    pub intercept: bool,
    /// What is added to them, with its name.
    pub offset: Option<(String, Expr)>,
}

/// Codes terms as columns once everything is learned. What two terms share, also one of the location and one of the
/// scale, is computed once.
#[derive(Default)]
pub(super) struct Coder {
    /// Names and steps, which refer to one another by place.
    pub steps: Vec<(String, Step)>,
    /// The columns of each variable, by its name, in full and contrast coding: places of steps.
    pieces: HashMap<(String, bool), Vec<usize>>,
    products: HashMap<(usize, usize), usize>,
}

impl Side {
    /// How the variables of each term are coded.
    fn coding(&self) -> Vec<Vec<bool>> {
        full_coding(&self.terms, self.intercept, |variable| {
            matches!(self.variables[variable].1, Variable::Category { .. })
        })
    }

    /// The name of each term: those of its variables.
    pub fn names(&self) -> impl Iterator<Item = String> {
        let name = |term: &Term| term.iter().map(|&variable| self.variables[variable].0.as_str()).collect::<Vec<_>>();
        self.terms.iter().map(move |term| name(term).join(":"))
    }

    /// The number of columns that the terms are, before any of them is made: a double, for it may be of any size.
    pub fn columns(&self) -> f64 {
        let pieces = |(&variable, full): (&usize, bool)| match &self.variables[variable].1 {
            Variable::Pending => 0,
            Variable::Number(_) | Variable::Level { .. } => 1,
            Variable::Splines { pieces, .. } => pieces.columns(),
            Variable::Powers { degree, .. } | Variable::Orthogonal { degree, .. } => *degree,
            Variable::Category { names, .. } => names.len() - usize::from(!full && !names.is_empty()),
        };
        let term = |(term, full): (&Term, Vec<bool>)| term.iter().zip(full).map(|x| pieces(x) as f64).product::<f64>();
        self.terms.iter().zip(self.coding()).map(term).sum()
    }
}

impl Coder {
    /// The steps that are the columns of each of the side's terms.
    pub fn code(&mut self, side: &Side) -> Vec<Vec<usize>> {
        let full = side.coding();
        let mut outputs = Vec::new();
        for (term, full) in side.terms.iter().zip(full) {
            let mut columns: Vec<usize> = Vec::new();
            for (place, (&variable, full)) in term.iter().zip(full).enumerate() {
                let (name, variable) = &side.variables[variable];
                let pieces = self.pieces(name, variable, full);
                if place == 0 {
                    columns = pieces;
                    continue;
                }
                // The first variable varies fastest, as in R.
                let mut products = Vec::with_capacity(columns.len() * pieces.len());
                for &piece in &pieces {
                    for &column in &columns {
                        products.push(self.product(column, piece));
                    }
                }
                columns = products;
            }
            outputs.push(columns);
        }
        outputs
    }

    /// The step that is the offset of a side.
    pub fn offset(&mut self, side: &Side) -> Option<usize> {
        let (name, expr) = side.offset.clone()?;
        Some(self.push(name, Step::Number(expr)))
    }

    fn push(&mut self, name: String, step: Step) -> usize {
        self.steps.push((name, step));
        self.steps.len() - 1
    }

    fn product(&mut self, a: usize, b: usize) -> usize {
        if let Some(&known) = self.products.get(&(a, b)) {
            return known;
        }
        let name = format!("{}:{}", self.steps[a].0, self.steps[b].0);
        let place = self.push(name, Step::Product(a, b));
        self.products.insert((a, b), place);
        place
    }

    fn pieces(&mut self, name: &str, variable: &Variable, full: bool) -> Vec<usize> {
        if let Some(pieces) = self.pieces.get(&(name.to_owned(), full)) {
            return pieces.clone();
        }
        let mut pieces = Vec::new();
        match variable {
            Variable::Pending => {}
            Variable::Number(expr) => pieces.push(self.push(name.to_owned(), Step::Number(expr.clone()))),
            Variable::Powers { x, degree } => {
                let first = self.push(format!("{name}[1]"), Step::Number(x.clone()));
                pieces.push(first);
                for power in 2..=*degree {
                    let last = self.steps.len() - 1;
                    pieces.push(self.push(format!("{name}[{power}]"), Step::Product(last, first)));
                }
            }
            Variable::Orthogonal { x, degree, basis } => {
                let x = self.push(name.to_owned(), Step::Number(x.clone()));
                let word = |words: &[Words], k: usize| words.get(k).map_or(DoubleDouble::ZERO, |&words| words.into());
                let constant = Expr::Constant(DoubleDouble::ONE / word(&basis.spreads, 0));
                let (mut last, mut before) = (self.push(format!("{name}[0]"), Step::Number(constant)), x);
                for k in 1..=*degree {
                    let recurrence = Recurrence {
                        centre: word(&basis.centres, k - 1),
                        // There is nothing before the constant.
                        spread_before: if k == 1 { DoubleDouble::ZERO } else { word(&basis.spreads, k - 1) },
                        per_spread: DoubleDouble::ONE / word(&basis.spreads, k),
                    };
                    let next = self.push(format!("{name}[{k}]"), Step::Orthogonal { x, last, before, recurrence });
                    (last, before) = (next, last);
                    pieces.push(next);
                }
            }
            Variable::Level { place, equal } => {
                let step = Step::Matches { category: *place, equal: *equal };
                pieces.push(self.push(name.to_owned(), step));
            }
            Variable::Splines { x, pieces: splines } => {
                let x = self.push(name.to_owned(), Step::Number(x.clone()));
                for column in 0..splines.columns() {
                    let step = Step::Spline { x, pieces: Arc::clone(splines), column };
                    pieces.push(self.push(format!("{name}[{}]", column + 1), step));
                }
            }
            Variable::Category { place, names, omitted, sum } => {
                for (level, level_name) in names.iter().enumerate().filter(|(level, _)| full || level != omitted) {
                    let (category, level) = (*place, level as u32);
                    let step = match *sum && !full {
                        true => Step::Contrast { category, level, omitted: *omitted as u32 },
                        false => Step::Indicator { category, level },
                    };
                    pieces.push(self.push(format!("{name}[{level_name}]"), step));
                }
            }
        }
        self.pieces.insert((name.to_owned(), full), pieces.clone());
        pieces
    }
}

/// Which categories of which terms get a column for every level: R's rule. A category in a term is coded by contrasts
/// where an earlier term contains the term's other variables (its margin), in full where none does; a category alone by
/// contrasts. Without intercept, the first category of all is coded in full.
fn full_coding(terms: &[Term], intercept: bool, is_category: impl Fn(usize) -> bool) -> Vec<Vec<bool>> {
    let mut full: Vec<Vec<bool>> = Vec::with_capacity(terms.len());
    // The terms so far that each variable is in.
    let mut earlier: HashMap<usize, Vec<&Term>> = HashMap::new();
    for term in terms {
        let within = |variable: &usize| earlier.get(variable).map_or(&[][..], Vec::as_slice);
        let has_margin = |variable: usize| {
            let margin = || term.iter().filter(|&&other| other != variable);
            // Those of the margin's rarest variable are the only ones that can contain it.
            let rarest = margin().map(within).min_by_key(|terms| terms.len());
            rarest.is_none_or(|terms| {
                terms.iter().any(|earlier| margin().all(|other| earlier.binary_search(other).is_ok()))
            })
        };
        full.push(term.iter().map(|&variable| is_category(variable) && !has_margin(variable)).collect());
        term.iter().for_each(|&variable| earlier.entry(variable).or_default().push(term));
    }
    if !intercept {
        let first = terms.iter().zip(&mut full).find_map(|(term, full)| {
            term.iter().zip(full).find_map(|(&variable, full)| is_category(variable).then_some(full))
        });
        if let Some(first) = first {
            *first = true;
        }
    }
    full
}
