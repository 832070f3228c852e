//! Independent rows, whatever their noise.

use crate::Error;
use crate::inference::covariance::contract::{Absorbs, Covariance, Kind, Request, without_parameter};
use crate::inference::covariance::form::Form;
use crate::inference::covariance::inflation::Inflation;
use crate::inference::covariance::meat::Dependence;
use crate::inference::covariance::{least_squares, likelihood, quantile};

/// `sandwich`: `A^-1 B A^-1` with `A` the observed information and `B` the sum of the products of scores (White 1982,
/// *Econometrica* 50, 1-25); for quantiles Powell's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sandwich;

impl Covariance for Sandwich {
    const NAME: &'static str = "sandwich";
    const ABOUT: &'static str = "independent rows of any noise";

    fn parse(parameter: Option<&str>) -> Result<Self, String> {
        without_parameter(parameter, Sandwich)
    }

    fn remark(&self) -> String {
        " (for independent rows of any noise)".to_owned()
    }

    fn leaves_degrees_uncounted(&self) -> bool {
        true
    }

    fn absorbs(&self) -> Absorbs {
        Absorbs::All
    }

    fn estimate(&self, request: Request<'_>) -> Result<(), Error> {
        match request.kind() {
            Kind::LeastSquares => least_squares::independent(request, Inflation::None, 1.0),
            Kind::Quantile => quantile::by_kernel(request, Dependence::Independent),
            Kind::ScaledVertex => request.refuse_vertex(),
            Kind::Likelihood | Kind::ActiveSet => {
                likelihood::estimate(request, Form::Sandwich(Dependence::Independent))
            }
        }
    }
}
