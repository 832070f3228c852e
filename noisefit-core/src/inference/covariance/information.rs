//! The inverse of the information, of all parameters together.

use crate::Error;
use crate::inference::covariance::contract::{Covariance, Kind, Request, without_parameter};
use crate::inference::covariance::form::Form;
use crate::inference::covariance::likelihood;

/// What is told of both.
const REMARK: &str = " information, inverted";

/// `expected`: the inverse of the expected information (Fisher's).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Expected;

impl Covariance for Expected {
    const NAME: &'static str = "expected";
    const ABOUT: &'static str = "the noise is the one that was named; all parameters together";

    fn parse(parameter: Option<&str>) -> Result<Self, String> {
        without_parameter(parameter, Expected)
    }

    fn remark(&self) -> String {
        REMARK.to_owned()
    }

    fn is_of_likelihood(&self) -> bool {
        true
    }

    fn is_of_expected_information(&self) -> bool {
        true
    }

    fn estimate(&self, request: Request<'_>) -> Result<(), Error> {
        match request.kind() {
            Kind::Quantile => request.refuse_vertex(),
            _ => likelihood::estimate(request, Form::Expected),
        }
    }
}

/// `observed`: the inverse of the observed information (Efron and Hinkley 1978, *Biometrika* 65, 457-482).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Observed;

impl Covariance for Observed {
    const NAME: &'static str = "observed";
    const ABOUT: &'static str = "the same at the data at hand";

    fn parse(parameter: Option<&str>) -> Result<Self, String> {
        without_parameter(parameter, Observed)
    }

    fn remark(&self) -> String {
        REMARK.to_owned()
    }

    fn is_of_likelihood(&self) -> bool {
        true
    }

    fn estimate(&self, request: Request<'_>) -> Result<(), Error> {
        match request.kind() {
            Kind::Quantile | Kind::ScaledVertex => request.refuse_vertex(),
            _ => likelihood::estimate(request, Form::Observed),
        }
    }
}
