//! The covariance of the estimates: how sure a fit is of its coefficients.
//!
//! Every estimate here is a few passes over the rows at a fit that was made before, and replaces what the fit says of its
//! standard errors, statistics and intervals.

mod choice;
mod density;
mod order;
pub(crate) mod quantile;

pub use choice::{Hc, InvalidVcov, Resampling, Vcov};

use crate::Error;
use crate::fit::Fit;
use crate::linear::Options;
use crate::noise::Noise;
use crate::rows::RowSource;

/// Estimates the covariance of a fit's coefficients anew, as `options.vcov` says, over the rows that it was fitted to, and
/// fills the table, [`Fit::vcov`], [`Fit::scale_vcov`], [`Fit::vcov_type`] and what intervals of predictions need.
///
/// # Errors
/// [`Error::Unsupported`] for a covariance that the noise does not have, and what the source reports.
pub fn estimate(source: &impl RowSource, fit: &mut Fit, options: &Options) -> Result<(), Error> {
    match options.vcov.resolved(fit) {
        // What every estimator starts with.
        Vcov::Classical => Ok(()),
        vcov @ (Vcov::Iid | Vcov::Nid | Vcov::Kernel) => quantile::estimate(source, fit, &vcov, options),
        vcov @ Vcov::Sandwich if matches!(fit.noise, Noise::Laplace | Noise::Quantile(_)) => {
            quantile::estimate(source, fit, &vcov, options)
        }
        other => {
            let what = format!("the covariance {other} cannot be estimated for {} noise", fit.noise);
            Err(Error::Unsupported(what))
        }
    }
}

impl Vcov {
    /// What [`Vcov::Default`] stands for.
    fn resolved(&self, fit: &Fit) -> Vcov {
        match (self, fit.noise) {
            (Vcov::Default, Noise::Laplace | Noise::Quantile(_)) if fit.scale_coefficients.is_empty() => Vcov::Nid,
            (Vcov::Default, _) => Vcov::Classical,
            (other, _) => other.clone(),
        }
    }
}
