//! What there is to know of one file to read it, and the units that it is read in.

use super::file::InputFile;
use super::format::Format;
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
    /// The bytes of the file that it accounts for.
    pub(super) bytes: u64,
    pub(super) frames: Box<dyn FnOnce() -> FrameIterator<'a> + Send + 'a>,
}

/// What there is to know of one file to read it; each format has its own.
pub(super) trait Table: std::fmt::Debug + Send + Sync {
    /// The units of the file, in order. What can be done on several threads is left to the units.
    fn units<'a>(&'a self, file: &'a InputFile, query: &'a Query<'a>) -> Result<Units<'a>, DataError>;

    /// About how many records there are, where that is known without reading them.
    fn rows_hint(&self, _file: &InputFile) -> Option<u64> {
        None
    }
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
    pub(super) fn force_text(
        &mut self,
        options: &ReadOptions,
        file: &InputFile,
        format: Format,
    ) -> Result<(), DataError> {
        for name in &options.text {
            let Some(field) = self.fields.iter_mut().find(|field| field.name == *name) else {
                let names: Vec<&str> = self.fields.iter().map(|field| field.name.as_str()).collect();
                return Err(DataError::Option(format!(
                    "{} has no column `{name}` to be read as text; its columns are {}",
                    file.name,
                    names.join(", ")
                )));
            };
            if format.is_typed() && matches!(field.kind, Kind::Date | Kind::Timestamp) {
                // There is no text in the file to take; days or seconds since 1970 would be names of nothing.
                return Err(DataError::Option(format!(
                    "{}: column `{name}` holds {} and cannot be read as text; {} has no text for them",
                    file.name,
                    kinds::holding(field.kind),
                    format.name()
                )));
            }
            field.kind = Kind::Text;
        }
        Ok(())
    }
}

/// The first thing in which a later file differs from the first.
pub(super) fn difference(
    (format, schema): &(Format, Schema),
    (other_format, other): &(Format, Schema),
) -> Option<String> {
    let (fields, others) = (&schema.fields, &other.fields);
    if format != other_format {
        return Some(format!("it is {}, not {}", other_format.name(), format.name()));
    }
    for (position, (field, other)) in fields.iter().zip(others).enumerate() {
        if field.name != other.name {
            return Some(format!("its column {} is `{}`, not `{}`", position + 1, other.name, field.name));
        }
        if field.kind != other.kind {
            let (kind, other_kind) = (kinds::holding(field.kind), kinds::holding(other.kind));
            return Some(format!("its column `{}` holds {other_kind}, not {kind}", other.name));
        }
    }
    match (fields.get(others.len()), others.get(fields.len())) {
        (Some(missing), _) => Some(format!("it has no column `{}`", missing.name)),
        (_, Some(more)) => Some(format!("it has a column `{}` more", more.name)),
        (None, None) => None,
    }
}
