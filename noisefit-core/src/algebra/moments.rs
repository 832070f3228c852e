//! One pass: weights, means, and centred sums of products of the design columns and the response.

use serde::{Deserialize, Serialize};

use pulp::{Arch, Simd, WithSimd};

use crate::algebra::coordinates::{Coordinates, power_of_two_near};
use crate::algebra::gram::{Columns, TILE_ROWS, add_gram, packed, packed_length, symmetric};
use crate::algebra::row_kernels::{AddRowProducts, RowScratch};
use crate::rows::{Accumulator, Block, RowBlock};

/// Weighted means and sums of products of deviations, the response as the last column.
///
/// With an intercept, sums of products are about the means and updated blockwise: with `d = x - mean` of the rows so
/// far, `C += sum(v d d') - s s' / V` and `mean += s / V`, where `s = sum(v d)` and `V` is the total weight, new rows
/// included (the blocked form of West 1979; Chan, Golub and LeVeque 1983). Without an intercept they are about zero.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Moments {
    centred: bool,
    /// Powers of two that the columns are multiplied by, so that no square leaves the range of a double.
    scales: Vec<f64>,
    totals: Totals,
    means: Vec<f64>,
    products: Vec<f64>,
    #[serde(skip)]
    scratch: Scratch,
}

/// Sums over rows that need no design.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct Totals {
    /// Rows folded.
    pub rows: u64,
    /// Observations: rows times their frequencies.
    pub observations: f64,
    /// The sum of weights times frequencies.
    pub weight: f64,
    /// The sum of `log w`, times frequencies.
    pub log_weight: f64,
    /// The sum of the response's log Jacobian, times frequencies.
    pub log_jacobian: f64,
}

impl Totals {
    /// Adds the rows of a block.
    pub fn fold(&mut self, block: &Block<'_>) {
        let rows = block.rows();
        let frequency = |i: usize| block.frequency(i);
        self.rows += rows as u64;
        match (block.weights, block.frequencies) {
            (None, None) => {
                self.observations += rows as f64;
                self.weight += rows as f64;
            }
            (weights, _) => {
                for i in 0..rows {
                    let (f, w) = (frequency(i), weights.map_or(1.0, |w| w[i]));
                    self.observations += f;
                    self.weight += f * w;
                    self.log_weight += f * w.ln();
                }
            }
        }
        if let Some(log_jacobian) = block.log_jacobian {
            self.log_jacobian += log_jacobian.iter().enumerate().map(|(i, l)| frequency(i) * l).sum::<f64>();
        }
    }

    /// Adds the totals of other rows.
    pub fn merge(&mut self, other: Totals) {
        self.rows += other.rows;
        self.observations += other.observations;
        self.weight += other.weight;
        self.log_weight += other.log_weight;
        self.log_jacobian += other.log_jacobian;
    }
}

/// Buffers of a fold, kept from block to block.
#[derive(Debug, Clone, Default)]
struct Scratch {
    deviations: Columns,
    root_weights: Vec<f64>,
    sums: Vec<f64>,
    lanes: Vec<f64>,
    products: Vec<f64>,
    rows: RowScratch,
}

impl Moments {
    /// The empty state for `columns` design columns, about the means where the model has an intercept.
    pub fn new(columns: usize, centred: bool) -> Self {
        Self::scaled(vec![1.0; columns + 1], centred)
    }

    /// Empty moments of columns (the response last) that are multiplied by `scales`, which are powers of two.
    pub fn scaled(scales: Vec<f64>, centred: bool) -> Self {
        let order = scales.len();
        Moments {
            centred,
            scales,
            totals: Totals::default(),
            means: vec![0.0; order],
            products: vec![0.0; packed_length(order)],
            scratch: Scratch::default(),
        }
    }

    /// The sums that need no design.
    pub fn totals(&self) -> &Totals {
        &self.totals
    }

    /// The mean of column `j` (the response last), zero where the moments are not centred. In the units of the data.
    pub fn mean(&self, j: usize) -> f64 {
        self.means[j] / self.scales[j]
    }

    /// The power of two that column `j` was multiplied by in [`Moments::product`].
    pub fn scale(&self, j: usize) -> f64 {
        self.scales[j]
    }

    /// The sum of products of columns `i` and `j`, in scaled units.
    pub fn product(&self, i: usize, j: usize) -> f64 {
        self.products[symmetric(i, j)]
    }

    /// The number of columns, the response included.
    pub fn order(&self) -> usize {
        self.scales.len()
    }

    /// Whether every sum is finite.
    pub fn is_finite(&self) -> bool {
        self.means.iter().chain(&self.products).all(|v| v.is_finite())
    }

    /// Adds `sum(v d d')` and `sum(v d)` of deviations from the current means, of total weight `weight`.
    fn update(&mut self, weight: f64, sums: &[f64], products: &[f64]) {
        let total = self.totals.weight + weight;
        for (i, &sum) in sums.iter().enumerate() {
            let row = packed(i, 0)..packed(i, i) + 1;
            let shifted = if self.centred { sum / total } else { 0.0 };
            for ((mine, &theirs), &other) in self.products[row.clone()].iter_mut().zip(&products[row]).zip(sums) {
                *mine += theirs - shifted * other;
            }
            self.means[i] += shifted;
        }
    }
}

impl Accumulator for Moments {
    const KIND: &'static str = "moments";

    fn fold(&mut self, block: &Block<'_>) {
        let (arch, order) = (Arch::new(), self.order());
        let mut totals = Totals::default();
        totals.fold(block);
        let weighted = block.weights.is_some() || block.frequencies.is_some();
        if self.centred && weighted && self.totals.rows > 0 && totals.weight > self.totals.weight {
            // About a mean that has little weight beside the block's, and may be far from it, sums would lose digits.
            let mut apart = Moments::scaled(self.scales.clone(), true);
            apart.fold(block);
            return self.merge(apart);
        }
        let mut scratch = std::mem::take(&mut self.scratch);
        root_weights(block, &mut scratch.root_weights);
        let column = |j: usize| block.design.dense_columns().get(j).map_or(block.response.high, |values| values.high);
        if self.centred && self.totals.rows == 0 && block.rows() > 0 {
            // Any value near the data serves as a first mean, but the first row of a weighted block may be an outlier of no
            // weight. Taken from the first row, the mean of a constant column is exactly its value.
            let mean = |j: usize| {
                let (scale, first) = (self.scales[j], column(j)[0] * self.scales[j]);
                let rows = scratch.root_weights.iter().zip(column(j));
                let sum: f64 = rows.map(|(root, x)| root * root * (x * scale - first)).sum();
                first + sum / totals.weight
            };
            self.means = (0..order).map(mean).collect();
        }
        scratch.sums.clear();
        scratch.sums.resize(order, 0.0);
        scratch.products.clear();
        scratch.products.resize(packed_length(order), 0.0);
        scratch.deviations.resize(order, block.rows());
        for j in 0..order {
            scratch.sums[j] = arch.dispatch(Deviations {
                values: column(j),
                scale: self.scales[j],
                mean: self.means[j],
                root_weights: weighted.then_some(&scratch.root_weights),
                target: &mut scratch.deviations,
                column: j,
            });
        }
        add_gram(arch, &scratch.deviations, &mut scratch.lanes, &mut scratch.products);
        self.update(totals.weight, &scratch.sums, &scratch.products);
        self.totals.merge(totals);
        self.scratch = scratch;
    }

    fn fold_rows(&mut self, rows: &RowBlock<'_>) -> bool {
        let Some(&first) = rows.response.first() else { return true };
        let order = self.order();
        if self.centred && self.totals.rows == 0 {
            let values = rows.values[..rows.columns].iter().chain([&first]);
            self.means = values.zip(&self.scales).map(|(x, scale)| x * scale).collect();
        }
        let mut scratch = std::mem::take(&mut self.scratch);
        scratch.sums.clear();
        scratch.sums.resize(order, 0.0);
        scratch.products.clear();
        scratch.products.resize(packed_length(order), 0.0);
        Arch::new().dispatch(AddRowProducts {
            rows,
            scales: &self.scales,
            means: &self.means,
            scratch: &mut scratch.rows,
            sums: &mut scratch.sums,
            products: &mut scratch.products,
        });
        let weight = rows.rows() as f64;
        self.update(weight, &scratch.sums, &scratch.products);
        self.totals.merge(Totals { rows: rows.rows() as u64, observations: weight, weight, ..Totals::default() });
        self.scratch = scratch;
        true
    }

    fn merge(&mut self, later: Self) {
        if self.totals.rows == 0 || later.totals.rows == 0 {
            if self.totals.rows == 0 {
                *self = later;
            }
            return;
        }
        let (mine, theirs) = (self.totals.weight, later.totals.weight);
        let share = theirs / (mine + theirs);
        let shift: Vec<f64> = later.means.iter().zip(&self.means).map(|(theirs, mine)| theirs - mine).collect();
        for (product, &theirs) in self.products.iter_mut().zip(&later.products) {
            *product += theirs;
        }
        // Formed as a product, which loses no digits however unequal the weights are.
        for i in 0..shift.len() {
            for j in 0..=i {
                self.products[packed(i, j)] += mine * share * shift[i] * shift[j];
            }
        }
        for (mean, shift) in self.means.iter_mut().zip(&shift) {
            *mean += share * shift;
        }
        self.totals.merge(later.totals);
    }

    fn rows(&self) -> u64 {
        self.totals.rows
    }
}

/// Fills `roots` with the square roots of weight times frequency; false where every row counts one.
pub(crate) fn root_weights(block: &Block<'_>, roots: &mut Vec<f64>) -> bool {
    roots.clear();
    match (block.weights, block.frequencies) {
        (None, None) => return false,
        (Some(only), None) | (None, Some(only)) => roots.extend(only.iter().map(|v| v.sqrt())),
        (Some(w), Some(f)) => roots.extend(w.iter().zip(f).map(|(w, f)| (w * f).sqrt())),
    }
    true
}

/// Writes `(scale x - mean) sqrt(v)` into a column of `target` and returns `sum(v (scale x - mean))`.
struct Deviations<'a> {
    values: &'a [f64],
    scale: f64,
    mean: f64,
    root_weights: Option<&'a [f64]>,
    target: &'a mut Columns,
    column: usize,
}

impl WithSimd for Deviations<'_> {
    type Output = f64;

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> f64 {
        let Deviations { values, scale, mean, root_weights, target, column } = self;
        let mut sum = 0.0;
        for (tile, values) in values.chunks(TILE_ROWS).enumerate() {
            let roots = root_weights.map(|roots| &roots[tile * TILE_ROWS..tile * TILE_ROWS + values.len()]);
            sum += deviations(simd, values, scale, mean, roots, target.tile_mut(tile, column));
        }
        sum
    }
}

#[inline(always)]
fn deviations<S: Simd>(
    simd: S,
    values: &[f64],
    scale: f64,
    mean: f64,
    root_weights: Option<&[f64]>,
    target: &mut [f64],
) -> f64 {
    let (scales, means) = (simd.splat_f64s(scale), simd.splat_f64s(-mean));
    let (head, tail) = S::as_simd_f64s(values);
    let (target_head, target_tail) = target.split_at_mut(values.len() - tail.len());
    let target_head = S::as_mut_simd_f64s(target_head).0;
    let mut sums = simd.splat_f64s(0.0);
    let mut sum = 0.0;
    match root_weights {
        None => {
            for (target, &x) in target_head.iter_mut().zip(head) {
                *target = simd.mul_add_e_f64s(x, scales, means);
                sums = simd.add_f64s(sums, *target);
            }
            for (target, &x) in target_tail.iter_mut().zip(tail) {
                *target = x * scale - mean;
                sum += *target;
            }
        }
        Some(roots) => {
            let (roots, roots_tail) = S::as_simd_f64s(roots);
            for ((target, &x), &root) in target_head.iter_mut().zip(head).zip(roots) {
                *target = simd.mul_f64s(simd.mul_add_e_f64s(x, scales, means), root);
                sums = simd.mul_add_e_f64s(*target, root, sums);
            }
            for ((target, &x), &root) in target_tail.iter_mut().zip(tail).zip(roots_tail) {
                *target = (x * scale - mean) * root;
                sum += *target * root;
            }
        }
    }
    sum + simd.reduce_sum_f64s(sums)
}

impl Coordinates {
    /// The coordinates in which the columns that `moments` were formed of have mean zero and mean square near one.
    pub fn from_moments(moments: &Moments, intercept: bool) -> Self {
        let weight = moments.totals().weight;
        let scale = |j: usize| {
            let size = (moments.product(j, j) / weight).sqrt() / moments.scale(j);
            if size > 0.0 && size.is_finite() { power_of_two_near(1.0 / size) } else { 1.0 }
        };
        Coordinates::new(
            (0..moments.order()).map(|j| moments.mean(j)).collect(),
            (0..moments.order()).map(scale).collect(),
            intercept,
        )
    }
}
