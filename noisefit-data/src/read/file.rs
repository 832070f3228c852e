//! One input file: found again for every pass, read from any position by any thread.

use std::fs::{File, Metadata};
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::SystemTime;

use bytes::Bytes;
use flate2::bufread::GzDecoder;
use parquet::errors::ParquetError;
use parquet::file::reader::{ChunkReader, Length};

use super::folders::Folder;
use crate::error::DataError;
use crate::write::FileIdentity;

/// Where the bytes of a file are.
#[derive(Debug, Clone)]
pub(crate) struct InputFile {
    /// As the user named it; `standard input` for `-`.
    pub name: String,
    /// The number of bytes, compressed or not.
    pub size: u64,
    /// What the names of its folders say.
    pub folders: Vec<Folder>,
    place: Place,
    /// Which file it is, so that nobody writes over it; none of a pipe.
    pub identity: Option<FileIdentity>,
}

#[derive(Debug, Clone)]
enum Place {
    /// Opened for every pass: a data set may have more files than a process may hold open.
    Path(PathBuf, Stamp),
    /// An unnamed temporary copy of what can be read only once: standard input, a pipe.
    Spooled(Arc<File>),
}

/// What tells that a file is still the one that was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Stamp {
    size: u64,
    modified: Option<SystemTime>,
    /// The device and the number of the file on it; zeros where the system has none.
    number: (u64, u64),
}

impl Stamp {
    fn of(metadata: &Metadata) -> Stamp {
        #[cfg(unix)]
        let number = (std::os::unix::fs::MetadataExt::dev(metadata), std::os::unix::fs::MetadataExt::ino(metadata));
        #[cfg(not(unix))]
        let number = (0, 0);
        Stamp { size: metadata.len(), modified: metadata.modified().ok(), number }
    }
}

impl InputFile {
    /// A regular file, or anything else that can be read, such as a named pipe.
    pub fn at_path(path: &Path) -> Result<InputFile, DataError> {
        let failed = |source| DataError::reading(path, source);
        let metadata = std::fs::metadata(path).map_err(failed)?;
        let name = path.display().to_string();
        if metadata.is_file() {
            let place = Place::Path(path.to_owned(), Stamp::of(&metadata));
            let (folders, identity) = (Vec::new(), FileIdentity::of(path));
            let file = InputFile { name, size: metadata.len(), folders, place, identity };
            // Permission is asked for now rather than in the middle of a pass.
            file.open()?;
            return Ok(file);
        }
        InputFile::spooled(name, File::open(path).map_err(failed)?)
    }

    /// The same file, with what the names of its folders say.
    pub fn within(self, folders: Vec<Folder>) -> InputFile {
        InputFile { folders, ..self }
    }

    /// A copy of a stream that ends.
    pub fn spooled(name: String, mut stream: impl Read) -> Result<InputFile, DataError> {
        let not_kept = |source: io::Error| {
            let folder = std::env::temp_dir();
            let why = format!(
                "{source}; a copy of what can be read only once is kept in the folder for temporary files, {}: make room there, \
                 or set TMPDIR to another folder",
                folder.display()
            );
            DataError::Read { path: name.clone(), source: io::Error::new(source.kind(), why) }
        };
        let mut copy = tempfile::tempfile().map_err(not_kept)?;
        let (mut size, mut buffer) = (0, vec![0; 256 << 10]);
        loop {
            let count = match stream.read(&mut buffer) {
                Ok(0) => break,
                Ok(count) => count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(source) => return Err(DataError::Read { path: name, source }),
            };
            copy.write_all(&buffer[..count]).map_err(not_kept)?;
            size += count as u64;
        }
        Ok(InputFile { name, size, folders: Vec::new(), place: Place::Spooled(Arc::new(copy)), identity: None })
    }

    /// A reader from the file's first byte, independent of every other.
    pub fn open(&self) -> Result<FileReader, DataError> {
        let file = match &self.place {
            Place::Path(path, stamp) => {
                let failed = |source| DataError::reading(path, source);
                let file = File::open(path).map_err(failed)?;
                self.compare(*stamp, &file.metadata().map_err(failed)?)?;
                Arc::new(file)
            }
            Place::Spooled(file) => Arc::clone(file),
        };
        Ok(FileReader { file, size: self.size, position: 0, read: Arc::default() })
    }

    /// Refuses a file that is not what it was when it was found.
    ///
    /// # Errors
    /// [`DataError::Changed`]; a file that is gone.
    pub fn unchanged(&self) -> Result<(), DataError> {
        match &self.place {
            Place::Path(path, stamp) => {
                let metadata = std::fs::metadata(path).map_err(|source| DataError::reading(path, source))?;
                self.compare(*stamp, &metadata)
            }
            Place::Spooled(_) => Ok(()),
        }
    }

    fn compare(&self, stamp: Stamp, metadata: &Metadata) -> Result<(), DataError> {
        match Stamp::of(metadata) == stamp {
            true => Ok(()),
            false => Err(DataError::Changed { path: self.name.clone() }),
        }
    }

    /// The file's first bytes, as many as there are up to `count`.
    pub fn first_bytes(&self, count: usize) -> Result<Vec<u8>, DataError> {
        self.first_of(self.open()?, count)
    }

    /// The first bytes of its content, decompressed if they are compressed.
    pub fn first_content(&self, count: usize) -> Result<Vec<u8>, DataError> {
        self.first_of(self.content()?.0, count)
    }

    fn first_of(&self, stream: impl Read, count: usize) -> Result<Vec<u8>, DataError> {
        let mut bytes = Vec::with_capacity(count);
        stream.take(count as u64).read_to_end(&mut bytes).map_err(|source| self.failed(source))?;
        Ok(bytes)
    }

    /// The file's content from its beginning, decompressed if it is compressed (its first bytes tell), and the count of
    /// the file's bytes that were read so far.
    pub fn content(&self) -> Result<(Box<dyn Read + Send>, Arc<AtomicU64>), DataError> {
        let first = self.first_bytes(4)?;
        let reader = self.open()?;
        let read = Arc::clone(&reader.read);
        let buffered = BufReader::with_capacity(256 << 10, reader.clone());
        let stream: Box<dyn Read + Send> = match Compression::of(&first) {
            Some(Compression::Gzip) => Box::new(GzipMembers::new(buffered)),
            Some(Compression::Zstd) => {
                Box::new(zstd::Decoder::with_buffer(buffered).map_err(|source| self.failed(source))?)
            }
            None => Box::new(reader),
        };
        Ok((stream, read))
    }

    /// Whether its first bytes are those of a compressed file.
    pub fn is_compressed(&self) -> bool {
        self.compression().is_some()
    }

    fn compression(&self) -> Option<Compression> {
        self.first_bytes(4).ok().and_then(|first| Compression::of(&first))
    }

    /// The error for a failed read of the content: for a compressed file mostly its truncation or damage.
    pub fn failed(&self, source: io::Error) -> DataError {
        let (Some(compression), None) = (self.compression(), source.raw_os_error()) else {
            return DataError::Read { path: self.name.clone(), source };
        };
        let why = match source.kind() {
            io::ErrorKind::UnexpectedEof => "the compressed data end too early; the file is truncated".to_owned(),
            _ => format!("the compressed data are damaged ({source})"),
        };
        DataError::Damaged { path: self.name.clone(), format: compression.name(), why }
    }
}

/// How a whole file is compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Compression {
    Gzip,
    Zstd,
}

impl Compression {
    /// What the first bytes of a file tell.
    pub fn of(first: &[u8]) -> Option<Compression> {
        match first {
            [0x1f, 0x8b, ..] => Some(Compression::Gzip),
            [0x28, 0xb5, 0x2f, 0xfd, ..] => Some(Compression::Zstd),
            _ => None,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Compression::Gzip => "gzip",
            Compression::Zstd => "zstd",
        }
    }
}

/// The members of a gzip file, one after the other; zeros that fill its last block, as tapes and some archives leave them, are
/// not one more.
struct GzipMembers<R: BufRead> {
    /// None at the end, and after an error.
    member: Option<GzDecoder<R>>,
}

impl<R: BufRead> GzipMembers<R> {
    fn new(stream: R) -> Self {
        GzipMembers { member: Some(GzDecoder::new(stream)) }
    }
}

impl<R: BufRead> Read for GzipMembers<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            let Some(mut member) = self.member.take() else { return Ok(0) };
            let count = member.read(buffer)?;
            if count > 0 || buffer.is_empty() {
                self.member = Some(member);
                return Ok(count);
            }
            let mut stream = member.into_inner();
            if skip_zeros(&mut stream)? {
                return Ok(0);
            }
            self.member = Some(GzDecoder::new(stream));
        }
    }
}

/// Whether nothing is left but zeros, which are skipped.
fn skip_zeros(stream: &mut impl BufRead) -> io::Result<bool> {
    loop {
        let (bytes, all) = {
            let buffer = stream.fill_buf()?;
            let zeros = buffer.iter().take_while(|byte| **byte == 0).count();
            (zeros, zeros == buffer.len())
        };
        stream.consume(bytes);
        match (bytes, all) {
            (0, true) => return Ok(true),
            (_, false) => return Ok(false),
            _ => {}
        }
    }
}

/// A position in a file. The file is shared, the position is not: a duplicated descriptor would share it.
#[derive(Debug, Clone)]
pub(crate) struct FileReader {
    file: Arc<File>,
    size: u64,
    position: u64,
    /// The number of bytes read so far by this reader and its clones.
    read: Arc<AtomicU64>,
}

impl Read for FileReader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = read_at(&self.file, buffer, self.position)?;
        self.position += count as u64;
        self.read.fetch_add(count as u64, Ordering::Relaxed);
        Ok(count)
    }
}

impl Seek for FileReader {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let position = match to {
            SeekFrom::Start(position) => Some(position),
            SeekFrom::End(by) => self.size.checked_add_signed(by),
            SeekFrom::Current(by) => self.position.checked_add_signed(by),
        };
        self.position = position.ok_or(io::ErrorKind::InvalidInput)?;
        Ok(self.position)
    }
}

impl Length for FileReader {
    fn len(&self) -> u64 {
        self.size
    }
}

impl ChunkReader for FileReader {
    type T = BufReader<FileReader>;

    fn get_read(&self, start: u64) -> parquet::errors::Result<Self::T> {
        Ok(BufReader::new(FileReader { position: start, ..self.clone() }))
    }

    fn get_bytes(&self, start: u64, length: usize) -> parquet::errors::Result<Bytes> {
        // Asked before the allocation: a damaged length may be of any size.
        if start.checked_add(length as u64).is_none_or(|end| end > self.size) {
            return Err(ParquetError::EOF(format!("{length} bytes at {start} of a file of {} bytes", self.size)));
        }
        let mut bytes = vec![0; length];
        FileReader { position: start, ..self.clone() }.read_exact(&mut bytes)?;
        Ok(bytes.into())
    }
}

#[cfg(unix)]
fn read_at(file: &File, buffer: &mut [u8], position: u64) -> io::Result<usize> {
    std::os::unix::fs::FileExt::read_at(file, buffer, position)
}

#[cfg(windows)]
fn read_at(file: &File, buffer: &mut [u8], position: u64) -> io::Result<usize> {
    std::os::windows::fs::FileExt::seek_read(file, buffer, position)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn readers_of_one_file_do_not_move_each_other() {
        let file = InputFile::spooled("test".to_owned(), &b"0123456789"[..]).unwrap();
        let (mut first, mut second) = (file.open().unwrap(), file.open().unwrap());
        let (mut a, mut b) = ([0; 3], [0; 4]);
        first.read_exact(&mut a).unwrap();
        second.seek(SeekFrom::End(-4)).unwrap();
        second.read_exact(&mut b).unwrap();
        assert_eq!((&a, &b), (b"012", b"6789"));
        first.read_exact(&mut a).unwrap();
        assert_eq!(&a, b"345");
        assert_eq!(&first.get_bytes(8, 2).unwrap()[..], b"89");
        assert!(first.get_bytes(8, 3).is_err());
    }

    #[test]
    fn zeros_behind_a_gzip_file_are_nothing() {
        let packed = |text: &[u8]| {
            let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
            encoder.write_all(text).unwrap();
            encoder.finish().unwrap()
        };
        let read = |bytes: &[u8]| {
            let mut content = Vec::new();
            let file = InputFile::spooled("test".to_owned(), bytes).unwrap();
            file.content().unwrap().0.read_to_end(&mut content).map(|_| content)
        };
        let two = [packed(b"a\n"), packed(b"b\n")].concat();
        assert_eq!(read(&two).unwrap(), b"a\nb\n");
        assert_eq!(read(&[&two[..], &[0; 1000]].concat()).unwrap(), b"a\nb\n");
        assert_eq!(read(&[packed(b""), vec![0; 1 << 20]].concat()).unwrap(), b"");
        assert!(read(&[&two[..], &[0, 0, 7, 0]].concat()).is_err());
        assert!(read(&two[..two.len() - 1]).is_err());
    }
}
