//! What linear predictors with a constant for each level leave of the response.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::numeric::double_double::DoubleDouble;
use crate::rows::{Adaptor, Block, Design, Precision};

/// `y - c - x'b` as the response of rows without a design, where `c` is the constant of the row's level of the first effect.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Rest {
    pub(super) slopes: Vec<f64>,
    pub(super) constants: Arc<Vec<f64>>,
    /// Whether the values' low words count.
    pub(super) extended: bool,
}

impl Adaptor for Rest {
    const KIND: &'static str = "rest of levels";

    fn adapt(&mut self, block: &Block<'_>, next: &mut dyn FnMut(&Block<'_>)) {
        let Some(levels) = block.effects.first() else { return };
        let columns = block.design.dense_columns();
        let row = |i: usize| {
            let mut rest = DoubleDouble::from_sum(block.response.high[i], block.response.low(i));
            rest -= DoubleDouble::from(self.constants[levels[i] as usize]);
            for (slope, values) in self.slopes.iter().zip(columns) {
                rest -= DoubleDouble::from_sum(values.high[i], values.low(i)) * *slope;
            }
            rest.to_f64()
        };
        let response: Vec<f64> = (0..block.rows()).map(row).collect();
        next(&Block { response: response[..].into(), design: Design::default(), ..*block });
    }

    fn precision(&self, asked: Precision) -> Precision {
        if self.extended { Precision::Extended } else { asked }
    }
}
