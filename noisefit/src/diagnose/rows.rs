//! What was measured of every row, as a file.

use std::path::Path;

use noisefit_core::inference::diagnostics::Diagnosis;
use noisefit_data::DataError;
use noisefit_data::formula::{Design, EvaluateOptions, Scope, Workspace};
use noisefit_data::frame::{Frame, Kind};
use noisefit_data::read::{Dataset, Decimals, Frames, Origin};
use noisefit_data::source::{columns_of, locate};
use noisefit_data::write::{TableColumn, TableWriter};

use crate::table::Table;

/// Rows measured at a time.
const BLOCK_ROWS: usize = 1024;

/// Writes a table with one row for each record of the data, in their order: the file where there are several, the number of
/// the record in it, and the measures, which are missing where the row was left out of the fit.
pub(super) fn write(
    path: &Path,
    diagnosis: &Diagnosis,
    design: &Design,
    table: &Table,
    dfbetas: bool,
) -> Result<(), DataError> {
    let dataset = table.dataset();
    let measures = diagnosis.row_columns();
    let more = if dfbetas { diagnosis.dfbetas_columns() } else { Vec::new() };
    let several = dataset.is_in_parts();
    let mut names = Vec::new();
    names.extend(several.then_some(("file", Kind::Text)));
    names.push(("row", Kind::Number));
    names.extend(measures.iter().copied().chain(more.iter().map(String::as_str)).map(|name| (name, Kind::Number)));
    let mut writer = TableWriter::create(path, &names)?;
    each(diagnosis, design, table, dfbetas, |origin, Measured { file, first_record, rows, columns }| {
        let name = vec![Some(dataset.file_name(file)); if several { rows } else { 0 }];
        let numbers: Vec<f64> = (1..=rows as u64).map(|i| (origin.first_record + first_record + i) as f64).collect();
        let mut written = Vec::with_capacity(columns.len() + 2);
        written.extend(several.then_some(TableColumn::Text(&name)));
        written.push(TableColumn::Number(&numbers));
        written.extend(columns.iter().map(|column| TableColumn::Number(column)));
        writer.write(&written)
    })?;
    writer.finish()
}

/// The measures of every record of the data, in their order; missing where the row was left out of the fit.
pub(super) fn collect(diagnosis: &Diagnosis, design: &Design, table: &Table) -> Result<Vec<Vec<f64>>, DataError> {
    let mut all = vec![Vec::new(); diagnosis.row_columns().len()];
    each(diagnosis, design, table, false, |_, Measured { columns, .. }| {
        all.iter_mut().zip(columns).for_each(|(all, column)| all.extend(column));
        Ok(())
    })?;
    Ok(all)
}

/// Measures every frame of the data, and hands the measures on in the order of the records.
fn each(
    diagnosis: &Diagnosis,
    design: &Design,
    table: &Table,
    dfbetas: bool,
    mut sink: impl FnMut(Origin, Measured) -> Result<(), DataError> + Send,
) -> Result<(), DataError> {
    let dataset = table.dataset();
    let unit = |frames: &mut Frames<'_>| -> Result<Vec<Measured>, DataError> {
        frames.map(|frame| measure(diagnosis, design, dataset, &frame?, dfbetas)).collect()
    };
    let columns = columns_of(design, dataset, Scope::All)?;
    dataset.scan(&columns, Decimals::WithLow, table.watch(), unit, |origin, frames| {
        frames.into_iter().try_for_each(|measured| sink(origin, measured))
    })
}

/// The measures of a frame's rows.
struct Measured {
    file: usize,
    first_record: u64,
    rows: usize,
    columns: Vec<Vec<f64>>,
}

fn measure(
    diagnosis: &Diagnosis,
    design: &Design,
    dataset: &Dataset,
    frame: &Frame,
    dfbetas: bool,
) -> Result<Measured, DataError> {
    let options = EvaluateOptions { low_words: true, scope: Scope::All, ..EvaluateOptions::default() };
    let bound = design.bind(frame, options).map_err(|error| locate(dataset, error))?;
    let more = if dfbetas { diagnosis.dfbetas_columns().len() } else { 0 };
    let mut columns = vec![vec![f64::NAN; frame.rows]; diagnosis.row_columns().len() + more];
    let mut workspace = Workspace::default();
    for start in (0..frame.rows).step_by(BLOCK_ROWS) {
        let range = start..(start + BLOCK_ROWS).min(frame.rows);
        let rows = bound.evaluate(range, &mut workspace).map_err(|error| locate(dataset, error))?;
        let Some(block) = rows.block().filter(|block| block.rows() > 0) else { continue };
        let mut measured = diagnosis.rows(&block);
        // The response was without it.
        if let (Some(fitted), Some(offset)) = (measured.first_mut(), rows.offset()) {
            fitted.iter_mut().zip(offset).for_each(|(value, offset)| *value += offset);
        }
        if dfbetas {
            measured.extend(diagnosis.dfbetas(&block));
        }
        for (column, values) in columns.iter_mut().zip(measured) {
            for (&row, value) in rows.kept().iter().zip(values) {
                column[row] = value;
            }
        }
    }
    Ok(Measured { file: frame.file, first_record: frame.first_record, rows: frame.rows, columns })
}
