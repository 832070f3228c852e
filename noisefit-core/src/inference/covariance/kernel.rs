//! Quantiles of noise whose density varies, by a kernel.

use crate::Error;
use crate::inference::covariance::contract::{Covariance, Kind, Request, without_parameter};
use crate::inference::covariance::meat::Dependence;
use crate::inference::covariance::quantile;

/// `kernel`: quantiles of noise whose density varies, by a kernel estimate of the density at zero (Powell 1991).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Kernel;

impl Covariance for Kernel {
    const NAME: &'static str = "kernel";
    const ABOUT: &'static str = "the same by a kernel estimate of the density";

    fn parse(parameter: Option<&str>) -> Result<Self, String> {
        without_parameter(parameter, Kernel)
    }

    fn leaves_degrees_uncounted(&self) -> bool {
        true
    }

    fn estimate(&self, request: Request<'_>) -> Result<(), Error> {
        match request.kind() {
            Kind::Quantile => quantile::by_kernel(request, Dependence::Independent),
            _ => request.refuse_all_but_quantiles(),
        }
    }
}
