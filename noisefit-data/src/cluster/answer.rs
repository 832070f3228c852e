//! What workers tell of partitions, and how it is merged.

use std::collections::BTreeMap;

use noisefit_core::numeric::double_double::DoubleDouble;
use noisefit_core::record::Counts;
use noisefit_core::rows::{Kinds, Pass, put, take};
use serde::{Deserialize, Serialize};

use super::place_of;
use super::task::{Task, VERSION, Work, same_version, unwritten};
use crate::error::DataError;
use crate::formula::{Learner, Slopes};
use crate::ranges::Ranges;
use crate::remarks::Seen;
use crate::source::RowPlace;

/// A partition that was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct PartitionRead {
    pub number: u64,
    pub records: u64,
    /// Its rows that a fit uses, where that was asked.
    pub used: u64,
    pub checksum: u64,
}

/// What is told of the rows of some partitions.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Answer {
    /// In ascending order of their numbers.
    pub partitions: Vec<PartitionRead>,
    pub told: Told,
}

/// What was asked for.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum Told {
    Learned(Vec<u8>),
    Folded { state: Vec<u8>, counts: Counts, looked: Option<(Seen, Ranges)> },
    Counted,
    Slopes(Slopes),
    Weights(DoubleDouble, f64),
    Places(Vec<RowPlace>),
}

/// An answer, or why there is none.
#[derive(Debug, Serialize, Deserialize)]
enum Reply {
    Answer(Answer),
    Refused { partition: u64, why: String },
}

/// Bytes that say why there is no answer for a partition, in the place of one: engines try again what fails, and bury why it did.
pub fn refusal(partition: u64, why: &str) -> Vec<u8> {
    written(&Reply::Refused { partition, why: why.to_owned() })
}

impl Answer {
    pub fn into_bytes(self) -> Vec<u8> {
        written(&Reply::Answer(self))
    }
}

fn written(reply: &Reply) -> Vec<u8> {
    let mut bytes = Vec::new();
    // What cannot be written is found out by whoever reads: it ends too early.
    let _ = put(VERSION, &mut bytes).and_then(|()| put(reply, &mut bytes));
    bytes
}

fn read(mut bytes: &[u8]) -> Result<Reply, DataError> {
    let version: String = take(&mut bytes).map_err(unwritten)?;
    same_version(&version)?;
    let reply = take(&mut bytes).map_err(unwritten)?;
    match bytes.len() {
        0 => Ok(reply),
        more => Err(DataError::Option(format!("between the driver and a worker: {more} bytes too many in an answer"))),
    }
}

/// Several answers of one task as one, merged in the order of the partitions' numbers: what a second stage of workers does.
pub fn merge(task: &[u8], kinds: &Kinds, answers: &[impl AsRef<[u8]>]) -> Vec<u8> {
    match merged_for(task, kinds, answers) {
        Ok(Some(answer)) => answer.into_bytes(),
        Ok(None) => Answer { partitions: Vec::new(), told: Told::Counted }.into_bytes(),
        Err(Refused { partition, why }) => refusal(partition, &why),
    }
}

fn merged_for(task: &[u8], kinds: &Kinds, answers: &[impl AsRef<[u8]>]) -> Result<Option<Answer>, Refused> {
    let task = Task::of_bytes(task)?;
    merged(&Merger::of(&task.work, kinds)?, answers)
}

/// What knows how to merge what was told.
pub(super) enum Merger<'a> {
    Learned(Learner),
    Folded(Box<dyn Pass>),
    Lent(&'a dyn Pass),
    Plain,
}

/// Why there is no answer, and of which partition.
#[derive(Debug)]
pub(super) struct Refused {
    partition: u64,
    why: String,
}

impl From<DataError> for Refused {
    fn from(error: DataError) -> Self {
        Refused { partition: 0, why: error.to_string() }
    }
}

impl From<Refused> for DataError {
    fn from(refused: Refused) -> Self {
        DataError::Option(refused.why)
    }
}

impl Merger<'_> {
    fn of(work: &Work, kinds: &Kinds) -> Result<Self, DataError> {
        Ok(match work {
            Work::Learn(model) => match model.model()?.learner() {
                Some(learner) => Merger::Learned(learner),
                None => Merger::Plain,
            },
            Work::Fold { pass, .. } => Merger::Folded(kinds.pass_from_bytes(pass).map_err(unwritten)?),
            Work::Count(_) | Work::Slopes(_) | Work::Weights(_) | Work::Places { .. } => Merger::Plain,
        })
    }

    fn pass(&self) -> Option<&dyn Pass> {
        match self {
            Merger::Folded(pass) => Some(&**pass),
            Merger::Lent(pass) => Some(*pass),
            Merger::Learned(_) | Merger::Plain => None,
        }
    }
}

/// A state that is being merged.
enum Merging {
    Learned(Learner),
    Folded { state: Box<dyn Pass>, counts: Counts, looked: Option<(Seen, Ranges)> },
    Plain(Told),
}

impl Merging {
    fn of(told: Told, merger: &Merger<'_>) -> Result<Self, DataError> {
        Ok(match (told, merger) {
            (Told::Learned(bytes), Merger::Learned(learner)) => {
                Merging::Learned(learner.of_bytes(&bytes).map_err(unwritten)?)
            }
            (Told::Folded { state, counts, looked }, merger) => match merger.pass() {
                Some(empty) => {
                    Merging::Folded { state: empty.state_from_bytes(&state).map_err(unwritten)?, counts, looked }
                }
                None => return Err(of_another_task()),
            },
            (told, _) => Merging::Plain(told),
        })
    }

    fn merge(&mut self, later: Merging) -> Result<(), DataError> {
        match (self, later) {
            (Merging::Learned(learner), Merging::Learned(later)) => learner.merge(later),
            (
                Merging::Folded { state, counts, looked },
                Merging::Folded { state: later, counts: more, looked: others },
            ) => {
                state.merge(later).map_err(unwritten)?;
                counts.records += more.records;
                counts.missing += more.missing;
                counts.weightless += more.weightless;
                match (looked, others) {
                    (Some((seen, ranges)), Some((others, wider))) => {
                        seen.merge(others);
                        ranges.merge(&wider);
                    }
                    (looked, others) => *looked = looked.take().or(others),
                }
            }
            (Merging::Plain(told), Merging::Plain(later)) => match (told, later) {
                (Told::Counted, Told::Counted) => {}
                (Told::Slopes(slopes), Told::Slopes(later)) => *slopes = slopes.and(later),
                (Told::Weights(sum, rows), Told::Weights(later, more)) => {
                    *sum += later;
                    *rows += more;
                }
                (Told::Places(places), Told::Places(later)) => places.extend(later),
                _ => return Err(of_another_task()),
            },
            _ => return Err(of_another_task()),
        }
        Ok(())
    }

    fn told(self, merger: &Merger<'_>) -> Result<Told, DataError> {
        Ok(match self {
            Merging::Learned(learner) => Told::Learned(learner.to_bytes().map_err(unwritten)?),
            Merging::Folded { state, counts, looked } => {
                let empty = merger.pass().ok_or_else(of_another_task)?;
                Told::Folded { state: empty.state_to_bytes(&*state).map_err(unwritten)?, counts, looked }
            }
            Merging::Plain(told) => told,
        })
    }
}

fn of_another_task() -> DataError {
    DataError::Option("between the driver and a worker: an answer to another question than was asked".to_owned())
}

/// Answers as one; none of none.
///
/// # Errors
/// The refusal of the partition with the least number; partitions that were read twice and were not the same.
pub(super) fn merged(merger: &Merger<'_>, replies: &[impl AsRef<[u8]>]) -> Result<Option<Answer>, Refused> {
    let (mut answers, mut refused): (Vec<Answer>, Option<Refused>) = (Vec::new(), None);
    for bytes in replies {
        match read(bytes.as_ref())? {
            Reply::Answer(answer) if answer.partitions.is_empty() => {}
            Reply::Answer(answer) => answers.push(answer),
            Reply::Refused { partition, why } => {
                if refused.as_ref().is_none_or(|known| partition < known.partition) {
                    refused = Some(Refused { partition, why });
                }
            }
        }
    }
    if let Some(refused) = refused {
        return Err(refused);
    }
    answers.sort_by_key(|answer| answer.partitions[0].number);
    let mut partitions: BTreeMap<u64, PartitionRead> = BTreeMap::new();
    let mut merging: Option<Merging> = None;
    for answer in answers {
        let known = answer.partitions.iter().filter(|read| partitions.contains_key(&read.number)).count();
        // A partition that was folded twice, as where a worker was taken for dead, counts once.
        if known == answer.partitions.len() {
            for read in &answer.partitions {
                if partitions.get(&read.number) != Some(read) {
                    return Err(Refused { partition: read.number, why: read_twice(read.number) });
                }
            }
            continue;
        }
        if known > 0 {
            let number = answer.partitions[0].number;
            return Err(Refused { partition: number, why: read_twice(number) });
        }
        partitions.extend(answer.partitions.iter().map(|read| (read.number, *read)));
        let next = Merging::of(answer.told, merger)?;
        match &mut merging {
            Some(merging) => merging.merge(next)?,
            None => merging = Some(next),
        }
    }
    let Some(merging) = merging else { return Ok(None) };
    Ok(Some(Answer { partitions: partitions.into_values().collect(), told: merging.told(merger)? }))
}

fn read_twice(partition: u64) -> String {
    format!("{} of the table was read twice in one pass, and its rows were not the same; {STABLE}", place_of(partition))
}

/// What makes rows stay what they are.
pub(super) const STABLE: &str = "a fit reads the rows several times: write the table to Parquet and fit what was written, or have the \
                                 engine keep it (persist)";
