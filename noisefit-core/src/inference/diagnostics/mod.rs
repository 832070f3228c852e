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
mod contract;
mod diagnosis;
mod found;
mod grouping;
mod heteroscedasticity;
mod influence;
mod list;
mod measures;
mod normality;
pub(crate) mod order;
mod products;
mod serial;
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
pub use grouping::Grouping;
pub use heteroscedasticity::{Driver, Heteroscedasticity};
pub use influence::{Influence, Measures, RowInfluence};
pub use list::Diagnostics;
pub use normality::{Normality, ShapiroWilk};
pub use serial::Serial;
pub use specification::Specification;
pub use summary::TestedOn;
pub use tails::{QuantilePair, TailIndex, Tails};

use std::sync::Arc;

use crate::Error;
use crate::rows::{Accumulator, Kinds, RowSource, RowSourceExt};
use diagnosis::ByScale;
use order::Ordered;
use summary::Summary;
use survey::{Survey, sampled_layout};

/// Order statistics are those of a random sample where there are more rows.
const SAMPLE_ROWS: usize = 1 << 16;

impl Diagnosis {
    /// Passes over the rows once, those that the fit was made of, and draws the conclusions; `worst` rows are kept in each
    /// list.
    ///
    /// # Errors
    /// What the source reports.
    pub fn run(&self, source: &dyn RowSource, worst: usize) -> Result<Diagnostics, Error> {
        let survey = source.pass(Survey::new(Arc::new(self.clone()), worst, SAMPLE_ROWS, source.rows_hint()))?;
        let rows = Accumulator::rows(&survey);
        let sampled = survey.sample.finish(&sampled_layout());
        let frequencies = sampled.frequencies();
        let complete = sampled.len() as u64 == rows;
        let errors = normality::repeated(sampled.column(0), frequencies, complete).and_then(|mut errors| {
            errors.sort_unstable_by(f64::total_cmp);
            Found::Yes(errors)
        });
        let summary = Summary {
            observations: survey.observations,
            has_frequencies: survey.has_frequencies,
            least_response: survey.least_response,
            ordered_rows: sampled.len() as u64,
            no_errors: (self.unit() == 0.0).then(|| self.no_errors()),
            no_shape: self.no_shape(),
            residuals: Ordered::new(sampled.response(), frequencies),
            errors,
        };
        Ok(survey.sums.finish(self, &summary))
    }
}

/// The passes of this module.
pub(super) fn kinds() -> Kinds {
    Kinds::default().with::<Survey>().with_adaptor::<ByScale>().and(serial::kinds()).and(grouping::kinds())
}
