//! The LU factorisation of a small matrix in double-double, with partial pivoting (Golub and Van Loan 2013, *Matrix
//! Computations*, section 3.4).

use crate::numeric::double_double::DoubleDouble;

/// `P A = L U` of a square matrix.
#[derive(Debug, Clone)]
pub(crate) struct ExtendedLu {
    order: usize,
    /// By rows: `U` on and above the diagonal, the unit lower `L` below.
    factors: Vec<DoubleDouble>,
    /// Row `k` of the factors is row `permutation[k]` of the matrix.
    permutation: Vec<usize>,
}

impl ExtendedLu {
    /// The factors of the matrix with these elements; none where it is singular to working precision.
    pub(crate) fn new(order: usize, element: impl Fn(usize, usize) -> DoubleDouble) -> Option<Self> {
        let mut a: Vec<DoubleDouble> = (0..order * order).map(|place| element(place / order, place % order)).collect();
        let mut permutation: Vec<usize> = (0..order).collect();
        for k in 0..order {
            let size = |i: usize, a: &[DoubleDouble]| a[i * order + k].high.abs();
            let pivot = (k..order).max_by(|&i, &j| size(i, &a).total_cmp(&size(j, &a)))?;
            if !(size(pivot, &a) > 0.0 && a[pivot * order + k].is_finite()) {
                return None;
            }
            if pivot != k {
                permutation.swap(pivot, k);
                (0..order).for_each(|j| a.swap(pivot * order + j, k * order + j));
            }
            for i in k + 1..order {
                let factor = a[i * order + k] / a[k * order + k];
                a[i * order + k] = factor;
                if factor.high != 0.0 {
                    for j in k + 1..order {
                        a[i * order + j] = a[i * order + j] - factor * a[k * order + j];
                    }
                }
            }
        }
        Some(ExtendedLu { order, factors: a, permutation })
    }

    /// `x` with `A x = right`.
    pub(crate) fn solve(&self, right: &[DoubleDouble]) -> Vec<DoubleDouble> {
        let n = self.order;
        let mut x: Vec<DoubleDouble> = self.permutation.iter().map(|&i| right[i]).collect();
        for i in 0..n {
            for j in 0..i {
                x[i] = x[i] - self.factors[i * n + j] * x[j];
            }
        }
        for i in (0..n).rev() {
            for j in i + 1..n {
                x[i] = x[i] - self.factors[i * n + j] * x[j];
            }
            x[i] /= self.factors[i * n + i];
        }
        x
    }

    /// `x` with `A' x = right`.
    pub(crate) fn solve_transposed(&self, right: &[DoubleDouble]) -> Vec<DoubleDouble> {
        let n = self.order;
        let mut x = right.to_vec();
        for i in 0..n {
            for j in 0..i {
                x[i] = x[i] - self.factors[j * n + i] * x[j];
            }
            x[i] /= self.factors[i * n + i];
        }
        for i in (0..n).rev() {
            for j in i + 1..n {
                x[i] = x[i] - self.factors[j * n + i] * x[j];
            }
        }
        let mut out = vec![DoubleDouble::ZERO; n];
        self.permutation.iter().zip(x).for_each(|(&i, value)| out[i] = value);
        out
    }

    /// How far the largest diagonal of `U` exceeds the smallest: a rough condition number.
    pub(crate) fn condition(&self) -> f64 {
        let diagonal = || (0..self.order).map(|k| self.factors[k * self.order + k].high.abs());
        diagonal().fold(0.0, f64::max) / diagonal().fold(f64::INFINITY, f64::min)
    }
}
