//! Which covariance a fit has.

use std::borrow::Cow;

/// The name of the covariance that a fit has, as it is written: `hc3`, `hac:4`, `cluster:firm`.
///
/// What it means is known where covariances are estimated.
///
/// ```
/// use noisefit_core::record::VcovKind;
///
/// assert_eq!(VcovKind::of("classical"), VcovKind::CLASSICAL);
/// assert_eq!(VcovKind::of("hac:4").to_string(), "hac:4");
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VcovKind(Cow<'static, str>);

impl VcovKind {
    /// The inverse of the expected information under the noise that was named.
    pub const CLASSICAL: VcovKind = VcovKind(Cow::Borrowed("classical"));

    /// Huber's estimate where his scale is not the one of largest likelihood, so that there is no information to invert.
    pub const HUBER: VcovKind = VcovKind(Cow::Borrowed("huber"));

    /// The covariance that is written so.
    pub fn of(written: &str) -> Self {
        VcovKind(Cow::Owned(written.to_owned()))
    }

    /// As it is written.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Display for VcovKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::str::FromStr for VcovKind {
    type Err = std::convert::Infallible;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(VcovKind::of(text))
    }
}
