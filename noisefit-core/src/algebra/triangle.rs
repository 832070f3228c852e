//! One pass: the triangular factor of the columns, by Householder QR of blocks (TSQR).

use serde::{Deserialize, Serialize};

use faer::Mat;

use crate::algebra::coordinates::Coordinates;
use crate::algebra::moments::root_weights;
use crate::rows::{Accumulator, Block};

/// The upper triangular `R` of `sqrt(v) [1 Z y] = Q R` in [`Coordinates`]: each block is stacked under the `R` of the rows
/// before it and factored again.
///
/// Works on the columns themselves, where moments square their condition number. Demmel, Grigori, Hoemmen and Langou
/// 2012, *Communication-optimal parallel and sequential QR and LU factorizations*.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Triangle {
    coordinates: Coordinates,
    rows: u64,
    /// The upper triangle, row by row.
    factor: Vec<f64>,
}

impl Triangle {
    /// The empty state.
    pub fn new(coordinates: Coordinates) -> Self {
        let order = coordinates.coefficients() + 1;
        Triangle { coordinates, rows: 0, factor: vec![0.0; order * (order + 1) / 2] }
    }

    /// The number of columns: the coefficients and the response.
    pub fn order(&self) -> usize {
        self.coordinates.coefficients() + 1
    }

    /// Element `(i, j)`, `i <= j`.
    pub fn get(&self, i: usize, j: usize) -> f64 {
        self.factor[self.index(i, j)]
    }

    fn index(&self, i: usize, j: usize) -> usize {
        i * self.order() - i * (i + 1) / 2 + j
    }

    /// Factors this triangle stacked on `rows` more rows given by `value(row, column)`.
    fn stack(&mut self, rows: usize, value: impl Fn(usize, usize) -> f64) {
        let order = self.order();
        let stacked = Mat::from_fn(order + rows, order, |i, j| match i {
            _ if i >= order => value(i - order, j),
            _ if i <= j => self.get(i, j),
            _ => 0.0,
        });
        let qr = stacked.qr();
        let upper = qr.thin_R();
        for i in 0..order {
            for j in i..order {
                let index = self.index(i, j);
                self.factor[index] = upper[(i, j)];
            }
        }
    }
}

impl Accumulator for Triangle {
    const KIND: &'static str = "triangle";

    fn fold(&mut self, block: &Block<'_>) {
        let mut roots = Vec::new();
        let weighted = root_weights(block, &mut roots);
        let coordinates = self.coordinates.clone();
        let offset = coordinates.offset();
        self.rows += block.rows() as u64;
        self.stack(block.rows(), |i, j| {
            let root = if weighted { roots[i] } else { 1.0 };
            match j.checked_sub(offset) {
                None => root,
                Some(j) => root * (coordinates.column(block, j).high[i] - coordinates.shift(j)) * coordinates.scale(j),
            }
        });
    }

    fn merge(&mut self, later: Self) {
        self.rows += later.rows;
        self.stack(later.order(), |i, j| if i <= j { later.get(i, j) } else { 0.0 });
    }

    fn rows(&self) -> u64 {
        self.rows
    }
}
