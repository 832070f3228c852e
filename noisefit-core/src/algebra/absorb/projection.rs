//! Several effects at once: the normal equations of their levels, for every column.

use std::ops::Range;

use crate::algebra::absorb::cells::Cells;
use crate::algebra::absorb::ritz::Ritz;
use crate::numeric::dispatch::vectorised;
use crate::rows::parallel_map;

/// What the effects' part of a column may be off, in the metric of the rows, as a part of the column's own deviations. A coefficient is
/// off by the product of two such numbers.
const TOLERANCE: f64 = 1e-12;

/// Steps after which effects that do not come apart are given up.
const MOST_STEPS: usize = 20_000;

/// How often the residual is formed anew, to see that rounding did not carry the steps away from it.
const MOST_STARTS: usize = 6;

/// By so much more than the bound rounding may keep the residual from it.
const ROUNDED: f64 = 1e4;

/// Ranges of cells that work is divided into, at most; the same for any number of threads.
const MOST_PARTS: usize = 8;

/// Columns that are worked on together.
const LANES: usize = 4;

type Lanes = [f64; LANES];

/// `min sum(v (z - d'b)^2)` for every column `z`, `d` the indicators of all levels of all effects.
///
/// The effect with the most levels is eliminated: what is left is a system over the levels of the others, which conjugate gradients
/// solve with its diagonal as preconditioner (Golub and Van Loan 2013, *Matrix Computations*, section 11.5). The error `e` has the norm
/// `e'Se <= r'D^-1 r / theta`, where `theta` is the least eigenvalue of `D^-1 S`. The least Ritz value of the steps of all columns,
/// which their own coefficients tell, comes down to it as the steps go on.
pub(super) struct Projection<'a> {
    pub(super) cells: &'a Cells,
    /// The eliminated effect.
    pub(super) first: usize,
    /// The number of levels of every effect.
    pub(super) levels: &'a [usize],
    /// For each effect `sum(v z)` of every level, its columns one after the other.
    pub(super) products: &'a [Vec<f64>],
    /// The squared size of every column, of which errors are parts.
    pub(super) sizes: &'a [f64],
    pub(super) threads: usize,
}

/// What was found.
pub(super) struct Projected {
    /// For each effect the part of every column that it has in each of its levels, those of a level one after the other.
    pub(super) parts: Vec<Vec<f64>>,
    /// Steps taken.
    pub(super) steps: usize,
}

impl Projection<'_> {
    /// The effects' parts of all columns; none where they do not come apart.
    pub(super) fn solve(&self) -> Option<Projected> {
        let system = System::new(self);
        let columns = self.sizes.len();
        let (solution, steps) = system.solve(self)?;
        let of_first = system.first(self, &solution);
        let mut parts = Vec::with_capacity(self.levels.len());
        let mut begin = 0;
        for (k, &levels) in self.levels.iter().enumerate() {
            let lanes = match k == self.first {
                true => &of_first[..],
                false => {
                    begin += levels;
                    &solution[(begin - levels) * system.groups..begin * system.groups]
                }
            };
            let of_level = |level: &[Lanes]| level.as_flattened()[..columns].to_vec();
            parts.push(lanes.chunks_exact(system.groups).flat_map(of_level).collect());
        }
        Some(Projected { parts, steps })
    }
}

/// The system over the levels of all effects but the first.
struct System<'a> {
    cells: &'a Cells,
    /// Where the levels of each of the other effects begin.
    begins: Vec<usize>,
    /// How many groups of lanes the columns are.
    groups: usize,
    /// The weight of every level of the first effect.
    weights: Vec<f64>,
    /// One over the diagonal; zero for levels of which the first effect leaves nothing.
    inverse_diagonal: Vec<f64>,
    parts: Vec<Range<usize>>,
    threads: usize,
}

impl<'a> System<'a> {
    fn new(of: &Projection<'a>) -> Self {
        let Projection { cells, first, levels, sizes, threads, .. } = *of;
        let mut begins = vec![0];
        for (_, levels) in levels.iter().enumerate().filter(|(k, _)| *k != first) {
            begins.push(begins[begins.len() - 1] + levels);
        }
        let count = begins.pop().unwrap_or(0);
        let sum = |level: usize| cells.of_level(level).map(|cell| cells.weight(cell)).sum();
        let weights: Vec<f64> = (0..cells.levels()).map(sum).collect();
        let mut diagonal = vec![0.0; count];
        for (level, &weight) in weights.iter().enumerate() {
            let range = cells.of_level(level);
            // One cell alone is all that the level is.
            for cell in range.clone().filter(|_| range.len() > 1) {
                let w = cells.weight(cell);
                for (other, begin) in cells.others(cell).iter().zip(&begins) {
                    diagonal[begin + *other as usize] += w * (1.0 - w / weight);
                }
            }
        }
        let inverse_diagonal = diagonal.iter().map(|&d| if d > 0.0 { 1.0 / d } else { 0.0 }).collect();
        // What every part sums up by itself must not be more than what it reads.
        let parts = cells.parts((cells.count() / (2 * count).max(1)).clamp(1, MOST_PARTS));
        System { cells, begins, groups: sizes.len().div_ceil(LANES), weights, inverse_diagonal, parts, threads }
    }

    fn count(&self) -> usize {
        self.inverse_diagonal.len()
    }

    fn zeros(&self) -> Vec<Lanes> {
        vec![[0.0; LANES]; self.count() * self.groups]
    }

    /// Sums over all cells by the levels of the other effects, each part of the cells by itself.
    fn scattered(&self, what: Scattered<'_>) -> Vec<Lanes> {
        let part = |range: &Range<usize>| {
            let mut sums = self.zeros();
            vectorised(|| self.scatter(what, range.clone(), &mut sums));
            sums
        };
        let mut parts = parallel_map(&self.parts, self.threads, part).into_iter();
        let mut all = parts.next().unwrap_or_else(|| self.zeros());
        for part in parts {
            all.iter_mut().zip(&part).for_each(|(sum, part)| add(sum, part, 1.0));
        }
        all
    }

    /// The same of some levels of the first effect.
    #[inline(always)]
    fn scatter(&self, what: Scattered<'_>, levels: Range<usize>, sums: &mut [Lanes]) {
        for first in (0..self.groups).step_by(MOST_GROUPS) {
            let groups = first..(first + MOST_GROUPS).min(self.groups);
            for level in levels.clone() {
                match what {
                    Scattered::Times(values) => self.level_times(level, groups.clone(), values, sums),
                    Scattered::Expected(products) => {
                        let mean = &products[level * self.groups..][groups.clone()];
                        for cell in self.cells.of_level(level) {
                            let share = self.cells.weight(cell) / self.weights[level];
                            for place in self.places(cell, first) {
                                let sums = sums[place..][..groups.len()].iter_mut();
                                sums.zip(mean).for_each(|(sum, mean)| add(sum, mean, share));
                            }
                        }
                    }
                }
            }
        }
    }

    /// Where the numbers of a cell's levels begin, of the groups from `first` on.
    #[inline(always)]
    fn places(&self, cell: usize, first: usize) -> impl Iterator<Item = usize> {
        let others = self.cells.others(cell).iter().zip(&self.begins);
        others.map(move |(other, begin)| (begin + *other as usize) * self.groups + first)
    }

    /// One level's share of the system times `values`, of some groups of columns.
    #[inline(always)]
    fn level_times(&self, level: usize, groups: Range<usize>, values: &[Lanes], sums: &mut [Lanes]) {
        let (cells, count, first) = (self.cells.of_level(level), groups.len(), groups.start);
        if cells.len() < 2 {
            return;
        }
        let (mut mean, mut own) = ([[0.0; LANES]; MOST_GROUPS], [[0.0; LANES]; MOST_GROUPS]);
        for cell in cells.clone() {
            let w = self.cells.weight(cell);
            for place in self.places(cell, first) {
                (0..count).for_each(|k| add(&mut mean[k], &values[place + k], w));
            }
        }
        let per_weight = -1.0 / self.weights[level];
        mean.as_flattened_mut().iter_mut().for_each(|mean| *mean *= per_weight);
        for cell in cells {
            own.copy_from_slice(&mean);
            for place in self.places(cell, first) {
                (0..count).for_each(|k| add(&mut own[k], &values[place + k], 1.0));
            }
            let w = self.cells.weight(cell);
            for place in self.places(cell, first) {
                (0..count).for_each(|k| add(&mut sums[place + k], &own[k], w));
            }
        }
    }

    /// The right sides: what the first effect leaves of the others' sums.
    fn right(&self, of: &Projection<'_>) -> Vec<Lanes> {
        let groups = self.groups;
        let of_first = self.in_lanes(&of.products[of.first], of.sizes.len());
        let mut right = Vec::with_capacity(self.count() * groups);
        for (_, products) in of.products.iter().enumerate().filter(|(k, _)| *k != of.first) {
            right.extend(self.in_lanes(products, of.sizes.len()));
        }
        let expected = self.scattered(Scattered::Expected(&of_first));
        right.iter_mut().zip(&expected).for_each(|(right, expected)| add(right, expected, -1.0));
        // Of levels of which the first effect leaves nothing, there is nothing but rounding.
        for (right, inverse) in right.chunks_exact_mut(groups).zip(&self.inverse_diagonal) {
            if *inverse == 0.0 {
                right.fill([0.0; LANES]);
            }
        }
        right
    }

    fn in_lanes(&self, products: &[f64], columns: usize) -> Vec<Lanes> {
        let mut lanes = Vec::with_capacity(products.len() / columns * self.groups);
        for level in products.chunks_exact(columns) {
            let first = lanes.len();
            lanes.resize(first + self.groups, [0.0; LANES]);
            lanes[first..].as_flattened_mut()[..columns].copy_from_slice(level);
        }
        lanes
    }

    /// The part of every column that the first effect has in each of its levels, given those of the others.
    fn first(&self, of: &Projection<'_>, solution: &[Lanes]) -> Vec<Lanes> {
        let mut parts = self.in_lanes(&of.products[of.first], of.sizes.len());
        for (level, part) in parts.chunks_exact_mut(self.groups).enumerate() {
            for cell in self.cells.of_level(level) {
                let w = self.cells.weight(cell);
                for place in self.places(cell, 0) {
                    part.iter_mut().zip(&solution[place..]).for_each(|(part, value)| add(part, value, -w));
                }
            }
            let weight = self.weights[level];
            part.as_flattened_mut()
                .iter_mut()
                .for_each(|value| *value = if weight > 0.0 { *value / weight } else { 0.0 });
        }
        parts
    }

    /// Conjugate gradients for all columns at once, each with its own steps.
    fn solve(&self, of: &Projection<'_>) -> Option<(Vec<Lanes>, usize)> {
        let (right, mut x) = (self.right(of), self.zeros());
        let width = self.groups * LANES;
        let bound = |column: usize| TOLERANCE * TOLERANCE * of.sizes.get(column).copied().unwrap_or(0.0);
        // The least eigenvalue as far as the steps of all columns have told it.
        let (mut residual, mut steps, mut theta) = (right.clone(), 0, 0.0);
        for _ in 0..MOST_STARTS {
            let mut direction = self.preconditioned(&residual);
            let mut norms = self.products(&residual, &direction);
            let mut open: Vec<bool> = (0..width).map(|column| norms[column] > bound(column) * theta).collect();
            if !open.contains(&true) {
                return Some((x, steps));
            }
            let mut ritz = vec![Ritz::default(); width];
            theta = if theta > 0.0 { theta } else { f64::INFINITY };
            while open.contains(&true) {
                if steps == MOST_STEPS {
                    return None;
                }
                steps += 1;
                let image = self.scattered(Scattered::Times(&direction));
                let curvatures = self.products(&direction, &image);
                let lengths = quotients(&norms, &curvatures, &open);
                self.move_along(&mut x, &direction, &lengths, 1.0);
                self.move_along(&mut residual, &image, &lengths, -1.0);
                let next = self.preconditioned(&residual);
                let after = self.products(&residual, &next);
                let ratios = quotients(&after, &norms, &open);
                for column in 0..width {
                    if !open[column] {
                        continue;
                    }
                    ritz[column].add(lengths[column], ratios[column]);
                    open[column] = lengths[column] > 0.0 && after[column] > 0.0;
                }
                if (0..width).any(|column| open[column] && after[column] <= bound(column)) {
                    theta = ritz.iter().filter_map(Ritz::least).fold(theta, f64::min);
                }
                (0..width).for_each(|column| open[column] &= after[column] > bound(column) * theta.min(1.0));
                self.turn(&mut direction, &next, &ratios);
                norms = after;
            }
            residual = right.clone();
            let image = self.scattered(Scattered::Times(&x));
            residual.iter_mut().zip(&image).for_each(|(residual, image)| add(residual, image, -1.0));
        }
        // As near as rounding lets it come.
        let left = self.products(&residual, &self.preconditioned(&residual));
        (0..width).all(|column| left[column] <= ROUNDED * bound(column)).then_some((x, steps))
    }

    fn preconditioned(&self, residual: &[Lanes]) -> Vec<Lanes> {
        let mut scaled = residual.to_vec();
        for (values, inverse) in scaled.chunks_exact_mut(self.groups).zip(&self.inverse_diagonal) {
            values.as_flattened_mut().iter_mut().for_each(|value| *value *= inverse);
        }
        scaled
    }

    /// The inner products of every column.
    fn products(&self, a: &[Lanes], b: &[Lanes]) -> Vec<f64> {
        let mut sums = vec![[0.0; LANES]; self.groups];
        for (a, b) in a.chunks_exact(self.groups).zip(b.chunks_exact(self.groups)) {
            for ((sum, a), b) in sums.iter_mut().zip(a).zip(b) {
                (0..LANES).for_each(|lane| sum[lane] += a[lane] * b[lane]);
            }
        }
        sums.into_flattened()
    }

    /// `x += sign length direction`, each column by its length.
    fn move_along(&self, x: &mut [Lanes], direction: &[Lanes], lengths: &[f64], sign: f64) {
        for (x, direction) in x.chunks_exact_mut(self.groups).zip(direction.chunks_exact(self.groups)) {
            let (x, direction) = (x.as_flattened_mut(), direction.as_flattened());
            x.iter_mut().zip(direction).zip(lengths).for_each(|((x, d), length)| *x += sign * length * d);
        }
    }

    /// `direction = next + ratio direction`, each column by its ratio.
    fn turn(&self, direction: &mut [Lanes], next: &[Lanes], ratios: &[f64]) {
        for (direction, next) in direction.chunks_exact_mut(self.groups).zip(next.chunks_exact(self.groups)) {
            let (direction, next) = (direction.as_flattened_mut(), next.as_flattened());
            direction.iter_mut().zip(next).zip(ratios).for_each(|((d, next), ratio)| *d = next + ratio * *d);
        }
    }
}

/// What is summed by the levels of the other effects.
#[derive(Clone, Copy)]
enum Scattered<'a> {
    /// The system times these.
    Times(&'a [Lanes]),
    /// What is expected of the cells of a level of the first effect, whose sums these are.
    Expected(&'a [Lanes]),
}

/// Groups of lanes that a level's sums are held of at a time.
const MOST_GROUPS: usize = 4;

#[inline(always)]
fn add(sum: &mut Lanes, value: &Lanes, factor: f64) {
    (0..LANES).for_each(|lane| sum[lane] += factor * value[lane]);
}

/// `a / b` of the columns that are open and whose `b` is positive; else zero.
fn quotients(a: &[f64], b: &[f64], open: &[bool]) -> Vec<f64> {
    let quotient = |((a, b), open): ((&f64, &f64), &bool)| if *open && *b > 0.0 { a / b } else { 0.0 };
    a.iter().zip(b).zip(open).map(quotient).collect()
}
