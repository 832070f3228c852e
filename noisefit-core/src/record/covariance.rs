//! What a fit says of the uncertainty of its coefficients.

use serde::{Deserialize, Serialize};

use crate::algebra::Leverage;
use crate::numeric::distribution::{Normal, StudentT, Symmetric};
use crate::record::{SmallSample, VcovKind};

/// The distribution that statistics are compared with, and that gives confidence intervals their width.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Reference {
    /// Student's t on the residual degrees of freedom: exact for Gaussian noise of one scale.
    StudentT,
    /// The standard normal, which maximum likelihood approaches as rows grow many.
    Normal,
}

impl Reference {
    /// Its degrees of freedom, infinite for the normal distribution, for a fit with so many residual ones; none where these are
    /// zero.
    pub(crate) fn degrees(self, residual: f64) -> Option<f64> {
        (residual > 0.0).then_some(match self {
            Reference::StudentT => residual,
            Reference::Normal => f64::INFINITY,
        })
    }
}

/// Student's t distribution with `df` degrees of freedom, the normal one where they are infinite.
pub(crate) fn reference(df: f64) -> Option<Box<dyn Symmetric>> {
    match df.is_infinite() {
        true => Some(Box::new(Normal)),
        false => StudentT::new(df).ok().map(|t| Box::new(t) as Box<dyn Symmetric>),
    }
}

/// The covariance of a fit's coefficients, and what their statistics are compared with.
#[derive(Debug, Clone, PartialEq)]
pub struct Covariance {
    /// Which it is.
    pub kind: VcovKind,
    /// What statistics are compared with.
    pub reference: Reference,
    /// The degrees of freedom of a Student's t reference, where they are others than those of the residuals: with clusters
    /// one less than there are of them. A coefficient may have its own, [`Coefficient::df`](crate::record::Coefficient::df).
    pub reference_df: Option<f64>,
    /// What was made of it for a small sample.
    pub small_sample: SmallSample,
    /// What the covariance of maximum likelihood was multiplied by for that, of a modelled scale beside what it asks for.
    pub small_sample_factor: f64,
    /// The covariance of the location's coefficients; none where the data leave no degree of freedom for it.
    pub location: Option<LocationCovariance>,
}

/// The covariance of the location's coefficients, and that of the location of any row.
#[derive(Debug, Clone, PartialEq)]
pub struct LocationCovariance {
    /// The covariance matrix of the coefficients, by rows; zero rows and columns for aliased terms. Empty where it follows from the
    /// leverage, as where a category of many levels is among the terms: [`LocationCovariance::whole`].
    pub matrix: Vec<Vec<f64>>,
    /// The variance of a row's location in units of [`LocationCovariance::unit`].
    pub leverage: Leverage,
    /// What a row's leverage is multiplied by to give the variance of its location: for Gaussian noise of one scale the
    /// squared residual standard error.
    pub unit: f64,
}

impl LocationCovariance {
    /// The covariance matrix of the coefficients, by rows. Where a category of many levels is among the terms it is made when it is first
    /// asked for, and is of the size of their number squared.
    pub fn whole(&self) -> &[Vec<f64>] {
        match self.matrix.is_empty() {
            true => self.leverage.implied_matrix(self.unit).unwrap_or_default(),
            false => &self.matrix,
        }
    }

    /// The covariance of two coefficients; none where there is no such coefficient.
    pub(crate) fn entry(&self, one: usize, other: usize) -> Option<f64> {
        match self.matrix.get(one) {
            Some(row) => row.get(other).copied(),
            None => self.leverage.implied(one, other).map(|covariance| covariance * self.unit),
        }
    }
}

/// A covariance that was estimated at a fit.
#[derive(Debug)]
pub(crate) struct CovarianceEstimate {
    /// Over all coefficients, with zero rows for aliased ones.
    pub(crate) location: Vec<Vec<f64>>,
    /// The quadratic form whose value is the variance of a row's location.
    pub(crate) leverage: Leverage,
    /// That of the coefficients of a modelled scale; none leaves it as it is.
    pub(crate) scale: Option<Vec<Vec<f64>>>,
    /// Which it is.
    pub(crate) kind: VcovKind,
    /// What statistics are compared with.
    pub(crate) reference: Reference,
    /// Degrees of freedom, where they are not the residual ones.
    pub(crate) reference_df: Option<f64>,
}

/// What is made of a covariance for a small sample.
#[derive(Debug)]
pub(crate) struct SmallSampled {
    pub(crate) small_sample: SmallSample,
    /// What it is multiplied by.
    pub(crate) factor: f64,
    /// What that of maximum likelihood is thereby multiplied by.
    pub(crate) stated: f64,
    /// What statistics are compared with.
    pub(crate) reference: Reference,
    /// Degrees of freedom, where they are not the residual ones.
    pub(crate) reference_df: Option<f64>,
    /// The location's, where it is more than multiplied.
    pub(crate) refined: Option<Refined>,
}

/// A covariance of the location's coefficients in place of a multiple.
#[derive(Debug)]
pub(crate) struct Refined {
    /// Over all coefficients, with zero rows for aliased ones.
    pub(crate) matrix: Vec<Vec<f64>>,
    /// The quadratic form whose value is the variance of a row's location.
    pub(crate) leverage: Leverage,
    /// The degrees of freedom of every coefficient.
    pub(crate) df: Vec<f64>,
}
