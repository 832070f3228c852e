//! What a fit found.

use crate::Error;
use crate::algebra::{Accuracy, Leverage};
use crate::noise::Noise;
use crate::numeric::Level;
use crate::numeric::distribution::Symmetric;
use crate::record::{
    Absorbed, ClosedForm, Coefficient, Coefficients, Confint, Covariance, CovarianceEstimate, FTest,
    LocationCovariance, Reference, ScaleRule, ShapeParameter, SmallSample, Termination, Vertex, Warning,
    covariance::{Refined, SmallSampled, reference},
};

/// What a fit found. In JSON it is one flat object, with the names of `noisefit fit --format json`.
///
/// ```
/// use noisefit_core::estimate::{Options, closed_form};
/// use noisefit_core::rows::{Matrix, MemoryRows};
///
/// let x = [1.0, 2.0, 3.0, 4.0];
/// let rows = MemoryRows::new(&[1.0, 3.0, 2.0, 4.0], Matrix::row_major(&x, 4, 1)?)?;
/// let fit = closed_form::fit(&rows, &Options::default())?;
/// assert_eq!(fit.coef(), [Some(0.5), Some(0.8)]);
/// // s^2 = 0.9 on two degrees of freedom, and the columns' squares about their mean sum to 5.
/// assert!((fit.std_errors()[1].unwrap() - (0.9f64 / 5.0).sqrt()).abs() < 1e-15);
/// assert_eq!(fit.vcov()[1][1].sqrt(), fit.std_errors()[1].unwrap());
/// assert_eq!((fit.nobs, fit.dof(), fit.df_residual), (4, 3, 2));
/// # Ok::<(), noisefit_core::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Fit {
    /// Observations used: rows, each counted as often as its frequency says.
    pub nobs: u64,
    /// The noise model.
    pub noise: Noise,
    /// The coefficients of the location.
    pub location: Coefficients,
    /// Constants of levels beside them, where effects were absorbed.
    pub absorbed: Option<Absorbed>,
    /// The noise scale.
    pub scale: FittedScale,
    /// The ends of the confidence interval of a common scale, where there is one.
    pub scale_interval: Option<(f64, f64)>,
    /// The parameter of the noise's shape, where one was estimated.
    pub shape: Option<ShapeParameter>,
    /// The certificate of an exact fit of absolute deviations or a quantile.
    pub vertex: Option<Vertex>,
    /// How likely the response is. Absent where the residuals are all zero and the likelihood has no bound.
    pub likelihood: Option<Likelihood>,
    /// How near the fit is to the data.
    pub goodness: Goodness,
    /// Estimated coefficients other than the intercept; absorbed effects are not counted.
    pub df_model: u64,
    /// Observations less estimated coefficients, those of absorbed effects included.
    pub df_residual: u64,
    /// The F test of the whole regression.
    pub f_test: Option<FTest>,
    /// Simple regression's familiar form, where there is one regressor and an intercept.
    pub closed_form: Option<ClosedForm>,
    /// The level of the confidence intervals in the tables, such as 0.95.
    pub level: f64,
    /// Where these come from.
    pub confint: Confint,
    /// How sure the coefficients are.
    pub covariance: Covariance,
    /// How far to trust the digits.
    pub accuracy: Accuracy,
    /// Why the estimator stopped.
    pub termination: Termination,
    /// What a reader should know before using the numbers.
    pub warnings: Vec<Warning>,
}

/// The scale of the noise, for Gaussian noise its standard deviation.
#[derive(Debug, Clone, PartialEq)]
pub enum FittedScale {
    /// The estimate of one for all rows, for Gaussian noise `sqrt(SSE / n)`.
    Common(f64),
    /// `ln s = g0 + z'g`.
    Modelled {
        /// The coefficients `g`.
        coefficients: Coefficients,
        /// Their covariance matrix, by rows; zero rows and columns for aliased terms.
        vcov: Vec<Vec<f64>>,
    },
}

impl FittedScale {
    /// The scale of all rows; none where it is modelled.
    pub fn common(&self) -> Option<f64> {
        match self {
            FittedScale::Common(scale) => Some(*scale),
            FittedScale::Modelled { .. } => None,
        }
    }

    /// Whether it is modelled.
    pub fn is_modelled(&self) -> bool {
        matches!(self, FittedScale::Modelled { .. })
    }

    /// The coefficients of a modelled scale's logarithm.
    pub fn modelled(&self) -> Option<&Coefficients> {
        match self {
            FittedScale::Common(_) => None,
            FittedScale::Modelled { coefficients, .. } => Some(coefficients),
        }
    }

    /// The rows of that table; none of a common scale.
    pub fn coefficients(&self) -> &[Coefficient] {
        self.modelled().map_or(&[], |table| &table.rows)
    }

    /// Their covariance matrix; empty for a common scale.
    pub fn vcov(&self) -> &[Vec<f64>] {
        match self {
            FittedScale::Common(_) => &[],
            FittedScale::Modelled { vcov, .. } => vcov,
        }
    }
}

/// The complete log-likelihood of the response as it stands in the data, every constant included, and what follows from it
/// for `k` estimated numbers (see [`Fit::dof`]) and `n` observations.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Likelihood {
    /// `ln L`.
    pub log_likelihood: f64,
    /// `-2 ln L + 2 k`.
    pub aic: f64,
    /// AIC with the small-sample correction `2 k (k + 1) / (n - k - 1)`; absent where that is not positive.
    pub aicc: Option<f64>,
    /// `-2 ln L + k ln n`.
    pub bic: f64,
}

impl Likelihood {
    /// For so many observations and estimated numbers; none for a log-likelihood that is not finite.
    pub(crate) fn new(log_likelihood: f64, observations: u64, parameters: usize) -> Option<Self> {
        let (l, n, k) = (log_likelihood, observations as f64, parameters as f64);
        l.is_finite().then(|| Likelihood {
            log_likelihood: l,
            aic: -2.0 * l + 2.0 * k,
            aicc: (n - k - 1.0 > 0.0).then(|| -2.0 * l + 2.0 * k + 2.0 * k * (k + 1.0) / (n - k - 1.0)),
            bic: -2.0 * l + k * n.ln(),
        })
    }
}

/// How near a fit is to the data.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Goodness {
    /// `sqrt(SSE / df_residual)`, unbiased for the variance.
    pub residual_std_error: Option<f64>,
    /// The share of the response's variation explained: about the mean with an intercept, about zero without.
    pub r_squared: Option<f64>,
    /// That share with degrees of freedom counted.
    pub adj_r_squared: Option<f64>,
    /// Of a quantile or absolute deviations what the terms take from the loss of an intercept alone, as a share (Koenker and Machado
    /// 1999, *Journal of the American Statistical Association* 94, 1296-1310); none without an intercept.
    pub r1: Option<f64>,
    /// The mean of the loss that was minimised, where it has a parameter in units of the response: Huber's of a fixed
    /// delta.
    pub mean_loss: Option<f64>,
    /// The root mean square of the residuals, without the weights.
    pub rmse: f64,
    /// The least residual, the quartiles and the largest, without the weights; absent where they were not looked at.
    pub residual_quantiles: Option<[f64; 5]>,
    /// The mean absolute residual, without the weights; absent where the rows were read only once.
    pub mae: Option<f64>,
}

/// A coefficient's test that it is zero.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CoefficientTest {
    /// The estimate over its standard error.
    pub statistic: f64,
    /// The two-sided p-value.
    pub p_value: f64,
}

/// A part of the residuals' size that shows.
const SHOWS: f64 = 1e-3;

impl Fit {
    /// What is to be said where the intercept is so large that its rounding shows beside the residuals: predictions are sums of numbers
    /// as large, whatever digits the fit itself has.
    pub fn far_from_zero(&self) -> Option<Warning> {
        let intercept = self.location.rows.first().filter(|_| self.location.intercept)?.estimate?;
        let rounding = f64::EPSILON * intercept.abs();
        (self.goodness.rmse > 0.0 && rounding > SHOWS * self.goodness.rmse).then_some(Warning::FarFromZero { rounding })
    }

    /// The estimated coefficients of the location, the intercept first where there is one; none for aliased terms.
    pub fn coef(&self) -> Vec<Option<f64>> {
        self.location.estimates()
    }

    /// Their standard errors; none where there are none.
    pub fn std_errors(&self) -> Vec<Option<f64>> {
        self.location.rows.iter().map(|row| row.std_error).collect()
    }

    /// Their covariance matrix, by rows, with zero rows and columns for aliased terms; empty where there is no estimate of it.
    pub fn vcov(&self) -> &[Vec<f64>] {
        self.covariance.location.as_ref().map_or(&[], LocationCovariance::whole)
    }

    /// The covariance of two of them, by their places; none where there is no estimate of it.
    pub fn covariance_of(&self, one: usize, other: usize) -> Option<f64> {
        self.covariance.location.as_ref()?.entry(one, other)
    }

    /// Their tests that they are zero; none for aliased terms and for coefficients that are known without error.
    pub fn tests(&self) -> Vec<Option<CoefficientTest>> {
        let test = |row: &Coefficient| Some(CoefficientTest { statistic: row.statistic?, p_value: row.p_value? });
        self.location.rows.iter().map(test).collect()
    }

    /// Their confidence intervals at a level, `estimate -+ c se` with the quantile `c` of the distribution that statistics
    /// are compared with; none where there are no standard errors.
    ///
    /// # Errors
    /// [`Error::Argument`] for a level outside (0, 1).
    pub fn confint(&self, level: f64) -> Result<Vec<Option<(f64, f64)>>, Error> {
        let level = Level::new(level)?.value();
        let interval = |row: &Coefficient| {
            let (estimate, std_error) = (row.estimate?, row.std_error?);
            let margin = reference(row.df.or_else(|| self.reference_degrees())?)?.critical(level) * std_error;
            Some((estimate - margin, estimate + margin))
        };
        Ok(self.location.rows.iter().map(interval).collect())
    }

    /// The complete log-likelihood; none where it has no bound.
    pub fn log_likelihood(&self) -> Option<f64> {
        self.likelihood.map(|likelihood| likelihood.log_likelihood)
    }

    /// Takes the Jacobian of a transformed response, whose sum over the observations this is, out of the likelihood: what is left is
    /// that of the transformed response.
    pub fn without_jacobian(&mut self, log_jacobian: f64) {
        let parameters = self.dof();
        self.likelihood = self
            .log_likelihood()
            .and_then(|log_likelihood| Likelihood::new(log_likelihood - log_jacobian, self.nobs, parameters));
    }

    /// The quadratic form whose value times [`Fit::location_variance`] is the variance of a row's location.
    pub fn leverage(&self) -> Option<&Leverage> {
        self.covariance.location.as_ref().map(|location| &location.leverage)
    }

    /// What a row's leverage is multiplied by to give the variance of its location.
    pub fn location_variance(&self) -> Option<f64> {
        self.covariance.location.as_ref().map(|location| location.unit)
    }

    /// How the scale was estimated.
    pub fn scale_rule(&self) -> ScaleRule {
        match (&self.scale, self.noise) {
            (FittedScale::Modelled { .. }, _) => ScaleRule::Modelled,
            (FittedScale::Common(_), Noise::Huber(huber)) => huber.scale.into(),
            (FittedScale::Common(_), _) => ScaleRule::MaximumLikelihood,
        }
    }

    /// The number of estimated coefficients of the location, those of absorbed effects included.
    pub fn rank(&self) -> usize {
        self.location.rank() + self.absorbed.as_ref().map_or(0, |absorbed| absorbed.rank as usize)
    }

    /// [`Fit::rank`] without the constants of levels that lie within clusters, for the factor of clustered standard errors.
    pub(crate) fn rank_between_clusters(&self) -> usize {
        self.rank() - self.absorbed.as_ref().map_or(0, |absorbed| absorbed.nested() as usize)
    }

    /// How many numbers were estimated: coefficients, those of the scale, and the parameter of the noise's shape.
    pub fn dof(&self) -> usize {
        let scale = self.scale.modelled().map_or(1, Coefficients::rank);
        self.rank() + scale + usize::from(self.shape.is_some())
    }

    /// What statistics of the coefficients are compared with; none where there are no degrees of freedom.
    pub(crate) fn reference_distribution(&self) -> Option<Box<dyn Symmetric>> {
        self.reference_degrees().and_then(reference)
    }

    /// The degrees of freedom of the reference distribution, infinite for the normal one; none where there are none.
    pub(crate) fn reference_degrees(&self) -> Option<f64> {
        let Covariance { reference, reference_df, .. } = &self.covariance;
        reference.degrees(reference_df.unwrap_or(self.df_residual as f64))
    }

    /// Makes of the covariance what a small sample asks for, and of all that rests on it.
    pub(crate) fn set_small_sample(&mut self, made: SmallSampled) {
        let SmallSampled { small_sample, factor, stated, reference, reference_df, refined } = made;
        let same = factor == 1.0
            && refined.is_none()
            && (self.covariance.reference, self.covariance.reference_df) == (reference, reference_df);
        let times = |matrix: &mut Vec<Vec<f64>>| matrix.iter_mut().flatten().for_each(|value| *value *= factor);
        let covariance = &mut self.covariance;
        (covariance.small_sample, covariance.small_sample_factor) = (small_sample, stated);
        (covariance.reference, covariance.reference_df) = (reference, reference_df);
        let (df, residual) = (self.reference_degrees(), self.df_residual as f64);
        // A covariance may have given coefficients degrees of freedom of their own, and some no standard error.
        let kept: Vec<Option<Option<f64>>> =
            self.location.rows.iter().map(|row| row.std_error.map(|_| row.df)).collect();
        let mut own = Vec::new();
        match (&mut self.covariance.location, refined) {
            (None, _) => {}
            (Some(location), Some(Refined { matrix, leverage, df })) => {
                *location = LocationCovariance { matrix, leverage, unit: 1.0 };
                own = df;
            }
            (Some(location), None) => {
                times(&mut location.matrix);
                location.unit *= factor;
            }
        }
        let of = |j: usize| match (own.get(j), reference) {
            (Some(own), _) => Some(own.min(residual)),
            (None, Reference::StudentT) => kept[j].and_then(|kept| kept.or(df)),
            (None, Reference::Normal) => kept[j].and(df),
        };
        // Of the same covariance with the same degrees of freedom the table stays what it is.
        let has =
            |(j, row): (usize, &Coefficient)| row.std_error.is_none() || row.df == of(j).filter(|df| df.is_finite());
        if !(same && self.location.rows.iter().enumerate().all(has)) {
            self.location = self.location.with_covariance(self.vcov(), of, self.level);
        }
        if let FittedScale::Modelled { coefficients, vcov } = &mut self.scale {
            times(vcov);
            *coefficients = coefficients.with_covariance(vcov, |_| df, self.level);
        }
        if small_sample == SmallSample::None {
            // It is one of degrees of freedom.
            self.f_test = None;
        }
    }

    /// Gives every coefficient degrees of freedom of its own, none to those that have no standard error; what is about several refers to
    /// the least of them.
    pub(crate) fn set_degrees(&mut self, degrees: &[Option<f64>]) {
        let least = degrees.iter().copied().flatten().fold(f64::INFINITY, f64::min);
        self.covariance.reference_df = Some(least).filter(|least| least.is_finite()).or(self.covariance.reference_df);
        let of = |j: usize| degrees.get(j).copied().flatten();
        if let Some(location) = &mut self.covariance.location {
            for j in (0..location.matrix.len()).filter(|j| of(*j).is_none()) {
                location.matrix[j].fill(0.0);
                location.matrix.iter_mut().for_each(|row| row[j] = 0.0);
            }
        }
        self.location = self.location.with_covariance(self.vcov(), of, self.level);
    }

    /// Replaces the covariance of the coefficients, and all that rests on it.
    pub(crate) fn set_covariance(&mut self, estimate: CovarianceEstimate) {
        let CovarianceEstimate { location, leverage, scale, kind, reference, reference_df } = estimate;
        let matrix = location;
        let location = Some(LocationCovariance { matrix, leverage, unit: 1.0 });
        let (small_sample, small_sample_factor) = (SmallSample::None, 1.0);
        self.covariance = Covariance { kind, reference, reference_df, small_sample, small_sample_factor, location };
        let df = self.reference_degrees();
        self.location = self.location.with_covariance(self.vcov(), |_| df, self.level);
        if let (FittedScale::Modelled { coefficients, vcov }, Some(matrix)) = (&mut self.scale, scale) {
            *coefficients = coefficients.with_covariance(&matrix, |_| df, self.level);
            *vcov = matrix;
        }
        // The F test is that of the classical covariance.
        self.f_test = None;
    }
}
