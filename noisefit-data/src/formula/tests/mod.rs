//! Formulas end to end, on small tables.

mod coding;
mod grammar;
mod learning;
mod numbers;
mod scale;

use super::*;
use crate::frame::{Column, Field, Frame, Kind, MISSING};

/// A table in the making: fields and their columns.
#[derive(Clone, Default)]
struct Table {
    fields: Vec<Field>,
    columns: Vec<Column>,
}

impl Table {
    fn add(mut self, name: &str, kind: Kind, column: Column) -> Self {
        self.fields.push(Field::new(name, kind));
        self.columns.push(column);
        self
    }

    fn number(self, name: &str, values: &[f64]) -> Self {
        self.add(name, Kind::Number, Column::Number { high: values.to_vec(), low: None })
    }

    fn words(self, name: &str, high: &[f64], low: &[f64]) -> Self {
        self.add(name, Kind::Number, Column::Number { high: high.to_vec(), low: Some(low.to_vec()) })
    }

    /// Text; an empty one is missing.
    fn text(self, name: &str, values: &[&str]) -> Self {
        self.category(name, Kind::Text, values)
    }

    fn category(self, name: &str, kind: Kind, values: &[&str]) -> Self {
        let mut levels: Vec<String> = Vec::new();
        let mut codes = Vec::new();
        for &value in values {
            let known = levels.iter().position(|level| level == value);
            codes.push(match known {
                _ if value.is_empty() => MISSING,
                Some(code) => code as u32,
                None => {
                    levels.push(value.to_owned());
                    levels.len() as u32 - 1
                }
            });
        }
        self.add(name, kind, Column::Category { codes, levels: levels.into() })
    }

    fn frame(&self, needed: &[&str]) -> Frame {
        let column = |name: &&str| {
            let place = self.fields.iter().position(|field| field.name == *name).unwrap();
            self.columns[place].clone()
        };
        let columns: Vec<Column> = needed.iter().map(column).collect();
        Frame { file: 0, first_record: 0, rows: self.columns[0].len(), columns }
    }

    fn model(&self, formula: &str) -> Result<Model, FormulaError> {
        Formula::parse(formula)?.resolve(&self.fields, None, None)
    }

    fn design(&self, formula: &str) -> Result<Design, Box<dyn std::error::Error>> {
        learn(self.model(formula)?, std::slice::from_ref(self))
    }

    /// Names and values of all columns, and the response.
    fn evaluate(&self, design: &Design, options: EvaluateOptions) -> Result<Evaluated, EvaluateError> {
        let names: Vec<&str> = design.columns_needed(options.scope).iter().map(|field| field.name.as_str()).collect();
        let frame = self.frame(&names);
        let mut workspace = Workspace::default();
        let bound = design.bind(&frame, options)?;
        let rows = bound.evaluate(0..frame.rows, &mut workspace)?;
        let both = |values: &noisefit_core::rows::Values<'_>| {
            (values.high.to_vec(), (0..values.high.len()).map(|i| values.low(i)).collect::<Vec<f64>>())
        };
        let block = rows.block();
        let owned = |values: Option<&[f64]>| values.unwrap_or_default().to_vec();
        Ok(Evaluated {
            columns: rows.design().iter().map(both).collect(),
            scale_columns: rows.scale_design().iter().map(both).collect(),
            response: rows.response().as_ref().map(both).unwrap_or_default(),
            log_jacobian: owned(block.and_then(|block| block.log_jacobian)),
            weights: owned(block.and_then(|block| block.weights)),
            frequencies: owned(block.and_then(|block| block.frequencies)),
            kept: rows.kept().to_vec(),
            missing: rows.missing(),
            weightless: rows.weightless(),
        })
    }

    /// The design's columns by name.
    fn columns(&self, formula: &str) -> Vec<(String, Vec<f64>)> {
        let design = self.design(formula).unwrap_or_else(|error| panic!("{error}"));
        let evaluated = self.evaluate(&design, EvaluateOptions::default()).unwrap();
        let names = design.layout().terms.iter().cloned();
        names.zip(evaluated.columns.into_iter().map(|(high, _)| high)).collect()
    }

    /// The message of whatever goes wrong first.
    fn failure(&self, formula: &str) -> String {
        match self.design(formula) {
            Err(error) => error.to_string(),
            Ok(design) => self.evaluate(&design, EvaluateOptions::default()).unwrap_err().to_string(),
        }
    }
}

#[derive(Debug, Default, PartialEq)]
struct Evaluated {
    columns: Vec<(Vec<f64>, Vec<f64>)>,
    scale_columns: Vec<(Vec<f64>, Vec<f64>)>,
    response: (Vec<f64>, Vec<f64>),
    log_jacobian: Vec<f64>,
    weights: Vec<f64>,
    frequencies: Vec<f64>,
    kept: Vec<usize>,
    missing: usize,
    weightless: usize,
}

/// Learns from tables whose rows follow each other, a learner for each, merged.
fn learn(mut model: Model, parts: &[Table]) -> Result<Design, Box<dyn std::error::Error>> {
    while let Some(empty) = model.learner() {
        let needed = model.columns_needed();
        let mut whole = empty.clone();
        for part in parts {
            let mut pass = empty.clone();
            pass.fold(&part.frame(&needed))?;
            whole.merge(pass);
        }
        model.learn(whole)?;
    }
    Ok(model.into_design()?)
}
