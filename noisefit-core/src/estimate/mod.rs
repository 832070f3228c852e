//! Estimators: from rows and a noise family to the maximum of its likelihood. They never see a covariance of another kind than
//! the classical one, which falls out of the estimate.

pub mod active_set;
pub mod closed_form;
pub(crate) mod estimated;
mod options;
pub mod smooth;
pub(crate) mod start;
pub mod vertex;

pub use options::{Collinear, Options};

use crate::Error;
use crate::noise::Choice;
use crate::record::Fit;
use crate::rows::{Kinds, RowSource};

/// The maximum likelihood fit of a linear model under the noise that is named, with classical standard errors: one fit, or one
/// for each quantile.
///
/// # Errors
/// Those of the families' own estimators.
pub(crate) fn fit(source: &dyn RowSource, noise: &Choice, options: &Options) -> Result<Vec<Fit>, Error> {
    Ok(match noise {
        Choice::Gaussian => vec![closed_form::fit(source, options)?],
        Choice::Laplace => vec![vertex::fit_laplace(source, options)?],
        Choice::Quantiles(levels) => vertex::fit_quantiles(source, levels, options)?,
        &Choice::Huber { k, scale } => vec![active_set::fit(source, k, scale, options)?],
        &Choice::HuberFixed { delta } => vec![active_set::fit_fixed(source, delta, options)?],
        Choice::StudentT { df } => vec![smooth::student_t::fit(source, *df, options)?],
        Choice::Logistic => vec![smooth::logistic::fit(source, options)?],
    })
}

/// The passes of this module.
pub(crate) fn kinds() -> Kinds {
    vertex::kinds().and(active_set::kinds()).and(smooth::kinds())
}
