//! One pass at given coefficients: which rows lie within the knee, and the sums that solve for all coefficients and
//! scales that leave it so.

use serde::{Deserialize, Serialize};

use pulp::Arch;

use crate::algebra::gram::{Columns, TILE_ROWS, add_gram, packed, packed_length};
use crate::algebra::{Coordinates, Totals};
use crate::estimate::active_set::window::Window;
use crate::numeric::dispatch::vectorised;
use crate::numeric::double_double::DoubleDouble;
use crate::rows::{Accumulator, Block};

/// Sums over the rows inside the knee, `|u| <= knee`, and those outside, where `u = sqrt(w) (y - z'b)` in
/// [`Coordinates`].
///
/// With sets that stay as they are, everything that a step needs is a polynomial in the step, and these are its
/// coefficients.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Sets {
    coordinates: Coordinates,
    coefficients: Vec<f64>,
    knee: f64,
    totals: Totals,
    sums: Sums,
    /// `sum over inside of v z z'`, packed, the residual `e` as a last column.
    inside: Vec<DoubleDouble>,
    /// `sum over outside of f sqrt(w) sign(u) z`.
    outside: Vec<DoubleDouble>,
    pub(super) window: Option<Window>,
    #[serde(skip)]
    scratch: Scratch,
}

/// Sums over rows, each counted as often as its frequency `f` says.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
pub(super) struct Sums {
    /// `sum(f)` over the rows inside.
    pub(super) count_inside: DoubleDouble,
    /// `sum(f u^2)` over the rows inside.
    pub(super) squares_inside: DoubleDouble,
    /// `sum(f |u|)` over the rows outside.
    pub(super) sizes_outside: DoubleDouble,
    /// `sum(f u^2)` over all.
    pub(super) weighted_squares: DoubleDouble,
    /// `sum(f e^2)` over all.
    pub(super) squares: DoubleDouble,
    /// `sum(f |e|)` over all.
    pub(super) absolute: DoubleDouble,
}

impl Sums {
    fn fields_mut(&mut self) -> [&mut DoubleDouble; 6] {
        [
            &mut self.count_inside,
            &mut self.squares_inside,
            &mut self.sizes_outside,
            &mut self.weighted_squares,
            &mut self.squares,
            &mut self.absolute,
        ]
    }
}

#[derive(Debug, Default)]
struct Scratch {
    columns: Columns,
    lanes: Vec<f64>,
    gram: Vec<f64>,
    residuals: Vec<f64>,
    roots: Vec<f64>,
    /// The root of weight times frequency inside, zero outside.
    factors: Vec<f64>,
    /// Frequency times root of weight times sign outside, zero inside.
    signs: Vec<f64>,
}

impl Clone for Scratch {
    /// Scratch space: another one starts empty.
    fn clone(&self) -> Self {
        Scratch::default()
    }
}

impl Sets {
    /// The empty state at coefficients in `coordinates`; the knee is in units of the response there.
    pub(super) fn new(coordinates: Coordinates, coefficients: Vec<f64>, knee: f64, window: Option<(f64, f64)>) -> Self {
        let order = coefficients.len();
        debug_assert_eq!(order, coordinates.coefficients());
        Sets {
            coordinates,
            coefficients,
            knee,
            totals: Totals::default(),
            sums: Sums::default(),
            inside: vec![DoubleDouble::ZERO; packed_length(order + 1)],
            outside: vec![DoubleDouble::ZERO; order],
            window: window.map(|(centre, radius)| Window::new(centre, radius, order)),
            scratch: Scratch::default(),
        }
    }

    pub(super) fn knee(&self) -> f64 {
        self.knee
    }

    pub(super) fn totals(&self) -> &Totals {
        &self.totals
    }

    pub(super) fn sums(&self) -> &Sums {
        &self.sums
    }

    pub(super) fn count_outside(&self) -> f64 {
        self.totals.observations - self.sums.count_inside.to_f64()
    }

    /// `sum over inside of v z z'`, packed.
    pub(super) fn gram(&self) -> &[DoubleDouble] {
        &self.inside[..packed_length(self.coefficients.len())]
    }

    /// `sum over inside of v e z`.
    pub(super) fn inner(&self) -> &[DoubleDouble] {
        let order = self.coefficients.len();
        &self.inside[packed(order, 0)..packed(order, order)]
    }

    /// `sum over outside of f sqrt(w) sign(u) z`.
    pub(super) fn outer(&self) -> &[DoubleDouble] {
        &self.outside
    }

    /// `sum f rho(u)`, where `rho` is Huber's parabola with tangents beyond the knee.
    pub(super) fn loss(&self) -> f64 {
        if self.count_outside() == 0.0 {
            return 0.5 * self.sums.squares_inside.to_f64();
        }
        let outside = self.sums.sizes_outside * self.knee - 0.5 * self.knee * self.knee * self.count_outside();
        (self.sums.squares_inside * 0.5 + outside).to_f64()
    }

    /// The median of `|u|`, as near as the window lets it be known.
    pub(super) fn median_size(&self) -> f64 {
        let nowhere = vec![0.0; self.outside.len()];
        let median =
            |window: &Window| window.estimate(window.lines(&nowhere, &nowhere).median(0.0, self.totals.observations));
        self.window.as_ref().map_or(0.0, median)
    }

    /// How many observations per unit of size there are about the median one.
    pub(super) fn density_at_median(&self) -> Option<f64> {
        self.window.as_ref()?.density(self.median_size())
    }

    /// Whether the same rows lie inside and outside, on the same sides: then these sums are the same bit for bit, and
    /// hardly otherwise.
    pub(super) fn same_as(&self, other: &Sets) -> bool {
        self.gram() == other.gram() && self.outside == other.outside
    }

    /// Residuals, factors and signs of the block's rows, and what is summed over them.
    #[inline(always)]
    fn classify(&mut self, block: &Block<'_>) {
        let Sets { coordinates, coefficients, knee, sums, scratch, .. } = self;
        let Scratch { residuals, roots, factors, signs, .. } = scratch;
        coordinates.residuals(block, coefficients, residuals);
        let rows = residuals.len();
        roots.clear();
        roots.resize(rows, 1.0);
        if let Some(weights) = block.weights {
            for i in 0..rows {
                roots[i] = weights[i].sqrt();
            }
        }
        factors.clear();
        factors.extend_from_slice(roots);
        signs.clear();
        signs.resize(rows, 0.0);
        let mut lanes = [[0.0; LANES]; 6];
        for start in (0..rows).step_by(LANES) {
            let count = LANES.min(rows - start);
            for lane in 0..count {
                let i = start + lane;
                let f = match block.frequencies {
                    Some(frequencies) => frequencies[i],
                    None => 1.0,
                };
                let (e, u) = (residuals[i], roots[i] * residuals[i]);
                let inside = if u.abs() <= *knee { f } else { 0.0 };
                let outside = f - inside;
                factors[i] *= inside.sqrt();
                signs[i] = (outside * roots[i]).copysign(u);
                lanes[0][lane] += inside;
                lanes[1][lane] += inside * u * u;
                lanes[2][lane] += outside * u.abs();
                lanes[3][lane] += f * u * u;
                lanes[4][lane] += f * e * e;
                lanes[5][lane] += f * e.abs();
            }
        }
        for (sum, lanes) in sums.fields_mut().into_iter().zip(&lanes) {
            *sum += lanes.iter().sum::<f64>();
        }
    }

    /// The design columns in their coordinates: times the factors into the tiles, and their products with the signs.
    #[inline(always)]
    fn fill(&mut self, block: &Block<'_>) {
        let Sets { coordinates, outside, scratch, .. } = self;
        let Scratch { columns, residuals, factors, signs, .. } = scratch;
        let (design, offset) = (coordinates.columns() - 1, coordinates.offset());
        let rows = block.rows();
        columns.resize(design + offset + 1, rows);
        for (tile, start) in (0..rows).step_by(TILE_ROWS).enumerate() {
            let range = start..(start + TILE_ROWS).min(rows);
            let (factors, signs) = (&factors[range.clone()], &signs[range.clone()]);
            let count = factors.len();
            if offset == 1 {
                columns.tile_mut(tile, 0)[..count].copy_from_slice(factors);
                outside[0] += lanes_sum(signs, |_| 1.0);
            }
            for j in 0..design {
                let z = &mut columns.tile_mut(tile, j + offset)[..count];
                coordinates.fill(block.design, j, range.clone(), z);
                outside[j + offset] += lanes_sum(signs, |i| z[i]);
                for i in 0..count {
                    z[i] *= factors[i];
                }
            }
            let residuals = &residuals[range][..count];
            let target = &mut columns.tile_mut(tile, design + offset)[..count];
            for i in 0..count {
                target[i] = factors[i] * residuals[i];
            }
        }
    }

    /// Keeps the rows whose sizes are about the median one.
    fn watch(&mut self, block: &Block<'_>) {
        let Sets { coordinates, window, scratch, .. } = self;
        let Some(window) = window else { return };
        let Scratch { residuals, roots, .. } = scratch;
        for (i, (e, root)) in residuals.iter().zip(roots.iter()).enumerate() {
            let (u, f) = (root * e, block.frequency(i));
            if window.reaches(u.abs(), f) {
                window.keep(u, f, coordinates.row(block.design, i).map(|z| root * z));
            }
        }
    }
}

const LANES: usize = 8;

/// `sum(a[i] b(i))`, in running sums side by side.
#[inline(always)]
fn lanes_sum(a: &[f64], b: impl Fn(usize) -> f64) -> f64 {
    let mut lanes = [0.0; LANES];
    let whole = a.len() / LANES * LANES;
    for start in (0..whole).step_by(LANES) {
        for lane in 0..LANES {
            lanes[lane] += a[start + lane] * b(start + lane);
        }
    }
    let mut sum = 0.0;
    for i in whole..a.len() {
        sum += a[i] * b(i);
    }
    for lane in lanes {
        sum += lane;
    }
    sum
}

impl Accumulator for Sets {
    const KIND: &'static str = "huber";

    fn fold(&mut self, block: &Block<'_>) {
        self.totals.fold(block);
        vectorised(|| {
            self.classify(block);
            self.fill(block);
        });
        let Scratch { columns, lanes, gram, .. } = &mut self.scratch;
        gram.clear();
        gram.resize(self.inside.len(), 0.0);
        add_gram(Arch::new(), columns, lanes, gram);
        for (sum, &more) in self.inside.iter_mut().zip(gram.iter()) {
            *sum += more;
        }
        self.watch(block);
    }

    fn merge(&mut self, later: Self) {
        self.totals.merge(later.totals);
        let mut sums = later.sums;
        for (mine, theirs) in self.sums.fields_mut().into_iter().zip(sums.fields_mut()) {
            *mine += *theirs;
        }
        for (mine, theirs) in self.inside.iter_mut().zip(later.inside) {
            *mine += theirs;
        }
        for (mine, theirs) in self.outside.iter_mut().zip(later.outside) {
            *mine += theirs;
        }
        if let (Some(mine), Some(theirs)) = (&mut self.window, later.window) {
            mine.merge(theirs);
        }
    }

    fn rows(&self) -> u64 {
        self.totals.rows
    }
}
