//! What there is to know of one part of a data set to read it, a file or a table in memory, and the units that it is read in.

use std::collections::HashMap;

use super::kinds::{self, Ground, MissingWords, Tally};
use super::notation::{DateFormat, LookAlike};
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

    /// Refuses a table that is not what it was when it was opened.
    fn unchanged(&self) -> Result<(), DataError> {
        Ok(())
    }
}

/// What a scan asks of a table.
#[derive(Debug)]
pub(super) struct Query<'a> {
    pub(super) columns: Vec<Wanted<'a>>,
    pub(super) decimals: Decimals,
    pub(super) missing: &'a MissingWords,
    pub(super) date: Option<&'a DateFormat>,
    pub(super) unit_bytes: usize,
}

/// A column that is asked for.
#[derive(Debug)]
pub(super) struct Wanted<'a> {
    /// Its position in the schema.
    pub(super) field: usize,
    pub(super) name: &'a str,
    pub(super) kind: Kind,
    pub(super) ground: Ground,
    pub(super) notation: Notation,
}

/// How the numbers of a column of text are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Notation {
    /// With a decimal comma.
    pub(super) comma: bool,
    /// With marks between thousands, currencies, percent signs.
    pub(super) decorated: bool,
}

/// The columns of a file.
#[derive(Debug, Default)]
pub(super) struct Schema {
    pub(super) fields: Vec<Field>,
    /// What the kinds of the fields rest on.
    pub(super) grounds: Vec<Ground>,
    pub(super) notations: Vec<Notation>,
    pub(super) look_alikes: Vec<LookAlike>,
    pub(super) unread: Vec<UnreadColumn>,
}

impl Schema {
    /// Adds a column of a typed file; no kind where all its values are missing.
    pub(super) fn push(&mut self, name: String, kind: Option<Kind>, ground: Ground) {
        self.fields.push(Field { name, kind: kind.unwrap_or(Kind::Number) });
        self.grounds.push(if kind.is_some() { ground } else { Ground::Nothing });
        self.notations.push(Notation::default());
    }

    /// Adds a column of text by what its values look like. `delimiter` is what separates the fields: where that is a comma, one
    /// within a field is no decimal comma unless the user says so.
    pub(super) fn push_guess(&mut self, name: String, tally: &Tally, options: &ReadOptions, delimiter: Option<u8>) {
        let comma = match options.decimal {
            Some(decimal) => decimal == b',',
            None => tally.has_decimal_commas() && delimiter != Some(b','),
        };
        let decorated = options.number.contains(&name);
        if decorated {
            self.push(name, Some(Kind::Number), Ground::Word);
        } else {
            let kind = if comma { tally.kind_with_commas() } else { tally.kind() };
            if kind == Some(Kind::Text)
                && !options.text.contains(&name)
                && let Some((look, example)) = tally.look()
            {
                self.look_alikes.push(LookAlike { column: name.clone(), look, example });
            }
            self.push(name, kind, Ground::Values);
        }
        if let Some(notation) = self.notations.last_mut() {
            *notation = Notation { comma, decorated };
        }
    }

    /// Refuses two columns of one name: which of them a formula means could not be said.
    pub(super) fn refuse_duplicates<'a>(
        table: &str,
        names: impl Iterator<Item = &'a str>,
        first_line: bool,
    ) -> Result<(), DataError> {
        let mut seen = HashMap::new();
        for (name, position) in names.zip(1..) {
            if let Some(first) = seen.insert(name, position) {
                let (path, name) = (table.to_owned(), name.to_owned());
                return Err(DataError::DuplicateColumn { path, name, positions: (first, position), first_line });
            }
        }
        Ok(())
    }

    /// Takes the kinds that a model or an earlier reading says; `typed` where the values have types of their own.
    pub(super) fn take(&mut self, options: &ReadOptions, typed: bool) {
        let said = options.widened.iter().map(|field| (field, Ground::Values));
        for (Field { name, kind }, ground) in said.chain(options.known.iter().map(|field| (field, Ground::Word))) {
            let Some(place) = self.fields.iter().position(|field| field.name == *name) else { continue };
            let (field, own) = (&mut self.fields[place], &mut self.grounds[place]);
            // A file with types of its own is not to be read as what it is not; but numbers may be names, and days times.
            let possible = match (field.kind, *kind) {
                _ if !typed || *own == Ground::Nothing => true,
                (Kind::Number | Kind::Boolean, Kind::Text) => true,
                (Kind::Date | Kind::Timestamp, Kind::Date | Kind::Timestamp) => true,
                (found, kind) => found == kind,
            };
            if possible {
                (field.kind, *own) = (*kind, ground);
            }
        }
    }

    /// Takes in the columns of another file of the data set, by their names where records `name` their fields; the first
    /// thing in which it cannot go with those before.
    pub(super) fn join(&mut self, other: &Schema, named: bool) -> Option<String> {
        if named {
            for (field, &ground) in other.fields.iter().zip(&other.grounds) {
                match self.fields.iter().position(|known| known.name == field.name) {
                    Some(place) => self.agree(place, field.kind, ground),
                    None if self.unread.iter().any(|column| column.name == field.name) => {}
                    None => {
                        self.fields.push(field.clone());
                        self.grounds.push(ground);
                        self.notations.push(Notation::default());
                    }
                }
            }
            return None;
        }
        for position in 0..self.fields.len().min(other.fields.len()) {
            let (field, other_field) = (&self.fields[position], &other.fields[position]);
            if field.name != other_field.name {
                return Some(format!("its column {} is `{}`, not `{}`", position + 1, other_field.name, field.name));
            }
            let (ground, other_ground) = (self.grounds[position], other.grounds[position]);
            let both_told = ground == Ground::Word && other_ground == Ground::Word;
            if both_told && kinds::common(field.kind, other_field.kind).is_none() {
                let (kind, other_kind) = (kinds::holding(field.kind), kinds::holding(other_field.kind));
                return Some(format!("its column `{}` holds {other_kind}, not {kind}", other_field.name));
            }
            self.agree(position, other_field.kind, other_ground);
            self.notations[position].comma |= other.notations[position].comma;
        }
        for look_alike in &other.look_alikes {
            if self.look_alikes.iter().all(|known| known.column != look_alike.column) {
                self.look_alikes.push(look_alike.clone());
            }
        }
        match (self.fields.get(other.fields.len()), other.fields.get(self.fields.len())) {
            (Some(missing), _) => Some(format!("it has no column `{}`", missing.name)),
            (_, Some(more)) => Some(format!("it has a column `{}` more", more.name)),
            (None, None) => None,
        }
    }

    /// Makes the kind of a column one that goes with what another file holds in it, where there is such a kind. Where
    /// there is none the first file's stays, and the first value that is not of it is named when it is read.
    fn agree(&mut self, place: usize, other: Kind, other_ground: Ground) {
        let (kind, ground) = (&mut self.fields[place].kind, &mut self.grounds[place]);
        match (*ground, other_ground) {
            (_, Ground::Nothing) => {}
            (Ground::Nothing, _) => (*kind, *ground) = (other, other_ground),
            _ => *kind = kinds::common(*kind, other).unwrap_or(*kind),
        }
    }

    /// Makes columns text that are to be read as such; `typed` is the name of a format whose values have types.
    pub(super) fn force_text(
        &mut self,
        options: &ReadOptions,
        table: &str,
        typed: Option<&'static str>,
    ) -> Result<(), DataError> {
        for name in &options.text {
            let Some(place) = self.fields.iter().position(|field| field.name == *name) else {
                let names: Vec<&str> = self.fields.iter().map(|field| field.name.as_str()).collect();
                return Err(DataError::Option(format!(
                    "{table} has no column `{name}` to be read as text; its columns are {}",
                    names.join(", ")
                )));
            };
            let field = &mut self.fields[place];
            if let (Some(format), Kind::Date | Kind::Timestamp) = (typed, field.kind) {
                // There is no text in the file to take; days or seconds since 1970 would be names of nothing.
                return Err(DataError::Option(format!(
                    "{table}: column `{name}` holds {} and cannot be read as text; {format} has no text for them",
                    kinds::holding(field.kind),
                )));
            }
            (field.kind, self.grounds[place]) = (Kind::Text, Ground::Word);
        }
        Ok(())
    }
}
