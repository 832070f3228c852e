//! Rows whose effects are swept out of every column.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::numeric::double_double::DoubleDouble;
use crate::rows::{Adapted, Adaptor, Block, Layout, RowSource, Values};

/// Every column less what the levels of the effects have of it: `x - shift - sum of the parts`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Within {
    parts: Arc<Parts>,
    /// Design columns that are nothing but effects, of which rounding alone would be left.
    empty: Vec<bool>,
    #[serde(skip)]
    scratch: Scratch,
}

/// What the levels have of every column.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Parts {
    /// Of the design columns and, last, the response; what every row has of them.
    pub(super) shifts: Vec<f64>,
    /// For each effect, for each of its levels, the part of every column.
    pub(super) effects: Vec<Vec<f64>>,
    /// What each level of the one effect adds to the leverage of its rows; nothing where there are several effects.
    pub(super) leverages: Vec<f64>,
}

#[derive(Debug, Default)]
struct Scratch {
    high: Vec<f64>,
    low: Vec<f64>,
    leverages: Vec<f64>,
}

impl Clone for Scratch {
    /// Another one starts empty.
    fn clone(&self) -> Self {
        Scratch::default()
    }
}

impl Parts {
    /// `sum(v (part)^2)` of the effects' part of every column, `sum(v z)` of all levels being `products`.
    pub(super) fn explained(&self, products: &[Vec<f64>]) -> Vec<f64> {
        let columns = self.shifts.len();
        let mut sums = vec![0.0; columns];
        for (parts, products) in self.effects.iter().zip(products) {
            for (parts, products) in parts.chunks_exact(columns).zip(products.chunks_exact(columns)) {
                sums.iter_mut()
                    .zip(parts.iter().zip(products))
                    .for_each(|(sum, (part, product))| *sum += part * product);
            }
        }
        sums
    }

    /// The same with what every row has given to the levels of an effect that is alone: what is then subtracted of a value is one
    /// number, and where it is near the value that rounds nothing.
    pub(super) fn settled(mut self) -> Self {
        if let [alone] = &mut self.effects[..] {
            for level in alone.chunks_exact_mut(self.shifts.len()) {
                level.iter_mut().zip(&self.shifts).for_each(|(part, shift)| *part += shift);
            }
            self.shifts.fill(0.0);
        }
        self
    }
}

impl Within {
    /// The rows of a source less `parts` of each level of their one effect: of every design column and, last, of the response.
    pub(crate) fn rows(source: &dyn RowSource, parts: Vec<f64>) -> Adapted<'_, Within> {
        let columns = source.layout().terms.len();
        let parts = Parts { shifts: vec![0.0; columns + 1], effects: vec![parts], leverages: Vec::new() };
        let layout = Layout { intercept: false, effects: Vec::new(), ..source.layout().clone() };
        Adapted::new(source, Within::new(Arc::new(parts), vec![false; columns]), layout)
    }

    pub(super) fn new(parts: Arc<Parts>, empty: Vec<bool>) -> Self {
        Within { parts, empty, scratch: Scratch::default() }
    }
}

impl Adaptor for Within {
    const KIND: &'static str = "within levels";

    fn adapt(&mut self, block: &Block<'_>, next: &mut dyn FnMut(&Block<'_>)) {
        let Within { parts, empty, scratch: Scratch { high, low, leverages } } = self;
        let (rows, width) = (block.rows(), parts.shifts.len());
        let values: Vec<Values<'_>> = block.design.dense_columns().iter().chain([&block.response]).copied().collect();
        let extended = values.iter().any(|values| values.low.is_some());
        high.resize(rows * width, 0.0);
        low.resize(if extended { rows * width } else { 0 }, 0.0);
        let mut taken = vec![0.0; width];
        for i in 0..rows {
            taken.copy_from_slice(&parts.shifts);
            for (levels, parts) in block.effects.iter().zip(&parts.effects) {
                let of_level = &parts[levels[i] as usize * width..][..width];
                taken.iter_mut().zip(of_level).for_each(|(taken, part)| *taken += part);
            }
            let row = values.iter().zip(&taken).enumerate();
            match extended {
                false => row.for_each(|(j, (values, taken))| high[j * rows + i] = values.high[i] - taken),
                true => row.for_each(|(j, (values, taken))| {
                    let rest = DoubleDouble::from_sum(values.high[i], -taken) + values.low(i);
                    (high[j * rows + i], low[j * rows + i]) = (rest.high, rest.low);
                }),
            }
        }
        for (j, _) in empty.iter().enumerate().filter(|(_, empty)| **empty) {
            high[j * rows..][..rows].fill(0.0);
            if extended {
                low[j * rows..][..rows].fill(0.0);
            }
        }
        leverages.clear();
        if let (false, Some(levels)) = (parts.leverages.is_empty(), block.effects.first()) {
            leverages.extend(levels.iter().map(|level| parts.leverages[*level as usize]));
        }
        let column =
            |j: usize| Values { high: &high[j * rows..][..rows], low: extended.then(|| &low[j * rows..][..rows]) };
        let columns: Vec<Values<'_>> = (0..width).map(column).collect();
        let (design, response) = columns.split_at(width - 1);
        next(&Block {
            response: response[0],
            design: design.into(),
            level_leverage: (!leverages.is_empty()).then_some(leverages.as_slice()),
            ..*block
        });
    }
}
