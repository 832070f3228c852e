//! Some columns of a source.

use serde::{Deserialize, Serialize};

use crate::rows::{Adapted, Adaptor, Block, Layout, RowBlock, RowSource};

/// A row source that shows only some design columns of another one.
pub type Subset<'a> = Adapted<'a, Columns>;

/// Some design columns, by their indices, in their order.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Columns(Vec<usize>);

impl<'a> Subset<'a> {
    /// The design columns of `source` with these indices, in this order.
    pub fn of(source: &'a dyn RowSource, columns: Vec<usize>) -> Self {
        let full = source.layout();
        let terms = columns.iter().filter_map(|&j| full.terms.get(j).cloned()).collect();
        let layout = Layout { terms, ..full.clone() };
        Adapted::new(source, Columns(columns), layout)
    }

    /// Some of these columns, by their indices among them.
    pub fn narrowed(&self, columns: &[usize]) -> Self {
        Subset::of(self.source(), columns.iter().map(|&j| self.adaptor().0[j]).collect())
    }
}

impl Adaptor for Columns {
    const KIND: &'static str = "columns";

    fn adapt(&mut self, block: &Block<'_>, next: &mut dyn FnMut(&Block<'_>)) {
        let design = block.design.chosen(&self.0);
        next(&Block { design: design.design(), ..*block });
    }

    fn keeps_rows(&self, rows: &RowBlock<'_>) -> bool {
        self.0.len() == rows.columns && self.0.iter().enumerate().all(|(i, &j)| i == j)
    }
}
