//! Estimators: from rows and a noise family to the maximum of its likelihood. They never see a covariance of another kind than
//! the classical one, which falls out of the estimate.

pub(crate) mod absorbing;
pub mod active_set;
pub mod closed_form;
pub(crate) mod estimated;
mod options;
mod profile_end;
pub mod smooth;
pub(crate) mod start;
pub mod vertex;

pub use options::{Collinear, Options};

use crate::Error;
use crate::noise::{Huber, Kernel, Noise, Route, RouteVisitor, Shaped, levels};
use crate::record::Fit;
use crate::rows::{Kinds, RowSource};

/// The maximum likelihood fit of a linear model under the noise that is named, with classical standard errors: one fit, or one
/// for each quantile.
///
/// # Errors
/// Those of the families' own estimators; [`Error::Argument`] for several noises that are no quantiles.
pub(crate) fn fit(source: &dyn RowSource, noise: &[Noise], options: &Options) -> Result<Vec<Fit>, Error> {
    check_effects(source, noise)?;
    match (noise, levels(noise)) {
        (_, Some(levels)) => vertex::fit_quantiles(source, &levels, options),
        (&[noise], None) => {
            noise.check()?;
            if !source.layout().effects.is_empty() && noise.route() != Route::ClosedForm {
                return Ok(vec![absorbing::fit(source, noise, options)?.0]);
            }
            Ok(vec![noise.visit_route(Estimator { source, noise, options })?])
        }
        (several, None) => {
            let (value, expected) = (several.len() as f64, "1, or that of several quantiles");
            Err(Error::Argument { name: "the number of noise families", value, expected })
        }
    }
}

/// Refuses effects that are to be absorbed under noise whose estimator does not.
pub(crate) fn check_effects(source: &dyn RowSource, noise: &[Noise]) -> Result<(), Error> {
    let layout = source.layout();
    let Some(effect) = layout.effects.first() else { return Ok(()) };
    let instead =
        format!("put {} among the terms, where it has a coefficient for each of up to 10,000 levels", effect.name);
    if layout.scale.is_some() {
        return Err(Error::Unsupported(format!(
            "a modelled scale beside absorbed effects has no estimator; {instead}"
        )));
    }
    match noise.iter().find(|noise| !absorbs_effects(noise)) {
        None => Ok(()),
        Some(noise) => Err(Error::Unsupported(format!(
            "effects are absorbed under {ABSORBING}, and there is no such estimator for {noise} noise; {instead}"
        ))),
    }
}

/// The noise beside which effects are absorbed, for messages.
pub const ABSORBING: &str =
    "gaussian, logistic, student-t, cauchy and huber noise (huber with the scale of maximum likelihood)";

/// Whether effects are absorbed under a noise.
///
/// ```
/// use noisefit_core::estimate::absorbs_effects;
/// use noisefit_core::noise::Noise;
///
/// assert!(absorbs_effects(&Noise::Logistic) && !absorbs_effects(&Noise::Laplace));
/// ```
pub fn absorbs_effects(noise: &Noise) -> bool {
    absorbing::is_absorbing(noise)
}

/// What is fitted, for the route of its family.
struct Estimator<'a> {
    source: &'a dyn RowSource,
    noise: Noise,
    options: &'a Options,
}

impl RouteVisitor for Estimator<'_> {
    type Output = Result<Fit, Error>;

    fn closed_form<K: Kernel>(self, _: K) -> Self::Output {
        closed_form::fit(self.source, self.options)
    }

    fn vertex<K: Kernel>(self, _: K, tau: f64) -> Self::Output {
        match (self.noise, &self.source.layout().scale) {
            (_, None) => vertex::fit(self.source, self.noise, tau, self.options),
            (Noise::Laplace, Some(_)) => smooth::fit_laplace(self.source, self.options),
            (noise, Some(_)) => Err(Error::Unsupported(format!("the scale of {noise} noise cannot be modelled"))),
        }
    }

    fn active_set<K: Kernel>(self, _: K, family: Huber) -> Self::Output {
        match family.delta {
            Some(delta) => active_set::fit_fixed(self.source, delta, self.options),
            None => active_set::fit(self.source, family.k(), family.scale, self.options),
        }
    }

    fn smooth<K: Kernel>(self, kernel: K) -> Self::Output {
        smooth::fit(self.source, kernel, self.noise, self.options)
    }

    fn shaped<K: Shaped>(self, kernel: K) -> Self::Output {
        smooth::fit_shaped(self.source, kernel, self.options)
    }
}

/// The passes of this module.
pub(crate) fn kinds() -> Kinds {
    absorbing::kinds().and(vertex::kinds()).and(active_set::kinds()).and(smooth::kinds())
}
