//! From what an estimator found to the record that every fit returns.

use serde::{Deserialize, Serialize};

use crate::algebra::absorb::Absorbed;
use crate::algebra::gram::packed;
use crate::algebra::{Accuracy, LeastSquares, Leverage};
use crate::noise::Noise;
use crate::record::{
    self, AbsorbedEffect, Coefficients, Confint, Fit, FittedScale, Goodness, Likelihood, LocationCovariance, Reason,
    Reference, ShapeParameter, SmallSample, Termination, VcovKind, Vertex, Warning,
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

/// Fewer digits of the worst coefficient than this are told of.
const FEW_DIGITS: f64 = 6.0;

/// The covariance of the coefficients.
#[derive(Debug, Clone)]
pub(crate) enum Covariance {
    /// This times `(X' V X)^-1`; none where there is no degree of freedom for it.
    Multiple(Option<f64>),
    /// A matrix over all coefficients (zero rows for aliased ones), and the leverages whose multiple by `1` are the
    /// variances of the locations.
    Matrix(Vec<Vec<f64>>, Leverage),
}

/// The scale of the noise.
#[derive(Debug, Clone)]
pub(crate) enum EstimatedScale {
    /// One for all rows.
    Common(f64),
    Modelled {
        /// The coefficients of `ln s`; none for aliased ones.
        coefficients: Vec<Option<f64>>,
        /// Their covariance matrix, with zero rows for aliased ones.
        covariance: Vec<Vec<f64>>,
    },
}

/// What an estimator found.
#[derive(Debug)]
pub(crate) struct Estimate {
    pub(crate) noise: Noise,
    /// One for each coefficient of the layout; none for aliased ones.
    pub(crate) coefficients: Vec<Option<f64>>,
    pub(crate) scale: EstimatedScale,
    pub(crate) shape: Option<ShapeParameter>,
    pub(crate) vertex: Option<Vertex>,
    /// Complete.
    pub(crate) log_likelihood: f64,
    /// Estimated numbers beside the location's coefficients: the scale or its coefficients, the shape.
    pub(crate) noise_parameters: usize,
    pub(crate) errors: ErrorSums,
    /// The share of the variation that is explained, where it is known to more digits than follow from the errors.
    pub(crate) explained: Option<f64>,
    pub(crate) covariance: Covariance,
    pub(crate) kind: VcovKind,
    /// What statistics are compared with.
    pub(crate) reference: Reference,
    pub(crate) accuracy: Accuracy,
    pub(crate) termination: Termination,
    pub(crate) warnings: Vec<Warning>,
}

impl Estimate {
    /// Where least squares leaves no residuals: it is the fit under every noise, with a scale of zero.
    pub(crate) fn without_residuals(noise: Noise, solved: &LeastSquares) -> Self {
        let coefficients = solved.coefficients.clone();
        let degrees = solved.totals.observations - coefficients.iter().flatten().count() as f64;
        Estimate {
            noise,
            coefficients,
            scale: EstimatedScale::Common(0.0),
            shape: None,
            vertex: None,
            log_likelihood: f64::INFINITY,
            noise_parameters: 1,
            errors: ErrorSums::default(),
            explained: None,
            covariance: Covariance::Multiple((degrees > 0.0).then_some(0.0)),
            kind: VcovKind::CLASSICAL,
            reference: Reference::Normal,
            accuracy: solved.accuracy.clone(),
            termination: Termination { converged: true, reason: Reason::ClosedForm, iterations: 0, duality_gap: None },
            warnings: if degrees > 0.0 { vec![Warning::NoResiduals] } else { Vec::new() },
        }
    }

    /// The record, with everything that follows from the estimate and the least squares fit that it started from.
    pub(crate) fn into_fit(self, layout: &Layout, solved: &LeastSquares, level: f64) -> Fit {
        self.beside(None, layout, solved, level)
    }

    /// The same where effects were absorbed, of which the columns and the least squares fit are free.
    pub(crate) fn beside(self, absorbed: Option<&Absorbed>, layout: &Layout, solved: &LeastSquares, level: f64) -> Fit {
        let names = layout.coefficient_names();
        let n = solved.totals.observations;
        let slopes = names.len() - solved.aliased.len();
        let rank = slopes + absorbed.map_or(0, |absorbed| absorbed.rank);
        let df_residual = (n - rank as f64).max(0.0);
        let df_model = slopes - usize::from(layout.intercept && slopes > 0);
        let location = self.covariance.of_location(solved, names.len());
        let df = self.reference.degrees(df_residual);
        let table = |names, intercept: bool, values: &[Option<f64>], matrix: &[Vec<f64>]| {
            let variance = |j: usize| matrix.get(j).map(|row| row[j]);
            Coefficients::new((names, intercept), values, variance, |_| df, level)
        };
        let matrix = location.as_ref().map_or(&[][..], |location| &location.matrix);
        let coefficients = table(names, layout.intercept, &self.coefficients, matrix);
        let scale = match (&layout.scale, self.scale) {
            (_, EstimatedScale::Common(scale)) => FittedScale::Common(scale),
            (scale, EstimatedScale::Modelled { coefficients, covariance }) => {
                let scale = scale.clone().unwrap_or_default();
                let coefficients = table(scale.coefficient_names(), scale.intercept, &coefficients, &covariance);
                FittedScale::Modelled { coefficients, vcov: covariance }
            }
        };

        let total = absorbed.map_or(solved.total_sum_of_squares, |absorbed| absorbed.total_sum_of_squares);
        let share = self.explained.unwrap_or_else(|| 1.0 - self.errors.weighted_squares / total);
        let r_squared = (total > 0.0).then_some(share);
        let df_total = n - f64::from(u8::from(layout.intercept || absorbed.is_some()));
        let adj_r_squared =
            r_squared.filter(|_| df_residual > 0.0).map(|r2| 1.0 - (1.0 - r2) * (df_total / df_residual));
        let residual_std_error =
            (df_residual > 0.0 && !scale.is_modelled()).then(|| (self.errors.weighted_squares / df_residual).sqrt());
        let mut warnings = aliased(absorbed, layout, solved);
        if df_residual == 0.0 {
            warnings.push(Warning::Saturated);
        }
        warnings.extend(self.warnings);
        let &Accuracy { digits, condition, .. } = &self.accuracy;
        if digits < FEW_DIGITS {
            warnings.push(Warning::FewDigits { digits, condition });
        }
        let mut fit = Fit {
            nobs: n as u64,
            noise: self.noise,
            absorbed: absorbed.map(|absorbed| record(absorbed, &self.coefficients)),
            location: coefficients,
            scale,
            scale_interval: None,
            shape: self.shape,
            vertex: self.vertex,
            likelihood: Likelihood::new(self.log_likelihood, n as u64, rank + self.noise_parameters),
            goodness: Goodness {
                residual_std_error,
                r_squared,
                adj_r_squared,
                r1: None,
                mean_loss: None,
                residual_quantiles: None,
                rmse: (self.errors.squares / n).sqrt(),
                mae: Some(self.errors.absolute / n),
            },
            df_model: df_model as u64,
            df_residual: df_residual as u64,
            f_test: None,
            closed_form: None,
            level,
            confint: Confint::Wald,
            covariance: record::Covariance {
                kind: self.kind,
                reference: self.reference,
                reference_df: None,
                small_sample: SmallSample::None,
                small_sample_factor: 1.0,
                location,
            },
            accuracy: self.accuracy,
            termination: self.termination,
            warnings,
        };
        fit.warnings.extend(fit.far_from_zero());
        fit
    }
}

/// Absorbed effects as a fit shows them, under these coefficients.
fn record(absorbed: &Absorbed, coefficients: &[Option<f64>]) -> record::Absorbed {
    let effects =
        absorbed.effects.iter().zip(absorbed.constants(coefficients)).map(|(effect, constants)| AbsorbedEffect {
            name: effect.name.clone(),
            levels: effect.levels as u64,
            singletons: effect.singletons as u64,
            nested: effect.nested,
            constants: Some(constants),
        });
    record::Absorbed {
        effects: effects.collect(),
        rank: absorbed.rank as u64,
        within_r_squared: None,
        steps: absorbed.steps as u64,
        parts: absorbed.components().cloned(),
        form: None,
    }
}

/// What is to be said of terms that have no coefficient.
fn aliased(absorbed: Option<&Absorbed>, layout: &Layout, solved: &LeastSquares) -> Vec<Warning> {
    let is_effect = |j: usize| absorbed.is_some_and(|absorbed| absorbed.empty[j]);
    let (within, others): (Vec<usize>, Vec<usize>) = solved.aliased.iter().partition(|&&j| is_effect(j));
    let names = layout.coefficient_names();
    let terms = |columns: Vec<usize>| columns.iter().map(|&j| names[j].clone()).collect::<Vec<_>>();
    let effects = absorbed.iter().flat_map(|absorbed| &absorbed.effects).map(|effect| effect.name.clone()).collect();
    let within = (!within.is_empty()).then(|| Warning::WithinEffects { terms: terms(within), effects });
    let others = (!others.is_empty()).then(|| Warning::Aliased { terms: terms(others) });
    within.into_iter().chain(others).collect()
}

impl Covariance {
    /// That of so many coefficients of the location.
    fn of_location(self, solved: &LeastSquares, coefficients: usize) -> Option<LocationCovariance> {
        match self {
            Covariance::Multiple(None) => None,
            Covariance::Multiple(Some(variance)) => {
                let entry = |i: usize, j: usize| variance * solved.unscaled_covariance[packed(i.max(j), i.min(j))];
                let rows = (0..coefficients).map(|i| (0..coefficients).map(|j| entry(i, j)).collect());
                let (matrix, leverage) = (rows.collect(), solved.leverage.clone());
                Some(LocationCovariance { matrix, leverage, unit: variance })
            }
            Covariance::Matrix(matrix, leverage) => Some(LocationCovariance { matrix, leverage, unit: 1.0 }),
        }
    }
}
