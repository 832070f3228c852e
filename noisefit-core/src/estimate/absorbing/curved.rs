//! What the levels of one effect have of the columns by the curvature of the likelihood at its maximum, for covariances that rest on it.
//!
//! With `v = f psi' w / s^2` the constant of a level follows the coefficients as `-sum(v x) / sum(v)` over its rows, and `ln s` and a shape as
//! `-sum(f (r psi' + psi) a) / sum(v)` and `sum(f psi_theta a) / sum(v)`, `a = sqrt(w) / s`: what is observed of the information on all
//! parameters is that on these alone, of columns about such means.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::Error;
use crate::algebra::absorb::{LevelColumns, LevelSums, Within};
use crate::estimate::absorbing::point::Point;
use crate::noise::{Kernel, Shaped, Visitor};
use crate::record::Fit;
use crate::rows::{Adapted, Adaptor, Block, Design, Layout, RowSource, RowSourceExt};

/// The levels of the effect of a fit.
pub(crate) struct Curved {
    /// For each level what is taken of the columns and, last, of the response, so that the coefficients of the fit leave its residuals.
    parts: Vec<f64>,
    /// How the constants of the levels follow `ln s` and a shape: minus that.
    moves: LevelColumns,
}

/// Numbers of a level that move with others than coefficients: `ln s` and a shape.
const MOVES: usize = 2;

impl Curved {
    /// Those of a fit of one scale to rows with one effect; none of other fits. Two passes.
    ///
    /// # Errors
    /// [`Error::Unsupported`] where the likelihood is not curved downwards in the constant of a level.
    pub(crate) fn at(source: &dyn RowSource, fit: &Fit) -> Result<Option<Self>, Error> {
        let effects = fit.absorbed.iter().flat_map(|absorbed| &absorbed.effects);
        let constants: Vec<Option<&Vec<Option<f64>>>> = effects.map(|effect| effect.constants.as_ref()).collect();
        let (&[Some(constants)], Some(scale)) = (&constants[..], fit.scale.common().filter(|scale| *scale > 0.0))
        else {
            return Ok(None);
        };
        let slopes: Vec<f64> = fit.coef().into_iter().map(|slope| slope.unwrap_or(0.0)).collect();
        let width = slopes.len();
        let known: Vec<f64> = constants.iter().map(|constant| constant.unwrap_or(0.0)).collect();
        let (noise, theta) = (fit.noise, fit.noise.visit(Theta));
        let constants_of_rows = vec![Arc::new(known.clone())];
        let point = Point { noise, theta, slopes: slopes.clone(), constants: constants_of_rows, log_scale: scale.ln() };
        let layout = Layout { clusters: Vec::new(), ..source.layout().clone() };
        let weighted = Adapted::new(source, Curvature(point.clone()), layout.clone());
        let sums = weighted.pass(LevelSums::new(&layout, vec![0.0; width + 1]))?;
        let terms = vec![String::new(); MOVES];
        let layout = Layout { terms, ..layout };
        let moved = Adapted::new(source, Moves(point), layout.clone());
        let moved = moved.pass(LevelSums::new(&layout, vec![0.0; MOVES + 1]))?;
        let (Some(sums), Some(moved)) = (sums.effects().first(), moved.effects().first()) else { return Ok(None) };
        let (weights, products, moved) = (sums.weights(), sums.products(), moved.products());
        let (mut parts, mut moves) = (Vec::with_capacity(products.len()), Vec::with_capacity(MOVES * weights.len()));
        for (level, &weight) in weights.iter().enumerate() {
            if constants[level].is_none() {
                parts.extend(std::iter::repeat_n(0.0, width + 1));
                moves.extend([0.0; MOVES]);
                continue;
            }
            if !(weight > 0.0) {
                return Err(Error::Unsupported(
                    "the observed information is not positive definite at this fit, for the likelihood is not curved downwards in the \
                     constant of a level that has but rows far from it; use classical"
                        .to_owned(),
                ));
            }
            let centre = products[level * (width + 1)..][..width].iter().map(|product| product / weight);
            let centre: Vec<f64> = centre.collect();
            let response = known[level] + centre.iter().zip(&slopes).map(|(x, b)| x * b).sum::<f64>();
            parts.extend(centre);
            parts.push(response);
            moves.extend(moved[level * (MOVES + 1)..][..MOVES].iter().map(|product| product / weight));
        }
        Ok(Some(Curved { parts, moves: LevelColumns::new(moves, MOVES) }))
    }

    /// The rows of the fit with columns about the means of their levels.
    pub(crate) fn rows<'a>(&self, source: &'a dyn RowSource) -> Adapted<'a, Within> {
        Within::rows(source, self.parts.clone())
    }

    /// How the constants follow `ln s` and a shape.
    pub(crate) fn moves(&self) -> LevelColumns {
        self.moves.clone()
    }
}

/// The shape of a noise that has one to estimate.
struct Theta;

impl Visitor for Theta {
    type Output = f64;

    fn visit<K: Kernel>(self, _: K) -> f64 {
        0.0
    }

    fn visit_shaped<K: Shaped>(self, kernel: K) -> f64 {
        kernel.parameter()
    }
}

/// Rows that weigh by their curvature, which may be negative.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Curvature(Point);

impl Adaptor for Curvature {
    const KIND: &'static str = "curvature beside effects";

    fn adapt(&mut self, block: &Block<'_>, next: &mut dyn FnMut(&Block<'_>)) {
        let rows = self.0.rows(block);
        let v: Vec<f64> = rows.curvature.iter().zip(&rows.inverse).map(|(curvature, a)| curvature * a * a).collect();
        next(&Block { weights: Some(&v), log_jacobian: None, clusters: &[], ..*block });
    }
}

/// What scores of the constants change by with `ln s` and a shape, as columns.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Moves(Point);

impl Adaptor for Moves {
    const KIND: &'static str = "moves beside effects";

    fn adapt(&mut self, block: &Block<'_>, next: &mut dyn FnMut(&Block<'_>)) {
        let rows = self.0.rows(block);
        let count = block.rows();
        let by_scale = |i: usize| (rows.standardised[i] * rows.curvature[i] + rows.score[i]) * rows.inverse[i];
        let by_scale: Vec<f64> = (0..count).map(by_scale).collect();
        let by_shape = |i: usize| rows.by_shape[1].get(i).map_or(0.0, |score| -score * rows.inverse[i]);
        let by_shape: Vec<f64> = (0..count).map(by_shape).collect();
        let columns = Design::default().followed_by([&by_scale[..], &by_shape[..]]);
        next(&Block { design: columns.design(), weights: None, log_jacobian: None, clusters: &[], ..*block });
    }
}
