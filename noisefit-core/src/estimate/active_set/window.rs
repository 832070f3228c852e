//! The rows whose residuals are about as large as the median one, and how many are smaller.

use std::cmp::Ordering;

use serde::{Deserialize, Serialize};

/// Rows kept, about: a window of the data in which the median is to be found exactly.
pub(super) const WINDOW_ROWS: usize = 16_384;

/// The rows with sizes `|u|` within `radius` of `centre`, at most some twice [`WINDOW_ROWS`] of them: the radius shrinks
/// when there are more.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Window {
    centre: f64,
    radius: f64,
    /// Numbers of a row: `u`, its frequency, and its design row times the root of its weight.
    width: usize,
    /// The sum of the frequencies of rows below the window.
    below: f64,
    values: Vec<f64>,
    /// Rows at which the window is thinned out.
    bound: usize,
}

impl Window {
    pub(super) fn new(centre: f64, radius: f64, coefficients: usize) -> Self {
        Window { centre, radius, width: coefficients + 2, below: 0.0, values: Vec::new(), bound: 2 * WINDOW_ROWS }
    }

    pub(super) fn rows(&self) -> usize {
        self.values.len() / self.width
    }

    /// Takes note of a row; true where its design row is to be [`keep`](Self::keep)t, too.
    #[inline(always)]
    pub(super) fn reaches(&mut self, size: f64, frequency: f64) -> bool {
        let distance = size - self.centre;
        self.below += if distance < -self.radius { frequency } else { 0.0 };
        distance.abs() <= self.radius
    }

    pub(super) fn keep(&mut self, u: f64, frequency: f64, row: impl Iterator<Item = f64>) {
        self.values.extend([u, frequency]);
        self.values.extend(row);
        if self.rows() > self.bound {
            self.thin();
        }
    }

    /// Equal rows become one; then the window shrinks to about [`WINDOW_ROWS`].
    fn thin(&mut self) {
        self.unite();
        if self.rows() > WINDOW_ROWS {
            let mut distances: Vec<f64> = self.sizes().map(|size| (size - self.centre).abs()).collect();
            let (_, radius, _) = distances.select_nth_unstable_by(WINDOW_ROWS - 1, f64::total_cmp);
            self.shrink(*radius);
        }
        self.bound = 2 * self.rows().max(WINDOW_ROWS);
    }

    fn sizes(&self) -> impl Iterator<Item = f64> {
        self.values.chunks_exact(self.width).map(|row| row[0].abs())
    }

    /// Drops the rows farther than `radius` from the centre.
    fn shrink(&mut self, radius: f64) {
        self.radius = radius;
        let (width, mut kept) = (self.width, 0);
        for i in 0..self.rows() {
            let distance = self.values[i * width].abs() - self.centre;
            if distance.abs() <= radius {
                self.values.copy_within(i * width..(i + 1) * width, kept * width);
                kept += 1;
            } else if distance < 0.0 {
                self.below += self.values[i * width + 1];
            }
        }
        self.values.truncate(kept * width);
    }

    /// Counts rows that are the same once, so that data of few values take little room.
    fn unite(&mut self) {
        let mut rows: Vec<&[f64]> = self.values.chunks_exact(self.width).collect();
        let key = |row: &[f64], k: usize| row[if k == 0 { 0 } else { k + 1 }];
        let compare = |a: &&[f64], b: &&[f64]| {
            let keys = (0..self.width - 1).map(|k| key(a, k).total_cmp(&key(b, k)));
            keys.fold(Ordering::Equal, Ordering::then)
        };
        rows.sort_unstable_by(compare);
        let mut united: Vec<f64> = Vec::with_capacity(self.values.len());
        let mut last: Option<&[f64]> = None;
        for row in rows {
            let end = united.len();
            match last {
                Some(same) if compare(&same, &row) == Ordering::Equal => united[end - self.width + 1] += row[1],
                _ => united.extend_from_slice(row),
            }
            last = Some(row);
        }
        self.values = united;
    }

    pub(super) fn merge(&mut self, later: Self) {
        let mut later = later;
        self.below += later.below;
        let radius = self.radius.min(later.radius);
        later.below = 0.0;
        for window in [&mut *self, &mut later] {
            if window.radius > radius {
                window.shrink(radius);
            }
        }
        self.below += later.below;
        self.values.extend(later.values);
        if self.rows() > self.bound {
            self.thin();
        }
    }

    /// The residuals of the window's rows after a step `constant + t slope` of the coefficients, as functions of `t`.
    pub(super) fn lines(&self, constant: &[f64], slope: &[f64]) -> Lines {
        let along = |row: &[f64], direction: &[f64]| row[2..].iter().zip(direction).map(|(x, d)| x * d).sum::<f64>();
        let line =
            |row: &[f64]| Line { at_zero: row[0] - along(row, constant), slope: along(row, slope), count: row[1] };
        Lines {
            centre: self.centre,
            below: self.below,
            lines: self.values.chunks_exact(self.width).map(line).collect(),
        }
    }

    /// How many observations per unit of size there are about a size, from the nearest eighth of the rows; none where they
    /// are all at the same place.
    pub(super) fn density(&self, about: f64) -> Option<f64> {
        let mut near: Vec<f64> = self.sizes().map(|size| (size - about).abs()).collect();
        let count = near.len().div_ceil(8);
        let (_, reach, _) = near.select_nth_unstable_by(count.checked_sub(1)?, f64::total_cmp);
        let observations: f64 = self.values.chunks_exact(self.width).map(|row| row[1]).sum();
        let share = count as f64 / self.rows() as f64;
        (*reach > 0.0).then(|| observations * share / (2.0 * *reach))
    }
}

impl Window {
    /// Where a median that the window missed is likely to be.
    pub(super) fn estimate(&self, miss: Median) -> f64 {
        let spread = self.density(self.centre).map_or(0.5 * self.centre, f64::recip);
        match miss {
            Median::Found { size, .. } => size,
            Median::Below { size, rows } => (size - rows * spread).max(0.1 * size),
            Median::Above { size, rows } => (size + rows * spread).min(10.0 * size),
        }
    }
}

/// Residuals that move with a number `t`.
#[derive(Debug)]
pub(super) struct Lines {
    centre: f64,
    below: f64,
    lines: Vec<Line>,
}

/// A residual `at_zero - t slope`.
#[derive(Debug, Clone, Copy)]
pub(super) struct Line {
    pub(super) at_zero: f64,
    pub(super) slope: f64,
    /// How often it counts.
    pub(super) count: f64,
}

/// A median size of residuals, with its derivative.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Median {
    /// Among the rows of the window.
    Found { size: f64, slope: f64 },
    /// So many observations below the smallest of the window, of this size.
    Below { size: f64, rows: f64 },
    /// So many above the largest.
    Above { size: f64, rows: f64 },
}

impl Lines {
    pub(super) fn lines(&self) -> &[Line] {
        &self.lines
    }

    /// The median of `|a - t b|` over `observations`, as R takes it: of an even number the mean of the two in the middle.
    pub(super) fn median(&self, t: f64, observations: f64) -> Median {
        let mut sizes: Vec<(f64, f64, f64)> = self.lines.iter().map(|line| line.size_at(t)).collect();
        sizes.sort_unstable_by(|a, b| a.0.total_cmp(&b.0));
        let half = 0.5 * observations;
        if half < self.below || (half == self.below && self.below > 0.0) {
            let size = sizes.first().map_or(self.centre, |first| first.0);
            return Median::Below { size, rows: self.below - half };
        }
        let mut count = self.below;
        for (i, &(size, slope, rows)) in sizes.iter().enumerate() {
            count += rows;
            if count > half {
                return Median::Found { size, slope };
            }
            if count == half
                && let Some(next) = sizes.get(i + 1)
            {
                return Median::Found { size: 0.5 * (size + next.0), slope: 0.5 * (slope + next.1) };
            }
        }
        Median::Above { size: sizes.last().map_or(self.centre, |last| last.0), rows: half - count }
    }
}

impl Line {
    /// `|a - t b|`, its derivative, and how often it counts.
    fn size_at(&self, t: f64) -> (f64, f64, f64) {
        let u = self.at_zero - t * self.slope;
        (u.abs(), if u < 0.0 { self.slope } else { -self.slope }, self.count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A window over rows of one column, in units of 1000 rows that are merged.
    fn window(residuals: &[f64], centre: f64, radius: f64) -> Window {
        let empty = Window::new(centre, radius, 1);
        let unit = |rows: &[f64]| {
            let mut unit = empty.clone();
            for &u in rows {
                if unit.reaches(u.abs(), 1.0) {
                    unit.keep(u, 1.0, [2.0].into_iter());
                }
            }
            unit
        };
        let units = residuals.chunks(1000).map(unit);
        units.fold(empty.clone(), |mut all, unit| {
            all.merge(unit);
            all
        })
    }

    fn median(residuals: &[f64]) -> f64 {
        let mut sizes: Vec<f64> = residuals.iter().map(|u| u.abs()).collect();
        sizes.sort_by(f64::total_cmp);
        0.5 * (sizes[(sizes.len() - 1) / 2] + sizes[sizes.len() / 2])
    }

    fn residuals(rows: u32) -> Vec<f64> {
        // Quadratic residues look random enough.
        (0..rows).map(|i| f64::from((u64::from(i) * u64::from(i) % 1_000_003) as u32) / 1e6 - 0.4).collect()
    }

    #[test]
    fn the_median_of_many_rows_is_found_among_few() {
        for rows in [100_000, 100_001] {
            let u = residuals(rows);
            let window = window(&u, 0.29, f64::INFINITY);
            assert!(window.rows() <= 2 * WINDOW_ROWS, "{}", window.rows());
            let found = window.lines(&[0.0], &[0.0]).median(0.0, f64::from(rows));
            assert_eq!(found, Median::Found { size: median(&u), slope: 0.0 });
            // Residuals a little farther from the rows of column 2: u - 0.001 * 2 t at t = 3.
            let moved: Vec<f64> = u.iter().map(|u| u - 0.006).collect();
            let Median::Found { size, .. } = window.lines(&[0.0], &[0.001]).median(3.0, f64::from(rows)) else {
                panic!("missed");
            };
            assert!((size - median(&moved)).abs() < 1e-15);
        }
    }

    #[test]
    fn rows_that_are_the_same_take_the_room_of_one() {
        let u: Vec<f64> = (0..90_000).map(|i| f64::from(i % 7 * (i % 7) % 7 - 2)).collect();
        let window = window(&u, 1.0, f64::INFINITY);
        assert!(window.rows() <= 2 * WINDOW_ROWS, "{}", window.rows());
        let found = window.lines(&[0.0], &[0.0]).median(0.0, 90_000.0);
        assert_eq!(found, Median::Found { size: median(&u), slope: 0.0 });
    }

    #[test]
    fn a_window_that_misses_says_where_to_look() {
        let u = residuals(100_000);
        let exact = median(&u);
        for centre in [exact - 0.02, exact + 0.02] {
            let window = window(&u, centre, 0.005);
            let miss = window.lines(&[0.0], &[0.0]).median(0.0, 1e5);
            assert!(!matches!(miss, Median::Found { .. }));
            assert!((window.estimate(miss) - exact).abs() < 0.1 * (centre - exact).abs(), "{miss:?}");
        }
        // A window without rows.
        let window = window(&u, 5.0, 0.1);
        let miss = window.lines(&[0.0], &[0.0]).median(0.0, 1e5);
        assert!(window.estimate(miss) < 5.0);
    }
}
