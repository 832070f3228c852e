//! Tables that are run again for every pass: queries, data sets, whatever gives record batches and can do so anew.

use std::fmt::Debug;
use std::sync::Arc;

use arrow_array::{RecordBatch, RecordBatchReader};
use arrow_schema::SchemaRef;

use super::arrow::ArrowColumns;
use super::table::{Query, Schema, Table, Unit, Units};
use crate::error::DataError;

/// What messages call it.
const NAME: &str = "the table";

/// Records that a unit has, about.
const UNIT_ROWS: usize = 1 << 16;

/// The batches of a run.
pub type Run = Box<dyn RecordBatchReader + Send>;

/// Whoever can give the same record batches again and again, such as a query that is run anew.
pub trait Rerun: Debug + Send + Sync {
    /// The batches from the first on; the same in every run.
    ///
    /// # Errors
    /// Why they cannot be had.
    fn run(&self) -> Result<Run, DataError>;
}

/// A table of batches that are asked for anew in every pass; a pass holds a few of them.
#[derive(Debug)]
pub(crate) struct Stream {
    source: Arc<dyn Rerun>,
    columns: ArrowColumns,
    schema: SchemaRef,
}

impl Stream {
    /// A table of what `source` gives; it is run once for its columns.
    pub fn new(source: Arc<dyn Rerun>) -> Result<(Stream, Schema), DataError> {
        let arrow = source.run()?.schema();
        let (columns, schema) = ArrowColumns::of(NAME, &arrow)?;
        Ok((Stream { source, columns, schema: arrow }, schema))
    }
}

/// Batches, taken together until they are a unit.
struct UnitBatches {
    batches: Run,
    schema: SchemaRef,
    ended: bool,
}

impl Iterator for UnitBatches {
    type Item = Result<Vec<RecordBatch>, DataError>;

    fn next(&mut self) -> Option<Self::Item> {
        let (mut unit, mut rows) = (Vec::new(), 0);
        while !self.ended && rows < UNIT_ROWS {
            match self.batches.next() {
                None => self.ended = true,
                Some(Err(error)) => {
                    self.ended = true;
                    return Some(Err(DataError::Option(format!("{NAME}: {error}"))));
                }
                Some(Ok(batch)) if batch.schema().fields() != self.schema.fields() => {
                    self.ended = true;
                    return Some(Err(DataError::Changed { path: NAME.to_owned() }));
                }
                Some(Ok(batch)) => {
                    rows += batch.num_rows();
                    unit.push(batch);
                }
            }
        }
        (rows > 0).then_some(Ok(unit))
    }
}

impl Table for Stream {
    fn name(&self) -> &str {
        NAME
    }

    /// Unknown before it is read, and large: what is known to be small is read with more digits than a stream is worth.
    fn size(&self) -> u64 {
        u64::from(u32::MAX)
    }

    fn units<'a>(&'a self, query: &'a Query<'a>) -> Result<Units<'a>, DataError> {
        let wrong =
            |why: &str| DataError::Damaged { path: NAME.to_owned(), format: "Arrow batches", why: why.to_owned() };
        let batches = UnitBatches { batches: self.source.run()?, schema: self.schema.clone(), ended: false };
        Ok(Box::new(batches.map(move |unit| {
            let unit = unit?;
            let bytes = unit.iter().map(|batch| batch.get_array_memory_size() as u64).sum();
            let frames = move || {
                let projection = self.columns.projection(query);
                let project =
                    move |batch: RecordBatch| batch.project(&projection).map_err(|_| wrong("a column is gone"));
                self.columns.frames(unit.into_iter().map(project), query, wrong)
            };
            Ok(Unit { bytes, frames: Box::new(frames) })
        })))
    }

    fn rows_hint(&self) -> Option<u64> {
        None
    }
}
