//! Few clusters: what each of them does to least squares.

use crate::Error;
use crate::algebra::Cholesky;
use crate::algebra::gram::{packed, packed_length};
use crate::inference::covariance::by_cluster::{ByCluster, OfCluster};
use crate::inference::covariance::contract::{Absorbs, Covariance, Kind, Request};
use crate::inference::covariance::least_squares;
use crate::inference::covariance::products::{Clustered, Found};
use crate::rows::{Kinds, RowSourceExt};

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
        Kinds::default().with::<ByCluster>()
    }

    fn absorbs(&self) -> Absorbs {
        Absorbs::Nested
    }

    fn estimate(&self, request: Request<'_>) -> Result<(), Error> {
        match request.kind() {
            Kind::LeastSquares => least_squares::estimate(request, 1.0, |rows, unit, count| {
                left_out(rows.pass(ByCluster::new(unit, count))?.finish("cr3")?, count)
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

/// `sum of d d'`.
fn left_out(clusters: Vec<OfCluster>, order: usize) -> Result<Found, Error> {
    let mut matrix = vec![0.0; packed_length(order)];
    let count = clusters.len() as u64;
    for OfCluster { mut gram, score } in clusters {
        gram.iter_mut().for_each(|entry| *entry = -*entry);
        (0..order).for_each(|k| gram[packed(k, k)] += 1.0);
        let alone = (0..order).any(|k| gram[packed(k, k)] < LEAST_FREEDOM);
        let left = Cholesky::new(&gram, order).filter(|_| !alone).ok_or_else(|| {
            Error::Unsupported(
                "cr3 is not defined where a cluster alone determines a coefficient; leave out the terms that are about it \
                 alone; cr2 is defined for the other terms; cluster is defined, and counts the noise of that cluster as zero, so \
                 that it is too small for these terms"
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
    Ok(Found { matrix, clusters: Some(Clustered::LeftOut(count)), difference: false })
}

/// What the other clusters must leave of a coefficient's information.
const LEAST_FREEDOM: f64 = 1e-10;
