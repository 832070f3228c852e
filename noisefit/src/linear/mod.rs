//! Linear models: the mean is a linear combination of design columns.

mod coordinates;
mod elimination;
mod estimate;
mod extended;
pub mod gaussian;
pub(crate) mod gram;
pub mod huber;
mod ladder;
mod lanes;
mod least_squares;
mod leverage;
pub(crate) mod likelihood;
pub mod logistic;
mod magnitudes;
mod moments;
mod options;
pub(crate) mod predictor;
pub mod quantile;
mod residuals;
mod row_kernels;
mod start;
pub mod student_t;
mod triangle;

use crate::Error;
use crate::fit::Fit;
use crate::inference::covariance::{self, Vcov};
use crate::noise::Choice;
use crate::rows::{AnyRows, RowSource};

pub use coordinates::Coordinates;
pub use extended::ExtendedMoments;
pub use least_squares::{Accuracy, LeastSquares, Method, Settings};
pub use leverage::Leverage;
pub use moments::{Moments, Totals};
pub use options::{Collinear, Options};
pub use residuals::{Residuals, Sums};
pub use triangle::Triangle;

/// The maximum likelihood fit of a linear model under the noise that is named: one fit, or one for each quantile. Where the
/// rows have columns for the scale, its logarithm is modelled, too. Standard errors are those of `options.vcov`; the fits of
/// the families' own modules have the classical ones.
///
/// # Errors
/// Those of [`LeastSquares::solve`]; [`Error::Argument`] for a level outside (0, 1); [`Error::Collinear`] where asked for;
/// [`Error::Range`] for a noise scale whose square is no double; [`Error::Unbounded`] where rows that are fitted exactly let
/// the likelihood grow without bound; [`Error::Unsupported`] for a modelled scale with a family that has none.
pub fn fit(source: &impl RowSource, noise: &Choice, options: &Options) -> Result<Vec<Fit>, Error> {
    fit_any(&AnyRows::new(source), noise, options)
}

fn fit_any(source: &AnyRows<'_>, noise: &Choice, options: &Options) -> Result<Vec<Fit>, Error> {
    if source.layout().scale.is_some() && !noise.models_scale() {
        let what = format!(
            "the scale of {noise} noise cannot be modelled; that of gaussian, laplace, student-t and logistic can"
        );
        return Err(Error::Unsupported(what));
    }
    if matches!(noise, Choice::Laplace | Choice::Quantiles(_))
        && matches!(options.vcov, Vcov::Default | Vcov::Nid)
        && source.layout().scale.is_none()
    {
        // The quantiles that this covariance needs are found in the passes of the fit itself.
        return covariance::quantile::fit_nid(source, noise, options);
    }
    let mut fits = fit_classical(source, noise, options)?;
    for fit in &mut fits {
        match options.vcov {
            Vcov::Bootstrap { draws, scheme } => {
                covariance::bootstrap::estimate(source, noise, fit, (draws, scheme), options)?;
            }
            _ => covariance::estimate(source, fit, options)?,
        }
    }
    Ok(fits)
}

/// The same with the classical standard errors whatever is asked for: for those who fit often and do not look at them.
pub(crate) fn fit_classical(source: &impl RowSource, noise: &Choice, options: &Options) -> Result<Vec<Fit>, Error> {
    fit_classical_any(&AnyRows::new(source), noise, options)
}

fn fit_classical_any(source: &AnyRows<'_>, noise: &Choice, options: &Options) -> Result<Vec<Fit>, Error> {
    Ok(match noise {
        Choice::Gaussian => vec![gaussian::fit(source, options)?],
        Choice::Laplace => vec![quantile::fit_laplace(source, options)?],
        Choice::Quantiles(levels) => quantile::fit_quantiles(source, levels, options)?,
        &Choice::Huber { k, scale } => vec![huber::fit(source, k, scale, options)?],
        &Choice::HuberFixed { delta } => vec![huber::fit_fixed(source, delta, options)?],
        Choice::StudentT { df } => vec![student_t::fit(source, *df, options)?],
        Choice::Logistic => vec![logistic::fit(source, options)?],
    })
}
