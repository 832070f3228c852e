//! Average predictions, slopes and comparisons as people read them.

use std::borrow::Cow;

use noisefit_core::inference::effects::Effect;
use noisefit_core::record::Fit;

use crate::fit::standard_errors;
use crate::text::{clean, count_of, optional, p_value, percent, table};
use crate::tidy::{Cell, Tidy};

/// Characters of a level, at most.
const CELL: usize = 60;

/// An average, and of what it is.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// Which of several quantiles it is of.
    pub curve: Option<String>,
    /// The group of rows, by the columns that make groups.
    pub group: Vec<String>,
    /// What columns are set to, by the columns that are.
    pub at: Vec<String>,
    /// The variable; empty for predictions.
    pub term: String,
    /// The comparison, or the kind of slope; empty for predictions.
    pub contrast: String,
    /// How many observations it is an average over.
    pub nobs: f64,
    /// The average.
    pub effect: Effect,
}

/// Averages over the rows of a table.
#[derive(Debug, Clone, PartialEq)]
pub struct Effects {
    /// The formula.
    pub formula: String,
    /// The noise.
    pub noise: String,
    /// The noise as a heading has it: `gaussian noise`, `quantiles 0.1, 0.9`.
    pub heading: String,
    /// Which: `slopes`.
    pub quantity: String,
    /// Of what: `mpg`, `means of y`.
    pub of: String,
    /// The columns that make groups.
    pub by: Vec<String>,
    /// The columns that are set.
    pub at: Vec<String>,
    /// The level of the intervals.
    pub level: f64,
    /// How many rows were used.
    pub rows: u64,
    /// The averages.
    pub found: Vec<Row>,
}

impl Effects {
    fn has_terms(&self) -> bool {
        self.found.iter().any(|row| !row.term.is_empty())
    }

    fn has_errors(&self) -> bool {
        self.found.iter().any(|row| row.effect.std_error.is_some())
    }

    /// The names of what tells a row from others, and these of a row.
    fn names(&self) -> Vec<String> {
        let curve = self.found.iter().any(|row| row.curve.is_some()).then(|| "quantile".to_owned());
        let terms = self.has_terms().then(|| ["term".to_owned(), "contrast".to_owned()]);
        curve.into_iter().chain(self.by.clone()).chain(self.at.clone()).chain(terms.into_iter().flatten()).collect()
    }

    fn keys(&self, row: &Row) -> Vec<String> {
        let terms = self.has_terms().then(|| [row.term.clone(), row.contrast.clone()]);
        let own = row.curve.iter().chain(&row.group).chain(&row.at).cloned();
        own.chain(terms.into_iter().flatten()).collect()
    }

    /// The table for people; `fit` is the one, or the first, that it is of.
    pub fn summary(&self, fit: Option<&Fit>) -> String {
        let errors = match fit.filter(|_| self.has_errors()) {
            Some(fit) => format!("; standard errors {} (delta method)", standard_errors(fit)),
            None => String::new(),
        };
        let rows = count_of(self.rows, "row");
        let Effects { formula, heading, quantity, of, .. } = self;
        let mut text = format!("{formula}\n{heading}, average {quantity} of {of} over {rows}{errors}\n\n");
        let low = format!("{} low", percent(self.level));
        let spread = self.found.iter().any(|row| row.effect.spread.is_some());
        let statistic = self.found.first().map_or("z", |row| row.effect.test.name());
        let names = self.names();
        let mut heading: Vec<&str> = names.iter().map(String::as_str).collect();
        heading.push("estimate");
        if self.has_errors() {
            heading.extend(["std_error", statistic, "p_value", &low, "high"]);
        }
        heading.extend(spread.then_some("spread"));
        let row = |row: &Row| {
            let effect = &row.effect;
            let number = |x: Option<f64>, digits| optional(x, digits);
            let mut cells: Vec<String> = self.keys(row).iter().map(|key| clean(key, CELL)).collect();
            cells.push(number(Some(effect.estimate), 7));
            if self.has_errors() {
                cells.extend([number(effect.std_error, 5), number(effect.statistic, 4), p_value(effect.p_value)]);
                cells.extend([number(effect.conf_low, 5), number(effect.conf_high, 5)]);
            }
            cells.extend(spread.then(|| number(effect.spread, 5)));
            cells
        };
        text += &table(&heading, &self.found.iter().map(row).collect::<Vec<_>>());
        text
    }

    /// The same as one table, a row for each average.
    pub fn tidy(&self) -> Tidy {
        let numbers =
            ["estimate", "std_error", "statistic", "p_value", "conf_low", "conf_high", "df", "spread", "nobs"];
        let columns = self.names().into_iter().map(Cow::Owned).chain(numbers.into_iter().map(Cow::Borrowed)).collect();
        let row = |row: &Row| {
            let effect = &row.effect;
            let mut cells: Vec<Cell> = self.keys(row).into_iter().map(Cell::Text).collect();
            cells.extend([
                effect.estimate.into(),
                effect.std_error.into(),
                effect.statistic.into(),
                Cell::p(effect.p_value),
            ]);
            cells.extend([effect.conf_low.into(), effect.conf_high.into(), effect.df.into(), effect.spread.into()]);
            cells.push(row.nobs.into());
            cells
        };
        Tidy { columns, rows: self.found.iter().map(row).collect() }
    }
}
