//! Files as a data set: found, told apart by their formats, and held to one set of columns.

use super::file::InputFile;
use super::format::Format;
use super::kinds::{self, MissingWords};
use super::options::ReadOptions;
use super::table::{Query, Schema, Table, Units};
use super::{Dataset, UNIT_BYTES, delimited, inputs, ipc, json, parquet};
use crate::error::DataError;
use crate::frame::Field;

impl Dataset {
    /// Finds the files, their format and their columns.
    ///
    /// Each input is a file, a folder (all data files directly in it, in the order of their names), a pattern such as
    /// `data/*.csv`, or `-` for standard input. What cannot be read twice (standard input, a pipe) is copied to an
    /// unnamed temporary file first. All files must be of one format and have the same columns in the same order.
    ///
    /// In text formats the kinds of the columns are told from the first 2 MB of the first file: a column is of the kind of
    /// more than half of its values, and a value that is not of its column's kind is an error when it is read.
    ///
    /// # Errors
    /// No such file, a file that is empty, damaged or of unknown format, a header with a name twice, files that do not go
    /// together, options that do not go with the files.
    pub fn open(inputs: &[String], options: &ReadOptions) -> Result<Dataset, DataError> {
        Dataset::open_in_units(inputs, options, UNIT_BYTES)
    }

    pub(super) fn open_in_units(
        inputs: &[String],
        options: &ReadOptions,
        unit_bytes: usize,
    ) -> Result<Dataset, DataError> {
        options.check()?;
        let files = inputs::find(inputs)?;
        let mut opened: Option<(Format, Schema)> = None;
        let mut tables = Vec::with_capacity(files.len());
        for file in &files {
            if file.size == 0 {
                return Err(DataError::Empty { path: file.name.clone() });
            }
            let format = options.format.map_or_else(|| Format::of(file), Ok)?;
            let known = opened.as_ref().map(|(_, schema)| schema.fields.as_slice());
            let (table, mut schema) = open_table(file, format, options, known)?;
            schema.force_text(options, &file.name, format.is_typed().then(|| format.name()))?;
            let found = (format, schema);
            match opened.as_ref().and_then(|first| difference(first, &found)) {
                Some(difference) => {
                    let (first, other) = (files[0].name.clone(), file.name.clone());
                    return Err(DataError::Mismatch { first, other, difference });
                }
                None => opened = opened.or(Some(found)),
            }
            tables.push(table);
        }
        // There is a file: `find` refuses to return none.
        let (_, schema) = opened.ok_or_else(|| DataError::Option("no data".to_owned()))?;
        let missing = MissingWords::new(&options.missing);
        Ok(Dataset { tables, schema, missing, threads: options.threads.max(1), unit_bytes })
    }
}

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
struct OfFile<T> {
    file: InputFile,
    table: T,
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
}

fn open_table(
    file: &InputFile,
    format: Format,
    options: &ReadOptions,
    known: Option<&[Field]>,
) -> Result<(Box<dyn Table>, Schema), DataError> {
    fn boxed<T: FileTable + 'static>(file: &InputFile, (table, schema): (T, Schema)) -> (Box<dyn Table>, Schema) {
        (Box::new(OfFile { file: file.clone(), table }), schema)
    }
    match format {
        Format::Csv => {
            delimited::Delimited::open(file, options.delimiter, options, known).map(|found| boxed(file, found))
        }
        Format::Tsv => delimited::Delimited::open(file, options.delimiter.or(Some(b'\t')), options, known)
            .map(|found| boxed(file, found)),
        Format::NdJson => json::JsonLines::open(file, options, known).map(|found| boxed(file, found)),
        Format::Parquet => parquet::ParquetFile::open(file).map(|found| boxed(file, found)),
        Format::ArrowFile => ipc::ArrowFile::open(file).map(|found| boxed(file, found)),
        Format::ArrowStream => ipc::ArrowStream::open(file).map(|found| boxed(file, found)),
    }
}

/// The first thing in which a later file differs from the first.
fn difference((format, schema): &(Format, Schema), (other_format, other): &(Format, Schema)) -> Option<String> {
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
