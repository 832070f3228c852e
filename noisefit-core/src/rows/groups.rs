//! Groups of rows that stay together, each in one part of a division.

use serde::{Deserialize, Serialize};

use crate::rows::Block;

/// Which part each group belongs to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Groups {
    /// Which of the rows' clusters makes them.
    cluster: usize,
    count: usize,
    /// The groups in ascending order, each with its part.
    parts: Vec<(u64, usize)>,
}

impl Groups {
    pub(super) fn new(cluster: usize, count: usize, mut parts: Vec<(u64, usize)>) -> Self {
        parts.sort_unstable();
        Groups { cluster, count, parts }
    }

    /// The number of parts.
    pub fn count(&self) -> usize {
        self.count
    }

    /// The groups, by what tells them apart, with their parts.
    pub fn parts(&self) -> &[(u64, usize)] {
        &self.parts
    }

    /// The part of a row.
    pub(super) fn part(&self, block: &Block<'_>, row: usize) -> usize {
        let group = block.clusters.get(self.cluster).map_or(0, |ids| ids[row]);
        self.parts.binary_search_by_key(&group, |(group, _)| *group).map_or(0, |place| self.parts[place].1)
    }
}
