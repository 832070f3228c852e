//! Rows without a response.

use crate::rows::{Block, Design};

/// Rows to be predicted, column by column.
#[derive(Debug, Clone, Copy)]
pub struct NewRows<'a> {
    /// The columns of the design, in the order of [`crate::rows::Layout::terms`].
    pub design: Design<'a>,
    /// The columns of a modelled scale, in the order of [`crate::rows::ScaleLayout::terms`]; else none.
    pub scale_design: Design<'a>,
    /// Known relative precisions, one each, which divide the squared scale; 1 where absent.
    pub weights: Option<&'a [f64]>,
    /// For each of [`crate::rows::Layout::effects`] the level of every row.
    pub effects: &'a [&'a [u32]],
    /// The number of rows.
    pub count: usize,
}

impl<'a> NewRows<'a> {
    /// `count` rows of a design.
    pub fn new(design: impl Into<Design<'a>>, count: usize) -> Self {
        NewRows { design: design.into(), scale_design: Design::default(), weights: None, effects: &[], count }
    }
}

impl<'a> From<&Block<'a>> for NewRows<'a> {
    fn from(block: &Block<'a>) -> Self {
        let &Block { design, scale_design, weights, effects, .. } = block;
        NewRows { design, scale_design, weights, effects, count: block.rows() }
    }
}
