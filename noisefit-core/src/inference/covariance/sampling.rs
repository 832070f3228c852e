//! Rows that were drawn from a population, some more likely than others.

use crate::Error;
use crate::inference::covariance::contract::{Covariance, Kind, Request, without_parameter};
use crate::inference::covariance::form::Form;
use crate::inference::covariance::meat::Dependence;
use crate::inference::covariance::{least_squares, likelihood, quantile};

/// `sampling`: `A^-1 [n / (n - 1) sum w^2 s s'] A^-1` for `n` rows with sampling weights `w`, each drawn by itself and with replacement,
/// where `s` are scores and `A` is the information by these weights (Binder 1983, *International Statistical Review* 51, 279-292).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sampling;

impl Covariance for Sampling {
    const NAME: &'static str = "sampling";
    const ABOUT: &'static str = "rows with sampling weights, each drawn by itself";

    fn parse(parameter: Option<&str>) -> Result<Self, String> {
        without_parameter(parameter, Sampling)
    }

    fn remark(&self) -> String {
        " (for rows that were drawn by their weights)".to_owned()
    }

    fn is_of_samples(&self) -> bool {
        true
    }

    fn estimate(&self, request: Request<'_>) -> Result<(), Error> {
        if !request.is_sampled() {
            let why = "it is one of rows that have sampling weights, and these have none; use sandwich";
            return Err(Error::Unsupported(format!("the covariance sampling: {why}")));
        }
        match request.kind() {
            Kind::LeastSquares => least_squares::dependent(request, Dependence::Sampled, 1.0),
            Kind::Quantile => quantile::by_kernel(request, Dependence::Sampled),
            Kind::ScaledVertex => request.refuse(
                "it needs second derivatives, which absolute deviations do not have; model the scale of another noise, such as student-t",
            ),
            Kind::Likelihood | Kind::ActiveSet => likelihood::estimate(request, Form::Sandwich(Dependence::Sampled)),
        }
    }
}
