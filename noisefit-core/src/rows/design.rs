//! The columns of a design.

use crate::rows::Values;

/// The columns of a design in a block of rows.
///
/// Only `rows` and `algebra` see how they are kept; whoever wants products of them asks `algebra`.
///
/// ```
/// use noisefit_core::rows::{Design, Values};
///
/// let columns = [Values::from(&[1.0, 2.0][..]), Values::from(&[0.0, 1.0][..])];
/// assert_eq!(Design::from(&columns).count(), 2);
/// assert_eq!(Design::default().count(), 0);
/// ```
#[derive(Debug, Clone, Copy, Default)]
pub struct Design<'a>(&'a [Values<'a>]);

impl<'a> Design<'a> {
    /// The number of columns.
    #[inline]
    pub fn count(self) -> usize {
        self.0.len()
    }

    /// The first column of a design that has one, as a table of predictions has.
    pub fn first(self) -> Option<&'a [f64]> {
        self.0.first().map(|values| values.high)
    }

    /// The values of a row, for whoever shows it.
    pub fn row(self, i: usize) -> impl Iterator<Item = f64> + use<'a> {
        self.0.iter().map(move |column| column.high[i])
    }

    /// The columns as doubles.
    #[inline]
    pub(crate) fn dense_columns(self) -> &'a [Values<'a>] {
        self.0
    }

    /// They with others behind them.
    pub(crate) fn followed_by(self, more: impl IntoIterator<Item = &'a [f64]>) -> ChosenColumns<'a> {
        ChosenColumns(self.0.iter().copied().chain(more.into_iter().map(Values::from)).collect())
    }

    /// Those with some indices, in their order.
    pub(crate) fn chosen(self, columns: &[usize]) -> ChosenColumns<'a> {
        ChosenColumns(columns.iter().map(|&j| self.0[j]).collect())
    }
}

/// Some columns of a design.
#[derive(Debug, Default)]
pub(crate) struct ChosenColumns<'a>(Vec<Values<'a>>);

impl ChosenColumns<'_> {
    /// They as a design.
    pub(crate) fn design(&self) -> Design<'_> {
        Design(&self.0)
    }
}

impl<'a> From<&'a [Values<'a>]> for Design<'a> {
    fn from(columns: &'a [Values<'a>]) -> Self {
        Design(columns)
    }
}

impl<'a, const COUNT: usize> From<&'a [Values<'a>; COUNT]> for Design<'a> {
    fn from(columns: &'a [Values<'a>; COUNT]) -> Self {
        Design(columns)
    }
}

impl<'a> From<&'a Vec<Values<'a>>> for Design<'a> {
    fn from(columns: &'a Vec<Values<'a>>) -> Self {
        Design(columns)
    }
}
