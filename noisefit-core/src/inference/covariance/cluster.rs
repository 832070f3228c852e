//! Noise that is dependent within groups of rows.

use crate::Error;
use crate::inference::covariance::contract::{Absorbs, Covariance, Kind, Request};
use crate::inference::covariance::form::Form;
use crate::inference::covariance::meat::Dependence;
use crate::inference::covariance::{least_squares, likelihood, quantile};

/// `cluster:COLUMN` or `cluster:COLUMN,COLUMN`: sums of scores over clusters in place of the scores of rows, for two columns of
/// both less their intersection (Cameron, Gelbach and Miller 2011, *Journal of Business & Economic Statistics* 29, 238-249).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cluster {
    /// The columns, one or two.
    pub columns: Vec<String>,
}

impl Covariance for Cluster {
    const NAME: &'static str = "cluster";
    const USAGE: &'static str = "cluster:COLUMN[,COLUMN]";
    const ABOUT: &'static str = "rows that depend on one another within groups";

    fn parse(parameter: Option<&str>) -> Result<Self, String> {
        let columns: Vec<String> =
            parameter.unwrap_or_default().split(',').map(|column| column.trim().to_owned()).collect();
        let sound = matches!(columns.len(), 1 | 2) && columns.iter().all(|column| !column.is_empty());
        match sound && (columns.len() == 1 || columns[0] != columns[1]) {
            true => Ok(Cluster { columns }),
            false => Err("cluster needs one column, or two with a comma between, such as cluster:firm or \
                          cluster:firm,year"
                .to_owned()),
        }
    }

    fn parameter(&self) -> Option<String> {
        Some(self.columns.join(","))
    }

    fn remark(&self) -> String {
        format!(" (for dependence within {})", self.columns.join(" and "))
    }

    fn clusters(&self) -> &[String] {
        &self.columns
    }

    fn absorbs(&self) -> Absorbs {
        Absorbs::All
    }

    /// With the clusters for primary sampling units, drawn with replacement.
    fn is_of_samples(&self) -> bool {
        true
    }

    fn estimate(&self, request: Request<'_>) -> Result<(), Error> {
        let dependence = Dependence::Clusters { groupings: self.columns.len() };
        match request.kind() {
            Kind::LeastSquares => {
                let (n, p) = (request.fit.nobs as f64, request.fit.rank_between_clusters() as f64);
                // What is drawn are the clusters, and nothing is made of the number of their rows.
                let factor = if request.is_sampled() { 1.0 } else { (n - 1.0) / (n - p) };
                least_squares::dependent(request, dependence, factor)
            }
            Kind::Quantile => quantile::by_kernel(request, dependence),
            Kind::ScaledVertex => request.refuse_vertex(),
            Kind::Likelihood | Kind::ActiveSet => likelihood::estimate(request, Form::Sandwich(dependence)),
        }
    }
}
