//! The gradient of the log-likelihood by rows.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::algebra::gram::{Columns, TILE_ROWS};
use crate::estimate::smooth::tile::add_multiple;
use crate::estimate::smooth::{Point, ScaleColumns};
use crate::inference::covariance::meat::Meat;
use crate::inference::covariance::meat::Scores;
use crate::noise::{self, FAMILIES, Listed, Shaped, Visitor};
use crate::numeric::dispatch::{Kernel, dispatch};
use crate::numeric::special::elementary::exp;
use crate::rows::{Block, Kinds};

/// What one observation of each row adds to the gradient at a point, by its parameters in their order.
///
/// ```text
/// psi a x   by the location,   (r psi - 1) u   by the scale,   -(rho_theta + c')   by the shape
/// ```
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct LikelihoodScores<F> {
    point: Arc<Point<F>>,
}

impl<F: noise::Kernel> LikelihoodScores<F> {
    /// At the parameters of `point`.
    pub(crate) fn new(point: Point<F>) -> Self {
        LikelihoodScores { point: Arc::new(point) }
    }
}

impl<F: noise::Kernel> Scores for LikelihoodScores<F> {
    fn kind() -> String {
        F::NAME.to_owned()
    }

    fn count(&self) -> usize {
        self.point.parameters()
    }

    fn fill(&self, block: &Block<'_>, scores: &mut Columns) -> u64 {
        dispatch(FillScores { point: self.point.as_ref(), block, scores });
        0
    }
}

struct FillScores<'a, 'b, F> {
    point: &'a Point<F>,
    block: &'a Block<'b>,
    scores: &'a mut Columns,
}

impl<F: noise::Kernel> Kernel for FillScores<'_, '_, F> {
    type Output = ();

    #[inline(always)]
    fn run<const FUSED: bool>(self) {
        let FillScores { point, block, scores } = self;
        let Point { coordinates, scale_columns, location, scale, functions, .. } = point;
        let (p, log_unit) = (location.len(), point.log_unit());
        let (shift, unit) = (coordinates.response_shift(), coordinates.response_scale());
        let constant = functions.constant_by_shape()[0];
        for (tile, start) in (0..block.rows()).step_by(TILE_ROWS).enumerate() {
            let rows = start..(start + TILE_ROWS).min(block.rows());
            let count = rows.len();

            // Columns are written where the scores will be.
            let mut log_scale = [0.0; TILE_ROWS];
            match scale_columns {
                None => {
                    log_scale = [scale[0]; TILE_ROWS];
                    scores.tile_mut(tile, p)[..count].fill(1.0);
                }
                Some(ScaleColumns { coordinates, columns: chosen }) => {
                    let design = block.scale_design.chosen(chosen);
                    coordinates.fill_tile(design.design(), &rows, scores, (tile, p), |j, z| {
                        add_multiple::<FUSED>(scale[j], z, &mut log_scale);
                    });
                }
            }
            let mut e = [0.0; TILE_ROWS];
            for (e, y) in e.iter_mut().zip(&block.response.high[rows.clone()]) {
                *e = (y - shift) * unit;
            }
            coordinates.fill_tile(block.design, &rows, scores, (tile, 0), |j, z| {
                add_multiple::<FUSED>(-location[j], z, &mut e);
            });

            let (mut of_location, mut of_scale, mut of_shape) = ([0.0; TILE_ROWS], [0.0; TILE_ROWS], [0.0; TILE_ROWS]);
            for i in 0..TILE_ROWS {
                of_location[i] = exp(-(log_scale[i] + log_unit));
            }
            if let Some(weights) = block.weights {
                for (inverse, w) in of_location.iter_mut().zip(&weights[rows.clone()]) {
                    *inverse *= w.sqrt();
                }
            }
            for i in 0..TILE_ROWS {
                let r = e[i] * of_location[i];
                let found = functions.at(r);
                of_location[i] *= found.score;
                of_scale[i] = r * found.score - 1.0;
                of_shape[i] = -(found.by_shape + constant);
            }
            for j in 0..p {
                multiply_by(scores.tile_mut(tile, j), &of_location);
            }
            for j in 0..scale.len() {
                multiply_by(scores.tile_mut(tile, p + j), &of_scale);
            }
            if F::SHAPED {
                scores.tile_mut(tile, p + scale.len())[..count].copy_from_slice(&of_shape[..count]);
            }
        }
    }
}

#[inline(always)]
fn multiply_by(column: &mut [f64], factors: &[f64; TILE_ROWS]) {
    for (value, factor) in column.iter_mut().zip(factors) {
        *value *= factor;
    }
}

/// The passes of this module.
pub(super) fn kinds() -> Kinds {
    let families = FAMILIES.iter().flat_map(Listed::samples);
    families.fold(Kinds::default(), |kinds, noise| noise.visit(WithScores(kinds)))
}

/// The list with the pass of a family's scores.
struct WithScores(Kinds);

impl Visitor for WithScores {
    type Output = Kinds;

    fn visit<K: noise::Kernel>(self, _: K) -> Kinds {
        self.0.with::<Meat<LikelihoodScores<K>>>()
    }

    fn visit_shaped<K: Shaped>(self, _: K) -> Kinds {
        self.0.with::<Meat<LikelihoodScores<K>>>().with::<Meat<LikelihoodScores<K::Held>>>()
    }
}
