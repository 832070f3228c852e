//! From what an estimator found to the record that every fit returns.

use serde::{Deserialize, Serialize};

use crate::algebra::gram::packed;
use crate::algebra::{Accuracy, LeastSquares, Leverage};
use crate::noise::Noise;
use crate::record::{
    Coefficient, Confint, Fit, Reason, Reference, ScaleRule, ShapeParameter, Termination, VcovKind, Vertex, Warning,
    coefficient_table,
};
use crate::rows::Layout;

/// Sums over the residuals `e` at the estimate.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
pub(crate) struct ErrorSums {
    /// `sum(f w e^2)`.
    pub(crate) weighted_squares: f64,
    /// `sum(f e^2)`.
    pub(crate) squares: f64,
    /// `sum(f |e|)`.
    pub(crate) absolute: f64,
}

/// The covariance of the coefficients.
#[derive(Debug, Clone)]
pub(crate) enum Covariance {
    /// This times `(X' V X)^-1`; none where there is no degree of freedom for it.
    Multiple(Option<f64>),
    /// A matrix over all coefficients (zero rows for aliased ones), and the leverages whose multiple by `1` are the
    /// variances of the locations.
    Matrix(Vec<Vec<f64>>, Leverage),
}

/// A modelled scale.
#[derive(Debug, Clone)]
pub(crate) struct ModelledScale {
    /// The coefficients of `ln s`; none for aliased ones.
    pub(crate) coefficients: Vec<Option<f64>>,
    /// Their covariance matrix, with zero rows for aliased ones.
    pub(crate) covariance: Vec<Vec<f64>>,
}

/// What an estimator of another noise than the Gaussian found.
#[derive(Debug)]
pub(crate) struct Estimate {
    pub(crate) noise: Noise,
    /// One for each coefficient of the layout; none for aliased ones.
    pub(crate) coefficients: Vec<Option<f64>>,
    /// The common scale; none where it is modelled.
    pub(crate) scale: Option<f64>,
    pub(crate) scale_type: ScaleRule,
    pub(crate) modelled: Option<ModelledScale>,
    pub(crate) shape: Option<ShapeParameter>,
    pub(crate) vertex: Option<Vertex>,
    /// Complete.
    pub(crate) log_likelihood: f64,
    /// Estimated numbers beside the location's coefficients: the scale or its coefficients, the shape.
    pub(crate) noise_parameters: usize,
    pub(crate) errors: ErrorSums,
    pub(crate) covariance: Covariance,
    pub(crate) vcov_type: VcovKind,
    pub(crate) accuracy: Accuracy,
    pub(crate) termination: Termination,
    pub(crate) warnings: Vec<Warning>,
}

impl Estimate {
    /// Where least squares leaves no residuals: it is the fit under every noise, with a scale of zero.
    pub(crate) fn without_residuals(noise: Noise, scale_type: ScaleRule, solved: &LeastSquares) -> Self {
        let coefficients = solved.coefficients.clone();
        let degrees = solved.totals.observations - coefficients.iter().flatten().count() as f64;
        Estimate {
            noise,
            coefficients,
            scale: Some(0.0),
            scale_type,
            modelled: None,
            shape: None,
            vertex: None,
            log_likelihood: f64::INFINITY,
            noise_parameters: 1,
            errors: ErrorSums::default(),
            covariance: Covariance::Multiple((degrees > 0.0).then_some(0.0)),
            vcov_type: VcovKind::CLASSICAL,
            accuracy: solved.accuracy.clone(),
            termination: Termination { converged: true, reason: Reason::ClosedForm, iterations: 0, duality_gap: None },
            warnings: if degrees > 0.0 { vec![Warning::NoResiduals] } else { Vec::new() },
        }
    }

    /// The record, with everything that follows from the estimate and the least squares fit that it started from.
    pub(crate) fn into_fit(self, layout: &Layout, solved: &LeastSquares, level: f64) -> Fit {
        let names = layout.coefficient_names();
        let n = solved.totals.observations;
        let rank = names.len() - solved.aliased.len();
        let df_residual = (n - rank as f64).max(0.0);
        let df_model = rank - usize::from(layout.intercept && rank > 0);
        let (vcov, leverage, location_variance): (Vec<Vec<f64>>, _, _) = match self.covariance {
            Covariance::Multiple(None) => (Vec::new(), None, None),
            Covariance::Multiple(Some(variance)) => {
                let entry = |i: usize, j: usize| variance * solved.unscaled_covariance[packed(i.max(j), i.min(j))];
                let rows = (0..names.len()).map(|i| (0..names.len()).map(|j| entry(i, j)).collect());
                (rows.collect(), Some(solved.leverage.clone()), Some(variance))
            }
            Covariance::Matrix(matrix, leverage) => (matrix, Some(leverage), Some(1.0)),
        };
        let reference = Reference::Normal;
        let table = |names, values: &[Option<f64>], matrix: &[Vec<f64>]| -> Vec<Coefficient> {
            let variance = |j: usize| matrix.get(j).map(|row| row[j]);
            coefficient_table(names, values, variance, (reference, df_residual), level)
        };
        let coefficients = table(names, &self.coefficients, &vcov);
        let (scale_coefficients, scale_vcov) = match (&layout.scale, self.modelled) {
            (Some(scale), Some(modelled)) => {
                let rows = table(scale.coefficient_names(), &modelled.coefficients, &modelled.covariance);
                (rows, modelled.covariance)
            }
            _ => (Vec::new(), Vec::new()),
        };

        let total = solved.total_sum_of_squares;
        let r_squared = (total > 0.0).then(|| 1.0 - self.errors.weighted_squares / total);
        let df_total = n - f64::from(u8::from(layout.intercept));
        let adj_r_squared =
            r_squared.filter(|_| df_residual > 0.0).map(|r2| 1.0 - (1.0 - r2) * (df_total / df_residual));
        let residual_std_error =
            (df_residual > 0.0 && self.scale.is_some()).then(|| (self.errors.weighted_squares / df_residual).sqrt());
        let mut warnings = Vec::from_iter(solved.aliased_terms(layout).map(|terms| Warning::Aliased { terms }));
        if df_residual == 0.0 {
            warnings.push(Warning::Saturated);
        }
        warnings.extend(self.warnings);
        let mut fit = Fit {
            nobs: n as u64,
            noise: self.noise,
            coefficients,
            scale: self.scale,
            scale_type: self.scale_type,
            scale_coefficients,
            shape: self.shape,
            vertex: self.vertex,
            residual_std_error,
            log_likelihood: None,
            aic: None,
            aicc: None,
            bic: None,
            r_squared,
            adj_r_squared,
            mean_loss: None,
            rmse: (self.errors.squares / n).sqrt(),
            mae: Some(self.errors.absolute / n),
            df_model: df_model as u64,
            df_residual: df_residual as u64,
            f_test: None,
            closed_form: None,
            level,
            confint: Confint::Wald,
            vcov_type: self.vcov_type,
            reference,
            reference_df: None,
            vcov,
            scale_vcov,
            leverage,
            location_variance,
            accuracy: self.accuracy,
            termination: self.termination,
            warnings,
        };
        fit.set_log_likelihood(self.log_likelihood, rank + self.noise_parameters);
        fit
    }
}
