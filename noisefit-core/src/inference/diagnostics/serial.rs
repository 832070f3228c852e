//! Whether the noise of a row depends on several rows before it: of use only where the rows are in order of time.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::Error;
use crate::algebra::Cholesky;
use crate::algebra::gram::{packed, packed_length, symmetric};
use crate::inference::diagnostics::diagnosis::Diagnosis;
use crate::inference::diagnostics::found::ChiSquaredTest;
use crate::numeric::distribution::{ChiSquared, Distribution};
use crate::rows::{Accumulator, Block, Kinds, Precision, RowSource, RowSourceExt};

/// Dependence over a number of rows.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Serial {
    /// The correlations of residuals so many rows apart, one row first.
    pub correlations: Vec<f64>,
    /// `n R^2` of the regression of the residuals on the regressors and the residuals of all these rows before, zero before the first
    /// (Breusch 1978; Godfrey 1978, *Econometrica* 46, 1293-1301).
    pub breusch_godfrey: ChiSquaredTest,
    /// `n (n + 2) sum of r_k^2 / (n - k)` with the correlations `r_k` (Ljung and Box 1978, *Biometrika* 65, 297-303), without a degree of
    /// freedom less for any coefficient.
    pub ljung_box: ChiSquaredTest,
}

impl Serial {
    /// Of rows up to `lags` apart, by the residuals that the tests of a diagnosis are made on.
    ///
    /// # Errors
    /// [`Error::Unsupported`] for a fit without residuals, rows with frequencies, and as many lags as leave no row; what the source
    /// reports.
    pub fn of(source: &dyn RowSource, diagnosis: &Diagnosis, lags: usize) -> Result<Self, Error> {
        let wrong = |why: &str| Err(Error::Unsupported(format!("dependence over {lags} rows: {why}")));
        if diagnosis.unit() == 0.0 {
            return wrong(diagnosis.no_errors());
        }
        let order = diagnosis.order();
        let sums = source.pass(Sums::new(Arc::new(diagnosis.clone()), order, lags))?;
        if sums.counted {
            return wrong("nobody knows where the rows stand that a frequency repeats");
        }
        let rows = sums.rows;
        if rows <= (order + lags) as u64 {
            return wrong(&format!("there are {rows} rows for {order} coefficients and as many lags; name fewer"));
        }
        sums.finish()
    }
}

/// Products of rows, each of its whitened regressors, the errors before it, the last one first, and its own.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Sums {
    diagnosis: Arc<Diagnosis>,
    order: usize,
    lags: usize,
    rows: u64,
    counted: bool,
    products: Vec<f64>,
    /// The first rows, whose errors before are not known yet: regressors and error of each.
    head: Vec<Vec<f64>>,
    /// The last errors, the last one first.
    tail: Vec<f64>,
}

impl Sums {
    fn new(diagnosis: Arc<Diagnosis>, order: usize, lags: usize) -> Self {
        let products = vec![0.0; packed_length(order + lags + 1)];
        Sums { diagnosis, order, lags, rows: 0, counted: false, products, head: Vec::new(), tail: Vec::new() }
    }

    /// A row with the errors before it, zeros where there are none.
    fn whole(&self, row: &[f64], before: &[f64]) -> Vec<f64> {
        let (regressors, own) = row.split_at(self.order);
        let mut whole = regressors.to_vec();
        whole.extend((0..self.lags).map(|k| before.get(k).copied().unwrap_or(0.0)));
        whole.extend(own);
        whole
    }

    fn add(products: &mut [f64], row: &[f64], sign: f64) {
        for (i, a) in row.iter().enumerate() {
            for (j, b) in row[..=i].iter().enumerate() {
                products[packed(i, j)] += sign * a * b;
            }
        }
    }

    /// Takes in one row.
    fn take(&mut self, row: Vec<f64>) {
        let whole = self.whole(&row, &self.tail);
        Self::add(&mut self.products, &whole, 1.0);
        self.tail.insert(0, row[self.order]);
        self.tail.truncate(self.lags);
        if self.head.len() < self.lags {
            self.head.push(row);
        }
        self.rows += 1;
    }

    fn finish(self) -> Result<Serial, Error> {
        let (order, lags, n) = (self.order, self.lags, self.rows as f64);
        let last = order + lags;
        let at = |i: usize, j: usize| self.products[symmetric(i, j)];
        let squares = at(last, last);
        let correlations: Vec<f64> = (0..lags).map(|k| at(last, order + k) / squares).collect();
        let factor = Cholesky::new(&self.products, last).ok_or_else(|| {
            let what = format!(
                "dependence over {lags} rows: the regressors and the residuals before are collinear; name fewer rows"
            );
            Error::Unsupported(what)
        })?;
        let right: Vec<f64> = (0..last).map(|i| at(last, i)).collect();
        let explained: f64 = factor.solve(&right).iter().zip(&right).map(|(a, b)| a * b).sum();
        let chi = ChiSquared::new(lags as f64)?;
        let test = |statistic: f64| ChiSquaredTest { statistic, df: lags as f64, p_value: chi.survival(statistic) };
        let box_sum: f64 = correlations.iter().enumerate().map(|(k, r)| r * r / (n - (k + 1) as f64)).sum();
        Ok(Serial {
            breusch_godfrey: test(n * explained / squares),
            ljung_box: test(n * (n + 2.0) * box_sum),
            correlations,
        })
    }
}

impl Accumulator for Sums {
    const KIND: &'static str = "serial products";

    fn fold(&mut self, block: &Block<'_>) {
        self.counted |= block.frequencies.is_some();
        let diagnosis = Arc::clone(&self.diagnosis);
        let measured = diagnosis.measure(block);
        for i in 0..measured.rows {
            let mut row: Vec<f64> = (0..self.order).map(|k| measured.column(k)[i] * measured.root(i)).collect();
            row.push(measured.errors[i]);
            self.take(row);
        }
    }

    fn merge(&mut self, later: Self) {
        self.counted |= later.counted;
        self.products.iter_mut().zip(&later.products).for_each(|(mine, theirs)| *mine += theirs);
        // The first rows of what follows had these errors before them.
        let mut within: Vec<f64> = Vec::new();
        for row in &later.head {
            let known: Vec<f64> = within.iter().chain(&self.tail).copied().take(self.lags).collect();
            let (partial, whole) = (self.whole(row, &within), self.whole(row, &known));
            Self::add(&mut self.products, &partial, -1.0);
            Self::add(&mut self.products, &whole, 1.0);
            within.insert(0, row[self.order]);
        }
        let free = self.lags.saturating_sub(self.head.len());
        self.head.extend(later.head.into_iter().take(free));
        let tail: Vec<f64> = later.tail.into_iter().chain(self.tail.drain(..)).take(self.lags).collect();
        self.tail = tail;
        self.rows += later.rows;
    }

    fn rows(&self) -> u64 {
        self.rows
    }

    fn precision(&self) -> Precision {
        Precision::Extended
    }
}

/// The passes of this module.
pub(super) fn kinds() -> Kinds {
    Kinds::default().with::<Sums>()
}
