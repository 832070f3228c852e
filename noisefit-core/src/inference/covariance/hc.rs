//! Least squares under noise of unknown and varying scale: `(X'VX)^-1 sum(f c (w e)^2 x x') (X'VX)^-1`, where `c` says how much
//! the squared residual of a row counts, given its leverage `h` (MacKinnon and White 1985, *Journal of Econometrics* 29,
//! 305-325).

use crate::Error;
use crate::inference::covariance::contract::{Absorbs, Covariance, Kind, Request, without_parameter};
use crate::inference::covariance::inflation::Inflation;
use crate::inference::covariance::least_squares;

/// What is told of all of them.
pub(super) const REMARK: &str = " (for a noise scale that varies)";

/// Estimates one of them, with the squares inflated by leverages, and by a factor for all.
pub(super) fn estimate(request: Request<'_>, inflation: Inflation, factor: f64) -> Result<(), Error> {
    match request.kind() {
        Kind::LeastSquares => least_squares::independent(request, inflation, factor),
        _ => request.refuse_all_but_least_squares(),
    }
}

macro_rules! covariance {
    ($name:ident, $written:literal, $about:literal, $doc:literal, beside $absorbs:ident effects, |$request:ident| $inflation:expr, $factor:expr) => {
        #[doc = $doc]
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub struct $name;

        impl Covariance for $name {
            const NAME: &'static str = $written;
            const ABOUT: &'static str = $about;

            fn parse(parameter: Option<&str>) -> Result<Self, String> {
                without_parameter(parameter, $name)
            }

            fn remark(&self) -> String {
                REMARK.to_owned()
            }

            fn absorbs(&self) -> Absorbs {
                Absorbs::$absorbs
            }

            fn estimate(&self, $request: Request<'_>) -> Result<(), Error> {
                let factor = $factor;
                estimate($request, $inflation, factor)
            }
        }
    };
}

covariance!(
    Hc0,
    "hc0",
    "noise whose scale varies, least squares of many rows",
    "`hc0`: `c = 1` (White).",
    beside All effects,
    |request| Inflation::None,
    1.0
);
covariance!(
    Hc1,
    "hc1",
    "hc0 times n / (n - p)",
    "`hc1`: `c = n / (n - p)`.",
    beside All effects,
    |request| Inflation::None,
    request.fit.nobs as f64 / (request.fit.nobs as f64 - request.fit.rank() as f64)
);
covariance!(
    Hc2,
    "hc2",
    "unbiased where the scale does not vary",
    "`hc2`: `c = 1 / (1 - h)`.",
    beside One effects,
    |request| Inflation::Half,
    1.0
);
covariance!(
    Hc3,
    "hc3",
    "noise whose scale varies, also with few rows",
    "`hc3`: `c = 1 / (1 - h)^2`.",
    beside One effects,
    |request| Inflation::Whole,
    1.0
);
