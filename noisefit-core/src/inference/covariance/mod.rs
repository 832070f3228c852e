//! The covariance of the estimates: how sure a fit is of its coefficients.
//!
//! Every estimate here is a few passes over the rows at a fit that was made before, and replaces what the fit says of its
//! standard errors, statistics and intervals.

pub(crate) mod bootstrap;

mod clusters;
mod huber;
mod least_squares;
mod likelihood;
pub(crate) mod likelihood_scores;
mod meat;
mod newey_west;
mod order;
mod products;
pub(crate) mod quantile;
mod sandwich;
mod whitened;

pub(crate) use meat::Scores;

use crate::Error;
use crate::estimate::Options;
use crate::noise::{Huber, Kernel, Noise, Route, RouteVisitor, Shaped};
use crate::record::{Fit, Vcov};
use crate::rows::{Kinds, RowSource};

/// Estimates the covariance of a fit's coefficients anew, as `options.vcov` says, over the rows that it was fitted to, and
/// fills the table, [`Fit::vcov`], [`Fit::scale_vcov`], [`Fit::vcov_type`] and what intervals of predictions need.
///
/// | covariance | noise | what is computed |
/// |---|---|---|
/// | `hc0` to `hc3` | gaussian of one scale | `(X'VX)^-1 sum(f c (w e)^2 x x') (X'VX)^-1`, see [`Hc`] |
/// | `cluster`, `hac` | gaussian of one scale | the same with sums over clusters or lags of `w e x` |
/// | `sandwich`, `cluster`, `hac` | smooth likelihoods, huber | `A^-1 B A^-1`, `A` the observed information, `B` of the scores |
/// | `observed`, `expected` | smooth likelihoods, huber | the inverse of the information |
/// | `iid`, `nid`, `kernel`, `sandwich`, `cluster`, `hac` | laplace and quantiles of one scale | `H^-1 B H^-1`, `H` with the density of the noise at the quantile |
///
/// Smooth likelihoods (student-t, logistic, gaussian of a modelled scale) have all their parameters in `A` and `B`; huber's
/// scale is taken as given. A bootstrap fits again what was named, and comes with the fit alone: [`crate::inference::fit`].
///
/// # Errors
/// [`Error::Unsupported`] for a covariance that the noise does not have, or the rows do not determine, and what the source
/// reports.
pub fn estimate(source: &dyn RowSource, fit: &mut Fit, options: &Options) -> Result<(), Error> {
    let vcov = options.vcov.resolved(fit);
    if let Vcov::Hac { lags } = vcov
        && lags as u64 >= fit.nobs
    {
        return Err(newey_west::too_few_rows(lags, fit.nobs));
    }
    match vcov {
        // What every estimator starts with.
        Vcov::Classical => Ok(()),
        Vcov::Bootstrap { .. } => {
            let what = "a bootstrap fits anew what was named, and is asked for with the fit: the fit";
            Err(Error::Unsupported(what.to_owned()))
        }
        _ => {
            let modelled = !fit.scale_coefficients.is_empty();
            fit.noise.visit_route(Estimator { source, fit, vcov, modelled, options })
        }
    }
}

/// What is estimated, for the route of the noise's family.
struct Estimator<'a> {
    source: &'a dyn RowSource,
    fit: &'a mut Fit,
    vcov: Vcov,
    modelled: bool,
    options: &'a Options,
}

impl Estimator<'_> {
    /// Whether it comes from the derivatives of a likelihood.
    fn is_of_likelihood(&self) -> bool {
        matches!(self.vcov, Vcov::Cluster(_) | Vcov::Hac { .. } | Vcov::Sandwich | Vcov::Observed | Vcov::Expected)
    }

    fn likelihood<K: Kernel>(self, kernel: K) -> Result<(), Error> {
        likelihood::estimate(self.source, self.fit, kernel, &self.vcov)
    }

    fn unsupported(&self) -> Result<(), Error> {
        Err(unsupported(&self.vcov, self.fit.noise, self.modelled))
    }
}

impl RouteVisitor for Estimator<'_> {
    type Output = Result<(), Error>;

    fn closed_form<K: Kernel>(self, kernel: K) -> Self::Output {
        match self.vcov {
            Vcov::Hc(_) | Vcov::Cluster(_) | Vcov::Hac { .. } | Vcov::Sandwich if !self.modelled => {
                least_squares::estimate(self.source, self.fit, &self.vcov)
            }
            _ => self.smooth(kernel),
        }
    }

    fn vertex<K: Kernel>(self, kernel: K, _: f64) -> Self::Output {
        match self.vcov {
            Vcov::Iid | Vcov::Nid | Vcov::Kernel | Vcov::Sandwich | Vcov::Cluster(_) | Vcov::Hac { .. }
                if !self.modelled =>
            {
                quantile::estimate(self.source, self.fit, &self.vcov, self.options)
            }
            Vcov::Expected if self.modelled => self.likelihood(kernel),
            _ => self.unsupported(),
        }
    }

    fn active_set<K: Kernel>(self, _: K, family: Huber) -> Self::Output {
        match self.is_of_likelihood() {
            true => huber::estimate(self.source, self.fit, family.kernel(), &self.vcov),
            false => self.unsupported(),
        }
    }

    fn smooth<K: Kernel>(self, kernel: K) -> Self::Output {
        if self.is_of_likelihood() { self.likelihood(kernel) } else { self.unsupported() }
    }

    /// A shape that was estimated at an end of its range is taken as given, for there the log-likelihood has a slope; but what
    /// is expected of it is known there, too.
    fn shaped<K: Shaped>(self, kernel: K) -> Self::Output {
        let theta = kernel.parameter();
        let inside = *K::SHAPES.start() < theta && theta < *K::SHAPES.end();
        if inside || self.vcov == Vcov::Expected { self.smooth(kernel) } else { self.smooth(kernel.held()) }
    }
}

/// What to ask for instead of a covariance that a noise does not have.
fn unsupported(vcov: &Vcov, noise: Noise, modelled: bool) -> Error {
    let named = if modelled { format!("{noise} noise with a modelled scale") } else { format!("{noise} noise") };
    let vertex = matches!(noise.route(), Route::Vertex { .. });
    let why = match vcov {
        Vcov::Hc(_) if vertex && !modelled => {
            "it is one of least squares; for noise of varying scale use nid".to_owned()
        }
        Vcov::Hc(_) if vertex => "it is one of least squares; use classical or bootstrap".to_owned(),
        Vcov::Hc(_) => {
            "it is one of least squares; use sandwich, which is right for independent rows of any noise".to_owned()
        }
        Vcov::Iid | Vcov::Nid | Vcov::Kernel if vertex && modelled => {
            "it is one of quantiles with one scale; use classical or bootstrap".to_owned()
        }
        Vcov::Iid | Vcov::Nid | Vcov::Kernel => {
            let instead = if noise == Noise::Gaussian && !modelled { "hc3" } else { "sandwich" };
            format!("it is one of quantiles and absolute deviations; use {instead}")
        }
        Vcov::Sandwich | Vcov::Observed | Vcov::Cluster(_) | Vcov::Hac { .. } if vertex && modelled => {
            "it needs second derivatives, which absolute deviations do not have; use expected or bootstrap".to_owned()
        }
        Vcov::Observed | Vcov::Expected => {
            "it needs second derivatives, which absolute deviations do not have; use nid or iid".to_owned()
        }
        _ => "use classical".to_owned(),
    };
    Error::Unsupported(format!("the covariance {vcov} is none for {named}: {why}"))
}

impl Vcov {
    /// What [`Vcov::Default`] stands for.
    fn resolved(&self, fit: &Fit) -> Vcov {
        match (self, fit.noise.route()) {
            (Vcov::Default, Route::Vertex { .. }) if fit.scale_coefficients.is_empty() => Vcov::Nid,
            (Vcov::Default, _) => Vcov::Classical,
            (other, _) => other.clone(),
        }
    }
}

/// The passes of this module.
pub(super) fn kinds() -> Kinds {
    let made = likelihood_scores::kinds().with_adaptor::<whitened::Whitened>();
    made.and(huber::kinds()).and(least_squares::kinds()).and(order::kinds()).and(quantile::kinds())
}
