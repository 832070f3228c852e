//! Formulas: from `y ~ log(x) + city` and a table's fields to the columns of a design.
//!
//! The language, the names of the terms and the coding of categories are R's (Chambers and Hastie 1992, *Statistical
//! Models in S*, chapter 2):
//!
//! | written | means |
//! |---|---|
//! | `y ~ x1 + x2`, `.` | terms; all columns but the response (and a bare column of weights or frequencies) |
//! | `-1`, `+ 0`, `- term` | without the intercept, without a term |
//! | `a:b`, `a*b`, `(a + b)^2`, `a/b` | interaction; `a + b + a:b`; all interactions of up to two; `a + a:b` |
//! | `I(x^2 + 1)`, `log(x)` | arithmetic `+ - * / ^`; log, log1p, log2, log10, exp, expm1, sqrt, abs, sin, cos, tanh |
//! | `poly(x, 3)`, `poly(x, 3, raw)` | polynomials, orthonormal over the rows or as powers |
//! | `bs(x, df=5)`, `ns(x, df=4)`, `cc(x, df=6)` | splines: B-splines, natural ones, cyclic ones |
//! | `I(age > 40)`, `I(city == 'Paris')` | one where it is so, else zero |
//! | `offset(log(n))` | a part of the location, or of the logarithm of the scale, whose coefficient is one |
//! | `center(x)`, `scale(x)` | less the mean; and divided by the standard deviation (divisor n - 1) |
//! | `C(x)`, `C(x, ref='a')`, `C(x, sum)` | a category, also of numbers; another reference level; coded to sum zero |
//! | `log(y) ~ ...`, `I(y/100) ~ ...` | a transformed response, with its Jacobian |
//! | `` `my col` `` | a name with unusual characters |
//! | `y ~ x | firm + year` | absorbed effects: a constant for each level of these columns, which is never shown |
//! | `~ x + city` | beside the formula: what the logarithm of the noise scale depends on ([`Formula::with_scale`]) |
//!
//! Text and booleans are categories, treatment coded; levels are in the order of their bytes (numbers by size) and the
//! first one is the reference. Where a category's margin is not in the model, every level has a column. Names:
//! `(Intercept)`, `log(x2)`, `city[Paris]`, `city[Paris]:x1`, `poly(x, 3, raw)[2]`, `C(city, sum)[London]`.
//!
//! A [`Formula`] resolved against a table's fields is a [`Model`]; what it must learn from the rows first (levels,
//! means, polynomials) takes a [`Learner`] or a few; then it is a [`Design`], which evaluates frames and is stored with
//! the fit.
//!
//! ```
//! use noisefit_data::formula::{EvaluateOptions, Formula, Workspace};
//! use noisefit_data::frame::{Column, Field, Frame, Kind};
//!
//! let field = |name: &str, kind| Field::new(name, kind);
//! let fields = [field("y", Kind::Number), field("x", Kind::Number), field("city", Kind::Text)];
//! let formula = Formula::parse("log(y) ~ x + city")?;
//! let mut model = formula.resolve(&fields, None, None)?;
//! assert_eq!(model.columns_needed(), ["x", "city", "y"]);
//!
//! let frame = Frame {
//!     file: 0,
//!     first_record: 0,
//!     rows: 3,
//!     columns: vec![
//!         Column::Number { high: vec![1.0, 2.0, f64::NAN], low: None },
//!         Column::Category { codes: vec![1, 0, 0], levels: ["Rome".into(), "Paris".into()].into() },
//!         Column::Number { high: vec![1.0, 10.0, 5.0], low: None },
//!     ],
//! };
//! while let Some(mut pass) = model.learner() {
//!     pass.fold(&frame)?;
//!     model.learn(pass)?;
//! }
//! let design = model.into_design()?;
//! assert_eq!(design.layout().terms, ["x", "city[Rome]"]);
//!
//! let mut workspace = Workspace::default();
//! let bound = design.bind(&frame, EvaluateOptions::default())?;
//! let rows = bound.evaluate(0..frame.rows, &mut workspace)?;
//! assert_eq!((rows.rows(), rows.missing()), (2, 1));
//! assert_eq!(rows.design()[1].high, [0.0, 1.0]);
//! let log_jacobian = rows.block().and_then(|block| block.log_jacobian).unwrap();
//! assert!((log_jacobian[1] + 10f64.ln()).abs() < 1e-15); // log |d log(y)/dy| = -log(y)
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod arithmetic;
mod codes;
mod coding;
mod compile;
mod design;
mod error;
mod evaluate;
mod expression;
mod function;
mod inverse;
mod learned;
mod learner;
mod lexer;
mod lookup;
mod parser;
mod plan;
mod reference;
mod response;
mod scalar;
mod scope;
mod select;
mod spline;
mod syntax;
mod tangent;
mod terms;
#[cfg(test)]
mod tests;
mod travelling;
mod variables;
mod written;

pub use design::{Design, Model};
pub use error::FormulaError;
pub use evaluate::{Bound, EvaluateOptions, EvaluatedRows, Undefined, Unseen, Workspace};
pub use learner::Learner;
pub use response::Slopes;
pub use scope::Scope;
pub use select::EvaluateError;
pub use tangent::Tangents;
pub(crate) use travelling::{Travelling, TravellingModel};
pub use variables::{Level, Variable, Variation};
pub use written::{Expression, Formula, ScaleFormula};
