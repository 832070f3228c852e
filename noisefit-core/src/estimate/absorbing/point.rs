//! Where a search is, and what the noise makes of the rows there.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::algebra::Affine;
use crate::estimate::profile_end::within;
use crate::noise::{Information, Kernel, Noise, Shaped, Visitor};
use crate::numeric::dispatch::vectorised;
use crate::rows::Block;

/// A location with constants of levels, the logarithm of the scale, and the noise with its shape.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Point {
    pub(super) noise: Noise,
    /// The shape of a noise that has one to estimate.
    pub(super) theta: f64,
    pub(super) slopes: Vec<f64>,
    /// Of each effect the constant of every level.
    pub(super) constants: Vec<Arc<Vec<f64>>>,
    pub(super) log_scale: f64,
}

/// What the noise says of every row, `r = sqrt(w) e / s`: a number each.
#[derive(Debug, Default, Clone)]
pub(super) struct Rows {
    /// `e`.
    pub(super) residuals: Vec<f64>,
    /// `sqrt(w) / s`.
    pub(super) inverse: Vec<f64>,
    /// `r`.
    pub(super) standardised: Vec<f64>,
    pub(super) value: Vec<f64>,
    pub(super) score: Vec<f64>,
    pub(super) curvature: Vec<f64>,
    /// `psi(r) / r`.
    pub(super) weight: Vec<f64>,
    /// Derivatives by the shape: of the value, of the score, the second of the value.
    pub(super) by_shape: [Vec<f64>; 3],
}

/// What is known of a noise without rows.
#[derive(Debug, Clone)]
pub(super) struct Known {
    /// What is added to `rho`, and its derivatives by the shape.
    pub(super) constant: [f64; 3],
    pub(super) information: Information,
    /// The information on the shape, and between shape and `ln s`.
    pub(super) of_shape: [f64; 2],
    /// The `nu` with which the density falls as `|r|^-(1 + nu)`.
    pub(super) tail_index: f64,
    /// Of a shape that is estimated.
    pub(super) shape: Option<KnownShape>,
}

/// What is known of a shape that is estimated.
#[derive(Debug, Clone)]
pub(super) struct KnownShape {
    pub(super) name: &'static str,
    /// Where it begins: Gaussian tails.
    pub(super) lightest: f64,
    /// The heaviest tails that so many observations say anything of.
    pub(super) heaviest: f64,
    /// Where searches begin.
    pub(super) middling: f64,
}

impl KnownShape {
    /// Whether it lies within its range and not at an end.
    pub(super) fn is_inside(&self, theta: f64) -> bool {
        self.lightest < theta && theta < within(self.heaviest)
    }
}

impl Point {
    /// What the noise says of the rows of a block.
    pub(super) fn rows(&self, block: &Block<'_>) -> Rows {
        let count = block.rows();
        let mut residuals = Affine { intercept: 0.0, slopes: self.slopes.clone() }.residuals(block);
        for (constants, levels) in self.constants.iter().zip(block.effects) {
            residuals.iter_mut().zip(*levels).for_each(|(e, level)| *e -= constants[*level as usize]);
        }
        let scale = (-self.log_scale).exp();
        let inverse: Vec<f64> = (0..count).map(|i| scale * block.root_weight(i)).collect();
        let standardised = residuals.iter().zip(&inverse).map(|(e, a)| e * a).collect();
        let rows = Rows { residuals, inverse, standardised, ..Rows::default() };
        self.noise.visit(Fill { rows, theta: self.theta })
    }

    /// What is known of the noise, of so many observations and coefficients.
    pub(super) fn known(&self, observations: f64, coefficients: f64) -> Known {
        self.noise.visit(Ask { theta: self.theta, observations, coefficients })
    }

    /// The noise with the shape where it is.
    pub(super) fn found(&self) -> Noise {
        self.noise.visit(Found { noise: self.noise, theta: self.theta })
    }

    /// The parameter that people know a shape by.
    pub(super) fn reported(&self, theta: f64) -> f64 {
        self.noise.visit(Reported(theta))
    }
}

struct Fill {
    rows: Rows,
    theta: f64,
}

impl Fill {
    fn fill<K: Kernel>(self, kernel: K) -> Rows {
        let Rows { residuals, inverse, standardised, .. } = self.rows;
        let count = standardised.len();
        let zeros = || vec![0.0; count];
        let (mut value, mut score, mut curvature, mut weight) = (zeros(), zeros(), zeros(), zeros());
        let mut by_shape: [Vec<f64>; 3] = if K::SHAPED { [zeros(), zeros(), zeros()] } else { Default::default() };
        vectorised(|| {
            for i in 0..count {
                let r = standardised[i];
                let found = kernel.at(r);
                value[i] = found.value;
                score[i] = found.score;
                curvature[i] = found.curvature;
                weight[i] = found.weight(r);
                if K::SHAPED {
                    by_shape[0][i] = found.by_shape;
                    by_shape[1][i] = found.score_by_shape;
                    by_shape[2][i] = found.curvature_by_shape;
                }
            }
        });
        Rows { residuals, inverse, standardised, value, score, curvature, weight, by_shape }
    }
}

impl Visitor for Fill {
    type Output = Rows;

    fn visit<K: Kernel>(self, kernel: K) -> Rows {
        self.fill(kernel)
    }

    fn visit_shaped<K: Shaped>(self, kernel: K) -> Rows {
        let theta = self.theta;
        self.fill(kernel.with_parameter(theta))
    }
}

struct Ask {
    theta: f64,
    observations: f64,
    coefficients: f64,
}

impl Visitor for Ask {
    type Output = Known;

    fn visit<K: Kernel>(self, kernel: K) -> Known {
        Known {
            constant: [kernel.constant(), 0.0, 0.0],
            information: kernel.expected(),
            of_shape: [0.0; 2],
            tail_index: kernel.tail_index(),
            shape: None,
        }
    }

    fn visit_shaped<K: Shaped>(self, kernel: K) -> Known {
        let kernel = kernel.with_parameter(self.theta);
        let [first, second] = kernel.constant_by_shape();
        Known {
            constant: [kernel.constant(), first, second],
            information: kernel.expected(),
            of_shape: kernel.expected_by_shape(),
            tail_index: kernel.tail_index(),
            shape: Some(KnownShape {
                name: K::PARAMETER,
                lightest: *K::SHAPES.start(),
                heaviest: K::heaviest(self.observations, self.coefficients),
                middling: K::LADDER[1],
            }),
        }
    }
}

struct Found {
    noise: Noise,
    theta: f64,
}

impl Visitor for Found {
    type Output = Noise;

    fn visit<K: Kernel>(self, _: K) -> Noise {
        self.noise
    }

    fn visit_shaped<K: Shaped>(self, kernel: K) -> Noise {
        kernel.with_parameter(self.theta).estimated()
    }
}

struct Reported(f64);

impl Visitor for Reported {
    type Output = f64;

    fn visit<K: Kernel>(self, _: K) -> f64 {
        self.0
    }

    fn visit_shaped<K: Shaped>(self, _: K) -> f64 {
        K::reported(self.0)
    }
}
