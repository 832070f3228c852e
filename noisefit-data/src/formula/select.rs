//! Which rows of a frame are complete, and their columns.

use super::expression::{Expr, evaluate};
use super::plan::Plan;
use crate::frame::{Column, Field, Frame, MISSING};
use noisefit_core::numeric::double_double::DoubleDouble;
use noisefit_core::rows::Values;
use noisefit_core::sentence;
use noisefit_core::wording::{Sentence, Setting};
use std::ops::Range;

/// A row that cannot be used, or a frame that is not what the model was resolved for.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum EvaluateError {
    /// A value that no estimator can use.
    Value {
        /// Which of the data set's files.
        file: usize,
        /// 0-based record: [`Frame::first_record`] plus the row in the frame.
        record: u64,
        /// The term, the response, the weights or the column.
        what: String,
        /// Its value.
        value: f64,
        /// The columns it was calculated from, with their values in this record.
        inputs: Vec<(String, f64)>,
        /// What to do about it.
        advice: Sentence,
    },
    /// A level of a category that the rows the model was fitted to do not have.
    Unseen {
        /// Which of the data set's files.
        file: usize,
        /// 0-based record: [`Frame::first_record`] plus the row in the frame.
        record: u64,
        /// The column.
        column: String,
        /// Its level in this record.
        level: String,
        /// The levels that the model knows.
        known: Vec<String>,
    },
    /// The frame lacks a column, or a column is of another kind.
    Columns {
        /// The column.
        column: String,
        /// What was expected of it.
        expected: &'static str,
    },
}

impl EvaluateError {
    /// Counts the records before the frame, where that was not known when it was evaluated.
    #[must_use]
    pub fn after_records(mut self, before: u64) -> Self {
        if let EvaluateError::Value { record, .. } | EvaluateError::Unseen { record, .. } = &mut self {
            *record += before;
        }
        self
    }
}

impl EvaluateError {
    /// Which of the data set's files, and which of its records (from 0).
    pub fn place(&self) -> Option<(usize, u64)> {
        match self {
            EvaluateError::Value { file, record, .. } | EvaluateError::Unseen { file, record, .. } => {
                Some((*file, *record))
            }
            EvaluateError::Columns { .. } => None,
        }
    }

    /// What is wrong there, and what to do.
    pub fn message(&self) -> Sentence {
        match self {
            EvaluateError::Value { what, value, inputs, advice, .. } => {
                let inputs: Vec<String> = inputs.iter().map(|(column, value)| format!("{column} = {value}")).collect();
                let place = if inputs.is_empty() { String::new() } else { format!(" where {}", inputs.join(", ")) };
                sentence![format!("{what} is {value}{place}; ")].and(advice.clone())
            }
            EvaluateError::Unseen { column, level, known, .. } => {
                let known = super::error::list(known.iter().map(String::as_str));
                sentence![
                    format!(
                        "'{level}' is a level of {column} that the model was not fitted to; it knows {known}; leave such \
                         records out, or ask for unseen levels as missing: "
                    ),
                    Setting::Unseen.with("missing")
                ]
            }
            EvaluateError::Columns { column, expected } => format!("column '{column}': {expected}").into(),
        }
    }
}

impl std::fmt::Display for EvaluateError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if let Some((_, record)) = self.place() {
            write!(f, "record {}: ", record + 1)?;
        }
        write!(f, "{}", self.message())
    }
}

impl std::error::Error for EvaluateError {}

/// What comes with a row beside its variables.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Extra {
    Weight,
    Frequency,
    Sampling,
}

impl Extra {
    /// What a plan's frequencies are.
    fn counting(plan: &Plan) -> Self {
        if plan.sampling.is_some() { Extra::Sampling } else { Extra::Frequency }
    }
}

/// The high and low words of values that were computed or gathered.
#[derive(Debug, Default)]
pub(super) struct Buffer {
    pub high: Vec<f64>,
    pub low: Vec<f64>,
    pub has_low: bool,
}

impl Buffer {
    pub fn values(&self) -> Values<'_> {
        Values { high: &self.high, low: self.has_low.then_some(&self.low) }
    }

    #[inline(always)]
    pub fn set(&mut self, values: impl Iterator<Item = DoubleDouble>) {
        self.has_low = true;
        self.high.clear();
        self.low.clear();
        for DoubleDouble { high, low } in values {
            self.high.push(high);
            self.low.push(low);
        }
    }

    /// The first place whose value is infinite or NaN.
    pub fn first_not_finite(&self) -> Option<(usize, f64)> {
        if all_finite(&self.high) && (!self.has_low || all_finite(&self.low)) {
            return None;
        }
        self.not_finite().first().map(|&i| (i, self.high[i]))
    }

    /// All such places.
    pub fn not_finite(&self) -> Vec<usize> {
        let low = |i: usize| if self.has_low { self.low[i] } else { 0.0 };
        (0..self.high.len()).filter(|&i| !self.high[i].is_finite() || !low(i).is_finite()).collect()
    }
}

/// The rows of a range that are used.
#[derive(Debug, Default)]
pub(super) struct Selection {
    /// Rows of the range that are left out are set.
    mask: Vec<bool>,
    /// Places in the frame of the rows that are kept.
    pub kept: Vec<usize>,
    /// Whether a value of a column was not finite: NaN, whose row is left out, or infinite.
    pub suspect: bool,
    pub range: Range<usize>,
    pub missing: usize,
    pub undefined: usize,
    pub weightless: usize,
    gathered: Vec<Buffer>,
    /// Columns of true and false that are wanted as numbers.
    truths: Vec<usize>,
    weights: Vec<f64>,
    frequencies: Vec<f64>,
    pool: Vec<Vec<f64>>,
}

impl Selection {
    pub fn is_whole(&self) -> bool {
        self.kept.len() == self.range.len()
    }

    pub fn weights(&self) -> &[f64] {
        &self.weights
    }

    pub fn frequencies(&self) -> &[f64] {
        &self.frequencies
    }

    /// Keeps the rows of `range` in which none of the `columns` is missing and no `excluded` is set, and whose weights
    /// and frequencies, where they are asked for, are not zero.
    pub fn select(
        &mut self,
        plan: &Plan,
        frame: &Frame,
        range: Range<usize>,
        columns: usize,
        with_weights: bool,
        exclude: impl Fn(&mut [bool]),
    ) -> Result<(), EvaluateError> {
        self.range = range.clone();
        self.truths.clone_from(&plan.truths);
        self.suspect = false;
        self.mask.clear();
        self.mask.resize(range.len(), false);
        for column in frame.columns.iter().take(columns) {
            self.suspect |= mask_missing(column, range.clone(), &mut self.mask);
        }
        exclude(&mut self.mask);
        self.keep();
        self.missing = range.len() - self.kept.len();
        (self.undefined, self.weightless) = (0, 0);
        if !with_weights {
            return Ok(());
        }
        let complete = self.kept.len();
        let (mut weights, mut frequencies) = (std::mem::take(&mut self.weights), std::mem::take(&mut self.frequencies));
        let mut extras = [
            (&plan.weights, Extra::Weight, &mut weights),
            (&plan.frequencies, Extra::counting(plan), &mut frequencies),
        ];
        loop {
            let before = self.kept.len();
            for (given, extra, values) in &mut extras {
                if let Some((text, expr)) = given {
                    self.evaluate(plan, frame, columns, expr, values);
                    self.weigh(plan, frame, (expr, text, *extra), values)?;
                }
            }
            self.keep();
            if self.kept.len() == before {
                break;
            }
            // Rows of weight zero went: calculate once more for those that are left.
        }
        self.weightless = complete - self.kept.len();
        if let Some(mean) = plan.sampling {
            frequencies.iter_mut().for_each(|weight| *weight /= mean);
        }
        (self.weights, self.frequencies) = (weights, frequencies);
        Ok(())
    }

    /// Leaves out those of the kept rows that are marked in the range.
    pub fn leave_out(&mut self, marked: &[bool]) {
        if !marked.contains(&true) {
            return;
        }
        let before = self.kept.len();
        self.mask.iter_mut().zip(marked).for_each(|(out, marked)| *out |= marked);
        // Weights go with the rows that are kept.
        let (start, kept) = (self.range.start, std::mem::take(&mut self.kept));
        for values in [&mut self.weights, &mut self.frequencies] {
            if values.len() == kept.len() {
                let mut marks = kept.iter().map(|&row| !marked[row - start]);
                values.retain(|_| marks.next().unwrap_or(true));
            }
        }
        self.keep();
        self.undefined = before - self.kept.len();
    }

    fn keep(&mut self) {
        self.kept.clear();
        let start = self.range.start;
        self.kept.extend(self.mask.iter().enumerate().filter(|(_, out)| !**out).map(|(i, _)| start + i));
    }

    fn evaluate(&mut self, plan: &Plan, frame: &Frame, columns: usize, expr: &Expr, values: &mut Vec<f64>) {
        self.gather(frame, columns);
        let mut pool = std::mem::take(&mut self.pool);
        let (rows, inputs) = (self.kept.len(), self.columns(frame, columns));
        let is_long = |column: usize| frame.columns[column].is_beyond_doubles(plan.columns[column].kind);
        match !expr.is_column() && expr.columns().into_iter().any(is_long) {
            // From both words: differences of long integers and of times have their digits there.
            true => {
                let mut words: Vec<DoubleDouble> = Vec::new();
                evaluate(expr, &inputs, rows, &mut words, None, &mut Vec::new());
                values.clear();
                values.extend(words.iter().map(|words| words.high));
            }
            false => evaluate(expr, &inputs, rows, values, None, &mut pool),
        }
        self.pool = pool;
    }

    /// Refuses weights that are no weights, frequencies that count nothing, and masks the rows whose weight is zero.
    fn weigh(
        &mut self,
        plan: &Plan,
        frame: &Frame,
        (expr, text, extra): (&Expr, &str, Extra),
        values: &[f64],
    ) -> Result<(), EvaluateError> {
        for (&row, &value) in self.kept.iter().zip(values) {
            let refuse = |name: &str, advice: Sentence| {
                Err(value_error(plan, frame, expr, row, format!("{name} {text}"), value, advice))
            };
            let counts = value.fract() == 0.0;
            match extra {
                _ if (0.0..f64::INFINITY).contains(&value) && (counts || extra != Extra::Frequency) => {}
                Extra::Weight => {
                    return refuse("the weight", "it must be positive, or zero to leave the record out".into());
                }
                Extra::Sampling => {
                    let advice = "it must be positive, or zero to leave the record out";
                    return refuse("the sampling weight", advice.into());
                }
                Extra::Frequency => {
                    let words = "it must be a whole number, zero to leave the record out; precisions are ";
                    let and = ", and one over the probability of being drawn is ";
                    let advice = sentence![words, Setting::Weights, and, Setting::SamplingWeights];
                    return refuse("the frequency", advice);
                }
            }
            self.mask[row - self.range.start] |= value == 0.0;
        }
        Ok(())
    }

    /// Copies the kept rows of the columns together, where these are not all.
    pub fn gather(&mut self, frame: &Frame, columns: usize) {
        if self.is_whole() && self.truths.is_empty() {
            return;
        }
        self.gathered.resize_with(self.gathered.len().max(columns), Buffer::default);
        for &column in self.truths.iter().filter(|&&column| column < columns) {
            let buffer = &mut self.gathered[column];
            buffer.high.clear();
            buffer.high.extend(truths(&frame.columns[column], self.kept.iter().copied()));
            self.suspect |= !all_finite(&buffer.high);
        }
        if self.is_whole() {
            return;
        }
        for (column, buffer) in frame.columns.iter().take(columns).zip(&mut self.gathered) {
            if let Column::Number { high, low } = column {
                buffer.high.clear();
                buffer.high.extend(self.kept.iter().map(|&row| high[row]));
                buffer.low.clear();
                buffer.low.extend(low.iter().flat_map(|low| self.kept.iter().map(|&row| low[row])));
                buffer.has_low = low.is_some();
            }
        }
    }

    /// The columns of the kept rows, after [`Selection::gather`]: borrowed from the frame where these are all.
    /// Categories stay empty, but for those of true and false that are calculated with.
    pub fn columns<'a>(&'a self, frame: &'a Frame, columns: usize) -> Vec<Values<'a>> {
        let range = || self.range.clone();
        let values = frame.columns.iter().take(columns).enumerate().map(|(i, column)| match column {
            Column::Category { .. } if self.truths.contains(&i) => self.gathered[i].values(),
            Column::Category { .. } => Values { high: &[], low: None },
            Column::Number { high, low } if self.is_whole() => {
                Values { high: &high[range()], low: low.as_ref().map(|low| &low[range()]) }
            }
            Column::Number { .. } => self.gathered[i].values(),
        });
        values.collect()
    }
}

/// Masks the rows whose value is missing; says whether a value of any row is not finite.
fn mask_missing(column: &Column, range: Range<usize>, mask: &mut [bool]) -> bool {
    match column {
        Column::Number { high, .. } => {
            let high = &high[range];
            let finite = all_finite(high);
            if !finite {
                mask.iter_mut().zip(high).for_each(|(out, value)| *out |= value.is_nan());
            }
            !finite
        }
        Column::Category { codes, .. } => {
            mask.iter_mut().zip(&codes[range]).for_each(|(out, &code)| *out |= code == MISSING);
            false
        }
    }
}

/// Whether a frame has the first `columns` of a plan, each of its kind and long enough.
pub(super) fn check(plan: &[Field], frame: &Frame, columns: usize) -> Result<(), EvaluateError> {
    for (i, field) in plan.iter().take(columns).enumerate() {
        let refused = |expected| Err(EvaluateError::Columns { column: field.name.clone(), expected });
        let Some(column) = frame.columns.get(i) else { return refused("it is needed and was not read") };
        match (column, field.kind.is_category()) {
            (Column::Number { .. }, true) => return refused("text was expected, and it holds numbers"),
            (Column::Category { .. }, false) => return refused("numbers were expected, and it holds text"),
            _ => {}
        }
        let low = match column {
            Column::Number { low: Some(low), .. } => low.len(),
            _ => frame.rows,
        };
        if column.len() != frame.rows || low != frame.rows {
            return refused("it has another number of rows than the frame");
        }
    }
    Ok(())
}

/// One where a row of a category is true, zero where it is false, NaN where it is neither.
pub(super) fn truths(column: &Column, rows: impl Iterator<Item = usize>) -> impl Iterator<Item = f64> {
    let (codes, levels) = match column {
        Column::Category { codes, levels } => (&codes[..], &levels[..]),
        Column::Number { .. } => (&[][..], &[][..]),
    };
    let truth = |level: &String| match level.as_str() {
        "true" => 1.0,
        "false" => 0.0,
        _ => f64::NAN,
    };
    let truth: Vec<f64> = levels.iter().map(truth).collect();
    rows.map(move |row| codes.get(row).and_then(|&code| truth.get(code as usize)).copied().unwrap_or(f64::NAN))
}

/// Whether all are finite: zero times a value is zero then and NaN otherwise. In lanes, so that it is vector code.
pub(super) fn all_finite(values: &[f64]) -> bool {
    let (chunks, rest) = values.as_chunks::<8>();
    let mut lanes = [0.0; 8];
    for chunk in chunks {
        for (lane, value) in lanes.iter_mut().zip(chunk) {
            *lane += 0.0 * value;
        }
    }
    lanes.iter().sum::<f64>() == 0.0 && rest.iter().all(|value| value.is_finite())
}

/// The error for `what`, calculated by `expr`, in a row of the frame.
pub(super) fn value_error(
    plan: &Plan,
    frame: &Frame,
    expr: &Expr,
    row: usize,
    what: String,
    value: f64,
    advice: impl Into<Sentence>,
) -> EvaluateError {
    // A bare column is its own input.
    let columns = if matches!(expr, Expr::Column(_)) { Vec::new() } else { expr.columns() };
    let input = |column: usize| match frame.columns.get(column)? {
        Column::Number { high, .. } => Some((plan.columns.get(column)?.name.clone(), *high.get(row)?)),
        Column::Category { .. } => None,
    };
    let inputs = columns.into_iter().filter_map(input).collect();
    let record = frame.first_record + row as u64;
    EvaluateError::Value { file: frame.file, record, what, value, inputs, advice: advice.into() }
}
