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

/// A variance below this part of the one that the noise itself has at the fit is zero, but for the rounding of residuals and scores
/// that cancel: no standard error is a thousand millionth of what independent rows make it.
const NOTHING: f64 = 1e-18;

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
    /// Makes it the fit's, and says whether it has full rank. With clusters statistics refer to Student's t with one degree of freedom less than there are of
    /// them, whatever they refer to otherwise (Cameron and Miller 2015, *Journal of Human Resources* 50, 317-372).
    pub(super) fn store(self, fit: &mut Fit, written: &str) -> bool {
        let (leverage, mut location) = self.leverage.of_whitened(&self.matrix, fit.location.rows.len());
        let order = self.leverage.coordinates().coefficients();
        let rank = rank(&self.matrix, order);
        let nothing = |j: usize| {
            let usual = fit.vcov().get(j).map_or(0.0, |row| row[j]);
            usual > 0.0 && location[j][j] <= NOTHING * usual
        };
        let without: Vec<usize> = (0..location.len()).filter(|&j| nothing(j)).collect();
        for &j in &without {
            location[j].fill(0.0);
            location.iter_mut().for_each(|row| row[j] = 0.0);
        }
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
        let coefficients = fit.location.rank() as u64;
        if let Some(Clustered::LeftOut(clusters)) = self.clusters
            && clusters < FEW_CLUSTERS.max(coefficients + 1)
        {
            fit.warnings.push(Warning::FewClustersLeftOut { clusters });
        }
        let vcov = VcovKind::of(written);
        if !without.is_empty() {
            let terms = without.iter().map(|&j| fit.location.rows[j].term.clone()).collect();
            fit.warnings.push(Warning::NoVariance { terms, vcov });
        } else if rank < order && rank > 0 {
            fit.warnings.push(Warning::RankOfCovariance { rank, coefficients, vcov });
        }
        rank == order
    }
}

/// The rank of a covariance of whitened rows, whose variances are alike; none is counted that is rounding beside the largest.
pub(super) fn rank(matrix: &[f64], order: usize) -> usize {
    if order == 0 {
        return 0;
    }
    let whole = Mat::from_fn(order, order, |i, j| matrix[symmetric(i, j)]);
    let Ok(found) = whole.self_adjoint_eigen(Side::Lower) else { return order };
    let values = found.S().column_vector();
    let largest = values.iter().fold(0.0, |most: f64, value| most.max(*value));
    // An eigenvalue is known to the rounding of the largest.
    values.iter().filter(|value| **value > ROUNDING * largest).count()
}

/// `A^-1` of a positive definite `A`, packed.
pub(crate) fn inverse(bread: &Cholesky, order: usize) -> Vec<f64> {
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
