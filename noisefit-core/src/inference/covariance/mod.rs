//! The covariance of the estimates: how sure a fit is of its coefficients.
//!
//! Every estimate here is a few passes over the rows at a fit that was made before, and replaces what the fit says of its
//! standard errors, statistics and intervals. A covariance is a file and a line in [`COVARIANCES`].

mod bootstrap;
pub(crate) mod by_cluster;
mod classical;
mod cluster;
mod clusters;
mod contract;
mod cr2;
mod cr3;
mod density;
mod effective;
mod form;
mod hac;
mod hc;
mod hc4;
mod huber;
mod iid;
mod inflation;
mod information;
mod kernel;
mod least_squares;
mod level_clusters;
mod likelihood;
mod likelihood_scores;
mod meat;
mod newey_west;
mod nid;
mod of_levels;
mod order;
mod parts;
mod products;
pub(crate) mod quantile;
mod sampling;
mod sandwich;
mod vcov;
mod whitened;

pub use bootstrap::Resampling;
pub(super) use of_levels::OfLevels;
pub(super) use parts::inverse;
pub use vcov::*;
pub(super) use whitened::whitened;

use crate::Error;
use crate::estimate::Options;
use crate::noise::{Noise, Route};
use crate::record::{Coefficient, Fit, VcovKind, Warning};
use crate::rows::{Kinds, Layout, RowSource};
use contract::{Absorbs, Request};

/// Estimates the covariance of a fit's coefficients anew, as `vcov` says, over the rows that it was fitted to, and
/// fills the tables of its coefficients, [`Fit::covariance`] with what intervals of predictions need, and the matrix of a modelled
/// scale's coefficients.
///
/// | covariance | noise | what is computed |
/// |---|---|---|
/// | `hc0` to `hc4` | gaussian of one scale | `(X'VX)^-1 sum(f c (w e)^2 x x') (X'VX)^-1`, `c` by leverages |
/// | `cluster`, `hac` | gaussian of one scale | the same with sums over clusters or lags of `w e x` |
/// | `cr2` | gaussian of one scale | the same with `(I - H_gg)^-1/2 e` in place of a cluster's residuals, and degrees of freedom for each coefficient |
/// | `cr3` | gaussian of one scale | the sum over clusters of `(b_g - b)(b_g - b)'`, `b_g` fitted without cluster `g` |
/// | `sandwich`, `cluster`, `hac` | smooth likelihoods, huber | `A^-1 B A^-1`, `A` the observed information, `B` of the scores |
/// | `observed`, `expected` | smooth likelihoods, huber | the inverse of the information |
/// | `iid`, `nid`, `kernel`, `sandwich`, `cluster`, `hac` | laplace and quantiles of one scale | `H^-1 B H^-1`, `H` with the density of the noise at the quantile |
/// | `sampling` | all, of rows with sampling weights; not laplace of a modelled scale | the sandwich with `n / (n - 1) sum(w^2 s s')` for `B` |
///
/// Smooth likelihoods (student-t, logistic, gaussian of a modelled scale) have all their parameters in `A` and `B`; huber's
/// scale is taken as given. A bootstrap fits again what was named.
///
/// # Errors
/// [`Error::Unsupported`] for a covariance that the noise does not have, or the rows do not determine, and what the source
/// reports.
pub fn estimate(source: &dyn RowSource, fit: &mut Fit, vcov: &Vcov, options: &Options) -> Result<(), Error> {
    estimate_with(source, fit, vcov, options, None)
}

/// The same, with the variances of levels that were swept out of the rows, where it knows them.
///
/// # Errors
/// As [`estimate`].
pub(super) fn estimate_with(
    source: &dyn RowSource,
    fit: &mut Fit,
    vcov: &Vcov,
    options: &Options,
    levels: Option<&mut OfLevels>,
) -> Result<(), Error> {
    check_sampling(vcov, source.layout())?;
    let vcov = vcov.resolved(fit, source.layout());
    let written = vcov.to_string();
    let leverage = fit.leverage().cloned();
    vcov.estimate(Request { source, fit, options, levels, written: written.clone() })?;
    // Those that leave clusters out or allow for their leverage have degrees of freedom of their own.
    let groupings = if matches!(vcov, Vcov::Cluster(_) | Vcov::Bootstrap(_)) { vcov.clusters().len() } else { 0 };
    if let (1.., Some(leverage), Some(df)) = (groupings, leverage, fit.covariance.reference_df) {
        let clusters = df as u64 + 1;
        let effective = effective::effective_clusters(source, fit, &leverage, groupings, clusters)?;
        let few = |(row, effective): (&Coefficient, &Option<f64>)| {
            Some((row.term.clone(), effective.filter(|effective| *effective < effective::FEW)?))
        };
        let effective: Vec<(String, f64)> = fit.location.rows.iter().zip(&effective).filter_map(few).collect();
        if !effective.is_empty() {
            // What else there is for few clusters is of rows that were not drawn.
            let others = groupings == 1 && !source.layout().sampling;
            let least_squares = others && fit.noise.route() == Route::ClosedForm && !fit.scale.is_modelled();
            fit.warnings.push(Warning::FewClusters { clusters, effective, least_squares });
        }
    }
    if fit.scale.common() == Some(0.0) {
        // Where every row is fitted exactly, all are zero.
        fit.covariance.kind = VcovKind::of(&written);
    }
    Ok(())
}

/// Refuses a covariance that is not defined for rows with sampling weights.
///
/// # Errors
/// [`Error::Unsupported`], with what to use instead.
pub(super) fn check_sampling(vcov: &Vcov, layout: &Layout) -> Result<(), Error> {
    if !layout.sampling || vcov.is_of_samples() {
        return Ok(());
    }
    Err(Error::Unsupported(format!(
        "the covariance {vcov} is none for rows with sampling weights: it takes a row for as many as its weight says; use sampling, or \
         cluster for rows that were drawn in groups"
    )))
}

/// Refuses a covariance that is not defined beside the absorbed effects of a fit.
///
/// # Errors
/// [`Error::Unsupported`], with what to use instead.
pub(super) fn check_absorbed(vcov: &Vcov, fit: &Fit) -> Result<(), Error> {
    let Some(absorbed) = &fit.absorbed else { return Ok(()) };
    let names: Vec<&str> = absorbed.effects.iter().map(|effect| effect.name.as_str()).collect();
    let names = names.join(" and ");
    let outside = absorbed.effects.iter().find(|effect| !effect.nested);
    let why = match (vcov.absorbs(), outside) {
        (Absorbs::All, _) | (Absorbs::Nested, None) => return Ok(()),
        (Absorbs::One, _) if absorbed.effects.len() == 1 => return Ok(()),
        (Absorbs::One, _) => format!(
            "it needs the leverage of every row, which is not known where several effects ({names}) are absorbed; use hc1, or put those \
             with few levels among the terms"
        ),
        (Absorbs::Nested, Some(effect)) => format!(
            "without a cluster other rows of the levels of {} would have other constants; it is defined where every level lies within \
             one cluster; use cluster",
            effect.name
        ),
        (Absorbs::None, _) => {
            format!("there is no such estimate beside absorbed effects ({names}); use classical, hc1 or cluster")
        }
    };
    Err(Error::Unsupported(format!("the covariance {vcov} is none for this fit: {why}")))
}

/// Whether a covariance under noise that is not least squares, beside so many absorbed effects, rests on the curvature of the likelihood.
///
/// # Errors
/// [`Error::Unsupported`] for one that is not known there, with what to use instead.
pub(super) fn is_of_curvature(vcov: &Vcov, noise: Noise, effects: usize) -> Result<bool, Error> {
    match (vcov, effects) {
        (Vcov::Default | Vcov::Classical(_), _) => Ok(false),
        (Vcov::Sandwich(_) | Vcov::Cluster(_) | Vcov::Hac(_), 1) => Ok(true),
        (vcov, effects) => {
            let instead = match effects {
                1 => "use classical, sandwich, cluster or hac, or gaussian noise",
                _ => "use classical, put all effects but one among the terms, or name gaussian noise",
            };
            Err(Error::Unsupported(format!(
                "the covariance {vcov} is none beside {effects} absorbed effect{} under {noise} noise: it would need the scores of their \
                 constants; {instead}",
                if effects == 1 { "" } else { "s" }
            )))
        }
    }
}

impl Vcov {
    /// What [`Vcov::Default`] stands for.
    fn resolved(&self, fit: &Fit, layout: &Layout) -> Vcov {
        match (self, fit.noise.route()) {
            (Vcov::Default, _) if layout.sampling => Vcov::Sampling(Sampling),
            (Vcov::Default, Route::Vertex { .. }) if !fit.scale.is_modelled() => Vcov::Nid(Nid),
            (Vcov::Default, _) => Vcov::CLASSICAL,
            (other, _) => other.clone(),
        }
    }
}

/// The passes of this module.
pub(super) fn kinds() -> Kinds {
    let made = likelihood_scores::kinds();
    made.and(huber::kinds())
        .and(least_squares::kinds())
        .and(order::kinds())
        .and(quantile::kinds())
        .and(vcov::kinds())
        .and(effective::kinds())
        .with_adaptor::<of_levels::Squared>()
        .with::<level_clusters::LevelClusters>()
}
