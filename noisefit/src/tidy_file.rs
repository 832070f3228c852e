//! A tidy table as a file.

use std::path::Path;

use noisefit_data::frame::Kind;
use noisefit_data::write::{TableColumn, TableWriter};
use noisefit_report::tidy::{Cell, Tidy};

use crate::error::Error;

/// Writes a table to a .csv, .tsv, .ndjson or .parquet file: a column with a text is one of texts.
///
/// # Errors
/// A name that ends otherwise; a file that cannot be written.
pub(crate) fn save(tidy: &Tidy, path: &Path) -> Result<(), Error> {
    enum Column<'t> {
        Texts(Vec<Option<&'t str>>),
        Numbers(Vec<f64>),
    }
    let cells = |place: usize| tidy.rows.iter().map(move |row| &row[place]);
    let column = |place: usize| match cells(place).any(|cell| matches!(cell, Cell::Text(_))) {
        true => Column::Texts(
            cells(place)
                .map(|cell| match cell {
                    Cell::Text(text) => Some(text.as_str()),
                    _ => None,
                })
                .collect(),
        ),
        false => Column::Numbers(
            cells(place)
                .map(|cell| match cell {
                    Cell::Number(value) | Cell::P(value) => *value,
                    Cell::Count(count) => *count as f64,
                    Cell::Text(_) | Cell::Missing => f64::NAN,
                })
                .collect(),
        ),
    };
    let columns: Vec<Column<'_>> = (0..tidy.columns.len()).map(column).collect();
    let kinds = columns.iter().map(|column| match column {
        Column::Texts(_) => Kind::Text,
        Column::Numbers(_) => Kind::Number,
    });
    let fields: Vec<(&str, Kind)> = tidy.columns.iter().map(AsRef::as_ref).zip(kinds).collect();
    let shown = columns.iter().map(|column| match column {
        Column::Texts(texts) => TableColumn::Text(texts),
        Column::Numbers(numbers) => TableColumn::Number(numbers),
    });
    let mut writer = TableWriter::create(path, &fields)?;
    writer.write(&shown.collect::<Vec<_>>())?;
    Ok(writer.finish()?)
}
