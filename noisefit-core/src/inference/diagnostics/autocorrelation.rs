//! Whether the noise of a row depends on that of the row before: of use only where the rows are in order of time.

use serde::{Deserialize, Serialize};

use crate::inference::diagnostics::contract::Diagnostic;
use crate::inference::diagnostics::diagnosis::Diagnosis;
use crate::inference::diagnostics::found::{ChiSquaredTest, Found};
use crate::inference::diagnostics::measures::Measured;
use crate::inference::diagnostics::products::Products;
use crate::inference::diagnostics::summary::Summary;
use crate::numeric::distribution::{Distribution, FisherF};

/// Tests of dependence on the row before.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Autocorrelation {
    /// Durbin and Watson's test.
    pub durbin_watson: Found<DurbinWatson>,
    /// `n R^2` of the regression of the residuals on the regressors and the residual of the row before, zero before the
    /// first (Breusch 1978; Godfrey 1978, *Econometrica* 46, 1293-1301).
    pub breusch_godfrey: Found<ChiSquaredTest>,
}

/// `d = sum((e[i] - e[i-1])^2) / sum(e^2)`, about `2 (1 - rho)`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct DurbinWatson {
    /// `d`.
    pub statistic: f64,
    /// Its mean over independent Gaussian noise, given the regressors.
    pub expected: f64,
    /// Its standard deviation, alike.
    pub std_dev: f64,
    /// The two-sided p-value, by the beta distribution on 0 to 4 of the same mean and variance.
    pub p_value: f64,
}

/// Sums of products of the differences between neighbouring rows and between their neighbours.
///
/// With `Y` the whitened regressors (`Y'Y = I`), `M = I - Y Y'`, and `A` the matrix of the quadratic form `sum of squared
/// differences`, the mean of `d` is `P / (n - p)` and its variance `2 (Q - P mean) / ((n - p)(n - p + 2))`, where `P = tr(A) -
/// tr(Y'AY)` and `Q = tr(A^2) - 2 tr(Y'A^2Y) + tr((Y'AY)^2)` (Durbin and Watson 1971, *Biometrika* 58, 1-19). All of these
/// are sums over rows and their neighbours.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Neighbours {
    /// Of the differences: `Y'AY`, bordered by the errors.
    differences: Products,
    order: usize,
    rows: u64,
    /// The inner products of neighbouring differences of `Y`.
    successive: f64,
    /// Of each error with the next.
    lagged: f64,
    /// The squares of the errors.
    squares: f64,
    /// The sum over rows of the row of `Y` times the error before.
    shifted: Vec<f64>,
    ends: Option<Ends>,
}

/// The first and the last row, `Y` and the error, and the first and the last difference: zero with one row.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Ends {
    first: Vec<f64>,
    last: Vec<f64>,
    first_difference: Vec<f64>,
    last_difference: Vec<f64>,
}

impl Diagnostic for Neighbours {
    type Finding = Autocorrelation;

    fn new(diagnosis: &Diagnosis, _: usize) -> Self {
        let order = diagnosis.order();
        Neighbours {
            differences: Products::new(order + 1),
            order,
            rows: 0,
            successive: 0.0,
            lagged: 0.0,
            squares: 0.0,
            shifted: vec![0.0; order],
            ends: None,
        }
    }

    fn fold(&mut self, _: &Diagnosis, rows: &Measured<'_>, _: u64) {
        let (order, count) = (self.order, rows.rows);
        if count == 0 {
            return;
        }
        // The values whose neighbours are compared, column after column.
        let mut values = Vec::with_capacity((order + 1) * count);
        for k in 0..order {
            values.extend(rows.column(k).iter().enumerate().map(|(i, u)| u * rows.root(i)));
        }
        values.extend(&rows.errors);
        let column = |k: usize| &values[k * count..(k + 1) * count];
        let row = |i: usize| (0..=order).map(|k| values[k * count + i]).collect::<Vec<f64>>();
        // The first row of all follows no other: its difference is zero, as if it were repeated.
        let before = self.ends.as_ref().map_or_else(|| row(0), |ends| ends.last.clone());
        let difference =
            |k: usize, i: usize| values[k * count + i] - if i > 0 { values[k * count + i - 1] } else { before[k] };
        self.differences.add(count, |k, range, target| {
            for (i, target) in range.zip(target) {
                *target = difference(k, i);
            }
        });
        let errors = column(order);
        self.squares += errors.iter().map(|e| e * e).sum::<f64>();
        let earlier = self.ends.as_ref().map(|ends| (ends.last[order], &ends.last_difference));
        self.lagged += errors.windows(2).map(|pair| pair[0] * pair[1]).sum::<f64>();
        self.lagged += earlier.as_ref().map_or(0.0, |(e, _)| e * errors[0]);
        for (k, shifted) in self.shifted.iter_mut().enumerate() {
            let own: f64 = column(k)[1..].iter().zip(errors).map(|(u, e)| u * e).sum();
            *shifted += own + earlier.as_ref().map_or(0.0, |(e, _)| e * column(k)[0]);
        }
        for k in 0..order {
            let own: f64 = (1..count).map(|i| difference(k, i - 1) * difference(k, i)).sum();
            self.successive += own + earlier.as_ref().map_or(0.0, |(_, last)| last[k] * difference(k, 0));
        }
        let differences = |i: usize| (0..=order).map(|k| difference(k, i)).collect::<Vec<f64>>();
        let (last, last_difference) = (row(count - 1), differences(count - 1));
        match &mut self.ends {
            Some(ends) => {
                if self.rows == 1 {
                    ends.first_difference = differences(0);
                }
                (ends.last, ends.last_difference) = (last, last_difference);
            }
            None => {
                let first_difference = differences(1.min(count - 1));
                self.ends = Some(Ends { first: row(0), last, first_difference, last_difference });
            }
        }
        self.rows += count as u64;
    }

    fn merge(&mut self, later: Self, _: u64) {
        let Some(theirs) = later.ends else { return };
        let Some(mine) = &mut self.ends else {
            *self = Neighbours { ends: Some(theirs), ..later };
            return;
        };
        self.differences.merge(&later.differences);
        let between: Vec<f64> = theirs.first.iter().zip(&mine.last).map(|(next, last)| next - last).collect();
        self.differences.add(1, |k, _, target| target[0] = between[k]);
        let inner = |a: &[f64], b: &[f64]| a[..self.order].iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
        self.successive +=
            later.successive + inner(&mine.last_difference, &between) + inner(&between, &theirs.first_difference);
        let error = mine.last[self.order];
        self.lagged += later.lagged + error * theirs.first[self.order];
        self.squares += later.squares;
        for (k, shifted) in self.shifted.iter_mut().enumerate() {
            *shifted += later.shifted[k] + error * theirs.first[k];
        }
        if self.rows == 1 {
            mine.first_difference.clone_from(&between);
        }
        mine.last_difference = if later.rows == 1 { between } else { theirs.last_difference };
        mine.last = theirs.last;
        self.rows += later.rows;
    }

    fn finish(&self, _: &Diagnosis, summary: &Summary) -> Autocorrelation {
        let ready = summary.test().and_then(|()| match summary.has_frequencies {
            true => Found::no("rows stand for several observations, whose order is not known"),
            false => Found::Yes(()),
        });
        match ready {
            Found::Yes(()) => {
                Autocorrelation { durbin_watson: self.durbin_watson(), breusch_godfrey: self.breusch_godfrey() }
            }
            Found::No { not_defined_because: why } => {
                Autocorrelation { durbin_watson: Found::no(why.clone()), breusch_godfrey: Found::no(why) }
            }
        }
    }
}

impl Neighbours {
    fn durbin_watson(&self) -> Found<DurbinWatson> {
        let (n, p) = (self.rows as f64, self.order as f64);
        if self.rows < 3 {
            return Found::no("there are fewer than three rows");
        }
        let statistic = self.differences.get(self.order, self.order) / self.squares;
        let trace: f64 = (0..self.order).map(|k| self.differences.get(k, k)).sum();
        let square = |k: usize, l: usize| self.differences.get(k, l).powi(2);
        let squared: f64 =
            (0..self.order).flat_map(|k| (0..self.order).map(move |l| (k, l))).map(|(k, l)| square(k, l)).sum();
        // A times a column is the difference of its differences, zero before the first and after the last.
        let twice = 2.0 * (trace - self.successive);
        let first = 2.0 * (n - 1.0) - trace;
        let second = 6.0 * n - 8.0 - 2.0 * twice + squared;
        let expected = first / (n - p);
        let variance = 2.0 * (second - first * expected) / ((n - p) * (n - p + 2.0));
        // Of a beta distribution on 0 to 4.
        let (mean, spread) = (expected / 4.0, variance / 16.0);
        let size = mean * (1.0 - mean) / spread - 1.0;
        if !(size > 0.0 && size.is_finite()) {
            return Found::no("with so few residual degrees of freedom the statistic does not vary");
        }
        let (a, b) = (mean * size, (1.0 - mean) * size);
        // Its odds are those of F.
        let Ok(odds) = FisherF::new(2.0 * a, 2.0 * b) else {
            return Found::no("the statistic does not vary");
        };
        let ratio = statistic / (4.0 - statistic).max(0.0) * (b / a);
        let p_value = (2.0 * odds.cdf(ratio).min(odds.survival(ratio))).min(1.0);
        Found::Yes(DurbinWatson { statistic, expected, std_dev: variance.sqrt(), p_value })
    }

    fn breusch_godfrey(&self) -> Found<ChiSquaredTest> {
        // The auxiliary regression has one column more, and needs rows to be wrong about.
        if self.rows < self.order as u64 + 3 {
            return Found::no("with so few rows the regression of the residuals leaves nothing unexplained");
        }
        let last = self.ends.as_ref().map_or(0.0, |ends| ends.last[self.order]);
        let own = self.squares - last * last;
        let beside = own - self.shifted.iter().map(|value| value * value).sum::<f64>();
        if !(beside > 1e-11 * own) {
            return Found::no("the residual of the row before is a combination of the regressors");
        }
        ChiSquaredTest::new(self.rows as f64 * self.lagged * self.lagged / beside / self.squares, 1.0)
    }
}
