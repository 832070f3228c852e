//! A pass over the rows that tells a model what it must know before it can be fitted.

use super::error::FormulaError;
use super::expression::{Expr, evaluate};
use super::learned::{Distinct, Learned, LevelSet, MOST_LEVELS, Moments, Stieltjes};
use super::plan::{Lesson, Lessons, Pending, Plan};
use super::scope::Scope;
use super::select::{EvaluateError, Selection, check, value_error};
use super::spline::{Knots, Pieces};
use crate::describe::quantiles::Sample;
use crate::frame::{Column, Frame};
use noisefit_core::numeric::dispatch::vectorised;
use noisefit_core::numeric::double_double::DoubleDouble;
use noisefit_core::rows::{BLOCK_ROWS, put, take};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// One pass of learning: fold frames into clones of it, merge the clones, hand the result to
/// [`Model::learn`](super::Model::learn).
///
/// Levels do not depend on how the rows are split; means and polynomials do within the last bit of a double, since
/// their sums are double-double. Frequencies count as repeated rows; weights only leave out the rows in which they are
/// zero.
#[derive(Debug, Clone)]
pub struct Learner {
    plan: Arc<Plan>,
    /// A state for each of the plan's pending lessons, none for one that must wait for another.
    states: Vec<Option<State>>,
    rows: u64,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
enum State {
    Levels(LevelSet),
    Moments(Moments),
    Stieltjes(Stieltjes),
    /// A sample of values, the least and the largest of them.
    Values(Sample, [f64; 2]),
    Means(Means),
}

/// The means of the columns of splines.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Means {
    pieces: Pieces,
    knots: Knots,
    count: DoubleDouble,
    sums: Vec<DoubleDouble>,
}

impl Means {
    fn new(knots: &Knots) -> Self {
        let pieces = knots.pieces();
        let sums = vec![DoubleDouble::ZERO; pieces.columns()];
        Means { pieces, knots: knots.clone(), count: DoubleDouble::ZERO, sums }
    }

    fn add(&mut self, x: DoubleDouble, frequency: f64) {
        self.count += frequency;
        for (column, sum) in self.sums.iter_mut().enumerate() {
            *sum += self.pieces.value(column, x) * frequency;
        }
    }

    fn merge(&mut self, later: Means) {
        self.count += later.count;
        self.sums.iter_mut().zip(later.sums).for_each(|(sum, later)| *sum += later);
    }

    fn finish(self) -> Knots {
        let means = self.sums.iter().map(|sum| (*sum / self.count).to_f64()).collect();
        Knots { means: Some(means), ..self.knots }
    }
}

impl State {
    fn new(lesson: &Lesson) -> Option<State> {
        Some(match lesson {
            &Lesson::Levels { most, .. } => State::Levels(LevelSet::up_to(most)),
            Lesson::Moments { x, .. } if x.is_learned() => State::Moments(Moments::new(Distinct::up_to(2))),
            Lesson::Polynomial { x, degree, known: None } if x.is_learned() => {
                State::Moments(Moments::new(Distinct::up_to(degree + 1)))
            }
            Lesson::Polynomial { known: Some(known), .. } => State::Stieltjes(Stieltjes::new(known.clone())),
            Lesson::Spline { x, known: None, .. } if x.is_learned() => {
                State::Values(Sample::default(), [f64::INFINITY, f64::NEG_INFINITY])
            }
            Lesson::Spline { known: Some(knots), .. } => State::Means(Means::new(knots)),
            Lesson::Moments { .. } | Lesson::Polynomial { .. } | Lesson::Spline { .. } => return None,
        })
    }
}

impl Learner {
    pub(super) fn new(plan: Arc<Plan>) -> Self {
        let states = plan.pending.iter().map(|pending| State::new(&pending.lesson)).collect();
        Learner { plan, states, rows: 0 }
    }

    /// The complete rows seen so far.
    pub fn rows(&self) -> u64 {
        self.rows
    }

    /// Adds the complete rows of a frame that has the columns of
    /// [`Model::columns_needed`](super::Model::columns_needed).
    ///
    /// # Errors
    /// [`EvaluateError`]: a value that is not finite, a weight that is negative, a frame with other columns.
    pub fn fold(&mut self, frame: &Frame) -> Result<(), EvaluateError> {
        let plan = Arc::clone(&self.plan);
        let columns = plan.scope(Scope::All);
        check(&plan.columns, frame, columns)?;
        let mut selection = Selection::default();
        let (mut values, mut pool) = (Vec::new(), Vec::new());
        let mut seen: Vec<Vec<bool>> = vec![Vec::new(); self.states.len()];
        for start in (0..frame.rows).step_by(BLOCK_ROWS) {
            let range = start..(start + BLOCK_ROWS).min(frame.rows);
            selection.select(&plan, frame, range, columns, true, |_| {})?;
            self.rows += selection.kept.len() as u64;
            for ((pending, state), seen) in plan.pending.iter().zip(&mut self.states).zip(&mut seen) {
                match (&pending.lesson, state) {
                    (&Lesson::Levels { column, .. }, Some(State::Levels(levels))) => {
                        add_levels(levels, seen, &frame.columns[column], &selection.kept);
                    }
                    (
                        Lesson::Moments { x, .. } | Lesson::Polynomial { x, .. } | Lesson::Spline { x, .. },
                        Some(state),
                    ) => {
                        numbers(&plan, frame, &mut selection, pending, x, &mut values, &mut pool)?;
                        // Sampling weights say nothing of the columns that are made: as in R they have no part in them.
                        let counted = plan.frequencies.as_ref().filter(|_| plan.sampling.is_none());
                        let frequencies = counted.map(|_| selection.frequencies());
                        let values_count = values.len();
                        let rows = values.iter().enumerate();
                        let rows = rows.map(|(i, &x)| (x, frequencies.map_or(1.0, |frequencies| frequencies[i])));
                        match state {
                            State::Moments(moments) => {
                                vectorised(|| rows.for_each(|(x, frequency)| moments.add(x, frequency)))
                            }
                            State::Stieltjes(step) => {
                                vectorised(|| rows.for_each(|(x, frequency)| step.add(x, frequency)))
                            }
                            State::Values(sample, [low, high]) => {
                                let (mut doubles, mut count) = (Vec::with_capacity(values_count), 0);
                                for (x, frequency) in rows {
                                    let x = x.to_f64();
                                    (*low, *high) = (low.min(x), high.max(x));
                                    // As often as rows stand for others.
                                    for _ in 0..frequency as u64 {
                                        doubles.push(x);
                                        count += 1;
                                        if count % BLOCK_ROWS == 0 {
                                            sample.extend(&doubles);
                                            doubles.clear();
                                        }
                                    }
                                }
                                sample.extend(&doubles);
                            }
                            State::Means(means) => rows.for_each(|(x, frequency)| means.add(x, frequency)),
                            State::Levels(_) => {}
                        }
                    }
                    _ => {}
                }
            }
        }
        for ((pending, state), seen) in plan.pending.iter().zip(&mut self.states).zip(&seen) {
            if let (&Lesson::Levels { column, .. }, Some(State::Levels(set))) = (&pending.lesson, state)
                && let Column::Category { levels, .. } = &frame.columns[column]
            {
                levels.iter().zip(seen).filter(|(_, seen)| **seen).for_each(|(level, _)| set.add_text(level));
            }
        }
        Ok(())
    }

    /// Adds the rows of `later`, which follow those of `self`.
    pub fn merge(&mut self, later: Learner) {
        self.rows += later.rows;
        for (state, later) in self.states.iter_mut().zip(later.states) {
            match (state, later) {
                (Some(State::Levels(levels)), Some(State::Levels(later))) => levels.merge(later),
                (Some(State::Moments(moments)), Some(State::Moments(later))) => moments.merge(later),
                (Some(State::Stieltjes(step)), Some(State::Stieltjes(later))) => step.merge(later),
                (Some(State::Values(sample, range)), Some(State::Values(later, others))) => {
                    sample.merge(later);
                    *range = [range[0].min(others[0]), range[1].max(others[1])];
                }
                (Some(State::Means(means)), Some(State::Means(later))) => means.merge(later),
                _ => {}
            }
        }
    }

    /// What it was told, as bytes.
    ///
    /// # Errors
    /// [`noisefit_core::Error::State`] for what cannot be written.
    pub fn to_bytes(&self) -> Result<Vec<u8>, noisefit_core::Error> {
        let mut bytes = Vec::new();
        put(&(self.rows, &self.states), &mut bytes)?;
        Ok(bytes)
    }

    /// The learner of this one's model that was told what these bytes say.
    ///
    /// # Errors
    /// [`noisefit_core::Error::State`] for bytes of another learner, or of none.
    pub fn of_bytes(&self, bytes: &[u8]) -> Result<Self, noisefit_core::Error> {
        let (rows, states): (u64, Vec<Option<State>>) = take(&mut &bytes[..])?;
        let kinds = |states: &[Option<State>]| -> Vec<_> {
            states.iter().map(|state| state.as_ref().map(std::mem::discriminant)).collect()
        };
        match kinds(&states) == kinds(&self.states) {
            true => Ok(Learner { plan: Arc::clone(&self.plan), states, rows }),
            false => Err(noisefit_core::Error::State("it is of another formula".to_owned())),
        }
    }

    /// Writes down what the pass has told.
    pub(super) fn finish(self, learned: &mut Lessons) -> Result<(), FormulaError> {
        for (pending, state) in self.plan.pending.iter().zip(self.states) {
            let refused = |message: String| Err(pending.refuse(message));
            let name = pending.shown();
            if self.rows == 0 && state.is_some() {
                return refused(format!("there is no complete row to learn {name} from"));
            }
            let lesson = match (&pending.lesson, state) {
                (&Lesson::Levels { numeric, most, .. }, Some(State::Levels(levels))) => {
                    let levels = levels.finish(numeric);
                    match levels.len() {
                        1 => {
                            let level = &levels.names()[0];
                            return refused(format!(
                                "{name} has the one level '{level}' in the complete rows; a category needs two or more, so leave it out"
                            ));
                        }
                        count if count > most => {
                            let instead = match most == MOST_LEVELS {
                                true => {
                                    "if it identifies the rows, leave it out; else absorb its levels, as in y ~ x | "
                                }
                                false => "it identifies the rows, so leave it out",
                            };
                            let column = if most == MOST_LEVELS { name } else { "" };
                            return refused(format!("{name} has more than {most} levels; {instead}{column}"));
                        }
                        _ => Learned::Levels(Arc::new(levels)),
                    }
                }
                (&Lesson::Moments { scaled, .. }, Some(State::Moments(moments))) => {
                    if scaled && moments.distinct.count() < 2 {
                        return refused(format!(
                            "{name} divides by a standard deviation of zero: there is one distinct value, so leave it out"
                        ));
                    }
                    let deviation = if scaled { moments.deviation() } else { DoubleDouble::ONE };
                    Learned::Moments { mean: moments.mean().into(), deviation: deviation.into() }
                }
                (&Lesson::Polynomial { degree, .. }, Some(State::Moments(moments))) => {
                    let distinct = moments.distinct.count();
                    if distinct <= degree {
                        return refused(format!(
                            "{name} needs more than {degree} distinct values and there are {distinct}; lower the degree"
                        ));
                    }
                    Learned::Polynomial(moments.polynomial())
                }
                (Lesson::Polynomial { .. }, Some(State::Stieltjes(step))) => Learned::Polynomial(step.finish()),
                (Lesson::Spline { asked, .. }, Some(State::Values(sample, range))) => {
                    match asked.knots(&sample, range) {
                        Ok(knots) => Learned::Spline(knots),
                        Err(why) => return refused(format!("{name}: {why}")),
                    }
                }
                (Lesson::Spline { .. }, Some(State::Means(means))) => Learned::Spline(means.finish()),
                _ => continue,
            };
            learned.insert(pending.name.clone(), lesson);
        }
        Ok(())
    }
}

fn add_levels(levels: &mut LevelSet, seen: &mut Vec<bool>, column: &Column, kept: &[usize]) {
    match column {
        Column::Category { codes, levels } => {
            seen.resize(levels.len(), false);
            for &row in kept {
                if let Some(seen) = seen.get_mut(codes[row] as usize) {
                    *seen = true;
                }
            }
        }
        Column::Number { high, low } => {
            kept.iter().for_each(|&row| levels.add_number(high[row], low.as_ref().map_or(0.0, |low| low[row])));
        }
    }
}

/// The values of `x` in the selected rows, all finite.
fn numbers(
    plan: &Plan,
    frame: &Frame,
    selection: &mut Selection,
    pending: &Pending,
    x: &Expr,
    values: &mut Vec<DoubleDouble>,
    pool: &mut Vec<Vec<DoubleDouble>>,
) -> Result<(), EvaluateError> {
    let rows = selection.kept.len();
    selection.gather(frame, plan.scope(Scope::All));
    let columns = selection.columns(frame, plan.scope(Scope::All));
    evaluate(x, &columns, rows, values, None, pool);
    match values.iter().position(|value| !value.is_finite()) {
        None => Ok(()),
        Some(place) => {
            let advice = "every value must be finite; leave such records out or transform the column differently";
            let (row, value) = (selection.kept[place], values[place].high);
            Err(value_error(plan, frame, x, row, format!("what {} is learned from", pending.name), value, advice))
        }
    }
}
