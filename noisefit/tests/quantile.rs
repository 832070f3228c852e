//! Quantile regression against exact arithmetic: every vertex of small integer problems, and certificates recomputed as
//! fractions.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::cmp::Ordering;

use noisefit::fit::Fit;
use noisefit::linear::{Options, quantile};
use noisefit::rows::{Matrix, MemoryRows};

/// A fraction in lowest terms with a positive denominator.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Fraction(i128, i128);

impl Fraction {
    const ZERO: Fraction = Fraction(0, 1);

    fn new(numerator: i128, denominator: i128) -> Self {
        let (mut a, mut b) = (numerator.abs(), denominator.abs());
        while b != 0 {
            (a, b) = (b, a % b);
        }
        let sign = if denominator < 0 { -1 } else { 1 };
        let divisor = sign * a.max(1);
        Fraction(numerator / divisor, denominator / divisor)
    }

    fn plus(self, other: Fraction) -> Self {
        Fraction::new(self.0 * other.1 + other.0 * self.1, self.1 * other.1)
    }

    fn times(self, other: Fraction) -> Self {
        Fraction::new(self.0 * other.0, self.1 * other.1)
    }

    fn negative(self) -> Self {
        Fraction(-self.0, self.1)
    }

    fn compare(self, other: Fraction) -> Ordering {
        self.plus(other.negative()).0.cmp(&0)
    }

    fn value(self) -> f64 {
        self.0 as f64 / self.1 as f64
    }
}

/// `x` with `A x = b`, none where `A` is singular.
fn solve(mut a: Vec<Vec<Fraction>>, mut b: Vec<Fraction>) -> Option<Vec<Fraction>> {
    let n = b.len();
    for k in 0..n {
        let pivot = (k..n).find(|&i| a[i][k].0 != 0)?;
        a.swap(k, pivot);
        b.swap(k, pivot);
        for i in 0..n {
            if i != k && a[i][k].0 != 0 {
                let factor = a[i][k].times(Fraction::new(a[k][k].1, a[k][k].0)).negative();
                for j in k..n {
                    a[i][j] = a[i][j].plus(a[k][j].times(factor));
                }
                b[i] = b[i].plus(b[k].times(factor));
            }
        }
    }
    Some((0..n).map(|k| b[k].times(Fraction::new(a[k][k].1, a[k][k].0))).collect())
}

/// A quantile problem in integers.
#[derive(Debug)]
struct Problem {
    x: Vec<Vec<i128>>,
    y: Vec<i128>,
    tau: Fraction,
}

impl Problem {
    fn rows(&self) -> usize {
        self.y.len()
    }

    fn order(&self) -> usize {
        self.x[0].len()
    }

    fn fitted(&self, i: usize, b: &[Fraction]) -> Fraction {
        self.x[i].iter().zip(b).fold(Fraction::ZERO, |sum, (&x, &b)| sum.plus(b.times(Fraction(x, 1))))
    }

    fn residual(&self, i: usize, b: &[Fraction]) -> Fraction {
        Fraction(self.y[i], 1).plus(self.fitted(i, b).negative())
    }

    fn slope(&self, above: bool) -> Fraction {
        if above { self.tau } else { self.tau.plus(Fraction(-1, 1)) }
    }

    fn objective(&self, b: &[Fraction]) -> Fraction {
        (0..self.rows()).fold(Fraction::ZERO, |sum, i| {
            let r = self.residual(i, b);
            sum.plus(r.times(self.slope(r.0 > 0)))
        })
    }

    fn mean_fitted(&self, b: &[Fraction]) -> Fraction {
        (0..self.rows()).fold(Fraction::ZERO, |sum, i| sum.plus(self.fitted(i, b)))
    }

    fn through(&self, basis: &[usize]) -> Option<Vec<Fraction>> {
        let matrix = basis.iter().map(|&i| self.x[i].iter().map(|&x| Fraction(x, 1)).collect()).collect();
        solve(matrix, basis.iter().map(|&i| Fraction(self.y[i], 1)).collect())
    }

    /// All optimal vertices, by going through all of them.
    fn optima(&self) -> Vec<Vec<Fraction>> {
        let (mut least, mut optima): (Option<Fraction>, Vec<Vec<Fraction>>) = (None, Vec::new());
        for basis in subsets(self.rows(), self.order()) {
            let Some(b) = self.through(&basis) else { continue };
            let objective = self.objective(&b);
            match least.map_or(Ordering::Less, |least| objective.compare(least)) {
                Ordering::Less => (least, optima) = (Some(objective), vec![b]),
                Ordering::Equal if !optima.contains(&b) => optima.push(b),
                _ => {}
            }
        }
        optima
    }

    /// Whether duals within the bounds balance the gradient at `b`: some with all but `p` of the zero rows at a bound do,
    /// if any do.
    fn has_certificate(&self, b: &[Fraction]) -> bool {
        let p = self.order();
        let zeros: Vec<usize> = (0..self.rows()).filter(|&i| self.residual(i, b).0 == 0).collect();
        let mut balance = vec![Fraction::ZERO; p];
        let add = |balance: &mut Vec<Fraction>, i: usize, a: Fraction| {
            (0..p).for_each(|j| balance[j] = balance[j].plus(a.times(Fraction(-self.x[i][j], 1))));
        };
        for i in (0..self.rows()).filter(|i| !zeros.contains(i)) {
            add(&mut balance, i, self.slope(self.residual(i, b).0 > 0));
        }
        subsets(zeros.len(), p).any(|inside| {
            let inside: Vec<usize> = inside.iter().map(|&k| zeros[k]).collect();
            let outside: Vec<usize> = zeros.iter().copied().filter(|i| !inside.contains(i)).collect();
            (0..1u32 << outside.len()).any(|sides| {
                let mut balance = balance.clone();
                for (k, &i) in outside.iter().enumerate() {
                    add(&mut balance, i, self.slope(sides >> k & 1 == 1));
                }
                let transposed = (0..p).map(|j| inside.iter().map(|&i| Fraction(self.x[i][j], 1)).collect()).collect();
                solve(transposed, balance).is_some_and(|duals| {
                    duals.iter().all(|&a| {
                        a.compare(self.slope(false)) != Ordering::Less
                            && a.compare(self.slope(true)) != Ordering::Greater
                    })
                })
            })
        })
    }
}

/// Every way to choose `k` of `n`.
fn subsets(n: usize, k: usize) -> impl Iterator<Item = Vec<usize>> {
    let mut next = (k <= n).then(|| (0..k).collect::<Vec<_>>());
    std::iter::from_fn(move || {
        let current = next.clone()?;
        let mut following = current.clone();
        next = (0..k).rev().find(|&i| following[i] < n - k + i).map(|i| {
            following[i] += 1;
            (i + 1..k).for_each(|j| following[j] = following[j - 1] + 1);
            following
        });
        Some(current)
    })
}

/// A small generator (Knuth's MMIX linear congruence), so that every run sees the same data.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        self.0 >> 33
    }

    /// An integer in `-size..=size`.
    fn integer(&mut self, size: i64) -> i64 {
        (self.next() % (2 * size as u64 + 1)) as i64 - size
    }

    /// A number in 0..1.
    fn uniform(&mut self) -> f64 {
        (self.next() as f64 + 0.5) / (1u64 << 31) as f64
    }

    /// A standard normal number.
    fn normal(&mut self) -> f64 {
        (-2.0 * self.uniform().ln()).sqrt() * (std::f64::consts::TAU * self.uniform()).cos()
    }
}

fn fit_integers(problem: &Problem, tau: f64, intercept: bool) -> Fit {
    let skip = usize::from(intercept);
    let x: Vec<f64> = problem.x.iter().flat_map(|row| row[skip..].iter().map(|&x| x as f64)).collect();
    let y: Vec<f64> = problem.y.iter().map(|&y| y as f64).collect();
    let rows = MemoryRows::new(&y, Matrix::row_major(&x, y.len(), problem.order() - skip).unwrap()).unwrap();
    let rows = if intercept { rows } else { rows.without_intercept() };
    quantile::fit_quantiles(&rows, &[tau], &Options::default()).unwrap().pop().unwrap()
}

#[test]
fn small_integer_problems_are_solved_exactly_and_say_whether_they_have_one_solution() {
    let mut random = Random(7);
    let (mut solved, mut several, mut degenerate) = (0, 0, 0);
    while solved < 2000 {
        let order = 1 + random.next() as usize % 3;
        let count = order + random.next() as usize % 9;
        let intercept = random.next() % 3 > 0;
        let size = 1 + random.next() as i64 % 4;
        let row = |random: &mut Random| {
            let first = if intercept { 1 } else { random.integer(size) };
            std::iter::once(first).chain((1..order).map(|_| random.integer(size))).map(i128::from).collect()
        };
        let x: Vec<Vec<i128>> = (0..count).map(|_| row(&mut random)).collect();
        let y = (0..count).map(|_| i128::from(random.integer(size))).collect();
        let (tau, exact) =
            [(0.5, Fraction(1, 2)), (0.25, Fraction(1, 4)), (0.9, Fraction(9, 10))][random.next() as usize % 3];
        let problem = Problem { x, y, tau: exact };
        let optima = problem.optima();
        if optima.is_empty() {
            // Columns that depend on one another.
            continue;
        }
        let fit = fit_integers(&problem, tau, intercept);
        let estimates: Vec<f64> = fit.coefficients.iter().map(|c| c.estimate.unwrap()).collect();
        let near = |b: &&Vec<Fraction>| {
            b.iter().zip(&estimates).all(|(b, e)| (b.value() - e).abs() <= 4.0 * f64::EPSILON * (1.0 + b.value().abs()))
        };
        let Some(found) = optima.iter().find(near) else {
            panic!("{problem:?}: {estimates:?} where {optima:?} were expected")
        };
        let vertex = fit.vertex.unwrap();
        assert!(problem.has_certificate(found), "{problem:?}");
        assert_eq!(vertex.unique, optima.len() == 1, "{problem:?}: {optima:?}");
        let zeros = (0..problem.rows()).filter(|&i| problem.residual(i, found).0 == 0).count();
        assert_eq!(vertex.zero_residuals, zeros as u64, "{problem:?}");
        let least = optima.iter().map(|b| problem.mean_fitted(b)).min_by(|a, b| a.compare(*b)).unwrap();
        assert_eq!(problem.mean_fitted(found), least, "{problem:?}: {optima:?}, {estimates:?}");
        let objective = problem.objective(found).value();
        assert!((vertex.objective - objective).abs() <= 1e-15 * objective.max(1.0));
        assert!(fit.termination.converged && fit.termination.duality_gap.unwrap() <= 1e-14, "{problem:?}");
        solved += 1;
        several += usize::from(optima.len() > 1);
        degenerate += usize::from(zeros > order);
    }
    assert!(several > 200 && degenerate > 600, "{several} with several optima, {degenerate} degenerate");
}
