//! One pass at a fit: everything that a diagnosis sums over rows, and a sample of the residuals.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::inference::diagnostics::diagnosis::Diagnosis;
use crate::inference::diagnostics::list::Sums;
use crate::inference::diagnostics::measures::Measured;
use crate::rows::{Accumulator, Block, Design, Layout, Precision, Sample, Values};

/// Up to so many observations the low words of their values are used.
const EXTENDED_OBSERVATIONS: u64 = 100_000;

/// The state of the pass.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Survey {
    diagnosis: Arc<Diagnosis>,
    rows: u64,
    /// Rows times frequencies.
    pub(super) observations: f64,
    pub(super) has_frequencies: bool,
    pub(super) least_response: f64,
    pub(super) sums: Sums,
    /// Of rows that consist of the fit's standardised residual (the response) and the error of least squares.
    pub(super) sample: Sample,
}

impl Survey {
    /// The empty state, for lists of `keep` rows and a sample of `limit` from about `expected` rows.
    pub(super) fn new(diagnosis: Arc<Diagnosis>, keep: usize, limit: usize, expected: Option<u64>) -> Self {
        Survey {
            rows: 0,
            observations: 0.0,
            has_frequencies: false,
            least_response: f64::INFINITY,
            sums: Sums::new(&diagnosis, keep),
            sample: Sample::new(&sampled_layout(), limit, expected),
            diagnosis,
        }
    }

    fn sample_residuals(&mut self, rows: &Measured<'_>) {
        let standardised: Vec<f64> = (0..rows.rows).map(|i| rows.standardised(i)).collect();
        let errors = Values::from(&rows.errors[..]);
        self.sample.fold(&Block {
            response: Values::from(&standardised[..]),
            design: (&[errors]).into(),
            scale_design: Design::default(),
            weights: None,
            frequencies: rows.frequencies,
            log_jacobian: None,
            clusters: &[],
            effects: &[],
            level_leverage: None,
        });
    }
}

/// The layout of the sampled residuals.
pub(super) fn sampled_layout() -> Layout {
    Layout { response: "standardised".to_owned(), terms: vec!["error".to_owned()], ..Layout::default() }
}

impl Accumulator for Survey {
    const KIND: &'static str = "diagnostics";

    fn fold(&mut self, block: &Block<'_>) {
        let rows = self.diagnosis.measure(block);
        self.sums.fold(&self.diagnosis, &rows, self.rows);
        self.sample_residuals(&rows);
        self.observations += (0..rows.rows).map(|i| rows.frequency(i)).sum::<f64>();
        self.has_frequencies |= rows.frequencies.is_some();
        self.least_response = block.response.high.iter().copied().fold(self.least_response, f64::min);
        self.rows += rows.rows as u64;
    }

    fn merge(&mut self, later: Self) {
        self.sums.merge(later.sums, self.rows);
        self.sample.merge(later.sample);
        self.observations += later.observations;
        self.has_frequencies |= later.has_frequencies;
        self.least_response = self.least_response.min(later.least_response);
        self.rows += later.rows;
    }

    fn rows(&self) -> u64 {
        self.rows
    }

    fn precision(&self) -> Precision {
        // What a double leaves out of decimals is worth its time where there are few rows.
        if self.diagnosis.fit.nobs <= EXTENDED_OBSERVATIONS { Precision::Extended } else { Precision::Double }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::estimate::{Options, closed_form};
    use crate::rows::{Matrix, MemoryRows};

    fn gather(value: &serde_json::Value, found: &mut Vec<f64>) {
        match value {
            serde_json::Value::Array(values) => values.iter().for_each(|value| gather(value, found)),
            serde_json::Value::Object(fields) => fields.values().for_each(|value| gather(value, found)),
            value => found.extend(value.as_f64()),
        }
    }

    #[test]
    fn parts_of_the_rows_merge_and_states_are_saved() {
        let n = 60;
        let wave = |i: usize, k: f64| (i as f64 * k).sin();
        let x: Vec<f64> = (0..2 * n).map(|i| wave(i, 1.7) + 3.0).collect();
        let y: Vec<f64> = (0..n).map(|i| x[i] - 2.0 * x[n + i] + wave(i, 0.9) * x[i]).collect();
        let rows = MemoryRows::new(&y, Matrix::column_major(&x, n, 2).unwrap()).unwrap();
        let fit = closed_form::fit(&rows, &Options::default()).unwrap();
        let diagnosis = Diagnosis::new(&rows, &fit, &Options::default()).unwrap();
        let empty = Survey::new(Arc::new(diagnosis.clone()), 4, 1000, None);
        let part = |from: usize, to: usize| {
            let mut state = empty.clone();
            let columns = [Values::from(&x[from..to]), Values::from(&x[n + from..n + to])];
            state.fold(&Block {
                response: Values::from(&y[from..to]),
                design: (&columns).into(),
                scale_design: Design::default(),
                weights: None,
                frequencies: None,
                log_jacobian: None,
                clusters: &[],
                effects: &[],
                level_leverage: None,
            });
            state
        };
        // All plain sums.
        let numbers = |state: &Survey| {
            let mut sums = serde_json::to_value(&state.sums).unwrap();
            sums.as_object_mut().unwrap().remove("influence");
            let mut found = Vec::new();
            gather(&sums, &mut found);
            found
        };
        let rows = |state: &Survey| {
            let found = state.sums.influence.lists(diagnosis.measures());
            let lists = [found.largest_residuals, found.largest_cooks_distances, found.largest_leverages];
            lists.map(|list| list.iter().map(|row| row.row).collect::<Vec<_>>())
        };
        // Equal but for rounding.
        let same = |state: &Survey, whole: &Survey| {
            let (found, expected) = (numbers(state), numbers(whole));
            assert_eq!(found.len(), expected.len());
            for (found, expected) in found.iter().zip(&expected) {
                assert!((found - expected).abs() < 1e-12 * (1.0 + expected.abs()), "{found} {expected}");
            }
            assert_eq!(rows(state), rows(whole));
            assert_eq!(state.rows, whole.rows);
        };
        let whole = part(0, n);
        // Also parts of a single row, and of none.
        for cuts in [vec![0, 1, 2, n], vec![0, 25, 25, 26, n], vec![0, 59, n]] {
            let mut merged = empty.clone();
            for pair in cuts.windows(2) {
                let state = if pair[0] == pair[1] { empty.clone() } else { part(pair[0], pair[1]) };
                merged.merge(empty.load(&empty.save(&state).unwrap()).unwrap());
            }
            same(&empty.load(&empty.save(&merged).unwrap()).unwrap(), &whole);
            // Folded in blocks rather than merged.
            let mut folded = empty.clone();
            for pair in cuts.windows(2).filter(|pair| pair[0] < pair[1]) {
                let columns = [Values::from(&x[pair[0]..pair[1]]), Values::from(&x[n + pair[0]..n + pair[1]])];
                folded.fold(&Block {
                    response: Values::from(&y[pair[0]..pair[1]]),
                    design: (&columns).into(),
                    scale_design: Design::default(),
                    weights: None,
                    frequencies: None,
                    log_jacobian: None,
                    clusters: &[],
                    effects: &[],
                    level_leverage: None,
                });
            }
            same(&folded, &whole);
        }
    }
}
