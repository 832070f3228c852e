//! One pass: scores summed over clusters, and residuals over what every level of a category has in each cluster.

use serde::{Deserialize, Serialize};

use crate::algebra::gram::{Columns, TILE_ROWS};
use crate::inference::covariance::clusters::Grouping;
use crate::rows::{Accumulator, Block};

/// `sum(f w e u)` of whitened rows `u` over every cluster, and `sum(f w e)` over the rows that a level and a cluster have in common;
/// residuals are counted in a unit.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct LevelClusters {
    unit: f64,
    count: usize,
    rows: u64,
    clusters: Grouping,
    cells: Grouping,
    #[serde(skip)]
    scratch: [Columns; 2],
}

impl LevelClusters {
    /// The empty state for whitened rows of `count` columns.
    pub(super) fn new(unit: f64, count: usize) -> Self {
        let (clusters, cells) = (Grouping::new(&[0], count), Grouping::new(&[0, 1], 1));
        LevelClusters { unit, count, rows: 0, clusters, cells, scratch: Default::default() }
    }

    /// How many clusters there are.
    pub(super) fn clusters(&self) -> usize {
        self.clusters.found().0.len()
    }

    /// Every cell by its level, the place of its cluster, its sum, and the sums of its cluster.
    pub(super) fn cells(&self) -> impl Iterator<Item = (u32, u32, f64, &[f64])> {
        let (clusters, sums) = self.clusters.found();
        let place_of: std::collections::HashMap<u64, usize> = clusters.iter().map(|key| key[0]).zip(0..).collect();
        let (cells, of_cells) = self.cells.found();
        cells.iter().zip(of_cells).filter_map(move |(&[level, cluster], &sum)| {
            let place = *place_of.get(&cluster)?;
            Some((level as u32, place as u32, sum, &sums[place * self.count..][..self.count]))
        })
    }
}

impl Accumulator for LevelClusters {
    const KIND: &'static str = "scores of levels and clusters";

    fn fold(&mut self, block: &Block<'_>) {
        let LevelClusters { unit, count, rows, clusters, cells, scratch: [scores, residuals] } = self;
        *rows += block.rows() as u64;
        let (Some(levels), Some(ids)) = (block.effects.first(), block.clusters.first()) else { return };
        scores.resize(*count, block.rows());
        residuals.resize(1, block.rows());
        for (tile, start) in (0..block.rows()).step_by(TILE_ROWS).enumerate() {
            let range = start..(start + TILE_ROWS).min(block.rows());
            let mut factors = [0.0; TILE_ROWS];
            for (factor, i) in factors.iter_mut().zip(range.clone()) {
                *factor = block.response.high[i] / *unit * block.weight(i) * block.frequency(i);
            }
            scores.fill_products(tile, block.design, &range, &factors);
            residuals.tile_mut(tile, 0)[..range.len()].copy_from_slice(&factors[..range.len()]);
        }
        clusters.add(scores, &[ids], block.rows());
        let levels: Vec<u64> = levels.iter().map(|level| u64::from(*level)).collect();
        cells.add(residuals, &[&levels, ids], block.rows());
    }

    fn merge(&mut self, later: Self) {
        self.rows += later.rows;
        self.clusters.merge(&later.clusters);
        self.cells.merge(&later.cells);
    }

    fn rows(&self) -> u64 {
        self.rows
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::rows::{Design, Values};

    #[test]
    fn states_are_saved_and_merged() {
        // Integers, so that every order of summing gives the same.
        let (x, e): (Vec<f64>, Vec<f64>) =
            (0..300).map(|i| (f64::from(i * 7 % 11), f64::from(i * 5 % 13) - 6.0)).unzip();
        let levels: Vec<u32> = (0..300).map(|i| i * i % 40).collect();
        let ids: Vec<u64> = (0..300).map(|i| i * 5 % 17).collect();
        let empty = LevelClusters::new(1.0, 1);
        let fold = |state: &mut LevelClusters, rows: std::ops::Range<usize>| {
            let design = [Values::from(&x[rows.clone()])];
            state.fold(&Block {
                response: e[rows.clone()].into(),
                design: (&design).into(),
                scale_design: Design::default(),
                weights: None,
                frequencies: None,
                log_jacobian: None,
                clusters: &[&ids[rows.clone()]],
                effects: &[&levels[rows]],
                level_leverage: None,
            });
        };
        let (mut whole, mut merged) = (empty.clone(), empty.clone());
        fold(&mut whole, 0..300);
        for rows in [0..130, 130..133, 133..300] {
            let mut part = empty.clone();
            fold(&mut part, rows);
            merged.merge(empty.load(&empty.save(&part).unwrap()).unwrap());
        }
        let all = |state: &LevelClusters| {
            state.cells().map(|(level, cluster, sum, of)| (level, cluster, sum, of.to_vec())).collect::<Vec<_>>()
        };
        assert_eq!((merged.rows(), merged.clusters(), all(&merged)), (300, 17, all(&whole)));
        for (level, cluster, sum, of_cluster) in all(&whole) {
            let id = ids[..].iter().fold(Vec::new(), |mut met, id| {
                if !met.contains(id) {
                    met.push(*id);
                }
                met
            })[cluster as usize];
            let own = (0..300).filter(|&i| ids[i] == id);
            assert_eq!(of_cluster[0], own.clone().map(|i| e[i] * x[i]).sum::<f64>());
            assert_eq!(sum, own.filter(|&i| levels[i] == level).map(|i| e[i]).sum::<f64>());
        }
    }
}
