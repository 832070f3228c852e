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
use crate::algebra::absorb::{Absorbed, LevelSums};
use crate::algebra::products::add_squared_lengths;
use crate::algebra::whitened::Whitened;
use crate::inference::covariance::inflation::{Inflation, LEAST_FREEDOM};
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
    /// The variances, and the covariances with the other coefficients, a level's one after the other; none as long as no covariance has found
    /// them.
    pub(crate) found: Option<(Vec<f64>, Vec<f64>)>,
}

impl OfLevels {
    /// Those of an effect that is absorbed alone.
    pub(crate) fn of(absorbed: &Absorbed) -> Option<Self> {
        let (_, inverse) = absorbed.alone()?;
        let singletons = absorbed.effects.first()?.singletons;
        Some(OfLevels { inverse_weights: inverse.to_vec(), singletons, terms: false, found: None })
    }

    /// Where the levels are terms, which a row of its own level alone determines.
    pub(crate) fn of_terms(self) -> Self {
        OfLevels { terms: true, ..self }
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
