//! The record that every estimator returns.

mod confint;
mod counts;
mod scale_rule;
mod termination;
mod text;
mod vcov;
mod warning;

pub use confint::Confint;
pub use counts::Counts;
pub use scale_rule::ScaleRule;
pub use termination::{Reason, Termination};
pub use vcov::VcovKind;
pub use warning::{NoNid, Shortfall, Warning};

use serde::{Deserialize, Serialize};

use crate::Error;
use crate::algebra::{Accuracy, Leverage};
use crate::noise::Noise;
use crate::numeric::distribution::{Distribution, FisherF, Normal, StudentT, Symmetric};

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
        }
    }
}

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

/// The distribution that statistics are compared with, and that gives confidence intervals their width.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Reference {
    /// Student's t on the residual degrees of freedom: exact for Gaussian noise of one scale.
    StudentT,
    /// The standard normal, which maximum likelihood approaches as rows grow many.
    Normal,
}

impl Reference {
    /// The distribution, for a fit with `df` residual degrees of freedom; none where there are none.
    pub(crate) fn distribution(self, df: f64) -> Option<Box<dyn Symmetric>> {
        match self {
            _ if df <= 0.0 => None,
            Reference::StudentT => StudentT::new(df).ok().map(|t| Box::new(t) as Box<dyn Symmetric>),
            Reference::Normal => Some(Box::new(Normal)),
        }
    }
}

/// A parameter of the noise's shape, such as Student's degrees of freedom, that was estimated.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ShapeParameter {
    /// Its name: `df`.
    pub name: String,
    /// The estimate; absent where it is infinite.
    pub estimate: Option<f64>,
    /// The lower end of the profile-likelihood interval at the fit's level; absent where it is below 0.5, the least that is
    /// searched.
    pub conf_low: Option<f64>,
    /// The upper end; absent where it is infinite.
    pub conf_high: Option<f64>,
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

/// What a fit found.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Fit {
    /// Observations used: rows, each counted as often as its frequency says.
    pub nobs: u64,
    /// The noise model.
    pub noise: Noise,
    /// One row for each term of the design.
    pub coefficients: Vec<Coefficient>,
    /// The estimate of the noise scale, for Gaussian noise `sqrt(SSE / n)`; absent where it is modelled.
    pub scale: Option<f64>,
    /// How the scale was estimated.
    #[serde(with = "text")]
    pub scale_type: ScaleRule,
    /// Where `ln s` is modelled, its coefficients; else none.
    pub scale_coefficients: Vec<Coefficient>,
    /// The parameter of the noise's shape, where one was estimated.
    pub shape: Option<ShapeParameter>,
    /// The certificate of an exact fit of absolute deviations or a quantile.
    pub vertex: Option<Vertex>,
    /// `sqrt(SSE / df_residual)`, unbiased for the variance.
    pub residual_std_error: Option<f64>,
    /// The complete log-likelihood of the response as it stands in the data, every constant included. Absent where the
    /// residuals are all zero and it has no bound.
    pub log_likelihood: Option<f64>,
    /// `-2 log_likelihood + 2 k`, where `k` counts coefficients and scale.
    pub aic: Option<f64>,
    /// AIC with the small-sample correction `2 k (k + 1) / (n - k - 1)`.
    pub aicc: Option<f64>,
    /// `-2 log_likelihood + k log n`.
    pub bic: Option<f64>,
    /// The share of the response's variation explained: about the mean with an intercept, about zero without.
    pub r_squared: Option<f64>,
    /// The same with degrees of freedom counted.
    pub adj_r_squared: Option<f64>,
    /// The mean of the loss that was minimised, where it has a parameter in units of the response: Huber's of a fixed
    /// delta.
    #[serde(default)]
    pub mean_loss: Option<f64>,
    /// The root mean square of the residuals, without the weights.
    pub rmse: f64,
    /// The mean absolute residual, without the weights; absent where the rows were read only once.
    pub mae: Option<f64>,
    /// Estimated coefficients other than the intercept.
    pub df_model: u64,
    /// Observations less estimated coefficients.
    pub df_residual: u64,
    /// The F test of the whole regression.
    pub f_test: Option<FTest>,
    /// Simple regression's familiar form, where there is one regressor and an intercept.
    pub closed_form: Option<ClosedForm>,
    /// The level of the confidence intervals, such as 0.95.
    pub level: f64,
    /// Where they come from.
    #[serde(default)]
    pub confint: Confint,
    /// How `vcov` was estimated.
    #[serde(with = "text")]
    pub vcov_type: VcovKind,
    /// What statistics are compared with.
    pub reference: Reference,
    /// The degrees of freedom of a Student's t reference, where they are others than `df_residual`: with clusters one less
    /// than there are of them.
    #[serde(default)]
    pub reference_df: Option<f64>,
    /// The covariance matrix of the coefficients, by rows; zero rows and columns for aliased terms. Empty where there is
    /// no estimate of it.
    pub vcov: Vec<Vec<f64>>,
    /// The covariance matrix of `scale_coefficients`.
    pub scale_vcov: Vec<Vec<f64>>,
    /// The variance of a row's location in units of `location_variance`; absent where there is no estimate of that.
    pub leverage: Option<Leverage>,
    /// What a row's leverage is multiplied by to give the variance of its location: for Gaussian noise of one scale the
    /// squared residual standard error.
    pub location_variance: Option<f64>,
    /// How far to trust the digits.
    pub accuracy: Accuracy,
    /// Why the estimator stopped.
    pub termination: Termination,
    /// What a reader should know before using the numbers.
    pub warnings: Vec<Warning>,
}

/// A covariance that was estimated at a fit.
#[derive(Debug)]
pub(crate) struct CovarianceEstimate {
    /// Over all coefficients, with zero rows for aliased ones.
    pub(crate) location: Vec<Vec<f64>>,
    /// The quadratic form whose value is the variance of a row's location.
    pub(crate) leverage: Leverage,
    /// That of the coefficients of a modelled scale; none leaves it as it is.
    pub(crate) scale: Option<Vec<Vec<f64>>>,
    /// Which it is.
    pub(crate) vcov_type: VcovKind,
    /// What statistics are compared with.
    pub(crate) reference: Reference,
    /// Degrees of freedom, where they are not the residual ones.
    pub(crate) reference_df: Option<f64>,
}

impl Fit {
    /// The number of estimated coefficients.
    pub fn rank(&self) -> usize {
        self.coefficients.iter().filter(|c| c.estimate.is_some()).count()
    }

    /// How many numbers were estimated: coefficients, those of the scale, and the parameter of the noise's shape.
    pub fn parameters(&self) -> usize {
        let modelled = self.scale_coefficients.iter().filter(|c| c.estimate.is_some()).count();
        let scale = if self.scale_coefficients.is_empty() { 1 } else { modelled };
        self.rank() + scale + usize::from(self.shape.is_some())
    }

    /// The ends of the confidence intervals of the coefficients at a level: the estimate and a multiple of its standard error on
    /// both sides, by the reference distribution. None for a coefficient without a standard error.
    ///
    /// # Errors
    /// [`Error::Argument`] for a level that does not lie between 0 and 1.
    pub fn confint(&self, level: f64) -> Result<Vec<Option<(f64, f64)>>, Error> {
        if !(level > 0.0 && level < 1.0) {
            return Err(Error::Argument { name: "level", value: level, expected: "between 0 and 1" });
        }
        let critical = self.reference_distribution().map(|distribution| distribution.critical(level));
        let ends = |row: &Coefficient| {
            let (estimate, margin) = (row.estimate?, critical? * row.std_error?);
            Some((estimate - margin, estimate + margin))
        };
        Ok(self.coefficients.iter().map(ends).collect())
    }

    /// The reference distribution with its degrees of freedom; none where there are none.
    pub(crate) fn reference_distribution(&self) -> Option<Box<dyn Symmetric>> {
        self.reference.distribution(self.reference_df.unwrap_or(self.df_residual as f64))
    }

    /// Replaces the covariance of the coefficients, and all that rests on it.
    pub(crate) fn set_covariance(&mut self, estimate: CovarianceEstimate) {
        let CovarianceEstimate { location, leverage, scale, vcov_type, reference, reference_df } = estimate;
        (self.reference, self.reference_df, self.vcov_type) = (reference, reference_df, vcov_type);
        let df = reference_df.unwrap_or(self.df_residual as f64);
        let renewed = |rows: &[Coefficient], matrix: &[Vec<f64>]| {
            let names = rows.iter().map(|row| row.term.clone()).collect();
            let estimates: Vec<Option<f64>> = rows.iter().map(|row| row.estimate).collect();
            let variance = |j: usize| matrix.get(j).map(|row| row[j]);
            coefficient_table(names, &estimates, variance, (reference, df), self.level)
        };
        let coefficients = renewed(&self.coefficients, &location);
        if let Some(scale) = scale {
            self.scale_coefficients = renewed(&self.scale_coefficients, &scale);
            self.scale_vcov = scale;
        }
        self.coefficients = coefficients;
        (self.vcov, self.leverage, self.location_variance) = (location, Some(leverage), Some(1.0));
        // The F test is that of the classical covariance.
        self.f_test = None;
    }

    /// Fills `log_likelihood`, `aic`, `aicc` and `bic` for a model of `parameters` estimated numbers, the scale among them.
    pub(crate) fn set_log_likelihood(&mut self, log_likelihood: f64, parameters: usize) {
        let (n, k) = (self.nobs as f64, parameters as f64);
        let value = log_likelihood.is_finite().then_some(log_likelihood);
        self.log_likelihood = value;
        self.aic = value.map(|l| -2.0 * l + 2.0 * k);
        self.aicc =
            value.filter(|_| n - k - 1.0 > 0.0).map(|l| -2.0 * l + 2.0 * k + 2.0 * k * (k + 1.0) / (n - k - 1.0));
        self.bic = value.map(|l| -2.0 * l + k * n.ln());
    }
}

/// The rows of a coefficient table, tested against `reference` with `df` residual degrees of freedom.
///
/// `variance(j)` is a coefficient's variance, none where there is none to give.
pub(crate) fn coefficient_table(
    names: Vec<String>,
    estimates: &[Option<f64>],
    variance: impl Fn(usize) -> Option<f64>,
    (reference, df): (Reference, f64),
    level: f64,
) -> Vec<Coefficient> {
    let distribution = reference.distribution(df);
    let critical = distribution.as_ref().map(|distribution| distribution.critical(level));
    let row = |(j, term): (usize, String)| {
        let estimate = estimates[j];
        let std_error = estimate.and(variance(j)).map(f64::sqrt).filter(|_| distribution.is_some());
        // A coefficient known without error has no statistic.
        let statistic = estimate.zip(std_error).map(|(b, se)| b / se).filter(|t| t.is_finite());
        let margin = critical.zip(std_error).map(|(c, se)| c * se);
        Coefficient {
            term,
            estimate,
            std_error,
            statistic,
            p_value: distribution.as_ref().zip(statistic).map(|(reference, statistic)| reference.two_sided(statistic)),
            conf_low: estimate.zip(margin).map(|(b, m)| b - m),
            conf_high: estimate.zip(margin).map(|(b, m)| b + m),
        }
    };
    names.into_iter().enumerate().map(row).collect()
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
