//! The side that is asked: a partition of a table, folded where it lies.

use std::sync::{Arc, Mutex, PoisonError};

use arrow_array::RecordBatch;
use noisefit_core::numeric::double_double::DoubleDouble;
use noisefit_core::rows::{Kinds, Pass};

use super::{DesignRows, RowPlace, SourceOptions, State, locate};
use crate::cluster::{Answer, Checksum, PartitionRead, Task, Told, TravellingRows, Work, place_of};
use crate::error::DataError;
use crate::formula::{Design, Learner, Slopes, Workspace};
use crate::frame::Frame;
use crate::read::{Dataset, Decimals};
use crate::records::Records;

/// Rows that are taken together: a design meets its columns once for them.
const ROWS_TOGETHER: usize = 1 << 16;

/// Folds the rows of a partition as a task asks, and answers in bytes. Batches are held a few at a time, so that a partition may be of any
/// size; its number tells it from the others, and is where its answer is merged in.
///
/// # Errors
/// A task of another version; what is wrong with the rows, by partition and record.
pub fn fold_partition(
    task: &[u8],
    kinds: &Kinds,
    partition: u64,
    batches: impl IntoIterator<Item = Result<RecordBatch, DataError>>,
) -> Result<Vec<u8>, DataError> {
    let known = known(task, kinds)?;
    let mut unit = Unit::new(&known, partition);
    let mut read = PartitionRead { number: partition, records: 0, used: 0, checksum: 0 };
    let mut checksum = Checksum::default();
    let (mut together, mut rows) = (Vec::new(), 0);
    let mut batches = batches.into_iter();
    loop {
        let next = batches.next().transpose()?;
        let ended = next.is_none();
        if let Some(batch) = next {
            rows += batch.num_rows();
            together.push(batch);
        }
        if rows >= ROWS_TOGETHER || (ended && rows > 0) {
            let folded = known.fold(std::mem::take(&mut together), &mut unit, &mut checksum, &mut read.records);
            folded.map_err(|error| error.standing_at(|record| Some((place_of(partition), record))))?;
            rows = 0;
        }
        if ended {
            break;
        }
    }
    (read.used, read.checksum) = (unit.used(), checksum.finish());
    let partitions = if read.records > 0 { vec![read] } else { Vec::new() };
    Ok(Answer { partitions, told: unit.told(&known, partition)? }.into_bytes())
}

/// A task that is made ready: for every partition that a worker folds it is the same.
struct Known {
    bytes: Vec<u8>,
    task: Task,
    design: Option<(Design, SourceOptions)>,
    learner: Option<Learner>,
    pass: Option<Box<dyn Pass>>,
}

/// The task that was met last.
static LAST: Mutex<Option<Arc<Known>>> = Mutex::new(None);

fn known(bytes: &[u8], kinds: &Kinds) -> Result<Arc<Known>, DataError> {
    let mut last = LAST.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(known) = last.as_ref().filter(|known| known.bytes == bytes) {
        return Ok(Arc::clone(known));
    }
    let task = Task::of_bytes(bytes)?;
    let (mut design, mut learner, mut pass) = (None, None, None);
    match &task.work {
        Work::Learn(model) => learner = model.model()?.learner(),
        Work::Fold { rows, .. }
        | Work::Count(rows)
        | Work::Slopes(rows)
        | Work::Weights(rows)
        | Work::Places { rows, .. } => {
            let TravellingRows { design: travelling, options } = rows;
            design = Some((travelling.design()?, *options));
        }
    }
    if let Work::Fold { pass: bytes, .. } = &task.work {
        let rebuilt = kinds.pass_from_bytes(bytes);
        pass = Some(rebuilt.map_err(|error| DataError::Option(format!("a pass that was sent here: {error}")))?);
    }
    let known = Arc::new(Known { bytes: bytes.to_vec(), task, design, learner, pass });
    *last = Some(Arc::clone(&known));
    Ok(known)
}

impl Known {
    fn fold(
        &self,
        batches: Vec<RecordBatch>,
        unit: &mut Unit,
        checksum: &mut Checksum,
        records: &mut u64,
    ) -> Result<(), DataError> {
        let dataset = Dataset::of_batches(batches, &self.task.reading.options())?;
        let names: Vec<&str> = self.task.columns.iter().map(String::as_str).collect();
        let columns = Records::positions(&dataset, &names)?;
        let rows = self.design.as_ref().map(|(design, options)| {
            let records = Records::of_frames(&dataset, columns.clone(), Vec::new(), 1, &());
            DesignRows::new(design.clone(), records, *options)
        });
        if let (Some(rows), Work::Fold { looks: false, .. }) = (&rows, &self.task.work) {
            // They were looked at before.
            rows.remarks.get_or_init(Vec::new);
        }
        for number in 0.. {
            let before = *records;
            let is_there = dataset.scan_unit(number, &columns, Decimals::WithLow, |mut frame| {
                frame.first_record += before;
                *records += frame.rows as u64;
                checksum.add(&frame);
                unit.fold(&dataset, rows.as_ref(), &frame)
            })?;
            if !is_there {
                break;
            }
        }
        Ok(())
    }
}

/// What a partition comes to.
enum Unit {
    Nothing,
    Learn(Learner),
    Fold(State),
    Count(u64, Workspace),
    Slopes(Slopes, Workspace),
    Weights(DoubleDouble, f64, Workspace),
    Places { next: u64, numbers: Vec<u64>, places: Vec<RowPlace>, workspace: Workspace },
}

impl Unit {
    fn new(known: &Known, partition: u64) -> Self {
        let standing =
            |before: &[(u64, u64)]| before.iter().find(|(number, _)| *number == partition).map_or(0, |(_, rows)| *rows);
        match (&known.task.work, &known.learner, &known.pass) {
            (Work::Learn(_), Some(learner), _) => Unit::Learn(learner.clone()),
            (Work::Fold { before, .. }, _, Some(pass)) => {
                let mut state = State::new(&**pass);
                state.pass.begin(standing(before));
                Unit::Fold(state)
            }
            (Work::Count(_), ..) => Unit::Count(0, Workspace::default()),
            (Work::Slopes(_), ..) => Unit::Slopes(Slopes::default(), Workspace::default()),
            (Work::Weights(_), ..) => Unit::Weights(DoubleDouble::ZERO, 0.0, Workspace::default()),
            (Work::Places { before, numbers, .. }, ..) => Unit::Places {
                next: standing(before),
                numbers: numbers.clone(),
                places: Vec::new(),
                workspace: Workspace::default(),
            },
            _ => Unit::Nothing,
        }
    }

    fn fold(&mut self, dataset: &Dataset, rows: Option<&DesignRows<'_>>, frame: &Frame) -> Result<(), DataError> {
        if let Unit::Learn(learner) = self {
            return learner.fold(frame).map_err(|error| locate(dataset, error));
        }
        let Some(rows) = rows else { return Ok(()) };
        match self {
            Unit::Nothing | Unit::Learn(_) => Ok(()),
            Unit::Fold(state) => rows.fold_frame(state, frame),
            Unit::Count(used, workspace) => rows.used(frame, workspace, |kept| *used += kept.len() as u64),
            Unit::Slopes(slopes, workspace) => rows.add_slopes(slopes, workspace, frame),
            Unit::Weights(sum, count, workspace) => rows.add_weights((sum, count), workspace, frame),
            Unit::Places { next, numbers, places, workspace } => {
                rows.add_places(numbers, (next, places), workspace, frame)
            }
        }
    }

    /// The rows that a fit uses, where they were counted.
    fn used(&self) -> u64 {
        match self {
            Unit::Fold(state) => state.counts.records - state.counts.missing - state.counts.weightless,
            Unit::Count(used, _) => *used,
            _ => 0,
        }
    }

    fn told(self, known: &Known, partition: u64) -> Result<Told, DataError> {
        let unwritten = |error: noisefit_core::Error| DataError::Option(format!("the state of a pass: {error}"));
        Ok(match self {
            Unit::Nothing | Unit::Count(..) => Told::Counted,
            Unit::Learn(learner) => Told::Learned(learner.to_bytes().map_err(unwritten)?),
            Unit::Fold(State { pass, counts, seen, ranges, .. }) => {
                let empty = known.pass.as_ref().ok_or_else(|| DataError::Option("no pass was sent".to_owned()))?;
                let looks = matches!(known.task.work, Work::Fold { looks: true, .. });
                let state = empty.state_to_bytes(&*pass).map_err(unwritten)?;
                Told::Folded { state, counts, looked: looks.then_some((seen, ranges)) }
            }
            Unit::Slopes(slopes, _) => Told::Slopes(slopes),
            Unit::Weights(sum, count, _) => Told::Weights(sum, count),
            Unit::Places { places, .. } => {
                // The table has no files.
                let place = |place: RowPlace| RowPlace { file: place_of(partition), ..place };
                Told::Places(places.into_iter().map(place).collect())
            }
        })
    }
}
