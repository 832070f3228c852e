//! What is wrong with a model: every finding is a number with the hypothesis that it speaks against.
//!
//! A [`Diagnosis`] is made of a fit and the rows that it was fitted to. Tests that were made for least squares are made on
//! its residuals, whatever noise was fitted; where the fit models its scale, on least squares weighted by `1 / s(x)^2`. What
//! refers to the fitted noise (tails, calibration, Anderson and Darling's test) is of the fit's own residuals in scales.
//!
//! ```
//! use noisefit_core::inference::diagnostics::Diagnosis;
//! use noisefit_core::estimate::{Options, closed_form};
//! use noisefit_core::rows::{Matrix, MemoryRows};
//!
//! let x: Vec<f64> = (0..40).map(f64::from).collect();
//! let y: Vec<f64> = x.iter().map(|x| 3.0 + x + (1.0 + x) * if (x * 7.0) % 3.0 < 1.5 { 0.3 } else { -0.6 }).collect();
//! let rows = MemoryRows::new(&y, Matrix::column_major(&x, 40, 1)?)?;
//! let fit = closed_form::fit(&rows, &Options::default())?;
//! let found = Diagnosis::new(&rows, &fit, &Options::default())?.run(&rows, 3)?;
//! // The spread grows with x.
//! assert!(found.heteroscedasticity.studentised_breusch_pagan.as_ref().is_some_and(|test| test.p_value < 0.01));
//! assert!(found.heteroscedasticity.drivers[0].statistic > 3.0);
//! # Ok::<(), noisefit_core::Error>(())
//! ```

mod anderson_darling;
mod autocorrelation;
mod calibration;
mod collinearity;
mod found;
mod heteroscedasticity;
mod influence;
mod measures;
mod normality;
mod order;
mod products;
mod specification;
mod survey;
mod tails;

pub use anderson_darling::{AndersonDarling, PValueType};
pub use autocorrelation::{Autocorrelation, DurbinWatson};
pub use calibration::{Calibration, Coverage};
pub use collinearity::{Collinearity, VarianceInflation};
pub use found::{ChiSquaredTest, FisherTest, Found};
pub use heteroscedasticity::{Driver, Heteroscedasticity};
pub use influence::{Influence, Measures, RowInfluence};
pub use normality::{Normality, ShapiroWilk};
pub use specification::Specification;
pub use tails::{QuantilePair, TailIndex, Tails};

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::Error;
use crate::algebra::Coordinates;
use crate::algebra::gram::packed;
use crate::algebra::predictor::LinearPredictor;
use crate::estimate::{Options, closed_form};
use crate::inference::predict::{NewRows, Predictor};
use crate::noise::Noise;
use crate::record::{Fit, Vcov, VcovKind};
use crate::rows::{Adapted, Adaptor, Block, Kinds, Layout, RowSource, RowSourceExt};
use order::Ordered;
use survey::{Survey, sampled_layout};

/// Order statistics are those of a random sample where there are more rows.
const SAMPLE_ROWS: usize = 1 << 16;

/// Everything that was found.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Diagnostics {
    /// Observations.
    pub nobs: u64,
    /// Whose residuals the tests for least squares are made on.
    pub tested_on: TestedOn,
    /// Rows whose residuals were put in order for Anderson and Darling's test and the tails: all, or a random sample.
    pub ordered_rows: u64,
    /// Whether the spread of the noise varies.
    pub heteroscedasticity: Heteroscedasticity,
    /// Whether the noise is Gaussian.
    pub normality: Normality,
    /// Whether it is of the fitted family.
    pub anderson_darling: Found<AndersonDarling>,
    /// How heavy its tails are.
    pub tails: Found<Tails>,
    /// Whether shares of responses are what the fit promises.
    pub calibration: Found<Calibration>,
    /// Whether rows depend on the rows before.
    pub autocorrelation: Autocorrelation,
    /// Whether the mean has the form of the formula.
    pub specification: Specification,
    /// Whether regressors can be told apart.
    pub collinearity: Collinearity,
    /// Which rows stand out.
    pub influence: Influence,
}

/// Whose residuals are tested.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum TestedOn {
    /// The fit is least squares.
    Fit,
    /// Least squares of the same formula beside the fit.
    LeastSquares,
    /// Least squares of the same formula beside the fit, weighted by one over the square of its scale.
    ScaledLeastSquares,
}

/// A fit, made ready to look at its rows.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Diagnosis {
    fit: Fit,
    predictor: Predictor,
    location: LinearPredictor,
    /// Least squares of the same rows: the fit itself, or one beside it.
    squares: Fit,
    /// Its location, where it is another one.
    squares_location: Option<LinearPredictor>,
    /// Those of the leverages.
    coordinates: Coordinates,
    /// The names of its columns, aliased ones left out.
    terms: Vec<String>,
    /// Mean and spread of the locations by least squares; NaN where they are all the same.
    fitted_coordinates: (f64, f64),
    seed: u64,
}

/// What decides which tests are defined.
#[derive(Debug)]
struct Summary {
    observations: f64,
    has_frequencies: bool,
    /// Why least squares has no errors to test.
    no_errors: Option<&'static str>,
    /// Why the fit has no shape to test.
    no_shape: Option<&'static str>,
}

impl Summary {
    /// Whether the errors of least squares can be tested.
    fn test(&self) -> Found<()> {
        self.no_errors.map_or(Found::Yes(()), Found::no)
    }

    /// Whether the standardised residuals of the fit can be.
    fn shape(&self) -> Found<()> {
        self.no_shape.map_or(Found::Yes(()), Found::no)
    }
}

impl Diagnosis {
    /// Makes a fit ready; where it is not plain least squares with the classical covariance, least squares of the same rows is
    /// solved, as `options` say.
    ///
    /// # Errors
    /// [`Error::Unsupported`] for a quantile, which is no model of the noise; those of [`closed_form::fit`].
    pub fn new(source: &dyn RowSource, fit: &Fit, options: &Options) -> Result<Self, Error> {
        if let Noise::Quantile(_) = fit.noise {
            let what = "a quantile is no model of the noise, which is what is diagnosed; fit laplace or gaussian noise instead";
            return Err(Error::Unsupported(what.to_owned()));
        }
        let predictor = Predictor::new(fit)?;
        let (layout, scaled) = (source.layout(), !fit.scale_coefficients.is_empty());
        let classical = Options { vcov: Vcov::Classical, ..options.clone() };
        let own = matches!(fit.noise, Noise::Gaussian) && !scaled && fit.vcov_type == VcovKind::CLASSICAL;
        let squares = if own {
            fit.clone()
        } else if scaled {
            let derive = ByScale(predictor.clone());
            let layout = Layout { scale: None, ..layout.clone() };
            closed_form::fit(&Adapted::new(source, derive, layout), &classical)?
        } else {
            closed_form::fit(source, &classical)?
        };
        let estimates = |fit: &Fit| fit.coefficients.iter().map(|c| c.estimate).collect::<Vec<_>>();
        let location = |fit: &Fit| LinearPredictor::new(&estimates(fit), layout.intercept);
        let (coordinates, terms) = match &squares.leverage {
            Some(leverage) => {
                let terms = leverage.columns().iter().map(|&j| layout.terms[j].clone()).collect();
                (leverage.coordinates(), terms)
            }
            None => (Coordinates::of_design(&[], &[], false), Vec::new()),
        };
        let mut diagnosis = Diagnosis {
            fit: fit.clone(),
            predictor,
            location: location(fit),
            squares_location: (!own).then(|| location(&squares)),
            squares,
            coordinates,
            terms,
            fitted_coordinates: (0.0, f64::NAN),
            seed: options.seed,
        };
        diagnosis.fitted_coordinates = diagnosis.centre_and_spread();
        Ok(diagnosis)
    }

    /// Passes over the rows once, those that the fit was made of, and draws the conclusions; `worst` rows are kept in each
    /// list.
    ///
    /// # Errors
    /// What the source reports.
    pub fn run(&self, source: &dyn RowSource, worst: usize) -> Result<Diagnostics, Error> {
        let survey = source.pass(Survey::new(Arc::new(self.clone()), worst, SAMPLE_ROWS, source.rows_hint()))?;
        let summary = Summary {
            observations: survey.observations,
            has_frequencies: survey.has_frequencies,
            no_errors: (self.unit() == 0.0).then(|| self.no_errors()),
            no_shape: self.no_shape(),
        };
        let rows = crate::rows::Accumulator::rows(&survey);
        let sampled = survey.sample.clone().finish(&sampled_layout());
        let complete = sampled.len() as u64 == rows;
        let frequencies = sampled.frequencies();
        let residuals = Ordered::new(sampled.response(), frequencies);
        let errors = normality::repeated(sampled.column(0), frequencies, complete).and_then(|mut errors| {
            errors.sort_unstable_by(f64::total_cmp);
            Found::Yes(errors)
        });
        let white = survey.white.finish(&summary);
        Ok(Diagnostics {
            nobs: self.fit.nobs,
            tested_on: match (&self.squares_location, self.fit.scale) {
                (None, _) => TestedOn::Fit,
                (Some(_), Some(_)) => TestedOn::LeastSquares,
                (Some(_), None) => TestedOn::ScaledLeastSquares,
            },
            ordered_rows: sampled.len() as u64,
            heteroscedasticity: survey.spread.finish(self, &summary, white),
            normality: survey.moments.finish(&summary, &errors),
            anderson_darling: summary
                .shape()
                .and_then(|()| anderson_darling::anderson_darling(&residuals, &self.fit.noise, self.seed)),
            tails: summary.shape().and_then(|()| Found::Yes(tails::tails(&residuals, self.fit.noise.family()))),
            calibration: survey.counts.finish(&summary),
            autocorrelation: survey.neighbours.finish(&summary),
            specification: survey.powers.finish(self, &summary),
            collinearity: self.collinearity(),
            influence: survey.worst.finish(self.measures()),
        })
    }

    /// The number of coefficients that least squares determined; zero where it left no degree of freedom.
    fn order(&self) -> usize {
        if self.squares.leverage.is_some() { self.coordinates.coefficients() } else { 0 }
    }

    /// One over the residual standard error of least squares; zero where there is none.
    fn unit(&self) -> f64 {
        self.squares.residual_std_error.filter(|error| *error > 0.0).map_or(0.0, |error| 1.0 / error)
    }

    /// Why there are no errors to test.
    fn no_errors(&self) -> &'static str {
        match self.squares.residual_std_error {
            None => "there are as many coefficients as observations",
            Some(_) => "the residuals are all zero",
        }
    }

    fn no_shape(&self) -> Option<&'static str> {
        match self.fit.scale {
            _ if self.fit.df_residual == 0 => Some("there are as many coefficients as observations"),
            Some(scale) if !(scale > 0.0) => Some("the fitted noise scale is zero"),
            _ => None,
        }
    }

    /// The location of least squares at the mean of the columns (zero without an intercept), and its spread about that.
    fn centre_and_spread(&self) -> (f64, f64) {
        let Some(leverage) = &self.squares.leverage else { return (0.0, f64::NAN) };
        let kept: Vec<f64> = self.squares.coefficients.iter().filter_map(|c| c.estimate).collect();
        let mut coefficients = self.coordinates.carry_in(&kept);
        let centre = match coefficients.first_mut() {
            Some(first) if self.coordinates.intercept() => std::mem::take(first),
            _ => 0.0,
        };
        // z'b = u' L^-1 b, and the squares of u sum to one.
        let mut solution: Vec<f64> = Vec::with_capacity(coefficients.len());
        for (i, b) in coefficients.iter().enumerate() {
            let done: f64 = solution.iter().enumerate().map(|(k, value)| leverage.factor()[packed(i, k)] * value).sum();
            solution.push((b - done) / leverage.factor()[packed(i, i)]);
        }
        let spread = solution.iter().map(|value| value * value).sum::<f64>().sqrt();
        (centre, if spread > 0.0 { spread / (self.fit.nobs as f64).sqrt() } else { f64::NAN })
    }
}

/// Rows weighted by one over the square of a fit's scale, their own weights included.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct ByScale(Predictor);

impl Adaptor for ByScale {
    const KIND: &'static str = "by scale";

    fn adapt(&mut self, block: &Block<'_>, next: &mut dyn FnMut(&Block<'_>)) {
        let scales = self.0.scale(&NewRows::from(block));
        let weights: Vec<f64> = scales.iter().map(|scale| 1.0 / (scale * scale)).collect();
        next(&Block { weights: Some(&weights), scale_design: &[], ..*block });
    }
}

/// The passes of this module.
pub(super) fn kinds() -> Kinds {
    Kinds::default().with::<Survey>().with_adaptor::<ByScale>()
}
