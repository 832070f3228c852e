//! The rows of a block, tile by tile: what each contributes to the sums, and the columns whose products are wanted.

use crate::algebra::gram::{Columns, TILE_ROWS};
use crate::estimate::smooth::point::{Curvature, Point, ScaleColumns};
use crate::noise;
use crate::numeric::dispatch::{Kernel, multiply_add};
use crate::numeric::special::elementary::exp;
use crate::numeric::sum::Sum;
use crate::rows::Block;

/// Sums over rows.
pub(crate) type Sums = [Sum; 8];

/// `sum(f)`.
pub(crate) const OBSERVATIONS: usize = 0;
/// `sum(f (rho + ln s))`.
pub(crate) const LOSS: usize = 1;
/// `sum(f w e^2)`, in the response's scaled unit.
pub(crate) const WEIGHTED_SQUARES: usize = 2;
/// `sum(f e^2)`.
pub(crate) const SQUARES: usize = 3;
/// `sum(f |e|)`.
pub(crate) const ABSOLUTE: usize = 4;
/// `sum(f ln s)`.
pub(crate) const LOG_SCALE: usize = 7;
/// `sum(f rho_theta)`.
pub(crate) const SHAPE: usize = 5;
/// `sum(f rho_theta theta)`.
pub(crate) const SHAPE_CURVATURE: usize = 6;

/// Columns of a block, kept from block to block for their memory.
#[derive(Debug, Clone, Default)]
pub(crate) struct Scratch {
    pub(crate) design: Columns,
    /// The design times what its products are weighted with, and the factors of its gradient.
    pub(crate) design_times: Columns,
    pub(crate) scale_design: Columns,
    pub(crate) scale_design_times: Columns,
    pub(crate) lanes: Vec<f64>,
}

/// Fills the columns whose products are wanted, tile by tile, and adds the sums.
pub(crate) struct FoldRows<'a, 'b, F> {
    pub(crate) point: &'a Point<F>,
    pub(crate) block: &'a Block<'b>,
    pub(crate) scratch: &'a mut Scratch,
    pub(crate) sums: &'a mut Sums,
    /// The least `ln s` so far.
    pub(crate) least: &'a mut f64,
}

/// Running sums side by side, so that they become vectors.
const LANES: usize = 8;

/// One number for each row of a tile.
type Tile = [f64; TILE_ROWS];

impl<F: noise::Kernel> Kernel for FoldRows<'_, '_, F> {
    type Output = ();

    #[inline(always)]
    fn run<const FUSED: bool>(self) {
        let FoldRows { point, block, scratch, sums, least } = self;
        let Point { coordinates, scale_columns, location, scale, functions, curvature } = point;
        let (functions, log_unit) = (*functions, point.log_unit());
        let (shift, unit) = (coordinates.shift(coordinates.columns() - 1), coordinates.response_scale());
        let chosen = scale_columns.as_ref().map(|scale| block.scale_design.chosen(&scale.columns)).unwrap_or_default();
        let scale_design = chosen.design();
        // Of a common scale.
        let common = if scale_columns.is_none() { scale[0] } else { 0.0 };
        let inverse_common = exp(-(common + log_unit));
        let (mut e, mut f, mut roots): (Tile, Tile, Tile) = ([0.0; _], [1.0; _], [1.0; _]);
        let mut factors = Factors::default();
        for (tile, start) in (0..block.rows()).step_by(TILE_ROWS).enumerate() {
            let rows = start..(start + TILE_ROWS).min(block.rows());
            let count = rows.len();

            // The scale.
            let (mut log_scale, mut inverse): (Tile, Tile) = ([common; _], [inverse_common; _]);
            match scale_columns {
                None => {
                    *least = common;
                    scratch.scale_design.tile_mut(tile, 0)[..count].fill(1.0);
                }
                Some(ScaleColumns { coordinates, .. }) => {
                    log_scale = [0.0; TILE_ROWS];
                    coordinates.fill_tile(scale_design, &rows, &mut scratch.scale_design, (tile, 0), |j, z| {
                        add_multiple::<FUSED>(scale[j], z, &mut log_scale);
                    });
                    for i in 0..TILE_ROWS {
                        inverse[i] = exp(-(log_scale[i] + log_unit));
                    }
                    for &value in &log_scale[..count] {
                        *least = if value < *least { value } else { *least };
                    }
                }
            }
            if let Some(weights) = block.weights {
                for (root, w) in roots.iter_mut().zip(&weights[rows.clone()]) {
                    *root = w.sqrt();
                }
                for i in 0..TILE_ROWS {
                    inverse[i] *= roots[i];
                }
            }
            if let Some(frequencies) = block.frequencies {
                f[..count].copy_from_slice(&frequencies[rows.clone()]);
            } else if count < TILE_ROWS {
                f = [1.0; TILE_ROWS];
            }
            // Rows that only pad the tile count nothing.
            f[count..].fill(0.0);

            // The location.
            let y = &block.response.high[rows.clone()];
            for (e, y) in e.iter_mut().zip(y) {
                *e = (y - shift) * unit;
            }
            e[count..].fill(0.0);
            coordinates.fill_tile(block.design, &rows, &mut scratch.design, (tile, 0), |j, z| {
                add_multiple::<FUSED>(-location[j], z, &mut e);
            });
            factors.fill(functions, &e, &inverse, &f);
            match curvature {
                Curvature::None | Curvature::Observed => {}
                Curvature::Majorising => factors.majorise(functions, &e, &inverse, &f),
                Curvature::Expected => factors.expect(functions, &inverse, &f),
            }
            factors.add_sums(&e, &log_scale, block.weights.map(|_| &roots), &f, sums);

            // The columns times what their products are weighted with.
            let Scratch { design, design_times, scale_design, scale_design_times, .. } = scratch;
            let (p, q) = (location.len(), scale.len());
            let wanted = *curvature != Curvature::None;
            let triangles = if wanted { (p, q) } else { (0, 0) };
            for j in 0..triangles.0 {
                multiply(design_times.tile_mut(tile, j), design.tile_mut(tile, j), &factors.location_location);
            }
            design_times.tile_mut(tile, triangles.0).copy_from_slice(&factors.location);
            for j in 0..triangles.1 {
                let column = scale_design.tile_mut(tile, j);
                multiply(design_times.tile_mut(tile, p + 1 + j), column, &factors.location_scale);
                multiply(scale_design_times.tile_mut(tile, j), column, &factors.scale_scale);
            }
            scale_design_times.tile_mut(tile, triangles.1).copy_from_slice(&factors.scale);
            if wanted && F::SHAPED {
                design_times.tile_mut(tile, p + q + 1).copy_from_slice(&factors.location_shape);
                scale_design_times.tile_mut(tile, q + 1).copy_from_slice(&factors.scale_shape);
            }
        }
    }
}

#[inline(always)]
pub(crate) fn add_multiple<const FUSED: bool>(factor: f64, column: &[f64], sum: &mut Tile) {
    for (sum, &z) in sum.iter_mut().zip(column) {
        *sum = multiply_add::<FUSED>(factor, z, *sum);
    }
}

#[inline(always)]
fn multiply(target: &mut [f64], column: &[f64], factors: &Tile) {
    for ((target, z), factor) in target.iter_mut().zip(column).zip(factors) {
        *target = z * factor;
    }
}

/// What every row of a tile contributes, for its columns to be weighted with.
struct Factors {
    location: Tile,
    scale: Tile,
    location_location: Tile,
    location_scale: Tile,
    scale_scale: Tile,
    location_shape: Tile,
    scale_shape: Tile,
    loss: Tile,
    score: Tile,
    curvature: Tile,
    shape: Tile,
    shape_shape: Tile,
}

impl Default for Factors {
    fn default() -> Self {
        let zeros = [0.0; TILE_ROWS];
        Factors {
            location: zeros,
            scale: zeros,
            location_location: zeros,
            location_scale: zeros,
            scale_scale: zeros,
            location_shape: zeros,
            scale_shape: zeros,
            loss: zeros,
            score: zeros,
            curvature: zeros,
            shape: zeros,
            shape_shape: zeros,
        }
    }
}

impl Factors {
    #[inline(always)]
    fn fill<F: noise::Kernel>(&mut self, functions: F, e: &Tile, inverse: &Tile, f: &Tile) {
        for i in 0..TILE_ROWS {
            let (a, r) = (inverse[i], e[i] * inverse[i]);
            let (fa, found) = (f[i] * a, functions.at(r));
            let (score, bent) = (found.score, r * found.curvature);
            self.location[i] = fa * score;
            self.scale[i] = f[i] * (r * score - 1.0);
            self.location_location[i] = fa * a * found.curvature;
            self.location_scale[i] = fa * (bent + score);
            self.scale_scale[i] = f[i] * r * (bent + score);
            self.loss[i] = found.value;
            self.score[i] = score;
            self.curvature[i] = found.curvature;
            if F::SHAPED {
                self.location_shape[i] = -fa * found.score_by_shape;
                self.scale_shape[i] = -f[i] * r * found.score_by_shape;
                self.shape[i] = found.by_shape;
                self.shape_shape[i] = found.curvature_by_shape;
            }
        }
    }

    /// Replaces second derivatives by what bounds or is expected of them: the weights of the least squares problem that
    /// majorises the loss, and the information on scale and shape.
    #[inline(always)]
    fn majorise<F: noise::Kernel>(&mut self, functions: F, e: &Tile, inverse: &Tile, f: &Tile) {
        let (information, [_, cross]) = (functions.expected(), functions.expected_by_shape());
        for i in 0..TILE_ROWS {
            let (a, r) = (inverse[i], e[i] * inverse[i]);
            let weight = if r == 0.0 { self.curvature[i] } else { self.score[i] / r };
            self.location_location[i] = f[i] * a * a * weight;
            self.scale_scale[i] = f[i] * information.log_scale;
            self.scale_shape[i] = f[i] * cross;
        }
        (self.location_scale, self.location_shape) = ([0.0; TILE_ROWS], [0.0; TILE_ROWS]);
    }

    /// Replaces second derivatives by what is expected of them; between location and the rest that is nothing.
    #[inline(always)]
    fn expect<F: noise::Kernel>(&mut self, functions: F, inverse: &Tile, f: &Tile) {
        let (information, [_, cross]) = (functions.expected(), functions.expected_by_shape());
        for i in 0..TILE_ROWS {
            self.location_location[i] = f[i] * inverse[i] * inverse[i] * information.location;
            self.scale_scale[i] = f[i] * information.log_scale;
            self.scale_shape[i] = f[i] * cross;
        }
        (self.location_scale, self.location_shape) = ([0.0; TILE_ROWS], [0.0; TILE_ROWS]);
    }

    /// The sums of a tile are added to those of the others with what rounding leaves.
    #[inline(always)]
    fn add_sums(&self, e: &Tile, log_scale: &Tile, roots: Option<&Tile>, f: &Tile, sums: &mut Sums) {
        let mut lanes = [[0.0; LANES]; 8];
        for start in (0..TILE_ROWS).step_by(LANES) {
            for lane in 0..LANES {
                let i = start + lane;
                let square = f[i] * e[i] * e[i];
                lanes[OBSERVATIONS][lane] += f[i];
                lanes[LOSS][lane] += f[i] * (self.loss[i] + log_scale[i]);
                lanes[LOG_SCALE][lane] += f[i] * log_scale[i];
                lanes[SQUARES][lane] += square;
                lanes[ABSOLUTE][lane] += f[i] * e[i].abs();
                lanes[SHAPE][lane] += f[i] * self.shape[i];
                lanes[SHAPE_CURVATURE][lane] += f[i] * self.shape_shape[i];
            }
        }
        match roots {
            None => lanes[WEIGHTED_SQUARES] = lanes[SQUARES],
            Some(roots) => {
                for start in (0..TILE_ROWS).step_by(LANES) {
                    for lane in 0..LANES {
                        let weighted = roots[start + lane] * e[start + lane];
                        lanes[WEIGHTED_SQUARES][lane] += f[start + lane] * weighted * weighted;
                    }
                }
            }
        }
        for (sum, lanes) in sums.iter_mut().zip(lanes) {
            sum.add(lanes.iter().sum());
        }
    }
}
