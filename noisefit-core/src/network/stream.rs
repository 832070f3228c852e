//! Rows that do not fit in memory, in an order that a buffer mixes.

use std::ops::ControlFlow;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use crate::Error;
use crate::network::feed::Show;
use crate::network::{Feed, Standardisation, TrainingRows};
use crate::rows::{
    Accumulator, Block, RowSource, StateReader, StateWriter, hash_parameters, scattered, scattered_below,
};

/// Rows of a source, read anew for every epoch while those that were read are learned from.
///
/// They pass through a buffer: each row that comes takes the place of one drawn at random, which goes on to the next batch.
/// Without a seed they are shown as they come.
#[derive(Debug)]
pub(super) struct StreamFeed<'a, S> {
    pub(super) source: &'a S,
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

impl<S: RowSource> Feed for StreamFeed<'_, S> {
    fn inputs(&self) -> usize {
        self.standardisation.inputs.len()
    }

    fn batches(&self) -> Option<u64> {
        Some(self.rows.div_ceil(self.batch as u64))
    }

    fn epoch(&mut self, epoch: u64, first: u64, next: &mut Show<'_>) -> Result<(), Error> {
        let empty = TrainingRows { inputs: self.inputs(), ..TrainingRows::default() };
        let sink = Sink {
            next,
            skipped: first,
            batch: self.batch,
            gathered: empty.clone(),
            buffer: empty.clone(),
            most: if self.seed.is_some() { self.buffer } else { 0 },
            draw: scattered(self.seed.unwrap_or(0), epoch),
            drawn: 0,
        };
        let (sink, stopped) = (Mutex::new(sink), AtomicBool::new(false));
        let streaming = Streaming { sink: &sink, stopped: &stopped, by: self.standardisation, seen: 0, rows: empty };
        let mut last = self.source.pass(streaming)?;
        last.flow(std::iter::empty());
        if !stopped.load(Ordering::Relaxed) {
            let _ = sink.lock().unwrap_or_else(PoisonError::into_inner).finish();
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

/// A pass whose merging, which is in the order of the rows, hands them on.
#[derive(Clone)]
struct Streaming<'a, 'b, 'c> {
    sink: &'a Mutex<Sink<'b, 'c>>,
    stopped: &'a AtomicBool,
    by: &'a Standardisation,
    seen: u64,
    /// Those not handed on yet.
    rows: TrainingRows,
}

impl Streaming<'_, '_, '_> {
    /// Hands on its own rows and then others.
    fn flow(&mut self, later: impl Iterator<Item = TrainingRows>) {
        let empty = TrainingRows { inputs: self.rows.inputs, ..TrainingRows::default() };
        let own = std::mem::replace(&mut self.rows, empty);
        let mut sink = self.sink.lock().unwrap_or_else(PoisonError::into_inner);
        for rows in std::iter::once(own).chain(later) {
            if !self.stopped.load(Ordering::Relaxed) && sink.push(&rows).is_break() {
                self.stopped.store(true, Ordering::Relaxed);
            }
        }
    }
}

impl Accumulator for Streaming<'_, '_, '_> {
    const KIND: &'static str = "training-stream";

    fn fold(&mut self, block: &Block<'_>) {
        self.seen += block.rows() as u64;
        // What is read after training has stopped is not wanted.
        if !self.stopped.load(Ordering::Relaxed) {
            self.by.extend(block, &mut self.rows);
        }
    }

    fn merge(&mut self, later: Self) {
        self.seen += later.seen;
        self.flow(std::iter::once(later.rows));
    }

    fn rows(&self) -> u64 {
        self.seen
    }

    fn parameters(&self) -> u64 {
        hash_parameters(self.by.numbers())
    }

    fn size_in_bytes(&self) -> usize {
        size_of::<f32>() * (self.rows.design.len() + self.rows.response.len())
    }

    fn write(&self, writer: &mut StateWriter) {
        writer.integer(self.seen);
    }

    fn read(&mut self, reader: &mut StateReader<'_>) -> Result<(), Error> {
        self.seen = reader.integer()?;
        Ok(())
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::network::Centre;
    use crate::rows::{Matrix, MemoryRows};

    fn epoch(feed: &mut StreamFeed<'_, MemoryRows<'_>>, epoch: u64, first: u64, most: usize) -> Vec<Vec<f32>> {
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
