//! Where batches come from.

use std::ops::ControlFlow;

use serde::{Deserialize, Serialize};

use crate::Error;
use crate::network::Targets;
use crate::rows::{scattered, scattered_below};

/// A batch of rows: inputs one row after the other, and what is to be predicted.
#[derive(Debug, Clone, Copy)]
pub struct Batch<'a> {
    /// `rows x inputs` numbers.
    pub inputs: &'a [f32],
    /// The responses, weights and frequencies.
    pub targets: Targets<'a>,
}

/// Who is shown batches, until it breaks.
pub type Show<'a> = dyn FnMut(&Batch<'_>) -> ControlFlow<()> + Send + 'a;

/// Rows that are shown in batches, epoch after epoch.
///
/// The batches of an epoch depend on its number alone, so that training can go on where it was stopped.
pub trait Feed {
    /// The number of inputs of a row.
    fn inputs(&self) -> usize;

    /// Batches in an epoch, where that is known before one was run.
    fn batches(&self) -> Option<u64>;

    /// Shows the batches of an epoch to `next`, from number `first` on, until it breaks.
    ///
    /// # Errors
    /// What reading the rows reports.
    fn epoch(&mut self, epoch: u64, first: u64, next: &mut Show<'_>) -> Result<(), Error>;
}

/// Rows in memory.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct TrainingRows {
    /// The number of inputs of a row.
    pub inputs: usize,
    /// Row after row.
    pub design: Vec<f32>,
    /// The responses.
    pub response: Vec<f32>,
    /// Known relative precisions.
    pub weights: Option<Vec<f32>>,
    /// How often rows count.
    pub frequencies: Option<Vec<f32>>,
}

impl TrainingRows {
    /// The number of rows.
    pub fn len(&self) -> usize {
        self.response.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.response.is_empty()
    }

    /// Consecutive rows as they stand.
    pub fn batch(&self, rows: std::ops::Range<usize>) -> Batch<'_> {
        Batch {
            inputs: &self.design[rows.start * self.inputs..rows.end * self.inputs],
            targets: Targets {
                response: &self.response[rows.clone()],
                weights: self.weights.as_deref().map(|w| &w[rows.clone()]),
                frequencies: self.frequencies.as_deref().map(|f| &f[rows]),
            },
        }
    }

    /// Appends the rows of another, which has the same columns.
    pub(crate) fn append(&mut self, other: TrainingRows) {
        self.design.extend(other.design);
        self.response.extend(other.response);
        for (mine, theirs) in [(&mut self.weights, other.weights), (&mut self.frequencies, other.frequencies)] {
            if let Some(theirs) = theirs {
                mine.get_or_insert_default().extend(theirs);
            }
        }
    }

    /// Appends row `i` of `other`, which has the same columns.
    pub(crate) fn take(&mut self, other: &TrainingRows, i: usize) {
        self.design.extend_from_slice(&other.design[i * other.inputs..(i + 1) * other.inputs]);
        self.response.push(other.response[i]);
        for (mine, theirs) in [(&mut self.weights, &other.weights), (&mut self.frequencies, &other.frequencies)] {
            if let Some(theirs) = theirs {
                mine.get_or_insert_default().push(theirs[i]);
            }
        }
    }

    /// Puts row `i` of `other` in the place of a row.
    pub(crate) fn replace(&mut self, place: usize, other: &TrainingRows, i: usize) {
        let (width, from) = (self.inputs, i * other.inputs);
        self.design[place * width..(place + 1) * width].copy_from_slice(&other.design[from..from + width]);
        self.response[place] = other.response[i];
        for (mine, theirs) in [(&mut self.weights, &other.weights), (&mut self.frequencies, &other.frequencies)] {
            if let (Some(mine), Some(theirs)) = (mine, theirs) {
                mine[place] = theirs[i];
            }
        }
    }

    pub(crate) fn clear(&mut self) {
        self.design.clear();
        self.response.clear();
        [&mut self.weights, &mut self.frequencies].into_iter().flatten().for_each(Vec::clear);
    }

    /// No rows, with room for some and the same columns.
    pub(crate) fn empty(&self, rows: usize) -> Self {
        let room = |values: &Option<Vec<f32>>| values.as_ref().map(|_| Vec::with_capacity(rows));
        TrainingRows {
            inputs: self.inputs,
            design: Vec::with_capacity(rows * self.inputs),
            response: Vec::with_capacity(rows),
            weights: room(&self.weights),
            frequencies: room(&self.frequencies),
        }
    }
}

/// Rows in memory, shown in an order that is drawn anew for every epoch, or as they stand.
#[derive(Debug, Clone)]
pub struct MemoryFeed<'a> {
    rows: &'a TrainingRows,
    batch: usize,
    /// What the order is drawn from; without, rows are shown as they stand.
    seed: Option<u64>,
    /// The rows that are shown, where not all are.
    shown: Option<Vec<u32>>,
    order: Vec<u32>,
    gathered: TrainingRows,
}

impl<'a> MemoryFeed<'a> {
    /// Batches of `batch` rows, the last of an epoch perhaps smaller.
    pub fn new(rows: &'a TrainingRows, batch: usize, seed: Option<u64>) -> Self {
        let batch = batch.clamp(1, rows.len().max(1));
        let gathered = rows.empty(if seed.is_some() { batch } else { 0 });
        MemoryFeed { rows, batch, seed, shown: None, order: Vec::new(), gathered }
    }

    /// The same of some of the rows alone, by their numbers.
    #[must_use]
    pub(crate) fn of(self, shown: Vec<u32>) -> Self {
        let batch = self.batch.min(shown.len().max(1));
        MemoryFeed { gathered: self.rows.empty(batch), batch, shown: Some(shown), ..self }
    }

    fn count(&self) -> usize {
        self.shown.as_ref().map_or(self.rows.len(), Vec::len)
    }

    /// The order of an epoch's rows (Fisher and Yates).
    fn arrange(&mut self, epoch: u64) {
        self.order.clear();
        match &self.shown {
            Some(shown) => self.order.extend(shown),
            None => self.order.extend(0..self.rows.len() as u32),
        }
        let Some(seed) = self.seed else { return };
        let draw = scattered(seed, epoch);
        for k in (1..self.order.len()).rev() {
            self.order.swap(k, scattered_below(draw, k as u64, k + 1));
        }
    }
}

impl Feed for MemoryFeed<'_> {
    fn inputs(&self) -> usize {
        self.rows.inputs
    }

    fn batches(&self) -> Option<u64> {
        Some(self.count().div_ceil(self.batch) as u64)
    }

    fn epoch(&mut self, epoch: u64, first: u64, next: &mut Show<'_>) -> Result<(), Error> {
        let (rows, count, as_they_stand) = (self.rows, self.count(), self.seed.is_none() && self.shown.is_none());
        if !as_they_stand {
            self.arrange(epoch);
        }
        for start in (0..count).step_by(self.batch).skip(first as usize) {
            let range = start..(start + self.batch).min(count);
            let shown = if as_they_stand {
                next(&rows.batch(range))
            } else {
                self.gathered.clear();
                self.order[range].iter().for_each(|&i| self.gathered.take(rows, i as usize));
                next(&self.gathered.batch(0..self.gathered.len()))
            };
            if shown.is_break() {
                break;
            }
        }
        Ok(())
    }
}
