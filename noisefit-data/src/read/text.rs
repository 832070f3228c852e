//! What all text formats share: the units of a file, and the sample its columns are told from.

use std::io::{self, Read};
use std::sync::atomic::Ordering;

use memchr::memchr;

use super::file::InputFile;
use super::pieces::{CutError, Piece, Pieces, lines};
use super::table::{FrameIterator, Unit, Units};
use crate::error::{DataError, Location};

/// Cuts a text file into units of about `size` bytes of text, to be read by `read`.
///
/// `header` bytes (whole lines, or a byte order mark) are left out; `quotes` is as in [`Pieces::new`].
pub(crate) fn units<'a>(
    file: &'a InputFile,
    header: usize,
    size: usize,
    quotes: Option<u8>,
    ends: LineEnds,
    read: impl Fn(Piece) -> FrameIterator<'a> + Clone + Send + 'a,
) -> Result<Units<'a>, DataError> {
    let (stream, bytes_read) = file.content()?;
    let stream: Box<dyn Read + Send> = match ends {
        LineEnds::Feeds => stream,
        LineEnds::Returns => Box::new(ReturnsAsFeeds(stream)),
    };
    let mut pieces = Pieces::new(stream, size, quotes);
    pieces.skip(header).map_err(|error| refused(file, error))?;
    let mut bytes_before = 0;
    Ok(Box::new(std::iter::from_fn(move || {
        let piece = match pieces.next_piece() {
            Ok(piece) => piece?,
            Err(error) => return Some(Err(refused(file, error))),
        };
        let bytes = bytes_read.load(Ordering::Relaxed) - bytes_before;
        bytes_before += bytes;
        let read = read.clone();
        Some(Ok(Unit { bytes, frames: Box::new(move || read(piece)) }))
    })))
}

/// What ends the lines of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LineEnds {
    /// Line feeds, with carriage returns before them or without.
    Feeds,
    /// Carriage returns alone.
    Returns,
}

/// A text whose lines end in carriage returns alone, as if they ended in line feeds.
struct ReturnsAsFeeds<R>(R);

impl<R: Read> Read for ReturnsAsFeeds<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.0.read(buffer)?;
        feeds_for_returns(&mut buffer[..count]);
        Ok(count)
    }
}

fn feeds_for_returns(text: &mut [u8]) {
    text.iter_mut().filter(|byte| **byte == b'\r').for_each(|byte| *byte = b'\n');
}

fn refused(file: &InputFile, error: CutError) -> DataError {
    let invalid = |line, what: &str| {
        let at = Location { file: file.name.clone(), line: Some(line), ..Location::default() };
        DataError::Invalid { at, what: what.into() }
    };
    match error {
        CutError::Read(source) => file.failed(source),
        CutError::OpenQuote { line } => invalid(
            line,
            "a double quote opens a field here and no quote closes it; a field that begins with a quote must be in quotes, its \
             own quotes doubled",
        ),
        CutError::LongRecord { line } => {
            invalid(line, "the record that begins here does not end; is this a text file?")
        }
    }
}

/// How long the records of a text are, by its beginning.
#[derive(Debug, Clone, Copy)]
pub(crate) struct RecordSize {
    bytes: u64,
    lines: u64,
    /// Whether the beginning is all of the text.
    whole: bool,
}

impl RecordSize {
    /// About how many records the file has; none if it is compressed and longer than the beginning.
    pub fn records_of(&self, file: &InputFile) -> Option<u64> {
        match self.whole {
            true => Some(self.lines),
            false if file.is_compressed() => None,
            false => Some((self.lines as f64 * (file.size as f64 / self.bytes as f64)) as u64),
        }
    }
}

/// The beginning of a file's text.
#[derive(Debug)]
pub(crate) struct Sample {
    pub bytes: Vec<u8>,
    /// Whether that is all of it.
    pub whole: bool,
    pub ends: LineEnds,
}

impl Sample {
    /// 2 MB or, if records are long, as much as holds a hundred, up to 32 MB.
    pub fn of(file: &InputFile) -> Result<Sample, DataError> {
        let mut size = 2 << 20;
        loop {
            let mut bytes = file.first_content(size)?;
            let whole = bytes.len() < size;
            if whole || size >= 32 << 20 || lines(&bytes) > 100 {
                // A return at the end may be half of what ends a line.
                let looked_at = &bytes[..bytes.len() - usize::from(!whole).min(bytes.len())];
                let returns = memchr(b'\n', &bytes).is_none() && memchr(b'\r', looked_at).is_some();
                let ends = if returns { LineEnds::Returns } else { LineEnds::Feeds };
                if ends == LineEnds::Returns {
                    feeds_for_returns(&mut bytes);
                }
                return Sample { bytes, whole, ends }.checked(file);
            }
            size *= 4;
        }
    }

    fn checked(self, file: &InputFile) -> Result<Sample, DataError> {
        if matches!(self.bytes.as_slice(), [0xff, 0xfe, ..] | [0xfe, 0xff, ..]) {
            let why = "it is UTF-16; convert it to UTF-8, for example with `iconv -f utf-16 -t utf-8`".to_owned();
            return Err(DataError::Damaged { path: file.name.clone(), format: "text", why });
        }
        if self.bytes.contains(&0) {
            return Err(DataError::NotText { path: file.name.clone() });
        }
        match self.bytes.trim_ascii().is_empty() {
            true => Err(DataError::Empty { path: file.name.clone() }),
            false => Ok(self),
        }
    }

    /// What its lines after the first `header` bytes tell about the length of the file's.
    pub fn records(&self, header: usize) -> RecordSize {
        let body = self.bytes.get(header..).unwrap_or_default();
        // A last line need not end.
        let unended = u64::from(self.whole && body.last().is_some_and(|&byte| byte != b'\n'));
        RecordSize { bytes: body.len() as u64, lines: lines(body) + unended, whole: self.whole }
    }

    /// The number of bytes of the byte order mark at the beginning.
    pub fn byte_order_mark(&self) -> usize {
        if self.bytes.starts_with(b"\xef\xbb\xbf") { 3 } else { 0 }
    }
}
