//! Tables as CSV, TSV or Parquet.

use std::io::{self, Write};
use std::path::Path;
use std::sync::Arc;

use arrow_array::{ArrayRef, Float64Array, RecordBatch, StringArray};
use arrow_schema::{DataType, Field, Schema, SchemaRef};
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, ZstdLevel};
use parquet::file::properties::WriterProperties;

use super::atomic::AtomicFile;
use crate::error::DataError;
use crate::frame::Kind;
use crate::read::kinds;

/// Some rows of a column to be written.
#[derive(Debug, Clone, Copy)]
pub enum TableColumn<'a> {
    /// Numbers; NaN stands for a missing value.
    Number(&'a [f64]),
    /// Texts.
    Text(&'a [Option<&'a str>]),
}

impl TableColumn<'_> {
    fn len(&self) -> usize {
        match self {
            TableColumn::Number(values) => values.len(),
            TableColumn::Text(values) => values.len(),
        }
    }

    fn is_category(&self) -> bool {
        matches!(self, TableColumn::Text(_))
    }
}

/// Writes a table batch by batch. Numbers are written so that they read back to the same double, missing values as nothing.
///
/// ```
/// use noisefit_data::frame::Kind;
/// use noisefit_data::write::{TableColumn, TableWriter};
/// let folder = tempfile::tempdir()?;
/// let path = folder.path().join("out.csv");
/// let mut table = TableWriter::create(&path, &[("city", Kind::Text), ("fitted", Kind::Number)])?;
/// table.write(&[TableColumn::Text(&[Some("Paris"), None]), TableColumn::Number(&[0.1, 2.0])])?;
/// table.finish()?;
/// assert_eq!(std::fs::read_to_string(&path)?, "city,fitted\nParis,0.1\n,2\n");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct TableWriter {
    kinds: Vec<Kind>,
    sink: Sink,
    path: std::path::PathBuf,
}

enum Sink {
    Text { out: Box<dyn Finish>, delimiter: u8 },
    Parquet { writer: Box<ArrowWriter<AtomicFile>>, schema: SchemaRef },
}

/// Something to write to that knows what to do at the end.
trait Finish: Write + Send {
    fn finish(self: Box<Self>) -> Result<(), DataError>;
}

impl Finish for AtomicFile {
    fn finish(self: Box<Self>) -> Result<(), DataError> {
        AtomicFile::finish(*self)
    }
}

/// A stream that is somebody else's to close.
struct Stream<W>(W);

impl<W: Write> Write for Stream<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

impl<W: Write + Send> Finish for Stream<W> {
    fn finish(mut self: Box<Self>) -> Result<(), DataError> {
        self.flush().map_err(|source| DataError::Write { path: "standard output".into(), source })
    }
}

impl std::fmt::Debug for TableWriter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TableWriter").field("path", &self.path).field("kinds", &self.kinds).finish_non_exhaustive()
    }
}

/// The format of a table, which its name says.
enum Ending {
    Csv,
    Tsv,
    Parquet,
}

impl Ending {
    fn of(path: &Path) -> Result<Self, DataError> {
        match path.extension().and_then(|extension| extension.to_str()) {
            Some("csv") => Ok(Ending::Csv),
            Some("tsv") => Ok(Ending::Tsv),
            Some("parquet") => Ok(Ending::Parquet),
            _ => {
                let shown = path.display();
                Err(DataError::Option(format!("cannot write {shown}: name a file that ends in .csv, .tsv or .parquet")))
            }
        }
    }
}

impl TableWriter {
    /// A table in a file, which takes its name when it is [finished](TableWriter::finish). The format follows from the
    /// name: `.csv`, `.tsv` or `.parquet`. Columns are texts, true and false among them, or numbers of any kind.
    ///
    /// # Errors
    /// A name that ends otherwise; two columns of one name, which could not be read back; a file that cannot be created.
    pub fn create(path: &Path, columns: &[(&str, Kind)]) -> Result<TableWriter, DataError> {
        refuse_duplicates(path, columns)?;
        let sink = match Ending::of(path)? {
            Ending::Csv => Sink::Text { out: Box::new(AtomicFile::create(path)?), delimiter: b',' },
            Ending::Tsv => Sink::Text { out: Box::new(AtomicFile::create(path)?), delimiter: b'\t' },
            Ending::Parquet => parquet_sink(path, columns)?,
        };
        TableWriter::begin(sink, path, columns)
    }

    /// Whether a table can have this name.
    ///
    /// # Errors
    /// A name that ends otherwise than `.csv`, `.tsv` or `.parquet`.
    pub fn check_name(path: &Path) -> Result<(), DataError> {
        Ending::of(path).map(drop)
    }

    /// A table in CSV to a stream such as standard output.
    ///
    /// # Errors
    /// Two columns of one name; the stream cannot be written to.
    pub fn to_stream(stream: impl Write + Send + 'static, columns: &[(&str, Kind)]) -> Result<TableWriter, DataError> {
        let path = Path::new("standard output");
        refuse_duplicates(path, columns)?;
        let sink = Sink::Text { out: Box::new(Stream(stream)), delimiter: b',' };
        TableWriter::begin(sink, path, columns)
    }

    fn begin(mut sink: Sink, path: &Path, columns: &[(&str, Kind)]) -> Result<TableWriter, DataError> {
        if let Sink::Text { out, delimiter } = &mut sink {
            let mut header = Vec::new();
            for (position, (name, _)) in columns.iter().enumerate() {
                separate(&mut header, position, *delimiter);
                push_text(&mut header, name, *delimiter);
            }
            header.push(b'\n');
            out.write_all(&header).map_err(|source| DataError::Write { path: path.to_owned(), source })?;
        }
        let kinds = columns.iter().map(|(_, kind)| *kind).collect();
        Ok(TableWriter { kinds, sink, path: path.to_owned() })
    }

    /// Appends rows: one column for each of those the table was created with, all of one length.
    ///
    /// # Errors
    /// Columns that do not go with the table's; a full disk.
    pub fn write(&mut self, columns: &[TableColumn<'_>]) -> Result<(), DataError> {
        let rows = columns.first().map_or(0, TableColumn::len);
        let fits = |(column, kind): (&TableColumn<'_>, &Kind)| {
            column.len() == rows && column.is_category() == kind.is_category()
        };
        if columns.len() != self.kinds.len() || !columns.iter().zip(&self.kinds).all(fits) {
            let shown = self.path.display();
            return Err(DataError::Option(format!("the rows for {shown} do not have the table's columns")));
        }
        let written = match &mut self.sink {
            Sink::Text { out, delimiter } => write_text(out, columns, rows, *delimiter),
            Sink::Parquet { writer, schema } => write_parquet(writer, Arc::clone(schema), columns),
        };
        written.map_err(|source| DataError::Write { path: self.path.clone(), source })
    }

    /// Completes the table and gives the file its name. A table that is dropped instead leaves no file.
    ///
    /// # Errors
    /// A full disk.
    pub fn finish(self) -> Result<(), DataError> {
        match self.sink {
            Sink::Text { out, .. } => out.finish(),
            Sink::Parquet { writer, .. } => {
                let path = self.path;
                writer.into_inner().map_err(|error| DataError::Write { path, source: io_error(error) })?.finish()
            }
        }
    }
}

fn refuse_duplicates(path: &Path, columns: &[(&str, Kind)]) -> Result<(), DataError> {
    let twice =
        columns.iter().enumerate().find(|(place, (name, _))| columns[..*place].iter().any(|(other, _)| other == name));
    match twice.map(|(_, (name, _))| name) {
        None => Ok(()),
        Some(name) => {
            let shown = path.display();
            Err(DataError::Option(format!("cannot write {shown}: two of its columns would be named `{name}`")))
        }
    }
}

fn write_text(out: &mut impl Write, columns: &[TableColumn<'_>], rows: usize, delimiter: u8) -> io::Result<()> {
    let (mut text, mut digits) = (Vec::new(), zmij::Buffer::new());
    for row in 0..rows {
        let begin = text.len();
        for (position, column) in columns.iter().enumerate() {
            separate(&mut text, position, delimiter);
            match column {
                TableColumn::Number(values) if values[row].is_nan() => {}
                TableColumn::Number(values) if values[row].is_infinite() => {
                    text.extend(if values[row] > 0.0 { "inf".bytes() } else { "-inf".bytes() });
                }
                TableColumn::Number(values) => {
                    let shown = digits.format_finite(values[row]);
                    text.extend_from_slice(shown.strip_suffix(".0").unwrap_or(shown).as_bytes());
                }
                TableColumn::Text(values) => push_text(&mut text, values[row].unwrap_or(""), delimiter),
            }
        }
        if text.len() == begin {
            // A blank line would not be read as a record.
            text.extend_from_slice(b"\"\"");
        }
        text.push(b'\n');
        if text.len() > 1 << 16 {
            out.write_all(&text)?;
            text.clear();
        }
    }
    out.write_all(&text)
}

fn separate(text: &mut Vec<u8>, position: usize, delimiter: u8) {
    if position > 0 {
        text.push(delimiter);
    }
}

/// In quotes if it would read back as something else without them.
fn push_text(text: &mut Vec<u8>, value: &str, delimiter: u8) {
    let special = |byte: u8| matches!(byte, b'"' | b'\n' | b'\r') || byte == delimiter;
    // A word that means nothing at all outside quotes is a name within them.
    if value.trim_ascii().len() == value.len() && !value.bytes().any(special) && !kinds::MISSING_WORDS.contains(&value)
    {
        text.extend_from_slice(value.as_bytes());
        return;
    }
    text.push(b'"');
    for byte in value.bytes() {
        text.push(byte);
        if byte == b'"' {
            text.push(b'"');
        }
    }
    text.push(b'"');
}

fn parquet_sink(path: &Path, columns: &[(&str, Kind)]) -> Result<Sink, DataError> {
    let field = |(name, kind): &(&str, Kind)| {
        let data_type = if kind.is_category() { DataType::Utf8 } else { DataType::Float64 };
        Field::new(*name, data_type, true)
    };
    let schema: SchemaRef = Arc::new(Schema::new(columns.iter().map(field).collect::<Vec<_>>()));
    let compression = Compression::ZSTD(ZstdLevel::default());
    let properties = WriterProperties::builder().set_compression(compression).build();
    let writer = ArrowWriter::try_new(AtomicFile::create(path)?, Arc::clone(&schema), Some(properties));
    let writer = writer.map_err(|error| DataError::Write { path: path.to_owned(), source: io_error(error) })?;
    Ok(Sink::Parquet { writer: Box::new(writer), schema })
}

fn write_parquet(
    writer: &mut ArrowWriter<AtomicFile>,
    schema: SchemaRef,
    columns: &[TableColumn<'_>],
) -> io::Result<()> {
    let array = |column: &TableColumn<'_>| -> ArrayRef {
        match column {
            TableColumn::Number(values) => {
                Arc::new(values.iter().map(|value| (!value.is_nan()).then_some(*value)).collect::<Float64Array>())
            }
            TableColumn::Text(values) => Arc::new(values.iter().copied().collect::<StringArray>()),
        }
    };
    let batch = RecordBatch::try_new(schema, columns.iter().map(array).collect()).map_err(io::Error::other)?;
    writer.write(&batch).map_err(io_error)
}

/// The system's own error, where there is one.
fn io_error(error: parquet::errors::ParquetError) -> io::Error {
    match error {
        parquet::errors::ParquetError::External(source) => match source.downcast::<io::Error>() {
            Ok(source) => *source,
            Err(source) => io::Error::other(source),
        },
        other => io::Error::other(other),
    }
}

#[cfg(test)]
mod tests {
    use std::fs::File;

    use super::*;
    use crate::frame::Column;
    use crate::read::{Dataset, Decimals, ReadOptions};

    const NUMBERS: [f64; 6] = [0.1, -1e300, 5e-324, 17.0, f64::NAN, f64::INFINITY];
    const TEXTS: [Option<&str>; 6] =
        [Some("a,b"), Some("say \"hi\""), Some(" x "), None, Some("two\nlines"), Some("a\tb")];

    #[test]
    fn tables_read_back_bit_for_bit() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["out.csv", "out.tsv", "out.parquet"] {
            let path = folder.path().join(name);
            let mut table = TableWriter::create(&path, &[("a number", Kind::Number), ("text", Kind::Text)]).unwrap();
            table.write(&[TableColumn::Number(&NUMBERS[..2]), TableColumn::Text(&TEXTS[..2])]).unwrap();
            assert!(!path.exists(), "{name} has its name before it is complete");
            table.write(&[TableColumn::Number(&NUMBERS[2..]), TableColumn::Text(&TEXTS[2..])]).unwrap();
            table.finish().unwrap();

            let data = Dataset::open(&[path.display().to_string()], &ReadOptions::default()).unwrap();
            assert_eq!(data.fields()[0].name, "a number");
            let (mut numbers, mut texts) = (Vec::new(), Vec::new());
            let frames = |frames: &mut crate::read::Frames<'_>| frames.collect::<Result<Vec<_>, _>>();
            data.scan(&[0, 1], Decimals::Double, &(), frames, |_, frames| {
                for frame in frames {
                    if let [Column::Number { high, .. }, Column::Category { codes, levels }] = &frame.columns[..] {
                        numbers.extend(high.iter().map(|value| value.to_bits()));
                        texts.extend(codes.iter().map(|&code| levels.get(code as usize).cloned()));
                    }
                }
                Ok(())
            })
            .unwrap();
            assert_eq!(numbers, NUMBERS.map(f64::to_bits), "{name}");
            assert_eq!(texts, TEXTS.map(|text| text.map(str::to_owned)), "{name}");
        }
    }

    #[test]
    fn a_table_of_one_column_keeps_its_missing_values() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("out.csv");
        let mut table = TableWriter::create(&path, &[("x", Kind::Number)]).unwrap();
        table.write(&[TableColumn::Number(&[1.0, f64::NAN, 1e22])]).unwrap();
        table.finish().unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "x\n1\n\"\"\n1e+22\n");
    }

    #[test]
    fn a_dropped_table_leaves_no_file() {
        let folder = tempfile::tempdir().unwrap();
        let mut table = TableWriter::create(&folder.path().join("out.parquet"), &[("x", Kind::Number)]).unwrap();
        table.write(&[TableColumn::Number(&[1.0])]).unwrap();
        drop(table);
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    }

    #[test]
    fn wrong_uses_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let message = TableWriter::create(&folder.path().join("out.xlsx"), &[]).unwrap_err().to_string();
        assert!(message.ends_with("out.xlsx: name a file that ends in .csv, .tsv or .parquet"), "{message}");
        let mut table = TableWriter::create(&folder.path().join("out.csv"), &[("x", Kind::Number)]).unwrap();
        let message = table.write(&[TableColumn::Text(&[None])]).unwrap_err().to_string();
        assert!(message.ends_with("out.csv do not have the table's columns"), "{message}");
    }

    #[test]
    fn no_name_is_written_twice() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("out.parquet");
        let message = TableWriter::create(&path, &[("x", Kind::Number), ("x", Kind::Text)]).unwrap_err().to_string();
        assert!(message.ends_with("out.parquet: two of its columns would be named `x`"), "{message}");
        assert!(!path.exists());
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_full_disk_is_named() {
        let full = File::options().write(true).open("/dev/full").unwrap();
        let table = TableWriter::to_stream(full, &[("x", Kind::Number)]);
        let message = table.unwrap_err().to_string();
        assert!(message.starts_with("cannot write standard output: No space left on device"), "{message}");
    }
}
