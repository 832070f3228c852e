//! Effects that were absorbed: constants of levels that no table shows.

use serde::{Deserialize, Serialize};

use crate::algebra::by_level::ByLevel;
use crate::rows::Design;

/// The absorbed effects of a fit, as those of `y ~ x | firm + year`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Absorbed {
    /// Each of them, in the order of the formula.
    pub effects: Vec<AbsorbedEffect>,
    /// How many estimated numbers they are: the dimension of what all their constants span. Of two effects it is exact, the number of
    /// their levels less that of the parts into which they fall; of more it is at least the right one.
    pub rank: u64,
    /// The share of the variation within the levels that the terms explain.
    pub within_r_squared: Option<f64>,
    /// The steps that it took to tell several effects apart; zero for one.
    pub steps: u64,
    /// Of two effects that fall into several parts, which no row connects, the part of every level of both: constants of different parts
    /// cannot be added up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parts: Option<[Vec<u32>; 2]>,
    /// Of one effect under Gaussian noise the variance of the location of a row of any level, in units of the fit's
    /// [`location_variance`](crate::record::Fit::location_variance).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) form: Option<Box<ByLevel>>,
}

/// An absorbed effect.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AbsorbedEffect {
    /// Its name in the formula.
    pub name: String,
    /// The levels that have rows.
    pub levels: u64,
    /// Levels of one observation, which tell nothing of the terms. They are kept.
    pub singletons: u64,
    /// Whether each of its levels lies within one cluster of the standard errors; false without clusters.
    pub nested: bool,
    /// The constant of every level, in the order of the levels of the design; none for a level without rows. Absent where they were
    /// dropped.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub constants: Option<Vec<Option<f64>>>,
}

impl Absorbed {
    /// How many of the estimated numbers say nothing of how clusters differ: levels that lie within clusters, less one for each such
    /// effect (as fixest counts them by default).
    pub(crate) fn nested(&self) -> u64 {
        self.effects.iter().filter(|effect| effect.nested).map(|effect| effect.levels - 1).sum()
    }

    /// What the effects add to the location of rows with these levels, NaN where that is not determined.
    ///
    /// None where the constants were dropped, or rows do not have a level for each effect.
    pub fn values(&self, levels: &[&[u32]], rows: usize) -> Option<Vec<f64>> {
        let constants: Option<Vec<_>> = self.effects.iter().map(|effect| effect.constants.as_deref()).collect();
        let constants = constants.filter(|constants| constants.len() == levels.len())?;
        let constant = |(of_effect, levels): (&&[Option<f64>], &&[u32]), i: usize| {
            of_effect.get(levels[i] as usize).copied().flatten().unwrap_or(f64::NAN)
        };
        let connected = |i: usize| match (&self.parts, levels) {
            (Some([first, second]), [a, b]) => first.get(a[i] as usize) == second.get(b[i] as usize),
            _ => true,
        };
        let row = |i: usize| match connected(i) {
            true => constants.iter().zip(levels).map(|pair| constant(pair, i)).sum(),
            false => f64::NAN,
        };
        Some((0..rows).map(row).collect())
    }

    /// The variances of the locations of rows with these levels, as multiples of the fit's
    /// [`location_variance`](crate::record::Fit::location_variance); none where they are not known.
    pub(crate) fn variances(&self, levels: &[&[u32]], design: Design<'_>) -> Option<Vec<f64>> {
        match (&self.form, levels) {
            (Some(form), [levels]) => Some(form.beside_levels(levels, design)),
            _ => None,
        }
    }

    /// Whether it is known how sure predictions are.
    pub fn has_variances(&self) -> bool {
        self.form.is_some()
    }

    /// Whether what is known of variances goes with so many design columns.
    pub(crate) fn is_of(&self, columns: usize) -> bool {
        let levels = self.effects.first().and_then(|effect| effect.constants.as_ref());
        self.form.as_ref().is_none_or(|form| levels.is_some_and(|levels| form.is_of(levels.len(), columns)))
    }

    /// Whether the parts go together, as they do unless a file was damaged.
    pub fn is_sound(&self) -> bool {
        let same_length = |part: &[u32], effect: &AbsorbedEffect| {
            effect.constants.as_ref().is_none_or(|constants| constants.len() == part.len())
        };
        match (&self.parts, &self.effects[..]) {
            (None, effects) => !effects.is_empty(),
            (Some([a, b]), [first, second]) => same_length(a, first) && same_length(b, second),
            _ => false,
        }
    }

    /// Without the constants, and so without predictions.
    pub fn drop_constants(&mut self) {
        (self.parts, self.form) = (None, None);
        self.effects.iter_mut().for_each(|effect| effect.constants = None);
    }
}
