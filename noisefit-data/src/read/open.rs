//! Files as a data set: found, told apart by their formats, and held to one set of columns.

use std::ffi::OsStr;

use super::file::InputFile;
use super::format::Format;
use super::of_file::{FileTable, Head, OfFile};
use super::options::ReadOptions;
use super::partitions::Partitions;
use super::table::{Schema, Table};
use super::{Dataset, Inputs, UNIT_BYTES, delimited, ipc, json, parquet};
use crate::error::DataError;

impl Dataset {
    /// Finds the files, their format and their columns.
    ///
    /// Each input is a file, a folder (all data files directly in it or in partitions such as `year=2024`, in the order of their
    /// names), a pattern such as `data/*.csv`, or `-` for standard input. What the names of folders say (`year=2024`) is a column
    /// after those of the files. What cannot be read twice (standard input, a pipe) is copied to an
    /// unnamed temporary file first. All files must be of one format and have the same columns in the same order.
    ///
    /// In text formats the kinds of the columns are told from the heads of the files (2 MB of the first, less of the
    /// others): a column is of the kind of more than half of its values, of a kind that goes with all files, and a value
    /// that is not of its column's kind is an error when it is read. Where that value shows that the column is of a wider
    /// kind after all (`M` after many `F`), [`DataError::widens`] says so, and the files are to be opened again with what
    /// [`Dataset::count_kinds`] meets in them.
    ///
    /// # Errors
    /// No such file, a file that is empty, damaged or of unknown format, a header with a name twice, files that do not go
    /// together, options that do not go with the files.
    pub fn open<P: AsRef<OsStr>>(inputs: &[P], options: &ReadOptions) -> Result<Dataset, DataError> {
        Dataset::of(&Inputs::find(inputs)?, options)
    }

    /// Opens files that were found by their names or patterns.
    ///
    /// # Errors
    /// As [`Dataset::open`].
    pub fn of(inputs: &Inputs, options: &ReadOptions) -> Result<Dataset, DataError> {
        Dataset::in_units(inputs, options, UNIT_BYTES)
    }

    pub(super) fn in_units(inputs: &Inputs, options: &ReadOptions, unit_bytes: usize) -> Result<Dataset, DataError> {
        options.check()?;
        let files = inputs.files.clone();
        let mut partitions = Partitions::of(&files, options);
        // Which of the columns to be read as text are the folders' the files cannot tell.
        let text = options.text.iter().filter(|name| partitions.names().all(|own| own != name.as_str()));
        let of_files = &ReadOptions { text: text.cloned().collect(), ..options.clone() };
        let mut opened: Option<(Format, Schema)> = None;
        let mut tables = Vec::with_capacity(files.len());
        for file in &files {
            if file.size == 0 {
                return Err(DataError::Empty { path: file.name.clone() });
            }
            let format = options.format.map_or_else(|| Format::of(file), Ok)?;
            let head = if opened.is_none() { Head::Long } else { Head::Short };
            let (table, mut schema) = open_table(file, format, options, head)?;
            schema.take(options, format.is_typed());
            schema.force_text(of_files, &file.name, format.is_typed().then(|| format.name()))?;
            tables.push(table);
            let Some((first_format, first)) = &mut opened else {
                opened = Some((format, schema));
                continue;
            };
            let difference = match *first_format == format {
                true => first.join(&schema, format == Format::NdJson),
                false => Some(format!("it is {}, not {}", format.name(), first_format.name())),
            };
            if let Some(difference) = difference {
                let (first, other) = (files[0].name.clone(), file.name.clone());
                return Err(DataError::Mismatch { first, other, difference });
            }
        }
        // There is a file: `find` refuses to return none.
        let (_, mut schema) = opened.ok_or_else(|| DataError::Option("no data".to_owned()))?;
        partitions.leave_out(&schema);
        schema.append(partitions.schema(options)?);
        Ok(Dataset { partitions, ..Dataset::new(tables, schema, options, unit_bytes) })
    }
}

fn open_table(
    file: &InputFile,
    format: Format,
    options: &ReadOptions,
    head: Head,
) -> Result<(Box<dyn Table>, Schema), DataError> {
    fn boxed<T: FileTable + 'static>(file: &InputFile, (table, schema): (T, Schema)) -> (Box<dyn Table>, Schema) {
        (Box::new(OfFile { file: file.clone(), table }), schema)
    }
    match format {
        Format::Csv => {
            delimited::Delimited::open(file, options.delimiter, options, head).map(|found| boxed(file, found))
        }
        Format::Tsv => delimited::Delimited::open(file, options.delimiter.or(Some(b'\t')), options, head)
            .map(|found| boxed(file, found)),
        Format::NdJson => json::JsonLines::open(file, options, head).map(|found| boxed(file, found)),
        Format::Parquet => parquet::ParquetFile::open(file).map(|found| boxed(file, found)),
        Format::ArrowFile => ipc::ArrowFile::open(file).map(|found| boxed(file, found)),
        Format::ArrowStream => ipc::ArrowStream::open(file).map(|found| boxed(file, found)),
    }
}
