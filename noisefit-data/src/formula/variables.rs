//! The columns of the data that a design's terms are made of, and how each can vary.

use std::collections::BTreeSet;

use noisefit_core::numeric::double_double::DoubleDouble;

use super::design::Design;
use super::expression::Expr;
use super::learned::{Integer, Levels};
use super::plan::{Plan, Step};
use super::scope::Scope;
use crate::frame::{Column, Kind};
use crate::read::number::shown;
use crate::read::shown_value;
use crate::read::time::{days, timestamp};

/// A column of the data that terms are made of.
#[derive(Debug, Clone, PartialEq)]
pub struct Variable {
    /// Its name.
    pub name: String,
    /// What the column holds.
    pub kind: Kind,
    /// How it varies.
    pub variation: Variation,
    /// Whether the location depends on it.
    pub in_location: bool,
    /// Whether a modelled scale does.
    pub in_scale: bool,
    /// Whether it stands in a comparison such as `I(age > 40)`, whose derivative is zero wherever it has one.
    pub is_compared: bool,
}

/// How a column varies.
#[derive(Debug, Clone, PartialEq)]
pub enum Variation {
    /// It is calculated with.
    Number,
    /// It has levels.
    Levels {
        /// Those that the model was fitted to, in their order.
        levels: Vec<Level>,
        /// The place of the one that others are compared with.
        reference: usize,
    },
}

/// A level of a category.
#[derive(Debug, Clone, PartialEq)]
pub enum Level {
    /// A number.
    Number(DoubleDouble),
    /// A text.
    Text(String),
    /// Any other than those that a formula asks for, as `I(city == 'Paris')` does.
    Other,
}

impl std::fmt::Display for Level {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Level::Number(number) => f.write_str(&shown(number.high, number.low)),
            Level::Text(text) => f.write_str(text),
            Level::Other => f.write_str("(other)"),
        }
    }
}

impl Level {
    /// The level as a column of so many rows.
    pub fn column(&self, rows: usize) -> Column {
        let text = |text: &str| Column::Category { codes: vec![0; rows], levels: [text.to_owned()].into() };
        match self {
            Level::Number(number) => {
                let low = (number.low != 0.0).then(|| vec![number.low; rows]);
                Column::Number { high: vec![number.high; rows], low }
            }
            Level::Text(level) => text(level),
            // No text of a file has a control character alone.
            Level::Other => text("\u{0}"),
        }
    }
}

impl Variable {
    /// The number that a text is of a column that is calculated with: of dates and times as ISO 8601 writes them, too.
    ///
    /// # Errors
    /// What such a column takes.
    pub fn number(&self, text: &str) -> Result<DoubleDouble, &'static str> {
        let dated = match self.kind {
            Kind::Date => days(text.as_bytes()),
            Kind::Timestamp => timestamp(text.as_bytes()),
            _ => None,
        };
        match (dated, text.parse::<f64>()) {
            (Some((high, low)), _) => Ok(DoubleDouble { high, low }),
            (None, Ok(number)) if number.is_finite() => Ok(number.into()),
            _ => Err(match self.kind {
                Kind::Date => "a date such as 2024-03-01, or a count of days since 1970",
                Kind::Timestamp => "a time such as 2024-03-01T12:00:00Z, or a count of seconds since 1970",
                _ => "a number",
            }),
        }
    }

    /// A value of the column as tables show it.
    pub fn shown(&self, level: &Level) -> String {
        match level {
            Level::Number(number) => shown_value(self.kind, number.high, number.low),
            level => level.to_string(),
        }
    }

    /// The level of that name.
    pub fn level(&self, text: &str) -> Option<&Level> {
        let Variation::Levels { levels, .. } = &self.variation else { return None };
        let number = text.parse::<f64>().ok();
        let is = |level: &&Level| match level {
            Level::Number(known) => level.to_string() == text || (known.low == 0.0 && number == Some(known.high)),
            _ => level.to_string() == text,
        };
        levels.iter().find(is)
    }
}

impl Design {
    /// The columns that the terms of the location and of a modelled scale are made of, in the order in which they are read. Those whose
    /// levels are absorbed are not among them, unless they stand among the terms, too.
    pub fn variables(&self) -> Vec<Variable> {
        let plan = &*self.plan;
        let reached = |outputs: &[usize], offset: Option<usize>| {
            let mut steps = BTreeSet::new();
            outputs.iter().copied().chain(offset).for_each(|step| reach(plan, step, &mut steps));
            steps
        };
        let sides = [reached(&plan.outputs, plan.offsets[0]), reached(&plan.scale_outputs, plan.offsets[1])];
        let fields = self.columns_needed(Scope::Design).iter().enumerate();
        fields.filter_map(|(column, _)| variable(plan, column, &sides)).collect()
    }
}

/// The steps that one is made of, itself among them.
fn reach(plan: &Plan, step: usize, steps: &mut BTreeSet<usize>) {
    if !steps.insert(step) {
        return;
    }
    match &plan.steps[step].1 {
        Step::Product(a, b) => [a, b].into_iter().for_each(|part| reach(plan, *part, steps)),
        Step::Spline { x, .. } => reach(plan, *x, steps),
        Step::Orthogonal { x, last, before, .. } => {
            [x, last, before].into_iter().for_each(|part| reach(plan, *part, steps))
        }
        Step::Number(_) | Step::Indicator { .. } | Step::Contrast { .. } | Step::Matches { .. } => {}
    }
}

fn variable(plan: &Plan, column: usize, sides: &[BTreeSet<usize>; 2]) -> Option<Variable> {
    let category_of = |step: &Step| match step {
        Step::Indicator { category, .. } | Step::Contrast { category, .. } | Step::Matches { category, .. } => {
            Some(*category)
        }
        _ => None,
    };
    let reads = |step: &Step| match step {
        Step::Number(expr) => expr.columns().contains(&column),
        step => category_of(step).is_some_and(|category| plan.categories[category].column == column),
    };
    let on = |side: &BTreeSet<usize>| side.iter().any(|&step| reads(&plan.steps[step].1));
    let [in_location, in_scale] = [on(&sides[0]), on(&sides[1])];
    if !in_location && !in_scale {
        return None;
    }
    let used = || sides.iter().flatten().map(|&step| &plan.steps[step].1);
    let categories: BTreeSet<usize> =
        used().filter_map(category_of).filter(|category| plan.categories[*category].column == column).collect();
    let field = &plan.columns[column];
    let variation = match categories.iter().find(|category| !plan.categories[**category].open) {
        Some(&category) => Variation::Levels {
            levels: levels(&plan.categories[category].levels),
            reference: reference(category, plan.categories[category].levels.len(), used()),
        },
        None if !categories.is_empty() => {
            let asked = categories.iter().flat_map(|&category| levels(&plan.categories[category].levels));
            Variation::Levels { levels: std::iter::once(Level::Other).chain(asked).collect(), reference: 0 }
        }
        None if field.kind == Kind::Boolean => {
            let levels = ["false", "true"].map(|text| Level::Text(text.to_owned())).to_vec();
            Variation::Levels { levels, reference: 0 }
        }
        None => Variation::Number,
    };
    let compares = |expr: &Expr| {
        let mut found = false;
        expr.visit(&mut |part| {
            found |=
                matches!(part, Expr::Compare(_, a, b) if [a, b].iter().any(|side| side.columns().contains(&column)));
        });
        found
    };
    let is_compared = used().any(|step| matches!(step, Step::Number(expr) if compares(expr)));
    Some(Variable { name: field.name.clone(), kind: field.kind, variation, in_location, in_scale, is_compared })
}

fn levels(levels: &Levels) -> Vec<Level> {
    match levels {
        Levels::Numbers(numbers) => numbers.iter().map(|&number| Level::Number(number.into())).collect(),
        Levels::Integers(integers) => {
            integers.iter().map(|&Integer(high, low)| Level::Number(DoubleDouble { high, low })).collect()
        }
        Levels::Texts(texts) => texts.iter().cloned().map(Level::Text).collect(),
    }
}

/// The level without an indicator, where it is the only one; else the first.
fn reference<'a>(category: usize, levels: usize, steps: impl Iterator<Item = &'a Step>) -> usize {
    let mut has = vec![false; levels];
    for step in steps {
        match step {
            Step::Indicator { category: of, level } if *of == category => has[*level as usize] = true,
            _ => {}
        }
    }
    let without: Vec<usize> = (0..levels).filter(|&level| !has[level]).collect();
    match without[..] {
        [only] => only,
        _ => 0,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::formula::Formula;
    use crate::frame::{Field, Frame};

    fn of(formula: &str, scale: Option<&str>) -> Vec<Variable> {
        let field = |name: &str, kind| Field::new(name, kind);
        let fields = [
            field("y", Kind::Number),
            field("x", Kind::Number),
            field("k", Kind::Number),
            field("t", Kind::Boolean),
            field("g", Kind::Text),
        ];
        let mut parsed = Formula::parse(formula).unwrap();
        if let Some(scale) = scale {
            parsed = parsed.with_scale(scale).unwrap();
        }
        let mut model = parsed.resolve(&fields, None, None).unwrap();
        let names: Vec<String> = model.columns_needed().iter().map(ToString::to_string).collect();
        let column = |name: &String| match name.as_str() {
            "t" => Column::Category { codes: vec![0, 1, 1, 0], levels: ["true".to_owned(), "false".to_owned()].into() },
            "g" => Column::Category { codes: vec![0, 1, 0, 2], levels: ["c", "a", "b"].map(str::to_owned).into() },
            "k" => Column::Number { high: vec![4.0, 8.0, 6.0, 4.0], low: None },
            _ => Column::Number { high: vec![1.0, 2.0, 4.0, 7.0], low: None },
        };
        let frame = Frame { file: 0, first_record: 0, rows: 4, columns: names.iter().map(column).collect() };
        while let Some(mut pass) = model.learner() {
            pass.fold(&frame).unwrap();
            model.learn(pass).unwrap();
        }
        model.into_design().unwrap().variables()
    }

    fn level_names(variable: &Variable) -> (Vec<String>, usize) {
        match &variable.variation {
            Variation::Number => (Vec::new(), 0),
            Variation::Levels { levels, reference } => (levels.iter().map(ToString::to_string).collect(), *reference),
        }
    }

    #[test]
    fn variables_are_numbers_or_have_levels_and_a_reference() {
        let found = of("y ~ log(x)*g + C(k, ref=6) + t", None);
        let names: Vec<&str> = found.iter().map(|variable| variable.name.as_str()).collect();
        assert_eq!(names, ["x", "g", "k", "t"]);
        assert_eq!(found[0].variation, Variation::Number);
        let texts = |names: &[&str]| names.iter().map(ToString::to_string).collect::<Vec<_>>();
        assert_eq!(level_names(&found[1]), (texts(&["a", "b", "c"]), 0));
        assert_eq!(level_names(&found[2]), (texts(&["4", "6", "8"]), 1));
        assert_eq!(level_names(&found[3]), (texts(&["false", "true"]), 0));
        assert_eq!(found[2].level("8"), Some(&Level::Number(8.0.into())));
        assert_eq!(found[2].level("5"), None);
    }

    #[test]
    fn what_a_formula_asks_for_is_told_from_what_it_calculates() {
        let found = of("y ~ I(x > 2) + I(g == 'a')", Some("~ k"));
        assert!(found[0].is_compared && found[0].in_location && !found[0].in_scale);
        assert_eq!(level_names(&found[1]), (vec!["(other)".to_owned(), "a".to_owned()], 0));
        assert!(found[2].in_scale && !found[2].in_location && !found[2].is_compared);
    }
}
