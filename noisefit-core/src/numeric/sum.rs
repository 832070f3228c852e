//! Compensated sums.

use serde::{Deserialize, Serialize};

/// A sum that carries what its additions rounded off (Neumaier 1974, *ZAMM* 54, 39-51). An overflow stays infinite.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Sum {
    pub(crate) total: f64,
    pub(crate) rounded_off: f64,
}

impl Sum {
    #[inline]
    pub(crate) fn add(&mut self, term: f64) {
        let total = self.total + term;
        self.rounded_off +=
            if self.total.abs() >= term.abs() { (self.total - total) + term } else { (term - total) + self.total };
        self.total = total;
    }

    #[inline]
    pub(crate) fn merge(&mut self, other: Sum) {
        self.add(other.total);
        self.rounded_off += other.rounded_off;
    }

    pub(crate) fn value(&self) -> f64 {
        if self.total.is_finite() { self.total + self.rounded_off } else { self.total }
    }
}

impl FromIterator<f64> for Sum {
    fn from_iter<I: IntoIterator<Item = f64>>(terms: I) -> Self {
        let mut sum = Sum::default();
        terms.into_iter().for_each(|term| sum.add(term));
        sum
    }
}
