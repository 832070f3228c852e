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
mod asymmetry;
mod autocorrelation;
mod calibration;
mod collinearity;
mod diagnosis;
mod found;
mod heteroscedasticity;
mod influence;
mod measures;
mod normality;
pub(crate) mod order;
mod products;
mod specification;
mod summary;
mod survey;
mod tails;

pub use anderson_darling::{AndersonDarling, PValueType};
pub use asymmetry::Asymmetry;
pub use autocorrelation::{Autocorrelation, DurbinWatson};
pub use calibration::{Calibration, Coverage};
pub use collinearity::{Collinearity, VarianceInflation};
pub use diagnosis::Diagnosis;
pub use found::{ChiSquaredTest, FisherTest, Found};
pub use heteroscedasticity::{Driver, Heteroscedasticity};
pub use influence::{Influence, Measures, RowInfluence};
pub use normality::{Normality, ShapiroWilk};
pub use specification::Specification;
pub use tails::{QuantilePair, TailIndex, Tails};

use std::sync::Arc;

use serde::Serialize;

use crate::Error;
use crate::rows::{Kinds, RowSource, RowSourceExt};
use diagnosis::ByScale;
use order::Ordered;
use summary::Summary;
use survey::{Survey, sampled_layout};

/// Order statistics are those of a random sample where there are more rows.
const SAMPLE_ROWS: usize = 1 << 16;

/// Everything that was found.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Diagnostics {
    /// Observations.
    pub nobs: u64,
    /// The least response.
    pub least_response: f64,
    /// Whose residuals the tests for least squares are made on.
    pub tested_on: TestedOn,
    /// Rows whose residuals were put in order for Anderson and Darling's test and the tails: all, or a random sample.
    pub ordered_rows: u64,
    /// Whether the spread of the noise varies.
    pub heteroscedasticity: Heteroscedasticity,
    /// Whether the noise is Gaussian.
    pub normality: Normality,
    /// Whether it is skewed.
    pub asymmetry: Found<Asymmetry>,
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

impl Diagnosis {
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
            least_response: survey.least_response,
            tested_on: match (&self.squares_location, self.fit.scale.common()) {
                (None, _) => TestedOn::Fit,
                (Some(_), Some(_)) => TestedOn::LeastSquares,
                (Some(_), None) => TestedOn::ScaledLeastSquares,
            },
            ordered_rows: sampled.len() as u64,
            heteroscedasticity: survey.spread.finish(self, &summary, white),
            normality: survey.moments.finish(&summary, &errors),
            asymmetry: summary.shape().and_then(|()| Asymmetry::of(&residuals)),
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
}

/// The passes of this module.
pub(super) fn kinds() -> Kinds {
    Kinds::default().with::<Survey>().with_adaptor::<ByScale>()
}
