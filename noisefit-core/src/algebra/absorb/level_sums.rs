//! One pass: sums of every column over the levels of each effect.

use serde::{Deserialize, Serialize};

use crate::algebra::moments::Totals;
use crate::rows::{Accumulator, Block, Layout};

/// `v`, `f` and `sum(v z)` of the design columns and, last, the response, over the rows of every level; `z = x - shift`, and `v` is
/// weight times frequency `f`.
///
/// A state has room for the levels that it met: what a work unit costs goes by its rows.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct LevelSums {
    shifts: Vec<f64>,
    totals: Totals,
    /// `sum(v z)` and `sum(v z^2)` of every column, over all rows.
    all: Vec<[f64; 2]>,
    effects: Vec<Sums>,
    /// Of several effects the levels of every row, one after the other.
    combinations: Vec<u32>,
    /// `v` of every row beside them; none where all are one.
    weights: Vec<f64>,
    #[serde(skip)]
    deviations: Vec<f64>,
}

/// The sums over the levels of one effect.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Sums {
    levels: usize,
    /// The levels that were met, in their order of appearance.
    met: Vec<u32>,
    /// For each of them `v`, `f` and the columns' sums.
    sums: Vec<f64>,
    /// For each of them its cluster by every grouping, as long as its rows have one.
    clusters: Vec<u64>,
    /// Whether every level lies within one cluster, by every grouping.
    nested: Vec<bool>,
    /// Where each level stands among those that were met.
    #[serde(skip)]
    places: Vec<u32>,
}

/// No place.
const NOT_MET: u32 = u32::MAX;

/// Numbers of a level before the sums of its columns: `v` and `f`.
const BEFORE: usize = 2;

impl LevelSums {
    /// The empty state for rows of `layout`, whose columns (the response last) are taken from `shifts`.
    pub(crate) fn new(layout: &Layout, shifts: Vec<f64>) -> Self {
        let sums = |levels: usize| Sums {
            levels,
            met: Vec::new(),
            sums: Vec::new(),
            clusters: Vec::new(),
            nested: vec![true; layout.clusters.len()],
            places: Vec::new(),
        };
        LevelSums {
            totals: Totals::default(),
            all: vec![[0.0; 2]; shifts.len()],
            effects: layout.effects.iter().map(|effect| sums(effect.levels)).collect(),
            combinations: Vec::new(),
            weights: Vec::new(),
            deviations: Vec::new(),
            shifts,
        }
    }

    /// `sum(v (x - mean)^2)` of every column, over all rows.
    pub(super) fn deviations(&self) -> Vec<f64> {
        let deviation = |[sum, squares]: &[f64; 2]| not_negative(squares - sum * sum / self.totals.weight);
        self.all.iter().map(deviation).collect()
    }

    /// `sum(v z^2)` of every column, over all rows.
    pub(super) fn about_shifts(&self) -> Vec<f64> {
        self.all.iter().map(|[_, squares]| *squares).collect()
    }

    /// `sum(v x^2) - sum(v z^2)` of what effects explain of a column `x = z + shift`, which hold a constant.
    pub(super) fn moved(&self, column: usize) -> f64 {
        let (shift, [sum, _]) = (self.shifts[column], self.all[column]);
        shift * (2.0 * sum + shift * self.totals.weight)
    }

    /// `sum(v x^2)` of every column, over all rows.
    pub(super) fn squares(&self) -> Vec<f64> {
        let weight = self.totals.weight;
        let square =
            |(&[sum, squares], shift): (&[f64; 2], &f64)| not_negative(squares + shift * (2.0 * sum + shift * weight));
        self.all.iter().zip(&self.shifts).map(square).collect()
    }

    /// The sums of each effect.
    pub(crate) fn effects(&self) -> &[Sums] {
        &self.effects
    }

    /// The levels of every row, those of a row one after the other, and what every row weighs (nothing where all weigh one).
    pub(super) fn into_combinations(self) -> (Vec<u32>, Vec<f64>) {
        (self.combinations, self.weights)
    }

    /// What is subtracted of every column.
    pub(super) fn shifts(&self) -> &[f64] {
        &self.shifts
    }
}

/// A sum of squares that rounding may have carried below zero; one that is no number stays so.
fn not_negative(square: f64) -> f64 {
    if square < 0.0 { 0.0 } else { square }
}

impl Sums {
    /// The number of columns, the response included.
    fn columns(&self) -> usize {
        self.sums.len().checked_div(self.met.len()).map_or(0, |width| width - BEFORE)
    }

    /// How many levels have rows.
    pub(super) fn met(&self) -> usize {
        self.met.len()
    }

    /// How many levels have one observation.
    pub(super) fn singletons(&self) -> usize {
        let width = BEFORE + self.columns();
        self.sums.chunks_exact(width).filter(|level| level[1] <= 1.0).count()
    }

    /// Whether each level lies within one cluster of one of the groupings.
    pub(super) fn is_nested(&self) -> bool {
        self.nested.contains(&true)
    }

    /// `v` of every level; zero where it has no row.
    pub(crate) fn weights(&self) -> Vec<f64> {
        let mut weights = vec![0.0; self.levels];
        for (&level, sums) in self.met.iter().zip(self.sums.chunks_exact(BEFORE + self.columns())) {
            weights[level as usize] = sums[0];
        }
        weights
    }

    /// `sum(v z)` of every level, the columns of a level one after the other.
    pub(crate) fn products(&self) -> Vec<f64> {
        let columns = self.columns();
        let mut products = vec![0.0; self.levels * columns];
        for (&level, sums) in self.met.iter().zip(self.sums.chunks_exact(BEFORE + columns)) {
            products[level as usize * columns..][..columns].copy_from_slice(&sums[BEFORE..]);
        }
        products
    }

    /// Where a level stands, which may be met for the first time; with its clusters.
    fn place(&mut self, level: u32, width: usize, clusters: impl Iterator<Item = u64>) -> usize {
        if self.places.is_empty() {
            self.places = vec![NOT_MET; self.levels];
            for (place, &level) in self.met.iter().enumerate() {
                self.places[level as usize] = place as u32;
            }
        }
        let groupings = self.nested.len();
        match self.places[level as usize] {
            NOT_MET => {
                let place = self.met.len();
                self.places[level as usize] = place as u32;
                self.met.push(level);
                self.sums.resize((place + 1) * width, 0.0);
                self.clusters.extend(clusters);
                place
            }
            place => {
                let known = &self.clusters[place as usize * groupings..][..groupings];
                for ((nested, known), cluster) in self.nested.iter_mut().zip(known).zip(clusters) {
                    *nested &= *known == cluster;
                }
                place as usize
            }
        }
    }
}

impl Accumulator for LevelSums {
    const KIND: &'static str = "sums of levels";

    fn fold(&mut self, block: &Block<'_>) {
        self.totals.fold(block);
        let LevelSums { shifts, all, effects, combinations, weights, deviations, .. } = self;
        let (rows, columns) = (block.rows(), shifts.len());
        let weighted = block.weights.is_some() || block.frequencies.is_some();
        let v = |i: usize| block.weight(i) * block.frequency(i);
        deviations.resize(rows * columns, 0.0);
        let values = block.design.dense_columns().iter().chain([&block.response]);
        for (j, ((values, shift), [sum, squares])) in values.zip(&*shifts).zip(all).enumerate() {
            let (mut of_block, mut of_squares) = (0.0, 0.0);
            for (i, x) in values.high.iter().enumerate() {
                let z = x - shift;
                let product = if weighted { v(i) * z } else { z };
                deviations[i * columns + j] = product;
                of_block += product;
                of_squares += product * z;
            }
            *sum += of_block;
            *squares += of_squares;
        }
        let width = BEFORE + columns;
        for (sums, levels) in effects.iter_mut().zip(block.effects) {
            for (i, &level) in levels.iter().enumerate() {
                let place = sums.place(level, width, block.clusters.iter().map(|ids| ids[i]));
                let level = &mut sums.sums[place * width..][..width];
                level[0] += if weighted { v(i) } else { 1.0 };
                level[1] += block.frequency(i);
                for (sum, z) in level[BEFORE..].iter_mut().zip(&deviations[i * columns..][..columns]) {
                    *sum += z;
                }
            }
        }
        if effects.len() > 1 {
            (0..rows).for_each(|i| combinations.extend(block.effects.iter().map(|levels| levels[i])));
            weights.extend((0..rows).filter(|_| weighted).map(v));
        }
    }

    fn merge(&mut self, later: Self) {
        self.totals.merge(later.totals);
        for (mine, theirs) in self.all.iter_mut().zip(later.all) {
            *mine = [mine[0] + theirs[0], mine[1] + theirs[1]];
        }
        let width = BEFORE + self.shifts.len();
        for (mine, theirs) in self.effects.iter_mut().zip(later.effects) {
            let groupings = mine.nested.len();
            mine.nested.iter_mut().zip(&theirs.nested).for_each(|(mine, theirs)| *mine &= theirs);
            for (from, (&level, sums)) in theirs.met.iter().zip(theirs.sums.chunks_exact(width)).enumerate() {
                let clusters = theirs.clusters[from * groupings..][..groupings].iter().copied();
                let place = mine.place(level, width, clusters);
                mine.sums[place * width..][..width].iter_mut().zip(sums).for_each(|(mine, theirs)| *mine += theirs);
            }
        }
        self.combinations.extend(later.combinations);
        self.weights.extend(later.weights);
    }

    fn rows(&self) -> u64 {
        self.totals.rows
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::rows::{Design, EffectLayout, Values};

    #[test]
    fn states_are_saved_and_merged() {
        // Integers, so that every order of summing gives the same.
        let (x, y): (Vec<f64>, Vec<f64>) = (0..300).map(|i| (f64::from(i * 7 % 11), f64::from(i * 5 % 13))).unzip();
        let levels: [Vec<u32>; 2] = [40, 7].map(|count| (0..300).map(|i| i * i % count).collect());
        let (firms, days): (Vec<u64>, Vec<u64>) =
            (0..300).map(|i| (u64::from(levels[0][i] / 10), i as u64 % 5)).unzip();
        let effect = |levels| EffectLayout { name: String::new(), levels };
        let layout = Layout {
            terms: vec!["x".to_owned()],
            clusters: vec!["firm".to_owned(), "day".to_owned()],
            effects: vec![effect(40), effect(7)],
            ..Layout::default()
        };
        let empty = LevelSums::new(&layout, vec![5.0, 6.0]);
        let fold = |state: &mut LevelSums, rows: std::ops::Range<usize>| {
            let design = [Values::from(&x[rows.clone()])];
            state.fold(&Block {
                response: y[rows.clone()].into(),
                design: (&design).into(),
                scale_design: Design::default(),
                weights: None,
                frequencies: None,
                log_jacobian: None,
                clusters: &[&firms[rows.clone()], &days[rows.clone()]],
                effects: &[&levels[0][rows.clone()], &levels[1][rows]],
                level_leverage: None,
            });
        };
        let (mut whole, mut merged) = (empty.clone(), empty.clone());
        fold(&mut whole, 0..300);
        for rows in [0..130, 130..133, 133..300] {
            let mut part = empty.clone();
            fold(&mut part, rows);
            merged.merge(empty.load(&empty.save(&part).unwrap()).unwrap());
        }
        assert_eq!((merged.rows(), merged.deviations()), (300, whole.deviations()));
        for (merged, whole) in merged.effects().iter().zip(whole.effects()) {
            assert_eq!((merged.weights(), merged.products()), (whole.weights(), whole.products()));
            assert_eq!((merged.met(), merged.singletons()), (whole.met(), whole.singletons()));
        }
        // Only the first lies within clusters, and by one grouping.
        assert_eq!(merged.effects().iter().map(Sums::is_nested).collect::<Vec<_>>(), [true, false]);
        assert_eq!(merged.into_combinations(), whole.into_combinations());
    }
}
