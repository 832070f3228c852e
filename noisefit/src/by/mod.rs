//! A fit of each group of a table's rows.

mod table;

use std::ops::ControlFlow;

use noisefit_core::compare::Comparison;
use noisefit_core::record::{Counts, Fit};
use noisefit_core::rows::in_order;
use noisefit_core::wording::{Sentence, Setting};
use noisefit_data::DataError;
use noisefit_data::formula::Formula;
use noisefit_data::frame::{Field, Frame};
use noisefit_data::groups::{Groups, Key, KeyValue, Rows, gathered};
use noisefit_data::read::{Decimals, Origin, Progress};
use noisefit_data::records::Records;

pub use table::{GroupTable, Values};

use crate::compare::CompareOptions;
use crate::error::Error;
use crate::fit::{Exactly, Source, closed_gaps};
use crate::model::{Fitting, Model};
use crate::refusal::Refusal;
use crate::remark::Remark;
use crate::rows::Resolved;
use crate::table::Table;

/// Groups that a thread fits before it hands them on, at most.
const TOGETHER: usize = 32;

/// Rows of a group that are a unit of work: a group of more is divided as a table in memory is.
const UNIT_ROWS: u32 = 1 << 16;

/// What was found of a group of rows, such as its fits.
#[derive(Debug)]
pub struct GroupFound<T> {
    /// The group: the values of the columns that make it.
    pub key: Vec<KeyValue>,
    /// The rows that were met.
    pub counts: Counts,
    /// What was found, or why there is none.
    pub found: Result<T, Box<Error>>,
    /// What is to be said of it.
    pub warnings: Vec<Remark>,
}

/// The fits of a group: one, or one for each of several quantiles.
pub type GroupFit = GroupFound<Vec<Fit>>;

/// The noise models of a group, side by side.
pub type GroupCompared = GroupFound<Comparison>;

/// What is done with the rows of a group: what is found, how many rows there are, and what is to be said.
type Work<'w, T> = dyn Fn(&Source<'_, '_>) -> Result<(T, Counts, Vec<Remark>), Error> + Sync + 'w;

/// What is taken of each group.
type Each<'e, T> = dyn FnMut(GroupFound<T>) -> Result<(), Error> + Send + 'e;

/// What became of all groups.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct GroupsFitted {
    /// How many there are.
    pub groups: u64,
    /// How many of them have no fit.
    pub failed: u64,
    /// How many have fits that did not converge.
    pub not_converged: u64,
}

/// A model and how it reads groups of a table, and what it does with each.
struct Reading<'a, T> {
    model: &'a Model,
    table: &'a Table,
    /// The formula with its columns found; none where it is still to be found out.
    resolved: Option<Resolved>,
    /// The columns that a formula may name.
    others: Vec<Field>,
    /// Positions in the table of the columns that the fits read, then of those that make groups.
    columns: Vec<usize>,
    /// How many of them the fits read.
    own: usize,
    fields: Vec<Field>,
    work: &'a Work<'a, T>,
    quiet: Quiet<'a>,
}

/// Whoever watches, asked alone whether to go on: passes over a group are not shown.
struct Quiet<'a>(&'a dyn Progress);

impl Progress for Quiet<'_> {
    fn advance(&self, _bytes: u64, _rows: u64) {}

    fn cancelled(&self) -> bool {
        self.0.cancelled()
    }
}

/// Frames in their order, each with how many records of its file stand before it.
#[derive(Default)]
struct Kept {
    frames: Vec<Frame>,
    before: Vec<u64>,
}

impl Model {
    /// Fits the model to each group of a table's rows that have the same values in some columns, and hands what was found to `each`, in
    /// the order in which groups are met. A group without a fit is handed on with why; only what is wrong with all of them, such as a
    /// column that is not there, is an error.
    ///
    /// Every fit is the one of a table of the group's rows alone: categories have the levels that they have there, polynomials and splines
    /// are those of its rows. What `.` stands for in a formula are the other columns than those that make groups. `goodness` says whether
    /// fits have what [`Fitted::glance`](crate::Fitted::glance) tells beside the coefficients: quantiles of the residuals and the like.
    ///
    /// The table is read once. Its rows are kept in memory where they fit the budget of [`Table::memory`]; of a larger one the rows of each
    /// group must follow one another, and only the groups at work are in memory.
    ///
    /// ```
    /// use noisefit::{Model, Table};
    ///
    /// let table = Table::open("../testdata/mtcars.csv")?;
    /// let mut slopes = Vec::new();
    /// let done = Model::new("mpg ~ wt").fit_by(&table, &["cyl"], false, |group| {
    ///     slopes.push(group.found.map(|fits| fits[0].coef()[1]).ok().flatten());
    ///     Ok(())
    /// })?;
    /// assert_eq!((done.groups, done.failed), (3, 0));
    /// // Cars of 6, 4 and 8 cylinders, in the order of the file.
    /// assert!((slopes[1].unwrap() + 5.647025).abs() < 1e-6);
    /// # Ok::<(), noisefit::Error>(())
    /// ```
    ///
    /// # Errors
    /// Settings that do not go together; columns that are not there; rows of a group that stand apart in a table that does not fit the
    /// memory budget; those of reading, and of `each`.
    pub fn fit_by(
        &self,
        table: &Table,
        by: &[impl AsRef<str>],
        goodness: bool,
        mut each: impl FnMut(GroupFit) -> Result<(), Error> + Send,
    ) -> Result<GroupsFitted, Error> {
        let by: Vec<&str> = by.iter().map(AsRef::as_ref).collect();
        self.check_by(&by)?;
        let mut not_converged = 0;
        let (formula, fixed) = match self.is_auto()? {
            false => (self.full_formula()?, true),
            // All that a comparison may read.
            true => (self.location()?.with_scale_of_location(), false),
        };
        let mut done = table.reading(&[], |table| {
            let work = |source: &Source<'_, '_>| {
                let Exactly { rows, fits, .. } = self.fit_rows(table, source, goodness, true)?;
                let mut warnings: Vec<Remark> =
                    rows.remarks().iter().map(|remark| remark_of(remark.to_string())).collect();
                warnings.extend(closed_gaps(&self.vcov, rows.counts()).map(remark_of));
                warnings.extend(crate::fitted::warnings(&fits));
                Ok((fits, rows.counts(), warnings))
            };
            not_converged = 0;
            let mut next = |found: GroupFit| {
                let fits = found.found.as_ref().map(Vec::as_slice).unwrap_or_default();
                not_converged += u64::from(fits.iter().any(|fit| !fit.termination.converged));
                each(found)
            };
            self.each_group(table, &by, (&formula, fixed), &work, &mut next)
        })?;
        done.not_converged = not_converged;
        Ok(done)
    }

    /// Sets noise models side by side in each group of a table's rows, as [`Model::compare`] does for a table of the group's rows alone, and
    /// hands what was found to `each`; groups are those of [`Model::fit_by`], and so is what is an error. The model's own noise is of no matter.
    ///
    /// ```
    /// use noisefit::{CompareOptions, Model, Table};
    ///
    /// let table = Table::open("../testdata/mtcars.csv")?;
    /// let mut preferred = Vec::new();
    /// Model::new("mpg ~ wt").compare_by(&table, &["am"], &CompareOptions::default(), |group| {
    ///     preferred.push(group.found.map(|found| found.models.len()).ok());
    ///     Ok(())
    /// })?;
    /// assert_eq!(preferred.len(), 2);
    /// # Ok::<(), noisefit::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`Model::fit_by`]'s.
    pub fn compare_by(
        &self,
        table: &Table,
        by: &[impl AsRef<str>],
        options: &CompareOptions,
        mut each: impl FnMut(GroupCompared) -> Result<(), Error> + Send,
    ) -> Result<GroupsFitted, Error> {
        let by: Vec<&str> = by.iter().map(AsRef::as_ref).collect();
        self.check_by(&by)?;
        let (_, formula) = crate::candidates::of(self, options.noise.as_ref())?;
        table.reading(&[], |table| {
            let work = |source: &Source<'_, '_>| {
                let (rows, found) = self.compare_rows(table, options, source)?;
                let mut warnings: Vec<Remark> =
                    rows.remarks().iter().map(|remark| remark_of(remark.to_string())).collect();
                warnings.extend(found.warnings.iter().map(Remark::from));
                Ok((found, rows.counts(), warnings))
            };
            self.each_group(table, &by, (&formula, true), &work, &mut each)
        })
    }

    /// Does some work with each group, in the order in which they are met.
    fn each_group<T: Send>(
        &self,
        table: &Table,
        by: &[&str],
        formula: (&Formula, bool),
        work: &Work<'_, T>,
        each: &mut Each<'_, T>,
    ) -> Result<GroupsFitted, Error> {
        let mut done = GroupsFitted::default();
        let reading = self.reading(table, by, formula, work)?;
        let mut next = |found: GroupFound<T>| {
            done.groups += 1;
            match &found.found {
                Ok(_) => {}
                Err(error) if error.is_interruption() => return Err(DataError::Interrupted.into()),
                Err(_) => done.failed += 1,
            }
            each(found)
        };
        if reading.bytes() <= table.budget() {
            reading.all_kept(&mut next)?;
            return Ok(done);
        }
        // What was handed on cannot be taken back: where a column is of another kind than it seems, it is told before.
        let columns: Vec<Field> = reading.columns.iter().map(|&column| table.columns()[column].clone()).collect();
        let table = table.settled(&columns)?;
        self.reading(&table, by, formula, work)?.in_order(&mut next)?;
        Ok(done)
    }

    /// Refuses what is of one fit.
    ///
    /// # Errors
    /// [`Error::Refused`].
    pub fn check_by(&self, by: &[&str]) -> Result<(), Error> {
        self.check()?;
        let setting = match () {
            () if matches!(self.fitting, Fitting::Network(_)) => Some(Setting::Model),
            () if self.training().is_some() => Some(Setting::Solver),
            () if self.conformal.is_some() => Some(Setting::Conformal),
            () => None,
        };
        if let Some(setting) = setting {
            return Err(Refusal::WithBy { setting }.into());
        }
        match by.iter().enumerate().find(|(place, name)| by[..*place].contains(name)) {
            Some((_, name)) => Err(Refusal::ByTwice { name: (*name).to_owned() }.into()),
            None => Ok(()),
        }
    }

    /// How the groups of a table are read for a formula, which is that of every group or one that has all that one of them may read.
    fn reading<'a, T>(
        &'a self,
        table: &'a Table,
        by: &[&str],
        (formula, fixed): (&Formula, bool),
        work: &'a Work<'a, T>,
    ) -> Result<Reading<'a, T>, Error> {
        let (dataset, fields) = (table.dataset(), by_fields(by, table)?);
        let formula = formula.clone().with_clusters(self.vcov.clusters());
        // What makes groups is not among all the others, as it does not vary within them.
        let named = formula.columns();
        let kept = |field: &&Field| named.contains(&field.name.as_str()) || !by.contains(&field.name.as_str());
        let others: Vec<Field> = dataset.fields().iter().filter(kept).cloned().collect();
        let resolved = self.resolved(&formula, table, &others)?;
        // What is asked of the columns of a table is asked once.
        let names = resolved.columns_needed();
        Records::new(dataset, &names, 1, 0, table.watch())?;
        let mut columns: Vec<usize> = names.iter().filter_map(|name| dataset.position(name)).collect();
        let own = columns.len();
        for field in &fields {
            let position = dataset.position(&field.name).unwrap_or_default();
            if !columns.contains(&position) {
                columns.push(position);
            }
        }
        let resolved = fixed.then_some(resolved);
        let quiet = Quiet(table.watch());
        Ok(Reading { model: self, table, resolved, others, columns, own, fields, work, quiet })
    }
}

/// The fields of the columns that make groups.
fn by_fields(by: &[&str], table: &Table) -> Result<Vec<Field>, Error> {
    let field = |name: &&str| {
        let found = table.dataset().position(name).map(|place| table.columns()[place].clone());
        found.ok_or_else(|| Error::NoColumn {
            setting: Setting::By,
            name: (*name).to_owned(),
            files: None,
            columns: table.names(),
        })
    };
    by.iter().map(field).collect()
}

impl<T: Send> Reading<'_, T> {
    /// Places in frames of the columns that make groups.
    fn by(&self) -> Vec<usize> {
        let position = |field: &Field| self.table.dataset().position(&field.name);
        let place = |field: &Field| self.columns.iter().position(|&column| Some(column) == position(field));
        self.fields.iter().filter_map(place).collect()
    }

    /// About how many bytes the rows take in memory, as far as the files tell: both words of every number; of compressed text eight times
    /// its size.
    fn bytes(&self) -> u64 {
        let dataset = self.table.dataset();
        match dataset.rows_hint() {
            Some(rows) => rows.saturating_mul(16 * self.columns.len() as u64),
            None => dataset.size_in_bytes().saturating_mul(8),
        }
    }

    /// Keeps all rows, and fits the groups then.
    fn all_kept(&self, each: &mut Each<'_, T>) -> Result<(), Error> {
        let (mut kept, mut groups, mut rows) = (Kept::default(), Groups::default(), Vec::<Vec<Rows>>::new());
        let by = self.by();
        self.scan(Ok, |origin, frames| {
            for frame in frames {
                let numbers = groups.of_rows(&frame, &by).unwrap_or_else(|| vec![0; frame.rows]);
                rows.resize_with(groups.keys().len(), Vec::new);
                let place = kept.frames.len() as u32;
                for (row, number) in numbers.into_iter().enumerate() {
                    Rows::extend(&mut rows[number], place, row as u32);
                }
                kept.before.push(origin.first_record + frame.first_record);
                kept.frames.push(frame);
            }
            Ok(())
        })?;
        let all: Vec<(Key, Vec<Rows>)> = groups.into_keys().into_iter().zip(rows).collect();
        let (total, mut finished, mut outcome) = (all.len() as u64, 0u64, Ok(()));
        let fit = |groups: &[(Key, Vec<Rows>)]| -> Vec<GroupFound<T>> {
            groups.iter().map(|(key, rows)| self.fit(key, &kept, rows)).collect()
        };
        // Of few groups each is a thread's own.
        let together = (all.len() / (8 * self.table.threads())).clamp(1, TOGETHER);
        in_order(all.chunks(together), self.table.threads(), fit, |found| {
            finished += found.len() as u64;
            self.table.watch().steps(finished, total);
            outcome = match self.table.watch().cancelled() {
                true => Err(DataError::Interrupted.into()),
                false => found.into_iter().try_for_each(&mut *each),
            };
            if outcome.is_ok() { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
        });
        outcome
    }

    /// Fits groups whose rows follow one another while they are read: those within a unit of records by whoever decoded it, and those that
    /// reach from one into another when all of them are there.
    fn in_order(&self, each: &mut Each<'_, T>) -> Result<(), Error> {
        let by = self.by();
        // A unit's groups: the first and the last as rows, for they may go on beside it.
        let unit = |frames: Vec<Frame>| {
            let mut kept = Kept { before: frames.iter().map(|frame| frame.first_record).collect(), frames };
            let (mut groups, mut runs) = (Groups::default(), Vec::<(usize, Vec<Rows>)>::new());
            for (place, frame) in kept.frames.iter().enumerate() {
                let numbers = groups.of_rows(frame, &by).unwrap_or_else(|| vec![0; frame.rows]);
                for (row, number) in numbers.into_iter().enumerate() {
                    if runs.last().is_none_or(|(last, _)| *last != number) {
                        runs.push((number, Vec::new()));
                    }
                    if let Some((_, rows)) = runs.last_mut() {
                        Rows::extend(rows, place as u32, row as u32);
                    }
                }
            }
            let keys = groups.into_keys();
            let last = runs.len().saturating_sub(1);
            let found = runs.iter().enumerate().map(|(place, (number, rows))| {
                let key = keys[*number].clone();
                match place == 0 || place == last {
                    true => {
                        let before =
                            rows.first().map_or(0, |run| kept.before[run.frame as usize] + u64::from(run.start));
                        let frame = gathered(&kept.frames, rows, self.columns.len());
                        Part::Open(
                            key,
                            Frame { file: kept.frames.first().map_or(0, |frame| frame.file), ..frame },
                            before,
                        )
                    }
                    false => Part::Fitted(key.clone(), self.fit(&key, &kept, rows)),
                }
            });
            let found: Vec<Part<T>> = found.collect();
            kept.frames.clear();
            Ok(found)
        };
        let mut open: Option<(Key, Kept)> = None;
        let mut closed = std::collections::HashSet::<u64>::new();
        let mut failed = None;
        let scanned = self.scan(unit, |origin, parts| {
            for part in parts {
                let key = match &part {
                    Part::Open(key, ..) | Part::Fitted(key, _) => key.clone(),
                };
                let goes_on = open.as_ref().is_some_and(|(known, _)| *known == key);
                if !goes_on {
                    let done = open.take().map(|(key, kept)| self.fit_whole(&key, &kept));
                    // Its number tells a group from all others but for one pair in 2^64.
                    if !closed.insert(hashed(&key)) {
                        failed = Some(self.apart(&key));
                        return Err(DataError::Interrupted);
                    }
                    if let Some(Err(error)) = done.map(&mut *each) {
                        failed = Some(error);
                        return Err(DataError::Interrupted);
                    }
                }
                match part {
                    Part::Open(_, frame, before) => {
                        let (_, kept) = open.get_or_insert_with(|| (key, Kept::default()));
                        kept.before.push(origin.first_record + before);
                        kept.frames.push(frame);
                    }
                    Part::Fitted(_, mut found) => {
                        // Its records were counted from the unit's beginning.
                        let file = self.table.dataset().file_name(origin.file).to_owned();
                        found.found = found.found.map_err(|error| {
                            Box::new(error.standing_at(|record| Some((file, record + origin.first_record))))
                        });
                        if let Err(error) = each(found) {
                            failed = Some(error);
                            return Err(DataError::Interrupted);
                        }
                    }
                }
            }
            Ok(())
        });
        if let Some(error) = failed {
            return Err(error);
        }
        scanned?;
        open.map_or(Ok(()), |(key, kept)| each(self.fit_whole(&key, &kept)))
    }

    fn scan<S: Send>(
        &self,
        work: impl Fn(Vec<Frame>) -> Result<S, DataError> + Sync,
        sink: impl FnMut(Origin, S) -> Result<(), DataError> + Send,
    ) -> Result<(), Error> {
        let unit = |frames: &mut noisefit_data::read::Frames<'_>| work(frames.collect::<Result<Vec<_>, _>>()?);
        Ok(self.table.dataset().scan(&self.columns, Decimals::WithLow, self.table.watch(), unit, sink)?)
    }

    /// Rows of a group that stand apart where they are not kept.
    fn apart(&self, key: &Key) -> Error {
        // A little more than they take, as they are counted.
        Error::GroupApart { group: self.named(key), bytes: self.bytes().saturating_mul(11) / 10 }
    }

    /// `city Paris, year 2024`.
    fn named(&self, key: &Key) -> String {
        let values = key.shown(&self.fields);
        let parts = self.fields.iter().zip(values).map(|(field, value)| format!("{} {value}", field.name));
        parts.collect::<Vec<_>>().join(", ")
    }

    fn fit_whole(&self, key: &Key, kept: &Kept) -> GroupFound<T> {
        let run = |(place, frame): (usize, &Frame)| Rows { frame: place as u32, start: 0, count: frame.rows as u32 };
        self.fit(key, kept, &kept.frames.iter().enumerate().map(run).collect::<Vec<_>>())
    }

    /// What is found of some rows.
    fn fit(&self, key: &Key, kept: &Kept, rows: &[Rows]) -> GroupFound<T> {
        let dataset = self.table.dataset();
        let units: Vec<Frame> = units(rows).iter().map(|rows| gathered(&kept.frames, rows, self.own)).collect();
        let counts = Counts { records: units.iter().map(|unit| unit.rows as u64).sum(), ..Counts::default() };
        let own = &self.columns[..self.own];
        let source = |formula: &Formula| {
            let resolved = match &self.resolved {
                Some(resolved) => resolved.clone(),
                None => self.model.resolved(formula, self.table, &self.others)?,
            };
            // Another formula reads fewer of the columns, perhaps in another order.
            let names = resolved.columns_needed();
            let places: Vec<usize> = names
                .iter()
                .filter_map(|name| own.iter().position(|&column| dataset.position(name) == Some(column)))
                .collect();
            let chosen = |frame: &Frame| match places.iter().copied().eq(0..self.own) {
                true => frame.clone(),
                false => {
                    Frame { columns: places.iter().map(|&place| frame.columns[place].clone()).collect(), ..*frame }
                }
            };
            let columns = places.iter().map(|&place| own[place]).collect();
            let units: Vec<Frame> = units.iter().map(chosen).collect();
            // One of a single unit is not worth another thread.
            let threads = if units.len() > 1 { self.table.threads() } else { 1 };
            let records = Records::of_frames(dataset, columns, units, threads, &self.quiet);
            self.model.learned(resolved, records)
        };
        match (self.work)(&source) {
            Ok((found, counts, warnings)) => GroupFound { key: key.values(), counts, found: Ok(found), warnings },
            Err(error) => {
                let place = |record: u64| {
                    place(kept, rows, record).map(|(file, record)| (dataset.file_name(file).to_owned(), record))
                };
                let error = Box::new(error.alone().standing_at(place));
                GroupFound { key: key.values(), counts, found: Err(error), warnings: Vec::new() }
            }
        }
    }
}

/// A group of a unit of records.
enum Part<T> {
    /// Rows that may go on beside the unit, and how many records of it stand before them.
    Open(Key, Frame, u64),
    Fitted(Key, GroupFound<T>),
}

fn remark_of(sentence: impl Into<Sentence>) -> Remark {
    Remark { topic: noisefit_core::record::Topic::Data, sentence: sentence.into() }
}

fn hashed(key: &Key) -> u64 {
    use std::hash::{DefaultHasher, Hash, Hasher};
    let mut hasher = DefaultHasher::new();
    key.hash(&mut hasher);
    hasher.finish()
}

/// Runs of rows in units of work.
fn units(rows: &[Rows]) -> Vec<Vec<Rows>> {
    let (mut all, mut room) = (vec![Vec::new()], UNIT_ROWS);
    for &Rows { frame, mut start, mut count } in rows {
        while count > 0 {
            if room == 0 {
                all.push(Vec::new());
                room = UNIT_ROWS;
            }
            let taken = count.min(room);
            if let Some(unit) = all.last_mut() {
                unit.push(Rows { frame, start, count: taken });
            }
            (start, count, room) = (start + taken, count - taken, room - taken);
        }
    }
    all
}

/// The file and the number, from 1, of a record that is number `record` of some rows, from 1.
fn place(kept: &Kept, rows: &[Rows], record: u64) -> Option<(usize, u64)> {
    let mut rest = record.checked_sub(1)?;
    for run in rows {
        if rest < u64::from(run.count) {
            let frame = run.frame as usize;
            return Some((kept.frames[frame].file, kept.before[frame] + u64::from(run.start) + rest + 1));
        }
        rest -= u64::from(run.count);
    }
    None
}
