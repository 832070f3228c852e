//! One pass at given parameters: the log-likelihood, its gradient, and its second derivatives.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::algebra::gram::{Trapezoid, add_products, packed, packed_length};
use crate::estimate::estimated::ErrorSums;
use crate::estimate::smooth::point::{Curvature, Point};
use crate::estimate::smooth::tile::{
    ABSOLUTE, FoldRows, LOG_SCALE, LOSS, OBSERVATIONS, SHAPE, SHAPE_CURVATURE, SQUARES, Scratch, Sums, WEIGHTED_SQUARES,
};
use crate::noise::Kernel;
use crate::numeric::dispatch::dispatch;
use crate::rows::{Accumulator, Block};

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
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Likelihood<F> {
    point: Arc<Point<F>>,
    rows: u64,
    sums: Sums,
    least_log_scale: f64,
    /// Rows of a [`Trapezoid`] against the design columns: second derivatives by the location, its gradient, second
    /// derivatives by the location and each coefficient of the scale and the shape.
    location: Vec<f64>,
    /// The same against the columns of the scale.
    scale: Vec<f64>,
    #[serde(skip)]
    scratch: Scratch,
}

impl<F: Kernel> Likelihood<F> {
    /// The empty state.
    pub(crate) fn new(point: Point<F>) -> Self {
        let (location, scale) = (vec![0.0; point.location_shape().length()], vec![0.0; point.scale_shape().length()]);
        Likelihood {
            point: Arc::new(point),
            rows: 0,
            sums: Default::default(),
            least_log_scale: f64::INFINITY,
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
        sum.add(self.observations() * self.point.functions.constant());
        -sum.value()
    }

    /// `sum(f ln s)`.
    pub(crate) fn log_scales(&self) -> f64 {
        self.sum(LOG_SCALE)
    }

    /// The least `ln s` of a row.
    pub(crate) fn least_log_scale(&self) -> f64 {
        self.least_log_scale
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
            gradient.push(-(self.sum(SHAPE) + self.observations() * self.point.functions.constant_by_shape()[0]));
        }
        gradient
    }

    /// Minus the second derivatives as asked for, the packed lower triangle; empty where they were not.
    pub(crate) fn information(&self) -> Vec<f64> {
        if self.point.curvature == Curvature::None {
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
            let (n, functions) = (self.observations(), self.point.functions);
            matrix[packed(last, last)] = match self.point.curvature {
                Curvature::Majorising | Curvature::Expected => n * functions.expected_by_shape()[0],
                _ => self.sum(SHAPE_CURVATURE) + n * functions.constant_by_shape()[1],
            };
        }
        matrix
    }
}

impl<F: Kernel> Accumulator for Likelihood<F> {
    const KIND: &'static str = "likelihood";

    fn kind() -> String {
        format!("{}({})", Self::KIND, F::NAME)
    }

    fn fold(&mut self, block: &Block<'_>) {
        let Likelihood { point, sums, least_log_scale: least, location, scale, scratch, .. } = self;
        let (rows, shape, scale_shape) = (block.rows(), point.location_shape(), point.scale_shape());
        scratch.design.resize(shape.columns, rows);
        scratch.design_times.resize(shape.rows, rows);
        scratch.scale_design.resize(scale_shape.columns, rows);
        scratch.scale_design_times.resize(scale_shape.rows, rows);
        dispatch(FoldRows { point: point.as_ref(), block, scratch, sums, least });
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
        self.least_log_scale = self.least_log_scale.min(later.least_log_scale);
        let mine = self.location.iter_mut().chain(&mut self.scale);
        for (mine, theirs) in mine.zip(later.location.iter().chain(&later.scale)) {
            *mine += theirs;
        }
    }

    fn rows(&self) -> u64 {
        self.rows
    }
}
