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
//! | `center(x)`, `scale(x)` | less the mean; and divided by the standard deviation (divisor n - 1) |
//! | `C(x)`, `C(x, ref='a')`, `C(x, sum)` | a category, also of numbers; another reference level; coded to sum zero |
//! | `log(y) ~ ...`, `I(y/100) ~ ...` | a transformed response, with its Jacobian |
//! | `` `my col` `` | a name with unusual characters |
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
//! let field = |name: &str, kind| Field { name: name.into(), kind };
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

mod coding;
mod compile;
mod design;
mod error;
mod evaluate;
mod expression;
mod function;
mod learned;
mod learner;
mod lexer;
mod parser;
mod scalar;
mod select;
mod syntax;
mod terms;
#[cfg(test)]
mod tests;

pub use design::{Design, Model};
pub use error::FormulaError;
pub use evaluate::{Bound, EvaluateOptions, EvaluatedRows, Unseen, Workspace};
pub use learner::Learner;
pub use select::EvaluateError;

use crate::frame::{Field, Frame};
use syntax::{Node, Syntax};

/// A formula whose grammar is right; whether its columns are there, [`Formula::resolve`] says.
#[derive(Debug, Clone)]
pub struct Formula {
    text: String,
    response: Option<Node>,
    terms: Node,
    scale: Option<ScaleFormula>,
    clusters: Vec<String>,
}

/// The terms of the noise scale's logarithm.
#[derive(Debug, Clone)]
pub struct ScaleFormula {
    text: String,
    terms: Node,
}

impl ScaleFormula {
    /// The formula as it was written.
    pub fn text(&self) -> &str {
        &self.text
    }
}

/// As it stands behind the `~`.
impl std::fmt::Display for ScaleFormula {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.terms)
    }
}

impl Formula {
    /// Parses `response ~ terms`, or `~ terms` without a response.
    ///
    /// # Errors
    /// [`FormulaError`] points at the place.
    ///
    /// ```
    /// use noisefit_data::formula::Formula;
    ///
    /// assert_eq!(Formula::parse("log( y+1 )~x1*x2 -1")?.to_string(), "log(y + 1) ~ x1 * x2 - 1");
    /// # Ok::<(), noisefit_data::formula::FormulaError>(())
    /// ```
    pub fn parse(text: &str) -> Result<Self, FormulaError> {
        let (response, terms) = parser::formula(text)?;
        Ok(Formula { text: text.to_owned(), response, terms, scale: None, clusters: Vec::new() })
    }

    /// Models the logarithm of the noise scale, too: `~ terms`, or the terms alone, in the same language.
    ///
    /// # Errors
    /// [`FormulaError`] points at the place; a response has none here.
    ///
    /// ```
    /// use noisefit_data::formula::Formula;
    ///
    /// let formula = Formula::parse("y ~ x")?.with_scale("~ log( x )")?;
    /// assert_eq!(formula.scale().map(|scale| scale.to_string()), Some("log(x)".to_owned()));
    /// let error = formula.with_scale("y ~ x").unwrap_err();
    /// assert_eq!(error.message(), "a formula of the scale has no response; write ~ x");
    /// # Ok::<(), noisefit_data::formula::FormulaError>(())
    /// ```
    pub fn with_scale(mut self, text: &str) -> Result<Self, FormulaError> {
        self.scale = Some(ScaleFormula { text: text.to_owned(), terms: parser::one_sided(text)? });
        Ok(self)
    }

    /// Models the logarithm of the noise scale by an intercept and the terms of the location.
    ///
    /// ```
    /// use noisefit_data::formula::Formula;
    ///
    /// let scale = |text| Formula::parse(text).map(|formula| formula.with_scale_of_location().scale().map(ToString::to_string));
    /// assert_eq!(scale("y ~ log(x) + z")?.as_deref(), Some("log(x) + z"));
    /// assert_eq!(scale("y ~ x - 1")?.as_deref(), Some("x - 1 + 1"));
    /// # Ok::<(), noisefit_data::formula::FormulaError>(())
    /// ```
    pub fn with_scale_of_location(self) -> Self {
        let intercept = terms::expand(&self.text, &self.terms, &[]).map_or(true, |terms| terms.intercept);
        let text = format!("~ {}{}", self.terms, if intercept { "" } else { " + 1" });
        self.clone().with_scale(&text).unwrap_or(self)
    }

    /// Reads columns, too, that say which rows belong together; rows where one is missing are left out. They belong to a fit
    /// and not to the model: what is stored of a design does not have them.
    pub fn with_clusters(mut self, columns: &[String]) -> Self {
        self.clusters = columns.to_vec();
        self
    }

    /// The formula of the noise scale's logarithm, where that is modelled.
    pub fn scale(&self) -> Option<&ScaleFormula> {
        self.scale.as_ref()
    }

    /// The formula as it was written.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Whether something stands before the `~`.
    pub fn has_response(&self) -> bool {
        self.response.is_some()
    }

    /// Finds the columns and expands the terms. `weights` are relative precisions and may be any arithmetic on columns;
    /// `frequencies` say how many identical rows a row stands for.
    ///
    /// # Errors
    /// [`FormulaError`]: a column that is not there, text where numbers are needed, arguments that a function does not
    /// take, a response of several columns.
    pub fn resolve(
        &self,
        fields: &[Field],
        weights: Option<&Expression>,
        frequencies: Option<&Expression>,
    ) -> Result<Model, FormulaError> {
        Model::new(self, fields, weights, frequencies)
    }

    /// Visits every part, in the order of the text.
    fn visit<'a>(&'a self, visitor: &mut impl FnMut(&'a Node)) {
        self.response.iter().for_each(|response| response.visit(visitor));
        self.terms.visit(visitor);
        self.scale.iter().for_each(|scale| scale.terms.visit(visitor));
    }
}

impl std::fmt::Display for Formula {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.response {
            Some(response) => write!(f, "{response} ~ {}", self.terms),
            None => write!(f, "~{}", self.terms),
        }
    }
}

/// Arithmetic on columns, such as weights: a column's name, or `1/(0.1 + 0.3 * x)^2`.
#[derive(Debug, Clone)]
pub struct Expression {
    text: String,
    node: Node,
}

impl Expression {
    /// Parses arithmetic in the language of [`Formula`].
    ///
    /// # Errors
    /// [`FormulaError`] points at the place.
    pub fn parse(text: &str) -> Result<Self, FormulaError> {
        Ok(Expression { text: text.to_owned(), node: parser::expression(text)? })
    }

    /// The single column called `name`, whatever characters it has.
    pub fn column(name: &str) -> Self {
        let span = error::Span { start: 0, end: name.len() };
        Expression { text: name.to_owned(), node: Node::new(span, Syntax::Name(name.to_owned())) }
    }

    /// The expression as it was written.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The columns it reads, each once.
    ///
    /// # Errors
    /// As [`Formula::resolve`].
    pub fn columns_needed(&self, fields: &[Field]) -> Result<Vec<Field>, FormulaError> {
        Ok(compile::compile_expression(self, fields)?.1)
    }

    /// Its value in every row of a frame that has the columns of [`Expression::columns_needed`] of `fields`, NaN where
    /// a column is missing.
    ///
    /// # Errors
    /// [`FormulaError`] as [`Formula::resolve`].
    ///
    /// ```
    /// use noisefit_data::formula::Expression;
    /// use noisefit_data::frame::{Column, Field, Frame, Kind};
    ///
    /// let weights = Expression::parse("1/(0.1 + 0.3*x)^2")?;
    /// let fields = [Field { name: "x".into(), kind: Kind::Number }];
    /// let x = Column::Number { high: vec![0.0, 3.0], low: None };
    /// let frame = Frame { file: 0, first_record: 0, rows: 2, columns: vec![x] };
    /// let values = weights.evaluate(&fields, &frame)?;
    /// assert!((values[0] - 100.0).abs() < 1e-12 && (values[1] - 1.0).abs() < 1e-15);
    /// # Ok::<(), noisefit_data::formula::FormulaError>(())
    /// ```
    pub fn evaluate(&self, fields: &[Field], frame: &Frame) -> Result<Vec<f64>, FormulaError> {
        let (expr, _) = compile::compile_expression(self, fields)?;
        let mut values = Vec::new();
        expression::evaluate(&expr, &select::whole_columns(frame), frame.rows, &mut values, None, &mut Vec::new());
        Ok(values)
    }
}

impl std::fmt::Display for Expression {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.node)
    }
}

/// How much of a model is read: each includes those before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Scope {
    /// The design's columns and the scale's: what a prediction needs.
    Design,
    /// The response, too.
    Response,
    /// The weights and frequencies, too: what a fit needs.
    #[default]
    All,
}
