//! What a test found.

use serde::{Serialize, Serializer};

/// With what a test compares its statistic.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Statistic {
    /// An estimate over its standard error, with Student's t.
    T,
    /// The same, with the normal distribution.
    Z,
    /// Of several restrictions, with Fisher's F.
    F,
    /// Of several restrictions, or a likelihood ratio, with chi-squared.
    ChiSquared,
}

impl Statistic {
    /// `t`, `z`, `F`, `chi2`.
    pub fn name(self) -> &'static str {
        match self {
            Statistic::T => "t",
            Statistic::Z => "z",
            Statistic::F => "F",
            Statistic::ChiSquared => "chi2",
        }
    }
}

impl Serialize for Statistic {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

/// What the test of a hypothesis found.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Test {
    /// The hypothesis, as it was written.
    pub hypothesis: String,
    /// Of a single restriction `a'b = r` the estimate of `a'b`; of a function of the coefficients its value.
    pub estimate: Option<f64>,
    /// What the hypothesis says that it is: `r`.
    pub value: Option<f64>,
    /// The standard error of the estimate.
    pub std_error: Option<f64>,
    /// What the statistic is.
    pub test: Statistic,
    /// The statistic; absent where there are no standard errors, or where the estimate has none.
    pub statistic: Option<f64>,
    /// How many restrictions there are.
    pub df: f64,
    /// The degrees of freedom of Student's t or of the denominator of F; absent for the normal distribution and chi-squared.
    pub df_residual: Option<f64>,
    /// The p-value.
    pub p_value: Option<f64>,
    /// The p-value adjusted for all hypotheses that are tested with it, where that is asked for.
    pub p_adjusted: Option<f64>,
    /// The ends of the confidence interval of the estimate.
    pub conf_low: Option<f64>,
    /// The upper end.
    pub conf_high: Option<f64>,
    /// Of a likelihood ratio test the log-likelihood of the fit that the hypothesis restricts.
    pub log_likelihood: Option<f64>,
    /// Of a likelihood ratio test twice what the log-likelihood falls by.
    pub likelihood_ratio: Option<f64>,
    /// Coefficients of a whole term that have no estimate, so that nothing is said of them.
    pub left_out: Vec<String>,
}
