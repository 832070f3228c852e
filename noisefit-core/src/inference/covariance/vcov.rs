//! The list of covariances, and how a user asks for one of them.

use crate::Error;
use crate::inference::covariance::contract::{Absorbs, Covariance, Request};
use crate::record::VcovKind;
use crate::rows::Kinds;
use crate::suggestion::suggestion;

/// What the list says of a covariance.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Described {
    /// Its name on the command line and in JSON.
    pub name: &'static str,
    /// How it is written with its parameter: `hac:LAGS`.
    pub usage: &'static str,
    /// What it is right for, in a line.
    pub about: &'static str,
}

/// From the one list: the enum, its names, its parser and its dispatch.
macro_rules! covariances {
    ($($file:ident::$covariance:ident),* $(,)?) => {
        $(pub use crate::inference::covariance::$file::$covariance;)*

        /// How the covariance matrix of the estimates is estimated.
        ///
        /// ```
        /// use noisefit_core::inference::covariance::Vcov;
        ///
        /// let vcov: Vcov = "cluster:firm,year".parse()?;
        /// assert_eq!((vcov.to_string(), vcov.clusters()), ("cluster:firm,year".into(), &["firm".into(), "year".into()][..]));
        /// let error = "hc7".parse::<Vcov>().unwrap_err();
        /// assert!(error.to_string().starts_with("no covariance 'hc7'; did you mean 'hc0'? there are classical, hc0"));
        /// # Ok::<(), noisefit_core::inference::covariance::InvalidVcov>(())
        /// ```
        #[derive(Debug, Clone, PartialEq, Default)]
        #[non_exhaustive]
        pub enum Vcov {
            /// What suits the rows and the noise: `sampling` for rows with sampling weights, `nid` for absolute deviations and quantiles,
            /// `classical` for all others.
            #[default]
            Default,
            $(
                #[doc = concat!("[`", stringify!($covariance), "`].")]
                $covariance($covariance),
            )*
        }

        /// Every covariance that can be named, in the order that messages list them.
        pub const COVARIANCES: &[Described] = &[
            $(Described { name: $covariance::NAME, usage: $covariance::USAGE, about: $covariance::ABOUT },)*
        ];

        /// The passes that they have of their own.
        pub(super) fn kinds() -> Kinds {
            Kinds::default()$(.and($covariance::kinds()))*
        }

        impl Vcov {
            /// The covariance of this name; none where there is none.
            fn named(name: &str, parameter: Option<&str>) -> Option<Result<Self, String>> {
                $(if name == $covariance::NAME {
                    return Some($covariance::parse(parameter).map(Vcov::$covariance));
                })*
                None
            }

            fn name(&self) -> &'static str {
                match self {
                    Vcov::Default => "default",
                    $(Vcov::$covariance(_) => $covariance::NAME,)*
                }
            }

            fn parameter(&self) -> Option<String> {
                match self {
                    Vcov::Default => None,
                    $(Vcov::$covariance(covariance) => covariance.parameter(),)*
                }
            }

            /// The columns that say which rows belong together.
            pub fn clusters(&self) -> &[String] {
                match self {
                    Vcov::Default => &[],
                    $(Vcov::$covariance(covariance) => covariance.clusters(),)*
                }
            }

            /// What a reader is told behind the name, such as ` (for dependence within firm)`.
            pub fn remark(&self) -> String {
                match self {
                    Vcov::Default => String::new(),
                    $(Vcov::$covariance(covariance) => covariance.remark(),)*
                }
            }

            /// Whether it rests on the likelihood of the noise that was named.
            pub fn is_of_likelihood(&self) -> bool {
                match self {
                    Vcov::Default => false,
                    $(Vcov::$covariance(covariance) => covariance.is_of_likelihood(),)*
                }
            }

            /// Whether nothing in it counts the coefficients.
            pub(crate) fn leaves_degrees_uncounted(&self) -> bool {
                match self {
                    Vcov::Default => false,
                    $(Vcov::$covariance(covariance) => covariance.leaves_degrees_uncounted(),)*
                }
            }

            /// Whether it is the inverse of what is expected of the information.
            pub(crate) fn is_of_expected_information(&self) -> bool {
                match self {
                    Vcov::Default => false,
                    $(Vcov::$covariance(covariance) => covariance.is_of_expected_information(),)*
                }
            }

            /// Whether it is one of rows with sampling weights.
            pub fn is_of_samples(&self) -> bool {
                match self {
                    Vcov::Default => true,
                    $(Vcov::$covariance(covariance) => covariance.is_of_samples(),)*
                }
            }

            /// Beside which absorbed effects it is defined.
            pub(super) fn absorbs(&self) -> Absorbs {
                match self {
                    Vcov::Default => Absorbs::All,
                    $(Vcov::$covariance(covariance) => covariance.absorbs(),)*
                }
            }

            /// Gives it to a fit.
            pub(super) fn estimate(&self, request: Request<'_>) -> Result<(), Error> {
                match self {
                    Vcov::Default => Ok(()),
                    $(Vcov::$covariance(covariance) => covariance.estimate(request),)*
                }
            }
        }
    };
}

covariances! {
    classical::Classical,
    hc::Hc0,
    hc::Hc1,
    hc::Hc2,
    hc::Hc3,
    hc4::Hc4,
    cluster::Cluster,
    cr2::Cr2,
    cr3::Cr3,
    hac::Hac,
    sandwich::Sandwich,
    iid::Iid,
    nid::Nid,
    kernel::Kernel,
    bootstrap::Bootstrap,
    information::Expected,
    information::Observed,
    sampling::Sampling,
}

impl Vcov {
    /// The inverse of the expected information under the noise that was named.
    pub const CLASSICAL: Vcov = Vcov::Classical(Classical);

    /// The covariance of a fit, where it can be named.
    pub fn of(kind: &VcovKind) -> Option<Self> {
        kind.as_str().parse().ok()
    }
}

impl std::fmt::Display for Vcov {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.parameter() {
            None => f.write_str(self.name()),
            Some(parameter) => write!(f, "{}:{parameter}", self.name()),
        }
    }
}

impl std::str::FromStr for Vcov {
    type Err = InvalidVcov;

    fn from_str(text: &str) -> Result<Self, InvalidVcov> {
        let (name, parameter) = match text.split_once(':') {
            Some((name, parameter)) => (name, Some(parameter)),
            None => (text, None),
        };
        let name = name.to_ascii_lowercase();
        if (name.as_str(), parameter) == ("default", None) {
            return Ok(Vcov::Default);
        }
        match Vcov::named(&name, parameter) {
            Some(found) => found.map_err(|why| InvalidVcov { message: format!("'{text}': {why}") }),
            None => {
                let names = COVARIANCES.iter().map(|known| known.usage).collect::<Vec<_>>().join(", ");
                let near = suggestion(&name, COVARIANCES.iter().map(|known| known.name));
                Err(InvalidVcov { message: format!("no covariance '{text}'{near}there are {names}") })
            }
        }
    }
}

/// No covariance has this name or this parameter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InvalidVcov {
    message: String,
}

impl std::fmt::Display for InvalidVcov {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for InvalidVcov {}
