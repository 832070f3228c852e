//! What there is to know of one part of a data set to read it, a file or a table in memory, and the units that it is read in.

use super::kinds::{self, MissingWords};
use super::options::{Decimals, ReadOptions};
use crate::error::DataError;
use crate::frame::{Field, Frame, Kind};

/// A column that is in the files but cannot be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnreadColumn {
    /// Its name.
    pub name: String,
    /// The type that is not read, such as `List(Int64)`.
    pub of_type: String,
}

pub(super) type FrameIterator<'a> = Box<dyn Iterator<Item = Result<Frame, DataError>> + 'a>;
pub(super) type Units<'a> = Box<dyn Iterator<Item = Result<Unit<'a>, DataError>> + Send + 'a>;

/// Consecutive records, not decoded yet.
pub(super) struct Unit<'a> {
    /// The bytes of the table that it accounts for.
    pub(super) bytes: u64,
    pub(super) frames: Box<dyn FnOnce() -> FrameIterator<'a> + Send + 'a>,
}

/// A part of a data set: a file of any format, or a table in memory.
pub(super) trait Table: std::fmt::Debug + Send + Sync {
    /// What messages call it: the file as the user named it.
    fn name(&self) -> &str;

    /// Its size in bytes, as it is on disk or in memory.
    fn size(&self) -> u64;

    /// Its units, in order. What can be done on several threads is left to the units.
    fn units<'a>(&'a self, query: &'a Query<'a>) -> Result<Units<'a>, DataError>;

    /// About how many records there are, where that is known without reading them.
    fn rows_hint(&self) -> Option<u64>;
}

/// What a scan asks of a table.
#[derive(Debug)]
pub(super) struct Query<'a> {
    pub(super) columns: Vec<Wanted<'a>>,
    pub(super) decimals: Decimals,
    pub(super) missing: &'a MissingWords,
    pub(super) unit_bytes: usize,
}

/// A column that is asked for.
#[derive(Debug)]
pub(super) struct Wanted<'a> {
    /// Its position in the schema.
    pub(super) field: usize,
    pub(super) name: &'a str,
    pub(super) kind: Kind,
}

/// The columns of a file.
#[derive(Debug)]
pub(super) struct Schema {
    pub(super) fields: Vec<Field>,
    pub(super) unread: Vec<UnreadColumn>,
}

impl Schema {
    /// Makes columns text that are to be read as such; `typed` is the name of a format whose values have types.
    pub(super) fn force_text(
        &mut self,
        options: &ReadOptions,
        table: &str,
        typed: Option<&'static str>,
    ) -> Result<(), DataError> {
        for name in &options.text {
            let Some(field) = self.fields.iter_mut().find(|field| field.name == *name) else {
                let names: Vec<&str> = self.fields.iter().map(|field| field.name.as_str()).collect();
                return Err(DataError::Option(format!(
                    "{table} has no column `{name}` to be read as text; its columns are {}",
                    names.join(", ")
                )));
            };
            if let (Some(format), Kind::Date | Kind::Timestamp) = (typed, field.kind) {
                // There is no text in the file to take; days or seconds since 1970 would be names of nothing.
                return Err(DataError::Option(format!(
                    "{table}: column `{name}` holds {} and cannot be read as text; {format} has no text for them",
                    kinds::holding(field.kind),
                )));
            }
            field.kind = Kind::Text;
        }
        Ok(())
    }
}
