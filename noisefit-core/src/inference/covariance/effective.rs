//! How many clusters count for a coefficient.
//!
//! The variance of a coefficient is a sum over clusters, and as uncertain as the number of those that make it up. Where `G` clusters
//! have the shares `v_g` in it that they would have if the rows of a cluster were alike in correlation `rho`,
//!
//! ```text
//! v_g = (1 - rho) sum of c^2 + rho (sum of c)^2,    G* = G / (1 + CV^2 of v_g)
//! ```
//!
//! with `c` the coefficient's change by a unit of the row's residual (Carter, Schnepel and Steigerwald 2017, *Review of Economics and
//! Statistics* 99, 698-709). Their bound takes `rho` for one; here it is that of the signs of the residuals.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::Error;
use crate::algebra::Leverage;
use crate::algebra::products::copy_row;
use crate::inference::covariance::whitened::whitened;
use crate::record::Fit;
use crate::rows::{Accumulator, Block, Kinds, RowSource, RowSourceExt};

/// Fewer effective clusters than this, and 95% intervals hold less than 92% in simulations (docs/standard-errors.md).
pub(super) const FEW: f64 = 8.0;

/// More clusters than this are not looked at.
const MOST: u64 = 10_000;

/// The effective number of clusters of every coefficient, the smaller of two groupings; none for aliased ones, or of so many clusters
/// that they are not looked at.
///
/// # Errors
/// What the source reports.
pub(super) fn effective_clusters(
    source: &dyn RowSource,
    fit: &Fit,
    leverage: &Leverage,
    groupings: usize,
    clusters: u64,
) -> Result<Vec<Option<f64>>, Error> {
    let coefficients = fit.location.rows.len();
    if clusters > MOST {
        return Ok(vec![None; coefficients]);
    }
    let rows = whitened(source, fit, leverage);
    let directions = leverage.directions();
    let mut least: Vec<f64> = vec![f64::INFINITY; directions.len()];
    for by in 0..groupings {
        let sums = rows.pass(Shares { by, directions: directions.clone(), rows: 0, clusters: BTreeMap::new() })?;
        least.iter_mut().zip(sums.effective()).for_each(|(least, found)| *least = least.min(found));
    }
    let mut of_all = vec![None; coefficients];
    for (place, effective) in leverage.places().into_iter().zip(least) {
        of_all[place] = Some(effective);
    }
    Ok(of_all)
}

/// One pass: what each cluster has in every coefficient.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Shares {
    /// Which grouping.
    by: usize,
    /// The coefficients as combinations of those of whitened rows.
    directions: Vec<Vec<f64>>,
    rows: u64,
    clusters: BTreeMap<u64, Share>,
}

/// Of one cluster.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Share {
    observations: f64,
    /// Positive residuals less negative ones.
    signs: f64,
    /// `sum of c` and `sum of c^2` for every coefficient.
    sums: Vec<[f64; 2]>,
}

impl Shares {
    fn effective(&self) -> Vec<f64> {
        let (count, all) = (self.clusters.len() as f64, self.clusters.values());
        let total = |of: &dyn Fn(&Share) -> f64| all.clone().map(of).sum::<f64>();
        let n = total(&|share| share.observations);
        let mean = total(&|share| share.signs) / n;
        let variance = 1.0 - mean * mean;
        let pairs = total(&|share| share.observations * (share.observations - 1.0)) * variance;
        let products =
            total(&|share| (share.signs - share.observations * mean).powi(2) - share.observations * variance);
        // Of signs to that of normal residuals.
        let rho =
            if pairs > 0.0 { (0.5 * std::f64::consts::PI * (products / pairs).clamp(0.0, 1.0)).sin() } else { 0.0 };
        let effective = |j: usize| {
            let share = |share: &Share| {
                let [sum, squares] = share.sums[j];
                (1.0 - rho) * squares + rho * sum * sum
            };
            let mean = total(&share) / count;
            let spread = total(&|cluster| (share(cluster) / mean - 1.0).powi(2)) / count;
            if mean > 0.0 { count / (1.0 + spread) } else { count }
        };
        (0..self.directions.len()).map(effective).collect()
    }
}

impl Accumulator for Shares {
    const KIND: &'static str = "shares of clusters";

    fn fold(&mut self, block: &Block<'_>) {
        let empty = || Share { observations: 0.0, signs: 0.0, sums: vec![[0.0; 2]; self.directions.len()] };
        let mut row = vec![0.0; block.design.count()];
        for i in 0..block.rows() {
            copy_row(block.design, i, &mut row);
            let cluster = block.clusters.get(self.by).map_or(0, |ids| ids[i]);
            let share = self.clusters.entry(cluster).or_insert_with(empty);
            let (f, w) = (block.frequency(i), block.weight(i));
            let e = block.response.high[i];
            share.observations += f;
            share.signs += if e == 0.0 { 0.0 } else { f * e.signum() };
            for ([sum, squares], direction) in share.sums.iter_mut().zip(&self.directions) {
                let c = w * direction.iter().zip(&row).map(|(a, u)| a * u).sum::<f64>();
                *sum += f * c;
                *squares += f * c * c;
            }
        }
        self.rows += block.rows() as u64;
    }

    fn merge(&mut self, later: Self) {
        for (cluster, theirs) in later.clusters {
            match self.clusters.entry(cluster) {
                std::collections::btree_map::Entry::Vacant(place) => {
                    place.insert(theirs);
                }
                std::collections::btree_map::Entry::Occupied(mut place) => {
                    let mine = place.get_mut();
                    mine.observations += theirs.observations;
                    mine.signs += theirs.signs;
                    for (mine, theirs) in mine.sums.iter_mut().zip(theirs.sums) {
                        *mine = [mine[0] + theirs[0], mine[1] + theirs[1]];
                    }
                }
            }
        }
        self.rows += later.rows;
    }

    fn rows(&self) -> u64 {
        self.rows
    }
}

/// The passes of this module.
pub(super) fn kinds() -> Kinds {
    Kinds::default().with::<Shares>()
}
