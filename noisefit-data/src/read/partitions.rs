//! Columns that the names of folders say, as in `year=2024/month=07/part-0.parquet`.

use std::borrow::Cow;

use super::columns::Builder;
#[cfg(feature = "files")]
use super::file::InputFile;
#[cfg(feature = "files")]
use super::folders::Folder;
use super::kinds::{MissingWords, Tally};
use super::options::ReadOptions;
use super::table::{Query, Schema, Wanted};
use crate::error::{DataError, Location};
use crate::frame::Column;

/// What such a folder says where the value is missing.
const MISSING: &str = "__HIVE_DEFAULT_PARTITION__";

/// The columns that the folders of a data set's files say, each with a value for every file.
#[derive(Debug, Default)]
pub(super) struct Partitions {
    columns: Vec<(String, Vec<Option<String>>)>,
}

impl Partitions {
    /// The columns that all files' folders say: where they were found below what the user named, where the files differ in
    /// them, or where a model reads them. Others are the way to the data and no part of them.
    #[cfg(feature = "files")]
    pub fn of(files: &[InputFile], options: &ReadOptions) -> Partitions {
        let Some((first, others)) = files.split_first() else { return Partitions::default() };
        let mut columns = Vec::new();
        for Folder { column, value, found } in &first.folders {
            let value_of = |file: &InputFile| {
                let folder = file.folders.iter().rev().find(|folder| folder.column == *column)?;
                Some((folder.value.clone(), folder.found))
            };
            let Some(more) = others.iter().map(value_of).collect::<Option<Vec<_>>>() else { continue };
            let wanted = *found
                || more.iter().any(|(other, found)| other != value || *found)
                || options.known.iter().any(|field| field.name == *column);
            if wanted && columns.iter().all(|(known, _)| known != column) {
                let values = std::iter::once(value.clone()).chain(more.into_iter().map(|(value, _)| value));
                columns.push((column.clone(), values.map(|value| (value != MISSING).then_some(value)).collect()));
            }
        }
        Partitions { columns }
    }

    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.columns.iter().map(|(name, _)| name.as_str())
    }

    /// Leaves out those that the files have as columns of their own.
    pub fn leave_out(&mut self, schema: &Schema) {
        let places = schema.places();
        self.columns.retain(|(name, _)| !places.contains_key(name.as_str()));
    }

    /// The columns, of the kinds that the values of all files show.
    pub fn schema(&self, options: &ReadOptions) -> Result<Schema, DataError> {
        let missing = MissingWords::new(&options.missing);
        let mut schema = Schema::default();
        for (name, values) in &self.columns {
            let mut tally = Tally::default();
            for value in values.iter().flatten().filter(|value| !missing.contains(value.as_bytes())) {
                tally.add_dated(value.as_bytes(), options.date.as_ref());
            }
            schema.push_guess(name.clone(), &tally, options, None);
        }
        schema.take(options, false);
        let names: Vec<&str> = self.names().collect();
        let text = options.text.iter().filter(|name| names.contains(&name.as_str())).cloned().collect();
        schema.force_text(&ReadOptions { text, ..options.clone() }, "the folders' names", None)?;
        Ok(schema)
    }

    /// A column of a file, `rows` times its value; `place` is its position among these columns.
    pub fn column(
        &self,
        (file, name): (usize, &str),
        place: usize,
        rows: usize,
        wanted: &Wanted<'_>,
        query: &Query<'_>,
    ) -> Result<Column, DataError> {
        let mut builder = Builder::new(wanted, query, 1);
        match self.columns.get(place).and_then(|(_, values)| values.get(file)?.as_deref()) {
            None => builder.push_missing(),
            Some(value) => builder.push_text(Cow::Borrowed(value.as_bytes()), query.missing).map_err(|_| {
                let at =
                    Location { file: name.to_owned(), column: Some(wanted.name.to_owned()), ..Location::default() };
                query.refuse(wanted.field, at, value.to_owned())
            })?,
        }
        Ok(match builder.finish() {
            Column::Number { high, low } => {
                let times = |values: Vec<f64>| vec![values.first().copied().unwrap_or(f64::NAN); rows];
                Column::Number { high: times(high), low: low.map(times) }
            }
            Column::Category { codes, levels } => {
                let code = codes.first().copied().unwrap_or(crate::frame::MISSING);
                Column::Category { codes: vec![code; rows], levels }
            }
        })
    }
}
