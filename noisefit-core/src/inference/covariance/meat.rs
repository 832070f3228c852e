//! One pass: the covariance of the sum of the rows' scores, as the rows depend on one another.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::Error;
use crate::algebra::gram::{Columns, TILE_ROWS};
use crate::inference::covariance::clusters::Clusters;
use crate::inference::covariance::newey_west::NeweyWest;
use crate::inference::covariance::products::{Found, Products};
use crate::rows::{Accumulator, Block};

/// What one observation of a row adds to the estimating equations, such as to the gradient of a log-likelihood.
pub(crate) trait Scores: Clone + Send + Sync + Serialize + DeserializeOwned + 'static {
    /// The name by which the bytes of a [`Meat`] say whose scores it sums.
    fn kind() -> String;

    /// The number of equations.
    fn count(&self) -> usize;

    /// Fills `scores`, resized to a column for each equation, and returns for how many rows there is no score; theirs are
    /// zeros.
    fn fill(&self, block: &Block<'_>, scores: &mut Columns) -> u64;
}

/// `sum over pairs of rows of k f f' s s'`, where `k` says whether, or how much, two rows depend on each other: the meat
/// between the slices of bread of a sandwich covariance. Of independent rows a row by its frequency `f` is `f` rows, and of rows that were
/// drawn one draw.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Meat<S> {
    scores: S,
    rows: u64,
    without_score: u64,
    gathered: Gathered,
    #[serde(skip)]
    scratch: Columns,
}

/// How rows depend on one another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Dependence {
    /// Not at all.
    Independent,
    /// Not at all, each row drawn by itself with the probability that its frequency, a sampling weight, is one over.
    Sampled,
    /// Within clusters by one grouping of the rows, or by each of two.
    Clusters {
        /// The number of groupings.
        groupings: usize,
    },
    /// Over so many rows.
    Lags {
        /// How many.
        lags: usize,
    },
}

/// What was summed of the scores.
#[derive(Debug, Clone, Serialize, Deserialize)]
enum Gathered {
    Independent(Products),
    Sampled(Products),
    Clusters(Clusters),
    NeweyWest(NeweyWest),
}

impl<S: Scores> Meat<S> {
    /// The empty state.
    pub(crate) fn new(scores: S, dependence: Dependence) -> Self {
        let count = scores.count();
        let gathered = match dependence {
            Dependence::Independent => Gathered::Independent(Products::new(count)),
            Dependence::Sampled => Gathered::Sampled(Products::new(count)),
            Dependence::Clusters { groupings } => Gathered::Clusters(Clusters::new(groupings, count)),
            Dependence::Lags { lags } => Gathered::NeweyWest(NeweyWest::new(lags, count)),
        };
        Meat { scores, rows: 0, without_score: 0, gathered, scratch: Columns::default() }
    }

    /// Rows for which there is no score.
    pub(crate) fn without_score(&self) -> u64 {
        self.without_score
    }

    /// The meat of all rows.
    ///
    /// # Errors
    /// [`Error::Unsupported`] for fewer than two clusters, and for lags with frequencies or with no more rows than those.
    pub(crate) fn finish(self) -> Result<Found, Error> {
        let found = |matrix| Found { matrix, clusters: None, difference: false };
        match self.gathered {
            Gathered::Independent(products) => Ok(found(products.matrix)),
            Gathered::Sampled(mut products) => {
                // The variance of a sum of so many draws, whose mean is zero at the estimates.
                let n = self.rows as f64;
                products.matrix.iter_mut().for_each(|product| *product *= n / (n - 1.0));
                Ok(found(products.matrix))
            }
            Gathered::Clusters(clusters) => clusters.finish(),
            Gathered::NeweyWest(lags) => lags.finish(self.rows).map(found),
        }
    }
}

impl<S: Scores> Accumulator for Meat<S> {
    const KIND: &'static str = "meat";

    fn kind() -> String {
        format!("{}({})", Self::KIND, S::kind())
    }

    fn fold(&mut self, block: &Block<'_>) {
        let Meat { scores, rows, without_score, gathered, scratch } = self;
        scratch.resize(scores.count(), block.rows());
        *without_score += scores.fill(block, scratch);
        match gathered {
            Gathered::Independent(products) => {
                if let Some(frequencies) = block.frequencies {
                    multiply(scratch, frequencies, f64::sqrt);
                }
                products.add(scratch);
            }
            Gathered::Sampled(products) => {
                if let Some(frequencies) = block.frequencies {
                    multiply(scratch, frequencies, |f| f);
                }
                products.add(scratch);
            }
            Gathered::Clusters(clusters) => {
                if let Some(frequencies) = block.frequencies {
                    multiply(scratch, frequencies, |f| f);
                }
                clusters.add(scratch, block.clusters, block.rows());
            }
            Gathered::NeweyWest(lags) => lags.add(scratch, block.rows(), block.frequencies.is_some()),
        }
        *rows += block.rows() as u64;
    }

    fn merge(&mut self, later: Self) {
        self.rows += later.rows;
        self.without_score += later.without_score;
        match (&mut self.gathered, later.gathered) {
            (Gathered::Independent(mine), Gathered::Independent(theirs))
            | (Gathered::Sampled(mine), Gathered::Sampled(theirs)) => mine.merge(&theirs),
            (Gathered::Clusters(mine), Gathered::Clusters(theirs)) => mine.merge(&theirs),
            (Gathered::NeweyWest(mine), Gathered::NeweyWest(theirs)) => mine.merge(&theirs),
            // States of one pass are of one kind.
            _ => {}
        }
    }

    fn rows(&self) -> u64 {
        self.rows
    }
}

/// Multiplies every row of the columns by a function of its factor.
fn multiply(columns: &mut Columns, factors: &[f64], function: impl Fn(f64) -> f64) {
    let factors: Vec<f64> = factors.iter().map(|&factor| function(factor)).collect();
    for (tile, factors) in factors.chunks(TILE_ROWS).enumerate() {
        for j in 0..columns.count() {
            let values = columns.tile_mut(tile, j);
            values.iter_mut().zip(factors).for_each(|(value, factor)| *value *= factor);
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::rows::Design;

    /// The response, and its square.
    #[derive(Debug, Clone, Serialize, Deserialize)]
    struct Powers;

    impl Scores for Powers {
        fn kind() -> String {
            "powers".to_owned()
        }

        fn count(&self) -> usize {
            2
        }

        fn fill(&self, block: &Block<'_>, scores: &mut Columns) -> u64 {
            for (i, y) in block.response.high.iter().enumerate() {
                scores.tile_mut(i / TILE_ROWS, 0)[i % TILE_ROWS] = *y;
                scores.tile_mut(i / TILE_ROWS, 1)[i % TILE_ROWS] = y * y;
            }
            0
        }
    }

    #[test]
    fn states_are_saved_and_merged() {
        // Integers, so that every order of summing gives the same.
        let y: Vec<f64> = (0..300).map(|i| f64::from(i * 7 % 11) - 5.0).collect();
        let [one, other] = [13, 29].map(|count| (0..300u64).map(|i| i * 5 % count).collect::<Vec<_>>());
        let fold = |state: &mut Meat<Powers>, rows: std::ops::Range<usize>| {
            let clusters = [&one[rows.clone()], &other[rows.clone()]];
            state.fold(&Block {
                response: y[rows].into(),
                design: Design::default(),
                scale_design: Design::default(),
                weights: None,
                frequencies: None,
                log_jacobian: None,
                clusters: &clusters,
                effects: &[],
                level_leverage: None,
            });
        };
        let [one_way, two_way] = [1, 2].map(|groupings| Dependence::Clusters { groupings });
        for dependence in [Dependence::Independent, Dependence::Sampled, one_way, two_way, Dependence::Lags { lags: 4 }]
        {
            let empty = Meat::new(Powers, dependence);
            let (mut whole, mut merged) = (empty.clone(), empty.clone());
            fold(&mut whole, 0..300);
            // The second part is shorter than the lags.
            for rows in [0..130, 130..133, 133..300] {
                let mut part = empty.clone();
                fold(&mut part, rows);
                merged.merge(empty.load(&empty.save(&part).unwrap()).unwrap());
            }
            assert_eq!(merged.rows(), 300);
            assert_eq!(merged.finish().unwrap().matrix, whole.finish().unwrap().matrix, "{dependence:?}");
            let state = empty.save(&empty).unwrap();
            assert!(Meat::new(Powers, Dependence::Lags { lags: 9 }).load(&state).is_err(), "{dependence:?}");
            assert!(empty.load(&state[..state.len() - 1]).is_err(), "{dependence:?}");
        }
    }
}
