//! The side that asks.

use std::collections::HashMap;
use std::fmt::Debug;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use noisefit_core::rows::Pass;

use super::answer::{Answer, Merger, PartitionRead, STABLE, merged};
use super::place_of;
use super::task::{Reading, Task, Work};
use crate::error::DataError;
use crate::formula::Learner;
use crate::read::Rerun;

/// Whoever holds a table in partitions and has workers that fold them. What it gives as a [`Rerun`] are the rows, brought here one batch
/// after another, for what is no pass.
pub trait Engine: Rerun {
    /// Has every partition's rows, with these columns in this order, folded by
    /// [`fold_partition`](crate::source::fold_partition), and gives the answers in any order, as they are or
    /// [merged](super::merge) by groups of consecutive partitions.
    ///
    /// # Errors
    /// What the engine reports; [`DataError::Interrupted`] where `cancelled` says so.
    fn ask(&self, columns: &[String], task: &[u8], cancelled: &dyn Fn() -> bool) -> Result<Vec<Vec<u8>>, DataError>;
}

/// What passes over a table have cost so far.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Traffic {
    /// How often the rows were read.
    pub passes: u64,
    /// In how many partitions that had rows.
    pub partitions: u64,
    /// Records that were read, in all passes together.
    pub records: u64,
    /// Bytes of tasks, each of which goes to every partition.
    pub bytes_sent: u64,
    /// Bytes of answers that came here.
    pub bytes_received: u64,
    /// Seconds from task to answer, in all passes together.
    pub seconds: f64,
}

/// A table's engine, and what is known of its partitions.
#[derive(Debug)]
pub(crate) struct Remote {
    engine: Arc<dyn Engine>,
    reading: Reading,
    /// The partitions as they were read first, by the columns that were.
    known: Mutex<HashMap<Vec<String>, Vec<PartitionRead>>>,
    traffic: Mutex<Traffic>,
}

impl Remote {
    pub fn new(engine: Arc<dyn Engine>, reading: Reading) -> Self {
        Remote { engine, reading, known: Mutex::default(), traffic: Mutex::default() }
    }

    pub fn traffic(&self) -> Traffic {
        *self.traffic.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How many records there are, once a pass has met them.
    pub fn records(&self) -> Option<u64> {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.values().next().map(|partitions| partitions.iter().map(|read| read.records).sum())
    }

    /// What a learner comes to on all rows.
    pub fn learn(
        &self,
        columns: &[&str],
        work: Work,
        empty: Learner,
        cancelled: &dyn Fn() -> bool,
    ) -> Result<Option<Answer>, DataError> {
        self.ask(columns, work, &Merger::Learned(empty), cancelled)
    }

    /// What a pass comes to on all rows.
    pub fn fold(
        &self,
        columns: &[&str],
        work: Work,
        empty: &dyn Pass,
        cancelled: &dyn Fn() -> bool,
    ) -> Result<Option<Answer>, DataError> {
        self.ask(columns, work, &Merger::Lent(empty), cancelled)
    }

    /// What anything else comes to on all rows.
    pub fn gather(
        &self,
        columns: &[&str],
        work: Work,
        cancelled: &dyn Fn() -> bool,
    ) -> Result<Option<Answer>, DataError> {
        self.ask(columns, work, &Merger::Plain, cancelled)
    }

    fn ask(
        &self,
        columns: &[&str],
        work: Work,
        merger: &Merger<'_>,
        cancelled: &dyn Fn() -> bool,
    ) -> Result<Option<Answer>, DataError> {
        if cancelled() {
            return Err(DataError::Interrupted);
        }
        let columns: Vec<String> = columns.iter().map(|name| (*name).to_owned()).collect();
        let task = Task { reading: self.reading.clone(), columns: columns.clone(), work }.to_bytes()?;
        let started = Instant::now();
        let replies = self.engine.ask(&columns, &task, cancelled)?;
        let answer = merged(merger, &replies)?;
        let partitions = answer.as_ref().map_or(&[][..], |answer| &answer.partitions);
        {
            let mut traffic = self.traffic.lock().unwrap_or_else(PoisonError::into_inner);
            traffic.passes += 1;
            traffic.partitions = partitions.len() as u64;
            traffic.records += partitions.iter().map(|read| read.records).sum::<u64>();
            traffic.bytes_sent += (task.len() * partitions.len()) as u64;
            traffic.bytes_received += replies.iter().map(|reply| reply.len() as u64).sum::<u64>();
            traffic.seconds += started.elapsed().as_secs_f64();
        }
        self.check(columns, partitions)?;
        Ok(answer)
    }

    /// Refuses rows that are not those of earlier passes.
    fn check(&self, columns: Vec<String>, found: &[PartitionRead]) -> Result<(), DataError> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let found: Vec<PartitionRead> = found.iter().map(|read| PartitionRead { used: 0, ..*read }).collect();
        // How many records each partition has does not depend on the columns.
        let any = known.get(&columns).or_else(|| known.values().next());
        if let Some(before) = any {
            let of = |reads: &[PartitionRead]| -> HashMap<u64, PartitionRead> {
                reads.iter().map(|read| (read.number, *read)).collect()
            };
            let (before_by, found_by) = (of(before), of(&found));
            let same_columns = known.contains_key(&columns);
            let changed = |why: String| DataError::Option(format!("{why}; {STABLE}"));
            for read in before {
                match found_by.get(&read.number) {
                    None => {
                        return Err(changed(format!(
                            "{} of the table, which had {} rows in an earlier pass, has none now: it was lost, or the table changed",
                            place_of(read.number),
                            read.records
                        )));
                    }
                    Some(now) if now.records != read.records => {
                        return Err(changed(format!(
                            "{} of the table had {} rows in an earlier pass and has {} now: the table changed",
                            place_of(read.number),
                            read.records,
                            now.records
                        )));
                    }
                    Some(now) if same_columns && now.checksum != read.checksum => {
                        return Err(changed(format!(
                            "{} of the table has other values, or its rows in another order, than in an earlier pass",
                            place_of(read.number)
                        )));
                    }
                    Some(_) => {}
                }
            }
            if let Some(new) = found.iter().find(|read| !before_by.contains_key(&read.number)) {
                return Err(changed(format!(
                    "{} of the table has {} rows, and had none in an earlier pass: the table changed",
                    place_of(new.number),
                    new.records
                )));
            }
        }
        known.entry(columns).or_insert(found);
        Ok(())
    }
}
