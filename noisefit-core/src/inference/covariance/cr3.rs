//! Few clusters: what each of them does to least squares.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::Error;
use crate::algebra::Cholesky;
use crate::algebra::gram::{packed, packed_length};
use crate::algebra::products::add_row;
use crate::inference::covariance::contract::{Covariance, Kind, Request};
use crate::inference::covariance::least_squares;
use crate::inference::covariance::products::{Clustered, Found};
use crate::rows::{Accumulator, Block, Kinds, RowSourceExt};

/// `cr3:COLUMN`: the sum over clusters of `d d'`, where `d` is how far the coefficients move when the cluster is left out (Bell and
/// McCaffrey 2002, *Survey Methodology* 28, 169-181): `hc3` for clusters, without a further factor. With few clusters its intervals
/// hold about what they say, where those of `cluster` are too short.
///
/// For the rows `X` of a cluster with residuals `e`, `d = (I - A)^-1 X'e` with `A = X'X` in coordinates in which that of all rows
/// is the identity, so that one pass with a matrix for each cluster is enough.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cr3 {
    /// The column, alone.
    columns: [String; 1],
}

impl Covariance for Cr3 {
    const NAME: &'static str = "cr3";
    const USAGE: &'static str = "cr3:COLUMN";
    const ABOUT: &'static str = "rows that depend on one another within few groups, least squares";

    fn parse(parameter: Option<&str>) -> Result<Self, String> {
        match parameter.map(str::trim) {
            Some(column) if !column.is_empty() && !column.contains(',') => Ok(Cr3 { columns: [column.to_owned()] }),
            _ => Err("cr3 needs one column, such as cr3:firm".to_owned()),
        }
    }

    fn parameter(&self) -> Option<String> {
        Some(self.columns[0].clone())
    }

    fn remark(&self) -> String {
        format!(" (for dependence within {}, each left out in turn)", self.columns[0])
    }

    fn clusters(&self) -> &[String] {
        &self.columns
    }

    fn kinds() -> Kinds {
        Kinds::default().with::<Clusters>()
    }

    fn estimate(&self, request: Request<'_>) -> Result<(), Error> {
        match request.kind() {
            Kind::LeastSquares => least_squares::estimate(request, 1.0, |rows, unit, count| {
                rows.pass(Clusters { unit, count, rows: 0, sums: BTreeMap::new(), full: false })?.finish()
            }),
            Kind::ScaledVertex => request.refuse(
                "it is one of least squares, and none for this noise with a modelled scale allows for dependence within groups; name \
                 another noise, such as logistic, with cluster, or leave out the scale's formula",
            ),
            _ => {
                request.refuse("it is one of least squares; use cluster, which is right for many clusters of any noise")
            }
        }
    }
}

/// For each cluster `A`, packed, and `X'e` of its whitened rows.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Clusters {
    /// What residuals are counted in.
    unit: f64,
    count: usize,
    rows: u64,
    sums: BTreeMap<u64, (Vec<f64>, Vec<f64>)>,
    /// Whether there was no room for all of them.
    full: bool,
}

/// Bytes that the clusters' sums may occupy.
const MOST_BYTES: usize = 1 << 28;

impl Clusters {
    /// Whether there is room for so many clusters.
    fn has_room(&self, clusters: usize) -> bool {
        clusters * (packed_length(self.count) + self.count) * size_of::<f64>() <= MOST_BYTES
    }

    /// `sum of d d'`.
    fn finish(self) -> Result<Found, Error> {
        let order = self.count;
        if self.full {
            return Err(Error::Unsupported(format!(
                "cr3 keeps a matrix of {order} columns for every cluster, and those of more than {} clusters are more than 256 MB; \
                 with so many clusters cluster says the same",
                self.sums.len()
            )));
        }
        let mut matrix = vec![0.0; packed_length(order)];
        if self.sums.len() < 2 {
            return Err(Error::Unsupported(
                "the cluster column has the same value in every row, and standard errors need two clusters or more; name a column \
                 with more values, or use hc3"
                    .to_owned(),
            ));
        }
        for (mut gram, score) in self.sums.values().cloned() {
            gram.iter_mut().for_each(|entry| *entry = -*entry);
            (0..order).for_each(|k| gram[packed(k, k)] += 1.0);
            let alone = (0..order).any(|k| gram[packed(k, k)] < LEAST_FREEDOM);
            let left = Cholesky::new(&gram, order).filter(|_| !alone).ok_or_else(|| {
                Error::Unsupported(
                    "cr3 is not defined where a cluster alone determines a coefficient; leave out the terms that are about it \
                     alone; cluster is defined, and counts the noise of that cluster as zero, so that it is too small for these \
                     terms"
                        .to_owned(),
                )
            })?;
            let moved = left.solve(&score);
            for j in 0..order {
                for k in 0..=j {
                    matrix[packed(j, k)] += moved[j] * moved[k];
                }
            }
        }
        Ok(Found { matrix, clusters: Some(Clustered::LeftOut(self.sums.len() as u64)), difference: false })
    }
}

/// What the other clusters must leave of a coefficient's information.
const LEAST_FREEDOM: f64 = 1e-10;

impl Accumulator for Clusters {
    const KIND: &'static str = "clusters left out";

    fn fold(&mut self, block: &Block<'_>) {
        self.rows += block.rows() as u64;
        let count = self.count;
        for i in 0..block.rows() {
            let cluster = block.clusters.first().map_or(0, |ids| ids[i]);
            if !self.sums.contains_key(&cluster) && !self.has_room(self.sums.len() + 1) {
                self.full = true;
                break;
            }
            let (gram, score) =
                self.sums.entry(cluster).or_insert_with(|| (vec![0.0; packed_length(count)], vec![0.0; count]));
            let weight = block.weight(i) * block.frequency(i);
            let residual = weight * (block.response.high[i] / self.unit);
            add_row(block.design, i, (weight, residual), gram, score);
        }
    }

    fn merge(&mut self, later: Self) {
        self.rows += later.rows;
        self.full |= later.full;
        for (cluster, (gram, score)) in later.sums {
            if !self.sums.contains_key(&cluster) && !self.has_room(self.sums.len() + 1) {
                self.full = true;
                break;
            }
            match self.sums.entry(cluster) {
                std::collections::btree_map::Entry::Vacant(place) => {
                    place.insert((gram, score));
                }
                std::collections::btree_map::Entry::Occupied(mut place) => {
                    let mine = place.get_mut();
                    mine.0.iter_mut().zip(gram).for_each(|(mine, theirs)| *mine += theirs);
                    mine.1.iter_mut().zip(score).for_each(|(mine, theirs)| *mine += theirs);
                }
            }
        }
    }

    fn rows(&self) -> u64 {
        self.rows
    }
}
