//! Parquet files, by ranges of rows of their row groups.

use std::collections::HashSet;
use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};

use arrow_schema::{DataType, Field, FieldRef, Schema as ArrowSchema};
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{
    ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder, RowSelection,
    RowSelector,
};
use parquet::basic::Compression;
use parquet::errors::ParquetError;
use parquet::file::metadata::{ColumnChunkMetaData, ParquetMetaData};
use parquet::file::reader::{ChunkReader, Length};

use super::arrow::{ArrowColumns, frame_rows};
use super::decode::{batches, damaged, decode, not_compressed};
use super::file::{FileReader, InputFile};
use super::of_file::FileTable;
use super::table::{FrameIterator, Query, Schema, Unit, Units};
use super::thrift::{PageHead, check_schema, page_head};
use crate::error::DataError;

const PARQUET: &str = "Parquet";

/// Values of a unit, about: 16 MB of doubles.
const UNIT_VALUES: usize = 1 << 21;

/// The footer of a file, read once.
#[derive(Debug)]
pub(crate) struct ParquetFile {
    metadata: ArrowReaderMetadata,
    columns: ArrowColumns,
    /// The chunks of columns whose pages were looked at, by the numbers of their groups and leaves.
    checked: Mutex<HashSet<(usize, usize)>>,
}

impl ParquetFile {
    pub fn open(file: &InputFile) -> Result<(ParquetFile, Schema), DataError> {
        not_compressed(file, PARQUET)?;
        let reader = file.open()?;
        decode(file, PARQUET, || check_footer(&reader, file.size))?;
        let metadata = decode(file, PARQUET, || ArrowReaderMetadata::load(&reader, ArrowReaderOptions::new()))?;
        check(file, metadata.metadata())?;
        let (columns, schema) = ArrowColumns::of(&file.name, metadata.schema())?;
        let metadata = decode(file, PARQUET, || with_views(metadata))?;
        Ok((ParquetFile { metadata, columns, checked: Mutex::default() }, schema))
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
        let group_metadata = self.metadata.metadata().row_group(group);
        let schema = self.metadata.parquet_schema();
        let wanted = self.columns.projection(query);
        let read =
            (0..schema.num_columns()).filter(|&leaf| wanted.binary_search(&schema.get_column_root_idx(leaf)).is_ok());
        for leaf in read {
            let checked = || self.checked.lock().unwrap_or_else(PoisonError::into_inner);
            if !checked().contains(&(group, leaf)) {
                decode(file, PARQUET, || check_pages(&reader, group_metadata.column(leaf)))?;
                checked().insert((group, leaf));
            }
        }
        let projection = ProjectionMask::roots(schema, wanted);
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

/// Columns of text as views of what stands in the file: a long text that many rows have in common is in memory once, where an array of
/// all their texts, made of a dictionary of a few bytes, may be larger than any memory.
fn with_views(metadata: ArrowReaderMetadata) -> Result<ArrowReaderMetadata, ParquetError> {
    let is_text = |of_type: &DataType| matches!(of_type, DataType::Utf8 | DataType::LargeUtf8);
    let viewed = |field: &FieldRef| match field.data_type() {
        DataType::Dictionary(_, values) if is_text(values) => DataType::Utf8View,
        of_type if is_text(of_type) => DataType::Utf8View,
        of_type => of_type.clone(),
    };
    let schema = metadata.schema();
    let fields = schema.fields().iter().map(|field| field.as_ref().clone().with_data_type(viewed(field)));
    let fields: Vec<Field> = fields.collect();
    let views = Arc::new(ArrowSchema::new_with_metadata(fields, schema.metadata().clone()));
    ArrowReaderMetadata::try_new(Arc::clone(metadata.metadata()), ArrowReaderOptions::new().with_schema(views))
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
    // A column that is no list has a value for each row; and no two columns of values are the same bytes.
    let mut chunks = HashSet::new();
    for (number, group) in groups.iter().enumerate() {
        for column in group.columns() {
            let (rows, values) = (group.num_rows(), column.num_values());
            if column.column_descr().max_rep_level() == 0 && values != rows {
                let why = format!("row group {} has {rows} rows, and one of its columns {values} values", number + 1);
                return Err(damaged(file, PARQUET, why));
            }
            if values > 0 && !chunks.insert(column.data_page_offset()) {
                let why = format!("a column of row group {} stands where another does", number + 1);
                return Err(damaged(file, PARQUET, why));
            }
        }
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

/// Refuses a footer whose schema cannot be walked through.
fn check_footer(reader: &FileReader, size: u64) -> Result<(), String> {
    let bytes = |start: u64, count: u64| reader.get_bytes(start, count as usize).map_err(|error| error.to_string());
    // Its length, and four letters. What is wrong with these the decoder says.
    let Some(start) = size.checked_sub(8) else { return Ok(()) };
    let end = bytes(start, 8)?;
    let Some((length, b"PAR1")) = end.split_first_chunk() else { return Ok(()) };
    match start.checked_sub(u32::from_le_bytes(*length).into()) {
        Some(footer) => check_schema(&bytes(footer, start - footer)?),
        None => Ok(()),
    }
}

/// Bytes in which the head of a page is looked for; statistics make heads long.
const PAGE_HEAD: u64 = 1 << 10;

/// Refuses a chunk of a column with a page that says more of itself than its bytes can be.
fn check_pages(reader: &FileReader, column: &ColumnChunkMetaData) -> Result<(), String> {
    let first = column.dictionary_page_offset().unwrap_or(i64::MAX).min(column.data_page_offset());
    let (Ok(mut at), Ok(length)) = (u64::try_from(first), u64::try_from(column.compressed_size())) else {
        return Err("a column lies outside of the file".to_owned());
    };
    let end = at.checked_add(length).filter(|&end| end <= reader.len()).ok_or("a column lies outside of the file")?;
    let ratio: i64 = match column.compression() {
        Compression::UNCOMPRESSED => 1,
        Compression::SNAPPY => 64,
        Compression::GZIP(_) => 1100,
        Compression::LZ4 | Compression::LZ4_RAW => 255,
        _ => 1 << 15,
    };
    while at < end {
        let mut span = PAGE_HEAD.min(end - at);
        let head = loop {
            let bytes = reader.get_bytes(at, span as usize).map_err(|error| error.to_string())?;
            match page_head(&bytes) {
                Some(head) => break head,
                None if span == end - at => return Err("the head of a page is damaged".to_owned()),
                None => span = span.saturating_mul(8).min(end - at),
            }
        };
        let possible = head.stored >= 0
            && head.bytes >= 0
            && head.bytes <= head.stored.saturating_mul(ratio).saturating_add(1 << 17)
            && (0..=head.bytes).contains(&head.dictionary_values);
        if !possible {
            let PageHead { stored, bytes, dictionary_values, .. } = head;
            return Err(format!(
                "a page of {stored} bytes cannot be the {bytes} bytes and {dictionary_values} values that it says"
            ));
        }
        at = at.saturating_add(head.length).saturating_add(head.stored as u64);
    }
    Ok(())
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
