//! How rows are divided into parts: at random, by groups that stay together, or in blocks of time.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::Error;
use crate::rows::groups::Groups;
use crate::rows::{Accumulator, Block, Folds, Part, RowSource, RowSourceExt, Selected, scattered};

/// A division of the rows of a source into parts.
///
/// ```
/// use noisefit_core::algebra::Moments;
/// use noisefit_core::rows::{Accumulator, Division, Matrix, MemoryRows, Order, Part, RowSourceExt};
///
/// let (y, firms) = ([1.0, 3.0, 2.0, 5.0, 4.0, 7.0], [7, 7, 8, 8, 9, 9]);
/// let rows = MemoryRows::new(&y, Matrix::row_major(&[], 6, 0)?)?.with_clusters("firm", &firms)?;
/// let division = Division::of_groups(&rows, 0, Order::Random { seed: 1 }, 3)?;
/// // Each firm is a part.
/// let count = |part| Ok::<_, noisefit_core::Error>(division.select(&rows, part).pass(Moments::new(0, true))?.rows());
/// assert_eq!((division.count(), count(Part::Only(0))?, count(Part::Without(0))?), (3, 2, 4));
/// # Ok::<(), noisefit_core::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub enum Division {
    /// Each row by itself.
    Random(Folds),
    /// Rows of a group together.
    Groups(Arc<Groups>),
}

impl From<Folds> for Division {
    fn from(folds: Folds) -> Self {
        Division::Random(folds)
    }
}

/// How groups come to their parts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// At random, the larger ones first, each into the part that has the fewest rows.
    Random {
        /// What decides among groups of the same size.
        seed: u64,
    },
    /// By their values, which are numbers or times: each part is a block of consecutive ones, of about as many rows.
    Ascending,
}

impl Division {
    /// Divides the rows by the groups of one of their clusters, into as many parts, or fewer where there are fewer groups; one pass.
    ///
    /// # Errors
    /// [`Error::Unsupported`] where there are fewer than two groups; what the source reports.
    pub fn of_groups(source: &dyn RowSource, cluster: usize, order: Order, count: usize) -> Result<Self, Error> {
        let sizes = source.pass(Sizes { cluster, sizes: BTreeMap::new(), rows: 0 })?.sizes;
        let count = count.min(sizes.len());
        if count < 2 {
            let name = source.layout().clusters.get(cluster).cloned().unwrap_or_default();
            return Err(Error::Unsupported(format!(
                "all rows have the same {name}: parts of whole groups take two of them or more"
            )));
        }
        let mut groups: Vec<(u64, u64)> = sizes.into_iter().collect();
        let total: u64 = groups.iter().map(|(_, rows)| rows).sum();
        let mut parts: Vec<(u64, usize)> = Vec::with_capacity(groups.len());
        match order {
            Order::Random { seed } => {
                groups.sort_by_key(|&(group, rows)| (std::cmp::Reverse(rows), scattered(seed, group)));
                let mut filled = vec![0u64; count];
                for (group, rows) in groups {
                    let least = (0..count).min_by_key(|&part| filled[part]).unwrap_or(0);
                    filled[least] += rows;
                    parts.push((group, least));
                }
            }
            Order::Ascending => {
                groups.sort_by(|a, b| f64::from_bits(a.0).total_cmp(&f64::from_bits(b.0)));
                let (mut before, left) = (0u64, groups.len());
                let mut part = 0;
                for (place, (group, rows)) in groups.into_iter().enumerate() {
                    let wanted = ((before as f64 + 0.5 * rows as f64) / total as f64 * count as f64) as usize;
                    // No part is empty: of the groups that are left each may be needed for one.
                    let (least, most) = (count.saturating_sub(left - place), if place == 0 { 0 } else { part + 1 });
                    part = wanted.clamp(part, count - 1).min(most).max(least);
                    parts.push((group, part));
                    before += rows;
                }
            }
        }
        Ok(Division::Groups(Arc::new(Groups::new(cluster, count, parts))))
    }

    /// The number of parts.
    pub fn count(&self) -> usize {
        match self {
            Division::Random(folds) => folds.count,
            Division::Groups(groups) => groups.count(),
        }
    }

    /// A source of some of the rows of another.
    pub fn select<'a>(&self, source: &'a dyn RowSource, part: Part) -> Selected<'a> {
        match self {
            Division::Random(folds) => folds.select(source, part),
            Division::Groups(groups) => Folds { count: groups.count(), seed: 0 }.select_groups(source, part, groups),
        }
    }
}

/// One pass: how many rows each group has.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Sizes {
    cluster: usize,
    sizes: BTreeMap<u64, u64>,
    rows: u64,
}

impl Accumulator for Sizes {
    const KIND: &'static str = "sizes of groups";

    fn fold(&mut self, block: &Block<'_>) {
        self.rows += block.rows() as u64;
        for &group in block.clusters.get(self.cluster).copied().unwrap_or_default() {
            *self.sizes.entry(group).or_default() += 1;
        }
    }

    fn merge(&mut self, later: Self) {
        self.rows += later.rows;
        later.sizes.into_iter().for_each(|(group, rows)| *self.sizes.entry(group).or_default() += rows);
    }

    fn rows(&self) -> u64 {
        self.rows
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::rows::{Matrix, MemoryRows, Sample};

    fn counts(division: &Division, rows: &MemoryRows<'_>) -> Vec<u64> {
        let of = |part| division.select(rows, Part::Only(part)).pass(Sample::none()).unwrap().rows();
        (0..division.count()).map(of).collect()
    }

    #[test]
    fn groups_stay_together_and_parts_are_of_like_sizes() {
        // Thirty groups of one to five rows, scattered over the rows.
        let ids: Vec<u64> = (0..90).map(|i| [i % 30, (i * 7) % 30, i % 10][(i % 3) as usize]).collect();
        let y: Vec<f64> = ids.iter().map(|&id| id as f64).collect();
        let design = Matrix::row_major(&[], 90, 0).unwrap();
        let rows = MemoryRows::new(&y, design).unwrap().with_clusters("g", &ids).unwrap();
        let division = Division::of_groups(&rows, 0, Order::Random { seed: 3 }, 4).unwrap();
        let counts = counts(&division, &rows);
        assert_eq!(counts.iter().sum::<u64>(), 90);
        assert!(counts.iter().all(|count| (20..=25).contains(count)), "{counts:?}");
        let Division::Groups(groups) = &division else { unreachable!() };
        let distinct = ids.iter().collect::<std::collections::BTreeSet<_>>().len();
        assert_eq!(groups.parts().len(), distinct);
        let other = Division::of_groups(&rows, 0, Order::Random { seed: 4 }, 4).unwrap();
        assert_ne!(division, other);
    }

    #[test]
    fn blocks_of_time_are_consecutive_and_none_is_empty() {
        let times: Vec<f64> = (0..100).map(|i| f64::from((i * 37) % 100) - 50.0).collect();
        let ids: Vec<u64> = times.iter().map(|time| time.to_bits()).collect();
        let design = Matrix::row_major(&[], 100, 0).unwrap();
        let rows = MemoryRows::new(&times, design).unwrap().with_clusters("t", &ids).unwrap();
        let division = Division::of_groups(&rows, 0, Order::Ascending, 5).unwrap();
        assert_eq!(counts(&division, &rows), [20; 5]);
        let Division::Groups(groups) = &division else { unreachable!() };
        let part = |time: f64| groups.parts().iter().find(|(id, _)| f64::from_bits(*id) == time).unwrap().1;
        assert_eq!([-50.0, -31.0, -30.0, 29.0, 49.0].map(part), [0, 0, 1, 3, 4]);
        // Most rows at one time, which no part can share.
        let ids: Vec<u64> = (0..100).map(|i| (if i < 90 { 1.0 } else { f64::from(i) }).to_bits()).collect();
        let rows = MemoryRows::new(&times, design).unwrap().with_clusters("t", &ids).unwrap();
        let division = Division::of_groups(&rows, 0, Order::Ascending, 4).unwrap();
        let found = counts(&division, &rows);
        assert!(found.iter().all(|count| *count > 0) && found[0] == 90, "{found:?}");
        let one = MemoryRows::new(&times, design).unwrap().with_clusters("t", &[5; 100]).unwrap();
        let error = Division::of_groups(&one, 0, Order::Ascending, 4).unwrap_err();
        assert!(error.to_string().contains("all rows have the same t"), "{error}");
    }
}
