//! Covariances of Huber's estimate, its scale taken as given.

use serde::{Deserialize, Serialize};

use crate::Error;
use crate::algebra::gram::{Columns, TILE_ROWS, packed, packed_length};
use crate::inference::covariance::contract::Request;
use crate::inference::covariance::form::Form;
use crate::inference::covariance::meat::{Dependence, Meat, Scores};
use crate::inference::covariance::parts::{Estimated, factored, inverse, sandwich};
use crate::inference::covariance::whitened::whitened;
use crate::noise::{self, HuberKernel};
use crate::numeric::dispatch::{Kernel, dispatch};
use crate::record::Reference;
use crate::rows::{Block, Kinds, RowSourceExt};

/// Sandwich, observed and expected information, clusters and lags: with `r = sqrt(w) e / s`, the bread is
/// `sum(f w psi'(r) x x')` and a score `sqrt(w) psi(r) x`, in units of `s`.
///
/// The scale is given: for symmetric noise its estimate and that of the coefficients are independent as rows grow many
/// (Huber 1981, *Robust Statistics*, section 6.4).
pub(super) fn estimate(request: Request<'_>, kernel: HuberKernel, form: Form) -> Result<(), Error> {
    let Request { source, fit, written, .. } = request;
    let (Some(leverage), Some(scale)) = (fit.leverage().cloned(), fit.scale.common().filter(|scale| *scale > 0.0))
    else {
        return Ok(());
    };
    let rows = whitened(source, fit, &leverage);
    let order = rows.adaptor().count();
    let (mut matrix, mut clusters) = (vec![0.0; packed_length(order)], None);
    if form == Form::Expected {
        // Whitened rows have the identity for a Gram matrix.
        (0..order).for_each(|k| matrix[packed(k, k)] = 1.0 / noise::Kernel::expected(kernel).location);
    } else {
        let of = |part| Clipped { part, scale, kernel, count: order };
        let curvature = Meat::new(of(Part::Curvature), Dependence::Independent);
        let (curvature, meat) = match form {
            Form::Expected | Form::Observed => (rows.pass(curvature)?, None),
            Form::Sandwich(dependence) => {
                let (curvature, meat) = rows.pass((curvature, Meat::new(of(Part::Score), dependence)))?;
                (curvature, Some(meat.finish()?))
            }
        };
        let bread = factored(&curvature.finish()?.matrix, order)?;
        match meat {
            None => matrix = inverse(&bread, order),
            Some(meat) => {
                let (found, warning) = sandwich(&bread, &meat, order);
                (matrix, clusters) = (found, meat.clusters);
                fit.warnings.extend(warning);
            }
        }
    }
    matrix.iter_mut().for_each(|value| *value *= scale * scale);
    Estimated { leverage: &leverage, matrix, scale: None, clusters, reference: Reference::Normal }.store(fit, &written);
    Ok(())
}

/// What of Huber's loss multiplies a whitened row.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
enum Part {
    /// `sqrt(w) psi(r)`.
    Score,
    /// The root of `w psi'(r)`.
    Curvature,
}

#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
struct Clipped {
    part: Part,
    scale: f64,
    kernel: HuberKernel,
    count: usize,
}

impl Scores for Clipped {
    fn kind() -> String {
        "huber at its scale".to_owned()
    }

    fn count(&self) -> usize {
        self.count
    }

    fn fill(&self, block: &Block<'_>, scores: &mut Columns) -> u64 {
        dispatch(Fill { clipped: *self, block, scores });
        0
    }
}

struct Fill<'a, 'b> {
    clipped: Clipped,
    block: &'a Block<'b>,
    scores: &'a mut Columns,
}

impl Kernel for Fill<'_, '_> {
    type Output = ();

    #[inline(always)]
    fn run<const FUSED: bool>(self) {
        let Fill { clipped: Clipped { part, scale, kernel, .. }, block, scores } = self;
        for (tile, start) in (0..block.rows()).step_by(TILE_ROWS).enumerate() {
            let rows = start..(start + TILE_ROWS).min(block.rows());
            let mut factors = [0.0; TILE_ROWS];
            for (i, (factor, e)) in factors.iter_mut().zip(&block.response.high[rows.clone()]).enumerate() {
                let root = block.root_weight(start + i);
                let found = noise::Kernel::at(kernel, root * e / scale);
                *factor = match part {
                    Part::Score => root * found.score,
                    Part::Curvature => root * found.curvature.sqrt(),
                };
            }
            scores.fill_products(tile, block.design, &rows, &factors);
        }
    }
}

/// The passes of this module.
pub(super) fn kinds() -> Kinds {
    Kinds::default().with::<Meat<Clipped>>()
}
