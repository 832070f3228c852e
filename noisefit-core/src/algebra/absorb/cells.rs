//! The combinations of levels that occur: the sparse matrix of the normal equations of crossed effects.

use std::ops::Range;

/// Combinations of the levels of several effects, each once with the weight of its rows, sorted by the level of a first effect: what
/// the products `D'VD` of the indicators of all levels are made of.
#[derive(Debug)]
pub(super) struct Cells {
    /// Where the cells of each level of the first effect begin, and the end.
    starts: Vec<usize>,
    /// The levels of the other effects, those of a cell one after the other.
    others: Vec<u32>,
    /// How many other effects there are.
    width: usize,
    weights: Vec<f64>,
}

impl Cells {
    /// From the levels of every row (those of a row one after the other, of effects that have `levels` levels) and what the rows
    /// weigh (nothing where all weigh one), sorted by the levels of the effect `first`.
    pub(super) fn new(combinations: &[u32], weights: &[f64], levels: &[usize], first: usize) -> Self {
        let (effects, width) = (levels.len(), levels.len() - 1);
        let rows = combinations.len() / effects;
        // Sorted by counting.
        let mut starts = vec![0; levels[first] + 1];
        combinations.chunks_exact(effects).for_each(|row| starts[row[first] as usize + 1] += 1);
        (0..levels[first]).for_each(|level| starts[level + 1] += starts[level]);
        let mut next = starts.clone();
        let (mut others, mut own) = (vec![0; rows * width], vec![1.0; rows]);
        for (i, row) in combinations.chunks_exact(effects).enumerate() {
            let place = &mut next[row[first] as usize];
            let rest = row.iter().enumerate().filter(|(k, _)| *k != first).map(|(_, level)| *level);
            others[*place * width..][..width].iter_mut().zip(rest).for_each(|(other, level)| *other = level);
            if let Some(weight) = weights.get(i) {
                own[*place] = *weight;
            }
            *place += 1;
        }
        let mut cells = Cells { starts, others, width, weights: own };
        cells.join();
        cells
    }

    /// Makes one of cells that are the same.
    fn join(&mut self) {
        let Cells { starts, others, width, weights } = self;
        let (width, mut kept, mut begin) = (*width, 0, 0);
        let (mut order, mut levels, mut sums): (Vec<usize>, Vec<u32>, Vec<f64>) = Default::default();
        for start in &mut starts[1..] {
            let end = std::mem::replace(start, kept);
            order.clear();
            order.extend(begin..end);
            order.sort_by(|&a, &b| others[a * width..][..width].cmp(&others[b * width..][..width]));
            levels.clear();
            sums.clear();
            for &cell in &order {
                let own = &others[cell * width..][..width];
                match sums.last_mut() {
                    Some(sum) if levels.ends_with(own) => *sum += weights[cell],
                    _ => {
                        levels.extend_from_slice(own);
                        sums.push(weights[cell]);
                    }
                }
            }
            // There are no more of them than before.
            others[kept * width..][..levels.len()].copy_from_slice(&levels);
            weights[kept..][..sums.len()].copy_from_slice(&sums);
            kept += sums.len();
            *start = kept;
            begin = end;
        }
        others.truncate(kept * width);
        weights.truncate(kept);
        others.shrink_to_fit();
        weights.shrink_to_fit();
    }

    /// The number of levels of the first effect.
    pub(super) fn levels(&self) -> usize {
        self.starts.len() - 1
    }

    /// The cells of a level of the first effect.
    #[inline(always)]
    pub(super) fn of_level(&self, level: usize) -> Range<usize> {
        self.starts[level]..self.starts[level + 1]
    }

    /// The levels of the other effects in a cell.
    #[inline(always)]
    pub(super) fn others(&self, cell: usize) -> &[u32] {
        &self.others[cell * self.width..][..self.width]
    }

    #[inline(always)]
    pub(super) fn weight(&self, cell: usize) -> f64 {
        self.weights[cell]
    }

    /// Ranges of levels of the first effect with about as many cells each, `parts` or fewer.
    pub(super) fn parts(&self, parts: usize) -> Vec<Range<usize>> {
        let (mut ranges, mut begin) = (Vec::with_capacity(parts), 0);
        for part in 1..=parts {
            let target = self.weights.len() * part / parts;
            let end = if part == parts { self.levels() } else { self.starts.partition_point(|&start| start < target) };
            let end = end.clamp(begin, self.levels());
            if end > begin {
                ranges.push(begin..end);
            }
            begin = end;
        }
        ranges
    }

    /// The number of cells.
    pub(super) fn count(&self) -> usize {
        self.weights.len()
    }

    /// Levels of the first effect beside those of another one (by its place among the others) with which they occur.
    fn pairs(&self, other: usize) -> impl Iterator<Item = (usize, usize)> {
        (0..self.levels())
            .flat_map(move |level| self.of_level(level).map(move |cell| (level, self.others(cell)[other] as usize)))
    }

    /// Pairs of levels of two of the other effects that occur together.
    fn other_pairs(&self, [a, b]: [usize; 2]) -> impl Iterator<Item = (usize, usize)> {
        (0..self.count()).map(move |cell| (self.others(cell)[a] as usize, self.others(cell)[b] as usize))
    }

    /// The connected components of two effects, by their places among all of which `first` is the one that cells are sorted by.
    pub(super) fn components(&self, [a, b]: [usize; 2], first: usize, levels: &[usize]) -> Components {
        let among_others = |k: usize| k - usize::from(k > first);
        let mut found = Components::new(levels[a], levels[b]);
        match (a == first, b == first) {
            (true, _) => self.pairs(among_others(b)).for_each(|(level, other)| found.join(level, other)),
            (_, true) => self.pairs(among_others(a)).for_each(|(level, other)| found.join(other, level)),
            _ => self.other_pairs([among_others(a), among_others(b)]).for_each(|(a, b)| found.join(a, b)),
        }
        found
    }
}

/// Which levels of two effects hang together: those that a chain of rows leads from one to the other. Constants may be moved from one
/// effect to the other in each component by itself.
#[derive(Debug)]
pub(super) struct Components {
    /// Of the first effect's levels and then the second's, one that it hangs together with, up to the component's root.
    parents: Vec<u32>,
    first: usize,
    met: Vec<bool>,
}

impl Components {
    fn new(first: usize, second: usize) -> Self {
        let count = first + second;
        Components { parents: (0..count as u32).collect(), first, met: vec![false; count] }
    }

    fn root(&mut self, mut node: usize) -> usize {
        while self.parents[node] as usize != node {
            // Every way is halved as it is gone.
            self.parents[node] = self.parents[self.parents[node] as usize];
            node = self.parents[node] as usize;
        }
        node
    }

    fn join(&mut self, level: usize, other: usize) {
        let other = self.first + other;
        (self.met[level], self.met[other]) = (true, true);
        let (a, b) = (self.root(level), self.root(other));
        self.parents[a.max(b)] = a.min(b) as u32;
    }

    /// How many there are.
    pub(super) fn count(&self) -> usize {
        let is_root = |(node, parent): (usize, &u32)| self.met[node] && node == *parent as usize;
        self.parents.iter().enumerate().filter(|&pair| is_root(pair)).count()
    }

    /// The component of every level of the first and of the second effect.
    pub(super) fn of_levels(mut self) -> [Vec<u32>; 2] {
        let mut of_all: Vec<u32> = (0..self.parents.len()).map(|node| self.root(node) as u32).collect();
        let second = of_all.split_off(self.first);
        [of_all, second]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_of_the_same_levels_are_one_cell() {
        // Pairs (0, 1), (2, 0), (0, 1), (2, 1), (0, 0), sorted by the second.
        let combinations = [0, 1, 2, 0, 0, 1, 2, 1, 0, 0];
        let cells = Cells::new(&combinations, &[1.0, 2.0, 0.5, 4.0, 8.0], &[3, 2], 1);
        let all: Vec<_> =
            (0..2).flat_map(|l| cells.of_level(l)).map(|c| (cells.others(c)[0], cells.weight(c))).collect();
        assert_eq!(all, [(0, 8.0), (2, 2.0), (0, 1.5), (2, 4.0)]);
        assert_eq!(cells.of_level(1), 2..4);
        assert_eq!(cells.parts(2), [0..1, 1..2]);
        let joined = cells.components([0, 1], 1, &[3, 2]);
        assert_eq!(joined.count(), 1);
    }

    #[test]
    fn components_are_counted_without_levels_that_have_no_row() {
        // Levels 0 and 1 with 0; 2 with 2; 3 and the other's 1 have no row.
        let cells = Cells::new(&[0, 0, 1, 0, 2, 2], &[], &[4, 3], 0);
        let found = cells.components([0, 1], 0, &[4, 3]);
        assert_eq!(found.count(), 2);
        let [first, second] = found.of_levels();
        assert_eq!(first[0], first[1]);
        assert_eq!((first[0], first[2]), (second[0], second[2]));
        assert_ne!(first[0], first[2]);
    }
}
