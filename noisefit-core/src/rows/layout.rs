//! What the columns of blocks are.

use serde::{Deserialize, Serialize};

/// The name of the intercept among coefficients, as R has it.
pub const INTERCEPT: &str = "(Intercept)";

/// What the columns of the blocks are.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Layout {
    /// The response's name, such as `y` or `log(y)`.
    pub response: String,
    /// One name for each design column, in order, without the intercept.
    pub terms: Vec<String>,
    /// Whether the model has an intercept. It has no column: estimators add it themselves.
    pub intercept: bool,
    /// The terms of the noise scale's logarithm, where that is modelled.
    pub scale: Option<ScaleLayout>,
    /// The names of the columns that say which rows belong together, for standard errors that allow for it.
    pub clusters: Vec<String>,
    /// Categories with a constant for each of their levels, which is estimated and never shown. Such a model has no intercept
    /// beside them.
    pub effects: Vec<EffectLayout>,
    /// Whether the frequencies of the rows are sampling weights, of mean 1: by them a row stands for others of a population that were
    /// not drawn. How sure the estimates are follows from how many rows there are, and not from how many these stand for.
    pub sampling: bool,
}

/// A category whose levels each have a constant.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct EffectLayout {
    /// Its name, such as `firm`.
    pub name: String,
    /// How many levels there are; some may have no row.
    pub levels: usize,
}

/// What the columns of a modelled scale are: `ln s = g0 + z'g`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ScaleLayout {
    /// One name for each column of [`Block::scale_design`].
    pub terms: Vec<String>,
    /// Whether `ln s` has an intercept, which has no column.
    pub intercept: bool,
}

impl ScaleLayout {
    /// All coefficient names, `(Intercept)` first where there is one.
    pub fn coefficient_names(&self) -> Vec<String> {
        coefficient_names(self.intercept, &self.terms)
    }
}

fn coefficient_names(intercept: bool, terms: &[String]) -> Vec<String> {
    let intercept = intercept.then(|| INTERCEPT.to_owned());
    intercept.into_iter().chain(terms.iter().cloned()).collect()
}

impl Layout {
    /// All coefficient names, `(Intercept)` first where there is one.
    pub fn coefficient_names(&self) -> Vec<String> {
        coefficient_names(self.intercept, &self.terms)
    }

    /// The number of coefficients, aliased ones included.
    pub fn coefficients(&self) -> usize {
        self.terms.len() + usize::from(self.intercept)
    }
}

/// A category of which a design has a column of zeros and ones for each level, and which other rows of the same data have as codes.
///
/// ```
/// use noisefit_core::rows::CodedCategory;
///
/// // Of levels 0 to 3 the second is the reference: columns 5, 6 and 7 are those of levels 0, 2 and 3.
/// let category = CodedCategory { first: 5, levels: 4, omitted: Some(1) };
/// assert_eq!((category.column(0), category.column(1), category.column(3)), (Some(5), None, Some(7)));
/// assert_eq!((category.level(6), category.level(4), category.columns()), (Some(2), None, 5..8));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct CodedCategory {
    /// Where the columns begin among the design's.
    pub first: usize,
    /// How many levels there are, columns or not.
    pub levels: usize,
    /// The reference level, which has no column beside an intercept; none where all have one, and there is no intercept.
    pub omitted: Option<usize>,
}

impl CodedCategory {
    /// The places of its columns.
    pub fn columns(&self) -> std::ops::Range<usize> {
        // A file may say anything.
        let count = self.levels.saturating_sub(usize::from(self.omitted.is_some()));
        self.first..self.first.saturating_add(count)
    }

    /// The design column of a level; none of the reference.
    pub fn column(&self, level: usize) -> Option<usize> {
        match self.omitted {
            Some(omitted) if omitted == level => None,
            Some(omitted) if omitted < level => Some(self.first + level - 1),
            _ => Some(self.first + level),
        }
    }

    /// The level that a design column is of; none where it is another's.
    pub fn level(&self, column: usize) -> Option<usize> {
        let place = column.checked_sub(self.first).filter(|_| self.columns().contains(&column))?;
        Some(place + usize::from(self.omitted.is_some_and(|omitted| omitted <= place)))
    }

    /// Where a column of the design without its columns stands in the whole one.
    pub fn beside(&self, column: usize) -> usize {
        if column < self.first { column } else { column + self.columns().len() }
    }
}
