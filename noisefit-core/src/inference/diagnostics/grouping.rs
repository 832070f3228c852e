//! Whether rows that have a value of some column in common are alike, beyond what the regressors say.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::Error;
use crate::inference::diagnostics::diagnosis::Diagnosis;
use crate::numeric::distribution::{Distribution, FisherF, Normal};
use crate::rows::{Accumulator, Block, Kinds, RowSource, RowSourceExt};

/// Of a column with more values than this nothing is said.
const MOST_GROUPS: usize = 20_000;

/// Fewer groups than this are levels of a term rather than a sample of groups.
const LEAST_GROUPS: usize = 3;

/// What the groups of a column have in common.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Grouping {
    /// The column.
    pub column: String,
    /// Its groups.
    pub groups: u64,
    /// The mean square of the residuals between groups over that within.
    pub statistic: f64,
    /// One less than there are groups.
    pub df: f64,
    /// The degrees of freedom within groups.
    pub df_residual: f64,
    /// The larger of two, times the number of columns that were looked at (Bonferroni): by Fisher's F, which holds for noise of one
    /// scale, and by `z = sum of e_i e_j / sqrt(2 sum of e_i^2 e_j^2)` over the pairs of rows of each group, which holds for scales that
    /// differ, too: small groups of noisier rows would often be called alike by F alone.
    pub p_value: f64,
    /// The correlation of residuals of one group by analysis of variance (Donner and Koval 1980, *Biometrics* 36, 19-25).
    pub intraclass_correlation: f64,
}

impl Diagnosis {
    /// Whether residuals are alike within the groups of each clustering of the source, whose rows may be fewer than those of the fit;
    /// nothing of columns that hardly repeat a value, have fewer than three, or whose groups the regressors already tell apart.
    ///
    /// # Errors
    /// What the source reports.
    pub fn groupings(&self, source: &dyn RowSource) -> Result<Vec<Grouping>, Error> {
        let columns = source.layout().clusters.clone();
        if columns.is_empty() || self.unit() == 0.0 {
            return Ok(Vec::new());
        }
        let sums = source.pass(Sums::new(Arc::new(self.clone()), columns.len()))?;
        let looked = sums.groups.iter().flatten().count() as f64;
        let of = |(column, groups): (&String, &Option<Groups>)| {
            let found = groups.as_ref()?.finish(sums.count, self.order() as f64)?;
            Some(Grouping { column: column.clone(), p_value: (looked * found.p_value).min(1.0), ..found })
        };
        Ok(columns.iter().zip(&sums.groups).filter_map(of).collect())
    }
}

/// Of each group how many rows there are, the sum of their errors and that of the squares; of all rows the sum of fourth powers.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
struct Groups {
    of: BTreeMap<u64, [f64; 3]>,
    fourth_powers: f64,
}

impl Groups {
    fn finish(&self, count: f64, order: f64) -> Option<Grouping> {
        let groups = self.of.len();
        let (g, within) = (groups as f64, count - groups as f64 - order);
        if groups < LEAST_GROUPS || g > 0.5 * count || within < 1.0 {
            return None;
        }
        let over = |of: fn(&[f64; 3]) -> f64| self.of.values().map(of).sum::<f64>();
        let (total, squares) = (over(|[_, sum, _]| *sum), over(|[_, _, squares]| *squares));
        let explained = over(|[n, sum, _]| sum * sum / n);
        let between = (explained - total * total / count) / (g - 1.0);
        let rest = (squares - explained) / within;
        let sizes = over(|[n, ..]| n * n);
        let pairs = over(|[_, sum, _]| sum * sum) - squares;
        let variance = 2.0 * (over(|[_, _, squares]| squares * squares) - self.fourth_powers);
        let size = (count - sizes / count) / (g - 1.0);
        let statistic = between / rest;
        if !(rest > 0.0 && variance > 0.0 && statistic.is_finite()) {
            return None;
        }
        Some(Grouping {
            column: String::new(),
            groups: groups as u64,
            statistic,
            df: g - 1.0,
            df_residual: within,
            p_value: FisherF::new(g - 1.0, within)
                .ok()?
                .survival(statistic)
                .max(Normal.survival(pairs / variance.sqrt())),
            intraclass_correlation: (statistic - 1.0) / (statistic + size - 1.0),
        })
    }
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Sums {
    diagnosis: Arc<Diagnosis>,
    rows: u64,
    count: f64,
    /// None of a column with too many.
    groups: Vec<Option<Groups>>,
}

impl Sums {
    fn new(diagnosis: Arc<Diagnosis>, columns: usize) -> Self {
        Sums { diagnosis, rows: 0, count: 0.0, groups: vec![Some(Groups::default()); columns] }
    }
}

impl Accumulator for Sums {
    const KIND: &'static str = "groupings";

    fn fold(&mut self, block: &Block<'_>) {
        let measured = self.diagnosis.measure(block);
        for (kept, ids) in self.groups.iter_mut().zip(block.clusters) {
            let Some(groups) = kept else { continue };
            for (i, id) in ids.iter().enumerate() {
                let (f, e) = (measured.frequency(i), measured.errors[i]);
                let group = groups.of.entry(*id).or_default();
                *group = [group[0] + f, group[1] + f * e, group[2] + f * e * e];
                groups.fourth_powers += f * e * e * e * e;
            }
            if groups.of.len() > MOST_GROUPS {
                *kept = None;
            }
        }
        self.count += (0..measured.rows).map(|i| measured.frequency(i)).sum::<f64>();
        self.rows += measured.rows as u64;
    }

    fn merge(&mut self, later: Self) {
        self.count += later.count;
        self.rows += later.rows;
        for (kept, theirs) in self.groups.iter_mut().zip(later.groups) {
            let (Some(groups), Some(theirs)) = (&mut *kept, theirs) else {
                *kept = None;
                continue;
            };
            groups.fourth_powers += theirs.fourth_powers;
            for (id, sums) in theirs.of {
                let group = groups.of.entry(id).or_default();
                group.iter_mut().zip(sums).for_each(|(mine, theirs)| *mine += theirs);
            }
            if groups.of.len() > MOST_GROUPS {
                *kept = None;
            }
        }
    }

    fn rows(&self) -> u64 {
        self.rows
    }
}

/// The passes of this module.
pub(super) fn kinds() -> Kinds {
    Kinds::default().with::<Sums>()
}
