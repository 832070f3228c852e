//! What the columns of blocks are.

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
