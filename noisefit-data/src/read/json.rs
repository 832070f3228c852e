//! One JSON object a line.

use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use memchr::memchr;
use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::columns::{Builder, Refusal};
use super::file::InputFile;
use super::kinds::{MissingWords, Tally};
use super::notation::DateFormat;
use super::number;
use super::of_file::{FileTable, Head};
use super::options::ReadOptions;
use super::pieces::Piece;
use super::table::{FrameIterator, Query, Schema, Units, UnreadColumn};
use super::text::{self, LineEnds, RecordSize, Sample};
use crate::error::{DataError, Location};
use crate::frame::Frame;

/// A file of JSON objects. Columns are found by their names, so that a record may have them in any order or leave some out.
#[derive(Debug)]
pub(crate) struct JsonLines {
    header: usize,
    record_size: RecordSize,
}

impl JsonLines {
    /// Tells the columns from a sample: in the order of first appearance.
    pub fn open(file: &InputFile, options: &ReadOptions, head: Head) -> Result<(JsonLines, Schema), DataError> {
        let sample = Sample::of(file)?;
        let header = sample.byte_order_mark();
        let table = JsonLines { header, record_size: sample.records(header) };
        let body = &sample.bytes[table.header..];
        if body.trim_ascii_start().starts_with(b"[") {
            let why = "it is a JSON array; write one object a line, for example with `jq -c '.[]'`".to_owned();
            return Err(DataError::Damaged { path: file.name.clone(), format: "newline-delimited JSON", why });
        }
        let mut found = Found::default();
        let missing = MissingWords::new(&options.missing);
        let mut lines = body.split(|&byte| byte == b'\n').enumerate().peekable();
        let mut looked_at = 0;
        while let Some((number, line)) = lines.next().filter(|_| looked_at < head.bytes()) {
            looked_at += line.len() + 1;
            let cut_off = !sample.whole && lines.peek().is_none();
            if !line.trim_ascii().is_empty() && !cut_off {
                found.records += 1;
                parse(line, Inspect { found: &mut found, missing: &missing, date: options.date.as_ref() })
                    .map_err(|error| damaged(file, number as u64 + 1, None, &error))?;
            }
        }
        let mut schema = found.schema(options);
        schema.goes_on = options.met.is_none() && (!sample.whole || body.len() > head.bytes());
        Ok((table, schema))
    }
}

impl FileTable for JsonLines {
    fn units<'a>(&'a self, file: &'a InputFile, query: &'a Query<'a>) -> Result<Units<'a>, DataError> {
        let slots = query.columns.iter().enumerate().map(|(slot, wanted)| (wanted.name, slot));
        let slot_of: Arc<HashMap<&str, usize>> = Arc::new(slots.collect());
        text::units(file, self.header, query.unit_bytes, None, LineEnds::Feeds, move |piece| -> FrameIterator<'a> {
            Box::new(PieceFrames { file, query, slot_of: Arc::clone(&slot_of), piece, position: 0, lines: 0 })
        })
    }

    fn rows_hint(&self, file: &InputFile) -> Option<u64> {
        self.record_size.records_of(file)
    }
}

/// The values of a frame, at most: a record need not have a value for each column, so that a short text may be a large table.
const FRAME_VALUES: usize = 1 << 20;

/// A piece as frames.
struct PieceFrames<'a> {
    file: &'a InputFile,
    query: &'a Query<'a>,
    slot_of: Arc<HashMap<&'a str, usize>>,
    piece: Piece,
    /// How many bytes and lines are read.
    position: usize,
    lines: u64,
}

impl Iterator for PieceFrames<'_> {
    type Item = Result<Frame, DataError>;

    fn next(&mut self) -> Option<Self::Item> {
        let text = &self.piece.bytes[self.position..];
        (!text.is_empty()).then(|| self.read())
    }
}

impl PieceFrames<'_> {
    fn read(&mut self) -> Result<Frame, DataError> {
        let PieceFrames { file, query, slot_of, piece, position, lines } = self;
        let (file, query): (&InputFile, &Query<'_>) = (*file, *query);
        let mut builders: Vec<Builder<'_>> =
            query.columns.iter().map(|wanted| Builder::new(wanted, query, 0)).collect();
        let most = (FRAME_VALUES / builders.len().max(1)).max(64);
        let mut record: Vec<(usize, Scalar<'_>)> = Vec::new();
        let (mut rows, mut seen) = (0, Vec::new());
        while rows < most && *position < piece.bytes.len() {
            let rest = &piece.bytes[*position..];
            let line = &rest[..memchr(b'\n', rest).unwrap_or(rest.len())];
            let line_number = piece.first_line + *lines;
            (*position, *lines) = ((*position + line.len() + 1).min(piece.bytes.len()), *lines + 1);
            if line.trim_ascii().is_empty() {
                continue;
            }
            record.clear();
            parse(line, Pick { slot_of, record: &mut record, seen: &mut seen, row: rows + 1 })
                .map_err(|error| damaged(file, line_number, Some(rows as u64 + 1), &error))?;
            for (slot, value) in &record {
                let (builder, wanted) = (&mut builders[*slot], &query.columns[*slot]);
                builder.pad(rows);
                value.push_to(builder, query.missing).map_err(|_| {
                    let at = Location {
                        file: file.name.clone(),
                        line: Some(line_number),
                        record: Some(rows as u64 + 1),
                        column: Some(wanted.name.to_owned()),
                    };
                    query.refuse(wanted.field, at, value.to_string())
                })?;
            }
            rows += 1;
        }
        builders.iter_mut().for_each(|builder| builder.pad(rows));
        Ok(Frame { file: 0, first_record: 0, rows, columns: builders.into_iter().map(Builder::finish).collect() })
    }
}

fn damaged(file: &InputFile, line: u64, record: Option<u64>, error: &serde_json::Error) -> DataError {
    let at = Location { file: file.name.clone(), line: Some(line), record, column: None };
    // The position that the error ends with is that in the line, which is all the parser saw.
    let what = error.to_string();
    let what = what.rsplit_once(" at line ").map_or(what.as_str(), |(what, _)| what);
    DataError::Invalid { at, what: format!("not a JSON object: {what} at byte {}", error.column()).into() }
}

fn parse<'de>(line: &'de [u8], visitor: impl Visitor<'de, Value = ()>) -> Result<(), serde_json::Error> {
    let mut json = serde_json::Deserializer::from_slice(line);
    json.deserialize_map(visitor)?;
    json.end()
}

/// A value of an object.
#[derive(Debug, Clone)]
enum Scalar<'de> {
    Null,
    Boolean(bool),
    /// As it is written.
    Number(&'de str),
    Text(Cow<'de, str>),
    /// An array or an object.
    Nested,
}

impl<'de> Scalar<'de> {
    /// A value by its text, which is one of JSON.
    fn of(text: &'de str) -> Result<Scalar<'de>, serde_json::Error> {
        Ok(match text.as_bytes() {
            [b'n', ..] => Scalar::Null,
            [b't', ..] => Scalar::Boolean(true),
            [b'f', ..] => Scalar::Boolean(false),
            [b'[' | b'{', ..] => Scalar::Nested,
            [b'"', ..] => match text.strip_prefix('"').and_then(|text| text.strip_suffix('"')) {
                Some(plain) if !plain.contains('\\') => Scalar::Text(Cow::Borrowed(plain)),
                _ => Scalar::Text(Cow::Owned(serde_json::from_str(text)?)),
            },
            _ => Scalar::Number(text),
        })
    }

    fn push_to(&self, builder: &mut Builder<'de>, missing: &MissingWords) -> Result<(), Refusal> {
        match (self, &mut *builder) {
            (Scalar::Null, _) => builder.push_missing(),
            (Scalar::Boolean(value), Builder::Boolean(_)) => builder.push_boolean(*value),
            (Scalar::Number(text), Builder::Number(_) | Builder::Kinds(_)) => {
                return builder.push_text(Cow::Borrowed(text.as_bytes()), missing);
            }
            (Scalar::Boolean(_) | Scalar::Number(_), Builder::Text(_) | Builder::Kinds(_)) => {
                return builder.push_text(Cow::Owned(self.to_string().into_bytes()), missing);
            }
            (Scalar::Text(Cow::Borrowed(text)), _) => {
                return builder.push_quoted(Cow::Borrowed(text.as_bytes()), missing);
            }
            (Scalar::Text(Cow::Owned(text)), _) => {
                return builder.push_quoted(Cow::Owned(text.clone().into_bytes()), missing);
            }
            (Scalar::Nested, Builder::Kinds(_)) => {}
            _ => return Err(Refusal::Kind),
        }
        Ok(())
    }
}

impl fmt::Display for Scalar<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Scalar::Null => f.write_str("null"),
            Scalar::Boolean(value) => write!(f, "{value}"),
            // 1.0 is 1; an integer has all its digits.
            Scalar::Number(text) => match number::parse(text.as_bytes()).filter(|_| text.contains(['.', 'e', 'E'])) {
                Some(value) => write!(f, "{value}"),
                None => f.write_str(text),
            },
            Scalar::Text(text) => f.write_str(text),
            Scalar::Nested => f.write_str("an array or object"),
        }
    }
}

/// Reads any value as a [`Scalar`].
struct ReadScalar;

impl<'de> DeserializeSeed<'de> for ReadScalar {
    type Value = Scalar<'de>;

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<Scalar<'de>, D::Error> {
        // By its text: a number that serde_json reads has lost what its double leaves out.
        let raw = <&RawValue>::deserialize(json)?;
        Scalar::of(raw.get()).map_err(serde::de::Error::custom)
    }
}

/// Reads a key, and makes something of it.
struct ReadKey<F>(F);

impl<'de, T, F: FnOnce(&str) -> T> DeserializeSeed<'de> for ReadKey<F> {
    type Value = T;

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<T, D::Error> {
        json.deserialize_str(self)
    }
}

impl<T, F: FnOnce(&str) -> T> Visitor<'_> for ReadKey<F> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }

    fn visit_str<E>(self, key: &str) -> Result<T, E> {
        Ok((self.0)(key))
    }
}

/// Which of the two was meant could not be said.
const KEY_TWICE: &str = "a key occurs twice in it";

/// Takes the values of the columns that are asked for out of an object.
struct Pick<'a, 'de> {
    slot_of: &'a HashMap<&'a str, usize>,
    record: &'a mut Vec<(usize, Scalar<'de>)>,
    /// For each slot the last row that had it, from 1.
    seen: &'a mut Vec<usize>,
    row: usize,
}

impl<'de> Visitor<'de> for Pick<'_, 'de> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<(), A::Error> {
        self.seen.resize(self.slot_of.len(), 0);
        while let Some(slot) = object.next_key_seed(ReadKey(|key: &str| self.slot_of.get(key).copied()))? {
            let Some(slot) = slot else {
                object.next_value::<IgnoredAny>()?;
                continue;
            };
            if std::mem::replace(&mut self.seen[slot], self.row) == self.row {
                return Err(serde::de::Error::custom(KEY_TWICE));
            }
            self.record.push((slot, object.next_value_seed(ReadScalar)?));
        }
        Ok(())
    }
}

/// A column of a sample.
#[derive(Debug)]
struct FoundColumn {
    name: String,
    tally: Tally,
    /// Whether it has values that are arrays or objects.
    nested: bool,
    /// The last object that had it.
    record: u64,
}

/// The columns of a sample.
#[derive(Debug, Default)]
struct Found {
    columns: Vec<FoundColumn>,
    /// The number of objects looked at.
    records: u64,
    position_of: HashMap<String, usize>,
}

impl Found {
    fn position(&mut self, key: &str) -> usize {
        if let Some(&position) = self.position_of.get(key) {
            return position;
        }
        self.columns.push(FoundColumn { name: key.to_owned(), tally: Tally::default(), nested: false, record: 0 });
        self.position_of.insert(key.to_owned(), self.columns.len() - 1);
        self.columns.len() - 1
    }

    fn schema(self, options: &ReadOptions) -> Schema {
        let mut schema = Schema::default();
        for FoundColumn { name, tally, nested, .. } in self.columns {
            match nested {
                true => schema.unread.push(UnreadColumn { name, of_type: "array or object".to_owned() }),
                false => schema.push_guess(name, &tally, options, None),
            }
        }
        schema
    }
}

/// Counts the kinds of the values of an object.
struct Inspect<'a> {
    found: &'a mut Found,
    missing: &'a MissingWords,
    date: Option<&'a DateFormat>,
}

impl<'de> Visitor<'de> for Inspect<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<(), A::Error> {
        while let Some(position) = object.next_key_seed(ReadKey(|key: &str| self.found.position(key)))? {
            let value = object.next_value_seed(ReadScalar)?;
            let records = self.found.records;
            let FoundColumn { tally, nested, record, .. } = &mut self.found.columns[position];
            if std::mem::replace(record, records) == records {
                return Err(serde::de::Error::custom(KEY_TWICE));
            }
            match value {
                Scalar::Null => {}
                Scalar::Boolean(_) => tally.booleans += 1,
                Scalar::Number(text) => tally.add(text.as_bytes()),
                Scalar::Text(text) if self.missing.contains(text.as_bytes()) => {}
                Scalar::Text(text) => tally.add_dated(text.as_bytes(), self.date),
                Scalar::Nested => *nested = true,
            }
        }
        Ok(())
    }
}
