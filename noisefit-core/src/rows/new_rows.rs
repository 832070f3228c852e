//! Rows without a response.

use crate::rows::{Block, Design, Values};

/// Rows to be predicted, column by column.
#[derive(Debug, Clone, Copy)]
pub struct NewRows<'a> {
    /// The columns of the design, in the order of [`crate::rows::Layout::terms`].
    pub design: Design<'a>,
    /// The columns of a modelled scale, in the order of [`crate::rows::ScaleLayout::terms`]; else none.
    pub scale_design: Design<'a>,
    /// Known relative precisions, one each, which divide the squared scale; 1 where absent.
    pub weights: Option<&'a [f64]>,
    /// The number of rows.
    pub count: usize,
}

impl<'a> NewRows<'a> {
    /// `count` rows of a design.
    pub fn new(design: impl Into<Design<'a>>, count: usize) -> Self {
        NewRows { design: design.into(), scale_design: Design::default(), weights: None, count }
    }

    /// Shows `next` the rows of `block` at some places.
    pub(crate) fn at<T>(block: &Block<'_>, places: &[usize], next: impl FnOnce(&NewRows<'_>) -> T) -> T {
        type Column = (Vec<f64>, Option<Vec<f64>>);
        fn shown((high, low): &Column) -> Values<'_> {
            Values { high, low: low.as_deref() }
        }
        let gather = |values: &[f64]| places.iter().map(|&i| values[i]).collect::<Vec<f64>>();
        let column = |values: &Values<'_>| -> Column { (gather(values.high), values.low.map(gather)) };
        let columns = |design: Design<'_>| design.dense_columns().iter().map(column).collect::<Vec<Column>>();
        let (design, scale_design) = (columns(block.design), columns(block.scale_design));
        let design: Vec<Values<'_>> = design.iter().map(shown).collect();
        let scale_design: Vec<Values<'_>> = scale_design.iter().map(shown).collect();
        let weights = block.weights.map(gather);
        next(&NewRows {
            design: (&design).into(),
            scale_design: (&scale_design).into(),
            weights: weights.as_deref(),
            count: places.len(),
        })
    }
}

impl<'a> From<&Block<'a>> for NewRows<'a> {
    fn from(block: &Block<'a>) -> Self {
        let &Block { design, scale_design, weights, .. } = block;
        NewRows { design, scale_design, weights, count: block.rows() }
    }
}
