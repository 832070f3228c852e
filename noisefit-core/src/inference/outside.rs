//! How much of the fitted noise lies where the response cannot.

use serde::{Deserialize, Serialize};

use crate::Error;
use crate::inference::predict::{NewRows, Predictor};
use crate::record::Fit;
use crate::rows::{Accumulator, Block, Kinds, RowSource, RowSourceExt};

/// What the fitted noise puts outside a range, and the sum of the rows' Jacobians.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Outside {
    /// The mean over observations of the probability of a response outside.
    pub mass: f64,
    /// `sum f log |g'(y)|`.
    pub log_jacobian: f64,
}

/// How much of a fit's noise lies below `range[0]` and above `range[1]`, in one pass over its rows.
///
/// ```
/// use noisefit_core::estimate::{Options, closed_form};
/// use noisefit_core::inference::outside::outside;
/// use noisefit_core::rows::{Matrix, MemoryRows};
///
/// // Mean 2, standard deviation 1: a share of 0.02275 lies below zero.
/// let rows = MemoryRows::new(&[1.0, 3.0], Matrix::row_major(&[], 2, 0)?)?;
/// let fit = closed_form::fit(&rows, &Options::default())?;
/// let found = outside(&rows, &fit, [0.0, f64::INFINITY])?;
/// assert!((found.mass - 0.022750131948179).abs() < 1e-12);
/// # Ok::<(), noisefit_core::Error>(())
/// ```
///
/// # Errors
/// What the source reports, and [`Error::Shape`] for a fit whose parts do not go together.
pub fn outside(source: &dyn RowSource, fit: &Fit, range: [f64; 2]) -> Result<Outside, Error> {
    let sums = [0.0; 3];
    let Beyond { sums: [observations, mass, log_jacobian], .. } =
        source.pass(Beyond { predictor: Predictor::new(fit)?, range, rows: 0, sums })?;
    Ok(Outside { mass: mass / observations, log_jacobian })
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Beyond {
    predictor: Predictor,
    range: [f64; 2],
    rows: u64,
    /// Observations, the mass outside, and the Jacobians.
    sums: [f64; 3],
}

impl Accumulator for Beyond {
    const KIND: &'static str = "outside a range";

    fn fold(&mut self, block: &Block<'_>) {
        let new = NewRows::from(block);
        let (locations, scales) = (self.predictor.location(&new), self.predictor.scale(&new));
        let family = self.predictor.fit().noise.family();
        let [low, high] = self.range;
        for (i, (mu, s)) in locations.iter().zip(&scales).enumerate() {
            let f = block.frequency(i);
            // An infinite end has nothing beyond it; where there is no noise, nothing lies anywhere else.
            let below = if low.is_finite() && *s > 0.0 { family.cdf((low - mu) / s) } else { 0.0 };
            let above = if high.is_finite() && *s > 0.0 { family.survival((high - mu) / s) } else { 0.0 };
            self.sums[0] += f;
            self.sums[1] += f * (below + above);
            self.sums[2] += f * block.log_jacobian.map_or(0.0, |l| l[i]);
        }
        self.rows += block.rows() as u64;
    }

    fn merge(&mut self, later: Self) {
        self.sums.iter_mut().zip(later.sums).for_each(|(mine, theirs)| *mine += theirs);
        self.rows += later.rows;
    }

    fn rows(&self) -> u64 {
        self.rows
    }
}

/// The passes of this module.
pub(super) fn kinds() -> Kinds {
    Kinds::default().with::<Beyond>()
}
