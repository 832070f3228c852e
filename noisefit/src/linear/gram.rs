//! Sums of products of columns: the kernel of every pass that forms moments.

use pulp::{Arch, Simd, WithSimd};

/// Columns are padded with zeros to a multiple of this many rows: the widest vector of doubles there is, twice.
pub(crate) const ROW_MULTIPLE: usize = 16;

/// A buffer of equally long columns, padded with zeros so that kernels need no remainder loops.
#[derive(Debug, Clone, Default)]
pub(crate) struct Columns {
    values: Vec<f64>,
    stride: usize,
    count: usize,
}

impl Columns {
    /// Makes room for `count` columns of `rows` values. The values are left as they are, the padding is zeroed.
    pub(crate) fn resize(&mut self, count: usize, rows: usize) {
        let stride = rows.next_multiple_of(ROW_MULTIPLE);
        self.values.resize(count * stride, 0.0);
        (self.stride, self.count) = (stride, count);
        for column in self.values.chunks_exact_mut(stride.max(1)) {
            column[rows..].fill(0.0);
        }
    }

    /// Column `j`, padding included.
    pub(crate) fn column_mut(&mut self, j: usize) -> &mut [f64] {
        &mut self.values[j * self.stride..(j + 1) * self.stride]
    }
}

/// The index of row `i`, column `j <= i` in the packed lower triangle of a symmetric matrix.
#[inline]
pub(crate) fn packed(i: usize, j: usize) -> usize {
    debug_assert!(j <= i);
    i * (i + 1) / 2 + j
}

/// The index of element `(i, j)` of a symmetric matrix in its packed lower triangle.
#[inline]
pub(crate) fn symmetric(i: usize, j: usize) -> usize {
    packed(i.max(j), i.min(j))
}

/// The length of the packed lower triangle of an `order x order` matrix.
pub(crate) fn packed_length(order: usize) -> usize {
    order * (order + 1) / 2
}

/// Adds the inner products of all pairs of columns to the packed lower triangle `gram`.
pub(crate) fn add_gram(arch: Arch, columns: &Columns, gram: &mut [f64]) {
    debug_assert_eq!(gram.len(), packed_length(columns.count));
    arch.dispatch(AddGram { columns, gram });
}

struct AddGram<'a> {
    columns: &'a Columns,
    gram: &'a mut [f64],
}

impl WithSimd for AddGram<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        // A tile keeps its sums in registers: 16 of the 32 of AVX-512, 8 of the 16 of AVX2.
        if S::F64_LANES >= 8 { self.tiles::<S, 4>(simd) } else { self.tiles::<S, 2>(simd) }
    }
}

impl AddGram<'_> {
    #[inline(always)]
    fn tiles<S: Simd, const C: usize>(self, simd: S) {
        let AddGram { columns: &Columns { ref values, stride, count }, gram } = self;
        let column = |j: usize| S::as_simd_f64s(&values[j * stride..(j + 1) * stride]).0;
        for first_row in (0..count).step_by(4) {
            let rows = 4.min(count - first_row);
            for first_column in (0..first_row + rows).step_by(C) {
                // At the edges a tile repeats its last row or column rather than being another kernel.
                let a = std::array::from_fn(|r| column(first_row + r.min(rows - 1)));
                let b = std::array::from_fn(|c| column((first_column + c).min(count - 1)));
                let sums = tile::<S, 4, C>(simd, a, b);
                for (r, sums) in sums.iter().enumerate().take(rows) {
                    let i = first_row + r;
                    for (j, sum) in (first_column..=i).zip(sums) {
                        gram[packed(i, j)] += sum;
                    }
                }
            }
        }
    }
}

/// The inner products of `R` columns with `C` columns.
#[inline(always)]
fn tile<S: Simd, const R: usize, const C: usize>(simd: S, a: [&[S::f64s]; R], b: [&[S::f64s]; C]) -> [[f64; C]; R] {
    let length = a[0].len();
    let (a, b) = (a.map(|column| &column[..length]), b.map(|column| &column[..length]));
    let mut sums = [[simd.splat_f64s(0.0); C]; R];
    for k in 0..length {
        let b: [_; C] = std::array::from_fn(|c| b[c][k]);
        for (sums, a) in sums.iter_mut().zip(&a) {
            for (sum, b) in sums.iter_mut().zip(b) {
                *sum = simd.mul_add_e_f64s(a[k], b, *sum);
            }
        }
    }
    // Loops, not `map`: its closures would be compiled without the vector instructions.
    let mut totals = [[0.0; C]; R];
    for r in 0..R {
        for c in 0..C {
            totals[r][c] = simd.reduce_sum_f64s(sums[r][c]);
        }
    }
    totals
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gram_of_integers_is_exact() {
        for (count, rows) in [(1, 1), (2, 5), (3, 17), (5, 64), (9, 33), (22, 100)] {
            let value = |j: usize, i: usize| ((i * 7 + j * 13) % 11) as f64 - 5.0;
            let mut columns = Columns::default();
            columns.resize(count, rows + 20);
            columns.column_mut(0).fill(9.0);
            columns.resize(count, rows);
            for j in 0..count {
                for (i, slot) in columns.column_mut(j)[..rows].iter_mut().enumerate() {
                    *slot = value(j, i);
                }
            }
            let mut gram = vec![1.0; packed_length(count)];
            add_gram(Arch::new(), &columns, &mut gram);
            for i in 0..count {
                for j in 0..=i {
                    let expected: f64 = (0..rows).map(|k| value(i, k) * value(j, k)).sum();
                    assert_eq!(gram[packed(i, j)], 1.0 + expected);
                }
            }
        }
    }
}
