//! Files and tables in memory as frames: CSV and its relatives, newline-delimited JSON, Parquet, Arrow.
//!
//! A [`Dataset`] is one table, in one or more files or in Arrow record batches in memory. [`Dataset::scan`] walks through it as often as asked: units of work
//! (about 4 MB of text, a range of a Parquet file's rows, a few Arrow batches) are decoded on several threads and their
//! results handed on in the order of the records. Where units begin and end depends on the files alone, so that a result
//! does not depend on the number of threads; how many units are held at a time is bounded, so that memory does not
//! depend on the number of records.

mod arrow;
mod columns;
#[cfg(feature = "files")]
mod decode;
#[cfg(feature = "files")]
mod delimited;
#[cfg(feature = "files")]
mod fields;
#[cfg(feature = "files")]
mod file;
#[cfg(feature = "files")]
mod folders;
mod format;
#[cfg(feature = "files")]
mod inputs;
#[cfg(feature = "files")]
mod ipc;
#[cfg(feature = "files")]
mod json;
pub(crate) mod kinds;
mod memory;
#[cfg(feature = "files")]
mod messages;
mod notation;
pub(crate) mod number;
#[cfg(feature = "files")]
mod of_file;
#[cfg(feature = "files")]
mod open;
mod options;
#[cfg(feature = "files")]
mod parquet;
mod partitions;
#[cfg(feature = "files")]
mod pieces;
mod stream;
mod table;
#[cfg(feature = "files")]
mod text;
#[cfg(feature = "files")]
mod thrift;
pub(crate) mod time;

#[cfg(test)]
#[cfg(feature = "files")]
mod tests;

use std::collections::HashMap;
use std::ops::ControlFlow;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use arrow_array::RecordBatch;
use noisefit_core::rows::in_order;

pub use self::format::Format;
#[cfg(feature = "files")]
pub use self::inputs::Inputs;
pub use self::notation::{DateFormat, Look, LookAlike};
pub use self::options::{Decimals, ReadOptions};
pub use self::stream::{Rerun, Run};
pub use self::table::UnreadColumn;

pub use self::kinds::KindsMet;
use self::kinds::{MissingWords, Tally};
use self::memory::Batches;
use self::partitions::Partitions;
use self::stream::Stream;
use self::table::{FrameIterator, Query, Schema, Table, Unit, Wanted};
use crate::cluster::{Engine, Reading, Remote, Traffic};
use crate::error::DataError;
use crate::frame::{Field, Frame, Kind};

/// What a caller wants to be told, and may say, in the middle of a scan. Called from several threads.
pub trait Progress: Sync {
    /// So many more bytes of the files (of all [`Dataset::size_in_bytes`]) and records are done.
    fn advance(&self, bytes: u64, rows: u64);

    /// So many of `of` steps of work beside the scans are done.
    fn steps(&self, done: u64, of: u64) {
        let _ = (done, of);
    }

    /// Whether to stop: asked before each unit and within, so that it is to be quick, and answered by [`DataError::Interrupted`].
    fn cancelled(&self) -> bool;
}

/// Nobody is watching.
impl Progress for () {
    fn advance(&self, _bytes: u64, _rows: u64) {}

    fn cancelled(&self) -> bool {
        false
    }
}

/// Which records a result of [`Dataset::scan`] is from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Origin {
    /// The position of their file among [`Dataset::files`].
    pub file: usize,
    /// The number of records of that file before them.
    pub first_record: u64,
    /// How many they are.
    pub rows: u64,
}

/// A table, in files or in memory.
///
/// ```
/// use noisefit_data::frame::{Column, Kind};
/// use noisefit_data::read::{Dataset, Decimals, ReadOptions};
///
/// let folder = tempfile::tempdir()?;
/// let path = folder.path().join("cities.csv");
/// std::fs::write(&path, "city,income\nParis,2.5\nRome,NA\nParis,4.0\n")?;
///
/// let data = Dataset::open(&[path.display().to_string()], &ReadOptions::default())?;
/// assert_eq!(data.fields()[0].kind, Kind::Text);
/// assert_eq!(data.fields()[1].kind, Kind::Number);
///
/// let (mut sum, mut known) = (0.0, 0);
/// let incomes = |frames: &mut noisefit_data::read::Frames<'_>| {
///     let mut values = Vec::new();
///     for frame in frames {
///         if let Column::Number { high, .. } = &frame?.columns[0] {
///             values.extend(high.iter().copied().filter(|value| !value.is_nan()));
///         }
///     }
///     Ok(values)
/// };
/// data.scan(&[1], Decimals::Double, &(), incomes, |_, values| {
///     sum += values.iter().sum::<f64>();
///     known += values.len();
///     Ok(())
/// })?;
/// assert_eq!((sum, known), (6.5, 2));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Dataset {
    tables: Vec<Box<dyn Table>>,
    schema: Schema,
    /// The last of the columns, which the names of folders say.
    partitions: Partitions,
    /// Where its columns stand, by their names.
    positions: HashMap<String, usize>,
    missing: MissingWords,
    date: Option<DateFormat>,
    threads: usize,
    unit_bytes: usize,
    /// The number of records, once a scan has counted them.
    records: OnceLock<u64>,
    /// Who folds its rows elsewhere.
    remote: Option<Remote>,
}

/// The size of the pieces that text is cut into: large beside the cost of handing it to a thread, small beside memory.
const UNIT_BYTES: usize = 4 << 20;

impl Dataset {
    /// A table in memory: record batches of one schema, in the order of their rows. Of `options` the texts that stand for
    /// missing values, the columns that are text or known to a model and the threads are heeded. Messages call the table `the table`.
    ///
    /// Numbers, booleans, dates, timestamps, decimals, text and dictionaries of these are read as they are from an Arrow
    /// file. Units are runs of batches and parts of long ones, so that a result depends on the batches, not on threads.
    ///
    /// # Errors
    /// No batch, batches of different schemas, a column's name twice.
    ///
    /// ```
    /// use std::sync::Arc;
    /// use arrow_array::{ArrayRef, Float64Array, RecordBatch};
    /// use noisefit_data::read::{Dataset, ReadOptions};
    ///
    /// let x: ArrayRef = Arc::new(Float64Array::from(vec![Some(1.5), None]));
    /// let batch = RecordBatch::try_from_iter([("x", x)])?;
    /// let data = Dataset::of_batches(vec![batch], &ReadOptions::default())?;
    /// assert_eq!((data.fields()[0].name.as_str(), data.rows_hint()), ("x", Some(2)));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn of_batches(batches: Vec<RecordBatch>, options: &ReadOptions) -> Result<Dataset, DataError> {
        let (table, mut schema) = Batches::new(batches)?;
        schema.take(options, true);
        schema.force_text(options, table.name(), Some("Arrow"))?;
        let tables: Vec<Box<dyn Table>> = vec![Box::new(table)];
        Ok(Dataset::new(tables, schema, options, UNIT_BYTES))
    }

    /// A table that is run again for every pass that needs it, such as a query: of its batches a pass holds a few, and what fits
    /// the memory budget is kept. `options` are heeded as by [`Dataset::of_batches`].
    ///
    /// # Errors
    /// What the source reports; a column's name twice.
    pub fn of_rerun(source: Arc<dyn Rerun>, options: &ReadOptions) -> Result<Dataset, DataError> {
        let (table, mut schema) = Stream::new(source)?;
        schema.take(options, true);
        schema.force_text(options, table.name(), Some("Arrow"))?;
        let tables: Vec<Box<dyn Table>> = vec![Box::new(table)];
        Ok(Dataset::new(tables, schema, options, UNIT_BYTES))
    }

    /// A table that an engine's workers hold in partitions: passes go to them, and what is no pass reads the rows from there, in their
    /// order. `options` are heeded as by [`Dataset::of_batches`].
    ///
    /// # Errors
    /// What the engine reports; a column's name twice.
    pub fn of_engine(engine: Arc<dyn Engine>, options: &ReadOptions) -> Result<Dataset, DataError> {
        let source: Arc<dyn Rerun> = engine.clone();
        let remote = Some(Remote::new(engine, Reading::of(options)));
        Ok(Dataset { remote, ..Dataset::of_rerun(source, options)? })
    }

    /// Who folds its rows elsewhere.
    pub(crate) fn remote(&self) -> Option<&Remote> {
        self.remote.as_ref()
    }

    /// What passes over it have cost, where an engine's workers make them.
    pub fn traffic(&self) -> Option<Traffic> {
        self.remote.as_ref().map(Remote::traffic)
    }

    /// Whether it is in several parts, files or partitions, of each of which records are counted from its beginning.
    pub fn is_in_parts(&self) -> bool {
        self.tables.len() > 1 || self.remote.is_some()
    }

    fn new(tables: Vec<Box<dyn Table>>, schema: Schema, options: &ReadOptions, unit_bytes: usize) -> Dataset {
        let (missing, threads) = (MissingWords::new(&options.missing), options.threads.max(1));
        let (date, records) = (options.dates(), OnceLock::new());
        let positions = schema.places().into_iter().map(|(name, place)| (name.to_owned(), place)).collect();
        let partitions = Partitions::default();
        Dataset { tables, schema, partitions, positions, missing, date, threads, unit_bytes, records, remote: None }
    }

    /// The columns, in the order of the files.
    pub fn fields(&self) -> &[Field] {
        &self.schema.fields
    }

    /// Columns of the files that are left out of [`Dataset::fields`], because they hold lists, structures, bytes or other
    /// things that are neither numbers nor categories.
    pub fn unread(&self) -> &[UnreadColumn] {
        &self.schema.unread
    }

    /// Columns of text that look like numbers or dates in a notation that is not read unless it is asked for.
    pub fn look_alikes(&self) -> &[LookAlike] {
        &self.schema.look_alikes
    }

    /// The names of the files, as the user gave them, in the order they are read in.
    pub fn files(&self) -> impl ExactSizeIterator<Item = &str> {
        self.tables.iter().map(|table| table.name())
    }

    /// The name of a file by its position, as in [`Frame::file`] and [`Origin::file`].
    pub fn file_name(&self, file: usize) -> &str {
        self.tables.get(file).map_or("", |table| table.name())
    }

    /// The size of all files, as they are on disk.
    pub fn size_in_bytes(&self) -> u64 {
        self.tables.iter().map(|table| table.size()).sum()
    }

    /// About how many records the files have, where their sizes and first records tell: exactly for Parquet files and for
    /// short text, nothing for compressed text and Arrow files.
    pub fn rows_hint(&self) -> Option<u64> {
        self.tables.iter().map(|table| table.rows_hint()).sum()
    }

    /// Runs `work` on every unit of records on several threads, and `sink` on the results in the order of the records.
    ///
    /// `columns` are positions in [`Dataset::fields`], each at most once, and the order of the columns in the frames; other
    /// columns are not decoded. A unit is one or more frames, handed to `work` one at a time, so that only one of them
    /// need be in memory; a unit of nothing but blank lines has no record. `sink` is called by one thread at a time,
    /// whichever has the next result.
    ///
    /// # Errors
    /// The error of the earliest record that has one, whether it is found in reading, in `work` or in `sink`. In an error
    /// of `work` the location's record counts from the unit's beginning ([`Frame::first_record`] plus the row plus 1); it
    /// is counted from the file's beginning here.
    pub fn scan<T: Send>(
        &self,
        columns: &[usize],
        decimals: Decimals,
        progress: &dyn Progress,
        work: impl Fn(&mut Frames<'_>) -> Result<T, DataError> + Sync,
        sink: impl FnMut(Origin, T) -> Result<(), DataError> + Send,
    ) -> Result<(), DataError> {
        self.scan_for(&self.query(columns, decimals)?, progress, work, sink)
    }

    fn scan_for<'a, T: Send>(
        &'a self,
        query: &'a Query<'a>,
        progress: &dyn Progress,
        work: impl Fn(&mut Frames<'_>) -> Result<T, DataError> + Sync,
        mut sink: impl FnMut(Origin, T) -> Result<(), DataError> + Send,
    ) -> Result<(), DataError> {
        let units = self.tables.iter().enumerate().flat_map(|(number, table)| {
            let units = table.units(query).unwrap_or_else(|error| Box::new(std::iter::once(Err(error))));
            units.map(move |unit| (number, unit))
        });
        let work = |(number, (file, unit)): (usize, (usize, Result<Unit<'a>, DataError>))| {
            if progress.cancelled() {
                return (file, 0, Err(DataError::Interrupted));
            }
            let (rows, result) = match unit {
                Ok(unit) => {
                    let bytes = unit.bytes;
                    let mut frames = self.frames(query, file, number, unit);
                    let result = work(&mut frames).and_then(|result| frames.drain().map(|()| result));
                    progress.advance(bytes, frames.records);
                    (frames.records, result)
                }
                Err(error) => (0, Err(error)),
            };
            (file, rows, result)
        };
        let mut before = Origin { file: 0, first_record: 0, rows: 0 };
        let (mut outcome, mut records) = (Ok(()), 0);
        in_order(units.enumerate(), self.threads, work, |(file, rows, result)| {
            let first_record = if file == before.file { before.first_record + before.rows } else { 0 };
            before = Origin { file, first_record, rows };
            records += rows;
            outcome = result.map_err(|error| error.after_records(first_record)).and_then(|result| sink(before, result));
            if outcome.is_err() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        });
        // What was read of a file that changes meanwhile is of no one table, and so is what is wrong with it.
        match outcome {
            Err(DataError::Interrupted) => return Err(DataError::Interrupted),
            _ => self.tables.iter().try_for_each(|table| table.unchanged())?,
        }
        outcome?;
        match *self.records.get_or_init(|| records) == records {
            true => Ok(()),
            false => Err(DataError::Changed { path: self.file_name(0).to_owned() }),
        }
    }

    /// Runs `work` on the frames of one unit of records, by its number in [`Dataset::scan`] ([`Frames::unit`]); whether there is
    /// such a unit. No other is decoded.
    ///
    /// # Errors
    /// As [`Dataset::scan`]; records are counted from the unit's beginning.
    pub fn scan_unit(
        &self,
        unit: usize,
        columns: &[usize],
        decimals: Decimals,
        mut work: impl FnMut(Frame) -> Result<(), DataError>,
    ) -> Result<bool, DataError> {
        let query = &self.query(columns, decimals)?;
        let mut before = 0;
        for (file, table) in self.tables.iter().enumerate() {
            for (number, found) in (before..).zip(table.units(query)?) {
                before = number + 1;
                let found = found?;
                if number == unit {
                    let mut frames = self.frames(query, file, unit, found);
                    let done = frames.try_for_each(|frame| frame.and_then(&mut work));
                    table.unchanged()?;
                    return done.map(|()| true);
                }
            }
        }
        Ok(false)
    }

    /// Whether a value beyond the heads of the files may show that a column, by its position in [`Dataset::fields`], is of
    /// another kind than these say: `M` after many `F`.
    pub fn may_widen(&self, column: usize) -> bool {
        column < self.schema.fields.len() && self.schema.may_widen(column)
    }

    /// Counts the kinds of all values of the columns that [may widen](Dataset::may_widen), in one pass: a data set that is
    /// opened with these counts among its options ([`ReadOptions::met`]) knows what they hold.
    ///
    /// # Errors
    /// As [`Dataset::scan`].
    pub fn count_kinds(&self, progress: &dyn Progress) -> Result<KindsMet, DataError> {
        let columns: Vec<usize> = (0..self.schema.fields.len()).filter(|&column| self.may_widen(column)).collect();
        let counts: Vec<Mutex<Tally>> = columns.iter().map(|_| Mutex::default()).collect();
        let mut query = self.query(&columns, Decimals::Double)?;
        query.columns.iter_mut().zip(&counts).for_each(|(wanted, count)| wanted.count = Some(count));
        self.scan_for(&query, progress, |_| Ok(()), |_, ()| Ok(()))?;
        drop(query);
        let tally = |count: Mutex<Tally>| count.into_inner().unwrap_or_else(PoisonError::into_inner);
        let name = |&column: &usize| self.schema.fields[column].name.clone();
        Ok(KindsMet::new(columns.iter().map(name).zip(counts.into_iter().map(tally))))
    }

    /// The frames of a unit, with the columns that the folders of its file say.
    fn frames<'a>(&'a self, query: &'a Query<'a>, file: usize, number: usize, unit: Unit<'a>) -> Frames<'a> {
        let frames = (unit.frames)();
        let own = self.schema.fields.len() - self.partitions.names().count();
        let with_folders = move |frame: Result<Frame, DataError>| {
            let mut frame = frame?;
            for (place, wanted) in &query.of_folders {
                let of = (file, self.file_name(file));
                let column = self.partitions.column(of, wanted.field - own, frame.rows, wanted, query)?;
                frame.columns.insert(*place, column);
            }
            Ok(frame)
        };
        let frames: FrameIterator<'a> =
            if query.of_folders.is_empty() { frames } else { Box::new(frames.map(with_folders)) };
        Frames { file, unit: number, records: 0, frames }
    }

    /// The position of a column among [`Dataset::fields`].
    pub fn position(&self, name: &str) -> Option<usize> {
        self.positions.get(name).copied()
    }

    fn query<'a>(&'a self, columns: &[usize], decimals: Decimals) -> Result<Query<'a>, DataError> {
        let mut wanted: Vec<Wanted<'_>> = Vec::with_capacity(columns.len());
        let (mut is_wanted, mut of_folders) = (vec![false; self.schema.fields.len()], Vec::new());
        let own = self.schema.fields.len() - self.partitions.names().count();
        for &field in columns {
            let Some(Field { name, kind, .. }) = self.schema.fields.get(field) else {
                return Err(DataError::Option(format!("there is no column number {}", field + 1)));
            };
            if std::mem::replace(&mut is_wanted[field], true) {
                return Err(DataError::Option(format!("column `{name}` is asked for twice")));
            }
            let (ground, notation) = (self.schema.grounds[field], self.schema.notations[field]);
            let column = Wanted { field, name, kind: *kind, ground, notation, count: None };
            match field < own {
                true => wanted.push(column),
                false => of_folders.push((wanted.len() + of_folders.len(), column)),
            }
        }
        let (missing, date) = (&self.missing, self.date.as_ref());
        Ok(Query { columns: wanted, of_folders, decimals, missing, date, unit_bytes: self.unit_bytes })
    }
}

/// The frames of one unit, decoded one at a time.
pub struct Frames<'a> {
    file: usize,
    unit: usize,
    records: u64,
    frames: FrameIterator<'a>,
}

impl Frames<'_> {
    /// The number of the unit among those of the data set, the same in every scan of the same columns.
    pub fn unit(&self) -> usize {
        self.unit
    }

    /// Decodes what is left, which counts the records and finds what is wrong with them.
    fn drain(&mut self) -> Result<(), DataError> {
        self.try_for_each(|frame| frame.map(drop))
    }
}

impl Iterator for Frames<'_> {
    type Item = Result<Frame, DataError>;

    fn next(&mut self) -> Option<Self::Item> {
        let frame = self.frames.next()?.map_err(|error| error.after_records(self.records));
        Some(frame.map(|mut frame| {
            frame.file = self.file;
            frame.first_record = self.records;
            self.records += frame.rows as u64;
            frame
        }))
    }
}

impl std::fmt::Debug for Frames<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Frames").field("file", &self.file).field("records", &self.records).finish_non_exhaustive()
    }
}

/// A number of a column of some kind as text: a date or a point in time as such, another number as the shortest decimal that reads back.
///
/// ```
/// use noisefit_data::frame::Kind;
/// use noisefit_data::read::shown_value;
///
/// assert_eq!(shown_value(Kind::Date, 19_783.0, 0.0), "2024-03-01");
/// assert_eq!(shown_value(Kind::Number, 0.1, 0.0), "0.1");
/// ```
pub fn shown_value(kind: Kind, high: f64, low: f64) -> String {
    time::iso(kind, high).unwrap_or_else(|| number::shown(high, low))
}
