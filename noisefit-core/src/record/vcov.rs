//! How a user asks for the covariance of the estimates.

use serde::{Deserialize, Serialize};

/// How the covariance matrix of the estimates is estimated.
///
/// ```
/// use noisefit_core::record::Vcov;
///
/// assert_eq!("hac:4".parse(), Ok(Vcov::Hac { lags: 4 }));
/// assert_eq!("cluster:firm,year".parse::<Vcov>().map(|vcov| vcov.to_string()), Ok("cluster:firm,year".to_owned()));
/// let error = "hc7".parse::<Vcov>().unwrap_err();
/// assert!(error.to_string().starts_with("no covariance 'hc7'; there are classical, hc0"));
/// ```
#[derive(Debug, Clone, PartialEq, Default)]
#[non_exhaustive]
pub enum Vcov {
    /// What suits the noise: [`Vcov::Nid`] for absolute deviations and quantiles, [`Vcov::Classical`] for all others.
    #[default]
    Default,
    /// `classical`: the inverse of the expected information under the noise that was named.
    Classical,
    /// `hc0`, `hc1`, `hc2`, `hc3`: least squares under noise of unknown and varying scale.
    Hc(Hc),
    /// `cluster:COLUMN` or `cluster:COLUMN,COLUMN`: noise that is dependent within groups of rows.
    Cluster(Vec<String>),
    /// `hac:LAGS`: noise that is dependent over so many rows (Newey and West).
    Hac {
        /// The number of lags.
        lags: usize,
    },
    /// `sandwich`: right for independent rows whatever their noise.
    Sandwich,
    /// `iid`: quantiles of noise of one unknown density.
    Iid,
    /// `nid`: quantiles of noise whose density varies with the regressors (Hendricks and Koenker).
    Nid,
    /// `kernel`: the same by a kernel estimate of the density at zero (Powell).
    Kernel,
    /// `bootstrap`, `bootstrap:DRAWS`, `bootstrap:wild`, `bootstrap:wild:DRAWS`: by refitting.
    Bootstrap {
        /// The number of refits.
        draws: usize,
        /// What is drawn.
        scheme: Resampling,
    },
    /// `expected`: the inverse of the expected information, of all parameters together.
    Expected,
    /// `observed`: the inverse of the observed information, of all parameters together.
    Observed,
}

/// What the covariance of a fit is: one that can be named, or what stands in its place where none was.
///
/// ```
/// use noisefit_core::record::{Vcov, VcovKind};
///
/// assert_eq!("hac:4".parse(), Ok(VcovKind::Named(Vcov::Hac { lags: 4 })));
/// assert_eq!(VcovKind::Huber.to_string(), "huber");
/// ```
#[derive(Debug, Clone, PartialEq)]
pub enum VcovKind {
    /// One of those that can be named.
    Named(Vcov),
    /// `huber`: Huber's estimate where his scale is not the one of largest likelihood, so that there is no information to
    /// invert.
    Huber,
}

impl VcovKind {
    /// The inverse of the expected information under the noise that was named.
    pub const CLASSICAL: VcovKind = VcovKind::Named(Vcov::Classical);

    /// Whether it rests on the likelihood of the noise that was named.
    pub fn is_of_likelihood(&self) -> bool {
        matches!(self, VcovKind::Named(Vcov::Classical | Vcov::Expected | Vcov::Observed))
    }
}

impl std::fmt::Display for VcovKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            VcovKind::Named(vcov) => vcov.fmt(f),
            VcovKind::Huber => f.write_str("huber"),
        }
    }
}

impl std::str::FromStr for VcovKind {
    type Err = InvalidVcov;

    fn from_str(text: &str) -> Result<Self, InvalidVcov> {
        match text {
            "huber" => Ok(VcovKind::Huber),
            named => named.parse().map(VcovKind::Named),
        }
    }
}

/// How much the squared residual of a row counts, given its leverage `h` (MacKinnon and White 1985, *Journal of
/// Econometrics* 29, 305-325).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Hc {
    /// `1` (White).
    Hc0,
    /// `n / (n - p)`.
    Hc1,
    /// `1 / (1 - h)`.
    Hc2,
    /// `1 / (1 - h)^2`.
    Hc3,
}

/// What a bootstrap draws.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Resampling {
    /// Rows, with their regressors.
    #[default]
    Pairs,
    /// Signs and sizes of the residuals, around the fit.
    Wild,
}

impl Vcov {
    /// What can be named, in the order that messages list it.
    pub const NAMES: &[&str] = &[
        "classical",
        "hc0",
        "hc1",
        "hc2",
        "hc3",
        "cluster:COLUMN[,COLUMN]",
        "hac:LAGS",
        "sandwich",
        "iid",
        "nid",
        "kernel",
        "bootstrap[:wild][:DRAWS]",
        "expected",
        "observed",
    ];

    /// Refits of a bootstrap where their number is not given.
    pub const DRAWS: usize = 200;

    /// Refits of a bootstrap at most.
    pub const MOST_DRAWS: usize = 100_000;

    /// The columns that say which rows belong together.
    pub fn clusters(&self) -> &[String] {
        match self {
            Vcov::Cluster(columns) => columns,
            _ => &[],
        }
    }
}

impl std::fmt::Display for Vcov {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Vcov::Default => f.write_str("default"),
            Vcov::Classical => f.write_str("classical"),
            Vcov::Hc(Hc::Hc0) => f.write_str("hc0"),
            Vcov::Hc(Hc::Hc1) => f.write_str("hc1"),
            Vcov::Hc(Hc::Hc2) => f.write_str("hc2"),
            Vcov::Hc(Hc::Hc3) => f.write_str("hc3"),
            Vcov::Cluster(columns) => write!(f, "cluster:{}", columns.join(",")),
            Vcov::Hac { lags } => write!(f, "hac:{lags}"),
            Vcov::Sandwich => f.write_str("sandwich"),
            Vcov::Iid => f.write_str("iid"),
            Vcov::Nid => f.write_str("nid"),
            Vcov::Kernel => f.write_str("kernel"),
            Vcov::Bootstrap { draws, scheme: Resampling::Pairs } => write!(f, "bootstrap:{draws}"),
            Vcov::Bootstrap { draws, scheme: Resampling::Wild } => write!(f, "bootstrap:wild:{draws}"),
            Vcov::Expected => f.write_str("expected"),
            Vcov::Observed => f.write_str("observed"),
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
        let invalid = |why: &str| InvalidVcov { message: format!("'{text}': {why}") };
        let bare = match name.to_ascii_lowercase().as_str() {
            "default" => Vcov::Default,
            "classical" => Vcov::Classical,
            "hc0" => Vcov::Hc(Hc::Hc0),
            "hc1" => Vcov::Hc(Hc::Hc1),
            "hc2" => Vcov::Hc(Hc::Hc2),
            "hc3" => Vcov::Hc(Hc::Hc3),
            "sandwich" => Vcov::Sandwich,
            "iid" => Vcov::Iid,
            "nid" => Vcov::Nid,
            "kernel" => Vcov::Kernel,
            "expected" => Vcov::Expected,
            "observed" => Vcov::Observed,
            "bootstrap" => return bootstrap(parameter).ok_or_else(|| {
                invalid("a bootstrap is bootstrap, bootstrap:DRAWS, bootstrap:wild or bootstrap:wild:DRAWS, with 2 to 100000 draws")
            }),
            "hac" => {
                let lags = parameter.and_then(|lags| lags.trim().parse().ok());
                return lags.map(|lags| Vcov::Hac { lags }).ok_or_else(|| {
                    invalid("hac needs the number of rows over which noise is dependent, a whole number such as hac:4")
                });
            }
            "cluster" => {
                let columns: Vec<String> =
                    parameter.unwrap_or_default().split(',').map(|column| column.trim().to_owned()).collect();
                let sound = matches!(columns.len(), 1 | 2) && columns.iter().all(|column| !column.is_empty());
                let sound = sound && (columns.len() == 1 || columns[0] != columns[1]);
                return sound.then_some(Vcov::Cluster(columns)).ok_or_else(|| {
                    invalid("cluster needs one column, or two with a comma between, such as cluster:firm or cluster:firm,year")
                });
            }
            _ => {
                let names = Vcov::NAMES.join(", ");
                return Err(InvalidVcov { message: format!("no covariance '{text}'; there are {names}") });
            }
        };
        match parameter {
            None => Ok(bare),
            Some(_) => Err(invalid("this covariance has no parameter; write its name alone")),
        }
    }
}

fn bootstrap(parameter: Option<&str>) -> Option<Vcov> {
    let (scheme, draws) = match parameter {
        None => (Resampling::Pairs, None),
        Some("wild") => (Resampling::Wild, None),
        Some(text) => match text.strip_prefix("wild:") {
            Some(draws) => (Resampling::Wild, Some(draws)),
            None => (Resampling::Pairs, Some(text)),
        },
    };
    let draws = draws.map_or(Some(Vcov::DRAWS), |draws| draws.trim().parse().ok())?;
    (2..=Vcov::MOST_DRAWS).contains(&draws).then_some(Vcov::Bootstrap { draws, scheme })
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
