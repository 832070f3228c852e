//! What a covariance states of itself, and what it is asked for.

use crate::Error;
use crate::estimate::Options;
use crate::inference::covariance::of_levels::OfLevels;
use crate::noise::{Noise, Route};
use crate::record::Fit;
use crate::rows::{Kinds, RowSource};

/// One way to estimate the covariance of the estimates: a file of its own and a line in [`COVARIANCES`](super::COVARIANCES).
///
/// A covariance knows for which estimates it is defined ([`Request::kind`]) and which parts it is made of; the passes over the
/// rows are those of the kinds of estimates, and shared.
pub(crate) trait Covariance: Clone + std::fmt::Debug + PartialEq {
    /// Its name on the command line and in JSON.
    const NAME: &'static str;

    /// How it is written with its parameter, for messages.
    const USAGE: &'static str = Self::NAME;

    /// What it is right for, in a line.
    const ABOUT: &'static str;

    /// The covariance that is written with this parameter behind the colon.
    ///
    /// # Errors
    /// Why there is none such.
    fn parse(parameter: Option<&str>) -> Result<Self, String>;

    /// The parameter as it is written.
    fn parameter(&self) -> Option<String> {
        None
    }

    /// What a reader is told behind its name.
    fn remark(&self) -> String {
        String::new()
    }

    /// Whether it rests on the likelihood of the noise that was named.
    fn is_of_likelihood(&self) -> bool {
        false
    }

    /// Whether nothing in it counts the coefficients, so that it is too small by `n / (n - p)` where rows are few.
    fn leaves_degrees_uncounted(&self) -> bool {
        self.is_of_likelihood()
    }

    /// Whether it is the inverse of what is expected of the information.
    fn is_of_expected_information(&self) -> bool {
        false
    }

    /// The columns that say which rows belong together.
    fn clusters(&self) -> &[String] {
        &[]
    }

    /// Whether it is one of rows with sampling weights, which say how likely a row was to be drawn, and not how many rows it is.
    fn is_of_samples(&self) -> bool {
        false
    }

    /// Beside which absorbed effects it is defined.
    fn absorbs(&self) -> Absorbs {
        Absorbs::None
    }

    /// The passes that it has of its own.
    fn kinds() -> Kinds {
        Kinds::default()
    }

    /// Gives it to a fit, or says what to use in its place.
    ///
    /// # Errors
    /// [`Error::Unsupported`] where it is not defined, or the rows do not determine it; and what the source reports.
    fn estimate(&self, request: Request<'_>) -> Result<(), Error>;
}

/// Beside which absorbed effects a covariance is defined.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Absorbs {
    None,
    /// One effect, whose share of the leverages is known.
    One,
    /// Effects whose levels each lie within one cluster.
    Nested,
    All,
}

/// The covariance, where it has no parameter.
pub(super) fn without_parameter<C>(parameter: Option<&str>, covariance: C) -> Result<C, String> {
    match parameter {
        None => Ok(covariance),
        Some(_) => Err("this covariance has no parameter; write its name alone".to_owned()),
    }
}

/// A fit whose covariance is wanted, over the rows that it was made of.
pub(crate) struct Request<'a> {
    pub(super) source: &'a dyn RowSource,
    pub(super) fit: &'a mut Fit,
    pub(super) options: &'a Options,
    /// The levels of a category that was swept out of the rows, whose variances are asked for, too; a covariance that does not know them
    /// leaves them as they are.
    pub(super) levels: Option<&'a mut OfLevels>,
    /// The covariance as it is written.
    pub(super) written: String,
}

/// Estimates that have covariances in common.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Least squares with one scale.
    LeastSquares,
    /// The maximum of a likelihood with two derivatives.
    Likelihood,
    /// Huber's estimate, whose scale is taken as given.
    ActiveSet,
    /// Quantiles and absolute deviations with one scale.
    Quantile,
    /// Absolute deviations whose scale is modelled.
    ScaledVertex,
}

impl Request<'_> {
    /// What kind of an estimate it is.
    pub(super) fn kind(&self) -> Kind {
        let modelled = self.fit.scale.is_modelled();
        match (self.fit.noise.route(), modelled) {
            (Route::ClosedForm, false) => Kind::LeastSquares,
            (Route::ClosedForm | Route::Smooth, _) => Kind::Likelihood,
            (Route::ActiveSet, _) => Kind::ActiveSet,
            (Route::Vertex { .. }, false) => Kind::Quantile,
            (Route::Vertex { .. }, true) => Kind::ScaledVertex,
        }
    }

    /// Whether the rows have sampling weights.
    pub(super) fn is_sampled(&self) -> bool {
        self.source.layout().sampling
    }

    /// The noise as it was named.
    pub(super) fn named(&self) -> Noise {
        self.fit.noise.named()
    }

    /// Says why it is none for this fit, and what to ask for instead.
    pub(super) fn refuse(&self, why: &str) -> Result<(), Error> {
        let (noise, modelled) = (self.fit.noise, self.fit.scale.is_modelled());
        let scale = if modelled { " with a modelled scale" } else { "" };
        Err(Error::Unsupported(format!("the covariance {} is none for {noise} noise{scale}: {why}", self.written)))
    }

    /// [`Request::refuse`] of one that is defined for quantiles alone.
    pub(super) fn refuse_all_but_quantiles(&self) -> Result<(), Error> {
        let instead = match self.kind() {
            Kind::ScaledVertex => {
                return self.refuse("it is one of quantiles with one scale; use classical or bootstrap");
            }
            Kind::LeastSquares => "hc3",
            _ => "sandwich",
        };
        self.refuse(&format!("it is one of quantiles and absolute deviations; use {instead}"))
    }

    /// [`Request::refuse`] of one that is defined for least squares alone.
    pub(super) fn refuse_all_but_least_squares(&self) -> Result<(), Error> {
        let instead = match self.kind() {
            Kind::Quantile => "for noise of varying scale use nid",
            Kind::ScaledVertex => "use classical or bootstrap",
            _ => "use sandwich, which is right for independent rows of any noise",
        };
        self.refuse(&format!("it is one of least squares; {instead}"))
    }

    /// [`Request::refuse`] of one that needs second derivatives, which absolute deviations do not have.
    pub(super) fn refuse_vertex(&self) -> Result<(), Error> {
        let instead = if self.kind() == Kind::ScaledVertex { "expected or bootstrap" } else { "nid or iid" };
        self.refuse(&format!("it needs second derivatives, which absolute deviations do not have; use {instead}"))
    }
}
