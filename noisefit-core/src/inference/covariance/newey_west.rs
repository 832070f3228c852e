//! Scores that are dependent over a number of rows.

use serde::{Deserialize, Serialize};

use crate::Error;
use crate::algebra::gram::{Columns, TILE_ROWS, packed};
use crate::inference::covariance::products::Products;

/// Newey and West's sum (1987, *Econometrica* 55, 703-708), with Bartlett's weights:
///
/// ```text
/// sum over t, l <= L of (1 - l / (L + 1)) (s[t] s[t - l]' + s[t - l] s[t]'),   l = 0 counted once
/// ```
///
/// Two rows that are `l` apart stand together in `L + 1 - l` of the windows of `L + 1` rows, also of those that begin before
/// the first row or end after the last. So this is `sum(w w') / (L + 1)` for the sums `w` of the scores over windows, which
/// is positive semidefinite however it is rounded.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct NeweyWest {
    lags: usize,
    /// Over windows that lie within the rows.
    products: Products,
    /// The first rows, up to `lags`: for each number of a score its values.
    head: Vec<Vec<f64>>,
    /// The last rows, up to `lags`.
    tail: Vec<Vec<f64>>,
    frequencies: bool,
    #[serde(skip)]
    scratch: Columns,
}

impl NeweyWest {
    /// Of scores of `count` numbers.
    pub(super) fn new(lags: usize, count: usize) -> Self {
        NeweyWest {
            lags,
            products: Products::new(count),
            head: vec![Vec::new(); count],
            tail: vec![Vec::new(); count],
            frequencies: false,
            scratch: Columns::default(),
        }
    }

    pub(super) fn add(&mut self, scores: &Columns, rows: usize, frequencies: bool) {
        self.frequencies |= frequencies;
        let column = |j: usize| -> Vec<f64> {
            let tiles = (0..rows).step_by(TILE_ROWS).enumerate();
            tiles
                .flat_map(|(tile, first)| scores.tile(tile, j)[..TILE_ROWS.min(rows - first)].iter().copied())
                .collect()
        };
        let columns: Vec<Vec<f64>> = (0..self.head.len()).map(column).collect();
        self.append(&columns, &columns);
    }

    pub(super) fn merge(&mut self, later: &Self) {
        self.frequencies |= later.frequencies;
        self.products.merge(&later.products);
        let heads: Vec<Vec<f64>> = later.head.clone();
        self.append(&heads, &later.tail);
    }

    /// Adds windows that reach into rows which follow, of which these are the first and the last; those within their first
    /// ones are counted only where these are all.
    fn append(&mut self, first: &[Vec<f64>], last: &[Vec<f64>]) {
        let lags = self.lags;
        let joined: Vec<Vec<f64>> =
            self.tail.iter().zip(first).map(|(tail, first)| [&tail[..], first].concat()).collect();
        let mut count = 0;
        for (j, joined) in joined.iter().enumerate() {
            let sums = windows(joined, lags + 1);
            if j == 0 {
                count = sums.len();
                self.scratch.resize(self.head.len(), count);
            }
            for (tile, sums) in sums.chunks(TILE_ROWS).enumerate() {
                self.scratch.tile_mut(tile, j)[..sums.len()].copy_from_slice(sums);
            }
        }
        if count > 0 {
            self.products.add(&self.scratch);
        }
        for ((head, tail), (first, last)) in self.head.iter_mut().zip(&mut self.tail).zip(first.iter().zip(last)) {
            head.extend_from_slice(&first[..first.len().min(lags - head.len().min(lags))]);
            tail.extend_from_slice(last);
            tail.drain(..tail.len().saturating_sub(lags));
        }
    }

    /// The sum over all windows of `rows` rows.
    pub(super) fn finish(mut self, rows: u64) -> Result<Vec<f64>, Error> {
        if self.frequencies {
            let what = "hac standard errors need rows in their order in time, and a row with a frequency stands for rows whose \
                        places are unknown; repeat such rows, or leave the frequencies out";
            return Err(Error::Unsupported(what.to_owned()));
        }
        let lags = self.lags;
        if lags as u64 >= rows {
            return Err(too_few_rows(lags, rows));
        }
        // Windows that begin before the first row, and such as end after the last.
        for (rows, backwards) in [(&self.head, false), (&self.tail, true)] {
            let mut sums = vec![0.0; rows.len()];
            for i in 0..lags {
                let i = if backwards { lags - 1 - i } else { i };
                sums.iter_mut().zip(rows).for_each(|(sum, values)| *sum += values[i]);
                for (j, a) in sums.iter().enumerate() {
                    for (k, b) in sums[..=j].iter().enumerate() {
                        self.products.matrix[packed(j, k)] += a * b;
                    }
                }
            }
        }
        self.products.matrix.iter_mut().for_each(|product| *product /= (lags + 1) as f64);
        Ok(self.products.matrix)
    }
}

/// Refuses more lags than `rows` rows have.
pub(super) fn too_few_rows(lags: usize, rows: u64) -> Error {
    Error::Unsupported(format!(
        "hac:{lags} needs more than {lags} rows, and there are {rows}; choose fewer lags, such as the fourth root of the \
         number of rows"
    ))
}

/// The sums of every `width` consecutive values, formed of those of powers of two: no sum has a subtraction in it.
fn windows(values: &[f64], width: usize) -> Vec<f64> {
    let count = (values.len() + 1).saturating_sub(width);
    let mut sums = vec![0.0; count];
    if count == 0 {
        return sums;
    }
    // Sums of `length` values from each on.
    let (mut partial, mut length, mut done) = (values.to_vec(), 1, 0);
    loop {
        if width & length != 0 {
            sums.iter_mut().zip(&partial[done..]).for_each(|(sum, partial)| *sum += partial);
            done += length;
        }
        if 2 * length > width {
            return sums;
        }
        let kept = partial.len() - length;
        for i in 0..kept {
            partial[i] += partial[i + length];
        }
        partial.truncate(kept);
        length *= 2;
    }
}
