//! What conjugate gradients tell of the least eigenvalue on the way.

/// The tridiagonal matrix of the Lanczos process that conjugate gradients are: its eigenvalues, the Ritz values, approach those of the
/// preconditioned matrix from within (Golub and Meurant 2010, *Matrices, Moments and Quadrature*, section 4.2).
#[derive(Debug, Clone, Default)]
pub(super) struct Ritz {
    diagonal: Vec<f64>,
    /// Squares of the elements beside the diagonal.
    beside: Vec<f64>,
    /// The last step's length and ratio.
    last: Option<(f64, f64)>,
}

/// Halvings of the interval that holds an eigenvalue.
const HALVINGS: usize = 40;

impl Ritz {
    /// A step of a length, after which the residual's norm is `ratio` of what it was.
    pub(super) fn add(&mut self, length: f64, ratio: f64) {
        if length <= 0.0 {
            return;
        }
        let before = self.last.map_or(0.0, |(length, ratio)| ratio / length);
        if let Some((length, ratio)) = self.last {
            self.beside.push(ratio / (length * length));
        }
        self.diagonal.push(1.0 / length + before);
        self.last = Some((length, ratio));
    }

    /// The least Ritz value, to a few digits; none before a step.
    pub(super) fn least(&self) -> Option<f64> {
        let (mut low, mut high) = (0.0, self.diagonal.iter().copied().reduce(f64::min)?);
        // In powers of two: it may be small.
        let mut step = high;
        for _ in 0..HALVINGS {
            step *= 0.5;
            if self.is_below_all(step) {
                low = step;
                break;
            }
            high = step;
        }
        for _ in 0..8 {
            let middle = 0.5 * (low + high);
            *(if self.is_below_all(middle) { &mut low } else { &mut high }) = middle;
        }
        Some(low)
    }

    /// Whether no eigenvalue is less: all pivots of the matrix less `value` are positive.
    fn is_below_all(&self, value: f64) -> bool {
        let mut pivot = f64::INFINITY;
        self.diagonal.iter().enumerate().all(|(k, diagonal)| {
            let before = if k == 0 { 0.0 } else { self.beside[k - 1] / pivot };
            pivot = diagonal - value - before;
            pivot > 0.0
        })
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn the_least_eigenvalue_of_a_diagonal_matrix_is_found() {
        // Conjugate gradients on diag(1, 2, ..., 40) / 1000 with a right side of ones.
        let matrix: Vec<f64> = (1..=40).map(|i| f64::from(i) / 1000.0).collect();
        let (mut residual, mut ritz) = (vec![1.0; 40], Ritz::default());
        let mut direction = residual.clone();
        let mut norm: f64 = residual.iter().map(|r| r * r).sum();
        for _ in 0..39 {
            let curvature: f64 = direction.iter().zip(&matrix).map(|(d, a)| a * d * d).sum();
            let length = norm / curvature;
            residual.iter_mut().zip(&direction).zip(&matrix).for_each(|((r, d), a)| *r -= length * a * d);
            let after: f64 = residual.iter().map(|r| r * r).sum();
            direction.iter_mut().zip(&residual).for_each(|(d, r)| *d = r + after / norm * *d);
            ritz.add(length, after / norm);
            norm = after;
        }
        let least = ritz.least().unwrap();
        assert!((0.9e-3..=1.01e-3).contains(&least), "{least}");
    }
}
