//! Categories whose levels each have a constant, swept out of all columns before a fit.
//!
//! Least squares with the indicators `D` of all levels beside the columns `X` has the coefficients of `X` that least squares of what
//! `D` leaves of the response has on what `D` leaves of each column (Frisch and Waugh 1933, *Econometrica* 1, 387-401). With one
//! category that is every value less the mean of its level; with several a sparse system over the levels is solved for every
//! column ([`projection`]). Nothing here is of the size of rows times levels, or of levels times levels.

mod cells;
mod level_columns;
mod level_sums;
mod projection;
mod rest;
mod ritz;
mod within;

use std::ops::ControlFlow;
use std::sync::Arc;

use crate::Error;
use crate::algebra::ladder::Rounding;
use crate::algebra::magnitudes::Magnitudes;
use crate::algebra::moments::Moments;
use crate::numeric::double_double::DoubleDouble;
use crate::rows::{Accumulator, Adapted, Kinds, Layout, Request, RowSource, RowSourceExt};
use cells::{Cells, Components};
pub(crate) use level_columns::LevelColumns;
pub(crate) use level_sums::LevelSums;
use level_sums::Sums;
use projection::{Projected, Projection};
use rest::Rest;
use within::Parts;
pub(crate) use within::Within;

/// A column of which the effects leave less than this part of its deviations is one of the effects' own: what the steps of several
/// effects may leave is a thousandth of it.
const EMPTY_PART: f64 = 1e-9;

/// Sums of squares that differ by more than this part are told apart as they stand.
const PLAIN_PART: f64 = 1e-10;

/// What a column's values may be off beside the rounding of the values themselves, in units of that, where several effects were swept
/// out by steps.
const STEPS: f64 = 1e5;

/// The effects of a source's rows, and what they have of every column.
#[derive(Debug)]
pub(crate) struct Absorbed {
    /// Of each effect, in the order of the layout.
    pub(crate) effects: Vec<Effect>,
    /// The dimension of what all constants together span.
    pub(crate) rank: usize,
    /// `sum(v (y - mean)^2)` of the response, over all rows.
    pub(crate) total_sum_of_squares: f64,
    /// Steps that it took to tell several effects apart.
    pub(crate) steps: usize,
    /// `sum(v y^2)` of what the effects alone explain of the response, about zero.
    pub(crate) explained_response: f64,
    parts: Arc<Parts>,
    /// Design columns that are nothing but effects.
    pub(crate) empty: Vec<bool>,
    rounding: Rounding,
    components: Option<[Vec<u32>; 2]>,
}

/// One effect.
#[derive(Debug)]
pub(crate) struct Effect {
    pub(crate) name: String,
    /// Levels that have rows.
    pub(crate) levels: usize,
    /// Levels that have one observation.
    pub(crate) singletons: usize,
    /// Whether each of its levels lies within one cluster of one of the layout's columns of clusters.
    pub(crate) nested: bool,
    /// Which levels have rows.
    pub(crate) has_rows: Vec<bool>,
}

impl Absorbed {
    /// Reads the rows once, and once more where a column is all but one of the effects.
    ///
    /// # Errors
    /// [`Error::NoRows`]; [`Error::Value`] and [`Error::Range`] for numbers that cannot be used; [`Error::Undetermined`] for several
    /// effects that do not come apart; what the source reports.
    pub(crate) fn new(source: &dyn RowSource) -> Result<Self, Error> {
        let layout = source.layout();
        let sums = source.pass(LevelSums::new(layout, centres(source)?))?;
        check(source, &sums)?;
        let (deviations, squares, columns) = (sums.deviations(), sums.squares(), layout.terms.len());
        let levels: Vec<usize> = layout.effects.iter().map(|effect| effect.levels).collect();
        let weights: Vec<Vec<f64>> = sums.effects().iter().map(|effect| effect.weights()).collect();
        let products: Vec<Vec<f64>> = sums.effects().iter().map(|effect| effect.products()).collect();
        let effects = layout.effects.iter().zip(sums.effects()).zip(&weights);
        let effects: Vec<Effect> = effects
            .map(|((effect, sums), weights)| Effect {
                name: effect.name.clone(),
                levels: sums.met(),
                singletons: sums.singletons(),
                nested: sums.is_nested() && !layout.clusters.is_empty(),
                has_rows: weights.iter().map(|weight| *weight > 0.0).collect(),
            })
            .collect();
        let (shifts, about_shifts) = (sums.shifts().to_vec(), sums.about_shifts());
        let mut absorbed = Absorbed {
            rank: effects.iter().map(|effect| effect.levels).sum(),
            effects,
            total_sum_of_squares: deviations[columns],
            steps: 0,
            explained_response: sums.moved(columns),
            parts: Arc::default(),
            empty: vec![false; columns],
            rounding: Rounding { norms: squares.iter().map(|square| square.sqrt()).collect(), span: 1.0 },
            components: None,
        };
        // Rounding of the columns themselves is no part of them that could be explained.
        let sizes: Vec<f64> = deviations.iter().zip(&squares).map(|(d, s)| d + PLAIN_PART * s).collect();
        let parts = match &products[..] {
            [alone] => {
                let inverse: Vec<f64> = weights[0].iter().map(|w| if *w > 0.0 { 1.0 / w } else { 0.0 }).collect();
                let means = alone.chunks_exact(shifts.len()).zip(&inverse);
                let means = means.flat_map(|(sums, inverse)| sums.iter().map(move |sum| sum * inverse)).collect();
                Parts { effects: vec![means], shifts, leverages: inverse }
            }
            several => {
                let effects = absorbed.crossed(sums, &levels, several, &sizes, source.threads(), layout)?;
                Parts { effects, shifts, leverages: Vec::new() }
            }
        };
        let explained = parts.explained(&products);
        absorbed.explained_response += explained[columns];
        absorbed.parts = Arc::new(parts.settled());
        let suspect = |j: usize| about_shifts[j] - explained[j] <= PLAIN_PART * sizes[j];
        if (0..columns).any(suspect) {
            let left = absorbed.rows(source).pass(Moments::new(columns, false))?;
            let is_empty = |j: usize| suspect(j) && left.product(j, j) <= EMPTY_PART * EMPTY_PART * sizes[j];
            absorbed.empty = (0..columns).map(is_empty).collect();
        }
        Ok(absorbed)
    }

    /// The parts of several effects; and their rank, and how they hang together.
    fn crossed(
        &mut self,
        sums: LevelSums,
        levels: &[usize],
        products: &[Vec<f64>],
        sizes: &[f64],
        threads: usize,
        layout: &Layout,
    ) -> Result<Vec<Vec<f64>>, Error> {
        // The one with the most levels is eliminated.
        let first = (0..levels.len()).rev().max_by_key(|&k| levels[k]).unwrap_or(0);
        let (combinations, weights) = sums.into_combinations();
        let cells = Cells::new(&combinations, &weights, levels, first);
        drop((combinations, weights));
        // Every further effect holds constants that those before hold, too: at least as many as it has components with one of them.
        for k in 1..levels.len() {
            let shared = (0..k).map(|j| cells.components([j, k], first, levels).count()).max();
            self.rank -= shared.unwrap_or(0);
        }
        if levels.len() == 2 {
            let found = cells.components([0, 1], first, levels);
            self.components = Some(found).filter(|found| found.count() > 1).map(Components::of_levels);
        }
        let projection = Projection { cells: &cells, first, levels, products, sizes, threads };
        let Projected { parts, steps } = projection.solve().ok_or_else(|| {
            let names: Vec<&str> = layout.effects.iter().map(|effect| effect.name.as_str()).collect();
            Error::Undetermined {
                why: format!(
                    "the effects {} hang together by so few rows that they do not come apart",
                    names.join(" and ")
                ),
                remedy: Some("leave one of them out, or put the one with few levels among the terms"),
            }
        })?;
        self.steps = steps;
        self.rounding.span = STEPS;
        Ok(parts)
    }

    /// The rows of a source with the effects swept out of all columns, which have no intercept.
    pub(crate) fn rows<'a>(&self, source: &'a dyn RowSource) -> Adapted<'a, Within> {
        let layout = Layout { intercept: false, effects: Vec::new(), ..source.layout().clone() };
        Adapted::new(source, Within::new(self.parts.clone(), self.empty.clone()), layout)
    }

    /// The same rows with the levels of the effects still beside them.
    pub(crate) fn rows_with_effects<'a>(&self, source: &'a dyn RowSource) -> Adapted<'a, Within> {
        let layout = Layout { intercept: false, ..source.layout().clone() };
        Adapted::new(source, Within::new(self.parts.clone(), self.empty.clone()), layout)
    }

    /// What the values of the columns are rounded by.
    pub(crate) fn rounding(&self) -> Rounding {
        self.rounding.clone()
    }

    /// For each effect the constant of every level under these coefficients of the design columns, none for a level without rows. With
    /// several effects constants may be moved from one to another, component by component.
    pub(crate) fn constants(&self, coefficients: &[Option<f64>]) -> Vec<Vec<Option<f64>>> {
        let width = self.parts.shifts.len();
        let value = |of: &[f64]| {
            let slopes = coefficients.iter().zip(of).filter_map(|(b, x)| Some((*b)? * x));
            of[width - 1] - slopes.sum::<f64>()
        };
        let all = value(&self.parts.shifts);
        let of_effect = |(k, effect): (usize, &Effect)| {
            let levels = self.parts.effects[k].chunks_exact(width).zip(&effect.has_rows);
            // What all rows have goes with the first.
            levels.map(|(part, has)| has.then(|| value(part) + if k == 0 { all } else { 0.0 })).collect()
        };
        self.effects.iter().enumerate().map(of_effect).collect()
    }

    /// Of an effect that is alone the mean of every column over the rows of each level, the response's last, and one over what the rows
    /// of the level weigh; zeros for a level without rows.
    pub(crate) fn alone(&self) -> Option<(&[f64], &[f64])> {
        match &self.parts.effects[..] {
            [means] => Some((means, &self.parts.leverages)),
            _ => None,
        }
    }

    /// Of an effect that is alone the constant of every level beside these coefficients of the design columns, summed again of what they
    /// leave of the rows; NaN for a level without rows. They are right to about the rounding of a double; where `extended`, with the values'
    /// low words.
    ///
    /// # Errors
    /// What the source reports.
    pub(crate) fn refined(
        &self,
        source: &dyn RowSource,
        coefficients: &[f64],
        extended: bool,
    ) -> Result<Vec<DoubleDouble>, Error> {
        let Some((means, inverse)) = self.alone() else { return Ok(Vec::new()) };
        let first = |means: &[f64]| {
            let (x, y) = means.split_at(coefficients.len());
            let slopes = x
                .iter()
                .zip(coefficients)
                .fold(DoubleDouble::ZERO, |sum, (x, b)| sum + DoubleDouble::from_product(*x, *b));
            (DoubleDouble::from(y[0]) - slopes).to_f64()
        };
        let constants: Vec<f64> = means.chunks_exact(coefficients.len() + 1).map(first).collect();
        let rest = Rest { slopes: coefficients.to_vec(), constants: Arc::new(constants.clone()), extended };
        let layout = Layout { terms: Vec::new(), intercept: false, ..source.layout().clone() };
        let rows = Adapted::new(source, rest, layout);
        let sums = rows.pass(LevelSums::new(rows.layout(), vec![0.0]))?;
        let products = sums.effects().first().map(Sums::products).unwrap_or_default();
        let constant = |((first, rest), inverse): ((&f64, &f64), &f64)| match *inverse > 0.0 {
            true => DoubleDouble::from_sum(*first, rest * inverse),
            false => DoubleDouble::from(f64::NAN),
        };
        Ok(constants.iter().zip(&products).zip(inverse).map(constant).collect())
    }

    /// Of two effects that fall into several components, that of every level of both: constants of different ones cannot be added.
    pub(crate) fn components(&self) -> Option<&[Vec<u32>; 2]> {
        self.components.as_ref()
    }
}

/// Numbers near the columns, the response's last: the means of a first unit of rows.
fn centres(source: &dyn RowSource) -> Result<Vec<f64>, Error> {
    let (columns, mut first) = (source.layout().terms.len(), None);
    source.units(&Moments::new(columns, true), &mut |state| match Moments::from_pass(state) {
        Ok(moments) if moments.rows() > 0 => {
            first = Some((0..=columns).map(|j| moments.mean(j)).collect());
            ControlFlow::Break(())
        }
        _ => ControlFlow::Continue(()),
    })?;
    first.ok_or(Error::NoRows)
}

/// Refuses numbers that cannot be used.
fn check(source: &dyn RowSource, sums: &LevelSums) -> Result<(), Error> {
    if sums.rows() == 0 {
        return Err(Error::NoRows);
    }
    let fits = |square: &f64| *square == 0.0 || (1e-200..1e200).contains(square);
    if !sums.squares().iter().all(fits) {
        let layout = source.layout();
        let magnitudes = source.pass(Magnitudes::new(layout.terms.len()))?;
        let bad = magnitudes.bad_value(&layout.terms, &layout.response);
        if let Some(error) = bad.or_else(|| magnitudes.out_of_range(&layout.terms, &layout.response)) {
            return Err(error);
        }
    }
    Ok(())
}

/// The passes of this module.
pub(super) fn kinds() -> Kinds {
    Kinds::default().with::<LevelSums>().with_adaptor::<Within>().with_adaptor::<Rest>().with_adaptor::<LevelColumns>()
}
