//! One file as a part of a data set.

use super::file::InputFile;
use super::table::{Query, Table, Units};
use crate::error::DataError;

/// What there is to know of one file to read it; each format has its own.
pub(super) trait FileTable: std::fmt::Debug + Send + Sync {
    /// The units of the file, in order. What can be done on several threads is left to the units.
    fn units<'a>(&'a self, file: &'a InputFile, query: &'a Query<'a>) -> Result<Units<'a>, DataError>;

    /// About how many records there are, where that is known without reading them.
    fn rows_hint(&self, _file: &InputFile) -> Option<u64> {
        None
    }
}

/// A file with what is known of it.
#[derive(Debug)]
pub(super) struct OfFile<T> {
    pub(super) file: InputFile,
    pub(super) table: T,
}

impl<T: FileTable> Table for OfFile<T> {
    fn name(&self) -> &str {
        &self.file.name
    }

    fn size(&self) -> u64 {
        self.file.size
    }

    fn units<'a>(&'a self, query: &'a Query<'a>) -> Result<Units<'a>, DataError> {
        self.table.units(&self.file, query)
    }

    fn rows_hint(&self) -> Option<u64> {
        self.table.rows_hint(&self.file)
    }

    fn unchanged(&self) -> Result<(), DataError> {
        self.file.unchanged()
    }
}

/// How much of a text file its columns' kinds are told from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Head {
    /// All of the sample.
    Long,
    /// Its beginning: for the files after the first, of which there may be thousands.
    Short,
}

impl Head {
    /// The most bytes that are looked at.
    pub fn bytes(self) -> usize {
        if self == Head::Long { usize::MAX } else { 128 << 10 }
    }
}
