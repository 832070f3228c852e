//! Noise that is dependent over a number of rows.

use crate::Error;
use crate::inference::covariance::contract::{Absorbs, Covariance, Kind, Request};
use crate::inference::covariance::form::Form;
use crate::inference::covariance::meat::Dependence;
use crate::inference::covariance::newey_west::too_few_rows;
use crate::inference::covariance::{least_squares, likelihood, quantile};

/// `hac:LAGS`: products of the scores of rows up to so many apart, with Bartlett's weights (Newey and West 1987,
/// *Econometrica* 55, 703-708).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hac {
    /// The number of lags.
    pub lags: usize,
}

impl Covariance for Hac {
    const NAME: &'static str = "hac";
    const USAGE: &'static str = "hac:LAGS";
    const ABOUT: &'static str = "rows in the order of time that depend on those before";

    fn parse(parameter: Option<&str>) -> Result<Self, String> {
        let lags = parameter.and_then(|lags| lags.trim().parse().ok());
        lags.map(|lags| Hac { lags }).ok_or_else(|| {
            "hac needs the number of rows over which noise is dependent, a whole number such as hac:4".to_owned()
        })
    }

    fn parameter(&self) -> Option<String> {
        Some(self.lags.to_string())
    }

    fn remark(&self) -> String {
        format!(" (for dependence over {} row{})", self.lags, if self.lags == 1 { "" } else { "s" })
    }

    fn absorbs(&self) -> Absorbs {
        Absorbs::All
    }

    fn estimate(&self, request: Request<'_>) -> Result<(), Error> {
        if self.lags as u64 >= request.fit.nobs {
            return Err(too_few_rows(self.lags, request.fit.nobs));
        }
        let dependence = Dependence::Lags { lags: self.lags };
        match request.kind() {
            Kind::LeastSquares => least_squares::dependent(request, dependence, 1.0),
            Kind::Quantile => quantile::by_kernel(request, dependence),
            Kind::ScaledVertex => request.refuse_vertex(),
            Kind::Likelihood | Kind::ActiveSet => likelihood::estimate(request, Form::Sandwich(dependence)),
        }
    }
}
