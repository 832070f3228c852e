//! How the levels of a category vary together where rows depend on one another within clusters that cross them.

use serde::{Deserialize, Serialize};

/// For every level its part of each cluster that it has rows in: the covariance of two levels is the sum of the products of their parts.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Cells {
    /// How many clusters there are.
    clusters: usize,
    /// Where the parts of each level begin, and behind the last.
    starts: Vec<usize>,
    /// The cluster of each part, ascending within a level.
    of: Vec<u32>,
    parts: Vec<f64>,
}

impl Cells {
    /// Those of so many levels and clusters, from levels, clusters and parts in any order.
    pub(crate) fn new(levels: usize, clusters: usize, mut all: Vec<(u32, u32, f64)>) -> Self {
        all.sort_unstable_by_key(|(level, cluster, _)| (*level, *cluster));
        let starts = (0..=levels).map(|level| all.partition_point(|(own, ..)| (*own as usize) < level)).collect();
        let (of, parts) = all.into_iter().map(|(_, cluster, part)| (cluster, part)).unzip();
        Cells { clusters, starts, of, parts }
    }

    /// How many clusters there are.
    pub(crate) fn clusters(&self) -> usize {
        self.clusters
    }

    /// Whether the parts go together and are of so many levels.
    pub(crate) fn is_sound(&self, levels: usize) -> bool {
        self.starts.len() == levels + 1
            && self.starts.is_sorted()
            && self.starts.first() == Some(&0)
            && self.starts.last() == Some(&self.of.len())
            && self.of.len() == self.parts.len()
            && self.of.iter().all(|cluster| (*cluster as usize) < self.clusters)
    }

    /// The clusters of a level with its parts.
    pub(crate) fn of_level(&self, level: usize) -> impl Iterator<Item = (u32, f64)> {
        let range = self.starts[level]..self.starts[level + 1];
        self.of[range.clone()].iter().copied().zip(self.parts[range].iter().copied())
    }

    /// The covariance of two levels.
    pub(crate) fn covariance(&self, one: usize, other: usize) -> f64 {
        let (mut a, mut b) = (self.of_level(one).peekable(), self.of_level(other).peekable());
        let mut sum = 0.0;
        while let (Some((first, x)), Some((second, y))) = (a.peek(), b.peek()) {
            match first.cmp(second) {
                std::cmp::Ordering::Less => drop(a.next()),
                std::cmp::Ordering::Greater => drop(b.next()),
                std::cmp::Ordering::Equal => {
                    sum += x * y;
                    a.next();
                    b.next();
                }
            }
        }
        sum
    }

    /// The same where every covariance is that times a positive number.
    pub(crate) fn times(mut self, factor: f64) -> Self {
        let root = factor.sqrt();
        self.parts.iter_mut().for_each(|part| *part *= root);
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn covariances_are_of_shared_clusters() {
        let cells = Cells::new(3, 4, vec![(2, 1, 5.0), (0, 3, 2.0), (0, 1, 3.0), (2, 0, 7.0)]);
        assert!(cells.is_sound(3) && !cells.is_sound(2));
        assert_eq!((cells.covariance(0, 0), cells.covariance(0, 2), cells.covariance(2, 0)), (13.0, 15.0, 15.0));
        assert_eq!((cells.covariance(1, 1), cells.covariance(1, 2)), (0.0, 0.0));
        let twice = cells.times(4.0).covariance(0, 2);
        assert_eq!(twice, 60.0);
    }
}
