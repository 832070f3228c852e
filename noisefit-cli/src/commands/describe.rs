//! `noisefit describe`.

use anyhow::Context;
use clap::Args;
use noisefit_data::describe::{
    ColumnDescription, Description, EXACT_QUANTILES, LevelSummary, NumberSummary, Summary, Value, describe,
};
use noisefit_data::frame::Kind;
use noisefit_data::read::Dataset;
use noisefit_report::text::{optional, significant, table};
use serde::Serialize;

use crate::arguments::{DataArguments, OutputFormat};
use crate::outcome::Outcome;
use crate::output::{print, print_json, warn};
use crate::progress::Passes;

/// A level longer than this is cut short in the table.
const SHOWN_CHARACTERS: usize = 40;

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  noisefit describe engel.csv
  noisefit describe 'logs/*.csv.gz' --columns latency,region
  noisefit describe wages.parquet --format json | jq '.columns[] | select(.missing > 0) | .name'")]
pub(crate) struct DescribeArguments {
    #[command(flatten)]
    pub(crate) data: DataArguments,
    /// Only these columns, in this order [default: all]
    #[arg(long, value_name = "COLUMNS", value_delimiter = ',')]
    pub(crate) columns: Vec<String>,
    /// How to print the result
    #[arg(long, value_enum, default_value_t = OutputFormat::Table)]
    pub(crate) format: OutputFormat,
}

/// Describes and prints.
pub(crate) fn run(arguments: &DescribeArguments) -> anyhow::Result<Outcome> {
    let dataset = arguments.data.open()?;
    let columns = columns(&arguments.columns, &dataset)?;
    let passes = Passes::new(dataset.size_in_bytes(), arguments.data.quiet);
    let description = describe(&dataset, &columns, &passes)?;
    drop(passes);
    if description.rows == 0 {
        anyhow::bail!("{}: a header but no rows; the columns are {}", files(&dataset), names(&dataset));
    }
    match arguments.format {
        OutputFormat::Json => print_json(&Record::new(&dataset, &description))?,
        OutputFormat::Table => print(&tables(&dataset, &description))?,
    }
    if arguments.columns.is_empty() {
        let unread = |column: &noisefit_data::read::UnreadColumn| {
            format!(
                "column '{}' is left out: its type {} is neither a number nor a category",
                column.name, column.of_type
            )
        };
        warn(&dataset.unread().iter().map(unread).collect::<Vec<_>>());
    }
    Ok(Outcome::Done)
}

/// Positions of the columns with the given names; of all where there are none.
fn columns(wanted: &[String], dataset: &Dataset) -> anyhow::Result<Vec<usize>> {
    if wanted.is_empty() {
        return Ok((0..dataset.fields().len()).collect());
    }
    let position = |name: &String| {
        let found = dataset.fields().iter().position(|field| field.name == *name);
        let missing =
            || format!("--columns {name}: no such column in {}; there are {}", files(dataset), names(dataset));
        found.with_context(missing)
    };
    wanted.iter().map(position).collect()
}

fn names(dataset: &Dataset) -> String {
    dataset.fields().iter().map(|field| field.name.as_str()).collect::<Vec<_>>().join(", ")
}

fn files(dataset: &Dataset) -> String {
    match dataset.files().len() {
        0 | 1 => dataset.file_name(0).to_owned(),
        count => format!("{} and {} more", dataset.file_name(0), count - 1),
    }
}

/// The JSON object of a description.
#[derive(Serialize)]
struct Record<'a> {
    schema: &'static str,
    files: Vec<&'a str>,
    #[serde(flatten)]
    description: &'a Description,
}

impl<'a> Record<'a> {
    fn new(dataset: &'a Dataset, description: &'a Description) -> Self {
        Record { schema: "noisefit.describe/1", files: dataset.files().collect(), description }
    }
}

/// A table of the numbers, one of the dates and times, one of the categories, and what is to be said about them.
fn tables(dataset: &Dataset, description: &Description) -> String {
    let count = |count: u64, what: &str| format!("{count} {what}{}", if count == 1 { "" } else { "s" });
    let (rows, width) = (count(description.rows, "row"), count(description.columns.len() as u64, "column"));
    let mut text = format!("{}: {rows}, {width}\n", files(dataset));
    let (mut numbers, mut times, mut levels) = (Vec::new(), Vec::new(), Vec::new());
    let (mut notes, mut rank_error) = (Vec::new(), 0.0f64);
    for column in &description.columns {
        match &column.summary {
            Summary::Numbers(summary) => {
                if column.kind == Kind::Number { &mut numbers } else { &mut times }.push(number_row(column, summary));
                rank_error = rank_error.max(summary.rank_error);
                notes.extend(infinite(&column.name, summary.infinite));
            }
            Summary::Levels(summary) => levels.push(level_row(column, summary)),
        }
    }
    for (kind, rows) in [("number", numbers), ("time", times)] {
        if !rows.is_empty() {
            let heading = [kind, "count", "missing", "mean", "sd", "min", "25%", "median", "75%", "max"];
            text.push_str(&format!("\n{}", table(&heading, &rows)));
        }
    }
    if !levels.is_empty() {
        let heading = ["category", "type", "count", "missing", "levels", "most frequent", "times"];
        text.push_str(&format!("\n{}", table(&heading, &levels)));
    }
    if rank_error > 0.0 {
        // Rounded up: what is promised is not exceeded.
        let percent = (rank_error * 1e4).ceil() / 100.0;
        notes.push(format!(
            "25%, median and 75% are within {percent}% of rank (exact for columns of up to {EXACT_QUANTILES} values)"
        ));
    }
    if !notes.is_empty() {
        text.push_str(&format!("\n{}\n", notes.join("\n")));
    }
    text
}

fn number_row(column: &ColumnDescription, summary: &NumberSummary) -> Vec<String> {
    let sd = match column.kind {
        Kind::Date => summary.sd.map_or_else(|| optional(None, 7), |days| format!("{} days", significant(days, 5))),
        Kind::Timestamp => {
            summary.sd.map_or_else(|| optional(None, 7), |seconds| format!("{} s", significant(seconds, 5)))
        }
        _ => optional(summary.sd, 7),
    };
    let mut row = vec![column.name.clone(), column.count.to_string(), column.missing.to_string()];
    row.extend([moment(summary.mean.as_ref()), sd]);
    row.extend([&summary.min, &summary.q25, &summary.median, &summary.q75, &summary.max].map(|at| order(at.as_ref())));
    row
}

fn moment(value: Option<&Value>) -> String {
    match value {
        Some(Value::Time(time)) => time.clone(),
        Some(Value::Number(number)) => significant(*number, 7),
        None => optional(None, 7),
    }
}

/// A number of the data: as it stands there unless that is long, and then without zeros that it does not have.
fn order(value: Option<&Value>) -> String {
    let Some(Value::Number(number)) = value else { return moment(value) };
    let (exact, rounded) = (number.to_string(), significant(*number, 7));
    match () {
        () if exact.len() <= 10 => exact,
        () if rounded.contains('.') && !rounded.contains('e') => {
            rounded.trim_end_matches('0').trim_end_matches('.').to_owned()
        }
        () => rounded,
    }
}

fn infinite(name: &str, count: u64) -> Option<String> {
    let (values, are) = if count == 1 { ("value", "is") } else { ("values", "are") };
    (count > 0).then(|| format!("{name}: {count} infinite {values} {are} left out of all but the count"))
}

fn level_row(column: &ColumnDescription, summary: &LevelSummary) -> Vec<String> {
    let kind = if column.kind == Kind::Boolean { "boolean" } else { "text" };
    let distinct = match (summary.distinct, summary.distinct_more_than) {
        (Some(distinct), _) => distinct.to_string(),
        (None, Some(more_than)) => format!("more than {more_than}"),
        (None, None) => optional(None, 7),
    };
    let (level, times) = match &summary.most_frequent {
        Some(most) if most.count == most.count_at_most => (shown(&most.level), most.count.to_string()),
        Some(most) => (shown(&most.level), format!("{} to {}", most.count, most.count_at_most)),
        None => (optional(None, 7), optional(None, 7)),
    };
    let (count, missing) = (column.count.to_string(), column.missing.to_string());
    vec![column.name.clone(), kind.to_owned(), count, missing, distinct, level, times]
}

/// A level on one line, of bounded length.
fn shown(level: &str) -> String {
    let line = level.escape_debug().to_string();
    match line.char_indices().nth(SHOWN_CHARACTERS) {
        Some((end, _)) => format!("{}...", line.get(..end).unwrap_or_default()),
        None => line,
    }
}
