//! Tables: files, or record batches in memory.

use std::ffi::OsStr;
use std::path::Path;
use std::sync::Arc;

use arrow_array::RecordBatch;
use noisefit_data::DataError;
use noisefit_data::cluster::{Engine, Traffic};
use noisefit_data::frame::Field;
use noisefit_data::read::{Dataset, Inputs, ReadOptions, Rerun};

use crate::error::Error;
use crate::overwriting::{Read, refuse_overwriting};
use crate::watch::Watch;
use noisefit_core::wording::Setting;

/// Columns up to this size are kept in memory between passes, unless [`Table::memory`] says otherwise.
const MEMORY: u64 = 192_000_000;

/// A table that models are fitted to, predicted for and scored on: files, or Arrow record batches in memory.
///
/// It is a handle, cheap to clone: rows are read when a model asks for them.
///
/// ```
/// use noisefit::Table;
///
/// let table = Table::open("../testdata/engel.csv")?;
/// let names: Vec<&str> = table.columns().iter().map(|column| column.name.as_str()).collect();
/// assert_eq!(names, ["income", "foodexp"]);
/// # Ok::<(), noisefit::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct Table {
    origin: Arc<Origin>,
    options: ReadOptions,
    dataset: Arc<Dataset>,
    memory: u64,
    watch: Arc<dyn Watch>,
}

/// Where the rows are, found once: standard input can be read only once.
#[derive(Debug)]
enum Origin {
    Files(Inputs),
    Batches(Vec<RecordBatch>),
    Rerun(Arc<dyn Rerun>),
    Engine(Arc<dyn Engine>),
}

impl Origin {
    fn open(&self, options: &ReadOptions) -> Result<Dataset, DataError> {
        match self {
            Origin::Files(inputs) => Dataset::of(inputs, options),
            Origin::Batches(batches) => Dataset::of_batches(batches.clone(), options),
            Origin::Rerun(source) => Dataset::of_rerun(source.clone(), options),
            Origin::Engine(engine) => Dataset::of_engine(engine.clone(), options),
        }
    }
}

impl Table {
    /// A file, all data files of a folder, those that a pattern such as `data/*.parquet` matches, or `-` for standard input.
    ///
    /// # Errors
    /// Files that are not there, cannot be read, or do not go together.
    pub fn open(input: impl AsRef<OsStr>) -> Result<Self, Error> {
        Table::files(&[input], &ReadOptions::default())
    }

    /// Several inputs as one table, and how they are to be read.
    ///
    /// # Errors
    /// As [`Table::open`], and options that do not go with the files.
    pub fn files<P: AsRef<OsStr>>(inputs: &[P], options: &ReadOptions) -> Result<Self, Error> {
        Table::of(Origin::Files(Inputs::find(inputs)?), options)
    }

    /// Record batches in memory, of one schema: numbers, booleans, dates, timestamps, decimals, text, dictionaries of these.
    ///
    /// # Errors
    /// No batch, or batches of different schemas.
    ///
    /// ```
    /// use std::sync::Arc;
    /// use arrow_array::{ArrayRef, Float64Array, RecordBatch};
    /// use noisefit::{Model, Table};
    ///
    /// let column = |values: &[f64]| Arc::new(Float64Array::from(values.to_vec())) as ArrayRef;
    /// let batch = RecordBatch::try_from_iter([
    ///     ("x", column(&[1.0, 2.0, 3.0, 4.0])),
    ///     ("y", column(&[1.0, 3.0, 2.0, 4.0])),
    /// ])?;
    /// let fitted = Model::new("y ~ x").fit(&Table::from_batches(vec![batch])?)?;
    /// assert_eq!(fitted.coef()?[1].estimate, Some(0.8));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn from_batches(batches: Vec<RecordBatch>) -> Result<Self, Error> {
        Table::batches(batches, &ReadOptions::default())
    }

    /// Record batches in memory, and how they are to be read: texts that stand for missing values, columns that are text.
    ///
    /// # Errors
    /// As [`Table::from_batches`].
    pub fn batches(batches: Vec<RecordBatch>, options: &ReadOptions) -> Result<Self, Error> {
        Table::of(Origin::Batches(batches), options)
    }

    /// Record batches that are asked for anew whenever a pass needs them, as those of a query are: rows that do not fit the memory
    /// budget are never held at once.
    ///
    /// # Errors
    /// What the source reports.
    pub fn rerun(source: Arc<dyn Rerun>, options: &ReadOptions) -> Result<Self, Error> {
        Table::of(Origin::Rerun(source), options)
    }

    /// A table that an engine's workers hold in partitions, such as one of Spark or Dask: passes are folded there. What is no pass, such as
    /// predictions of every row, reads the rows from there one batch after another.
    ///
    /// # Errors
    /// What the engine reports.
    pub fn engine(engine: Arc<dyn Engine>, options: &ReadOptions) -> Result<Self, Error> {
        Table::of(Origin::Engine(engine), options)
    }

    /// What passes over the table have cost, where an engine's workers make them.
    pub fn traffic(&self) -> Option<Traffic> {
        self.dataset.traffic()
    }

    fn of(origin: Origin, options: &ReadOptions) -> Result<Self, Error> {
        let dataset = Arc::new(origin.open(options)?);
        let (origin, options) = (Arc::new(origin), options.clone());
        Ok(Table { origin, options, dataset, memory: MEMORY, watch: Arc::new(()) })
    }

    /// Does some work with the table, whose columns are read as a model reads them that was fitted to `known`; and again where a
    /// reading shows that a column is of another kind than the heads of its files said.
    pub(crate) fn reading<T>(
        &self,
        known: &[Field],
        mut work: impl FnMut(&Table) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let mut table = self.clone();
        if !known.is_empty() && table.options.known != known {
            table.options.known = known.to_vec();
            table.dataset = Arc::new(table.origin.open(&table.options)?);
        }
        let done = work(&table);
        let widens = done.as_ref().err().is_some_and(Error::widens) && table.options.met.is_none();
        if widens { work(&table.counted()?) } else { done }
    }

    /// The same table, none of whose rows shows that one of these columns is of another kind than the heads of its files said.
    pub(crate) fn settled(&self, columns: &[Field]) -> Result<Table, Error> {
        let may_widen = |field: &Field| self.dataset.position(&field.name).is_some_and(|at| self.dataset.may_widen(at));
        if columns.iter().any(may_widen) { self.counted() } else { Ok(self.clone()) }
    }

    /// The same table, with the kinds of its columns told from all rows.
    fn counted(&self) -> Result<Table, Error> {
        let mut table = self.clone();
        table.options.met = Some(self.dataset.count_kinds(self.watch())?);
        table.dataset = Arc::new(table.origin.open(&table.options)?);
        Ok(table)
    }

    /// The same table of which columns up to so many bytes are kept in memory between the passes of a fit.
    #[must_use]
    pub fn memory(mut self, bytes: u64) -> Self {
        self.memory = bytes;
        self
    }

    /// The same table with someone who watches over its passes and may stop them.
    #[must_use]
    pub fn watched_by(mut self, watch: Arc<dyn Watch>) -> Self {
        self.watch = watch;
        self
    }

    /// The columns that can be named in a formula.
    pub fn columns(&self) -> &[Field] {
        self.dataset.fields()
    }

    /// The data set behind it.
    pub fn dataset(&self) -> &Dataset {
        &self.dataset
    }

    /// Refuses to write over a file of the table, and two results into one file.
    ///
    /// # Errors
    /// [`Refusal::OverwritesData`](crate::Refusal::OverwritesData) and [`Refusal::SameFile`](crate::Refusal::SameFile).
    pub fn refuse_overwriting(&self, outputs: &[(Setting, Option<&Path>)]) -> Result<(), Error> {
        let outputs: Vec<_> = outputs.iter().filter_map(|(setting, path)| Some((*setting, (*path)?))).collect();
        Ok(refuse_overwriting(&outputs, &self.read())?)
    }

    /// The files it is read from, which nothing is to be written over.
    pub fn read(&self) -> Vec<Read> {
        match &*self.origin {
            Origin::Files(inputs) => inputs.identities().cloned().map(Read::Data).collect(),
            Origin::Batches(_) | Origin::Rerun(_) | Origin::Engine(_) => Vec::new(),
        }
    }

    pub(crate) fn threads(&self) -> usize {
        self.options.threads.max(1)
    }

    pub(crate) fn budget(&self) -> u64 {
        self.memory
    }

    pub(crate) fn watch(&self) -> &dyn Watch {
        &*self.watch
    }

    /// The names of the columns, for messages.
    pub(crate) fn names(&self) -> Vec<String> {
        self.columns().iter().map(|field| field.name.clone()).collect()
    }
}
