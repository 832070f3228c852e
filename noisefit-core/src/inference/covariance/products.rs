//! Sums of products of scores, and the meat that comes of them.

use pulp::Arch;
use serde::{Deserialize, Serialize};

use crate::algebra::gram::{Columns, add_gram, packed_length};

/// The meat, with what is known of it.
#[derive(Debug, Clone)]
pub(crate) struct Found {
    /// The packed lower triangle.
    pub(crate) matrix: Vec<f64>,
    /// With clusters their number, of two groupings the smaller one, and what was done with them.
    pub(crate) clusters: Option<Clustered>,
    /// Whether `matrix` is a difference, which need not be positive semidefinite.
    pub(crate) difference: bool,
}

/// How many clusters there are, and what a covariance makes of each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Clustered {
    /// Its scores are summed.
    Summed(u64),
    /// It is left out.
    LeftOut(u64),
    /// Its residuals are made as large as independent rows would have them, and every coefficient has its own degrees of freedom.
    Adjusted(u64),
}

impl Clustered {
    /// How many there are.
    pub(super) fn count(self) -> u64 {
        let (Clustered::Summed(count) | Clustered::LeftOut(count) | Clustered::Adjusted(count)) = self;
        count
    }
}

/// Sums of products of columns.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Products {
    /// The packed lower triangle.
    pub(super) matrix: Vec<f64>,
    #[serde(skip)]
    lanes: Vec<f64>,
}

impl Products {
    pub(super) fn new(count: usize) -> Self {
        Products { matrix: vec![0.0; packed_length(count)], lanes: Vec::new() }
    }

    pub(super) fn add(&mut self, columns: &Columns) {
        add_gram(Arch::new(), columns, &mut self.lanes, &mut self.matrix);
    }

    pub(super) fn merge(&mut self, later: &Self) {
        self.matrix.iter_mut().zip(&later.matrix).for_each(|(mine, theirs)| *mine += theirs);
    }
}
