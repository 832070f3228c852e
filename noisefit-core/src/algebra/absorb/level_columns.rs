//! Columns whose values go by the level of a row.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::rows::{Adapted, Adaptor, Block, Layout, RowSource};

/// Columns of the levels of the first effect, behind those that rows have.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct LevelColumns {
    /// For each level the values of every column.
    values: Arc<Vec<f64>>,
    /// How many values a level has, and how many of them are columns.
    width: usize,
    count: usize,
}

impl LevelColumns {
    /// Of each level so many values.
    pub(crate) fn new(values: Vec<f64>, width: usize) -> Self {
        LevelColumns { values: Arc::new(values), width, count: width }
    }

    /// The rows with the first `count` of the columns behind theirs.
    pub(crate) fn behind<'a>(&self, source: &'a dyn RowSource, count: usize) -> Adapted<'a, LevelColumns> {
        let more = (0..count).map(|j| format!("of the level {}", j + 1));
        let of = source.layout();
        let layout = Layout { terms: of.terms.iter().cloned().chain(more).collect(), ..of.clone() };
        Adapted::new(source, LevelColumns { count: count.min(self.width), ..self.clone() }, layout)
    }
}

impl Adaptor for LevelColumns {
    const KIND: &'static str = "columns of levels";

    fn adapt(&mut self, block: &Block<'_>, next: &mut dyn FnMut(&Block<'_>)) {
        let levels = block.effects.first().copied().unwrap_or(&[]);
        let value = |j: usize, level: u32| self.values[level as usize * self.width + j];
        let column = |j: usize| levels.iter().map(|&level| value(j, level)).collect::<Vec<f64>>();
        let more: Vec<Vec<f64>> = (0..self.count).map(column).collect();
        let columns = block.design.followed_by(more.iter().map(Vec::as_slice));
        next(&Block { design: columns.design(), ..*block });
    }
}
