//! Quantiles of noise whose density varies, by the quantiles beside them.

use crate::Error;
use crate::inference::covariance::contract::{Covariance, Kind, Request, without_parameter};

use crate::inference::covariance::quantile;

/// `nid`: quantiles of noise whose density varies with the regressors (Hendricks and Koenker 1991, *JASA* 87, 58-68).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Nid;

impl Covariance for Nid {
    const NAME: &'static str = "nid";
    const ABOUT: &'static str = "quantiles of noise whose density varies";

    fn parse(parameter: Option<&str>) -> Result<Self, String> {
        without_parameter(parameter, Nid)
    }

    fn leaves_degrees_uncounted(&self) -> bool {
        true
    }

    fn estimate(&self, request: Request<'_>) -> Result<(), Error> {
        match request.kind() {
            Kind::Quantile => quantile::nid(request),
            _ => request.refuse_all_but_quantiles(),
        }
    }
}
