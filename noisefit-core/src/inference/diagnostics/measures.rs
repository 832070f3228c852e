//! What is measured of every row of a block.

use crate::inference::diagnostics::diagnosis::Diagnosis;
use crate::inference::predict::NewRows;
use crate::numeric::dispatch::vectorised;
use crate::rows::Block;

/// Closer to one than this, a leverage is one: the row alone determines a coefficient, and its residual is zero whatever its
/// response.
const CERTAIN: f64 = 1e-10;

/// A block's rows, measured.
#[derive(Debug)]
pub(super) struct Measured<'b> {
    pub(super) rows: usize,
    /// How often each row counts.
    pub(super) frequencies: Option<&'b [f64]>,
    /// The root of each row's precision, relative to the others: of the weight, over a modelled scale.
    pub(super) roots: Option<Vec<f64>>,
    /// The fit's location.
    pub(super) fitted: Vec<f64>,
    /// The response less that.
    pub(super) residuals: Vec<f64>,
    /// The fit's noise scale.
    pub(super) scales: Vec<f64>,
    /// The residuals of least squares times their root precisions, over the residual standard error; zero where that is.
    pub(super) errors: Vec<f64>,
    /// The location by least squares less its mean, in units of its own spread.
    pub(super) least_squares_fitted: Vec<f64>,
    /// Whitened regressors `u`, `rows` values of each: over all rows, `sum(f root^2 u u')` is the identity.
    pub(super) whitened: Vec<f64>,
    /// Of each row, among equal copies of it: `root^2 |u|^2`.
    pub(super) leverages: Vec<f64>,
}

impl Measured<'_> {
    pub(super) fn frequency(&self, i: usize) -> f64 {
        self.frequencies.map_or(1.0, |f| f[i])
    }

    pub(super) fn root(&self, i: usize) -> f64 {
        self.roots.as_ref().map_or(1.0, |roots| roots[i])
    }

    /// A whitened regressor.
    pub(super) fn column(&self, k: usize) -> &[f64] {
        &self.whitened[k * self.rows..(k + 1) * self.rows]
    }

    /// The residual in scales of its own row; NaN at a scale of zero.
    pub(super) fn standardised(&self, i: usize) -> f64 {
        self.residuals[i] / self.scales[i]
    }
}

impl Diagnosis {
    /// Measures the rows of a block.
    pub(super) fn measure<'b>(&self, block: &Block<'b>) -> Measured<'b> {
        let rows = block.rows();
        let residuals = self.location.residuals(block);
        let response = &block.response;
        let fitted = (0..rows).map(|i| response.high[i] - residuals[i] + response.low(i)).collect();
        let scales = self.predictor.scale(&NewRows::from(block));
        let roots: Option<Vec<f64>> = match (self.fit.scale.common(), block.weights) {
            (Some(_), None) => None,
            (Some(_), Some(weights)) => Some(weights.iter().map(|w| w.sqrt()).collect()),
            // The predictor's scale is over the root of the weight.
            (None, _) => Some(scales.iter().map(|scale| 1.0 / scale).collect()),
        };
        let mut errors = match &self.squares_location {
            Some(location) => location.residuals(block),
            None => residuals.clone(),
        };
        let (centre, spread) = self.fitted_coordinates;
        let least_squares_fitted =
            (0..rows).map(|i| ((response.high[i] - centre) - errors[i] + response.low(i)) / spread).collect();
        let unit = self.unit();
        errors.iter_mut().for_each(|e| *e *= unit);
        if let Some(roots) = &roots {
            errors.iter_mut().zip(roots).for_each(|(e, root)| *e *= root);
        }
        let whitened = self.squares.leverage().map_or_else(Vec::new, |leverage| leverage.whitened(block.design, rows));
        let mut leverages = vec![0.0; rows];
        vectorised(|| {
            for column in whitened.chunks_exact(rows.max(1)) {
                for (h, u) in leverages.iter_mut().zip(column) {
                    *h += u * u;
                }
            }
        });
        if let Some(roots) = &roots {
            leverages.iter_mut().zip(roots).for_each(|(h, root)| *h *= root * root);
        }
        leverages.iter_mut().filter(|h| **h > 1.0 - CERTAIN).for_each(|h| *h = 1.0);
        Measured {
            rows,
            frequencies: block.frequencies,
            roots,
            fitted,
            residuals,
            scales,
            errors,
            least_squares_fitted,
            whitened,
            leverages,
        }
    }
}
