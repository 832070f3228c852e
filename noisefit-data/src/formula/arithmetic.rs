//! Arithmetic on the columns of a frame, apart from any design.

use super::compile::compile_expression;
use super::error::FormulaError;
use super::expression;
use super::select::truths;
use super::written::Expression;
use crate::frame::{Column, Field, Frame};
use noisefit_core::rows::Values;

/// A category as ones and zeros; nothing of numbers.
fn as_truths(column: &Column, rows: usize) -> Vec<f64> {
    match column {
        Column::Category { .. } => truths(column, 0..rows).collect(),
        Column::Number { .. } => Vec::new(),
    }
}

impl Expression {
    /// The columns it reads, each once.
    ///
    /// # Errors
    /// As [`Formula::resolve`].
    pub fn columns_needed(&self, fields: &[Field]) -> Result<Vec<Field>, FormulaError> {
        Ok(compile_expression(self, fields)?.1)
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
    /// let fields = [Field::new("x", Kind::Number)];
    /// let x = Column::Number { high: vec![0.0, 3.0], low: None };
    /// let frame = Frame { file: 0, first_record: 0, rows: 2, columns: vec![x] };
    /// let values = weights.evaluate(&fields, &frame)?;
    /// assert!((values[0] - 100.0).abs() < 1e-12 && (values[1] - 1.0).abs() < 1e-15);
    /// # Ok::<(), noisefit_data::formula::FormulaError>(())
    /// ```
    pub fn evaluate(&self, fields: &[Field], frame: &Frame) -> Result<Vec<f64>, FormulaError> {
        let (expr, _) = compile_expression(self, fields)?;
        let truths: Vec<Vec<f64>> = frame.columns.iter().map(|column| as_truths(column, frame.rows)).collect();
        let columns = frame.columns.iter().zip(&truths).map(|(column, truths)| match column {
            Column::Category { .. } => Values { high: truths, low: None },
            Column::Number { high, low } => Values { high, low: low.as_deref() },
        });
        let (columns, mut values) = (columns.collect::<Vec<_>>(), Vec::new());
        expression::evaluate(&expr, &columns, frame.rows, &mut values, None, &mut Vec::new());
        Ok(values)
    }
}
