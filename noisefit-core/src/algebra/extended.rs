//! One pass: sums of products in double-double of columns that were made nearly orthonormal first.

use serde::{Deserialize, Serialize};

use pulp::{Arch, Simd, WithSimd};

use crate::algebra::coordinates::Coordinates;
use crate::algebra::gram::{packed, packed_length};
use crate::algebra::lanes::{add_product, dot};
use crate::algebra::residuals::coordinate_words;
use crate::numeric::double_double::DoubleDouble;
use crate::rows::{Accumulator, Block, Precision};

/// Rows of which all columns are held in both words at a time.
const TILE_ROWS: usize = 128;

/// `G = sum(v w w')` and `g = sum(v w e)` for `w = T'z` and `e = y - z'b` in [`Coordinates`], all in double-double.
///
/// `T` is the inverse of a triangular factor of the columns, computed in doubles: whatever its own errors, it is taken
/// as the exact matrix that stands here, so the least squares solution is exactly `b + T G^-1 g`. Because `G` is nearly
/// the identity, no digits are lost in solving with it, whatever the condition of the columns.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ExtendedMoments {
    coordinates: Coordinates,
    /// `T`, upper triangular, column by column: column `j` has `j + 1` entries.
    transform: Vec<f64>,
    start: Vec<f64>,
    precision: Precision,
    rows: u64,
    products: Vec<DoubleDouble>,
    #[serde(skip)]
    scratch: Vec<Words>,
}

/// The two words of a column of values.
#[derive(Debug, Clone, Default)]
struct Words {
    high: Vec<f64>,
    low: Vec<f64>,
}

impl ExtendedMoments {
    /// The empty state for the transformation `T` (upper triangular, packed by columns) and the first solution `start`.
    pub fn new(coordinates: Coordinates, transform: Vec<f64>, start: Vec<f64>) -> Self {
        debug_assert_eq!(transform.len(), packed_length(coordinates.coefficients()));
        let products = vec![DoubleDouble::ZERO; packed_length(coordinates.coefficients() + 1)];
        let precision = Precision::Extended;
        ExtendedMoments { coordinates, transform, start, precision, rows: 0, products, scratch: Vec::new() }
    }

    /// Moments of data that are moved within their rounding errors, by the number of a draw.
    #[must_use]
    pub fn moved(mut self, draw: u32) -> Self {
        self.precision = Precision::Perturbed(draw);
        self
    }

    /// The packed lower triangle of `G`, bordered by `g` and `sum(v e^2)` as the last row.
    pub fn products(&self) -> &[DoubleDouble] {
        &self.products
    }

    #[inline(always)]
    fn fold_tile(&mut self, block: &Block<'_>, rows: std::ops::Range<usize>) {
        let ExtendedMoments { coordinates, transform, start, products, scratch, .. } = self;
        let (count, offset) = (coordinates.coefficients(), coordinates.offset());
        // Columns of z, then of w, then one of a w times v.
        scratch.resize_with(2 * count + 3, Words::default);
        let (z, rest) = scratch.split_at_mut(count + 1);
        let (w, weighted) = rest.split_at_mut(count + 1);
        let weighted = &mut weighted[0];
        for (j, z) in z.iter_mut().enumerate() {
            match j.checked_sub(offset) {
                Some(j) => coordinate_words(coordinates, block, j, rows.clone(), &mut z.high, &mut z.low),
                None => z.fill(rows.len(), 1.0),
            }
        }
        for (j, target) in w.iter_mut().enumerate() {
            if j == count {
                target.high.clone_from(&z[count].high);
                target.low.clone_from(&z[count].low);
            } else {
                target.fill(rows.len(), 0.0);
            }
            let last = j.min(count - 1);
            for (k, z) in z[..=last].iter().enumerate() {
                let factor = if j == count { -start[k] } else { transform[packed(j, k)] };
                if factor != 0.0 {
                    add_product(&mut target.high, &mut target.low, &z.high, &z.low, factor.into());
                }
            }
        }
        let any_weights = block.weights.is_some() || block.frequencies.is_some();
        for i in 0..=count {
            if any_weights {
                weighted.multiply(&w[i], block, rows.clone());
            }
            let left = if any_weights { &*weighted } else { &w[i] };
            for j in 0..=i {
                products[packed(i, j)] += dot(&left.high, &left.low, &w[j].high, &w[j].low);
            }
        }
    }
}

impl Words {
    fn fill(&mut self, rows: usize, value: f64) {
        for (word, value) in [(&mut self.high, value), (&mut self.low, 0.0)] {
            word.clear();
            word.resize(rows, value);
        }
    }

    /// Becomes `v * other`, `v` being weight times frequency.
    #[inline(always)]
    fn multiply(&mut self, other: &Words, block: &Block<'_>, rows: std::ops::Range<usize>) {
        self.fill(rows.len(), 0.0);
        for (i, row) in rows.enumerate() {
            let (w, f) = (block.weight(row), block.frequency(row));
            let value = DoubleDouble { high: other.high[i], low: other.low[i] } * DoubleDouble::from_product(w, f);
            (self.high[i], self.low[i]) = (value.high, value.low);
        }
    }
}

struct FoldExtended<'a, 'b> {
    state: &'a mut ExtendedMoments,
    block: &'a Block<'b>,
}

impl WithSimd for FoldExtended<'_, '_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        for start in (0..self.block.rows()).step_by(TILE_ROWS) {
            self.state.fold_tile(self.block, start..(start + TILE_ROWS).min(self.block.rows()));
        }
    }
}

impl Accumulator for ExtendedMoments {
    const KIND: &'static str = "extended-moments";

    fn fold(&mut self, block: &Block<'_>) {
        self.rows += block.rows() as u64;
        if self.coordinates.coefficients() > 0 {
            Arch::new().dispatch(FoldExtended { state: self, block });
        }
    }

    fn merge(&mut self, later: Self) {
        self.rows += later.rows;
        for (mine, theirs) in self.products.iter_mut().zip(later.products) {
            *mine += theirs;
        }
    }

    fn rows(&self) -> u64 {
        self.rows
    }

    fn precision(&self) -> Precision {
        self.precision
    }
}
