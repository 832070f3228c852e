//! How the columns of a design change with a column of numbers of the data: exact derivatives, by walking the formula's expressions
//! and steps (forward-mode differentiation, Wengert 1964). What does not depend on the column has none, and costs nothing.

use super::expression::{Expr, evaluate};
use super::plan::{Plan, Step};
use super::scalar::Dual;
use noisefit_core::numeric::double_double::DoubleDouble;
use noisefit_core::rows::Values;

/// A derivative in every row; none where it is zero in all of them.
type Tangent = Option<Vec<f64>>;

/// The derivatives of what a design makes of some rows, by one column of the data; a column that does not depend on it has none.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Tangents {
    /// Of the design's columns, in the order of the layout's terms.
    pub design: Vec<Option<Vec<f64>>>,
    /// Of the columns of the scale.
    pub scale_design: Vec<Option<Vec<f64>>>,
    /// Of what is added to the location.
    pub offset: Option<Vec<f64>>,
    /// Of what is added to the logarithm of the scale.
    pub scale_offset: Option<Vec<f64>>,
}

/// The derivatives of a plan's columns by the one of the data at `column`, given the values of its columns and of its steps.
pub(super) fn tangents<'a>(
    plan: &Plan,
    columns: &[Values<'a>],
    step_values: impl Fn(usize) -> Values<'a>,
    column: usize,
    rows: usize,
) -> Tangents {
    let mut found: Vec<Tangent> = Vec::with_capacity(plan.steps.len());
    for (_, step) in &plan.steps {
        let tangent = match step {
            Step::Number(expr) => of_expr(expr, columns, column, rows),
            Step::Product(a, b) => {
                let left = times(found[*a].clone(), step_values(*b).high);
                let right = times(found[*b].clone(), step_values(*a).high);
                plus(left, right, false)
            }
            // A category does not change with a number.
            Step::Indicator { .. } | Step::Contrast { .. } | Step::Matches { .. } => None,
            Step::Spline { x, pieces, column } => {
                let values = step_values(*x).high;
                let slope = |&x: &f64| pieces.value(*column, Dual { value: x, derivative: 1.0 }).derivative;
                found[*x].as_ref().map(|dx| values.iter().zip(dx).map(|(x, dx)| slope(x) * dx).collect())
            }
            Step::Orthogonal { x, last, before, recurrence } => {
                // The derivative of ((x - centre) last - spread_before before) per_spread.
                let centre = recurrence.centre;
                let distance: Vec<f64> = step_values(*x).high.iter().map(|x| (x - centre.high) - centre.low).collect();
                let by_x = times(found[*x].clone(), step_values(*last).high);
                let by_last = times(found[*last].clone(), &distance);
                let by_before = scaled(found[*before].clone(), -recurrence.spread_before.to_f64());
                // The first polynomial has nothing before it, though its place is that of x.
                let by_before = by_before.filter(|_| recurrence.spread_before != DoubleDouble::ZERO);
                scaled(plus(plus(by_x, by_last, false), by_before, false), recurrence.per_spread.to_f64())
            }
        };
        found.push(tangent);
    }
    let of = |steps: &[usize]| steps.iter().map(|&step| found[step].clone()).collect();
    let offset = |step: Option<usize>| step.and_then(|step| found[step].clone());
    Tangents {
        design: of(&plan.outputs),
        scale_design: of(&plan.scale_outputs),
        offset: offset(plan.offsets[0]),
        scale_offset: offset(plan.offsets[1]),
    }
}

/// The derivative of an expression.
fn of_expr(expr: &Expr, columns: &[Values<'_>], column: usize, rows: usize) -> Tangent {
    let value = |expr: &Expr| {
        let mut out: Vec<f64> = Vec::new();
        evaluate(expr, columns, rows, &mut out, None, &mut Vec::new());
        out
    };
    let of = |expr: &Expr| of_expr(expr, columns, column, rows);
    match expr {
        Expr::Column(place) => (*place == column).then(|| vec![1.0; rows]),
        // A comparison changes nowhere but where it jumps.
        Expr::Constant(_) | Expr::Unlearned | Expr::Compare(..) => None,
        Expr::Negate(x) => scaled(of(x), -1.0),
        Expr::Apply(function, x) => {
            let dx = of(x)?;
            let slopes: Vec<f64> = value(x).into_iter().map(|x| function.derivative(x)).collect();
            times(Some(dx), &slopes)
        }
        Expr::IntegerPower(x, exponent) => {
            let (dx, n) = (of(x)?, f64::from(*exponent));
            let slopes: Vec<f64> = value(x).into_iter().map(|x| n * x.powi(exponent - 1)).collect();
            times(Some(dx), &slopes)
        }
        Expr::Sum(terms) => terms.iter().fold(None, |sum, (minus, term)| plus(sum, of(term), *minus)),
        Expr::Product(a, b) => {
            let left = of(a).map(|da| zipped(da, &value(b), |da, b| da * b));
            let right = of(b).map(|db| zipped(db, &value(a), |db, a| db * a));
            plus(left, right, false)
        }
        Expr::Quotient(a, b) => {
            let (da, db) = (of(a), of(b));
            if da.is_none() && db.is_none() {
                return None;
            }
            let (a, b) = (value(a), value(b));
            let right = db.map(|db| (0..rows).map(|i| db[i] * a[i] / b[i]).collect());
            Some(zipped(plus(da, right, true)?, &b, |top, b| top / b))
        }
        Expr::Power(a, b) => {
            let (da, db) = (of(a), of(b));
            if da.is_none() && db.is_none() {
                return None;
            }
            let (a, b) = (value(a), value(b));
            let left = da.map(|da| (0..rows).map(|i| da[i] * b[i] * a[i].powf(b[i] - 1.0)).collect());
            let right = db.map(|db| (0..rows).map(|i| db[i] * a[i].ln() * a[i].powf(b[i])).collect());
            plus(left, right, false)
        }
        Expr::Standardise { x, deviation, .. } => {
            scaled(of(x), deviation.map_or(1.0, |deviation| 1.0 / deviation.to_f64()))
        }
    }
}

fn zipped(mut values: Vec<f64>, others: &[f64], operation: impl Fn(f64, f64) -> f64) -> Vec<f64> {
    values.iter_mut().zip(others).for_each(|(value, &other)| *value = operation(*value, other));
    values
}

fn times(tangent: Tangent, factors: &[f64]) -> Tangent {
    tangent.map(|tangent| zipped(tangent, factors, |value, factor| value * factor))
}

fn scaled(tangent: Tangent, factor: f64) -> Tangent {
    tangent.map(|tangent| tangent.into_iter().map(|value| value * factor).collect())
}

/// The sum of two, or their difference.
fn plus(left: Tangent, right: Tangent, minus: bool) -> Tangent {
    match (left, right) {
        (left, None) => left,
        (None, right) => scaled(right, if minus { -1.0 } else { 1.0 }),
        (Some(left), Some(right)) => Some(zipped(left, &right, |a, b| if minus { a - b } else { a + b })),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use crate::formula::{EvaluateOptions, Formula, Workspace};
    use crate::frame::{Column, Field, Frame, Kind};

    /// The design columns of rows with these values, and their derivatives by x.
    fn of(formula: &str, x: &[f64]) -> (Vec<Vec<f64>>, Vec<Vec<f64>>) {
        let field = |name: &str, kind| Field::new(name, kind);
        let fields =
            [field("y", Kind::Number), field("x", Kind::Number), field("z", Kind::Number), field("g", Kind::Text)];
        let frame = |x: &[f64]| Frame {
            file: 0,
            first_record: 0,
            rows: x.len(),
            columns: vec![
                Column::Number { high: x.to_vec(), low: None },
                Column::Number { high: (0..x.len()).map(|i| 0.5 + i as f64).collect(), low: None },
                Column::Category {
                    codes: (0..x.len()).map(|i| (i % 2) as u32).collect(),
                    levels: ["a".to_owned(), "b".to_owned()].into(),
                },
                Column::Number { high: vec![1.0; x.len()], low: None },
            ],
        };
        let formula = Formula::parse(&format!("{formula} + z + g")).unwrap();
        let mut model = formula.resolve(&fields, None, None).unwrap();
        // The order in which columns are read is that of the formula.
        let order: Vec<String> = model.columns_needed().iter().map(ToString::to_string).collect();
        let arranged = |frame: Frame| {
            let place = |name: &String| ["x", "z", "g", "y"].iter().position(|known| known == name).unwrap();
            Frame { columns: order.iter().map(|name| frame.columns[place(name)].clone()).collect(), ..frame }
        };
        let data = arranged(frame(&(0..40).map(|i| 0.3 + 0.11 * f64::from(i)).collect::<Vec<_>>()));
        while let Some(mut pass) = model.learner() {
            pass.fold(&data).unwrap();
            model.learn(pass).unwrap();
        }
        let (design, frame) = (model.into_design().unwrap(), arranged(frame(x)));
        let bound = design.bind(&frame, EvaluateOptions::default()).unwrap();
        let mut workspace = Workspace::default();
        let rows = bound.evaluate(0..frame.rows, &mut workspace).unwrap();
        let tangents = rows.tangents("x").unwrap();
        let values = rows.design().iter().map(|column| column.high.to_vec()).collect();
        let zero = vec![0.0; x.len()];
        (values, tangents.design.into_iter().map(|tangent| tangent.unwrap_or_else(|| zero.clone())).collect())
    }

    /// Every term against a central difference with Richardson's extrapolation, whose error is far below the tolerance.
    #[test]
    fn derivatives_are_what_differences_tend_to() {
        let x = [0.9, 1.7, 2.35, 3.3];
        for formula in [
            "y ~ x",
            "y ~ I(x^2)",
            "y ~ I(3*x^3 - x/z + 2)",
            "y ~ I(z/x)",
            "y ~ I(x^0.5)",
            "y ~ I(2^x)",
            "y ~ log(x)",
            "y ~ exp(-x)",
            "y ~ log1p(x) + log2(x) + log10(x) + expm1(x) + sqrt(x)",
            "y ~ sin(x) + cos(x) + tanh(x)",
            "y ~ abs(x - 2)",
            "y ~ scale(x) + center(x)",
            "y ~ poly(x, 4)",
            "y ~ poly(x, 3, raw)",
            "y ~ bs(x, df=6)",
            "y ~ ns(x, df=4)",
            "y ~ cc(x, df=5)",
            "y ~ poly(log(x), 2)",
            "y ~ x*z*g",
            "y ~ bs(x, df=5):g",
            "y ~ I(x > 2)",
            "y ~ I(-x*(x + z))",
        ] {
            let (_, exact) = of(formula, &x);
            let at = |step: f64| of(formula, &x.map(|x| x + step)).0;
            let central = |h: f64| -> Vec<Vec<f64>> {
                let (up, down) = (at(h), at(-h));
                let column = |(up, down): (&Vec<f64>, &Vec<f64>)| {
                    up.iter().zip(down).map(|(u, d)| (u - d) / (2.0 * h)).collect()
                };
                up.iter().zip(&down).map(column).collect()
            };
            let (wide, narrow) = (central(2e-3), central(1e-3));
            for (j, exact) in exact.iter().enumerate() {
                for i in 0..x.len() {
                    let difference = (4.0 * narrow[j][i] - wide[j][i]) / 3.0;
                    let error = (exact[i] - difference).abs() / difference.abs().max(1.0);
                    assert!(error < 1e-8, "{formula}, column {j}, row {i}: {} and {difference}", exact[i]);
                }
            }
        }
    }
}
