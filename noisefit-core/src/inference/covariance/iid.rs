//! Quantiles of noise of one density.

use crate::Error;
use crate::inference::covariance::contract::{Covariance, Kind, Request, without_parameter};

use crate::inference::covariance::quantile;

/// `iid`: quantiles of noise of one unknown density: the slope of the order statistics about zero (Koenker and Bassett 1978, *Econometrica* 46, 33-50).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Iid;

impl Covariance for Iid {
    const NAME: &'static str = "iid";
    const ABOUT: &'static str = "quantiles of noise of one unknown density";

    fn parse(parameter: Option<&str>) -> Result<Self, String> {
        without_parameter(parameter, Iid)
    }

    fn leaves_degrees_uncounted(&self) -> bool {
        true
    }

    fn estimate(&self, request: Request<'_>) -> Result<(), Error> {
        match request.kind() {
            Kind::Quantile => quantile::iid(request),
            _ => request.refuse_all_but_quantiles(),
        }
    }
}
