//! Smooth functions of one number by polynomials between given ends: for a function that is asked for many times and slow to compute.

/// The coefficients of a piece: Chebyshev polynomials up to the degree 15.
const TERMS: usize = 16;

/// A function on an interval, by Chebyshev interpolation on each of its pieces, with its derivative.
///
/// Of a function that is analytic about a piece the error falls as `rho^-16`, `rho` the sum of the half axes of the ellipse around the
/// piece, in halves of its length, within which that holds (Trefethen 2013, *Approximation Theory and Approximation Practice*, chapter 8).
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Pieces {
    ends: Vec<f64>,
    /// The values at the ends.
    at_ends: Vec<f64>,
    /// For each piece the coefficients of the function and of its derivative.
    pieces: Vec<[[f64; TERMS]; 2]>,
}

impl Pieces {
    /// The function between ends, which ascend.
    pub(crate) fn new(ends: &[f64], function: impl Fn(f64) -> f64) -> Self {
        let pieces: Vec<_> = ends.windows(2).map(|ends| piece(ends[0], ends[1], &function)).collect();
        let mut made = Pieces { ends: ends.to_vec(), at_ends: Vec::new(), pieces };
        let last = made.pieces.len().saturating_sub(1);
        made.at_ends = ends.iter().enumerate().map(|(k, &x)| made.evaluate(k.min(last), x)[0]).collect();
        made
    }

    /// The ends of the pieces.
    pub(crate) fn ends(&self) -> &[f64] {
        &self.ends
    }

    /// The function at an end, by its place.
    pub(crate) fn at_end(&self, place: usize) -> f64 {
        self.at_ends[place]
    }

    /// The function and its derivative at a place in a piece.
    pub(crate) fn evaluate(&self, piece: usize, x: f64) -> [f64; 2] {
        let (a, b) = (self.ends[piece], self.ends[piece + 1]);
        let t = ((x - a) - (b - x)) / (b - a);
        self.pieces[piece].each_ref().map(|coefficients| sum(coefficients, t))
    }
}

fn piece(a: f64, b: f64, function: impl Fn(f64) -> f64) -> [[f64; TERMS]; 2] {
    let count = TERMS as f64;
    let angle = |j: usize| (j as f64 + 0.5) * std::f64::consts::PI / count;
    let values: [f64; TERMS] = std::array::from_fn(|j| function(a.midpoint(b) + 0.5 * (b - a) * angle(j).cos()));
    let own: [f64; TERMS] = std::array::from_fn(|k| {
        let sum: f64 = values.iter().enumerate().map(|(j, value)| value * (k as f64 * angle(j)).cos()).sum();
        sum * if k == 0 { 1.0 } else { 2.0 } / count
    });
    let mut slopes = [0.0; TERMS];
    for k in (1..TERMS).rev() {
        slopes[k - 1] = slopes.get(k + 1).copied().unwrap_or(0.0) + 2.0 * k as f64 * own[k];
    }
    slopes[0] *= 0.5;
    slopes.iter_mut().for_each(|slope| *slope *= 2.0 / (b - a));
    [own, slopes]
}

/// The sum of Chebyshev polynomials at `t` in -1..1 (Clenshaw 1955).
fn sum(coefficients: &[f64; TERMS], t: f64) -> f64 {
    let (mut next, mut after) = (0.0, 0.0);
    for coefficient in coefficients[1..].iter().rev() {
        (next, after) = (2.0 * t * next - after + coefficient, next);
    }
    t * next - after + coefficients[0]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_smooth_function_and_its_derivative_are_there_to_rounding() {
        let pieces = Pieces::new(&[0.0, 1.0, 3.0], |x| (1.5 * x).sin() + x);
        for k in 0..=300 {
            let x = f64::from(k) * 0.01;
            let [value, slope] = pieces.evaluate(usize::from(x > 1.0), x);
            assert!((value - (1.5 * x).sin() - x).abs() < 1e-13, "{x}: {value}");
            assert!((slope - 1.5 * (1.5 * x).cos() - 1.0).abs() < 1e-11, "{x}: {slope}");
        }
        assert!((pieces.at_end(2) - 4.5f64.sin() - 3.0).abs() < 1e-13);
        assert_eq!(pieces.ends(), [0.0, 1.0, 3.0]);
    }
}
