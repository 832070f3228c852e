//! Cholesky elimination in the order of the columns, setting aside those that add nothing to the ones before them.

use crate::algebra::gram::{packed, packed_length, symmetric};
use crate::numeric::double_double::DoubleDouble;

/// The factor of the columns that were kept: `G = L L'`.
#[derive(Debug)]
pub(crate) struct Elimination {
    /// Indices of the columns kept, ascending.
    pub(crate) kept: Vec<usize>,
    /// `L` over the kept columns, packed by rows.
    factor: Vec<DoubleDouble>,
}

/// A column that may be kept or set aside.
pub(crate) struct Candidate<'a> {
    /// Its index.
    pub(crate) column: usize,
    /// Its squared distance from the span of the columns kept before it.
    pub(crate) pivot: DoubleDouble,
    kept: &'a [usize],
    factor: &'a [DoubleDouble],
    row: &'a [DoubleDouble],
}

impl Candidate<'_> {
    /// The combination of the kept columns that is nearest to it: each with its coefficient.
    pub(crate) fn nearest(&self) -> impl Iterator<Item = (usize, DoubleDouble)> {
        let mut solution = self.row.to_vec();
        for k in (0..solution.len()).rev() {
            let sum = (k + 1..solution.len()).fold(solution[k], |sum, i| sum - self.factor[packed(i, k)] * solution[i]);
            solution[k] = sum / self.factor[packed(k, k)];
        }
        self.kept.iter().copied().zip(solution)
    }
}

impl Elimination {
    /// Eliminates the symmetric matrix `gram` (packed, order `order`) column by column. `aliased` says whether a column is
    /// to be set aside.
    pub(crate) fn new(gram: &[DoubleDouble], order: usize, mut aliased: impl FnMut(&Candidate<'_>) -> bool) -> Self {
        let mut kept: Vec<usize> = Vec::with_capacity(order);
        let mut factor = Vec::with_capacity(packed_length(order));
        for j in 0..order {
            let mut row: Vec<DoubleDouble> = Vec::with_capacity(kept.len() + 1);
            for (k, &column) in kept.iter().enumerate() {
                let done: DoubleDouble = (0..k).fold(DoubleDouble::ZERO, |sum, l| sum + factor[packed(k, l)] * row[l]);
                row.push((gram[packed(j, column)] - done) / factor[packed(k, k)]);
            }
            let explained = row.iter().fold(DoubleDouble::ZERO, |sum, &value| sum + value.square());
            let pivot = gram[packed(j, j)] - explained;
            let candidate = Candidate { column: j, pivot, kept: &kept, factor: &factor, row: &row };
            if pivot.high.is_nan() || pivot.high <= 0.0 || aliased(&candidate) {
                continue;
            }
            row.push(pivot.sqrt());
            factor.extend(row);
            kept.push(j);
        }
        Elimination { kept, factor }
    }

    /// `L`, rounded.
    pub(crate) fn factor(&self) -> Vec<f64> {
        self.factor.iter().map(|value| value.to_f64()).collect()
    }

    /// `G^-1` over the kept columns, packed.
    pub(crate) fn inverse(&self) -> Vec<DoubleDouble> {
        let order = self.kept.len();
        // The inverse of L, column by column, then its transpose times itself.
        let mut inverse = vec![DoubleDouble::ZERO; packed_length(order)];
        for j in 0..order {
            inverse[packed(j, j)] = DoubleDouble::ONE / self.factor[packed(j, j)];
            for i in j + 1..order {
                let sum =
                    (j..i).fold(DoubleDouble::ZERO, |sum, k| sum + self.factor[packed(i, k)] * inverse[packed(k, j)]);
                inverse[packed(i, j)] = -(sum / self.factor[packed(i, i)]);
            }
        }
        let mut product = vec![DoubleDouble::ZERO; packed_length(order)];
        for i in 0..order {
            for j in 0..=i {
                product[packed(i, j)] =
                    (i..order).fold(DoubleDouble::ZERO, |sum, k| sum + inverse[packed(k, i)] * inverse[packed(k, j)]);
            }
        }
        product
    }
}

/// `A x` of a packed symmetric matrix.
pub(crate) fn symmetric_times(matrix: &[DoubleDouble], x: &[DoubleDouble]) -> Vec<DoubleDouble> {
    let row = |i: usize| (0..x.len()).fold(DoubleDouble::ZERO, |sum, j| sum + matrix[symmetric(i, j)] * x[j]);
    (0..x.len()).map(row).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sum_of_columns_is_set_aside_and_the_rest_inverted() {
        // Columns 1 = (1, 1, 1), (0, 1, 2), their sum, (0, 1, 4).
        let columns = [[1.0, 1.0, 1.0], [0.0, 1.0, 2.0], [1.0, 2.0, 3.0], [0.0, 1.0, 4.0]];
        let mut gram = Vec::new();
        for i in 0..4 {
            for j in 0..=i {
                gram.push(DoubleDouble::from((0..3).map(|k| columns[i][k] * columns[j][k]).sum::<f64>()));
            }
        }
        let elimination = Elimination::new(&gram, 4, |candidate| {
            let combination: Vec<f64> = candidate.nearest().map(|(_, coefficient)| coefficient.to_f64()).collect();
            // The sum is 1 and 1 of the first two; the squares' regression on them is -1/3 and 2.
            let expected: &[f64] = [&[][..], &[1.0], &[1.0, 1.0], &[-1.0 / 3.0, 2.0]][candidate.column];
            assert!(combination.iter().zip(expected).all(|(found, expected)| (found - expected).abs() < 1e-15));
            candidate.pivot.high < 1e-25
        });
        assert_eq!(elimination.kept, [0, 1, 3]);
        let inverse = elimination.inverse();
        // G^-1 G = I over the kept columns.
        for i in 0..3 {
            for j in 0..3 {
                let (kept, identity) = (&elimination.kept, if i == j { 1.0 } else { 0.0 });
                let sum = (0..3).fold(DoubleDouble::ZERO, |sum, k| {
                    sum + inverse[symmetric(i, k)] * gram[symmetric(kept[k], kept[j])]
                });
                assert!((sum - identity).to_f64().abs() < 1e-28);
            }
        }
    }
}
