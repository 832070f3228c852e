//! Tidy tables, one row for each thing and one column for each number of it: as CSV for programs, and as Markdown.

use std::borrow::Cow;

use crate::tabulate::in_markdown;
use crate::text::{clean, p_value, significant, table};

/// Characters of a cell of Markdown, at most.
const CELL: usize = 80;

/// A cell.
#[derive(Debug, Clone, PartialEq)]
pub enum Cell {
    /// A text.
    Text(String),
    /// A number.
    Number(f64),
    /// A p-value.
    P(f64),
    /// A number that counts.
    Count(u64),
    /// Nothing.
    Missing,
}

impl From<Option<f64>> for Cell {
    fn from(value: Option<f64>) -> Self {
        value.map_or(Cell::Missing, Cell::Number)
    }
}

impl From<f64> for Cell {
    fn from(value: f64) -> Self {
        Cell::Number(value)
    }
}

impl From<&str> for Cell {
    fn from(text: &str) -> Self {
        Cell::Text(text.to_owned())
    }
}

impl Cell {
    /// A p-value, where there is one.
    pub fn p(value: Option<f64>) -> Self {
        value.map_or(Cell::Missing, Cell::P)
    }
}

/// Columns with their names, and rows.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Tidy {
    /// The names of the columns.
    pub columns: Vec<Cow<'static, str>>,
    /// The rows, a cell for each column.
    pub rows: Vec<Vec<Cell>>,
}

impl Tidy {
    /// A table of columns whose names are known.
    pub fn new(columns: Vec<&'static str>, rows: Vec<Vec<Cell>>) -> Self {
        Tidy { columns: columns.into_iter().map(Cow::Borrowed).collect(), rows }
    }

    /// As CSV, whose numbers read back to the same doubles; what is missing is empty.
    ///
    /// ```
    /// use noisefit_report::tidy::{Cell, Tidy};
    ///
    /// let rows = vec![vec!["a, b".into(), 0.1.into()], vec!["c".into(), Cell::Missing]];
    /// assert_eq!(Tidy::new(vec!["term", "estimate"], rows).csv(), "term,estimate\n\"a, b\",0.1\nc,\n");
    /// ```
    pub fn csv(&self) -> String {
        let cell = |cell: &Cell| match cell {
            Cell::Text(text) => quoted(text),
            Cell::Number(x) | Cell::P(x) => x.to_string(),
            Cell::Count(count) => count.to_string(),
            Cell::Missing => String::new(),
        };
        let head = self.columns.iter().map(|name| quoted(name)).collect::<Vec<_>>().join(",");
        let row = |row: &Vec<Cell>| format!("{}\n", row.iter().map(cell).collect::<Vec<_>>().join(","));
        format!("{head}\n{}", self.rows.iter().map(row).collect::<String>())
    }

    /// As a table for people, numbers to seven digits; columns without a value in any row are left out.
    ///
    /// ```
    /// use noisefit_report::tidy::{Cell, Tidy};
    ///
    /// let rows = vec![vec!["x".into(), 2.0_f64.sqrt().into(), Cell::Missing]];
    /// let text = Tidy::new(vec!["term", "estimate", "df"], rows).text();
    /// assert_eq!(text, "term  estimate\nx     1.414214\n");
    /// ```
    pub fn text(&self) -> String {
        let shown = self.filled();
        // Degrees of freedom are counts as a rule.
        let is_count = |x: f64| x.fract() == 0.0 && x.abs() < 1e15;
        let counts = |j: usize| self.rows.iter().all(|row| !matches!(row[j], Cell::Number(x) if !is_count(x)));
        let counts: Vec<bool> = (0..self.columns.len()).map(counts).collect();
        let cell = |j: usize, cell: &Cell| match cell {
            Cell::Text(text) => clean(text, CELL),
            Cell::Number(x) if counts[j] => x.to_string(),
            Cell::Number(x) => significant(*x, 7),
            Cell::P(p) => p_value(Some(*p)),
            Cell::Count(count) => count.to_string(),
            Cell::Missing => "NA".to_owned(),
        };
        let rows = self.rows.iter().map(|row| shown.iter().map(|&j| cell(j, &row[j])).collect());
        let heading: Vec<&str> = shown.iter().map(|&j| &*self.columns[j]).collect();
        table(&heading, &rows.collect::<Vec<Vec<String>>>())
    }

    /// The columns that have a value in some row; all of no rows.
    fn filled(&self) -> Vec<usize> {
        let filled = |j: &usize| self.rows.is_empty() || self.rows.iter().any(|row| row[*j] != Cell::Missing);
        (0..self.columns.len()).filter(filled).collect()
    }

    /// As a table of Markdown, numbers to six digits; columns without a value in any row are left out.
    ///
    /// ```
    /// use noisefit_report::tidy::{Cell, Tidy};
    ///
    /// let rows = vec![vec!["x_1".into(), 2.0_f64.sqrt().into(), Cell::Missing]];
    /// let markdown = Tidy::new(vec!["term", "estimate", "df"], rows).markdown();
    /// assert_eq!(markdown, "| term | estimate |\n|:--|--:|\n| x\\_1 | 1.41421 |\n");
    /// ```
    pub fn markdown(&self) -> String {
        let shown = self.filled();
        let cell = |cell: &Cell| match cell {
            Cell::Text(text) => in_markdown(&clean(text, CELL)),
            Cell::Number(x) => significant(*x, 6),
            Cell::P(p) => in_markdown(&p_value(Some(*p))),
            Cell::Count(count) => count.to_string(),
            Cell::Missing => String::new(),
        };
        let line = |cells: Vec<String>| format!("| {} |\n", cells.join(" | "));
        let is_text = |j: &usize| self.rows.iter().any(|row| matches!(row[*j], Cell::Text(_)));
        let rule: String = shown.iter().map(|j| if is_text(j) { ":--|" } else { "--:|" }).collect();
        let head = line(shown.iter().map(|&j| in_markdown(&self.columns[j])).collect());
        let rows = self.rows.iter().map(|row| line(shown.iter().map(|&j| cell(&row[j])).collect()));
        format!("{head}|{rule}\n{}", rows.collect::<String>())
    }
}

/// A text as CSV has it.
fn quoted(text: &str) -> String {
    match text.contains([',', '"', '\n', '\r']) || text.starts_with(' ') || text.ends_with(' ') {
        true => format!("\"{}\"", text.replace('"', "\"\"")),
        false => text.to_owned(),
    }
}
