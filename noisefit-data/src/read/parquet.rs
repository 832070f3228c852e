//! Parquet files, by ranges of rows of their row groups.

use std::ops::Range;

use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{
    ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder, RowSelection,
    RowSelector,
};
use parquet::basic::Compression;
use parquet::file::metadata::ParquetMetaData;

use super::arrow::{ArrowColumns, frame_rows};
use super::decode::{batches, damaged, decode, not_compressed};
use super::file::InputFile;
use super::of_file::FileTable;
use super::table::{FrameIterator, Query, Schema, Unit, Units};
use crate::error::DataError;

const PARQUET: &str = "Parquet";

/// Values of a unit, about: 16 MB of doubles.
const UNIT_VALUES: usize = 1 << 21;

/// The footer of a file, read once.
#[derive(Debug)]
pub(crate) struct ParquetFile {
    metadata: ArrowReaderMetadata,
    columns: ArrowColumns,
}

impl ParquetFile {
    pub fn open(file: &InputFile) -> Result<(ParquetFile, Schema), DataError> {
        not_compressed(file, PARQUET)?;
        let reader = file.open()?;
        let metadata = decode(file, PARQUET, || ArrowReaderMetadata::load(&reader, ArrowReaderOptions::new()))?;
        check(file, metadata.metadata())?;
        let (columns, schema) = ArrowColumns::of(&file.name, metadata.schema())?;
        Ok((ParquetFile { metadata, columns }, schema))
    }

    fn frames<'a>(
        &'a self,
        file: &'a InputFile,
        group: usize,
        rows: Range<usize>,
        query: &'a Query<'a>,
    ) -> FrameIterator<'a> {
        match self.reader(file, group, rows, query) {
            Ok(reader) => {
                self.columns.frames(batches(file, PARQUET, reader), query, move |why| damaged(file, PARQUET, why))
            }
            Err(error) => Box::new(std::iter::once(Err(error))),
        }
    }

    fn reader(
        &self,
        file: &InputFile,
        group: usize,
        rows: Range<usize>,
        query: &Query<'_>,
    ) -> Result<ParquetRecordBatchReader, DataError> {
        let reader = file.open()?;
        let projection = ProjectionMask::roots(self.metadata.parquet_schema(), self.columns.projection(query));
        // Pages that are skipped as a whole are not decompressed, so that a late range costs little more than an early one.
        let selection = RowSelection::from(vec![RowSelector::skip(rows.start), RowSelector::select(rows.len())]);
        decode(file, PARQUET, || {
            ParquetRecordBatchReaderBuilder::new_with_metadata(reader, self.metadata.clone())
                .with_row_groups(vec![group])
                .with_projection(projection)
                .with_row_selection(selection)
                .with_batch_size(frame_rows(query))
                .build()
        })
    }
}

impl FileTable for ParquetFile {
    fn units<'a>(&'a self, file: &'a InputFile, query: &'a Query<'a>) -> Result<Units<'a>, DataError> {
        let longest = (UNIT_VALUES / query.columns.len().max(1)).clamp(1 << 15, 1 << 18);
        let groups = self.metadata.metadata().row_groups();
        let rows_of =
            |group: &parquet::file::metadata::RowGroupMetaData| usize::try_from(group.num_rows()).unwrap_or(0);
        let all: usize = groups.iter().map(rows_of).sum();
        let units = groups.iter().enumerate().flat_map(move |(number, group)| {
            ranges(rows_of(group), longest).map(move |rows| {
                let bytes = (file.size as f64 * rows.len() as f64 / all as f64) as u64;
                Ok(Unit { bytes, frames: Box::new(move || self.frames(file, number, rows, query)) })
            })
        });
        Ok(Box::new(units))
    }

    fn rows_hint(&self, _file: &InputFile) -> Option<u64> {
        u64::try_from(self.metadata.metadata().file_metadata().num_rows()).ok()
    }
}

/// Refuses what the decoders would believe: counts of rows that do not add up, and compressions that this program does not have.
fn check(file: &InputFile, metadata: &ParquetMetaData) -> Result<(), DataError> {
    let groups = metadata.row_groups();
    let all = metadata.file_metadata().num_rows();
    let rows = groups.iter().try_fold(0i64, |sum, group| {
        let values = group.columns().iter().all(|column| column.num_values() >= 0);
        sum.checked_add(group.num_rows()).filter(|_| group.num_rows() >= 0 && values)
    });
    if rows != Some(all) {
        let told = rows.map_or_else(|| "no number of rows".to_owned(), |rows| format!("{rows} rows"));
        return Err(damaged(file, PARQUET, format!("its row groups have {told}, and the file says {all}")));
    }
    let mut codecs = groups.iter().flat_map(|group| group.columns()).map(|column| column.compression());
    let unknown = codecs.find(|codec| matches!(codec, Compression::BROTLI(_) | Compression::LZO));
    match unknown {
        None => Ok(()),
        Some(codec) => {
            let name = if codec == Compression::LZO { "LZO" } else { "Brotli" };
            let why =
                format!("it is compressed with {name}, which is not read; write it with zstd, snappy, gzip or lz4");
            Err(DataError::Damaged { path: file.name.clone(), format: PARQUET, why })
        }
    }
}

/// `rows` in as few ranges of about one length as there can be of at most `longest`.
fn ranges(rows: usize, longest: usize) -> impl Iterator<Item = Range<usize>> {
    let count = rows.div_ceil(longest);
    let bound = move |number: usize| (rows as u128 * number as u128 / count.max(1) as u128) as usize;
    (0..count).map(move |number| bound(number)..bound(number + 1))
}

#[cfg(test)]
mod tests {
    use super::ranges;

    #[test]
    fn ranges_cover_all_rows_once() {
        assert_eq!(ranges(10, 4).collect::<Vec<_>>(), [0..3, 3..6, 6..10]);
        assert_eq!(ranges(4, 4).collect::<Vec<_>>(), vec![0..4]);
        assert_eq!(ranges(0, 4).count(), 0);
    }
}
