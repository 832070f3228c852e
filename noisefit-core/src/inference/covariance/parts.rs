//! From the parts of a covariance to the record of a fit.

use faer::{Mat, Side};

use crate::Error;
use crate::algebra::gram::{packed, packed_length, symmetric};
use crate::algebra::{Cholesky, Leverage};
use crate::inference::covariance::products::{Clustered, Found};
use crate::record::{CovarianceEstimate, Fit, Reference, VcovKind, Warning};

/// Fewer clusters than this leave standard errors uncertain by a quarter and more.
const FEW_CLUSTERS: u64 = 10;

/// Eigenvalues below zero by less than this part of the largest are zeros that were rounded.
const ROUNDING: f64 = 1e-12;

/// A covariance of the coefficients of whitened rows.
pub(super) struct Estimated<'a> {
    /// The form that whitened the rows.
    pub(super) leverage: &'a Leverage,
    /// The packed lower triangle.
    pub(super) matrix: Vec<f64>,
    /// That of the coefficients of a modelled scale, in the units of the data.
    pub(super) scale: Option<Vec<Vec<f64>>>,
    /// With clusters their number.
    pub(super) clusters: Option<Clustered>,
    pub(super) reference: Reference,
}

impl Estimated<'_> {
    /// Makes it the fit's. With clusters statistics refer to Student's t with one degree of freedom less than there are of
    /// them, whatever they refer to otherwise (Cameron and Miller 2015, *Journal of Human Resources* 50, 317-372).
    pub(super) fn store(self, fit: &mut Fit, written: &str) {
        let (leverage, location) = self.leverage.of_whitened(&self.matrix, fit.location.rows.len());
        let (reference, reference_df) = match self.clusters {
            Some(clusters) => (Reference::StudentT, Some(clusters.count() as f64 - 1.0)),
            None => (self.reference, None),
        };
        fit.set_covariance(CovarianceEstimate {
            location,
            leverage,
            scale: self.scale,
            kind: VcovKind::of(written),
            reference,
            reference_df,
        });
        let coefficients = fit.rank() as u64;
        let few = |clusters: u64| clusters < FEW_CLUSTERS.max(coefficients + 1);
        fit.warnings.extend(self.clusters.filter(|clusters| few(clusters.count())).map(|clusters| match clusters {
            Clustered::Summed(clusters) => Warning::FewClusters { clusters, coefficients },
            Clustered::LeftOut(clusters) => Warning::FewClustersLeftOut { clusters },
        }));
    }
}

/// `A^-1` of a positive definite `A`, packed.
pub(super) fn inverse(bread: &Cholesky, order: usize) -> Vec<f64> {
    let mut inverse = vec![0.0; packed_length(order)];
    for i in 0..order {
        let unit: Vec<f64> = (0..order).map(|j| f64::from(u8::from(i == j))).collect();
        inverse[packed(i, 0)..packed(i, i) + 1].copy_from_slice(&bread.solve(&unit)[..i + 1]);
    }
    inverse
}

/// `A^-1 B A^-1`, packed, made positive semidefinite where `B` is a difference; and what is to be said of that.
pub(super) fn sandwich(bread: &Cholesky, meat: &Found, order: usize) -> (Vec<f64>, Option<Warning>) {
    let row = |i: usize| (0..order).map(|j| meat.matrix[symmetric(i, j)]).collect::<Vec<f64>>();
    let half: Vec<Vec<f64>> = (0..order).map(|i| bread.solve(&row(i))).collect();
    let mut matrix = vec![0.0; packed_length(order)];
    for i in 0..order {
        let column: Vec<f64> = half.iter().map(|row| row[i]).collect();
        matrix[packed(i, 0)..packed(i, i) + 1].copy_from_slice(&bread.solve(&column)[..i + 1]);
    }
    let warning = match meat.difference {
        true => {
            let inverse = inverse(bread, order);
            let units: Vec<f64> = (0..order).map(|i| inverse[packed(i, i)].sqrt()).collect();
            positive_semidefinite(&mut matrix, &units)
        }
        false => None,
    };
    (matrix, warning)
}

/// Sets the negative eigenvalues of a covariance to zero, in `units` of each of its numbers, and says so where there were
/// such (Cameron, Gelbach and Miller 2011, section 2.3).
pub(super) fn positive_semidefinite(matrix: &mut [f64], units: &[f64]) -> Option<Warning> {
    let order = units.len();
    let scaled = Mat::from_fn(order, order, |i, j| matrix[symmetric(i, j)] / (units[i] * units[j]));
    let Ok(found) = scaled.self_adjoint_eigen(Side::Lower) else { return None };
    let (values, vectors) = (found.S().column_vector(), found.U());
    let largest = values.iter().fold(0.0, |most: f64, value| most.max(*value));
    let least = values.iter().fold(0.0, |least: f64, value| least.min(*value));
    if least >= -ROUNDING * largest {
        return None;
    }
    for i in 0..order {
        for j in 0..=i {
            let sum: f64 = (0..order).map(|k| values[k].max(0.0) * vectors[(i, k)] * vectors[(j, k)]).sum();
            matrix[packed(i, j)] = sum * units[i] * units[j];
        }
    }
    Some(Warning::NotPositiveSemidefinite)
}

/// Refuses an information matrix that is not positive definite.
pub(super) fn factored(information: &[f64], order: usize) -> Result<Cholesky, Error> {
    Cholesky::new(information, order).ok_or_else(|| {
        Error::Unsupported(
            "the observed information is not positive definite at this fit, so it has no inverse to serve as a covariance; \
             use classical or bootstrap, or leave out terms"
                .to_owned(),
        )
    })
}
