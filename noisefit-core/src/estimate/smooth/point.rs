//! Parameters at which a pass is made, and which second derivatives it sums.

use serde::{Deserialize, Serialize};

use crate::algebra::Coordinates;
use crate::algebra::gram::Trapezoid;
use crate::noise::Kernel;

/// Which second derivatives a pass sums.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Curvature {
    /// None: the gradient alone costs less.
    None,
    /// Those of the log-likelihood.
    Observed,
    /// Positive definite ones that lead uphill from anywhere: for the location those of the weighted squares that
    /// majorise the loss (iteratively reweighted least squares), for scale and shape the expected ones.
    Majorising,
    /// Those expected of the log-likelihood: Fisher's information.
    Expected,
}

/// The columns of a modelled scale that are not aliased.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct ScaleColumns {
    /// Their coordinates; the response of these is not used.
    pub(crate) coordinates: Coordinates,
    /// Their indices in the scale's design.
    pub(crate) columns: Vec<usize>,
}

/// Parameters at which a pass is made.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Point<F> {
    /// The coordinates of the design columns and the response.
    pub(crate) coordinates: Coordinates,
    /// The columns of a modelled scale; without, `ln s` is one number.
    pub(crate) scale_columns: Option<ScaleColumns>,
    /// Coefficients of the location in `coordinates`, the intercept first where there is one.
    pub(crate) location: Vec<f64>,
    /// Coefficients of `ln s` in the coordinates of the scale's columns, `s` in units of the response; or `ln s` alone.
    pub(crate) scale: Vec<f64>,
    /// The family, with its shape.
    pub(crate) functions: F,
    /// Which second derivatives are wanted.
    pub(crate) curvature: Curvature,
}

impl<F: Kernel> Point<F> {
    /// What is added to `ln s` for the unit in which the coordinates have the response.
    pub(crate) fn log_unit(&self) -> f64 {
        self.coordinates.response_scale().ln()
    }

    /// The number of parameters: location, scale, shape.
    pub(crate) fn parameters(&self) -> usize {
        self.location.len() + self.scale.len() + usize::from(F::SHAPED)
    }

    /// Products against the design columns.
    pub(super) fn location_shape(&self) -> Trapezoid {
        let columns = self.location.len();
        match self.curvature {
            Curvature::None => Trapezoid { triangle: 0, rows: 1, columns },
            _ => Trapezoid { triangle: columns, rows: self.parameters() + 1, columns },
        }
    }

    /// Products against the columns of the scale.
    pub(super) fn scale_shape(&self) -> Trapezoid {
        let columns = self.scale.len();
        match self.curvature {
            Curvature::None => Trapezoid { triangle: 0, rows: 1, columns },
            _ => Trapezoid { triangle: columns, rows: columns + 1 + usize::from(F::SHAPED), columns },
        }
    }
}
