//! What several tests at once do to p-values and intervals.

use serde::{Deserialize, Serialize};

use crate::numeric::distribution::{ChiSquared, Distribution, FisherF, Normal};
use crate::record::reference;
use crate::rows::scattered_share;

/// How p-values, and intervals where that is defined, allow for the number of hypotheses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Adjust {
    /// `none`: each hypothesis by itself.
    #[default]
    None,
    /// `holm`: p-values such that the chance of rejecting any true hypothesis is kept, step by step (Holm 1979, *Scandinavian
    /// Journal of Statistics* 6, 65-70). Intervals stay as they are.
    Holm,
    /// `bonferroni`: p-values times the number of hypotheses, and intervals that hold all at once.
    Bonferroni,
    /// `max-t`: by the distribution of the largest of the statistics, which are correlated (Hothorn, Bretz and Westfall 2008,
    /// *Biometrical Journal* 50, 346-363), with intervals that hold all at once.
    MaxT,
}

crate::named!(Adjust {
    None = "none": "Each hypothesis by itself",
    Holm = "holm": "Step-down p-values that keep the chance of any false rejection",
    Bonferroni = "bonferroni": "The number of hypotheses times the p-value, and simultaneous intervals",
    MaxT = "max-t": "By the joint distribution of the statistics, with simultaneous intervals",
});

/// Holm's p-values.
pub(super) fn holm(p_values: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..p_values.len()).collect();
    order.sort_by(|&a, &b| p_values[a].total_cmp(&p_values[b]));
    let (mut adjusted, mut largest) = (vec![0.0; p_values.len()], 0.0f64);
    for (step, place) in order.into_iter().enumerate() {
        largest = largest.max((p_values.len() - step) as f64 * p_values[place]).min(1.0);
        adjusted[place] = largest;
    }
    adjusted
}

/// Directions that are looked at in a plane, and in more dimensions.
const DIRECTIONS: [u64; 2] = [1 << 14, 1 << 16];

/// Neighbouring directions that are taken as one, alike.
const TOGETHER: [usize; 2] = [8, 64];

/// The distribution of the largest of several correlated statistics in absolute value, each Student's t with the same degrees of
/// freedom, or normal.
///
/// With `A A'` their correlation matrix of rank `r`, the statistics are `A z / s`, and `z` has a direction `u` and a length that are
/// independent: `P(max |t| > c)` is the mean over directions of `P(F_{r, df} > (c / h)^2 / r)`, `h` the largest of `|A u|`. Both tails
/// and centre are as accurate as that mean is: in a plane to eight digits, in more dimensions to about three.
#[derive(Debug, Clone)]
pub(super) struct LargestT {
    df: f64,
    rank: usize,
    /// `h` of groups of directions.
    heights: Vec<f64>,
    count: usize,
}

impl LargestT {
    /// Of statistics with this covariance matrix; none where one of them has no variance.
    pub(super) fn new(covariance: &[Vec<f64>], df: f64, seed: u64) -> Option<Self> {
        let count = covariance.len();
        if !(0..count).all(|i| covariance[i][i] > 0.0) {
            return None;
        }
        let factor = factor(covariance);
        let rank = factor.first().map_or(0, Vec::len);
        let mut heights = match rank {
            0 => return None,
            1 => vec![1.0],
            _ => heights(&factor, rank, seed),
        };
        heights.sort_by(f64::total_cmp);
        let together = TOGETHER[usize::from(rank > 2)];
        let heights = heights.chunks(together).map(|group| group.iter().sum::<f64>() / group.len() as f64).collect();
        Some(LargestT { df, rank, heights, count })
    }

    /// `P(max |t| > c)`: at least that of one of them, at most the sum of all.
    pub(super) fn survival(&self, c: f64) -> f64 {
        let (c, r) = (c.abs(), self.rank as f64);
        let one = |length: f64| match self.df.is_finite() {
            true => FisherF::new(r, self.df).map_or(f64::NAN, |f| f.survival(length / r)),
            false => ChiSquared::new(r).map_or(f64::NAN, |chi| chi.survival(length)),
        };
        let mean = self.heights.iter().map(|h| one((c / h).powi(2))).sum::<f64>() / self.heights.len() as f64;
        let alone = reference(self.df).map_or(f64::NAN, |t| t.two_sided(c));
        mean.clamp(alone, (alone * self.count as f64).min(1.0))
    }

    /// The `c` with `P(max |t| <= c) = level`.
    pub(super) fn critical(&self, level: f64) -> Option<f64> {
        let t = reference(self.df)?;
        let target = 1.0 - level;
        let (mut low, mut high) = (t.critical(level), t.critical(1.0 - target / self.count as f64));
        for _ in 0..60 {
            let middle = 0.5 * (low + high);
            if self.survival(middle) > target {
                low = middle
            } else {
                high = middle
            }
            if high - low <= 1e-12 * high {
                break;
            }
        }
        Some(0.5 * (low + high))
    }
}

/// `A` with `A A'` the correlation matrix, as many columns as its rank: Cholesky's factor, the largest pivot first.
fn factor(covariance: &[Vec<f64>]) -> Vec<Vec<f64>> {
    let count = covariance.len();
    let deviation: Vec<f64> = (0..count).map(|i| covariance[i][i].sqrt()).collect();
    let mut rest: Vec<Vec<f64>> =
        (0..count).map(|i| (0..count).map(|j| covariance[i][j] / (deviation[i] * deviation[j])).collect()).collect();
    let mut rows = vec![Vec::new(); count];
    for _ in 0..count {
        let Some(pivot) = (0..count).max_by(|&a, &b| rest[a][a].total_cmp(&rest[b][b])) else { break };
        // Correlations are known to the digits of the covariance, not to the last one.
        if rest[pivot][pivot] <= 1e-10 {
            break;
        }
        let root = rest[pivot][pivot].sqrt();
        let column: Vec<f64> = (0..count).map(|i| rest[i][pivot] / root).collect();
        for i in 0..count {
            rows[i].push(column[i]);
            for j in 0..count {
                rest[i][j] -= column[i] * column[j];
            }
        }
    }
    rows
}

/// The largest of `|A u|` for directions `u` that are spread evenly.
fn heights(factor: &[Vec<f64>], rank: usize, seed: u64) -> Vec<f64> {
    let height = |u: &[f64]| {
        let length = u.iter().map(|x| x * x).sum::<f64>().sqrt();
        let along = |row: &Vec<f64>| row.iter().zip(u).map(|(a, x)| a * x).sum::<f64>().abs();
        factor.iter().map(along).fold(0.0, f64::max) / length
    };
    if rank == 2 {
        let angle = |k: u64| std::f64::consts::PI * (k as f64 + 0.5) / DIRECTIONS[0] as f64;
        return (0..DIRECTIONS[0]).map(|k| height(&[angle(k).cos(), angle(k).sin()])).collect();
    }
    // Kronecker's sequence by the powers of the root of x^(r + 1) = x + 1, from a start that the seed tells.
    let mut root = 1.5f64;
    for _ in 0..100 {
        root = (1.0 + root).powf(1.0 / (rank as f64 + 1.0));
    }
    let steps: Vec<f64> = (1..=rank).map(|j| root.powi(-(j as i32))).collect();
    let starts: Vec<f64> = (0..rank).map(|j| scattered_share(seed, j as u64)).collect();
    let point = |k: u64| {
        let share = |j: usize| (starts[j] + (k as f64 + 1.0) * steps[j]).fract().clamp(1e-15, 1.0 - 1e-15);
        (0..rank).map(|j| Normal.quantile(share(j))).collect::<Vec<f64>>()
    };
    (0..DIRECTIONS[1]).map(|k| height(&point(k))).collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn holm_is_his_own_example() {
        // R: p.adjust(c(0.01, 0.02, 0.03, 0.04), "holm") and an unordered one with a tie at one.
        assert_eq!(holm(&[0.01, 0.02, 0.03, 0.04]), [0.04, 0.06, 0.06, 0.06]);
        assert_eq!(holm(&[0.5, 0.01, 0.9]), [1.0, 0.03, 1.0]);
    }

    fn identity(count: usize) -> Vec<Vec<f64>> {
        (0..count).map(|i| (0..count).map(|j| f64::from(u8::from(i == j))).collect()).collect()
    }

    /// Independent normal statistics: `1 - (1 - p)^m`.
    #[test]
    fn independent_normals_have_a_closed_form() {
        for (count, tolerance) in [(1, 1e-13), (2, 1e-7), (3, 1e-3), (5, 1e-3), (10, 2e-3)] {
            let largest = LargestT::new(&identity(count), f64::INFINITY, 0).unwrap();
            for c in [1.5, 2.0, 3.0, 5.0] {
                let p = reference(f64::INFINITY).unwrap().two_sided(c);
                let exact = -(count as f64 * (-p).ln_1p()).exp_m1();
                let found = largest.survival(c);
                assert!((found / exact - 1.0).abs() < tolerance * 4.0, "{count} {c}: {found} {exact}");
            }
        }
    }

    /// All pairs of means of groups of one size: Tukey's studentized range over the root of two, of which tables have
    /// q(0.95; 3, 20) = 3.578, q(0.95; 3, infinity) = 3.314 and q(0.95; 4, 20) = 3.958.
    #[test]
    fn all_pairs_are_tukeys() {
        let pairs = |groups: usize| {
            let rows: Vec<Vec<f64>> = (0..groups)
                .flat_map(|i| (0..i).map(move |j| (i, j)))
                .map(|(i, j)| {
                    (0..groups)
                        .map(|k| {
                            if k == i {
                                1.0
                            } else if k == j {
                                -1.0
                            } else {
                                0.0
                            }
                        })
                        .collect()
                })
                .collect();
            let product = |a: &Vec<f64>, b: &Vec<f64>| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
            rows.iter().map(|a| rows.iter().map(|b| product(a, b)).collect()).collect::<Vec<Vec<f64>>>()
        };
        for (groups, df, q, tolerance) in
            [(3, 20.0, 3.577935, 1e-5), (3, f64::INFINITY, 3.314493, 1e-5), (4, 20.0, 3.958293, 2e-3)]
        {
            let largest = LargestT::new(&pairs(groups), df, 1).unwrap();
            let found = largest.critical(0.95).unwrap() * 2f64.sqrt();
            assert!((found - q).abs() < tolerance, "{groups} {df}: {found} {q}");
        }
    }

    #[test]
    fn one_statistic_twice_is_one() {
        let largest = LargestT::new(&[vec![4.0, 6.0], vec![6.0, 9.0]], 7.0, 0).unwrap();
        let t = reference(7.0).unwrap();
        assert!((largest.survival(2.0) - t.two_sided(2.0)).abs() < 1e-14);
        assert!((largest.critical(0.9).unwrap() - t.critical(0.9)).abs() < 1e-10);
        assert!(LargestT::new(&[vec![0.0]], 7.0, 0).is_none());
    }
}
