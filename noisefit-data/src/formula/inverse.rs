//! From a transformed response back to the column that it is made of.

use super::expression::{Expr, evaluate};
use super::function::Function;
use super::scalar::Curved;
use noisefit_core::rows::Values;

/// The value of an expression of no column.
fn constant(expr: &Expr) -> Option<f64> {
    if !expr.columns().is_empty() {
        return None;
    }
    let mut out: Vec<f64> = Vec::new();
    evaluate(expr, &[], 1, &mut out, None, &mut Vec::new());
    out.pop().filter(|value| value.is_finite())
}

/// What the column is where the response is `value`; none of a function that is not undone here, as one that takes a value twice. Below
/// what a square root can be it is what it is at the end, zero.
pub(super) fn inverse(expr: &Expr, value: f64) -> Option<f64> {
    match expr {
        Expr::Column(_) => Some(value),
        Expr::Negate(x) => inverse(x, -value),
        Expr::Apply(function, x) => inverse(x, undone(*function, value)?),
        Expr::Sum(terms) => {
            let (mut rest, mut open) = (value, None);
            for (minus, term) in terms {
                match constant(term) {
                    Some(known) => rest -= if *minus { -known } else { known },
                    None if open.is_none() => open = Some((*minus, term)),
                    None => return None,
                }
            }
            let (minus, term) = open?;
            inverse(term, if minus { -rest } else { rest })
        }
        Expr::Product(a, b) => match (constant(a), constant(b)) {
            (Some(factor), None) if factor != 0.0 => inverse(b, value / factor),
            (None, Some(factor)) if factor != 0.0 => inverse(a, value / factor),
            _ => None,
        },
        Expr::Quotient(a, b) => match (constant(a), constant(b)) {
            (None, Some(divisor)) => inverse(a, value * divisor),
            (Some(dividend), None) if dividend != 0.0 => inverse(b, dividend / value),
            _ => None,
        },
        Expr::IntegerPower(x, exponent) if exponent % 2 != 0 => {
            inverse(x, value.abs().powf(1.0 / f64::from(*exponent)).copysign(value))
        }
        Expr::Power(x, exponent) => {
            let exponent = constant(exponent).filter(|exponent| *exponent != 0.0)?;
            inverse(x, value.max(0.0).powf(1.0 / exponent))
        }
        Expr::IntegerPower(..) | Expr::Compare(..) | Expr::Constant(_) | Expr::Standardise { .. } | Expr::Unlearned => {
            None
        }
    }
}

fn undone(function: Function, value: f64) -> Option<f64> {
    Some(match function {
        Function::Log => value.exp(),
        Function::Log1p => value.exp_m1(),
        Function::Log2 => value.exp2(),
        Function::Log10 => 10f64.powf(value),
        Function::Exp => value.max(0.0).ln(),
        Function::Expm1 => value.max(-1.0).ln_1p(),
        Function::Sqrt => value.max(0.0).powi(2),
        Function::Tanh => value.clamp(-1.0, 1.0).atanh(),
        Function::Abs | Function::Sin | Function::Cos => return None,
    })
}

/// What the column is where the response is `value`, with the first two derivatives of that: those of the response `g` there turned round,
/// `1 / g'` and `-g'' / g'^3`. Where the response can have no such value, as a square root none below zero, the column stays at its end.
pub(super) fn undone_with_slopes(expr: &Expr, value: f64) -> Option<[f64; 3]> {
    let y = inverse(expr, value)?;
    let column = [y];
    let columns = vec![Values::from(&column[..]); expr.columns().iter().max().map_or(0, |last| last + 1)];
    let mut out: Vec<Curved> = Vec::new();
    evaluate(expr, &columns, 1, &mut out, None, &mut Vec::new());
    let Curved { first, second, .. } = out.pop()?;
    match first.is_finite() {
        true => Some([y, 1.0 / first, -second / first.powi(3)]),
        false => Some([y, 0.0, 0.0]),
    }
}

/// The value of the response where its column is that; NaN where it has none.
pub(super) fn at(expr: &Expr, column: f64) -> f64 {
    let column = [column];
    let columns = vec![Values::from(&column[..]); expr.columns().iter().max().map_or(0, |last| last + 1)];
    let mut out: Vec<f64> = Vec::new();
    evaluate(expr, &columns, 1, &mut out, None, &mut Vec::new());
    out.pop().unwrap_or(f64::NAN)
}

/// Whether the response is the square root of a line in the column.
pub(super) fn is_square_root(expr: &Expr) -> bool {
    matches!(expr, Expr::Apply(Function::Sqrt, x) if is_line(x))
}

/// By what the response is multiplied where it is a logarithm of a line in the column, to be a natural one; none of other functions.
pub(super) fn logarithm(expr: &Expr) -> Option<f64> {
    let Expr::Apply(function, x) = expr else { return None };
    is_line(x).then_some(match function {
        Function::Log | Function::Log1p => 1.0,
        Function::Log2 => std::f64::consts::LN_2,
        Function::Log10 => std::f64::consts::LN_10,
        _ => return None,
    })
}

/// Whether an expression is a line in the column.
pub(super) fn is_line(expr: &Expr) -> bool {
    match expr {
        Expr::Column(_) => true,
        Expr::Negate(x) => is_line(x),
        Expr::Sum(terms) => terms.iter().all(|(_, term)| constant(term).is_some() || is_line(term)),
        Expr::Product(a, b) => (constant(a).is_some() && is_line(b)) || (constant(b).is_some() && is_line(a)),
        Expr::Quotient(a, b) => constant(b).is_some() && is_line(a),
        _ => false,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use crate::formula::Formula;
    use crate::frame::{Field, Kind};

    /// Against differences of the inverse itself, with Richardson's extrapolation.
    #[test]
    fn the_inverse_has_its_derivatives() {
        let fields = ["y", "x"].map(|name| Field::new(name, Kind::Number));
        for (response, at) in [
            ("y", 2.0),
            ("log(y)", 0.7),
            ("sqrt(y)", 1.3),
            ("I(1/y)", 0.4),
            ("I(y^3)", 1.9),
            ("log10(y + 1)", 0.6),
            ("I(y^0.3)", 1.2),
            ("exp(y)", 2.2),
            ("I(2 - 3*log1p(y))", 0.4),
            ("tanh(y)", 0.3),
            ("log2(y)", 0.8),
        ] {
            let formula = Formula::parse(&format!("{response} ~ x")).unwrap();
            let design = formula.resolve(&fields, None, None).unwrap().into_design().unwrap();
            let [value, first, second] = design.undone(at).unwrap();
            let of = |v: f64| design.untransformed(v).unwrap();
            assert_eq!(value, of(at));
            let central = |h: f64| (of(at + h) - of(at - h)) / (2.0 * h);
            let curve = |h: f64| (of(at + h) - 2.0 * value + of(at - h)) / (h * h);
            let near = (4.0 * central(1e-3) - central(2e-3)) / 3.0;
            assert!((first - near).abs() < 1e-9 * near.abs().max(1.0), "{response}: {first} and {near}");
            let near = (4.0 * curve(1e-2) - curve(2e-2)) / 3.0;
            assert!((second - near).abs() < 1e-5 * near.abs().max(1.0), "{response}: {second} and {near}");
        }
    }
}
