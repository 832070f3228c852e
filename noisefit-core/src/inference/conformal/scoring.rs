//! The pass that scores rows by a member.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::Error;
use crate::inference::conformal::member::Member;
use crate::inference::conformal::scores::Scores;
use crate::inference::predict::NewRows;
use crate::rows::{Accumulator, Block, Precision, RowSource, RowSourceExt};

/// How many times the limit of scores is gathered before they are condensed: each time moves ranks by up to two shares of the
/// limit, so that it should be seldom.
const BUFFERED: usize = 32;

/// The pass that scores rows by a member.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Scoring {
    member: Arc<Member>,
    /// Scores kept at most.
    limit: usize,
    /// Scores and how many observations have them, in any order.
    found: Vec<(f64, f64)>,
    count: f64,
    rows: u64,
}

impl Scoring {
    pub(crate) fn new(member: Arc<Member>, limit: usize) -> Self {
        Scoring { member, limit, found: Vec::new(), count: 0.0, rows: 0 }
    }

    /// Sorts, and where there are more than `most` scores lets neighbours share the largest of them.
    fn condense(&mut self, most: usize) {
        self.found.sort_by(|a, b| a.0.total_cmp(&b.0));
        // Two groups side by side hold more than this, so that there are no more than the limit.
        let share = if self.found.len() > most { 2.0 * self.count / self.limit as f64 } else { 0.0 };
        self.found.dedup_by(|later, group| {
            let together = later.0 == group.0 || later.1 + group.1 <= share;
            if together {
                *group = (later.0, later.1 + group.1);
            }
            together
        });
    }

    pub(crate) fn finish(mut self) -> Scores {
        self.condense(self.limit);
        let mut sum = 0.0;
        let cumulate = |&(_, count): &(f64, f64)| {
            sum += count;
            sum
        };
        let single = self.found.iter().all(|(_, count)| *count == 1.0);
        let up_to = if single { Vec::new() } else { self.found.iter().map(cumulate).collect() };
        Scores { values: self.found.into_iter().map(|(score, _)| score).collect(), up_to, count: self.count }
    }
}

impl Accumulator for Scoring {
    const KIND: &'static str = "conformity scores";

    fn fold(&mut self, block: &Block<'_>) {
        self.rows += block.rows() as u64;
        let scores = self.member.scores_of(block, &NewRows::from(block));
        for (i, score) in scores.into_iter().enumerate() {
            let count = block.frequency(i);
            self.count += count;
            // One that is no number says nothing of how large it is.
            if score.is_finite() {
                self.found.push((score, count));
            }
        }
        if self.found.len() > BUFFERED * self.limit {
            self.condense(self.limit);
        }
    }

    fn merge(&mut self, later: Self) {
        self.rows += later.rows;
        self.count += later.count;
        self.found.extend(later.found);
        if self.found.len() > BUFFERED * self.limit {
            self.condense(self.limit);
        }
    }

    fn rows(&self) -> u64 {
        self.rows
    }

    fn precision(&self) -> Precision {
        Precision::Extended
    }
}

impl Member {
    /// The same with the scores of some rows.
    pub(crate) fn scored(self, rows: &dyn RowSource, limit: usize) -> Result<Self, Error> {
        let member = Arc::new(self);
        let scores = rows.pass(Scoring::new(member.clone(), limit))?.finish();
        let mut member = Arc::unwrap_or_clone(member);
        member.scores = scores;
        Ok(member)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn condensed_scores_are_rounded_outwards_by_little() {
        let member = Arc::new(Member::default());
        let values: Vec<f64> = (0..50_000).map(|i| f64::from(i * 7919 % 50_000)).collect();
        let limit = 1000;
        let mut scoring = Scoring::new(member, limit);
        for part in values.chunks(700) {
            scoring.found.extend(part.iter().map(|&value| (value, 1.0)));
            scoring.count += part.len() as f64;
            if scoring.found.len() > BUFFERED * limit {
                scoring.condense(limit);
            }
        }
        let scores = scoring.finish();
        assert!(scores.is_sound() && scores.len() <= limit && scores.count() == 50_000.0);
        assert_eq!(scores.before(scores.len()), 50_000.0);
        for rank in [1.0, 2.0, 777.0, 25_000.0, 49_999.0, 50_000.0] {
            // The score of rank r is r - 1.
            let found = scores.value(scores.place(rank));
            assert!((rank - 1.0..rank - 1.0 + 4.0 * 50_000.0 / limit as f64).contains(&found), "{rank} {found}");
        }
        assert_eq!(scores.place(50_001.0), scores.len());
        assert_eq!(scores.value(scores.len()), f64::INFINITY);
    }
}
