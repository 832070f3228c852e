//! A random partition of the rows, and sources that show one part of it or all others.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::rows::groups::Groups;
use crate::rows::{Adapted, Adaptor, Block, Design, RowSource, Values, scattered};

/// The rows of a source in `count` parts of equal size, at random.
///
/// Of every `count` consecutive rows each belongs to another part, in an order drawn anew for each such group from the seed
/// and the number of rows before it: the parts are the same in every pass, for any number of threads, whatever a source
/// makes of the rows, and whether they stand in one file or in several.
///
/// ```
/// use noisefit_core::algebra::Moments;
/// use noisefit_core::rows::{Accumulator, Folds, Matrix, MemoryRows, Part, RowSourceExt};
///
/// let y = [1.0, 3.0, 2.0, 5.0, 4.0, 7.0, 6.0];
/// let rows = MemoryRows::new(&y, Matrix::row_major(&[], 7, 0)?)?;
/// let folds = Folds { count: 3, seed: 1 };
/// let count = |part| Ok::<_, noisefit_core::Error>(folds.select(&rows, part).pass(Moments::new(0, true))?.rows());
/// assert_eq!(count(Part::Only(0))? + count(Part::Without(0))?, 7);
/// # Ok::<(), noisefit_core::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Folds {
    /// The number of parts, at least 2.
    pub count: usize,
    /// What the partition is drawn from.
    pub seed: u64,
}

/// Rows of a partition.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Part {
    /// The part with this number, from 0.
    Only(usize),
    /// All parts but this.
    Without(usize),
    /// The parts of smaller numbers than this.
    Before(usize),
    /// This part and those of larger numbers.
    From(usize),
    /// All parts but `length` of the first `of`, one after the other from `first` on, round and round.
    Besides {
        /// The first that is left out.
        first: usize,
        /// How many are.
        length: usize,
        /// Among so many.
        of: usize,
    },
}

impl Part {
    fn holds(self, part: usize) -> bool {
        match self {
            Part::Only(own) => part == own,
            Part::Without(other) => part != other,
            Part::Before(end) => part < end,
            Part::From(start) => part >= start,
            Part::Besides { first, length, of } => part >= of || (part + of - first) % of >= length,
        }
    }
}

impl Folds {
    /// The partition of which the first parts, as many as are given beside it, are a share of the rows, to a hundredth: of as
    /// few parts as will do, so that their sizes differ little.
    pub fn of_share(share: f64, seed: u64) -> (usize, Self) {
        let exact = |count: &usize| {
            let parts = share * *count as f64;
            (parts - parts.round()).abs() < 1e-9
        };
        let count = (2..100).find(exact).unwrap_or(100);
        let parts = (share * count as f64).round().clamp(1.0, count as f64 - 1.0);
        (parts as usize, Folds { count, seed })
    }

    /// A source of some of the rows of another.
    pub fn select<'a>(&self, source: &'a dyn RowSource, part: Part) -> Selected<'a> {
        let selection = Selection { folds: *self, part, groups: None, rows: 0, unit: Unit::default() };
        Adapted::new(source, selection, source.layout().clone())
    }

    /// The same where the part of a row is that of its group.
    pub(super) fn select_groups<'a>(
        &self,
        source: &'a dyn RowSource,
        part: Part,
        groups: &Arc<Groups>,
    ) -> Selected<'a> {
        let groups = Some(Arc::clone(groups));
        let selection = Selection { folds: *self, part, groups, rows: 0, unit: Unit::default() };
        Adapted::new(source, selection, source.layout().clone())
    }

    /// The numbers of the first rows, as many as are given, that are in a part.
    pub(crate) fn rows_of(&self, rows: u64, part: Part) -> Vec<u32> {
        let (count, mut order, mut wanted) = (self.count.max(1) as u64, Vec::new(), Vec::new());
        for first in (0..rows).step_by(count as usize) {
            self.order(first, &mut order);
            let own = order.iter().zip(first..rows).filter(|(own, _)| part.holds(**own));
            wanted.extend(own.map(|(_, row)| row as u32));
        }
        wanted
    }

    /// How many of the first rows, as many as are given, are in a part.
    pub(crate) fn count_of(&self, rows: u64, part: Part) -> u64 {
        let count = self.count.max(1) as u64;
        let (groups, rest, mut order) = (rows / count, (rows % count) as usize, Vec::new());
        let wanted = (0..count as usize).filter(|&own| part.holds(own)).count() as u64;
        self.order(groups * count, &mut order);
        groups * wanted + order[..rest].iter().filter(|&&own| part.holds(own)).count() as u64
    }

    /// The parts of the rows of the group that begins with row `first`.
    fn order(&self, first: u64, order: &mut Vec<usize>) {
        order.clear();
        order.extend(0..self.count.max(1));
        let group = scattered(self.seed, first);
        for k in (1..order.len()).rev() {
            order.swap(k, (scattered(group, k as u64) % (k as u64 + 1)) as usize);
        }
    }
}

/// A source of some of the rows of another; made by [`Folds::select`].
pub type Selected<'a> = Adapted<'a, Selection>;

/// The rows of a partition that are wanted.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Selection {
    folds: Folds,
    part: Part,
    /// The groups whose rows are in one part, where there are such.
    #[serde(default, with = "groups")]
    groups: Option<Arc<Groups>>,
    /// The rows before the next.
    rows: u64,
    /// What is kept from block to block.
    #[serde(skip)]
    unit: Unit,
}

#[derive(Debug, Clone, Default)]
struct Unit {
    /// The parts of the rows of the current group.
    order: Vec<usize>,
    /// The places of the wanted rows of a block.
    kept: Vec<usize>,
    gathered: Gathered,
}

impl Selection {
    /// Says of each row of a block whether it is wanted.
    fn choose(&mut self, block: &Block<'_>) {
        let Selection { folds, part, groups, rows, unit } = self;
        unit.kept.clear();
        if let Some(groups) = groups {
            unit.kept.extend((0..block.rows()).filter(|&i| part.holds(groups.part(block, i))));
            return;
        }
        let count = folds.count.max(1);
        for i in 0..block.rows() {
            let place = (*rows % count as u64) as usize;
            if place == 0 || unit.order.len() != count {
                folds.order(*rows - place as u64, &mut unit.order);
            }
            if part.holds(unit.order[place]) {
                unit.kept.push(i);
            }
            *rows += 1;
        }
    }
}

impl Adaptor for Selection {
    const KIND: &'static str = "selection";
    const NEEDS_PLACE: bool = true;

    fn begin(&mut self, rows_before: u64) -> u64 {
        self.rows = rows_before;
        if self.groups.is_some() {
            // How many of them are in a part is not known; whoever divides those again is told of as many.
            return rows_before;
        }
        let count = self.folds.count.max(1) as u64;
        self.folds.order(rows_before / count * count, &mut self.unit.order);
        self.folds.count_of(rows_before, self.part)
    }

    fn adapt(&mut self, block: &Block<'_>, next: &mut dyn FnMut(&Block<'_>)) {
        if self.part == Part::From(0) {
            // Nobody is left out.
            return next(block);
        }
        self.choose(block);
        let unit = &mut self.unit;
        match unit.kept.len() {
            0 => {}
            all if all == block.rows() => next(block),
            _ => unit.gathered.show(block, &unit.kept, next),
        }
    }

    fn rows_hint(&self, rows: u64) -> u64 {
        let count = self.folds.count.max(1) as u64;
        match self.part {
            Part::Only(_) => rows.div_ceil(count),
            Part::Without(_) => rows - rows / count,
            Part::Before(end) => (rows * end as u64).div_ceil(count),
            Part::From(start) => rows - rows * (start as u64).min(count) / count,
            Part::Besides { length, of, .. } => rows - rows * (length.min(of) as u64).min(count) / count,
        }
    }
}

/// Groups that are shared, as they travel.
mod groups {
    use super::{Arc, Groups};
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    pub(super) fn serialize<S: Serializer>(groups: &Option<Arc<Groups>>, serializer: S) -> Result<S::Ok, S::Error> {
        groups.as_deref().serialize(serializer)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Arc<Groups>>, D::Error> {
        Ok(Option::<Groups>::deserialize(deserializer)?.map(Arc::new))
    }
}

/// The kept rows of every column, one after the other.
#[derive(Debug, Clone, Default)]
struct Gathered {
    numbers: Vec<f64>,
    clusters: Vec<u64>,
    effects: Vec<u32>,
}

impl Gathered {
    /// Shows `next` the rows of `block` at the places `kept`.
    fn show(&mut self, block: &Block<'_>, kept: &[usize], next: &mut dyn FnMut(&Block<'_>)) {
        let Gathered { numbers, clusters, effects } = self;
        numbers.clear();
        clusters.clear();
        effects.clear();
        let count = kept.len();
        let columns = || {
            let designs = [block.design, block.scale_design].into_iter().flat_map(Design::dense_columns);
            designs.chain([&block.response])
        };
        let others =
            || [block.weights, block.frequencies, block.log_jacobian, block.level_leverage].into_iter().flatten();
        for values in columns().flat_map(|values| [Some(values.high), values.low]).flatten().chain(others()) {
            numbers.extend(kept.iter().map(|&i| values[i]));
        }
        block.clusters.iter().for_each(|ids| clusters.extend(kept.iter().map(|&i| ids[i])));
        block.effects.iter().for_each(|levels| effects.extend(kept.iter().map(|&i| levels[i])));
        let mut parts = numbers.chunks_exact(count);
        let mut take = || parts.next().unwrap_or_default();
        let columns: Vec<Values<'_>> =
            columns().map(|values| Values { high: take(), low: values.low.map(|_| take()) }).collect();
        let (design, rest) = columns.split_at(block.design.count());
        let (scale_design, response) = rest.split_at(block.scale_design.count());
        let clusters: Vec<&[u64]> = clusters.chunks_exact(count).collect();
        let effects: Vec<&[u32]> = effects.chunks_exact(count).collect();
        next(&Block {
            response: response[0],
            design: design.into(),
            scale_design: scale_design.into(),
            weights: block.weights.map(|_| take()),
            frequencies: block.frequencies.map(|_| take()),
            log_jacobian: block.log_jacobian.map(|_| take()),
            level_leverage: block.level_leverage.map(|_| take()),
            clusters: &clusters,
            effects: &effects,
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rows::{Accumulator, Design, Matrix, MemoryRows, RowSourceExt, Sample};

    /// The responses that a source shows.
    fn responses(source: &dyn RowSource) -> Vec<f64> {
        let layout = source.layout();
        let sample = source.pass(Sample::new(layout, usize::MAX / 4, None)).unwrap().finish(layout);
        let mut found = sample.source().unwrap().pass(Collect(Vec::new())).unwrap().0;
        found.sort_by(f64::total_cmp);
        found
    }

    #[derive(Clone, Serialize, Deserialize)]
    struct Collect(Vec<f64>);

    impl Accumulator for Collect {
        const KIND: &'static str = "collect";
        fn fold(&mut self, block: &Block<'_>) {
            self.0.extend(block.response.high);
        }
        fn merge(&mut self, later: Self) {
            self.0.extend(later.0);
        }
        fn rows(&self) -> u64 {
            self.0.len() as u64
        }
    }

    #[test]
    fn the_parts_are_equal_disjoint_and_the_same_for_any_threads_and_columns() {
        let n = 40_003;
        let y: Vec<f64> = (0..n).map(f64::from).collect();
        let x: Vec<f64> = (0..2 * n).map(|i| f64::from(i % 7)).collect();
        let rows = MemoryRows::new(&y, Matrix::row_major(&x, n as usize, 2).unwrap()).unwrap();
        let bare = MemoryRows::new(&y, Matrix::row_major(&[], n as usize, 0).unwrap()).unwrap().with_threads(1);
        let folds = Folds { count: 5, seed: 7 };
        let mut all = Vec::new();
        for part in 0..5 {
            let only = responses(&folds.select(&rows, Part::Only(part)));
            assert!((7_997..=8_003).contains(&only.len()), "{}", only.len());
            assert_eq!(only, responses(&folds.select(&bare, Part::Only(part))));
            let mut both = responses(&folds.select(&bare, Part::Without(part)));
            both.extend(&only);
            both.sort_by(f64::total_cmp);
            assert_eq!(both, y);
            all.extend(only);
            let mut before = responses(&folds.select(&bare, Part::Before(part)));
            assert!((7_997 * part..=8_003 * part).contains(&before.len()), "{}", before.len());
            before.extend(responses(&folds.select(&bare, Part::From(part))));
            before.sort_by(f64::total_cmp);
            assert_eq!(before, y);
        }
        all.sort_by(f64::total_cmp);
        assert_eq!(all, y);
        let other = responses(&Folds { count: 5, seed: 8 }.select(&bare, Part::Only(0)));
        assert_ne!(other, responses(&folds.select(&bare, Part::Only(0))));
    }

    /// Parts of parts, of rows that are cut anywhere: those of the rows in one piece.
    #[test]
    fn the_parts_do_not_depend_on_units() {
        let n = 1000u64;
        let folds = [Folds { count: 5, seed: 7 }, Folds { count: 3, seed: 1 }];
        let parts = [Part::From(2), Part::Without(1)];
        let select =
            |k: usize| Selection { folds: folds[k], part: parts[k], groups: None, rows: 0, unit: Unit::default() };
        let shown = |cuts: &[u64]| {
            let mut found = Vec::new();
            for pair in cuts.windows(2) {
                let (mut outer, mut inner) = (select(0), select(1));
                inner.begin(outer.begin(pair[0]));
                let y: Vec<f64> = (pair[0]..pair[1]).map(|row| row as f64).collect();
                let block = Block {
                    response: (&y[..]).into(),
                    design: Design::default(),
                    scale_design: Design::default(),
                    weights: None,
                    frequencies: None,
                    log_jacobian: None,
                    clusters: &[],
                    effects: &[],
                    level_leverage: None,
                };
                outer.adapt(&block, &mut |block| {
                    inner.adapt(block, &mut |block| found.extend_from_slice(block.response.high));
                });
            }
            found
        };
        let whole = shown(&[0, n]);
        assert!((395..=405).contains(&whole.len()), "{}", whole.len());
        for cuts in [&[0, 500, n][..], &[0, 1, 2, 333, 334, 777, n]] {
            assert_eq!(shown(cuts), whole);
        }
    }

    #[test]
    fn a_part_may_be_a_single_row() {
        let y: Vec<f64> = (0..11).map(f64::from).collect();
        let rows = MemoryRows::new(&y, Matrix::row_major(&[], 11, 0).unwrap()).unwrap();
        let folds = Folds { count: 11, seed: 0 };
        let mut left_out: Vec<f64> =
            (0..11).flat_map(|part| responses(&folds.select(&rows, Part::Only(part)))).collect();
        left_out.sort_by(f64::total_cmp);
        assert_eq!(left_out, y);
    }
}
