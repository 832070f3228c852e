//! Whether the spread of the noise is the same in every row, and what it varies with.

use serde::{Deserialize, Serialize};

use crate::algebra::gram::packed;
use crate::inference::diagnostics::contract::Diagnostic;
use crate::inference::diagnostics::diagnosis::Diagnosis;
use crate::inference::diagnostics::found::{ChiSquaredTest, Found};
use crate::inference::diagnostics::measures::Measured;
use crate::inference::diagnostics::products::Products;
use crate::inference::diagnostics::summary::Summary;
use crate::numeric::distribution::{StudentT, Symmetric};

/// White's test is made with up to so many auxiliary columns.
const WHITE_COLUMNS: usize = 300;

/// A smaller share of a sum of squares is none.
const ROUNDING: f64 = 1e-18;

/// Tests of a constant variance, on the residuals of least squares.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Heteroscedasticity {
    /// Half the sum of squares that the regressors explain of `e^2 / (SSE / n)`: exact in large samples for Gaussian noise
    /// (Breusch and Pagan 1979, *Econometrica* 47, 1287-1294).
    pub breusch_pagan: Found<ChiSquaredTest>,
    /// `n R^2` of the regression of `e^2` on the regressors: for any noise (Koenker 1981, *Journal of Econometrics* 17,
    /// 107-112).
    pub studentised_breusch_pagan: Found<ChiSquaredTest>,
    /// `n R^2` of that on the regressors, their squares and cross products (White 1980, *Econometrica* 48, 817-838); those
    /// that are linear combinations of others are left out.
    pub white: Found<ChiSquaredTest>,
    /// The regression of `|e|` on all regressors together, the strongest first: what the spread varies with (Glejser 1969,
    /// *Journal of the American Statistical Association* 64, 316-323).
    pub drivers: Vec<Driver>,
}

/// How the spread of the noise varies with a regressor, the others being held.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Driver {
    /// The term.
    pub term: String,
    /// The t statistic of its coefficient: positive where the spread grows with it.
    pub statistic: f64,
    /// Its two-sided p-value.
    pub p_value: f64,
}

/// Sums of products of a constant, the whitened regressors, `e^2` and `|e|`; each row counts as often as its frequency.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Spread {
    products: Products,
    slopes: std::ops::Range<usize>,
    white: White,
}

impl Diagnostic for Spread {
    type Finding = Heteroscedasticity;

    fn new(diagnosis: &Diagnosis, _: usize) -> Self {
        let slopes = diagnosis.slopes();
        Spread { products: Products::new(slopes.len() + 3), white: White::new(slopes.clone()), slopes }
    }

    fn fold(&mut self, _: &Diagnosis, rows: &Measured<'_>, _: u64) {
        self.white.fold(rows);
        let count = self.slopes.len();
        let first = self.slopes.start;
        self.products.add(rows.rows, |j, range, values| {
            let errors = &rows.errors[range.clone()];
            match j {
                0 => values.fill(1.0),
                _ if j <= count => values.copy_from_slice(&rows.column(first + j - 1)[range.clone()]),
                _ if j == count + 1 => values.iter_mut().zip(errors).for_each(|(value, e)| *value = e * e),
                _ => values.iter_mut().zip(errors).for_each(|(value, e)| *value = e.abs()),
            }
            by_frequency(rows, range, values);
        });
    }

    fn merge(&mut self, later: Self, _: u64) {
        self.products.merge(&later.products);
        self.white.merge(&later.white);
    }

    fn finish(&self, diagnosis: &Diagnosis, summary: &Summary) -> Heteroscedasticity {
        let count = self.slopes.len();
        let (square, size) = (count + 1, count + 2);
        let factor = self.products.factor(count + 1);
        let n = summary.observations;
        let rank = factor.kept.len() as f64 - 1.0;
        // The first kept column is the constant.
        let explained: f64 = factor.row(square).iter().skip(1).map(|value| value * value).sum();
        let mean = self.products.get(square, 0) / n;
        let total = self.products.get(square, square) - n * mean * mean;
        // A modelled scale leaves its own columns nothing to explain, but for rounding.
        let explained = if explained > ROUNDING * total { explained } else { 0.0 };
        let ready = || {
            summary.test().and_then(|()| if rank < 1.0 { Found::no("there is no regressor") } else { Found::Yes(()) })
        };
        let breusch_pagan = ready().and_then(|()| ChiSquaredTest::new(0.5 * explained / (mean * mean), rank));
        let studentised_breusch_pagan = ready().and_then(|()| ChiSquaredTest::new(n * explained / total, rank));
        let mut drivers = match ready() {
            Found::Yes(()) => self.drivers(diagnosis, &factor, size, n),
            Found::No { .. } => Vec::new(),
        };
        drivers.sort_by(|a, b| b.statistic.abs().total_cmp(&a.statistic.abs()));
        Heteroscedasticity { breusch_pagan, studentised_breusch_pagan, white: self.white.finish(summary), drivers }
    }
}

impl Spread {
    /// The coefficients of the regressors themselves in the regression of `|e|` on the whitened ones.
    fn drivers(&self, diagnosis: &Diagnosis, factor: &super::products::Factor<'_>, size: usize, n: f64) -> Vec<Driver> {
        let df = n - factor.kept.len() as f64;
        let (Some(leverage), Ok(distribution)) = (diagnosis.squares.leverage(), StudentT::new(df)) else {
            return Vec::new();
        };
        let whitened = factor.coefficients(size);
        let variance = factor.residual(size) / df;
        let driver = |j: usize| {
            // Column j is the sum over k <= j of L[j, k] u[k], but for the constant.
            let share = |k: usize| match k.checked_sub(1) {
                Some(k) if self.slopes.start + k <= j => leverage.factor()[packed(j, self.slopes.start + k)],
                _ => 0.0,
            };
            let slope: f64 = whitened.iter().enumerate().map(|(k, value)| share(k) * value).sum();
            let statistic = slope / (variance * factor.variance(share)).sqrt();
            let term = diagnosis.terms[j - self.slopes.start].clone();
            statistic.is_finite().then(|| Driver { term, statistic, p_value: distribution.two_sided(statistic) })
        };
        self.slopes.clone().filter_map(driver).collect()
    }
}

/// Sums of products of a constant, the whitened regressors, their squares and cross products, and `e^2`.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct White {
    /// Empty where there would be too many columns.
    products: Option<Products>,
    slopes: std::ops::Range<usize>,
}

impl White {
    fn new(slopes: std::ops::Range<usize>) -> Self {
        let columns = Self::columns(slopes.len());
        White { products: (columns <= WHITE_COLUMNS).then(|| Products::new(columns + 1)), slopes }
    }

    /// A constant, `slopes` regressors and their products.
    fn columns(slopes: usize) -> usize {
        (slopes + 1) * (slopes + 2) / 2
    }

    fn fold(&mut self, rows: &Measured<'_>) {
        let (count, first) = (self.slopes.len(), self.slopes.start);
        let columns = Self::columns(count);
        let Some(products) = &mut self.products else { return };
        // Pairs (a, b), b <= a, number 0 standing for the constant.
        let pairs: Vec<(usize, usize)> = (0..=count).flat_map(|a| (0..=a).map(move |b| (a, b))).collect();
        products.add(rows.rows, |j, range, values| {
            if j == columns {
                values.iter_mut().zip(&rows.errors[range.clone()]).for_each(|(value, e)| *value = e * e);
            } else {
                values.fill(1.0);
                for factor in [pairs[j].0, pairs[j].1] {
                    if let Some(k) = factor.checked_sub(1) {
                        let column = &rows.column(first + k)[range.clone()];
                        values.iter_mut().zip(column).for_each(|(value, u)| *value *= u);
                    }
                }
            }
            by_frequency(rows, range, values);
        });
    }

    fn merge(&mut self, later: &Self) {
        if let (Some(mine), Some(theirs)) = (&mut self.products, &later.products) {
            mine.merge(theirs);
        }
    }

    fn finish(&self, summary: &Summary) -> Found<ChiSquaredTest> {
        let (count, n) = (self.slopes.len(), summary.observations);
        let columns = Self::columns(count);
        let Some(products) = &self.products else {
            return Found::no(format!(
                "the squares and cross products of {count} regressors are {columns} columns; it is made with up to {WHITE_COLUMNS}"
            ));
        };
        summary.test().and_then(|()| {
            let factor = products.factor(columns);
            let rank = factor.kept.len() as f64 - 1.0;
            if rank < 1.0 {
                return Found::no("there is no regressor");
            }
            if n <= rank + 1.0 {
                return Found::no(format!("{n} observations are too few for {} auxiliary columns", rank + 1.0));
            }
            let explained: f64 = factor.row(columns).iter().skip(1).map(|value| value * value).sum();
            let mean = products.get(columns, 0) / n;
            ChiSquaredTest::new(n * explained / (products.get(columns, columns) - n * mean * mean), rank)
        })
    }
}

fn by_frequency(rows: &Measured<'_>, range: std::ops::Range<usize>, values: &mut [f64]) {
    if let Some(frequencies) = rows.frequencies {
        values.iter_mut().zip(&frequencies[range]).for_each(|(value, f)| *value *= f.sqrt());
    }
}
