//! Sums of products of columns: the kernel of every pass that forms moments.

use faer::linalg::matmul::triangular::{BlockStructure, matmul};
use faer::reborrow::ReborrowMut;
use faer::{Accum, MatMut, MatRef, Par};
use pulp::{Arch, Simd, WithSimd};

/// Rows of a tile: of a few dozen columns it fits the first-level cache. A multiple of every vector's length.
pub(crate) const TILE_ROWS: usize = 128;

/// Up to this many columns sums wait in memory from tile to tile; beyond, there are so many that it is better to go through
/// the columns anew for each.
const FEW_COLUMNS: usize = 64;

/// More columns than this are multiplied as matrices.
const MANY_COLUMNS: usize = 96;

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

    /// The same, to read.
    #[inline(always)]
    pub(crate) fn tile(&self, tile: usize, j: usize) -> &[f64] {
        let start = self.start + (tile * self.count + j) * TILE_ROWS;
        &self.values[start..start + TILE_ROWS]
    }

    /// The number of columns.
    pub(crate) fn count(&self) -> usize {
        self.count
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

/// Which products of the columns of two sets are formed: the lower triangle of the first `triangle` of the left, which are
/// as many as the right has or none, with those of the right; and all of the others on the left with all of the right.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Trapezoid {
    /// Columns of the left that have a row of the triangle.
    pub(crate) triangle: usize,
    /// All columns of the left.
    pub(crate) rows: usize,
    /// Columns of the right.
    pub(crate) columns: usize,
}

impl Trapezoid {
    /// The length of row `i`.
    #[inline(always)]
    fn width(self, i: usize) -> usize {
        if i < self.triangle { i + 1 } else { self.columns }
    }

    /// The index of the first product of row `i`: rows stand after one another.
    #[inline(always)]
    pub(crate) fn row(self, i: usize) -> usize {
        let whole = i.saturating_sub(self.triangle);
        packed_length(i - whole) + whole * self.columns
    }

    /// The number of products.
    pub(crate) fn length(self) -> usize {
        self.row(self.rows)
    }

    /// First row and first column of the kernels of `ROWS` rows and `C` columns that cover it.
    #[inline(always)]
    fn kernels<const C: usize>(self) -> impl Iterator<Item = (usize, usize)> {
        let columns = move |first: usize| (0..self.width((first + ROWS).min(self.rows) - 1)).step_by(C);
        (0..self.rows).step_by(ROWS).flat_map(move |first| columns(first).map(move |c| (first, c)))
    }
}

/// Adds the inner products of all pairs of columns to the packed lower triangle `gram`. `lanes` is scratch space.
pub(crate) fn add_gram(arch: Arch, columns: &Columns, lanes: &mut Vec<f64>, gram: &mut [f64]) {
    add_products(arch, columns, columns, columns.count, lanes, gram);
}

/// Adds the inner products of the columns of `left` with those of `right` to the rows of a [`Trapezoid`] whose triangle has
/// `triangle` rows. `lanes` is scratch space.
///
/// With `left` the columns times weights and `right` the columns themselves, the triangle is a weighted Gram matrix whose
/// weights may have either sign.
pub(crate) fn add_products(
    arch: Arch,
    left: &Columns,
    right: &Columns,
    triangle: usize,
    lanes: &mut Vec<f64>,
    products: &mut [f64],
) {
    let shape = Trapezoid { triangle, rows: left.count, columns: right.count };
    debug_assert!(left.tiles == right.tiles && (triangle == 0 || triangle == right.count));
    debug_assert_eq!(products.len(), shape.length());
    if left.count > 0 && right.count > MANY_COLUMNS {
        add_products_of_many(left, right, shape, lanes, products);
    } else if left.count > 0 && right.count > 0 {
        arch.dispatch(AddProducts { left, right, shape, lanes, products });
    }
}

/// The same of many columns, whose tiles do not fit a cache: by a product of matrices that is blocked for all of them.
fn add_products_of_many(left: &Columns, right: &Columns, shape: Trapezoid, dense: &mut Vec<f64>, products: &mut [f64]) {
    let Trapezoid { triangle, rows, columns } = shape;
    dense.clear();
    dense.resize(rows * columns, 0.0);
    let mut sums = MatMut::from_row_major_slice_mut(dense, rows, columns);
    let tiles = left.tiles().chunks_exact(rows * TILE_ROWS);
    for (left, right) in tiles.zip(right.tiles().chunks_exact(columns * TILE_ROWS)) {
        let left = MatRef::from_column_major_slice(left, TILE_ROWS, rows).transpose();
        let right = MatRef::from_column_major_slice(right, TILE_ROWS, columns);
        let (head, rest) = sums.rb_mut().split_at_row_mut(triangle);
        let (head_of_left, rest_of_left) = left.split_at_row(triangle);
        let (lower, full) = (BlockStructure::TriangularLower, BlockStructure::Rectangular);
        if triangle > 0 {
            matmul(head, lower, Accum::Add, head_of_left, full, right, full, 1.0, Par::Seq);
        }
        if triangle < rows {
            matmul(rest, full, Accum::Add, rest_of_left, full, right, full, 1.0, Par::Seq);
        }
    }
    for i in 0..rows {
        let sums = &dense[i * columns..i * columns + shape.width(i)];
        products[shape.row(i)..].iter_mut().zip(sums).for_each(|(product, sum)| *product += sum);
    }
}

struct AddProducts<'a> {
    left: &'a Columns,
    right: &'a Columns,
    shape: Trapezoid,
    lanes: &'a mut Vec<f64>,
    products: &'a mut [f64],
}

/// Rows that a kernel forms at a time.
const ROWS: usize = 4;

impl WithSimd for AddProducts<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        // A kernel keeps its sums in registers: 16 of the 32 of AVX-512, 8 of the 16 of AVX2.
        if S::F64_LANES >= 8 { self.run::<S, 4>(simd) } else { self.run::<S, 2>(simd) }
    }
}

impl AddProducts<'_> {
    #[inline(always)]
    fn run<S: Simd, const C: usize>(self, simd: S) {
        let AddProducts { left, right, shape, lanes, products } = self;
        if shape.columns <= FEW_COLUMNS {
            // Between tiles the sums stay vectors, and are added up over their lanes once at the end.
            lanes.clear();
            lanes.resize(shape.kernels::<C>().count() * ROWS * C * S::F64_LANES, 0.0);
            let sums = S::as_mut_simd_f64s(lanes).0;
            let tiles = left.tiles().chunks_exact(shape.rows * TILE_ROWS);
            for (left, right) in tiles.zip(right.tiles().chunks_exact(shape.columns * TILE_ROWS)) {
                for ((first, start), sums) in shape.kernels::<C>().zip(sums.chunks_exact_mut(ROWS * C)) {
                    add_tiles::<S, C>(simd, (left, right), shape, first, start, sums);
                }
            }
            for ((first, start), sums) in shape.kernels::<C>().zip(sums.chunks_exact(ROWS * C)) {
                reduce::<S, C>(simd, sums, shape, first, start, products);
            }
        } else {
            for (first, start) in shape.kernels::<C>() {
                let mut sums = [[simd.splat_f64s(0.0); C]; ROWS];
                let sums = sums.as_flattened_mut();
                add_tiles::<S, C>(simd, (left.tiles(), right.tiles()), shape, first, start, sums);
                reduce::<S, C>(simd, sums, shape, first, start, products);
            }
        }
    }
}

/// Adds the sums of a kernel to the products.
#[inline(always)]
fn reduce<S: Simd, const C: usize>(
    simd: S,
    sums: &[S::f64s],
    shape: Trapezoid,
    first: usize,
    start: usize,
    products: &mut [f64],
) {
    for i in first..(first + ROWS).min(shape.rows) {
        for j in start..(start + C).min(shape.width(i)) {
            products[shape.row(i) + j] += simd.reduce_sum_f64s(sums[(i - first) * C + j - start]);
        }
    }
}

/// Adds the inner products of the left columns from `first` with the right ones from `start` over some tiles to `sums`. The
/// last few columns have kernels of their own size.
#[inline(always)]
fn add_tiles<S: Simd, const C: usize>(
    simd: S,
    tiles: (&[f64], &[f64]),
    shape: Trapezoid,
    first: usize,
    start: usize,
    sums: &mut [S::f64s],
) {
    match shape.rows - first {
        1 => kernel::<S, 1, C>(simd, tiles, shape, first, start, sums),
        2 => kernel::<S, 2, C>(simd, tiles, shape, first, start, sums),
        3 => kernel::<S, 3, C>(simd, tiles, shape, first, start, sums),
        _ => kernel::<S, ROWS, C>(simd, tiles, shape, first, start, sums),
    }
}

#[inline(always)]
fn kernel<S: Simd, const R: usize, const C: usize>(
    simd: S,
    (left, right): (&[f64], &[f64]),
    shape: Trapezoid,
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
    let tiles = left.chunks_exact(shape.rows * TILE_ROWS);
    for (left, right) in tiles.zip(right.chunks_exact(shape.columns * TILE_ROWS)) {
        let left = |j: usize| S::as_simd_f64s(&left[j * TILE_ROWS..(j + 1) * TILE_ROWS]).0;
        let right = |j: usize| S::as_simd_f64s(&right[j * TILE_ROWS..(j + 1) * TILE_ROWS]).0;
        let (mut a, mut b) = ([left(first); R], [right(start); C]);
        for (r, a) in a.iter_mut().enumerate() {
            *a = left(first + r);
        }
        for (c, b) in b.iter_mut().enumerate() {
            // Beyond the last column a kernel repeats it rather than being another kernel.
            *b = right((start + c).min(shape.columns - 1));
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
        for (count, rows) in [(1, 1), (2, 5), (3, 17), (5, 64), (9, 133), (22, 1000), (67, 300), (130, 300)] {
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

    #[test]
    fn products_of_two_sets_of_integers_are_exact() {
        for (triangle, extra, count, rows) in [
            (0, 1, 3, 10),
            (0, 6, 5, 130),
            (4, 1, 4, 200),
            (9, 3, 9, 70),
            (66, 5, 66, 131),
            (110, 7, 110, 300),
            (0, 5, 140, 200),
        ] {
            let value = |j: usize, i: usize| ((i * 7 + j * 13) % 11) as f64 - 5.0;
            let set = |columns: usize, seed: usize| {
                let mut set = Columns::default();
                set.resize(columns, rows);
                for j in 0..columns {
                    for i in 0..rows {
                        set.tile_mut(i / TILE_ROWS, j)[i % TILE_ROWS] = value(j + seed, i);
                    }
                }
                set
            };
            let shape = Trapezoid { triangle, rows: triangle + extra, columns: count };
            let mut products = vec![1.0; shape.length()];
            let (left, right) = (set(shape.rows, 5), set(count, 0));
            add_products(Arch::new(), &left, &right, triangle, &mut Vec::new(), &mut products);
            for i in 0..shape.rows {
                for j in 0..if i < triangle { i + 1 } else { count } {
                    let expected: f64 = (0..rows).map(|k| value(i + 5, k) * value(j, k)).sum();
                    assert_eq!(products[shape.row(i) + j], 1.0 + expected);
                }
            }
        }
    }
}
