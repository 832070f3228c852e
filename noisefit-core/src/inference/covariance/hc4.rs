//! Least squares under noise of unknown and varying scale where some rows have far more leverage than others.

use crate::Error;
use crate::inference::covariance::contract::{Absorbs, Covariance, Request, without_parameter};
use crate::inference::covariance::hc;
use crate::inference::covariance::inflation::Inflation;

/// `hc4`: squared residuals count `(1 - h)^-min(4, n h / p)` times, so that rows of high leverage count for more than in `hc3` and
/// others for less (Cribari-Neto 2004, *Computational Statistics & Data Analysis* 45, 215-233).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hc4;

impl Covariance for Hc4 {
    const NAME: &'static str = "hc4";
    const ABOUT: &'static str = "noise whose scale varies, with rows of high leverage";

    fn parse(parameter: Option<&str>) -> Result<Self, String> {
        without_parameter(parameter, Hc4)
    }

    fn remark(&self) -> String {
        hc::REMARK.to_owned()
    }

    fn absorbs(&self) -> Absorbs {
        Absorbs::One
    }

    fn estimate(&self, request: Request<'_>) -> Result<(), Error> {
        let (n, p) = (request.fit.nobs as f64, request.fit.rank() as f64);
        // Of residuals, whose squares count.
        hc::estimate(request, Inflation::Growing { per_leverage: 0.5 * n / p, most: 2.0 }, 1.0)
    }
}
