//! Truths and predictions side by side.

use crate::Error;
use crate::loss::Real;
use crate::numeric::sum::Sum;

/// Rows of a truth and a prediction, with optional weights.
#[derive(Debug, Clone, Copy)]
pub struct Pairs<'a, T> {
    pub(super) truth: &'a [T],
    pub(super) prediction: &'a [T],
    pub(super) weights: Option<&'a [T]>,
    pub(super) total_weight: f64,
    threads: Option<usize>,
}

/// With fewer rows, starting threads costs more than they save.
const ROWS_FOR_THREADS: usize = 1 << 17;

impl<'a, T: Real> Pairs<'a, T> {
    /// Rows of `truth` and `prediction`, both of length n.
    ///
    /// # Errors
    /// [`Error::Shape`] for different lengths.
    pub fn new(truth: &'a [T], prediction: &'a [T]) -> Result<Self, Error> {
        if truth.len() != prediction.len() {
            return Err(Error::Shape { what: "prediction", expected: truth.len(), found: prediction.len() });
        }
        Ok(Pairs { truth, prediction, weights: None, total_weight: truth.len() as f64, threads: None })
    }

    /// What each row counts, length n, none negative: a row of weight 2 is the same as two rows, one of weight 0 is
    /// none.
    ///
    /// # Errors
    /// [`Error::Shape`] or [`Error::Value`].
    pub fn with_weights(mut self, weights: &'a [T]) -> Result<Self, Error> {
        if weights.len() != self.len() {
            return Err(Error::Shape { what: "weights", expected: self.len(), found: weights.len() });
        }
        if let Some(row) = weights.iter().position(|w| !(w.widen() >= 0.0 && w.widen().is_finite())) {
            let (what, value) = ("weights".to_owned(), weights[row].widen());
            return Err(Error::Value { what, row: row as u64, value, expected: "a finite number, not negative," });
        }
        self.total_weight = weights.iter().map(|w| w.widen()).collect::<Sum>().value();
        self.weights = Some(weights);
        Ok(self)
    }

    /// Uses at most this many threads, where the feature `parallel` is on; without this, as many as the machine has. No
    /// result depends on it.
    #[must_use]
    pub fn with_threads(mut self, threads: usize) -> Self {
        self.threads = Some(threads.max(1));
        self
    }

    /// The number of rows.
    pub fn len(&self) -> usize {
        self.truth.len()
    }

    /// Whether there are no rows.
    pub fn is_empty(&self) -> bool {
        self.truth.is_empty()
    }

    pub(super) fn threads(&self) -> usize {
        if self.len() < ROWS_FOR_THREADS {
            return 1;
        }
        self.threads.unwrap_or_else(|| std::thread::available_parallelism().map_or(1, usize::from))
    }
}
