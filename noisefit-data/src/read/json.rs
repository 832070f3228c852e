//! One JSON object a line.

use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::columns::{Builder, Refusal};
use super::file::InputFile;
use super::kinds::{Ground, MissingWords, Tally, expectation, widened};
use super::notation::DateFormat;
use super::of_file::{FileTable, Head};
use super::options::{Decimals, ReadOptions};
use super::pieces::Piece;
use super::table::{Query, Schema, Units, UnreadColumn};
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
        Ok((table, found.schema(options)))
    }

    fn read(&self, file: &InputFile, piece: &Piece, query: &Query<'_>) -> Result<Frame, DataError> {
        let slot_of: HashMap<&str, usize> =
            query.columns.iter().enumerate().map(|(slot, wanted)| (wanted.name, slot)).collect();
        // What a double leaves out of a JSON number is not asked: serde_json has dropped the decimal by then.
        let mut builders: Vec<Builder<'_>> =
            query.columns.iter().map(|wanted| Builder::new(wanted, query, Decimals::Double, 0)).collect();
        let mut record: Vec<Option<Scalar<'_>>> = Vec::new();
        let mut rows = 0;
        for (number, line) in piece.bytes.split(|&byte| byte == b'\n').enumerate() {
            if line.trim_ascii().is_empty() {
                continue;
            }
            let line_number = piece.first_line + number as u64;
            record.clear();
            record.resize(query.columns.len(), None);
            parse(line, Pick { slot_of: &slot_of, record: &mut record })
                .map_err(|error| damaged(file, line_number, Some(rows as u64 + 1), &error))?;
            for ((value, builder), wanted) in record.iter().zip(&mut builders).zip(&query.columns) {
                let value = value.as_ref().unwrap_or(&Scalar::Null);
                value.push_to(builder, query.missing).map_err(|_| DataError::Value {
                    at: Location {
                        file: file.name.clone(),
                        line: Some(line_number),
                        record: Some(rows as u64 + 1),
                        column: Some(wanted.name.to_owned()),
                    },
                    value: value.to_string(),
                    expected: expectation(wanted.kind),
                    guessed: wanted.ground != Ground::Word,
                    widened: match value {
                        Scalar::Nested => None,
                        _ => widened(wanted.kind, wanted.ground, value.to_string().as_bytes()),
                    },
                })?;
            }
            rows += 1;
        }
        Ok(Frame { file: 0, first_record: 0, rows, columns: builders.into_iter().map(Builder::finish).collect() })
    }
}

impl FileTable for JsonLines {
    fn units<'a>(&'a self, file: &'a InputFile, query: &'a Query<'a>) -> Result<Units<'a>, DataError> {
        text::units(file, self.header, query.unit_bytes, None, LineEnds::Feeds, move |piece| {
            self.read(file, piece, query)
        })
    }

    fn rows_hint(&self, file: &InputFile) -> Option<u64> {
        self.record_size.records_of(file)
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
    Integer(i128),
    Number(f64),
    Text(Cow<'de, str>),
    /// An array or an object.
    Nested,
}

impl<'de> Scalar<'de> {
    fn push_to(&self, builder: &mut Builder<'de>, missing: &MissingWords) -> Result<(), Refusal> {
        match (self, &mut *builder) {
            (Scalar::Null, _) => builder.push_missing(),
            (Scalar::Number(value), Builder::Number(_)) => builder.push_number(missing.without(*value), b""),
            (Scalar::Integer(value), Builder::Number(_)) => builder.push_integer(*value, missing),
            (Scalar::Boolean(value), Builder::Boolean(_)) => builder.push_boolean(*value),
            (Scalar::Boolean(_) | Scalar::Integer(_) | Scalar::Number(_), Builder::Text(_)) => {
                return builder.push_text(Cow::Owned(self.to_string().into_bytes()), missing);
            }
            (Scalar::Text(Cow::Borrowed(text)), _) => {
                return builder.push_text(Cow::Borrowed(text.as_bytes()), missing);
            }
            (Scalar::Text(Cow::Owned(text)), _) => {
                return builder.push_text(Cow::Owned(text.clone().into_bytes()), missing);
            }
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
            Scalar::Integer(value) => write!(f, "{value}"),
            Scalar::Number(value) => write!(f, "{value}"),
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
        json.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for ReadScalar {
    type Value = Scalar<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_unit<E>(self) -> Result<Scalar<'de>, E> {
        Ok(Scalar::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Scalar<'de>, E> {
        Ok(Scalar::Boolean(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Scalar<'de>, E> {
        Ok(Scalar::Integer(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Scalar<'de>, E> {
        Ok(Scalar::Integer(value.into()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Scalar<'de>, E> {
        Ok(Scalar::Number(value))
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Scalar<'de>, E> {
        Ok(Scalar::Text(Cow::Borrowed(text)))
    }

    fn visit_str<E>(self, text: &str) -> Result<Scalar<'de>, E> {
        Ok(Scalar::Text(Cow::Owned(text.to_owned())))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut array: A) -> Result<Scalar<'de>, A::Error> {
        while array.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Scalar::Nested)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<Scalar<'de>, A::Error> {
        while object.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Scalar::Nested)
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
    record: &'a mut [Option<Scalar<'de>>],
}

impl<'de> Visitor<'de> for Pick<'_, 'de> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<(), A::Error> {
        while let Some(slot) = object.next_key_seed(ReadKey(|key: &str| self.slot_of.get(key).copied()))? {
            match slot.and_then(|slot| self.record.get_mut(slot)) {
                Some(Some(_)) => return Err(serde::de::Error::custom(KEY_TWICE)),
                Some(value) => *value = Some(object.next_value_seed(ReadScalar)?),
                None => drop(object.next_value::<IgnoredAny>()?),
            }
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
                Scalar::Integer(_) | Scalar::Number(_) => tally.numbers += 1,
                Scalar::Text(text) if self.missing.contains(text.as_bytes()) => {}
                Scalar::Text(text) => tally.add_dated(text.as_bytes(), self.date),
                Scalar::Nested => *nested = true,
            }
        }
        Ok(())
    }
}
