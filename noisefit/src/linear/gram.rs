//! Sums of products of columns: the kernel of every pass that forms moments.

use pulp::{Arch, Simd, WithSimd};

/// Rows of a tile: of a few dozen columns it fits the first-level cache. A multiple of every vector's length.
pub(crate) const TILE_ROWS: usize = 128;

/// Up to this many columns sums wait in memory from tile to tile; beyond, there are so many that it is better to go through
/// the columns anew for each.
const FEW_COLUMNS: usize = 64;

/// The bytes of a line of the cache, which vectors had better not straddle.
const LINE: usize = 64;

/// Equally long columns, cut into tiles of rows, each tile holding its part of every column after one another; padded with
/// zeros to whole tiles, so that kernels need no remainder loops.
#[derive(Debug, Default)]
pub(crate) struct Columns {
    values: Vec<f64>,
    /// Where the first tile begins: at a line of the cache.
    start: usize,
    tiles: usize,
    count: usize,
}

impl Clone for Columns {
    /// Scratch space: another one starts empty.
    fn clone(&self) -> Self {
        Columns::default()
    }
}

impl Columns {
    /// Makes room for `count` columns of `rows` values. The values are left as they are, the padding is zeroed.
    pub(crate) fn resize(&mut self, count: usize, rows: usize) {
        (self.tiles, self.count) = (rows.div_ceil(TILE_ROWS), count);
        let needed = self.tiles * count * TILE_ROWS;
        self.values.resize(needed + LINE / size_of::<f64>(), 0.0);
        self.start = self.values.as_ptr().align_offset(LINE).min(LINE / size_of::<f64>());
        let filled = rows % TILE_ROWS;
        if filled > 0 {
            for j in 0..count {
                self.tile_mut(self.tiles - 1, j)[filled..].fill(0.0);
            }
        }
    }

    /// The part of column `j` in a tile, padding included.
    #[inline(always)]
    pub(crate) fn tile_mut(&mut self, tile: usize, j: usize) -> &mut [f64] {
        let start = self.start + (tile * self.count + j) * TILE_ROWS;
        &mut self.values[start..start + TILE_ROWS]
    }

    /// All tiles.
    #[inline(always)]
    fn tiles(&self) -> &[f64] {
        &self.values[self.start..self.start + self.tiles * self.count * TILE_ROWS]
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

/// Adds the inner products of all pairs of columns to the packed lower triangle `gram`. `lanes` is scratch space.
pub(crate) fn add_gram(arch: Arch, columns: &Columns, lanes: &mut Vec<f64>, gram: &mut [f64]) {
    debug_assert_eq!(gram.len(), packed_length(columns.count));
    arch.dispatch(AddGram { columns, lanes, gram });
}

struct AddGram<'a> {
    columns: &'a Columns,
    lanes: &'a mut Vec<f64>,
    gram: &'a mut [f64],
}

/// Rows of the triangle that a kernel forms at a time.
const ROWS: usize = 4;

impl WithSimd for AddGram<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        // A kernel keeps its sums in registers: 16 of the 32 of AVX-512, 8 of the 16 of AVX2.
        if S::F64_LANES >= 8 { self.run::<S, 4>(simd) } else { self.run::<S, 2>(simd) }
    }
}

impl AddGram<'_> {
    #[inline(always)]
    fn run<S: Simd, const C: usize>(self, simd: S) {
        let AddGram { columns, lanes, gram } = self;
        let count = columns.count;
        if count <= FEW_COLUMNS {
            // Between tiles the sums stay vectors, and are added up over their lanes once at the end.
            lanes.clear();
            lanes.resize(kernels::<C>(count).count() * ROWS * C * S::F64_LANES, 0.0);
            let sums = S::as_mut_simd_f64s(lanes).0;
            for tile in columns.tiles().chunks_exact((count * TILE_ROWS).max(1)) {
                for ((first, start), sums) in kernels::<C>(count).zip(sums.chunks_exact_mut(ROWS * C)) {
                    add_products::<S, C>(simd, tile, count, first, start, sums);
                }
            }
            for ((first, start), sums) in kernels::<C>(count).zip(sums.chunks_exact(ROWS * C)) {
                reduce::<S, C>(simd, sums, count, first, start, gram);
            }
        } else {
            for (first, start) in kernels::<C>(count) {
                let mut sums = [[simd.splat_f64s(0.0); C]; ROWS];
                let sums = sums.as_flattened_mut();
                add_products::<S, C>(simd, columns.tiles(), count, first, start, sums);
                reduce::<S, C>(simd, sums, count, first, start, gram);
            }
        }
    }
}

/// First row and first column of the kernels of `ROWS` rows and `C` columns that cover the lower triangle.
#[inline(always)]
fn kernels<const C: usize>(count: usize) -> impl Iterator<Item = (usize, usize)> {
    (0..count).step_by(ROWS).flat_map(move |first| (0..(first + ROWS).min(count)).step_by(C).map(move |c| (first, c)))
}

/// Adds the sums of a kernel to the triangle.
#[inline(always)]
fn reduce<S: Simd, const C: usize>(
    simd: S,
    sums: &[S::f64s],
    count: usize,
    first: usize,
    start: usize,
    gram: &mut [f64],
) {
    for i in first..(first + ROWS).min(count) {
        for j in start..(start + C).min(i + 1) {
            gram[packed(i, j)] += simd.reduce_sum_f64s(sums[(i - first) * C + j - start]);
        }
    }
}

/// Adds the inner products of the columns from `first` with those from `start` over some tiles to `sums`. The last few
/// columns have kernels of their own size.
#[inline(always)]
fn add_products<S: Simd, const C: usize>(
    simd: S,
    tiles: &[f64],
    count: usize,
    first: usize,
    start: usize,
    sums: &mut [S::f64s],
) {
    match count - first {
        1 => kernel::<S, 1, C>(simd, tiles, count, first, start, sums),
        2 => kernel::<S, 2, C>(simd, tiles, count, first, start, sums),
        3 => kernel::<S, 3, C>(simd, tiles, count, first, start, sums),
        _ => kernel::<S, ROWS, C>(simd, tiles, count, first, start, sums),
    }
}

#[inline(always)]
fn kernel<S: Simd, const R: usize, const C: usize>(
    simd: S,
    tiles: &[f64],
    count: usize,
    first: usize,
    start: usize,
    sums: &mut [S::f64s],
) {
    // Loops, not `map`: its closures would be compiled without the vector instructions.
    let mut totals = [[simd.splat_f64s(0.0); C]; R];
    for r in 0..R {
        for c in 0..C {
            totals[r][c] = sums[r * C + c];
        }
    }
    for tile in tiles.chunks_exact(count * TILE_ROWS) {
        let column = |j: usize| S::as_simd_f64s(&tile[j * TILE_ROWS..(j + 1) * TILE_ROWS]).0;
        let (mut a, mut b) = ([column(first); R], [column(start); C]);
        for (r, a) in a.iter_mut().enumerate() {
            *a = column(first + r);
        }
        for (c, b) in b.iter_mut().enumerate() {
            // Beyond the last column a kernel repeats it rather than being another kernel.
            *b = column((start + c).min(count - 1));
        }
        for k in 0..TILE_ROWS / S::F64_LANES {
            for r in 0..R {
                for c in 0..C {
                    totals[r][c] = simd.mul_add_e_f64s(a[r][k], b[c][k], totals[r][c]);
                }
            }
        }
    }
    for r in 0..R {
        for c in 0..C {
            sums[r * C + c] = totals[r][c];
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gram_of_integers_is_exact() {
        for (count, rows) in [(1, 1), (2, 5), (3, 17), (5, 64), (9, 133), (22, 1000), (67, 300)] {
            let value = |j: usize, i: usize| ((i * 7 + j * 13) % 11) as f64 - 5.0;
            let mut columns = Columns::default();
            columns.resize(count, rows + 20);
            columns.values.fill(9.0);
            columns.resize(count, rows);
            for j in 0..count {
                for i in 0..rows {
                    columns.tile_mut(i / TILE_ROWS, j)[i % TILE_ROWS] = value(j, i);
                }
            }
            let mut gram = vec![1.0; packed_length(count)];
            add_gram(Arch::new(), &columns, &mut Vec::new(), &mut gram);
            for i in 0..count {
                for j in 0..=i {
                    let expected: f64 = (0..rows).map(|k| value(i, k) * value(j, k)).sum();
                    assert_eq!(gram[packed(i, j)], 1.0 + expected);
                }
            }
        }
    }
}
