//! Tables as CSV, TSV, lines of JSON or Parquet.

use std::collections::HashSet;
use std::io::{self, Write};
use std::path::Path;
use std::sync::Arc;

use arrow_array::{ArrayRef, Date32Array, Float64Array, RecordBatch, StringArray, TimestampMicrosecondArray};
use arrow_schema::{DataType, Field, Schema, SchemaRef, TimeUnit};
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, ZstdLevel};
use parquet::file::properties::WriterProperties;

use super::atomic::AtomicFile;
use crate::error::DataError;
use crate::frame::Kind;
use crate::read::{kinds, number, time};

/// Some rows of a column to be written.
#[derive(Debug, Clone, Copy)]
pub enum TableColumn<'a> {
    /// Numbers; NaN stands for a missing value.
    Number(&'a [f64]),
    /// A column as it was read: numbers with what their doubles leave out of them, so that long integers keep their digits, and
    /// dates and times are written as such.
    Read {
        /// The doubles; NaN stands for a missing value.
        high: &'a [f64],
        /// What they leave out, where that is known.
        low: Option<&'a [f64]>,
    },
    /// Texts.
    Text(&'a [Option<&'a str>]),
}

impl TableColumn<'_> {
    fn len(&self) -> usize {
        match self {
            TableColumn::Number(values) | TableColumn::Read { high: values, .. } => values.len(),
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
    Lines { out: Box<dyn Finish>, names: Vec<String> },
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
    Lines,
    Parquet,
}

impl Ending {
    fn of(path: &Path) -> Result<Self, DataError> {
        match path.extension().and_then(|extension| extension.to_str()) {
            Some("csv") => Ok(Ending::Csv),
            Some("tsv") => Ok(Ending::Tsv),
            Some("ndjson" | "jsonl") => Ok(Ending::Lines),
            Some("parquet") => Ok(Ending::Parquet),
            _ => {
                let shown = path.display();
                Err(DataError::Option(format!(
                    "cannot write {shown}: name a file that ends in .csv, .tsv, .ndjson or .parquet"
                )))
            }
        }
    }
}

impl TableWriter {
    /// A table in a file, which takes its name when it is [finished](TableWriter::finish). The format follows from the
    /// name: `.csv`, `.tsv`, `.ndjson` (or `.jsonl`) or `.parquet`. Columns are texts, true and false among them, numbers, dates or times.
    ///
    /// # Errors
    /// A name that ends otherwise; two columns of one name, which could not be read back; a file that cannot be created.
    pub fn create(path: &Path, columns: &[(&str, Kind)]) -> Result<TableWriter, DataError> {
        refuse_duplicates(path, columns)?;
        let sink = match Ending::of(path)? {
            Ending::Csv => Sink::Text { out: Box::new(AtomicFile::create(path)?), delimiter: b',' },
            Ending::Tsv => Sink::Text { out: Box::new(AtomicFile::create(path)?), delimiter: b'\t' },
            Ending::Lines => Sink::Lines { out: Box::new(AtomicFile::create(path)?), names: names_of(columns) },
            Ending::Parquet => parquet_sink(path, columns)?,
        };
        TableWriter::begin(sink, path, columns)
    }

    /// Whether a table can have this name.
    ///
    /// # Errors
    /// A name that ends otherwise.
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

    /// The same as an object of JSON a row.
    ///
    /// # Errors
    /// As [`TableWriter::to_stream`].
    pub fn lines_to_stream(
        stream: impl Write + Send + 'static,
        columns: &[(&str, Kind)],
    ) -> Result<TableWriter, DataError> {
        let path = Path::new("standard output");
        refuse_duplicates(path, columns)?;
        TableWriter::begin(Sink::Lines { out: Box::new(Stream(stream)), names: names_of(columns) }, path, columns)
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
            Sink::Text { out, delimiter } => write_text(out, &self.kinds, columns, rows, *delimiter),
            Sink::Lines { out, names } => write_lines(out, &self.kinds, names, columns, rows),
            Sink::Parquet { writer, schema } => {
                let arrays =
                    columns.iter().zip(schema.fields()).map(|(column, field)| array(&self.path, field, column));
                write_parquet(writer, Arc::clone(schema), arrays.collect::<Result<_, _>>()?)
            }
        };
        written.map_err(|source| DataError::Write { path: self.path.clone(), source })
    }

    /// Completes the table and gives the file its name. A table that is dropped instead leaves no file.
    ///
    /// # Errors
    /// A full disk.
    pub fn finish(self) -> Result<(), DataError> {
        match self.sink {
            Sink::Text { out, .. } | Sink::Lines { out, .. } => out.finish(),
            Sink::Parquet { writer, .. } => {
                let path = self.path;
                writer.into_inner().map_err(|error| DataError::Write { path, source: io_error(error) })?.finish()
            }
        }
    }
}

/// Refuses two columns of one name, which could not be read back.
fn refuse_duplicates(path: &Path, columns: &[(&str, Kind)]) -> Result<(), DataError> {
    let mut seen = HashSet::new();
    match columns.iter().find(|(name, _)| !seen.insert(*name)) {
        None => Ok(()),
        Some((name, _)) => {
            let shown = path.display();
            Err(DataError::Option(format!("cannot write {shown}: two of its columns would be named `{name}`")))
        }
    }
}

/// The names of columns as JSON has them.
fn names_of(columns: &[(&str, Kind)]) -> Vec<String> {
    columns.iter().map(|(name, _)| serde_json::Value::from(*name).to_string()).collect()
}

/// An object a row; what is missing, and what JSON has no number for, is null.
fn write_lines(
    out: &mut impl Write,
    kinds: &[Kind],
    names: &[String],
    columns: &[TableColumn<'_>],
    rows: usize,
) -> io::Result<()> {
    let (mut text, mut digits) = (Vec::new(), zmij::Buffer::new());
    for row in 0..rows {
        text.push(b'{');
        for (position, ((column, &kind), name)) in columns.iter().zip(kinds).zip(names).enumerate() {
            separate(&mut text, position, b',');
            text.extend_from_slice(name.as_bytes());
            text.push(b':');
            match column {
                TableColumn::Number(values) | TableColumn::Read { high: values, .. } if !values[row].is_finite() => {
                    text.extend_from_slice(b"null");
                }
                TableColumn::Number(values) => push_number(&mut text, &mut digits, values[row]),
                TableColumn::Read { high, low } => match time::iso(kind, high[row]) {
                    Some(time) => text.extend_from_slice(serde_json::Value::from(time).to_string().as_bytes()),
                    None => push_read(&mut text, &mut digits, high[row], low.map_or(0.0, |low| low[row])),
                },
                TableColumn::Text(values) => match values[row] {
                    Some(value) => text.extend_from_slice(serde_json::Value::from(value).to_string().as_bytes()),
                    None => text.extend_from_slice(b"null"),
                },
            }
        }
        text.extend_from_slice(b"}\n");
        if text.len() > 1 << 16 {
            out.write_all(&text)?;
            text.clear();
        }
    }
    out.write_all(&text)
}

fn write_text(
    out: &mut impl Write,
    kinds: &[Kind],
    columns: &[TableColumn<'_>],
    rows: usize,
    delimiter: u8,
) -> io::Result<()> {
    let (mut text, mut digits) = (Vec::new(), zmij::Buffer::new());
    for row in 0..rows {
        let begin = text.len();
        for (position, (column, &kind)) in columns.iter().zip(kinds).enumerate() {
            separate(&mut text, position, delimiter);
            match column {
                TableColumn::Number(values) => push_number(&mut text, &mut digits, values[row]),
                TableColumn::Read { high, .. } if high[row].is_nan() => {}
                TableColumn::Read { high, low } => match time::iso(kind, high[row]) {
                    Some(time) => text.extend_from_slice(time.as_bytes()),
                    None => push_read(&mut text, &mut digits, high[row], low.map_or(0.0, |low| low[row])),
                },
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

/// The shortest decimal that reads back to a double.
fn push_number(text: &mut Vec<u8>, digits: &mut zmij::Buffer, value: f64) {
    let shown = match value {
        _ if value.is_nan() => "",
        f64::INFINITY => "inf",
        f64::NEG_INFINITY => "-inf",
        _ => digits.format_finite(value),
    };
    text.extend_from_slice(shown.strip_suffix(".0").unwrap_or(shown).as_bytes());
}

/// What was read: a long integer, which may be a key, with all its digits, another number as the shortest decimal.
fn push_read(text: &mut Vec<u8>, digits: &mut zmij::Buffer, high: f64, low: f64) {
    match number::to_integer(high, low).filter(|_| number::may_be_key(high, low)) {
        Some(integer) => text.extend_from_slice(integer.to_string().as_bytes()),
        None => push_number(text, digits, high),
    }
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
        let data_type = match kind {
            Kind::Number => DataType::Float64,
            Kind::Date => DataType::Date32,
            Kind::Timestamp => DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())),
            Kind::Boolean | Kind::Text => DataType::Utf8,
        };
        Field::new(*name, data_type, true)
    };
    let schema: SchemaRef = Arc::new(Schema::new(columns.iter().map(field).collect::<Vec<_>>()));
    let compression = Compression::ZSTD(ZstdLevel::default());
    let properties = WriterProperties::builder().set_compression(compression).build();
    let writer = ArrowWriter::try_new(AtomicFile::create(path)?, Arc::clone(&schema), Some(properties));
    let writer = writer.map_err(|error| DataError::Write { path: path.to_owned(), source: io_error(error) })?;
    Ok(Sink::Parquet { writer: Box::new(writer), schema })
}

/// Rows of a column as the array of its field.
fn array(path: &Path, field: &Field, column: &TableColumn<'_>) -> Result<ArrayRef, DataError> {
    let (high, low) = match *column {
        TableColumn::Text(values) => return Ok(Arc::new(values.iter().copied().collect::<StringArray>())),
        TableColumn::Number(values) => (values, None),
        TableColumn::Read { high, low } => (high, low),
    };
    let refused = |value: String, why: &str| {
        let (shown, name) = (path.display(), field.name());
        let instead = "write a .csv file instead";
        Err(DataError::Option(format!("cannot write {shown}: column `{name}` holds {value}, {why}; {instead}")))
    };
    let present = |value: f64| (!value.is_nan()).then_some(value);
    let array: ArrayRef = match field.data_type() {
        DataType::Date32 => {
            if let Some(&value) = high.iter().find(|value| !value.is_nan() && value.fract() != 0.0) {
                return refused(time::iso(Kind::Date, value).unwrap_or_default(), "a time of day among dates");
            }
            Arc::new(high.iter().map(|&value| present(value).map(|days| days as i32)).collect::<Date32Array>())
        }
        DataType::Timestamp(..) => {
            // A double tells times of our century to the microsecond.
            let microseconds = |&value: &f64| present(value).map(|seconds| (seconds * 1e6).round() as i64);
            Arc::new(high.iter().map(microseconds).collect::<TimestampMicrosecondArray>().with_timezone("UTC"))
        }
        _ => {
            let words = high.iter().zip(low.unwrap_or_default());
            let long = words.map(|(&high, &low)| (high, low)).find(|&(high, low)| number::is_long_integer(high, low));
            if let Some(integer) = long.and_then(|(high, low)| number::to_integer(high, low)) {
                return refused(integer.to_string(), "an integer that no double is");
            }
            Arc::new(high.iter().map(|&value| present(value)).collect::<Float64Array>())
        }
    };
    Ok(array)
}

fn write_parquet(writer: &mut ArrowWriter<AtomicFile>, schema: SchemaRef, arrays: Vec<ArrayRef>) -> io::Result<()> {
    let batch = RecordBatch::try_new(schema, arrays).map_err(io::Error::other)?;
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

    fn read(high: &[f64]) -> TableColumn<'_> {
        TableColumn::Read { high, low: None }
    }

    /// 2^62 + 7, the 19,783rd day, and a microsecond of it.
    #[test]
    fn what_was_read_is_written_as_it_was() {
        let folder = tempfile::tempdir().unwrap();
        let columns = [("k", Kind::Number), ("day", Kind::Date), ("time", Kind::Timestamp)];
        let (k, day, time) = ([4611686018427387904.0, 0.5], [19_783.0, f64::NAN], [1_709_296_496.123_457, f64::NAN]);
        let k = TableColumn::Read { high: &k, low: Some(&[7.0, 0.0]) };
        let path = folder.path().join("out.csv");
        let mut table = TableWriter::create(&path, &columns).unwrap();
        table.write(&[k, read(&day), read(&time)]).unwrap();
        table.finish().unwrap();
        let expected = "k,day,time\n4611686018427387911,2024-03-01,2024-03-01T12:34:56.123457Z\n0.5,,\n";
        assert_eq!(std::fs::read_to_string(&path).unwrap(), expected);

        let path = folder.path().join("out.parquet");
        let mut table = TableWriter::create(&path, &columns).unwrap();
        let message = table.write(&[k, read(&day), read(&time)]).unwrap_err().to_string();
        let long = "column `k` holds 4611686018427387911, an integer that no double is; write a .csv file instead";
        assert!(message.ends_with(long), "{message}");
        let mut table = TableWriter::create(&path, &columns[1..]).unwrap();
        let message = table.write(&[read(&[19_783.5, 0.0]), read(&time)]).unwrap_err().to_string();
        assert!(message.contains("column `day` holds 2024-03-01T12:00:00, a time of day among dates"), "{message}");
        table.write(&[read(&day), read(&time)]).unwrap();
        table.finish().unwrap();
        let data = Dataset::open(&[path.display().to_string()], &ReadOptions::default()).unwrap();
        assert_eq!(data.fields().iter().map(|field| field.kind).collect::<Vec<_>>(), [Kind::Date, Kind::Timestamp]);
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
    fn a_row_is_an_object_of_json() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("out.ndjson");
        let columns = [("a \"b\"", Kind::Text), ("x", Kind::Number), ("day", Kind::Date)];
        let mut table = TableWriter::create(&path, &columns).unwrap();
        let texts = [Some("é\n,"), None];
        table
            .write(&[TableColumn::Text(&texts), TableColumn::Number(&[0.1, f64::NAN]), read(&[19_783.0, f64::NAN])])
            .unwrap();
        table.finish().unwrap();
        let expected = "{\"a \\\"b\\\"\":\"é\\n,\",\"x\":0.1,\"day\":\"2024-03-01\"}\n{\"a \\\"b\\\"\":null,\"x\":null,\"day\":null}\n";
        assert_eq!(std::fs::read_to_string(&path).unwrap(), expected);
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
        assert!(message.ends_with("out.xlsx: name a file that ends in .csv, .tsv, .ndjson or .parquet"), "{message}");
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
        let full = std::fs::File::options().write(true).open("/dev/full").unwrap();
        let table = TableWriter::to_stream(full, &[("x", Kind::Number)]);
        let message = table.unwrap_err().to_string();
        assert!(message.starts_with("cannot write standard output: No space left on device"), "{message}");
    }
}
