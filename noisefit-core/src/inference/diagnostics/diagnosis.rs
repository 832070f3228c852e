//! A fit that is made ready to look at its rows.

use serde::{Deserialize, Serialize};

use crate::Error;
use crate::algebra::Affine;
use crate::algebra::Coordinates;
use crate::algebra::gram::packed;
use crate::estimate::{Options, closed_form};
use crate::inference::diagnostics::summary::TestedOn;
use crate::inference::predict::{NewRows, Predictor};
use crate::noise::Noise;
use crate::record::{Fit, VcovKind};
use crate::rows::{Adapted, Adaptor, Block, Design, Layout, RowSource};

/// A fit, made ready to look at its rows.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Diagnosis {
    pub(super) fit: Fit,
    pub(super) predictor: Predictor,
    pub(super) location: Affine,
    /// Least squares of the same rows: the fit itself, or one beside it.
    pub(super) squares: Fit,
    /// Its location, where it is another one.
    pub(super) squares_location: Option<Affine>,
    /// Those of the leverages.
    pub(super) coordinates: Coordinates,
    /// The names of its columns, aliased ones left out.
    pub(super) terms: Vec<String>,
    /// Mean and spread of the locations by least squares; NaN where they are all the same.
    pub(super) fitted_coordinates: (f64, f64),
    pub(super) seed: u64,
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
        let (layout, scaled) = (source.layout(), fit.scale.is_modelled());
        let classical = options.clone();
        let own = matches!(fit.noise, Noise::Gaussian) && !scaled && fit.covariance.kind == VcovKind::CLASSICAL;
        let squares = if own {
            fit.clone()
        } else if scaled {
            let derive = ByScale(predictor.clone());
            let layout = Layout { scale: None, ..layout.clone() };
            closed_form::fit(&Adapted::new(source, derive, layout), &classical)?
        } else {
            closed_form::fit(source, &classical)?
        };
        let (coordinates, terms) = match squares.leverage() {
            Some(leverage) => {
                let terms = leverage.columns().iter().map(|&j| layout.terms[j].clone()).collect();
                (leverage.coordinates(), terms)
            }
            None => (Coordinates::of_design(&[], &[], false), Vec::new()),
        };
        let mut diagnosis = Diagnosis {
            fit: fit.clone(),
            predictor,
            location: fit.location.affine(),
            squares_location: (!own).then(|| squares.location.affine()),
            squares,
            coordinates,
            terms,
            fitted_coordinates: (0.0, f64::NAN),
            seed: options.seed,
        };
        diagnosis.fitted_coordinates = diagnosis.centre_and_spread();
        Ok(diagnosis)
    }

    /// The fit that is looked at.
    pub fn fit(&self) -> &Fit {
        &self.fit
    }

    /// Whose residuals the tests for least squares are made on.
    pub(super) fn tested_on(&self) -> TestedOn {
        match (&self.squares_location, self.fit.scale.common()) {
            (None, _) => TestedOn::Fit,
            (Some(_), Some(_)) => TestedOn::LeastSquares,
            (Some(_), None) => TestedOn::ScaledLeastSquares,
        }
    }

    /// The columns of the slopes among the whitened ones.
    pub(super) fn slopes(&self) -> std::ops::Range<usize> {
        self.coordinates.offset()..self.order()
    }

    /// The number of coefficients that least squares determined; zero where it left no degree of freedom.
    pub(super) fn order(&self) -> usize {
        if self.squares.leverage().is_some() { self.coordinates.coefficients() } else { 0 }
    }

    /// One over the residual standard error of least squares; zero where there is none.
    pub(super) fn unit(&self) -> f64 {
        self.squares.goodness.residual_std_error.filter(|error| *error > 0.0).map_or(0.0, |error| 1.0 / error)
    }

    /// Why there are no errors to test.
    pub(super) fn no_errors(&self) -> &'static str {
        match self.squares.goodness.residual_std_error {
            None => "there are as many coefficients as observations",
            Some(_) => "the residuals are all zero",
        }
    }

    pub(super) fn no_shape(&self) -> Option<&'static str> {
        match self.fit.scale.common() {
            _ if self.fit.df_residual == 0 => Some("there are as many coefficients as observations"),
            Some(scale) if !(scale > 0.0) => Some("the fitted noise scale is zero"),
            _ => None,
        }
    }

    /// The location of least squares at the mean of the columns (zero without an intercept), and its spread about that.
    pub(super) fn centre_and_spread(&self) -> (f64, f64) {
        let Some(leverage) = self.squares.leverage() else { return (0.0, f64::NAN) };
        let kept: Vec<f64> = self.squares.location.rows.iter().filter_map(|c| c.estimate).collect();
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
pub(super) struct ByScale(Predictor);

impl Adaptor for ByScale {
    const KIND: &'static str = "by scale";

    fn adapt(&mut self, block: &Block<'_>, next: &mut dyn FnMut(&Block<'_>)) {
        let scales = self.0.scale(&NewRows::from(block));
        let weights: Vec<f64> = scales.iter().map(|scale| 1.0 / (scale * scale)).collect();
        next(&Block { weights: Some(&weights), scale_design: Design::default(), ..*block });
    }
}
