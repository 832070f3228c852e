//! How often each text of a column occurs, in memory of bounded size.

use std::collections::HashMap;

use crate::frame::MISSING;

/// Up to this many different levels of a column are counted.
pub const COUNTED_LEVELS: usize = 10_000;

/// Counts of texts: exact while there are no more than a limit of different ones; beyond that, of the frequent ones, each
/// too low by at most a known number.
///
/// Misra and Gries 1982, *Finding repeated elements*, with the merging of Agarwal, Cormode, Huang, Phillips, Wei and Yi
/// 2013, *Mergeable summaries*: if there are too many counters, as much is taken off all of them as empties enough.
#[derive(Debug, Clone)]
pub(crate) struct Levels {
    counts: HashMap<String, u64>,
    limit: usize,
    /// How much was taken off every count.
    taken_off: u64,
    /// Whether there were more different texts than the limit.
    exceeded: bool,
}

impl Default for Levels {
    fn default() -> Self {
        Levels::with_limit(COUNTED_LEVELS)
    }
}

impl Levels {
    fn with_limit(limit: usize) -> Self {
        Levels { counts: HashMap::new(), limit, taken_off: 0, exceeded: false }
    }

    /// Counts a [`Column::Category`](crate::frame::Column::Category); returns how many values are missing.
    pub fn add(&mut self, codes: &[u32], levels: &[String]) -> u64 {
        let (mut counts, mut missing) = (vec![0u64; levels.len()], 0);
        for &code in codes {
            match counts.get_mut(code as usize) {
                Some(count) => *count += 1,
                None => missing += u64::from(code == MISSING),
            }
        }
        for (level, count) in levels.iter().zip(counts).filter(|&(_, count)| count > 0) {
            match self.counts.get_mut(level) {
                Some(known) => *known += count,
                None => drop(self.counts.insert(level.clone(), count)),
            }
        }
        self.reduce();
        missing
    }

    /// Adds another column's counts.
    pub fn merge(&mut self, other: Levels) {
        self.taken_off += other.taken_off;
        self.exceeded |= other.exceeded;
        for (level, count) in other.counts {
            *self.counts.entry(level).or_default() += count;
        }
        self.reduce();
    }

    /// Takes the largest count beyond the limit off all counts.
    fn reduce(&mut self) {
        if self.counts.len() <= self.limit {
            return;
        }
        self.exceeded = true;
        let mut counts: Vec<u64> = self.counts.values().copied().collect();
        let (_, &mut excess, _) = counts.select_nth_unstable_by(self.limit, |a, b| b.cmp(a));
        self.taken_off += excess;
        self.counts.retain(|_, count| {
            *count = count.saturating_sub(excess);
            *count > 0
        });
    }

    /// The number of different texts, if it is within the limit.
    pub fn distinct(&self) -> Option<u64> {
        (!self.exceeded).then_some(self.counts.len() as u64)
    }

    /// The limit.
    pub fn limit(&self) -> u64 {
        self.limit as u64
    }

    /// The text that occurs most often, of several the first in alphabetical order, with the least and the largest number of
    /// times that it can have occurred. None where another text may have occurred more often.
    pub fn most_frequent(&self) -> Option<(&str, u64, u64)> {
        let order =
            |(a, count_a): &(&String, &u64), (b, count_b): &(&String, &u64)| count_a.cmp(count_b).then(b.cmp(a));
        let (first, &count) = self.counts.iter().max_by(order)?;
        let others = self.counts.iter().filter(|(level, _)| *level != first).map(|(_, &count)| count);
        let possible = others.max().unwrap_or(0) + self.taken_off;
        (self.taken_off == 0 || count > possible).then_some((first, count, count + self.taken_off))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn column(texts: &[&str]) -> (Vec<u32>, Vec<String>) {
        let mut levels: Vec<String> = Vec::new();
        let codes = texts.iter().map(|text| match levels.iter().position(|level| level == text) {
            _ if text.is_empty() => MISSING,
            Some(code) => code as u32,
            None => {
                levels.push((*text).to_owned());
                levels.len() as u32 - 1
            }
        });
        (codes.collect(), levels)
    }

    fn counted(texts: &[&str], limit: usize, units: usize) -> Levels {
        texts.chunks(units).fold(Levels::with_limit(limit), |mut levels, unit| {
            let (mut state, (codes, names)) = (Levels::with_limit(limit), column(unit));
            state.add(&codes, &names);
            levels.merge(state);
            levels
        })
    }

    #[test]
    fn few_levels_are_counted_exactly() {
        let texts = ["b", "a", "", "c", "a", "", "b", "a"];
        let (codes, names) = column(&texts);
        assert_eq!(Levels::default().add(&codes, &names), 2);
        for units in [1, 3, 8] {
            let levels = counted(&texts, 3, units);
            assert_eq!((levels.distinct(), levels.most_frequent()), (Some(3), Some(("a", 3, 3))));
        }
        let tie = counted(&["b", "a", "b", "a"], 3, 4);
        assert_eq!(tie.most_frequent(), Some(("a", 2, 2)));
        assert_eq!(Levels::default().most_frequent(), None);
    }

    /// 60 times "often" among 40 texts that occur once.
    #[test]
    fn a_frequent_level_is_found_among_too_many_others() {
        let names: Vec<String> = (0..40).map(|i| format!("once {i}")).collect();
        let once = names.iter().map(String::as_str);
        let texts: Vec<&str> = std::iter::repeat_n("often", 60).chain(once.clone()).collect();
        for units in [1, 9, 100] {
            let levels = counted(&texts, 5, units);
            assert_eq!(levels.distinct(), None);
            let (level, least, most) = levels.most_frequent().unwrap_or_default();
            assert!(level == "often" && least <= 60 && most >= 60 && most - least <= 100 / 6, "{least} to {most}");
        }
        let even: Vec<&str> = once.collect();
        assert_eq!(counted(&even, 5, 7).most_frequent(), None);
    }
}
