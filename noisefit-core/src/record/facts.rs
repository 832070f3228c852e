//! What is known of some fits and not of others.

use serde::{Deserialize, Serialize};

use crate::numeric::distribution::{Distribution, FisherF};

/// The test that all coefficients but the intercept are zero.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FTest {
    /// The F statistic.
    pub statistic: f64,
    /// Degrees of freedom of the numerator.
    pub df_model: f64,
    /// Degrees of freedom of the denominator.
    pub df_residual: f64,
    /// The probability of a larger statistic under the hypothesis.
    pub p_value: f64,
}

impl FTest {
    /// The test of `df_model` coefficients that explain `explained`, against `residual` on `df_residual` degrees.
    pub(crate) fn new(explained: f64, df_model: f64, residual: f64, df_residual: f64) -> Option<Self> {
        let statistic = (explained / df_model) / (residual / df_residual);
        let distribution = FisherF::new(df_model, df_residual).ok()?;
        statistic.is_finite().then(|| FTest {
            statistic,
            df_model,
            df_residual,
            p_value: distribution.survival(statistic),
        })
    }
}

/// Simple regression as people know it: the line through the means with slope `rho s_y / s_x`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ClosedForm {
    /// The mean of the regressor.
    pub mean_x: f64,
    /// The mean of the response.
    pub mean_y: f64,
    /// The standard deviation of the regressor (divisor n - 1).
    pub sd_x: f64,
    /// The standard deviation of the response (divisor n - 1).
    pub sd_y: f64,
    /// Their correlation `rho`, the slope of the standardised equation `z_y = rho z_x`.
    pub correlation: f64,
    /// `rho s_y / s_x`.
    pub slope: f64,
    /// `mean_y - slope mean_x`.
    pub intercept: f64,
}

/// A parameter of the noise's shape, such as Student's degrees of freedom, that was estimated.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ShapeParameter {
    /// Its name: `df`.
    pub name: String,
    /// The estimate; absent where it is infinite.
    pub estimate: Option<f64>,
    /// The lower end of the profile-likelihood interval at the fit's level; absent where it is below
    /// [`bound`](ShapeParameter::bound).
    pub conf_low: Option<f64>,
    /// The upper end; absent where it is infinite.
    pub conf_high: Option<f64>,
    /// The least that is searched: 0.5, more where there are few observations a coefficient.
    #[serde(default)]
    pub bound: Option<f64>,
}

impl ShapeParameter {
    /// Whether it is the least that is searched, but for rounding.
    pub(crate) fn is_at_bound(&self) -> bool {
        self.estimate.zip(self.bound).is_some_and(|(estimate, bound)| estimate <= bound * (1.0 + 1e-12))
    }
}

/// What certifies that least absolute deviations, or a quantile's loss, are at their minimum.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Vertex {
    /// The minimum: `sum(v |e|)`, for a quantile `sum(v rho(e))`, with `v` the frequency times the root of the weight.
    pub objective: f64,
    /// Rows that the fit passes through: at least as many as coefficients.
    pub zero_residuals: u64,
    /// Whether no other coefficients have the same minimum.
    pub unique: bool,
    /// Rows at which this quantile lies below that of the next lower level fitted with it; absent for the lowest.
    pub crossings: Option<u64>,
}
