//! Charts in files.

use std::path::{Path, PathBuf};

use noisefit_data::write::write_atomically;
use noisefit_report::chart::{Chart, Figure, Form, convert, sheet};

use crate::error::Error;
use crate::refusal::Refusal;

/// What a file of charts holds, which its ending says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChartFile {
    /// A picture for pages and for programs that draw.
    Svg,
    /// A picture of pixels.
    Png,
    /// A picture for papers.
    Pdf,
    /// The data as a table.
    Csv,
    /// The data with axes, marks and words.
    Json,
}

impl ChartFile {
    /// By the ending of a name.
    ///
    /// # Errors
    /// [`Refusal::ChartFile`] for another ending.
    pub fn of(path: &Path) -> Result<Self, Refusal> {
        match path.extension().and_then(|ending| ending.to_str()) {
            Some("svg") => Ok(ChartFile::Svg),
            Some("png") => Ok(ChartFile::Png),
            Some("pdf") => Ok(ChartFile::Pdf),
            Some("csv") => Ok(ChartFile::Csv),
            Some("json") => Ok(ChartFile::Json),
            _ => Err(Refusal::ChartFile { path: PathBuf::from(path) }),
        }
    }
}

/// The data of charts as CSV: of several with their titles before them.
pub fn charts_csv(charts: &[Chart]) -> String {
    match charts {
        [chart] => chart.csv(),
        several => {
            several.iter().map(|chart| format!("# {}\n{}\n", chart.title.replace('\n', " "), chart.csv())).collect()
        }
    }
}

/// Writes charts, several on one sheet, into a file of the form that its ending says; it is written beside its place and renamed.
/// A PNG has `dpi` pixels to the inch, of which a figure's units are a 96th.
///
/// ```
/// use noisefit::report::chart::Figure;
/// use noisefit::report::charts;
/// use noisefit::write_charts;
///
/// let folder = tempfile::tempdir()?;
/// let path = folder.path().join("densities.pdf");
/// write_charts(&path, &[charts::densities()], &Figure::default(), 192.0)?;
/// assert!(std::fs::read(&path)?.starts_with(b"%PDF-"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// [`Refusal::ChartFile`]; a picture that cannot be made; those of writing.
pub fn write_charts(path: &Path, charts: &[Chart], figure: &Figure, dpi: f64) -> Result<(), Error> {
    let bytes = match ChartFile::of(path)? {
        ChartFile::Svg => sheet(charts, figure).into_bytes(),
        ChartFile::Png => convert(&sheet(charts, figure), Form::Png { dpi })?,
        ChartFile::Pdf => convert(&sheet(charts, figure), Form::Pdf)?,
        ChartFile::Csv => charts_csv(charts).into_bytes(),
        ChartFile::Json => format!("{}\n", serde_json::to_string_pretty(charts)?).into_bytes(),
    };
    Ok(write_atomically(path, |file| file.write_all(&bytes))?)
}
