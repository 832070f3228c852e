//! Text with a delimiter between fields: CSV, TSV and their relatives.

use memchr::memchr;

use super::columns::{Builder, Refusal};
use super::fields::{End, Fields, TextAfterQuote};
use super::file::InputFile;
use super::kinds::Tally;
use super::of_file::{FileTable, Head};
use super::options::ReadOptions;
use super::pieces::{Piece, lines};
use super::table::{FrameIterator, Query, Schema, Units};
use super::text::{self, LineEnds, RecordSize, Sample};
use crate::error::{DataError, Location};
use crate::frame::Frame;

/// How one file is to be read.
#[derive(Debug)]
pub(crate) struct Delimited {
    delimiter: u8,
    names: Vec<String>,
    /// The bytes before the first record.
    header: usize,
    ends: LineEnds,
    record_size: RecordSize,
}

/// The delimiters that are looked for. Of two that fit equally well the first is taken: the rarer a character is in the
/// fields of other files, the more it says (a comma may be a decimal comma).
const DELIMITERS: [u8; 4] = [b'\t', b'|', b';', b','];

/// Records that a delimiter is tried on.
const TRIED_RECORDS: usize = 1000;

impl Delimited {
    /// Reads the header and tells the kinds of the columns from a sample.
    pub fn open(
        file: &InputFile,
        delimiter: Option<u8>,
        options: &ReadOptions,
        head: Head,
    ) -> Result<(Delimited, Schema), DataError> {
        let sample = Sample::of(file)?;
        let mark = sample.byte_order_mark();
        let body = &sample.bytes[mark..];
        let delimiter = delimiter.unwrap_or_else(|| sniff(body, sample.whole));
        let mut fields = Fields::new(body, delimiter, true);
        let (names, header) = match options.header {
            true => (header(file, &mut fields)?, mark + fields.position()),
            false => ((1..=width(&mut fields.clone())).map(|number| format!("V{number}")).collect(), mark),
        };
        let mut schema = Schema::default();
        let tallies = tallies(&mut fields, names.len(), sample.whole, head, options);
        for (name, tally) in names.iter().zip(&tallies) {
            schema.push_guess(name.clone(), tally, options, Some(delimiter));
        }
        schema.goes_on = options.met.is_none() && (!sample.whole || body.len() > head.bytes());
        let record_size = sample.records(header);
        Ok((Delimited { delimiter, names, header, ends: sample.ends, record_size }, schema))
    }

    fn read(&self, file: &InputFile, piece: &Piece, query: &Query<'_>) -> Result<Frame, DataError> {
        let mut columns = Columns::new(piece, self.names.len(), query);
        let rows = columns.read(self.delimiter, query).map_err(|fault| self.explain(file, piece, query, fault))?;
        Ok(Frame { file: 0, first_record: 0, rows, columns: columns.finish(query) })
    }

    fn explain(&self, file: &InputFile, piece: &Piece, query: &Query<'_>, fault: Fault) -> DataError {
        let Fault { position, record, what } = fault;
        let before = piece.bytes.get(..position).unwrap_or(&piece.bytes);
        let line = piece.first_line + lines(before);
        let at = |column: Option<usize>| Location {
            file: file.name.clone(),
            line: Some(line),
            record: Some(record as u64 + 1),
            column: column.and_then(|column| self.names.get(column).cloned()),
        };
        match what {
            Wrong::Count(found) => {
                DataError::Ragged { at: at(None), expected: self.names.len(), found, delimiter: self.delimiter }
            }
            Wrong::Quote => DataError::Invalid {
                at: at(None),
                what:
                    "there is text after the quote that closes a field; a quote within a quoted field must be doubled"
                        .into(),
            },
            Wrong::Value(column, Refusal::NotUtf8) => DataError::NotUtf8 { at: at(Some(column)) },
            Wrong::Value(column, Refusal::Kind) => {
                let field = Fields::new(&piece.bytes[position..], self.delimiter, piece.quoted).next_field();
                let value = field.map(|(text, _)| String::from_utf8_lossy(&text).into_owned()).unwrap_or_default();
                query.refuse(column, at(Some(column)), value)
            }
        }
    }
}

impl FileTable for Delimited {
    fn units<'a>(&'a self, file: &'a InputFile, query: &'a Query<'a>) -> Result<Units<'a>, DataError> {
        let read =
            move |piece: Piece| -> FrameIterator<'a> { Box::new(std::iter::once(self.read(file, &piece, query))) };
        text::units(file, self.header, query.unit_bytes, Some(self.delimiter), self.ends, read)
    }

    fn rows_hint(&self, file: &InputFile) -> Option<u64> {
        self.record_size.records_of(file)
    }
}

/// What is wrong with a record, and where.
struct Fault {
    /// The byte of the piece.
    position: usize,
    /// The record of the piece, from 0.
    record: usize,
    what: Wrong,
}

enum Wrong {
    /// The number of fields.
    Count(usize),
    Quote,
    /// The value of a column.
    Value(usize, Refusal),
}

/// The columns of a piece while they are read.
struct Columns<'p> {
    piece: &'p Piece,
    width: usize,
    /// In the order of the file: the position of a column in the file, and in the frame.
    wanted: Vec<(usize, usize)>,
    builders: Vec<Builder<'p>>,
}

impl<'p> Columns<'p> {
    fn new(piece: &'p Piece, width: usize, query: &Query<'p>) -> Self {
        let mut wanted: Vec<(usize, usize)> =
            query.columns.iter().enumerate().map(|(slot, wanted)| (wanted.field, slot)).collect();
        wanted.sort_unstable();
        // As many records as there would be if all were as long as the first; a field takes a byte and a delimiter.
        let first = memchr(b'\n', &piece.bytes).unwrap_or(piece.bytes.len());
        let rows = piece.bytes.len() / first.max(2 * width).max(1) + 1;
        let builder = |&(_, slot): &(usize, usize)| Builder::new(&query.columns[slot], query, rows);
        let builders = wanted.iter().map(builder).collect();
        Columns { piece, width, wanted, builders }
    }

    /// Reads all records; how many.
    fn read(&mut self, delimiter: u8, query: &Query<'_>) -> Result<usize, Fault> {
        let mut fields = Fields::new(&self.piece.bytes, delimiter, self.piece.quoted);
        let mut record = 0;
        while fields.next_record() {
            let start = fields.position();
            let fault = |what| Fault { position: start, record, what };
            let skip = |fields: &mut Fields<'p>| fields.skip_field().map_err(|TextAfterQuote| fault(Wrong::Quote));
            let (mut column, mut end) = (0, End::Field);
            for (&(source, _), builder) in self.wanted.iter().zip(&mut self.builders) {
                while column < source && end == End::Field {
                    end = skip(&mut fields)?;
                    column += 1;
                }
                if end == End::Record {
                    return Err(fault(Wrong::Count(column)));
                }
                let position = fields.position();
                let refused = |refusal| Fault { position, record, what: Wrong::Value(source, refusal) };
                if let Some(numbers) = builder.plain_numbers()
                    && let Some((value, text, next)) = fields.next_number()
                {
                    if numbers.refuses(text) && !query.missing.contains(text) {
                        return Err(refused(Refusal::Kind));
                    }
                    numbers.push_plain(value, text, query.missing);
                    end = next;
                } else {
                    let (text, next) = fields.next_field().map_err(|TextAfterQuote| fault(Wrong::Quote))?;
                    let pushed = match fields.was_quoted() {
                        true => builder.push_quoted(text, query.missing),
                        false => builder.push_text(text, query.missing),
                    };
                    pushed.map_err(refused)?;
                    end = next;
                }
                column += 1;
            }
            while end == End::Field {
                end = skip(&mut fields)?;
                column += 1;
            }
            if column != self.width {
                return Err(fault(Wrong::Count(column)));
            }
            record += 1;
        }
        Ok(record)
    }

    /// The columns in the order of the query.
    fn finish(self, query: &Query<'_>) -> Vec<crate::frame::Column> {
        let mut columns: Vec<_> =
            self.wanted.iter().map(|(_, slot)| *slot).zip(self.builders.into_iter().map(Builder::finish)).collect();
        columns.sort_unstable_by_key(|(slot, _)| *slot);
        debug_assert_eq!(columns.len(), query.columns.len());
        columns.into_iter().map(|(_, column)| column).collect()
    }
}

/// The delimiter by which most records have as many fields as the first, and more than one.
fn sniff(text: &[u8], whole: bool) -> u8 {
    let share = |delimiter: u8| {
        let mut fields = Fields::new(text, delimiter, true);
        let (mut first, mut same, mut records) = (0, 0, 0);
        while records < TRIED_RECORDS && fields.next_record() {
            let found = fields.skip_record().unwrap_or(0);
            if records > 0 && !whole && fields.at_end() {
                break;
            }
            first = if records == 0 { found } else { first };
            same += usize::from(found == first);
            records += 1;
        }
        if first > 1 { same as f64 / records as f64 } else { 0.0 }
    };
    let better = |best: (f64, u8), delimiter| match share(delimiter) {
        share if share > best.0 => (share, delimiter),
        _ => best,
    };
    DELIMITERS.into_iter().fold((0.0, b','), better).1
}

fn width(fields: &mut Fields<'_>) -> usize {
    fields.next_record();
    fields.skip_record().unwrap_or(1)
}

/// The names in the first record; a column without one is named by its position.
fn header(file: &InputFile, fields: &mut Fields<'_>) -> Result<Vec<String>, DataError> {
    let at = |line| Location { file: file.name.clone(), line: Some(line), ..Location::default() };
    let mut names = Vec::new();
    fields.next_record();
    loop {
        let position = names.len() + 1;
        let (name, end) = fields.next_field().map_err(|TextAfterQuote| DataError::Invalid {
            at: at(1),
            what: "there is text after the quote that closes a column's name; a quote within a quoted name must be doubled".into(),
        })?;
        let name = String::from_utf8(name.into_owned()).map_err(|_| DataError::NotUtf8 { at: at(1) })?;
        let name = if name.is_empty() { format!("V{position}") } else { name };
        names.push(name);
        if end == End::Record {
            Schema::refuse_duplicates(&file.name, names.iter().map(String::as_str), true)?;
            return Ok(names);
        }
    }
}

/// What the columns of the records in a sample hold, which is cut off somewhere unless it is `whole`.
fn tallies(fields: &mut Fields<'_>, width: usize, whole: bool, head: Head, options: &ReadOptions) -> Vec<Tally> {
    let missing = super::kinds::MissingWords::new(&options.missing);
    let mut tallies = vec![Tally::default(); width];
    let mut record = Vec::new();
    while fields.position() < head.bytes() && fields.next_record() {
        record.clear();
        let complete = loop {
            match fields.next_field() {
                Ok((text, end)) => {
                    record.push(text);
                    if end == End::Record {
                        break whole || !fields.at_end();
                    }
                }
                Err(TextAfterQuote) => break false,
            }
        };
        for (tally, text) in tallies.iter_mut().zip(&record) {
            if complete && !missing.contains(text) {
                tally.add_dated(text, options.date.as_ref());
            }
        }
    }
    tallies
}
