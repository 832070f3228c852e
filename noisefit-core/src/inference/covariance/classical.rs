//! The classical covariance: what every estimator starts with.

use crate::Error;
use crate::inference::covariance::contract::{Absorbs, Covariance, Request, without_parameter};

/// `classical`: the inverse of the expected information under the noise that was named, which falls out of the estimate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Classical;

impl Covariance for Classical {
    const NAME: &'static str = "classical";
    const ABOUT: &'static str = "right where the noise is the one that was named";

    fn parse(parameter: Option<&str>) -> Result<Self, String> {
        without_parameter(parameter, Classical)
    }

    fn is_of_likelihood(&self) -> bool {
        true
    }

    fn is_of_expected_information(&self) -> bool {
        true
    }

    fn absorbs(&self) -> Absorbs {
        Absorbs::All
    }

    fn estimate(&self, _: Request<'_>) -> Result<(), Error> {
        Ok(())
    }
}
