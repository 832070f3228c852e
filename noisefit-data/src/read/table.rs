//! What there is to know of one part of a data set to read it, a file or a table in memory, and the units that it is read in.

use std::collections::{HashMap, HashSet};
use std::sync::Mutex;

use super::kinds::{self, Ground, MissingWords, Tally};
use super::notation::{DateFormat, Look, LookAlike};
use super::number;
use super::options::{Decimals, ReadOptions};
use crate::error::{DataError, Location};
use crate::frame::{Field, Frame, Kind, Written};

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
    /// The columns of the files, in the order that they are asked for in.
    pub(super) columns: Vec<Wanted<'a>>,
    /// Those that the folders' names say, with their places among all, in ascending order.
    pub(super) of_folders: Vec<(usize, Wanted<'a>)>,
    pub(super) decimals: Decimals,
    pub(super) missing: &'a MissingWords,
    pub(super) date: Option<&'a DateFormat>,
    pub(super) unit_bytes: usize,
}

impl Query<'_> {
    /// The error of a value that is not of its column's kind.
    pub(super) fn refuse(&self, field: usize, at: Location, value: String) -> DataError {
        let mut all = self.columns.iter().chain(self.of_folders.iter().map(|(_, wanted)| wanted));
        let wanted = all.find(|wanted| wanted.field == field);
        let (kind, ground) = wanted.map_or((Kind::Number, Ground::Word), |wanted| (wanted.kind, wanted.ground));
        let comma = wanted.is_some_and(|wanted| wanted.notation.comma);
        DataError::Value {
            expected: match kind == Kind::Number && number::is_too_long(value.as_bytes()) {
                true => "an integer whose digits a number holds, as of 31 or fewer".to_owned(),
                false => kinds::expectation(kind, self.date),
            },
            guessed: ground != Ground::Word,
            widens: kinds::widens(kind, ground, value.as_bytes()),
            look: Look::of_refused(&value, kind, comma),
            at,
            value,
        }
    }
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
    /// Where its values are to be counted by their kinds, rather than read.
    pub(super) count: Option<&'a Mutex<Tally>>,
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
    /// Whether there are values that no kind was told from: those beyond the heads of text files.
    pub(super) goes_on: bool,
}

impl Schema {
    /// Adds a column of a typed file; no kind where all its values are missing.
    pub(super) fn push(&mut self, name: String, kind: Option<Kind>, ground: Ground) {
        self.fields.push(Field::new(name, kind.unwrap_or(Kind::Number)));
        self.grounds.push(if kind.is_some() { ground } else { Ground::Nothing });
        self.notations.push(Notation::default());
    }

    /// Adds a column of text by what its values look like. `delimiter` is what separates the fields: where that is a comma, one
    /// within a field is no decimal comma unless the user says so.
    pub(super) fn push_guess(&mut self, name: String, tally: &Tally, options: &ReadOptions, delimiter: Option<u8>) {
        let tally = options.met.as_ref().and_then(|met| met.of(&name)).unwrap_or(tally);
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
            if kind == Some(Kind::Number)
                && let Some(example) = tally.code()
            {
                let (column, example) = (name.clone(), example.to_owned());
                self.look_alikes.push(LookAlike { column, look: Look::Code, example });
            }
            self.push(name, kind, Ground::Values);
        }
        if let Some(notation) = self.notations.last_mut() {
            *notation = Notation { comma, decorated };
        }
        if let Some(field) = self.fields.last_mut() {
            field.written = match (field.kind, &options.date) {
                _ if decorated => Written::Marked,
                (Kind::Date | Kind::Timestamp, Some(format)) => Written::Dates(format.to_string()),
                _ => Written::Plain,
            };
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

    /// Adds columns behind these.
    pub(super) fn append(&mut self, more: Schema) {
        self.fields.extend(more.fields);
        self.grounds.extend(more.grounds);
        self.notations.extend(more.notations);
        self.look_alikes.extend(more.look_alikes);
    }

    /// Whether a later value may show that a column is of another kind than the heads of the files say.
    pub(super) fn may_widen(&self, place: usize) -> bool {
        self.goes_on && kinds::may_widen(self.fields[place].kind, self.grounds[place])
    }

    /// Where the columns stand, by their names.
    pub(super) fn places(&self) -> HashMap<&str, usize> {
        self.fields.iter().map(|field| field.name.as_str()).zip(0..).collect()
    }

    /// Takes the kinds that a model says; `typed` where the values have types of their own.
    pub(super) fn take(&mut self, options: &ReadOptions, typed: bool) {
        let places = self.places();
        let known: Vec<(usize, &Field)> =
            options.known.iter().filter_map(|field| Some((*places.get(field.name.as_str())?, field))).collect();
        for (place, Field { kind, written, .. }) in known {
            let kind = *kind;
            if !typed && *written == Written::Marked {
                self.notations[place].decorated = true;
            }
            let (field, own) = (&mut self.fields[place], &mut self.grounds[place]);
            // A file with types of its own is not to be read as what it is not; but numbers may be names, and days times.
            let possible = match (field.kind, kind) {
                _ if !typed || *own == Ground::Nothing => true,
                (Kind::Number | Kind::Boolean, Kind::Text) => true,
                (Kind::Date | Kind::Timestamp, Kind::Date | Kind::Timestamp) => true,
                (found, kind) => found == kind,
            };
            if possible {
                (field.kind, *own) = (kind, Ground::Word);
                field.written = written.clone();
            }
        }
        // What a column looks like is settled where somebody says what it is.
        let settled: HashSet<&str> = options.known.iter().map(|field| field.name.as_str()).collect();
        self.look_alikes.retain(|alike| !settled.contains(alike.column.as_str()));
    }

    /// Takes in the columns of another file of the data set, by their names where records `name` their fields; the first
    /// thing in which it cannot go with those before.
    pub(super) fn join(&mut self, other: &Schema, named: bool) -> Option<String> {
        self.goes_on |= other.goes_on;
        let difference = if named { self.join_by_name(other) } else { self.join_in_order(other) };
        let known: HashSet<&str> = self.look_alikes.iter().map(|alike| alike.column.as_str()).collect();
        let new = other.look_alikes.iter().filter(|alike| !known.contains(alike.column.as_str()));
        let new: Vec<LookAlike> = new.cloned().collect();
        self.look_alikes.extend(new);
        difference
    }

    fn join_by_name(&mut self, other: &Schema) -> Option<String> {
        let places = self.places();
        let unread: HashSet<&str> = self.unread.iter().map(|column| column.name.as_str()).collect();
        let found: Vec<Option<usize>> =
            other.fields.iter().map(|field| places.get(field.name.as_str()).copied()).collect();
        let read: Vec<bool> = other.fields.iter().map(|field| !unread.contains(field.name.as_str())).collect();
        for (position, (field, found)) in other.fields.iter().zip(found).enumerate() {
            match found {
                Some(place) => self.agree(place, other, position),
                None if read[position] => {
                    self.fields.push(field.clone());
                    self.grounds.push(other.grounds[position]);
                    self.notations.push(other.notations[position]);
                }
                None => {}
            }
        }
        None
    }

    fn join_in_order(&mut self, other: &Schema) -> Option<String> {
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
            self.agree(position, other, position);
        }
        match (self.fields.get(other.fields.len()), other.fields.get(self.fields.len())) {
            (Some(missing), _) => Some(format!("it has no column `{}`", missing.name)),
            (_, Some(more)) => Some(format!("it has a column `{}` more", more.name)),
            (None, None) => None,
        }
    }

    /// Makes the kind of a column one that goes with what another file holds in it, where there is such a kind. Texts in one file and
    /// numbers in another are numbers in either order, so that the first text is named when it is read. Otherwise the first file's kind
    /// stays, and the first value that is not of it is named.
    fn agree(&mut self, place: usize, other: &Schema, position: usize) {
        let (other_kind, other_ground) = (other.fields[position].kind, other.grounds[position]);
        let (kind, ground) = (&mut self.fields[place].kind, &mut self.grounds[place]);
        match (*ground, other_ground) {
            (_, Ground::Nothing) => {}
            (Ground::Nothing, _) => (*kind, *ground) = (other_kind, other_ground),
            (Ground::Values, Ground::Values) if kinds::are_text_and_numbers(*kind, other_kind) => *kind = Kind::Number,
            _ => *kind = kinds::common(*kind, other_kind).unwrap_or(*kind),
        }
        self.notations[place].comma |= other.notations[position].comma;
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
