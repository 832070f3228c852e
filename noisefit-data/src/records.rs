//! The records that a model reads, kept in memory where they fit so that later passes need not read files again.

use std::collections::{HashMap, HashSet};
use std::ops::ControlFlow;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use noisefit_core::rows::in_order;

use crate::error::DataError;
use crate::frame::{Column, Frame, Kind};
use crate::read::{Dataset, Decimals, Frames, Look, LookAlike, Origin, Progress};

/// Files of at most this size are read with all their decimals, which costs nothing that a user would notice.
const SMALL_FILES: u64 = 16 << 20;

/// Some columns of a data set, to be passed over as often as asked.
pub struct Records<'a> {
    dataset: &'a Dataset,
    columns: Vec<usize>,
    decimals: Decimals,
    progress: &'a dyn Progress,
    threads: usize,
    /// Bytes that may be kept.
    budget: u64,
    kept: Mutex<Kept>,
    single: Mutex<Single>,
}

/// Units that were read apart from the others, for later passes.
#[derive(Debug, Default)]
struct Single {
    frames: HashMap<usize, Vec<Frame>>,
    /// The bytes that they occupy.
    size: u64,
}

#[derive(Debug)]
enum Kept {
    /// Nothing was read yet.
    Unread,
    /// Every unit's frames, for later passes.
    Units(Vec<(Origin, Vec<Frame>)>),
    /// More than the budget: every pass reads the files, which have so many records.
    TooLarge(u64),
}

impl std::fmt::Debug for Records<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Records").field("columns", &self.columns).field("budget", &self.budget).finish_non_exhaustive()
    }
}

impl<'a> Records<'a> {
    /// The columns with these names, in this order; up to `budget` bytes of them are kept after the first pass.
    ///
    /// # Errors
    /// [`DataError::Option`] for a name that is no column.
    pub fn new(
        dataset: &'a Dataset,
        names: &[&str],
        threads: usize,
        budget: u64,
        progress: &'a dyn Progress,
    ) -> Result<Self, DataError> {
        let columns = Records::positions(dataset, names)?;
        // What a comma means is asked rather than guessed.
        let read: HashSet<usize> = columns.iter().copied().collect();
        let asked = |look_alike: &&LookAlike| {
            let column = dataset.position(&look_alike.column).filter(|column| read.contains(column));
            matches!(look_alike.look, Look::Comma | Look::CommaOrThousands)
                && column.is_some_and(|column| dataset.fields()[column].kind == Kind::Text)
        };
        if let Some(look_alike) = dataset.look_alikes().iter().find(asked) {
            let (path, look_alike) = (dataset.file_name(0).to_owned(), look_alike.clone());
            return Err(DataError::LooksLike { path, look_alike });
        }
        let small = dataset.size_in_bytes() <= SMALL_FILES;
        let decimals = if small { Decimals::WithLow } else { Decimals::Double };
        let kept = Mutex::new(Kept::Unread);
        Ok(Records {
            dataset,
            columns,
            decimals,
            progress,
            threads: threads.max(1),
            budget,
            kept,
            single: Mutex::default(),
        })
    }

    /// Where the columns with these names stand in a data set.
    ///
    /// # Errors
    /// [`DataError::Option`] for a name that is no column.
    pub(crate) fn positions(dataset: &Dataset, names: &[&str]) -> Result<Vec<usize>, DataError> {
        let position = |name: &&str| {
            dataset.position(name).ok_or_else(|| {
                let names: Vec<&str> = dataset.fields().iter().map(|field| field.name.as_str()).collect();
                let file = dataset.file_name(0);
                DataError::Option(format!("{file} has no column `{name}`; its columns are {}", names.join(", ")))
            })
        };
        names.iter().map(position).collect()
    }

    /// Records that are in memory already, as frames of `dataset` with the columns at these positions: the units that passes are folded
    /// over. Nothing is read.
    pub fn of_frames(
        dataset: &'a Dataset,
        columns: Vec<usize>,
        units: Vec<Frame>,
        threads: usize,
        progress: &'a dyn Progress,
    ) -> Self {
        let mut before = 0;
        let unit = |frame: Frame| {
            let origin = Origin { file: 0, first_record: before, rows: frame.rows as u64 };
            before += origin.rows;
            (origin, vec![frame])
        };
        let kept = Mutex::new(Kept::Units(units.into_iter().map(unit).collect()));
        let (decimals, single) = (Decimals::WithLow, Mutex::default());
        Records { dataset, columns, decimals, progress, threads: threads.max(1), budget: 0, kept, single }
    }

    /// How many threads passes use.
    pub fn threads(&self) -> usize {
        self.threads
    }

    /// The data set.
    pub fn dataset(&self) -> &'a Dataset {
        self.dataset
    }

    /// The number of records; before a pass was made an estimate from the files' sizes, where they tell.
    pub fn rows_hint(&self) -> Option<u64> {
        match &*self.kept.lock().unwrap_or_else(PoisonError::into_inner) {
            Kept::Unread => self.dataset.rows_hint(),
            Kept::Units(units) => Some(units.iter().map(|(origin, _)| origin.rows).sum()),
            Kept::TooLarge(records) => Some(*records),
        }
    }

    /// Tells whoever watches that so many of `of` steps of work beside the passes are done.
    ///
    /// # Errors
    /// [`DataError::Interrupted`] where they want it to stop.
    pub fn report(&self, done: u64, of: u64) -> Result<(), DataError> {
        self.progress.steps(done, of);
        self.go_on()
    }

    /// Asks whoever watches whether to go on: within a unit of work, which may take long.
    ///
    /// # Errors
    /// [`DataError::Interrupted`] where they want it to stop.
    pub fn go_on(&self) -> Result<(), DataError> {
        if self.progress.cancelled() { Err(DataError::Interrupted) } else { Ok(()) }
    }

    /// Folds every unit of records into a state of its own, frame by frame, and hands the states on in record order.
    ///
    /// `start` is told the number of the unit, the same in every pass; errors that `fold` makes count records from the
    /// unit's beginning.
    ///
    /// # Errors
    /// As [`Dataset::scan`].
    pub fn fold<S: Send>(
        &self,
        start: impl Fn(usize) -> S + Sync,
        fold: impl Fn(&mut S, &Frame) -> Result<(), DataError> + Sync,
        mut sink: impl FnMut(Origin, S) -> Result<(), DataError> + Send,
    ) -> Result<(), DataError> {
        // Held for the whole pass: passes over one source follow one another.
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if let Kept::Units(units) = &*kept {
            return self.fold_kept(units, start, fold, sink);
        }
        let keeping = matches!(*kept, Kept::Unread);
        let used = AtomicU64::new(if keeping { 0 } else { u64::MAX });
        let work = |frames: &mut Frames<'_>| {
            let (mut state, mut unit) = (start(frames.unit()), Vec::new());
            for frame in frames {
                let frame = frame?;
                fold(&mut state, &frame)?;
                if used.load(Ordering::Relaxed) <= self.budget {
                    used.fetch_add(size_in_bytes(&frame), Ordering::Relaxed);
                    unit.push(frame);
                }
            }
            Ok((state, unit))
        };
        let (mut units, mut records) = (Vec::new(), 0);
        self.dataset.scan(&self.columns, self.decimals, self.progress, work, |origin, (state, frames)| {
            records += origin.rows;
            match used.load(Ordering::Relaxed) <= self.budget {
                true => units.push((origin, frames)),
                false => units = Vec::new(),
            }
            sink(origin, state)
        })?;
        if keeping {
            let fits = used.into_inner() <= self.budget;
            *kept = if fits { Kept::Units(units) } else { Kept::TooLarge(records) };
        }
        Ok(())
    }

    /// Folds one unit of records, by its number in [`Records::fold`]; none where there is no such unit.
    ///
    /// # Errors
    /// As [`Dataset::scan`]; records are counted from the unit's beginning.
    pub fn fold_unit<S>(
        &self,
        unit: usize,
        mut state: S,
        fold: impl Fn(&mut S, &Frame) -> Result<(), DataError>,
    ) -> Result<Option<S>, DataError> {
        if let Kept::Units(units) = &*self.kept.lock().unwrap_or_else(PoisonError::into_inner) {
            let Some((_, frames)) = units.get(unit) else { return Ok(None) };
            frames.iter().try_for_each(|frame| fold(&mut state, frame))?;
            return Ok(Some(state));
        }
        let mut single = self.single.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(frames) = single.frames.get(&unit) {
            frames.iter().try_for_each(|frame| fold(&mut state, frame))?;
            return Ok(Some(state));
        }
        let (mut frames, mut size) = (Vec::new(), single.size);
        let is_there = self.dataset.scan_unit(unit, &self.columns, self.decimals, |frame| {
            fold(&mut state, &frame)?;
            size = size.saturating_add(size_in_bytes(&frame));
            if size <= self.budget {
                frames.push(frame);
            }
            Ok(())
        })?;
        if size <= self.budget {
            single.frames.insert(unit, frames);
            single.size = size;
        }
        Ok(is_there.then_some(state))
    }

    fn fold_kept<S: Send>(
        &self,
        units: &[(Origin, Vec<Frame>)],
        start: impl Fn(usize) -> S + Sync,
        fold: impl Fn(&mut S, &Frame) -> Result<(), DataError> + Sync,
        mut sink: impl FnMut(Origin, S) -> Result<(), DataError> + Send,
    ) -> Result<(), DataError> {
        let work = |(number, (origin, frames)): (usize, &(Origin, Vec<Frame>))| {
            if self.progress.cancelled() {
                return (*origin, Err(DataError::Interrupted));
            }
            let mut state = start(number);
            let folded = frames.iter().try_for_each(|frame| fold(&mut state, frame));
            (*origin, folded.map(|()| state))
        };
        let mut outcome = Ok(());
        in_order(units.iter().enumerate(), self.threads, work, |(origin, state)| {
            outcome =
                state.map_err(|error| error.after_records(origin.first_record)).and_then(|state| sink(origin, state));
            if outcome.is_err() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        });
        outcome
    }
}

/// What a frame's columns occupy.
fn size_in_bytes(frame: &Frame) -> u64 {
    let size = |column: &Column| match column {
        Column::Number { high, low } => size_of::<f64>() * (high.len() + low.as_ref().map_or(0, Vec::len)),
        Column::Category { codes, levels } => size_of::<u32>() * codes.len() + levels.size_in_bytes(),
    };
    frame.columns.iter().map(|column| size(column) as u64).sum()
}
