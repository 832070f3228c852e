//! Files of every format are written here, read back and compared with what went into them.

mod binary;
mod messages;
mod text;

use std::path::Path;

use super::*;
use crate::frame::{Column, Kind};

/// A cell as the file's author thinks of it.
#[derive(Debug, Clone, PartialEq)]
enum Cell {
    Missing,
    Number(f64),
    Text(String),
}

fn text(text: &str) -> Cell {
    Cell::Text(text.to_owned())
}

fn options() -> ReadOptions {
    ReadOptions { threads: 1, ..ReadOptions::default() }
}

fn open(path: &Path) -> Result<Dataset, DataError> {
    Dataset::open(&[path.display().to_string()], &options())
}

/// All records, in order, of the columns that are asked for; and the origins of the units.
fn records_of(data: &Dataset, columns: &[usize]) -> Result<(Vec<Vec<Cell>>, Vec<Origin>), DataError> {
    let (mut records, mut origins) = (Vec::new(), Vec::new());
    let frames = |frames: &mut Frames<'_>| frames.collect::<Result<Vec<_>, _>>();
    data.scan(columns, Decimals::Double, &(), frames, |origin, frames| {
        let before = records.len();
        for frame in &frames {
            assert_eq!(frame.first_record as usize, records.len() - before);
            assert!(frame.columns.iter().all(|column| column.len() == frame.rows));
            records.extend((0..frame.rows).map(|row| frame.columns.iter().map(|column| cell(column, row)).collect()));
        }
        assert_eq!(origin.rows as usize, records.len() - before);
        origins.push(origin);
        Ok(())
    })?;
    Ok((records, origins))
}

fn records(data: &Dataset) -> Vec<Vec<Cell>> {
    let all: Vec<usize> = (0..data.fields().len()).collect();
    records_of(data, &all).unwrap().0
}

fn cell(column: &Column, row: usize) -> Cell {
    match column {
        Column::Number { high, .. } if high[row].is_nan() => Cell::Missing,
        Column::Number { high, .. } => Cell::Number(high[row]),
        Column::Category { codes, levels } => {
            levels.get(codes[row] as usize).map_or(Cell::Missing, |level| text(level))
        }
    }
}

/// A file in a folder of its own, which goes with the value.
fn file(name: &str, content: impl AsRef<[u8]>) -> (tempfile::TempDir, std::path::PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    std::fs::write(&path, content).unwrap();
    (folder, path)
}
