//! Rows that do not fit in memory, in an order that a buffer mixes.

use std::ops::ControlFlow;

use crate::Error;
use crate::network::feed::Show;
use crate::network::standardise::Gather;
use crate::network::{Feed, Standardisation, TrainingRows};
use crate::rows::{Request, RowSource, scattered, scattered_below};

/// Rows of a source, read anew for every epoch while those that were read are learned from.
///
/// They pass through a buffer: each row that comes takes the place of one drawn at random, which goes on to the next batch.
/// Without a seed they are shown as they come.
///
/// What gathers the rows of a work unit is a pass like others, which may be run anywhere; what learns from them takes the
/// units here, in their order.
pub(super) struct StreamFeed<'a> {
    pub(super) source: &'a dyn RowSource,
    pub(super) standardisation: &'a Standardisation,
    /// The rows of the source.
    pub(super) rows: u64,
    /// Those of a batch.
    pub(super) batch: usize,
    /// What their order is drawn from.
    pub(super) seed: Option<u64>,
    /// Rows that mix.
    pub(super) buffer: usize,
}

impl Feed for StreamFeed<'_> {
    fn inputs(&self) -> usize {
        self.standardisation.inputs.len()
    }

    fn batches(&self) -> Option<u64> {
        Some(self.rows.div_ceil(self.batch as u64))
    }

    fn epoch(&mut self, epoch: u64, first: u64, next: &mut Show<'_>) -> Result<(), Error> {
        let empty = TrainingRows { inputs: self.inputs(), ..TrainingRows::default() };
        let mut sink = Sink {
            next,
            skipped: first,
            batch: self.batch,
            gathered: empty.clone(),
            buffer: empty,
            most: if self.seed.is_some() { self.buffer } else { 0 },
            draw: scattered(self.seed.unwrap_or(0), epoch),
            drawn: 0,
        };
        let mut flow = Ok(ControlFlow::Continue(()));
        self.source.units(&Gather::new(self.standardisation), &mut |unit| {
            flow = Gather::from_pass(unit).map(|unit| sink.push(&unit.rows));
            if let Ok(ControlFlow::Continue(())) = flow { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
        })?;
        if flow?.is_continue() {
            let _ = sink.finish();
        }
        Ok(())
    }
}

/// Where rows go in their order.
struct Sink<'a, 'b> {
    next: &'a mut Show<'b>,
    /// Batches that are still to be left out.
    skipped: u64,
    batch: usize,
    gathered: TrainingRows,
    buffer: TrainingRows,
    /// Rows of the buffer at most.
    most: usize,
    draw: u64,
    drawn: u64,
}

impl Sink<'_, '_> {
    fn random(&mut self, below: usize) -> usize {
        self.drawn += 1;
        scattered_below(self.draw, self.drawn, below)
    }

    fn push(&mut self, rows: &TrainingRows) -> ControlFlow<()> {
        for i in 0..rows.len() {
            if self.most == 0 {
                self.gathered.take(rows, i);
            } else if self.buffer.len() < self.most {
                self.buffer.take(rows, i);
                continue;
            } else {
                let place = self.random(self.most);
                self.gathered.take(&self.buffer, place);
                self.buffer.replace(place, rows, i);
            }
            if self.gathered.len() == self.batch {
                self.show()?;
            }
        }
        ControlFlow::Continue(())
    }

    fn show(&mut self) -> ControlFlow<()> {
        let flow = match self.skipped {
            0 => (self.next)(&self.gathered.batch(0..self.gathered.len())),
            _ => {
                self.skipped -= 1;
                ControlFlow::Continue(())
            }
        };
        self.gathered.clear();
        flow
    }

    /// Shows what is left.
    fn finish(&mut self) -> ControlFlow<()> {
        let mut order: Vec<usize> = (0..self.buffer.len()).collect();
        for k in (1..order.len()).rev() {
            let other = self.random(k + 1);
            order.swap(k, other);
        }
        let buffer = std::mem::take(&mut self.buffer);
        for place in order {
            self.gathered.take(&buffer, place);
            if self.gathered.len() == self.batch {
                self.show()?;
            }
        }
        if self.gathered.is_empty() { ControlFlow::Continue(()) } else { self.show() }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::network::Centre;
    use crate::rows::{Matrix, MemoryRows};

    fn epoch(feed: &mut StreamFeed<'_>, epoch: u64, first: u64, most: usize) -> Vec<Vec<f32>> {
        let mut shown: Vec<Vec<f32>> = Vec::new();
        feed.epoch(epoch, first, &mut |batch| {
            shown.push(batch.targets.response.to_vec());
            // Inputs go with their responses.
            assert!(batch.inputs.iter().zip(batch.targets.response).all(|(x, y)| *x == 2.0 * y));
            if shown.len() == most { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        })
        .unwrap();
        shown
    }

    #[test]
    fn every_row_is_shown_once_in_an_order_of_its_own() {
        let n = 40_003usize;
        let y: Vec<f64> = (0..n).map(|i| i as f64).collect();
        let x: Vec<f64> = y.iter().map(|y| 2.0 * y).collect();
        let rows = MemoryRows::new(&y, Matrix::row_major(&x, n, 1).unwrap()).unwrap().with_threads(2);
        let plain = Centre { mean: 0.0, deviation: 1.0 };
        let by = Standardisation { inputs: vec![plain], response: plain };
        let feed =
            |seed| StreamFeed { source: &rows, standardisation: &by, rows: n as u64, batch: 100, seed, buffer: 5000 };
        let ordered: Vec<f32> = y.iter().map(|y| *y as f32).collect();
        assert_eq!(epoch(&mut feed(None), 0, 0, 0).concat(), ordered);
        let all = epoch(&mut feed(Some(3)), 1, 0, 0);
        assert_eq!(all.len() as u64, feed(None).batches().unwrap());
        let mut sorted = all.concat();
        assert_ne!(sorted, ordered);
        sorted.sort_by(f32::total_cmp);
        assert_eq!(sorted, ordered);
        // Another epoch is another order; from a batch on, and with one thread, it is the same.
        assert_ne!(epoch(&mut feed(Some(3)), 2, 0, 0), all);
        let single = rows.clone().with_threads(1);
        let mut feed = StreamFeed { source: &single, ..feed(Some(3)) };
        assert_eq!(epoch(&mut feed, 1, 7, 0), all[7..]);
        assert_eq!(epoch(&mut feed, 1, 7, 5), all[7..12]);
    }
}
