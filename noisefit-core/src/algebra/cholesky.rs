//! Cholesky's factor of a matrix of second derivatives, in doubles.

use crate::algebra::gram::{packed, packed_length};

/// A pivot less than this part of its diagonal is not clearly positive.
const LEAST_PIVOT: f64 = 1e-13;

/// `L` with `L L'` the leading part of a symmetric matrix whose diagonal was scaled to one.
#[derive(Debug, Clone)]
pub(crate) struct Cholesky {
    /// What the rows and columns were multiplied by.
    scales: Vec<f64>,
    factor: Vec<f64>,
}

impl Cholesky {
    /// Factors the leading `order` rows of a packed lower triangle; none where they are not clearly positive definite.
    pub(crate) fn new(matrix: &[f64], order: usize) -> Option<Self> {
        let diagonal = (0..order).map(|i| matrix[packed(i, i)]);
        let scales: Vec<f64> = diagonal.map(|value| 1.0 / value.sqrt()).collect();
        if !scales.iter().all(|scale| *scale > 0.0 && scale.is_finite()) {
            return None;
        }
        let mut factor = vec![0.0; packed_length(order)];
        for i in 0..order {
            for j in 0..=i {
                let (row, other) = (&factor[packed(i, 0)..][..j], &factor[packed(j, 0)..][..j]);
                let done: f64 = row.iter().zip(other).map(|(a, b)| a * b).sum();
                let rest = matrix[packed(i, j)] * scales[i] * scales[j] - done;
                if i > j {
                    factor[packed(i, j)] = rest / factor[packed(j, j)];
                } else if rest > LEAST_PIVOT {
                    factor[packed(i, i)] = rest.sqrt();
                } else {
                    return None;
                }
            }
        }
        Some(Cholesky { scales, factor })
    }

    /// The solution for one right-hand side.
    pub(crate) fn solve(&self, right: &[f64]) -> Vec<f64> {
        let order = self.scales.len();
        let mut x: Vec<f64> = right.iter().zip(&self.scales).map(|(b, scale)| b * scale).collect();
        for i in 0..order {
            let done: f64 = (0..i).map(|k| self.factor[packed(i, k)] * x[k]).sum();
            x[i] = (x[i] - done) / self.factor[packed(i, i)];
        }
        for i in (0..order).rev() {
            let done: f64 = (i + 1..order).map(|k| self.factor[packed(k, i)] * x[k]).sum();
            x[i] = (x[i] - done) / self.factor[packed(i, i)];
        }
        x.iter().zip(&self.scales).map(|(x, scale)| x * scale).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn solves_integers_and_refuses_what_is_not_positive_definite() {
        // [4 2; 2 3] and a last row that makes it singular, or nearly so, in badly scaled units.
        let matrix = [4e200, 2.0, 3e-200, 6e200, 5.0, 1e300];
        let solution = Cholesky::new(&matrix, 2).unwrap().solve(&[8e200, 7.0]);
        assert!((solution[0] / 1.25 - 1.0).abs() < 1e-15 && (solution[1] / 1.5e200 - 1.0).abs() < 1e-15);
        assert!(Cholesky::new(&[4.0, 2.0, 1.0], 2).is_none());
        assert!(Cholesky::new(&[4.0, 2.0, -1.0], 2).is_none());
        assert!(Cholesky::new(&[f64::NAN], 1).is_none());
        assert!(Cholesky::new(&[], 0).unwrap().solve(&[]).is_empty());
    }
}
