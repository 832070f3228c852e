//! Arrow's own formats: files of record batches, and streams of them.

use std::io::{BufReader, Read};
use std::ops::Range;
use std::sync::atomic::Ordering;

use arrow_ipc::reader::{FileReader as BatchFile, StreamReader};

use super::arrow::ArrowColumns;
use super::decode::{batches, damaged, decode, not_compressed};
use super::file::{FileReader, InputFile};
use super::messages::{CheckedMessages, check_file};
use super::of_file::FileTable;
use super::table::{FrameIterator, Query, Schema, Unit, Units};
use crate::error::DataError;

/// Bytes of a file that a unit should account for. Batches are mostly smaller; a larger one is a unit of its own.
const UNIT_BYTES: u64 = 8 << 20;

const FILE: &str = "an Arrow file";
const STREAM: &str = "an Arrow stream";

/// A file with a footer that says where its batches are.
#[derive(Debug)]
pub(crate) struct ArrowFile {
    columns: ArrowColumns,
    batches: usize,
}

impl ArrowFile {
    pub fn open(file: &InputFile) -> Result<(ArrowFile, Schema), DataError> {
        not_compressed(file, FILE)?;
        let content = file.open()?;
        decode(file, FILE, || check_file(&content, file.size))?;
        let reader = open(file, None, 0)?;
        let (columns, schema) = ArrowColumns::of(&file.name, &reader.schema())?;
        Ok((ArrowFile { columns, batches: reader.num_batches() }, schema))
    }

    fn frames<'a>(&'a self, file: &'a InputFile, range: Range<usize>, query: &'a Query<'a>) -> FrameIterator<'a> {
        match open(file, Some(self.columns.projection(query)), range.start) {
            Ok(reader) => self
                .columns
                .frames(batches(file, FILE, reader.take(range.len())), query, move |why| damaged(file, FILE, why)),
            Err(error) => Box::new(std::iter::once(Err(error))),
        }
    }
}

impl FileTable for ArrowFile {
    fn units<'a>(&'a self, file: &'a InputFile, query: &'a Query<'a>) -> Result<Units<'a>, DataError> {
        let count = self.batches as u64;
        let step = (count * UNIT_BYTES).div_ceil(file.size).clamp(1, count.max(1)) as usize;
        Ok(Box::new((0..self.batches).step_by(step).map(move |start| {
            let range = start..(start + step).min(self.batches);
            let bytes = file.size * range.len() as u64 / count;
            Ok(Unit { bytes, frames: Box::new(move || self.frames(file, range, query)) })
        })))
    }
}

/// A reader of the columns in `projection`, from batch number `start` on.
fn open(
    file: &InputFile,
    projection: Option<Vec<usize>>,
    start: usize,
) -> Result<BatchFile<BufReader<FileReader>>, DataError> {
    let reader = file.open()?;
    decode(file, FILE, || {
        let mut reader = BatchFile::try_new_buffered(reader, projection)?;
        if start > 0 {
            reader.set_index(start)?;
        }
        Ok::<_, arrow_schema::ArrowError>(reader)
    })
}

/// A file that must be read from its beginning to its end.
#[derive(Debug)]
pub(crate) struct ArrowStream {
    columns: ArrowColumns,
}

impl ArrowStream {
    pub fn open(file: &InputFile) -> Result<(ArrowStream, Schema), DataError> {
        let content = file.content()?.0;
        let reader = decode(file, STREAM, || StreamReader::try_new(CheckedMessages::new(content), None))?;
        let (columns, schema) = ArrowColumns::of(&file.name, &reader.schema())?;
        Ok((ArrowStream { columns }, schema))
    }
}

impl FileTable for ArrowStream {
    fn units<'a>(&'a self, file: &'a InputFile, query: &'a Query<'a>) -> Result<Units<'a>, DataError> {
        let (content, bytes_read) = file.content()?;
        let content: BufReader<Box<dyn Read + Send>> = BufReader::new(content);
        let projection = Some(self.columns.projection(query));
        let reader = decode(file, STREAM, || StreamReader::try_new(CheckedMessages::new(content), projection))?;
        let mut bytes_before = 0;
        Ok(Box::new(batches(file, STREAM, reader).map(move |batch| {
            let batch = batch?;
            let bytes = bytes_read.load(Ordering::Relaxed) - bytes_before;
            bytes_before += bytes;
            let frames =
                move || self.columns.frames(std::iter::once(Ok(batch)), query, move |why| damaged(file, STREAM, why));
            Ok(Unit { bytes, frames: Box::new(frames) })
        })))
    }
}
