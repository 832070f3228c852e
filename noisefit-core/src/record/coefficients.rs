//! The coefficients of a linear predictor, with their uncertainty.

use serde::{Deserialize, Serialize};

use crate::algebra::Affine;
use crate::record::covariance::reference;

/// A coefficient with its uncertainty: one row of the table. Everything but the name is absent for an aliased term, and
/// what rests on the scale is absent where the data leave no degree of freedom for it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Coefficient {
    /// The term, named as in R: `(Intercept)`, `x1`, `city[Paris]`.
    pub term: String,
    /// The maximum likelihood estimate, in units of the response per unit of the term.
    pub estimate: Option<f64>,
    /// Its standard error.
    pub std_error: Option<f64>,
    /// Estimate over standard error.
    pub statistic: Option<f64>,
    /// The two-sided p-value of the hypothesis that the coefficient is zero.
    pub p_value: Option<f64>,
    /// The lower end of the confidence interval.
    pub conf_low: Option<f64>,
    /// The upper end of the confidence interval.
    pub conf_high: Option<f64>,
    /// The degrees of freedom of Student's t that the statistic is compared with; absent for the normal distribution.
    #[serde(default)]
    pub df: Option<f64>,
}

impl Coefficient {
    /// One that was estimated without a standard error, as by training.
    pub fn without_error(term: String, estimate: f64) -> Self {
        Coefficient {
            term,
            estimate: Some(estimate),
            std_error: None,
            statistic: None,
            p_value: None,
            conf_low: None,
            conf_high: None,
            df: None,
        }
    }
}

/// The table of the coefficients of a location, or of the logarithm of a modelled scale.
#[derive(Debug, Clone, PartialEq)]
pub struct Coefficients {
    /// Whether the first row is that of an intercept.
    pub intercept: bool,
    /// One row for each term of the design, that of the intercept first where there is one.
    pub rows: Vec<Coefficient>,
}

impl Coefficients {
    /// A table whose rows are tested against reference distributions and have intervals at a level. `variance(j)` is that of a
    /// coefficient, none where there is none to give; `df(j)` are the degrees of freedom of its Student's t, infinite for the
    /// normal distribution; without them there are no standard errors.
    pub(crate) fn new(
        (names, intercept): (Vec<String>, bool),
        estimates: &[Option<f64>],
        variance: impl Fn(usize) -> Option<f64>,
        df: impl Fn(usize) -> Option<f64>,
        level: f64,
    ) -> Self {
        // Most rows, if not all, have one distribution, whose quantile takes longer than all else here.
        let mut last = (None, None, None);
        let row = |(j, term): (usize, String)| {
            let estimate = estimates[j];
            let df = df(j);
            if df != last.0 {
                let reference = df.and_then(reference);
                let critical = reference.as_ref().map(|reference| reference.critical(level));
                last = (df, reference, critical);
            }
            let (_, reference, critical) = &last;
            let critical = *critical;
            let std_error = estimate.and(variance(j)).map(f64::sqrt).filter(|_| critical.is_some());
            // A coefficient known without error has no statistic.
            let statistic = estimate.zip(std_error).map(|(b, se)| b / se).filter(|t| t.is_finite());
            // Nor an interval: that a covariance says nothing of a coefficient does not make it certain.
            let margin = critical.zip(std_error).map(|(c, se)| c * se).filter(|margin| *margin > 0.0);
            Coefficient {
                term,
                estimate,
                std_error,
                statistic,
                p_value: reference.as_ref().zip(statistic).map(|(reference, statistic)| reference.two_sided(statistic)),
                conf_low: estimate.zip(margin).map(|(b, m)| b - m),
                conf_high: estimate.zip(margin).map(|(b, m)| b + m),
                df: df.filter(|df| df.is_finite() && std_error.is_some()),
            }
        };
        Coefficients { intercept, rows: names.into_iter().enumerate().map(row).collect() }
    }

    /// The same estimates where their covariance matrix is another.
    pub(crate) fn with_covariance(&self, matrix: &[Vec<f64>], df: impl Fn(usize) -> Option<f64>, level: f64) -> Self {
        let names = self.rows.iter().map(|row| row.term.clone()).collect();
        let variance = |j: usize| matrix.get(j).map(|row| row[j]);
        Self::new((names, self.intercept), &self.estimates(), variance, df, level)
    }

    /// The estimates; none for aliased terms.
    pub fn estimates(&self) -> Vec<Option<f64>> {
        self.rows.iter().map(|row| row.estimate).collect()
    }

    /// How many were estimated.
    pub fn rank(&self) -> usize {
        self.rows.iter().filter(|row| row.estimate.is_some()).count()
    }

    /// The linear predictor with these coefficients; aliased terms count as zero.
    pub fn affine(&self) -> Affine {
        Affine::new(&self.estimates(), self.intercept)
    }
}
