//! One pass at given parameters: the log-likelihood, its gradient, and its second derivatives.

use std::sync::Arc;

use super::functions::Functions;
use crate::Error;
use crate::dispatch::{Kernel, dispatch, multiply_add};
use crate::linear::Coordinates;
use crate::linear::estimate::ErrorSums;
use crate::linear::gram::{Columns, TILE_ROWS, Trapezoid, add_products, packed, packed_length};
use crate::rows::{Accumulator, Block, StateReader, StateWriter, hash_parameters};
use crate::special::elementary::exp;
use crate::sum::Sum;

/// Parameters at which a pass is made.
#[derive(Debug, Clone)]
pub(crate) struct Point<F> {
    /// The coordinates of the design columns and the response.
    pub(crate) coordinates: Coordinates,
    /// Those of the columns of a modelled scale; without, `ln s` is one number.
    pub(crate) scale_coordinates: Option<Coordinates>,
    /// Coefficients of the location in `coordinates`, the intercept first where there is one.
    pub(crate) location: Vec<f64>,
    /// Coefficients of `ln s` in `scale_coordinates`, `s` in units of the response; or `ln s` alone.
    pub(crate) scale: Vec<f64>,
    /// The family, with its shape.
    pub(crate) functions: F,
    /// Whether second derivatives are wanted, too.
    pub(crate) curvature: bool,
}

/// The state of the pass. Derivatives are by the parameters of its [`Point`].
///
/// The sums over rows, with `u` the columns of the scale (1 alone where it is not modelled) and `a = sqrt(w) / s`:
///
/// ```text
/// d/db         f psi a x                -d2/db db'   f psi' a^2 x x'          -d2/db dg'   f (r psi' + psi) a x u'
/// d/dg         f (r psi - 1) u          -d2/dg dg'   f (r^2 psi' + r psi) u u'
/// d/dtheta    -f (rho_theta + c')       -d2/dtheta2  f (rho_theta theta + c'')
///                                       -d2/db dtheta  -f psi_theta a x       -d2/dg dtheta  -f r psi_theta u
/// ```
#[derive(Debug, Clone)]
pub(crate) struct Likelihood<F> {
    point: Arc<Point<F>>,
    rows: u64,
    sums: [Sum; SUMS],
    /// Rows of a [`Trapezoid`] against the design columns: second derivatives by the location, its gradient, second
    /// derivatives by the location and each coefficient of the scale and the shape.
    location: Vec<f64>,
    /// The same against the columns of the scale.
    scale: Vec<f64>,
    scratch: Scratch,
}

const SUMS: usize = 9;
/// `sum(f)`.
const OBSERVATIONS: usize = 0;
/// `sum(f (rho + ln s))`.
const LOSS: usize = 1;
/// `sum(f v e^2)`, in the response's scaled unit.
const WEIGHTED_SQUARES: usize = 2;
const SQUARES: usize = 3;
const ABSOLUTE: usize = 4;
/// `sum(f psi^2)`.
const SCORE_SQUARES: usize = 5;
/// `sum(f psi')`.
const CURVATURE: usize = 6;
/// `sum(f rho_theta)`.
const SHAPE: usize = 7;
/// `sum(f rho_theta theta)`.
const SHAPE_CURVATURE: usize = 8;

/// Buffers of a fold, kept from block to block.
#[derive(Debug, Clone, Default)]
struct Scratch {
    design: Columns,
    design_times: Columns,
    scale_design: Columns,
    scale_design_times: Columns,
    lanes: Vec<f64>,
}

impl<F: Functions> Point<F> {
    /// What is added to `ln s` for the unit in which the coordinates have the response.
    fn log_unit(&self) -> f64 {
        self.coordinates.response_scale().ln()
    }

    /// The number of parameters: location, scale, shape.
    pub(crate) fn parameters(&self) -> usize {
        self.location.len() + self.scale.len() + usize::from(F::SHAPED)
    }

    /// Products against the design columns.
    fn location_shape(&self) -> Trapezoid {
        let columns = self.location.len();
        match self.curvature {
            true => Trapezoid { triangle: columns, rows: self.parameters() + 1, columns },
            false => Trapezoid { triangle: 0, rows: 1, columns },
        }
    }

    /// Products against the columns of the scale.
    fn scale_shape(&self) -> Trapezoid {
        let columns = self.scale.len();
        match self.curvature {
            true => Trapezoid { triangle: columns, rows: columns + 1 + usize::from(F::SHAPED), columns },
            false => Trapezoid { triangle: 0, rows: 1, columns },
        }
    }
}

impl<F: Functions> Likelihood<F> {
    /// The empty state.
    pub(crate) fn new(point: Point<F>) -> Self {
        let (location, scale) = (vec![0.0; point.location_shape().length()], vec![0.0; point.scale_shape().length()]);
        Likelihood {
            point: Arc::new(point),
            rows: 0,
            sums: Default::default(),
            location,
            scale,
            scratch: Scratch::default(),
        }
    }

    /// The parameters.
    pub(crate) fn point(&self) -> &Point<F> {
        &self.point
    }

    fn sum(&self, which: usize) -> f64 {
        self.sums[which].value()
    }

    /// `sum(f)`.
    pub(crate) fn observations(&self) -> f64 {
        self.sum(OBSERVATIONS)
    }

    /// The log-likelihood, complete but for what the parameters leave as it is: half the sum of the logarithms of the
    /// weights, and the response's log Jacobian.
    pub(crate) fn log_likelihood(&self) -> f64 {
        let mut sum = self.sums[LOSS];
        sum.add(self.observations() * self.point.functions.constant()[0]);
        -sum.value()
    }

    /// `sum(f psi^2)`.
    pub(crate) fn score_squares(&self) -> f64 {
        self.sum(SCORE_SQUARES)
    }

    /// `sum(f psi')`; for Huber's functions the number of observations that are not in the tails.
    pub(crate) fn curvature(&self) -> f64 {
        self.sum(CURVATURE)
    }

    /// The sums over residuals, in units of the response.
    pub(crate) fn errors(&self) -> ErrorSums {
        let unit = 1.0 / self.point.coordinates.response_scale();
        ErrorSums {
            weighted_squares: self.sum(WEIGHTED_SQUARES) * unit * unit,
            squares: self.sum(SQUARES) * unit * unit,
            absolute: self.sum(ABSOLUTE) * unit,
        }
    }

    /// The gradient: by the location's coefficients, the scale's, the shape.
    pub(crate) fn gradient(&self) -> Vec<f64> {
        let row = |products: &[f64], shape: Trapezoid| products[shape.row(shape.triangle)..][..shape.columns].to_vec();
        let mut gradient = row(&self.location, self.point.location_shape());
        gradient.extend(row(&self.scale, self.point.scale_shape()));
        if F::SHAPED {
            gradient.push(-(self.sum(SHAPE) + self.observations() * self.point.functions.constant()[1]));
        }
        gradient
    }

    /// Minus the second derivatives, the packed lower triangle; empty where they were not asked for.
    pub(crate) fn observed_information(&self) -> Vec<f64> {
        if !self.point.curvature {
            return Vec::new();
        }
        let (location, scale) = (self.point.location_shape(), self.point.scale_shape());
        let (p, q) = (location.columns, scale.columns);
        let mut matrix = vec![0.0; packed_length(self.point.parameters())];
        matrix[..packed_length(p)].copy_from_slice(&self.location[..packed_length(p)]);
        for i in p..self.point.parameters() {
            // Past the row that holds the gradient.
            let start = location.row(i + 1);
            matrix[packed(i, 0)..][..p].copy_from_slice(&self.location[start..start + p]);
        }
        for i in 0..q {
            matrix[packed(p + i, p)..][..i + 1].copy_from_slice(&self.scale[packed(i, 0)..packed(i, i) + 1]);
        }
        if F::SHAPED {
            let last = p + q;
            matrix[packed(last, p)..][..q].copy_from_slice(&self.scale[scale.row(q + 1)..][..q]);
            matrix[packed(last, last)] =
                self.sum(SHAPE_CURVATURE) + self.observations() * self.point.functions.constant()[2];
        }
        matrix
    }
}

impl<F: Functions> Accumulator for Likelihood<F> {
    const KIND: &'static str = "likelihood";

    fn fold(&mut self, block: &Block<'_>) {
        let Likelihood { point, sums, location, scale, scratch, .. } = self;
        let (rows, shape, scale_shape) = (block.rows(), point.location_shape(), point.scale_shape());
        scratch.design.resize(shape.columns, rows);
        scratch.design_times.resize(shape.rows, rows);
        scratch.scale_design.resize(scale_shape.columns, rows);
        scratch.scale_design_times.resize(scale_shape.rows, rows);
        dispatch(FoldRows { point: point.as_ref(), block, scratch, sums });
        let Scratch { design, design_times, scale_design, scale_design_times, lanes } = scratch;
        let arch = pulp::Arch::new();
        add_products(arch, design_times, design, shape.triangle, lanes, location);
        add_products(arch, scale_design_times, scale_design, scale_shape.triangle, lanes, scale);
        self.rows += rows as u64;
    }

    fn merge(&mut self, later: Self) {
        self.rows += later.rows;
        for (mine, theirs) in self.sums.iter_mut().zip(later.sums) {
            mine.merge(theirs);
        }
        let mine = self.location.iter_mut().chain(&mut self.scale);
        for (mine, theirs) in mine.zip(later.location.iter().chain(&later.scale)) {
            *mine += theirs;
        }
    }

    fn rows(&self) -> u64 {
        self.rows
    }

    fn parameters(&self) -> u64 {
        let Point { coordinates, scale_coordinates, location, scale, functions, curvature } = self.point.as_ref();
        let inner = scale_coordinates.as_ref().map_or(0, |coordinates| coordinates.hash([]));
        let words = [inner as u32, (inner >> 32) as u32].map(f64::from);
        let more = [functions.parameter(), f64::from(u8::from(*curvature)), location.len() as f64];
        let all = words.into_iter().chain(more).chain(location.iter().chain(scale).copied());
        let outer = coordinates.hash(all);
        hash_parameters([outer as u32, (outer >> 32) as u32].map(f64::from))
    }

    fn size_in_bytes(&self) -> usize {
        size_of_val(&self.sums) + size_of::<f64>() * (self.location.len() + self.scale.len() + 1)
    }

    fn write(&self, writer: &mut StateWriter) {
        writer.integer(self.rows);
        self.sums.iter().for_each(|sum| writer.numbers(&[sum.total, sum.rounded_off]));
        writer.numbers(&self.location);
        writer.numbers(&self.scale);
    }

    fn read(&mut self, reader: &mut StateReader<'_>) -> Result<(), Error> {
        self.rows = reader.integer()?;
        for sum in &mut self.sums {
            let mut words = [0.0; 2];
            reader.numbers(&mut words)?;
            *sum = Sum { total: words[0], rounded_off: words[1] };
        }
        reader.numbers(&mut self.location)?;
        reader.numbers(&mut self.scale)
    }
}

/// Fills the columns whose products are wanted, tile by tile, and adds the sums.
struct FoldRows<'a, 'b, F> {
    point: &'a Point<F>,
    block: &'a Block<'b>,
    scratch: &'a mut Scratch,
    sums: &'a mut [Sum; SUMS],
}

/// Running sums side by side, so that they become vectors.
const LANES: usize = 8;

/// One number for each row of a tile.
type Tile = [f64; TILE_ROWS];

impl<F: Functions> Kernel for FoldRows<'_, '_, F> {
    type Output = ();

    #[inline(always)]
    fn run<const FUSED: bool>(self) {
        let FoldRows { point, block, scratch, sums } = self;
        let Point { coordinates, scale_coordinates, location, scale, functions, curvature } = point;
        let (functions, offset, log_unit) = (*functions, coordinates.offset(), point.log_unit());
        let (response_shift, response_scale) =
            (coordinates.shift(coordinates.columns() - 1), coordinates.response_scale());
        // Of a common scale.
        let inverse_common = exp(-(scale[0] + log_unit));
        let (mut e, mut log_scale, mut inverse, mut f): (Tile, Tile, Tile, Tile) =
            ([0.0; _], [0.0; _], [0.0; _], [1.0; _]);
        let mut roots: Tile = [1.0; _];
        let mut factors = Factors::default();
        for (tile, start) in (0..block.rows()).step_by(TILE_ROWS).enumerate() {
            let rows = start..(start + TILE_ROWS).min(block.rows());
            let count = rows.len();

            // The scale.
            match scale_coordinates {
                None => {
                    log_scale = [scale[0]; TILE_ROWS];
                    inverse = [inverse_common; TILE_ROWS];
                    scratch.scale_design.tile_mut(tile, 0)[..count].fill(1.0);
                }
                Some(coordinates) => {
                    log_scale = [0.0; TILE_ROWS];
                    columns::<FUSED>(
                        &mut scratch.scale_design,
                        tile,
                        coordinates,
                        block.scale_design,
                        &rows,
                        |j, z| {
                            let coefficient = scale[j];
                            for i in 0..TILE_ROWS {
                                log_scale[i] = multiply_add::<FUSED>(coefficient, z[i], log_scale[i]);
                            }
                        },
                    );
                    for i in 0..TILE_ROWS {
                        inverse[i] = exp(-(log_scale[i] + log_unit));
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
                *e = (y - response_shift) * response_scale;
            }
            e[count..].fill(0.0);
            columns::<FUSED>(&mut scratch.design, tile, coordinates, block.design, &rows, |j, z| {
                let coefficient = -location[j];
                for i in 0..TILE_ROWS {
                    e[i] = multiply_add::<FUSED>(coefficient, z[i], e[i]);
                }
            });
            debug_assert!(offset <= 1);

            factors.fill(functions, &e, &inverse, &f);
            factors.add_sums(&e, &log_scale, block.weights.map(|_| &roots), &f, sums);

            // The columns times what their products are weighted with.
            let Scratch { design, design_times, scale_design, scale_design_times, .. } = scratch;
            let (p, q) = (location.len(), scale.len());
            let shape = if *curvature { (p, q) } else { (0, 0) };
            for j in 0..shape.0 {
                multiply(design_times.tile_mut(tile, j), design.tile_mut(tile, j), &factors.location_location);
            }
            design_times.tile_mut(tile, shape.0).copy_from_slice(&factors.location);
            for j in 0..shape.1 {
                let column = scale_design.tile_mut(tile, j);
                multiply(design_times.tile_mut(tile, p + 1 + j), column, &factors.location_scale);
                multiply(scale_design_times.tile_mut(tile, j), column, &factors.scale_scale);
            }
            scale_design_times.tile_mut(tile, shape.1).copy_from_slice(&factors.scale);
            if *curvature && F::SHAPED {
                design_times.tile_mut(tile, p + q + 1).copy_from_slice(&factors.location_shape);
                scale_design_times.tile_mut(tile, q + 1).copy_from_slice(&factors.scale_shape);
            }
        }
    }
}

/// Writes the columns of a design (ones for an intercept first) in their coordinates to a tile, and shows each to `next`.
#[inline(always)]
fn columns<const FUSED: bool>(
    target: &mut Columns,
    tile: usize,
    coordinates: &Coordinates,
    design: &[crate::rows::Values<'_>],
    rows: &std::ops::Range<usize>,
    mut next: impl FnMut(usize, &[f64]),
) {
    let offset = coordinates.offset();
    if offset == 1 {
        let ones = target.tile_mut(tile, 0);
        ones[..rows.len()].fill(1.0);
        next(0, ones);
    }
    for (j, values) in design.iter().enumerate() {
        let (shift, scale) = (coordinates.shift(j), coordinates.scale(j));
        let z = target.tile_mut(tile, j + offset);
        for (z, x) in z.iter_mut().zip(&values.high[rows.clone()]) {
            *z = (x - shift) * scale;
        }
        next(j + offset, z);
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
    fn fill<F: Functions>(&mut self, functions: F, e: &Tile, inverse: &Tile, f: &Tile) {
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

    /// The sums of a tile are added to those of the others with what rounding leaves.
    #[inline(always)]
    fn add_sums(&self, e: &Tile, log_scale: &Tile, roots: Option<&Tile>, f: &Tile, sums: &mut [Sum; SUMS]) {
        let mut lanes = [[0.0; LANES]; SUMS];
        for start in (0..TILE_ROWS).step_by(LANES) {
            for lane in 0..LANES {
                let i = start + lane;
                let square = f[i] * e[i] * e[i];
                lanes[OBSERVATIONS][lane] += f[i];
                lanes[LOSS][lane] += f[i] * (self.loss[i] + log_scale[i]);
                lanes[SQUARES][lane] += square;
                lanes[ABSOLUTE][lane] += f[i] * e[i].abs();
                lanes[SCORE_SQUARES][lane] += f[i] * self.score[i] * self.score[i];
                lanes[CURVATURE][lane] += f[i] * self.curvature[i];
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

#[cfg(test)]
mod tests {
    use super::super::functions::StudentT;
    use super::*;
    use crate::linear::{LeastSquares, Settings};
    use crate::noise::{self, Gaussian, Huber, Logistic, Noise, Observations, Scale};
    use crate::rows::{Matrix, MemoryRows, RowSource};

    struct Data {
        y: Vec<f64>,
        x: Vec<f64>,
        z: Vec<f64>,
        weights: Vec<f64>,
        frequencies: Vec<f64>,
    }

    const ROWS: usize = 300;

    /// Residuals from small to some ten scales.
    fn data() -> Data {
        let at = |i: usize, frequency: f64| (i as f64 * frequency).sin();
        let cube = |x: f64| x * x * x;
        Data {
            y: (0..ROWS)
                .map(|i| 5.0 + 2.0 * at(i, 0.7) + 1.5 * cube(at(i, 2.3)) + cube(cube(1.3 * at(i, 1.9))))
                .collect(),
            x: (0..ROWS).flat_map(|i| [at(i, 0.7) + 3.0, 100.0 * at(i, 1.1)]).collect(),
            z: (0..ROWS).flat_map(|i| [at(i, 0.31), 1e-3 * at(i, 0.53) + 7.0]).collect(),
            weights: (0..ROWS).map(|i| 1.0 + 0.5 * at(i, 3.1)).collect(),
            frequencies: (0..ROWS).map(|i| (1 + i % 3) as f64).collect(),
        }
    }

    impl Data {
        fn rows(&self) -> MemoryRows<'_> {
            let design = |values| Matrix::row_major(values, ROWS, 2).unwrap();
            let rows = MemoryRows::new(&self.y, design(&self.x)).unwrap();
            let rows = rows.with_scale_design(design(&self.z), &["z1", "z2"]).unwrap();
            rows.with_weights(&self.weights).unwrap().with_frequencies(&self.frequencies).unwrap()
        }

        /// The log-likelihood by the family's own functions, one row at a time.
        fn log_likelihood<F: Functions>(&self, noise: Noise, point: &Point<F>) -> f64 {
            let c = &point.coordinates;
            let column = |c: &Coordinates, j: usize, x: f64| (x - c.shift(j)) * c.scale(j);
            let location = |i: usize| {
                let sum = point.location[0]
                    + point.location[1] * column(c, 0, self.x[2 * i])
                    + point.location[2] * column(c, 1, self.x[2 * i + 1]);
                sum / c.response_scale() + c.shift(2)
            };
            let scale = |i: usize| match &point.scale_coordinates {
                None => point.scale[0].exp(),
                Some(c) => (point.scale[0]
                    + point.scale[1] * column(c, 0, self.z[2 * i])
                    + point.scale[2] * column(c, 1, self.z[2 * i + 1]))
                .exp(),
            };
            let locations: Vec<f64> = (0..ROWS).map(location).collect();
            let scales: Vec<f64> = (0..ROWS).map(scale).collect();
            let rows = Observations::new(&self.y, &locations, Scale::PerRow(&scales)).unwrap();
            let rows = rows.with_weights(&self.weights).unwrap().with_frequencies(&self.frequencies).unwrap();
            noise.family().log_likelihood(&rows)
        }
    }

    /// The pass against the family's likelihood, its derivatives against finite differences of the pass.
    fn check<F: Functions>(noise: Noise, family: impl Fn(f64) -> F, theta: f64, modelled: bool) {
        let data = data();
        let rows = data.rows();
        let solved = LeastSquares::solve(&rows, Settings::default()).unwrap();
        let coordinates = Coordinates::of_columns(&solved, &[0, 1], true);
        let scale_coordinates = modelled.then(|| {
            let design = Matrix::row_major(&data.z, ROWS, 2).unwrap();
            let solved = LeastSquares::solve(&MemoryRows::new(&data.y, design).unwrap(), Settings::default()).unwrap();
            Coordinates::of_columns(&solved, &[0, 1], true)
        });
        let start = [vec![0.2, 1.1, -0.3], if modelled { vec![-0.1, 0.3, -0.2] } else { vec![-0.1] }, vec![theta]];
        let start = start.concat();
        let evaluate = |parameters: &[f64], curvature: bool| {
            let (location, scale) = parameters[..parameters.len() - 1].split_at(3);
            rows.pass(Likelihood::new(Point {
                coordinates: coordinates.clone(),
                scale_coordinates: scale_coordinates.clone(),
                location: location.to_vec(),
                scale: scale.to_vec(),
                functions: family(parameters[parameters.len() - 1]),
                curvature,
            }))
            .unwrap()
        };
        let found = evaluate(&start, true);
        let log_weight: f64 = data.weights.iter().zip(&data.frequencies).map(|(w, f)| f * w.ln()).sum();
        let expected = data.log_likelihood(noise, found.point());
        let complete = found.log_likelihood() + 0.5 * log_weight;
        assert!((complete / expected - 1.0).abs() < 1e-13, "{noise:?}: {complete} {expected}");

        let (gradient, information) = (found.gradient(), found.observed_information());
        assert_eq!(evaluate(&start, false).gradient(), gradient);
        // Central differences of the fourth order.
        let h = 3e-4 * if F::SHAPED { theta.min(0.1) } else { 1.0 };
        let difference = |i: usize, value: &dyn Fn(&[f64]) -> f64| {
            let moved = |by: f64| {
                let mut parameters = start.clone();
                parameters[i] += by * h;
                value(&parameters)
            };
            (8.0 * (moved(1.0) - moved(-1.0)) - (moved(2.0) - moved(-2.0))) / (12.0 * h)
        };
        for i in 0..gradient.len() {
            let size = information[packed(i, i)].abs().sqrt() * found.observations().sqrt();
            let slope = difference(i, &|at| evaluate(at, false).log_likelihood());
            assert!((gradient[i] - slope).abs() < 1e-8 * size, "{noise:?} {i}: {} {slope}", gradient[i]);
            for j in 0..=i {
                let size = (information[packed(i, i)] * information[packed(j, j)]).abs().sqrt();
                let slope = -difference(i, &|at| evaluate(at, false).gradient()[j]);
                let found = information[packed(i, j)];
                assert!((found - slope).abs() < 1e-7 * size, "{noise:?} {i} {j}: {found} {slope}");
            }
        }
    }

    #[test]
    fn the_log_likelihood_is_the_familys_and_its_derivatives_are_those_of_finite_differences() {
        for modelled in [false, true] {
            check(Noise::Gaussian, |_| Gaussian, 0.0, modelled);
            check(Noise::Logistic, |_| Logistic, 0.0, modelled);
            for theta in [1e-3, 0.06, 0.25, 1.9] {
                let noise = Noise::StudentT(noise::StudentT { df: 1.0 / theta, df_estimated: false });
                check(noise, StudentT::<false>::new, theta, modelled);
                check(noise, StudentT::<true>::new, theta, modelled);
            }
        }
        let huber = Huber { k: 1.3, delta: None };
        let found = {
            let data = data();
            let rows = data.rows();
            let solved = LeastSquares::solve(&rows, Settings::default()).unwrap();
            let point = Point {
                coordinates: Coordinates::of_columns(&solved, &[0, 1], true),
                scale_coordinates: None,
                location: vec![0.2, 1.1, -0.3],
                scale: vec![-0.1],
                functions: huber,
                curvature: true,
            };
            let found = rows.pass(Likelihood::new(point)).unwrap();
            let expected = data.log_likelihood(Noise::Huber(huber), found.point());
            let log_weight: f64 = data.weights.iter().zip(&data.frequencies).map(|(w, f)| f * w.ln()).sum();
            assert!(((found.log_likelihood() + 0.5 * log_weight) / expected - 1.0).abs() < 1e-13);
            found
        };
        assert!(found.curvature() > 100.0 && found.curvature().fract() == 0.0 && found.observations() == 600.0);
    }
}
