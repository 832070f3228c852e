//! A block of rows: columns side by side.

use crate::rows::{Design, Values};

/// Consecutive rows, all finite, column by column. Rows with a missing value or a zero weight were left out before.
#[derive(Debug, Clone, Copy)]
pub struct Block<'a> {
    /// The response `y`.
    pub response: Values<'a>,
    /// The design columns, in the order of [`super::Layout::terms`]; the intercept has none.
    pub design: Design<'a>,
    /// The columns of the noise scale's logarithm, in the order of [`super::ScaleLayout::terms`]; empty where the scale
    /// is not modelled.
    pub scale_design: Design<'a>,
    /// Known relative precisions `w > 0`: the noise of row `i` has scale `s / sqrt(w[i])`.
    pub weights: Option<&'a [f64]>,
    /// How many identical rows row `i` stands for, `f > 0`.
    pub frequencies: Option<&'a [f64]>,
    /// `log |dg/dy|` of a transformed response `g(y)`, which the log-likelihood of `y` itself adds.
    pub log_jacobian: Option<&'a [f64]>,
    /// For each of [`super::Layout::clusters`] a number for every row, the same for rows of the same cluster. Any 64 bits
    /// will do: the bits of a number, or a hash of a text.
    pub clusters: &'a [&'a [u64]],
    /// For each of [`super::Layout::effects`] the level of every row, less than the effect's number of levels.
    pub effects: &'a [&'a [u32]],
    /// What the level of an effect that was swept out of the columns adds to the leverage of each row; none where nothing was
    /// swept out, and where it is not known.
    pub level_leverage: Option<&'a [f64]>,
}

impl Block<'_> {
    /// The number of rows.
    #[inline]
    pub fn rows(&self) -> usize {
        self.response.high.len()
    }

    /// Appends the columns of row `i` of the design and, last, its response; where their low words are wanted, these after them.
    pub(crate) fn push_words(&self, i: usize, low: bool, into: &mut Vec<f64>) {
        let columns = || self.design.dense_columns().iter().chain([&self.response]);
        into.extend(columns().map(|values| values.high[i]));
        if low {
            into.extend(columns().map(|values| values.low(i)));
        }
    }

    /// How many identical rows row `i` stands for.
    #[inline]
    pub fn frequency(&self, i: usize) -> f64 {
        self.frequencies.map_or(1.0, |f| f[i])
    }

    /// The known relative precision of row `i`.
    #[inline]
    pub fn weight(&self, i: usize) -> f64 {
        self.weights.map_or(1.0, |w| w[i])
    }

    /// The root of that: what a residual is multiplied by to have the noise's own scale.
    #[inline]
    pub fn root_weight(&self, i: usize) -> f64 {
        self.weights.map_or(1.0, |w| w[i].sqrt())
    }
}

/// Consecutive rows stored one after the other, as a row-major matrix has them.
#[derive(Debug, Clone, Copy)]
pub struct RowBlock<'a> {
    /// `values[i * columns + j]` is row `i` of design column `j`.
    pub values: &'a [f64],
    /// The number of design columns.
    pub columns: usize,
    /// The response.
    pub response: &'a [f64],
}

impl RowBlock<'_> {
    /// The number of rows.
    #[inline]
    pub fn rows(&self) -> usize {
        self.response.len()
    }
    /// Shows `next` the same rows column by column.
    pub fn by_columns(&self, next: impl FnOnce(&Block<'_>)) {
        let column = |j: usize| self.values.iter().skip(j).step_by(self.columns).copied();
        let columns: Vec<Vec<f64>> = (0..self.columns).map(|j| column(j).collect()).collect();
        let design: Vec<Values<'_>> = columns.iter().map(|column| column[..].into()).collect();
        next(&Block {
            response: self.response.into(),
            design: (&design).into(),
            scale_design: Design::default(),
            weights: None,
            frequencies: None,
            log_jacobian: None,
            clusters: &[],
            effects: &[],
            level_leverage: None,
        });
    }
}
