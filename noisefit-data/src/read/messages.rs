//! Arrow's messages, held against the bytes there are before a decoder believes what they say of themselves: memory that is asked
//! for and not there ends a program, whatever it catches.

use std::io::{self, Read};

use arrow_ipc::{Block, CompressionType, root_as_footer, root_as_message};
use parquet::file::reader::ChunkReader;

use super::file::FileReader;

/// The most bytes that LZ4 makes of one: a length of 255 in one byte more.
const LZ4_RATIO: u64 = 255;

/// The most that Zstandard does: a block of 128 KB of one byte takes four.
const ZSTD_RATIO: u64 = 1 << 15;

/// What frames of few bytes may exceed these ratios by.
const SLACK: u64 = 1 << 17;

/// The mark before a message's length.
const MARK: [u8; 4] = [0xff; 4];

/// Refuses a message that says more of its body than a body of `length` bytes can be; `word` gives eight bytes of it.
fn check(metadata: &[u8], length: u64, word: impl Fn(u64) -> Option<[u8; 8]>) -> Result<(), String> {
    let message = root_as_message(metadata).map_err(|error| error.to_string())?;
    if u64::try_from(message.bodyLength()).is_ok_and(|own| own <= length) {
        let batch = message.header_as_record_batch();
        let batch = batch.or_else(|| message.header_as_dictionary_batch().and_then(|dictionary| dictionary.data()));
        let Some(batch) = batch else { return Ok(()) };
        let ratio = batch.compression().map(|compression| match compression.codec() {
            CompressionType::LZ4_FRAME => LZ4_RATIO,
            _ => ZSTD_RATIO,
        });
        for buffer in batch.buffers().iter().flatten() {
            let (offset, bytes) = match (u64::try_from(buffer.offset()), u64::try_from(buffer.length())) {
                (Ok(offset), Ok(bytes)) if offset.checked_add(bytes).is_some_and(|end| end <= length) => {
                    (offset, bytes)
                }
                _ => return Err("a buffer lies outside of its batch".to_owned()),
            };
            let Some(ratio) = ratio.filter(|_| bytes >= 8) else { continue };
            let declared = word(offset).map(i64::from_le_bytes).ok_or("a buffer lies outside of the file")?;
            // Minus one says that it is not compressed after all.
            if declared == -1 {
                continue;
            }
            let possible = u64::try_from(declared).is_ok_and(|declared| declared <= (bytes - 8) * ratio + SLACK);
            if !possible {
                return Err(format!("{} compressed bytes cannot be the {declared} that they say", bytes - 8));
            }
            if Vec::<u8>::new().try_reserve_exact(declared as usize).is_err() {
                return Err(format!("there is no memory for the {declared} bytes of a buffer"));
            }
        }
        return Ok(());
    }
    Err(format!("a batch says that it has {} bytes, and there are {length}", message.bodyLength()))
}

/// A stream of messages, of which each is handed on when all of it is there and checked.
pub(crate) struct CheckedMessages<R> {
    stream: R,
    /// The message at hand, and how much of it is handed on.
    message: Vec<u8>,
    position: usize,
    ended: bool,
}

impl<R: Read> CheckedMessages<R> {
    pub fn new(stream: R) -> Self {
        CheckedMessages { stream, message: Vec::new(), position: 0, ended: false }
    }

    /// Appends the next `count` bytes, as far as there are any: memory is taken as they come.
    fn append(&mut self, count: u64) -> io::Result<bool> {
        Ok((&mut self.stream).take(count).read_to_end(&mut self.message)? as u64 == count)
    }

    fn next_message(&mut self) -> io::Result<()> {
        (self.position, self.ended) = (0, true);
        self.message.clear();
        // What is short here is the end, which the decoder judges.
        if !self.append(4)? || (self.message == MARK && !self.append(4)?) {
            return Ok(());
        }
        let start = self.message.len();
        let length: [u8; 4] = self.message[start - 4..].try_into().unwrap_or_default();
        let Ok(length @ 1..) = u32::try_from(i32::from_le_bytes(length)) else { return Ok(()) };
        let invalid = |error: String| io::Error::new(io::ErrorKind::InvalidData, error);
        // An early end of the stream would pass for its end.
        let cut = || invalid("the stream ends within a batch".to_owned());
        if !self.append(length.into())? {
            return Err(cut());
        }
        let body = root_as_message(&self.message[start..]).map_err(|error| invalid(error.to_string()))?.bodyLength();
        let body_start = self.message.len();
        let body = u64::try_from(body).map_err(|_| invalid("a batch of a negative length".to_owned()))?;
        if !self.append(body)? {
            return Err(cut());
        }
        let (metadata, content) = (&self.message[start..body_start], &self.message[body_start..]);
        let word = |offset: u64| content.get(usize::try_from(offset).ok()?..)?.first_chunk().copied();
        check(metadata, body, word).map_err(invalid)?;
        self.ended = false;
        Ok(())
    }
}

impl<R: Read> Read for CheckedMessages<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.position == self.message.len() && !self.ended {
            self.next_message()?;
        }
        let count = self.message[self.position..].as_ref().read(buffer)?;
        self.position += count;
        Ok(count)
    }
}

/// Checks every batch that the footer of an Arrow file names.
pub(crate) fn check_file(file: &FileReader, size: u64) -> Result<(), String> {
    let bytes = |start: u64, count: u64| {
        let count = usize::try_from(count).map_err(|error| error.to_string())?;
        file.get_bytes(start, count).map_err(|error| error.to_string())
    };
    // The length of the footer, and six letters.
    let Some(footer_end) = size.checked_sub(10) else { return Err(format!("it has {size} bytes and no footer")) };
    let Some(length) = bytes(footer_end, 4)?.first_chunk().map(|length| i32::from_le_bytes(*length)) else {
        return Ok(());
    };
    let Some(start) = u64::try_from(length).ok().and_then(|length| footer_end.checked_sub(length)) else {
        return Err(format!("its footer says that it has {length} bytes"));
    };
    let footer = bytes(start, footer_end - start)?;
    let footer = root_as_footer(&footer).map_err(|error| error.to_string())?;
    for block in footer.dictionaries().iter().flatten().chain(footer.recordBatches().iter().flatten()) {
        check_block(block, &bytes)?;
    }
    Ok(())
}

fn check_block(block: &Block, bytes: &impl Fn(u64, u64) -> Result<bytes::Bytes, String>) -> Result<(), String> {
    let number = |number: i64| u64::try_from(number).map_err(|_| "a batch lies before the file".to_owned());
    let (start, metadata, body) =
        (number(block.offset())?, number(block.metaDataLength().into())?, number(block.bodyLength())?);
    let message = bytes(start, metadata)?;
    let message = message.strip_prefix(&MARK).unwrap_or(&message).get(4..).unwrap_or_default();
    let body_start = start.checked_add(metadata).ok_or("a batch lies outside of the file")?;
    if body > 0 {
        // That its last byte is there.
        bytes(body_start.checked_add(body - 1).ok_or("a batch lies outside of the file")?, 1)?;
    }
    let word = |offset: u64| bytes(body_start.checked_add(offset)?, 8).ok()?.first_chunk().copied();
    check(message, body, word)
}
