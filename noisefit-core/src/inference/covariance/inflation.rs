//! How much more a residual counts than itself, by the leverage of its row.

use serde::{Deserialize, Serialize};

/// Leverages this near to one leave no digits of what they are short of it.
pub(super) const LEAST_FREEDOM: f64 = 1e-10;

/// How much more the residual of a row of leverage `h` counts than itself.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub(super) enum Inflation {
    /// `1`.
    None,
    /// `(1 - h)^-1/2`.
    Half,
    /// `(1 - h)^-1`.
    Whole,
    /// `(1 - h)^-min(per_leverage h, most)`.
    Growing {
        /// How fast the exponent grows.
        per_leverage: f64,
        /// What it is at most.
        most: f64,
    },
}

impl Inflation {
    /// What a residual of a row with this part of freedom, `1 - h`, is divided by.
    #[inline(always)]
    pub(super) fn divisor(self, freedom: f64) -> f64 {
        match self {
            Inflation::None => 1.0,
            Inflation::Half => freedom.sqrt(),
            Inflation::Whole => freedom,
            Inflation::Growing { per_leverage, most } => freedom.powf((per_leverage * (1.0 - freedom)).min(most)),
        }
    }
}
