//! Quantile regression against exact arithmetic: every vertex of small integer problems, and certificates recomputed as
//! fractions.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use std::cmp::Ordering;

use common::estimates;
use noisefit_core::estimate::{Options, vertex};
use noisefit_core::record::Fit;
use noisefit_core::rows::{Matrix, MemoryRows};
use proptest::prelude::*;

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
    vertex::fit_quantiles(&rows, &[tau], &Options::default()).unwrap().pop().unwrap()
}

#[test]
fn small_integer_problems_are_solved_exactly_and_say_whether_they_have_one_solution() {
    let mut random = Random(7);
    let (mut solved, mut several, mut degenerate) = (0, 0, 0);
    while solved < 2000 {
        let order = 1 + random.next() as usize % 3;
        let count = order + random.next() as usize % 9;
        let intercept = !random.next().is_multiple_of(3);
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
        let estimates: Vec<f64> = fit.location.rows.iter().map(|c| c.estimate.unwrap()).collect();
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

/// Rows as they are, `x` by rows.
#[derive(Debug, Clone, Default)]
struct Data {
    x: Vec<f64>,
    y: Vec<f64>,
    columns: usize,
}

impl Data {
    fn rows(&self) -> MemoryRows<'_> {
        MemoryRows::new(&self.y, Matrix::row_major(&self.x, self.y.len(), self.columns).unwrap()).unwrap()
    }

    fn push(&mut self, x: &[f64], y: f64) {
        self.columns = x.len();
        self.x.extend(x);
        self.y.push(y);
    }

    /// The rows in another order.
    fn ordered(&self, order: &[usize]) -> Data {
        let mut data = Data::default();
        order.iter().for_each(|&i| data.push(&self.x[i * self.columns..(i + 1) * self.columns], self.y[i]));
        data
    }

    fn fit(&self, tau: f64) -> Fit {
        vertex::fit_quantiles(&self.rows(), &[tau], &Options::default()).unwrap().pop().unwrap()
    }
}

/// Rows that make `b` the only optimum at `tau = 1/4`: wherever there are some above, a third as many lie below.
fn constructed(random: &mut Random, triples: usize, zeros: usize, b: &[f64]) -> Data {
    let mut data = Data::default();
    let mut row = |random: &mut Random, count: usize, error: &dyn Fn(&mut Random, usize) -> f64| {
        let x: Vec<f64> = (1..b.len()).map(|_| random.integer(3) as f64).collect();
        let fitted = b[0] + x.iter().zip(&b[1..]).map(|(x, b)| x * b).sum::<f64>();
        (0..count).for_each(|k| data.push(&x, fitted + error(random, k)));
    };
    for _ in 0..triples {
        row(random, 4, &|random, k| if k == 0 { -1.0 } else { 1.0 } * (1 + random.next() % 5) as f64);
    }
    (0..zeros).for_each(|_| row(random, 1, &|_, _| 0.0));
    data
}

#[test]
fn sorted_clustered_and_heavily_tied_rows_in_any_number() {
    let (mut random, b) = (Random(3), [4.0, -2.0, 3.0, 1.0]);
    for (triples, zeros) in [(9_000, 4_000), (6_000, 60_000), (12_000, 4), (300, 90_000)] {
        let data = constructed(&mut random, triples, zeros, &b);
        let mut by_response: Vec<usize> = (0..data.y.len()).collect();
        by_response.sort_by(|&i, &j| data.y[i].total_cmp(&data.y[j]));
        let mut shuffled: Vec<usize> = (0..data.y.len()).collect();
        shuffled.sort_by_key(|&i| (i as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15));
        for data in [&data, &data.ordered(&by_response), &data.ordered(&shuffled)] {
            let fit = data.fit(0.25);
            let vertex = fit.vertex.as_ref().unwrap();
            for (estimate, b) in estimates(&fit).iter().zip(b) {
                assert!((estimate - b).abs() < 1e-14 * b.abs(), "{triples}, {zeros}: {:?}", estimates(&fit));
            }
            assert_eq!(vertex.zero_residuals, zeros as u64);
            assert!(vertex.unique && fit.termination.converged && fit.termination.duality_gap.unwrap() < 1e-14);
        }
    }
}

/// Whether duals solved from the rows with residual zero lie within their bounds: a certificate where these are as many
/// as there are coefficients.
fn assert_certified(data: &Data, fit: &Fit, tau: f64) {
    let (b, p) = (estimates(fit), data.columns + 1);
    let row = |i: usize| std::iter::once(1.0).chain(data.x[i * (p - 1)..(i + 1) * (p - 1)].iter().copied());
    let residual = |i: usize| data.y[i] - row(i).zip(&b).map(|(x, b)| x * b).sum::<f64>();
    let size = data.y.iter().fold(0.0, |size: f64, y| size.max(y.abs()));
    let (mut zeros, mut balance) = (Vec::new(), vec![0.0; p]);
    for i in 0..data.y.len() {
        let r = residual(i);
        if r.abs() < 1e-12 * size {
            zeros.push(i);
        } else {
            let slope = if r > 0.0 { tau } else { tau - 1.0 };
            row(i).enumerate().for_each(|(j, x)| balance[j] -= slope * x);
        }
    }
    assert_eq!(zeros.len(), p);
    let mut matrix: Vec<Vec<f64>> = (0..p).map(|j| zeros.iter().map(|&i| row(i).nth(j).unwrap()).collect()).collect();
    for k in 0..p {
        let pivot = (k..p).max_by(|&i, &j| matrix[i][k].abs().total_cmp(&matrix[j][k].abs())).unwrap();
        matrix.swap(k, pivot);
        balance.swap(k, pivot);
        for i in (0..p).filter(|&i| i != k) {
            let factor = matrix[i][k] / matrix[k][k];
            (k..p).for_each(|j| matrix[i][j] -= factor * matrix[k][j]);
            balance[i] -= factor * balance[k];
        }
    }
    for k in 0..p {
        let dual = balance[k] / matrix[k][k];
        assert!(dual >= tau - 1.0 - 1e-9 && dual <= tau + 1e-9, "{dual} outside of {} to {tau}", tau - 1.0);
    }
    assert_eq!(fit.vertex.as_ref().unwrap().zero_residuals, p as u64);
    assert!(fit.vertex.as_ref().unwrap().unique && fit.termination.duality_gap.unwrap() < 1e-14);
}

#[test]
fn many_rows_with_heavy_tails_leverage_and_a_rare_level() {
    let mut random = Random(11);
    let mut data = Data::default();
    for i in 0..50_000 {
        let u = random.normal();
        // Cauchy regressors, a level that 3 rows have, noise whose scale grows along the file.
        let x = [u, random.normal() / random.normal(), f64::from(u8::from(i % 20_000 == 7))];
        let y = 1.0 + 2.0 * u - x[1] + 5.0 * x[2] + (1.0 + i as f64 / 1e4) * random.normal() / random.uniform();
        data.push(&x, y);
    }
    for tau in [0.5, 0.03, 0.9] {
        assert_certified(&data, &data.fit(tau), tau);
    }
}

#[test]
fn several_quantiles_are_those_fitted_alone_and_their_crossings_are_counted() {
    let mut random = Random(5);
    let mut data = Data::default();
    for _ in 0..30_000 {
        let u = random.normal();
        data.push(&[u], u + (0.2 + u.abs()) * random.normal());
    }
    let few = data.ordered(&(0..400).collect::<Vec<_>>());
    for data in [&data, &few] {
        let levels = [0.1, 0.2, 0.21, 0.5];
        let fits = vertex::fit_quantiles(&data.rows(), &levels, &Options::default()).unwrap();
        for (k, (fit, tau)) in fits.iter().zip(levels).enumerate() {
            assert_eq!(estimates(fit), estimates(&data.fit(tau)));
            let location = |fit: &Fit, x: f64| estimates(fit)[0] + estimates(fit)[1] * x;
            let crossings = k
                .checked_sub(1)
                .map(|before| data.x.iter().filter(|&&x| location(fit, x) < location(&fits[before], x)).count() as u64);
            assert_eq!(fit.vertex.as_ref().unwrap().crossings, crossings);
        }
    }
}

#[test]
fn location_alone_is_the_sample_quantile() {
    let y = [7.0, 1.0, 5.0, 3.0];
    let median = |y: &[f64]| {
        let rows = MemoryRows::new(y, Matrix::row_major(&[], y.len(), 0).unwrap()).unwrap();
        vertex::fit_laplace(&rows, &Options::default()).unwrap()
    };
    let fit = median(&y[..3]);
    assert_eq!((estimates(&fit), fit.scale.common()), (vec![5.0], Some(2.0)));
    // b = 2, n = 3: -3 (ln 4 + 1).
    assert!((fit.log_likelihood().unwrap() + 3.0 * (4f64.ln() + 1.0)).abs() < 1e-14);
    let fit = median(&y);
    assert_eq!(estimates(&fit), [3.0], "of all medians between 3 and 5, the least");
    assert!(!fit.vertex.unwrap().unique);
    assert_eq!(fit.warnings.len(), 1);
    // The same number in every row, and one row.
    for y in [&[2.5; 7][..], &[2.5]] {
        let fit = median(y);
        assert_eq!((estimates(&fit), fit.scale.common(), fit.log_likelihood()), (vec![2.5], Some(0.0), None));
        assert_eq!(fit.vertex.unwrap().zero_residuals, y.len() as u64);
    }
    let many: Vec<f64> = (0..70_001).map(|i| f64::from((i * 7919) % 70_001)).collect();
    assert_eq!(estimates(&median(&many)), [35_000.0]);
}

#[test]
fn one_regressor_through_the_origin_is_a_weighted_median_of_slopes() {
    let (x, y) = ([1.0, 2.0, 4.0, -1.0, 3.0], [2.0, 1.0, 12.0, -1.5, 3.0]);
    let rows = MemoryRows::new(&y, Matrix::row_major(&x, 5, 1).unwrap()).unwrap().without_intercept();
    // Slopes 0.5, 1, 1.5, 2, 3 with weights 2, 3, 1, 1, 4: the half, 5.5, is passed at 1.5.
    assert_eq!(estimates(&vertex::fit_laplace(&rows, &Options::default()).unwrap()), [1.5]);
}

#[test]
fn as_many_rows_as_coefficients_are_interpolated() {
    let rows_of = |x: &[f64], y: &[f64]| {
        let rows = MemoryRows::new(y, Matrix::row_major(x, y.len(), 1).unwrap()).unwrap();
        vertex::fit_laplace(&rows, &Options::default()).unwrap()
    };
    let fit = rows_of(&[1.0, 3.0], &[2.0, 8.0]);
    assert_eq!((estimates(&fit), fit.scale.common()), (vec![-1.0, 3.0], Some(0.0)));
    assert!(fit.location.rows.iter().all(|c| c.std_error.is_none()) && fit.log_likelihood().is_none());
}

#[test]
fn units_of_any_size() {
    let mut random = Random(23);
    let mut data = Data::default();
    for _ in 0..200 {
        let u = random.normal();
        data.push(&[u, random.normal()], 3.0 + u + random.normal());
    }
    let plain = data.fit(0.5);
    for size in [1e-150, 1e150] {
        let mut scaled = data.clone();
        scaled.y.iter_mut().for_each(|y| *y *= size);
        let fit = scaled.fit(0.5);
        for (scaled, plain) in estimates(&fit).iter().zip(estimates(&plain)) {
            assert!((scaled / size / plain - 1.0).abs() < 1e-13);
        }
        assert!((fit.scale.common().unwrap() / size / plain.scale.common().unwrap() - 1.0).abs() < 1e-14);
        assert!(fit.location.rows.iter().all(|c| c.std_error.is_some_and(|e| e > 0.0 && e.is_finite())));
    }
}

#[test]
fn frequencies_are_repeated_rows_and_a_weight_of_four_counts_twice() {
    for count in [60, 25_000] {
        let mut random = Random(29);
        let (mut data, mut repeated, mut frequencies) = (Data::default(), Data::default(), Vec::new());
        for _ in 0..count {
            let (x, f) = ([random.normal(), random.integer(2) as f64], 1 + random.next() % 3);
            let y = x[0] + random.normal();
            data.push(&x, y);
            (0..f).for_each(|_| repeated.push(&x, y));
            frequencies.push(f as f64);
        }
        let squares: Vec<f64> = frequencies.iter().map(|f| f * f).collect();
        let fit = |rows: MemoryRows<'_>| vertex::fit_laplace(&rows, &Options::default()).unwrap();
        let counted = fit(data.rows().with_frequencies(&frequencies).unwrap());
        let plain = fit(repeated.rows());
        let weighted = fit(data.rows().with_weights(&squares).unwrap());
        assert_eq!(estimates(&counted), estimates(&plain));
        assert_eq!(estimates(&weighted), estimates(&plain));
        assert_eq!(counted.nobs, plain.nobs);
        for (a, b) in [
            (counted.scale.common(), plain.scale.common()),
            (counted.log_likelihood(), plain.log_likelihood()),
            (counted.goodness.mae, plain.goodness.mae),
            (Some(counted.goodness.rmse), Some(plain.goodness.rmse)),
            (counted.goodness.r_squared, plain.goodness.r_squared),
        ] {
            assert!((a.unwrap() / b.unwrap() - 1.0).abs() < 1e-12);
        }
        // The scale of the weighted residuals over the rows: b = sum(sqrt(w) |e|) / n.
        let ratio = repeated.y.len() as f64 / data.y.len() as f64;
        assert!((weighted.scale.common().unwrap() / plain.scale.common().unwrap() / ratio - 1.0).abs() < 1e-12);
    }
}

#[test]
fn threads_and_the_order_of_rows_make_no_difference() {
    let mut random = Random(31);
    let mut data = Data::default();
    for _ in 0..45_000 {
        let x = [random.normal(), random.normal()];
        data.push(&x, x[0] - x[1] + random.normal());
    }
    let fit = |threads| vertex::fit_laplace(&data.rows().with_threads(threads), &Options::default()).unwrap();
    assert_eq!(fit(1), fit(3));
    let mut order: Vec<usize> = (0..data.y.len()).collect();
    order.sort_by(|&i, &j| data.x[2 * i].total_cmp(&data.x[2 * j]));
    assert_eq!(estimates(&fit(1)), estimates(&data.ordered(&order).fit(0.5)));
}

#[test]
fn terms_that_others_make_up_are_left_out() {
    let mut random = Random(37);
    let mut data = Data::default();
    for _ in 0..100 {
        let u = random.normal();
        data.push(&[u, 2.0 * u - 1.0, random.normal()], u + random.normal());
    }
    let fit = data.fit(0.5);
    assert_eq!(fit.location.rows[2].estimate, None);
    let kept: Vec<f64> = data.x.chunks(3).flat_map(|row| [row[0], row[2]]).collect();
    let alone = Data { x: kept, y: data.y.clone(), columns: 2 }.fit(0.5);
    let present: Vec<f64> = fit.location.rows.iter().filter_map(|c| c.estimate).collect();
    assert_eq!(present, estimates(&alone));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn equivariant(seed in 0u64..1000, shift in prop::array::uniform2(-3i32..=3), power in -3i32..=3, tau in 0.05f64..0.95) {
        let mut random = Random(seed);
        let mut data = Data::default();
        for _ in 0..40 {
            let x = [random.normal(), random.normal()];
            data.push(&x, 0.5 + x[0] + random.normal());
        }
        let plain = estimates(&data.fit(tau));
        let near = |found: Vec<f64>, expected: Vec<f64>| {
            found.iter().zip(&expected).all(|(f, e)| (f - e).abs() <= 1e-12 * (1.0 + e.abs()))
        };
        // y + X c adds c; a y, with a > 0, multiplies by a; -y turns the quantile about.
        let c = shift.map(f64::from);
        let mut moved = data.clone();
        moved.y.iter_mut().zip(data.x.chunks(2)).for_each(|(y, x)| *y += c[0] + c[1] * x[1]);
        prop_assert!(near(estimates(&moved.fit(tau)), vec![plain[0] + c[0], plain[1], plain[2] + c[1]]));
        let a = 2f64.powi(power) * 1.25;
        let mut scaled = data.clone();
        scaled.y.iter_mut().for_each(|y| *y *= a);
        prop_assert!(near(estimates(&scaled.fit(tau)), plain.iter().map(|b| b * a).collect()));
        scaled.y.iter_mut().for_each(|y| *y = -*y);
        prop_assert!(near(estimates(&scaled.fit(1.0 - tau)), plain.iter().map(|b| -b * a).collect()));
        // Columns u = x1 + x2, v = 2 x2 + 3.
        let mut other = data.clone();
        other.x.chunks_mut(2).for_each(|x| (x[0], x[1]) = (x[0] + x[1], 2.0 * x[1] + 3.0));
        let half = (plain[2] - plain[1]) / 2.0;
        prop_assert!(near(estimates(&other.fit(tau)), vec![plain[0] - 3.0 * half, plain[1], half]));
    }
}

#[test]
fn many_groups_of_even_size_have_many_optima_and_that_of_the_lower_medians_is_taken() {
    let mut random = Random(41);
    let (groups, size) = (60, 8);
    let mut responses = vec![Vec::new(); groups];
    let mut data = Data::default();
    for i in 0..groups * size {
        let group = i % groups;
        let y = random.normal();
        responses[group].push(y);
        // Indicators of all groups but the first.
        let x: Vec<f64> = (1..groups).map(|g| f64::from(u8::from(g == group))).collect();
        data.push(&x, y);
    }
    let fit = data.fit(0.5);
    responses.iter_mut().for_each(|y| y.sort_by(f64::total_cmp));
    let found = estimates(&fit);
    for (group, y) in responses.iter().enumerate() {
        let location = found[0] + if group > 0 { found[group] } else { 0.0 };
        assert!((location - y[size / 2 - 1]).abs() < 1e-14, "{location} and not {}", y[size / 2 - 1]);
    }
    assert!(!fit.vertex.unwrap().unique);
}
