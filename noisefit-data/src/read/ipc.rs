//! Arrow's own formats: files of record batches, and streams of them.

use std::io::{BufReader, Read};
use std::ops::Range;
use std::sync::atomic::Ordering;

use arrow_array::RecordBatch;
use arrow_ipc::reader::{FileReader as BatchFile, StreamReader};

use super::arrow::ArrowColumns;
use super::file::{FileReader, InputFile};
use super::parquet::not_compressed;
use super::{FrameIterator, Query, Schema, Table, Unit, Units};
use crate::error::DataError;

/// Bytes of a file that a unit should account for. Batches are mostly smaller; a larger one is a unit of its own.
const UNIT_BYTES: u64 = 8 << 20;

/// A file with a footer that says where its batches are.
#[derive(Debug)]
pub(crate) struct ArrowFile {
    columns: ArrowColumns,
    batches: usize,
}

impl ArrowFile {
    pub fn open(file: &InputFile) -> Result<(ArrowFile, Schema), DataError> {
        not_compressed(file, "an Arrow file")?;
        let reader = open(file, None)?;
        let (columns, schema) = ArrowColumns::of(&reader.schema());
        Ok((ArrowFile { columns, batches: reader.num_batches() }, schema))
    }

    fn frames<'a>(&'a self, file: &'a InputFile, batches: Range<usize>, query: &'a Query<'a>) -> FrameIterator<'a> {
        let read = || {
            let mut reader = open(file, Some(self.columns.projection(query)))?;
            reader.set_index(batches.start).map_err(|error| damaged(file, "an Arrow file", error))?;
            Ok(reader)
        };
        match read() {
            Ok(reader) => Box::new(reader.take(batches.len()).flat_map(move |batch| match batch {
                Ok(batch) => self.columns.frames(batch, query),
                Err(error) => failing(damaged(file, "an Arrow file", error)),
            })),
            Err(error) => failing(error),
        }
    }
}

impl Table for ArrowFile {
    fn units<'a>(&'a self, file: &'a InputFile, query: &'a Query<'a>) -> Result<Units<'a>, DataError> {
        let count = self.batches as u64;
        let step = (count * UNIT_BYTES).div_ceil(file.size).clamp(1, count.max(1)) as usize;
        Ok(Box::new((0..self.batches).step_by(step).map(move |start| {
            let batches = start..(start + step).min(self.batches);
            let bytes = file.size * batches.len() as u64 / count;
            Ok(Unit { bytes, frames: Box::new(move || self.frames(file, batches, query)) })
        })))
    }
}

fn open(file: &InputFile, projection: Option<Vec<usize>>) -> Result<BatchFile<BufReader<FileReader>>, DataError> {
    BatchFile::try_new_buffered(file.open()?, projection).map_err(|error| damaged(file, "an Arrow file", error))
}

/// A file that must be read from its beginning to its end.
#[derive(Debug)]
pub(crate) struct ArrowStream {
    columns: ArrowColumns,
}

impl ArrowStream {
    pub fn open(file: &InputFile) -> Result<(ArrowStream, Schema), DataError> {
        let reader = StreamReader::try_new(file.content()?.0, None).map_err(|error| damaged(file, STREAM, error))?;
        let (columns, schema) = ArrowColumns::of(&reader.schema());
        Ok((ArrowStream { columns }, schema))
    }
}

const STREAM: &str = "an Arrow stream";

impl Table for ArrowStream {
    fn units<'a>(&'a self, file: &'a InputFile, query: &'a Query<'a>) -> Result<Units<'a>, DataError> {
        let (content, bytes_read) = file.content()?;
        let content: BufReader<Box<dyn Read + Send>> = BufReader::new(content);
        let projection = Some(self.columns.projection(query));
        let reader = StreamReader::try_new(content, projection).map_err(|error| damaged(file, STREAM, error))?;
        let mut bytes_before = 0;
        Ok(Box::new(reader.map(move |batch| {
            let batch: RecordBatch = batch.map_err(|error| damaged(file, STREAM, error))?;
            let bytes = bytes_read.load(Ordering::Relaxed) - bytes_before;
            bytes_before += bytes;
            Ok(Unit { bytes, frames: Box::new(move || self.columns.frames(batch, query)) })
        })))
    }
}

fn failing<'a>(error: DataError) -> FrameIterator<'a> {
    Box::new(std::iter::once(Err(error)))
}

fn damaged(file: &InputFile, format: &'static str, error: impl std::fmt::Display) -> DataError {
    let why = format!("{error}; the file is truncated, damaged or of another format");
    DataError::Damaged { path: file.name.clone(), format, why }
}
