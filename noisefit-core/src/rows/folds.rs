//! A random partition of the rows, and sources that show one part of it or all others.

use crate::Error;
use crate::rows::{
    Accumulator, Block, Layout, Precision, RowSource, StateReader, StateWriter, Values, hash_parameters, scattered,
};

/// The rows of a source in `count` parts of equal size, at random.
///
/// Of every `count` consecutive rows of a work unit each belongs to another part, in an order drawn anew for each such
/// group from the seed and its place in the unit: the parts are the same in every pass, for any number of threads, and
/// whatever a source makes of the rows.
///
/// ```
/// use noisefit_core::algebra::Moments;
/// use noisefit_core::rows::{Accumulator, Folds, Matrix, MemoryRows, Part, RowSource};
///
/// let y = [1.0, 3.0, 2.0, 5.0, 4.0, 7.0, 6.0];
/// let rows = MemoryRows::new(&y, Matrix::row_major(&[], 7, 0)?)?;
/// let folds = Folds { count: 3, seed: 1 };
/// let count = |part| Ok::<_, noisefit_core::Error>(folds.select(&rows, part).pass(Moments::new(0, true))?.rows());
/// assert_eq!(count(Part::Only(0))? + count(Part::Without(0))?, 7);
/// # Ok::<(), noisefit_core::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Folds {
    /// The number of parts, at least 2.
    pub count: usize,
    /// What the partition is drawn from.
    pub seed: u64,
}

/// Rows of a partition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// The part with this number, from 0.
    Only(usize),
    /// All parts but this.
    Without(usize),
    /// The parts of smaller numbers than this.
    Before(usize),
    /// This part and those of larger numbers.
    From(usize),
}

impl Part {
    fn holds(self, part: usize) -> bool {
        match self {
            Part::Only(own) => part == own,
            Part::Without(other) => part != other,
            Part::Before(end) => part < end,
            Part::From(start) => part >= start,
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
    pub fn select<'a, S: RowSource>(&self, source: &'a S, part: Part) -> Selected<'a, S> {
        Selected { source, folds: *self, part }
    }
}

/// A source of some of the rows of another; made by [`Folds::select`].
#[derive(Debug)]
pub struct Selected<'a, S> {
    source: &'a S,
    folds: Folds,
    part: Part,
}

impl<S: RowSource> RowSource for Selected<'_, S> {
    fn layout(&self) -> &Layout {
        self.source.layout()
    }

    fn pass<A: Accumulator>(&self, empty: A) -> Result<A, Error> {
        let chooser = Chooser { folds: self.folds, part: self.part, rows: 0, order: Vec::new() };
        Ok(self
            .source
            .pass(Selecting { inner: empty, chooser, kept: Vec::new(), gathered: Gathered::default() })?
            .inner)
    }

    fn threads(&self) -> usize {
        self.source.threads()
    }

    fn rows_hint(&self) -> Option<u64> {
        let count = self.folds.count.max(1) as u64;
        self.source.rows_hint().map(|rows| match self.part {
            Part::Only(_) => rows.div_ceil(count),
            Part::Without(_) => rows - rows / count,
            Part::Before(end) => (rows * end as u64).div_ceil(count),
            Part::From(start) => rows - rows * (start as u64).min(count) / count,
        })
    }

    fn report(&self, done: u64, of: u64) -> Result<(), Error> {
        self.source.report(done, of)
    }
}

/// Says of each row of a unit whether it is wanted.
#[derive(Debug, Clone)]
struct Chooser {
    folds: Folds,
    part: Part,
    /// Rows of the unit so far.
    rows: u64,
    /// The parts of the rows of the current group.
    order: Vec<usize>,
}

impl Chooser {
    fn choose(&mut self, block: &Block<'_>, kept: &mut Vec<usize>) {
        kept.clear();
        let count = self.folds.count.max(1);
        for i in 0..block.rows() {
            let place = (self.rows % count as u64) as usize;
            if place == 0 || self.order.len() != count {
                self.order.clear();
                self.order.extend(0..count);
                let group = scattered(self.folds.seed, self.rows);
                for k in (1..count).rev() {
                    self.order.swap(k, (scattered(group, k as u64) % (k as u64 + 1)) as usize);
                }
            }
            if self.part.holds(self.order[place]) {
                kept.push(i);
            }
            self.rows += 1;
        }
    }
}

/// A pass that sees some rows.
#[derive(Debug, Clone)]
struct Selecting<A> {
    inner: A,
    chooser: Chooser,
    kept: Vec<usize>,
    gathered: Gathered,
}

/// The kept rows of every column, one after the other.
#[derive(Debug, Clone, Default)]
struct Gathered {
    numbers: Vec<f64>,
    clusters: Vec<u64>,
}

impl Gathered {
    /// Shows `next` the rows of `block` at the places `kept`.
    fn show(&mut self, block: &Block<'_>, kept: &[usize], next: impl FnOnce(&Block<'_>)) {
        let Gathered { numbers, clusters } = self;
        numbers.clear();
        clusters.clear();
        let count = kept.len();
        let columns = || block.design.iter().chain(block.scale_design).chain([&block.response]);
        let others = || [block.weights, block.frequencies, block.log_jacobian].into_iter().flatten();
        for values in columns().flat_map(|values| [Some(values.high), values.low]).flatten().chain(others()) {
            numbers.extend(kept.iter().map(|&i| values[i]));
        }
        block.clusters.iter().for_each(|ids| clusters.extend(kept.iter().map(|&i| ids[i])));
        let mut parts = numbers.chunks_exact(count);
        let mut take = || parts.next().unwrap_or_default();
        let columns: Vec<Values<'_>> =
            columns().map(|values| Values { high: take(), low: values.low.map(|_| take()) }).collect();
        let (design, rest) = columns.split_at(block.design.len());
        let (scale_design, response) = rest.split_at(block.scale_design.len());
        let clusters: Vec<&[u64]> = clusters.chunks_exact(count).collect();
        next(&Block {
            response: response[0],
            design,
            scale_design,
            weights: block.weights.map(|_| take()),
            frequencies: block.frequencies.map(|_| take()),
            log_jacobian: block.log_jacobian.map(|_| take()),
            clusters: &clusters,
        });
    }
}

impl<A: Accumulator> Accumulator for Selecting<A> {
    const KIND: &'static str = A::KIND;

    fn fold(&mut self, block: &Block<'_>) {
        let Selecting { inner, chooser, kept, gathered } = self;
        if chooser.part == Part::From(0) {
            // Nobody is left out.
            return inner.fold(block);
        }
        chooser.choose(block, kept);
        match kept.len() {
            0 => {}
            all if all == block.rows() => inner.fold(block),
            _ => gathered.show(block, kept, |block| inner.fold(block)),
        }
    }

    fn merge(&mut self, later: Self) {
        self.inner.merge(later.inner);
    }

    fn rows(&self) -> u64 {
        self.inner.rows()
    }

    fn precision(&self) -> Precision {
        self.inner.precision()
    }

    fn parameters(&self) -> u64 {
        let [low, high] = [self.inner.parameters() as u32, (self.inner.parameters() >> 32) as u32].map(f64::from);
        let Folds { count, seed } = self.chooser.folds;
        let (kind, part) = match self.chooser.part {
            Part::Only(part) => (0.0, part),
            Part::Without(part) => (1.0, part),
            Part::Before(end) => (2.0, end),
            Part::From(start) => (3.0, start),
        };
        hash_parameters([
            low,
            high,
            count as f64,
            f64::from(seed as u32),
            f64::from((seed >> 32) as u32),
            kind,
            part as f64,
        ])
    }

    fn size_in_bytes(&self) -> usize {
        self.inner.size_in_bytes()
    }

    fn write(&self, writer: &mut StateWriter) {
        self.inner.write(writer);
    }

    fn read(&mut self, reader: &mut StateReader<'_>) -> Result<(), Error> {
        self.inner.read(reader)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rows::{Matrix, MemoryRows, Sample};

    /// The responses that a source shows.
    fn responses(source: &impl RowSource) -> Vec<f64> {
        let layout = source.layout();
        let sample = source.pass(Sample::new(layout, usize::MAX / 4, None)).unwrap().finish(layout);
        let mut found = sample.source().unwrap().pass(Collect(Vec::new())).unwrap().0;
        found.sort_by(f64::total_cmp);
        found
    }

    #[derive(Clone)]
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
        fn parameters(&self) -> u64 {
            0
        }
        fn size_in_bytes(&self) -> usize {
            0
        }
        fn write(&self, _: &mut StateWriter) {}
        fn read(&mut self, _: &mut StateReader<'_>) -> Result<(), Error> {
            Ok(())
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
