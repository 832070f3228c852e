//! Tables in memory: Arrow record batches.

use arrow_array::{Array, ArrayRef, RecordBatch};

use super::arrow::ArrowColumns;
use super::table::{Query, Schema, Table, Unit, Units};
use crate::error::DataError;

/// What messages call a table in memory.
const NAME: &str = "the table";

/// Records that a unit has, about: enough beside the cost of handing it to a thread. A longer batch is cut, shorter ones
/// share a unit.
const UNIT_ROWS: usize = 1 << 16;

/// Record batches of one schema, the batches of a unit together.
#[derive(Debug)]
pub(crate) struct Batches {
    columns: ArrowColumns,
    units: Vec<Vec<RecordBatch>>,
    rows: u64,
    bytes: u64,
}

impl Batches {
    /// A table of some batches, which are shared and not copied.
    pub fn new(batches: Vec<RecordBatch>) -> Result<(Batches, Schema), DataError> {
        let first = batches.first().ok_or_else(|| {
            DataError::Option("no data: a table in memory has one record batch or more, for its columns".to_owned())
        })?;
        if let Some(number) = batches.iter().position(|batch| batch.schema().fields() != first.schema().fields()) {
            let difference = format!("its columns are not those of the first: {}", batches[number].schema());
            return Err(DataError::Mismatch {
                first: "the first batch".to_owned(),
                other: format!("batch {}", number + 1),
                difference,
            });
        }
        let (columns, schema) = ArrowColumns::of(NAME, &first.schema())?;
        let rows = batches.iter().map(|batch| batch.num_rows() as u64).sum();
        let bytes = batches.iter().map(size_in_bytes).sum();
        Ok((Batches { columns, units: units(batches), rows, bytes }, schema))
    }
}

/// What the rows of a batch occupy. The buffers behind them may be those of other batches, too: slices share them.
fn size_in_bytes(batch: &RecordBatch) -> u64 {
    let size = |column: &ArrayRef| column.to_data().get_slice_memory_size().unwrap_or(0) as u64;
    batch.columns().iter().map(size).sum()
}

/// Batches as units, in the order of their rows.
fn units(batches: Vec<RecordBatch>) -> Vec<Vec<RecordBatch>> {
    let mut units: Vec<Vec<RecordBatch>> = Vec::new();
    let mut room = 0;
    for batch in batches {
        for start in (0..batch.num_rows()).step_by(UNIT_ROWS) {
            let part = batch.slice(start, UNIT_ROWS.min(batch.num_rows() - start));
            match units.last_mut().filter(|_| part.num_rows() <= room) {
                Some(unit) => {
                    room -= part.num_rows();
                    unit.push(part);
                }
                None => {
                    room = UNIT_ROWS - part.num_rows();
                    units.push(vec![part]);
                }
            }
        }
    }
    units
}

impl Table for Batches {
    fn name(&self) -> &str {
        NAME
    }

    fn size(&self) -> u64 {
        self.bytes
    }

    fn units<'a>(&'a self, query: &'a Query<'a>) -> Result<Units<'a>, DataError> {
        let wrong =
            |why: &str| DataError::Damaged { path: NAME.to_owned(), format: "Arrow batches", why: why.to_owned() };
        Ok(Box::new(self.units.iter().map(move |unit| {
            let rows: usize = unit.iter().map(RecordBatch::num_rows).sum();
            let bytes = (self.bytes as f64 * rows as f64 / self.rows.max(1) as f64) as u64;
            let frames = move || {
                let projection = self.columns.projection(query);
                let project =
                    move |batch: &RecordBatch| batch.project(&projection).map_err(|_| wrong("a column is gone"));
                self.columns.frames(unit.iter().map(project), query, wrong)
            };
            Ok(Unit { bytes, frames: Box::new(frames) })
        })))
    }

    fn rows_hint(&self) -> Option<u64> {
        Some(self.rows)
    }
}
