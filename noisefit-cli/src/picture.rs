//! Pictures: written to files, printed to terminals.

use std::io::IsTerminal;
use std::path::Path;

use noisefit::data::write::write_atomically;
use noisefit::report::chart::{Chart, Figure, sheet};
use noisefit::{ChartFile, charts_csv, write_charts};

use crate::outcome::Failure;
use crate::output::{print, tell};

/// Writes text to a file beside its place and renames it.
pub(crate) fn write(path: &Path, text: &str) -> Result<(), Failure> {
    Ok(write_atomically(path, |file| file.write_all(text.as_bytes()))?)
}

/// Where charts go: a file by its ending, a terminal, or as SVG whatever reads standard output.
#[derive(Debug)]
pub(crate) struct Destination<'a> {
    /// A file.
    pub(crate) output: Option<&'a Path>,
    /// The data in the place of the picture.
    pub(crate) data: bool,
    /// The size of a chart.
    pub(crate) figure: Figure,
    /// Pixels of an inch of a PNG.
    pub(crate) dpi: f64,
}

impl Destination<'_> {
    /// Refuses a file of an unknown ending, before there is work to lose.
    pub(crate) fn check(&self) -> Result<(), Failure> {
        let Some(path) = self.output else { return Ok(()) };
        match ChartFile::of(path)? {
            ChartFile::Svg | ChartFile::Png | ChartFile::Pdf if self.data => Err(Failure::Usage(format!(
                "{}: with --data it is data that are written, as .csv or .json",
                path.display()
            ))),
            _ => Ok(()),
        }
    }

    /// Writes or prints the charts.
    pub(crate) fn write(&self, charts: &[Chart]) -> Result<(), Failure> {
        let Some(path) = self.output else {
            return match (self.data, std::io::stdout().is_terminal()) {
                (true, _) => Ok(print(&charts_csv(charts))?),
                (false, true) => {
                    let pictures: Vec<String> = charts.iter().map(|chart| in_terminal(chart, 24)).collect();
                    Ok(print(&pictures.join("\n"))?)
                }
                (false, false) => Ok(print(&sheet(charts, &self.figure))?),
            };
        };
        Ok(write_charts(path, charts, &self.figure, self.dpi)?)
    }
}

/// A chart as wide as the terminal, in colours where these are wanted.
fn in_terminal(chart: &Chart, rows: usize) -> String {
    let columns = std::env::var("COLUMNS").ok().and_then(|text| text.parse().ok()).unwrap_or(96);
    let coloured = std::env::var_os("NO_COLOR").is_none();
    format!("{}{}\n", chart.terminal(columns.min(120), rows, coloured), chart.words())
}

/// Shows charts below a result, where there is a terminal that can: else it is told where they can be had.
pub(crate) fn show(charts: &[Chart]) -> Result<(), Failure> {
    if !can_show() {
        tell("noisefit: --plot needs a terminal that shows Unicode; `noisefit plot` writes pictures to files");
        return Ok(());
    }
    for chart in charts {
        print(&format!("\n{}", in_terminal(chart, 18)))?;
    }
    Ok(())
}

/// Whether standard output is a terminal whose characters are Unicode.
fn can_show() -> bool {
    let language =
        ["LC_ALL", "LC_CTYPE", "LANG"].iter().find_map(|name| std::env::var(name).ok().filter(|set| !set.is_empty()));
    let unicode = language.is_some_and(|set| set.to_lowercase().replace('-', "").contains("utf8"));
    let dumb = std::env::var("TERM").is_ok_and(|term| term == "dumb");
    std::io::stdout().is_terminal() && unicode && !dumb
}
