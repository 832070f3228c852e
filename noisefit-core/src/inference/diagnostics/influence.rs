//! How much each row counts in a fit, and the rows that count most.

use serde::{Deserialize, Serialize};

use crate::inference::diagnostics::contract::Diagnostic;
use crate::inference::diagnostics::diagnosis::Diagnosis;
use crate::inference::diagnostics::measures::Measured;
use crate::inference::diagnostics::summary::Summary;
use crate::rows::Block;

/// Of less than this part of the variance without a row nothing is known but rounding, and its studentised residual is undefined.
const LEAST_SHRUNK: f64 = 1e-10;

/// The rows that stand out.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Influence {
    /// How rows are measured.
    pub measures: Measures,
    /// The mean leverage, `p / n`.
    pub mean_leverage: f64,
    /// Observations with a leverage above two and three times the mean.
    pub high_leverage: [f64; 2],
    /// Observations whose studentised residual (under other noise than least squares: the standardised one) is beyond 3 in
    /// size.
    pub large_residuals: f64,
    /// The rows with the largest residuals in size, studentised or standardised.
    pub largest_residuals: Vec<RowInfluence>,
    /// The rows of the largest Cook's distance; none where it is not defined.
    pub largest_cooks_distances: Vec<RowInfluence>,
    /// The rows of the largest leverage.
    pub largest_leverages: Vec<RowInfluence>,
}

/// How rows are measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Measures {
    /// Exactly, as least squares without the row would give it.
    LeastSquares,
    /// By the residual in scales of the row, and by how much the fit heeds it.
    Standardised,
}

/// What a row is to a fit.
///
/// With weights `w` and residuals `e = y - x'b`, `p` coefficients, `s` the residual standard error, `s(i)` that without row
/// `i`, and `h = w x'(X'WX)^-1 x` (Belsley, Kuh and Welsch 1980, *Regression Diagnostics*, chapter 2).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RowInfluence {
    /// Its number from 0 among the rows used.
    pub row: u64,
    /// The fitted location.
    pub fitted: f64,
    /// The response less that.
    pub residual: f64,
    /// The noise scale that the fit gives the row.
    pub scale: f64,
    /// The leverage `h`, of weighted least squares (with `1 / s(x)^2` in the weights where the scale is modelled): the share
    /// of the row's own response in its fitted value. Of equal rows, that of each.
    pub leverage: f64,
    /// Of least squares the internally studentised residual `sqrt(w) e / (s sqrt(1 - h))`; of other fits the residual in
    /// scales. Absent where the leverage is one, or the scale zero.
    pub standardised: Option<f64>,
    /// Of least squares the externally studentised residual `sqrt(w) e / (s(i) sqrt(1 - h))`.
    pub studentised: Option<f64>,
    /// Of least squares `r^2 h / (p (1 - h))` with the standardised residual `r`: how far all fitted values move without the
    /// row (Cook 1977, *Technometrics* 19, 15-18).
    pub cooks_distance: Option<f64>,
    /// Of least squares `t sqrt(h / (1 - h))` with the studentised residual `t`: how far the row's own fitted value moves.
    pub dffits: Option<f64>,
    /// Of least squares `(s(i) / s)^(2 p) / (1 - h)`: what the row does to the volume of the confidence region.
    pub covratio: Option<f64>,
    /// Of other fits: how much the row is heeded, `psi(r) / r` over that at the centre, or, where that is infinite, over
    /// that at the middle of the noise's sizes and at most one.
    pub weight: Option<f64>,
}

impl RowInfluence {
    /// The size of the residual by which rows are told apart.
    fn residual_size(&self) -> Option<f64> {
        self.studentised.or(self.standardised).map(f64::abs)
    }

    fn numbers(&self) -> [f64; 10] {
        let Self {
            fitted,
            residual,
            scale,
            leverage,
            standardised,
            studentised,
            cooks_distance,
            dffits,
            covratio,
            weight,
            ..
        } = *self;
        let or_nan = |value: Option<f64>| value.unwrap_or(f64::NAN);
        let rest = [standardised, studentised, cooks_distance, dffits, covratio, weight].map(or_nan);
        let [a, b, c, d, e, f] = rest;
        [fitted, residual, scale, leverage, a, b, c, d, e, f]
    }
}

impl Diagnosis {
    /// How rows are measured.
    pub fn measures(&self) -> Measures {
        if self.squares_location.is_none() { Measures::LeastSquares } else { Measures::Standardised }
    }

    /// The names of what [`Diagnosis::rows`] gives.
    pub fn row_columns(&self) -> &'static [&'static str] {
        match self.measures() {
            Measures::LeastSquares => &[
                "fitted",
                "residual",
                "scale",
                "leverage",
                "standardised",
                "studentised",
                "cooks_distance",
                "dffits",
                "covratio",
            ],
            Measures::Standardised => &["fitted", "residual", "scale", "leverage", "standardised", "weight"],
        }
    }

    /// The names of what [`Diagnosis::dfbetas`] gives: `dfbetas_` and a coefficient; none where rows are not measured by least squares.
    pub fn dfbetas_columns(&self) -> Vec<String> {
        match (self.measures(), self.squares.leverage()) {
            (Measures::LeastSquares, Some(leverage)) => {
                let term = |place: usize| format!("dfbetas_{}", self.squares.location.rows[place].term);
                leverage.places().into_iter().map(term).collect()
            }
            _ => Vec::new(),
        }
    }

    /// How far each coefficient moves where a row is left out, in standard errors without it (Belsley, Kuh and Welsch 1980, *Regression
    /// Diagnostics*, section 2.1): a column for each of [`Diagnosis::dfbetas_columns`], NaN where a row alone determines something.
    pub fn dfbetas(&self, block: &Block<'_>) -> Vec<Vec<f64>> {
        let (Measures::LeastSquares, Some(leverage)) = (self.measures(), self.squares.leverage()) else {
            return Vec::new();
        };
        let measured = self.measure(block);
        let df = self.squares.df_residual as f64;
        let column = |direction: &Vec<f64>| {
            let length = direction.iter().map(|x| x * x).sum::<f64>().sqrt();
            let row = |i: usize| {
                let along: f64 = direction.iter().enumerate().map(|(k, l)| l * measured.column(k)[i]).sum();
                let (error, free) = (measured.errors[i], 1.0 - measured.leverages[i]);
                // The standard error without the row, over the one with it.
                let without = ((df - error * error / free) / (df - 1.0)).sqrt();
                let moved = along * measured.root(i) * error / free / (without * length);
                if free > 0.0 && moved.is_finite() { moved } else { f64::NAN }
            };
            (0..measured.rows).map(row).collect()
        };
        leverage.directions().iter().map(column).collect()
    }

    /// The columns of [`Diagnosis::row_columns`] for the rows of a block, NaN where something is not defined.
    pub fn rows(&self, block: &Block<'_>) -> Vec<Vec<f64>> {
        let measured = self.measure(block);
        let mut columns = vec![Vec::with_capacity(measured.rows); self.row_columns().len()];
        for i in 0..measured.rows {
            let numbers = self.influence(&measured, i, 0).numbers();
            let last = columns.len() - 1;
            for (j, column) in columns.iter_mut().enumerate() {
                let weight = j == last && self.measures() == Measures::Standardised;
                column.push(if weight { numbers[9] } else { numbers[j] });
            }
        }
        columns
    }

    /// What row `i` of a block, number `row` of all, is to the fit.
    pub(super) fn influence(&self, rows: &Measured<'_>, i: usize, row: u64) -> RowInfluence {
        let leverage = rows.leverages[i];
        let mut measured = RowInfluence {
            row,
            fitted: rows.fitted[i],
            residual: rows.residuals[i],
            scale: rows.scales[i],
            leverage,
            standardised: None,
            studentised: None,
            cooks_distance: None,
            dffits: None,
            covratio: None,
            weight: None,
        };
        if self.measures() == Measures::Standardised {
            let r = Some(rows.standardised(i)).filter(|r| !r.is_nan());
            measured.standardised = r;
            measured.weight = r.map(|r| self.heed(r));
            return measured;
        }
        let (df, p, free) = (self.squares.df_residual as f64, self.order() as f64, 1.0 - leverage);
        if !(free > 0.0 && self.unit() > 0.0) {
            return measured;
        }
        let r = rows.errors[i] / free.sqrt();
        measured.standardised = Some(r);
        measured.cooks_distance = (p > 0.0).then(|| r * r * leverage / (p * free));
        // s(i)^2 / s^2; rounding where only this row has a residual.
        let shrunk = (df - r * r) / (df - 1.0);
        if df > 1.0 && shrunk > LEAST_SHRUNK {
            let t = r / shrunk.sqrt();
            measured.studentised = Some(t);
            measured.dffits = Some(t * (leverage / free).sqrt());
            measured.covratio = Some(shrunk.powf(p) / free);
        }
        measured
    }

    /// How much a standardised residual is heeded beside one at the centre.
    fn heed(&self, r: f64) -> f64 {
        let family = self.fit.noise.family();
        let centre = family.weight(0.0);
        if centre > 0.0 && centre.is_finite() {
            return family.weight(r) / centre;
        }
        if r == 0.0 { 1.0 } else { (family.weight(r) / family.weight(family.quantile(0.75))).min(1.0) }
    }
}

/// The rows at the top of three lists, and counts; in one pass.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Worst {
    /// How many of each list are kept.
    keep: usize,
    lists: [Vec<(f64, RowInfluence)>; 3],
    mean_leverage: f64,
    counts: [f64; 3],
}

impl Diagnostic for Worst {
    type Finding = Influence;

    fn new(diagnosis: &Diagnosis, keep: usize) -> Self {
        let mean_leverage = diagnosis.order() as f64 / diagnosis.fit.nobs as f64;
        Worst { keep, lists: Default::default(), mean_leverage, counts: [0.0; 3] }
    }

    fn fold(&mut self, diagnosis: &Diagnosis, rows: &Measured<'_>, before: u64) {
        for i in 0..rows.rows {
            let measured = diagnosis.influence(rows, i, before + i as u64);
            let f = rows.frequency(i);
            for (count, times) in self.counts.iter_mut().zip([2.0, 3.0]) {
                *count += if measured.leverage > times * self.mean_leverage { f } else { 0.0 };
            }
            self.counts[2] += if measured.residual_size().is_some_and(|size| size > 3.0) { f } else { 0.0 };
            let keys = [measured.residual_size(), measured.cooks_distance, Some(measured.leverage)];
            for (list, key) in self.lists.iter_mut().zip(keys) {
                if let Some(key) = key {
                    offer(list, self.keep, key, || measured.clone());
                }
            }
        }
    }

    fn merge(&mut self, later: Self, before: u64) {
        self.counts.iter_mut().zip(later.counts).for_each(|(mine, theirs)| *mine += theirs);
        for (list, theirs) in self.lists.iter_mut().zip(later.lists) {
            for (key, measured) in theirs {
                offer(list, self.keep, key, || RowInfluence { row: measured.row + before, ..measured });
            }
        }
    }

    fn finish(&self, diagnosis: &Diagnosis, _: &Summary) -> Influence {
        self.lists(diagnosis.measures())
    }
}

impl Worst {
    /// The rows that are kept.
    pub(super) fn lists(&self, measures: Measures) -> Influence {
        let [residuals, distances, leverages] = &self.lists;
        let rows = |list: &Vec<(f64, RowInfluence)>| list.iter().map(|(_, row)| row.clone()).collect();
        let [twice, thrice, large_residuals] = self.counts;
        Influence {
            measures,
            mean_leverage: self.mean_leverage,
            high_leverage: [twice, thrice],
            large_residuals,
            largest_residuals: rows(residuals),
            largest_cooks_distances: rows(distances),
            largest_leverages: rows(leverages),
        }
    }
}

/// Puts a row in its place in a descending list of at most `keep`; of equal ones the earlier row comes first.
fn offer(list: &mut Vec<(f64, RowInfluence)>, keep: usize, key: f64, measured: impl FnOnce() -> RowInfluence) {
    let full = list.len() >= keep;
    if full && list.last().is_none_or(|(last, _)| key <= *last) {
        return;
    }
    let place = list.partition_point(|(other, _)| *other >= key);
    list.insert(place, (key, measured()));
    list.truncate(keep);
}
