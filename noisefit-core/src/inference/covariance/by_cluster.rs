//! One pass: the products of the rows of every cluster.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::Error;
use crate::algebra::gram::packed_length;
use crate::algebra::products::add_row;
use crate::rows::{Accumulator, Block};

/// Of one cluster the whitened rows `U` and residuals `e`, each row as often as its frequency says and with its weight.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct OfCluster {
    /// `U'U`, packed: the part of the information that the cluster has, which is the identity for all of them.
    pub(crate) gram: Vec<f64>,
    /// `U'e`, in a unit.
    pub(crate) score: Vec<f64>,
}

/// What every cluster has.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct ByCluster {
    /// What residuals are counted in, so that no square leaves the range of a double.
    unit: f64,
    count: usize,
    rows: u64,
    clusters: BTreeMap<u64, OfCluster>,
    /// Whether there was no room for all of them.
    full: bool,
}

/// Bytes that the clusters' sums may occupy.
const MOST_BYTES: usize = 1 << 28;

impl ByCluster {
    /// Of whitened rows of so many columns, their residuals in a unit.
    pub(crate) fn new(unit: f64, count: usize) -> Self {
        ByCluster { unit, count, rows: 0, clusters: BTreeMap::new(), full: false }
    }

    /// Whether there is room for so many clusters.
    fn has_room(&self, clusters: usize) -> bool {
        clusters * (packed_length(self.count) + self.count) * size_of::<f64>() <= MOST_BYTES
    }

    /// The clusters, two or more.
    ///
    /// # Errors
    /// [`Error::Unsupported`] for one cluster, and for more than there is room for; `what` is what asks for them.
    pub(crate) fn finish(self, what: &str) -> Result<Vec<OfCluster>, Error> {
        if self.full {
            return Err(Error::Unsupported(format!(
                "{what} keeps a matrix of {} columns for every cluster, and those of more than {} clusters are more than 256 MB; \
                 with so many clusters the covariance cluster says the same",
                self.count,
                self.clusters.len()
            )));
        }
        if self.clusters.len() < 2 {
            return Err(Error::Unsupported(
                "the cluster column has the same value in every row, and standard errors need two clusters or more; name a column \
                 with more values, or use hc3"
                    .to_owned(),
            ));
        }
        Ok(self.clusters.into_values().collect())
    }
}

impl Accumulator for ByCluster {
    const KIND: &'static str = "products by cluster";

    fn fold(&mut self, block: &Block<'_>) {
        self.rows += block.rows() as u64;
        let count = self.count;
        for i in 0..block.rows() {
            let cluster = block.clusters.first().map_or(0, |ids| ids[i]);
            if !self.clusters.contains_key(&cluster) && !self.has_room(self.clusters.len() + 1) {
                self.full = true;
                break;
            }
            let empty = || OfCluster { gram: vec![0.0; packed_length(count)], score: vec![0.0; count] };
            let OfCluster { gram, score } = self.clusters.entry(cluster).or_insert_with(empty);
            let weight = block.weight(i) * block.frequency(i);
            let residual = weight * (block.response.high[i] / self.unit);
            add_row(block.design, i, (weight, residual), gram, score);
        }
    }

    fn merge(&mut self, later: Self) {
        self.rows += later.rows;
        self.full |= later.full;
        for (cluster, theirs) in later.clusters {
            if !self.clusters.contains_key(&cluster) && !self.has_room(self.clusters.len() + 1) {
                self.full = true;
                break;
            }
            match self.clusters.entry(cluster) {
                std::collections::btree_map::Entry::Vacant(place) => {
                    place.insert(theirs);
                }
                std::collections::btree_map::Entry::Occupied(mut place) => {
                    let mine = place.get_mut();
                    mine.gram.iter_mut().zip(theirs.gram).for_each(|(mine, theirs)| *mine += theirs);
                    mine.score.iter_mut().zip(theirs.score).for_each(|(mine, theirs)| *mine += theirs);
                }
            }
        }
    }

    fn rows(&self) -> u64 {
        self.rows
    }
}
