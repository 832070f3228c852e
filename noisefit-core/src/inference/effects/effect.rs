//! One number of a table of effects.

use serde::Serialize;

use crate::inference::hypothesis::{Statistic, Test};

/// An average with what is known of its uncertainty.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Effect {
    /// The average.
    pub estimate: f64,
    /// Its standard error, by the delta method; none where there is no covariance.
    pub std_error: Option<f64>,
    /// With what the statistic is compared.
    pub test: Statistic,
    /// The estimate over its standard error.
    pub statistic: Option<f64>,
    /// The degrees of freedom of Student's t; none of the normal distribution.
    pub df: Option<f64>,
    /// The p-value of the test that it is zero.
    pub p_value: Option<f64>,
    /// The lower end of its confidence interval.
    pub conf_low: Option<f64>,
    /// The upper end.
    pub conf_high: Option<f64>,
    /// Of an ensemble of networks the standard deviation of what its members say, which is no standard error.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub spread: Option<f64>,
}

impl From<Test> for Effect {
    fn from(found: Test) -> Self {
        let Test { estimate, std_error, test, statistic, df_residual, p_value, conf_low, conf_high, .. } = found;
        let estimate = estimate.unwrap_or(f64::NAN);
        Effect { estimate, std_error, test, statistic, df: df_residual, p_value, conf_low, conf_high, spread: None }
    }
}

impl Effect {
    /// The mean of what several members say, and how far they differ: their standard deviation (divisor one less than their number).
    ///
    /// ```
    /// use noisefit_core::inference::effects::Effect;
    ///
    /// let effect = Effect::of_members(&[1.0, 3.0]);
    /// assert_eq!((effect.estimate, effect.spread), (2.0, Some(2f64.sqrt())));
    /// assert_eq!(Effect::of_members(&[1.0]).spread, None);
    /// ```
    pub fn of_members(members: &[f64]) -> Self {
        let count = members.len() as f64;
        let estimate = members.iter().sum::<f64>() / count;
        let squares: f64 = members.iter().map(|own| (own - estimate).powi(2)).sum();
        let spread = (members.len() > 1).then(|| (squares / (count - 1.0)).sqrt());
        Effect { spread, ..Effect::without_error(estimate) }
    }

    /// An estimate of which no error is known.
    pub fn without_error(estimate: f64) -> Self {
        Effect {
            estimate,
            std_error: None,
            test: Statistic::Z,
            statistic: None,
            df: None,
            p_value: None,
            conf_low: None,
            conf_high: None,
            spread: None,
        }
    }
}
