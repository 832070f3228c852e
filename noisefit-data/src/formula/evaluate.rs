//! Frames to responses and design columns, a column at a time.

use super::expression::{Expr, evaluate};
use super::learned::{Integer, Levels, key};
use super::plan::{Category, Plan, Recurrence, Step};
use super::response::Slopes;
use super::scalar::{Dual, Scalar};
use super::scope::Scope;
use super::select::{Buffer, EvaluateError, Selection, all_finite, check, value_error};
use super::spline::Pieces;
use super::tangent::{Tangents, tangents};
use crate::frame::{Column, Frame, MISSING};
use crate::read::number::shown;
use noisefit_core::numeric::dispatch::vectorised;
use noisefit_core::numeric::double_double::DoubleDouble;
use noisefit_core::rows::{Block, Values};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::ops::Range;
use std::sync::Arc;

/// What to do with a level of a category that the model was not fitted to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
pub enum Unseen {
    /// An error that names it.
    #[default]
    Refuse,
    /// Leave the row out, as if the value were missing.
    Missing,
}

noisefit_core::named!(Unseen {
    Refuse = "fail": "Refuse, naming the level",
    Missing = "missing": "Treat the row as incomplete",
});

/// What to do with a row in which a column is infinite or a term has no finite value, such as the logarithm of zero.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Undefined {
    /// An error that names it.
    #[default]
    Refuse,
    /// Leave the row out, and count it.
    Missing,
}

noisefit_core::named!(Undefined {
    Refuse = "fail": "Refuse, naming the first",
    Missing = "missing": "Treat the row as incomplete, and count it",
});

/// How a design is evaluated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct EvaluateOptions {
    /// Evaluate in double-double, from both words of the columns, and give low words; what is calculated of integers beyond 2^53
    /// or of parts of seconds is so in any case. Sums, differences, products,
    /// quotients, integer powers, square roots and polynomials keep about 32 digits; other functions a double's, and
    /// the first-order effect of their argument's low word.
    pub low_words: bool,
    /// With low words, move the values of those other functions at random within their rounding error: the draw's number.
    pub draw: Option<u32>,
    /// What is read: a row is incomplete only where a column of this scope is missing.
    pub scope: Scope,
    /// What to do with levels that the model was not fitted to.
    pub unseen: Unseen,
    /// What to do with rows in which a term has no finite value.
    pub undefined: Undefined,
}

/// Buffers that evaluations share.
#[derive(Debug, Default)]
pub struct Workspace {
    selection: Selection,
    /// The rows of the range that are left out because a term has no finite value.
    undefined: Vec<bool>,
    codes: Vec<Vec<u32>>,
    steps: Vec<Buffer>,
    response: Buffer,
    log_jacobian: Vec<f64>,
    slopes: Slopes,
    /// The response less its offset.
    moved: Buffer,
    /// Weights times what the offset of the scale makes of them.
    scaled: Vec<f64>,
    /// Rows with a value beyond the boundary of a spline.
    beyond: usize,
    clusters: Vec<Vec<u64>>,
    doubles: Vec<Vec<f64>>,
    double_doubles: Vec<Vec<DoubleDouble>>,
    duals: Vec<Vec<Dual>>,
}

/// The complete rows of a range of a frame.
#[derive(Debug)]
pub struct EvaluatedRows<'a> {
    response: Option<Values<'a>>,
    design: Vec<Values<'a>>,
    scale_design: Vec<Values<'a>>,
    weights: Option<&'a [f64]>,
    frequencies: Option<&'a [f64]>,
    log_jacobian: Option<&'a [f64]>,
    slopes: Slopes,
    clusters: Vec<&'a [u64]>,
    effects: Vec<&'a [u32]>,
    offset: Option<&'a [f64]>,
    scaled: Option<&'a [f64]>,
    beyond: usize,
    selection: &'a Selection,
    plan: &'a Plan,
    /// The columns that were read, and what was made of them.
    columns: Vec<Values<'a>>,
    steps: &'a [Buffer],
}

impl EvaluatedRows<'_> {
    /// The number of complete rows.
    pub fn rows(&self) -> usize {
        self.selection.kept.len()
    }

    /// The places in the frame of the complete rows.
    pub fn kept(&self) -> &[usize] {
        &self.selection.kept
    }

    /// How many rows were left out because a variable is missing (or has an unseen level, where that counts as
    /// missing).
    pub fn missing(&self) -> usize {
        self.selection.missing
    }

    /// How many rows were left out because a column is infinite or a term has no finite value.
    pub fn undefined(&self) -> usize {
        self.selection.undefined
    }

    /// How many rows were left out because their weight or frequency is zero.
    pub fn weightless(&self) -> usize {
        self.selection.weightless
    }

    /// The design's columns, in the order of the layout's terms.
    pub fn design(&self) -> &[Values<'_>] {
        &self.design
    }

    /// The columns of the scale, in the order of its layout's terms.
    pub fn scale_design(&self) -> &[Values<'_>] {
        &self.scale_design
    }

    /// The response, where it was asked for.
    pub fn response(&self) -> Option<Values<'_>> {
        self.response
    }

    /// What is added to the location of every row, where the formula has an offset; the response is without it.
    pub fn offset(&self) -> Option<&[f64]> {
        self.offset
    }

    /// The precisions that the offset of the scale gives the rows, where there is one; those of weights are in them where these are
    /// read.
    pub fn scaled(&self) -> Option<&[f64]> {
        self.scaled
    }

    /// How many rows have a value beyond the boundary of a spline, which goes on there.
    pub fn beyond(&self) -> usize {
        self.beyond
    }

    /// What the derivatives of a transformed response are like, where that was asked for.
    pub fn slopes(&self) -> Slopes {
        self.slopes
    }

    /// How the columns change with a column of numbers of the data; none where the design does not read it.
    pub fn tangents(&self, column: &str) -> Option<Tangents> {
        let place = self.plan.columns.iter().position(|field| field.name == column)?;
        let step = |step: usize| view(self.plan, self.steps, &self.columns, step);
        Some(tangents(self.plan, &self.columns, step, place, self.rows()))
    }

    /// How many observations each row stands for, where that is read.
    pub fn frequencies(&self) -> Option<&[f64]> {
        self.frequencies
    }

    /// For each absorbed effect the level of every row, by its place among the levels that were learned.
    pub fn effects(&self) -> &[&[u32]] {
        &self.effects
    }

    /// The rows as an accumulator takes them, where the response was asked for.
    pub fn block(&self) -> Option<Block<'_>> {
        Some(Block {
            response: self.response?,
            design: (&self.design).into(),
            scale_design: (&self.scale_design).into(),
            weights: self.weights,
            frequencies: self.frequencies,
            log_jacobian: self.log_jacobian,
            clusters: &self.clusters,
            effects: &self.effects,
            level_leverage: None,
        })
    }
}

/// The code of a level that the model does not know, where that is an error.
const UNSEEN: u32 = MISSING - 1;

/// The code of any other level than the one that is asked for.
const OTHER: u32 = 1;

/// A design on one frame.
#[derive(Debug)]
pub struct Bound<'a> {
    plan: &'a Plan,
    frame: &'a Frame,
    options: EvaluateOptions,
    /// Whether a transformed response has a Jacobian.
    jacobian: bool,
    /// For each category of text, the model's code for each of the frame's.
    codes: Vec<Arc<[u32]>>,
    /// For each column of clusters that is text, a number for each of the frame's levels.
    clusters: Vec<Arc<[u64]>>,
}

impl<'a> Bound<'a> {
    pub(super) fn new(
        plan: &'a Plan,
        frame: &'a Frame,
        mut options: EvaluateOptions,
        jacobian: bool,
    ) -> Result<Self, EvaluateError> {
        check(&plan.columns, frame, plan.scope(options.scope))?;
        options.low_words |= needs_low_words(plan, frame, options.scope);
        let unknown = if options.unseen == Unseen::Missing { MISSING } else { UNSEEN };
        let codes = plan.categories.iter().map(|category| match (&*category.levels, &frame.columns[category.column]) {
            (Levels::Texts(_), Column::Category { levels, .. }) => {
                let unknown = if category.open { OTHER } else { unknown };
                levels.places((category.identity(), unknown), |level| category.text(level).unwrap_or(unknown))
            }
            _ => Arc::default(),
        });
        let wanted = if options.scope == Scope::All { &plan.clusters[..] } else { &[] };
        let clusters = wanted.iter().map(|&column| match &frame.columns[column] {
            Column::Category { levels, .. } => levels.hashes(hashed),
            Column::Number { .. } => Arc::default(),
        });
        Ok(Bound { plan, frame, options, jacobian, codes: codes.collect(), clusters: clusters.collect() })
    }

    /// Evaluates the rows of `range`; a block's worth at a time keeps the buffers in the cache.
    ///
    /// Rows with a missing value are left out. Where none is, columns that stand in the formula as they are, are
    /// borrowed from the frame.
    ///
    /// # Errors
    /// [`EvaluateError`]: a value that is not finite, in a column or made by the formula; a negative weight; an unseen
    /// level.
    pub fn evaluate<'b>(
        &'b self,
        range: Range<usize>,
        workspace: &'b mut Workspace,
    ) -> Result<EvaluatedRows<'b>, EvaluateError> {
        let range = range.start.min(self.frame.rows)..range.end.min(self.frame.rows);
        workspace.undefined.clear();
        workspace.undefined.resize(range.len(), false);
        // Every time round at least one row more is left out.
        while let Err(Stop { error, places }) = self.compute(range.clone(), workspace) {
            if self.options.undefined == Undefined::Refuse || places.is_empty() {
                return Err(error);
            }
            let Workspace { undefined, selection, .. } = workspace;
            places.iter().for_each(|&place| undefined[selection.kept[place] - range.start] = true);
        }
        Ok(self.rows(workspace))
    }

    /// Fills the buffers with the complete rows of a range.
    fn compute(&self, range: Range<usize>, workspace: &mut Workspace) -> Result<(), Stop> {
        let Bound { plan, frame, options, .. } = *self;
        let columns = plan.scope(options.scope);
        let Workspace {
            selection,
            undefined,
            codes,
            steps,
            response,
            log_jacobian,
            slopes,
            moved,
            scaled,
            beyond,
            clusters,
            doubles,
            double_doubles,
            duals,
        } = workspace;
        *beyond = 0;

        codes.resize_with(plan.categories.len(), Vec::new);
        for (category, codes) in codes.iter_mut().enumerate() {
            self.translate(category, range.clone(), codes);
        }
        let weighted = options.scope == Scope::All;
        selection.select(plan, frame, range.clone(), columns, weighted, |mask| {
            let excluded = |codes: &Vec<u32>, i: usize| codes[i] == MISSING;
            for codes in codes.iter() {
                mask.iter_mut().enumerate().for_each(|(i, out)| *out |= excluded(codes, i));
            }
        })?;
        selection.leave_out(undefined);
        for (category, codes) in codes.iter_mut().enumerate() {
            if !selection.is_whole() {
                // The places ascend, so that each is read before it is written over.
                for (i, &row) in selection.kept.iter().enumerate() {
                    codes[i] = codes[row - range.start];
                }
                codes.truncate(selection.kept.len());
            }
            if let Some(place) = codes.iter().position(|&code| code == UNSEEN) {
                return Err(self.unseen(category, selection.kept[place]).into());
            }
        }

        selection.gather(frame, columns);
        let selection: &Selection = selection;
        let kept = &selection.kept;
        let rows = kept.len();
        let values = selection.columns(frame, columns);
        for (column, values) in values.iter().enumerate().filter(|_| selection.suspect) {
            if !all_finite(values.high) {
                let place = values.high.iter().position(|value| !value.is_finite()).unwrap_or(0);
                let advice = "values must be finite; leave such records out or mark them as missing";
                let what = format!("column {}", plan.columns[column].name);
                let value = values.high[place];
                let error = value_error(plan, frame, &Expr::Column(column), kept[place], what, value, advice);
                return Err(Stop { error, places: places(values.high.iter().map(|value| value.is_finite())) });
            }
        }

        let mut machine = Machine {
            rows,
            low_words: options.low_words,
            draw: options.draw,
            columns: &values,
            doubles,
            double_doubles,
        };
        steps.resize_with(plan.steps.len(), Buffer::default);
        for (place, (name, step)) in plan.steps.iter().enumerate() {
            let (done, rest) = steps.split_at_mut(place);
            let Some(out) = rest.first_mut() else { continue };
            let view = |step: usize| view(plan, done, &values, step);
            match step {
                Step::Number(Expr::Column(_)) => continue,
                Step::Number(expr) => machine.evaluate(expr, out),
                Step::Product(a, b) => machine.product(view(*a), view(*b), out),
                Step::Indicator { category, level } => {
                    indicate(out, &codes[*category], |code| f64::from(u8::from(code == *level)));
                }
                Step::Contrast { category, level, omitted } => indicate(out, &codes[*category], |code| {
                    f64::from(u8::from(code == *level)) - f64::from(u8::from(code == *omitted))
                }),
                Step::Matches { category, equal } => {
                    indicate(out, &codes[*category], |code| f64::from(u8::from((code != OTHER) == *equal)));
                }
                Step::Spline { x, pieces, column } => {
                    let x = view(*x);
                    if *column == 0 {
                        *beyond += x.high.iter().filter(|x| pieces.is_beyond(**x)).count();
                    }
                    machine.spline(x, pieces, *column, out);
                }
                Step::Orthogonal { x, last, before, recurrence } => {
                    machine.orthogonal(view(*x), view(*last), view(*before), recurrence, out);
                }
            }
            if let Some((place, value)) = out.first_not_finite() {
                let error = self.not_finite(step_columns(plan, step), kept[place], name.clone(), value);
                return Err(Stop { error, places: out.not_finite() });
            }
        }

        let wants_response = options.scope != Scope::Design;
        let response_expr = plan.response.as_ref().filter(|_| wants_response);
        if let Some(expr) = response_expr.filter(|expr| !expr.is_column()) {
            machine.evaluate(expr, response);
            let name = &plan.layout.response;
            if let Some((place, value)) = response.first_not_finite() {
                let error = self.not_finite(expr.columns(), kept[place], name.clone(), value);
                return Err(Stop { error, places: response.not_finite() });
            }
            let mut values_and_derivatives = duals.pop().unwrap_or_default();
            evaluate(expr, &values, rows, &mut values_and_derivatives, None, duals);
            let column = expr.columns().first().map_or(&[][..], |&column| values[column].high);
            *slopes = Slopes::of(column, &values_and_derivatives);
            log_jacobian.clear();
            log_jacobian.extend(values_and_derivatives.iter().map(|dual| dual.derivative.abs().ln()));
            let first = log_jacobian.iter().position(|value| !value.is_finite());
            if let Some(place) = first.filter(|_| self.jacobian) {
                let (what, value) = (format!("the derivative of {name}"), values_and_derivatives[place].derivative);
                let advice =
                    "a transformed response needs a derivative that is finite and not zero; leave such records out";
                let error = value_error(plan, frame, expr, kept[place], what, value, advice);
                return Err(Stop { error, places: places(log_jacobian.iter().map(|value| value.is_finite())) });
            }
            duals.push(values_and_derivatives);
        }

        if let (Some(expr), Some(step)) = (response_expr, plan.offsets[0]) {
            let offset = view(plan, steps, &values, step);
            let response = if let Expr::Column(column) = expr { values[*column] } else { response.values() };
            moved.set(words(response).zip(words(offset)).map(|(y, offset)| y - offset));
            moved.has_low = options.low_words || response.low.is_some();
        }
        if let Some(step) = plan.offsets[1] {
            let offset = view(plan, steps, &values, step).high;
            let weights = plan.weights.as_ref().filter(|_| weighted).map(|_| selection.weights());
            let weight = |(i, o): (usize, &f64)| weights.map_or(1.0, |weights| weights[i]) * (-2.0 * o).exp();
            scaled.clear();
            scaled.extend(offset.iter().enumerate().map(weight));
            let is_weight = |value: &f64| *value > 0.0 && value.is_finite();
            if let Some(place) = scaled.iter().position(|value| !is_weight(value)) {
                let what = format!("the factor exp({}) of the scale", plan.steps[step].0);
                let columns = step_columns(plan, &plan.steps[step].1);
                let error = self.not_finite(columns, kept[place], what, offset[place].exp());
                return Err(Stop { error, places: places(scaled.iter().map(is_weight)) });
            }
        }

        clusters.resize_with(self.clusters.len(), Vec::new);
        for (ids, (&column, levels)) in clusters.iter_mut().zip(plan.clusters.iter().zip(&self.clusters)) {
            ids.clear();
            ids.extend(kept.iter().map(|&row| match &frame.columns[column] {
                Column::Number { high, low } => match key(high[row], low.as_ref().map_or(0.0, |low| low[row])) {
                    (high, 0) => high,
                    words => hashed(&words),
                },
                Column::Category { codes, .. } => levels[codes[row] as usize],
            }));
        }
        Ok(())
    }

    /// What [`Bound::compute`] has filled the buffers with.
    fn rows<'b>(&'b self, workspace: &'b Workspace) -> EvaluatedRows<'b> {
        let Bound { plan, frame, options, .. } = *self;
        let Workspace {
            selection, steps, response, log_jacobian, slopes, moved, scaled, beyond, clusters, codes, ..
        } = workspace;
        let values = selection.columns(frame, plan.scope(options.scope));
        let response_expr = plan.response.as_ref().filter(|_| options.scope != Scope::Design);
        let transformed = response_expr.is_some_and(|expr| !expr.is_column());
        let weighted = options.scope == Scope::All;
        EvaluatedRows {
            response: response_expr.map(|expr| match expr {
                _ if plan.offsets[0].is_some() => moved.values(),
                Expr::Column(column) => values[*column],
                _ => response.values(),
            }),
            design: plan.outputs.iter().map(|&step| view(plan, steps, &values, step)).collect(),
            scale_design: plan.scale_outputs.iter().map(|&step| view(plan, steps, &values, step)).collect(),
            weights: match plan.offsets[1] {
                Some(_) => Some(scaled.as_slice()),
                None => plan.weights.as_ref().filter(|_| weighted).map(|_| selection.weights()),
            },
            frequencies: plan.frequencies.as_ref().filter(|_| weighted).map(|_| selection.frequencies()),
            log_jacobian: (transformed && self.jacobian).then_some(log_jacobian.as_slice()),
            slopes: *slopes,
            clusters: clusters.iter().map(Vec::as_slice).collect(),
            effects: plan.effects.iter().map(|&category| codes[category].as_slice()).collect(),
            offset: plan.offsets[0].map(|step| view(plan, steps, &values, step).high),
            scaled: plan.offsets[1].map(|_| scaled.as_slice()),
            beyond: *beyond,
            selection,
            plan,
            columns: values,
            steps,
        }
    }

    /// The model's codes of a category in a range of rows.
    fn translate(&self, category: usize, range: Range<usize>, out: &mut Vec<u32>) {
        out.clear();
        let known = &self.plan.categories[category];
        match (&self.frame.columns[known.column], &*known.levels) {
            (Column::Category { codes, .. }, _) => {
                let known = &self.codes[category];
                out.extend(codes[range].iter().map(|&code| known.get(code as usize).copied().unwrap_or(MISSING)));
            }
            (Column::Number { high, low }, Levels::Numbers(_) | Levels::Integers(_)) => {
                let unknown = if self.options.unseen == Unseen::Missing { MISSING } else { UNSEEN };
                out.extend(range.map(|row| {
                    let (value, low) = key(high[row], low.as_ref().map_or(0.0, |low| low[row]));
                    let number = Integer(f64::from_bits(value), f64::from_bits(low));
                    known.number(number).unwrap_or(if number.0.is_nan() { MISSING } else { unknown })
                }));
            }
            (Column::Number { .. }, Levels::Texts(_)) => out.resize(range.len(), UNSEEN),
        }
    }

    fn unseen(&self, category: usize, row: usize) -> EvaluateError {
        let Category { column, levels, .. } = &self.plan.categories[category];
        let level = match &self.frame.columns[*column] {
            Column::Number { high, low } => shown(high[row], low.as_ref().map_or(0.0, |low| low[row])),
            Column::Category { codes, levels } => levels.get(codes[row] as usize).cloned().unwrap_or_default(),
        };
        EvaluateError::Unseen {
            file: self.frame.file,
            record: self.frame.first_record + row as u64,
            column: self.plan.columns[*column].name.clone(),
            level,
            known: levels.names(),
        }
    }

    fn not_finite(&self, columns: Vec<usize>, row: usize, what: String, value: f64) -> EvaluateError {
        let advice = "every term must be finite; leave such records out or transform the column differently";
        let inputs = Expr::Sum(columns.into_iter().map(|column| (false, Expr::Column(column))).collect());
        value_error(self.plan, self.frame, &inputs, row, what, value, advice)
    }
}

/// Why rows could not be computed.
struct Stop {
    error: EvaluateError,
    /// Places among the kept rows of those that have no finite value; none where the error is another.
    places: Vec<usize>,
}

impl From<EvaluateError> for Stop {
    fn from(error: EvaluateError) -> Self {
        Stop { error, places: Vec::new() }
    }
}

/// Where a value is not finite.
fn places(finite: impl Iterator<Item = bool>) -> Vec<usize> {
    finite.enumerate().filter(|(_, finite)| !finite).map(|(place, _)| place).collect()
}

/// A number that tells a value from others, the same in every run.
fn hashed(value: &impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish()
}

/// The values of a step: its buffer, or the column that it is.
fn view<'a>(plan: &Plan, steps: &'a [Buffer], columns: &[Values<'a>], step: usize) -> Values<'a> {
    match &plan.steps[step].1 {
        Step::Number(Expr::Column(column)) => columns[*column],
        _ => steps[step].values(),
    }
}

/// The columns of numbers that a step depends on, for messages.
fn step_columns(plan: &Plan, step: &Step) -> Vec<usize> {
    let below = |step: &usize| step_columns(plan, &plan.steps[*step].1);
    match step {
        Step::Number(expr) => expr.columns(),
        Step::Product(a, b) => below(a).into_iter().chain(below(b)).collect(),
        Step::Orthogonal { x, .. } | Step::Spline { x, .. } => below(x),
        Step::Indicator { .. } | Step::Contrast { .. } | Step::Matches { .. } => Vec::new(),
    }
}

/// Whether something is calculated from a column of which a double is not all.
fn needs_low_words(plan: &Plan, frame: &Frame, scope: Scope) -> bool {
    let response = plan.response.as_ref().filter(|expr| scope != Scope::Design && !expr.is_column());
    let of_step = |(_, step): &(String, Step)| match step {
        Step::Number(Expr::Column(_)) => Vec::new(),
        step => step_columns(plan, step),
    };
    let mut calculated: Vec<usize> = plan.steps.iter().flat_map(of_step).collect();
    calculated.extend(response.into_iter().flat_map(Expr::columns));
    calculated.sort_unstable();
    calculated.dedup();
    calculated.into_iter().any(|column| frame.columns[column].is_beyond_doubles(plan.columns[column].kind))
}

fn indicate(out: &mut Buffer, codes: &[u32], value: impl Fn(u32) -> f64) {
    out.has_low = false;
    out.high.clear();
    out.high.extend(codes.iter().map(|&code| value(code)));
}

/// The arithmetic of the steps, in doubles or in double-double.
struct Machine<'a> {
    rows: usize,
    low_words: bool,
    draw: Option<u32>,
    columns: &'a [Values<'a>],
    doubles: &'a mut Vec<Vec<f64>>,
    double_doubles: &'a mut Vec<Vec<DoubleDouble>>,
}

impl Machine<'_> {
    fn evaluate(&mut self, expr: &Expr, out: &mut Buffer) {
        out.has_low = self.low_words;
        if self.low_words {
            let mut values = self.double_doubles.pop().unwrap_or_default();
            evaluate(expr, self.columns, self.rows, &mut values, self.draw, self.double_doubles);
            out.set(values.iter().copied());
            self.double_doubles.push(values);
        } else {
            evaluate(expr, self.columns, self.rows, &mut out.high, None, self.doubles);
        }
    }

    fn product(&self, a: Values<'_>, b: Values<'_>, out: &mut Buffer) {
        out.has_low = self.low_words;
        if self.low_words {
            vectorised(|| out.set(words(a).zip(words(b)).map(|(a, b)| a * b)));
        } else {
            out.high.clear();
            out.high.extend(a.high.iter().zip(b.high).map(|(a, b)| a * b));
        }
    }

    fn spline(&self, x: Values<'_>, pieces: &Pieces, column: usize, out: &mut Buffer) {
        out.has_low = self.low_words;
        if self.low_words {
            out.set(words(x).map(|x| pieces.value(column, x)));
        } else {
            out.high.clear();
            out.high.extend(x.high.iter().map(|&x| pieces.value(column, x)));
        }
    }

    fn orthogonal(&self, x: Values<'_>, last: Values<'_>, before: Values<'_>, by: &Recurrence, out: &mut Buffer) {
        out.has_low = self.low_words;
        if self.low_words {
            let rows = words(x).zip(words(last)).zip(words(before));
            vectorised(|| out.set(rows.map(|((x, last), before)| by.next(x, last, before))));
        } else {
            let rows = x.high.iter().zip(last.high).zip(before.high);
            out.high.clear();
            out.high.extend(rows.map(|((&x, &last), &before)| by.next(x, last, before)));
        }
    }
}

impl Recurrence {
    #[inline(always)]
    fn next<T: Scalar>(&self, x: T, last: T, before: T) -> T {
        (x.less(self.centre) * last - T::constant(self.spread_before) * before) * T::constant(self.per_spread)
    }
}

fn words(values: Values<'_>) -> impl Iterator<Item = DoubleDouble> {
    values.high.iter().enumerate().map(move |(i, &high)| DoubleDouble::from_sum(high, values.low(i)))
}
