//! What the constants of a category's levels vary by, and with the coefficients beside them, where rows are independent and their noise
//! is of varying scale.
//!
//! The location at the centre of level `g`, whose rows weigh `W_g` together, is off by `sum over its rows of w e / W_g`; the other coefficients
//! are off by `(X'VX)^-1 sum(w e x)` of what the levels leave of the columns. With `c` for what a squared residual counts
//! ([`super::hc`]) the variance of the one is `sum(f c (w e)^2) / W_g^2`, and the covariance with the other
//! `(X'VX)^-1 sum(f c (w e)^2 x) / W_g`, both over the rows of the level.

use serde::{Deserialize, Serialize};

use crate::Error;
use crate::algebra::Leverage;
use crate::algebra::absorb::{Absorbed, LevelColumns, LevelSums};
use crate::algebra::cells::Cells;
use crate::algebra::products::add_squared_lengths;
use crate::algebra::whitened::Whitened;
use crate::inference::covariance::inflation::{Inflation, LEAST_FREEDOM};
use crate::inference::covariance::level_clusters::LevelClusters;
use crate::rows::{Adapted, Adaptor, Block, EffectLayout, Layout, RowSource, RowSourceExt};

/// The levels of a category that was swept out of the rows.
#[derive(Debug)]
pub(crate) struct OfLevels {
    /// One over what the rows of each level weigh; zero for a level without rows.
    pub(crate) inverse_weights: Vec<f64>,
    /// Levels of one observation.
    singletons: usize,
    /// Whether the levels have coefficients that are shown.
    terms: bool,
    /// Whether they cross the clusters of the rows.
    crossed: bool,
    /// Under noise that is not least squares how the constants of the levels follow scale and shape.
    pub(super) moves: Option<LevelColumns>,
    /// The variances, and the covariances with the other coefficients, a level's one after the other; none as long as no covariance has found
    /// them.
    pub(crate) found: Option<(Vec<f64>, Vec<f64>)>,
    /// How the levels vary together, where they do.
    pub(crate) cells: Option<Cells>,
}

/// So many parts of levels and clusters are kept with a model: with more of them columns for the levels are as well.
const MOST_CELLS: usize = 2_000_000;

impl OfLevels {
    /// Those of an effect that is absorbed alone.
    pub(crate) fn of(absorbed: &Absorbed) -> Option<Self> {
        let (_, inverse) = absorbed.alone()?;
        let singletons = absorbed.effects.first()?.singletons;
        Some(OfLevels {
            inverse_weights: inverse.to_vec(),
            singletons,
            terms: false,
            crossed: false,
            moves: None,
            found: None,
            cells: None,
        })
    }

    /// Where the levels are terms, which a row of its own level alone determines.
    pub(crate) fn of_terms(self) -> Self {
        OfLevels { terms: true, ..self }
    }

    /// Where the rows are about what the levels have by the curvature of the likelihood, whose constants follow scale and shape.
    pub(crate) fn with_moves(self, moves: LevelColumns) -> Self {
        OfLevels { moves: Some(moves), ..self }
    }

    /// Where the rows have clusters that the levels cross.
    pub(crate) fn crossed(self) -> Self {
        OfLevels { crossed: true, ..self }
    }

    /// Finds them where rows of a cluster depend on one another, from whitened rows with residuals in `unit`; all is multiplied by a factor.
    ///
    /// With `U` for `sum(f w e)` over the rows that a level and a cluster have in common, the location at the centre of a level is off by the
    /// sum of its `U / W_g` over clusters, and the covariance of two is the sum of the products of what they have of every cluster.
    pub(super) fn find_clustered(
        &mut self,
        rows: &Adapted<'_, Whitened>,
        leverage: &Leverage,
        (unit, factor): (f64, f64),
    ) -> Result<(), Error> {
        if !self.crossed {
            return Ok(());
        }
        let count = rows.adaptor().count();
        let sums = rows.pass(LevelClusters::new(unit, count))?;
        let (clusters, levels) = (sums.clusters(), self.inverse_weights.len());
        let size = factor * unit * unit * (clusters as f64 / (clusters as f64 - 1.0));
        let (mut cells, mut products) = (Vec::new(), vec![0.0; levels * count]);
        let mut variances = vec![0.0; levels];
        for (level, cluster, sum, of_cluster) in sums.cells() {
            let part = sum * self.inverse_weights[level as usize];
            variances[level as usize] += size * part * part;
            let products = &mut products[level as usize * count..][..count];
            products.iter_mut().zip(of_cluster).for_each(|(product, score)| *product += size * part * score);
            cells.push((level, cluster, part * size.sqrt()));
        }
        if cells.len() > MOST_CELLS {
            return Ok(());
        }
        let directions = leverage.directions();
        let covariance = |products: &[f64]| -> Vec<f64> {
            let dot = |direction: &Vec<f64>| direction.iter().zip(products).map(|(a, b)| a * b).sum();
            directions.iter().map(dot).collect()
        };
        let covariances = match count {
            0 => Vec::new(),
            count => products.chunks_exact(count).flat_map(covariance).collect(),
        };
        self.found = Some((variances, covariances));
        self.cells = Some(Cells::new(levels, clusters, cells));
        Ok(())
    }

    /// How many rows alone determine a level that is a term.
    pub(super) fn alone(&self) -> u64 {
        if self.terms { self.singletons as u64 } else { 0 }
    }

    /// Finds them from whitened rows, with residuals in `unit` that are inflated; all is multiplied by a factor.
    pub(super) fn find(
        &mut self,
        rows: &Adapted<'_, Whitened>,
        leverage: &Leverage,
        inflation: Inflation,
        (unit, factor): (f64, f64),
    ) -> Result<(), Error> {
        let count = rows.adaptor().count();
        let effect = EffectLayout { name: String::new(), levels: self.inverse_weights.len() };
        let layout = Layout { clusters: Vec::new(), effects: vec![effect], ..rows.layout().clone() };
        let squared = Adapted::new(rows, Squared { inflation, unit }, layout);
        let sums = squared.pass(LevelSums::new(squared.layout(), vec![0.0; count + 1]))?;
        let Some(sums) = sums.effects().first() else { return Ok(()) };
        let (squares, products, directions) = (sums.weights(), sums.products(), leverage.directions());
        let size = factor * unit * unit;
        let variances = squares.iter().zip(&self.inverse_weights).map(|(square, v)| size * square * v * v).collect();
        let mut covariances = Vec::with_capacity(count * squares.len());
        for (products, inverse) in products.chunks_exact(count + 1).zip(&self.inverse_weights) {
            for direction in &directions {
                let sum: f64 = direction.iter().zip(products).map(|(a, b)| a * b).sum();
                covariances.push(size * inverse * sum);
            }
        }
        self.found = Some((variances, covariances));
        Ok(())
    }
}

/// Whitened rows that weigh `(c^1/2 w e)^2`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Squared {
    inflation: Inflation,
    unit: f64,
}

impl Adaptor for Squared {
    const KIND: &'static str = "squared scores";

    fn adapt(&mut self, block: &Block<'_>, next: &mut dyn FnMut(&Block<'_>)) {
        let mut own = vec![0.0; block.rows()];
        add_squared_lengths(block.design, &(0..block.rows()), &mut own);
        let weight = |i: usize| {
            let w = block.weight(i);
            let freedom = 1.0 - w * (own[i] + block.level_leverage.map_or(0.0, |all| all[i]));
            let score = w * (block.response.high[i] / self.unit);
            // Nothing is left of a row that is a level of its own.
            if self.inflation != Inflation::None && freedom < LEAST_FREEDOM {
                return 0.0;
            }
            (score / self.inflation.divisor(freedom)).powi(2)
        };
        let weights: Vec<f64> = (0..block.rows()).map(weight).collect();
        let ones = vec![1.0; block.rows()];
        next(&Block { response: ones[..].into(), weights: Some(&weights), log_jacobian: None, ..*block });
    }
}
