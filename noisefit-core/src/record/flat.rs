//! A fit in JSON: one flat object, whose names stay.

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::algebra::{Accuracy, Leverage};
use crate::noise::Noise;
use crate::record::{
    Absorbed, ClosedForm, Coefficient, Coefficients, Confint, Covariance, FTest, Fit, FittedScale, Goodness,
    Likelihood, LocationCovariance, Reference, ScaleRule, ShapeParameter, SmallSample, Termination, VcovKind, Vertex,
    Warning, text,
};
use crate::rows::INTERCEPT;

/// A fit as JSON has it.
#[derive(Serialize, Deserialize)]
struct Flat {
    nobs: u64,
    noise: Noise,
    coefficients: Vec<Coefficient>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    absorbed: Option<Absorbed>,
    scale: Option<f64>,
    scale_type: ScaleRule,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    scale_conf_low: Option<f64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    scale_conf_high: Option<f64>,
    scale_coefficients: Vec<Coefficient>,
    shape: Option<ShapeParameter>,
    vertex: Option<Vertex>,
    residual_std_error: Option<f64>,
    log_likelihood: Option<f64>,
    aic: Option<f64>,
    aicc: Option<f64>,
    bic: Option<f64>,
    r_squared: Option<f64>,
    adj_r_squared: Option<f64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    r1: Option<f64>,
    #[serde(default)]
    mean_loss: Option<f64>,
    rmse: f64,
    mae: Option<f64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    residual_quantiles: Option<[f64; 5]>,
    df_model: u64,
    df_residual: u64,
    f_test: Option<FTest>,
    closed_form: Option<ClosedForm>,
    level: f64,
    #[serde(default)]
    confint: Confint,
    #[serde(with = "text")]
    vcov_type: VcovKind,
    reference: Reference,
    #[serde(default)]
    reference_df: Option<f64>,
    #[serde(default)]
    small_sample: SmallSample,
    #[serde(default = "one")]
    small_sample_factor: f64,
    vcov: Vec<Vec<f64>>,
    scale_vcov: Vec<Vec<f64>>,
    leverage: Option<Leverage>,
    location_variance: Option<f64>,
    accuracy: Accuracy,
    termination: Termination,
    warnings: Vec<Warning>,
}

/// The factor of a covariance that nothing was made of.
fn one() -> f64 {
    1.0
}

impl Serialize for Fit {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Flat::from(self.clone()).serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Fit {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Fit::try_from(Flat::deserialize(deserializer)?).map_err(de::Error::custom)
    }
}

impl From<Fit> for Flat {
    fn from(fit: Fit) -> Self {
        let scale_type = fit.scale_rule();
        let degrees = fit.reference_degrees().filter(|df| df.is_finite());
        let Fit { nobs, noise, location, absorbed, scale, shape, vertex, likelihood, goodness, covariance, .. } = fit;
        let Goodness { residual_std_error, r_squared, adj_r_squared, r1, mean_loss, rmse, residual_quantiles, mae } =
            goodness;
        let (scale, scale_coefficients, scale_vcov) = match scale {
            FittedScale::Common(scale) => (Some(scale), Vec::new(), Vec::new()),
            FittedScale::Modelled { coefficients, vcov } => (None, coefficients.rows, vcov),
        };
        let Covariance { kind, reference, small_sample, small_sample_factor, location: estimate, .. } = covariance;
        let (vcov, leverage, location_variance) = match estimate {
            Some(LocationCovariance { matrix, leverage, unit }) => (matrix, Some(leverage), Some(unit)),
            None => (Vec::new(), None, None),
        };
        Flat {
            nobs,
            noise,
            coefficients: location.rows,
            absorbed,
            scale,
            scale_type,
            scale_conf_low: fit.scale_interval.map(|(low, _)| low),
            scale_conf_high: fit.scale_interval.map(|(_, high)| high),
            scale_coefficients,
            shape,
            vertex,
            residual_std_error,
            log_likelihood: likelihood.map(|found| found.log_likelihood),
            aic: likelihood.map(|found| found.aic),
            aicc: likelihood.and_then(|found| found.aicc),
            bic: likelihood.map(|found| found.bic),
            r_squared,
            adj_r_squared,
            r1,
            mean_loss,
            rmse,
            mae,
            residual_quantiles,
            df_model: fit.df_model,
            df_residual: fit.df_residual,
            f_test: fit.f_test,
            closed_form: fit.closed_form,
            level: fit.level,
            confint: fit.confint,
            vcov_type: kind,
            reference,
            reference_df: degrees,
            small_sample,
            small_sample_factor,
            vcov,
            scale_vcov,
            leverage,
            location_variance,
            accuracy: fit.accuracy,
            termination: fit.termination,
            warnings: fit.warnings,
        }
    }
}

/// A table of rows, whose intercept has its name there.
fn table(rows: Vec<Coefficient>) -> Coefficients {
    Coefficients { intercept: rows.first().is_some_and(|first| first.term == INTERCEPT), rows }
}

impl TryFrom<Flat> for Fit {
    type Error = &'static str;

    fn try_from(flat: Flat) -> Result<Self, &'static str> {
        let scale = match (flat.scale, flat.scale_coefficients.is_empty()) {
            (Some(scale), true) => FittedScale::Common(scale),
            (None, false) => {
                FittedScale::Modelled { coefficients: table(flat.scale_coefficients), vcov: flat.scale_vcov }
            }
            _ => return Err("it has not one of a scale and coefficients of the scale"),
        };
        let location = match (flat.leverage, flat.location_variance) {
            (Some(leverage), Some(unit)) => Some(LocationCovariance { matrix: flat.vcov, leverage, unit }),
            (None, None) => None,
            _ => return Err("it has not both of a leverage and a location_variance, or neither"),
        };
        let Flat { vcov_type: kind, reference, small_sample, small_sample_factor, .. } = flat;
        let reference_df = flat.reference_df.filter(|df| *df != flat.df_residual as f64);
        let likelihood = match (flat.log_likelihood, flat.aic, flat.bic) {
            (Some(log_likelihood), Some(aic), Some(bic)) => {
                Some(Likelihood { log_likelihood, aic, aicc: flat.aicc, bic })
            }
            _ => None,
        };
        Ok(Fit {
            nobs: flat.nobs,
            noise: flat.noise,
            location: table(flat.coefficients),
            absorbed: flat.absorbed,
            scale,
            scale_interval: flat.scale_conf_low.zip(flat.scale_conf_high),
            shape: flat.shape,
            vertex: flat.vertex,
            likelihood,
            goodness: Goodness {
                residual_std_error: flat.residual_std_error,
                r_squared: flat.r_squared,
                adj_r_squared: flat.adj_r_squared,
                r1: flat.r1,
                mean_loss: flat.mean_loss,
                rmse: flat.rmse,
                residual_quantiles: flat.residual_quantiles,
                mae: flat.mae,
            },
            df_model: flat.df_model,
            df_residual: flat.df_residual,
            f_test: flat.f_test,
            closed_form: flat.closed_form,
            level: flat.level,
            confint: flat.confint,
            covariance: Covariance { kind, reference, reference_df, small_sample, small_sample_factor, location },
            accuracy: flat.accuracy,
            termination: flat.termination,
            warnings: flat.warnings,
        })
    }
}
