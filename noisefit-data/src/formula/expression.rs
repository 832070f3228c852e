//! Arithmetic on columns, a column at a time.

use super::function::Function;
use super::scalar::Scalar;
use super::syntax::Comparison;
use noisefit_core::numeric::dispatch::vectorised;
use noisefit_core::numeric::double_double::DoubleDouble;
use noisefit_core::rows::Values;

/// Arithmetic whose columns are found: what [`evaluate`] runs.
#[derive(Debug, Clone)]
pub(super) enum Expr {
    /// A column, by its place among those that the model reads.
    Column(usize),
    Constant(DoubleDouble),
    Negate(Box<Expr>),
    Apply(Function, Box<Expr>),
    /// Terms that are added, or subtracted where the flag is set.
    Sum(Vec<(bool, Expr)>),
    Product(Box<Expr>, Box<Expr>),
    Quotient(Box<Expr>, Box<Expr>),
    Power(Box<Expr>, Box<Expr>),
    IntegerPower(Box<Expr>, i32),
    /// One where it holds, else zero.
    Compare(Comparison, Box<Expr>, Box<Expr>),
    /// `(x - mean) / deviation`.
    Standardise {
        x: Box<Expr>,
        mean: DoubleDouble,
        deviation: Option<DoubleDouble>,
    },
    /// `center(x)` or `scale(x)` before a pass over the rows has told their mean.
    Unlearned,
}

impl Expr {
    /// Visits this expression and all below.
    pub fn visit(&self, visitor: &mut impl FnMut(&Expr)) {
        visitor(self);
        match self {
            Expr::Column(_) | Expr::Constant(_) | Expr::Unlearned => {}
            Expr::Negate(x) | Expr::Apply(_, x) | Expr::IntegerPower(x, _) | Expr::Standardise { x, .. } => {
                x.visit(visitor);
            }
            Expr::Sum(terms) => terms.iter().for_each(|(_, term)| term.visit(visitor)),
            Expr::Product(a, b) | Expr::Quotient(a, b) | Expr::Power(a, b) | Expr::Compare(_, a, b) => {
                a.visit(visitor);
                b.visit(visitor);
            }
        }
    }

    /// The columns it reads, each once, in order of first use.
    pub fn columns(&self) -> Vec<usize> {
        let mut columns = Vec::new();
        self.visit(&mut |expr| match expr {
            Expr::Column(column) if !columns.contains(column) => columns.push(*column),
            _ => {}
        });
        columns
    }

    /// Whether it is a column as it stands.
    pub fn is_column(&self) -> bool {
        matches!(self, Expr::Column(_))
    }

    /// Whether nothing in it waits for a pass over the rows.
    pub fn is_learned(&self) -> bool {
        let mut learned = true;
        self.visit(&mut |expr| learned &= !matches!(expr, Expr::Unlearned));
        learned
    }
}

/// Fills `out` with the values of `expr` in all `rows` rows of `columns`; `pool` lends buffers for parts. In a perturbation
/// `draw`, functions that are known to no more than a double move within their rounding error.
pub(super) fn evaluate<T: Scalar>(
    expr: &Expr,
    columns: &[Values<'_>],
    rows: usize,
    out: &mut Vec<T>,
    draw: Option<u32>,
    pool: &mut Vec<Vec<T>>,
) {
    match expr {
        Expr::Column(column) => {
            out.clear();
            match columns.get(*column) {
                Some(Values { high, low: Some(low) }) => {
                    out.extend(high.iter().zip(*low).map(|(&high, &low)| T::variable(high, low)));
                }
                Some(Values { high, low: None }) => out.extend(high.iter().map(|&high| T::variable(high, 0.0))),
                None => out.resize(rows, T::constant(NAN)),
            }
        }
        Expr::Constant(value) => {
            out.clear();
            out.resize(rows, T::constant(*value));
        }
        Expr::Unlearned => {
            out.clear();
            out.resize(rows, T::constant(NAN));
        }
        Expr::Negate(x) => {
            evaluate(x, columns, rows, out, draw, pool);
            out.iter_mut().for_each(|value| *value = -*value);
        }
        Expr::Apply(function, x) => {
            evaluate(x, columns, rows, out, draw, pool);
            T::apply(out, *function);
            if !matches!(function, Function::Sqrt | Function::Abs) {
                T::blur(out, draw);
            }
        }
        Expr::IntegerPower(x, exponent) => {
            evaluate(x, columns, rows, out, draw, pool);
            vectorised(|| out.iter_mut().for_each(|value| *value = value.powi(*exponent)));
        }
        Expr::Sum(terms) => {
            let Some(((minus, first), others)) = terms.split_first() else { return };
            evaluate(first, columns, rows, out, draw, pool);
            if *minus {
                out.iter_mut().for_each(|value| *value = -*value);
            }
            for (minus, term) in others {
                match minus {
                    false => combine(out, term, columns, draw, pool, |a, b| a + b),
                    true => combine(out, term, columns, draw, pool, |a, b| a - b),
                }
            }
        }
        Expr::Product(a, b) => {
            evaluate(a, columns, rows, out, draw, pool);
            combine(out, b, columns, draw, pool, |a, b| a * b);
        }
        Expr::Quotient(a, b) => {
            evaluate(a, columns, rows, out, draw, pool);
            combine(out, b, columns, draw, pool, |a, b| a / b);
        }
        Expr::Power(a, b) => {
            evaluate(a, columns, rows, out, draw, pool);
            combine(out, b, columns, draw, pool, T::powf);
            T::blur(out, draw);
        }
        Expr::Compare(comparison, a, b) => {
            evaluate(a, columns, rows, out, draw, pool);
            let (one, zero) = (T::constant(DoubleDouble::ONE), T::constant(DoubleDouble::ZERO));
            combine(out, b, columns, draw, pool, |a, b| if comparison.holds(a.order(b)) { one } else { zero });
        }
        Expr::Standardise { x, mean, deviation } => {
            evaluate(x, columns, rows, out, draw, pool);
            match deviation.map(T::constant) {
                None => out.iter_mut().for_each(|value| *value = value.less(*mean)),
                Some(deviation) => out.iter_mut().for_each(|value| *value = value.less(*mean) / deviation),
            }
        }
    }
}

const NAN: DoubleDouble = DoubleDouble { high: f64::NAN, low: 0.0 };

/// `out = operation(out, right)`.
fn combine<T: Scalar>(
    out: &mut [T],
    right: &Expr,
    columns: &[Values<'_>],
    draw: Option<u32>,
    pool: &mut Vec<Vec<T>>,
    operation: impl Fn(T, T) -> T,
) {
    if let Expr::Constant(value) = right {
        let value = T::constant(*value);
        out.iter_mut().for_each(|left| *left = operation(*left, value));
        return;
    }
    let mut values = pool.pop().unwrap_or_default();
    evaluate(right, columns, out.len(), &mut values, draw, pool);
    vectorised(|| out.iter_mut().zip(&values).for_each(|(left, &right)| *left = operation(*left, right)));
    pool.push(values);
}
